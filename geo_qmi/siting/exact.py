"""What is the proven best plan, and how far from it may this one be?

Integer programmes solved by the HiGHS of `scipy.optimize.milp`, with a time limit; each answer carries the bound that
the solver proved, so a plan cut short still says its gap. Only the columns that a Lagrangian bound could not settle
enter the solver. No other solver is loaded: two copies of HiGHS in one process clash.

With capacities a demand may be shared between sites (a cell of a hundred people may go to two gardens): shares are
continuous, sites are yes or no.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from geo_qmi.errors import LimitError
from geo_qmi.siting.cover import Bound, Cover, cover
from geo_qmi.wording import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pairs that a programme with shares may hold: beyond, building and solving it takes minutes and gigabytes.
MOST_PAIRS = 1_000_000

Goal = Literal["most", "fewest", "nearest"]


class Solved(NamedTuple):
    """What the solver found.

    Attributes
    ----------
    sites
        Yes or no a site; ``None`` when time ran out before the first plan.
    shares
        Share of each pair, for programmes with shares.
    bound
        Proven bound of the objective: above for *most*, below otherwise.
    feasible
        False when no plan exists at all.
    """

    sites: NDArray[np.bool_] | None
    shares: NDArray[np.float64] | None
    bound: float
    feasible: bool = True


def settled(
    found: Bound, *, p: int, value: float, locked: NDArray[np.bool_], barred: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the sites that are in, and out of, every plan better than or equal to `value`.

    Exchanging the p-th best score for another site's lowers the bound by their difference; where that falls under the
    value already reached, no plan with that site (or without it) can be as good.
    """
    inside, outside = locked.copy(), barred.copy()
    free = np.flatnonzero(~locked & ~barred)
    if not 0 < p < len(free):
        return inside, outside
    order = free[np.argsort(-found.scores[free], kind="stable")]
    scores, margin = found.scores[order], 1e-9 * max(found.value, 1.0)
    outside[order[p:]] |= found.value - scores[p - 1] + scores[p:] < value - margin
    inside[order[:p]] |= found.value - scores[:p] + scores[p] < value - margin
    return inside, outside


def most_covered(
    table: Cover, *, p: int, inside: NDArray[np.bool_], outside: NDArray[np.bool_], time_limit_s: float
) -> Solved:
    """Return the `p` sites, besides those `inside`, that cover most weight.

    The variables are a yes or no a site, and the covered part of each row, continuous: whole sites make it whole.
    """
    base = table.counts(np.flatnonzero(inside).tolist()) > 0
    reached = float(table.weights[base].sum())
    undecided = np.flatnonzero(~inside & ~outside)
    left = cover(table.rows[~base][:, undecided], table.weights[~base], radius=np.inf)
    n_rows, n_sites = left.rows.shape
    scale = float(left.weights.max(initial=0.0)) or 1.0
    if p == 0 or n_rows == 0:
        plan = inside.copy()
        plan[undecided[:p]] = True
        return Solved(plan, None, reached)
    link = sparse.hstack([-left.rows, sparse.eye_array(n_rows)]).tocsr()
    choose = sparse.csr_array(np.concatenate([np.ones(n_sites), np.zeros(n_rows)])[None, :])
    result = milp(
        np.concatenate([np.zeros(n_sites), -left.weights / scale]),
        constraints=[LinearConstraint(link, -np.inf, 0.0), LinearConstraint(choose, p, p)],
        integrality=np.concatenate([np.ones(n_sites), np.zeros(n_rows)]),
        bounds=Bounds(0, 1),
        options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
    )
    proven = result.mip_dual_bound
    ceiling = reached - scale * proven if proven is not None and np.isfinite(proven) else np.inf
    if result.x is None:
        return Solved(None, None, ceiling)
    plan = inside.copy()
    plan[undecided[result.x[:n_sites] > 0.5]] = True
    return Solved(plan, None, ceiling)


def fewest_sites(
    rows: sparse.csr_array, *, locked: NDArray[np.bool_], barred: NDArray[np.bool_], time_limit_s: float
) -> Solved:
    """Return the fewest sites that cover every row; `locked` are open already and count nothing here."""
    open_rows = rows @ locked.astype(float) > 0
    left = rows[~open_rows]
    if left.shape[0] == 0:
        return Solved(locked.copy(), None, 0.0)
    result = milp(
        (~locked).astype(float),
        constraints=[LinearConstraint(left, 1.0, np.inf)],
        integrality=np.ones(rows.shape[1]),
        bounds=Bounds(locked.astype(float), (~barred).astype(float)),
        options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
    )
    floor = result.mip_dual_bound if result.mip_dual_bound is not None else 0.0
    floor = float(np.ceil(max(floor, 0.0) - 1e-6))
    if result.x is None:
        return Solved(None, None, floor, feasible=result.status != 2)
    return Solved(result.x > 0.5, None, floor)


class Pairs(NamedTuple):
    """Pairs that a programme with shares may use, as columns: demand, site, cost; and what bounds them."""

    demand: NDArray[np.intp]
    site: NDArray[np.intp]
    cost: NDArray[np.float64]
    weights: NDArray[np.float64]
    capacities: NDArray[np.float64]


