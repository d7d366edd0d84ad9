"""What does a map say, before anyone draws it?

A map is plain data: a French title with its counts, layers in Lambert-93 with named styles, a legend, credits, a
sentence for whoever cannot see it, and a table that says the same thing. `geo_qmi.deck` draws it on screen. Nothing
here computes a result or knows a screen, a file or a colour library; what is unknown is hatched or listed, never
placed as a point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any, Literal, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas.array import from_shapely

from geo_qmi.schema import CRS
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

Kind = Literal["area", "line", "point", "text"]
Shape = Literal["circle", "ring", "square", "up", "down", "cross"]
Extent = tuple[float, float, float, float]

#: Five steps of one hue family, light to dark, told apart with any colour vision (ColorBrewer YlGnBu).
SEQUENCE = ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494")
#: Outlines and names.
INK = "#333333"
#: Words that mark a made-up row in every title.
DEMO = "données de démonstration"

#: Contours of a metropolitan map are drawn at about 50 m a pixel: finer vertices cost bytes and show nothing.
_OVERVIEW_M = 25.0
#: Luma, from 0 to 255, above which letters on a fill are dark.
_PALE = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How one class of a layer looks, and what the legend says of it.

    Attributes
    ----------
    label
        French words of the legend; empty to stay out of it.
    fill, line
        ``#rrggbb``; empty for none.
    width_px
        Width of lines and outlines, in pixels.
    opacity
        Of the fill, in 0–1.
    hatch_m
        Spacing of hatch lines drawn inside an area, in metres; 0 for none.
    shape, size_px
        Sign of a point and its size, in pixels.
    letters
        One to three characters written inside the sign.
    """

    label: str = ""
    fill: str = ""
    line: str = ""
    width_px: float = 1.0
    opacity: float = 1.0
    hatch_m: float = 0.0
    shape: Shape = "circle"
    size_px: float = 14.0
    letters: str = ""

    def letters_ink(self) -> str:
        """Return the colour of the letters: dark on a pale fill or on none, white on a dark one."""
        if not self.fill:
            return INK
        red, green, blue = (int(self.fill[start : start + 2], 16) for start in (1, 3, 5))
        return INK if 0.299 * red + 0.587 * green + 0.114 * blue > _PALE else "#ffffff"

    def letters_share(self) -> float:
        """Return the size of the letters beside the side of the sign: smaller when there are several."""
        return 0.58 if len(self.letters) == 1 else 0.48


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Features drawn alike.

    Attributes
    ----------
    name
        Stable identifier, also the key of a selection on screen.
    title
        French name, shown in the list of layers.
    kind
        What is drawn; `text` writes the column ``label`` at each point.
    frame
        In EPSG:2154, with columns ``id``, ``label``, ``style`` (a key of `styles`) and those of `tooltip`.
    styles
        Class → look, in the order of the legend.
    tooltip
        Columns shown when a feature is pointed at; their names are French.
    optional
        True when the reader may hide the layer.
    context
        True for what helps to find one's way (communes, barriers, stations, names), false for what the map is about.
    shown
        Whether an optional layer is drawn before the reader asks for anything.
    key
        Entries of the legend where they are not the looks of the features, one by one.
    """

    name: str
    title: str
    kind: Kind
    frame: gpd.GeoDataFrame
    styles: Mapping[str, Style]
    tooltip: Sequence[str] = ()
    optional: bool = False
    context: bool = False
    shown: bool = True
    key: tuple[Style, ...] = ()

    def legend(self) -> list[Style]:
        """Return the key of the layer, or else the looks that are both used by a feature and named."""
        if self.key:
            return list(self.key)
        used = set(self.frame["style"])
        return [style for key, style in self.styles.items() if key in used and style.label]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A map, ready for any medium.

    Attributes
    ----------
    title
        What is shown, of which edition, with how many objects, and whether it is demonstration.
    layers
        Bottom first.
    extent_m
        ``xmin, ymin, xmax, ymax`` in EPSG:2154.
    description
        One French paragraph that says what the map shows.
    credits
        Sources of the contours and facts.
    table
        The same content as rows, with French headings.
    unplaced
        What has no known place: listed beside the map.
    nothing
        A sentence when there is nothing to draw; else empty.
    """

    title: str
    layers: tuple[Layer, ...]
    extent_m: Extent
    description: str
    credits: tuple[str, ...]
    table: pd.DataFrame
    unplaced: pd.DataFrame = field(default_factory=pd.DataFrame)
    nothing: str = ""

    def over(self, above: Iterable[Layer]) -> tuple[Layer, ...]:
        """Return the layers with those of `above` that hold something on top of them, under the names only."""
        grounds = [layer for layer in self.layers if layer.kind != "text"]
        names = [layer for layer in self.layers if layer.kind == "text"]
        return (*grounds, *(layer for layer in above if len(layer.frame)), *names)


def words(value: Any) -> str:
    r"""Return a cell as French text; a missing value is said, never shown as zero.

    Examples
    --------
    >>> words(87599), words(float("nan")), words(0.25), words(0.001), words(True)
    ('87\u202f599', 'inconnu', '0,25', '< 0,01', 'oui')
    """
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "inconnu"
    if isinstance(value, bool | np.bool_):
        return "oui" if value else "non"
    if isinstance(value, int | float | np.integer):
        said = number(float(value))
        return "< 0,01" if said == "0" and value > 0 else said
    return str(value)


