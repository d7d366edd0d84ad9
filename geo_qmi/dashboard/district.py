"""What is known of one district, what is not, and what a walk recorded there?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_qmi import maps
from geo_qmi.dashboard import state, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, header, show_map, show_table
from geo_qmi.desk import readings
from geo_qmi.schema import choices
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

_GROUND = ("districts", "communes", "barriers", "stations", "sites")
_SESSION_TABLES = ("sessions", "routes", "stages", "observations", "workshop_items")


def page() -> None:
    """Show the page."""
    opening = header("Un quartier")
    if opening is None:
        return
    tables, ident, _ = opening
    rows = tables["districts"]
    district = rows[rows["district_id"] == ident].iloc[0]
    walks = state.of_study("marches", ident, build=lambda: readings.walks(tables, ident))
    _perimeter(district)
    titles = ["Carte", "Besoins et contexte", "Projets", "Terrain"]
    place, asked, projects, field = st.tabs(titles, **visit.in_address("quartier-onglet", titles))
    if place.open:  # each is made when somebody looks: the page is there sooner
        with place:
            chosen = {name: tables[name] for name in _GROUND}
            drawn = state.of_study(
                "carte du quartier", ident, build=lambda: maps.district_map(ident, **chosen, walks=walks)
            )
            show_map(drawn, key=f"carte-{ident}", height_px=600, place=ident)
    if asked.open:
        with asked:
            _needs(tables, district)
    if projects.open:
        with projects:
            _projects(tables, ident)
    if field.open:
        with field:
            _field(tables, ident)
    kept = state.of_study("tables du quartier", ident, build=lambda: _kept(tables, ident))
    downloads(kept, key="quartier")


def _perimeter(district: pd.Series[Any]) -> None:
    """Say in words how far the perimeter can be trusted; the map says why below it."""
    if district["geometry"] is None:
        st.warning("Périmètre non publié : la commune est hachurée, rien n’est placé.", icon=":material/texture:")
        return
    status = (choices("districts", "geometry_status") or {})[district["geometry_status"]]
    precision = district["precision_m"]
    size = "inconnu" if pd.isna(precision) else f"{maps.words(round(precision))} m"
    official = "" if district["geometry_status"] == "official" else ", non officiel"
    st.caption(f"Périmètre {status}{official} ; écart plausible : {size}.")


def _needs(tables: Mapping[str, pd.DataFrame], district: pd.Series[Any]) -> None:
    """Show challenge, objectives and expected solutions apart, then the context."""
    ident = district["district_id"]
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Défi**")
        st.markdown(literal(readings.challenge(district)))
        _list("Objectifs", tables["objectives"], ident, "objective")
        _list("Solutions attendues", tables["expected_solutions"], ident, "solution")
    with right:
        for title, column in _CONTEXT.items():
            st.markdown(f"**{title}**")
            st.markdown(
                literal(district[column]) if isinstance(district[column], str) else "_inconnu : rien n’est publié_"
            )
    facts = tables["district_facts"]
    facts = facts[facts["district_id"] == ident]
    st.markdown("**Constats publiés**")
    if facts.empty:
        st.markdown("_Aucun constat publié pour ce quartier._")
        return
    show_table(readings.labelled(facts, "district_facts", ["kind", "fact", "spatial_hint", "source"]))


_CONTEXT = {
    "Contexte communal": "context_commune",
    "Contexte du quartier": "context_district",
    "Situation": "position",
    "Coupure": "severance",
    "Statut réglementaire": "regulatory_status",
}


def _list(title: str, frame: pd.DataFrame, ident: str, column: str) -> None:
    """Show the sentences of a need layer, in the order of the document."""
    rows = frame[frame["district_id"] == ident].sort_values("rank")
    st.markdown(f"**{title}**")
    if rows.empty:
        st.markdown("_inconnu : rien n’est publié_")
        return
    st.markdown("\n".join(f"{rank}. {literal(text)}" for rank, text in enumerate(rows[column], start=1)))


def _projects(tables: Mapping[str, pd.DataFrame], ident: str) -> None:
    """Show the projects allocated to the district, and where each was really deployed."""
    rows = state.of_study("projets", build=lambda: readings.projects(tables))
    rows = rows[(tables["projects"]["district_id"] == ident).to_numpy(dtype=bool)]
    if rows.empty:
        st.info("Aucun projet nommé pour ce quartier dans les documents.")
        return
    inside = (rows["Dans le quartier"] == "oui").sum()
    unknown = (rows["Dans le quartier"] == "inconnu").sum()
    st.markdown(
        f"**{counted(len(rows), 'projet attribué', 'projets attribués')}** : "
        f"dans le quartier {inside}/{len(rows)}, lieu inconnu {unknown}/{len(rows)}."
    )
    show_table(rows.drop(columns="Quartier d’attribution"))


def _field(tables: Mapping[str, pd.DataFrame], ident: str) -> None:
    """Show the sessions, and what the workshop put on the map."""
    sessions = tables["sessions"]
    sessions = sessions[sessions["district_id"] == ident]
    if sessions.empty:
        st.info("Aucune séance de terrain pour ce quartier.")
        return
    if sessions["demo"].any():
        st.warning(
            "Séances de démonstration : inventées, ne rien en conclure sur le terrain.", icon=":material/science:"
        )
    wanted = ["kind", "title", "start", "n_participants", "demo"]
    show_table(readings.labelled(sessions, "sessions", wanted))
    items = tables["workshop_items"]
    items = items[items["session_id"].isin(sessions["session_id"])]
    if len(items):
        st.markdown(f"**Objets posés en atelier{' (démonstration)' if items['demo'].any() else ''}**")
        wanted = ["priority", "kind", "label", "theme", "actor_group", "demo"]
        show_table(readings.labelled(items.sort_values("priority"), "workshop_items", wanted))


def _kept(tables: Mapping[str, pd.DataFrame], ident: str) -> dict[str, pd.DataFrame]:
    """Return the tables of this district, for download."""
    by_district = ("districts", "objectives", "expected_solutions", "district_facts", "barriers", "projects", "sites")
    kept = {name: tables[name][tables[name]["district_id"] == ident] for name in by_district}
    sessions = tables["sessions"][tables["sessions"]["district_id"] == ident]
    for name in _SESSION_TABLES:
        kept[name] = tables[name][tables[name]["session_id"].isin(sessions["session_id"])]
    return {name: frame for name, frame in kept.items() if len(frame)}


if __name__ == "__main__":
    page()