def shared(
    pairs: Pairs,
    *,
    goal: Goal,
    p: int | None,
    locked: NDArray[np.bool_],
    counted: NDArray[np.bool_],
    time_limit_s: float,
) -> Solved:
    """Return the best plan when demands are shared between sites of limited capacity.

    Parameters
    ----------
    pairs
        The allowed pairs.
    goal
        ``most`` weight served, ``fewest`` sites serving everybody, ``nearest``: least weight × cost, everybody served.
    p
        Number of `counted` sites to open, those already `locked` among them included; ignored by ``fewest``.
    locked, counted
        Sites open in every plan; sites that count among the `p`.
    time_limit_s
        Seconds given to the solver.

    Raises
    ------
    LimitError
        More pairs than `MOST_PAIRS`.
    """
    n_pairs, n_sites, n_demand = len(pairs.cost), len(pairs.capacities), len(pairs.weights)
    if n_pairs > MOST_PAIRS:
        raise LimitError(
            f"{number(n_pairs)} paires demande–lieu : limite de {number(MOST_PAIRS)} pour un calcul à capacités ou à "
            "distances. Réduisez le rayon, regroupez les demandes ou gardez moins de candidats."
        )
    weight = pairs.weights[pairs.demand]
    scale = float(weight.max(initial=0.0)) or 1.0
    row = np.arange(n_pairs)
    served = sparse.csr_array((np.ones(n_pairs), (pairs.demand, n_sites + row)), shape=(n_demand, n_sites + n_pairs))
    opened = sparse.csr_array(
        (np.r_[np.ones(n_pairs), -np.ones(n_pairs)], (np.r_[row, row], np.r_[n_sites + row, pairs.site])),
        shape=(n_pairs, n_sites + n_pairs),
    )
    rules = [LinearConstraint(opened, -np.inf, 0.0)]
    rules.append(LinearConstraint(served, 0.0 if goal == "most" else 1.0, 1.0))
    rules += _loads(pairs, weight / scale, scale)
    if p is not None:
        rules.append(LinearConstraint(np.concatenate([counted.astype(float), np.zeros(n_pairs)])[None, :], p, p))
    if goal == "fewest":
        objective = np.concatenate([(~locked).astype(float), np.zeros(n_pairs)])
    else:
        gain = -weight / scale if goal == "most" else weight / scale * pairs.cost
        objective = np.concatenate([np.zeros(n_sites), gain])
    result = milp(
        objective,
        constraints=rules,
        integrality=np.concatenate([np.ones(n_sites), np.zeros(n_pairs)]),
        bounds=Bounds(np.concatenate([locked.astype(float), np.zeros(n_pairs)]), 1),
        options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
    )
    return _read(result, goal, n_sites, 1.0 if goal == "fewest" else scale)


def _loads(pairs: Pairs, weight: NDArray[np.float64], scale: float) -> list[LinearConstraint]:
    """Return the rules that hold the load of each limited site under its capacity, none while it is closed."""
    n_pairs, n_sites = len(pairs.cost), len(pairs.capacities)
    limited = np.flatnonzero(np.isfinite(pairs.capacities))
    if not len(limited):
        return []
    place = np.full(n_sites, -1)
    place[limited] = np.arange(len(limited))
    used = np.flatnonzero(place[pairs.site] >= 0)
    matrix = sparse.csr_array(
        (
            np.r_[weight[used], -pairs.capacities[limited] / scale],
            (np.r_[place[pairs.site[used]], np.arange(len(limited))], np.r_[n_sites + used, limited]),
        ),
        shape=(len(limited), n_sites + n_pairs),
    )
    return [LinearConstraint(matrix, -np.inf, 0.0)]


def _read(result: object, goal: Goal, n_sites: int, scale: float) -> Solved:
    """Return what a programme with shares gave."""
    solution, proven = getattr(result, "x", None), getattr(result, "mip_dual_bound", None)
    known = -np.inf if proven is None else float(proven)
    limit = -scale * known if goal == "most" else max(scale * known, 0.0)
    if goal == "fewest":
        limit = float(np.ceil(limit - 1e-6))
    if solution is None:
        return Solved(None, None, limit, feasible=getattr(result, "status", 2) != 2)
    return Solved(solution[:n_sites] > 0.5, np.clip(solution[n_sites:], 0.0, 1.0), limit)


def allotted(pairs: Pairs, *, at_least: float | None = None) -> NDArray[np.float64]:
    """Return the share of each pair when every site of `pairs` is open.

    Parameters
    ----------
    pairs
        The allowed pairs.
    at_least
        Weight to serve: the cheapest way to do so is returned. By default, the shares that serve most.
    """
    n_pairs, n_sites, n_demand = len(pairs.cost), len(pairs.capacities), len(pairs.weights)
    if n_pairs == 0:
        return np.zeros(0)
    weight = pairs.weights[pairs.demand]
    scale = float(weight.max(initial=0.0)) or 1.0
    row = np.arange(n_pairs)
    shares = sparse.csr_array((np.ones(n_pairs), (pairs.demand, row)), shape=(n_demand, n_pairs))
    loads = sparse.csr_array((weight / scale, (pairs.site, row)), shape=(n_sites, n_pairs))
    limited = np.isfinite(pairs.capacities)
    rules, limits = [shares, loads[limited]], [np.ones(n_demand), pairs.capacities[limited] / scale]
    objective = -weight / scale
    if at_least is not None:
        # The last digits are left free: the total was itself summed by a solver.
        rules.append(sparse.csr_array(objective[None, :]))
        limits.append(np.array([-(at_least / scale) * (1 - 1e-9) + 1e-9]))
        # A demand of no weight is still taken to its site: serving it is worth more than any way there.
        objective = np.where(weight > 0, weight / scale * pairs.cost, pairs.cost - 1.0 - pairs.cost.max())
    result = linprog(
        objective, A_ub=sparse.vstack(rules).tocsr(), b_ub=np.concatenate(limits), bounds=(0, 1), method="highs"
    )
    if result.x is None:
        raise RuntimeError(f"HiGHS failed on a transport problem that has a solution: {result.message}")
    found: NDArray[np.float64] = np.clip(result.x, 0.0, 1.0)
    return found
