"""Which piece of ground does an observation speak of, and was that ground walked at all?

Places are cells of a regular grid or street segments; an observation is attached to them, a route passes them. A place
is *not walked*, *walked and silent*, *felt* or *divided*; the first two are different kinds of nothing, and neither is
a neutral value. This module computes no value (see `geo_qmi.sensitive.values`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas.array import from_shapely

from geo_qmi.errors import InputError, LimitError
from geo_qmi.geo import require_metres
from geo_qmi.guards import require_columns
from geo_qmi.schema import CRS
from geo_qmi.sensitive.inputs import require_places
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Positions = NDArray[np.intp]

#: Cells smaller than 10 m are finer than where people point; larger than 50 m they no longer are a place in a street.
CELL_BOUNDS_M = (10.0, 50.0)
#: A grid of one million cells is 100 km² in cells of 10 m: more is a mistake of extent.
_MOST_CELLS = 1_000_000
#: Ground on either side of a trace that the group walked past: half a street, and the error of a phone.
WALK_REACH_M = 10.0
#: Ground around a route that is shown when marks or routes leave the perimeter.
_BESIDE_M = 60.0
#: Farthest a mark may lie from the street segment it is attached to: a pavement, a front garden, the error of a phone.
SEGMENT_REACH_M = 25.0
#: Part of a street segment that must lie along the route for it to be walked; crossing it is not walking it.
_ALONG = 0.5


def cells(area: gpd.GeoDataFrame | Sequence[float], *, cell_m: float = 20.0) -> gpd.GeoDataFrame:
    """Return the square cells that touch an area, aligned on multiples of `cell_m` in Lambert-93.

    Two studies of one district therefore share their cells, whatever the extent asked for.

    Parameters
    ----------
    area
        Geometries in EPSG:2154 (perimeter, routes…), or ``xmin, ymin, xmax, ymax`` in metres.
    cell_m
        Side of a cell in metres, from 10 to 50.

    Returns
    -------
    GeoDataFrame
        ``place_id`` (side and south-west corner), ``geometry``; from south to north, then west to east.

    Raises
    ------
    InputError, CrsError, LimitError
        A side out of bounds; an area that is empty, not in metres, or that would give over a million cells.

    Examples
    --------
    >>> cells((652005.0, 6862001.0, 652030.0, 6862019.0), cell_m=20)["place_id"].tolist()
    ['20mE652000N6862000', '20mE652020N6862000']
    """
    low, high = CELL_BOUNDS_M
    if not low <= cell_m <= high:
        raise InputError(f"Côté des cellules : {cell_m:g} m. Attendu : entre {low:g} et {high:g} m.")
    return _grid(area, cell_m=cell_m)


def walk_ground(host: gpd.GeoDataFrame, *, routes: gpd.GeoDataFrame, cell_m: float) -> gpd.GeoDataFrame:
    """Return the cells of a district: its perimeter where it is known, and 60 m on either side of its routes.

    Parameters
    ----------
    host, routes
        Rows of ``districts`` and ``routes`` in EPSG:2154; a missing perimeter is left out.
    cell_m
        See `cells`.

    Returns
    -------
    As `cells`; no row when neither perimeter nor route is known.
    """
    require_metres(host, what="les quartiers")
    areas, paths = host.geometry.to_numpy(), routes.geometry.to_numpy()
    beside = shapely.buffer(paths[~shapely.is_missing(paths)], _BESIDE_M)
    shapes = [*areas[~shapely.is_missing(areas)], *beside]
    if shapes:
        area = gpd.GeoDataFrame({"geometry": from_shapely(shapes, crs=CRS)}, geometry="geometry")
        return cells(area, cell_m=cell_m)
    return gpd.GeoDataFrame({"place_id": pd.Series(dtype="str")}, geometry=[], crs=CRS)


def _grid(area: gpd.GeoDataFrame | Sequence[float], *, cell_m: float) -> gpd.GeoDataFrame:
    """Return the cells of `cells`, whatever their side."""
    shape, bounds = _shape_of(area)
    first = np.floor(np.asarray(bounds[:2]) / cell_m).astype(np.int64)
    last = np.maximum(np.ceil(np.asarray(bounds[2:]) / cell_m).astype(np.int64), first + 1)
    n_columns, n_rows = (int(n) for n in last - first)
    if n_columns * n_rows > _MOST_CELLS:
        raise LimitError(
            f"Grille de {n_columns} × {n_rows} cellules de {cell_m:g} m : limite d’un million. "
            "Agrandissez les cellules ou réduisez l’étendue."
        )
    east = (first[0] + np.tile(np.arange(n_columns), n_rows)) * cell_m
    north = (first[1] + np.repeat(np.arange(n_rows), n_columns)) * cell_m
    drawn = shapely.box(east, north, east + cell_m, north + cell_m)
    if shape is not None:
        shapely.prepare(shape)
        kept = shapely.intersects(shape, drawn)
        east, north, drawn = east[kept], north[kept], drawn[kept]
    names = [f"{cell_m:g}mE{x:.0f}N{y:.0f}" for x, y in zip(east.tolist(), north.tolist(), strict=True)]
    found = {"place_id": pd.array(names, dtype="str"), "geometry": from_shapely(drawn, crs=CRS)}
    return gpd.GeoDataFrame(found, geometry="geometry")


def _shape_of(
    area: gpd.GeoDataFrame | Sequence[float],
) -> tuple[shapely.Geometry | None, Sequence[float]]:
    """Return the geometry of an area (None when it is a plain box) and its bounds."""
    if not isinstance(area, gpd.GeoDataFrame):
        if len(area) != 4 or not np.isfinite(area).all() or area[0] > area[2] or area[1] > area[3]:
            raise InputError("Étendue : attendu xmin, ymin, xmax, ymax en mètres (Lambert-93), dans cet ordre.")
        return None, area
    require_metres(area, what="l’étendue à découper en cellules")
    shape = area.geometry.union_all()
    if shape.is_empty:
        raise InputError("Étendue vide : aucune géométrie à découper en cellules.")
    return shape, shape.bounds


def segments(streets: gpd.GeoDataFrame, *, id_column: str | None = None) -> gpd.GeoDataFrame:
    """Return street segments as places, on the index of `streets`.

    Parameters
    ----------
    streets
        Lines in EPSG:2154, one a segment; they are taken as given, neither cut nor joined.
    id_column
        Column that identifies a segment; numbered from 1 by default.

    Returns
    -------
    GeoDataFrame
        ``place_id``, ``geometry``.
    """
    require_metres(streets, what="les rues")
    wrong = ~streets.geom_type.isin(["LineString", "MultiLineString"])
    if wrong.any():
        raise InputError(f"Rues : {counted(int(wrong.sum()), 'géométrie')} d’un autre type. Attendu : des lignes.")
    if id_column is not None:
        require_columns(streets, [id_column], what="Rues")
        names = streets[id_column].astype("str")
    else:
        names = pd.Series([f"troncon-{n}" for n in range(1, len(streets) + 1)], index=streets.index, dtype="str")
    places = gpd.GeoDataFrame({"place_id": names}, geometry=streets.geometry.to_numpy(), crs=CRS, index=streets.index)
    require_places(places)
    return places


def attach(
    observations: gpd.GeoDataFrame, *, places: gpd.GeoDataFrame, reach_m: float = SEGMENT_REACH_M
) -> pd.DataFrame:
    """Return which place each observation speaks of.

    A point belongs to one place: the cell that holds it (west and south edges included), or the nearest segment within
    `reach_m`. A line or an area speaks of every place it touches; each counts the person once.

    Parameters
    ----------
    observations
        Table ``observations``; rows without geometry speak of no place.
    places
        See `cells` and `segments`; any polygons will do, the first in order where they overlap.
    reach_m
        Farthest a point may lie from its segment, in metres; not used for areas.

    Returns
    -------
    DataFrame
        ``observation`` (index label of `observations`), ``place`` (index label of `places`); sorted by observation
        then place. Observations that fall nowhere are absent: `unattached` lists them.
    """
    require_metres(observations, what="les observations")
    require_places(places)
    row, place = positions(observations.geometry.to_numpy(), places=places, reach_m=reach_m)
    return pd.DataFrame({"observation": observations.index[row], "place": places.index[place]})


def unattached(
    observations: gpd.GeoDataFrame, *, places: gpd.GeoDataFrame, reach_m: float = SEGMENT_REACH_M
) -> gpd.GeoDataFrame:
    """Return the rows of `observations` that fall on no place: attached + unattached = all."""
    pairs = attach(observations, places=places, reach_m=reach_m)
    return observations[~observations.index.isin(pairs["observation"])].copy()


def positions(
    shapes: NDArray[np.object_], *, places: gpd.GeoDataFrame, reach_m: float = SEGMENT_REACH_M
) -> tuple[Positions, Positions]:
    """Return the pairs of `attach` as row numbers of `shapes` and of `places`, without checks."""
    drawn = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    dots = shapely.get_type_id(shapes[drawn]) == 0
    tree = places.sindex  # kept by geopandas from one call to the next
    lines = shapely.get_dimensions(places.geometry.to_numpy()).max(initial=0) == 1
    points, others = drawn[dots], drawn[~dots]
    if lines:
        row, place = tree.nearest(shapes[points], max_distance=reach_m, return_all=True)
        far = tree.query(shapes[others], predicate="dwithin", distance=reach_m)
    else:
        row, place = tree.query(shapes[points], predicate="intersects")
        row, place = _half_open(shapes[points], row, place, places=places)
        far = tree.query(shapes[others], predicate="intersects")
    row, place = _first(row, place)
    if not others.size:
        return points[row], place
    rows = np.concatenate([points[row], others[far[0]]])
    found = np.concatenate([place, far[1]])
    order = np.lexsort((found, rows))
    return rows[order], found[order]


def _half_open(
    points: NDArray[np.object_], row: Positions, place: Positions, *, places: gpd.GeoDataFrame
) -> tuple[Positions, Positions]:
    """Drop the pairs where a point of several places lies on the east or north edge of one of them."""
    twice = np.bincount(row, minlength=len(points)) > 1
    if not twice.any():
        return row, place
    box = shapely.bounds(places.geometry.to_numpy()[place])
    x, y = shapely.get_x(points)[row], shapely.get_y(points)[row]
    kept = ~twice[row] | ((x < box[:, 2]) & (y < box[:, 3]))
    kept |= ~np.isin(row, row[kept])  # outside a grid an edge may be all there is
    return row[kept], place[kept]


def _first(row: Positions, place: Positions) -> tuple[Positions, Positions]:
    """Keep one place a row: the first in the order of the places."""
    if row.size < 2 or (row[1:] > row[:-1]).all():
        return row, place
    order = np.lexsort((place, row))
    row, place = row[order], place[order]
    first = np.r_[True, row[1:] != row[:-1]]
    return row[first], place[first]


def walked(places: gpd.GeoDataFrame, *, routes: gpd.GeoDataFrame, reach_m: float = WALK_REACH_M) -> pd.DataFrame:
    """Return which sessions walked past which places.

    Parameters
    ----------
    places
        Cells, polygons or segments. An area is walked when a route comes within `reach_m` of it, a segment when half
        of its length lies that near to the route.
    routes
        Table ``routes`` in EPSG:2154.
    reach_m
        In metres.

    Returns
    -------
    DataFrame
        ``place`` (index label of `places`), ``session_id``; each pair once, sorted.
    """
    place, session = _passed(places, routes, reach_m=reach_m)
    found = pd.DataFrame({"place": places.index[place], "session_id": session})
    return found.sort_values(["place", "session_id"], ignore_index=True)


def n_walks(places: gpd.GeoDataFrame, *, routes: gpd.GeoDataFrame, reach_m: float) -> Positions:
    """Return how many sessions walked past each place; parameters of `walked`."""
    return np.bincount(_passed(places, routes, reach_m=reach_m)[0], minlength=len(places))


def _passed(
    places: gpd.GeoDataFrame, routes: gpd.GeoDataFrame, *, reach_m: float
) -> tuple[Positions, NDArray[np.object_]]:
    """Return the row number of the place and the session of each passage, each pair once."""
    require_places(places)
    require_columns(routes, ["session_id", "geometry"], what="Parcours")
    require_metres(routes, what="les parcours")
    paths = routes.geometry.to_numpy()
    shapes = places.geometry.to_numpy()
    legs, of_leg = _legs(paths)
    leg, place = places.sindex.query(legs, predicate="dwithin", distance=reach_m)
    route, place = np.divmod(np.unique(of_leg[leg] * len(places) + place), max(len(places), 1))
    along = shapely.get_dimensions(shapes[place]) == 1
    if along.any():
        corridor = shapely.buffer(paths, reach_m)
        near = shapely.length(shapely.intersection(shapes[place[along]], corridor[route[along]]))
        enough = np.ones(len(place), dtype=bool)
        enough[along] = near >= _ALONG * shapely.length(shapes[place[along]])
        route, place = route[enough], place[enough]
    session, names = pd.factorize(routes["session_id"], use_na_sentinel=False)
    place, number = np.divmod(np.unique(place * max(len(names), 1) + session[route]), max(len(names), 1))
    return place, np.asarray(names, dtype=object)[number]


def _legs(paths: NDArray[np.object_]) -> tuple[NDArray[np.object_], Positions]:
    """Return the straight legs of every path and the path of each: a long trace would be near to everything."""
    parts, of_part = shapely.get_parts(paths, return_index=True)
    corners, part = shapely.get_coordinates(parts, return_index=True)
    joined = part[1:] == part[:-1]
    pairs = np.stack([corners[:-1][joined], corners[1:][joined]], axis=1)
    return shapely.linestrings(pairs), of_part[part[:-1][joined]]
