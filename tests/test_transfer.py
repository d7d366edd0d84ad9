from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_qmi.errors import CrsError, InputError
from geo_qmi.transfer import surface_shares, transfer


def squares(*boxes: tuple[float, float, float, float], **columns: list[float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[shapely.box(*box) for box in boxes], crs=2154)


TWO = squares(
    (0, 0, 200, 200),
    (200, 0, 400, 200),
    people=[120.0, 80.0],
    income=[20_000.0, 30_000.0],
    people_moe=[30.0, 40.0],
    income_moe=[1_000.0, 2_000.0],
)


def test_the_worked_example_of_the_method_page():
    # A perimeter takes three quarters of the first square and a quarter of the second.
    ground = squares((50, 0, 250, 200))
    moved = transfer(
        TWO,
        ground,
        extensive=["people"],
        intensive=["income"],
        weight="people",
        margins={"people": "people_moe", "income": "income_moe"},
    )
    found = moved.values.iloc[0]
    assert found["people"] == pytest.approx(110)  # 90 + 20
    assert moved.outside["people"] == pytest.approx(90)  # 30 + 60
    assert found["people_moe"] == pytest.approx(np.sqrt(22.5**2 + 10**2))  # 24.62
    assert found["income"] == pytest.approx((90 * 20_000 + 20 * 30_000) / 110)  # 21 818
    assert found["income_moe"] == pytest.approx(np.sqrt((90 * 1_000) ** 2 + (20 * 2_000) ** 2) / 110)
    assert found["covered"] == 1.0
    by_surface = transfer(TWO, ground, intensive=["income"]).values.iloc[0]
    assert by_surface["income"] == pytest.approx(22_500)


def test_inputs_and_index_are_kept():
    ground = squares((0, 0, 100, 100)).set_axis(["quartier"])
    before = TWO.copy()
    moved = transfer(TWO, ground, extensive=["people"])
    assert moved.values.index.tolist() == ["quartier"]
    assert moved.values.columns.tolist() == ["people", "people_known", "covered"]
    assert TWO.equals(before)


def test_outside_of_everything_is_empty_not_zero():
    moved = transfer(TWO, squares((1000, 0, 1100, 100)), extensive=["people"], intensive=["income"])
    found = moved.values.iloc[0]
    assert found["covered"] == 0
    assert np.isnan(found["income"])
    assert np.isnan(found["people"])
    assert moved.outside["people"] == 200


def test_a_secret_figure_is_missing_not_zero():
    secret = TWO.assign(people=[120.0, np.nan], income=[20_000.0, np.nan])
    moved = transfer(secret, squares((50, 0, 250, 200), (0, 0, 50, 200)), extensive=["people"], intensive=["income"])
    assert np.isnan(moved.values["people"].iloc[0])
    assert moved.values["people_known"].tolist() == [0.75, 1.0]
    assert moved.values["people"].iloc[1] == pytest.approx(30)
    assert moved.values["income"].tolist() == [20_000, 20_000]
    assert moved.values["income_known"].tolist() == [0.75, 1.0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=16, max_size=16),
    st.lists(st.floats(1, 399), min_size=2, max_size=2, unique=True),
    st.floats(-30, 30),
)
def test_totals_are_conserved(people, cuts, turn):
    zones = squares(*((x, y, x + 100, y + 100) for x in range(0, 400, 100) for y in range(0, 400, 100)), people=people)
    low, high = sorted(cuts)
    strips = squares((-500, -500, low, 900), (low, -500, high, 900), (high, -500, 900, 900))
    strips["geometry"] = strips.rotate(turn, origin=(200, 200))
    moved = transfer(zones, strips, extensive=["people"])
    total = moved.values["people"].fillna(0).sum() + moved.outside["people"]
    assert total == pytest.approx(sum(people), rel=1e-9, abs=1e-9)
    assert moved.outside["people"] == pytest.approx(0, abs=1e-9 * max(1, sum(people)))


def test_zones_that_overlap_or_repeat_are_refused():
    over = squares((0, 0, 200, 200), (100, 0, 300, 200), people=[1.0, 1.0])
    ground = squares((0, 0, 50, 50))
    with pytest.raises(InputError, match="lignes 0 et 1 se recouvrent \\(20000 m²\\)"):
        transfer(over, ground, extensive=["people"])
    twice = squares((0, 0, 200, 200), (0, 0, 200, 200), people=[1.0, 1.0])
    with pytest.raises(InputError, match="deux fois"):
        transfer(twice, ground, extensive=["people"])
    with pytest.raises(InputError, match="l’un après l’autre"):
        transfer(TWO, over, extensive=["people"])


def test_neighbours_drawn_to_the_decimetre_are_not_an_overlap():
    close = squares((0, 0, 200.1, 200), (200, 0, 400, 200), people=[1.0, 1.0])
    assert transfer(close, squares((0, 0, 400, 200)), extensive=["people"]).values["people"].iloc[0] == pytest.approx(2)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (TWO.to_crs(4326), "2154"),
        (TWO.drop(columns="people"), "absente"),
        (TWO.assign(people=["a", "b"]), "nombres"),
        (TWO.set_geometry([shapely.Point(0, 0), TWO.geometry[1]], crs=2154), "sans surface"),
        (
            TWO.set_geometry([shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 12)]), TWO.geometry[1]], crs=2154),
            "invalide",
        ),
    ],
)
def test_unfit_zones_are_refused(frame, words):
    with pytest.raises((InputError, CrsError), match=words):
        transfer(frame, squares((0, 0, 50, 50)), extensive=["people"])


def test_a_margin_needs_its_column():
    with pytest.raises(InputError, match="Marge d’erreur sans sa colonne"):
        transfer(TWO, squares((0, 0, 50, 50)), extensive=["people"], margins={"income": "income_moe"})


def test_only_straddling_zones_are_cut():
    shares = surface_shares(TWO, squares((-10, -10, 250, 300))).toarray()
    assert shares.tolist() == [[1.0], [0.25]]


def test_real_iris_around_the_districts(real, shipped):
    zones = gpd.read_file(real / "iris_districts_qmi_underlaid.geojson").to_crs(2154)
    grounds = shipped["districts"][shipped["districts"].geometry.notna()]
    moved = transfer(zones, grounds, extensive=["population"], intensive=["revenu_median_eur"], weight="population")
    total = moved.values["population"].sum() + moved.outside["population"]
    assert total == pytest.approx(zones["population"].sum(), rel=1e-9)
    assert (moved.values["covered"] > 0.99).all()
    assert moved.values["revenu_median_eur"].between(15_000, 45_000).all()
    communes = gpd.GeoDataFrame(geometry=[grounds.union_all().convex_hull.buffer(20_000)], crs=2154)
    assert transfer(zones, communes, extensive=["population"]).values["population"].iloc[0] == pytest.approx(
        zones["population"].sum(), rel=1e-9
    )


def test_counts_agree_with_tobler():
    tobler = pytest.importorskip("tobler.area_weighted")
    zones = squares(*((x, y, x + 100, y + 100) for x in range(0, 400, 100) for y in range(0, 400, 100)))
    zones["people"] = np.arange(16.0)
    ground = gpd.GeoDataFrame(geometry=[shapely.Point(190, 170).buffer(150)], crs=2154)
    theirs = tobler.area_interpolate(zones, ground, extensive_variables=["people"], allocate_total=False)
    ours = transfer(zones, ground, extensive=["people"]).values
    # tobler keeps about eight digits here.
    assert ours["people"].iloc[0] == pytest.approx(theirs["people"].iloc[0], rel=1e-7)
