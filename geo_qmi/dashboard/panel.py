"""How is a map laid out on a page: switches, legend, words, table, sources, downloads?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_qmi import maps
from geo_qmi.dashboard import state, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.deck import MANY, Look, deck, legend, seen
from geo_qmi.export import FORMATS, MAPS_ONLY
from geo_qmi.gis import table_bytes
from geo_qmi.maps.bases import BASE_HOST, BASES
from geo_qmi.overview import is_demo
from geo_qmi.schema import geometry_types, label
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import geopandas as gpd

    from geo_qmi.dashboard.state import MapMemory
    from geo_qmi.maps import Layer, Map
    from geo_qmi.maps.drawing import Extent

#: Width of a map beside its legend, of one of two maps side by side, and on a phone: the frames of a screen of 1 024
#: pixels, so that neither the ground nor the scale bar is cut there.
WIDE_PX, _NARROW_PX, _PHONE_PX = 640, 400, 340
#: Fills over a base map, in percent, until the reader says otherwise.
_OVER_BASE = 50
#: Objects offered in one list; more are searched by name.
_LISTED = 500
#: Ground shown around one object, in metres.
_AROUND_M = 150.0
#: Height of a row of a table on the screen, in pixels.
_ROW_PX = 35
#: Tables up to this height are shown whole; taller ones scroll over ten rows, as Streamlit has it.
_WHOLE_PX = 15 * _ROW_PX + 3

_MIME = {".csv": "text/csv", ".geojson": "application/geo+json", ".gpkg": "application/geopackage+sqlite3"}


def header(title: str, *, opens_on: str = "") -> tuple[Mapping[str, Any], str, dict[str, str]] | None:
    """Show the title of a page and the list of districts, one choice for all pages.

    Parameters
    ----------
    title
        Of the page.
    opens_on
        Table with a column ``district_id``: open on a district it names, when none was chosen yet.

    Returns
    -------
    The tables, the district chosen and the names of all; ``None`` when the study has no district, which is then said.
    """
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    left.title(title)
    with state.refusals():
        tables = state.tables()
    names = visit.names(tables)
    if not names:
        st.info(
            "Cette étude ne contient aucun quartier : importez-en un (page Données, « Importer un fichier »), ou "
            "ouvrez une autre étude."
        )
        return None
    named = set(tables[opens_on]["district_id"]) if opens_on else set()
    ident = visit.district(names, box=right, first=next((name for name in names if name in named), ""))
    return tables, ident, names


def show_table(frame: pd.DataFrame, *, height_px: int | None = None, key: str | None = None) -> None:
    """Show a table, at most so tall; a missing cell is a dash, numbers follow the reader's language."""
    numbers = {
        name: st.column_config.NumberColumn(format="localized") for name in frame.select_dtypes("number").columns
    }
    whole_px = _ROW_PX * (len(frame) + 1) + 3
    height: Any = "content" if whole_px <= (height_px or _WHOLE_PX) else height_px or "auto"
    st.dataframe(frame, hide_index=True, placeholder="—", column_config=numbers, height=height, key=key)


def show_sentences(frame: pd.DataFrame) -> None:
    """Show a short table that holds sentences: they wrap and none is cut."""
    told = frame.map(lambda cell: "—" if pd.isna(cell) else literal(maps.words(cell)))
    st.table(told, hide_index=True, border="horizontal")


