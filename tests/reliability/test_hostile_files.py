"""Does any hostile or messy file crash a reader, reach another file, or lose a record without a word?

The corpus is generated here, no binary is kept. Every case runs on the in-process parsers; a sample of each kind
also goes through the real door and must give the same verdict.
"""

# ruff: noqa: S608 - the SQL is hostile on purpose and built from this file alone

from __future__ import annotations

import io
import json
import re
import socket
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from geo_qmi.errors import InputError
from geo_qmi.sources.files import read_file
from geo_qmi.sources.limits import Limits
from geo_qmi.sources.recognise import parse_path

if TYPE_CHECKING:
    from geo_qmi.sources.sheet import Sheet

LIMITS = Limits(rows=2_000, vertices=1_000, file_bytes=20_000_000, inflated_bytes=30_000_000, seconds=10)
REFUSED = "refused"
Content = bytes | Callable[[Path], None]
#: name of the case → (file name, content, rows kept or REFUSED, errors reported)
CASES: dict[str, tuple[str, Content, int | str, int]] = {}


def case(label: str, name: str, content: Content | str, *, rows: int | str = REFUSED, errors: int = 0) -> None:
    assert label not in CASES
    CASES[label] = (name, content.encode() if isinstance(content, str) else content, rows, errors)


def feature(geometry: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: object, **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more})


def point(*xy: object) -> dict[str, object]:
    return {"type": "Point", "coordinates": list(xy)}


