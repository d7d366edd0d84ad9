from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
from plan_cases import Rulings, matrix, membership, random_call, rules

from geo_qmi.errors import InfeasibleError, InputError, LimitError, UnknownNameError
from geo_qmi.matching import optimum as solver
from geo_qmi.matching.conflict import clash
from geo_qmi.matching.optimum import optimum
from geo_qmi.matching.plan import main_themes, next_wave, plan
from geo_qmi.matching.program import compiled

FREE = {"low": 0, "high": 4}


def placed(frame: pd.DataFrame) -> dict[str, str]:
    return dict(zip(frame["project_id"], frame["district_id"], strict=True))


def test_equal_to_brute_force_on_500_calls_with_rules_of_every_kind() -> None:
    rng = np.random.default_rng(2026)
    seen = {"flow": 0, "branching": 0, "tied": 0, "impossible": 0}
    for _ in range(500):
        scores, given, themes = random_call(rng, n_most=4)
        call = Rulings(scores, given, themes)
        worths = [call.worth(one) for one in call.plans()]
        program = compiled(scores, given, themes=themes)
        best = optimum(program)
        if not worths:
            assert best is None
            seen["impossible"] += 1
            continue
        assert best is not None
        assert best.reached == max(worths)
        assert best.tied == (worths.count(max(worths)) > 1)
        chosen = np.flatnonzero(best.chosen[: program.n_pairs])
        found = dict(
            zip(
                program.project_ids[program.project[chosen]],
                program.district_ids[program.district[chosen]],
                strict=True,
            )
        )
        assert call.holds(found)
        seen["flow" if program.flow else "branching"] += 1
        seen["tied"] += best.tied
    assert min(seen.values()) > 50


def test_the_order_of_rows_and_columns_changes_nothing() -> None:
    rng = np.random.default_rng(7)
    compared = 0
    while compared < 15:
        scores, given, themes = random_call(rng, n_most=5)
        turned = scores.iloc[::-1, ::-1], given
        if optimum(compiled(scores, given, themes=themes)) is None:
            assert clash(*turned, themes=themes.iloc[::-1]) == clash(scores, given, themes=themes)
            continue
        first, second = plan(scores, given, themes=themes), plan(*turned, themes=themes.iloc[::-1])
        for name in ("rows", "reserve", "limits", "excluded"):
            pd.testing.assert_frame_equal(getattr(second, name), getattr(first, name))
        compared += 1


def test_a_synergy_brings_two_projects_together() -> None:
    # Apart: 0.9 (p in A) + 0.8 (q in B) = 1.7; together in A: 0.9 + 0.5 + 0.4 = 1.8
    scores = matrix([[0.9, 0.1], [0.5, 0.8]])
    synergy = {"projects": ["p", "q"], "bonus": 0.4, "reason": "même place"}
    found = plan(scores, rules(quotas=FREE, synergies=[synergy]))
    assert placed(found.rows) == {"p": "A", "q": "A"}
    assert (found.total, found.bonus, found.method) == (1.4, 0.4, "branching")
    assert found.synergies["earned"].tolist() == [True, False]
    assert found.said.startswith("Est rendue la plus haute possible : la somme des scores, plus la somme des primes")
    apart = plan(scores, rules(quotas=FREE, synergies=[synergy | {"bonus": 0.2}]))
    assert (placed(apart.rows), apart.bonus) == ({"p": "A", "q": "B"}, 0.0)


def test_a_shared_service_has_a_capacity_in_each_district() -> None:
    # Three projects ask 4, 4 and 3 of a gardener who can do 7: the best pair within 7 is p + r.
    scores = matrix([[0.9], [0.8], [0.5]])
    loads = [
        {"project": name, "service": "jardin", "load": load} for name, load in zip("pqr", (4.0, 4.0, 3.0), strict=True)
    ]
    found = plan(scores, rules(quotas=FREE, services={"jardin": {"capacity": 7.0}}, loads=loads))
    assert placed(found.rows) == {"p": "A", "r": "A"}
    row = found.limits[found.limits["kind"] == "load"].iloc[0]
    assert (row["path"], row["reached"], row["high"], bool(row["binding"])) == ("services.jardin.capacity", 7, 7, True)


