"""How is a map drawn on screen, with no outside host?

Turns the plain map of `geo_qmi.maps` into a pydeck deck for Streamlit and its legend into HTML. Lambert-93 becomes
longitude and latitude here; the background is a ``data:`` style (every default of pydeck and Streamlit calls a tile
server); signs are pictures carried by the page itself; the JSON is written compact (four times smaller than
pydeck's). Text of the data travels as data: the frame's tooltip escapes it, the legend escapes it here. Never use
``Deck.to_html``: it lets ``</script>`` out of the data.

Two things are done only when a `Look` asks for them: a base map of `geo_qmi.maps.bases`, whose pictures the browser
then fetches from its publisher, and a layer of more than `MANY` features laid in a file beside the message.
"""

from __future__ import annotations

import base64
import copy
import html
import json
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pydeck as pdk
import shapely
from pydeck.bindings.json_tools import default_serialize
from pyproj import Geod

from geo_qmi.geo import DEGREES
from geo_qmi.maps import INK, Layer, Map, Style, hatch
from geo_qmi.maps.bases import BASES
from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geo_qmi.maps.drawing import Extent

#: Six decimals are about 10 cm: more only weighs.
_DECIMALS = 6
#: Side of one sign in the picture that holds them all, twice the largest size drawn.
_SIGN_PX = 48
_GROUND = "#f7f7f4"
#: Share of the frame the extent takes, so that nothing touches its edge.
_FILL = 0.94
#: Largest share of the frame's width that the scale bar takes.
_BAR = 0.2
#: Features of one layer above which it travels in a file of its own: a message stays under the budget of a page.
MANY = 10_000
#: Layers kept drawn: those of some fifteen maps, so that hiding one, or a second reader, draws nothing again.
_REMEMBERED = 192
#: Outline of the chosen feature: dark blue is no class of any map.
_CHOSEN = "#0b5394"
_WGS84 = Geod(ellps="WGS84")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a reader wants to see a map.

    Attributes
    ----------
    opacity
        Of every fill, in 0–1, times its own.
    base
        Key of `geo_qmi.maps.bases.BASES`; empty for the plain ground, which calls nobody.
    extent_m
        Ground to open on, in EPSG:2154; that of the map when absent.
    chosen
        Layer and identifier of the feature to outline.
    scale_bar
        Draw a bar of a known length on the ground: it stays true at every zoom.
    view
        Name of the view, one for all maps of the same ground: what a hand moved is kept under it by the browser
        (`dashboard/map_view.js`).
    nudge
        Change it to bring a map that was moved by hand back to its opening view.
    aside
        Writes the rows of a layer of more than `MANY` features, given its name and its JSON, where a browser can
        fetch them, and returns the address. Without it they travel with the map.
    """

    opacity: float = 1.0
    base: str = ""
    extent_m: Extent | None = None
    chosen: tuple[str, str] | None = None
    scale_bar: bool = False
    view: str = ""
    nudge: int = 0
    aside: Callable[[str, str], str] | None = None


_PLAIN = Look()


class _CompactDeck(pdk.Deck):  # type: ignore[misc]  # pydeck ships no types
    """A deck whose JSON has no white space."""

    def to_json(self) -> str:
        """Return the JSON that Streamlit sends to the browser."""
        return json.dumps(self, sort_keys=True, default=default_serialize, separators=(",", ":"), allow_nan=False)


def deck(
    drawn: Map, *, hidden: Iterable[str] = (), width_px: int = 760, height_px: int = 560, look: Look = _PLAIN
) -> pdk.Deck:
    """Return `drawn` as a pydeck deck.

    Parameters
    ----------
    drawn
        A map of `geo_qmi.maps`.
    hidden
        Names of layers to leave out.
    width_px, height_px
        Size of the frame, to choose the zoom that shows the whole extent.
    look
        What the reader asked for.

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
    view = _view(look.extent_m or drawn.extent_m, width_px, height_px, nudge=look.nudge)
    layers = [part for layer in seen(drawn, look).layers if layer.name not in hidden for part in _parts(layer, look)]
    if look.chosen and look.chosen[0] not in hidden:
        layers += _outline(drawn, *look.chosen)
    if look.scale_bar:
        layers += _scale_bar(view, width_px, height_px)
    named = {"name": look.view} if look.view else {}
    return _CompactDeck(
        layers=layers,
        initial_view_state=view,
        # North stays up: a map that turns has no use for a scale, and a keyboard cannot turn it back.
        views=[pdk.View(type="MapView", controller={"dragRotate": False, "touchRotate": False}, **named)],
        map_provider="carto",  # selects the open renderer; the style below is all it loads
        map_style=_ground(look.base),
        tooltip=_TOOLTIP,
    )


