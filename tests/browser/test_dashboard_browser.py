"""Every page in a real browser: painted, readable by all, no error, no outside host, on three screens."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_pages import MENU, NARROW, PHONE, choose, open_tab

pytestmark = pytest.mark.browser

#: Largest page, in bytes on the WebSocket, for the shipped study.
PAGE_BYTES = 2_000_000
#: What axe-core finds and only Streamlit could mend: rule → where, and why (docs/guide/accessibilite.md).
STREAMLIT = {
    "presentation-role-conflict": ("stFileUploaderDropzone", "a label on an element said to be decorative"),
}


#: Words of the English that Streamlit writes by itself, in names and hints nobody sees but who hears the page.
ENGLISH = "the|of|to|for|with|more|select|choose|press|help|fullscreen|search|download|show|rows?|available|in|out"
#: Names and hints of all elements that hold one of these words.
_LEFT = r"""english => ["aria-label", "title", "placeholder"].flatMap(name =>
    [...document.querySelectorAll(`[${name}]`)].map(one => one.getAttribute(name))
).filter(said => new RegExp(`(?<!\\p{L})(?:${english})(?!\\p{L})`, "iu").test(said))"""


def faults(page: Any, within: str = "") -> list[str]:
    """Return what axe-core finds wrong, of any weight, but for what Streamlit causes."""
    found = Axe().run(page, context=within or None, options={"resultTypes": ["violations"]})
    return [
        f"{fault['impact']}: {fault['id']} at {node['target']}: {node['failureSummary']}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
        if STREAMLIT.get(fault["id"], ("\0",))[0] not in node["html"]
    ]


@pytest.mark.parametrize("title", MENU)
def test_a_page_is_painted_readable_and_fits_three_screens(watched, title):
    watched.open(title)
    page = watched.page
    if page.locator('[data-testid="stDeckGlJsonChart"]').filter(visible=True).count():
        assert watched.painted() > 30
    assert watched.n_bytes < PAGE_BYTES
    watched.keep(title.lower(), guide=title == "Programme")  # the picture of the README
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert faults(page) == []
    assert page.evaluate(_LEFT, ENGLISH) == []
    for tab in page.get_by_role("tab").filter(visible=True).all_inner_texts():
        shown = open_tab(page, tab)
        watched.keep(f"{title} {tab}")
        assert watched.refusals() == []
        assert page.evaluate(_LEFT, ENGLISH) == []
        assert faults(page, f"#{shown.get_attribute('id')}".replace(":", "\\:")) == []
    for size in (NARROW, PHONE):
        watched.sized(size)
        watched.keep(f"{title} {size[0]}")
        assert watched.overflow() <= 0


def test_a_district_without_perimeter_is_hatched_and_said(watched):
    watched.open("Quartier")
    choose(watched.page, "Quartier", "Sucy-en-Brie – quartier sans nom publié")
    watched.page.get_by_text("Périmètre non publié").first.wait_for()
    assert watched.painted() > 30
    watched.keep("quartier-sans-perimetre")
    assert "quartier=QMI2-SUC" in watched.page.url


def test_a_file_refused_by_the_browser_and_an_unknown_address_are_said_in_french(watched, address, tmp_path):
    watched.open("Candidatures")
    page = watched.page
    (tmp_path / "programme.exe").write_bytes(b"MZ")
    field = page.locator('[data-testid="stFileUploader"]').first
    field.locator('input[type="file"]').set_input_files(tmp_path / "programme.exe")
    field.get_by_text("Ce genre de fichier n’est pas lu ici.").wait_for()  # seen, not in a bubble only
    assert "2 o" in field.inner_text()
    page.goto(f"{address}nulle-part")
    page.get_by_role("dialog").get_by_text("Cette adresse ne mène à aucune page : voici l’accueil.").wait_for()
    assert page.get_by_role("dialog").get_by_text("Page introuvable").is_visible()
    page.keyboard.press("Escape")
    page.get_by_role("heading", level=1, name="Accueil").wait_for()
    watched.begin()  # Streamlit writes the unknown address to the console too
