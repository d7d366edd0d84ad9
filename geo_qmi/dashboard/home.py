"""What is in this study, what is missing, and what comes next?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from geo_qmi import maps, overview
from geo_qmi.dashboard import state, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import show_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

#: A sign beside the words of each state, so that colour is never alone.
_SIGNS = {overview.REAL: "●", overview.DEMO: "◐", overview.NOTHING: "○"}


def page() -> None:
    """Show the page."""
    st.title("Accueil")
    with state.refusals():
        tables = state.tables()
    if not any(map(len, tables.values())):
        st.info("Cette étude est vide : importez les communes et les quartiers, ou ouvrez une autre étude.")
        visit.link("records.py", "Importer une première table")
        return
    _totals(tables)
    _next(tables)
    there, absent, programme = st.tabs(["Les six étapes", "Ce qui manque", "Ce qu’il y a dans l’étude"])
    with there:
        _steps(tables)
    with absent:
        _missing(tables)
    with programme:
        show_table(_counts(tables), height_px=560)


def _counts(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return state.of_study("comptes", build=lambda: overview.counts(tables))


def _totals(tables: Mapping[str, pd.DataFrame]) -> None:
    """Show how many rows are real, how many are made up, and how many places are known."""
    counted = _counts(tables)
    n_real, n_demo = int(counted["Lignes réelles"].sum()), int(counted["Démonstration"].sum())
    filled = int((counted[["Lignes réelles", "Démonstration"]].sum(axis="columns") > 0).sum())
    districts = tables["districts"]
    drawn = int(districts["geometry"].notna().sum())
    boxes = st.columns(4)
    boxes[0].metric("Tables remplies", f"{filled} sur {len(counted)}")
    boxes[1].metric("Lignes réelles", maps.words(n_real))
    boxes[2].metric("Lignes de démonstration", maps.words(n_demo), help="Inventées : rien ne peut en être conclu.")
    boxes[3].metric("Quartiers avec périmètre", f"{drawn} sur {len(districts)}")


def _next(tables: Mapping[str, pd.DataFrame]) -> None:
    """Propose one thing to do, with its page."""
    proposed = state.of_study("suite", build=lambda: overview.next_step(tables))
    with st.container(border=True):
        st.markdown("**Prochaine étape proposée**")
        of = visit.names(tables).get(proposed.district_id, "")
        st.markdown(literal(proposed.sentence) + (f" Quartier : {literal(of)}." if of else ""))
        visit.link(proposed.page, district_id=proposed.district_id)


def _steps(tables: Mapping[str, pd.DataFrame]) -> None:
    """Show where the study stands in the programme, with the page of each step."""
    st.caption("Les étapes 5 et 6 chevauchent l’étape 4 (003:L291-369). ● données réelles · ◐ démonstration · ○ rien")
    for step in state.of_study("étapes", build=lambda: overview.steps(tables)):
        left, middle, right = st.columns([3, 4, 3], vertical_alignment="center")
        left.markdown(f"{_SIGNS[step.state]} **{step.number}\\. {literal(step.title)}**  \n{literal(step.state)}")
        middle.markdown(literal(step.evidence))
        with right:
            visit.link(step.page)


def _missing(tables: Mapping[str, pd.DataFrame]) -> None:
    """Show each gap with its consequence, then where the contours come from."""
    gaps = state.of_study("manques", build=lambda: overview.missing(tables))
    if not gaps:
        st.markdown("Rien ne manque parmi ce que cette page vérifie.")
    for gap in gaps:
        left, right = st.columns([7, 3], vertical_alignment="center")
        left.markdown(f"**{literal(gap.what)}** {literal(gap.consequence)}")
        with right:
            visit.link(gap.page)
    st.markdown("**Contours, par origine**")
    show_table(state.of_study("contours", build=lambda: overview.contours(tables)))


if __name__ == "__main__":
    page()
