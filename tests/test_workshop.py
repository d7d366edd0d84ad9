"""A workshop from paper to study and back: sheets at a true scale, marks read off a scan within two metres."""

from __future__ import annotations

import errno
import json
import os

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image, ImageDraw

from geo_qmi import workshop
from geo_qmi.cli import main
from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.intake.walks import import_walk
from geo_qmi.sources.field.collected import Hints

AULNAY = "QMI1-AUL"
SESSION = {"session": "AT-1", "district": AULNAY, "tool": "paper"}
BEGUN = Hints(start="2026-06-02T18:00", kind="workshop")
DPI = 150
#: Three objects: class, label, metres east and north of the middle of the frame.
LAID = (
    ("lieu propice", "Parvis", -310.0, 120.0),
    ("type de projet", "Ombrière", 45.5, -260.25),
    ("point d’attention", "Passage", 410.0, 333.0),
)


@pytest.fixture(scope="module")
def pack(shipped, tmp_path_factory):
    """The folder of a workshop on A3 with two groups, and its description."""
    folder = tmp_path_factory.mktemp("atelier")
    street = shapely.LineString([(663_400, 6_870_500), (663_400, 6_871_000)])
    streets = gpd.GeoDataFrame(geometry=[street], crs=2154)
    workshop.pack(shipped, folder, district_id=AULNAY, code="AT-1", groups=["resident", "elected"], streets=streets)
    return folder, json.loads((folder / "AT-1_feuille.json").read_text(encoding="utf-8"))


def printed(path, page: int = 0) -> Image.Image:
    """Return one page of a PDF as a grey picture."""
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed: no page is turned into a picture")
    sheet = pdfium.PdfDocument(path)[page]
    assert [side * 25.4 / 72 for side in sheet.get_size()] == pytest.approx([420, 297], abs=0.5)
    return sheet.render(scale=DPI / 72).to_pil().convert("L")


def crossing(grey: np.ndarray, x: float, y: float) -> tuple[float, float]:
    """Return the middle of the cross near a pixel: its strokes are the darkest column and the darkest row."""
    half = int(5 * DPI / 25.4)
    left, top = int(x) - half, int(y) - half
    dark = 255.0 - grey[top : top + 2 * half + 1, left : left + 2 * half + 1]
    found = []
    for axis in (0, 1):
        line = dark.sum(axis=axis)
        line = np.where(line > 0.5 * line.max(), line, 0)
        found.append(float((np.arange(len(line)) * line).sum() / line.sum()))
    return left + found[0], top + found[1]