def seen(drawn: Map, look: Look) -> Map:
    """Return `drawn` with the fills a look asks for; over a base map, grounds keep their outline only."""

    def filled(layer: Layer) -> Layer:
        share = 0.0 if look.base and layer.context and layer.kind == "area" else look.opacity
        styles = {key: replace(style, opacity=style.opacity * share) for key, style in layer.styles.items()}
        keys = tuple(replace(style, opacity=style.opacity * share) for style in layer.key)
        return replace(layer, styles=styles, key=keys) if layer.kind == "area" else layer

    return replace(drawn, layers=tuple(map(filled, drawn.layers)))


def _ground(base: str) -> str:
    """Return the background as a ``data:`` address: plain, or the pictures of one base map."""
    style: dict[str, Any] = {
        "version": 8,
        "sources": {},
        "layers": [{"id": "ground", "type": "background", "paint": {"background-color": _GROUND}}],
    }
    if base:
        found = BASES[base]
        source = {"type": "raster", "tiles": [found.tiles], "tileSize": 256, "maxzoom": 19, "attribution": found.credit}
        style["sources"]["base"] = source
        style["layers"].append({"id": "base", "type": "raster", "source": "base"})
    return _data_address(json.dumps(style, separators=(",", ":")), "application/json")


def _data_address(text: str, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(text.encode()).decode()}"


@lru_cache(maxsize=_REMEMBERED)
def _view(extent_m: Extent, width_px: int, height_px: int, *, nudge: int = 0) -> pdk.ViewState:
    """Return the centre and the zoom at which the whole extent fits in the frame."""
    corners = gpd.GeoSeries([shapely.box(*extent_m)], crs=CRS).to_crs("EPSG:4326")
    west, south, east, north = corners.total_bounds
    # A Web Mercator world is 512 pixels wide at zoom 0; its height follows the isometric latitude.
    heights = [math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi) for lat in (south, north)]
    scale = _FILL * min(width_px / (512 * (east - west) / 360), height_px / (512 * (heights[1] - heights[0])))
    # The frame moves only when it is told another view: a tenth of a metre is another view, and shows nothing.
    other = nudge % 2 * 1e-6
    return pdk.ViewState(
        longitude=round((west + east) / 2, 5) + other,
        latitude=round((south + north) / 2, 5) + other,
        zoom=round(math.log2(scale), 2) + other,
    )


def _scale_bar(view: pdk.ViewState, width_px: int, height_px: int) -> list[pdk.Layer]:
    """Return a bar of a round number of metres on the ground, at the foot of the opening view, and its length."""
    degrees_px = 360 / (512 * 2**view.zoom)
    lon = view.longitude - 0.47 * width_px * degrees_px
    lat = view.latitude - 0.46 * height_px * degrees_px * math.cos(math.radians(view.latitude))
    right, _, _ = _WGS84.fwd(lon, lat, 90, 1.0)
    length_m = bar_length_m(_BAR * width_px * degrees_px / (right - lon))
    end = _WGS84.fwd(lon, lat, 90, length_m)[0]
    line = shapely.LineString([(round(lon, 6), round(lat, 6)), (round(end, 6), round(lat, 6))])
    bars = [
        _shapes(f"echelle-{name}", Style(line=ink, width_px=width), _features(np.array([line])), told=False)
        for name, ink, width in (("bord", "#ffffff", 8), ("barre", "#1a1a1a", 4))
    ]
    told = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    rows = [{"position": [round((lon + end) / 2, 6), round(lat, 6)], "titre": told}]
    return [*bars, _letters_at("echelle-longueur", rows, size_px=13, ink="#1a1a1a", shift_px=-13)]


