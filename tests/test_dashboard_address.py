"""What stands in the address of a page: a link opens the same view, and a wrong one is a sentence."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi import schema, walking
from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE, visit

SCRIPT = Path(geo_qmi.dashboard.__file__).with_name("app.py")
#: Page → what a link says of it, and what its widgets then hold.
LINKS = {
    "programme.py": {
        "programme-edition": ("1", "1"),
        "programme-section": ("Logistique du dernier kilomètre", "Logistique du dernier kilomètre"),
        "programme-onglet": ("Sélection", "Sélection"),
    },
    "diagnosis.py": {
        visit.DISTRICT: ("QMI1-MEU", "QMI1-MEU"),
        "diagnostic-onglet": ("Comparer les quartiers", "Comparer les quartiers"),
        "diagnostic-parcourus": ("false", False),
    },
    "sensing.py": {
        "sensible-vue": ("Intervalles", "interval"),
        "sensible-cellule": ("30 m", 30),
        "sensible-themes-QMI1-AUL": ("Coupures et liaisons", ["coupures"]),
    },
    "pairing.py": {
        "appariement-candidats": ("Candidatures de l’étude", "Candidatures de l’étude"),
        "appariement-maximum": ("9", 9),
        "poids-needs": ("0.5", 0.5),
        "appariement-onglets": ("Vérification", "Vérification"),
    },
    "evaluating.py": {
        visit.DISTRICT: ("QMI1-SCE", "QMI1-SCE"),
        "evaluation-onglet": ("Bibliothèque d’indicateurs", "Bibliothèque d’indicateurs"),
        "evaluation-famille": ("retours des usagers", ["user_feedback"]),
        "evaluation-mots": ("satisfaction", "satisfaction"),
    },
    "access.py": {
        visit.DISTRICT: ("QMI1-AUL", "QMI1-AUL"),
        "acces-heure": ("22:30", datetime.time(22, 30)),
        "acces-pente": ("true", True),
        "acces-menage": ("2.2", 2.2),
        "acces-mode-b-QMI1-AUL": ("Coordonnées", "Coordonnées"),
        "acces-depart-QMI1-AUL": ("Point intérieur du périmètre", "perimetre"),
        "acces-onglet": ("Franchissements", "Franchissements"),
    },
    "covering.py": {
        visit.DISTRICT: ("QMI1-MEU", "QMI1-MEU"),
        "sites-onglet": ("Prochains lieux", "Prochains lieux"),
        "sites-minutes": ("10 min", 10),
        "sites-modele": (walking.MODELS["near"], "near"),
        "sites-nombre-QMI1-MEU": ("3", 3),
        "sites-marche": ("8", 8),
        "sites-exige": ("Eau", ["water"]),
        "sites-debut": ("2026-09-01", "2026-09-01"),
        "sites-mois": ("6", 6),
    },
    "publication.py": {"edition": ("Candidats", "candidates"), "etendue": ("Toute l’étude", "Toute l’étude")},
    "records.py": {"donnees-table": (schema.label("communes"), "communes")},
    "origins.py": {"cherche": ("F016", "F016")},
}
#: Page → what a link says that no study holds.
WRONG = {
    "programme.py": {"programme-edition": "9", "programme-famille": "licorne", "programme-onglet": "<b>"},
    "district.py": {visit.DISTRICT: "../../etc"},
    "diagnosis.py": {"diagnostic-onglet": "Ailleurs"},
    "sensing.py": {"sensible-vue": "Éléphant", "sensible-cellule": "-3 m"},
    "pairing.py": {"appariement-maximum": "99999", "poids-needs": "beaucoup", "appariement-quartiers": "Atlantide"},
    "evaluating.py": {"evaluation-onglet": "Total sur 15", "evaluation-projet-QMI1-AUL": "Personne"},
    "access.py": {
        "acces-heure": "25:99",
        "acces-menage": "0.5",
        "acces-depart-QMI1-AUL": "Lune",
        "acces-classer": "peut-être",
    },
    "covering.py": {"sites-minutes": "3 h", "sites-modele": "<i>", "sites-marche": "600", "sites-nombre-QMI1-AUL": "0"},
    "publication.py": {"edition": "secrète"},
    "records.py": {"donnees-table": "sqlite_master"},
    "origins.py": {"contradiction": "Z99"},
}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def _shipped_study(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)


def linked(file: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
    for name, value in address.items():
        app.query_params[name] = value
    app = app.switch_page(file).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.warning).replace("\\", "")


@pytest.mark.parametrize("file", list(LINKS))
def test_a_link_opens_the_view_that_was_sent(file):
    app = linked(file, **{name: asked for name, (asked, _) in LINKS[file].items()})
    assert {name: app.session_state[name] for name in LINKS[file]} == {
        name: held for name, (_, held) in LINKS[file].items()
    }
    assert "adresse" not in said(app)


@pytest.mark.parametrize("file", list(WRONG))
def test_an_address_that_asks_the_impossible_is_a_sentence(file):
    app = linked(file, **WRONG[file])
    for asked in WRONG[file].values():
        assert f"« {asked} »" in said(app)
    assert len(app.title) == 1
    app.run()
    assert not app.exception
    assert "adresse" not in said(app)  # said once


def test_opacity_and_layers_of_a_wrong_address_are_left_aside():
    app = linked("district.py", opacite="mille", couches="..-.-<script>.stations")
    assert "« mille »" in said(app)
    assert "script" not in app.query_params["couches"]


def test_two_of_one_name_are_told_apart():
    assert visit.told_apart({"a": "Halle", "b": "Halle", "c": "Gare"}) == {
        "a": "Halle (a)", "b": "Halle (b)", "c": "Gare",
    }  # fmt: skip
