"""How is a file that a reader drops on a page read?

Once for its content, with a bar that can be stopped; its copy on disk is gone afterwards, however the reading ends.
What the file means is for the functions that read it.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from geo_qmi import runs
from geo_qmi.dashboard.long_work import awaited
from geo_qmi.errors import shown
from geo_qmi.sources.files import watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from geo_qmi.dashboard.long_work import Bar
    from geo_qmi.intake import Intake

Result = TypeVar("Result")


def mark(given: UploadedFile) -> str:
    """Return the name of a file and a fingerprint of its content."""
    return f"{given.name}-{hashlib.sha256(given.getbuffer()).hexdigest()}"


def read(given: UploadedFile, key: str, reader: Callable[[Path, str, Bar], Result]) -> Result:
    """Return what a function makes of an uploaded file.

    Parameters
    ----------
    key
        Name of this reading on the page, and of its results in the session.
    reader
        Given the copy on disk, the name the reader knows the file by, and where to announce its stages.

    Raises
    ------
    GeoQmiError
        As `reader`.
    Stopped
        The reading was stopped; the page says so.
    """

    def work(bar: Bar) -> Result:
        bar(f"Lecture de {shown(given.name)}", 0.0)
        with tempfile.TemporaryDirectory(prefix="geo-qmi-") as folder, watched(bar.still):
            path = Path(folder) / f"depot{Path(given.name).suffix.lower()}"
            path.write_bytes(given.getbuffer())
            return reader(path, given.name, bar)

    return awaited(key, (mark(given),), work)


def taken(given: UploadedFile, table: str) -> Intake:
    """Return what became of the rows of an uploaded file held against a table; as `read`."""
    return read(
        given, f"depot-{table}", lambda path, name, bar: runs.taken(path, table, name=name, announce=bar)
    )  # fmt: skip
