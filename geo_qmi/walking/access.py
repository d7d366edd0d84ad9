"""How far does one get from a place in 5, 10 and 15 minutes, and what does the ring on a map only pretend?

Walks out of one place of a prepared terrain and sets the ground reached beside the disc of the same radius. A place
may be a station, a candidate place, or coordinates somebody types. It draws nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import maps, network
from geo_qmi.errors import InputError, shown
from geo_qmi.geo import DEGREES, propose_crs
from geo_qmi.schema import CRS
from geo_qmi.wording import agreed, counted, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from geo_qmi.walking.terrain import Terrain

#: Minutes of the three catchments.
STEPS = (5, 10, 15)


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """What is reached from one place.

    Attributes
    ----------
    name, place
        The place, EPSG:2154.
    catchments
        ``minutes``, ``metres``, ``disc_ha`` (on open ground, what its grid reaches with no barrier on it, within the
        terrain), ``reached_ha``, ``share`` (reached part of the disc, 0–1), ``amount`` and ``amount_disc`` (in the unit
        of the terrain), geometry: the ground reached.
    lines
        French sentences.
    """

    name: str
    place: shapely.Point
    catchments: gpd.GeoDataFrame
    lines: tuple[str, ...]


def origins(tables: Mapping[str, Any], given: Terrain) -> gpd.GeoDataFrame:
    """Return the places a walk may start from: stations and candidate places on the ground.

    Returns
    -------
    GeoDataFrame
        Index ``place_id``: ``name`` (says what it is, and whether it is made up), geometry.
    """
    stops, spots = tables["stations"], tables["candidate_places"]
    stops = stops[stops.geometry.notna()].drop_duplicates("name")
    spots = spots[(spots["district_id"] == given.district_id) & spots.geometry.notna()]
    names = [f"Gare ou station : {name}" for name in stops["name"]]
    names += [f"Lieu d’accueil : {name}" for name in spots["name"]]
    shapes = [*stops.geometry, *spots.geometry.representative_point()]
    middle = given.perimeter.geometry.iloc[0].representative_point()
    ids = ["perimetre", *(f"gare-{one}" for one in stops["station_id"]), *spots["place_id"]]
    found = gpd.GeoDataFrame(
        {"name": ["Point intérieur du périmètre", *names]},
        geometry=[middle, *shapes],
        crs=CRS,
        index=pd.Index(ids, name="place_id"),
    )
    return found[found.intersects(given.region)]


def place_at(text: str) -> shapely.Point:
    """Return the point typed as two coordinates: longitude and latitude in any order, or Lambert-93 metres.

    Raises
    ------
    InputError
        Not two numbers, or a point outside Île-de-France.

    Examples
    --------
    >>> place_at("655000 6870000")
    <POINT (655000 6870000)>
    >>> point = place_at("48,932 2,4955")
    >>> round(point.x), round(point.y)
    (663037, 6870343)
    """
    numbers = re.findall(r"-?\d+(?:[.,]\d+)?", text)
    if len(numbers) == 1:
        numbers = re.findall(r"-?\d+(?:\.\d+)?", text)
    if len(numbers) != 2:
        raise InputError(
            f"Coordonnées illisibles : « {shown(text)} ». Attendu deux nombres : « 2,4955 48,932 » ou "
            "« 663037 6870343 »."
        )
    x, y = (float(number.replace(",", ".")) for number in numbers)
    for found in propose_crs((x, y, x, y)):
        if found.code in {DEGREES, CRS}:
            pair = (y, x) if found.swapped else (x, y)
            return gpd.GeoSeries([shapely.Point(pair)], crs=found.code).to_crs(CRS).iloc[0]
    raise InputError(
        f"« {shown(text)} » n’est pas en Île-de-France, ni en degrés ni en Lambert-93. Vérifiez les deux nombres."
    )


def access(
    given: Terrain,
    place: shapely.Geometry,
    *,
    name: str,
    minutes: Sequence[float] = STEPS,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Access:
    """Return what is reached on foot from a place, beside the disc of the same radius.

    Parameters
    ----------
    place
        Point in EPSG:2154.
    name
        French name of the place.
    minutes
        Times allowed.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.

    Raises
    ------
    InputError
        The place joins no ground; the sentence says why.
    """
    joined = network.snap(given.ground, gpd.GeoSeries([place], index=[name], crs=CRS))
    if joined["node"].isna().any():
        raise InputError(f"« {shown(name)} » : {joined['reason'].iloc[0]}. Déplacez le point.")
    announce("Le même terrain sans coupure", 0.0)
    free = given.free
    announce("Du départ à chaque lieu", 0.2)
    longest = max(minutes)
    walked = _minutes_home(given, joined, longest=longest)
    promised = _promised(free, place) if given.ground.kind == "open" else None
    amounts = given.weights["population"].to_numpy()
    if promised is None:
        near = given.weights.geometry.representative_point().distance(place).to_numpy() / given.ground.walk_m_min
        discs = []
    else:
        near = _minutes_home(free, promised, longest=longest)
        discs = network.catchments(free.ground, promised, minutes=minutes)
    rows: list[tuple[object, ...]] = []
    for limit, found in zip(minutes, network.catchments(given.ground, joined, minutes=minutes), strict=True):
        announce(f"Marche de {number(limit)} min", 0.4 + 0.6 * len(rows) / len(minutes))
        shape = found.polygon()
        radius = limit * given.ground.walk_m_min
        area, disc = shape.area, np.pi * radius**2
        if promised is not None:
            area, disc = (len(one.nodes) * given.ground.cell_m**2 for one in (found, discs[len(rows)]))
        held_here, held_disc = amounts[walked <= limit].sum(), amounts[near <= limit].sum()
        rows.append((limit, radius, disc / 1e4, area / 1e4, area / disc, held_here, held_disc, shape))
    columns = ["minutes", "metres", "disc_ha", "reached_ha", "share", "amount", "amount_disc", "geometry"]
    layer = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=CRS)
    return Access(name, place, layer, _lines(given, layer, place))


def _promised(free: Terrain, place: shapely.Geometry) -> pd.DataFrame:
    """Return where a place joins the ground when nothing stands on it."""
    return network.snap(free.ground, gpd.GeoSeries([place], crs=CRS))


def _minutes_home(given: Terrain, joined: pd.DataFrame, *, longest: float) -> NDArray[np.float64]:
    """Return the minutes from the start to each place counted; infinite without way, and well beyond `longest`."""
    walked = network.distances(given.ground, joined, given.homes, minutes=longest + 1, unit="minutes").to_numpy()[0]
    return np.asarray(np.nan_to_num(walked, nan=np.inf), dtype=np.float64)


def _lines(given: Terrain, layer: gpd.GeoDataFrame, place: shapely.Geometry) -> tuple[str, ...]:
    lines = [
        f"En {maps.words(row.minutes)} min : {maps.words(round(row.reached_ha, 1))} ha atteints à pied, soit "
        f"{100 * row.share:.0f} % du disque de {maps.words(round(row.metres))} m que montre une carte à vol d’oiseau."
        for row in layer.itertuples()
    ]
    if given.ground.kind == "open":
        circles = ", ".join(maps.words(round(np.pi * metres**2 / 1e4, 1)) for metres in layer["metres"])
        lines.append(
            f"Disque : celui de la même grille sans coupure, coupé au bord du terrain ; cercles exacts : {circles} ha."
        )
    if shapely.distance(place, shapely.boundary(given.region)) < layer["metres"].max():
        lines.append("Le point est près du bord du terrain : la plus longue marche y est coupée.")
    refused = int(given.homes["node"].isna().sum())
    if refused:
        lines.append(
            f"{counted(refused, 'lieu compté')} {agreed(refused, 'ne rejoint', 'ne rejoignent')} pas le terrain : hors "
            "des sommes."
        )
    return tuple(lines)
