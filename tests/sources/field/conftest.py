"""Fixtures of the field readers: the text files, and an ODK export zipped from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from field_deliveries import FIXTURES, zip_odk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fixtures() -> Path:
    """Folder of the text fixtures; read only."""
    return FIXTURES


@pytest.fixture
def odk_zip(tmp_path) -> Path:
    """An ODK Central export with its repeat groups and one photo."""
    return zip_odk(tmp_path / "marche.zip")
