"""Metres inside, degrees at the border, proposals and never guesses."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import Point, Polygon

from geo_qmi import geo
from geo_qmi.errors import CrsError

AULNAY = (2.4955, 48.9322)


@pytest.mark.parametrize(
    ("crs", "swapped"),
    [("EPSG:4326", False), ("EPSG:4326", True), ("EPSG:2154", False), ("EPSG:27572", False), ("EPSG:3857", False),
     ("EPSG:3949", False), ("EPSG:32631", False)],
)  # fmt: skip
def test_the_system_of_a_point_is_proposed(crs, swapped):
    point = gpd.GeoSeries([Point(AULNAY)], crs=4326).to_crs(crs)[0]
    x, y = (point.y, point.x) if swapped else (point.x, point.y)
    first = geo.propose_crs((x, y, x, y))[0]
    assert (first.code, first.swapped) == (crs, swapped)


@pytest.mark.parametrize("bounds", [(0, 0, 1, 1), (-5, 40, -4, 41), (np.nan, 1, 2, 3), (1e12, 1e12, 2e12, 2e12)])
def test_nothing_is_proposed_elsewhere(bounds):
    assert geo.propose_crs(bounds) == []


def test_measuring_asks_for_lambert_93():
    frame = gpd.GeoDataFrame(geometry=[Point(AULNAY)], crs=4326)
    with pytest.raises(CrsError, match="attendu EPSG:2154"):
        geo.require_metres(frame, what="les quartiers")
    with pytest.raises(CrsError, match="Aucun système"):
        geo.require_metres(frame.set_crs(None, allow_override=True))
    geo.require_metres(geo.to_metres(frame))


def test_conversions_refuse_to_guess():
    frame = gpd.GeoDataFrame(geometry=[Point(AULNAY)])
    with pytest.raises(CrsError, match="sans le déclarer"):
        geo.to_metres(frame)
    with pytest.raises(CrsError, match="sans le déclarer"):
        geo.to_degrees(frame)


def test_web_mercator_areas_would_be_2_3_times_too_large():
    square = gpd.GeoSeries([Point(AULNAY)], crs=4326).to_crs(2154).buffer(500, cap_style="square")
    assert round(square.to_crs(3857).area[0] / square.area[0], 1) == 2.3


def test_a_bow_tie_is_repaired_and_said():
    bow = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    fixed, notes = geo.repair(np.array([bow, None, Point(0, 0)], dtype=object))
    assert shapely.is_valid(fixed[0])
    assert fixed[0].area == pytest.approx(2.0)  # two triangles of base 2 and height 1
    assert "le contour se recoupe" in notes[0]
    assert notes[1:] == ["", ""]
    assert fixed[1] is None


def test_rings_are_wound_by_the_right_hand_rule():
    clockwise = Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])
    (turned,) = geo.orient(np.array([clockwise], dtype=object))
    assert turned.exterior.is_ccw
