"""Which shape do these coordinates draw, and if none, why not?

Builds shapely geometries from lists of positions (GeoJSON, KML, GPX) or from WKB (GeoPackage, Shapefile,
FlatGeobuf) and gives a French reason for each one that cannot be built. GDAL turns such geometries into nothing
without a word. Keeps Z, drops M, closes an open ring with a note. Does not repair, reproject or judge the place.
"""

from __future__ import annotations

import struct
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.errors import ShapelyError

from geo_qmi.wording import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo_qmi.sources.limits import Limits

#: Reasons a caller can attach to a row.
NOT_CLOSED = "un anneau n’était pas fermé ; il a été refermé sur son premier point"
_REDRAW = "redessinez cet objet ou réexportez la couche"
_BRACKETS = "vérifiez le nombre de crochets des coordonnées"


class ShapeError(ValueError):
    """No geometry can be built; `reason` and `proposal` are French sentences."""

    def __init__(self, reason: str, proposal: str = _REDRAW) -> None:
        self.reason = reason
        self.proposal = proposal
        super().__init__(reason)


def positions(raw: object) -> np.ndarray:
    """Return positions as an (n, 2) or (n, 3) array of finite numbers.

    Parameters
    ----------
    raw
        List of ``[x, y]``, ``[x, y, z]`` or longer positions; the third value is kept when all have one.

    Raises
    ------
    ShapeError
        For anything else than numbers at the right depth.
    """
    if type(raw) is not list:
        raise ShapeError("les coordonnées ne sont pas une liste de positions", _BRACKETS)
    if not raw:
        return np.empty((0, 2))
    if set(map(type, raw)) != {list}:
        raise ShapeError("les coordonnées n’ont pas la profondeur attendue pour ce type de géométrie", _BRACKETS)
    sizes = set(map(len, raw))
    if min(sizes) < 2:
        raise ShapeError("une position a moins de deux nombres ; x et y sont attendus")
    kinds = set(map(type, chain.from_iterable(raw)))
    if not kinds <= {int, float}:
        raise _not_numbers(kinds)
    dimension = 3 if min(sizes) >= 3 else 2
    try:
        array = np.array(raw if sizes == {dimension} else [p[:dimension] for p in raw], dtype=float)
    except OverflowError:
        raise ShapeError("une coordonnée est un nombre démesuré") from None
    if not np.isfinite(array).all():
        raise ShapeError("une coordonnée n’est pas un nombre fini (NaN ou infini)")
    return array


def point(raw: object) -> Any:
    """Return a point from one position; an empty list gives an empty point."""
    if raw == []:
        return shapely.Point()
    if type(raw) is not list:
        raise ShapeError("les coordonnées d’un point doivent être une liste de nombres", _BRACKETS)
    return shapely.points(positions([raw])[0])


def line(raw: object) -> Any:
    """Return a line from at least two positions."""
    array = positions(raw)
    if len(array) == 1:
        raise ShapeError("une ligne n’a qu’une position ; deux au moins sont attendues")
    return shapely.linestrings(array) if len(array) else shapely.LineString()


def polygon(raw: object, *, notes: set[str]) -> Any:
    """Return a polygon from its rings (outer first); `notes` receives what had to be closed."""
    if type(raw) is not list:
        raise ShapeError("les coordonnées d’un polygone doivent être une liste d’anneaux", _BRACKETS)
    if not raw:
        return shapely.Polygon()
    rings = [_ring(positions(ring), notes=notes) for ring in raw]
    return shapely.polygons(rings[0], holes=rings[1:] or None)


def within_limits(shape: Any, *, limits: Limits) -> Any:
    """Return `shape`, or raise `ShapeError` when it has too many vertices."""
    count = int(shapely.get_num_coordinates(shape))
    if count > limits.vertices:
        raise too_many_vertices(count, limits=limits)
    return shape


def too_many_vertices(count: int, *, limits: Limits) -> ShapeError:
    """Return the reason a geometry with `count` vertices is refused."""
    return ShapeError(
        f"la géométrie a {number(count)} sommets, la limite est de {number(limits.vertices)}",
        "simplifiez ou découpez cet objet",
    )


