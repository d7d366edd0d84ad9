"""What does a matching leave behind: files, lines to print, an object for programs?

The same inputs give the same bytes: no clock is read. Nothing here computes a score or a plan.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

import geo_qmi
from geo_qmi import export, matching, schema
from geo_qmi.matching.questions import ASKED
from geo_qmi.vocabulary import THEMES
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from geo_qmi.matching import Match
    from geo_qmi.runs.inputs import Prepared

#: Empty cells × scores up to which questions are tried after a plan: about a second, and the page tries them on demand.
_MOST_TRIES = 150_000
_COLUMNS = {"project_id": "Projet (identifiant)", "name": "Projet", "district_id": "Quartier", "commune": "Commune"}


def write(prepared: Prepared, result: Match, folder: Path) -> list[Path]:
    """Write the scores, their criteria and themes, the plan and ``manifest.json``; return their paths.

    The same inputs give the same bytes: no clock is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = provenance(prepared, result)
    names = prepared.candidates.set_index("project_id")["name"]
    scores = result.rows.assign(name=result.rows["project_id"].map(names), **_ends(result))
    # A need the project does not answer adds nothing: those rows, two in three, are left to the dashboard.
    parts = result.explanations[result.explanations["contribution"] != 0]
    parts = parts.assign(theme_label=parts["theme"].map(THEMES))
    files = [
        export.export_frame(
            scores,
            folder / "scores.csv",
            title=f"Scores — {prepared.title}",
            key=("project_id", "district_id"),
            labels=_labels("scores") | _END_LABELS,
            provenance=about,
        ),
        export.export_frame(
            matching.criterion_rows(result.appraisal),
            folder / "criteria.csv",
            title=f"Critères — {prepared.title}",
            key=("project_id", "district_id", "criterion"),
            labels=_CRITERION_LABELS,
            provenance=about,
        ),
        export.export_frame(
            parts,
            folder / "explanations.csv",
            title=f"Explications — {prepared.title} (parts non nulles)",
            labels=_EXPLANATION_LABELS,
            provenance=about,
        ),
        export.export_frame(
            assignments(prepared, result),
            folder / "assignments.geojson",
            title=f"Affectations — {prepared.title}",
            key=("project_id",),
            labels=_COLUMNS,
            provenance=about,
        ),
    ]
    manifest = {
        "title": prepared.title,
        **about,
        "objective": result.plan.said,
        "outputs": {done.path.name: done.sha256 for done in files},
        "versions": {
            "geo-qmi": geo_qmi.__version__,
            "python": platform.python_version(),
            **{
                name: importlib.metadata.version(name)
                for name in ("geopandas", "numpy", "pandas", "pydantic", "scipy", "shapely")
            },
        },
    }
    return [*(done.path for done in files), export.write_json(manifest, folder / "manifest.json")]


def provenance(prepared: Prepared, result: Match) -> dict[str, Any]:
    """Return what the result was made from: the rules as applied, and the hashes of the inputs."""
    parameters = {"districts": prepared.districts, "weights": result.appraisal.weights, "rules": result.rules.as_dict()}
    read = ("districts", "objectives", "lexicon", "projects")
    return {"parameters": parameters, "inputs": prepared.inputs, "licence": export.licence_of(read)}


def _ends(result: Match) -> dict[str, Any]:
    """Return both ends of each score, as columns of `result.rows`; missing where nothing that counts is known."""
    unknown = result.rows["score"].isna()
    tables = {"low": result.appraisal.low, "high": result.appraisal.high}
    # Rows and both tables are sorted by project, then district.
    return {
        name: pd.Series(table.to_numpy().ravel(), index=result.rows.index).mask(unknown)
        for name, table in tables.items()
    }


def assignments(prepared: Prepared, result: Match) -> gpd.GeoDataFrame:
    """Return one row a candidate: its district in the plan and the perimeter of that district, where published.

    The geometry is the district's, never a point: nobody has chosen a site yet.
    """
    frame = prepared.candidates[["project_id", "name"]].merge(
        result.plan.rows.rename(columns={"score": "plan_score"}), on="project_id", how="left"
    )
    frame = frame.merge(result.plan.excluded, on="project_id", how="left")
    districts = prepared.tables["districts"][["district_id", "name", "insee", "geometry_status", "geometry"]].rename(
        columns={"name": "district"}
    )
    frame = frame.merge(districts, on="district_id", how="left")
    communes = prepared.tables["communes"].set_index("insee")["name"]
    frame["commune"] = frame["insee"].map(communes)
    frame["demo"] = prepared.candidates["demo"].to_numpy() if "demo" in prepared.candidates else False
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=schema.CRS)


def plan_rows(prepared: Prepared, result: Match) -> list[tuple[str, str, str, str, str]]:
    """Return the plan as lines to print: district, project, score, rank, and the two parts that weigh most."""
    names = prepared.candidates.set_index("project_id")["name"]
    rows = result.rows.assign(**_ends(result))
    rows = rows[rows["assigned"]].sort_values(["district_id", "score"], ascending=[True, False])
    parts = result.explanations.dropna(subset=["contribution"])
    best = parts[parts["contribution"] > 0].sort_values("contribution", ascending=False, kind="stable")
    reasons = best.groupby(["project_id", "district_id"])["theme"].agg(
        lambda themes: " + ".join([THEMES[theme] for theme in dict.fromkeys(themes)][:2])
    )
    lines = []
    previous = None
    places = prepared.places()
    wanted = ["project_id", "district_id", "score", "low", "high", "rank"]
    for project_id, district_id, score, low, high, rank in rows[wanted].to_numpy():
        place = places[district_id] if district_id != previous else ""
        why = reasons.get((project_id, district_id), "aucun thème commun")
        lines.append(
            (place, str(names[project_id]), scored(score, low, high), "—" if pd.isna(rank) else str(rank), why)
        )
        previous = district_id
    return lines


