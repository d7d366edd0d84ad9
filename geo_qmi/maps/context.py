"""What lies around a district that its map does not draw itself: communes, barriers, stations, streets?

Own layers underneath, so that a place is recognised without calling a tile server. They are optional, and those the
map left out stay hidden until they are asked for. What the map says does not change: title, table and words are kept.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import shapely

from geo_qmi.maps.district import _barrier_layer, _context_layer, _station_layer
from geo_qmi.maps.drawing import Layer, Style, credits_of, features, within

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from geo_qmi.maps.drawing import Map

_STREET = Style(label="Rue ou chemin de la couche déposée", line="#8a8a84", width_px=1.0)
#: Streets are drawn with the bends that show at about one metre a pixel.
_BEND_M = 1.0


def with_context(
    drawn: Map,
    *,
    insee: str,
    communes: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
) -> Map:
    """Return the map of a district with the context layers it lacks, underneath, optional.

    Parameters
    ----------
    drawn
        Map of one district.
    insee
        Commune of the district.
    communes, barriers, stations
        Tables of those names, in EPSG:2154.
    streets
        Lines in EPSG:2154, when some were loaded.

    Returns
    -------
    The map; the layers added come right above its communes, hidden at first, streets excepted.
    """
    window = shapely.box(*drawn.extent_m)
    had = {layer.name for layer in drawn.layers}
    tables = {"communes": communes, "streets": streets, "barriers": barriers, "stations": stations}
    near = {name: within(frame, window) for name, frame in tables.items() if name not in had and frame is not None}
    makers: dict[str, Callable[[gpd.GeoDataFrame], Layer]] = {
        "communes": partial(_context_layer, insee=insee),
        "streets": _street_layer,
        "barriers": _barrier_layer,
        "stations": _station_layer,
    }
    added = [replace(makers[name](frame), shown=name == "streets") for name, frame in near.items() if len(frame)]
    grounds = [layer for layer in (*drawn.layers, *added) if layer.name == "communes"]
    others = [layer for layer in drawn.layers if layer.name != "communes"]
    told = dict.fromkeys((*drawn.credits, *credits_of(*near.values())))
    new = [layer for layer in added if layer.name != "communes"]
    return replace(drawn, layers=(*grounds, *new, *others), credits=tuple(told))


def _street_layer(streets: gpd.GeoDataFrame) -> Layer:
    """Return streets as thin lines without words: they only help to find one's way."""
    drawn = features(
        streets.geometry.simplify(_BEND_M), ids=streets.index.astype(str), labels=[""] * len(streets), styles="street"
    )
    return Layer(
        name="streets", title="Rues déposées", kind="line", frame=drawn, styles={"street": _STREET}, optional=True,
        context=True,
    )  # fmt: skip
