"""The card of the analytic railway, counted by hand, and candidates that keep their promise once opened."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from walking_town import X, Y, layer

from geo_qmi import network
from geo_qmi.errors import CrsError, InputError
from geo_qmi.severance import rank_crossings, severance


@pytest.fixture(scope="module")
def tracks() -> gpd.GeoDataFrame:
    """The railway of the fixture, half a cell longer than the town: facing places fall on the 41 columns."""
    line = shapely.LineString([(X - 25, Y + 625), (X + 2025, Y + 625)])
    return layer(line, barrier_id=["R"], name=["Voie"], kind=["rail"])


@pytest.fixture(scope="module")
def people(ground) -> gpd.GeoDataFrame:
    """One person on each of the 1 025 nodes."""
    return gpd.GeoDataFrame(
        {"population": np.ones(ground.n_nodes)}, geometry=gpd.points_from_xy(*ground.xy.T), crs=2154
    )


@pytest.fixture(scope="module")
def card(ground, tracks, people):
    return severance(ground, tracks, population=people, minutes=10, offset_m=25)


def test_the_card_counted_by_hand(card):
    one = card.cards.loc["R"]
    # Column c is |36 − c| columns from the bridge: the way round is 100·|36 − c| m longer than the 50 m straight on.
    # The 21st of the 41 sorted values of |36 − c| is 16.
    assert (one["pairs"], one["pairs_refused"], one["pairs_without_way"]) == (41, 0, 0)
    assert (one["detour_m"], one["detour_ratio"], one["delay_min"]) == (1600, 33, 20)
    # Within 800 m as the crow flies: everybody. On foot: 181 from the south, 174 from the north (see the method page).
    assert (one["people_near"], one["people_cut_off"], one["people_unplaced"]) == (1025, 1025 - 181 - 174, 0)
    assert np.isnan(one["climb_m"])
    assert (one["crossings"], one["nearest_crossing"], one["nearest_crossing_m"]) == (1, "pont", 800)
    assert (one["length_m"], one["minutes"], one["demo"]) == (2050, 10, False)
    assert one["ground"] == "terrain ouvert avec coupures (maille de 50 m), sans les rues"


def test_every_pair_has_its_own_ratio_and_crossing(card):
    pairs = card.pairs
    column = ((pairs.geometry.centroid.x - X) / 50).round().astype(int)
    assert (pairs["walk_m"] == 50 + 100 * (36 - column).abs()).all()
    assert (pairs["detour_ratio"] == pairs["walk_m"] / 50).all()
    assert set(pairs["crossing_id"]) == {"pont"}


def test_without_people_or_observations_their_columns_are_missing_not_zero(ground, tracks):
    one = severance(ground, tracks).cards.loc["R"]
    assert one[["people_near", "people_cut_off", "people_extra_m", "verbatims"]].isna().all()


def test_a_closed_barrier_has_no_way_round(town, tracks, people):
    closed = network.open_ground(town, barriers=tracks, cell_m=50, neighbours=4)
    one = severance(closed, tracks, population=people, minutes=10, offset_m=25).cards.loc["R"]
    assert (one["pairs"], one["pairs_without_way"], one["people_cut_off"]) == (41, 41, 1025)
    assert one[["detour_m", "delay_min", "people_extra_min", "nearest_crossing_m"]].isna().all()
    assert one["crossings"] == 0


def test_people_that_join_nowhere_are_counted_apart(ground, tracks, people):
    # 300 m south of the town: no node within 250 m, but the north side is 950 m away as the crow flies.
    apart = pd.concat([people, layer(shapely.Point(X + 500, Y - 300), population=[40.0])], ignore_index=True)
    one = severance(ground, tracks, population=apart, minutes=15, offset_m=25).cards.loc["R"]
    assert (one["people_near"], one["people_unplaced"]) == (1025, 40)


def test_verbatims_beside_the_tracks_are_counted_and_listed(ground, tracks):
    said = layer(
        shapely.Point(X + 100, Y + 660),
        shapely.Point(X + 100, Y + 600),
        shapely.Point(X + 100, Y + 676),
        None,
        observation_id=["a", "b", "c", "d"],
        valence=pd.array([-2, 1, 2, 2], dtype="Int64"),
        verbatim=["sombre", "le mur vibre", "loin", "sans lieu"],
        demo=[True] * 4,
    )
    found = severance(ground, tracks, observations=said)
    assert found.verbatims["observation_id"].tolist() == ["b", "a"]
    assert found.verbatims["distance_m"].tolist() == [25, 35]
    one = found.cards.loc["R"]
    assert (one["verbatims"], one["verbatims_median_valence"], one["demo"]) == (2, -0.5, True)


def test_the_inventory_stays_in_columns(town, tracks):
    crossings = layer(
        shapely.Point(X + 500, Y + 625),
        shapely.Point(X + 1600, Y + 625),
        shapely.Point(X + 100, Y + 300),
        crossing_id=["a", "b", "loin"],
        barrier_id=["R", None, "R"],
        status=["assumed", "observed", "assumed"],
        step_free=pd.array([True, None, True], dtype="boolean"),
        climb_m=[6.0, np.nan, 0.0],
    )
    ground = network.open_ground(town, barriers=tracks, crossings=crossings, cell_m=50, neighbours=4)
    found = severance(ground, tracks, offset_m=25)
    one = found.cards.loc["R"]
    assert (one["crossings"], one["crossings_assumed"], one["crossings_step_free"]) == (2, 1, 1)
    assert found.crossings["crossing_id"].tolist()[:2] == ["a", "b"]
    assert found.crossings["distance_m"].tolist()[:2] == [500, 600]
    assert found.crossings.set_index("crossing_id").loc["loin", "reason"] == "à 325 m de la coupure, maximum 40 m"
    # Columns 0 to 20 go by « a » (6 m up), the 20 others by « b » (height unknown, hence no figure).
    assert one["climb_m"] == 6
    assert found.pairs["climb_m"].notna().sum() == 21


def test_an_area_has_two_sides_as_well(town):
    lake = layer(shapely.box(X - 25, Y + 580, X + 2025, Y + 670), barrier_id=["lac"])
    dam = layer(
        shapely.LineString([(X + 1800, Y + 550), (X + 1800, Y + 700)]), crossing_id=["digue"], barrier_id=["lac"]
    )
    ground = network.open_ground(town, barriers=lake, crossings=dam, cell_m=50, neighbours=4)
    found = severance(ground, lake, offset_m=30)
    assert found.pairs["straight_m"].tolist() == [150.0] * 41
    assert found.cards.loc["lac", "detour_m"] == 1600


@pytest.fixture(scope="module")
def candidates() -> gpd.GeoDataFrame:
    return layer(
        *(shapely.Point(X + x, Y + 625) for x in (500, 1000, 1750)),
        shapely.Point(X + 500, Y + 925),
        crossing_id=["ouest", "milieu", "est", "à côté"],
        barrier_id=["R"] * 4,
    )


def test_candidates_keep_their_promise_once_opened(ground, tracks, people, candidates, card):
    ranked = rank_crossings(ground, tracks, candidates=candidates, population=people, minutes=10, offset_m=25)
    assert ranked["rank"].tolist()[:3] == [1, 2, 3]
    assert ranked.index[-1] == "à côté"
    assert pd.isna(ranked["rank"].iloc[-1])
    assert ranked["reason"].iloc[-1] == "à 300 m de la coupure, maximum 40 m"
    for name in ("ouest", "milieu", "est"):
        opened = network.open_crossings(ground, candidates[candidates["crossing_id"] == name])
        after = severance(opened, tracks, population=people, minutes=10, offset_m=25).cards.loc["R"]
        expected = card.cards.loc["R", "people_cut_off"] - after["people_cut_off"]
        assert ranked.loc[name, "people_reconnected"] == expected
    assert ranked.loc["est", "people_reconnected"] < ranked.loc["milieu", "people_reconnected"]
    assert ranked["people_reconnected"].iloc[:3].is_monotonic_decreasing


def test_the_order_of_candidates_does_not_depend_on_rows(ground, tracks, people, candidates):
    options = {"population": people, "minutes": 10.0, "offset_m": 25.0}
    one = rank_crossings(ground, tracks, candidates=candidates, **options)
    two = rank_crossings(ground, tracks, candidates=candidates.iloc[::-1], **options)
    pd.testing.assert_frame_equal(one, two)


def test_an_order_that_hangs_on_the_speed_is_flagged(town, tracks):
    closed = network.open_ground(town, barriers=tracks, cell_m=50, neighbours=4)
    # 30 people 525 m south of the tracks at the western candidate, 20 people beside the eastern one.
    people = layer(shapely.Point(X + 500, Y + 100), shapely.Point(X + 1500, Y + 600), population=[30.0, 20.0])
    two = layer(
        shapely.Point(X + 500, Y + 625), shapely.Point(X + 1500, Y + 625), crossing_id=["o", "e"], barrier_id=["R"] * 2
    )
    options = {"candidates": two, "population": people, "offset_m": 25.0}
    sure = rank_crossings(closed, tracks, minutes=10, **options)
    unsure = rank_crossings(closed, tracks, minutes=7, **options)
    assert sure["people_reconnected"].to_dict() == {"o": 30, "e": 20}
    assert sure["stable"].all()
    # 7 min: 560 m at the usual speed (550 needed), 448 m at the slow one.
    assert unsure[["rank", "rank_slow", "rank_fast"]].loc["o"].tolist() == [1, 2, 1]
    assert not unsure["stable"].any()
    assert sure["people_first_way"].to_dict() == {"o": 50, "e": 50}


def test_what_cannot_be_computed_is_refused(ground, tracks, people, candidates):
    with pytest.raises(CrsError, match="EPSG:2154"):
        severance(ground, tracks.to_crs(4326))
    with pytest.raises(InputError, match="doivent être positifs"):
        severance(ground, tracks, minutes=0)
    with pytest.raises(InputError, match="colonne « population » absente"):
        severance(ground, tracks, population=people.rename(columns={"population": "hab"}))
    with pytest.raises(InputError, match="à 1 ligne"):
        severance(ground, tracks, population=people.assign(population=people["population"].where(people.index > 0)))
    with pytest.raises(InputError, match="coupure inconnue « X »"):
        rank_crossings(ground, tracks, candidates=candidates.assign(barrier_id="X"), population=people)
    with pytest.raises(InputError, match="« crossing_id » absente"):
        rank_crossings(ground, tracks, candidates=candidates.drop(columns="crossing_id"), population=people)


def test_no_barrier_gives_no_card_with_the_same_columns(ground, tracks, people):
    found = severance(ground, tracks.iloc[:0], population=people)
    assert len(found.cards) == len(found.pairs) == len(found.crossings) == len(found.verbatims) == 0
    assert found.cards.columns.tolist() == severance(ground, tracks, population=people).cards.columns.tolist()


def test_no_candidate_gives_no_rank_with_the_same_columns(ground, tracks, people, candidates):
    found = rank_crossings(ground, tracks, candidates=candidates.iloc[:0], population=people)
    every = rank_crossings(ground, tracks, candidates=candidates, population=people)
    assert len(found) == 0
    assert found.columns.tolist() == every.columns.tolist()


@pytest.mark.parametrize("shape", [None, shapely.Point(X, Y), shapely.LineString(), shapely.LineString([(X, Y)] * 2)])
def test_a_barrier_without_two_sides_is_refused_by_name(ground, tracks, shape):
    bad = tracks.iloc[:1].assign(barrier_id="ru", geometry=[shape])
    both = gpd.GeoDataFrame(pd.concat([tracks, bad], ignore_index=True), crs=tracks.crs)
    with pytest.raises(InputError, match=r"1 sans tracé ni longueur \(« ru »\)"):
        severance(ground, both)


def test_a_barrier_given_twice_is_refused(ground, tracks):
    with pytest.raises(InputError, match="présente plusieurs fois"):
        severance(ground, gpd.GeoDataFrame(pd.concat([tracks, tracks]), crs=tracks.crs))
