"""Is this crossing open at that time of day?

Reads opening hours written the plain way: ``24/7``, ``05:00-01:15``, ``6h-13h, 14h-20h``. Hours that depend on the day
or the season are not read: they are *unknown*, and said so, never taken for open all day.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi.errors import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_TIME = re.compile(r"(\d{1,2})\s*(?:[:hH]\s*(\d{2})?)?")
_SPAN = re.compile(r"\s*(\d{1,2}(?:\s*[:hH]\s*\d{0,2})?)\s*[-–—]\s*(\d{1,2}(?:\s*[:hH]\s*\d{0,2})?)\s*")
_ALWAYS = {"24/7", "24h/24", "24/24", "00:00-24:00"}


def minutes_of(text: str) -> int:
    """Return a time of day in minutes since midnight.

    Raises
    ------
    InputError
        It is no time of day.

    Examples
    --------
    >>> minutes_of("23:30"), minutes_of("5h"), minutes_of("24:00")
    (1410, 300, 1440)
    """
    found = _TIME.fullmatch(text.strip())
    hours, minutes = (int(part or 0) for part in found.groups()) if found else (99, 0)
    if hours * 60 + minutes > 24 * 60 or minutes > 59:
        raise InputError(f"Heure illisible : « {shown(text)} ». Attendu HH:MM, par exemple 22:30.")
    return hours * 60 + minutes


def is_open(hours: Any, at_min: int) -> bool | None:
    """Return whether hours written in words hold a time of day; ``None`` when nobody knows.

    Parameters
    ----------
    hours
        Text of the column ``hours``, or missing.
    at_min
        Minutes since midnight; the closing minute is out.

    Examples
    --------
    >>> [is_open("05:00-01:15", minutes_of(at)) for at in ("12:00", "00:30", "03:00")]
    [True, True, False]
    >>> is_open("selon la saison", 0) is None
    True
    """
    if pd.isna(hours):
        return None
    text = str(hours).strip()
    if text in _ALWAYS:
        return True
    spans = [_SPAN.fullmatch(part) for part in re.split(r"[,;]| et ", text)]
    if not all(spans):
        return None
    found = False
    for span in filter(None, spans):
        try:
            start, end = (minutes_of(part) for part in span.groups())
        except InputError:
            return None
        found |= start <= at_min < end if start < end else at_min >= start or at_min < end
    return found


def open_at(hours: Iterable[Any], at: str) -> pd.Series:
    """Return whether each crossing is open at a time of day: yes, no, or missing when its hours are unknown.

    Raises
    ------
    InputError
        `at` is no time of day.
    """
    at_min = minutes_of(at) % (24 * 60)
    return pd.Series([is_open(one, at_min) for one in hours], dtype="boolean")
