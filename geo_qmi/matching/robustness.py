"""Does the result hold if the weights were others?

Weights are a choice, and a jury should know what hangs on it. `rank_acceptability` draws weights evenly over all
possible ones (and values inside their interval, where a cell is missing) and counts how often each project takes each
rank: stochastic multicriteria acceptability analysis (SMAA; Lahdelma, Hokkanen and Salminen, 1998).
`plan_acceptability` counts the same for the plan. `rank_ranges` and `plan_ranges` move *one* weight from 0 to 1, the
others keeping their proportions (equal when they were all 0), and give the exact interval over which a rank or a
placement holds: totals are straight lines in that weight, so everything changes at crossings only.

Draws are seeded: same seed, same table. Nothing here says which weights are right.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.errors import InfeasibleError, InputError, LimitError, UnknownNameError, shown
from geo_qmi.guards import require_ids
from geo_qmi.matching.conflict import clash
from geo_qmi.matching.optimum import optimum
from geo_qmi.matching.program import SCORE_STEPS, compiled
from geo_qmi.matching.rule_model import Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from geo_qmi.matching.program import Program
    from geo_qmi.matching.rule_model import Rules

#: Two totals closer than this are level: scores are told to the millionth.
_LEVEL = 1e-9
#: Plans that one weight may go through; a call of 168 × 10 goes through a few dozen.
_MOST_PLANS = 2_000


class Cube(NamedTuple):
    """Criteria of every pair: criteria × projects × districts, least and greatest values."""

    names: list[str]
    projects: pd.Index[str]
    districts: pd.Index[str]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def rank_acceptability(
    criteria: Mapping[str, pd.DataFrame],
    *,
    high: Mapping[str, pd.DataFrame] | None = None,
    draws: int = 2_000,
    seed: int = 0,
    most: int | None = None,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> pd.DataFrame:
    """Return how often each project takes each rank in each district, over all possible weights.

    Parameters
    ----------
    criteria
        Criterion → projects × districts in [0, 1]. A pair with a missing criterion is not ranked.
    high
        The same at the upper end, where values are intervals; drawn evenly between both ends.
    draws
        Number of weights drawn; a share is known to ± 1/√draws.
    seed
        Seed of the draws.
    most
        Last rank to tell; all by default.
    announce
        Called before each draw with the French name of the stage, and the share done, 0–1.

    Returns
    -------
    DataFrame
        ``district_id``, ``project_id``, ``rank``, ``acceptability`` (share of the draws, 0–1; level projects share the
        best rank of their group), for shares above 0; sorted by district, rank, falling share, project.

    Raises
    ------
    InputError
        No criterion, values outside 0–1, axes that differ, a number of draws below 1.

    Examples
    --------
    >>> price = pd.DataFrame({"A": [1.0, 0.0]}, index=["p", "q"])
    >>> place = pd.DataFrame({"A": [0.0, 1.0]}, index=["p", "q"])
    >>> found = rank_acceptability({"price": price, "place": place}, draws=4_000)
    >>> found["acceptability"].round(1).tolist()  # p is first when the price weighs more than half
    [0.5, 0.5, 0.5, 0.5]
    """
    cube = _cube(criteria, high)
    weights = drawn_weights(len(cube.names), draws=draws, seed=seed)
    rng = np.random.default_rng([seed, 1])
    n_projects = len(cube.projects)
    counts = np.zeros((len(cube.districts), n_projects, n_projects + 1), dtype=np.int64)
    fixed = bool((cube.high == cube.low)[~np.isnan(cube.low)].all())
    for n_drawn, weight in enumerate(weights):
        announce("Rangs sous d’autres poids", n_drawn / draws)
        values = cube.low if fixed else cube.low + rng.random(cube.low.shape) * (cube.high - cube.low)
        totals = np.round(np.tensordot(weight, values, axes=1), 9)
        for position in range(len(cube.districts)):
            known = np.flatnonzero(~np.isnan(totals[:, position]))
            order = np.sort(-totals[known, position])
            counts[position, known, np.searchsorted(order, -totals[known, position])] += 1
    column, row, rank = np.nonzero(counts)
    table = pd.DataFrame(
        {
            "district_id": cube.districts[column],
            "project_id": cube.projects[row],
            "rank": rank + 1,
            "acceptability": counts[column, row, rank] / draws,
        }
    )
    table = table[table["rank"] <= (most or n_projects)]
    keys = ["district_id", "rank", "acceptability", "project_id"]
    return table.sort_values(keys, ascending=[True, True, False, True], ignore_index=True)


def plan_acceptability(
    criteria: Mapping[str, pd.DataFrame],
    rules: Rules,
    *,
    themes: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    draws: int = 200,
    seed: int = 0,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> pd.DataFrame:
    """Return how often each pair is in the best plan, over all possible weights.

    Parameters
    ----------
    criteria
        Criterion → projects × districts in [0, 1]; NaN is unknown.
    rules, themes, sites
        See `geo_qmi.matching.plan`.
    draws, seed
        Number of weights drawn, one plan each, and their seed.
    announce
        Called before each plan with the French name of the stage, and the share done, 0–1.

    Returns
    -------
    DataFrame
        ``project_id``, ``district_id``, ``acceptability`` (share of the draws), above 0; the most frequent first.

    Raises
    ------
    InputError, InfeasibleError
        See `rank_acceptability` and `geo_qmi.matching.plan`.
    """
    cube = _cube(criteria, None)
    program = _posed(cube, rules, themes, sites)
    lines = _lines(cube, program)
    counts = np.zeros(program.n_pairs, dtype=np.int64)
    for n_drawn, weight in enumerate(drawn_weights(len(cube.names), draws=draws, seed=seed)):
        announce(f"Plan sous d’autres poids : {n_drawn + 1} sur {draws}", n_drawn / draws)
        counts += _best(program, np.rint(weight @ lines))[: program.n_pairs]
    seen = np.flatnonzero(counts)
    table = pd.DataFrame(
        {
            "project_id": program.project_ids[program.project[seen]],
            "district_id": program.district_ids[program.district[seen]],
            "acceptability": counts[seen] / draws,
        }
    )
    return table.sort_values(
        ["acceptability", "project_id", "district_id"], ascending=[False, True, True], ignore_index=True
    )


def rank_ranges(
    criteria: Mapping[str, pd.DataFrame], weights: Mapping[str, float], *, district_id: str
) -> pd.DataFrame:
    """Return the interval of each weight, alone, over which each project keeps its rank in a district.

    Parameters
    ----------
    criteria
        Criterion → projects × districts in [0, 1].
    weights
        Criterion → weight, brought to a sum of 1.
    district_id
        The district.

    Returns
    -------
    DataFrame
        ``criterion``, ``project_id``, ``rank`` (1 is the best, level ones share it), ``weight`` (now), ``from``,
        ``to``: exact ends, in 0–1, beyond which the rank changes.

    Raises
    ------
    InputError, UnknownNameError
        See `rank_acceptability`; weights that are negative, all zero or of unknown criteria; an unknown district.

    Examples
    --------
    >>> price = pd.DataFrame({"A": [1.0, 0.0]}, index=["p", "q"])
    >>> place = pd.DataFrame({"A": [0.4, 0.8]}, index=["p", "q"])
    >>> found = rank_ranges({"price": price, "place": place}, {"price": 1.0, "place": 1.0}, district_id="A")
    >>> first = found.iloc[0]  # 0.4 + 0.6 t = 0.8 − 0.8 t at t = 2/7
    >>> first["project_id"], int(first["rank"]), round(float(first["from"]), 4), float(first["to"])
    ('p', 1, 0.2857, 1.0)
    """
    cube = _cube(criteria, None)
    current = _weights(cube, weights)
    if district_id not in cube.districts:
        raise UnknownNameError(f"Quartier « {shown(district_id)} » inconnu. Connus : {', '.join(cube.districts)}.")
    values = cube.low[:, :, list(cube.districts).index(district_id)]
    known = np.flatnonzero(~np.isnan(values).any(axis=0))
    found = []
    projects = list(cube.projects[known])
    for criterion, name in enumerate(cube.names):
        at_zero, at_one = (direction @ values[:, known] for direction in _ends(current, criterion))
        now = float(current[criterion])
        totals = at_zero + now * (at_one - at_zero)
        for position, project_id in enumerate(projects):
            low, high = _rank_range(at_zero, at_one, position, now)
            rank = int((totals > totals[position] + _LEVEL).sum()) + 1
            found.append((name, project_id, rank, now, low, high))
    found.sort(key=lambda row: (cube.names.index(row[0]), row[2], row[1]))
    columns = ["criterion", "project_id", "rank", "weight", "from", "to"]
    return pd.DataFrame(found, columns=columns).astype({"criterion": "str", "project_id": "str"})


def plan_ranges(
    criteria: Mapping[str, pd.DataFrame],
    weights: Mapping[str, float],
    *,
    rules: Rules,
    criterion: str,
    themes: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    announce: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Return, as one weight goes from 0 to 1, the best plans and the exact weights at which they change.

    Parameters
    ----------
    criteria
        Criterion → projects × districts in [0, 1]; NaN is unknown.
    weights
        Criterion → weight, brought to a sum of 1; the others keep their proportions as one moves.
    rules, themes, sites
        See `geo_qmi.matching.plan`; the objective is the weighted total.
    criterion
        Whose weight moves.
    announce
        Called before each plan; how many there will be is not known.

    Returns
    -------
    DataFrame
        ``project_id``, ``district_id``, ``from``, ``to``: each interval of the weight over which the pair is in the
        best plan; sorted. The line of `now` (the weight given) is read in the same table.

    Raises
    ------
    InputError, UnknownNameError, InfeasibleError
        See `rank_ranges` and `geo_qmi.matching.plan`.
    """
    cube = _cube(criteria, None)
    current = _weights(cube, weights)
    if criterion not in cube.names:
        raise UnknownNameError(f"Critère « {shown(criterion)} » inconnu. Connus : {', '.join(cube.names)}.")
    program = _posed(cube, rules, themes, sites)
    lines = _lines(cube, program)
    zero, one = (direction @ lines for direction in _ends(current, cube.names.index(criterion)))
    path = _path(program, zero, one, announce=announce)
    found: dict[int, list[list[float]]] = {}
    for start, end, chosen in path:
        for pair in np.flatnonzero(chosen[: program.n_pairs]):
            spans = found.setdefault(int(pair), [])
            if spans and abs(spans[-1][1] - start) <= _LEVEL:
                spans[-1][1] = end
            else:
                spans.append([start, end])
    rows = [
        (program.project_ids[program.project[pair]], program.district_ids[program.district[pair]], *span)
        for pair, spans in found.items()
        for span in spans
    ]
    table = pd.DataFrame(rows, columns=["project_id", "district_id", "from", "to"])
    return table.astype({"project_id": "str", "district_id": "str", "from": "float64", "to": "float64"}).sort_values(
        ["project_id", "district_id", "from"], ignore_index=True
    )


