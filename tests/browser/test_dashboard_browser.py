"""The running dashboard in a real browser: painted maps, no error, no outside host."""

from __future__ import annotations

import pytest
from browser_pages import PATIENCE_MS, Watched, colours

pytestmark = pytest.mark.browser

#: Largest page, in bytes on the WebSocket, for the shipped study.
PAGE_BYTES = 2_000_000
PAGES = {
    "programme": ("Programme", "Le programme dans la Métropole"),
    "quartier": ("Quartier", "Un quartier"),
    "carte-sensible": ("Carte sensible", "Carte sensible"),
    "diagnostic": ("Diagnostic", "Diagnostic"),
    "acces": ("Accès et coupures", "Accès et coupures"),
    "appariement": ("Appariement", "Apparier des projets et des quartiers"),
}


@pytest.mark.parametrize("name", PAGES)
def test_page_paints_its_map_and_calls_nobody(watched, name):
    watched.open(*PAGES[name])
    n_colours = watched.painted()
    watched.keep(name)
    assert n_colours > 30
    assert watched.refusals() == []
    assert watched.errors == []
    assert watched.hosts == {"127.0.0.1"}
    assert watched.n_bytes < PAGE_BYTES


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_narrow_screen(browser, address, name):
    narrow = Watched(browser, address, width=1024, height=768)
    narrow.open(*PAGES[name])
    narrow.painted()
    narrow.keep(f"{name}-1024")
    overflow = narrow.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    narrow.page.close()
    assert overflow <= 0


def test_every_tab_opens_without_error(watched):
    for name, page in PAGES.items():
        watched.open(*page)
        watched.painted()
        for tab in watched.page.get_by_role("tab").all():
            tab.click()
            watched.page.wait_for_timeout(800)
            watched.keep(f"{name}-{tab.inner_text().split()[0].lower()}")
        assert watched.refusals() == []
    assert watched.errors == []


def test_a_district_without_perimeter_is_hatched_and_said(watched):
    watched.open(*PAGES["quartier"])
    watched.page.get_by_role("combobox").first.click()
    watched.page.get_by_role("option", name="Sucy-en-Brie").click()
    watched.page.get_by_text("Périmètre non publié").first.wait_for(timeout=PATIENCE_MS)
    assert watched.painted() > 30
    watched.keep("quartier-sans-perimetre")
    assert "district=" in watched.page.url or "quartier=" in watched.page.url
    assert watched.errors == []


def test_places_within_reach_are_drawn_in_their_tab(watched):
    watched.open("Sites et couverture", "Sites et couverture")
    for number, tab in enumerate(("À portée de marche", "Prochains lieux")):
        watched.page.get_by_role("tab", name=tab).click()
        shown = watched.page.get_by_role("tabpanel").filter(visible=True)
        chart = shown.locator('[data-testid="stDeckGlJsonChart"] canvas').first
        chart.wait_for(timeout=PATIENCE_MS)
        chart.scroll_into_view_if_needed()
        for _ in range(60):
            if colours(chart.screenshot()) > 30:
                break
            watched.page.wait_for_timeout(500)
        assert colours(chart.screenshot()) > 30
        watched.keep(f"sites-{number + 1}")
    assert watched.refusals() == []
    assert watched.errors == []
    assert watched.hosts == {"127.0.0.1"}
