"""One page of the running dashboard in a browser: its errors, the hosts it calls, what it paints."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from geo_qmi.dashboard import PAGES

SCREENSHOTS = Path(__file__).with_name("screenshots")
#: Software rendering on a busy machine is slow; nothing waits this long when all is well.
PATIENCE_MS = 180_000
#: Title of each page → its address; the menu folds pages under headings.
_ADDRESSES = {title: address for _, title, address, *_ in PAGES}


class Watched:
    """A page whose errors, requests and traffic are kept."""

    def __init__(self, browser: Any, address: str, *, width: int = 1440, height: int = 900, agent: str = "") -> None:
        said = {"user_agent": agent} if agent else {}
        self.page = browser.new_page(viewport={"width": width, "height": height}, locale="fr-FR", **said)
        self.address = address
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.n_bytes = 0
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        self.page.goto(address)
        self.page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE_MS)

    def _console(self, message: Any) -> None:
        # Opened by address, Streamlit looks for its server under the page first, then at the root: a 404 each time.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.errors.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.hosts.add(request.url.split("/")[2].split(":")[0])

    def _frame(self, payload: Any) -> None:
        self.n_bytes += len(payload)

    def open(self, name: str, heading: str) -> None:
        self.page.goto(f"{self.address}{_ADDRESSES[name]}")
        self.page.get_by_role("heading", level=1, name=heading).wait_for(timeout=PATIENCE_MS)

    def painted(self) -> int:
        """Wait until the map shows something, and return its number of distinct colours."""
        chart = self.page.locator('[data-testid="stDeckGlJsonChart"]').first
        chart.wait_for(timeout=PATIENCE_MS)
        chart.locator("canvas").first.wait_for(timeout=PATIENCE_MS)
        n_colours = 0
        for _ in range(60):
            n_colours = colours(chart.screenshot(timeout=PATIENCE_MS))
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


def unfold(page: Any, box: Any, typed: str = "") -> None:
    """Open the options of a list from the keyboard, again when a page that ran meanwhile has closed it."""
    from playwright.sync_api import TimeoutError as Late

    for _ in range(PATIENCE_MS // 5_000):
        box.focus()
        if typed:
            box.fill("")
            box.fill(typed)
        else:
            box.press("ArrowDown")
        try:
            page.get_by_role("option", name=typed or None).first.wait_for(timeout=5_000)
        except Late:
            continue
        return
    raise AssertionError(f"no option opened for {typed!r}")


def colours(picture: bytes) -> int:
    from PIL import Image

    return len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(maxcolors=1 << 24) or [])
