"""Tests of `geo_qmi.sources.spreadsheets`."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

from geo_qmi.errors import LimitError
from geo_qmi.sources.limits import Limits
from geo_qmi.sources.spreadsheets import parse_xlsx

if TYPE_CHECKING:
    from geo_qmi.sources.sheet import Sheet


def parse(book: openpyxl.Workbook, *, limits: Limits = Limits()) -> list[Sheet]:  # noqa: B008 - frozen
    out = io.BytesIO()
    book.save(out)
    return parse_xlsx(out.getvalue(), file="a.xlsx", limits=limits)


@pytest.fixture
def book() -> openpyxl.Workbook:
    return openpyxl.Workbook()


def test_types_blank_lines_and_row_numbers(book: openpyxl.Workbook) -> None:
    book.active.append(["siret", "n", "jour", "heure", "vrai"])
    book.active.append(["01234", 1.5, dt.datetime(2024, 5, 3), dt.datetime(2024, 5, 3, 10, 30), True])
    book.active.append([])
    book.active.append(["00056", 2, None, None, False])
    (sheet,) = parse(book)
    assert (sheet.rows, sheet.n_in) == ([2, 4], 2)
    assert sheet.values == [
        ["01234", "00056"],
        [1.5, 2],
        ["2024-05-03", None],
        ["2024-05-03T10:30:00", None],
        [True, False],
    ]


def test_every_sheet_hidden_ones_with_a_warning(book: openpyxl.Workbook) -> None:
    book.active.append(["a"])
    book.create_sheet("vide")
    hidden = book.create_sheet("cachée")
    hidden.append(["b"])
    hidden.sheet_state = "hidden"
    sheets = parse(book)
    assert [sheet.layer for sheet in sheets] == ["Sheet", "cachée"]
    assert [d.severity for d in sheets[1].defects] == ["warning"]


def test_a_value_without_header_keeps_its_column(book: openpyxl.Workbook) -> None:
    book.active.append(["a"])
    book.active.append([1, 2])
    (sheet,) = parse(book)
    assert (sheet.columns, sheet.values) == (["a", "colonne 2"], [[1], [2]])
    assert [d.field for d in sheet.defects] == ["colonne 2"]


def test_a_formula_never_computed_is_an_error(book: openpyxl.Workbook) -> None:
    book.active.append(["a", "double"])
    book.active.append([1, "=A2*2"])
    (sheet,) = parse(book)
    assert [(d.severity, d.row, d.field) for d in sheet.defects] == [("error", 2, "double")]


def test_columns_count_where_cells_are(book: openpyxl.Workbook) -> None:
    book.active.append(["a"])
    book.active.cell(2, 501, "loin")
    with pytest.raises(LimitError, match="501 colonnes au moins, la limite est de 500"):
        parse(book)
    book.active.cell(2, 501).value = None
    assert parse(book)[0].columns == ["a"]
