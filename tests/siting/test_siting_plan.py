from __future__ import annotations

from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_qmi.errors import CrsError, InfeasibleError, InputError, UnknownNameError
from geo_qmi.siting import from_frames, from_matrix, from_pairs, maximal_covering, p_median, set_covering
from geo_qmi.siting.feasibility import smallest_radius

MODELS = ("auto", "exact", "heuristic")


def table(values: object) -> pd.DataFrame:
    costs = np.array(values, dtype=float)
    return pd.DataFrame(
        costs, index=[f"d{i}" for i in range(costs.shape[0])], columns=[f"s{j}" for j in range(costs.shape[1])]
    )


def weighted(values: object, weights: object, **options: object):
    costs = table(values)
    return from_matrix(costs, weights=pd.Series(np.array(weights, dtype=float), index=costs.index), **options)


def random_case(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    n, m = int(rng.integers(1, 9)), int(rng.integers(1, 7))
    costs = rng.integers(0, 10, (n, m)).astype(float)
    costs[rng.random((n, m)) < 0.2] = np.nan
    return costs, rng.integers(0, 6, n).astype(float)


def best_cover(costs: np.ndarray, weights: np.ndarray, p: int, radius: float, forced: set[int] = frozenset()) -> float:
    near = np.nan_to_num(costs, nan=np.inf) <= radius
    choices = (set(s) for s in combinations(range(costs.shape[1]), p))
    return max(weights[near[:, sorted(s)].any(axis=1)].sum() for s in choices if forced <= s)


# A street 600 m long: homes every 100 m, three possible gardens. Worked by hand in docs/methods/siting.md.
STREET = [
    [0, 300, 600],
    [100, 200, 500],
    [200, 100, 400],
    [300, 0, 300],
    [400, 100, 200],
    [500, 200, 100],
    [600, 300, 0],
]
PEOPLE = [40, 10, 10, 5, 10, 10, 30]


def test_of_equal_plans_the_first_identifiers_are_kept():
    alike = weighted(np.where(np.eye(6) == 1, 0.0, np.nan), np.ones(6))
    assert maximal_covering(alike, p=3, radius=1).sites.index.tolist() == ["s0", "s1", "s2"]
    near = weighted(np.where(np.eye(4) == 1, 1.0, 2.0), np.ones(4))
    assert p_median(near, p=2).sites.index.tolist() == ["s0", "s1"]


def test_street_by_hand():
    # 100 m around s0: 40 + 10 = 50; around s1: 10 + 5 + 10 = 25; around s2: 10 + 30 = 40.
    street = weighted(STREET, PEOPLE)
    one, two = (maximal_covering(street, p=p, radius=100) for p in (1, 2))
    assert (one.sites.index.tolist(), one.value) == (["s0"], 50.0)
    assert (two.sites.index.tolist(), two.value) == (["s0", "s2"], 90.0)
    assert two.sentence == "2 lieux : 90 sur 115 (78,3 %) à 100 m au plus. Optimum prouvé."
    assert (two.gap, two.status, two.method) == (0.0, "optimal", "exact")
    assert two.demand["site_id"].isna().tolist() == [False, False, True, True, True, False, False]
    assert two.sites["weight"].tolist() == [50.0, 40.0]
    # Everybody within 100 m needs all three; within 200 m the two ends leave out the middle home, at 300 m from both.
    assert set_covering(street, radius=100).value == 3
    assert set_covering(street, radius=300).sites.index.tolist() == ["s1"]
    # s0 and s2: 0×40 + 100×10 + 200×10 + 300×5 + 200×10 + 100×10 + 0×30 = 7500 metres for 115 people.
    assert p_median(street, p=2).value == pytest.approx(7500 / 115)


@pytest.mark.parametrize("seed", range(8))
def test_equal_to_brute_force(seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        costs, weights = random_case(rng)
        m = costs.shape[1]
        problem = weighted(costs, weights)
        p, radius = int(rng.integers(0, m + 1)), float(rng.integers(0, 9))
        best = best_cover(costs, weights, p, radius)
        for method in MODELS:
            plan = maximal_covering(problem, p=p, radius=radius, method=method)
            assert plan.value <= best <= plan.bound + 1e-9
            assert plan.value == best or method == "heuristic"


@pytest.mark.parametrize("seed", range(6))
def test_set_covering_and_median_equal_brute_force(seed):
    rng = np.random.default_rng(100 + seed)
    for _ in range(10):
        costs, weights = random_case(rng)
        full = np.nan_to_num(costs, nan=np.inf)
        m, radius = costs.shape[1], float(rng.integers(0, 9))
        problem = weighted(costs, weights)
        enough = [p for p in range(1, m + 1) if best_cover(costs, np.ones(len(weights)), p, radius) == len(weights)]
        for method in MODELS:
            if not enough:
                with pytest.raises(InfeasibleError, match="sans lieu à portée"):
                    set_covering(problem, radius=radius, method=method)
                continue
            plan = set_covering(problem, radius=radius, method=method)
            assert plan.bound <= enough[0] <= plan.value
            assert plan.value == enough[0] or method == "heuristic"
            assert (plan.demand["cost"] <= radius).all()
        if weights.sum() == 0:
            continue
        p = int(rng.integers(1, m + 1))
        totals = [
            (weights * full[:, list(s)].min(axis=1)).sum()
            for s in combinations(range(m), p)
            if np.isfinite(full[:, list(s)].min(axis=1)).all()
        ]
        if not totals:
            with pytest.raises(InfeasibleError):
                p_median(problem, p=p)
            continue
        plan = p_median(problem, p=p)
        assert plan.value * weights.sum() == pytest.approx(min(totals))
        assert plan.gap == 0.0
        quick = p_median(problem, p=p, method="heuristic") if np.isfinite(full).all() else plan
        assert quick.bound * weights.sum() <= min(totals) + 1e-7 <= quick.value * weights.sum() + 2e-7


def best_shared(costs: np.ndarray, weights: np.ndarray, sites: tuple[int, ...], capacities: np.ndarray, r: float):
    """Return the most weight served when demand may be shared: the smallest cut over subsets of open sites."""
    near = np.nan_to_num(costs, nan=np.inf) <= r
    cuts = []
    for size in range(len(sites) + 1):
        for closed in combinations(sites, size):  # sites paid by their capacity; the others by the demand they reach
            others = [s for s in sites if s not in closed]
            cuts.append(capacities[list(closed)].sum() + weights[near[:, others].any(axis=1)].sum())
    return min(cuts)


def test_capacities_equal_brute_force():
    rng = np.random.default_rng(7)
    for _ in range(20):
        costs, weights = random_case(rng)
        m = costs.shape[1]
        capacities = rng.integers(0, 12, m).astype(float)
        p, radius = int(rng.integers(0, m + 1)), float(rng.integers(0, 9))
        problem = weighted(costs, weights, capacities=pd.Series(capacities, index=[f"s{j}" for j in range(m)]))
        plan = maximal_covering(problem, p=p, radius=radius)
        best = max(best_shared(costs, weights, s, capacities, radius) for s in combinations(range(m), p))
        assert plan.value == pytest.approx(best, abs=1e-6)
        assert (plan.sites["weight"] <= plan.sites["capacity"] + 1e-6).all()
        assert (plan.flows.groupby("demand_id")["share"].sum() <= 1 + 1e-9).all()


def test_a_demand_is_shared_between_two_gardens():
    # 100 people, two gardens of 60 and 50 at 10 m and 20 m: 60 go to the nearer, 40 to the other.
    problem = weighted([[10, 20]], [100], capacities=pd.Series({"s0": 60, "s1": 50}))
    plan = set_covering(problem, radius=30)
    assert plan.value == 2
    assert plan.flows["share"].tolist() == pytest.approx([0.6, 0.4])
    assert plan.sites["weight"].tolist() == pytest.approx([60, 40])
    assert p_median(problem, p=2).value == pytest.approx(0.6 * 10 + 0.4 * 20)


def test_fixed_count_and_deployed_do_not():
    problem = weighted(STREET, PEOPLE, fixed=["s1"])
    plan = maximal_covering(problem, p=2, radius=100)
    assert plan.sites["role"].to_dict() == {"s0": "chosen", "s1": "fixed"}
    there = weighted(STREET, PEOPLE, deployed=["s1"])
    plan = maximal_covering(there, p=1, radius=100)
    assert plan.sites["role"].to_dict() == {"s0": "chosen", "s1": "deployed"}
    assert plan.value == 75.0  # 50 around s0 and 25 around s1
    assert set_covering(there, radius=100).value == 2  # s0 and s2 to add
    assert set_covering(there, radius=300).value == 0  # the deployed one reaches everybody
    assert p_median(there, p=1).sites.index.tolist() == ["s0", "s1"]


def test_fixed_sites_equal_brute_force():
    rng = np.random.default_rng(3)
    for _ in range(20):
        costs, weights = random_case(rng)
        m = costs.shape[1]
        forced = int(rng.integers(0, m))
        p, radius = int(rng.integers(1, m + 1)), float(rng.integers(0, 9))
        problem = weighted(costs, weights, fixed=[f"s{forced}"])
        best = best_cover(costs, weights, p, radius, {forced})
        assert maximal_covering(problem, p=p, radius=radius).value == best
        assert f"s{forced}" in maximal_covering(problem, p=p, radius=radius).sites.index


def test_infeasible_radius_names_the_demand_and_the_radius_that_works():
    with pytest.raises(InfeasibleError) as refusal:
        set_covering(weighted([[100, 250], [290, 400], [10, 20]], [1, 1, 1]), radius=250)
    assert str(refusal.value) == (
        "Rayon de 250 m impossible : 1 demande sans lieu à portée : « d1 » (le plus proche, « s0 », à 290 m). "
        "Plus petit rayon qui convient : 290 m."
    )
    found = smallest_radius(weighted([[100, 250], [290, 400], [10, 20]], [1, 1, 1]))
    assert (found.radius, found.breaking.index.tolist()) == (290.0, ["d1"])
    with pytest.raises(InfeasibleError, match=r"« d0 » \(aucun lieu accessible\)\. Aucun rayon ne convient"):
        p_median(weighted([[np.nan, np.nan], [1, 2]], [1, 1]), p=1)
    with pytest.raises(InfeasibleError, match=r"aucun choix de 1 lieu ne sert tout le monde \(2 demandes\)"):
        p_median(weighted([[1, np.nan], [np.nan, 1]], [1, 1]), p=1)


def test_infeasible_capacities():
    limits = pd.Series({"s0": 5, "s1": 5})
    with pytest.raises(InfeasibleError, match="Capacité totale des lieux : 10 pour une demande de 12 : il manque 2"):
        set_covering(weighted([[1, 1], [1, 1]], [6, 6], capacities=limits), radius=5)
    # Both within 10 of s0, which holds 5 of 8; s1 is at 30 from d1 and at 40 from d0: sharing d1 needs 30.
    tight = weighted([[10, 40], [10, 30]], [4, 4], capacities=limits)
    with pytest.raises(InfeasibleError, match=r"Plus petit rayon qui convient : 30 m\."):
        set_covering(tight, radius=20)
    assert set_covering(tight, radius=30).value == 2


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_properties(seed):
    rng = np.random.default_rng(seed)
    costs, weights = random_case(rng)
    n, m = costs.shape
    frame, radius = table(costs), float(rng.integers(0, 9))
    named = pd.Series(weights, index=frame.index)
    values = [maximal_covering(from_matrix(frame, weights=named), p=p, radius=radius).value for p in range(m + 1)]
    assert values == sorted(values)  # coverage never falls when a site is added
    mixed = frame.iloc[rng.permutation(n), rng.permutation(m)]
    long = mixed.rename_axis(index="demand_id").reset_index()
    long = long.melt("demand_id", var_name="site_id", value_name="cost").dropna()
    for p in {1, m}:
        plans = [
            maximal_covering(problem, p=p, radius=radius)
            for problem in (
                from_matrix(frame, weights=named),
                from_matrix(mixed, weights=named),
                from_pairs(long, weights=named.sample(frac=1, random_state=seed), site_ids=mixed.columns),
            )
        ]
        for other in plans[1:]:  # the order of rows is irrelevant, and both doors lead to the same plan
            pd.testing.assert_frame_equal(plans[0].sites, other.sites)
            pd.testing.assert_frame_equal(plans[0].demand, other.demand)


@pytest.mark.parametrize("method", MODELS)
def test_ties_go_to_the_first_identifier(method):
    same = weighted([[1, 1, 1], [1, 1, 1]], [2, 2])
    assert maximal_covering(same, p=1, radius=5, method=method).sites.index.tolist() == ["s0"]
    assert set_covering(same, radius=5, method=method).sites.index.tolist() == ["s0"]
    assert p_median(same, p=1, method=method).sites.index.tolist() == ["s0"]
    assert maximal_covering(same, p=1, radius=5).demand["site_id"].tolist() == ["s0", "s0"]


def test_the_bound_of_the_median_stays_under_what_no_plan_reaches():
    # Demands are the edges of a tetrahedron, sites its corners; a way to one of the two ends costs 1, another 2. Two
    # corners serve five edges at 1 and one at 2. Half of each corner would serve all six at 1: no bound proves more.
    edges = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    problem = weighted([[1 if corner in edge else 2 for corner in range(4)] for edge in edges], [1] * 6)
    quick = p_median(problem, p=2, method="heuristic")
    assert quick.value == pytest.approx(7 / 6)
    assert 0.98 <= quick.bound <= 1 + 1e-9
    assert quick.status == "bounded"
    assert p_median(problem, p=2, method="exact").status == "optimal"


def test_frames_door_uses_straight_metres():
    def points(names: str, column: str, xs: list[float]) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(
            {column: list(names)}, geometry=gpd.points_from_xy(xs, [6_850_000.0] * len(xs)), crs="EPSG:2154"
        )

    homes = points("abc", "place_id", [650_000, 650_100, 650_900]).assign(people=[1.0, 2.0, 4.0])
    sites = points("st", "site_id", [650_000, 650_500]).assign(deployed=[True, False])
    problem = from_frames(homes, sites, within_m=200, weight="people")
    plan = maximal_covering(problem, p=0, radius=200)
    assert (plan.value, plan.demand["cost"].tolist()[:2]) == (3.0, [0.0, 100.0])
    assert "m au plus, à vol d’oiseau" in plan.sentence
    # c is 400 m from t, beyond the 200 m asked for: its nearest site is known all the same.
    assert smallest_radius(problem).radius == pytest.approx(400.0)
    with pytest.raises(CrsError, match="Lambert-93"):
        from_frames(homes.to_crs("EPSG:4326"), sites, within_m=200)
    with pytest.raises(InputError, match="1 sans lieu : « b »"):
        from_frames(homes.assign(geometry=[homes.geometry[0], None, homes.geometry[2]]), sites, within_m=200)


def test_edges_of_the_question():
    one = from_matrix(table([[np.nan, 5.0]]))
    assert maximal_covering(one, p=0, radius=9).value == 0.0
    assert maximal_covering(one, p=1, radius=4).demand["site_id"].isna().all()  # covers nobody, and says so
    for method in MODELS:
        with pytest.raises(InfeasibleError, match="aucun choix de 0 lieu"):
            p_median(one, p=0, method=method)
    there = from_matrix(table([[np.nan, 5.0]]), deployed=["s1"])
    assert p_median(there, p=0).sentence == "0 lieu, avec 1 déjà déployé : 5 m en moyenne. Optimum prouvé."
    far = from_matrix(table([[np.inf, 5.0]]))  # as the walking network says that there is no way
    assert far.costs.nnz == 1
    assert set_covering(far, radius=np.inf).sites.index.tolist() == ["s1"]
    half = from_matrix(table([[5.0]]), capacities=pd.Series({"s0": 0.5}))
    plan = maximal_covering(half, p=1, radius=np.inf)
    assert plan.sentence == "1 lieu : 0,5 sur 1 (50 %) à toute distance. Optimum prouvé."
    nobody = from_pairs(
        pd.DataFrame({"demand_id": [], "site_id": [], "cost": []}), weights=pd.Series({"a": 1.0}), site_ids=["s"]
    )
    assert maximal_covering(nobody, p=1, radius=3).value == 0.0


def test_a_time_limit_still_gives_a_bounded_plan():
    rng = np.random.default_rng(0)
    points = rng.random((400, 2))
    costs = np.sqrt(((points[:, None] - points[None, :80]) ** 2).sum(axis=2))
    problem = weighted(costs, rng.random(400))
    plan = maximal_covering(problem, p=8, radius=0.12, method="exact", time_limit_s=0.01)
    assert 0 < plan.value <= plan.bound
    assert plan.gap < 0.1
    quick = maximal_covering(problem, p=8, radius=0.12, method="heuristic")
    assert quick.value >= 0.95 * quick.bound
    assert plan.gap == 0 or "écart" in plan.sentence


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"p": 4}, r"Nombre de lieux : « 4 »\. Attendu : un entier de 0"),
        ({"p": True}, "Nombre de lieux"),
        ({"radius": float("nan")}, "Rayon : « nan »"),
        ({"radius": -1}, "Rayon"),
        ({"method": "best"}, "Attendu : auto, exact ou heuristic"),
        ({"time_limit_s": 0}, "Temps accordé"),
    ],
)
def test_refused_questions(change, words):
    with pytest.raises(InputError, match=words):
        maximal_covering(weighted(STREET, PEOPLE), **{"p": 1, "radius": 100, **change})


