"""In which rows and words does a page tell what people said in a district?

Tables with French headings made of what `geo_qmi.dashboard.fieldwork` keeps: observations, disagreements, absences,
one person one vote, what groups said. The exact words of people are private: they come only from the functions that
say so. It computes no value and knows no widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from geo_qmi import sensitive
from geo_qmi.vocabulary import (
    ACTOR_GROUPS,
    OBSERVATION_KINDS,
    READING_FRAMES,
    SENSES,
    SESSION_KINDS,
    THEMES,
    WORKSHOP_KINDS,
)
from geo_qmi.wording import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.dashboard.fieldwork import Fieldwork

_UNSAID = "non précisé"


def observation_rows(seen: pd.DataFrame, sessions: pd.DataFrame, *, with_words: bool) -> pd.DataFrame:
    """Return observations with French headings; their authors never, their words only `with_words`."""
    titles = sessions.set_index("session_id")["title"]
    rows = pd.DataFrame(
        {
            "Observation": seen["observation_id"],
            "Nature": seen["kind"].map(OBSERVATION_KINDS),
            "Valence": seen["valence"].map(number, na_action="ignore"),
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
    said = said[said["scope"] == "collective"].sort_values(["valence", "theme"], kind="stable")
    titles = found.own["sessions"].set_index("session_id")["title"]
    rows = pd.DataFrame(
        {
            "Thème": said["theme"].map(THEMES).fillna(_UNSAID),
            "Valence": said["valence"].map(number, na_action="ignore"),
            "Séance": said["session_id"].map(titles),
        }
    )
    if with_words:
        rows["Propos"] = said["statement"]
    return rows.reset_index(drop=True)


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
