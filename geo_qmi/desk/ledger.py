"""How is a table corrected by hand and checked whole before it is written?

A table becomes a *sheet* of plain cells (`sheet`), is edited anywhere, and comes back typed and checked (`checked`) by
the same engine as a file: all defects by row and column, or none. `save` writes it if nobody wrote since; otherwise
`versions` lays mine and the file's side by side and `carried` puts my cells on top of theirs.

A point is two coordinates here; any other shape is only named: it is changed by importing a file, never by this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo_qmi import geo, schema
from geo_qmi.desk.deposits import signed
from geo_qmi.errors import Defect, DefectsError, InputError, shown
from geo_qmi.intake import take_in
from geo_qmi.sources.raw import RawTable
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo_qmi.workspace import Study

#: Columns of a sheet that are not columns of the table: row number as shown, and the shape in words.
ROW, SHAPE = "ligne", "forme"
#: Ways to give a point: system → titles of the two columns.
AXES = {
    geo.DEGREES: ("Longitude", "Latitude"),
    schema.CRS: ("X (Lambert-93)", "Y (Lambert-93)"),
}
#: Decimals that keep a centimetre.
_DECIMALS = {geo.DEGREES: 7, schema.CRS: 2}
#: What the source of a row or of a point typed here says.
TYPED_HERE = "saisie au tableau de bord"
_FLAGS = {True: "oui", False: "non"}
#: Values a list may offer and still be read.
_LISTED = 500


@dataclass(frozen=True, eq=False)
class Opened:
    """A table as it was read.

    Attributes
    ----------
    name
        Table of the schema.
    version
        Of the table, for the guard of the write.
    frame
        Typed rows, index 0, 1, 2…
    crs
        System in which points are shown: a key of `AXES`.
    """

    name: str
    version: int
    frame: pd.DataFrame
    crs: str = geo.DEGREES

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the titles of the two coordinates, nothing for a table that holds no point."""
        return AXES[self.crs] if "Point" in schema.geometry_types(self.name) else ()

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Return the table as a `sheet`; never changed."""
        return sheet(self)


@dataclass(frozen=True, slots=True)
class Edits:
    """What a sheet changes: row → columns, rows added, rows removed."""

    changed: dict[int, list[str]] = field(default_factory=dict)
    added: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Tell whether anything changes."""
        return bool(self.changed or self.added or self.removed)

    def sentence(self) -> str:
        """Return the counts in French.

        Examples
        --------
        >>> Edits({3: ["name"]}, [], [4, 5]).sentence()
        '1 ligne modifiée, 0 ajoutée, 2 supprimées'
        """
        changed, added = counted(len(self.changed), "ligne modifiée"), counted(len(self.added), "ajoutée")
        return f"{changed}, {added}, {counted(len(self.removed), 'supprimée')}"


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A sheet that holds: the whole table, the rows that are new or changed, and whether a key left the table."""

    whole: pd.DataFrame
    touched: pd.DataFrame
    keys_left: bool


def read(study: Study, name: str, *, crs: str = geo.DEGREES) -> Opened:
    """Return a table of a study, ready to be edited; a write in between makes the later save a conflict, not a loss."""
    version = study.version(name)
    return Opened(name, version, study.read(name), crs)


def headings(name: str) -> dict[str, str]:
    """Return column → French title with its unit, as a sheet shows it; unlike titles of one table."""
    return {
        column: f"{spec.title} ({spec.metadata['unit']})" if spec.metadata["unit"] else str(spec.title)
        for column, spec in schema.columns(name).items()
        if column != "geometry"
    }


def bounds(name: str, column: str) -> tuple[float | None, float | None]:
    """Return the smallest and the greatest value the schema allows in a column of numbers.

    Examples
    --------
    >>> bounds("applications", "need_sun_h"), bounds("applications", "name")
    ((0, 16), (None, None))
    """
    low = high = None
    for check in schema.columns(name)[column].checks:
        told = check.statistics or {}
        low, high = told.get("min_value", low), told.get("max_value", high)
    return low, high


def allowed(name: str, column: str, known: Mapping[str, pd.DataFrame]) -> dict[str, str] | None:
    """Return the values a column may hold → words shown: a vocabulary, yes or no, or the keys it refers to.

    ``None`` where any value may be typed, or where there are more than `_LISTED` to choose from.
    """
    spec = schema.columns(name)[column].metadata
    if spec["choices"] is not None:
        return dict(spec["choices"])
    if spec["kind"] == "flag":
        return {word: word for word in _FLAGS.values()}
    if spec["references"]:
        other, _, named = spec["references"].partition(".")
        values = sorted(set(known[other][named].dropna().astype(str)))
        return {value: value for value in values} if len(values) <= _LISTED else None
    return None


# From a table to a sheet -----------------------------------------------------------------------------------------


def sheet(opened: Opened) -> pd.DataFrame:
    """Return the table as plain cells.

    Returns
    -------
    DataFrame
        `ROW` (from 1), the columns of the schema (text and codes as ``str``, flags « oui » or « non », numbers as
        numbers), the two coordinates of `Opened.axes` (points only), and `SHAPE` for a table with places.
    """
    frame = opened.frame
    cells: dict[str, Any] = {ROW: np.arange(1, len(frame) + 1)}
    for column, spec in schema.columns(opened.name).items():
        kind = spec.metadata["kind"]
        if kind == "geometry":
            continue
        if kind in {"integer", "number"}:
            cells[column] = frame[column].astype("float64").to_numpy()
        else:
            texts = frame[column].astype(object).where(frame[column].notna(), None)
            cells[column] = texts.map(_FLAGS).where(texts.notna(), None) if kind == "flag" else texts
    if isinstance(frame, gpd.GeoDataFrame):
        cells |= dict(zip(opened.axes, _coordinates(frame, opened.crs), strict=False))
        cells[SHAPE] = [_worded(shape) for shape in frame.geometry]
    return pd.DataFrame(cells, index=pd.RangeIndex(len(frame)))


def _coordinates(frame: gpd.GeoDataFrame, crs: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of the points, NaN elsewhere."""
    shapes = frame.geometry.to_crs(crs).to_numpy()
    points = shapely.get_type_id(shapes) == 0
    axes = []
    for read_axis in (shapely.get_x, shapely.get_y):
        values = np.full(len(frame), np.nan)
        values[points] = read_axis(shapes[points])
        axes.append(np.round(values, _DECIMALS[crs]))
    return axes[0], axes[1]


