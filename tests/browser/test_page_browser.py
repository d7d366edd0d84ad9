"""The offline page in a real browser with the network cut: painted, searched, switched, walked from the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from browser_pages import PATIENCE_MS, colours

from geo_qmi import mapping
from geo_qmi.page import page

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(_launcher, shipped, tmp_path_factory) -> Iterator[Any]:
    """The page of three maps, opened from a file without a network; its faults are kept on it."""
    kinds = [("programme", ""), ("sensitive", "Aulnay-sous-Bois"), ("coverage", "Argenteuil")]
    drawn = [mapping.drawn(shipped, kind=kind, district_id=district) for kind, district in kinds]
    path = tmp_path_factory.mktemp("page") / "carte.html"
    path.write_text(page(drawn, title="Étude livrée", edition="jury"), "utf-8")
    context = _launcher.browser().new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR", offline=True)
    tab = context.new_page()
    tab.faults = []
    tab.on("console", lambda message: tab.faults.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: tab.faults.append(str(error)))
    tab.on("requestfailed", lambda request: tab.faults.append(request.url))
    tab.asked = []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.goto(path.as_uri())
    tab.wait_for_selector("body[data-peint]", timeout=PATIENCE_MS)
    yield tab
    context.close()


@pytest.fixture
def tab(opened) -> Any:
    """The page back on its first map."""
    opened.select_option("#carte", "0")
    opened.fill("#recherche", "")
    opened.locator("#compte", has_text="140 objets sur 140").wait_for(timeout=PATIENCE_MS)
    return opened


def test_it_paints_without_asking_anything(tab):
    assert colours(tab.locator("#plan").screenshot()) > 30
    assert [url for url in tab.asked if not url.startswith(("data:", "blob:", "file:"))] == []
    assert tab.faults == []


def test_search_lists_and_chooses_an_object(tab):
    tab.fill("#recherche", "epinay")
    assert tab.locator("#compte").text_content() == "1 objet sur 140"
    tab.locator("#liste button").focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#choisi").text_content().startswith("Épinay-sur-Seine")
    assert tab.locator("#liste button").get_attribute("aria-pressed") == "true"
    tab.keyboard.press("Escape")
    assert tab.locator("#choisi").text_content() == ""


def test_a_layer_is_switched_off_and_on(tab):
    box = tab.get_by_role("checkbox", name="Périmètres des quartiers")
    box.uncheck()
    assert tab.locator("#compte").text_content() == "136 objets sur 140"
    box.check()
    assert tab.locator("#compte").text_content() == "140 objets sur 140"


def test_the_keyboard_moves_the_map(tab):
    tab.locator("#tout").press("Enter")
    scale = tab.locator("#echelle").text_content()
    for _ in range(3):
        tab.locator("#plus").press("Enter")
    assert tab.locator("#echelle").text_content() != scale
    tab.locator("#tout").press("Enter")
    assert tab.locator("#echelle").text_content() == scale


def test_the_map_is_one_stop_of_the_tab_key_and_hears_its_keys(tab):
    tab.locator("#tout").press("Enter")
    assert tab.eval_on_selector_all("#dessin, #dessin *", "all => all.filter((one) => one.tabIndex >= 0).length") == 1
    stop = tab.get_by_role("application", name=tab.locator("#titre").text_content())
    scale = tab.locator("#echelle").text_content()
    changed = "said => document.getElementById('echelle').textContent !== said"
    for _ in range(2):
        stop.press("=")
    tab.wait_for_function(changed, arg=scale, timeout=PATIENCE_MS)
    assert stop.evaluate("one => getComputedStyle(one).outlineWidth") == "3px"
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "plus"
    tab.locator("#tout").press("Enter")


def test_the_table_sorts(tab):
    tab.locator("summary").click()
    head = tab.get_by_role("button", name="Population légale")
    head.click()
    head.click()
    assert tab.locator("#tableau tbody tr td").first.text_content() == "Paris"
    assert tab.locator("#tableau th[aria-sort]").get_attribute("aria-sort") == "descending"
    tab.locator("summary").click()


def test_the_other_maps_open(tab):
    tab.select_option("#carte", "2")
    tab.get_by_text("Périmètre non publié : aucune portée à pied", exact=False).first.wait_for(timeout=PATIENCE_MS)
    tab.select_option("#carte", "1")
    tab.locator("h2", has_text="11 personnes").wait_for(timeout=PATIENCE_MS)
    assert tab.faults == []
