"""Is every record either accepted or in quarantine with its reason, whatever the file?"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_qmi import schema
from geo_qmi.errors import Defect, UnknownNameError
from geo_qmi.intake import take_in
from geo_qmi.sources.raw import RawTable


def call(rows: int = 3, *, file: str = "appel.csv", **columns) -> RawTable:
    """Return a small sound call for projects as a CSV reader gives it, lines from 2."""
    cells = {
        "Dossier": [f"c{i}" for i in range(rows)],
        "Nom du projet": [f"Projet {i}" for i in range(rows)],
        "Résumé": ["Une ombrière."] * rows,
        **columns,
    }
    return RawTable(file, "appel", pd.DataFrame(cells, index=range(2, rows + 2), dtype=object), n_in=rows)


def errors(took) -> list[tuple[int | None, str, str]]:
    return [(d.row, d.field, d.reason) for d in took.defects if d.severity == "error"]


def test_sound_file_in_full():
    took = take_in(call(Eau=["oui", "non", ""], Durée_de_mesure=["6", "6,5", None]), "applications")
    assert took.defects == []
    assert took.accepted.index.tolist() == [2, 3, 4]
    assert took.accepted["need_water"].tolist()[:2] == [True, False]
    assert took.accepted["need_water"].isna().tolist() == [False, False, True]
    assert took.accepted["months"].tolist()[:2] == [6.0, 6.5]
    assert math.isnan(took.accepted["months"].tolist()[2])
    assert took.accepted["source"].tolist()[0] == "fichier appel.csv, ligne 2"
    assert not took.accepted["demo"].any()
    assert schema.validate(took.accepted, "applications") == []


def test_unknown_table():
    with pytest.raises(UnknownNameError, match="Table inconnue"):
        take_in(call(), "dossiers")


def test_rows_with_an_error_stay_out_with_all_their_reasons():
    raw = call(**{"Surface demandée (m²)": ["12 m²", "12", "-4"], "SIRET": ["73282932000075", "73282932000074", None]})
    took = take_in(raw, "applications")
    assert took.accepted["application_id"].tolist() == ["c1"]
    assert errors(took) == [
        (2, "Surface demandée (m²)", "« m² » écrit après le nombre"),
        (2, "SIRET", "clé de contrôle fausse : ce n’est pas un SIRET"),
        (4, "Surface demandée (m²)", "attendu : un nombre entre 0 et 100000"),
    ]
    assert took.quarantined.columns[0] == "motifs"
    assert took.quarantined.loc[2, "motifs"] == (
        "Surface demandée (m²) : « m² » écrit après le nombre ; SIRET : clé de contrôle fausse : ce n’est pas un SIRET"
    )
    assert took.quarantined.loc[2, "Surface demandée (m²)"] == "12 m²"
    assert took.defects[0].id == "c0"
    assert took.defects[0].value == "12 m²"


def test_a_cell_at_fault_is_not_also_said_missing():
    raw = call()
    raw.frame.loc[2, "Nom du projet"] = "#REF!"
    raw.frame.loc[3, "Nom du projet"] = " "
    assert errors(take_in(raw, "applications")) == [
        (2, "Nom du projet", "erreur de formule du tableur"),
        (3, "Nom du projet", "valeur manquante, obligatoire ici"),
    ]


def test_warnings_keep_nothing_out():
    raw = RawTable(
        "ept.csv",
        "ept",
        pd.DataFrame(
            {"territory": ["T1"], "name": ["Paris"], "population": ["2 103 778"], "siren": ["217500017"]}, index=[2]
        ),
        n_in=1,
    )
    took = take_in(raw, "territories")
    assert took.n_ok == 1
    assert took.accepted.loc[2, "population"] == 2_103_778
    assert [(d.severity, d.reason) for d in took.defects] == [
        ("warning", "clé de contrôle fausse : ce n’est pas un SIREN")
    ]


def test_required_column_missing_is_said_once():
    raw = call(100)
    raw.frame = raw.frame.rename(columns={"Dossier": "Ma référence"})
    took = take_in(raw, "applications")
    assert (took.n_ok, took.n_quarantined) == (0, 100)
    (error,) = [d for d in took.defects if d.severity == "error"]
    assert error.reason == "colonne obligatoire absente : « Identifiant de la candidature » (application_id)"
    assert error.proposal.endswith('ajoutez --map "VOTRE COLONNE=application_id"')
    assert take_in(raw, "applications", mapping={"Ma référence": "application_id"}).n_ok == 100


def test_columns_left_aside_are_listed_once():
    took = take_in(call(Couleur=["bleu"] * 3, Taille=["1"] * 3), "applications")
    assert [d.reason for d in took.defects] == ["2 colonnes non reprises : « Couleur », « Taille »"]
    assert took.n_ok == 3


def test_columns_that_contradict():
    took = take_in(call(Titre=["a", "b", "c"]), "applications")
    assert took.n_quarantined == 3
    assert took.defects[0].reason == (
        "plusieurs colonnes veulent dire « Projet » (name) et se contredisent : « Nom du projet », « Titre »"
    )


def test_repeated_identifier_and_repeated_row():
    raw = call(4)
    raw.frame.loc[3] = raw.frame.loc[2]  # line 3 repeats line 2
    raw.frame.loc[5, "Dossier"] = "c2"  # line 5 bears the identifier of line 4
    took = take_in(raw, "applications")
    assert took.accepted.index.tolist() == [2]
    assert errors(took) == [
        (3, "Dossier", "ligne identique à la ligne 2"),
        (4, "Dossier", "identifiant présent plusieurs fois"),
        (5, "Dossier", "identifiant présent plusieurs fois"),
    ]


def test_repeated_row_at_another_place_is_not_identical():
    cells = pd.DataFrame({"stage_id": ["e", "e"], "session_id": "w", "rank": [1, 1], "name": "Départ"}, index=[1, 2])
    shapes = np.array([shapely.Point(2.5, 48.93), shapely.Point(2.6, 48.93)], dtype=object)
    took = take_in(RawTable("e.geojson", "e", cells.astype(object), shapes, "EPSG:4326", 2), "stages")
    assert {d.reason for d in took.defects} == {"identifiant présent plusieurs fois"}


def test_identifiers_already_in_the_study(shipped):
    first = take_in(call(), "applications").accepted
    known = {**shipped, "applications": first.head(1)}
    took = take_in(call(), "applications", known=known)
    assert errors(took) == [(2, "Dossier", "cet identifiant est déjà dans l’étude")]
    took = take_in(call(), "applications", known=known, update=True)
    assert (took.n_ok, took.n_replaced, took.defects) == (3, 1, [])


def test_references_are_checked_against_the_study_when_there_is_one(shipped):
    cells = {"site_id": ["a", "b"], "name": "Place", "insee": ["93005", "01004"], "kind": "place", "precision": "site"}
    raw = RawTable("lieux.csv", "lieux", pd.DataFrame(cells, index=[2, 3], dtype=object), n_in=2)
    assert take_in(raw, "sites").n_ok == 2
    took = take_in(raw, "sites", known=shipped)
    assert errors(took) == [(3, "insee", "valeur absente de la table « communes », colonne « insee »")]
    assert took.accepted["insee"].tolist() == ["93005"]


def test_what_the_reader_could_not_read_is_counted():
    raw = call()
    raw.n_in = 5
    raw.defects = [
        Defect("error", "guillemet jamais refermé", file="appel.csv", layer="appel", row=9),
        Defect("error", "géométrie illisible", file="appel.csv", layer="appel", row=3, field="geometry"),
        Defect("warning", "lu en Windows-1252", file="appel.csv", layer="appel"),
    ]
    took = take_in(raw, "applications")
    assert (took.n_in, took.n_ok, took.n_quarantined) == (5, 2, 3)
    assert took.quarantined.index.isna().sum() == 1
    assert took.quarantined["motifs"].tolist() == [
        "geometry : géométrie illisible",
        "guillemet jamais refermé",
        "enregistrement illisible",
    ]


def test_apostrophe_against_formulas_is_taken_off_csv_only():
    assert take_in(call(1, Porteur=["'=Bâtir"]), "applications").accepted["operator"].tolist() == ["=Bâtir"]
    took = take_in(call(1, file="appel.xlsx", Porteur=["'=Bâtir"]), "applications")
    assert took.accepted["operator"].tolist() == ["'=Bâtir"]


def test_file_without_any_record():
    took = take_in(RawTable("vide.geojson", "vide", pd.DataFrame(index=[], dtype=object)), "sites")
    assert (took.n_in, took.n_ok) == (0, 0)
    assert [(d.severity, d.reason) for d in took.defects] == [("warning", "aucun enregistrement dans ce fichier")]


def test_columns_typed_by_pandas_say_empty_with_nan():
    cells = pd.DataFrame({"dossier": ["a", "b"], "titre": "t", "resume": "r", "siret": ["73282932000074", None]})
    assert cells.dtypes["siret"] == "str"
    took = take_in(RawTable("a.csv", "a", cells.assign(testeurs=[3.0, math.nan]), n_in=2), "applications")
    assert (took.n_ok, took.defects) == (2, [])
    assert took.accepted["testers"].tolist() == [3, pd.NA]
    raw = call(1, Testeurs=[math.nan])
    assert [d.reason for d in take_in(raw, "applications").defects] == ["valeur non finie (NaN ou infini)"]


def test_the_input_is_not_changed():
    raw = call(Couleur=["bleu"] * 3, SIRET=["1", "2", "3"])
    before = raw.frame.copy(deep=True)
    take_in(raw, "applications")
    pd.testing.assert_frame_equal(raw.frame, before)


def dialect(kind: str, rows: int = 168) -> RawTable:
    """Return one call of 168 applications as Excel text, as typed cells, and as a programmer's CSV."""
    if kind == "excel":
        columns = {
            "Numéro": [f"AAP-{i:03}" for i in range(rows)],
            "Nom du projet": [f"Projet {i}" for i in range(rows)],
            "RESUME": [f"Texte {i}" for i in range(rows)],
            "Surface demandée (m²)": [f"1\u202f{i:03},5" for i in range(rows)],
            "Domaine public": ["oui" if i % 2 else "non" for i in range(rows)],
            "Saison": ["été"] * rows,
            "SIRET": ["732 829 320 00074"] * rows,
            "Testeurs": [f"{i},0" for i in range(rows)],
        }
    elif kind == "workbook":
        columns = {
            "Dossier": [f"AAP-{i:03}" for i in range(rows)],
            "Titre": [f"Projet {i}" for i in range(rows)],
            "Présentation": [f"Texte {i}" for i in range(rows)],
            "Surface demandée": [1000.5 + i for i in range(rows)],
            "Domaine public": [bool(i % 2) for i in range(rows)],
            "Saison": ["ÉTÉ"] * rows,
            "Siret": [73282932000074.0] * rows,
            "Testeurs": [float(i) for i in range(rows)],
        }
    else:
        columns = {
            "application_id": [f"AAP-{i:03}" for i in range(rows)],
            "name": [f"Projet {i}" for i in range(rows)],
            "description": [f"Texte {i}" for i in range(rows)],
            "need_area_m2": [str(1000.5 + i) for i in range(rows)],
            "public_domain": ["true" if i % 2 else "false" for i in range(rows)],
            "season": ["summer"] * rows,
            "siret": ["73282932000074"] * rows,
            "testers": [str(i) for i in range(rows)],
        }
    return RawTable(kind, kind, pd.DataFrame(columns, index=range(2, rows + 2), dtype=object), n_in=rows)


