"""What surrounds a matching: projects already there, waves, likely duplicates, marks, sentence models, sheets."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest

from geo_qmi import jury, matching, rulebook, runs
from geo_qmi._french import typer
from geo_qmi.errors import DefectsError, InputError, UnknownNameError
from geo_qmi.matching import decisions
from geo_qmi.matching.readers import LexiconReader, needs_by
from geo_qmi.shipped import shipped_tables
from geo_qmi.terminal import AsJson, grouped
from geo_qmi.workspace import Study


@dataclass(frozen=True)
class Pair:
    """Two options that go together."""

    low: Annotated[int, typer.Option("--low")] = 1
    high: Annotated[int, typer.Option("--high")] = 2


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    return Study.create(tmp_path_factory.mktemp("jury") / "etude.gpkg", shipped_tables())


@pytest.fixture(scope="module")
def call(study) -> runs.Prepared:
    """The demonstration call, cut to 40 dossiers."""
    rows = study.read("applications").head(40)
    return runs.prepare(study, candidates=rows, book=rulebook.opened(values={"quotas.low": 2, "quotas.high": 4}))


@pytest.fixture(scope="module")
def result(call) -> matching.Match:
    return call.run()


# ---------------------------------------------------------------- projects already there


def test_projects_present_are_those_deployed_in_their_district_and_not_candidates(study, call):
    tables = study.read_many(("projects", "project_statuses"))
    there = set(call.present["project_id"])
    assert "QMI1-purple" in there
    assert not there & {"QMI1-mube", "QMI1-ecoflow", "QMI1-tracemob"}  # no word of it; deployed outside, twice
    assert runs.present(tables, tables["projects"]["project_id"]).empty


def test_complementarity_moves_scores_once_it_weighs(call, result):
    assert result.appraisal.weights["complementarity"] == 0
    heavy = rulebook.opened(values={"quotas.low": 2, "quotas.high": 4, "criteria.complementarity.weight": 1.0})
    moved = replace(call, book=heavy).run()
    assert moved.appraisal.weights["complementarity"] == pytest.approx(1.0 / (1.0 + 0.25 + 0.25 + 1.0))
    assert not np.allclose(moved.scores, result.scores)


# ---------------------------------------------------------------- waves


def test_a_refused_dossier_comes_back_with_its_dated_scores(call, result):
    first = jury.dated(call, result, wave="phase 1", at="2026-11-22")
    assert first["district_id"].nunique() == 10
    placed = set(first.loc[first["assigned"], "project_id"])
    assert placed == set(result.plan.rows["project_id"])
    book = rulebook.opened(values={"quotas.low": 1, "quotas.high": 2})
    options: dict[str, Any] = {"book": book, "districts": ["QMI2-AUB"]}
    second = jury.following(first, call.tables, wave="phase 2", at="2027-03-01", **options)
    assert not placed & set(second.plan.rows["project_id"])
    one = second.plan.rows.iloc[0]
    then = first.set_index(["project_id", "district_id"]).loc[one["project_id"], "QMI2-AUB"]
    assert one["score"] == then["score"]
    assert set(second.finding.tables["plan_de_vague"]["Date du score"]) == {"2026-11-22"}
    assert "repris avec leurs scores datés" in second.finding.sentences[0]
    # The phase after starts from both: those placed in the second do not come back either.
    third = jury.following(second.rows, call.tables, wave="phase 3", at="2027-06-01", **options)
    assert not set(second.plan.rows["project_id"]) & set(third.plan.rows["project_id"])
    with pytest.raises(InputError, match="déjà présente"):
        jury.following(second.rows, call.tables, wave="phase 2", at="2027-06-01", **options)


def test_a_new_candidate_joins_a_wave_and_a_placed_one_is_refused(study, call, result):
    first = jury.dated(call, result, wave="phase 1", at="2026-11-22")
    book = rulebook.opened(values={"quotas.low": 1, "quotas.high": 2})
    options: dict[str, Any] = {"book": book, "districts": ["QMI1-SCE"], "wave": "phase 2", "at": "2027-03-01"}
    rows = study.read("applications").iloc[40:44]
    fresh = runs.prepare(study, candidates=rows, book=book, districts=["QMI1-SCE"])
    second = jury.following(first, call.tables, fresh=fresh, **options)
    new = second.origins[~second.origins["dated"]]
    assert set(new["project_id"]) <= set(rows["application_id"])
    assert set(new["scored_at"]) == {"2027-03-01"}
    again = runs.prepare(study, candidates=study.read("applications").head(40), book=book, districts=["QMI1-SCE"])
    with pytest.raises(InputError, match="déjà placé"):
        jury.following(first, call.tables, fresh=again, **options)


def test_what_the_jury_decided_takes_the_place_of_the_proposal(call, result):
    out = result.plan.excluded["project_id"].iloc[0]
    log = decisions.decide(
        decisions.empty_log(), result.plan, project_id=out, decided_district="QMI1-SCE", actor="Jury",
        at="2026-11-22T10:00", reason="essai",
    )  # fmt: skip
    decided = replace(call, tables=dict(call.tables) | {"decisions": log})
    rows = jury.dated(decided, result, wave="phase 1", at="2026-11-22")
    assert out in set(rows.loc[rows["assigned"], "project_id"])


def test_a_wave_without_a_district_or_with_a_wrong_date_is_a_sentence(call, result):
    with pytest.raises(DefectsError, match="Vagues refusées"):
        jury.dated(call, result, wave="phase 1", at="bientôt")
    first = jury.dated(call, result, wave="phase 1", at="2026-11-22")
    with pytest.raises(InputError, match=r"inconnus : \(aucun\)"):
        jury.following(first, call.tables, book=call.book, districts=[], wave="phase 2", at="2027-01-01")


# ---------------------------------------------------------------- identities, marks


def test_close_names_are_shown_and_purpl_is_not_purple(study):
    tables = study.read_many(("projects", "project_names"))
    found = jury.duplicates(tables["projects"], tables).tables["duplicates"]
    pair = found[(found["Dossier"] == "Purpl") & (found["Ressemble à"] == "Purple")].iloc[0]
    assert pair["Constat"] == "deux projets distincts, noms proches"


@pytest.mark.parametrize(
    ("project", "other"), [("EcoFlow", "Floware et Ecomesure"), ("Rob Etics", "Rob Etics, par Batiprint3D")]
)
def test_other_names_come_with_their_source(study, project, other):
    names = jury.aliases(study.read_many(("projects", "project_names")))
    row = names[(names["Projet"] == project) & (names["Autre nom"] == other)].iloc[0]
    assert row["Source"].startswith("00")


def test_severity_shows_both_rankings_and_corrects_nothing_unless_asked():
    # B marks p two points under A, who alone never marked q: half of it each way, q would have had 8.
    marks = pd.DataFrame({"project_id": ["p", "p", "q"], "evaluator": ["A", "B", "B"], "score": [8.0, 6.0, 7.0]})
    raw = jury.evaluators(marks, names={"p": "Pé"})
    ranking = raw.tables["classements"].set_index("Dossier (identifiant)")
    assert ranking.loc["p", ["Dossier", "Moyenne", "Note corrigée", "Note retenue", "Désaccord"]].tolist() == [
        "Pé", 7.0, 7.0, 7.0, 2.0,
    ]  # fmt: skip
    assert ranking["Rang (moyenne)"].to_dict() == {"p": 1, "q": 1}
    assert ranking["Rang (corrigé)"].to_dict() == {"p": 2, "q": 1}
    assert "pas appliquée" in raw.sentences[0]
    corrected = jury.evaluators(marks, correct=True).tables["classements"]
    assert corrected["Note retenue"].tolist() == [8.0, 7.0]


# ---------------------------------------------------------------- a sentence model


@pytest.fixture(scope="module")
def model(study, tmp_path_factory):
    """A model that knows the words of the lexicon: one direction a theme."""
    folder = tmp_path_factory.mktemp("modele")
    lexicon = study.read("lexicon")
    themes = sorted(lexicon["theme"].unique())
    words = {
        word: theme for term, theme in zip(lexicon["term"], lexicon["theme"], strict=True) for word in term.split()
    }
    (folder / "words.txt").write_text("\n".join(words), encoding="utf-8")
    np.save(folder / "vectors.npy", np.eye(len(themes))[[themes.index(theme) for theme in words.values()]])
    return folder


def test_a_model_reads_districts_and_candidates_alike(study, model):
    call = runs.prepare(
        study, model=model, districts=["QMI1-SCE", "QMI1-MEU"], book=rulebook.opened(values={"quotas.low": 0})
    )
    found = call.run()
    needs, offers = found.appraisal.needs, found.appraisal.offers
    assert needs["evidence"].str.contains("proche de").all()
    assert offers["evidence"].str.contains("proche de").all()
    assert needs["evidence"].str.startswith("QMI1-").all()
    assert needs.groupby(["district_id", "layer"])["weight"].sum().tolist() == pytest.approx([1.0] * 6)
    sheet = jury.sheet(call, found, "QMI1-mube")
    assert model.name in dict(sheet.data)["Besoins des quartiers"]
    assert "phrase proche" in sheet.operations[0]
    assert call.inputs["model"] == call.reader.name


def test_a_reader_given_the_lexicon_reads_needs_as_the_lexicon_does(study):
    tables = study.read_many(("objectives", "expected_solutions", "districts", "lexicon"))
    told = [tables[name] for name in ("objectives", "expected_solutions", "districts")]
    by_reader = needs_by(LexiconReader.of(tables["lexicon"]), *told)
    pd.testing.assert_series_equal(by_reader["weight"], matching.needs(*told, lexicon=tables["lexicon"])["weight"])


# ---------------------------------------------------------------- sheets, names, options


def test_a_refused_dossier_is_told_where_it_waits_and_under_which_quotas(call, result):
    waiting = result.plan.reserve.iloc[0]
    sheet = jury.sheet(call, result, str(waiting["project_id"]))
    assert f"(n°\u00a0{waiting['place']})" in sheet.outcome
    assert dict(sheet.parameters)["Quotas du plan"] == "2 à 4 projets par quartier"
    gone = set(result.plan.excluded["project_id"]) - set(result.plan.reserve["project_id"])
    assert "pas de place en liste de réserve" in jury.sheet(call, result, sorted(gone)[0]).outcome


def test_sheets_made_together_are_those_made_alone(call, result):
    ids = list(result.appraisal.projects[:3])
    together = list(matching.sheets(result.appraisal, ids))
    assert together == [matching.sheet(result.appraisal, one) for one in ids]


def test_a_district_of_the_study_that_is_not_served_is_said(call):
    assert jury.district_named(call, "Les Blagis") == "QMI1-SCE"
    with pytest.raises(UnknownNameError, match="pas servi par cet appariement"):
        jury.district_named(call, "QMI2-AUB")


def test_a_group_of_options_is_spread_and_handed_over_filled():
    told = []

    def command(name: str, pair: Pair, as_json: AsJson = False) -> None:
        told.append((name, pair, as_json))

    spread = grouped(command)
    assert list(inspect.signature(spread).parameters) == ["name", "low", "high", "as_json"]
    spread(name="x", low=3, high=4, as_json=True)
    assert told == [("x", Pair(3, 4), True)]
