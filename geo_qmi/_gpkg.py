"""How does a frame become a GeoPackage table, through Python's own SQLite and nothing else?

Plumbing of `geo_qmi.workspace` (`geo_qmi.export` borrows the reading of blobs): the tables OGC 12-128r17 (GeoPackage
1.3) asks for, the geometry blob, and the column types. It opens no file and knows no transaction: it is handed a
connection.

No R-tree index is written. It is optional in the standard, its triggers call functions Python's SQLite lacks, and
a district's layers are small; exported GeoPackages carry one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo_qmi import schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

#: "GPKG" in ASCII and version 1.3.0, as the header of the file must say. QGIS 3.22 warns above 1.3.
APPLICATION_ID = 0x47504B47
USER_VERSION = 10300

SRS_ID = 2154

_SQL_TYPES = {
    "text": "TEXT",
    "integer": "INTEGER",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
    "date": "TEXT",
    "datetime": "TEXT",
}

_CORE = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
"""


def create_core(connection: sqlite3.Connection) -> None:
    """Write the header and the tables every GeoPackage must have."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {USER_VERSION}")
    for statement in _CORE.strip().split(";\n"):
        connection.execute(statement)
    systems = [
        ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", "undefined cartesian coordinate reference system"),
        ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
        *(
            (crs.name, code, "EPSG", code, crs.to_wkt("WKT1_GDAL"), None)
            for code, crs in ((code, CRS.from_epsg(code)) for code in (4326, SRS_ID))
        ),
    ]
    connection.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,?)", systems)


def quoted(name: str) -> str:
    """Return an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def existing_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the column names of a table, or an empty list when it does not exist."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(table)})")]


def register(connection: sqlite3.Connection, table: str, *, title: str, description: str, spatial: bool) -> None:
    """List a table in ``gpkg_contents``, without which no GIS shows it."""
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?,?,?,?,?)",
        (table, "features" if spatial else "attributes", title, description, SRS_ID if spatial else None),
    )


def ensure_table(connection: sqlite3.Connection, name: str) -> None:
    """Create table `name` as the schema says, or add the columns an older study lacks."""
    columns = schema.columns(name)
    present = existing_columns(connection, name)
    types = {c: _SQL_TYPES.get(spec.metadata["kind"], geometry_type(name)) for c, spec in columns.items()}
    if present:
        for column in columns:
            if column not in present:
                connection.execute(f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column)} {types[column]}")
        return
    body = ", ".join(f"{quoted(column)} {kind}" for column, kind in types.items())
    connection.execute(f"CREATE TABLE {quoted(name)} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {body})")
    key = ", ".join(quoted(column) for column in schema.key_columns(name))
    connection.execute(f"CREATE UNIQUE INDEX {quoted(f'{name}_key')} ON {quoted(name)} ({key})")
    table = schema.table(name)
    spatial = bool(schema.geometry_types(name))
    register(connection, name, title=str(table.title), description=str(table.description), spatial=spatial)
    if spatial:
        connection.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?,?,?,?,0,0)", (name, "geometry", geometry_type(name), SRS_ID)
        )


def geometry_type(name: str) -> str:
    """Return the one GeoPackage type that holds all geometries of a table; single parts are promoted to it."""
    allowed = set(schema.geometry_types(name))
    for single, multi in (("Polygon", "MultiPolygon"), ("LineString", "MultiLineString")):
        if allowed == {single, multi}:
            return multi.upper()
    return allowed.pop().upper() if len(allowed) == 1 else "GEOMETRY"


