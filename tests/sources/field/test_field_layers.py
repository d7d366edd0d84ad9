from __future__ import annotations

import json

import pytest

from geo_qmi.errors import InputError, UnreadableError
from geo_qmi.sources.field.reading import read_walk
from geo_qmi.sources.field.words import table_of


def test_a_umap_backup_keeps_its_layers(fixtures):
    walk = read_walk(fixtures / "marche.umap")
    assert walk.n_in == {"observations": 2, "routes": 1}
    seen = walk.tables["observations"][0]
    assert list(seen.frame["uid"]) == ["EyMDM", "QxNTk"]
    assert list(seen.frame["verbatim"]) == ["Bruit — Le train couvre la voix.", "Jardin"]


def test_one_layer_of_umap_is_told_by_its_options(fixtures):
    walk = read_walk(fixtures / "umap_export.geojson")
    assert walk.tool == "umap"
    assert "_umap_options" not in walk.tables["observations"][0].frame


@pytest.mark.parametrize("document", ['{"type": "umap", "layers": []}', "[1", '{"layers": [3]}'])
def test_what_is_no_umap_is_refused(tmp_path, document):
    path = tmp_path / "a.umap"
    path.write_text(document)
    with pytest.raises(UnreadableError):
        read_walk(path)


def test_lines_that_say_nothing_are_the_way_walked(tmp_path):
    line = {"type": "LineString", "coordinates": [[2.49, 48.93], [2.5, 48.93]]}
    for properties, table in (({}, "routes"), ({"valence": -2}, "observations")):
        path = tmp_path / f"{table[:2]}.geojson"
        path.write_text(json.dumps({"type": "Feature", "geometry": line, "properties": properties}))
        assert list(read_walk(path).tables) == [table]


def test_a_french_table_is_read_by_its_titles(fixtures):
    frame = read_walk(fixtures / "csv" / "marche_fr.csv").tables["observations"][0].frame
    assert {"participant", "actor_group", "date", "time", "kind", "frame", "sense", "theme", "valence"} <= {*frame}


def test_layer_names():
    assert table_of("marche-etapes") == "stages"
    assert table_of("Propos recueillis") == "statements"
    assert table_of("Calque 2") is None


def test_a_folder_that_could_be_anything_is_asked_about(tmp_path):
    (tmp_path / "a.umap").touch()
    (tmp_path / "b.umap").touch()
    with pytest.raises(UnreadableError, match="quel fichier lire"):
        read_walk(tmp_path)


def test_an_unknown_tool_is_refused(fixtures):
    with pytest.raises(InputError, match="Outils lus"):
        read_walk(fixtures / "marche.umap", tool="epicollect")
