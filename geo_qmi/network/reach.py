"""What can be reached on foot, from where, and how far is the nearest place?

Bounded catchments, the nearest site of every node in one pass, and distances between two sets of places, over any
`Ground`. Lengths are exact in float64: the compiled kernels (numba, optional) and scipy give the same distances to
the last bit. Places come as the result of `geo_qmi.network.snap`: the straight access to the ground is counted, and a
refused place is never given a distance. Nothing is drawn here, see `geo_qmi.network.catchment`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo_qmi.errors import InputError, shown
from geo_qmi.network.speeds import walking_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from geo_qmi.network.ground import Ground

Engine = Literal["auto", "numba", "scipy"]
Unit = Literal["metres", "minutes"]

#: Sources searched on one part of the ground by scipy: near ones share the cost of cutting it out.
_BATCH = 64
#: Distances scipy holds at once, 160 MB.
_BLOCK_CELLS = 2e7
#: Width of a bucket in average edge lengths. Measured on grids, on open ground and on lengths of very unequal edges:
#: at two a node is searched 1.1 to 1.6 times and the cache is well used; at seven, up to nine times.
_BUCKET_EDGES = 2.0


@dataclass(frozen=True, slots=True)
class Starts:
    """Places joined to the ground: what a search starts from.

    Attributes
    ----------
    ids
        Index of the placed rows.
    node, access_m
        Where each joins, and the straight way there.
    """

    ids: pd.Index
    node: NDArray[np.int32]
    access_m: NDArray[np.float64]


def starts(ground: Ground, places: pd.DataFrame | Sequence[int] | NDArray[np.integer]) -> Starts:
    """Return the placed rows of a snap, or nodes given by number, as what a search starts from.

    Raises
    ------
    InputError
        No place is joined to the ground, or a node does not exist.
    """
    if isinstance(places, pd.DataFrame):
        placed = places[places["node"].notna()]
        ids, node = placed.index, placed["node"].to_numpy(dtype=np.int32)
        access = placed["access_m"].to_numpy(dtype=np.float64)
        if not len(placed) and len(places):
            why = places["reason"].iloc[0]
            raise InputError(f"Aucun des {len(places)} lieux n’est raccordé au terrain de marche ({shown(why)}).")
    else:
        node = np.asarray(places, dtype=np.int32).reshape(-1)
        ids, access = pd.RangeIndex(len(node)), np.zeros(len(node))
    if not len(node):
        raise InputError("Aucun lieu de départ : donnez au moins un lieu ou un nœud.")
    if (node < 0).any() or (node >= ground.n_nodes).any():
        raise InputError(f"Nœud de départ inconnu : le terrain en compte {ground.n_nodes}, numérotés à partir de 0.")
    return Starts(ids, node, access)


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
        ``numba`` for the bucket queue, ``scipy``, or the first of the two that is installed.

    Returns
    -------
    DataFrame
        Index: node. ``site`` (index value of `sites`, missing when none is reached; the first in sorted order among
        equally near ones), ``minutes``, ``metres`` and, where heights are known, ``climb_m`` of that walk. Values
        are infinite when no site is reached.
    """
    from_ = _sorted(starts(ground, sites))
    limit = limit_of(ground, minutes)
    turned = towards and ground.minutes is not None
    cost = csr_array(ground.cost.T.tocsr()) if turned else ground.cost
    offsets = from_.access_m * (ground.cost_a_minute / ground.walk_m_min)
    if ground.minutes is None:
        label, origin = _nearest(cost, from_.node, offsets, limit=limit, engine=engine)
        metres, climb = label, None
    else:
        label, origin, metres, climb = _nearest_on_slopes(ground, cost, from_, offsets, limit=limit, turned=turned)
    found = {"site": _named(from_.ids, origin), "minutes": label / ground.cost_a_minute, "metres": metres}
    if climb is not None:
        found["climb_m"] = climb
    return pd.DataFrame(found, index=pd.RangeIndex(len(label), name="node"), copy=False)


