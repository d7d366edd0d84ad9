"""How wide must a place become before it no longer gives its author's point away?

Each place is widened to its street segment or to nested cells, the smallest that enough people share; the result is
tested as an attacker would: is the nearest original point its own? Areas and lines are published, never false points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.geo import require_metres

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

#: A masked point may lead back to its own original in fewer than one case in five.
REIDENTIFIED_SHARE = 0.2
#: Sides of the nested cells tried in turn, in metres; a point that is still alone in the last has its place withheld.
MASKS_M = (50.0, 100.0, 200.0, 400.0, 800.0)
#: A point farther than this from every street was not felt in one: it goes to a cell.
STREET_REACH_M = 25.0


@dataclass(frozen=True, slots=True)
class Masked:
    """Widened places.

    Attributes
    ----------
    shapes
        Areas or street segments, one an observation; missing where the place is withheld.
    mask_m
        Side of the smallest cells; 0 for street segments, missing when every place is withheld.
    reidentified
        Share of the places whose nearest original is their own.
    n_withheld
        Places known and withheld.
    """

    shapes: NDArray[np.object_]
    mask_m: float
    reidentified: float
    n_withheld: int


def mask(observations: gpd.GeoDataFrame, *, streets: gpd.GeoDataFrame | None, floor_people: int) -> Masked:
    """Return the places of `observations`, widened until enough people share each and the test passes.

    Parameters
    ----------
    observations
        ``participant_id``, ``geometry`` in EPSG:2154; the middle of a line or an area stands for it.
    streets
        Segments to try first; what too few people share falls into cells.
    floor_people
        Fewest people behind a published place.
    """
    require_metres(observations, what="les observations")
    points = shapely.centroid(observations.geometry.to_numpy())
    people = observations["participant_id"]
    cells = [cells_of(points, cell_m=side) for side in MASKS_M]
    ladders = [(side, cells[start:]) for start, side in enumerate(MASKS_M)]
    if streets is not None:
        ladders.insert(0, (0.0, [segments_of(points, streets), *cells]))
    n_known = int((~shapely.is_missing(points)).sum())
    for mask_m, ladder in ladders:
        shapes = _widened(ladder, people, floor_people=floor_people)
        share = reidentified(shapes, points)
        if share < REIDENTIFIED_SHARE:
            n_shown = int((~shapely.is_missing(shapes)).sum())
            return Masked(shapes, mask_m if n_shown else float("nan"), share, n_known - n_shown)
    return Masked(np.full(len(points), None, dtype=object), float("nan"), 0.0, n_known)


def _widened(
    grounds: Sequence[NDArray[np.object_]], people: pd.Series[str], *, floor_people: int
) -> NDArray[np.object_]:
    """Give each point the first of `grounds` it shares with enough people who have none yet."""
    found = np.full(len(people), None, dtype=object)
    for ground in grounds:
        left = np.flatnonzero(shapely.is_missing(found) & ~shapely.is_missing(ground))
        place = pd.Series(shapely.to_wkb(ground[left]), index=people.index[left], dtype=object)
        n_people = people.iloc[left].groupby(place).transform("nunique").to_numpy()
        found[left[n_people >= floor_people]] = ground[left[n_people >= floor_people]]
    return found


def published_places(table: gpd.GeoDataFrame, *, floor_people: int) -> gpd.GeoDataFrame:
    """Return the places of a sensitive map as a lower edition may show them.

    Parameters
    ----------
    table
        As returned by `geo_qmi.sensitive.felt`.
    floor_people
        Under this many people, what was felt at a place is withheld: the value of one person is that person's answer.

    Returns
    -------
    The same rows and index; where one to ``floor_people`` − 1 people spoke, ``state`` is ``withheld`` and every value
    and count of what they said is missing. Counts are nullable whole numbers.
    """
    found = table.copy()
    counts = ["n_people", "n_positive", "n_negative", "n_sessions", "n_observations", "n_unsigned", "n_silent"]
    said = found["state"].isin(["felt", "divided"])
    few = said & (found["n_people"] < floor_people)
    found[counts] = found[counts].astype("Int64")
    found.loc[few, counts] = pd.NA
    found.loc[few, ["value", "polarisation"]] = np.nan
    found.loc[few, "state"] = "withheld"
    found.loc[few, "display"] = "none"
    # One or two people who said « nothing felt » are as few as one or two who felt something.
    found.loc[found["n_silent"].between(1, floor_people - 1).fillna(value=False), "n_silent"] = pd.NA
    return found


def cells_of(points: NDArray[np.object_], *, cell_m: float) -> NDArray[np.object_]:
    """Return the grid cell of side `cell_m` that holds each point, missing where the point is."""
    there = ~(shapely.is_missing(points) | shapely.is_empty(points))
    west = np.floor(shapely.get_x(points[there]) / cell_m) * cell_m
    south = np.floor(shapely.get_y(points[there]) / cell_m) * cell_m
    found = np.full(len(points), None, dtype=object)
    found[there] = shapely.box(west, south, west + cell_m, south + cell_m)
    return found


def segments_of(points: NDArray[np.object_], streets: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the street segment nearest to each point within `STREET_REACH_M`, missing where there is none."""
    require_metres(streets, what="les rues")
    lines = streets.geometry.to_numpy()
    lines = lines[shapely.get_dimensions(lines) == 1]
    there = np.flatnonzero(~(shapely.is_missing(points) | shapely.is_empty(points)))
    row, line = shapely.STRtree(lines).query_nearest(points[there], max_distance=STREET_REACH_M, all_matches=False)
    found = np.full(len(points), None, dtype=object)
    found[there[row]] = lines[line]
    return found


def reidentified(masked: NDArray[np.object_], originals: NDArray[np.object_]) -> float:
    """Return the share of masked places whose nearest original point is their own.

    Parameters
    ----------
    masked
        Areas or lines, in metres; missing where withheld. The middle of each stands for it.
    originals
        Points, same length.

    Returns
    -------
    Between 0 and 1; 0 when nothing is published. An original as near as another counts as found.

    Examples
    --------
    >>> points = shapely.points([[0, 0], [0, 0], [9, 0]])
    >>> float(reidentified(shapely.points([[1, 0], [1, 0], [1, 0]]), points))
    0.6666666666666666
    """
    there = np.flatnonzero(~shapely.is_missing(masked))
    known = np.flatnonzero(~shapely.is_missing(originals))
    if not there.size or not known.size:
        return 0.0
    middles = shapely.centroid(masked[there])
    nearest = shapely.STRtree(originals[known]).nearest(middles)
    shortest = shapely.distance(middles, originals[known][nearest])
    own = shapely.distance(middles, originals[there])
    return float(np.mean(own <= shortest + 1e-9))
