"""Which study is open, and what was already read or computed?

The only module that knows Streamlit's session and caches. Caches are bounded and keyed by file, time of change and
parameters: what comes from the study alone is shared by everybody, what somebody uploads stays in their session.
Frames handed out are shared too: pages make new ones and never change them.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st
from streamlit import runtime

from geo_qmi import schema
from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE
from geo_qmi.dashboard.markup import literal
from geo_qmi.errors import GeoQmiError, StudyError
from geo_qmi.shipped import shipped_tables
from geo_qmi.wording import counted
from geo_qmi.workspace import Study

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    import geopandas as gpd
    import pandas as pd

    from geo_qmi.maps.drawing import Extent

Result = TypeVar("Result")

#: Results kept of each kind: one for each district of a programme and a few choices of each; fewer for one session.
_KEPT, _KEPT_OF_SESSION = 24, 12
#: Kind → what it depends on → result, the last used at the end; one for all sessions, and the lock of all kinds.
_SHELVES: dict[str, dict[Hashable, Any]] = {}
_SHELVES_LOCK = Lock()
#: Where a session keeps the mark of the tables it was last given.
_READ = "etude-lue"


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
    """Return the mark of the tables this session was last given: the key of all that is made of them."""
    mark: tuple[str, int, int] | None = st.session_state.get(_READ)
    return _now() if mark is None else mark


def _now() -> tuple[str, int, int]:
    """Return what changes when the study does: its path, and the times of its file and of its write-ahead log.

    The file is looked at, never opened (closing a descriptor would drop SQLite's locks).
    """
    path = _shipped_copy() if is_shipped() else Path(os.environ[STUDY_VARIABLE])
    times = [beside.stat().st_mtime_ns if beside.exists() else 0 for beside in (path, Path(f"{path}-wal"))]
    return str(path), times[0], times[1]


@st.cache_resource(show_spinner="Lecture de l’étude…", max_entries=3)
def _tables(mark: tuple[str, int, int]) -> dict[str, Any]:  # noqa: ARG001 - the key of the cache
    found = dict(study().read_many())
    for name, frame in found.items():
        for column, spec in schema.columns(name).items():
            n_lost = 0 if spec.nullable else int(frame[column].isna().sum())
            if n_lost:
                raise StudyError(
                    f"Table « {schema.label(name)} » ({name}) : la colonne « {spec.title} » ({column}) est obligatoire "
                    f"et manque sur {counted(n_lost, 'ligne')}. Un autre outil a changé ce fichier : repartez d’une "
                    "copie, ou rendez-lui cette colonne."
                )
    return found


def tables() -> dict[str, pd.DataFrame]:
    """Return every table of the study, as it stands now."""
    mark = st.session_state[_READ] = _now()
    return _tables(mark)


def of_study(kind: str, *parameters: Hashable, build: Callable[[], Result]) -> Result:
    """Return what `build` makes of the tables last given, made once for everybody on this machine.

    Parameters
    ----------
    kind
        What is made: each kind keeps its own few, and drops the one not asked for the longest.
    *parameters
        Everything it depends on beside the study; never anything a reader uploaded, which would outlive the session.
    build
        Called without argument when the result is not kept; what it raises is not kept either.
    """
    key = (stamp(), *parameters)
    with _SHELVES_LOCK:
        shelf = _SHELVES.setdefault(kind, {})
        if key in shelf:
            shelf[key] = found = shelf.pop(key)
            return found  # type: ignore[no-any-return]
    made = build()
    with _SHELVES_LOCK:
        shelf[key] = made
        while len(shelf) > _KEPT:
            shelf.pop(next(iter(shelf)))
    return made


def remembered(key: tuple[Hashable, ...], build: Callable[[], Result]) -> Result:
    """Return the result of `build` for this session, computed again only when `key` is new.

    Parameters
    ----------
    key
        What is made, then everything it depends on: the stamp of the study, and the parameters. Each kind keeps its
        own few, and drops the one not asked for the longest.
    build
        Called without argument when the result is not kept.
    """
    shelves: dict[Hashable, dict[Hashable, Any]] = st.session_state.setdefault("resultats", {})
    kept = shelves.setdefault(key[0], {})
    found: Result = kept.pop(key) if key in kept else build()
    kept[key] = found
    while len(kept) > _KEPT_OF_SESSION:
        kept.pop(next(iter(kept)))
    return found


class Same:
    """An object as the key of a cache: itself and no other, whatever it holds; kept alive as long as the key."""

    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held

    def __hash__(self) -> int:
        return id(self.held)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.held is self.held


#: Names, in the address of a page, of the layers switched and of the opacity of fills.
_LAYERS, _OPACITY = "couches", "opacite"


@dataclass(slots=True)
class MapMemory:
    """How this reader sees maps, kept from page to page.

    Attributes
    ----------
    layers
        Layers switched by hand: name → shown. In the address.
    opacity_percent
        Of fills, when it was set by hand. In the address.
    base
        Online base map; never in the address, so that opening a link calls nobody.
    chosen
        Place or map → layer and identifier of the feature chosen.
    framed
        Place or map → ground to open on, when it is not the whole map.
    nudges
        Place or map → times a view was asked for.
    """

    layers: dict[str, bool] = field(default_factory=dict)
    opacity_percent: int | None = None
    base: str = ""
    chosen: dict[str, tuple[str, str]] = field(default_factory=dict)
    framed: dict[str, Extent] = field(default_factory=dict)
    nudges: dict[str, int] = field(default_factory=dict)


def map_memory() -> MapMemory:
    """Return how this reader sees maps: at first, as the address of the page says."""
    if "cartes" not in st.session_state:
        tokens = st.query_params.get(_LAYERS, "").split(".")
        asked = st.query_params.get(_OPACITY, "")
        percent = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 4 else 0
        wrong = [token for token in tokens if token and not token.removeprefix("-").isidentifier()]
        wrong += [asked] * bool(asked and not 10 <= percent <= 100)
        if wrong:
            told = ", ".join(f"« {literal(one[:80])} »" for one in wrong[:5])
            st.warning(f"L’adresse de cette page demande {told} : ni couche ni opacité (10 à 100), laissé de côté.")
        st.session_state["cartes"] = MapMemory(
            layers={token.removeprefix("-"): token[0] != "-" for token in tokens if token and token not in wrong},
            opacity_percent=percent or None if asked not in wrong else None,
        )
    kept: MapMemory = st.session_state["cartes"]
    return kept


def keep_in_address(memory: MapMemory) -> None:
    """Write the short part of `memory` in the address, so that a link opens the same view."""
    layers = ".".join(f"{'' if shown else '-'}{name}" for name, shown in sorted(memory.layers.items()))
    opacity = "" if memory.opacity_percent is None else str(memory.opacity_percent)
    for name, value in ((_LAYERS, layers), (_OPACITY, opacity)):
        if value and st.query_params.get(name) != value:
            st.query_params[name] = value
        elif not value and name in st.query_params:
            del st.query_params[name]


def streets() -> gpd.GeoDataFrame | None:
    """Return the streets that this reader dropped on a page, if any; they are not in the study."""
    found = st.session_state.get("couches", {}).get("streets")
    return None if found is None else found[1]


def laid_aside(name: str, text: str) -> str:
    """Keep JSON beside the messages to this reader's browser, for as long as a page shows it; return its address.

    Parameters
    ----------
    name
        Of what is kept, one a map and a layer.
    text
        JSON.

    Returns
    -------
    An address relative to the page, that only someone who knows the content could guess.
    """
    kept = runtime.get_instance().media_file_mgr.add(text.encode(), "application/json", f"carte-{name}")
    return kept.lstrip("/")


def on_a_phone() -> bool:
    """Tell whether the browser says it is a phone: Streamlit does not tell the width of the screen."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


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
