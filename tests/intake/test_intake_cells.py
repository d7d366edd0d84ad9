"""Does a cell mean what a French spreadsheet means by it?"""

from __future__ import annotations

import math

import pytest

from geo_qmi.intake.cells import Fault, luhn, reader
from geo_qmi.schema.kinds import code, date, datetime, flag, integer, number, text
from geo_qmi.vocabulary import SESSION_KINDS

AREA = reader(number("Surface", "Surface.", unit="m²"))
SHARE = reader(number("Part", "Part."))
COUNT = reader(integer("Rang", "Rang."))
FLAG = reader(flag("Eau", "Eau."))
DATE = reader(date("Date", "Date."))
MOMENT = reader(datetime("Heure", "Heure."))
KIND = reader(code("Nature", "Nature.", SESSION_KINDS))
INSEE = reader(text("INSEE", "Code.", pattern=r"\d[0-9AB]\d{3}"))
SIRET = reader(text("SIRET", "Numéro.", pattern=r"\d{14}"))
WORDS = reader(text("Texte", "Texte."))
KEY = reader(text("Clé", "Clé.", key=True))


@pytest.mark.parametrize("cell", [None, "", "  ", "\u00a0", "\u202f \t"])
@pytest.mark.parametrize("read", [AREA, COUNT, FLAG, DATE, MOMENT, KIND, INSEE, WORDS])
def test_blank_is_missing_never_zero(read, cell):
    assert read(cell) is None


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12,5", 12.5),
        ("12.5", 12.5),
        (" 12 ", 12.0),
        ("1 234,5", 1234.5),
        ("1\u00a0234\u00a0567", 1234567.0),
        ("1\u202f234", 1234.0),
        ("−3,5", -3.5),
        (",5", 0.5),
        ("1,5E3", 1500.0),
        (7, 7.0),
        (0.25, 0.25),
    ],
)
def test_number_in_french(cell, value):
    assert AREA(cell) == value


def test_percentage_is_a_share():
    assert SHARE("12,5 %") == 0.125
    assert SHARE("100%") == 1.0
    assert AREA("12 %").reason == "pourcentage à la place d’une valeur en m²"


@pytest.mark.parametrize(
    ("cell", "reason", "proposal"),
    [
        ("12 m²", "« m² » écrit après le nombre", "écrivez 12 ; l’unité de la colonne est m²"),
        ("2 ha", "« ha » écrit après le nombre", "écrivez seulement le nombre, en m²"),
        ("1.234,5", "nombre ambigu : point et virgule à la fois", "écrivez 1234,5"),
        ("1,234.5", "nombre ambigu : point et virgule à la fois", "écrivez 1234,5"),
        ("12 34", "ce n’est pas un nombre", "écrivez un nombre, par exemple 12,5 ; laissez vide si la valeur manque"),
        ("env. 12", "ce n’est pas un nombre", "écrivez un nombre, par exemple 12,5 ; laissez vide si la valeur manque"),
        (True, "une case oui ou non à la place d’un nombre", "écrivez un nombre"),
        (
            "#DIV/0!",
            "erreur de formule du tableur",
            "corrigez la formule, ou laissez la cellule vide si la valeur manque",
        ),
        ("NaN", "valeur non finie (NaN ou infini)", "laissez la cellule vide si la valeur manque"),
        (math.nan, "valeur non finie (NaN ou infini)", "laissez la cellule vide si la valeur manque"),
        (math.inf, "valeur non finie (NaN ou infini)", "laissez la cellule vide si la valeur manque"),
        ("1E309", "valeur non finie (NaN ou infini)", "laissez la cellule vide si la valeur manque"),
    ],
)
def test_number_refused_with_a_proposal(cell, reason, proposal):
    assert AREA(cell) == Fault(reason, proposal)


def test_whole_numbers():
    assert COUNT("7,0") == 7
    assert type(COUNT("7,0")) is int
    assert COUNT("9007199254740993") == 9007199254740993  # one more than a float can hold
    assert COUNT("7,5") == Fault("attendu : un nombre entier", "arrondissez vous-même : 7 ou 8")
    assert COUNT(2**63).reason == "nombre trop grand"
    assert COUNT(10**400).reason == "nombre trop grand"
    assert AREA(10**400).reason == "valeur non finie (NaN ou infini)"


@pytest.mark.parametrize("cell", ["oui", "OUI", "vrai", "True", "1", "x", "X", True, 1, 1.0])
def test_yes(cell):
    assert FLAG(cell) is True


@pytest.mark.parametrize("cell", ["non", "Faux", "false", "0", False, 0, 0.0])
def test_no(cell):
    assert FLAG(cell) is False


