"""Which single question, put to one project, would settle the most comparisons?

Two projects are undecided in a district while their intervals meet. For each empty cell of a dossier every answer that
could change something is tried; a comparison is *settled* when the two intervals no longer meet, whatever the answer.
Questions are listed by how many comparisons they settle for sure, then by how many they may settle.

It tries answers one cell at a time: two questions asked together can settle more. It advises nobody to drop a project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_qmi.errors import shown
from geo_qmi.matching.feasibility import NEED_WORDS
from geo_qmi.schema.calls import GROUNDS, SEASONS, SUPPORTS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo_qmi.matching.criteria import Appraisal

#: Empty cell → what is asked.
ASKED = {**NEED_WORDS, "months": "la durée de mesure", "season": "la saison de mesure"}
_COLUMNS = ["project_id", "field", "settled", "may_settle", "question"]
_CODES = {"need_ground": GROUNDS, "need_support": SUPPORTS, "season": SEASONS}
_PLACE_CELLS = {"need_area_m2": "area_m2", "need_sun_h": "sun_h", "testers": "people_in_reach"}
#: More months than any programme lasts: the worst answer to « how long? ».
_LONGEST_MONTHS = 120


def questions(appraisal: Appraisal, *, announce: Callable[[str, float], None] = lambda *_: None) -> pd.DataFrame:
    """Return the questions worth asking, the most useful first.

    Parameters
    ----------
    appraisal
        As returned by `geo_qmi.matching.criteria.appraise`.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.

    Returns
    -------
    DataFrame
        ``project_id``, ``field`` (empty column), ``settled`` (comparisons settled whatever the answer: other projects,
        district by district), ``may_settle`` (by the luckiest answer), ``question`` (French); sorted by both counts,
        then identifiers. Questions that can settle nothing are left out. Cells that are empty and declared silent are
        not asked.
    """
    announce("Réponses possibles", 0.0)
    frame = _tries(appraisal)
    if frame.empty:
        return pd.DataFrame(columns=_COLUMNS)
    announce("Scores sous chaque réponse", 0.1)
    tried = appraisal.yardstick.appraise(frame, offers=_copied(appraisal.offers, frame))
    asked = appraisal.applications
    names = dict(zip(asked["project_id"], asked["name"] if "name" in asked else asked["project_id"], strict=True))
    rows = []
    groups = frame.groupby(["_project", "_field"], sort=False)
    for n_seen, ((project_id, field), group) in enumerate(groups):
        announce(f"Question {n_seen + 1} sur {len(groups)}", 0.5 + 0.5 * n_seen / len(groups))
        counts = _settled(appraisal, tried, str(project_id), group["project_id"])
        settled, may = int(counts.all(axis=0).sum()), int(counts.any(axis=0).sum())
        if may:
            name = shown(names[str(project_id)])
            sentence = f"demander {ASKED[str(field)]} à {name} : départage {counted(settled, 'comparaison')} à coup sûr"
            rows.append((project_id, field, settled, may, f"{sentence}, {may} au mieux"))
    table = pd.DataFrame(rows, columns=_COLUMNS)
    order = table.assign(settled=-table["settled"], may_settle=-table["may_settle"])
    return table.loc[order.sort_values(_COLUMNS[2:4] + _COLUMNS[:2]).index].reset_index(drop=True)


def _tries(appraisal: Appraisal) -> pd.DataFrame:
    """Return one hypothetical dossier for each answer to each question, named « project|field|answer »."""
    asked = appraisal.applications
    fields = [name for name in ASKED if name in asked and name not in appraisal.rules.missing.silent]
    rows: list[dict[Any, Any]] = []
    for row in asked.to_dict("records"):
        for field in fields:
            if pd.isna(row[field]):
                for number, answer in enumerate(_answers(field, appraisal)):
                    key = f"{row['project_id']}|{field}|{number}"
                    told = {"project_id": key, field: answer, "_project": row["project_id"], "_field": field}
                    rows.append({**row, **told})
    if not rows:
        return pd.DataFrame(columns=["project_id", "_project", "_field"])
    columns = {name: pd.Series([row[name] for row in rows], dtype=object) for name in [*asked, "_project", "_field"]}
    return pd.DataFrame(columns)


def _answers(field: str, appraisal: Appraisal) -> list[Any]:
    """Return the answers that can make a difference: every code, yes and no, or each step a number can cross."""
    if field in _CODES:
        return list(_CODES[field])
    if field == "months":
        window = appraisal.rules.window
        held = window.months_total - window.months_before_deployment
        return [
            held,
            *(held / share for share in appraisal.rules.criterion("window").anchors if share > 0),
            _LONGEST_MONTHS,
        ]
    if field not in _PLACE_CELLS:
        return [True, False]
    if appraisal.places is None:
        return []
    there = pd.to_numeric(appraisal.places[_PLACE_CELLS[field]]).dropna().unique()
    most = float(max(there, default=0.0))
    return [0.0, *sorted(map(float, there)), most + 1.0]


def _copied(offers: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the offers of the projects under the names of their hypothetical dossiers."""
    names = frame[["_project", "project_id"]].rename(columns={"project_id": "_copy"}).astype("str")
    copied = offers.merge(names, left_on="project_id", right_on="_project")
    return copied.assign(project_id=copied["_copy"])[list(offers)]


def _settled(appraisal: Appraisal, tried: Appraisal, project_id: str, copies: pd.Series) -> NDArray[np.bool_]:
    """Return answers × comparisons: whether an undecided comparison of `project_id` becomes decided."""
    mine = appraisal.projects.get_loc(project_id)
    low, high = appraisal.low.to_numpy(), appraisal.high.to_numpy()
    meets = (low <= high[mine]) & (high >= low[mine])
    # Two equal points are a tie, and a tie is undecided too.
    meets[mine] = False
    where = tried.projects.get_indexer(pd.Index(copies))
    new_low, new_high = tried.low.to_numpy()[where], tried.high.to_numpy()[where]
    apart = (low[None] > new_high[:, None, :]) | (high[None] < new_low[:, None, :])
    return np.asarray((apart & meets[None]).reshape(len(copies), -1))
