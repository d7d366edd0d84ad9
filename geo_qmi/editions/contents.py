"""Which rows, columns and words go into the edition of the jury, of the candidates, of the public?

Allow-lists of columns and the order of the steps: small sessions and groups out, words redacted and read, places
widened, rows shuffled. How a text is redacted, a place widened and the result proven is in the sibling files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_qmi.editions.masking import mask
from geo_qmi.editions.redaction import WORDS, redact
from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.schema import CRS
from geo_qmi.wording import agreed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    Tables = Mapping[str, gpd.GeoDataFrame | pd.DataFrame]

EDITIONS = {"jury": "jury", "candidates": "candidats", "public": "public"}
#: Fewest people behind a group, a session or a masked place of a lower edition.
FLOOR_GROUP = 3

#: Columns of each edition, table by table. What is not listed is not published; ``words`` is redacted text.
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "jury": {
        "sessions": ("session_id", "district_id", "kind", "title", "start", "n_participants", "demo", "source"),
        "routes": ("route_id", "session_id", "demo", "source", "geometry"),
        "stages": ("stage_id", "session_id", "rank", "name", "demo", "source", "geometry"),
        "observations": (
            *("observation_id", "session_id", "stage_id", "actor_group", "kind", "frame", "sense", "theme"),
            *("valence", "intensity", "verbatim", "wished", "demo", "source", "geometry"),
        ),
        "statements": (
            *("statement_id", "session_id", "scope", "actor_group", "theme", "statement", "valence"),
            *("demo", "source", "geometry"),
        ),
        "workshop_items": (
            *("item_id", "session_id", "kind", "actor_group", "theme", "label", "priority"),
            *("demo", "source", "geometry"),
        ),
    },
    "candidates": {
        "sessions": ("session_id", "district_id", "kind", "title", "n_participants", "demo", "source"),
        "routes": ("route_id", "session_id", "demo", "source", "geometry"),
        "stages": ("stage_id", "session_id", "rank", "name", "demo", "source", "geometry"),
        "observations": (
            *("mark_id", "session_id", "actor_group", "kind", "frame", "sense", "theme", "valence"),
            *("wished", "words", "demo", "source", "geometry"),
        ),
        "statements": ("statement_id", "session_id", "scope", "theme", "valence", "words", "demo", "source"),
        "workshop_items": ("item_id", "session_id", "kind", "theme", "label", "priority", "demo", "source", "geometry"),
    },
    "public": {
        "sessions": ("session_id", "district_id", "kind", "title", "n_participants", "demo", "source"),
        "routes": ("route_id", "session_id", "demo", "source", "geometry"),
        "observations": ("mark_id", "session_id", "kind", "theme", "valence", "words", "demo", "source", "geometry"),
        "statements": ("statement_id", "session_id", "scope", "theme", "valence", "words", "demo", "source"),
        "workshop_items": ("item_id", "session_id", "kind", "theme", "label", "priority", "demo", "source", "geometry"),
    },
}
#: Free text that is not private by nature but is redacted all the same in the lower editions.
_FREE_TEXT = {"sessions": ("title",), "observations": ("wished",), "workshop_items": ("label",), "stages": ("name",)}


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a study, ready to be written in a folder of its own.

    Attributes
    ----------
    name
        Key of `EDITIONS`.
    tables
        Table name → frame, only the allowed columns.
    review
        Words waiting for a reader: ``table``, ``id``, ``redacted``, ``found`` (what the rule removed), ``cleared``.
        Internal: it does not go into the edition.
    withheld
        ``table``, ``what`` (French), ``n_rows``: what is not there, and why.
    mask_m
        Side of the smallest cells the places were widened to; 0 for street segments, missing when no place is left and
        for the jury.
    reidentified
        Share of masked places nearest to their own original; missing for the jury.
    """

    name: str
    tables: dict[str, gpd.GeoDataFrame | pd.DataFrame]
    review: pd.DataFrame
    withheld: pd.DataFrame
    mask_m: float
    reidentified: float


