"""Tests of `geo_qmi.sources.files`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from geo_qmi.errors import LimitError, UnknownNameError, UnreadableError
from geo_qmi.sources.files import Limits, describe_formats, read_file

if TYPE_CHECKING:
    from pathlib import Path

KML = "<kml><Document><Folder><name>a</name>{0}</Folder><Folder><name>b</name>{0}</Folder></Document></kml>"


def test_a_table_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "été.csv"
    path.write_bytes("nom;siret\nélan;01234\n".encode("cp1252"))
    (table,) = read_file(path)
    assert (table.file, table.layer, table.n_in, table.crs, table.geometry) == ("été.csv", "été", 1, None, None)
    assert table.frame.to_dict("index") == {2: {"nom": "élan", "siret": "01234"}}


def test_geometry_numbers_and_odd_text_cross_the_process(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    values = {"inf": float("inf"), "grand": 2**60, "vrai": True, "rien": None, "texte": "a\u2028\n\U0001f600"}
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [2, 48]}, "properties": values}
    path.write_text(json.dumps(feature))
    (table,) = read_file(path)
    assert table.frame.iloc[0].to_dict() == values
    assert table.geometry is not None
    assert (table.geometry[0].wkt, table.crs) == ("POINT (2 48)", "EPSG:4326")


def test_one_layer_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    path.write_text(KML.format("<Placemark/>"))
    assert [table.layer for table in read_file(path)] == ["a", "b"]
    assert [table.layer for table in read_file(path, layer="b")] == ["b"]
    with pytest.raises(UnknownNameError, match="couches présentes : « a », « b »"):
        read_file(path, layer="c")


def test_an_upload_is_known_by_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "tmp123"
    path.write_text("a;b\n1;2\n")
    assert read_file(path, name="sites.csv")[0].file == "sites.csv"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "« a.csv » est vide"),
        ("a.csv", b"<!DOCTYPE html><html>", "page web"),
        ("a.geojson", b"<OGRVRTDataSource/>", "jamais suivis"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "mot de passe"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"ancien classeur \.xls"),
    ],
)
def test_mistakes_have_their_own_sentence(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableError, match=message):
        read_file(tmp_path / name)


def test_missing_folder_and_pipe(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"« rien.csv » est introuvable"):
        read_file(tmp_path / "rien.csv")
    with pytest.raises(UnreadableError, match="est un dossier"):
        read_file(tmp_path)
    os.mkfifo(tmp_path / "tube.csv")
    with pytest.raises(UnreadableError, match="pas un fichier ordinaire"):
        read_file(tmp_path / "tube.csv")


def test_size_time_and_memory_name_their_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text("[" + "[]," * 400_000 + "[]]")
    with pytest.raises(LimitError, match="1\u202f200\u202f004 octets au moins, la limite est de 1\u202f000\u202f000"):
        read_file(path, limits=Limits(file_bytes=1_000_000))
    with pytest.raises(LimitError, match=r"« a.geojson » : 0,01 secondes"):
        read_file(path, limits=Limits(seconds=0.01))
    with pytest.raises(LimitError, match=r"« a.geojson » .* 8 Mio de mémoire"):
        read_file(path, limits=Limits(memory_bytes=8 * 2**20))


def test_formats_have_french_names() -> None:
    formats = describe_formats()
    assert formats[".csv"] == "tableau CSV"
    assert set(formats) >= {".geojson", ".gpkg", ".shp", ".zip", ".kml", ".gpx", ".fgb", ".csv", ".xlsx", ".ods"}
