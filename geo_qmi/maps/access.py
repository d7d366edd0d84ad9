"""What does a walk look like: the ground reached, the detours, and the disc's empty promise?

Two maps of one district from close by, on results computed elsewhere: catchments with barriers, crossings and facing
pairs; places with their reach and the false coverage of their discs. Both name the ground walked on in their title.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.geo import require_metres
from geo_qmi.maps.district import _barrier_layer, _context_layer, _rows_of, _station_layer
from geo_qmi.maps.drawing import DEMO, INK, Layer, Map, Style, credits_of, features, within, words
from geo_qmi.maps.hosts import district_layers, names_layer
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import CROSSING_KINDS, CROSSING_STATUSES
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo_qmi.maps.drawing import Extent

#: Bands of walking time, near to far, one hue (ColorBrewer YlGnBu reversed): dark is near.
_BANDS = ("#225ea8", "#41b6c4", "#c7e9b4")
#: Classes of a detour ratio: lower bound, look.
_RATIOS = (
    (1.0, Style(label="Détour : moins de 2 fois la ligne droite", line="#4d4d4d", width_px=2)),
    (2.0, Style(label="Détour : 2 à 5 fois", line="#e6a03c", width_px=3)),
    (5.0, Style(label="Détour : 5 à 10 fois", line="#d95f0e", width_px=4)),
    (10.0, Style(label="Détour : plus de 10 fois", line="#8c2d04", width_px=5)),
)
_UNMEASURED = Style(label="Paire sans chemin ou non mesurée", line="#9a9a9a", width_px=1.5)
_CROSSINGS = {
    "open": Style(label="Franchissement ouvert", fill="#ffffff", line="#00695c", shape="circle", size_px=14),
    "assumed": Style(label="Franchissement supposé, à vérifier", fill="#c9a227", line="#7a4b00", size_px=14),
    "closed": Style(
        label="Franchissement fermé à cette heure", fill="#9a9a9a", line="#1a1a1a", shape="down", size_px=16
    ),
    "planned": Style(label="Franchissement envisagé", fill="#c2185b", line="#ffffff", shape="up", size_px=18),
}
_PARTS = {
    "chosen": Style(label="Lieu choisi", fill="#c2185b", line="#ffffff", shape="up", size_px=20),
    "fixed": Style(label="Lieu imposé", fill="#6a1b9a", line="#ffffff", shape="square", size_px=18),
    "deployed": Style(label="Projet déjà déployé", fill="#1a1a1a", line="#ffffff", shape="square", size_px=16),
    "candidate": Style(label="Lieu possible", fill="#ffffff", line="#c2185b", shape="circle", size_px=14),
}


def access_map(  # noqa: PLR0913 - one keyword for each layer that is drawn
    host: gpd.GeoDataFrame,
    *,
    communes: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame,
    crossings: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    catchments: gpd.GeoDataFrame,
    place: shapely.Point,
    place_name: str,
    ground: str,
    pairs: gpd.GeoDataFrame | None = None,
    opened: shapely.Geometry | None = None,
    demo: bool = False,
) -> Map:
    """Return the map of what is reached from one place.

    Parameters
    ----------
    host
        One row of `geo_qmi.maps.hosts_of`, EPSG:2154 like every layer.
    communes, barriers, crossings, stations
        Tables of those names; ``closed`` in `crossings` tells those shut at the hour walked.
    catchments
        ``minutes``, geometry: the ground reached, near to far.
    place, place_name
        Where the walk starts.
    ground
        French words for what was walked on.
    pairs
        Facing pairs: ``detour_ratio``, ``walk_m``, ``reason``.
    opened
        A crossing that was only tried.
    demo
        True when made-up rows were walked on or drawn.
    """
    for layer, what in ((host, "le quartier"), (catchments, "les bassins d’accès")):
        require_metres(layer, what=what)
    window = _window(host, [*catchments.geometry])
    stops, cutting = within(stations, window), within(barriers, window)
    star = Style(label="Départ de la marche", fill="#ffeb3b", line="#000000", shape="square", size_px=18)
    start = Layer(
        name="start",
        title="Départ",
        kind="point",
        frame=features(gpd.GeoSeries([place], crs=CRS), ids=["start"], labels=[place_name], styles="start"),
        styles={"start": star},
    )
    lines = [] if pairs is None else [_pairs_layer(pairs)]
    over = [*lines, _crossings_layer(within(crossings, window), opened), _station_layer(stops)]
    minutes = ", ".join(f"{limit:g}" for limit in catchments["minutes"])
    told = "" if pairs is None else f", {counted(len(pairs), 'paire')} en vis-à-vis"
    return _composed(
        host,
        window,
        under=[_bands(catchments)],
        over=over,
        above=[start],
        grounds=(within(communes, window), cutting, stops),
        title=f"à pied depuis « {place_name} » en {minutes} min" + (f" ({DEMO})" if demo else ""),
        description=(
            f"Sol atteint à pied depuis « {place_name} » en {minutes} minutes. Terrain : {ground}. Sur la carte : "
            f"{counted(len(cutting), 'coupure')}, "
            f"{counted(len(stops), 'point')} de gare ou station{told}."
        ),
    )


def reach_map(  # noqa: PLR0913 - one keyword for each layer that is drawn
    host: gpd.GeoDataFrame,
    *,
    communes: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame,
    catchments: gpd.GeoDataFrame,
    false: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    ground: str,
    minutes: float,
    demo: bool = False,
) -> Map:
    """Return the map of places, their reach and the false coverage of their discs.

    Parameters
    ----------
    catchments
        ``site_id``, geometry: ground within reach.
    false
        Points that a disc holds and no walk reaches, drawn as squares of 40 m.
    sites
        ``site_id``, ``name``, ``part`` (``candidate``, ``chosen``, ``fixed``, ``deployed``), geometry.
    host, communes, barriers, ground, demo
        See `access_map`.
    minutes
        Walk of the reach.
    """
    window = _window(host, [*catchments.geometry, *sites.geometry])
    names = dict(zip(sites["site_id"], sites["name"], strict=True))
    places = Layer(
        name="sites",
        title="Lieux",
        kind="point",
        frame=features(
            sites.geometry.representative_point(), ids=sites["site_id"], labels=sites["name"],
            styles=list(sites["part"]),
        ),
        styles=_PARTS,
    )  # fmt: skip
    many = counted(len(catchments), "lieu", "lieux")
    return _composed(
        host,
        window,
        under=[_reach_layer(catchments, names, minutes), _false_layer(false, names)],
        over=[],
        above=[places],
        grounds=(within(communes, window), within(barriers, window), None),
        title=f"à {minutes:g} min à pied de {many}" + (f" ({DEMO})" if demo else ""),
        description=(
            f"Sol à {minutes:g} minutes à pied de {many}. Terrain : {ground}. "
            f"Couverture fausse : {counted(len(false), 'carré')} dans un disque et hors de portée à pied."
        ),
    )


def _composed(
    host: gpd.GeoDataFrame,
    window: shapely.Geometry,
    *,
    under: list[Layer],
    over: list[Layer],
    above: list[Layer],
    grounds: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame | None],
    title: str,
    description: str,
) -> Map:
    """Return a map of one district: areas under its limit and its barriers, lines and signs over them, then names.

    Parameters
    ----------
    grounds
        Communes and barriers in view, and another layer to credit.
    title
        What follows the name of the district.
    """
    near, cutting, other = grounds
    layers = [
        _context_layer(near, insee=host["insee"].iloc[0]),
        *under,
        *district_layers(host, hatch_m=150.0, opacity=0.0),
        _barrier_layer(cutting),
        *over,
        names_layer(near.geometry.intersection(window), ids=near["insee"], labels=near["name"]),
        *above,
    ]
    kept = [layer for layer in layers if len(layer.frame)]
    return Map(
        title=f"{host['title'].iloc[0]} : {title}",
        layers=tuple(kept),
        extent_m=cast("Extent", window.bounds),
        description=description,
        credits=credits_of(host, near, cutting, *([] if other is None else [other])),
        table=_rows_of(kept),
    )


def _window(host: gpd.GeoDataFrame, shapes: Sequence[shapely.Geometry]) -> shapely.Geometry:
    """Return the ground in view: the perimeter and everything walked, with a margin."""
    drawn = [shape for shape in shapes if shape is not None and not shape.is_empty]
    bounds = shapely.total_bounds(np.array([host.geometry.iloc[0], *drawn], dtype=object))
    return shapely.buffer(shapely.box(*bounds), 80, join_style="mitre")


def _bands(catchments: gpd.GeoDataFrame) -> Layer:
    """Return catchments as bands that do not overlap."""
    ordered = catchments.sort_values("minutes")
    shapes = ordered.geometry.tolist()
    bands = [
        shape if row == 0 else shapely.difference(shape, shapes[row - 1]) for row, shape in enumerate(shapes)
    ]  # fmt: skip
    labels = [f"À {limit:g} min à pied" for limit in ordered["minutes"]]
    styles = {
        f"b{row}": Style(label=label, fill=_BANDS[row % len(_BANDS)], line=INK, width_px=0.5, opacity=0.55)
        for row, label in enumerate(labels)
    }
    drawn = features(
        gpd.GeoSeries(bands, crs=CRS),
        ids=list(styles),
        labels=labels,
        styles=list(styles),
        **{
            "Sol atteint": [f"{words(round(area, 1))} ha" for area in ordered["reached_ha"]],
            "Part du disque": [f"{100 * share:.0f} %" for share in ordered["share"]],
        },
    )
    return Layer(
        name="catchments",
        title="Bassins à pied",
        kind="area",
        frame=drawn,
        styles=styles,
        tooltip=("Sol atteint", "Part du disque"),
        optional=True,
    )


def _pairs_layer(pairs: gpd.GeoDataFrame) -> Layer:
    """Return facing pairs by detour ratio; a pair without figure is grey, never short."""
    edges = [low for low, _ in _RATIOS]
    keys = [
        "none" if pd.isna(ratio) else f"r{max(int(np.searchsorted(edges, ratio, side='right')) - 1, 0)}"
        for ratio in pairs["detour_ratio"]
    ]
    told = {
        "À pied": ["inconnu" if pd.isna(one) else f"{words(round(one))} m" for one in pairs["walk_m"]],
        "Sans mesure": [reason or "—" for reason in pairs["reason"]],
    }
    drawn = features(
        pairs.geometry,
        ids=[f"pair-{row}" for row in range(len(pairs))],
        labels=[f"Vis-à-vis, {name}" for name in pairs["barrier_id"]],
        styles=keys,
        **told,
    )
    styles = {f"r{row}": style for row, (_, style) in enumerate(_RATIOS)} | {"none": _UNMEASURED}
    return Layer(
        name="pairs",
        title="Détours en vis-à-vis",
        kind="line",
        frame=drawn,
        styles=styles,
        tooltip=tuple(told),
        optional=True,
    )


def _crossings_layer(crossings: gpd.GeoDataFrame, opened: shapely.Geometry | None) -> Layer:
    """Return declared crossings, and the one that was only tried."""
    shapes = [*crossings.geometry.representative_point()]
    ids, names = [*crossings["crossing_id"]], [*crossings["name"].fillna("Franchissement sans nom")]
    kinds = [CROSSING_KINDS.get(kind) for kind in crossings["kind"]]
    states = [CROSSING_STATUSES.get(status) for status in crossings["status"]]
    closed = crossings["closed"] if "closed" in crossings else [False] * len(crossings)
    styles = [
        "closed" if shut else "assumed" if status == "assumed" else "open"
        for shut, status in zip(closed, crossings["status"], strict=True)
    ]
    hours = [*crossings["hours"].fillna("inconnus")]
    if opened is not None:
        shapes.append(shapely.point_on_surface(opened))
        ids, names = [*ids, "essai"], [*names, "Franchissement envisagé"]
        kinds, states, hours, styles = [*kinds, "—"], [*states, "essai"], [*hours, "—"], [*styles, "planned"]
    told = {"Nature": kinds, "Statut": states, "Horaires": hours}
    drawn = features(gpd.GeoSeries(shapes, crs=CRS), ids=ids, labels=names, styles=styles, **told)
    return Layer(
        name="crossings",
        title="Franchissements",
        kind="point",
        frame=drawn,
        styles=_CROSSINGS,
        tooltip=tuple(told),
        optional=True,
    )


def _reach_layer(catchments: gpd.GeoDataFrame, names: Mapping[str, str], minutes: float) -> Layer:
    """Return the ground within reach of each place."""
    style = Style(label=f"À {minutes:g} min à pied", fill="#41b6c4", line=INK, width_px=0.5, opacity=0.35)
    labels = [names.get(one, one) for one in catchments["site_id"]]
    drawn = features(catchments.geometry, ids=catchments["site_id"], labels=labels, styles="reach")
    return Layer(
        name="reach", title="À portée de marche", kind="area", frame=drawn, styles={"reach": style}, optional=True
    )


def _false_layer(false: gpd.GeoDataFrame, names: Mapping[str, str]) -> Layer:
    """Return false coverage as squares, told apart from the reach by colour and by an outline."""
    style = Style(
        label="Couverture fausse : dans le disque, hors de portée", fill="#d95f0e", line="#8c2d04", opacity=0.8
    )
    squares = shapely.buffer(false.geometry.centroid.to_numpy(), 20.0, cap_style="square")
    drawn = features(
        gpd.GeoSeries(squares, crs=CRS),
        ids=[f"faux-{row}" for row in range(len(false))],
        labels=[f"Hors de portée de {names.get(one, one)}" for one in false["site_id"]],
        styles="false",
        **{"À vol d’oiseau": [f"{words(round(one))} m" for one in false["straight_m"]]},
    )
    return Layer(
        name="false",
        title="Couverture fausse",
        kind="area",
        frame=drawn,
        styles={"false": style},
        tooltip=("À vol d’oiseau",),
        optional=True,
    )
