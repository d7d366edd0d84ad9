"""What does a railway cost the people who live on either side of it?

One card a barrier: how many people could be on the other side within a walk if it were not there and are not, how much
longer the way round is between facing places (metres, minutes and climb, in separate columns: no single index), which
crossings exist and in what state, and what was said beside it. Nothing is drawn, and nothing says that a barrier should
be opened: need and fear of the other side are not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import InputError, shown
from geo_qmi.geo import require_metres
from geo_qmi.network import snap
from geo_qmi.network.routes import routes
from geo_qmi.network.snapping import Walls, barrier_ids
from geo_qmi.schema import CRS
from geo_qmi.severance.sides import (
    OFFSET_M,
    STEP_M,
    Homes,
    Sides,
    axis_of,
    facing_places,
    homes_of,
    places,
    weighted_median,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo_qmi.network import Ground

#: A verbatim within 50 m of a barrier was said beside it.
BESIDE_M = 50.0
#: A crossing within 40 m of a barrier is one of its crossings when its row does not name the barrier.
_ON_BARRIER_M = 40.0
#: Columns of a card between the name of the barrier and what says how it was measured.
_FIGURES = (
    *("pairs", "pairs_refused", "pairs_without_way", "detour_m", "detour_ratio", "delay_min", "climb_m"),
    *("people_near", "people_cut_off", "people_unplaced", "people_extra_m", "people_extra_min"),
    *("crossings", "crossings_assumed", "crossings_step_free", "nearest_crossing", "nearest_crossing_m"),
    *("verbatims", "verbatims_median_valence"),
)
#: Why a pair of facing places has no figure when the ground does not join them.
_NO_WAY = "aucun chemin d’un côté à l’autre"


@dataclass(frozen=True, slots=True, eq=False)
class Severance:
    """What barriers cost.

    Attributes
    ----------
    cards
        Index ``barrier_id``; see `severance` for the columns.
    pairs
        Facing places, one line a pair: ``barrier_id``, ``straight_m``, ``walk_m``, ``detour_m``, ``detour_ratio``,
        ``delay_min``, ``climb_m``, ``crossing_id``, ``reason`` (``""``, or why the pair has no figure).
    crossings
        Inventory by barrier, the nearest to its middle first: the columns given, ``distance_m`` and ``reason`` (why
        the ground could not open it, else ``""``).
    verbatims
        Observations beside each barrier: ``barrier_id``, ``distance_m`` and the columns given.
    """

    cards: pd.DataFrame
    pairs: gpd.GeoDataFrame
    crossings: pd.DataFrame
    verbatims: pd.DataFrame


def severance(
    ground: Ground,
    barriers: gpd.GeoDataFrame,
    *,
    population: gpd.GeoDataFrame | None = None,
    observations: gpd.GeoDataFrame | None = None,
    minutes: float = 15.0,
    step_m: float = STEP_M,
    offset_m: float = OFFSET_M,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Severance:
    """Return what each barrier costs the people on either side.

    Parameters
    ----------
    ground
        Walking ground with its declared crossings opened (``Ground.links`` is the inventory).
    barriers
        Table ``barriers``: lines or areas in EPSG:2154, one card each.
    population
        Points or zones in EPSG:2154 with a column ``population``; a zone counts at one point of its own.
    observations
        Table ``observations``; rows without a place are not beside anything.
    minutes
        Walk within which the other side is called near.
    step_m, offset_m
        Spacing of the facing places, and their distance to the barrier.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.

    Returns
    -------
    Severance
        Columns of its ``cards``: ``length_m``; ``pairs``, ``pairs_refused`` (a place that joins no ground),
        ``pairs_without_way``; medians over the pairs that have a way: ``detour_m``, ``detour_ratio``, ``delay_min``,
        ``climb_m`` (NaN where no height is known); ``people_near`` (the other side is within the walk as the crow
        flies), ``people_cut_off`` (of them, those for whom it is not on foot), ``people_unplaced`` (joined to no
        ground, counted nowhere else), ``people_extra_m`` and ``people_extra_min`` (medians by person); the columns of
        people are missing without `population`;
        ``crossings``, ``crossings_assumed``, ``crossings_step_free``, ``nearest_crossing``, ``nearest_crossing_m``;
        ``verbatims`` (missing without `observations`), ``verbatims_median_valence``; ``minutes``, ``ground``, ``demo``
        (whether made-up rows were used).

    Raises
    ------
    CrsError
        A layer is not in Lambert-93.
    InputError
        A barrier without shape or length, or an identifier given twice; a duration or a spacing that is not positive.

    Notes
    -----
    After Héran's terms of severance (*délai, détour, dénivelé*), kept apart.
    """
    require_metres(barriers, what="les coupures")
    if not minutes > 0 or not step_m > 0 or not offset_m > 0:
        raise InputError(f"Coupures : durée {minutes}, pas {step_m} et recul {offset_m} doivent être positifs.")
    ids = _measurable(barriers)
    announce("Lieux en vis-à-vis", 0.0)
    facing = [facing_places(shape, step_m=step_m, offset_m=offset_m) for shape in barriers.geometry]
    owner = np.repeat(np.arange(len(ids)), [len(one.left) for one in facing])
    left = np.concatenate([np.zeros((0, 2)), *(one.left for one in facing)])
    right = np.concatenate([np.zeros((0, 2)), *(one.right for one in facing)])
    from_, to = snap(ground, places(left)), snap(ground, places(right))
    lines = np.asarray(shapely.linestrings(np.stack([left, right], axis=1)), dtype=object)
    other = _crosses_another(barriers, ids, owner, lines)
    pairs = _pairs(ground, from_, to, barrier=ids[owner], lines=lines, other=other)
    inventory = _inventory(ground, barriers, ids)
    verbatims = _beside(barriers, ids, observations)
    homes = None if population is None else homes_of(ground, population)
    figures = pd.DataFrame(pairs.drop(columns="geometry"))
    rows = []
    for row, one in enumerate(ids):
        announce(f"Coupure {shown(one)}, {row + 1} sur {len(ids)}", (row + 1) / (len(ids) + 1))
        mine = owner == row
        shape, landings = barriers.geometry.iloc[row], (from_[mine], to[mine])
        there = None if homes is None else Sides(ground, homes, shape, facing[row], landings=landings)
        rows.append(
            _pairs_card(figures[mine])
            | _people_card(homes, there, walk_m_min=ground.walk_m_min, minutes=minutes)
            | _inventory_card(inventory[inventory["barrier_id"] == one])
            | _verbatims_card(verbatims[verbatims["barrier_id"] == one], known=observations is not None)
        )
    cards = pd.DataFrame(rows, index=pd.Index(ids, name="barrier_id"), columns=list(_FIGURES))
    cards.insert(0, "length_m", barriers.geometry.length.to_numpy())
    for column in ("name", "kind"):
        if column in barriers:
            cards.insert(0, column, barriers[column].to_numpy())
    cards["minutes"], cards["ground"] = minutes, ground.label
    used = [frame for frame in (population, observations, ground.links) if frame is not None and "demo" in frame]
    cards["demo"] = any(bool(frame["demo"].fillna(value=False).any()) for frame in used)
    return Severance(cards, pairs, inventory, verbatims)


def _measurable(barriers: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the identifiers of barriers that each have two sides, or raise `InputError`."""
    ids, shapes = barrier_ids(barriers), np.asarray(barriers.geometry, dtype=object)
    twice = pd.Index(ids).duplicated()
    if twice.any():
        raise InputError(
            f"Coupures refusées : « {shown(ids[twice][0])} » présente plusieurs fois. Donnez un identifiant à chacune."
        )
    # The length of an area is its outline; a point and a missing shape have none.
    flat = shapely.is_missing(shapes) | ~(shapely.length(shapes) > 0)
    if flat.any():
        named = ", ".join(f"« {shown(one)} »" for one in ids[flat][:5])
        raise InputError(
            f"Coupures refusées : {int(flat.sum())} sans tracé ni longueur ({named}) ; attendu des lignes ou des "
            "surfaces. Dessinez-les ou retirez-les."
        )
    return ids


