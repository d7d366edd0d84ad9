"""Which format do these bytes really have, and which parser takes them?

Bytes decide and the suffix must agree: a file that lies about itself is refused with its true name, because a
program further down may believe the suffix. Each thing that planners hand over by mistake (a web page, a server's
error, an old ``.xls``, a lone ``.dbf``) has its own sentence. Called in the child process, and by tests in process.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from geo_qmi.errors import UnreadableError, shown
from geo_qmi.sources import text
from geo_qmi.sources.archives import Archive
from geo_qmi.sources.limits import passed
from geo_qmi.wording import agreed, counted

if TYPE_CHECKING:
    from geo_qmi.sources.limits import Limits
    from geo_qmi.sources.sheet import Sheet

#: Suffix → (kind the bytes must have, French name of the format).
FORMATS = {
    ".geojson": ("geojson", "GeoJSON"),
    ".json": ("geojson", "GeoJSON"),
    ".geojsonl": ("geojson", "GeoJSON, un objet par ligne"),
    ".geojsonseq": ("geojson", "GeoJSON, un objet par ligne"),
    ".ndjson": ("geojson", "GeoJSON, un objet par ligne"),
    ".gpkg": ("gpkg", "GeoPackage"),
    ".shp": ("shp", "Shapefile, avec ses fichiers .shx, .dbf et .prj"),
    ".zip": ("zip", "archive d’un ou plusieurs shapefiles"),
    ".kml": ("kml", "KML"),
    ".kmz": ("kmz", "KML compressé"),
    ".gpx": ("gpx", "GPX"),
    ".fgb": ("fgb", "FlatGeobuf"),
    ".csv": ("csv", "tableau CSV"),
    ".tsv": ("csv", "tableau séparé par des tabulations"),
    ".txt": ("csv", "tableau en texte"),
    ".xlsx": ("xlsx", "classeur Excel"),
    ".xlsm": ("xlsx", "classeur Excel avec macros (jamais exécutées)"),
    ".ods": ("ods", "classeur LibreOffice"),
}
_SIGNATURES = (
    (b"SQLite format 3\0", "gpkg"),
    (b"fgb\x03fgb", "fgb"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x00\x00\x27\x0a", "shp"),
)
_STRANGERS = (
    (b"%PDF", "un document PDF", "demandez les données elles-mêmes"),
    (b"\x1f\x8b", "un fichier compressé gzip", "décompressez-le"),
    (b"7z\xbc\xaf", "une archive 7z", "décompressez-la"),
    (b"Rar!", "une archive RAR", "décompressez-la"),
    (b"PAR1", "un fichier Parquet", "exportez en GeoPackage ou en CSV"),
    (b"\x89PNG", "une image", "demandez les données elles-mêmes"),
    (b"\xff\xd8\xff", "une image", "demandez les données elles-mêmes"),
    (b"II*\0", "une image TIFF", "demandez les données elles-mêmes"),
    (b"\x7fELF", "un programme", "choisissez un fichier de données"),
    (b"MZ\x90", "un programme", "choisissez un fichier de données"),
)
_PARTS: tuple[str, ...] = ("shp", "shx", "dbf", "prj", "cpg")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TEXT_KINDS = {"geojson", "csv", "kml", "gpx"}
_NAMES = dict(reversed(FORMATS.values())) | {"zip": "une archive zip", "shp": "Shapefile"}
_EXCEPTION = re.compile(
    r"<(?:\w+:)?(?:ServiceException|ExceptionText)[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]+)", re.IGNORECASE
)


def parse_path(path: Path, *, name: str, limits: Limits) -> list[Sheet]:
    """Return the sheets of a file on disk.

    Parameters
    ----------
    path
        The file; its siblings are read when it is a shapefile.
    name
        Name the user knows the file by; its suffix is the one compared with the bytes.

    Raises
    ------
    UnreadableError, LimitError
        Each with one French sentence that names the file.
    """
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise passed(name, "octets", met=size, limit=limits.file_bytes)
    with path.open("rb") as stream:
        head = stream.read(16)
        data = b"" if head.startswith(b"SQLite format 3\0") else head + stream.read(limits.file_bytes)
    if len(data) > limits.file_bytes:
        raise passed(name, "octets", met=len(data), limit=limits.file_bytes)
    if not data and head:
        _agree("gpkg", name)
        from geo_qmi.sources.geopackage import parse_geopackage

        return parse_geopackage(path, file=name, limits=limits)
    if data.startswith(b"\x00\x00\x27\x0a") and _suffix(name) == ".shp":
        from geo_qmi.sources.ogr import parse_shapefile

        members = _siblings(path, name=name, limits=limits) | {"shp": data}
        return [parse_shapefile(members, file=name, layer=Path(name).stem, limits=limits)]
    return parse_bytes(data, name=name, limits=limits)


def parse_bytes(data: bytes, *, name: str, limits: Limits) -> list[Sheet]:  # noqa: PLR0911 - one return a format
    """Return the sheets of a file held in memory (any format but GeoPackage and a bare shapefile)."""
    kind = recognise(data, name=name, limits=limits)
    _agree(kind, name)
    layer = Path(name.rsplit("!", 1)[-1]).stem
    if kind == "geojson":
        from geo_qmi.sources.geojson import parse_geojson

        return [parse_geojson(data, file=name, layer=layer, limits=limits)]
    if kind == "csv":
        from geo_qmi.sources.tables import parse_csv

        return [parse_csv(data, file=name, layer=layer, limits=limits)]
    if kind in {"kml", "gpx"}:
        from geo_qmi.sources import xml

        if kind == "gpx":
            return xml.parse_gpx(data, file=name, limits=limits)
        return xml.parse_kml(data, file=name, layer=layer, limits=limits)
    if kind in {"xlsx", "ods"}:
        from geo_qmi.sources import spreadsheets

        parse = spreadsheets.parse_xlsx if kind == "xlsx" else spreadsheets.parse_ods
        return parse(data, file=name, limits=limits)
    if kind == "fgb":
        from geo_qmi.sources.ogr import parse_flatgeobuf

        return [parse_flatgeobuf(data, file=name, layer=layer, limits=limits)]
    if kind in {"zip", "kmz"}:
        return _parse_archive(Archive(data, file=name, limits=limits), limits=limits)
    raise UnreadableError(f"« {name} » doit être lu depuis le disque, avec ses fichiers voisins.")


def recognise(data: bytes, *, name: str, limits: Limits) -> str:
    """Return the kind of a file from its bytes: one of the kinds of `FORMATS`.

    Raises
    ------
    UnreadableError
        Empty, or a format that is not read, with what to do.
    """
    if not data:
        raise UnreadableError(f"« {name} » est vide (0 octet) → vérifiez l’export ou le téléchargement.")
    if data.startswith(_OLE):
        raise _ole(data, name)
    for mark, what, todo in _STRANGERS:
        if data.startswith(mark):
            raise UnreadableError(f"« {name} » est {what}, ce format n’est pas lu → {todo}.")
    kind = next((kind for mark, kind in _SIGNATURES if data.startswith(mark)), None)
    if kind == "zip":
        return _zip_kind(Archive(data, file=name, limits=limits), name)
    return kind or _text_kind(data, name)


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _agree(kind: str, name: str) -> None:
    suffix = _suffix(name)
    wanted = FORMATS.get(suffix, (kind, ""))[0]
    if wanted == kind:
        return
    right = next(ending for ending, (other, _) in FORMATS.items() if other == kind)
    raise UnreadableError(
        f"« {name} » se termine par {suffix} mais contient autre chose ({_NAMES[kind]}) → "
        f"renommez-le en {right} si c’est bien ce que vous vouliez, ou réexportez-le."
    )


def _ole(data: bytes, name: str) -> UnreadableError:
    if "EncryptedPackage".encode("utf-16-le") in data or "EncryptionInfo".encode("utf-16-le") in data:
        return UnreadableError(f"« {name} » est protégé par un mot de passe → enregistrez-le sans mot de passe.")
    if "WordDocument".encode("utf-16-le") in data:
        return UnreadableError(f"« {name} » est un document Word → copiez le tableau dans un classeur .xlsx.")
    return UnreadableError(f"« {name} » est un ancien classeur .xls, jamais lu → enregistrez-le en .xlsx ou en .ods.")


def _zip_kind(archive: Archive, name: str) -> str:
    names = archive.names
    endings = {_suffix(entry) for entry in names}
    if archive.has("xl/workbook.xml"):
        return "xlsx"
    if archive.has("xl/workbook.bin"):
        raise UnreadableError(f"« {name} » est un classeur .xlsb, non lu → enregistrez-le en .xlsx.")
    if archive.has("word/document.xml"):
        raise UnreadableError(f"« {name} » est un document Word → copiez le tableau dans un classeur .xlsx.")
    if archive.has("content.xml") or archive.has("mimetype"):
        return "ods"
    if ".shp" in endings:
        return "zip"
    if ".kml" in endings:
        return "kmz" if _suffix(name) == ".kmz" else "zip"
    if endings & (FORMATS.keys() - {".zip", ".gpkg", ".xlsx", ".xlsm", ".ods", ".kmz"}):
        return "zip"
    met = ", ".join(names[:5]) or "archive vide"
    raise UnreadableError(
        f"« {name} » ne contient aucun shapefile ({shown(met)}) → donnez le fichier de données lui-même."
    )


def _text_kind(data: bytes, name: str) -> str:
    suffix = _suffix(name)
    wanted = FORMATS.get(suffix, ("", ""))[0]
    content = text.decode(data[: 64 * 1024])[0].lstrip()
    if not content:
        raise UnreadableError(f"« {name} » ne contient que des espaces → vérifiez l’export.")
    if content.startswith("<"):
        found = _xml_kind(content, name, wanted=wanted)
        if found:
            return found
    elif content[0] in "{[\x1e" and (wanted == "geojson" or re.match(r"[{\[]\s*[\"{\[\]}]", content)):
        return "geojson"
    binary = _is_binary(content[:4096])
    if wanted == "csv" and not binary:
        return "csv"
    if wanted in {"kml", "gpx", "geojson"} and not binary:
        raise UnreadableError(
            f"« {name} » n’est pas du {_NAMES[wanted]} : il commence par « {shown(content[:30])} » → réexportez."
        )
    if wanted and wanted not in _TEXT_KINDS:
        raise UnreadableError(
            f"« {name} » n’a pas le contenu d’un fichier {suffix} (abîmé, coupé ou renommé) → réexportez-le."
        )
    if suffix in {".dbf", ".shx", ".prj", ".cpg"}:
        raise UnreadableError(
            f"« {name} » est une partie de shapefile → donnez le .shp ou une archive .zip de l’ensemble."
        )
    known = ", ".join(sorted(FORMATS))
    raise UnreadableError(f"« {name} » : format non reconnu → formats lus : {known}.")


def _is_binary(content: str) -> bool:
    """Return whether one character in ten is a control character or a byte that spells nothing."""
    strange = sum((c < " " and c not in "\t\n\r\x1b\x1e") or "\udc80" <= c <= "\udcff" for c in content)
    return strange * 10 > len(content)


def _xml_kind(content: str, name: str, *, wanted: str) -> str | None:
    """Return ``kml`` or ``gpx``, ``None`` for text that only starts with ``<``, or raise what it is instead."""
    body = re.sub(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(\[.*?\])?[^>]*>", "", content, flags=re.DOTALL).lstrip()
    found = re.match(r"<(?:[\w.-]+:)?([\w.-]+)", body)
    root = found[1].lower() if found else ""
    page = root in {"html", "head", "body"} or re.match(r"<!doctype\s+html", content, re.IGNORECASE)
    if page:
        raise UnreadableError(
            f"« {name} » est une page web (HTML), pas des données → utilisez le bouton d’export du site."
        )
    if "exceptionreport" in root:
        said = _EXCEPTION.search(content)
        answer = f" : « {shown(said[1].strip())} »" if said else ""
        raise UnreadableError(f"« {name} » est un message d’erreur de serveur WFS{answer} → refaites la requête.")
    if root.startswith("ogrvrt") or root in {"ogrwfsdatasource", "vrtdataset"}:
        raise UnreadableError(
            f"« {name} » renvoie à d’autres fichiers ou adresses ({shown(root)}), jamais suivis → exportez les données."
        )
    if root == "gpx" or (not root and wanted == "gpx"):
        return "gpx"
    if root in {"kml", "document", "folder", "placemark"} or (wanted == "kml" and not root):
        return "kml"
    if root in {"featurecollection", "gml"}:
        raise UnreadableError(f"« {name} » est du GML, non lu → exportez en GeoPackage ou en GeoJSON.")
    if wanted == "csv" and not content.startswith("<?xml"):
        return None
    raise UnreadableError(
        f"« {name} » est du XML sans rapport (racine « {shown(root)} ») → exportez en GeoPackage ou CSV."
    )


def _siblings(path: Path, *, name: str, limits: Limits) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    total = path.stat().st_size
    for sibling in sorted(path.parent.iterdir()):
        ending = sibling.suffix.lower().lstrip(".")
        if sibling.stem == path.stem and ending in {"shx", "dbf", "prj", "cpg"} and sibling.is_file():
            total += sibling.stat().st_size
            if total > limits.file_bytes:
                raise passed(name, "octets avec les fichiers voisins", met=total, limit=limits.file_bytes)
            members[ending] = sibling.read_bytes()
    return members


def _parse_archive(archive: Archive, *, limits: Limits) -> list[Sheet]:
    """Return the sheets of every shapefile, then of every other file that is read, sub-folders included."""
    sheets: list[Sheet] = []
    aside: list[str] = []
    by_stem: dict[str, dict[str, str]] = {}
    for entry in archive.names:
        stem, _, ending = entry.rpartition(".")
        by_stem.setdefault(stem, {})[ending.lower()] = entry
    for stem, members in by_stem.items():
        if "shp" in members:
            sheets.append(_zipped_shapefile(archive, stem, members=members, limits=limits))
            continue
        for ending, entry in members.items():
            kind = FORMATS.get(f".{ending}", ("", ""))[0]
            inner = f"{archive.file}!{entry}"
            if kind in {"geojson", "kml", "gpx", "fgb"} or ending in {"csv", "tsv"}:
                sheets += parse_bytes(archive.read(entry), name=inner, limits=limits)
            elif kind and ending != "txt":
                aside.append(entry)
    if not sheets:
        raise UnreadableError(f"« {archive.file} » ne contient aucun fichier lisible → donnez les données elles-mêmes.")
    if aside:
        sheets[0].fault(
            f"{counted(len(aside), 'fichier')} de l’archive {agreed(len(aside), 'laissé')} de côté",
            "donnez-les séparément",
            value=", ".join(aside),
            severity="warning",
        )
    return sheets


def _zipped_shapefile(archive: Archive, stem: str, *, members: dict[str, str], limits: Limits) -> Sheet:
    from geo_qmi.sources.ogr import parse_shapefile

    content = {ending: archive.read(members[ending]) for ending in _PARTS if ending in members}
    file = f"{archive.file}!{members['shp']}"
    return parse_shapefile(content, file=file, layer=stem.rsplit("/", 1)[-1], limits=limits)
