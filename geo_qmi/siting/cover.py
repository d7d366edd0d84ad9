"""Which demands does each site cover, and which few sites cover the most of them?

The arithmetic of covering on a sparse yes/no matrix: identical rows merged, lazy greedy, exchange of one site for
another, and a Lagrangian bound that says how far from the best any plan can be. No clock stops anything: the number
of rounds is fixed by the size, so the same data give the same plan on any machine.

Sources: lazy greedy, Minoux 1978; exchange, Teitz and Bart 1968; bound, Galvão and ReVelle 1996 (maximal covering),
Beasley 1990 (set covering), steps after Held, Wolfe and Crowder 1974.
"""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: Two values closer than this part of the total are equal: sums of the same floats in another order differ by less.
_EQUAL = 1e-12
#: Rounds of the bound: multiplications of a matrix this large in all, between the two limits.
_BOUND_WORK = 3e8
_BOUND_ROUNDS = (100, 200)
#: First step of the bound, halved when this many rounds brought nothing.
_FIRST_STEP = 2.0
_PATIENCE = 8
#: Part of the last direction kept in the next. On clustered towns it brings the bound four times nearer in half the
#: rounds (200 rounds: 0.3 % above the linear programme, against 1.5 %).
_MOMENTUM = 0.7
#: Rounds that rebuild a part of the plan: entries of the matrix read in all, between the two limits.
_REBUILD_WORK = 3e6
_REBUILD_ROUNDS = (6, 60)
#: Part of the plan rebuilt at once.
_REBUILT = 1 / 3


class Cover(NamedTuple):
    """Merged demands × sites.

    Attributes
    ----------
    rows
        CSR, one row a group of demands that the same sites cover.
    columns
        The same as CSC.
    members
        Groups that each site covers: the columns, cut once.
    weights
        Sum of the weights of each group.
    group
        Group of each demand of the problem, −1 when no site covers it.
    """

    rows: sparse.csr_array
    columns: sparse.csc_array
    members: list[NDArray[np.int32]]
    weights: NDArray[np.float64]
    group: NDArray[np.intp]

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return int(self.rows.shape[1])

    def counts(self, sites: Iterable[int]) -> NDArray[np.intp]:
        """Return how many of `sites` cover each group."""
        found = [self.members[site] for site in sites]
        covered = np.concatenate(found) if found else np.empty(0, dtype=np.int32)
        return np.bincount(covered, minlength=len(self.weights))

    def value(self, sites: Iterable[int]) -> float:
        """Return the weight covered by at least one of `sites`."""
        return float(self.weights[self.counts(sites) > 0].sum())


def cover(costs: sparse.csr_array, weights: NDArray[np.float64], *, radius: float) -> Cover:
    """Return who is covered within `radius`, demands that the same sites cover merged into one row.

    Parameters
    ----------
    costs
        Demands × sites; stored values are known costs.
    weights
        One a demand.
    radius
        Largest cost that still covers, included, in the unit of the costs.
    """
    kept = costs.data <= radius
    before = np.concatenate([[0], np.cumsum(kept)])
    indptr, indices = before[costs.indptr], costs.indices[kept].astype(np.int32)
    raw, edges = indices.tobytes(), (indptr * indices.itemsize).tolist()
    seen: dict[bytes, int] = {}
    group = np.full(costs.shape[0], -1, dtype=np.intp)
    first: list[int] = []
    for demand in np.flatnonzero(np.diff(indptr)).tolist():
        key = raw[edges[demand] : edges[demand + 1]]
        found = seen.setdefault(key, len(first))
        if found == len(first):
            first.append(demand)
        group[demand] = found
    raw_rows = sparse.csr_array((np.ones(len(indices)), indices, indptr), shape=costs.shape)
    rows = raw_rows[np.array(first, dtype=np.intp)]
    merged = np.bincount(group[group >= 0], weights=weights[group >= 0], minlength=len(first))
    columns = rows.tocsc()
    members = np.split(columns.indices, columns.indptr[1:-1])
    return Cover(rows, columns, members, merged.astype(np.float64), group)


def greedy(table: Cover, *, p: int, locked: NDArray[np.bool_], barred: NDArray[np.bool_]) -> list[int]:
    """Return the locked sites and `p` others, each the one that adds most weight; of equals, the first."""
    chosen = np.flatnonzero(locked).tolist()
    free = table.counts(chosen) == 0
    gains = table.columns.T @ (table.weights * free)
    queue = [(-gains[site], site) for site in np.flatnonzero(~locked & ~barred).tolist()]
    heapify(queue)
    while p > 0 and queue:
        site = queue[0][1]
        fresh = table.members[site]
        gain = float(table.weights[fresh[free[fresh]]].sum())
        # A stale gain is never too small: if the fresh one still comes first, no other can beat it.
        heapreplace(queue, (-gain, site))
        if queue[0] != (-gain, site):
            continue
        chosen.append(site)
        free[fresh] = False
        heappop(queue)
        p -= 1
    return sorted(chosen)


