"""Is the walking network fast enough, against the bare kernels it stands on?

Perturbed grids (about 2.9 edges a node, 55 m an edge, as in a town) are searched by geo-qmi, by scipy alone, by
networkx and by a C++ binary-heap Dijkstra compiled here. Each line prints a ratio to the named reference of the same
run, and whether the answers are equal. Run: ``python benchmarks/network.py [50k 500k 1500k]``.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
from scipy.sparse.csgraph import dijkstra

from geo_qmi import network

SIZES = {"50k": 50_000, "500k": 500_000, "1500k": 1_500_000}
SITES, SOURCES, NETWORKX_SOURCES = 1000, 10_000, 50
#: Larger graphs need gigabytes and a minute in networkx.
NETWORKX_NODES = 600_000
MINUTES = 15.0
#: What the search of the nearest site may take, of scipy's bare search: by engine, with a bucket queue or without.
BOUNDS = {"bucket queue": "≤ 0.33", "no numba": "≤ 1.2"}

CPP = r"""
#include <algorithm>
#include <limits>
#include <queue>
#include <utility>
#include <vector>
// Reference: textbook Dijkstra with a binary heap and lazy deletion, labels reset by the list of touched nodes.
extern "C" void totals(int n, const int* indptr, const int* indices, const double* w, int k, const int* sources,
                       double limit, const double* values, double* out) {
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<double> label(n, inf);
  std::vector<int> touched;
  typedef std::pair<double, int> Entry;
  std::vector<Entry> heap;
  for (int s = 0; s < k; ++s) {
    touched.clear(); heap.clear();
    label[sources[s]] = 0; touched.push_back(sources[s]); heap.push_back(Entry(0.0, sources[s]));
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), std::greater<Entry>());
      Entry e = heap.back(); heap.pop_back();
      if (e.first > label[e.second]) continue;
      for (int p = indptr[e.second]; p < indptr[e.second + 1]; ++p) {
        double d = e.first + w[p]; int v = indices[p];
        if (d <= limit && d < label[v]) {
          if (label[v] == inf) touched.push_back(v);
          label[v] = d; heap.push_back(Entry(d, v)); std::push_heap(heap.begin(), heap.end(), std::greater<Entry>());
        }
      }
    }
    double total = 0;
    for (int v : touched) { total += values[v]; label[v] = inf; }
    out[s] = total;
  }
}
"""


def grid(n_nodes: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes in random order, edges and lengths of a perturbed grid with a quarter of its edges missing."""
    rng = np.random.default_rng(seed)
    side = int(np.sqrt(n_nodes))
    x, y = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    xy = np.column_stack([x.ravel(), y.ravel()]) * 50.0 + rng.uniform(-15, 15, (side * side, 2))
    number = np.arange(side * side).reshape(side, side)
    ends = np.concatenate(
        [
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
        ]
    )
    ends = ends[rng.random(len(ends)) < 0.735]
    shuffled = rng.permutation(side * side)
    place = np.empty_like(xy)
    place[shuffled] = xy + np.array([600_000, 6_800_000])
    ends = shuffled[ends]
    length = np.hypot(*(place[ends[:, 0]] - place[ends[:, 1]]).T) * rng.uniform(1, 1.1, len(ends))
    return place, ends, length


def best(*runs, times: int = 3):
    """Shortest of a few runs of each in seconds of processor, since all is single-threaded, and the last answers.

    The runs alternate, so that a busy machine slows all of them alike.
    """
    shortest, answers = [np.inf] * len(runs), [None] * len(runs)
    for _ in range(times):
        for place, run in enumerate(runs):
            start = time.process_time()
            answers[place] = run()
            shortest[place] = min(shortest[place], time.process_time() - start)
    return shortest, answers


