"""The command line, used as people use it: French sentences, exit codes, files."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pandas as pd
import pytest

from geo_qmi.cli import app, main
from geo_qmi.workspace import Study

#: English words Typer would print by itself.
ENGLISH = re.compile(
    r"\b(Usage:|Show this message|Commands?:|Missing|No such|Invalid|required|default:|Error|Aborted|unexpected)\b"
)


def run(*arguments: object) -> int:
    """Run a command in this process and return its exit code."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands() -> list[str]:
    """Names of all commands."""
    return [command.name or command.callback.__name__ for command in app.registered_commands]


def applications(n: int) -> str:
    """A call in French Excel dialect, with one bad row."""
    lines = ["Dossier;Nom du projet;Description;Surface demandée"]
    lines += [f"A{i:02d};Projet {i};Jardin de pluie et îlot de fraîcheur sur la place;12,5" for i in range(n)]
    return "\r\n".join([*lines, "A00;Doublon;Texte;douze"])


# ---------------------------------------------------------------- help and usage


@pytest.mark.parametrize(
    "arguments", [("match", "--out"), ("evaluate", "--out"), ("template",)], ids=lambda one: one[0]
)
def test_a_folder_that_cannot_be_made_is_one_french_sentence(here, capsys, arguments):
    (here / "occupé").write_text("un fichier")
    assert run(*arguments, here / "occupé" / "dossier") == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.fullmatch(
        "Erreur : « .* » : un fichier tient la place d’un dossier. Vérifiez le chemin et vos droits.", said
    )


@pytest.mark.parametrize("name", ["", *commands()])
def test_help_is_french(name, capsys):
    assert run(*filter(None, [name]), "--help") == 0
    out = capsys.readouterr().out
    assert "Usage :" in out
    assert "Affiche cette aide." in out
    assert ENGLISH.search(out) is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verifier"], "Commande inconnue : 'verifier'"),
        (["matc"], "Vouliez-vous dire 'match' ?"),
        (["export", "districts"], "Donnez TABLE et SORTIE, ou --all DOSSIER pour tout écrire."),
        (["import", "f.csv"], "Option obligatoire absente : --as"),
        (["match", "--low", "six"], "Valeur refusée pour --low : attendu un nombre entier."),
        (["match", "--haut", "8"], "Option inconnue : --haut."),
        (["coverage", "x", "--household", "-2"], "Valeur refusée pour --household : attendu 1 au moins."),
        (["undo", "a", "b"], "Argument(s) en trop : b."),
        (["check", "absent.csv"], "introuvable"),
        (["check", "absent.gpkg"], "introuvable"),
        (["app", "absent.gpkg"], "Étude introuvable"),
        (["export", "rues", "x.csv"], "Table inconnue : « rues »"),
        (["export", "districts", "x.shp"], "Format d’export inconnu : « .shp »"),
        (["export", "participants", "x.csv"], "--with-private"),
        (["import", "f.csv", "--as", "figures", "--study", "absent.gpkg"], "geo-qmi init absent.gpkg"),
        (["check", "f.csv", "--map", "sans egal"], "attendu COLONNE=CHAMP"),
        (["match", "f.csv", "--demo"], "mais pas les deux"),
        (["match", "--district", "QMI9-XYZ"], "Quartiers à servir inconnus : QMI9-XYZ"),
    ],
)
def test_wrong_use_ends_with_one_french_sentence(here, capsys, arguments, words):
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err
    assert ENGLISH.search(err) is None


# ---------------------------------------------------------------- the whole thread


def test_init_check_match_export(here, capsys):
    assert run("init", "etude.gpkg") == 0
    assert "168" not in capsys.readouterr().err
    assert run("check", "etude.gpkg") == 0
    assert "0 erreur" in capsys.readouterr().out
    assert run("match", "--study", "etude.gpkg", "--out", "r") == 0
    assert re.search(r"Commune réelle au rang 1 : \d+/28 \(hasard : 7,00\)", capsys.readouterr().out)
    written = {path.name for path in (here / "r").iterdir() if not path.name.endswith(".meta.json")}
    assert written == {
        "scores.csv", "criteria.csv", "duplicates.csv", "explanations.csv", "assignments.geojson", "manifest.json",
    }  # fmt: skip
    assert run("export", "districts", "d.geojson", "--study", "etude.gpkg") == 0
    features = json.loads((here / "d.geojson").read_text(encoding="utf-8"))["features"]
    assert len(features) == 10
    assert sum(feature["geometry"] is None for feature in features) == 6


def test_init_never_overwrites(here, capsys):
    assert run("init", "e.gpkg") == 0
    assert run("init", "e.gpkg") == 2
    assert "existe déjà" in capsys.readouterr().err


def test_match_gives_the_same_bytes_twice(here):
    for folder in ("a", "b"):
        assert run("match", "--out", folder) == 0
    names = sorted(path.name for path in (here / "a").iterdir())
    assert len(names) == 11
    for name in names:
        assert (here / "a" / name).read_bytes() == (here / "b" / name).read_bytes()


