"""A map as plain data: classes, hatching, words, and nothing placed that is not known."""

from __future__ import annotations

import doctest

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo_qmi import maps
from geo_qmi.errors import CrsError
from geo_qmi.maps import district as district_module
from geo_qmi.maps import drawing


def test_examples_in_the_docstrings_hold():
    assert doctest.testmod(drawing).failed == 0


def test_hatch_lines_stay_inside_and_keep_their_distance():
    square = shapely.box(0, 0, 100, 100)
    lines = maps.hatch(square, 10)
    assert shapely.difference(lines, square.buffer(1e-6)).is_empty
    # Parallel lines 10 m apart have one metre of line for each 10 m² of a large area.
    assert lines.length == pytest.approx(100 * 100 / 10, rel=0.02)


def test_hatch_lines_of_neighbours_line_up():
    left, right = shapely.box(0, 0, 50, 50), shapely.box(50, 0, 100, 50)
    together = maps.hatch(shapely.box(0, 0, 100, 50), 10)
    apart = maps.hatch(left, 10).length + maps.hatch(right, 10).length
    assert apart == pytest.approx(together.length)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], []),
        ([4], [(4, 4)]),
        ([1, 2, 3], [(1, 1), (2, 2), (3, 3)]),
        ([1, 1, 2, 10, 11, 12, 50], [(1, 2), (10, 12), (50, 50)]),
    ],
)
def test_classes_follow_the_gaps(counts, expected):
    assert maps.count_classes(counts, n=3) == expected


@pytest.fixture
def tables(shipped):
    return shipped


def programme(tables, **options):
    fund = tables["fund_projects"]
    counts = fund[fund["duplicate_of"].isna()].groupby("insee").size()
    chosen = {"territories": tables["territories"], "fund_counts": counts, **options}
    return maps.programme_map(tables["communes"], tables["districts"], **chosen)


def layer(drawn, name):
    return next(part for part in drawn.layers if part.name == name)


def district(tables, ident, **options):
    names = ("districts", "communes", "barriers", "stations", "sites")
    return maps.district_map(ident, **{name: tables[name] for name in names}, **options)


def test_programme_map_counts_what_it_is_given(tables):
    drawn = programme(tables, carried_elsewhere=26, scope="édition 1")
    assert drawn.title == "191 projets du fonds par commune et 10 quartiers d’innovation – édition 1"
    assert drawn.table["Projets du fonds"].sum() == 191
    assert len(drawn.table) == 130
    assert "26 projets" in drawn.description
    assert all(part.frame.crs.to_epsg() == 2154 for part in drawn.layers)


def test_a_commune_without_listed_project_is_a_class_of_its_own(tables):
    drawn = programme(tables, fund_counts=pd.Series({"92071": 3}))
    styles = layer(drawn, "communes").frame.set_index("id")["style"]
    assert styles["92071"] == "c3"
    assert (styles.drop("92071") == "none").all()


def test_districts_without_perimeter_are_hatched_communes_never_points(tables):
    drawn = programme(tables)
    unknown, known = layer(drawn, "districts_unknown"), layer(drawn, "districts")
    assert len(unknown.frame) == 6
    assert len(known.frame) == 4
    assert set(unknown.frame.geom_type) <= {"Polygon", "MultiPolygon"}
    assert all(style.hatch_m > 0 for style in unknown.styles.values())
    assert set(unknown.frame["Périmètre"]) == {maps.UNKNOWN_PLACE}
    places = tables["communes"].set_index("insee").geometry
    insee = tables["districts"].set_index("district_id")["insee"]
    for ident, shape in zip(unknown.frame["id"], unknown.frame.geometry, strict=True):
        assert shape.equals(places[insee[ident]])


def test_a_frame_in_degrees_is_refused(tables):
    with pytest.raises(CrsError, match="EPSG:4326"):
        programme({**tables, "communes": tables["communes"].to_crs("EPSG:4326")})


def test_district_map_lists_named_sites_and_draws_none(tables):
    drawn = district(tables, "QMI1-SCE")
    assert drawn.title == "Sceaux – Les Blagis (édition 1) : périmètre approximatif"
    assert list(drawn.unplaced["Objet"]) == ["place des Ailantes"]
    assert not any("Ailantes" in str(label) for part in drawn.layers for label in part.frame["label"])


def test_district_without_perimeter_says_so(tables):
    drawn = district(tables, "QMI2-ARG")
    assert drawn.title.endswith(": périmètre non publié")
    assert [part.name for part in drawn.layers if part.name.startswith("districts")] == ["districts_unknown"]
    assert "hachurée" in drawn.description


