"""How near to the best, and how fast, are the siting models?

Random towns of three sizes, the same at each run. For each: the value of the heuristic over its own printed bound, its
time, and, where the exact programme is tried, its time over a bare `scipy.optimize.milp` on the same merged rows.

    python benchmarks/siting.py [--no-exact]
"""

from __future__ import annotations

import argparse
import time
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


def bare(problem: Problem, *, p: int, radius_m: float, time_limit_s: float) -> tuple[float, float]:
    """Return the value and the seconds of the plain programme on the merged rows."""
    table = cover(problem.costs, problem.weights, radius=radius_m)
    start = time.perf_counter()
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
    return -float(result.fun), time.perf_counter() - start


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


def main() -> None:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-exact", action="store_true", help="skip the exact programme (half a minute)")
    arguments = parser.parse_args()
    for clustered in (False, True):
        small = town(10_000, 1_000, side_m=20_700, radius_m=1_200, clustered=clustered)
        shape = "clustered" if clustered else "even"
        heuristic(f"10k x 1k, p=30, {shape} (target: 0.98 in 0.5 s)", small, p=30, radius_m=1_200)
        if not arguments.no_exact:
            start = time.perf_counter()
            plan = maximal_covering(small, p=30, radius=1_200, method="exact", time_limit_s=300)
            ours = time.perf_counter() - start
            value, theirs = bare(small, p=30, radius_m=1_200, time_limit_s=300)
            print(
                f"  exact {shape}: {ours / theirs:.2f} of bare milp (target 1.1; {ours:.1f} s and {theirs:.1f} s), "
                f"value {plan.value / value:.6f} of its value, gap {plan.gap:.2g}"
            )
    rng = np.random.default_rng(2026)
    homes = rng.random((10_000, 2)) * 20_700
    everywhere = from_matrix(pd.DataFrame(cdist(homes, homes[:1_000] + 50)))
    start = time.process_time()
    plan = p_median(everywhere, p=30, method="heuristic")
    print(f"p-median 10k x 1k, p=30: bound {plan.bound / plan.value:.4f} of it, {time.process_time() - start:.2f} s")
    large = town(50_000, 5_000, side_m=20_900, radius_m=800, clustered=False)
    heuristic("50k x 5k, p=60, even (target: 5 s)", large, p=60, radius_m=800)


if __name__ == "__main__":
    main()
