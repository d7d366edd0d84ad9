"""A map on screen: degrees, no outside host, compact, and text that stays text."""

from __future__ import annotations

import base64
import doctest
import json
import re
from dataclasses import replace
from urllib.parse import urlsplit

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo_qmi import deck as deck_module
from geo_qmi import maps
from geo_qmi.deck import Look, deck, legend, seen
from geo_qmi.maps import Layer, Map, Style
from geo_qmi.maps.bases import BASE_HOST, BASES


def test_examples_in_the_docstring_hold():
    assert doctest.testmod(deck_module).failed == 0


HOSTILE = "<img src=x onerror=alert(1)> {titre} </script>"


def plain(geometry, *, label=HOSTILE, kind="area", **look):
    frame = gpd.GeoDataFrame(
        {"id": ["a"], "label": [label], "style": ["s"], "Détail": ["ligne"]}, geometry=[geometry], crs="EPSG:2154"
    )
    look = {"label": label, "fill": "#ff0000", "line": "#00ff00", **look}
    layer = Layer(
        name="l",
        title="Couche",
        kind=kind,
        frame=frame,
        styles={"s": Style(**look)},
        tooltip=("Détail",),
        optional=True,
    )
    return Map(
        title="T",
        layers=(layer,),
        extent_m=(652000, 6862000, 653000, 6863000),
        description="",
        credits=(),
        table=pd.DataFrame(),
    )


BOX = shapely.box(652000, 6862000, 653000, 6863000)


def spec(drawn, **options):
    return json.loads(deck(drawn, **options).to_json())


@pytest.fixture(scope="module")
def programme(shipped):
    fund = shipped["fund_projects"].dropna(subset=["insee"])
    return maps.programme_map(
        shipped["communes"],
        shipped["districts"],
        territories=shipped["territories"],
        fund_counts=fund.groupby("insee").size(),
    )


def test_coordinates_are_longitude_latitude_with_six_decimals():
    ring = spec(plain(BOX))["layers"][0]["data"]["features"][0]["geometry"]["coordinates"][0]
    for lon, lat in ring:
        assert 2.3 < lon < 2.4
        assert 48.8 < lat < 48.9
        assert round(lon, 6) == lon
        assert round(lat, 6) == lat


def test_the_whole_extent_fits_in_the_frame():
    view = spec(plain(BOX), width_px=512, height_px=512)["initialViewState"]
    # 1 km at 48.86° north on a world of 512 px: 512 × 1000 / (40 075 017 × cos lat) px at zoom 0.
    side_px = 512 * 1000 / (40_075_017 * 0.6578) * 2 ** view["zoom"]
    assert side_px == pytest.approx(0.94 * 512, rel=0.02)


def test_no_address_leaves_the_page(programme):
    text = deck(programme).to_json()
    assert re.findall(r"https?://[^\"]*", text) == []
    assert spec(programme)["mapStyle"].startswith("data:application/json;base64,")
    style = json.loads(base64.b64decode(spec(programme)["mapStyle"].split(",")[1]))
    assert style["sources"] == {}


def test_json_is_compact_and_small(programme):
    text = deck(programme).to_json()
    assert "\n" not in text
    assert '": ' not in text
    assert len(text) < 200_000


def test_hostile_text_is_data_in_the_deck_and_escaped_in_the_legend():
    drawn = plain(BOX)
    properties = spec(drawn)["layers"][0]["data"]["features"][0]["properties"]
    assert properties == {"id": "a", "titre": HOSTILE, "texte": "Détail : ligne"}
    assert HOSTILE not in deck(drawn)._tooltip["html"]
    assert "<img src=x" not in legend(drawn)
    assert "&lt;img src=x" in legend(drawn)


def test_hatched_areas_carry_their_lines():
    layers = spec(plain(BOX, fill="", hatch_m=100))["layers"]
    assert [layer["id"] for layer in layers] == ["l-s", "l-s-hatch"]
    hatching = layers[1]
    assert hatching["pickable"] is False
    assert hatching["data"]["features"][0]["geometry"]["type"] == "MultiLineString"


def test_points_are_signs_in_a_picture_of_the_page():
    layer = spec(plain(BOX.centroid, kind="point", shape="cross"))["layers"][0]
    assert layer["@@type"] == "IconLayer"
    picture = base64.b64decode(layer["iconAtlas"].strip('"').split(",")[1]).decode()
    assert picture.startswith("<svg")
    assert layer["data"][0]["sign"] == "s"
    assert layer["iconMapping"]["s"]["width"] == 48


def test_hidden_layers_are_left_out_of_map_and_legend():
    drawn = plain(BOX)
    assert spec(drawn, hidden={"l"})["layers"] == []
    assert "<li" not in legend(drawn, hidden={"l"})


def test_every_layer_has_its_own_name(programme):
    names = [layer["id"] for layer in spec(programme)["layers"]]
    assert len(names) == len(set(names))


