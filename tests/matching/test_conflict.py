from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from plan_cases import matrix, membership, random_call, rules

from geo_qmi.errors import InfeasibleError
from geo_qmi.matching.conflict import clash, duties, smallest_clash
from geo_qmi.matching.optimum import feasible
from geo_qmi.matching.plan import plan


def test_the_smallest_clash_leaves_out_what_does_not_matter() -> None:
    # Two projects for three minima of 1: any three… but B alone asks 3 of the 2 there are.
    given = rules(quotas={"low": 1, "high": 4, "district": {"B": {"low": 3, "high": 4}}})
    scores = matrix(np.full((2, 3), 0.5))
    found = clash(scores, given)
    assert found is not None
    assert [limit.words for limit in found.limits] == ["au moins 3 projets dans le quartier B"]
    assert found.smallest
    assert found.sentence == (
        "Plan impossible : cette règle ne peut pas être tenue : au moins 3 projets dans le quartier B "
        "(2 candidatures de score connu, chacune dans un quartier au plus)."
    )


def test_rules_of_several_kinds_may_clash_together() -> None:
    # Three projects, two of them about water; A asks two projects, takes one of water, and r is barred.
    given = rules(
        quotas={"low": 0, "high": 4, "district": {"A": {"low": 2, "high": 4}}},
        theme_bounds=[{"theme": "eau", "district": "A", "high": 1}],
        vetoes=[{"project": "r", "district": "A", "reason": "conflit"}],
    )
    with pytest.raises(InfeasibleError) as caught:
        plan(matrix(np.full((3, 2), 0.5)), given, themes=membership({"p": "eau", "q": "eau", "r": "bati"}))
    assert str(caught.value) == (
        "Plan impossible : ces 3 règles ne peuvent pas être tenues ensemble : au moins 2 projets dans le quartier A ; "
        "au plus 1 projet du thème « Eau et pluie » dans le quartier A ; le projet r exclu de A (conflit) "
        "(3 candidatures de score connu, chacune dans un quartier au plus). "
        "En assouplir une seule suffit à lever cette contradiction."
    )


def test_a_project_fixed_in_two_districts_is_a_clash_of_two_rules() -> None:
    fixed = [{"project": "p", "district": name, "reason": "accord"} for name in "AB"]
    found = clash(matrix([[0.5, 0.5]]), rules(quotas={"low": 0, "high": 4}, fixed=fixed))
    assert found is not None
    assert [limit.path for limit in found.limits] == ["fixed[0]", "fixed[1]"]


def test_names_are_shown_where_given() -> None:
    found = clash(matrix(np.empty((0, 1))), rules(quotas={"low": 1, "high": 1}), names={"A": "Rose des Vents"})
    assert found is not None
    assert "au moins 1 projet dans le quartier « Rose des Vents »" in found.sentence


def test_no_clash_when_a_plan_exists() -> None:
    assert clash(matrix([[0.5]]), rules(quotas={"low": 1, "high": 1})) is None


def test_dropping_any_rule_leaves_a_plan_and_no_smaller_set_clashes() -> None:
    rng = np.random.default_rng(11)
    sizes = []
    while len(sizes) < 40:
        scores, given, themes = random_call(rng, n_most=5)
        program = duties(scores, given, themes=themes)
        if feasible(program):
            continue
        found = smallest_clash(program)
        assert found.smallest
        positions = [program.limits.index(limit) for limit in found.limits]

        def clashes(kept: tuple[int, ...] | list[int], program=program) -> bool:
            return not feasible(program.with_limits(np.isin(np.arange(len(program.limits)), kept)))

        assert clashes(positions)
        assert not any(clashes([one for one in positions if one != dropped]) for dropped in positions)
        if len(program.limits) <= 10:
            smaller = combinations(range(len(program.limits)), len(positions) - 1)
            assert not any(clashes(kept) for kept in smaller)
        sizes.append(len(positions))
    assert max(sizes) >= 3