def test_match_of_the_demonstration_says_so_everywhere(here, capsys):
    assert run("match", "--demo", "--out", "r") == 0
    out = capsys.readouterr().out
    assert "[démonstration]" in out
    assert "32 placés, 136 hors plan" in out
    assert "[démonstration]" in json.loads((here / "r" / "manifest.json").read_text(encoding="utf-8"))["title"]
    assert "démonstration" in (here / "r" / "assignments.geojson").read_text(encoding="utf-8")


def test_assignments_draw_perimeters_and_no_point(here):
    assert run("match", "--out", "r") == 0
    features = json.loads((here / "r" / "assignments.geojson").read_text(encoding="utf-8"))["features"]
    assert len(features) == 28
    assert {feature["geometry"]["type"] for feature in features if feature["geometry"]} == {"MultiPolygon"}


def test_infeasible_quotas_name_both_totals(here, capsys):
    assert run("match", "--low", 9, "--high", 12) == 1
    assert "4 quartiers × 9 projets au moins = 36, mais 28 candidatures" in capsys.readouterr().err
    assert not (here / "resultats").exists()


def test_match_a_file_reports_its_defects_and_goes_on(here, capsys):
    (here / "appel.csv").write_text(applications(24), encoding="cp1252")
    assert run("match", "appel.csv", "--out", "r", "--low", 1) == 1
    told = capsys.readouterr()
    assert "ligne 26" in told.err
    assert "appel.csv" in told.out
    assert run("match", "appel.csv", "--out", "r", "--low", 1, "--json") == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["n_refused"], len(summary["plan"]) + len(summary["excluded"])) == (2, 23)


def test_match_json_is_one_object(here, capsys):
    assert run("match", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["hosts"]["n"] == 28
    assert len(summary["scores"]) == 28 * 4


# ---------------------------------------------------------------- import


def test_import_takes_the_valid_rows_and_keeps_the_others(here, capsys):
    run("init", "e.gpkg")
    (here / "appel.csv").write_text(applications(5), encoding="cp1252")
    capsys.readouterr()
    assert run("import", "appel.csv", "--as", "applications", "--study", "e.gpkg", "--actor", "Ana") == 1
    out = capsys.readouterr().out
    assert "4 lignes ajoutées" in out  # A00 is twice: neither row is taken
    assert Study("e.gpkg").tables()["applications"] == 172
    kept = pd.read_csv(here / "appel.quarantaine.csv", sep=";", encoding="utf-8-sig")
    assert len(kept) == 2
    assert run("import", "appel.csv", "--as", "applications", "--study", "e.gpkg") == 1
    assert (here / "appel.quarantaine-2.csv").exists()
    assert run("journal", "e.gpkg", "--last", 1) == 0
    assert "Ana" in capsys.readouterr().out
    assert run("undo", "e.gpkg") == 0
    assert Study("e.gpkg").tables()["applications"] == 168


def test_a_report_never_replaces_the_file_it_is_about(here, capsys):
    (here / "appel.csv").write_text(applications(5), encoding="utf-8-sig")
    before = (here / "appel.csv").read_bytes()
    assert run("check", "appel.csv", "--as", "applications", "--report", str(here / "appel.csv")) == 2
    assert "est le fichier à vérifier" in capsys.readouterr().err
    assert (here / "appel.csv").read_bytes() == before


def test_check_json_counts_add_up(here, capsys):
    (here / "appel.csv").write_text(applications(5), encoding="utf-8-sig")
    assert run("check", "appel.csv", "--as", "applications", "--json", "--report", "d.csv") == 1
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["verdict", "n_in", "n_ok", "n_unlocated", "n_quarantined", "issues", "duplicates"]
    assert found["n_in"] == found["n_ok"] + found["n_quarantined"] == 6
    assert set(found["issues"][0]) == {
        "severity", "file", "layer", "row", "id", "field", "value", "reason", "proposal",
    }  # fmt: skip
    assert (here / "d.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_check_an_ordinary_geopackage_layer_by_layer(here, capsys, shipped):
    shipped["stations"].to_file(here / "gares.gpkg", layer="stations")
    assert run("check", "gares.gpkg") == 0
    assert "35 lignes lues = 35 sans erreur" in capsys.readouterr().out


def test_check_a_study_with_a_defect_exits_with_1(here, capsys):
    import sqlite3
    from contextlib import closing

    run("init", "e.gpkg")
    with closing(sqlite3.connect("e.gpkg")) as raw, raw:
        raw.execute("UPDATE projects SET district_id = 'QMI1-XXX' WHERE project_id = 'QMI1-eiko'")
    assert run("check", "e.gpkg") == 1
    assert "QMI1-eiko" in capsys.readouterr().out


def test_tables_lists_all(here, capsys):
    assert run("tables") == 0
    out = capsys.readouterr().out
    assert "Quartiers d’innovation" in out
    assert "table entière" in out


# ---------------------------------------------------------------- weight


def test_help_and_import_load_nothing_heavy():
    script = (
        "import sys, geo_qmi, geo_qmi.cli;"
        "print(sorted({'pandas', 'numpy', 'geopandas', 'streamlit', 'pandera', 'shapely'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
