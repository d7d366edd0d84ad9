from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sensitive_walks import X, Y, at, box, line, mark, observations, routes

from geo_qmi.errors import CrsError, InputError, LimitError
from geo_qmi.sensitive import attach, cells, segments, unattached, walked


def grid(width: float, height: float, cell_m: float = 20.0) -> gpd.GeoDataFrame:
    return cells((X, Y, X + width, Y + height), cell_m=cell_m)


def test_cells_stand_on_multiples_whatever_the_extent():
    found = cells((X + 5, Y + 5, X + 30, Y + 15), cell_m=20)
    assert found["place_id"].tolist() == ["20mE652000N6862000", "20mE652020N6862000"]
    assert found.geometry.iloc[0].bounds == (X, Y, X + 20, Y + 20)
    assert found.geometry.area.tolist() == [400.0, 400.0]
    assert found.crs.to_epsg() == 2154


def test_cells_of_an_area_touch_it():
    area = gpd.GeoDataFrame(geometry=[shapely.Polygon([(X, Y), (X + 40, Y), (X, Y + 40)])], crs=2154)
    # A triangle of side 40 m fills or cuts 4 + 3 + 2 + 1 cells of 10 m, and touches three more by a corner.
    assert len(cells(area, cell_m=10)) == 10 + 3


def test_a_side_out_of_bounds_a_huge_grid_and_degrees_are_refused():
    with pytest.raises(InputError, match="entre 10 et 50"):
        cells((0, 0, 1, 1), cell_m=5)
    with pytest.raises(LimitError, match="un million"):
        cells((X, Y, X + 60_000, Y + 60_000), cell_m=10)
    with pytest.raises(CrsError, match="2154"):
        cells(gpd.GeoDataFrame(geometry=[shapely.Point(2.5, 48.9)], crs=4326))
    with pytest.raises(InputError, match="dans cet ordre"):
        cells((X, Y, X - 1, Y), cell_m=10)


def test_a_point_belongs_to_one_cell_even_on_an_edge():
    places = grid(40, 40)
    seen = observations(*(mark("p", at(x, y), 1) for x, y in [(20, 10), (10, 20), (20, 20), (0, 0), (39, 39)]))
    pairs = attach(seen, places=places)
    names = places["place_id"][pairs["place"]].tolist()
    assert names == [
        "20mE652020N6862000",
        "20mE652000N6862020",
        "20mE652020N6862020",
        "20mE652000N6862000",
        "20mE652020N6862020",
    ]
    assert pairs["observation"].tolist() == [0, 1, 2, 3, 4]


def test_an_area_speaks_of_every_cell_it_touches():
    seen = observations(mark("p", box(5, 5, 25, 15), 1))
    assert len(attach(seen, places=grid(60, 60))) == 2


def test_attached_and_unattached_make_all():
    places = grid(40, 40)
    seen = observations(mark("p", at(1, 1), 1), mark("p", at(99, 99), 1), mark("p", None, 1))
    lost = unattached(seen, places=places)
    assert lost["observation_id"].tolist() == ["o002", "o003"]
    assert attach(seen, places=places)["observation"].nunique() + len(lost) == len(seen)


def test_segments_take_the_nearest_within_reach():
    streets = gpd.GeoDataFrame(
        {"rue": ["a", "b"]}, geometry=[line((0, 0), (100, 0)), line((0, 50), (100, 50))], crs=2154
    )
    places = segments(streets, id_column="rue")
    seen = observations(mark("p", at(50, 10), 1), mark("p", at(50, 35), 1), mark("p", at(50, 90), 1))
    pairs = attach(seen, places=places, reach_m=25)
    assert places["place_id"][pairs["place"]].tolist() == ["a", "b"]


def test_crossing_a_street_is_not_walking_it():
    streets = gpd.GeoDataFrame(geometry=[line((0, 0), (100, 0)), line((50, -50), (50, 50))], crs=2154)
    found = walked(segments(streets), routes=routes(line((0, 3), (100, 3))), reach_m=10)
    assert found["place"].tolist() == [0]


def test_cells_within_reach_of_the_trace_are_walked():
    # The trace runs at y = 10 in cells of 20 m; the row above begins at y = 20, exactly 10 m away.
    found = walked(grid(40, 60), routes=routes(line((0, 10), (40, 10))), reach_m=10)
    assert found["place"].tolist() == [0, 1, 2, 3]
    found = walked(grid(40, 60), routes=routes(line((0, 10), (40, 10))), reach_m=9.9)
    assert found["place"].tolist() == [0, 1]


def test_routes_of_several_parts_and_two_sessions():
    parts = shapely.MultiLineString([line((5, 5), (15, 5)), line((45, 5), (55, 5))])
    found = walked(grid(60, 20), routes=routes(parts), reach_m=1)
    assert found["place"].tolist() == [0, 2]
    assert found["session_id"].tolist() == ["s1", "s1"]


def test_inputs_are_left_alone():
    places, seen = grid(40, 40), observations(mark("p", at(1, 1), 1))
    before = places.copy(), seen.copy()
    attach(seen, places=places)
    walked(places, routes=routes(line((0, 1), (40, 1))))
    assert places.equals(before[0])
    assert seen.equals(before[1])
    assert np.array_equal(places.index, before[0].index)
