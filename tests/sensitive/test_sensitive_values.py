from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensitive_walks import X, Y, at, box, line, mark, observations, routes, sessions

from geo_qmi import schema
from geo_qmi.errors import InputError
from geo_qmi.sensitive import (
    cells,
    collective_evidence,
    evidence,
    felt,
    hotspots,
    intervals,
    opposites,
    surface,
    values,
    votes,
    with_groups,
    with_interviews,
)

PLACES = cells((X, Y, X + 100, Y + 20), cell_m=20)
STREET = line((0, 10), (60, 10))


def test_people_first_then_the_place():
    # p1 says +2, +2, +2, −2 (mean 1), p2 says −1: the place is worth 0, not the mean of five marks (0.6).
    told = [mark("p1", at(5, 5), v) for v in (2, 2, 2, -2)] + [mark("p2", at(6, 6), -1)]
    found = values(observations(*told), places=PLACES).iloc[0]
    assert found["value"] == 0.0
    assert (found["n_people"], found["n_observations"], found["n_sessions"]) == (2, 5, 1)
    assert (found["n_positive"], found["n_negative"]) == (1, 1)


def test_no_evidence_is_empty_not_zero():
    found = values(observations(mark("p1", at(5, 5), 0)), places=PLACES)
    assert found["value"].iloc[0] == 0.0
    assert found["value"].iloc[1:].isna().all()
    assert found["n_people"].tolist() == [1, 0, 0, 0, 0]
    nothing = values(observations(), places=PLACES)
    assert nothing["value"].isna().all()
    assert nothing["n_people"].sum() == 0


def test_four_states():
    seen = observations(
        mark("p1", at(5, 5), 2),
        mark("p2", at(5, 6), 1),
        mark("p1", at(25, 5), 2),
        mark("p2", at(25, 5), -2),
        mark("p3", at(70, 5), kind="silence"),
    )
    found = felt(seen, places=PLACES, routes=routes(STREET), walk_reach_m=1)
    assert found["state"].tolist() == ["felt", "divided", "silent", "silent", "not_walked"]
    assert found["n_silent"].tolist() == [0, 0, 0, 1, 0]
    assert found["display"].tolist() == ["symbol", "symbol", "none", "none", "none"]


def test_moving_a_route_off_a_street_turns_silence_into_not_walked_never_neutral():
    nobody = observations()
    before = felt(nobody, places=PLACES, routes=routes(STREET), walk_reach_m=1)
    after = felt(nobody, places=PLACES, routes=routes(line((0, 500), (60, 500))), walk_reach_m=1)
    assert before["state"].tolist() == ["silent"] * 4 + ["not_walked"]
    assert after["state"].tolist() == ["not_walked"] * 5
    assert before["value"].isna().all()
    assert after["value"].isna().all()


def test_a_silence_is_no_vote_and_an_absence_no_mark():
    seen = observations(
        mark("p1", at(5, 5), -2),
        mark("p2", at(5, 5), kind="silence"),
        mark("p3", box(0, 0, 20, 20), -2, kind="absence"),
    )
    found = felt(seen, places=PLACES, routes=routes(STREET)).iloc[0]
    assert (found["value"], found["n_people"], found["n_silent"]) == (-2.0, 1, 1)


def test_a_mark_without_a_valence_is_felt_without_a_value():
    found = felt(observations(mark("p1", at(5, 5))), places=PLACES, routes=routes(STREET)).iloc[0]
    assert found["state"] == "felt"
    assert np.isnan(found["value"])
    assert (found["n_unsigned"], found["n_people"]) == (1, 0)


def test_five_for_five_against_differs_from_ten_neutral():
    split = [mark(f"a{n}", at(5, 5), 2 if n < 5 else -2) for n in range(10)]
    neutral = [mark(f"b{n}", at(25, 5), 0) for n in range(10)]
    found = felt(observations(*split, *neutral), places=PLACES, routes=routes(STREET))
    assert found["value"].iloc[:2].tolist() == [0.0, 0.0]
    assert found["polarisation"].iloc[:2].tolist() == [1.0, 0.0]
    assert found["state"].iloc[:2].tolist() == ["divided", "felt"]


