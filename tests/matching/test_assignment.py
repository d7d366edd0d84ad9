from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from geo_qmi.errors import InfeasibleError, InputError
from geo_qmi.matching import assign


def matrix(values: object, *, ids: str = "pqrstuvw", districts: str = "ABCD") -> pd.DataFrame:
    table = np.array(values, dtype=float)
    return pd.DataFrame(table, index=list(ids[: table.shape[0]]), columns=list(districts[: table.shape[1]]))


def choices(scores: pd.DataFrame) -> dict[str, str]:
    plan = assign(scores, low=1, high=1).plan
    return dict(zip(plan["project_id"], plan["district_id"], strict=True))


def brute(scores: pd.DataFrame, low: int, high: int) -> tuple[int, int] | None:
    """Return the best total in millionths and how many plans reach it, or nothing when no plan exists."""
    n, m = scores.shape
    plans = np.array(list(product(range(m + 1), repeat=n)))  # m means "nowhere"
    counts = (plans[:, :, None] == np.arange(m)).sum(axis=1)
    gains = np.column_stack([np.rint(scores.to_numpy() * 1_000_000), np.zeros(n)])
    totals = gains[np.arange(n), plans].sum(axis=1)
    totals = totals[((counts >= low) & (counts <= high)).all(axis=1) & ~np.isnan(totals)]
    return (int(totals.max()), int((totals == totals.max()).sum())) if len(totals) else None


def test_the_whole_matters_more_than_each() -> None:
    # p prefers A, but p→B + q→A = 0.7 + 0.8 beats p→A + q→B = 0.9 + 0.1
    result = assign(matrix([[0.9, 0.7], [0.8, 0.1]]), low=1, high=1)
    assert result.plan.to_numpy().tolist() == [["p", "B", 0.7], ["q", "A", 0.8]]
    assert (result.total, result.status) == (1.5, "optimal")
    assert result.excluded.empty


def test_equal_to_brute_force_on_random_cases() -> None:
    rng = np.random.default_rng(2026)
    seen = {"optimal": 0, "tied": 0, "infeasible": 0, "empty": 0}
    for _ in range(160):
        n, m = int(rng.integers(1, 7)), int(rng.integers(1, 4))
        # Halves make ties frequent; some cases hold unknown pairs.
        values = rng.integers(0, 3, (n, m)) / 2 if rng.random() < 0.5 else rng.random((n, m))
        if rng.random() < 0.4:
            values = np.where(rng.random((n, m)) < 0.4, np.nan, values)
        scores = matrix(values)
        low = int(rng.integers(0, 3))
        high = low + int(rng.integers(0, 3))
        best = brute(scores, low, high)
        if best is None:
            seen["infeasible"] += 1
            with pytest.raises(InfeasibleError, match="Plan impossible : "):
                assign(scores, low=low, high=high)
            continue
        result = assign(scores, low=low, high=high)
        seen[result.status] += 1
        assert round(result.total * 1_000_000) == best[0]
        assert (result.status == "tied") == (best[1] > 1)
        counts = result.plan["district_id"].value_counts().reindex(scores.columns, fill_value=0)
        assert counts.between(low, high).all()
        assert result.plan["project_id"].is_unique
        assert result.plan["score"].notna().all()
        assert sorted([*result.plan["project_id"], *result.excluded["project_id"]]) == sorted(scores.index)
        order = rng.permutation(n)
        shuffled = assign(scores.iloc[order, rng.permutation(m)], low=low, high=high)
        pd.testing.assert_frame_equal(shuffled.plan, result.plan)
        pd.testing.assert_frame_equal(shuffled.excluded, result.excluded)
    assert min(seen["optimal"], seen["tied"], seen["infeasible"]) >= 15


def test_ties_are_settled_by_the_identifiers_whatever_the_order() -> None:
    scores = pd.DataFrame(0.5, index=[f"p{n}" for n in range(30)], columns=list("ABCD"))
    first = assign(scores)
    assert first.status == "tied"
    assert first.plan["district_id"].value_counts().between(6, 8).all()
    again = assign(scores.sample(frac=1, random_state=1)[list("DBAC")])
    pd.testing.assert_frame_equal(first.plan, again.plan)


def test_a_worthless_pair_is_used_only_when_a_minimum_asks() -> None:
    scores = matrix([[0.4], [0.0]])
    assert assign(scores, low=0, high=2).plan["project_id"].tolist() == ["p"]
    assert assign(scores, low=2, high=2).plan["project_id"].tolist() == ["p", "q"]


