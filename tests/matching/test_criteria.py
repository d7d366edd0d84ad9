from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.matching import needs, offers, score
from geo_qmi.matching.criteria import Appraisal, appraise, scaled
from geo_qmi.matching.questions import questions
from geo_qmi.matching.reasons import readds, reasons
from geo_qmi.matching.rule_model import Criterion
from geo_qmi.matching.rules import Rules, rules_from
from geo_qmi.sensitive import located_needs, need_rows, voices
from geo_qmi.shipped import data_dir, shipped_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRICTS = ["QMI1-AUL", "QMI1-MEU", "QMI1-NOI", "QMI1-SCE"]
SHIPPED = rules_from(tomllib.loads((data_dir() / "rules.toml").read_text(encoding="utf-8")))
#: Every criterion counts.
ALL = rules_from(
    {
        **tomllib.loads((data_dir() / "rules.toml").read_text(encoding="utf-8")),
        "criteria": {
            "needs": {},
            "field": {"weight": 0.7},
            "feasibility": {"weight": 0.5, "anchors": [0.0, 3.0]},
            "people": {"weight": 0.3, "anchors": [5000.0, 0.0]},
            "complementarity": {"weight": 0.2},
            "window": {"weight": 0.4, "anchors": [0.5, 1.0]},
            "competence": {"weight": 0.1},
        },
    }
)

NEEDS = pd.DataFrame(
    [("A", "objective", "eau", 1.0, "OBJ-1"), ("B", "objective", "energie", 1.0, "OBJ-2")],
    columns=["district_id", "layer", "theme", "weight", "evidence"],
)
OFFERS = pd.DataFrame(
    [("p", "eau", 0.5, "mot"), ("q", "energie", 1.0, "mot")], columns=["project_id", "theme", "strength", "evidence"]
)


def small(rules: dict | None = None, months: tuple = (7.0, None), **options: object) -> Appraisal:
    frame = pd.DataFrame({"project_id": ["p", "q"], "months": list(months), "season": ["any", "any"]})
    record = rules or {"criteria": {"needs": {"weight": 3.0}, "window": {"weight": 1.0, "anchors": [0.5, 1.0]}}}
    given = {"needs": NEEDS, "offers": OFFERS, "districts": ["A", "B"], "rules": rules_from(record), **options}
    return appraise(frame, **given)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return shipped_tables()


@pytest.fixture(scope="module")
def inputs(tables) -> dict[str, object]:
    published = needs(
        tables["objectives"], tables["expected_solutions"], tables["districts"], lexicon=tables["lexicon"]
    )
    told = voices(tables["observations"], sessions=tables["sessions"], workshop_items=tables["workshop_items"])
    said = need_rows(located_needs(told))
    starts = dict(zip(tables["districts"]["district_id"], tables["districts"]["start"], strict=True))
    return {
        "needs": pd.concat([published, said], ignore_index=True),
        "districts": DISTRICTS,
        "places": tables["candidate_places"],
        "starts": starts,
    }


@pytest.fixture(scope="module")
def call(tables) -> pd.DataFrame:
    return tables["applications"].rename(columns={"application_id": "project_id"})


@pytest.fixture(scope="module")
def pool(tables, inputs, call) -> Appraisal:
    brought = offers(call, lexicon=tables["lexicon"])
    present = brought.head(40).assign(district_id=lambda frame: np.resize(DISTRICTS, len(frame)))
    present = present.assign(project_id="present-" + present["project_id"])
    return appraise(call, offers=brought, rules=ALL, present=present, **inputs)


def test_total_worked_by_hand() -> None:
    # p in A: ¾ × 0.5 + ¼ × 1 = 0.625. q in B: ¾ × 1 + ¼ × [0, 1] = [0.75, 1]; the point is half-way.
    found = small()
    assert found.weights == {"needs": 0.75, "window": 0.25}
    assert found.low.loc["p"].tolist() == [0.625, 0.25]
    assert found.high.loc["p"].tolist() == [0.625, 0.25]
    assert (found.low.loc["q", "B"], found.high.loc["q", "B"]) == (0.75, 1.0)
    assert found.scores().loc["q", "B"] == 0.875


@pytest.mark.parametrize(("take", "score_"), [(0.0, 0.75), (0.25, 0.8125), (1.0, 1.0)])
def test_the_point_kept_in_an_interval_is_a_rule(take: float, score_: float) -> None:
    record = {"criteria": {"needs": {"weight": 3.0}, "window": {"weight": 1.0}}, "missing": {"take": take}}
    assert small(record).scores().loc["q", "B"] == score_


