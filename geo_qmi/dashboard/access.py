"""How far does one get on foot, what do the barriers cost, and what would one more crossing change?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
import streamlit as st

from geo_qmi import maps, walking
from geo_qmi.dashboard import readings, state
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, show_map, show_table
from geo_qmi.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.walking import Access, Cut, Terrain

_LIST = "Dans la liste"
_TYPED = "Coordonnées"


def page() -> None:
    """Show the page."""
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    left.title("Accès et coupures")
    with state.refusals():
        tables = state.tables()
    names = readings.district_names(tables)
    if not names:
        st.info("Cette étude ne contient aucun quartier : importez-en un, ou ouvrez une autre étude.")
        return
    ident = right.selectbox(
        "Quartier", list(names), format_func=names.__getitem__, key="acces-quartier", bind="query-params"
    )
    given = terrain_of(tables, ident)
    if given is None:
        return
    opened = _tried(given)
    tried, refusal = _with(given, opened)
    if refusal:
        st.warning(literal(refusal), icon=":material/block:")
    walked = _start(tables, tried)
    found = _cut(tables, tried, opened)
    if walked is not None:
        _map(tables, tried, walked, found, opened=None if refusal else opened)
        _catchments(walked, tried)
    _card(tables, given, found, opened=None if refusal else opened)
    _about(tried)
    kept = ("barriers", "crossings", "stations")
    filled = {name: tables[name] for name in kept if len(tables[name])}
    if filled:
        downloads(filled, key="acces", mark=maps.DEMO * given.demo)


def terrain_of(tables: Mapping[str, Any], ident: str) -> Terrain | None:
    """Return the ground of a district, kept for the session, or say in words that it has none."""
    try:
        return state.remembered(("terrain", state.stamp(), ident), lambda: walking.terrain(tables, ident))
    except InputError as error:
        st.info(literal(error))
        return None


def _tried(given: Terrain) -> shapely.LineString | None:
    """Let the reader open a crossing between two points, chosen in a list or typed."""
    with st.expander("Et si l’on ouvrait un franchissement ?", icon=":material/add_road:"):
        listed = walking.banks(given)
        if listed.empty:
            st.caption("Aucune coupure tracée près de ce quartier : rien à franchir.")
            return None
        st.caption("Deux points, de part et d’autre d’une coupure. Rien n’est enregistré : la fiche est recalculée.")
        ends = []
        for box, name, key in zip(st.columns(2), ("Premier point", "Second point"), ("a", "b"), strict=True):
            with box:
                where = st.radio(
                    name, (_LIST, _TYPED), horizontal=True, key=f"acces-mode-{key}-{given.district_id}"
                )  # fmt: skip
                if where == _LIST:
                    label = st.selectbox(
                        f"{name} : lieu", list(listed.index), index=None, placeholder="Choisir",
                        key=f"acces-point-{key}-{given.district_id}", label_visibility="collapsed",
                    )  # fmt: skip
                    ends.append(None if label is None else listed[label])
                else:
                    ends.append(_typed(f"{name} : coordonnées", key=f"acces-xy-{key}-{given.district_id}"))
    if ends[0] is None or ends[1] is None:
        return None
    if ends[0].equals(ends[1]):
        st.warning("Les deux points sont le même : choisissez l’autre rive.")
        return None
    return shapely.LineString(ends)


def _typed(title: str, *, key: str) -> shapely.Point | None:
    """Return the point of two typed numbers, or say why they are none."""
    text = st.text_input(title, placeholder="2,4955 48,932 ou 663037 6870343", key=key, label_visibility="collapsed")
    if not text:
        return None
    try:
        return walking.place_at(text)
    except InputError as error:
        st.warning(literal(error))
        return None


def _with(given: Terrain, opened: shapely.LineString | None) -> tuple[Terrain, str]:
    """Return the ground with the tried crossing, or as it was and why not."""
    if opened is None:
        return given, ""
    try:
        return walking.with_crossing(given, opened), ""
    except InputError as error:
        return given, str(error)


def _start(tables: Mapping[str, Any], tried: Terrain) -> Access | None:
    """Let the reader choose where the walk starts, and walk."""
    listed = walking.origins(tables, tried)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    stations = [one for one in listed.index if str(one).startswith("gare-")]
    first = listed.index.get_loc(stations[0]) if stations else 0
    ident = left.selectbox(
        "Départ de la marche", list(listed.index), index=int(first), format_func=listed["name"].__getitem__,
        key=f"acces-depart-{tried.district_id}",
    )  # fmt: skip
    with right:
        typed = _typed("ou coordonnées", key=f"acces-depart-xy-{tried.district_id}")
    place, name = (listed.geometry[ident], str(listed["name"][ident])) if typed is None else (typed, "point saisi")
    key = ("acces", state.stamp(), tried.district_id, tried.lines, tried.ground.n_nodes, place.wkt)
    try:
        return state.remembered(key, lambda: walking.access(tried, place, name=name))
    except InputError as error:
        st.warning(literal(error))
        return None


def _cut(tables: Mapping[str, Any], tried: Terrain, opened: shapely.LineString | None) -> Cut | None:
    """Return the card of the barriers on this ground."""
    key = ("coupures", state.stamp(), tried.district_id, None if opened is None else opened.wkt)
    with state.refusals(), st.spinner("Marche le long des coupures…"):
        return state.remembered(key, lambda: walking.cut(tried, tables))


def _map(
    tables: Mapping[str, Any], tried: Terrain, walked: Access, found: Cut | None, *, opened: shapely.LineString | None
) -> None:
    """Show the ground reached, the barriers and the detours."""
    drawn = maps.access_map(
        tried.perimeter,
        communes=tables["communes"],
        barriers=tables["barriers"],
        crossings=tried.crossings,
        stations=tables["stations"],
        catchments=walked.catchments,
        place=walked.place,
        place_name=walked.name,
        ground=tried.ground.label,
        pairs=None if found is None else found.found.pairs,
        opened=opened,
        demo=tried.demo,
    )
    show_map(drawn, key=f"acces-carte-{tried.district_id}", height_px=600)


def _catchments(walked: Access, tried: Terrain) -> None:
    """Show the ground reached beside the disc, in numbers."""
    st.markdown("#### Ce que promet le disque, ce que permet la marche")
    headings = {
        "minutes": "Minutes", "metres": "Rayon (m)", "disc_ha": "Disque (ha)", "reached_ha": "Atteint à pied (ha)",
        "percent": "Part du disque (%)",
    }  # fmt: skip
    rows = walked.catchments.assign(percent=100 * walked.catchments["share"])
    if tried.unit == "habitants":
        headings |= {"amount_disc": "Habitants dans le disque", "amount": "Habitants atteints"}
    show_table(walking.tidy(rows, headings, digits={"disc_ha": 1, "reached_ha": 1}))
    st.markdown(" ".join(literal(line) for line in walked.lines))


def _card(
    tables: Mapping[str, Any], given: Terrain, found: Cut | None, *, opened: shapely.LineString | None
) -> None:  # fmt: skip
    """Show the card of each barrier, before and after the tried crossing."""
    st.markdown("#### Ce que coûtent les coupures")
    if found is None:
        st.markdown("_Aucune coupure tracée près de ce quartier : le coût est inconnu, il n’est pas nul._")
        return
    if opened is not None:
        before = _cut(tables, given, None)
        if before is not None:
            st.success("Franchissement envisagé ouvert : la fiche et la carte sont recalculées.")
            show_table(_compared(before, found), key="acces-avant-apres")
    show_table(found.cards(), key="acces-fiche")
    st.caption("Détour, délai et dénivelé restent à part : aucun indice unique. Une case vide est inconnue, pas nulle.")
    pairs, inventory, beside, best = st.tabs(
        ["Paires en vis-à-vis", "Franchissements", "Dit à côté", "Où franchir ?"]
    )  # fmt: skip
    with pairs:
        show_table(found.pairs(), key="acces-paires")
    with inventory:
        show_table(found.crossings(), key="acces-inventaire")
    with beside:
        show_table(found.beside(), key="acces-dit")
        st.caption("À moins de 50 m d’une coupure. Les mots exacts sont privés : page « Carte sensible ».")
    with best:
        _ranked(given)


def _compared(before: Cut, after: Cut) -> pd.DataFrame:
    """Return the figures that an opened crossing moves, before and after."""
    old, new = before.cards(), after.cards()
    rows: dict[str, Any] = {"Coupure": old["Coupure"]}
    for name in ("Détour médian (m)", "Délai médian (min)", f"Coupés à pied ({before.unit})"):
        rows |= {f"{name} : avant": old[name], "après" + f" — {name}": new[name]}
    return pd.DataFrame(rows)


def _ranked(given: Terrain) -> None:
    """Rank candidate crossings when asked: it takes some seconds."""
    if not st.toggle("Classer un franchissement tous les 100 m (quelques secondes)", key="acces-classer"):
        return
    with state.refusals(), st.spinner("Ouverture de chaque franchissement…"):
        key = ("classement", state.stamp(), given.district_id)
        show_table(state.remembered(key, lambda: walking.ranked(given)), key="acces-classement")
    st.caption("Chacun est ouvert seul. Un rang qui bouge quand on marche 20 % plus ou moins vite n’est pas stable.")


def _about(tried: Terrain) -> None:
    """Say which ground was used and what is not known of it."""
    with st.expander("Terrain utilisé et limites", icon=":material/info:", expanded=True):
        st.markdown("\n".join(f"- {literal(line)}" for line in tried.lines))


if __name__ == "__main__":
    page()