def _worded(shape: Any) -> str:
    """Return a geometry in words: its kind and its size."""
    if shape is None or shape.is_empty:
        return "sans lieu"
    if shape.geom_type in {"Point", "MultiPoint"}:
        return "point" if shape.geom_type == "Point" else f"{len(shape.geoms)} points"
    if shape.area:
        return f"surface de {shape.area:,.0f} m²".replace(",", "\u202f")
    return f"ligne de {shape.length:,.0f} m".replace(",", "\u202f")


def found(cells: pd.DataFrame, words: str) -> pd.DataFrame:
    """Return the rows of a sheet that hold every word, in any column, without regard to case."""
    if cells.empty:
        return cells
    kept = np.ones(len(cells), dtype=bool)
    texts = cells.drop(columns=ROW).astype("string").fillna("").agg(" ".join, axis=1).str.casefold()
    for word in words.casefold().split():
        kept &= texts.str.contains(word, regex=False).to_numpy(dtype=bool)
    return cells[kept]


def merged(start: pd.DataFrame, part: pd.DataFrame, edited: pd.DataFrame) -> pd.DataFrame:
    """Return sheet `start` with the rows of `part` as they were edited; new rows are numbered after the last.

    Parameters
    ----------
    start
        The whole sheet.
    part
        Rows of it that were handed out.
    edited
        What came back: rows changed, left out, or added (without number).
    """
    back = edited.copy()
    fresh = back[ROW].isna().to_numpy()
    last = int(start[ROW].max()) if len(start) else 0
    back.loc[fresh, ROW] = np.arange(last + 1, last + 1 + fresh.sum())
    back[ROW] = back[ROW].astype("int64")
    others = start[~start[ROW].isin(part[ROW])]
    both = [frame.astype(object) for frame in (others, back[list(start)]) if len(frame)]
    whole = pd.concat(both, ignore_index=True) if both else start.head(0)
    return plain_cells(whole, like=start).sort_values(ROW, ignore_index=True)


