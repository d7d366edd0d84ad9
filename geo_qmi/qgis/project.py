"""How do the layers of a package become a QGIS project one opens with a double click?

One group a map, bottom layer last as QGIS lists them, the first group shown; one A3 landscape layout a map, with title,
legend, scale bar and sources. Paths are relative: the project and its package travel together. It reads and writes no
file: the package is named, not opened.
"""

from __future__ import annotations

import io
import uuid
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from geo_qmi.qgis.style import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GEOMETRIES = {"area": "Polygon", "line": "Line", "point": "Point", "text": "Point", "": "No geometry"}
_LAMBERT = "EPSG:2154"
#: Numbers by which QGIS knows the items of a layout.
_PAGE, _MAP, _LABEL, _LEGEND, _BAR = "65638", "65639", "65641", "65642", "65646"
#: A3 landscape: the map on the left, its legend on the right, in millimetres.
_PAGE_MM, _FRAME_MM, _PANEL_MM = (420.0, 297.0), (10.0, 24.0, 300.0, 263.0), (318.0, 24.0)
_DATE = (1980, 1, 1, 0, 0, 0)
#: Names drawn from it are the same each time.
_SPACE = uuid.UUID("6f0c8f54-60f2-4f0e-8d57-0a5ad1b6a0f1")


@dataclass(frozen=True, slots=True)
class Member:
    """One layer of the package in a group.

    Attributes
    ----------
    table
        Its name in the package.
    title
        French name.
    kind
        ``area``, ``line``, ``point``, ``text``; empty without geometry.
    style
        QML text.
    """

    table: str
    title: str
    kind: str
    style: str


@dataclass(frozen=True, slots=True)
class Group:
    """One map of a project, or a group of tables without layout.

    Attributes
    ----------
    title
        French name of the group and its layout.
    members
        Bottom first.
    extent_m
        ``xmin, ymin, xmax, ymax`` in EPSG:2154; ``None`` for a group without layout.
    credits
        Sources and licence written under the map.
    """

    title: str
    members: Sequence[tuple[str, str, str, str]]
    extent_m: tuple[float, float, float, float] | None = None
    credits: str = ""


def project(groups: Sequence[Group], *, title: str, data: str) -> bytes:
    """Return a ``.qgz`` project.

    Parameters
    ----------
    groups
        The first is shown, the others wait to be ticked. ``members`` are (table, French title, kind, QML text) with
        kind ``area``, ``line``, ``point`` or ``text``, empty for a table without geometry.
    title
        French title of the project.
    data
        Name of the GeoPackage beside it.
    """
    root = ET.Element("qgis", projectname=title, version=VERSION)
    ET.SubElement(root, "homePath", path="")
    ET.SubElement(root, "title").text = title
    _system(ET.SubElement(root, "projectCrs"))
    tree = ET.SubElement(root, "layer-tree-group")
    layers = ET.Element("projectlayers")
    for number, group in enumerate(groups):
        branch = _branch(group, shown=number == 0, data=data)
        tree.append(branch)
        layers.extend([_layer(Member(*member), group, data) for member in group.members])
    root.append(layers)
    order = ET.SubElement(root, "layerorder")
    for group in groups:
        for member in reversed(group.members):
            ET.SubElement(order, "layer", id=_ident(group, member[0]))
    first = next((group for group in groups if group.extent_m), None)
    if first is not None and first.extent_m is not None:
        _canvas(root, first.extent_m)
    properties = ET.SubElement(root, "properties")
    ET.SubElement(ET.SubElement(properties, "Paths"), "Absolute", type="bool").text = "false"
    ET.SubElement(ET.SubElement(properties, "SpatialRefSys"), "ProjectionsEnabled", type="int").text = "1"
    sheets = ET.SubElement(root, "Layouts")
    sheets.extend([_layout(group, group.extent_m, data) for group in groups if group.extent_m])
    text = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"{data.removesuffix('.gpkg')}.qgs", _DATE)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, text)
    return packed.getvalue()


