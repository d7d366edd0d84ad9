"""Is the demonstration plausible in place, coherent, marked, and made again to the byte?"""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import shapely

from geo_qmi import schema
from geo_qmi.shipped import data_dir, shipped_tables
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    import geopandas as gpd

ROOT = Path(__file__).resolve().parent.parent
DEMO = ["sessions", "routes", "stages", "participants", "observations", "statements", "workshop_items", "applications"]
DEMO += ["crossings"]
WALKED = ["QMI1-AUL", "QMI1-MEU", "QMI1-NOI", "QMI1-SCE"]


@pytest.fixture(scope="module")
def study() -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    return shipped_tables()


@pytest.fixture(scope="module")
def barriers(study) -> shapely.Geometry:
    return study["barriers"].geometry.union_all()


@pytest.fixture(params=WALKED)
def walk(request, study) -> dict[str, object]:
    sessions = study["sessions"].query("kind == 'walk'").query(f"district_id == '{request.param}'")
    assert len(sessions) == 1
    session = sessions.iloc[0]
    of = {name: study[name][study[name]["session_id"] == session["session_id"]] for name in DEMO[1:6]}
    districts = study["districts"].set_index("district_id")
    assert len(of["routes"]) == 1
    return {
        **of,
        "session": session,
        "route": of["routes"].geometry.iloc[0],
        "perimeter": districts.geometry[request.param],
    }


