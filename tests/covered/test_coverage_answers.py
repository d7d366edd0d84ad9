from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi.coverage import answers, derive, objective_themes
from geo_qmi.coverage.answers import PROGRESS
from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.matching import offers
from geo_qmi.vocabulary import PROJECT_STATUSES


def frame(columns: str, *rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


OBJECTIVES = frame(
    "objective_id district_id objective",
    ("o1", "Q", "Moins de coupures"),
    ("o2", "Q", "Plus de nature"),
    ("o3", "Q", "Plus d’eau"),
    ("o4", "Q", "Moins de bruit"),
    ("o5", "Q", "Rien de connu"),
)
PROJECTS = frame(
    "project_id name district_id site_id precision inside_district",
    ("p1", "Pont", "Q", "s1", "site", "yes"),
    ("p2", "Parc", "Q", None, "commune", "unknown"),
    ("p3", "Fontaine", "Q", "s3", "site", "no"),
    ("p4", "Musique", "Q", None, "unknown", "unknown"),
    ("p5", "Ailleurs", "R", None, "unknown", "unknown"),
    ("p6", "Muet", "Q", None, "unknown", "unknown"),
)
STATUSES = frame(
    "project_id document status",
    ("p1", "001", "deployed"),
    ("p1", "003", "listed"),
    ("p2", "003", "listed"),
    ("p3", "001", "deployed"),
    ("p4", "003", "deployed"),
    ("p5", "003", "deployed"),
)
THEMES_ASKED = frame(
    "objective_id theme strength evidence",
    ("o1", "coupures", 0.6, "« coupures »"),
    ("o2", "nature", 0.5, "« nature »"),
    ("o3", "eau", 0.5, "« eau »"),
    ("o4", "sante", 0.5, "« bruit »"),
)
OFFERED = frame(
    "project_id theme strength evidence",
    ("p1", "coupures", 0.9, "« pont »"),
    ("p1", "nature", 0.05, "« arbre »"),
    ("p2", "nature", 0.7, "« parc »"),
    ("p3", "eau", 0.4, "« fontaine »"),
    ("p4", "culture", 0.8, "« musique »"),
    ("p5", "sante", 0.8, "« sport »"),
)


def ended(**changes: object):
    given = {"statuses": STATUSES, "themes": THEMES_ASKED, "offered": OFFERED, **changes}
    return answers(OBJECTIVES, PROJECTS, **given)


def test_each_objective_ends_in_one_state():
    result = ended()
    # p1 answers o1; p2 answers o2 but is only listed (p1's 0.05 of nature is a passing word); p3 stands outside;
    # p5 would answer o4, in another district; nothing was read in o5.
    assert result.objectives["state"].to_dict() == {
        "o1": "deployed",
        "o2": "undeployed",
        "o3": "none",
        "o4": "none",
        "o5": "unread",
    }
    assert result.objectives.loc["o3", "n_outside"] == 1
    assert result.objectives.loc["o3", "sentence"] == "Couvert par aucun projet (hors du quartier : Fontaine)."
    assert result.objectives.loc["o1", "sentence"] == "Couvert par au moins un projet déployé (déployés : Pont)."
    assert result.needs_without_project.index.tolist() == ["o3", "o4"]


def test_projects_without_need_say_why():
    reasons = ended().projects_without_need["reason"]
    assert reasons.index.tolist() == ["p3", "p4", "p5", "p6"]
    assert "hors du quartier" in reasons["p3"]
    assert reasons["p4"] == "ne partage de thème avec aucun objectif de son quartier"
    assert reasons["p6"] == "projet non lu : aucun thème reconnu, à classer à la main"


def test_matrix_carries_place_status_and_evidence():
    row = ended().matrix.set_index(["objective_id", "project_id"]).loc[("o1", "p1")]
    assert (row["site_id"], row["inside"], row["status"], row["documents"]) == ("s1", "yes", "deployed", "001")
    assert (row["themes"], row["strength"]) == ("coupures", 0.6)
    assert row["evidence"] == "Coupures et liaisons : objectif « coupures » ; projet « pont »"


def test_derived_places_replace_stated_ones():
    places = pd.DataFrame({"inside": ["yes"]}, index=pd.Index(["p3"], name="project_id"))
    result = ended(places=places)
    assert result.objectives.loc["o3", "state"] == "deployed"


def test_adding_a_project_never_takes_an_answer_away():
    rank = {"deployed": 2, "undeployed": 1, "none": 0, "unread": 0}
    all_of_them = ended().objectives["state"].map(rank)
    for project in PROJECTS["project_id"]:
        fewer = answers(
            OBJECTIVES,
            PROJECTS[PROJECTS["project_id"] != project],
            statuses=STATUSES[STATUSES["project_id"] != project],
            themes=THEMES_ASKED,
            offered=OFFERED[OFFERED["project_id"] != project],
        )
        assert (fewer.objectives["state"].map(rank) <= all_of_them).all()


def test_order_of_rows_is_irrelevant():
    mixed = answers(
        OBJECTIVES.iloc[::-1],
        PROJECTS.iloc[::-1],
        statuses=STATUSES.iloc[::-1],
        themes=THEMES_ASKED.iloc[::-1],
        offered=OFFERED.iloc[::-1],
    )
    for one, other in zip(ended(), mixed, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_every_status_has_its_rank():
    assert sorted(PROGRESS) == sorted(PROJECT_STATUSES)


def test_refusals():
    with pytest.raises(UnknownNameError, match="Offres : « p9 » est inconnu"):
        ended(offered=OFFERED.assign(project_id="p9"))
    with pytest.raises(InputError, match="Statuts : code « done »"):
        ended(statuses=STATUSES.assign(status="done"))
    with pytest.raises(InputError, match="Part minimale"):
        ended(minimum_strength=2)


def test_the_nineteen_objectives(shipped):
    places = derive(shipped["projects"], shipped["sites"], shipped["districts"])
    result = answers(
        shipped["objectives"],
        shipped["projects"],
        statuses=shipped["project_statuses"],
        themes=objective_themes(shipped["objectives"], lexicon=shipped["lexicon"]),
        offered=offers(shipped["projects"], lexicon=shipped["lexicon"], tags=shipped["project_tags"]),
        places=places,
    )
    assert len(result.objectives) == 19
    assert set(result.objectives["state"]) <= {"deployed", "undeployed", "none"}
    assert result.objectives.loc["QMI1-AUL-O3", "state"] == "none"  # the railway nobody proposed to cross
    assert set(result.matrix.loc[~result.matrix["counts"], "project_id"]) <= {"QMI1-ecoflow", "QMI1-tracemob"}
    seen = set(result.matrix.loc[result.matrix["counts"], "project_id"]) | set(result.projects_without_need.index)
    assert seen == set(shipped["projects"]["project_id"])
