"""What do the rules of a call become, once written for a solver?

A `Program` holds one yes-or-no variable for each known pair (project, district), one for each synergy and district, and
one row of numbers for each limit, with the rule it comes from: a solver can then be asked for the best plan, for the
rules that clash or for the price of a rule, all on the same rows. Identifiers are sorted on the way in, so the order
of the input cannot change a result.

It also says whether the program is a *flow*. Projects nest in the totals of themes over all districts, and themes of a
district nest in that district: two such families make a totally unimodular matrix, and a linear programme then has
whole-number solutions by itself. Synergies, loads that can pass a capacity, and projects that count for several
bounded themes break this: branching is needed. Nothing here is solved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.guards import require_ids
from geo_qmi.matching.limits import (
    Book,
    Limit,
    Rows,
    load_rows,
    pair_rows,
    project_rows,
    quota_rows,
    theme_rows,
    total_rows,
)
from geo_qmi.matching.synergies import meeting_rows, meetings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo_qmi.matching.rule_model import Rules
    from geo_qmi.matching.synergies import Meeting

#: Scores are compared to the millionth: finer differences carry no meaning and would not show in a printed table.
SCORE_STEPS = 1_000_000
#: In a rule about a theme: in each district, or over all of them.
EACH, ALL = "*", "all"
#: What may be made as high as possible besides one criterion, in the words of the report.
OBJECTIVES = {
    "score": "la somme des scores",
    "synergies": "la somme des primes de synergie",
    "placed": "le nombre de projets placés",
}


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """``low <= matrix @ x <= high``, x whole.

    Attributes
    ----------
    project_ids, district_ids
        Identifiers, sorted.
    project, district
        Position of the project and of the district of each pair; the pairs are the first variables.
    score
        Score of each pair; NaN for a pair that a rule fixes though its score is unknown.
    objectives
        Name → whole coefficients, one a variable, in the order in which they are made as high as possible.
    matrix, low, high
        The rows.
    owner
        Position in `limits` of the rule of each row; -1 for what no rule can lift (one district a project).
    limits
        The rules.
    synergies
        The meetings that synergies make possible, one variable each; they follow the pairs, and sitings follow them.
    flow
        Whether a linear programme has whole solutions by itself.
    said
        French sentence: what is made as high as possible.
    hopeless
        Variables ruled out because no plan worth looking for uses them.
    """

    project_ids: pd.Index[str]
    district_ids: pd.Index[str]
    project: NDArray[np.intp]
    district: NDArray[np.intp]
    score: NDArray[np.float64]
    objectives: dict[str, NDArray[np.float64]]
    matrix: sparse.csr_array
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    owner: NDArray[np.intp]
    limits: tuple[Limit, ...]
    synergies: tuple[Meeting, ...]
    flow: bool
    said: str
    hopeless: NDArray[np.bool_]

    @property
    def n_pairs(self) -> int:
        """Number of pairs."""
        return len(self.project)

    @property
    def main(self) -> NDArray[np.float64]:
        """Coefficients of the first objective: the points that a plan is worth."""
        return next(iter(self.objectives.values()))

    def points(self, reached: float) -> float:
        """Return what the first objective reaches as points: a sum of scores, or a number of projects."""
        return reached if next(iter(self.objectives)) == "placed" else reached / SCORE_STEPS

    def with_row(self, coefficients: NDArray[np.float64], *, low: float, high: float, nested: bool) -> Program:
        """Return the program with one more row that no rule can lift; `nested` keeps a flow a flow."""
        return replace(
            self,
            matrix=sparse.vstack([self.matrix, sparse.csr_array(coefficients[None, :])], format="csr"),
            low=np.append(self.low, low),
            high=np.append(self.high, high),
            owner=np.append(self.owner, -1),
            flow=self.flow and nested,
        )

    def without(self, hopeless: NDArray[np.bool_]) -> Program:
        """Return the program where some more variables are ruled out."""
        return replace(self, hopeless=self.hopeless | hopeless) if hopeless.any() else self

    def with_pair(self, pair: int, *, used: bool) -> Program:
        """Return the program where one pair must, or must not, be in the plan."""
        row = np.zeros(self.matrix.shape[1])
        row[pair] = 1.0
        return self.with_row(row, low=float(used), high=float(used), nested=True)

    def with_limits(self, kept: NDArray[np.bool_]) -> Program:
        """Return the program with only some of its rules."""
        rows = (self.owner < 0) | np.append(kept, True)[self.owner]
        return replace(self, matrix=self.matrix[rows], low=self.low[rows], high=self.high[rows], owner=self.owner[rows])

    def pair(self, project_id: str, district_id: str) -> int | None:
        """Return the position of a pair, or nothing when its score is unknown.

        Raises
        ------
        UnknownNameError
            No such project or district in this call.
        """
        for noun, name, there in (
            ("projet", project_id, self.project_ids),
            ("quartier", district_id, self.district_ids),
        ):
            if name not in there:
                raise UnknownNameError(f"Cet appel n’a pas de {noun} « {shown(name)} ». Corrigez l’identifiant.")
        here = (self.project_ids[self.project] == project_id) & (self.district_ids[self.district] == district_id)
        found = np.flatnonzero(here)
        return int(found[0]) if len(found) else None


def checked_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return `scores` as floats with sorted text identifiers, or raise `InputError`."""
    require_ids(scores.index, what="Scores, projets")
    require_ids(scores.columns, what="Scores, quartiers")
    if scores.shape[1] == 0:
        raise InputError("Scores : aucun quartier. Donnez au moins une colonne.")
    try:
        table = scores.astype("float64")
    except (TypeError, ValueError) as error:
        raise InputError("Scores : attendu des nombres entre 0 et 1, ou rien quand le score est inconnu.") from error
    projects, districts = table.index.astype("str"), table.columns.astype("str")
    rows, columns = projects.argsort(), districts.argsort()
    values = table.to_numpy()[np.ix_(rows, columns)]
    table = pd.DataFrame(values, index=projects[rows], columns=districts[columns], copy=False)
    wrong = ~np.isnan(values) & ~((values >= 0) & (values <= 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"Scores : « {shown(values[row, column])} » pour le projet {shown(table.index[row])} dans le quartier "
            f"{shown(table.columns[column])}. Attendu : un nombre entre 0 et 1."
        )
    return table


def quota_program(table: pd.DataFrame, lower: NDArray[np.int64], upper: NDArray[np.int64]) -> Program:
    """Return the program of quotas alone.

    Parameters
    ----------
    table
        Projects × districts, as returned by `checked_scores`.
    lower, upper
        Least and most projects of each district, in the order of the columns.
    """
    project, district = np.nonzero(table.notna().to_numpy())
    rows = Rows()
    project_rows(rows, project)
    quota_rows(rows, district, lower, upper, said=list(table.columns))
    return _program(table, project, district, rows)


def compiled(
    scores: pd.DataFrame,
    rules: Rules,
    *,
    themes: pd.DataFrame | None = None,
    criteria: Mapping[str, pd.DataFrame] | None = None,
    names: Mapping[str, str] | None = None,
    sites: pd.DataFrame | None = None,
) -> Program:
    """Return the program of `scores` under `rules`.

    Parameters
    ----------
    scores
        Projects × districts, in [0, 1]; NaN is unknown, and never assigned unless a rule fixes the pair.
    rules
        The rule file, as returned by `geo_qmi.matching.rules.rules_from`.
    themes
        ``project_id``, ``theme``: what each project counts for in the bounds by theme. Needed when there are bounds.
    criteria
        Criterion → projects × districts in [0, 1], for the criteria that the order of objectives names. A missing value
        earns nothing.
    names
        Identifier → name to show in sentences; identifiers by default.
    sites
        ``project_id``, ``district_id``, ``place_id``: the places on which each project can stand, for synergies on one
        place; see `geo_qmi.matching.criteria.Appraisal.sites`.

    Raises
    ------
    InputError
        Scores outside 0–1, duplicate identifiers, bounds by theme without `themes`, objective without its criterion.
    UnknownNameError
        A rule names a project, a district, a service or a theme that is not there; all of them are listed.
    """
    table = checked_scores(scores)
    book = Book.of(rules, table, names)
    book.refuse_unknown()
    known = table.notna().to_numpy(copy=True)
    for rule in rules.fixed:
        known[book.rows[rule.project], book.columns[rule.district]] = True
    project, district = np.nonzero(known)
    rows = Rows()
    project_rows(rows, project)
    quotas = [rules.quotas.of(name) for name in table.columns]
    quota_rows(
        rows,
        district,
        np.array([quota.low for quota in quotas]),
        np.array([quota.high for quota in quotas]),
        said=[book.said(name) for name in table.columns],
    )
    total_rows(rows, rules, len(project))
    nested = theme_rows(rows, book, themes, project, district)
    pair_rows(rows, book, project, district)
    loaded = load_rows(rows, book, project, district)
    program = _program(table, project, district, rows, flow=nested and not loaded)
    return _with_objectives(program, book, rows, criteria=criteria or {}, sites=sites)


def _program(
    table: pd.DataFrame, project: NDArray[np.intp], district: NDArray[np.intp], rows: Rows, *, flow: bool = True
) -> Program:
    """Return the program whose first objective is the sum of scores."""
    score = table.to_numpy()[project, district]
    return Program(
        project_ids=pd.Index(table.index, dtype="str"),
        district_ids=pd.Index(table.columns, dtype="str"),
        project=project,
        district=district,
        score=score,
        objectives={"score": np.nan_to_num(np.rint(score * SCORE_STEPS))},
        matrix=rows.matrix(len(project)),
        low=np.array(rows.low, dtype=np.float64),
        high=np.array(rows.high, dtype=np.float64),
        owner=np.array(rows.owner, dtype=np.intp),
        limits=tuple(rows.limits),
        synergies=(),
        flow=flow,
        said=f"Est rendue la plus haute possible : {OBJECTIVES['score']}.",
        hopeless=np.zeros(len(project), dtype=bool),
    )


def _with_objectives(
    program: Program,
    book: Book,
    rows: Rows,
    *,
    criteria: Mapping[str, pd.DataFrame],
    sites: pd.DataFrame | None,
) -> Program:
    """Return `program` with its synergies and all the objectives asked, in order."""
    order = list(book.rules.objective.order) if book.rules.objective.mode == "lexicographic" else []
    wanted = not order or "synergies" in order
    found = meetings(book, program.project, program.district, sites=sites) if wanted else []
    n_pairs = program.n_pairs
    names = zip(program.project_ids[program.project], program.district_ids[program.district], strict=True)
    n = meeting_rows(rows, found, pair_ids=list(names), sites=sites)
    known = {"score": program.objectives["score"], "placed": np.ones(n_pairs)}
    known |= {name: _criterion(program, name, criteria) for name in order if name not in OBJECTIVES}
    known = {name: np.concatenate([values, np.zeros(n - n_pairs)]) for name, values in known.items()}
    known["synergies"] = np.zeros(n)
    known["synergies"][n_pairs : n_pairs + len(found)] = np.rint([SCORE_STEPS * one.bonus for one in found])
    return replace(
        program,
        objectives={name: known[name] for name in order} or {"points": known["score"] + known["synergies"]},
        matrix=rows.matrix(n),
        low=np.array(rows.low, dtype=np.float64),
        high=np.array(rows.high, dtype=np.float64),
        owner=np.array(rows.owner, dtype=np.intp),
        synergies=tuple(found),
        flow=program.flow and not found,
        said=_said(order, book.rules, with_bonus=bool(found)),
        hopeless=np.zeros(n, dtype=bool),
    )


def _criterion(program: Program, name: str, criteria: Mapping[str, pd.DataFrame]) -> NDArray[np.float64]:
    """Return the coefficients of one criterion."""
    if name not in criteria:
        raise InputError(f"Ordre des objectifs : le critère « {shown(name)} » n’a pas été calculé pour cet appel.")
    values = criteria[name].reindex(index=program.project_ids, columns=program.district_ids).to_numpy(dtype="float64")
    coefficients: NDArray[np.float64] = np.rint(values[program.project, program.district] * SCORE_STEPS)
    return np.nan_to_num(coefficients)


def _said(order: Sequence[str], rules: Rules, *, with_bonus: bool) -> str:
    """Return the objective as a French sentence."""
    if not order:
        bonus = f", plus {OBJECTIVES['synergies']}" if with_bonus else ""
        return f"Est rendue la plus haute possible : {OBJECTIVES['score']}{bonus}."
    first, *others = (OBJECTIVES.get(name) or f"le critère « {rules.label(name)} »" for name in order)
    then = "".join(f" ; puis, sans rien en céder, {words}" for words in others)
    return f"Est rendu le plus haut possible : d’abord {first}{then}."
