"""How does QGIS write the style of one layer: its classes, its names, its columns?

Classes of a layer become a categorised renderer; a graduated one where they are the intervals of one column of
numbers; a single symbol where there is one class; labels alone for a layer of names. Coded columns offer their words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pandas as pd
import shapely

from geo_qmi.maps import INK, Layer, Style
from geo_qmi.qgis.symbols import MM_PER_PX, colour, symbol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

#: The version whose way of writing this is; later ones read it.
VERSION = "3.22.16-Białowieża"
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
#: French titles of the columns every layer of a map has.
_TITLES = {"id": "Identifiant", "label": "Nom", "style": "Classe"}
_NUMBER = re.compile("[-−]?[0-9\u202f\u00a0]+(,[0-9]+)?")
_CLASS = re.compile("none|c[0-9]+")
#: How a missing value is worded in the cells of a map.
_UNKNOWN = "inconnu"
_POINTS_PER_PX = 72 / 96


def titles(layer: Layer) -> dict[str, str]:
    """Return column → French title of what `columns` gives."""
    return {name: _TITLES.get(name, name) for name in layer.frame.columns if name != "geometry"}


def columns(layer: Layer) -> gpd.GeoDataFrame:
    """Return the rows of a layer, worded numbers as numbers (missing where unknown), areas and lines as collections."""
    frame = layer.frame.copy()
    for name in layer.tooltip:
        cells = frame[name].astype("str")
        known = cells[cells != _UNKNOWN]
        if len(known) and known.map(lambda cell: bool(_NUMBER.fullmatch(cell))).all():
            frame[name] = cells.map(_number).astype("float64")
    if layer.kind in _MANY:
        frame.geometry = _MANY[layer.kind](frame.geometry)
    return frame


def _areas(shapes: gpd.GeoSeries) -> list[Any]:
    return [shapely.multipolygons([s]) if s.geom_type == "Polygon" else s for s in shapes]


def _lines(shapes: gpd.GeoSeries) -> list[Any]:
    return [shapely.multilinestrings([s]) if s.geom_type in {"LineString", "LinearRing"} else s for s in shapes]


#: A layer of QGIS has one type of geometry.
_MANY = {"area": _areas, "line": _lines}


def style(layer: Layer) -> str:
    """Return the QML text of a layer of a map.

    Returns
    -------
    Text for a ``layer_styles`` table, a ``.qml`` file or a project; the classes are those of the legend, their looks
    those of `Layer.styles`.
    """
    frame = columns(layer)
    if layer.kind == "text":
        parts = [ET.Element("renderer-v2", type="nullSymbol"), _labels(next(iter(layer.styles.values())))]
    else:
        parts = [_renderer(layer, frame)]
    words = {key: look.label or key for key, look in layer.styles.items()}
    return _qml(parts, titles=titles(layer), choices={"style": words})


def plain_style(
    kind: str, *, titles: Mapping[str, str], choices: Mapping[str, Mapping[str, str]], look: Style | None = None
) -> str:
    """Return the QML text of a table as it is kept: one look, French titles, words for codes.

    Parameters
    ----------
    kind
        ``area``, ``line`` or ``point``; empty for a table that is not drawn alike (several kinds) or has no place.
    titles
        Column → French title.
    choices
        Column → code → French words.
    look
        A thin ink outline by default.
    """
    parts = []
    if kind:
        chosen = look or Style(fill="" if kind == "area" else INK, line=INK, size_px=8.0)
        parts = [_single(chosen, kind)]
    return _qml(parts, titles=titles, choices=choices)


def graduated(layer: Layer, frame: gpd.GeoDataFrame) -> tuple[str, dict[str, tuple[float, float]]] | None:
    """Return the column whose intervals the classes are, and class → interval; ``None`` when there is none.

    Classes of `geo_qmi.maps.class_styles` are named ``c`` and their lowest number, ``none`` beside them; a column does
    when every row has a number and each class holds those from its own.
    """
    used = set(frame["style"])
    if not all(_CLASS.fullmatch(key) for key in used):
        return None
    for name in layer.tooltip:
        values = frame[name]
        if values.dtype != "float64" or values.isna().any() or len(used) < 2:
            continue
        spans = values.groupby(frame["style"]).agg(["min", "max"]).sort_values("min")
        apart = (spans["min"].iloc[1:].to_numpy() > spans["max"].iloc[:-1].to_numpy()).all()
        if apart and all(key == "none" or float(key[1:]) <= low for key, low in spans["min"].items()):
            return name, {str(key): (float(row["min"]), float(row["max"])) for key, row in spans.iterrows()}
    return None


def _renderer(layer: Layer, frame: gpd.GeoDataFrame) -> ET.Element:
    used = set(frame["style"])
    looks = {key: look for key, look in layer.styles.items() if key in used} or dict(layer.styles)
    if len(looks) == 1:
        return _single(next(iter(looks.values())), layer.kind)
    intervals = graduated(layer, frame)
    plain: dict[str, Any] = {"enableorderby": "0", "forceraster": "0", "symbollevels": "0"}
    if intervals:
        column, spans = intervals
        root = ET.Element("renderer-v2", type="graduatedSymbol", attr=column, graduatedMethod="GraduatedColor", **plain)
        listed = ET.SubElement(root, "ranges")
        for number, key in enumerate(spans):
            low, high = spans[key]
            ET.SubElement(
                listed, "range", lower=f"{low:.15f}", upper=f"{high:.15f}", symbol=str(number), render="true",
                label=looks[key].label or key,
            )  # fmt: skip
        looks = {key: looks[key] for key in spans}
    else:
        root = ET.Element("renderer-v2", type="categorizedSymbol", attr="style", **plain)
        listed = ET.SubElement(root, "categories")
        for number, (key, look) in enumerate(looks.items()):
            ET.SubElement(
                listed, "category", value=key, type="string", symbol=str(number), render="true", label=look.label or key
            )
    held = ET.SubElement(root, "symbols")
    held.extend([symbol(look, kind=layer.kind, name=str(number)) for number, look in enumerate(looks.values())])
    return root


def _single(look: Style, kind: str) -> ET.Element:
    root = ET.Element("renderer-v2", type="singleSymbol", enableorderby="0", forceraster="0", symbollevels="0")
    ET.SubElement(root, "symbols").append(symbol(look, kind=kind, name="0"))
    return root


def _labels(look: Style) -> ET.Element:
    """Return labels written from the column ``label``, with a white edge."""
    root = ET.Element("labeling", type="simple")
    settings = ET.SubElement(root, "settings", calloutType="simple")
    text = ET.SubElement(
        settings, "text-style", fieldName="label", fontFamily="DejaVu Sans", namedStyle="Book",
        fontSize=f"{look.size_px * _POINTS_PER_PX:g}", fontSizeUnit="Point", textColor=colour(look.line or INK),
        textOpacity="1", isExpression="0",
    )  # fmt: skip
    edge = {"bufferDraw": "1", "bufferSize": f"{2 * MM_PER_PX:.2f}", "bufferSizeUnits": "MM"}
    ET.SubElement(text, "text-buffer", edge | {"bufferColor": "255,255,255,255", "bufferOpacity": "1"})
    ET.SubElement(settings, "placement", placement="1", centroidInside="1", centroidWhole="0", priority="5")
    ET.SubElement(settings, "rendering", drawLabels="1", obstacle="1", scaleVisibility="0")
    return root


def _qml(parts: list[ET.Element], *, titles: Mapping[str, str], choices: Mapping[str, Mapping[str, str]]) -> str:
    root = ET.Element("qgis", version=VERSION, styleCategories="AllStyleCategories")
    root.extend(parts)
    forms = ET.SubElement(root, "fieldConfiguration")
    for name, words in choices.items():
        if name in titles and words:
            _offer(ET.SubElement(forms, "field", name=name), words)
    aliases = ET.SubElement(root, "aliases")
    # The first column of a GeoPackage is its row number.
    for number, (name, title) in enumerate(titles.items(), start=1):
        ET.SubElement(aliases, "alias", field=name, name=title, index=str(number))
    return _DOCTYPE + ET.tostring(root, encoding="unicode")


def _offer(field: ET.Element, words: Mapping[str, str]) -> None:
    """Write the list of words a form offers, each with its code."""
    config = ET.SubElement(ET.SubElement(field, "editWidget", type="ValueMap"), "config")
    held = ET.SubElement(ET.SubElement(config, "Option", type="Map"), "Option", type="List", name="map")
    for code, label in words.items():
        pair = ET.SubElement(held, "Option", type="Map")
        ET.SubElement(pair, "Option", type="QString", name=label, value=code)


def _number(cell: Any) -> float | None:
    if pd.isna(cell) or cell == _UNKNOWN:
        return None
    return float(re.sub("[\u202f\u00a0]", "", cell).replace("−", "-").replace(",", "."))
