"""Tables as QGIS draws them: their style, alone in a package, and what QGIS itself makes of them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from defusedxml import ElementTree
from PIL import Image

from geo_qmi import cli, export, gis, mapping, qgis

_PYTHON = Path("/usr/bin/python3")


def _alone(path):
    """The styles a package carries: table → root of the QML."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT f_table_name, useAsDefault, styleQML FROM layer_styles").fetchall()
    assert all(default for _, default, _ in rows)
    return {name: ElementTree.fromstring(text) for name, _, text in rows}


def test_one_table_leaves_with_its_style_titles_and_lists(study, tmp_path):
    with pytest.raises(SystemExit):
        cli.main(["export", "stations", str(tmp_path / "gares.gpkg"), "--study", str(study.path)])
    style = _alone(tmp_path / "gares.gpkg")["stations"]
    assert style.find("renderer-v2").get("type") == "singleSymbol"
    assert style.find("renderer-v2/symbols/symbol").get("type") == "marker"
    assert {one.get("field"): one.get("name") for one in style.iter("alias")}["name"] == "Station"
    offered = [field.get("name") for field in style.find("fieldConfiguration")]
    assert "geometry_status" in offered


def test_the_dashboard_offers_the_same_style(shipped, tmp_path):
    (tmp_path / "d.gpkg").write_bytes(gis.table_bytes(shipped["districts"], "districts", suffix=".gpkg"))
    style = _alone(tmp_path / "d.gpkg")["districts"]
    assert style.find("renderer-v2/symbols/symbol").get("type") == "fill"


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        ([shapely.Point(0, 0), None], "point"),
        ([shapely.LineString([(0, 0), (1, 1)]), shapely.MultiLineString([[(0, 0), (1, 1)]])], "line"),
        ([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)], ""),
        ([None, None], ""),
    ],
)
def test_a_table_is_drawn_as_what_it_holds(shapes, kind):
    frame = gpd.GeoDataFrame({"k": ["a", "b"]}, geometry=gpd.GeoSeries(shapes, crs=2154))
    layer = export.from_frame(frame, "t", title="T", key=["k"], labels={}, private=False)
    assert gis.drawn_as(layer) == kind
    assert (ElementTree.fromstring(gis.styled(layer).style).find("renderer-v2") is not None) == bool(kind)


@pytest.mark.qgis
def test_qgis_draws_every_row_of_a_table_and_of_a_map_in_classes(shipped, tmp_path):
    probe = [str(_PYTHON), "-c", "import qgis.core"]
    if (
        sys.platform != "linux"
        or not _PYTHON.exists()
        or subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        pytest.skip("PyQGIS is not installed for /usr/bin/python3")
    table = gis.styled(export.from_table(shipped["districts"], "districts", private=False, title=None))
    counted = next(layer for layer in mapping.drawn(shipped, kind="programme").layers if layer.name == "communes")
    rows = export.from_frame(
        qgis.columns(counted), "projets", title="Projets", key=(), labels=qgis.titles(counted), private=True
    )
    package = export.export_package([replace(rows, style=qgis.style(counted)), table], tmp_path / "t.gpkg")
    reader, picture = Path(__file__).with_name("qgis_tables.py"), tmp_path / "t.png"
    run = subprocess.run(
        [str(_PYTHON), str(reader), str(package), str(picture), "projets", "districts"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        check=True,
    )
    report = json.loads(run.stdout)
    seen = report["projets"]
    assert (seen["valid"], seen["crs"], seen["renderer"]) == (True, "EPSG:2154", "graduatedSymbol")
    assert (seen["rows"], seen["undrawn"]) == (len(counted.frame), 0)
    assert seen["legend"][0] == "aucun projet dans les listes"
    districts = report["districts"]
    assert (districts["rows"], districts["renderer"], districts["aliases"]["challenge"]) == (10, "singleSymbol", "Défi")
    assert districts["widgets"]["geometry_status"] == "ValueMap"
    assert districts["licences"][0].startswith("Périmètres indicatifs : Licence Ouverte 2.0")
    with Image.open(picture) as drawn:
        assert len(drawn.convert("RGB").getcolors(90_000)) > 20
    # GDAL's own judge of GeoPackages, where Debian installs it beside PyQGIS.
    judge = [str(_PYTHON), "-m", "osgeo_utils.samples.validate_gpkg"]
    if subprocess.run([*judge, "--help"], capture_output=True, check=False).stdout:
        subprocess.run([*judge, str(package)], capture_output=True, check=True)
