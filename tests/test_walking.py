"""What is asked on foot end to end: the ground of a district, its barriers, who is covered, where to go next."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from streamlit.testing.v1 import AppTest

from geo_qmi import maps, walking
from geo_qmi.cli import main
from geo_qmi.dashboard import STUDY_VARIABLE, command
from geo_qmi.errors import InfeasibleError, InputError, UnknownNameError
from geo_qmi.schema import CRS
from geo_qmi.workspace import Study


def run(*arguments: object) -> int:
    """Run a command in this process and return its exit code."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def town(shipped):
    """A square of 800 m cut by a railway from side to side, one crossing 400 m east, two places to go."""
    x, y = 652000.0, 6862000.0
    tables = {name: frame.iloc[:0] for name, frame in shipped.items()}
    for name in ("communes", "territories", "lexicon"):
        tables[name] = shipped[name]

    def rows(table, shapes, **columns):
        like = shipped[table].iloc[: len(shapes)].copy()
        frame = like.assign(demo=pd.array([False] * len(like), dtype="boolean")) if "demo" in like else like
        return gpd.GeoDataFrame(frame.assign(**columns), geometry=shapes, crs=CRS)

    tables["districts"] = rows("districts", [shapely.box(x, y, x + 800, y + 800)], precision_m=10.0)
    ident = tables["districts"]["district_id"].iloc[0]
    # Off the nodes, which stand at multiples of 20 m, and longer than the ground is wide.
    rail = shapely.LineString([(x - 4000, y + 410), (x + 4800, y + 410)])
    tables["barriers"] = rows("barriers", [rail], barrier_id="R", district_id=ident, name="Voie", level=0)
    tables["crossings"] = rows("crossings", [shapely.Point(x + 800, y + 410)], crossing_id="F", barrier_id="R")
    places = [shapely.Point(x + 200, y + 200), shapely.Point(x + 200, y + 600)]
    tables["candidate_places"] = rows(
        "candidate_places", places, place_id=["sud", "nord"], name=["Sud", "Nord"], district_id=ident,
        area_m2=[88.0, 150.0], water=pd.array([True, None], dtype="boolean"),
    )  # fmt: skip
    return tables, ident, (x, y)


@pytest.fixture(scope="module")
def ground(town):
    tables, ident, _ = town
    return walking.terrain(tables, ident)


# ---------------------------------------------------------------- the ground


def test_a_district_answers_to_its_names(shipped):
    assert {walking.district_of(shipped, name) for name in ("QMI1-AUL", "qmi1 aul", "Aulnay sous bois")} == {"QMI1-AUL"}
    with pytest.raises(UnknownNameError, match="Quartier inconnu : « Lyon »"):
        walking.district_of(shipped, "Lyon")


def test_every_figure_says_its_ground(ground):
    assert ground.ground.kind == "open"
    assert ground.margin_m == 1200
    assert ground.lines[0].startswith(
        "Terrain : terrain ouvert avec coupures (maille de 20 m), sans les rues, 1\u202f200 m"
    )
    assert "Aucune couche d’habitants : on compte des hectares de terrain, non des personnes." in ground.lines
    assert not ground.demo


def test_made_up_crossings_are_said(shipped):
    given = walking.terrain(shipped, "QMI1-AUL")
    assert given.demo
    assert any("4 franchissements de démonstration" in line for line in given.lines)


def test_slopes_asked_of_open_ground_are_said_and_change_no_walk(shipped):
    given = walking.terrain(shipped, "QMI1-MEU")
    asked = walking.flat(given)
    assert asked.ground is given.ground
    assert asked.lines == walking.terrain(shipped, "QMI1-MEU", slopes=True).lines
    assert "ce terrain n’a aucune altitude" in asked.lines[-1]


def test_a_district_without_perimeter_is_refused_by_name(shipped):
    with pytest.raises(InputError, match=r"Sucy-en-Brie.*périmètre non publié, donc aucun terrain de marche"):
        walking.terrain(shipped, "QMI2-SUC")


def test_barriers_are_cut_five_minutes_around(ground):
    assert ground.barriers.geometry.length.tolist() == pytest.approx([1600.0])


def test_no_barrier_is_not_no_cost(shipped):
    given = walking.terrain(shipped, "QMI1-MEU")
    assert walking.cut(given, shipped) is None
    assert any("ce n’est pas dire qu’il n’y en a pas" in line for line in given.lines)


