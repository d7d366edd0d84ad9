"""Which dossiers may be one and the same, and which names does a known project go by?

Pairs that look alike are shown with the reason, never merged; close names known to be two projects are said to be two.
Every other name of a known project comes with the document that gives it. People decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi.jury.studies import Finding
from geo_qmi.matching.identity import likely_duplicates
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_VERDICTS = {
    "likely": "à vérifier : peut-être le même",
    "alias": "porte un nom d’un projet connu",
    "distinct": "deux projets distincts, noms proches",
}


def duplicates(
    candidates: pd.DataFrame,
    tables: Mapping[str, Any],
    *,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Finding:
    """Return the pairs of dossiers somebody should look at.

    Parameters
    ----------
    candidates
        ``project_id``, ``name``, and ``siret``, ``description`` where they exist.
    tables
        ``projects`` and ``project_names``: the known projects.
    announce
        As `geo_qmi.matching.identity.likely_duplicates`.
    """
    found = likely_duplicates(
        candidates, projects=tables["projects"], other_names=tables["project_names"], announce=announce
    )
    table = pd.DataFrame(
        {
            "Dossier (identifiant)": found["project_a"],
            "Dossier": found["name_a"],
            "Ressemble à (identifiant)": found["project_b"],
            "Ressemble à": found["name_b"],
            "Constat": found["verdict"].map(_VERDICTS),
            "Ressemblance": found["similarity"],
            "Motif": found["reason"],
        }
    )
    said = f"{counted(len(table), 'paire')} à regarder ; rien n’est fusionné, aucun score n’en dépend."
    return Finding("duplicates", "Doublons probables", (said,) if len(table) else (), {"duplicates": table})


def aliases(tables: Mapping[str, Any]) -> pd.DataFrame:
    """Return every other name of the known projects, with its source.

    Parameters
    ----------
    tables
        ``projects`` (their carriers are names too: EcoFlow is Floware and Ecomesure) and ``project_names``.

    Returns
    -------
    DataFrame
        French headings, sorted by project.
    """
    projects, others = tables["projects"], tables["project_names"]
    carried = projects[projects["operator"].notna() & (projects["operator"] != projects["name"])]
    known = projects.set_index("project_id")["name"]
    rows = pd.DataFrame(
        {
            "Projet (identifiant)": pd.concat([others["project_id"], carried["project_id"]]),
            "Autre nom": pd.concat([others["other_name"], carried["operator"]]),
            "Nature": ["autre nom"] * len(others) + ["porteur"] * len(carried),
            "Source": pd.concat([others["source"], carried["source"]]),
        }
    )
    rows.insert(1, "Projet", rows["Projet (identifiant)"].map(known))
    return rows.sort_values(["Projet", "Nature", "Autre nom"], kind="stable", ignore_index=True)
