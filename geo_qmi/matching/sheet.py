"""What can be told to one applicant, accepted or refused alike, about how its score was made?

One sheet a dossier: how far and how the algorithm contributed, which data from which source, which parameters and
weights as applied, which operations, district by district, down to the statement or the observation behind each part.
The contributions re-add by hand to the total. It is data, not layout (see `geo_qmi.sheets`), and gives no legal advice.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.matching.explanation import explain
from geo_qmi.matching.inputs import LAYERS
from geo_qmi.matching.reasons import Teller, reasons
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geo_qmi.matching.criteria import Appraisal
    from geo_qmi.matching.rules import Rules

#: What the sheet answers to, and how sure we are that it must.
LEGAL_FRAME = (
    "Code des relations entre le public et l’administration, articles L311-3-1 et R311-3-1-2 : degré et mode de "
    "contribution du traitement, données et sources, paramètres et pondération, opérations effectuées."
)
LEGAL_CAUTION = (
    "Un juriste doit confirmer que ces articles s’appliquent à cet appel : cette fiche en suit les quatre rubriques et "
    "ne vaut pas avis juridique. Elle explique une proposition : elle n’est pas la décision du jury, et n’en donne ni "
    "les motifs propres ni les voies de recours."
)
EXPLICIT_MENTION = (
    "Cette proposition a été préparée à l’aide d’un traitement algorithmique, pour aider un jury à rapprocher les "
    "candidatures et les quartiers. Vous pouvez demander les règles de ce traitement et les principales "
    "caractéristiques de sa mise en œuvre à l’organisme qui conduit l’appel."
)
#: What reads the texts, unless the user gives a model.
LEXICON = "lexique de l’étude"
#: Dossiers explained at once: the tables of a batch stay in memory.
_BATCH = 64
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
    rank: int | None  # of the district, for the dossier
    place: int | None  # of the dossier, in the district, before any rule of the plan
    n_scored: int  # dossiers with a score in the district
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
    reader: str = LEXICON,
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

    reader
        Name of what read the texts.

    Raises
    ------
    UnknownNameError
        The project was not appraised.
    """
    options: dict[str, Any] = {"plan": plan, "names": names, "sources": sources, "reader": reader}
    return next(sheets(appraisal, [project_id], **options))


def sheets(
    appraisal: Appraisal,
    project_ids: Sequence[str],
    *,
    plan: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
    sources: Mapping[str, str] | None = None,
    reader: str = LEXICON,
) -> Iterator[Sheet]:
    """Yield the sheet of each of several projects; what they share is computed once for each batch of them.

    Parameters
    ----------
    appraisal, plan, names, sources, reader
        See `sheet`.
    project_ids
        The dossiers.

    Raises
    ------
    UnknownNameError
        A project was not appraised.
    """
    unknown = [one for one in project_ids if one not in appraisal.projects]
    if unknown:
        known = ", ".join(appraisal.projects[:5])
        raise UnknownNameError(f"Projet inconnu : « {shown(unknown[0])} ». Projets connus : {known}…")
    homes = None if plan is None else dict(zip(plan["project_id"], plan["district_id"], strict=True))
    labels = {district: (names or {}).get(district, district) for district in appraisal.districts}
    dossiers: Any = appraisal.applications.set_index("project_id")
    planned = plan is not None
    scores = appraisal.scores()
    standings = scores.rank(axis=0, ascending=False, method="min")
    for start in range(0, len(project_ids), _BATCH):
        batch = list(project_ids[start : start + _BATCH])
        told = _Told.of(appraisal, batch, scores, standings)
        for project_id in batch:
            dossier = dossiers.loc[project_id]
            home = None if homes is None else str(homes.get(project_id, ""))
            status = "none" if home is None else "kept" if home else "out"
            outcome = _STATUSES[status] + (f" : {labels.get(home, home)}" if home else "")
            yield Sheet(
                project_id,
                _text(dossier.get("name"), project_id),
                _text(dossier.get("operator"), "non renseigné"),
                bool(dossier.get("demo", False)),
                status,
                f"Candidature {outcome}.",
                _contribution(appraisal, planned),
                _data(appraisal, dossier, sources or {}, reader),
                _parameters(appraisal, project_id, labels, planned),
                _operations(planned, reader),
                told.districts(project_id, labels, home or ""),
            )


