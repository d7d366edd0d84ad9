from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from plan_cases import Rulings, matrix, random_call, rules

from geo_qmi.errors import InfeasibleError, InputError, UnknownNameError
from geo_qmi.matching.alternatives import near_plans
from geo_qmi.matching.refusals import Refusals


def pairs(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame["project_id"], frame["district_id"], strict=True))


def test_near_plans_and_their_common_core_by_hand() -> None:
    # Two places; p 0.9 always, then q 0.500 or r 0.498: 1.400 and 1.398, within 1 % (1.386); p + s = 1.3 is not.
    scores = matrix([[0.9], [0.5], [0.498], [0.4]])
    found = near_plans(scores, rules(quotas={"low": 2, "high": 2}))
    assert found.plans.to_numpy().tolist() == [[1, 1.4, 0.0], [2, 1.398, 0.002]]
    assert pairs(found.core) == {("p", "A")}
    assert found.varying.to_numpy().tolist() == [["q", "A", True], ["r", "A", False]]
    assert found.complete
    assert found.sentence == (
        "2 plans à moins de 1 % du meilleur, lui compris. Noyau sûr : 1 placement commun à tous ; "
        "2 paires changent d’un plan à l’autre."
    )


def test_a_single_plan_is_all_core() -> None:
    found = near_plans(matrix([[0.9], [0.1]]), rules(quotas={"low": 1, "high": 1}))
    assert (pairs(found.core), len(found.varying), len(found.plans)) == ({("p", "A")}, 0, 1)
    assert found.sentence.startswith("Aucun autre plan n’est à moins de 1 % du meilleur")


def test_the_core_is_exact_even_where_the_list_stops() -> None:
    # 20 level projects for 10 places, and one above all: 92 378 plans, one safe placement.
    scores = pd.DataFrame({"A": [0.9] + [0.5] * 20}, index=[f"p{n:02}" for n in range(21)])
    found = near_plans(scores, rules(quotas={"low": 10, "high": 10}), limit=3, every_pair=True)
    assert (len(found.plans), found.complete) == (3, False)
    assert pairs(found.core) == {("p00", "A")}
    assert len(found.varying) == 20
    assert found.varying["in_best"].sum() == 9
    assert found.sentence.startswith("Plus de 3 plans (liste arrêtée à 3) à moins de 1 % du meilleur")
    quick = near_plans(scores, rules(quotas={"low": 10, "high": 10}), limit=3)
    assert pairs(quick.core) == {("p00", "A")}
    assert pairs(quick.varying) <= pairs(found.varying)
    assert not quick.every_pair
    assert "au moins" in quick.sentence


def test_core_and_costs_equal_those_of_every_plan() -> None:
    rng = np.random.default_rng(5)
    checked = forced = 0
    while checked < 40 or forced < 8:  # enough calls, and enough of them where the pair must be forced in
        scores, given, themes = random_call(rng, n_most=4)
        call = Rulings(scores, given, themes)
        every = [(call.worth(one)[0], one) for one in call.plans()]
        if not every:
            continue
        within, limit = float(rng.choice([0, 0.1, 0.3])), int(rng.integers(1, 8))
        top = max(worth for worth, _ in every)
        good = [set(one.items()) for worth, one in every if worth >= top - within * abs(top) - 1e-6]
        found = near_plans(scores, given, themes=themes, within=within, limit=limit, every_pair=True)
        assert pairs(found.core) == set.intersection(*good)
        assert pairs(found.varying) == set.union(*good) - set.intersection(*good)
        assert (found.complete, len(found.plans)) == (len(good) <= limit, min(limit, len(good)))
        project, district = str(rng.choice(scores.index)), str(rng.choice(scores.columns))
        answer = Refusals.of(scores, given, themes=themes).why_not(project, district)
        there = [worth for worth, one in every if one.get(project) == district]
        assert answer.possible == bool(there)
        if there:
            unit = 1 if given.objective.order[:1] == ("placed",) else 1_000_000
            assert answer.points_lost == pytest.approx((top - max(there)) / unit)
            forced += not answer.placed
        checked += 1


