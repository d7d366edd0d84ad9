from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo_qmi.coverage import area_shares, equity, false_coverage, shares, within
from geo_qmi.errors import CrsError, InputError, UnknownNameError

X, Y = 650_000.0, 6_860_000.0


def squares(corners: list[tuple[float, float]], side: float = 50.0) -> list[shapely.Geometry]:
    return [shapely.box(X + x, Y + y, X + x + side, Y + y + side) for x, y in corners]


# Three cells of 100, 50 and 20 people; the third has no known number of needs. Worked by hand in docs/methods.
REACHED = pd.DataFrame({"s": [True, False, False], "t": [True, True, False]}, index=["a", "b", "c"])
AMOUNTS = pd.DataFrame({"people": [100.0, 50.0, 20.0], "needs": [1.0, 3.0, np.nan]}, index=["a", "b", "c"])


def test_shares_by_hand():
    found = shares(REACHED, AMOUNTS).set_index(["site_id", "measure"])
    assert found.loc[("s", "people"), "share"] == pytest.approx(100 / 170)
    assert found.loc[("t", "people"), ["reached", "total"]].tolist() == [150.0, 170.0]
    assert found.loc[("ensemble", "people"), "reached"] == 150.0
    # The unknown needs of c are on neither side: t reaches all the known ones.
    assert found.loc[("t", "needs"), ["share", "n_unknown"]].tolist() == [1.0, 1]


def test_coverage_never_falls_when_a_site_is_added_and_order_is_irrelevant():
    rng = np.random.default_rng(4)
    for _ in range(30):
        n, m = int(rng.integers(1, 8)), int(rng.integers(1, 5))
        flags = pd.DataFrame(rng.random((n, m)) < 0.4, index=[f"p{i}" for i in range(n)], columns=list("stuv")[:m])
        amounts = pd.DataFrame({"people": rng.integers(0, 9, n).astype(float)}, index=flags.index)
        together = [shares(flags.iloc[:, :k], amounts).iloc[-1]["reached"] for k in range(m + 1)]
        assert together == sorted(together)
        mixed = shares(flags.iloc[rng.permutation(n), rng.permutation(m)], amounts.iloc[rng.permutation(n)])
        pd.testing.assert_frame_equal(shares(flags, amounts), mixed)


def test_no_people_is_no_share():
    assert np.isnan(shares(REACHED, AMOUNTS.assign(people=0.0)).iloc[0]["share"])


def test_area_shares_and_within():
    ground = gpd.GeoDataFrame(geometry=squares([(0, 0)], 100), crs="EPSG:2154")
    basins = gpd.GeoDataFrame(
        {"site_id": ["t", "s", "u"]}, geometry=[*squares([(50, 0), (0, 0)]), None], crs="EPSG:2154"
    )
    found = area_shares(basins, ground)
    assert found["area_m2"].to_dict() == {"s": 2500.0, "t": 2500.0, "u": 0.0, "ensemble": 5000.0}
    assert found.loc["ensemble", "share"] == 0.5
    places = gpd.GeoDataFrame({"place_id": ["b", "a"]}, geometry=squares([(50, 0), (0, 50)]), crs="EPSG:2154")
    # b fills t exactly; the centre of a (25, 75) is outside both.
    assert within(places, basins).to_numpy().tolist() == [[False, False, False], [False, True, False]]
    with pytest.raises(CrsError, match="Lambert-93"):
        within(places.to_crs("EPSG:4326"), basins)


@pytest.fixture(scope="module")
def town() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, np.ndarray]:
    """A town of 41 × 25 nodes at 50 m, cut by a railway with one crossing 1.3 km east of the site."""
    columns, rows, site = 41, 25, (10, 11)
    node = np.arange(columns * rows).reshape(rows, columns)
    across = np.array([(node[12, c], node[13, c]) for c in range(columns) if c != site[0] + 26])
    edges = np.vstack(
        [
            np.column_stack([node[:, :-1].ravel(), node[:, 1:].ravel()]),
            np.column_stack([node[:-1].ravel(), node[1:].ravel()]),
        ]
    )
    kept = edges[~(edges[:, None] == across[None]).all(axis=2).any(axis=1)]
    graph = csr_array((np.full(len(kept), 50.0), (kept[:, 0], kept[:, 1])), shape=(node.size, node.size))
    metres = dijkstra(graph, directed=False, indices=node[site[1], site[0]])
    y, x = np.divmod(np.arange(node.size), columns)
    cells = gpd.GeoDataFrame(
        {"place_id": [f"{k:04}" for k in range(node.size)], "people": 2.0, "north": y >= 13},
        geometry=gpd.points_from_xy(X + 50 * x, Y + 50 * y),
        crs="EPSG:2154",
    )
    return cells, gpd.GeoDataFrame({"site_id": ["s"]}, geometry=[cells.geometry[node[11, 10]]], crs="EPSG:2154"), metres


@pytest.mark.parametrize(("radius_m", "disc", "reached", "across"), [(400, 197, 96, 75), (800, 613, 269, 287)])
def test_the_disc_claims_what_the_railway_keeps_away(town, radius_m, disc, reached, across):
    cells, site, metres = town
    walk = pd.DataFrame({"s": metres <= radius_m}, index=cells["place_id"])
    found = false_coverage(cells, site, reached=walk, radius_m=radius_m)
    assert found.by_site.loc["s", ["n_disc", "n_reached", "n_false"]].tolist() == [disc, reached, disc - reached]
    assert found.by_site.loc["ensemble", "people_false"] == 2.0 * (disc - reached)
    assert int(found.layer["north"].sum()) == across  # claimed on the far side
    assert not (walk["s"].to_numpy() & cells["north"].to_numpy()).any()  # and none of them reached
    assert found.layer["straight_m"].max() <= radius_m


