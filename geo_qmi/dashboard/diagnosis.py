"""What does one page say of a district, on the same plan for all, and what would the field change?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_qmi import maps, matching, sensitive
from geo_qmi.dashboard import fieldwork, state, visit
from geo_qmi.dashboard.fieldwork import Kept
from geo_qmi.dashboard.panel import downloads, header, show_map, show_table
from geo_qmi.runs import field_needs
from geo_qmi.vocabulary import NEED_LAYERS, OTHER_LAYERS, THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.dashboard.fieldwork import Fieldwork
    from geo_qmi.sensitive import Sheet

#: Every record, on cells of the sheet's own side.
_ALL, _CELL_M = Kept(), float(fieldwork.CELLS_M[0])


def page() -> None:
    """Show the page."""
    opening = header("Diagnostic", opens_on="sessions")
    if opening is None:
        return
    tables, ident, names = opening
    with state.refusals():
        sheet = _made(tables, ident)
    if sheet.demo:
        st.caption(":material/science: Séances de démonstration : inventées, ne rien en conclure sur le terrain.")
    titles = ["Fiche du quartier", "Comparer les quartiers", "Besoins du terrain"]
    one, all_of_them, needs = st.tabs(titles, **visit.in_address("diagnostic-onglet", titles))
    if one.open:
        with one:
            _map(tables, ident)
            _sheet(sheet, ident)
    if all_of_them.open:  # every district is read when somebody looks
        with all_of_them:
            _compare(tables, names)
    if needs.open:
        with needs:
            _needs(tables, ident)
            found = _field_needs(tables)
            if len(found):
                downloads({"needs": found}, key="diagnostic", mark=maps.DEMO * sheet.demo)


def _made(tables: Mapping[str, Any], ident: str) -> Sheet:
    def build() -> Sheet:
        found = _felt(tables, ident)
        return sensitive.diagnosis(ident, tables=tables, own=found.own, ground=found.places)

    return state.of_study("fiche", ident, build=build)


def _felt(tables: Mapping[str, Any], ident: str) -> Fieldwork:
    """Return every record on cells of the sheet's own side, as the page *Carte sensible* asks for it."""
    return state.of_study(
        "terrain", ident, _ALL, _CELL_M,
        build=lambda: fieldwork.fieldwork(tables, ident, kept=_ALL, cell_m=_CELL_M),
    )  # fmt: skip


def _field_needs(tables: Mapping[str, Any]) -> pd.DataFrame:
    """Return table ``needs`` of the layer ``field``, for every district, computed once a study."""
    with state.refusals():
        return state.of_study("besoins du terrain", build=lambda: field_needs(tables))


def _map(tables: Mapping[str, Any], ident: str) -> None:
    """Show the sensitive map of the sheet: every record, cells of the sheet's own side."""
    with state.refusals():
        found = _felt(tables, ident)
        ground = state.of_study("sol", ident, build=lambda: fieldwork.ground_of(tables, ident))
        shown = state.of_study(
            "carte sensible", ident, _ALL, _CELL_M, "places", "",
            build=lambda: fieldwork.drawn(tables, ident, found, kept=_ALL, ground=ground),
        )  # fmt: skip
    show_map(shown, key=f"diagnostic-carte-{ident}", height_px=460, place=ident)


def _sheet(sheet: Sheet, ident: str) -> None:
    """Show every section, in the same order for every district, empty where nothing was collected."""
    sections = state.of_study(
        "fiche en mots",
        ident,
        build=lambda: {title: fieldwork.worded(rows) for title, rows in sheet.sections().items()},
    )
    for title, shown in sections.items():
        st.markdown(f"## {title}")
        if shown.empty:
            st.markdown("_Rien n’a été recueilli._")
        else:
            show_table(shown)