def test_the_anchors_make_the_scale() -> None:
    raw = np.array([[0.0, 5.0, 10.0, 20.0, np.nan]])
    up = scaled(raw, raw, criterion=Criterion(anchors=(5.0, 10.0)))
    assert up.low.tolist() == [[0.0, 0.0, 1.0, 1.0, 0.0]]
    assert up.high.tolist() == [[0.0, 0.0, 1.0, 1.0, 1.0]]
    # Less is better: the ends change sides.
    down = scaled(np.array([[0.0]]), np.array([[4.0]]), criterion=Criterion(anchors=(10.0, 0.0)))
    assert (down.low.tolist(), down.high.tolist()) == ([[0.6]], [[1.0]])


def test_a_gate_bars_only_what_is_surely_at_zero() -> None:
    record = {"criteria": {"needs": {"weight": 1.0}, "window": {"weight": 1.0, "anchors": [0.5, 1.0], "gate": True}}}
    found = small(record, months=(14.0, None))  # p: exactly half, worth 0; q: unknown
    assert found.barred().loc["p"].all()
    assert not found.barred().loc["q"].any()
    assert found.scores().loc["p"].isna().all()
    assert found.scores().loc["q"].notna().all()


def test_real_projects_keep_the_score_of_their_text(tables, inputs) -> None:
    projects = tables["projects"]
    brought = offers(projects, lexicon=tables["lexicon"], tags=tables["project_tags"])
    found = appraise(projects, offers=brought, rules=SHIPPED, **inputs)
    published = inputs["needs"].query("layer != 'field'")
    text = score(published, brought, project_ids=projects["project_id"], district_ids=DISTRICTS)
    pd.testing.assert_frame_equal(found.scores(), text, check_exact=True)
    assert found.weights == {"needs": 1.0, "field": 0.0, "competence": 0.0}


def test_every_criterion_is_an_interval_inside_the_scale(pool) -> None:
    assert list(pool.criteria) == [
        "needs",
        "field",
        "feasibility",
        "people",
        "complementarity",
        "window",
        "competence",
    ]
    for name, judged in pool.criteria.items():
        assert ((judged.low >= 0) & (judged.low <= judged.high) & (judged.high <= 1)).all(), name
    assert (pool.low <= pool.high).all().all()
    assert sum(pool.weights.values()) == pytest.approx(1.0)


def unmoved(found: Appraisal, pool: Appraisal, chosen: pd.DataFrame) -> bool:
    """Whether every chosen project, and the twin of the first, has the very same numbers as in the whole call."""
    same = []
    for key in ("low", "high"):
        got, expected = getattr(found, key), getattr(pool, key).loc[chosen["project_id"]].to_numpy()
        same.append((got.loc[[*chosen["project_id"], "twin"]].to_numpy() == expected[[*range(len(chosen)), 0]]).all())
    return all(same)


def drawn_sets(rng: np.random.Generator, call: pd.DataFrame, pool: Appraisal, *, n: int) -> Iterator[tuple]:
    """A few dossiers of the call, the first of them twice, and their offers."""
    for _ in range(n):
        chosen = call.iloc[rng.choice(len(call), int(rng.integers(1, 9)), replace=False)]
        twin, mine = chosen.iloc[[0]].assign(project_id="twin"), pool.offers["project_id"].isin(chosen["project_id"])
        brought = pool.offers[mine]
        same = brought[brought["project_id"] == chosen["project_id"].iloc[0]].assign(project_id="twin")
        yield chosen, pd.concat([chosen, twin], ignore_index=True), pd.concat([brought, same], ignore_index=True)


# Whoever else applies, whatever the order, applied once or twice: not one digit of anybody moves, so no two swap.
def test_independence_of_the_whole_computation(inputs, call, pool) -> None:
    for chosen, dossiers, brought in drawn_sets(np.random.default_rng(40), call, pool, n=20):
        assert unmoved(appraise(dossiers, offers=brought, rules=ALL, present=pool.present, **inputs), pool, chosen)


@pytest.mark.slow
def test_independence_on_1000_random_sets(call, pool) -> None:
    for chosen, dossiers, brought in drawn_sets(np.random.default_rng(1000), call, pool, n=1000):
        assert unmoved(pool.yardstick.appraise(dossiers, offers=brought), pool, chosen)


