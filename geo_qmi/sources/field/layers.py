"""What do the layers of a map, a table or a GeoPackage say of a walk?

One layer, one table of the walk: told by its name, else by what it holds. Serves uMap, GeoJSON, CSV and workbooks,
and the layers of QField once their copies are merged. Text is not interpreted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.sources.field import geostrings
from geo_qmi.sources.field.collected import Collected
from geo_qmi.sources.field.survey import METADATA
from geo_qmi.sources.field.words import FELT, filled, named, table_of, words_for
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from geo_qmi.sources.raw import RawTable

#: Columns that draw and say nothing: settings of uMap, style of other maps.
_STYLE_NAMES = """
_umap_options _storage_options _umap_version icon iconurl iconclass color opacity weight fill fillcolor fillopacity
stroke marker-color marker-size marker-symbol styleurl visibility
"""
_STYLE = frozenset(_STYLE_NAMES.split())


def read_layers(raws: list[RawTable], *, tool: str) -> Collected:
    """Return the walk in layers, one table a layer.

    Parameters
    ----------
    raws
        Layers or sheets, as `geo_qmi.sources.files.read_file` gives them.
    tool
        Key of `geo_qmi.sources.field.collected.TOOLS`.
    """
    out = Collected(tool)
    for raw in (raw for raw in raws if raw.n_in or len(raw.frame)):  # a layer nobody drew in says nothing
        table = _table(raw)
        ready = _with_place(_told_twice(raw) if tool == "umap" and table == "observations" else raw)
        if {"start", "end"} & set(raw.frame.columns):
            out.add("sessions", replace(named(raw, "sessions", drop=METADATA - {"start", "end"}), geometry=None))
        out.add(table, named(ready, table, drop=_STYLE | (METADATA if tool == "geojson" else frozenset())))
    return out


def _table(raw: RawTable) -> str:
    """Return the table a layer is: by its name; else a route when it holds lines and nothing felt."""
    table = table_of(raw.layer)
    if table is not None:
        return table
    words = words_for("observations")
    felt = {words.get(fold(str(c).rsplit("/", 1)[-1])) for c in raw.frame.columns if filled(raw.frame[c])}
    kinds = {shape.geom_type for shape in raw.geometry if shape is not None} if raw.geometry is not None else set()
    lines = bool(kinds) and kinds <= {"LineString", "MultiLineString"}
    return "routes" if lines and not felt & set(FELT) else "observations"


def _told_twice(raw: RawTable) -> RawTable:
    """Return a uMap layer with the title of a marker put before its text: both are the words of who drew it."""
    frame = raw.frame
    if not {"name", "description"} <= set(frame.columns):
        return replace(raw, frame=frame.rename(columns={"name": "description"}))
    said = [
        " — ".join(str(part).strip() for part in parts if part is not None and str(part).strip()) or None
        for parts in frame[["name", "description"]].itertuples(index=False, name=None)
    ]
    return replace(
        raw, frame=frame.drop(columns="name").assign(description=pd.Series(said, index=frame.index, dtype=object))
    )


def _with_place(raw: RawTable) -> RawTable:
    """Return `raw` with the places of its text columns where it has no geometry of its own; columns « a/b » shortened.

    An ODK GeoJSON keeps further places as « lat lon alt acc » or as nested GeoJSON; a CSV may hold nothing else.
    """
    places = [str(c) for c in raw.frame.columns if geostrings.is_place(str(c), raw.frame[c])]
    if not places:
        return raw
    shapes, faults = geostrings.first_places(raw.frame, places)
    if raw.geometry is not None:
        shapes = np.where(shapely.is_missing(raw.geometry), shapes, raw.geometry)
    out = replace(raw, frame=raw.frame.drop(columns=places), geometry=shapes, crs=raw.crs or "EPSG:4326")
    out.defects = [*raw.defects, *(geostrings.told(raw, each) for each in faults)]
    return out
