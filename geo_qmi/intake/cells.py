"""What does one cell mean, written the way French spreadsheets write it?

A cell becomes the value its column asks for, or a `Fault` that says what was expected. Decimal commas, spaces
between thousands, « oui », « 15/05/2026 » and French labels are understood; a unit glued to a number, a leading
zero lost by a spreadsheet or a day that does not exist is refused with the correction to make. Bounds, keys and
references are not checked here: the schema does it.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from geo_qmi.schema.kinds import DATE_PATTERN
from geo_qmi.vocabulary import fold
from geo_qmi.wording import MONTHS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandera.pandas as pa

Value = str | int | float | bool | None

_SPACE = "[ \u00a0\u2009\u202f]"
_NUMBER = re.compile(
    rf"[+-]?(?:\d{{1,3}}(?:{_SPACE}\d{{3}})+|\d+)(?:[.,]\d*)?(?:[eE][+-]?\d{{1,3}})?|[+-]?[.,]\d+", re.ASCII
)
_BOTH_MARKS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+|[+-]?\d{1,3}(?:,\d{3})+\.\d+", re.ASCII)
_ROUNDED = re.compile(r"\d[.,]?\d*[eE]\+?\d+", re.ASCII)
_FORMULA_ERRORS = frozenset(
    ("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#VALEUR!", "#NAME?", "#NOM?", "#NUM!", "#NOMBRE!", "#NULL!", "#NUL!")
)
_NOT_FINITE = frozenset(("nan", "inf", "infinity", "infini"))
_YES = frozenset(("oui", "o", "vrai", "true", "yes", "1", "x"))
_NO = frozenset(("non", "n", "faux", "false", "no", "0"))
_MONTHS = tuple(map(fold, MONTHS))
_MOMENT = "attendu : une date et une heure, AAAA-MM-JJThh:mm ou JJ/MM/AAAA hh:mm"
_FRENCH_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})", re.ASCII)
_TIME = re.compile(
    r"(?P<day>\S+)(?:T|[ \u00a0]+(?:à[ \u00a0]+)?)"
    r"(?P<hour>\d{1,2})[:hH](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"[ \u00a0]*(?P<offset>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
#: A spreadsheet counts days from here; the range covers 1954 to 2119.
_SPREADSHEET_ORIGIN = datetime(1899, 12, 30)
_SPREADSHEET_DAYS = range(20_000, 80_000)
#: Integers a float holds exactly: above, a spreadsheet has already rounded.
_EXACT = 2**53
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell cannot be taken, and what to write instead: two French phrases."""

    reason: str
    proposal: str = ""


_FORMULA = Fault("erreur de formule du tableur", "corrigez la formule, ou laissez la cellule vide si la valeur manque")
_UNBOUNDED = Fault("valeur non finie (NaN ou infini)", "laissez la cellule vide si la valeur manque")


def reader(spec: pa.Column) -> Callable[[Any], Value | Fault]:
    """Return the function that gives a cell its meaning in one column.

    Parameters
    ----------
    spec
        Column of `geo_qmi.schema`.

    Returns
    -------
    callable
        From a cell (``str``, ``int``, ``float``, ``bool`` or ``None``) to ``None`` when it is empty, a `Fault`, or
        the value: text, ``int``, ``float``, ``bool``, or ISO text for dates (local time, seconds at most).

    Examples
    --------
    >>> from geo_qmi.schema import columns
    >>> area = reader(columns("applications")["need_area_m2"])
    >>> area("1 234,5"), area("")
    (1234.5, None)
    >>> area("12 m²").proposal
    'écrivez 12 ; l’unité de la colonne est m²'
    """
    meaning = _meaning(spec)

    def read(cell: Any) -> Value | Fault:
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return None
        if isinstance(cell, str) and cell.strip() in _FORMULA_ERRORS:
            return _FORMULA
        if isinstance(cell, float) and not math.isfinite(cell):
            return _UNBOUNDED
        return meaning(cell)

    return read


def _meaning(spec: pa.Column) -> Callable[[Any], Value | Fault]:
    described = spec.metadata
    kind, unit = described["kind"], described["unit"]
    if described["choices"] is not None:
        return _code_reader(described["choices"], expected=str(spec.checks[0].error))
    if kind == "text":
        patterns = [check.statistics["pattern"] for check in spec.checks if "pattern" in (check.statistics or {})]
        identifier = bool(described["key"] or described["references"] or patterns)
        return _identifier_reader(patterns[0] if patterns else "") if identifier else _text
    if kind == "integer":
        return lambda cell: _integer(cell, unit)
    if kind == "number":
        return lambda cell: _number(cell, unit)
    return {"flag": _flag, "date": _date, "datetime": _datetime}[kind]


# Numbers and flags -----------------------------------------------------------------------------------------------