def drawn_weights(n: int, *, draws: int, seed: int) -> NDArray[np.float64]:
    """Return weights drawn evenly over the simplex: draws × criteria, each row of sum 1."""
    if draws < 1:
        raise InputError(f"Nombre de tirages : « {shown(draws)} ». Attendu : 1 au moins.")
    drawn: NDArray[np.float64] = np.random.default_rng(seed).exponential(size=(draws, n))
    drawn /= drawn.sum(axis=1, keepdims=True)
    return drawn


def _cube(criteria: Mapping[str, pd.DataFrame], high: Mapping[str, pd.DataFrame] | None) -> Cube:
    """Return the criteria on common sorted axes, or raise `InputError`."""
    if not criteria:
        raise InputError("Critères : aucun. Donnez au moins un critère.")
    names = list(criteria)
    upper = criteria if high is None else high
    if set(upper) != set(names):
        raise InputError("Critères : les bornes basses et hautes ne nomment pas les mêmes critères.")
    first = criteria[names[0]]
    require_ids(first.index, what="Critères, projets")
    require_ids(first.columns, what="Critères, quartiers")
    axes = first.sort_index(axis=0).sort_index(axis=1).axes
    stacks = []
    for ends in (criteria, upper):
        frames = []
        for name in names:
            frame = ends[name]
            if set(frame.index) != set(axes[0]) or set(frame.columns) != set(axes[1]) or frame.shape != first.shape:
                raise InputError(
                    f"Critère « {shown(name)} » : ses projets ou ses quartiers ne sont pas ceux des autres."
                )
            frames.append(frame.loc[axes[0], axes[1]].to_numpy(dtype="float64"))
        stacks.append(np.array(frames))
    low, top = stacks
    wrong = ~np.isnan(low) & ~((low >= 0) & (top <= 1) & (low <= top))
    if wrong.any():
        where = np.argwhere(wrong)[0]
        raise InputError(
            f"Critère « {shown(names[where[0]])} » : {low[tuple(where)]:g} à {top[tuple(where)]:g} pour le projet "
            f"{shown(axes[0][where[1]])}. Attendu : un intervalle dans 0–1."
        )
    return Cube(names, pd.Index(axes[0].astype("str")), pd.Index(axes[1].astype("str")), low, top)