def test_contributions_re_add_and_point_at_their_evidence(pool) -> None:
    pairs = pd.DataFrame({"project_id": list(pool.projects[:12]) * 4, "district_id": np.repeat(DISTRICTS, 12)})
    rows = reasons(pool, pairs)
    assert len(rows) == 48 * 7
    assert readds(rows, pool)
    assert (rows["words"] != "").all()
    useful = rows[(rows["criterion"] == "needs") & (rows["low"] > 0)]
    assert useful["evidence"].str.contains("LEX-").all()
    heard = rows[(rows["criterion"] == "field") & (rows["low"] > 0)]
    assert heard["evidence"].str.contains("DEMO-").all()
    broken = rows.assign(contribution_low=rows["contribution_low"] + 0.01)
    assert not readds(broken, pool)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="Projet inconnu de cet appariement : « z »"):
        reasons(small(), pd.DataFrame({"project_id": ["z"], "district_id": ["A"]}))
    with pytest.raises(UnknownNameError, match="Quartier inconnu"):
        reasons(small(), pd.DataFrame({"project_id": ["p"], "district_id": ["Z"]}))


def test_the_question_that_settles_a_comparison() -> None:
    # In B, p is at 0.25 + 0.75 × 0.9 = 0.925 and q somewhere in [0.75, 1]: asking q its months settles that, whatever
    # it says (7 months: 1.0; 14: 0.75; longer: 0.75). In A, q is in [0, 0.25] and p at 0.25: they may meet.
    brought = pd.DataFrame(
        [("p", "energie", 0.9, "mot"), ("q", "energie", 1.0, "mot")],
        columns=["project_id", "theme", "strength", "evidence"],
    )
    frame = pd.DataFrame({"project_id": ["p", "q"], "name": ["Pé", "Qu"], "months": [7.0, None], "season": "any"})
    record = {"criteria": {"needs": {"weight": 3.0}, "window": {"weight": 1.0, "anchors": [0.5, 1.0]}}}
    found = questions(appraise(frame, needs=NEEDS, offers=brought, districts=["A", "B"], rules=rules_from(record)))
    assert found["project_id"].tolist() == ["q"]
    assert found["field"].tolist() == ["months"]
    assert found[["settled", "may_settle"]].to_numpy().tolist() == [[1, 2]]
    assert found["question"].iloc[0].startswith("demander la durée de mesure à Qu : départage 1 comparaison")


def test_no_question_when_nothing_is_missing() -> None:
    assert questions(small(months=(7.0, 7.0))).empty


def test_questions_on_the_demonstration_are_sorted_and_useful(pool) -> None:
    found = questions(pool)
    assert found["settled"].is_monotonic_decreasing
    assert (found["may_settle"] >= found["settled"]).all()
    assert (found["may_settle"] > 0).all()
    asked = pool.applications.set_index("project_id")
    assert all(pd.isna(asked.loc[row.project_id, row.field]) for row in found.itertuples())


@pytest.mark.parametrize(
    ("record", "message"),
    [({"criteria": {"people": {"weight": 1.0}}}, "Aucun critère"), ({"criteria": {"window": {}}}, None)],
)
def test_a_criterion_nobody_can_compute(record: dict, message: str | None) -> None:
    if message is None:
        assert small(record).weights["window"] == 1.0
        return
    with pytest.raises(InputError, match=message):
        small(record)


def test_one_candidate_none_and_all_missing() -> None:
    one = appraise(pd.DataFrame({"project_id": ["p"]}), needs=NEEDS, offers=OFFERS, districts=["A"])
    assert one.scores().loc["p", "A"] == 0.5
    none = appraise(pd.DataFrame({"project_id": []}, dtype="str"), needs=NEEDS, offers=OFFERS, districts=["A"])
    assert none.scores().shape == (0, 1)
    mute = appraise(pd.DataFrame({"project_id": ["z"]}), needs=NEEDS, offers=OFFERS, districts=["A"])
    assert mute.scores().isna().all().all()  # unknown, not zero
    assert (mute.low.loc["z", "A"], mute.high.loc["z", "A"]) == (0.0, 1.0)


def test_bad_input_is_one_sentence() -> None:
    frame = pd.DataFrame({"project_id": ["p", "p"]})
    with pytest.raises(InputError, match="plusieurs fois"):
        appraise(frame, needs=NEEDS, offers=OFFERS, districts=["A"])
    with pytest.raises(InputError, match="Aucun quartier"):
        appraise(frame.head(1), needs=NEEDS, offers=OFFERS, districts=[])


def test_a_constant_criterion_adds_the_same_to_all() -> None:
    record = {"criteria": {"needs": {"weight": 1.0}, "window": {"weight": 1.0}}}
    found = small(record, months=(7.0, 7.0))
    assert (found.low - small({"criteria": {"needs": {}}}).low / 2 == 0.5).all().all()


def test_default_rules_are_those_of_an_empty_file() -> None:
    frame = pd.DataFrame({"project_id": ["p"]})
    found = appraise(frame, needs=NEEDS, offers=OFFERS, districts=["A", "B"])
    assert found.rules == Rules()
    assert list(found.criteria) == ["needs"]