def test_one_voice_in_ten_does_not_divide_one_in_three_does():
    nine = [mark(f"a{n}", at(5, 5), 1) for n in range(9)] + [mark("z", at(5, 5), -2)]
    three = [mark("a", at(25, 5), 1), mark("b", at(25, 5), 1), mark("c", at(25, 5), -1)]
    found = felt(observations(*nine, *three), places=PLACES, routes=routes(STREET))
    assert found["state"].iloc[:2].tolist() == ["felt", "divided"]


def test_who_says_as_much_good_as_bad_takes_no_side():
    # −2, +1, +1: thirds of a vote that must cancel exactly.
    seen = observations(*(mark("p1", at(5, 5), v) for v in (-2, 1, 1)), mark("p2", at(5, 5), 2))
    found = values(seen, places=PLACES).iloc[0]
    assert (found["n_positive"], found["n_negative"], found["value"]) == (1, 0, 1.0)


def test_both_extreme_verbatims_are_kept():
    seen = observations(
        mark("a", at(5, 5), 1, verbatim="doux"),
        mark("b", at(5, 5), 2, verbatim="superbe"),
        mark("c", at(5, 5), -1, verbatim="triste"),
        mark("d", at(5, 5), -2),
    )
    table = felt(seen, places=PLACES, routes=routes(STREET))
    found = opposites(seen, places=PLACES, table=table)
    assert found["side"].tolist() == ["negative", "positive"]
    assert found["verbatim"].tolist() == ["triste", "superbe"]


def eleven_walkers(times: int = 1) -> list[dict]:
    """One walker of 74 marks among 11: the others leave two to six marks each."""
    rng = np.random.default_rng(11)
    told = []
    for who in range(11):
        n = 74 if who == 0 else int(rng.integers(2, 7))
        spots = rng.uniform(0, 100, n), rng.uniform(0, 20, n), rng.integers(-2, 3, n)
        own = [mark(f"p{who:02d}", at(x, y), int(v)) for x, y, v in zip(*spots, strict=True)]
        told += own * (times if who == 0 else 1)
    return told


def test_ten_times_the_marks_of_one_walker_change_no_rank():
    once, tenfold = observations(*eleven_walkers()), observations(*eleven_walkers(10))
    assert len(tenfold) == len(once) + 9 * 74
    before, after = (values(seen, places=PLACES) for seen in (once, tenfold))
    evidence = ["n_people", "n_positive", "n_negative"]
    assert np.allclose(before["value"], after["value"], atol=1e-12)
    assert before["value"].rank().equals(after["value"].rank())
    assert np.allclose(before["polarisation"], after["polarisation"], atol=1e-12)
    assert before[evidence].equals(after[evidence])
    assert (after["n_observations"] > before["n_observations"]).all()
    smooth = [surface(votes(seen, places=PLACES), places=PLACES, bandwidth_m=20) for seen in (once, tenfold)]
    assert np.allclose(smooth[0], smooth[1], atol=1e-12)
    spread = [intervals(votes(seen, places=PLACES), places=PLACES) for seen in (once, tenfold)]
    assert np.allclose(spread[0], spread[1], atol=1e-12, equal_nan=True)
    spots = [hotspots(seen, places=PLACES, distance_m=25, n_permutations=99) for seen in (once, tenfold)]
    assert np.allclose(spots[0]["z"], spots[1]["z"], atol=1e-9)


def test_groups_and_sessions_stay_apart():
    seen = observations(
        mark("a", at(5, 5), 2),
        mark("b", at(5, 5), -2),
        mark("c", at(5, 5), -2, session_id="b1"),
        mark("d", at(5, 5), 1),
    )
    people = pd.DataFrame({"participant_id": list("abc"), "actor_group": ["resident", "elected", "elected"]})
    events = pd.DataFrame({"session_id": ["s1", "b1"], "kind": ["walk", "stroll"], "district_id": "q1"})
    told = with_groups(seen, participants=people, sessions=events)
    by_group = values(told, places=PLACES, by=["actor_group"])
    assert by_group["actor_group"].tolist()[:2] == ["elected", "resident"]
    assert by_group["actor_group"].isna().tolist() == [False, False, True]
    assert by_group["value"].tolist() == [-2.0, 2.0, 1.0]
    assert by_group["n_sessions"].tolist() == [2, 1, 1]
    by_event = values(told, places=PLACES, by=["session_kind"])
    assert by_event.set_index("session_kind")["n_people"].to_dict() == {"stroll": 1, "walk": 3}
    together = values(told, places=PLACES)
    assert (together["n_people"].iloc[0], together["n_sessions"].iloc[0]) == (4, 2)


