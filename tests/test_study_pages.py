"""The pages about the study itself, who reads it, and what follows the reader from page to page."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi import handover, packing
from geo_qmi.atlas import Layout
from geo_qmi.dashboard import PAGES, READ_ONLY_VARIABLE, STUDY_VARIABLE, visit
from geo_qmi.workspace import Study

if TYPE_CHECKING:
    import pandas as pd

SCRIPT = Path(geo_qmi.dashboard.__file__).with_name("app.py")
OWN = ("home.py", "origins.py", "publication.py")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def _shipped_study(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)


def opened(file: str) -> AppTest:
    app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
    return app if file == PAGES[0][0] else app.switch_page(file).run()


def said(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning", "success", "error")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


def links(app: AppTest) -> list[str]:
    return [element.proto.label for element in app.get("page_link")]


def hostile(shipped) -> dict[str, pd.DataFrame]:
    words = "![x](http://ailleurs.example/i.png)<script>alert(1)</script>"
    return dict(shipped) | {
        "contradictions": shipped["contradictions"].assign(subject=words, finding=words, treatment=words),
        "figures": shipped["figures"].assign(meaning=words),
        "districts": shipped["districts"].assign(name=words),
    }


def test_the_first_page_says_what_is_there_and_what_comes_next():
    app = opened("home.py")
    assert not app.exception
    assert app.metric[0].value == "41 sur 42"
    assert "aucune séance réelle" in said(app)
    assert "6 quartiers sur 10 sans périmètre publié" in said(app)
    assert links(app)[0] == "Carte sensible"


def test_the_next_step_opens_on_its_district():
    app = opened("home.py")
    first = app.get("page_link")[0].proto
    assert first.page.endswith("carte-sensible")
    assert "quartier=QMI1-AUL" in first.query_string


@pytest.mark.parametrize("file", OWN)
def test_a_study_with_hostile_words_shows_them_as_text(file, tmp_path, shipped, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(Study.create(tmp_path / "h.gpkg", hostile(shipped)).path))
    app = opened(file)
    assert not app.exception
    assert "![x](" not in said(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))


def test_a_figure_answers_and_both_sides_are_shown():
    app = opened("origins.py")
    app.text_input(key="cherche").set_value("F016").run()
    assert "Lu en 003\\:L1441\\-1445;002\\:L87" in said(app)
    app.text_input(key="cherche").set_value("").run()
    app.selectbox(key="contradiction").set_value("A03").run()
    assert not app.exception
    assert "**003\\:L1150**" in said(app)
    assert "**003\\:L1441**" in said(app)
    app.text_input(key="cherche").set_value("licorne").run()
    assert "Aucune contradiction ne contient ces mots." in said(app)


def test_publication_opens_on_the_public_edition_and_warns_for_the_jury():
    app = opened("publication.py")
    assert not app.exception
    assert app.segmented_control(key="edition").value == "public"
    assert not app.warning
    app.segmented_control(key="edition").set_value("jury").run()
    assert "Contenu privé" in app.warning[0].value


def test_a_sheet_is_made_when_asked_and_goes_when_the_choice_changes():
    app = opened("publication.py")
    app.segmented_control(key="edition").set_value("jury")
    app.selectbox(key="papier-format").set_value("A4").run()
    assert not app.get("download_button")
    app.button(key="papier-faire").click().run()
    assert not app.exception
    assert "district-QMI1-AUL-jury.pdf" in app.get("download_button")[0].proto.label
    app.selectbox(key="papier-sens").set_value("portrait").run()
    assert not app.get("download_button")


def test_a_scale_that_does_not_fit_is_a_sentence():
    app = opened("publication.py")
    app.segmented_control(key="edition").set_value("jury")
    app.selectbox(key="papier-format").set_value("A4")
    app.selectbox(key="papier-echelle").set_value(500).run()
    app.button(key="papier-faire").click().run()
    assert not app.exception
    assert "500" in app.error[0].value


def test_a_packed_sheet_is_one_file_with_its_picture(shipped):
    made = packing.sheet(
        shipped, kind="district", district_id="QMI1-AUL", layout=Layout(paper="A4"), edition="jury", form="png", dpi=40
    )
    assert made.name in {"district-QMI1-AUL-jury.png", "district-QMI1-AUL-jury.zip"}
    assert made.preview.startswith(b"\x89PNG")


def test_a_packed_page_names_the_maps_it_leaves_out(shipped):
    wanted = [("district", "QMI1-AUL"), ("coverage", "QMI2-SUC")]
    made = packing.offline_page(shipped, wanted, title="Essai", edition="jury")
    assert made.mime == "text/html"
    assert "Périmètre non publié" in made.remarks[0]


def test_a_table_has_the_formats_that_can_hold_it(shipped):
    listed = {one.name: one for one in handover.layers(shipped, shipped, order=handover.Order(district="QMI1-AUL"))}
    assert ".geojson" in packing.suffixes(listed["districts"])
    assert ".geojson" not in packing.suffixes(listed["objectives"])
    made = packing.table(listed["objectives"], ".csv", study="essai", edition="jury")
    assert made.name == "objectives.csv"
    assert made.content.count(b"\n") == 1 + 5


def test_a_workshop_is_one_archive(shipped):
    made = packing.workshop_pack(shipped, district_id="QMI1-AUL", code="AUL-1", paper="A3", groups=["residents"][:0])
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert {"AUL-1_fond.pdf", "AUL-1_calques.pdf", "AUL-1_feuille.json"} <= set(archive.namelist())


def test_real_words_keep_the_jury_away_from_a_public_display(shipped):
    assert "jury" in packing.offered(shipped, read_only=True)
    real = dict(shipped) | {"observations": shipped["observations"].assign(demo=False)}
    assert packing.offered(real, read_only=True) == ["candidates", "public"]
    assert "jury" in packing.offered(real, read_only=False)


def test_the_district_follows_the_reader_and_stands_in_the_address():
    app = opened("district.py")
    app.selectbox(key=visit.DISTRICT).set_value("QMI1-SCE").run()
    assert "QMI1-SCE" in app.query_params[visit.DISTRICT]
    app.switch_page("diagnosis.py").run()
    assert app.selectbox(key=visit.DISTRICT).value == "QMI1-SCE"
    assert "QMI1-SCE" in app.query_params[visit.DISTRICT]


@pytest.mark.parametrize(("asked", "found"), [("QMI1-MEU", "QMI1-MEU"), ("nulle-part", "QMI1-AUL")])
def test_a_link_opens_on_its_district(asked, found):
    app = AppTest.from_file(str(SCRIPT), default_timeout=120)
    app.query_params[visit.DISTRICT] = asked
    app.run()
    app.query_params[visit.DISTRICT] = asked
    app.switch_page("district.py").run()
    assert not app.exception
    assert app.selectbox(key=visit.DISTRICT).value == found


def test_without_sign_in_nothing_is_asked():
    app = opened("home.py")
    assert not [button for button in app.button if button.key in {"connexion", "deconnexion"}]


def test_sign_in_comes_before_any_page():
    app = AppTest.from_file(str(SCRIPT), default_timeout=120)
    app.user = {"is_logged_in": False}
    app.run()
    assert not app.exception
    assert "demande de se connecter" in said(app)
    assert not app.metric
    assert not app.dataframe


def test_who_signed_in_signs_the_journal(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    app = AppTest.from_file(str(SCRIPT), default_timeout=120)
    app.user = {"is_logged_in": True, "name": "Anne Martin", "email": "anne@exemple.fr"}
    app.run()
    assert "Connecté : Anne Martin" in said(app)
    app.switch_page("pairing.py").run()
    assert not app.exception
    assert app.text_input(key="decision-qui-connecte").value == "Anne Martin"
    app.selectbox(key="decision-dossier").set_value("QMI1-mube")
    app.selectbox(key="decision-quartier").set_value("QMI1-AUL")
    app.text_input(key="decision-motif").set_value("essai")
    next(button for button in app.button if button.label == "Noter cette décision").click().run()
    assert not app.exception
    assert study.journal().iloc[-1]["actor"] == "Anne Martin"
    assert study.read("decisions")["actor"].tolist() == ["Anne Martin"]


@pytest.mark.parametrize("file", [file for file, *_ in PAGES])
def test_nothing_can_be_written_in_a_public_display(file, study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app = opened(file)
    assert not app.exception
    assert "en lecture seule" in said(app)
    writing = ("Enregistrer", "Importer", "Noter", "Suivre la proposition", "Annuler", "Effacer", "Accepter")
    assert not [button.label for button in app.button if button.label.startswith(writing) and not button.disabled]
