"""What do the command line and the dashboard both do, end to end?

The runs that cross the wings: gather the inputs of a matching, compute it, write its files. A run decides nothing
and prints nothing; `geo_qmi.cli` and `geo_qmi.dashboard` show it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

import geo_qmi
from geo_qmi import export, intake, matching, schema
from geo_qmi.errors import DefectsError, InputError
from geo_qmi.sources.files import read_file
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from geo_qmi.matching import Match
    from geo_qmi.workspace import Study

_TABLES = (
    "communes",
    "districts",
    "objectives",
    "expected_solutions",
    "lexicon",
    "projects",
    "project_tags",
    "applications",
)
_COLUMNS = {"project_id": "Projet (identifiant)", "name": "Projet", "district_id": "Quartier", "commune": "Commune"}


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The inputs of one matching.

    Attributes
    ----------
    title
        French words for what is matched; says so when it is demonstration.
    candidates
        One row a candidate, ``project_id`` and texts.
    tables
        Tables of the study the matching reads.
    districts
        District identifiers to fill.
    tags, hosts
        Tags and real hosts, for the real projects only.
    inputs
        Name → SHA-256, for the manifest.
    n_refused
        Candidates of the user's file that could not be read.
    notes
        French sentences to show before the result.
    """

    title: str
    candidates: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    districts: list[str]
    tags: pd.DataFrame | None
    hosts: pd.DataFrame | None
    inputs: dict[str, str]
    n_refused: int = 0
    notes: list[str] = field(default_factory=list)

    def run(self, *, low: int, high: int, announce: Callable[[str], None] = lambda _: None) -> Match:
        """Return the matching; see `geo_qmi.matching.match`."""
        return matching.match(
            self.candidates,
            self.tables,
            districts=self.districts,
            tags=self.tags,
            hosts=self.hosts,
            low=low,
            high=high,
            announce=announce,
        )

    def place(self, district_id: str) -> str:
        """Return « Quartier (Commune) », or the commune alone when no document names the district."""
        row = self.tables["districts"].set_index("district_id").loc[district_id]
        commune = self.tables["communes"].set_index("insee").loc[row["insee"], "name"]
        return str(commune) if pd.isna(row["name"]) else f"{row['name']} ({commune})"


def prepare(
    study: Study,
    *,
    candidates: Path | pd.DataFrame | None = None,
    demo: bool = False,
    districts: Sequence[str] | None = None,
) -> Prepared:
    """Gather what a matching needs.

    Parameters
    ----------
    study
        Where needs, lexicon and default candidates are read, all at one instant.
    candidates
        A file of applications, or rows already taken in (table ``applications``); the real projects by default.
    demo
        Take the applications of the study instead.
    districts
        Districts to fill; those of edition 1 by default, the only ones whose objectives are published.

    Raises
    ------
    InputError
        Both a file and `demo`, no candidate, or a file of which no row can be read.
    """
    tables = study.read_many(_TABLES)
    if candidates is not None and demo:
        raise InputError("Choisissez : un fichier de candidatures, ou --demo, mais pas les deux.")
    wanted = list(districts or tables["districts"].loc[tables["districts"]["edition"] == 1, "district_id"])
    inputs = {"study": study.fingerprint()}
    notes: list[str] = []
    tags = hosts = None
    n_refused = 0
    if demo:
        chosen, title = tables["applications"], "Candidatures de l’étude"
    elif candidates is None:
        chosen, title = tables["projects"], "Projets réels de l’édition 1"
        tags, hosts = tables["project_tags"], chosen[["project_id", "district_id"]]
    elif isinstance(candidates, pd.DataFrame):
        chosen, title = candidates, "Candidatures importées"
    else:
        chosen, n_refused, notes = _from_file(candidates)
        title = f"Candidatures de « {candidates.name} »"
        inputs["candidates"] = hashlib.sha256(candidates.read_bytes()).hexdigest()
    if "demo" in chosen and chosen["demo"].any():
        title += " [démonstration]"
    chosen = chosen.rename(columns={"application_id": "project_id"})
    if chosen.empty:
        raise InputError("Aucune candidature à apparier : la table est vide. Importez un appel, ou choisissez --demo.")
    return Prepared(title, chosen, tables, wanted, tags, hosts, inputs, n_refused, notes)


