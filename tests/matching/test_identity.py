from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi.errors import InputError
from geo_qmi.matching.identity import known_names, likely_duplicates
from geo_qmi.shipped import shipped_tables

TABLES = shipped_tables()
KNOWN = {"projects": TABLES["projects"], "other_names": TABLES["project_names"]}


def found(*names: str, **columns: list) -> dict[tuple[str, str], str]:
    """(application, other) → verdict."""
    frame = pd.DataFrame({"project_id": [f"a{number}" for number in range(len(names))], "name": list(names), **columns})
    rows = likely_duplicates(frame, **KNOWN)
    return {(row.project_a, row.project_b): row.verdict for row in rows.itertuples()}


def test_purpl_and_purple_are_flagged_as_two_known_projects() -> None:
    rows = likely_duplicates(TABLES["projects"], **KNOWN)
    assert rows[["project_a", "project_b", "verdict"]].to_numpy().tolist() == [
        ["QMI1-purpl", "QMI1-purple", "distinct"]
    ]
    assert found("Purple", "Purpl") == {
        ("a0", "QMI1-purple"): "alias",
        ("a0", "QMI1-purpl"): "distinct",
        ("a0", "a1"): "distinct",
        ("a1", "QMI1-purpl"): "alias",
        ("a1", "QMI1-purple"): "distinct",
    }


@pytest.mark.parametrize(
    ("name", "project"),
    [
        ("Floware", "QMI1-ecoflow"),
        ("ECOMESURE", "QMI1-ecoflow"),
        ("Batiprint 3D", "QMI1-rob-etics"),
        ("rob’étics", "QMI1-rob-etics"),
        ("eOnsight", "QMI1-digiponts92"),
        ("Hackathon Evolukid", "QMI1-evolukid"),
        ("La Fabrique des Mobilités", "QMI1-tracemob"),
    ],
)
def test_a_known_name_is_recognised_in_any_spelling(name: str, project: str) -> None:
    assert found(name)["a0", project] == "alias"


def test_a_near_name_is_only_likely() -> None:
    assert found("Ecoflows") == {("a0", "QMI1-ecoflow"): "likely"}
    assert found("Tout autre chose") == {}


def test_the_eight_double_deposits_of_the_demonstration_are_all_shown() -> None:
    call = TABLES["applications"].rename(columns={"application_id": "project_id"})
    rows = likely_duplicates(call, **KNOWN)
    shown = set(zip(rows["project_a"], rows["project_b"], strict=True))
    twins = call[call["note"].fillna("").str.startswith("Doublon volontaire")]
    wanted = {(note[-9:-1], twin) for note, twin in zip(twins["note"], twins["project_id"], strict=True)}
    assert len(wanted) == 8
    assert wanted <= shown
    assert len(call) == 168  # shown, never merged
    assert len(rows) < 25


def test_one_siret_is_enough_and_each_reason_is_said() -> None:
    frame = pd.DataFrame(
        {
            "project_id": ["x", "y", "z"],
            "name": ["Alpha", "Zoulou", "Kilo"],
            "siret": ["00000000000001", None, "00000000000001"],
            "description": ["un banc de bois posé devant la gare"] * 2 + ["autre"],
        }
    )
    rows = likely_duplicates(frame)
    assert rows[["project_a", "project_b"]].to_numpy().tolist() == [["x", "y"], ["x", "z"]]
    assert rows["reason"].tolist() == ["textes proches (100 % de suites de mots communes)", "même SIRET"]


def test_the_order_of_rows_is_irrelevant() -> None:
    call = TABLES["applications"].rename(columns={"application_id": "project_id"}).head(90)
    pd.testing.assert_frame_equal(likely_duplicates(call), likely_duplicates(call.sample(frac=1, random_state=1)))


def test_known_names_split_joint_carriers() -> None:
    spelled = {one.spelled for one in known_names(**KNOWN) if one.project_id == "QMI1-ecoflow"}
    assert {"EcoFlow", "Floware", "Ecomesure"} <= spelled


def test_no_candidate_one_candidate_and_bad_ids() -> None:
    none = pd.DataFrame({"project_id": [], "name": []}, dtype="str")
    assert likely_duplicates(none).empty
    assert found("Unique au monde") == {}
    with pytest.raises(InputError, match="plusieurs fois"):
        likely_duplicates(pd.DataFrame({"project_id": ["a", "a"], "name": ["x", "y"]}))
