from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from plan_cases import matrix, membership, rules

from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.matching.plan import limits_of, plan
from geo_qmi.matching.stable import Wishes, _blocking, blocking_pairs, compare, ranked, stable

ONE = rules(quotas={"low": 0, "high": 1})


def ranking(rows: str) -> pd.DataFrame:
    """« p A 1, p B 2 » as a frame."""
    cells = [row.split() for row in rows.split(",")]
    table = pd.DataFrame(cells, columns=["project_id", "district_id", "rank"])
    return table.astype({"rank": int})


def placed(frame: pd.DataFrame) -> dict[str, str]:
    return dict(zip(frame["project_id"], frame["district_id"], strict=True))


def random_rankings(rng: np.random.Generator, *, ties: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    n, m = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    known = rng.random((n, m)) < 0.8
    rows = [("pqrst"[i], "ABC"[j]) for i, j in zip(*np.nonzero(known), strict=True)]
    table = pd.DataFrame(rows, columns=["project_id", "district_id"])
    table["key"] = rng.integers(0, 2, len(table)) if ties else rng.permutation(len(table))
    both = []
    for one in ("project_id", "district_id"):
        table["key"] = rng.permutation(table["key"].to_numpy())
        both.append(table.assign(rank=table.groupby(one)["key"].rank(method="dense").astype(int)).drop(columns="key"))
    return both[0], both[1]


def test_by_hand() -> None:
    # Both projects want A, which prefers q: p falls back on B. The other way round p would block with nobody,
    # but q and A would block together.
    projects = ranking("p A 1, p B 2, q A 1, q B 2")
    districts = ranking("q A 1, p A 2, q B 1, p B 2")
    found = stable(projects, districts, rules=ONE)
    assert placed(found.rows) == {"p": "B", "q": "A"}
    assert found.rows["project_rank"].tolist() == [2, 1]
    other = pd.DataFrame({"project_id": ["p", "q"], "district_id": ["A", "B"]})
    blocking = blocking_pairs(other, projects, by_districts=districts, rules=ONE)
    assert blocking.to_numpy().tolist() == [["q", "A", "B", "p"]]


def test_no_pair_blocks_and_projects_get_the_best_stable_place() -> None:
    rng = np.random.default_rng(3)
    for _ in range(25):
        projects, districts = random_rankings(rng, ties=False)
        given = rules(quotas={"low": 0, "high": int(rng.integers(1, 3))})
        found = stable(projects, districts, rules=given)
        assert blocking_pairs(found.rows, projects, by_districts=districts, rules=given).empty
        names, places = sorted(set(projects["project_id"])), sorted(set(projects["district_id"]))
        rank = projects.set_index(["project_id", "district_id"])["rank"].to_dict()
        ours = placed(found.rows)
        wishes = Wishes.of(projects, districts, rules=given)
        for where in product([None, *places], repeat=len(names)):
            other = {name: place for name, place in zip(names, where, strict=True) if place is not None}
            if not set(other.items()) <= set(rank):
                continue
            if any(list(other.values()).count(place) > given.quotas.high for place in places):
                continue
            if _blocking(list(other.items()), wishes).empty:
                # Every stable plan places the same projects, none better than here.
                assert set(other) == set(ours)
                assert all(rank[name, ours[name]] <= rank[name, other[name]] for name in ours)


def test_ties_never_block_and_rows_may_come_in_any_order() -> None:
    rng = np.random.default_rng(4)
    for _ in range(40):
        projects, districts = random_rankings(rng, ties=True)
        found = stable(projects, districts, rules=ONE)
        assert blocking_pairs(found.rows, projects, by_districts=districts, rules=ONE).empty
        again = stable(projects.iloc[::-1], districts.iloc[::-1], rules=ONE)
        pd.testing.assert_frame_equal(again.rows, found.rows)


def test_a_pair_ranked_by_one_side_only_is_never_made() -> None:
    found = stable(ranking("p A 1, q B 1"), ranking("p A 1, q A 1"), rules=ONE)
    assert placed(found.rows) == {"p": "A"}
    assert found.excluded["project_id"].tolist() == ["q"]


def test_a_shortfall_is_stated() -> None:
    two = rules(quotas={"low": 1, "high": 2})
    found = stable(ranking("p A 1, p B 2, q A 1"), ranking("p A 1, q A 2, p B 1"), rules=two)
    assert placed(found.rows) == {"p": "A", "q": "A"}
    assert found.shortfall.to_numpy().tolist() == [["B", 1, 0, 1]]
    assert found.sentence == (
        "Plan stable, mais des minima ne sont pas tenus : B (0 sur 1) ; aucun plan stable ne peut faire mieux : il "
        "faudrait forcer des projets ou baisser le minimum."
    )
    level = stable(ranking("p A 1, p B 1"), ranking("p A 1, p B 1"), rules=two)
    assert level.tied
    assert level.sentence.endswith("un autre départage des ex-aequo pourrait en placer davantage.")


def test_rankings_read_from_scores() -> None:
    projects, districts = ranked(matrix([[0.9, 0.2], [0.9, np.nan]]))
    assert sorted(projects.itertuples(index=False, name=None)) == [("p", "A", 1), ("p", "B", 2), ("q", "A", 1)]
    assert sorted(districts.itertuples(index=False, name=None)) == [("p", "A", 1), ("p", "B", 1), ("q", "A", 1)]


def test_the_two_modes_side_by_side() -> None:
    # Best total: p→B + q→A = 1.5 against 1.0 the other way. Both projects and A prefer p in A, so p and A block it.
    scores = matrix([[0.9, 0.7], [0.8, 0.1]])
    projects, districts = ranked(scores)
    best = plan(scores, rules(quotas={"low": 1, "high": 1})).rows
    found = stable(projects, districts, rules=ONE)
    table = compare(
        best, found.rows, scores=scores, by_projects=projects, by_districts=districts,
        rules=rules(quotas={"low": 1, "high": 1}),
    ).set_index("measure")  # fmt: skip
    assert table[["best", "stable"]].to_dict("index") == {
        "placed": {"best": 2, "stable": 2},
        "total": {"best": 1.5, "stable": 1.0},
        "first_choice": {"best": 1, "stable": 1},
        "mean_rank": {"best": 1.5, "stable": 1.5},
        "blocking": {"best": 1, "stable": 0},
        "missing": {"best": 0, "stable": 0},
        "broken": {"best": 0, "stable": 0},
    }
    stranger = pd.DataFrame({"project_id": ["z"], "district_id": ["A"]})
    with pytest.raises(UnknownNameError, match="« z » n’a pas de score"):
        compare(stranger, found.rows, scores=scores, by_projects=projects, by_districts=districts)


def test_bounds_by_theme_vetoes_and_fixed_pairs_hold_in_the_stable_mode() -> None:
    # A has two places and takes one project about water: q (first), then r; p, also about water, falls back on B,
    # where s is barred; t is fixed in B though nobody ranks it there.
    projects = ranking("p A 1, p B 2, q A 1, r A 1, s B 1, s A 2, t A 1")
    districts = ranking("q A 1, p A 2, r A 3, s A 4, t A 5, s B 1, p B 2")
    themes = membership({"p": "eau", "q": "eau", "r": "bati", "s": "bati", "t": "nature"})
    given = rules(
        quotas={"low": 0, "high": 2},
        theme_bounds=[{"theme": "eau", "district": "A", "high": 1}],
        vetoes=[{"project": "s", "district": "B", "reason": "sol pollué"}],
        fixed=[{"project": "t", "district": "B", "reason": "convention"}],
    )
    found = stable(projects, districts, rules=given, themes=themes)
    assert placed(found.rows) == {"p": "B", "q": "A", "r": "A", "t": "B"}
    assert blocking_pairs(found.rows, projects, by_districts=districts, rules=given, themes=themes).empty
    # Without the bound p would take the place of r, and both would rather.
    free = given.model_copy(update={"theme_bounds": ()})
    blocking = blocking_pairs(found.rows, projects, by_districts=districts, rules=free)
    assert blocking.to_numpy().tolist() == [["p", "A", "B", "r"]]
    with pytest.raises(InputError, match="le thème des projets manque"):
        stable(projects, districts, rules=given)


def test_stable_under_bounds_by_theme_on_random_calls() -> None:
    rng = np.random.default_rng(8)
    for ties in [False, True] * 20:
        projects, districts = random_rankings(rng, ties=ties)
        bounds = [{"theme": theme, "high": 1} for theme in ("eau", "bati")]
        given = rules(quotas={"low": 0, "high": 2}, theme_bounds=bounds)
        themes = membership({name: str(rng.choice(["eau", "bati", "nature"])) for name in "pqrst"})
        found = stable(projects, districts, rules=given, themes=themes)
        assert blocking_pairs(found.rows, projects, by_districts=districts, rules=given, themes=themes).empty
        told = found.rows.merge(themes, on="project_id")
        counts = told[told["theme"] != "nature"].groupby(["district_id", "theme"]).size()
        assert counts.max() <= 1 or counts.empty
        assert found.sentence.startswith("Plan stable")


def test_rules_the_stable_mode_leaves_are_counted_and_named() -> None:
    # Both projects want A; a gardener there carries 3, and they ask 2 each.
    scores = matrix([[0.9, 0.1], [0.8, 0.2]])
    loads = [{"project": name, "service": "jardin", "load": 2.0} for name in "pq"]
    given = rules(quotas={"low": 0, "high": 2}, services={"jardin": {"capacity": 3.0}}, loads=loads)
    projects, districts = ranked(scores)
    found, best = stable(projects, districts, rules=given), plan(scores, given)
    table = compare(
        best.rows, found.rows, scores=scores, by_projects=projects, by_districts=districts, rules=given
    ).set_index("measure")
    assert table.loc["broken", ["best", "stable"]].tolist() == [0, 1]
    unkept = limits_of(found.rows, scores, rules=given).query("broken")
    assert unkept[["rule", "reached", "high"]].to_numpy().tolist() == [
        ["charge de 3 au plus pour le service « jardin » dans le quartier A", 4.0, 3.0]
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("p A 0", "rang « 0 ». Attendu : 1, 2, 3…"),
        ("p A 1, p A 2", "p / A classé deux fois"),
    ],
)
def test_rankings_that_cannot_be_read_are_refused(rows: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        stable(ranking(rows), ranking("p A 1"))
    assert message in str(caught.value)


def test_a_missing_column_an_empty_cell_and_nobody() -> None:
    with pytest.raises(InputError, match="colonne"):
        stable(ranking("p A 1").drop(columns="rank"), ranking("p A 1"))
    with pytest.raises(InputError, match="case vide"):
        stable(ranking("p A 1").assign(district_id=None), ranking("p A 1"))
    assert stable(ranking("p A 1").iloc[:0], ranking("p A 1").iloc[:0]).rows.empty
