"""How is each chart put on paper?

One function a kind of drawing, title above and sources below. No information is carried by colour alone: values are
written, unknown is hatched, what is kept is framed and ticked. Shades are one blue, light to dark, told apart in grey.
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from geo_qmi.charts.board import GREY, MARGIN_MM, PT, WIDTH_MM, Board, cut, ink_on
from geo_qmi.charts.change import NO_AFTER, NO_BEFORE, Changes
from geo_qmi.charts.chart import fixed, percent
from geo_qmi.charts.funnel import UNPUBLISHED, Funnel
from geo_qmi.charts.heat import KEPT, UNKNOWN, Cell, Matrix
from geo_qmi.charts.minutes import Histogram
from geo_qmi.charts.radar import TOP, Radar, Spoke
from geo_qmi.charts.ranks import Shares
from geo_qmi.charts.timeline import Line, Timeline, month_words
from geo_qmi.errors import InputError
from geo_qmi.maps import INK, words
from geo_qmi.plate import ink
from geo_qmi.wording import number

if TYPE_CHECKING:
    from geo_qmi.charts.chart import Chart

#: Bars, and the two ends of a scale of scores.
BLUE = "#2171b5"
_LIGHT, _DARK = (255, 255, 255), (8, 69, 148)
#: Classes of ranks, from first to beyond: three blues and white, each well lighter than the one before.
CLASSES = ("#08306b", "#2f7ebc", "#8bc0dd", "#ffffff")
_INNER_MM = WIDTH_MM - 2 * MARGIN_MM
_SMALL = PT - 1.5
#: Lines of a name, and years written along the top of a timeline, at most.
_MOST_LINES, _MOST_YEARS = 6, 24


def saved(chart: Chart, form: str, *, dpi: int = 200) -> bytes:
    """Return a chart as ``svg`` or ``png``."""
    if chart.drawing is None:
        raise InputError(f"Graphique « {chart.title} » sans rien à dessiner : {chart.nothing}")
    board = Board()
    heading = cut(chart.heading, 3 * _INNER_MM, pt=PT + 2, bold=True)
    top = board.lines(MARGIN_MM, MARGIN_MM, heading, width=_INNER_MM, pt=PT + 2, bold=True)
    _draw(chart.drawing, board, top + 3)
    if chart.credits:
        source = f"Source : {' · '.join(chart.credits)}"
        board.lines(MARGIN_MM, board.bottom + 2.5, source, width=_INNER_MM, pt=_SMALL, colour=GREY)
    return ink.saved(board.figure(), form, title=chart.heading, description=chart.description, dpi=dpi)


@singledispatch
def _draw(drawing: Any, board: Board, top: float) -> None:  # noqa: ARG001 - the form of every kind of drawing
    """Draw what a chart holds below `top`."""
    raise TypeError(type(drawing))


@_draw.register
def _funnel(drawing: Funnel, board: Board, top: float) -> None:
    """Draw bars around one axis, a/b on each, its note beside the bars."""
    names, span, high = 52.0, 96.0, 8.0
    centre, notes = MARGIN_MM + names + span / 2, MARGIN_MM + names + span + 5
    for bar in drawing.bars:
        middle = top + high / 2
        board.words((MARGIN_MM + names - 4, middle), cut(bar.label, names - 4), align="right")
        if bar.count is None:
            board.box((centre - 14, top, 28, high), line=GREY, width_mm=0.25, hatched=True)
            wide = ink.width_mm(UNPUBLISHED, pt=PT) + 3
            board.box((centre - wide / 2, top + 1.3, wide, high - 2.6), fill="#ffffff")
            board.words((centre, middle), UNPUBLISHED, align="centre")
        else:
            wide = max(span * bar.count / drawing.widest, 0.6)
            board.box((centre - wide / 2, top, wide, high), fill=BLUE)
            inside = wide > ink.width_mm(bar.text, pt=PT, bold=True) + 4
            spot = (centre, middle) if inside else (centre + wide / 2 + 2, middle)
            board.words(
                spot, bar.text, bold=True, colour=ink_on(BLUE) if inside else INK, align="centre" if inside else "left"
            )
        low = board.lines(notes, top + 0.4, bar.note, width=WIDTH_MM - MARGIN_MM - notes, pt=_SMALL, colour=GREY)
        top = max(top + high, low) + 2.5


@_draw.register
def _matrix(drawing: Matrix, board: Board, top: float) -> None:
    """Draw one cell a score: the shade, the number, the interval, the frame of the plan."""
    names, high = 62.0, 10.4 if any(cell.between for row in drawing.cells for cell in row) else 6.2
    wide = min((_INNER_MM - names) / len(drawing.columns), 46.0)
    step = 4.2
    heads = [_folded(name, wide - 1, bold=True) for name in drawing.columns]
    tall = max(map(len, heads)) * step
    for column, lines in enumerate(heads):
        for row, line in enumerate(lines):
            spot = (MARGIN_MM + names + (column + 0.5) * wide, top + tall - (len(lines) - row - 0.5) * step)
            board.words(spot, line, pt=_SMALL, bold=True, align="centre")
    top += tall + 1
    for name, cells in zip(drawing.rows, drawing.cells, strict=True):
        board.words((MARGIN_MM, top + high / 2), cut(name, names - 3))
        for column, cell in enumerate(cells):
            _cell(board, cell, (MARGIN_MM + names + column * wide, top, wide, high), top_score=drawing.top)
        top += high
    _matrix_key(board, top + 2.5, drawing)


def _cell(board: Board, cell: Cell, place: tuple[float, float, float, float], *, top_score: float) -> None:
    """Draw one score."""
    left, top, wide, high = place
    centre, middle = left + wide / 2, top + high / 2
    inset = (left + 0.25, top + 0.25, wide - 0.5, high - 0.5)
    if cell.value is None:
        board.box(inset, line="#c8c8c8", hatched=True)
        room = ink.width_mm(UNKNOWN, pt=_SMALL) + 2
        board.box((centre - room / 2, middle - 1.9, room, 3.8), fill="#ffffff")
        board.words((centre, middle), UNKNOWN, pt=_SMALL, align="centre")
        return
    ground = shade(cell.value / top_score if top_score else 0.0)
    board.box(inset, fill=ground, line="#c8c8c8", width_mm=0.1)
    if cell.kept:
        board.box((left + 0.8, top + 0.8, wide - 1.6, high - 1.6), line=ink_on(ground), width_mm=0.55)
    text = f"{fixed(cell.value)} {KEPT}" if cell.kept else fixed(cell.value)
    lift = 1.7 if cell.between else 0.0
    board.words((centre, middle - lift), text, bold=cell.kept, colour=ink_on(ground), align="centre")
    if cell.between:
        board.words((centre, middle + 2.2), cell.between, pt=_SMALL, colour=ink_on(ground), align="centre")


def shade(share: float) -> str:
    """Return the colour of a share of the highest score, white to dark blue."""
    return "#" + "".join(
        f"{round(light + (dark - light) * share):02x}" for light, dark in zip(_LIGHT, _DARK, strict=True)
    )


def _matrix_key(board: Board, top: float, drawing: Matrix) -> None:
    """Explain shade, frame and hatching in one line."""
    left, high = MARGIN_MM, 4.4
    for step in range(5):
        board.box((left + step * 6, top, 6, high), fill=shade(step / 4), line="#c8c8c8", width_mm=0.1)
    left = _said(board, left + 32, top, f"0 à {fixed(drawing.top)} (le plus haut ici)")
    board.box((left, top, 7, high), line=INK, width_mm=0.55)
    left = _said(board, left + 9, top, f"{KEPT} retenu par le plan")
    board.box((left, top, 7, high), line="#c8c8c8", hatched=True)
    left = _said(board, left + 9, top, "score inconnu")
    if any(cell.between for row in drawing.cells for cell in row):
        _said(board, left, top, "[–] le plus bas et le plus haut")


def _said(board: Board, left: float, top: float, text: str) -> float:
    """Write the words of a key, and return where the next one starts."""
    board.words((left, top + 2.2), text, pt=_SMALL)
    return left + ink.width_mm(text, pt=_SMALL) + 7


@_draw.register
def _shares(drawing: Shares, board: Board, top: float) -> None:
    """Draw one stacked bar a project, shares written where they fit, and the key above."""
    names, high = 72.0, 6.4
    looks = dict(zip(drawing.classes, (*CLASSES[: len(drawing.classes) - 1], CLASSES[-1]), strict=True))
    left = MARGIN_MM + names
    for name, colour in looks.items():
        board.box((left, top, 7, 4.4), fill=colour, line=INK, width_mm=0.2)
        left = _said(board, left + 8.5, top, name)
    top += 8
    span = _INNER_MM - names
    for name, shares in drawing.bars:
        board.words((MARGIN_MM, top + high / 2), cut(name, names - 3))
        start = MARGIN_MM + names
        for share, colour in zip(shares, looks.values(), strict=True):
            wide = span * share
            if wide <= 0:
                continue
            board.box((start, top, wide, high), fill=colour, line=INK, width_mm=0.2)
            text = percent(share)
            if wide > ink.width_mm(text, pt=_SMALL) + 2:
                board.words((start + wide / 2, top + high / 2), text, pt=_SMALL, colour=ink_on(colour), align="centre")
            start += wide
        top += high + 1.6


@_draw.register
def _histogram(drawing: Histogram, board: Board, top: float) -> None:
    """Draw the bar of those who gain nothing, then the classes with the median of those who gain."""
    left, high, apart = MARGIN_MM + 12, 62.0, 8.0
    most = max(drawing.unchanged, *(n for *_, n in drawing.classes), 1)
    n = len(drawing.classes)
    wide = min((_INNER_MM - 30 - apart) / (n + 1), 40.0) if n else 40.0
    floor, gains = top + 6 + high, left + wide + apart
    if n:
        spot = gains + drawing.median_min / drawing.classes[-1][1] * n * wide
        board.line((spot, top + 3), (spot, floor), colour=INK, width_mm=0.5, dashed=True)
        text = f"médiane de celles qui gagnent : {fixed(drawing.median_min, 1)} min"
        right = spot + 2 + ink.width_mm(text, pt=PT) > WIDTH_MM - MARGIN_MM
        board.words((spot + (-2 if right else 2), top + 1.5), text, align="right" if right else "left")
    _column(board, (left, floor, wide), drawing.unchanged, scale=high / most, hatched=True)
    board.words((left + wide / 2, floor + 3), "0 min", align="centre")
    board.words((left + wide / 2, floor + 7.4), "rien ne change", pt=_SMALL, align="centre")
    for position, (low, end, count) in enumerate(drawing.classes):
        _column(board, (gains + position * wide, floor, wide), count, scale=high / most)
        if position == 0:
            board.words((gains, floor + 3), _minutes(low), align="centre")
        board.words((gains + (position + 1) * wide, floor + 3), _minutes(end), align="centre")
    board.line((left, floor), (gains + n * wide, floor), colour=INK, width_mm=0.3)
    if n:
        board.words((gains + n * wide / 2, floor + 7.4), "minutes gagnées", pt=_SMALL, align="centre")
    board.words((MARGIN_MM, floor + 12.5), "En hauteur : paires de lieux en vis-à-vis.", pt=_SMALL, colour=GREY)


def _column(
    board: Board, place: tuple[float, float, float], count: int, *, scale: float, hatched: bool = False
) -> None:
    """Draw one column from its floor up, its count above it."""
    left, floor, wide = place
    tall = count * scale
    if count:
        fill = "#ffffff" if hatched else BLUE
        board.box((left + 0.4, floor - tall, wide - 0.8, tall), fill=fill, line=INK, hatched=hatched)
    room = ink.width_mm(words(count), pt=PT, bold=True) + 2
    board.box((left + (wide - room) / 2, floor - tall - 4.4, room, 4), fill="#ffffff")  # the line of the median stops
    board.words((left + wide / 2, floor - tall - 2.4), words(count), bold=True, align="centre")


def _folded(text: str, width: float, *, bold: bool = False, end: str = "") -> list[str]:
    """Return the lines of a name in a column, six or so at most, then what ends it; the table has the name whole."""
    return ink.wrapped(f"{cut(text, _MOST_LINES * width, pt=_SMALL, bold=bold)}{end}", width, pt=_SMALL, bold=bold)


def _minutes(value: float) -> str:
    return fixed(value, 0 if float(value).is_integer() else 1)


@_draw.register
def _timeline(drawing: Timeline, board: Board, top: float) -> None:
    """Draw one line a date, windows below the events, years along the top."""
    names, high = 104.0, 6.0
    left, span = MARGIN_MM + names, _INNER_MM - names - 4
    ends = [line.at.last + (drawing.window_months if line.window else 0) for line in drawing.lines]
    first = int(min(line.at.first for line in drawing.lines)) // 12
    last = -(-int(max(ends) + 0.99) // 12)

    def x(month: float) -> float:
        return left + (month - 12 * first) / (12 * (last - first)) * span

    rows = [_folded(line.label, names - 4, end=f" ·\N{NO-BREAK SPACE}{line.when}") for line in drawing.lines]
    heights = [max(high, 4.0 * len(row) + 1) for row in rows]
    opened = any(line.window for line in drawing.lines)
    mixed = opened and not all(line.window for line in drawing.lines)
    floor = top + 6 + sum(heights) + (7 if mixed else 0)
    step = max(1, -(-(last - first) // _MOST_YEARS))  # a date of the year 9999 would write thousands on one another
    for year in range(first, last + 1, step):
        board.line((x(12 * year), top + 5), (x(12 * year), floor), colour="#c8c8c8", width_mm=0.2)
        if year < last:
            board.words(((x(12 * year) + x(12 * year + 12)) / 2, top + 2), str(year), align="centre")
    if drawing.closing:
        _closing(
            board, drawing.closing, x=x((drawing.closing[1].first + drawing.closing[1].last) / 2), ends=(top + 5, floor)
        )
    top += 6
    for position, (line, row, tall) in enumerate(zip(drawing.lines, rows, heights, strict=True)):
        if mixed and line.window and (position == 0 or not drawing.lines[position - 1].window):
            board.words((MARGIN_MM, top + 4), f"Déploiements, et {drawing.window_months} mois à la suite", bold=True)
            top += 7
        for rank, text in enumerate(row):
            board.words((MARGIN_MM, top + tall / 2 + (rank - (len(row) - 1) / 2) * 4.0), text, pt=_SMALL)
        _dated(board, line, top + tall / 2, x=x, months=drawing.window_months)
        top += tall
    _timeline_key(board, board.bottom + 2.5, drawing)
    if drawing.undated:
        text = f"Sans date publiée, non dessinés ({len(drawing.undated)}) : {', '.join(drawing.undated)}."
        board.lines(MARGIN_MM, board.bottom + 2, text, width=_INNER_MM, pt=_SMALL)


def _closing(board: Board, closing: tuple[str, Any], *, x: float, ends: tuple[float, float]) -> None:
    """Draw the end of the programme across all lines, named under them."""
    board.line((x, ends[0]), (x, ends[1] + 1), colour=INK, width_mm=0.5, dashed=True)
    board.words((x, ends[1] + 4), f"{closing[0]} : {month_words(closing[1].first)}", pt=_SMALL, align="centre")


def _timeline_key(board: Board, top: float, drawing: Timeline) -> None:
    """Explain the marks that were used, in one line."""
    events = [line.at for line in drawing.lines if not line.window]
    left, middle = MARGIN_MM, top + 2.2
    if any(at.fills and at.last - at.first <= 1 for at in events):
        board.dot((left + 2, middle), colour=BLUE)
        left = _said(board, left + 5, top, "jour ou mois")
    if any(at.fills and at.last - at.first > 1 for at in events):
        board.box((left, middle - 1.6, 7, 3.2), fill=BLUE)
        left = _said(board, left + 9, top, "intervalle publié")
    if any(not line.at.fills for line in drawing.lines):
        board.box((left, middle - 1.6, 7, 3.2), line=GREY, hatched=True)
        left = _said(board, left + 9, top, "quelque part dans cette année ou cette saison")
    if any(line.window for line in drawing.lines):
        board.box((left, middle - 1.6, 7, 3.2), fill=CLASSES[2], line=INK)
        _said(board, left + 9, top, f"{drawing.window_months} mois après le déploiement")


def _dated(board: Board, line: Line, middle: float, *, x: Any, months: int) -> None:
    """Draw a mark, a bar or a hatched stretch, and the window that follows."""
    first, last, fills = line.at
    high = 3.2
    if line.window:
        sure = (first, first + months) if fills else (last, first + months)
        board.box((x(sure[0]), middle - high / 2, x(sure[1]) - x(sure[0]), high), fill=CLASSES[2], line=INK)
        for start, end in () if fills else ((first, last), (first + months, last + months)):
            board.box((x(start), middle - high / 2, x(end) - x(start), high), fill="#ffffff", line=INK, hatched=True)
        if fills:
            board.dot((x(first), middle), radius=1.6)
    elif not fills:
        board.box((x(first), middle - high / 2, x(last) - x(first), high), line=GREY, hatched=True)
    elif last - first > 1:
        board.box((x(first), middle - high / 2, x(last) - x(first), high), fill=BLUE)
    else:
        board.dot(((x(first) + x(last)) / 2, middle), colour=BLUE)


@_draw.register
def _radar(drawing: Radar, board: Board, top: float) -> None:
    """Draw a spoke a criterion with its words at the end, rings from 0, and a line between known neighbours."""
    spokes, radius = drawing.spokes, 38.0
    centre = (WIDTH_MM / 2, top + 15 + radius)

    def at(place: int, level: float) -> tuple[float, float]:
        angle = 2 * math.pi * place / len(spokes)
        along = radius * (level + 1) / (TOP + 1)  # level 0 stands away from the centre
        return centre[0] + along * math.sin(angle), centre[1] - along * math.cos(angle)

    around = [(place, (place + 1) % len(spokes)) for place in range(len(spokes))]
    for level in range(TOP + 1):
        board.area([at(place, level) for place in range(len(spokes))], line="#c8c8c8")
    for one, other in around:
        levels = spokes[one].level, spokes[other].level
        if levels[0] is not None and levels[1] is not None:
            sides = at(one, levels[0]), at(other, levels[1])
            board.area([centre, *sides], fill=BLUE, opacity=0.12)
            board.line(*sides, colour=BLUE, width_mm=0.7)
    for place, spoke in enumerate(spokes):
        known = spoke.level is not None
        board.line(centre, at(place, TOP), colour=GREY, width_mm=0.2 if known else 0.5, dashed=not known)
        if spoke.split and spoke.between:
            board.line(at(place, spoke.between[0]), at(place, spoke.between[1]), colour=CLASSES[2], width_mm=2.4)
        if spoke.level is not None:
            board.dot(at(place, spoke.level), radius=1.7, colour=CLASSES[0])
        _spoke(board, spoke, at(place, TOP), across=math.sin(2 * math.pi * place / len(spokes)))
    for level in range(TOP + 1):  # beside the first spoke
        x, y = at(0, level)
        board.box((x - 4.2, y - 1.6, 2.6, 3.6), fill="#ffffff")
        board.words((x - 2.9, y + 0.2), str(level), pt=_SMALL, colour=GREY, align="centre")
    _radar_key(board, board.bottom + 3.5, drawing)


def _spoke(board: Board, spoke: Spoke, end: tuple[float, float], *, across: float) -> None:
    """Write a criterion at the end of its spoke: name, level with its words, raters."""
    side = "centre" if abs(across) < 0.1 else "left" if across > 0 else "right"
    left = end[0] + (0 if side == "centre" else math.copysign(5, across))
    room = _INNER_MM if side == "centre" else WIDTH_MM - MARGIN_MM - left if across > 0 else left - MARGIN_MM
    said = " · ".join(filter(None, (spoke.text, spoke.meaning if spoke.level is not None else spoke.missing)))
    lines = [(spoke.label, True), *((line, False) for line in ink.wrapped(cut(said, 2 * room), room, pt=PT))]
    lines += [(spoke.raters, False)] if spoke.n_raters else []
    start = end[1] - 4.4 * len(lines) if side == "centre" else end[1] - 2.2 * (len(lines) - 1)
    for place, (text, bold) in enumerate(lines):
        board.words((left, start + 4.4 * place), cut(text, room, bold=bold), bold=bold, align=side)


def _radar_key(board: Board, top: float, drawing: Radar) -> None:
    """Explain the marks that were used, in one line."""
    left, middle = MARGIN_MM, top + 2.2
    board.dot((left + 2, middle), radius=1.7, colour=CLASSES[0])
    left = _said(board, left + 5, top, "niveau (médiane basse des notes)")
    if any(spoke.split for spoke in drawing.spokes):
        board.line((left + 1, middle), (left + 7, middle), colour=CLASSES[2], width_mm=2.4)
        left = _said(board, left + 10, top, "de la note la plus basse à la plus haute")
    if any(spoke.level is None for spoke in drawing.spokes):
        board.line((left, middle), (left + 9, middle), width_mm=0.5, dashed=True)
        _said(board, left + 11, top, "non évalué : le profil s’interrompt")


@_draw.register
def _changes(drawing: Changes, board: Board, top: float) -> None:
    """Draw a line an indicator: ring before, diamond after, the aim across, the place compared with under it."""
    names, room = 78.0, 34.0  # beside both ends of a line stand its numbers
    left, span = MARGIN_MM + names + room, _INNER_MM - names - 2 * room
    for line in drawing.lines:
        title, note = (cut(text, 4 * names, bold=bold) for text, bold in ((line.title, True), (line.note, False)))
        low = board.lines(MARGIN_MM, top, title, width=names - 4, bold=True)
        if note:
            low = board.lines(MARGIN_MM, low, note, width=names - 4, pt=_SMALL, colour=GREY)
        first, last = min(line.known), max(line.known)

        def x(value: float, first: float = first, last: float = last) -> float:
            return left + span * ((value - first) / (last - first) if last > first else 0.5)

        floor = top + (13 if line.compared else 6)
        if line.threshold is not None:
            board.line((x(line.threshold), top), (x(line.threshold), floor + 1), colour=INK, dashed=True, width_mm=0.4)
            board.words((x(line.threshold), floor + 3.6), f"seuil {number(line.threshold)}", pt=_SMALL, align="centre")
        _pair(board, (line.before, line.after), middle=top + 3, x=x)
        if line.compared:
            _pair(board, (line.witness_before, line.witness_after), middle=top + 9.5, x=x, pale=True)
        top = max(low, floor + (0 if line.threshold is None else 6)) + 3
        board.line((MARGIN_MM, top - 1.5), (WIDTH_MM - MARGIN_MM, top - 1.5), colour="#c8c8c8")
    _changes_key(board, top + 1.5, drawing)
    if drawing.unmeasured:
        text = (
            f"Sans état initial ni mesure, non dessinés ({len(drawing.unmeasured)}) : {', '.join(drawing.unmeasured)}."
        )
        board.lines(MARGIN_MM, board.bottom + 2, cut(text, 4 * _INNER_MM, pt=_SMALL), width=_INNER_MM, pt=_SMALL)


def _pair(
    board: Board, values: tuple[float | None, float | None], *, middle: float, x: Any, pale: bool = False
) -> None:
    """Draw one place: its two numbers on either side of their marks, so that they never meet."""
    before, after = values
    colour, bold = (GREY, False) if pale else (CLASSES[0], True)
    if before is not None and after is not None:
        board.line((x(before), middle), (x(after), middle), colour=CLASSES[2] if not pale else GREY, width_mm=0.9)
    turned = before is not None and after is not None and after < before
    for value, none, late in ((before, NO_BEFORE, False), (after, NO_AFTER, True)):
        other = before if late else after
        spot = x(value if value is not None else other)
        right = late is not turned
        if value is None:
            board.words((spot + (4 if right else -4), middle), none, pt=_SMALL, align="left" if right else "right")
            continue
        if late:
            board.dot((spot, middle), radius=1.6, colour=colour)
        else:
            board.ring((spot, middle), colour=colour)
        said, edge = number(value), spot + (3 if right else -3)
        wide = ink.width_mm(said, pt=PT, bold=bold)
        start = edge - 0.8 if right else edge - wide - 0.8
        board.box((start, middle - 2, wide + 1.6, 4), fill="#ffffff")  # the line of the aim stops
        board.words((edge, middle), said, bold=bold, align="left" if right else "right")


def _changes_key(board: Board, top: float, drawing: Changes) -> None:
    """Explain the marks that were used, in one line."""
    left, middle = MARGIN_MM, top + 2.2
    board.ring((left + 2, middle), colour=CLASSES[0])
    left = _said(board, left + 5, top, "avant")
    board.dot((left + 2, middle), radius=1.6, colour=CLASSES[0])
    left = _said(board, left + 5, top, "après")
    if any(line.compared for line in drawing.lines):
        board.line((left, middle), (left + 7, middle), colour=GREY, width_mm=0.9)
        left = _said(board, left + 9, top, "en gris, dessous : là où rien n’est testé")
    if any(line.threshold is not None for line in drawing.lines):
        board.line((left, top), (left, top + 4.4), colour=INK, dashed=True, width_mm=0.4)
        left = _said(board, left + 3, top, "seuil du protocole")
    _said(board, left, top, "une échelle par ligne")
