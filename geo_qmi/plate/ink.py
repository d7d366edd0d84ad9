"""How is a style put on paper: areas, hatching, lines, signs, words?

The only module that draws with matplotlib. A page is one set of axes in millimetres; nothing here knows a scale or
decides where a thing goes. Letters are DejaVu Sans, which matplotlib ships and lets embed; those French is written with
are cut out of it beforehand (``scripts/cut_letters.py``), which makes a sheet of words a third quicker.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from functools import cache
from itertools import accumulate, takewhile
from pathlib import Path as FilePath
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from geo_qmi.maps import INK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.transforms import TransformedPath

    from geo_qmi.maps import Style

#: Fonts as TrueType: letters stay letters. SVG letters as shapes, the same on every machine, no random mark. Letters
#: of a picture as wide as they were measured. The PDF writer asks `ps.fonttype` how many letters a font may hold:
#: without it each font is embedded twice.
_LOOK: Any = {
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "geo-qmi",
    "text.hinting": "no_hinting",
    "pdf.compression": 6,
}
MM_PER_INCH = 25.4
#: Millimetres in a typographic point.
MM_PER_PT = MM_PER_INCH / 72
#: A pixel of a style, in millimetres of an A3: the map is read closer on paper than on a screen.
_LINE_MM, SIGN_MM = 0.19, 0.21

_SIGNS = {
    "circle": Path.unit_circle().transformed(Affine2D().scale(0.4)),
    "ring": Path.unit_circle().transformed(Affine2D().scale(0.36)),
    "square": Path([(-0.36, -0.36), (0.36, -0.36), (0.36, 0.36), (-0.36, 0.36), (-0.36, -0.36)], closed=True),
    "up": Path([(0, 0.42), (0.42, -0.38), (-0.42, -0.38), (0, 0.42)], closed=True),
    "down": Path([(0, -0.42), (0.42, 0.38), (-0.42, 0.38), (0, -0.42)], closed=True),
    "cross": Path([(-0.34, -0.34), (0.34, 0.34), (-0.34, 0.34), (0.34, -0.34)], [1, 2, 1, 2]),
}
#: Width of the stroke of the signs that have no fill, as a share of their size.
_HOLLOW = {"ring": 0.15, "cross": 0.19}
_SIGN_EDGE = 0.07
#: What is drawn later lies on top, whatever its kind: matplotlib would put every line over every sign.
_ORDER = 1
_LETTERS = FilePath(__file__).resolve().parent / "letters"
#: Spaces at which French does not break a line: before « ; : ! ? » », after « « » and between a number and its noun.
_BOUND = re.compile(r" (?=[;:!?»])|(?<=«) |(?<=\d) (?=[^\W\d])")


#: matplotlib keeps one look for the whole process: two readers at once would take each other's away.
_ONE_AT_A_TIME = RLock()


@contextmanager
def look() -> Iterator[None]:
    """Write pages with the look of our sheets, one writer at a time."""
    with _ONE_AT_A_TIME, mpl.rc_context(_LOOK):
        yield


def page(width_mm: float, height_mm: float) -> tuple[Figure, Axes]:
    """Return an empty page and its axes, in millimetres from the lower left corner."""
    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), facecolor="#ffffff")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width_mm)
    axes.set_ylim(0, height_mm)
    return figure, axes


def saved(figure: Figure, form: str, *, title: str, description: str = "", dpi: int = 200) -> bytes:
    """Return a page as ``svg`` or ``png``, the same bytes for the same page; SVG carries the description too."""
    about: dict[str, str | None] = {"Title": title}
    if description:
        about["Description"] = description
    about |= {"Date": None, "Creator": "geo-qmi"} if form == "svg" else {"Software": "geo-qmi"}
    out = io.BytesIO()
    with look():
        figure.savefig(out, format=form, dpi=dpi, metadata=about)
    return out.getvalue()


def points_of(mm: float) -> float:
    """Return millimetres in typographic points."""
    return mm / MM_PER_PT


def areas(axes: Axes, shapes: Iterable[shapely.Geometry], style: Style, *, size: float, clip: Any = None) -> None:
    """Fill and outline polygons given in millimetres."""
    paths = [path for shape in shapes for path in _paths(shape)]
    face = _rgba(style.fill, style.opacity) if style.fill else "none"
    _collect(axes, paths, face=face, edge=style.line or "none", width_mm=style.width_px * _LINE_MM * size, clip=clip)


def lines(
    axes: Axes,
    shapes: Iterable[shapely.Geometry],
    *,
    colour: str,
    width_mm: float,
    clip: Any = None,
    dashed: bool = False,
) -> None:
    """Draw lines given in millimetres."""
    parts = shapely.get_parts(np.asarray(list(shapes), dtype=object))
    drawn = [shapely.get_coordinates(part) for part in parts if shapely.get_num_points(part) > 1]
    found = LineCollection(
        drawn,
        colors=colour,
        linewidths=points_of(width_mm),
        capstyle="round",
        joinstyle="round",
        linestyles="dashed" if dashed else "solid",
        zorder=_ORDER,
    )
    _add(axes, found, clip)


def styled_lines(
    axes: Axes, shapes: Iterable[shapely.Geometry], style: Style, *, size: float, clip: Any = None
) -> None:
    """Draw lines in the look of a style."""
    lines(axes, shapes, colour=style.line or INK, width_mm=style.width_px * _LINE_MM * size, clip=clip)


def signs(axes: Axes, spots: Iterable[Sequence[float]], style: Style, *, size: float, clip: Any = None) -> None:
    """Draw the sign of a style, with its letters, at points in millimetres."""
    side = style.size_px * SIGN_MM * size
    spots = [(float(x), float(y)) for x, y in spots]
    paths = [_SIGNS[style.shape].transformed(Affine2D().scale(side).translate(x, y)) for x, y in spots]
    hollow = style.shape in _HOLLOW
    _collect(
        axes,
        paths,
        face="none" if hollow or not style.fill else style.fill,
        edge=style.line or INK,
        width_mm=_HOLLOW.get(style.shape, _SIGN_EDGE) * side,
        clip=clip,
    )
    if not style.letters:
        return
    tall = style.letters_share() * side
    pt, ink = tall / MM_PER_PT, style.letters_ink()
    half = width_mm(style.letters, pt=pt, bold=True) / 2
    for x, y in spots:
        words(axes, (x - half, y - 0.36 * tall), style.letters, pt=pt, bold=True, colour=ink, clip=clip)


def rectangle(
    axes: Axes, box: Sequence[float], *, fill: str = "none", line: str = "none", width_mm: float = 0.2
) -> Rectangle:
    """Draw a rectangle given as ``x, y, width, height`` and return it, for clipping."""
    drawn = Rectangle(
        (box[0], box[1]),
        box[2],
        box[3],
        facecolor=fill,
        edgecolor=line,
        linewidth=points_of(width_mm),
        joinstyle="miter",
    )
    _add(axes, drawn)
    return drawn


def words(
    axes: Axes,
    spot: tuple[float, float],
    text: str,
    *,
    pt: float,
    bold: bool = False,
    colour: str = "#1a1a1a",
    halo: bool = False,
    clip: Any = None,
) -> None:
    """Write one line of text from a point of its baseline; `halo` lays white around the letters."""
    if halo:
        outline = TextPath((0, 0), text, size=pt, prop=_face(text, bold))
        around = Affine2D().scale(MM_PER_PT).translate(*spot)
        white = PathPatch(
            outline.transformed(around), facecolor="none", edgecolor="#ffffff", linewidth=pt * 0.28, joinstyle="round",
            alpha=0.9,
        )  # fmt: skip
        _add(axes, white)
    written = _Line(*spot, text, fontproperties=_face(text, bold), fontsize=pt, color=colour, parse_math=False)
    _add(axes, written, clip)
    if clip is not None:  # part of a sign, which a later sign may cover
        written.set_zorder(_ORDER)


class _Line(Text):
    """One line of letters on its baseline: there is nothing to lay out, so nothing is measured again."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw the letters."""
        x, y = self.get_transform().transform(self.get_position())
        if renderer.flipy():
            y = renderer.get_canvas_width_height()[1] - y
        pen = renderer.new_gc()
        pen.set_foreground(self.get_color())
        pen.set_clip_rectangle(self.get_clip_box())
        pen.set_clip_path(cast("TransformedPath | None", self.get_clip_path()))
        renderer.draw_text(pen, x, y, self.get_text(), self.get_fontproperties(), 0.0, mtext=self)
        pen.restore()
        self.stale = False


