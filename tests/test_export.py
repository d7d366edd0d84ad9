"""Exports: what leaves, in which bytes, and what stays when something fails."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from geojson_pydantic import FeatureCollection

from geo_qmi import schema
from geo_qmi.errors import CrsError, InputError, UnknownNameError
from geo_qmi.export import (
    FORMATS,
    MAPS_ONLY,
    export_bytes,
    export_frame,
    export_layer,
    export_table,
    geojson,
    geopackage,
    ogr,
    parquet,
    pieces,
    write_json,
)
from geo_qmi.export.layer import from_table
from geo_qmi.export.spreadsheet import neutralised, plain
from geo_qmi.intake import take_in
from geo_qmi.sources.files import read_file

SUFFIXES = sorted(FORMATS)


def _degrees(shapes, **columns):
    """A frame of shapes given in longitude and latitude."""
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs="EPSG:4326"))


def _stations(n=2):
    """Stations in reverse order of their key, at hand-written degrees."""
    frame = _degrees(
        [shapely.Point(2.47123444, 48.90000006 + place / 100) for place in range(n)],
        station_id=[f"s{n - place}" for place in range(n)],
        insee="01004",
        name="Été",
        line="RER B",
        mode="RER",
        source="002:L3",
        geometry_status="official",
    )
    return schema.typed(frame.to_crs(2154), "stations")


def _observations(**changes):
    values = {
        "observation_id": ["o1", "o2"],
        "session_id": "w1",
        "participant_id": "MARTIN-PSEUDO",
        "rank": [1, 2],
        "time": "2026-01-01T10:00",
        "kind": ["mark", "silence"],
        "sense": ["sight", None],
        "valence": [-2, None],
        "verbatim": "SECRET",
        "wished": ["=1+1", "-12,5"],
        "demo": True,
        "source": "002:L1;003:L2",
        "geometry": [shapely.Point(660000, 6870000), None],
    }
    return schema.typed(pd.DataFrame(values | changes), "observations")


def _features(data):
    return json.loads(data)["features"]


def _rows(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


# GeoJSON ---------------------------------------------------------------------------------------------------------


def test_geojson_sorts_by_key_and_rounds_to_seven_decimals():
    text = export_bytes(_stations(), "stations", suffix=".geojson").decode()
    head, first, second, end = text.split("\n", 3)
    assert head.startswith('{"type":"FeatureCollection","name":"stations","title":"Gares et stations","licence":"Lic')
    assert head.endswith('"features":[')
    assert first.startswith('{"type":"Feature","id":"s1","properties":{"station_id":"s1","insee":"01004","name":"Été"')
    assert first.endswith('"precision_m":null},"geometry":{"type":"Point","coordinates":[2.4712344,48.9100001]}},')
    assert second.endswith('"geometry":{"type":"Point","coordinates":[2.4712344,48.9000001]}}')
    assert end == '],"bbox":[2.4712344,48.9000001,2.4712344,48.9100001]}\n'
    assert '"crs"' not in text


def test_geojson_winds_outer_rings_anticlockwise_and_holes_clockwise(tmp_path):
    outer = [(2, 48), (2, 49), (3, 49), (3, 48), (2, 48)]  # clockwise
    hole = [(2.2, 48.2), (2.8, 48.2), (2.8, 48.8), (2.2, 48.8), (2.2, 48.2)]  # anticlockwise
    frame = _degrees([shapely.Polygon(outer, [hole])], name=["a"])
    export_frame(frame, tmp_path / "a.geojson", title="A", key=["name"])
    rings = _features((tmp_path / "a.geojson").read_bytes())[0]["geometry"]["coordinates"]
    assert [shapely.LinearRing(ring).is_ccw for ring in rings] == [True, False]
    assert min(rings[0]) == [2, 48]


def test_geojson_keeps_integers_booleans_nulls_and_accents():
    first, second = _features(export_bytes(_observations(), "observations", suffix=".geojson", private=True))
    assert first["properties"]["rank"] == 1
    assert type(first["properties"]["rank"]) is int
    assert first["properties"]["demo"] is True
    assert second["properties"]["valence"] is None
    assert second["geometry"] is None


def test_geojson_is_valid_for_an_independent_judge(shipped):
    for name, frame in shipped.items():
        data = export_bytes(frame, name, suffix=".geojson", private=True)
        judged = FeatureCollection.model_validate_json(data)
        assert len(judged.features) == len(frame), name
        json.loads(data, parse_constant=pytest.fail)  # NaN and Infinity


def test_composite_keys_make_the_id():
    frame = schema.typed(pd.DataFrame({"project_id": ["p"], "tag": ["air|eau"], "source": ["003:L1"]}), "project_tags")
    assert _features(export_bytes(frame, "project_tags", suffix=".geojson"))[0]["id"] == "p|air|eau"


def test_separators_inside_text_do_not_shift_columns():
    awkward = ["a,\nb", 'c",\n"d', "\u2028,\x85%s", "\\n"]
    frame = pd.concat([_observations()] * 2, ignore_index=True).assign(
        observation_id=list("abcd"), wished=awkward, source="%d"
    )
    for suffix in sorted(set(SUFFIXES) - {".kml", ".xlsx"}):  # XML holds no such control character
        assert export_bytes(frame, "observations", suffix=suffix)
    for suffix in (".kml", ".xlsx"):
        with pytest.raises(InputError, match="sans caractère de commande"):
            export_bytes(frame.assign(wished="a\x0bb"), "observations", suffix=suffix)
    found = _features(export_bytes(frame, "observations", suffix=".geojson"))
    assert [feature["properties"]["wished"] for feature in found] == awkward


def test_rounding_that_breaks_a_polygon_is_repaired_and_said(tmp_path):
    # A spike 0.4e-7 wide: rounded to seven decimals its two sides fall on one line.
    sides = [(2.1, 48), (2.10000004, 48.1), (2.10000002, 48)]
    spike = shapely.Polygon([(2, 48), *sides, (2.2, 48), (2.2, 47.9), (2, 47.9)])
    assert spike.is_valid
    done = export_frame(_degrees([spike], k=["a"]), tmp_path / "a.geojson", title="A", key=["k"])
    assert done.remarks == ("1 contour réparé après arrondi à 1 cm : a.",)
    shape = shapely.geometry.shape(_features((tmp_path / "a.geojson").read_bytes())[0]["geometry"])
    assert shape.is_valid
    assert shape.area == pytest.approx(0.02, rel=1e-4)


def test_a_shape_smaller_than_the_rounding_is_said(tmp_path):
    tiny = shapely.box(2, 48, 2.00000001, 48.00000001)
    done = export_frame(_degrees([tiny], k=["a"]), tmp_path / "a.geojson", title="A", key=["k"])
    assert done.remarks == ("1 géométrie sous l’arrondi de 1 cm, sans lieu dans le fichier : a.",)
    assert _features((tmp_path / "a.geojson").read_bytes())[0]["geometry"] is None


# GeoPackage ------------------------------------------------------------------------------------------------------


def _opened(data):
    connection = sqlite3.connect(":memory:")
    connection.deserialize(data)
    return closing(connection)


def test_geopackage_is_lambert_93_titled_and_typed():
    with _opened(export_bytes(_observations(), "observations", suffix=".gpkg")) as base:
        assert base.execute("SELECT data_type, identifier, srs_id FROM gpkg_contents").fetchall() == [
            ("features", "Observations de terrain [démonstration]", 2154)
        ]  # no style was handed in
        assert base.execute("PRAGMA user_version").fetchone() == (10300,)
        assert base.execute("SELECT valence, typeof(valence), demo FROM observations").fetchall() == [
            (-2, "integer", 1),
            (None, "null", 1),
        ]


def test_geopackage_registers_tables_without_geometry(shipped):
    with _opened(export_bytes(shipped["objectives"], "objectives", suffix=".gpkg")) as base:
        assert base.execute("SELECT table_name, data_type FROM gpkg_contents").fetchall() == [
            ("objectives", "attributes")
        ]


def test_geopackage_keeps_whole_numbers_beyond_floats_beside_missing_ones(tmp_path):
    frame = pd.DataFrame({"k": ["a", "b"], "n": pd.array([2**60 + 1, None], dtype="Int64")})
    export_frame(frame, tmp_path / "n.gpkg", title="N", key=["k"])
    with _opened((tmp_path / "n.gpkg").read_bytes()) as base:
        assert base.execute("SELECT n FROM n").fetchall() == [(2**60 + 1,), (None,)]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("PRAGMA application_id = 1", "en-tête d’un autre format"),
        ("DROP TABLE gpkg_extensions", "table gpkg_extensions absente"),
        (
            "INSERT INTO gpkg_data_columns (table_name, column_name) VALUES ('perdue', 'a')",
            "cite la table absente perdue",
        ),
        ("UPDATE layer_styles SET styleQML = '<qgis>'", "style illisible de la couche stations"),
        ("UPDATE gpkg_spatial_ref_sys SET organization = 'IGN' WHERE srs_id = 2154", "systèmes de coordonnées absents"),
        ("UPDATE gpkg_contents SET data_type = 'attributes' WHERE table_name = 'stations'", "mal déclarée"),
        ("DELETE FROM stations WHERE station_id = 's1'", "1 lignes au lieu de 2"),
        ("UPDATE gpkg_geometry_columns SET geometry_type_name = 'POLYGON'", "géométrie mal déclarée"),
        ("UPDATE stations SET geom = x'00' || geom WHERE station_id = 's1'", "1 géométrie sans en-tête exact"),
        ("UPDATE gpkg_contents SET max_x = max_x + 1 WHERE table_name = 'stations'", "emprise inexacte"),
        ("DELETE FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'", "index spatial absent"),
        ("DELETE FROM rtree_stations_geom WHERE id = 1", "index spatial de 1 lieux"),
    ],
)
def test_what_breaks_a_geopackage_is_named(damage, said, tmp_path, monkeypatch):
    layer = replace(from_table(_stations(), "stations", private=False, title=None), style="<qgis/>")
    export_layer(layer, tmp_path / "s.gpkg")

    def damaged(connection, about):
        connection.create_function("ST_IsEmpty", 1, lambda blob: blob is None)
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            if damage.startswith(("UPDATE stations", "DELETE FROM stations")) and "rtree" in name:
                connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA foreign_keys = OFF")
        told(connection, about)
        connection.execute(damage)

    told = geopackage._tell
    monkeypatch.setattr(geopackage, "_tell", damaged)
    with pytest.raises(InputError, match=said):
        export_layer(layer, tmp_path / "t.gpkg")
    assert not (tmp_path / "t.gpkg").exists()


def test_geopackage_opens_in_geopandas(tmp_path):
    export_table(_stations(), "stations", tmp_path / "gares.gpkg")
    frame = gpd.read_file(tmp_path / "gares.gpkg")
    assert frame.crs.to_epsg() == 2154
    assert frame["insee"].tolist() == ["01004", "01004"]


# CSV -------------------------------------------------------------------------------------------------------------


def test_csv_speaks_french_excel():
    data = export_bytes(_stations(1), "stations", suffix=".csv")
    assert data.decode("utf-8-sig") == (
        "Identifiant;Code INSEE;Station;Ligne;Mode;Source;Note;Source de la géométrie;Statut de la géométrie;"
        "Précision en mètres;Longitude;Latitude\r\n"
        's1;01004;Été;RER B;RER;002:L3;;;officiel;;"2,4712344";"48,9000001"\r\n'
    )
    assert data.startswith(b"\xef\xbb\xbf")


def test_csv_writes_labels_yes_no_wkt_and_blank_for_missing():
    line = shapely.LineString([(2.5, 48.9), (2.25, 48.75)])
    frame = _observations(geometry=[*gpd.GeoSeries([line], crs=4326).to_crs(2154), None])
    header, first, second = _rows(export_bytes(frame, "observations", suffix=".csv"))
    record = dict(zip(header, first, strict=True))
    assert (record["Nature"], record["Sens"], record["Valence"]) == ("ressenti", "vue", "-2")
    assert (record["Démonstration"], record["Géométrie"]) == ("oui", "SRID=4326;LINESTRING (2.5 48.9, 2.25 48.75)")
    assert dict(zip(header, second, strict=True))["Géométrie"] == ""


@pytest.mark.parametrize(
    "text", ["=1+1", "+33 1 02", "-2+3", "@x", "\t=1", "\r\n", "  =1", "＝1", "－1", "'=1", "- banc"]
)
def test_formulas_are_neutralised_and_come_back(text):
    assert neutralised(text) == f"'{text}"
    assert plain(neutralised(text)) == text


@pytest.mark.parametrize("text", ["-12", "-12,5", "l’eau", "'oui'", "a=1", "", "12 %"])
def test_harmless_cells_are_left_alone(text):
    assert neutralised(text) == text
    assert plain(text) == text


def test_csv_has_no_active_cell_and_negative_numbers_stay_numbers(tmp_path):
    frame = pd.DataFrame({"=cmd": ["=1+1", "a,=1+1"], "n": [-2.5, 1e-7]})
    export_frame(frame, tmp_path / "x.csv", title="X")
    assert (tmp_path / "x.csv").read_bytes().decode("utf-8-sig") == (
        "'=cmd;n\r\n" + '\'=1+1;"-2,5"\r\n' + '"a,=1+1";1e-07\r\n'
    )


def test_titles_of_every_csv_header_are_unique(shipped):
    for name, frame in shipped.items():
        header = _rows(export_bytes(frame, name, suffix=".csv", private=True))[0]
        assert len(set(map(str.casefold, header))) == len(header), name


# What leaves -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_private_columns_stay(suffix, tmp_path):
    done = export_table(_observations(), "observations", tmp_path / f"o{suffix}")
    data = done.path.read_bytes()
    assert b"SECRET" not in data
    assert b"MARTIN-PSEUDO" not in data
    assert done.remarks[0] == "Colonnes privées non diffusées : participant_id, time, verbatim, photo_sha256."
    if suffix.endswith(".zip"):
        with zipfile.ZipFile(done.path) as archive:
            data = b"".join(map(archive.read, archive.namelist()))
            assert b"SECRET" not in data
            assert "SECRET".encode("utf-16-le") not in data
    if suffix in {".csv", ".geojson", ".gpkg", ".kml"}:
        assert b"SECRET" in export_bytes(_observations(), "observations", suffix=suffix, private=True)


def test_a_private_table_is_refused_unless_asked_for(tmp_path):
    frame = schema.typed(
        pd.DataFrame(
            {"participant_id": ["p"], "session_id": ["w"], "actor_group": ["young"], "demo": False, "source": "x"}
        ),
        "participants",
    )
    with pytest.raises(InputError, match=r"Participants.*privée.*--with-private"):
        export_table(frame, "participants", tmp_path / "p.csv")
    assert list(tmp_path.iterdir()) == []
    card = json.loads(export_table(frame, "participants", tmp_path / "p.csv", private=True).sidecar.read_bytes())
    assert card["private_columns"] == {"kept": list(frame.columns), "removed": []}


def test_a_joined_frame_does_not_smuggle_private_columns(tmp_path):
    frame = pd.DataFrame({"project_id": ["a"], "contact": ["x@y.fr"]})
    with pytest.raises(InputError, match="« contact », colonne privée"):
        export_frame(frame, tmp_path / "a.csv", title="Plan")
    assert export_frame(frame, tmp_path / "a.csv", title="Plan", private=True).n_rows == 1


def test_the_card_describes_the_file(tmp_path):
    done = export_table(
        _observations(),
        "observations",
        tmp_path / "o.geojson",
        provenance={"licence": "Licence Ouverte 2.0", "low": 6},
    )
    card = json.loads(done.sidecar.read_bytes())
    assert done.sidecar.name == "o.geojson.meta.json"
    assert card["title"] == "Observations de terrain [démonstration]"
    assert card["demonstration"].startswith("Données de démonstration : 2 lignes sur 2")
    assert (card["n_rows"], card["n_unlocated"], card["n_demo"], card["crs"]) == (2, 1, 2, "OGC:CRS84")
    assert (card["licence"], card["provenance"]) == ("Licence Ouverte 2.0", {"low": 6})
    assert card["documents"] == ["002", "003"]
    assert card["private_columns"]["removed"] == ["participant_id", "time", "verbatim", "photo_sha256"]
    assert card["columns"][0] == {
        "name": "observation_id",
        "label": "Identifiant de l’observation",
        "description": "Identifiant stable.",
        "kind": "text",
        "unit": None,
        "private": False,
    }
    assert card["sha256"] == done.sha256
    assert "date" not in card


def test_rows_without_demonstration_keep_a_bare_title(tmp_path):
    card = json.loads(export_table(_observations(demo=False), "observations", tmp_path / "o.csv").sidecar.read_bytes())
    assert card["title"] == "Observations de terrain"
    assert "demonstration" not in card


# Any frame -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_frame_leaves_in_the_order_of_its_key(suffix, tmp_path):
    frame = _degrees(
        [shapely.Point(2.5, 48.9), None, shapely.Point(2.4, 48.8)],
        rank=[3, 1, 2],
        ok=[True, None, False],
        score=[0.1 + 0.2, None, -1.0],
        when=pd.to_datetime(["2026-01-02", None, "2026-01-03"]),
        kind=pd.Categorical(["b", "a", None]),
    )
    done = export_frame(frame, tmp_path / f"plan{suffix}", title="Plan", key=["rank"], labels={"rank": "Rang"})
    assert done.n_rows == 3
    if suffix == ".geojson":
        assert [feature["id"] for feature in _features(done.path.read_bytes())] == [1, 2, 3]
        assert _features(done.path.read_bytes())[2]["properties"]["score"] == 0.30000000000000004


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([[1], [2]], "attendu du texte"),
        ([1, "a"], "attendu du texte"),
        ([float("inf"), 1.0], "attendu un nombre fini"),
        (["a\0b", ""], "sans caractère nul"),
        (["\ud800", ""], "sans demi-caractère|sans caractère nul"),
    ],
)
def test_cells_no_format_holds_are_refused(column, expected, tmp_path):
    with pytest.raises(InputError, match=expected):
        export_frame(pd.DataFrame({"c": pd.Series(column, dtype=object)}), tmp_path / "x.csv", title="X")
    assert list(tmp_path.iterdir()) == []


def test_missing_or_absent_keys_are_refused(tmp_path):
    with pytest.raises(InputError, match="attendu un identifiant non vide"):
        export_frame(pd.DataFrame({"k": ["a", None]}), tmp_path / "x.csv", title="X", key=["k"])
    with pytest.raises(UnknownNameError, match="n’a pas de colonne « z »"):
        export_frame(pd.DataFrame({"k": ["a"]}), tmp_path / "x.csv", title="X", key=["z"])


def test_unknown_columns_and_systems_are_refused(tmp_path):
    with pytest.raises(InputError, match="n’a pas de colonne « distance »"):
        export_table(_stations().assign(distance=1.0), "stations", tmp_path / "s.csv")
    with pytest.raises(CrsError, match="Aucun système"):
        export_table(_stations().set_crs(None, allow_override=True), "stations", tmp_path / "s.csv")


def test_inputs_are_not_changed(tmp_path):
    frame = _observations()
    before = frame.copy(deep=True)
    for suffix in SUFFIXES:
        export_table(frame, "observations", tmp_path / f"o{suffix}")
    pd.testing.assert_frame_equal(frame, before)


# Files -----------------------------------------------------------------------------------------------------------


def test_unknown_suffix_lists_those_that_are_known(tmp_path):
    with pytest.raises(InputError, match=r"« \.shp ».*\.geojson.*\.gpkg.*\.csv.*\.shp\.zip \(Shapefile compressé\)"):
        export_table(_stations(), "stations", tmp_path / "s.shp")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_earlier_export_is_replaced_and_row_order_is_irrelevant(suffix, tmp_path):
    one = export_table(_stations(3), "stations", tmp_path / f"s{suffix}")
    two = export_table(_stations(3).iloc[::-1], "stations", tmp_path / f"s{suffix}")
    assert one.sha256 == two.sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"s{suffix}", f"s{suffix}.meta.json"]


def test_same_bytes_under_another_locale_zone_and_hash_seed(shipped, tmp_path):
    code = (
        "import hashlib, geo_qmi; from geo_qmi.export import FORMATS, MAPS_ONLY, export_bytes\n"
        "t = geo_qmi.shipped_tables()\n"
        "print([hashlib.sha256(export_bytes(t[n], n, suffix=s)).hexdigest()"
        " for n in ('districts', 'figures') for s in FORMATS if n == 'districts' or s not in MAPS_ONLY])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | env,
            cwd=Path(__file__).parents[1],
            capture_output=True,
            check=True,
        ).stdout
        for env in (
            {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "1"},
            {"LC_ALL": "fr_FR.UTF-8", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "2"},
        )
    }  # fmt: skip
    assert len(outputs) == 1


def test_the_study_is_never_a_target(study):
    before = study.fingerprint()
    with pytest.raises(InputError, match="fichier de l’étude"):
        export_table(study.read("stations"), "stations", study.path, study_path=study.path)
    with pytest.raises(InputError, match="contient d’autres couches"):
        export_table(study.read("stations"), "stations", study.path)
    assert study.fingerprint() == before
    link = study.path.with_name("lien.gpkg")
    link.symlink_to(study.path)
    with pytest.raises(InputError, match="fichier de l’étude"):
        export_table(study.read("stations"), "stations", link, study_path=study.path)


def test_a_package_with_other_layers_or_something_else_is_kept(tmp_path):
    target = tmp_path / "deux.gpkg"
    export_table(_stations(), "stations", target)
    with pytest.raises(InputError, match=r"autres couches \(stations\)"):
        export_table(_observations(), "observations", target)
    target.write_bytes(b"not a package at all")
    with pytest.raises(InputError, match="n’est pas un GeoPackage"):
        export_table(_stations(), "stations", target)
    assert target.read_bytes() == b"not a package at all"


def test_missing_folder_and_folder_as_target(tmp_path):
    with pytest.raises(InputError, match="n’existe pas : créez-le"):
        export_table(_stations(), "stations", tmp_path / "absent" / "s.csv")
    (tmp_path / "s.csv").mkdir()
    with pytest.raises(InputError, match="est un dossier"):
        export_table(_stations(), "stations", tmp_path / "s.csv")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.ENOSPC, "Pas assez de place"), (errno.EACCES, "Écriture refusée"), (errno.EIO, "vérifiez")],
)
def test_a_failed_rename_leaves_the_earlier_file_alone(number, expected, suffix, tmp_path, monkeypatch):
    done = export_table(_stations(1), "stations", tmp_path / f"s{suffix}")

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match=expected):
        export_table(_stations(2), "stations", done.path)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"s{suffix}", f"s{suffix}.meta.json"]
    assert export_table(_stations(1), "stations", done.path).sha256 == done.sha256


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_no_file(suffix, tmp_path):
    code = (
        "import resource, sys, geo_qmi\n"
        "from geo_qmi.errors import InputError\n"
        "from geo_qmi.export import export_table\n"
        "t = geo_qmi.shipped_tables()['figures']\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: export_table(t, 'figures', sys.argv[1])\n"
        "except InputError as error: sys.stdout.buffer.write(str(error).encode())"
    )
    pytest.importorskip("resource", reason="file size limits exist on POSIX systems only")
    target = tmp_path / f"f{suffix}"
    run = subprocess.run(
        [sys.executable, "-c", code, str(target)], cwd=Path(__file__).parents[1], capture_output=True, check=True
    )
    assert f"Pas assez de place pour écrire « {target} »" in run.stdout.decode()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_give_back_the_table_is_not_written(tmp_path, monkeypatch):
    honest = geojson._features
    monkeypatch.setattr(geojson, "_features", lambda *args: honest(*args).replace(b'"01004"', b'"1004"'))
    with pytest.raises(InputError, match="s1, colonne insee : « 1004 » pour « 01004 »"):
        export_table(_stations(), "stations", tmp_path / "s.geojson")
    assert list(tmp_path.iterdir()) == []


def test_every_kind_of_shape_comes_back_from_geojson(tmp_path):
    line, other = [(2, 48), (2.1, 48.2)], [(2, 49), (2.5, 49)]
    square = shapely.box(2, 48, 2.5, 48.5)
    hole = shapely.Polygon([(2, 48), (3, 48), (3, 49), (2, 48)], [[(2.5, 48.2), (2.7, 48.2), (2.6, 48.3), (2.5, 48.2)]])
    shapes = [
        shapely.Point(2, 48),
        shapely.Point(2, 48, 35),
        None,
        shapely.LineString(line),
        square,
        hole,
        shapely.MultiPoint(line),
        shapely.MultiLineString([line, other]),
        shapely.MultiPolygon([square, shapely.box(3, 48, 3.5, 48.5)]),
        shapely.GeometryCollection([shapely.Point(2, 48), shapely.LineString(other)]),
        shapely.LinearRing([(2, 48), (2.1, 48), (2.1, 48.1)]),
    ]
    frame = _degrees(shapes, k=[f"é{place:02}" for place in range(len(shapes))])
    export_frame(frame, tmp_path / "a.geojson", title="A", key=["k"])
    found = [
        f["geometry"] and shapely.geometry.shape(f["geometry"])
        for f in _features((tmp_path / "a.geojson").read_bytes())
    ]
    expected = [*shapes[:-1], shapely.LineString(shapes[-1].coords)]
    for one, meant in zip(found, expected, strict=True):
        assert (one is None) == (meant is None)
        if one is not None:
            assert (one.geom_type, one.has_z) == (meant.geom_type, meant.has_z)
            assert one.normalize().equals_exact(meant.normalize(), 1e-7)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ((b"[2.1,48.2]", b"[2.1,48.3]"), "géométrie de b"),
        ((b"[[2,48],", b"["), "géométrie de b"),
        ((b'"LineString"', b'"MultiPoint"'), "géométrie de b"),
        ((b"[2,48]}}", b"[2,48,1]}}"), "géométrie de a"),
        ((b'"geometry":null', b'"geometry":{"type":"Point","coordinates":[2,48]}'), "géométrie de c"),
        ((b"[2.1,48.2]", b"[2.1,48.2"), "diffère de la table"),
    ],
)
def test_a_piece_of_several_shapes_is_compared_shape_by_shape(damage, said, tmp_path, monkeypatch):
    frame = _degrees([shapely.Point(2, 48), shapely.LineString([(2, 48), (2.1, 48.2)]), None], k=["a", "b", "c"])
    honest = geojson._features
    monkeypatch.setattr(geojson, "_features", lambda *args: honest(*args).replace(*damage))
    with pytest.raises(InputError, match=said):
        export_frame(frame, tmp_path / "a.geojson", title="A", key=["k"])
    assert list(tmp_path.iterdir()) == []


def test_points_have_the_bytes_shapely_gives_them():
    shapes = np.array([shapely.Point(1.5, -2), None, shapely.Point(0, 7e6)], dtype=object)
    found = pieces.as_wkb(shapes)
    assert found.to_pylist() == shapely.to_wkb(shapes, byte_order=1, flavor="iso").tolist()
    assert pieces.fingerprint(found) == pieces.fingerprint(pa.array(found.to_pylist(), type=pa.binary()))
    assert pieces.fingerprint(found) != pieces.fingerprint(pieces.as_wkb(shapes[[2, 1, 0]]))


def test_a_moved_point_is_seen(tmp_path, monkeypatch):
    honest = geojson._features
    monkeypatch.setattr(geojson, "_features", lambda *args: honest(*args).replace(b"48.9100001", b"48.9100002"))
    with pytest.raises(InputError, match="géométrie de s1"):
        export_bytes(_stations(), "stations", suffix=".geojson")


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".fgb", ".gdb.zip", ".shp.zip"])
def test_values_lost_on_the_way_to_the_file_are_seen(suffix, tmp_path, monkeypatch):
    honest = pieces.pieces

    def altered(layer, **options):
        (piece,) = honest(layer, **options)
        column = piece.cells.schema.field(0)
        yield replace(piece, cells=piece.cells.set_column(0, column, [["s1", "s9"]]))

    # The writer alone is given other rows; what is read back is held against the layer.
    ways = iter([altered])

    def once(layer, **options):
        return next(ways, honest)(layer, **options)

    monkeypatch.setattr(parquet if suffix == ".parquet" else ogr, "pieces", once)
    with pytest.raises(InputError, match=r"s2, colonne station.* : « s9 » pour « s2 »|s2, colonne station"):
        export_table(_stations(), "stations", tmp_path / f"s{suffix}")
    assert list(tmp_path.iterdir()) == []


# The shipped study -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_shipped_table_leaves_whole(suffix, shipped, tmp_path):
    for name, frame in shipped.items():
        if suffix in MAPS_ONLY and ("geometry" not in frame or frame.geometry.isna().all()):
            with pytest.raises(InputError, match="ce format n’écrit que des cartes"):
                export_table(frame, name, tmp_path / f"{name}{suffix}", private=True)
            continue
        done = export_table(frame, name, tmp_path / f"{name}{suffix}", private=True)
        assert done.n_rows == len(frame), name
        if suffix not in MAPS_ONLY:
            assert [remark for remark in done.remarks if "privée" not in remark] == [], name


def test_geojson_gives_back_the_shipped_tables(shipped):
    """Read by other means than the export's own reader: values equal, places within 1 cm."""
    for name, frame in shipped.items():
        data = _features(export_bytes(frame, name, suffix=".geojson", private=True))
        layer = from_table(frame, name, private=True, title=None)
        for column in layer.frame:
            assert [feature["properties"][column] for feature in data] == layer.values(column), (name, column)
        if layer.geometry is None:
            continue
        shapes = [feature["geometry"] and shapely.geometry.shape(feature["geometry"]) for feature in data]
        there = gpd.GeoSeries(shapes, crs=4326).to_crs(2154)
        apart = layer.geometry.hausdorff_distance(there).dropna()
        assert len(apart) == layer.geometry.notna().sum(), name
        assert (apart <= 0.01).all(), name