def _text(value: object, instead: str) -> str:
    """Return a cell as text, or `instead` when it is empty."""
    return value if isinstance(value, str) and value else instead


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """All that is said of the pairs of some projects, found once."""

    appraisal: Appraisal
    scores: pd.DataFrame
    ranks: pd.DataFrame
    standings: pd.DataFrame
    n_scored: dict[str, int]
    criteria: dict[tuple[str, str], list[CriterionLine]]
    themes: dict[tuple[str, str], list[ThemeLine]]
    teller: Teller

    @classmethod
    def of(cls, appraisal: Appraisal, project_ids: list[str], scores: pd.DataFrame, standings: pd.DataFrame) -> _Told:
        """Return what is said of `project_ids` in every district."""
        mine = pd.DataFrame({"project_id": project_ids})
        pairs = mine.merge(pd.DataFrame({"district_id": list(appraisal.districts)}), how="cross").astype("str")
        teller = Teller(appraisal, pairs)
        criteria: dict[tuple[str, str], list[CriterionLine]] = {}
        names = list(CriterionLine.__dataclass_fields__)
        for project, district, *cells in _plain(reasons(appraisal, pairs, teller=teller), names):
            criteria.setdefault((project, district), []).append(CriterionLine(*cells))
        themes: dict[tuple[str, str], list[ThemeLine]] = {}
        parts = explain(appraisal.needs, appraisal.offers, layer_weights=appraisal.rules.layers, pairs=pairs)
        for project, district, layer, theme, *cells in _plain(parts[parts["contribution"] > 0], _THEME_CELLS):
            themes.setdefault((project, district), []).append(ThemeLine(LAYERS[layer], THEMES[theme], *cells))
        own = scores.loc[project_ids]
        ranks = own.rank(axis=1, ascending=False, method="min")
        n_scored = {str(district): int(n) for district, n in scores.count().items()}
        return cls(appraisal, own, ranks, standings.loc[project_ids], n_scored, criteria, themes, teller)

    def districts(self, project_id: str, labels: Mapping[str, str], home: str) -> tuple[DistrictPart, ...]:
        """Return the part of every district, best score first, unknown ones last."""
        frames = (self.scores, self.ranks, self.standings, self.appraisal.low, self.appraisal.high)
        scores, ranks, standings, low, high = (
            dict(zip(labels, map(float, frame.loc[project_id]), strict=True)) for frame in frames
        )
        known = {district: not math.isnan(score) for district, score in scores.items()}
        return tuple(
            DistrictPart(
                district,
                labels[district],
                low[district],
                high[district],
                scores[district] if known[district] else None,
                int(ranks[district]) if known[district] else None,
                int(standings[district]) if known[district] else None,
                self.n_scored[district],
                district == home,
                tuple(self.criteria[project_id, district]),
                tuple(self.themes.get((project_id, district), ())),
                self._places(project_id, district),
            )
            for district in sorted(labels, key=lambda one: (-scores[one] if known[one] else 1.0, one))
        )

    def _places(self, project_id: str, district: str) -> tuple[PlaceLine, ...]:
        """Return the candidate places of one district, best first."""
        if "feasibility" not in self.appraisal.criteria:
            return ()
        rows = self.teller.report(project_id, district)[["place_id", "name", "verdict", "words"]]
        return tuple(
            PlaceLine(place, name, _VERDICTS[verdict], "répond aux demandes du dossier" if verdict == 1 else words)
            for place, name, verdict, words in rows.itertuples(index=False, name=None)
        )


_THEME_CELLS = ["layer", "theme", "importance", "strength", "contribution", "evidence_need", "evidence_offer"]