def hatch(geometry: shapely.Geometry, spacing_m: float) -> shapely.Geometry:
    """Return parallel lines, rising to the right, that fill a polygon.

    Parameters
    ----------
    geometry
        Polygon in metres.
    spacing_m
        Distance between two lines. They belong to one grid of the plane, so neighbours line up.

    Examples
    --------
    >>> round(hatch(shapely.box(0, 0, 10, 10), 5 * 2**0.5).length, 1)
    14.1
    """
    xmin, ymin, xmax, ymax = geometry.bounds
    step = spacing_m * np.sqrt(2.0)
    first, last = np.ceil((xmin - ymax) / step), np.floor((xmax - ymin) / step)
    offsets = np.arange(first, last + 1) * step
    ends = [[(offset + ymin, ymin), (offset + ymax, ymax)] for offset in offsets]
    return shapely.intersection(geometry, shapely.MultiLineString(ends))


def count_classes(counts: ArrayLike, *, n: int = 5) -> list[tuple[int, int]]:
    """Return at most `n` classes of whole numbers, as inclusive bounds, by natural breaks.

    The breaks minimise the squared deviation inside classes (Fisher 1958, exact by dynamic programming), so that a
    lone large commune does not flatten the others.

    Examples
    --------
    >>> count_classes([1, 1, 1, 2, 2, 3, 9, 12], n=4)
    [(1, 1), (2, 3), (9, 9), (12, 12)]
    """
    values, weights = np.unique(np.asarray(counts, dtype=np.int64), return_counts=True)
    size, n = len(values), min(n, len(values))
    if not size:
        return []
    spread = np.full((size, size), np.inf)
    for start in range(size):
        for end in range(start, size):
            part, weight = values[start : end + 1], weights[start : end + 1]
            spread[start, end] = np.sum(weight * (part - np.average(part, weights=weight)) ** 2)
    best, cut = spread[0].copy(), np.zeros((n, size), dtype=np.int64)
    for k in range(1, n):
        costs = [[best[start - 1] + spread[start, end] for start in range(1, end + 1)] for end in range(size)]
        cut[k] = [int(np.argmin(row)) + 1 if row else 0 for row in costs]
        best = np.array([min(row) if row else np.inf for row in costs])
    found, end = [], size - 1
    for k in range(n - 1, -1, -1):
        start = int(cut[k, end]) if k else 0
        found.append((int(values[start]), int(values[end])))
        end = start - 1
    return found[::-1]


def class_styles(classes: list[tuple[int, int]], noun: str, **look: Any) -> dict[str, Style]:
    """Return one style a class, darker as counts grow; few classes keep the ends of the sequence apart."""
    ends = np.linspace(0, len(SEQUENCE) - 1, len(classes)) if len(classes) != 1 else np.array([2.0])
    picks = ends.round().astype(int)
    return {
        f"c{low}": Style(
            label=counted(high, noun) if low == high else f"{low} à {high} {noun}s", fill=SEQUENCE[pick], **look
        )
        for (low, high), pick in zip(classes, picks, strict=True)
    }


def class_of(value: int, classes: list[tuple[int, int]]) -> str:
    """Return the style key of the class that holds `value`; ``none`` outside all of them."""
    return next((f"c{low}" for low, high in classes if low <= value <= high), "none")


def features(
    geometry: gpd.GeoSeries | NDArray[np.object_],
    *,
    ids: Iterable[Any],
    labels: Iterable[Any],
    styles: Any,
    **columns: Any,
) -> gpd.GeoDataFrame:
    """Return the frame of a layer, without the rows that have no geometry."""
    shapes = np.asarray(geometry, dtype=object)
    drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    data = {"id": ids, "label": labels, "style": styles, **columns}
    data = {name: values if isinstance(values, str) else list(compress(values, drawn)) for name, values in data.items()}
    # Named, not given: a frame that is told which of its columns is the geometry is made in half the time.
    data["geometry"] = from_shapely(shapes[drawn], crs=CRS)
    return gpd.GeoDataFrame(data, geometry="geometry")


def overview(geometry: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return adjoining polygons generalised together, without gaps between neighbours."""
    simplified = cast("NDArray[np.object_]", shapely.coverage_simplify(geometry.to_numpy(), _OVERVIEW_M))
    return gpd.GeoSeries(simplified, index=geometry.index, crs=geometry.crs)


def credits_of(*frames: pd.DataFrame) -> tuple[str, ...]:
    """Return the distinct origins of the contours of `frames`."""
    origins = [origin for frame in frames if "geometry_source" in frame for origin in frame["geometry_source"].dropna()]
    return tuple(dict.fromkeys(origins))


def extent_of(frame: gpd.GeoDataFrame | gpd.GeoSeries, *, margin_m: float = 0.0) -> Extent:
    """Return the bounds of `frame` with a margin around them."""
    xmin, ymin, xmax, ymax = frame.total_bounds
    return (xmin - margin_m, ymin - margin_m, xmax + margin_m, ymax + margin_m)


def within(frame: gpd.GeoDataFrame, window: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return the rows of `frame` that meet a piece of ground."""
    shapely.prepare(window)
    return frame.iloc[np.flatnonzero(shapely.intersects(window, frame.geometry.to_numpy()))]
