"""Which applications came in, which rules do they pass, and which may be the same twice?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from geo_qmi import rulebook
from geo_qmi.dashboard import deposit, rounds, state, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, show_table
from geo_qmi.desk import eligibility, readings
from geo_qmi.wording import agreed, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.intake import Intake


def page() -> None:
    """Show the page."""
    st.title("Candidatures")
    with state.refusals():
        tables = state.tables()
    st.header("Importer un appel")
    took = deposit.wizard("candidatures", table="applications")
    with state.refusals():
        tables = state.tables()
    mark = (state.stamp(), state.Same(took))
    rows = state.remembered(("dossiers", *mark), lambda: _together(tables["applications"], took))
    st.header("Dossiers")
    if rows.empty:
        st.info("Aucune candidature dans cette étude : importez un appel ci-dessus.")
        return
    if demo := readings.invented(rows["demo"]):
        st.warning(demo)
    waiting = len(rows) - len(tables["applications"])
    more = f", dont {waiting} du fichier ci-dessus, pas encore {agreed(waiting, 'enregistrée')}" if waiting > 0 else ""
    st.markdown(f"**{counted(len(rows), 'candidature')}**{more}")
    conditions, doubles = st.tabs(["Conditions remplies", "Doublons probables"], key="candidatures-onglets")
    with conditions:
        _conditions(rows, tables)
    with doubles, state.refusals():
        named = state.remembered(
            ("dossiers nommés", *mark), lambda: rows.rename(columns={"application_id": "project_id"})
        )
        rounds.identities(named, tables)
    if len(tables["applications"]):
        downloads({"applications": tables["applications"]}, key="candidatures")


def _together(kept: pd.DataFrame, took: Intake | None) -> pd.DataFrame:
    """Return the applications of the study and those of the file at hand, which win."""
    if took is None or took.table != "applications" or not took.n_ok:
        return kept
    others = kept[~kept["application_id"].isin(took.accepted["application_id"])]
    return pd.concat([others, took.accepted], ignore_index=True)


def _conditions(rows: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """Show the verdict on each condition, for all then for one application."""
    with state.refusals():
        found = state.remembered(
            ("conditions", state.stamp(), state.Same(rows)),
            lambda: eligibility.trace(rows, tables, rules=rulebook.opened().rules, districts=visit.names(tables)),
        )
    if not found.conditions:
        st.info("Aucune condition ne peut être vérifiée : ces dossiers ne disent ni lieu, ni durée, ni compétence.")
        return
    st.caption(
        "Des conditions, pas des mérites : autorité compétente, temps restant pour mesurer, lieu d’accueil. Dans "
        "chaque case, le nombre de quartiers par verdict. Une case vide du dossier rend un verdict « inconnue », "
        "jamais « non remplie ». Les règles sont celles livrées (geo-qmi rules)."
    )
    mine = state.Same(found)
    counts = state.remembered(("conditions en nombre", mine), found.overview)
    show_table(counts, height_px=320, key="candidatures-conditions")
    labels = {ident: f"{name} ({ident})" for ident, name in found.names.items()}
    chosen = st.selectbox(
        "Candidature", sorted(labels, key=lambda ident: labels[ident].casefold()), format_func=labels.__getitem__,
        **visit.in_address("candidatures-dossier", labels.values()),
    )  # fmt: skip
    st.markdown(f"**Quartier par quartier : {literal(found.names[chosen])}**")
    detail = state.remembered(("trace", mine, chosen), lambda: found.detail(chosen))
    show_table(detail, height_px=360, key="candidatures-trace")


if __name__ == "__main__":
    page()
