"""What can be reached on foot, from where, and how far are places from one another?

Bounded catchments and distances between two sets of places, over any `Ground`. Lengths are exact in float64: the
compiled kernels (numba, optional) and scipy give the same distances to the last bit. Places come as the result of
`geo_qmi.network.snap`: the straight access to the ground is counted, and a refused place is never given a distance.
The nearest of many sites is in `geo_qmi.network.closest`; nothing is drawn here, see `geo_qmi.network.catchment`.
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
from geo_qmi.wording import number

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
            raise InputError(
                f"Aucun des {number(len(places))} lieux n’est raccordé au terrain de marche ({shown(why)})."
            )
    else:
        node = np.asarray(places, dtype=np.int32).reshape(-1)
        ids, access = pd.RangeIndex(len(node)), np.zeros(len(node))
    if not len(node):
        raise InputError("Aucun lieu de départ : donnez au moins un lieu ou un nœud.")
    if (node < 0).any() or (node >= ground.n_nodes).any():
        raise InputError(
            f"Nœud de départ inconnu : le terrain en compte {number(ground.n_nodes)}, numérotés à partir de 0."
        )
    return Starts(ids, node, access)


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
        back = matrix if matrix is ground.metres else csr_array(matrix.T.tocsr())  # as long both ways but on slopes
        found = _rows(back, right.node, left.node, limit=limit).T
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
        first, where, label = compiled.within(*arrays_of(ground.cost), from_.node[order], offsets[order], limit)
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
        raise InputError(
            f"Valeurs refusées : {number(weights.size)} pour {number(ground.n_nodes)} nœuds ; attendu une par nœud."
        )
    limit = limit_of(ground, minutes)
    offsets = from_.access_m * (ground.cost_a_minute / ground.walk_m_min)
    order = np.argsort(from_.node, kind="stable")
    compiled = kernel(engine)
    if compiled is not None:
        total = compiled.totals(*arrays_of(ground.cost), from_.node[order], offsets[order], limit, weights)
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


def _index(places: pd.DataFrame | Sequence[int], joined: Starts) -> pd.Index:
    """Return the index asked for, refused places included."""
    return places.index if isinstance(places, pd.DataFrame) else joined.ids


def arrays_of(matrix: csr_array) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Return the three arrays of a matrix as the kernels take them."""
    return matrix.indptr.astype(np.int32, copy=False), matrix.indices.astype(np.int32, copy=False), matrix.data


def rooted(
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
        matrix, roots, _ = rooted(part, local, offsets[batch])
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
