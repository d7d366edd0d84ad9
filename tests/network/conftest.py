"""The analytic fixture: a town of 41 × 25 places 50 m apart, cut by a railway with one crossing 1.3 km east."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from walking_town import HOME, X, Y, layer

from geo_qmi import network


@pytest.fixture(scope="session")
def town() -> gpd.GeoDataFrame:
    return layer(shapely.box(X, Y, X + 2000, Y + 1200))


@pytest.fixture(scope="session")
def railway() -> gpd.GeoDataFrame:
    return layer(shapely.LineString([(X - 100, Y + 625), (X + 2100, Y + 625)]), barrier_id=["R"])


@pytest.fixture(scope="session")
def bridge() -> gpd.GeoDataFrame:
    """The one crossing, 26 columns (1.3 km) east of the walker."""
    return layer(shapely.Point(X + 1800, Y + 625), crossing_id=["pont"], barrier_id=["R"])


@pytest.fixture(scope="session")
def ground(town, railway, bridge) -> network.Ground:
    return network.open_ground(town, barriers=railway, crossings=bridge, cell_m=50, neighbours=4)


@pytest.fixture(scope="session")
def home(ground):
    return network.snap(ground, gpd.GeoSeries([HOME], index=["home"], crs=2154))
