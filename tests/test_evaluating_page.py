"""The page of evaluation says what is known, writes what is typed, and shows nothing it was not given."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi import schema
from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE, trials
from geo_qmi.errors import InputError
from geo_qmi.workspace import Study

SCRIPT = Path(geo_qmi.dashboard.__file__).with_name("app.py")
DISTRICT, ELSEWHERE = "QMI1-NOI", "QMI1-SCE"
OWN = ("protocols", "protocol_indicators", "measures", "replicability_marks", "indicators")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def row(name: str, **cells: object) -> dict[str, object]:
    return {**cells, "demo": True, "source": "test"} if "demo" in schema.columns(name) else {**cells, "source": "test"}


def indicator(ident: str, **cells: object) -> dict[str, object]:
    about = {
        "indicator_id": ident, "label": f"Indicateur {ident}", "definition": "Ce qui est compté", "unit": "°C",
        "direction": "lower", "level": "ville", "family": "environmental", "method": "relevé", "frequency": "une fois",
        "collector": "ville", "cost": "faible", "citykeys": "planet",
    }  # fmt: skip
    return row("indicators", **about | cells)


def tables_of(shipped: dict[str, pd.DataFrame], project: str) -> dict[str, pd.DataFrame]:
    """Return a study whose only test is one project: a protocol, two indicators, two measures, four marks."""
    rows = {
        "indicators": [
            indicator("I1", label="Chaleur ressentie"),
            indicator("I2", label="Passages", unit="personnes", direction="higher", level="usager", family="social"),
            indicator("I3", label="Factures", family="economic"),
        ],
        "protocols": [
            row(
                "protocols", protocol_id="P1", project_id=project, district_id=DISTRICT,
                hypothesis="L’ombre rafraîchit la place.", registered_on="2022-01-10", starts_on="2022-02-01",
                ends_on="2023-07-31", deployed_on="2022-03-01", comparison="Place voisine", next_step="copy",
                learning="Arroser le soir.",
            )
        ],
        "protocol_indicators": [
            row(
                "protocol_indicators", protocol_id="P1", indicator_id="I1", baseline=38, baseline_on="2022-01-20",
                comparison_baseline=37, threshold=36, threshold_kind="value", threshold_on="2022-01-10",
            ),
            row("protocol_indicators", protocol_id="P1", indicator_id="I2"),
        ],
        "measures": [
            row(
                "measures", measure_id="M1", protocol_id="P1", indicator_id="I1", measured_on="2023-01-20", side="test",
                value=35, n=12,
            ),
            row(
                "measures", measure_id="M2", protocol_id="P1", indicator_id="I1", measured_on="2023-01-20",
                side="comparison", value=37, n=12,
            ),
        ],
        "replicability_marks": [
            row(
                "replicability_marks", mark_id=f"N{place}", project_id=project, district_id=DISTRICT,
                criterion_id=criterion, rater=rater, marked_on="2023-02-01", level=level,
            )
            for place, (criterion, rater, level) in enumerate(
                [("C1", "Évaluatrice secrète", 2), ("C1", "B", 3), ("C2", "B", 0), ("C4", "B", 3), ("C5", "B", 1)]
            )
        ],
    }  # fmt: skip
    made = {name: schema.typed(pd.DataFrame(rows[name]), name) for name in OWN}
    return {name: frame for name, frame in shipped.items() if name not in OWN} | made


@pytest.fixture(scope="module")
def project(shipped) -> str:
    return str(shipped["projects"].query("district_id == @DISTRICT")["project_id"].iloc[0])


@pytest.fixture(scope="module")
def template(shipped, project, tmp_path_factory) -> Path:
    """Return a study to read; who writes copies it."""
    path = tmp_path_factory.mktemp("essai") / "essai.gpkg"
    return Study.create(path, tables_of(shipped, project)).path


@pytest.fixture
def read(template, monkeypatch) -> None:
    monkeypatch.setenv(STUDY_VARIABLE, str(template))
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)


@pytest.fixture
def tried(template, tmp_path, monkeypatch) -> Study:
    made = Study(Study(template).backup(tmp_path / "essai.gpkg"))
    monkeypatch.setenv(STUDY_VARIABLE, str(made.path))
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)
    return made


def opened(tab: str = "Profil", **address: str) -> AppTest:
    app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
    for name, value in ({"evaluation-onglet": tab} | address).items():
        app.query_params[name] = value
    app = app.switch_page("evaluating.py").run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning", "success", "error")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind)).replace("\\", "")


def pictures(app: AppTest) -> list[str]:
    return [image.alt for element in app.get("image") for image in element.proto.imgs]


def field(app: AppTest, kind: str, name: str, turn: int = 0):
    return getattr(app, kind)(key=f"evaluation-{name}-{turn}")


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


@pytest.mark.usefixtures("read")
def test_the_page_opens_on_the_test_and_draws_its_profile():
    app = opened()
    assert app.selectbox(key="quartier").value == DISTRICT
    (told,) = pictures(app)
    assert "données de démonstration" in told
    assert "4 critères évalués sur 5" in told
    assert "Expérimentation déployée : 2 sur 3, « Test lancé » ; 2 évaluateurs, notes de 2 à 3." in told
    assert "Traction commerciale : 0 sur 3, « Non »" in told
    assert "Potentiel d’industrialisation : non évalué" in told
    assert "Évaluatrice secrète" not in said(app) + told


@pytest.mark.usefixtures("read")
def test_the_protocol_and_its_results_are_told():
    app = opened("Protocole et résultats")
    (told,) = pictures(app)
    assert "Chaleur ressentie : 38 °C puis 35 °C, seuil 36 °C, lieu de comparaison 37 °C puis 37 °C." in told
    assert "Passages : pas d’état initial puis pas de mesure." in told
    assert "1 indicateur mesuré sur 2" in said(app)
    assert "Suite : essaimer ailleurs. Enseignement : Arroser le soir." in said(app)


@pytest.mark.usefixtures("read")
def test_the_library_is_filtered_and_the_filter_stands_in_the_address():
    app = opened("Bibliothèque d’indicateurs")
    assert "3 indicateurs sur 3." in said(app)
    app.multiselect(key="evaluation-famille").set_value(["social", "economic"]).run()
    assert "2 indicateurs sur 3." in said(app)
    app.text_input(key="evaluation-mots").set_value("PASSAGES").run()
    assert "1 indicateur sur 3." in said(app)
    linked = opened("Bibliothèque d’indicateurs", **{"evaluation-echelle": "usager"})
    assert "1 indicateur sur 3." in said(linked)


@pytest.mark.usefixtures("read")
def test_other_districts_are_ranked_or_said_to_be_beyond():
    app = opened("Et ailleurs ?")
    frames = [frame.value for frame in app.dataframe]
    near = next(frame for frame in frames if "Rang" in frame)
    weights = next(frame for frame in frames if "Quartier comparé" in frame)
    assert near["Rang"].tolist() == list(range(1, len(near) + 1))
    assert near["Distance"].is_monotonic_increasing
    assert "Noisy-le-Grand – Le Mont d’Est" not in set(near["Quartier"])  # the place of the test itself
    assert weights["Quartier du test"].notna().all()
    assert "Hors du domaine observé" in said(app)
    assert "aucun effet n’est prédit" in said(app)


@pytest.mark.usefixtures("read")
def test_a_district_without_test_says_what_to_do():
    app = opened(quartier=ELSEWHERE)
    assert "Aucun test évalué dans ce quartier" in said(app)
    assert next(link.proto.label for link in app.get("page_link")).startswith("Voir un test")
    assert not pictures(app)


def test_somebody_marks_and_the_journal_knows(tried):
    app = opened()
    press(app, "Enregistrer ces notes")
    assert "Aucune note à enregistrer" in app.error[0].value
    assert len(tried.read("replicability_marks")) == 5
    field(app, "selectbox", "note-C3").set_value(1)
    field(app, "text_input", "note-qui").set_value("Camille")
    field(app, "text_input", "note-jour").set_value("2023-03-04")
    press(app, "Enregistrer ces notes")
    assert not app.error
    last = tried.read("replicability_marks").iloc[-1]
    assert (last["criterion_id"], last["level"], last["rater"], last["marked_on"]) == ("C3", 1, "Camille", "2023-03-04")
    assert bool(last["demo"])  # a mark on a made-up test is made up
    assert tried.journal().iloc[-1]["actor"] == "Camille"
    assert "5 critères évalués sur 5" in pictures(app)[0]
    assert field(app, "text_input", "note-qui", turn=1).value == "Camille"


def test_a_mark_without_a_name_is_refused(tried):
    app = opened()
    field(app, "selectbox", "note-C3").set_value(0)
    press(app, "Enregistrer ces notes")
    assert "dites qui enregistre" in app.error[0].value
    assert len(tried.read("replicability_marks")) == 5


def test_a_measure_is_added_and_a_missing_one_says_why(tried):
    app = opened("Protocole et résultats")
    field(app, "selectbox", "mesure").set_value("I2")
    field(app, "text_input", "measured_on").set_value("2023-01-21")
    field(app, "text_input", "mesure-qui").set_value("Camille")
    press(app, "Enregistrer cette mesure")
    assert "Mesure sans valeur" in app.error[0].value
    field(app, "number_input", "value").set_value(0.0)  # nobody came: a value
    press(app, "Enregistrer cette mesure")
    assert not app.error
    last = tried.read("measures").iloc[-1]
    assert (last["indicator_id"], last["value"], last["side"]) == ("I2", 0.0, "test")
    assert "Passages : pas d’état initial puis 0 personnes." in pictures(app)[0]


def test_a_wrong_date_is_refused_in_french(tried):
    app = opened("Protocole et résultats")
    field(app, "number_input", "value").set_value(3.0)
    field(app, "text_input", "measured_on").set_value("hier")
    field(app, "text_input", "mesure-qui").set_value("Camille")
    press(app, "Enregistrer cette mesure")
    assert "Mesuré le : attendu : une date" in said(app)
    assert len(tried.read("measures")) == 2


def test_an_indicator_enters_the_protocol_with_its_threshold(tried):
    app = opened("Bibliothèque d’indicateurs")
    assert field(app, "selectbox", "choix").options == ["Factures"]  # the others are in already
    field(app, "number_input", "threshold").set_value(-5.0)
    field(app, "text_input", "choix-qui").set_value("Camille")
    press(app, "Ajouter cet indicateur")
    assert "Un seuil se donne avec sa nature" in app.error[0].value
    field(app, "selectbox", "threshold_kind").set_value("change")
    press(app, "Ajouter cet indicateur")
    assert not app.error
    last = tried.read("protocol_indicators").iloc[-1]
    assert (last["indicator_id"], last["threshold"], last["threshold_kind"]) == ("I3", -5.0, "change")
    assert pd.isna(last["baseline"])


def test_the_follow_up_is_decided_and_a_later_writer_is_told(tried):
    app = opened("Protocole et résultats")
    field(app, "selectbox", "suite-P1").set_value("stop")
    field(app, "text_area", "enseignement-P1").set_value("Trop cher à arroser.")
    field(app, "text_input", "suite-qui").set_value("Camille")
    press(app, "Enregistrer la suite")
    assert not app.error
    assert "Suite : arrêter. Enseignement : Trop cher à arroser." in said(app)
    known = tried.read("protocols")
    tried.upsert("protocols", known.assign(learning="Écrit ailleurs."), reason="autre poste", actor="Dominique")
    field(app, "selectbox", "suite-P1", turn=1).set_value("fund")
    press(app, "Enregistrer la suite")
    assert app.error
    assert tried.read("protocols")["learning"].tolist() == ["Écrit ailleurs."]


def test_a_protocol_is_written_where_there_is_none(tried, shipped):
    app = opened(quartier=ELSEWHERE)
    mine = str(shipped["projects"].query("district_id == @ELSEWHERE")["project_id"].iloc[0])
    field(app, "text_input", "protocole-qui").set_value("Camille")
    press(app, "Enregistrer ce protocole")
    assert "Protocole sans projet" in app.error[0].value
    field(app, "selectbox", "projet").set_value(mine)
    press(app, "Enregistrer ce protocole")
    assert "Protocole sans hypothèse" in app.error[0].value
    field(app, "text_area", "hypothesis").set_value("On s’assoit plus longtemps.")
    press(app, "Enregistrer ce protocole")
    assert not app.error
    last = tried.read("protocols").set_index("project_id").loc[mine]
    assert last["hypothesis"] == "On s’assoit plus longtemps."
    assert not last["demo"]  # a real project: nothing made up is written
    assert "aucun des 5 critères n’est évalué" in said(app)


def test_marks_without_a_protocol_ask_for_one(tried, project):
    for name in ("measures", "protocol_indicators", "protocols"):
        tried.replace(name, tried.read(name).head(0), expected_version=tried.version(name), reason="test")
    app = opened("Protocole et résultats", quartier=DISTRICT)
    assert "Aucun protocole pour ce test" in said(app)
    assert "noté sans protocole" in app.warning[0].value
    assert field(app, "selectbox", "projet").value == project
    assert not pictures(app)


@pytest.mark.usefixtures("read")
def test_read_only_offers_no_form(monkeypatch):
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    for tab in ("Profil", "Protocole et résultats", "Bibliothèque d’indicateurs"):
        assert not [button for button in opened(tab).button if button.label.startswith(("Enregistrer", "Ajouter"))]
    assert "lecture seule" in said(opened("Tables"))


@pytest.mark.usefixtures("read")
def test_tables_are_corrected_in_place():
    app = opened("Tables", **{"evaluation-corriger": schema.label("measures")})
    assert "Rien de modifié." in said(app)


def test_identifiers_are_new():
    assert trials.next_ids(["note-1", "note-2"], "note", n=2) == ["note-3", "note-4"]
    assert trials.next_ids([], "note", n=1) == ["note-1"]


def test_a_mark_of_nobody_is_no_row():
    known = schema.typed(pd.DataFrame({"mark_id": []}), "replicability_marks")
    test = {"project_id": "p", "district_id": "d", "demo": False}
    with pytest.raises(InputError, match="Aucune note"):
        trials.marks(known, {"C1": None}, test=test, rater="A", day="2023-01-01", why="")
    made = trials.marks(known, {"C1": 0, "C2": None}, test=test, rater="A", day="2023-01-01", why="")
    assert made["level"].tolist() == [0]
    assert made["justification"].isna().all()


def test_applications_and_projects_of_the_district_may_be_tested(shipped, project):
    tables = tables_of(shipped, project)
    offered = trials.without_protocol(tables, DISTRICT)
    assert project not in offered  # it has its protocol
    assert set(shipped["applications"]["application_id"]) <= set(offered)
    mine = set(shipped["projects"].query("district_id == @DISTRICT")["project_id"])
    assert mine - {project} <= set(offered)