def distances(
    ground: Ground,
    origins: pd.DataFrame | Sequence[int],
    destinations: pd.DataFrame | Sequence[int],
    *,
    minutes: float | None = None,
    unit: Unit = "metres",
) -> pd.DataFrame:
    """Return the length or time of the walk between every origin and every destination.

    Parameters
    ----------
    origins, destinations
        Results of `geo_qmi.network.snap`, or node numbers. The search runs from the smaller side.
    minutes
        Longest walk searched, on the flat; unlimited by default.
    unit
        What is minimised and returned. They choose the same way unless slopes are known.

    Returns
    -------
    DataFrame
        Origins × destinations, on the two indexes given: NaN where a place is refused, infinite where no way exists
        within the limit.
    """
    left, right = starts(ground, origins), starts(ground, destinations)
    matrix = ground.metres if unit == "metres" or ground.minutes is None else ground.cost
    per_minute = ground.walk_m_min if matrix is ground.metres else 1.0
    limit = np.inf if minutes is None else limit_of(ground, minutes) * per_minute / ground.cost_a_minute
    scale = per_minute / ground.walk_m_min
    if len(left.node) <= len(right.node):
        found = _rows(matrix, left.node, right.node, limit=limit)
    else:
        found = _rows(csr_array(matrix.T.tocsr()), right.node, left.node, limit=limit).T
    found = found + scale * (left.access_m[:, None] + right.access_m[None, :])
    found[found > limit] = np.inf
    if unit == "minutes" and matrix is ground.metres:
        found = found / ground.walk_m_min
    frame = pd.DataFrame(found, index=left.ids, columns=right.ids)
    return frame.reindex(index=_index(origins, left), columns=_index(destinations, right))


def within(
    ground: Ground, sources: pd.DataFrame | Sequence[int], *, minutes: float, engine: Engine = "auto"
) -> csr_array:
    """Return the nodes within a walk of each of many sources.

    Returns
    -------
    csr_array
        Placed sources × nodes; stored values are metres on the flat, minutes where slopes are known (a source stores
        0 for its own node).
    """
    from_ = starts(ground, sources)
    limit = limit_of(ground, minutes)
    offsets = from_.access_m * (ground.cost_a_minute / ground.walk_m_min)
    order = np.argsort(from_.node, kind="stable")
    compiled = kernel(engine)
    if compiled is not None:
        first, where, label = compiled.within(*_arrays(ground.cost), from_.node[order], offsets[order], limit)
    else:
        first, where, label = _within_scipy(ground, from_.node[order], offsets[order], limit=limit)
    found = csr_array((label, where, first), shape=(len(order), ground.n_nodes))
    found.sort_indices()
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return csr_array(found[back]) if (np.diff(order) < 0).any() else found


def served(
    ground: Ground,
    sources: pd.DataFrame | Sequence[int],
    values: ArrayLike,
    *,
    minutes: float,
    engine: Engine = "auto",
) -> pd.Series[float]:
    """Return what each of many sources has within a walk: the sum of a value of the nodes.

    Parameters
    ----------
    values
        One number a node, people for instance. Sums of whole numbers are exact with both engines; sums of fractions
        may differ in the last digits, because the nodes are not added in the same order.

    Returns
    -------
    Series
        On the placed rows of `sources`.
    """
    from_ = starts(ground, sources)
    weights = np.asarray(values, dtype=np.float64)
    if weights.shape != (ground.n_nodes,):
        raise InputError(f"Valeurs refusées : {weights.size} pour {ground.n_nodes} nœuds ; attendu une par nœud.")
    limit = limit_of(ground, minutes)
    offsets = from_.access_m * (ground.cost_a_minute / ground.walk_m_min)
    order = np.argsort(from_.node, kind="stable")
    compiled = kernel(engine)
    if compiled is not None:
        total = compiled.totals(*_arrays(ground.cost), from_.node[order], offsets[order], limit, weights)
    else:
        first, where, _ = _within_scipy(ground, from_.node[order], offsets[order], limit=limit)
        total = np.add.reduceat(np.append(weights[where], 0.0), first[:-1]) if len(where) else np.zeros(len(order))
        total[np.diff(first) == 0] = 0.0
    back = np.empty(len(order))
    back[order] = total
    return pd.Series(back, index=from_.ids, name="served")


def limit_of(ground: Ground, minutes: float | None) -> float:
    """Return a walking time as a limit in the units of ``ground.cost``.

    Raises
    ------
    InputError
        The time is not a positive number.
    """
    if minutes is None:
        return float(np.inf)
    return float(walking_time(minutes) * ground.cost_a_minute)


def kernel(engine: Engine) -> Any:
    """Return the compiled kernels, or ``None`` for scipy.

    Raises
    ------
    InputError
        ``numba`` is asked for and not installed.
    """
    if engine == "scipy":
        return None
    try:
        return importlib.import_module("geo_qmi.network._kernel")
    except ImportError:
        if engine == "auto":
            return None
        raise InputError("Moteur « numba » absent : installez-le avec pip install 'geo-qmi[fast]'.") from None


def _sorted(places: Starts) -> Starts:
    """Return the places in the order of their ids, so that equal distances are settled by id and not by row."""
    order = np.argsort(np.asarray(places.ids.astype(str) if places.ids.dtype == object else places.ids), kind="stable")
    return Starts(places.ids[order], places.node[order], places.access_m[order])