def show_map(
    drawn: Map,
    *,
    key: str,
    height_px: int = 560,
    on_pick: Callable[[str, str], None] | None = None,
    narrow: bool = False,
    place: str = "",
) -> None:
    """Show a map with everything that makes it readable without seeing it.

    A click on an object, or its name in the list, tells all that is known of it beside the map. Layers, opacity, the
    object, the ground framed and what a hand moved outlive reruns and changes of page.

    Parameters
    ----------
    drawn
        The map.
    key
        Name that keeps zoom and switches when the page runs again; one a map.
    height_px
        Height of the frame.
    on_pick
        Called with the name of the layer and the identifier of the object chosen, before the page runs again.
    narrow
        Put the legend under the map: two maps stand side by side.
    place
        Identifier of the district shown: its maps share the object chosen and the view, and get the context layers
        they lack.
    """
    st.markdown(f"## {literal(drawn.title)}")
    if drawn.nothing:
        st.info(literal(drawn.nothing))
        return
    st.session_state.pop(_again(key), None)
    _map(_Asked(_in_context(drawn, place) if place else drawn, key, height_px, on_pick, narrow, place or key))


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What a page wants of one map; `memo` names what is remembered of it."""

    drawn: Map
    key: str
    height_px: int
    on_pick: Callable[[str, str], None] | None
    narrow: bool
    memo: str


def _again(key: str) -> str:
    """Return where a click says that the whole page must run again."""
    return f"{key}-page"


@st.fragment
def _map(asked: _Asked) -> None:
    """Show the map, its words and its objects; a click or a switch runs this alone, unless the page uses the choice."""
    drawn, key = asked.drawn, asked.key
    if st.session_state.pop(_again(key), False):
        st.rerun()
    memory = state.map_memory()
    with st.container(key=f"{key}-cadre"):
        chart, beside = (st.container(), st.container()) if asked.narrow else st.columns([3, 1], gap="medium")
    with beside:
        object_box, legend_box = st.container(), st.container()
        hidden = _switches(drawn, key, memory)
        with object_box:
            _objects(asked, memory, hidden)
            # Always there: only the browser knows whether a hand moved the map.
            st.button("Revenir à la vue d’ensemble", key=f"{key}-ensemble", on_click=_framed, args=(asked.memo, None))
        look = _look(asked, memory)
        legend_box.html(legend(seen(drawn, look), hidden=hidden))
    with chart:
        _chart(asked, look, hidden)
    if len(drawn.unplaced):  # as wide as the page: beside the map its columns would be cut
        st.markdown("**Sans lieu** : nommés, jamais placés")
        show_table(drawn.unplaced, key=f"{key}-sans-lieu")
    with st.expander("Les mêmes données en tableau", icon=":material/table_rows:"):
        show_table(drawn.table, key=f"{key}-tableau")
    state.keep_in_address(memory)


def _chart(asked: _Asked, look: Look, hidden: set[str]) -> None:
    """Show the frame of a map, what it shows in words, its scale and its sources."""
    drawn = asked.drawn
    width_px = _PHONE_PX if state.on_a_phone() else _NARROW_PX if asked.narrow else WIDE_PX
    st.pydeck_chart(
        deck(drawn, hidden=hidden, width_px=width_px, height_px=asked.height_px, look=look),
        height=asked.height_px,
        key=asked.key,
        alt=drawn.description,
        on_select=partial(_picked, asked),
    )
    st.markdown(literal(drawn.description))
    told = " · ".join(literal(credit.rstrip(".")) for credit in drawn.credits)
    sources = f"Contours : {told}." if told else "Contours sans origine indiquée."
    if look.base:
        sources += f" Fond : {literal(BASES[look.base].credit)}."
    st.caption(f"{sources} Le nord est en haut ; la barre d’échelle est posée sur le sol et suit le zoom.")
    for layer in drawn.layers:
        if len(layer.frame) > MANY and layer.name not in hidden:
            st.caption(
                f"« {literal(layer.title)} » : {counted(len(layer.frame), 'objet')}, envoyés dans un fichier à "
                "part ; la carte peut mettre quelques secondes à les dessiner."
            )


def _look(asked: _Asked, memory: MapMemory) -> Look:
    """Return how the reader wants to see a map."""
    opacity = memory.opacity_percent or (_OVER_BASE if memory.base else 100)
    return Look(
        opacity=opacity / 100,
        base=memory.base,
        extent_m=memory.framed.get(asked.memo),
        chosen=memory.chosen.get(asked.memo),
        scale_bar=True,
        view=asked.memo,
        nudge=memory.nudges.get(asked.memo, 0),
        aside=lambda name, text: state.laid_aside(f"{asked.key}-{name}", text),
    )


def _in_context(drawn: Map, place: str) -> Map:
    """Return the map of a district with the context layers it lacks; the same object for the same map."""
    tables, streets = state.tables(), state.streets()

    def build() -> Map:
        insee = dict(zip(tables["districts"]["district_id"], tables["districts"]["insee"], strict=True))[place]
        under = {name: tables[name] for name in ("communes", "barriers", "stations")}
        return maps.with_context(drawn, insee=insee, streets=streets, **under)

    if streets is None:
        return state.of_study("contexte", state.Same(drawn), place, build=build)
    return state.remembered(("contexte", state.Same(drawn), state.Same(streets), place), build)


def _switches(drawn: Map, key: str, memory: MapMemory) -> set[str]:
    """Show the tree of layers, the opacity and the base map; return the names of the layers that are hidden."""
    optional = [layer for layer in reversed(drawn.layers) if layer.optional]
    hidden = {layer.name for layer in optional if not memory.layers.get(layer.name, layer.shown)}
    with st.expander("Couches, opacité et fond", icon=":material/layers:"):
        for title, context in (("Sur cette carte", False), ("Repères", True)):
            group = [layer for layer in optional if layer.context is context]
            if group:
                st.caption(title)
            with st.container(gap=None):
                for layer in group:
                    box = f"{key}-{layer.name}"
                    st.session_state[box] = layer.name not in hidden
                    st.checkbox(layer.title, key=box, on_change=_switched, args=(layer, box))
        _opacity(key, memory)
        _base(key, memory)
    return hidden


def _switched(layer: Layer, box: str) -> None:
    """Remember a layer shown or hidden by hand; what it was at first needs no memory."""
    memory, shown = state.map_memory(), bool(st.session_state[box])
    if shown is layer.shown:
        memory.layers.pop(layer.name, None)
    else:
        memory.layers[layer.name] = shown


def _opacity(key: str, memory: MapMemory) -> None:
    box = f"{key}-opacite"
    st.session_state[box] = memory.opacity_percent or (_OVER_BASE if memory.base else 100)

    def keep() -> None:
        memory.opacity_percent = int(st.session_state[box])

    st.slider("Opacité des surfaces", 10, 100, step=10, format="%d %%", key=box, on_change=keep)


def _base(key: str, memory: MapMemory) -> None:
    """Offer the online base maps, and say what switching one on sends."""
    box = f"{key}-fond"
    st.session_state[box] = memory.base

    def keep() -> None:
        memory.base = str(st.session_state[box])

    titles = {"": "Aucun : rien n’est demandé en ligne"} | {name: base.title for name, base in BASES.items()}
    st.selectbox("Fond de carte", list(titles), format_func=titles.__getitem__, key=box, on_change=keep)
    st.caption(
        f"Un fond en ligne fait demander des images à {literal(BASE_HOST)} par votre navigateur : l’IGN reçoit votre "
        "adresse IP, l’endroit et l’échelle affichés. Aucune donnée de l’étude n’est envoyée."
    )


def _objects(asked: _Asked, memory: MapMemory, hidden: set[str]) -> None:
    """Offer the objects of the map in a list, and tell what is known of the one chosen there or on the map."""
    drawn, key = asked.drawn, asked.key
    told = [layer for layer in drawn.layers if layer.tooltip and layer.name not in hidden]
    n_objects = sum(len(layer.frame) for layer in told)
    if not n_objects:
        return
    wanted = ""
    if n_objects > _LISTED:
        wanted = st.text_input("Chercher un objet par son nom", key=f"{key}-chercher").casefold()
    labels = _listed(told, wanted=wanted)
    chosen = memory.chosen.get(asked.memo)
    layer = next((layer for layer in told if chosen and layer.name == chosen[0]), None)
    row = None if layer is None or chosen is None else layer.frame[layer.frame["id"].astype(str) == chosen[1]].head(1)
    if chosen is not None and row is not None and len(row):
        labels.setdefault(chosen, str(row["label"].iloc[0]))
    labels = visit.told_apart(labels, ident=itemgetter(1))
    box = f"{key}-objet"
    st.session_state[box] = chosen if chosen in labels else None
    st.selectbox(
        "Un objet de la carte", list(labels), index=None, format_func=labels.__getitem__, key=box,
        placeholder="Cliquez ou choisissez", on_change=_taken, args=(asked, box),
    )  # fmt: skip
    if n_objects > _LISTED and len(labels) >= _LISTED:
        st.caption(f"{_LISTED} premiers objets sur {maps.words(n_objects)} : cherchez par le nom.")
    if layer is not None and row is not None and len(row):
        _object(asked, layer, row)


def _listed(layers: Sequence[Layer], *, wanted: str) -> dict[tuple[str, str], str]:
    """Return the objects offered in the list, by layer and identifier, with the words that tell them apart."""
    found: dict[tuple[str, str], str] = {}
    for layer in reversed(layers):
        for ident, name in zip(layer.frame["id"].astype(str), layer.frame["label"], strict=True):
            if wanted in str(name).casefold():
                found.setdefault((layer.name, ident), f"{name} ({layer.title})")
            if len(found) == _LISTED:
                return found
    return found


def _object(asked: _Asked, layer: Layer, row: gpd.GeoDataFrame) -> None:
    """Show everything the map knows of one object, and offer to frame it."""
    lines = [f"**{literal(row['label'].iloc[0])}**", f"Couche : {literal(layer.title)}"]
    lines += [f"{literal(column)} : {literal(maps.words(row[column].iloc[0]))}" for column in layer.tooltip]
    with st.container(border=True, key=f"{asked.key}-fiche-objet"):
        st.markdown("  \n".join(lines))
        xmin, ymin, xmax, ymax = row.total_bounds
        extent = (xmin - _AROUND_M, ymin - _AROUND_M, xmax + _AROUND_M, ymax + _AROUND_M)
        st.button("Cadrer sur cet objet", key=f"{asked.key}-cadrer", on_click=_framed, args=(asked.memo, extent))
        if asked.drawn.credits:
            st.caption(f"Sources de la carte : {literal(' · '.join(asked.drawn.credits))}")


def _framed(memo: str, extent_m: Extent | None) -> None:
    """Remember the ground that the maps of a place open on; asked twice, the view comes back to it."""
    memory = state.map_memory()
    memory.nudges[memo] = memory.nudges.get(memo, 0) + 1
    if extent_m is None:
        memory.framed.pop(memo, None)
    else:
        memory.framed[memo] = extent_m


def _picked(asked: _Asked) -> None:
    """Choose what was clicked; a click beside every object forgets the choice."""
    objects: dict[str, list[Any]] = st.session_state[asked.key]["selection"]["objects"]
    for ident, chosen in objects.items():
        layer = next((layer.name for layer in asked.drawn.layers if ident.startswith(f"{layer.name}-")), "")
        told = chosen[0].get("properties", chosen[0]) if chosen else {}
        if layer and "id" in told:
            _choose(asked, (layer, str(told["id"])))
            return
    _choose(asked, None)


def _taken(asked: _Asked, box: str) -> None:
    """Choose what the list says."""
    _choose(asked, st.session_state[box])


def _choose(asked: _Asked, chosen: tuple[str, str] | None) -> None:
    memory = state.map_memory()
    if chosen is None:
        memory.chosen.pop(asked.memo, None)
        return
    memory.chosen[asked.memo] = chosen
    if asked.on_pick is not None:
        asked.on_pick(*chosen)
        st.session_state[_again(asked.key)] = True


def downloads(frames: Mapping[str, pd.DataFrame], *, key: str, mark: str = "") -> None:
    """Offer tables of the schema for download; the file is made when the button is pressed.

    Parameters
    ----------
    frames
        Table name → rows.
    key
        Name of this group of widgets.
    mark
        Words added to the titles of what was computed from demonstration; a table of the study says by itself whether
        it holds any.
    """
    with st.expander("Télécharger les données de cette page", icon=":material/download:"):
        left, right = st.columns(2)
        name = left.selectbox("Table", list(frames), format_func=label, key=f"{key}-table")
        suffix = right.selectbox("Format", _suffixes(name), format_func=FORMATS.__getitem__, key=f"{key}-format")
        said = maps.DEMO if is_demo(frames[name]).any() else mark
        title = f"{label(name)}{f' – {said}' if said else ''}"
        st.download_button(
            f"Télécharger « {title} »",
            partial(table_bytes, frames[name], name, suffix=suffix, title=title),
            file_name=f"{name}{suffix}",
            mime=_MIME.get(suffix, "application/octet-stream"),
            key=f"{key}-bouton",
            on_click="ignore",
        )
        st.caption("Les colonnes privées (auteurs, heures, mots exacts, contacts) ne sortent pas.")


def _suffixes(name: str) -> Sequence[str]:
    """Return the formats that suit a table; a table without geometry has no map."""
    maps = {".geojson", *MAPS_ONLY}
    return [suffix for suffix in FORMATS if suffix not in maps or geometry_types(name)]
