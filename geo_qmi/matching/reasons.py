"""Why is a pair worth this on each criterion, in words somebody can check?

One row a criterion: the weight as applied, both ends of the value, what it adds to the total, a French sentence, and
where to look (statements, observations, places, cells of the dossier). The contributions of a pair re-add to its total
at both ends. The parts of the agreement of themes are in `geo_qmi.matching.explanation`; nothing here computes a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.matching import competence, feasibility, window
from geo_qmi.matching.explanation import explain
from geo_qmi.matching.inputs import require_columns
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo_qmi.matching.criteria import Appraisal

COLUMNS = [
    "project_id",
    "district_id",
    "criterion",
    "label",
    "weight",
    "low",
    "high",
    "contribution_low",
    "contribution_high",
    "words",
    "evidence",
]
#: Themes spelled out in a sentence; the parts are all in the table of themes.
_SPELLED_OUT = 3


def reasons(appraisal: Appraisal, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return why each of `pairs` has its values.

    Parameters
    ----------
    appraisal
        As returned by `geo_qmi.matching.criteria.appraise`.
    pairs
        ``project_id``, ``district_id``.

    Returns
    -------
    DataFrame
        `COLUMNS`, in the order of `pairs` then of the criteria. A criterion of weight 0 is shown and adds 0.

    Raises
    ------
    UnknownNameError
        A project or a district that was not appraised.
    """
    require_columns(pairs, ["project_id", "district_id"], what="Paires à expliquer")
    wanted = pairs[["project_id", "district_id"]].astype("str").drop_duplicates()
    for name, axis in (("project_id", appraisal.projects), ("district_id", appraisal.districts)):
        absent = sorted(set(wanted[name]) - set(axis))
        if absent:
            noun = "Projet" if name == "project_id" else "Quartier"
            raise UnknownNameError(f"{noun} inconnu de cet appariement : « {shown(absent[0])} ».")
    teller = Teller(appraisal, wanted)
    rows = []
    for project_id, district_id in wanted.itertuples(index=False, name=None):
        row, column = appraisal.projects.get_loc(project_id), appraisal.districts.get_loc(district_id)
        for name, judged in appraisal.criteria.items():
            low, high = float(judged.low[row, column]), float(judged.high[row, column])
            weight = appraisal.weights[name]
            words, evidence = teller.tell(name, str(project_id), str(district_id))
            label = appraisal.rules.label(name)
            ends = (weight, low, high, weight * low, weight * high)
            rows.append((project_id, district_id, name, label, *ends, words, evidence))
    return pd.DataFrame(rows, columns=COLUMNS)