def test_streets_replace_the_open_ground_and_their_bridges_are_audited(town):
    tables, ident, (x, y) = town
    lines = [[(x, y + 100), (x + 800, y + 100)], [(x, y + 100), (x, y + 700)], [(x, y + 700), (x + 800, y + 700)]]
    drawn = [*shapely.linestrings(lines), None]
    streets = gpd.GeoDataFrame({"highway": "residential"}, index=range(4), geometry=drawn, crs=CRS)
    given = walking.terrain(tables, ident, streets=streets)
    assert given.ground.kind == "streets"
    assert "réseau des rues" in given.lines[0]
    assert len(given.bridges) == 1
    assert "1 rue sans géométrie dans la couche : hors du réseau." in given.lines
    assert any("1 tronçon de rue franchit une coupure sans franchissement déclaré" in one for one in given.lines)
    found = walking.cut(given, tables)
    # The bridge at the west end is nobody's declared crossing: their number is unknown, not nil.
    assert found.found.cards["crossings"].isna().all()
    assert found.crossings()["Sur ce terrain"].tolist() == ["non ouvert : les rues ont leurs propres ponts"]
    assert "sans inventaire" in found.lines[-1]


# ---------------------------------------------------------------- access


def test_the_other_side_is_reached_by_the_crossing_only(ground, town):
    _, _, (x, y) = town
    found = walking.access(ground, shapely.Point(x + 200, y + 380), name="ici")
    north = shapely.box(x - 3000, y + 410, x + 3000, y + 4000)
    areas = [shape.intersection(north).area for shape in found.catchments.geometry]
    # The crossing is 600 m east: nobody crosses in five minutes (400 m), some do in ten and more in fifteen.
    assert areas[0] == 0
    assert 0 < areas[1] < areas[2]
    assert found.catchments["metres"].tolist() == [400, 800, 1200]
    assert (found.catchments["share"] < 0.75).all()
    assert found.lines[0].startswith("En 5 min : ")


def test_a_place_off_the_ground_is_refused(ground):
    with pytest.raises(InputError, match="« loin » : non raccordé"):
        walking.access(ground, shapely.Point(600000, 6860000), name="loin")


@pytest.mark.parametrize("text", ["2,4955 48,932", "48.932, 2.4955", "663037 6870343", "663037,6870343"])
def test_typed_coordinates_are_one_point(text):
    point = walking.place_at(text)
    assert (point.x, point.y) == pytest.approx((663037, 6870343), abs=1)


@pytest.mark.parametrize(("text", "words"), [("ici", "Attendu deux nombres"), ("12 14", "pas en Île-de-France")])
def test_wrong_coordinates_are_a_sentence(text, words):
    with pytest.raises(InputError, match=words):
        walking.place_at(text)


# ---------------------------------------------------------------- barriers


def test_the_card_counts_the_way_round(ground, town):
    tables, _, _ = town
    found = walking.cut(ground, tables)
    card = found.found.cards.loc["R"]
    # Pairs every 50 m from −375 to 1 175 m, the crossing at 800 m: the median of |800 − c| is 400 m. Two legs of
    # √(400² + 50²) = 403 m less the 100 m straight across make 706 m; the grid adds 2.8 % at most, and each place is
    # less than 15 m from its node.
    assert card["pairs"] == 32
    assert 706 <= card["detour_m"] <= 806 * 1.0275 + 2 * 15 - 100
    assert card["crossings"] == 1
    shown = found.cards()
    assert shown["Franchissements"].tolist() == [1]
    assert {"Détour médian (m)", "Délai médian (min)", "Dénivelé (m)"} <= set(shown)
    assert "hectares" in found.lines[-1]


def test_opening_a_crossing_redraws_the_card(ground, town):
    tables, _, (x, y) = town
    before = walking.cut(ground, tables).found.cards
    line = shapely.LineString([(x, y + 385), (x, y + 435)])
    tried = walking.with_crossing(ground, line)
    after = walking.cut(tried, tables).found.cards
    assert after.loc["R", "detour_m"] < before.loc["R", "detour_m"] / 2
    assert after.loc["R", "crossings"] == 2
    assert "ouvert à pied" in tried.lines[-1]
    assert ground.ground.links["crossing_id"].tolist() == ["F"]