def test_refused_problems():
    costs = table(STREET)
    with pytest.raises(InputError, match="Coûts : valeur « −1 »"):
        weighted([[-1]], [1])
    with pytest.raises(InputError, match="Poids manquant pour « d1 »"):
        weighted([[1], [1]], [1, np.nan])
    with pytest.raises(UnknownNameError, match="Lieux à garder inconnus : « s9 »"):
        from_matrix(costs, fixed=["s9"])
    with pytest.raises(InputError, match="présents plusieurs fois : « d0 »"):
        from_matrix(pd.concat([costs, costs.iloc[:1]]))
    with pytest.raises(InputError, match="présente plusieurs fois"):
        from_pairs(
            pd.DataFrame({"demand_id": ["a", "a"], "site_id": ["s", "s"], "cost": [1.0, 2.0]}),
            weights=pd.Series({"a": 1}),
        )
    with pytest.raises(InputError, match="valeur « beaucoup »"):
        from_matrix(costs, capacities=pd.Series({"s0": "beaucoup"}))
    with pytest.raises(InputError, match="Toutes les demandes pèsent zéro"):
        p_median(weighted([[1]], [0]), p=1)


def test_inputs_are_left_as_they_were():
    costs, weights = table(STREET), pd.Series(PEOPLE, index=[f"d{i}" for i in range(7)], dtype=float)
    before = costs.copy(), weights.copy()
    problem = from_matrix(costs, weights=weights)
    stored = problem.costs.data.copy()
    for model in (maximal_covering, p_median):
        model(problem, p=2, radius=300)
    set_covering(problem, radius=300)
    pd.testing.assert_frame_equal(costs, before[0])
    pd.testing.assert_series_equal(weights, before[1])
    assert (problem.costs.data == stored).all()