def _same(there, layer, *, blank):
    """Compare a frame that came back through the intake with the layer that left."""
    back = from_table(there, layer.name, private=True, title=None)
    for column in layer.frame:
        # A blank takes the default of the schema on its way in; CSV has one kind of blank.
        default = schema.columns(layer.name)[column].metadata["default"]
        expected = [default if value is None or (blank and value == "") else value for value in layer.values(column)]
        assert back.values(column) == expected, (layer.name, column)
    if layer.geometry is not None:
        assert back.geometry.isna().tolist() == layer.geometry.isna().tolist()
        assert (back.geometry.hausdorff_distance(layer.geometry).dropna() <= 0.01).all()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".geojson", ".gpkg"])
def test_exports_come_back_through_the_import(suffix, shipped, tmp_path):
    # Every text a person may type, in every column kind, beside what ships.
    awkward = ["=1+1", "'=x", "deux\nlignes", 'a "b", c', "-12,5", "- banc ; « été »"]
    place = shapely.Polygon([(660000, 6870000), (660100, 6870000), (660100, 6870100)])
    observations = pd.concat([_observations()] * 3, ignore_index=True).assign(
        observation_id=list("abcdef"), wished=awkward, verbatim=awkward[::-1], geometry=[place] * 5 + [None]
    )
    tables = {name: frame for name, frame in shipped.items() if len(frame)} | {
        "observations": schema.typed(observations, "observations")
    }
    for name, frame in tables.items():
        done = export_table(frame, name, tmp_path / f"{name}{suffix}", private=True)
        (raw,) = read_file(done.path)
        taken = take_in(raw, name)
        assert (taken.n_ok, taken.n_quarantined) == (len(frame), 0), (name, [d.sentence() for d in taken.defects[:3]])
        _same(taken.accepted, from_table(frame, name, private=True, title=None), blank=suffix == ".csv")


# Manifests -------------------------------------------------------------------------------------------------------


def test_write_json_is_deterministic_and_strict(tmp_path):
    path = write_json({"n": np.int64(2), "où": Path("é"), "x": [0.1]}, tmp_path / "manifest.json")
    assert path.read_text(encoding="utf-8") == '{\n "n": 2,\n "où": "é",\n "x": [\n  0.1\n ]\n}\n'
    with pytest.raises(InputError, match="impossibles à écrire en JSON"):
        write_json({"x": float("nan")}, tmp_path / "manifest.json")
    assert json.loads(path.read_bytes())["n"] == 2
