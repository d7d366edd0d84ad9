"""Where does each thing come from, and what do the documents say when they disagree?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from geo_qmi import maps, provenance
from geo_qmi.dashboard import state, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, show_table
from geo_qmi.desk import readings
from geo_qmi.schema import label
from geo_qmi.shipped import data_dir
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def page() -> None:
    """Show the page."""
    left, right = st.columns([1, 1], vertical_alignment="bottom")
    left.title("Sources et contradictions")
    with state.refusals():
        tables = state.tables()
    if not any(map(len, tables.values())):
        st.info("Cette étude est vide : rien n’a de source à montrer.")
        return
    asked = right.text_input(
        "Chercher un chiffre, un sujet, une ligne", placeholder="F015, déployées, 003:L1150…", key="cherche",
        bind="query-params", max_chars=200,
    )  # fmt: skip
    found = state.of_study("réponse", asked, build=lambda: provenance.answer(tables, asked))
    if found:
        st.success(literal(found), icon=":material/format_quote:")
    against, counted, terms, rows = st.tabs(
        ["Contradictions", "Chiffres publiés", "Fichiers, licences et doutes", "Lignes par origine"]
    )
    with against:
        _contradictions(tables, asked)
    with counted:
        _figures(tables, asked)
    with terms:
        _files(tables)
    with rows:
        _rows(tables)
    downloads({name: tables[name] for name in ("figures", "contradictions", "timeline")}, key="origines")


def _contradictions(tables: Mapping[str, pd.DataFrame], asked: str) -> None:
    """Show the register, then the sides of one contradiction next to each other."""
    rows = state.of_study("registre", asked, build=lambda: provenance.ledger(tables, asked))
    if rows.empty:
        st.markdown("Aucune contradiction ne contient ces mots." if asked else "Aucune contradiction dans cette étude.")
        return
    subjects = dict(zip(rows["contradiction_id"], rows["subject"], strict=True))
    labels = {one: f"{one} – {subject}" for one, subject in subjects.items()}
    ident = st.selectbox(
        f"Contradiction, parmi {maps.words(len(rows))}",
        list(labels),
        format_func=labels.__getitem__,
        **visit.in_address("contradiction", labels.values()),
    )
    row = rows[rows["contradiction_id"] == ident].iloc[0]
    st.markdown(f"**Ce que disent les documents** : {literal(row['finding'])}")
    sides = state.of_study("versions", ident, build=lambda: provenance.sides(tables, ident))
    for box, (place, title, facts) in zip(st.columns(max(1, len(sides))), sides, strict=False):
        with box, st.container(border=True):
            st.markdown(f"**{literal(place)}**  \n{literal(title)}")
            if facts.empty:
                st.markdown("_Aucun fait de cette étude n’est lu exactement à ces lignes._")
            for fact in facts.itertuples(index=False):
                st.markdown(f"- {literal(fact[0])} : {literal(fact[1])}")
    st.caption(f"Ce que fait cette étude : {literal(row['treatment'])}. Aucune version n’est effacée.")
    with st.expander("Le registre entier", icon=":material/table_rows:"):
        show_table(readings.labelled(rows, "contradictions"), height_px=420)


def _figures(tables: Mapping[str, pd.DataFrame], asked: str) -> None:
    """Show every figure with its lines and the contradictions on them; rates as a/b beside."""
    rows = state.of_study("chiffres", asked, build=lambda: provenance.figures(tables, asked))
    st.markdown(f"**{counted(len(rows), 'chiffre')}**, chacun avec les lignes où il est lu (document:Lligne)")
    show_table(rows, height_px=420)
    rates = state.of_study("taux", build=lambda: readings.rates(tables))
    if len(rates) and not asked:
        st.markdown("**Taux de déploiement : ce qui est publié, ce que l’on peut compter**")
        show_table(rates)


def _files(tables: Mapping[str, pd.DataFrame]) -> None:
    """Show the terms of each shipped file, and the whole notice."""
    st.caption(
        "Ces lignes valent pour les données livrées ; ce que vous importez garde la source écrite dans ses lignes."
    )
    rows = state.of_study("fichiers", build=lambda: provenance.files(tables))
    show_table(rows, height_px=420)
    position = st.selectbox(
        "Un fichier, en toutes lettres", list(rows.index), format_func=rows["Table"].__getitem__, key="sources-fichier"
    )
    for heading in ("Licence", "Crédit", "Date", "Doute"):
        st.markdown(f"**{heading}** : {literal(rows.loc[position, heading])}")
    st.markdown("\n".join(f"- **{code}** : {literal(title)}" for code, title in provenance.DOCUMENTS.items()))
    notice = (data_dir() / "SOURCES.md").read_bytes()
    st.download_button(
        "Télécharger la notice complète (SOURCES.md, en anglais)",
        notice,
        file_name="SOURCES.md",
        mime="text/markdown",
        key="sources-notice",
        on_click="ignore",
    )


def _rows(tables: Mapping[str, pd.DataFrame]) -> None:
    """Show how many rows cite each document, then one table source by source."""
    st.markdown("**Par document** : une ligne qui en cite deux compte dans les deux")
    show_table(state.of_study("documents", build=lambda: provenance.by_document(tables)), height_px=420)
    filled = [name for name, frame in tables.items() if len(frame) and "source" in frame]
    name = st.selectbox("Une table, source par source", filled, format_func=label, key="sources-table")
    rows = state.of_study("origines", name, build=lambda: provenance.rows_by_source(tables[name]))
    show_table(rows, height_px=360)


if __name__ == "__main__":
    page()
