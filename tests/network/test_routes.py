"""The way itself: its crossing and its climb."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from walking_town import X, Y, layer

from geo_qmi import network
from geo_qmi.errors import InputError
from geo_qmi.network.routes import route_line, routes


def places(*points) -> gpd.GeoSeries:
    return gpd.GeoSeries([shapely.Point(X + x, Y + y) for x, y in points], crs=2154)


def test_the_way_across_the_tracks_names_its_crossing(ground):
    start = network.snap(ground, places((500, 550), (500, 550), (9000, 0)))
    end = network.snap(ground, places((500, 650), (600, 550), (0, 0)))
    found = routes(ground, start, end)
    assert found["metres"].tolist()[:2] == [2700, 100]
    assert found["minutes"].tolist()[:2] == [33.75, 1.25]
    assert found["crossing"].tolist()[0] == "pont"
    assert found["crossing"].isna().tolist() == [False, True, True]
    assert found["climb_m"].isna().all()  # no height is known: nothing is said
    assert np.isnan(found["metres"].iloc[2])


def test_the_climb_adds_the_stairs_of_the_crossing(town, railway):
    bridge = layer(shapely.Point(X + 500, Y + 625), crossing_id=["pont"], barrier_id=["R"], climb_m=[6.0])
    ground = network.open_ground(town, barriers=railway, crossings=bridge, cell_m=50, neighbours=4)
    start, end = network.snap(ground, places((500, 600))), network.snap(ground, places((500, 700)))
    assert routes(ground, start, end)["climb_m"].iloc[0] == 6
    hilly = network.with_heights(ground, (ground.xy[:, 1] - Y) / 100)
    assert routes(hilly, start, end)["climb_m"].iloc[0] == pytest.approx(6 + 1)


def test_no_way_is_infinite(town, railway):
    closed = network.open_ground(town, barriers=railway, cell_m=50)
    found = routes(closed, network.snap(closed, places((500, 550))), network.snap(closed, places((500, 650))))
    assert np.isinf(found[["metres", "minutes"]]).all(axis=None)


def test_the_line_follows_the_bends():
    bent = shapely.LineString([(X, Y), (X + 30, Y + 40), (X + 30, Y + 140)])
    ground = network.streets(layer(bent))
    ends = [int(np.hypot(*(ground.xy - place).T).argmin()) for place in (bent.coords[0], bent.coords[-1])]
    assert route_line(ground, *ends).length == pytest.approx(150)
    assert route_line(ground, ends[0], ends[0]) is None


def test_indexes_must_agree(ground):
    one = network.snap(ground, places((0, 0)))
    with pytest.raises(InputError, match="mêmes identifiants"):
        routes(ground, one, one.rename(index={0: "x"}))
