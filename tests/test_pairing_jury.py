"""The pairing page as a jury uses it: rules, solidity, decisions."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from geo_qmi import rulebook
from geo_qmi.dashboard import STUDY_VARIABLE
from geo_qmi.shipped import shipped_tables
from geo_qmi.workspace import Study

SCRIPT = Path(__file__).resolve().parents[1] / "geo_qmi" / "dashboard" / "app.py"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def opened() -> AppTest:
    return AppTest.from_file(str(SCRIPT), default_timeout=120).run().switch_page("pairing.py").run()


def said(app: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption", "info", "success") for element in app.get(kind))


def look(app: AppTest, title: str) -> None:
    app.session_state["appariement-onglets"] = title
    app.run()
    assert not app.exception


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    """A study of one's own, that can be written."""
    created = Study.create(tmp_path / "etude.gpkg", shipped_tables())
    monkeypatch.setenv(STUDY_VARIABLE, str(created.path))
    return created


def test_weights_start_from_the_file_and_a_zero_everywhere_is_a_sentence(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    app = opened()
    rules = rulebook.opened().rules
    for name in ("needs", "feasibility", "window", "people"):
        assert app.slider(key=f"poids-{name}").value == rules.criterion(name).weight
    look(app, "Pourquoi")
    assert "c’est le plan proposé" in said(app)
    assert "L’étude livrée est en lecture seule" in said(app)
    app.slider(key="poids-needs").set_value(0.0).run()
    assert not app.exception
    assert "Aucun critère de poids positif" in app.error[0].value


def test_a_decision_is_written_once_and_journalled(study):
    app = opened()
    app.selectbox(key="decision-dossier").set_value("QMI1-mube")
    app.text_input(key="decision-qui").set_value("Jury")
    app.text_input(key="decision-motif").set_value("convention avec le bailleur")
    note = next(button for button in app.button if button.label == "Noter cette décision")
    note.click().run()
    assert "Choisissez la décision" in app.error[0].value
    assert study.read("decisions").empty
    app.selectbox(key="decision-quartier").set_value("QMI1-AUL")
    next(button for button in app.button if button.label == "Noter cette décision").click().run()
    assert not app.exception
    assert not app.error
    row = study.read("decisions").iloc[0]
    assert (row["proposed_district"], row["decided_district"], row["actor"]) == ("QMI1-SCE", "QMI1-AUL", "Jury")
    assert study.journal().iloc[-1]["reason"] == "décision du jury"
    assert "1 déplacé" in said(app)
    follow = next(button for button in app.button if button.label.startswith("Suivre la proposition"))
    follow.click().run()
    assert not app.exception
    assert len(study.read("decisions")) == 28
    assert "27 selon la proposition, 1 déplacé" in said(app)


def test_a_decision_without_a_reason_is_refused(study):
    app = opened()
    app.selectbox(key="decision-quartier").set_value("")
    app.text_input(key="decision-qui").set_value("Jury")
    next(button for button in app.button if button.label == "Noter cette décision").click().run()
    assert "il manque le motif" in app.error[0].value
    assert study.read("decisions").empty


def test_solidity_runs_when_it_is_asked_for(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    app = opened()
    assert not any("Stable" in frame.value for frame in app.dataframe)
    app.toggle(key="solidite-stable").set_value(True).run()
    assert not app.exception
    modes = next(frame.value for frame in app.dataframe if "Stable" in frame.value).set_index("Mesure")
    assert modes.loc["Paires qui bloquent le plan", "Stable"] == 0
    assert "Les Blagis (Sceaux) (4 sur 6)" in said(app).replace("\\", "")  # markdown escapes


def test_the_page_shows_who_waits_who_looks_alike_and_the_next_wave(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    app = opened()
    app.number_input(key="appariement-minimum").set_value(0)
    app.number_input(key="appariement-maximum").set_value(2).run()
    assert not app.exception
    assert "Liste de réserve" in said(app)
    look(app, "Vérification")
    assert any("deux projets distincts" in str(frame.value.to_dict()) for frame in app.dataframe)
    app.toggle(key="vague-partir").set_value(True).run()
    assert not app.exception
    assert not app.error
    wave = next(frame.value for frame in app.dataframe if "Date du score" in frame.value)
    assert len(wave) > 0
    assert set(wave["Origine"]) == {"repris de « vague 1 »"}


def test_the_page_says_that_a_folder_is_no_model(monkeypatch, tmp_path):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    app = opened()
    app.text_input(key="modele-dossier").set_value(str(tmp_path)).run()
    assert not app.exception
    assert "contenu non reconnu" in app.error[0].value


def test_marks_of_evaluators_are_shown_once_they_are_given(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)

    def door(app):
        return next(one for one in app.get("expander") if one.label == "Notes de plusieurs évaluateurs")

    app = opened()
    assert not door(app).proto.expanded
    notes = "projet;évaluateur;note\nQMI1-mube;A;12\nQMI1-mube;B;10\nQMI1-electra;A;8\nQMI1-electra;B;7\n"
    app.file_uploader(key="jury-notes").upload("notes.csv", notes.encode()).run()
    assert not app.exception
    assert not app.error
    assert door(app).proto.expanded
    ranking, people = (frame.value for frame in door(app).dataframe)
    assert ranking[["Dossier", "Moyenne", "Rang (moyenne)"]].to_numpy().tolist() == [
        ["Mube", 11, 1],
        ["Electra", 7.5, 2],
    ]
    # A gives 10 on average, B 8.5: each half of it away from the middle.
    assert people["Sévérité (à ajouter à ses notes)"].tolist() == [-0.75, 0.75]
    app.file_uploader(key="jury-notes").upload("notes.csv", b"projet;note\nQMI1-mube;12\n").run()
    assert not app.exception
    assert "évaluateur" in "\n".join(one.value for one in [*app.error, *app.warning])
