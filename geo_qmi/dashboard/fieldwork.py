"""What do the walks, interviews and workshops of a district say, under the choices of the reader?

Keeps the records somebody asks for, has `geo_qmi.sensitive` compute places and values from them, and draws the maps
of the pages; `geo_qmi.dashboard.fieldwork_rows` words their tables. Observations carry the exact words of people, which
are private: the page asks before it shows them. It knows no widget.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import shapely

from geo_qmi import maps, sensitive
from geo_qmi.vocabulary import (
    ACTOR_GROUPS,
    PLACE_DISPLAYS,
    PLACE_STATES,
    SENSES,
    THEMES,
    WORKSHOP_KINDS,
)
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from geo_qmi.maps.sensitive import View

#: Signs of a valence a reader may keep: code → French label.
SIGNS = {"bad": "négatif", "neutral": "neutre", "good": "positif", "none": "sans valeur"}
#: Sides of a cell offered, in metres; the first is the one of the diagnosis sheet.
CELLS_M = (50, 30, 20, 10)
#: Views of the map: code → French label.
VIEWS = {
    "places": "Lieux",
    "groups": "Par groupe",
    "events": "Par type de séance",
    "value": "Surface : valeur",
    "evidence": "Surface : preuve",
    "interval": "Intervalles",
    "spots": "Regroupements",
}
#: View → how it is made and where it stops, in French.
METHODS = {
    "groups": (
        "Chaque groupe a sa lettre, son côté du lieu et sa couche, à masquer une à une ; la couleur dit la valeur, le "
        "chiffre le nombre de personnes. Une ou deux personnes ne parlent pas pour tout leur groupe."
    ),
    "events": (
        "Marches, balades et entretiens ont chacun leur signe et leur lettre ; les objets d’atelier gardent les leurs. "
        "Un entretien compte pour une voix. Rien n’est additionné d’un type à l’autre."
    ),
    "value": (
        "Surface lissée (noyau gaussien, 60 m), sur les lieux parcourus où cinq personnes au moins sont proches. "
        "Elle ignore les murs et les voies : une aide à la lecture, pas une mesure."
    ),
    "evidence": (
        "Personnes derrière chaque cellule lissée (noyau de 60 m) : plus loin compte moins, cinq peuvent valoir trois."
    ),
    "interval": (
        "Intervalle à 90 % de la valeur : les personnes sont tirées de nouveau au sort, avec remise et avec tout ce "
        "qu’elles ont dit (999 tirages), seulement à partir de cinq personnes au lieu. Il mesure le hasard de qui est "
        "venu, pas celui de qui a été invité : sans jeunes à la marche, il ne dit rien des jeunes."
    ),
    "spots": (
        "Points chauds et froids (Gi* de Getis et Ord, voisinage de 100 m). Les réponses de chaque personne sont "
        "redistribuées au hasard entre ses propres lieux (4 999 fois) ; les tests sont corrigés ensemble (Benjamini et "
        "Hochberg, 5 %), à partir de cinq personnes alentour. Le test est prudent : rien de distinct ne veut pas dire "
        "rien de ressenti."
    ),
}
#: View of this page → view of `geo_qmi.maps.sensitive_map`.
_DRAWN: dict[str, View] = {
    "places": "places",
    "groups": "voices",
    "events": "voices",
    "value": "value",
    "evidence": "evidence",
    "interval": "interval",
    "spots": "spots",
}
#: Views that also show what is missing, what groups said and what a workshop placed.
_WITH_RECORDS = ("places", "events")
_UNSAID = "non précisé"

_HEADINGS = {
    "label": "Libellé",
    "value": "Valeur",
    "side": "Ressenti",
    "place_id": "Lieu",
    "near": "Près de",
    "n_people": "Personnes",
    "polarisation": "Polarisation (0 à 1)",
    "display": "Affichage",
    "observation_id": "Observation",
    "theme": "Thème",
    "wished": "Ce qui manque",
    "located": "Placé",
    "weight": "Poids",
    "n_places": "Lieux",
    "statement_id": "Propos",
    "valence": "Valence",
    "kind": "Classe",
    "priority": "Priorité",
    "what": "Manque",
}
_LABELS: dict[str, dict[Any, str]] = {
    "side": {"positive": "favorable", "negative": "défavorable"},
    "theme": THEMES,
    "display": PLACE_DISPLAYS,
    "kind": WORKSHOP_KINDS,
    "located": {True: "oui", False: "non : valable partout"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the reader keeps; an empty choice keeps everything."""

    sessions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    senses: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()

    def words(self) -> str:
        """Return the choices in French, for the title of a map; sessions show in its numbers."""
        parts = {
            "groupe": [ACTOR_GROUPS[code] for code in self.groups],
            "sens": [SENSES[code] for code in self.senses],
            "thème": [THEMES[code] for code in self.themes],
            "ressenti": [SIGNS[code] for code in self.signs],
        }
        return " ; ".join(f"{name} : {', '.join(chosen)}" for name, chosen in parts.items() if chosen)