def _numeric(cell: Any, unit: str | None) -> int | float | Fault:
    if isinstance(cell, bool):
        return Fault("une case oui ou non à la place d’un nombre", "écrivez un nombre")
    if not isinstance(cell, str):
        return cell if isinstance(cell, int | float) else _not_a_number(str(cell), unit)
    text = cell.strip().replace("−", "-")
    share = text.endswith("%")
    plain = text.removesuffix("%").strip() if share else text
    if not _NUMBER.fullmatch(plain):
        return _not_a_number(text, unit)
    compact = re.sub(_SPACE, "", plain).replace(",", ".")
    number = int(compact) if re.fullmatch(r"[+-]?\d{1,18}", compact) else float(compact)
    if not share:
        return number
    if unit not in {None, "%"}:
        return Fault(f"pourcentage à la place d’une valeur en {unit}", f"écrivez la valeur en {unit}")
    return number if unit == "%" else number / 100


def _not_a_number(text: str, unit: str | None) -> Fault:
    if fold(text) in _NOT_FINITE:
        return _UNBOUNDED
    if _BOTH_MARKS.fullmatch(text):
        decimal = max(text.rfind(","), text.rfind("."))
        plain = re.sub(r"[.,]", "", text[:decimal])
        return Fault("nombre ambigu : point et virgule à la fois", f"écrivez {plain},{text[decimal + 1 :]}")
    head = _NUMBER.match(text)
    rest = text[head.end() :].strip() if head else ""
    if head and rest and not rest[0].isdigit():
        if unit and fold(rest) != fold(unit):
            return Fault(f"« {rest[:20]} » écrit après le nombre", f"écrivez seulement le nombre, en {unit}")
        column_unit = f" ; l’unité de la colonne est {unit}" if unit else ""
        return Fault(f"« {rest[:20]} » écrit après le nombre", f"écrivez {head[0].strip()}{column_unit}")
    return Fault("ce n’est pas un nombre", "écrivez un nombre, par exemple 12,5 ; laissez vide si la valeur manque")


def _number(cell: Any, unit: str | None) -> float | Fault:
    number = _numeric(cell, unit)
    if isinstance(number, Fault):
        return number
    try:
        number = float(number)
    except OverflowError:
        return _UNBOUNDED
    return number if math.isfinite(number) else _UNBOUNDED


def _integer(cell: Any, unit: str | None) -> int | Fault:
    number = _numeric(cell, unit)
    if isinstance(number, Fault):
        return number
    if isinstance(number, float):
        if not math.isfinite(number):
            return _UNBOUNDED
        if not number.is_integer():
            low = math.floor(number)
            return Fault("attendu : un nombre entier", f"arrondissez vous-même : {low} ou {low + 1}")
    if not -_INT64 <= number < _INT64:
        return Fault("nombre trop grand", "vérifiez le nombre de chiffres")
    return int(number)


def _flag(cell: Any) -> bool | Fault:
    if isinstance(cell, bool):
        return cell
    text = fold(f"{cell:g}" if isinstance(cell, float) else str(cell))
    if text in _YES:
        return True
    if text in _NO:
        return False
    return Fault("attendu : oui ou non", "écrivez oui ou non ; laissez vide si on ne sait pas")


# Text and codes --------------------------------------------------------------------------------------------------


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "oui" if cell else "non"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    return str(cell)


def _identifier_reader(pattern: str) -> Callable[[Any], Value | Fault]:
    matches = re.compile(pattern).match

    def read(cell: Any) -> str | Fault:
        text = unicodedata.normalize("NFC", _text(cell).strip())
        if not pattern or matches(text):
            return text
        compact = re.sub(_SPACE, "", text)
        if matches(compact):
            return compact
        if _ROUNDED.fullmatch(text):
            return Fault(
                "le tableur a arrondi ce numéro : ses derniers chiffres sont perdus",
                "mettez la colonne au format Texte et ressaisissez le numéro complet",
            )
        if compact.isascii() and compact.isdigit():
            for width in range(len(compact) + 1, len(compact) + 4):
                padded = compact.zfill(width)
                if matches(padded):
                    return Fault(
                        "trop court : le zéro initial a sans doute été perdu par le tableur",
                        f"mettez la colonne au format Texte et écrivez « {padded} » si c’est bien lui",
                    )
        return text

    return read


def _code_reader(choices: dict[str, str], *, expected: str) -> Callable[[Any], Value | Fault]:
    spellings: dict[str, str] = {}
    for spelling, code in [(code, code) for code in choices] + [(label, code) for code, label in choices.items()]:
        spellings.setdefault(fold(spelling), code)

    def read(cell: Any) -> str | Fault:
        folded = fold(_text(cell))
        if folded in spellings:
            return spellings[folded]
        near = difflib.get_close_matches(folded[:80], list(spellings), n=1, cutoff=0.7)
        if near:
            return Fault(expected, f"vouliez-vous « {choices[spellings[near[0]]]} » ?")
        return Fault(expected, "choisissez un de ces codes ou libellés")

    return read


