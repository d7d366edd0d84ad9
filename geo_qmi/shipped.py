"""Which study comes with the package?

Reads the tables of ``data/geo`` (``geo_qmi/_data`` in an installed wheel) into typed frames. The files are never
written to; their origin, date, licence, recipe and doubts are in ``SOURCES.md`` beside them.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import schema
from geo_qmi.errors import StudyMissingError
from geo_qmi.geo import DEGREES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: How each kind of column is written in the shipped CSV files.
_PARSERS: dict[str, Callable[[str], Any]] = {
    "flag": {"true": True, "false": False}.__getitem__,
    "integer": int,
    "number": float,
}


def data_dir() -> Path:
    """Return the folder of the shipped data: inside the package once installed, else in the checkout.

    Raises
    ------
    StudyMissingError
        Neither folder is there: the installation is incomplete.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "_data", here.parent / "data" / "geo"):
        if folder.is_dir():
            return folder
    raise StudyMissingError("Données livrées introuvables : réinstallez geo-qmi (dossier data/geo absent).")


def shipped_tables() -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    """Return every table of the shipped study, demonstration rows last.

    Returns
    -------
    Table name → typed frame (EPSG:2154 where it has a geometry), in the order of the schema; tables without a file
    are empty.

    Examples
    --------
    >>> tables = shipped_tables()
    >>> len(tables["districts"]), int(tables["districts"].geometry.notna().sum())
    (10, 4)
    """
    return {name: shipped_table(name) for name in schema.TABLES}


def shipped_table(name: str) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return one table of the shipped study: facts, then demonstration."""
    folder = data_dir()
    reader, suffix = (_features, "geojson") if schema.geometry_types(name) else (_rows, "csv")
    paths = [path for path in (folder / f"{name}.{suffix}", folder / "demo" / f"{name}.{suffix}") if path.is_file()]
    records = [record for path in paths for record in reader(path, name)]
    names = list(schema.columns(name))
    frame = pd.DataFrame(records, columns=names, index=pd.RangeIndex(len(records)), dtype=object)
    if "geometry" in frame:
        geometry = gpd.GeoSeries(frame["geometry"], crs=DEGREES).to_crs(schema.CRS)
        frame["geometry"] = pd.Series(np.asarray(geometry, dtype=object), index=frame.index, dtype=object)
    return schema.typed(frame.where(frame.notna(), None), name)


def _rows(path: Path, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file with empty cells as missing."""
    kinds = {column: spec.metadata["kind"] for column, spec in schema.columns(name).items()}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield {column: _PARSERS.get(kinds[column], str)(text) if text else None for column, text in row.items()}


def _features(path: Path, _: str) -> Iterator[dict[str, Any]]:
    """Yield the features of a GeoJSON file, in degrees."""
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        geometry = feature["geometry"]
        yield {**feature["properties"], "geometry": geometry and shapely.geometry.shape(geometry)}