def _named(ids: pd.Index, origin: NDArray[np.int32]) -> Any:
    """Return the id of each rank, missing where the rank is −1."""
    if pd.api.types.is_integer_dtype(ids.dtype):
        return pd.arrays.IntegerArray(ids.to_numpy(dtype=np.int64)[origin], origin < 0)
    return ids.array.take(origin, allow_fill=True)


def _index(places: pd.DataFrame | Sequence[int], joined: Starts) -> pd.Index:
    """Return the index asked for, refused places included."""
    return places.index if isinstance(places, pd.DataFrame) else joined.ids


def _arrays(matrix: csr_array) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Return the three arrays of a matrix as the kernels take them."""
    return matrix.indptr.astype(np.int32, copy=False), matrix.indices.astype(np.int32, copy=False), matrix.data


def _nearest(
    cost: csr_array, node: NDArray[np.int32], offsets: NDArray[np.float64], *, limit: float, engine: Engine
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the label of every node and the rank of its site, −1 when none."""
    compiled = kernel(engine)
    if compiled is not None and cost.nnz:
        width = max(float(cost.data.mean()) * _BUCKET_EDGES, 1e-9)
        label, origin = compiled.bucket_nearest(*_arrays(cost), node, offsets, limit, width, float(cost.data.max()))
        return label, origin
    matrix, roots, rank = _rooted(cost, node, offsets)
    label, _, root = dijkstra(matrix, indices=roots, min_only=True, return_predecessors=True, limit=limit)
    n_nodes = cost.shape[0]
    label, root = label[:n_nodes], root[:n_nodes]
    origin = np.where(root >= 0, rank.take(root, mode="clip"), np.int32(-1))
    direct = np.flatnonzero(label[node] == offsets)
    np.minimum.at(origin, node[direct], direct.astype(np.int32))
    return label, _first_of_equals(cost, label, origin)


def _rooted(
    cost: csr_array, node: NDArray[np.int32], offsets: NDArray[np.float64]
) -> tuple[csr_array, NDArray[np.int32], NDArray[np.int32]]:
    """Return the matrix with a root added before each site that has an access, the roots, and their rank by node."""
    n_nodes = cost.shape[0]
    if not offsets.any():
        rank = np.full(n_nodes, -1, np.int32)
        rank[node[::-1]] = np.arange(len(node), dtype=np.int32)[::-1]
        return cost, node, rank
    size = n_nodes + len(node)
    indptr = np.concatenate([cost.indptr, cost.indptr[-1] + 1 + np.arange(len(node), dtype=cost.indptr.dtype)])
    matrix = csr_array(
        (np.concatenate([cost.data, offsets]), np.concatenate([cost.indices, node]), indptr), shape=(size, size)
    )
    rank = np.full(size, -1, np.int32)
    rank[n_nodes:] = np.arange(len(node))
    return matrix, np.arange(n_nodes, size, dtype=np.int32), rank


