"""How is a map drawn on screen, with no outside host?

Turns the plain map of `geo_qmi.maps` into a pydeck deck for Streamlit and its legend into HTML. Lambert-93 becomes
longitude and latitude here; the background is a ``data:`` style (every default of pydeck and Streamlit calls a tile
server); signs are pictures carried by the page itself; the JSON is written compact (four times smaller than
pydeck's). Text of the data travels as data: the frame's tooltip escapes it, the legend escapes it here. Never use
``Deck.to_html``: it lets ``</script>`` out of the data.
"""

from __future__ import annotations

import base64
import html
import json
import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pydeck as pdk
import shapely
from pydeck.bindings.json_tools import default_serialize

from geo_qmi.geo import to_degrees
from geo_qmi.maps import INK, Layer, Map, Style, hatch
from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Six decimals are about 10 cm: more only weighs.
_DECIMALS = 6
#: Side of one sign in the picture that holds them all, twice the largest size drawn.
_SIGN_PX = 48
_GROUND = "#f7f7f4"
#: Share of the frame the extent takes, so that nothing touches its edge.
_FILL = 0.94

_TOOLTIP = {
    "html": "<b>{titre}</b><br/>{texte}",
    "style": {
        "whiteSpace": "pre-line",
        "maxWidth": "24rem",
        "backgroundColor": "#ffffff",
        "color": "#1a1a1a",
        "border": "1px solid #8a8a84",
        "fontSize": "0.85rem",
        "zIndex": "10",
    },
}

#: Outlines of the signs on a grid of 48: the shape repeats what the colour says.
_SIGNS = {
    "circle": "<circle cx='24' cy='24' r='19'/>",
    "ring": "<circle cx='24' cy='24' r='17' fill='none' stroke-width='7'/>",
    "square": "<rect x='7' y='7' width='34' height='34'/>",
    "up": "<path d='M24 4 L44 42 L4 42 Z'/>",
    "down": "<path d='M4 6 L44 6 L24 44 Z'/>",
    "cross": "<path d='M8 8 L40 40 M40 8 L8 40' fill='none' stroke-width='9'/>",
}


class _CompactDeck(pdk.Deck):  # type: ignore[misc]  # pydeck ships no types
    """A deck whose JSON has no white space."""

    def to_json(self) -> str:
        """Return the JSON that Streamlit sends to the browser."""
        return json.dumps(self, sort_keys=True, default=default_serialize, separators=(",", ":"), allow_nan=False)


def deck(drawn: Map, *, hidden: Iterable[str] = (), width_px: int = 760, height_px: int = 560) -> pdk.Deck:
    """Return `drawn` as a pydeck deck.

    Parameters
    ----------
    drawn
        A map of `geo_qmi.maps`.
    hidden
        Names of layers to leave out.
    width_px, height_px
        Size of the frame, to choose the zoom that shows the whole extent.

    Examples
    --------
    >>> import geopandas, pandas, shapely
    >>> frame = geopandas.GeoDataFrame(
    ...     {"id": ["a"], "label": ["Ici"], "style": ["s"]},
    ...     geometry=[shapely.box(650000, 6860000, 651000, 6861000)],
    ...     crs="EPSG:2154",
    ... )
    >>> layer = Layer(name="a", title="A", kind="area", frame=frame, styles={"s": Style(fill="#ff0000")})
    >>> plain = Map(
    ...     title="T",
    ...     layers=(layer,),
    ...     extent_m=(650000, 6860000, 651000, 6861000),
    ...     description="",
    ...     credits=(),
    ...     table=pandas.DataFrame(),
    ... )
    >>> [shown.id for shown in deck(plain).layers]
    ['a-s']
    """
    hidden = set(hidden)
    return _CompactDeck(
        layers=[part for layer in drawn.layers if layer.name not in hidden for part in _parts(layer)],
        initial_view_state=_view(drawn, width_px, height_px),
        map_provider="carto",  # selects the open renderer; the style below is all it loads
        map_style=_blank_style(),
        tooltip=_TOOLTIP,
    )


def _blank_style() -> str:
    """Return a plain background as a ``data:`` address."""
    style = {
        "version": 8,
        "sources": {},
        "layers": [{"id": "ground", "type": "background", "paint": {"background-color": _GROUND}}],
    }
    return _data_address(json.dumps(style, separators=(",", ":")), "application/json")


def _data_address(text: str, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(text.encode()).decode()}"


