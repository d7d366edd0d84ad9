"""Of how many, how many are left at each step?

Each step is written « a/b »: b is the last step whose count is published. A step nobody published is drawn as an empty
dashed bar and said, never guessed from its neighbours. No rate is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi.charts.chart import Chart, empty
from geo_qmi.maps import words

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What is written where no document gives a count.
UNPUBLISHED = "non publié"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel.

    Attributes
    ----------
    label
        French words for what is counted, in the plural (« retenus »).
    count
        How many; ``None`` where nobody published it.
    note
        What the reader must know of this count: who did not answer, what is not known.
    source
        ``document:lines``, or what was counted.
    """

    label: str
    count: int | None
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One step as drawn: its words, the a/b written on it, its count if known, its note."""

    label: str
    text: str
    count: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Funnel:
    """Bars from wide to narrow, and the count of the widest."""

    bars: tuple[Bar, ...]
    widest: int


def funnel(steps: Sequence[Step], *, title: str, credits: Sequence[str] = (), demo: bool = False) -> Chart:  # noqa: A002 - the attribute of `Chart`
    """Return the funnel of published counts.

    Parameters
    ----------
    steps
        From wide to narrow.
    title, credits, demo
        See `Chart`.

    Returns
    -------
    Chart
        Columns of its table: Étape, Nombre, Sur, De quoi, Remarque, Source.

    Examples
    --------
    >>> drawn = funnel([Step("candidatures", 168), Step("nommés", None), Step("retenus", 30)], title="Projets")
    >>> print(drawn.description)
    Projets. 168 candidatures ; nommés : non publié ; 30/168 retenus. Un nombre non publié n’est pas un zéro.
    """
    known = [step for step in steps if step.count is not None]
    if not known:
        return empty(title, f"{title} : aucun nombre publié dans cette étude, donc aucun entonnoir.")
    bars: list[Bar] = []
    rows: list[dict[str, str | int | None]] = []
    before: Step | None = None
    for step in steps:
        bars.append(Bar(step.label, _text(step, before), step.count, step.note))
        sure = step.count is not None
        rows.append(
            {
                "Étape": step.label,
                "Nombre": words(step.count) if sure else UNPUBLISHED,
                "Sur": before.count if before and sure else None,
                "De quoi": before.label if before and sure else None,
                "Remarque": step.note or None,
                "Source": step.source or None,
            }
        )
        before = step if sure else before
    told = [f"{bar.text} {bar.label}" if bar.count is not None else f"{bar.label} : {bar.text}" for bar in bars]
    notes = " ".join(f"{bar.label.capitalize()} : {bar.note}." for bar in bars if bar.note)
    missing = "Un nombre non publié n’est pas un zéro." if len(known) < len(steps) else ""
    return Chart(
        title=title,
        description=" ".join(part for part in (f"{title}. {' ; '.join(told)}.", notes, missing) if part),
        table=pd.DataFrame(rows).astype({"Sur": "Int64"}),
        drawing=Funnel(tuple(bars), max(step.count or 0 for step in known)),
        credits=tuple(credits),
        demo=demo,
    )


def _text(step: Step, before: Step | None) -> str:
    """Return what is written on a bar."""
    if step.count is None:
        return UNPUBLISHED
    return words(step.count) if before is None else f"{words(step.count)}/{words(before.count)}"
