"""What is known of one test among all, and how is its profile drawn?

The page and the sheet show the same radar. Nothing is computed here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import charts
from geo_qmi.evaluation import NOT_EVALUATED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.charts import Chart
    from geo_qmi.evaluating.gathering import Evaluation

    #: One row of a frame: column → cell.
    Row = Mapping[Any, Any]

#: Where the five criteria and their levels are published.
_SOURCE = "003:L1228-1335"


def narrowed(whole: Evaluation, test: Row) -> Evaluation:
    """Return what an evaluation of all tests says of one of them and of the study; rows keep their index."""

    def mine(frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame["project_id"].eq(test["project_id"]) & frame["district_id"].eq(test["district_id"])
        return frame.loc[kept]

    marks, results, ident = whole.replicability, whole.outcomes, str(test["district_id"])
    leads = {_lead(row) for row in whole.tests.to_dict("records")} - {_lead(test)}
    about = [line for line in whole.warnings if not line.startswith(tuple(leads))]
    told = mine(results.indicators)
    return replace(
        whole,
        tests=mine(whole.tests),
        protocols=mine(whole.protocols),
        replicability=replace(marks, criteria=mine(marks.criteria), projects=mine(marks.projects)),
        outcomes=replace(results, indicators=told, protocols=mine(results.protocols)),
        lookalikes={one: near for one, near in whole.lookalikes.items() if one == ident},
        warnings=tuple(line.removeprefix(_lead(test)) for line in about),
        demo=bool(test["demo"]) or bool(told["demo"].any()),
    )


def _lead(test: Row) -> str:
    """Return how a warning on one test begins; of one test alone, its page says it."""
    return f"{test['project']}, {test['district']} : "


def radar(found: Evaluation, *, name: str) -> Chart:
    """Return the radar of one project, the five criteria in the order they are published.

    Parameters
    ----------
    found
        The evaluation of one project in one district.
    name
        Of the project, for the title.
    """
    rows = found.replicability.criteria.to_dict("records")
    return charts.radar(
        [_spoke(row) for row in rows],
        title=f"Profil de réplicabilité, « {name} »",
        credits=(f"critères et niveaux : {_SOURCE}", "notes de cette étude"),
        demo=any(bool(row["demo"]) for row in rows),
    )


def _spoke(row: Row) -> charts.Spoke:
    missing = row["missing"] if isinstance(row["missing"], str) else ""
    why = missing.removeprefix(NOT_EVALUATED).removeprefix(" : ")  # the chart says the word itself
    return charts.Spoke(
        str(row["criterion"]), _level(row["median"]), _level(row["lowest"]), _level(row["highest"]),
        n_raters=int(row["n_raters"]), meaning=row["meaning"] if isinstance(row["meaning"], str) else "", missing=why,
    )  # fmt: skip


def _level(cell: Any) -> int | None:
    return None if pd.isna(cell) else int(cell)
