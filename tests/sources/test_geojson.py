"""Tests of `geo_qmi.sources.geojson`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from geo_qmi.errors import InputError, UnreadableError
from geo_qmi.sources.geojson import parse_geojson
from geo_qmi.sources.limits import Limits

if TYPE_CHECKING:
    from geo_qmi.sources.sheet import Sheet


def parse(document: object) -> Sheet:
    content = document if isinstance(document, str) else json.dumps(document)
    return parse_geojson(content.encode(), file="lieux.geojson", layer="lieux", limits=Limits())


def collection(*geometries: object, **more: object) -> dict[str, object]:
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": g} for n, g in enumerate(geometries)]
    return {"type": "FeatureCollection", "features": features, **more}


def test_a_collection_with_every_kind_of_row() -> None:
    bad = {"type": "Point", "coordinates": ["2", "48"]}
    sheet = parse(collection({"type": "Point", "coordinates": [2.5, 48.5, 30]}, None, bad))
    assert sheet.geometry is not None
    assert [g and g.wkt for g in sheet.geometry] == ["POINT Z (2.5 48.5 30)", None, None]
    assert (sheet.rows, sheet.n_in, sheet.crs, sheet.values) == ([1, 2, 3], 3, "EPSG:4326", [[0, 1, 2]])
    (defect,) = sheet.defects
    assert (defect.severity, defect.row, defect.field) == ("error", 3, "geometry")
    assert "texte" in defect.reason
    assert defect.proposal


def test_an_open_ring_is_closed_and_said() -> None:
    sheet = parse({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [0, 3]]]})
    assert sheet.geometry is not None
    assert sheet.geometry[0].area == 6.0
    assert [d.severity for d in sheet.defects] == ["warning"]


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}, "EPSG:2154"),
        ({"type": "name", "properties": {"name": "EPSG:27572"}}, "EPSG:27572"),
        ({"type": "name", "properties": {"name": "http://www.opengis.net/def/crs/EPSG/0/3857"}}, "EPSG:3857"),
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, "EPSG:4326"),
        ({"type": "EPSG", "properties": {"code": 2154}}, "EPSG:2154"),
        (None, None),
    ],
)
def test_the_old_crs_member_is_what_the_file_declares(declared: object, code: str | None) -> None:
    sheet = parse(collection(None, crs=declared))
    assert (sheet.crs, sheet.defects) == (code, [])


def test_a_crs_link_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"« lieux.geojson » .* de type link"):
        parse(collection(crs={"type": "link", "properties": {"href": "http://10.0.0.1/"}}))


def test_a_cut_line_is_lost_with_its_number() -> None:
    line = json.dumps({"type": "Feature", "geometry": None, "properties": {"a": 1}})
    sheet = parse(f"{line}\n{line[:20]}\n{line}\n")
    assert (sheet.rows, sheet.n_in) == ([1, 3], 3)
    assert [(d.severity, d.row) for d in sheet.defects] == [("error", 2)]


def test_nested_values_and_identifiers_are_kept() -> None:
    feature = {"type": "Feature", "id": "s1", "geometry": None, "properties": {"a": {"é": [1]}, "v": float("inf")}}
    sheet = parse(feature)
    assert dict(zip(sheet.columns, sheet.values, strict=True)) == {
        "a": ['{"é": [1]}'],
        "v": [float("inf")],
        "id": ["s1"],
    }


def test_a_cut_file_says_where() -> None:
    with pytest.raises(UnreadableError, match=r"« lieux.geojson », ligne 1, colonne 30"):
        parse('{"type":"FeatureCollection", ')
