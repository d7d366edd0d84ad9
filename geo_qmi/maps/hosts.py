"""Where is a district drawn when its perimeter is published, and when it is not?

A known perimeter is an area; an unknown one is its whole commune, hatched. A district is never a point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
from pandas.api.extensions import take

from geo_qmi.maps.drawing import INK, Layer, Style, features, words
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import GEOMETRY_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Colour of everything that is a district.
DISTRICT = "#c2185b"
UNKNOWN_PLACE = "périmètre non publié"


def names_layer(geometry: gpd.GeoSeries, *, ids: Iterable[Any], labels: Iterable[Any]) -> Layer:
    """Return names written inside polygons: they name the surface, they do not place a district in it."""
    drawn = features(geometry.representative_point(), ids=ids, labels=labels, styles="text")
    return Layer(
        name="names", title="Noms des communes", kind="text", frame=drawn,
        styles={"text": Style(line=INK, size_px=13)}, optional=True, context=True,
    )  # fmt: skip


def district_name(commune: Any, name: Any) -> str:
    """Return the display name of a district: its commune, then its published name if there is one."""
    return f"{commune} – {name}" if isinstance(name, str) and name else f"{commune} – quartier sans nom publié"


def hosts_of(districts: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `districts` with the name and contour of their commune, and words for their perimeter."""
    row_of = {insee: row for row, insee in enumerate(communes["insee"])}
    rows = np.array([row_of.get(insee, -1) for insee in districts["insee"]], dtype=np.intp)
    known = take(communes["name"].array, rows, allow_fill=True)
    shown = [
        GEOMETRY_STATUSES[status] if drawn else UNKNOWN_PLACE
        for status, drawn in zip(districts["geometry_status"], districts.geometry.notna(), strict=True)
    ]
    return districts.assign(
        commune=known,
        commune_shape=take(communes.geometry.to_numpy(), rows, allow_fill=True, fill_value=None),
        title=[district_name(commune, name) for commune, name in zip(known, districts["name"], strict=True)],
        perimeter=shown,
    )


def district_layers(hosts: gpd.GeoDataFrame, *, hatch_m: float, opacity: float) -> list[Layer]:
    """Return the hatched communes of districts without perimeter, then the perimeters that exist."""
    known = Style(
        label="Périmètre indicatif d’un quartier", fill=DISTRICT, line=DISTRICT, width_px=2.5, opacity=opacity
    )
    hatched = Style(label=f"Commune d’un quartier au {UNKNOWN_PLACE}", line=DISTRICT, width_px=1.2, hatch_m=hatch_m)
    placed = hosts.geometry.notna()
    communes = gpd.GeoSeries(hosts["commune_shape"], index=hosts.index, crs=CRS)
    layers = [
        ("districts_unknown", "Quartiers sans périmètre", hatched, ~placed, communes),
        ("districts", "Périmètres des quartiers", known, placed, hosts.geometry),
    ]
    return [
        Layer(
            name=name,
            title=title,
            kind="area",
            frame=_of_districts(hosts[where], shapes[where]),
            styles={"district": style},
            tooltip=("Édition", "Périmètre", "Défi"),
            optional=True,
        )
        for name, title, style, where, shapes in layers
        if where.any()
    ]


def _of_districts(hosts: gpd.GeoDataFrame, shapes: gpd.GeoSeries) -> gpd.GeoDataFrame:
    return features(
        shapes,
        ids=hosts["district_id"],
        labels=hosts["title"],
        styles="district",
        Édition=hosts["edition"].map(words),
        Périmètre=hosts["perimeter"],
        Défi=hosts["challenge"].fillna("inconnu"),
    )
