from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from geo_qmi.sources.field.collected import Hints
from geo_qmi.sources.field.reading import read_walk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path, fixtures) -> Path:
    """The track, alone in its folder."""
    shutil.copy(fixtures / "gpx" / "trace.gpx", tmp_path / "trace.gpx")
    return tmp_path


def photo(path: Path, taken: str | None, *, offset: str | None = None, at: tuple[float, float] | None = None) -> Path:
    """Write a photo of one colour that says when, and where (longitude, latitude), it was taken."""
    exif = Image.Exif()
    detail = exif.get_ifd(0x8769)
    if taken:
        detail[36867] = taken
    if offset:
        detail[36881] = offset
    if at:
        gps = exif.get_ifd(0x8825)
        gps[1], gps[2], gps[3], gps[4] = "N", (at[1], 0.0, 0.0), "E", (at[0], 0.0, 0.0)
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (4, 4), sum(map(ord, path.name)) % 256).save(path, exif=exif)
    return path


def placed(walk) -> dict[str, object]:
    raw = next(raw for raw in walk.tables["observations"] if raw.layer == "photos")
    return dict(zip(raw.frame["time"], raw.geometry, strict=True))


def test_track_and_waypoint(folder):
    walk = read_walk(folder)
    route, mark = walk.tables["routes"][0], walk.tables["observations"][0]
    assert route.geometry[0].geom_type == "MultiLineString"
    assert mark.frame["verbatim"].tolist() == ["Banc cassé — On ne peut pas s’asseoir."]
    assert walk.tables["sessions"][0].frame["start"].tolist() == ["2026-05-16T08:00:00Z"]


def test_photos_are_placed_by_their_moment(folder):
    # 10:00:50 in Paris is 08:00:50 UTC: half of the first leg of 100 s, from 48.9320 to 48.9330.
    photo(folder / "DCIM" / "a.jpg", "2026:05:16 10:00:50")
    photo(folder / "DCIM" / "b.jpg", "2026:05:16 08:02:30", offset="+00:00")
    walk = read_walk(folder)
    found = placed(walk)
    first = found["2026-05-16T10:00:50+02:00"]
    assert (first.x, round(first.y, 9)) == (2.4960, 48.9325)
    second = found["2026-05-16T08:02:30+00:00"]
    assert np.allclose((second.x, second.y), (2.4970, 48.9330), atol=1e-9)
    assert "2 photos placées" in walk.notes[0]
    assert len(walk.photos) == 2


def test_the_clock_of_the_camera_can_be_corrected(folder):
    photo(folder / "a.jpg", "2026:05:16 09:00:50")
    found = placed(read_walk(folder, hints=Hints(clock_shift_s=3600)))
    assert round(found["2026-05-16T10:00:50+02:00"].y, 9) == 48.9325


def test_a_photo_that_fits_nowhere_is_kept_and_told(folder):
    photo(folder / "late.jpg", "2026:05:16 10:05:20")  # 120 s after the last position
    photo(folder / "undated.jpg", None)
    walk = read_walk(folder)
    raw = next(raw for raw in walk.tables["observations"] if raw.layer == "photos")
    assert list(raw.geometry) == [None, None]
    assert raw.n_in == 2
    assert [(d.value, d.reason.split(" ;")[0]) for d in raw.defects] == [
        ("late.jpg", "photo à 120 s de la position la plus proche"),
        ("undated.jpg", "photo sans heure de prise de vue lisible : elle ne peut pas être placée"),
    ]


def test_a_wider_tolerance_places_it(folder):
    photo(folder / "late.jpg", "2026:05:16 10:05:20")
    found = placed(read_walk(folder, hints=Hints(tolerance_s=120)))
    assert found["2026-05-16T10:05:20+02:00"].x > 2.4979


def test_the_own_position_of_a_photo_wins_and_a_wrong_one_is_told(folder):
    photo(folder / "far.jpg", "2026:05:16 10:00:50", at=(2.5, 48.9325))
    walk = read_walk(folder)
    raw = next(raw for raw in walk.tables["observations"] if raw.layer == "photos")
    assert raw.geometry[0].x == 2.5
    assert "à 293 m de la trace" in raw.defects[0].reason  # 0.004° × 111.32 km × cos 48.9325° = 292.5


def test_pictures_beside_a_lone_file_stay_out(folder):
    photo(folder / "holiday.jpg", "2026:05:16 10:00:50")
    walk = read_walk(folder / "trace.gpx")
    assert walk.n_in["observations"] == 1
    assert walk.photos == {}


def test_the_photo_a_waypoint_names_is_its_own(folder):
    taken = photo(folder / "banc.jpg", "2026:05:16 10:12:00")
    gpx = folder / "trace.gpx"
    text = gpx.read_text(encoding="utf-8")
    gpx.write_text(text.replace("</wpt>", '<link href="photos/banc.jpg"/></wpt>'), encoding="utf-8")
    walk = read_walk(gpx)
    assert walk.n_in["observations"] == 1
    assert walk.tables["observations"][0].frame["photo"].tolist() == [taken.name]
    assert list(walk.photos) == [taken.name]
    assert read_walk(folder).n_in["observations"] == 1


def test_a_picture_that_is_none_is_only_hashed(folder):
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 broken")
    walk = read_walk(folder)
    assert list(walk.photos) == ["broken.jpg"]
