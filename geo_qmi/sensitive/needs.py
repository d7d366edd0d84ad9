"""What does the ground ask for, where, and how strongly?

Negative marks, absences, interview statements and ranked workshop objects become located needs. One person, one vote:
each walker's vote is shared between the themes they complained of or missed; an interview speaks for those
interviewed, a workshop for those around the table. An absence counts here as fully as a bad mark, though it never
enters the density of the map. Nothing is matched with a project here.

Traps: what has no theme cannot be counted (`unthemed` lists it); a need is where it was said, not where to answer it;
the exact geometries and identifiers are private, the rows of `need_rows` are not located.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy
import shapely

from geo_qmi.errors import InputError
from geo_qmi.guards import require_columns
from geo_qmi.schema import CRS
from geo_qmi.sensitive.inputs import require_observations
from geo_qmi.vocabulary import THEMES
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

#: Layer of table ``needs`` that holds what the field says.
FIELD_LAYER = "field"
#: Two pieces of evidence at most twice this far apart speak of one place: a street and its two pavements.
REACH_M = 25.0
#: Vote of an absence beside that of a mark at −2: naming what is missing is as strong as a very bad mark.
_ABSENCE = 1.0

_COLUMNS = ["district_id", "voice", "people", "theme", "amount", "evidence_id", "geometry"]


def voices(
    observations: gpd.GeoDataFrame,
    *,
    sessions: pd.DataFrame,
    statements: gpd.GeoDataFrame | None = None,
    workshop_items: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Return every piece of evidence of a need with the part of a voice it carries. Private.

    Parameters
    ----------
    observations, sessions, statements, workshop_items
        Tables of those names, geometries in EPSG:2154. Collective statements are not counted: the people who made
        them already spoke.

    Returns
    -------
    GeoDataFrame
        ``district_id``, ``voice`` (person, or session for interviews and workshops), ``people`` behind the voice,
        ``theme``, ``amount``, ``evidence_id``, ``geometry``, ``share``: the voice's people divided between its rows
        in proportion to ``amount``. Amounts: |valence| / 2 for a negative mark or statement, 1 for an absence,
        1 / rank for a workshop object, divided by the total of its class.
    """
    require_observations(observations, "theme")
    require_columns(sessions, ["session_id", "district_id", "n_participants"], what="Séances")
    parts = [_walkers(observations)]
    if statements is not None:
        parts.append(_interviewed(statements))
    if workshop_items is not None:
        parts.append(_around_the_table(workshop_items))
    told = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    known = sessions.set_index("session_id")
    strangers = sorted(set(told["session_id"]) - set(known.index))
    if strangers:
        raise InputError(f"Séance inconnue : « {strangers[0]} ». Ajoutez-la à la table des séances.")
    told["district_id"] = told["session_id"].map(known["district_id"])
    told["people"] = told["people"].fillna(told["session_id"].map(known["n_participants"]).astype("float64"))
    told = told[told["theme"].notna() & (told["amount"] > 0)]
    told = gpd.GeoDataFrame(told[_COLUMNS].reset_index(drop=True), geometry="geometry", crs=CRS)
    total = told["amount"].groupby([told["district_id"], told["voice"]]).transform("sum")
    told["share"] = told["people"] * told["amount"] / total
    return told


