"""Where on the ground is a mark made on a paper sheet?

Control points (pixel ↔ Lambert-93) give the transformation from the scan to the ground: affine from three points,
projective from four on (a photo taken at an angle). A fit is judged by predicting each control point from the others:
points that only fit themselves prove nothing. The image itself is never opened; who reads the sheet types the marks.
Marks of a walk are observations; what a workshop laid on the map (favourable place, type of project, point of
attention) are workshop objects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import InputError
from geo_qmi.sources.field.collected import Collected, Hints, cells, fault
from geo_qmi.sources.field.words import named, words_for
from geo_qmi.vocabulary import WORKSHOP_KINDS, fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo_qmi.sources.raw import RawTable

Model = Literal["affine", "projective"]
_FREEDOMS = {"affine": 6, "projective": 8}
#: Worst fit accepted, in metres on the ground. A mark drawn by hand on an A3 sheet at 1:2 000 is right to about 5 mm,
#: that is 10 m, and 10 m is the smallest cell sensitive maps use: a worse sheet would put marks in the wrong cell.
RMS_LIMIT_M = 10.0
#: Ratio under which control points lie on one line, as good as: the other direction would be invented.
_FLAT = 1e-3
_PIXELS = (
    ("pixel_x", "pixelx", "sourcex", "px", "colonne", "x_pixel"),
    ("pixel_y", "pixely", "sourcey", "py", "y_pixel"),
)
_GROUND = (("mapx", "x_l93", "x_lambert93", "x"), ("mapy", "y_l93", "y_lambert93", "y"))
_CROSS = ("repere", "croix", "name")
_MARKS = (("pixel_x", "x", "px", "colonne", "x_pixel"), ("pixel_y", "y", "py", "ligne_image", "y_pixel"))
#: Words for the classes of a workshop object.
_CLASSES = {fold(word) for pair in WORKSHOP_KINDS.items() for word in pair}


@dataclass(frozen=True, slots=True)
class SheetNote:
    """What is known of one printed sheet.

    Attributes
    ----------
    crosses
        Name → x, y in EPSG:2154.
    actor_group
        Code of the group the overlay was given to; ``None`` when it is nobody's in particular.
    """

    crosses: Mapping[str, tuple[float, float]]
    actor_group: str | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """A transformation from pixels to Lambert-93.

    Attributes
    ----------
    model
        ``affine`` or ``projective``.
    matrix
        3 × 3, on homogeneous pixel coordinates.
    rms_m
        Root mean square of what is left at the control points, in metres.
    check_m
        The same when each control point is predicted from the others; ``None`` when there are too few to do so.
    """

    model: Model
    matrix: NDArray[np.float64]
    rms_m: float
    check_m: float | None

    def __call__(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return Lambert-93 coordinates, shape (n, 2), of pixel coordinates of that shape."""
        return _applied(self.matrix, pixels)

    def sentence(self) -> str:
        """Return the fit as one French sentence."""
        check = (
            f"chaque point prédit par les autres : {_metres(self.check_m)}"
            if self.check_m is not None
            else "trop peu de points pour vérifier : ajoutez-en un"
        )
        kind = "affine" if self.model == "affine" else "projectif"
        return f"Calage {kind} de la fiche : écart quadratique moyen {_metres(self.rms_m)} ; {check}."


def _metres(length_m: float) -> str:
    return f"{length_m:.1f} m".replace(".", ",")