def test_two_points_a_hundred_metres_apart(town):
    cells, _, metres = town
    far_side = cells.index[(cells.geometry.x == X + 500) & (cells.geometry.y == Y + 50 * 13)][0]
    assert metres[far_side] == 2700.0


def test_false_coverage_counts_unknown_people_apart(town):
    cells, site, metres = town
    walk = pd.DataFrame({"s": metres <= 400}, index=cells["place_id"])
    found = false_coverage(
        cells.assign(people=cells["people"].where(~cells["north"])), site, reached=walk, radius_m=400
    )
    assert found.by_site.loc["s", ["people_false", "n_unknown"]].tolist() == [2.0 * (197 - 96 - 75), 75]
    with pytest.raises(InputError, match="Recalculez l’accès"):
        false_coverage(cells, site, reached=walk.rename(columns={"s": "t"}), radius_m=400)


def test_reach_refusals():
    with pytest.raises(InputError, match="attendu oui ou non"):
        shares(REACHED.astype(float), AMOUNTS)
    with pytest.raises(InputError, match="« c » est d’un seul côté"):
        shares(REACHED, AMOUNTS.iloc[:2])
    with pytest.raises(InputError, match="« -1"):
        shares(REACHED, AMOUNTS.assign(people=-1))
    with pytest.raises(InputError, match="réservé au total"):
        shares(REACHED.rename(columns={"s": "ensemble"}), AMOUNTS)


def groups(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["place_id", "dimension", "group", "people", "households"])


SPLIT = groups(
    ("a", "QPV", "dans le QPV", 60.0, 25.0),
    ("b", "QPV", "dans le QPV", 40.0, 15.0),
    ("a", "QPV", "hors QPV", 90.0, 40.0),
    ("b", "QPV", "hors QPV", 30.0, 12.0),
)
SERVED = pd.Series([True, False], index=["a", "b"])


def test_equity_by_hand():
    found = equity(SERVED, SPLIT).set_index("group")
    assert found["share"].to_dict() == {"dans le QPV": 0.6, "hors QPV": 0.75}
    assert found["households"].tolist() == [40.0, 52.0]
    assert not found["withheld"].any()


def test_nothing_leaves_under_the_floor():
    # The unserved part of one group has 10 households: withheld, and the other with it, or 120 − … would tell.
    found = equity(SERVED, SPLIT.assign(households=[25.0, 10.0, 40.0, 12.0])).set_index("group")
    assert found["withheld"].all()
    assert found[["people", "people_reached", "share", "households"]].isna().all(axis=None)
    assert found.loc["dans le QPV", "reason"] == "partie desservie ou non desservie sous le seuil de secret"
    assert "soustraction" in found.loc["hors QPV", "reason"]
    assert not equity(SERVED, SPLIT.assign(households=[25.0, 11.0, 40.0, 12.0]))["withheld"].any()
    assert not equity(SERVED, SPLIT.assign(households=[25.0, 10.0, 40.0, 12.0]), floor=10)["withheld"].any()


def test_a_group_served_whole_or_not_at_all_is_shown():
    found = equity(pd.Series([True, True], index=["a", "b"]), SPLIT)
    assert found["share"].tolist() == [1.0, 1.0]


def test_no_published_number_describes_fewer_households_than_the_floor():
    rng = np.random.default_rng(5)
    for _ in range(80):
        n = int(rng.integers(1, 6))
        places = [f"p{i}" for i in range(n)]
        rows = [
            (p, "âge", g, float(rng.integers(0, 40)), float(rng.integers(0, 16)))
            for p in places
            for g in ("x", "y", "z")
        ]
        served = pd.Series(rng.random(n) < 0.5, index=places)
        table = groups(*rows)
        found = equity(served, table).set_index("group")
        for group in found.index[~found["withheld"]]:
            own = table[table["group"] == group].set_index("place_id")["households"]
            for part in (own.sum(), own[served].sum(), own[~served].sum()):
                assert part == 0 or part >= 11
        hidden = table[table["group"].map(found["withheld"])]
        if 0 < found["withheld"].sum() < 3:  # what a subtraction from the total would give is above the floor too
            assert found["withheld"].sum() == 2
            for places_of_part in (places, served.index[served], served.index[~served]):
                total = hidden[hidden["place_id"].isin(places_of_part)]["households"].sum()
                assert total == 0 or total >= 11


def test_unknown_households_withhold_and_refusals():
    found = equity(SERVED, SPLIT.assign(households=[np.nan, 15.0, 40.0, 12.0])).set_index("group")
    assert found.loc["dans le QPV", "reason"] == "nombre de ménages inconnu pour une partie du groupe"
    with pytest.raises(UnknownNameError, match="accès inconnu pour le lieu « b »"):
        equity(SERVED.iloc[:1], SPLIT)
    with pytest.raises(InputError, match="Seuil de secret : « 0 »"):
        equity(SERVED, SPLIT, floor=0)
    with pytest.raises(InputError, match="présente deux fois : a / QPV / dans le QPV"):
        equity(SERVED, pd.concat([SPLIT, SPLIT.iloc[:1]]))
