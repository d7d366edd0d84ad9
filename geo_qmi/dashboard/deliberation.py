"""What does a jury look at, and write down, once the plan is there?

Why a candidate is not in a district, how far the plan holds, which question to ask, the sheet of each dossier, and
the decisions of the jury. The runs are in `geo_qmi.jury`; the log in `geo_qmi.matching.decisions`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from geo_qmi import charts, jury, matching, sheets
from geo_qmi.dashboard import state, visit
from geo_qmi.dashboard.chart_panel import show_chart
from geo_qmi.dashboard.long_work import Stopped, awaited
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import show_table
from geo_qmi.matching import decisions as log
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geo_qmi.dashboard.comparison import Comparison
    from geo_qmi.dashboard.long_work import Bar
    from geo_qmi.jury import Finding

Result = TypeVar("Result")

_OUT = "Non retenu"


def _key(found: Comparison, name: str, *parts: str) -> tuple[Any, ...]:
    """Return everything a result of this comparison depends on."""
    return (name, state.Same(found), *parts)


def _labels(found: Comparison) -> dict[str, str]:
    """Return project and district identifier → name shown, as `geo_qmi.jury.labels`."""
    return state.remembered(_key(found, "libellés"), lambda: jury.labels(found.prepared))


def why_not(found: Comparison, project_id: str, district_id: str) -> None:
    """Say what it would cost to put one candidate in one district."""
    if found.refusal:
        return

    def work(bar: Bar) -> matching.WhyNot:
        bar("Ce que les règles permettent")
        call = state.remembered(_key(found, "refus"), lambda: jury.refusals(found.prepared, found.match))
        bar("Recherche de l’autre plan")
        return call.why_not(project_id, district_id)

    try:
        answer = _awaited(found, "pourquoi-pas", work, project_id, district_id)
    except Stopped:
        return
    if answer.placed:
        st.success(literal(answer.sentence))
    else:
        st.info(f"**Pourquoi pas ici ?** {literal(answer.sentence)}")


def sheet(found: Comparison, project_id: str) -> None:
    """Offer the explanation sheet of one candidate."""
    if not st.toggle("Préparer la fiche d’explication de ce dossier", key="appariement-fiche"):
        return
    try:
        record, page, paper = _awaited(found, "fiche", lambda bar: _sheet(found, project_id, bar), project_id)
    except Stopped:
        return
    st.caption(literal(record["outcome"]))
    one, two, three = st.columns(3)
    one.download_button("Fiche en page (HTML)", page, file_name="fiche.html", mime="text/html", key="fiche-html")
    two.download_button("Fiche en PDF", paper, file_name="fiche.pdf", mime="application/pdf", key="fiche-pdf")
    three.download_button(
        "Fiche en données (JSON)", sheets.to_json(record), file_name="fiche.json", mime="application/json",
        key="fiche-json",
    )  # fmt: skip


def _sheet(found: Comparison, project_id: str, bar: Bar) -> tuple[dict[str, Any], str, bytes]:
    bar("Ce qui explique le plan")
    record = jury.sheet(found.prepared, found.match, project_id).as_dict()
    bar("Mise en page")
    return record, sheets.to_html(record), sheets.to_pdf(record)


def strength(found: Comparison) -> None:
    """Say how far the plan is the only reasonable one; each study runs when it is asked for."""
    if found.refusal:
        st.info("Aucun plan à éprouver : changez les quotas, les quartiers ou les candidats.")
        return
    st.markdown("Chaque recherche prend quelques secondes ; elle part quand vous l’ouvrez, et s’arrête à la demande.")
    for name, label in (
        ("alternatives", "Plans voisins et noyau sûr : ce qui ne change pas à 1 % près"),
        ("robustness", "Si les poids étaient autres"),
        ("stable", "Plan stable : celui que personne ne voudrait quitter"),
    ):
        if st.toggle(label, key=f"solidite-{name}"):
            with suppress(Stopped):
                _finding(found, name, jury.STUDIES[name])
                if name == "robustness":
                    _ranks(found)
    if st.toggle("Questions qui départageraient le plus de candidatures", key="solidite-questions"):
        with suppress(Stopped):
            _questions(found)


def _awaited(found: Comparison, name: str, work: Callable[[Bar], Result], *parts: str) -> Result:
    """Return a long search on this comparison and these parts of it, made once, with a bar and a way to stop."""
    with state.refusals():
        return awaited(f"solidite-{name}", (state.Same(found), *parts), work, total=2)


def _questions(found: Comparison) -> None:
    """Show which empty cells are worth asking for."""
    asked = _awaited(
        found, "questions-utiles", lambda bar: matching.questions(found.match.appraisal, announce=bar)
    )  # fmt: skip
    if asked.empty:
        st.info("Aucune case vide ne changerait une comparaison.")
        return
    shown = {
        "Question": asked["question"],
        "Comparaisons départagées à coup sûr": asked["settled"],
        "Au mieux": asked["may_settle"],
    }
    show_table(pd.DataFrame(shown), height_px=320)


def _finding(found: Comparison, name: str, study: Callable[..., Finding]) -> None:
    """Show one study of the plan."""
    show_finding(
        _awaited(found, f"etude-{name}", lambda bar: study(found.prepared, found.match, announce=bar))
    )  # fmt: skip


def _ranks(found: Comparison) -> None:
    """Show, district by district, who would still be first under other weights; nothing where no weight can vary."""
    table = _awaited(found, "tirages", lambda bar: jury.rank_shares(found.match, announce=bar))
    if table.empty:
        return
    labels = _labels(found)
    ident = st.selectbox(
        "Quartier dont on regarde les rangs", list(found.prepared.districts), format_func=labels.__getitem__,
        key="solidite-rangs",
    )  # fmt: skip
    drawn = charts.rank_shares(
        table[table["district_id"] == ident], names=labels, district=labels[ident],
        places=found.match.rules.quotas.of(ident).high, demo=_is_demo(found),
    )  # fmt: skip
    show_chart(drawn, key="rangs")


def show_finding(told: Finding) -> None:
    """Show the sentences and the tables of a study."""
    for sentence in told.sentences:
        st.markdown(literal(sentence))
    for name, frame in told.tables.items():
        if len(frame):
            shown = frame[[column for column in frame if not str(column).endswith("(identifiant)")]]
            st.caption(jury.HEADINGS[name])
            show_table(shown, height_px=min(360, 38 + 35 * len(shown)))


def reserve_and_limits(found: Comparison) -> None:
    """Show who waits in each district, and which rules the plan stands against."""
    waiting = state.remembered(_key(found, "réserve"), lambda: jury.reserve(found.prepared, found.match))
    if waiting.sentences:
        st.markdown("**Liste de réserve**")
        show_finding(waiting)
    limits = state.remembered(_key(found, "règles"), lambda: jury.limits(found.match, _labels(found)))
    with st.expander("Les règles du plan : ce que chacune demande, ce que le plan atteint"):
        show_table(limits, height_px=min(360, 38 + 35 * len(limits)))


def decisions(found: Comparison, tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> None:
    """Show what the jury decided, and let it decide when the study can be written."""
    written = tables["decisions"]
    labels = visit.told_apart(_labels(found) | dict(names))
    _log(written, labels)
    if found.refusal:
        st.info("Sans plan proposé, aucune décision ne peut être comparée à une proposition.")
    elif visit.closed():
        st.info(literal(visit.closed()))
    else:
        _decide(found, written, labels)


def _log(written: pd.DataFrame, labels: Mapping[str, str]) -> None:
    """Show the decisions and how often they follow the proposal."""
    if written.empty:
        st.caption("Aucune décision notée.")
        return
    for row in log.overrides(written).to_dict("records"):
        wave = f" (vague {row['wave']})" if row["wave"] else ""
        st.markdown(
            f"**{counted(row['decided'], 'dossier décidé')}{literal(wave)}** : {row['followed']} selon la proposition, "
            f"{counted(row['moved'], 'déplacé')}, {counted(row['added'], 'ajouté')}, "
            f"{counted(row['removed'], 'retiré')} ; {counted(row['reversed'], 'décision remplacée')}."
        )
    shown = {
        "Quand": written["at"],
        "Qui": written["actor"],
        "Dossier": written["project_id"].map(labels).fillna(written["project_id"]),
        "Proposé": written["proposed_district"].map(labels).fillna(_OUT),
        "Décidé": written["decided_district"].map(labels).fillna(_OUT),
        "Motif": written["reason"],
    }
    show_table(pd.DataFrame(shown).iloc[::-1], height_px=min(320, 40 + 35 * len(written)))


def _decide(found: Comparison, written: pd.DataFrame, labels: Mapping[str, str]) -> None:
    """Let the jury decide one dossier, or follow the proposal for all the others."""
    projects = sorted(found.match.appraisal.projects, key=lambda one: labels[one].casefold())
    with st.form("decision"):
        left, right = st.columns(2)
        project = left.selectbox("Dossier", projects, format_func=labels.__getitem__, key="decision-dossier")
        places = ["", *found.prepared.districts]
        place = right.selectbox(
            "Décision",
            places,
            index=None,
            format_func=lambda one: labels.get(one, _OUT),
            placeholder="Choisissez",
            key="decision-quartier",
        )
        left, right = st.columns(2)  # row by row: a phone and the Tab key go down one column, then the other
        actor = visit.actor("Qui décide", box=left, key="decision-qui")
        reason = right.text_input("Motif", max_chars=500, key="decision-motif")
        left, right = st.columns(2)
        one = left.form_submit_button("Noter cette décision")
        rest = right.form_submit_button("Suivre la proposition pour tous les autres")
    if not one and not rest:
        return
    if one and place is None:
        st.error("Choisissez la décision : un quartier, ou « Non retenu ».")
        return
    at = datetime.now(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%dT%H:%M")
    with state.refusals():
        if one:
            longer = log.decide(
                written, found.match.plan, project_id=project, decided_district=place or None, actor=actor, at=at,
                reason=reason, demo=_is_demo(found),
            )  # fmt: skip
        else:
            longer = log.follow(written, found.match.plan, actor=actor, at=at, demo=_is_demo(found))
        added = longer.iloc[len(written) :]
        if added.empty:
            st.info("Tous les dossiers sont déjà décidés.")
            return
        state.study().append("decisions", added.reset_index(drop=True), reason="décision du jury", actor=actor)
    st.rerun()


def _is_demo(found: Comparison) -> bool:
    """Say whether the candidates are made up."""
    rows = found.prepared.candidates
    return bool(rows["demo"].any()) if "demo" in rows else False
