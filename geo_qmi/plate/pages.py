"""How are the pages of one map put together, and in which bytes do they leave?

The map in its frame, the panel beside it, then facing pages for what did not fit and for words that were said. What
lies outside the frame is neither drawn nor in the legend; names are placed so that none covers another.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.maps import INK, Layer, Map, hatch, words
from geo_qmi.plate import ink, panel
from geo_qmi.plate.naming import numbered, write_names
from geo_qmi.plate.paper import Sheet, sheet_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Closest and widest hatching on paper, in millimetres of an A3: what a style asks for in metres is kept between.
_HATCH_MM = (1.3, 3.2)
_GROUND = "#f7f7f4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """What the hall knows and a map does not.

    Attributes
    ----------
    heading
        French kind of the map (« Carte sensible »).
    edition
        French word of the edition: ``jury``, ``candidats``, ``public``.
    date
        Day of the sheet, as it is to be written; empty to write none.
    study
        Name of the study.
    """

    heading: str = ""
    edition: str = "jury"
    date: str = ""
    study: str = ""

    def band(self) -> str:
        """Return who may read the sheet."""
        who = {"jury": "Édition du jury : ne se transmet pas", "candidats": "Édition des candidats"}
        return who.get(self.edition, "Édition publique")


@dataclass(frozen=True, slots=True, eq=False)
class Pages:
    """The pages of one map.

    Attributes
    ----------
    sheet
        Frame and scale of the first page.
    figures
        Pages in order.
    title
        Of the document.
    remarks
        French sentences to tell whoever asked: what the frame cuts, what has no room.
    """

    sheet: Sheet
    figures: tuple[Figure, ...]
    title: str
    remarks: tuple[str, ...]

    def to_pdf(self) -> bytes:
        """Return all pages as one vector PDF, fonts embedded, the same bytes for the same map."""
        return assemble([self], title=self.title)

    def to_svg(self, page: int = 0) -> bytes:
        """Return one page as SVG."""
        return ink.saved(self.figures[page], "svg", title=self.title)

    def to_png(self, page: int = 0, *, dpi: int = 200) -> bytes:
        """Return one page as PNG at `dpi` dots an inch."""
        return ink.saved(self.figures[page], "png", title=self.title, dpi=dpi)


def assemble(documents: Iterable[Pages], *, title: str) -> bytes:
    """Return several maps as one PDF."""
    from matplotlib.backends.backend_pdf import PdfPages  # slow to load, and the other forms do without

    out = io.BytesIO()
    about = {"Title": title, "Creator": "geo-qmi", "CreationDate": None}
    with ink.look(), PdfPages(out, metadata=about) as pdf:
        for document in documents:
            for figure in document.figures:
                pdf.savefig(figure)
    return out.getvalue()


def draw(
    drawn: Map,
    *,
    paper: str = "A3",
    orientation: str = "landscape",
    scale: int | None = None,
    imprint: Imprint | None = None,
    verbatims: gpd.GeoDataFrame | None = None,
    lists: Sequence[tuple[str, Sequence[str]]] = (),
    around: gpd.GeoDataFrame | None = None,
) -> Pages:
    """Return the pages of a map.

    Parameters
    ----------
    drawn
        A map of `geo_qmi.maps`, EPSG:2154.
    paper, orientation, scale
        As for `geo_qmi.plate.sheet_for`; at a scale somebody asks for, the one district of a map must fit, and the
        ground around it may be cut.
    imprint
        Edition, date, kind of map.
    verbatims
        ``said`` and geometry (EPSG:2154, missing where it has no place): numbered on the map, listed on a facing page.
    lists
        Titles and lines of more lists, after the legend.
    around
        Table ``communes``: fills the frame where it is wider than the map of a district.

    Raises
    ------
    UnknownNameError, InputError
        No such paper; a scale at which the district does not fit.
    """
    imprint = imprint or Imprint()
    sheet = sheet_for(_extent(drawn), paper=paper, orientation=orientation, scale=scale, core_m=_core(drawn))
    if around is not None:
        drawn = _surrounded(drawn, around, sheet)
    seen, n_out = _visible(drawn, sheet)
    figure, axes = ink.page(sheet.width_mm, sheet.height_mm)
    clip = ink.rectangle(axes, sheet.frame_mm, fill=_GROUND)
    for layer in seen.layers:
        draw_layer(axes, layer, sheet, clip=clip)
    told = numbered(verbatims, sheet)
    unwritten = write_names(axes, seen, sheet, told)
    if drawn.nothing:
        _plaque(axes, sheet, drawn.nothing)
    ink.rectangle(axes, sheet.frame_mm, line=INK, width_mm=0.35 * sheet.size)
    remarks = _remarks(sheet, n_out) if _is_cut(drawn.extent_m, sheet) else []
    more = [("Lettres de la carte", unwritten), *lists, *_unplaced(drawn)]
    rest = _beside(axes, seen, sheet, imprint, notes=remarks, lists=more)
    facing = [*rest, *_said(told, sheet)]
    figures = [figure, *_facing(facing, sheet, imprint, title=drawn.title)]
    for number, one in enumerate(figures, start=1):
        _folio(one.axes[0], sheet, number=number, total=len(figures))
    heading = f"{imprint.heading} – " if imprint.heading else ""
    return Pages(sheet, tuple(figures), heading + drawn.title, tuple(remarks))


def _core(drawn: Map) -> tuple[float, ...] | None:
    """Return the bounds of the one district of a map, ``None`` when it has several or none."""
    own = [layer.frame for layer in drawn.layers if layer.name in {"districts", "districts_unknown"}]
    return tuple(own[0].total_bounds) if len(own) == 1 and len(own[0]) == 1 else None


def _extent(drawn: Map) -> tuple[float, ...]:
    """Return what should be seen: the extent of the map, and the whole of its district with some air."""
    core = _core(drawn)
    if core is None:
        return drawn.extent_m
    airy = shapely.buffer(shapely.box(*core), 0.02 * (core[2] - core[0])).bounds
    return tuple(shapely.total_bounds(np.array([shapely.box(*drawn.extent_m), shapely.box(*airy)], dtype=object)))


def _surrounded(drawn: Map, communes: gpd.GeoDataFrame, sheet: Sheet) -> Map:
    """Return the map with the communes its frame also shows, in the look of the neighbours and under their names."""
    layers = {layer.name: layer for layer in drawn.layers}
    ground = layers.get("communes")
    if ground is None or "other" not in ground.styles or "names" not in layers:
        return drawn
    window = shapely.box(*sheet.ground_m)
    more = communes[communes.intersects(window) & ~communes["insee"].isin(ground.frame["id"])]
    told = {"id": more["insee"], "label": more["name"]}
    shapes = gpd.GeoDataFrame({**told, "style": "other"}, geometry=more.geometry)
    named = gpd.GeoDataFrame(
        {**told, "style": "text"}, geometry=more.geometry.intersection(window).representative_point()
    )
    added = {"communes": shapes, "names": named}
    return replace(
        drawn,
        layers=tuple(
            replace(layer, frame=pd.concat([layer.frame, added[layer.name]], ignore_index=True))
            if layer.name in added and len(more)
            else layer
            for layer in drawn.layers
        ),
    )


def _visible(drawn: Map, sheet: Sheet) -> tuple[Map, int]:
    """Return the map with only what meets the frame, and how many features of interest do not."""
    window = shapely.box(*sheet.ground_m)
    layers, n_out = [], 0
    for layer in drawn.layers:
        inside = layer.frame.intersects(window)
        if layer.tooltip and layer.name != "communes":
            n_out += int((~inside).sum())
        if inside.any():
            layers.append(replace(layer, frame=layer.frame[inside]))
    return replace(drawn, layers=tuple(layers)), n_out


def draw_layer(axes: Axes, layer: Layer, sheet: Sheet, *, clip: Any) -> None:
    """Draw one layer, class by class in the order of its legend; names come later."""
    if layer.kind == "text":
        return
    frame = layer.frame
    pages = sheet.to_page(frame.geometry.to_numpy())
    kind = shapely.get_dimensions(pages)
    for key, style in layer.styles.items():
        mine = (frame["style"] == key).to_numpy()
        shapes = pages[mine & (kind == 2)]
        if len(shapes):
            ink.areas(axes, shapes, style, size=sheet.size, clip=clip)
            if style.hatch_m:
                _hatching(axes, shapes, layer.styles[key].hatch_m, colour=style.line, sheet=sheet, clip=clip)
        if (mine & (kind == 1)).any():
            ink.styled_lines(axes, pages[mine & (kind == 1)], style, size=sheet.size, clip=clip)
        if (mine & (kind == 0)).any():
            spots = shapely.get_coordinates(pages[mine & (kind == 0)])
            ink.signs(axes, spots, style, size=sheet.size, clip=clip)


def _hatching(axes: Axes, shapes: Any, spacing_m: float, *, colour: str, sheet: Sheet, clip: Any) -> None:
    """Draw the hatching of areas, as wide as their style asks for but readable on paper."""
    least, most = (limit * sheet.size for limit in _HATCH_MM)
    spacing = min(max(spacing_m * sheet.mm_per_m, least), most)
    x, y, width, tall = sheet.frame_mm
    window = shapely.box(x, y, x + width, y + tall)
    within = [shapely.intersection(shapely.make_valid(shape), window) for shape in shapes]
    drawn = [hatch(shape, spacing) for shape in within if not shape.is_empty]
    ink.lines(axes, [one for one in drawn if not one.is_empty], colour=colour, width_mm=0.24 * sheet.size, clip=clip)


def _plaque(axes: Axes, sheet: Sheet, sentence: str) -> None:
    """Write across the top of the frame that there is nothing to draw, and why."""
    x, y, width, tall = sheet.frame_mm
    pt, size = 9.5 * sheet.size, sheet.size
    lines = ink.wrapped(sentence, width - 24 * size, pt=pt, bold=True)
    wide = max(ink.width_mm(line, pt=pt, bold=True) for line in lines)
    high = len(lines) * pt * ink.MM_PER_PT * 1.3
    box = (x + 4 * size, y + tall - high - 8 * size, wide + 6 * size, high + 4 * size)
    ink.rectangle(axes, box, fill="#ffffff", line=INK, width_mm=0.25 * size)
    pieces = panel.paragraph(sentence, width=width - 24 * size, pt=pt, bold=True)
    panel.flow(pieces, axes, left=box[0] + 3 * size, top=box[1] + box[3] - 2 * size, bottom=0)


def _is_cut(extent_m: Sequence[float], sheet: Sheet) -> bool:
    """Tell whether the frame holds less than the map shows."""
    return not shapely.box(*sheet.ground_m).buffer(1).covers(shapely.box(*extent_m))


def _remarks(sheet: Sheet, n_out: int) -> list[str]:
    """Say what the frame cuts."""
    things = f" : {words(n_out)} objet{'s' if n_out > 1 else ''} hors du cadre" if n_out else ""
    return [f"À 1:{words(sheet.scale)}, le cadre coupe la carte{things}."]


def _unplaced(drawn: Map) -> list[tuple[str, list[str]]]:
    """Return what has no known place, as a list."""
    if drawn.unplaced.empty:
        return []
    first, *others = drawn.unplaced.columns
    rows = Counter(
        str(row[0]) + (f" ({row[1]})" if others else "")
        for row in drawn.unplaced[[first, *others[:1]]].itertuples(index=False)
    )
    counted = [f"{text} × {n}" if n > 1 else text for text, n in rows.items()]
    return [("Sans lieu connu, donc hors de la carte", counted)]


def _beside(
    axes: Axes,
    seen: Map,
    sheet: Sheet,
    imprint: Imprint,
    *,
    notes: Sequence[str],
    lists: Sequence[tuple[str, Sequence[str]]],
) -> list[panel.Piece]:
    """Draw the panel, and return what had no room in it."""
    x, y, width, tall = sheet.panel_mm
    size = sheet.size
    day = f"Feuille du {imprint.date}." if imprint.date else ""
    made = " ".join(part for part in (f"Étude : {imprint.study}." if imprint.study else "", day, "geo-qmi.") if part)
    foot = panel.foot(sheet, seen, lines=[*notes, made], pt=5.4 * size)
    head = _head(seen, imprint, width=width, size=size)
    bottom = y + panel.height(foot)
    panel.flow(head, axes, left=x, top=y + tall, bottom=y)
    panel.flow(foot, axes, left=x, top=bottom, bottom=y - 1)
    top = y + tall - panel.height(head)
    for shrink in (1.0, 0.92, 0.85, 0.78):
        body = panel.legend(seen, width=width, pt=7 * size * shrink, size=size * shrink)
        if panel.height(body) + 8 * size <= top - bottom:
            break
    legend = [*panel.heading("Légende", width=width, pt=8 * size, size=size), *body] if body else []
    said = panel.paragraph(seen.description, width=width, pt=6.2 * size)
    told = [*panel.heading("En mots", width=width, pt=8 * size, size=size), *said] if said else []
    return panel.flow(
        [*legend, *_lists(lists, width=width, size=size), *told], axes, left=x, top=top, bottom=bottom
    )  # fmt: skip


def _head(seen: Map, imprint: Imprint, *, width: float, size: float) -> list[panel.Piece]:
    """Return the title block: edition, kind, title with its numbers."""
    band = panel.paragraph(imprint.band(), width=width - 4 * size, pt=7 * size, bold=True, colour="#ffffff")
    high = panel.height(band) + 2 * size

    def edition(axes: Axes, left: float, top: float) -> None:
        ink.rectangle(axes, (left, top - high, width, high), fill="#7a1040" if imprint.edition == "jury" else "#1f4e79")
        panel.flow(band, axes, left=left + 2 * size, top=top - 0.9 * size, bottom=0)

    return [
        panel.Piece(high, edition),
        panel.gap(2.2 * size),
        *panel.paragraph(imprint.heading, width=width, pt=9 * size, colour="#4a4a4a"),
        *panel.paragraph(seen.title, width=width, pt=11.5 * size, bold=True),
        panel.gap(1.5 * size),
    ]


def _lists(lists: Sequence[tuple[str, Sequence[str]]], *, width: float, size: float) -> list[panel.Piece]:
    """Return lists under their titles."""
    pieces: list[panel.Piece] = []
    for title, lines in lists:
        if lines:
            pieces += panel.heading(title, width=width, pt=8 * size, size=size)
            pieces += [one for line in lines for one in panel.paragraph(line, width=width, pt=6.2 * size, mark="•")]
    return pieces


def _said(told: pd.DataFrame, sheet: Sheet) -> list[panel.Piece]:
    """Return the numbered words, those of the frame first."""
    width, size = _columns(sheet)[1], sheet.size
    titles = {0: "Ce qui a été dit, par numéro de la carte", 1: "Dit hors du cadre", 2: "Dit sans lieu"}
    pieces: list[panel.Piece] = []
    for where, rows in told.groupby("where"):
        pieces += panel.heading(titles[int(str(where))], width=width, pt=8 * size, size=size)
        for row in rows.itertuples():
            pieces += panel.paragraph(f"« {row.said} »", width=width, pt=6.4 * size, mark=f"{row.number}")
            pieces.append(panel.gap(0.6 * size))
    return pieces


def _columns(sheet: Sheet) -> tuple[int, float]:
    """Return the number of columns of a facing page and their width."""
    count = 3 if sheet.width_mm > sheet.height_mm else 2
    inner = sheet.width_mm - 2 * sheet.frame_mm[0]
    return count, (inner - (count - 1) * 8 * sheet.size) / count


def _facing(pieces: list[panel.Piece], sheet: Sheet, imprint: Imprint, *, title: str) -> list[Figure]:
    """Return as many facing pages as the pieces need."""
    figures = []
    count, width = _columns(sheet)
    margin, size = sheet.frame_mm[0], sheet.size
    while pieces:
        figure, axes = ink.page(sheet.width_mm, sheet.height_mm)
        top = sheet.height_mm - margin
        ink.words(axes, (margin, top - 4 * size), imprint.band(), pt=7 * size, bold=True, colour="#7a1040")
        ink.words(axes, (margin, top - 9 * size), title, pt=10 * size, bold=True)
        left_before = len(pieces)
        for column in range(count):
            pieces = panel.flow(
                pieces, axes, left=margin + column * (width + 8 * size), top=top - 12 * size, bottom=margin
            )
        figures.append(figure)
        if len(pieces) == left_before:  # a piece taller than a page: it cannot be shown whole anywhere
            break
    return figures


def _folio(axes: Axes, sheet: Sheet, *, number: int, total: int) -> None:
    """Write the number of a page of several."""
    if total > 1:
        text, pt = f"{number}/{total}", 6 * sheet.size
        right = sheet.width_mm - sheet.frame_mm[0] - ink.width_mm(text, pt=pt)
        ink.words(axes, (right, sheet.frame_mm[1] / 2), text, pt=pt, colour="#4a4a4a")
