"""What a reader asks of a map, in a real browser: one object, a framing, an online base, a small screen."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from browser_pages import PATIENCE_MS, Watched

from geo_qmi.maps.bases import BASE_HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"


def choose(page: Any, box: str, option: str) -> None:
    """Type in a list and take what it finds, without a pointer."""
    found = page.get_by_role("combobox", name=box, exact=True)
    found.focus()
    found.fill(option)
    page.get_by_role("option", name=option).first.wait_for(timeout=PATIENCE_MS)
    found.press("Enter")


@pytest.fixture
def district(browser, address) -> Iterator[Watched]:
    opened = Watched(browser, f"{address}quartier")
    opened.page.set_default_timeout(PATIENCE_MS)
    assert opened.painted() > 30
    yield opened
    assert opened.refusals() == []
    # Opened by its address, a page first asks for the server one level too deep, and is answered 404.
    assert [error for error in opened.errors if "404" not in error] == []
    opened.page.close()


def test_an_object_of_the_list_is_told_and_framed_without_a_pointer(district):
    page = district.page
    choose(page, "Un objet de la carte", "Aulnay-sous-Bois (Gares et stations)")
    page.get_by_text("Couche : Gares et stations").wait_for()
    frame = page.get_by_role("button", name="Cadrer sur cet objet")
    frame.focus()
    frame.press("Enter")
    page.get_by_role("button", name="Revenir à la vue d’ensemble").wait_for()
    district.keep("carte-objet")
    assert district.hosts == {"127.0.0.1"}


def test_an_online_base_is_called_only_once_switched_on(district):
    asked = []
    page = district.page
    page.route(f"https://{BASE_HOST}/**", lambda route: (asked.append(route.request.url), route.fulfill(**tile())))
    page.get_by_text("Couches, opacité et fond").click()
    page.get_by_text("l’IGN reçoit votre adresse IP").wait_for()
    assert district.hosts == {"127.0.0.1"}
    with page.expect_request(lambda request: BASE_HOST in request.url, timeout=PATIENCE_MS):
        choose(page, "Fond de carte", "Plan IGN (en ligne)")
    page.get_by_text("Fond : © IGN – Géoplateforme").wait_for()
    district.keep("carte-fond")
    assert district.hosts == {"127.0.0.1", BASE_HOST}
    assert all("GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2" in url for url in asked)


def tile() -> dict[str, Any]:
    """Return the answer of a tile server, without one."""
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (256, 256), (205, 225, 200)).save(picture, "PNG")
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "image/png"}
    return {"status": 200, "headers": headers, "body": picture.getvalue()}


def test_map_legend_and_lists_stay_usable_on_a_phone(browser, address):
    phone = Watched(browser, f"{address}quartier", width=400, height=850, agent=PHONE)
    page = phone.page
    page.set_default_timeout(PATIENCE_MS)
    assert phone.painted() > 30
    widths = [
        page.locator('[data-testid="stDeckGlJsonChart"]').first.bounding_box()["width"],
        page.get_by_role("combobox", name="Un objet de la carte").bounding_box()["width"],
        page.get_by_text("Gare ou station").first.bounding_box()["width"],
    ]
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    phone.keep("quartier-400")
    page.close()
    assert overflow <= 0
    assert min(widths[:2]) > 280
    assert widths[2] > 60
