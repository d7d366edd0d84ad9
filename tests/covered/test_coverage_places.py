from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo_qmi.coverage import derive, footprints
from geo_qmi.coverage.deployment import share_inside
from geo_qmi.errors import CrsError, InputError, UnknownNameError

X, Y = 650_000, 6_860_000


def at(*coordinates: float) -> shapely.Geometry:
    """Box from four numbers, point from two, in metres from a corner of the district."""
    shifted = [c + (X, Y)[k % 2] for k, c in enumerate(coordinates)]
    return shapely.box(*shifted) if len(shifted) == 4 else shapely.Point(shifted)


def layer(geometries: list, **columns: list) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(geometries, crs="EPSG:2154"))


DISTRICTS = layer([at(0, 0, 1000, 800), None], district_id=["Q", "R"], precision_m=[50.0, np.nan])
SITES = layer(
    [at(200, 300), at(1100, 300), at(900, 0, 1200, 100), None, at(960, 400)],
    site_id=["in", "out", "astride", "nowhere", "edge"],
    name=["Place", "Parking", "Allée", "Cimetière", "Angle"],
    precision_m=[10.0, 20.0, np.nan, np.nan, np.nan],
)
PROJECTS = pd.DataFrame(
    {
        "project_id": ["p1", "p2", "p3", "p4", "p5", "p6", "p7"],
        "name": list("ABCDEFG"),
        "district_id": ["Q", "Q", "Q", "Q", "R", "Q", "Q"],
        "site_id": ["in", "out", "astride", "nowhere", "in", None, "edge"],
        "inside_stated": ["unknown", "yes", "unknown", "no", "unknown", "unknown", "yes"],
    }
)


def test_signed_metres_by_hand():
    found = derive(PROJECTS, SITES, DISTRICTS)
    # The point (200, 300) is 200 m from the west side; (1100, 300) is 100 m east; the alley is a third inside.
    assert found["distance_m"].tolist()[:3] == [-200.0, 100.0, 0.0]
    assert found["inside_computed"].tolist() == ["yes", "no", "no", "unknown", "unknown", "unknown", "yes"]
    assert found.loc["p3", "share_inside"] == pytest.approx(1 / 3)
    assert found.loc["p3", "reason"].startswith("À cheval sur la limite : 33 % dans le quartier.")
    assert found["distance_m"].isna().tolist() == [False] * 3 + [True] * 3 + [False]


def test_the_document_is_beside_and_never_overwritten():
    found = derive(PROJECTS, SITES, DISTRICTS)
    assert found["inside_stated"].tolist() == PROJECTS["inside_stated"].tolist()
    assert found["disagrees"].tolist() == [False, True, False, False, False, False, False]
    assert found.loc["p4", ["inside", "basis"]].tolist() == ["no", "document"]
    assert found.loc["p6", ["inside", "basis"]].tolist() == ["unknown", "none"]
    assert found.loc["p2", ["inside", "basis"]].tolist() == ["no", "geometry"]


def test_a_distance_below_the_precision_is_uncertain():
    found = derive(PROJECTS, SITES, DISTRICTS)
    # 100 m against 50 + 20; 40 m against 50.
    assert found["uncertain"].tolist() == [False, False, True, pd.NA, pd.NA, pd.NA, True]
    assert "à vérifier" in found.loc["p7", "reason"]


def test_the_shipped_sites_have_no_place(shipped):
    found = derive(shipped["projects"], shipped["sites"], shipped["districts"])
    assert len(found) == 28
    assert set(found["inside_computed"]) == {"unknown"}
    assert found["distance_m"].isna().all()
    assert found.index[found["inside"] == "no"].tolist() == ["QMI1-ecoflow", "QMI1-tracemob"]
    assert set(found.loc[found["inside"] == "no", "basis"]) == {"document"}


def test_a_geometry_of_unknown_status_is_no_place():
    unsure = SITES.assign(geometry_status=["unknown"] * 5)
    assert set(derive(PROJECTS, unsure, DISTRICTS)["inside_computed"]) == {"unknown"}


def test_share_inside_by_kind():
    area = shapely.box(0, 0, 1, 1)
    assert share_inside(shapely.LineString([(0.5, 0.5), (0.5, 2.5)]), area) == 0.25
    assert share_inside(shapely.MultiPoint([(0.5, 0.5), (2, 2), (1, 1), (3, 3)]), area) == 0.5
    assert share_inside(shapely.Point(9, 9), area) == 0.0


def test_derive_refusals():
    with pytest.raises(UnknownNameError, match="Projet p1 : lieu « moon » inconnu"):
        derive(PROJECTS.assign(site_id="moon"), SITES, DISTRICTS)
    with pytest.raises(CrsError, match="Lambert-93"):
        derive(PROJECTS, SITES.to_crs("EPSG:4326"), DISTRICTS)


KINDS = pd.DataFrame(
    {
        "project_id": ["a", "b", "c", "d", "e", "f", "g", "h", "i"],
        "name": list("ABCDEFGHI"),
        "insee": ["1", "1", "1", "1", "1", "2", "9", "1", "1"],
        "site_id": ["in", "astride", None, "nowhere", None, None, None, "in", None],
        "footprint": [
            "point",
            "area",
            "virtual",
            "area",
            "served_population",
            "asset_network",
            "asset_network",
            "event",
            "none",
        ],
        "precision": ["site", "site", "commune", "site", "unknown", "ept", "ept", "site", "unknown"],
    }
)
COMMUNES = layer([at(0, 0, 9, 9), at(9, 0, 18, 9)], insee=["1", "2"], territory=["T1", "T1"])


def test_each_footprint_has_its_rule_or_is_refused_by_name():
    served = pd.DataFrame({"project_id": ["e", "e"], "place_id": ["z2", "z1"]})
    found = footprints(KINDS, SITES, served=served, communes=COMMUNES)
    assert found.located["rule"].to_dict() == {"a": "reach", "b": "reach", "f": "zone"}
    assert found.located.geometry["f"].area == 9 * 18  # the whole territory, not the commune
    assert found.served["place_id"].tolist() == ["z1", "z2"]
    assert found.unplaced["status"].to_dict() == {
        "c": "refused",
        "d": "unknown",
        "g": "unknown",
        "h": "refused",
        "i": "refused",
    }
    assert found.unplaced.loc["d", "reason"] == "Sans lieu : lieu nommé sans géométrie."
    assert found.unplaced.loc["c", "reason"].startswith("Refusé : numérique")
    assert len(found.located) + len(found.unplaced) + found.served["project_id"].nunique() == len(KINDS)


def test_nothing_becomes_a_centroid(shipped):
    found = footprints(shipped["projects"], shipped["sites"], communes=shipped["communes"])
    assert found.located["rule"].to_dict() == {"QMI1-digiponts92": "zone"}
    assert len(found.unplaced) == 27
    bare = footprints(shipped["projects"], shipped["sites"])
    assert bare.located.empty
    assert "à l’échelle de l’établissement public territorial (EPT)" in bare.unplaced.loc["QMI1-digiponts92", "reason"]


def test_footprint_refusals():
    with pytest.raises(InputError, match="« ligne » et géométrie Point se contredisent"):
        footprints(KINDS.assign(footprint="line", site_id="in", precision="site"), SITES)
    with pytest.raises(InputError, match="« a » n’est pas un projet à population desservie"):
        footprints(KINDS, SITES, served=pd.DataFrame({"project_id": ["a"], "place_id": ["z"]}))
    with pytest.raises(InputError, match="emprise « cloud »"):
        footprints(KINDS.assign(footprint="cloud"), SITES)