def test_doubt_is_neither_yes_nor_no():
    assert FLAG("peut-être").reason == "attendu : oui ou non"


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("15/05/2026", "2026-05-15"),
        ("5/3/2026", "2026-03-05"),
        ("15-05-2026", "2026-05-15"),
        ("2026-05-15", "2026-05-15"),
        ("2026-05-15T00:00:00", "2026-05-15"),
        ("05/2026", "2026-05"),
        ("1er mai 2026", "2026-05-01"),
        ("15 août 2026", "2026-08-15"),
        ("décembre 2026", "2026-12"),
        ("2026", "2026"),
        (2026, "2026"),
        ("2023-06 (été)", "2023-06 (été)"),
        ("2022/2024", "2022/2024"),
    ],
)
def test_date(cell, iso):
    assert DATE(cell) == iso


@pytest.mark.parametrize(
    ("cell", "reason", "proposal"),
    [
        ("31/02/2026", "ce jour n’existe pas au calendrier", None),
        ("2026-13", "ce jour n’existe pas au calendrier", None),
        ("05/15/2026", "ce jour n’existe pas au calendrier", None),
        ("15/05/26", "année sur deux chiffres", "écrivez 15/05/2026 si c’est bien cette année"),
        ("15/05/2026 10:32", "attendu : une date sans heure", "retirez l’heure"),
        (46157, "un nombre de jours du tableur à la place d’une date", None),
        ("bientôt", "attendu : une date JJ/MM/AAAA ou AAAA-MM-JJ", None),
    ],
)
def test_date_refused(cell, reason, proposal):
    assert DATE(cell).reason == reason
    assert proposal is None or DATE(cell).proposal == proposal


def test_spreadsheet_serial_names_the_day():
    # 1 January 2000 is serial 36526 in every spreadsheet.
    assert "01/01/2000" in DATE(36526).proposal


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("15/05/2026 10:32", "2026-05-15T10:32"),
        ("15/05/2026 à 9h05", "2026-05-15T09:05"),
        ("2026-05-15T10:32:07", "2026-05-15T10:32:07"),
        ("2026-05-15 10:32:07.000", "2026-05-15T10:32:07"),
        ("2026-05-15T10:32:07Z", "2026-05-15T10:32:07Z"),
        ("2026-05-15T10:32+0200", "2026-05-15T10:32+02:00"),
    ],
)
def test_datetime(cell, iso):
    assert MOMENT(cell) == iso


def test_datetime_refused():
    assert MOMENT("15/05/2026").reason == "l’heure manque"
    assert MOMENT("15/05/2026 25:00").reason == "cette heure n’existe pas"
    assert MOMENT("31/02/2026 10:00").reason == "ce jour n’existe pas au calendrier"
    assert MOMENT("mai 2026").reason.startswith("attendu : une date et une heure")
    assert MOMENT(46157.5).reason.startswith("attendu : une date et une heure")


@pytest.mark.parametrize("cell", ["walk", "Walk", "marche sensible", "MARCHE SENSIBLE", "Marche  sensible"])
def test_code_by_code_or_label(cell):
    assert KIND(cell) == "walk"


def test_unknown_code_lists_the_codes_and_the_nearest():
    fault = KIND("marche sensibl")
    assert fault.reason.startswith("attendu : un code parmi walk (marche sensible)")
    assert fault.proposal == "vouliez-vous « marche sensible » ?"
    assert KIND("concert").proposal == "choisissez un de ces codes ou libellés"


def test_leading_zero_kept_and_its_loss_seen():
    assert INSEE("01004") == "01004"
    assert INSEE(93005) == "93005"
    assert INSEE(93005.0) == "93005"
    for cell in ("1004", 1004, 1004.0):
        assert INSEE(cell).reason == "trop court : le zéro initial a sans doute été perdu par le tableur"
        assert "« 01004 »" in INSEE(cell).proposal
    assert INSEE("Aulnay") == "Aulnay"  # the schema says what is expected


def test_long_number_rounded_by_the_spreadsheet():
    assert SIRET("732 829 320 00074") == "73282932000074"
    assert SIRET(73282932000074.0) == "73282932000074"
    for cell in ("7,32829E+13", "7.32829E+13"):
        assert SIRET(cell).reason == "le tableur a arrondi ce numéro : ses derniers chiffres sont perdus"
    assert "« 01234567890123 »" in SIRET(1234567890123).proposal


def test_text_is_left_as_written_and_identifiers_are_trimmed():
    assert WORDS("  e\u0301cole\n") == "  e\u0301cole\n"
    assert WORDS(12.0) == "12"
    assert WORDS(12.5) == "12.5"
    assert WORDS(True) == "oui"
    assert KEY(" e\u0301cole ") == "\u00e9cole"


def test_luhn():
    assert luhn("732829320")
    assert not luhn("732829321")
    assert luhn("73282932000074")
    assert luhn("35600000000048")  # La Poste, head office: the ordinary key
    assert luhn("35600000049837")  # one of its offices: digits sum to a multiple of five
    assert not luhn("35600000049838")
    assert not luhn("7328293200007X")