def _first_of_equals(cost: csr_array, label: NDArray[np.float64], origin: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the first of equally near sites for each node: scipy keeps any of them.

    The rank of a site spreads along the edges that are part of a shortest way; only the nodes that changed pass it on.
    """
    column, data = cost.indices, cost.data
    row = cost.tocoo(copy=False).coords[0]
    # "clip" is three times faster than brackets, and no place is outside.
    better = np.flatnonzero(origin.take(row, mode="clip") < origin.take(column, mode="clip"))
    source, target = row[better], column[better]
    tight = (label[source] + data[better] == label[target]) & np.isfinite(label[target])
    source, target = source[tight], target[tight]
    while len(target):
        changed = np.unique(target)
        np.minimum.at(origin, target, origin[source])
        counts = np.diff(cost.indptr)[changed].astype(np.int64)
        place = np.repeat(cost.indptr[changed] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        place = place + np.arange(counts.sum())
        source = np.repeat(changed, counts)
        target = column[place]
        useful = (origin[source] < origin[target]) & (label[source] + data[place] == label[target])
        source, target = source[useful], target[useful]
    return origin


def _nearest_on_slopes(
    ground: Ground,
    cost: csr_array,
    from_: Starts,
    offsets: NDArray[np.float64],
    *,
    limit: float,
    turned: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return label, rank of the site, metres and climb of the quickest walk of each node."""
    n_nodes = ground.n_nodes
    matrix, roots, rank = _rooted(cost, from_.node, offsets)
    label, before, root = dijkstra(matrix, indices=roots, min_only=True, return_predecessors=True, limit=limit)
    origin = np.full(n_nodes, -1, np.int32)
    reached = root[:n_nodes] >= 0
    origin[reached] = rank[root[:n_nodes][reached]]
    step = before[:n_nodes].copy()
    walked = reached & (step >= 0) & (step < n_nodes)
    node = np.flatnonzero(walked)
    metres, climb = np.zeros(n_nodes), np.zeros(n_nodes)
    metres[node] = _lengths_between(ground.metres, step[node], node)
    heights = np.zeros(n_nodes) if ground.heights_m is None else ground.heights_m
    rise = heights[step[node]] - heights[node] if turned else heights[node] - heights[step[node]]
    climb[node] = np.maximum(np.nan_to_num(rise), 0)
    ends = np.flatnonzero(reached & ~walked)
    metres[ends] = from_.access_m[origin[ends]]
    step[~walked] = np.flatnonzero(~walked)
    metres, climb = _along(step, metres), _along(step, climb)
    metres[~reached] = climb[~reached] = np.inf
    return label[:n_nodes], origin, metres, climb


def _lengths_between(matrix: csr_array, start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the stored values of a matrix at given places."""
    n_nodes = matrix.shape[0]
    row = np.repeat(np.arange(n_nodes, dtype=np.int64), np.diff(matrix.indptr))
    keys = row * n_nodes + matrix.indices
    return np.asarray(matrix.data[np.searchsorted(keys, start.astype(np.int64) * n_nodes + end)], dtype=np.float64)


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


def _rows(
    matrix: csr_array, sources: NDArray[np.int32], targets: NDArray[np.int32], *, limit: float
) -> NDArray[np.float64]:
    """Return the labels of `targets` from each of `sources`, a batch of rows at a time."""
    return np.array([row[targets] for row in _blocks(matrix, sources, limit=limit)])


def _within_scipy(
    ground: Ground, sources: NDArray[np.int32], offsets: NDArray[np.float64], *, limit: float
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Do what the compiled ``within`` does, with scipy on the part of the ground near each batch of sources."""
    cost = ground.cost
    counts, where, labels = [0], [], []
    reach_m = _reach_m(ground, limit)
    sides = (np.ascontiguousarray(ground.xy[:, 0]), np.ascontiguousarray(ground.xy[:, 1]))
    for first in range(0, len(sources), _BATCH):
        batch = slice(first, first + _BATCH)
        near = _near(sides, sources[batch], reach_m)
        part = cost if near is None else _part_of(cost, near)
        local = sources[batch] if near is None else np.searchsorted(near, sources[batch]).astype(np.int32)
        matrix, roots, _ = _rooted(part, local, offsets[batch])
        for row in _blocks(matrix, roots, limit=limit):
            reached = np.flatnonzero(row[: part.shape[0]] <= limit)
            counts.append(len(reached))
            where.append((reached if near is None else near[reached]).astype(np.int32))
            labels.append(row[reached])
    return np.cumsum(counts), np.concatenate(where), np.concatenate(labels)


def _blocks(matrix: csr_array, roots: NDArray[np.int32], *, limit: float) -> Iterator[NDArray[np.float64]]:
    """Yield the labels of all nodes from each root, computed a few rows at a time to bound the memory."""
    rows = max(1, min(_BATCH, int(_BLOCK_CELLS // max(matrix.shape[0], 1))))
    for first in range(0, len(roots), rows):
        yield from dijkstra(matrix, indices=roots[first : first + rows], limit=limit)


def _reach_m(ground: Ground, limit: float) -> float:
    """Return the farthest a limit can lead as the crow flies; infinite when an edge is shorter than straight."""
    straight = np.hypot(*(ground.xy[ground.ends[:, 0]] - ground.xy[ground.ends[:, 1]]).T)
    ratio = float(np.min(ground.edge_metres / np.maximum(straight, 1e-9), initial=1.0))
    if ratio < 1 - 1e-9:
        return np.inf
    fastest = 1.0 if ground.minutes is None else 1.2 * ground.walk_m_min
    return limit * fastest * (1 + 1e-6)


def _near(
    xy: tuple[NDArray[np.float64], NDArray[np.float64]], sources: NDArray[np.int32], reach_m: float
) -> NDArray[np.int32] | None:
    """Return the nodes in the box around a batch of sources, or ``None`` for all."""
    if not np.isfinite(reach_m):
        return None
    inside = np.ones(len(xy[0]), dtype=bool)
    for side in xy:
        inside &= (side >= side[sources].min() - reach_m) & (side <= side[sources].max() + reach_m)
    near = np.flatnonzero(inside).astype(np.int32)
    return None if len(near) > 0.8 * len(inside) else near


def _part_of(matrix: csr_array, near: NDArray[np.int32]) -> csr_array:
    """Return the rows and columns `near` of a matrix; cheaper than two slices where they are few."""
    rows = csr_array(matrix[near])
    column = np.minimum(np.searchsorted(near, rows.indices), len(near) - 1).astype(np.int32)
    kept = near[column] == rows.indices
    indptr = np.concatenate([[0], np.cumsum(kept)])[rows.indptr].astype(np.int32)
    return csr_array((rows.data[kept], column[kept], indptr), shape=(len(near), len(near)))
