"""Do the command, the tables and the sheets tell the tests of a study, warnings first, and no name of a rater?"""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from geo_qmi import evaluating, evaluation, export, handover, intake, schema, sheets
from geo_qmi.cli import app, main
from geo_qmi.errors import UnknownNameError
from geo_qmi.intake.columns import gist, spellings
from geo_qmi.shipped import shipped_tables
from geo_qmi.workspace import Study

DAY = "2026-11-22"


@pytest.fixture(scope="module")
def study() -> dict[str, pd.DataFrame]:
    return shipped_tables()


@pytest.fixture(scope="module")
def found(study) -> evaluating.Evaluation:
    return evaluating.evaluate(study, as_of=DAY)


def without(study: dict[str, pd.DataFrame], *names: str) -> dict[str, pd.DataFrame]:
    return {**study, **{name: study[name].iloc[:0] for name in names}}


def test_the_library_holds_sixty_indicators_and_says_whose_they_are(study):
    library = study["indicators"]
    assert len(library) >= 60
    assert library["source"].str.startswith("proposition de geo-qmi").all()
    for column in ("family", "level", "direction", "citykeys"):
        assert set(library[column]) == set(schema.choices("indicators", column)), column
    assert library["label"].is_unique


def test_nothing_real_is_measured_or_marked(study):
    for name in ("protocols", "protocol_indicators", "measures", "replicability_marks"):
        assert study[name]["demo"].all(), name
        assert study[name]["source"].str.startswith("démonstration").all(), name
    real = set(study["projects"]["project_id"])
    assert not real & set(study["protocols"]["project_id"])
    assert not real & set(study["replicability_marks"]["project_id"])
    assert study["protocols"]["hypothesis"].str.startswith("Démonstration").all()
    assert study["replicability_marks"]["rater"].str.contains("ficti").all()


def test_the_demonstration_shows_every_evidence_a_protocol_allows(found):
    assert set(found.outcomes.indicators["evidence"]) == {
        "measured", "no_comparison", "no_baseline", "no_measure", "measured_before_protocol", "secrecy",
    }  # fmt: skip
    assert found.demo
    assert set(found.protocols["next_step"]) == {"copy", "fund", "stop", "undecided"}


def test_each_test_is_named_and_told(found):
    assert found.tests["project"].tolist() == [
        "Skadouvique Feuille", "Skatsovique Chaleur", "Yolpecmine", "Skadouvique Feuille", "Skazidan",
    ]  # fmt: skip
    first = found.protocols.set_index("protocol_id").loc["DEMO-P1"]
    assert first[["project", "state", "n_decided", "n_reached"]].tolist() == ["Skadouvique Feuille", "terminé", 4, 3]
    assert found.warnings[0].startswith("Skatsovique Chaleur, Meudon – Meudon-la-Forêt : Trop tard pour mesurer : 6,8")


def test_one_project_or_one_district_is_asked_for_by_name(study):
    both = evaluating.evaluate(study, project="skadouvique", as_of=DAY)
    assert set(both.tests["district_id"]) == {"QMI1-AUL", "QMI1-SCE"}
    assert set(both.outcomes.indicators["protocol_id"]) == {"DEMO-P1", "DEMO-P2"}
    assert list(both.lookalikes) == ["QMI1-AUL", "QMI1-SCE"]
    here = evaluating.evaluate(study, district="Sceaux", as_of=DAY)
    assert set(here.tests["project_id"]) == {"DEMO-014", "DEMO-032"}
    with pytest.raises(UnknownNameError, match=r"DEMO-034 \(Yolpecmine\)"):
        evaluating.evaluate(study, project="Purple", as_of=DAY)


def test_a_study_without_test_says_what_to_do(study):
    empty = without(study, "protocols", "protocol_indicators", "measures", "replicability_marks")
    nothing = evaluating.evaluate(empty, as_of=DAY)
    assert nothing.nothing.startswith("Aucun test dans cette étude : ni protocole, ni note.")
    assert nothing.tests.empty
    assert not nothing.demo
    assert evaluating.evaluate(study, district="Argenteuil", as_of=DAY).nothing.startswith(
        "Aucun test dans le quartier"
    )


def test_marks_and_measures_without_protocol_are_told_on_every_output(study):
    loose = without(study, "protocols", "protocol_indicators")
    told = evaluating.evaluate(loose, as_of=DAY)
    assert told.warnings[0].startswith("Données sans protocole : 23 mesures de protocoles inconnus « DEMO-P1 »")
    assert sum("noté sans protocole" in text for text in told.warnings) == 4
    record = evaluating.sheet(loose, "DEMO-014", as_of=DAY)
    assert record["warnings"][0].startswith("Données sans protocole")
    assert "À savoir avant de conclure" in sheets.report_html(record)


def test_a_project_nobody_knows_is_told(study):
    strange = {**study, "applications": study["applications"].query("application_id != 'DEMO-037'")}
    told = evaluating.evaluate(strange, as_of=DAY)
    assert "Projet inconnu de cette étude : « DEMO-037 »." in " ".join(told.warnings)
    assert "DEMO-037" in set(told.tests["project"])


def test_marks_of_a_later_day_are_left_out(study):
    early = evaluating.evaluate(study, project="DEMO-014", as_of="2026-09-12").replicability.criteria
    assert early.set_index(["district_id", "criterion_id"]).loc[("QMI1-AUL", "C5"), "n_raters"] == 2


def test_a_commune_without_a_listed_station_has_an_unknown_number(study):
    aulnay = study["stations"]["insee"] == "93005"
    context = evaluating.contexts({**study, "stations": study["stations"][~aulnay]})
    assert context.loc["QMI1-AUL", ["commune_stations", "commune_lines"]].isna().all()
    assert context.loc["QMI2-ARG", "commune_population"] == 106_130
    assert pd.isna(context.loc["QMI2-ARG", "district_area_ha"])


