"""A study keeps everything: whole saves, two writers, conflicts told, undo, sound files only."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from geo_qmi import _change, _gpkg, schema
from geo_qmi.errors import (
    ConflictError,
    DefectsError,
    StudyDamagedError,
    StudyError,
    StudyExistsError,
    StudyMissingError,
    StudyReadOnlyError,
    UnknownNameError,
)
from geo_qmi.workspace import Study

if TYPE_CHECKING:
    from pathlib import Path


def figure(number: int, value: float = 1.0) -> pd.DataFrame:
    """One row of `figures`."""
    row = {"figure_id": f"X{number:04d}", "value": value, "unit": "u", "meaning": "m", "source": "calcul"}
    return schema.typed(pd.DataFrame([row]), "figures")


def barrier(name: str, geometry) -> gpd.GeoDataFrame:
    """One row of `barriers`."""
    row = {"barrier_id": name, "kind": "rail", "source": "calcul", "geometry_status": "approximate"}
    return schema.typed(gpd.GeoDataFrame([row], geometry=[geometry], crs=2154), "barriers")


# ---------------------------------------------------------------- reading back


def test_every_shipped_table_reads_back_equal(study, shipped):
    for name, frame in study.read_many().items():
        key = schema.key_columns(name)
        expected = shipped[name].sort_values(key).reset_index(drop=True)
        found = frame.sort_values(key).reset_index(drop=True)
        columns = [column for column in expected if column != "geometry"]
        pd.testing.assert_frame_equal(found[columns], expected[columns])
        if "geometry" in expected:
            assert found.crs.to_epsg() == 2154
            assert (found.geometry.isna() == expected.geometry.isna()).all()
            there = expected.geometry.notna()
            assert found.geometry[there].geom_equals(expected.geometry[there]).all()


def test_missing_values_survive(study):
    study.append("figures", figure(1, float("nan")), reason="essai")
    row = study.read("figures").set_index("figure_id").loc["X0001"]
    assert pd.isna(row["value"])
    assert pd.isna(row["qualifier"])


def test_a_district_without_perimeter_is_valid_and_has_no_point(study):
    districts = study.read("districts").set_index("district_id")
    assert districts.geometry.isna().sum() == 6
    assert set(districts.geometry.dropna().geom_type) == {"MultiPolygon"}


def test_every_table_is_registered_and_gdal_reads_a_copy(study, tmp_path):
    with closing(sqlite3.connect(study.backup(tmp_path / "copie.gpkg"))) as copy:
        registered = {row[0] for row in copy.execute("SELECT table_name FROM gpkg_contents")}
        present = {row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert copy.execute("PRAGMA user_version").fetchone()[0] == 10300
    assert {name for name in present if not name.startswith(("gpkg_", "sqlite_"))} == registered
    assert set(schema.TABLES) <= registered
    layers = gpd.list_layers(tmp_path / "copie.gpkg")
    assert set(layers["name"]) == registered
    districts = gpd.read_file(tmp_path / "copie.gpkg", layer="districts")
    assert districts.crs.to_epsg() == 2154
    assert round(districts.geometry.area.max() / 10_000, 1) == 78.8  # hectares of Le Mont d’Est


def test_geometry_blob_worked_by_hand():
    blob = _gpkg.encode_geometry(gpd.GeoSeries([Point(1, 2)]).to_numpy(), "POINT")[0]
    # "GP", version 0, flags: little endian + XY envelope; srs 2154 = 0x086A; then xmin, xmax, ymin, ymax.
    assert blob[:8] == b"GP\x00\x03\x6a\x08\x00\x00"
    assert len(blob) == 8 + 32 + 21
    assert _gpkg.decode_geometry([blob, None])[0] == Point(1, 2)
    with pytest.raises(ValueError, match="not a GeoPackage geometry"):
        _gpkg.decode_geometry([b"not a blob"])


def test_single_parts_are_promoted_where_the_table_holds_collections():
    square = Polygon([(0, 0), (1, 0), (1, 1)])
    blob = _gpkg.encode_geometry(gpd.GeoSeries([square]).to_numpy(), _gpkg.geometry_type("communes"))[0]
    assert _gpkg.decode_geometry([blob])[0] == MultiPolygon([square])


def test_reading_an_unknown_table_lists_the_known_ones(study):
    with pytest.raises(UnknownNameError, match=r"Table inconnue dans une étude : « rues »\. Tables : territories"):
        study.read("rues")


def test_tables_on_demand_are_those_of_the_instant_they_were_asked_for(study):
    whole, held = study.read_many(), study.read_on_demand()
    study.append("stations", whole["stations"].head(1).assign(station_id="neuve"), reason="essai")
    assert list(held) == list(whole)
    assert "rues" not in held
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(held[name], frame)
    assert held["stations"] is held["stations"]


# ---------------------------------------------------------------- refusing


def test_create_never_overwrites(study, shipped):
    before = study.fingerprint()
    with pytest.raises(StudyExistsError, match="existe déjà"):
        Study.create(study.path, shipped)
    assert study.fingerprint() == before


def test_create_refuses_defects_and_leaves_nothing(tmp_path, shipped):
    bad = {**shipped, "figures": pd.concat([shipped["figures"], shipped["figures"].head(1)], ignore_index=True)}
    with pytest.raises(DefectsError, match="identifiant présent plusieurs fois"):
        Study.create(tmp_path / "e.gpkg", bad)
    assert list(tmp_path.iterdir()) == []


def test_append_refuses_a_taken_identifier_and_a_dangling_reference(study):
    study.append("figures", figure(1), reason="essai")
    with pytest.raises(ConflictError, match="déjà présent dans « figures » : « X0001 »"):
        study.append("figures", figure(1), reason="essai")
    lost = schema.typed(pd.DataFrame([{"project_id": "P?", "tag": "T", "source": "calcul"}]), "project_tags")
    with pytest.raises(DefectsError, match="absente de la table « projects »"):
        study.append("project_tags", lost, reason="essai")
    assert study.version("project_tags") == Study(study.path).version("project_tags")


def test_a_read_only_study_refuses_writes(study):
    closed = Study(study.path, read_only=True)
    with pytest.raises(StudyReadOnlyError, match="lecture seule"):
        closed.append("figures", figure(1), reason="essai")
    assert closed.tables()["projects"] == 28


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "n’est pas une étude"),
        (b"hello", "n’est pas une étude"),
        (b"SQLite format 3\x00" + b"\0" * 500, "(?i)endommagé|illisible"),
    ],
)
def test_a_file_that_is_no_study_is_refused_in_french(tmp_path, content, words):
    path = tmp_path / "x.gpkg"
    path.write_bytes(content)
    with pytest.raises(StudyDamagedError, match=words):
        Study(path)


def test_a_geopackage_that_is_no_study_says_what_to_do(tmp_path):
    gpd.GeoDataFrame({"a": [1]}, geometry=[Point(0, 0)], crs=2154).to_file(tmp_path / "x.gpkg")
    with pytest.raises(StudyDamagedError, match="geo-qmi import"):
        Study(tmp_path / "x.gpkg")


def test_a_missing_study_names_the_command(tmp_path):
    with pytest.raises(StudyMissingError, match=r"geo-qmi init absent\.gpkg"):
        Study(tmp_path / "absent.gpkg")


def test_a_newer_layout_is_refused(study):
    with closing(sqlite3.connect(study.path)) as raw, raw:
        raw.execute("UPDATE study SET value = '99' WHERE property = 'layout'")
    with pytest.raises(StudyDamagedError, match="version plus récente"):
        Study(study.path)


def test_zeroed_pages_are_detected(study, tmp_path):
    size = study.path.stat().st_size
    chance = random.Random(7)  # noqa: S311 — a reproducible choice of pages
    for _ in range(30):
        copy = tmp_path / "copie.gpkg"
        shutil.copy(study.path, copy)
        with copy.open("r+b") as stream:
            stream.seek(chance.randrange(1, size // 4096) * 4096)
            stream.write(b"\0" * 4096)
        with pytest.raises(StudyDamagedError):
            Study(copy).read_many()


# ---------------------------------------------------------------- writing


def test_replace_tells_a_stale_reader(study):
    seen = study.version("figures")
    study.append("figures", figure(1), reason="un collègue")
    with pytest.raises(ConflictError, match="a changé depuis votre lecture"):
        study.replace("figures", figure(2), expected_version=seen, reason="moi")
    assert "X0001" in set(study.read("figures")["figure_id"])


def test_upsert_updates_and_adds_and_the_journal_counts(study):
    study.append("figures", figure(1), reason="essai", actor="Ana")
    both = pd.concat([figure(1, 5.0), figure(2)], ignore_index=True)
    study.upsert("figures", both, reason="correction")
    values = study.read("figures").set_index("figure_id")["value"]
    assert values["X0001"] == 5.0
    last = study.journal().iloc[-1]
    assert (last["n_before"], last["n_after"], last["action"]) == (139, 140, "upsert")
    assert study.journal().iloc[-2]["actor"] == "Ana"


def test_write_many_lets_rows_refer_to_one_another_and_undoes_table_by_table(study):
    tables = study.read_many(["sessions", "participants"])
    sessions = tables["sessions"].head(1).assign(session_id="S-NEW")
    people = tables["participants"].head(2).assign(participant_id=["P1", "P2"], session_id="S-NEW")
    entries = study.write_many({"participants": people, "sessions": sessions}, reason="marche", actor="Nadia")
    assert entries["sessions"] < entries["participants"]
    assert study.journal()["table_name"].tolist()[-2:] == ["sessions", "participants"]
    study.undo()
    assert "P1" not in set(study.read("participants")["participant_id"])
    assert "S-NEW" in set(study.read("sessions")["session_id"])
    study.undo()
    assert "S-NEW" not in set(study.read("sessions")["session_id"])


def test_write_many_writes_everything_or_nothing(study):
    before = study.fingerprint()
    sessions = study.read("sessions").head(1).assign(session_id="S-NEW")
    orphan = study.read("participants").head(1).assign(participant_id="P1", session_id="S-NOWHERE")
    with pytest.raises(DefectsError):
        study.write_many({"sessions": sessions, "participants": orphan}, reason="marche")
    stale = {"stages": study.version("stages") + 1}
    with pytest.raises(ConflictError, match="« stages »"):
        study.write_many({"sessions": sessions}, reason="marche", expected_versions=stale)
    with pytest.raises(UnknownNameError):
        study.write_many({"seances": sessions}, reason="marche")
    assert study.fingerprint() == before


def test_undo_goes_back_step_by_step(study):
    states = [study.fingerprint()]
    study.append("figures", figure(1), reason="1")
    states.append(study.fingerprint())
    study.upsert("figures", figure(1, 9.0), reason="2")
    states.append(study.fingerprint())
    study.append("barriers", barrier("B1", LineString([(650_000, 6_850_000), (650_100, 6_850_000)])), reason="3")
    states.append(study.fingerprint())
    study.delete("barriers", barrier("B1", None)[["barrier_id"]], reason="4")
    study.replace("figures", figure(3), expected_version=study.version("figures"), reason="5")
    for expected in [None, *reversed(states)]:
        study.undo()
        if expected is not None:
            assert study.fingerprint() == expected
    with pytest.raises(StudyError, match="Rien à annuler"):
        study.undo()


def test_an_older_study_gains_columns_on_write(study):
    with closing(sqlite3.connect(study.path)) as raw, raw:
        raw.execute("ALTER TABLE figures DROP COLUMN scope")
        raw.execute("DROP TABLE obstacles")
    assert study.read("figures")["scope"].isna().all()
    assert len(study.read("obstacles")) == 0
    study.append("figures", figure(1), reason="essai")
    assert study.tables()["figures"] == 139


def test_backup_is_a_study_and_refuses_its_own_name(study, tmp_path):
    copy = Study(study.backup(tmp_path / "copie.gpkg"))
    assert copy.fingerprint() == study.fingerprint()
    with pytest.raises(StudyExistsError):
        study.backup(study.path)


def test_a_value_written_by_another_tool_is_named(study):
    with closing(sqlite3.connect(study.path)) as raw, raw:
        raw.execute("UPDATE figures SET value = 'beaucoup' WHERE figure_id = 'F001'")
    with pytest.raises(StudyDamagedError, match="« figures » contient une valeur illisible"):
        study.read("figures")


# ---------------------------------------------------------------- faults


def _append_many(path: Path, start: int, n: int) -> None:
    study = Study(path)
    for number in range(start, start + n):
        study.append("figures", figure(number), reason="rafale")


def test_two_processes_lose_nothing(study):
    """Each of 2 x 40 acknowledged appends is there at the end."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(study.path, start, 40)) for start in (1000, 2000)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    added = [name for name in study.read("figures")["figure_id"] if name.startswith("X")]
    assert len(added) == 80
    assert Study(study.path).journal()["action"].eq("append").sum() == 80


