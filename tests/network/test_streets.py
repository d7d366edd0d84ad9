"""Lines meet where they share a vertex at the same level; bridges do not meet what they pass over."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from walking_town import X, Y, layer

from geo_qmi import network
from geo_qmi.errors import CrsError, InputError
from geo_qmi.network.streets import levels, walkable


def line(*points) -> shapely.LineString:
    return shapely.LineString([(X + x, Y + y) for x, y in points])


def walk(ground, start, end) -> float:
    """Metres between the nodes at two places of the drawing."""
    node = [int(np.hypot(*(ground.xy - (X + x, Y + y)).T).argmin()) for x, y in (start, end)]
    return float(network.distances(ground, node[:1], node[1:]).iloc[0, 0])


#: A street east–west and one north–south that share the vertex (0, 0).
CROSS = (line((-100, 0), (0, 0), (100, 0)), line((0, -100), (0, 0), (0, 100)))


def test_lines_meet_at_a_shared_vertex():
    assert walk(network.streets(layer(*CROSS)), (-100, 0), (0, 100)) == 200


def test_a_bridge_does_not_meet_what_it_passes_over():
    ground = network.streets(layer(*CROSS, bridge=[None, "yes"]))
    assert walk(ground, (-100, 0), (0, 100)) == np.inf
    assert walk(ground, (0, -100), (0, 100)) == 200


@pytest.mark.parametrize("column", ["layer", "level"])
def test_a_slab_on_its_own_level_is_reached_by_its_stairs_only(column):
    slab = line((-50, 50), (0, 50), (50, 50))
    street = line((0, 0), (0, 50), (0, 100))
    stairs = line((50, 50), (50, 0), (0, 0))
    ways = layer(slab, street, stairs, highway=["pedestrian", "residential", "steps"], **{column: ["1", None, "0;1"]})
    ground = network.streets(ways)
    assert walk(ground, (0, 0), (50, 50)) == 100
    assert walk(ground, (0, 100), (-50, 50)) == 100 + 100 + 100  # down the street, up the stairs, along the slab
    step_free = network.streets(ways, step_free=True)
    assert walk(step_free, (0, 0), (-50, 50)) == np.inf
    assert step_free.refused["reason"].tolist() == ["escalier"]


def test_an_abutment_meets_the_street_it_rests_on():
    ramp = line((0, 0), (0, 100))
    ground = network.streets(layer(CROSS[0], ramp, bridge=[None, "yes"]))
    assert walk(ground, (-100, 0), (0, 100)) == 200


def test_a_drawing_without_topology_is_noded_on_request():
    drawn = layer(line((-100, 0), (100, 0)), line((0, -100), (0, 100)))
    assert walk(network.streets(drawn), (-100, 0), (0, 100)) == np.inf
    assert walk(network.streets(drawn, noding=True), (-100, 0), (0, 100)) == 200
    over = drawn.assign(bridge=[None, "yes"])
    assert walk(network.streets(over, noding=True), (-100, 0), (0, 100)) == np.inf


def test_loops_and_double_ways_keep_their_length():
    ring = line((0, 0), (100, 0), (100, 100), (0, 100), (0, 0))
    ground = network.streets(layer(ring, line((0, 0), (-50, 0)), line((0, 0), (-25, 40), (-50, 0))), max_edge_m=1000)
    assert ground.edge_metres.sum() == pytest.approx(400 + 50 + 2 * np.hypot(25, 40))
    assert ground.notes == ()
    assert walk(ground, (-50, 0), (100, 0)) == 150
    assert walk(ground, (-50, 0), (0, 100)) == 150


def test_bends_are_kept_and_long_edges_split():
    bent = line((0, 0), (30, 40), (30, 240))
    ground = network.streets(layer(bent), max_edge_m=60)
    assert ground.edge_metres.sum() == pytest.approx(250)
    assert ground.edge_metres.max() < 120
    assert shapely.length(ground.lines()) == pytest.approx(ground.edge_metres)
    assert shapely.union_all(ground.lines()).hausdorff_distance(bent) == pytest.approx(0, abs=1e-9)


def test_every_line_left_out_is_listed_with_its_reason():
    ways = layer(
        *[line((0, 0), (10, 0))] * 6,
        line((0, 0), (0, 0)),
        None,
        shapely.Point(X, Y),
        highway=["footway", "motorway", "motorway", "service", "service", None, "footway", "footway", "footway"],
        access=[None, None, None, "private", "private", None, None, None, None],
        foot=[None, None, "yes", None, "permissive", None, None, None, None],
    )
    assert walkable(ways).tolist() == [
        "",
        "voie interdite aux piétons : motorway",
        "",
        "accès fermé : private",
        "",
        "ni rue ni chemin",
        "longueur nulle",
        "aucune géométrie",
        "ce n’est pas une ligne",
    ]
    ground = network.streets(ways)
    assert len(ground.refused) == 6
    assert ground.notes[-1].startswith("6 lignes hors du réseau à pied (")


def test_levels_are_read_from_tags():
    rows = layer(
        *[CROSS[0]] * 7,
        bridge=["yes", None, None, "no", "yes", None, None],
        tunnel=[None, "yes", "building_passage", None, None, None, None],
        layer=[None, None, None, None, "2", "-1", "0;1"],
    )
    low, high = levels(rows)
    assert low.tolist() == [1, -1, 0, 0, 2, -1, 0]
    assert high.tolist() == [1, -1, 0, 0, 2, -1, 1]


def test_heights_of_the_vertices_make_slopes():
    hill = shapely.LineString([(X, Y, 0), (X + 100, Y, 10)])
    ground = network.streets(layer(hill), slopes=True, max_edge_m=200)
    up = network.distances(ground, [int(ground.xy[:, 0].argmin())], [int(ground.xy[:, 0].argmax())], unit="minutes")
    assert up.iloc[0, 0] == pytest.approx(1.25 / np.exp(-0.35))


@pytest.mark.parametrize(("length", "apart"), [(100, 2), (200, 3)])
def test_islands_are_said_even_when_they_are_as_large_as_each_other(length, apart):
    other = line((500, 500), (600, 500), (500 + length, 500)) if length > 100 else line((500, 500), (600, 500))
    ground = network.streets(layer(*CROSS, other), max_edge_m=100)
    assert ground.notes[0].startswith(f"{apart} nœuds sur {5 + apart} à part du réseau principal")


def test_the_order_of_lines_does_not_matter():
    ways = layer(*CROSS, line((100, 0), (100, 80), (0, 100)), bridge=[None, None, "yes"])
    one, two = network.streets(ways), network.streets(ways.iloc[::-1])
    assert sorted(map(tuple, one.xy)) == sorted(map(tuple, two.xy))
    for start in ((-100, 0), (0, -100)):
        assert walk(one, start, (0, 100)) == walk(two, start, (0, 100))


def test_unusable_layers_are_refused():
    with pytest.raises(CrsError, match="EPSG:2154"):
        network.streets(layer(*CROSS).to_crs(4326))
    with pytest.raises(InputError, match=r"Aucune des 2 lignes ne se parcourt à pied.*motorway"):
        network.streets(layer(*CROSS, highway=["motorway", "motorway"]))
    with pytest.raises(InputError, match="découpage refusée"):
        network.streets(layer(*CROSS), max_edge_m=0)
