"""Are the demonstration places inside, marked, and made again to the byte?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from geo_qmi import schema
from geo_qmi.shipped import data_dir, shipped_tables

ROOT = Path(__file__).resolve().parent.parent


def test_places_are_inside_their_perimeter_and_marked():
    tables = shipped_tables()
    places, districts = tables["candidate_places"], tables["districts"].set_index("district_id")
    assert schema.validate(places, "candidate_places") == []
    assert places["demo"].all()
    assert places["name"].str.match(r"Lieu de démonstration \d$").all()
    drawn = districts.index[districts.geometry.notna()]
    counts = places["district_id"].value_counts()
    assert sorted(counts.index) == sorted(drawn)
    assert counts.between(5, 8).all()
    for place in places.itertuples():
        assert districts.geometry[place.district_id].contains(place.geometry), place.place_id


def test_some_cells_are_empty_on_purpose():
    places = shipped_tables()["candidate_places"]
    empty = places[["area_m2", "ground", "sun_h", "water", "power", "vehicle", "people_in_reach"]].isna().to_numpy()
    assert 0.03 < empty.mean() < 0.15


def test_the_script_gives_the_same_bytes(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "build_places.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    shipped = data_dir() / "demo" / "candidate_places.geojson"
    assert (tmp_path / "candidate_places.geojson").read_bytes() == shipped.read_bytes()