# Dates -----------------------------------------------------------------------------------------------------------


def _date(cell: Any) -> str | Fault:
    if not isinstance(cell, str):
        return _counted_day(cell)
    text = cell.strip()
    timed = _TIME.fullmatch(text)
    if timed and not any(int(timed[part] or 0) for part in ("hour", "minute", "second")):
        text = timed["day"]
    french = _FRENCH_DAY.fullmatch(text)
    if french:
        return _french_day(french)
    if re.fullmatch(DATE_PATTERN, text, re.ASCII):
        parts = text.split(" (")[0].split("/")
        return text if all(_exists(part) for part in parts) else _no_such_day()
    month = re.fullmatch(r"(\d{1,2})/(\d{4})", text, re.ASCII)
    if month:
        return _checked(f"{month[2]}-{int(month[1]):02d}")
    return _named_month(text)


def _named_month(text: str) -> str | Fault:
    words = fold(text).split("_")
    months = [_MONTHS.index(word) + 1 for word in words if word in _MONTHS]
    if len(months) == 1 and re.fullmatch(r"\d{4}", words[-1]):
        if len(words) == 2:
            return _checked(f"{words[-1]}-{months[0]:02d}")
        day = words[0].removesuffix("er")
        if len(words) == 3 and re.fullmatch(r"\d{1,2}", day):
            return _checked(f"{words[-1]}-{months[0]:02d}-{int(day):02d}")
    if _TIME.fullmatch(text):
        return Fault("attendu : une date sans heure", "retirez l’heure")
    return Fault("attendu : une date JJ/MM/AAAA ou AAAA-MM-JJ", "corrigez la date")


def _french_day(found: re.Match[str]) -> str | Fault:
    day, month, year = found.groups()
    if len(year) == 2:
        return Fault("année sur deux chiffres", f"écrivez {day}/{month}/20{year} si c’est bien cette année")
    return _checked(f"{year}-{int(month):02d}-{int(day):02d}")


def _checked(iso: str) -> str | Fault:
    return iso if _exists(iso) else _no_such_day()


def _no_such_day() -> Fault:
    return Fault("ce jour n’existe pas au calendrier", "corrigez la date (jour, puis mois, puis année)")


def _exists(iso: str) -> bool:
    numbers = [int(part) for part in iso.split("-")]
    try:
        date(*[*numbers, 1, 1][:3])
    except ValueError:
        return False
    return True


def _counted_day(cell: Any) -> str | Fault:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return Fault("attendu : une date JJ/MM/AAAA ou AAAA-MM-JJ", "corrigez la date")
    if float(cell).is_integer() and 1000 <= cell <= 2200:
        return str(int(cell))
    if int(cell) in _SPREADSHEET_DAYS:
        day = _SPREADSHEET_ORIGIN + timedelta(days=int(cell))
        return Fault(
            "un nombre de jours du tableur à la place d’une date",
            f"mettez la colonne au format Date, ou écrivez {day:%d/%m/%Y} si c’est bien ce jour",
        )
    return Fault("attendu : une date JJ/MM/AAAA ou AAAA-MM-JJ", "corrigez la date")


def _datetime(cell: Any) -> str | Fault:
    if not isinstance(cell, str):
        day = _counted_day(cell)
        return Fault(_MOMENT, day.proposal if isinstance(day, Fault) else "ajoutez le jour et l’heure")
    found = _TIME.fullmatch(cell.strip())
    day = _date(found["day"] if found else cell)
    if isinstance(day, Fault):
        return day if found else Fault(_MOMENT, "corrigez la date et l’heure")
    if len(day) != len("2026-05-15"):
        return Fault(_MOMENT, "corrigez la date et l’heure")
    if found is None:
        return Fault("l’heure manque", f"écrivez la date et l’heure, par exemple {day}T10:30")
    return _moment(day, found)


def _moment(day: str, found: re.Match[str]) -> str | Fault:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return Fault("cette heure n’existe pas", "corrigez l’heure")
    offset = found["offset"] or ""
    if len(offset) == 5:
        offset = f"{offset[:3]}:{offset[3:]}"
    seconds = f":{second:02d}" if found["second"] else ""
    return f"{day}T{hour:02d}:{minute:02d}{seconds}{offset}"


# Official numbers ------------------------------------------------------------------------------------------------


def luhn(digits: str) -> bool:
    """Tell whether a SIREN or SIRET keeps its check digit (Luhn; La Poste's own rule for its establishments).

    Examples
    --------
    >>> luhn("732829320"), luhn("73282932000074"), luhn("73282932000075"), luhn("35600000049837")
    (True, True, False, True)
    """
    if not (digits.isascii() and digits.isdigit()):
        return False
    if len(digits) == 14 and digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0:
        return True
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
