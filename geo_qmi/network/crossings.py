"""Which barriers can be walked through, and where?

Opens declared crossings in a ground: a point on a barrier becomes a short link across it, a line becomes a link as
long as itself. A crossing that pierces nothing, or whose ends no street or cell can reach without crossing a barrier,
is refused with its reason and stays in ``Ground.links``. Nothing opens by itself: an undeclared passage is found by
`geo_qmi.network.audit`, not guessed here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.geo import require_metres
from geo_qmi.network.ground import edge_table, with_edges
from geo_qmi.network.snapping import offer, walls_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

    from geo_qmi.network.ground import Ground
    from geo_qmi.network.snapping import Walls

#: A crossing given as a point may lie this far from the drawn barrier: tracks are drawn by one axis and are wide.
POINT_TOLERANCE_M = 40.0
#: Half-length of the link made from a point where streets are the ground: two tracks and their edges.
_HALF_LINK_M = 12.0
#: Farthest street node joined to an end of a crossing.
_STREET_REACH_M = 100.0
#: An end this close to a node is that node.
_SAME_M = 1e-6


@dataclass(frozen=True, slots=True)
class Link:
    """One crossing ready to be opened.

    Attributes
    ----------
    ends
        The two ends, shape (2, 2).
    metres
        Length between them.
    joined
        For each end, the nodes it joins and the straight lengths to them.
    reason
        Why it cannot be opened; ``""`` when it can.
    """

    ends: NDArray[np.float64]
    metres: float
    joined: tuple[tuple[NDArray[np.intp], NDArray[np.float64]], ...]
    reason: str = ""


def open_crossings(ground: Ground, crossings: gpd.GeoDataFrame) -> Ground:
    """Return the ground with crossings opened through its barriers.

    Parameters
    ----------
    crossings
        Points on, or lines across, the barriers of the ground, in EPSG:2154; ``crossing_id``, ``barrier_id`` (missing:
        any barrier it touches) and the rest of the inventory are kept in ``Ground.links``.

    Returns
    -------
    Ground
        ``links`` gains one row a crossing: its columns, ``metres`` and ``reason`` (``""`` when opened).
    """
    require_metres(crossings, what="les franchissements")
    found = links(ground, crossings)
    table = pd.DataFrame(crossings.drop(columns=crossings.geometry.name)).reset_index(drop=True)
    if "crossing_id" not in table:
        table.insert(0, "crossing_id", crossings.index.astype(str))
    table["metres"] = [link.metres for link in found]
    table["reason"] = pd.Series([link.reason for link in found], dtype="str")
    before = ground.links
    first_row = 0 if before is None else len(before)
    everything = table if before is None else pd.concat([before, table], ignore_index=True)
    xy, ends, lengths, row = _edges_of(found, first_node=ground.n_nodes)
    refused = [f"franchissement « {i} » : {r}" for i, r in zip(table["crossing_id"], table["reason"], strict=True) if r]
    noted = replace(ground, links=everything, notes=ground.notes + tuple(refused))
    if not len(ends):
        return noted
    table_of_edges = edge_table(len(ends), crossing=row + first_row)
    return with_edges(noted, xy=xy, ends=ends, length_m=lengths, edges=table_of_edges)


def links(ground: Ground, crossings: gpd.GeoDataFrame) -> list[Link]:
    """Return how each crossing would join the ground, in the order of the rows."""
    walls = walls_of(ground)
    offered, tree = offer(ground)
    named = crossings["barrier_id"] if "barrier_id" in crossings else pd.Series([None] * len(crossings))
    return [
        _link(
            ground, shape, barrier=None if pd.isna(barrier) else str(barrier), walls=walls, tree=tree, offered=offered
        )
        for shape, barrier in zip(crossings.geometry, named, strict=True)
    ]


def _link(
    ground: Ground,
    shape: shapely.Geometry | None,
    *,
    barrier: str | None,
    walls: Walls,
    tree: cKDTree | None,
    offered: NDArray[np.intp],
) -> Link:
    """Return one crossing as a link, or as a refusal."""
    chosen = np.ones(len(walls.shapes), dtype=bool) if barrier is None else walls.ids == barrier
    if not chosen.any():
        return _refusal("aucune coupure au sol" if barrier is None else f"coupure « {barrier} » absente du terrain")
    path = _drawn(ground, shape, walls.shapes[chosen])
    if isinstance(path, str):
        return _refusal(path)
    touched = walls.tree.query(path, predicate="intersects")
    others = touched[~chosen[touched]]
    if len(others) or not len(touched):
        other = f"franchit aussi la coupure « {walls.ids[others[0]]} », non déclarée" if len(others) else ""
        return _refusal(other or "ne franchit pas la coupure")
    ends = shapely.get_coordinates(path)[[0, -1]]
    joined = tuple(_joined(ground, end, walls=walls, tree=tree, offered=offered) for end in ends)
    for name, (nodes, _) in zip(("départ", "arrivée"), joined, strict=True):
        if not len(nodes):
            return _refusal(f"son {name} ne rejoint aucun nœud sans franchir une coupure")
    return Link(ends, float(path.length), joined)


def _refusal(reason: str) -> Link:
    return Link(np.full((2, 2), np.nan), np.nan, (), reason)


def _drawn(ground: Ground, shape: shapely.Geometry | None, walls: NDArray[np.object_]) -> shapely.LineString | str:
    """Return a crossing as one line from side to side, or why it cannot be."""
    if shape is None or shape.is_empty:
        return "aucune géométrie"
    if shape.geom_type == "Point":
        return _across(ground, shape, walls)
    path = shapely.line_merge(shape)
    return path if isinstance(path, shapely.LineString) else "la ligne est en plusieurs morceaux"


def _across(ground: Ground, point: shapely.Point, walls: NDArray[np.object_]) -> shapely.LineString | str:
    """Return a short line through the barrier nearest to a point, square to it, or why it cannot be."""
    far = shapely.distance(walls, point)
    wall = walls[int(far.argmin())]
    if far.min() > POINT_TOLERANCE_M:
        return f"à {far.min():.0f} m de la coupure, maximum {POINT_TOLERANCE_M:.0f} m"
    if wall.geom_type != "LineString":
        return "un point ne suffit pas à franchir une surface : dessinez une ligne d’un bord à l’autre"
    (ax, ay), (bx, by) = shapely.get_coordinates(wall)[[0, -1]]
    along = np.array([bx - ax, by - ay]) / max(np.hypot(bx - ax, by - ay), 1e-9)
    foot = shapely.get_coordinates(shapely.line_interpolate_point(wall, shapely.line_locate_point(wall, point)))[0]
    half = ground.cell_m / 2 if ground.kind == "open" else _HALF_LINK_M
    side = half * np.array([-along[1], along[0]])
    return shapely.LineString([foot - side, foot + side])


def _joined(
    ground: Ground, end: NDArray[np.float64], *, walls: Walls, tree: cKDTree | None, offered: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the nodes one end of a crossing joins: the nearest on streets, those around it on open ground."""
    if tree is None:
        return np.zeros(0, np.intp), np.zeros(0)
    wanted, reach = (4, 1.5 * ground.cell_m) if ground.kind == "open" else (1, _STREET_REACH_M)
    far, near = tree.query(end, k=min(16, len(offered)), distance_upper_bound=reach)
    far, near = np.atleast_1d(far), np.atleast_1d(near)
    far, near = far[np.isfinite(far)], near[np.isfinite(far)]
    nodes = offered[near]
    free = ~walls.cut(np.broadcast_to(end, (len(nodes), 2)), ground.xy[nodes])
    nodes, far = nodes[free][:wanted], far[free][:wanted]
    same = far <= _SAME_M
    return (nodes[same][:1], np.zeros(1)) if same.any() else (nodes, far)


def _edges_of(
    found: list[Link], *, first_node: int
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """Return the new nodes, the new edges with their lengths, and the link each belongs to."""
    xy: list[NDArray[np.float64]] = []
    ends: list[tuple[int, int]] = []
    lengths: list[float] = []
    rows: list[int] = []
    for row, link in enumerate(found):
        if link.reason:
            continue
        sides = []
        for end, (nodes, far) in zip(link.ends, link.joined, strict=True):
            if len(nodes) == 1 and far[0] <= _SAME_M:
                sides.append(int(nodes[0]))
                continue
            side = first_node + len(xy)
            xy.append(end)
            sides.append(side)
            ends += [(int(node), side) for node in nodes]
            lengths += far.tolist()
            rows += [row] * len(nodes)
        ends.append((sides[0], sides[1]))
        lengths.append(link.metres)
        rows.append(row)
    shape = (np.array(xy).reshape(-1, 2), np.array(ends, np.int32).reshape(-1, 2))
    return *shape, np.array(lengths, float), np.array(rows, np.int32)