@dataclass(frozen=True, slots=True, eq=False)
class Fieldwork:
    """The records kept and what they make of the ground.

    Attributes
    ----------
    own
        Field tables of the kept sessions, ``observations`` further reduced to what was kept, with ``actor_group``.
    places
        As returned by `geo_qmi.sensitive.felt`.
    evidence
        Sessions, people, observations, in French.
    demo
        Whether any of it is made up.
    """

    own: dict[str, Any]
    places: gpd.GeoDataFrame
    evidence: str
    demo: bool


def fieldwork(tables: Mapping[str, Any], district_id: str, *, kept: Kept, cell_m: float) -> Fieldwork:
    """Return the fieldwork of a district under the choices of the reader.

    Parameters
    ----------
    tables
        Every table of the study.
    district_id
        A row of ``districts``.
    kept
        Choices.
    cell_m
        Side of the cells in metres.
    """
    own = sensitive.of_district(district_id, tables)
    if kept.sessions:
        own = {name: frame[frame["session_id"].isin(kept.sessions)] for name, frame in own.items()}
    own["observations"] = _reduced(sensitive.with_groups(own["observations"], participants=own["participants"]), kept)
    host = tables["districts"][tables["districts"]["district_id"] == district_id]
    ground = sensitive.walk_ground(host, routes=own["routes"], cell_m=cell_m)
    places = sensitive.felt(own["observations"], places=ground, routes=own["routes"])
    demo = any(bool(frame["demo"].any()) for frame in own.values())
    return Fieldwork(own, places, sensitive.evidence(own["observations"]), demo)


def _reduced(seen: gpd.GeoDataFrame, kept: Kept) -> gpd.GeoDataFrame:
    """Return the observations that are kept."""
    if not (kept.groups or kept.senses or kept.themes or kept.signs):
        return seen
    wanted = pd.Series(data=True, index=seen.index)
    for column, chosen in (("actor_group", kept.groups), ("sense", kept.senses), ("theme", kept.themes)):
        if chosen:
            wanted &= seen[column].isin(chosen)
    if kept.signs:
        valence = seen["valence"]
        sign = pd.Series("none", index=seen.index).mask(valence.notna(), "neutral")
        sign = sign.mask((valence > 0).fillna(value=False), "good").mask((valence < 0).fillna(value=False), "bad")
        wanted &= sign.isin(kept.signs)
    return seen[wanted]


def drawn(
    tables: Mapping[str, Any],
    district_id: str,
    found: Fieldwork,
    *,
    kept: Kept,
    view: str = "places",
    chosen: str = "",
    ground: Ground | None = None,
) -> maps.Map:
    """Return the sensitive map of the district, laid over its perimeter, barriers and stations.

    Parameters
    ----------
    tables
        Every table of the study.
    district_id
        A row of ``districts``.
    found
        As returned by `fieldwork` for that district.
    kept
        Choices, for the title.
    view
        Key of `VIEWS`.
    chosen
        Place, or absence, to outline.
    ground
        As returned by `ground_of` for that district, where it is there already: it is the same under every view.
    """
    ground = ground or ground_of(tables, district_id)
    seen = _heard(found, view)
    shown = maps.sensitive_map(
        ground.drawn,
        district=ground.title,
        places=found.places,
        evidence=sensitive.evidence(seen),
        field=found.own if view in _WITH_RECORDS else {name: found.own[name] for name in ("routes", "stages")},
        view=_DRAWN[view],
        detail=_detail(seen, found.places, view),
        filters=kept.words(),
    )
    shown = _framed(shown, ground)
    return maps.outlined(shown, _where(found, chosen)) if chosen else shown


class Ground(NamedTuple):
    """What lies under every map of a district, and its French name."""

    drawn: maps.Map
    title: str


def ground_of(tables: Mapping[str, Any], district_id: str) -> Ground:
    """Return what lies under every map of a district, and its French name."""
    chosen = ("districts", "communes", "barriers", "stations", "sites")
    host = tables["districts"][tables["districts"]["district_id"] == district_id]
    ground = maps.district_map(district_id, **{name: tables[name] for name in chosen})
    return Ground(ground, str(maps.hosts_of(host, tables["communes"])["title"].iloc[0]))


def _framed(drawn: maps.Map, ground: Ground) -> maps.Map:
    """Return a map that opens on what was walked and on the whole perimeter; paper keeps to the walk, for its scale."""
    both = [shapely.box(*one.extent_m) for one in (drawn, ground.drawn)]
    xmin, ymin, xmax, ymax = shapely.total_bounds(both)
    return replace(drawn, extent_m=(xmin, ymin, xmax, ymax))


def _heard(found: Fieldwork, view: str) -> gpd.GeoDataFrame:
    """Return what a view counts: the observations, and beside them the interviews where events are kept apart."""
    seen: gpd.GeoDataFrame = found.own["observations"]
    if view != "events":
        return seen
    told = sensitive.with_interviews(seen, statements=found.own["statements"])
    return sensitive.with_groups(told, sessions=found.own["sessions"])