def edition(
    name: str,
    *,
    tables: Tables,
    names: Collection[str] = (),
    cleared: Collection[str] = (),
    streets: gpd.GeoDataFrame | None = None,
    floor_people: int = FLOOR_GROUP,
    seed: int = 20230515,
) -> Edition:
    """Return one edition of the field tables.

    Parameters
    ----------
    name
        ``jury``, ``candidates`` or ``public``.
    tables
        Field tables of the study: ``sessions``, ``participants``, ``observations``, and those of ``routes``,
        ``stages``, ``statements``, ``workshop_items`` there are.
    names
        Proper names to remove from texts, in any case and with or without accents.
    cleared
        Identifiers of observations and statements whose redacted words somebody has read and released. None by
        default: no word leaves unread.
    streets
        Street segments (lines, EPSG:2154) to widen places to; cells otherwise, or when segments give authors away.
    floor_people
        Fewest people behind a group, a session or a masked place; never under three.
    seed
        For the order and the numbers of the published marks, which must not follow the walk.

    Raises
    ------
    UnknownNameError, InputError
        No such edition; a table that is needed is absent.
    """
    if name not in EDITIONS:
        raise UnknownNameError(f"Édition inconnue : « {shown(name)} ». Éditions : {', '.join(EDITIONS)}.")
    if floor_people < FLOOR_GROUP:
        raise InputError(f"Édition : seuil de {floor_people} personnes. Attendu : {FLOOR_GROUP} au moins.")
    absent = [table for table in ("sessions", "participants", "observations") if table not in tables]
    if absent:
        raise InputError(f"Édition : {agreed(len(absent), 'table absente')} : {', '.join(absent)}.")
    own = {table: tables[table].copy() for table in COLUMNS[name] if table in tables}
    group = tables["participants"].set_index("participant_id")["actor_group"]
    own["observations"]["actor_group"] = own["observations"]["participant_id"].map(group)
    if name == "jury":
        return Edition(name, _allowed(own, name), _review({}, cleared=()), _withheld([]), float("nan"), float("nan"))
    review = _review({table: own[table] for table in WORDS if table in own}, names=names, cleared=cleared)
    own, notes = _thinned(own, tables["participants"], floor_people=floor_people)
    own = _worded(own, review, names=names)
    notes.append(("observations", "mots non relus", int(review["cleared"].eq(other=False).sum())))
    widened = mask(own["observations"], streets=streets, floor_people=floor_people)
    notes.append(("observations", f"lieu que moins de {floor_people} personnes partagent", widened.n_withheld))
    places = gpd.GeoSeries(widened.shapes, index=own["observations"].index, crs=CRS)
    own["observations"] = _shuffled(own["observations"].assign(geometry=places), seed=seed)
    return Edition(name, _allowed(own, name), review, _withheld(notes), widened.mask_m, widened.reidentified)


def _shuffled(observations: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the rows in an order, and under numbers, that do not follow the walk."""
    mixed = observations.iloc[np.random.default_rng(seed).permutation(len(observations))].reset_index(drop=True)
    mixed["mark_id"] = pd.Series([f"M{n:05d}" for n in range(1, len(mixed) + 1)], dtype="str")
    return mixed


def _allowed(own: dict[str, gpd.GeoDataFrame | pd.DataFrame], name: str) -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    """Keep the columns of the edition, in its order."""
    return {table: frame[[c for c in COLUMNS[name][table] if c in frame]] for table, frame in own.items()}


def _withheld(notes: Iterable[tuple[str, str, int]]) -> pd.DataFrame:
    """Return what is kept back, without the lines that keep nothing back."""
    return pd.DataFrame([note for note in notes if note[2]], columns=["table", "what", "n_rows"])


def _review(
    frames: Mapping[str, pd.DataFrame], *, names: Collection[str] = (), cleared: Collection[str]
) -> pd.DataFrame:
    """Return every private text redacted, with what was found, for somebody to read."""
    rows = []
    released = set(cleared)
    for table, frame in frames.items():
        ident, column = WORDS[table]
        for label, text in frame[[ident, column]].dropna().itertuples(index=False):
            redacted, found = redact(str(text), names=names)
            rows.append((table, str(label), redacted, " ; ".join(found), str(label) in released))
    review = pd.DataFrame(rows, columns=["table", "id", "redacted", "found", "cleared"])
    return review.astype({"table": "str", "id": "str", "redacted": "str", "found": "str", "cleared": "bool"})


def _worded(
    own: dict[str, gpd.GeoDataFrame | pd.DataFrame], review: pd.DataFrame, *, names: Collection[str]
) -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    """Replace private texts by the cleared redacted words, and redact the other free texts."""
    released = review[review["cleared"]]
    for table, (ident, _) in WORDS.items():
        if table in own:
            said = released[released["table"] == table].set_index("id")["redacted"]
            own[table]["words"] = own[table][ident].map(said)
    for table, columns in _FREE_TEXT.items():
        for column in columns if table in own else ():
            own[table][column] = own[table][column].map(
                lambda text: redact(text, names=names)[0] if isinstance(text, str) else text
            )
    return own


def _thinned(
    own: dict[str, gpd.GeoDataFrame | pd.DataFrame], participants: pd.DataFrame, *, floor_people: int
) -> tuple[dict[str, gpd.GeoDataFrame | pd.DataFrame], list[tuple[str, str, int]]]:
    """Withhold sessions of too few people whole, and the group of whoever is one of too few."""
    sessions = own["sessions"]
    small = set(sessions["session_id"][sessions["n_participants"].lt(floor_people).fillna(value=True)])
    notes = []
    for table, frame in own.items():
        kept = ~frame["session_id"].isin(small)
        notes.append((table, f"séance de moins de {floor_people} personnes", int((~kept).sum())))
        own[table] = frame[kept].reset_index(drop=True)
    size = participants.groupby(["session_id", "actor_group"]).size()
    seen = own["observations"]
    pairs = pd.MultiIndex.from_frame(seen[["session_id", "actor_group"]])
    rare = seen["actor_group"].notna() & (size.reindex(pairs).fillna(0).to_numpy() < floor_people)
    seen["actor_group"] = seen["actor_group"].mask(rare)
    notes.append(("observations", f"groupe de moins de {floor_people} personnes dans la séance", int(rare.sum())))
    return own, notes
