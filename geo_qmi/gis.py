"""How does a table look when somebody opens it in QGIS?

Joins what leaves (`geo_qmi.export`) with how QGIS writes a look (`geo_qmi.qgis`): one look, French titles, words for
codes. Maps have looks of their own (`geo_qmi.handover`); nothing here writes a file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geo_qmi import export, qgis

if TYPE_CHECKING:
    import pandas as pd

_KINDS = {"Point": "point", "LineString": "line", "Polygon": "area"}


def styled(layer: export.Layer) -> export.Layer:
    """Return a table with the style its GeoPackage carries."""
    titles = {field.name: field.label for field in layer.fields}
    choices = {field.name: field.choices for field in layer.fields if field.choices}
    return replace(layer, style=qgis.plain_style(drawn_as(layer), titles=titles, choices=choices))


def drawn_as(layer: export.Layer) -> str:
    """Return how a table is drawn: as ``area``, ``line`` or ``point``; empty without places, or of several kinds."""
    known = [] if layer.geometry is None else layer.geometry.dropna().geom_type.unique()
    kinds = {_KINDS.get(kind.removeprefix("Multi"), "") for kind in known}
    return kinds.pop() if len(kinds) == 1 else ""


def table_bytes(frame: pd.DataFrame, name: str, *, suffix: str, title: str | None = None) -> bytes:
    """Return a table of the schema as a file to download, its private columns left out.

    Parameters
    ----------
    frame, name, suffix, title
        As for `geo_qmi.export.export_bytes`.

    Raises
    ------
    InputError
        As `geo_qmi.export.export_bytes`.
    """
    return export.layer_bytes(styled(export.from_table(frame, name, private=False, title=title)), suffix=suffix)