def compiled() -> ctypes.CDLL:
    """The C++ reference, compiled with -O3."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "totals.cpp", Path(folder) / "totals.so"
        source.write_text(CPP)
        subprocess.run(["g++", "-O3", "-march=native", "-shared", "-fPIC", source, "-o", library], check=True)
        return ctypes.CDLL(str(library))


def memory_mb(ground: network.Ground) -> float:
    """Megabytes held by a ground."""
    arrays = [ground.xy, ground.given, ground.metres.data, ground.metres.indices, ground.metres.indptr, ground.edge]
    return (sum(a.nbytes for a in arrays) + ground.ends.nbytes + int(ground.edges.memory_usage().sum())) / 1e6


def line(what: str, seconds: float, reference: str, bound: str, seconds_of_reference: float, note: str = "") -> None:
    ratio = seconds / seconds_of_reference
    print(f"  {what:<44}{1000 * seconds:9.0f} ms   {ratio:7.2f} × {reference} (wanted {bound})  {note}", flush=True)


def searches(ground: network.Ground, *, repeat: int) -> None:
    """Nearest site of every node, against scipy: bare, then by our two doors, arrays and table, minutes included."""
    sites = np.random.default_rng(2).choice(ground.n_nodes, SITES, replace=False)
    doors = [partial(door, ground, sites) for door in (network.nearest_arrays, network.nearest)]
    doors[0]()  # compile once
    seconds, answers = best(
        partial(dijkstra, ground.metres, indices=sites, min_only=True, return_predecessors=True),
        *(partial(door, engine=engine) for engine in ("numba", "scipy") for door in doors),
        times=repeat,
    )
    bare, expected = seconds[0], answers[0][0]
    bucket, plain = answers[1], answers[3]
    reached = np.isfinite(expected)
    error = np.abs(bucket.metres[reached] - expected[reached])
    same = bool((plain.rank == bucket.rank).all())
    told = f"error bound 0, measured max {error.max()} mean {error.mean()} m, same sites without numba: {same}"
    names = [f"nearest of {SITES} sites, {door}, {engine}" for engine in BOUNDS for door in ("arrays", "table")]
    bounds = [bound for bound in BOUNDS.values() for _ in doors]
    for name, spent, bound, note in zip(names, seconds[1:], bounds, (told, "", "", ""), strict=True):
        line(name, spent, "scipy dijkstra min_only", bound, bare, note)


def catchments(ground: network.Ground, cpp: ctypes.CDLL, *, repeat: int) -> None:
    """Sum of a value within 15 minutes of 10 000 sources, against C++ and networkx."""
    rng = np.random.default_rng(3)
    sources = rng.choice(ground.n_nodes, SOURCES, replace=False)
    values = rng.integers(0, 50, ground.n_nodes).astype(float)
    network.served(ground, sources[:10], values, minutes=MINUTES)
    out, m, metres = np.empty(SOURCES), ground.metres, ground.walk_m_min * MINUTES
    arrays = (
        m.indptr.astype(np.int32),
        m.indices.astype(np.int32),
        m.data,
        np.sort(sources).astype(np.int32),
        values,
        out,
    )
    indptr, indices, weights, where, worth, total = (a.ctypes.data_as(ctypes.c_void_p) for a in arrays)

    def reference() -> None:
        limit = ctypes.c_double(metres)
        cpp.totals(ground.n_nodes, indptr, indices, weights, SOURCES, where, limit, worth, total)

    (cpp_s, ours_s), (_, ours) = best(
        reference, lambda: network.served(ground, sources, values, minutes=MINUTES, engine="numba"), times=repeat
    )
    equal = bool((ours.to_numpy()[np.argsort(sources)] == out).all())
    line("10 000 catchments of 15 min, numba", ours_s, "C++ heap", "≤ 1.3", cpp_s, f"equal: {equal}")
    (plain_s,), (plain,) = best(
        lambda: network.served(ground, sources, values, minutes=MINUTES, engine="scipy"), times=1
    )
    equal = bool((plain == ours).all())
    line("10 000 catchments of 15 min, no numba", plain_s, "C++ heap", "told", cpp_s, f"equal: {equal}")
    if ground.n_nodes > NETWORKX_NODES:
        return
    graph = nx.Graph()
    graph.add_nodes_from(range(ground.n_nodes))
    graph.add_weighted_edges_from(
        (int(a), int(b), w) for (a, b), w in zip(ground.ends, ground.edge_metres, strict=True)
    )
    some = [int(s) for s in sources[:NETWORKX_SOURCES]]
    (nx_s,), _ = best(lambda: [nx.single_source_dijkstra_path_length(graph, s, cutoff=metres) for s in some], times=1)
    scaled = nx_s * SOURCES / NETWORKX_SOURCES
    line("10 000 catchments of 15 min, numba", ours_s, f"networkx (from {NETWORKX_SOURCES})", "≤ 0.04", scaled)


def main() -> None:
    """Run the sizes named on the command line, all by default."""
    cpp = compiled()
    for name in sys.argv[1:] or SIZES:
        xy, ends, length = grid(SIZES[name], seed=1)
        repeat = 20 if SIZES[name] < 100_000 else 5
        build = partial(network.from_edges, xy, ends, length_m=length)
        (seconds,), (ground,) = best(build, times=repeat)
        size = f"{ground.n_nodes} nodes, {len(ends)} edges"
        print(f"{name}: {size}; built in {seconds:.2f} s, {memory_mb(ground):.0f} MB", flush=True)
        searches(ground, repeat=repeat)
        catchments(ground, cpp, repeat=3)


if __name__ == "__main__":
    main()
