"""A page of the running dashboard in a browser: what it says, and the gestures of a reader, each seen to have held.

One page serves all tests, and goes from page to page by the menu: a map painted without a graphics card costs seconds.

A page that runs again closes lists, drops focus and replaces widgets. So every gesture waits until the page is at rest,
acts from the keyboard (a click waits for a page that stands still, which a painting map delays on a busy machine), then
looks at what came of it and starts again when nothing did.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import TimeoutError as Late

from geo_qmi.dashboard import PAGES

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

#: Pictures are kept when this variable is 1: those of the guide in its folder, the others beside the tests.
KEEP = os.environ.get("GEO_QMI_KEEP_PICTURES") == "1"
SCREENSHOTS = Path(__file__).with_name("screenshots")
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"
#: A wide screen, and two narrower ones.
WIDE, NARROW, PHONE = (1440, 900), (1024, 768), (400, 850)
#: Software rendering on a busy machine is slow; nothing waits this long when all is well.
PATIENCE_MS = 180_000
#: One try of a gesture, before it starts again.
_TRY_MS = 10_000
#: Title of each page in the menu → the heading it is folded under, if any.
MENU = {title: heading for _, title, _, heading in PAGES}
#: Title of a page in the menu → the one it shows, where they differ.
_SHOWN = {
    "Programme": "Le programme dans la Métropole",
    "Quartier": "Un quartier",
    "Appariement": "Apparier des projets et des quartiers",
    "Publication": "Publication et export",
}
#: Counts looks at a page that neither runs nor holds outdated elements; three in a row are a page at rest: the script
#: stops for a moment between two runs.
_AT_REST = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    const still = app && app.dataset.testScriptState === "notRunning" && !document.querySelector('[data-stale="true"]');
    window.looks = still ? (window.looks || 0) + 1 : 0;
    return window.looks > 2;
}"""


