"""Tests of `geo_qmi.sources.geopackage`."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
from shapely.geometry import Point, Polygon

from geo_qmi.errors import LimitError, UnreadableError
from geo_qmi.sources.geopackage import parse_geopackage
from geo_qmi.sources.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "étude été.gpkg"
    sites = gpd.GeoDataFrame(
        {"siret": ["01234", None], "ouvert": [True, False]}, geometry=[Point(652000, 6862000, 5), None], crs=2154
    )
    sites.to_file(path, layer="sites", engine="pyogrio")
    zones = gpd.GeoDataFrame({"n": [1]}, geometry=[Polygon([(0, 0), (4, 0), (0, 3)])], crs=4326)
    zones.to_file(path, layer="zones", engine="pyogrio")
    return path


def test_every_layer_with_its_crs_and_types(path: Path) -> None:
    sites, zones = parse_geopackage(path, file=path.name, limits=Limits())
    assert (sites.layer, sites.crs, sites.n_in, sites.rows) == ("sites", "EPSG:2154", 2, [1, 2])
    assert dict(zip(sites.columns, sites.values, strict=True)) == {
        "fid": [1, 2],
        "siret": ["01234", None],
        "ouvert": [True, False],
    }
    assert sites.geometry is not None
    assert sites.geometry[0].wkt == "POINT Z (652000 6862000 5)"
    assert sites.geometry[1] is None
    assert zones.geometry is not None
    assert (zones.crs, zones.geometry[0].area) == ("EPSG:4326", 6.0)


def test_a_view_is_named_and_not_run(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE VIEW v AS WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i FROM r) SELECT i FROM r"
        )
        connection.execute("INSERT INTO gpkg_contents(table_name, data_type) VALUES ('v', 'attributes')")
    connection.close()
    sheets = parse_geopackage(path, file=path.name, limits=Limits())
    assert [sheet.layer for sheet in sheets] == ["sites", "zones"]
    assert sheets[0].defects[0].reason == "couches laissées de côté : v (vue)"


def test_a_wal_file_is_read_without_leaving_anything_beside(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    assert len(parse_geopackage(path, file=path.name, limits=Limits())) == 2
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_limits_name_the_layer(path: Path) -> None:
    with pytest.raises(LimitError, match=r"« sites » : 2 lignes au moins, la limite est de 1"):
        parse_geopackage(path, file=path.name, limits=Limits(rows=1))


def test_a_plain_database_is_not_a_geopackage(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t(a)")
    connection.close()
    with pytest.raises(UnreadableError, match=r"« a.gpkg » est une base SQLite sans table « gpkg_contents »"):
        parse_geopackage(path, file="a.gpkg", limits=Limits())
