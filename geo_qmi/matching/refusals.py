"""Why is this project not in that district?

The pair is put in the plan by force: what that costs, who moves (as few as can be), and which rule stands in the way.
`Refusals` answers any number of such questions about one call: it writes the program, finds the best plan and lifts
each rule once. Plans worth almost as much as the best are listed by `geo_qmi.matching.alternatives`.

Method. Three bounds spare solves without changing an answer. The price of the pair in the relaxation is the least it
costs any plan, so variables far dearer are tried only when the answer asks for them. A rule lifted helps the pair by no
more than its price in the relaxation without that rule. And a rule is worth solving only for plans that would beat the
best one known.

Points are those of the first objective of the rules. Nothing here prefers a plan to another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import pandas as pd

from geo_qmi.errors import InfeasibleError, shown
from geo_qmi.matching.conflict import clash_sentence, duties, smallest_clash
from geo_qmi.matching.optimum import Relaxed, branched, lots, optimum, relaxation
from geo_qmi.matching.program import compiled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo_qmi.matching.optimum import Optimum
    from geo_qmi.matching.program import Program
    from geo_qmi.matching.rule_model import Rules

#: Share of the points by which a plan with the pair may fall below the price of the pair before more is tried.
_NEAR = 0.01
#: The relaxation of a call without any pair.
_NOTHING = Relaxed(0.0, np.zeros(0), np.zeros(0))


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


class _Lifted(NamedTuple):
    """A program without one rule: its relaxation, and what its best plan reaches."""

    program: Program
    relaxed: Relaxed
    reached: int


@dataclass(frozen=True, slots=True, eq=False)
class Refusals:
    """One call, ready to say why any project is not in any district.

    Attributes
    ----------
    program, best
        The rules as written for the solver, and the best plan.
    duties
        What must hold, synergies left out.
    names
        Identifier → name shown.
    time_limit_s
        Most seconds for each solve.
    """

    program: Program
    best: Optimum
    duties: Program
    names: dict[str, str]
    time_limit_s: float
    _relaxed: Relaxed
    _same: NDArray[np.float64]
    _lots: NDArray[np.float64]
    _lifted: dict[int, _Lifted | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        scores: pd.DataFrame,
        rules: Rules,
        *,
        themes: pd.DataFrame | None = None,
        criteria: Mapping[str, pd.DataFrame] | None = None,
        names: Mapping[str, str] | None = None,
        sites: pd.DataFrame | None = None,
        time_limit_s: float = 60.0,
    ) -> Self:
        """Return a call ready for questions.

        Parameters
        ----------
        scores, rules, themes, criteria, names, sites, time_limit_s
            See `geo_qmi.matching.plan`.

        Raises
        ------
        InputError, UnknownNameError, InfeasibleError, LimitError
            See `geo_qmi.matching.plan`.

        Examples
        --------
        >>> from geo_qmi.matching.rules import rules_from
        >>> scores = pd.DataFrame({"A": [0.9, 0.7]}, index=["p", "q"])
        >>> call = Refusals.of(scores, rules_from({"quotas": {"low": 0, "high": 1}}))
        >>> found = call.why_not("q", "A")
        >>> round(found.points_lost, 6), found.rule, found.moved["project_id"].tolist()
        (0.2, 'au plus 1 projet dans le quartier A', ['p', 'q'])
        """
        program = compiled(scores, rules, themes=themes, criteria=criteria, names=names, sites=sites)
        best = optimum(program, time_limit_s=time_limit_s)
        if best is None:
            raise InfeasibleError(clash_sentence(scores, rules, themes=themes, names=names, time_limit_s=time_limit_s))
        must = duties(scores, rules, themes=themes, names=names)
        relaxed = relaxation(program, program.main) if program.n_pairs else _NOTHING
        if relaxed is None:
            raise RuntimeError("no relaxation, though there is a plan")
        pairs = np.arange(program.n_pairs)
        same, drawn = np.zeros(len(best.chosen)), np.zeros(len(best.chosen))
        same[pairs], drawn[pairs] = best.chosen[pairs], lots(program, pairs)
        return cls(program, best, must, dict(names or {}), time_limit_s, relaxed, same, drawn)

    def why_not(self, project_id: str, district_id: str) -> WhyNot:
        """Return what it would cost to put `project_id` in `district_id`, and what stands in the way.

        Raises
        ------
        UnknownNameError
            No such project or district in this call.
        """
        program, best = self.program, self.best
        pair = program.pair(project_id, district_id)
        said = _Said(self.names, project_id, district_id)
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
        forced = self._forced(pair)
        if forced is None:
            found = smallest_clash(self.duties.with_pair(pair, used=True), time_limit_s=self.time_limit_s)
            rule = " ; ".join(limit.words for limit in found.limits)
            return replace(answer, rule=rule, sentence=f"{said.pair} : aucun plan ne le permet. En travers : {rule}.")
        lost = best.reached[0] - forced.reached[0]
        rule = self._in_the_way(pair, lost) if lost > 0 else ""
        moved = _moves(program, best.chosen, forced.chosen)
        points = program.points(lost)
        level = forced.reached[: len(best.reached)] == best.reached
        sentence = said.sentence(points, moved=moved, rule=rule, level=level)
        return replace(answer, possible=True, points_lost=points, moved=moved, rule=rule, sentence=sentence)

    def _forced(self, pair: int) -> Optimum | None:
        """Return the best plan with one pair, as close to the best plan of all as it can be."""
        program, relaxed = self.program, self._relaxed
        goals = {**program.objectives, "same": self._same, "lots": -self._lots}
        close = replace(program.with_pair(pair, used=True), objectives=goals)
        room = relaxed.price[pair] + _NEAR * abs(relaxed.value)
        found = optimum(close.without(relaxed.price > room), time_limit_s=self.time_limit_s, settle=False)
        lost = np.inf if found is None else relaxed.value - found.reached[0]
        if lost > room:
            wider = close.without(relaxed.price > lost + 0.5)
            found = optimum(wider, time_limit_s=self.time_limit_s, settle=False)
        return found

    def _in_the_way(self, pair: int, lost: int) -> str:
        """Return the rule that, lifted alone, lets the pair in at the least cost; nothing when none lowers it."""
        least, words = float(lost), ""
        for owner in self._suspects(pair):
            lifted = self._without(owner)
            if lifted is None:
                continue
            needed = lifted.reached - least + 1.0  # what a plan with the pair must reach to be of interest
            room = lifted.relaxed.value - needed + 0.5
            if lifted.relaxed.price[pair] > room:
                continue
            forced = lifted.program.with_pair(pair, used=True).without(lifted.relaxed.price > room)
            found = branched(forced, forced.main, time_limit_s=self.time_limit_s)
            if found is None:
                continue
            cost = lifted.reached - round(float(forced.main[found.chosen].sum()))
            if cost < least:
                least, words = cost, self.program.limits[owner].words
        return words

    def _suspects(self, pair: int) -> NDArray[np.intp]:
        """Return the rules that the best plan fills to the brim and that speak of the project of a pair."""
        program = self.program
        reached = program.matrix @ self.best.chosen.astype(np.float64)
        tight = (reached >= program.high - 1e-6) | (reached <= program.low + 1e-6)
        mine = np.flatnonzero(program.project == program.project[pair])
        speaks = abs(program.matrix[:, mine]).sum(axis=1) > 0
        return np.unique(program.owner[tight & speaks & (program.owner >= 0)])

    def _without(self, owner: int) -> _Lifted | None:
        """Return the program without one rule, worked out once; nothing when it has no plan that can be found."""
        if owner not in self._lifted:
            kept = np.ones(len(self.program.limits), dtype=bool)
            kept[owner] = False
            program = self.program.with_limits(kept)
            relaxed = relaxation(program, program.main)
            found = None
            if relaxed is not None:
                found = branched(program, program.main, time_limit_s=self.time_limit_s, relaxed=relaxed)
            self._lifted[owner] = (
                None
                if relaxed is None or found is None
                else _Lifted(program, relaxed, round(float(program.main[found.chosen].sum())))
            )
        return self._lifted[owner]


def _moves(program: Program, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the projects whose place differs between two plans."""
    places = []
    for chosen in (before, after):
        pairs = np.flatnonzero(chosen[: program.n_pairs])
        places.append(dict(zip(program.project[pairs].tolist(), program.district[pairs].tolist(), strict=True)))
    then, now = places
    changed = sorted(row for row in {*then, *now} if then.get(row) != now.get(row))
    names = [*program.district_ids, None]
    return pd.DataFrame(
        {
            "project_id": pd.Series([program.project_ids[row] for row in changed], dtype="str"),
            "before": pd.Series([names[then.get(row, -1)] for row in changed], dtype="str"),
            "after": pd.Series([names[now.get(row, -1)] for row in changed], dtype="str"),
        }
    )


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
