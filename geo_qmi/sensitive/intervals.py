"""How far could the value of a place move had other people come on the walk?

A bootstrap over people: whole participants are drawn again with replacement, with everything they said, never single
marks, because the marks of one person resemble each other. It measures who happened to come, not how the group was
invited: a walk without young people has no interval for young people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError
from geo_qmi.guards import require_columns
from geo_qmi.sensitive.inputs import FLOOR_PEOPLE

if TYPE_CHECKING:
    import geopandas as gpd


def intervals(
    cast: pd.DataFrame,
    *,
    places: gpd.GeoDataFrame,
    level: float = 0.9,
    n_draws: int = 999,
    seed: int = 20230515,
) -> pd.DataFrame:
    """Return a percentile interval of the value of each place, by drawing participants again.

    Parameters
    ----------
    cast
        As returned by `geo_qmi.sensitive.votes.votes` without `by`.
    places
        Those of `cast`.
    level
        Part of the draws inside the interval.
    n_draws
        Number of draws.
    seed
        Same seed, same interval.

    Returns
    -------
    DataFrame
        On the index of `places`: ``low``, ``high``; missing under five people.

    Raises
    ------
    InputError
        A level outside 0–1, fewer than 100 draws, votes kept apart by group.

    References
    ----------
    Efron and Tibshirani (1993), *An Introduction to the Bootstrap*, ch. 13 (percentile interval), the unit being the
    person.
    """
    require_columns(cast, ["place", "participant_id", "vote"], what="Votes")
    if not 0 < level < 1 or n_draws < 100:
        raise InputError("Intervalle : attendu un niveau entre 0 et 1 et au moins 100 tirages.")
    if cast.duplicated(["place", "participant_id"]).any():
        raise InputError("Votes : une personne vote deux fois au même lieu. Recalculez-les sans séparer par groupe.")
    people = pd.Index(cast["participant_id"].unique()).sort_values()
    counts = cast["place"].value_counts()
    kept = places.index[places.index.isin(counts.index[counts >= FLOOR_PEOPLE])]
    table = pd.DataFrame(np.nan, index=places.index, columns=["low", "high"])
    if kept.empty:
        return table
    told = cast[cast["place"].isin(kept)]
    who, where = people.get_indexer(told["participant_id"]), kept.get_indexer(told["place"])
    spoke = np.zeros((len(people), len(kept)))
    said = np.zeros_like(spoke)
    spoke[who, where] = 1.0
    said[who, where] = told["vote"]
    drawn = np.random.default_rng(seed).multinomial(len(people), np.full(len(people), 1 / len(people)), size=n_draws)
    heard = drawn @ spoke
    with np.errstate(invalid="ignore"):
        means = (drawn @ said) / heard
    # A draw without anybody who spoke there (under 1 % of them from five people on) says nothing of the place.
    table.loc[kept] = np.nanquantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0).T
    return table
