"""How large is the sheet, where is the frame, and at which scale does the ground fit in it?

Millimetres on the page, metres in Lambert-93, and nothing drawn. The scale of a sheet is the one of the projection:
a millimetre of the frame is `scale` millimetres of the Lambert-93 plane, exactly. How much true ground that is
depends on the place; `Sheet.ground_factor` says it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Extent = tuple[float, float, float, float]

#: Paper sizes of ISO 216: short side, long side, in millimetres.
PAPERS = {"A0": (841, 1189), "A1": (594, 841), "A2": (420, 594), "A3": (297, 420), "A4": (210, 297)}
#: Round scales, the most detailed first.
LARGEST_FIRST = tuple(
    int(step * 10**power) for power in range(2, 7) for step in (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 8)
)
_ORIENTATIONS = {"landscape": "paysage", "portrait": "portrait"}
#: Size of letters and signs beside those of an A3: larger sheets hang farther from the eye.
_SIZES = {"A0": 2.2, "A1": 1.7, "A2": 1.3, "A3": 1.0, "A4": 0.82}
#: Margin, gap and panel of an A3.
_MARGIN_MM, _GAP_MM, _PANEL_MM = 10.0, 5.0, 92.0
#: Lengths a scale bar may have.
_BARS_M = tuple(step * 10**power for power in range(1, 6) for step in (1, 2, 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet and the ground in its frame.

    Attributes
    ----------
    paper
        Key of `PAPERS`.
    width_mm, height_mm
        Of the page.
    frame_mm, panel_mm
        ``x, y, width, height`` of the map and of the text beside it, from the lower left corner of the page.
    scale
        Denominator: 5000 for 1:5000.
    centre_m
        Middle of the frame in EPSG:2154.
    size
        Size of letters and signs; 1 for an A3.
    """

    paper: str
    width_mm: float
    height_mm: float
    frame_mm: Extent
    panel_mm: Extent
    scale: int
    centre_m: tuple[float, float]
    size: float

    @property
    def mm_per_m(self) -> float:
        """Millimetres of paper for one metre of Lambert-93."""
        return 1000 / self.scale

    @property
    def ground_m(self) -> Extent:
        """What the frame holds: ``xmin, ymin, xmax, ymax`` in EPSG:2154."""
        half_x, half_y = (side / 2 / self.mm_per_m for side in self.frame_mm[2:])
        x, y = self.centre_m
        return (x - half_x, y - half_y, x + half_x, y + half_y)

    def to_page(self, shapes: ArrayLike) -> NDArray[Any]:
        """Return geometries in EPSG:2154 as millimetres of the page."""
        west, south, _, _ = self.ground_m
        left, bottom = self.frame_mm[:2]
        shift = np.array([left - west * self.mm_per_m, bottom - south * self.mm_per_m])
        moved: NDArray[Any] = shapely.transform(np.asarray(shapes, dtype=object), lambda xy: xy * self.mm_per_m + shift)
        return moved

    @property
    def ground_factor(self) -> float:
        """Metres of Lambert-93 for one metre of true ground at the centre (linear module)."""
        return float(_factors(self.centre_m).meridional_scale)

    @property
    def north_deg(self) -> float:
        """Angle from the north of the grid to true north, positive eastwards (convergence of the meridians)."""
        return -float(_factors(self.centre_m).meridian_convergence)

    def bar(self) -> tuple[int, float]:
        """Return the length of the scale bar: true metres on the ground, and millimetres of paper."""
        most_mm = 0.6 * self.panel_mm[2]
        metre_mm = self.ground_factor * self.mm_per_m
        length = max((one for one in _BARS_M if one * metre_mm <= most_mm), default=_BARS_M[0])
        return int(length), length * metre_mm


