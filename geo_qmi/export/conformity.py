"""Is a GeoPackage one that any reader opens, and does it hold what it says?

The demands of OGC 12-128r17 (GeoPackage 1.3) that a damaged or half-written file breaks, one function each, asked
through Python's own SQLite: another library than the one that wrote it. Whether every value came back is asked by
`geo_qmi.export.geopackage`. Nothing is repaired.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pyproj

from geo_qmi._gpkg import APPLICATION_ID, USER_VERSION, quoted
from geo_qmi.export.pieces import geometry_type
from geo_qmi.wording import counted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from geo_qmi.export.layer import Layer

_SRS_ID = 2154
#: What readers look for first.
_TABLES = ("gpkg_spatial_ref_sys", "gpkg_contents", "gpkg_geometry_columns", "gpkg_extensions")
#: Columns that name a table of the file.
_NAMES = {
    "gpkg_contents": "table_name",
    "gpkg_geometry_columns": "table_name",
    "gpkg_data_columns": "table_name",
    "gpkg_metadata_reference": "table_name",
    "layer_styles": "f_table_name",
}
#: "GP", version 0: how the blob of a geometry begins; then its flags, then the number of its system in four bytes.
_BLOB = "x'475000'"
_TOLERANCE_M = 0.01


def problem(connection: sqlite3.Connection, layers: Sequence[Layer], *, column: str) -> str:
    """Return what is wrong with a package in French, empty when nothing is.

    Parameters
    ----------
    layers
        Every layer the file must hold, in EPSG:2154.
    column
        Name of the geometry column.
    """
    asks = [_header, _database, _tables, _references]
    asks += [_system] if any(layer.geometry is not None for layer in layers) else []
    of_layers: tuple[Callable[..., str], ...] = (_contents, _geometries, _extent, _index)
    of_file = (ask(connection) for ask in asks)
    of_each = (
        wrong and f"couche {layer.name} : {wrong}"
        for layer in layers
        for wrong in (ask(connection, layer, column=column) for ask in of_layers)
    )
    return next(filter(None, chain(of_file, of_each)), "")


def _header(connection: sqlite3.Connection) -> str:
    """Ask whether the file says that it is a GeoPackage, and of which version."""
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    return "" if found == [APPLICATION_ID, USER_VERSION] else "en-tête d’un autre format"


def _database(connection: sqlite3.Connection) -> str:
    """Ask whether the database is whole, indexes and references included."""
    if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        return "base endommagée"
    return "références internes rompues" if connection.execute("PRAGMA foreign_key_check").fetchone() else ""


def _present(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}


def _tables(connection: sqlite3.Connection) -> str:
    """Ask for the tables every reader looks for."""
    absent = sorted(set(_TABLES) - _present(connection))
    return f"table {absent[0]} absente" if absent else ""


def _references(connection: sqlite3.Connection) -> str:
    """Ask whether what is listed, titled, described or styled is in the file, and whether styles can be read."""
    there = _present(connection)
    for listing in sorted(_NAMES.keys() & there):
        rows = connection.execute(f"SELECT {_NAMES[listing]} FROM {listing}")  # noqa: S608 — our own names
        lost = sorted({name for (name,) in rows if name is not None} - there)
        if lost:
            return f"{listing} cite la table absente {lost[0]}"
    if "layer_styles" in there:
        for name, style in connection.execute("SELECT f_table_name, styleQML FROM layer_styles"):
            try:
                ET.fromstring(style)  # noqa: S314 — our own text
            except ET.ParseError:
                return f"style illisible de la couche {name}"
    return ""


def _system(connection: sqlite3.Connection) -> str:
    """Ask for Lambert-93 as EPSG defines it, beside the three systems every package has."""
    rows = connection.execute("SELECT srs_id, organization, definition FROM gpkg_spatial_ref_sys").fetchall()
    known = {number: (owner.upper(), definition) for number, owner, definition in rows}
    owner, definition = known.get(_SRS_ID, ("", ""))
    if not {-1, 0, 4326} <= set(known) or owner != "EPSG":
        return "systèmes de coordonnées absents"
    same = pyproj.CRS.from_wkt(definition) == pyproj.CRS.from_epsg(_SRS_ID)
    return "" if same else "système de coordonnées inexact"


def _contents(connection: sqlite3.Connection, layer: Layer, *, column: str) -> str:  # noqa: ARG001 — asked alike
    """Ask whether the layer is declared as what it is, with all its rows."""
    found = connection.execute(
        "SELECT data_type, srs_id FROM gpkg_contents WHERE table_name = ?", (layer.name,)
    ).fetchone()
    kind, system = found or ("", None)
    if (kind, system) != (("features", _SRS_ID) if layer.geometry is not None else ("attributes", system)):
        return "mal déclarée"
    counted = connection.execute(f"SELECT count(*) FROM {quoted(layer.name)}").fetchone()[0]  # noqa: S608 — quoted
    return "" if counted == len(layer.frame) else f"{counted} lignes au lieu de {len(layer.frame)}"


def _geometries(connection: sqlite3.Connection, layer: Layer, *, column: str) -> str:
    """Ask whether the geometry column is declared as it is, and each of its cells begins as it must."""
    if layer.geometry is None:
        return ""
    found = connection.execute(
        "SELECT column_name, geometry_type_name, srs_id, z FROM gpkg_geometry_columns WHERE table_name = ?",
        (layer.name,),
    ).fetchall()
    kind = geometry_type(layer.geometry)
    name = "GEOMETRY" if kind == "Unknown" else kind.removesuffix(" Z").upper()
    heights = {"Unknown": {0, 1, 2}}.get(kind, {1} if kind.endswith(" Z") else {0})
    if [row[:3] for row in found] != [(column, name, _SRS_ID)] or found[0][3] not in heights:
        return "géométrie mal déclarée"
    # The system is written in the order of bytes the flags tell: both orders are looked for.
    little, big = (f"x'{_SRS_ID.to_bytes(4, order).hex()}'" for order in ("little", "big"))
    wrong = connection.execute(
        f"SELECT count(*) FROM {quoted(layer.name)} WHERE {column} IS NOT NULL AND (substr({column}, 1, 3) <> {_BLOB}"  # noqa: S608
        f" OR substr({column}, 5, 4) NOT IN ({little}, {big}))"
    ).fetchone()[0]
    return f"{counted(int(wrong), 'géométrie')} sans en-tête exact" if wrong else ""


def _extent(connection: sqlite3.Connection, layer: Layer, *, column: str) -> str:  # noqa: ARG001 — asked alike
    """Ask whether the box readers zoom to is that of the places."""
    if layer.geometry is None or layer.geometry.isna().all():
        return ""
    found = connection.execute(
        "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?", (layer.name,)
    ).fetchone()
    if None in found or np.abs(np.subtract(found, layer.geometry.total_bounds)).max() > _TOLERANCE_M:
        return "emprise inexacte"
    return ""


def _index(connection: sqlite3.Connection, layer: Layer, *, column: str) -> str:
    """Ask whether the spatial index is declared, kept up to date by triggers, and holds every place."""
    if layer.geometry is None:
        return ""
    tree = f"rtree_{layer.name}_{column}"
    declared = connection.execute(
        "SELECT count(*) FROM gpkg_extensions WHERE table_name = ? AND column_name = ?"
        " AND extension_name = 'gpkg_rtree_index'",
        (layer.name, column),
    ).fetchone()[0]
    kept = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, ?) = ?", (len(tree), tree)
    ).fetchone()[0]
    if declared != 1 or not kept or tree not in _present(connection):
        return "index spatial absent"
    held = connection.execute(f"SELECT count(*) FROM {quoted(tree + '_rowid')}").fetchone()[0]  # noqa: S608 — quoted
    return "" if held == int(layer.geometry.notna().sum()) else f"index spatial de {held} lieux"
