"""The commands of a jury, used as people use them: explain, why-not, rules, and the options of match."""

from __future__ import annotations

import json
import re

import pytest

from geo_qmi import rulebook
from geo_qmi.cli import main
from geo_qmi.errors import DefectsError, InputError
from geo_qmi.jury.dossiers import free_stem


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


# ---------------------------------------------------------------- explain


def test_explain_by_name_adds_up_in_every_district(capsys):
    assert run("explain", "electra", "--json") == 0
    sheet = json.loads(capsys.readouterr().out)
    assert sheet["project_id"] == "QMI1-electra"
    assert len(sheet["districts"]) == 4
    for part in sheet["districts"]:
        added = sum(line["contribution_low"] for line in part["criteria"])
        assert added == pytest.approx(part["low"], abs=1e-9)
    assert "lawyer" not in json.dumps(sheet)
    assert "juriste" in sheet["legal_caution"]


def test_explain_writes_the_page_and_the_paper(here, capsys):
    assert run("explain", "QMI1-mube", "--html", "f.html", "--pdf", "f.pdf") == 0
    out = capsys.readouterr().out
    assert "Candidature retenue par le plan proposé : Les Blagis (Sceaux)." in out
    assert "L311-3-1" in out
    assert (here / "f.pdf").read_bytes().startswith(b"%PDF")
    assert "Fiche d’explication — Mube" in (here / "f.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--html", "--pdf"])
def test_explain_never_writes_over_a_study(here, capsys, option):
    study = here / "etude.gpkg"
    study.write_bytes(b"what somebody made")
    assert run("explain", "QMI1-mube", option, "etude.gpkg") == 2
    said = capsys.readouterr().err
    assert f"« etude.gpkg » : attendu un nom de fichier en .{option[2:]}. Rien n’a été écrit." in said
    assert study.read_bytes() == b"what somebody made"


def test_an_unknown_candidate_is_a_sentence(capsys):
    assert run("explain", "personne") == 2
    assert "Projet inconnu : « personne »" in capsys.readouterr().err


# ---------------------------------------------------------------- why not


def test_why_not_tells_the_cost_the_moves_and_the_rule(capsys):
    assert run("why-not", "Boucl Energie", "aulnay-sous-bois", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["project_id"], found["district_id"]) == ("QMI1-boucl-energie", "QMI1-AUL")
    assert found["possible"]
    assert not found["placed"]
    assert found["points_lost"] > 0
    assert {"project_id", "before", "after"} == set(found["moved"][0])
    assert found["sentence"].startswith("« BoucL Energie » dans « Centre Gare (Aulnay-sous-Bois) » : coûte ")


def test_why_not_of_the_plan_says_so(capsys):
    assert run("why-not", "QMI1-mube", "Les Blagis") == 0
    assert "c’est le plan proposé" in capsys.readouterr().out


# ---------------------------------------------------------------- rules


def test_rules_check_tells_all_defects_with_their_paths(here, capsys):
    (here / "r.toml").write_text("[quotas]\nlow = -1\n[layers]\nvoeux = 1.0\n", encoding="utf-8")
    assert run("rules", "check", "r.toml") == 1
    out = capsys.readouterr().out
    assert "2 défauts" in out
    assert "quotas.low" in out
    assert run("rules", "check", "r.toml", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], len(found["defects"]), found["rules"]) == ("defects", 2, None)


