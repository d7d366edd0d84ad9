"""Tests of `geo_qmi.sources.ogr`."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
from shapely.geometry import Point

from geo_qmi.errors import UnreadableError
from geo_qmi.sources import ogr
from geo_qmi.sources.limits import Limits
from geo_qmi.sources.recognise import parse_bytes

if TYPE_CHECKING:
    from pathlib import Path

FRAME = gpd.GeoDataFrame(
    {"siret": ["01234", None], "n": [3, 4], "part": [0.5, None]}, geometry=[Point(652000, 6862000), None], crs=2154
)


@pytest.fixture
def members(tmp_path: Path) -> dict[str, bytes]:
    FRAME.to_file(tmp_path / "sites.shp", engine="pyogrio")
    return {path.suffix[1:]: path.read_bytes() for path in tmp_path.iterdir()}


def test_shapefile(members: dict[str, bytes]) -> None:
    sheet = ogr.parse_shapefile(members, file="sites.shp", layer="sites", limits=Limits())
    assert (sheet.crs, sheet.n_in, sheet.rows, sheet.defects) == ("EPSG:2154", 2, [1, 2], [])
    assert sheet.values == [["01234", None], [3, 4], [0.5, None]]
    assert sheet.geometry == [Point(652000, 6862000), None]


def test_without_prj_the_file_says_nothing(members: dict[str, bytes]) -> None:
    del members["prj"]
    assert ogr.parse_shapefile(members, file="sites.shp", layer="sites", limits=Limits()).crs is None


@pytest.mark.parametrize("suffix", ["shx", "dbf"])
def test_a_missing_part_is_named(members: dict[str, bytes], suffix: str) -> None:
    del members[suffix]
    with pytest.raises(UnreadableError, match=rf"« sites.shp » : il manque le fichier sites.{suffix}"):
        ogr.parse_shapefile(members, file="sites.shp", layer="sites", limits=Limits())


def test_every_shapefile_of_a_zip(members: dict[str, bytes]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for suffix, content in members.items():
            archive.writestr(f"livraison/nord/Sites.{suffix.upper()}", content)
            archive.writestr(f"sud.{suffix}", content)
    sheets = parse_bytes(out.getvalue(), name="données.zip", limits=Limits())
    assert [(sheet.file, sheet.layer, sheet.n_in) for sheet in sheets] == [
        ("données.zip!livraison/nord/Sites.SHP", "Sites", 2),
        ("données.zip!sud.shp", "sud", 2),
    ]


def test_flatgeobuf(tmp_path: Path) -> None:
    FRAME.iloc[:1].to_file(tmp_path / "a.fgb", engine="pyogrio")
    (sheet,) = parse_bytes((tmp_path / "a.fgb").read_bytes(), name="a.fgb", limits=Limits())
    assert (sheet.crs, sheet.values, sheet.geometry) == ("EPSG:2154", [["01234"], [3], [0.5]], [Point(652000, 6862000)])


def test_only_two_drivers_are_left_in_the_child() -> None:
    environment = os.environ | {"OGR_SKIP": ogr.skip_drivers()}
    program = "from geo_qmi.sources.ogr import drivers_left; print(sorted(drivers_left()))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