def encode(frame: pd.DataFrame, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of a typed frame as SQLite values, in schema order, geometry as GeoPackage blobs."""
    series: list[Iterable[Any]] = []
    for column, spec in schema.columns(name).items():
        kind = spec.metadata["kind"]
        if kind == "geometry":
            series.append(encode_geometry(np.asarray(frame[column], dtype=object), geometry_type(name)))
        else:
            values = frame[column].astype(object).where(frame[column].notna(), None)
            convert = {"integer": int, "number": float, "flag": int}.get(kind, str)
            series.append([None if value is None else convert(value) for value in values])
    return list(zip(*series, strict=True))


def decode(rows: Sequence[tuple[Any, ...]], name: str, columns: Sequence[str]) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return SQLite rows with the given columns as the typed frame of table `name`."""
    specs = schema.columns(name)
    values = dict(zip(columns, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(columns, ())
    data: dict[str, Any] = {}
    for column in columns:
        if column == "geometry":
            data[column] = decode_geometry(values[column])
        elif specs[column].metadata["kind"] == "flag":
            data[column] = pd.array([None if v is None else bool(v) for v in values[column]], dtype="boolean")
        else:
            data[column] = pd.Series(values[column], dtype=object)
    return schema.typed(pd.DataFrame(data, index=pd.RangeIndex(len(rows))), name)


def encode_geometry(geometries: NDArray[np.object_], kind: str) -> list[bytes | None]:
    """Return GeoPackage blobs: header, envelope, little-endian ISO WKB; ``None`` stays ``None``."""
    promoted = [_promote(geometry, kind) for geometry in geometries]
    bodies = shapely.to_wkb(np.asarray(promoted, dtype=object), byte_order=1, flavor="iso")
    boxes = shapely.bounds(np.asarray(promoted, dtype=object))
    blobs: list[bytes | None] = []
    for body, box in zip(bodies, boxes, strict=True):
        if body is None:
            blobs.append(None)
        elif np.isnan(box).any():
            blobs.append(struct.pack("<2sBBi", b"GP", 0, 0b010001, SRS_ID) + body)
        else:
            xmin, ymin, xmax, ymax = box
            blobs.append(struct.pack("<2sBBi4d", b"GP", 0, 0b000011, SRS_ID, xmin, xmax, ymin, ymax) + body)
    return blobs


def _promote(geometry: Any, kind: str) -> Any:
    """Return a single part as a collection of one when the column holds collections."""
    if geometry is None or geometry.geom_type.upper() == kind:
        return geometry
    if kind == "MULTIPOLYGON":
        return shapely.multipolygons([geometry])
    if kind == "MULTILINESTRING":
        return shapely.multilinestrings([geometry])
    return geometry


_ENVELOPE_BYTES = (0, 32, 48, 48, 64)


def decode_geometry(blobs: Iterable[bytes | None]) -> NDArray[np.object_]:
    """Return the geometries of GeoPackage blobs.

    Raises
    ------
    ValueError
        A blob is not a GeoPackage geometry.
    """
    bodies: list[bytes | None] = []
    for blob in blobs:
        if blob is None:
            bodies.append(None)
            continue
        envelope = (blob[3] >> 1) & 0b111 if len(blob) > 8 else 7
        if blob[:2] != b"GP" or envelope >= len(_ENVELOPE_BYTES):
            raise ValueError("not a GeoPackage geometry")
        bodies.append(blob[8 + _ENVELOPE_BYTES[envelope] :])
    return np.asarray(shapely.from_wkb(np.asarray(bodies, dtype=object)), dtype=object)


def update_extent(connection: sqlite3.Connection, name: str) -> None:
    """Refresh the bounding box and date of a table in ``gpkg_contents``."""
    box: tuple[float | None, ...] = (None,) * 4
    if schema.geometry_types(name):
        query = f"SELECT geometry FROM {quoted(name)} WHERE geometry NOT NULL"  # noqa: S608 — schema names
        blobs = [row[0] for row in connection.execute(query)]
        if blobs:
            bounds = shapely.total_bounds(decode_geometry(blobs))
            box = tuple(None if np.isnan(value) else float(value) for value in bounds)
    connection.execute(
        "UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now'),"
        " min_x = ?, min_y = ?, max_x = ?, max_y = ? WHERE table_name = ?",
        (*box, name),
    )