def exchanged(
    table: Cover, chosen: list[int], *, locked: NDArray[np.bool_], barred: NDArray[np.bool_], rounds: int = 60
) -> list[int]:
    """Return `chosen` after every exchange of one site for another that covers more; of equals, the first identifier.

    A round prices all exchanges in one pass over the demands that a single site holds, then makes those that still
    pay after the ones before.
    """
    plan = sorted(chosen)
    for _ in range(rounds):
        done = _one_round(table, plan, locked=locked, barred=barred)
        if done is None:
            break
        plan = done
    return plan


def rebuilt(
    table: Cover, plan: list[int], *, ceiling: float, locked: NDArray[np.bool_], barred: NDArray[np.bool_]
) -> list[int]:
    """Return `plan` after parts of it, drawn at random from a fixed seed, were taken away and chosen again.

    Exchanges of one site stop at plans that only a change of several sites improves, above all where needs cluster.
    """
    rng = np.random.default_rng(0)
    free = [site for site in plan if not locked[site]]
    n_out = min(len(free), max(2, round(len(free) * _REBUILT)))
    best, value = plan, table.value(plan)
    rounds = int(np.clip(_REBUILD_WORK / max(table.rows.nnz, 1), *_REBUILD_ROUNDS)) if len(free) > 1 else 0
    for _ in range(rounds):
        if value >= ceiling * (1 - 1e-9):
            break
        out = rng.choice(len(free), n_out, replace=False)
        kept = locked.copy()
        kept[np.delete(free, out)] = True
        # Half of the candidates are hidden, else the same sites would come back.
        hidden = barred | (rng.random(table.n_sites) < 0.5)
        again = greedy(table, p=n_out, locked=kept, barred=hidden & ~kept)
        if len(again) < len(plan):
            continue
        again = exchanged(table, again, locked=locked, barred=barred, rounds=12)
        reached = table.value(again)
        if reached > value:
            best, value = again, reached
            free = [site for site in best if not locked[site]]
    return best


def _one_round(
    table: Cover, plan: list[int], *, locked: NDArray[np.bool_], barred: NDArray[np.bool_]
) -> list[int] | None:
    """Return the plan after one round of exchanges, or nothing when none is left."""
    tolerance = _EQUAL * max(float(table.weights.sum()), 1.0)
    counts = table.counts(plan)
    change = _changes(table, plan, counts, tolerance=tolerance)
    change[locked[plan]] = -np.inf
    change[:, barred] = -np.inf
    change[:, plan] = -np.inf
    # An exchange that changes nothing is worth making when it brings an earlier identifier.
    equal = np.abs(change) <= tolerance
    change[equal] = np.where(np.arange(table.n_sites) < np.array(plan)[:, None], 0.0, -np.inf)[equal]
    best = change.argmax(axis=1)
    worth = change[np.arange(len(plan)), best]
    inside, made = set(plan), 0
    for position in np.argsort(-worth, kind="stable").tolist():
        if worth[position] < 0:
            break
        out, into = plan[position], int(best[position])
        if into in inside:
            continue
        leaving, coming = table.members[out], table.members[into]
        counts[leaving] -= 1
        lost = table.weights[leaving[counts[leaving] == 0]].sum()
        won = table.weights[coming[counts[coming] == 0]].sum()
        if won - lost > tolerance or (abs(won - lost) <= tolerance and into < out):
            counts[coming] += 1
            inside.remove(out)
            inside.add(into)
            made += 1
        else:
            counts[leaving] += 1
    return sorted(inside) if made else None


def _changes(table: Cover, plan: list[int], counts: NDArray[np.intp], *, tolerance: float) -> NDArray[np.float64]:
    """Return what the covered weight gains when the site of each row of `plan` gives way to each site."""
    gain = table.columns.T @ (table.weights * (counts == 0))
    owner = np.zeros(len(counts), dtype=np.intp)
    for position, site in enumerate(plan):
        owner[table.members[site]] = position
    alone = np.flatnonzero(counts == 1)  # groups that one site of the plan holds, and `owner` says which
    weights, held = table.weights[alone], table.rows[alone]
    sizes = np.diff(held.indptr)
    pair = np.repeat(owner[alone] * table.n_sites, sizes) + held.indices
    kept = np.bincount(pair, weights=np.repeat(weights, sizes), minlength=len(plan) * table.n_sites)
    lost = np.bincount(owner[alone], weights=weights, minlength=len(plan))
    change: NDArray[np.float64] = gain[None, :] + kept.reshape(len(plan), table.n_sites) - lost[:, None]
    change[np.abs(change) <= tolerance] = 0.0
    return change


