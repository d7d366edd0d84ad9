"""The page *Carte sensible* in a real browser: a click on the map opens the place, its observations, their sessions."""

from __future__ import annotations

import math
import re

import pytest
from browser_pages import PATIENCE_MS, choose, choose_among, choose_first, open_tab

import geo_qmi
from geo_qmi.dashboard import fieldwork, panel
from geo_qmi.dashboard.fieldwork import Kept
from geo_qmi.deck import deck

pytestmark = pytest.mark.browser

#: Title in front of the list that a click fills.
LIST = "Cliquez un lieu sur la carte, ou choisissez-le ici"


@pytest.fixture(scope="module")
def drawn():
    """The work and the map the page shows first."""
    tables = geo_qmi.shipped_tables()
    found = fieldwork.fieldwork(tables, "QMI1-AUL", kept=Kept(), cell_m=50.0)
    return found, fieldwork.drawn(tables, "QMI1-AUL", found, kept=Kept())


def pixel(shown, name: str, *, skipped: int = 0) -> tuple[str, float, float]:
    """Identifier of a feature of a layer, and its offset in pixels from the middle of the frame."""
    frame = next(layer for layer in shown.layers if layer.name == name).frame.iloc[[skipped]]
    spot = frame.representative_point().to_crs(4326).iloc[0]
    view = deck(shown, width_px=panel.WIDE_PX, height_px=600).initial_view_state
    world = 512 * 2**view.zoom  # pixels around the Earth in Web Mercator at this zoom
    east = (spot.x - view.longitude) / 360 * world
    south = (mercator(view.latitude) - mercator(spot.y)) / (2 * math.pi) * world
    return frame["id"].iloc[0], east, south


def mercator(latitude: float) -> float:
    return math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))


def click(page, *, east: float, south: float) -> None:
    """Click as a hand does: come to rest, let deck.gl pick what lies there, press.

    The clock of the page stands still meanwhile: deck.gl takes a press of over 250 ms for a hold, and a machine without
    a graphics card picks more slowly than that.
    """
    chart = page.locator('[data-testid="stDeckGlJsonChart"]').first
    chart.scroll_into_view_if_needed()
    frame = chart.bounding_box()
    x, y = frame["x"] + frame["width"] / 2 + east, frame["y"] + frame["height"] / 2 + south
    page.mouse.move(x - 25, y - 15)
    page.mouse.move(x, y, steps=4)
    page.locator(".deck-tooltip").filter(visible=True).first.wait_for()
    page.clock.set_fixed_time("2026-05-16T10:00:00")
    page.mouse.click(x, y)
    page.clock.resume()


def said(page, ident: str) -> bool:
    """Whether the list comes to name a place."""
    from playwright.sync_api import expect

    named = re.compile(re.escape(ident))
    expect(page.get_by_role("combobox", name=LIST)).to_have_value(named, timeout=PATIENCE_MS)
    return True


def test_the_map_and_the_list_open_a_place_its_observations_and_their_session(watched, drawn):
    found, shown = drawn
    watched.open("Carte sensible")
    page = watched.page
    choose(page, "Quartier", "Aulnay-sous-Bois – Centre Gare")
    assert watched.painted() > 30
    assert page.get_by_text("Séances de ces observations").count() == 0
    watched.keep("lire-carte", at="Ressenti et mesure", guide=True)
    # A place, a place of too few people to be shown alone, and a sign that lies over a place.
    for layer, skipped, meant in (("felt", 1, ""), ("felt_few", 0, ""), ("attention_point", 0, "50mE663100N6870400")):
        ident, east, south = pixel(shown, layer, skipped=skipped)
        click(page, east=east, south=south)
        assert said(page, meant or ident)
    page.get_by_text("Séances de ces observations").wait_for()
    watched.keep("lire-lieu", at="Un lieu, ses observations, leurs séances", guide=True)

    first = next(iter(fieldwork.spoken_places(found)))
    assert first in choose_first(page, LIST)  # without a pointer
    choose_among(page, "Vue", "Par groupe")  # the choice outlives a change of view
    page.get_by_text("par groupe : 1 séance").wait_for()
    assert said(page, first)
    open_tab(page, "Désaccords et absences")
    watched.keep("lire-desaccords", at="Lieux où les ressentis s’opposent", guide=True)
    open_tab(page, "Carte et lieux")
    choose_among(page, "Vue", "Lieux")
