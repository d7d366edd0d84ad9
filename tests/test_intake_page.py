"""A call comes in through the page *Candidatures*: columns corrected, defects told, rows accepted."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi import rulebook
from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE
from geo_qmi.desk import deposits, eligibility, readings
from geo_qmi.errors import GeoQmiError, InputError
from geo_qmi.intake import take_in
from geo_qmi.intake.columns import recognise
from geo_qmi.sources.raw import RawTable

PAGE = Path(geo_qmi.dashboard.__file__).with_name("intake_page.py")
HEADER = "Clé interne du dépôt;Nom du projet;Texte du dossier;Surface demandée;Commentaire interne"
CALL = f"""{HEADER}
N-1;Ombrière;Une ombrière mobile pour les places sans arbre.;12;à revoir
N-2;<script>alert(1)</script> ![x](http://a.b/c.png);Des bacs à compost.;30 m²;
N-3;;Un banc.;5;
N-4;'=HYPERLINK("http://a.b");Un vélo cargo partagé.;8;
"""

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def opened_study(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)
    return study


def opened() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=120).run()


def brought(page: AppTest, name: str, content: bytes) -> AppTest:
    return page.file_uploader(key="candidatures-fichier-0").set_value([(name, content, "")]).run()


def said(page: AppTest) -> str:
    kinds = ("error", "warning", "success", "info")
    return "\n".join(element.value for kind in kinds for element in page.get(kind)).replace("\\", "")


def layers(content: bytes, name: str) -> list[RawTable]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return deposits.layers(path, name)


def raw(text: str, name: str = "appel.csv") -> RawTable:
    return layers(text.encode(), name)[0]


# One file, step by step ------------------------------------------------------------------------------------------


def test_columns_are_guessed_and_can_be_corrected(shipped):
    call = raw(CALL)
    guess = deposits.guessed(call, "applications")
    assert guess["Nom du projet"] == "name"
    assert guess["Surface demandée"] == "need_area_m2"
    assert guess["Clé interne du dépôt"] == guess["Texte du dossier"] == guess["Commentaire interne"] == ""
    assert deposits.held(call, "applications", known=shipped).n_ok == 0
    chosen = {**guess, "Clé interne du dépôt": "application_id", "Texte du dossier": "description"}
    took = deposits.held(call, "applications", chosen=chosen, known=shipped)
    assert took.accepted["application_id"].tolist() == ["N-1", "N-4"]
    assert took.quarantined.index.tolist() == [3, 4]
    rows = deposits.defect_rows(took.defects)
    assert rows.loc[rows["Gravité"] == "refus", ["Ligne", "Colonne"]].to_numpy().tolist() == [
        [3, "Surface demandée"],
        [4, "Nom du projet"],
    ]


def test_two_columns_of_one_meaning_are_refused(shipped):
    call = raw(CALL)
    with pytest.raises(
        InputError, match=r"« Commentaire interne » et « Nom du projet » sont toutes deux « Projet \* »"
    ):
        deposits.held(call, "applications", chosen={"Commentaire interne": "name"}, known=shipped)


def test_a_column_can_be_left_aside_or_said_to_be_a_place():
    cells = pd.DataFrame(
        {"id": ["a"], "QMI": ["q"], "nom": ["Cour"], "Est": ["650000"], "Nord": ["6860000"]}, index=[2]
    )
    layer = RawTable("lieux.csv", "lieux", cells, n_in=1)
    mapping = {"id": "place_id", "QMI": "district_id", "Est": "x_l93", "Nord": "y_l93"}
    took = take_in(layer, "candidate_places", mapping=mapping)
    assert took.accepted.geometry.iloc[0].coords[0] == (650000.0, 6860000.0)
    assert recognise(cells, "candidate_places", mapping={"Est": "", "nom": ""}).ignored == ["Est", "nom"]
    without = take_in(layer, "candidate_places", mapping={**mapping, "nom": ""})
    assert without.n_ok == 0
    assert "colonne obligatoire absente : « Lieu » (name)" in without.defects[0].reason


def test_what_the_user_says_of_a_place_wins_over_other_columns():
    cells = pd.DataFrame(
        {"id": ["a"], "q": ["q"], "nom": ["x"], "lon": ["2.5"], "lat": ["48.9"], "Texte": ["POINT (2.4 48.8)"]},
        index=[2],
    )
    mapping = {"id": "place_id", "q": "district_id", "Texte": "wkt"}
    took = take_in(RawTable("l.csv", "l", cells, n_in=1), "candidate_places", mapping=mapping, crs="EPSG:4326")
    east = took.accepted.to_crs("EPSG:4326").geometry.x.iloc[0]
    assert east == pytest.approx(2.4)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_refused_rows_come_back_with_their_reasons(shipped, suffix):
    call = raw(CALL)
    chosen = {**deposits.guessed(call, "applications"), "Clé interne du dépôt": "application_id"}
    chosen["Texte du dossier"] = "description"
    content = deposits.refused(deposits.held(call, "applications", chosen=chosen, known=shipped), suffix)
    back = layers(content, f"refus{suffix}")[0].frame
    assert back["Clé interne du dépôt"].tolist() == ["N-2", "N-3"]
    assert "valeur manquante" in back["motifs"].iloc[1]


def test_nothing_is_written_without_who_and_why(study, shipped):
    call = raw("id;nom;resume\nN-1;Ombrière;Une ombrière.\n")
    took = deposits.held(call, "applications", known=shipped)
    how = {"file": "a.csv", "update": False, "version": study.version("applications")}
    with pytest.raises(InputError, match="dites qui enregistre et pourquoi"):
        deposits.accept(study, took, reason=" ", actor="Nadia", **how)
    assert "1 ligne ajoutée" in deposits.accept(study, took, reason="appel", actor="Nadia", **how)
    last = study.journal().iloc[-1]
    assert (last["actor"], last["reason"]) == ("Nadia", "appel (import de « a.csv » : 1 ligne sur 1)")


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * 30_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("vide.csv", b"", "vide"),
        ("a.zip", bomb(), "limite"),
        ("a.xlsx", b"<html><body>Connexion</body></html>", "page web"),
        ("a.gpkg", b"SQLite format 3\0" + b"\0" * 200, "a.gpkg"),
    ],
)
def test_hostile_files_are_sentences(name, content, words):
    with pytest.raises(GeoQmiError, match=words):
        layers(content, name)


# The page --------------------------------------------------------------------------------------------------------


def test_a_call_enters_through_the_page(opened_study):
    page = brought(opened(), "appel.csv", CALL.encode())
    assert "4 lignes lues = 0 acceptée + 4 refusées" in said(page)
    lists = {box.label.replace("\\", ""): box for box in page.selectbox}
    lists["Clé interne du dépôt"].set_value("application_id")
    lists["Texte du dossier"].set_value("description")
    page.run()
    assert "4 lignes lues = 2 acceptées + 2 refusées" in said(page)
    page.text_input(key="candidatures-qui").set_value("Nadia")
    page.text_input(key="candidatures-pourquoi").set_value("Appel de juin")
    page.button(key="candidatures-enregistrer").click().run()
    assert not page.exception
    assert "2 lignes ajoutées et 0 mise à jour dans « Candidatures » ; 2 refusées" in said(page)
    names = opened_study.read("applications").set_index("application_id")["name"]
    assert names["N-4"] == '=HYPERLINK("http://a.b")'
    assert opened_study.journal().iloc[-1]["actor"] == "Nadia"
    assert not [element for element in page.markdown if "<script>" in element.value]


@pytest.mark.usefixtures("opened_study")
def test_coordinates_in_the_wrong_system_are_told_and_can_be_corrected():
    places = "place_id;district_id;nom;x;y\nL-1;QMI1-AUL;Cour;661000;6870000\n"
    page = brought(opened(), "lieux.csv", places.encode())
    assert [box.value for box in page.selectbox if box.label.startswith("Table de l’étude")] == ["candidate_places"]
    assert "1 ligne lue = 0 acceptée" in said(page)
    advice = [text for frame in page.dataframe if "À faire" in frame.value for text in frame.value["À faire"]]
    assert any(text.startswith("choisissez EPSG:2154 dans « Système de coordonnées »") for text in advice)
    next(box for box in page.selectbox if box.label == "Système de coordonnées").set_value("EPSG:2154").run()
    assert not page.exception
    assert "1 ligne lue = 1 acceptée" in said(page)


@pytest.mark.usefixtures("opened_study")
def test_a_hostile_file_is_a_sentence_on_the_page():
    page = brought(opened(), "<b>a</b>.csv", b"")
    assert not page.exception
    assert len(page.error) == 1
    assert "\\<b\\>a" in page.error[0].value


def test_a_study_for_reading_takes_nothing(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    page = brought(opened(), "a.csv", "id;nom;resume\nN-1;Ombrière;Une ombrière.\n".encode())
    assert not page.exception
    assert "1 ligne lue = 1 acceptée" in said(page)
    assert "lecture seule" in said(page)
    assert not [box for box in page.button if box.key == "candidatures-enregistrer"]


# Conditions ------------------------------------------------------------------------------------------------------


def test_each_condition_is_traced_with_its_value(shipped):
    one = shipped["applications"].head(1).assign(months=14.0, season="any", need_support="roof", need_area_m2=None)
    names = readings.district_names(shipped)
    trace = eligibility.trace(one, shipped, rules=rulebook.opened().rules, districts=names)
    ident = one["application_id"].iloc[0]
    rows = trace.detail(ident)
    assert len(rows) == 3 * len(names)
    aulnay = rows[rows["Quartier"] == names["QMI1-AUL"]].set_index("Condition")
    # A roof asks for its owner: signed = 0,5. The window holds 18 − 11 = 7 months of 14: half, the low anchor, worth 0.
    assert aulnay.loc["Autorité compétente", ["Verdict", "Valeur"]].tolist() == ["en partie", "0,5"]
    assert aulnay.loc["Temps restant pour mesurer", ["Verdict", "Valeur"]].tolist() == ["non remplie", "0"]
    assert "il manque 7 mois" in aulnay.loc["Temps restant pour mesurer", "Pourquoi"]
    overview = trace.overview().iloc[0]
    assert overview["Temps restant pour mesurer"] == "non remplie 10"
    assert (overview["Tout rempli"], overview["Possible"], overview["Quartiers"]) == (0, 0, 10)


def test_an_empty_cell_is_never_a_failure(shipped):
    one = shipped["applications"].head(1).assign(months=float("nan"), season=None)
    trace = eligibility.trace(one, shipped, rules=rulebook.opened().rules, districts=readings.district_names(shipped))
    assert trace.overview().iloc[0]["Temps restant pour mesurer"] == "inconnue 10"
