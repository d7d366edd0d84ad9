from __future__ import annotations

import hashlib

import pytest
import shapely
from field_deliveries import PICTURE, kobo_book, zip_odk

from geo_qmi.sources.field.geostrings import read_place
from geo_qmi.sources.field.reading import read_walk
from geo_qmi.sources.shapes import ShapeError


def test_geo_strings_are_latitude_first():
    assert read_place("48.93 2.49 61 4.5").shape.equals(shapely.Point(2.49, 48.93))
    assert read_place("48.93 2.49 61 4.5").accuracy_m == 4.5
    assert read_place("48.93 2.49").accuracy_m is None
    assert read_place("48.93 2.49 0 3; 48.94 2.50 0 9").shape.equals(shapely.LineString([(2.49, 48.93), (2.5, 48.94)]))
    assert read_place("48.93 2.49 0 3;48.94 2.50 0 9").accuracy_m == 9
    area = read_place("48.93 2.49 0 0;48.94 2.49 0 0;48.94 2.50 0 0;48.93 2.49 0 0;").shape
    assert area.equals(shapely.Polygon([(2.49, 48.93), (2.49, 48.94), (2.5, 48.94)]))


@pytest.mark.parametrize("cell", ["48,93 2,49", "Gare du Nord", "48.93", "48.93 2.49 0 0;", "48.93 2.49 0 0 0"])
def test_what_is_no_place_is_refused(cell):
    with pytest.raises(ShapeError):
        read_place(cell)


def test_odk_zip_gives_every_table(odk_zip):
    walk = read_walk(odk_zip)
    assert walk.tool == "survey"
    expected = {"observations": 3, "stages": 1, "statements": 1, "sessions": 2, "participants": 2, "routes": 1}
    assert walk.n_in == expected
    seen = walk.tables["observations"][0]
    assert list(seen.frame["uid"]) == ["o-1", "o-2", "o-3"]
    assert list(seen.frame["participant"]) == ["Lilas", "Lilas", "Cèdre"]
    assert [shape.geom_type for shape in seen.geometry] == ["Point", "Polygon", "Point"]
    assert seen.geometry[0].equals(shapely.Point(2.4970, 48.9328))
    assert walk.photos == {"1715847000.jpg": hashlib.sha256(PICTURE).hexdigest()}


def test_names_of_collectors_are_not_read(odk_zip):
    frames = [raw.frame for raws in read_walk(odk_zip).tables.values() for raw in raws]
    assert not any(frame.astype(str).eq("Jeanne Test").any().any() for frame in frames)


def test_a_poor_position_is_told(odk_zip):
    told = read_walk(odk_zip).tables["observations"][0].defects
    assert [(defect.row, "80 m" in defect.reason) for defect in told] == [(4, True)]


def test_kobo_rows_take_from_their_parent_what_they_do_not_say(tmp_path):
    walk = read_walk(kobo_book(tmp_path / "kobo.xlsx"))
    seen = walk.tables["observations"][0]
    assert list(seen.frame["participant"]) == ["Lilas", "Orme"]
    assert list(seen.frame["actor_group"]) == ["resident", "elected"]
    assert list(seen.frame["uid"]) == ["7001-observations-1", "7002-observations-1"]
    assert list(seen.frame["sense"]) == ["hearing ; sight", "sight"]
    assert walk.n_in["participants"] == 2


def test_an_edited_kobo_submission_keeps_its_identifiers(tmp_path):
    before = read_walk(kobo_book(tmp_path / "a.xlsx")).tables["observations"][0]
    after = read_walk(kobo_book(tmp_path / "b.xlsx", uuid="k-1-edited")).tables["observations"][0]
    assert list(before.frame["uid"]) == list(after.frame["uid"])


def test_a_row_without_its_parent_is_told(tmp_path):
    lost = "uuid:cccc0009-0000-4000-8000-000000000009"
    swap = ("Un jardin.,,uuid:aaaa0002-0000-4000-8000-000000000002", f"Un jardin.,,{lost}")
    walk = read_walk(zip_odk(tmp_path / "m.zip", marche_observations=swap))
    errors = [d for d in walk.tables["observations"][0].defects if d.severity == "error"]
    assert [(d.row, d.reason) for d in errors] == [(4, "l’envoi dont dépend cette ligne est absent de l’export")]


def test_a_flat_geojson_reads_its_text_places(fixtures):
    seen = read_walk(fixtures / "odk_export.geojson").tables["observations"][0]
    assert list(seen.frame["participant"]) == ["Lilas", "Lilas"]
    assert [shape.geom_type for shape in seen.geometry] == ["Point", "Polygon"]
    assert "_submitted_by" not in seen.frame
