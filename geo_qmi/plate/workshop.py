"""Which sheets lie on the table of a workshop, and where on the ground is each millimetre of them?

One base map of the district at a true Lambert-93 scale, and one sheet to print on transparent film for each group of
actors. All bear the same frame and eight control crosses; crosses and the code of the sheet stand outside the frame,
where nobody draws. `described` says of every sheet what the import of a scan needs. It computes no result, opens no
file and places nothing it does not know.

    table = sheet_of(drawn, paper="A3", code="AUL-A1", groups={"resident": "Habitants"})
    table.base(drawn, title="Atelier"), table.films(title="Atelier")  -> Pages;   described(table) -> plain JSON types
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from geo_qmi.errors import InputError
from geo_qmi.maps import INK
from geo_qmi.plate import ink
from geo_qmi.plate.pages import Pages, draw_layer
from geo_qmi.plate.paper import LARGEST_FIRST, sheet_for
from geo_qmi.vocabulary import WORKSHOP_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geo_qmi.maps import Layer, Map, Style
    from geo_qmi.plate.paper import Sheet

#: Version of the description of the sheets.
LAYOUT = 1
#: White around the frame of an A3, from the frame to the centre of a cross, and half a cross. A printer that leaves
#: 5 mm of the page blank still prints every cross whole.
_WHITE_MM, _OUT_MM, _ARM_MM = 9.0, 7.0, 3.5
#: Crosses clockwise from the top left: share of the width and of the height of the frame.
_AROUND = {
    "A": (0, 1),
    "B": (0.5, 1),
    "C": (1, 1),
    "D": (1, 0.5),
    "E": (1, 0),
    "F": (0.5, 0),
    "G": (0, 0),
    "H": (0, 0.5),
}
_GREY = "#5a5a5a"
#: What is drawn for each class of object.
_SIGNS = {"favourable_place": "un rond ●", "project_type": "un carré ■", "attention_point": "un triangle ▲"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The sheets of one workshop.

    Attributes
    ----------
    sheet
        Page, frame, scale and centre shared by all sheets.
    code
        Of the base map; overlays add a letter.
    groups
        Code of the group → French label, in the order of the overlays.
    """

    sheet: Sheet
    code: str
    groups: Mapping[str, str]

    @property
    def overlays(self) -> dict[str, str]:
        """Code of each overlay → code of its group."""
        return {f"{self.code}-{chr(65 + n)}": group for n, group in enumerate(self.groups)}

    def crosses(self) -> list[tuple[str, float, float, float, float]]:
        """Return name, millimetres of the page (from the lower left corner) and EPSG:2154 of each cross."""
        sheet, out = self.sheet, _OUT_MM * self.sheet.size
        x, y, width, tall = sheet.frame_mm
        west, south, _, _ = sheet.ground_m
        found = []
        for name, (right, up) in _AROUND.items():
            at_x = x + right * width + (2 * right - 1) * out * (right != 0.5)
            at_y = y + up * tall + (2 * up - 1) * out * (up != 0.5)
            found.append((name, at_x, at_y, west + (at_x - x) / sheet.mm_per_m, south + (at_y - y) / sheet.mm_per_m))
        return found

    def base(self, drawn: Map, *, title: str) -> Pages:
        """Return the base map as a page."""
        return Pages(self.sheet, (_base(self, drawn, title=title),), f"{title} — feuille {self.code}", ())

    def films(self, *, title: str) -> Pages:
        """Return one page an overlay, in the order of `overlays`."""
        figures = tuple(_overlay(self, code, title=title) for code in self.overlays)
        return Pages(self.sheet, figures, f"{title} — calques de la feuille {self.code}", ())


