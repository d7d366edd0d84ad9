"""The running dashboard in a real browser: painted maps, no error, no outside host."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from geo_qmi.dashboard import command

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).with_name("screenshots")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
#: Largest page, in bytes on the WebSocket, for the shipped study.
PAGE_BYTES = 2_000_000
#: Software rendering on a busy machine is slow; nothing waits this long when all is well.
PATIENCE_MS = 90_000


def _absent(reason: str) -> None:
    """Skip, unless this machine promised a browser."""
    if os.environ.get("GEO_QMI_REQUIRE_BROWSER") == "1":
        pytest.fail(f"GEO_QMI_REQUIRE_BROWSER=1 but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        _absent(f"no browser installed (looked for {', '.join(BROWSERS)})")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _absent("playwright is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the shipped study on a free loopback port and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments, environment = command(port=port)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*arguments, "--server.headless", "true"],
            env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait(f"{url}_stcore/health", process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        assert process.poll() is None, "the dashboard stopped"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback, our own server
                assert answer.read() == b"ok"
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the dashboard did not start")


class Watched:
    """A page whose errors, requests and traffic are kept."""

    def __init__(self, browser: Any, address: str, *, width: int = 1440, height: int = 900) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": height}, locale="fr-FR")
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.n_bytes = 0
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        self.page.goto(address)
        self.page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE_MS)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.hosts.add(request.url.split("/")[2].split(":")[0])

    def _frame(self, payload: Any) -> None:
        self.n_bytes += len(payload)

    def open(self, name: str, heading: str) -> None:
        self.page.get_by_role("link", name=name).click()
        self.page.get_by_role("heading", level=1, name=heading).wait_for(timeout=PATIENCE_MS)

    def painted(self) -> int:
        """Wait until the map shows something, and return its number of distinct colours."""
        chart = self.page.locator('[data-testid="stDeckGlJsonChart"]').first
        chart.wait_for(timeout=PATIENCE_MS)
        chart.locator("canvas").first.wait_for(timeout=PATIENCE_MS)
        n_colours = 0
        for _ in range(60):
            n_colours = _colours(chart.screenshot())
            if n_colours > 30:
                break
            self.page.wait_for_timeout(500)
        return n_colours

    def keep(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.locator('[data-testid="stMain"]').evaluate("main => main.scrollTo(0, 0)")
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def refusals(self) -> list[str]:
        """Return the text of the error boxes in sight."""
        boxes = self.page.locator('[data-testid="stException"], [data-testid="stAlertContentError"]')
        return [text for text in boxes.all_inner_texts() if text]


def _colours(picture: bytes) -> int:
    from PIL import Image

    return len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(maxcolors=1 << 24) or [])


@pytest.fixture
def watched(browser, address) -> Iterator[Watched]:
    page = Watched(browser, address)
    yield page
    page.page.close()


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
            if _colours(chart.screenshot()) > 30:
                break
            watched.page.wait_for_timeout(500)
        assert _colours(chart.screenshot()) > 30
        watched.keep(f"sites-{number + 1}")
    assert watched.refusals() == []
    assert watched.errors == []
    assert watched.hosts == {"127.0.0.1"}
