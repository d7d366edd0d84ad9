"""A map on screen: degrees, no outside host, compact, and text that stays text."""

from __future__ import annotations

import base64
import doctest
import json
import re

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo_qmi import deck as deck_module
from geo_qmi import maps
from geo_qmi.deck import deck, legend
from geo_qmi.maps import Layer, Map, Style


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