def _pairs(
    ground: Ground,
    from_: pd.DataFrame,
    to: pd.DataFrame,
    *,
    barrier: NDArray[np.object_],
    lines: NDArray[np.object_],
    other: NDArray[np.bool_],
) -> gpd.GeoDataFrame:
    """Return every pair of facing places with the walk between them; `other` tells those whose line is cut again."""
    walked = routes(ground, from_, to)
    straight = shapely.length(lines)
    metres, minutes, climb = (walked[name].to_numpy() for name in ("metres", "minutes", "climb_m"))
    reason = from_["reason"].to_numpy(dtype=object)
    reason = np.where(reason == "", to["reason"].to_numpy(dtype=object), reason)
    reason[np.isinf(metres)] = _NO_WAY
    reason[other] = "une autre coupure passe entre les deux"
    known = reason == ""
    walk = np.where(known, metres, np.nan)
    return gpd.GeoDataFrame(
        {
            "barrier_id": barrier,
            "straight_m": straight,
            "walk_m": walk,
            "detour_m": walk - straight,
            "detour_ratio": walk / straight,
            "delay_min": np.where(known, minutes, np.nan) - straight / ground.walk_m_min,
            "climb_m": np.where(known, climb, np.nan),
            "crossing_id": walked["crossing"],
            "reason": pd.array(reason, dtype="str"),
        },
        geometry=lines,
        crs=CRS,
    )


