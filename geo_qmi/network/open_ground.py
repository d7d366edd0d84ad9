"""Where can one walk when no street is known, only what stops a walker?

A fine grid over a perimeter and its surroundings, from which everything that meets a barrier is taken out; declared
crossings are opened afterwards. Distances are those of somebody free to walk anywhere but through the barriers:
a lower bound of the real walk, and the label says so. It knows no street, building or garden wall.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely

from geo_qmi.errors import CrsError, InputError, LimitError, shown
from geo_qmi.geo import require_metres
from geo_qmi.network.crossings import open_crossings
from geo_qmi.network.ground import from_edges
from geo_qmi.network.snapping import Walls
from geo_qmi.network.speeds import WALK_KMH
from geo_qmi.wording import agreed, counted, number

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo_qmi.network.ground import Ground

#: Steps to neighbours, half of them (the others are the same edges walked back). With 16 directions a straight walk
#: is at most 2.8 % too long (8.2 % with 8, 41 % with 4), see ``docs/methods/network.md``.
_STEPS = {
    4: ((1, 0), (0, 1)),
    8: ((1, 0), (0, 1), (1, 1), (1, -1)),
    16: ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2)),
}
#: 20 m: half a street block's width, and less than the precision of a digitised track on both sides of it.
CELL_M = 20.0
_MOST_CELLS = 4_000_000


def open_ground(
    perimeter: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    barriers: gpd.GeoDataFrame | None = None,
    crossings: gpd.GeoDataFrame | None = None,
    buffer_m: float = 0.0,
    cell_m: float = CELL_M,
    neighbours: Literal[4, 8, 16] = 16,
    walk_kmh: float = WALK_KMH,
) -> Ground:
    """Return open ground with barriers around a perimeter.

    Parameters
    ----------
    perimeter
        Areas in EPSG:2154.
    barriers
        Lines and areas that cannot be walked through; those of another level than 0 do not count.
    crossings
        Declared crossings, see `geo_qmi.network.open_crossings`.
    buffer_m
        Ground added around the perimeter, see `geo_qmi.network.study_buffer_m`.
    cell_m
        Grid step. Nodes stand at whole multiples of it, so that two perimeters share their nodes.
    neighbours
        Directions of the steps.
    walk_kmh
        Walking speed.

    Raises
    ------
    CrsError
        A layer is not in Lambert-93.
    InputError
        The perimeter is empty, or a parameter is out of range.
    LimitError
        More than four million cells.
    """
    for layer, what in ((perimeter, "le périmètre"), (barriers, "les coupures"), (crossings, "les franchissements")):
        if layer is not None:
            require_metres(layer, what=what)
    if neighbours not in _STEPS or not cell_m > 0 or not buffer_m >= 0:
        raise InputError(
            f"Terrain ouvert refusé : maille {shown(cell_m)} m, marge {shown(buffer_m)} m, {shown(neighbours)} "
            "voisins ; attendu une maille positive, une marge de 0 ou plus et 4, 8 ou 16 voisins."
        )
    nodes, place, shape = _grid(perimeter, buffer_m=buffer_m, cell_m=cell_m)
    walls = Walls(barriers)
    near = _near_walls(nodes, walls, reach_m=cell_m * 2.3)
    free = _off_the_walls(nodes, walls, near)
    stopped = int((~free).sum())
    nodes, place, near = nodes[free], place[free], near[free]
    ends = _steps(place, shape, neighbours)
    if near.any():
        doubtful = np.flatnonzero(near[ends[:, 0]] | near[ends[:, 1]])
        kept = np.ones(len(ends), dtype=bool)
        kept[doubtful] = ~walls.cut(nodes[ends[doubtful, 0]], nodes[ends[doubtful, 1]])
        ends = ends[kept]
    label = f"terrain ouvert avec coupures (maille de {cell_m:g} m), sans les rues"
    ground = from_edges(nodes, ends, kind="open", label=label, walk_kmh=walk_kmh)
    notes = (*ground.notes, *_notes(ground, stopped, barriers, walls))
    ground = replace(ground, barriers=barriers, cell_m=float(cell_m), notes=notes)
    return ground if crossings is None else open_crossings(ground, crossings)


def _grid(
    perimeter: gpd.GeoDataFrame | gpd.GeoSeries, *, buffer_m: float, cell_m: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[int, int]]:
    """Return the nodes inside the region, their place in the grid (column × rows + row) and the size of the grid."""
    shapes = perimeter.geometry.dropna()
    region = shapely.buffer(shapely.union_all(shapes.to_numpy()), buffer_m) if buffer_m else shapes.union_all()
    if region.is_empty or not region.area:
        raise InputError("Terrain ouvert refusé : le périmètre est vide ou sans surface. Donnez un polygone.")
    if max(map(abs, region.bounds)) <= 180:
        raise CrsError(
            "Terrain ouvert refusé : les coordonnées du périmètre ressemblent à des degrés ; attendu des mètres en "
            "EPSG:2154 (Lambert-93). Déclarez le vrai système, puis reprojetez avec geo_qmi.to_metres."
        )
    low = np.ceil(np.array(region.bounds[:2]) / cell_m).astype(np.int64)
    high = np.floor(np.array(region.bounds[2:]) / cell_m).astype(np.int64)
    columns, rows = (int(size) for size in np.maximum(high - low + 1, 0))
    if columns * rows > _MOST_CELLS:
        raise LimitError(
            f"Terrain ouvert refusé : {number(columns * rows)} cellules, maximum {number(_MOST_CELLS)}. Réduisez la "
            f"durée de marche, donc la marge ({number(buffer_m)} m), ou élargissez la maille ({number(cell_m)} m)."
        )
    x = (low[0] + np.repeat(np.arange(columns), rows)) * float(cell_m)
    y = (low[1] + np.tile(np.arange(rows), columns)) * float(cell_m)
    shapely.prepare(region)
    place = np.flatnonzero(shapely.intersects_xy(region, x, y))
    if not len(place):
        raise InputError(f"Terrain ouvert refusé : maille de {cell_m:g} m plus grande que le périmètre.")
    return np.column_stack([x, y])[place], place, (columns, rows)


def _near_walls(nodes: NDArray[np.float64], walls: Walls, *, reach_m: float) -> NDArray[np.bool_]:
    """Tell which nodes may be close enough to a barrier for one of their edges to cross it: all that are, few others.

    The outline around the barriers has straight sides, up to 2 % nearer than asked: it is drawn 5 % wider.
    """
    if not len(walls.shapes):
        return np.zeros(len(nodes), dtype=bool)
    around = shapely.union_all(shapely.buffer(walls.shapes, reach_m * 1.05, quad_segs=4))
    shapely.prepare(around)
    return np.asarray(shapely.intersects_xy(around, *nodes.T), dtype=np.bool_)


def _off_the_walls(nodes: NDArray[np.float64], walls: Walls, near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which nodes stand on no barrier; only those near one are looked at."""
    free = np.ones(len(nodes), dtype=bool)
    tested = np.flatnonzero(near)
    if len(tested):
        free[tested[walls.tree.query(shapely.points(nodes[tested]), predicate="intersects")[0]]] = False
    if not free.any():
        raise InputError("Terrain ouvert refusé : tout le périmètre est dans l’emprise d’une coupure.")
    return free


