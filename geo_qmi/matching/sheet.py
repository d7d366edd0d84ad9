"""What can be told to one applicant, accepted or refused alike, about how its score was made?

One sheet a dossier: how far and how the algorithm contributed, which data from which source, which parameters and
weights as applied, which operations, district by district, down to the statement or the observation behind each part.
The contributions re-add by hand to the total. It is data, not layout (see `geo_qmi.sheets`), and gives no legal advice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.matching.explanation import explain
from geo_qmi.matching.inputs import LAYERS
from geo_qmi.matching.reasons import Teller, reasons
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.matching.criteria import Appraisal

#: What the sheet answers to, and how sure we are that it must.
LEGAL_FRAME = (
    "Code des relations entre le public et l’administration, articles L311-3-1 et R311-3-1-2 : degré et mode de "
    "contribution du traitement, données et sources, paramètres et pondération, opérations effectuées."
)
LEGAL_CAUTION = (
    "Un juriste doit confirmer que ces articles s’appliquent à cet appel : cette fiche en suit les quatre rubriques et "
    "ne vaut pas avis juridique."
)
EXPLICIT_MENTION = (
    "Cette proposition a été préparée à l’aide d’un traitement algorithmique, pour aider un jury à rapprocher les "
    "candidatures et les quartiers. Vous pouvez demander les règles de ce traitement et les principales "
    "caractéristiques de sa mise en œuvre à l’organisme qui conduit l’appel."
)
_STATUSES = {
    "kept": "retenue par le plan proposé",
    "out": "non retenue par le plan proposé",
    "none": "appréciée ; aucun plan calculé",
}


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """One criterion of one pair: weight × value = contribution, at both ends."""

    criterion: str
    label: str
    weight: float
    low: float
    high: float
    contribution_low: float
    contribution_high: float
    words: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ThemeLine:
    """One part of the agreement with published needs: importance × strength = part."""

    layer: str
    theme: str
    importance: float
    strength: float
    part: float
    evidence_need: str
    evidence_offer: str


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One candidate place and what it lacks."""

    place_id: str
    name: str
    verdict: str
    words: str


