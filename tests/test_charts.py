"""Charts say in words and rows what they draw; the same chart is the same bytes; what is missing is never zero."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from geo_qmi import charts, jury, walking
from geo_qmi.charts import Change, Spoke, Step, board, drawing
from geo_qmi.charts.timeline import stretch
from geo_qmi.dashboard import STUDY_VARIABLE, chart_panel, programme_charts
from geo_qmi.errors import InputError
from geo_qmi.severance import Severance

PACKAGE = Path(charts.__file__).parent
SCRIPT = PACKAGE.parent / "dashboard" / "app.py"
#: Words English has and French has not; identifiers of the code that would leak into a title.
ENGLISH = re.compile(r"\b(the|of|and|rank|score_|unknown|district|nan|None|share|count|median)\b")
#: Least contrast of letters on their ground (WCAG 2.2, AA), and of two neighbouring classes.
LETTERS, CLASSES = 4.5, 1.6

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


#: Points of a drawing in a millimetre.
MM = 72 / 25.4


def height(chart) -> float:
    """Return the height of a drawing, in points."""
    return float(ET.fromstring(charts.svg(chart)).attrib["height"].removesuffix("pt"))  # noqa: S314 - our own


def a_funnel():
    steps = [Step("candidatures", 168, source="003:L1155"), Step("entendus", None), Step("retenus", 30, "2 inconnus")]
    return charts.funnel(steps, title="Projets", credits=("003",))


def a_matrix(**changed):
    scores = pd.DataFrame({"A": [0.1, 0.9, np.nan], "B": [0.4, 0.5, 0.6]}, index=list("pqr"))
    given = {
        "low": scores.sub(pd.Series({"p": 0.0, "q": 0.1, "r": 0.0}), axis=0),
        "high": scores,
        "plan": [("q", "A")],
        "projects": {"p": "Banc", "q": "Arbre", "r": "Cour"},
        "districts": {"A": "Aulnay", "B": "Meudon"},
        "noun": "projet",
    }
    return charts.score_matrix(scores, **given | changed)


def some_minutes():
    return charts.minutes_gained(pd.Series([0.0, 0.0, 1.0, 3.0, 8.0]), linked=2, unmeasured=1, place="Aulnay")


def a_timeline():
    events = pd.DataFrame(
        {"label": ["Lancement", "Label"], "date": ["2022-11", "2025"], "source": ["002:L3", "003:L67"]}
    )
    deployed = pd.DataFrame(
        {"label": ["Banc", "Arbre", "Cour"], "date": ["2024-05", "2024 (été)", None], "source": ["1", "2", "3"]}
    )
    return charts.timeline(events, deployments=deployed, title="Dates", closing=("Fin", "2025-02"))


def some_ranks():
    table = pd.DataFrame(
        {"project_id": list("ppqqq"), "rank": [1, 2, 1, 2, 9], "acceptability": [0.7, 0.3, 0.3, 0.5, 0.2]}
    )
    return charts.rank_shares(table, names={"p": "Banc", "q": "Arbre"}, district="Aulnay", places=8)


def a_profile():
    spokes = [
        Spoke("Expérimentation déployée", 2, 2, 3, n_raters=2, meaning="Test lancé"),
        Spoke("Traction commerciale", 1, 1, 1, n_raters=1, meaning="Un peu"),
        Spoke("Potentiel d’industrialisation", None, missing="aucune note"),
        Spoke("Facilité opérationnelle", 0, n_raters=1, meaning="Ingénierie très lourde"),
        Spoke("Stabilité financière", 3, n_raters=1, meaning="Structure rentable"),
    ]
    return charts.radar(spokes, title="Profil du banc")


def some_changes():
    lines = [
        Change("Chaleur", "°C", 38.2, 35.1, 35, 37.9, 37.4, note="une baisse est recherchée"),
        Change("Assis", "personnes", 4, 11, 10),
        Change("Eau", "m³", 12, None, 10),
        Change("Avis", "sur 5"),
    ]
    return charts.changes(lines, title="Avant et après")


ALL = (a_funnel, a_matrix, some_minutes, a_timeline, some_ranks, a_profile, some_changes)


@pytest.mark.parametrize("build", ALL)
def test_svg_is_xml_and_carries_title_and_words(build):
    chart = build()
    root = ET.fromstring(charts.svg(chart))  # noqa: S314 - our own bytes
    words = [element.text for element in root.iter() if element.text and element.text.strip()]
    assert chart.heading in words
    assert chart.description in words
    assert root.tag.endswith("svg")


@pytest.mark.parametrize("build", ALL)
def test_the_same_chart_is_the_same_bytes(build):
    assert charts.svg(build()) == charts.svg(build())
    first = charts.png(build(), dpi=60)
    assert first == charts.png(build(), dpi=60)
    assert Image.open(io.BytesIO(first)).width == pytest.approx(board.WIDTH_MM / 25.4 * 60, abs=1)


@pytest.mark.parametrize("build", ALL)
def test_no_english_reaches_the_reader(build):
    chart = build()
    drawn = " ".join(re.findall(r"<!-- (.*?) -->", charts.svg(chart)))
    assert drawn
    told = f"{chart.heading} {chart.description} {' '.join(chart.table.columns)} {drawn}"
    assert ENGLISH.findall(told) == []


def test_drawn_words_stay_on_the_sheet():
    chart = a_matrix(projects={"p": "B" * 300, "q": "Arbre", "r": "Cour"})
    assert "…" in charts.svg(chart)
    assert chart.table["Projet"].str.len().max() == 300
    picture = np.asarray(Image.open(io.BytesIO(charts.png(chart, dpi=60))).convert("L"))
    assert picture[:, -3:].min() == 255
    assert picture[:, :3].min() == 255


def test_each_step_of_a_funnel_has_its_denominator():
    chart = a_funnel()
    assert chart.table["Nombre"].tolist() == ["168", "non publié", "30"]
    assert chart.table["Sur"].astype("object").where(chart.table["Sur"].notna(), None).tolist() == [None, None, 168]
    assert [bar.text for bar in chart.drawing.bars] == ["168", "non publié", "30/168"]
    assert "30/168 retenus" in chart.description
    assert "n’est pas un zéro" in chart.description


def test_a_matrix_says_values_intervals_plan_and_unknown():
    table = a_matrix().table.set_index("Projet")
    assert table.loc["Banc", "Aulnay"] == "0,10"
    assert table.loc["Arbre", "Aulnay"] == "0,90 [0,80–0,90] ✓"
    assert table.loc["Cour", "Aulnay"] == "inconnu"
    assert "0,90 (« Arbre », Aulnay)" in a_matrix().description
    assert "médiane de 0,50" in a_matrix().description  # 0.1 0.4 0.5 0.6 0.9
    assert "données de démonstration" in a_matrix(demo=True).heading


def test_a_long_matrix_draws_the_plan_first_and_tables_everything():
    ids = [f"p{n:03}" for n in range(60)]
    scores = pd.DataFrame({"A": np.linspace(1, 0, 60)}, index=ids)
    chart = charts.score_matrix(
        scores, low=scores, high=scores, plan=[("p059", "A")], projects={one: one for one in ids},
        districts={"A": "Aulnay"}, noun="candidature",
    )  # fmt: skip
    assert chart.drawing.rows == (*ids[:39], "p059")
    assert len(chart.table) == 60
    assert chart.title.endswith("40 dessinées")


def test_minutes_are_counted_by_class_and_zero_stands_apart():
    chart = some_minutes()
    rows = dict(zip(chart.table.iloc[:, 0], chart.table.iloc[:, 1], strict=True))
    assert rows["0 (rien ne change)"] == 2
    assert rows["plus de 0, jusqu’à 1"] == 1  # a bound belongs to the class it closes
    assert rows["plus de 2, jusqu’à 3"] == 1
    assert rows["plus de 7, jusqu’à 8"] == 1
    assert rows["chemin nouveau, sans minutes à comparer"] == 2
    assert sum(rows.values()) == 8
    assert chart.drawing.median_min == 3.0
    assert "médiane est de 3,0 min" in chart.description


def test_a_window_runs_eighteen_months_after_a_deployment():
    table = a_timeline().table.set_index("Quoi")
    window = table["Fenêtre de 18 mois"]
    assert window["Banc"] == "mai 2024 à nov. 2025"
    assert window["Arbre"] == "entre juin 2024 et août 2024, jusqu’à déc. 2025 au plus tôt, févr. 2026 au plus tard"
    assert pd.isna(table.loc["Cour", "Date publiée"])
    assert a_timeline().drawing.undated == ("Cour",)
    assert {line.label for line in a_timeline().drawing.lines} == {"Lancement", "Label", "Banc", "Arbre"}


@pytest.mark.parametrize(
    ("text", "months", "fills"),
    [
        ("2022", 12, False),
        ("2022-11", 1, True),
        ("2024 (été)", 3, False),
        ("2026 (début)", 12, False),
        ("2023/2025", 36, True),
        ("2025-02 (13 ou 14)", 1, True),
    ],
)
def test_published_dates_are_as_long_as_they_say(text, months, fills):
    found = stretch(text)
    assert found.last - found.first == months
    assert found.fills is fills


def test_what_is_no_date_has_no_place():
    assert stretch("bientôt") is None
    assert stretch(float("nan")) is None


def test_ranks_add_up_and_are_sorted():
    table = some_ranks().table
    assert table.columns.tolist() == ["Projet", "premier", "rangs 2 à 3", "rangs 4 à 8", "au-delà du rang 8"]
    assert table.set_index("Projet").loc["Arbre"].tolist() == [0.3, 0.5, 0.0, 0.2]
    assert table["Projet"].tolist() == ["Banc", "Arbre"]
    assert "« Banc » est le plus souvent premier" in some_ranks().description
    assert "1 candidat reste toujours dans les 8 premiers" in some_ranks().description


def test_ranks_of_a_comparison_come_from_every_criterion_that_counts():
    price = pd.DataFrame({"A": [1.0, 0.0]}, index=["p", "q"])
    place = pd.DataFrame({"A": [0.0, 1.0]}, index=["p", "q"])
    both = Compared({"price": price, "place": place})
    found = jury.rank_shares(both)
    assert found.groupby("project_id")["acceptability"].sum().round(9).to_dict() == {"p": 1.0, "q": 1.0}
    assert jury.rank_shares(Compared({"price": price})).empty  # one criterion: no weight can vary


class Compared:
    """What `jury.rank_shares` asks of a matching."""

    def __init__(self, criteria):
        self.criteria = criteria

    def by_criterion(self, end):
        return self.criteria


def test_minutes_gained_are_those_of_the_same_pair():
    def cut(delays):
        pairs = gpd.GeoDataFrame({"delay_min": delays}, geometry=[None] * len(delays))
        return walking.Cut(Severance(pd.DataFrame(), pairs, pairs, pairs), "hectares", (), ())

    found = walking.gained(cut([5.0, 4.0, np.nan, np.nan]), cut([2.0, 4.0, 3.0, np.nan]))
    assert found.minutes.tolist() == [3.0, 0.0]
    assert (found.linked, found.unmeasured) == (1, 1)


def test_a_missing_criterion_is_a_gap_and_zero_is_a_level():
    chart = a_profile()
    table = chart.table.set_index("Critère")
    assert pd.isna(table.loc["Potentiel d’industrialisation", "Niveau (0 à 3)"])
    assert table.loc["Facilité opérationnelle", "Niveau (0 à 3)"] == 0
    assert table.loc["Expérimentation déployée", "Note la plus haute"] == 3
    assert "4 critères évalués sur 5" in chart.description
    assert "Potentiel d’industrialisation : non évalué (aucune note)." in chart.description
    assert "Expérimentation déployée : 2 sur 3, « Test lancé » ; 2 évaluateurs, notes de 2 à 3." in chart.description
    assert "total" not in chart.description.casefold()


def test_no_line_of_a_profile_crosses_a_missing_criterion(monkeypatch):
    drawn = []
    monkeypatch.setattr(board.Board, "area", lambda _self, corners, **look: drawn.append(look))
    charts.svg(a_profile())
    sides = [look for look in drawn if "opacity" in look]
    assert len(sides) == 3  # five neighbours, two of them beside the gap


def test_level_zero_stands_away_from_the_centre(monkeypatch):
    spots = []
    monkeypatch.setattr(board.Board, "dot", lambda _self, spot, **_look: spots.append(spot))
    charts.svg(charts.radar([Spoke(name, 0) for name in "abcde"], title="Zéro"))
    profile = spots[:5]  # the last one is in the key
    middle = np.mean(profile, axis=0)
    assert np.hypot(*(np.array(profile) - middle).T).round(6).tolist() == [9.5] * 5  # a quarter of 38 mm


def test_changes_say_before_after_aim_and_comparison():
    chart = some_changes()
    assert "Chaleur : 38,2 °C puis 35,1 °C, seuil 35 °C, lieu de comparaison 37,9 °C puis 37,4 °C." in chart.description
    assert "Eau : 12 m³ puis pas de mesure, seuil 10 m³." in chart.description
    assert chart.description.startswith("2 indicateurs mesurés avant et après, sur 4.")
    assert chart.drawing.unmeasured == ("Avis",)
    assert pd.isna(chart.table.set_index("Indicateur").loc["Eau", "Après"])


EMPTY = {
    "profile": lambda: charts.radar([Spoke(name, None) for name in "abcde"], title="Profil"),
    "changes": lambda: charts.changes([Change("Avis")], title="Avant et après"),
    "funnel": lambda: charts.funnel([Step("candidatures", None)], title="Projets"),
    "matrix": lambda: charts.score_matrix(
        pd.DataFrame(), low=pd.DataFrame(), high=pd.DataFrame(), plan=[], projects={}, districts={}, noun="projet"
    ),
    "minutes": lambda: charts.minutes_gained(pd.Series(dtype=float), unmeasured=3),
    "timeline": lambda: charts.timeline(
        pd.DataFrame(columns=["label", "date", "source"]),
        deployments=pd.DataFrame({"label": ["Banc"], "date": [None], "source": ["1"]}),
        title="Dates",
    ),
    "ranks": lambda: charts.rank_shares(
        pd.DataFrame(columns=["project_id", "rank", "acceptability"]), names={}, district="Aulnay", places=8
    ),
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_draw_is_a_sentence(name):
    chart = EMPTY[name]()
    assert chart.nothing.endswith(".")
    with pytest.raises(InputError, match="sans rien à dessiner"):
        charts.svg(chart)


def contrast(first: str, second: str) -> float:
    light, dark = sorted((board.luminance(first), board.luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_letters_are_read_on_every_ground():
    grounds = [drawing.BLUE, *drawing.CLASSES, *(drawing.shade(share) for share in np.linspace(0, 1, 41))]
    assert min(contrast(board.ink_on(ground), ground) for ground in grounds) >= LETTERS


def test_classes_are_told_apart_in_grey():
    assert min(contrast(*pair) for pair in pairwise(drawing.CLASSES)) >= CLASSES
    shades = [board.luminance(drawing.shade(share)) for share in np.linspace(0, 1, 11)]
    assert shades == sorted(shades, reverse=True)


def test_importing_charts_loads_no_drawing_library():
    code = "import sys, geo_qmi.charts; print('matplotlib' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_only_the_drawing_modules_know_the_pen():
    users = {
        path.name
        for path in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "geo_qmi.plate"
    }
    assert users == {"board.py", "drawing.py"}


def test_a_table_leaves_as_french_csv_and_runs_nothing():
    chart = a_matrix(projects={"p": "=1+1", "q": "Arbre", "r": "Cour"})
    text = chart_panel.to_csv(chart).decode("utf-8-sig")
    assert text.splitlines()[0] == "Projet;Aulnay;Meudon"
    assert "'=1+1;0,10;" in text


def test_the_shipped_programme_has_four_funnels(shipped):
    drawn = {chart.title: chart for chart in programme_charts.funnels(shipped, None)}
    assert [bar.text for bar in drawn["Projets, édition 1"].drawing.bars] == [
        "168", "30/168", "28/30", "18/28", "18/18",
    ]  # fmt: skip
    assert [bar.text for bar in drawn["Communes, édition 2"].drawing.bars] == ["non publié", "non publié", "6"]
    assert "10 projets sans statut" in drawn["Projets, édition 1"].description


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_endless_names_and_far_dates_keep_a_chart_readable():
    endless = "🏙️" + "x" * 10_000
    heads = a_matrix(districts={"A": endless, "B": "Meudon"})
    assert height(heads) < height(a_matrix()) + 8 * 4.2 * MM
    dates = pd.DataFrame({"label": [endless, "Label"], "date": ["1800", "9999-12"], "source": ["1", "2"]})
    far = charts.timeline(dates, deployments=dates.head(0), title="Dates")
    assert height(far) < height(a_timeline()) + 8 * 4.0 * MM
    assert charts.svg(far).count("<g") < 2 * charts.svg(a_timeline()).count("<g") + 600
    assert heads.table.columns.str.len().max() >= len(endless)  # the table has it whole
    long = charts.changes([Change(endless, endless, 1, 2, note=endless), Change(endless)], title=endless)
    assert height(long) < height(some_changes()) + 8 * 4.2 * MM
    spokes = [Spoke(endless, 1, meaning=endless), Spoke("b", None, missing=endless), Spoke("c", 3)]
    assert height(charts.radar(spokes, title=endless)) < height(a_profile()) + 8 * 4.2 * MM


def test_the_shipped_timeline_draws_three_windows(shipped):
    chart = programme_charts.timeline(shipped, 1)
    assert [line.label for line in chart.drawing.lines if line.window] == ["Source Urbaine", "Pelican", "Purple"]
    assert len(chart.drawing.undated) == 25
    assert "Fin de l’accompagnement : févr. 2025" in chart.description
    assert "Fin de l’accompagnement" not in programme_charts.timeline(shipped, 2).description


def opened(file: str) -> AppTest:
    return AppTest.from_file(str(SCRIPT), default_timeout=120).run().switch_page(file).run()


def pictures(app: AppTest) -> list[str]:
    return [image.alt for element in app.get("image") for image in element.proto.imgs]


def shown_in(app: AppTest, tabs: str, title: str) -> list[str]:
    app.session_state[tabs] = title
    app.run()
    assert not app.exception
    return pictures(app)


def test_the_programme_page_shows_its_charts(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    app = opened("programme.py")
    assert not pictures(app)  # drawn when somebody looks
    told = shown_in(app, "programme-onglet", "Sélection")
    assert len(told) == 4
    assert any(words.startswith("Projets, édition 1. ") and "30/168 retenus" in words for words in told)
    app.segmented_control(key="programme-edition").set_value("2").run()
    assert not app.exception
    assert len(pictures(app)) == 2
    assert len(shown_in(app, "programme-onglet", "Programmes et dates")) == 1


def test_the_pairing_page_shows_scores(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    app = opened("pairing.py")
    assert not app.exception
    told = shown_in(app, "appariement-onglets", "Scores")
    assert [words.split(" : ")[0] for words in told] == ["Accord entre 0 et 1"]