def test_excluded_projects_say_why() -> None:
    result = assign(matrix([[0.9], [0.2], [np.nan]]), low=0, high=1)
    assert dict(result.excluded.to_numpy().tolist()) == {
        "q": "non retenu par le plan de total maximal",
        "r": "score inconnu dans tous les quartiers : aucun thème reconnu, à lire à la main",
    }


def test_quotas_may_differ_by_district() -> None:
    scores = matrix([[0.9, 0.8], [0.9, 0.1], [0.9, 0.2]])
    result = assign(scores, low={"A": 0, "B": 2}, high={"A": 1, "B": 2})
    assert result.plan["district_id"].value_counts().to_dict() == {"B": 2, "A": 1}
    assert result.total == pytest.approx(0.9 + 0.8 + 0.2)


@pytest.mark.parametrize(
    ("scores", "low", "sentence"),
    [
        (
            pd.DataFrame(0.5, index=range(20), columns=list("ABCD")),
            6,
            "Plan impossible : 4 quartiers × 6 projets au moins = 24, mais 20 candidatures seulement.",
        ),
        (
            matrix([[0.5], [np.nan]]),
            2,
            "Plan impossible : 1 quartier × 2 projets au moins = 2, mais 1 candidature seulement (et 1 de score",
        ),
        (
            matrix([[0.5, np.nan], [0.5, np.nan]]),
            1,
            "Plan impossible : le quartier B demande 1 candidature au moins, mais aucune candidature n’y a un",
        ),
        (
            matrix([[0.5, 0.5, 0.1], [np.nan, np.nan, 0.1], [np.nan, np.nan, 0.1]]),
            1,
            "Plan impossible : les quartiers A, B demandent ensemble 2 candidatures au moins, mais 1 candidature y a",
        ),
        (
            matrix(np.empty((0, 2))),
            1,
            "Plan impossible : 2 quartiers × 1 projet au moins = 2, mais aucune candidature.",
        ),
    ],
)
def test_impossible_quotas_are_said_before_solving(
    monkeypatch: pytest.MonkeyPatch, scores: pd.DataFrame, low: int, sentence: str
) -> None:
    def solved(*args: object, **options: object) -> None:
        raise AssertionError("solved")

    monkeypatch.setattr("geo_qmi.matching.assignment.optimum", solved)
    with pytest.raises(InfeasibleError) as caught:
        assign(scores, low=low)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("scores", [matrix(np.empty((0, 2))), matrix([[np.nan, np.nan]])])
def test_nothing_to_place_and_nothing_asked_is_an_empty_plan(scores: pd.DataFrame) -> None:
    result = assign(scores, low=0, high=8)
    assert (result.plan.shape, result.total, result.status) == ((0, 3), 0.0, "empty")
    assert len(result.excluded) == len(scores)


def test_one_candidate_one_district() -> None:
    assert choices(matrix([[0.3]])) == {"p": "A"}


@pytest.mark.parametrize(
    ("quotas", "message"),
    [
        ({"low": 8, "high": 6}, "le minimum (8) dépasse le maximum (6) pour le quartier A"),
        ({"low": -1, "high": 6}, "Quotas (minimum) : « -1 ». Attendu : un nombre entier, positif ou nul"),
        ({"low": 1.5, "high": 6}, "Quotas (minimum) : « 1.5 »"),
        ({"low": 0, "high": True}, "Quotas (maximum) : « True »"),
        ({"low": 0, "high": {"A": 1, "Z": 1}}, "« Z » est d’un seul côté"),
    ],
)
def test_bad_quotas_are_refused(quotas: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        assign(matrix([[0.3]]), **quotas)  # type: ignore[arg-type]
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (matrix([[0.1], [0.2]], ids="pp"), "présent plusieurs fois : « p »"),
        (matrix([[0.1, 0.2]], districts="AA"), "présent plusieurs fois : « A »"),
        (matrix([[1.2]]), "« 1.2 » pour le projet p dans le quartier A"),
        (matrix([[np.inf]]), "« inf » pour le projet p"),
        (pd.DataFrame({"A": ["bon"]}, index=["p"]), "attendu des nombres entre 0 et 1"),
        (pd.DataFrame(index=["p"]), "aucun quartier"),
    ],
)
def test_bad_scores_are_refused(scores: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError) as caught:
        assign(scores, low=0, high=1)
    assert message in str(caught.value)