class Watched:
    """A page whose errors, requests and traffic are kept."""

    def __init__(self, browser: Any, address: str, *, size: tuple[int, int] = WIDE, agent: str = "") -> None:
        said = {"user_agent": agent} if agent else {}
        self.page = browser.new_page(viewport={"width": size[0], "height": size[1]}, locale="fr-FR", **said)
        self.page.set_default_timeout(PATIENCE_MS)
        self.begin()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("crash", lambda _: self.errors.append("the tab crashed"))
        self.page.on("request", self._request)
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        self.page.goto(address)
        self._met()

    def _met(self) -> None:
        self.page.get_by_role("heading", level=1).wait_for()
        at_rest(self.page)

    def anew(self) -> None:
        """Begin another visit: what was chosen, typed and dropped in this one is forgotten."""
        self.page.reload()
        self._met()

    def begin(self) -> None:
        """Forget what happened so far."""
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.n_bytes = 0

    def _console(self, message: Any) -> None:
        # Opened by address, Streamlit looks for its server under the page first, then at the root: a 404 each time.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.errors.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.hosts.add(request.url.split("/")[2].split(":")[0])

    def _frame(self, payload: Any) -> None:
        self.n_bytes += len(payload)

    def sized(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def open(self, title: str) -> None:
        """Go to a page by the menu, as it was left."""
        page, heading = self.page, MENU[title]
        shown = page.get_by_role("heading", level=1, name=_SHOWN.get(title, title), exact=True)
        self.sized(WIDE)
        self.n_bytes = 0

        def go() -> None:
            if heading:
                page.locator('[data-testid="stTopNavSection"]', has_text=heading).press("Enter", timeout=_TRY_MS)
            link = page.get_by_test_id("stTopNavDropdownLink" if heading else "stTopNavLink")
            link.get_by_text(title, exact=True).evaluate("link => link.click()", timeout=_TRY_MS)
            shown.wait_for(timeout=_TRY_MS)

        _until(page, go, shown.is_visible, wish=f"the page {title!r}")

    def painted(self) -> int:
        """Wait until the first map in sight shows something, and return its number of distinct colours."""
        chart = self.page.locator('[data-testid="stDeckGlJsonChart"]').filter(visible=True).first
        chart.locator("canvas").first.wait_for()
        n_colours = 0
        for _ in range(60):
            n_colours = colours(chart.screenshot())
            if n_colours > 30:
                break
            self.page.wait_for_timeout(500)
        return n_colours

    def overflow(self) -> int:
        """Return how far the page is wider than its frame, in pixels, once it has followed a change of size."""
        frames = self.page.locator('html, [data-testid="stMain"]')
        wider = 0
        for _ in range(40):
            wider = int(frames.evaluate_all("all => Math.max(...all.map(one => one.scrollWidth - one.clientWidth))"))
            if wider <= 0:
                break
            self.page.wait_for_timeout(250)
        return wider

    def keep(self, name: str, *, at: str = "", guide: bool = False) -> None:
        """Keep a picture of the page when asked to, from its top or from the words `at`."""
        if not KEEP:
            return
        self.page.locator('[data-testid="stMain"]').evaluate("main => main.scrollTo(0, 0)")
        part: Any = None
        if at:
            words = self.page.get_by_text(at).filter(visible=True).first
            words.evaluate("words => { words.style.scrollMarginTop = '78px'; words.scrollIntoView({block: 'start'}); }")
            above = words.bounding_box()["y"] - 15
            if above > 60:  # the page ends before the words are at the top: what is over them is left out
                frame = self.page.viewport_size
                part = {"x": 0, "y": above, "width": frame["width"], "height": frame["height"] - above}
        self.page.mouse.move(0, 0)
        self.page.evaluate("document.activeElement.blur()")
        self.page.wait_for_timeout(1500)  # a picture, looked at by people: what fades in is there
        folder = GUIDE if guide else SCREENSHOTS
        folder.mkdir(exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", clip=part)

    def refusals(self) -> list[str]:
        """Return the text of the error boxes in sight."""
        boxes = self.page.locator('[data-testid="stException"], [data-testid="stAlertContentError"]')
        return [text for text in boxes.all_inner_texts() if text]


def at_rest(page: Any) -> None:
    """Wait until no script runs and nothing waits to be replaced."""
    page.evaluate("window.looks = 0")
    page.wait_for_function(_AT_REST, polling=100, timeout=PATIENCE_MS)


def _until(page: Any, act: Callable[[], object], held: Callable[[], bool], *, wish: str, anew: bool = False) -> None:
    """Do something until it is seen to have held, even if it held before when done `anew`; each try starts at rest."""
    last = ""
    for _ in range(PATIENCE_MS // _TRY_MS):
        try:
            at_rest(page)
            if not anew and held():
                return
            act()
            at_rest(page)
            if held():
                return
        except Late as error:
            last = str(error).partition("\n")[0]
    raise Late(f"{wish}: tried {PATIENCE_MS // _TRY_MS} times, never held. {last}")


def _shown(page: Any, box: Any) -> str:
    """Return what a list says once it is left: words typed and not taken are gone."""
    box.evaluate("box => box.blur()", timeout=_TRY_MS)
    at_rest(page)
    return str(box.input_value(timeout=_TRY_MS))


def choose(page: Any, box: str, option: str) -> None:
    """Take an option of a list by its name, typed; the list is seen to show it."""
    found = page.get_by_role("combobox", name=box, exact=True).filter(visible=True).first

    def take() -> None:
        unfold(page, found, option)
        found.press("Enter", timeout=_TRY_MS)

    _until(page, take, lambda: _shown(page, found) == option, wish=f"{option!r} in the list {box!r}")


def unfold(page: Any, box: Any, typed: str = "") -> None:
    """Open the options of a list, those that hold `typed` when it is given; one try."""
    box.focus(timeout=_TRY_MS)
    if typed:
        box.fill("", timeout=_TRY_MS)
        box.fill(typed, timeout=_TRY_MS)
    else:
        box.press("ArrowDown", timeout=_TRY_MS)
    page.get_by_role("option", name=typed or None).first.wait_for(timeout=_TRY_MS)


def choose_first(page: Any, box: str) -> str:
    """Take the first option of a list without a pointer, and return what the list then shows."""
    found = page.get_by_role("combobox", name=box, exact=True).filter(visible=True).first

    def take() -> None:
        unfold(page, found)
        found.press("Enter", timeout=_TRY_MS)

    _until(page, take, lambda: bool(_shown(page, found)), wish=f"the first option of the list {box!r}")
    return _shown(page, found)


def open_panel(page: Any, title: str) -> Any:
    """Unfold a panel by its title and return it."""
    panel = page.locator('[data-testid="stExpander"]').filter(has=page.locator("summary", has_text=title))
    panel = panel.filter(visible=True).first
    _until(
        page,
        lambda: panel.locator("summary").press("Enter", timeout=_TRY_MS),
        lambda: panel.locator("details").get_attribute("open", timeout=_TRY_MS) is not None,
        wish=f"the panel {title!r} open",
    )
    return panel


def open_tab(page: Any, title: str) -> Any:
    """Show a tab by its title and return its panel."""
    tab = page.get_by_role("tab", name=title, exact=True).filter(visible=True).first
    _until(
        page,
        lambda: tab.evaluate("tab => tab.click()", timeout=_TRY_MS),
        lambda: tab.get_attribute("aria-selected", timeout=_TRY_MS) == "true",
        wish=f"the tab {title!r} shown",
    )
    return page.get_by_role("tabpanel", name=title, exact=True)


def tick(page: Any, title: str, *, wanted: bool = True) -> None:
    """Tick a box or switch by its title, or the other way."""
    box = page.locator('[data-testid="stCheckbox"] input').and_(page.get_by_label(title, exact=True)).first
    _until(
        page,
        lambda: box.press("Space", timeout=_TRY_MS),
        lambda: box.is_checked(timeout=_TRY_MS) is wanted,
        wish=f"the box {title!r} {'ticked' if wanted else 'not ticked'}",
    )


def choose_more(page: Any, box: str, option: str) -> None:
    """Add an option to a list that takes several, and close it: nothing else is within reach while it is open."""
    found = page.get_by_role("combobox", name=box, exact=True).filter(visible=True).first
    tags = page.locator('[data-testid="stMultiSelect"]').filter(has_text=box).filter(visible=True).first

    def take() -> None:
        unfold(page, found, option)
        found.press("Enter", timeout=_TRY_MS)
        found.press("Escape", timeout=_TRY_MS)
        found.evaluate("box => box.blur()", timeout=_TRY_MS)

    def held() -> bool:
        return option in tags.inner_text(timeout=_TRY_MS) and page.get_by_role("listbox").count() == 0

    _until(page, take, held, wish=f"{option!r} in the list {box!r}")


def choose_among(page: Any, group: str, option: str | re.Pattern[str]) -> None:
    """Take one of a few options that all stand on the page."""
    one = page.get_by_role("radiogroup", name=group, exact=True).get_by_role("radio", name=option, exact=True).first
    _until(
        page,
        lambda: one.press("Space", timeout=_TRY_MS),
        lambda: one.evaluate("one => one.checked || one.ariaChecked === 'true'", timeout=_TRY_MS),
        wish=f"{option!r} taken in {group!r}",
    )


def write(page: Any, title: str, words: str) -> None:
    """Fill a field of text or of a number, and leave it."""
    field = page.get_by_label(title, exact=True).filter(visible=True).first

    def fill() -> None:
        field.fill(words, timeout=_TRY_MS)
        field.press("Tab", timeout=_TRY_MS)

    held = f"{words!r} in the field {title!r}"
    _until(page, fill, lambda: field.input_value(timeout=_TRY_MS) == words, wish=held, anew=True)


def press(page: Any, title: str, held: Callable[[], bool]) -> None:
    """Press a button, again until what it does is seen; seen already, nothing is pressed."""
    button = page.get_by_role("button", name=title, exact=True).filter(visible=True).first
    _until(page, lambda: button.press("Enter", timeout=_TRY_MS), held, wish=f"the effect of the button {title!r}")


def drag_map(page: Any, held: Callable[[], bool], *, by: tuple[int, int]) -> None:
    """Move the first map of the page by so many pixels, again until it is seen to have followed."""
    chart = page.locator('[data-testid="stDeckGlJsonChart"]').filter(visible=True).first

    def drag() -> None:
        frame = chart.bounding_box(timeout=_TRY_MS)
        x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by[0], y + by[1], steps=8)
        page.mouse.up()
        page.mouse.move(0, 0)

    _until(page, drag, held, wish="a map moved by hand")


def type_in_cell(page: Any, words: str, *, at: tuple[int, int], held: Callable[[], bool]) -> None:
    """Write in the cell of the first grid in sight that lies `at` so many pixels from its corner, until `held`."""
    grid = page.locator('[data-testid="stDataFrame"]').filter(visible=True).first
    editor = page.locator("#portal textarea, #portal input")

    def type_words() -> None:
        grid.dblclick(position={"x": at[0], "y": at[1]}, timeout=_TRY_MS)
        editor.fill(words, timeout=_TRY_MS)
        editor.press("Enter", timeout=_TRY_MS)

    _until(page, type_words, held, wish=f"{words!r} in a cell")


def drop(page: Any, title: str, path: Path) -> None:
    """Give a file to the field of that title; the field is seen to name it."""
    field = page.locator('[data-testid="stFileUploader"]').filter(has_text=title).filter(visible=True).first
    _until(
        page,
        lambda: field.locator('input[type="file"]').set_input_files(path, timeout=_TRY_MS),
        lambda: path.name in field.inner_text(timeout=_TRY_MS),
        wish=f"the file {path.name} in the field {title!r}",
    )


def account(page: Any, name: str) -> str:
    """Return what a page shows when a test fails, in words; its picture is kept."""
    picture = SCREENSHOTS / f"echec-{name}.png"
    try:
        words = page.locator("body").inner_text(timeout=_TRY_MS)
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=picture, timeout=6 * _TRY_MS)
    except BrowserError as error:
        return f"{page.url}: neither read nor pictured ({str(error).partition(os.linesep)[0]})"
    return f"{page.url}, pictured in {picture}\n{words[:4000]}"


def colours(picture: bytes) -> int:
    from PIL import Image

    return len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(maxcolors=1 << 24) or [])