def gather(parts: Sequence[Any]) -> Any:
    """Return one multi-part geometry when the parts are of one simple kind, else a collection."""
    kinds = {int(shapely.get_type_id(part)) for part in parts}
    makers = {0: shapely.multipoints, 1: shapely.multilinestrings, 3: shapely.multipolygons}
    maker = makers.get(kinds.pop(), shapely.geometrycollections) if len(kinds) == 1 else shapely.geometrycollections
    return maker(list(parts))


def from_wkb(blobs: Sequence[bytes | None], *, limits: Limits) -> tuple[list[Any], list[tuple[int, ShapeError]]]:
    """Return one geometry or ``None`` per WKB blob, and the places that could not be read with the reason.

    Parameters
    ----------
    blobs
        WKB (ISO or EWKB) or ``None`` where there is legitimately no geometry.
    """
    faults: list[tuple[int, ShapeError]] = []
    shapes: list[Any] = []
    for place, blob in enumerate(blobs):
        try:
            shapes.append(None if blob is None else _one_wkb(blob))
        except ShapeError as error:
            faults.append((place, error))
            shapes.append(None)
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    array = _drop_m(array)
    for place, count in enumerate(shapely.get_num_coordinates(array)):
        if count > limits.vertices:
            faults.append((place, too_many_vertices(int(count), limits=limits)))
            array[place] = None
    for place in _not_finite(array):
        faults.append((place, ShapeError("une coordonnée n’est pas un nombre fini (NaN ou infini)")))
        array[place] = None
    return list(array), sorted(faults, key=lambda fault: fault[0])


def _not_numbers(kinds: set[type]) -> ShapeError:
    if list in kinds:
        return ShapeError("les coordonnées ont trop de crochets pour ce type de géométrie", _BRACKETS)
    if str in kinds:
        return ShapeError("des coordonnées sont écrites comme du texte", "retirez les guillemets autour des nombres")
    if type(None) in kinds:
        return ShapeError("une coordonnée est vide (null)", "complétez la coordonnée, ou laissez la géométrie vide")
    return ShapeError("une coordonnée n’est pas un nombre")


def _ring(array: np.ndarray, *, notes: set[str]) -> Any:
    if not len(array):
        raise ShapeError("un anneau de polygone est vide")
    if not np.array_equal(array[0, :2], array[-1, :2]):
        array = np.vstack([array, array[:1]])
        if len(array) >= 4:
            notes.add(NOT_CLOSED)
    if len(array) < 4:
        raise ShapeError("un anneau de polygone a moins de trois points distincts")
    return shapely.linearrings(array)


def _one_wkb(blob: bytes) -> Any:
    if len(blob) < 5 or blob[0] not in (0, 1):
        raise ShapeError("la géométrie binaire est tronquée ou n’est pas du WKB")
    (code,) = struct.unpack_from("<I" if blob[0] else ">I", blob, 1)
    if (code & 0x0FFFFFFF) % 1000 not in range(1, 8):
        raise ShapeError("ce type de géométrie (courbe, surface 3D ou inconnu) n’est pas pris en charge")
    try:
        shape = shapely.from_wkb(blob)
    except (ShapelyError, ValueError) as error:
        unclosed = "closed" in str(error)
        reason = "un anneau de polygone n’est pas fermé" if unclosed else "la géométrie binaire est abîmée ou tronquée"
        raise ShapeError(reason) from None
    if shapely.get_type_id(shape) > 7:
        raise ShapeError("ce type de géométrie (courbe) n’est pas pris en charge", "convertissez-la en segments")
    return shape


def _drop_m(array: np.ndarray) -> np.ndarray:
    has_m = getattr(shapely, "has_m", None)  # absent with GEOS < 3.12, which reads no M at all
    if has_m is None:
        return array
    for place in np.flatnonzero(has_m(array)):
        with_z = bool(shapely.has_z(array[place]))
        array[place] = shapely.transform(array[place], lambda xyz: xyz, include_z=with_z)
    return array


def _not_finite(array: np.ndarray) -> list[int]:
    coordinates, places = shapely.get_coordinates(array, return_index=True)
    bad = ~np.isfinite(coordinates).all(axis=1)
    flat = shapely.has_z(array)
    for place in np.flatnonzero(flat):
        if not np.isfinite(shapely.get_coordinates(array[place], include_z=True)[:, 2]).all():
            array[place] = shapely.force_2d(array[place])
    return [int(place) for place in np.unique(places[bad])]