def closing_lines(prepared: Prepared, result: Match) -> list[str]:
    """Return what to say after the plan: total, who is out, and how often the real host came first."""
    plan = result.plan
    placed = f"{counted(len(plan.rows), 'placé')}, {len(plan.excluded)} hors plan"
    lines = [f"{prepared.title} : {placed} ; total {_decimal(plan.total)}."]
    if plan.status in {"tied", "unproven"} or result.rules.objective.mode == "lexicographic" or plan.bonus:
        lines.append(plan.said)
    if len(result.counted()) > 1:
        weights = [
            f"{result.rules.label(name)} {_decimal(result.appraisal.weights[name])}" for name in result.counted()
        ]
        lines.append(f"Poids appliqués : {', '.join(weights)}.")
    n_empty, asked = _questions(result)
    if asked is None:
        lines.append(
            f"Questions : {n_empty} cases vides, trop pour essayer ici toutes les réponses ; "
            "voir « Appariement › Solidité » au tableau de bord."
        )
    elif len(asked):
        lines.append(f"Une seule question, la plus utile : {asked['question'].iloc[0]}.")
    names = prepared.candidates.set_index("project_id")["name"]
    for reason, group in plan.excluded.groupby("reason"):
        ids = list(group["project_id"])
        listed = ", ".join(str(names[one]) for one in ids[:8]) + (f" et {len(ids) - 8} autres" if len(ids) > 8 else "")
        lines.append(f"Hors plan ({reason}) : {listed}.")
    found = result.hosts
    if found is not None:
        lines.append(
            f"Commune réelle au rang 1 : {found.first}/{found.n} (hasard : {_decimal(found.chance_first)}) ; "
            f"aux rangs 1 ou 2 : {found.top_two}/{found.n} (hasard : {_decimal(found.chance_top_two)})."
        )
    return lines


def summary(prepared: Prepared, result: Match) -> dict[str, Any]:
    """Return the matching as plain JSON types."""
    found = result.hosts
    _, asked = _questions(result)
    records = json.loads(result.rows.assign(**_ends(result)).to_json(orient="records", double_precision=15))
    return {
        "title": prepared.title,
        "inputs": prepared.inputs,
        "status": result.plan.status,
        "total": result.plan.total,
        "objective": result.plan.said,
        "weights": result.appraisal.weights,
        "plan": json.loads(result.plan.rows.to_json(orient="records", double_precision=15)),
        "excluded": result.plan.excluded.to_dict("records"),
        "scores": records,
        "n_refused": prepared.n_refused,
        "questions": None if asked is None else asked.to_dict("records"),
        "hosts": None
        if found is None
        else {
            "n": found.n,
            "first": found.first,
            "top_two": found.top_two,
            "chance_first": found.chance_first,
            "chance_top_two": found.chance_top_two,
        },
    }


def _questions(result: Match) -> tuple[int, pd.DataFrame | None]:
    """Return the number of empty cells, and the questions worth asking: none when they are too many to try here."""
    appraisal = result.appraisal
    dossiers, silent = appraisal.applications, appraisal.rules.missing.silent
    n_empty = int(dossiers[[name for name in ASKED if name in dossiers and name not in silent]].isna().sum().sum())
    return n_empty, matching.questions(appraisal) if n_empty * appraisal.low.size <= _MOST_TRIES else None


def _labels(name: str) -> dict[str, str]:
    """Return column → French title of a table, with the project's name."""
    return {"name": "Projet", **{column: str(spec.title) for column, spec in schema.columns(name).items()}}


_END_LABELS = {"low": "Score, au plus bas", "high": "Score, au plus haut"}
_CRITERION_LABELS = {
    "project_id": "Identifiant du projet",
    "district_id": "Identifiant du quartier",
    "criterion": "Critère (code)",
    "label": "Critère",
    "weight": "Poids appliqué",
    "low": "Valeur, au plus bas",
    "high": "Valeur, au plus haut",
    "contribution_low": "Contribution, au plus bas",
    "contribution_high": "Contribution, au plus haut",
}
_EXPLANATION_LABELS = {
    "project_id": "Identifiant du projet",
    "district_id": "Identifiant du quartier",
    "layer": "Couche de besoin",
    "theme": "Thème",
    "theme_label": "Libellé du thème",
    "contribution": "Contribution",
    "layer_weight": "Poids de la couche",
    "need_weight": "Poids du besoin",
    "importance": "Importance",
    "strength": "Force de l’offre",
    "evidence_need": "Preuve du besoin",
    "evidence_offer": "Preuve de l’offre",
    "note": "Note",
}


def scored(score: float, low: float, high: float) -> str:
    """Return a score with both its ends when they differ: « 0,45 (de 0,40 à 0,50) »."""
    if math.isnan(score):
        return "inconnu"
    ends = _decimal(low), _decimal(high)
    return _decimal(score) if ends[0] == ends[1] else f"{_decimal(score)} (de {ends[0]} à {ends[1]})"


def _decimal(value: float) -> str:
    """Return a number with two decimals and a French comma."""
    return f"{value:.2f}".replace(".", ",")
