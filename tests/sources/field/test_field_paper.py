from __future__ import annotations

import numpy as np
import pytest
import shapely

from geo_qmi.errors import InputError
from geo_qmi.sources.field.collected import Hints
from geo_qmi.sources.field.paper import fit
from geo_qmi.sources.field.reading import read_walk

CORNERS = np.array([[0, 0], [2000, 0], [2000, 1500], [0, 1500]], dtype=float)
MORE = np.vstack([CORNERS, [[1000, 0], [2000, 750], [1000, 1500], [0, 750]]])


def ground(pixels: np.ndarray, *, slant: float = 0.0) -> np.ndarray:
    """Half a metre a pixel, north up; `slant` tilts the camera."""
    depth = 1 + slant * pixels[:, 1]
    return np.column_stack([663_000 + 0.5 * pixels[:, 0] / depth, 6_871_000 - 0.5 * pixels[:, 1] / depth])


def test_three_points_are_affine_and_cannot_be_checked():
    found = fit(CORNERS[:3], ground(CORNERS[:3]))
    assert (found.model, found.check_m) == ("affine", None)
    assert np.allclose(found(np.array([[1000.0, 500.0]])), [[663_500, 6_870_750]])
    assert "ajoutez-en un" in found.sentence()


def test_a_fourth_point_checks_the_three():
    moved = ground(CORNERS)
    moved[3, 0] += 40
    # A 40 m blunder at one of four corners leaves 10 m at each: RMS 10; each corner is 40 m from what the others say.
    with pytest.raises(InputError, match=r"écart quadratique moyen 10,0 m ; .* : 40,0 m"):
        fit(CORNERS, moved)
    assert fit(CORNERS, moved, limit_m=41).rms_m == pytest.approx(10)


def test_a_slanted_photo_needs_a_projective_fit():
    there = ground(MORE, slant=2e-4)
    found = fit(MORE, there)
    assert found.model == "projective"
    assert found.rms_m < 1e-6
    assert found.check_m is not None
    assert found.check_m < 1e-6
    middle = np.array([[700.0, 400.0]])
    assert np.allclose(found(middle), ground(middle, slant=2e-4))
    with pytest.raises(InputError, match="--fit projective"):
        fit(CORNERS, ground(CORNERS, slant=2e-4))
    assert fit(CORNERS, ground(CORNERS, slant=2e-4), model="projective").check_m is None


def test_one_wrong_point_among_eight_is_refused_and_named():
    there = ground(MORE)
    there[4] += [80, 0]
    with pytest.raises(InputError, match="n° 5"):
        fit(MORE, there)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (CORNERS[:2], "3 au moins"),
        (np.array([[0.0, 0], [10, 10], [20, 20]]), "alignés"),
        (np.array([[5.0, 5], [5, 5], [5, 5]]), "confondus"),
    ],
)
def test_points_that_tell_nothing_are_refused(pixels, words):
    with pytest.raises(InputError, match=words):
        fit(pixels, ground(pixels) if len(pixels) != 3 else ground(CORNERS[:3]))


def test_a_sheet_with_its_crosses(fixtures):
    walk = read_walk(fixtures / "paper" / "fiche_7.csv")
    marks = walk.tables["observations"][0]
    assert walk.tool == "paper"
    assert [shape.wkt for shape in shapely.set_precision(marks.geometry, 0.01)] == [
        "POINT (663500 6870750)",
        "POINT (663750 6870500)",
    ]
    assert marks.crs == "EPSG:2154"
    assert walk.notes == [
        "Calage projectif de la fiche : écart quadratique moyen 0,0 m ; chaque point prédit par les autres : 0,0 m."
    ]


def test_a_georeferencer_file_counts_rows_downwards(fixtures):
    walk = read_walk(
        fixtures / "paper" / "fiche_7.csv", hints=Hints(control=fixtures / "paper" / "fiche_8.points"), tool="paper"
    )
    first = walk.tables["observations"][0].geometry[0]
    assert (round(first.x, 3), round(first.y, 3)) == (663_500, 6_870_750)


def test_marks_without_control_points_are_refused(fixtures, tmp_path):
    lone = tmp_path / "fiche_9.csv"
    lone.write_bytes((fixtures / "paper" / "fiche_7.csv").read_bytes())
    with pytest.raises(InputError, match="fiche_9_calage"):
        read_walk(lone)
