"""Which commune is taken for which, when a reader of texts has to find the real host?

Two ways to guess a host, neither fitted to it. *By needs*: the best score of a project among the districts. *By
neighbours*, leave-one-out: the district whose other projects resemble this one most, the project itself taken out
before. Tables count real hosts against guesses, ties shared, and say what chance would give.

Hosts were negotiated; agreement with them is a description of the past, not the truth of a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.guards import require_columns, require_ids
from geo_qmi.matching.readers import offers_by
from geo_qmi.matching.scoring import strengths

if TYPE_CHECKING:
    from geo_qmi.matching.readers import ThemeReader


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Real hosts against guesses.

    Attributes
    ----------
    table
        Real district (rows) × guessed district (columns), and ``unknown``: expected number of projects, a tie shared
        equally among the districts level at the top.
    n, found, chance
        Projects with a known host, expected number guessed right, and what a draw at random gives.
    """

    table: pd.DataFrame
    n: int
    found: float
    chance: float


def confusion(scores: pd.DataFrame, hosts: pd.DataFrame) -> Confusion:
    """Return the confusion of the best guess of each project.

    Parameters
    ----------
    scores
        Projects × districts; a row that is all missing is a guess nobody made.
    hosts
        ``project_id``, ``district_id``; rows without a district, or absent from `scores`, are left out.
    """
    require_columns(hosts, ["project_id", "district_id"], what="Quartiers d’accueil")
    known = hosts.dropna(subset=["district_id"])
    known = known[known["project_id"].isin(scores.index) & known["district_id"].isin(scores.columns)]
    require_ids(known["project_id"], what="Quartiers d’accueil")
    districts = sorted(map(str, scores.columns))
    table = pd.DataFrame(0.0, index=pd.Index(districts, name="real"), columns=[*districts, "unknown"])
    found = 0.0
    for project_id, real in zip(known["project_id"], known["district_id"], strict=True):
        row = scores.loc[project_id]
        top = [] if row.isna().all() else list(row.index[row == row.max()])
        for guess in top or ["unknown"]:
            table.loc[real, guess] += 1 / max(1, len(top))
        found += (real in top) / max(1, len(top))
    return Confusion(table, len(known), found, len(known) / max(1, len(districts)))


def neighbour_scores(offers: pd.DataFrame, hosts: pd.DataFrame) -> pd.DataFrame:
    """Return how much each project resembles the *other* projects of each district.

    Parameters
    ----------
    offers
        Table ``offers``.
    hosts
        ``project_id``, ``district_id``.

    Returns
    -------
    DataFrame
        Projects × districts: mean cosine with the projects of the district, the project itself left out; NaN where the
        project says nothing, or no other project of the district does.
    """
    known = hosts.dropna(subset=["district_id"]).sort_values("project_id")
    require_ids(known["project_id"], what="Quartiers d’accueil")
    cells = strengths(offers)
    table = pd.DataFrame(cells.shares, index=cells.ids).reindex(known["project_id"], fill_value=0.0).to_numpy()
    lengths = np.linalg.norm(table, axis=1)
    directions = table / np.where(lengths > 0, lengths, 1.0)[:, None]
    near = directions @ directions.T
    np.fill_diagonal(near, 0.0)
    said = lengths > 0
    districts = sorted(known["district_id"].unique())
    columns = {}
    for district in districts:
        here = (known["district_id"] == district).to_numpy() & said
        others = here.sum() - here.astype(int)
        with np.errstate(invalid="ignore", divide="ignore"):
            columns[district] = np.where(said & (others > 0), near[:, here].sum(axis=1) / others, np.nan)
    return pd.DataFrame(columns, index=pd.Index(known["project_id"], name="project_id"))


def leave_one_out(
    reader: ThemeReader, projects: pd.DataFrame, hosts: pd.DataFrame, *, tags: pd.DataFrame | None = None
) -> Confusion:
    """Return how often the other projects of a commune, as `reader` reads them, point to the real host.

    Parameters
    ----------
    reader
        The lexicon, or any other plug (see `geo_qmi.matching.readers`).
    projects
        ``project_id`` and texts.
    hosts
        ``project_id``, ``district_id``.
    tags
        ``project_id``, ``tag``, where there are some.

    Returns
    -------
    Confusion
        With the chance of a draw at random beside it; compare two readers on the same projects only.
    """
    known = hosts.dropna(subset=["district_id"])
    return confusion(neighbour_scores(offers_by(reader, projects, tags=tags), known), known)
