"""How is a GeoPackage written that draws itself in QGIS?

Each layer in EPSG:2154 with its spatial index, or as a registered attribute table, under French titles, aliases and
value lists; the style of each layer as text handed in (nobody draws here); its licence, sources and dictionary as
metadata QGIS shows. GDAL writes, in a private folder; Python's own SQLite adds the rest, and both read it back:
`geo_qmi.export.conformity` as a GeoPackage, `check` row by row.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyogrio

from geo_qmi.export import conformity
from geo_qmi.export.ogr import STAMP, put, stream
from geo_qmi.export.pieces import Written, geometry_type, pieces, require_same, shapes_in, unlike, unlocated
from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from geo_qmi.export.layer import Layer

GEOMETRY = "geom"
_TOLERANCE_M = 0.01

_STYLES = """CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
 f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT,
 styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME)"""
_METADATA = (
    """CREATE TABLE gpkg_metadata (id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL
 DEFAULT 'dataset', md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL
 DEFAULT '')""",
    """CREATE TABLE gpkg_metadata_reference (reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT,
 row_id_value INTEGER, timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), md_file_id INTEGER
 NOT NULL, md_parent_id INTEGER, CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
 CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id))""",
)
_EXTENSION = "http://www.geopackage.org/spec131/#extension_metadata"
#: Where QGIS looks for its own metadata, and a name for our card.
_QGIS, _CARD = "http://mrcc.com/qgis.dtd", "https://www.geopackage.org/ns/geo-qmi/card"


def write(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write one layer as a GeoPackage 1.3: QGIS 3.22 warns above."""
    write_package([layer], path, about={layer.name: about})
    return Written(None if layer.geometry is None else CRS, unlocated(layer))


def write_package(layers: Sequence[Layer], path: Path, *, about: Mapping[str, Mapping[str, Any]]) -> None:
    """Write several layers into one new GeoPackage, read it back and compare.

    Parameters
    ----------
    layers
        Of different names; each may carry the QGIS style it is drawn with.
    about
        Layer name → its card (`geo_qmi.export.sidecar`).

    Raises
    ------
    InputError
        A layer cannot be written, or the file does not give it back.
    """
    prints: dict[str, dict[int, bytes]] = {layer.name: {} for layer in layers}
    for place, layer in enumerate(layers):
        placed = layer.geometry is not None
        options = {"IDENTIFIER": layer.title, "DESCRIPTION": layer.description}
        options |= {"GEOMETRY_NAME": GEOMETRY} if placed else {"ASPATIAL_VARIANT": "GPKG_ATTRIBUTES"}
        put(
            stream(layer, prints=prints[layer.name]),
            path,
            driver="GPKG",
            layer=layer,
            crs=CRS,
            geometry_type=geometry_type(layer.geometry) if placed else None,
            layer_options=options,
            dataset_options={} if place else {"VERSION": "1.3"},
            append=bool(place),
        )
    with closing(sqlite3.connect(path)) as connection:
        for layer in layers:
            _list_values(connection, layer)
        _style(connection, [layer for layer in layers if layer.style])
        _tell(connection, {layer.name: about[layer.name] for layer in layers})
        connection.commit()
    check(path, layers, prints)


def _list_values(connection: sqlite3.Connection, layer: Layer) -> None:
    """Write the vocabulary of each coded column: a form offers the words, the cell keeps the code."""
    for field in layer.fields:
        if not field.choices:
            continue
        listed = f"{layer.name}_{field.name}"
        connection.executemany(
            "INSERT INTO gpkg_data_column_constraints (constraint_name, constraint_type, value, description)"
            " VALUES (?, 'enum', ?, ?)",
            [(listed, code, words) for code, words in field.choices.items()],
        )
        connection.execute(
            "UPDATE gpkg_data_columns SET constraint_name = ? WHERE table_name = ? AND column_name = ?",
            (listed, layer.name, field.name),
        )


