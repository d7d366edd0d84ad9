"""A ground is refused when it cannot be walked, and says what it found odd."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from geo_qmi import network
from geo_qmi.errors import CrsError, InputError
from geo_qmi.network import ground as module

SQUARE = np.array([(650000, 6860000), (650100, 6860000), (650100, 6860100), (650000, 6860100)], dtype=float)
ROUND = np.array([(0, 1), (1, 2), (2, 3), (3, 0)])


def test_nodes_follow_the_curve_and_remember_their_row():
    ground = network.from_edges(SQUARE, ROUND)
    assert (ground.xy == SQUARE[ground.given]).all()
    assert (ground.given[ground.nodes_given()] == np.arange(4)).all()
    assert ground.metres.sum() == 8 * 100


def test_the_hilbert_curve_visits_a_grid_step_by_step():
    x, y = np.meshgrid(np.arange(16), np.arange(16))
    cells = np.column_stack([x.ravel(), y.ravel()])[
        np.argsort(module.hilbert(np.column_stack([x.ravel(), y.ravel()]) * 1.0))
    ]
    assert (np.abs(np.diff(cells, axis=0)).sum(axis=1) == 1).all()


def test_islands_are_counted():
    ground = network.from_edges(np.vstack([SQUARE, SQUARE + 5000]), np.vstack([ROUND, [(4, 5)]]))
    counted = ground.islands().to_numpy()[ground.nodes_given()]
    assert counted.tolist() == [4, 4, 4, 4, 2, 2, 1, 1]


def test_what_a_ground_gives_is_worked_out_once_and_not_for_another():
    ground = network.from_edges(SQUARE, ROUND)
    made = []
    assert [ground.derived("mark", lambda: made.append(0) or 7) for _ in range(2)] == [7, 7]
    assert len(made) == 1
    assert ground.edge_metres.tolist() == [100] * 4
    closed = network.without_edges(ground, [0])
    assert closed.edge_metres.tolist() == [100] * 3
    assert closed.derived("mark", lambda: 8) == 8


def test_loops_zero_lengths_and_doubles_are_said():
    ends = np.vstack([ROUND, [(0, 0), (1, 0), (2, 0)]])
    ground = network.from_edges(SQUARE, ends, length_m=[100, 100, 100, 100, 7, 80, 0])
    assert ground.notes == (
        "1 tronçon revenant au point de départ : sans effet sur les distances.",
        "1 tronçon de longueur nulle : gardé, parcouru en un temps nul.",
        "1 tronçon doublant un autre entre les deux mêmes nœuds : le plus court est gardé.",
    )
    node = ground.nodes_given()
    found = network.distances(ground, [node[0]], node).to_numpy()[0]
    assert found.tolist() == [0, 80, 0, 100]  # 0 → 2 costs nothing, 0 → 1 by the shorter double


@pytest.mark.parametrize(
    ("xy", "ends", "lengths", "words"),
    [
        (SQUARE, ROUND, [100, -1, 100, 100], "négative aux tronçons 1 "),
        (SQUARE, ROUND, [100, np.nan, 100, np.inf], "aux tronçons 1, 3 "),
        (SQUARE, ROUND, [100], "1 longueurs pour 4 tronçons"),
        (SQUARE, [(0, 9)], None, "un bout inconnu aux tronçons 0"),
        (np.where(SQUARE == 650100, np.nan, SQUARE), ROUND, None, "aux nœuds 1, 2"),
        (np.zeros((0, 2)), np.zeros((0, 2)), None, "aucun nœud"),
    ],
)
def test_bad_networks_are_refused(xy, ends, lengths, words):
    with pytest.raises(InputError, match=words):
        network.from_edges(xy, ends, length_m=lengths)


def test_degrees_are_refused():
    with pytest.raises(CrsError, match="ressemblent à des degrés"):
        network.from_edges([(2.3, 48.8), (2.4, 48.9)], [(0, 1)])


@pytest.mark.parametrize("speed", [0, -4.8, np.nan, 40])
def test_speeds_that_nobody_walks_are_refused(speed):
    with pytest.raises(InputError, match="Vitesse de marche refusée"):
        network.from_edges(SQUARE, ROUND, walk_kmh=speed)


def test_a_hill_is_slower_up_than_down_and_its_climb_is_told():
    line = np.array([(650000, 6860000), (650100, 6860000)], dtype=float)
    hill = network.with_heights(network.from_edges(line, [(0, 1)]), [0.0, 10.0])
    up, down = (
        network.distances(hill, [0], [1], unit="minutes").iloc[0, 0],
        network.distances(hill, [1], [0], unit="minutes").iloc[0, 0],
    )
    # 100 m at 80 m/min; Tobler: exp(−3.5·0.10) up a slope of 10 %, exp(0) down it (|−0.10 + 0.05| = 0.05).
    assert up == pytest.approx(1.25 / np.exp(-0.35))
    assert down == pytest.approx(1.25)
    to_top = network.nearest(hill, [1]).loc[0]
    assert (to_top["minutes"], to_top["metres"], to_top["climb_m"]) == pytest.approx((up, 100, 10))
    to_bottom = network.nearest(hill, [0]).loc[1]
    assert (to_bottom["minutes"], to_bottom["metres"], to_bottom["climb_m"]) == pytest.approx((down, 100, 0))
    assert [network.minutes_to(hill, [one]).max() for one in (1, 0)] == pytest.approx([up, down])


def test_unknown_heights_count_as_flat_and_are_said():
    flat = network.with_heights(network.from_edges(SQUARE, ROUND), [0.0, np.nan, 0.0, 0.0])
    assert flat.notes == ("1 nœud sans altitude : compté comme du plat.",)
    assert flat.minutes == pytest.approx(np.full(8, 1.25))
    with pytest.raises(InputError, match="3 pour 4 nœuds"):
        network.with_heights(flat, [1, 2, 3])


def test_closing_an_edge_leaves_the_ground_as_it_was():
    ground = network.from_edges(SQUARE, ROUND)
    first = int(np.flatnonzero((np.sort(ground.ends) == np.sort(ground.nodes_given()[[0, 1]])).all(axis=1))[0])
    cut = network.without_edges(ground, [first])
    pair = ground.nodes_given()[[0, 1]]
    assert network.distances(ground, pair[:1], pair[1:]).iloc[0, 0] == 100
    assert network.distances(cut, pair[:1], pair[1:]).iloc[0, 0] == 300


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(4)
    xy = rng.uniform(0, 2000, (300, 2)) + np.array([650000, 6860000])
    ends = rng.integers(0, 300, (700, 2))
    order, flip = rng.permutation(700), rng.random(700) < 0.5
    mixed = ends[order]
    mixed[flip] = mixed[flip][:, ::-1]
    one, two = network.from_edges(xy, ends), network.from_edges(xy, mixed)
    assert (one.metres != two.metres).nnz == 0


def test_distances_equal_networkx():
    rng = np.random.default_rng(5)
    xy = rng.uniform(0, 2000, (400, 2)) + np.array([650000, 6860000])
    ends = rng.integers(0, 400, (800, 2))
    ground = network.from_edges(xy, ends)
    graph = nx.Graph()
    graph.add_nodes_from(range(ground.n_nodes))
    graph.add_weighted_edges_from(
        (int(a), int(b), w) for (a, b), w in zip(ground.ends, ground.edge_metres, strict=True)
    )
    found = network.distances(ground, range(20), range(400))
    for source in range(20):
        expected = pd.Series(nx.single_source_dijkstra_path_length(graph, source), dtype=float).reindex(
            range(400), fill_value=np.inf
        )
        assert found.loc[source].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
