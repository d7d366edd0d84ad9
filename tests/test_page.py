"""One HTML file that needs nothing else: no outside address, no way out for the words of the data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo_qmi import mapping
from geo_qmi.errors import InputError
from geo_qmi.maps import Layer, Map, Style
from geo_qmi.page import LICENCE, page

HOSTILE = "</script><script>alert(1)</script><img src=https://evil.example/x>"


class Parsed(HTMLParser):
    """Attributes that fetch, texts of scripts and styles, and the content policy of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.tags: list[str] = []
        self.policy = ""
        self.data = ""
        self._inside: list[str] | None = None
        self._json = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}]
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        self._json = tag == "script" and given.get("type") == "application/json"
        self._inside = self.scripts if tag == "script" and not self._json else self.styles if tag == "style" else None

    def handle_endtag(self, tag):
        self._inside, self._json = None, False

    def handle_data(self, data):
        if self._json:
            self.data += data
        elif self._inside is not None:
            self._inside.append(data)


def hostile_map() -> Map:
    """A map whose every word tries to leave its element."""
    frame = gpd.GeoDataFrame(
        {"id": ["a"], "label": [HOSTILE], "style": ["s"], "Mot": [HOSTILE]},
        geometry=[shapely.Point(652000, 6862000)],
        crs="EPSG:2154",
    )
    layer = Layer(
        name="a", title=HOSTILE, kind="point", frame=frame, styles={"s": Style(label=HOSTILE, fill="#ff0000")},
        tooltip=("Mot",), optional=True,
    )  # fmt: skip
    return Map(
        title=HOSTILE, layers=(layer,), extent_m=(651000, 6861000, 653000, 6863000), description=HOSTILE,
        credits=(HOSTILE,), table=pd.DataFrame({"Mot": [HOSTILE], "Nombre": [2.5], "Rien": [float("nan")]}),
    )  # fmt: skip


@pytest.fixture(scope="module")
def text(shipped) -> str:
    drawn = [mapping.drawn(shipped, kind="programme"), mapping.drawn(shipped, kind="district", district_id="Sceaux")]
    return page([*drawn, hostile_map()], title="Étude livrée", edition="public", licence="Licence Ouverte 2.0")


def test_nothing_is_fetched_from_outside(text):
    parsed = Parsed(text)
    assert [target for target in parsed.fetched if not target.startswith(("#", "data:"))] == []
    assert "url(" not in "".join(parsed.styles)
    assert not re.search(r"@import", "".join(parsed.styles))
    assert "default-src 'none'" in parsed.policy
    assert "http" not in parsed.policy


def test_the_policy_names_the_two_scripts_by_their_hash(text):
    parsed = Parsed(text)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in parsed.scripts]
    assert len(hashes) == 2
    assert re.findall(r"'sha256-([^']+)'", parsed.policy) == hashes


def test_words_of_the_data_stay_text(text):
    parsed = Parsed(text)
    assert parsed.tags.count("script") == 3
    maps = json.loads(parsed.data)
    assert maps[2]["title"] == HOSTILE
    assert "<script" not in maps[2]["layers"][0]["legend"]
    assert "<" not in parsed.data
    assert maps[2]["table"]["rows"] == [[HOSTILE, 2.5, None]]


def test_a_map_carries_its_words_and_its_table(text):
    programme = json.loads(Parsed(text).data)[0]
    assert programme["description"].startswith("Carte de la Métropole du Grand Paris")
    assert len(programme["table"]["rows"]) == 130
    assert programme["credits"]
    assert next(layer["title"] for layer in programme["layers"] if layer["listed"]) == "Projets du fonds par commune"


def test_the_library_comes_with_its_licence(text):
    assert "Permission is hereby granted" in Parsed(text).scripts[0][:2000]
    assert LICENCE.endswith(".txt")


def test_same_maps_same_bytes(shipped):
    drawn = mapping.drawn(shipped, kind="district", district_id="Argenteuil")
    assert page([drawn], title="Deux fois") == page([drawn], title="Deux fois")


def test_a_district_without_perimeter_says_so_and_so_does_a_map_with_nothing(shipped):
    drawn = [mapping.drawn(shipped, kind=kind, district_id="Argenteuil") for kind in ("district", "coverage")]
    district, coverage = json.loads(Parsed(page(drawn, title="Argenteuil")).data)
    assert district["title"].endswith("périmètre non publié")
    assert any("Commune d’un quartier au périmètre non publié" in layer["legend"] for layer in district["layers"])
    assert coverage["nothing"] == "Périmètre non publié : aucune portée à pied ne peut y être calculée."


def test_a_page_without_a_map_is_refused():
    with pytest.raises(InputError, match="Aucune carte"):
        page([], title="Vide")