def _style(connection: sqlite3.Connection, layers: Sequence[Layer]) -> None:
    if not layers:
        return
    connection.execute(_STYLES)
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
        " VALUES ('layer_styles', 'attributes', 'layer_styles', 'Styles QGIS', ?)",
        (STAMP,),
    )
    connection.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
        " styleQML, useAsDefault, description, update_time) VALUES ('', '', ?, ?, ?, ?, 1, ?, ?)",
        [
            (layer.name, "" if layer.geometry is None else GEOMETRY, layer.name[:30], layer.style, layer.title, STAMP)
            for layer in layers
        ],
    )


def _tell(connection: sqlite3.Connection, about: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the card of each layer, for QGIS and whole."""
    for statement in _METADATA:
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO gpkg_extensions (table_name, column_name, extension_name, definition, scope)"
        " VALUES (?, NULL, 'gpkg_metadata', ?, 'read-write')",
        [("gpkg_metadata", _EXTENSION), ("gpkg_metadata_reference", _EXTENSION)],
    )
    for name, card in about.items():
        texts = (
            (_QGIS, "text/xml", _for_qgis(card)),
            (_CARD, "application/json", json.dumps(card, ensure_ascii=False)),
        )
        for uri, mime, text in texts:
            ident = connection.execute(
                "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata)"
                " VALUES ('dataset', ?, ?, ?)",
                (uri, mime, text),
            ).lastrowid
            connection.execute(
                "INSERT INTO gpkg_metadata_reference (reference_scope, table_name, timestamp, md_file_id)"
                " VALUES ('table', ?, ?, ?)",
                (name, STAMP, ident),
            )


def _for_qgis(card: Mapping[str, Any]) -> str:
    """Return what QGIS shows under Properties › Metadata."""
    root = ET.Element("qgis", version="3.22.0")
    sources = " ; ".join([*card["sources"], *(f"document {name}" for name in card["documents"])])
    parts = {
        "identifier": card["file"],
        "type": "dataset",
        "title": card["title"],
        "abstract": f"{card['description']}\nSources : {sources or 'voir la colonne « Source »'}\n{card['citation']}",
        "license": card["licence"],
        "rights": card["citation"],
    }
    for tag, text in parts.items():
        ET.SubElement(root, tag).text = text
    return ET.tostring(root, encoding="unicode")


def check(path: Path, layers: Sequence[Layer], prints: Mapping[str, Mapping[int, bytes]]) -> None:
    """Refuse a package that is not a sound GeoPackage in Lambert-93 holding exactly these layers and rows.

    Parameters
    ----------
    prints
        Layer → first row of each piece → `geo_qmi.export.pieces.fingerprint` of its places as GDAL was handed them.

    Raises
    ------
    InputError
        The sentence names the first demand that is broken, or the first difference.
    """
    with closing(sqlite3.connect(path)) as connection:
        problem = conformity.problem(connection, layers, column=GEOMETRY)
    if problem:
        raise unlike(layers[0], problem)
    for layer in layers:
        _require_same(layer, path, prints[layer.name])


def _require_same(layer: Layer, path: Path, prints: Mapping[int, bytes]) -> None:
    """Compare a layer of the file with what was meant, piece by piece."""
    meant = pieces(layer)
    first = next(meant)
    if not first.cells.num_rows:
        found = pyogrio.read_info(path, layer=layer.name)["fields"].tolist()
        if found != first.cells.column_names:
            raise unlike(layer, f"colonnes {', '.join(found)}")
        return
    with pyogrio.open_arrow(path, layer=layer.name, batch_size=first.cells.num_rows, use_pyarrow=True) as (_, batches):
        for piece, batch in zip((first, *meant), batches, strict=True):
            rows = pa.Table.from_batches([batch])
            names = [name for name in rows.column_names if name != GEOMETRY or piece.shapes is None]
            values = rows.select(names).replace_schema_metadata(None)
            values = values.cast(pa.schema([(field.name, field.type) for field in values.schema]))
            found = None if piece.shapes is None else shapes_in(rows[GEOMETRY], piece, written=prints[piece.start])
            require_same(piece, values, layer, shapes=found, tolerance=_TOLERANCE_M)
