"""Paper: exact sizes and scales, honest bars and norths, names apart, fonts inside, the same bytes twice."""

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import Path
from threading import Event, Thread

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.font_manager import get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.text import Text

from geo_qmi import plate
from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.maps import Layer, Map, Style
from geo_qmi.plate import ink
from geo_qmi.plate.labels import Label, placed
from geo_qmi.plate.proof import _seen
from geo_qmi.schema import CRS

#: One kilometre square in Aulnay-sous-Bois, in Lambert-93.
WEST, SOUTH = 662_500, 6_869_500
SQUARE = (WEST, SOUTH, WEST + 1000, SOUTH + 1000)
IMPRINT = plate.Imprint(heading="Essai", edition="public", date="1er mars 2026", study="essai.gpkg")


def layer(name: str, kind: str, rows: list[tuple[str, str, shapely.Geometry]], **styles: Style) -> Layer:
    """A layer from rows of label, style, geometry."""
    frame = gpd.GeoDataFrame(
        {"id": [str(n) for n in range(len(rows))], "label": [row[0] for row in rows], "style": [row[1] for row in rows],
         "Note": ["x"] * len(rows)},
        geometry=[row[2] for row in rows], crs=CRS,
    )  # fmt: skip
    return Layer(name=name, title=name.capitalize(), kind=kind, frame=frame, styles=styles, tooltip=("Note",))


def small_map(*layers: Layer, **changes: object) -> Map:
    """A map of one square, by default with a district, an unknown area and two stations, one far away."""
    perimeter = layer(
        "districts", "area", [("Essai", "d", shapely.box(*SQUARE))],
        d=Style(label="Périmètre", fill="#c2185b", line="#c2185b", opacity=0.1),
    )  # fmt: skip
    hatched = layer(
        "unknown", "area", [("?", "h", shapely.box(WEST, SOUTH, WEST + 200, SOUTH + 200))],
        h=Style(label="Inconnu", line="#333333", hatch_m=16.0),
    )  # fmt: skip
    stations = layer(
        "stations", "point",
        [("Gare", "s", shapely.Point(WEST + 500, SOUTH + 500)), ("Loin", "t", shapely.Point(WEST - 90_000, SOUTH))],
        s=Style(label="Gare", fill="#ffffff", line="#1a1a1a", shape="square"), t=Style(label="Tramway", fill="#000000"),
    )  # fmt: skip
    given = {
        "title": "Essai : 12 observations", "layers": layers or (perimeter, hatched, stations), "extent_m": SQUARE,
        "description": "Une carte d’essai.", "credits": ("IGN, 2026 (Licence Ouverte 2.0).",), "table": pd.DataFrame(),
    } | changes  # fmt: skip
    return Map(**given)


def written(pages: plate.Pages, page: int = 0) -> list[str]:
    """Every line of text of a page."""
    return [text.get_text() for text in lines_of(pages, page)]


def lines_of(pages: plate.Pages, page: int = 0) -> list[Text]:
    """Every line of text of a page, as drawn."""
    return [one for one in pages.figures[page].artists if isinstance(one, Text)]


@pytest.fixture(scope="module")
def pages() -> plate.Pages:
    """The pages of the small map with three things said, one of them nowhere."""
    said = gpd.GeoDataFrame(
        {"said": ["Il fait bon ici.", "On ne passe pas.", "Partout pareil."]},
        geometry=[shapely.Point(WEST + 300, SOUTH + 800), shapely.Point(WEST + 700, SOUTH + 300), None], crs=CRS,
    )  # fmt: skip
    return plate.draw(small_map(), scale=5000, imprint=IMPRINT, verbatims=said)


@pytest.fixture(scope="module")
def pdf(pages) -> bytes:
    return pages.to_pdf()


