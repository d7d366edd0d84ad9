"""A crossing opens a barrier or says why not; opening one never lengthens a walk."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from walking_town import X, Y, layer

from geo_qmi import network


def crossing(shape, barrier="R", name="F") -> object:
    return layer(shape, crossing_id=[name], barrier_id=[barrier])


def test_the_bridge_of_the_fixture_is_one_link_of_fifty_metres(ground):
    assert ground.links["metres"].tolist() == [50.0]
    assert ground.links["reason"].tolist() == [""]
    rows = np.flatnonzero(ground.edges["crossing"] == 0)
    assert sorted(ground.xy[ground.ends[rows[0]]].tolist()) == [[X + 1800, Y + 600], [X + 1800, Y + 650]]


def test_a_line_counts_its_own_length(town, railway):
    ramp = crossing(shapely.LineString([(X + 500, Y + 600), (X + 430, Y + 625), (X + 500, Y + 650)]))
    ground = network.open_ground(town, barriers=railway, crossings=ramp, cell_m=50, neighbours=4)
    assert ground.links["metres"].iloc[0] == pytest.approx(2 * np.hypot(70, 25))


@pytest.mark.parametrize(
    ("shape", "barrier", "reason"),
    [
        (shapely.Point(X + 500, Y + 925), "R", "à 300 m de la coupure, maximum 40 m"),
        (shapely.Point(X + 500, Y + 625), "autre", "coupure « autre » absente du terrain"),
        (shapely.LineString([(X + 500, Y + 700), (X + 600, Y + 700)]), "R", "ne franchit pas la coupure"),
        (shapely.LineString([(X, Y + 600), (X, Y + 850)]), "R", "franchit aussi la coupure « M », non déclarée"),
        (shapely.MultiLineString([[(X, Y), (X, Y + 9)], [(X, Y + 99), (X, Y + 990)]]), "R", "plusieurs morceaux"),
        (shapely.LineString([(X + 500, Y + 600), (X + 500, Y + 9000)]), "R", "franchit aussi la coupure « M »"),
        (shapely.Point(X + 1010, Y + 1000), "étang", "dessinez une ligne d’un bord à l’autre"),
    ],
)
def test_refusals_say_why(town, railway, shape, barrier, reason):
    barriers = layer(
        railway.geometry.iloc[0],
        shapely.LineString([(X - 100, Y + 780), (X + 2100, Y + 780)]),
        shapely.box(X + 990, Y + 980, X + 1030, Y + 1020),
        barrier_id=["R", "M", "étang"],
    )
    ground = network.open_ground(town, barriers=barriers, crossings=crossing(shape, barrier), cell_m=50)
    assert reason in ground.links["reason"].iloc[0]
    assert reason in ground.notes[-1]
    assert (ground.edges["crossing"] == -1).all()


def test_a_crossing_joins_streets_on_both_sides(railway):
    streets = layer(
        shapely.LineString([(X, Y + 600), (X + 400, Y + 600)]), shapely.LineString([(X, Y + 660), (X + 400, Y + 660)])
    )
    bridge = crossing(shapely.Point(X + 200, Y + 625))
    ground = network.streets(streets, barriers=railway, crossings=bridge, max_edge_m=50)
    south, north = (int(np.hypot(*(ground.xy - (X + 200, Y + y)).T).argmin()) for y in (600, 660))
    # 13 m to the southern end of the link, 24 m through it, 23 m to the northern street.
    assert network.distances(ground, [south], [north]).iloc[0, 0] == pytest.approx(60)


def test_opening_two_by_two_keeps_the_inventory(ground):
    again = network.open_crossings(ground, crossing(shapely.Point(X + 200, Y + 625), name="passerelle"))
    assert again.links["crossing_id"].tolist() == ["pont", "passerelle"]
    assert sorted(set(again.edges["crossing"])) == [-1, 0, 1]
    assert len(ground.links) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2000), st.lists(st.integers(0, 1024), min_size=4, max_size=4, unique=True))
def test_a_crossing_never_lengthens_a_walk(ground, east, nodes):
    more = network.open_crossings(ground, crossing(shapely.Point(X + east, Y + 625)))
    before, after = network.distances(ground, nodes, nodes), network.distances(more, nodes, nodes)
    assert (after.to_numpy() <= before.to_numpy() + 1e-9).all()
