"""What do a `.umap`, the timed points of a GPX, or a folder of photos say?

Runs in the child process of `geo_qmi.sources.files`, where any other file goes on to `geo_qmi.sources.recognise`.
A photo is hashed and its EXIF read; its picture is never decoded, copied or changed.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_qmi.errors import UnreadableError, shown
from geo_qmi.sources import recognise, shapes, text
from geo_qmi.sources.archives import Archive
from geo_qmi.sources.geojson import parse_geojson
from geo_qmi.sources.limits import passed
from geo_qmi.sources.sheet import Cell, Sheet
from geo_qmi.sources.xml import local, parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from geo_qmi.sources.limits import Limits

#: Name of the sheet that lists photos; no tool can give it to a layer of its own.
PHOTOS = "\ue000photos"
#: Name of the sheet that lists the timed positions of a GPX.
POSITIONS = "\ue000positions"
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"}
_MOST_PHOTOS = 5_000
#: EXIF tags: moment and its offset from UTC, then the two places where cameras keep them and the position.
_TAKEN, _OFFSET, _CHANGED = 36867, 36881, 306
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825


def parse_path(path: Path, *, name: str, limits: Limits) -> list[Sheet]:
    """Return the sheets of a file, or the one sheet of photos of a folder; arguments as `recognise.parse_path`."""
    if path.is_dir():
        return [_photos(_in_folder(path, name=name, limits=limits), file=name)]
    suffix = Path(name).suffix.lower()
    if suffix == ".umap":
        return parse_umap(_bytes(path, name=name, limits=limits), file=name, limits=limits)
    if suffix == ".points":
        return recognise.parse_bytes(
            _without_comments(_bytes(path, name=name, limits=limits)), name=f"{name}.csv", limits=limits
        )
    sheets = recognise.parse_path(path, name=name, limits=limits)
    if suffix == ".gpx":
        sheets.append(parse_positions(_bytes(path, name=name, limits=limits), file=name, limits=limits))
    elif suffix == ".zip":
        archive = Archive(_bytes(path, name=name, limits=limits), file=name, limits=limits)
        pictures = [entry for entry in archive.names if Path(entry).suffix.lower() in _PICTURES]
        if pictures:
            found = ((entry, io.BytesIO(archive.read(entry))) for entry in pictures)
            sheets.append(_photos(found, file=name))
    return sheets


def _bytes(path: Path, *, name: str, limits: Limits) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise passed(name, "octets", met=len(data), limit=limits.file_bytes)
    return data


def _without_comments(data: bytes) -> bytes:
    """Return a georeferencer's file without the lines that start with ``#``."""
    return b"\n".join(line for line in data.splitlines() if not line.startswith(b"#"))


# uMap ------------------------------------------------------------------------------------------------------------


def parse_umap(data: bytes, *, file: str, limits: Limits) -> list[Sheet]:
    """Return one sheet a layer of a full backup of a uMap, named as the layer; a layer's own options are left aside.

    Raises
    ------
    UnreadableError
        Not JSON, or not what uMap writes.
    """
    content, _ = text.decode(data)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise UnreadableError(
            f"« {file} » n’est pas du JSON complet → téléchargez de nouveau la sauvegarde uMap."
        ) from None
    layers = document.get("layers") if isinstance(document, dict) else None
    if not isinstance(layers, list) or not layers:
        raise UnreadableError(f"« {file} » n’a pas de calque (« layers ») : ce n’est pas une sauvegarde uMap.")
    sheets = []
    for number, layer in enumerate(layers, start=1):
        if not isinstance(layer, dict):
            raise UnreadableError(f"« {file} », calque {number} : ce n’est pas un objet → reprenez la sauvegarde.")
        options = layer.get("_umap_options") or layer.get("_storage") or {}
        title = options.get("name") if isinstance(options, dict) else None
        collection = {"type": "FeatureCollection", "features": layer.get("features", [])}
        name = shown(title) if title else f"Calque {number}"
        sheets.append(parse_geojson(json.dumps(collection).encode(), file=file, layer=name, limits=limits))
    return sheets


# GPX -------------------------------------------------------------------------------------------------------------


