from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_qmi.errors import InputError
from geo_qmi.matching import explain, score
from geo_qmi.vocabulary import NEED_LAYERS, THEMES


def needs(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["district_id", "layer", "theme", "weight"]).assign(evidence="dit")


def offers(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["project_id", "theme", "strength"]).assign(evidence="mots")


# Objectives: (3/7, 4/7), of length 5/7, hence 0.6 and 0.8; challenge: energy alone, hence 1.
NEEDS = needs(
    ("D", "objective", "energie", 3 / 7), ("D", "objective", "nature", 4 / 7), ("D", "challenge", "energie", 1.0)
)
OFFERS = offers(("p", "energie", 0.7), ("p", "nature", 0.3))
ROUNDING = 1e-6  # strengths and importances are rounded down to 6e-8 and 1.5e-8


def test_score_worked_by_hand() -> None:
    # objectives 0.6 × 0.7 + 0.8 × 0.3 = 0.66; challenge 1 × 0.7 = 0.70; two known layers: their mean, 0.68
    assert score(NEEDS, OFFERS).loc["p", "D"] == pytest.approx(0.68, abs=ROUNDING)
    weighted = score(NEEDS, OFFERS, layer_weights={"objective": 3, "challenge": 1})
    assert weighted.loc["p", "D"] == pytest.approx((3 * 0.66 + 0.70) / 4, abs=ROUNDING)


def test_parts_worked_by_hand() -> None:
    parts = explain(NEEDS, OFFERS)
    told = parts[["layer", "theme", "contribution", "layer_weight", "importance", "strength"]].to_numpy().tolist()
    near = [pytest.approx(value, abs=ROUNDING) for value in (0.21, 0.12, 0.35)]
    assert [row[:2] for row in told] == [
        ["objective", "energie"],
        ["objective", "nature"],
        ["challenge", "energie"],
        ["expected", ""],
    ]
    assert [row[2] for row in told[:3]] == near
    assert [row[3] for row in told[:3]] == [0.5, 0.5, 0.5]
    assert np.isnan(told[3][2])
    assert (
        parts["note"].tolist()[3] == "couche inconnue dans ce quartier : son poids est réparti sur les autres couches"
    )


def test_full_agreement_is_one() -> None:
    found = score(needs(("D", "objective", "eau", 1.0)), offers(("p", "eau", 1.0)))
    assert found.loc["p", "D"] == 1.0


def test_known_disagreement_is_zero_and_silence_is_nan() -> None:
    found = score(NEEDS, offers(("p", "eau", 1.0)), project_ids=["p", "mute"], district_ids=["D", "E"])
    assert found.loc["p", "D"] == 0
    assert found.isna().to_numpy().tolist() == [[True, True], [False, True]]
    assert found.index.tolist() == ["mute", "p"]


def test_an_all_themes_application_does_not_beat_a_focused_one() -> None:
    everything = [("all", theme, 1 / len(THEMES)) for theme in THEMES]
    found = score(NEEDS, offers(("one", "energie", 1.0), *everything))["D"]
    assert found["one"] > 5 * found["all"]


def test_a_layer_of_zero_weight_is_said() -> None:
    parts = explain(NEEDS, OFFERS, layer_weights={"objective": 1})
    notes = dict(zip(parts["layer"], parts["note"], strict=True))
    assert notes["challenge"] == "couche de poids nul : elle ne compte pas"
    assert parts["contribution"].sum() == score(NEEDS, OFFERS, layer_weights={"objective": 1}).loc["p", "D"]


