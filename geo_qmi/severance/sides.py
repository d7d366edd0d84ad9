"""Where are the two sides of a barrier, and how far is the other side for the people of one?

Facing places along a barrier, people joined to the walking ground, and for each of them the other side as the crow
flies and on foot. The cards and the candidates are made from these; nothing is summed over barriers here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo_qmi.errors import InputError
from geo_qmi.geo import require_metres
from geo_qmi.network import minutes_to, snap
from geo_qmi.schema import CRS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geo_qmi.network import Ground

#: A pair of facing places every 50 m: half the distance between two street corners of a dense town.
STEP_M = 50.0
#: Facing places stand 50 m from the barrier, outside railway land and on the first street along it.
OFFSET_M = 50.0


@dataclass(frozen=True, slots=True)
class Facing:
    """Places that face each other across a barrier, and its axis."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    axis: shapely.LineString


def facing_places(shape: shapely.Geometry, *, step_m: float, offset_m: float) -> Facing:
    """Return facing places along a line, or along the long axis of an area."""
    axis = axis_of(shape)
    along = np.arange(step_m / 2, axis.length, step_m) if axis.length > step_m else np.array([axis.length / 2])
    foot = shapely.get_coordinates(shapely.line_interpolate_point(axis, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(axis, np.minimum(along + 1, axis.length)))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(axis, np.maximum(along - 1, 0)))
    direction = (ahead - behind) / np.hypot(*(ahead - behind).T)[:, None]
    normal = np.column_stack([-direction[:, 1], direction[:, 0]])
    out_left, out_right = np.zeros(len(foot)), np.zeros(len(foot))
    if shapely.get_dimensions(shape) == 2:
        reach = float(np.hypot(shape.bounds[2] - shape.bounds[0], shape.bounds[3] - shape.bounds[1]))
        chords = shapely.intersection(
            shapely.linestrings(np.stack([foot - normal * reach, foot + normal * reach], axis=1)), shape
        )
        for row, chord in enumerate(chords):
            side = (shapely.get_coordinates(chord) - foot[row]) @ normal[row]
            out_left[row], out_right[row] = (side.max(), -side.min()) if len(side) else (0.0, 0.0)
    return Facing(foot + normal * (out_left + offset_m)[:, None], foot - normal * (out_right + offset_m)[:, None], axis)


def axis_of(shape: shapely.Geometry) -> shapely.LineString:
    """Return the line a barrier follows: itself, its longest part, or the long axis of an area."""
    parts = shapely.get_parts(shapely.line_merge(shape) if shapely.get_dimensions(shape) == 1 else shape)
    longest = parts[np.argmax(shapely.length(parts))]
    if shapely.get_dimensions(longest) == 1:
        return longest
    corners = shapely.get_coordinates(shapely.oriented_envelope(longest))
    middle = (corners[:-1] + corners[1:]) / 2
    first = np.hypot(*(corners[1] - corners[0])) <= np.hypot(*(corners[2] - corners[1]))
    return shapely.LineString(middle[[0, 2]] if first else middle[[1, 3]])


def places(xy: NDArray[np.float64]) -> gpd.GeoSeries:
    """Return places as a series in Lambert-93."""
    return gpd.GeoSeries(shapely.points(xy), crs=CRS)


@dataclass(frozen=True, slots=True, eq=False)
class Homes:
    """People and where they join the ground."""

    xy: NDArray[np.float64]
    people: NDArray[np.float64]
    node: NDArray[np.int64]
    access_min: NDArray[np.float64]


def homes_of(ground: Ground, population: gpd.GeoDataFrame) -> Homes:
    """Return people as points joined to the ground; −1 where a point joins nowhere.

    Raises
    ------
    InputError
        No column ``population``, or a negative or missing number of people.
    """
    require_metres(population, what="la population")
    if "population" not in population:
        raise InputError(
            "Population refusée : colonne « population » absente ; attendu un nombre d’habitants par ligne."
        )
    people = population["population"].to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~(np.isfinite(people) & (people >= 0)))
    if len(wrong):
        raise InputError(
            f"Population refusée : nombre absent, infini ou négatif à {counted(len(wrong), 'ligne')}, la première "
            f"« {population.index[wrong[0]]} ». Retirez ces lignes ou complétez-les : absent n’est pas zéro."
        )
    joined = snap(ground, population)
    shapes = shapely.point_on_surface(np.asarray(population.geometry, dtype=object))
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    xy = np.full((len(people), 2), np.nan)
    xy[~missing] = shapely.get_coordinates(shapes[~missing])
    return Homes(
        xy,
        people,
        joined["node"].to_numpy(dtype=np.int64, na_value=-1),
        joined["access_m"].to_numpy() / ground.walk_m_min,
    )


class Sides:
    """For the people facing one barrier: how far its other side is, straight and on foot.

    `landings` is where the facing places of its left and of its right join the ground.
    """

    def __init__(
        self,
        ground: Ground,
        homes: Homes,
        shape: shapely.Geometry,
        facing: Facing,
        *,
        landings: tuple[pd.DataFrame, pd.DataFrame],
    ) -> None:
        side = _side(homes.xy, facing.axis)
        inside = shapely.intersects_xy(shape, *homes.xy.T) if shapely.get_dimensions(shape) == 2 else False
        self.side = np.where(inside, 0, side)
        self.straight_m = np.full(len(homes.people), np.nan)
        self.walk_min = np.full(len(homes.people), np.nan)
        self.to_other: dict[int, NDArray[np.float64]] = {}
        left, right = landings
        for sign, landing, joined in ((1, facing.right, right), (-1, facing.left, left)):
            mine = self.side == sign
            if joined["node"].notna().any():
                self.to_other[sign] = minutes_to(ground, joined)
            else:
                self.to_other[sign] = np.full(ground.n_nodes, np.inf)
            tree = shapely.STRtree(shapely.points(landing))
            if mine.any():
                _, self.straight_m[mine] = tree.query_nearest(
                    shapely.points(homes.xy[mine]), return_distance=True, all_matches=False
                )
            placed = mine & (homes.node >= 0)
            self.walk_min[placed] = self.to_other[sign][homes.node[placed]] + homes.access_min[placed]


def _side(xy: NDArray[np.float64], axis: shapely.LineString) -> NDArray[np.int64]:
    """Return 1 on the left of a line, −1 on its right, 0 on it, beyond its ends or at no known place."""
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))
    side = np.zeros(len(xy), np.int64)
    places = shapely.points(xy[known])
    along = shapely.line_locate_point(axis, places)
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(axis, np.minimum(along + 0.5, axis.length)))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(axis, np.maximum(along - 0.5, 0)))
    direction, offset = ahead - behind, xy[known] - behind
    turn = np.sign(direction[:, 0] * offset[:, 1] - direction[:, 1] * offset[:, 0]).astype(np.int64)
    side[known] = np.where((along > 0) & (along < axis.length), turn, 0)
    return side


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the lowest value at or below which half of the weight lies; NaN without weight."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    if not len(total) or total[-1] <= 0:
        return float("nan")
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