def parse_positions(data: bytes, *, file: str, limits: Limits) -> Sheet:
    """Return the dated points of every track: columns ``track``, ``segment``, ``time``; geometry in degrees."""
    sheet = Sheet(file, POSITIONS, geometry=[], crs="EPSG:4326")
    records: list[dict[str, Cell]] = []
    for track, segment, point in _track_points(parse_xml(data, file=file, limits=limits)):
        moment = next(("".join(child.itertext()).strip() for child in point if local(child) == "time"), "")
        try:
            shape = shapes.point([float(point.get("lon", "")), float(point.get("lat", ""))])
        except ValueError:
            continue  # the track itself is refused for it, with its reason, by the reader of GPX
        if moment:
            records.append({"track": track, "segment": segment, "time": moment})
            sheet.geometry.append(shape)  # type: ignore[union-attr]
    sheet.rows = list(range(1, len(records) + 1))
    sheet.n_in = len(records)
    sheet.fill(records, limits=limits)
    return sheet.finish()


def _track_points(root: Element) -> Iterator[tuple[int, int, Element]]:
    tracks = [child for child in root if local(child) == "trk"]
    for number, track in enumerate(tracks, start=1):
        for part, segment in enumerate((child for child in track if local(child) == "trkseg"), start=1):
            yield from ((number, part, point) for point in segment if local(point) == "trkpt")


# Photos ----------------------------------------------------------------------------------------------------------


def _in_folder(folder: Path, *, name: str, limits: Limits) -> Iterator[tuple[str, io.BufferedReader | io.BytesIO]]:
    """Yield the photos of a folder and of its sub-folders, in order; links and hidden files are not followed."""
    places = [folder, *sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink() and p.name[0] != ".")]
    found = [
        path
        for place in places
        for path in sorted(place.iterdir())
        if path.suffix.lower() in _PICTURES and path.name[0] != "." and stat.S_ISREG(path.lstat().st_mode)
    ]
    if len(found) > _MOST_PHOTOS:
        raise passed(name, "photos", met=len(found), limit=_MOST_PHOTOS)
    for path in found:
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise passed(f"{name}/{path.name}", "octets", met=size, limit=limits.file_bytes)
        with path.open("rb") as stream:
            yield path.relative_to(folder).as_posix(), stream


def _photos(found: Iterator[tuple[str, io.BufferedReader | io.BytesIO]], *, file: str) -> Sheet:
    sheet = Sheet(file, PHOTOS, geometry=[], crs="EPSG:4326")
    records = []
    for row, (photo, stream) in enumerate(found, start=1):
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        moment, offset, place = _exif(stream)
        records.append((photo, digest, moment, offset))
        sheet.rows.append(row)
        sheet.geometry.append(place)  # type: ignore[union-attr]
    sheet.n_in = len(records)
    sheet.columns = ["photo", "photo_sha256", "taken", "offset"]
    sheet.values = [list(column) for column in zip(*records, strict=True)] or [[] for _ in sheet.columns]
    return sheet.finish()


def _exif(stream: io.BufferedReader | io.BytesIO) -> tuple[str | None, str | None, Any]:
    """Return the moment (``YYYY-MM-DDTHH:MM:SS``), its offset and the position a photo says, each where it does."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exif = Image.open(stream, formats=("JPEG", "MPO", "PNG", "WEBP")).getexif()
        detail, gps = exif.get_ifd(_EXIF_IFD), exif.get_ifd(_GPS_IFD)
    except Exception:  # noqa: BLE001 - Pillow lets any exception out of a damaged header; the photo is kept, undated
        return None, None, None
    raw = str(detail.get(_TAKEN) or exif.get(_CHANGED) or "").strip("\0 ")
    day, _, clock = raw.partition(" ")
    moment = f"{day.replace(':', '-')}T{clock}" if len(day) == 10 and len(clock) >= 5 and day[:4] != "0000" else None
    offset = str(detail.get(_OFFSET) or "").strip("\0 ") or None
    return moment, offset, _position(gps)


def _position(gps: dict[int, Any]) -> Any:
    try:
        north, east = _degrees(gps[2], gps[1], "S"), _degrees(gps[4], gps[3], "W")
        return shapes.point([east, north]) if (north, east) != (0.0, 0.0) else None
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _degrees(parts: Any, side: Any, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if str(side).upper().startswith(negative) else value
