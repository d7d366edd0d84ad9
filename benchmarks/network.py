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
from pathlib import Path

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo_qmi import network

SIZES = {"50k": 50_000, "500k": 500_000, "1500k": 1_500_000}
SITES, SOURCES, NETWORKX_SOURCES = 1000, 10_000, 50
MINUTES = 15.0

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
    place[shuffled] = xy + (600_000, 6_800_000)
    ends = shuffled[ends]
    length = np.hypot(*(place[ends[:, 0]] - place[ends[:, 1]]).T) * rng.uniform(1, 1.1, len(ends))
    return place, ends, length


def best(run, times: int = 3):
    """Shortest of a few runs, in seconds, and the last answer."""
    shortest, answer = np.inf, None
    for _ in range(times):
        start = time.perf_counter()
        answer = run()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest, answer


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


def main() -> None:
    names = sys.argv[1:] or list(SIZES)
    cpp = compiled()
    for name in names:
        xy, ends, length = grid(SIZES[name], seed=1)
        repeat = 3 if SIZES[name] < 1_000_000 else 2
        seconds, ground = best(lambda: network.from_edges(xy, ends, length_m=length), repeat)  # noqa: B023
        n = ground.n_nodes
        print(f"{name}: {n} nodes, {len(ends)} edges; built in {seconds:.2f} s, {memory_mb(ground):.0f} MB", flush=True)
        rng = np.random.default_rng(2)
        sites, sources = rng.choice(n, SITES, replace=False), rng.choice(n, SOURCES, replace=False)
        values = rng.integers(0, 50, n).astype(float)
        m = ground.metres
        network.nearest(ground, sites)  # compile and touch the memory once
        network.served(ground, sources[:10], values, minutes=MINUTES)

        bare, (expected, _, _) = best(
            lambda: dijkstra(m, indices=sites, min_only=True, return_predecessors=True), repeat  # noqa: B023
        )
        scipy_s, by_scipy = best(lambda: network.nearest(ground, sites, engine="scipy"), repeat)  # noqa: B023
        bucket_s, by_bucket = best(lambda: network.nearest(ground, sites, engine="numba"), repeat)  # noqa: B023
        error = np.abs(by_bucket["metres"].to_numpy() - expected)[np.isfinite(expected)].max()
        same = bool((by_scipy["site"].eq(by_bucket["site"]) | by_scipy["site"].isna()).all())
        line("nearest of 1000 sites, scipy engine", scipy_s, "scipy dijkstra", "≤ 1.2", bare)
        line("nearest of 1000 sites, bucket queue", bucket_s, "scipy dijkstra", "≤ 0.33", bare, f"error {error} m, same sites {same}")

        out, order = np.empty(SOURCES), np.sort(sources).astype(np.int32)
        arrays = [m.indptr.astype(np.int32), m.indices.astype(np.int32), m.data]
        pointer = [a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays, order, values, out)]

        def reference() -> None:
            ip, ix, w, s, v, o = pointer  # noqa: B023
            cpp.totals(n, ip, ix, w, SOURCES, s, ctypes.c_double(1200.0), v, o)  # noqa: B023

        cpp_s, _ = best(reference, repeat)
        ours_s, ours = best(lambda: network.served(ground, sources, values, minutes=MINUTES, engine="numba"), repeat)  # noqa: B023
        equal = bool((ours.to_numpy()[np.argsort(sources)] == out).all())
        line("10 000 catchments of 15 min, numba", ours_s, "C++ heap", "≤ 1.3", cpp_s, f"equal {equal}")
        plain_s, plain = best(lambda: network.served(ground, sources, values, minutes=MINUTES, engine="scipy"), 1)  # noqa: B023
        line("10 000 catchments of 15 min, scipy", plain_s, "C++ heap", "told", cpp_s, f"equal {bool((plain == ours).all())}")
        if n <= 600_000:
            graph = nx.Graph()
            graph.add_weighted_edges_from(
                (int(a), int(b), w) for (a, b), w in zip(ground.ends, ground.edge_metres, strict=True)
            )
            some = sources[:NETWORKX_SOURCES]
            nx_s, _ = best(
                lambda: [nx.single_source_dijkstra_path_length(graph, int(s), cutoff=1200.0) for s in some], 1  # noqa: B023
            )
            line("10 000 catchments, numba", ours_s, "networkx", "≤ 0.04", nx_s * SOURCES / NETWORKX_SOURCES)
            del graph


if __name__ == "__main__":
    main()