def test_unknown_pairs_are_explained() -> None:
    pairs = pd.DataFrame({"project_id": ["p", "mute"], "district_id": ["E", "D"]})
    parts = explain(NEEDS, OFFERS, pairs=pairs)
    sums = parts.groupby(["project_id", "district_id"])["contribution"].sum(min_count=1)
    assert sums.isna().all()
    assert set(parts.loc[parts["project_id"] == "p", "note"]) == {"aucun besoin connu dans le quartier : score inconnu"}
    assert "aucun thème reconnu dans le projet : score inconnu" in set(parts["note"])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"objective": 0}, "tous nuls"),
        ({"objective": -1}, "positifs ou nuls"),
        ({"objective": float("nan")}, "positifs ou nuls"),
        ({"voeux": 1}, "couche inconnue « voeux »"),
    ],
)
def test_bad_layer_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        score(NEEDS, OFFERS, layer_weights=weights)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (offers(("p", "eau", 1.1)), "valeur « 1.1 » de « strength » (p / eau)"),
        (offers(("p", "eau", float("nan"))), "valeur « nan »"),
        (offers(("p", "eau", 0.7), ("p", "sante", 0.7)), "la somme de « strength » vaut 1.400 pour p"),
        (offers(("p", "licorne", 0.7)), "thème inconnu « licorne »"),
        (offers(("p", "eau", 0.3), ("p", "eau", 0.3)), "ligne présente deux fois : p / eau"),
    ],
)
def test_bad_offers_are_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError) as caught:
        score(NEEDS, frame)
    assert message in str(caught.value)


def test_bad_needs_are_refused() -> None:
    with pytest.raises(InputError, match="couche inconnue « voeux »"):
        score(needs(("D", "voeux", "eau", 1.0)), OFFERS)
    with pytest.raises(InputError, match="plusieurs fois : « p »"):
        score(NEEDS, OFFERS, project_ids=["p", "p"])


def test_empty_frames_give_an_empty_matrix() -> None:
    assert score(needs(), offers()).shape == (0, 0)
    assert score(NEEDS, offers(), project_ids=["p"]).isna().all(axis=None)


shares = st.dictionaries(st.sampled_from(list(THEMES)), st.floats(0.01, 1), min_size=1, max_size=6)


def profiles(drawn: dict[str, float]) -> list[tuple[str, float]]:
    total = max(1.0, sum(drawn.values()))
    return [(theme, value / total) for theme, value in drawn.items()]


@settings(max_examples=200, deadline=None)
@given(
    projects=st.lists(shares, min_size=2, max_size=6),
    asked=st.lists(st.dictionaries(st.sampled_from(list(NEED_LAYERS)), shares, min_size=1), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
)
def test_scores_are_independent_and_bounded(
    projects: list[dict[str, float]], asked: list[dict[str, dict[str, float]]], seed: int
) -> None:
    some_needs = needs(
        *(
            (f"D{d}", layer, *pair)
            for d, layers in enumerate(asked)
            for layer, one in layers.items()
            for pair in profiles(one)
        )
    )
    some_offers = offers(*((f"p{n}", *pair) for n, one in enumerate(projects) for pair in profiles(one)))
    found = score(some_needs, some_offers)
    assert found.to_numpy().min() >= 0
    assert found.to_numpy().max() <= 1
    # Without one, with another twice, in another row order: the very same numbers.
    twin = some_offers[some_offers["project_id"] == "p1"].assign(project_id="twin")
    others = pd.concat([some_offers[some_offers["project_id"] != "p0"], twin]).sample(frac=1, random_state=seed)
    again = score(some_needs.sample(frac=1, random_state=seed), others)
    pd.testing.assert_frame_equal(again.drop(index="twin"), found.drop(index="p0"), check_exact=True)
    pd.testing.assert_series_equal(again.loc["twin"], found.loc["p1"], check_names=False, check_exact=True)


def test_parts_re_add_to_the_last_digit_in_any_order() -> None:
    rng = np.random.default_rng(3)
    layers = list(NEED_LAYERS)
    for seed in range(25):
        some_needs = needs(
            *(
                (f"D{d}", layer, theme, weight)
                for d in range(3)
                for layer in layers[: 1 + int(rng.integers(3))]
                for theme, weight in zip(THEMES, rng.dirichlet(np.full(len(THEMES), 0.3)), strict=True)
            )
        )
        some_offers = offers(
            *(
                (f"p{n}", theme, strength)
                for n in range(4)
                for theme, strength in zip(THEMES, rng.dirichlet(np.full(len(THEMES), 0.2)), strict=True)
            )
        )
        found = score(some_needs, some_offers)
        parts = explain(some_needs, some_offers).sample(frac=1, random_state=seed)
        sums = parts.groupby(["project_id", "district_id"])["contribution"].sum()
        assert len(sums) == found.size
        assert all(found.loc[pair] == total for pair, total in sums.items())
