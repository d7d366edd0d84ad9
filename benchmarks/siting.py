"""How near to the best, and how fast, are the siting models?

Random towns, the same at each run, their needs even or clustered. For each: the value of the heuristic over its own
printed bound, its time, and, where the exact programme is tried, its time over a bare `scipy.optimize.milp` on the same
merged rows, in seconds of processor. Where the bare one does not finish in its time, that is said instead of a ratio.

    python benchmarks/siting.py [--no-exact] [--limit SECONDS]
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from geo_qmi.siting import from_matrix, from_pairs, maximal_covering, p_median
from geo_qmi.siting.cover import cover

if TYPE_CHECKING:
    from geo_qmi.siting import Problem

#: Demands, sites, sites to open, clustered or not: the clustered ones grow to what a bare solver does not finish.
TOWNS = (
    (10_000, 1_000, 30, False),
    (2_000, 200, 10, True),
    (3_000, 300, 12, True),
    (5_000, 500, 20, True),
    (10_000, 1_000, 30, True),
)
RADIUS_M = 1_200.0


def town(n_demand: int, n_sites: int, *, side_m: float, radius_m: float, clustered: bool) -> Problem:
    """Return a random town, its straight distances up to `radius_m`."""
    rng = np.random.default_rng(2026)
    homes = rng.random((n_demand, 2)) * side_m
    if clustered:
        centres = rng.random((25, 2)) * side_m
        homes = centres[rng.integers(0, 25, n_demand)] + rng.normal(0, side_m / 14, (n_demand, 2))
    places = homes[rng.choice(n_demand, n_sites, replace=False)] + rng.normal(0, 50, (n_sites, 2))
    near = cKDTree(homes).sparse_distance_matrix(cKDTree(places), radius_m, output_type="coo_matrix")
    homes_ids, places_ids = (np.array([f"{i:06}" for i in range(n)]) for n in (n_demand, n_sites))
    pairs = pd.DataFrame({"demand_id": homes_ids[near.row], "site_id": places_ids[near.col], "cost": near.data})
    weights = pd.Series(rng.gamma(2.0, 15.0, n_demand), index=homes_ids)
    return from_pairs(pairs, weights=weights, site_ids=places_ids)


def bare(problem: Problem, *, p: int, radius_m: float, time_limit_s: float) -> tuple[float, float, bool]:
    """Return the value of the plain programme on the merged rows, its seconds, and whether it finished."""
    table = cover(problem.costs, problem.weights, radius=radius_m)
    start = time.process_time()
    n_rows, n_sites = table.rows.shape
    result = milp(
        np.concatenate([np.zeros(n_sites), -table.weights]),
        constraints=[
            LinearConstraint(sparse.hstack([-table.rows, sparse.eye_array(n_rows)]).tocsr(), -np.inf, 0),
            LinearConstraint(np.concatenate([np.ones(n_sites), np.zeros(n_rows)])[None, :], p, p),
        ],
        integrality=np.concatenate([np.ones(n_sites), np.zeros(n_rows)]),
        bounds=Bounds(0, 1),
        options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
    )
    value = np.nan if result.x is None else -float(result.fun)
    return value, time.process_time() - start, result.status == 0


def heuristic(name: str, problem: Problem, *, p: int, radius_m: float) -> None:
    """Print the best of three timings of the heuristic, in seconds of processor, and its share of its own bound."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        plan = maximal_covering(problem, p=p, radius=radius_m, method="heuristic")
        seconds.append(time.process_time() - start)
    print(
        f"{name}: {problem.costs.nnz} pairs, {plan.value / plan.bound:.4f} of the bound, {min(seconds):.2f} s",
        flush=True,
    )


def proven(name: str, problem: Problem, *, p: int, radius_m: float, time_limit_s: float) -> None:
    """Print the time of the exact programme over that of the bare one, and the value over its value."""
    start = time.process_time()
    plan = maximal_covering(problem, p=p, radius=radius_m, method="exact", time_limit_s=time_limit_s)
    ours = time.process_time() - start
    value, theirs, finished = bare(problem, p=p, radius_m=radius_m, time_limit_s=time_limit_s)
    ratio = (
        f"{ours / theirs:.2f} of bare milp (target 1.1)" if finished else f"bare milp unfinished in {time_limit_s} s"
    )
    print(
        f"{name}, exact: {ratio}, {ours:.1f} s and {theirs:.1f} s; value {plan.value / value:.6f} of its value, "
        f"gap {plan.gap:.2g}",
        flush=True,
    )


def main() -> None:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-exact", action="store_true", help="skip the exact programmes (minutes)")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds given to each exact programme")
    arguments = parser.parse_args()
    for n_demand, n_sites, p, clustered in TOWNS:
        town_of = partial(town, n_demand, n_sites, side_m=207.0 * n_demand**0.5, radius_m=RADIUS_M)
        problem, shape = town_of(clustered=clustered), "clustered" if clustered else "even"
        name = f"{n_demand} x {n_sites}, p={p}, {shape}"
        heuristic(f"{name} (10k x 1k: 0.98 in 0.5 s)", problem, p=p, radius_m=RADIUS_M)
        if not arguments.no_exact:
            proven(name, problem, p=p, radius_m=RADIUS_M, time_limit_s=arguments.limit)
    rng = np.random.default_rng(2026)
    homes = rng.random((10_000, 2)) * 20_700
    everywhere = from_matrix(pd.DataFrame(cdist(homes, homes[:1_000] + 50)))
    start = time.process_time()
    plan = p_median(everywhere, p=30, method="heuristic")
    print(f"p-median 10k x 1k, p=30: bound {plan.bound / plan.value:.4f} of it, {time.process_time() - start:.2f} s")
    large = town(50_000, 5_000, side_m=20_900, radius_m=800, clustered=False)
    heuristic("50000 x 5000, p=60, even (5 s)", large, p=60, radius_m=800)


if __name__ == "__main__":
    main()
