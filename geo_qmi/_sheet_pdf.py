"""How is an explanation sheet laid out on A4 pages?

Plumbing of `geo_qmi.sheets`: flowing paragraphs and tables by ReportLab, set in Bitstream Vera, which ReportLab ships
and lets embed, so that accents print everywhere. The pages hold no date: the same record gives the same bytes.
"""

from __future__ import annotations

import html
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reportlab
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from geo_qmi import sheets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MARGIN = 14 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_BLUE = colors.HexColor("#1f4e79")
_PALE = colors.HexColor("#eef3f8")
_RULE = colors.HexColor("#b9c4cf")
#: Characters that fill about half a page in the narrowest column.
_TALL_CELL = 1000
#: Signs the font lacks, and what stands for them.
_MISSING = str.maketrans({"→": "›", "\u202f": "\u00a0", "Σ": "S", "‑": "-"})

#: Tables start with a font of their own, even where every cell is a paragraph.
_FONT = ("FONTNAME", (0, 0), (-1, -1), "Vera")
_TEXT = ParagraphStyle("text", fontName="Vera", fontSize=9, leading=12.5, splitLongWords=1)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7.5, leading=10)
_CELL = ParagraphStyle("cell", parent=_TEXT, fontSize=7, leading=9)
_NUMBER = ParagraphStyle("number", parent=_CELL, alignment=TA_RIGHT)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName="Vera-Bold")
_BOLD = ParagraphStyle("bold", parent=_TEXT, fontName="Vera-Bold")
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Vera-Bold", fontSize=15, leading=19)
_H2 = ParagraphStyle(
    "h2", parent=_BOLD, fontSize=11, leading=14, spaceBefore=10, spaceAfter=3, textColor=_BLUE, keepWithNext=1
)
_H3 = ParagraphStyle("h3", parent=_BOLD, fontSize=9.5, leading=12, spaceBefore=8, spaceAfter=2, keepWithNext=1)


def document(record: Mapping[str, Any]) -> bytes:
    """Return the pages of one sheet."""
    _register()
    story: list[Any] = [
        _paragraph(f"Fiche d’explication — {record['name']}", _TITLE),
        _paragraph(f"Dossier {record['project_id']} · porteur : {record['operator']}", _SMALL),
    ]
    if record["demo"]:
        story.append(_paragraph("Démonstration : dossier inventé, ne rien en conclure.", _BOLD))
    story += [Spacer(1, 6), _boxed(record["outcome"]), Spacer(1, 4), _paragraph(record["mention"], _TEXT)]
    story += _lists(record)
    story.append(_paragraph("5. Détail par quartier", _H2))
    for part in record["districts"]:
        story += _district(part)
    legal = [
        _paragraph("Cadre", _H2),
        _paragraph(record["legal_frame"], _TEXT),
        _paragraph(record["legal_caution"], _SMALL),
    ]
    story.append(KeepTogether(legal))
    out = io.BytesIO()
    template = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=16 * mm,
        title=f"Fiche d’explication — {record['name']}",
        author="geo-qmi",
        lang="fr-FR",
        invariant=1,
        initialFontName="Vera",  # else a font that is not embedded
    )
    foot = f"{record['project_id']} — fiche d’explication" + (" — démonstration" if record["demo"] else "")

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
    return Paragraph(html.escape(sheets.bound(str(text)).translate(_MISSING), quote=False), style)


def _boxed(text: str) -> Table:
    """Return the outcome on a pale ground."""
    style = [_FONT, ("BACKGROUND", (0, 0), (-1, -1), _PALE), ("LINEBEFORE", (0, 0), (0, -1), 3, _BLUE)]
    return Table([[_paragraph(text, _BOLD)]], colWidths=[_WIDTH], style=style)


def _lists(record: Mapping[str, Any]) -> list[Any]:
    """Return the four headings."""
    story: list[Any] = []
    for position, (title, key) in enumerate(
        zip(sheets.TITLES, ("contribution", "data", "parameters", "operations"), strict=True), 1
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
    rows = [*sheets.criteria_rows(part), sheets.total_row(part)]
    first = _table(
        sheets.CRITERIA_HEADER, rows, shares=(0.17, 0.075, 0.095, 0.11, 0.32, 0.23), right=(1, 2, 3), total=True
    )
    story: list[Any] = [
        CondPageBreak(45 * mm),
        _paragraph(sheets.heading(part), _H3),
        _paragraph(sheets.CAPTIONS[0], _SMALL),
        first,
    ]
    if part["themes"]:
        story += [Spacer(1, 5), _paragraph(sheets.CAPTIONS[1], _SMALL)]
        shares = (0.12, 0.15, 0.105, 0.085, 0.085, 0.235, 0.22)
        story.append(_table(sheets.THEME_HEADER, sheets.theme_rows(part), shares=shares, right=(2, 3, 4)))
    if part["places"]:
        story += [Spacer(1, 5), _paragraph(sheets.CAPTIONS[2], _SMALL)]
        story.append(_table(sheets.PLACE_HEADER, sheets.place_rows(part), shares=(0.42, 0.13, 0.45)))
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
    numbers = set(right)
    texts = [[str(cell) for cell in row] for row in rows]
    # A row is kept whole unless one of its cells may be taller than a page.
    tall = any(len(cell) > _TALL_CELL for row in texts for cell in row)
    body = [[_paragraph(cell, _NUMBER if at in numbers else _CELL) for at, cell in enumerate(row)] for row in texts]
    style: list[Any] = [
        _FONT,
        ("GRID", (0, 0), (-1, -1), 0.4, _RULE),
        ("BACKGROUND", (0, 0), (-1, 0), _PALE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    if total:
        style += [("LINEABOVE", (0, -1), (-1, -1), 1, _BLUE), ("BACKGROUND", (0, -1), (-1, -1), _PALE)]
    heads = [_paragraph(cell, _HEAD) for cell in header]
    return Table(
        [heads, *body], colWidths=[_WIDTH * share for share in shares], repeatRows=1, style=style, splitInRow=int(tall)
    )
