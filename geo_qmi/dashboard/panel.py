"""How is a map laid out on a page: switches, legend, words, table, sources, downloads?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_qmi.dashboard.markup import literal
from geo_qmi.deck import deck, legend
from geo_qmi.export import FORMATS, export_bytes
from geo_qmi.schema import geometry_types, label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from geo_qmi.maps import Map

_MIME = {".csv": "text/csv", ".geojson": "application/geo+json", ".gpkg": "application/geopackage+sqlite3"}


def show_table(frame: pd.DataFrame, *, height_px: int | None = None, key: str | None = None) -> None:
    """Show a table; a missing cell is a dash, numbers follow the reader's language."""
    numbers = {
        name: st.column_config.NumberColumn(format="localized") for name in frame.select_dtypes("number").columns
    }
    st.dataframe(frame, hide_index=True, placeholder="—", column_config=numbers, height=height_px or "auto", key=key)


def show_map(drawn: Map, *, key: str, height_px: int = 560, on_pick: Callable[[str, str], None] | None = None) -> None:
    """Show a map with everything that makes it readable without seeing it.

    Parameters
    ----------
    drawn
        The map.
    key
        Name that keeps zoom and switches when the page runs again; one a map.
    height_px
        Height of the frame.
    on_pick
        Called with the name of the layer and the identifier of the feature a click chooses, before the page runs
        again; the page offers the same choice as a list.
    """
    st.markdown(f"#### {literal(drawn.title)}")
    if drawn.nothing:
        st.info(literal(drawn.nothing))
        return
    wide, narrow = st.columns([3, 1], gap="medium")
    with narrow:
        place = st.container()
        hidden = _switches(drawn, key)
        place.html(legend(drawn, hidden=hidden))
        if len(drawn.unplaced):
            st.markdown("**Sans lieu** : nommés, jamais placés")
            show_table(drawn.unplaced, key=f"{key}-sans-lieu")
    with wide:
        st.pydeck_chart(
            deck(drawn, hidden=hidden, height_px=height_px),
            height=height_px,
            key=key,
            alt=drawn.description,
            on_select="ignore" if on_pick is None else partial(_picked, drawn, key, on_pick),
        )
        st.markdown(literal(drawn.description))
        told = " · ".join(map(literal, drawn.credits))
        st.caption(f"Contours : {told}" if told else "Contours sans origine indiquée.")
    with st.expander("Les mêmes données en tableau", icon=":material/table_rows:"):
        show_table(drawn.table, key=f"{key}-tableau")


def _picked(drawn: Map, key: str, on_pick: Callable[[str, str], None]) -> None:
    """Tell `on_pick` what was clicked; a click beside every feature tells nothing."""
    objects: dict[str, list[Any]] = st.session_state[key]["selection"]["objects"]
    for ident, chosen in objects.items():
        layer = next((layer.name for layer in drawn.layers if ident.startswith(f"{layer.name}-")), "")
        told = chosen[0].get("properties", chosen[0]) if chosen else {}
        if layer and "id" in told:
            on_pick(layer, str(told["id"]))
            return


def _switches(drawn: Map, key: str) -> set[str]:
    """Show one switch a layer that may be hidden, and return the names of those that are."""
    optional = [layer for layer in drawn.layers if layer.optional]
    if not optional:
        return set()
    with st.expander("Couches à montrer"):
        return {layer.name for layer in optional if not st.checkbox(layer.title, value=True, key=f"{key}-{layer.name}")}


def downloads(frames: Mapping[str, pd.DataFrame], *, key: str, mark: str = "") -> None:
    """Offer tables of the schema for download; the file is made when the button is pressed.

    Parameters
    ----------
    frames
        Table name → rows.
    key
        Name of this group of widgets.
    mark
        Words added to titles, such as the demonstration mark.
    """
    with st.expander("Télécharger les données de cette page", icon=":material/download:"):
        left, right = st.columns(2)
        name = left.selectbox("Table", list(frames), format_func=label, key=f"{key}-table")
        suffix = right.selectbox("Format", _suffixes(name), format_func=FORMATS.__getitem__, key=f"{key}-format")
        title = f"{label(name)}{f' – {mark}' if mark else ''}"
        st.download_button(
            f"Télécharger « {title} »",
            partial(export_bytes, frames[name], name, suffix=suffix, title=title),
            file_name=f"{name}{suffix}",
            mime=_MIME[suffix],
            key=f"{key}-bouton",
            on_click="ignore",
        )
        st.caption("Les colonnes privées (auteurs, heures, mots exacts, contacts) ne sortent pas.")


def _suffixes(name: str) -> Sequence[str]:
    """Return the formats that suit a table; a table without geometry has no GeoJSON."""
    return [suffix for suffix in FORMATS if suffix != ".geojson" or geometry_types(name)]