def test_a_crossing_that_crosses_nothing_is_refused(ground, town):
    _, _, (x, y) = town
    with pytest.raises(InputError, match=r"refusé : ne franchit pas la coupure\. Déplacez"):
        walking.with_crossing(ground, shapely.LineString([(x, y + 100), (x, y + 200)]))


def test_candidates_far_from_the_crossing_come_first(ground):
    found = walking.ranked(ground)
    assert found["Rang"].tolist() == list(range(1, 17))
    assert found["Franchissement envisagé"].iloc[0] in {"R à 50 m", "R à 150 m", "R à 250 m", "R à 350 m", "R à 450 m"}
    assert set(found["Rang stable"]) <= {"oui", "non"}


def test_banks_stand_on_both_sides(ground, town):
    _, _, (_, y) = town
    sides = np.sign([point.y - (y + 410) for point in walking.banks(ground)])
    assert sorted(sides.tolist()) == [-1.0] * 16 + [1.0] * 16


def test_exact_words_do_not_leave(shipped):
    found = walking.cut(walking.terrain(shipped, "QMI1-AUL"), shipped)
    assert len(found.found.verbatims) == 5
    assert {"verbatim", "participant_id", "time"}.isdisjoint(found.found.verbatims)


# ---------------------------------------------------------------- coverage


def test_the_nineteen_objectives_each_have_an_end(shipped):
    found = walking.covered(shipped)
    assert found.objectives()["Fin"].isin(walking.ENDS.values()).all()
    assert len(found.objectives()) == 19
    assert found.lines[0].startswith("19 objectifs : ")
    assert len(found.without_project()) == found.answers.objectives["state"].eq("none").sum()
    assert found.grid({})[list(walking.ENDS.values())].to_numpy().sum() == 19


def test_no_shipped_project_has_a_place(shipped):
    places, lines = walking.deployed(shipped)
    assert len(places) == 28
    assert lines[0] == "28 projets attribués : dans leur quartier 0/28, dehors 2/28, inconnu 26/28."
    assert walking.told_places(places)["Distance à la limite (m)"].isna().all()


def test_false_coverage_lies_beyond_the_railway(ground, town):
    tables, _, (_, y) = town
    found = walking.reach(ground, tables, site_ids=["sud"])
    assert found.sites["site_id"].tolist() == ["sud"]
    # The site stands 210 m south of the railway: its disc of 400 m holds ground beyond, and no walk does.
    assert found.catchments.geometry.iloc[0].bounds[3] <= y + 410
    beyond = found.false.layer[found.false.layer.geometry.y > y + 410]
    assert 30 < len(beyond) < 60
    row = found.false.by_site.loc["ensemble"]
    assert row["people_disc"] == pytest.approx(row["people_reached"] + row["people_false"])
    assert row["n_unknown"] == 0


def test_both_places_together_reach_more_than_one(ground, town):
    tables, _, _ = town
    found = walking.reach(ground, tables)
    shares = found.area["share"]
    assert shares["ensemble"] > max(shares["sud"], shares["nord"])
    assert found.table()["Lieu"].tolist() == ["Nord", "Sud", "Ensemble"]


def test_without_any_place_there_is_no_reach(ground, town):
    tables, _, _ = town
    assert walking.reach(ground, tables, site_ids=[]) is None


def test_places_gathered_once_serve_every_walk(town, ground):
    tables, _, _ = town
    places = walking.places_of(ground, tables)
    for options in ({"minutes": 5}, {"minutes": 9}, {"minutes": 5, "site_ids": ["nord"]}):
        again, alone = walking.reach(ground, tables, places=places, **options), walking.reach(ground, tables, **options)
        pd.testing.assert_frame_equal(again.table(), alone.table())
        assert again.lines == alone.lines
    for options in ({"n_places": 1}, {"n_places": 1, "model": "near"}, {"rules": walking.rules_of(["area_m2>=100"])}):
        one = {"n_places": 1} | options
        again, alone = walking.place(ground, tables, places=places, **one), walking.place(ground, tables, **one)
        pd.testing.assert_frame_equal(again.plan.demand, alone.plan.demand)
        assert again.lines == alone.lines


def test_one_district_of_the_study_is_what_it_is_alone(shipped):
    everything, alone = walking.covered(shipped), walking.covered(shipped, district_id="QMI1-AUL")
    mine = everything.of("QMI1-AUL")
    assert mine.lines == alone.lines
    for told in ("objectives", "matrix", "without_project", "without_need", "rules", "allocated"):
        pd.testing.assert_frame_equal(getattr(mine, told)(), getattr(alone, told)(), check_dtype=False)
    with pytest.raises(InputError, match="Aucun objectif publié ici"):
        everything.of("QMI2-SUC")


