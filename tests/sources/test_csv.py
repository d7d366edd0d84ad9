"""Tests of `geo_qmi.sources.tables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from geo_qmi.errors import LimitError, UnreadableError
from geo_qmi.sources.limits import Limits
from geo_qmi.sources.tables import parse_csv

if TYPE_CHECKING:
    from geo_qmi.sources.sheet import Sheet


def parse(content: str | bytes, *, limits: Limits = Limits()) -> Sheet:  # noqa: B008 - frozen
    data = content.encode() if isinstance(content, str) else content
    return parse_csv(data, file="sites.csv", layer="sites", limits=limits)


def test_cells_stay_text_and_empty_is_none() -> None:
    sheet = parse("siret;valeur\n01234;2,5\n;=1+1\n")
    assert sheet.columns == ["siret", "valeur"]
    assert sheet.values == [["01234", None], ["2,5", "=1+1"]]
    assert (sheet.rows, sheet.n_in, sheet.defects, sheet.geometry) == ([2, 3], 2, [], None)


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_finds_the_separator(separator: str) -> None:
    sheet = parse(f"nom{separator}lieu\nA{separator}Orly\n")
    assert sheet.values == [["A"], ["Orly"]]


def test_decimal_commas_do_not_hide_the_semicolon() -> None:
    assert parse("lon;lat\n2,35;48,85\n2,36;48,86\n").values == [["2,35", "2,36"], ["48,85", "48,86"]]


def test_sep_line_is_not_a_spreadsheet_row() -> None:
    sheet = parse("sep=|\na|b;c\n1|2\n")
    assert (sheet.columns, sheet.rows) == (["a", "b;c"], [2])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_accents_survive_every_encoding(encoding: str) -> None:
    assert parse("nom;lieu\nélan;Créteil\n".encode(encoding)).values == [["élan"], ["Créteil"]]


def test_windows_encoding_is_said() -> None:
    (defect,) = parse("nom\nélan\n".encode("cp1252")).defects
    assert (defect.severity, defect.file) == ("warning", "sites.csv")
    assert "Windows-1252" in defect.reason


def test_a_bad_byte_in_utf8_is_replaced_and_reported() -> None:
    sheet = parse("a;b\né;à\nè;ù\n".encode() + b"x\xff;1\n")
    assert sheet.values[0] == ["é", "è", "x\N{REPLACEMENT CHARACTER}"]
    assert [(d.row, d.field, d.severity) for d in sheet.defects] == [(4, "a", "warning")]


def test_quoted_newline_is_one_spreadsheet_row() -> None:
    sheet = parse('a;b\n"x\ny";1\nz;2\n')
    assert (sheet.values[0], sheet.rows) == (["x\ny", "z"], [2, 3])


def test_too_many_cells_lose_the_row_with_an_error() -> None:
    sheet = parse("a;b\n1;2;3\n4;5;;\n")
    assert (sheet.rows, sheet.n_in) == ([3], 2)
    (defect,) = sheet.defects
    assert (defect.severity, defect.row, defect.value) == ("error", 2, "1;2;3")


def test_too_few_cells_are_filled_with_a_warning() -> None:
    sheet = parse("a;b;c\n1\n")
    assert sheet.values == [["1"], [None], [None]]
    assert [(d.severity, d.row) for d in sheet.defects] == [("warning", 2)]


def test_a_quoted_newline_before_an_empty_last_cell_is_one_row() -> None:
    sheet = parse('a;b;c\r\n1;"deux\r\nlignes";\r\n2;y;z\r\n')
    assert sheet.values == [["1", "2"], ["deux\r\nlignes", "y"], [None, "z"]]
    assert (sheet.n_in, sheet.defects) == (2, [])


def test_a_quote_never_closed_costs_one_row() -> None:
    sheet = parse('a;b\n1;2\n"x;3\n4;5\n6;7\n')
    assert (sheet.rows, sheet.n_in) == ([2, 4, 5], 4)
    assert [(d.severity, d.row) for d in sheet.defects] == [("error", 3)]


def test_names_are_made_unique_and_said() -> None:
    sheet = parse("a;;a\n1;2;3\n")
    assert sheet.columns == ["a", "colonne 2", "a (2)"]
    assert [d.field for d in sheet.defects] == ["colonne 2", "a"]


def test_limits_are_inclusive() -> None:
    assert parse("a\n1\n2\n", limits=Limits(rows=2)).n_in == 2
    with pytest.raises(LimitError, match=r"« sites.csv » : 3 lignes au moins, la limite est de 2"):
        parse("a\n1\n2\n3\n", limits=Limits(rows=2))
    with pytest.raises(LimitError, match="3 colonnes au moins, la limite est de 2"):
        parse("a;b;c\n", limits=Limits(columns=2))


def test_nothing_but_blanks() -> None:
    with pytest.raises(UnreadableError, match=r"« sites.csv » ne contient que des lignes vides"):
        parse(";;\n\n")
