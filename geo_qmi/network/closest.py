"""Which site is nearest to each node, and how far is it on foot?

Every node of a `Ground` in one pass, by two doors: `nearest_arrays` takes numbers and gives arrays, `nearest` takes the
result of `geo_qmi.network.snap` and gives a table. Lengths are exact in float64 with both engines. It joins no place
to the ground and bounds no catchment: see `geo_qmi.network.reach`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo_qmi.errors import InputError
from geo_qmi.network.ground import ranges
from geo_qmi.network.reach import Starts, arrays_of, kernel, limit_of, rooted, starts
from geo_qmi.wording import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from geo_qmi.network.ground import Ground
    from geo_qmi.network.reach import Engine

#: Width of a bucket in average edge lengths. Measured on grids, on open ground and on lengths of very unequal edges:
#: at two a node is searched 1.1 to 1.6 times and the cache is well used; at seven, up to nine times.
_BUCKET_EDGES = 2.0
#: Nodes from which the compiled kernel is worth loading, which takes a second at first: under it scipy answers in a
#: hundredth of one. Chosen by size alone, so that the same question always has the same engine.
_LARGE_NODES = 40_000
#: Edges that tell the average length well enough for the width of a bucket.
_SAMPLE_EDGES = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest site of every node, as arrays in the order of the nodes.

    Attributes
    ----------
    rank
        Row of the site among those given, −1 when none is reached.
    minutes, metres
        The walk; infinite when no site is reached.
    climb_m
        Metres climbed on that walk; ``None`` where heights are unknown.
    """

    rank: NDArray[np.int32]
    minutes: NDArray[np.float64]
    metres: NDArray[np.float64]
    climb_m: NDArray[np.float64] | None = None


def nearest_arrays(
    ground: Ground,
    nodes: Sequence[int] | NDArray[np.integer],
    *,
    access_m: ArrayLike | None = None,
    minutes: float | None = None,
    towards: bool = True,
    engine: Engine = "auto",
) -> Nearest:
    """Return, for every node, the nearest of some nodes and the way to it: arrays in, arrays out.

    Parameters
    ----------
    nodes
        Node of each site; the first one given is kept among equally near ones.
    access_m
        Straight way from each site to its node, in metres; 0 by default.
    minutes, towards, engine
        As for `nearest`.

    Raises
    ------
    InputError
        No node, an unknown node, or accesses that are not one positive number a node.

    Examples
    --------
    >>> from geo_qmi import network
    >>> street = network.from_edges([(650000 + 100 * i, 6860000) for i in range(4)], [(0, 1), (1, 2), (2, 3)])
    >>> found = network.nearest_arrays(street, street.nodes_given()[[0, 3]])
    >>> found.metres[street.nodes_given()].tolist()
    [0.0, 100.0, 100.0, 0.0]
    """
    from_ = starts(ground, np.asarray(nodes))
    if access_m is not None:
        access = np.asarray(access_m, dtype=np.float64)
        if access.shape != from_.node.shape or not (np.isfinite(access) & (access >= 0)).all():
            raise InputError(
                f"Accès refusés : attendu {number(len(from_.node))} nombres de mètres, 0 ou plus, un par nœud."
            )
        from_ = replace(from_, access_m=access)
    return _found(ground, from_, minutes=minutes, towards=towards, engine=engine)


