"""What does the whole Métropole look like: the fund, the districts, a plan?

Two maps at overview scale. The counts they colour are given; nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geo_qmi.geo import require_metres
from geo_qmi.maps.drawing import (
    DEMO,
    INK,
    Layer,
    Map,
    Style,
    class_of,
    class_styles,
    count_classes,
    credits_of,
    extent_of,
    features,
    overview,
    words,
)
from geo_qmi.maps.hosts import DISTRICT, UNKNOWN_PLACE, district_layers, hosts_of, names_layer
from geo_qmi.schema import CRS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Spacing of hatch lines: about eight pixels at overview scale.
_HATCH_M = 400.0
#: Ground shown around the communes of a plan.
_MARGIN_M = 2_000.0
_WHITE_LINE: dict[str, Any] = {"line": "#ffffff", "width_px": 0.6}


def programme_map(
    communes: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame,
    *,
    territories: gpd.GeoDataFrame,
    fund_counts: pd.Series[int],
    carried_elsewhere: int = 0,
    scope: str = "",
) -> Map:
    """Return the metropolitan map: fund projects by commune, territories, innovation districts.

    Parameters
    ----------
    communes, districts, territories
        Tables of those names, in EPSG:2154.
    fund_counts
        Number of projects of the fund carried by each commune, indexed by INSEE code; an absent commune has no
        listed project.
    carried_elsewhere
        Projects carried by a territory: said in words, they have no commune to colour.
    scope
        French words added to the title, such as the edition or section chosen.
    """
    require_metres(communes, what="les communes")
    counts = communes["insee"].map(fund_counts).fillna(0).astype(int)
    hosts = hosts_of(districts, communes)
    named = hosts.drop_duplicates("insee")
    told = f" – {scope}" if scope else ""
    return Map(
        title=f"{counted(int(counts.sum()), 'projet')} du fonds par commune et "
        f"{counted(len(hosts), 'quartier')} d’innovation{told}",
        layers=(
            _fund_layer(communes, counts, territories),
            _territory_layer(territories),
            *district_layers(hosts, hatch_m=_HATCH_M, opacity=0.35),
            names_layer(_shapes(named), ids=named["insee"], labels=named["commune"]),
        ),
        extent_m=extent_of(communes),
        description=_programme_words(communes, counts, hosts, carried_elsewhere=carried_elsewhere),
        credits=credits_of(communes, districts),
        table=_programme_table(communes, counts, territories, named),
    )


def _shapes(hosts: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return the contours of the communes of districts."""
    return gpd.GeoSeries(hosts["commune_shape"], index=hosts.index, crs=CRS)


def _territory_names(communes: pd.DataFrame, territories: pd.DataFrame) -> pd.Series[str]:
    return communes["territory"].map(territories.set_index("territory")["name"])


def _fund_layer(communes: gpd.GeoDataFrame, counts: pd.Series[int], territories: pd.DataFrame) -> Layer:
    classes = count_classes(counts[counts > 0])
    drawn = features(
        overview(communes.geometry),
        ids=communes["insee"],
        labels=communes["name"],
        styles=[class_of(value, classes) for value in counts],
        **{
            "Territoire": _territory_names(communes, territories),
            "Population légale": communes["population"].map(words),
            "Projets du fonds": counts.map(words),
        },
    )
    return Layer(
        name="communes",
        title="Projets du fonds par commune",
        kind="area",
        frame=drawn,
        styles={
            "none": Style(label="aucun projet dans les listes", fill="#e4e4e0", **_WHITE_LINE),
            **class_styles(classes, "projet", **_WHITE_LINE),
        },
        tooltip=("Territoire", "Population légale", "Projets du fonds"),
    )


def _territory_layer(territories: gpd.GeoDataFrame) -> Layer:
    """Return the outlines of the territories; they answer no pointer, so that the communes do."""
    title = "Limites des établissements publics territoriaux (EPT) et de Paris"
    shapes = overview(territories.geometry).boundary
    drawn = features(shapes, ids=territories["territory"], labels=territories["name"], styles="line")
    style = Style(label=title, line=INK, width_px=1.6)
    return Layer(name="territories", title=title, kind="line", frame=drawn, styles={"line": style}, optional=True)


def _programme_table(
    communes: gpd.GeoDataFrame, counts: pd.Series[int], territories: pd.DataFrame, named: gpd.GeoDataFrame
) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "Commune": communes["name"],
            "Code INSEE": communes["insee"],
            "Territoire": _territory_names(communes, territories),
            "Population légale": communes["population"],
            "Projets du fonds": counts,
            "Quartier d’innovation": communes["insee"].map(named.set_index("insee")["perimeter"]).fillna("—"),
        }
    )
    return table.sort_values(["Projets du fonds", "Commune"], ascending=[False, True], ignore_index=True)