def outlived(start: pd.DataFrame, earlier: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame | None:
    """Return both sets of changes when a grid forgot the earlier ones before it gave the later ones, else ``None``.

    A browser that draws its grid again, as when its page is asked for twice, hands back what is typed from then on
    only. It is known by this: something differs from `start`, and nothing of what differed before.

    Parameters
    ----------
    start
        The sheet handed to the grid.
    earlier, later
        The sheet as edited, at the last run and now.
    """
    before, now = edits(start, earlier), edits(start, later)
    again = any(set(columns) & set(now.changed.get(row, [])) for row, columns in before.changed.items())
    again = again or bool(set(before.removed) & set(now.removed) or (before.added and now.added))
    if not before or not now or again:
        return None
    lost = earlier.set_index(ROW, drop=False).astype(object)
    both = later.set_index(ROW, drop=False).astype(object)
    for row, columns in before.changed.items():
        if row in both.index:
            both.loc[row, columns] = lost.loc[row, columns]
    both = pd.concat([both.drop(index=before.removed, errors="ignore"), lost.loc[before.added]], ignore_index=True)
    return plain_cells(both, like=start).sort_values(ROW, ignore_index=True)


def plain_cells(cells: pd.DataFrame, *, like: pd.DataFrame) -> pd.DataFrame:
    """Return cells in the kinds of a sheet, blanks as missing."""
    out = {}
    for column in like:
        if like[column].dtype.kind in "if":
            out[column] = pd.to_numeric(cells[column], errors="coerce").astype(like[column].dtype)
        else:
            values = cells[column].astype(object)
            blank = values.isna() | values.map(lambda cell: isinstance(cell, str) and not cell.strip())
            out[column] = values.where(~blank, None)
    return pd.DataFrame(out, index=cells.index)


# What changed ----------------------------------------------------------------------------------------------------


def edits(before: pd.DataFrame, after: pd.DataFrame) -> Edits:
    """Return what separates two sheets of one table, rows joined by their number."""
    old, new = before.set_index(ROW), after.set_index(ROW)
    both = old.index.intersection(new.index)
    changed: dict[int, list[str]] = {}
    for column in old.columns.drop(SHAPE, errors="ignore"):
        was, now = old.loc[both, column], new.loc[both, column]
        unlike = ~((was == now) | (was.isna() & now.isna())).to_numpy(dtype=bool)
        for row in both[unlike]:
            changed.setdefault(int(row), []).append(str(column))
    return Edits(
        dict(sorted(changed.items())),
        [int(row) for row in new.index.difference(old.index)],
        [int(row) for row in old.index.difference(new.index)],
    )


def changes(opened: Opened, after: pd.DataFrame) -> pd.DataFrame:
    """Return every change as a row for people: row, identifier, column, before, after."""
    before = opened.cells
    done = edits(before, after)
    old, new = before.set_index(ROW), after.set_index(ROW)
    titles, key = headings(opened.name), schema.key_columns(opened.name)[0]
    rows = [
        (row, old.loc[row, key], titles.get(column, column), said(old.loc[row, column]), said(new.loc[row, column]))
        for row, columns in done.changed.items()
        for column in columns
    ]
    rows += [(row, new.loc[row, key], "(ligne)", None, "ajoutée") for row in done.added]
    rows += [(row, old.loc[row, key], "(ligne)", None, "supprimée") for row in done.removed]
    return pd.DataFrame(rows, columns=["Ligne", "Identifiant", "Colonne", "Avant", "Après"], dtype=object)


def said(value: Any) -> str | None:
    """Return a cell as text; a whole number without decimals, a comma for the others."""
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN
        return None
    return f"{value:.10g}".replace(".", ",") if isinstance(value, float) else str(value)


# Back to a table -------------------------------------------------------------------------------------------------


def checked(opened: Opened, after: pd.DataFrame, *, known: Mapping[str, pd.DataFrame]) -> Checked:
    """Return the table a sheet stands for, or every reason why it cannot be.

    A source left empty says `TYPED_HERE`, and so does that of a point typed here when it is empty.

    Parameters
    ----------
    opened
        The table the sheet comes from.
    after
        The sheet, edited.
    known
        Tables of the study, for references in both directions.

    Raises
    ------
    DefectsError
        Every defect, by row of the sheet and column.
    InputError
        Nothing changed.
    """
    before = opened.cells
    done = edits(before, after)
    if not done:
        raise InputError("Rien à enregistrer : aucune cellule n’a changé.")
    rows = after[after[ROW].isin([*done.changed, *done.added])].set_index(ROW)
    shapes, moved, defects = _shapes(opened, rows, done)
    kept = opened.frame[~(opened.frame.index + 1).isin([*done.changed, *done.removed])]
    touched, told = _typed(opened, rows, {**known, opened.name: kept}, shapes=shapes, moved=moved)
    defects += told
    whole = pd.concat([kept, touched]) if len(kept) else touched
    if not defects:
        defects = _orphans(opened, whole, known)
    if defects:
        raise DefectsError(defects, title="Rien n’a été enregistré")
    typed = schema.typed(whole.reset_index(drop=True), opened.name)
    keys = schema.key_columns(opened.name)
    left = set(keys_of(opened.frame, keys)) - set(keys_of(typed, keys))
    return Checked(typed, schema.typed(touched.reset_index(drop=True), opened.name), bool(left))


def _typed(
    opened: Opened,
    rows: pd.DataFrame,
    known: Mapping[str, pd.DataFrame],
    *,
    shapes: NDArray[np.object_] | None,
    moved: NDArray[np.bool_],
) -> tuple[pd.DataFrame, list[Defect]]:
    """Return new and changed rows as the engine of imports understands them, and their errors."""
    titles = headings(opened.name)
    cells = rows[list(titles)].astype(object)
    cells = cells.where(cells.notna(), None)
    cells["source"] = cells["source"].where(cells["source"].notna(), TYPED_HERE)
    if "geometry_source" in cells:
        typed_here = moved & cells["geometry_source"].isna().to_numpy()
        cells["geometry_source"] = cells["geometry_source"].mask(typed_here, TYPED_HERE)
    raw = RawTable("", schema.label(opened.name), cells.rename(columns=titles), shapes, n_in=len(cells))
    raw.crs = None if shapes is None else schema.CRS
    took = take_in(raw, opened.name, mapping={title: column for column, title in titles.items()}, known=known)
    accepted = took.accepted
    if "geometry_source" in cells and len(accepted):  # a row that was silent on its place stays so
        accepted = schema.typed(accepted.assign(geometry_source=cells["geometry_source"]), opened.name)
    errors = [defect for defect in took.defects if defect.severity == "error"]
    other = "donnez un autre identifiant"
    return accepted, [replace(one, proposal=other) if "--update" in one.proposal else one for one in errors]


def _shapes(
    opened: Opened, rows: pd.DataFrame, done: Edits
) -> tuple[NDArray[np.object_] | None, NDArray[np.bool_], list[Defect]]:
    """Return the geometry of each row in Lambert-93 (the one it had, or the point typed), which are typed, defects."""
    moved = np.zeros(len(rows), dtype=bool)
    if not schema.geometry_types(opened.name):
        return None, moved, []
    shapes = np.full(len(rows), None, dtype=object)
    defects: list[Defect] = []
    own = opened.frame.geometry.to_numpy()
    for place, row in enumerate(rows.index):
        former = shapes[place] = own[row - 1] if row in done.changed else None
        if row in done.changed and not set(done.changed[row]) & set(opened.axes):
            continue
        try:
            shapes[place] = _point([rows.loc[row, axis] for axis in opened.axes], former, opened.crs)
        except InputError as error:
            defects.append(Defect("error", str(error), layer=schema.label(opened.name), row=int(row), field="Lieu"))
        moved[place] = shapes[place] is not None
    return shapes, moved, defects


def _point(axes: list[float], former: Any, crs: str) -> Any:
    """Return the point two coordinates give, nothing when both are empty, or raise `InputError`."""
    blank = [bool(np.isnan(value)) for value in axes]
    if former is not None and former.geom_type != "Point":
        raise InputError(f"cette ligne a une {_worded(former)} : importez un fichier pour la changer")
    if all(blank):
        return None
    if any(blank):
        raise InputError("une coordonnée manque, l’autre est là : donnez les deux, ou aucune")
    x, y = axes
    if not geo.in_region((x, y, x, y), crs=crs):
        raise InputError(f"coordonnées loin de l’Île-de-France ({x:g} ; {y:g}) : vérifiez l’ordre et le système")
    return shapely.Point(*Transformer.from_crs(crs, schema.CRS, always_xy=True).transform(x, y))


def _orphans(opened: Opened, whole: pd.DataFrame, known: Mapping[str, pd.DataFrame]) -> list[Defect]:
    """Return the values that leave the table while other tables still name them."""
    lost: list[Defect] = []
    for other in schema.TABLES:
        for column, spec in schema.columns(other).items():
            target, _, named = str(spec.metadata["references"] or "").partition(".")
            if target != opened.name:
                continue
            gone = opened.frame[~opened.frame[named].isin(whole[named])]
            rows = whole if other == opened.name else known[other]
            for row, value in zip(gone.index + 1, gone[named], strict=True):
                n_rows = int((rows[column] == value).sum())
                if n_rows:
                    lost.append(
                        Defect(
                            "error",
                            f"encore citée par {counted(n_rows, 'ligne')} de « {schema.label(other)} »",
                            "corrigez d’abord ces lignes",
                            layer=schema.label(opened.name),
                            row=int(row),
                            field=headings(opened.name)[named],
                            value=shown(value),
                        )
                    )
    return lost


def save(study: Study, opened: Opened, ready: Checked, *, reason: str, actor: str) -> int:
    """Write a checked sheet if nobody wrote the table since it was read, and return the journal entry.

    Only the rows touched are written and journalled, unless a key leaves the table: it is then replaced as a whole, in
    one write that one `undo` takes back.

    Raises
    ------
    InputError
        Nobody says why or who.
    ConflictError
        The table changed since; see `geo_qmi.desk.versions`.
    DefectsError, StudyError
        Nothing is written.
    """
    why, who = signed(reason, actor)
    if ready.keys_left:
        return study.replace(opened.name, ready.whole, expected_version=opened.version, reason=why, actor=who)
    return study.upsert(opened.name, ready.touched, reason=why, actor=who, expected_version=opened.version)


def keys_of(frame: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    """Return the key of each row, missing parts as ``None``."""
    plain = frame[columns].astype(object)
    return list(plain.where(plain.notna(), None).itertuples(index=False, name=None))