_VICTIM = """
import sys
import pandas as pd
from geo_qmi import schema
from geo_qmi.workspace import Study
study = Study(sys.argv[1])
frame = study.read("figures")
print("ready", flush=True)
for turn in range(1000):
    sys.stdin.readline()
    frame["value"] = float(turn)
    study.replace("figures", frame, expected_version=study.version("figures"), reason=str(turn))
    print(turn, flush=True)
"""


def test_kill_9_leaves_the_old_or_the_new_state(study):
    """Killed at random moments of a save: never a mixture, never an acknowledged save lost."""
    chance = random.Random(11)  # noqa: S311 — reproducible delays
    for _ in range(int(os.environ.get("GEO_QMI_KILLS", "12"))):
        victim = subprocess.Popen(
            [sys.executable, "-c", _VICTIM, str(study.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert victim.stdout.readline() == "ready\n"
        victim.stdin.write("\n" * 1000)
        victim.stdin.flush()
        first = victim.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.3))
        os.kill(victim.pid, signal.SIGKILL)
        told = [first, *victim.stdout.read().split()]
        victim.wait()
        victim.stdin.close()
        victim.stdout.close()
        after = Study(study.path)
        acknowledged = float(told[-1])
        assert set(after.read("figures")["value"]) in ({acknowledged}, {acknowledged + 1})
        assert after.tables()["figures"] == 138
    assert sorted(p.name for p in study.path.parent.iterdir() if ".tmp" in p.name) == []


def test_kill_9_during_create_leaves_no_half_study(tmp_path):
    script = "import sys, geo_qmi; geo_qmi.Study.create(sys.argv[1], geo_qmi.shipped_tables())"
    target = tmp_path / "e.gpkg"
    chance = random.Random(3)  # noqa: S311 — reproducible delays
    for _ in range(6):
        victim = subprocess.Popen([sys.executable, "-c", script, str(target)])
        time.sleep(chance.uniform(1.2, 3.0))
        victim.kill()
        victim.wait()
        if target.exists():
            assert Study(target).tables()["projects"] == 28
            target.unlink()
    Study.create(target, {})
    assert [p.name for p in tmp_path.iterdir()] == ["e.gpkg"]


def _fill_disk(path: Path, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    many = pd.concat([figure(number) for number in range(2000)], ignore_index=True)
    try:
        Study(path).append("figures", many, reason="trop")
    except StudyError as error:
        sys.exit(17 if "Disque plein" in str(error) else 18)


def test_a_full_disk_keeps_the_previous_state(study):
    before = study.fingerprint()
    process = multiprocessing.get_context("spawn").Process(
        target=_fill_disk, args=(study.path, study.path.stat().st_size + 8192)
    )
    process.start()
    process.join(120)
    assert process.exitcode == 17
    assert Study(study.path).fingerprint() == before


def test_keys_of_a_row_without_key_are_none():
    frame = figure(1)
    frame.loc[0, "figure_id"] = None
    assert _change.keys_of(frame, "figures") == [(None,)]
