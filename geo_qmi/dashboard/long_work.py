"""How does long work say where it is, and how does a reader stop it?

A bar with the name of the stage and a button « Arrêter » stand where the work was asked. A click interrupts the script
at the next stage announced: what was under way is thrown away, the page says so and offers to start again. Work that
writes says from when on it cannot be stopped. Nothing is computed here, and nothing is stopped by force.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from geo_qmi.dashboard import state
from geo_qmi.dashboard.markup import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from streamlit.delta_generator import DeltaGenerator

Result = TypeVar("Result")

#: Seconds between two looks of the bar within one stage: a loop may announce thousands of turns.
_BETWEEN_S = 0.1
#: Where a session keeps its long work: key → the last one asked under it.
_KEPT = "travaux"


class Stopped(Exception):  # noqa: N818 - not an error: the reader's wish, as Streamlit's own StopException
    """The reader stopped this work, and the page says so already: leave out what needed it."""


@dataclass(slots=True, eq=False)
class _Work:
    """One long work: what it was asked for, the stage it reached, whether it may be and was stopped."""

    mark: Hashable
    stage: str = "Préparation"
    under_way: bool = True
    stopped: bool = False


class Bar:
    """A bar on a page; called as `announce` by the functions that work long."""

    def __init__(self, key: str, *, work: _Work, total: int) -> None:
        self._work, self._total = work, total
        self._n_told, self._shown_at, self._done = 0, 0.0, 0.0
        self._place: DeltaGenerator = st.empty()
        with self._place.container():
            self._progress = st.progress(0.0, text=f"{work.stage}…")
            self._button = st.empty()
            self._button.button("Arrêter", key=f"{key}-arreter", on_click=stop, args=(key,))

    def __call__(self, stage: str, share: float | None = None) -> None:
        """Show a stage and move the bar, and stop here when the reader asked for it.

        Parameters
        ----------
        stage
            Its French name.
        share
            Part of the whole work done, 0–1; one stage more of those expected when absent.
        """
        self._n_told += share is None
        now, stage = time.monotonic(), stage.rstrip("…")
        if stage == self._work.stage and now - self._shown_at < _BETWEEN_S:
            return
        self._work.stage, self._shown_at = stage, now
        done = min(self._n_told, self._total) / (self._total + 1) if share is None else share
        self._done = min(max(done, 0.0), 1.0)
        self.still()

    def still(self) -> None:
        """Stay at the same stage; stop here when the reader asked for it."""
        self._progress.progress(self._done, text=literal(f"{self._work.stage}…"))

    def closing(self, stage: str) -> None:
        """Show the stage that writes: from here on the work goes to its end."""
        self._button.caption("Cette étape ne s’arrête pas : elle écrit tout, ou rien.")
        self._progress.progress(1.0, text=literal(f"{stage}…"))
        self._work.under_way = False  # after the last point where a click may interrupt

    def gone(self) -> None:
        """Take the bar away."""
        self._place.empty()


def _works() -> dict[str, _Work]:
    """Return the long work of this session."""
    found: dict[str, _Work] = st.session_state.setdefault(_KEPT, {})
    return found


def stop(key: str) -> None:
    """Note that the reader stopped a work; one that has ended, or is writing, is left as it is."""
    work = _works().get(key)
    if work is not None and work.under_way:
        work.stopped = True


def resume(key: str) -> None:
    """Forget that a work was stopped: the page starts it again."""
    _works().pop(key, None)


@contextmanager
def shown(key: str, mark: Hashable = None, *, total: int = 1) -> Iterator[Bar]:
    """Show a bar and a stop button while a block works, and take them away when it is done.

    Parameters
    ----------
    key
        Name of this work on the page.
    mark
        Everything the work depends on: once stopped, it is told as such for the same mark only.
    total
        Stages expected, for work that announces stages without the share done.

    Yields
    ------
    What the work announces its stages to.
    """
    works = _works()
    work = works[key] = _Work(mark)
    bar = Bar(key, work=work, total=total)
    try:
        yield bar
    except Exception:  # never what Streamlit raises to interrupt: the next run draws the page afresh
        works.pop(key, None)
        bar.gone()
        raise
    works.pop(key, None)
    bar.gone()


def say_stopped(key: str, mark: Hashable = None) -> bool:
    """Say that this very work was stopped, at which stage, and that nothing is left of it; tell whether it was."""
    work = _works().get(key)
    if work is None or not work.stopped or work.mark != mark:
        return False
    st.info(f"Arrêté à l’étape « {literal(work.stage)} » : rien n’a été gardé ni écrit.", icon=":material/stop_circle:")
    return True


def awaited(
    key: str,
    mark: tuple[Hashable, ...],
    work: Callable[[Bar], Result],
    *,
    total: int = 1,
    kind: str = "",
    keep: Callable[[tuple[Hashable, ...], Callable[[], Result]], Result] | None = None,
) -> Result:
    """Return what a long work makes, computed once for each mark, with a bar while it lasts.

    Parameters
    ----------
    key
        Name of this work on the page, asked once a run.
    mark
        Everything it depends on.
    work
        Makes it; told where to announce each stage.
    total
        As `shown`.
    kind
        What is made: the name of its results in the cache; `key` when absent.
    keep
        Another cache than the session's, called as `geo_qmi.dashboard.state.remembered`.

    Raises
    ------
    Stopped
        The reader stopped it; the page says so and offers to start again.
    """
    place = st.container()  # there, empty or not: what follows keeps its place on the page, an open tab stays open
    with place:
        if say_stopped(key, mark):
            st.button("Recommencer", key=f"{key}-recommencer", on_click=resume, args=(key,), icon=":material/replay:")
            raise Stopped

    def build() -> Result:
        with place, shown(key, mark, total=total) as bar:
            return work(bar)

    return (keep or state.remembered)((kind or key, *mark), build)
