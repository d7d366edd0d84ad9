"""Which few sites are nearest to everybody on average?

The arithmetic of the p-median on a full table of weighted costs: greedy start, exchange of one site for another, and
a Lagrangian bound. It keeps the whole table in memory, hence its size limit; a demand that cannot reach a site pays a
penalty far above any cost, and the caller refuses a plan that pays one.

Sources: exchange priced for all pairs at once, Schubert and Rousseeuw 2021 (FastPAM); bound, Cornuéjols, Fisher and
Nemhauser 1977.
"""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo_qmi.errors import LimitError
from geo_qmi.siting.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy import sparse

#: Cells of the full table: 240 MB of float64, and as much again while it is filled.
MOST_CELLS = 30_000_000
#: Rows of the table read at once, so that temporary tables stay in the cache of the machine.
_CHUNK_CELLS = 400_000
_EQUAL = 1e-12
#: Rounds of the bound: cells read in all, between the two limits.
_BOUND_WORK = 6e8
_BOUND_ROUNDS = (60, 300)
#: The step of the bound is halved when this many rounds brought nothing; part of the last direction kept in the next.
_PATIENCE = 4
_MOMENTUM = 0.7


class Ways(NamedTuple):
    """Sites × merged demands.

    Attributes
    ----------
    costs
        Weight × cost of each way.
    none
        What each demand pays while no site serves it.
    scale
        Weight of each demand, kept above zero.
    """

    costs: NDArray[np.float64]
    none: NDArray[np.float64]
    scale: NDArray[np.float64]

    def chunks(self) -> Iterator[slice]:
        """Slices of sites, in order."""
        n_sites, n_demand = self.costs.shape
        size = max(1, _CHUNK_CELLS // max(n_demand, 1))
        for start in range(0, n_sites, size):
            yield slice(start, min(start + size, n_sites))

    def total(self, sites: list[int]) -> float:
        """Sum of the costs when each demand goes to the best of `sites`."""
        return float(np.minimum(self.costs[sites].min(axis=0), self.none).sum())


def ways(costs: sparse.csr_array, weights: NDArray[np.float64]) -> Ways:
    """Return the full table of weighted costs, demands with the same costs merged.

    Raises
    ------
    LimitError
        More than `MOST_CELLS` cells.
    """
    n_demand, n_sites = costs.shape
    if n_demand * n_sites > MOST_CELLS:
        raise LimitError(
            f"Table de {number(n_demand)} demandes × {number(n_sites)} lieux : limite de {number(MOST_CELLS)} cases "
            "pour les distances moyennes. Regroupez les demandes, gardez moins de lieux, ou utilisez la couverture."
        )
    # Above the total of any plan that serves everybody, so that no such plan ever loses to one that leaves somebody.
    missing = (n_demand + 1.0) * (float(costs.data.max(initial=0.0)) + 1.0)
    plain = np.full((n_demand, n_sites), missing)
    demand = np.repeat(np.arange(n_demand), np.diff(costs.indptr))
    plain[demand, costs.indices] = costs.data
    seen: dict[bytes, int] = {}
    group = np.array([seen.setdefault(row.tobytes(), len(seen)) for row in plain], dtype=np.intp)
    first = np.unique(group, return_index=True)[1]
    weight = np.bincount(group, weights=weights)
    kept = plain[first]
    heavy = np.maximum(weight, float(weight.max(initial=0.0)) or 1.0)
    table = np.where(kept == missing, (heavy * missing)[:, None], kept * weight[:, None])
    scale = np.maximum(weight, 1e-6 * (float(weight.max(initial=0.0)) or 1.0))
    return Ways(np.ascontiguousarray(table.T), heavy * missing, scale)


def greedy_median(table: Ways, *, p: int, locked: NDArray[np.bool_]) -> list[int]:
    """Return the locked sites and `p` others, each the one that saves most; of equals, the first."""
    chosen = np.flatnonzero(locked).tolist()
    paid = np.minimum(table.costs[chosen].min(axis=0), table.none) if chosen else table.none.copy()
    free = np.flatnonzero(~locked)
    savings = np.concatenate([np.maximum(paid - table.costs[part], 0).sum(axis=1) for part in table.chunks()])
    queue = [(-float(savings[site]), int(site)) for site in free]
    heapify(queue)
    while p > 0 and queue:
        site = queue[0][1]
        fresh = -float(np.maximum(paid - table.costs[site], 0).sum())
        heapreplace(queue, (fresh, site))
        if queue[0] != (fresh, site):
            continue
        heappop(queue)
        chosen.append(site)
        paid = np.minimum(paid, table.costs[site])
        p -= 1
    return sorted(chosen)


def exchanged_median(table: Ways, plan: list[int], *, locked: NDArray[np.bool_], rounds: int = 40) -> list[int]:
    """Return `plan` after every exchange of one site for another that costs less; of equals, the first identifier."""
    plan = sorted(plan)
    for _ in range(rounds):
        done = _one_round(table, plan, locked=locked)
        if done is None:
            break
        plan = done
    return plan


def _one_round(table: Ways, plan: list[int], *, locked: NDArray[np.bool_]) -> list[int] | None:
    """Return the plan after one round of exchanges, or nothing when none is left."""
    change = _changes(table, plan)
    now = table.total(plan)
    tolerance = _EQUAL * max(now, 1.0)
    change[:, locked[plan]] = np.inf
    change[plan] = np.inf
    equal = np.abs(change) <= tolerance
    earlier = np.arange(len(change))[:, None] < np.array(plan)[None, :]
    change[equal] = np.where(earlier, 0.0, np.inf)[equal]
    best = change.argmin(axis=0)
    worth = change[best, np.arange(len(plan))]
    inside, made = list(plan), 0
    for position in np.argsort(worth, kind="stable").tolist():
        if worth[position] > 0:
            break
        out, into = plan[position], int(best[position])
        if into in inside:
            continue
        tried = [into if site == out else site for site in inside]
        cost = table.total(tried)
        if cost < now - tolerance or (abs(cost - now) <= tolerance and into < out):
            inside, now, made = tried, cost, made + 1
    return sorted(inside) if made else None


def _changes(table: Ways, plan: list[int]) -> NDArray[np.float64]:
    """Return sites × plan: how the total changes when each site of `plan` gives way to each site."""
    ranked = np.sort(np.vstack([table.costs[plan], table.none]), axis=0)
    nearest, second = ranked[0], ranked[1]
    owner = np.vstack([table.costs[plan], table.none]).argmin(axis=0)
    order = np.argsort(owner, kind="stable")
    owners, starts = np.unique(owner[order], return_index=True)
    change = np.zeros((len(table.costs), len(plan)))
    for part in table.chunks():
        costs = table.costs[part][:, order]
        saved = np.minimum(costs - nearest[order], 0.0)
        moved = np.minimum(costs, second[order]) - nearest[order] - saved
        change[part] += saved.sum(axis=1)[:, None]
        by_owner = np.add.reduceat(moved, starts, axis=1)
        real = owners < len(plan)
        change[part, owners[real]] += by_owner[:, real]
    return change


def median_bound(table: Ways, plan: list[int], *, p: int, locked: NDArray[np.bool_]) -> tuple[float, list[int]]:
    """Return a Lagrangian lower bound of the total, and the best plan met on the way.

    Prices μ: no plan costs less than Σ μ + the p smallest sums of min(0, cost − μ) over the demands.
    """
    best_plan, best_cost = plan, table.total(plan)
    open_sites, free = np.flatnonzero(locked), np.flatnonzero(~locked)
    nearest, second = np.sort(np.vstack([table.costs[plan], table.none]), axis=0)[:2]
    # Between the first and the second site; never near the penalty, far above any real price.
    prices = np.minimum((nearest + second) / 2, 4 * nearest + np.median(nearest))
    rounds = int(np.clip(_BOUND_WORK / table.costs.size, *_BOUND_ROUNDS))
    highest, step, idle, direction = 0.0, 1.0, 0, np.zeros(len(prices))
    for _ in range(rounds):
        worth = np.concatenate([np.minimum(table.costs[part] - prices, 0.0).sum(axis=1) for part in table.chunks()])
        top = free[np.argsort(worth[free], kind="stable")[:p]]
        sites = np.concatenate([open_sites, top])
        floor = float(prices.sum() + worth[sites].sum())
        idle = 0 if floor > highest * (1 + 1e-7) else idle + 1
        highest = max(highest, floor)
        cost = table.total(sites.tolist())
        if cost < best_cost:
            best_cost, best_plan = cost, sorted(sites.tolist())
        if idle >= _PATIENCE:
            step, idle = step / 2, 0
        # Prices are in weight × cost: a heavy demand moves in proportion.
        direction = table.scale * (1.0 - (table.costs[sites] < prices).sum(axis=0)) + _MOMENTUM * direction
        norm = float((np.square(direction) / table.scale).sum())
        if norm == 0 or best_cost - highest <= _EQUAL * best_cost or step < 1e-4:
            break
        prices = prices + step * max(best_cost - floor, 0.0) / norm * direction
    return min(highest, best_cost), best_plan
