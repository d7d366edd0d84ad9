"""What are the places of a district, by where does one enter them, and what is counted around them?

All that the reach of places and the choice of new ones share is gathered once for a terrain, whatever the minutes
allowed, the places kept or the question asked. Nothing is compared with a limit here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import coverage, network
from geo_qmi.errors import InputError
from geo_qmi.schema import CRS
from geo_qmi.walking.terrain import HECTARES, squares_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.walking.terrain import Terrain

#: Side of the squares counted.
_SQUARE_M = 40.0
#: A line or an area is entered every 50 m: half the distance between two street corners of a dense town.
_ENTRY_M = 50.0


@dataclass(frozen=True, eq=False)
class Places:
    """The places of a district and what is counted around them, on one terrain.

    Attributes
    ----------
    given
        The terrain.
    tables
        ``observations``, ``workshop_items``.
    sites
        As returned by `sites_of`.
    joined, refused
        As returned by `entered`, for all the sites.
    """

    given: Terrain
    tables: Mapping[str, Any]
    sites: gpd.GeoDataFrame
    joined: pd.DataFrame
    refused: pd.DataFrame

    @cached_property
    def counted(self) -> gpd.GeoDataFrame:
        """Everything counted inside the perimeter as points: ``what`` is the measure of a row, zero elsewhere.

        A square holds no observation and an observation no ground: zero is known there. What a row counts itself stays
        as it is, missing included.
        """
        parts = _measured(self.given, self.tables)
        sizes = [len(points) for points, _ in parts.values()]
        what = np.repeat(np.array(list(parts), dtype=object), sizes)
        columns = {name: np.zeros(len(what)) for name in parts}
        for name, (_, amounts) in parts.items():
            columns[name][what == name] = amounts
        shapes = gpd.array.from_shapely(np.concatenate([points for points, _ in parts.values()]), crs=CRS)
        return gpd.GeoDataFrame({"place_id": _numbered(len(what)), "what": what, **columns, "geometry": shapes})

    @cached_property
    def homes(self) -> pd.DataFrame:
        """Where each row of `counted` joins the ground, by ``place_id``."""
        return network.snap(self.given.ground, self.counted.set_index("place_id"))

    @cached_property
    def around(self) -> gpd.GeoDataFrame:
        """What discs hold: ``place_id``, ``amount`` of people or ground, geometry.

        Counted around the perimeter too: what a disc promises across a railway often lies outside.
        """
        if self.given.unit == HECTARES:
            found, counted = squares_of(self.given.around, _SQUARE_M), "hectares"
        else:
            found, counted = points_of(self.given.weights), "population"
        return gpd.GeoDataFrame(
            {"amount": found[counted].array, "geometry": found.geometry.array, "place_id": _numbered(len(found))},
            index=found.index,
        )

    @cached_property
    def around_homes(self) -> pd.DataFrame:
        """Where each row of `around` joins the ground, by ``place_id``."""
        return network.snap(self.given.ground, self.around.set_index("place_id"))

    @cached_property
    def free(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Where each row of `around`, then each entry of a place, joins the ground when nothing stands on it."""
        homes = network.snap(self.given.free.ground, self.around.set_index("place_id"))
        return homes, entered(self.given.free, self.sites)[0]

    @cached_property
    def demand(self) -> gpd.GeoDataFrame:
        """What is to be served, the `weights` of the terrain inside the perimeter, by ``demand_id``.

        Raises
        ------
        InputError
            Nothing is inside.
        """
        found = people_of(self.given, points=False)
        if found.empty:
            raise InputError("Rien à servir dans le périmètre : la couche d’habitants n’y a aucun lieu.")
        return found.set_index(pd.Index(_numbered(len(found)), name="demand_id"))

    @cached_property
    def minutes(self) -> pd.DataFrame:
        """Minutes from each of `demand` that joins the ground to each site that does."""
        homes = network.snap(self.given.ground, self.demand)
        return walked(self.given, homes[homes["node"].notna()], self.joined)


def places_of(given: Terrain, tables: Mapping[str, Any]) -> Places:
    """Return the places of a district on its terrain.

    Parameters
    ----------
    tables
        ``projects``, ``sites``, ``candidate_places``, ``observations``, ``workshop_items``.
    """
    sites = sites_of(tables, given)
    return Places(given, tables, sites, *entered(given, sites))


def sites_of(tables: Mapping[str, Any], given: Terrain) -> gpd.GeoDataFrame:
    """Return the places of a district whose reach can be walked: its located projects, then its candidate places.

    Returns
    -------
    GeoDataFrame
        ``site_id``, ``name``, ``role`` (``project``, ``candidate``), ``demo``, geometry.
    """
    projects = tables["projects"]
    projects = projects[(projects["district_id"] == given.district_id).to_numpy()]
    known = coverage.footprints(projects, tables["sites"]).located  # zones are not walked to: no commune is needed
    known = known[(known["rule"] == "reach").to_numpy()]
    spots = tables["candidate_places"]
    mine = (spots["district_id"] == given.district_id).to_numpy() & spots.geometry.notna().to_numpy()
    names, demo, shapes = (spots[column].to_numpy()[mine] for column in ("name", "demo", "geometry"))
    return gpd.GeoDataFrame(
        {
            "site_id": [*(f"projet-{one}" for one in known.index), *spots["place_id"].to_numpy()[mine]],
            "name": [*(f"Projet : {name}" for name in known["name"]), *names],
            "role": ["project"] * len(known) + ["candidate"] * len(names),
            "demo": np.array([*([False] * len(known)), *demo], dtype=bool),
        },
        geometry=[*known.geometry, *shapes],
        crs=CRS,
    )


