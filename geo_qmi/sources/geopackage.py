"""What does a GeoPackage hold?

Feature and attribute tables, read with Python's own ``sqlite3`` in read-only mode with an untrusted schema: no
view (one can recurse for ever), no virtual table, a deadline on every query, the geometry header parsed here. GDAL
never opens the file: two SQLite libraries in one process lose each other's locks. Writes nothing.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from geo_qmi.errors import UnreadableError, shown
from geo_qmi.sources import shapes
from geo_qmi.sources.limits import passed
from geo_qmi.sources.sheet import Cell, Sheet
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from geo_qmi.sources.limits import Limits

_ENVELOPE_BYTES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_BUSY_S = 5.0
_STEPS = 10_000


def parse_geopackage(path: Path, *, file: str, limits: Limits) -> list[Sheet]:
    """Return one sheet per feature or attribute table registered in ``gpkg_contents``.

    Parameters
    ----------
    path
        The file; it is opened read-only and in place, so that the locks of a writer are respected. Call this in a
        process that has no other connection to it.

    Returns
    -------
    list of Sheet
        Rows are feature numbers from 1 in the order of the primary key, which stays as a column.

    Raises
    ------
    UnreadableError
        Not a GeoPackage, damaged, locked, or with nothing but views.
    LimitError
        Too many rows or columns, or too slow.
    """
    try:
        with closing(_connect(path, limits=limits)) as connection:
            end = time.process_time() + limits.seconds
            connection.set_progress_handler(lambda: time.process_time() > end, _STEPS)
            return _sheets(connection, file=file, limits=limits)
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            raise passed(file, "secondes de lecture", met=limits.seconds, limit=limits.seconds) from None
        raise UnreadableError(
            f"« {file} » : GeoPackage abîmé, verrouillé ou incomplet ({shown(error)}) → "
            "fermez-le dans les autres logiciels, ou reprenez une copie saine."
        ) from None


def _connect(path: Path, *, limits: Limits) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=ro"
    if _complete_without_journal(path):
        address += "&immutable=1"
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S)
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.file_bytes)
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _complete_without_journal(path: Path) -> bool:
    """Return whether the file is in WAL mode with nothing pending: SQLite would leave two files beside it."""
    with path.open("rb") as stream:
        modes = stream.read(20)[18:]
    return modes == b"\x02\x02" and not path.with_name(path.name + "-wal").exists()


def _sheets(connection: sqlite3.Connection, *, file: str, limits: Limits) -> list[Sheet]:
    objects = {
        name: (kind, sql or "") for name, kind, sql in connection.execute("SELECT name, type, sql FROM sqlite_master")
    }
    if objects.get("gpkg_contents", ("", ""))[0] != "table":
        raise UnreadableError(
            f"« {file} » est une base SQLite sans table « gpkg_contents », pas un GeoPackage → exportez en GeoPackage."
        )
    systems = _systems(connection, objects)
    shapes_of = _geometry_columns(connection, objects)
    sheets: list[Sheet] = []
    aside: list[str] = []
    for name, data_type, srs_id in connection.execute(
        "SELECT table_name, data_type, srs_id FROM gpkg_contents ORDER BY rowid"
    ).fetchall():
        kind, sql = objects.get(name, ("absente", ""))
        if kind != "table" or sql.lstrip()[:20].upper().startswith("CREATE VIRTUAL"):
            aside.append(f"{shown(name)} ({'vue' if kind == 'view' else 'table absente ou virtuelle'})")
            continue
        if data_type not in {"features", "attributes", "aspatial"}:
            aside.append(f"{shown(name)} ({shown(data_type)})")
            continue
        column, srs = shapes_of.get(name, (None, srs_id))
        sheets.append(
            _sheet(connection, str(name), geometry_column=column, crs=systems.get(srs), file=file, limits=limits)
        )
        _tell_unknown_crs(sheets[-1], srs)
    if not sheets:
        raise UnreadableError(
            f"« {file} » n’a aucune table d’objets lisible ({', '.join(aside) or 'gpkg_contents est vide'}) → "
            "les vues et les images ne sont pas lues : exportez une couche d’objets."
        )
    if aside:
        sheets[0].fault(f"couches laissées de côté : {', '.join(aside)}", "exportez-les en tables", severity="warning")
    return [sheet.finish() for sheet in sheets]


def _systems(connection: sqlite3.Connection, objects: dict[str, tuple[str, str]]) -> dict[Any, str]:
    if objects.get("gpkg_spatial_ref_sys", ("", ""))[0] != "table":
        return {}
    query = "SELECT srs_id, organization, organization_coordsys_id FROM gpkg_spatial_ref_sys"
    return {
        srs_id: f"{str(organization).upper()}:{code}"
        for srs_id, organization, code in connection.execute(query)
        if isinstance(code, int) and code > 0 and str(organization).upper() in {"EPSG", "IGNF", "ESRI"}
    }


def _geometry_columns(
    connection: sqlite3.Connection, objects: dict[str, tuple[str, str]]
) -> dict[Any, tuple[str, Any]]:
    if objects.get("gpkg_geometry_columns", ("", ""))[0] != "table":
        return {}
    query = "SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns"
    return {table: (str(column), srs_id) for table, column, srs_id in connection.execute(query)}


def _tell_unknown_crs(sheet: Sheet, srs: object) -> None:
    if sheet.geometry is not None and sheet.crs is None and srs not in {None, 0, -1}:
        sheet.fault(
            "le système de coordonnées déclaré n’est pas reconnu",
            "indiquez son code EPSG",
            column="srs_id",
            value=srs,
            severity="warning",
        )


def _sheet(
    connection: sqlite3.Connection,
    name: str,
    *,
    geometry_column: str | None,
    crs: str | None,
    file: str,
    limits: Limits,
) -> Sheet:
    sheet = Sheet(file, name)
    info = connection.execute("SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1", (name,)).fetchall()
    limits.check_columns(len(info), file=file, layer=name)
    key = next((column for column, _, pk in info if pk == 1), None)
    listed = ", ".join(_quoted(column) for column, _, _ in info)
    order = f" ORDER BY {_quoted(key)}" if key else ""
    # Identifiers are quoted by SQLite's own rule; there is no other way to name a table in a query.
    query = f"SELECT {listed} FROM {_quoted(name)}{order} LIMIT {limits.rows + 1}"  # noqa: S608
    records = connection.execute(query).fetchall()
    limits.check_rows(len(records), file=file, layer=name)
    sheet.n_in = len(records)
    sheet.rows = list(range(1, len(records) + 1))
    columns = list(zip(*records, strict=True)) or [()] * len(info)
    for (column, declared, _), cells in zip(info, columns, strict=True):
        if column == geometry_column:
            sheet.crs = crs
            sheet.geometry = _geometries(list(cells), sheet, limits=limits)
        else:
            sheet.columns.append(column)
            sheet.values.append(_cells(list(cells), sheet, column=column, declared=str(declared)))
    if geometry_column is not None and sheet.geometry is None:
        sheet.fault("la colonne de géométrie annoncée n’existe pas", column=geometry_column, severity="warning")
    return sheet


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _cells(cells: list[Any], sheet: Sheet, *, column: str, declared: str) -> list[Cell]:
    if declared.upper().startswith("BOOL"):
        cells = [bool(cell) if cell in (0, 1) and type(cell) is int else cell for cell in cells]
    blobs = [place for place, cell in enumerate(cells) if isinstance(cell, bytes)]
    if blobs:
        sheet.fault(
            f"{counted(len(blobs), 'valeur binaire')} (image, fichier joint), sans reprise",
            row=sheet.rows[blobs[0]],
            column=column,
            severity="warning",
        )
        for place in blobs:
            cells[place] = None
    return cells


def _geometries(blobs: list[Any], sheet: Sheet, *, limits: Limits) -> list[Any]:
    faults: list[tuple[int, shapes.ShapeError]] = []
    bodies: list[bytes | None] = []
    for place, blob in enumerate(blobs):
        try:
            bodies.append(None if blob is None else _body(blob))
        except shapes.ShapeError as error:
            faults.append((place, error))
            bodies.append(None)
    found, more = shapes.from_wkb(bodies, limits=limits)
    for place, fault in sorted(faults + more, key=lambda each: each[0]):
        sheet.fault(fault.reason, fault.proposal, row=sheet.rows[place], column="geometry", value=_hex(blobs[place]))
    return found


def _body(blob: object) -> bytes:
    """Return the WKB behind a GeoPackage header (two letters, version, flags, srs_id, envelope)."""
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        raise shapes.ShapeError("la géométrie n’a pas l’en-tête d’un GeoPackage")
    size = _ENVELOPE_BYTES.get(blob[3] >> 1 & 0b111)
    if size is None or blob[3] & 0b100000:
        raise shapes.ShapeError("la géométrie est d’un type étendu qui n’est pas pris en charge")
    return blob[8 + size :]


def _hex(blob: object) -> str:
    return blob[:12].hex() if isinstance(blob, bytes) else shown(blob)