# ---------------------------------------------------------------- next places


def test_rules_keep_drop_and_ask(ground, town):
    tables, _, _ = town
    found = walking.place(ground, tables, n_places=1, rules=walking.rules_of(["area_m2>=100"]))
    assert found.chosen()["Identifiant"].tolist() == ["nord"]
    assert found.verdicts().to_numpy().tolist() == [["sud", "écarté", "Surface : au moins 100 m² : il manque 12 m²."]]
    asked = walking.place(ground, tables, n_places=1, rules=walking.rules_of(["eau=oui"]))
    assert asked.verdicts()["Verdict"].tolist() == ["en attente"]
    assert asked.chosen()["Identifiant"].tolist() == ["sud"]


def test_the_plan_is_walked_and_says_so(ground, town):
    tables, _, _ = town
    found = walking.place(ground, tables, n_places=2)
    assert found.plan.status == "optimal"
    assert "terrain ouvert avec coupures" in found.plan.sentence
    assert found.plan.sites["weight"].sum() == pytest.approx(found.plan.value)


def test_a_place_imposed_must_be_one_that_can_be_chosen(ground, town):
    tables, _, (x, y) = town
    with pytest.raises(UnknownNameError, match="Lieu imposé inconnu : « ailleurs »"):
        walking.place(ground, tables, n_places=1, fixed=["ailleurs"])
    with pytest.raises(InputError, match="« sud », une règle l’écarte"):
        walking.place(ground, tables, n_places=1, fixed=["sud"], rules=walking.rules_of(["area_m2>=100"]))
    far = [shapely.Point(x - 9000, y), shapely.Point(x + 200, y + 600)]
    moved = tables | {"candidate_places": tables["candidate_places"].set_geometry(far, crs=CRS)}
    with pytest.raises(InputError, match="« sud », non raccordé : nœud le plus proche à 7\u202f800 m"):
        walking.place(ground, moved, n_places=1, fixed=["sud"])
    assert walking.place(ground, moved, n_places=1).verdicts()["Pourquoi"].str.startswith("Nœud le plus proche").all()


def test_an_unreachable_radius_names_the_demand(ground, town):
    tables, _, _ = town
    with pytest.raises(InfeasibleError, match="Plus petit rayon qui convient"):
        walking.place(ground, tables, model="all", minutes=2)


@pytest.mark.parametrize("text", ["area_m2 100", "couleur=bleu", ">=3"])
def test_an_unreadable_rule_is_a_sentence(text):
    with pytest.raises(InputError, match="Règle illisible"):
        walking.rules_of([text])


def test_a_layer_of_people_is_counted_in_people(town, tmp_path):
    tables, ident, (x, y) = town
    people = gpd.GeoDataFrame(
        {"habitants": [100, 50]}, geometry=gpd.points_from_xy([x + 100, x + 100], [y + 100, y + 700]), crs=CRS
    )
    people.to_file(tmp_path / "carreaux.gpkg", engine="pyogrio")
    given = walking.terrain(tables, ident, population=walking.population_of(tmp_path / "carreaux.gpkg"))
    assert given.unit == "habitants"
    found = walking.cut(given, tables)
    assert found.found.cards["people_near"].tolist() == [150]
    reached = walking.reach(given, tables, site_ids=["sud"])
    assert reached.false.by_site.loc["ensemble", "people_reached"] == 100


# ---------------------------------------------------------------- maps


def test_maps_name_their_ground(ground, town):
    tables, _, (x, y) = town
    found = walking.access(ground, shapely.Point(x + 200, y + 200), name="ici")
    cut = walking.cut(ground, tables)
    drawn = maps.access_map(
        ground.perimeter, communes=tables["communes"], barriers=tables["barriers"], crossings=ground.crossings,
        stations=tables["stations"], catchments=found.catchments, place=found.place, place_name="ici",
        ground=ground.ground.label, pairs=cut.found.pairs,
    )  # fmt: skip
    layers = {layer.name: layer for layer in drawn.layers}
    assert "terrain ouvert avec coupures" in drawn.description
    assert layers["catchments"].frame["style"].tolist() == ["b0", "b1", "b2"]
    bands = layers["catchments"].frame.geometry
    assert bands.iloc[0].intersection(bands.iloc[1]).area == pytest.approx(0, abs=1)
    assert len(layers["pairs"].frame) == 32


