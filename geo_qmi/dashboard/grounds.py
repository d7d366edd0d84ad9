"""On which ground, at what hour and with which people does a page walk a district?

The choices that *Accès et coupures* and *Sites et couverture* share. A file dropped here is read, kept
for the session under its name, and never written to the study; both pages then use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_qmi import walking
from geo_qmi.dashboard import state, uploads, visit
from geo_qmi.dashboard.long_work import Stopped, awaited
from geo_qmi.dashboard.markup import literal
from geo_qmi.errors import GeoQmiError, InputError
from geo_qmi.sources.streets import read_streets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from geo_qmi.dashboard.long_work import Bar
    from geo_qmi.walking import Terrain

#: Suffixes of the files that hold a map, and of those that hold a table: those the commands read.
_LAYERS = ["gpkg", "geojson", "json", "zip", "fgb", "kml", "kmz"]
TABLES = ["csv", "tsv", "txt", "xlsx", "ods"]
#: Files of each layer, in the order shown: title, suffixes.
_OFFERED = {
    "streets": ("Rues : extrait .osm.pbf ou couche de lignes", ["pbf", *_LAYERS]),
    "population": ("Habitants : carreaux ou zones", _LAYERS),
    "zones": ("Zones à comparer : QPV, ou revenus", _LAYERS),
    "served": ("Populations desservies : projet et lieu", TABLES),
}


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The ground of a district under the choices of the reader.

    Attributes
    ----------
    key
        Everything the terrain depends on, to remember what is computed on it and says so.
    walked
        Everything a walk on it depends on: a choice that changes its words alone walks nothing again.
    zones, household_size
        For `geo_qmi.walking.reach`.
    """

    given: Terrain
    key: tuple[Any, ...]
    walked: tuple[Any, ...]
    zones: gpd.GeoDataFrame | None
    household_size: float | None


def chosen(
    tables: Mapping[str, Any], ident: str, *, key: str, offered: Sequence[str] = ("streets", "population", "zones")
) -> Chosen | None:
    """Let the reader bring layers and an hour, and return the ground; or say in words that there is none."""
    with st.expander("Rues, habitants, heure : changer le terrain", icon=":material/tune:"):
        kept = _kept_layers(key, offered)
        left, middle, right = st.columns(3, vertical_alignment="bottom")
        hour = left.time_input("Heure de la marche", value=None, **visit.in_address(f"{key}-heure", visit.TIMES))
        slopes = middle.checkbox(
            "Compter la pente, si les rues ont des altitudes", **visit.in_address(f"{key}-pente", visit.YES_OR_NO)
        )
        size = right.number_input(
            "Personnes par ménage, si la couche n’en dit rien", 1.0, 10.0, None, step=0.1,
            **visit.in_address(f"{key}-menage", least=1, most=10),
        )  # fmt: skip
        st.caption(
            "Rien n’entre dans l’étude. Sans rues : terrain ouvert avec coupures. Sans habitants : des hectares. "
            "Sans heure : tous les franchissements sont comptés ouverts."
        )
    steep = slopes and "streets" in kept  # open ground has no height
    at = None if hour is None else hour.strftime("%H:%M")
    options: dict[str, Any] = {
        "slopes": steep,
        **{name: kept[name][1] for name in ("streets", "population") if name in kept},
    }
    marks = tuple((name, mark) for name, (mark, _) in sorted(kept.items()))
    stamp = (state.stamp(), ident, marks, steep)
    try:
        given = awaited("terrain", stamp, lambda bar: walking.terrain(tables, ident, **options, announce=bar))
        if at is not None:
            always = given
            given = state.remembered(
                ("terrain à l’heure", *stamp, at),
                lambda: walking.terrain(tables, ident, **options, at=at, like=always),
            )
    except InputError as error:
        st.info(literal(error))
        return None
    except Stopped:
        return None
    told = walking.flat(given) if slopes and not steep else given
    walked = (*stamp, tuple(given.crossings["closed"]))  # two hours that shut the same crossings are walked the same
    return Chosen(told, (*stamp, at, slopes, size), walked, kept["zones"][1] if "zones" in kept else None, size)


def served() -> tuple[str, pd.DataFrame] | None:
    """Return the served populations that the reader brought, with a mark of them."""
    found: tuple[str, pd.DataFrame] | None = st.session_state.get("couches", {}).get("served")
    return found


def dropped(
    title: str, read: Callable[[Path, str, Bar], Any], *, types: list[str], key: str
) -> tuple[str, Any] | None:  # fmt: skip
    """Take one file in as `geo_qmi.dashboard.uploads.read`; return a mark of its content and what was read.

    ``None`` without a file, and when it was refused or its reading stopped, which is then said.
    """
    given = st.file_uploader(f"{title} (50 Mo au plus)", type=types, key=key, max_upload_size=50)
    if given is None:
        return None
    try:
        return uploads.mark(given), uploads.read(given, f"{key}-lecture", read)
    except GeoQmiError as error:
        st.warning(literal(error))
    except Stopped:
        pass
    return None


def _kept_layers(key: str, offered: Sequence[str]) -> dict[str, tuple[str, Any]]:
    """Return the layers of the session, by kind, with a mark of each; new files replace older ones."""
    kept: dict[str, tuple[str, Any]] = st.session_state.setdefault("couches", {})
    readers: dict[str, Callable[[Path, str, Bar], Any]] = {
        "streets": lambda path, _, bar: read_streets(path, progress=bar),
        "population": lambda path, name, _: walking.population_of(path, name=name),
        "zones": lambda path, name, _: walking.zones_of(path, name=name),
        "served": lambda path, name, _: walking.served_of(path, name=name),
    }
    boxes = [box for _ in offered[::2] for box in st.columns(2)]
    for box, name in zip(boxes, offered, strict=False):
        title, types = _OFFERED[name]
        with box:
            found = dropped(title, readers[name], types=types, key=f"{key}-{name}")
            if found is not None:
                kept[name] = found
            elif name in kept:
                st.caption(f"Gardée : {literal(kept[name][0].rsplit('-', 1)[0])}")
                if st.button("Retirer", key=f"{key}-{name}-retirer"):
                    del kept[name]
                    st.rerun()
    return kept
