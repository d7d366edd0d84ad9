"""How are places written in degrees without breaking their shape?

Longitude and latitude on WGS 84 with six decimals (11 cm), outer rings anticlockwise, as RFC 7946 wants. Rounding
can make a thin polygon cross itself or vanish: such shapes are rebuilt on the six-decimal grid, and each is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely
from pyproj import Transformer

from geo_qmi.errors import InputError
from geo_qmi.geo import DEGREES, orient
from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

#: Decimals of a degree: 0.000001° is 11 cm northwards and 7 cm eastwards here, finer than any tracing of a study.
DECIMALS = 6
_GRID = 10.0**-DECIMALS


@dataclass
class Degrees:
    """The places of one layer on their way to degrees, and what rounding changed so far.

    Attributes
    ----------
    layer
        Whose rows are named in the remarks.
    already, mended, lost
        Positions of shapes that were invalid before, were rebuilt, or vanished.
    """

    layer: Layer
    already: list[int] = field(default_factory=list)
    mended: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    def of(self, metres: NDArray[np.object_], *, start: int = 0) -> NDArray[np.object_]:
        """Return shapes of EPSG:2154 in WGS 84, rounded and wound; ``None`` where a place is unknown or vanished.

        Parameters
        ----------
        start
            Position of the first shape in the layer.

        Raises
        ------
        InputError
            Coordinates fall outside the Earth.
        """
        exact = metres
        measured = shapely.has_m(exact)
        if measured.any():
            exact = exact.copy()
            exact[measured] = shapely.force_2d(exact[measured])
        has_z = bool(shapely.has_z(exact).any())
        shapes = _moved(exact, _rounded, has_z=has_z)
        self._refuse_outside(shapes, start=start)
        thin = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_valid(shapes))
        for place in thin:
            if not shapely.is_valid(exact[place]):
                self.already.append(start + int(place))
                continue
            plain = _moved(exact[place : place + 1], _plain, has_z=has_z)
            mended = shapely.transform(shapely.set_precision(plain, _GRID), _snapped)[0]
            (self.lost if mended.is_empty else self.mended).append(start + int(place))
            shapes[place] = None if mended.is_empty else mended
        return orient(shapes)

    def remarks(self) -> tuple[str, ...]:
        """Return French sentences, empty when nothing but decimals was lost."""
        said = (
            (self.already, "contour(s) déjà invalide(s), laissé(s) tels quels"),
            (self.mended, "contour(s) réparé(s) après arrondi à 11 cm"),
            (self.lost, "géométrie(s) plus petite(s) que l’arrondi de 11 cm, écrite(s) sans lieu"),
        )
        return tuple(f"{len(rows)} {what} : {self.layer.name_rows(rows)}." for rows, what in said if rows)

    def _refuse_outside(self, shapes: NDArray[np.object_], *, start: int) -> None:
        box = shapely.bounds(shapes)
        with np.errstate(invalid="ignore"):
            inside = (np.abs(box) <= [180, 90, 180, 90]).all(axis=1)
        wrong = np.flatnonzero(~shapely.is_missing(shapes) & ~inside)
        if len(wrong):
            raise InputError(
                f"« {self.layer.title} » : coordonnées hors de la Terre une fois en degrés "
                f"({self.layer.name_rows(start + wrong)}). Vérifiez le système de coordonnées déclaré puis réexportez."
            )


def in_degrees(layer: Layer) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    """Return all places of a layer in WGS 84 at once, and what rounding changed."""
    degrees = Degrees(layer)
    shapes = degrees.of(np.asarray(layer.geometry, dtype=object))
    return shapes, degrees.remarks()


@lru_cache(maxsize=1)
def _transformer() -> Transformer:
    return Transformer.from_crs(CRS, DEGREES, always_xy=True)


def _moved(shapes: NDArray[np.object_], way: object, *, has_z: bool) -> NDArray[np.object_]:
    return cast("NDArray[np.object_]", shapely.transform(shapes, way, include_z=has_z))


def _plain(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    lon, lat = _transformer().transform(coordinates[:, 0], coordinates[:, 1])
    return np.column_stack([lon, lat, *coordinates.T[2:]])


def _snapped(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    # Adding zero turns -0.0 into 0.0.
    return np.round(coordinates, DECIMALS) + 0.0


def _rounded(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    return _snapped(_plain(coordinates))
