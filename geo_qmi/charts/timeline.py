"""What happened when, and how long could each project be watched?

Published dates as they are: a day or a month is a mark, a year or a season is a hatched stretch (somewhere in it), an
interval is a bar. After each deployment a window of eighteen months is drawn; where the deployment is known to the
season only, both ends are hatched. What has no date is listed and never drawn. The window is arithmetic on a published
date, not a fact: nothing here says that a project was watched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from geo_qmi.charts.chart import Chart, empty
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Months of an experimentation (001:L1376).
WINDOW_MONTHS = 18
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:/(\d{4})(?:-(\d{2}))?(?:-\d{2})?)?(?: \(([^)]+)\))?")
#: First month and number of months of the seasons a year may carry; winter straddles two years and stays the year.
_SEASONS = {"printemps": (3, 3), "été": (6, 3), "automne": (9, 3)}
_MONTHS = ("janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")


class Stretch(NamedTuple):
    """A date as months since year 0: from, to, and whether it fills them (else it lies somewhere in them)."""

    first: float
    last: float
    fills: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the drawing: words, published date, its stretch, and whether a window follows it."""

    label: str
    when: str
    at: Stretch
    window: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lines in order of date, length of windows in months, a closing date, and what has no date."""

    lines: tuple[Line, ...]
    window_months: int
    closing: tuple[str, Stretch] | None
    undated: tuple[str, ...]


def stretch(text: object) -> Stretch | None:
    """Return a published date as months, or ``None`` when it is none.

    Examples
    --------
    >>> [stretch(text) for text in ("2024-05", "2024 (été)", "2023/2025", None)]  # doctest: +NORMALIZE_WHITESPACE
    [Stretch(first=24292.0, last=24293.0, fills=True), Stretch(first=24293.0, last=24296.0, fills=False),
     Stretch(first=24276.0, last=24312.0, fills=True), None]
    """
    found = _DATE.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    year, month, day, end_year, end_month, word = found.groups()
    start = 12.0 * int(year) + (int(month) - 1 if month else 0)
    if end_year:
        end = 12.0 * int(end_year) + (int(end_month) if end_month else 12)
        return Stretch(start, end, fills=True)
    if day:
        return Stretch(start + (int(day) - 1) / 31, start + int(day) / 31, fills=True)
    if month:
        return Stretch(start, start + 1, fills=True)
    if word in _SEASONS:
        first, length = _SEASONS[word]
        return Stretch(start + first - 1, start + first - 1 + length, fills=False)
    return Stretch(start, start + 12, fills=False)


def timeline(
    events: pd.DataFrame,
    *,
    deployments: pd.DataFrame,
    title: str,
    closing: tuple[str, str] | None = None,
    window_months: int = WINDOW_MONTHS,
    credits: Sequence[str] = (),  # noqa: A002 - the attribute of `Chart`
    demo: bool = False,
) -> Chart:
    """Return dated events, and the window that follows each dated deployment.

    Parameters
    ----------
    events, deployments
        ``label``, ``date`` (as published; may be missing), ``source``.
    title, credits, demo
        See `Chart`.
    closing
        Words and date of the end of the programme, drawn as a line across.
    window_months
        Length of the windows.

    Returns
    -------
    Chart
        Columns of its table: Quoi, Date publiée, Fenêtre de *n* mois, Source; those without a date last.
    """
    window = f"Fenêtre de {window_months} mois"
    lines, rows, undated = [], [], []
    for frame, opens in ((events, False), (deployments, True)):
        for label, when, source in zip(frame["label"], frame["date"], frame["source"], strict=True):
            at = stretch(when)
            if at is None:
                undated.append(str(label))
            else:
                lines.append(Line(str(label), str(when), at, opens))
            span = _window(at, window_months) if at is not None and opens else None
            rows.append((at, {"Quoi": label, "Date publiée": when if at else None, window: span, "Source": source}))
    if not lines:
        return empty(title, f"{title} : aucune date publiée dans cette étude, donc rien à dessiner.")
    lines.sort(key=lambda line: (line.window, line.at.first, line.label))
    rows.sort(key=lambda row: (row[0] is None, row[0].first if row[0] else 0.0, str(row[1]["Quoi"])))
    at = stretch(closing[1]) if closing else None
    end = (closing[0], at) if closing and at else None
    return Chart(
        title=title,
        description=_told(lines, undated, closing=end, window_months=window_months),
        table=pd.DataFrame([row for _, row in rows]),
        drawing=Timeline(tuple(lines), window_months, end, tuple(undated)),
        credits=tuple(credits),
        demo=demo,
    )


def month_words(month: float) -> str:
    """Return a count of months as French words.

    Examples
    --------
    >>> month_words(24292.0)
    'mai 2024'
    """
    return f"{_MONTHS[int(month) % 12]} {int(month) // 12}"


def _window(at: Stretch, months: int) -> str:
    """Return the months between which the window of a deployment lies."""
    first, last = (month_words(month) for month in (at.first, at.first if at.fills else at.last - 1))
    start, stop = (month_words(month + months) for month in (at.first, at.first if at.fills else at.last - 1))
    if first == last:
        return f"{first} à {start}"
    return f"entre {first} et {last}, jusqu’à {start} au plus tôt, {stop} au plus tard"


def _told(lines: list[Line], undated: list[str], *, closing: tuple[str, Stretch] | None, window_months: int) -> str:
    """Return the paragraph."""
    events = [line for line in lines if not line.window]
    opened = [line for line in lines if line.window]
    parts = []
    if events:
        last = max(events, key=lambda line: line.at.last)
        parts.append(
            f"{counted(len(events), 'évènement daté', 'évènements datés')}, de {month_words(events[0].at.first)} "
            f"à {month_words(last.at.last - 0.01)}."
        )
    if opened:
        said = " ; ".join(f"{line.label}, {_window(line.at, window_months)}" for line in opened)
        parts.append(
            f"{counted(len(opened), 'déploiement daté', 'déploiements datés')} avec {window_months} mois à la suite : "
            f"{said}. C’est un calcul sur une date publiée : il ne dit pas qu’une mesure a eu lieu."
        )
    if closing:
        parts.append(f"{closing[0]} : {month_words(closing[1].first)}.")
    if undated:
        parts.append(f"Sans date publiée, donc listés et non dessinés : {len(undated)}.")
    return " ".join(parts)
