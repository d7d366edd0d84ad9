"""How far is the best plan the only reasonable one?

`near_plans` lists the plans worth almost as much as the best, the pairs common to *all* of them (the safe core, which a
jury may announce without fear) and the pairs that vary. The list is bounded and says when it stopped; the core is exact
all the same, for it is asked from the solver and not read from the list. Why one project is not in one district is told
by `geo_qmi.matching.refusals`.

Points are those of the first objective of the rules. Nothing here prefers a plan to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.errors import InfeasibleError, InputError, shown
from geo_qmi.matching.conflict import clash_sentence
from geo_qmi.matching.optimum import branched, optimum, other_than, without_hope
from geo_qmi.matching.program import compiled
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from geo_qmi.matching.program import Program
    from geo_qmi.matching.rule_model import Rules


#: A plan that grants a tenth of a wish is enough: the question is put again for the rest.
_HASTE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class NearPlans:
    """The plans worth almost as much as the best.

    Attributes
    ----------
    plans
        ``plan`` (1 is the best), ``points``, ``lost``: one row a plan, the best first.
    rows
        ``plan``, ``project_id``, ``district_id``.
    core
        ``project_id``, ``district_id``: in every plan worth enough, listed or not.
    varying
        ``project_id``, ``district_id``, ``in_best``: in some of these plans, not in all.
    complete
        Whether every such plan is listed.
    every_pair
        Whether `varying` holds all the pairs that vary, and not only those met on the way.
    sentence
        The whole in French.
    """

    plans: pd.DataFrame
    rows: pd.DataFrame
    core: pd.DataFrame
    varying: pd.DataFrame
    complete: bool
    every_pair: bool
    sentence: str


def near_plans(  # noqa: PLR0913 — what a plan takes, then what is asked of it
    scores: pd.DataFrame,
    rules: Rules,
    *,
    themes: pd.DataFrame | None = None,
    criteria: Mapping[str, pd.DataFrame] | None = None,
    sites: pd.DataFrame | None = None,
    within: float = 0.01,
    limit: int = 50,
    every_pair: bool = False,
    time_limit_s: float = 60.0,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> NearPlans:
    """Return the plans that lose at most a share `within` of the points of the best.

    Parameters
    ----------
    scores, rules, themes, criteria, sites, time_limit_s
        See `geo_qmi.matching.plan`.
    within
        Share of the points that may be lost, in 0–1.
    limit
        Most plans to list; the core does not depend on it.
    every_pair
        Look for all the pairs that vary when the list stops early: about one solve for each, minutes for a large call.
    announce
        Called between two solves with the French name of each stage and the share done, 0–1.

    Raises
    ------
    InputError, InfeasibleError, LimitError
        See `geo_qmi.matching.plan`; also a share outside 0–1 or a limit below 1.

    Examples
    --------
    >>> from geo_qmi.matching.rules import rules_from
    >>> scores = pd.DataFrame({"A": [0.9, 0.500, 0.498]}, index=["p", "q", "r"])
    >>> found = near_plans(scores, rules_from({"quotas": {"low": 2, "high": 2}}))
    >>> found.plans["points"].tolist(), found.core["project_id"].tolist(), found.varying["project_id"].tolist()
    ([1.4, 1.398], ['p'], ['q', 'r'])
    """
    if not 0 <= within <= 1:
        raise InputError(f"Écart au meilleur plan : « {shown(within)} ». Attendu : une part entre 0 et 1.")
    if limit < 1:
        raise InputError(f"Nombre de plans à lister : « {shown(limit)} ». Attendu : 1 au moins.")
    program = compiled(scores, rules, themes=themes, criteria=criteria, sites=sites)
    announce("Meilleur plan", 0.0)
    best = optimum(program, time_limit_s=time_limit_s)
    if best is None:
        raise InfeasibleError(clash_sentence(scores, rules, themes=themes, time_limit_s=time_limit_s))
    if program.n_pairs == 0:
        found, complete = [best.chosen], True
        always = possible = best.chosen
    else:
        least = float(np.ceil(best.reached[0] - within * abs(best.reached[0]) - 1e-6))
        near = without_hope(program, program.main, least=least)
        found, complete = _listed(near, best.chosen, limit=limit, time_limit_s=time_limit_s, announce=announce)
        always = np.logical_and.reduce(found)[: program.n_pairs]
        possible = np.logical_or.reduce(found)[: program.n_pairs]
        if not complete:
            always, met = _always(near, always, time_limit_s=time_limit_s, announce=announce)
            possible = possible | met
        if every_pair and not complete:
            possible = _possible(near, possible, time_limit_s=time_limit_s, announce=announce)
    varying = _pairs(program, possible & ~always)
    varying["in_best"] = best.chosen[: program.n_pairs][possible & ~always]
    points = np.array([program.points(float(program.main[chosen].sum())) for chosen in found])
    rows = [_pairs(program, chosen[: program.n_pairs]).assign(plan=n) for n, chosen in enumerate(found, start=1)]
    plans = pd.DataFrame({"plan": np.arange(1, len(found) + 1), "points": points, "lost": points[0] - points})
    return NearPlans(
        plans=plans.round({"points": 6, "lost": 6}),
        rows=pd.concat(rows, ignore_index=True)[["plan", "project_id", "district_id"]],
        core=_pairs(program, always),
        varying=varying,
        complete=complete,
        every_pair=complete or every_pair,
        sentence=_near_sentence(
            n_plans=len(found),
            n_core=int(always.sum()),
            n_varying=len(varying),
            within=within,
            complete=complete,
            every_pair=complete or every_pair,
        ),
    )


def _listed(
    near: Program,
    best: NDArray[np.bool_],
    *,
    limit: int,
    time_limit_s: float,
    announce: Callable[[str, float], None],
) -> tuple[list[NDArray[np.bool_]], bool]:
    """Return up to `limit` plans from the best down, and whether there is no other."""
    found, left = [best], other_than(near, best)
    while True:
        announce(f"Plans voisins : {len(found)} sur {limit} au plus", 0.1 + 0.6 * len(found) / limit)
        following = branched(left, near.main, time_limit_s=time_limit_s)
        if following is None:
            return found, True
        if len(found) == limit:
            return found, False
        found.append(following.chosen)
        left = other_than(left, following.chosen)


def _always(
    near: Program, seen: NDArray[np.bool_], *, time_limit_s: float, announce: Callable[[str, float], None]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pairs of `seen` that no plan can do without, and those of the plans met on the way.

    A plan is asked that drops some of them; those it drops are out, and the question is put again until no plan drops
    any: the refusal is the proof.
    """
    always, met = seen.copy(), seen.copy()
    while always.any():
        announce(f"Noyau sûr : {counted(int(always.sum()), 'placement')} à éprouver", 0.7)
        wish = np.zeros(len(near.main))
        wish[: near.n_pairs][always] = -1.0
        plan = branched(_wished(near, wish, least=1.0 - always.sum()), wish, time_limit_s=time_limit_s, gap=_HASTE)
        if plan is None:
            break
        always &= plan.chosen[: near.n_pairs]
        met |= plan.chosen[: near.n_pairs]
    return always, met