def _programme_words(
    communes: gpd.GeoDataFrame, counts: pd.Series[int], hosts: gpd.GeoDataFrame, *, carried_elsewhere: int
) -> str:
    """Say in one paragraph what the metropolitan map shows."""
    said = [f"Carte de la Métropole du Grand Paris, {counted(len(communes), 'commune')}."]
    carriers = counts[counts > 0]
    if len(carriers):
        first = communes.loc[counts.idxmax(), "name"]
        said.append(
            f"Fonds Innover dans la Ville : {counted(int(carriers.sum()), 'projet')} dans "
            f"{counted(len(carriers), 'commune')}, jusqu’à {words(int(counts.max()))} ({first})."
        )
    if carried_elsewhere:
        said.append(
            "En liste et non sur la carte, car portés par un établissement public territorial (EPT) : "
            f"{counted(carried_elsewhere, 'projet')}."
        )
    unknown = hosts.loc[hosts.geometry.isna(), "commune"]
    said.append(f"Quartiers au périmètre indicatif : {len(hosts) - len(unknown)}.")
    if len(unknown):
        said.append(f"Communes hachurées, car le périmètre du quartier n’est pas publié : {', '.join(unknown)}.")
    return " ".join(said)


def plan_map(
    communes: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame,
    *,
    territories: gpd.GeoDataFrame,
    assigned: pd.Series[int],
    noun: str = "projet",
    demo: bool = False,
    ground: tuple[Layer, ...] = (),
) -> Map:
    """Return the map of a plan: how many projects or applications each district receives.

    Parameters
    ----------
    communes, districts, territories
        Tables of those names, in EPSG:2154.
    assigned
        Number received, indexed by ``district_id``; only these districts are drawn.
    noun
        What is placed: « projet » or « candidature ».
    demo
        True when the candidates are made up.
    ground
        As returned by `plan_ground`, where it is there already: it is the same under every plan.
    """
    require_metres(communes, what="les communes")
    hosts = hosts_of(districts[districts["district_id"].isin(assigned.index)], communes)
    counts = hosts["district_id"].map(assigned).astype(int)
    labels = [f"{name} : {count}" for name, count in zip(hosts["commune"], counts, strict=True)]
    layers = [
        *(ground or plan_ground(communes, territories)),
        *_plan_layers(hosts, counts, noun=noun),
        names_layer(_shapes(hosts), ids=hosts["district_id"], labels=labels),
    ]
    told = ", ".join(f"{title} {count}" for title, count in zip(hosts["title"], counts, strict=True))
    mark = f" ({DEMO})" if demo else ""
    nouns = f"{noun.capitalize()}s"
    return Map(
        title=f"Plan : {counted(int(counts.sum()), noun)} dans {counted(len(hosts), 'quartier')}{mark}",
        layers=tuple(layers),
        extent_m=extent_of(_shapes(hosts), margin_m=_MARGIN_M) if len(hosts) else extent_of(communes),
        description=f"{nouns} par quartier{mark} : {told}.",
        credits=credits_of(communes, hosts),
        table=pd.DataFrame({"Quartier": hosts["title"], nouns: counts, "Périmètre": hosts["perimeter"]}),
        nothing="" if len(hosts) else f"Aucun quartier ne reçoit de {noun} : rien à dessiner.",
    )


def plan_ground(communes: gpd.GeoDataFrame, territories: gpd.GeoDataFrame) -> tuple[Layer, ...]:
    """Return what lies under the map of every plan: the communes, and the outlines of the territories."""
    return _ground_layer(communes), _territory_layer(territories)


def _ground_layer(communes: gpd.GeoDataFrame) -> Layer:
    drawn = features(overview(communes.geometry), ids=communes["insee"], labels=communes["name"], styles="ground")
    style = Style(fill="#ebebe6", **_WHITE_LINE)
    return Layer(name="ground", title="Communes", kind="area", frame=drawn, styles={"ground": style})


def _plan_layers(hosts: gpd.GeoDataFrame, counts: pd.Series[int], *, noun: str) -> list[Layer]:
    """Return the communes coloured by number received, hatched where the perimeter is unknown, and the perimeters."""
    classes = count_classes(counts)
    nouns = f"{noun.capitalize()}s"
    hatched = Style(label=f"Hachures : {UNKNOWN_PLACE}", line="#ffffff", hatch_m=_HATCH_M)
    perimeter = Style(label="Périmètre indicatif du quartier", line=DISTRICT, fill=DISTRICT, width_px=2.5, opacity=0.35)
    known = hosts.geometry.notna()
    rows = [
        (
            "received",
            f"{nouns} par commune d’accueil",
            _shapes(hosts),
            [class_of(value, classes) for value in counts],
            class_styles(classes, noun, line=INK, width_px=1.2, opacity=0.85),
        ),
        ("unknown", "Hachures", _shapes(hosts).where(~known), "unknown", {"unknown": hatched}),
        ("districts", "Périmètres", hosts.geometry, "known", {"known": perimeter}),
    ]
    columns = {nouns: counts.map(words), "Périmètre": hosts["perimeter"]}
    return [_plan_layer(hosts, row, columns) for row in rows]


def _plan_layer(
    hosts: gpd.GeoDataFrame,
    row: tuple[str, str, gpd.GeoSeries, Sequence[str] | str, dict[str, Style]],
    columns: dict[str, pd.Series[str]],
) -> Layer:
    name, title, shapes, styles, looks = row
    drawn = features(shapes, ids=hosts["district_id"], labels=hosts["title"], styles=styles, **columns)
    return Layer(name=name, title=title, kind="area", frame=drawn, styles=looks, tooltip=tuple(columns))
