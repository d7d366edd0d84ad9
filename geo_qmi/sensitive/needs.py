"""What does the ground ask for, where, and how strongly?

Negative marks, absences, interview statements and ranked workshop objects become located needs. One person, one vote:
each walker's vote is shared between the themes they complained of or missed; an interview speaks for those
interviewed, a workshop for those around the table. An absence counts here as fully as a bad mark, though it never
enters the density of the map. Nothing is matched with a project here.

Traps: what has no theme cannot be counted (`unthemed` lists it); a need is where it was said, not where to answer it;
the exact geometries and identifiers are private, the rows of `need_rows` are not located.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

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
    from collections.abc import Iterable

    from numpy.typing import NDArray

    #: Columns of one kind of evidence, as plain arrays: a frame for each costs more than all the rest.
    Evidence = dict[str, NDArray[Any]]

Key = TypeVar("Key")

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
    told = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    district = dict(zip(sessions["session_id"], sessions["district_id"], strict=True))
    present = dict(
        zip(sessions["session_id"], sessions["n_participants"].to_numpy(float, na_value=np.nan), strict=True)
    )
    strangers = sorted(set(told["session_id"]) - set(district))
    if strangers:
        raise InputError(f"Séance inconnue : « {strangers[0]} ». Ajoutez-la à la table des séances.")
    kept = np.flatnonzero(~pd.isna(told["theme"]) & (told["amount"] > 0))
    told = {name: values[kept] for name, values in told.items()}
    told["district_id"] = np.array([district[session] for session in told["session_id"]], dtype=object)
    groups = np.array([present[session] for session in told["session_id"]], dtype=float)
    told["people"] = np.where(np.isnan(told["people"]), groups, told["people"])
    found = pd.DataFrame({name: told[name] for name in _COLUMNS[:-1]})
    owners = list(zip(told["district_id"], told["voice"], strict=True))
    total = _totals(owners, told["amount"])
    text = dict.fromkeys(["district_id", "voice", "theme", "evidence_id"], "str")
    found = gpd.GeoDataFrame(found.astype(text), geometry=told["geometry"], crs=CRS)
    found["share"] = told["people"] * told["amount"] / np.array([total[owner] for owner in owners])
    return found


def _walkers(observations: gpd.GeoDataFrame) -> Evidence:
    """Return the bad marks and the absences; a walker is one person."""
    kinds = observations["kind"].to_numpy(dtype=object)
    amount = np.where(kinds == "mark", _force(observations), 0.0)
    amount[kinds == "absence"] = _ABSENCE
    return _evidence(observations, "observation_id", amount=amount, voice="participant_id", people=1.0)


def _interviewed(statements: gpd.GeoDataFrame) -> Evidence:
    """Return the negative individual statements; an interview speaks for those interviewed."""
    needed = ["statement_id", "session_id", "scope", "theme", "valence"]
    require_columns(statements, needed, what="Propos")
    alone = statements["scope"].to_numpy(dtype=object) == "individual"
    amount = np.where(alone, _force(statements), 0.0)
    return _evidence(statements, "statement_id", amount=amount, voice="session_id", people=np.nan)


def _force(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return half of the valence of what is bad, as a positive number; 0 for the rest."""
    valence = frame["valence"].to_numpy(dtype=float, na_value=np.nan)
    return np.where(valence < 0, -valence / 2, 0.0)


def _around_the_table(items: gpd.GeoDataFrame) -> Evidence:
    """Return the workshop objects; the three classes weigh the same, and an unranked object comes after the others."""
    require_columns(items, ["item_id", "session_id", "kind", "theme", "priority"], what="Objets d’atelier")
    keys = list(zip(items["session_id"], items["kind"], strict=True))
    rank = items["priority"].to_numpy(dtype=float, na_value=np.nan)
    last: defaultdict[tuple[str, str], float] = defaultdict(float)
    for key, one in zip(keys, rank, strict=True):
        last[key] = max(last[key], 0.0 if np.isnan(one) else one)
    asked = np.where(np.isnan(rank), [last[key] + 1 for key in keys], rank)
    inverse = np.where(items["theme"].isna(), 0.0, 1.0 / asked)
    total = _totals(keys, inverse)
    amount = inverse / np.array([total[key] or 1.0 for key in keys])
    return _evidence(items, "item_id", amount=amount, voice="session_id", people=np.nan)


def _totals(keys: Iterable[Key], amounts: Iterable[float]) -> dict[Key, float]:
    """Return the sum of the amounts of each key, rounded once."""
    parts: defaultdict[Key, list[float]] = defaultdict(list)
    for key, amount in zip(keys, amounts, strict=True):
        parts[key].append(amount)
    return {key: math.fsum(own) for key, own in parts.items()}


