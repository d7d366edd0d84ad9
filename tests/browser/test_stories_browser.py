"""What people come to do, from beginning to end in a real browser; its pictures are those of docs/guide."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely
from browser_pages import (
    at_rest,
    choose,
    choose_among,
    choose_more,
    drop,
    open_panel,
    open_tab,
    press,
    type_in_cell,
    write,
)

import geo_qmi
from geo_qmi import schema
from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser

AULNAY = "Aulnay-sous-Bois – Centre Gare"
MIDDLE = "RAIL-AUL-3 à 250 m, côté "
#: Titles nobody can guess, a row without the description that is asked for.
CALL = """Clé interne du dépôt;Nom du projet;Texte du dossier;Surface demandée
N-1;Ombrière de place;Une ombrière mobile pour rafraîchir les places sans arbre et suivre la température.;12
N-2;Vélos en partage;Des vélos cargos partagés pour les livraisons des commerces du quartier.;8
N-3;Banc;;5
"""


@pytest.fixture
def written(served) -> Iterator[geo_qmi.Study]:
    """The study served, as it was again at the end."""
    study = geo_qmi.Study(served)
    yield study
    while study.undoable() is not None:
        study.undo(actor="essai")


def test_a_call_is_imported_then_matched(watched, written, tmp_path: Path):
    page = watched.page
    (tmp_path / "appel.csv").write_text(CALL, "utf-8")
    watched.open("Candidatures")
    drop(page, "Fichier à importer", tmp_path / "appel.csv")
    choose(page, "Clé interne du dépôt", "Identifiant de la candidature *")
    choose(page, "Texte du dossier", "Description *")
    watched.keep("apparier-colonnes", at="Ce que veut dire chaque colonne", guide=True)
    page.get_by_text("3 lignes lues = 2 acceptées + 1 refusée.").wait_for()
    watched.keep("apparier-defauts", at="Remplacer les lignes", guide=True)
    write(page, "Qui enregistre", "Nadia")
    write(page, "Pourquoi, pour le journal", "Appel de printemps")
    done = page.get_by_test_id("stAlertContentSuccess").filter(has_text="2 lignes")
    press(page, "Enregistrer 2 lignes dans « Candidatures »", done.is_visible)
    assert written.read("applications")["application_id"].tolist()[-2:] == ["N-1", "N-2"]

    watched.open("Appariement")
    choose_among(page, "Candidats", re.compile("Candidatures de l’étude"))
    page.get_by_text("170 dossiers").first.wait_for()
    page.get_by_text(re.compile("candidatures dans le plan")).first.wait_for()
    watched.keep("apparier-plan", at="candidatures dans le plan", guide=True)
    open_tab(page, "Pourquoi")
    choose(page, "Candidature", "Ombrière de place")
    page.get_by_text("Score de « Ombrière de place »").wait_for()
    assert watched.refusals() == []
    watched.keep("apparier-pourquoi", at="Vague suivante", guide=True)


def test_a_severance_is_redrawn_with_a_new_crossing(watched, shipped):
    page = watched.page
    watched.open("Accès et coupures")
    choose(page, "Quartier", AULNAY)
    opened, refused = (page.get_by_text(f"Franchissement envisagé {end}") for end in ("ouvert", "refusé"))
    watched.keep("coupures-avant", at="Ce que coûtent les coupures", guide=True)
    open_panel(page, "Et si l’on ouvrait un franchissement ?")
    choose(page, "Premier point : lieu", f"{MIDDLE}gauche")
    assert opened.count() == 0
    choose(page, "Second point : lieu", f"{MIDDLE}droite")
    opened.wait_for()
    page.get_by_text("ouvert à pied : ni coût, ni foncier").wait_for()
    watched.keep("coupures-franchissement", guide=True)
    watched.keep("coupures-apres", at="Ce que coûtent les coupures", guide=True)
    # On one bank there is nothing to cross: the crossing is refused in words, and the card is the former one.
    choose(page, "Second point : lieu", "RAIL-AUL-3 à 450 m, côté gauche")
    refused.wait_for()
    assert opened.count() == 0

    rail = shipped["barriers"].set_index("barrier_id").geometry["RAIL-AUL-3"]
    point, ahead = rail.interpolate(0.5, normalized=True), rail.interpolate(0.51, normalized=True)
    dx, dy = (25 * part / point.distance(ahead) for part in (ahead.x - point.x, ahead.y - point.y))
    for name, side in (("Premier point", 1), ("Second point", -1)):
        choose_among(page, name, "Coordonnées")
        write(page, f"{name} : coordonnées", f"{point.x - side * dy:.1f} {point.y + side * dx:.1f}")
    opened.wait_for()
    assert refused.count() == 0
    watched.anew()


def test_dropped_layers_change_the_ground_and_what_is_counted(watched, shipped, tmp_path: Path):
    shape = shipped["districts"].set_index("district_id").geometry["QMI1-AUL"]
    xmin, ymin, xmax, ymax = shape.bounds
    lines = [[(x, ymin - 300), (x, ymax + 300)] for x in range(int(xmin), int(xmax), 100)]
    lines.append([(xmin - 10, (ymin + ymax) / 2), (xmax + 10, (ymin + ymax) / 2)])
    streets = gpd.GeoDataFrame(geometry=shapely.linestrings(lines), crs=CRS)
    streets.to_file(tmp_path / "rues.gpkg", engine="pyogrio")
    people = gpd.GeoDataFrame({"habitants": [120.0]}, geometry=[shape.representative_point()], crs=CRS)
    people.to_file(tmp_path / "habitants.gpkg", engine="pyogrio")
    page = watched.page
    watched.open("Accès et coupures")
    choose(page, "Quartier", AULNAY)
    open_panel(page, "Rues, habitants, heure : changer le terrain")
    page.get_by_text("Aucune couche d’habitants : on compte des hectares").wait_for()
    for title, name in (("Rues", "rues.gpkg"), ("Habitants", "habitants.gpkg")):
        drop(page, title, tmp_path / name)
    page.get_by_text(re.compile("Terrain : réseau des rues")).first.wait_for()
    page.get_by_text("on compte des hectares").wait_for(state="detached")
    assert page.get_by_text("on compte des hectares").count() == 0
    watched.anew()  # these streets are nobody's: the maps of the tests that follow do without


def test_sites_are_chosen_under_rules(watched):
    page = watched.page
    watched.open("Sites et couverture")
    choose(page, "Quartier", AULNAY)
    watched.keep("sites-objectifs", guide=True)
    open_tab(page, "Prochains lieux")
    write(page, "Lieux à ouvrir", "1")
    choose_more(page, "Doit avoir", "Eau")
    assert watched.painted() > 30
    watched.keep("sites-choisis", guide=True)
    page.get_by_text("Lieux laissés de côté").wait_for()
    watched.keep("sites-ecartes", at="Lieux laissés de côté", guide=True)


def test_a_project_is_evaluated(watched, written):
    page = watched.page
    watched.open("Évaluation")
    choose(page, "Quartier", AULNAY)
    page.get_by_text("Test de démonstration").wait_for()
    watched.keep("evaluer-profil", at="Protocole et résultats", guide=True)
    open_panel(page, "Noter ce projet sur les cinq critères")
    write(page, "Qui note", "Nadia")
    write(page, "Noté le", "2026-10-01")
    choose(page, "Traction commerciale", "0 : Non")
    write(page, "Ce qui fonde ces notes (reste dans l’étude)", "Aucune commande à ce jour.")
    watched.keep("evaluer-noter", at="Noter ce projet", guide=True)
    marked = page.get_by_text("4 évaluateurs, notes de 0 à 2").first
    press(page, "Enregistrer ces notes", marked.is_visible)
    mark = written.read("replicability_marks").iloc[-1]
    assert (mark["rater"], mark["criterion_id"], mark["level"]) == ("Nadia", "C2", 0)

    open_tab(page, "Bibliothèque d’indicateurs")
    choose_more(page, "Famille", "social")
    page.get_by_text(re.compile(r"^\d+ indicateurs sur \d+\.")).first.wait_for()
    watched.keep("evaluer-bibliotheque", at="Échelle", guide=True)

    open_tab(page, "Protocole et résultats")
    watched.keep("evaluer-resultats", at="indicateurs mesurés sur", guide=True)
    open_panel(page, "Décider de la suite, écrire l’enseignement")
    choose(page, "Suite", "financer la suite")
    write(page, "Qui décide de la suite", "Nadia")
    decided = page.get_by_text("Suite : financer la suite.")
    press(page, "Enregistrer la suite", decided.is_visible)
    assert written.read("protocols").set_index("protocol_id").loc["DEMO-P1", "next_step"] == "fund"

    open_tab(page, "Et ailleurs ?")
    page.get_by_text("aucun effet n’est prédit").wait_for()
    watched.keep("evaluer-ailleurs", at="Où d’autre", guide=True)
    assert watched.refusals() == []


def test_an_atlas_is_published(watched):
    page = watched.page
    watched.open("Publication")
    choose(page, "Quartier", AULNAY)
    press(page, "Dessiner la feuille", page.get_by_text("Première page").is_visible)
    watched.keep("publier-feuille", at="Télécharger", guide=True)
    with page.expect_download() as sheet:
        page.get_by_role("button", name=re.compile(r"Télécharger .+\.pdf")).press("Enter")
    assert sheet.value.path().read_bytes().startswith(b"%PDF-")

    open_tab(page, "Dossier complet")
    ready = page.get_by_role("button", name=re.compile(r"Télécharger .+\.zip"))
    make, stop = (page.get_by_role("button", name=name, exact=True) for name in ("Faire le dossier", "Arrêter"))
    make.press("Enter")
    page.get_by_role("progressbar").wait_for()
    page.get_by_text("Préparation…").wait_for(state="detached")  # a stage has its name
    watched.keep("publier-arreter", at="QGIS : ouvrez le projet", guide=True)
    stop.press("Enter")
    at_rest(page)
    assert ready.count() == stop.count() == 0  # what was begun is dropped, nothing half made is offered
    page.get_by_role("button", name="Tout retirer").filter(visible=True).press("Enter")
    choose_more(page, "Cartes du dossier", "Le quartier")
    press(page, "Faire le dossier", ready.is_visible)
    watched.keep("publier-dossier", at="Une carte sur papier", guide=True)
    with page.expect_download() as folder:
        ready.press("Enter")
    with zipfile.ZipFile(folder.value.path()) as found:
        assert any(name.endswith(".pdf") for name in found.namelist())


def test_two_people_on_one_table_see_both_versions(watched, written):
    page = watched.page
    watched.open("Données")
    choose(page, "Table", schema.label("partners"))
    pending = page.get_by_text("Pas encore enregistré")
    type_in_cell(page, "mon mot", at=(460, 52), held=pending.is_visible)  # role of the first partner
    hers = written.read("partners").head(1).assign(role="son mot")
    written.upsert("partners", hers, reason="relecture", actor="Leïla")
    write(page, "Qui enregistre", "Nadia")
    write(page, "Pourquoi, pour le journal", "relecture")
    both = page.get_by_text("voici les deux versions")
    press(page, "Enregistrer", both.is_visible)
    watched.keep("donnees-conflit", at="Pas encore enregistré", guide=True)
    press(page, "Garder celle du fichier", page.get_by_text("Rien de modifié.").is_visible)
    assert written.read("partners")["role"].iloc[0] == "son mot"
