"""What is the programme, as a whole: places, projects, fund, figures that disagree, neighbours, dates?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from geo_qmi import maps
from geo_qmi.dashboard import programme_charts, state, visit
from geo_qmi.dashboard.chart_panel import show_chart
from geo_qmi.dashboard.panel import downloads, show_map, show_table
from geo_qmi.desk import readings
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_ALL = "Toutes"


def page() -> None:
    """Show the page."""
    st.title("Le programme dans la Métropole")
    with state.refusals():
        tables = state.tables()
    if tables["communes"].empty or tables["districts"].empty:
        st.info(
            "Cette étude ne contient ni commune ni quartier : importez-les (page Données, « Importer un fichier »), ou "
            "ouvrez une autre étude."
        )
        return
    edition, section = _top(tables)
    titles = ["Carte", "Projets", "Sélection", "Fonds Innover dans la Ville", "Programmes et dates"]
    chart, projects, selection, fund, around = st.tabs(titles, **visit.in_address("programme-onglet", titles))
    with chart:
        _map(tables, edition, section)
    with projects:
        _projects(tables, edition)
    if selection.open:  # charts are drawn when somebody looks
        with selection:
            _selection(tables, edition)
    with fund:
        _fund(tables, section)
    if around.open:
        with around:
            _around(tables, edition)
    visit.link("origins.py", "Les chiffres publiés et ce qui les contredit, ligne par ligne")
    kept = ["districts", "communes", "territories", "projects", "fund_projects", "figures", "contradictions"]
    downloads({name: tables[name] for name in kept}, key="programme")


def _top(tables: Mapping[str, pd.DataFrame]) -> tuple[int | None, str | None]:
    """Show the published funnels, and let the reader choose an edition and a section of the fund, or all."""
    shown = state.of_study("étapes publiées", build=lambda: programme_charts.steps(tables, 1))
    *boxes, left, right = st.columns(len(shown) + 2)
    for box, (title, steps) in zip(boxes, shown.items(), strict=True):
        told = [step for step in steps[:3] if step.count is not None]
        sources = " ; ".join(f"{step.label} : {step.source}" for step in told)
        box.metric(title, " → ".join(maps.words(step.count) for step in told), help=sources)
        box.caption(" → ".join(step.label for step in told))
    editions = sorted(tables["districts"]["edition"].dropna().unique())
    offered = [_ALL, *(str(edition) for edition in editions)]
    edition = left.segmented_control(
        "Édition du programme", offered, default=_ALL, required=True, **visit.in_address("programme-edition", offered)
    )
    sections = sorted(tables["fund_projects"]["section"].dropna().unique())
    offered = [_ALL, *sections]
    section = right.selectbox("Section du fonds", offered, **visit.in_address("programme-section", offered))
    return None if edition in {None, _ALL} else int(str(edition)), None if section == _ALL else section


def _of_edition(frame: pd.DataFrame, edition: int | None) -> pd.DataFrame:
    return frame if edition is None else frame[frame["edition"] == edition]


def _map(tables: Mapping[str, pd.DataFrame], edition: int | None, section: str | None) -> None:
    """Show the metropolitan map, with what it cannot place listed below."""
    fund = _of_section(tables["fund_projects"], section)
    kept = readings.each_once(fund)
    by_territory = kept[kept["insee"].isna()]
    scope = ["toutes éditions" if edition is None else f"édition {edition}"]
    scope += [f"section « {section} »"] if section else []
    drawn = state.of_study(
        "carte du programme",
        edition,
        section,
        build=lambda: maps.programme_map(
            tables["communes"],
            _of_edition(tables["districts"], edition),
            territories=tables["territories"],
            fund_counts=kept.groupby("insee").size(),
            carried_elsewhere=len(by_territory),
            scope=", ".join(scope),
        ),
    )
    show_map(drawn, key="carte-programme", height_px=620)
    if len(by_territory):
        st.markdown(
            f"**Portés par un établissement public territorial (EPT), sans commune à colorer : {len(by_territory)}**"
        )
        show_table(readings.labelled(by_territory, "fund_projects", ["carrier", "title", "section", "source"]))
    st.caption(readings.counting_rule(fund))


def _projects(tables: Mapping[str, pd.DataFrame], edition: int | None) -> None:
    """Show the projects, where they were allocated and where they were really deployed."""
    rows = state.of_study("projets", build=lambda: readings.projects(tables))
    if edition is not None:
        rows = rows[(tables["projects"]["edition"] == edition).to_numpy(dtype=bool)]
    if rows.empty:
        st.info("Aucun projet nommé pour cette édition dans cette étude.")
        return
    left, right = st.columns(2)
    offered = sorted(rows["Famille"].dropna().unique())
    families = left.multiselect(
        "Famille", offered, placeholder="Toutes", **visit.in_address("programme-famille", offered)
    )
    column = next(name for name in rows.columns if name.startswith("Statut"))
    offered = sorted(rows[column].unique())
    statuses = right.multiselect(column, offered, placeholder="Tous", **visit.in_address("programme-statut", offered))
    if families:
        rows = rows[rows["Famille"].isin(families)]
    if statuses:
        rows = rows[rows[column].isin(statuses)]
    st.markdown(
        f"**{counted(len(rows), 'projet')}**, chacun avec son quartier d’attribution et, s’il est connu, son lieu de "
        "déploiement : ce n’est pas toujours le même."
    )
    show_table(rows, height_px=460)


def _selection(tables: Mapping[str, pd.DataFrame], edition: int | None) -> None:
    """Show of how many, how many are left at each step."""
    drawn = state.of_study("entonnoirs", edition, build=lambda: programme_charts.funnels(tables, edition))
    if not drawn:
        st.info("Aucun nombre de candidatures ni de projets retenus dans cette étude pour cette édition.")
    for position, one in enumerate(drawn):
        show_chart(one, key=f"entonnoir-{position + 1}")


def _of_section(fund: pd.DataFrame, section: str | None) -> pd.DataFrame:
    return fund if section is None else fund[fund["section"] == section]


def _fund(tables: Mapping[str, pd.DataFrame], section: str | None) -> None:
    """Show every entry of the fund, with its carrier."""
    fund = _of_section(tables["fund_projects"], section)
    if fund.empty:
        st.info("Aucun projet du fonds dans cette étude.")
        return
    st.markdown(readings.counting_rule(fund))
    columns = ["carrier", "carrier_kind", "section", "title", "cluster", "site_name", "cost_eur", "date", "source"]
    show_table(readings.labelled(fund, "fund_projects", columns), height_px=520)


def _around(tables: Mapping[str, pd.DataFrame], edition: int | None) -> None:
    """Show neighbouring programmes with their places, and the dates."""
    programmes = state.of_study("programmes", build=lambda: readings.programmes(tables))
    st.markdown(f"**{counted(len(programmes), 'programme ou hub', 'programmes et hubs')}**")
    show_table(programmes, height_px=420)
    dates = tables["timeline"]
    if edition is not None:
        dates = dates[dates["edition"].fillna("").str.contains(str(edition))]
    drawn = state.of_study("chronologie", edition, build=lambda: programme_charts.timeline(tables, edition))
    show_chart(drawn, key="chronologie")
    st.markdown(f"**Chronologie** : {counted(len(dates), 'évènement')}")
    show_table(readings.labelled(dates.sort_values("date"), "timeline"), height_px=420)


if __name__ == "__main__":
    page()
