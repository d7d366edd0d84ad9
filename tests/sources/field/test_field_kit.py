from __future__ import annotations

import errno
import io
import os
import sqlite3
from contextlib import closing

import geopandas as gpd
import openpyxl
import pyogrio
import pytest
import shapely

from geo_qmi.errors import InputError
from geo_qmi.intake.walks import import_walk
from geo_qmi.sources.field import a3
from geo_qmi.sources.field.collected import Hints
from geo_qmi.sources.field.kit import CONTROL, FORM, PACKAGE, SHEET, template_walk
from geo_qmi.sources.field.xlsform import form
from geo_qmi.vocabulary import THEMES

SQUARE = shapely.box(663_000, 6_870_000, 663_800, 6_870_600)


@pytest.fixture
def kit(tmp_path):
    """The kit of one walk, with a perimeter."""
    template_walk(tmp_path / "kit", session="AUL-T1", title="Marche d’été à Aulnay", perimeter=SQUARE)
    return tmp_path / "kit"


def test_nothing_is_overwritten(kit):
    before = (kit / FORM).read_bytes()
    with pytest.raises(InputError, match="contient déjà"):
        template_walk(kit)
    assert (kit / FORM).read_bytes() == before


def test_a_full_disk_leaves_no_half_kit(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="Pas assez de place"):
        template_walk(tmp_path / "kit", perimeter=SQUARE)
    assert list((tmp_path / "kit").iterdir()) == []


def test_the_form_has_its_sheets_lists_and_repeats(kit):
    book = openpyxl.load_workbook(kit / FORM)
    assert book.sheetnames == ["survey", "choices", "settings"]
    rows = list(book["survey"].iter_rows(values_only=True))
    kinds = [row[0] for row in rows[1:]]
    assert kinds.count("begin_repeat") == kinds.count("end_repeat") == 3
    names = [row[1] for row in rows[1:] if row[0] not in {"end_repeat"}]
    assert len(names) == len(set(names))
    asked = {row[0].split()[1] for row in rows[1:] if row[0].startswith("select_one")}
    listed = {row[0] for row in book["choices"].iter_rows(min_row=2, values_only=True)}
    assert asked == listed
    themes = [row[1] for row in book["choices"].iter_rows(min_row=2, values_only=True) if row[0] == "theme"]
    assert themes == list(THEMES)


def test_the_form_is_valid_for_its_tools(tmp_path):
    pyxform = pytest.importorskip("pyxform.xls2xform", reason="pyxform is not installed: form not held against it")
    path = tmp_path / "form.xlsx"
    path.write_bytes(form(session="A", title="Marche"))
    assert pyxform.convert(str(path)).warnings == []


def test_the_package_gives_gdal_empty_layers_in_lambert_93(kit):
    layers = dict(pyogrio.list_layers(kit / PACKAGE).tolist())
    assert layers == {
        "observations": "Point",
        "areas": "Polygon",
        "route": "LineString",
        "stages": "Point",
        "statements": "Point",
    }
    info = pyogrio.read_info(kit / PACKAGE, layer="observations")
    assert (info["crs"], info["features"]) == ("EPSG:2154", 0)


def test_the_package_holds_its_value_lists(kit):
    with closing(sqlite3.connect(kit / PACKAGE)) as connection:
        query = "SELECT value, description FROM gpkg_data_column_constraints WHERE constraint_name = 'theme'"
        assert dict(connection.execute(query)) == THEMES
        used = "SELECT constraint_name FROM gpkg_data_columns WHERE constraint_name NOT NULL"
        known = "SELECT constraint_name FROM gpkg_data_column_constraints"
        assert {*connection.execute(used)} == {*connection.execute(known)}


def test_what_gdal_writes_into_the_package_enters_a_study(kit, study):
    rows = gpd.GeoDataFrame(
        {"participant": ["Lilas", "Lilas"], "actor_group": "resident", "theme": "nature", "valence": [1, -1]},
        geometry=gpd.points_from_xy([663_100, 663_200], [6_870_100, 6_870_100]),
        crs="EPSG:2154",
    )
    pyogrio.write_dataframe(rows, kit / PACKAGE, layer="observations", append=True)
    done = import_walk(study, kit / PACKAGE, session="Q", district="QMI1-AUL", hints=Hints(start="2026-05-16T10:00"))
    seen = study.read("observations")
    ids = seen.loc[seen["session_id"] == "Q", "observation_id"]
    # Each record has its own 32 hexadecimal digits, made when it was written.
    assert ids.str.fullmatch(r"Q-[0-9a-f]{32}").all()
    assert ids.nunique() == 2
    assert done.counts.loc["observations", "added"] == 2