def fit(
    pixels: NDArray[np.float64],
    ground: NDArray[np.float64],
    *,
    model: Literal["auto", "affine", "projective"] = "auto",
    limit_m: float = RMS_LIMIT_M,
) -> Fit:
    """Return the transformation that carries control points of a scan onto the ground.

    With ``auto``: affine for three and four points (a fourth checks the three), projective from five on. Four points
    carry a projective transformation exactly, right or wrong, so it must be asked for.

    Parameters
    ----------
    pixels, ground
        Control points, shape (n, 2): pixels of the scan, metres in Lambert-93.
    limit_m
        Worst `Fit.rms_m` and `Fit.check_m` accepted.

    Raises
    ------
    InputError
        Too few points, points on one line, or a fit worse than the limit.

    Examples
    --------
    >>> corners = np.array([[0, 0], [100, 0], [0, 100], [100, 100]], dtype=float)
    >>> found = fit(corners, corners * [2, -2] + [650_000, 6_860_000])
    >>> found.model, round(found.rms_m, 6), found(np.array([[50.0, 25.0]])).round(3).tolist()
    ('affine', 0.0, [[650100.0, 6859950.0]])
    """
    n = len(pixels)
    chosen: Model = model if model != "auto" else ("affine" if n < 5 else "projective")
    needed = _FREEDOMS[chosen] // 2
    if n < needed:
        raise InputError(
            f"Fiche papier : {counted(n, 'point')} de calage, {needed} au moins attendus (calage {chosen}) → "
            "relevez les croix imprimées autour du cadre."
        )
    for points, what in ((pixels, "sur l’image"), (ground, "sur le terrain")):
        _refuse_flat(points, what)
    matrix = _solved(pixels, ground, chosen)
    check = _left_out(pixels, ground, chosen) if n > needed else None
    found = Fit(chosen, matrix, _rms(_applied(matrix, pixels), ground), check)
    worst = max(found.rms_m, check or 0.0)
    if not worst <= limit_m:
        _refuse_bad(found, pixels, ground, limit_m=limit_m, asked=model)
    return found


def _refuse_flat(points: NDArray[np.float64], what: str) -> None:
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if not np.isfinite(points).all() or spread[0] == 0 or spread[1] / spread[0] < _FLAT:
        raise InputError(
            f"Fiche papier : les points de calage sont alignés ou confondus {what} → prenez-en aux quatre coins."
        )


def _refuse_bad(
    found: Fit, pixels: NDArray[np.float64], ground: NDArray[np.float64], *, limit_m: float, asked: str
) -> None:
    away = np.hypot(*(found(pixels) - ground).T)
    other = (
        " Si la fiche est une photo prise de biais, ajoutez un cinquième point ou demandez --fit projective."
        if len(pixels) == 4 and asked == "auto"
        else ""
    )
    raise InputError(
        f"{found.sentence()} La limite est de {limit_m:g} m : la fiche est refusée → vérifiez les points de calage, "
        f"d’abord le n° {int(away.argmax()) + 1}.{other}"
    )


def _solved(pixels: NDArray[np.float64], ground: NDArray[np.float64], model: Model) -> NDArray[np.float64]:
    """Return the least-squares matrix, computed on centred and scaled coordinates to stay well conditioned."""
    inner, outer = _normaliser(pixels), _normaliser(ground)
    source, target = _applied(inner, pixels), _applied(outer, ground)
    rows = _equations(source, target, model)
    solution, *_ = np.linalg.lstsq(rows, np.concatenate([target[:, 0], target[:, 1]]), rcond=None)
    middle = np.append(solution, [0.0, 0.0, 1.0] if model == "affine" else [1.0]).reshape(3, 3)
    matrix = np.linalg.inv(outer) @ middle @ inner
    return np.asarray(matrix / matrix[2, 2])


def _equations(source: NDArray[np.float64], target: NDArray[np.float64], model: Model) -> NDArray[np.float64]:
    """Return the linear system of a transformation: one row a coordinate, one column a freedom."""
    ones, zeros = np.ones((len(source), 1)), np.zeros((len(source), 3))
    rows_x, rows_y = np.hstack([source, ones, zeros]), np.hstack([zeros, source, ones])
    if model == "projective":
        rows_x = np.hstack([rows_x, -source * target[:, :1]])
        rows_y = np.hstack([rows_y, -source * target[:, 1:]])
    return np.vstack([rows_x, rows_y])