def _evidence(
    frame: gpd.GeoDataFrame, id_column: str, *, amount: NDArray[np.float64], voice: str, people: float
) -> Evidence:
    """Return the columns shared by every kind of evidence, as plain arrays."""
    names = {"session_id": "session_id", "voice": voice, "theme": "theme", "evidence_id": id_column}
    return {
        **{name: frame[column].to_numpy(dtype=object) for name, column in names.items()},
        "people": np.full(len(frame), people),
        "amount": amount,
        "geometry": frame.geometry.to_numpy(),
    }


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
    rows: list[dict[str, Any]] = []
    total = told["share"].groupby(told["district_id"].to_numpy(dtype=object)).sum()
    share, shapes = told["share"].to_numpy(), told.geometry.to_numpy()
    voice, evidence = (told[name].to_numpy(dtype=object) for name in ("voice", "evidence_id"))
    # Rows are handled by their numbers: a frame for each place costs more than all the rest.
    for (district, theme, _), found in _clusters(list(zip(told["district_id"], told["theme"], strict=True)), shapes):
        ids = sorted(evidence[found])
        drawn = shapes[found][~shapely.is_missing(shapes[found])]
        rows.append(
            {
                "district_id": district,
                "theme": theme,
                "weight": share[found].sum() / total[district],
                "n_voices": len(set(voice[found])),
                "n_evidence": len(ids),
                "evidence_ids": " ; ".join(ids),
                "geometry": shapely.union_all(shapely.buffer(drawn, REACH_M)) if len(drawn) else None,
            }
        )
    columns = ["district_id", "theme", "weight", "n_voices", "n_evidence", "evidence_ids", "geometry"]
    rows.sort(key=lambda row: (row["district_id"], -row["weight"], row["theme"], row["evidence_ids"]))
    table = pd.DataFrame(rows, columns=columns)
    names, last = [], Counter[str]()
    for district in table["district_id"]:
        last[district] += 1
        names.append(f"{district}-B{last[district]:02d}")
    table.insert(0, "need_id", pd.Series(names, dtype="str"))
    return gpd.GeoDataFrame(table, geometry="geometry", crs=CRS)


def _clusters(
    kinds: list[tuple[str, str]], shapes: NDArray[np.object_]
) -> Iterable[tuple[tuple[str, str, int], list[int]]]:
    """Return the rows of each place where evidence of one kind gathers; number −1 has no place."""
    number = {kind: position for position, kind in enumerate(dict.fromkeys(kinds))}
    group = np.array([number[kind] for kind in kinds], dtype=np.intp)
    placed = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    label = np.full(len(shapes), -1)
    if placed.size:
        tree = shapely.STRtree(shapes[placed])
        one, other = tree.query(shapes[placed], predicate="dwithin", distance=2 * REACH_M)
        alike = group[placed[one]] == group[placed[other]]
        links = scipy.sparse.csr_array(
            (np.ones(int(alike.sum())), (one[alike], other[alike])), shape=(len(placed), len(placed))
        )
        label[placed] = scipy.sparse.csgraph.connected_components(links, directed=False)[1]
    found: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)
    for row, (kind, place) in enumerate(zip(kinds, label.tolist(), strict=True)):
        found[*kind, place].append(row)
    return found.items()


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
    needs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, key in enumerate(zip(located["district_id"], located["theme"], strict=True)):
        needs[key].append(row)
    weight, evidence = located["weight"].to_numpy(), located["evidence_ids"].to_numpy(dtype=object)
    placed = ~shapely.is_missing(located.geometry.to_numpy())
    rank = {theme: position for position, theme in enumerate(THEMES)}
    rows = []
    for district, theme in sorted(needs, key=lambda need: (need[0], rank.get(need[1], len(rank)), need[1])):
        own = needs[district, theme]
        ids = sorted(name for joined in evidence[own] for name in joined.split(" ; "))
        n_placed = int(placed[own].sum())
        words = f"Terrain : {counted(len(ids), 'élément')}, {counted(n_placed, 'lieu')} : {', '.join(ids)}"
        # Many thirds of thirds may sum to 1 + 1e-16: a weight is at most 1.
        rows.append((district, FIELD_LAYER, theme, min(float(weight[own].sum()), 1.0), words))
    table = pd.DataFrame(rows, columns=["district_id", "layer", "theme", "weight", "evidence"])
    text = dict.fromkeys(["district_id", "layer", "theme", "evidence"], "str")
    return table.astype({**text, "weight": "float64"})


def unthemed(observations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the bad marks and absences no theme was given to: they weigh nothing, and somebody should know."""
    return observations[lacking_theme(observations)].copy()


def lacking_theme(observations: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which observations are bad marks or absences without a theme."""
    require_columns(observations, ["kind", "theme", "valence"], what="Observations")
    kinds = observations["kind"].to_numpy(dtype=object)
    bad = (kinds == "mark") & (_force(observations) > 0)
    return np.asarray((bad | (kinds == "absence")) & observations["theme"].isna().to_numpy(), dtype=bool)
