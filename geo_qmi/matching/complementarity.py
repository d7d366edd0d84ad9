"""Does the project bring a district something its present projects do not?

Compared with projects that are *already there* (deployed, or fixed by the rules), never with the other candidates: a
score must not move when somebody else applies. Effects between candidates belong to the plan, as synergies and theme
bounds. Nothing here says whether two projects get on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.guards import require_columns
from geo_qmi.matching.scoring import strengths
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from numpy.typing import NDArray


def covered(present: pd.DataFrame, *, districts: pd.Index[str]) -> NDArray[np.float64]:
    """Return how far the present projects cover each theme: districts × themes, in [0, 1]; NaN without any project.

    Parameters
    ----------
    present
        ``district_id``, ``project_id``, ``theme``, ``strength``: the offers of the projects already there. Strengths
        of one theme add up to 1 at most: a theme fully carried by one project is covered.
    districts
        The rows.
    """
    require_columns(present, ["district_id", "project_id", "theme", "strength"], what="Projets présents")
    both = present["district_id"].astype("str") + " / " + present["project_id"].astype("str")
    cells = strengths(present.assign(project_id=both))
    homes = dict(zip(both, present["district_id"], strict=True))
    where = districts.get_indexer(pd.Index([homes[name] for name in cells.ids], dtype="str"))
    table = np.zeros((len(districts), len(THEMES)))
    np.add.at(table, where[where >= 0], cells.shares[where >= 0])
    table[~np.isin(np.arange(len(districts)), where)] = np.nan
    return np.minimum(1.0, table)


def novelty(shares: NDArray[np.float64], table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each project on themes not covered: projects × districts, NaN where a side is unknown.

    Parameters
    ----------
    shares
        Projects × themes.
    table
        As returned by `covered`.
    """
    totals = shares.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(totals[:, None] > 0, shares / totals[:, None], np.nan)
    columns = [(relative * (1.0 - row)).sum(axis=1) for row in table]
    return np.column_stack(columns) if columns else np.empty((len(shares), 0))