@pytest.mark.parametrize(
    ("paper", "orientation", "size"),
    [("A3", "landscape", (420, 297)), ("A4", "portrait", (210, 297)), ("A0", "landscape", (1189, 841))],
)
def test_a_page_has_the_size_of_its_paper(paper, orientation, size):
    made = plate.draw(small_map(), paper=paper, orientation=orientation, imprint=IMPRINT).to_pdf()
    width, height = map(float, re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", made).groups())
    assert (width / 72 * 25.4, height / 72 * 25.4) == pytest.approx(size, abs=0.5)


def test_a_point_of_the_ground_lies_at_its_millimetre(pages):
    x, y, width, tall = pages.sheet.frame_mm
    spots = shapely.points([(WEST + 500, SOUTH + 500), (WEST + 600, SOUTH + 500), (WEST + 500, SOUTH + 450)])
    found = shapely.get_coordinates(pages.sheet.to_page(spots))
    middle = np.array([x + width / 2, y + tall / 2])
    # At 1:5000, 100 m are 20 mm.
    np.testing.assert_allclose(found, middle + np.array([[0, 0], [20, 0], [0, -10]]), atol=1e-6)


def test_two_readers_write_one_after_the_other():
    inside = Event()

    def other() -> None:
        with ink.look():
            inside.set()

    with ink.look():
        assert mpl.rcParams["svg.hashsalt"] == "geo-qmi"
        thread = Thread(target=other)
        thread.start()
        assert not inside.wait(0.1)
    assert inside.wait(60)
    thread.join()
    assert mpl.rcParams["svg.hashsalt"] != "geo-qmi"


def test_the_file_keeps_the_scale():
    track = layer(
        "track", "line", [("", "t", shapely.LineString([(WEST, SOUTH), (WEST + 1000, SOUTH)]))], t=Style(line="#0a0b0c")
    )
    svg = plate.draw(small_map(track), scale=10_000, imprint=IMPRINT).to_svg().decode()
    path = re.search(r'd="M ([\d.]+) ([\d.]+)\s+L ([\d.]+) ([\d.]+)[^>]*#0a0b0c', svg)
    ends = [float(number) for number in path.groups()]
    # One kilometre at 1:10 000 is 100 mm; an SVG counts in points.
    assert (ends[2] - ends[0]) / 72 * 25.4 == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("scale", [2000, 2500, 5000, 25_000, 150_000])
def test_the_bar_is_as_long_as_the_ground(scale):
    sheet = plate.sheet_for(SQUARE, paper="A1", scale=scale)
    metres, millimetres = sheet.bar()
    x, y = sheet.centre_m
    half = millimetres / sheet.mm_per_m / 2
    back = pyproj.Transformer.from_crs(CRS, 4171, always_xy=True)
    ends = [back.transform(x - half, y), back.transform(x + half, y)]
    true = pyproj.Geod(ellps="GRS80").inv(*ends[0], *ends[1])[2]
    assert metres == pytest.approx(true, rel=0.005)
    assert millimetres <= 0.6 * sheet.panel_mm[2]


def test_the_needle_points_to_true_north():
    sheet = plate.sheet_for(SQUARE)
    back = pyproj.Transformer.from_crs(CRS, 4171, always_xy=True)
    lon, lat = back.transform(*sheet.centre_m)
    x, y = pyproj.Transformer.from_crs(4171, CRS, always_xy=True).transform(lon, lat + 0.001)
    angle = math.degrees(math.atan2(x - sheet.centre_m[0], y - sheet.centre_m[1]))
    assert sheet.north_deg == pytest.approx(angle, abs=1e-3)
    assert 0.3 < sheet.north_deg < 0.45  # west of 3° E the pole is to the right of the grid


def test_the_largest_round_scale_is_chosen():
    sheet = plate.sheet_for(SQUARE, paper="A3")
    # The frame is 277 mm high: a kilometre needs 1:3611 at least.
    assert sheet.scale == 4000
    assert sheet.frame_mm[3] == pytest.approx(277)
    assert sheet.ground_m[0] < WEST
    assert sheet.ground_m[3] > SOUTH + 1000


def test_the_sheet_turns_the_way_that_shows_the_ground_larger():
    # 2 km from south to north need 1:7221 in the 277 mm of a landscape, 1:5000 in the 400 mm of a portrait.
    tall = plate.sheet_for((0, 0, 500, 1999), orientation="best")
    assert (tall.width_mm, tall.scale) == (297, 5000)
    assert plate.sheet_for((0, 0, 1999, 500), orientation="best").width_mm == 420
    assert plate.sheet_for(SQUARE, orientation="best").width_mm == 420


def test_a_scale_too_large_names_the_one_that_fits():
    with pytest.raises(InputError, match=r"ne tient pas sur une feuille A4.*1:6\u202f000"):
        plate.draw(small_map(), paper="A4", scale=5000)


def test_the_ground_around_may_be_cut_and_it_is_said():
    wide = small_map(extent_m=(WEST - 3000, SOUTH - 3000, WEST + 4000, SOUTH + 4000))
    made = plate.draw(wide, scale=5000)
    assert made.remarks == ("À 1:5\u202f000, le cadre coupe la carte : 1 objet hors du cadre.",)
    assert made.sheet.centre_m == (WEST + 500, SOUTH + 500)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"paper": "B5"}, "Papier inconnu.*A0, A1, A2, A3, A4"),
        ({"orientation": "oblique"}, "Orientation inconnue.*paysage, portrait"),
        ({"scale": 0}, "Échelle 1:0 refusée"),
    ],
)
def test_what_is_unknown_is_refused_with_the_choices(options, error):
    with pytest.raises((UnknownNameError, InputError), match=error):
        plate.draw(small_map(), **options)


