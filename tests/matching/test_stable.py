from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from plan_cases import matrix, rules

from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.matching.plan import plan
from geo_qmi.matching.stable import blocking_pairs, compare, ranked, stable

ONE = rules(quotas={"low": 0, "high": 1}).quotas


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
    found = stable(projects, districts, quotas=ONE)
    assert placed(found.rows) == {"p": "B", "q": "A"}
    assert found.rows["project_rank"].tolist() == [2, 1]
    other = pd.DataFrame({"project_id": ["p", "q"], "district_id": ["A", "B"]})
    blocking = blocking_pairs(other, projects, by_districts=districts, quotas=ONE)
    assert blocking.to_numpy().tolist() == [["q", "A", "B", "p"]]


def test_no_pair_blocks_and_projects_get_the_best_stable_place() -> None:
    rng = np.random.default_rng(3)
    for _ in range(25):
        projects, districts = random_rankings(rng, ties=False)
        quotas = rules(quotas={"low": 0, "high": int(rng.integers(1, 3))}).quotas
        found = stable(projects, districts, quotas=quotas)
        assert blocking_pairs(found.rows, projects, by_districts=districts, quotas=quotas).empty
        names, places = sorted(set(projects["project_id"])), sorted(set(projects["district_id"]))
        rank = projects.set_index(["project_id", "district_id"])["rank"].to_dict()
        ours = placed(found.rows)
        for where in product([None, *places], repeat=len(names)):
            other = {name: place for name, place in zip(names, where, strict=True) if place is not None}
            if not set(other.items()) <= set(rank):
                continue
            if any(list(other.values()).count(place) > quotas.high for place in places):
                continue
            frame = pd.DataFrame(list(other.items()), columns=["project_id", "district_id"])
            if blocking_pairs(frame, projects, by_districts=districts, quotas=quotas).empty:
                # Every stable plan places the same projects, none better than here.
                assert set(other) == set(ours)
                assert all(rank[name, ours[name]] <= rank[name, other[name]] for name in ours)


def test_ties_never_block_and_rows_may_come_in_any_order() -> None:
    rng = np.random.default_rng(4)
    for _ in range(40):
        projects, districts = random_rankings(rng, ties=True)
        found = stable(projects, districts, quotas=ONE)
        assert blocking_pairs(found.rows, projects, by_districts=districts, quotas=ONE).empty
        again = stable(projects.iloc[::-1], districts.iloc[::-1], quotas=ONE)
        pd.testing.assert_frame_equal(again.rows, found.rows)


def test_a_pair_ranked_by_one_side_only_is_never_made() -> None:
    found = stable(ranking("p A 1, q B 1"), ranking("p A 1, q A 1"), quotas=ONE)
    assert placed(found.rows) == {"p": "A"}
    assert found.excluded["project_id"].tolist() == ["q"]


def test_a_shortfall_is_stated() -> None:
    two = rules(quotas={"low": 1, "high": 2}).quotas
    found = stable(ranking("p A 1, p B 2, q A 1"), ranking("p A 1, q A 2, p B 1"), quotas=two)
    assert placed(found.rows) == {"p": "A", "q": "A"}
    assert found.shortfall.to_numpy().tolist() == [["B", 1, 0, 1]]
    assert found.sentence == (
        "Plan stable, mais des minima ne sont pas tenus : B (0 sur 1) ; aucun plan stable ne peut faire mieux : il "
        "faudrait forcer des projets ou baisser le minimum."
    )
    level = stable(ranking("p A 1, p B 1"), ranking("p A 1, p B 1"), quotas=two)
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
    found = stable(projects, districts, quotas=ONE)
    table = compare(
        best, found.rows, scores=scores, by_projects=projects, by_districts=districts,
        quotas=rules(quotas={"low": 1, "high": 1}).quotas,
    ).set_index("measure")  # fmt: skip
    assert table[["best", "stable"]].to_dict("index") == {
        "placed": {"best": 2, "stable": 2},
        "total": {"best": 1.5, "stable": 1.0},
        "first_choice": {"best": 1, "stable": 1},
        "mean_rank": {"best": 1.5, "stable": 1.5},
        "blocking": {"best": 1, "stable": 0},
        "missing": {"best": 0, "stable": 0},
    }
    stranger = pd.DataFrame({"project_id": ["z"], "district_id": ["A"]})
    with pytest.raises(UnknownNameError, match="« z » n’a pas de score"):
        compare(stranger, found.rows, scores=scores, by_projects=projects, by_districts=districts)


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