def test_why_not_names_the_displaced_project_the_cost_and_the_rule() -> None:
    scores = matrix([[0.9, 0.3], [0.7, 0.1]])
    found = Refusals.of(scores, rules(quotas={"low": 0, "high": 1})).why_not("q", "A")
    # p→A, q→B = 1.0 is level with q→A, p→B = 1.0: lots decide; take a clear case instead.
    assert found.points_lost == 0
    clear = Refusals.of(matrix([[0.9, 0.1], [0.7, 0.0]]), rules(quotas={"low": 0, "high": 1})).why_not("q", "A")
    # p→A (0.9) against q→A, p→B (0.8): 0.1 lost, p moves to B; with two places in A nothing would be lost.
    assert clear.points_lost == pytest.approx(0.1)
    assert clear.rule == "au plus 1 projet dans le quartier A"
    assert clear.sentence == (
        "q dans A : coûte 0,1 point au plan ; change de place : p (passe à B). En travers : au plus 1 projet dans le "
        "quartier A."
    )


def test_many_questions_about_one_call_have_the_answers_of_each_alone() -> None:
    # A place each in A and B, r refused: what a question teaches about a rule must not change the next answer.
    scores, given = matrix([[0.9, 0.3], [0.7, 0.6], [0.5, 0.4]]), rules(quotas={"low": 0, "high": 1})
    call = Refusals.of(scores, given)
    for project in "pqr":
        for district in "AB":
            alone = Refusals.of(scores, given).why_not(project, district)
            together = call.why_not(project, district)
            assert together.sentence == alone.sentence
            assert (together.rule, together.points_lost) == (alone.rule, alone.points_lost)
    # Best: p in A, q in B = 1.5; r in A throws p out: 0.5 + 0.6 = 1.1.
    assert call.why_not("r", "A").points_lost == pytest.approx(0.4)


def test_why_not_moves_as_few_projects_as_it_can() -> None:
    # r may push out p or q, both worth 0.5: the plan changes by one project only.
    scores = matrix([[0.5], [0.5], [0.4]])
    found = Refusals.of(scores, rules(quotas={"low": 2, "high": 2})).why_not("r", "A")
    assert len(found.moved) == 2
    assert found.moved.loc[found.moved["project_id"] == "r", "after"].tolist() == ["A"]


def test_why_not_when_nothing_allows_it() -> None:
    scores = matrix([[0.9, np.nan], [0.8, 0.2]])
    veto = {"vetoes": [{"project": "q", "district": "B", "reason": "sol pollué"}]}
    barred = Refusals.of(scores, rules(quotas={"low": 0, "high": 2}, **veto)).why_not("q", "B")
    assert (barred.possible, barred.points_lost) == (False, None)
    assert barred.sentence == "q dans B : aucun plan ne le permet. En travers : le projet q exclu de B (sol pollué)."
    unknown = Refusals.of(scores, rules(quotas={"low": 0, "high": 2})).why_not("p", "B")
    assert unknown.sentence.startswith("p dans B : score inconnu")
    here = Refusals.of(scores, rules(quotas={"low": 0, "high": 2})).why_not("p", "A")
    assert (here.placed, here.points_lost) == (True, 0.0)


def test_questions_without_meaning_are_refused() -> None:
    scores, given = matrix([[0.5]]), rules(quotas={"low": 0, "high": 1})
    with pytest.raises(UnknownNameError, match="pas de projet « z »"):
        Refusals.of(scores, given).why_not("z", "A")
    with pytest.raises(UnknownNameError, match="pas de quartier « Z »"):
        Refusals.of(scores, given).why_not("p", "Z")
    with pytest.raises(InputError, match="une part entre 0 et 1"):
        near_plans(scores, given, within=2)
    with pytest.raises(InputError, match="1 au moins"):
        near_plans(scores, given, limit=0)
    with pytest.raises(InfeasibleError, match="Plan impossible"):
        near_plans(scores, rules(quotas={"low": 2, "high": 2}))
    assert near_plans(matrix([[np.nan]]), given).plans["points"].tolist() == [0.0]