def _from_file(path: Path) -> tuple[pd.DataFrame, int, list[str]]:
    """Return the readable applications of a file, how many were refused, and the report."""
    raws = read_file(path)
    if len(raws) != 1:
        layers = ", ".join(f"« {raw.layer} »" for raw in raws)
        raise InputError(
            f"« {path.name} » a {len(raws)} couches ou feuilles ({layers}) : gardez celle des candidatures."
        )
    took = intake.take_in(raws[0], "applications")
    if took.accepted.empty:
        raise DefectsError(took.defects, title=f"Aucune candidature lisible dans « {path.name} »")
    return took.accepted.reset_index(drop=True), took.n_quarantined, intake.Report.of([took]).lines()


def write(prepared: Prepared, result: Match, folder: Path, *, low: int, high: int) -> list[Path]:
    """Write ``scores.csv``, ``explanations.csv``, ``assignments.geojson`` and ``manifest.json``; return their paths.

    The same inputs give the same bytes: no clock is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = {"parameters": {"low": low, "high": high, "districts": prepared.districts}, "inputs": prepared.inputs}
    names = prepared.candidates.set_index("project_id")["name"]
    scores = result.rows.assign(name=result.rows["project_id"].map(names))
    # A need the project does not answer adds nothing: those rows, two in three, are left to the dashboard.
    parts = result.explanations[result.explanations["contribution"] != 0]
    parts = parts.assign(theme_label=parts["theme"].map(THEMES))
    files = [
        export.export_frame(
            scores,
            folder / "scores.csv",
            title=f"Scores — {prepared.title}",
            key=("project_id", "district_id"),
            labels=_labels("scores"),
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
        "outputs": {done.path.name: done.sha256 for done in files},
        "versions": {
            "geo-qmi": geo_qmi.__version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("geopandas", "numpy", "pandas", "scipy", "shapely")},
        },
    }
    return [*(done.path for done in files), export.write_json(manifest, folder / "manifest.json")]


def assignments(prepared: Prepared, result: Match) -> gpd.GeoDataFrame:
    """Return one row a candidate: its district in the plan and the perimeter of that district, where published.

    The geometry is the district's, never a point: nobody has chosen a site yet.
    """
    frame = prepared.candidates[["project_id", "name"]].merge(
        result.assignment.plan.rename(columns={"score": "plan_score"}), on="project_id", how="left"
    )
    frame = frame.merge(result.assignment.excluded, on="project_id", how="left")
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
    rows = result.rows[result.rows["assigned"]].sort_values(["district_id", "score"], ascending=[True, False])
    parts = result.explanations.dropna(subset=["contribution"])
    best = parts[parts["contribution"] > 0].sort_values("contribution", ascending=False, kind="stable")
    reasons = best.groupby(["project_id", "district_id"])["theme"].agg(
        lambda themes: " + ".join([THEMES[theme] for theme in dict.fromkeys(themes)][:2])
    )
    lines = []
    previous = None
    places = {district_id: prepared.place(district_id) for district_id in prepared.districts}
    for project_id, district_id, score, rank in rows[["project_id", "district_id", "score", "rank"]].to_numpy():
        place = places[district_id] if district_id != previous else ""
        why = reasons.get((project_id, district_id), "aucun thème commun")
        lines.append((place, str(names[project_id]), _decimal(score), str(rank), why))
        previous = district_id
    return lines


def closing_lines(prepared: Prepared, result: Match) -> list[str]:
    """Return what to say after the plan: total, who is out, and how often the real host came first."""
    plan = result.assignment
    lines = [
        f"{prepared.title} : {len(plan.plan)} placé(s), {len(plan.excluded)} hors plan ; total {_decimal(plan.total)}."
    ]
    if plan.status == "tied":
        lines.append("Plusieurs plans atteignent ce total ; celui-ci a été départagé par un tirage fixe.")
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
    records = json.loads(result.rows.to_json(orient="records", double_precision=15))
    return {
        "title": prepared.title,
        "inputs": prepared.inputs,
        "status": result.assignment.status,
        "total": result.assignment.total,
        "plan": result.assignment.plan.to_dict("records"),
        "excluded": result.assignment.excluded.to_dict("records"),
        "scores": records,
        "n_refused": prepared.n_refused,
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


def _labels(name: str) -> dict[str, str]:
    """Return column → French title of a table, with the project's name."""
    return {"name": "Projet", **{column: str(spec.title) for column, spec in schema.columns(name).items()}}


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


def _decimal(value: float) -> str:
    """Return a number with two decimals and a French comma."""
    return f"{value:.2f}".replace(".", ",")