def test_script_gives_the_shipped_bytes_twice(tmp_path):
    for out in ("once", "twice"):
        subprocess.run(
            [sys.executable, "scripts/build_demo.py", "--out", str(tmp_path / out)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
    names = sorted(path.name for path in (tmp_path / "once").iterdir())
    assert len(names) == len(DEMO)
    for name in names:
        shipped = (ROOT / "data" / "geo" / "demo" / name).read_bytes()
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes() == shipped
        assert len(shipped) < 500_000


@pytest.mark.parametrize("name", DEMO)
def test_no_defect(study, name):
    assert schema.validate(study[name], name) == []


def test_references_hold(study):
    assert schema.check_references(study, names=DEMO) == []


@pytest.mark.parametrize("name", DEMO)
def test_every_row_says_it_is_made_up(study, name):
    made_up = study[name].query("source.str.startswith('démonstration : scripts/build_demo.py, graine ')")
    assert len(made_up) > 0
    assert made_up["demo"].all()
    assert not study[name].drop(made_up.index).get("demo", pd.Series(dtype=bool)).any()


def test_titles_say_demonstration(study):
    assert study["sessions"]["title"].str.startswith("Démonstration — ").all()


def test_geojson_is_plain_rfc_7946():
    for path in (data_dir() / "demo").glob("*.geojson"):
        text = path.read_text(encoding="utf-8")
        collection = json.loads(text)
        assert set(collection) == {"type", "features"}
        assert text.count("\n") == len(collection["features"]) + 2  # one feature a line
        assert not re.search(r"\d\.\d{7}", text)


def test_each_district_with_a_perimeter_has_its_meetings(study):
    kinds = study["sessions"].groupby("district_id")["kind"].value_counts().to_dict()
    expected = {"walk": 1, "interview": 2, "workshop": 1}
    assert kinds == {(district, kind): n for district in WALKED for kind, n in expected.items()}


def test_interviews_and_workshops(study):
    sessions = study["sessions"].set_index("session_id")
    statements = study["statements"].assign(kind=study["statements"]["session_id"].map(sessions["kind"]))
    interviews = statements.query("kind == 'interview'")
    assert (sessions.query("kind == 'interview'")["n_participants"] == 1).all()
    assert interviews["scope"].eq("individual").all()
    assert interviews["actor_group"].notna().all()
    together = statements.query("kind == 'walk'")
    assert together["scope"].eq("collective").all()
    assert together.groupby("session_id").size().isin([3, 4]).all()
    for _, items in study["workshop_items"].groupby("session_id"):
        assert items.loc[items["kind"] != "project_type", "geometry"].notna().all()
        assert items.loc[items["kind"] == "project_type", "geometry"].isna().any()
        for _, ranked in items.groupby("kind"):
            assert sorted(ranked["priority"]) == list(range(1, len(ranked) + 1))


def test_walk_has_the_published_size(walk):
    walkers, seen = walk["participants"], walk["observations"]
    assert 9 <= len(walkers) == walk["session"]["n_participants"] <= 13
    assert walkers["actor_group"].nunique() >= 5
    assert 60 <= len(seen) <= 150
    assert 5 <= len(walk["stages"]) <= 7
    shares = seen["participant_id"].value_counts(normalize=True)
    assert set(shares.index) == set(walkers["participant_id"])
    assert 0.15 < shares.iloc[0] <= 0.35
    assert shares.iloc[-1] < 0.05


def test_route_stays_in_the_district_and_crosses_no_barrier(walk, barriers):
    assert 1500 <= walk["route"].length <= 3000
    assert walk["perimeter"].buffer(200).contains(walk["route"])
    assert not walk["route"].intersects(barriers)
    assert walk["stages"].geometry.distance(walk["route"]).max() < 0.5


def test_marks_are_on_the_right_side(walk, barriers):
    seen = walk["observations"]
    placed = seen[seen.geometry.notna()].geometry
    assert placed.distance(walk["route"]).max() < 30
    assert placed.centroid.distance(walk["route"]).max() < 60
    assert placed.centroid.within(walk["perimeter"].buffer(200)).mean() >= 0.85
    assert not placed.intersects(barriers).any()
    for place in placed:
        assert not shapely.shortest_line(walk["route"], place.centroid).intersects(barriers)


def test_collective_and_workshop_places_cross_no_barrier(study, barriers):
    for name in ("statements", "workshop_items"):
        assert not study[name].geometry.dropna().intersects(barriers).any()


def test_aulnay_looks_at_the_crossing_from_the_north(study):
    stages = study["stages"].query("session_id == 'DEMO-AUL-M1'")
    station = study["stations"].query("name == 'Aulnay-sous-Bois' and mode == 'RER'").geometry.iloc[0]
    nearest = stages.loc[stages.distance(station).idxmin()]
    assert "Gare" in nearest["name"]
    assert nearest.geometry.distance(station) < 150
    assert nearest.geometry.y > station.y


def test_silence_has_no_feeling_and_absence_has_a_wish(walk):
    seen = walk["observations"]
    silences, absences = seen.query("kind == 'silence'"), seen.query("kind == 'absence'")
    assert len(silences) >= 3
    assert silences["stage_id"].notna().all()
    assert silences[["frame", "sense", "theme", "valence", "intensity", "verbatim", "wished"]].isna().all(axis=None)
    assert len(absences) >= 3
    assert absences["wished"].notna().all()
    assert absences.geometry.isna().any()
    assert absences.loc[absences.geometry.isna(), "stage_id"].isna().all()
    assert set(absences.geometry.dropna().geom_type) == {"Polygon"}
    assert seen.query("kind == 'mark'")[["frame", "sense", "theme", "valence"]].notna().all(axis=None)


def test_a_walker_silent_at_a_stage_says_nothing_there(walk):
    seen = walk["observations"].dropna(subset=["stage_id"])
    pair = ["participant_id", "stage_id"]
    silent = seen.query("kind == 'silence'").set_index(pair).index
    assert silent.is_unique
    assert not seen.query("kind != 'silence'").set_index(pair).index.isin(silent).any()


def test_two_walkers_disagree_at_two_stages(walk):
    marks = walk["observations"].query("kind == 'mark'").dropna(subset=["stage_id"])
    divided = set()
    for stage, group in marks.groupby("stage_id"):
        for one, other in itertools.combinations(group.itertuples(), 2):
            opposed = one.participant_id != other.participant_id and one.valence * other.valence == -4
            if opposed and one.theme == other.theme:
                divided.add(stage)
    assert len(divided) >= 2


def test_time_passes_along_the_route(walk):
    seen = walk["observations"]
    session = walk["session"]
    assert seen["time"].between(session["start"], session["end"]).all()
    assert seen["time"].str.startswith("2026-05-").all()
    for _, own in seen.sort_values("rank").groupby("participant_id"):
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
        assert own["time"].is_monotonic_increasing
    stages = walk["stages"].set_index("stage_id")["rank"]
    tied = seen.dropna(subset=["stage_id"])
    first = pd.to_datetime(tied["time"]).groupby(tied["stage_id"].map(stages)).median()
    assert first.is_monotonic_increasing


def test_verbatims_are_distinct_and_complete(walk):
    words = walk["observations"]["verbatim"].dropna()
    assert words.is_unique
    assert not words.str.contains(r"[{}']").any()
    assert words.str.match(r"^[A-ZÀÉÊÎÇŒ].*[.!?]$").all()


def test_call_has_the_published_shares(study):
    call = study["applications"]
    assert call["application_id"].tolist() == [f"DEMO-{i:03d}" for i in range(1, 169)]
    counts = call["family"].value_counts()
    published = {"Mobilités": 20, "Services urbains dans l’espace public": 17, "Économie circulaire": 15}
    for family, percent in published.items():
        assert abs(counts[family] - 168 * percent / 100) < 1
    assert len(counts) == 9


def test_descriptions_are_distinct_sentences(study):
    words = study["applications"]["description"]
    assert words.is_unique
    assert not words.str.contains(r"[{}']|\b(?:à|de) les? ").any()
    assert words.str.match(r"^[A-ZÀÉÊÎÇ].*[.]$").all()
    assert words.str.count(r"[.?] |[.?]$").between(1, 4).all()


def test_names_are_not_those_of_the_programme(study):
    real = {fold(name) for name in study["projects"]["name"].dropna()}
    if "operator" in study["projects"]:
        real |= {fold(name) for name in study["projects"]["operator"].dropna()}
    call = study["applications"]
    invented = {fold(name) for name in [*call["name"], *call["operator"].dropna()]}
    assert real
    assert not invented & real


def test_siret_pass_their_key_and_belong_to_nobody(study):
    def luhn(digits: str) -> int:
        return sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(reversed(digits))) % 10

    numbers = study["applications"]["siret"].dropna()
    assert luhn("73282932000074") == 0
    assert numbers.map(luhn).eq(0).all()
    assert numbers.str[:9].map(luhn).ne(0).all()
    assert numbers.str.startswith("0").sum() >= 20
    assert numbers.str.startswith("9").sum() >= 20


def test_second_deposits_look_like_the_first(study):
    call = study["applications"].set_index("application_id")
    twins = call["note"].str.extract(r"^Doublon volontaire, par la graphie, de (DEMO-\d{3})\.$")[0].dropna()
    assert len(twins) == twins.nunique() == 8
    for second, first in twins.items():
        one, other = call.loc[first], call.loc[second]
        assert first < second
        assert one["name"] != other["name"]
        assert one["operator"] == other["operator"]
        shared = Counter(fold(one["name"]).replace("_", "")) & Counter(fold(other["name"]).replace("_", ""))
        assert shared.total() >= len(fold(one["name"]).replace("_", ""))


def test_some_dossiers_are_incomplete_and_some_straddle(study):
    call = study["applications"]
    complete = ["operator", "siret", "contact", "keywords", "need_water", "need_power", "testers", "months", "season"]
    assert 15 <= call[complete].isna().any(axis=1).sum() <= 17
    assert call["note"].str.startswith("Chevauche deux thématiques").sum() == 18
    assert call["contact"].dropna().str.match(r"contact@projet-\d{3}\.example$").all()


def test_demo_sources_name_every_file():
    text = (data_dir() / "demo" / "SOURCES.md").read_text(encoding="utf-8")
    for path in (data_dir() / "demo").iterdir():
        assert path.name in text


def test_csv_header_is_the_schema():
    for name in ("sessions", "participants", "applications"):
        with (data_dir() / "demo" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            assert next(csv.reader(stream)) == list(schema.columns(name))
