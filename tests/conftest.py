"""Fixtures shared by all tests: the shipped tables, read once, and a fresh study in a temporary folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import geo_qmi

if TYPE_CHECKING:
    import pandas as pd

#: Real open geodata kept beside the checkout on some machines; never part of the project.
REAL = Path(__file__).resolve().parents[2] / "shared" / "real"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `-n`, the tests of one file share a process, and all browser tests share one: two browsers never compete."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        group = "browser" if item.get_closest_marker("browser") else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


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
