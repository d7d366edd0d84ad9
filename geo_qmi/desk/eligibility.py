"""Which rule does each application pass or fail, in which district, and with what value?

The trace of an application through the rules that are conditions rather than merits: the authority that may decide, the
time left to measure, a place to stand. Values and words are those of `geo_qmi.matching`; an empty cell makes a verdict
unknown, never a failure. Nothing is ranked and nothing is placed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi import matching
from geo_qmi.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo_qmi.matching import Appraisal, Rules
    from geo_qmi.matching.criteria import Judged

#: Criteria that are conditions, in the order a dossier meets them.
CONDITIONS = ("competence", "window", "feasibility")
PASSED, PARTLY, UNKNOWN, FAILED = "remplie", "en partie", "inconnue", "non remplie"


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The conditions of a call, held against applications.

    Attributes
    ----------
    appraisal
        Every application in every district, on every criterion.
    names
        Application → its name.
    districts
        District → its name.
    """

    appraisal: Appraisal
    names: dict[str, str]
    districts: dict[str, str]

    @property
    def conditions(self) -> list[str]:
        """Return the conditions this study and these dossiers can answer."""
        return [name for name in CONDITIONS if name in self.appraisal.criteria]

    def overview(self) -> pd.DataFrame:
        """Return one row an application: for each condition, the number of districts of each verdict; then of all.

        « Tout rempli » counts the districts where every condition is met (even in part), « Possible » those where none
        fails, both out of all districts.
        """
        rules = self.appraisal.rules
        verdicts = {name: verdict_table(self.appraisal.criteria[name]) for name in self.conditions}
        rows = []
        for place, ident in enumerate(self.appraisal.projects):
            row: dict[str, object] = {"Identifiant": ident, "Projet": self.names[str(ident)]}
            row |= {rules.label(name): _counted(table[place]) for name, table in verdicts.items()}
            here = list(zip(*(table[place] for table in verdicts.values()), strict=True))
            row["Tout rempli"] = sum(all(one in {PASSED, PARTLY} for one in each) for each in here)
            row["Possible"] = sum(FAILED not in each for each in here)
            row["Quartiers"] = len(here)
            rows.append(row)
        return pd.DataFrame(rows)

    def detail(self, project_id: str) -> pd.DataFrame:
        """Return one row a district and condition of one application: verdict, value (0 to 1), why."""
        pairs = pd.DataFrame({"project_id": project_id, "district_id": list(self.appraisal.districts)})
        told = matching.reasons(self.appraisal, pairs)
        told = told[told["criterion"].isin(self.conditions)]
        order = {name: place for place, name in enumerate(self.conditions)}
        told = told.assign(place=told["criterion"].map(order)).sort_values(["district_id", "place"], kind="stable")
        values = [_value(low, high) for low, high in zip(told["low"], told["high"], strict=True)]
        return pd.DataFrame(
            {
                "Quartier": told["district_id"].map(self.districts).to_numpy(),
                "Condition": told["label"].to_numpy(),
                "Verdict": [verdict(low, high) for low, high in zip(told["low"], told["high"], strict=True)],
                "Valeur": values,
                "Pourquoi": told["words"].to_numpy(),
            }
        )


def trace(
    applications: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    rules: Rules,
    districts: Mapping[str, str],
) -> Trace:
    """Return the conditions of a call held against `applications`.

    Parameters
    ----------
    applications
        Rows of table ``applications``.
    tables
        Of the study: ``objectives``, ``expected_solutions``, ``districts``, ``lexicon``, ``candidate_places``.
    rules
        Competence, window and places are judged by them.
    districts
        Districts to hold them against → names shown.

    Raises
    ------
    InputError
        No application, no district or no lexicon.
    """
    if applications.empty or not districts or tables["lexicon"].empty:
        raise InputError("Trace impossible : il faut une candidature, un quartier et un lexique de thèmes au moins.")
    asked = applications.rename(columns={"application_id": "project_id"})
    kept = [_within(tables[name], list(districts)) for name in ("objectives", "expected_solutions", "districts")]
    starts = {
        str(ident): None if pd.isna(start) else str(start)
        for ident, start in zip(kept[2]["district_id"], kept[2]["start"], strict=True)
    }
    appraisal = matching.appraise(
        asked,
        needs=matching.needs(*kept, lexicon=tables["lexicon"]),
        offers=matching.offers(asked, lexicon=tables["lexicon"], id_column="project_id"),
        districts=list(districts),
        rules=rules,
        places=tables["candidate_places"],
        starts=starts,
    )
    names = dict(zip(asked["project_id"].astype(str), asked["name"].astype(str), strict=True))
    return Trace(appraisal, names, dict(districts))


def _within(frame: pd.DataFrame, districts: Sequence[str]) -> pd.DataFrame:
    return frame[frame["district_id"].isin(districts)]


def verdict(low: float, high: float) -> str:
    """Return the verdict on one condition from both ends of its value.

    Examples
    --------
    >>> verdict(1.0, 1.0), verdict(0.5, 0.5), verdict(0.0, 1.0), verdict(0.0, 0.0)
    ('remplie', 'en partie', 'inconnue', 'non remplie')
    """
    if high <= 0:
        return FAILED
    if low >= 1:
        return PASSED
    return PARTLY if low > 0 else UNKNOWN


def verdict_table(judged: Judged) -> list[list[str]]:
    """Return the verdicts on one condition: applications × districts."""
    rows = zip(judged.low.tolist(), judged.high.tolist(), strict=True)
    return [[verdict(low, high) for low, high in zip(*ends, strict=True)] for ends in rows]


def _counted(verdicts: list[str]) -> str:
    """Return « 4 remplie · 6 inconnue »: verdicts met, with their number of districts."""
    met = [(word, verdicts.count(word)) for word in (PASSED, PARTLY, UNKNOWN, FAILED)]
    return " · ".join(f"{word} {number}" for word, number in met if number)


def _value(low: float, high: float) -> str:
    """Return a value, or both its ends, with a French comma."""
    ends = [f"{end:.2f}".rstrip("0").rstrip(".").replace(".", ",") for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"entre {ends[0]} et {ends[1]}"
