"""What does a CSV file hold, whatever program wrote it?

Finds the encoding and the separator, keeps every cell as text (``01234`` stays ``01234``, ``2,5`` stays ``2,5``)
and reports each row whose cells cannot be given to a column. Longitudes, WKT and numbers are not interpreted.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from typing import TYPE_CHECKING

from geo_qmi.errors import UnreadableError
from geo_qmi.sources import text
from geo_qmi.sources.sheet import Cell, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo_qmi.sources.limits import Limits

_SEPARATORS = ";\t,|"
_SAMPLE_LINES = 60
_SEP_LINE = re.compile(r"\s*\"?sep=([;,|\t: ])\"?\s*$", re.IGNORECASE)
#: A quoted cell over more lines than this, in a row of the wrong width, is a quote that was never closed.
_LONGEST_CELL_LINES = 20


def parse_csv(data: bytes, *, file: str, layer: str, limits: Limits) -> Sheet:
    """Return the rows of a delimited text file.

    Parameters
    ----------
    data
        The whole file.
    file, layer
        Names used in messages and kept in the sheet.

    Returns
    -------
    Sheet
        Rows are the lines a spreadsheet shows (header = 1). Cells are text, or ``None`` where empty.

    Raises
    ------
    UnreadableError
        Nothing but blanks, or bytes that are not text.
    LimitError
        Too many rows or columns.
    """
    content, encoding = text.decode(data)
    sheet = Sheet(file, layer)
    if encoding == "cp1252":
        sheet.fault(
            "le fichier n’est pas en UTF-8 ; il a été lu en Windows-1252",
            "vérifiez les accents, ou enregistrez-le en « CSV UTF-8 »",
            severity="warning",
        )
    lines = list(io.StringIO(content, newline=""))
    separator = _SEP_LINE.match(lines[0]) if lines else None
    if separator:
        lines = lines[1:]
    csv.field_size_limit(min(sys.maxsize, limits.file_bytes))
    delimiter = separator[1] if separator else _separator(lines)
    records = [
        record for record in _records(lines, sheet, delimiter=delimiter) if any(cell.strip() for cell in record[1])
    ]
    if not records:
        raise UnreadableError(f"« {file} » ne contient que des lignes vides → vérifiez l’export.")
    header_row, header = records[0]
    _fill(sheet, records[1:], header=header, limits=limits)
    if header_row > 1:
        sheet.fault(
            f"les noms de colonnes ont été lus ligne {header_row} : les lignes au-dessus sont vides",
            row=header_row,
            severity="warning",
        )
    return sheet.finish()


def _separator(lines: list[str]) -> str:
    """Return the separator under which the first records have the most even, then the largest, width."""
    best, best_score = ";", (0.0, 0)
    for candidate in _SEPARATORS:
        rows = [row for row in csv.reader(lines[:_SAMPLE_LINES], delimiter=candidate) if any(row)]
        if not rows or len(rows[0]) < 2:
            continue
        even = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        if (round(even, 1), len(rows[0])) > best_score:
            best, best_score = candidate, (round(even, 1), len(rows[0]))
    return best


def _records(lines: list[str], sheet: Sheet, *, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (spreadsheet row, cells); a quote that is never closed costs one record, not the rest of the file."""
    start, row, width = 0, 0, 0
    while start < len(lines):
        reader = csv.reader(lines[start:], delimiter=delimiter)
        done = 0
        for cells in reader:
            row += 1
            span = reader.line_num - done
            if span > 1 and _swallowed(
                lines[start + done : start + reader.line_num], cells, delimiter=delimiter, width=width
            ):
                sheet.n_in += 1
                sheet.fault(
                    "un guillemet ouvert n’est pas refermé ; cette ligne n’a pas pu être lue",
                    "refermez ou retirez le guillemet",
                    row=row,
                    value=lines[start + done],
                )
                break
            done = reader.line_num
            width = width or len(cells)
            yield row, cells
        else:
            return
        start += done + 1


def _swallowed(lines: list[str], cells: list[str], *, delimiter: str, width: int) -> bool:
    if width and len(cells) != width and len(lines) > _LONGEST_CELL_LINES:
        return True
    # A closing quote added to an open cell closes it, and the next line is a record of its own; added to a complete
    # record it shows up as text, or opens a cell that takes the next line in.
    last = lines[-1].rstrip("\r\n")
    closed = list(csv.reader([*lines[:-1], f'{last}"\n', "next"], delimiter=delimiter))
    return len(closed) == 2 and closed[0][-1].rstrip("\r\n") == cells[-1].rstrip("\r\n")


def _fill(sheet: Sheet, records: list[tuple[int, list[str]]], *, header: list[str], limits: Limits) -> None:
    limits.check_rows(len(records), file=sheet.file)
    used = [place for place, name in enumerate(header) if name.strip()]
    width = len(header)
    while width > used[-1] + 1 and not any(len(cells) >= width and cells[width - 1].strip() for _, cells in records):
        width -= 1
    limits.check_columns(width, file=sheet.file)
    kept: list[list[str]] = []
    for row, cells in records:
        sheet.n_in += 1
        if any(cell.strip() for cell in cells[width:]):
            sheet.fault(
                f"la ligne a {len(cells)} cellules pour {width} colonnes ; on ne sait pas laquelle est de trop",
                "entourez de guillemets le texte qui contient le séparateur",
                row=row,
                value=";".join(cells),
            )
            continue
        if len(cells) < width:
            sheet.fault(
                f"la ligne n’a que {len(cells)} cellules pour {width} colonnes ; les suivantes sont laissées vides",
                "complétez la ligne",
                row=row,
                value=";".join(cells),
                severity="warning",
            )
        sheet.rows.append(row)
        kept.append(cells + [""] * (width - len(cells)) if len(cells) < width else cells[:width])
    sheet.columns = [name.strip() for name in header[:width]]
    columns: list[list[Cell]] = [[cell or None for cell in column] for column in zip(*kept, strict=True)]
    sheet.values = columns or [[] for _ in sheet.columns]
