"""How far is the best plan the only reasonable one, and why is this project not in that district?

`near_plans` lists the plans worth almost as much as the best, the pairs common to *all* of them (the safe core, which a
jury may announce without fear) and the pairs that vary. The list is bounded and says when it stopped; the core is exact
all the same, for it is asked from the solver and not read from the list. `why_not` puts
one project in one district by force and tells what it costs, who moves, and which rule stands in the way.

Points are those of the first objective of the rules. Nothing here prefers a plan to another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.errors import InfeasibleError, InputError, shown
from geo_qmi.matching.conflict import clash, duties, smallest_clash
from geo_qmi.matching.optimum import branched, optimum, other_than, without_hope
from geo_qmi.matching.program import compiled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo_qmi.matching.optimum import Optimum
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


def near_plans(
    scores: pd.DataFrame,
    rules: Rules,
    *,
    themes: pd.DataFrame | None = None,
    criteria: Mapping[str, pd.DataFrame] | None = None,
    within: float = 0.01,
    limit: int = 50,
    every_pair: bool = False,
    time_limit_s: float = 60.0,
) -> NearPlans:
    """Return the plans that lose at most a share `within` of the points of the best.

    Parameters
    ----------
    scores, rules, themes, criteria, time_limit_s
        See `geo_qmi.matching.plan`.
    within
        Share of the points that may be lost, in 0–1.
    limit
        Most plans to list; the core does not depend on it.
    every_pair
        Look for all the pairs that vary when the list stops early: about one solve for each, minutes for a large call.

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
    program = compiled(scores, rules, themes=themes, criteria=criteria)
    best = optimum(program, time_limit_s=time_limit_s)
    if best is None:
        raise InfeasibleError(_clash_sentence(scores, rules, themes, time_limit_s))
    if program.n_pairs == 0:
        found, complete = [best.chosen], True
        always = possible = best.chosen
    else:
        least = float(np.ceil(best.reached[0] - within * abs(best.reached[0]) - 1e-6))
        near = without_hope(program, program.main, least=least)
        found, complete = _listed(near, best.chosen, limit=limit, time_limit_s=time_limit_s)
        always = np.logical_and.reduce(found)[: program.n_pairs]
        possible = np.logical_or.reduce(found)[: program.n_pairs]
        if not complete:
            always, met = _always(near, always, time_limit_s=time_limit_s)
            possible = possible | met
        if every_pair and not complete:
            possible = _possible(near, possible, time_limit_s=time_limit_s)
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
    near: Program, best: NDArray[np.bool_], *, limit: int, time_limit_s: float
) -> tuple[list[NDArray[np.bool_]], bool]:
    """Return up to `limit` plans from the best down, and whether there is no other."""
    found, left = [best], other_than(near, best)
    while True:
        following = branched(left, near.main, time_limit_s=time_limit_s)
        if following is None:
            return found, True
        if len(found) == limit:
            return found, False
        found.append(following.chosen)
        left = other_than(left, following.chosen)


