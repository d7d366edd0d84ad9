"""Which GeoPackage does QField need so that a walk comes back readable?

Empty layers in Lambert-93 with the words of `geo_qmi.vocabulary` as value lists. The lists, titles and default values
live in the file itself (the ``gpkg_schema`` extension, SQLite triggers): QGIS and QField show drop-down menus without
any project settings. Each record makes its own identifier and dates its last change, which is what merging two
telephones needs.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from geo_qmi import _gpkg
from geo_qmi.sources.field.xlsform import CHOICES

if TYPE_CHECKING:
    from pathlib import Path

_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ','now')"
#: Given by a trigger: GDAL writes the text of a default it cannot compute, the same for every record.
_UID = ("uid", "TEXT", "Identifiant", None)
_WHO = (
    ("participant", "TEXT", "Pseudonyme", None),
    ("actor_group", "TEXT", "Groupe d’acteurs", "actor_group"),
)
_MODIFIED = ("modified", f"DATETIME DEFAULT ({_NOW})", "Dernière modification", None)
_OBSERVED = (
    _UID,
    *_WHO,
    ("time", f"DATETIME DEFAULT ({_NOW})", "Heure", None),
    ("kind", "TEXT DEFAULT 'mark'", "Nature", "kind"),
    ("frame", "TEXT", "Grille de lecture", "frame"),
    ("sense", "TEXT", "Sens", "sense"),
    ("theme", "TEXT", "Thème", "theme"),
    ("valence", "INTEGER", "Valence", "valence"),
    ("intensity", "INTEGER", "Intensité", "intensity"),
    ("verbatim", "TEXT", "Vos mots", None),
    ("wished", "TEXT", "Ce qui manque", None),
    ("photo", "TEXT", "Photo", None),
    _MODIFIED,
)
#: Layer → (French title, geometry type, columns: name, SQL type, French title, list of choices).
LAYERS: dict[str, tuple[str, str, tuple[tuple[str, str, str, str | None], ...]]] = {
    "observations": ("Observations", "POINT", _OBSERVED),
    "areas": ("Zones (ce qui manque, ambiances)", "POLYGON", _OBSERVED),
    "route": ("Parcours", "LINESTRING", (_UID, ("name", "TEXT", "Nom", None), _MODIFIED)),
    "stages": (
        "Étapes",
        "POINT",
        (_UID, ("rank", "INTEGER", "Numéro", None), ("name", "TEXT", "Nom de l’étape", None), _MODIFIED),
    ),
    "statements": (
        "Propos de fin de marche",
        "POINT",
        (
            _UID,
            ("scope", "TEXT DEFAULT 'collective'", "Portée", "scope"),
            ("actor_group", "TEXT", "Groupe d’acteurs", "actor_group"),
            ("theme", "TEXT", "Thème", "theme"),
            ("statement", "TEXT", "Propos", None),
            ("valence", "INTEGER", "Valence", "valence"),
            _MODIFIED,
        ),
    ),
}
_EXTENSION = """
CREATE TABLE gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
  max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
"""
_STANDARD = "http://www.geopackage.org/spec121/#extension_schema"


def write_package(path: Path) -> None:
    """Write the empty layers to `path`, a file that does not exist yet."""
    with closing(sqlite3.connect(path)) as connection:
        _gpkg.create_core(connection)
        for statement in _EXTENSION.strip().split(";\n"):
            connection.execute(statement)
        connection.executemany(
            "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
            [(table, _STANDARD) for table in ("gpkg_data_columns", "gpkg_data_column_constraints")],
        )
        connection.executemany(
            "INSERT INTO gpkg_data_column_constraints VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)",
            [(name, code, label) for name, codes in CHOICES.items() for code, label in codes.items()],
        )
        for layer, (title, geometry, columns) in LAYERS.items():
            _write_layer(connection, layer, title=title, geometry=geometry, columns=columns)
        connection.commit()


def _write_layer(
    connection: sqlite3.Connection,
    layer: str,
    *,
    title: str,
    geometry: str,
    columns: tuple[tuple[str, str, str, str | None], ...],
) -> None:
    body = ", ".join(f"{_gpkg.quoted(name)} {kind}" for name, kind, *_ in columns)
    connection.execute(
        f"CREATE TABLE {_gpkg.quoted(layer)} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom {geometry}, {body})"
    )
    _gpkg.register(connection, layer, title=title, description="", spatial=True)
    connection.execute(
        "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, 0, 0)", (layer, geometry, _gpkg.SRS_ID)
    )
    connection.executemany(
        "INSERT INTO gpkg_data_columns VALUES (?, ?, NULL, ?, NULL, NULL, ?)",
        [(layer, name, label, choices) for name, _, label, choices in columns],
    )
    table = _gpkg.quoted(layer)
    for name, event, change in (
        ("uid", "AFTER INSERT ON {} WHEN NEW.uid IS NULL", "uid = lower(hex(randomblob(16)))"),
        # A change that brings its own date keeps it: that is how a merge tells which of two is the newer.
        ("modified", "AFTER UPDATE ON {} WHEN OLD.modified IS NEW.modified", f"modified = {_NOW}"),
    ):
        connection.execute(
            f"CREATE TRIGGER {_gpkg.quoted(f'{layer}_{name}')} {event.format(table)} "  # noqa: S608 - names of LAYERS
            f"BEGIN UPDATE {table} SET {change} WHERE fid = NEW.fid; END"
        )