def sheet_of(drawn: Map, *, paper: str, code: str, groups: Mapping[str, str], scale: int | None = None) -> Table:
    """Return the sheets of a workshop on one district.

    Parameters
    ----------
    drawn
        Map of the district (`geo_qmi.maps.district_map`); its one perimeter decides of the scale.
    paper
        ``A3``, ``A1`` or ``A0``, landscape.
    code
        Printed on the base map.
    groups
        Groups of actors: code → French label.
    scale
        Denominator; the largest round one at which the perimeter fits, by default.

    Raises
    ------
    InputError
        The district has no published perimeter, or does not fit at that scale.
    """
    own = [layer.frame for layer in drawn.layers if layer.name == "districts"]
    if not own or own[0].geometry.isna().all():
        raise InputError(
            "Périmètre non publié : une feuille d’atelier a besoin du périmètre du quartier → importez-le dans l’étude."
        )
    extent = [float(bound) for bound in own[0].total_bounds]
    plain = sheet_for(extent, paper=paper)
    white = _WHITE_MM * plain.size
    x, y, width, tall = plain.frame_mm
    frame = (x + white, y + white, width - 2 * white, tall - 2 * white)
    least = 1000 * max((extent[2] - extent[0]) / frame[2], (extent[3] - extent[1]) / frame[3])
    fitting = next(one for one in LARGEST_FIRST if one >= least)
    if scale is not None and scale < least:
        raise InputError(
            f"À 1:{scale}, le quartier ne tient pas sur une feuille {plain.paper} → demandez 1:{fitting}, ou un papier "
            "plus grand."
        )
    centre = ((extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2)
    sheet = replace(plain, frame_mm=frame, scale=scale or fitting, centre_m=centre)
    return Table(sheet=sheet, code=code, groups=groups)


def described(table: Table) -> dict[str, Any]:
    """Return what the import of a scan needs to know of every sheet, as plain JSON types; metres are EPSG:2154."""
    sheet = table.sheet
    crosses = [
        {"name": name, "right_mm": round(x, 3), "down_mm": round(sheet.height_mm - y, 3), "x": round(east, 3),
         "y": round(north, 3)}
        for name, x, y, east, north in table.crosses()
    ]  # fmt: skip
    return {
        "layout": LAYOUT,
        "crs": "EPSG:2154",
        "paper": sheet.paper,
        "width_mm": sheet.width_mm,
        "height_mm": sheet.height_mm,
        "scale": sheet.scale,
        "ground_m": [round(bound, 3) for bound in sheet.ground_m],
        "crosses": crosses,
        "sheets": [{"code": table.code, "actor_group": None}]
        + [{"code": code, "actor_group": group} for code, group in table.overlays.items()],
    }


# Drawing -----------------------------------------------------------------------------------------------------------


def _base(table: Table, drawn: Map, *, title: str) -> Figure:
    sheet = table.sheet
    figure, axes = ink.page(sheet.width_mm, sheet.height_mm)
    clip = ink.rectangle(axes, sheet.frame_mm, fill="#f7f7f4")
    window = shapely.box(*sheet.ground_m)
    for layer in drawn.layers:
        seen = replace(layer, frame=layer.frame[layer.frame.intersects(window)])
        draw_layer(axes, seen, sheet, clip=clip)
    for layer in drawn.layers:
        if layer.name == "communes":  # named where the frame shows them, not where the map did
            within = layer.frame.geometry.intersection(window)
            named = layer.frame.set_geometry(within.representative_point())[~within.is_empty]
            _names(axes, replace(layer, kind="text", frame=named), sheet)
        elif layer.name == "stations":
            _names(axes, layer, sheet)
    top = _marks_out(axes, table, code=table.code, title=title)
    said = [
        ("Sur la table", "Carte à plat, un calque par groupe dessus, croix sur croix. Dessinez sur les calques."),
        ("Légende", ""),
    ]
    down = _paragraphs(axes, sheet, said, top=top)
    for layer in reversed(drawn.layers):
        for style in layer.legend():
            down = _entry(axes, layer, style, sheet, top=down)
    _foot(axes, table, drawn.credits)
    return figure


def _overlay(table: Table, code: str, *, title: str) -> Figure:
    sheet = table.sheet
    figure, axes = ink.page(sheet.width_mm, sheet.height_mm)
    figure.patch.set_alpha(0)
    top = _marks_out(axes, table, code=code, title=title)
    group = table.groups[table.overlays[code]]
    kinds = ", ".join(f"{sign} pour un {WORKSHOP_KINDS[kind]}" for kind, sign in _SIGNS.items())
    said = [
        (f"Calque du groupe : {group}", "À imprimer sur film transparent, à 100 %. Posez-le croix sur croix."),
        ("Ce que l’on pose", f"{kinds[0].upper()}{kinds[1:]}, avec son numéro."),
        ("Rang", "Une fois tout posé, donnez un rang aux objets de chaque classe : 1 pour le plus important."),
        ("Numéro, libellé, rang", ""),
    ]
    down = _paragraphs(axes, sheet, said, top=top)
    left, _, width, _ = sheet.panel_mm
    step = 8.0 * sheet.size
    rules = []
    while down - step > sheet.panel_mm[1] + 24 * sheet.size:
        down -= step
        rules.append(shapely.LineString([(left, down), (left + width, down)]))
    ink.lines(axes, rules, colour="#9a9a9a", width_mm=0.15)
    _foot(axes, table, ())
    return figure


def _marks_out(axes: Axes, table: Table, *, code: str, title: str) -> float:
    """Draw what every sheet has in common, outside the frame but for its line, and return where the panel is free.

    Frame, crosses with their names, code of the sheet and title.
    """
    sheet, arm = table.sheet, _ARM_MM * table.sheet.size
    ink.rectangle(axes, sheet.frame_mm, line=INK, width_mm=0.3 * sheet.size)
    for name, x, y, _, _ in table.crosses():
        strokes = [shapely.LineString([(x - arm, y), (x + arm, y)]), shapely.LineString([(x, y - arm), (x, y + arm)])]
        ink.lines(axes, strokes, colour="#000000", width_mm=0.25)
        ink.words(axes, (x + 0.8 * sheet.size, y + 0.8 * sheet.size), name, pt=7 * sheet.size, bold=True)
    left, _, width, _ = sheet.panel_mm
    top = sheet.panel_mm[1] + sheet.panel_mm[3]
    box = (left, top - 17 * sheet.size, width, 17 * sheet.size)
    ink.rectangle(axes, box, line=INK, width_mm=0.4 * sheet.size)
    ink.words(axes, (left + 2 * sheet.size, top - 5 * sheet.size), "Code de la feuille", pt=7 * sheet.size)
    ink.words(axes, (left + 2 * sheet.size, top - 13.5 * sheet.size), code, pt=20 * sheet.size, bold=True)
    lines = ink.wrapped(title, width, pt=10 * sheet.size, bold=True)[:3]
    for n, line in enumerate(lines):
        ink.words(axes, (left, top - (23 + 4.6 * n) * sheet.size), line, pt=10 * sheet.size, bold=True)
    return top - (23 + 4.6 * len(lines)) * sheet.size


def _paragraphs(axes: Axes, sheet: Sheet, said: Sequence[tuple[str, str]], *, top: float) -> float:
    """Write headings and texts down the panel and return where they end."""
    left, _, width, _ = sheet.panel_mm
    step = 3.7 * sheet.size
    for heading, text in said:
        top -= 1.6 * step
        ink.words(axes, (left, top), heading, pt=8.5 * sheet.size, bold=True)
        for line in ink.wrapped(text, width, pt=7.5 * sheet.size):
            top -= step
            ink.words(axes, (left, top), line, pt=7.5 * sheet.size)
    return top


def _entry(axes: Axes, layer: Layer, style: Style, sheet: Sheet, *, top: float) -> float:
    """Draw one entry of the legend and return where it ends."""
    left, size = sheet.panel_mm[0], sheet.size
    base = top - 5.4 * size
    if layer.kind == "area":
        ink.areas(axes, [shapely.box(left, base, left + 7 * size, base + 3.6 * size)], style, size=size)
    elif layer.kind == "line":
        rule = shapely.LineString([(left, base + 1.8 * size), (left + 7 * size, base + 1.8 * size)])
        ink.styled_lines(axes, [rule], style, size=size)
    else:
        ink.signs(axes, [(left + 3.5 * size, base + 1.8 * size)], style, size=size)
    ink.words(axes, (left + 9.5 * size, base + 0.9 * size), style.label, pt=7.5 * size)
    return base


def _foot(axes: Axes, table: Table, credits_: Sequence[str]) -> None:
    """Write scale, scale bar and sources at the foot of the panel."""
    sheet = table.sheet
    left, bottom, width, _ = sheet.panel_mm
    size = sheet.size
    metres, length = sheet.bar()
    small = [line for credit in credits_ for line in ink.wrapped(credit, width, pt=5.5 * size)][:6]
    for n, line in enumerate(reversed(small)):
        ink.words(axes, (left, bottom + n * 2.5 * size), line, pt=5.5 * size, colour=_GREY)
    y = bottom + 17 * size
    ink.rectangle(axes, (left, y, length, 1.2 * size), fill=INK)
    scale = f"1:{sheet.scale:,}".replace(",", "\u202f")
    ink.words(axes, (left, y + 2.6 * size), f"{scale} — {metres} m — nord en haut (Lambert-93)", pt=8 * size, bold=True)


def _names(axes: Axes, layer: Layer, sheet: Sheet) -> None:
    """Write the names of stations or communes that lie well inside the frame."""
    x, y, width, tall = sheet.frame_mm
    spots = shapely.get_coordinates(sheet.to_page(layer.frame.geometry.to_numpy()))
    pt = (7.5 if layer.kind == "text" else 8.5) * sheet.size
    shift = 0.0 if layer.kind == "text" else 3.2 * sheet.size
    named = pd.DataFrame({"label": layer.frame["label"].to_numpy(), "right": spots[:, 0], "up": spots[:, 1]})
    near = (named[["right", "up"]] / (5 * sheet.size)).round().assign(label=named["label"])
    for text, right, up in named[~near.duplicated()].itertuples(index=False):  # platforms of one station: named once
        wide = ink.width_mm(str(text), pt=pt)
        left = right + shift if layer.kind != "text" else right - wide / 2
        if x < left and left + wide < x + width and y < up - 1 < y + tall - 4 * sheet.size:
            above = -1.0 if layer.kind == "text" else 0.8 * sheet.size  # clear of the tracks a station stands on
            ink.words(axes, (float(left), float(up) + above), str(text), pt=pt, halo=True, colour=_GREY)