def test_bounds_by_theme_here_and_everywhere() -> None:
    scores = matrix([[0.9, 0.8], [0.8, 0.7], [0.3, 0.2]])
    themes = membership({"p": "eau", "q": "eau", "r": "bati"})
    one_each = plan(scores, rules(quotas=FREE, theme_bounds=[{"theme": "eau", "high": 1}]), themes=themes)
    # p and q apart: 0.9 + 0.7 or 0.8 + 0.8, both 1.6 — a tie settled by lot; r joins A for 0.3.
    assert (one_each.total, one_each.status, one_each.method) == (1.9, "tied", "flow")
    everywhere = {"theme": "eau", "district": "all", "high": 1}
    overall = plan(scores, rules(quotas=FREE, theme_bounds=[everywhere]), themes=themes)
    assert (placed(overall.rows), overall.method) == ({"p": "A", "r": "A"}, "flow")


def test_projects_of_two_bounded_themes_need_branching() -> None:
    scores = matrix([[0.9], [0.8], [0.7]])
    themes = membership({"p": "eau bati", "q": "eau", "r": "bati"})
    bounds = [{"theme": theme, "high": 1} for theme in ("eau", "bati")]
    found = plan(scores, rules(quotas=FREE, theme_bounds=bounds), themes=themes)
    assert (placed(found.rows), found.method) == ({"q": "A", "r": "A"}, "branching")


def test_totals_fixed_pairs_and_vetoes() -> None:
    scores = matrix([[0.9, 0.8], [0.7, 0.1], [0.6, 0.2]])
    fixed = [{"project": "p", "district": "B", "reason": "convention"}]
    vetoes = [{"project": "q", "district": "A", "reason": "élue porteuse"}]
    found = plan(scores, rules(quotas=FREE, totals={"max": 2}, fixed=fixed, vetoes=vetoes))
    assert placed(found.rows) == {"p": "B", "r": "A"}
    assert found.excluded.to_numpy().tolist() == [["q", "non retenu par le meilleur plan que ces règles permettent"]]
    assert plan(scores, rules(quotas={"low": 0, "high": 0}, totals={"min": 0})).rows.empty


def test_an_unknown_score_is_placed_only_by_a_fixed_pair_and_counts_for_nothing() -> None:
    scores = matrix([[np.nan], [0.5]])
    assert placed(plan(scores, rules(quotas=FREE)).rows) == {"q": "A"}
    fixed = [{"project": "p", "district": "A", "reason": "convention"}]
    found = plan(scores, rules(quotas=FREE, fixed=fixed))
    assert (placed(found.rows), found.total) == ({"p": "A", "q": "A"}, 0.5)
    assert found.rows["note"].tolist() == ["score inconnu : placé par une règle, ne compte pas dans le total", ""]


def test_objectives_in_order() -> None:
    # Two places at most: the best total is p alone with the capacity; the most projects are q and r.
    scores = matrix([[0.9], [0.4], [0.3]])
    loads = [
        {"project": name, "service": "jardin", "load": load} for name, load in zip("pqr", (2.0, 1.0, 1.0), strict=True)
    ]
    common: dict[str, Any] = {"quotas": FREE, "services": {"jardin": {"capacity": 2.0}}, "loads": loads}
    most = plan(scores, rules(**common, objective={"mode": "lexicographic", "order": ["placed", "score"]}))
    assert (placed(most.rows), most.total) == ({"q": "A", "r": "A"}, 0.7)
    assert most.said.startswith(
        "Est rendu le plus haut possible : d’abord le nombre de projets placés ; puis, sans rien en céder, la somme des"
    )
    best = plan(scores, rules(**common, objective={"mode": "lexicographic", "order": ["score", "placed"]}))
    assert (placed(best.rows), best.total) == ({"p": "A"}, 0.9)


