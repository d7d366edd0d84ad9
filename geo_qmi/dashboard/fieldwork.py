"""What do the walks, interviews and workshops of a district say, under the choices of the reader?

Keeps the records somebody asks for, has `geo_qmi.sensitive` compute places and values from them, and words the tables
of the pages. The exact words of people are private: they come only from the functions that say so, and the page asks
before it shows them. It knows no widget.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from geo_qmi import maps, sensitive
from geo_qmi.errors import InputError
from geo_qmi.geo import propose_crs, to_metres
from geo_qmi.vocabulary import (
    ACTOR_GROUPS,
    OBSERVATION_KINDS,
    PLACE_DISPLAYS,
    PLACE_STATES,
    QUADRANTS,
    READING_FRAMES,
    SENSES,
    SESSION_KINDS,
    THEMES,
    WORKSHOP_KINDS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo_qmi.maps.sensitive import View
    from geo_qmi.sources.raw import RawTable

#: Signs of a valence a reader may keep: code → French label.
SIGNS = {"bad": "négatif", "neutral": "neutre", "good": "positif", "none": "sans valeur"}
#: Sides of a cell offered, in metres; the first is the one of the diagnosis sheet.
CELLS_M = (50, 30, 20, 10)
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
        Whether any of it is made up, and whether all of it is.
    """

    own: dict[str, Any]
    places: gpd.GeoDataFrame
    evidence: str
    demo: bool
    all_demo: bool

    def smooth(self) -> pd.DataFrame:
        """Return the kernel surface over the places."""
        cast = sensitive.votes(self.own["observations"], places=self.places)
        return sensitive.surface(cast, places=self.places)


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
    seen = sensitive.with_groups(own["observations"], participants=own["participants"])
    own["observations"] = seen[_wanted(seen, kept)]
    host = tables["districts"][tables["districts"]["district_id"] == district_id]
    ground = sensitive.walk_ground(host, routes=own["routes"], cell_m=cell_m)
    places = sensitive.felt(own["observations"], places=ground, routes=own["routes"])
    flags = pd.concat([frame["demo"] for frame in own.values()], ignore_index=True).astype("bool")
    return Fieldwork(own, places, sensitive.evidence(own["observations"]), bool(flags.any()), bool(flags.all()))


def _wanted(seen: pd.DataFrame, kept: Kept) -> pd.Series[bool]:
    """Tell which observations are kept."""
    wanted = pd.Series(data=True, index=seen.index)
    for column, chosen in (("actor_group", kept.groups), ("sense", kept.senses), ("theme", kept.themes)):
        if chosen:
            wanted &= seen[column].isin(chosen)
    if kept.signs:
        valence = seen["valence"]
        sign = pd.Series("none", index=seen.index).mask(valence.notna(), "neutral")
        sign = sign.mask((valence > 0).fillna(value=False), "good").mask((valence < 0).fillna(value=False), "bad")
        wanted &= sign.isin(kept.signs)
    return wanted


def drawn(tables: Mapping[str, Any], district_id: str, found: Fieldwork, *, kept: Kept, view: View) -> maps.Map:
    """Return the sensitive map of the district, laid over its perimeter, barriers and stations."""
    chosen = ("districts", "communes", "barriers", "stations", "sites")
    ground = maps.district_map(district_id, **{name: tables[name] for name in chosen})
    hosts = maps.hosts_of(tables["districts"], tables["communes"]).set_index("district_id")
    return maps.sensitive_map(
        ground,
        district=str(hosts.loc[district_id, "title"]),
        places=found.places,
        evidence=found.evidence,
        field=found.own,
        view=view,
        smooth=None if view == "places" else found.smooth(),
        filters=kept.words(),
    )


def spoken_places(found: Fieldwork) -> dict[str, str]:
    """Return place identifier → French label of the places where something was said, most people first."""
    said = found.places[found.places["state"].isin(["felt", "divided"])]
    told = sensitive.with_stops(said, found.own["stages"])
    told = told.sort_values(["n_people", "n_observations", "place_id"], ascending=[False, False, True])
    return {
        row.place_id: (
            f"{PLACE_STATES[row.state].capitalize()}{_near(row.near)} : "
            f"{maps.plural(int(row.n_people), 'personne')}, valeur {_signed(row.value)} ({row.place_id})"
        )
        for row in told.itertuples()
    }


def _near(name: Any) -> str:
    return f" près de « {name} »" if isinstance(name, str) else ""


def _signed(value: float) -> str:
    return "inconnue" if pd.isna(value) else f"{value:+.1f}".replace(".", ",").replace("-", "−")


def said_at(found: Fieldwork, place_id: str) -> gpd.GeoDataFrame:
    """Return the observations that speak of one place. Private."""
    place = found.places[found.places["place_id"] == place_id]
    pairs = sensitive.attach(found.own["observations"], places=place)
    return found.own["observations"].loc[pairs["observation"].unique()]