def _detail(seen: gpd.GeoDataFrame, places: gpd.GeoDataFrame, view: str) -> pd.DataFrame | None:
    """Return what a view draws beside the places."""
    if view in {"value", "evidence"}:
        return sensitive.surface(sensitive.votes(seen, places=places), places=places)
    if view == "interval":
        return sensitive.intervals(sensitive.votes(seen, places=places), places=places)
    if view == "spots":
        return sensitive.hotspots(seen, places=places)
    apart = {"groups": "actor_group", "events": "session_kind"}
    return sensitive.values(seen, places=places, by=[apart[view]]) if view in apart else None


def together(ground: Ground, found: Fieldwork) -> tuple[maps.Map, maps.Map]:
    """Return two maps of one ground to lay side by side: what each person felt, and what groups said or placed."""
    own = found.own
    alone = maps.sensitive_map(
        ground.drawn,
        district=f"{ground.title}, ressenti par chacun",
        places=found.places,
        evidence=found.evidence,
        field={name: own[name] for name in ("routes", "stages", "observations")},
    )
    alone = _framed(alone, ground)
    told = sensitive.collective_evidence(
        own["sessions"], statements=own["statements"], workshop_items=own["workshop_items"]
    )
    shared = maps.collective_map(ground.drawn, district=ground.title, evidence=told, field=own, extent_m=alone.extent_m)
    return alone, shared


def picked(found: Fieldwork, drawn: maps.Map, *, layer: str, ident: str) -> str:
    """Return the choice of `spoken_places` that a click on a feature means; empty when nothing was said there.

    A stop, a statement or a workshop object that covers a place stands for that place.
    """
    choices = spoken_places(found)
    if ident in choices:
        return ident
    clicked = next((one for one in drawn.layers if one.name == layer), None)
    if clicked is None or not (clicked.kind == "point" or layer.endswith("_areas")):
        return ""
    spot = clicked.frame.loc[clicked.frame["id"] == ident, "geometry"].representative_point()
    here = found.places[found.places.intersects(spot.union_all())]["place_id"]
    return next((place for place in here if place in choices), "")


def spoken_places(found: Fieldwork) -> dict[str, str]:
    """Return identifier → French label of what a reader may open: places most people spoke of, then placed absences."""
    said = found.places[found.places["state"].isin(["felt", "divided"])]
    told = sensitive.with_stops(said, found.own["stages"])
    told = told.sort_values(["n_people", "n_observations", "place_id"], ascending=[False, False, True])
    places = {
        row.place_id: (
            f"{PLACE_STATES[row.state].capitalize()}{_near(row.near)} : "
            f"{counted(int(row.n_people), 'personne')}, valeur {_signed(row.value)} ({row.place_id})"
        )
        for row in told.itertuples()
    }
    seen = found.own["observations"]
    lost = seen[seen["kind"].eq("absence") & seen.geometry.notna()].sort_values("observation_id")
    missing = zip(lost["observation_id"], lost["wished"].fillna(_UNSAID), strict=True)
    return places | {ident: f"Ce qui manque : {wished} ({ident})" for ident, wished in missing}


def _near(name: Any) -> str:
    return f" près de « {name} »" if isinstance(name, str) else ""


def _signed(value: float) -> str:
    return "inconnue" if pd.isna(value) else f"{value:+.1f}".replace(".", ",").replace("-", "−")


def said_at(found: Fieldwork, chosen: str) -> gpd.GeoDataFrame:
    """Return the observations behind a choice of `spoken_places`. Private."""
    seen = found.own["observations"]
    place = found.places[found.places["place_id"] == chosen]
    if place.empty:
        return seen[seen["observation_id"] == chosen]
    pairs = sensitive.attach(seen, places=place)
    return seen.loc[pairs["observation"].unique()]


def _where(found: Fieldwork, chosen: str) -> gpd.GeoDataFrame:
    """Return the place, or the absence, behind a choice of `spoken_places`."""
    place = found.places[found.places["place_id"] == chosen]
    return said_at(found, chosen).set_index("observation_id") if place.empty else place


def choices_of(seen: pd.DataFrame, column: str, labels: Mapping[str, str]) -> Sequence[str]:
    """Return the codes of a column that somebody used, in the order of the vocabulary."""
    used = set(seen[column].dropna())
    return [code for code in labels if code in used]


def worded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a section with French headings and labels; exact words, which are private, stay on the other page."""
    kept = [column for column in frame.columns if column in _HEADINGS]
    return pd.DataFrame({_HEADINGS[column]: _worded(frame[column]) for column in kept}, index=frame.index)


def _worded(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return one column of a section as it is read."""
    if cells.name in _LABELS:
        labels = _LABELS[str(cells.name)]
        return pd.Series([labels.get(code) for code in cells], index=cells.index, dtype="str")
    if cells.name == "valence":
        return cells.map(number, na_action="ignore")
    return cells.round(2) if pd.api.types.is_float_dtype(cells) else cells


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain JSON types, a missing cell as nothing."""
    found: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return found
