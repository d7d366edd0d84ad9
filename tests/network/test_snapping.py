"""A place is joined without jumping over a barrier, or refused with its reason; none is lost."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from walking_town import X, Y, layer

from geo_qmi import network
from geo_qmi.errors import CrsError, InputError


@pytest.fixture(scope="module")
def banks():
    """Two streets along a river 40 m wide, without a bridge."""
    streets = layer(shapely.LineString([(X, Y), (X + 300, Y)]), shapely.LineString([(X, Y + 100), (X + 300, Y + 100)]))
    river = layer(shapely.box(X - 50, Y + 20, X + 350, Y + 60), barrier_id=["rivière"])
    return network.streets(streets, barriers=river, max_edge_m=25)


def test_the_far_street_is_taken_when_the_near_one_is_across_the_water(banks):
    # 45 m from the north street, 55 m from the south one on the wrong bank: the nearest node wins without a barrier.
    river = banks.barriers
    wall = layer(shapely.LineString([(X - 50, Y + 80), (X + 350, Y + 80)]), barrier_id=["mur"])
    walled = network.streets(
        layer(shapely.LineString([(X, Y), (X + 300, Y)]), shapely.LineString([(X, Y + 100), (X + 300, Y + 100)])),
        barriers=wall,
        max_edge_m=25,
    )
    joined = network.snap(walled, gpd.GeoSeries([shapely.Point(X + 150, Y + 70)], crs=2154))
    assert len(river) == 1
    assert joined["access_m"].iloc[0] == 70.0
    assert walled.xy[joined["node"].iloc[0]].tolist() == [X + 150, Y]


def test_a_site_in_the_river_is_refused_by_name(banks):
    joined = network.snap(banks, gpd.GeoSeries([shapely.Point(X + 150, Y + 40)], crs=2154))
    assert joined["node"].isna().all()
    assert joined["reason"].iloc[0] == "non raccordé : le lieu est dans l’emprise de la coupure « rivière »"


def test_refusals_say_why(banks):
    places = gpd.GeoSeries([None, shapely.Point(X + 9000, Y), shapely.Point(X, Y)], crs=2154)
    joined = network.snap(banks, places)
    assert joined["reason"].tolist() == [
        "lieu inconnu : aucune géométrie",
        "non raccordé : nœud le plus proche à 8\u202f700 m, maximum 250 m",
        "",
    ]
    assert joined["access_m"].iloc[2] == 0


def test_a_place_walled_in_is_refused():
    street = layer(shapely.LineString([(X, Y), (X + 300, Y)]))
    ring = layer(shapely.Point(X + 150, Y + 50).buffer(20).exterior, barrier_id=["clôture"])
    joined = network.snap(
        network.streets(street, barriers=ring), gpd.GeoSeries([shapely.Point(X + 150, Y + 50)], crs=2154)
    )
    assert joined["reason"].iloc[0] == "non raccordé : tout accès de moins de 250 m franchirait une coupure"


def test_the_deck_of_a_bridge_is_not_offered_to_the_ground_below():
    ways = layer(
        shapely.LineString([(X, Y), (X + 100, Y)]),
        shapely.LineString([(X + 100, Y), (X + 300, Y)]),
        shapely.LineString([(X + 300, Y), (X + 400, Y)]),
        bridge=[None, "yes", None],
    )
    below = gpd.GeoSeries([shapely.Point(X + 200, Y + 1)], crs=2154)
    ground = network.streets(ways, max_edge_m=20)
    assert network.snap(ground, below)["access_m"].iloc[0] == pytest.approx(np.hypot(100, 1))
    assert network.snap(ground, below, level=1)["access_m"].iloc[0] == pytest.approx(1.0)


def test_scraps_can_be_passed_over():
    ways = layer(
        shapely.LineString([(X, Y), (X + 40, Y)]), shapely.LineString([(X, Y + 60), (X + 300, Y + 60), (X, Y + 160)])
    )
    ground = network.streets(ways, max_edge_m=30)
    place = gpd.GeoSeries([shapely.Point(X, Y + 10)], crs=2154)
    assert network.snap(ground, place)["access_m"].iloc[0] == 10
    assert network.snap(ground, place, min_island_nodes=4)["access_m"].iloc[0] == 50


def test_a_zone_joins_by_a_point_of_its_own(banks):
    zone = gpd.GeoSeries([shapely.box(X + 100, Y - 60, X + 200, Y - 20)], crs=2154)
    assert network.snap(banks, zone)["access_m"].iloc[0] == 40


def test_degrees_and_absurd_distances_are_refused(banks):
    with pytest.raises(CrsError, match="EPSG:2154"):
        network.snap(banks, gpd.GeoSeries([shapely.Point(2.3, 48.8)], crs=4326))
    with pytest.raises(InputError, match="attendu un nombre positif"):
        network.snap(banks, gpd.GeoSeries([shapely.Point(X, Y)], crs=2154), max_m=0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-400, 700), st.integers(-400, 500)), min_size=1, max_size=20), st.randoms())
def test_placed_and_refused_make_given_whatever_the_order(banks, offsets, chance):
    places = gpd.GeoSeries([shapely.Point(X + dx, Y + dy) for dx, dy in offsets], crs=2154)
    joined = network.snap(banks, places)
    placed = joined["node"].notna()
    assert len(joined) == len(places)
    assert ((joined["reason"] == "") == placed).all()
    assert joined["access_m"].notna().equals(placed)
    # No access crosses the river.
    river = banks.barriers.geometry.iloc[0]
    for row in np.flatnonzero(placed):
        end = banks.xy[joined["node"].iloc[row]]
        assert not shapely.LineString([places.iloc[row].coords[0], end]).intersects(river)
    order = list(range(len(places)))
    chance.shuffle(order)
    shuffled = network.snap(banks, places.iloc[order])
    assert shuffled.sort_index()["access_m"].equals(joined["access_m"])
