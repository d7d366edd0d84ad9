"""What do a shapefile and a FlatGeobuf file hold?

The two formats left to GDAL, through pyogrio. GDAL gets bytes in its own memory, never a path, and only in a
process where every other driver is switched off (`SKIPPED_DRIVERS`, set before pyogrio is imported), because it
picks drivers by content and some of them open other files or addresses. The records announced by the file's own
index are counted here, since GDAL does not say which ones it could not read.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from geo_qmi.errors import UnreadableError, shown
from geo_qmi.sources import shapes
from geo_qmi.sources.sheet import Cell, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from geo_qmi.sources.limits import Limits

ALLOWED_DRIVERS = frozenset({"ESRI Shapefile", "FlatGeobuf"})
#: Every other vector driver of GDAL 3.6 to 3.12; the child checks the list and adds what a newer GDAL brings.
SKIPPED_DRIVERS = (
    "ADBC,AIVector,AVCBin,AVCE00,AmigoCloud,Arrow,CAD,CSV,CSW,Carto,Cloudant,CouchDB,DGN,"
    "DXF,DWG,EDIGEO,EEDA,ESRIJSON,Elasticsearch,Elastic,FileGDB,GDALG,GML,GMLAS,GPKG,"
    "GPSBabel,GPX,GTFS,GeoJSON,GeoJSONSeq,GeoRSS,HANA,HTTP,ILI,Idrisi,Interlis 1,Interlis 2,"
    "JML,JP2OpenJPEG,JPEG2000,JSONFG,KML,LIBKML,LVBAG,MBTiles,MEM,Memory,MSSQLSpatial,MVT,"
    "MapInfo File,MapML,MiraMonVector,MongoDBv3,MySQL,NAS,NGW,OAPIF,OCI,ODBC,ODS,OGCAPI,"
    "OGR_GMT,OGR_PDS,OGR_VRT,OSM,OpenFileGDB,PCIDSK,PDF,PDS4,PGDUMP,PGDump,PGeo,PLSCENES,"
    "PMTiles,Parquet,PostgreSQL,S57,SOSI,SQLite,SVG,SXF,Selafin,TIGER,TopoJSON,UK .NTF,VDV,"
    "VFK,VICAR,WAsP,WFS,XLS,XLSX,XODR,netCDF"
)
_SIBLINGS = {"shp": "les formes", "shx": "l’index des formes", "dbf": "la table des attributs"}
_SHP_HEADER = 100
_DBF_HEADER = 32


def skip_drivers(more: frozenset[str] = frozenset()) -> str:
    """Return the value of ``OGR_SKIP``: every driver but the two allowed ones."""
    return ",".join([SKIPPED_DRIVERS, *sorted(more)])


def drivers_left() -> frozenset[str]:
    """Return the drivers of the loaded GDAL that should not be there."""
    import pyogrio

    return frozenset(pyogrio.list_drivers()) - ALLOWED_DRIVERS


def parse_shapefile(members: Mapping[str, bytes], *, file: str, layer: str, limits: Limits) -> Sheet:
    """Return the records of a shapefile.

    Parameters
    ----------
    members
        Bytes by extension in lower case: ``shp``, ``shx`` and ``dbf`` are needed, ``prj`` and ``cpg`` are used.

    Returns
    -------
    Sheet
        Rows are feature numbers from 1; `crs` is ``None`` when there is no usable ``.prj``.
    """
    for suffix, role in _SIBLINGS.items():
        if suffix not in members:
            raise UnreadableError(
                f"« {file} » : il manque le fichier {layer}.{suffix} ({role}) → "
                "joignez les fichiers .shp, .shx, .dbf et .prj, ou une archive .zip qui les contient."
            )
    if len(members["dbf"]) < _DBF_HEADER:
        raise UnreadableError(f"« {file} » : le .dbf est vide ou coupé → réexportez la couche.")
    announced, broken = _check_index(members["shp"], members["shx"], file=file)
    limits.check_rows(announced, file=file, layer=layer)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for suffix in ("shp", "shx", "dbf", "prj", "cpg"):
            if suffix in members:
                archive.writestr(f"layer.{suffix}", members[suffix])
    sheet = Sheet(file, layer)
    encoding = _encoding(members, sheet)
    try:
        _read(packed.getvalue(), sheet, encoding=encoding, limits=limits)
    except UnicodeDecodeError:
        sheet.fault(
            "l’encodage annoncé par le .cpg est faux ; le texte a été lu en Windows-1252",
            "corrigez le fichier .cpg",
            severity="warning",
        )
        _read(packed.getvalue(), sheet, encoding="cp1252", limits=limits)
    _tell_lost(sheet, announced=announced, broken=broken)
    (rows,) = struct.unpack_from("<I", members["dbf"], 4)
    if rows != announced:
        sheet.fault(
            f"le .shp a {announced} formes et le .dbf {rows} lignes ; les attributs peuvent être décalés",
            "réexportez la couche",
            severity="warning",
        )
    return sheet.finish()


def parse_flatgeobuf(data: bytes, *, file: str, layer: str, limits: Limits) -> Sheet:
    """Return the features of a FlatGeobuf file; rows are feature numbers from 1."""
    sheet = Sheet(file, layer)
    _read(data, sheet, encoding=None, limits=limits)
    return sheet.finish()


def _check_index(shp: bytes, shx: bytes, *, file: str) -> tuple[int, list[int]]:
    """Return the number of records and the feature numbers whose bytes lie outside the ``.shp``."""
    for suffix, data in (("shp", shp), ("shx", shx)):
        if len(data) < _SHP_HEADER or struct.unpack_from(">I", data)[0] != 9994:
            raise UnreadableError(f"« {file} » : le .{suffix} n’est pas celui d’un shapefile → réexportez la couche.")
    count, rest = divmod(len(shx) - _SHP_HEADER, 8)
    if rest:
        raise UnreadableError(f"« {file} » : le .shx est coupé en fin de fichier → copiez le shapefile de nouveau.")
    records = struct.unpack_from(f">{2 * count}i", shx, _SHP_HEADER)
    outside = []
    for number in range(count):
        start, size = records[2 * number] * 2, records[2 * number + 1] * 2
        if start < _SHP_HEADER or size < 4 or start + 8 + size > len(shp):
            outside.append(number + 1)
    return count, outside


def _encoding(members: Mapping[str, bytes], sheet: Sheet) -> str | None:
    """Return ``None`` where the file says its encoding, else UTF-8 or Windows-1252 after looking at the bytes."""
    dbf = members["dbf"]
    if members.get("cpg", b"").strip() or dbf[29] not in (0, 0x57):
        return None
    try:
        dbf[32:].decode("ascii")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    (start,) = struct.unpack_from("<H", dbf, 8)
    encoding = "utf-8" if _decodes(dbf[start:]) else "cp1252"
    name = "UTF-8" if encoding == "utf-8" else "Windows-1252"
    sheet.fault(f"pas de fichier .cpg : le texte a été lu en {name}", "vérifiez les accents", severity="warning")
    return encoding


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read(data: bytes, sheet: Sheet, *, encoding: str | None, limits: Limits) -> None:
    import pyogrio
    from pyogrio.errors import CRSError, DataSourceError, FeatureError, FieldError, GeometryError

    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            info = pyogrio.read_info(data, encoding=encoding)
            if info["driver"] not in ALLOWED_DRIVERS:
                raise UnreadableError(f"« {sheet.file} » : format {info['driver']} refusé.")
            limits.check_rows(info["features"], file=sheet.file, layer=sheet.layer)
            limits.check_columns(len(info["fields"]), file=sheet.file, layer=sheet.layer)
            meta, _, blobs, columns = pyogrio.raw.read(data, encoding=encoding, datetime_as_string=True)
    except IndexError:  # what pyogrio says when GDAL finds no layer
        raise UnreadableError(f"« {sheet.file} » : aucune couche lisible → exportez-le de nouveau.") from None
    except (CRSError, DataSourceError, FeatureError, FieldError, GeometryError, RuntimeError) as error:
        raise UnreadableError(
            f"« {sheet.file} » : fichier abîmé ou incomplet ({_first_line(error)}) → exportez-le de nouveau."
        ) from None
    for text in dict.fromkeys(_first_line(w.message) for w in said if issubclass(w.category, RuntimeWarning)):
        sheet.fault("le lecteur de fichiers a signalé une anomalie", value=text, severity="warning")
    count = len(columns[0]) if len(columns) else len(blobs if blobs is not None else ())
    sheet.n_in = count
    sheet.rows = list(range(1, count + 1))
    sheet.columns = [str(name) for name in meta["fields"]]
    kinds = zip(columns, meta["ogr_types"], meta["ogr_subtypes"], strict=True)
    sheet.values = [_cells(cells, kind=kind, subtype=subtype) for cells, kind, subtype in kinds]
    if blobs is not None:
        sheet.crs = _code(meta["crs"], sheet)
        sheet.geometry, faults = shapes.from_wkb(list(blobs), limits=limits)
        for place, fault in faults:
            sheet.fault(fault.reason, fault.proposal, row=place + 1, column="geometry")


def _tell_lost(sheet: Sheet, *, announced: int, broken: list[int]) -> None:
    for row in broken:
        sheet.fault(
            "la forme est hors du fichier .shp (fichier coupé)", "copiez le shapefile", row=row, column="geometry"
        )
        if sheet.geometry is not None and row <= len(sheet.geometry):
            sheet.geometry[row - 1] = None
    if announced > len(sheet.rows):
        missing = announced - len(sheet.rows)
        sheet.n_in = announced
        for row in range(len(sheet.rows) + 1, announced + 1):
            sheet.fault(f"enregistrement illisible ({missing} au total)", "réexportez la couche", row=row)


def _cells(cells: np.ndarray, *, kind: str, subtype: str) -> list[Cell]:
    found: list[Any] = cells.tolist()
    if kind in {"OFTInteger", "OFTInteger64"} and cells.dtype.kind == "f":
        found = [None if cell != cell else int(cell) for cell in found]  # noqa: PLR0124 - NaN stands for « empty »
    elif cells.dtype.kind == "f":
        found = [None if cell != cell else cell for cell in found]  # noqa: PLR0124 - idem
    if subtype == "OFSTBoolean":
        return [None if cell is None else bool(cell) for cell in found]
    plain = (str, int, float, bool, type(None))
    return [cell if isinstance(cell, plain) else str(cell) for cell in found]


def _code(crs: str | None, sheet: Sheet) -> str | None:
    if not crs or crs.upper().startswith(("EPSG:", "ESRI:", "IGNF:")):
        return crs or None
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        known = CRS.from_wkt(crs)
        authority = known.to_authority(min_confidence=70)
        name = known.name
    except CRSError:
        authority, name = None, crs[:40]
    if authority:
        return ":".join(authority)
    sheet.fault(
        "le système de coordonnées du .prj n’est pas reconnu",
        "indiquez son code EPSG",
        column="prj",
        value=name,
        severity="warning",
    )
    return None


def _first_line(error: object) -> str:
    return shown(str(error).splitlines()[0] if str(error) else type(error).__name__)