def _walkers(observations: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the bad marks and the absences; a walker is one person."""
    force = -observations["valence"].astype("float64").clip(upper=0).fillna(0.0) / 2
    absent = observations["kind"].eq("absence")
    amount = force.where(observations["kind"].eq("mark"), 0.0).mask(absent, _ABSENCE)
    return _evidence(observations, "observation_id", amount=amount, voice=observations["participant_id"], people=1.0)


def _interviewed(statements: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the negative individual statements; an interview speaks for those interviewed."""
    needed = ["statement_id", "session_id", "scope", "theme", "valence"]
    require_columns(statements, needed, what="Propos")
    force = -statements["valence"].astype("float64").clip(upper=0).fillna(0.0) / 2
    amount = force.where(statements["scope"].eq("individual"), 0.0)
    return _evidence(statements, "statement_id", amount=amount, voice=statements["session_id"], people=np.nan)


def _around_the_table(items: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the workshop objects; the three classes weigh the same, and an unranked object comes after the others."""
    require_columns(items, ["item_id", "session_id", "kind", "theme", "priority"], what="Objets d’atelier")
    keys = [items["session_id"], items["kind"]]
    rank = items["priority"].astype("float64")
    last = rank.groupby(keys).transform("max").fillna(0.0) + 1
    inverse = 1.0 / rank.fillna(last)
    inverse = inverse.where(items["theme"].notna(), 0.0)
    amount = inverse / inverse.groupby(keys).transform("sum").replace(0.0, 1.0)
    return _evidence(items, "item_id", amount=amount, voice=items["session_id"], people=np.nan)


def _evidence(
    frame: gpd.GeoDataFrame, id_column: str, *, amount: pd.Series[float], voice: pd.Series[str], people: float
) -> pd.DataFrame:
    """Return the columns shared by every kind of evidence."""
    return pd.DataFrame(
        {
            "session_id": frame["session_id"].astype("str"),
            "voice": voice.astype("str"),
            "people": people,
            "theme": frame["theme"].astype("str"),
            "amount": amount.astype("float64"),
            "evidence_id": frame[id_column].astype("str"),
            "geometry": frame.geometry.to_numpy(),
        }
    )


def located_needs(told: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the needs of each district by theme and place, with their weight and evidence.

    Evidence of one theme that lies within 50 m, step by step, is one place; evidence without a place makes one row
    without geometry.

    Parameters
    ----------
    told
        As returned by `voices`.

    Returns
    -------
    GeoDataFrame
        Private. ``need_id``, ``district_id``, ``theme``, ``weight`` (sums to 1 in each district), ``n_voices``,
        ``n_evidence``, ``evidence_ids`` (joined by « ; »), ``geometry`` (evidence widened by 25 m, or missing);
        by district, then the heaviest first.
    """
    require_columns(told, ["district_id", "theme", "share", "voice", "evidence_id", "geometry"], what="Voix")
    rows = []
    total = told["share"].groupby(told["district_id"]).sum()
    share, shapes = told["share"].to_numpy(), told.geometry.to_numpy()
    voice, evidence = (told[name].to_numpy(dtype=object) for name in ("voice", "evidence_id"))
    # Rows are handled by their numbers: a frame for each place costs more than all the rest.
    for (district, theme), group in sorted(told.groupby(["district_id", "theme"]).indices.items()):
        for place in _clusters(shapes[group]):
            cluster = group[place]
            ids = sorted(evidence[cluster])
            drawn = shapes[cluster][~shapely.is_missing(shapes[cluster])]
            rows.append(
                {
                    "district_id": district,
                    "theme": theme,
                    "weight": share[cluster].sum() / total[district],
                    "n_voices": len(set(voice[cluster])),
                    "n_evidence": len(ids),
                    "evidence_ids": " ; ".join(ids),
                    "geometry": shapely.union_all(shapely.buffer(drawn, REACH_M)) if len(drawn) else None,
                }
            )
    columns = ["district_id", "theme", "weight", "n_voices", "n_evidence", "evidence_ids", "geometry"]
    table = pd.DataFrame(rows, columns=columns)
    order = ["district_id", "weight", "theme", "evidence_ids"]
    table = table.sort_values(order, ascending=[True, False, True, True], ignore_index=True)
    number = table.groupby("district_id").cumcount() + 1
    names = [f"{district}-B{rank:02d}" for district, rank in zip(table["district_id"], number, strict=True)]
    table.insert(0, "need_id", pd.Series(names, dtype="str"))
    return gpd.GeoDataFrame(table, geometry="geometry", crs=CRS)


def _clusters(shapes: NDArray[np.object_]) -> list[NDArray[np.intp]]:
    """Return the rows of each place among the evidence of one theme, then those of what has no place."""
    known = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    placed, nowhere = np.flatnonzero(known), np.flatnonzero(~known)
    one, other = shapely.STRtree(shapes[placed]).query(shapes[placed], predicate="dwithin", distance=2 * REACH_M)
    links = scipy.sparse.csr_array((np.ones(len(one)), (one, other)), shape=(len(placed), len(placed)))
    n_places, label = scipy.sparse.csgraph.connected_components(links, directed=False) if len(placed) else (0, placed)
    found = [placed[label == number] for number in range(n_places)]
    return [*found, nowhere] if len(nowhere) else found


def need_rows(located: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return table ``needs`` of the layer ``field``, ready to be added to those read from the documents.

    Parameters
    ----------
    located
        As returned by `located_needs`.

    Returns
    -------
    DataFrame
        ``district_id``, ``layer`` (``field``), ``theme``, ``weight`` (sums to 1 in each district), ``evidence``
        (numbers and identifiers, no words of anybody); by district, then in the order of the themes.
    """
    rows: dict[tuple[Hashable, Hashable], tuple[float, str]] = {}
    for (district, theme), group in located.groupby(["district_id", "theme"], sort=True):
        ids = sorted(name for joined in group["evidence_ids"] for name in joined.split(" ; "))
        n_placed = int(group.geometry.notna().sum())
        words = f"Terrain : {counted(len(ids), 'élément')}, {counted(n_placed, 'lieu')} : {', '.join(ids)}"
        rows[district, theme] = (float(group["weight"].sum()), words)
    table = pd.DataFrame(
        [(district, FIELD_LAYER, theme, *found) for (district, theme), found in rows.items()],
        columns=["district_id", "layer", "theme", "weight", "evidence"],
    )
    rank = table["theme"].map({theme: position for position, theme in enumerate(THEMES)})
    table = table.assign(_rank=rank).sort_values(["district_id", "_rank"], ignore_index=True).drop(columns="_rank")
    text = dict.fromkeys(["district_id", "layer", "theme", "evidence"], "str")
    # Many thirds of thirds may sum to 1 + 1e-16: a weight is at most 1.
    table["weight"] = table["weight"].astype("float64").clip(upper=1.0)
    return table.astype(text)


def unthemed(observations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the bad marks and absences no theme was given to: they weigh nothing, and somebody should know."""
    require_columns(observations, ["kind", "theme", "valence"], what="Observations")
    bad = observations["kind"].eq("mark") & (observations["valence"].fillna(0) < 0)
    return observations[(bad | observations["kind"].eq("absence")) & observations["theme"].isna()].copy()
