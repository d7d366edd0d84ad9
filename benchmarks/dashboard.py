"""How long does the server work when a page opens, and when a filter of it changes?

The script of each page runs as Streamlit runs it, without a browser, on the shipped study; its processor time is
printed beside that of an empty page in the same process, so that a busy machine slows both. First paint in a browser
is another question.

Run with ``python benchmarks/dashboard.py``.
"""

from __future__ import annotations

import time
import warnings

from streamlit.testing.v1 import AppTest

from geo_qmi import dashboard

#: Milliseconds of processor that a change of filter may take.
TARGET_MS = 300
RUNS = 3


class Clock:
    """Keeps the processor time of each run of the script."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self._run = dashboard.run

    def __call__(self) -> None:
        start = time.thread_time()
        try:
            self._run()
        finally:
            self.milliseconds.append(1000 * (time.thread_time() - start))


def empty_page() -> None:
    """Show what Streamlit's smallest page shows."""
    import time

    import streamlit as st

    start = time.thread_time()
    st.title("Vide")
    st.session_state["took_ms"] = 1000 * (time.thread_time() - start)


def main() -> None:
    """Open each page, then run it again as a change of filter does."""
    warnings.simplefilter("ignore")
    nothing = AppTest.from_function(empty_page).run().run()
    reference = nothing.session_state["took_ms"]
    print(f"{'empty page':<22} {reference:6.1f} ms")
    dashboard.run = clock = Clock()
    app = AppTest.from_file(str(dashboard._FOLDER / "app.py"), default_timeout=300).run()
    for file, *_ in dashboard.PAGES:
        app = app.switch_page(file).run()
        opening = clock.milliseconds[-1]
        again = min(_rerun(app, clock) for _ in range(RUNS))
        verdict = "≤" if again <= TARGET_MS else ">"
        print(f"{file:<22} opened {opening:6.0f} ms  again {again:5.0f} ms {verdict} {TARGET_MS}")


def _rerun(app: AppTest, clock: Clock) -> float:
    app.run()
    return clock.milliseconds[-1]


if __name__ == "__main__":
    main()