def zipped(entries: dict[str, bytes | str], *, ratio: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if ratio else zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook(*rows: list[object], **cells: object) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for place, value in cells.items():
        sheet[place] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rezipped(data: bytes, changes: dict[str, Callable[[bytes], bytes]]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return zipped({n: changes.get(n, bytes)(archive.read(n)) for n in archive.namelist()})


def geopackage(script: str, *, rows: list[tuple[object, ...]] = []) -> Callable[[Path], None]:  # noqa: B006 - read only
    def write(path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.executescript(
            "CREATE TABLE gpkg_spatial_ref_sys(srs_id, organization, organization_coordsys_id);"
            "INSERT INTO gpkg_spatial_ref_sys VALUES (2154, 'EPSG', 2154);"
            "CREATE TABLE gpkg_contents(table_name, data_type, srs_id);"
            "CREATE TABLE gpkg_geometry_columns(table_name, column_name, srs_id);" + script
        )
        if rows:
            connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.commit()
        connection.close()

    return write


LAYER = (
    "CREATE TABLE t(fid INTEGER PRIMARY KEY, geom BLOB, nom TEXT);"
    "INSERT INTO gpkg_contents VALUES ('t', 'features', 2154);"
    "INSERT INTO gpkg_geometry_columns VALUES ('t', 'geom', 2154);"
)


def gp(wkb: bytes, *, flags: int = 1) -> bytes:
    return b"GP\0" + bytes([flags]) + struct.pack("<i", 2154) + wkb


def wkb_point(x: float, y: float) -> bytes:
    return struct.pack("<BIdd", 1, 1, x, y)


def dbf(*names: str, cut: int = 0) -> bytes:
    head = struct.pack("<BBBBIHH20x", 3, 124, 1, 1, len(names), 32 + 32 + 1, 11)
    column = b"nom".ljust(11, b"\0") + b"C" + b"\0" * 4 + bytes([10]) + b"\0" * 15
    body = b"".join(b" " + name.encode("cp1252").ljust(10) for name in names)
    return (head + column + b"\r" + body + b"\x1a")[: cut or None]


def shp(*points: tuple[float, float]) -> tuple[bytes, bytes]:
    def head(words: int) -> bytes:
        return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, words) + struct.pack("<2i8d", 1000, 1, 0, 0, 9, 9, 0, 0, 0, 0)

    records = [struct.pack(">2i", n, 10) + struct.pack("<i2d", 1, *p) for n, p in enumerate(points, 1)]
    index = [struct.pack(">2i", (100 + 28 * n) // 2, 10) for n in range(len(points))]
    return head(50 + 14 * len(points)) + b"".join(records), head(50 + 4 * len(points)) + b"".join(index)


def shapefile(**parts: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        for suffix, content in parts.items():
            path.with_suffix(f".{suffix}").write_bytes(content)

    return write


# --- GeoJSON -------------------------------------------------------------------------------------------------------
SQUARE = [[2, 48], [3, 48], [3, 49], [2, 48]]
for label, geometry, fault in [
    ("texte", point("2.3", "48.8"), 1),
    ("null dedans", point(2.3, None), 1),
    ("booléen", point(True, 48), 1),
    ("trop profond", {"type": "Point", "coordinates": [[2, 48]]}, 1),
    ("pas assez profond", {"type": "Polygon", "coordinates": SQUARE}, 1),
    ("un seul nombre", point(2.3), 1),
    ("type inconnu", {"type": "Circle", "coordinates": [2, 48]}, 1),
    ("type liste", {"type": ["Point"], "coordinates": [2, 48]}, 1),
    ("sans coordinates", {"type": "Point"}, 1),
    ("coordinates objet", {"type": "Point", "coordinates": {"x": 1}}, 1),
    ("géométrie texte", "POINT(2 48)", 1),
    ("géométrie liste", [2, 48], 1),
    ("nan", point(float("nan"), 48), 1),
    ("infini", point(float("inf"), 48), 1),
    ("anneau court", {"type": "Polygon", "coordinates": [[[2, 48], [3, 48]]]}, 1),
    ("anneau vide", {"type": "Polygon", "coordinates": [[]]}, 1),
    ("anneau ouvert", {"type": "Polygon", "coordinates": [SQUARE[:3]]}, 0),
    ("ligne d’un point", {"type": "LineString", "coordinates": [[2, 48]]}, 1),
    ("null légitime", None, 0),
    ("vide", {"type": "Point", "coordinates": []}, 0),
    ("xyz", point(2, 48, 30), 0),
    ("xyzm", point(2, 48, 30, 1), 0),
    ("collection", {"type": "GeometryCollection", "geometries": [point(2, 48)]}, 0),
    ("collection vide", {"type": "GeometryCollection", "geometries": []}, 0),
    ("collection sans liste", {"type": "GeometryCollection", "geometries": 3}, 1),
    ("trop de sommets", {"type": "MultiPoint", "coordinates": [[2, 48]] * 1001}, 1),
    ("juste assez de sommets", {"type": "MultiPoint", "coordinates": [[2, 48]] * 1000}, 0),
    ("multi inégal", {"type": "MultiPolygon", "coordinates": [[SQUARE], SQUARE]}, 1),
    ("nombre démesuré", point(10**400, 48), 1),
]:
    case(f"geojson {label}", "a.geojson", collection(feature(geometry), feature(point(2, 48))), rows=2, errors=fault)
one = json.dumps(feature(point(2, 48), n=1))
nested: object = point(2, 48)
for _ in range(40):
    nested = {"type": "GeometryCollection", "geometries": [nested]}
deep: object = 1
for _ in range(40):
    deep = [deep]
for label, text, rows, fault in [
    ("bare geometry", json.dumps(point(2, 48)), 1, 0),
    ("bare feature", one, 1, 0),
    ("ndjson", one + "\n" + one + "\n", 2, 0),
    ("ndjson coupé", one + "\n" + one[:30], 1, 1),
    ("ndjson rs", "\x1e" + one + "\n\x1e" + one, 2, 0),
    ("sans objet", collection(), 0, 0),
    ("élément null", collection(None, feature(None)), 1, 1),
    ("élément texte", collection("x", feature(None)), 1, 1),
    ("properties null", '{"type":"Feature","geometry":null,"properties":null}', 1, 0),
    ("properties liste", '{"type":"Feature","geometry":null,"properties":[1]}', 1, 1),
    ("clé double", '{"type":"Feature","geometry":null,"properties":{"a":1,"a":2}}', 1, 1),
    ("features double", '{"type":"FeatureCollection","features":[],"features":[]}', REFUSED, 0),
    ("features objet", '{"type":"FeatureCollection","features":{}}', REFUSED, 0),
    ("nan en valeur", collection(feature(None, a=float("nan"), b=float("-inf"))), 1, 0),
    ("surrogate", '{"type":"Feature","geometry":null,"properties":{"a":"\\ud800"}}', 1, 0),
    ("nul", '{"type":"Feature","geometry":null,"properties":{"a\\u0000":"\\u0000"}}', 1, 0),
    ("propriété imbriquée", collection(feature(None, a={"b": [1, 2]})), 1, 0),
    ("propriété trop imbriquée", collection(feature(None, a=deep)), REFUSED, 0),
    ("collections imbriquées", collection(feature(nested)), REFUSED, 0),
    ("crochets", "[" * 100_000, REFUSED, 0),
    ("accolades", '{"a":' * 50_000, REFUSED, 0),
    ("coupé", collection(feature(point(2, 48)))[:-20], REFUSED, 0),
    ("liste", "[1, 2]", REFUSED, 0),
    ("topologie", '{"type":"Topology","objects":{}}', REFUSED, 0),
    ("erreur de serveur", '{"error":{"code":500}}', REFUSED, 0),
    ("entier immense", '{"type":"Point","coordinates":[' + "9" * 5000 + ",1]}", REFUSED, 0),
    ("lien crs", collection(crs={"type": "link", "properties": {"href": "http://10.0.0.1/x"}}), REFUSED, 0),
    ("crs inconnu", collection(crs={"type": "name", "properties": {"name": "chez moi"}}), 0, 0),
    ("crs liste", collection(crs=[1]), 0, 0),
    ("trop de lignes", collection(*[feature(None)] * 2001), REFUSED, 0),
    ("à la limite", collection(*[feature(None)] * 2000), 2000, 0),
    ("trop de colonnes", collection(feature(None, **{f"c{i}": i for i in range(501)})), REFUSED, 0),
    ("vrt", "<OGRVRTDataSource><OGRVRTLayer name='passwd'/></OGRVRTDataSource>", REFUSED, 0),
    ("wfs", "<OGRWFSDataSource><URL>http://127.0.0.1:9/</URL></OGRWFSDataSource>", REFUSED, 0),
    ("html", "<!DOCTYPE html><html><body>404</body></html>", REFUSED, 0),
    ("exception", "<ows:ExceptionReport><ows:ExceptionText>no</ows:ExceptionText></ows:ExceptionReport>", REFUSED, 0),
    ("gml", "<wfs:FeatureCollection/>", REFUSED, 0),
    ("csv", "a;b\n1;2\n", REFUSED, 0),
    ("espaces", "  \n ", REFUSED, 0),
]:
    case(f"geojson {label}", "a.geojson" if label != "vrt" else "passwd.geojson", text, rows=rows, errors=fault)
case("geojson zéro octet", "a.geojson", b"")
case("geojson bom", "a.geojson", b"\xef\xbb\xbf" + one.encode(), rows=1)
case("geojson utf-16", "a.geojson", one.encode("utf-16"), rows=1)
case("geojson cp1252", "a.geojson", collection(feature(None, a="x")).replace('"x"', '"é"').encode("cp1252"), rows=1)
case("geojson octets", "a.geojson", bytes(range(256)) * 20)
# --- CSV -----------------------------------------------------------------------------------------------------------
for label, text, rows, fault in [
    ("point-virgule", "nom;siret\nA;01234\n", 1, 0),
    ("tabulation", "nom\tsiret\nA\t01234\n", 1, 0),
    ("sep", "sep=;\nnom;n\nA;1\n", 1, 0),
    ("crlf", "a;b\r\n1;2\r\n3;4\r\n", 2, 0),
    ("vieux mac", "a;b\r1;2\r3;4\r", 2, 0),
    ("retour quoté", 'a;b\n"x\ny";2\n3;4\n', 2, 0),
    ("guillemet perdu", 'a;b\n1;2\n"x;3\n4;5\n6;7\n', 3, 1),
    ("guillemet perdu long", 'a;b\n"x;3\n' + "4;5\n" * 40 + '6;7"\n', 41, 1),
    ("guillemet pouce", 'a;b\n5" tube;2\n', 1, 0),
    ("trop de cellules", "a;b\n1;2;3\n4;5\n", 1, 1),
    ("fins vides", "a;b\n1;2;;;\n", 1, 0),
    ("trop peu", "a;b;c\n1;2\n3;4;5\n", 2, 0),
    ("double", "a;a\n1;2\n", 1, 0),
    ("sans nom", "a;;c\n1;2;3\n", 1, 0),
    ("lignes vides", "a;b\n\n1;2\n;\n3;4\n\n", 2, 0),
    ("en-tête seul", "a;b\n", 0, 0),
    ("une colonne", "nom\nA\nB\n", 2, 0),
    ("formule", "a;b\n=cmd|' /C calc'!A0;+1\n", 1, 0),
    ("script", "a;b\n<script>alert(1)</script>;x\n", 1, 0),
    ("nul", "a;b\nx\0y;2\n", 1, 0),
    ("échappements", "a;b\n\x1b[31mrouge;\u202egauche\n", 1, 0),
    ("blancs", ";;\n;;\n", REFUSED, 0),
    ("espaces", " \n \n", REFUSED, 0),
    ("html", "<html><body>non</body></html>", REFUSED, 0),
    ("json", '{"type": "FeatureCollection"}', REFUSED, 0),
    ("exception", "<?xml version='1.0'?><ServiceExceptionReport/>", REFUSED, 0),
    ("trop de colonnes", ";".join(f"c{i}" for i in range(501)) + "\n", REFUSED, 0),
    ("à la limite", ";".join(f"c{i}" for i in range(500)) + "\n", 0, 0),
    ("trop de lignes", "a;b\n" + "1;2\n" * 2001, REFUSED, 0),
    ("grande cellule", "a;b\n" + "x" * 500_000 + ";2\n", 1, 0),
]:
    case(f"csv {label}", "a.csv", text, rows=rows, errors=fault)
case("csv cp1252", "a.csv", "nom;lieu\nélan;Orly\n".encode("cp1252"), rows=1)
case("csv bom", "a.csv", "nom;lieu\nélan;Orly\n".encode("utf-8-sig"), rows=1)
case("csv utf-16", "a.csv", "nom;lieu\nélan;Orly\n".encode("utf-16"), rows=1)
case("csv utf-16 sans marque", "a.csv", "nom;lieu\nélan;Orly\n".encode("utf-16-le"), rows=1)
case("csv mêlé", "a.csv", "a;b\né;à\nè;ù\n".encode() + b"\xff;1\n", rows=3)
case("csv zéro octet", "a.csv", b"")
case("csv binaire", "a.csv", b"\0\1\2\3" * 500)
case("csv xls", "a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
case("csv zip", "a.csv", zipped({"a.csv": "a;b\n1;2\n"}))
case("csv zippé", "a.zip", zipped({"a.csv": "a;b\n1;2\n"}), rows=1)
# --- KML, GPX ------------------------------------------------------------------------------------------------------
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
XXE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def kml(inside: str, *, before: str = "") -> str:
    return f"{before}<kml xmlns='http://www.opengis.net/kml/2.2'><Document>{inside}</Document></kml>"


def mark(geometry: str) -> str:
    return f"<Placemark><name>A</name>{geometry}</Placemark>"


GOOD = mark("<Point><coordinates>2,48</coordinates></Point>")
for label, text, rows, fault in [
    ("dossiers", kml(f"<Folder><name>a</name>{GOOD}<Folder><name>b</name>{GOOD}</Folder></Folder>{GOOD}"), 3, 0),
    ("mêmes dossiers", kml(f"<Folder><name>a</name>{GOOD}</Folder>" * 2), 2, 0),
    ("sans géométrie", kml(mark("")), 1, 0),
    ("texte", kml(mark("<Point><coordinates>ici</coordinates></Point>")), 1, 1),
    ("nan", kml(mark("<Point><coordinates>nan,48</coordinates></Point>")), 1, 1),
    ("vide", kml(mark("<Point><coordinates/></Point>")), 1, 1),
    ("espaces", kml(mark("<Point><coordinates> 2.3 , 48.8 , 0 </coordinates></Point>")), 1, 0),
    ("deux points", kml(mark("<Point><coordinates>1,2 3,4</coordinates></Point>")), 1, 1),
    ("deux géométries", kml(mark("<Point/><Point/>")), 1, 1),
    ("polygone nu", kml(mark("<Polygon/>")), 1, 1),
    ("modèle", kml(mark("<Model/>")), 1, 1),
    ("multi vide", kml(mark("<MultiGeometry/>")), 1, 1),
    ("lien réseau", kml(GOOD + "<NetworkLink><Link><href>http://10.0.0.1/</href></Link></NetworkLink>"), 1, 0),
    ("lien seul", kml("<NetworkLink><Link><href>http://10.0.0.1/</href></Link></NetworkLink>"), REFUSED, 0),
    ("bombe", kml("&b;", before=BOMB), REFUSED, 0),
    ("xxe", kml("&a;", before=XXE), REFUSED, 0),
    ("profond", kml("<Folder>" * 50 + GOOD + "</Folder>" * 50), REFUSED, 0),
    ("coupé", kml(GOOD)[:-15], REFUSED, 0),
    ("gpx", "<gpx/>", REFUSED, 0),
    ("texte nu", "lieu", REFUSED, 0),
]:
    case(f"kml {label}", "a.kml", text, rows=rows, errors=fault)
case("kml utf-16", "a.kml", ('<?xml version="1.0" encoding="UTF-16"?>' + kml(GOOD)).encode("utf-16"), rows=1)
case("kml encodage", "a.kml", '<?xml version="1.0" encoding="klingon"?>' + kml(GOOD))
case("kmz", "a.kmz", zipped({"doc.kml": kml(GOOD)}), rows=1)
for label, text, rows, fault in [
    ("tout", "<wpt lat='48' lon='2'/><rte><rtept lat='48' lon='2'/><rtept lat='49' lon='2'/></rte><trk/>", 3, 0),
    ("sans lat", "<wpt lon='2'/>", 1, 1),
    ("lat texte", "<wpt lat='N48' lon='2'/>", 1, 1),
    ("souligné", "<wpt lat='4_8' lon='2'/>", 1, 1),
    ("itinéraire d’un point", "<rte><rtept lat='48' lon='2'/></rte>", 1, 1),
    ("segment d’un point", "<trk><trkseg><trkpt lat='48' lon='2'/></trkseg></trk>", 1, 1),
    ("rien", "", REFUSED, 0),
    ("bombe", "<wpt lat='48' lon='2'><name>&b;</name></wpt>", REFUSED, 0),
]:
    case(f"gpx {label}", "a.gpx", f"{BOMB if label == 'bombe' else ''}<gpx>{text}</gpx>", rows=rows, errors=fault)
utf16 = '<?xml version="1.0" encoding="UTF-16"?><gpx><wpt lat="48" lon="2"/></gpx>'.encode("utf-16")
case("gpx utf-16", "a.gpx", utf16, rows=1)
# --- GeoPackage ----------------------------------------------------------------------------------------------------
for label, blob, fault in [
    ("bon", gp(wkb_point(1, 2)), 0),
    ("null", None, 0),
    ("vide", gp(wkb_point(float("nan"), float("nan")), flags=17), 0),
    ("infini", gp(wkb_point(float("inf"), 2)), 1),
    ("texte", "POINT(1 2)", 1),
    ("sans en-tête", wkb_point(1, 2), 1),
    ("coupé", gp(wkb_point(1, 2)[:12]), 1),
    ("court", b"GP\0", 1),
    ("enveloppe folle", gp(wkb_point(1, 2), flags=0b1111), 1),
    ("étendu", gp(wkb_point(1, 2), flags=0b100001), 1),
    ("courbe", gp(struct.pack("<BII", 1, 8, 0)), 1),
    ("compte immense", gp(struct.pack("<BII", 1, 2, 2**31)), 1),
    ("anneau ouvert", gp(struct.pack("<BIII8d", 1, 3, 1, 4, 0, 0, 1, 0, 1, 1, 5, 5)), 1),
    ("mesuré", gp(struct.pack("<BI3d", 1, 2001, 1, 2, 9)), 0),
]:
    rows_in = [(1, blob, "a"), (2, gp(wkb_point(3, 4)), "b")]
    case(f"gpkg {label}", "a.gpkg", geopackage(LAYER, rows=rows_in), rows=2, errors=fault)
REGISTERED = "INSERT INTO gpkg_contents VALUES ('t', 'attributes', NULL);"
LOOP = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT i FROM r"
for label, script, rows in [
    ("vue récursive", f"CREATE VIEW v AS {LOOP}; INSERT INTO gpkg_contents VALUES ('v', 'attributes', 0);", REFUSED),
    ("contenu en vue", f"DROP TABLE gpkg_contents; CREATE VIEW gpkg_contents AS {LOOP};", REFUSED),
    ("rien", "", REFUSED),
    ("table absente", "INSERT INTO gpkg_contents VALUES ('x', 'features', 0);", REFUSED),
    ("images", LAYER.replace("'features'", "'tiles'"), REFUSED),
    (
        "virtuelle",
        "CREATE VIRTUAL TABLE v USING fts5(a); INSERT INTO gpkg_contents VALUES ('v','attributes',0);",
        REFUSED,
    ),
    (
        "nom piégé",
        (
            'CREATE TABLE "a""; DROP TABLE t; --"(x); '
            "INSERT INTO gpkg_contents VALUES ('a\"; DROP TABLE t; --', 'attributes', 0);"
        ),
        0,
    ),
    (
        "colonne géante",
        LAYER + "ALTER TABLE t ADD COLUMN g AS (zeroblob(900000000)); INSERT INTO t(fid) VALUES (1);",
        REFUSED,
    ),
    ("octets", LAYER + "INSERT INTO t VALUES (1, NULL, CAST(x'ff41' AS TEXT)), (2, NULL, x'00ff');", 2),
    (
        "attributs",
        "CREATE TABLE t(a, b, c); INSERT INTO t VALUES (1, 'é', NULL);" + REGISTERED,
        1,
    ),
    (
        "trop de lignes",
        f"CREATE TABLE t(a); INSERT INTO t SELECT * FROM ({LOOP} LIMIT 2001);" + REGISTERED,
        REFUSED,
    ),
]:
    case(f"gpkg {label}", "a.gpkg", geopackage(script), rows=rows)
case("gpkg fichier coupé", "a.gpkg", b"SQLite format 3\0" + b"\0" * 400)
case("gpkg en-tête seul", "a.gpkg", b"SQLite format 3\0")
case("gpkg en texte", "a.gpkg", "bonjour")
case("gpkg nommé geojson", "a.geojson", geopackage(LAYER))
# --- shapefile, FlatGeobuf -----------------------------------------------------------------------------------------
SHP, SHX = shp((2, 48), (3, 49))
DBF = dbf("Élan", "Orly")
ALL = {"shp": SHP, "shx": SHX, "dbf": DBF}
for label, parts, rows, fault in [
    ("bon", ALL, 2, 0),
    ("sans dbf", {"shp": SHP, "shx": SHX}, REFUSED, 0),
    ("sans shx", {"shp": SHP, "dbf": DBF}, REFUSED, 0),
    ("shp coupé", ALL | {"shp": SHP[:-10]}, 2, 1),
    ("shx coupé", ALL | {"shx": SHX[:-3]}, REFUSED, 0),
    ("shx vide", ALL | {"shx": b""}, REFUSED, 0),
    ("dbf vide", ALL | {"dbf": b""}, REFUSED, 0),
    ("prj fou", ALL | {"prj": b'LOCAL_CS["x"]'}, 2, 0),
    ("prj bruit", ALL | {"prj": b"\xff\xfe\0"}, 2, 0),
    ("cpg faux", ALL | {"cpg": b"UTF-8"}, 2, 0),
    ("cpg inconnu", ALL | {"cpg": b"KLINGON"}, 2, 0),
    ("nan", ALL | {"shp": shp((float("nan"), 48), (3, 49))[0]}, 2, 1),
    ("infini", ALL | {"shp": shp((float("inf"), 48), (3, 49))[0]}, 2, 1),
]:
    case(f"shp {label}", "a.shp", shapefile(**parts), rows=rows, errors=fault)
SHAPES = {f"dossier/a.{s}": c for s, c in ALL.items()}
case("zip sous-dossier", "a.zip", zipped(SHAPES | {f"b.{s}": c for s, c in ALL.items()}), rows=4)
case("zip majuscules", "a.zip", zipped({n.upper(): c for n, c in SHAPES.items()}), rows=2)
case("zip sans dbf", "a.zip", zipped({"a.shp": SHP, "a.shx": SHX}))
case("zip qui sort", "a.zip", zipped(SHAPES | {"../../etc/x.shp": SHP}))
case("zip absolu", "a.zip", zipped(SHAPES | {"/etc/x.shp": SHP}))
case("zip bombe", "a.zip", zipped(SHAPES | {"b.dbf": b"\0" * 5_000_000}, ratio=True))
case("zip lourd", "a.zip", zipped({f"{i}.csv": b"a;b\n" * 2_000_000 for i in range(4)}, ratio=True))
case("zip de zip", "a.zip", zipped({"b.zip": zipped(SHAPES)}))
case("zip vide", "a.zip", zipped({}))
case("zip coupé", "a.zip", zipped(SHAPES)[:-30])
case("zip abîmé", "a.zip", zipped(SHAPES).replace(b"Orly", b"0rly", 1))
case("zip nommé xlsx", "a.xlsx", zipped(SHAPES))
case("fgb signature seule", "a.fgb", b"fgb\x03fgb\x00")
case("fgb bruit", "a.fgb", b"fgb\x03fgb\x00" + bytes(range(256)) * 4)
case("dbf seul", "a.dbf", DBF)
# --- workbooks -----------------------------------------------------------------------------------------------------
BOOK = workbook(["nom", "siret", "n"], ["A", "01234", 1.5])
SHEET = "xl/worksheets/sheet1.xml"
case("xlsx bon", "a.xlsx", BOOK, rows=1)
case("xlsx loin à droite", "a.xlsx", workbook(["a"], ["b"], XFD3="boum"))
case("xlsx loin en bas", "a.xlsx", workbook(["a"], ["b"], A1048576="boum"), rows=2)
case("xlsx formule", "a.xlsx", workbook(["a", "b"], [1, "=A2*2"]), rows=1, errors=1)
case("xlsx vide", "a.xlsx", workbook())
case("xlsx trop de lignes", "a.xlsx", workbook(["a"], *[[1]] * 2001))
case("xlsx coupé", "a.xlsx", BOOK[:-40])
case("xlsx dtd", "a.xlsx", rezipped(BOOK, {SHEET: lambda xml: XXE.encode() + xml}))
case("xlsx feuille coupée", "a.xlsx", rezipped(BOOK, {SHEET: lambda xml: xml[:-30]}))
WRONG = (b'<c r="A1" t="inlineStr"><is><t>nom</t></is></c>', b'<c r="A1" t="s"><v>999</v></c>')
case("xlsx index de texte", "a.xlsx", rezipped(BOOK, {SHEET: lambda xml: xml.replace(*WRONG)}))
case("xlsx bombe", "a.xlsx", zipped({"xl/workbook.xml": b"0" * 5_000_000}, ratio=True))
case("xlsx sans feuille", "a.xlsx", zipped({"xl/workbook.xml": "<workbook/>"}))
case("xlsx chiffré", "a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"))
case("xls", "a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le"))
case("xlsx texte", "a.xlsx", "a;b\n1;2\n")
case("docx", "a.docx", zipped({"word/document.xml": "<w/>"}))
ODS = (
    "<office:document-content xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' "
    "xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' "
    "xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'><table:table table:name='F'>"
    "<table:table-row><table:table-cell><text:p>siret</text:p></table:table-cell></table:table-row>"
    "<table:table-row{rows}><table:table-cell{cells}><text:p>01234</text:p></table:table-cell></table:table-row>"
    "</table:table></office:document-content>"
)
for label, rows_times, cells_times, rows in [
    ("bon", "", "", 1),
    ("répété", " table:number-rows-repeated='3'", "", 3),
    ("lignes répétées", " table:number-rows-repeated='1048576'", "", REFUSED),
    ("colonnes répétées", "", " table:number-columns-repeated='16384'", REFUSED),
]:
    case(f"ods {label}", "a.ods", zipped({"content.xml": ODS.format(rows=rows_times, cells=cells_times)}), rows=rows)
case("ods sans contenu", "a.ods", zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}))
case("ods bombe", "a.ods", zipped({"content.xml": BOMB + "<a>&b;</a>"}))
case("ods chiffré", "a.ods", zipped({"content.xml": b"\x8f\x01", "META-INF/manifest.xml": "<encryption-data/>"}))
# --- strangers -----------------------------------------------------------------------------------------------------
for label, name, content in [
    ("pdf", "a.csv", b"%PDF-1.7 "),
    ("gzip", "a.geojson", b"\x1f\x8b\x08\0"),
    ("image", "a.gpkg", b"\x89PNG\r\n\x1a\n"),
    ("parquet", "a.parquet", b"PAR1" + b"\0" * 20),
    ("programme", "a.shp", b"\x7fELF" + b"\0" * 20),
    ("inconnu", "a.xyz", b"1 2 3\n"),
    ("kml nommé csv", "a.csv", kml(GOOD).encode()),
]:
    case(f"étranger {label}", name, content)

SAMPLE = sorted(CASES)[::17]
DOOR = [*SAMPLE, "geojson vrt", "geojson crochets", "gpkg vue récursive", "shp shp coupé", "fgb bruit", "kml xxe"]


def written(label: str, folder: Path) -> Path:
    name, content, _, _ = CASES[label]
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    return path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError(f"network used: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_corpus_is_large_enough() -> None:
    assert len(CASES) >= 120
    assert {re.split(r"[ .]", label)[0] for label in CASES} >= {
        "geojson",
        "csv",
        "kml",
        "gpx",
        "gpkg",
        "shp",
        "xlsx",
        "ods",
    }


def verdict(path: Path, name: str) -> tuple[list[Sheet], str | None]:
    try:
        return parse_path(path, name=name, limits=LIMITS), None
    except InputError as error:
        return [], str(error)


@pytest.mark.parametrize("label", sorted(CASES))
def test_hostile_file(label: str, tmp_path: Path, no_network: None) -> None:
    name, _, rows, errors = CASES[label]
    path = written(label, tmp_path)
    before = sorted((entry.name, entry.read_bytes()) for entry in tmp_path.iterdir())
    sheets, refusal = verdict(path, name)
    assert before == sorted((entry.name, entry.read_bytes()) for entry in tmp_path.iterdir())
    if refusal is not None:
        assert rows == REFUSED, refusal
        assert name in refusal
        assert "\n" not in refusal
        assert "root:" not in refusal
        return
    assert sum(len(sheet.rows) for sheet in sheets) == rows
    assert sum(defect.severity == "error" for sheet in sheets for defect in sheet.defects) == errors
    for sheet in sheets:
        lost = {d.row for d in sheet.defects if d.severity == "error"} - set(sheet.rows)
        assert sheet.n_in == len(sheet.rows) + len(lost)
        assert all(len(column) == len(sheet.rows) for column in sheet.values)
        assert sheet.geometry is None or len(sheet.geometry) == len(sheet.rows)
        assert all(defect.file.startswith(name) and defect.reason for defect in sheet.defects)
        assert all(
            defect.row and (defect.field or defect.value) for defect in sheet.defects if defect.severity == "error"
        )
        assert "root:" not in str(sheet.values)


@pytest.mark.parametrize("label", DOOR)
def test_door_gives_the_same_verdict(label: str, tmp_path: Path) -> None:
    name, _, rows, _ = CASES[label]
    path = written(label, tmp_path)
    if rows == REFUSED:
        with pytest.raises(InputError, match=re.escape(name)):
            read_file(path, limits=LIMITS)
        return
    tables = read_file(path, limits=LIMITS)
    sheets = parse_path(path, name=name, limits=LIMITS)
    assert [list(table.frame.index) for table in tables] == [sheet.rows for sheet in sheets]
    assert [table.defects for table in tables] == [sheet.defects for sheet in sheets]
    assert [repr(table.frame.to_numpy().T.tolist()) for table in tables] == [
        repr(sheet.values if sheet.rows else [[] for _ in sheet.values]) for sheet in sheets
    ]