def _steps(place: NDArray[np.int64], shape: tuple[int, int], neighbours: int) -> NDArray[np.int64]:
    """Return the edges between nodes one step apart."""
    columns, rows = shape
    number = np.full(columns * rows, -1, np.int64)
    number[place] = np.arange(len(place))
    grid = number.reshape(columns, rows)
    pairs = []
    for dx, dy in _STEPS[neighbours]:
        here = grid[: columns - dx, max(0, -dy) : rows - max(0, dy)]
        there = grid[dx:, max(0, dy) : rows + min(0, dy)]
        both = (here >= 0) & (there >= 0)
        pairs.append(np.column_stack([here[both], there[both]]))
    return np.concatenate(pairs)


def _notes(ground: Ground, stopped: int, barriers: gpd.GeoDataFrame | None, walls: Walls) -> list[str]:
    """Return what to know about the ground, in French."""
    words = "point de la grille"
    removed = f"{counted(stopped, words)} dans l’emprise d’une coupure : {agreed(stopped, 'retiré')}."
    notes = [removed] if stopped else []
    elsewhere = 0 if barriers is None else len(barriers) - len(set(walls.ids))
    if elsewhere:
        notes.append(f"{counted(elsewhere, 'coupure vide')} ou d’un autre niveau que le sol : sans effet ici.")
    apart = ground.n_nodes - int(ground.islands().max())
    if apart:
        notes.append(
            f"{counted(apart, words)} hors de la plus grande partie du terrain, tant que rien ne franchit les coupures."
        )
    return notes