def test_a_criterion_may_come_first() -> None:
    scores, people = matrix([[0.9], [0.4]]), matrix([[0.1], [0.6]])
    given = rules(quotas={"low": 1, "high": 1}, objective={"mode": "lexicographic", "order": ["people", "score"]})
    found = plan(scores, given, criteria={"people": people})
    assert (placed(found.rows), found.method) == ({"q": "A"}, "flow")
    with pytest.raises(InputError, match="le critère « people » n’a pas été calculé"):
        plan(scores, given)


def test_the_reserve_is_ranked_and_leaves_out_vetoes_and_unknown_scores() -> None:
    scores = matrix([[0.9], [0.8], [0.8], [np.nan], [0.7], [0.1]])
    vetoes = [{"project": "t", "district": "A", "reason": "motif"}]
    found = plan(scores, rules(quotas={"low": 1, "high": 1}, vetoes=vetoes, reserve={"size": 2})).reserve
    assert found["place"].tolist() == [1, 2]
    assert set(found["project_id"]) == {"q", "r"}
    assert found["tied"].all()
    assert plan(scores, rules(quotas={"low": 1, "high": 1}, reserve={"size": 0})).reserve.empty


def test_main_themes_keeps_level_themes() -> None:
    offers = pd.DataFrame(
        [("p", "eau", 0.7), ("p", "bati", 0.3), ("q", "bati", 0.5), ("q", "eau", 0.5), ("r", "eau", 0.0)],
        columns=["project_id", "theme", "strength"],
    )
    assert main_themes(offers).to_numpy().tolist() == [["p", "eau"], ["q", "bati"], ["q", "eau"]]
    with pytest.raises(InputError, match="thème inconnu « sport »"):
        main_themes(offers.assign(theme="sport"))


