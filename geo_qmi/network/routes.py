"""By which way does somebody walk from here to there, and through which crossing?

Follows the shortest or quickest walk of each of a list of pairs, where `geo_qmi.network.reach` only says how long it
is. Made for hundreds of pairs, not for millions.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.sparse.csgraph import dijkstra

from geo_qmi.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.network.ground import Ground

COLUMNS = ["metres", "minutes", "climb_m", "crossing"]
#: How many times the straight way is searched around a start before the whole ground is: most detours are short.
_STRIDES = (4.0, 8.0, 16.0)


def routes(ground: Ground, origins: pd.DataFrame, destinations: pd.DataFrame) -> pd.DataFrame:
    """Return the walk from each origin to the destination of the same row.

    Parameters
    ----------
    origins, destinations
        Results of `geo_qmi.network.snap` on one index.

    Returns
    -------
    DataFrame
        On that index: ``metres`` and ``minutes`` (accesses included; NaN where a place is refused, infinite where
        there is no way), ``climb_m`` (heights of the ground and inventory of the crossing; NaN where neither is known),
        ``crossing`` (identifier of the first declared crossing used, missing when none is).
    """
    if not origins.index.equals(destinations.index):
        raise InputError(
            "Trajets refusés : départs et arrivées doivent porter les mêmes identifiants, dans le même ordre."
        )
    both = np.flatnonzero((origins["node"].notna() & destinations["node"].notna()).to_numpy())
    start = origins["node"].to_numpy(dtype=np.int32, na_value=-1)
    end = destinations["node"].to_numpy(dtype=np.int32, na_value=-1)
    access = (origins["access_m"] + destinations["access_m"]).to_numpy()
    figures = np.full((len(origins), 3), np.nan)
    crossings: list[str | None] = [None] * len(origins)
    for root in np.unique(start[both]):
        rows = both[start[both] == root]
        label, before = _search(ground, int(root), end[rows])
        for row in rows:
            if not np.isfinite(label[end[row]]):
                figures[row, :2] = np.inf
                continue
            metres, climb, crossings[row] = _summary(ground, _path(before, int(end[row])))
            figures[row] = (
                metres + access[row],
                label[end[row]] / ground.cost_a_minute + access[row] / ground.walk_m_min,
                climb,
            )
    frame = pd.DataFrame(figures, index=origins.index, columns=COLUMNS[:3])
    frame["crossing"] = pd.Series(crossings, index=frame.index, dtype="str")
    return frame


def _search(
    ground: Ground, start: int, ends: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:  # fmt: skip
    """Return the labels and the steps back of a search from a node, taken as far as the farthest end that has a way."""
    straight = float(np.hypot(*(ground.xy[ends] - ground.xy[start]).T).max())
    limit = straight * ground.cost_a_minute / ground.walk_m_min
    for reach in (*(limit * stride for stride in _STRIDES), np.inf):
        label, before = dijkstra(ground.cost, indices=start, return_predecessors=True, limit=reach)
        if np.isfinite(label[ends]).all():
            break
    return label, before


def route_line(ground: Ground, start: int, end: int) -> shapely.LineString | None:
    """Return the walk between two nodes as a line to draw, or ``None`` when there is no way."""
    label, before = dijkstra(ground.cost, indices=start, return_predecessors=True)
    if not np.isfinite(label[end]) or start == end:
        return None
    edges = _edges(ground, _path(before, end))
    merged = shapely.line_merge(shapely.multilinestrings(ground.lines(edges)))
    return merged if isinstance(merged, shapely.LineString) else shapely.LineString(ground.xy[_path(before, end)])


def _path(before: NDArray[np.int32], end: int) -> NDArray[np.intp]:
    """Return the nodes of a walk, from its start to its end."""
    path = [end]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return np.array(path[::-1])


def _edges(ground: Ground, path: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the edges of a walk."""
    return ground.edge[ground.steps_between(path[:-1], path[1:])].astype(np.intp)


def _summary(ground: Ground, path: NDArray[np.intp]) -> tuple[float, float, str | None]:
    """Return the length of a walk, what it climbs where that is known, and the first declared crossing it uses."""
    edges = _edges(ground, path)
    used = ground.edges["crossing"].to_numpy()[edges]
    rows = pd.unique(used[used >= 0])
    climb = np.nan
    if ground.heights_m is not None:
        climb = float(np.nansum(np.maximum(np.diff(ground.heights_m[path]), 0)))
    crossing = None
    if len(rows) and ground.links is not None:
        names, climbs = ground.derived("climbs", partial(_climbs, ground.links))
        known = climbs[rows][~np.isnan(climbs[rows])]
        climb = float(np.nansum([climb, known.sum()])) if len(known) else climb
        crossing = str(names[rows[0]])
    return float(ground.edge_metres[edges].sum()), climb, crossing


def _climbs(links: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Return the identifier of each declared crossing, and what it climbs where that is known."""
    climbs = links["climb_m"] if "climb_m" in links else pd.Series(np.nan, index=links.index)
    names = np.asarray(links["crossing_id"], dtype=object)
    return names, np.asarray(climbs.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