def _view(drawn: Map, width_px: int, height_px: int) -> pdk.ViewState:
    """Return the centre and the zoom at which the whole extent fits in the frame."""
    corners = gpd.GeoSeries([shapely.box(*drawn.extent_m)], crs=CRS).to_crs("EPSG:4326")
    west, south, east, north = corners.total_bounds
    # A Web Mercator world is 512 pixels wide at zoom 0; its height follows the isometric latitude.
    heights = [math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi) for lat in (south, north)]
    scale = _FILL * min(width_px / (512 * (east - west) / 360), height_px / (512 * (heights[1] - heights[0])))
    return pdk.ViewState(
        longitude=round((west + east) / 2, 5), latitude=round((south + north) / 2, 5), zoom=round(math.log2(scale), 2)
    )


def _parts(layer: Layer) -> list[pdk.Layer]:
    """Return the deck layers of one map layer: one a style, so that colours are written once."""
    frame = to_degrees(layer.frame)
    if layer.kind == "text":
        return [_text(layer, frame)]
    points = frame.geometry.geom_type == "Point"
    parts = [_signs(layer, frame[points])] if points.any() else []
    for key, style in layer.styles.items():
        chosen = ~points & (frame["style"] == key)
        if not chosen.any():
            continue
        parts.append(_shapes(f"{layer.name}-{key}", style, _feature_list(layer, frame[chosen]), told=layer.tooltip))
        if style.hatch_m:
            parts.append(_hatching(f"{layer.name}-{key}-hatch", style, layer.frame[chosen]))
    return parts


def _shapes(ident: str, style: Style, features: list[dict[str, Any]], *, told: object) -> pdk.Layer:
    """Return areas or lines of one style."""
    # An area without fill still answers the pointer if it is filled with an invisible colour.
    return pdk.Layer(
        "GeoJsonLayer",
        id=ident,
        data={"type": "FeatureCollection", "features": features},
        pickable=bool(told),
        auto_highlight=bool(told),
        highlight_color=[0, 0, 0, 40],
        filled=True,
        stroked=bool(style.line),
        get_fill_color=_rgba(style.fill, style.opacity) if style.fill else [0, 0, 0, 0],
        get_line_color=_rgba(style.line) if style.line else [0, 0, 0, 0],
        line_width_units=pdk.types.String("pixels"),
        get_line_width=style.width_px,
        line_joint_rounded=True,
        line_cap_rounded=True,
    )


def _hatching(ident: str, style: Style, frame: gpd.GeoDataFrame) -> pdk.Layer:
    """Return the hatch lines of areas of one style; they let the pointer through."""
    lines = gpd.GeoSeries([hatch(shape, style.hatch_m) for shape in frame.geometry], crs=CRS)
    features = [_feature(shape, {}) for shape in _rounded(lines.to_crs("EPSG:4326")) if not shape.is_empty]
    return _shapes(ident, Style(line=style.line, width_px=1.0), features, told=False)


def _signs(layer: Layer, frame: gpd.GeoDataFrame) -> pdk.Layer:
    """Return the points of a layer as signs of a fixed size on screen."""
    keys = [key for key in layer.styles if (frame["style"] == key).any()]
    pictures = "".join(
        f"<g transform='translate({position * _SIGN_PX} 0)'>{_sign(layer.styles[key])}</g>"
        for position, key in enumerate(keys)
    )
    width = _SIGN_PX * len(keys)
    picture = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{_SIGN_PX}'>{pictures}</svg>"
    rows = [
        {"position": [shape.x, shape.y], "sign": key, "size": layer.styles[key].size_px, **told}
        for shape, key, told in zip(_rounded(frame.geometry), frame["style"], _told(layer, frame), strict=True)
    ]
    return pdk.Layer(
        "IconLayer",
        id=f"{layer.name}-points",
        data=rows,
        pickable=bool(layer.tooltip),
        auto_highlight=False,
        get_position="position",
        get_icon="sign",
        get_size="size",
        icon_atlas=pdk.types.String(_data_address(picture, "image/svg+xml")),
        icon_mapping={
            key: {"x": position * _SIGN_PX, "y": 0, "width": _SIGN_PX, "height": _SIGN_PX, "mask": False}
            for position, key in enumerate(keys)
        },
    )


def _sign(style: Style) -> str:
    """Return one sign as SVG; colours come from styles, never from the data."""
    fill = style.fill or "none"
    return f"<g fill='{fill}' stroke='{style.line}' stroke-width='4' stroke-linejoin='round'>{_SIGNS[style.shape]}</g>"


