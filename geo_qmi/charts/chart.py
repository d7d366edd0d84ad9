"""What does every chart carry besides its drawing?

Title, words, table and origin, whatever is drawn. It knows no colour and no paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo_qmi.maps import DEMO


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """A chart, ready for any medium.

    Attributes
    ----------
    title
        What is shown, with how many of what.
    description
        One French paragraph that says what the chart shows, figures included.
    table
        The same content as rows, with French headings.
    drawing
        What is drawn, as plain data of the module that built it; ``None`` when there is nothing.
    credits
        Where the facts are published (``document:lines``), or what they were computed from.
    demo
        Whether made-up rows are in it; the heading says so.
    nothing
        A sentence when there is nothing to draw; else empty.
    """

    title: str
    description: str
    table: pd.DataFrame
    drawing: Any = None
    credits: tuple[str, ...] = ()
    demo: bool = False
    nothing: str = ""

    @property
    def heading(self) -> str:
        """Return the title, with the mark of demonstration data."""
        return f"{self.title} – {DEMO}" if self.demo else self.title


def empty(title: str, sentence: str) -> Chart:
    """Return a chart with nothing in it, and the sentence that says why."""
    return Chart(title=title, description=sentence, table=pd.DataFrame(), nothing=sentence)


def fixed(value: float, digits: int = 2) -> str:
    """Return a number with a French comma and always the same number of decimals.

    Examples
    --------
    >>> fixed(0.5), fixed(12.34, 1)
    ('0,50', '12,3')
    """
    return f"{value:.{digits}f}".replace(".", ",")


def percent(share: float) -> str:
    """Return a share of 0–1 as whole percents; one that is neither none nor all is never written 0 or 100.

    Examples
    --------
    >>> [percent(share).replace("\N{NO-BREAK SPACE}", " ") for share in (0.254, 0.002, 0.998)]
    ['25 %', 'moins de 1 %', 'plus de 99 %']
    """
    known = "moins de 1" if 0 < share < 0.01 else "plus de 99" if 0.99 < share < 1 else f"{share * 100:.0f}"
    return f"{known}\N{NO-BREAK SPACE}%"
