"""How are a protocol, an indicator, a measure, marks and a decision written from the page of evaluation?

One form each, closed until somebody opens it, and absent where the study may not be written. What is written is what
`geo_qmi.dashboard.trials` makes of it; every write is in the journal under the name of the person who wrote, and is
undone on the page of data.
"""

from __future__ import annotations

import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_qmi import schema
from geo_qmi.dashboard import state, trials, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.desk.deposits import signed
from geo_qmi.errors import DefectsError, GeoQmiError, InputError
from geo_qmi.vocabulary import MEASURE_SIDES, NEXT_STEPS, THRESHOLD_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from streamlit.delta_generator import DeltaGenerator

    from geo_qmi.dashboard.trials import Criterion, Row

_TOLD, _TURN = "evaluation-bilan", "evaluation-tour"
_ICON = ":material/edit:"


def told() -> None:
    """Say what became of the last write."""
    last = st.session_state.pop(_TOLD, None)
    if last:
        (st.success if last[0] else st.error)(literal(last[1]))


def new_protocol(tables: Mapping[str, pd.DataFrame], district_id: str, *, project_id: str = "") -> None:
    """Let somebody write the protocol of a project of a district; of `project_id` when it is given."""
    if visit.closed():
        return
    offered = trials.without_protocol(tables, district_id)
    titles = visit.told_apart({one: offered[one] for one in ([project_id] if project_id in offered else offered)})
    if not titles:
        return
    title = "Écrire le protocole de ce projet" if project_id else "Écrire le protocole d’un projet"
    with st.expander(title, icon=_ICON), st.form("evaluation-protocole"):
        left, right = st.columns(2)
        left.selectbox(
            "Projet", list(titles), index=0 if project_id else None, format_func=titles.__getitem__,
            placeholder="Choisissez", key=_key("projet"),
        )  # fmt: skip
        _who("Qui écrit", "protocole-qui", box=right)
        st.text_area("Hypothèse : ce que le test doit confirmer ou infirmer", max_chars=1000, key=_key("hypothesis"))
        boxes = st.columns(4)
        _day("Protocole arrêté le", "registered_on", box=boxes[0])
        for box, title, name in zip(
            boxes[1:],
            ("Début du test", "Fin du test", "Déployé le"),
            ("starts_on", "ends_on", "deployed_on"),
            strict=True,
        ):
            box.text_input(f"{title} (peut rester vide)", placeholder="AAAA-MM-JJ", max_chars=10, key=_key(name))
        st.text_input("Comparaison : lieu ou groupe sans la solution", max_chars=300, key=_key("comparison"))
        _submit("Enregistrer ce protocole", partial(_protocol, tables, district_id))


def _protocol(tables: Mapping[str, pd.DataFrame], district_id: str) -> str:
    names = ("hypothesis", "registered_on", "starts_on", "ends_on", "deployed_on", "comparison")
    given = {"project_id": _given("projet") or "", "district_id": district_id} | {name: _given(name) for name in names}
    rows = trials.protocol(tables, given)
    return _append("protocols", rows, reason="protocole d’expérimentation", who=_writer("protocole-qui"))


def indicator(tables: Mapping[str, pd.DataFrame], test: Row, offered: pd.DataFrame) -> None:
    """Let somebody put one of the indicators found in the protocol of a test."""
    if visit.closed() or not isinstance(test["protocol_id"], str):
        return
    chosen = tables["protocol_indicators"]
    there = set(chosen.loc[chosen["protocol_id"] == test["protocol_id"], "indicator_id"])
    free = offered[~offered["indicator_id"].isin(there)]
    titles = visit.told_apart(dict(zip(free["indicator_id"], free["label"], strict=True)))
    if not titles:
        st.caption("Tous les indicateurs trouvés sont déjà dans ce protocole.")
        return
    with (
        st.expander(f"Ajouter au protocole de « {literal(test['project'])} »", icon=_ICON),
        st.form("evaluation-choix"),
    ):
        left, right = st.columns([2, 1])
        left.selectbox("Indicateur", list(titles), format_func=titles.__getitem__, key=_key("choix"))
        _who("Qui choisit", "choix-qui", box=right)
        boxes = st.columns(4)
        boxes[0].number_input("État initial", value=None, key=_key("baseline"))
        boxes[1].number_input("État initial, comparaison", value=None, key=_key("comparison_baseline"))
        boxes[2].number_input("Seuil", value=None, key=_key("threshold"))
        boxes[3].selectbox(
            "Nature du seuil", list(THRESHOLD_KINDS), index=None, format_func=THRESHOLD_KINDS.__getitem__,
            placeholder="Sans seuil", key=_key("threshold_kind"),
        )  # fmt: skip
        boxes = st.columns(4)
        boxes[0].text_input("État initial mesuré le", placeholder="AAAA-MM-JJ", max_chars=10, key=_key("baseline_on"))
        _day("Seuil fixé le", "threshold_on", box=boxes[2])
        _submit("Ajouter cet indicateur", partial(_indicator, test))


