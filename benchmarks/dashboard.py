"""How long does the server work when a filter changes, and how soon does a page show its title?

Two questions, on the shipped study. The script of each page runs as Streamlit runs it, without a browser, and the
processor time of its thread is printed for every filter changed, beside that of an empty page in the same run. Then
a real browser opens each page, and an empty Streamlit page served by the same machine in the same run: the first paint
is the moment the heading (h1) is visible, counted from the start of the navigation; the median of `RUNS` openings,
after one that is not counted.

Run with ``python benchmarks/dashboard.py`` (``--no-browser`` for the first question only).
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, local_script_runner

from geo_qmi import dashboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Milliseconds of processor that a change of filter may take, and first paint over that of an empty page.
TARGET_MS, TARGET_RATIO = 300, 2.0
RUNS = 3
_EMPTY = "import streamlit as st\nst.title('Vide')\n"
#: Tabs, told apart from the widgets AppTest finds: they are opened by their key.
_TAB = "tab"
_STUDIES = ("alternatives", "robustness", "stable", "questions")
#: Page → filter → (kind of widget, start of its key, values tried in turn). Tabs that are made when they open are
#: filters too, and come before what they hold.
FILTERS: dict[str, dict[str, tuple[str, str, list[Any]]]] = {
    "programme.py": {
        "édition": ("segmented_control", "programme-edition", ["2", "1"]),
        "section du fonds": ("selectbox", "programme-section", ["Logistique du dernier kilomètre", "Toutes"]),
        "famille": ("multiselect", "programme-famille", [["Mobilités"], []]),
        "onglet Sélection": (_TAB, "programme-onglet", ["Sélection"]),
        "onglet Dates": (_TAB, "programme-onglet", ["Programmes et dates"]),
    },
    "district.py": {"quartier": ("selectbox", "quartier", ["QMI1-MEU", "QMI2-ARG", "QMI1-SCE", "QMI1-NOI"])},
    "diagnosis.py": {
        "quartier": ("selectbox", "quartier", ["QMI1-AUL", "QMI1-MEU", "QMI1-SCE"]),
        "onglet Comparer": (_TAB, "diagnostic-onglet", ["Comparer les quartiers"]),
        "tous les quartiers": ("toggle", "diagnostic-parcourus", [False, True]),
        "onglet Besoins": (_TAB, "diagnostic-onglet", ["Besoins du terrain"]),
        "terrain compté": ("toggle", "diagnostic-terrain", [True, False]),
        "quartier, Besoins": ("selectbox", "quartier", ["QMI1-AUL", "QMI1-MEU"]),
    },
    "sensing.py": {
        "quartier": ("selectbox", "quartier", ["QMI1-NOI", "QMI1-AUL", "QMI1-SCE", "QMI1-MEU"]),
        "vue": (
            "segmented_control",
            "sensible-vue",
            ["groups", "events", "value", "evidence", "interval", "spots"],
        ),
        "côté des cellules": ("segmented_control", "sensible-cellule", [30, 20, 10, 50]),
        "thème": ("multiselect", "sensible-themes", [["coupures"], []]),
        "groupe": ("multiselect", "sensible-groups", [["residents"], []]),
        "ressenti": ("multiselect", "sensible-signs", [["bad"], ["good"], []]),
        "lieu": ("selectbox", "sensible-lieu", [1, 2]),
        "onglet Désaccords": (_TAB, "sensible-onglet", ["Désaccords et absences"]),
        "onglet Individuel": (_TAB, "sensible-onglet", ["Individuel et collectif"]),
        "onglet Mesure": (_TAB, "sensible-onglet", ["Ressenti et mesure"]),
    },
    "access.py": {
        "quartier": ("selectbox", "quartier", ["QMI1-AUL", "QMI1-MEU", "QMI1-NOI", "QMI1-SCE", "QMI1-AUL"]),
        "pente": ("checkbox", "acces-pente", [True, False]),
        "heure": ("time_input", "acces-heure", [datetime.time(23, 30), None]),
        "départ": ("selectbox", "acces-depart", [0, 2]),
        "premier point": ("selectbox", "acces-point-a", [3, 3]),
        "second point": ("selectbox", "acces-point-b", [4, 6]),
    },
    "intake_page.py": {
        "candidature": ("selectbox", "candidatures-dossier", [1, 2]),
        "onglet Doublons": (_TAB, "candidatures-onglets", ["Doublons probables"]),
    },
    "pairing.py": {
        "maximum": ("number_input", "appariement-maximum", [9, 10]),
        "minimum": ("number_input", "appariement-minimum", [5, 4]),
        "poids": ("slider", "poids-needs", [0.5, 0.75]),
        "poids du terrain": ("slider", "poids-field", [0.5, 0.0]),
        "quartiers": ("multiselect", "appariement-quartiers", [["QMI1-AUL", "QMI1-NOI", "QMI1-MEU"], ["QMI1-AUL"]]),
        "candidats": ("radio", "appariement-candidats", ["Candidatures de l’étude", "Projets réels de l’édition 1"]),
        "quartiers, tous": (
            "multiselect",
            "appariement-quartiers",
            [["QMI1-AUL", "QMI1-MEU", "QMI1-NOI", "QMI1-SCE"]],
        ),
        "onglet Scores": (_TAB, "appariement-onglets", ["Scores"]),
        "onglet Pourquoi": (_TAB, "appariement-onglets", ["Pourquoi"]),
        "projet": ("selectbox", "appariement-projet", [3, 5]),
        "quartier du projet": ("selectbox", "appariement-quartier", [1, 2]),
        "onglet Solidité": (_TAB, "appariement-onglets", ["Solidité"]),
        "onglet Jury": (_TAB, "appariement-onglets", ["Jury"]),
        "onglet Vague suivante": (_TAB, "appariement-onglets", ["Vague suivante"]),
        "onglet Vérification": (_TAB, "appariement-onglets", ["Vérification"]),
    },
    "covering.py": {
        "quartier": ("selectbox", "quartier", ["QMI1-MEU", "QMI1-NOI", "QMI1-AUL"]),
        "onglet À portée": (_TAB, "sites-onglet", ["À portée de marche"]),
        "marche": ("segmented_control", "sites-minutes", [10, 15, 5]),
        "quartier, À portée": ("selectbox", "quartier", ["QMI1-MEU", "QMI1-NOI", "QMI1-AUL"]),
        "onglet Prochains lieux": (_TAB, "sites-onglet", ["Prochains lieux"]),
        "lieux à ouvrir": ("number_input", "sites-nombre", [1, 2]),
        "question": ("selectbox", "sites-modele", [1, 2, 0]),
        "marche qui sert": ("number_input", "sites-marche", [8, 5]),
        "exigé": ("multiselect", "sites-exige", [["power"], []]),
        "quartier, Prochains": ("selectbox", "quartier", ["QMI1-MEU", "QMI1-NOI", "QMI1-AUL"]),
    },
    "evaluating.py": {
        "onglet Résultats": (_TAB, "evaluation-onglet", ["Protocole et résultats"]),
        "onglet Bibliothèque": (_TAB, "evaluation-onglet", ["Bibliothèque d’indicateurs"]),
        "échelle": ("multiselect", "evaluation-echelle", [["ville"], []]),
        "onglet Ailleurs": (_TAB, "evaluation-onglet", ["Et ailleurs ?"]),
    },
    "publication.py": {
        "édition": ("segmented_control", "edition", ["candidates", "public"]),
        "étendue": ("segmented_control", "etendue", ["Toute l’étude", "Ce quartier"]),
        "quartier": ("selectbox", "quartier", ["QMI1-MEU", "QMI1-NOI"]),
    },
    "records.py": {"table": ("selectbox", "donnees-table", ["communes", "districts", "observations", "lexicon"])},
    "origins.py": {
        "recherche": ("text_input", "cherche", ["F015", ""]),
        "contradiction": ("selectbox", "contradiction", [1, 2]),
    },
}
#: Long work, which shows a bar and can be stopped: measured, not held to the target.
LONG: dict[str, dict[str, tuple[str, str, list[Any]]]] = {
    "pairing.py": {f"solidité, {name}": ("toggle", f"solidite-{name}", [True]) for name in _STUDIES},
    "access.py": {"classement": ("toggle", "acces-classer", [True])},
}


class Clock:
    """Keeps the processor time of each run of the script."""

    def __init__(self, run: Callable[[], None]) -> None:
        self.milliseconds: list[float] = []
        self._run = run

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
    """Change each filter of each page, then open each page in a browser."""
    warnings.simplefilter("ignore")
    if "--once" in sys.argv:
        once()
        return
    reruns()
    if "--no-browser" not in sys.argv:
        first_paints()


def reruns() -> None:
    """Print the processor time of each change of filter: a value never seen before, then one seen already.

    A value is new once a process: `RUNS` processes try them all, and the least of each value is kept.
    """
    again = [sys.executable, __file__, "--once"]
    tried = [subprocess.run(again, capture_output=True, text=True, check=True).stdout for _ in range(RUNS)]
    runs = [json.loads(one.splitlines()[-1]) for one in tried]
    reference = min(run["empty"] for run in runs)
    print(f"Rerun of an empty page: {reference:.2f} ms of processor; least of {RUNS} processes")
    for file, filters in FILTERS.items():
        print(f"{file:<16} opened {min(run['opened'][file] for run in runs):6.0f} ms")
        for name in filters:
            new, seen = (_worst([run[kind][file][name] for run in runs]) for kind in ("new", "seen"))
            verdict = "≤" if new <= TARGET_MS else ">"
            print(
                f"    {name:<24} new value {new:6.0f} ms {verdict} {TARGET_MS}   seen value {seen:5.0f} ms"
                f"   {new / reference:5.0f} × empty"
            )
        for name in LONG.get(file, {}):
            print(f"    {name:<24} long work {_worst([run['new'][file][name] for run in runs]):6.0f} ms")


def _worst(runs: list[list[float]]) -> float:
    """Return the most of the values of a filter, each as its quickest run took it."""
    return float(max(min(times) for times in zip(*runs, strict=True)))


def once() -> None:
    """Print, as one line of JSON, the milliseconds of one process."""
    nothing = AppTest.from_function(empty_page).run()
    found: dict[str, Any] = {"empty": min(_empty_ms(nothing) for _ in range(RUNS)), "opened": {}, "new": {}, "seen": {}}
    compiled = ScriptCache()  # as a server: each script is compiled once, not at every run
    local_script_runner.ScriptCache = lambda: compiled  # type: ignore[attr-defined,assignment]
    clock = Clock(dashboard.run)
    dashboard.run = clock
    app = AppTest.from_file(str(dashboard._FOLDER / "app.py"), default_timeout=300).run()
    for file, filters in FILTERS.items():
        app = app.switch_page(file).run()
        found["opened"][file] = clock.milliseconds[-1]
        for kind in ("new", "seen"):
            found[kind][file] = {}
        for name, (widget, key, values) in filters.items():
            for kind in ("new", "seen"):
                found[kind][file][name] = [_changed(app, widget, key, value, clock) for value in values]
        for name, (widget, key, values) in LONG.get(file, {}).items():
            found["new"][file][name] = [_changed(app, widget, key, value, clock) for value in values]
    print(json.dumps(found))


def _empty_ms(app: AppTest) -> float:
    return float(app.run().session_state["took_ms"])


def _changed(app: AppTest, kind: str, key: str, value: Any, clock: Clock) -> float:
    """Give a widget a value, or open a tab; return the milliseconds of the run that follows."""
    if kind == _TAB:
        app.session_state[key] = value
    else:
        widget: Any = next((one for one in app.get(kind) if str(one.key).startswith(key)), None)
        if widget is None:
            raise SystemExit(f"{kind} « {key} » is not on this page any more: {[one.key for one in app.get(kind)]}.")
        (widget.select_index if isinstance(value, int) and kind == "selectbox" else widget.set_value)(value)
    app.run()
    for error in app.exception:
        print(f"    {key} = {value}: {error.message}", file=sys.stderr)
    return clock.milliseconds[-1]


def first_paints() -> None:
    """Print when each page shows its heading, over when an empty page does."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        script = Path(folder) / "empty.py"
        script.write_text(_EMPTY, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        plain = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port"]
        arguments, environment = dashboard.command()
        with _served(plain, dict(os.environ)) as empty, _served([*arguments, "--server.port"], environment) as ours:
            reference = _painted_ms(browser, empty)
            print(f"First paint (h1 visible), median of {RUNS}: empty page {reference:.0f} ms")
            for file, _, address, _ in dashboard.PAGES:
                took = _painted_ms(browser, f"{ours}/{address}")
                verdict = "≤" if took <= TARGET_RATIO * reference else ">"
                print(f"{file:<16} {took:6.0f} ms  {took / reference:4.2f} × empty {verdict} {TARGET_RATIO}")
        browser.close()


def _painted_ms(browser: Any, url: str) -> float:
    times = []
    for _ in range(RUNS + 1):
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.locator("h1").first.wait_for(state="visible", timeout=120_000)
        times.append(1000 * (time.perf_counter() - start))
        page.close()
    return median(times[1:])


@contextmanager
def _served(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """Serve a Streamlit script on a free port; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = ["--server.headless", "true", "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false"]
    process = subprocess.Popen(
        [*command, str(port), *quiet], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):  # noqa: S310 — this machine
                    break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


if __name__ == "__main__":
    main()
