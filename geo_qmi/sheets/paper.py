"""How are an explanation sheet and an evaluation sheet laid out on A4 pages?

Flowing paragraphs and tables by ReportLab, set in Bitstream Vera, which ReportLab ships and lets embed, so that accents
print everywhere. Cells are broken into lines here: a paragraph of ReportLab in each cell takes three times longer. The
pages hold no date: the same record gives the same bytes.
"""

from __future__ import annotations

import html
import io
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reportlab
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from geo_qmi import charts
from geo_qmi.sheets import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geo_qmi.charts import Chart

_MARGIN = 14 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_BLUE = colors.HexColor("#1f4e79")
_PALE = colors.HexColor("#eef3f8")
_RULE = colors.HexColor("#b9c4cf")
#: Enough for the small letters of a chart on paper; twice as many weigh four times as much.
_CHART_DPI = 150
#: Lines that fill about half a page.
_TALL_LINES = 40
#: Signs the font lacks, and what stands for them.
_MISSING = str.maketrans({"→": "›", "\u202f": "\u00a0", "Σ": "S", "‑": "-"})

#: Text of a cell: size, distance between lines and space on each side, in points.
_CELL_SIZE, _CELL_LEADING, _CELL_PAD = 7.0, 9.0, 3.0
_TEXT = ParagraphStyle("text", fontName="Vera", fontSize=9, leading=12.5, splitLongWords=1)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7.5, leading=10)
_BOLD = ParagraphStyle("bold", parent=_TEXT, fontName="Vera-Bold")
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Vera-Bold", fontSize=15, leading=19)
_H2 = ParagraphStyle(
    "h2", parent=_BOLD, fontSize=11, leading=14, spaceBefore=10, spaceAfter=3, textColor=_BLUE, keepWithNext=1
)
_H3 = ParagraphStyle("h3", parent=_BOLD, fontSize=9.5, leading=12, spaceBefore=8, spaceAfter=2, keepWithNext=1)


def document(record: Mapping[str, Any]) -> bytes:
    """Return the pages of one explanation sheet."""
    _register()
    story: list[Any] = [
        _paragraph(f"Fiche d’explication — {record['name']}", _TITLE),
        _paragraph(f"Dossier {record['project_id']} · porteur : {record['operator']}", _SMALL),
    ]
    if record["demo"]:
        story.append(_paragraph(wording.DEMO, _BOLD))
    story += [Spacer(1, 6), _boxed(record["outcome"]), Spacer(1, 4), _paragraph(record["mention"], _TEXT)]
    story += _lists(record)
    story += [CondPageBreak(60 * mm), _paragraph("5. Détail par quartier", _H2)]
    for part in record["districts"]:
        story += _district(part)
    legal = [
        _paragraph("Cadre", _H2),
        _paragraph(record["legal_frame"], _TEXT),
        _paragraph(record["legal_caution"], _SMALL),
    ]
    story.append(KeepTogether(legal))
    foot = f"{record['project_id']} — fiche d’explication" + (" — démonstration" if record["demo"] else "")
    return _built(story, title=f"Fiche d’explication — {record['name']}", foot=foot)


def report(record: Mapping[str, Any]) -> bytes:
    """Return the pages of a sheet made of sections; `record` as for ``report_html``."""
    _register()
    title = f"{record['kind']} — {record['title']}"
    story: list[Any] = [_paragraph(title, _TITLE), _paragraph(record["subtitle"], _SMALL)]
    story += [_paragraph(record["demo"], _BOLD)] if record["demo"] else []
    for sentence in record["lead"]:
        story += [Spacer(1, 6), _boxed(sentence)]
    if record["warnings"]:
        story += [_paragraph(wording.WARNINGS, _H2), *_bullets(record["warnings"])]
    for section in record["sections"]:
        drawn = _drawn(section["chart"])
        room = 45 * mm if drawn is None else drawn.drawHeight + 30 * mm
        story += [CondPageBreak(room), _paragraph(section["title"], _H2), *([] if drawn is None else [drawn])]
        story += _bullets(section["sentences"])
        for one in section["tables"]:
            story += [CondPageBreak(25 * mm), Spacer(1, 5), _paragraph(one["caption"], _SMALL)]
            story.append(_table(one["header"], one["rows"], shares=one["shares"], right=one["right"]))
    story.append(KeepTogether([_paragraph(wording.METHOD, _H2), *_bullets(record["notes"], _SMALL)]))
    return _built(story, title=title, foot=title + (" — démonstration" if record["demo"] else ""))


