"""How does QGIS write the look of one class: a fill, hatches, a line, a sign?

One `geo_qmi.maps.Style` becomes one symbol. Pixels of a screen become millimetres at 96 dots an inch, so that a screen
shows the same and paper keeps its size; hatches are lines of the ground, in metres, as everywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.maps import Style

MM_PER_PX = 25.4 / 96
#: Sign → name in QGIS and angle in degrees; a ring is a circle without fill.
_SIGNS = {
    "circle": ("circle", 0),
    "ring": ("circle", 0),
    "square": ("square", 0),
    "up": ("triangle", 0),
    "down": ("triangle", 180),
    "cross": ("cross2", 0),
}
_TYPES = {"area": "fill", "line": "line", "point": "marker"}


def symbol(style: Style, *, kind: str, name: str) -> ET.Element:
    """Return the symbol of one class.

    Parameters
    ----------
    kind
        ``area``, ``line`` or ``point``.
    name
        Number by which the renderer calls it.
    """
    root = _symbol(_TYPES[kind], name)
    if kind == "line":
        _layer(root, "SimpleLine", _stroke(style))
    elif kind == "point":
        _layer(root, "SimpleMarker", _sign(style))
        if style.letters:
            _layer(root, "FontMarker", _letters(style))
    else:
        _layer(root, "SimpleFill", _fill(style))
        if style.hatch_m:
            _hatch(root, style, name)
    return root


def colour(code: str, opacity: float = 1.0) -> str:
    """Return ``#rrggbb`` as QGIS writes it; nothing is transparent.

    Examples
    --------
    >>> colour("#ff8000", 0.5), colour("")
    ('255,128,0,128', '0,0,0,0')
    """
    if not code:
        return "0,0,0,0"
    red, green, blue = (int(code[place : place + 2], 16) for place in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"


def options(parent: ET.Element, values: Mapping[str, str]) -> None:
    """Write a map of texts below `parent`, as QGIS stores settings."""
    held = ET.SubElement(parent, "Option", type="Map")
    for key, value in values.items():
        ET.SubElement(held, "Option", type="QString", name=key, value=value)


def _symbol(kind: str, name: str) -> ET.Element:
    return ET.Element("symbol", type=kind, name=name, alpha="1", clip_to_extent="1", force_rhr="0")


def _layer(root: ET.Element, name: str, values: Mapping[str, str]) -> ET.Element:
    attributes = {"class": name, "enabled": "1", "locked": "0", "pass": "0"}
    layer = ET.SubElement(root, "layer", attributes)
    options(layer, values)
    return layer


def _mm(pixels: float) -> str:
    return f"{pixels * MM_PER_PX:.3f}"


def _outline(style: Style) -> dict[str, str]:
    return {
        "outline_color": colour(style.line),
        "outline_style": "solid" if style.line else "no",
        "outline_width": _mm(style.width_px),
        "outline_width_unit": "MM",
    }


def _fill(style: Style) -> dict[str, str]:
    filled = {"color": colour(style.fill, style.opacity), "style": "solid" if style.fill else "no"}
    return filled | _outline(style) | {"joinstyle": "round"}


def _stroke(style: Style) -> dict[str, str]:
    return {
        "line_color": colour(style.line or style.fill, style.opacity),
        "line_style": "solid",
        "line_width": _mm(style.width_px),
        "line_width_unit": "MM",
        "capstyle": "round",
        "joinstyle": "round",
    }


def _sign(style: Style) -> dict[str, str]:
    name, angle = _SIGNS[style.shape]
    hollow = style.shape == "ring"
    outline = _outline(style)
    if hollow and not style.line:
        outline |= {"outline_color": colour(style.fill), "outline_style": "solid"}
    size = {"name": name, "angle": str(angle), "size": _mm(style.size_px), "size_unit": "MM"}
    return size | {"color": colour("" if hollow else style.fill, style.opacity)} | outline


def _letters(style: Style) -> dict[str, str]:
    size = _mm(style.size_px * style.letters_share())
    written = colour(style.letters_ink())
    return {"font": "DejaVu Sans", "chr": style.letters, "color": written, "size": size, "size_unit": "MM"}


def _hatch(root: ET.Element, style: Style, name: str) -> None:
    spacing = {"distance": f"{style.hatch_m:g}", "distance_unit": "MapUnit", "angle": "45"}
    layer = _layer(root, "LinePatternFill", spacing)
    line = _symbol("line", f"@{name}@1")
    _layer(line, "SimpleLine", _stroke(style))
    layer.append(line)