# ---------------------------------------------------------------- commands


@pytest.fixture(scope="module")
def small_study(town, shipped, tmp_path_factory):
    """The town as a file, with an objective and a project of the shipped study."""
    tables, ident, _ = town
    objectives = shipped["objectives"].query("district_id == @ident").iloc[:2]
    projects = shipped["projects"].query("district_id == @ident").iloc[:2]
    assert len(objectives) == len(projects) == 2
    whole = tables | {"objectives": objectives, "projects": projects}
    return Study.create(tmp_path_factory.mktemp("etude") / "ville.gpkg", whole).path, ident


def answered(capsys, *arguments: object) -> dict[str, Any]:
    """Return the JSON of a command, which must be one object and nothing else on the standard output."""
    assert run(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_derive_answers_in_json(small_study, capsys):
    study, ident = small_study
    answer = answered(capsys, "derive", "--study", study)
    assert set(answer) == {"projects", "lines"}
    assert [project["district_id"] for project in answer["projects"]] == [ident, ident]
    assert answer["lines"][0].startswith("2 projets attribués : dans leur quartier 0/2")


def test_severance_answers_in_json(small_study, capsys, tmp_path):
    study, ident = small_study
    answer = answered(capsys, "severance", ident, "--study", study, "--minutes", 5, "--out", tmp_path / "r")
    keys = {"cards", "pairs", "crossings", "bridges", "candidates", "district_id", "ground", "unit", "demo", "lines"}
    assert set(answer) == keys
    assert [card["barrier_id"] for card in answer["cards"]] == ["R"]
    assert answer["ground"].startswith("terrain ouvert")
    assert answer["unit"] == "hectares"
    assert (tmp_path / "r" / "fiches.csv").is_file()
    card = json.loads((tmp_path / "r" / "vis-a-vis.geojson.meta.json").read_text(encoding="utf-8"))
    assert "terrain ouvert" in json.dumps(card, ensure_ascii=False)


def test_coverage_answers_in_json(small_study, capsys):
    study, ident = small_study
    everywhere = {"objectives", "matrix", "needs_without_project", "projects_without_need", "rules", "ground", "lines"}
    answer = answered(capsys, "coverage", "--study", study)
    assert set(answer) == everywhere
    assert len(answer["objectives"]) == 2
    answer = answered(capsys, "coverage", ident, "--study", study)
    here = {"district_id", "unit", "demo", "zoned", "reach", "false", "grid_error", "equity"}
    assert set(answer) == everywhere | here
    assert answer["ground"].startswith("terrain ouvert")
    assert [place["site_id"] for place in answer["false"]] == ["nord", "sud", "ensemble"]


def test_site_answers_in_json(small_study, capsys):
    study, ident = small_study
    answer = answered(capsys, "site", ident, "--study", study, "--rule", "area_m2>=100", "--places", 1)
    keys = {"sites", "left_out", "value", "bound", "gap", "status", "district_id", "ground", "unit", "demo", "lines"}
    assert set(answer) == keys
    assert [place["site_id"] for place in answer["sites"]] == ["nord"]
    assert answer["left_out"][0]["Pourquoi"] == "Surface : au moins 100 m² : il manque 12 m²."
    assert answer["value"] <= answer["bound"]


@pytest.mark.parametrize(
    ("command_name", "keys"),
    [
        ("derive", ["projects", "lines"]),
        ("severance", ["cards", "pairs", "crossings", "bridges", "candidates"]),
        ("coverage", ["objectives", "matrix", "rules", "reach", "false", "equity", "zoned"]),
        ("site", ["sites", "left_out", "value", "bound", "gap", "status"]),
    ],
)
def test_the_help_names_the_keys_of_the_json(capsys, command_name, keys):
    assert run(command_name, "--help") == 0
    told = capsys.readouterr().out.split("JSON : ")[1].split("Arguments")[0]
    assert [key for key in keys if key not in told] == []


def test_commands_print_french_tables(small_study, capsys):
    study, ident = small_study
    assert run("coverage", ident, "--study", study) == 0
    out = capsys.readouterr().out
    assert "Besoins sans projet" in out
    assert "Couverture fausse, jusqu’à 400 m autour du périmètre :" in out
    assert "(s)" not in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["severance", "Lyon"], 2, "Quartier inconnu : « Lyon »"),
        (["severance", "Aulnay-sous-Bois", "--streets", "absent.osm.pbf"], 2, "introuvable"),
        (["severance", "QMI1-AUL", "--minutes", "1e9"], 2, "Valeur refusée pour --minutes : attendu 60 au plus."),
        (["severance", "QMI1-AUL", "--minutes", "-1"], 2, "Valeur refusée pour --minutes : attendu 1 au moins."),
        (["site", "QMI1-AUL", "--minutes", "nan"], 2, "Valeur refusée pour --minutes"),
        (["site", "QMI1-AUL", "--model", "loin"], 2, "attendu cover, all, near"),
        (["site", "QMI1-AUL", "--rule", "bleu"], 2, "Règle illisible"),
        (["site", "QMI1-AUL", "--model", "all", "--minutes", 1], 1, "Plus petit rayon qui convient"),
    ],
)
def test_wrong_use_is_one_sentence(small_study, capsys, arguments, code, words):
    assert run(*arguments, "--study", small_study[0]) == code
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_a_district_without_objective_or_perimeter_is_said(shipped, tmp_path, capsys):
    kept = {name: shipped[name] for name in ("territories", "communes", "districts", "objectives", "lexicon")}
    study = Study.create(tmp_path / "quartiers.gpkg", kept).path
    assert run("coverage", "sucy-en-brie", "--study", study) == 2
    assert "Aucun objectif publié ici" in capsys.readouterr().err
    assert run("severance", "QMI2-SUC", "--study", study) == 2
    assert "périmètre non publié" in capsys.readouterr().err


