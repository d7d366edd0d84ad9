"""Long work names its stages, stops when it is asked to, and leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi import jury, matching, walking
from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE, long_work
from geo_qmi.jury import studies
from geo_qmi.matching.identity import likely_duplicates
from geo_qmi.runs import prepare
from geo_qmi.sources import files
from geo_qmi.workspace import Study

SCRIPT = Path(geo_qmi.dashboard.__file__).with_name("app.py")
DISTRICT = "QMI1-AUL"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class EnoughError(Exception):
    """Raised by a watcher that wants no more."""


@pytest.fixture(scope="module")
def given(shipped):
    return walking.terrain(shipped, DISTRICT)


@pytest.fixture(scope="module")
def matched(_study_template):
    prepared = prepare(Study(_study_template, read_only=True), demo=True)
    return prepared, prepared.run()


# The bar ---------------------------------------------------------------------------------------------------------


def page() -> None:
    """Work in two stages; a click on « Arrêter » during the first is what `asked` stands for."""
    import streamlit as st

    from geo_qmi.dashboard import long_work
    from geo_qmi.errors import InputError

    asked = st.session_state.get("demande", "")

    def work(bar: long_work.Bar) -> int:
        bar("Premier **pas**", 0.0)
        if asked == "refus":
            raise InputError("Rien à compter.")
        if asked == "ecriture":
            bar.closing("Écriture")
        if asked and not st.session_state.get("clic"):
            st.session_state["clic"] = True
            long_work.stop("essai")
            st.rerun()
        bar("Second pas", 0.5)
        st.session_state["faits"] = st.session_state.get("faits", 0) + 1
        return 7

    try:
        st.markdown(f"trouvé {long_work.awaited('essai', ('a',), work)}")
    except long_work.Stopped:
        pass
    except InputError as error:
        st.error(str(error))
    st.markdown("la suite")


def shown(asked: str = "") -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["demande"] = asked
    app.run()
    assert not app.exception
    assert app.markdown[-1].value == "la suite"
    return app


def test_work_that_ends_leaves_its_result_and_no_bar():
    app = shown()
    assert app.markdown[0].value == "trouvé 7"
    assert not app.button
    app.run()
    assert app.session_state["faits"] == 1  # kept: no second time


def test_stopped_work_says_where_it_was_and_starts_again_when_asked():
    app = shown("arret")
    assert app.info[0].value == "Arrêté à l’étape « Premier \\*\\*pas\\*\\* » : rien n’a été gardé ni écrit."
    assert "faits" not in app.session_state
    app.run()
    assert "faits" not in app.session_state  # nothing starts by itself
    app.button(key="essai-recommencer").click().run()
    assert app.markdown[0].value == "trouvé 7"
    assert not app.info
    assert not app.button


def test_work_that_refuses_leaves_no_bar_and_is_not_called_stopped():
    app = shown("refus")
    assert app.error[0].value == "Rien à compter."
    assert not app.button
    assert not app.info


def test_a_click_that_comes_too_late_stops_nothing():
    app = shown("ecriture")
    assert app.markdown[0].value == "trouvé 7"
    assert not app.info


# The stages ------------------------------------------------------------------------------------------------------


def stages(work) -> list[tuple[str, float]]:
    told: list[tuple[str, float]] = []
    work(lambda stage, share: told.append((stage, share)))
    return told


@pytest.mark.parametrize("name", ["terrain", "access", "cut", "ranked", "reach", "place"])
def test_walks_name_their_stages(shipped, given, name):
    start = walking.origins(shipped, given).geometry.iloc[0]
    told = stages(
        {
            "terrain": lambda tell: walking.terrain(shipped, DISTRICT, announce=tell),
            "access": lambda tell: walking.access(given, start, name="gare", announce=tell),
            "cut": lambda tell: walking.cut(given, shipped, announce=tell),
            "ranked": lambda tell: walking.ranked(given, announce=tell),
            "reach": lambda tell: walking.reach(given, shipped, announce=tell),
            "place": lambda tell: walking.place(given, shipped, announce=tell),
        }[name]
    )
    shares = [share for _, share in told]
    assert len({stage for stage, _ in told}) > 1
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] < 1


@pytest.mark.parametrize("name", [*jury.STUDIES, "questions", "duplicates"])
def test_studies_of_a_plan_name_their_stages(matched, monkeypatch, name):
    for few, n in (("_PLANS", 2), ("_DRAWS", 3), ("_RANK_DRAWS", 5)):
        monkeypatch.setattr(studies, few, n)
    prepared, found = matched
    if name == "duplicates":
        told = stages(lambda tell: likely_duplicates(prepared.candidates, announce=tell))
    elif name == "questions":
        told = stages(lambda tell: matching.questions(found.appraisal, announce=tell))
    else:
        told = stages(lambda tell: jury.STUDIES[name](prepared, found, announce=tell))
    shares = [share for _, share in told]
    assert len({stage for stage, _ in told}) > 1
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] < 1


def test_work_ends_where_its_stages_are_wanted_no_more(given):
    def enough(stage: str, _: float) -> None:
        if stage.startswith("Franchissement 2 "):
            raise EnoughError

    with pytest.raises(EnoughError):
        walking.ranked(given, announce=enough)


def test_a_file_is_read_no_further_than_its_watcher_wants(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_BEAT_S", 0.001)  # a child needs far more to start
    path = tmp_path / "a.csv"
    path.write_text("a;b\n1;2\n")

    def enough() -> None:
        raise EnoughError

    with pytest.raises(EnoughError), files.watched(enough):
        files.read_file(path)
    assert files.read_file(path)[0].n_in == 1  # nobody watches any more


# The pages -------------------------------------------------------------------------------------------------------


def test_a_ranking_stopped_leaves_the_page_whole(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)
    real = walking.ranked

    def stopped(*args, **options):
        monkeypatch.setattr(walking, "ranked", real)
        options["announce"]("Franchissement 1 sur 26", 0.0)
        long_work.stop("classement")
        st.rerun()

    monkeypatch.setattr(walking, "ranked", stopped)
    app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
    app.query_params["quartier"] = DISTRICT
    app.query_params["acces-classer"] = "true"
    app = app.switch_page("access.py").run()
    assert not app.exception
    assert "Arrêté à l’étape « Franchissement 1 sur 26 »" in app.info[0].value
    assert any(one.value == "## Ce que coûtent les coupures" for one in app.markdown)
    assert any("Terrain utilisé" in one.label for one in app.expander)
    app.button(key="classement-recommencer").click().run()
    assert not app.exception
    assert any("n’est pas stable" in one.value for one in app.caption)
    assert not [one for one in app.button if one.key == "classement-recommencer"]


@pytest.mark.parametrize(
    ("tab", "toggle", "slow", "key", "stage"),
    [
        ("Pourquoi", "", "refusals", "solidite-pourquoi-pas", "Ce que les règles permettent"),
        ("Pourquoi", "appariement-fiche", "sheet", "solidite-fiche", "Ce qui explique le plan"),
        ("Vague suivante", "vague-partir", "following", "vague", "Recherche du plan de la vague"),
    ],
)
def test_an_answer_to_the_jury_stopped_leaves_the_page_whole(monkeypatch, tab, toggle, slow, key, stage):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)
    real = getattr(jury, slow)

    def stopped(*args, **options):
        monkeypatch.setattr(jury, slow, real)
        long_work.stop(key)
        st.rerun()

    app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
    app.query_params["appariement-onglets"] = tab
    if not toggle:
        monkeypatch.setattr(jury, slow, stopped)
    app = app.switch_page("pairing.py").run()
    if toggle:
        monkeypatch.setattr(jury, slow, stopped)
        app.toggle(key=toggle).set_value(True).run()
    assert not app.exception
    assert any(f"Arrêté à l’étape « {stage} »" in one.value for one in app.info)
    assert any(one.label == "Télécharger les données de cette page" for one in app.expander)
    app.button(key=f"{key}-recommencer").click().run()
    assert not app.exception
    assert not [one for one in app.button if one.key == f"{key}-recommencer"]


def test_a_walk_stopped_before_its_writing_leaves_the_study_as_it_was(study, monkeypatch):
    from geo_qmi.intake import walks

    before = study.fingerprint()
    walk = Path(__file__).parent / "fixtures" / "field" / "csv" / "marche_fr.csv"
    copy = study.path.parent / walk.name
    shutil.copy(walk, copy)

    def enough(stage: str, _: float) -> None:
        if stage == walks.WRITING:
            raise EnoughError

    with pytest.raises(EnoughError):
        walks.import_walk(study, copy, session="AUL-2026-05-16", district=DISTRICT, announce=enough)
    assert study.fingerprint() == before
