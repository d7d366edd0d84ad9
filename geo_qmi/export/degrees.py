"""How are places written in degrees without breaking their shape?

Longitude and latitude on WGS 84 with six decimals (11 cm), outer rings anticlockwise, as RFC 7946 wants. Rounding
can make a thin polygon cross itself or vanish: such shapes are rebuilt on the six-decimal grid, and each is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo_qmi.errors import InputError
from geo_qmi.geo import orient, to_degrees

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

#: Decimals of a degree: 0.000001° is 11 cm northwards and 7 cm eastwards here, finer than any tracing of a study.
DECIMALS = 6
_GRID = 10.0**-DECIMALS


def in_degrees(layer: Layer) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    """Return the places of a layer in WGS 84, rounded and wound, and what rounding changed.

    Returns
    -------
    shapes
        One per row, ``None`` where the place is unknown.
    remarks
        French sentences, empty when nothing but decimals was lost.

    Raises
    ------
    InputError
        Coordinates fall outside the Earth.
    """
    exact = np.array(to_degrees(gpd.GeoDataFrame(geometry=layer.geometry)).geometry, dtype=object)
    measured = shapely.has_m(exact)
    exact[measured] = shapely.force_2d(exact[measured])
    _refuse_outside(exact, layer)
    shapes = shapely.transform(exact, _rounded, include_z=bool(shapely.has_z(exact).any()))
    known = ~shapely.is_missing(exact)
    remarks = []
    already = np.flatnonzero(known & ~shapely.is_valid(exact))
    if len(already):
        remarks.append(
            f"{len(already)} contour(s) déjà invalide(s), laissé(s) tels quels : {layer.name_rows(already)}."
        )
    broken = np.flatnonzero(known & shapely.is_valid(exact) & ~shapely.is_valid(shapes))
    if len(broken):
        shapes[broken] = shapely.transform(shapely.set_precision(exact[broken], _GRID), _rounded)
        lost = broken[shapely.is_empty(shapes[broken])]
        shapes[lost] = None
        kept = np.setdiff1d(broken, lost)
        if len(kept):
            remarks.append(f"{len(kept)} contour(s) réparé(s) après arrondi à 11 cm : {layer.name_rows(kept)}.")
        if len(lost):
            remarks.append(
                f"{len(lost)} géométrie(s) plus petite(s) que l’arrondi de 11 cm, écrite(s) sans lieu : "
                f"{layer.name_rows(lost)}."
            )
    return orient(shapes), tuple(remarks)


def _rounded(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    # Adding zero turns -0.0 into 0.0.
    return np.round(coordinates, DECIMALS) + 0.0


def _refuse_outside(shapes: NDArray[np.object_], layer: Layer) -> None:
    box = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        inside = (np.abs(box) <= [180, 90, 180, 90]).all(axis=1)
    wrong = np.flatnonzero(~shapely.is_missing(shapes) & ~inside)
    if len(wrong):
        raise InputError(
            f"« {layer.title} » : coordonnées hors de la Terre une fois en degrés ({layer.name_rows(wrong)}). "
            "Vérifiez le système de coordonnées déclaré puis réexportez."
        )