def _crosses_another(
    barriers: gpd.GeoDataFrame, ids: NDArray[np.object_], owner: NDArray[np.intp], lines: NDArray[np.object_]
) -> NDArray[np.bool_]:
    """Tell which lines between facing places cross a barrier that is not theirs."""
    walls = Walls(barriers)
    row, wall = walls.tree.query(lines, predicate="intersects") if len(walls.shapes) else (np.zeros(0, int),) * 2
    crossed = np.zeros(len(lines), dtype=bool)
    crossed[row[walls.ids[wall] != ids[owner[row]]]] = True
    return crossed


def _pairs_card(pairs: pd.DataFrame) -> dict[str, object]:
    """Return the figures of facing places."""
    reason = pairs["reason"].to_numpy(dtype=object)
    used, without = reason == "", int((reason == _NO_WAY).sum())
    medians = {
        name: _median(pairs[name].to_numpy()[used]) for name in ("detour_m", "detour_ratio", "delay_min", "climb_m")
    }
    return {
        "pairs": len(pairs),
        "pairs_refused": len(pairs) - int(used.sum()) - without,
        "pairs_without_way": without,
        **medians,
    }


def _median(values: NDArray[np.float64]) -> float:
    """Return the median of the known values; NaN without any."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else np.nan


def _people_card(
    homes: Homes | None, there: Sides | None, *, walk_m_min: float, minutes: float
) -> dict[str, object]:  # fmt: skip
    """Return the figures of people."""
    names = ("people_near", "people_cut_off", "people_unplaced", "people_extra_m", "people_extra_min")
    if homes is None or there is None:
        return dict.fromkeys(names, np.nan)
    straight_min = there.straight_m / walk_m_min
    close = straight_min <= minutes
    placed = close & (homes.node >= 0)
    cut_off = placed & (there.walk_min > minutes)
    with_way = placed & np.isfinite(there.walk_min)
    extra = there.walk_min[with_way] - straight_min[with_way]
    extra_min = weighted_median(extra, homes.people[with_way])
    return {
        "people_near": float(homes.people[placed].sum()),
        "people_cut_off": float(homes.people[cut_off].sum()),
        "people_unplaced": float(homes.people[close & (homes.node < 0)].sum()),
        "people_extra_m": extra_min * walk_m_min,
        "people_extra_min": extra_min,
    }


def _inventory(ground: Ground, barriers: gpd.GeoDataFrame, ids: NDArray[np.object_]) -> pd.DataFrame:
    """Return the declared crossings of each barrier, the nearest to its middle first."""
    if ground.links is None:
        return pd.DataFrame({"barrier_id": [], "crossing_id": [], "distance_m": [], "reason": []})
    links, ends = ground.links, _link_places(ground)
    named = links["barrier_id"] if "barrier_id" in links else pd.Series(None, links.index)
    nameless = named.isna().to_numpy()
    mine, metres = [], []
    for one, shape in zip(ids, barriers.geometry, strict=True):
        beside = shapely.distance(ends, shape) <= _ON_BARRIER_M
        rows = np.flatnonzero((named == one).to_numpy(dtype=bool, na_value=False) | (nameless & beside))
        axis = axis_of(shape)
        middle = shapely.line_interpolate_point(axis, axis.length / 2)
        far = shapely.distance(ends[rows], middle)
        order = pd.DataFrame({"far": far, "id": links["crossing_id"].to_numpy()[rows]}).sort_values(["far", "id"]).index
        mine.append(rows[order])
        metres.append(far[order])
    owner = np.repeat(ids, [len(rows) for rows in mine])
    listed = links.iloc[np.concatenate([np.zeros(0, np.intp), *mine])].reset_index(drop=True)
    return listed.assign(barrier_id=owner, distance_m=np.concatenate([np.zeros(0), *metres]))


def _link_places(ground: Ground) -> NDArray[np.object_]:
    """Return each declared crossing as one point: the middle of its link; none where it could not be opened."""
    n_links = 0 if ground.links is None else len(ground.links)
    places = np.full(n_links, None, dtype=object)
    crossing = ground.edges["crossing"].to_numpy()
    for row in range(n_links):
        mine = ground.ends[crossing == row]
        if len(mine):
            # The link itself is the last of its edges; the others join it to the ground.
            places[row] = shapely.Point(ground.xy[mine[-1]].mean(axis=0))
    return places


def _inventory_card(inventory: pd.DataFrame) -> dict[str, object]:
    """Return the figures of crossings."""
    opened = inventory[inventory["reason"] == ""]

    def count(column: str, value: object) -> int | float:
        return int((opened[column] == value).fillna(value=False).sum()) if column in opened else np.nan

    return {
        "crossings": len(opened),
        "crossings_assumed": count("status", "assumed"),
        "crossings_step_free": count("step_free", True),
        "nearest_crossing": opened["crossing_id"].iloc[0] if len(opened) else None,
        "nearest_crossing_m": float(opened["distance_m"].iloc[0]) if len(opened) else np.nan,
    }


def _beside(
    barriers: gpd.GeoDataFrame, ids: NDArray[np.object_], observations: gpd.GeoDataFrame | None
) -> pd.DataFrame:
    """Return the observations beside each barrier, the nearest first."""
    if observations is None:
        return pd.DataFrame({"barrier_id": [], "distance_m": []})
    require_metres(observations, what="les observations")
    walls = np.asarray(barriers.geometry, dtype=object)
    shapes = np.asarray(observations.geometry, dtype=object)
    row, wall = shapely.STRtree(walls).query(shapes, predicate="dwithin", distance=BESIDE_M)
    found: pd.DataFrame = pd.DataFrame(observations.drop(columns=observations.geometry.name)).iloc[row]
    found.insert(0, "barrier_id", ids[wall])
    found.insert(1, "distance_m", shapely.distance(shapes[row], walls[wall]))
    return found.sort_values(["barrier_id", "distance_m"], kind="stable", ignore_index=True)


def _verbatims_card(verbatims: pd.DataFrame, *, known: bool) -> dict[str, object]:
    """Return the figures of what was said beside a barrier."""
    median = verbatims["valence"].median() if known and "valence" in verbatims and len(verbatims) else np.nan
    return {
        "verbatims": len(verbatims) if known else np.nan,
        "verbatims_median_valence": np.nan if pd.isna(median) else float(median),
    }
