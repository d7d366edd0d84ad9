"""Are reports bounded on screen, complete in the file, and do their counts add up?"""

from __future__ import annotations

import csv
import json

import pandas as pd
import pytest

from geo_qmi.errors import Defect, InputError
from geo_qmi.intake import Intake, Report, take_in, write_quarantine
from geo_qmi.sources.raw import RawTable


def flood(rows: int = 10_000) -> Report:
    defects = [Defect("error", "valeur manquante", "renseignez", "a.csv", "a", i, f"c{i}", "Nom") for i in range(rows)]
    rare = Defect("error", "ce n’est pas un nombre", "écrivez un nombre", "a.csv", "a", rows, "z", "Surface", "=1+1")
    return Report(rows + 1, 0, 0, rows + 1, [Defect("warning", "lu en cp1252", file="a.csv"), *defects, rare])


def test_screen_is_bounded_and_shows_every_kind():
    lines = flood().lines()
    assert len(lines) == 52
    assert lines[50] == "… et 9952 autres (rapport complet : --report FICHIER.csv)"
    assert lines[51] == (
        "10001 lignes lues = 0 sans erreur (dont 0 sans lieu) + 10001 en quarantaine ; 10001 erreurs, 1 avertissement."
    )
    assert lines[0] == "avertissement : a.csv : lu en cp1252"
    assert lines[49].startswith("erreur : a.csv, a, ligne 10000, id z, colonne « Surface » : ce n’est pas un nombre")


def test_warnings_alone_are_no_defects():
    assert Report(1, 1, 0, 0, [Defect("warning", "à savoir")]).verdict == "ok"
    assert flood(1).verdict == "defects"


def test_dictionary_is_plain_json_with_fixed_keys():
    report = Report(2, 1, 1, 1, [Defect("error", "r", "p", "f", "l", 3, "i", "c", "v")], ("note",))
    assert json.loads(json.dumps(report.as_dict())) == {
        "verdict": "defects",
        "n_in": 2,
        "n_ok": 1,
        "n_unlocated": 1,
        "n_quarantined": 1,
        "issues": [
            {
                "severity": "error",
                "file": "f",
                "layer": "l",
                "row": 3,
                "id": "i",
                "field": "c",
                "value": "v",
                "reason": "r",
                "proposal": "p",
            }
        ],
    }


def test_csv_holds_every_defect_and_runs_nothing(tmp_path):
    path = flood().to_csv(tmp_path / "rapport.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfGravit\xc3\xa9;Fichier;")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert len(rows) == 1 + 10_002
    assert rows[-1] == [
        "erreur", "a.csv", "a", "10000", "z", "Surface", "'=1+1", "ce n’est pas un nombre", "écrivez un nombre",
    ]  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["rapport.csv"]


def test_report_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="Impossible d’écrire"):
        flood(1).to_csv(tmp_path / "absent" / "rapport.csv")


def test_report_never_lands_on_a_study(tmp_path):
    study = tmp_path / "etude.gpkg"
    study.write_bytes(b"what somebody made")
    with pytest.raises(InputError, match=r"« etude\.gpkg » : attendu un nom de fichier en \.csv"):
        flood(1).to_csv(study)
    assert study.read_bytes() == b"what somebody made"


def test_quarantine_can_be_corrected_and_imported_again(tmp_path):
    cells = {"Dossier": ["c0", "c1"], "Nom": ["Banc", ""], "Résumé": ["=texte", "-texte"], "Testeurs": [2.5, 3.0]}
    raw = RawTable("a.xlsx", "a", pd.DataFrame(cells, index=[2, 3], dtype=object), n_in=2)
    took = take_in(raw, "applications")
    assert took.n_quarantined == 2
    with write_quarantine(took, tmp_path / "q.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["ligne", "motifs", "Dossier", "Nom", "Résumé", "Testeurs"]
    assert rows[1][2:] == ["c0", "Banc", "'=texte", "2,5"]
    assert rows[2] == ["3", "Nom : valeur manquante, obligatoire ici", "c1", "", "'-texte", "3,0"]
    again = pd.DataFrame([dict(zip(rows[0], row, strict=True)) for row in rows[1:]], index=[2, 3], dtype=object)
    again.loc[2, "Testeurs"], again.loc[3, "Nom"] = "2", "Arbre"
    took = take_in(RawTable("q.csv", "q", again, n_in=2), "applications")
    assert took.accepted["description"].tolist() == ["=texte", "-texte"]
    assert [d.reason for d in took.defects] == ["2 colonnes non reprises : « ligne », « motifs »"]


def test_counts_that_do_not_add_up_cannot_exist():
    with pytest.raises(AssertionError, match="3 records in, 0 \\+ 0 out"):
        Intake("sites", pd.DataFrame(), pd.DataFrame(), [], n_in=3)
