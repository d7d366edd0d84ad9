"""Which map answers a kind and a district, and what a lower edition never shows."""

from __future__ import annotations

import geopandas as gpd
import pytest

from geo_qmi import mapping, plate, schema
from geo_qmi.errors import InputError, UnknownNameError


@pytest.fixture(scope="module")
def public(shipped) -> dict[str, object]:
    """The shipped study as everybody may see it, two sentences released."""
    spoken = shipped["observations"].dropna(subset="verbatim")
    cleared = spoken["observation_id"].iloc[:2]
    return mapping.lowered(shipped, "public", cleared=tuple(cleared))


@pytest.mark.parametrize("kind", ["district", "sensitive", "severance", "coverage"])
def test_every_kind_of_a_district_has_a_map_with_its_numbers(shipped, kind):
    drawn = mapping.drawn(shipped, kind=kind, district_id="QMI1-AUL")
    assert drawn.title.startswith("Aulnay-sous-Bois – Centre Gare")
    assert drawn.title.endswith("(données de démonstration)")
    assert drawn.layers
    assert not drawn.nothing
    apart = plate.contrasts(drawn)
    assert apart["told_apart"].all(), apart[~apart["told_apart"]]


def test_a_map_makes_only_the_tables_it_draws(shipped):
    made: list[str] = []

    def make(name: str) -> object:
        made.append(name)
        return shipped[name]

    drawn = mapping.drawn(schema.OnDemand(shipped, make), kind="district", district_id="QMI1-AUL")
    assert drawn.title == mapping.drawn(shipped, kind="district", district_id="QMI1-AUL").title
    assert {"districts", "communes", "barriers", "stations"} <= set(made)
    assert not {"figures", "projects", "fund_projects"} & set(made)
    assert len(made) == len(set(made))


@pytest.mark.parametrize("kind", mapping.WHOLE)
def test_the_metropole_has_its_maps(shipped, kind):
    drawn = mapping.drawn(shipped, kind=kind)
    assert {"programme": "191 projets du fonds", "matching": "Plan : 28 projets"}[kind] in drawn.title
    assert plate.contrasts(drawn)["told_apart"].all()


def test_a_district_is_found_by_its_commune(shipped):
    by_name = mapping.drawn(shipped, kind="district", district_id="sceaux")
    assert by_name.title == mapping.drawn(shipped, kind="district", district_id="QMI1-SCE").title


@pytest.mark.parametrize("kind", ["sensitive", "severance", "coverage"])
def test_without_perimeter_the_commune_is_hatched_and_it_is_said(shipped, kind):
    drawn = mapping.drawn(shipped, kind=kind, district_id="QMI2-ARG")
    hatched = next(layer for layer in drawn.layers if layer.name == "districts_unknown")
    assert hatched.styles["district"].hatch_m > 0
    assert "périmètre" in drawn.nothing.lower()
    if kind != "sensitive":
        assert drawn.nothing.startswith("Périmètre non publié")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"kind": "relief"}, UnknownNameError, "Carte inconnue.*sensitive"),
        ({"kind": "district"}, InputError, "dites lequel.*QMI1-AUL"),
        ({"kind": "district", "district_id": "Lyon"}, UnknownNameError, "Quartier inconnu.*QMI1-AUL"),
        ({"kind": "programme", "district_id": "QMI1-AUL"}, InputError, "retirez le quartier"),
    ],
)
def test_what_is_unknown_is_refused_with_the_choices(shipped, options, error, message):
    with pytest.raises(error, match=message):
        mapping.drawn(shipped, **options)


def test_a_study_without_communes_is_refused(shipped):
    with pytest.raises(InputError, match="Étude sans commune"):
        mapping.drawn({"districts": shipped["districts"]}, kind="programme")


def test_an_atlas_holds_every_district_and_kind(shipped):
    wanted = mapping.wanted(shipped)
    assert len(wanted) == len(set(wanted)) == 2 + 4 * len(shipped["districts"])
    assert wanted[:3] == [("programme", ""), ("matching", ""), ("district", "QMI1-AUL")]