def _ident(group: Group, table: str) -> str:
    return f"{table}_{uuid.uuid5(_SPACE, f'{group.title}/{table}').hex}"


def _source(data: str, table: str) -> str:
    return f"./{data}|layername={table}"


def _system(parent: ET.Element) -> None:
    system = ET.SubElement(parent, "spatialrefsys", nativeFormat="Wkt")
    # QGIS looks at the authority code only beside a number of its own table of systems.
    ET.SubElement(system, "srsid").text = "145"
    ET.SubElement(system, "srid").text = "2154"
    ET.SubElement(system, "authid").text = _LAMBERT


def _branch(group: Group, *, shown: bool, data: str) -> ET.Element:
    tick: dict[str, Any] = {"checked": "Qt::Checked" if shown else "Qt::Unchecked", "expanded": "1" if shown else "0"}
    branch = ET.Element("layer-tree-group", name=group.title, **tick)
    for table, title, _, _ in reversed(group.members):
        ET.SubElement(
            branch, "layer-tree-layer", id=_ident(group, table), name=title, source=_source(data, table),
            providerKey="ogr", checked="Qt::Checked", expanded="1" if shown else "0",
        )  # fmt: skip
    return branch


def _layer(member: Member, group: Group, data: str) -> ET.Element:
    layer = ET.Element("maplayer", type="vector", geometry=_GEOMETRIES[member.kind], labelsEnabled="1")
    ET.SubElement(layer, "id").text = _ident(group, member.table)
    ET.SubElement(layer, "datasource").text = _source(data, member.table)
    ET.SubElement(layer, "layername").text = member.title
    _system(ET.SubElement(layer, "srs"))
    ET.SubElement(layer, "provider", encoding="UTF-8").text = "ogr"
    if member.style:
        layer.extend(ET.fromstring(member.style.partition("\n")[2]))  # noqa: S314 — our own text
    return layer


def _canvas(root: ET.Element, extent: tuple[float, float, float, float]) -> None:
    canvas = ET.SubElement(root, "mapcanvas", name="theMapCanvas")
    ET.SubElement(canvas, "units").text = "meters"
    box = ET.SubElement(canvas, "extent")
    for side, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True):
        ET.SubElement(box, side).text = repr(float(value))
    _system(ET.SubElement(canvas, "destinationsrs"))


def _layout(group: Group, extent: tuple[float, float, float, float], data: str) -> ET.Element:
    sheet = ET.Element("Layout", name=group.title, units="mm", printResolution="300", worldFileMap="")
    pages = ET.SubElement(sheet, "PageCollection")
    page = _item(pages, _PAGE, "page", (0.0, 0.0, *_PAGE_MM))
    ET.SubElement(page, "FrameColor", red="255", green="255", blue="255", alpha="255")
    drawn = _item(sheet, _MAP, f"carte {group.title}", _FRAME_MM, frame="true", keepLayerSet="true", id="Carte")
    window = _fitted(extent)
    sides = dict(zip(("xmin", "ymin", "xmax", "ymax"), map(repr, window), strict=True))
    ET.SubElement(drawn, "Extent", sides)
    listed = ET.SubElement(drawn, "LayerSet")
    for table, title, _, _ in reversed(group.members):
        layer = ET.SubElement(listed, "Layer", name=title, source=_source(data, table), provider="ogr")
        layer.text = _ident(group, table)
    left, top = _PANEL_MM
    _label(sheet, group.title, "titre", (10.0, 8.0, 400.0, 14.0), points=16)
    legend = _item(
        sheet, _LEGEND, f"légende {group.title}", (left, top, 92.0, 150.0), title="Légende", legendFilterByAtlas="0",
        resizeToContents="1", columnCount="1", map_uuid=drawn.get("uuid", ""), id="Légende", symbolWidth="6",
        symbolHeight="3.5", boxSpace="1", lineSpacing="0.8", wrapChar="", columnSpace="2", symbolAlignment="1",
    )  # fmt: skip
    legend.append(_branch(group, shown=True, data=data))
    _fonts(legend)
    metres = _round_step((window[2] - window[0]) / 10)
    bar = _item(
        sheet, _BAR, f"échelle {group.title}", (left, 240.0, 90.0, 14.0), style="Single Box", unitType="meters",
        unitLabel="m", numUnitsPerScaleBarUnit="1", numSegments="2", numSegmentsLeft="0", height="3",
        numUnitsPerSegment=str(metres), mapUuid=drawn.get("uuid", ""), id="Échelle",
    )  # fmt: skip
    _text_style(bar, points=8)
    _label(sheet, group.credits, "sources", (left, 256.0, 92.0, 31.0), points=7)
    return sheet


