"""Which sheet of paper can be drawn on by anybody and still be put back on the ground?

An A3 page, 420 × 297 mm, vectors only, fonts embedded. The drawing area is empty but for the perimeter; control
crosses, the code of the sheet and the fields to fill stand outside it, where nobody scribbles. Numbered marks on the
left, their words on the right. With a perimeter the sheet has a scale and each cross its Lambert-93 coordinates.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo_qmi.errors import InputError
from geo_qmi.vocabulary import SENSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import shapely

PAGE_MM = (420.0, 297.0)
#: Drawing area: left, bottom, right, top, in millimetres from the bottom left corner of the page.
FRAME_MM = (22.0, 30.0, 292.0, 257.0)
#: From the frame to the centre of a cross: outside, and inside what a scanner keeps of an A3 page.
_CROSS_OUT_MM, _CROSS_ARM_MM = 7.0, 4.0
_SCALES = (500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 7_500, 10_000, 15_000, 20_000, 25_000)
_LINES = 22
_COLUMNS = (("N°", 8.0), ("Heure", 13.0), ("Sens", 15.0), ("-2 … +2", 15.0), ("Vos mots", 47.0))
_MM = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Cross:
    """One control cross: its name, its place on the page (mm from the top left corner) and on the ground."""

    name: str
    right_mm: float
    down_mm: float
    x: float | None
    y: float | None


def crosses(perimeter: shapely.Geometry | None) -> list[Cross]:
    """Return the eight control crosses, clockwise from the top left; ground coordinates when there is a perimeter."""
    left, bottom, right, top = FRAME_MM
    columns = (left - _CROSS_OUT_MM, (left + right) / 2, right + _CROSS_OUT_MM)
    lines = (top + _CROSS_OUT_MM, (bottom + top) / 2, bottom - _CROSS_OUT_MM)
    ring = ((0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1))
    ground = None if perimeter is None else _Ground.of(perimeter)
    found = []
    for name, (column, line) in zip("ABCDEFGH", ring, strict=True):
        x_mm, y_mm = columns[column], lines[line]
        x, y = (None, None) if ground is None else ground.at(x_mm, y_mm)
        found.append(Cross(name, x_mm, PAGE_MM[1] - y_mm, x, y))
    return found


@dataclass(frozen=True, slots=True)
class _Ground:
    """Scale and centre of the map: page millimetres ↔ Lambert-93."""

    scale: int
    x: float
    y: float

    @classmethod
    def of(cls, perimeter: shapely.Geometry) -> _Ground:
        xmin, ymin, xmax, ymax = perimeter.bounds
        left, bottom, right, top = FRAME_MM
        needed = 1000 * max((xmax - xmin) / (right - left), (ymax - ymin) / (top - bottom)) * 1.05
        scale = next((scale for scale in _SCALES if scale >= needed), 0)
        if not scale or not math.isfinite(needed):
            raise InputError(
                "Fiche A3 : le périmètre dépasse 5 km, une marche tient dans moins → donnez celui du quartier."
            )
        return cls(scale, round((xmin + xmax) / 2), round((ymin + ymax) / 2))

    def at(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        left, bottom, right, top = FRAME_MM
        step = self.scale / 1000
        return (
            round(self.x + (x_mm - (left + right) / 2) * step, 2),
            round(self.y + (y_mm - (bottom + top) / 2) * step, 2),
        )

    def on_page(self, x: float, y: float) -> tuple[float, float]:
        left, bottom, right, top = FRAME_MM
        step = self.scale / 1000
        return (left + right) / 2 + (x - self.x) / step, (bottom + top) / 2 + (y - self.y) / step


def sheet(*, code: str, title: str, perimeter: shapely.Geometry | None = None) -> bytes:
    """Return the sheet as a PDF of one page.

    Parameters
    ----------
    code
        Printed large outside the drawing area and repeated at the foot: it says which sheet this is once scanned.
    title
        Name of the walk.
    perimeter
        Geometry in EPSG:2154, drawn as an outline.

    Raises
    ------
    InputError
        The perimeter is too large for a walk.
    """
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    for name, file in (("Sheet", "Vera.ttf"), ("Sheet-Bold", "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, file))
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(PAGE_MM[0] * _MM, PAGE_MM[1] * _MM), invariant=1, initialFontName="Sheet")
    canvas.setTitle(f"{title} — fiche {code}")
    canvas.setAuthor("geo-qmi")
    canvas.scale(_MM, _MM)
    page = _Page(canvas)
    page.head(title=title, code=code)
    page.frame(crosses(perimeter))
    if perimeter is not None:
        page.perimeter(perimeter, _Ground.of(perimeter))
    page.table()
    page.foot(code, perimeter)
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


class _Page:
    """The parts of the sheet, drawn in millimetres."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas

    def text(
        self, x: float, y: float, words: str, *, size: float = 3.2, bold: bool = False, right: bool = False
    ) -> None:
        self.canvas.setFont("Sheet-Bold" if bold else "Sheet", size)
        draw = self.canvas.drawRightString if right else self.canvas.drawString
        draw(x, y, words)

    def field(self, x: float, y: float, label: str, *, to: float) -> None:
        """Draw a label and the line to write on."""
        self.text(x, y, label)
        start = x + self.canvas.stringWidth(label, "Sheet", 3.2) + 2
        self.canvas.setLineWidth(0.2)
        self.canvas.line(start, y - 0.8, to, y - 0.8)

    def head(self, *, title: str, code: str) -> None:
        left, _, right, _ = FRAME_MM
        room = FRAME_MM[2] - left
        size = min(6.0, 6.0 * room / max(self.canvas.stringWidth(title, "Sheet-Bold", 6.0), 1.0))
        self.text(left, 283, title, size=size, bold=True)
        self.text(left, 276.5, "Placez un numéro sur la carte à chaque ressenti, et racontez-le à droite, même numéro.")
        self.canvas.setLineWidth(0.5)
        self.canvas.rect(right + 16, 275, 98, 14)
        self.text(right + 18, 283.5, "Code de la fiche", size=2.8)
        self.text(right + 18, 277, code[:24], size=6, bold=True)
        for y, label in ((266, "Pseudonyme (jamais votre nom) :"), (258, "Vous êtes (habitant, commerçant…) :")):
            self.field(right + 16, y, label, to=right + 114)
        self.field(right + 16, 250, "Date :", to=right + 56)
        self.field(right + 58, 250, "Début :", to=right + 85)
        self.field(right + 87, 250, "Fin :", to=right + 114)

    def frame(self, found: list[Cross]) -> None:
        left, bottom, right, top = FRAME_MM
        self.canvas.setLineWidth(0.5)
        self.canvas.rect(left, bottom, right - left, top - bottom)
        for cross in found:
            x, y = cross.right_mm, PAGE_MM[1] - cross.down_mm
            self.canvas.setLineWidth(0.25)
            self.canvas.line(x - _CROSS_ARM_MM, y, x + _CROSS_ARM_MM, y)
            self.canvas.line(x, y - _CROSS_ARM_MM, x, y + _CROSS_ARM_MM)
            self.text(x + 1, y + 1, cross.name, size=2.8, bold=True)
            if cross.x is not None and cross.y is not None and "B" != cross.name != "F":
                self._coordinates(cross, x, y)

    def _coordinates(self, cross: Cross, x: float, y: float) -> None:
        """Write the ground coordinates beside a cross, upright along the sides."""
        self.canvas.saveState()
        self.canvas.translate(x - 2, y + (6 if cross.name in "EGDH" else -26))
        self.canvas.rotate(90)
        self.text(0, 0, f"{cross.x:.0f} ; {cross.y:.0f}", size=2)
        self.canvas.restoreState()

    def perimeter(self, perimeter: shapely.Geometry, ground: _Ground) -> None:
        self.canvas.saveState()
        left, bottom, right, top = FRAME_MM
        clip = self.canvas.beginPath()
        clip.rect(left, bottom, right - left, top - bottom)
        self.canvas.clipPath(clip, stroke=0)
        self.canvas.setLineWidth(0.4)
        self.canvas.setDash(2, 1.2)
        for line in _outlines(perimeter):
            path = self.canvas.beginPath()
            points = [ground.on_page(x, y) for x, y in line]
            path.moveTo(*points[0])
            for point in points[1:]:
                path.lineTo(*point)
            self.canvas.drawPath(path)
        self.canvas.restoreState()

    def table(self) -> None:
        left, top, height = FRAME_MM[2] + 16, 243.0, 9.0
        width = sum(each for _, each in _COLUMNS)
        self.canvas.setLineWidth(0.2)
        for line in range(_LINES + 2):
            self.canvas.line(left, top - line * height, left + width, top - line * height)
        x = left
        for label, each in _COLUMNS:
            self.canvas.line(x, top, x, top - (_LINES + 1) * height)
            self.text(x + 1.2, top - 6, label, size=2.8, bold=True)
            x += each
        self.canvas.line(x, top, x, top - (_LINES + 1) * height)
        for line in range(1, _LINES + 1):
            self.text(left + 1.5, top - line * height - 6, str(line), size=2.8)

    def foot(self, code: str, perimeter: shapely.Geometry | None) -> None:
        left, _, right, _ = FRAME_MM
        senses = ", ".join(SENSES.values())
        self.text(left, 15.5, f"Sens : {senses}. De -2 (très négatif) à +2 (très positif).", size=2.8)
        self.text(
            left,
            11,
            "Entourez une zone si quelque chose manque, et dites quoi. Rien ressenti : écrivez « rien ».",
            size=2.8,
        )
        self.text(left, 6.5, "Ne dessinez pas sur les croix A à H : elles remettent la fiche sur la carte.", size=2.8)
        self.text(right + 114, 6.5, f"Fiche {code[:24]}", size=2.8, right=True)
        if perimeter is not None:
            self._scale(right, _Ground.of(perimeter))

    def _scale(self, right: float, ground: _Ground) -> None:
        length_m = 100 if ground.scale <= 5_000 else 500
        length = length_m / ground.scale * 1000
        self.canvas.setLineWidth(0.6)
        self.canvas.line(right - length, 11, right, 11)
        self.text(right, 13, f"{length_m} m", size=2.8, right=True)
        scale = f"{ground.scale:,}".replace(",", " ")
        self.text(right, 6.5, f"1:{scale} — Lambert-93, nord en haut", size=2.8, right=True)


def _outlines(shape: shapely.Geometry) -> Iterator[list[tuple[float, float]]]:
    for part in getattr(shape, "geoms", [shape]):
        lines = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for line in lines:
            yield [(x, y) for x, y, *_ in line.coords]
