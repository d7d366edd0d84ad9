"""What do the sheets of an XLSX or ODS workbook hold?

Every sheet with at least a header row; numbers stay numbers, text stays text, dates become ISO text. The zip
directory is checked before anything is inflated, XML document types are refused, and the size counted is that of
the cells really met, not the one the sheet announces. Formulas are never computed: their last saved result is
read, and a formula without one is a defect. The old ``.xls`` is not read.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import TYPE_CHECKING, Any

from geo_qmi.errors import InputError, UnreadableError, shown
from geo_qmi.sources.archives import Archive
from geo_qmi.sources.limits import passed
from geo_qmi.sources.sheet import Cell, Sheet
from geo_qmi.sources.xml import local, parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

    from geo_qmi.sources.limits import Limits

_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)|<\0!\0(D\0O\0C|E\0N\0T)|\0<\0!\0(D\0O\0C|E\0N\0T)", re.IGNORECASE)
#: A formula cell with no saved result: what openpyxl and some web exports write.
_UNSAVED = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def parse_xlsx(data: bytes, *, file: str, limits: Limits) -> list[Sheet]:
    """Return one sheet per worksheet that has a header row.

    Returns
    -------
    list of Sheet
        Rows are spreadsheet lines (header = the first line with a cell in it).

    Raises
    ------
    UnreadableError, LimitError
        A damaged or hostile workbook; too many rows or columns really met.
    """
    archive = Archive(data, file=file, limits=limits)
    for name in archive.names:
        if name.endswith((".xml", ".rels")) and _DOCTYPE.search(archive.read(name)[:65536]):
            raise UnreadableError(
                f"« {file} », partie « {shown(name)} » : DOCTYPE ou entités XML, refusés par sécurité → "
                "enregistrez le classeur de nouveau avec un tableur."
            )
    try:
        sheets = list(_worksheets(data, archive, file=file, limits=limits))
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl lets any exception out of a damaged part
        raise UnreadableError(
            f"« {file} » : classeur abîmé ou incomplet ({shown(error) or type(error).__name__}) → "
            "ouvrez-le dans un tableur et enregistrez-le de nouveau."
        ) from None
    return _not_empty(sheets, file=file)


def _worksheets(data: bytes, archive: Archive, *, file: str, limits: Limits) -> Iterator[Sheet]:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for worksheet in book.worksheets:
        worksheet.reset_dimensions()
        sheet = Sheet(file, worksheet.title)
        rows = enumerate(worksheet.iter_rows(values_only=True), start=1)
        _fill(sheet, ((row, [_plain(cell) for cell in cells]) for row, cells in rows), limits=limits)
        part = worksheet._worksheet_path
        _tell_unsaved(sheet, archive.read(part) if archive.has(part) else b"")
        if worksheet.sheet_state != "visible":
            sheet.fault("cette feuille est masquée dans le classeur ; elle a été lue aussi", severity="warning")
        yield sheet
    book.close()


def _tell_unsaved(sheet: Sheet, part: bytes) -> None:
    kept = set(sheet.rows)
    for letters, line in _UNSAVED.findall(part):
        if int(line) in kept:
            place = _place(letters.decode())
            sheet.fault(
                "la formule n’a pas de résultat enregistré ; la cellule serait lue vide",
                "ouvrez le classeur dans un tableur et enregistrez-le, ou collez les valeurs",
                row=int(line),
                column=sheet.columns[place] if place < len(sheet.columns) else letters.decode(),
            )


def _place(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1


def _plain(cell: Any) -> Cell:
    if cell is None or isinstance(cell, bool | int | float):
        return cell
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def _fill(sheet: Sheet, lines: Iterable[tuple[int, list[Cell]]], *, limits: Limits) -> None:
    """Keep the lines that have a cell, the first as header; columns and rows are counted as they are met."""
    kept: list[list[Cell]] = []
    header: list[Cell] | None = None
    width = 0
    for row, cells in lines:
        while cells and (cells[-1] is None or (isinstance(cells[-1], str) and not cells[-1].strip())):
            cells.pop()
        if not cells:
            continue
        width = max(width, len(cells))
        limits.check_columns(width, file=sheet.file, layer=sheet.layer)
        if header is None:
            header = cells
            continue
        limits.check_rows(len(kept) + 1, file=sheet.file, layer=sheet.layer)
        sheet.rows.append(row)
        kept.append(cells)
    sheet.n_in = len(kept)
    names = ["" if name is None else str(name).strip() for name in header or []]
    sheet.columns = names + [""] * (width - len(names))
    sheet.values = [[cells[place] if place < len(cells) else None for cells in kept] for place in range(width)]


def _not_empty(sheets: list[Sheet], *, file: str) -> list[Sheet]:
    filled = [sheet for sheet in sheets if sheet.columns]
    if not filled:
        raise UnreadableError(f"« {file} » : aucune feuille n’a de ligne remplie → vérifiez l’export.")
    return [sheet.finish() for sheet in filled]


def parse_ods(data: bytes, *, file: str, limits: Limits) -> list[Sheet]:
    """Return one sheet per table of an OpenDocument workbook that has a header row.

    Returns
    -------
    list of Sheet
        As for `parse_xlsx`; text is read as typed, leading zeros included.
    """
    archive = Archive(data, file=file, limits=limits)
    if archive.has("META-INF/manifest.xml") and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise InputError(f"« {file} » est protégé par un mot de passe → enregistrez-le sans mot de passe.")
    if not archive.has("content.xml"):
        raise UnreadableError(f"« {file} » : classeur ODS incomplet (content.xml absent) → enregistrez-le de nouveau.")
    root = parse_xml(archive.read("content.xml"), file=file, limits=limits)
    sheets = []
    for table in root.iter(f"{_TABLE}table"):
        sheet = Sheet(file, table.get(f"{_TABLE}name") or "feuille")
        _fill(sheet, _ods_lines(table, sheet, limits=limits), limits=limits)
        sheets.append(sheet)
    return _not_empty(sheets, file=file)


def _ods_lines(table: Element, sheet: Sheet, *, limits: Limits) -> Iterator[tuple[int, list[Cell]]]:
    line = 1
    for element in table.iter(f"{_TABLE}table-row"):
        repeated = _repeat(element.get(f"{_TABLE}number-rows-repeated"))
        cells = _ods_cells(element, sheet, limits=limits)
        if cells:
            limits.check_rows(repeated, file=sheet.file, layer=sheet.layer)
            for copy in range(repeated):
                yield line + copy, list(cells)
        line += repeated


def _ods_cells(row: Element, sheet: Sheet, *, limits: Limits) -> list[Cell]:
    cells: list[Cell] = []
    pending = 0
    for element in row:
        if local(element) not in {"table-cell", "covered-table-cell"}:
            continue
        repeated = _repeat(element.get(f"{_TABLE}number-columns-repeated"))
        value = _ods_value(element)
        if value is None:
            pending += repeated
            continue
        met = len(cells) + pending + repeated
        if met > limits.columns:
            raise passed(sheet.file, "colonnes", met=met, limit=limits.columns, layer=sheet.layer)
        cells += [None] * pending + [value] * repeated
        pending = 0
    return cells


def _repeat(raw: str | None) -> int:
    return max(int(raw), 1) if raw and raw.isdecimal() and len(raw) < 9 else 1


def _ods_value(cell: Element) -> Cell:
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in {"float", "percentage", "currency"}:
        raw = cell.get(f"{_OFFICE}value") or ""
        try:
            number = float(raw)
        except ValueError:
            return raw or None
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") == "true"
    if kind in {"date", "time"}:
        return (cell.get(f"{_OFFICE}{kind}-value") or "").removesuffix("T00:00:00") or None
    paragraphs = ["".join(_ods_text(p)) for p in cell if p.tag in {f"{_TEXT}p", f"{_TEXT}h"}]
    return "\n".join(paragraphs) or None


def _ods_text(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        kind = local(child)
        if kind == "s":
            yield " " * min(_repeat(child.get(f"{_TEXT}c")), 1000)
        elif kind in {"tab", "line-break"}:
            yield "\t" if kind == "tab" else "\n"
        elif kind != "annotation":
            yield from _ods_text(child)
        yield child.tail or ""
