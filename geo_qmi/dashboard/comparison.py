"""What does a comparison of candidates and districts say to the reader?

`geo_qmi.runs` computes; this module keeps the scores readable when no plan exists, and words the plan,
the parts of a score and the reasons of a choice. It knows no widget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from geo_qmi import matching
from geo_qmi.errors import InfeasibleError
from geo_qmi.runs import Prepared, field_needs, present
from geo_qmi.sheets import interval, number
from geo_qmi.vocabulary import NEED_LAYERS, OTHER_LAYERS, THEMES
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geo_qmi.matching.readers import ThemeReader
    from geo_qmi.matching.rule_model import Quotas
    from geo_qmi.rulebook import Rulebook


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
    """A matching and its inputs, or its scores alone and the sentence that says why no plan meets the quotas."""

    prepared: Prepared
    match: matching.Match
    refusal: str = ""

    @property
    def plan(self) -> pd.DataFrame:
        """Return ``project_id``, ``district_id``, ``score`` of the plan; no row when there is none."""
        plan = self.match.plan.rows
        return plan.head(0) if self.refusal else plan

    @property
    def rows(self) -> pd.DataFrame:
        """Return table ``scores``; nobody is assigned when there is no plan."""
        rows = self.match.rows
        return rows.assign(assigned=rows["assigned"] & False) if self.refusal else rows


def gathered(
    candidates: Candidates,
    tables: Mapping[str, Any],
    *,
    district_ids: Sequence[str],
    book: Rulebook,
    fingerprint: str = "",
    reader: ThemeReader | None = None,
    field: pd.DataFrame | None = None,
) -> Prepared:
    """Return the inputs of one matching, from tables that were read already; the ground when the rules weigh it.

    Parameters
    ----------
    candidates, tables
        What is compared, and every table of the study.
    district_ids
        Districts to fill.
    book
        The rule file.
    fingerprint
        SHA-256 of the study, for the sheets.
    reader
        What reads the texts; the lexicon by default.
    field
        As returned by `geo_qmi.runs.field_needs`, where it is there already.
    """
    title = f"Appariement de {counted(len(candidates.rows), candidates.noun)}{' [démonstration]' * candidates.demo}"
    inputs = {"study": fingerprint, "rules": book.sha256, "reader": "" if reader is None else reader.name}
    if field is None and weighs_field(book):
        field = field_needs(tables)
    return Prepared(
        title=title,
        candidates=candidates.rows,
        tables=dict(tables),
        districts=list(district_ids),
        tags=candidates.tags,
        hosts=candidates.hosts,
        book=book,
        inputs=inputs,
        field=field,
        present=present(tables, candidates.rows["project_id"]),
        reader=reader,
    )


def weighs_field(book: Rulebook) -> bool:
    """Tell whether the rules weigh what was said on the ground."""
    return book.rules.criterion("field").weight > 0


def compare(
    prepared: Prepared, *, texts: matching.Texts | None = None, announce: Callable[[str], None] = lambda _: None
) -> Comparison:
    """Return the matching of what was prepared, or its scores alone when its rules leave no plan.

    `texts`: as returned by `geo_qmi.matching.read_texts` for these very inputs, where they were read already.
    """
    options: dict[str, Any] = {"texts": texts, "announce": announce}
    try:
        return Comparison(prepared=prepared, match=prepared.run(**options))
    except InfeasibleError as error:
        return Comparison(prepared=prepared, match=prepared.unplanned().run(**options), refusal=str(error))


def plan_rows(found: Comparison, candidates: Candidates, districts: Mapping[str, str]) -> pd.DataFrame:
    """Return the plan with French headings: candidate, district, score, rank of that district for the candidate."""
    plan, scores, ends = found.plan, found.match.scores, found.match.appraisal
    projects, places = pd.Index(plan["project_id"]), pd.Index(plan["district_id"])
    pairs = scores.index.get_indexer(projects), scores.columns.get_indexer(places)
    return pd.DataFrame(
        {
            "Quartier": plan["district_id"].map(districts),
            candidates.noun.capitalize(): plan["project_id"].map(candidates.names()),
            "Score": plan["score"].round(3),
            "Au plus bas": [round(end, 3) for end in ends.low.to_numpy()[pairs].tolist()],
            "Au plus haut": [round(end, 3) for end in ends.high.to_numpy()[pairs].tolist()],
            "Rang du quartier": matching.ranks(scores).to_numpy()[pairs].tolist(),
        }
    ).sort_values(["Quartier", "Score"], ascending=[True, False], ignore_index=True)


def parts(found: Comparison, project_id: str, district_id: str) -> pd.DataFrame:
    """Return the parts of the agreement of themes with French headings; « Apport au score » adds up to it."""
    rows = found.match.explanations
    rows = rows[(rows["project_id"] == project_id) & (rows["district_id"] == district_id)]
    return pd.DataFrame(
        {
            "Couche de besoin": rows["layer"].map(NEED_LAYERS | OTHER_LAYERS),
            "Thème": rows["theme"].map(THEMES).fillna("—"),
            "Apport au score": rows["contribution"],
            "Poids du besoin": rows["need_weight"],
            "Force du projet": rows["strength"],
            "Preuve du besoin": rows["evidence_need"],
            "Preuve du projet": rows["evidence_offer"],
            "Note": rows["note"],
        }
    ).sort_values("Apport au score", ascending=False, ignore_index=True)


def criteria(found: Comparison, project_id: str, district_id: str) -> pd.DataFrame:
    """Return one pair on every criterion with French headings and numbers; contributions add up to the score."""
    pair = pd.DataFrame({"project_id": [project_id], "district_id": [district_id]})
    rows = matching.reasons(found.match.appraisal, pair)

    def ends(low: str, high: str) -> list[str]:
        return [interval(*both) for both in zip(rows[low], rows[high], strict=True)]

    return pd.DataFrame(
        {
            "Critère": rows["label"],
            "Poids": [number(weight) for weight in rows["weight"]],
            "Valeur": ends("low", "high"),
            "Contribution": ends("contribution_low", "contribution_high"),
            "Pourquoi": rows["words"],
            "Preuve": rows["evidence"],
        }
    )


def verdicts(found: Comparison, project_id: str, districts: Mapping[str, str]) -> pd.DataFrame:
    """Return, for one candidate, each district with its score and why the plan chose it or not."""
    row = cast("pd.Series[float]", found.match.scores.loc[project_id]).sort_values(ascending=False)
    plan = found.plan
    received = plan["district_id"].value_counts()
    mine = plan.loc[plan["project_id"] == project_id, "district_id"]
    chosen = str(mine.iloc[0]) if len(mine) else ""
    said = [
        _verdict(
            str(district),
            value,
            chosen,
            received=received,
            best=row.get(chosen),
            quotas=found.prepared.book.rules.quotas,
        )
        for district, value in row.items()
    ]
    return pd.DataFrame({"Quartier": [districts[str(d)] for d in row.index], "Score": row.to_numpy(), "Pourquoi": said})


def _verdict(district: str, value: Any, chosen: str, *, received: pd.Series[int], best: Any, quotas: Quotas) -> str:
    """Say why a district is or is not the choice of the plan for one candidate."""
    n, high = int(received.get(district, 0)), quotas.of(district).high
    low = quotas.of(chosen).low
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
    plan = found.match.plan
    tied = " Plusieurs plans atteignent ce total ; un tirage fixe a choisi." if plan.status == "tied" else ""
    total = f"{plan.total:.3f}".replace(".", ",")
    return (
        f"{counted(len(plan.rows), candidates.noun)} dans le plan, {len(plan.excluded)} hors du plan ; "
        f"total des scores : {total}.{tied}"
    )
