"""Why is a pair worth this on each criterion, in words somebody can check?

One row a criterion: the weight as applied, both ends of the value, what it adds to the total, a French sentence, and
where to look (statements, observations, places, cells of the dossier). The contributions of a pair re-add to its total
at both ends. The parts of the agreement of themes are in `geo_qmi.matching.explanation`; nothing here computes a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.guards import require_columns
from geo_qmi.matching import competence, feasibility, window
from geo_qmi.matching.explanation import explain
from geo_qmi.vocabulary import THEMES
from geo_qmi.wording import agreed, counted

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


def reasons(appraisal: Appraisal, pairs: pd.DataFrame, *, teller: Teller | None = None) -> pd.DataFrame:
    """Return why each of `pairs` has its values.

    Parameters
    ----------
    appraisal
        As returned by `geo_qmi.matching.criteria.appraise`.
    pairs
        ``project_id``, ``district_id``.
    teller
        What knows the words of these pairs, when the caller asks it more.

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
    teller = teller or Teller(appraisal, wanted)
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


_PART = ("theme", "contribution", "evidence_need", "note")


class _Part(NamedTuple):
    """One part of the agreement of themes of a pair."""

    theme: str
    contribution: float
    evidence_need: str
    note: str


class Teller:
    """The words of each criterion, for the pairs of one request."""

    def __init__(self, appraisal: Appraisal, pairs: pd.DataFrame) -> None:
        self.appraisal = appraisal
        self.dossiers = appraisal.applications.set_index("project_id", drop=False)
        self.themes = {
            "needs": self._parts(appraisal.rules.layers, pairs),
            "field": self._parts({"field": 1.0}, pairs) if "field" in appraisal.criteria else {},
        }
        self.answers: dict[str, competence.Answer] = {}
        if "competence" in appraisal.criteria:
            mine = self.dossiers.loc[sorted(set(pairs["project_id"]))]
            rules = appraisal.rules.competence
            self.answers = competence.answers(mine, competence=rules, offers=appraisal.offers)
        self.districts = sorted(set(pairs["district_id"]))
        self.places: tuple[pd.DataFrame, feasibility.CellTable] | None = None
        if appraisal.places is not None:
            here = appraisal.places[appraisal.places["district_id"].isin(self.districts)]
            self.places = here, feasibility.place_cells(here)
        self.reports: dict[str, dict[str, pd.DataFrame]] = {}

    def _parts(self, layers: dict[str, float], pairs: pd.DataFrame) -> dict[tuple[str, str], list[_Part]]:
        """Return the parts of the agreement of themes of each pair, those that add most first."""
        parts = explain(self.appraisal.needs, self.appraisal.offers, layer_weights=layers, pairs=pairs)
        found: dict[tuple[str, str], list[_Part]] = {}
        rows = parts.sort_values("contribution", ascending=False, kind="stable")[["project_id", "district_id", *_PART]]
        for project_id, district_id, *part in rows.itertuples(index=False, name=None):
            found.setdefault((project_id, district_id), []).append(_Part(*part))
        return found

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
        parts = self.themes[name].get((project_id, district_id), [])
        useful = [part for part in parts if part.contribution > 0]
        if not useful:
            known = any(part.contribution == part.contribution for part in parts)  # NaN differs from itself
            notes = dict.fromkeys(part.note for part in parts if part.note)
            return ("aucun thème commun" if known else "; ".join(notes)), ""
        gains: dict[str, float] = {}
        for part in useful:
            gains[part.theme] = gains.get(part.theme, 0.0) + part.contribution
        ordered = sorted(gains.items(), key=lambda gain: -gain[1])
        listed = [f"{THEMES[theme]} {_decimal(gain)}" for theme, gain in ordered[:_SPELLED_OUT]]
        rest = f" et {counted(len(gains) - _SPELLED_OUT, 'autre')}" if len(gains) > _SPELLED_OUT else ""
        evidence = dict.fromkeys(part.evidence_need for part in useful[:_SPELLED_OUT])
        return f"thèmes communs : {', '.join(listed)}{rest}", " | ".join(evidence)

    def report(self, project_id: str, district_id: str) -> pd.DataFrame:
        """Return the candidate places of a district for one project, best first."""
        if project_id not in self.reports:
            assert self.places is not None  # noqa: S101 — the criterion exists only with places
            places, offered = self.places
            silent = self.appraisal.rules.missing.silent
            dossier: Any = self.dossiers.loc[project_id]
            report = feasibility.place_report(dossier, places, silent=silent, offered=offered)
            self.reports[project_id] = {
                district: report[report["district_id"] == district].reset_index(drop=True)
                for district in self.districts
            }
        return self.reports[project_id][district_id]

    def _feasibility(self, project_id: str, district_id: str) -> tuple[str, str]:
        report = self.report(project_id, district_id)
        if report.empty:
            return "aucun lieu relevé dans ce quartier", ""
        sure, possible = int((report["verdict"] == 1).sum()), int((report["verdict"] == 0).sum())
        best = report.iloc[0]
        if best["verdict"] == feasibility.FAILED:
            said = f"aucun des {len(report)} lieux ne convient ; au plus près : {best['name']}, {best['words']}"
        else:
            suits = "convient" if sure < 2 else "conviennent"
            said = f"{counted(sure, 'lieu', 'lieux')} sur {len(report)} {suits}, {possible} à vérifier ; "
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
        people = counted(int(best["people_in_reach"]), "personne")
        return f"{best['name']} : {people} à portée", str(best["place_id"])

    def _complementarity(self, _: str, district_id: str) -> tuple[str, str]:
        present = self.appraisal.present
        here = (
            [] if present is None else sorted(present.loc[present["district_id"] == district_id, "project_id"].unique())
        )
        if not here:
            return "aucun projet connu dans ce quartier : rien à comparer", ""
        there = f"{counted(len(here), 'projet présent')} ne {agreed(len(here), 'couvre', 'couvrent')} pas"
        return f"part du projet sur des thèmes que {there}", ", ".join(here)

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
    """Return a number with two decimals and a French comma; what is too small for them is not said nil."""
    return "< 0,01" if 0 < value < 0.005 else f"{value:.2f}".replace(".", ",")
