"""Does an edition hold anything private?

The proof that goes with each lower edition: no private column, no private value in any cell, no personal data the
rule recognises, no exact place of an observation. It looks at the result, not at how it was made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from geo_qmi.editions.redaction import WORDS, redact
from geo_qmi.errors import Defect, shown
from geo_qmi.schema import TABLES, private_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Tables = Mapping[str, gpd.GeoDataFrame | pd.DataFrame]


def leaks(lower: Tables, *, source: Tables, cleared: Collection[str] = (), names: Collection[str] = ()) -> list[Defect]:
    """Return every private column, value or exact place of `source` found in an edition; an empty list is the proof.

    Parameters
    ----------
    lower
        Tables of a lower edition, or any tables about to be published.
    source
        The field tables they come from.
    cleared
        Identifiers whose words were released after reading.
    names
        Names that must not appear.

    Returns
    -------
    Defects, one a table and column or value.
    """
    found: list[Defect] = []
    secrets = _secrets(source, cleared=cleared)
    exact = _exact_places(source)
    for table, frame in lower.items():
        private = set(private_columns(table)) if table in TABLES else set()
        published = [str(column) for column in frame.columns if column in private]
        found += [_leak(table, column, "", "colonne privée publiée") for column in published]
        for column in frame.columns:
            if pd.api.types.is_string_dtype(frame[column]) and column != "geometry":
                found += _text_leaks(table, str(column), frame[column], secrets=secrets, names=names)
        if isinstance(frame, gpd.GeoDataFrame):
            same = [wkb for wkb in shapely.to_wkb(frame.geometry.to_numpy()) if wkb is not None and wkb in exact]
            if same:
                found.append(_leak(table, "geometry", str(len(same)), "lieu exact d’une observation publié"))
    return found


def _leak(table: str, field: str, value: str, reason: str) -> Defect:
    return Defect("error", reason, "retirez-la de l’édition", layer=table, field=field, value=shown(value))


def _secrets(source: Tables, *, cleared: Collection[str]) -> dict[str, set[str]]:
    """Return the private values of the source: ``whole`` must not be a cell, ``within`` must not be in a cell."""
    whole: set[str] = set()
    for table, columns in (
        ("participants", ("participant_id",)),
        ("observations", ("participant_id", "time", "photo_sha256")),
    ):
        for column in columns:
            if table in source and column in source[table]:
                whole |= set(source[table][column].dropna().astype("str"))
    released = set(cleared)
    # « P1 » inside a sentence is somebody; « 12 » is a number.
    within = {value for value in whole if len(value) >= 2 and not value.isdigit()}
    for table, (ident, column) in WORDS.items():
        if table not in source or column not in source[table]:
            continue
        told = source[table][[ident, column]].dropna()
        for label, text in told.itertuples(index=False):
            if str(label) not in released or redact(str(text))[1]:
                within.add(str(text))
    return {"whole": whole, "within": within}


def _text_leaks(
    table: str, column: str, values: pd.Series[str], *, secrets: Mapping[str, set[str]], names: Collection[str]
) -> list[Defect]:
    """Return the secrets found in one column."""
    said = [str(value) for value in values.dropna().unique()]
    found = [_leak(table, column, value, "valeur privée publiée") for value in said if value in secrets["whole"]]
    everything = "\n".join(said)
    for secret in sorted(secrets["within"]):
        if secret in everything and re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", everything) and secret not in said:
            found.append(_leak(table, column, secret, "valeur privée dans un texte publié"))
        elif secret in said and secret not in secrets["whole"]:
            found.append(_leak(table, column, secret, "mots non relus publiés"))
    for text in said:
        found += [
            _leak(table, column, passage, "donnée personnelle publiée") for passage in redact(text, names=names)[1]
        ]
    return found


def _exact_places(source: Tables) -> set[bytes]:
    """Return the exact geometries of the observations."""
    if "observations" not in source:
        return set()
    shapes: Sequence[bytes | None] = shapely.to_wkb(source["observations"].geometry.to_numpy())
    return {wkb for wkb in shapes if wkb is not None}
