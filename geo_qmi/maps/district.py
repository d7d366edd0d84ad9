"""What does one district look like from close by: perimeter, barriers, stations, what a walk recorded?

Named sites without a published position are listed, not drawn. Private columns (who said it, when, in which words)
stay out of the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import shapely

from geo_qmi.geo import require_metres
from geo_qmi.maps.drawing import DEMO, INK, Layer, Map, Style, credits_of, extent_of, features, within, words
from geo_qmi.maps.hosts import UNKNOWN_PLACE, district_layers, hosts_of, names_layer
from geo_qmi.vocabulary import (
    BARRIER_KINDS,
    GEOMETRY_STATUSES,
    OBSERVATION_KINDS,
    READING_FRAMES,
    SENSES,
    THEMES,
)
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geo_qmi.maps.drawing import Extent, Kind

#: Felt value from −2 to +2, orange to purple (ColorBrewer PuOr): safe without red and green. Shapes repeat the sign.
VALENCES = {-2: "#b35806", -1: "#fdb863", 0: "#f7f7f7", 1: "#b2abd2", 2: "#542788"}
_VALENCE_WORDS = {-2: "très négatif", -1: "négatif", 0: "neutre", 1: "positif", 2: "très positif"}
#: Spacing of hatch lines: about eight pixels when a whole commune fills the view.
_HATCH_M = 150.0
#: Ground shown around a perimeter, so that its barriers and neighbours are seen.
_MARGIN_M = 300.0


def district_map(
    district_id: str,
    *,
    districts: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    walks: Mapping[str, gpd.GeoDataFrame] | None = None,
) -> Map:
    """Return the map of one district: perimeter or hatched commune, barriers, stations, and what a walk recorded.

    Parameters
    ----------
    district_id
        A row of `districts`.
    districts, communes, barriers, stations, sites
        Tables of those names, in EPSG:2154.
    walks
        ``routes``, ``stages`` and ``observations`` of the district's sessions, when there are any.

    Returns
    -------
    A map whose `unplaced` lists the named sites and observations nobody has placed.
    """
    require_metres(districts, what="les quartiers")
    host = hosts_of(districts[districts["district_id"] == district_id], communes)
    row = host.iloc[0]
    window = _window(host, communes)
    near, cutting, stops = (within(frame, window) for frame in (communes, barriers, stations))
    layers = [
        _context_layer(near, insee=row["insee"]),
        *district_layers(host, hatch_m=_HATCH_M, opacity=0.1),
        _barrier_layer(cutting),
        *(_walk_layers(walks) if walks else ()),
        _station_layer(stops),
        names_layer(near.geometry.intersection(window), ids=near["insee"], labels=near["name"]),
    ]
    layers = [layer for layer in layers if len(layer.frame)]
    lost = _unplaced(sites, walks, district_id=district_id)
    return Map(
        title=_title(row, walks),
        layers=tuple(layers),
        extent_m=cast("Extent", window.bounds),
        description=_description(row, layers, n_lost=len(lost), demo=_is_demo(walks)),
        credits=credits_of(host, near, cutting, stops),
        table=_rows_of(layers),
        unplaced=lost,
    )


def _unplaced(
    sites: gpd.GeoDataFrame, walks: Mapping[str, gpd.GeoDataFrame] | None, *, district_id: str
) -> pd.DataFrame:  # fmt: skip
    """Return named sites and observations whose place nobody gave."""
    own = (sites["district_id"] == district_id).to_numpy(dtype=bool)
    known = {"Objet": sites["name"], "Nature": sites["kind"], "Source": sites["source"]}
    rows: pd.DataFrame = pd.DataFrame(known).loc[own & shapely.is_missing(sites.geometry.to_numpy())]
    if walks is None:
        return rows
    seen = walks["observations"]
    lost = seen[seen.geometry.isna()]
    said = lost["wished"].fillna("observation")
    told = pd.DataFrame({"Objet": said, "Nature": lost["kind"].map(OBSERVATION_KINDS), "Source": lost["source"]})
    return pd.concat([rows, told], ignore_index=True)


def _window(host: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> shapely.Geometry:
    """Return the ground in view: the perimeter and what surrounds it, else the commune."""
    if host.geometry.notna().any():
        return shapely.box(*extent_of(host, margin_m=_MARGIN_M))
    return shapely.box(*extent_of(communes[communes["insee"].isin(host["insee"])]))


def _context_layer(near: gpd.GeoDataFrame, *, insee: str) -> Layer:
    """Return the commune of the district and its neighbours, as a pale ground."""
    styles = {
        "host": Style(label="Commune du quartier", fill="#fdfdfb", line="#8a8a84", width_px=1.5),
        "other": Style(label="Communes voisines", fill="#e6e6e0", line="#a5a59e", width_px=1.0),
    }
    drawn = features(
        near.geometry,
        ids=near["insee"],
        labels=near["name"],
        styles=["host" if code == insee else "other" for code in near["insee"]],
        **{"Population légale": near["population"].map(words)},
    )
    return Layer(
        name="communes",
        title="Communes",
        kind="area",
        frame=drawn,
        styles=styles,
        tooltip=("Population légale",),
        optional=True,
        context=True,
    )


def _barrier_layer(barriers: gpd.GeoDataFrame) -> Layer:
    inks = {"rail": "#1a1a1a", "road": "#7a4b00", "water": "#1f78b4", "slab": "#6a6a6a", "wall": "#6a6a6a"}
    drawn = features(
        barriers.geometry,
        ids=barriers["barrier_id"],
        labels=barriers["name"].fillna("Coupure sans nom"),
        styles=barriers["kind"],
        Nature=barriers["kind"].map(BARRIER_KINDS),
        Tracé=barriers["geometry_status"].map(GEOMETRY_STATUSES),
    )
    styles = {
        kind: Style(label=f"Coupure : {label}", line=inks[kind], fill=inks[kind], width_px=4, opacity=0.3)
        for kind, label in BARRIER_KINDS.items()
    }
    return Layer(
        name="barriers",
        title="Coupures",
        kind="line",
        frame=drawn,
        styles=styles,
        tooltip=("Nature", "Tracé"),
        optional=True,
        context=True,
    )


def _station_layer(stations: gpd.GeoDataFrame) -> Layer:
    drawn = features(
        stations.geometry,
        ids=stations["station_id"],
        labels=stations["name"],
        styles="station",
        Ligne=stations["line"],
        Mode=stations["mode"],
    )
    style = Style(label="Gare ou station", fill="#ffffff", line="#1a1a1a", shape="square", size_px=15)
    return Layer(
        name="stations",
        title="Gares et stations",
        kind="point",
        frame=drawn,
        styles={"station": style},
        tooltip=("Ligne", "Mode"),
        optional=True,
        context=True,
    )


_OBSERVATION_STYLES = {
    **{
        f"v{value}": Style(
            label=f"Ressenti {_VALENCE_WORDS[value]}",
            fill=colour,
            line=INK,
            shape="down" if value < 0 else "up" if value > 0 else "circle",
            size_px=15 if abs(value) == 2 else 12,
        )
        for value, colour in VALENCES.items()
    },
    "unknown": Style(label="Ressenti sans valeur donnée", fill="#9a9a9a", line=INK, shape="circle", size_px=11),
    "silence": Style(label="Rien ressenti (silence)", line="#555555", shape="ring", size_px=12),
    "absence": Style(label="Ce qui manque (absence)", line="#000000", shape="cross", size_px=14),
}

#: The same classes where the observation was drawn as a zone; an absence is hatched.
_ZONE_STYLES = {
    key: Style(
        label=f"Zone : {style.label[0].lower()}{style.label[1:]}",
        fill=style.fill,
        line=style.line,
        width_px=1.5,
        opacity=0.5,
        hatch_m=10.0 if key == "absence" else 0.0,
    )
    for key, style in _OBSERVATION_STYLES.items()
}


def _walk_layers(walks: Mapping[str, gpd.GeoDataFrame]) -> list[Layer]:
    """Return the route, the stages and the observations of the sessions of a district."""
    routes, stages = walks["routes"], walks["stages"]
    route = features(routes.geometry, ids=routes["route_id"], labels=_told(routes, "Parcours"), styles="route")
    stops = features(
        stages.geometry,
        ids=stages["stage_id"],
        labels=[f"Étape {rank} – {name}" for rank, name in zip(stages["rank"], stages["name"], strict=True)],
        styles="stage",
        Origine=_told(stages, "Étape"),
    )
    line = Style(label="Parcours de la marche", line="#00695c", width_px=3)
    stop = Style(label="Étape de la marche", fill="#00695c", line="#ffffff", shape="square", size_px=11)
    return [
        Layer(name="routes", title=line.label, kind="line", frame=route, styles={"route": line}, optional=True),
        Layer(
            name="stages",
            title="Étapes de la marche",
            kind="point",
            frame=stops,
            styles={"stage": stop},
            tooltip=("Origine",),
            optional=True,
        ),
        *_observation_layers(walks["observations"]),
    ]


def _observation_layers(seen: gpd.GeoDataFrame) -> list[Layer]:
    """Return the observations drawn as zones, then as signs; who, when and in which words are private and stay out."""
    marks = [_mark(kind, value) for kind, value in zip(seen["kind"], seen["valence"], strict=True)]
    told = {
        "Nature": seen["kind"].map(OBSERVATION_KINDS),
        "Valeur": [_OBSERVATION_STYLES[mark].label for mark in marks],
        "Intensité (1 à 5)": seen["intensity"].map(words),
        "Sens": seen["sense"].map(SENSES).fillna("non précisé"),
        "Thème": seen["theme"].map(THEMES).fillna("non précisé"),
        "Grille de lecture": seen["frame"].map(READING_FRAMES).fillna("non précisée"),
        "Souhait": seen["wished"].fillna("—"),
    }
    drawn = features(
        seen.geometry,
        ids=seen["observation_id"],
        labels=["Observation de démonstration" if demo else "Observation" for demo in seen["demo"]],
        styles=marks,
        **told,
    )
    points = drawn.geometry.geom_type == "Point"
    parts: list[tuple[str, str, Kind, gpd.GeoDataFrame, dict[str, Style]]] = [
        ("observation_areas", "Zones signalées", "area", drawn[~points], _ZONE_STYLES),
        ("observations", "Observations de terrain", "point", drawn[points], _OBSERVATION_STYLES),
    ]
    return [
        Layer(name=name, title=title, kind=kind, frame=frame, styles=styles, tooltip=tuple(told), optional=True)
        for name, title, kind, frame, styles in parts
    ]


def _told(frame: pd.DataFrame, noun: str) -> list[str]:
    return [f"{noun} de démonstration" if demo else f"{noun} du terrain" for demo in frame["demo"]]


def _mark(kind: str, valence: Any) -> str:
    """Return the style of an observation; a mark without value is unknown, not neutral."""
    if kind in {"silence", "absence"}:
        return kind
    return "unknown" if pd.isna(valence) else f"v{int(valence)}"


def _is_demo(walks: Mapping[str, gpd.GeoDataFrame] | None) -> bool:
    return walks is not None and any(bool(frame["demo"].any()) for frame in walks.values())


def _title(row: pd.Series[Any], walks: Mapping[str, gpd.GeoDataFrame] | None) -> str:
    known = row["perimeter"] != UNKNOWN_PLACE
    title = f"{row['title']} (édition {row['edition']}) : {'périmètre ' if known else ''}{row['perimeter']}"
    if walks is not None and len(walks["observations"]):
        title += f", {counted(len(walks['observations']), 'observation')}"
    return f"{title} ({DEMO})" if _is_demo(walks) else title


_COUNTED = {
    "barriers": ("tronçon de coupure", "tronçons de coupure"),
    "stations": ("point de gare ou station", "points de gare ou station"),
    "stages": ("étape de marche", "étapes de marche"),
    "observations": ("observation placée", "observations placées"),
    "observation_areas": ("zone signalée", "zones signalées"),
}


def _description(row: pd.Series[Any], layers: list[Layer], *, n_lost: int, demo: bool) -> str:
    """Say in one paragraph what the map of a district shows."""
    told = [counted(len(layer.frame), *_COUNTED[layer.name]) for layer in layers if layer.name in _COUNTED]
    unknown = row["perimeter"] == UNKNOWN_PLACE
    said = [
        f"Carte du quartier {row['title']}.",
        "Toute la commune est hachurée : le périmètre du quartier n’est pas publié." if unknown else "",
        row["geometry_doubt"] if isinstance(row["geometry_doubt"], str) else "",
        f"Sur la carte : {', '.join(told)}." if told else "",
        f"En liste, sans position connue : {counted(n_lost, 'objet')}." if n_lost else "",
        "Parcours, étapes et observations sont inventés pour la démonstration." if demo else "",
    ]
    return " ".join(part for part in said if part)


def _rows_of(layers: list[Layer]) -> pd.DataFrame:
    """Return every feature, the ground apart, as one row: layer, name, and what its tooltip says."""
    rows: list[tuple[str, str, str]] = []
    for layer in layers:
        if layer.kind == "text" or layer.name == "communes":
            continue
        told = [" · ".join(cells) for cells in zip(*(layer.frame[column] for column in layer.tooltip), strict=True)]
        told = told or [""] * len(layer.frame)
        rows += [(layer.title, name, cells) for name, cells in zip(layer.frame["label"], told, strict=True)]
    return pd.DataFrame(rows, columns=["Couche", "Objet", "Détail"])
