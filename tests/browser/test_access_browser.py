"""A crossing tried between two points, and layers dropped by hand, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pytest
import shapely
from browser_pages import PATIENCE_MS, unfold

from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser

MIDDLE = "RAIL-AUL-3 à 250 m, côté "


def settled(page: Any) -> None:
    """Wait until the script that a choice started has ended."""
    page.wait_for_timeout(400)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def choose(page: Any, box: str, option: str) -> None:
    """Type the name of an option in a list and take it."""
    found = page.get_by_role("combobox", name=box, exact=True)
    # Typed, not clicked: a click waits for a page that stands still, which a painting map delays on a busy machine.
    unfold(page, found, option)
    found.press("Enter")
    settled(page)


@pytest.fixture
def access(watched) -> Iterator[Any]:
    """The page in its first state; at the end, no error was shown and nobody else was called."""
    watched.page.set_default_timeout(PATIENCE_MS)
    watched.open("Accès et coupures", "Accès et coupures")
    settled(watched.page)
    yield watched.page
    assert watched.refusals() == []
    assert watched.errors == []
    assert watched.hosts == {"127.0.0.1"}


def test_a_crossing_between_two_listed_points_redraws_the_card(access):
    access.get_by_text("Et si l’on ouvrait un franchissement ?").click()
    choose(access, "Premier point : lieu", f"{MIDDLE}gauche")
    assert access.get_by_text("Franchissement envisagé ouvert").count() == 0
    choose(access, "Second point : lieu", f"{MIDDLE}droite")
    access.get_by_text("Franchissement envisagé ouvert").wait_for()
    access.get_by_text("ouvert à pied : ni coût, ni foncier").wait_for()
    # On one bank there is nothing to cross: the crossing is refused in words, and the card is the former one.
    choose(access, "Second point : lieu", "RAIL-AUL-3 à 450 m, côté gauche")
    access.get_by_text("Franchissement envisagé refusé").wait_for()
    assert access.get_by_text("Franchissement envisagé ouvert").count() == 0


def test_a_crossing_between_typed_coordinates_redraws_the_card(access, shipped):
    rail = shipped["barriers"].set_index("barrier_id").geometry["RAIL-AUL-3"]
    point, ahead = rail.interpolate(0.5, normalized=True), rail.interpolate(0.51, normalized=True)
    dx, dy = (25 * part / point.distance(ahead) for part in (ahead.x - point.x, ahead.y - point.y))
    access.get_by_text("Et si l’on ouvrait un franchissement ?").click()
    for name, side in (("Premier point", 1), ("Second point", -1)):
        access.get_by_role("radiogroup", name=name).get_by_text("Coordonnées").click()
        settled(access)
        box = access.get_by_role("textbox", name=f"{name} : coordonnées")
        box.fill(f"{point.x - side * dy:.1f} {point.y + side * dx:.1f}")
        box.press("Enter")
        settled(access)
    access.get_by_text("Franchissement envisagé ouvert").wait_for()
    assert access.get_by_text("Franchissement envisagé refusé").count() == 0


def test_dropped_layers_change_the_ground_and_what_is_counted(access, shipped, tmp_path: Path):
    shape = shipped["districts"].set_index("district_id").geometry["QMI1-AUL"]
    xmin, ymin, xmax, ymax = shape.bounds
    lines = [[(x, ymin - 300), (x, ymax + 300)] for x in range(int(xmin), int(xmax), 100)]
    lines.append([(xmin - 10, (ymin + ymax) / 2), (xmax + 10, (ymin + ymax) / 2)])
    streets = gpd.GeoDataFrame(geometry=shapely.linestrings(lines), crs=CRS)
    streets.to_file(tmp_path / "rues.gpkg", engine="pyogrio")
    people = gpd.GeoDataFrame({"habitants": [120.0]}, geometry=[shape.representative_point()], crs=CRS)
    people.to_file(tmp_path / "habitants.gpkg", engine="pyogrio")
    access.get_by_text("Rues, habitants, heure : changer le terrain").click()
    access.get_by_text("Aucune couche d’habitants : on compte des hectares").wait_for()
    for number, name in enumerate(("rues.gpkg", "habitants.gpkg")):
        access.locator('input[type="file"]').nth(number).set_input_files(tmp_path / name)
        access.get_by_text(name).first.wait_for()
        settled(access)
    access.get_by_text(re.compile("Terrain : réseau des rues")).first.wait_for()
    access.get_by_text("on compte des hectares").wait_for(state="detached")
    assert access.get_by_text("on compte des hectares").count() == 0
