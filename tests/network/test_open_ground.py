"""A ring on the map claims people across the tracks; a walker does not reach them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from walking_town import HOME, X, Y, layer

from geo_qmi import network
from geo_qmi.errors import CrsError, InputError, LimitError


@pytest.mark.parametrize(("metres", "disc", "reached", "claimed"), [(400, 197, 96, 75), (800, 613, 269, 287)])
def test_the_analytic_fixture(ground, home, metres, disc, reached, claimed):
    straight = np.hypot(*(ground.xy - [HOME.x, HOME.y]).T)
    across = ground.xy[:, 1] > Y + 625
    walk = network.catchment(ground, home, metres=metres)
    assert ground.n_nodes == 41 * 25
    assert (straight <= metres).sum() == disc
    assert len(walk.nodes) == reached
    assert ((straight <= metres) & across).sum() == claimed
    assert across[walk.nodes.index].sum() == 0


def test_a_hundred_metres_apart_are_2700_on_foot(ground, home):
    other = network.snap(ground, gpd.GeoSeries([shapely.Point(X + 500, Y + 650)], index=["other"], crs=2154))
    assert network.distances(ground, home, other).loc["home", "other"] == 2700.0


def test_minutes_and_metres_agree_at_80_metres_a_minute(ground, home):
    assert len(network.catchment(ground, home, minutes=5).nodes) == 96


def test_the_label_says_which_ground_was_used(ground):
    assert ground.label == "terrain ouvert avec coupures (maille de 50 m), sans les rues"


def test_no_crossing_splits_the_ground_and_says_so(town, railway):
    closed = network.open_ground(town, barriers=railway, cell_m=50, neighbours=4)
    assert sorted(closed.islands().unique()) == [12 * 41, 13 * 41]
    assert "492 points de la grille hors de la plus grande partie" in closed.notes[0]


def test_an_area_takes_its_nodes_away(town):
    pond = layer(shapely.box(X + 480, Y + 480, X + 620, Y + 620), barrier_id=["étang"])
    wet = network.open_ground(town, barriers=pond, cell_m=50, neighbours=8)
    assert wet.n_nodes == 41 * 25 - 9  # 500, 550 and 600 m on each axis
    assert wet.notes == ("9 points de la grille dans l’emprise d’une coupure : retirés.",)


def test_a_barrier_on_another_level_stops_nobody(town, railway):
    tunnel = network.open_ground(town, barriers=railway.assign(level=-1), cell_m=50, neighbours=4)
    assert tunnel.islands().nunique() == 1
    assert "1 coupure vide ou d’un autre niveau" in tunnel.notes[0]


def test_the_crow_s_flight_is_overstated_by_less_than_three_per_cent(town):
    # 16 directions: the worst bearing lies between two of them, (0, 1) and (1, 2); see docs/methods/network.md.
    free = network.open_ground(town, cell_m=10)
    start = network.snap(free, gpd.GeoSeries([shapely.Point(X + 1000, Y)], crs=2154))
    walk = network.catchment(free, start, metres=1000).nodes
    straight = np.hypot(*(free.xy[walk.index] - [X + 1000, Y]).T)
    ratio = (walk["metres"] / straight)[straight > 500]
    assert ratio.max() == pytest.approx(1.0275, abs=5e-4)
    assert ratio.min() == pytest.approx(1.0)


def test_two_perimeters_share_their_nodes(town):
    shifted = gpd.GeoSeries([shapely.box(X + 13, Y + 13, X + 500, Y + 500)], crs=2154)
    part = network.open_ground(shifted, cell_m=50)
    assert (part.xy % 50 == 0).all()


def test_bad_perimeters_are_refused_in_french(town):
    with pytest.raises(CrsError, match="EPSG:2154"):
        network.open_ground(town.to_crs(4326))
    with pytest.raises(InputError, match="vide ou sans surface"):
        network.open_ground(layer(HOME))
    with pytest.raises(InputError, match="maille 0 m"):
        network.open_ground(town, cell_m=0)
    with pytest.raises(LimitError, match="élargissez la maille"):
        network.open_ground(town, cell_m=0.5)
    with pytest.raises(InputError, match="Vitesse de marche refusée : « -4 »"):
        network.open_ground(town, walk_kmh=-4)
    with pytest.raises(InputError, match="tout le périmètre est dans l’emprise"):
        network.open_ground(town, barriers=layer(shapely.box(X - 9, Y - 9, X + 2009, Y + 1209)), cell_m=50)
