"""What stands beside the map: title, legend, scale bar, north, credits, lists?

Text is cut into pieces of known height that flow down a column and over to the next page; the foot of the panel
(scale, north, sources, edition) is always on the sheet. It chooses no words but those of cartography.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import shapely

from geo_qmi.maps import INK, Style, hatch, words
from geo_qmi.plate import ink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.axes import Axes

    from geo_qmi.maps import Layer, Map
    from geo_qmi.plate.paper import Sheet

#: Height of a line beside the height of its letters.
_LEADING = 1.28
_GREY = "#4a4a4a"
_SWATCH_MM = (7.0, 4.2)


@dataclass(frozen=True, slots=True)
class Piece:
    """Something of a known height; `draw` gets the axes, its left edge and its top, in millimetres."""

    height: float
    draw: Callable[[Axes, float, float], None]
    with_next: bool = False


def flow(pieces: Sequence[Piece], axes: Axes, *, left: float, top: float, bottom: float) -> list[Piece]:
    """Draw pieces down a column as long as they fit, and return the others; a heading stays with what follows."""
    y = top
    for position, piece in enumerate(pieces):
        after = pieces[position + 1].height if piece.with_next and position + 1 < len(pieces) else 0.0
        if y - piece.height - after < bottom - 1e-6:
            return list(pieces[position:])
        piece.draw(axes, left, y)
        y -= piece.height
    return []


def height(pieces: Iterable[Piece]) -> float:
    """Return the height of pieces, one under the other."""
    return sum(piece.height for piece in pieces)


def gap(mm: float) -> Piece:
    """Return white space."""
    return Piece(mm, lambda *_: None)


def paragraph(
    text: str, *, width: float, pt: float, bold: bool = False, colour: str = "#1a1a1a", mark: str = ""
) -> list[Piece]:
    """Return a text as one piece a line; `mark` stands before the first line, the others are indented under it."""
    indent = max(ink.width_mm(f"{mark} ", pt=pt, bold=True), 4.6 * pt * ink.MM_PER_PT * 0.5) if mark else 0.0
    pieces = []
    for row, line in enumerate(ink.wrapped(text, width - indent, pt=pt, bold=bold)):
        first = mark if row == 0 else ""

        def draw(axes: Axes, left: float, top: float, line: str = line, first: str = first) -> None:
            y = top - pt * ink.MM_PER_PT * 0.98
            if first:
                ink.words(axes, (left, y), first, pt=pt, bold=True, colour=colour)
            ink.words(axes, (left + indent, y), line, pt=pt, bold=bold, colour=colour)

        pieces.append(Piece(pt * ink.MM_PER_PT * _LEADING, draw))
    return pieces


def heading(text: str, *, width: float, pt: float, size: float) -> list[Piece]:
    """Return a heading with a rule under it, kept with what follows."""

    def rule(axes: Axes, left: float, top: float) -> None:
        ink.lines(axes, [shapely.LineString([(left, top - 0.3), (left + width, top - 0.3)])], colour=INK, width_mm=0.2)

    text_lines = [Piece(one.height, one.draw, with_next=True) for one in paragraph(text, width=width, pt=pt, bold=True)]
    return [gap(1.6 * size), *text_lines, Piece(1.3 * size, rule, with_next=True)]


def legend(drawn: Map, *, width: float, pt: float, size: float) -> list[Piece]:
    """Return the legend of a map whose layers hold only what is visible, top first; several classes under a title."""
    pieces: list[Piece] = []
    for layer in reversed(drawn.layers):
        styles = layer.legend()
        if len(styles) > 1:
            title = paragraph(layer.title, width=width, pt=pt, bold=True)
            pieces += [gap(0.7 * size), *(Piece(one.height, one.draw, with_next=True) for one in title)]
        for style in styles:
            pieces.append(_entry(layer, style, width=width, pt=pt, size=size))
    return pieces


def _entry(layer: Layer, style: Style, *, width: float, pt: float, size: float) -> Piece:
    """Return one line of the legend: the very ink of the map, then its words."""
    swatch_w, swatch_h = (side * size for side in _SWATCH_MM)
    text = paragraph(style.label, width=width - swatch_w - 2 * size, pt=pt)
    tall = max(height(text), swatch_h) + 0.9 * size

    def draw(axes: Axes, left: float, top: float) -> None:
        middle = top - tall / 2
        _swatch(axes, layer.kind, style, box=(left, middle - swatch_h / 2, swatch_w, swatch_h), size=size)
        flow(text, axes, left=left + swatch_w + 2 * size, top=middle + height(text) / 2, bottom=-math.inf)

    return Piece(tall, draw)


def _swatch(axes: Axes, kind: str, style: Style, *, box: tuple[float, float, float, float], size: float) -> None:
    x, y, width, tall = box
    if kind == "point":
        ink.signs(axes, [(x + width / 2, y + tall / 2)], style, size=min(size, tall / (style.size_px * ink.SIGN_MM)))
    elif kind == "line":
        ink.styled_lines(axes, [shapely.LineString([(x, y + tall / 2), (x + width, y + tall / 2)])], style, size=size)
    else:
        shape = shapely.box(x, y, x + width, y + tall)
        if style.hatch_m and style.line == "#ffffff" and not style.fill:
            ink.rectangle(axes, box, fill="#9a9a9a")  # white stripes lie on the colour of a class
        ink.areas(axes, [shape], style, size=size)
        if style.hatch_m:
            ink.lines(axes, [hatch(shape, 1.7 * size)], colour=style.line, width_mm=0.25 * size)


def foot(sheet: Sheet, drawn: Map, *, lines: Sequence[str], pt: float) -> list[Piece]:
    """Return the foot of the panel: scale and bar, north, projection, sources, then `lines`."""
    width, size = sheet.panel_mm[2], sheet.size
    off = abs(sheet.north_deg)
    side = "est" if sheet.north_deg > 0 else "ouest"
    factor = f"{sheet.ground_factor:.5f}".replace(".", ",")
    bar = f"Barre : longueur vraie au sol (module linéaire {factor})."
    said = [
        f"Lambert-93 (EPSG:2154). {bar} Nord géographique à {words(round(off, 2))}° à l’{side} du nord de la grille."
    ]
    if drawn.credits:
        said.append("Sources : " + " ".join(f"{credit.rstrip('.')}." for credit in drawn.credits))
    small = [[*paragraph(text, width=width, pt=pt, colour=_GREY), gap(0.5)] for text in (*said, *lines)]
    return [gap(2 * size), _bar(sheet), gap(1.2 * size), *chain.from_iterable(small)]


def _bar(sheet: Sheet) -> Piece:
    """Return the numeric scale, the bar and the north arrow."""
    size = sheet.size
    metres, length = sheet.bar()
    tall = 13.0 * size

    def draw(axes: Axes, left: float, top: float) -> None:
        ink.words(axes, (left, top - 3.4 * size), f"1:{words(sheet.scale)}", pt=10 * size, bold=True)
        y, half = top - 8.6 * size, length / 2
        for row, fill in enumerate((INK, "#ffffff")):
            ink.rectangle(axes, (left + row * half, y, half, 1.4 * size), fill=fill, line=INK, width_mm=0.2 * size)
        unit, amount = ("km", metres / 1000) if metres >= 1000 else ("m", float(metres))
        for share, at in ((0.0, left), (0.5, left + half), (1.0, left + length)):
            text = words(share * amount) + (f" {unit}" if share == 1 else "")
            wide = ink.width_mm(text, pt=6.5 * size)
            ink.words(axes, (at - (0 if share == 0 else wide / 2), y - 3 * size), text, pt=6.5 * size)
        _north(axes, sheet, x=left + sheet.panel_mm[2] - 8 * size, y=top - tall / 2)

    return Piece(tall, draw)


def _north(axes: Axes, sheet: Sheet, *, x: float, y: float) -> None:
    """Draw true north: a half-filled needle turned by the convergence."""
    size, angle = sheet.size, math.radians(sheet.north_deg)
    along, across = (math.sin(angle), math.cos(angle)), (math.cos(angle), -math.sin(angle))

    def at(right: float, up: float) -> tuple[float, float]:
        return (
            x + size * (right * across[0] + up * along[0]),
            y - 1.2 * size + size * (right * across[1] + up * along[1]),
        )

    for side, fill in ((-1, INK), (1, "#ffffff")):
        half = shapely.Polygon([at(0, 4.6), at(side * 1.9, -4.6), at(0, -2.9)])
        ink.areas(axes, [half], Style(fill=fill, line=INK), size=size)
    wide = ink.width_mm("N", pt=8 * size, bold=True)
    top = at(0, 5.2)
    ink.words(axes, (top[0] - wide / 2, top[1]), "N", pt=8 * size, bold=True)