def test_the_panel_says_what_a_reader_needs(pages):
    text = " ".join(written(pages)).replace("\u00a0", " ")
    for said in (
        "Édition publique", "Essai", "12 observations", "1:5\u202f000", "Lambert-93 (EPSG:2154)", "linéaire 0,99995",
        "Licence Ouverte 2.0", "1er mars 2026", "essai.gpkg", "Périmètre", "Inconnu", "Gare",
    ):  # fmt: skip
        assert said in text, said


def test_the_legend_holds_only_what_is_seen(pages):
    assert "Tramway" not in written(pages)
    assert "Loin" not in written(pages)


def test_signs_carry_their_letters_on_the_map_and_in_a_legend_read_from_the_top():
    groups = [
        layer(name, "point", [("Voix", "v", shapely.Point(WEST + at, SOUTH + at))],
              v=Style(label=name, fill=fill, line="#333333", size_px=22, letters=letters))
        for name, fill, letters, at in (("Sous", "#ffffff", "H2", 300), ("Sur", "#542788", "É", 600))
    ]  # fmt: skip
    drawn = plate.draw(small_map(*groups), scale=5000)
    texts = lines_of(drawn)
    lines = [text.get_text() for text in texts]
    assert (lines.count("H2"), lines.count("É")) == (2, 2)
    assert lines.index("Sur") < lines.index("Sous")
    inks = {text.get_text(): text.get_color() for text in texts}
    assert (inks["H2"], inks["É"]) == ("#333333", "#ffffff")
    on_map = next(text for text in texts if text.get_text() == "H2")
    left, base = on_map.get_position()
    x, y = drawn.sheet.to_page(np.array([shapely.Point(WEST + 300, SOUTH + 300)], dtype=object))[0].coords[0]
    assert left < x < left + 2 * (x - left)
    assert base < y < base + 4


def test_words_are_numbered_on_the_map_and_written_on_the_facing_page(pages):
    assert len(pages.figures) == 2
    first, second = written(pages), " ".join(written(pages, 1)).replace("\u00a0", " ")
    assert {"1", "2"} <= set(first)
    assert not any("Il fait bon" in line for line in first)
    assert "1 « Il fait bon ici. » 2 « On ne passe pas. »" in second
    assert "Dit sans lieu 3 « Partout pareil. »" in second
    assert "Édition publique" in second


def test_fonts_are_inside_and_stay_letters(pdf):
    assert b"/Type3" not in pdf
    fonts = re.findall(rb"/Type /FontDescriptor", pdf)
    assert len(fonts) == 2
    assert len(re.findall(rb"/FontFile2 ", pdf)) == len(fonts)


def test_the_same_map_gives_the_same_bytes(pdf):
    again = plate.draw(small_map(), scale=5000, imprint=IMPRINT)
    twin = plate.draw(small_map(), scale=5000, imprint=IMPRINT)
    assert again.to_pdf() == twin.to_pdf()
    assert again.to_svg() == twin.to_svg()
    assert again.to_png(dpi=40) == twin.to_png(dpi=40)
    assert b"CreationDate" not in pdf
    assert b"<dc:date>" not in again.to_svg()


def test_a_picture_has_the_dots_asked_for(pages):
    picture = pages.to_png(dpi=50)
    size = [int.from_bytes(picture[start : start + 4], "big") for start in (16, 20)]
    assert size == [round(420 / 25.4 * 50 - 0.5), round(297 / 25.4 * 50 - 0.5)]


def test_nothing_to_draw_is_said_on_the_sheet():
    made = plate.draw(small_map(nothing="Périmètre non publié : rien ne se calcule."))
    assert "Périmètre non publié : rien ne se calcule." in " ".join(written(made)).replace("\u00a0", " ")


def test_a_map_without_extent_is_refused():
    bare = small_map(layer("a", "area", [("", "s", shapely.box(*SQUARE))], s=Style()), extent_m=(math.nan,) * 4)
    with pytest.raises(InputError, match="sans étendue"):
        plate.draw(bare)


# -- names ------------------------------------------------------------------------------------------------------------


def boxes(labels: list[Label]) -> list[tuple[float, float, float, float]]:
    """What placed names cover: their letters, a millimetre and a half wide each here."""
    return [(one.left, one.base, one.left + 1.5 * len(one.text), one.base + 2) for one in labels]


spots = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=25)


@settings(deadline=None, max_examples=40)
@given(spots)
def test_names_never_overlap_and_none_is_lost(found):
    wanted = [
        Label(text=f"Nom {n}", spot=spot, apart=1.0, far=2, listed=f"Nom {n}") for n, spot in enumerate(found)
    ]  # fmt: skip
    kept, listed = placed(
        wanted, frame=(0, 0, 100, 100), signs=[], size_of=lambda label: (1.5 * len(label.text), 2.0)
    )  # fmt: skip
    for first, second in combinations(boxes(kept), 2):
        assert not (first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3])
    shown = {one.text for one in kept} | {line.split(" : ")[-1] for line in listed}
    assert shown >= {one.text for one in wanted}


