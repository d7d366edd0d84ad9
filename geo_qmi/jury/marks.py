"""What do the marks of several evaluators say, raw and corrected for severity?

Both rankings side by side, each evaluator’s severity, and the disagreement on each dossier, which no correction
removes. The correction is off unless it is asked for; the method is in `geo_qmi.matching.evaluators`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi.jury.studies import Finding
from geo_qmi.matching.evaluators import severity

if TYPE_CHECKING:
    from collections.abc import Mapping


def evaluators(marks: pd.DataFrame, *, correct: bool = False, names: Mapping[str, str] | None = None) -> Finding:
    """Return the two rankings and the severity of each evaluator.

    Parameters
    ----------
    marks
        Table ``marks``.
    correct
        Retain the corrected mark.
    names
        Project → name shown; identifiers where absent.

    Raises
    ------
    InputError
        See `geo_qmi.matching.evaluators.severity`.
    """
    found = severity(marks, correct=correct)
    rows = found.projects
    order = "rank_corrected" if correct else "rank_raw"
    ranking = pd.DataFrame(
        {
            "Dossier (identifiant)": rows["project_id"],
            "Dossier": [(names or {}).get(one, one) for one in rows["project_id"]],
            "Évaluateurs": rows["n_evaluators"],
            "Moyenne": rows["raw"],
            "Rang (moyenne)": rows["rank_raw"],
            "Note corrigée": rows["corrected"],
            "Rang (corrigé)": rows["rank_corrected"],
            "Note retenue": rows["score"],
            "Plus basse": rows["lowest"],
            "Plus haute": rows["highest"],
            "Désaccord": rows["disagreement"],
            "Groupe": rows["group"],
        }
    ).iloc[rows.sort_values([order, "project_id"], kind="stable").index]
    people = found.evaluators.rename(
        columns={
            "evaluator": "Évaluateur",
            "n_projects": "Dossiers notés",
            "severity": "Sévérité (à ajouter à ses notes)",
            "group": "Groupe",
        }
    )
    tables = {"classements": ranking.reset_index(drop=True), "evaluateurs": people}
    return Finding("evaluators", "Notes de plusieurs évaluateurs", found.notes, tables)
