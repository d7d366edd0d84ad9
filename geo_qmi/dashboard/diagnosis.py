"""What does one page say of a district, on the same plan for all, and what would the field change?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_qmi import maps, matching, sensitive
from geo_qmi.dashboard import fieldwork, state
from geo_qmi.dashboard.fieldwork import Kept
from geo_qmi.dashboard.panel import downloads, header, show_map, show_table
from geo_qmi.runs import field_needs
from geo_qmi.vocabulary import NEED_LAYERS, OTHER_LAYERS, THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.sensitive import Sheet


def page() -> None:
    """Show the page."""
    opening = header("Diagnostic", walked_first=True)
    if opening is None:
        return
    tables, ident, names = opening
    with state.refusals():
        sheets = state.remembered(("fiches", state.stamp()), lambda: _sheets(tables, names))
    sheet = sheets[ident]
    if sheet.demo:
        st.caption(":material/science: Séances de démonstration : inventées, ne rien en conclure sur le terrain.")
    one, all_of_them, needs = st.tabs(["Fiche du quartier", "Comparer les quartiers", "Besoins du terrain"])
    with one:
        _map(tables, ident)
        _sheet(sheet)
    with all_of_them:
        _compare(sheets, names)
    with needs:
        _needs(tables, ident)
    own = {"needs": _field_needs(tables)}
    downloads({name: frame for name, frame in own.items() if len(frame)} or {"districts": tables["districts"]},
              key="diagnostic", mark=maps.DEMO * sheet.demo)  # fmt: skip


def _sheets(tables: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Sheet]:
    return {ident: sensitive.diagnosis(ident, tables=tables) for ident in names}


def _field_needs(tables: Mapping[str, Any]) -> pd.DataFrame:
    """Return table ``needs`` of the layer ``field``, for every district, computed once a study."""
    with state.refusals():
        return state.remembered(("besoins", state.stamp()), lambda: field_needs(tables))


def _map(tables: Mapping[str, Any], ident: str) -> None:
    """Show the sensitive map of the sheet: every record, cells of the sheet's own side."""
    kept = Kept()
    with state.refusals():
        cell_m = float(fieldwork.CELLS_M[0])
        key = ("sensible", state.stamp(), ident, kept, cell_m)  # the key of the page *Carte sensible*
        found = state.remembered(key, lambda: fieldwork.fieldwork(tables, ident, kept=kept, cell_m=cell_m))
        drawn = ("sensible-carte", state.stamp(), ident, kept, cell_m, "places", "")
        shown = state.remembered(drawn, lambda: fieldwork.drawn(tables, ident, found, kept=kept))
    show_map(shown, key=f"diagnostic-carte-{ident}", height_px=460, place=ident)


def _sheet(sheet: Sheet) -> None:
    """Show every section, in the same order for every district, empty where nothing was collected."""
    for title, frame in sheet.sections().items():
        st.markdown(f"#### {title}")
        shown = fieldwork.worded(frame)
        if shown.empty:
            st.markdown("_Rien n’a été recueilli._")
        else:
            show_table(shown)


def _compare(sheets: Mapping[str, Sheet], names: Mapping[str, str]) -> None:
    """Show the same indicators for every district, side by side; a dash is unknown, never zero."""
    walked = st.toggle("Seulement les quartiers où une séance a eu lieu", value=True, key="diagnostic-parcourus")
    told = {ident: sheet for ident, sheet in sheets.items() if not walked or _went(sheet)}
    if not told:
        st.info("Aucune séance de terrain dans cette étude.")
        return
    table = sensitive.comparison(list(told.values())).rename(columns={"label": "Indicateur", **names})
    show_table(table.round(2).reset_index(drop=True), height_px=35 * (len(table) + 1) + 3)
    st.caption("Un tiret : aucune séance n’a pu le recueillir. Ce n’est pas un zéro.")


def _went(sheet: Sheet) -> bool:
    counts = sheet.counts
    return bool((counts.loc[counts["indicator"] == "n_sessions", "value"] > 0).any())


def _needs(tables: Mapping[str, Any], ident: str) -> None:
    """Show the needs of the documents, those of the field beside them, and what counting both would change."""
    counted = st.toggle("Compter aussi les besoins du terrain", value=False, key="diagnostic-terrain")
    layers = ("objectives", "expected_solutions", "districts")
    own = [tables[name][tables[name]["district_id"] == ident] for name in layers]
    with state.refusals():
        published = matching.needs(*own, lexicon=tables["lexicon"])
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
    st.markdown(
        f"#### Poids de chaque thème, couche par couche {'(terrain compté)' if counted else '(documents seuls)'}"
    )
    show_table(wide.round(3).reset_index(drop=True))
    _effect(tables, asked, weights, ident, counted=counted)


def _effect(
    tables: Mapping[str, Any], asked: pd.DataFrame, weights: Mapping[str, float], ident: str, *, counted: bool
) -> None:
    """Show the scores of the real projects in this district under the needs that count."""
    projects = tables["projects"]
    if projects.empty:
        return
    with state.refusals():
        brought = matching.offers(projects, lexicon=tables["lexicon"], tags=tables["project_tags"])
        now = matching.score(asked, brought, layer_weights=weights, project_ids=projects["project_id"],
                             district_ids=[ident])[ident]  # fmt: skip
        before = matching.score(asked[asked["layer"] != "field"], brought, project_ids=projects["project_id"],
                                district_ids=[ident])[ident]  # fmt: skip
    names = projects.set_index("project_id")["name"]
    rows = pd.DataFrame({"Projet": names.reindex(now.index), "Score, documents seuls": before.round(3)})
    if counted:
        rows["Score, terrain compté"] = now.round(3)
        rows["Écart"] = (now - before).round(3)
    st.markdown("#### Score des projets réels dans ce quartier")
    show_table(rows.sort_values(rows.columns[-2 if counted else -1], ascending=False, ignore_index=True))
    st.caption(
        "Le terrain est ici une couche de besoins de plus, de même poids que les autres. Dans l’appariement, il compte "
        "dès que le poids « Réponse aux besoins relevés sur le terrain » dépasse 0 (page Appariement, règles)."
    )


if __name__ == "__main__":
    page()
