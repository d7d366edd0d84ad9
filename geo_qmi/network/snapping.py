"""Where does a place join the walking ground, without jumping over a barrier?

Each place is joined to the nearest node that a straight segment reaches without crossing a barrier; when a segment
crosses one, the next nearest node is tried. A place that joins nowhere is refused with its reason and stays in the
result: placed + refused = given. The usual nearest-node rule does neither, and turns a station across the tracks
into « 0 m ». Nothing is searched along the ground here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo_qmi.errors import InputError
from geo_qmi.geo import require_metres
from geo_qmi.wording import number

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo_qmi.network.ground import Ground

#: Longest straight way from a place to the ground: a large city block. Farther, the place is not served by it.
MAX_ACCESS_M = 250.0
_FIRST_TRIED = 8


def snap(
    ground: Ground,
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    max_m: float = MAX_ACCESS_M,
    level: int = 0,
    min_island_nodes: int = 1,
) -> pd.DataFrame:
    """Return the node where each place joins the ground, or why it does not.

    Parameters
    ----------
    points
        Places in EPSG:2154; a line or an area is represented by one point of its own.
    max_m
        Longest straight access.
    level
        Level of the places: the deck of a bridge above them is not offered to them.
    min_island_nodes
        Smallest island worth joining: raise it to pass over scraps of path that lead nowhere.

    Returns
    -------
    DataFrame
        On the index of `points`: ``node`` (missing when refused), ``access_m`` (straight length to the node, NaN when
        refused), ``reason`` (French, ``""`` when placed).

    Raises
    ------
    CrsError
        The places are not in Lambert-93.
    """
    require_metres(points, what="les lieux à raccorder")
    if not max_m > 0:
        raise InputError(f"Distance d’accès refusée : {max_m} m ; attendu un nombre positif.")
    shapes = np.asarray(points.geometry, dtype=object)
    known = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    node, access = np.full(len(shapes), -1, np.int64), np.full(len(shapes), np.nan)
    reason = np.full(len(shapes), "lieu inconnu : aucune géométrie", dtype=object)
    places = shapely.get_coordinates(shapely.point_on_surface(shapes[known]))
    node[known], access[known], reason[known] = _joined(
        ground, places, max_m=max_m, level=level, min_island_nodes=min_island_nodes
    )
    return pd.DataFrame(
        {
            "node": pd.arrays.IntegerArray(node, node < 0),
            "access_m": access,
            "reason": pd.array(reason, dtype="str"),
        },
        index=points.index,
    )


def _joined(
    ground: Ground, places: NDArray[np.float64], *, max_m: float, level: int, min_island_nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.object_]]:
    """Return node, access length and reason of each place."""
    offered, tree = offer(ground, level=level, min_island_nodes=min_island_nodes)
    walls = walls_of(ground, level=level)
    node, access = np.full(len(places), -1, np.int64), np.full(len(places), np.nan)
    reason = np.full(len(places), "", dtype=object)
    if not len(places):
        return node, access, reason
    left = np.arange(len(places))
    tried, many = 0, _FIRST_TRIED
    while len(left) and tree is not None and tried < len(offered):
        far, near = tree.query(
            places[left], k=np.arange(tried + 1, min(many, len(offered)) + 1), distance_upper_bound=max_m * (1 + 1e-12)
        )
        reachable = np.isfinite(far)
        free = np.zeros_like(reachable)
        for first, last in ((0, 1), (1, many)):  # nearly every place joins the nearest node: the others are spared
            place, choice = np.nonzero(reachable[:, first:last] & ~free.any(axis=1, keepdims=True))
            to = offered[near[place, choice + first]]
            free[place, choice + first] = ~walls.cut(places[left][place], ground.xy[to])
        found = free.any(axis=1)
        best = free.argmax(axis=1)[found]
        node[left[found]] = offered[near[found, best]]
        access[left[found]] = far[found, best]
        left = left[~found & reachable.all(axis=1)]
        tried, many = many, many * 4
    refused = np.flatnonzero(node < 0)
    reason[refused] = _reasons(places[refused], walls=walls, tree=tree, max_m=max_m)
    return node, access, reason


def offer(
    ground: Ground, *, level: int = 0, min_island_nodes: int = 1
) -> tuple[NDArray[np.intp], cKDTree | None]:  # fmt: skip
    """Return the nodes that a place may join, and a tree of them."""

    def build() -> tuple[NDArray[np.intp], cKDTree | None]:
        offered = offered_nodes(ground, level=level, min_island_nodes=min_island_nodes)
        return offered, cKDTree(ground.xy[offered]) if len(offered) else None

    return ground.derived(("offer", level, min_island_nodes), build)


def walls_of(ground: Ground, *, level: int = 0) -> Walls:
    """Return the barriers of a level that stand in the way of a place."""
    return ground.derived(("walls", level), lambda: Walls(ground.barriers, level=level))


def offered_nodes(ground: Ground, *, level: int = 0, min_island_nodes: int = 1) -> NDArray[np.intp]:
    """Return the nodes that a place on `level` may join."""
    offered = np.zeros(ground.n_nodes, dtype=bool)
    if len(ground.ends):
        mine = ground.edges["level"].to_numpy() == level
        offered[ground.ends if mine.all() else ground.ends[mine]] = True
    else:
        offered[:] = True
    if min_island_nodes > 1:
        offered &= ground.islands().to_numpy() >= min_island_nodes
    return np.flatnonzero(offered)


def _reasons(places: NDArray[np.float64], *, walls: Walls, tree: cKDTree | None, max_m: float) -> NDArray[np.object_]:
    """Return why each place joins nowhere, in French."""
    why = np.full(len(places), "non raccordé : aucun nœud praticable à ce niveau", dtype=object)
    if tree is None or not len(places):
        return why
    far, _ = tree.query(places)
    most = number(max_m, digits=0)
    for row, metres in enumerate(far):
        inside = walls.over(places[row])
        if inside:
            why[row] = f"non raccordé : le lieu est dans l’emprise de la coupure « {inside} »"
        elif metres > max_m:
            why[row] = f"non raccordé : nœud le plus proche à {number(metres, digits=0)} m, maximum {most} m"
        else:
            why[row] = f"non raccordé : tout accès de moins de {most} m franchirait une coupure"
    return why


class Walls:
    """The barriers of one level, ready to be asked whether a segment crosses them."""

    def __init__(self, barriers: gpd.GeoDataFrame | None, *, level: int = 0) -> None:
        shapes: NDArray[np.object_] = np.zeros(0, dtype=object)
        ids: NDArray[np.object_] = np.zeros(0, dtype=object)
        if barriers is not None and len(barriers):
            at_level = np.flatnonzero(levels_of(barriers) == level)
            shapes = np.asarray(barriers.geometry, dtype=object)[at_level]
            ids = barrier_ids(barriers)[at_level]
        pieces, owner = shapely.get_parts(shapes, return_index=True)
        lines = shapely.get_type_id(pieces) == 1
        cut, cut_owner = _segments(pieces[lines], owner[lines])
        self.shapes = np.concatenate([cut, pieces[~lines]])
        self.ids = ids[np.concatenate([cut_owner, owner[~lines]]).astype(np.intp)]
        self.tree = shapely.STRtree(self.shapes)

    def cut(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which segments touch a barrier."""
        crossed = np.zeros(len(start), dtype=bool)
        if len(self.shapes) and len(start):
            segments = shapely.linestrings(np.stack([start, end], axis=1))
            crossed[self.tree.query(segments, predicate="intersects")[0]] = True
        return crossed

    def over(self, place: NDArray[np.float64]) -> str:
        """Return the barrier a place is in or on, or ``""``."""
        if not len(self.shapes):
            return ""
        found = np.asarray(self.tree.query(shapely.Point(place), predicate="intersects"))
        return str(self.ids[found.flat[0]]) if found.size else ""


def levels_of(barriers: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Return the level of each barrier; 0 where the table does not say."""
    if "level" not in barriers:
        return np.zeros(len(barriers), np.int64)
    return np.asarray(pd.to_numeric(barriers["level"]).fillna(0), dtype=np.int64)


def barrier_ids(barriers: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the identifier of each barrier, or its place in the index where the table has none."""
    return np.asarray(barriers["barrier_id"] if "barrier_id" in barriers else barriers.index.astype(str), dtype=object)


def _segments(lines: NDArray[np.object_], owner: NDArray[np.intp]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return the straight segments of lines, so that the tree has small boxes, and the owner of each."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    follows = line[1:] == line[:-1] if len(line) else np.zeros(0, dtype=bool)
    first = np.flatnonzero(follows)
    pairs = np.stack([points[first], points[first + 1]], axis=1)
    return np.asarray(shapely.linestrings(pairs), dtype=object).reshape(len(first)), owner[line[first]]
