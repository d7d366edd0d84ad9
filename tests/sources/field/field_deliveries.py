"""Deliveries in the exact shape of each tool, made from the fixtures or on the spot."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import openpyxl
import shapely

from geo_qmi._gpkg import encode_geometry
from geo_qmi.sources.field.fieldpackage import write_package

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "field"
#: Bytes a server may put in a media folder: hashed, never decoded.
PICTURE = b"\xff\xd8\xff\xe0 not a picture"


def zip_odk(path: Path, **replaced: tuple[str, str]) -> Path:
    """Zip the ODK fixtures; `replaced` gives per table (stem, ``_`` for ``-``) an old and a new piece of text."""
    with zipfile.ZipFile(path, "w") as archive:
        for source in sorted((FIXTURES / "odk").glob("*.csv")):
            text = source.read_text(encoding="utf-8")
            old, new = replaced.get(source.stem.replace("-", "_"), ("", ""))
            assert old in text
            archive.writestr(source.name, text.replace(old, new) if old else text)
        archive.writestr("media/1715847000.jpg", PICTURE)
    return path


def kobo_book(path: Path, *, verbatim: str = "Le train couvre la voix.", uuid: str = "k-1") -> Path:
    """Write a KoboToolbox XLSX export: main sheet and one sheet a repeat group, split geopoints, multiple choice."""
    book = openpyxl.Workbook()
    main = book.active
    main.title = "Marche sensible"
    main.append(["start", "end", "session", "participant", "actor_group", "route", "_id", "_uuid", "_index"])
    line = "48.9327 2.4966 60 5;48.9332 2.5008 60 5"
    main.append(
        ["2026-05-16T10:00:00+02:00", "2026-05-16T11:00:00+02:00", "K-1", "Lilas", "resident", line, 7001, uuid, 1]
    )
    main.append(["2026-05-16T10:02:00+02:00", None, "K-1", "Orme", "elected", None, 7002, "k-2", 2])
    child = book.create_sheet("observations")
    child.append(
        [
            "observations/time",
            "observations/place",
            "observations/_place_latitude",
            "observations/_place_longitude",
            "observations/_place_altitude",
            "observations/_place_precision",
            "observations/sense",
            "observations/sense/hearing",
            "observations/sense/sight",
            "observations/theme",
            "observations/valence",
            "observations/verbatim",
            "_index",
            "_parent_table_name",
            "_parent_index",
            "_submission__id",
            "_submission__uuid",
        ]
    )
    about = ["coupures", "-2", verbatim]
    point = ["48.9328 2.497 60 4", 48.9328, 2.497, 60, 4, "hearing sight", 1, 1]
    child.append(["2026-05-16T10:10:00+02:00", *point, *about, 1, main.title, 1, 7001, uuid])
    point = ["48.9331 2.5 60 4", 48.9331, 2.5, 60, 4, "sight", 0, 1]
    child.append(["2026-05-16T10:20:00+02:00", *point, "nature", "2", "Un jardin.", 2, main.title, 2, 7002, "k-2"])
    book.save(path)
    return path


def mark(uid: str | None, x: float, **cells: object) -> dict[str, object]:
    """One row of layer ``observations``, on the line y = 6 870 400."""
    return {"uid": uid, "geom": shapely.Point(x, 6_870_400), "participant": "Lilas", "actor_group": "resident"} | cells


def field_package(path: Path, *rows: dict[str, object], layer: str = "observations") -> Path:
    """Write a GeoPackage of the kit with these rows, as QField would."""
    write_package(path)
    add(path, *rows, layer=layer)
    return path


def add(path: Path, *rows: dict[str, object], layer: str = "observations") -> None:
    """Add rows to a layer; a geometry is encoded."""
    with closing(sqlite3.connect(path)) as connection:
        for row in rows:
            blob = encode_geometry([row["geom"]], "POINT")[0]
            cells = row | {"geom": blob}
            names = ", ".join(f'"{name}"' for name in cells)
            marks = ", ".join("?" * len(cells))
            connection.execute(f"INSERT INTO {layer} ({names}) VALUES ({marks})", list(cells.values()))  # noqa: S608  # noqa: S608 - names of ours
        connection.commit()


def edit(path: Path, record: str, **cells: object) -> None:
    """Change cells of a record, as a telephone would."""
    with closing(sqlite3.connect(path)) as connection:
        for name, value in cells.items():
            connection.execute(f'UPDATE observations SET "{name}" = ? WHERE uid = ?', (value, record))  # noqa: S608  # noqa: S608 - names of ours
        connection.commit()