def test_a_mark_drawn_on_an_overlay_comes_back_within_two_metres(study, pack, tmp_path):
    folder, told = pack
    page = printed(folder / "AT-1_calques.pdf", page=1)
    west, south, east, north = told["ground_m"]
    middle = np.array([(west + east) / 2, (south + north) / 2])
    # The ground of each object, put on the page by the ruler: millimetres from the crosses A and E, no code of ours.
    a, e = (next(c for c in told["crosses"] if c["name"] == name) for name in "AE")
    ink = ImageDraw.Draw(page)
    truth = [middle + shift for *_, x, y in LAID for shift in [np.array([x, y])]]
    for x, y in truth:
        right = a["right_mm"] + (x - a["x"]) / (e["x"] - a["x"]) * (e["right_mm"] - a["right_mm"])
        down = a["down_mm"] + (y - a["y"]) / (e["y"] - a["y"]) * (e["down_mm"] - a["down_mm"])
        spot = [mm * DPI / 25.4 for mm in (right, down)]
        ink.ellipse([spot[0] - 9, spot[1] - 9, spot[0] + 9, spot[1] + 9], fill=110)
    # The scanner took the sheet a degree askew.
    scan = page.rotate(1.0, resample=Image.Resampling.BICUBIC, fillcolor=255)
    grey = np.asarray(scan, dtype=float)
    turn = np.deg2rad(1.0)
    centre = np.array(scan.size) / 2
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    lines = ["repere;pixel_x;pixel_y"]
    for cross in told["crosses"]:
        where = np.array([cross["right_mm"], cross["down_mm"]]) * DPI / 25.4
        x, y = crossing(grey, *(rotation @ (where - centre) + centre))
        lines.append(f"{cross['name']};{x:.1f};{y:.1f}".replace(".", ","))
    (tmp_path / "AT-1-B_calage.csv").write_text("\n".join(lines), encoding="utf-8")
    rows, columns = np.nonzero((grey > 80) & (grey < 140))
    inside = columns < 300 * DPI / 25.4  # the panel beside holds grey rules and letters
    rows, columns = rows[inside], columns[inside]
    blobs = shapely.get_parts(shapely.union_all(shapely.buffer(shapely.points(columns, rows), 1.5)))
    dots = sorted((blob.centroid for blob in blobs if blob.area > 200), key=lambda dot: dot.x)
    assert len(dots) == len(LAID)
    marks = ["numero;pixel_x;pixel_y;classe;libelle;theme;priorite"]
    for n, (dot, (kind, label, *_)) in enumerate(zip(dots, LAID, strict=True), start=1):
        marks.append(f"{n};{dot.x:.0f};{dot.y:.0f};{kind};{label};nature;{n}")
    (tmp_path / "AT-1-B.csv").write_text("\n".join(marks), encoding="utf-8")
    (tmp_path / "AT-1_feuille.json").write_bytes((folder / "AT-1_feuille.json").read_bytes())
    done = import_walk(study, tmp_path / "AT-1-B.csv", **SESSION, hints=BEGUN)
    assert done.counts.loc["workshop_items"].tolist() == [3, 3, 0, 0, 0]
    kept = study.read("workshop_items").query("session_id == 'AT-1'").set_index("item_id")
    away = [kept.geometry[f"AT-1-AT-1-B-{n}"].distance(shapely.Point(xy)) for n, xy in enumerate(truth, start=1)]
    assert max(away) < 2.0
    assert kept["kind"].tolist() == ["favourable_place", "project_type", "attention_point"]
    assert set(kept["actor_group"]) == {"elected"}
    assert study.read("sessions").set_index("session_id")["kind"]["AT-1"] == "workshop"
    again = import_walk(study, tmp_path / "AT-1-B.csv", **SESSION, hints=BEGUN)
    assert again.counts.loc["workshop_items"].tolist() == [3, 0, 0, 3, 0]


def test_the_base_map_is_at_the_scale_it_says(pack, shipped):
    folder, told = pack
    grey = np.asarray(printed(folder / "AT-1_fond.pdf"), dtype=float)
    found = {
        cross["name"]: crossing(grey, cross["right_mm"] * DPI / 25.4, cross["down_mm"] * DPI / 25.4)
        for cross in told["crosses"]
    }
    # From A to C on the picture, in metres at the scale of the sheet: half a pixel is 0.4 m at 1:5 000.
    across_m = (found["C"][0] - found["A"][0]) / DPI * 25.4 / 1000 * told["scale"]
    crosses = {cross["name"]: cross for cross in told["crosses"]}
    assert across_m == pytest.approx(crosses["C"]["x"] - crosses["A"]["x"], abs=1.0)
    perimeter = shipped["districts"].set_index("district_id").geometry[AULNAY]
    assert shapely.box(*told["ground_m"]).contains(perimeter)
    assert told["scale"] == 5000
    # The one street, at x = 663 400: darker than the ground five pixels (4 m) on either side of it.
    column = found["A"][0] + (663_400 - crosses["A"]["x"]) / across_m * (found["C"][0] - found["A"][0])
    row = found["A"][1] + (crosses["A"]["y"] - 6_870_850) / across_m * (found["C"][0] - found["A"][0])
    across = grey[int(row), int(column) - 5 : int(column) + 6]
    assert across[4:8].min() < min(across[0], across[-1]) - 20


def test_crosses_and_code_stand_outside_the_drawing_area(pack):
    _, told = pack
    west, south, east, north = told["ground_m"]
    for cross in told["crosses"]:
        assert not (west < cross["x"] < east and south < cross["y"] < north)
        assert 5 < cross["right_mm"] < 415
        assert 5 < cross["down_mm"] < 292


