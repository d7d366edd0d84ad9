"""What does a comparison of candidates and districts say to the reader?

`geo_qmi.matching.match` computes; this module keeps the scores readable when no plan exists, and words the plan,
the parts of a score and the reasons of a choice. It knows no widget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from geo_qmi import matching
from geo_qmi.errors import InfeasibleError
from geo_qmi.maps import plural
from geo_qmi.vocabulary import NEED_LAYERS, THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What is compared.

    Attributes
    ----------
    rows
        One row a candidate: ``project_id``, ``name`` and the texts `geo_qmi.matching.offers` reads.
    noun
        « projet » or « candidature ».
    demo
        True when the rows are made up.
    hosts, tags
        Real hosts (``project_id``, ``district_id``) and tags (``project_id``, ``tag``), when there are any.
    """

    rows: pd.DataFrame
    noun: str
    demo: bool = False
    hosts: pd.DataFrame | None = None
    tags: pd.DataFrame | None = None

    def names(self) -> dict[str, str]:
        """Return identifier → name."""
        return dict(zip(self.rows["project_id"], self.rows["name"], strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A matching, or its scores alone and the sentence that says why no plan meets the quotas."""

    match: matching.Match
    refusal: str = ""

    @property
    def plan(self) -> pd.DataFrame:
        """Return ``project_id``, ``district_id``, ``score`` of the plan; no row when there is none."""
        plan = self.match.assignment.plan
        return plan.head(0) if self.refusal else plan


def compare(
    candidates: Candidates,
    tables: Mapping[str, pd.DataFrame],
    *,
    district_ids: Sequence[str],
    low: int,
    high: int,
    announce: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Return the matching of `candidates` in `district_ids`; parameters as `matching.match`."""

    def matched(at_least: int) -> matching.Match:
        return matching.match(
            candidates.rows,
            tables,
            districts=district_ids,
            tags=candidates.tags,
            hosts=candidates.hosts,
            low=at_least,
            high=high,
            announce=announce,
        )

    try:
        return Comparison(match=matched(low))
    except InfeasibleError as error:
        # Scores do not depend on quotas: without a minimum there is always a plan, which is not shown.
        return Comparison(match=matched(0), refusal=str(error))


def plan_rows(found: Comparison, candidates: Candidates, districts: Mapping[str, str]) -> pd.DataFrame:
    """Return the plan with French headings: candidate, district, score, rank of that district for the candidate."""
    plan = found.plan
    ranks = matching.ranks(found.match.scores)
    return pd.DataFrame(
        {
            "Quartier": plan["district_id"].map(districts),
            candidates.noun.capitalize(): plan["project_id"].map(candidates.names()),
            "Score": plan["score"].round(3),
            "Rang du quartier": [
                ranks.loc[project, district]
                for project, district in zip(plan["project_id"], plan["district_id"], strict=True)
            ],
        }
    ).sort_values(["Quartier", "Score"], ascending=[True, False], ignore_index=True)


def parts(found: Comparison, project_id: str, district_id: str) -> pd.DataFrame:
    """Return the parts of one score with French headings; the column « Apport au score » adds up to it."""
    rows = found.match.explanations
    rows = rows[(rows["project_id"] == project_id) & (rows["district_id"] == district_id)]
    return pd.DataFrame(
        {
            "Couche de besoin": rows["layer"].map(NEED_LAYERS),
            "Thème": rows["theme"].map(THEMES).fillna("—"),
            "Apport au score": rows["contribution"],
            "Poids du besoin": rows["need_weight"],
            "Force du projet": rows["strength"],
            "Preuve du besoin": rows["evidence_need"],
            "Preuve du projet": rows["evidence_offer"],
            "Note": rows["note"],
        }
    ).sort_values("Apport au score", ascending=False, ignore_index=True)


def verdicts(found: Comparison, project_id: str, districts: Mapping[str, str], *, low: int, high: int) -> pd.DataFrame:
    """Return, for one candidate, each district with its score and why the plan chose it or not."""
    row = cast("pd.Series[float]", found.match.scores.loc[project_id]).sort_values(ascending=False)
    plan = found.plan
    received = plan["district_id"].value_counts()
    mine = plan.loc[plan["project_id"] == project_id, "district_id"]
    chosen = str(mine.iloc[0]) if len(mine) else ""
    said = [
        _verdict(str(district), value, chosen, received=received, best=row.get(chosen), low=low, high=high)
        for district, value in row.items()
    ]
    return pd.DataFrame({"Quartier": [districts[str(d)] for d in row.index], "Score": row.to_numpy(), "Pourquoi": said})


def _verdict(
    district: str, value: Any, chosen: str, *, received: pd.Series[int], best: Any, low: int, high: int
) -> str:
    """Say why a district is or is not the choice of the plan for one candidate."""
    n = int(received.get(district, 0))
    if pd.isna(value):
        return "score inconnu : rien de reconnu d’un côté ou de l’autre"
    if district == chosen:
        return "retenu par le plan"
    full = f"quartier complet ({n}/{high})" if n >= high else f"quartier à {n}/{high}"
    if not chosen:
        return f"non retenu : {full}, les places valent plus au total avec d’autres"
    if value <= best:
        return "score inférieur ou égal à celui du quartier retenu"
    if n >= high:
        return f"score supérieur, mais {full} : le total du plan serait plus bas"
    at_minimum = int(received.get(chosen, 0)) <= low
    reason = f"le quartier retenu est à son minimum ({low})" if at_minimum else "le total du plan serait plus bas"
    return f"score supérieur, mais {reason}"


def summary(found: Comparison, candidates: Candidates) -> str:
    """Say in one sentence what the plan does."""
    if found.refusal:
        return found.refusal
    assignment = found.match.assignment
    tied = " Plusieurs plans atteignent ce total ; un tirage fixe a choisi." if assignment.status == "tied" else ""
    total = f"{assignment.total:.3f}".replace(".", ",")
    return (
        f"{plural(len(assignment.plan), candidates.noun)} dans le plan, {len(assignment.excluded)} hors du plan ; "
        f"total des scores : {total}.{tied}"
    )
