"""In which order do the districts suit a project, and how often does the real host come first?

Ranks are read project by project. The check against real hosts is a description of the past: hosts were chosen by
negotiation, so it measures agreement with what happened, not the truth of a score.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    return scores.rank(axis=1, ascending=False, method="min").astype("Int64")


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
    long = pd.DataFrame(
        {
            "project_id": ordered.index.repeat(n_districts),
            "district_id": np.tile(ordered.columns, n_projects),
            "score": ordered.to_numpy(dtype="float64").ravel(),
            "rank": ranks(ordered).to_numpy(dtype="float64", na_value=np.nan).ravel(),
        }
    )
    chosen = set() if plan is None else set(zip(plan["project_id"], plan["district_id"], strict=True))
    pairs = zip(long["project_id"], long["district_id"], strict=True)
    long["assigned"] = pd.array([pair in chosen for pair in pairs], dtype="boolean")
    return long.astype({"project_id": "str", "district_id": "str", "rank": "Int64"})


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
    n_districts = scores.shape[1]
    first = top_two = 0
    expected = {1: 0.0, 2: 0.0}
    for project_id, district_id in zip(known["project_id"], known["district_id"], strict=True):
        row = scores.loc[project_id]
        mine = row[district_id]
        unsettled = bool(row.isna().any())
        above = 0 if unsettled else int((row > mine).sum())
        level = n_districts if unsettled else int((row == mine).sum())
        first += above + level <= 1
        top_two += above + level <= 2
        for top, total in expected.items():
            expected[top] = total + min(1.0, max(0, top - above) / level)
    n = len(known)
    return HostsFound(
        n=n,
        n_districts=n_districts,
        first=first,
        top_two=top_two,
        expected_first=expected[1],
        expected_top_two=expected[2],
        chance_first=n * min(1, n_districts) / max(1, n_districts),
        chance_top_two=n * min(2, n_districts) / max(1, n_districts),
    )
