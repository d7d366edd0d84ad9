"""Which project goes to which district so that the total score is the highest the quotas allow?

An exact optimum, not a good guess: each project goes to one district at most and each district takes between `low` and
`high` projects, a flow that `geo_qmi.matching.optimum` solves. Scores enter as millionths, so the announced total
re-adds from the printed scores. Impossible quotas are named before solving.

Nothing here scores, and a pair whose score is unknown is never assigned. For every other rule of a call (themes, fixed
pairs, synergies, shared services) see `geo_qmi.matching.plan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from geo_qmi.errors import InfeasibleError, InputError, shown
from geo_qmi.matching.optimum import optimum
from geo_qmi.matching.program import SCORE_STEPS, checked_scores, quota_program

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A quota above this number is no limit; it also keeps flows within 32 bits.
_NO_LIMIT = 1_000_000_000

_UNKNOWN = "score inconnu dans tous les quartiers : aucun thème reconnu, à lire à la main"
_NO_ROOM = "non retenu par le plan de total maximal"


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """The best plan.

    Attributes
    ----------
    plan
        ``project_id``, ``district_id``, ``score``: the assigned projects, sorted by identifier.
    total
        Sum of the scores of the plan, each rounded to the millionth.
    excluded
        ``project_id``, ``reason`` (French): the others, sorted by identifier.
    status
        ``optimal`` (the only plan of that total), ``tied`` (several plans reach it; lots settled which is shown), or
        ``empty`` (no candidate and no lower quota).
    """

    plan: pd.DataFrame
    total: float
    excluded: pd.DataFrame
    status: str


def assign(
    scores: pd.DataFrame,
    *,
    low: int | Mapping[str, int] = 6,
    high: int | Mapping[str, int] = 8,
) -> Assignment:
    """Return the plan of highest total score with `low` to `high` projects in each district.

    Parameters
    ----------
    scores
        Projects (index) × districts (columns), in [0, 1]; NaN is unknown and never assigned.
    low, high
        Quotas, both included: one number for all districts, or district identifier → number for every district.

    Returns
    -------
    Assignment
        The same for the same scores in any order of rows and columns.

    Raises
    ------
    InputError
        Duplicate or missing identifiers, scores outside 0–1, quotas that are negative, not whole or crossed.
    InfeasibleError
        No plan meets the lower quotas; the sentence gives both totals and names the districts that clash.

    Examples
    --------
    >>> scores = pd.DataFrame({"A": [0.9, 0.8], "B": [0.7, 0.1]}, index=["p", "q"])
    >>> assign(scores, low=1, high=1).plan["district_id"].tolist()  # 0.7 + 0.8 beats 0.9 + 0.1
    ['B', 'A']
    """
    table = checked_scores(scores)
    lower = _quota(low, table.columns, what="minimum")
    upper = _quota(high, table.columns, what="maximum")
    _refuse_crossed(lower, upper, table.columns)
    known = table.notna().to_numpy()
    _refuse_infeasible(known, lower, table.columns)
    if not known.any():
        return _assignment(table, np.empty((0, 2), dtype=np.intp), "empty")
    program = quota_program(table, lower, upper)
    best = optimum(program)
    if best is None:
        raise RuntimeError("no plan though the quotas were found to be feasible")
    pairs = np.column_stack([program.project[best.chosen], program.district[best.chosen]])
    return _assignment(table, pairs, "tied" if best.tied else "optimal")


def _quota(quota: int | Mapping[str, int], districts: pd.Index[str], *, what: str) -> NDArray[np.int64]:
    """Return one whole number a district, or raise `InputError`; `what` is « minimum » or « maximum »."""
    if isinstance(quota, Mapping):
        odd = sorted(set(map(str, quota)) ^ set(districts))
        if odd:
            raise InputError(
                f"Quotas ({what}) : « {shown(odd[0])} » est d’un seul côté. Donnez un nombre pour chaque quartier "
                f"et pour eux seuls : {', '.join(districts)}."
            )
        given = {str(district): number for district, number in quota.items()}
        numbers = [given[district] for district in districts]
    else:
        numbers = [quota] * len(districts)
    for number in numbers:
        if not _is_count(number):
            raise InputError(f"Quotas ({what}) : « {shown(number)} ». Attendu : un nombre entier, positif ou nul.")
    return np.array([min(int(number), _NO_LIMIT) for number in numbers], dtype=np.int64)


def _is_count(number: object) -> bool:
    """Say whether `number` is whole (Python or numpy, no flag) and not negative."""
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and int(number) >= 0


def _refuse_crossed(lower: NDArray[np.int64], upper: NDArray[np.int64], districts: pd.Index[str]) -> None:
    """Raise `InputError` when a minimum passes its maximum."""
    for district, least, most in zip(districts, lower, upper, strict=True):
        if least > most:
            raise InputError(
                f"Quotas : le minimum ({least}) dépasse le maximum ({most}) pour le quartier {shown(district)}. "
                "Baissez l’un ou relevez l’autre."
            )


def require_enough(scores: pd.DataFrame, *, low: int | Mapping[str, int]) -> None:
    """Refuse lower quotas that no plan can meet, before anything is solved.

    Parameters
    ----------
    scores, low
        As `assign`.

    Raises
    ------
    InfeasibleError
        The sentence gives both totals, or names the districts that clash.
    """
    table = checked_scores(scores)
    _refuse_infeasible(table.notna().to_numpy(), _quota(low, table.columns, what="minimum"), table.columns)


def _refuse_infeasible(known: NDArray[np.bool_], lower: NDArray[np.int64], districts: pd.Index[str]) -> None:
    """Raise `InfeasibleError` when no plan can meet the lower quotas."""
    usable = known[known.any(axis=1)]
    total = int(lower.sum())
    if total > len(usable):
        raise InfeasibleError(_too_few(lower, n_known=len(usable), n_unknown=len(known) - len(usable)))
    if usable.all():
        return  # every candidate suits every district: the two totals say everything
    clash = _clash(usable, lower)
    if clash.any():
        raise InfeasibleError(_clash_sentence(clash, usable, lower, districts))


def _clash_sentence(
    clash: NDArray[np.bool_], usable: NDArray[np.bool_], lower: NDArray[np.int64], districts: pd.Index[str]
) -> str:
    """Return the sentence for districts that together ask for more than can go to them."""
    names = ", ".join(map(shown, districts[clash]))
    asks = f"le quartier {names} demande" if clash.sum() == 1 else f"les quartiers {names} demandent ensemble"
    n_candidates = int(usable[:, clash].any(axis=1).sum())
    found = (
        f"{_counted(n_candidates)} y {'ont' if n_candidates > 1 else 'a'}"
        if n_candidates
        else "aucune candidature n’y a"
    )
    return (
        f"Plan impossible : {asks} {_counted(int(lower[clash].sum()))} au moins, mais {found} un score connu. "
        "Baissez le minimum ou complétez les textes."
    )


def _too_few(lower: NDArray[np.int64], *, n_known: int, n_unknown: int) -> str:
    """Return the sentence for quotas that ask for more projects than there are candidates."""
    total = int(lower.sum())
    n_districts = len(lower)
    places = "quartier" if n_districts == 1 else "quartiers"
    if len(set(lower.tolist())) == 1:
        asked = f"{n_districts} {places} × {int(lower[0])} projet{'s' if lower[0] > 1 else ''} au moins = {total}"
    else:
        asked = f"les {n_districts} quartiers demandent {total} projets au moins"
    found = f"{_counted(n_known)} seulement" if n_known else "aucune candidature"
    unknown = f" (et {n_unknown} de score inconnu)" if n_unknown else ""
    return f"Plan impossible : {asked}, mais {found}{unknown}."


def _counted(n: int) -> str:
    """Return `n` with the French noun for applications."""
    return f"{n} candidature{'s' if n > 1 else ''}"


def _clash(known: NDArray[np.bool_], lower: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which districts together ask for more projects than can go to them; none when a plan exists.

    A flow from districts (their minimum) to projects (one each) that falls short leaves a minimum cut; the districts on
    its near side are the clash (Hall's condition).
    """
    n_projects, n_districts = known.shape
    project, district = np.nonzero(known)
    source, sink = 0, 1 + n_districts + n_projects
    wanted = np.arange(n_districts)
    tails = np.concatenate([np.full(n_districts, source), 1 + district, 1 + n_districts + np.arange(n_projects)])
    heads = np.concatenate([1 + wanted, 1 + n_districts + project, np.full(n_projects, sink)])
    room = np.concatenate([lower, np.ones(len(project) + n_projects)]).astype(np.int32)
    graph = sparse.csr_array((room, (tails, heads)), shape=(sink + 1, sink + 1))
    found = scipy.sparse.csgraph.maximum_flow(graph, source, sink)
    if found.flow_value >= lower.sum():
        return np.zeros(n_districts, dtype=bool)
    left = sparse.csr_array(graph - found.flow)
    left.eliminate_zeros()
    reached = scipy.sparse.csgraph.breadth_first_order(left, source, return_predecessors=False)
    return np.isin(1 + wanted, reached)


def _assignment(table: pd.DataFrame, pairs: NDArray[np.intp], status: str) -> Assignment:
    """Return the result read from the (project, district) positions of `pairs`."""
    order = pairs[np.argsort(pairs[:, 0])]
    values = table.to_numpy()[order[:, 0], order[:, 1]]
    plan = pd.DataFrame(
        {
            "project_id": table.index[order[:, 0]].astype("str"),
            "district_id": table.columns[order[:, 1]].astype("str"),
            "score": values,
        }
    )
    out = table.index[~table.index.isin(plan["project_id"])]
    unknown = table.loc[out].isna().all(axis=1).to_numpy()
    excluded = pd.DataFrame({"project_id": out.astype("str"), "reason": np.where(unknown, _UNKNOWN, _NO_ROOM)})
    total = float(np.rint(values * SCORE_STEPS).sum()) / SCORE_STEPS
    return Assignment(plan=plan, total=total, excluded=excluded.astype({"reason": "str"}), status=status)