def observation_rows(seen: pd.DataFrame, sessions: pd.DataFrame, *, with_words: bool) -> pd.DataFrame:
    """Return observations with French headings; their authors never, their words only `with_words`."""
    titles = sessions.set_index("session_id")["title"]
    rows = pd.DataFrame(
        {
            "Observation": seen["observation_id"],
            "Nature": seen["kind"].map(OBSERVATION_KINDS),
            "Valence": seen["valence"],
            "Thème": seen["theme"].map(THEMES).fillna(_UNSAID),
            "Sens": seen["sense"].map(SENSES).fillna(_UNSAID),
            "Grille de lecture": seen["frame"].map(READING_FRAMES).fillna(_UNSAID),
            "Groupe": seen["actor_group"].map(ACTOR_GROUPS).fillna("inconnu"),
            "Ce qui manque": seen["wished"],
            "Séance": seen["session_id"].map(titles),
        }
    )
    if with_words:
        rows["Mots exacts"] = seen["verbatim"]
    return rows.dropna(axis="columns", how="all").sort_values("Observation", ignore_index=True)


def absences(found: Fieldwork) -> pd.DataFrame:
    """Return what people say is missing, placed or not, with French headings."""
    seen = found.own["observations"]
    lost = seen[seen["kind"] == "absence"]
    return pd.DataFrame(
        {
            "Ce qui manque": lost["wished"].fillna(_UNSAID),
            "Thème": lost["theme"].map(THEMES).fillna(_UNSAID),
            "Groupe": lost["actor_group"].map(ACTOR_GROUPS).fillna("inconnu"),
            "Placé": lost.geometry.notna().map({True: "oui", False: "non : valable partout"}),
            "Observation": lost["observation_id"],
        }
    ).sort_values(["Thème", "Observation"], ignore_index=True)


def disagreements(found: Fieldwork, *, with_words: bool) -> pd.DataFrame:
    """Return the divided places, the most polarised first; both extreme sentences only `with_words` (private)."""
    split = found.places[found.places["state"] == "divided"]
    told = sensitive.with_stops(
        split.sort_values(["polarisation", "place_id"], ascending=[False, True]), found.own["stages"]
    )
    rows = pd.DataFrame(
        {
            "Lieu": told["place_id"],
            "Près de": told["near"],
            "Personnes": told["n_people"],
            "Favorables": told["n_positive"],
            "Défavorables": told["n_negative"],
            "Polarisation (0 à 1)": told["polarisation"].round(2),
        }
    )
    if with_words:
        both = sensitive.opposites(found.own["observations"], places=found.places, table=found.places)
        sides = both.pivot_table(index="place_id", columns="side", values="verbatim", aggfunc="first", dropna=False)
        for side, heading in (("positive", "Dit en bien"), ("negative", "Dit en mal")):
            rows[heading] = rows["Lieu"].map(sides[side]) if side in sides else None
    return rows


def individual(found: Fieldwork) -> pd.DataFrame:
    """Return what individuals felt, theme by theme, one person one vote: people, value, agreement."""
    return _by_group(found, "theme", THEMES, heading="Thème")


def by_actor(found: Fieldwork) -> pd.DataFrame:
    """Return what each group of actors felt over the whole ground, one person one vote."""
    return _by_group(found, "actor_group", ACTOR_GROUPS, heading="Groupe")


def _by_group(found: Fieldwork, column: str, labels: Mapping[str, str], *, heading: str) -> pd.DataFrame:
    """Return values of the whole ground kept apart by one column, the worst first."""
    headings = [heading, "Valeur (−2 à +2)", "Personnes", "Observations", "Polarisation (0 à 1)"]
    seen = found.own["observations"]
    placed = seen[seen.geometry.notna() & ~seen.geometry.is_empty]
    if placed.empty:
        return pd.DataFrame(columns=headings)
    around = shapely.box(*placed.total_bounds).buffer(1.0)
    whole = gpd.GeoDataFrame({"place_id": ["ensemble"]}, geometry=[around], crs=placed.crs)
    told = sensitive.values(placed, places=whole, by=[column]).sort_values("value", kind="stable")
    cells = [
        told[column].map(labels).fillna(_UNSAID),
        told["value"].round(2),
        told["n_people"],
        told["n_observations"],
        told["polarisation"].round(2),
    ]
    return pd.DataFrame(dict(zip(headings, cells, strict=True))).reset_index(drop=True)


def collective(found: Fieldwork, *, with_words: bool) -> pd.DataFrame:
    """Return what groups said together; the sentence only `with_words` (private)."""
    said = found.own["statements"]
    said = said[said["scope"] == "collective"]
    titles = found.own["sessions"].set_index("session_id")["title"]
    rows = pd.DataFrame(
        {
            "Thème": said["theme"].map(THEMES).fillna(_UNSAID),
            "Valence": said["valence"],
            "Séance": said["session_id"].map(titles),
        }
    )
    if with_words:
        rows["Propos"] = said["statement"]
    return rows.sort_values(["Valence", "Thème"], ignore_index=True)