def _weights(cube: Cube, weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Return weights of sum 1 in the order of the criteria, or raise an error."""
    unknown = sorted(set(weights) - set(cube.names))
    if unknown:
        raise UnknownNameError(f"Poids : critère « {shown(unknown[0])} » inconnu. Connus : {', '.join(cube.names)}.")
    found = np.array([float(weights.get(name, 0.0)) for name in cube.names])
    if not np.isfinite(found).all() or (found < 0).any() or found.sum() <= 0:
        raise InputError("Poids : attendu des nombres positifs ou nuls, dont un au moins n’est pas nul.")
    found /= found.sum()
    return found


def _ends(current: NDArray[np.float64], criterion: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weights when that of one criterion is 0 (the others in proportion, or equal), and when it is 1."""
    others = current.copy()
    others[criterion] = 0.0
    if others.sum() <= 0:
        others = np.ones(len(current))
        others[criterion] = 1.0 if len(current) == 1 else 0.0
    alone = np.zeros(len(current))
    alone[criterion] = 1.0
    return others / others.sum(), alone


def _rank_range(
    at_zero: NDArray[np.float64], at_one: NDArray[np.float64], position: int, now: float
) -> tuple[float, float]:
    """Return the interval around `now` over which nobody crosses one project."""
    gap_zero, gap_one = at_zero - at_zero[position], at_one - at_one[position]
    slope = gap_one - gap_zero
    moving = np.abs(slope) > _LEVEL
    crossings = -gap_zero[moving] / slope[moving]
    inside = crossings[(crossings >= 0) & (crossings <= 1)]
    below, above = inside[inside <= now + _LEVEL], inside[inside >= now - _LEVEL]
    return float(below.max(initial=0.0)), float(above.min(initial=1.0))


def _posed(cube: Cube, rules: Rules, themes: pd.DataFrame | None, sites: pd.DataFrame | None) -> Program:
    """Return the program of the rules, to be given an objective."""
    known = pd.DataFrame(
        np.where(np.isnan(cube.low).any(axis=0), np.nan, 0.0), index=cube.projects, columns=cube.districts
    )
    weighted = rules.model_copy(update={"objective": Objective()})
    program = compiled(known, weighted, themes=themes, sites=sites)
    found = clash(known, weighted, themes=themes)
    if found is not None:
        raise InfeasibleError(found.sentence)
    return program


def _lines(cube: Cube, program: Program) -> NDArray[np.float64]:
    """Return criteria × variables, in millionths; a synergy earns its bonus whatever the weights."""
    pairs = np.nan_to_num(cube.low[:, program.project, program.district]) * SCORE_STEPS
    bonus = np.tile(program.main[program.n_pairs :], (len(cube.names), 1))
    return np.concatenate([pairs, bonus], axis=1)


def _best(program: Program, gain: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a best plan for one objective."""
    best = optimum(replace(program, objectives={"points": gain}), settle=False)
    if best is None:
        raise RuntimeError("no plan though the rules do not clash")
    return best.chosen


def _path(
    program: Program, zero: NDArray[np.float64], one: NDArray[np.float64], *, announce: Callable[[], None]
) -> list[tuple[float, float, NDArray[np.bool_]]]:
    """Return (from, to, plan) in order: the upper edge of the lines that plans draw as the weight moves.

    Between two plans, the weight at which they are level is tried: either no plan beats them there, and it is where
    one gives way to the other, or one does, and both halves are looked at in turn (Eisner and Severance, 1976).
    """

    def line(chosen: NDArray[np.bool_]) -> tuple[float, float]:
        return float(zero[chosen].sum()), float(one[chosen].sum())

    def at(weight: float) -> NDArray[np.bool_]:
        announce()
        return _best(program, zero + weight * (one - zero))

    first = at(0.0)
    breaks: list[tuple[float, NDArray[np.bool_]]] = []
    work = [(first, at(1.0))]
    while work and len(breaks) < _MOST_PLANS:
        left, right = work.pop()
        (a0, a1), (b0, b1) = line(left), line(right)
        fall = (a0 - b0) + (b1 - a1)
        if fall <= SCORE_STEPS * _LEVEL:
            continue
        weight = (a0 - b0) / fall
        middle = at(weight)
        level = a0 + weight * (a1 - a0)
        m0, m1 = line(middle)
        if m0 + weight * (m1 - m0) <= level + SCORE_STEPS * _LEVEL:
            breaks.append((weight, right))
        else:
            work += [(left, middle), (middle, right)]
    if work:
        raise LimitError(
            f"Plus de {_MOST_PLANS} plans se succèdent quand ce poids varie. Comparez moins de candidatures."
        )
    breaks.sort(key=lambda turn: turn[0])
    starts = [(0.0, first), *breaks]
    stops = [weight for weight, _ in breaks] + [1.0]
    return [(start, stop, plan) for (start, plan), stop in zip(starts, stops, strict=True) if stop > start]
