"""What did a test show, how far could it go elsewhere, and what comes next?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_qmi import evaluating, schema, sheets
from geo_qmi.dashboard import state, table_editor, trial_entry, trials, visit
from geo_qmi.dashboard.chart_panel import show_chart
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, header, show_sentences, show_table
from geo_qmi.editions import EDITIONS
from geo_qmi.vocabulary import INDICATOR_FAMILIES, INDICATOR_LEVELS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from geo_qmi.dashboard.trials import Criterion, Row
    from geo_qmi.evaluating import Evaluation
    from geo_qmi.evaluation import Lookalikes

#: Files of a sheet: words of the button, suffix, media type, what makes it.
_PAPERS: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], str | bytes]], ...] = (
    ("Fiche en page (HTML)", "html", "text/html", sheets.report_html),
    ("Fiche en PDF", "pdf", "application/pdf", sheets.report_pdf),
)
_TITLES = ["Profil", "Protocole et résultats", "Bibliothèque d’indicateurs", "Et ailleurs ?", "Tables"]


def page() -> None:
    """Show the page."""
    opening = header("Évaluation", opens_on="protocols")
    if opening is None:
        return
    tables, ident, _ = opening
    trial_entry.told()
    whole = _whole(tables)
    test = _test(tables, whole, ident)
    found = None if test is None else _of(whole, test)
    if found is not None:
        _warnings(found)
    profile, results, library, elsewhere, editing = st.tabs(_TITLES, **visit.in_address("evaluation-onglet", _TITLES))
    for tab, show in ((profile, _profile), (results, _results), (elsewhere, _elsewhere)):
        if tab.open:
            with tab:
                if found is None or test is None:
                    st.caption("Rien à montrer sans test dans ce quartier : la marche à suivre est en haut de la page.")
                else:
                    show(tables, found, test)
    if library.open:
        with library:
            _library(tables, test)
    if editing.open:
        with editing:
            _tables(tables)
    if test is not None:
        _sheet(tables, str(test["project_id"]))
    filled = {name: tables[name] for name in trials.FILLED if len(tables[name])}
    if filled:
        downloads(filled, key="evaluation")


def _test(tables: Mapping[str, pd.DataFrame], whole: Evaluation, ident: str) -> Row | None:
    """Let the reader choose a project tested in the district; say what to do when there is none."""
    here = whole.tests[whole.tests["district_id"] == ident].to_dict("records")
    if not here:
        st.info(
            f"Aucun test évalué dans ce quartier ({literal(whole.districts[ident])}) : ni protocole, ni note. Écrivez "
            "un protocole avant la première mesure, ou importez une table."
        )
        for other in whole.tests.drop_duplicates("district_id").to_dict("records"):
            where = literal(other["district"])
            visit.link("evaluating.py", f"Voir un test : {where}", district_id=str(other["district_id"]))
        trial_entry.new_protocol(tables, ident)
        return None
    rows = {str(row["project_id"]): row for row in here}
    titles = visit.told_apart({project: str(row["project"]) for project, row in rows.items()})
    chosen = st.selectbox(
        "Projet testé", list(titles), format_func=titles.__getitem__,
        **visit.in_address(f"evaluation-projet-{ident}", titles.values()),
    )  # fmt: skip
    return rows[str(chosen)]


def _whole(tables: Mapping[str, pd.DataFrame]) -> Evaluation:
    """Return what is known of all tests, worked out once a study and a day."""
    day = evaluating.today()
    with state.refusals():
        return state.of_study("évaluation", day, build=lambda: evaluating.evaluate(tables, as_of=day))


def _of(whole: Evaluation, test: Row) -> Evaluation:
    of = str(test["project_id"]), str(test["district_id"]), evaluating.today()
    return state.of_study("évaluation d’un test", *of, build=lambda: evaluating.narrowed(whole, test))


def _told(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """Return a table of all tests with French headings, whose rows bear the index of the frame it tells."""
    made = state.of_study("évaluation lue", evaluating.today(), build=lambda: evaluating.readable(_whole(tables)))
    return made[name]


def _warnings(found: Evaluation) -> None:
    """Say, above every tab, what must be known before anything is believed."""
    if found.demo:
        st.caption(":material/science: Test de démonstration : inventé, ne rien en conclure sur un projet réel.")
    if found.warnings:
        st.warning("\n".join(f"- {literal(line)}" for line in found.warnings))


def _scale(tables: Mapping[str, pd.DataFrame]) -> tuple[Criterion, ...]:
    return state.of_study("échelle", build=lambda: trials.scale(tables["replicability_levels"]))


def _profile(tables: Mapping[str, pd.DataFrame], found: Evaluation, test: Row) -> None:
    """Show the five criteria, the weakest link, who marked, and let somebody mark."""
    for sentence in found.replicability.projects["sentence"]:
        st.markdown(f"**{literal(sentence)}**")
    show_chart(evaluating.radar(found, name=str(test["project"])), key="evaluation-profil")
    with st.expander("Accord des évaluateurs, et ce que veut dire chaque niveau", icon=":material/rule:"):
        show_sentences(_told(tables, "criteres").loc[found.replicability.criteria.index, trials.RATERS])
        show_sentences(trials.anchors(_scale(tables)))
        st.caption("De tous les tests de cette étude :")
        st.markdown("\n".join(f"- {literal(line)}" for line in found.replicability.notes))
    trial_entry.marks(tables, test, _scale(tables))


def _results(tables: Mapping[str, pd.DataFrame], found: Evaluation, test: Row) -> None:
    """Show the protocol, what was measured, what it taught, and let somebody add a measure."""
    if found.protocols.empty:
        st.info("Aucun protocole pour ce test : sans lui, une mesure ne se compare à rien d’écrit d’avance.")
        trial_entry.new_protocol(tables, str(test["district_id"]), project_id=str(test["project_id"]))
        return
    row = found.protocols.iloc[0].to_dict()
    show_sentences(trials.protocol_facts(row))
    st.markdown(f"**{literal(trials.standing(found))}**")
    show_chart(trials.changes(found, name=str(test["project"])), key="evaluation-mesures")
    if len(found.outcomes.indicators):
        show_sentences(_told(tables, "resultats").loc[found.outcomes.indicators.index, trials.RESULTS])
    st.markdown("## De l’essai à l’essaimage")
    st.markdown(literal(trials.follow_up(row)))
    trial_entry.follow_up(row)
    trial_entry.measure(tables, row)
    trial_entry.new_protocol(tables, str(test["district_id"]))


def _library(tables: Mapping[str, pd.DataFrame], test: Row | None) -> None:
    """Let the reader look for indicators, and put one in the protocol."""
    whole = tables["indicators"]
    if whole.empty:
        st.info("Aucun indicateur dans cette étude : importez une bibliothèque, ou repartez de « geo-qmi init ».")
        return
    first, second, third = st.columns(3)
    levels = first.multiselect(
        "Échelle", list(INDICATOR_LEVELS), format_func=INDICATOR_LEVELS.__getitem__, placeholder="Toutes",
        **visit.in_address("evaluation-echelle", INDICATOR_LEVELS.values()),
    )  # fmt: skip
    families = second.multiselect(
        "Famille", list(INDICATOR_FAMILIES), format_func=INDICATOR_FAMILIES.__getitem__, placeholder="Toutes",
        **visit.in_address("evaluation-famille", INDICATOR_FAMILIES.values()),
    )  # fmt: skip
    words = third.text_input("Mots cherchés", key="evaluation-mots", bind="query-params", max_chars=100)
    kept = trials.library(whole, levels=levels, families=families, words=words)
    st.caption(
        f"{counted(len(kept), 'indicateur')} sur {len(whole)}. Bibliothèque proposée par geo-qmi : celle du programme "
        "(plus de 60 indicateurs) n’est pas publiée."
    )
    show_table(trials.library_rows(kept), height_px=420, key="evaluation-bibliotheque")
    if test is not None:
        trial_entry.indicator(tables, test, kept)


def _elsewhere(tables: Mapping[str, pd.DataFrame], found: Evaluation, test: Row) -> None:
    """Show the districts that look like the one of the test, and those no test tells about."""
    near = found.lookalikes.get(str(test["district_id"]))
    if near is None:
        st.info("Le contexte de ce quartier n’est pas connu : aucun quartier ne peut lui être comparé.")
        return
    for name, none in (("ressemblances", "Aucun quartier n’est dans le domaine observé."), ("hors_domaine", "Aucun.")):
        st.markdown(f"## {literal(evaluating.HEADINGS[name])}")
        rows = _told(tables, name)
        mine = (
            rows[rows["Quartier du test"] == test["district"]].drop(columns="Quartier du test") if len(rows) else rows
        )
        if mine.empty:
            st.markdown(f"_{none}_")
            continue
        show_table(mine, key=f"evaluation-{name}")
        if name == "ressemblances":
            _weights(found, near)
    st.markdown("\n".join(f"- {literal(line)}" for line in near.notes))


def _weights(found: Evaluation, near: Lookalikes) -> None:
    """Show what each variable weighs in the distance of one district."""
    titles = visit.told_apart({str(one): found.districts[one] for one in near.inside["district_id"]})
    chosen = st.selectbox(
        "Ce que pèse chaque variable, pour", list(titles), format_func=titles.__getitem__,
        **visit.in_address(f"evaluation-compare-{near.test}", titles.values()),
    )  # fmt: skip
    show_table(trials.shares(near, str(chosen)), key="evaluation-parts")


def _tables(tables: Mapping[str, pd.DataFrame]) -> None:
    """Let somebody correct any row of an evaluation; undoing is on the page of data."""
    name = st.segmented_control(
        "Table", trials.FILLED, format_func=schema.label, default=trials.FILLED[0], required=True,
        **visit.in_address("evaluation-corriger", map(schema.label, trials.FILLED)),
    )  # fmt: skip
    if visit.closed():
        st.info(literal(visit.closed()))
        return
    table_editor.editor(str(name), tables)
    visit.link("records.py", "Annuler une écriture, importer un fichier : page Données")


def _sheet(tables: Mapping[str, pd.DataFrame], project_id: str) -> None:
    """Offer the sheet of a project, made when a button is pressed; what raters wrote is in the jury's only."""
    with st.expander("Télécharger la fiche d’évaluation de ce projet", icon=":material/description:"):
        offered = ["public"] if visit.closed() else ["public", "jury"]
        edition = st.segmented_control(
            "Pour qui ?", offered, format_func=lambda one: EDITIONS[one].capitalize(), default="public", required=True,
            key="evaluation-edition",
        )  # fmt: skip
        with st.container(horizontal=True):
            for title, suffix, mime, write in _PAPERS:
                st.download_button(
                    title, partial(_made, write, tables, project_id, edition=str(edition)), mime=mime,
                    file_name=f"evaluation_{edition}.{suffix}", key=f"evaluation-fiche-{suffix}", on_click="ignore",
                )  # fmt: skip
        st.caption(
            "Tous les quartiers où ce projet est testé. Aucun nom de qui a noté ; les justifications : jury seul."
        )


def _made(
    write: Callable[[Mapping[str, Any]], str | bytes],
    tables: Mapping[str, pd.DataFrame],
    project_id: str,
    *,
    edition: str,
) -> str | bytes:
    return write(evaluating.sheet(tables, project_id, edition=edition))


if __name__ == "__main__":
    page()