def _text(layer: Layer, frame: gpd.GeoDataFrame) -> pdk.Layer:
    """Return names on a pale ground, readable over any class."""
    style = next(iter(layer.styles.values()))
    rows = [
        {"position": [shape.x, shape.y], "titre": label}
        for shape, label in zip(_rounded(frame.geometry), frame["label"], strict=True)
    ]
    return pdk.Layer(
        "TextLayer",
        id=layer.name,
        data=rows,
        pickable=False,
        get_position="position",
        get_text="titre",
        get_size=style.size_px,
        get_color=_rgba(style.line),
        character_set=pdk.types.String("auto"),
        font_family=pdk.types.String("sans-serif"),
        font_weight=600,
        background=True,
        get_background_color=[255, 255, 255, 200],
        background_padding=[3, 1],
    )


def _rounded(shapes: gpd.GeoSeries) -> Any:
    return shapely.transform(shapes.to_numpy(), lambda points: np.round(points, _DECIMALS))


def _feature_list(layer: Layer, frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    return [_feature(shape, told) for shape, told in zip(_rounded(frame.geometry), _told(layer, frame), strict=True)]


def _feature(shape: shapely.Geometry, properties: dict[str, str]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": shape.__geo_interface__, "properties": properties}


def _told(layer: Layer, frame: gpd.GeoDataFrame) -> list[dict[str, str]]:
    """Return what pointing at each feature says: nothing for a layer without tooltip."""
    if not layer.tooltip:
        return [{} for _ in range(len(frame))]
    lines = [[f"{column} : {value}" for value in frame[column]] for column in layer.tooltip]
    texts = ["\n".join(parts) for parts in zip(*lines, strict=True)]
    return [
        {"id": str(ident), "titre": str(label), "texte": text}
        for ident, label, text in zip(frame["id"], frame["label"], texts, strict=True)
    ]


def _rgba(colour: str, opacity: float = 1.0) -> list[int]:
    return [*(int(colour[start : start + 2], 16) for start in (1, 3, 5)), round(255 * opacity)]


def legend(drawn: Map, *, hidden: Iterable[str] = ()) -> str:
    """Return the legend of the visible layers as HTML, every word escaped; several classes go under a title."""
    hidden = set(hidden)
    groups = [(layer, layer.legend()) for layer in drawn.layers if layer.name not in hidden]
    items = "".join(
        f"<li style='margin-top:.5rem'>{_heading(layer.title) if len(styles) > 1 else ''}"
        f"{''.join(_entry(layer, style) for style in styles)}</li>"
        for layer, styles in groups
        if styles
    )
    return f"<ul style='list-style:none;margin:0;padding:0;font-size:.85rem'>{items}</ul>"


def _heading(title: str) -> str:
    return f"<div style='font-weight:600'>{html.escape(title)}</div>"


def _entry(layer: Layer, style: Style) -> str:
    """Return one line of the legend; its picture repeats nothing the words do not say."""
    picture = _data_address(_swatch(layer.kind, style), "image/svg+xml")
    return (
        f"<div style='display:flex;gap:.5rem;align-items:center;margin:.1rem 0'>"
        f"<img alt='' width='26' height='20' src='{picture}'><span>{html.escape(style.label)}</span></div>"
    )


def _swatch(kind: str, style: Style) -> str:
    """Return the small picture of one legend entry, as SVG."""
    if kind == "point":
        drawn = f"<g transform='translate(3 0) scale(.42)'>{_sign(style)}</g>"
    elif kind == "line":
        drawn = f"<line x1='0' y1='10' x2='26' y2='10' stroke='{style.line}' stroke-width='{style.width_px}'/>"
    else:
        # White stripes are drawn on grey here: on the map they lie on the colour of a class.
        ground = style.fill or ("#9a9a9a" if style.line == "#ffffff" else "#ffffff")
        edge = INK if style.line in {"", "#ffffff"} else style.line
        stripes = "".join(f"<line x1='{x}' y1='19' x2='{x + 18}' y2='1'/>" for x in (-9, -2, 5, 12, 19))
        drawn = (
            f"<rect x='1' y='1' width='24' height='18' fill='{ground}' fill-opacity='{style.opacity}' stroke='{edge}'/>"
            + f"<g stroke='{style.line}' stroke-width='1.4'>{stripes}</g>" * bool(style.hatch_m)
        )
    return f"<svg xmlns='http://www.w3.org/2000/svg' width='26' height='20'>{drawn}</svg>"