def _indicator(test: Row) -> str:
    names = ("baseline", "baseline_on", "comparison_baseline", "threshold", "threshold_kind", "threshold_on")
    given = {name: _given(name) for name in names}
    if given["threshold"] is None:
        given["threshold_on"] = None
    about = {"protocol_id": test["protocol_id"], "indicator_id": _given("choix")}
    rows = trials.planned(about | given, demo=bool(test["demo"]))
    return _append("protocol_indicators", rows, reason="indicateur choisi pour un test", who=_writer("choix-qui"))


def measure(tables: Mapping[str, pd.DataFrame], protocol: Row) -> None:
    """Let somebody write a measure of one of the indicators of a protocol."""
    if visit.closed():
        return
    chosen, library = tables["protocol_indicators"], tables["indicators"]
    mine = chosen.loc[chosen["protocol_id"] == protocol["protocol_id"], "indicator_id"]
    rows = library[library["indicator_id"].isin(mine)]
    if rows.empty:
        st.caption("Pour mesurer, choisissez d’abord un indicateur, onglet « Bibliothèque d’indicateurs ».")
        return
    words = (rows["label"] + " (" + rows["unit"] + ")").tolist()
    titles = visit.told_apart(dict(zip(rows["indicator_id"], words, strict=True)))
    with st.expander("Ajouter une mesure", icon=_ICON), st.form("evaluation-mesure"):
        left, middle, right = st.columns([2, 1, 1])
        left.selectbox("Indicateur mesuré", list(titles), format_func=titles.__getitem__, key=_key("mesure"))
        middle.selectbox("Où", list(MEASURE_SIDES), format_func=MEASURE_SIDES.__getitem__, key=_key("side"))
        _day("Mesuré le", "measured_on", box=right)
        left, middle, right = st.columns([1, 1, 2])
        left.number_input("Valeur (vide : non mesuré)", value=None, key=_key("value"))
        middle.number_input("Effectif", min_value=0, value=None, step=1, key=_key("n"))
        right.text_input("Raison, si la valeur manque", max_chars=300, key=_key("missing_reason"))
        left, right = st.columns([1, 2])
        _who("Qui enregistre cette mesure", "mesure-qui", box=left)
        right.text_input("Remarque de méthode", max_chars=300, key=_key("method_note"))
        _submit("Enregistrer cette mesure", partial(_measure, tables["measures"], protocol))


def _measure(known: pd.DataFrame, protocol: Row) -> str:
    names = ("side", "measured_on", "value", "n", "missing_reason", "method_note")
    about = {"protocol_id": protocol["protocol_id"], "indicator_id": _given("mesure")}
    rows = trials.measure(known, about | {name: _given(name) for name in names}, demo=bool(protocol["demo"]))
    return _append("measures", rows, reason="mesure d’évaluation", who=_writer("mesure-qui"))


def marks(tables: Mapping[str, pd.DataFrame], test: Row, scale: Sequence[Criterion]) -> None:
    """Let one person mark a project on each criterion of the published scale."""
    if visit.closed():
        return
    with st.expander("Noter ce projet sur les cinq critères", icon=_ICON), st.form("evaluation-noter"):
        columns = st.columns(2)
        _who("Qui note", "note-qui", box=columns[0])
        _day("Noté le", "note-jour", box=columns[1])
        for place, one in enumerate(scale):
            words = {level: f"{level} : {meaning}" for level, meaning in one.levels.items()}
            columns = columns if place % 2 else st.columns(2)
            columns[place % 2].selectbox(
                literal(one.name), list(words), index=None, format_func=words.__getitem__, placeholder="Non évalué",
                help=literal(one.definition), key=_key(f"note-{one.ident}"),
            )  # fmt: skip
        st.text_area("Ce qui fonde ces notes (reste dans l’étude)", max_chars=1000, key=_key("note-pourquoi"))
        criteria = [one.ident for one in scale]
        _submit("Enregistrer ces notes", partial(_marks, tables["replicability_marks"], test, criteria))


