"""Is the shipped study whole, consistent with itself and honest about what it does not know?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import shapely

from geo_qmi import schema
from geo_qmi.shipped import data_dir, shipped_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Hectares of the four indicative perimeters, published with their construction.
PERIMETERS_HA = {"QMI1-AUL": 42.3, "QMI1-MEU": 77.4, "QMI1-NOI": 78.8, "QMI1-SCE": 49.5}
COUNTS = {
    "communes": 130,
    "territories": 12,
    "districts": 10,
    "objectives": 19,
    "expected_solutions": 16,
    "district_facts": 20,
    "barriers": 6,
    "stations": 35,
    "sites": 10,
    "projects": 28,
    "project_statuses": 56,
    "fund_projects": 218,
    "programmes": 31,
    "partners": 8,
    "figures": 138,
    "timeline": 27,
    "obstacles": 12,
    "replicability_levels": 20,
    "indicators": 69,
    "contradictions": 42,
}


@pytest.fixture(scope="module")
def tables() -> Mapping[str, pd.DataFrame]:
    return shipped_tables()


@pytest.mark.parametrize(("name", "rows"), COUNTS.items())
def test_every_table_has_its_rows(tables, name, rows):
    assert len(tables[name]) == rows


@pytest.mark.parametrize("name", schema.TABLES)
def test_no_table_has_a_defect(tables, name):
    assert [defect.sentence() for defect in schema.validate(tables[name], name)] == []


def test_no_reference_is_broken(tables):
    assert [defect.sentence() for defect in schema.check_references(tables)] == []


@pytest.mark.parametrize("name", [name for name in COUNTS if "source" in schema.columns(name)])
def test_every_row_says_where_it_comes_from(tables, name):
    source = tables[name]["source"]
    assert source.notna().all()
    assert (source.str.strip() != "").all()


def test_every_geometry_has_a_source_a_status_and_a_precision(tables):
    for name in ("communes", "territories", "districts", "barriers", "stations"):
        drawn = tables[name][tables[name].geometry.notna()]
        assert drawn["geometry_source"].notna().all(), name
        assert (drawn["precision_m"] > 0).all(), name
        assert (drawn["geometry_status"] != "unknown").all(), name


def test_published_perimeters_keep_their_area(tables):
    drawn = tables["districts"].dropna(subset="geometry").set_index("district_id")
    area_ha = drawn.geometry.area / 10_000
    assert sorted(area_ha.index) == sorted(PERIMETERS_HA)
    for district, expected in PERIMETERS_HA.items():
        assert area_ha[district] == pytest.approx(expected, rel=0.02), district
    assert (drawn["geometry_status"] == "approximate").all()
    assert drawn["geometry_doubt"].notna().all()


def test_a_district_nobody_published_is_neither_named_nor_drawn(tables):
    second = tables["districts"].query("edition == 2")
    assert len(second) == 6
    assert second.geometry.isna().all()
    assert second["name"].isna().all()
    assert (second["geometry_status"] == "unknown").all()
    assert second["precision_m"].isna().all()


def test_the_challenge_printed_by_mistake_stays_unknown(tables):
    districts = tables["districts"].set_index("district_id")
    assert pd.isna(districts.loc["QMI1-AUL", "challenge"])
    assert districts.loc["QMI1-AUL", "challenge_status"] == "source_error"
    stated = districts["challenge"].notna()
    assert (districts["challenge_status"] == "published").equals(stated)
    assert stated.sum() == 6
    assert districts.loc["QMI1-MEU", "severance"] == "Aucune coupure citée."


def test_districts_have_five_objectives_and_sceaux_four(tables):
    counted = tables["objectives"].groupby("district_id").size().to_dict()
    assert counted == {"QMI1-AUL": 5, "QMI1-MEU": 5, "QMI1-NOI": 5, "QMI1-SCE": 4}
    assert tables["objectives"]["objective_id"].iloc[0] == "QMI1-AUL-O1"


def test_facts_without_a_district_say_so(tables):
    loose = tables["district_facts"].query("district_id.isna()")
    assert len(loose) == 2
    assert loose["note"].notna().all()


def test_no_named_site_is_drawn_because_no_coordinate_is_published(tables):
    sites = tables["sites"].set_index("site_id")
    assert sites.geometry.isna().all()
    assert (sites["geometry_status"] == "unknown").all()
    assert sites.loc["site-quartier-du-marnois", "precision"] == "district"


def test_allocation_is_not_location(tables):
    projects = tables["projects"].set_index("name")
    assert list(projects.query("inside_district == 'no'").index) == ["EcoFlow", "Tracemob"]
    assert (projects.loc[["EcoFlow", "Tracemob"], "district_id"] == "QMI1-NOI").all()
    assert (projects["inside_district"] == "unknown").sum() == 26
    # No site has a place yet, so nothing could be computed: the text alone speaks.
    assert projects["inside_district"].equals(projects["inside_stated"])
    sharing = projects.query("site_id == 'site-place-des-ailantes'").index
    assert sorted(sharing) == ["Cumulusland", "Source Urbaine", "Végétalisation 2nde vie"]


def test_projects_stand_in_the_commune_of_their_district(tables):
    host = tables["districts"].set_index("district_id")["insee"]
    projects = tables["projects"]
    assert (projects["insee"] == projects["district_id"].map(host)).all()
    assert projects.groupby("district_id").size().to_dict() == {
        "QMI1-AUL": 7,
        "QMI1-MEU": 7,
        "QMI1-NOI": 8,
        "QMI1-SCE": 6,
    }


def test_footprints_follow_what_the_documents_establish(tables):
    footprint = tables["projects"].set_index("name")["footprint"]
    expected = {
        "Wintics Cityvision": "asset_network",
        "Digiponts92": "asset_network",
        "Evolukid": "event",
        "TiQuest": "virtual",
        "Technocarbon": "none",
    }
    assert footprint[list(expected)].to_dict() == expected
    assert tables["projects"]["note"].str.contains("Emprise classée par nous").all()


def test_statuses_are_kept_by_document(tables):
    statuses = tables["project_statuses"]
    first = statuses.query("document == '001'")["status"].value_counts().to_dict()
    assert first == {"deployed": 17, "in_progress": 1, "unknown": 10}
    absent = statuses.query("document == '001' and status == 'unknown'")
    assert absent["wording"].isna().all()
    assert absent["note"].str.contains("ne pas conclure à un échec").all()


def test_two_close_names_are_two_projects(tables):
    names = tables["projects"].set_index("name")
    assert names.loc["Purpl", "insee"] == "92071"
    assert names.loc["Purple", "insee"] == "93005"
    aliases = set(tables["project_names"]["other_name"])
    assert not aliases & {"Purpl", "Purple"}


def test_the_fund_counts_btp_match_once(tables):
    fund = tables["fund_projects"].set_index("fund_id")
    assert fund["duplicate_of"].dropna().to_dict() == {"S3-06": "S3-05"}
    assert pd.isna(fund.loc["S3-06", "cost_eur"])
    assert fund["in_list"].sum() == 214
    # 28 described costs, as summed by hand in the published figures.
    assert fund["cost_eur"].count() == 28
    total = tables["figures"].set_index("figure_id").loc["F086", "value"]
    assert fund["cost_eur"].sum() == total == 7_702_811


def test_a_ceiling_is_half_the_cost_and_never_more_than_the_maximum(tables):
    fund = tables["fund_projects"].dropna(subset="cost_eur")
    assert np.allclose(fund["grant_ceiling_eur"], np.minimum(fund["cost_eur"] / 2, 200_000))


def test_carriers_are_a_commune_or_a_territory_never_both(tables):
    fund = tables["fund_projects"]
    carried = fund["carrier_kind"] == "commune"
    assert carried.sum() == 191
    assert fund["insee"].notna().equals(carried)
    assert fund["territory_siren"].isna().equals(carried)
    assert set(fund["territory_siren"].dropna()) <= set(tables["territories"]["siren"].dropna())
    merged = fund.set_index("carrier").loc["Pierrefitte-sur-Seine"]
    assert merged["insee"] == "93066"


def test_places_with_a_code_are_joined_and_the_others_are_not(tables):
    places = tables["programme_places"]
    assert places["insee"].notna().equals(places["kind"] == "commune")
    assert places["territory"].notna().equals(places["kind"] == "ept")
    hub = places.query("programme_id == 'HUB-IA93'").set_index("kind")
    assert hub.loc["commune", "insee"] == "93005"
    assert hub.loc["ept", "territory"] == "T7"


def test_replicability_has_five_criteria_of_four_levels(tables):
    levels = tables["replicability_levels"].pivot_table(index="criterion_id", columns="level", aggfunc="size")
    assert levels.shape == (5, 4)
    assert (levels == 1).all(axis=None)


def test_territories_are_the_sum_of_their_communes(tables):
    territories = tables["territories"].set_index("territory")
    summed = tables["communes"].groupby("territory")["population"].sum()
    assert (territories["population"] == summed[territories.index]).all()
    assert territories["population"].sum() == 7_142_540
    assert territories["siren"].isna().sum() == 1
    dissolved = tables["communes"].dissolve("territory").geometry.area
    assert np.allclose(territories.geometry.area, dissolved[territories.index])


def test_communes_neither_overlap_nor_leave_holes(tables):
    outlines = tables["communes"].geometry.to_numpy()
    assert shapely.is_valid(outlines).all()
    left, right = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    pairs = left < right
    shared = shapely.area(shapely.intersection(outlines[left[pairs]], outlines[right[pairs]]))
    assert shared.max() < 1.0
    whole = shapely.union_all(outlines, grid_size=0.01)
    assert whole.geom_type == "Polygon"
    assert len(whole.interiors) == 0
    # Saint-Denis includes Pierrefitte since 2025: 12.4 km² and 3.4 km².
    merged = tables["communes"].set_index("insee").geometry["93066"]
    assert merged.area / 1e6 == pytest.approx(15.8, rel=0.02)


def test_perimeters_and_stations_fall_in_their_commune(tables):
    communes = tables["communes"].set_index("insee").geometry
    for name in ("districts", "stations"):
        drawn = tables[name].dropna(subset="geometry")
        beyond = drawn.geometry.distance(communes[drawn["insee"]], align=False)
        assert beyond.max() <= 520, name
    perimeters = tables["districts"].dropna(subset="geometry")
    inside = perimeters.geometry.intersection(communes[perimeters["insee"]], align=False).area
    assert (inside / perimeters.geometry.area > 0.85).all()


def test_rail_barriers_carry_the_district_they_cut(tables):
    barriers = tables["barriers"].set_index("barrier_id")
    assert barriers["district_id"].value_counts().to_dict() == {"QMI1-AUL": 3, "QMI1-SCE": 3}
    assert (barriers["kind"] == "rail").all()
    perimeters = tables["districts"].set_index("district_id").geometry
    # The two perimeters were cut along the tracks.
    assert barriers.geometry["RAIL-AUL-1"].distance(perimeters["QMI1-AUL"]) < 15
    assert barriers.geometry["RAIL-SCE-1"].distance(perimeters["QMI1-SCE"]) < 15


def test_files_are_small_and_explained():
    folder = data_dir()
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SOURCES.md"]
    explained = (folder / "SOURCES.md").read_text(encoding="utf-8")
    assert len(files) >= 25
    for path in files:
        assert path.stat().st_size <= 500_000, path.name
        assert f"`{path.relative_to(folder).as_posix()}`" in explained, path.name


@pytest.mark.parametrize("name", ["communes", "territories", "districts", "barriers", "stations", "sites"])
def test_geojson_is_the_plain_kind(name):
    text = (data_dir() / f"{name}.geojson").read_text(encoding="utf-8")
    collection = json.loads(text)
    assert list(collection) == ["type", "features"]
    assert text.count("\n") == len(collection["features"]) + 2
    expected = [column for column in schema.columns(name) if column != "geometry"]
    assert all(list(feature["properties"]) == expected for feature in collection["features"])
    shapes = [shapely.geometry.shape(f["geometry"]) for f in collection["features"] if f["geometry"]]
    for geometry in shapes:
        west, south, east, north = geometry.bounds
        assert 2.1 < west <= east < 2.7
        assert 48.6 < south <= north < 49.1
        for part in shapely.get_parts(geometry):
            if part.geom_type == "Polygon":
                assert part.exterior.is_ccw
