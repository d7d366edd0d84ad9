"""Every page before a study nobody should have written: no exception, no markup read, a sentence where damaged."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
import shapely
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi.dashboard import PAGES, READ_ONLY_VARIABLE, STUDY_VARIABLE
from geo_qmi.workspace import Study

SCRIPT = Path(geo_qmi.dashboard.__file__).with_name("app.py")
FILES = [file for file, *_ in PAGES]
MARKUP = (
    "![x](http://ailleurs.example/i.png)<script>alert(1)</script> [clic](javascript:alert(1)) $E=mc^2$ :red[r] | `c`"
)
NAMES = [MARKUP, "🏙️ \u202eسوق\u202c", "=1+1;DROP TABLE", "x" * 10_000, " ", "NaN", "None", "0", "../../etc/passwd"]

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",
    "ignore:GeoSeries.notna:UserWarning",
    "ignore:Glyph:UserWarning",  # no sign of the font for an emoji: a box is drawn
)


def hostile(shipped) -> dict[str, pd.DataFrame]:
    """Return tables that the schema lets through, with words, dates and places nobody expects."""
    tables = dict(shipped)
    for name, columns in {
        "districts": ("name", "challenge", "context_district"),
        "projects": ("name", "description", "family", "operator"),
        "applications": ("name", "description"),
        "objectives": ("objective",),
        "sites": ("name",),
        "stations": ("name",),
        "sessions": ("title",),
        "observations": ("verbatim", "wished"),
        "statements": ("statement",),
        "workshop_items": ("label",),
        "candidate_places": ("name",),
        "contradictions": ("subject", "finding", "treatment"),
        "figures": ("meaning",),
        "fund_projects": ("title", "carrier"),
        "programmes": ("name", "facts"),
    }.items():
        frame = tables[name].copy()
        for column in columns:
            frame[column] = [NAMES[row % len(NAMES)] for row in range(len(frame))]
        tables[name] = frame
    for name, point in (("stations", (0, 0)), ("sites", (float("nan"), float("nan"))), ("observations", (0, 0))):
        frame = tables[name].copy()
        frame.loc[frame.index[0], "geometry"] = shapely.Point(*point)
        tables[name] = frame
    events = tables["timeline"]
    far = pd.Series(["9999-12-31", "1800-01-01"] * len(events)).head(len(events)).to_numpy()
    figures = tables["figures"]
    huge = figures["value"].mask(figures["figure_id"].str.endswith("1"), 1e15)
    return tables | {"timeline": events.assign(date=far, event=MARKUP), "figures": figures.assign(value=huge)}


@pytest.fixture(scope="module")
def made(shipped, tmp_path_factory) -> Path:
    return Study.create(tmp_path_factory.mktemp("hostile") / "hostile.gpkg", hostile(shipped)).path


@pytest.fixture
def path(made, monkeypatch) -> Path:
    """File of the hostile study, open in the dashboard; no test writes it."""
    monkeypatch.setenv(STUDY_VARIABLE, str(made))
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)
    return made


def walk(files: list[str]):
    app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
    for file in files:
        yield file, app if file == FILES[0] else app.switch_page(file).run()


def read_as_markup(app: AppTest) -> list[str]:
    """Return what a browser would read as markup among the words shown."""
    kinds = ("markdown", "caption", "info", "warning", "success", "error")
    told = [element.value for kind in kinds for element in app.get(kind)]
    told += [element.label for kind in ("checkbox", "toggle", "tab", "expander", "metric") for element in app.get(kind)]
    alive = re.compile(r"(?<!\\)(!\[x|\[clic\]|\$E|:red\[|<script)")
    html = [element.proto.body for element in app.get("html") if "alert(1)" in element.proto.body]
    return [text for text in told if alive.search(text)] + html


def test_hostile_words_places_and_dates_are_shown_as_text_on_every_page(path):
    for file, app in walk(FILES):
        assert not app.exception, file
        assert not read_as_markup(app), file
        assert len(app.title) == 1, file


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("programme.py", "programme-onglet"),
        ("diagnosis.py", "diagnostic-onglet"),
        ("sensing.py", "sensible-onglet"),
        ("access.py", "acces-onglet"),
        ("pairing.py", "appariement-onglets"),
        ("covering.py", "sites-onglet"),
        ("evaluating.py", "evaluation-onglet"),
    ],
)
def test_hostile_words_are_text_in_the_tabs_that_open_later(path, file, key):
    (_, app), *_ = walk([file])
    titles = [tab.label for tab in app.tabs]
    assert len(titles) > 2
    for title in titles:
        app.session_state[key] = title
        app.run()
        assert not app.exception, title
        assert not read_as_markup(app), title
        assert not app.error, title


def test_hostile_words_are_text_in_what_is_made_when_asked(path):
    (_, app), *_ = walk(["pairing.py"])
    for tab, asked in (("Pourquoi", "appariement-fiche"), ("Solidité", "solidite-stable")):
        app.session_state["appariement-onglets"] = tab
        app.run()
        app.toggle(key=asked).set_value(True).run()
        assert not app.exception, asked
        assert not read_as_markup(app), asked


def test_every_file_of_publication_is_made_from_hostile_words_and_none_reads_as_markup(path):
    (_, app), *_ = walk(["publication.py"])
    app.segmented_control(key="edition").set_value("jury").run()
    app.multiselect(key="dossier-cartes").set_value([]).run()
    app.button(key="couches-lister").click().run()
    for key in ("papier", "page", "table", "dossier", "atelier"):
        app.button(key=f"{key}-faire").click().run()
        assert not app.exception, key
        assert not app.error, key
        assert not read_as_markup(app), key
        _, made = app.session_state[f"fait-{key}"]
        assert made.content, key
        assert b"<script>alert(1)" not in made.content, key


def test_an_edition_that_would_let_unread_words_out_is_refused_in_a_sentence(path):
    """Titles of sessions repeat here what somebody said: nothing is drawn."""
    (_, app), *_ = walk(["publication.py"])
    app.button(key="papier-faire").click().run()
    assert not app.exception
    assert "Édition refusée" in app.error[0].value
    assert not read_as_markup(app)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ('ALTER TABLE "projects" RENAME COLUMN "name" TO "nom"', "(name) est obligatoire et manque sur 28 lignes"),
        ("UPDATE districts SET insee = NULL", "« Code INSEE » (insee) est obligatoire et manque sur 10 lignes"),
        ("UPDATE sessions SET n_participants = 'beaucoup'", "beaucoup"),
    ],
)
def test_a_file_changed_by_another_tool_is_a_sentence(study, monkeypatch, damage, told):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    with closing(sqlite3.connect(study.path)) as file, file:
        file.execute(damage)
    for page, app in walk(["home.py", "programme.py", "sensing.py"]):
        assert not app.exception, page
        assert told in " ".join(element.value for element in app.error).replace("\\", ""), page


def test_a_table_that_is_gone_is_an_empty_one(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    with closing(sqlite3.connect(study.path)) as file, file:
        file.execute('DROP TABLE "projects"')
    for page, app in walk(FILES):
        assert not app.exception, page
        assert not app.error, page
