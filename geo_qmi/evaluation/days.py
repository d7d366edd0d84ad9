"""Which of two published dates comes first, and how many months apart are they?

A date may be a day, a month, a year or an interval (`geo_qmi.schema.kinds.DATE_PATTERN`): it then falls between an
earliest and a latest day, and the order of two dates may be unknown. There is no clock here.
"""

from __future__ import annotations

import re
from functools import lru_cache

import pandas as pd

_DATE = re.compile(r"(\d{4}(?:-\d{2}){0,2})(?:/(\d{4}(?:-\d{2}){0,2}))?(?: \([^)]+\))?")
#: Mean length of a month of the Gregorian calendar.
_MONTH_DAYS = 30.436875


def span(date: object) -> tuple[int, int] | None:
    """Return the earliest and the latest day of a date, counted from 1970-01-01; nothing when it is no date.

    Examples
    --------
    >>> span("1970-01"), span("1970-01-02/1970-02 (environ)"), span("bientôt"), span("2026-13")
    ((0, 30), (1, 58), None, None)
    """
    return _span(date) if isinstance(date, str) else None


@lru_cache(maxsize=4096)
def _span(date: str) -> tuple[int, int] | None:
    found = _DATE.fullmatch(date)
    if found is None:
        return None
    try:
        first = pd.Period(found[1], freq=_step(found[1])).asfreq("D", how="start")
        last_text = found[2] or found[1]
        last = pd.Period(last_text, freq=_step(last_text)).asfreq("D", how="end")
    except ValueError:  # a thirteenth month
        return None
    return int(first.ordinal), int(last.ordinal)


def _step(text: str) -> str:
    return {4: "Y", 7: "M", 10: "D"}[len(text)]


def before(one: object, other: object) -> bool | None:
    """Tell whether `one` surely comes before `other`; ``None`` when the dates do not tell.

    Examples
    --------
    >>> before("2026-01", "2026-02-01"), before("2026-03-02", "2026-03-02"), before("2026", "2026-05-01")
    (True, False, None)
    """
    spans = span(one), span(other)
    if spans[0] is None or spans[1] is None:
        return None
    if spans[0][1] < spans[1][0]:
        return True
    return False if spans[0][0] >= spans[1][1] else None


def months(one: object, other: object) -> float | None:
    """Return the months from the earliest day of `one` to the latest of `other`, negative when it comes first.

    Examples
    --------
    >>> months("2026-01-01", "2026-12"), months("2026", "bientôt")
    (12.0, None)
    """
    spans = span(one), span(other)
    if spans[0] is None or spans[1] is None:
        return None
    return round((spans[1][1] - spans[0][0]) / _MONTH_DAYS, 1)


def season_gap(one: object, other: object) -> int | None:
    """Return how far apart two dates are in the year, 0 to 6 months; nothing unless both give a month.

    Examples
    --------
    >>> season_gap("2025-12-03", "2026-02"), season_gap("2025-01", "2026-07-14"), season_gap("2025", "2026-07")
    (2, 6, None)
    """
    found = [_DATE.fullmatch(date) if isinstance(date, str) else None for date in (one, other)]
    numbers = [int(date[1][5:7]) for date in found if date is not None and len(date[1]) > 4 and date[2] is None]
    if len(numbers) < 2:
        return None
    apart = abs(numbers[0] - numbers[1])
    return min(apart, 12 - apart)