def nearest(
    ground: Ground,
    sites: pd.DataFrame | Sequence[int],
    *,
    minutes: float | None = None,
    towards: bool = True,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """Return, for every node, the nearest site and the way to it, in one pass.

    Parameters
    ----------
    sites
        Result of `geo_qmi.network.snap`, or node numbers. Refused sites serve nobody.
    minutes
        Longest walk; unlimited by default.
    towards
        Walk from the node to the site (the default) or from the site to the node: they differ on slopes.
    engine
        ``numba`` for the bucket queue, ``scipy``, or by default numba where it is installed and the ground is large.

    Returns
    -------
    DataFrame
        Index: node. ``site`` (index value of `sites`, missing when none is reached; the first in sorted order among
        equally near ones), ``minutes``, ``metres`` and, where heights are known, ``climb_m`` of that walk. Values
        are infinite when no site is reached.
    """
    from_ = _sorted(starts(ground, sites))
    found = _found(ground, from_, minutes=minutes, towards=towards, engine=engine)
    return _table(from_.ids, found, pd.RangeIndex(ground.n_nodes, name="node"))


def reached(ground: Ground, sites: pd.DataFrame | Sequence[int], *, minutes: float, limit: float) -> pd.DataFrame:
    """Return the rows of `nearest`, walked from the sites, within a limit in the units of ``ground.cost``.

    Parameters
    ----------
    minutes
        The same limit as a time, or a little more.
    """
    from_ = _sorted(starts(ground, sites))
    found = _found(ground, from_, minutes=minutes, towards=False, engine="auto")
    node = np.flatnonzero((found.metres if ground.minutes is None else found.minutes) <= limit)
    climb = None if found.climb_m is None else found.climb_m[node]
    rows = Nearest(found.rank[node], found.minutes[node], found.metres[node], climb)
    return _table(from_.ids, rows, pd.Index(node, name="node"))


def _table(ids: pd.Index, found: Nearest, node: pd.Index) -> pd.DataFrame:
    table = {"site": _named(ids, found.rank), "minutes": found.minutes, "metres": found.metres}
    if found.climb_m is not None:
        table["climb_m"] = found.climb_m
    return pd.DataFrame(table, index=node, copy=False)


def minutes_to(ground: Ground, sites: pd.DataFrame | Sequence[int]) -> NDArray[np.float64]:
    """Return the minutes from each node to the nearest site, as `nearest` does, without asking which one it is."""
    from_ = starts(ground, sites)
    offsets = from_.access_m * (ground.cost_a_minute / ground.walk_m_min)
    if ground.minutes is None:
        return _labels(ground, from_.node, offsets, limit=np.inf, engine="auto", ranked=False)[0] / ground.cost_a_minute
    matrix, roots, _ = rooted(csr_array(ground.cost.T.tocsr()), from_.node, offsets)
    return np.asarray(dijkstra(matrix, indices=roots, min_only=True)[: ground.n_nodes] / ground.cost_a_minute)


def _found(ground: Ground, from_: Starts, *, minutes: float | None, towards: bool, engine: Engine) -> Nearest:
    """Return what both doors give."""
    limit = limit_of(ground, minutes)
    offsets = from_.access_m * (ground.cost_a_minute / ground.walk_m_min)
    if ground.minutes is None:
        label, rank = _labels(ground, from_.node, offsets, limit=limit, engine=engine)
        return Nearest(rank, label / ground.cost_a_minute, label)
    return _on_slopes(ground, from_, offsets, limit=limit, towards=towards)


def _sorted(places: Starts) -> Starts:
    """Return the places in the order of their ids, so that equal distances are settled by id and not by row."""
    if isinstance(places.ids, pd.RangeIndex) and places.ids.step > 0:
        return places
    order = np.argsort(np.asarray(places.ids.astype(str) if places.ids.dtype == object else places.ids), kind="stable")
    return Starts(places.ids[order], places.node[order], places.access_m[order])


def _named(ids: pd.Index, rank: NDArray[np.int32]) -> Any:
    """Return the id of each rank, missing where the rank is −1."""
    if pd.api.types.is_integer_dtype(ids.dtype):
        # "clip" is three times faster than brackets, and what stands under −1 is masked.
        return pd.arrays.IntegerArray(ids.to_numpy(dtype=np.int64).take(rank, mode="clip"), rank < 0)
    return ids.array.take(rank, allow_fill=True)


def _labels(
    ground: Ground,
    node: NDArray[np.int32],
    offsets: NDArray[np.float64],
    *,
    limit: float,
    engine: Engine,
    ranked: bool = True,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the metres of every node and the rank of its site, −1 when none, where slopes are not counted.

    Not `ranked`, the rank is that of any of equally near sites.
    """
    cost, n_nodes = ground.metres, ground.n_nodes
    compiled = None if engine == "auto" and n_nodes < _LARGE_NODES else kernel(engine)
    if compiled is not None and cost.nnz:
        sample = cost.data[:: max(1, cost.nnz // _SAMPLE_EDGES)]
        width = max(float(sample.mean()) * _BUCKET_EDGES, 1e-9)
        label, rank = compiled.bucket_nearest(*arrays_of(cost), node, offsets, limit, width, float(cost.data.max()))
        return label, rank
    matrix, roots, ranks = rooted(cost, node, offsets)
    label, _, root = dijkstra(matrix, indices=roots, min_only=True, return_predecessors=True, limit=limit)
    label, root = label[:n_nodes], root[:n_nodes]
    rank = ranks.take(root, mode="wrap")
    rank[root < 0] = -1
    direct = np.flatnonzero(label[node] == offsets)
    np.minimum.at(rank, node[direct], direct.astype(np.int32))
    return label, _first_of_equals(ground, label, rank) if ranked and len(node) > 1 else rank


def _first_of_equals(ground: Ground, label: NDArray[np.float64], rank: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the first of equally near sites for each node: scipy keeps any of them.

    A rank spreads along the edges that are part of a shortest way, from where two sites meet; only the nodes that
    changed pass it on.
    """
    indptr, column, data = arrays_of(ground.metres)
    # "clip" and ``take`` are two or three times faster than brackets; no place is outside.
    first, second = (rank.take(ground.ends[:, side], mode="clip") for side in (0, 1))
    meeting = np.flatnonzero(first != second)
    start, end = ground.ends.take(meeting, axis=0).T
    lower = first.take(meeting) < second.take(meeting)
    source, target = np.where(lower, start, end), np.where(lower, end, start)
    changed = _distinct(source[label.take(source) <= label.take(target)])
    while len(changed):
        begin = indptr.take(changed).astype(np.int64)
        counts = indptr.take(changed + 1) - begin
        place, source = ranges(begin, counts), np.repeat(changed, counts)
        better = np.flatnonzero(rank.take(source) < rank.take(column.take(place)))
        source, place = source.take(better), place.take(better)
        target = column.take(place)
        there = label.take(target)
        tight = (label.take(source) + data.take(place) == there) & (there < np.inf)
        np.minimum.at(rank, target[tight], rank[source[tight]])
        changed = _distinct(target[tight])
    return rank


def _distinct(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the distinct numbers in order; ten times faster than ``numpy.unique`` on a few thousand."""
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=-1) > 0]


def _on_slopes(
    ground: Ground,
    from_: Starts,
    offsets: NDArray[np.float64],
    *,
    limit: float,
    towards: bool,
) -> Nearest:
    """Return the quickest walk of each node where going up and down differ."""
    n_nodes = ground.n_nodes
    cost = csr_array(ground.cost.T.tocsr()) if towards else ground.cost
    matrix, roots, ranks = rooted(cost, from_.node, offsets)
    label, before, root = dijkstra(matrix, indices=roots, min_only=True, return_predecessors=True, limit=limit)
    rank = np.full(n_nodes, -1, np.int32)
    reached = root[:n_nodes] >= 0
    rank[reached] = ranks[root[:n_nodes][reached]]
    step = before[:n_nodes].copy()
    walked = reached & (step >= 0) & (step < n_nodes)
    node = np.flatnonzero(walked)
    metres, climb = np.zeros(n_nodes), np.zeros(n_nodes)
    metres[node] = _lengths_between(ground, step[node], node)
    heights = np.zeros(n_nodes) if ground.heights_m is None else ground.heights_m
    rise = heights[step[node]] - heights[node] if towards else heights[node] - heights[step[node]]
    climb[node] = np.maximum(np.nan_to_num(rise), 0)
    ends = np.flatnonzero(reached & ~walked)
    metres[ends] = from_.access_m[rank[ends]]
    step[~walked] = np.flatnonzero(~walked)
    metres, climb = _along(step, metres), _along(step, climb)
    metres[~reached] = climb[~reached] = np.inf
    return Nearest(rank, label[:n_nodes] / ground.cost_a_minute, metres, climb)


def _lengths_between(ground: Ground, start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the metres of steps from one node to another."""
    return np.asarray(ground.metres.data[ground.steps_between(start, end)], dtype=np.float64)


def _along(step: NDArray[np.int32], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of `values` from each node to the root, doubling the stride at each round."""
    at_root = step == np.arange(len(step))
    total, jump = np.where(at_root, 0.0, values), step
    while True:
        total = total + total[jump]
        further = jump[jump]
        if (further == jump).all():
            return np.asarray(total + np.where(at_root, values, 0.0)[jump], dtype=np.float64)
        jump = further
