"""Both engines give the same numbers, and the numbers are right."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from walking_town import X, Y

from geo_qmi import network
from geo_qmi.errors import InputError
from geo_qmi.network import closest, reach


@pytest.fixture(scope="module")
def random_town() -> network.Ground:
    """500 places at random, some of them islands, some edges longer than straight."""
    rng = np.random.default_rng(11)
    xy = rng.uniform(0, 3000, (500, 2)) + np.array([X, Y])
    ends = rng.integers(0, 500, (900, 2))
    near = np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T) < 900
    ends = ends[near & (ends[:, 0] != ends[:, 1])]
    length = np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T) * rng.uniform(1, 1.3, len(ends))
    return network.from_edges(xy, ends, length_m=length)


def snapped(nodes, access, names=None) -> pd.DataFrame:
    index = names if names is not None else range(len(nodes))
    return pd.DataFrame({"node": pd.array(nodes, "Int64"), "access_m": access, "reason": ""}, index=index)


def test_the_nearest_of_two_sites_by_hand():
    line = np.column_stack([X + np.arange(6) * 100.0, np.full(6, Y)])
    ground = network.from_edges(line, [(i, i + 1) for i in range(5)])
    node = ground.nodes_given()
    sites = snapped([node[0], node[5]], [0.0, 150.0], ["gare", "mairie"])
    found = network.nearest(ground, sites).loc[node]
    assert found["site"].tolist() == ["gare", "gare", "gare", "gare", "mairie", "mairie"]
    assert found["metres"].tolist() == [0, 100, 200, 300, 250, 150]
    assert found["minutes"].tolist() == [0, 1.25, 2.5, 3.75, 3.125, 1.875]


@pytest.mark.parametrize("engine", ["numba", "scipy"])
def test_equally_near_sites_are_settled_by_id_not_by_row(engine):
    if engine == "numba":
        pytest.importorskip("numba")
    x, y = np.meshgrid(np.arange(9), np.arange(9), indexing="ij")
    number = np.arange(81).reshape(9, 9)
    ends = np.concatenate(
        [
            np.column_stack([number[1:].ravel(), number[:-1].ravel()]),
            np.column_stack([number[:, 1:].ravel(), number[:, :-1].ravel()]),
        ]
    )
    ground = network.from_edges(np.column_stack([x.ravel(), y.ravel()]) * 50.0 + np.array([X, Y]), ends)
    corners = ground.nodes_given()[[0, 80, 8, 72]]
    one = network.nearest(ground, snapped(corners, 0.0, list("dcba")), engine=engine)
    two = network.nearest(ground, snapped(corners[::-1], 0.0, list("abcd")), engine=engine)
    assert one["site"].equals(two["site"])
    centre = ground.nodes_given()[40]
    assert one.loc[centre, "site"] == "a"
    assert one.loc[centre, "metres"] == 400
    # On the middle column, halfway between corners b (8) and d (0), the first of the two.
    assert one.loc[ground.nodes_given()[4], "site"] == "b"


def test_the_bucket_queue_equals_scipy_to_the_last_bit(random_town):
    pytest.importorskip("numba")
    rng = np.random.default_rng(12)
    sites = snapped(rng.choice(500, 30, replace=False), rng.uniform(0, 200, 30))
    for minutes in (None, 12.0, 0.5):
        fast = network.nearest(random_town, sites, minutes=minutes, engine="numba")
        plain = network.nearest(random_town, sites, minutes=minutes, engine="scipy")
        assert fast.equals(plain)
    assert fast["site"].isna().any()


def test_bounded_catchments_equal_scipy_and_networkx(random_town):
    pytest.importorskip("numba")
    rng = np.random.default_rng(13)
    sources = snapped(rng.permutation(500)[:80], rng.uniform(0, 60, 80))
    fast = network.within(random_town, sources, minutes=10, engine="numba")
    plain = network.within(random_town, sources, minutes=10, engine="scipy")
    assert (fast.indptr == plain.indptr).all()
    assert (fast.indices == plain.indices).all()
    assert (fast.data == plain.data).all()
    graph = nx.Graph()
    graph.add_nodes_from(range(500))
    graph.add_weighted_edges_from(
        (int(a), int(b), w) for (a, b), w in zip(random_town.ends, random_town.edge_metres, strict=True)
    )
    for row in range(0, 80, 7):
        node, access = int(sources["node"].iloc[row]), sources["access_m"].iloc[row]
        lengths = nx.single_source_dijkstra_path_length(graph, node, cutoff=800 - access)
        part = slice(fast.indptr[row], fast.indptr[row + 1])
        assert fast.indices[part].tolist() == sorted(lengths)
        assert fast.data[part] == pytest.approx([lengths[n] + access for n in sorted(lengths)], abs=1e-6)


@pytest.mark.parametrize("engine", ["numba", "scipy"])
def test_what_is_served_is_the_sum_over_the_catchment(random_town, engine):
    if engine == "numba":
        pytest.importorskip("numba")
    people = np.random.default_rng(14).integers(0, 50, 500).astype(float)
    sources = snapped([7, 3, 400], [0.0, 2000.0, 10.0], ["a", "b", "c"])
    served = network.served(random_town, sources, people, minutes=10, engine=engine)
    reached = network.within(random_town, sources, minutes=10)
    assert served.index.tolist() == ["a", "b", "c"]
    assert served.tolist() == [
        people[reached.indices[reached.indptr[r] : reached.indptr[r + 1]]].sum() for r in range(3)
    ]
    assert served["b"] == 0  # its access alone is longer than the walk


def test_a_small_part_of_a_large_ground_is_searched_with_the_same_result():
    x, y = np.meshgrid(np.arange(120), np.arange(120), indexing="ij")
    number = np.arange(14400).reshape(120, 120)
    ends = np.concatenate(
        [
            np.column_stack([number[1:].ravel(), number[:-1].ravel()]),
            np.column_stack([number[:, 1:].ravel(), number[:, :-1].ravel()]),
        ]
    )
    ground = network.from_edges(np.column_stack([x.ravel(), y.ravel()]) * 50.0 + np.array([X, Y]), ends)
    found = network.within(ground, [ground.nodes_given()[7260]], minutes=5, engine="scipy")
    assert found.nnz == 145  # a diamond of 8 steps: 2·8² + 2·8 + 1


@pytest.mark.parametrize("engine", ["numba", "scipy"])
def test_arrays_in_arrays_out_say_what_the_table_says(random_town, engine):
    if engine == "numba":
        pytest.importorskip("numba")
    rng = np.random.default_rng(15)
    nodes, access = rng.choice(500, 20, replace=False), rng.uniform(0, 90, 20)
    found = network.nearest_arrays(random_town, nodes, access_m=access, minutes=9, engine=engine)
    table = network.nearest(random_town, snapped(nodes, access), minutes=9, engine=engine)
    assert (table["site"].fillna(-1).to_numpy(dtype=int) == found.rank).all()
    assert (table["metres"].to_numpy() == found.metres).all()
    assert (table["minutes"].to_numpy() == found.minutes).all()
    assert found.climb_m is None
    assert -1 in found.rank


@pytest.mark.parametrize("access", [[1.0], [-1.0, 2.0], [np.nan, 2.0]])
def test_accesses_are_one_length_a_node(random_town, access):
    with pytest.raises(InputError, match="attendu 2 nombres de mètres"):
        network.nearest_arrays(random_town, [3, 4], access_m=access)


@pytest.mark.parametrize("minutes", [-1, float("nan"), 1e9])
def test_a_time_nobody_walks_is_refused(random_town, minutes):
    with pytest.raises(InputError, match="attendu un nombre de minutes de 0 à 240"):
        network.within(random_town, [3], minutes=minutes)


def test_refused_places_keep_their_row_without_a_distance(random_town):
    places = snapped([3, None], [10.0, np.nan], ["ici", "nulle part"])
    found = network.distances(random_town, places, places)
    assert found.loc["ici", "ici"] == 20.0
    assert found["nulle part"].isna().all()
    assert found.loc["nulle part"].isna().all()


def test_the_search_starts_from_the_small_side_with_one_answer(random_town):
    few, many = snapped([1, 2], 5.0), snapped(range(100, 160), 1.0)
    one = network.distances(random_town, few, many)
    two = network.distances(random_town, many, few)
    assert one.to_numpy() == pytest.approx(two.to_numpy().T, abs=1e-6)
    minutes = network.distances(random_town, few, many, unit="minutes")
    assert minutes.to_numpy() == pytest.approx(one.to_numpy() / 80)


def test_beyond_the_limit_is_infinite(random_town):
    near = network.distances(random_town, [0], range(500), minutes=5).iloc[0]
    far = network.distances(random_town, [0], range(500)).iloc[0]
    assert near[np.isfinite(near)].max() <= 400
    assert (np.isfinite(near) == (far <= 400)).all()


def test_what_cannot_be_searched_is_refused(random_town):
    with pytest.raises(InputError, match="Nœud de départ inconnu"):
        network.nearest(random_town, [500])
    with pytest.raises(InputError, match="Aucun lieu de départ"):
        network.nearest(random_town, [])
    with pytest.raises(InputError, match="Durée de marche refusée : « -1 »"):
        network.within(random_town, [0], minutes=-1)
    with pytest.raises(InputError, match="499 pour 500 nœuds"):
        network.served(random_town, [0], np.ones(499), minutes=5)
    alone = network.snap(random_town, gpd.GeoSeries([shapely.Point(0, 0)], crs=2154))
    with pytest.raises(InputError, match="Aucun des 1 lieux n’est raccordé"):
        network.nearest(random_town, alone)


def test_without_numba_scipy_answers_and_asking_for_numba_is_refused(random_town, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(reach.importlib, "import_module", absent)
    assert network.nearest(random_town, [0])["metres"].min() == 0
    with pytest.raises(InputError, match=r"geo-qmi\[fast\]"):
        network.nearest(random_town, [0], engine="numba")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_distances_on_slopes_follow_the_quickest_way(seed):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 800, (30, 2)) + np.array([X, Y])
    ends = rng.integers(0, 30, (70, 2))
    ground = network.from_edges(xy, ends)
    hilly = network.with_heights(ground, rng.uniform(0, 60, 30))
    found = network.nearest(hilly, [0])
    graph = nx.DiGraph()
    graph.add_nodes_from(range(30))
    rows = np.repeat(np.arange(30), np.diff(hilly.metres.indptr))
    for a, b, minutes, metres in zip(rows, hilly.metres.indices, hilly.minutes, hilly.metres.data, strict=True):
        graph.add_edge(int(a), int(b), minutes=minutes, metres=metres)
    for node in range(30):
        if not nx.has_path(graph, node, 0):
            assert np.isinf(found.loc[node, "minutes"])
            continue
        path = nx.dijkstra_path(graph, node, 0, weight="minutes")
        assert found.loc[node, "minutes"] == pytest.approx(nx.path_weight(graph, path, "minutes"))
        assert found.loc[node, "metres"] == pytest.approx(nx.path_weight(graph, path, "metres"))
        rise = np.diff(hilly.heights_m[path])
        assert found.loc[node, "climb_m"] == pytest.approx(rise[rise > 0].sum())


def test_a_small_ground_does_not_wait_for_the_compiled_kernel(monkeypatch, random_town):
    def loaded(engine):
        raise AssertionError(f"kernel loaded for {random_town.n_nodes} nodes, engine {engine}")

    asked = network.nearest_arrays(random_town, [0], engine="scipy").metres
    monkeypatch.setattr(closest, "kernel", loaded)
    assert np.array_equal(network.nearest_arrays(random_town, [0]).metres, asked)
    monkeypatch.setattr(closest, "_LARGE_NODES", random_town.n_nodes)
    with pytest.raises(AssertionError, match="engine auto"):
        network.nearest_arrays(random_town, [0])
