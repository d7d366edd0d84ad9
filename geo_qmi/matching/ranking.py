"""In which order do the districts suit a project, and how often does the real host come first?

Ranks are read project by project. The check against real hosts is a description of the past: hosts were chosen by
negotiation, so it measures agreement with what happened, not the truth of a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, shown
from geo_qmi.guards import require_columns, require_ids


@dataclass(frozen=True, slots=True)
class HostsFound:
    """How many projects have their real host at the top, beside chance.

    Attributes
    ----------
    n, n_districts
        Projects with a known host, and districts among which each could have gone.
    first, top_two
        Projects whose host ranks first, or at most second. Ties count against: a host level with another is second.
    expected_first, expected_top_two
        The same when ties, and unknown scores, are settled by lot: expected number.
    chance_first, chance_top_two
        Expected number of a draw at random among the districts.
    """

    n: int
    n_districts: int
    first: int
    top_two: int
    expected_first: float
    expected_top_two: float
    chance_first: float
    chance_top_two: float


def ranks(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the rank of each district for each project: 1 is the best, ties take the best rank of their group.

    Parameters
    ----------
    scores
        Projects × districts, as returned by `geo_qmi.matching.score`.

    Returns
    -------
    DataFrame
        Same axes, ``Int64``; missing where the score is unknown.
    """
    return _ranked(scores).astype("Int64")


def _ranked(scores: pd.DataFrame) -> pd.DataFrame:
    """Return `ranks` as floats, NaN where the score is unknown."""
    return scores.rank(axis=1, ascending=False, method="min")


def score_rows(scores: pd.DataFrame, *, plan: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the matrix as a long frame.

    Parameters
    ----------
    scores
        Projects × districts.
    plan
        Columns ``project_id``, ``district_id``; nobody is assigned by default.

    Returns
    -------
    DataFrame
        Table ``scores``: ``project_id``, ``district_id``, ``score``, ``rank``, ``assigned``; sorted by identifiers.
    """
    ordered = scores.sort_index(axis=0).sort_index(axis=1)
    n_projects, n_districts = ordered.shape
    chosen = set() if plan is None else set(zip(plan["project_id"], plan["district_id"], strict=True))
    pairs = product(ordered.index.tolist(), ordered.columns.tolist())
    return pd.DataFrame(
        {
            "project_id": ordered.index.astype("str").repeat(n_districts),
            "district_id": ordered.columns.astype("str").take(np.tile(np.arange(n_districts), n_projects)),
            "score": ordered.to_numpy(dtype="float64").ravel(),
            "rank": pd.array(_ranked(ordered).to_numpy().ravel(), dtype="Int64"),
            "assigned": pd.array([pair in chosen for pair in pairs], dtype="boolean"),
        }
    )


def hosts_found(scores: pd.DataFrame, hosts: pd.DataFrame) -> HostsFound:
    """Return how many projects of `hosts` have their real district at rank 1, and at rank 1 or 2.

    Parameters
    ----------
    scores
        Projects × districts.
    hosts
        Columns ``project_id``, ``district_id``; projects absent from `scores` and rows without a district are left
        out of the count.

    Raises
    ------
    InputError
        A missing column, a project with two hosts, or a host that is not among the districts of `scores`.
    """
    require_columns(hosts, ["project_id", "district_id"], what="Quartiers d’accueil")
    known = hosts.dropna(subset=["district_id"])
    known = known[known["project_id"].isin(scores.index)]
    require_ids(known["project_id"], what="Quartiers d’accueil")
    absent = sorted(set(known["district_id"]) - set(scores.columns))
    if absent:
        raise InputError(
            f"Quartiers d’accueil : « {shown(absent[0])} » n’est pas parmi les quartiers comparés : "
            f"{', '.join(map(str, scores.columns))}."
        )
    n, n_districts = len(known), scores.shape[1]
    rows = scores.to_numpy(dtype="float64")[scores.index.get_indexer(pd.Index(known["project_id"]))]
    mine = rows[np.arange(n), scores.columns.get_indexer(pd.Index(known["district_id"]))][:, None]
    unsettled = np.isnan(rows).any(axis=1)
    above = np.where(unsettled, 0, (rows > mine).sum(axis=1))
    level = np.where(unsettled, n_districts, (rows == mine).sum(axis=1))
    expected = {top: sum(np.clip((top - above) / level, 0.0, 1.0).tolist()) for top in (1, 2)}
    return HostsFound(
        n=n,
        n_districts=n_districts,
        first=int((above + level <= 1).sum()),
        top_two=int((above + level <= 2).sum()),
        expected_first=expected[1],
        expected_top_two=expected[2],
        chance_first=n * min(1, n_districts) / max(1, n_districts),
        chance_top_two=n * min(2, n_districts) / max(1, n_districts),
    )
