"""Undeclared passages are listed before computing, and a result that moves with the margin is told."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from walking_town import X, Y, layer

from geo_qmi import network
from geo_qmi.errors import InputError


def ways(**columns):
    """A street across the railway at 500 m, another at 900 m."""
    return layer(*(shapely.LineString([(X + e, Y + 500), (X + e, Y + 700)]) for e in (500, 900)), **columns)


def test_open_ground_has_no_phantom_bridge(ground, railway):
    assert network.phantom_bridges(ground, railway).empty


def test_streets_across_the_tracks_are_listed_with_their_level(railway):
    found = network.phantom_bridges(network.streets(ways(bridge=[None, "yes"])), railway)
    assert found["barrier_id"].tolist() == ["R", "R"]
    assert dict(zip(found.geometry.x - X, found["verdict"], strict=True)) == {
        500: "franchit la coupure à son niveau sans franchissement déclaré",
        900: "pont ou tunnel absent de l’inventaire des franchissements",
    }
    assert (found.geometry.y == Y + 625).all()


def test_a_declared_crossing_accounts_for_its_street(railway):
    declared = layer(shapely.Point(X + 510, Y + 625), crossing_id=["F"], barrier_id=["R"])
    found = network.phantom_bridges(network.streets(ways()), railway, crossings=declared)
    assert (found.geometry.x - X).tolist() == [900]
    other = network.phantom_bridges(network.streets(ways()), railway, crossings=declared.assign(barrier_id="Z"))
    assert len(other) == 2


def test_closing_the_listed_edges_closes_the_tracks(railway):
    ground = network.streets(ways(), max_edge_m=50)
    closed = network.without_edges(ground, network.phantom_bridges(ground, railway)["edge"])
    south, north = (int(np.hypot(*(ground.xy - (X + 500, Y + y)).T).argmin()) for y in (500, 700))
    assert network.distances(ground, [south], [north]).iloc[0, 0] == 200
    assert np.isinf(network.distances(closed, [south], [north]).iloc[0, 0])


def test_a_margin_too_narrow_is_told(railway):
    perimeter = gpd.GeoSeries([shapely.box(X, Y + 500, X + 500, Y + 750)], crs=2154)
    bridge = layer(shapely.Point(X + 1300, Y + 625), crossing_id=["pont"], barrier_id=["R"])
    pair = gpd.GeoSeries([shapely.Point(X + 250, Y + 600), shapely.Point(X + 250, Y + 650)], crs=2154)
    wall = layer(shapely.LineString([(X - 9000, Y + 625), (X + 9000, Y + 625)]), barrier_id=["R"])

    def walk(margin: float) -> pd.Series:
        ground = network.open_ground(
            perimeter, barriers=wall, crossings=bridge, buffer_m=margin, cell_m=50, neighbours=4
        )
        places = network.snap(ground, pair)
        return pd.Series({"traversée": network.distances(ground, places.iloc[:1], places.iloc[1:]).iloc[0, 0]})

    narrow, warning = network.edge_effect(walk, buffer_m=200)
    assert np.isinf(narrow["traversée"])
    assert warning.startswith("Effet de bord : 1 résultat sur 1 change quand la marge passe de 200 à 2\u202f200 m")
    wide, silence = network.edge_effect(walk, buffer_m=network.study_buffer_m(15))
    assert (wide["traversée"], silence) == (2150.0, "")  # 1 050 m along, 50 m across, 1 050 m back


def test_a_negative_walk_has_no_study_area():
    with pytest.raises(InputError, match="Durée de marche refusée : « -5 »"):
        network.study_buffer_m(-5)
