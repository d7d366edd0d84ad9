"""On what is a chart drawn?

A sheet counted in millimetres from its upper left corner, as wide as a report's column and as tall as what is put on
it: marks are kept until the height is known, then drawn with the pen of `geo_qmi.plate.ink`. It knows no chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from geo_qmi.maps import INK, Style, hatch
from geo_qmi.plate import ink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Width of a chart, its margin, and the size of its letters: read on a screen of a thousand pixels and in a report.
WIDTH_MM, MARGIN_MM, PT = 250.0, 4.0, 9.0
#: Height of a line of text beside the height of its letters.
_LEADING = 1.3
#: Height of capitals, as a share of the size of letters.
_CAPITALS = 0.73
GREY = "#4a4a4a"
#: Grounds on which white letters are read: below this luminance white has the better contrast.
_DARK = 0.179
#: Letters tried at most when a text is cut: more never fit.
_LONGEST = 600


class Board:
    """Marks on a sheet; `bottom` is the lowest point used so far."""

    def __init__(self) -> None:
        self.bottom = MARGIN_MM
        self._marks: list[Callable[[Axes, float], None]] = []

    def words(
        self, spot: tuple[float, float], text: str, *, pt: float = PT, bold: bool = False, colour: str = INK,
        align: str = "left",
    ) -> None:  # fmt: skip
        """Write one line; `spot` is its left, centre or right end, at half the height of capitals."""
        wide = ink.width_mm(text, pt=pt, bold=bold)
        left = spot[0] - wide * {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
        base = spot[1] + pt * ink.MM_PER_PT * _CAPITALS / 2
        self._reach(base + 1)
        self._marks.append(
            lambda axes, tall: ink.words(axes, (left, tall - base), text, pt=pt, bold=bold, colour=colour)
        )

    def lines(
        self, left: float, top: float, text: str, *, width: float, pt: float = PT, bold: bool = False,
        colour: str = INK,
    ) -> float:  # fmt: skip
        """Write a paragraph, and return where it ends."""
        step = pt * ink.MM_PER_PT * _LEADING
        for line in ink.wrapped(text, width, pt=pt, bold=bold):
            self.words((left, top + step / 2), line, pt=pt, bold=bold, colour=colour)
            top += step
        return top

    def box(
        self, place: Sequence[float], *, fill: str = "none", line: str = "none", width_mm: float = 0.2,
        hatched: bool = False,
    ) -> None:  # fmt: skip
        """Draw a rectangle given as ``left, top, width, height``; hatched where something is not known."""
        left, top, wide, high = place
        self._reach(top + high)

        def mark(axes: Axes, tall: float) -> None:
            down = tall - top - high
            ink.rectangle(axes, (left, down, wide, high), fill=fill, line=line, width_mm=width_mm)
            if hatched and wide > 0:
                drawn = hatch(shapely.box(left, down, left + wide, down + high), 1.4)
                ink.lines(axes, [drawn], colour=GREY, width_mm=0.16)

        self._marks.append(mark)

    def line(
        self, start: tuple[float, float], end: tuple[float, float], *, colour: str = GREY, width_mm: float = 0.2,
        dashed: bool = False,
    ) -> None:  # fmt: skip
        """Draw a straight line."""
        self._reach(max(start[1], end[1]))

        def mark(axes: Axes, tall: float) -> None:
            drawn = shapely.LineString([(start[0], tall - start[1]), (end[0], tall - end[1])])
            ink.lines(axes, [drawn], colour=colour, width_mm=width_mm, dashed=dashed)

        self._marks.append(mark)

    def area(
        self, corners: Sequence[tuple[float, float]], *, fill: str = "", line: str = "", opacity: float = 1.0
    ) -> None:
        """Draw a polygon."""

        def mark(axes: Axes, tall: float) -> None:
            shape = shapely.Polygon([(x, tall - y) for x, y in corners])
            ink.areas(axes, [shape], Style(fill=fill, line=line, opacity=opacity), size=1)

        self._reach(max(y for _, y in corners))
        self._marks.append(mark)

    def dot(self, spot: tuple[float, float], *, radius: float = 1.1, colour: str = INK) -> None:
        """Draw a filled diamond, which stays one in any width of line."""
        x, y = spot
        self.area([(x - radius, y), (x, y - radius), (x + radius, y), (x, y + radius)], fill=colour, line=colour)

    def ring(self, spot: tuple[float, float], *, colour: str = INK) -> None:
        """Draw a ring, white inside."""
        x, y = spot
        self._reach(y + 1.6)
        self._marks.append(
            lambda axes, tall: ink.signs(axes, [(x, tall - y)], Style(fill="#ffffff", line=colour), size=1.2)
        )

    def figure(self) -> Figure:
        """Return the sheet with everything on it."""
        tall = self.bottom + MARGIN_MM
        figure, axes = ink.page(WIDTH_MM, tall)
        for mark in self._marks:
            mark(axes, tall)
        return figure

    def _reach(self, low: float) -> None:
        self.bottom = max(self.bottom, low)


def cut(text: str, width: float, *, pt: float = PT, bold: bool = False) -> str:
    """Return a text that fits on one line, ended by « … » where it had to be cut."""
    if ink.width_mm(text, pt=pt, bold=bold) <= width:
        return text
    most = min(len(text), _LONGEST)
    kept = next(n for n in range(most, -1, -1) if ink.width_mm(f"{text[:n].rstrip()}…", pt=pt, bold=bold) <= width)
    return f"{text[:kept].rstrip()}…"


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2), 0–1.

    Examples
    --------
    >>> luminance("#000000"), round(luminance("#ffffff"), 3)
    (0.0, 1.0)
    """
    coded = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    light = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in coded]
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def ink_on(ground: str) -> str:
    """Return the colour of letters that are read on a ground."""
    return "#ffffff" if luminance(ground) < _DARK else "#000000"