def entered(given: Terrain, sites: gpd.GeoDataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return where each place joins the ground, from every point one enters it by, and the places that do not.

    Returns
    -------
    joined
        As `geo_qmi.network.snap`, one row an entry that joins, and ``site_id``.
    refused
        Index ``site_id``: ``name``, ``reason`` of the places none of whose entries joins.
    """
    doors = [_entries(shape) for shape in sites.geometry]
    owner = np.repeat(sites["site_id"].to_numpy(dtype=object), [len(one) for one in doors])
    points = gpd.GeoSeries(shapely.points(np.concatenate([np.zeros((0, 2)), *doors])), crs=CRS)
    joined = network.snap(given.ground, points).assign(site_id=owner)
    found = joined["node"].notna().to_numpy()
    lost = dict(zip(owner[~found][::-1], joined["reason"].to_numpy()[~found][::-1], strict=True))  # its first reason
    kept, names = set(owner[found]), dict(zip(sites["site_id"], sites["name"], strict=True))
    rows = [(one, names[one], lost[one]) for one in dict.fromkeys(owner) if one not in kept]
    refused = pd.DataFrame(rows, columns=["site_id", "name", "reason"], dtype="str").set_index("site_id")
    return joined if found.all() else joined[found], refused


def _entries(shape: shapely.Geometry) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the points by which one enters a place: itself, or points every 50 m along and over it."""
    edge: np.ndarray[Any, np.dtype[np.float64]] = shapely.get_coordinates(shapely.segmentize(shape, _ENTRY_M))
    if shapely.get_dimensions(shape) != 2:
        return edge
    return np.concatenate([edge, shapely.get_coordinates(squares_of(shape, _ENTRY_M).geometry.to_numpy())])


def walked(
    given: Terrain, homes: pd.DataFrame, joined: pd.DataFrame, *, minutes: float | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return the minutes from each place counted to each site, by its best entry; infinite beyond `minutes`.

    Parameters
    ----------
    homes
        As `geo_qmi.network.snap`.
    joined
        As returned by `entered`.

    Returns
    -------
    DataFrame
        Index of `homes`; one column a site, sorted.
    """
    found = network.distances(given.ground, homes, joined.drop(columns="site_id"), minutes=minutes, unit="minutes")
    ids, owner = np.unique(joined["site_id"].to_numpy(dtype=object), return_inverse=True)
    order = np.argsort(owner, kind="stable")
    best = np.minimum.reduceat(found.to_numpy()[:, order], np.searchsorted(owner[order], np.arange(len(ids))), axis=1)
    return pd.DataFrame(best, index=found.index, columns=pd.Index(ids, dtype="str", name="site_id"))


def people_of(given: Terrain, *, points: bool = True) -> gpd.GeoDataFrame:
    """Return what the terrain counts inside the perimeter, each place as one point unless its shape is wanted."""
    places = shapely.point_on_surface(given.weights.geometry.to_numpy())
    inside = given.weights[shapely.within(places, given.perimeter.geometry.iloc[0])]
    return points_of(inside) if points else inside


def points_of(people: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return people with each place as one point."""
    return people.set_geometry(people.geometry.representative_point())


def _numbered(n: int) -> list[str]:
    """Return identifiers that sort in the order of the rows."""
    return [f"{row:06d}" for row in range(n)]


def _measured(
    given: Terrain, tables: Mapping[str, Any]
) -> dict[str, tuple[np.ndarray[Any, np.dtype[np.object_]], np.ndarray[Any, np.dtype[np.float64]]]]:
    """Return measure → points inside the perimeter and the amount of each."""
    shape = given.perimeter.geometry.iloc[0]
    squares = squares_of(shape, _SQUARE_M)
    found = {"hectares": (squares.geometry.to_numpy(), squares["hectares"].to_numpy())}
    if given.unit != HECTARES:
        people = people_of(given)
        found["people"] = (people.geometry.to_numpy(), people["population"].to_numpy("float64"))
    seen, items = tables["observations"], tables["workshop_items"]
    kind, valence = seen["kind"].to_numpy(dtype=object), seen["valence"].to_numpy(dtype=float, na_value=np.nan)
    told = items.geometry.to_numpy()[items["kind"].to_numpy(dtype=object) == "attention_point"]
    drawn = {
        "needs": [seen.geometry.to_numpy()[kind == "absence"], told],
        "felt_negative": [seen.geometry.to_numpy()[(kind == "mark") & (valence < 0)]],
    }
    for measure, layers in drawn.items():
        points = shapely.point_on_surface(np.concatenate(layers))
        points = points[shapely.within(points, shape)]
        found[measure] = (points, np.ones(len(points)))
    return found
