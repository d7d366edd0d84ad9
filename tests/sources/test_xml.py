"""Tests of `geo_qmi.sources.xml`."""

from __future__ import annotations

import pytest

from geo_qmi.errors import LimitError, UnreadableError
from geo_qmi.sources.limits import Limits
from geo_qmi.sources.xml import parse_gpx, parse_kml

MARK = (
    "<Placemark id='p1'><name>Gare</name><ExtendedData><Data name='insee'><value>01234</value></Data></ExtendedData>"
    "<Point><coordinates>2.5,48.5,30</coordinates></Point></Placemark>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_every_folder_and_its_extended_data(encoding: str) -> None:
    text = f"<kml><Document>{MARK}<Folder><name>Été</name>{MARK}{MARK}</Folder></Document></kml>"
    first, second = parse_kml(text.encode(encoding), file="a.kml", layer="a", limits=Limits())
    assert (first.layer, first.n_in, second.layer, second.n_in) == ("a", 1, "Été", 2)
    assert (first.columns, first.values) == (["id", "name", "insee"], [["p1"], ["Gare"], ["01234"]])
    assert first.geometry is not None
    assert (first.geometry[0].wkt, first.crs) == ("POINT Z (2.5 48.5 30)", "EPSG:4326")


def test_parts_of_one_kind_become_one_multi_geometry() -> None:
    point = "<Point><coordinates>1,2</coordinates></Point>"
    text = f"<kml><Placemark><MultiGeometry>{point}{point}</MultiGeometry></Placemark></kml>"
    (sheet,) = parse_kml(text.encode(), file="a.kml", layer="a", limits=Limits())
    assert sheet.geometry is not None
    assert sheet.geometry[0].geom_type == "MultiPoint"


def test_gpx_kinds_times_and_elevation() -> None:
    text = (
        "<gpx><wpt lat='48' lon='2'><name>Départ</name></wpt>"
        "<trk><name>T</name><trkseg><trkpt lat='48' lon='2'><ele>30</ele><time>2024-05-03T10:00:00Z</time></trkpt>"
        "<trkpt lat='49' lon='2'><ele>31</ele><time>2024-05-03T10:05:00Z</time></trkpt></trkseg></trk></gpx>"
    )
    points, tracks = parse_gpx(text.encode(), file="a.gpx", limits=Limits())
    assert (points.layer, points.values, tracks.layer) == ("waypoints", [["Départ"]], "tracks")
    assert tracks.columns == ["name", "time_first", "time_last"]
    assert tracks.geometry is not None
    assert tracks.geometry[0].wkt == "MULTILINESTRING Z ((2 48 30, 2 49 31))"


def test_entities_and_depth_are_refused() -> None:
    bomb = b"<!DOCTYPE k [<!ENTITY a 'b'>]><kml>&a;</kml>"
    with pytest.raises(UnreadableError, match=r"« a.kml » déclare un DOCTYPE"):
        parse_kml(bomb, file="a.kml", layer="a", limits=Limits())
    with pytest.raises(LimitError, match="33 niveaux de balises imbriquées au moins, la limite est de 32"):
        parse_kml(b"<kml>" + b"<Folder>" * 32, file="a.kml", layer="a", limits=Limits())
