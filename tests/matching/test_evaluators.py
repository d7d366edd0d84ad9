from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi.errors import InputError
from geo_qmi.matching.evaluators import severity


def marks(rows: list[tuple[str, str, float | None]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["project_id", "evaluator", "score"])


#: Sev marks two points under Kind on the projects they share; r was seen by Sev alone, k by Kind alone.
SHARED = [
    ("p", "Sev", 5.0),
    ("p", "Kind", 7.0),
    ("q", "Sev", 6.0),
    ("q", "Kind", 8.0),
    ("r", "Sev", 6.5),
    ("k", "Kind", 8.0),
]


def test_worked_by_hand() -> None:
    # Severities sum to 0 and differ by 2: Sev +1, Kind −1. r: 6.5 + 1 = 7.5; k: 8 − 1 = 7; p 6; q 7.
    found = severity(marks(SHARED))
    assert found.evaluators.set_index("evaluator")["severity"].to_dict() == {"Kind": -1.0, "Sev": 1.0}
    projects = found.projects.set_index("project_id")
    assert projects["corrected"].to_dict() == {"k": 7.0, "p": 6.0, "q": 7.0, "r": 7.5}
    assert projects["rank_raw"].to_dict() == {"k": 1, "p": 4, "q": 2, "r": 3}
    assert projects["rank_corrected"].to_dict() == {"k": 2, "p": 4, "q": 2, "r": 1}
    assert projects["disagreement"].to_dict() == {"k": 0.0, "p": 2.0, "q": 2.0, "r": 0.0}


def test_off_by_default_and_both_rankings_shown() -> None:
    plain, corrected = severity(marks(SHARED)), severity(marks(SHARED), correct=True)
    assert not plain.corrected
    assert plain.projects["score"].equals(plain.projects["raw"])
    assert corrected.projects["score"].equals(corrected.projects["corrected"])
    assert plain.projects["rank_corrected"].equals(corrected.projects["rank_corrected"])
    assert "montrée, pas appliquée" in plain.notes[0]
    assert plain.notes[1].endswith(" : 2 projets sur 4.")


def test_evaluators_who_share_nothing_are_not_compared() -> None:
    found = severity(marks([("p", "A", 1.0), ("q", "B", 9.0)]))
    assert found.evaluators["severity"].tolist() == [0.0, 0.0]
    assert found.projects["corrected"].tolist() == [1.0, 9.0]
    assert found.projects["group"].nunique() == 2
    assert "aucun projet en commun" in found.notes[-1]


def test_equal_severity_changes_nothing() -> None:
    rows = [(project, judge, score) for project, score in (("p", 3.0), ("q", 5.0)) for judge in ("A", "B")]
    found = severity(marks(rows))
    assert found.projects["corrected"].tolist() == [3.0, 5.0]
    assert found.evaluators["severity"].tolist() == [0.0, 0.0]


def test_one_mark_and_the_order_of_rows() -> None:
    assert severity(marks([("p", "A", 4.0)])).projects["corrected"].tolist() == [4.0]
    one, other = severity(marks(SHARED)), severity(marks(SHARED[::-1]))
    pd.testing.assert_frame_equal(one.projects, other.projects)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("p", "A", None)], "aucune note"),
        ([("p", "A", 1.0), ("p", "A", 2.0)], "noté deux fois : p par A"),
        ([("p", "A", float("inf"))], "infinie"),
        ([("p", None, 1.0)], "manquant"),
        ([("p", "A", "dix")], "attendu un nombre"),
    ],
)
def test_bad_marks_are_one_sentence(rows: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        severity(marks(rows))