def width_mm(text: str, *, pt: float, bold: bool = False) -> float:
    """Return the width of a line of text; without kerning, so never less than what is drawn."""
    return sum(_advance(letter, bold) for letter in text) * pt * MM_PER_PT


@cache
def _advance(letter: str, bold: bool) -> float:
    """Return the width of a letter, in sizes of its font."""
    font = get_font(str(_file(letter, bold)))
    font.set_size(100, 72)
    sign = font.get_char_index(ord(letter))  # the first for what it lacks, an emoji: a box
    return float(font.load_glyph(sign, flags=LoadFlags.NO_HINTING).linearHoriAdvance) / 65536 / 100


def wrapped(text: str, width: float, *, pt: float, bold: bool = False) -> list[str]:
    """Return the lines of a text in a column; words are cut only when they are wider than it."""

    def fitting(part: str) -> int:
        """Return how many letters fit; the rest of an endless word is not even measured."""
        wide = accumulate(_advance(letter, bold) * pt * MM_PER_PT for letter in part)
        return sum(1 for _ in takewhile(lambda so_far: so_far <= width, wide))

    found = [""]
    for word in _BOUND.sub("\u00a0", text).split(" "):
        rest = word
        while len(rest) > 1 and (kept := fitting(rest)) < len(rest):
            found += [rest[: max(1, kept)], ""]
            rest = rest[max(1, kept) :]
        tried = f"{found[-1]} {rest}" if found[-1] else rest
        if fitting(tried) == len(tried):
            found[-1] = tried
        else:
            found.append(rest)
    return [line for line in found if line]


