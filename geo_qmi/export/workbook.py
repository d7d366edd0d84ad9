"""How is a layer written as an Excel workbook that runs nothing?

Three sheets: the rows under French titles, the dictionary of columns, what the file is and its licence. Numbers are
numbers, codes are words, and no cell is a formula: what looks like one begins with an apostrophe. The workbook is
opened again and compared; its dates are fixed.
"""

from __future__ import annotations

import datetime
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

from geo_qmi.errors import InputError
from geo_qmi.export.archive import pack
from geo_qmi.export.degrees import in_degrees
from geo_qmi.export.esri import described, told
from geo_qmi.export.pieces import Written, unlike
from geo_qmi.export.spreadsheet import (
    LATITUDE,
    LONGITUDE,
    place_headers,
    placed,
    refuse_controls,
    require_titles,
    written,
)
from geo_qmi.geo import DEGREES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from geo_qmi.export.layer import Field, Layer

DATA, DICTIONARY, ABOUT = "Données", "Dictionnaire", "À propos"
_DICTIONARY = ("Nom", "Titre", "Description", "Type", "Unité", "Valeurs")
#: What Excel holds: rows of a sheet, characters of a cell.
_ROWS, _CHARS = 1_048_576, 32_767
_DATE = datetime.datetime(2000, 1, 1)


def write(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write `layer` as XLSX."""
    if len(layer.frame) >= _ROWS:
        raise InputError(
            f"« {layer.title} » : {len(layer.frame)} lignes, Excel en tient {_ROWS - 1}. Choisissez .csv ou .parquet."
        )
    refuse_controls(layer, what="un texte sans caractère de commande")
    titles, columns, remarks, crs = _columns(layer)
    require_titles(layer, titles)
    rows = [titles, *map(list, zip(*columns, strict=True))]
    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = _DATE
    book.properties.creator, book.properties.title = "geo-qmi", layer.title
    _fill(book, DATA, rows)
    _fill(book, DICTIONARY, [_DICTIONARY, *map(described, layer.fields)])
    _fill(book, ABOUT, [[cell.strip() for cell in line.split(" : ", 1)] for line in told(about)])
    draft = path.with_name(f"{path.name}.brouillon")
    book.save(draft)
    _fix(draft, path)
    draft.unlink()
    _require_same(layer, path, rows)
    n_lost = None if layer.geometry is None else int(layer.geometry.isna().sum())
    return Written(crs, n_lost, remarks)


def _columns(layer: Layer) -> tuple[list[str], list[list[Any]], tuple[str, ...], str | None]:
    """Return titles, columns of cells, what writing changed, and the system of the places."""
    titles = [field.label for field in layer.fields]
    columns = [_cells(field, layer.values(field.name)) for field in layer.fields]
    for field, cells in zip(layer.fields, columns, strict=True):
        long = [place for place, cell in enumerate(cells) if isinstance(cell, str) and len(cell) > _CHARS]
        if long:
            raise InputError(
                f"« {layer.title} », colonne « {field.label} » : plus de {_CHARS} caractères "
                f"({layer.name_rows(long)}), qu’Excel couperait. Choisissez .csv."
            )
    if layer.geometry is None:
        return titles, columns, (), None
    shapes, remarks = in_degrees(layer)
    headers = place_headers(layer)
    if headers == (LONGITUDE, LATITUDE):
        axes = (shapely.get_x(shapes), shapely.get_y(shapes))
        places: list[list[Any]] = [[None if np.isnan(v) else v for v in axis.tolist()] for axis in axes]
    else:
        places = [[cell or None for cell in column] for column in placed(shapes, headers)]
        if any(cell and len(cell) > _CHARS for cell in places[0]):
            return titles, columns, (*remarks, "Contours trop longs pour Excel, absents : voir .gpkg ou .csv."), None
    return [*titles, *headers], [*columns, *places], remarks, DEGREES


def _cells(field: Field, values: list[Any]) -> list[Any]:
    """Return numbers as they are, everything else as safe French text."""
    if field.kind in {"integer", "number"}:
        return values
    return [cell or None for cell in written(field, values)]


def _fill(book: Workbook, title: str, rows: Iterable[Iterable[Any]]) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_text(sheet, cell) if isinstance(cell, str) else cell for cell in row])


def _text(sheet: Any, text: str) -> WriteOnlyCell:
    """Return a cell that is text whatever it begins with."""
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


def _fix(draft: Path, path: Path) -> None:
    """Pack the parts of a workbook again under one date: openpyxl stamps the hour of writing."""
    with zipfile.ZipFile(draft) as archive:
        parts: dict[str, Path | bytes] = {name: archive.read(name) for name in archive.namelist()}
    core = "docProps/core.xml"
    parts[core] = _without_hour(bytes(parts[core]))
    pack(parts, path)


def _without_hour(core: bytes) -> bytes:
    """Return the properties with the fixed date: saving sets the date of modification anew."""
    head, tag, rest = core.partition(b"<dcterms:modified")
    _, end, tail = rest.partition(b"</dcterms:modified>")
    return b"".join([head, tag, b' xsi:type="dcterms:W3CDTF">2000-01-01T00:00:00Z', end, tail])


def _require_same(layer: Layer, path: Path, rows: list[list[Any]]) -> None:
    """Refuse a workbook with a formula, or that does not give back the rows."""
    book = load_workbook(path, read_only=True)
    try:
        for sheet in book:
            if any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row):
                raise unlike(layer, f"formule dans la feuille {sheet.title}")
        found = [list(row) for row in book[DATA].iter_rows(values_only=True)]
    finally:
        book.close()
    for place, (one, other) in enumerate(zip(found, rows, strict=False)):
        # Blank cells at the end of a line are not in the file.
        if one + [None] * (len(other) - len(one)) != [_as_read(cell) for cell in other]:
            raise unlike(layer, f"ligne {place + 1} de la feuille")
    if len(found) != len(rows):
        raise unlike(layer, f"{len(found) - 1} lignes au lieu de {len(rows) - 1}")


def _as_read(cell: Any) -> Any:
    """Return a cell as it comes back: one end of line, and sixteen digits, one more than Excel shows."""
    if isinstance(cell, float):
        return float(f"{cell:.16g}")
    return cell.replace("\r\n", "\n").replace("\r", "\n") if isinstance(cell, str) else cell