def test_a_sheet_shows_the_profile_first_and_never_a_name(study):
    marks = study["replicability_marks"]
    raters, reasons = set(marks["rater"]), set(marks["justification"].dropna())
    for edition in ("jury", "public"):
        record = evaluating.sheet(study, "DEMO-014", edition=edition, as_of=DAY)
        page = sheets.report_html(record)
        assert page.index("critères évalués sur 5") < page.index("Ce qui a été mesuré")
        assert "projet, mesures et notes inventés, ne rien en conclure." in page
        assert not any(rater in page for rater in raters)
        assert any(reason in page for reason in reasons) is (edition == "jury")
        assert page.count("<svg") == 2  # a radar a district
        assert not any(outside in page for outside in ("src=", 'href="http', "@import"))
    with pytest.raises(UnknownNameError):
        evaluating.sheet(study, "DEMO-014", edition="tous", as_of=DAY)


def test_the_paper_says_what_the_page_says_and_is_the_same_twice(study):
    record = evaluating.sheet(study, "DEMO-037", edition="public", as_of=DAY)
    paper = sheets.report_pdf(record)
    assert paper == sheets.report_pdf(record)
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed: no page is read")
    pages = [page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(paper)]
    text = " ".join(" ".join(pages).split())
    assert "Fiche d’évaluation — Skatsovique Chaleur" in text
    assert "Trop tard pour mesurer" in text
    assert "Suite : arrêter." in text
    assert "non mesuré (une saison de chauffe entière" in text


def test_raters_stay_in_the_study(study):
    # What an edition holds, without drawing its maps.
    layer = export.from_table(study["replicability_marks"], "replicability_marks", private=False, title=None)
    assert not {"rater", "justification"} & set(layer.frame.columns)
    leaving = handover._leaving(study, study, "public")
    told = leaving["measures"].set_index("measure_id")
    assert told.loc["DEMO-V23", ["value", "n", "method_note"]].isna().all()
    assert handover._leaving(study, study, "jury")["measures"]["value"].count() == 21


def test_the_tables_of_one_district_follow_its_protocols(study):
    kept = handover._of_district(study, study, "QMI1-NOI")
    assert set(kept["measures"]["protocol_id"]) == set(kept["protocol_indicators"]["protocol_id"]) == {"DEMO-P4"}
    assert "indicators" not in kept


def test_the_command_prints_warnings_before_results():
    done = CliRunner().invoke(app, ["evaluate", "--at", DAY, "--project", "Yolpecmine"])
    assert done.exit_code == 0, done.output
    assert "Évaluation : Yolpecmine [démonstration]" in done.output
    assert done.output.index("Attention : Yolpecmine") < done.output.index("Camionnettes évitées")
    assert "Hors du domaine observé : non classés" in done.output


def test_the_command_writes_tables_and_sheets(tmp_path):
    out = tmp_path / "bilan"
    command = ["evaluate", "--at", DAY, "--project", "DEMO-034", "--edition", "public", "--out", str(out), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert [row["Indicateur"] for row in record["resultats"]] == ["Camionnettes évitées", "Plaintes reçues"]
    assert record["profils"][0]["Critères évalués"] == "3/5"
    written = {path.name for path in out.iterdir() if not path.name.endswith(".meta.json")}
    assert written == {"fiche-DEMO-034.html", "fiche-DEMO-034.pdf", *(f"{name}.csv" for name in evaluating.HEADINGS)}
    assert "Évaluat" not in "".join(path.read_text("utf-8") for path in out.glob("*.csv"))


@pytest.mark.parametrize("asked", [["--project", "inconnu"], ["--edition", "tous"], ["--at", "demain"]])
def test_a_wrong_choice_ends_with_one_sentence(asked, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *asked])
    assert ended.value.code == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("Erreur : ")
    assert len(said.splitlines()) == 1


def test_the_sum_of_levels_is_never_in_a_table_or_a_sheet(study, found):
    told = str(evaluating.sheet(study, "DEMO-014", as_of=DAY)) + str(evaluating.readable(found))
    assert "/15" not in told
    assert evaluation.SUM_CAUTION not in told


@pytest.mark.parametrize("name", ["indicators", "protocols", "protocol_indicators", "measures", "replicability_marks"])
def test_every_title_and_alias_of_a_file_means_its_own_column(name):
    known = spellings(name)
    for column, spec in schema.columns(name).items():
        for title in (str(spec.title), *spec.metadata["aliases"]):
            assert known[gist(title)] == column, title


def test_a_file_of_marks_is_taken_row_by_row(tmp_path):
    study = Study.create(tmp_path / "etude.gpkg", shipped_tables())
    header = "Identifiant de la note;Projet;Quartier;Critère;Évaluatrice;Noté le;Niveau"
    levels = {"N1": "2", "N2": "4", "N3": "-1", "N4": "2,5", "N5": "vrai", "N6": ""}
    lines = [f"{ident};DEMO-014;QMI1-AUL;C1;Personne {ident};2026-11-01;{level}" for ident, level in levels.items()]
    path = tmp_path / "notes.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    took = intake.import_file(study, path, table="replicability_marks", mapping={"Noté le": "marked_on"})
    assert (took.n_ok, took.n_quarantined) == (2, 4)
    kept = study.read("replicability_marks").set_index("mark_id")["level"]
    assert kept["N1"] == 2
    assert pd.isna(kept["N6"])  # left empty: not evaluated, never 0
    assert {"N2", "N3", "N4", "N5"}.isdisjoint(kept.index)
