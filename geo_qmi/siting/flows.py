"""Who is served by which site of a plan?

The nearest open site, ties by identifier; where capacities bind, the cheapest sharing that serves as much as possible.
Positions in, frames out; no site is chosen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.siting import exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.siting.problem import Problem


class Flows(NamedTuple):
    """Pairs of a plan: positions of the demand and the site, share, cost."""

    demand: NDArray[np.intp]
    site: NDArray[np.intp]
    share: NDArray[np.float64]
    cost: NDArray[np.float64]


def pairs_within(problem: Problem, radius: float) -> exact.Pairs:
    """Return the pairs within `radius`."""
    demand = np.repeat(np.arange(len(problem.demand_ids)), np.diff(problem.costs.indptr))
    kept = problem.costs.data <= radius
    limits = problem.capacities if problem.capacities is not None else np.full(len(problem.site_ids), np.inf)
    return exact.Pairs(demand[kept], problem.costs.indices[kept], problem.costs.data[kept], problem.weights, limits)


def flows_of(problem: Problem, sites: list[int], *, radius: float, shared: exact.Pairs | None = None) -> Flows:
    """Return who goes where: the nearest open site, or the cheapest sharing where capacities bind.

    Parameters
    ----------
    problem
        Demands, sites, costs.
    sites
        Positions of the open sites.
    radius
        Largest cost that still serves.
    shared
        Pairs of open sites with their capacities; the nearest site wins without them.
    """
    if shared is not None:
        pairs = shared
        most = exact.allotted(pairs)
        weight = pairs.weights[pairs.demand]
        share = exact.allotted(pairs, at_least=float((weight * most).sum()))
        share[share < 1e-9] = 0.0
        share[share > 1 - 1e-9] = 1.0
        kept = share > 0
        return Flows(pairs.demand[kept], pairs.site[kept], share[kept], pairs.cost[kept])
    opened = np.zeros(len(problem.site_ids), dtype=bool)
    opened[sites] = True
    used = np.flatnonzero(opened[problem.costs.indices] & (problem.costs.data <= radius))
    demand = np.searchsorted(problem.costs.indptr, used, side="right") - 1
    site, cost = problem.costs.indices[used], problem.costs.data[used]
    order = np.lexsort((site, cost, demand))
    first = order[np.unique(demand[order], return_index=True)[1]] if len(order) else order
    return Flows(demand[first], site[first], np.ones(len(first)), cost[first])


def site_rows(problem: Problem, flows: Flows, *, sites: list[int]) -> pd.DataFrame:
    """Return one row an open site."""
    n_sites = len(problem.site_ids)
    load = np.bincount(flows.site, weights=problem.weights[flows.demand] * flows.share, minlength=n_sites)
    served = np.bincount(flows.site, minlength=n_sites)
    role = np.where(problem.deployed, "deployed", np.where(problem.fixed, "fixed", "chosen"))
    limits = problem.capacities if problem.capacities is not None else np.full(n_sites, np.inf)
    return pd.DataFrame(
        {
            "role": pd.array(role[sites], dtype="str"),
            "n_demand": served[sites],
            "weight": load[sites],
            "capacity": np.where(np.isfinite(limits), limits, np.nan)[sites],
        },
        index=pd.Index(problem.site_ids[sites], name="site_id"),
    )


def demand_rows(problem: Problem, flows: Flows) -> pd.DataFrame:
    """Return one row a demand, with the site that serves most of it."""
    n_demand = len(problem.demand_ids)
    order = np.lexsort((flows.site, flows.cost, -flows.share, flows.demand))
    main = order[np.unique(flows.demand[order], return_index=True)[1]] if len(order) else order
    site = pd.Series(pd.NA, index=range(n_demand), dtype="str")
    site.iloc[flows.demand[main]] = problem.site_ids[flows.site[main]]
    cost = np.full(n_demand, np.nan)
    cost[flows.demand[main]] = flows.cost[main]
    served = np.bincount(flows.demand, weights=flows.share, minlength=n_demand)
    index = pd.Index(problem.demand_ids, name="demand_id")
    return pd.DataFrame({"served": np.minimum(served, 1.0), "site_id": site.to_numpy(), "cost": cost}, index=index)
