"""What a reader asks of a map, in a real browser: one object, a framing, an online base, a small screen."""

from __future__ import annotations

import io
from typing import Any

import pytest
from browser_pages import PHONE, Watched, choose, drag_map, open_panel, press

from geo_qmi.maps.bases import BASE_HOST

pytestmark = pytest.mark.browser

ON_A_PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"


@pytest.fixture
def district(watched) -> Any:
    watched.open("Quartier")
    choose(watched.page, "Quartier", "Aulnay-sous-Bois – Centre Gare")
    return watched


def test_an_object_of_the_list_is_told_and_framed_without_a_pointer(district):
    page = district.page
    choose(page, "Un objet de la carte", "Aulnay-sous-Bois (Gares et stations) (idfm-37)")
    page.get_by_text("Couche : Gares et stations").wait_for()
    whole = view(page)
    assert page.get_by_text("Ligne : RER B").is_visible()  # two other stations have the same name
    press(page, "Cadrer sur cet objet", lambda: view(page)[2] > whole[2])
    district.keep("carte-objet")
    press(page, "Revenir à la vue d’ensemble", lambda: view(page) == pytest.approx(whole, abs=1e-5))
    assert page.get_by_role("button", name="Cadrer sur cet objet").is_visible()  # the object stays chosen


#: Longitude, latitude and zoom of the first map of the page, once it is there: those given, when some are.
_VIEW = """given => {
    const at = geoQmiViews()[0]?.viewState;
    const found = at && [at.longitude, at.latitude, at.zoom];
    return found && (!given || given.every((part, n) => part === found[n])) && found;
}"""


def view(page: Any, given: list[float] | None = None) -> list[float]:
    """Return where the first map of the page stands, as the browser draws it; wait for the view given."""
    return page.wait_for_function(_VIEW, arg=given).json_value()


def test_a_map_moved_by_hand_is_found_as_it_was_left_until_the_whole_is_asked_for(district):
    page = district.page
    assert district.painted() > 30
    whole = view(page)
    press(page, "Agrandir", lambda: view(page)[2] > whole[2] + 0.99)
    drag_map(page, lambda: view(page)[0] < whole[0], by=(60, 30))  # what was west comes under the hand
    moved = view(page)
    assert moved[2] > whole[2] + 0.99
    for title in ("Carte sensible", "Quartier"):
        district.open(title)
        assert view(page, moved) == moved
    district.open("Programme")  # another ground
    assert view(page)[2] < whole[2]
    district.open("Quartier")
    press(page, "Revenir à la vue d’ensemble", lambda: view(page) == pytest.approx(whole, abs=1e-5))
    district.open("Accès et coupures")
    assert view(page)[:2] != moved[:2]


def test_an_online_base_is_called_only_once_switched_on(district):
    asked: list[str] = []
    page = district.page
    page.route(f"https://{BASE_HOST}/**", lambda route: (asked.append(route.request.url), route.fulfill(**tile())))
    open_panel(page, "Couches, opacité et fond")
    page.get_by_text("l’IGN reçoit votre adresse IP").wait_for()
    assert district.hosts <= {"127.0.0.1"}
    with page.expect_request(lambda request: BASE_HOST in request.url):
        choose(page, "Fond de carte", "Plan IGN (en ligne)")
    page.get_by_text("Fond : © IGN – Géoplateforme").wait_for()
    assert district.painted() > 30
    district.keep("carte-fond")
    assert district.hosts - {"127.0.0.1"} == {BASE_HOST}
    assert all("GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2" in url for url in asked)
    choose(page, "Fond de carte", "Aucun : rien n’est demandé en ligne")
    district.begin()


def tile() -> dict[str, Any]:
    """Return the answer of a tile server, without one: a pale square with a darker edge."""
    from PIL import Image

    picture, square = io.BytesIO(), Image.new("RGB", (256, 256), (150, 170, 150))
    square.paste((205, 225, 200), (2, 2, 254, 254))
    square.save(picture, "PNG")
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "image/png"}
    return {"status": 200, "headers": headers, "body": picture.getvalue()}


def test_map_legend_and_lists_stay_usable_on_a_phone(browser, address):
    phone = Watched(browser, f"{address}quartier", size=PHONE, agent=ON_A_PHONE)
    page = phone.page
    assert phone.painted() > 30
    widths = [
        page.locator('[data-testid="stDeckGlJsonChart"]').first.bounding_box()["width"],
        page.get_by_role("combobox", name="Un objet de la carte").bounding_box()["width"],
        page.get_by_text("Gare ou station").first.bounding_box()["width"],
    ]
    overflow, errors = phone.overflow(), phone.errors
    phone.keep("quartier-400")
    page.close()
    assert overflow <= 0
    assert errors == []
    assert min(widths[:2]) > 280
    assert widths[2] > 60