# ---------------------------------------------------------------- pages


@pytest.fixture
def at_shipped(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)


def opened(file: str) -> AppTest:
    return AppTest.from_file(command()[0][4], default_timeout=120).run().switch_page(file).run()


def said(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning")
    return "\n".join(element.value for kind in kinds for element in app.get(kind)).replace("\\", "")


def layers_of(app: AppTest) -> str:
    return json.dumps([layer["id"] for layer in json.loads(app.get("deck_gl_json_chart")[0].proto.json)["layers"]])


@pytest.mark.usefixtures("at_shipped")
def test_the_page_of_access_opens_a_crossing():
    app = opened("access.py")
    assert "catchments" in layers_of(app)
    assert "Terrain : terrain ouvert avec coupures" in said(app)
    assert not app.success
    for key, side in (("a", "gauche"), ("b", "droite")):
        app.selectbox(key=f"acces-point-{key}-QMI1-AUL").set_value(f"RAIL-AUL-3 à 250 m, côté {side}")
    app.run()
    assert not app.exception
    assert app.success[0].value.startswith("Franchissement envisagé ouvert")
    app.selectbox(key="acces-point-b-QMI1-AUL").set_value("RAIL-AUL-3 à 450 m, côté gauche").run()
    assert not app.exception
    assert "refusé" in app.warning[0].value


@pytest.mark.usefixtures("at_shipped")
def test_the_page_of_access_takes_typed_coordinates():
    app = opened("access.py")
    app.text_input(key="acces-depart-xy-QMI1-AUL").set_value("48,932 2,4955").run()
    assert "« point saisi »" in said(app)
    app.text_input(key="acces-depart-xy-QMI1-AUL").set_value("ici").run()
    assert not app.exception
    assert "Attendu deux nombres" in app.warning[0].value


@pytest.mark.usefixtures("at_shipped")
def test_the_page_of_coverage_counts_objectives_and_chooses_places():
    app = opened("covering.py")
    counts = [int(metric.value.split("/")[0]) for metric in app.metric]
    assert sum(counts) == 19
    app.session_state["sites-onglet"] = "Prochains lieux"
    app.number_input(key="sites-surface").set_value(5000).run()
    assert not app.exception
    assert "Aucun des 7 lieux ne passe les règles" in app.warning[-1].value.replace("\\", "")


def test_pages_of_a_study_without_barriers_or_places(tmp_path, shipped, monkeypatch):
    kept = {name: shipped[name] for name in ("territories", "communes", "districts", "lexicon")}
    monkeypatch.setenv(STUDY_VARIABLE, str(Study.create(tmp_path / "nue.gpkg", kept).path))
    for file in ("access.py", "covering.py"):
        app = opened(file)
        assert not app.exception
        assert not app.error