class Bound(NamedTuple):
    """A bound, the best plan met on the way, and what proves the bound.

    Attributes
    ----------
    value
        No plan covers more (maximal covering), or none takes fewer sites (set covering).
    plan
        The best set of sites met, sorted.
    scores
        Worth of each site at the prices of the bound; a plan without the best ones is bounded lower.
    """

    value: float
    plan: list[int]
    scores: NDArray[np.float64]


def bound(
    table: Cover, *, p: int, locked: NDArray[np.bool_], barred: NDArray[np.bool_], start: list[int], times: float = 1.0
) -> Bound:
    """Return the Lagrangian bound of maximal covering: being covered is bought from the sites, at the best prices.

    Prices λ in [0, w]: no plan covers more than Σ (w − λ) + the p best sums of λ over what a site covers. Each round
    moves the prices against over- and under-covered demands; its p best sites are a plan too, kept when better. There
    are `times` the usual rounds.
    """
    best_plan, best_value = start, table.value(start)
    open_sites = np.flatnonzero(locked)
    free = np.flatnonzero(~locked & ~barred)
    if p >= len(free) or not len(table.weights):
        everything = sorted([*open_sites.tolist(), *free[:p].tolist()])
        return Bound(table.value(everything), everything, np.zeros(table.n_sites))
    prices = table.weights / np.sqrt(np.maximum(np.diff(table.rows.indptr), 1))
    transposed = table.columns.T.tocsr()
    rounds = int(times * np.clip(_BOUND_WORK / max(table.rows.nnz, 1), *_BOUND_ROUNDS))
    lowest, scores, step, idle = np.inf, np.zeros(table.n_sites), _FIRST_STEP, 0
    direction = np.zeros(len(prices))
    for _ in range(rounds):
        worth = transposed @ prices
        top = free[np.argpartition(-worth[free], p - 1)[:p]] if p else free[:0]
        ceiling = float((table.weights - prices).sum() + worth[open_sites].sum() + worth[top].sum())
        sites = np.concatenate([open_sites, top])
        counts = table.counts(sites.tolist())
        reached = float(table.weights[counts > 0].sum())
        if reached > best_value:
            best_value, best_plan = reached, sorted(sites.tolist())
        idle = 0 if ceiling < lowest * (1 - 1e-7) else idle + 1
        if ceiling < lowest:
            lowest, scores = ceiling, worth
        if idle >= _PATIENCE:
            step, idle = step / 2, 0
        direction = (counts - 1.0) + _MOMENTUM * direction
        slope = direction.copy()
        # A price already at its limit cannot move further that way.
        slope[((prices <= 0) & (slope > 0)) | ((prices >= table.weights) & (slope < 0))] = 0.0
        norm = float(np.square(slope).sum())  # a threaded dot product stalls on a busy machine
        if norm == 0 or ceiling - best_value <= _EQUAL * ceiling or step < 1e-4:
            break
        prices = np.clip(prices - step * (ceiling - best_value) / norm * slope, 0.0, table.weights)
    return Bound(max(lowest, best_value), best_plan, scores)


def least_sites(table: Cover, *, free: NDArray[np.bool_]) -> float:
    """Return a Lagrangian lower bound on how many `free` sites it takes to cover every row of `table`.

    Prices u ≥ 0: no plan takes fewer than Σ u + Σ min(0, 1 − what a site covers at these prices).
    """
    prices = 1.0 / np.maximum(table.rows @ np.ones(table.n_sites), 1)
    reach = table.columns.T.tocsr()
    rounds = int(np.clip(_BOUND_WORK / max(table.rows.nnz, 1), *_BOUND_ROUNDS))
    best, step, idle, direction = 0.0, _FIRST_STEP, 0, np.zeros(len(prices))
    for _ in range(rounds):
        saving = np.where(free, 1.0 - reach @ prices, 0.0)
        value = float(prices.sum() + np.minimum(saving, 0).sum())
        idle = 0 if value > best * (1 + 1e-7) else idle + 1
        best = max(best, value)
        if idle >= _PATIENCE:
            step, idle = step / 2, 0
        counts = table.rows @ (saving < 0).astype(np.float64)
        direction = (1.0 - counts) + _MOMENTUM * direction
        slope = np.where((prices <= 0) & (direction < 0), 0.0, direction)
        norm = float(np.square(slope).sum())
        if norm == 0 or step < 1e-4:
            break
        prices = np.maximum(prices + step * max(0.05 * best, 0.5) / norm * slope, 0.0)
    return best
