"""Do evaluators mark with the same severity, and what would the ranking be if they did?

Off by default. Marks are read as merit of the project + severity of the evaluator, by least squares, severities adding
up to 0: an evaluator whose projects are all marked low is severe only as far as *others* marked the same projects
higher. Both rankings are returned side by side, with the disagreement on each project, which no correction removes.

It cannot compare evaluators who share no project, even through others: it says so and corrects nothing between such
groups. A corrected mark depends on the other marks, so adding one can move two projects: hence the default.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from geo_qmi.errors import InputError, shown
from geo_qmi.guards import require_columns, require_present
from geo_qmi.wording import counted


@dataclass(frozen=True, slots=True, eq=False)
class Severity:
    """Marks of several evaluators, raw and corrected.

    Attributes
    ----------
    projects
        ``project_id``, ``n_evaluators``, ``raw`` (mean mark), ``corrected``, ``rank_raw``, ``rank_corrected``,
        ``score`` (the one in use), ``lowest``, ``highest``, ``disagreement`` (highest − lowest), ``group``; sorted.
    evaluators
        ``evaluator``, ``n_projects``, ``severity`` (what to add to the marks; positive: severe), ``group``; sorted.
    corrected
        Whether ``score`` is the corrected mark.
    notes
        French sentences to show with the result.
    """

    projects: pd.DataFrame
    evaluators: pd.DataFrame
    corrected: bool
    notes: tuple[str, ...]


def severity(marks: pd.DataFrame, *, correct: bool = False) -> Severity:
    """Return both rankings.

    Parameters
    ----------
    marks
        ``project_id``, ``evaluator``, ``score`` (any scale, the same for all); an empty score was not given.
    correct
        Use the corrected mark as ``score``.

    Raises
    ------
    InputError
        A missing column or identifier, a mark given twice, no mark at all, or one that is not a number.

    Examples
    --------
    >>> marks = pd.DataFrame({"project_id": ["p", "p", "q"], "evaluator": ["A", "B", "B"], "score": [8.0, 6.0, 7.0]})
    >>> severity(marks).evaluators["severity"].tolist()  # B marks p two points under A
    [-1.0, 1.0]
    """
    given = _checked(marks)
    projects, rows = np.unique(given["project_id"].to_numpy(dtype=str), return_inverse=True)
    judges, columns = np.unique(given["evaluator"].to_numpy(dtype=str), return_inverse=True)
    values = given["score"].to_numpy(dtype="float64")
    n, m = len(projects), len(judges)
    links = sparse.coo_array((np.ones(len(values)), (rows, n + columns)), shape=(n + m, n + m))
    n_groups, group = scipy.sparse.csgraph.connected_components(links, directed=False)
    merit, strict = _fitted(values, rows, columns, group)
    by_project = given.groupby("project_id")["score"]
    raw = by_project.mean().to_numpy()
    table = pd.DataFrame(
        {
            "project_id": projects,
            "n_evaluators": by_project.size().to_numpy(),
            "raw": raw,
            "corrected": merit,
            "rank_raw": _rank(raw),
            "rank_corrected": _rank(merit),
            "score": merit if correct else raw,
            "lowest": by_project.min().to_numpy(),
            "highest": by_project.max().to_numpy(),
        }
    ).assign(disagreement=lambda frame: frame["highest"] - frame["lowest"], group=group[:n] + 1)
    sizes = np.bincount(columns, minlength=m)
    people = pd.DataFrame({"evaluator": judges, "n_projects": sizes, "severity": strict, "group": group[n:] + 1})
    return Severity(table, people, correct, _notes(n_groups, table, correct))


def _checked(marks: pd.DataFrame) -> pd.DataFrame:
    """Return the marks given, sorted, or raise `InputError`."""
    require_columns(marks, ["project_id", "evaluator", "score"], what="Notes")
    require_present(marks["project_id"], what="Notes, projets")
    require_present(marks["evaluator"], what="Notes, évaluateurs")
    try:
        given = marks.assign(score=pd.to_numeric(marks["score"]).astype("float64")).dropna(subset=["score"])
    except (TypeError, ValueError) as error:
        raise InputError("Notes : attendu un nombre, ou rien quand la note n’a pas été donnée.") from error
    if not np.isfinite(given["score"]).all():
        raise InputError("Notes : une valeur est infinie. Attendu : un nombre.")
    if given.empty:
        raise InputError("Notes : aucune note donnée. Saisissez-en au moins une.")
    twice = given.duplicated(["project_id", "evaluator"])
    if twice.any():
        row = given[twice].iloc[0]
        where = f"{shown(row['project_id'])} par {shown(row['evaluator'])}"
        raise InputError(f"Notes : projet noté deux fois : {where}. Gardez une seule note.")
    return given.sort_values(["project_id", "evaluator"], kind="stable").reset_index(drop=True)


def _fitted(
    values: np.ndarray, rows: np.ndarray, columns: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the merit of each project and the severity of each evaluator, severities summing to 0 in each group."""
    n, m = int(rows.max()) + 1, int(columns.max()) + 1
    n_groups = int(group.max()) + 1
    marks = np.arange(len(values))
    design = np.zeros((len(values) + n_groups, n + m))
    design[marks, rows] = 1.0
    design[marks, n + columns] = -1.0
    for one in range(n_groups):
        design[len(values) + one, n:] = group[n:] == one
    target = np.concatenate([values, np.zeros(n_groups)])
    solved = np.asarray(np.linalg.lstsq(design, target, rcond=None)[0], dtype=np.float64)
    rounded = np.asarray(np.round(solved, 9) + 0.0)  # ties stay ties; no minus zero
    return rounded[:n], rounded[n:]


def _rank(values: np.ndarray) -> np.ndarray:
    """Return ranks, 1 the best, ties sharing the best rank of their group."""
    return pd.Series(values).round(9).rank(ascending=False, method="min").astype("int64").to_numpy()


def _notes(n_groups: int, table: pd.DataFrame, correct: bool) -> tuple[str, ...]:
    """Return what must be said with the two rankings."""
    moved = int((table["rank_raw"] != table["rank_corrected"]).sum())
    use = "la note corrigée" if correct else "la moyenne brute ; la correction est montrée, pas appliquée"
    notes = [
        f"Note retenue : {use}.",
        f"Changent de rang avec la correction : {counted(moved, 'projet')} sur {len(table)}.",
    ]
    if n_groups > 1:
        notes.append(
            f"{n_groups} groupes d’évaluateurs n’ont aucun projet en commun : leurs sévérités ne se comparent pas, "
            "et rien n’est corrigé d’un groupe à l’autre."
        )
    return tuple(notes)