def workshop(items: pd.DataFrame) -> pd.DataFrame:
    """Return the workshop objects by class and rank, with French headings."""
    order = items.sort_values(["kind", "priority", "label"], na_position="last")
    return pd.DataFrame(
        {
            "Classe": order["kind"].map(WORKSHOP_KINDS),
            "Priorité": order["priority"],
            "Objet": order["label"],
            "Thème": order["theme"].map(THEMES).fillna(_UNSAID),
        }
    ).reset_index(drop=True)


def session_rows(sessions: pd.DataFrame) -> pd.DataFrame:
    """Return sessions with French headings."""
    return pd.DataFrame(
        {
            "Séance": sessions["title"],
            "Nature": sessions["kind"].map(SESSION_KINDS),
            "Début": sessions["start"].str.replace("T", " "),
            "Participants": sessions["n_participants"],
            "Source": sessions["source"],
        }
    ).reset_index(drop=True)


def measured_layer(raw: RawTable) -> gpd.GeoDataFrame:
    """Return an uploaded layer in Lambert-93.

    Raises
    ------
    InputError
        It carries no place, or does not say in which system and none can be told from its extent.
    """
    if raw.geometry is None or all(shape is None for shape in raw.geometry):
        raise InputError(f"« {raw.file} » ne porte aucun lieu. Attendu : des points ou des surfaces, avec une mesure.")
    shapes = gpd.GeoSeries(raw.geometry)
    crs = raw.crs
    if crs is None:
        likely = propose_crs([float(bound) for bound in shapes.total_bounds])
        if not likely:
            raise InputError(
                f"« {raw.file} » ne dit pas son système de coordonnées. Enregistrez-le en GeoPackage, en Lambert-93."
            )
        crs = likely[0].code
    frame = gpd.GeoDataFrame(raw.frame, geometry=shapes.to_numpy(), crs=crs)
    return to_metres(frame, what=f"la couche « {raw.file} »")


def numeric_columns(layer: pd.DataFrame) -> list[str]:
    """Return the columns of a layer in which half of the cells at least are numbers."""
    return [
        str(column)
        for column in layer.columns
        if column != "geometry" and pd.to_numeric(layer[column], errors="coerce").notna().mean() >= 0.5
    ]


def concordance_rows(found: Fieldwork, offered: Mapping[str, sensitive.Measured | None]) -> pd.DataFrame:
    """Return the table of `geo_qmi.sensitive.concordance` over the places of the map."""
    return sensitive.concordance(found.own["observations"], places=found.places, measured=offered)


def quadrant_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return places by topic and quadrant with French headings; « non fourni » where no layer was offered."""
    counts = sensitive.summary(table)
    counts = counts.loc[:, [code for code in QUADRANTS if counts[code].any()]]
    labels = {name: topic.label.capitalize() for name, topic in sensitive.TOPICS.items()}
    shown = counts.rename(index=labels, columns=QUADRANTS).rename_axis("Sujet")
    return shown.reset_index()


def discordant_rows(found: Fieldwork, table: pd.DataFrame, *, with_words: bool) -> pd.DataFrame:
    """Return the places where feeling and measure part; what was said there only `with_words` (private)."""
    apart = table[table["quadrant"].isin(["felt_bad", "felt_good"])]
    if with_words:
        apart = sensitive.discordant(table, found.own["observations"], places=found.places)
    rows = pd.DataFrame(
        {
            "Sujet": apart["topic"].map({name: topic.label for name, topic in sensitive.TOPICS.items()}),
            "Lieu": apart["place_id"],
            "Écart": apart["quadrant"].map(QUADRANTS),
            "Ressenti (−2 à +2)": apart["felt"].round(2),
            "Mesure": apart["measured"].round(2),
        }
    )
    if with_words:
        rows["Mots exacts"] = apart["verbatim"]
    return rows.reset_index(drop=True)


def choices_of(seen: pd.DataFrame, column: str, labels: Mapping[str, str]) -> Sequence[str]:
    """Return the codes of a column that somebody used, in the order of the vocabulary."""
    used = set(seen[column].dropna())
    return [code for code in labels if code in used]


def worded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a section with French headings and labels; exact words, which are private, stay on the other page."""
    kept = [column for column in frame.columns if column in _HEADINGS]
    shown = pd.DataFrame(frame[kept])
    for column in kept:
        if column in _LABELS:
            shown[column] = shown[column].map(_LABELS[column])
        elif pd.api.types.is_float_dtype(shown[column]):
            shown[column] = shown[column].round(2)
    return shown.rename(columns=_HEADINGS)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain JSON types, a missing cell as nothing."""
    found: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return found
