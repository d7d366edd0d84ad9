"""The pages walked without a browser, with the shipped study, an empty one, and a hostile one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import geo_qmi
from geo_qmi import matching, rulebook, schema
from geo_qmi.dashboard import PAGES, READ_ONLY_VARIABLE, STUDY_VARIABLE, command, comparison
from geo_qmi.dashboard.comparison import Candidates, compare, gathered
from geo_qmi.dashboard.markup import literal
from geo_qmi.desk import readings
from geo_qmi.workspace import Study

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "geo_qmi" / "dashboard" / "app.py"
FILES = [file for file, *_ in PAGES]
#: Pages that open without a map: those of *Sites et couverture* are drawn when somebody opens their tab.
WITHOUT_MAP = {
    "home.py",
    "intake_page.py",
    "evaluating.py",
    "covering.py",
    "publication.py",
    "records.py",
    "origins.py",
}
DISTRICTS = ["QMI1-AUL", "QMI1-MEU", "QMI1-NOI", "QMI1-SCE"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def opened(file: str) -> AppTest:
    app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
    return app if file == FILES[0] else app.switch_page(file).run()


def said(app: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption", "info", "warning") for element in app.get(kind))


def chart(app: AppTest) -> dict:
    return json.loads(app.get("deck_gl_json_chart")[0].proto.json)


@pytest.fixture
def at_shipped(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.usefixtures("at_shipped")
def test_each_page_opens_on_the_shipped_study(file):
    app = opened(file)
    assert not app.exception
    assert not app.error
    assert "geo-qmi init etude.gpkg" in said(app)
    if file in WITHOUT_MAP:
        assert not app.get("deck_gl_json_chart")
        return
    assert chart(app)["layers"]
    assert chart(app)["mapStyle"].startswith("data:")


@pytest.mark.usefixtures("at_shipped")
def test_programme_filters_by_edition_and_section():
    app = opened("programme.py")
    assert "191 projets du fonds par commune et 10 quartiers" in said(app)
    assert [metric.value for metric in app.metric] == ["23 → 6 → 4", "168 → 30 → 28"]
    app.segmented_control(key="programme-edition").set_value("2").run()
    assert "6 quartiers" in said(app)
    app.selectbox(key="programme-section").set_value("Logistique du dernier kilomètre").run()
    assert not app.exception
    assert "section « Logistique du dernier kilomètre »" in said(app)


@pytest.mark.usefixtures("at_shipped")
def test_every_district_has_a_page():
    app = opened("district.py")
    for ident in app.selectbox(key="quartier").options:
        app.selectbox(key="quartier").set_value(_ident(ident)).run()
        assert not app.exception
        assert not app.error
    app.session_state["quartier-onglet"] = "Besoins et contexte"
    app.selectbox(key="quartier").set_value("QMI1-AUL").run()
    assert "inconnu \\: le document imprime par erreur" in said(app)
    app.selectbox(key="quartier").set_value("QMI2-SUC").run()
    assert "Périmètre non publié" in said(app)


def _ident(title: str) -> str:
    names = readings.district_names(geo_qmi.shipped_tables())
    return next(ident for ident, name in names.items() if name == title)


@pytest.mark.usefixtures("at_shipped")
def test_layers_can_be_hidden():
    app = opened("district.py")
    before = {layer["id"] for layer in chart(app)["layers"]}
    app.checkbox(key="carte-QMI1-AUL-stations").uncheck().run()
    after = {layer["id"] for layer in chart(app)["layers"]}
    assert before - after == {"stations-points"}


@pytest.mark.usefixtures("at_shipped")
def test_pairing_of_real_and_demonstration_candidates():
    app = opened("pairing.py")
    assert app.success[0].value.startswith("28 projets dans le plan, 0 hors du plan")
    app.session_state["appariement-onglets"] = "Vérification"
    app.run()
    assert app.metric[0].value.endswith("/28")
    app.session_state["appariement-onglets"] = "Plan"
    app.radio(key="appariement-candidats").set_value("Candidatures de l’étude").run()
    assert not app.exception
    assert app.success[0].value.startswith("32 candidatures dans le plan, 136 hors du plan")
    assert "données de démonstration" in said(app)


@pytest.mark.usefixtures("at_shipped")
def test_impossible_quotas_are_a_sentence_with_both_totals():
    app = opened("pairing.py")
    app.number_input(key="appariement-maximum").set_value(20)
    app.number_input(key="appariement-minimum").set_value(10).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "28" in app.error[0].value
    assert "40" in app.error[0].value
    assert not app.success


@pytest.mark.usefixtures("at_shipped")
def test_crossed_quotas_are_refused():
    app = opened("pairing.py")
    app.number_input(key="appariement-minimum").set_value(9).run()
    assert app.error[0].value == "Le minimum (9) dépasse le maximum (8) : baissez l’un ou montez l’autre."


@pytest.mark.parametrize("file", FILES)
def test_an_empty_study_is_a_sentence(file, tmp_path, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(Study.create(tmp_path / "vide.gpkg", {}).path))
    app = opened(file)
    assert not app.exception
    assert not app.error
    assert len(app.info) == 1
    assert not app.get("deck_gl_json_chart")


@pytest.mark.parametrize("file", FILES)
def test_a_missing_study_is_a_sentence(file, tmp_path, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(tmp_path / "absente.gpkg"))
    app = opened(file)
    assert not app.exception
    assert "introuvable" in app.error[0].value


@pytest.mark.parametrize("file", FILES)
def test_one_district_is_enough(file, tmp_path, shipped, monkeypatch):
    kept = {name: shipped[name] for name in ("territories", "communes", "lexicon")}
    kept["districts"] = shipped["districts"].query("district_id == 'QMI2-SUC'")
    monkeypatch.setenv(STUDY_VARIABLE, str(Study.create(tmp_path / "un.gpkg", kept).path))
    app = opened(file)
    assert not app.exception
    assert not app.error


def test_hostile_names_are_shown_as_text(tmp_path, shipped, monkeypatch):
    hostile = "![x](http://ailleurs.example/i.png)<script>alert(1)</script>"
    tables = dict(shipped)
    tables["districts"] = shipped["districts"].assign(
        name=shipped["districts"]["name"].mask(shipped["districts"]["district_id"] == "QMI1-AUL", hostile)
    )
    monkeypatch.setenv(STUDY_VARIABLE, str(Study.create(tmp_path / "hostile.gpkg", tables).path))
    app = opened("district.py")
    app.selectbox(key="quartier").set_value("QMI1-AUL").run()
    assert not app.exception
    assert literal(hostile) in said(app)
    assert "![x](" not in said(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))


def test_a_page_sees_what_somebody_else_wrote(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    app = opened("programme.py")
    projects = study.read("fund_projects")
    study.delete("fund_projects", projects.query("insee == '92063'")[["fund_id"]], reason="test")
    app.run()
    assert "179 projets du fonds" in said(app)


def test_command_serves_this_study_on_this_machine(tmp_path):
    arguments, environment = command(tmp_path / "e.gpkg", port=8600, read_only=True)
    assert arguments[1:4] == ["-m", "streamlit", "run"]
    assert Path(arguments[4]) == SCRIPT
    assert arguments[-2:] == ["--server.port", "8600"]
    assert environment[STUDY_VARIABLE] == str(tmp_path / "e.gpkg")
    assert environment[READ_ONLY_VARIABLE] == "1"


def test_settings_are_the_same_in_the_checkout_and_in_the_package():
    inside = (SCRIPT.parent / ".streamlit" / "config.toml").read_bytes()
    assert (ROOT / ".streamlit" / "config.toml").read_bytes() == inside
    settings = tomllib.loads(inside.decode())
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["client"]["showErrorDetails"] == "none"


@pytest.fixture(scope="module")
def compared(shipped):
    candidates = Candidates(
        rows=shipped["projects"],
        noun="projet",
        hosts=shipped["projects"][["project_id", "district_id"]],
        tags=shipped["project_tags"],
    )
    return candidates, compare(gathered(candidates, shipped, district_ids=DISTRICTS, book=rulebook.opened()))


def test_parts_add_up_to_the_score(compared):
    candidates, found = compared
    project, district = found.plan.iloc[0][["project_id", "district_id"]]
    total = comparison.parts(found, project, district)["Apport au score"].sum()
    assert total == pytest.approx(found.match.scores.loc[project, district])
    assert project in candidates.names()


def test_texts_read_before_give_the_same_matching(compared, shipped):
    candidates, found = compared
    texts = matching.read_texts(candidates.rows, shipped, districts=DISTRICTS, tags=candidates.tags)
    again = compare(gathered(candidates, shipped, district_ids=DISTRICTS, book=rulebook.opened()), texts=texts)
    pd.testing.assert_frame_equal(again.match.scores, found.match.scores)
    pd.testing.assert_frame_equal(again.match.explanations, found.match.explanations)


def test_each_district_is_chosen_or_has_a_reason(compared, shipped):
    _, found = compared
    names = readings.district_names(shipped)
    for project in found.match.scores.index:
        rows = comparison.verdicts(found, project, names)
        assert (rows["Pourquoi"] == "retenu par le plan").sum() == 1
        assert rows["Pourquoi"].str.len().min() > 0


def test_without_plan_the_scores_remain(compared, shipped):
    candidates, found = compared
    book = rulebook.opened(values={"quotas.low": 10, "quotas.high": 20})
    refused = compare(gathered(candidates, shipped, district_ids=DISTRICTS, book=book))
    assert refused.refusal
    assert refused.plan.empty
    pd.testing.assert_frame_equal(refused.match.scores, found.match.scores)
    assert comparison.plan_rows(refused, candidates, readings.district_names(shipped)).empty


def test_rates_are_given_over_their_denominator(shipped):
    rates = readings.rates(shipped).set_index("Mesure")["Valeur"]
    assert rates["Compté : déployées publiées / projets nommés"] == "18/28"
    assert rates["Compté : déployées publiées / projets retenus"] == "18/30"
    assert rates["Compté : « déployé » selon le document 001"] == "17/28"
    assert rates["Publié : Taux de déploiement global des projets"] == "70 %"


def test_private_columns_are_not_shown(shipped):
    shown = readings.labelled(shipped["applications"], "applications")
    titles = {str(spec.title) for spec in schema.columns("applications").values() if spec.metadata["private"]}
    assert titles
    assert not titles & set(shown.columns)


@pytest.mark.usefixtures("at_shipped")
def test_an_uploaded_file_is_sorted_into_sound_and_refused_rows():
    content = "Dossier;Nom;Résumé\nA1;Ombrière;Ombrières contre la chaleur\nA2;;sans nom\nA3;Étal;Commerce local\n"
    app = opened("pairing.py")
    app.radio(key="appariement-candidats").set_value("Mon fichier").run()
    assert "Aucun candidat à comparer" in app.info[0].value
    app.get("file_uploader")[0].upload("appel.csv", content.encode("cp1252"))
    app.number_input(key="appariement-minimum").set_value(0).run()
    assert not app.exception
    assert "**3 lignes lues** : 2 acceptées, 1 mise de côté." in said(app)
    assert app.success[0].value.startswith("2 candidatures dans le plan, 0 hors du plan")
    defects = next(frame.value for frame in app.dataframe if "Motif" in frame.value)
    errors = defects[defects["Gravité"] == "erreur"]
    assert errors[["Ligne", "Colonne"]].to_numpy().tolist() == [[3, "Nom"]]