def _paths(shape: shapely.Geometry) -> list[Path]:
    """Return one compound path a polygon, holes turning the other way."""
    found = []
    for part in shapely.get_parts(shapely.orient_polygons(shape)):
        if part.geom_type != "Polygon":
            continue
        rings = [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
        codes = [[Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY] for ring in rings]
        found.append(Path(np.concatenate(rings), np.concatenate(codes)))
    return found


def _collect(axes: Axes, paths: list[Path], *, face: Any, edge: str, width_mm: float, clip: Any) -> None:
    if paths:
        found = PathCollection(
            paths,
            facecolors=face,
            edgecolors=edge,
            linewidths=points_of(width_mm),
            joinstyle="round",
            capstyle="round",
            zorder=_ORDER,
        )
        _add(axes, found, clip)


def _add(axes: Axes, found: Artist, clip: Any = None) -> None:
    """Lay something on the page, in millimetres; the edge of the page cuts it, so the axes need not."""
    found.set_transform(axes.transData)
    if clip is not None:
        found.set_clip_path(clip)
    axes.figure.add_artist(found)


def _rgba(colour: str, opacity: float) -> tuple[float, ...]:
    return (*(int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)), opacity)


def _file(text: str, bold: bool) -> FilePath:
    """Return the font of a text: the one cut for French where it has every letter, else the whole."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    cut = _LETTERS / name
    return cut if _known(cut).issuperset(map(ord, text)) else FilePath(mpl.get_data_path()) / "fonts" / "ttf" / name


@cache
def _known(path: FilePath) -> frozenset[int]:
    """Return the letters a font has."""
    return frozenset(get_font(str(path)).get_charmap())


def _face(text: str, bold: bool) -> FontProperties:
    return FontProperties(fname=str(_file(text, bold)))
