"""How are the results of tests told in tables with French headings?

One frame for each thing told, for a page, a spreadsheet, a sheet or a terminal. Nothing is computed; an unknown number
stays empty, and a word says why where one is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi.vocabulary import DIRECTIONS, NEXT_STEPS, OUTCOME_EVIDENCE
from geo_qmi.wording import number, percent

if TYPE_CHECKING:
    from geo_qmi.evaluating.gathering import Evaluation

#: Name of a table, which is also that of its file → its heading.
HEADINGS = {
    "profils": "Réplicabilité : profils et maillons faibles",
    "criteres": "Réplicabilité, critère par critère",
    "protocoles": "Protocoles et suites",
    "resultats": "Résultats, indicateur par indicateur",
    "avertissements": "Avertissements",
    "ressemblances": "Où d’autre : quartiers au contexte proche",
    "hors_domaine": "Hors du domaine observé : non classés",
}


def readable(found: Evaluation) -> dict[str, pd.DataFrame]:
    """Return what is known of tests as frames with French headings, in the order of `HEADINGS`; some may be empty."""
    return {
        "profils": _profiles(found),
        "criteres": _criteria(found),
        "protocoles": _protocols(found),
        "resultats": _results(found),
        "avertissements": pd.DataFrame({"Avertissement": pd.Series(found.warnings, dtype="str")}),
        "ressemblances": _near(found),
        "hors_domaine": _beyond(found),
    }


def cell(value: Any) -> str:
    """Return a value as a French reader expects it; a dash where it is unknown."""
    if pd.isna(value):
        return "—"
    return value if isinstance(value, str) else number(value)


def _names(found: Evaluation, frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the two leading columns: who, and where."""
    return {
        "Projet": frame["project_id"].map(found.projects).fillna(frame["project_id"]),
        "Quartier": frame["district_id"].map(found.districts).fillna(frame["district_id"]),
    }


def _profiles(found: Evaluation) -> pd.DataFrame:
    rows = found.replicability.projects
    return pd.DataFrame(
        {
            **_names(found, rows),
            "Critères évalués": rows["evaluated"],
            "Maillon faible": rows["weakest"],
            "Niveau du maillon faible": rows["weakest_level"],
            "Lecture": rows["sentence"],
            "Démonstration": rows["demo"],
        }
    )


def _criteria(found: Evaluation) -> pd.DataFrame:
    rows = found.replicability.criteria
    return pd.DataFrame(
        {
            **_names(found, rows),
            "Critère": rows["criterion"],
            "Médiane basse": rows["median"],
            "Sens du niveau": rows["meaning"].fillna(rows["missing"]),
            "Plus bas": rows["lowest"],
            "Plus haut": rows["highest"],
            "Personnes": rows["n_raters"],
            "Accord": rows["agreement"],
            "Dernière note": rows["last_marked_on"],
            "Démonstration": rows["demo"],
        }
    )


def _protocols(found: Evaluation) -> pd.DataFrame:
    rows = found.protocols
    return pd.DataFrame(
        {
            "Projet": rows["project"],
            "Quartier": rows["district"],
            "Hypothèse": rows["hypothesis"],
            "Arrêté le": rows["registered_on"],
            "Début": rows["starts_on"],
            "Déployé le": rows["deployed_on"],
            "Fin": rows["ends_on"],
            "État": rows["state"],
            "Comparaison": rows["comparison"].fillna("aucune"),
            "Indicateurs": rows["n_indicators"],
            "Mesurés": rows["n_measured"],
            "Seuils tranchés": rows["n_decided"],
            "Seuils atteints": rows["n_reached"],
            "Suite": rows["next_step"].map(NEXT_STEPS),
            "Enseignement": rows["learning"],
            "Démonstration": rows["demo"],
        }
    )


def _results(found: Evaluation) -> pd.DataFrame:
    rows = found.outcomes.indicators
    reached = rows["reached"].map({True: "oui", False: "non"}).astype("str").fillna("on ne peut le dire")
    return pd.DataFrame(
        {
            **_names(found, rows),
            "Indicateur": rows["label"],
            "Unité": rows["unit"],
            "Sens recherché": rows["direction"].map(DIRECTIONS),
            "État initial": rows["baseline"],
            "Dernière valeur": rows["value"],
            "Mesuré le": rows["measured_on"],
            "Évolution": rows["change"],
            "Évolution de la comparaison": rows["comparison_change"],
            "Écart net": rows["net_change"],
            "Seuil": rows["threshold"],
            "Seuil atteint": reached.where(rows["threshold"].notna(), "sans seuil"),
            "Effectif": rows["n"],
            "Preuve": rows["evidence"].map(OUTCOME_EVIDENCE),
            "Lecture": rows["sentence"],
            "Démonstration": rows["demo"],
        }
    )


def _near(found: Evaluation) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "Quartier du test": found.districts.get(test, test),
                "Rang": near.inside["rank"],
                "Quartier": near.inside["district_id"].map(found.districts),
                "Distance": near.inside["distance"].round(2),
                "Variables connues": near.inside["known"],
                "Diffère surtout par": near.inside["differs"],
                "Part de l’écart": near.inside["differs_share"].map(percent, na_action="ignore"),
                "Déjà un essai": near.inside["tested"].map({True: "oui", False: "non"}),
            }
        )
        for test, near in found.lookalikes.items()
    ]
    return _stacked(parts)


def _beyond(found: Evaluation) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "Quartier du test": found.districts.get(test, test),
                "Quartier": near.outside["district_id"].map(found.districts),
                "Variable": near.outside["label"],
                "Valeur": near.outside["value"],
                "Plus bas observé": near.outside["low"],
                "Plus haut observé": near.outside["high"],
                "Écart": near.outside["gap"],
            }
        )
        for test, near in found.lookalikes.items()
    ]
    parts += [
        pd.DataFrame(
            {
                "Quartier du test": found.districts.get(test, test),
                "Quartier": near.unknown["district_id"].map(found.districts),
                "Variable": "aucune n’est connue",
            }
        )
        for test, near in found.lookalikes.items()
    ]
    return _stacked(parts)


def _stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the frames one under the other; nothing at all when there is none."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