def test_rules_copy_then_check_then_match(here, capsys):
    assert run("rules", "copy", "r.toml") == 0
    assert run("rules", "copy", "r.toml") == 2
    assert "existe déjà" in capsys.readouterr().err
    assert run("rules", "check", "r.toml", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rules"]["quotas"] == {"low": 6, "high": 8, "district": {}}
    text = (here / "r.toml").read_text(encoding="utf-8")
    veto = '\n[[vetoes]]\nproject = "QMI1-mube"\ndistrict = "QMI1-SCE"\nreason = "essai"\n'
    (here / "r.toml").write_text(text + veto, encoding="utf-8")
    assert run("match", "--rules", "r.toml", "--json") == 0
    plan = {row["project_id"]: row["district_id"] for row in json.loads(capsys.readouterr().out)["plan"]}
    assert len(plan) == 28
    assert plan["QMI1-mube"] != "QMI1-SCE"
    manifest = json.loads((here / "resultats" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"]["rules"] == rulebook.opened(here / "r.toml").sha256
    assert manifest["parameters"]["rules"]["vetoes"][0]["reason"] == "essai"


def test_rules_naming_strangers_are_refused_by_match(here, capsys):
    (here / "r.toml").write_text(
        '[[fixed]]\nproject = "inconnu"\ndistrict = "QMI1-SCE"\nreason = "essai"\n', encoding="utf-8"
    )
    assert run("rules", "check", "r.toml") == 0
    assert run("match", "--rules", "r.toml") == 2
    told = capsys.readouterr().err
    assert "projet inconnu" in told
    assert "fixed[0].project" in told
    assert not (here / "resultats").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[quotas\nlow = 6", "ce n’est pas du TOML (ligne 1, colonne 8)"),
        (b"\xff\xfe", "UTF-8"),
        (b"# " + b"x" * 1_000_001, "1 Mo"),
        (None, "introuvable"),
    ],
)
def test_a_file_that_is_no_rule_file_is_a_sentence(here, capsys, content, words):
    if content is not None:
        (here / "r.toml").write_bytes(content)
    assert run("match", "--rules", "r.toml") == 2
    assert words in capsys.readouterr().err


def test_rules_that_clash_name_the_smallest_set(here, capsys):
    # One project at least in each of four districts, three at most in all: four minima and one ceiling.
    (here / "r.toml").write_text("[quotas]\nlow = 1\nhigh = 8\n[totals]\nmax = 3\n", encoding="utf-8")
    assert run("match", "--rules", "r.toml") == 1
    told = capsys.readouterr().err
    assert "ces 5 règles ne peuvent pas être tenues ensemble" in told
    assert "au moins 1 projet dans le quartier" in told
    assert not (here / "resultats").exists()


# ---------------------------------------------------------------- options of match


def test_the_stable_plan_is_compared_in_one_table(here, capsys):
    assert run("match", "--stable", "--json") == 0
    found = json.loads(capsys.readouterr().out)["stable"]
    modes = {row["Mesure"]: row for row in found["modes"]}
    assert modes["Paires qui bloquent le plan"]["Stable"] == 0
    assert modes["Total des scores"]["Meilleur total"] >= modes["Total des scores"]["Stable"]
    assert (here / "resultats" / "modes.csv").exists()


def test_the_safe_core_is_part_of_the_plan(here, capsys):
    assert run("match", "--alternatives", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    plan = {(row["project_id"], row["district_id"]) for row in told["plan"]}
    core = {
        (row["Projet (identifiant)"], row["Quartier (identifiant)"])
        for row in told["alternatives"]["noyau_sur"]
        if row["État"] == "noyau sûr"
    }
    assert core
    assert core <= plan


def test_robustness_of_one_criterion_says_there_is_nothing_to_move(here, capsys):
    assert run("match", "--robustness") == 0
    assert "Un seul critère compte ici" in capsys.readouterr().out


def test_questions_too_many_to_try_are_said_and_not_tried(here, capsys, monkeypatch):
    monkeypatch.setattr("geo_qmi.runs.outputs._MOST_TRIES", 0)
    assert run("match", "--demo") == 0
    assert "trop pour essayer ici toutes les réponses" in capsys.readouterr().out


def test_demonstration_scores_are_intervals_where_a_cell_is_missing(here, capsys):
    assert run("match", "--demo", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["weights"]["feasibility"] == pytest.approx(1 / 6)
    wide = [row for row in told["scores"] if row["high"] > row["low"]]
    assert wide
    best = told["questions"][0]
    assert all(one["settled"] <= best["settled"] for one in told["questions"])
    assert run("match", "--demo") == 0
    assert f"Une seule question, la plus utile : {best['question']}." in " ".join(capsys.readouterr().out.split())
    assert all(row["low"] <= row["score"] <= row["high"] for row in told["scores"] if row["score"] is not None)


def test_one_sheet_a_candidate_in_three_forms(here, capsys):
    rows = [f"A{i};Projet {i};Jardin de pluie sur la place" for i in range(3)]
    call = "\n".join(["Dossier;Nom du projet;Description", *rows])
    (here / "appel.csv").write_text(call, encoding="utf-8")
    assert run("match", "appel.csv", "--low", 0, "--high", 0, "--sheets", "fiches") == 0
    names = {path.name for path in (here / "fiches").iterdir()}
    assert {f"fiche-A{i}.{suffix}" for i in range(3) for suffix in ("html", "pdf", "json")} <= names
    record = json.loads((here / "fiches" / "fiche-A0.json").read_text(encoding="utf-8"))
    assert record["status"] == "out"


def test_file_names_of_sheets_are_safe_and_used_once():
    taken: set[str] = set()
    names = [free_stem(ident, taken) for ident in ("../a b", "a/b", "A b", "…", "con")]
    assert names == ["fiche-a-b", "fiche-a-b-2", "fiche-A-b-3", "fiche-dossier", "fiche-con"]
    assert all(re.fullmatch(r"[A-Za-z0-9-]+", name) for name in names)


# ---------------------------------------------------------------- around the plan


def test_a_wave_is_dated_and_its_refused_dossiers_come_back(here, capsys):
    rows = [f"A{i};Projet {i};{text}" for i, text in enumerate(["Vélo en libre service", "Jardin de pluie", "Compost"])]
    (here / "appel.csv").write_text("\n".join(["Dossier;Nom du projet;Description", *rows]), encoding="utf-8")
    one = ("--district", "QMI1-SCE", "--low", 0, "--high", 1)
    assert run("match", "appel.csv", *one, "--wave", "phase 1", "--at", "2026-11-22", "--json") == 0
    first = json.loads(capsys.readouterr().out)["plan"][0]["project_id"]
    waves = "resultats/waves.csv"
    assert run("next-wave", waves, "phase 2", *one[:2], "--low", 0, "--high", 2, "--at", "2027-02-01", "--json") == 0
    plan = json.loads(capsys.readouterr().out)["plan_de_vague"]
    assert {row["Projet (identifiant)"] for row in plan} <= {"A0", "A1", "A2"} - {first}
    assert {row["Date du score"] for row in plan} == {"2026-11-22"}
    assert run("next-wave", waves, "phase 3") == 2
    assert "aucun quartier à servir" in capsys.readouterr().err
    for day, said in (("2026-13-01", "« 2026-13-01 » n’est pas un jour"), ("2026-01-01", "datée du 2026-11-22")):
        assert run("next-wave", waves, "phase 3", *one[:2], "--low", 0, "--at", day) == 2
        assert said in capsys.readouterr().err


def test_a_dossier_offered_again_without_its_text_is_said_to_count_for_no_theme(here, capsys):
    (here / "appel.csv").write_text(
        "Dossier;Nom du projet;Description\nA0;Un;Vélo\nA1;Deux;Compost\n", encoding="utf-8"
    )
    one = ("--district", "QMI1-SCE", "--low", 0, "--high", 1)
    assert run("match", "appel.csv", *one, "--wave", "phase 1", "--at", "2026-11-22", "--json") == 0
    (here / "r.toml").write_text('[[theme_bounds]]\ntheme = "energie"\ndistrict = "*"\nhigh = 2\n', encoding="utf-8")
    capsys.readouterr()
    later = ("next-wave", "resultats/waves.csv", "phase 2", *one, "--at", "2027-02-01", "--rules", "r.toml")
    assert run(*later) == 0
    assert "1 dossier hors de toute borne de thème" in capsys.readouterr().out


def test_one_option_counts_what_was_said_on_the_ground(here, capsys):
    lines = {}
    for options in (["--field"], ["--field-weight", 0.5]):
        assert run("explain", "Istya", *options, "--json") == 0
        part = json.loads(capsys.readouterr().out)["districts"][0]
        lines[options[0]] = next(line for line in part["criteria"] if line["criterion"] == "field")
    assert (lines["--field"]["weight"], lines["--field"]["contribution_low"]) == (0, 0)
    assert lines["--field-weight"]["weight"] == pytest.approx(1 / 3)  # 0.5 beside a weight of 1
    assert lines["--field-weight"]["contribution_low"] == pytest.approx(lines["--field-weight"]["low"] / 3)


def test_a_phase_of_the_rules_says_its_districts(here, capsys):
    rules = '[quotas]\nlow = 0\nhigh = 8\n[waves]\nphases = [{ name = "un", districts = ["QMI1-SCE"] }]\n'
    (here / "r.toml").write_text(rules, encoding="utf-8")
    assert run("match", "--rules", "r.toml", "--wave", "un", "--at", "2026-11-22", "--json") == 0
    assert {row["district_id"] for row in json.loads(capsys.readouterr().out)["plan"]} == {"QMI1-SCE"}


def test_marks_of_evaluators_are_read_and_twice_the_same_is_refused(here, capsys):
    (here / "notes.csv").write_text("Projet;Évaluateur;Note\nQMI1-mube;A;8\nQMI1-mube;B;6,5\n", encoding="utf-8")
    assert run("evaluators", "notes.csv", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["classements"][0]["Dossier"] == "Mube"
    assert told["classements"][0]["Désaccord"] == pytest.approx(1.5)
    (here / "notes.csv").write_text("Projet;Évaluateur;Note\nx;A;8\nx;A;6\n", encoding="utf-8")
    assert run("evaluators", "notes.csv") == 2
    assert "combinaison déjà présente" in capsys.readouterr().err


def test_likely_duplicates_are_shown_by_the_check_and_by_their_command(here, capsys):
    rows = "A1;Arbre en ville;Des arbres\nA2;Arbre en villes;Un potager sur le toit\n"
    (here / "appel.csv").write_text("Dossier;Nom du projet;Description\n" + rows, encoding="utf-8")
    assert run("check", "appel.csv", "--as", "applications", "--json") == 0
    pairs = json.loads(capsys.readouterr().out)["duplicates"]["duplicates"]
    assert [(row["Dossier"], row["Ressemble à"]) for row in pairs] == [("Arbre en ville", "Arbre en villes")]
    assert run("duplicates", "appel.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["candidatures"]["duplicates"] == pairs
    assert run("duplicates", "appel.csv") == 0
    out = capsys.readouterr().out
    assert "deux projets distincts" in out
    assert "Floware et Ecomesure" in out


def test_a_theme_is_bounded_over_all_districts(here, capsys):
    bound = '[quotas]\nlow = 0\nhigh = 8\n[[theme_bounds]]\ntheme = "mobilites"\ndistrict = "all"\nhigh = 1\n'
    (here / "r.toml").write_text(bound, encoding="utf-8")
    assert run("match", "--rules", "r.toml", "--json") == 0
    free = {row["project_id"]: row["district_id"] for row in json.loads(capsys.readouterr().out)["plan"]}
    from geo_qmi.matching import main_themes, offers
    from geo_qmi.shipped import shipped_tables

    tables = shipped_tables()
    brought = offers(tables["projects"], lexicon=tables["lexicon"], tags=tables["project_tags"])
    moving = main_themes(brought).query("theme == 'mobilites'")["project_id"]
    assert len(moving) == 4
    assert len([one for one in moving if one in free]) == 1


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ("", 2, "ne contient aucune ligne"),
        ("A1;Un;Jardin\nA1;Deux;Vélo\n", 2, "identifiant présent plusieurs fois"),
        ("A1;Un;Jardin de pluie\n", 1, "Plan impossible"),
    ],
)
def test_a_call_of_none_of_doubles_or_of_one_is_a_sentence(here, capsys, rows, code, words):
    (here / "appel.csv").write_text("Dossier;Nom du projet;Description\n" + rows, encoding="utf-8")
    assert run("match", "appel.csv") == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("files", "words"), [((), "n’existe pas"), (("config.json",), ".safetensors")])
def test_a_folder_that_is_no_model_is_a_sentence(here, capsys, files, words):
    for name in files:
        (here / "modele").mkdir()
        (here / "modele" / name).write_text("{}", encoding="utf-8")
    assert run("match", "--model", "modele") == 2
    assert words in capsys.readouterr().err


# ---------------------------------------------------------------- the rule book


def test_values_are_written_at_their_place_and_comments_stay():
    text = rulebook.with_values(rulebook.shipped_text(), {"criteria.needs.weight": 0.5, "quotas.high": 9})
    rules = rulebook.parsed(text).rules
    assert (rules.criterion("needs").weight, rules.quotas.high) == (0.5, 9)
    assert text.count("#") == rulebook.shipped_text().count("#")
    assert rulebook.with_values(rulebook.shipped_text(), {}) == rulebook.shipped_text()


def test_a_value_that_cannot_be_changed_in_place_is_a_sentence():
    with pytest.raises(InputError, match="ne peut pas être changé à sa place"):
        rulebook.with_values("quotas = { low = 6, high = 8 }", {"quotas.low": 4})


def test_changed_values_are_checked_like_written_ones():
    with pytest.raises(DefectsError, match="quotas"):
        rulebook.opened(values={"quotas.low": 9})