def test_what_has_no_room_becomes_a_letter_in_the_list():
    wanted = [Label(text="Gare", spot=(5, 5), apart=1.0, listed="Gare")] * 12
    kept, listed = placed(wanted, frame=(0, 0, 12, 12), signs=[], size_of=lambda one: (1.0 * len(one.text), 1.0))
    letters = [one.text for one in kept if one.boxed]
    assert letters[:2] == ["A", "B"]
    assert listed[0] == "A : Gare"
    assert len(kept) - len(letters) + len(listed) == 12


def test_a_sentence_stands_as_a_letter():
    long = "Garder libre le passage des voyageurs et des secours"
    kept, listed = placed(
        [Label(text=long, spot=(50, 50), listed=long)], frame=(0, 0, 200, 200), signs=[], size_of=lambda _: (3.0, 2.0)
    )
    assert [one.text for one in kept] == ["A"]
    assert listed == [f"A : {long}"]


# -- proofs -----------------------------------------------------------------------------------------------------------


def test_grey_and_deuteranopia_are_simulated():
    assert _seen("#ffffff", "grey") == "#ffffff"
    assert _seen("#000000", "deuteranopia") == "#000000"
    assert _seen("#7f7f7f", "deuteranopia") == "#7f7f7f"
    # Luminance of pure green is 0.7152: sRGB 220.
    assert _seen("#00ff00", "grey") == "#dcdcdc"


def test_classes_that_only_differ_in_red_and_green_are_caught():
    pair = layer(
        "a", "area", [("", "r", shapely.box(*SQUARE)), ("", "g", shapely.box(*SQUARE))],
        r=Style(label="Rouge", fill="#d62728"), g=Style(label="Vert", fill="#6b7a1f"),
    )  # fmt: skip
    row = plate.contrasts(small_map(pair)).iloc[0]
    assert not row["told_apart"]
    hatched = layer(
        "a", "area", [("", "r", shapely.box(*SQUARE)), ("", "g", shapely.box(*SQUARE))],
        r=Style(label="Rouge", fill="#d62728"), g=Style(label="Vert", fill="#6b7a1f", line="#333333", hatch_m=10),
    )  # fmt: skip
    assert plate.contrasts(small_map(hatched)).iloc[0]["told_apart"]


def test_a_proof_is_a_map_any_medium_can_draw():
    grey = plate.seen_by(small_map(), "grey")
    colours = {style.fill for layer in grey.layers for style in layer.styles.values() if style.fill}
    assert all(len({colour[1:3], colour[3:5], colour[5:7]}) == 1 for colour in colours)
    assert grey.title == small_map().title


@pytest.mark.parametrize("name", ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"])
def test_the_letters_cut_for_french_are_those_of_the_whole_font(name):
    cut, whole = (get_font(str(folder / name)) for folder in (ink._LETTERS, Path(mpl.get_data_path()) / "fonts/ttf"))
    letters = cut.get_charmap()
    assert set(map(ord, "ÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸàâæçéèêëîïôœùûüÿ0123456789«»’–—…°²€≥≤→\u00a0\u202f")) <= set(letters)
    for font in (cut, whole):
        font.set_size(100, 72)
    for letter in letters:
        ours, theirs = (font.load_char(letter, flags=LoadFlags.NO_HINTING) for font in (cut, whole))
        assert (ours.linearHoriAdvance, ours.bbox) == (theirs.linearHoriAdvance, theirs.bbox), chr(letter)


def test_letters_of_both_fonts_keep_their_shapes_on_one_drawing():
    figure, axes = ink.page(60, 20)
    for height, text in ((5, "0,25"), (15, "0,25 ✓")):  # the tick is in the whole font only
        ink.words(axes, (5, height), text, pt=10, bold=True)
    drawn = ink.saved(figure, "svg", title="T").decode()
    shapes = dict(re.findall(r'<path id="(DejaVu[^"]+)" d="([^"]+)"', drawn))
    cut, whole = (re.findall(r'href="#(DejaVu[^"]+)"', line)[:4] for line in drawn.split("<!-- ")[1:])
    assert [shapes[ident] for ident in cut] == [shapes[ident] for ident in whole]


def test_a_letter_french_does_not_use_is_taken_from_the_whole_font():
    assert ink._file("Éà ’", bold=False).parent == ink._LETTERS
    assert ink._file("Ωμέγα", bold=True).parent != ink._LETTERS
    made = plate.draw(small_map(title="Ωμέγα"), scale=5000)
    assert len(re.findall(rb"/FontFile2 ", made.to_pdf())) == 3
