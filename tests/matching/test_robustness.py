from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from plan_cases import matrix, rules

from geo_qmi.errors import InfeasibleError, InputError, UnknownNameError
from geo_qmi.matching.plan import plan
from geo_qmi.matching.robustness import (
    drawn_weights,
    plan_acceptability,
    plan_ranges,
    rank_acceptability,
    rank_ranges,
)


def share(table: pd.DataFrame, **cells: object) -> float:
    kept = table
    for column, value in cells.items():
        kept = kept[kept[column] == value]
    return float(kept["acceptability"].sum())


def test_weights_are_drawn_evenly_over_the_simplex() -> None:
    weights = drawn_weights(3, draws=20_000, seed=1)
    assert weights.sum(axis=1) == pytest.approx(1)
    # Over an even triangle the chance that one weight passes 1/2 is (1/2)² = 0.25.
    assert (weights[:, 0] > 0.5).mean() == pytest.approx(0.25, abs=0.02)
    assert (drawn_weights(3, draws=5, seed=1) == weights[:5]).all()


def test_rank_acceptability_by_hand() -> None:
    # p is first when 1·t + 0·(1 − t) > 0.25·t + 0.75·(1 − t), that is t > 1/2… and r never is.
    price, place = matrix([[1.0], [0.25], [0.2]]), matrix([[0.0], [0.75], [0.1]])
    table = rank_acceptability({"price": price, "place": place}, draws=4_000, seed=2)
    assert share(table, project_id="p", rank=1) == pytest.approx(0.5, abs=0.03)
    assert share(table, project_id="q", rank=1) == pytest.approx(0.5, abs=0.03)
    assert share(table, project_id="r", rank=1) == 0
    assert table.groupby("project_id")["acceptability"].sum().tolist() == pytest.approx([1, 1, 1])
    again = rank_acceptability({"price": price.iloc[::-1], "place": place}, draws=4_000, seed=2)
    pd.testing.assert_frame_equal(again, table)


def test_an_interval_is_drawn_and_a_missing_value_is_not_ranked() -> None:
    # p lies anywhere between 0 and 1, q at 0.3: p is first seven times in ten. r is unknown.
    low, high = matrix([[0.0], [0.3], [np.nan]]), matrix([[1.0], [0.3], [np.nan]])
    table = rank_acceptability({"need": low}, high={"need": high}, draws=4_000)
    assert share(table, project_id="p", rank=1) == pytest.approx(0.7, abs=0.03)
    assert set(table["project_id"]) == {"p", "q"}


def test_a_constant_criterion_leaves_everyone_level() -> None:
    table = rank_acceptability({"need": matrix([[0.5], [0.5]])}, draws=10)
    assert table[["project_id", "rank", "acceptability"]].to_numpy().tolist() == [["p", 1, 1.0], ["q", 1, 1.0]]


def test_rank_ranges_are_the_crossings() -> None:
    # Totals as the weight t of price moves: p = 0.4 + 0.6 t, q = 0.8 − 0.8 t, r = 0.6: p meets q at 2/7, r at 1/3;
    # q meets r at 1/4. At t = 1/2: p 0.7, r 0.6, q 0.4.
    price, place = matrix([[1.0], [0.0], [0.6]]), matrix([[0.4], [0.8], [0.6]])
    table = rank_ranges({"price": price, "place": place}, {"price": 2.0, "place": 2.0}, district_id="A")
    rows = table[table["criterion"] == "price"].set_index("project_id")
    assert rows["rank"].to_dict() == {"p": 1, "r": 2, "q": 3}
    assert rows.loc["p", ["from", "to"]].tolist() == pytest.approx([1 / 3, 1])
    assert rows.loc["r", ["from", "to"]].tolist() == pytest.approx([1 / 3, 1])
    assert rows.loc["q", ["from", "to"]].tolist() == pytest.approx([2 / 7, 1])
    assert rows["weight"].tolist() == [0.5] * 3


def test_inside_a_range_the_rank_holds_and_outside_it_changes() -> None:
    rng = np.random.default_rng(8)
    criteria = {name: matrix(rng.random((5, 1))) for name in ("a", "b", "c")}
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    table = rank_ranges(criteria, weights, district_id="A")
    changed = 0
    for row in table.to_dict("records"):
        name, ends = row["criterion"], (row["from"], row["to"])

        def rank_at(weight: float, name: str = name, project: str = row["project_id"]) -> int:
            rest = sum(value for other, value in weights.items() if other != name)
            at = {other: (1 - weight) * value / rest for other, value in weights.items()} | {name: weight}
            total = sum(at[other] * frame["A"] for other, frame in criteria.items())
            return int(total.rank(ascending=False)[project])

        for inside in np.linspace(ends[0] + 1e-6, ends[1] - 1e-6, 5):
            assert rank_at(inside) == row["rank"]
        for outside in (ends[0] - 1e-6, ends[1] + 1e-6):
            if 0 <= outside <= 1:
                assert rank_at(outside) != row["rank"]
                changed += 1
    assert changed >= 8


