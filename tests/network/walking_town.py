"""Words shared by the tests of the walking network: where the analytic town stands, and layers in one line."""

from __future__ import annotations

import geopandas as gpd
import shapely

#: Origin of the fixture, a round place of Lambert-93.
X, Y = 650_000, 6_860_000
#: Where the walker stands: column 10, row 11. The railway passes between rows 12 and 13.
HOME = shapely.Point(X + 500, Y + 550)


def layer(*shapes, **columns) -> gpd.GeoDataFrame:
    """A layer in Lambert-93."""
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=2154)
