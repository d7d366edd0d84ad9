"""How are places written in degrees without breaking their shape?

Longitude and latitude on WGS 84 with seven decimals (1 cm), outer rings anticlockwise, as RFC 7946 wants. Rounding
can make a thin polygon cross itself or vanish: such shapes are rebuilt on the seven-decimal grid, and each is said.
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
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

#: Decimals of a degree: 0.0000001° is 11 mm northwards and 7 mm eastwards here, so no place moves by more than 7 mm.
DECIMALS = 7
_GRID = 10.0**-DECIMALS
#: GEOS types: what stands for none, points, and those whose rings have a direction.
_NOWHERE, _POINT, _WOUND = -1, 0, (3, 6, 7)


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
        self._refuse_outside(shapely.bounds(shapes), start=start)
        thin = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_valid(shapes))
        for place in thin:
            if not shapely.is_valid(exact[place]):
                self.already.append(start + int(place))
                continue
            plain = _moved(exact[place : place + 1], _plain, has_z=has_z)
            mended = shapely.transform(shapely.set_precision(plain, _GRID), _snapped)[0]
            (self.lost if mended.is_empty else self.mended).append(start + int(place))
            shapes[place] = None if mended.is_empty else mended
        return orient(shapes) if np.isin(shapely.get_type_id(shapes), _WOUND).any() else shapes

    def of_points(
        self, metres: NDArray[np.object_], *, start: int
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
        """Return the same for points, as numbers: no shape is built, which is half the time of a large file.

        Returns
        -------
        Longitude, latitude and perhaps height of the known places, one line each, and which places are known;
        ``None`` where some are not points, or have a height and others not.
        """
        kinds = shapely.get_type_id(metres)
        known = kinds == _POINT
        heights = shapely.has_z(metres[known])
        if not (known | (kinds == _NOWHERE)).all() or heights.any() != heights.all():
            return None
        degrees = _rounded(shapely.get_coordinates(metres, include_z=bool(heights.any())))
        boxes = np.full((len(metres), 4), np.nan)
        boxes[known] = degrees[:, [0, 1, 0, 1]]
        self._refuse_outside(boxes, start=start)
        return degrees, known

    def remarks(self) -> tuple[str, ...]:
        """Return French sentences, empty when nothing but decimals was lost."""
        said = (
            (self.already, "contour déjà invalide, sans changement"),
            (self.mended, "contour réparé après arrondi à 1 cm"),
            (self.lost, "géométrie sous l’arrondi de 1 cm, sans lieu dans le fichier"),
        )
        return tuple(f"{counted(len(rows), what)} : {self.layer.name_rows(rows)}." for rows, what in said if rows)

    def _refuse_outside(self, boxes: NDArray[np.float64], *, start: int) -> None:
        """Refuse boxes beyond the poles or the antimeridian; that of an unknown place is NaN, and fits."""
        wrong = np.flatnonzero((np.abs(boxes) > [180, 90, 180, 90]).any(axis=1))
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
