from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from plan_cases import Rulings, matrix, random_call, rules

from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.matching.optimum import optimum
from geo_qmi.matching.plan import plan
from geo_qmi.matching.program import compiled

FREE = {"low": 0, "high": 4}


def sites(rows: str) -> pd.DataFrame:
    """« p A a1, q A a1 »: project, district, place."""
    return pd.DataFrame([row.split() for row in rows.split(",")], columns=["project_id", "district_id", "place_id"])


def on_a_place(**changes: Any) -> dict[str, Any]:
    return {"projects": ["p", "q"], "bonus": 0.4, "place": "*", "reason": "même place", **changes}


def test_two_projects_meet_only_where_one_place_suits_both() -> None:
    # Apart: p in A and q in B, 0.9 + 0.8 = 1.7. Together in A, 0.9 + 0.5 + 0.4 = 1.8, if a place of A suits both.
    scores, synergy = matrix([[0.9, 0.1], [0.5, 0.8]]), [on_a_place()]
    shared = plan(scores, rules(quotas=FREE, synergies=synergy), sites=sites("p A a1, p A a2, q A a2, q B b1"))
    assert shared.rows["district_id"].tolist() == ["A", "A"]
    assert shared.synergies.to_numpy().tolist() == [["p + q dans le quartier A, sur le lieu a2", 0.4, True]]
    assert (shared.total, shared.bonus) == (1.4, 0.4)
    apart = plan(scores, rules(quotas=FREE, synergies=synergy), sites=sites("p A a1, q A a2, q B b1"))
    assert apart.rows["district_id"].tolist() == ["A", "B"]
    assert apart.synergies.empty
    elsewhere = [on_a_place(place="a1")]
    named = plan(scores, rules(quotas=FREE, synergies=elsewhere), sites=sites("p A a1, p A a2, q A a2"))
    assert named.rows["district_id"].tolist() == ["A", "B"]


def test_a_project_stands_on_one_place_only() -> None:
    # q could meet p on a1 or r on a2, not both: one bonus of the two.
    both = [on_a_place(), on_a_place(projects=["q", "r"])]
    found = plan(
        matrix([[0.5], [0.5], [0.5]]), rules(quotas=FREE, synergies=both), sites=sites("p A a1, q A a1, q A a2, r A a2")
    )
    assert (found.total, found.bonus, found.synergies["earned"].sum()) == (1.5, 0.4, 1)


def test_projects_that_disturb_one_another_stand_apart_when_they_can() -> None:
    given = rules(quotas=FREE, synergies=[on_a_place(bonus=-0.4)])
    scores = matrix([[0.5], [0.3]])
    room = plan(scores, given, sites=sites("p A a1, p A a2, q A a2"))
    assert (len(room.rows), room.bonus) == (2, 0.0)
    tight = plan(scores, given, sites=sites("p A a2, q A a2"))
    assert (tight.rows["project_id"].tolist(), tight.bonus) == (["p"], 0.0)


def test_equal_to_brute_force_with_synergies_on_places() -> None:
    rng = np.random.default_rng(31)
    earned = compared = 0
    while compared < 60:
        scores, given, themes = random_call(rng, n_most=4)
        if len(scores) < 2:
            continue
        where = [(name, place[0], place) for name in scores.index for place in ("A1", "A2", "B1", "C1")]
        kept = [row for row in where if rng.random() < 0.6]
        table = pd.DataFrame(kept, columns=["project_id", "district_id", "place_id"], dtype="str")
        synergies = [
            {
                "projects": sorted(map(str, rng.choice(scores.index, 2, replace=False))),
                "bonus": float(rng.choice([-0.4, 0.8, 1.0])),
                "reason": "même place",
                "place": str(rng.choice(["*", *sorted(set(table["place_id"]))])),
            }
            for _ in range(3)
        ]
        given = rules(**{**given.model_dump(), "synergies": synergies})
        call = Rulings(scores, given, themes, table)
        worths = [call.worth(one) for one in call.plans()]
        program = compiled(scores, given, themes=themes, sites=table)
        best = optimum(program)
        assert (best is None) == (not worths)
        if best is not None:
            assert best.reached == max(worths)
            assert best.tied == (worths.count(max(worths)) > 1)
            compared += 1
            earned += best.chosen[program.n_pairs : program.n_pairs + len(program.synergies)].any()
    assert earned > 5


def test_a_place_that_nobody_knows_is_refused() -> None:
    scores = matrix([[0.5], [0.5]])
    with pytest.raises(InputError, match="les lieux qui conviennent à chaque projet manquent"):
        plan(scores, rules(quotas=FREE, synergies=[on_a_place()]))
    with pytest.raises(UnknownNameError, match="le lieu « z » n’existe pas ou ne convient à aucun projet"):
        plan(scores, rules(quotas=FREE, synergies=[on_a_place(place="z")]), sites=sites("p A a1"))
