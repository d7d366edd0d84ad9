"""How far does one get on foot, what do the barriers cost, and what would one more crossing change?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
import streamlit as st

from geo_qmi import charts, walking
from geo_qmi.dashboard import grounds, state, visit
from geo_qmi.dashboard.chart_panel import show_chart
from geo_qmi.dashboard.long_work import Stopped, awaited
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, header, show_map, show_table
from geo_qmi.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.dashboard.grounds import Chosen
    from geo_qmi.walking import Access, Cut, Terrain

_LIST = "Dans la liste"
_TYPED = "Coordonnées"
#: Height of a row of a table on screen: the whole card is shown, never ten rows of it.
_ROW_PX = 35


def page() -> None:
    """Show the page."""
    opening = header("Accès et coupures")
    if opening is not None:
        with suppress(Stopped):
            _page(*opening[:2])


def _page(tables: Mapping[str, Any], ident: str) -> None:
    """Show the choices of a district, then what they give."""
    ground = grounds.chosen(tables, ident, key="acces")
    if ground is None:
        return
    opened = _tried(ground.given)
    tried, refusal = _with(ground, opened)
    if refusal:
        st.warning(literal(refusal), icon=":material/block:")
        opened = None
    walked = _start(tables, tried, (*ground.walked, None if opened is None else opened.wkt))
    found = _cut(tables, tried, ground.walked, opened)
    if walked is not None:
        mark = ("acces-carte", *ground.walked, walked.place.wkt, walked.name, None if opened is None else opened.wkt)
        drawn = state.remembered(mark, lambda: walking.access_map(tables, tried, walked, found, opened=opened))
        show_map(drawn, key=f"acces-carte-{tried.district_id}", height_px=600, place=tried.district_id)
        _catchments(walked, tried)
    _card(tables, ground, found, opened=opened)
    _about(tried)
    kept = ("barriers", "crossings", "stations")
    filled = {name: tables[name] for name in kept if len(tables[name])}
    if filled:
        downloads(filled, key="acces")


def _tried(given: Terrain) -> shapely.LineString | None:
    """Let the reader open a crossing between two points, chosen in a list or typed."""
    with st.expander("Et si l’on ouvrait un franchissement ?", icon=":material/add_road:"):
        listed = state.of_study("rives", given.district_id, build=lambda: walking.banks(given))
        if listed.empty:
            st.caption("Aucune coupure tracée près de ce quartier : rien à franchir.")
            return None
        st.caption("Deux points, de part et d’autre d’une coupure. Rien n’est enregistré : la fiche est recalculée.")
        ends = []
        for box, name, key in zip(st.columns(2), ("Premier point", "Second point"), ("a", "b"), strict=True):
            with box:
                where = st.radio(
                    name, (_LIST, _TYPED), horizontal=True,
                    **visit.in_address(f"acces-mode-{key}-{given.district_id}", (_LIST, _TYPED)),
                )  # fmt: skip
                if where == _LIST:
                    label = st.selectbox(
                        f"{name} : lieu", list(listed.index), index=None, placeholder="Choisir",
                        label_visibility="collapsed",
                        **visit.in_address(f"acces-point-{key}-{given.district_id}", listed.index),
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


def _typed(title: str, *, key: str, named: bool = False) -> shapely.Point | None:
    """Return the point of two typed numbers, or say why they are none."""
    text = st.text_input(
        title, placeholder="2,4955 48,932 ou 663037 6870343", key=key, bind="query-params", max_chars=100,
        label_visibility="visible" if named else "collapsed",
    )  # fmt: skip
    if not text:
        return None
    try:
        return walking.place_at(text)
    except InputError as error:
        st.warning(literal(error))
        return None


def _with(ground: Chosen, opened: shapely.LineString | None) -> tuple[Terrain, str]:
    """Return the ground with the tried crossing, or as it was and why not."""
    if opened is None:
        return ground.given, ""
    key = ("franchissement ouvert", *ground.key, opened.wkt)
    try:
        return state.remembered(key, lambda: walking.with_crossing(ground.given, opened)), ""
    except InputError as error:
        return ground.given, str(error)


def _start(tables: Mapping[str, Any], tried: Terrain, mark: tuple[Any, ...]) -> Access | None:
    """Let the reader choose where the walk starts, and walk."""
    listed = state.of_study("départs", tried.district_id, build=lambda: walking.origins(tables, tried))
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    stations = [one for one in listed.index if str(one).startswith("gare-")]
    first = listed.index.get_loc(stations[0]) if stations else 0
    names = visit.told_apart(listed["name"].to_dict())
    ident = left.selectbox(
        "Départ de la marche", list(listed.index), index=int(first), format_func=names.__getitem__,
        **visit.in_address(f"acces-depart-{tried.district_id}", names.values()),
    )  # fmt: skip
    with right:
        typed = _typed("ou coordonnées", key=f"acces-depart-xy-{tried.district_id}", named=True)
    place, name = (listed.geometry[ident], str(listed["name"][ident])) if typed is None else (typed, "point saisi")
    try:
        return awaited(
            "acces", (mark, place.wkt), lambda bar: walking.access(tried, place, name=name, announce=bar)
        )  # fmt: skip
    except InputError as error:
        st.warning(literal(error))
        return None


def _cut(
    tables: Mapping[str, Any],
    tried: Terrain,
    mark: tuple[Any, ...],
    opened: shapely.LineString | None,
    *,
    key: str = "coupures",
) -> Cut | None:
    """Return the card of the barriers on this ground."""
    wanted = (mark, None if opened is None else opened.wkt)
    with state.refusals():
        return awaited(key, wanted, lambda bar: walking.cut(tried, tables, announce=bar), kind="coupures")


def _catchments(walked: Access, tried: Terrain) -> None:
    """Show the ground reached beside the disc, in numbers."""
    st.markdown("## Ce que promet le disque, ce que permet la marche")
    headings = {
        "minutes": "Minutes", "metres": "Rayon (m)", "disc_ha": "Disque (ha)", "reached_ha": "Atteint à pied (ha)",
        "percent": "Part du disque (%)",
    }  # fmt: skip
    rows = walked.catchments.assign(percent=100 * walked.catchments["share"])
    if tried.unit == "habitants":
        headings |= {"amount_disc": "Habitants dans le disque", "amount": "Habitants atteints"}
    show_table(walking.tidy(rows, headings, digits={"disc_ha": 1, "reached_ha": 1}))
    st.markdown("\n".join(f"- {literal(line)}" for line in walked.lines))


def _card(
    tables: Mapping[str, Any], ground: Chosen, found: Cut | None, *, opened: shapely.LineString | None
) -> None:  # fmt: skip
    """Show the card of each barrier, before and after the tried crossing."""
    st.markdown("## Ce que coûtent les coupures")
    if found is None:
        st.markdown("_Aucune coupure tracée près de ce quartier : le coût est inconnu, il n’est pas nul._")
        return
    if opened is not None:
        before = _cut(tables, ground.given, ground.walked, None, key="coupures-avant")
        if before is not None:
            st.success("Franchissement envisagé ouvert : la fiche et la carte sont recalculées.")
            show_table(_compared(before, found), key="acces-avant-apres")
            minutes, linked, unmeasured = walking.gained(before, found)
            show_chart(
                charts.minutes_gained(
                    minutes, linked=linked, unmeasured=unmeasured, place=ground.given.title, demo=ground.given.demo
                ),
                key="minutes-gagnees",
            )
    st.markdown("\n".join(f"- {literal(line)}" for line in found.told))
    sheet = found.sheet().query("Mesure != 'Nom'")
    show_table(sheet, key="acces-fiche", height_px=_ROW_PX * (len(sheet) + 1) + 3)
    st.caption("Détour, délai et dénivelé restent à part : aucun indice unique. Une case vide est inconnue, pas nulle.")
    titles = ["Paires en vis-à-vis", "Franchissements", "Dit à côté", "Où franchir ?"]
    pairs, inventory, beside, best = st.tabs(titles, **visit.in_address("acces-onglet", titles))
    if pairs.open:  # made when somebody looks
        with pairs:
            show_table(found.pairs(), key="acces-paires")
    if inventory.open:
        with inventory:
            show_table(found.crossings(), key="acces-inventaire")
    if beside.open:
        with beside:
            _beside(tables, found)
    with best, suppress(Stopped):
        _ranked(ground)


def _beside(tables: Mapping[str, Any], found: Cut) -> None:
    """Show what was said beside the barriers; exact words only when they are asked for."""
    asked = st.toggle("Montrer les mots exacts des personnes (privés)", key="acces-mots")
    words = tables["observations"].set_index("observation_id")["verbatim"] if asked else None
    show_table(found.beside(words), key="acces-dit")
    st.caption("À moins de 50 m d’une coupure. Les mots exacts ne sortent ni en fichier ni en ligne de commande.")


def _compared(before: Cut, after: Cut) -> pd.DataFrame:
    """Return the figures that an opened crossing moves, before and after."""
    old, new = before.cards(), after.cards()
    rows: dict[str, Any] = {"Coupure": old["Coupure"]}
    for name in ("Détour médian (m)", "Délai médian (min)", f"Coupés à pied ({before.unit})"):
        rows |= {f"{name} : avant": old[name], f"{name} : après": new[name]}
    return pd.DataFrame(rows)


def _ranked(ground: Chosen) -> None:
    """Rank candidate crossings when asked: it takes some seconds."""
    if not st.toggle(
        "Classer un franchissement tous les 100 m (quelques secondes)",
        **visit.in_address("acces-classer", visit.YES_OR_NO),
    ):
        return
    with state.refusals():
        found = awaited("classement", ground.walked, lambda bar: walking.ranked(ground.given, announce=bar))
    show_table(found, key="acces-classement")
    st.caption("Chacun est ouvert seul. Un rang qui bouge quand on marche 20 % plus ou moins vite n’est pas stable.")


def _about(tried: Terrain) -> None:
    """Say which ground was used and what is not known of it."""
    with st.expander("Terrain utilisé et limites", icon=":material/info:", expanded=True):
        st.markdown("\n".join(f"- {literal(line)}" for line in tried.lines))


if __name__ == "__main__":
    page()
