"""Does every wrong place get its own sentence, and every right one its metres?

Reference point: 2.5° E, 48.93° N (Aulnay-sous-Bois), which PROJ puts near 663 360 / 6 870 470 m in Lambert-93.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from geo_qmi.errors import InputError
from geo_qmi.intake import take_in
from geo_qmi.intake.places import system
from geo_qmi.sources.raw import RawTable

LON, LAT = 2.5, 48.93
X, Y = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True).transform(LON, LAT)


def sites(
    geometry: list[shapely.Geometry | None] | None = None, *, crs: str | None = "EPSG:4326", **columns
) -> RawTable:
    """Return rows of `sites` that lack nothing but the geometry under test."""
    n = len(geometry) if geometry is not None else len(next(iter(columns.values())))
    cells = pd.DataFrame(
        {
            "site_id": [f"s{i}" for i in range(n)],
            "name": "Place",
            "insee": "93005",
            "kind": "place",
            "precision": "site",
            "geometry_status": "digitised",
            **columns,
        },
        index=range(1, n + 1),
        dtype=object,
    )
    shapes = None
    if geometry is not None:
        shapes = np.empty(n, dtype=object)
        shapes[:] = geometry
    return RawTable("lieux.geojson", "lieux", cells, shapes, crs, n_in=n)


def at(lon: float = LON, lat: float = LAT, crs: str = "EPSG:4326") -> shapely.Point:
    return shapely.Point(Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat))


def told(took) -> list[tuple[str, str, str]]:
    return [(d.severity, d.reason, d.proposal) for d in took.defects]


def only(took, severity: str = "error"):
    (defect,) = [d for d in took.defects if d.severity == severity]
    return defect


def near(shape, x: float = X, y: float = Y) -> bool:
    return shapely.distance(shape, shapely.Point(x, y)) < 0.01


def test_degrees_become_metres_silently():
    took = take_in(sites([at()]), "sites")
    assert took.defects == []
    assert took.accepted.crs.to_epsg() == 2154
    assert near(took.accepted.geometry[1])


def test_lambert_93_is_taken_as_it_is():
    took = take_in(sites([shapely.Point(X, Y)], crs="EPSG:2154"), "sites")
    assert took.defects == []
    assert took.accepted.geometry[1].equals(shapely.Point(X, Y))


def test_no_crs_is_proposed_never_guessed():
    took = take_in(sites([shapely.Point(X, Y), None], crs=None), "sites")
    assert (took.n_in, took.n_ok, took.n_quarantined) == (2, 0, 2)
    assert (
        only(took).reason == "le fichier ne dit pas dans quel système sont ses coordonnées, et il n’est jamais deviné"
    )
    assert only(took).proposal == "ajoutez --crs EPSG:2154 (Lambert-93, en mètres)"
    took = take_in(sites([shapely.Point(X, Y), None], crs=None), "sites", crs="2154")
    assert (took.n_ok, took.n_unlocated, took.defects) == (2, 1, [])


def test_degrees_in_a_file_declared_in_metres():
    took = take_in(sites([at()], crs="EPSG:2154"), "sites")
    assert only(took).reason == "des degrés dans un fichier annoncé en mètres (EPSG:2154)"
    assert only(took).proposal == "ajoutez --crs EPSG:4326 (longitude et latitude en degrés (WGS 84))"


def test_metres_in_a_lon_lat_file():
    took = take_in(sites([shapely.Point(X, Y)] * 3), "sites")
    assert only(took).reason == "des mètres dans un fichier annoncé en longitude et latitude (EPSG:4326)"
    assert only(took).proposal == "ajoutez --crs EPSG:2154 (Lambert-93, en mètres)"
    assert took.n_quarantined == 3
    took = take_in(sites([shapely.Point(X, Y)] * 3), "sites", crs="EPSG:2154")
    assert told(took) == [
        (
            "warning",
            "le fichier annonce EPSG:4326 ; EPSG:2154 est retenu à votre demande",
            "vérifiez la carte avant d’enregistrer",
        )
    ]
    assert took.n_ok == 3


def test_swapped_axes():
    took = take_in(sites([shapely.Point(LAT, LON)]), "sites")
    assert only(took).reason == "latitude et longitude sont inversées"
    assert only(took).proposal == "échangez les deux coordonnées"


@pytest.mark.parametrize("other", ["EPSG:27572", "EPSG:3857"])
def test_another_system_offered_as_lambert_93(other):
    took = take_in(sites([at(crs=other)], crs="EPSG:2154"), "sites")
    assert only(took).reason == (
        f"le fichier est annoncé en EPSG:2154, mais ses valeurs sont celles d’un autre système : {other}"
    )
    assert f"--crs {other}" in only(took).proposal


@pytest.mark.parametrize("other", ["EPSG:27572", "EPSG:3857"])
def test_another_system_declared_is_converted_and_told(other):
    took = take_in(sites([at(crs=other)], crs=other), "sites")
    assert took.n_ok == 1
    assert shapely.distance(took.accepted.geometry[1], shapely.Point(X, Y)) < 5
    assert only(took, "warning").reason.startswith(f"géométries converties de {other} (")


def test_far_from_the_region_row_by_row():
    took = take_in(sites([at(), at(), at(5.4, 43.3), shapely.Point(LAT, LON)]), "sites")
    assert (took.n_ok, took.n_quarantined) == (2, 2)
    reasons = [(d.row, d.reason) for d in took.defects]
    assert reasons == [
        (3, "coordonnées loin de l’Île-de-France"),
        (
            4,
            f"{reasons[0][1]} ; elles y seraient en EPSG:4326, longitude et latitude en degrés (WGS 84), axes inversés",
        ),
    ]


def test_everything_far_away_is_told_row_by_row():
    took = take_in(sites([at(5.4, 43.3), shapely.Point(0, 0)]), "sites")
    assert [d.reason for d in took.defects] == ["coordonnées loin de l’Île-de-France"] * 2


def test_broken_ring_is_repaired_and_told():
    bow = shapely.Polygon([(X, Y), (X + 10, Y + 10), (X + 10, Y), (X, Y + 10)])
    took = take_in(sites([bow], crs="EPSG:2154"), "sites")
    assert took.n_ok == 1
    assert took.accepted.geometry[1].is_valid
    assert took.accepted.geometry[1].area == pytest.approx(50)  # two triangles of base 10 and height 5
    assert only(took, "warning").reason.startswith("contour réparé (le contour se recoupe")


def test_ring_without_extent():
    flat = shapely.Polygon([(X, Y), (X + 10, Y), (X, Y)])
    took = take_in(sites([flat], crs="EPSG:2154"), "sites")
    assert only(took).reason == "tracé sans étendue : il ne reste rien une fois réparé"


def test_empty_geometry_is_an_unknown_place():
    took = take_in(sites([at(), shapely.Point()]), "sites")
    assert (took.n_ok, took.n_unlocated) == (2, 1)
    assert only(took, "warning").reason == "géométrie vide : le lieu est inconnu, la ligne est lue sans géométrie"


def test_coordinates_that_are_not_numbers():
    took = take_in(sites([at(), shapely.Point(float("nan"), 48.9), shapely.Point(2.5, float("inf"))]), "sites")
    assert (took.n_ok, took.n_quarantined) == (1, 2)
    assert {d.reason for d in took.defects if d.row in {2, 3}} <= {
        "coordonnée qui n’est pas un nombre (NaN ou infini)",
        "géométrie vide : le lieu est inconnu, la ligne est lue sans géométrie",
    }


def test_altitude_is_dropped_and_told_once():
    took = take_in(sites([shapely.Point(LON, LAT, 40), shapely.Point(LON, LAT, 41)]), "sites")
    assert not took.accepted.geometry.has_z.any()
    assert only(took, "warning").reason == "altitudes (Z) ou mesures (M) laissées de côté dans 2 géométries"


def test_wrong_type_for_the_table():
    raw = sites([shapely.LineString([(LON, LAT), (LON + 0.01, LAT)])])
    raw.frame = raw.frame.rename(columns={"site_id": "station_id", "kind": "mode", "precision": "line"})
    took = take_in(raw, "stations")
    assert only(took).reason == "type de géométrie non admis ; attendu : Point"


def test_one_part_multipoint_and_collection_are_unwrapped():
    raw = sites([shapely.MultiPoint([(LON, LAT)])])
    raw.frame = raw.frame.rename(columns={"site_id": "station_id", "kind": "mode", "precision": "line"})
    took = take_in(raw, "stations")
    assert near(took.accepted.geometry[1])
    assert only(took, "warning").reason == "MultiPoint d’un seul élément, lu comme Point"
    both = shapely.GeometryCollection([at(), at(2.51)])
    took = take_in(sites([both]), "sites")
    assert took.accepted.geometry[1].geom_type == "MultiPoint"


def test_longitude_and_latitude_columns():
    took = take_in(sites(crs=None, Longitude=["2,5", None, "2,5"], Latitude=["48,93", None, ""]), "sites")
    assert (took.n_ok, took.n_unlocated) == (2, 1)
    assert near(took.accepted.geometry[1])
    assert [(d.row, d.field, d.reason) for d in took.defects] == [
        (3, "Latitude", "une coordonnée manque, l’autre est là")
    ]


def test_longitude_and_latitude_exchanged():
    took = take_in(sites(crs=None, longitude=[LAT], latitude=[LON]), "sites")
    assert only(took).reason == "latitude et longitude sont inversées"


def test_x_and_y_columns_say_no_system():
    took = take_in(sites(crs=None, x=[X], y=[Y]), "sites")
    assert only(took).proposal == "ajoutez --crs EPSG:2154 (Lambert-93, en mètres)"
    assert near(take_in(sites(crs=None, X=[str(X)], Y=[str(Y)]), "sites", crs="EPSG:2154").accepted.geometry[1])
    assert near(take_in(sites(crs=None, x_l93=[X], y_l93=[Y]), "sites").accepted.geometry[1])


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("Coordonnées géographiques", "48.93, 2.5"),
        ("geo_point_2d", '{"lon": 2.5, "lat": 48.93}'),
        ("geo_point_2d", '{"lat": 48.93, "lon": 2.5}'),
        ("Geo Shape", '{"type": "Point", "coordinates": [2.5, 48.93]}'),
        ("wkt", "SRID=4326;POINT (2.5 48.93)"),
    ],
)
def test_place_in_one_text_column(column, cell):
    took = take_in(sites(crs=None, **{column: [cell, " "]}), "sites")
    assert (took.n_ok, took.n_unlocated, took.defects) == (2, 1, [])
    assert near(took.accepted.geometry[1])


def test_text_column_in_the_other_order_is_seen():
    took = take_in(sites(crs=None, **{"Coordonnées géographiques": ["2.5, 48.93"]}), "sites")
    assert only(took).reason == "latitude et longitude sont inversées"


@pytest.mark.parametrize("column", ["Coordonnées géographiques", "wkt", "geo_shape"])
def test_unreadable_place(column):
    took = take_in(sites(crs=None, **{column: ["devant la mairie"]}), "sites")
    assert only(took).field == column
    assert only(took).reason.startswith(("attendu : « latitude, longitude »", "géométrie illisible ; attendu : "))


def test_a_refused_place_is_not_also_said_missing():
    far = {"site_id": ["a", "b", "c"], "longitude": ["5,4", "2,5", "est"], "latitude": ["43,3", "", "48,9"]}
    raw = sites(crs=None, **far)
    raw.frame = raw.frame.rename(columns={"site_id": "station_id", "kind": "mode", "precision": "line"})
    took = take_in(raw, "stations")
    assert [(d.row, d.field, d.reason) for d in took.defects] == [
        (1, "longitude, latitude", "coordonnées loin de l’Île-de-France"),
        (2, "latitude", "une coordonnée manque, l’autre est là"),
        (3, "longitude", "ce n’est pas un nombre"),
    ]


def test_geometry_required_and_absent():
    cells = pd.DataFrame({"route_id": ["r"], "session_id": ["w"]}, index=[2], dtype=object)
    took = take_in(RawTable("parcours.csv", "parcours", cells, n_in=1), "routes")
    assert only(took).reason == "aucune géométrie dans ce fichier, alors que la table en demande une"


def test_geometry_for_a_table_that_has_none():
    cells = pd.DataFrame({"dossier": ["a"], "titre": ["b"], "resume": ["c"]}, index=[1], dtype=object)
    took = take_in(RawTable("a.geojson", "a", cells, np.array([at()], dtype=object), "EPSG:4326", 1), "applications")
    assert took.n_ok == 1
    assert only(took, "warning").reason == "1 géométrie non reprise : la table « Candidatures » n’en a pas"


def test_unknown_system():
    with pytest.raises(InputError, match="Système de coordonnées inconnu : « lambert »"):
        system("lambert")
    with pytest.raises(InputError, match="Système de coordonnées inconnu"):
        take_in(sites([at()]), "sites", crs="EPSG:999999")


def test_system_of_the_file_that_nobody_knows():
    took = take_in(sites([at()], crs="IGNF:NIMPORTE"), "sites")
    assert only(took).reason == "système de coordonnées annoncé inutilisable : IGNF:NIMPORTE"


def test_status_and_source_of_the_geometry_are_said():
    raw = sites([at(), None, at()])
    raw.frame["geometry_status"] = [None, None, "officiel"]
    took = take_in(raw, "sites")
    assert took.accepted["geometry_status"].tolist() == ["digitised", "unknown", "official"]
    assert took.accepted["geometry_source"].fillna("").tolist() == [
        "fichier lieux.geojson",
        "",
        "fichier lieux.geojson",
    ]
    assert only(took, "warning").reason == (
        "confiance dans le tracé non dite pour 1 géométrie : « numérisé » est retenu"
    )
