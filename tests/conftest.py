"""Fixtures shared by all tests: the shipped tables, read once, and a fresh study in a temporary folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import geo_qmi
import geo_qmi._french  # its words must be there before any other module imports Typer

if TYPE_CHECKING:
    import pandas as pd

#: Real open geodata kept beside the checkout on some machines; never part of the project.
REAL = Path(__file__).resolve().parents[2] / "shared" / "real"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group the tests, and let a page that a busy machine did not answer in time be asked once more.

    With `-n`, the tests of one file share a process, and all browser tests share one: two browsers never compete.
    Only a Playwright timeout is tried again; an assertion that fails, fails.
    """
    parallel = config.pluginmanager.hasplugin("xdist")
    patient = config.pluginmanager.hasplugin("rerunfailures")
    for item in items:
        in_browser = item.get_closest_marker("browser") is not None
        if parallel:
            item.add_marker(pytest.mark.xdist_group("browser" if in_browser else item.nodeid.partition("::")[0]))
        if in_browser and patient:
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["^TimeoutError"]))


@pytest.fixture(autouse=True)
def _same_main():
    """Put `__main__` back: Streamlit leaves its script there, and any process spawned later would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def shipped() -> dict[str, pd.DataFrame]:
    """Every table of the shipped study; do not modify."""
    return geo_qmi.shipped_tables()


@pytest.fixture(scope="session")
def _study_template(shipped, tmp_path_factory) -> Path:
    return geo_qmi.Study.create(tmp_path_factory.mktemp("template") / "etude.gpkg", shipped).path


@pytest.fixture
def study(_study_template, tmp_path) -> geo_qmi.Study:
    """A private, writable copy of the shipped study."""
    return geo_qmi.Study(geo_qmi.Study(_study_template).backup(tmp_path / "etude.gpkg"))


@pytest.fixture(scope="session")
def real() -> Path:
    """Folder of real geodata; the test is skipped where it is absent."""
    if not REAL.is_dir():
        pytest.skip(f"real geodata absent: {REAL.name} folder not found beside the checkout")
    return REAL
