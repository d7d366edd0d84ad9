"""Which applications came in, which rules do they pass, and which may be the same twice?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from geo_qmi import maps, rulebook
from geo_qmi.dashboard import deposit, readings, rounds, state
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, show_table
from geo_qmi.desk import eligibility

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.intake import Intake


def page() -> None:
    """Show the page."""
    st.title("Candidatures")
    with state.refusals():
        tables = state.tables()
    st.subheader("Importer un appel")
    took = deposit.wizard("candidatures", table="applications")
    with state.refusals():
        tables = state.tables()
    rows = _together(tables["applications"], took)
    st.subheader("Dossiers")
    if rows.empty:
        st.info("Aucune candidature dans cette étude : importez un appel ci-dessus.")
        return
    demo = bool(rows["demo"].fillna(value=False).any())
    if demo:
        st.warning("Candidatures de démonstration, inventées : elles montrent l’outil, rien d’autre.")
    waiting = len(rows) - len(tables["applications"])
    more = f", dont {waiting} du fichier ci-dessus, pas encore enregistrée(s)" if waiting > 0 else ""
    st.markdown(f"**{maps.plural(len(rows), 'candidature')}**{more}")
    conditions, doubles = st.tabs(["Conditions remplies", "Doublons probables"], key="candidatures-onglets")
    with conditions:
        _conditions(rows, tables)
    with doubles, state.refusals():
        rounds.identities(rows.rename(columns={"application_id": "project_id"}), tables)
    if len(tables["applications"]):
        downloads({"applications": tables["applications"]}, key="candidatures", mark=maps.DEMO if demo else "")


def _together(kept: pd.DataFrame, took: Intake | None) -> pd.DataFrame:
    """Return the applications of the study and those of the file at hand, which win."""
    if took is None or took.table != "applications" or not took.n_ok:
        return kept
    others = kept[~kept["application_id"].isin(took.accepted["application_id"])]
    return pd.concat([others, took.accepted], ignore_index=True)


def _conditions(rows: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """Show the verdict on each condition, for all then for one application."""
    with state.refusals():
        key = ("conditions", state.stamp(), int(pd.util.hash_pandas_object(rows.astype(str)).sum()))
        found = state.remembered(
            key,
            lambda: eligibility.trace(
                rows, tables, rules=rulebook.opened().rules, districts=readings.district_names(tables)
            ),
        )
    if not found.conditions:
        st.info("Aucune condition ne peut être vérifiée : ces dossiers ne disent ni lieu, ni durée, ni compétence.")
        return
    st.caption(
        "Des conditions, pas des mérites : autorité compétente, temps restant pour mesurer, lieu d’accueil. Dans "
        "chaque case, le nombre de quartiers par verdict. Une case vide du dossier rend un verdict « inconnue », "
        "jamais « non remplie ». Les règles sont celles livrées (geo-qmi rules)."
    )
    show_table(found.overview(), height_px=320, key="candidatures-conditions")
    chosen = st.selectbox(
        "Candidature", sorted(found.names, key=lambda ident: found.names[ident].casefold()),
        format_func=lambda ident: f"{found.names[ident]} ({ident})", key="candidatures-dossier",
    )  # fmt: skip
    st.markdown(f"**Quartier par quartier : {literal(found.names[chosen])}**")
    show_table(found.detail(chosen), height_px=360, key="candidatures-trace")


if __name__ == "__main__":
    page()