def _normaliser(points: NDArray[np.float64]) -> NDArray[np.float64]:
    centre, scale = points.mean(axis=0), 1 / max(float(np.abs(points - points.mean(axis=0)).max()), 1e-12)
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _applied(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    carried = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(carried[:, :2] / carried[:, 2:])


def _rms(found: NDArray[np.float64], ground: NDArray[np.float64]) -> float:
    return float(np.sqrt(((found - ground) ** 2).sum(axis=1).mean()))


def _left_out(pixels: NDArray[np.float64], ground: NDArray[np.float64], model: Model) -> float | None:
    """Return the RMS of each point predicted from the others, where the others are enough to tell."""
    predicted, there = [], []
    for place in range(len(pixels)):
        rest = np.delete(pixels, place, 0)
        if _tells(rest, model):
            matrix = _solved(rest, np.delete(ground, place, 0), model)
            predicted.append(_applied(matrix, pixels[place : place + 1])[0])
            there.append(ground[place])
    return _rms(np.array(predicted), np.array(there)) if predicted else None


def _tells(pixels: NDArray[np.float64], model: Model) -> bool:
    """Tell whether points determine a transformation: four of which three are on one line do not."""
    source = _applied(_normaliser(pixels), pixels)
    rows = _equations(source, source, model)
    return bool(len(rows) >= rows.shape[1] and np.linalg.cond(rows) < 1 / _FLAT**2)


# From tables -----------------------------------------------------------------------------------------------------


def read_paper(
    marks: list[RawTable], control: RawTable, *, hints: Hints, crs: str | None = None, sheet: SheetNote | None = None
) -> Collected:
    """Return the marks of a sheet, placed.

    Parameters
    ----------
    marks
        Tables with the pixels of each mark (``x``, ``y`` or ``pixel_x``, ``pixel_y``) and what it says.
    control
        Control points: a QGIS georeferencer file (``mapX, mapY, sourceX, sourceY``), or columns ``pixel_x``,
        ``pixel_y``, ``x``, ``y``.
    hints
        ``model`` and ``rms_limit_m`` are used here.
    crs
        System of the control points; Lambert-93 by default.
    sheet
        What is known of a printed sheet: the ground of its crosses, and the group that drew on it. The control points
        then need no coordinates, only the name of each cross (``repere``).

    Raises
    ------
    InputError
        See `fit`; or a column is missing.
    """
    pixels = _pairs(control, _PIXELS)
    ground = _pairs(control, _GROUND) if sheet is None else _known(control, sheet)
    used = ~np.isnan(pixels).any(axis=1) & ~np.isnan(ground).any(axis=1) & _enabled(control)
    found = fit(pixels[used], ground[used], model=hints.model, limit_m=hints.rms_limit_m)
    out = Collected("paper", notes=[found.sentence()])
    hull = shapely.buffer(
        shapely.MultiPoint(pixels[used]).convex_hull, 0.05 * float(np.ptp(pixels[used], axis=0).max())
    )
    upward = bool((pixels[used][:, 1] <= 0).all())
    for raw in marks:
        placed = _placed(_with_group(raw, sheet), found, hull, upward=upward, crs=crs)
        for table, piece in _parted(placed).items():
            out.add(table, _numbered(named(piece, table)) if table == "workshop_items" else named(piece, table))
    return out


def _numbered(raw: RawTable) -> RawTable:
    """Return the objects of a sheet under its name and their number on it: a corrected place stays the same object."""
    if "rank" not in raw.frame or "uid" in raw.frame:
        return raw
    made = [None if number is None else f"{raw.layer}-{str(number).strip()}" for number in cells(raw.frame, "rank")]
    return replace(
        raw, frame=raw.frame.drop(columns="rank").assign(uid=pd.Series(made, index=raw.frame.index, dtype=object))
    )


def _known(control: RawTable, sheet: SheetNote) -> NDArray[np.float64]:
    """Return the ground of the crosses named in a table of control points; missing where nobody knows the name."""
    names = control.frame[_column(control, _CROSS)].astype("str").str.strip().str.upper()
    nowhere = (float("nan"), float("nan"))
    return np.array([sheet.crosses.get(name, nowhere) for name in names], dtype=float).reshape(-1, 2)


def _with_group(raw: RawTable, sheet: SheetNote | None) -> RawTable:
    """Return the marks of an overlay with the group it was given to, where the table names none."""
    words = words_for("workshop_items")
    if sheet is None or sheet.actor_group is None or any(words.get(fold(str(c))) == "actor_group" for c in raw.frame):
        return raw
    return replace(raw, frame=raw.frame.assign(actor_group=sheet.actor_group))


def _parted(raw: RawTable) -> dict[str, RawTable]:
    """Return the marks of a walk and the objects of a workshop apart: the class of an object tells."""
    words = words_for("workshop_items")
    column = next((str(c) for c in raw.frame.columns if words.get(fold(str(c))) == "kind"), None)
    told = pd.Series([None] * len(raw.frame), index=raw.frame.index) if column is None else raw.frame[column]
    objects = np.array([fold(str(cell)) in _CLASSES for cell in told], dtype=bool)
    if not objects.any():
        return {"observations": raw}
    parts = {"workshop_items": objects} | ({} if objects.all() else {"observations": ~objects})
    return {table: _kept(raw, rows) for table, rows in parts.items()}


def _kept(raw: RawTable, rows: NDArray[np.bool_]) -> RawTable:
    frame = raw.frame[rows]
    here = set(frame.index)
    defects = [defect for defect in raw.defects if defect.row is None or defect.row in here]
    geometry = None if raw.geometry is None else raw.geometry[rows]
    return replace(raw, frame=frame, geometry=geometry, n_in=len(frame), defects=defects)


def _placed(raw: RawTable, found: Fit, hull: shapely.Geometry, *, upward: bool, crs: str | None) -> RawTable:
    at = _pairs(raw, _MARKS)
    known = ~np.isnan(at).any(axis=1)
    if upward and (at[known][:, 1] >= 0).all():
        at[:, 1] = -at[:, 1]  # georeferencers count rows of pixels downwards from zero; viewers without the sign
    geometry = np.full(len(at), None, dtype=object)
    geometry[known] = shapely.points(found(at[known]))
    names = [_column(raw, words) for words in _MARKS]
    out = replace(
        raw, frame=raw.frame.drop(columns=names), geometry=geometry, crs=crs or "EPSG:2154", defects=list(raw.defects)
    )
    for place in np.flatnonzero(known).tolist():
        if not hull.intersects(shapely.Point(at[place])):
            reason = "marque hors des points de calage : sa position est extrapolée"
            out.defects.append(
                fault(raw, reason, "vérifiez le pixel relevé", row=raw.frame.index[place], severity="warning")
            )
    return out


def _column(raw: RawTable, words: tuple[str, ...]) -> str:
    by_fold = {fold(str(column)): str(column) for column in raw.frame.columns}
    found = next((by_fold[word] for word in words if word in by_fold), None)
    if found is None:
        raise InputError(f"« {raw.file} » : colonne absente ; attendu : {' ou '.join(words[:3])} → ajoutez-la.")
    return found


def _pairs(raw: RawTable, words: tuple[tuple[str, ...], tuple[str, ...]]) -> NDArray[np.float64]:
    """Return two columns of numbers, French decimal commas understood; an unreadable number is missing."""
    texts = [raw.frame[_column(raw, each)].astype("str").str.replace(",", ".").str.strip() for each in words]
    return np.column_stack([pd.to_numeric(text, errors="coerce").to_numpy(dtype=float) for text in texts])


def _enabled(raw: RawTable) -> NDArray[np.bool_]:
    cells = raw.frame["enable"] if "enable" in raw.frame else pd.Series("1", index=raw.frame.index)
    return np.asarray(cells.astype("str").str.strip() != "0", dtype=bool)