def test_a_change_is_dated(kit):
    with closing(sqlite3.connect(kit / PACKAGE)) as connection:
        connection.execute("INSERT INTO stages (name, modified) VALUES ('a', '2026-01-01T00:00:00.000Z')")
        connection.execute("UPDATE stages SET name = 'b'")
        (changed,) = connection.execute("SELECT modified FROM stages").fetchone()
        connection.execute("UPDATE stages SET name = 'c', modified = '2030-01-01T00:00:00.000Z'")
        (given,) = connection.execute("SELECT modified FROM stages").fetchone()
    assert changed > "2026-01-01T00:00:00.000Z"
    assert given == "2030-01-01T00:00:00.000Z"


def test_the_sheet_is_one_a3_page_with_its_fonts(kit):
    data = (kit / SHEET).read_bytes()
    assert data.startswith(b"%PDF-")
    assert b"/MediaBox [ 0 0 1190.551 841.8898 ]" in data  # 420 × 297 mm in points
    assert data.count(b"/FontFile2") == 2
    assert b"Helvetica" not in data
    assert data == a3.sheet(code="AUL-T1", title="Marche d’été à Aulnay", perimeter=SQUARE)


def test_crosses_stand_outside_the_drawing_area():
    left, bottom, right, top = a3.FRAME_MM
    drawn = shapely.box(left, 297 - top, right, 297 - bottom)
    found = a3.crosses(None)
    assert [cross.name for cross in found] == list("ABCDEFGH")
    assert all(drawn.distance(shapely.Point(c.right_mm, c.down_mm)) >= 7 for c in found)
    assert all(7 <= c.right_mm <= 413 and 7 <= c.down_mm <= 290 for c in found)


def test_crosses_carry_the_ground_at_a_round_scale():
    # 800 m over 270 mm ask for 1:3 111 with the margin, so 1:4 000: from A to C 284 mm on paper are 1 136 m.
    found = {cross.name: cross for cross in a3.crosses(SQUARE)}
    assert found["C"].x - found["A"].x == pytest.approx(1136)
    assert found["A"].y - found["G"].y == pytest.approx((257 - 30 + 14) * 4)
    assert (found["B"].x, found["H"].y) == (663_400, 6_870_300)


def test_a_perimeter_too_large_for_a_walk_is_refused(tmp_path):
    with pytest.raises(InputError, match="dépasse"):
        template_walk(tmp_path / "kit", perimeter=shapely.box(0, 0, 9_000, 9_000))
    assert not (tmp_path / "kit").exists()


def test_the_table_of_crosses_serves_as_control_points(kit, study, tmp_path):
    # A scan at 10 pixels a millimetre of the sheet, whose pixels somebody read off.
    lines = (kit / CONTROL).read_text(encoding="utf-8-sig").splitlines()
    filled = [lines[0]]
    for line in lines[1:]:
        cells = line.split(";")
        cells[1:3] = [str(round(float(mm.replace(",", ".")) * 10)) for mm in cells[5:7]]
        filled.append(";".join(cells))
    (tmp_path / "fiche_1_calage.csv").write_text("\n".join(filled), encoding="utf-8")
    # The centre of the frame: 157 mm from the left, 297 - 143.5 = 153.5 mm from the top.
    marks = "pixel_x;pixel_y;participant;groupe;valence;heure\n1570;1535;Lilas;resident;2;10:30\n"
    (tmp_path / "fiche_1.csv").write_text(marks, encoding="utf-8")
    hints = Hints(start="2026-05-16T10:00")
    done = import_walk(study, tmp_path / "fiche_1.csv", session="F", district="QMI1-AUL", hints=hints)
    place = done.tables["observations"].geometry.iloc[0]
    assert place.distance(shapely.Point(663_400, 6_870_300)) < 0.5
    assert io.StringIO(done.notes[0]).read().startswith("Calage projectif")
