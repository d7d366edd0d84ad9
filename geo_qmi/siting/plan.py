"""Where should the next sites go, who do they serve, and how sure is it that no other plan does better?

Three questions on one `Problem`: the sites that cover most (`maximal_covering`), the fewest that cover everybody
(`set_covering`), the nearest on average (`p_median`). Each answer names its sites, who is served by which, and the
bound that no plan can pass; a question without answer is refused with the demand that breaks it and the smallest
radius that works (see `geo_qmi.siting.feasibility`).

Ties: sites are compared by identifier. Where the plans are few all are tried, and of equal ones the first is kept.
Elsewhere, among plans of equal value that differ by one site the first identifier is kept; equal plans that differ by
two sites or more are settled by the solver, always the same way for the same data.

Limits: a plan found before the time limit of the solver may differ from one machine to another; its gap says so. The
models know costs and weights, not the permission of anybody: see `geo_qmi.siting.permits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from geo_qmi.errors import InfeasibleError, InputError, shown
from geo_qmi.siting import exact
from geo_qmi.siting.cover import Cover, bound, cover, exchanged, greedy, least_sites, rebuilt
from geo_qmi.siting.feasibility import refuse_radius, too_few
from geo_qmi.siting.flows import Flows, demand_rows, flows_of, pairs_within, site_rows
from geo_qmi.siting.median import exchanged_median, greedy_median, median_bound, ways
from geo_qmi.wording import counted, number, percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo_qmi.siting.problem import Problem

Method = Literal["auto", "exact", "heuristic"]

#: Demands × sites up to which the exact programme is tried by default: twelve seconds on a laptop at this size.
EXACT_CELLS = 10_000_000
#: Pairs up to which the exact p-median is tried by default.
EXACT_MEDIAN_PAIRS = 60_000
#: Plans up to which all are tried one after the other: quicker than any bound.
_FEW_PLANS = 500
#: Two values closer than this part of the larger are equal.
_PROVEN = 1e-9
#: The same for a value that a solver summed from continuous shares: its own tolerance.
_PROVEN_SHARED = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Siting:
    """A plan.

    Attributes
    ----------
    sites
        Indexed by ``site_id``, the open sites sorted: ``role`` (``deployed``, ``fixed``, ``chosen``), ``n_demand``
        served, ``weight`` served, ``capacity`` (missing when unlimited).
    demand
        Indexed by ``demand_id``, all of them: ``served`` (share in 0–1), ``site_id`` of the site that serves most of
        it (missing when none), ``cost`` to that site in the unit of the problem.
    flows
        ``demand_id``, ``site_id``, ``share``: every demand and site that go together.
    value
        Weight served (maximal covering), number of sites besides those deployed (set covering), or mean cost.
    bound
        No plan passes this value.
    gap
        Distance from the value to the bound, as a part of the larger of the two.
    status
        ``optimal`` (the gap is nil) or ``bounded``.
    method
        ``exact`` or ``heuristic``: who had the last word.
    sentence
        All this for a reader, in French.
    """

    sites: pd.DataFrame
    demand: pd.DataFrame
    flows: pd.DataFrame
    value: float
    bound: float
    gap: float
    status: str
    method: str
    sentence: str


class _Found(NamedTuple):
    """Open sites (positions), the bound, who found them, and the shares where capacities bind."""

    sites: list[int]
    bound: float
    method: str
    pairs: exact.Pairs | None = None


def maximal_covering(
    problem: Problem, *, p: int, radius: float, method: Method = "auto", time_limit_s: float = 60.0
) -> Siting:
    """Choose the `p` sites that bring most weight within `radius`.

    Church and ReVelle 1974; with capacities, a demand may be shared between sites.

    Parameters
    ----------
    problem
        Demands, sites, costs.
    p
        Sites to open, the fixed ones included, the deployed ones not.
    radius
        Largest cost that still serves, included, in the unit of the costs.
    method
        ``exact`` (HiGHS), ``heuristic`` (greedy, exchanges, bound) or ``auto``: exact up to 10 000 × 1 000. With
        capacities HiGHS always has the last word.
    time_limit_s
        Seconds given to HiGHS; what it proved by then is the bound.

    Raises
    ------
    InputError
        `p` below the number of fixed sites or above the number of candidates; a negative radius.
    LimitError
        Too many pairs for a model with capacities.

    Examples
    --------
    >>> from geo_qmi.siting import from_matrix
    >>> costs = pd.DataFrame({"s": [100.0, 400.0, 400.0], "t": [400.0, 100.0, 100.0]}, index=["a", "b", "c"])
    >>> plan = maximal_covering(from_matrix(costs, weights=pd.Series({"a": 5, "b": 2, "c": 2})), p=1, radius=250)
    >>> plan.sites.index.tolist(), plan.value, plan.gap
    (['s'], 5.0, 0.0)
    """
    _check(problem, p=p, radius=radius, method=method, time_limit_s=time_limit_s)
    if problem.capacities is not None:
        found = _shared(problem, "most", p=p, radius=radius, time_limit_s=time_limit_s)
    else:
        found = _most_covered(problem, p=p, radius=radius, method=method, time_limit_s=time_limit_s)
    flows = flows_of(problem, found.sites, radius=radius, shared=found.pairs)
    value = float((problem.weights[flows.demand] * flows.share).sum())
    total = float(problem.weights.sum())
    share = f" ({percent(value / total)})" if total else ""
    words = f"{_opened(problem, p)} : {_amount(value)} sur {_amount(total)}{share} à {_within(problem, radius)}."
    return _siting(problem, flows, (value, max(found.bound, value)), found, words)


def set_covering(problem: Problem, *, radius: float, method: Method = "auto", time_limit_s: float = 60.0) -> Siting:
    """Choose the fewest sites that bring everybody within `radius`.

    Toregas and others 1971. Weights do not count, except against capacities.

    Parameters
    ----------
    problem, radius, method, time_limit_s
        See `maximal_covering`.

    Raises
    ------
    InfeasibleError
        Some demand stays out of reach, or the capacities do not suffice: the sentence names it and gives the smallest
        radius that works.
    InputError
        A negative radius.
    """
    _check(problem, p=None, radius=radius, method=method, time_limit_s=time_limit_s)
    refuse_radius(problem, radius)
    if problem.capacities is not None:
        found = _shared(problem, "fewest", p=None, radius=radius, time_limit_s=time_limit_s)
    else:
        found = _fewest(problem, radius=radius, method=method, time_limit_s=time_limit_s)
    flows = flows_of(problem, found.sites, radius=radius, shared=found.pairs)
    value = float(np.sum(~problem.deployed[found.sites]))
    floor = max(min(found.bound, value), 0.0)
    words = f"{_opened(problem, int(value))} pour mettre chacun à {_within(problem, radius)}."
    return _siting(problem, flows, (value, floor), found, words)


def p_median(
    problem: Problem, *, p: int, radius: float = np.inf, method: Method = "auto", time_limit_s: float = 60.0
) -> Siting:
    """Choose the `p` sites with the least mean cost, everybody served.

    Hakimi 1964. Trap: a mean hides the worst served; read ``demand["cost"].max()`` beside it.

    Parameters
    ----------
    problem, p, method, time_limit_s
        See `maximal_covering`; ``auto`` is exact up to 60 000 pairs.
    radius
        Largest cost allowed; no limit by default.

    Raises
    ------
    InfeasibleError
        No `p` sites serve everybody.
    InputError, LimitError
        See `maximal_covering`; also a full table of more than thirty million cells.
    """
    _check(problem, p=p, radius=radius, method=method, time_limit_s=time_limit_s)
    total = float(problem.weights.sum())
    if total == 0:
        raise InputError("Toutes les demandes pèsent zéro : aucune distance moyenne. Donnez un poids à l’une au moins.")
    refuse_radius(problem, radius)
    if problem.capacities is not None:
        found = _shared(problem, "nearest", p=p, radius=radius, time_limit_s=time_limit_s)
    else:
        found = _nearest(problem, p=p, radius=radius, method=method, time_limit_s=time_limit_s)
    flows = flows_of(problem, found.sites, radius=radius, shared=found.pairs)
    if len(flows.demand) == 0 or np.bincount(flows.demand, minlength=len(problem.weights)).min() == 0:
        if found.method == "exact":
            raise InfeasibleError(too_few(problem, p))
        raise InfeasibleError(
            f"Aucun plan trouvé : l’heuristique ne sert pas tout le monde avec {counted(p, 'lieu')}, sans prouver que "
            "c’est impossible. Essayez la méthode exacte, plus de lieux ou un rayon plus large."
        )
    value = float((problem.weights[flows.demand] * flows.share * flows.cost).sum()) / total
    words = f"{_opened(problem, p)} : {number(value)} {problem.unit} en moyenne{_ground(problem)}."
    return _siting(problem, flows, (value, max(min(found.bound / total, value), 0.0)), found, words)


def _most_covered(problem: Problem, *, p: int, radius: float, method: Method, time_limit_s: float) -> _Found:
    """Return the plan that covers most: heuristic first, HiGHS on what it could not settle."""
    table = cover(problem.costs, problem.weights, radius=radius)
    locked, barred = problem.locked, np.zeros(len(problem.site_ids), dtype=bool)
    new = p - int(problem.fixed.sum())
    if method == "auto" and comb(int((~locked).sum()), new) <= _FEW_PLANS:
        plan, value = _best_of_all(locked, new, score=table.value)
        return _Found(plan, value, "exact")
    plan = exchanged(table, greedy(table, p=new, locked=locked, barred=barred), locked=locked, barred=barred)
    small = table.rows.shape[0] * table.n_sites <= EXACT_CELLS
    quick = method == "heuristic" or (method == "auto" and not small)
    # A nearer bound settles more sites before HiGHS starts.
    found = bound(table, p=new, locked=locked, barred=barred, start=plan, times=1.0 if quick else 1.5)
    plan = exchanged(table, found.plan, locked=locked, barred=barred)
    plan = rebuilt(table, plan, ceiling=found.value, locked=locked, barred=barred)
    value = table.value(plan)
    if quick:
        return _Found(plan, found.value, "heuristic")
    if found.value - value <= _PROVEN * found.value:
        return _Found(plan, found.value, "exact")
    inside, outside = exact.settled(found, p=new, value=value, locked=locked, barred=barred)
    left = new - int((inside & ~locked).sum())
    solved = exact.most_covered(table, p=left, inside=inside, outside=outside, time_limit_s=time_limit_s)
    # What was set aside cannot beat the plan in hand: the bound of the rest holds for all.
    ceiling = min(found.value, max(solved.bound, value))
    if solved.sites is not None:
        rival = exchanged(table, np.flatnonzero(solved.sites).tolist(), locked=locked, barred=barred)
        plan = rival if table.value(rival) >= value else plan
    return _Found(plan, ceiling, "exact")


def _best_of_all(
    locked: NDArray[np.bool_], new: int, *, score: Callable[[list[int]], float]
) -> tuple[list[int], float]:  # fmt: skip
    """Return the plan of `new` sites besides the locked ones with the highest score; of equals, the first."""
    there = np.flatnonzero(locked).tolist()
    plans = [sorted([*there, *more]) for more in combinations(np.flatnonzero(~locked).tolist(), new)]
    values = [score(plan) for plan in plans]
    best = max(values)
    near = best - _PROVEN * abs(best)
    first = next(place for place, value in enumerate(values) if value >= near)
    return plans[first], values[first]


def _fewest(problem: Problem, *, radius: float, method: Method, time_limit_s: float) -> _Found:
    """Return the fewest sites that cover everybody."""
    table = cover(problem.costs, problem.weights, radius=radius)
    table = table._replace(weights=np.ones(len(table.weights)))
    locked, barred = problem.locked, np.zeros(len(problem.site_ids), dtype=bool)
    small = table.rows.shape[0] * table.n_sites <= EXACT_CELLS
    n_deployed = int(problem.deployed.sum())
    if method == "exact" or (method == "auto" and small):
        solved = exact.fewest_sites(table.rows, locked=locked, barred=barred, time_limit_s=time_limit_s)
        floor = solved.bound + int(problem.fixed.sum())
        if solved.sites is not None:
            plan = exchanged(table, np.flatnonzero(solved.sites).tolist(), locked=locked, barred=barred)
            return _Found(plan, floor, "exact")
    else:
        left = table.rows[~(table.counts(np.flatnonzero(locked).tolist()) > 0)]
        rest = cover(left, np.ones(left.shape[0]), radius=np.inf)
        floor = float(np.ceil(least_sites(rest, free=~locked) - 1e-6)) + int(problem.fixed.sum())
    plan = greedy(table, p=_enough(table, locked), locked=locked, barred=barred)
    while len(plan) - n_deployed > floor:
        # One site less: is there still a plan that leaves nobody out?
        fewer = greedy(table, p=len(plan) - 1 - int(locked.sum()), locked=locked, barred=barred)
        fewer = exchanged(table, fewer, locked=locked, barred=barred)
        fewer = rebuilt(table, fewer, ceiling=float(len(table.weights)), locked=locked, barred=barred)
        if table.value(fewer) < len(table.weights):
            break
        plan = fewer
    return _Found(exchanged(table, plan, locked=locked, barred=barred), floor, "heuristic")


def _enough(table: Cover, locked: NDArray[np.bool_]) -> int:
    """Return how many sites the greedy rule opens until everybody is covered."""
    barred = np.zeros(table.n_sites, dtype=bool)
    low, high = 0, int((~locked).sum())
    while low < high:
        middle = (low + high) // 2
        plan = greedy(table, p=middle, locked=locked, barred=barred)
        low, high = (low, middle) if table.value(plan) >= len(table.weights) else (middle + 1, high)
    return high


def _nearest(problem: Problem, *, p: int, radius: float, method: Method, time_limit_s: float) -> _Found:
    """Return the plan of least total cost."""
    costs, kept = problem.costs, problem.costs.data <= radius
    if not kept.all():
        indptr = np.concatenate([[0], np.cumsum(kept)])[costs.indptr]
        costs = sparse.csr_array((costs.data[kept], costs.indices[kept], indptr), shape=costs.shape)
    table, locked, new = ways(costs, problem.weights), problem.locked, p - int(problem.fixed.sum())
    if method == "auto" and new + locked.sum() > 0 and comb(int((~locked).sum()), new) <= _FEW_PLANS:
        plan, value = _best_of_all(locked, new, score=lambda sites: -table.total(sites))
        return _Found(plan, -value, "exact")
    plan = greedy_median(table, p=new, locked=locked)
    if not plan:
        raise InfeasibleError(too_few(problem, p))
    plan = exchanged_median(table, plan, locked=locked)
    floor, plan = median_bound(table, plan, p=new, locked=locked)
    plan = exchanged_median(table, plan, locked=locked)
    value = table.total(plan)
    exactly = method == "exact" or (method == "auto" and costs.nnz <= EXACT_MEDIAN_PAIRS)
    if not exactly or value - floor <= _PROVEN * value:
        return _Found(plan, floor, "exact" if exactly else "heuristic")
    found = _shared(problem, "nearest", p=p, radius=radius, time_limit_s=time_limit_s, fallback=plan)
    rival = exchanged_median(table, found.sites, locked=locked)
    best = rival if table.total(rival) <= value * (1 + _PROVEN) else plan
    return _Found(best, max(found.bound, floor), "exact")


def _shared(
    problem: Problem,
    goal: exact.Goal,
    *,
    p: int | None,
    radius: float,
    time_limit_s: float,
    fallback: list[int] | None = None,
) -> _Found:
    """Return the plan of a programme with shares; `fallback` where time ran out before the first one."""
    pairs = pairs_within(problem, radius)
    solved = exact.shared(
        pairs, goal=goal, p=p, locked=problem.locked, counted=~problem.deployed, time_limit_s=time_limit_s
    )
    if solved.sites is None:
        if fallback is not None:
            return _Found(fallback, solved.bound, "heuristic")
        if not solved.feasible:
            raise InfeasibleError(too_few(problem, p))
        raise InfeasibleError(
            f"Aucun plan trouvé en {number(time_limit_s)} s. Accordez plus de temps, réduisez le rayon ou gardez "
            "moins de candidats."
        )
    return _Found(np.flatnonzero(solved.sites).tolist(), solved.bound, "exact", _open_pairs(problem, pairs, solved))


def _open_pairs(problem: Problem, pairs: exact.Pairs, solved: exact.Solved) -> exact.Pairs | None:
    """Return the pairs of open sites, once capacities make sharing matter."""
    if problem.capacities is None or solved.sites is None:
        return None
    kept = solved.sites[pairs.site]
    return pairs._replace(demand=pairs.demand[kept], site=pairs.site[kept], cost=pairs.cost[kept])


def _siting(problem: Problem, flows: Flows, values: tuple[float, float], found: _Found, words: str) -> Siting:
    """Return the plan as frames."""
    value, limit = values
    largest = max(abs(value), abs(limit))
    gap = abs(limit - value) / largest if largest else 0.0
    gap = 0.0 if gap <= (_PROVEN if found.pairs is None else _PROVEN_SHARED) else gap
    proof = "Optimum prouvé." if gap == 0 else f"Borne {_amount(limit)}, écart {percent(gap)}."
    return Siting(
        sites=site_rows(problem, flows, sites=found.sites),
        demand=demand_rows(problem, flows),
        flows=pd.DataFrame(
            {
                "demand_id": problem.demand_ids[flows.demand],
                "site_id": problem.site_ids[flows.site],
                "share": flows.share,
            }
        ),
        value=value,
        bound=limit,
        gap=gap,
        status="optimal" if gap == 0 else "bounded",
        method=found.method,
        sentence=f"{words} {proof}",
    )


def _check(problem: Problem, *, p: int | None, radius: float, method: str, time_limit_s: float) -> None:
    """Raise `InputError` for a question that makes no sense."""
    if not radius >= 0:  # also NaN
        raise InputError(f"Rayon : « {shown(radius)} ». Attendu : un nombre positif ou nul, en {problem.unit}.")
    if method not in {"auto", "exact", "heuristic"}:
        raise InputError(f"Méthode : « {shown(method)} ». Attendu : auto, exact ou heuristic.")
    if not time_limit_s > 0:
        raise InputError(f"Temps accordé : « {shown(time_limit_s)} ». Attendu : un nombre de secondes positif.")
    if p is None:
        return
    n_fixed, n_free = int(problem.fixed.sum()), int((~problem.deployed).sum())
    if isinstance(p, bool) or not isinstance(p, int | np.integer) or not n_fixed <= p <= n_free:
        raise InputError(
            f"Nombre de lieux : « {shown(p)} ». Attendu : un entier de {n_fixed} (lieux à garder) à {n_free} "
            "(candidats, hors lieux déjà déployés)."
        )


def _opened(problem: Problem, n: int) -> str:
    """Return how many sites open, and how many are there already."""
    n_deployed = int(problem.deployed.sum())
    there = f", avec {number(n_deployed)} déjà déployé{'s' if n_deployed > 1 else ''}" if n_deployed else ""
    return f"{counted(n, 'lieu')}{there}"


def _within(problem: Problem, radius: float) -> str:
    """Return the radius in words."""
    limit = f"{number(radius)} {problem.unit} au plus" if np.isfinite(radius) else "toute distance"
    return f"{limit}{_ground(problem)}"


def _ground(problem: Problem) -> str:
    """Return how the costs were measured, to follow a figure."""
    return f", {problem.ground}" if problem.ground else ""


def _amount(value: float) -> str:
    """Return an amount with the decimals that still say something."""
    return number(value, digits=0 if value >= 1000 else 1 if value >= 100 else 2)