@pytest.fixture
def branching(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relaxation that teaches nothing: every answer comes from branching."""
    monkeypatch.setattr(
        solver, "relaxation", lambda _, gain: solver.Relaxed(np.inf, np.full(len(gain), 0.5), np.zeros(len(gain)))
    )


@pytest.mark.usefixtures("branching")
def test_a_plan_that_breaks_a_row_is_solved_again_without_presolving(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = scipy.optimize.milp, []

    def faulty(*args: Any, **options: Any) -> Any:
        result = real(*args, **options)
        calls.append(options["options"]["presolve"])
        if options["options"]["presolve"] and result.x is not None:
            result.x = np.ones_like(result.x)  # both places at once: breaks the project's own row
        return result

    monkeypatch.setattr(scipy.optimize, "milp", faulty)
    synergy = {"projects": ["p", "q"], "bonus": 0.4, "reason": "même place"}
    found = plan(matrix([[0.9, 0.1], [0.5, 0.8]]), rules(quotas=FREE, synergies=[synergy]))
    assert placed(found.rows) == {"p": "A", "q": "A"}
    assert calls[:2] == [True, False]


@pytest.mark.usefixtures("branching")
def test_a_time_limit_without_a_plan_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*args: Any, **options: Any) -> Any:
        return type("Result", (), {"x": None, "status": 1})()

    monkeypatch.setattr(scipy.optimize, "milp", late)
    synergy = {"projects": ["p", "q"], "bonus": 0.4, "reason": "même place"}
    with pytest.raises(LimitError, match="Aucun plan trouvé en 2 secondes"):
        plan(matrix([[0.9], [0.5]]), rules(quotas=FREE, synergies=[synergy]), time_limit_s=2)


@pytest.mark.usefixtures("branching")
def test_a_plan_stopped_by_the_clock_tells_its_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    real = scipy.optimize.milp

    def stopped(*args: Any, **options: Any) -> Any:
        result = real(*args, **options)
        result.status, result.mip_dual_bound = 1, 1.1 * result.fun
        return result

    monkeypatch.setattr(scipy.optimize, "milp", stopped)
    synergy = {"projects": ["p", "q"], "bonus": 0.5, "reason": "même place"}
    found = plan(matrix([[0.9], [0.6]]), rules(quotas=FREE, synergies=[synergy]))
    assert (found.status, round(found.gap, 6)) == ("unproven", 0.1)
    assert found.said.endswith("un plan meilleur de 10,00 % au plus reste possible.")


@pytest.mark.parametrize("scores", [matrix(np.empty((0, 2))), matrix([[np.nan, np.nan]])])
def test_nobody_to_place(scores: pd.DataFrame) -> None:
    found = plan(scores, rules(quotas=FREE))
    assert (found.status, found.total, len(found.rows), len(found.excluded)) == ("empty", 0.0, 0, len(scores))
    with pytest.raises(InfeasibleError, match=r"dans le quartier A \(aucune candidature de score connu\)"):
        plan(scores, rules(quotas={"low": 1, "high": 2}))


def test_one_candidate_and_level_scores() -> None:
    assert placed(plan(matrix([[0.3]]), rules(quotas=FREE)).rows) == {"p": "A"}
    found = plan(matrix(np.full((6, 2), 0.5)), rules(quotas={"low": 2, "high": 2}))
    assert (found.status, found.total) == ("tied", 2.0)


@pytest.mark.parametrize(
    ("sections", "error", "message"),
    [
        ({"fixed": [{"project": "z", "district": "A", "reason": "m"}]}, UnknownNameError, "projets : « z »"),
        (
            {"vetoes": [{"project": "z", "district": "Z", "reason": "m"}]},
            UnknownNameError,
            "projets : « z » ; quartiers : « Z »",
        ),
        ({"loads": [{"project": "p", "service": "eau", "load": 1.0}]}, UnknownNameError, "services : « eau »"),
        ({"theme_bounds": [{"theme": "sport"}]}, UnknownNameError, "thèmes : « sport »"),
        ({"theme_bounds": [{"theme": "eau", "high": 1}]}, InputError, "le thème des projets manque"),
    ],
)
def test_rules_that_name_what_is_not_there_are_refused(
    sections: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        plan(matrix([[0.5]]), rules(quotas=FREE, **sections))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (matrix([[0.1], [0.2]], ids="pp"), "présent plusieurs fois : « p »"),
        (matrix([[1.2]]), "« 1.2 » pour le projet p dans le quartier A"),
    ],
)
def test_bad_scores_are_refused(scores: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(scores, rules(quotas=FREE))
    assert message in str(caught.value)


def earlier() -> pd.DataFrame:
    """p placed in A; q and r refused in March."""
    rows = [("p", "A", 0.9, True), ("q", "A", 0.6, False), ("q", "B", 0.4, False), ("r", "A", np.nan, False)]
    table = pd.DataFrame(rows, columns=["project_id", "district_id", "score", "assigned"])
    return table.assign(wave="1", scored_at="2026-03-01")


def test_a_refused_dossier_comes_back_with_its_dated_score() -> None:
    fresh = matrix([[0.5, np.nan], [0.7, 0.1]], ids="qs", districts="BC")
    scores, origins = next_wave(earlier(), fresh, wave="2", at="2026-09-01")
    assert scores.index.tolist() == ["q", "r", "s"]
    assert scores.columns.tolist() == ["B", "C"]
    assert scores.loc["q"].tolist()[0] == 0.5  # scored again: the new figure, not 0.4
    assert scores.loc["r"].isna().all()  # never scored in these districts: unknown, not zero
    assert origins.to_numpy().tolist() == [
        ["q", "B", 0.5, "2026-09-01", "2", False],
        ["s", "B", 0.7, "2026-09-01", "2", False],
        ["s", "C", 0.1, "2026-09-01", "2", False],
    ]
    kept, dated = next_wave(earlier(), fresh.drop(index="q"), wave="2", at="2026-09-01")
    assert kept.loc["q", "B"] == 0.4
    assert dated.iloc[0].tolist() == ["q", "B", 0.4, "2026-03-01", "1", True]


@pytest.mark.parametrize(
    ("ids", "wave", "at", "message"),
    [
        ("p", "2", "2026-09-01", "déjà placés dans une vague précédente : « p »"),
        ("q", "1", "2026-09-01", "Vague « 1 » déjà présente"),
        ("q", "2", "2026-02-01", "une vague précédente est datée du 2026-03-01"),
    ],
)
def test_waves_in_the_wrong_order_are_refused(ids: str, wave: str, at: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        next_wave(earlier(), matrix([[0.5]], ids=ids), wave=wave, at=at)
    assert message in str(caught.value)