def _plain(frame: pd.DataFrame, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the pair and then some cells of each row, in plain types."""
    yield from frame[["project_id", "district_id", *columns]].itertuples(index=False, name=None)


_VERDICTS = {1: "convient", 0: "à vérifier", -1: "exclu"}


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
    alone = "Le score d’un dossier ne dépend d’aucun autre dossier"
    lines.append(
        f"{alone} ; sa place dans le plan, si : elle dépend des autres et des règles." if planned else f"{alone}."
    )
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


def _data(
    appraisal: Appraisal, dossier: pd.Series, sources: Mapping[str, str], reader: str
) -> tuple[tuple[str, str], ...]:
    """List the data used and where they come from."""
    asked = [label for name, label in _FIELDS.items() if name in dossier]
    empty = [label for name, label in _FIELDS.items() if name in dossier and pd.isna(dossier[name])]
    said = f"dossier, champs lus : {', '.join(asked)}" + (f" ; vides : {', '.join(empty)}" if empty else "")
    rows = [
        ("Candidature", f"{said} ; source : {_text(dossier.get('source'), 'fichier de candidatures')}"),
        ("Besoins des quartiers", f"objectifs, défi et solutions attendues publiés ; lecteur : {reader}"),
    ]
    if "field" in appraisal.criteria:
        rows.append(("Terrain", "observations de marche et objets d’atelier de l’étude, cités par identifiant"))
    if appraisal.places is not None and "feasibility" in appraisal.criteria:
        found = sorted({str(one) for one in appraisal.places.get("source", pd.Series(dtype=str)).dropna()})
        rows.append(("Lieux d’accueil", " ; ".join(found) or "table de l’étude"))
    if "complementarity" in appraisal.criteria:
        rows.append(("Projets présents", f"projets de l’étude déployés dans le quartier ; lecteur : {reader}"))
    if "window" in appraisal.criteria:
        starts = ", ".join(
            f"{key} : {value}" for key, value in sorted(appraisal.starts.items()) if key in appraisal.districts
        )
        rows.append(("Calendrier", starts or "aucune date de début fournie"))
    return (*rows, *sources.items())


def _parameters(
    appraisal: Appraisal, project_id: str, labels: Mapping[str, str], planned: bool
) -> tuple[tuple[str, str], ...]:
    """List the parameters and weights as applied, and the rules of the plan that speak of this dossier."""
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
    if planned:
        rows += _plan_rules(rules, project_id, labels)
    return tuple(rows)


def _plan_rules(rules: Rules, project_id: str, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """List the quotas, the bounds by theme and the rules about one dossier."""
    quotas = [f"{rules.quotas.low} à {rules.quotas.high} projets par quartier"]
    quotas += [
        f"{labels[name]} : {quota.low} à {quota.high}"
        for name, quota in rules.quotas.district.items()
        if name in labels
    ]
    rows = [("Quotas du plan", " ; ".join(quotas))]
    for bound in rules.theme_bounds:
        where = {"*": "dans chaque quartier", "all": "en tout"}.get(bound.district, labels.get(bound.district, ""))
        most = "" if bound.high is None else f", {bound.high} au plus"
        rows.append((f"Thème « {THEMES.get(bound.theme, bound.theme)} »", f"{bound.low} au moins{most}, {where}"))
    for title, pairs in (("Placement imposé", rules.fixed), ("Placement exclu", rules.vetoes)):
        rows += [
            (title, f"{labels.get(pair.district, pair.district)} ; motif : {pair.reason}")
            for pair in pairs
            if pair.project == project_id
        ]
    return rows


def _scale(anchors: tuple[float, float]) -> str:
    """Return what is worth 0 and what is worth 1."""
    return f"échelle : {_number(anchors[0])} donne 0, {_number(anchors[1])} donne 1"


def _operations(planned: bool, reader: str) -> tuple[str, ...]:
    """List what was done, in order."""
    met = "mot reconnu" if reader == LEXICON else "phrase proche d’un terme du lexique"
    lines = [
        f"Lecture des textes ({reader}) : chaque {met} donne une force à un thème, 1 au plus pour un projet.",
        "Besoins : pour chaque couche et chaque thème, importance du besoin × force du projet, puis somme.",
        "Autres critères : valeur brute ramenée entre 0 et 1 par l’échelle des règles.",
        "Total : somme de poids × valeur, au bas et au haut de l’intervalle.",
    ]
    if planned:
        lines.append(
            "Plan : meilleur total sous les quotas et les règles, trouvé exactement ; "
            "plans ex æquo départagés par un tirage au sort reproductible, tiré des identifiants."
        )
    return tuple(lines)


def _number(value: float) -> str:
    """Return a number with up to four decimals and a French comma."""
    return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", ",")
