"""How are the minutes of a new crossing shared out?

A histogram of minutes gained, pair of facing places by pair: those for whom nothing changes stand in a bar of their
own, and a way where there was none is counted in words, because it has no number of minutes. Differences come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_qmi.charts.chart import Chart, empty, fixed
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Widths of a class that people can read, in minutes; at most this many classes.
_WIDTHS_MIN = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)
_MOST_CLASSES = 10
#: A gain below three seconds is none.
_LEAST_MIN = 0.05


@dataclass(frozen=True, slots=True)
class Histogram:
    """Classes (from, to, count) in minutes, how many do not change, and the median of those that do."""

    classes: tuple[tuple[float, float, int], ...]
    unchanged: int
    median_min: float


def minutes_gained(
    gained_min: pd.Series[float], *, linked: int = 0, unmeasured: int = 0, place: str = "", demo: bool = False
) -> Chart:
    """Return the distribution of minutes gained.

    Parameters
    ----------
    gained_min
        Minutes gained by each pair of facing places, never below 0, in the pairs measured before and after.
    linked
        Pairs that had no way before and have one now.
    unmeasured
        Pairs without a measure after either.
    place
        Name of the district.
    demo
        See `Chart`.

    Returns
    -------
    Chart
        Columns of its table: Minutes gagnées, Paires de lieux.

    Examples
    --------
    >>> minutes_gained(pd.Series([0.0, 1.0, 3.0]), linked=2).table["Paires de lieux"].tolist()
    [1, 0, 1, 0, 0, 0, 1, 2]
    """
    title = f"Minutes gagnées par le franchissement envisagé{f', {place}' if place else ''}"
    values = gained_min.dropna().to_numpy(dtype=float)
    total = len(values) + linked + unmeasured
    if not len(values) and not linked:
        return empty(title, "Aucune paire de lieux mesurée de part et d’autre : le gain est inconnu, il n’est pas nul.")
    moved = values[values >= _LEAST_MIN]
    classes = _classes(moved)
    unchanged = len(values) - len(moved)
    rows = [("0 (rien ne change)", unchanged), *((_between(low, high), n) for low, high, n in classes)]
    rows += [("chemin nouveau, sans minutes à comparer", linked)] if linked else []
    rows += [("non mesurées", unmeasured)] if unmeasured else []
    median = float(np.median(moved)) if len(moved) else float("nan")
    parts = [
        f"{counted(total, 'paire')} de lieux en vis-à-vis : {len(moved)} avec un gain, {unchanged} sans changement."
    ]
    if len(moved):
        parts.append(
            f"Parmi celles qui gagnent, la médiane est de {fixed(median, 1)} min et le plus grand gain de "
            f"{fixed(float(moved.max()), 1)} min."
        )
    if linked:
        parts.append(f"{counted(linked, 'paire')} sans chemin auparavant en ont un : cela ne se compte pas en minutes.")
    if unmeasured:
        parts.append(f"{counted(unmeasured, 'paire reste', 'paires restent')} sans mesure.")
    parts.append("Une paire de lieux n’est pas une personne.")
    told = " ".join(parts)
    return Chart(
        title=title,
        description=told,
        table=pd.DataFrame(rows, columns=["Minutes gagnées", "Paires de lieux"]),
        drawing=Histogram(tuple(classes), unchanged, median) if len(values) else None,
        credits=("marche recalculée dans cette étude, avant et après",),
        demo=demo,
        nothing="" if len(values) else told,
    )


def _classes(moved: NDArray[np.floating[Any]]) -> list[tuple[float, float, int]]:
    """Return equal classes from 0 that hold every value, upper bound included."""
    if not len(moved):
        return []
    most = float(moved.max())
    width = next((one for one in _WIDTHS_MIN if most <= one * _MOST_CLASSES), most / _MOST_CLASSES)
    n = max(1, int(np.ceil(round(most / width, 9))))
    held = np.clip(np.ceil(np.round(moved / width, 9)).astype(int) - 1, 0, n - 1)
    counts = np.bincount(held, minlength=n)
    return [(width * step, width * (step + 1), int(count)) for step, count in enumerate(counts)]


def _between(low: float, high: float) -> str:
    """Return a class in words."""
    first, last = (fixed(end, 0 if float(end).is_integer() else 1) for end in (low, high))
    return f"plus de {first}, jusqu’à {last}"
