"""How do the places of a GeoJSON file become numbers in brackets, and are they the same when read?

Places of one type go together: all their numbers become text, then each level of brackets is put around them, in
Arrow, so that no Python object is made for a place. What a parser finds is held against the numbers themselves.
Nothing here knows a column, the name of a row or a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: GEOS types that have no coordinates of their own: what stands for an unknown place, collections.
NOWHERE, COLLECTION = -1, 7
#: The others → name in GeoJSON, and how deep their coordinates are nested.
_NAMES = {0: "Point", 1: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}
_DEPTHS = {0: 1, 1: 2, 3: 3, 4: 2, 5: 3, 6: 4}
#: Largest difference between a coordinate of a collection and the same read back, in degrees.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The places of one type among those of a piece.

    Attributes
    ----------
    rows
        Their positions in the piece.
    kind
        GEOS type; `NOWHERE` for rows without a place.
    degrees
        Longitude, latitude and perhaps height of every vertex, one line each.
    levels
        Where rings, parts and shapes begin in what they hold, innermost first: see `shapely.to_ragged_array`.
    collections
        The shapes themselves when they are collections.
    """

    rows: NDArray[np.intp]
    kind: int
    degrees: NDArray[np.float64]
    levels: tuple[NDArray[np.int64], ...] = ()
    collections: NDArray[np.object_] | None = None

    def text(self) -> pa.Array:
        """Return each place as the JSON of its geometry."""
        if self.kind == NOWHERE:
            return pa.repeat("null", len(self.rows))
        if self.collections is not None:
            return pa.array(shapely.to_geojson(self.collections), type=pa.string())
        axes = [pa.array(np.ascontiguousarray(axis)).cast(pa.string()) for axis in self.degrees.T]
        commas = [part for axis in axes for part in (axis, ",")][:-1]
        text = pc.binary_join_element_wise("[", *commas, "]", "")
        for begins in self.levels:
            inside = pc.binary_join(pa.ListArray.from_arrays(pa.array(begins, type=pa.int32()), text), ",")
            text = pc.binary_join_element_wise("[", inside, "]", "")
        return pc.binary_join_element_wise(f'{{"type":"{_NAMES[self.kind]}","coordinates":', text, "}", "")

    def box(self) -> NDArray[np.float64]:
        """Return the least longitude and latitude, then the largest."""
        return np.concatenate([self.degrees[:, :2].min(axis=0), self.degrees[:, :2].max(axis=0)])

    def arrow_type(self) -> pa.DataType:
        """Return the type a parser gives the geometry of these places, collections apart."""
        nested = pa.float64()
        for _ in range(_DEPTHS.get(self.kind, 1)):
            nested = pa.list_(nested)
        return pa.struct([("type", pa.string()), ("coordinates", nested)])

    def first_difference(self, found: pa.Array) -> int | None:
        """Return the position in the piece of the first place a parser found to be another, ``None`` if there is none.

        Parameters
        ----------
        found
            Geometry of the same rows, of `arrow_type`; of collections, their text.
        """
        if self.kind == NOWHERE:
            other = found.is_valid().to_numpy(zero_copy_only=False)
        elif self.collections is not None:
            shapes = shapely.from_geojson(found.to_numpy(zero_copy_only=False))
            other = ~shapely.equals_exact(self.collections, shapes, tolerance=_TOLERANCE)
        elif self._equals(found):
            return None
        else:
            other = np.array([place != text for place, text in zip(self._plain(), found.to_pylist(), strict=True)])
        return int(self.rows[np.flatnonzero(other)[0]]) if other.any() else None

    def _equals(self, found: pa.StructArray) -> bool:
        """Tell whether types, brackets and every number are the same."""
        if found.null_count or not pc.all(pc.equal(found.field("type"), _NAMES[self.kind])).as_py():
            return False
        nested = found.field("coordinates")
        for begins in reversed(self.levels):
            if not np.array_equal(nested.offsets.to_numpy(), begins):
                return False
            nested = nested.values
        n_axes = self.degrees.shape[1]
        sizes = np.diff(nested.offsets.to_numpy())
        return bool((sizes == n_axes).all()) and np.array_equal(nested.values.to_numpy(), self.degrees.ravel())

    def _plain(self) -> list[dict[str, object]]:
        """Return the geometries as Python's own lists, to find which one differs."""
        nested = pa.FixedSizeListArray.from_arrays(pa.array(self.degrees.ravel()), self.degrees.shape[1])
        for begins in self.levels:
            nested = pa.ListArray.from_arrays(pa.array(begins, type=pa.int32()), nested)
        return [{"type": _NAMES[self.kind], "coordinates": place} for place in nested.to_pylist()]


def grouped(shapes: NDArray[np.object_]) -> list[Group]:
    """Return the places of a piece by type, those without one among them.

    Parameters
    ----------
    shapes
        In degrees, ``None`` for an unknown place.
    """
    kinds = shapely.get_type_id(shapes) * 2 + shapely.has_z(shapes)
    groups = []
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        alike, has_z = shapes[rows], bool(kind % 2)
        if kind < 0:
            groups.append(nowhere(rows))
        elif kind // 2 == COLLECTION:
            groups.append(Group(rows, COLLECTION, shapely.get_coordinates(alike), collections=alike))
        else:
            _, degrees, levels = shapely.to_ragged_array(alike, include_z=has_z)
            groups.append(Group(rows, int(kind // 2), degrees, levels))
    return groups


def points(degrees: NDArray[np.float64], known: NDArray[np.bool_]) -> list[Group]:
    """Return the places of a piece of points: `degrees` of the known ones, in order."""
    groups = [Group(np.flatnonzero(known), 0, degrees)] if known.any() else []
    return groups if known.all() else [*groups, nowhere(np.flatnonzero(~known))]


def nowhere(rows: NDArray[np.intp]) -> Group:
    """Return rows without a place."""
    return Group(rows, NOWHERE, np.empty((0, 2)))
