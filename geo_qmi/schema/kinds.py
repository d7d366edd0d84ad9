"""How is a column described once, for checking, labelling, mapping and publishing?

Thin constructors of `pandera.pandas.Column`: the kind, unit, bounds, choices, key, foreign key, audience, French
label and French aliases of a column all live in the pandera object itself (``title``, ``description``, ``checks``
and ``metadata``). No other schema language exists; nothing here knows a table.
"""

from __future__ import annotations

from typing import Any, Literal

import pandera.pandas as pa

from geo_qmi.vocabulary import fold

Kind = Literal["text", "integer", "number", "flag", "date", "datetime"]

#: pandas dtype of each kind. Dates stay ISO text: published dates are often a year, a month or a season.
DTYPES: dict[str, Any] = {
    "text": "str",
    "integer": "Int64",
    "number": "float64",
    "flag": "boolean",
    "date": "str",
    "datetime": "str",
}

#: A year, a month, a day, an interval of years, or a year with a season or an approximation between brackets.
DATE_PATTERN = r"\d{4}(-\d{2}(-\d{2})?)?(/\d{4}(-\d{2}(-\d{2})?)?)?( \([^)]+\))?"
DATETIME_PATTERN = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?"


def _column(
    kind: Kind,
    title: str,
    description: str,
    *,
    checks: list[pa.Check],
    options: dict[str, Any],
) -> pa.Column:
    """Assemble the pandera column shared by every constructor."""
    key = bool(options.pop("key", False))
    nullable = bool(options.pop("nullable", False)) and not key
    aliases = tuple(fold(alias) for alias in (title, *options.pop("aliases", ())))
    metadata = {
        "kind": kind,
        "key": key,
        "unit": options.pop("unit", None),
        "references": options.pop("references", None),
        "private": bool(options.pop("private", False)),
        "choices": options.pop("choices", None),
        "aliases": aliases,
        "default": options.pop("default", None),
    }
    if options:
        raise TypeError(f"unknown column options: {sorted(options)}")
    return pa.Column(
        DTYPES[kind],
        checks=checks,
        nullable=nullable,
        unique=key,
        title=title,
        description=description,
        metadata=metadata,
    )


def text(title: str, description: str, *, pattern: str | None = None, hint: str = "", **options: Any) -> pa.Column:
    """Return a column of text; `pattern` must match the whole value and `hint` says it in French."""
    checks = []
    if pattern is not None:
        expected = hint or f"un texte de la forme {pattern}"
        checks.append(pa.Check.str_matches(rf"^(?:{pattern})$", error=f"attendu : {expected}"))
    return _column("text", title, description, checks=checks, options=options)


def code(title: str, description: str, choices: dict[str, str], **options: Any) -> pa.Column:
    """Return a column holding a code of a vocabulary of `geo_qmi.vocabulary`."""
    words = ", ".join(f"{key} ({label})" for key, label in choices.items())
    check = pa.Check.isin(list(choices), error=f"attendu : un code parmi {words}")
    return _column("text", title, description, checks=[check], options={**options, "choices": choices})


def integer(
    title: str, description: str, *, low: int | None = None, high: int | None = None, **options: Any
) -> pa.Column:
    """Return a column of whole numbers between `low` and `high`, both allowed."""
    return _column("integer", title, description, checks=_bounds(low, high, "un nombre entier"), options=options)


def number(
    title: str, description: str, *, low: float | None = None, high: float | None = None, **options: Any
) -> pa.Column:
    """Return a column of decimal numbers between `low` and `high`, both allowed; infinities are refused."""
    finite = pa.Check(lambda s: s.abs() != float("inf"), name="finite", error="attendu : un nombre fini")
    return _column("number", title, description, checks=[finite, *_bounds(low, high, "un nombre")], options=options)


def flag(title: str, description: str, **options: Any) -> pa.Column:
    """Return a column of yes or no."""
    return _column("flag", title, description, checks=[], options=options)


def date(title: str, description: str, **options: Any) -> pa.Column:
    """Return a column of ISO dates kept as text: year, month, day or interval."""
    expected = "une date AAAA, AAAA-MM ou AAAA-MM-JJ (précision entre parenthèses admise)"
    check = pa.Check.str_matches(rf"^(?:{DATE_PATTERN})$", error=f"attendu : {expected}")
    return _column("date", title, description, checks=[check], options=options)


def datetime(title: str, description: str, **options: Any) -> pa.Column:
    """Return a column of ISO date and time kept as text, local time of Paris where no offset is given."""
    check = pa.Check.str_matches(rf"^(?:{DATETIME_PATTERN})$", error="attendu : une date et une heure AAAA-MM-JJThh:mm")
    return _column("datetime", title, description, checks=[check], options=options)


def _bounds(low: float | None, high: float | None, noun: str) -> list[pa.Check]:
    """Return the range check of a numeric column, worded for the reader, or nothing."""
    if low is None and high is None:
        return []
    if low is not None and high is not None:
        return [pa.Check.in_range(low, high, error=f"attendu : {noun} entre {low} et {high}")]
    if low is not None:
        return [pa.Check.ge(low, error=f"attendu : {noun} supérieur ou égal à {low}")]
    return [pa.Check.le(high, error=f"attendu : {noun} inférieur ou égal à {high}")]