def bar_length_m(longest_m: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is no longer than `longest_m`.

    Examples
    --------
    >>> bar_length_m(730), bar_length_m(4_999), bar_length_m(20)
    (500.0, 2000.0, 20.0)
    """
    power = 10.0 ** math.floor(math.log10(longest_m))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest_m)


def _outline(drawn: Map, name: str, ident: str) -> list[pdk.Layer]:
    """Return the outline of one feature, or a ring around a point; nothing when the map does not hold it."""
    frame = next((layer.frame for layer in drawn.layers if layer.name == name), None)
    found = None if frame is None else frame[frame["id"].astype(str) == ident]
    if found is None or found.empty:
        return []
    around = Style(line=_CHOSEN, width_px=5)
    outline = _shapes("objet-choisi", around, _features(_degrees(found.geometry.array)), told=False)
    outline.point_type = pdk.types.String("circle")
    outline.point_radius_units = pdk.types.String("pixels")
    outline.get_point_radius = 15
    return [outline]


class _Same:
    """A layer as the key of a cache: the same frame, looked at the same way. Frames are never changed in place."""

    __slots__ = ("layer", "seen")

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.seen = (id(layer.frame), layer.name, layer.kind, tuple(layer.styles.items()), tuple(layer.tooltip))

    def __hash__(self) -> int:
        return hash(self.seen)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.seen == other.seen


def _parts(layer: Layer, look: Look) -> list[pdk.Layer]:
    """Return the deck layers of one map layer: one a style, so that colours are written once."""
    parts = _drawn(_Same(layer))
    if look.aside is None or len(layer.frame) <= MANY:
        return parts
    parts = [copy.copy(part) for part in parts]
    for part in parts:
        part.data = look.aside(part.id, json.dumps(part.data, separators=(",", ":"), allow_nan=False))
    return parts


@lru_cache(maxsize=_REMEMBERED)
def _drawn(same: _Same) -> list[pdk.Layer]:
    layer = same.layer  # plain arrays from here: rows of a frame, style by style, would cost more than all the rest
    shapes = _degrees(layer.frame.geometry.array)
    if layer.kind == "text":
        return [_text(layer, shapes)]
    styles, told = layer.frame["style"].to_numpy(dtype=object), np.array(_told(layer), dtype=object)
    points = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    parts = [_signs(layer, shapes[points], styles[points], told[points])] if points.any() else []
    for key, style in layer.styles.items():
        chosen = ~points & (styles == key)
        if not chosen.any():
            continue
        parts.append(_shapes(f"{layer.name}-{key}", style, _features(shapes[chosen], told[chosen]), told=layer.tooltip))
        if style.hatch_m:
            parts.append(_hatching(f"{layer.name}-{key}-hatch", style, layer.frame.geometry.to_numpy()[chosen]))
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


def _hatching(ident: str, style: Style, areas: Iterable[shapely.Geometry]) -> pdk.Layer:
    """Return the hatch lines of areas of one style; they let the pointer through."""
    lines = gpd.GeoSeries([hatch(shape, style.hatch_m) for shape in areas], crs=CRS).array
    drawn = _features(_degrees(lines[~lines.is_empty]))
    return _shapes(ident, Style(line=style.line, width_px=1.0), drawn, told=False)


def _signs(layer: Layer, shapes: Any, styles: Iterable[str], told: Iterable[dict[str, str]]) -> pdk.Layer:
    """Return the points of a layer as signs of a fixed size on screen."""
    used = set(styles)
    keys = [key for key in layer.styles if key in used]
    pictures = "".join(
        f"<g transform='translate({position * _SIGN_PX} 0)'>{_sign(layer.styles[key])}</g>"
        for position, key in enumerate(keys)
    )
    width = _SIGN_PX * len(keys)
    picture = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{_SIGN_PX}'>{pictures}</svg>"
    rows = [
        {"position": [shape.x, shape.y], "sign": key, "size": layer.styles[key].size_px, **words}
        for shape, key, words in zip(shapes, styles, told, strict=True)
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
    return (
        f"<g fill='{fill}' stroke='{style.line}' stroke-width='4' stroke-linejoin='round'>{_SIGNS[style.shape]}</g>"
        f"{_letters(style) if style.letters else ''}"
    )


def _letters(style: Style) -> str:
    """Return the characters inside a sign."""
    size = style.letters_share() * _SIGN_PX
    return (
        f"<text x='24' y='{24 + 0.36 * size:.0f}' text-anchor='middle' font-family='sans-serif' font-weight='700' "
        f"font-size='{size:.0f}' fill='{style.letters_ink()}'>{html.escape(style.letters)}</text>"
    )


def _text(layer: Layer, shapes: Iterable[shapely.Point]) -> pdk.Layer:
    """Return names on a pale ground, readable over any class."""
    style = next(iter(layer.styles.values()))
    rows = [
        {"position": [shape.x, shape.y], "titre": label}
        for shape, label in zip(shapes, layer.frame["label"], strict=True)
    ]
    return _letters_at(layer.name, rows, size_px=style.size_px, ink=style.line)


def _letters_at(
    ident: str, rows: list[dict[str, Any]], *, size_px: float, ink: str, shift_px: int = 0
) -> pdk.Layer:  # fmt: skip
    return pdk.Layer(
        "TextLayer",
        id=ident,
        data=rows,
        pickable=False,
        get_position="position",
        get_text="titre",
        get_size=size_px,
        get_color=_rgba(ink),
        get_pixel_offset=[0, shift_px],
        character_set=pdk.types.String("auto"),
        font_family=pdk.types.String("sans-serif"),
        font_weight=600,
        background=True,
        get_background_color=[255, 255, 255, 200],
        background_padding=[3, 1],
    )


def _degrees(shapes: Any) -> Any:
    """Return an array of shapes of geopandas in rounded degrees, as a plain array."""
    return shapely.transform(np.asarray(shapes.to_crs(DEGREES)), lambda points: np.round(points, _DECIMALS))


def _features(shapes: Any, told: Iterable[dict[str, str]] = ()) -> list[dict[str, Any]]:
    """Return shapes as GeoJSON, written all at once, and what pointing at each says, if anything."""
    return [
        {"type": "Feature", "geometry": json.loads(text), "properties": words or {}}
        for text, words in zip_longest(shapely.to_geojson(shapes), told)
    ]


def _told(layer: Layer) -> list[dict[str, str]]:
    """Return what pointing at each feature says: nothing for a layer without tooltip."""
    frame = layer.frame
    if not layer.tooltip:
        return [{} for _ in range(len(frame))]
    columns = {column: frame[column].to_numpy(dtype=object) for column in ("id", "label", *layer.tooltip)}
    lines = [[f"{column} : {value}" for value in columns[column]] for column in layer.tooltip]
    texts = ["\n".join(parts) for parts in zip(*lines, strict=True)]
    return [
        {"id": str(ident), "titre": str(label), "texte": text}
        for ident, label, text in zip(columns["id"], columns["label"], texts, strict=True)
    ]


def _rgba(colour: str, opacity: float = 1.0) -> list[int]:
    return [*(int(colour[start : start + 2], 16) for start in (1, 3, 5)), round(255 * opacity)]


def legend(drawn: Map, *, hidden: Iterable[str] = ()) -> str:
    """Return the legend of the visible layers as HTML, top first, every word escaped; several classes under a title."""
    hidden = set(hidden)
    groups = [(layer, layer.legend()) for layer in reversed(drawn.layers) if layer.name not in hidden]
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