def sheet_for(
    extent_m: Sequence[float],
    *,
    paper: str = "A3",
    orientation: str = "landscape",
    scale: int | None = None,
    core_m: Sequence[float] | None = None,
) -> Sheet:
    """Return the sheet on which some ground fits.

    Parameters
    ----------
    extent_m
        What should be seen: ``xmin, ymin, xmax, ymax`` in EPSG:2154.
    paper, orientation
        Key of `PAPERS`; ``landscape``, ``portrait`` or ``best``: the one that shows the ground larger.
    scale
        Denominator; the largest round scale at which the extent fits, by default.
    core_m
        What must be seen at a scale somebody asks for, `extent_m` by default: the frame may cut what lies around.

    Raises
    ------
    UnknownNameError, InputError
        No such paper, orientation or scale; a scale at which the core does not fit (the largest that fits is named).
    """
    code = paper.upper()
    if code not in PAPERS:
        raise UnknownNameError(f"Papier inconnu : « {shown(paper)} ». Papiers : {', '.join(PAPERS)}.")
    if orientation == "best":
        turned = [(_least(extent_m, _laid(code, one)[1]), one) for one in _ORIENTATIONS]
        orientation = min(turned, key=lambda pair: pair[0])[1]
    if orientation not in _ORIENTATIONS:
        listed = ", ".join(_ORIENTATIONS.values())
        raise UnknownNameError(f"Orientation inconnue : « {shown(orientation)} ». Attendu : {listed}.")
    (width, height), frame, beside = _laid(code, orientation)
    centre, chosen = _fit(extent_m, core_m or extent_m, frame, scale=scale, paper=code)
    return Sheet(
        paper=code,
        width_mm=width,
        height_mm=height,
        frame_mm=frame,
        panel_mm=beside,
        scale=chosen,
        centre_m=centre,
        size=_SIZES[code],
    )


def _laid(paper: str, orientation: str) -> tuple[tuple[int, int], Extent, Extent]:
    """Return the sides of a page, its frame and the panel beside it."""
    short, long = PAPERS[paper]
    width, height = (long, short) if orientation == "landscape" else (short, long)
    margin, gap, panel = (length * _SIZES[paper] for length in (_MARGIN_MM, _GAP_MM, _PANEL_MM))
    frame = (margin, margin, width - 2 * margin - gap - panel, height - 2 * margin)
    return (width, height), frame, (width - margin - panel, margin, panel, height - 2 * margin)


def _fit(
    extent: Sequence[float], core: Sequence[float], frame: Extent, *, scale: int | None, paper: str
) -> tuple[tuple[float, float], int]:
    """Return the centre of the frame and the scale."""
    if scale is None:
        return _middle(extent), _largest(extent, frame)
    if scale < LARGEST_FIRST[0] or scale > LARGEST_FIRST[-1]:
        raise InputError(
            f"Échelle 1:{_spaced(scale)} refusée. Attendu : de 1:{LARGEST_FIRST[0]} à 1:{_spaced(LARGEST_FIRST[-1])}."
        )
    if _least(extent, frame) <= scale:
        return _middle(extent), scale
    if _least(core, frame) > scale:
        fits = _largest(core, frame)
        raise InputError(
            f"À 1:{_spaced(scale)}, le quartier ne tient pas sur une feuille {paper}. La plus grande échelle qui tient "
            f"est 1:{_spaced(fits)} : choisissez-la, ou un papier plus grand."
        )
    return _middle(core), scale


def _middle(extent: Sequence[float]) -> tuple[float, float]:
    return ((extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2)


def _least(extent: Sequence[float], frame: Extent) -> float:
    """Return the denominator at which an extent just fits in a frame."""
    return 1000 * max((extent[2] - extent[0]) / frame[2], (extent[3] - extent[1]) / frame[3])


def _largest(extent: Sequence[float], frame: Extent) -> int:
    least = _least(extent, frame)
    if not math.isfinite(least):
        raise InputError("Carte sans étendue : rien ne peut être mis à l’échelle. Vérifiez les géométries de l’étude.")
    return next((one for one in LARGEST_FIRST if one >= least), LARGEST_FIRST[-1])


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


@cache
def _lambert() -> tuple[pyproj.Proj, pyproj.Transformer]:
    return pyproj.Proj(CRS), pyproj.Transformer.from_crs(CRS, 4171, always_xy=True)


def _factors(point: tuple[float, float]) -> Any:
    """Return what the projection does at a point of EPSG:2154."""
    projection, to_degrees = _lambert()
    return projection.get_factors(*to_degrees.transform(*point))
