from __future__ import annotations

import pandas as pd
import pytest
from plan_cases import matrix, rules

from geo_qmi import schema
from geo_qmi.errors import DefectsError, InputError, UnknownNameError
from geo_qmi.matching.decisions import decide, empty_log, follow, overrides, replay
from geo_qmi.matching.plan import Plan, plan


def proposal() -> Plan:
    """p → A, q → B, r left out."""
    return plan(matrix([[0.9, 0.1], [0.2, 0.8], [0.1, 0.1]]), rules(quotas={"low": 1, "high": 1}))


def placed(frame: pd.DataFrame) -> dict[str, str]:
    return dict(zip(frame["project_id"], frame["district_id"], strict=True))


def test_following_the_proposal_replays_to_the_same_plan() -> None:
    log = follow(empty_log(), proposal(), actor="Jury", at="2026-03-02T10:00")
    assert placed(replay(log)) == placed(proposal().rows) == {"p": "A", "q": "B"}
    assert schema.validate(log, "decisions") == []
    assert overrides(log).to_dict("records") == [
        {"wave": "", "decided": 3, "followed": 3, "moved": 0, "added": 0, "removed": 0, "reversed": 0}
    ]


def test_the_last_decision_holds_and_overrides_are_counted() -> None:
    log = decide(
        empty_log(), proposal(), project_id="p", decided_district=None, actor="Jury", at="2026-03-02T10:00", reason="a"
    )
    log = decide(log, proposal(), project_id="r", decided_district="A", actor="Jury", at="2026-03-02T11:00", reason="b")
    log = decide(
        log, proposal(), project_id="p", decided_district="B", actor="Maire", at="2026-03-02T12:00", reason="c"
    )
    log = follow(log, proposal(), actor="Jury", at="2026-03-02T13:00")  # q alone is left
    assert log["decision_id"].tolist() == [f"DEC-0000{n}" for n in range(1, 5)]
    assert placed(replay(log)) == {"p": "B", "q": "B", "r": "A"}
    assert overrides(log).iloc[0].to_dict() == {
        "wave": "",
        "decided": 3,
        "followed": 1,
        "moved": 1,
        "added": 1,
        "removed": 0,
        "reversed": 1,
    }
    assert placed(replay(log, until="2026-03-02T11:00")) == {"r": "A"}
    pd.testing.assert_frame_equal(replay(log.sample(frac=1, random_state=1)), replay(log))


def test_a_project_refused_in_one_wave_may_be_taken_in_the_next() -> None:
    log = follow(empty_log(), proposal(), actor="Jury", at="2026-03-02T10:00", wave="1")
    log = decide(
        log, proposal(), project_id="r", decided_district="B", actor="Jury", at="2026-09-01T10:00", reason="c", wave="2"
    )
    assert placed(replay(log)) == {"p": "A", "q": "B", "r": "B"}
    assert overrides(log)[["wave", "decided", "followed", "added", "reversed"]].to_numpy().tolist() == [
        ["1", 3, 3, 0, 0],
        ["2", 1, 0, 1, 0],
    ]


def test_times_compare_across_offsets() -> None:
    # 09:30 UTC is 10:30 in Paris in winter, after 10:00
    log = follow(empty_log(), proposal(), actor="Jury", at="2026-01-05T10:00")
    log = decide(
        log, proposal(), project_id="p", decided_district=None, actor="Jury", at="2026-01-05T09:30Z", reason="retrait"
    )
    assert placed(replay(log)) == {"q": "B"}


def test_the_log_given_is_left_as_it_was() -> None:
    log = empty_log()
    follow(log, proposal(), actor="Jury", at="2026-03-02T10:00")
    assert log.empty
    assert replay(log).empty
    assert overrides(log).empty


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"project_id": "z"}, UnknownNameError, "« z » n’est pas dans le plan"),
        ({"reason": " "}, InputError, "il manque le motif"),
        ({"actor": ""}, InputError, "il manque la personne"),
        ({"at": "hier"}, InputError, "« hier » illisible"),
        ({"at": "2026-03-01T10:00"}, InputError, "décision plus récente"),
    ],
)
def test_a_decision_that_cannot_be_defended_is_refused(
    change: dict[str, str], error: type[Exception], message: str
) -> None:
    log = follow(empty_log(), proposal(), actor="Jury", at="2026-03-02T10:00")
    good = {"project_id": "p", "decided_district": None, "actor": "Jury", "at": "2026-03-03T10:00", "reason": "motif"}
    with pytest.raises(error) as caught:
        decide(log, proposal(), **good | change)
    assert message in str(caught.value)


def test_a_log_with_an_identifier_twice_is_refused() -> None:
    log = follow(empty_log(), proposal(), actor="Jury", at="2026-03-02T10:00")
    with pytest.raises(DefectsError) as caught:
        replay(pd.concat([log, log], ignore_index=True))
    assert "identifiant présent plusieurs fois" in str(caught.value)
