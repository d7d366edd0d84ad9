"""The pages *Carte sensible* and *Diagnostic*, walked without a browser."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE, fieldwork, measures
from geo_qmi.dashboard.fieldwork import Kept
from geo_qmi.errors import InputError
from geo_qmi.sources.raw import RawTable

SCRIPT = Path(geo_qmi.dashboard.__file__).with_name("app.py")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def opened(file: str) -> AppTest:
    found = AppTest.from_file(str(SCRIPT), default_timeout=120).run().switch_page(file).run()
    assert not found.exception
    return found


def said(page: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption", "info", "warning") for element in page.get(kind))


def look(page: AppTest, tabs: str, title: str) -> None:
    page.session_state[tabs] = title
    page.run()
    assert not page.exception


def cells(page: AppTest) -> str:
    return "\n".join(frame.value.to_csv() for frame in page.dataframe)


@pytest.fixture
def at_shipped(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)


@pytest.mark.usefixtures("at_shipped")
def test_filters_go_into_the_title_and_the_counts():
    page = opened("sensing.py")
    assert "1 séance, 11 personnes, 92 observations" in said(page)
    page.multiselect(key="sensible-themes-QMI1-AUL").set_value(["coupures"]).run()
    assert not page.exception
    assert "thème : Coupures et liaisons" in said(page).replace("\\", "")
    assert "92 observations" not in said(page)


@pytest.mark.usefixtures("at_shipped")
def test_place_then_observations_then_sessions_without_the_map():
    page = opened("sensing.py")
    places = page.selectbox(key="sensible-lieu")
    assert places.value is None
    assert places.options[0].endswith("7 personnes, valeur −0,3 (50mE663100N6870400)")  # the most spoken of
    page.selectbox(key="sensible-lieu").select_index(3).run()
    assert not page.exception
    layers = {layer["id"] for layer in json.loads(page.get("deck_gl_json_chart")[0].proto.json)["layers"]}
    assert "chosen-chosen" in layers
    observed = next(frame.value for frame in page.dataframe if "Grille de lecture" in frame.value)
    sessions = next(frame.value for frame in page.dataframe if "Participants" in frame.value)
    assert set(observed["Séance"]) == set(sessions["Séance"])


@pytest.mark.usefixtures("at_shipped")
def test_objects_of_one_name_are_told_apart_in_the_list():
    # A browser sends back the words chosen: of two objects « 2 personnes » only the first could be had.
    offered = next(box for box in opened("sensing.py").selectbox if box.label == "Un objet de la carte").options
    assert len(offered) > 40
    assert len(set(offered)) == len(offered)


@pytest.mark.usefixtures("at_shipped")
def test_exact_words_are_shown_only_on_demand_and_with_a_caution(shipped):
    words = shipped["observations"]["verbatim"].dropna()
    page = opened("sensing.py")
    look(page, "sensible-onglet", "Désaccords et absences")
    assert not [text for text in words if text in cells(page)]
    page.toggle(key="sensible-mots").set_value(True).run()
    assert "Mots exacts affichés" in said(page)
    assert [text for text in words if text in cells(page)]
    assert "Dit en bien" in cells(page)


def test_exact_words_of_real_people_stay_in_a_study_opened_for_reading(study, monkeypatch):
    seen = study.read("observations")
    study.upsert("observations", seen.head(5).assign(demo=False), reason="essai")
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    page = opened("sensing.py")
    assert not page.toggle
    assert "non montrés dans une étude ouverte en lecture seule" in said(page)
    monkeypatch.delenv(READ_ONLY_VARIABLE)
    assert opened("sensing.py").toggle(key="sensible-mots").value is False


@pytest.mark.usefixtures("at_shipped")
def test_every_view_is_drawn_and_says_how_it_was_made():
    page = opened("sensing.py")
    starts = {"groups": "voices_resident-", "events": "voices_interview-", "value": "surface_value-",
              "evidence": "surface_evidence-", "interval": "interval-", "spots": "spots-"}  # fmt: skip
    for view, start in starts.items():
        page.segmented_control(key="sensible-vue").set_value(view).run()
        assert not page.exception
        layers = {layer["id"] for layer in json.loads(page.get("deck_gl_json_chart")[0].proto.json)["layers"]}
        assert any(name.startswith(start) for name in layers)
        assert fieldwork.METHODS[view] in said(page)


@pytest.mark.usefixtures("at_shipped")
def test_individual_and_collective_are_two_maps_side_by_side():
    page = opened("sensing.py")
    assert len(page.get("deck_gl_json_chart")) == 1
    look(page, "sensible-onglet", "Individuel et collectif")
    assert len(page.get("deck_gl_json_chart")) == 2  # the map of the tab that is closed is not made
    titles = said(page).replace("\\", "")
    assert "ressenti par chacun : 1 séance, 11 personnes, 92 observations" in titles
    assert "dit ou posé ensemble : 2 séances, 22 participations, 15 éléments" in titles


@pytest.mark.usefixtures("at_shipped")
def test_a_place_stays_chosen_while_another_tab_is_read():
    page = opened("sensing.py")
    page.selectbox(key="sensible-lieu").select_index(3).run()
    chosen = page.selectbox(key="sensible-lieu").value
    look(page, "sensible-onglet", "Désaccords et absences")
    assert not page.get("deck_gl_json_chart")
    look(page, "sensible-onglet", "Carte et lieux")
    assert page.selectbox(key="sensible-lieu").value == chosen


def test_the_map_opens_on_the_whole_perimeter_and_on_all_that_was_walked(shipped):
    found = fieldwork.fieldwork(shipped, "QMI1-AUL", kept=Kept(), cell_m=50)
    perimeter = shipped["districts"].set_index("district_id").geometry["QMI1-AUL"]
    walked = found.places[found.places["state"] != "not_walked"]
    for drawn in (
        fieldwork.drawn(shipped, "QMI1-AUL", found, kept=Kept()),
        *fieldwork.together(fieldwork.ground_of(shipped, "QMI1-AUL"), found),
    ):
        framed = shapely.box(*drawn.extent_m)
        assert framed.covers(perimeter)
        assert framed.covers(shapely.box(*walked.total_bounds))


def test_a_click_means_a_place_an_absence_or_what_covers_it(shipped):
    found = fieldwork.fieldwork(shipped, "QMI1-AUL", kept=Kept(), cell_m=50)
    drawn = fieldwork.drawn(shipped, "QMI1-AUL", found, kept=Kept())
    place = next(iter(fieldwork.spoken_places(found)))
    assert fieldwork.picked(found, drawn, layer="felt", ident=place) == place
    absence = next(layer for layer in drawn.layers if layer.name == "absences_areas").frame["id"].iloc[0]
    assert fieldwork.picked(found, drawn, layer="absences_areas", ident=absence) == absence
    assert fieldwork.said_at(found, absence)["observation_id"].tolist() == [absence]
    stops = found.own["stages"]
    inside = found.places[found.places["place_id"] == place].geometry.iloc[0]
    over = stops[stops.geometry.within(inside)]
    meant = {fieldwork.picked(found, drawn, layer="stages", ident=stop) for stop in over["stage_id"]}
    assert meant == {place}
    assert fieldwork.picked(found, drawn, layer="districts_known", ident="QMI1-AUL") == ""
    assert fieldwork.picked(found, drawn, layer="routes", ident=found.own["routes"]["route_id"].iloc[0]) == ""


@pytest.mark.usefixtures("at_shipped")
def test_a_district_nobody_walked_is_a_sentence():
    page = opened("sensing.py")
    page.selectbox(key="quartier").set_value("QMI2-SUC").run()
    assert not page.exception
    assert "Aucune séance de terrain" in said(page)


@pytest.mark.usefixtures("at_shipped")
def test_a_measured_layer_gives_quadrants_and_discordant_places(shipped):
    page = opened("sensing.py")
    look(page, "sensible-onglet", "Ressenti et mesure")
    counts = next(frame.value for frame in page.dataframe if "Sujet" in frame.value)
    assert list(counts.columns) == ["Sujet", "non fourni"]
    placed = shipped["observations"].dropna(subset=["geometry"])
    shapes = placed.geometry.centroid.set_crs(2154, allow_override=True)
    layer = gpd.GeoDataFrame({"db": np.arange(len(placed)) % 40 + 40.0}, geometry=shapes).to_crs(4326)
    page.get("file_uploader")[0].upload("bruit.geojson", layer.to_json(drop_id=True).encode())
    page.run()
    assert not page.exception
    assert not page.error
    page.selectbox(key="sensible-sujet").set_value("noise").run()
    counts = next(frame.value for frame in page.dataframe if "Sujet" in frame.value).set_index("Sujet")
    assert counts.loc["Bruit", "non fourni"] == 0
    assert counts.loc["Chaleur", "non fourni"] > 0
    apart = next(frame.value for frame in page.dataframe if "Écart" in frame.value)
    assert set(apart["Sujet"]) == {"bruit"}
    charts = [chart for chart in page.get("deck_gl_json_chart") if "concordance" in chart.proto.json]
    assert len(charts) == 1
    assert "ressenti et mesure, bruit : 1 séance, 6 personnes, 10 observations" in said(page).replace("\\", "")


def test_a_measured_layer_without_place_or_system_is_refused():
    frame = pd.DataFrame({"db": ["50"]})
    with pytest.raises(InputError, match="aucun lieu"):
        measures.measured_layer(RawTable("a.csv", "a", frame))
    far = np.array([shapely.Point(-9e9, 9e9)], dtype=object)
    with pytest.raises(InputError, match="système de coordonnées"):
        measures.measured_layer(RawTable("a.csv", "a", frame, geometry=far))
    near = np.array([shapely.Point(652_000, 6_862_000)], dtype=object)
    assert measures.measured_layer(RawTable("a.csv", "a", frame, geometry=near)).crs.to_epsg() == 2154


def test_each_choice_keeps_what_it_names(shipped):
    seen = shipped["observations"][shipped["observations"]["session_id"].str.contains("AUL")]
    for sign, wanted in {"bad": (seen["valence"] < 0), "none": seen["valence"].isna()}.items():
        kept = Kept(signs=(sign,))
        found = fieldwork.fieldwork(shipped, "QMI1-AUL", kept=kept, cell_m=50)
        assert len(found.own["observations"]) == int(wanted.fillna(value=False).sum())
    young = fieldwork.fieldwork(shipped, "QMI1-AUL", kept=Kept(groups=("young",)), cell_m=50)
    group = shipped["participants"].set_index("participant_id")["actor_group"]
    assert len(young.own["observations"]) == int(seen["participant_id"].map(group).eq("young").sum())
    assert Kept(groups=("young",), signs=("bad",)).words() == "groupe : jeunes ; ressenti : négatif"


@pytest.mark.usefixtures("at_shipped")
def test_the_sheet_has_every_section_and_no_exact_words(shipped):
    page = opened("diagnosis.py")
    for title in ("Ce qui a été recueilli", "Ce qui manque, selon les marches", "Ce que cette fiche ne sait pas"):
        assert title in said(page)
    words = [*shipped["observations"]["verbatim"].dropna(), *shipped["statements"]["statement"]]
    assert not [text for text in words if text in cells(page)]
    look(page, "diagnostic-onglet", "Comparer les quartiers")
    compared = next(frame.value for frame in page.dataframe if "Indicateur" in frame.value)
    assert len(compared.columns) == 5  # four districts were walked
    page.toggle(key="diagnostic-parcourus").set_value(False).run()
    compared = next(frame.value for frame in page.dataframe if "Indicateur" in frame.value)
    assert len(compared.columns) == 11


@pytest.mark.usefixtures("at_shipped")
def test_needs_of_the_field_are_off_until_somebody_counts_them():
    page = opened("diagnosis.py")
    look(page, "diagnostic-onglet", "Besoins du terrain")
    needs = next(frame.value for frame in page.dataframe if "Objectifs" in frame.value)
    assert "Terrain (marches et ateliers)" not in needs
    page.toggle(key="diagnostic-terrain").set_value(True).run()
    assert not page.exception
    needs = next(frame.value for frame in page.dataframe if "Objectifs" in frame.value)
    assert needs["Terrain (marches et ateliers)"].sum() == pytest.approx(1, abs=0.01)
    scores = next(frame.value for frame in page.dataframe if "Écart" in frame.value)
    gap = scores["Score, terrain compté"] - scores["Score, documents seuls"]
    assert (gap - scores["Écart"]).abs().max() < 0.002
