"""The sensitive map as data: states, signs under five people, own colours, counts in the title, nothing private."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo_qmi import maps, sensitive
from geo_qmi.deck import deck
from geo_qmi.editions import edition, published_places
from geo_qmi.errors import CrsError, InputError
from geo_qmi.maps.drawing import Map
from geo_qmi.maps.scale import DIVIDED, value_class
from geo_qmi.maps.sensitive import _joined
from geo_qmi.maps.voices import VOICES
from geo_qmi.schema import private_columns

X, Y = 652_000.0, 6_862_000.0
GROUND = Map(
    title="", layers=(), extent_m=(X, Y, X + 100, Y + 20), description="", credits=("IGN",), table=pd.DataFrame()
)


def places(*rows: dict) -> gpd.GeoDataFrame:
    """Cells of 20 m in a row; what matters is given, the rest is nothing said."""
    nothing = {"state": "felt", "display": "symbol", "value": np.nan, "polarisation": np.nan}
    counts = dict.fromkeys(
        ["n_people", "n_positive", "n_negative", "n_sessions", "n_observations", "n_unsigned", "n_silent", "n_walks"], 0
    )
    full = [{"place_id": f"c{n}", **nothing, **counts, **row} for n, row in enumerate(rows)]
    shapes = [shapely.box(X + 20 * n, Y, X + 20 * n + 20, Y + 20) for n in range(len(rows))]
    return gpd.GeoDataFrame(full, geometry=shapes, crs=2154)


WALK = places(
    {"state": "not_walked", "display": "none"},
    {"state": "silent", "display": "none", "n_walks": 1},
    {"value": -1.5, "n_people": 2, "n_negative": 2, "n_observations": 3, "polarisation": 0.0},
    {"value": 1.0, "n_people": 6, "n_positive": 6, "n_observations": 8, "display": "surface", "polarisation": 0.1},
    {"state": "divided", "value": 0.0, "n_people": 8, "n_positive": 4, "n_negative": 4, "display": "surface"},
)


def drawn(table: gpd.GeoDataFrame = WALK, **options) -> Map:
    given = {"district": "Essai", "evidence": "1 séance, 9 personnes, 19 observations", "field": {}, **options}
    return maps.sensitive_map(GROUND, places=table, **given)


def layer(found: Map, name: str):
    return next(layer for layer in found.layers if layer.name == name)


def test_each_state_has_a_look_of_its_own():
    found = drawn()
    assert [layer.name for layer in found.layers] == ["not_walked", "silent", "felt", "felt_few", "felt_numbers"]
    hatched = layer(found, "not_walked")
    assert hatched.styles["hatched"].hatch_m > 0
    assert not hatched.styles["hatched"].fill
    assert hatched.frame.geometry.area.sum() == pytest.approx(400)
    assert layer(found, "felt").frame["style"].tolist() == ["v3", "divided"]
    assert layer(found, "felt").styles["divided"].fill == DIVIDED


def test_under_five_people_a_sign_and_its_number_and_no_area():
    found = drawn()
    few = layer(found, "felt_few").frame
    assert few["style"].tolist() == ["v0"]
    assert set(few.geom_type) == {"Point"}
    assert layer(found, "felt_numbers").frame["label"].tolist() == ["2"]
    assert WALK.geometry.iloc[2].contains(layer(found, "felt_numbers").frame.geometry.iloc[0])


def test_title_description_and_table_say_the_same():
    found = drawn(filters="thème : Eau et pluie")
    assert found.title == "Essai – thème : Eau et pluie : 1 séance, 9 personnes, 19 observations"
    assert "sur 5 lieux : 1 non parcouru, 1 parcouru sans rien dire, 2 ressentis et 1 où" in found.description
    assert "1 est favorable et 1 défavorable. 1 repose sur moins de cinq personnes" in found.description
    assert found.table["État"].tolist() == ["parcouru, rien de dit", "ressenti", "ressenti", "ressentis opposés"]
    assert found.table["Valeur (−2 à +2)"].tolist() == ["—", "−1,50", "1,00", "0,00"]
    assert found.credits == ("IGN",)


def test_the_surface_and_its_evidence_are_two_views_where_somebody_walked():
    smooth = pd.DataFrame(
        {"value": [0.0, np.nan, -0.9, 0.9, 0.1], "evidence": [9, 1, 5.2, 6.9, 6.1], "n_people": [9, 1, 6, 7, 7]},
        index=WALK.index,
    )
    value = layer(drawn(view="value", detail=smooth), "surface_value")
    assert value.frame["id"].tolist() == ["c2", "c3", "c4"]  # not where nobody walked, nor where few are near
    assert value.frame["style"].tolist() == ["v1", "v3", "v2"]
    evidence = layer(drawn(view="evidence", detail=smooth), "surface_evidence")
    assert [style.label for style in evidence.legend()] == ["5 personnes", "6 personnes"]
    assert "surface lissée" in drawn(view="value", detail=smooth).title
    with pytest.raises(InputError, match="vue « value » demandée sans ses valeurs"):
        drawn(view="value")


def test_an_interval_is_drawn_from_five_people_on_and_says_its_side():
    bounds = pd.DataFrame({"low": [np.nan, np.nan, np.nan, 0.5, -0.6], "high": [np.nan] * 3 + [1.4, 0.7]})
    found = drawn(view="interval", detail=bounds)
    assert layer(found, "interval").frame["style"].tolist() == ["good", "unsure"]
    few = layer(found, "interval_few").frame
    assert few["id"].tolist() == ["c2"]
    assert set(few.geom_type) == {"Point"}
    assert found.table["Intervalle à 90 %"].tolist() == ["—", "0,50 à 1,40", "−0,60 à 0,70"]
    assert "2 lieux à cinq personnes ou plus, dont 1 où le sens reste incertain" in found.description
    assert found.title.startswith("Essai, intervalles : 1 séance")


def test_gatherings_are_drawn_where_they_were_tested():
    tested = pd.DataFrame(
        {
            "z": [np.nan, np.nan, -2.0, 2.5, 0.1],
            "q": [np.nan, np.nan, np.nan, 0.01, 0.8],
            "n_around": [0, 0, 4, 6, 8],
            "verdict": ["not_tested", "not_tested", "not_tested", "hot", "none"],
        }
    )
    found = drawn(view="spots", detail=tested)
    assert layer(found, "spots").frame["style"].tolist() == ["hot", "none"]
    assert layer(found, "spots_few").frame["style"].tolist() == ["not_tested"]
    assert found.table["p corrigée"].tolist() == ["—", "0,010", "0,800"]
    assert "2 lieux testés : 1 regroupement de ressentis positifs, 0 de ressentis négatifs" in found.description


def apart(**columns: list) -> pd.DataFrame:
    counts = {"n_positive": 0, "n_negative": 0, "n_observations": 1, "polarisation": np.nan}
    return pd.DataFrame(columns).assign(**counts)


def test_groups_lie_over_each_other_with_their_own_letter_spot_and_layer():
    said = apart(actor_group=["young", "resident", None], place=[3, 3, 4], value=[1.5, -1.0, 0.0], n_people=[1, 4, 1])
    found = drawn(view="voices", detail=said)
    assert found.title.startswith("Essai, par groupe : ")
    young, residents = layer(found, "voices_young"), layer(found, "voices_resident")
    assert (young.optional, residents.optional) == (True, True)
    assert [style.letters for style in young.styles.values()] == ["J1"]
    assert [style.letters for style in residents.styles.values()] == ["H4"]
    assert [style.letters for style in (*young.legend(), *residents.legend())] == ["J", "H"]
    assert young.frame.distance(residents.frame).iloc[0] > 5  # one place, two spots in it
    assert WALK.geometry.iloc[3].contains(young.frame.geometry.iloc[0])
    assert layer(found, "voices_unknown").frame["label"].tolist() == ["Inconnu"]
    assert [style.fill for style in layer(found, "voices").legend()] == list(maps.district.VALENCES.values())
    assert found.table["Groupe"].tolist() == ["habitantes et habitants", "jeunes", "inconnu"]
    assert "1 lieu dont plusieurs parlent" in found.description


def test_events_of_two_kinds_differ_by_letter_and_shape():
    said = apart(session_kind=["walk", "interview"], place=[3, 3], value=[1.0, 1.0], n_people=[6, 1])
    found = drawn(view="voices", detail=said)
    (walk,), (interview,) = layer(found, "voices_walk").legend(), layer(found, "voices_interview").legend()
    assert (walk.letters, walk.shape) != (interview.letters, interview.shape)
    assert walk.letters != interview.letters
    assert walk.shape != interview.shape
    assert "par type de séance" in found.title


@pytest.mark.parametrize("column", VOICES)
def test_no_two_voices_share_a_letter(column):
    letters = [letter for letter, _ in VOICES[column].signs.values()]
    assert set(VOICES[column].signs) == set(VOICES[column].labels)
    assert len(set(letters)) == len(letters)


QUADRANTS = pd.DataFrame(
    {
        "topic": "noise",
        "place": [2, 3, 4],
        "place_id": ["c2", "c3", "c4"],
        "felt": [-1.5, 1.0, -0.5],
        "n_people": [2, 6, 8],
        "measured": [40.0, 42.0, 65.0],
        "threshold": 55.0,
        "quadrant": ["felt_bad", "both_good", "both_bad"],
    }
)


def test_felt_against_measured_has_a_look_for_each_quadrant_and_the_contradictions_first():
    told = {"district": "Essai", "topic": "bruit", "evidence": "1 séance, 9 personnes, 9 observations"}
    found = maps.concordance_map(GROUND, places=WALK, table=QUADRANTS, floor_people=5, demo=True, **told)
    assert found.title == (
        "Essai, ressenti et mesure, bruit : 1 séance, 9 personnes, 9 observations (données de démonstration)"
    )
    few, firm = layer(found, "concordance_few"), layer(found, "concordance")
    assert few.frame["style"].tolist() == ["felt_bad-2"]
    assert few.styles["felt_bad-2"].letters == "2"
    assert firm.frame["id"].tolist() == ["c3", "c4"]
    assert firm.styles["felt_bad-"].hatch_m > 0  # a contradiction is hatched, whatever its colour
    assert firm.styles["both_bad-"].hatch_m == 0
    labels = [style.label for style in (*few.legend(), *firm.legend())]
    assert labels == [
        "Ressenti défavorable, mesure favorable",
        "Ressenti et mesure favorables",
        "Ressenti et mesure défavorables",
    ]
    assert found.table["Lieu"].tolist() == ["c2", "c3", "c4"]
    assert "Seuil de la mesure : 55,00" in found.description
    assert deck(found).layers
    nothing = maps.concordance_map(GROUND, places=WALK, table=QUADRANTS.head(0), floor_people=5, **told)
    assert nothing.nothing == "Personne n’a parlé de ce sujet : bruit."


def test_a_chosen_place_is_outlined_over_the_rest():
    found = maps.outlined(drawn(), WALK[WALK["place_id"] == "c3"])
    assert found.layers[-1].name == "felt_numbers"
    assert found.layers[-2].name == "chosen"
    assert not found.layers[-2].tooltip  # a click goes through it
    assert maps.outlined(drawn(), WALK.head(0)).layers[-2].name == "felt_few"


@pytest.mark.parametrize("name", ["candidates", "public"])
def test_the_tables_of_a_lower_edition_can_be_drawn(shipped, name):
    fields = ("sessions", "routes", "stages", "participants", "observations", "statements", "workshop_items")
    own = sensitive.of_district("QMI1-AUL", shipped)
    made = edition(name, tables={field: own[field] for field in fields})
    host = shipped["districts"].query("district_id == 'QMI1-AUL'")
    ground = sensitive.walk_ground(host, routes=own["routes"], cell_m=50)
    table = published_places(sensitive.felt(own["observations"], places=ground, routes=own["routes"]), floor_people=3)
    found = drawn(table, field=made.tables)
    names = {one.name for one in found.layers}
    assert {"silent", "felt", "routes", "favourable_place", "absences_areas"} <= names
    assert not names & {"collective", "collective_areas"}  # published without their place
    everything = deck(found).to_json() + found.table.to_csv() + found.unplaced.to_csv()
    secrets = {*own["observations"]["verbatim"].dropna(), *own["observations"]["observation_id"]}
    assert not [value for value in secrets if value in everything]


def test_what_groups_said_together_is_a_map_of_its_own(shipped):
    own = sensitive.of_district("QMI1-AUL", shipped)
    told = sensitive.collective_evidence(
        own["sessions"], statements=own["statements"], workshop_items=own["workshop_items"]
    )
    assert told == "2 séances, 22 participations, 15 éléments"
    found = maps.collective_map(GROUND, district="Aulnay", evidence=told, field=own)
    assert found.title == f"Aulnay, dit ou posé ensemble : {told} (données de démonstration)"
    assert len(found.table) == 15
    assert len(found.unplaced) == 3
    assert sum(len(one.frame) for one in found.layers) == 12


def test_places_in_degrees_are_refused():
    with pytest.raises(CrsError):
        drawn(WALK.to_crs(4326))


def test_nothing_to_show_is_a_sentence():
    assert drawn(WALK.head(0)).nothing.startswith("Aucun lieu à montrer")


def test_withheld_places_are_said_and_have_no_value():
    public = published_places(WALK, floor_people=3)
    found = drawn(public)
    assert layer(found, "silent").frame["style"].tolist() == ["silent", "withheld"]
    assert found.table["État"].tolist()[1] == "trop peu de personnes : non publié"
    assert found.table["Personnes"].tolist()[1] == "inconnu"


@pytest.mark.parametrize(
    ("value", "expected"), [(-2, 0), (-1.2, 0), (-1.19, 1), (-0.4, 2), (0.4, 2), (0.41, 3), (2, 4)]
)
def test_classes_are_the_same_on_both_sides_of_zero(value, expected):
    assert value_class(value) == expected
    assert value_class(-value) == 4 - expected


#: Colours as people with one missing kind of cone see them (Machado, Oliveira and Fernandes 2009, severity 1).
CONES = {
    "all": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(colour: str, cones) -> np.ndarray:
    """CIE L*a*b* (D65) of ``#rrggbb`` seen through `cones`."""
    part = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(cones) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    f = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", CONES)