def _item(parent: ET.Element, kind: str, name: str, box: tuple[float, float, float, float], **more: str) -> ET.Element:
    ident = f"{{{uuid.uuid5(_SPACE, name)}}}"
    x, y, width, height = box
    place = {
        "position": f"{x},{y},mm", "positionOnPage": f"{x},{y},mm", "size": f"{width},{height},mm",
        "referencePoint": "0", "opacity": "1", "visibility": "1", "background": "true", "itemRotation": "0",
    }  # fmt: skip
    return ET.SubElement(parent, "LayoutItem", {"type": kind, "uuid": ident, "templateUuid": ident} | place | more)


def _label(sheet: ET.Element, text: str, name: str, box: tuple[float, float, float, float], *, points: int) -> None:
    item = _item(sheet, _LABEL, f"{name} {text}", box, labelText=text, htmlState="0", halign="1", valign="32", id=name)
    # QGIS before 3.24 reads the font here, later ones in the text style.
    ET.SubElement(item, "LabelFont", description=_font(points), style="Book")
    ET.SubElement(item, "FontColor", red="51", green="51", blue="51", alpha="255")
    _text_style(item, points=points)


def _fonts(legend: ET.Element) -> None:
    """Set sizes and spaces of a legend, tight enough for a map of twenty classes."""
    styles = ET.SubElement(legend, "styles")
    for name, points, top in (
        ("title", 11, 0),
        ("group", 9, 2),
        ("subgroup", 8, 1.5),
        ("symbol", 7, 0.8),
        ("symbolLabel", 7, 0.8),
    ):
        style = ET.SubElement(
            styles, "style", name=name, alignment="1", marginTop=str(top), marginBottom="0.5", marginLeft="1"
        )
        ET.SubElement(style, "styleFont", description=_font(points), style="Book")
        _text_style(style, points=points)


def _font(points: int) -> str:
    """Return a font as Qt 5 writes it."""
    return f"DejaVu Sans,{points},-1,5,50,0,0,0,0,0,Book"


def _text_style(parent: ET.Element, *, points: int) -> None:
    ET.SubElement(
        parent, "text-style", fontFamily="DejaVu Sans", fontSize=str(points), fontSizeUnit="Point",
        namedStyle="Book", textColor="51,51,51,255", textOpacity="1",
    )  # fmt: skip


def _fitted(extent: Iterable[float]) -> tuple[float, float, float, float]:
    """Return the extent widened to the proportions of the frame: QGIS would stretch nothing but cut."""
    xmin, ymin, xmax, ymax = (float(value) for value in extent)
    width, height = _FRAME_MM[2:]
    scale = max((xmax - xmin) / width, (ymax - ymin) / height, 1e-9)
    x, y = (xmin + xmax) / 2, (ymin + ymax) / 2
    return (x - scale * width / 2, y - scale * height / 2, x + scale * width / 2, y + scale * height / 2)


def _round_step(metres: float) -> int:
    """Return the round number of metres just under `metres`: 1, 2 or 5 times a power of ten."""
    power = 10 ** max(0, len(str(int(metres))) - 1)
    return int(max(step * power for step in (1, 2, 5) if step * power <= max(metres, 1)))
