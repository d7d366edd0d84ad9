"""The schema names every defect at once, in French, and knows its own words."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import Point, box

from geo_qmi import schema
from geo_qmi.errors import UnknownNameError
from geo_qmi.vocabulary import fold


def lexicon(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Rows of `lexicon`: id, theme, term, weight."""
    frame = pd.DataFrame(rows, columns=["entry_id", "theme", "term", "weight"]).assign(source="essai")
    return schema.typed(frame, "lexicon")


def test_all_defects_are_told_at_once_in_row_order():
    frame = lexicon(("L1", "energie", "soleil", 1.0), ("L1", "vent", "vent", 2.0), ("L3", "eau", "pluie", 0.5))
    frame.loc[2, "source"] = None
    found = schema.validate(frame, "lexicon", file="lexique.csv")
    told = [(defect.row, defect.field, defect.value) for defect in found]
    assert told == [
        (0, "entry_id", "L1"),
        (1, "entry_id", "L1"),
        (1, "theme", "vent"),
        (1, "weight", "2.0"),
        (2, "source", ""),
    ]
    assert "attendu : un code parmi energie (Énergie)" in found[2].reason
    assert "entre 0 et 1" in found[3].reason
    assert {defect.file for defect in found} == {"lexique.csv"}


def test_a_repeated_combination_is_told_once_a_row():
    frame = lexicon(("L1", "energie", "soleil", 1.0), ("L2", "energie", "soleil", 0.5))
    found = schema.validate(frame, "lexicon")
    assert [(d.row, d.field, d.value) for d in found] == [
        (0, "theme, term", "energie + soleil"),
        (1, "theme, term", "energie + soleil"),
    ]


def test_missing_and_extra_columns_are_told():
    frame = lexicon(("L1", "energie", "soleil", 1.0)).drop(columns="term").assign(couleur="bleu")
    assert {(d.field, d.reason) for d in schema.validate(frame, "lexicon")} == {
        ("term", "colonne absente"),
        ("couleur", "colonne inconnue de cette table"),
    }


def test_references_must_exist():
    frame = schema.typed(pd.DataFrame([{"project_id": "P1", "tag": "A", "source": "essai"}]), "project_tags")
    (found,) = schema.check_references({"project_tags": frame})
    assert found.reason == "valeur absente de la table « projects », colonne « project_id »"
    assert (found.layer, found.row, found.value) == ("project_tags", 0, "P1")


def test_geometry_must_be_in_metres_and_of_the_right_type():
    row = {"station_id": "S", "insee": "93005", "name": "Gare", "line": "B", "mode": "RER", "source": "essai"}
    frame = gpd.GeoDataFrame([{**row, "geometry_status": "official"}], geometry=[box(0, 0, 1, 1)], crs=2154)
    (found,) = schema.validate(schema.typed(frame, "stations"), "stations")
    assert found.reason == "type de géométrie non admis ; attendu : Point"
    degrees = schema.typed(frame.set_geometry([Point(2, 48)], crs=2154), "stations").set_crs(4326, allow_override=True)
    (found,) = schema.validate(degrees, "stations")
    assert "EPSG:2154" in found.reason


def test_typed_adds_columns_with_their_default_and_keeps_the_index():
    frame = schema.typed(pd.DataFrame({"application_id": ["A"], "name": ["N"]}, index=[7]), "applications")
    assert list(frame) == list(schema.columns("applications"))
    assert frame.index.tolist() == [7]
    assert frame.loc[7, "demo"] == False  # noqa: E712 — a nullable boolean
    assert pd.isna(frame.loc[7, "need_area_m2"])


def test_an_unknown_table_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="Table inconnue : « rues »"):
        schema.table("rues")


@pytest.mark.parametrize("name", [*schema.TABLES, *schema.RESULTS])
def test_every_table_speaks_french_and_is_consistent(name):
    table = schema.table(name)
    assert table.title
    assert table.description
    assert schema.key_columns(name), f"{name} has no key"
    titles = [fold(str(spec.title)) for spec in table.columns.values()]
    assert len(set(titles)) == len(titles), f"{name} has two columns of the same title"
    for column, spec in table.columns.items():
        assert spec.description, f"{name}.{column}"
        target = spec.metadata["references"]
        if target:
            other, other_column = target.split(".")
            assert other_column in schema.columns(other)


@pytest.mark.parametrize("name", [*schema.TABLES, *schema.RESULTS])
def test_no_alias_means_two_columns(name):
    seen: dict[str, str] = {}
    for column, spec in schema.columns(name).items():
        for alias in {column, *spec.metadata["aliases"]}:
            assert seen.setdefault(alias, column) == column, f"{name}: {alias} means {seen[alias]} and {column}"


def test_private_tables_and_columns():
    assert "verbatim" in schema.private_columns("observations")
    assert schema.private_columns("participants") == list(schema.columns("participants"))
    assert schema.private_columns("districts") == []


def test_tables_come_after_those_they_refer_to():
    order = list(schema.TABLES)
    for name in order:
        for spec in schema.columns(name).values():
            target = (spec.metadata["references"] or f"{name}.").split(".")[0]
            assert order.index(target) <= order.index(name)