def test_the_jury_reads_the_exact_words_where_they_were_said(shipped):
    said = mapping.verbatims(shipped, district_id="QMI1-AUL")
    own = shipped["sessions"].query("district_id == 'QMI1-AUL'")["session_id"]
    seen = shipped["observations"][shipped["observations"]["session_id"].isin(own)]
    assert set(seen["verbatim"].dropna()) <= set(said["said"])
    ys = said.geometry.dropna().representative_point().y
    assert ys.is_monotonic_decreasing
    assert said.geometry.isna().sum() == said.geometry.tail(said.geometry.isna().sum()).isna().sum() > 0


def test_a_lower_edition_reads_only_what_was_released(shipped, public):
    exact = set(shipped["observations"]["verbatim"].dropna()) | set(shipped["statements"]["statement"].dropna())
    said = mapping.verbatims(public, district_id="QMI1-AUL")["said"]
    assert len(said) == 2
    assert mapping.verbatims(public, district_id="QMI1-SCE").empty
    areas = mapping.verbatims(public, district_id="QMI1-AUL").geometry.dropna()
    assert (areas.geom_type != "Point").all()
    assert len(exact & set(said)) <= 2


def test_a_lower_edition_holds_no_private_column(public):
    for name, frame in public.items():
        if name in schema.TABLES:
            assert not set(schema.private_columns(name)) & set(frame.columns), name
    assert "participants" not in public


def test_places_read_back_from_an_edition_say_how_to_draw_them(public):
    written = public["places"].drop(columns=["evidence", "display"])
    drawn = mapping.drawn({**public, "places": written}, kind="sensitive", district_id="QMI1-AUL")
    assert "geo-qmi map --edition" in drawn.nothing


def test_a_lower_edition_places_nobody(shipped, public):
    drawn = mapping.drawn(public, kind="sensitive", district_id="QMI1-AUL")
    layers = {layer.name: layer.frame for layer in drawn.layers}
    assert "absences" not in layers  # a point somebody put
    assert "collective" not in layers
    assert (layers["felt_few"]["label"].str.split().str[0].astype(int) >= 3).all()
    jury = mapping.drawn(shipped, kind="sensitive", district_id="QMI1-AUL")
    few = next(layer.frame for layer in jury.layers if layer.name == "felt_few")
    assert len(layers["felt_few"]) < len(few)
    ground = mapping.drawn(public, kind="district", district_id="QMI1-AUL")
    assert not {"observations", "observation_areas"} & {layer.name for layer in ground.layers}


def test_field_tables_without_people_draw_no_value(public):
    bare = {name: frame for name, frame in public.items() if name != "places"}
    assert "ne se compte pas" in mapping.drawn(bare, kind="sensitive", district_id="QMI1-AUL").nothing


def test_editions_go_by_both_names():
    assert mapping.edition_of("candidats") == mapping.edition_of("candidates") == "candidates"
    with pytest.raises(UnknownNameError, match="jury, candidats, public"):
        mapping.edition_of("presse")


def test_the_jury_gets_the_tables_as_they_are(shipped):
    assert mapping.lowered(shipped, "jury")["observations"] is shipped["observations"]


def test_the_overview_frames_the_sheets(shipped):
    grounds = [(662_000.0, 6_869_000.0, 664_000.0, 6_871_000.0), (661_000.0, 6_869_500.0, 663_000.0, 6_870_000.0)]
    drawn = mapping.overview(shipped, {"QMI1-AUL": (4, 8, grounds)}, n_maps=5)
    sheets = next(layer.frame for layer in drawn.layers if layer.name == "sheets")
    assert isinstance(sheets, gpd.GeoDataFrame)
    assert sheets["label"].tolist() == ["p. 4 à 8"]
    assert sheets.total_bounds.tolist() == [661_000, 6_869_000, 664_000, 6_871_000]
    assert drawn.title == "5 cartes, 1 quartier"
