"""How do people open the dashboard?

`run` lists the pages for Streamlit; `command` gives the process to start, with the study in its environment. Each
page is a file of this folder; `state` alone knows Streamlit's session and caches, `panel` lays a map out. Nothing
heavy is imported before a page runs.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from threading import Thread
from typing import Any

#: Names of the environment variables that tell the pages which study to open, and how.
STUDY_VARIABLE = "GEO_QMI_STUDY"
READ_ONLY_VARIABLE = "GEO_QMI_READ_ONLY"

_FOLDER = Path(__file__).resolve().parent
#: Pages this process has shown already.
_SETTLED: set[str] = set()

#: File, title, address and heading of each page, in the order of the menu; the first opens by default. Pages without
#: heading stand in the bar by themselves: a dozen in a row do not fit a small screen.
PAGES = (
    ("home.py", "Accueil", "", ""),
    ("programme.py", "Programme", "programme", ""),
    ("district.py", "Quartier", "quartier", "Quartiers"),
    ("diagnosis.py", "Diagnostic", "diagnostic", "Quartiers"),
    ("sensing.py", "Carte sensible", "carte-sensible", "Quartiers"),
    ("access.py", "Accès et coupures", "acces", "Quartiers"),
    ("intake_page.py", "Candidatures", "candidatures", "Projets"),
    ("pairing.py", "Appariement", "appariement", "Projets"),
    ("covering.py", "Sites et couverture", "sites", "Projets"),
    ("evaluating.py", "Évaluation", "evaluation", "Projets"),
    ("publication.py", "Publication", "publication", "Étude"),
    ("records.py", "Données", "donnees", "Étude"),
    ("origins.py", "Sources et contradictions", "sources", "Étude"),
)


def command(
    study: Path | None = None, *, port: int | None = None, read_only: bool = False
) -> tuple[list[str], dict[str, str]]:
    """Return the process that serves the dashboard: its arguments and its environment.

    Parameters
    ----------
    study
        A study file; the shipped study, read only, when absent.
    port
        TCP port on 127.0.0.1; Streamlit's default (8501, or the next free one) when absent.
    read_only
        Open the study for reading only.

    Returns
    -------
    Arguments for `subprocess.run`, and its whole environment.

    Examples
    --------
    >>> command(port=9000)[0][-2:]
    ['--server.port', '9000']
    """
    arguments = [sys.executable, "-m", "streamlit", "run", str(_FOLDER / "app.py")]
    if port is not None:
        arguments += ["--server.port", str(port)]
    environment = {
        name: value for name, value in os.environ.items() if name not in {STUDY_VARIABLE, READ_ONLY_VARIABLE}
    }
    if study is not None:
        environment[STUDY_VARIABLE] = str(Path(study).resolve())
    if read_only:
        environment[READ_ONLY_VARIABLE] = "1"
    return arguments, environment


def run() -> None:
    """Show the page the reader chose; called by the script Streamlit runs."""
    import streamlit as st

    from geo_qmi.dashboard import visit
    from geo_qmi.dashboard.state import banner

    # No icon here or on pages: a named one becomes a favicon fetched from an outside host.
    st.set_page_config(page_title="geo-qmi", layout="wide")
    menu: dict[str, list[Any]] = {}
    for file, title, address, heading in PAGES:
        made = st.Page(_FOLDER / file, title=title, url_path=address or None, default=not address)
        menu.setdefault(heading, []).append(made)
    page = st.navigation(menu, position="top")
    st.html(_FOLDER / "layout.css")
    # Our own files, nothing of the study in them: Streamlit has no setting for the language of the page, and keeps no
    # view of a map from page to page.
    scripts = "".join((_FOLDER / name).read_text("utf-8") for name in ("layout.js", "map_view.js"))
    st.html(f"<script>{scripts}</script>", unsafe_allow_javascript=True)
    visit.sign_in()
    banner()
    try:
        page.run()
    finally:
        _settle(getattr(page, "title", ""))  # none when no server runs the script


def _settle(title: str) -> None:
    """Spare what a page loads at its first showing, which stays for good, each later search for unreachable memory."""
    if not _SETTLED:
        Thread(target=_take_up_the_pen, name="geo-qmi-crayon").start()
    if title not in _SETTLED:
        _SETTLED.add(title)
        gc.freeze()


def _take_up_the_pen() -> None:
    """Load what draws charts while somebody reads the first page: the first chart of a server need not wait for it."""
    from geo_qmi import charts

    charts.svg(charts.funnel([charts.Step("essai", 1)], title="Essai"))
