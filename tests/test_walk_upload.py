"""A walk enters from the page *Carte sensible*: three clicks, the same account as the command."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE, walk_upload
from geo_qmi.errors import InputError
from geo_qmi.sources.field.collected import Hints

SCRIPT = Path(geo_qmi.dashboard.__file__).with_name("app.py")
FIXTURES = Path(__file__).with_name("fixtures") / "field"
LILAS = Hints(participant="Lilas", actor_group="resident", start="2026-05-16T10:00")
AULNAY = {"district_id": "QMI1-AUL", "session": "AUL-T1", "actor": "Nadia", "hints": LILAS}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def opened_study(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)
    return study


def files(*names: str) -> list[tuple[str, bytes]]:
    return [(Path(name).name, (FIXTURES / name).read_bytes()) for name in names]


def test_an_upload_is_the_import_of_the_command(opened_study):
    done = walk_upload.imported(files("csv/marche_fr.csv"), **AULNAY)
    assert "7 enregistrements lus : 6 ajoutés" in done.sentence
    assert done.n_refused == 1
    assert list(done.refused) == ["observations"]
    assert b"bruit de chantier" in done.refused["observations"]
    assert (opened_study.read("observations")["session_id"] == "AUL-T1").sum() == 3
    assert "Nadia" in set(opened_study.journal()["actor"])
    again = walk_upload.imported(files("csv/marche_fr.csv"), **AULNAY)
    assert "0 ajouté, 0 mis à jour, 6 inchangés, 1 refusé" in again.sentence


@pytest.mark.usefixtures("opened_study")
def test_a_sheet_comes_with_its_control_points():
    done = walk_upload.imported(files("paper/fiche_7.csv", "paper/fiche_7_calage.csv"), **AULNAY)
    assert "4 ajoutés" in done.sentence
    assert done.notes[0].startswith("Calage projectif de la fiche : écart quadratique moyen 0,0 m")


@pytest.mark.usefixtures("opened_study")
def test_a_name_cannot_leave_its_folder_nor_hide_another():
    with pytest.raises(InputError, match=r"Deux fichiers portent le nom « trace\.gpx »"):
        walk_upload.imported([*files("gpx/trace.gpx"), ("../trace.gpx", b"x")], **AULNAY)


def test_three_clicks_on_the_page(opened_study, tmp_path):
    archive = tmp_path / "marche.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for source in sorted((FIXTURES / "odk").glob("*.csv")):
            packed.write(source, source.name)
    page = AppTest.from_file(str(SCRIPT), default_timeout=120).run().switch_page("sensing.py").run()
    page.file_uploader(key="marche-fichiers").set_value([("marche.zip", archive.read_bytes(), "application/zip")])
    page.text_input(key="marche-seance").set_value("AUL-T1")
    page.button(key="marche-importer").click().run()
    assert not page.exception
    told = [element.value.replace("\\", "") for kind in ("success", "warning") for element in page.get(kind)]
    assert any("9 enregistrements lus : 9 ajoutés" in words for words in told)
    assert "AUL-T1" in set(opened_study.read("sessions")["session_id"])


def test_a_study_for_reading_says_so(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    page = AppTest.from_file(str(SCRIPT), default_timeout=120).run().switch_page("sensing.py").run()
    assert any("Affichage en lecture seule" in element.value for element in page.info)
    assert not [box for box in page.button if box.key == "marche-importer"]
