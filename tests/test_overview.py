"""What a study holds, lacks and needs next, counted on studies small enough to check by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi import overview, schema


@pytest.fixture
def nothing() -> dict[str, pd.DataFrame]:
    return {name: schema.typed(pd.DataFrame(columns=list(schema.columns(name))), name) for name in schema.TABLES}


def test_real_and_demonstration_rows_are_counted_apart(shipped):
    rows = overview.counts(shipped).set_index("Table")
    assert len(rows) == len(schema.TABLES)
    assert rows.loc[schema.label("applications"), ["Lignes réelles", "Démonstration"]].tolist() == [0, 168]
    assert rows.loc[schema.label("projects"), ["Lignes réelles", "Démonstration"]].tolist() == [28, 0]
    assert rows.loc[schema.label("sites"), "Avec lieu"] == 0
    assert pd.isna(rows.loc[schema.label("projects"), "Avec lieu"])


def test_a_table_without_demonstration_column_is_real(shipped):
    assert not overview.is_demo(shipped["districts"]).any()
    assert overview.real(shipped["sessions"]).empty


def test_gaps_of_the_shipped_study_are_those_of_its_sources(shipped):
    said = " ".join(gap.what for gap in overview.missing(shipped))
    assert "6 quartiers sur 10 sans périmètre publié." in said
    assert "10 lieux nommés sur 10 sans coordonnées." in said
    assert "20 projets sur 28 sans lieu de déploiement connu." in said
    assert "Tables vides : Décisions." in said


def test_an_empty_study_lacks_its_ground_first(nothing):
    first = overview.missing(nothing)[0]
    assert schema.label("communes") in first.what
    assert first.page == "records.py"
    assert overview.contours(nothing).empty


def test_contours_say_origin_status_and_doubt(shipped):
    rows = overview.contours(shipped)
    communes = rows[rows["Table"] == schema.label("communes")].iloc[0]
    assert communes["Objets"] == 130
    assert communes["Écart plausible (m)"] == 520
    assert schema.label("sites") not in set(rows["Table"])


def test_steps_tell_demonstration_from_facts(shipped, nothing):
    states = [step.state for step in overview.steps(shipped)]
    assert states == [overview.REAL, overview.DEMO, *[overview.REAL] * 4]
    assert {step.state for step in overview.steps(nothing)} == {overview.NOTHING}
    deployed = overview.steps(shipped)[3].evidence
    assert "17 projets déployés selon le document 001" in deployed
    assert "0 lieu placé sur 10" in deployed


def test_the_next_step_follows_what_is_there(shipped, nothing):
    assert overview.next_step(nothing).page == "records.py"
    first = overview.next_step(shipped)
    assert (first.page, first.district_id) == ("sensing.py", "QMI1-AUL")
    walked = {**shipped, "sessions": shipped["sessions"].assign(demo=False)}
    assert overview.next_step(walked).page == "pairing.py"
    uncalled = {**walked, "projects": shipped["projects"].iloc[:0], "applications": shipped["applications"].iloc[:0]}
    assert overview.next_step(uncalled).page == "intake_page.py"
    decided = {**walked, "decisions": pd.DataFrame({"decision_id": ["D1"]})}
    assert overview.next_step(decided).page == "records.py"
    placed = {**decided, "sites": shipped["sites"].iloc[:0]}
    assert overview.next_step(placed).page == "publication.py"
