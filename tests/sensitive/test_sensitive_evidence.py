"""Intervals, surface and hot spots: what small groups allow."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sensitive_walks import X, Y, at, line, mark, observations

from geo_qmi.errors import InputError
from geo_qmi.sensitive import cells, hotspots, intervals, surface, votes
from geo_qmi.sensitive.hotspots import corrected, gi_star, neighbours
from geo_qmi.sensitive.places import segments

PLACES = cells((X, Y, X + 100, Y + 100), cell_m=20)


def crowd(n: int, *, x: float = 10, y: float = 10, valence: int = 1, first: int = 0) -> list[dict]:
    return [mark(f"p{first + who}", at(x, y), valence) for who in range(n)]


def test_no_interval_under_five_people():
    told = votes(observations(*crowd(4), *crowd(5, x=30, first=10)), places=PLACES)
    found = intervals(told, places=PLACES)
    assert found.iloc[0].isna().all()
    assert found.iloc[1].tolist() == [1.0, 1.0]


def test_interval_of_a_split_group_by_the_exact_binomial():
    # Ten people, half at +2 and half at −2: the mean of ten draws is 0.4 k − 2 with k ~ Binomial(10, 1/2). The 5 %
    # quantile of k is 2 (cumulated 0.0107, 0.0547), the 95 % quantile 8: the interval is −1.2 … +1.2.
    told = crowd(5, valence=2) + crowd(5, valence=-2, first=5)
    found = intervals(votes(observations(*told), places=PLACES), places=PLACES, n_draws=4999).iloc[0]
    assert found.tolist() == pytest.approx([-1.2, 1.2])


def test_same_seed_same_interval_and_bad_levels_are_refused():
    rng = np.random.default_rng(4)
    told = votes(observations(*(mark(f"p{n}", at(9, 9), int(rng.integers(-2, 3))) for n in range(12))), places=PLACES)
    one, other = (intervals(told, places=PLACES) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)
    with pytest.raises(InputError, match="niveau"):
        intervals(told, places=PLACES, level=1.5)


def test_surface_is_empty_under_five_people_but_keeps_its_evidence():
    found = surface(votes(observations(*crowd(4)), places=PLACES), places=PLACES)
    assert found["value"].isna().all()
    assert found["evidence"].iloc[0] == 4.0
    assert found["n_people"].iloc[0] == 4


def test_surface_by_hand():
    # Five people at +1 in the first cell, five at −1 in the cell 40 m east; bandwidth 40 m: weight exp(−1/2) = 0.6065.
    told = crowd(5) + crowd(5, x=50, valence=-1, first=5)
    found = surface(votes(observations(*told), places=PLACES), places=PLACES, bandwidth_m=40)
    near = np.exp(-0.5)
    assert found["value"].iloc[0] == pytest.approx((1 - near) / (1 + near))
    assert found["evidence"].iloc[0] == pytest.approx(5 * (1 + near))
    assert found["value"].iloc[1] == pytest.approx(0.0, abs=1e-12)


def test_surface_equals_the_sum_over_pairs():
    rng = np.random.default_rng(7)
    told = [mark(f"p{n % 9}", at(*rng.uniform(0, 100, 2)), int(rng.integers(-2, 3))) for n in range(60)]
    cast = votes(observations(*told), places=PLACES)
    found = surface(cast, places=PLACES, bandwidth_m=30)
    centres = np.column_stack([PLACES.centroid.x, PLACES.centroid.y])
    pull, weight = np.zeros(len(PLACES)), np.zeros(len(PLACES))
    for _, own in cast.groupby("participant_id"):
        apart = ((centres[:, None] - centres[own["place"]][None]) ** 2).sum(axis=2)
        kernel = np.exp(-apart / (2 * 30**2))
        share = np.minimum(kernel.sum(axis=1), 1)
        pull += share * (kernel @ own["vote"].to_numpy()) / kernel.sum(axis=1)
        weight += share
    known = found["value"].notna().to_numpy()
    assert known.sum() > 10
    assert found["value"].to_numpy()[known] == pytest.approx((pull / weight)[known], abs=1e-12)
    assert found["evidence"].to_numpy() == pytest.approx(weight, abs=1e-12)


def test_surface_wants_cells_of_one_grid():
    import geopandas as gpd

    streets = segments(gpd.GeoDataFrame(geometry=[line((0, 0), (50, 0))], crs=2154))
    cast = votes(observations(*crowd(5)), places=PLACES)
    with pytest.raises(InputError, match="une seule grille"):
        surface(cast, places=streets)
    with pytest.raises(InputError, match="côté d’une cellule"):
        surface(cast, places=PLACES, bandwidth_m=5)


def test_gi_star_by_hand():
    # Three cells in a row, values 0, 0, 3; neighbours touch. Mean 1, S² = 9/3 − 1 = 2.
    # First cell: (0 − 2) / (√2 · √((3·2 − 4) / 2)) = −√2.
    near = neighbours(PLACES.iloc[:3], distance_m=20)
    z = gi_star(np.array([[0.0], [0.0], [3.0]]), near)[:, 0]
    assert z[0] == pytest.approx(-np.sqrt(2))
    assert z[2] == pytest.approx(np.sqrt(0.5))
    assert np.isnan(z[1])  # everything is its neighbour


def test_gi_star_agrees_with_esda(monkeypatch):
    # esda loads numba, which must find the real `coverage` and no folder of tests by that name.
    tests = str(Path(__file__).resolve().parents[1])
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != tests])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        esda = pytest.importorskip("esda")
        libpysal = pytest.importorskip("libpysal")
        values = np.random.default_rng(3).normal(loc=9, size=len(PLACES))  # esda wants a positive total
        near = neighbours(PLACES, distance_m=29)
        weights = {i: near.indices[near.indptr[i] : near.indptr[i + 1]].tolist() for i in range(len(PLACES))}
        w = libpysal.weights.W({i: [j for j in js if j != i] for i, js in weights.items()}, silence_warnings=True)
        oracle = esda.G_Local(values, w, transform="B", star=True, permutations=0)
    assert gi_star(values[:, None], near)[:, 0] == pytest.approx(oracle.Zs, abs=1e-12)


def test_corrected_by_hand():
    assert corrected(np.array([0.01, np.nan, 0.04, 0.03])).tolist() == pytest.approx(
        [0.03, np.nan, 0.04, 0.04], nan_ok=True
    )


def test_a_real_gathering_is_found_and_a_gloomy_person_is_not():
    rng = np.random.default_rng(1)
    places = cells((X, Y, X + 200, Y + 200), cell_m=20)
    east = []  # everybody, a walk across the whole place, is happy in the east only
    for who in range(10):
        for _ in range(12):
            x, y = rng.uniform(0, 200, 2)
            east.append(mark(f"p{who}", at(x, y), 2 if x > 150 else int(rng.integers(-1, 1))))
    found = hotspots(observations(*east), places=places, distance_m=45, n_permutations=999)
    hot = found[found["verdict"] == "hot"]
    assert len(hot) > 5
    assert (places.loc[hot.index].centroid.x > X + 100).all()
    one = crowd(5, x=150, y=150) + [mark("z", at(10 * n % 60, 9 * n % 60), -2) for n in range(30)]
    sad = hotspots(observations(*one), places=places, distance_m=45, n_permutations=199)
    assert set(sad["verdict"]) <= {"none", "not_tested"}


def test_chance_alone_gives_hardly_any_spot():
    places = cells((X, Y, X + 200, Y + 200), cell_m=20)
    announced = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        told = [mark(f"p{n % 11}", at(*rng.uniform(0, 200, 2)), int(rng.integers(-2, 3))) for n in range(120)]
        found = hotspots(observations(*told), places=places, distance_m=45, n_permutations=499)
        announced += bool(found["verdict"].isin(["hot", "cold"]).any())
    assert announced <= 2  # 5 % of false announcements expected


def test_hotspots_of_nothing():
    found = hotspots(observations(), places=PLACES)
    assert set(found["verdict"]) == {"not_tested"}
    assert found["z"].isna().all()