@pytest.fixture
def walks(tables):
    """One session, three marks (very negative, without value, silent), an absence as a zone, one without place."""
    centre = tables["districts"].set_index("district_id").geometry["QMI1-SCE"].centroid
    rows = pd.DataFrame(
        {
            "observation_id": list("abcde"),
            "kind": ["mark", "mark", "silence", "absence", "absence"],
            "valence": pd.array([-2, None, None, None, None], dtype="Int64"),
            "intensity": pd.array([5, None, None, None, None], dtype="Int64"),
            "sense": ["hearing", None, None, None, None],
            "theme": [None] * 5,
            "frame": [None] * 5,
            "wished": [None, None, None, "De l’ombre", "Un banc"],
            "participant_id": ["P1"] * 5,
            "verbatim": ["un secret"] * 5,
            "source": ["test"] * 5,
            "demo": [True] * 5,
        }
    )
    shapes = [centre, centre, centre, centre.buffer(30), None]
    line = shapely.LineString([(centre.x, centre.y), (centre.x + 50, centre.y)])
    routes = pd.DataFrame({"route_id": ["r"], "demo": [True]})
    stages = pd.DataFrame({"stage_id": ["s"], "rank": [1], "name": ["Gare"], "demo": [True]})
    return {
        "routes": gpd.GeoDataFrame(routes, geometry=[line], crs="EPSG:2154"),
        "stages": gpd.GeoDataFrame(stages, geometry=[centre], crs="EPSG:2154"),
        "observations": gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:2154"),
    }


def test_silence_absence_and_missing_value_are_three_things(tables, walks):
    drawn = district(tables, "QMI1-SCE", walks=walks)
    marks = layer(drawn, "observations")
    assert dict(zip(marks.frame["id"], marks.frame["style"], strict=True)) == {
        "a": "v-2",
        "b": "unknown",
        "c": "silence",
    }
    looks = [marks.styles[key] for key in ("v-2", "unknown", "silence", "v2")]
    assert len({(look.shape, look.fill) for look in looks}) == 4
    zone = layer(drawn, "observation_areas")
    assert list(zone.frame["style"]) == ["absence"]
    assert zone.styles["absence"].hatch_m > 0


def test_an_observation_without_place_is_listed(tables, walks):
    drawn = district(tables, "QMI1-SCE", walks=walks)
    assert list(drawn.unplaced["Objet"]) == ["place des Ailantes", "Un banc"]


def test_demonstration_is_said_in_title_tooltip_and_words(tables, walks):
    drawn = district(tables, "QMI1-SCE", walks=walks)
    assert drawn.title.endswith(", 5 observations (données de démonstration)")
    assert set(layer(drawn, "observations").frame["label"]) == {"Observation de démonstration"}
    assert "inventés pour la démonstration" in drawn.description


def test_private_columns_stay_out(tables, walks):
    drawn = district(tables, "QMI1-SCE", walks=walks)
    told = " ".join(
        str(value) for part in drawn.layers for value in part.frame.drop(columns="geometry").to_numpy().flat
    )
    assert "secret" not in told + drawn.table.to_string()
    assert "P1" not in told + drawn.table.to_string()


def test_shapes_repeat_the_sign_of_the_felt_value():
    styles = district_module._OBSERVATION_STYLES
    assert [styles[f"v{value}"].shape for value in (-2, -1, 0, 1, 2)] == ["down", "down", "circle", "up", "up"]


def test_plan_map_shows_what_each_district_receives(tables):
    assigned = pd.Series({"QMI1-SCE": 6, "QMI2-ARG": 8})
    drawn = maps.plan_map(
        tables["communes"],
        tables["districts"],
        territories=tables["territories"],
        assigned=assigned,
        noun="candidature",
        demo=True,
    )
    assert drawn.title == "Plan : 14 candidatures dans 2 quartiers (données de démonstration)"
    assert sorted(layer(drawn, "names").frame["label"]) == ["Argenteuil : 8", "Sceaux : 6"]
    assert list(layer(drawn, "unknown").frame["id"]) == ["QMI2-ARG"]


def test_a_plan_without_district_is_a_sentence(tables):
    drawn = maps.plan_map(
        tables["communes"], tables["districts"], territories=tables["territories"], assigned=pd.Series(dtype=int)
    )
    assert drawn.nothing == "Aucun quartier ne reçoit de projet : rien à dessiner."