def _marks(known: pd.DataFrame, test: Row, criteria: list[str]) -> str:
    rater = _writer("note-qui")
    levels = {criterion: _given(f"note-{criterion}") for criterion in criteria}
    rows = trials.marks(
        known, levels, test=test, rater=rater, day=str(_given("note-jour")), why=str(_given("note-pourquoi"))
    )
    return _append("replicability_marks", rows, reason="notes de réplicabilité", who=rater)


def follow_up(protocol: Row) -> None:
    """Let somebody write what follows a test, and what it taught."""
    if visit.closed():
        return
    ident = str(protocol["protocol_id"])
    with state.refusals():
        version = state.study().version("protocols")
    step, learning = _key(f"suite-{ident}"), _key(f"enseignement-{ident}")
    st.session_state.setdefault(step, protocol["next_step"])
    st.session_state.setdefault(learning, protocol["learning"] if isinstance(protocol["learning"], str) else "")
    with st.expander("Décider de la suite, écrire l’enseignement", icon=_ICON), st.form("evaluation-suite"):
        left, right = st.columns(2)
        left.selectbox("Suite", list(NEXT_STEPS), format_func=NEXT_STEPS.__getitem__, key=step)
        _who("Qui décide de la suite", "suite-qui", box=right)
        st.text_area("Enseignement : ce que la réussite ou l’échec a appris", max_chars=2000, key=learning)
        _submit("Enregistrer la suite", partial(_follow_up, ident, version=version))


def _follow_up(ident: str, *, version: int) -> str:
    study = state.study()
    table = study.read("protocols")
    learning = str(_given(f"enseignement-{ident}")).strip()
    row = table[table["protocol_id"] == ident].assign(next_step=_given(f"suite-{ident}"), learning=learning or None)
    why, who = signed("suite d’un test", _writer("suite-qui"))
    rows = schema.typed(row.reset_index(drop=True), "protocols")
    entry = study.upsert("protocols", rows, reason=why, actor=who, expected_version=version)
    return _written(entry, who)


# What the forms share --------------------------------------------------------------------------------------------


def _key(name: str) -> str:
    """Return the name of a field: another after each write, so that the next form starts empty."""
    return f"evaluation-{name}-{st.session_state.setdefault(_TURN, 0)}"


def _given(name: str) -> Any:
    return st.session_state[_key(name)]


def _who(label: str, name: str, *, box: DeltaGenerator) -> None:
    st.session_state.setdefault(_key(name), st.session_state.get("auteur", ""))
    visit.actor(label, box=box, key=_key(name))


def _writer(name: str) -> str:
    return (visit.name() or str(_given(name))).strip()


def _day(label: str, name: str, *, box: DeltaGenerator) -> None:
    """Ask for a day, today at first."""
    st.session_state.setdefault(_key(name), datetime.date.today().isoformat())
    box.text_input(label, placeholder="AAAA-MM-JJ", max_chars=10, key=_key(name))


def _submit(label: str, write: Callable[[], str]) -> None:
    st.form_submit_button(label, type="primary", on_click=partial(_saved, write))


def _saved(write: Callable[[], str]) -> None:
    """Write, and keep the sentence for the next run; fields stay as they are when nothing was written."""
    try:
        said = write()
    except GeoQmiError as error:
        st.session_state[_TOLD] = (False, str(error))
        return
    st.session_state[_TOLD] = (True, said)
    st.session_state[_TURN] += 1


def _append(name: str, rows: pd.DataFrame, *, reason: str, who: str) -> str:
    why, writer = signed(reason, who)
    try:
        entry = state.study().append(name, rows, reason=why, actor=writer)
    except DefectsError as error:  # in the words of the form, not of a file
        titles = {column: str(spec.title) for column, spec in schema.columns(name).items()}
        told = [f"{titles.get(one.field, one.field)} : {one.reason}" for one in error.defects]
        raise InputError(f"Rien n’a été enregistré. {'. '.join(dict.fromkeys(told))}.") from error
    return _written(entry, writer)


def _written(entry: int, who: str) -> str:
    st.session_state["auteur"] = who
    return f"Enregistré (écriture {entry} du journal) ; la page Données sait l’annuler."
