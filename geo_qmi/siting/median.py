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
from scipy import sparse

from geo_qmi.errors import LimitError
from geo_qmi.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Cells of the full table: 240 MB of float64, and as much again while it is filled.
MOST_CELLS = 30_000_000
#: Rows of the table read at once, so that temporary tables stay in the cache of the machine.
_CHUNK_CELLS = 400_000
_EQUAL = 1e-12
#: Rounds of the bound: ways read in all, between the two limits.
_BOUND_WORK = 6e7
#: Highest price of a demand, as a multiple of its second site: in the best plan no price passes the second site.
_PRICE = 1.2
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
    plain = costs.toarray()
    if costs.nnz < plain.size:
        plain[~sparse.csr_array((np.ones(costs.nnz, bool), costs.indices, costs.indptr), costs.shape).toarray()] = (
            missing
        )
    group = _same_rows(plain)
    first = np.unique(group, return_index=True)[1]
    weight = np.bincount(group, weights=weights)
    heavy = np.maximum(weight, float(weight.max(initial=0.0)) or 1.0)
    kept = (plain if len(first) == n_demand else plain[first]).T.copy()
    unknown = kept == missing if costs.nnz < plain.size else None
    kept *= weight
    if unknown is not None:
        np.copyto(kept, heavy * missing, where=unknown)
    scale = np.maximum(weight, 1e-6 * (float(weight.max(initial=0.0)) or 1.0))
    return Ways(kept, heavy * missing, scale)


def _same_rows(plain: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return a number for each row, shared by identical ones, in the order of first appearance."""
    # Only rows of equal sums can be identical: the others are not compared.
    _, inverse, counts = np.unique(plain.sum(axis=1), return_inverse=True, return_counts=True)
    alone = counts[inverse] == 1
    seen: dict[object, int] = {}
    return np.array(
        [seen.setdefault(place if alone[place] else row.tobytes(), len(seen)) for place, row in enumerate(plain)],
        dtype=np.intp,
    )


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
    """Return sites × plan: how the total changes when each site of `plan` gives way to each site.

    Only ways shorter than the second of their demand are read: for all others a demand that loses its site goes to its
    second, whatever site comes in.
    """
    nearest, second = _two_nearest(table, plan)
    owner = np.vstack([table.costs[plan], table.none]).argmin(axis=0)
    n_sites, width = len(table.costs), len(plan) + 1
    loss = np.bincount(owner, weights=second - nearest, minlength=width)
    change = np.zeros((n_sites, width))
    for part in table.chunks():
        costs = table.costs[part]
        site, demand, cost = _cheaper(costs, second)
        close, mine = nearest[demand], site * width + owner[demand]
        size = len(costs) * width
        kept = np.bincount(mine, weights=np.maximum(cost, close) - second[demand], minlength=size)
        saved = np.bincount(site, weights=np.minimum(cost - close, 0.0), minlength=len(costs))
        change[part] = loss + kept.reshape(len(costs), width) + saved[:, None]
    return change[:, :-1]


def _two_nearest(table: Ways, plan: list[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each demand pays to the best site of a plan, and to the next."""
    first, second = np.partition(np.vstack([table.costs[plan], table.none]), 1, axis=0)[:2]
    return first, second


def median_bound(table: Ways, plan: list[int], *, p: int, locked: NDArray[np.bool_]) -> tuple[float, list[int]]:
    """Return a Lagrangian lower bound of the total, and the best plan met on the way.

    Prices μ: no plan costs less than Σ μ + the p smallest sums of min(0, cost − μ) over the demands.
    """
    best_plan, best_cost = plan, table.total(plan)
    open_sites, free = np.flatnonzero(locked), np.flatnonzero(~locked)
    nearest, second = _two_nearest(table, plan)
    # Between the first and the second site; never near the penalty, far above any real price.
    usual = 4 * nearest + np.median(nearest)
    prices, highest_price = np.minimum((nearest + second) / 2, usual), np.minimum(_PRICE * second, usual)
    site, demand, near = _ways_below(table, highest_price)
    rounds = int(np.clip(_BOUND_WORK / max(len(near), 1), *_BOUND_ROUNDS))
    highest, step, idle, direction = 0.0, 1.0, 0, np.zeros(len(prices))
    reached, first = np.unique(site, return_index=True)
    worth, saved = np.zeros(len(table.costs)), np.empty(len(near))
    for _ in range(rounds):
        np.take(prices, demand, out=saved, mode="clip")  # no copy aside, as "raise" makes
        np.minimum(np.subtract(near, saved, out=saved), 0.0, out=saved)
        worth[reached] = np.add.reduceat(saved, first)
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
        # Any prices bound: those that the ways read do not reach are held at their limit.
        prices = np.minimum(prices + step * max(best_cost - floor, 0.0) / norm * direction, highest_price)
    return min(highest, best_cost), best_plan


def _ways_below(
    table: Ways, price: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return site, demand and cost of every way cheaper than a price of its demand."""
    found = [_cheaper(table.costs[part], price) for part in table.chunks()]
    site = np.concatenate([rows + part.start for (rows, _, _), part in zip(found, table.chunks(), strict=True)])
    return site, np.concatenate([columns for _, columns, _ in found]), np.concatenate([costs for _, _, costs in found])


def _cheaper(
    costs: NDArray[np.float64], price: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return row, column and cost of every cell below the price of its column."""
    flat = np.flatnonzero(costs < price)  # many times faster than two coordinates of a sparse table
    row, column = np.divmod(flat, costs.shape[1])
    return row, column, costs.ravel()[flat]
