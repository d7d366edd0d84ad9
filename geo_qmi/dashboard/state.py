"""Which study is open, and what was already read or computed?

The only module that knows Streamlit's session and caches. Caches are bounded and keyed by file, time of change and
parameters. Frames handed out are shared between sessions: pages make new ones and never change them.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE
from geo_qmi.dashboard.markup import literal
from geo_qmi.errors import GeoQmiError
from geo_qmi.shipped import shipped_tables
from geo_qmi.workspace import Study

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    import pandas as pd

Result = TypeVar("Result")

#: Computed results kept for each session: one comparison a candidate list, and a few quotas.
_KEPT = 6


@st.cache_resource(show_spinner="Préparation de l’étude livrée…", max_entries=1)
def _shipped_copy() -> Path:
    """Write the shipped study to a temporary file, once a process, and return its path."""
    folder = Path(tempfile.mkdtemp(prefix="geo-qmi-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Study.create(folder / "etude-livree.gpkg", shipped_tables(), reason="étude livrée").path


def is_shipped() -> bool:
    """Tell whether the study is the shipped one, for want of another."""
    return not os.environ.get(STUDY_VARIABLE)


def study() -> Study:
    """Return the open study.

    Raises
    ------
    StudyError
        The file is missing, damaged or locked.
    """
    if is_shipped():
        return Study(_shipped_copy(), read_only=True)
    return Study(os.environ[STUDY_VARIABLE], read_only=bool(os.environ.get(READ_ONLY_VARIABLE)))


def stamp() -> tuple[str, int, int]:
    """Return what changes when the study does: its path, and the times of its file and of its write-ahead log.

    The file is looked at, never opened (closing a descriptor would drop SQLite's locks).
    """
    path = _shipped_copy() if is_shipped() else Path(os.environ[STUDY_VARIABLE])
    times = [beside.stat().st_mtime_ns if beside.exists() else 0 for beside in (path, Path(f"{path}-wal"))]
    return str(path), times[0], times[1]


@st.cache_resource(show_spinner="Lecture de l’étude…", max_entries=3)
def _tables(mark: tuple[str, int, int]) -> dict[str, Any]:  # noqa: ARG001 - the key of the cache
    return dict(study().read_many())


def tables() -> dict[str, pd.DataFrame]:
    """Return every table of the study, as it stands now."""
    return _tables(stamp())


def remembered(key: Hashable, build: Callable[[], Result]) -> Result:
    """Return the result of `build` for this session, computed again only when `key` is new.

    Parameters
    ----------
    key
        Everything the result depends on: the stamp of the study, and the parameters.
    build
        Called without argument when the result is not kept.
    """
    kept: dict[Hashable, Any] = st.session_state.setdefault("results", {})
    if key not in kept:
        kept[key] = build()
        while len(kept) > _KEPT:
            kept.pop(next(iter(kept)))
    found: Result = kept[key]
    return found


@contextmanager
def refusals() -> Iterator[None]:
    """Show an error of the toolkit as its French sentence and stop the page there."""
    try:
        yield
    except GeoQmiError as error:
        st.error(literal(error))
        st.stop()


def banner() -> None:
    """Say which study is open, above every page."""
    if is_shipped():
        st.caption("Étude livrée, en lecture seule : « geo-qmi init etude.gpkg » crée la vôtre.")
        return
    with refusals():
        opened = study()
    mode = ", en lecture seule" if opened.read_only else ""
    st.caption(f"Étude : {literal(opened.path.name)}{mode}")