def _compare(tables: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Show the same indicators for every district, side by side; a dash is unknown, never zero."""
    walked = st.toggle(
        "Seulement les quartiers où une séance a eu lieu",
        value=True,
        **visit.in_address("diagnostic-parcourus", visit.YES_OR_NO),
    )
    went = set(tables["sessions"]["district_id"])
    with state.refusals():
        table = state.of_study(
            "comparaison", walked,
            build=lambda: _compared(tables, {one: names[one] for one in names if one in went or not walked}, went),
        )  # fmt: skip
    if table.empty:
        st.info("Aucune séance de terrain dans cette étude.")
        return
    show_table(table, height_px=35 * (len(table) + 1) + 3)
    st.caption("Un tiret : aucune séance n’a pu le recueillir. Ce n’est pas un zéro.")


def _compared(tables: Mapping[str, Any], names: Mapping[str, str], went: set[str]) -> pd.DataFrame:
    if not names:
        return pd.DataFrame()
    counts = {
        ident: state.of_study("indicateurs", ident, build=partial(_counted, tables, ident, met=ident in went))
        for ident in names
    }
    table = sensitive.side_by_side(counts).rename(columns={"label": "Indicateur", **names})
    return table.round(2).reset_index(drop=True)


def _counted(tables: Mapping[str, Any], ident: str, *, met: bool) -> pd.DataFrame:
    """Return the indicators of a district; where somebody went, from what its own sheet is made of."""
    if not met:
        return sensitive.indicators(ident, tables=tables)
    found = _felt(tables, ident)
    return sensitive.indicators(ident, tables=tables, own=found.own, ground=found.places)


def _needs(tables: Mapping[str, Any], ident: str) -> None:
    """Show the needs of the documents, those of the field beside them, and what counting both would change."""
    counted = st.toggle(
        "Compter aussi les besoins du terrain",
        value=False,
        **visit.in_address("diagnostic-terrain", visit.YES_OR_NO),
    )
    layers = ("objectives", "expected_solutions", "districts")
    with state.refusals():
        own = [tables[name][tables[name]["district_id"] == ident] for name in layers]
        published = state.of_study(
            "besoins publiés", ident, build=lambda: matching.needs(*own, lexicon=tables["lexicon"])
        )
        field = _field_needs(tables)
    field = field[field["district_id"] == ident]
    asked = pd.concat([published, field], ignore_index=True) if counted else published
    weights = {**matching.LAYER_WEIGHTS, **({"field": 1.0} if counted else {})}
    if field.empty:
        st.info("Aucun besoin venu du terrain : ni ressenti négatif, ni absence, ni objet d’atelier avec un thème.")
    if asked.empty:
        st.info("Aucun besoin publié pour ce quartier.")
        return
    wide = asked.pivot_table(index="theme", columns="layer", values="weight", aggfunc="sum").reindex(
        [theme for theme in THEMES if theme in set(asked["theme"])]
    )
    labels = {**NEED_LAYERS, **OTHER_LAYERS}
    wide = wide[[layer for layer in labels if layer in wide]].rename(columns=labels)
    wide.insert(0, "Thème", [THEMES[theme] for theme in wide.index])
    st.markdown(f"## Poids de chaque thème, couche par couche {'(terrain compté)' if counted else '(documents seuls)'}")
    show_table(wide.round(3).reset_index(drop=True))
    with state.refusals():
        rows = state.of_study(
            "effet du terrain", ident, counted, build=lambda: _effect(tables, asked, weights, ident, counted=counted)
        )
    if rows.empty:
        return
    st.markdown("## Score des projets réels dans ce quartier")
    show_table(rows)
    st.caption(
        "Le terrain est ici une couche de besoins de plus, de même poids que les autres. Dans l’appariement, il compte "
        "dès que le poids « Réponse aux besoins relevés sur le terrain » dépasse 0 (page Appariement, règles)."
    )


def _effect(
    tables: Mapping[str, Any], asked: pd.DataFrame, weights: Mapping[str, float], ident: str, *, counted: bool
) -> pd.DataFrame:
    """Return the scores of the real projects in this district under the needs that count."""
    projects = tables["projects"]
    if projects.empty:
        return pd.DataFrame()
    brought = state.of_study(
        "offres des projets",
        build=lambda: matching.offers(projects, lexicon=tables["lexicon"], tags=tables["project_tags"]),
    )
    whole: dict[str, Any] = {"project_ids": projects["project_id"], "district_ids": [ident]}
    now = matching.score(asked, brought, layer_weights=weights, **whole)[ident]
    before = matching.score(asked[asked["layer"] != "field"], brought, **whole)[ident]
    names = projects.set_index("project_id")["name"]
    rows = pd.DataFrame({"Projet": names.reindex(now.index), "Score, documents seuls": before.round(3)})
    if counted:
        rows["Score, terrain compté"] = now.round(3)
        rows["Écart"] = (now - before).round(3)
    return rows.sort_values(rows.columns[-2 if counted else -1], ascending=False, ignore_index=True)


if __name__ == "__main__":
    page()