def test_every_class_is_told_apart_by_all_eyes(eyes):
    seen = [lab(colour, CONES[eyes]) for colour in (*maps.district.VALENCES.values(), DIVIDED)]
    apart = [np.linalg.norm(one - other) for n, one in enumerate(seen) for other in seen[:n]]
    assert min(apart) > 15  # 2 is just noticed side by side, 10 at a glance


def test_the_shipped_walk_is_drawn_whole_and_nothing_private_leaves(shipped):
    own = sensitive.of_district("QMI1-AUL", shipped)
    host = shipped["districts"].query("district_id == 'QMI1-AUL'")
    ground = sensitive.walk_ground(host, routes=own["routes"], cell_m=50)
    table = sensitive.felt(own["observations"], places=ground, routes=own["routes"])
    below = maps.district_map(
        "QMI1-AUL", **{name: shipped[name] for name in ("districts", "communes", "barriers", "stations", "sites")}
    )
    told = sensitive.evidence(own["observations"])
    found = maps.sensitive_map(below, district="Aulnay", places=table, evidence=told, field=own)
    assert found.title == "Aulnay : 1 séance, 11 personnes, 92 observations (données de démonstration)"
    names = [layer.name for layer in found.layers]
    assert {"collective", "favourable_place", "project_type", "attention_point", "absences_areas"} <= set(names)
    assert len(found.unplaced) == 2
    n_drawn = sum(len(layer.frame) for layer in found.layers if layer.name in {"silent", "felt", "felt_few"})
    assert n_drawn == len(found.table) == int((table["state"] != "not_walked").sum())
    everything = deck(found).to_json() + found.table.to_csv() + found.description + found.unplaced.to_csv()
    for name in ("observations", "statements"):
        for column in private_columns(name):
            secrets = set(own[name][column].dropna().astype(str))
            assert not [value for value in secrets if value in everything]


@pytest.mark.parametrize(
    ("east", "area_m2"),
    [([X, X + 20, X + 40], 1_200.0), ([X, X + 10, X + 20], 800.0), ([X, X, X + 20], 800.0)],
    ids=["one grid", "overlapping", "twice the same"],
)
def test_ground_nobody_walked_is_one_shape_whatever_its_places(east, area_m2):
    west = np.array(east)
    whole = _joined(shapely.box(west, Y, west + 20, Y + 20))
    assert whole.geom_type == "Polygon"
    assert whole.area == area_m2
    assert whole.equals(shapely.box(X, Y, west.max() + 20, Y + 20))