def test_one_call_in_three_dialects_gives_the_same_records():
    first, *others = (take_in(dialect(kind), "applications") for kind in ("excel", "workbook", "plain"))
    assert (first.n_ok, first.defects) == (168, [])
    assert first.accepted.loc[2 + 7, "need_area_m2"] == 1007.5
    for other in others:
        assert other.defects == []
        pd.testing.assert_frame_equal(first.accepted.drop(columns="source"), other.accepted.drop(columns="source"))


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["12,5", "oui", "15/05/2026", "93005", "T1", "été", "#N/A", "'=1", "c1", "c2"]),
)
PLACES = st.one_of(
    st.none(),
    st.just(shapely.Point()),
    st.builds(shapely.Point, st.floats(), st.floats()),
    st.builds(shapely.Point, st.floats(2, 3), st.floats(48.5, 49)),
    st.just(shapely.Polygon([(2.5, 48.9), (2.6, 49.0), (2.6, 48.9), (2.5, 49.0)])),
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nothing_is_ever_lost(data):
    name = data.draw(st.sampled_from(list(schema.TABLES)))
    known = list(schema.columns(name))
    header = data.draw(
        st.lists(st.sampled_from([*known, "Nom", "x", "y", "longitude", "latitude", "wkt"]), unique=True)
    )
    n = data.draw(st.integers(0, 6))
    cells = pd.DataFrame(
        {c: data.draw(st.lists(CELLS, min_size=n, max_size=n)) for c in header}, index=range(2, n + 2), dtype=object
    )
    shapes = None
    if data.draw(st.booleans()):
        shapes = np.empty(n, dtype=object)
        shapes[:] = data.draw(st.lists(PLACES, min_size=n, max_size=n))
    crs = data.draw(st.sampled_from([None, "EPSG:4326", "EPSG:2154"]))
    lost = data.draw(st.integers(0, 2))
    took = take_in(RawTable("f.csv", "f", cells, shapes, crs, n_in=n + lost), name)
    assert took.n_in == n + lost == took.n_ok + took.n_quarantined
    assert took.n_unlocated <= took.n_ok
    assert sorted([*took.accepted.index, *took.quarantined.index.dropna()]) == list(cells.index)
    assert (took.quarantined["motifs"] != "").all()
    assert schema.validate(took.accepted, name) == []