def test_the_scale_bar_has_the_length_it_says():
    drawn = plain(BOX)
    layers = {layer["id"]: layer for layer in spec(drawn, look=Look(scale_bar=True))["layers"]}
    ends = layers["echelle-barre"]["data"]["features"][0]["geometry"]["coordinates"]
    assert layers["echelle-longueur"]["data"][0]["titre"] == "200 m"
    (lon, lat), (end, same) = ends
    assert lat == same
    # A degree of longitude at 48.86° north is 111 320 m × cos(48.86°) = 73 240 m, 0.2 % more on the ellipsoid.
    assert (end - lon) * 73_240 == pytest.approx(200, rel=0.01)


def test_a_base_map_is_asked_for_by_name_and_named_with_its_credit():
    drawn = plain(BOX)
    hosts = {}
    for base in BASES:
        style = json.loads(base64.b64decode(spec(drawn, look=Look(base=base))["mapStyle"].split(",")[1]))
        hosts[base] = urlsplit(style["sources"]["base"]["tiles"][0]).hostname
        assert style["sources"]["base"]["attribution"] == "© IGN – Géoplateforme"
    assert hosts == {"plan": BASE_HOST, "photo": BASE_HOST}
    assert spec(drawn)["mapStyle"] == spec(drawn, look=Look(opacity=0.2))["mapStyle"]


def test_opacity_multiplies_fills_on_the_map_and_in_the_legend():
    drawn = plain(BOX, fill="#ff0000", opacity=0.5)
    assert spec(drawn, look=Look(opacity=0.5))["layers"][0]["getFillColor"] == [255, 0, 0, 64]
    assert seen(drawn, Look(opacity=0.5)).layers[0].styles["s"].opacity == 0.25
    assert spec(drawn)["layers"][0]["getFillColor"] == [255, 0, 0, 128]


def test_a_ground_keeps_only_its_outline_over_a_base_map():
    drawn = plain(BOX, fill="#ff0000")
    ground = replace(drawn, layers=(replace(drawn.layers[0], context=True),))
    assert spec(ground, look=Look(base="plan"))["layers"][0]["getFillColor"][3] == 0
    assert spec(ground)["layers"][0]["getFillColor"][3] == 255


def test_the_chosen_feature_is_outlined_and_an_unknown_one_is_not():
    drawn = plain(BOX)
    assert [layer["id"] for layer in spec(drawn, look=Look(chosen=("l", "a")))["layers"]] == ["l-s", "objet-choisi"]
    for chosen in (("l", "nobody"), ("other", "a")):
        assert [layer["id"] for layer in spec(drawn, look=Look(chosen=chosen))["layers"]] == ["l-s"]


def test_a_view_has_a_name_when_it_is_given_one_and_opens_on_the_same_ground():
    plainly, named = (spec(plain(BOX), look=Look(view=view)) for view in ("", "1-QMI1-AUL"))
    assert "name" not in plainly["views"][0]
    assert named["views"][0]["name"] == "1-QMI1-AUL"
    assert named["initialViewState"] == plainly["initialViewState"]


def test_a_nudge_moves_the_view_by_less_than_a_metre_so_that_the_frame_comes_back():
    still, moved = (spec(plain(BOX), look=Look(nudge=nudge))["initialViewState"] for nudge in (0, 1))
    assert all(still[name] != moved[name] for name in ("latitude", "longitude", "zoom"))
    assert abs(still["latitude"] - moved["latitude"]) * 111_320 < 1


def test_thirty_thousand_features_travel_beside_a_small_message():
    corners = [(x, y) for x in range(200) for y in range(150)]
    shapes = [
        shapely.box(650_000 + 20 * x, 6_860_000 + 20 * y, 650_018 + 20 * x, 6_860_018 + 20 * y) for x, y in corners
    ]
    frame = gpd.GeoDataFrame({"id": range(30_000), "label": "Case", "style": "s"}, geometry=shapes, crs="EPSG:2154")
    one = plain(BOX)
    many = replace(one, layers=(replace(one.layers[0], frame=frame.assign(Détail="ligne")),))
    laid = {}

    def aside(name: str, text: str) -> str:
        laid[name] = text
        return f"media/{name}.json"

    text = deck(many, look=Look(aside=aside)).to_json()
    assert len(text) < 20_000
    assert json.loads(text)["layers"][0]["data"] == "media/l-s.json"
    assert len(json.loads(laid["l-s"])["features"]) == 30_000
    assert isinstance(spec(one, look=Look(aside=aside))["layers"][0]["data"], dict)  # a small layer stays inside


def test_a_map_gets_only_the_context_it_lacks_hidden_and_underneath(shipped):
    tables = {name: shipped[name] for name in ("communes", "barriers", "stations")}
    district = shipped["districts"].set_index("district_id").loc["QMI1-AUL"]
    bare = replace(plain(BOX), extent_m=district.geometry.bounds)
    lines = gpd.GeoDataFrame(geometry=[district.geometry.boundary], crs="EPSG:2154")
    found = maps.with_context(bare, insee=district["insee"], streets=lines, **tables)
    assert [layer.name for layer in found.layers] == ["communes", "streets", "barriers", "stations", "l"]
    assert [layer.shown for layer in found.layers] == [False, True, False, False, True]
    assert all(layer.optional and layer.context for layer in found.layers[:-1])
    assert len(found.credits) == len(set(found.credits)) > 0
    again = maps.with_context(found, insee=district["insee"], streets=lines, **tables)
    assert [layer.name for layer in again.layers] == [layer.name for layer in found.layers]