def _always(
    near: Program, seen: NDArray[np.bool_], *, time_limit_s: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pairs of `seen` that no plan can do without, and those of the plans met on the way.

    A plan is asked that drops some of them; those it drops are out, and the question is put again until no plan drops
    any: the refusal is the proof.
    """
    always, met = seen.copy(), seen.copy()
    while always.any():
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


def _possible(near: Program, seen: NDArray[np.bool_], *, time_limit_s: float) -> NDArray[np.bool_]:
    """Return the pairs that some plan uses: plans are asked that use as many unseen ones as they can."""
    possible = seen.copy()
    while not possible.all():
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


@dataclass(frozen=True, slots=True, eq=False)
class WhyNot:
    """Why a project is not in a district.

    Attributes
    ----------
    project_id, district_id
        The pair.
    placed
        Whether the best plan already holds it.
    possible
        Whether any plan can hold it.
    points_lost
        What the best plan with this pair loses to the best plan; missing when there is none.
    moved
        ``project_id``, ``before``, ``after``: every project that changes place, this one included; missing is « not
        retained ». As few as can be.
    rule
        The rule that stands in the way, in French: lifted alone, the pair costs less, and less than with any other
        lifted. Empty when none does: the project is worth more elsewhere, or others are worth more.
    sentence
        The whole in French.
    """

    project_id: str
    district_id: str
    placed: bool
    possible: bool
    points_lost: float | None
    moved: pd.DataFrame
    rule: str
    sentence: str


def why_not(
    scores: pd.DataFrame,
    rules: Rules,
    *,
    project_id: str,
    district_id: str,
    themes: pd.DataFrame | None = None,
    criteria: Mapping[str, pd.DataFrame] | None = None,
    names: Mapping[str, str] | None = None,
    time_limit_s: float = 60.0,
) -> WhyNot:
    """Return what it would cost to put `project_id` in `district_id`, and what stands in the way.

    Parameters
    ----------
    scores, rules, themes, criteria, names, time_limit_s
        See `geo_qmi.matching.plan`.
    project_id, district_id
        The pair in question.

    Raises
    ------
    UnknownNameError
        No such project or district in this call.
    InputError, InfeasibleError, LimitError
        See `geo_qmi.matching.plan`.

    Examples
    --------
    >>> from geo_qmi.matching.rules import rules_from
    >>> scores = pd.DataFrame({"A": [0.9, 0.7]}, index=["p", "q"])
    >>> found = why_not(scores, rules_from({"quotas": {"low": 0, "high": 1}}), project_id="q", district_id="A")
    >>> round(found.points_lost, 6), found.rule, found.moved["project_id"].tolist()
    (0.2, 'au plus 1 projet dans le quartier A', ['p', 'q'])
    """
    program = compiled(scores, rules, themes=themes, criteria=criteria, names=names)
    pair = program.pair(project_id, district_id)
    best = optimum(program, time_limit_s=time_limit_s)
    if best is None:
        raise InfeasibleError(_clash_sentence(scores, rules, themes, time_limit_s))
    said = _Said(dict(names or {}), project_id, district_id)
    answer = WhyNot(
        project_id=project_id,
        district_id=district_id,
        placed=False,
        possible=False,
        points_lost=None,
        moved=_moves(program, best.chosen, best.chosen),
        rule="",
        sentence=f"{said.pair} : score inconnu ; une paire de score inconnu n’est jamais placée par le calcul.",
    )
    if pair is None:
        return answer
    if best.chosen[pair]:
        sentence = f"{said.pair} : c’est le plan proposé."
        return replace(answer, placed=True, possible=True, points_lost=0.0, sentence=sentence)
    forced = _forced(program, pair, best, time_limit_s=time_limit_s)
    if forced is None:
        needed = duties(scores, rules, themes=themes, names=names)
        found = smallest_clash(needed.with_pair(pair, used=True), time_limit_s=time_limit_s)
        rule = " ; ".join(limit.words for limit in found.limits)
        return replace(answer, rule=rule, sentence=f"{said.pair} : aucun plan ne le permet. En travers : {rule}.")
    lost = best.reached[0] - forced.reached[0]
    rule = _in_the_way(program, pair, best, lost=lost, time_limit_s=time_limit_s) if lost > 0 else ""
    moved = _moves(program, best.chosen, forced.chosen)
    points = program.points(lost)
    level = forced.reached[: len(best.reached)] == best.reached
    sentence = said.sentence(points, moved=moved, rule=rule, level=level)
    return replace(answer, possible=True, points_lost=points, moved=moved, rule=rule, sentence=sentence)


def _clash_sentence(scores: pd.DataFrame, rules: Rules, themes: pd.DataFrame | None, time_limit_s: float) -> str:
    """Return why there is no plan at all."""
    found = clash(scores, rules, themes=themes, time_limit_s=time_limit_s)
    if found is None:
        raise RuntimeError("no plan found, though the rules do not clash")
    return found.sentence


def _forced(program: Program, pair: int, best: Optimum, *, time_limit_s: float) -> Optimum | None:
    """Return the best plan with one pair, as close to the best plan of all as it can be."""
    same = np.where(best.chosen, 1.0, 0.0)
    same[program.n_pairs :] = 0.0
    close = replace(program.with_pair(pair, used=True), objectives={**program.objectives, "same": same})
    return optimum(close, time_limit_s=time_limit_s)


def _in_the_way(program: Program, pair: int, best: Optimum, *, lost: int, time_limit_s: float) -> str:
    """Return the rule that, lifted alone, lets the pair in at the least cost; nothing when none lowers it."""
    reached = program.matrix @ best.chosen.astype(np.float64)
    tight = (reached >= program.high - 1e-6) | (reached <= program.low + 1e-6)
    least, words = lost, ""
    for owner in np.unique(program.owner[tight & (program.owner >= 0)]):
        rows = program.matrix[np.flatnonzero(program.owner == owner)]
        if not rows[:, [pair]].sum() and not _touches(program, rows, pair):
            continue
        kept = np.ones(len(program.limits), dtype=bool)
        kept[owner] = False
        without = program.with_limits(kept)
        ends = [
            optimum(one, time_limit_s=time_limit_s, settle=False)
            for one in (without, without.with_pair(pair, used=True))
        ]
        if ends[0] is not None and ends[1] is not None and ends[0].reached[0] - ends[1].reached[0] < least:
            least, words = ends[0].reached[0] - ends[1].reached[0], program.limits[owner].words
    return words


def _touches(program: Program, rows: NDArray[np.float64], pair: int) -> bool:
    """Say whether a rule speaks of the same project elsewhere: leaving may break it."""
    same = np.flatnonzero(program.project == program.project[pair])
    return bool(abs(rows[:, same]).sum() > 0)


def _moves(program: Program, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the projects whose place differs between two plans."""
    places = [
        _pairs(program, chosen[: program.n_pairs]).set_index("project_id")["district_id"] for chosen in (before, after)
    ]
    both = pd.concat(places, axis=1, keys=["before", "after"]).sort_index()
    changed = both[both["before"].fillna("") != both["after"].fillna("")]
    return changed.rename_axis("project_id").reset_index().astype("str")


class _Said:
    """The words of one answer."""

    def __init__(self, names: dict[str, str], project_id: str, district_id: str) -> None:
        self.names = names
        self.project_id = project_id
        self.pair = f"{self.name(project_id)} dans {self.name(district_id)}"

    def name(self, ident: str) -> str:
        """Return a name as a sentence shows it."""
        return f"« {shown(self.names[ident])} »" if ident in self.names else shown(ident)

    def sentence(self, points: float, *, moved: pd.DataFrame, rule: str, level: bool) -> str:
        """Return the answer for a pair that some plan allows; `level` when that plan is as good as the best."""
        rows = [[None if pd.isna(cell) else str(cell) for cell in row] for row in moved.to_numpy()]
        others = [(name, before, after) for name, before, after in rows if name != self.project_id]
        shifts = ", ".join(f"{self.name(str(name))} ({self._move(before, after)})" for name, before, after in others)
        cost = f"{points:.6f}".rstrip("0").rstrip(".").replace(".", ",")
        loss = f"coûte {cost} point{'s' if points >= 2 else ''} au plan" if points > 0 else "ne coûte aucun point"
        shift = f" ; change{'nt' if len(others) > 1 else ''} de place : {shifts}" if others else ""
        if level:
            why = "Un autre plan vaut autant : le tirage au sort par identifiants a choisi"
        elif points <= 0:
            why = "Il est battu sur un objectif suivant de l’ordre choisi"
        elif rule:
            why = f"En travers : {rule}"
        else:
            why = "Aucune règle ne l’empêche à elle seule : d’autres placements rapportent plus"
        return f"{self.pair} : {loss}{shift}. {why}."

    def _move(self, before: str | None, after: str | None) -> str:
        """Return one move: from where to where, nothing being « not retained »."""
        if after is None:
            return f"perd sa place à {self.name(before or '')}"
        return f"entre à {self.name(after)}" if before is None else f"passe à {self.name(after)}"
