from __future__ import annotations

import pandas as pd
import pytest
from sensitive_walks import at, mark, observations, sessions

from geo_qmi import schema
from geo_qmi.errors import InputError
from geo_qmi.sensitive import FIELD_LAYER, located_needs, need_rows, unthemed, voices


def items(*rows: dict) -> pd.DataFrame:
    full = [
        {"item_id": f"i{n}", "session_id": "w1", "label": "x", "source": "essai", **row}
        for n, row in enumerate(rows, start=1)
    ]
    columns = list(schema.columns("workshop_items"))
    return schema.typed(pd.DataFrame(full, columns=columns, dtype=object), "workshop_items")


def weights(located: pd.DataFrame) -> dict[str, float]:
    return located.groupby("theme")["weight"].sum().to_dict()


def test_one_person_one_vote_by_hand():
    # a complains of climate (−2, 1) and nature (−1, ½): 2/3 and 1/3 of a vote. b misses benches: one vote.
    seen = observations(
        mark("a", at(0, 0), -2, theme="climat"),
        mark("a", at(500, 0), -1, theme="nature"),
        mark("a", at(0, 0), 2, theme="culture"),
        mark("b", None, kind="absence", theme="espace_public", wished="des bancs"),
    )
    located = located_needs(voices(seen, sessions=sessions(s1=2)))
    assert weights(located) == pytest.approx({"climat": 1 / 3, "nature": 1 / 6, "espace_public": 1 / 2})
    absent = located[located["theme"] == "espace_public"].iloc[0]
    assert absent["geometry"] is None
    assert (absent["evidence_ids"], absent["n_evidence"]) == ("o004", 1)


def test_a_talkative_walker_weighs_one():
    few = [mark("a", at(0, 0), -2, theme="climat"), mark("b", at(0, 0), -2, theme="nature")]
    many = [few[0]] * 74 + [few[1]]
    for told in (few, many):
        located = located_needs(voices(observations(*told), sessions=sessions(s1=2)))
        assert weights(located) == pytest.approx({"climat": 0.5, "nature": 0.5})


def test_workshops_count_ranks_and_seats():
    # Three people at the table. Points of attention: ranks 1 and 2 weigh 2/3 and 1/3; project types: rank 1 alone.
    # Half for each class: safety 1/3, built 1/6, water 1/2; times three people, beside one walker for nature.
    table = items(
        {"kind": "attention_point", "theme": "securite", "priority": 1},
        {"kind": "attention_point", "theme": "bati", "priority": 2},
        {"kind": "project_type", "theme": "eau", "priority": 1},
    )
    told = voices(
        observations(mark("a", at(0, 0), -2, theme="nature")), sessions=sessions(s1=1, w1=3), workshop_items=table
    )
    located = located_needs(told)
    assert weights(located) == pytest.approx({"securite": 1 / 4, "bati": 1 / 8, "eau": 3 / 8, "nature": 1 / 4})


def test_an_unranked_object_comes_last():
    table = items(
        {"kind": "project_type", "theme": "eau", "priority": 1},
        {"kind": "project_type", "theme": "bati", "priority": None},
    )
    located = located_needs(voices(observations(), sessions=sessions(w1=3), workshop_items=table))
    assert weights(located) == pytest.approx({"eau": 2 / 3, "bati": 1 / 3})


def test_interviews_speak_and_collective_statements_do_not():
    rows = [
        ("individual", "climat", -2),
        ("individual", "nature", -1),
        ("collective", "culture", -2),
        ("individual", "commerce", 2),
    ]
    frame = pd.DataFrame(
        [
            {
                "statement_id": f"t{n}",
                "session_id": "e1",
                "scope": scope,
                "theme": theme,
                "valence": valence,
                "statement": "x",
                "source": "essai",
            }
            for n, (scope, theme, valence) in enumerate(rows)
        ]
    )
    told = voices(observations(), sessions=sessions(e1=1), statements=schema.typed(frame, "statements"))
    assert weights(located_needs(told)) == pytest.approx({"climat": 2 / 3, "nature": 1 / 3})


def test_places_are_evidence_within_fifty_metres_step_by_step():
    seen = observations(*(mark("a", at(x, 0), -2, theme="climat") for x in (0, 45, 90, 200)))
    located = located_needs(voices(seen, sessions=sessions(s1=1)))
    assert located["n_evidence"].tolist() == [3, 1]
    assert located["weight"].tolist() == pytest.approx([0.75, 0.25])
    assert located["evidence_ids"].iloc[0] == "o001 ; o002 ; o003"
    assert located.geometry.iloc[1].area == pytest.approx(3.1416 * 25**2, rel=0.01)
    assert located["need_id"].tolist() == ["q1-B01", "q1-B02"]


def test_rows_for_the_matching_sum_to_one_and_hold_no_words():
    seen = observations(
        mark("a", at(0, 0), -2, theme="nature", verbatim="secret"), mark("b", at(900, 0), -2, theme="climat")
    )
    rows = need_rows(located_needs(voices(seen, sessions=sessions(s1=2))))
    assert rows["theme"].tolist() == ["nature", "climat"]  # order of the vocabulary
    assert set(rows["layer"]) == {FIELD_LAYER}
    assert rows["weight"].sum() == pytest.approx(1)
    assert list(rows.columns) == list(schema.columns("needs"))
    assert not rows["evidence"].str.contains("secret").any()
    assert "o001" in rows["evidence"].iloc[0]


def test_what_has_no_theme_is_listed():
    seen = observations(
        mark("a", at(0, 0), -2),
        mark("a", at(0, 0), 1),
        mark("a", None, kind="absence"),
        mark("a", at(0, 0), -1, theme="eau"),
    )
    assert unthemed(seen)["observation_id"].tolist() == ["o001", "o003"]
    assert located_needs(voices(seen, sessions=sessions(s1=1)))["theme"].tolist() == ["eau"]


def test_nothing_said_is_no_need_and_an_unknown_session_is_refused():
    assert located_needs(voices(observations(), sessions=sessions(s1=1))).empty
    assert need_rows(located_needs(voices(observations(), sessions=sessions(s1=1)))).empty
    with pytest.raises(InputError, match="Séance inconnue"):
        voices(observations(mark("a", at(0, 0), -1, theme="eau")), sessions=sessions(e1=1))


def test_shipped_walks_make_valid_rows(shipped):
    names = ("sessions", "statements", "workshop_items")
    located = located_needs(voices(shipped["observations"], **{name: shipped[name] for name in names}))
    rows = need_rows(located)
    assert rows.groupby("district_id")["weight"].sum().to_dict() == pytest.approx(
        {"QMI1-AUL": 1, "QMI1-MEU": 1, "QMI1-NOI": 1, "QMI1-SCE": 1}
    )
    assert schema.validate(rows, "needs") == []