def test_plan_ranges_by_hand() -> None:
    # One place: p = t, q = 0.6 whatever the weight. q until 0.6, then p.
    price, place = matrix([[1.0], [0.6]]), matrix([[0.0], [0.6]])
    one = rules(quotas={"low": 1, "high": 1})
    table = plan_ranges({"price": price, "place": place}, {"price": 1, "place": 1}, rules=one, criterion="price")
    assert table["project_id"].tolist() == ["p", "q"]
    assert table[["from", "to"]].to_numpy().ravel().tolist() == pytest.approx([0.6, 1, 0, 0.6])


@pytest.mark.parametrize("crossing", [False, True])
def test_plan_ranges_agree_with_a_plan_at_every_weight(crossing: bool) -> None:
    rng = np.random.default_rng(9)
    criteria = {name: matrix(np.round(rng.random((6, 2)), 3)) for name in ("a", "b")}
    sections = {"synergies": [{"projects": ["p", "q"], "bonus": 0.3, "reason": "place"}]} if crossing else {}
    given = rules(quotas={"low": 1, "high": 2}, **sections)
    table = plan_ranges(criteria, {"a": 1, "b": 1}, rules=given, criterion="a")
    assert len(table) > 4
    for weight in np.linspace(0.013, 0.987, 15):
        best = plan(weight * criteria["a"] + (1 - weight) * criteria["b"], given).rows
        inside = table[(table["from"] <= weight) & (weight <= table["to"])]
        assert sorted(zip(inside["project_id"], inside["district_id"], strict=True)) == sorted(
            zip(best["project_id"], best["district_id"], strict=True)
        )


def test_plan_acceptability_counts_plans() -> None:
    price, place = matrix([[1.0], [0.5], [0.4]]), matrix([[0.0], [0.5], [0.4]])
    one = rules(quotas={"low": 1, "high": 1})
    table = plan_acceptability({"price": price, "place": place}, one, draws=400, seed=3)
    assert share(table, project_id="p") == pytest.approx(0.5, abs=0.08)
    assert share(table, project_id="p") + share(table, project_id="q") == pytest.approx(1)
    with pytest.raises(InfeasibleError, match="Plan impossible"):
        plan_acceptability({"price": price}, rules(quotas={"low": 4, "high": 4}))


def test_one_criterion_and_one_candidate() -> None:
    table = rank_ranges({"need": matrix([[0.5]])}, {"need": 1.0}, district_id="A")
    assert table[["rank", "weight", "from", "to"]].to_numpy().tolist() == [[1, 1, 0, 1]]


def test_a_weight_of_zero_moves_against_the_others_and_alone_against_equal_ones() -> None:
    criteria = {"a": matrix([[1.0], [0.0]]), "b": matrix([[0.0], [0.5]])}
    rows = rank_ranges(criteria, {"b": 1.0}, district_id="A").set_index(["criterion", "project_id"])
    # p = t, q = 0.5 (1 − t): they meet at 1/3 from either end.
    assert rows.loc[("a", "q"), ["rank", "from", "to"]].tolist() == pytest.approx([1, 0, 1 / 3])
    assert rows.loc[("b", "q"), ["rank", "from", "to"]].tolist() == pytest.approx([1, 2 / 3, 1])


@pytest.mark.parametrize(
    ("criteria", "weights", "error", "message"),
    [
        ({}, {}, InputError, "Critères : aucun"),
        ({"a": matrix([[1.2]])}, {"a": 1}, InputError, "1.2 à 1.2 pour le projet p"),
        ({"a": matrix([[0.2]]), "b": matrix([[0.2], [0.1]])}, {"a": 1}, InputError, "ne sont pas ceux des autres"),
        ({"a": matrix([[0.2]])}, {"z": 1}, UnknownNameError, "critère « z » inconnu"),
        ({"a": matrix([[0.2]])}, {"a": 0}, InputError, "un au moins n’est pas nul"),
        ({"a": matrix([[0.2]])}, {"a": -1}, InputError, "positifs ou nuls"),
        ({"a": matrix([[0.2], [0.1]], ids="pp")}, {"a": 1}, InputError, "plusieurs fois : « p »"),
    ],
)
def test_criteria_and_weights_that_make_no_sense_are_refused(
    criteria: dict[str, pd.DataFrame], weights: dict[str, float], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        rank_ranges(criteria, weights, district_id="A")
    assert message in str(caught.value)


def test_an_unknown_district_or_criterion_and_no_draw() -> None:
    criteria = {"a": matrix([[0.2]])}
    with pytest.raises(UnknownNameError, match="Quartier « Z » inconnu"):
        rank_ranges(criteria, {"a": 1}, district_id="Z")
    with pytest.raises(UnknownNameError, match="Critère « z » inconnu"):
        plan_ranges(criteria, {"a": 1}, rules=rules(quotas={"low": 0, "high": 1}), criterion="z")
    with pytest.raises(InputError, match="Nombre de tirages : « 0 »"):
        rank_acceptability(criteria, draws=0)
