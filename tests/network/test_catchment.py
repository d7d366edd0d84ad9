"""A catchment goes to the last metre, and its outline does not spill over a barrier."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from walking_town import HOME, X, Y, layer

from geo_qmi import network
from geo_qmi.errors import InputError


@pytest.fixture(scope="module")
def star() -> network.Ground:
    """Three straight streets of 300 m from one place, in edges of 300 m."""
    arms = [shapely.LineString([(X, Y), (X + dx, Y + dy)]) for dx, dy in ((300, 0), (-300, 0), (0, 300))]
    return network.streets(layer(*arms), max_edge_m=1000)


def centre(ground) -> list[int]:
    return [int(np.hypot(*(ground.xy - (X, Y)).T).argmin())]


def test_partial_edges_are_exact(star):
    walk = network.catchment(star, centre(star), metres=120)
    assert len(walk.nodes) == 1
    assert walk.length_m == pytest.approx(360)
    assert sorted(shapely.length(walk.lines())) == pytest.approx([120, 120, 120])
    assert walk.edges.max(axis=1).tolist() == pytest.approx([0.4] * 3)


def test_an_edge_walked_from_both_ends_is_counted_once(star):
    ends = np.flatnonzero(np.hypot(*(star.xy - (X, Y)).T) > 1)[:2]
    walk = network.catchment(star, ends, metres=250)
    assert walk.length_m == pytest.approx(500)
    everything = network.catchment(star, ends, metres=320)
    assert everything.length_m == pytest.approx(600 + 20)  # two arms whole, 20 m of the third
    assert (everything.edges.sum(axis=1) <= 1 + 1e-12).all()


def test_the_access_is_walked_first(star):
    place = network.snap(star, gpd.GeoSeries([shapely.Point(X, Y - 50)], crs=2154))
    assert network.catchment(star, place, metres=120).length_m == pytest.approx(3 * 70)
    assert network.catchment(star, place, metres=30).length_m == 0


def test_a_longer_walk_holds_the_shorter_one(ground, home):
    short, long = (network.catchment(ground, home, minutes=m) for m in (5, 10))
    assert set(short.nodes.index) <= set(long.nodes.index)
    assert short.polygon().difference(long.polygon()).area == pytest.approx(0, abs=1e-6)


def test_several_times_come_from_one_search(ground, home):
    for minutes, found in zip((5, 15, 10), network.catchments(ground, home, minutes=(5, 15, 10)), strict=True):
        alone = network.catchment(ground, home, minutes=minutes)
        assert found.minutes == minutes
        assert found.nodes.equals(alone.nodes)
        assert found.polygon().equals(alone.polygon())


def test_the_outline_stays_on_its_side(ground, home, railway):
    drawn = network.catchment(ground, home, metres=400).polygon()
    assert not drawn.intersects(railway.geometry.iloc[0])
    assert drawn.bounds[3] < Y + 625
    # 96 cells of 50 m; the 15 of the last row end half a metre before the track instead of on it.
    assert drawn.area == pytest.approx(96 * 2500 - 15 * 50 * 0.5)


def test_the_outline_of_streets_is_their_width(star):
    drawn = network.catchment(star, centre(star), metres=100).polygon(half_width_m=10)
    assert drawn.contains(shapely.Point(X + 100, Y))
    assert not drawn.contains(shapely.Point(X + 50, Y + 11))


def test_one_limit_is_needed(ground, home):
    with pytest.raises(InputError, match="une seule des deux"):
        network.catchment(ground, home)
    with pytest.raises(InputError, match="une seule des deux"):
        network.catchment(ground, home, minutes=5, metres=400)
    with pytest.raises(InputError, match="Durée de marche refusée"):
        network.catchment(ground, home, minutes=-5)


def test_no_time_reaches_the_place_itself(ground, home):
    walk = network.catchment(ground, home, minutes=0)
    assert len(walk.nodes) == 1
    assert ground.xy[walk.nodes.index[0]].tolist() == [HOME.x, HOME.y]


def test_a_walk_too_short_for_any_cell_draws_nothing():
    perimeter = gpd.GeoDataFrame(geometry=[shapely.box(X, Y, X + 200, Y + 200)], crs=2154)
    ground = network.open_ground(perimeter, cell_m=20)
    place = network.snap(ground, gpd.GeoDataFrame(geometry=[shapely.Point(X + 97, Y + 97)], crs=2154))
    walk = network.catchment(ground, place, metres=0.0)
    assert len(walk.nodes) == 0
    assert walk.polygon().is_empty