def _wished(near: Program, wish: NDArray[np.float64], *, least: float) -> Program:
    """Return `near` where a plan must grant `least` of a wish: refused, it proves that no plan does."""
    return near.with_row(wish, low=least, high=np.inf, nested=False)


def _possible(
    near: Program, seen: NDArray[np.bool_], *, time_limit_s: float, announce: Callable[[str, float], None]
) -> NDArray[np.bool_]:
    """Return the pairs that some plan uses: plans are asked that use as many unseen ones as they can."""
    possible = seen.copy()
    while not possible.all():
        announce(f"Paires qui varient : {int(possible.sum())} vues sur {len(possible)}", 0.9)
        wish = np.zeros(len(near.main))
        wish[: near.n_pairs][~possible] = 1.0
        plan = branched(_wished(near, wish, least=1.0), wish, time_limit_s=time_limit_s, gap=_HASTE)
        if plan is None:
            break
        possible |= plan.chosen[: near.n_pairs]
    return possible


def _pairs(program: Program, kept: NDArray[np.bool_]) -> pd.DataFrame:
    """Return pairs as a frame."""
    chosen = np.flatnonzero(kept)
    return pd.DataFrame(
        {
            "project_id": program.project_ids[program.project[chosen]],
            "district_id": program.district_ids[program.district[chosen]],
        }
    )


def _near_sentence(
    *, n_plans: int, n_core: int, n_varying: int, within: float, complete: bool, every_pair: bool
) -> str:
    """Return the near plans in French."""
    share = f"{100 * within:g}".replace(".", ",")
    if complete and n_plans == 1:
        return f"Aucun autre plan n’est à moins de {share} % du meilleur : tous ses placements ({n_core}) sont sûrs."
    listed = f"{n_plans} plans" if complete else f"Plus de {n_plans} plans (liste arrêtée à {n_plans})"
    pairs = f"{n_varying} paire{'s' if n_varying > 1 else ''} change{'nt' if n_varying > 1 else ''}"
    return (
        f"{listed} à moins de {share} % du meilleur, lui compris. Noyau sûr : {n_core} "
        f"placement{'s' if n_core > 1 else ''} commun{'s' if n_core > 1 else ''} à tous ; "
        f"{'' if every_pair else 'au moins '}{pairs} d’un plan à l’autre."
    )
