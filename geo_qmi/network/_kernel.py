"""How are the searches compiled, where numba is installed?

Three kernels over the arrays of a CSR matrix, in float64, giving the same distances as scipy's Dijkstra to the last
bit: a bounded search that sums a value, one that lists what it reached, and a bucket queue for the nearest of many
sites. Importing this module raises ``ImportError`` where numba is absent; `geo_qmi.network.reach` then uses scipy.
"""

# ruff: noqa: PLR0913, PLR0917, C901 - a compiled kernel takes its arrays flat and keeps its loops in one place

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]

_numba: Any = importlib.import_module("numba")
_F = TypeVar("_F", bound="Callable[..., Any]")


def _compiled(function: _F) -> _F:
    """Return `function` compiled at its first call, and kept on disk where numba finds a folder to write in."""
    compiled: _F
    try:
        compiled = _numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder to write in: compiled again in each process
        compiled = _numba.njit(nogil=True)(function)
    return compiled


@_compiled
def _push(keys: Floats, nodes: Ints, size: int, key: float, node: int) -> int:
    """Add an entry to a binary heap and return its new size."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if keys[parent] <= key:
            break
        keys[place] = keys[parent]
        nodes[place] = nodes[parent]
        place = parent
    keys[place] = key
    nodes[place] = node
    return size + 1


@_compiled
def _pop(keys: Floats, nodes: Ints, size: int) -> int:
    """Take the first entry off a binary heap (read it before) and return its new size."""
    size -= 1
    key, node = keys[size], nodes[size]
    place = 0
    child = 1
    while child < size:
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[place] = keys[child]
        nodes[place] = nodes[child]
        place = child
        child = 2 * place + 1
    keys[place] = key
    nodes[place] = node
    return size


@_compiled
def _search(
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    source: int,
    start: float,
    limit: float,
    label: Floats,
    reached: Ints,
    keys: Floats,
    nodes: Ints,
) -> int:
    """Search from one node; fill `label` and `reached`, which the caller resets, and return how many were reached."""
    count = 0
    if start > limit:
        return count
    label[source] = start
    reached[0] = source
    count = 1
    size = _push(keys, nodes, 0, start, source)
    while size > 0:
        key, node = keys[0], nodes[0]
        size = _pop(keys, nodes, size)
        if key > label[node]:
            continue
        for place in range(indptr[node], indptr[node + 1]):
            there = key + weights[place]
            other = indices[place]
            if there <= limit and there < label[other]:
                if label[other] == np.inf:
                    reached[count] = other
                    count += 1
                label[other] = there
                size = _push(keys, nodes, size, there, other)
    return count


@_compiled
def totals(
    indptr: Ints, indices: Ints, weights: Floats, sources: Ints, starts: Floats, limit: float, values: Floats
) -> Floats:
    """Return, for each source, the sum of `values` over the nodes within `limit` (in the order they are met)."""
    n_nodes = len(indptr) - 1
    label = np.full(n_nodes, np.inf)
    reached = np.empty(n_nodes, np.int32)
    keys, nodes = np.empty(len(indices) + 1), np.empty(len(indices) + 1, np.int32)
    found = np.empty(len(sources))
    for rank in range(len(sources)):
        count = _search(indptr, indices, weights, sources[rank], starts[rank], limit, label, reached, keys, nodes)
        total = 0.0
        for place in range(count):
            total += values[reached[place]]
            label[reached[place]] = np.inf
        found[rank] = total
    return found


@_compiled
def within(
    indptr: Ints, indices: Ints, weights: Floats, sources: Ints, starts: Floats, limit: float
) -> tuple[NDArray[np.int64], Ints, Floats]:
    """Return the nodes within `limit` of each source and their labels, as the three arrays of a CSR matrix."""
    n_nodes = len(indptr) - 1
    label = np.full(n_nodes, np.inf)
    reached = np.empty(n_nodes, np.int32)
    keys, nodes = np.empty(len(indices) + 1), np.empty(len(indices) + 1, np.int32)
    first = np.zeros(len(sources) + 1, np.int64)
    where, labels = np.empty(1024, np.int32), np.empty(1024)
    total = 0
    for rank in range(len(sources)):
        count = _search(indptr, indices, weights, sources[rank], starts[rank], limit, label, reached, keys, nodes)
        while total + count > len(where):
            where = np.concatenate((where, np.empty_like(where)))
            labels = np.concatenate((labels, np.empty_like(labels)))
        for place in range(count):
            node = reached[place]
            where[total + place] = node
            labels[total + place] = label[node]
            label[node] = np.inf
        total += count
        first[rank + 1] = total
    return first, where[:total], labels[:total]


@_compiled
def bucket_nearest(
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    sources: Ints,
    starts: Floats,
    limit: float,
    width: float,
    longest: float,
) -> tuple[Floats, Ints]:
    """Return the label of every node and the source it comes from, the first of equally near ones.

    Nodes wait in buckets `width` wide, a ring of them as long as the longest edge. A node improved while its bucket is
    being emptied goes back into it, so labels are exact whatever the width, which only changes the speed. A bucket is a
    doubly linked list through the nodes, the last come served first: neighbours are then searched one after the other
    while they are in the cache of the machine, which is worth more than the order within a bucket.
    """
    n_nodes = len(indptr) - 1
    label, origin = np.full(n_nodes, np.inf), np.full(n_nodes, -1, np.int32)
    # What follows a node in its bucket: another node, −1 at the end of the list, −2 for a node that is in none.
    following, before = np.full(n_nodes, -2, np.int32), np.empty(n_nodes, np.int32)
    n_buckets = 4
    while n_buckets < max(longest, starts.max()) / width + 3:
        n_buckets *= 2
    head = np.full(n_buckets, -1, np.int32)
    per_bucket = 1.0 / width
    waiting = _fill(sources, starts, limit, per_bucket, label, origin, head, following, before)
    _empty(indptr, indices, weights, limit, per_bucket, waiting, label, origin, head, following, before)
    return label, origin


@_compiled
def _fill(
    sources: Ints,
    starts: Floats,
    limit: float,
    per_bucket: float,
    label: Floats,
    origin: Ints,
    head: Ints,
    following: Ints,
    before: Ints,
) -> int:
    """Put the sources in their buckets and return how many nodes wait there."""
    for rank in range(len(sources)):
        node, start = sources[rank], starts[rank]
        if start <= limit and start < label[node]:
            label[node] = start
            origin[node] = rank
    waiting = 0
    for rank in range(len(sources)):
        node = sources[rank]
        if origin[node] == rank:
            bucket = np.int64(label[node] * per_bucket) & (len(head) - 1)
            first = head[bucket]
            following[node], before[node] = first, -1
            if first >= 0:
                before[first] = node
            head[bucket] = node
            waiting += 1
    return waiting


@_compiled
def _empty(
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    limit: float,
    per_bucket: float,
    waiting: int,
    label: Floats,
    origin: Ints,
    head: Ints,
    following: Ints,
    before: Ints,
) -> None:
    """Search from the nodes that wait, bucket after bucket, until none does.

    Places are unsigned: numba tests a signed one for being negative each time, a fifth of the whole search. Taking a
    node out of its list and putting it in another stay written here: a call would count references to four arrays.
    """
    ring = np.uint64(len(head) - 1)
    current = np.uint64(0)
    while waiting > 0:
        if head[current & ring] < 0:
            current += np.uint64(1)
            continue
        node = np.uint32(head[current & ring])
        after = following[node]
        head[current & ring] = after
        if after >= 0:
            before[np.uint32(after)] = -1
        following[node] = -2
        waiting -= 1
        here, source = label[node], origin[node]
        for place in range(indptr[node], indptr[node + np.uint32(1)]):
            other = np.uint32(indices[np.uint32(place)])
            there, known = here + weights[np.uint32(place)], label[other]
            if there > known or there > limit or (there == known and source >= origin[other]):
                continue
            label[other], origin[other] = there, source
            bucket, after = np.uint64(there * per_bucket) & ring, following[other]
            if after == -2:
                waiting += 1
            else:
                left = np.uint64(known * per_bucket) & ring
                if left == bucket:
                    continue
                ahead = before[other]
                if ahead >= 0:
                    following[np.uint32(ahead)] = after
                else:
                    head[left] = after
                if after >= 0:
                    before[np.uint32(after)] = ahead
            first = head[bucket]
            following[other], before[other] = first, -1
            if first >= 0:
                before[np.uint32(first)] = other
            head[bucket] = other
