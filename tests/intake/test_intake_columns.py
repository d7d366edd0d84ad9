"""Is every column of a file either understood or told, and a table guessed only when it is clear?"""

from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi import schema
from geo_qmi.errors import InputError
from geo_qmi.intake.columns import candidates, gist, guess_table, recognise, required, spellings
from geo_qmi.sources.raw import RawTable


def frame(*columns: str, rows: int = 1) -> pd.DataFrame:
    return pd.DataFrame({c: [f"{c}{i}" for i in range(rows)] for c in columns}, dtype=object, index=range(2, 2 + rows))


@pytest.mark.parametrize(
    "header",
    [
        "application_id",
        "Identifiant de la candidature",
        "IDENTIFIANT  DE LA CANDIDATURE",
        "Numéro",
        "numero",
        "Dossier",
    ],
)
def test_names_titles_and_aliases_with_or_without_accents(header):
    assert recognise(frame(header), "applications").taken == {"application_id": header}


def test_unit_in_the_header():
    seen = recognise(frame("Surface demandée (m²)", "Durée de mesure"), "applications")
    assert seen.taken == {"need_area_m2": "Surface demandée (m²)", "months": "Durée de mesure"}


@pytest.mark.parametrize("name", [*schema.TABLES, *schema.RESULTS])
def test_own_names_always_mean_themselves(name):
    words = spellings(name)
    for column in schema.columns(name):
        if column != "geometry":
            assert words[gist(column)] == column


def test_mapping_wins():
    seen = recognise(frame("nom", "Nom commercial"), "applications", mapping={"nom commercial": "Projet"})
    assert seen.taken == {"name": "Nom commercial"}
    assert seen.unknown == ["nom"]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"Absente": "name"}, "Le fichier n’a pas de colonne « Absente »"),
        ({"nom": "inconnue"}, "La table « applications » n’a pas de colonne « inconnue »"),
        ({"nom": "name", "titre": "name"}, "deux fois"),
    ],
)
def test_mapping_that_means_nothing(mapping, words):
    with pytest.raises(InputError, match=words):
        recognise(frame("nom", "titre"), "applications", mapping=mapping)


def test_unknown_columns_are_listed_unless_empty():
    cells = frame("Dossier", "Couleur", "Vide")
    cells["Vide"] = None
    assert recognise(cells, "applications").unknown == ["Couleur"]


def test_identifier_repeated_as_feature_id_is_not_a_loss():
    cells = frame("site_id", "id")
    assert recognise(cells, "sites").unknown == ["id"]
    assert recognise(cells.assign(id=cells["site_id"]), "sites").unknown == []


def test_two_columns_of_one_meaning():
    cells = frame("application_id", "id")
    seen = recognise(cells, "applications")
    assert seen.clashes == {"application_id": ["application_id", "id"]}
    cells["id"] = cells["application_id"]
    seen = recognise(cells, "applications")
    assert seen.taken == {"application_id": "application_id"}
    assert seen.repeated == ["id"]


def test_required_columns():
    assert required("applications") == ["application_id", "name", "description"]
    assert required("sites") == ["site_id", "name", "insee", "kind", "precision"]


@pytest.mark.parametrize("name", schema.TABLES)
def test_full_header_is_guessed_by_its_name(name):
    header = [c for c in schema.columns(name) if c != "geometry"]
    assert guess_table(RawTable(f"{name}.csv", name, frame(*header))) == name


def test_unclear_is_not_guessed():
    raw = RawTable("a.csv", "a", frame("Projet", "Quartier"))
    assert guess_table(raw) is None
    assert candidates(raw) == []
    raw = RawTable("a.csv", "a", frame("Identifiant", "Nom"))
    assert guess_table(raw) is None
    assert "stations" in candidates(raw)


def test_call_is_guessed_from_french_headers():
    raw = RawTable("reponses.csv", "reponses", frame("Dossier", "Titre", "Résumé", "SIRET"))
    assert guess_table(raw) == "applications"