def test_nothing_is_drawn_in_the_frame_of_an_overlay(pack):
    folder, told = pack
    grey = np.asarray(printed(folder / "AT-1_calques.pdf"))
    left, right = (next(c for c in told["crosses"] if c["name"] == name)["right_mm"] + 8 for name in "AC")
    top, bottom = (next(c for c in told["crosses"] if c["name"] == name)["down_mm"] + 8 for name in "AG")
    box = [int(mm * DPI / 25.4) for mm in (top, bottom - 16, left, right - 16)]
    assert grey[box[0] : box[1], box[2] : box[3]].min() == 255


def test_a_district_without_perimeter_a_paper_and_a_group_are_refused(shipped, tmp_path):
    unknown = shipped["districts"].loc[shipped["districts"].geometry.isna(), "district_id"].iloc[0]
    with pytest.raises(InputError, match="Périmètre non publié"):
        workshop.pack(shipped, tmp_path / "a", district_id=unknown, code="X")
    with pytest.raises(InputError, match="ne tient pas"):
        workshop.pack(shipped, tmp_path / "a", district_id=AULNAY, code="X", scale=1000)
    with pytest.raises(UnknownNameError, match="Papiers d’un atelier : A3, A1, A0"):
        workshop.pack(shipped, tmp_path / "a", district_id=AULNAY, code="X", paper="A5")
    with pytest.raises(UnknownNameError, match="Groupe inconnu"):
        workshop.pack(shipped, tmp_path / "a", district_id=AULNAY, code="X", groups=["touristes"])
    with pytest.raises(InputError, match="Code de feuille"):
        workshop.pack(shipped, tmp_path / "a", district_id=AULNAY, code="../X")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_no_half_pack(shipped, tmp_path, monkeypatch, there):
    folder = tmp_path / "atelier"
    if there:
        folder.mkdir()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="Pas assez de place"):
        workshop.pack(shipped, folder, district_id=AULNAY, code="X", groups=["young"])
    assert [path.name for path in tmp_path.rglob("*")] == ["atelier"] * there
    with pytest.raises(InputError, match="dans un dossier qui existe"):
        workshop.pack(shipped, tmp_path / "b" / "c", district_id=AULNAY, code="X", groups=["young"])


def test_a_scan_that_does_not_fit_is_refused(study, pack, tmp_path):
    folder, _ = pack
    for name in ("AT-1_feuille.json", "AT-1-A.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    control = tmp_path / "AT-1-A_calage.csv"
    # A and C swapped: the sheet lies face down.
    control.write_text("repere;pixel_x;pixel_y\nA;1800;70\nC;70;70\nE;1800;1690\nG;70;1690\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"La limite est de 10 m : la fiche est refusée"):
        import_walk(study, tmp_path / "AT-1-A.csv", **SESSION, hints=BEGUN)
    (tmp_path / "AT-1_feuille.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="n’est pas la description d’une feuille d’atelier"):
        import_walk(study, tmp_path / "AT-1-A.csv", **SESSION, hints=BEGUN)
    assert "AT-1" not in set(study.read("sessions")["session_id"])


def test_the_command_writes_the_pack(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["workshop", "Aulnay-sous-Bois", "--out", str(tmp_path / "a1"), "--paper", "a1", "--group", "young"])
    assert not end.value.code
    said = capsys.readouterr().out
    assert "A1 au 1:2\u202f500, cadre de 612 × 529 mm, 1 calque. Imprimez à 100 %." in said
    assert sorted(path.name for path in (tmp_path / "a1").iterdir()) == [
        "LISEZ-MOI.txt",
        "QMI1-AUL-ATELIER-A.csv",
        "QMI1-AUL-ATELIER-A_calage.csv",
        "QMI1-AUL-ATELIER_calques.pdf",
        "QMI1-AUL-ATELIER_feuille.json",
        "QMI1-AUL-ATELIER_fond.pdf",
    ]