def test_one_person_at_two_events_votes_once():
    seen = observations(mark("a", at(5, 5), 2), mark("a", at(5, 5), -2, session_id="b1"), mark("b", at(5, 5), 2))
    found = values(seen, places=PLACES).iloc[0]
    assert (found["n_people"], found["n_sessions"], found["value"]) == (2, 2, 1.0)


def test_a_valence_off_the_scale_is_refused():
    seen = observations(mark("a", at(5, 5), 3))
    with pytest.raises(InputError, match="entre −2 et \\+2"):
        values(seen, places=PLACES)


def test_a_mark_of_nobody_is_refused():
    seen = observations(mark("a", at(5, 5), 1)).assign(participant_id=None)
    with pytest.raises(InputError, match="sans pseudonyme"):
        values(seen, places=PLACES)


def test_the_numbers_of_a_title(shipped):
    assert evidence(shipped["observations"]) == "4 séances, 44 personnes, 368 observations"
    assert evidence(observations()) == "0 séance, 0 personne, 0 observation"


MARKS = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 99), st.integers(-2, 2)), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None)
@given(MARKS, st.randoms(use_true_random=False))
def test_order_of_rows_is_irrelevant_and_values_stay_on_the_scale(told, random):
    rows = [mark(who, at(x, 5), v) for who, x, v in told]
    shuffled = rows.copy()
    random.shuffle(shuffled)
    one, other = (values(observations(*some), places=PLACES) for some in (rows, shuffled))
    pd.testing.assert_frame_equal(one, other)
    known = one["value"].dropna()
    assert known.between(-2, 2).all()
    assert one["value"].isna().equals(one["n_people"] == 0)
    assert one["n_observations"].sum() == len(rows)


def test_shipped_walks(district):
    for name in ("QMI1-AUL", "QMI1-MEU", "QMI1-NOI", "QMI1-SCE"):
        own = district(name)
        places = cells(own["districts"], cell_m=10)
        found = felt(own["observations"], places=places, routes=own["routes"])
        assert set(found["state"]) == {"not_walked", "silent", "felt", "divided"}
        assert (found["value"].notna() == found["state"].isin(["felt", "divided"])).all()
        marks = own["observations"].query("kind == 'mark'")
        outside = ~marks.intersects(places.union_all())
        assert found["n_observations"].sum() == len(marks) - outside.sum()


def test_an_interview_is_one_voice_beside_the_walk_and_collective_words_are_nobodys():
    said = schema.typed(
        pd.DataFrame(
            {
                "statement_id": ["t1", "t2", "t3", "t4"],
                "session_id": ["e1", "e1", "e1", "w1"],
                "scope": ["individual", "individual", "individual", "collective"],
                "statement": ["a", "b", "c", "d"],
                "valence": [-2, -1, 2, 2],
                "source": "essai",
                "geometry": [at(10, 10), at(11, 11), None, at(10, 10)],
            }
        ),
        "statements",
    )
    walk = observations(mark("a", at(10, 10), 1), mark("b", at(10, 10), 2))
    told = with_groups(with_interviews(walk, statements=said), sessions=sessions(s1=2, e1=1, w1=9))
    assert len(told) == 4
    found = values(told, places=cells((X, Y, X + 20, Y + 20), cell_m=20), by=["session_kind"]).set_index("session_kind")
    assert found.loc["walk", ["value", "n_people"]].tolist() == [1.5, 2]
    assert found.loc["interview", ["value", "n_people"]].tolist() == [-1.5, 1]
    assert set(found.index) == {"walk", "interview"}


def test_collective_numbers_count_the_sessions_that_said_something():
    items = pd.DataFrame({"session_id": ["w1", "w1"]})
    said = pd.DataFrame({"session_id": ["s1", "e1"], "scope": ["collective", "individual"]})
    held = sessions(s1=3, e1=1, w1=11, w2=8)
    assert (
        collective_evidence(held, statements=said, workshop_items=items) == "2 séances, 14 participations, 3 éléments"
    )