class Teller:
    """The words of each criterion, for the pairs of one request."""

    def __init__(self, appraisal: Appraisal, pairs: pd.DataFrame) -> None:
        self.appraisal = appraisal
        self.dossiers = appraisal.applications.set_index("project_id", drop=False)
        self.themes = {
            "needs": self._parts(appraisal.rules.layers, pairs),
            "field": self._parts({"field": 1.0}, pairs) if "field" in appraisal.criteria else pd.DataFrame(),
        }
        self.answers: dict[str, competence.Answer] = {}
        if "competence" in appraisal.criteria:
            mine = self.dossiers.loc[sorted(set(pairs["project_id"]))]
            rules = appraisal.rules.competence
            self.answers = competence.answers(mine, competence=rules, offers=appraisal.offers)
        self.reports: dict[tuple[str, str], pd.DataFrame] = {}

    def _parts(self, layers: dict[str, float], pairs: pd.DataFrame) -> pd.DataFrame:
        """Return the parts of the agreement of themes that add something."""
        parts = explain(self.appraisal.needs, self.appraisal.offers, layer_weights=layers, pairs=pairs)
        return parts.sort_values("contribution", ascending=False, kind="stable")

    def tell(self, name: str, project_id: str, district_id: str) -> tuple[str, str]:
        """Return the sentence and the evidence of one criterion for one pair."""
        known: dict[str, Callable[[str, str], tuple[str, str]]] = {
            "needs": lambda p, d: self._themes("needs", p, d),
            "field": lambda p, d: self._themes("field", p, d),
            "feasibility": self._feasibility,
            "people": self._people,
            "complementarity": self._complementarity,
            "window": self._window,
            "competence": self._competence,
        }
        return known[name](project_id, district_id)

    def _themes(self, name: str, project_id: str, district_id: str) -> tuple[str, str]:
        parts = self.themes[name]
        mine = parts[(parts["project_id"] == project_id) & (parts["district_id"] == district_id)]
        useful = mine[mine["contribution"] > 0]
        if useful.empty:
            notes = [note for note in mine["note"].unique() if note]
            return ("aucun thème commun" if mine["contribution"].notna().any() else "; ".join(notes)), ""
        gains = useful.groupby("theme", sort=False)["contribution"].sum().sort_values(ascending=False, kind="stable")
        listed = [f"{THEMES[str(theme)]} {_decimal(gain)}" for theme, gain in gains.head(_SPELLED_OUT).items()]
        rest = f" et {len(gains) - _SPELLED_OUT} autre(s)" if len(gains) > _SPELLED_OUT else ""
        evidence = list(dict.fromkeys(useful["evidence_need"].head(_SPELLED_OUT)))
        return f"thèmes communs : {', '.join(listed)}{rest}", " | ".join(evidence)

    def report(self, project_id: str, district_id: str) -> pd.DataFrame:
        """Return the candidate places of a district for one project, best first."""
        places = self.appraisal.places
        assert places is not None  # noqa: S101 — the criterion exists only with places
        key = (project_id, district_id)
        if key not in self.reports:
            here = places[places["district_id"] == district_id]
            silent = self.appraisal.rules.missing.silent
            dossier: Any = self.dossiers.loc[project_id]
            self.reports[key] = feasibility.place_report(dossier, here, silent=silent)
        return self.reports[key]

    def _feasibility(self, project_id: str, district_id: str) -> tuple[str, str]:
        report = self.report(project_id, district_id)
        if report.empty:
            return "aucun lieu relevé dans ce quartier", ""
        sure, possible = int((report["verdict"] == 1).sum()), int((report["verdict"] == 0).sum())
        best = report.iloc[0]
        if best["verdict"] == feasibility.FAILED:
            said = f"aucun des {len(report)} lieux ne convient ; au plus près : {best['name']}, {best['words']}"
        else:
            said = f"{sure} lieu(x) sur {len(report)} conviennent, {possible} à vérifier ; "
            said += f"meilleur : {best['name']} ({best['words']})"
        return said, ", ".join(report["place_id"].head(_SPELLED_OUT))

    def _people(self, project_id: str, district_id: str) -> tuple[str, str]:
        report = self.report(project_id, district_id)
        if report.empty:
            return "aucun lieu relevé dans ce quartier", ""
        best = report.iloc[0]
        if best["verdict"] == feasibility.FAILED:
            return "aucun lieu ne convient : personne n’est à portée", ""
        if pd.isna(best["people_in_reach"]):
            return f"{best['name']} : personnes à portée non comptées", str(best["place_id"])
        return f"{best['name']} : {int(best['people_in_reach'])} personnes à portée", str(best["place_id"])

    def _complementarity(self, _: str, district_id: str) -> tuple[str, str]:
        present = self.appraisal.present
        here = (
            [] if present is None else sorted(present.loc[present["district_id"] == district_id, "project_id"].unique())
        )
        if not here:
            return "aucun projet connu dans ce quartier : rien à comparer", ""
        return f"part du projet sur des thèmes que {len(here)} projet(s) présent(s) ne couvrent pas", ", ".join(here)

    def _window(self, project_id: str, district_id: str) -> tuple[str, str]:
        dossier: Any = self.dossiers.loc[project_id]
        rules = self.appraisal.rules
        said = window.tell(
            dossier["months"],
            dossier["season"],
            start=self.appraisal.starts.get(district_id),
            window=rules.window,
            too_late_below=min(rules.criterion("window").anchors),
        )
        return said, "dossier : durée de mesure, saison"

    def _competence(self, project_id: str, district_id: str) -> tuple[str, str]:
        said = self.answers[project_id].words
        if "feasibility" in self.appraisal.criteria:
            report = self.report(project_id, district_id)
            if len(report) and report.iloc[0]["verdict"] != feasibility.FAILED:
                place = competence.place_words(report.iloc[0]["authority"])
                said += f" ; {place}" if place else ""
        return said, "règles de compétence"


def readds(rows: pd.DataFrame, appraisal: Appraisal) -> bool:
    """Say whether the contributions of each pair of `rows` re-add to both ends of its total, to a billionth."""
    sums = rows.groupby(["project_id", "district_id"])[["contribution_low", "contribution_high"]].sum()
    low = [appraisal.low.loc[pair] for pair in sums.index]
    high = [appraisal.high.loc[pair] for pair in sums.index]
    return bool(np.allclose(sums.to_numpy(), np.column_stack([low, high]), rtol=0, atol=1e-9))


def _decimal(value: float) -> str:
    """Return a number with two decimals and a French comma."""
    return f"{value:.2f}".replace(".", ",")
