"""Which new crossing would reconnect most people?

Each candidate is opened alone, at three walking speeds: an order that does not survive a fifth more or less of speed is
flagged. Costs, land and works are not weighed, nor what two candidates would bring together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, shown
from geo_qmi.geo import require_metres
from geo_qmi.network import minutes_to, snap
from geo_qmi.network.crossings import links
from geo_qmi.network.snapping import barrier_ids
from geo_qmi.severance.sides import OFFSET_M, STEP_M, Homes, Sides, facing_places, homes_of, places, weighted_median

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo_qmi.network import Ground
    from geo_qmi.network.crossings import Link

#: Walking speeds tried before an order of candidates is called stable.
_SPEEDS = {"slow": 0.8, "usual": 1.0, "fast": 1.2}
#: What is told of each candidate at each speed.
_GAINS = ("people_reconnected", "person_minutes_saved", "people_first_way", "median_saved_min")


def rank_crossings(
    ground: Ground,
    barriers: gpd.GeoDataFrame,
    *,
    candidates: gpd.GeoDataFrame,
    population: gpd.GeoDataFrame,
    minutes: float = 15.0,
    step_m: float = STEP_M,
    offset_m: float = OFFSET_M,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> pd.DataFrame:
    """Return candidate crossings, the one that reconnects most people first, each opened alone.

    Parameters
    ----------
    candidates
        Points on, or lines across, one barrier each: ``crossing_id``, ``barrier_id``.
    ground, barriers, population, minutes, step_m, offset_m
        See `severance`; `ground` holds the crossings that exist already.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.

    Returns
    -------
    DataFrame
        Index ``crossing_id``, in order: ``rank``, ``barrier_id``, ``people_reconnected`` (cut off before, within the
        walk after), ``person_minutes_saved`` (people near who had a way before), ``people_first_way`` (who had none),
        ``median_saved_min`` (of those who save), ``rank_slow`` and ``rank_fast`` (walking 20 % slower and faster),
        ``stable`` (one rank at the three speeds), ``reason`` (why a candidate cannot be opened; it has no rank then).
    """
    require_metres(candidates, what="les franchissements envisagés")
    for column in ("crossing_id", "barrier_id"):
        if column not in candidates or candidates[column].isna().any():
            raise InputError(f"Franchissements envisagés : colonne « {column} » absente ou incomplète ; renseignez-la.")
    ids = barrier_ids(barriers)
    unknown = sorted(set(candidates["barrier_id"]) - set(ids))
    if unknown:
        raise InputError(f"Franchissements envisagés : coupure inconnue « {shown(unknown[0])} ».")
    homes = homes_of(ground, population)
    rows: list[dict[str, object]] = []
    opened = links(ground, candidates)
    for barrier, mine in candidates.reset_index(drop=True).groupby("barrier_id"):
        announce(f"Marche de part et d’autre de {shown(barrier)}", len(rows) / len(candidates))
        row = int(np.flatnonzero(ids == barrier)[0])
        shape = barriers.geometry.iloc[row]
        facing = facing_places(shape, step_m=step_m, offset_m=offset_m)
        landings = (snap(ground, places(facing.left)), snap(ground, places(facing.right)))
        there = Sides(ground, homes, shape, facing, landings=landings)
        for place, crossing in mine["crossing_id"].items():
            announce(f"Franchissement {len(rows) + 1} sur {len(candidates)}", len(rows) / len(candidates))
            found = {"crossing_id": crossing, "barrier_id": barrier, "reason": opened[place].reason}
            rows.append(found | _gains(ground, homes, there, opened[place], minutes=minutes))
    names = [f"{name}_{speed}" for speed in _SPEEDS for name in _GAINS]
    columns = ["crossing_id", "barrier_id", "reason", *names]
    return _ranked(pd.DataFrame(rows, columns=columns).set_index("crossing_id"))


def _gains(ground: Ground, homes: Homes, there: Sides, link: Link, *, minutes: float) -> dict[str, float]:
    """Return what opening one crossing brings, at each walking speed."""
    found = {f"{name}_{speed}": np.nan for speed in _SPEEDS for name in _GAINS}
    if link.reason:
        return found
    after = there.walk_min.copy()
    for sign in (1, -1):
        mine = np.flatnonzero((there.side == sign) & (homes.node >= 0))
        # A walk uses the new link once at most: to one of its ends, through it, then on as before.
        for here, beyond in ((0, 1), (1, 0)):
            landing = _beyond(ground, there.to_other[sign], link, end=beyond)
            nodes, far = link.joined[here]
            joined = pd.DataFrame({"node": nodes, "access_m": far, "reason": ""})
            to_link = minutes_to(ground, joined)[homes.node[mine]]
            through = homes.access_min[mine] + to_link + link.metres / ground.walk_m_min + landing
            after[mine] = np.fmin(after[mine], through)
    for speed, factor in _SPEEDS.items():
        figures = _gain(homes.people, there, after, ground.walk_m_min, factor=factor, minutes=minutes)
        found |= {f"{name}_{speed}": value for name, value in zip(_GAINS, figures, strict=True)}
    return found


def _beyond(ground: Ground, to_other: NDArray[np.float64], link: Link, *, end: int) -> float:
    """Return the walk from one end of a link to the nearest place of the other side."""
    nodes, far = link.joined[end]
    return float((to_other[nodes] + far / ground.walk_m_min).min())


def _gain(
    people: NDArray[np.float64],
    there: Sides,
    after_min: NDArray[np.float64],
    walk_m_min: float,
    *,
    factor: float,
    minutes: float,
) -> tuple[float, float, float, float]:
    """Return people reconnected, minutes saved by all, people given a first way, and the median saving."""
    before, after = there.walk_min / factor, after_min / factor
    close = there.straight_m / (walk_m_min * factor) <= minutes
    reconnected = close & (before > minutes) & (after <= minutes)
    had_way = close & np.isfinite(before)
    saved = np.where(had_way, before - np.where(had_way, after, 0), 0)
    first = close & np.isinf(before) & np.isfinite(after)
    saving = saved > 1e-9
    return (
        float(people[reconnected].sum()),
        float((saved * people).sum()),
        float(people[first].sum()),
        weighted_median(saved[saving], people[saving]),
    )


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates in order, with their rank at each speed."""
    ranks = {}
    for speed in _SPEEDS:
        opened = frame[frame["reason"] == ""]
        # Rounded so that the noise of a sum cannot decide between two candidates; then by id, never by row.
        keys = opened[[f"people_reconnected_{speed}", f"person_minutes_saved_{speed}"]].round(6)
        order = keys.assign(id=keys.index.astype(str)).sort_values(
            [*keys.columns, "id"], ascending=[False, False, True]
        )
        ranks[speed] = pd.Series(range(1, len(order) + 1), index=order.index, dtype="Int64").reindex(frame.index)
    result = frame[[name for name in frame.columns if not str(name).endswith(("_slow", "_fast"))]]
    result = result.rename(columns=lambda name: name.removesuffix("_usual"))
    result.insert(0, "rank", ranks["usual"])
    result = result.assign(rank_slow=ranks["slow"], rank_fast=ranks["fast"])
    result["stable"] = (result["rank"] == result["rank_slow"]) & (result["rank"] == result["rank_fast"])
    return result.sort_index().sort_values("rank", kind="stable", na_position="last")