@dataclass(frozen=True, slots=True)
class DistrictPart:
    """All about one district."""

    district_id: str
    district: str
    low: float
    high: float
    score: float | None
    rank: int | None
    assigned: bool
    criteria: tuple[CriterionLine, ...]
    themes: tuple[ThemeLine, ...]
    places: tuple[PlaceLine, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet of one dossier.

    Attributes
    ----------
    project_id, name, operator, demo
        The dossier.
    status, outcome
        ``kept``, ``out`` or ``none``, and its French sentence.
    contribution
        How far and how the algorithm contributed (sentences).
    data
        (name, source) of each kind of data used.
    parameters
        (parameter, value as applied).
    operations
        What was done, in order (sentences).
    districts
        One part a district, best first.
    legal_frame, legal_caution, mention
        The texts named, with the caution that a lawyer must confirm they apply.
    """

    project_id: str
    name: str
    operator: str
    demo: bool
    status: str
    outcome: str
    contribution: tuple[str, ...]
    data: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    operations: tuple[str, ...]
    districts: tuple[DistrictPart, ...]
    legal_frame: str = LEGAL_FRAME
    legal_caution: str = LEGAL_CAUTION
    mention: str = EXPLICIT_MENTION

    def as_dict(self) -> dict[str, Any]:
        """Return the sheet as plain JSON types."""
        return asdict(self)


def sheet(
    appraisal: Appraisal,
    project_id: str,
    *,
    plan: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
    sources: Mapping[str, str] | None = None,
) -> Sheet:
    """Return the sheet of one project.

    Parameters
    ----------
    appraisal
        As returned by `geo_qmi.matching.criteria.appraise`.
    project_id
        The dossier.
    plan
        ``project_id``, ``district_id``: the proposed plan; without one the sheet says that none was made.
    names
        District → name shown.
    sources
        Name of a table → its source or hash, added to the list of data.

    Raises
    ------
    UnknownNameError
        The project was not appraised.
    """
    if project_id not in appraisal.projects:
        known = ", ".join(appraisal.projects[:5])
        raise UnknownNameError(f"Projet inconnu : « {shown(project_id)} ». Projets connus : {known}…")
    dossier: Any = appraisal.applications.set_index("project_id").loc[project_id]
    home = None
    if plan is not None:
        mine = plan.loc[plan["project_id"] == project_id, "district_id"]
        home = str(mine.iloc[0]) if len(mine) else ""
    status = "none" if home is None else "kept" if home else "out"
    labels = {district: (names or {}).get(district, district) for district in appraisal.districts}
    outcome = _STATUSES[status] + (f" : {labels.get(home, home)}" if home else "")
    parts = _districts(appraisal, project_id, labels, home or "")
    return Sheet(
        project_id,
        _text(dossier.get("name"), project_id),
        _text(dossier.get("operator"), "non renseigné"),
        bool(dossier.get("demo", False)),
        status,
        f"Candidature {outcome}.",
        _contribution(appraisal, plan is not None),
        _data(appraisal, dossier, sources or {}),
        _parameters(appraisal),
        _operations(plan is not None),
        parts,
    )


def _text(value: object, instead: str) -> str:
    """Return a cell as text, or `instead` when it is empty."""
    return value if isinstance(value, str) and value else instead


def _districts(appraisal: Appraisal, project_id: str, labels: Mapping[str, str], home: str) -> tuple[DistrictPart, ...]:
    """Return the part of every district, best score first, unknown ones last."""
    pairs = pd.DataFrame({"project_id": project_id, "district_id": list(appraisal.districts)})
    lines = reasons(appraisal, pairs)
    themes = explain(appraisal.needs, appraisal.offers, layer_weights=appraisal.rules.layers, pairs=pairs)
    themes = themes[themes["contribution"] > 0]
    row: Any = appraisal.scores().loc[project_id]
    scores = dict(row.items())
    ranks = dict(row.rank(ascending=False, method="min").items())
    ends = {
        name: dict(zip(appraisal.districts, table.loc[project_id], strict=True)) for name, table in _ends(appraisal)
    }
    teller = Teller(appraisal, pairs) if "feasibility" in appraisal.criteria else None
    parts = []
    for district in sorted(labels, key=lambda one: (-scores[one] if scores[one] == scores[one] else 1.0, one)):
        known = bool(scores[district] == scores[district])  # NaN differs from itself
        parts.append(
            DistrictPart(
                district,
                labels[district],
                float(ends["low"][district]),
                float(ends["high"][district]),
                float(scores[district]) if known else None,
                int(ranks[district]) if known else None,
                district == home,
                _criterion_lines(lines[lines["district_id"] == district]),
                _theme_lines(themes[themes["district_id"] == district]),
                () if teller is None else _place_lines(teller.report(project_id, district)),
            )
        )
    return tuple(parts)


def _ends(appraisal: Appraisal) -> tuple[tuple[str, pd.DataFrame], ...]:
    """Return both ends of the totals by name."""
    return ("low", appraisal.low), ("high", appraisal.high)


def _criterion_lines(rows: pd.DataFrame) -> tuple[CriterionLine, ...]:
    """Return the lines of one pair."""
    names = list(CriterionLine.__dataclass_fields__)
    return tuple(CriterionLine(*row) for row in rows[names].itertuples(index=False, name=None))


def _theme_lines(rows: pd.DataFrame) -> tuple[ThemeLine, ...]:
    """Return the parts of the agreement of themes that add something."""
    return tuple(
        ThemeLine(LAYERS[row[0]], THEMES[row[1]], *row[2:])
        for row in rows[
            ["layer", "theme", "importance", "strength", "contribution", "evidence_need", "evidence_offer"]
        ].itertuples(index=False, name=None)
    )


_VERDICTS = {1: "convient", 0: "à vérifier", -1: "exclu"}


def _place_lines(report: pd.DataFrame) -> tuple[PlaceLine, ...]:
    """Return the candidate places of one district, best first."""
    rows = report[["place_id", "name", "verdict", "words"]].itertuples(index=False, name=None)
    return tuple(PlaceLine(place, name, _VERDICTS[verdict], words) for place, name, verdict, words in rows)


def _contribution(appraisal: Appraisal, planned: bool) -> tuple[str, ...]:
    """Say how far and how the algorithm contributed."""
    lines = [
        "Le traitement propose ; le jury décide. Il ne rejette aucun dossier et ne remplace pas sa lecture.",
        "Il calcule un score pour chaque paire candidature-quartier, par une somme pondérée de critères publiés.",
    ]
    if planned:
        lines.append("Il propose ensuite le plan de total maximal parmi ceux que les règles admettent.")
    gates = [appraisal.rules.label(name) for name in appraisal.criteria if appraisal.rules.criterion(name).gate]
    if gates:
        lines.append(f"Critères qui écartent une paire du plan : {', '.join(gates)}.")
    lines.append("Le score d’un dossier ne dépend d’aucun autre dossier.")
    return tuple(lines)


_FIELDS = {
    "description": "description",
    "keywords": "mots-clés",
    "family": "famille",
    "need_area_m2": "surface demandée",
    "need_ground": "sol demandé",
    "need_sun_h": "ensoleillement demandé",
    "need_water": "eau",
    "need_power": "électricité",
    "need_support": "support",
    "public_domain": "domaine public",
    "need_vehicle": "accès véhicule",
    "testers": "testeurs",
    "months": "durée de mesure",
    "season": "saison",
}


def _data(appraisal: Appraisal, dossier: pd.Series, sources: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """List the data used and where they come from."""
    asked = [label for name, label in _FIELDS.items() if name in dossier]
    empty = [label for name, label in _FIELDS.items() if name in dossier and pd.isna(dossier[name])]
    said = f"dossier, champs lus : {', '.join(asked)}" + (f" ; vides : {', '.join(empty)}" if empty else "")
    rows = [
        ("Candidature", f"{said} ; source : {_text(dossier.get('source'), 'fichier de candidatures')}"),
        ("Besoins des quartiers", "objectifs, défi et solutions attendues publiés, lus par le lexique de l’étude"),
    ]
    if "field" in appraisal.criteria:
        rows.append(("Terrain", "observations de marche et objets d’atelier de l’étude, cités par identifiant"))
    if appraisal.places is not None and "feasibility" in appraisal.criteria:
        found = sorted({str(one) for one in appraisal.places.get("source", pd.Series(dtype=str)).dropna()})
        rows.append(("Lieux d’accueil", " ; ".join(found) or "table de l’étude"))
    if "window" in appraisal.criteria:
        starts = ", ".join(
            f"{key} : {value}" for key, value in sorted(appraisal.starts.items()) if key in appraisal.districts
        )
        rows.append(("Calendrier", starts or "aucune date de début fournie"))
    return (*rows, *sources.items())


def _parameters(appraisal: Appraisal) -> tuple[tuple[str, str], ...]:
    """List the parameters and weights as applied."""
    rules = appraisal.rules
    rows = [
        (rules.label(name), f"poids {_number(weight)} ; {_scale(rules.criterion(name).anchors)}")
        for name, weight in appraisal.weights.items()
    ]
    absent = "non calculé : l’appel ne pose pas la question, ou l’étude n’a pas la donnée"
    rows += [(rules.label(name), absent) for name in rules.criteria if name not in appraisal.weights]
    layers = ", ".join(f"{LAYERS[name]} {_number(weight)}" for name, weight in rules.layers.items())
    rows.append(("Couches de besoin", layers))
    rows.append(("Cellule vide", f"intervalle ; point retenu à {_number(rules.missing.take)} entre le bas et le haut"))
    rows.append(
        ("Cellules vides qui ne demandent rien", ", ".join(_FIELDS[one] for one in rules.missing.silent) or "aucune")
    )
    return tuple(rows)


def _scale(anchors: tuple[float, float]) -> str:
    """Return what is worth 0 and what is worth 1."""
    return f"échelle : {_number(anchors[0])} donne 0, {_number(anchors[1])} donne 1"


def _operations(planned: bool) -> tuple[str, ...]:
    """List what was done, in order."""
    lines = [
        "Lecture des textes : chaque mot reconnu par le lexique donne une force à un thème, 1 au plus pour un projet.",
        "Besoins : pour chaque couche et chaque thème, importance du besoin × force du projet, puis somme.",
        "Autres critères : valeur brute ramenée entre 0 et 1 par l’échelle des règles.",
        "Total : somme de poids × valeur, au bas et au haut de l’intervalle.",
    ]
    if planned:
        lines.append(
            "Plan : meilleur total sous les quotas et les règles, trouvé exactement ; "
            "ex æquo départagés par un tirage fixe."
        )
    return tuple(lines)


def _number(value: float) -> str:
    """Return a number with up to four decimals and a French comma."""
    return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", ",")
