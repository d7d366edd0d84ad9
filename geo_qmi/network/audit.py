"""Can the ground be trusted: does it cross a barrier nobody declared, and does its edge change the result?

Two checks to run before and after computing. `phantom_bridges` lists edges that cross a barrier where no crossing is
declared; `edge_effect` runs a computation on a wider area and says whether the answer moves. Neither repairs anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.geo import require_metres
from geo_qmi.network.snapping import barrier_ids, levels_of
from geo_qmi.network.speeds import WALK_KMH, metres_a_minute, walking_time
from geo_qmi.schema import CRS
from geo_qmi.wording import agreed, counted, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo_qmi.network.ground import Ground

#: A declared crossing within this distance accounts for an edge: the barrier is drawn by its axis.
_DECLARED_M = 30.0


def phantom_bridges(
    ground: Ground,
    barriers: gpd.GeoDataFrame,
    *,
    crossings: gpd.GeoDataFrame | None = None,
    within_m: float = _DECLARED_M,
) -> gpd.GeoDataFrame:
    """Return the edges that cross a barrier where no crossing is declared.

    Parameters
    ----------
    barriers
        Lines or areas in EPSG:2154.
    crossings
        The inventory; a crossing accounts for the edges that cross its barrier within `within_m` of it.

    Returns
    -------
    GeoDataFrame
        One row an edge and barrier: ``edge`` (row of ``ground.edges``), ``barrier_id``, ``level``, ``verdict`` (French:
        at the level of the barrier, hence suspect, or on another level, hence a bridge or tunnel missing from the
        inventory) and the place, a point. Empty when all is declared.
    """
    require_metres(barriers, what="les coupures")
    drawn = ground.lines()
    walls = np.asarray(barriers.geometry, dtype=object)
    wall, edge = shapely.STRtree(drawn).query(walls, predicate="intersects")
    undeclared = ground.edges["crossing"].to_numpy()[edge] < 0
    wall, edge = wall[undeclared], edge[undeclared]
    place = shapely.centroid(shapely.intersection(walls[wall], drawn[edge]))
    ids, level = barrier_ids(barriers)[wall], ground.edges["level"].to_numpy()[edge]
    same = level == levels_of(barriers)[wall]
    frame = gpd.GeoDataFrame(
        {
            "edge": edge,
            "barrier_id": ids,
            "level": level,
            "verdict": np.where(
                same,
                "franchit la coupure à son niveau sans franchissement déclaré",
                "pont ou tunnel absent de l’inventaire des franchissements",
            ),
        },
        geometry=place,
        crs=CRS,
    ).sort_values(["barrier_id", "edge"], ignore_index=True)
    return frame if crossings is None else _left(frame, crossings, within_m=within_m)


def _left(frame: gpd.GeoDataFrame, crossings: gpd.GeoDataFrame, *, within_m: float) -> gpd.GeoDataFrame:
    """Return the rows no crossing accounts for."""
    require_metres(crossings, what="les franchissements")
    tree = shapely.STRtree(np.asarray(crossings.geometry, dtype=object))
    row, crossing = tree.query(np.asarray(frame.geometry, dtype=object), predicate="dwithin", distance=within_m)
    if "barrier_id" in crossings:
        owner = crossings["barrier_id"].to_numpy(dtype=object)[crossing]
        accounted = pd.isna(owner) | (owner == frame["barrier_id"].to_numpy()[row])
        row = row[accounted]
    return frame.drop(index=np.unique(row)).reset_index(drop=True)


def study_buffer_m(minutes: float, *, walk_kmh: float = WALK_KMH) -> float:
    """Return how far ground is needed around a perimeter for walks of so many minutes not to be cut short.

    A shortest walk of T minutes between two places of the perimeter stays within half of T of one of them; twice that,
    the whole of T, also lets the walk out and back from any place on the rim.

    Raises
    ------
    InputError
        The time is not a positive number, or nobody walks at that speed.

    Examples
    --------
    >>> study_buffer_m(15)
    1200.0
    """
    return walking_time(minutes) * metres_a_minute(walk_kmh)


def edge_effect(
    compute: Callable[[float], pd.Series[float]], *, buffer_m: float, extra_m: float = 2000.0, tolerance: float = 0.0
) -> tuple[pd.Series[float], str]:
    """Run a computation on a study area and on a wider one, and say whether the answer moves.

    Parameters
    ----------
    compute
        Margin in metres → result, on the same ids whatever the margin.
    buffer_m
        Margin of the study area.
    extra_m
        Margin added for the comparison.
    tolerance
        Difference that does not count, in the unit of the result.

    Returns
    -------
    result
        Of the margin `buffer_m`.
    warning
        A French sentence, or ``""`` when nothing moves.

    Examples
    --------
    >>> edge_effect(lambda margin: pd.Series({"Q1": min(margin, 1500.0)}), buffer_m=1000)[1]
    'Effet de bord : 1 résultat sur 1 change quand la marge passe de 1\u202f000 à 3\u202f000 m (« Q1 » : 1\u202f000 → \
1\u202f500). Élargissez la zone d’étude.'
    """
    result, wider = compute(buffer_m), compute(buffer_m + extra_m)
    wider = wider.reindex(result.index)
    same = (result == wider) | (result.isna() & wider.isna()) | ((result - wider).abs() <= tolerance)
    moved = result.index[~same]
    if not len(moved):
        return result, ""
    one, verb = moved[0], agreed(len(moved), "change", "changent")
    return result, (
        f"Effet de bord : {counted(len(moved), 'résultat')} sur {number(len(result))} {verb} quand la marge passe de "
        f"{number(buffer_m)} à {number(buffer_m + extra_m)} m (« {one} » : {number(result[one])} → "
        f"{number(wider[one])}). Élargissez la zone d’étude."
    )
