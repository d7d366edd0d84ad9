"""The running dashboard and a browser, started once for the tests of this folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from browser_pages import PATIENCE_MS, Watched, account

import geo_qmi
from geo_qmi.dashboard import command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def _absent(reason: str) -> None:
    """Skip, unless this machine promised a browser."""
    if os.environ.get("GEO_QMI_REQUIRE_BROWSER") == "1":
        pytest.fail(f"GEO_QMI_REQUIRE_BROWSER=1 but {reason}")
    pytest.skip(reason)


class _Launcher:
    """A browser, started again when it died: what comes after the death of one does not fail for it."""

    def __init__(self, start: Any) -> None:
        self._start = start
        self._opened: Any = None
        self._watched: Watched | None = None

    def browser(self) -> Any:
        if not self.alive():
            self._opened = self._start()
        return self._opened

    def watched(self, address: str) -> Watched:
        """Return the page that all tests share; a new one after a test that failed."""
        if self._watched is None or self._watched.page.is_closed() or not self.alive():
            self._watched = Watched(self.browser(), address)
        self._watched.begin()
        return self._watched

    def forget(self) -> None:
        """Close every page: what follows a failure starts afresh."""
        for page in self.pages():
            page.close()

    def pages(self) -> list[Any]:
        """Return the pages still open; none when the browser is not started or died."""
        return [page for context in self._opened.contexts for page in context.pages] if self.alive() else []

    def alive(self) -> bool:
        return self._opened is not None and bool(self._opened.is_connected())

    def close(self) -> None:
        if self.alive():
            self._opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Say what the pages still open show when a test fails, and keep their pictures."""
    report = yield
    launcher = getattr(item, "funcargs", {}).get("_launcher")
    if report.failed and launcher is not None:
        if not launcher.alive():
            report.sections.append(("browser", "no browser: it died, or never started"))
        for number, page in enumerate(launcher.pages()):
            report.sections.append(("browser", account(page, f"{item.name}-{number}")))
        launcher.forget()
    return report


@pytest.fixture(scope="session")
def _launcher() -> Iterator[_Launcher]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        _absent(f"no browser installed (looked for {', '.join(BROWSERS)})")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _absent("playwright is not installed")
    with sync_playwright() as playwright:
        launcher = _Launcher(lambda: playwright.chromium.launch(executable_path=path, args=list(FLAGS)))
        yield launcher
        launcher.close()


@pytest.fixture
def browser(_launcher) -> Any:
    return _launcher.browser()


@pytest.fixture(scope="session")
def served(_study_template, tmp_path_factory) -> Path:
    """The study that the dashboard serves: a copy of the shipped one that may be written."""
    return geo_qmi.Study(_study_template).backup(tmp_path_factory.mktemp("servie") / "etude.gpkg")


@pytest.fixture(scope="session")
def address(served) -> Iterator[str]:
    """Serve the study on a free loopback port and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments, environment = command(served, port=port)
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


@pytest.fixture
def watched(_launcher, address) -> Iterator[Watched]:
    """The page all tests share; at the end, no error was shown and nobody else was called."""
    opened = _launcher.watched(address)
    yield opened
    if opened.page.is_closed():  # the test failed, and said why
        return
    assert opened.refusals() == []
    assert opened.errors == []
    assert opened.hosts <= {"127.0.0.1"}