def _drawn(chart: Chart | None) -> Image | None:
    """Return a chart as wide as the text; nothing when it draws nothing."""
    if chart is None or chart.nothing:
        return None
    image = Image(io.BytesIO(charts.png(chart, dpi=_CHART_DPI)))
    scale = _WIDTH / image.imageWidth
    image.drawWidth, image.drawHeight = _WIDTH, image.imageHeight * scale
    return image


def _bullets(rows: Iterable[str], style: ParagraphStyle | None = None) -> list[Paragraph]:
    return [_paragraph(f"• {row}", _TEXT if style is None else style) for row in rows]


def _built(story: list[Any], *, title: str, foot: str) -> bytes:
    """Return the pages, each with its foot."""
    out = io.BytesIO()
    template = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=16 * mm,
        title=title,
        author="geo-qmi",
        lang="fr-FR",
        invariant=1,
        initialFontName="Vera",  # else a font that is not embedded
    )

    def footer(canvas: Any, page: Any) -> None:
        canvas.setFont("Vera", 7)
        canvas.drawString(_MARGIN, 9 * mm, foot.translate(_MISSING))
        canvas.drawRightString(A4[0] - _MARGIN, 9 * mm, f"page {page.page}")

    template.build(story, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


def _register() -> None:
    """Make the two faces known, once."""
    folder = Path(reportlab.__file__).parent / "fonts"
    for name, file in (("Vera", "Vera.ttf"), ("Vera-Bold", "VeraBd.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / file)))


def _paragraph(text: object, style: ParagraphStyle) -> Paragraph:
    """Return a paragraph in which nothing of `text` is markup."""
    return Paragraph(html.escape(_clean(text), quote=False), style)


def _boxed(text: str) -> Table:
    """Return the outcome on a pale ground."""
    style = [
        ("FONTNAME", (0, 0), (-1, -1), "Vera"),  # tables start with a font of their own, used or not
        ("BACKGROUND", (0, 0), (-1, -1), _PALE),
        ("LINEBEFORE", (0, 0), (0, -1), 3, _BLUE),
    ]
    return Table([[_paragraph(text, _BOLD)]], colWidths=[_WIDTH], style=style)


def _lists(record: Mapping[str, Any]) -> list[Any]:
    """Return the four headings."""
    story: list[Any] = []
    for position, (title, key) in enumerate(
        zip(wording.TITLES, ("contribution", "data", "parameters", "operations"), strict=True), 1
    ):
        story.append(_paragraph(f"{position}. {title}", _H2))
        rows = record[key]
        if key in {"data", "parameters"}:
            header = ("Donnée", "Origine") if key == "data" else ("Paramètre", "Valeur appliquée")
            story.append(_table(header, rows, shares=(0.28, 0.72)))
        else:
            story += [
                _paragraph(f"{number}. {row}" if key == "operations" else f"• {row}", _TEXT)
                for number, row in enumerate(rows, 1)
            ]
    return story


def _district(part: Mapping[str, Any]) -> list[Any]:
    """Return the section of one district."""
    rows = [*wording.criteria_rows(part), wording.total_row(part)]
    first = _table(
        wording.CRITERIA_HEADER, rows, shares=(0.17, 0.075, 0.095, 0.11, 0.32, 0.23), right=(1, 2, 3), total=True
    )
    story: list[Any] = [
        CondPageBreak(45 * mm),
        _paragraph(wording.heading(part), _H3),
        _paragraph(wording.CAPTIONS[0], _SMALL),
        first,
    ]
    if part["themes"]:
        story += [Spacer(1, 5), _paragraph(wording.CAPTIONS[1], _SMALL)]
        shares = (0.12, 0.15, 0.105, 0.085, 0.085, 0.235, 0.22)
        story.append(_table(wording.THEME_HEADER, wording.theme_rows(part), shares=shares, right=(2, 3, 4)))
    if part["places"]:
        story += [Spacer(1, 5), _paragraph(wording.CAPTIONS[2], _SMALL)]
        story.append(_table(wording.PLACE_HEADER, wording.place_rows(part), shares=(0.42, 0.13, 0.45)))
    return story


def _table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    shares: Sequence[float],
    right: Iterable[int] = (),
    total: bool = False,
) -> Table:
    """Return a table that repeats its header on each page; `shares` are widths, `right` hold numbers."""
    widths = [_WIDTH * share for share in shares]
    bold = "Vera-Bold"

    def lines(cells: Sequence[object], font: str = "Vera") -> list[str]:
        room = [width - 2 * _CELL_PAD for width in widths]
        return [_broken(_clean(cell), room_pt, font) for cell, room_pt in zip(cells, room, strict=True)]

    texts = [list(row) for row in rows]
    last = len(texts) if total else -1
    body = [lines(row, bold if number == last else "Vera") for number, row in enumerate(texts, 1)]
    style: list[Any] = [
        ("FONT", (0, 0), (-1, -1), "Vera", _CELL_SIZE, _CELL_LEADING),
        ("FONTNAME", (0, 0), (-1, 0), bold),
        ("GRID", (0, 0), (-1, -1), 0.4, _RULE),
        ("BACKGROUND", (0, 0), (-1, 0), _PALE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), _CELL_PAD),
        ("RIGHTPADDING", (0, 0), (-1, -1), _CELL_PAD),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        *(("ALIGN", (column, 1), (column, -1), "RIGHT") for column in right),
    ]
    if total:
        style += [
            ("LINEABOVE", (0, -1), (-1, -1), 1, _BLUE),
            ("BACKGROUND", (0, -1), (-1, -1), _PALE),
            ("FONTNAME", (0, -1), (-1, -1), bold),
        ]
    # A row is kept whole unless one of its cells may be taller than a page.
    tall = any(cell.count("\n") > _TALL_LINES for row in body for cell in row)
    return Table([lines(header, bold), *body], colWidths=widths, repeatRows=1, style=style, splitInRow=int(tall))


def _clean(text: object) -> str:
    """Return a text with the signs the font has, bound as French asks."""
    return wording.bound(str(text)).translate(_MISSING)


def _broken(text: str, room_pt: float, font: str) -> str:
    """Return the text of a cell with its line breaks; a word wider than the cell is cut."""
    room = room_pt / _CELL_SIZE
    space = _width(" ", font)
    lines: list[str] = []
    line: list[str] = []
    used = 0.0
    for word in re.split(r"[ \t\r\n]+", text):
        for piece in _pieces(word, room, font):
            wide = _width(piece, font)
            if line and used + space + wide > room:
                lines.append(" ".join(line))
                line, used = [], 0.0
            used += wide + (space if line else 0.0)
            line.append(piece)
    return "\n".join([*lines, " ".join(line)])


def _pieces(word: str, room: float, font: str) -> list[str]:
    """Return a word, in several pieces when it is wider than `room`."""
    if _width(word, font) <= room:
        return [word]
    pieces, piece, used = [], "", 0.0
    for letter in word:
        wide = _width(letter, font)
        if piece and used + wide > room:
            pieces.append(piece)
            piece, used = "", 0.0
        piece, used = piece + letter, used + wide
    return [*pieces, piece]


@lru_cache(maxsize=1 << 15)
def _width(text: str, font: str) -> float:
    """Return the width of a word set at one point; the sheets of a call share most of their words."""
    return float(pdfmetrics.stringWidth(text, font, 1))
