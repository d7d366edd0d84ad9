"""Which plan would no project and district want to leave together?

The best plan may send a project to a district it wants less than another that would also rather have it: such a pair
*blocks* the plan. A *stable* plan has none. It is found by deferred acceptance (Gale and Shapley, 1962): projects
propose to the districts they rank, best first; a full district keeps those it ranks best. Projects get the best they
can have in any stable plan. Rankings may be partial (an absent pair is refused by whoever does not rank it) and hold
ties; ties are settled by lots drawn from identifiers, and a pair that is only level never blocks.

Traps. A stable plan takes no account of minima, themes or services: under strict rankings every stable plan fills
every district with the same number of projects (Roth, 1986), so no stable plan can mend a shortfall; it is stated.
With ties another settlement might fill more; finding the fullest is a hard problem and is not attempted. And a stable
plan is not the best total: `compare` shows both. Nothing here scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.matching.inputs import require_columns, require_ids
from geo_qmi.matching.optimum import lot
from geo_qmi.matching.program import SCORE_STEPS, checked_scores
from geo_qmi.matching.rule_model import Rules

if TYPE_CHECKING:
    from geo_qmi.matching.rule_model import Quotas

_COLUMNS = ["project_id", "district_id", "rank"]


@dataclass(frozen=True, slots=True, eq=False)
class StablePlan:
    """A plan that no pair blocks.

    Attributes
    ----------
    rows
        ``project_id``, ``district_id``, ``project_rank`` (place of the district in the project's ranking),
        ``district_rank``; sorted by project.
    excluded
        ``project_id``: ranked projects that no district keeps.
    shortfall
        ``district_id``, ``low``, ``placed``, ``missing``: districts under their minimum.
    tied
        Whether the rankings hold ties, so that another stable plan may fill the districts otherwise.
    sentence
        French sentence: what is missing, and why it cannot be mended.
    """

    rows: pd.DataFrame
    excluded: pd.DataFrame
    shortfall: pd.DataFrame
    tied: bool
    sentence: str


def ranked(scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rankings of projects and of districts that scores amount to; equal scores are level.

    Parameters
    ----------
    scores
        Projects × districts, in [0, 1]; an unknown pair is ranked by nobody.

    Returns
    -------
    by_projects, by_districts
        ``project_id``, ``district_id``, ``rank``: 1 is the best.
    """
    table = checked_scores(scores).round(6)
    return tuple(_long(table.rank(axis=axis, ascending=False, method="dense")) for axis in (1, 0))  # type: ignore[return-value]


def stable(by_projects: pd.DataFrame, by_districts: pd.DataFrame, *, quotas: Quotas | None = None) -> StablePlan:
    """Return the stable plan that is best for the projects.

    Parameters
    ----------
    by_projects
        ``project_id``, ``district_id``, ``rank``: what each project prefers, 1 first; level districts share a rank.
    by_districts
        ``project_id``, ``district_id``, ``rank``: what each district prefers.
    quotas
        Least and most of each district, as in the rule file; its defaults otherwise.

    Raises
    ------
    InputError
        A missing column, a pair ranked twice, a rank that is not a whole number from 1.

    Examples
    --------
    >>> rows = [("p", "A", 1), ("p", "B", 2), ("q", "A", 1), ("q", "B", 2)]
    >>> projects = pd.DataFrame(rows, columns=["project_id", "district_id", "rank"])
    >>> districts = projects.assign(rank=[2, 1, 1, 2])  # A prefers q, B prefers p
    >>> from geo_qmi.matching.rules import rules_from
    >>> one = rules_from({"quotas": {"low": 1, "high": 1}}).quotas
    >>> stable(projects, districts, quotas=one).rows["district_id"].tolist()
    ['B', 'A']
    """
    limits = Rules().quotas if quotas is None else quotas
    wishes, favours = _checked(by_projects, "projets"), _checked(by_districts, "quartiers")
    districts = sorted({district for _, district in (*wishes, *favours)})
    kept = _deferred(wishes, favours, room={district: limits.of(district).high for district in districts})
    found = sorted((project, district) for district, projects in kept.items() for project in projects)
    rows = pd.DataFrame(
        [(project, district, wishes[project, district], favours[project, district]) for project, district in found],
        columns=["project_id", "district_id", "project_rank", "district_rank"],
    ).astype({"project_id": "str", "district_id": "str", "project_rank": "int64", "district_rank": "int64"})
    out = sorted({project for project, _ in (*wishes, *favours)} - set(rows["project_id"]))
    placed = {district: len(kept.get(district, ())) for district in districts}
    short = [(name, limits.of(name).low, n, limits.of(name).low - n) for name, n in placed.items()]
    shortfall = pd.DataFrame(
        [row for row in short if row[3] > 0], columns=["district_id", "low", "placed", "missing"]
    ).astype({"district_id": "str", "low": "int64", "placed": "int64", "missing": "int64"})
    tied = any(
        by.duplicated([one, "rank"]).any() for by, one in ((by_projects, "project_id"), (by_districts, "district_id"))
    )
    excluded = pd.DataFrame({"project_id": pd.Series(out, dtype="str")})
    return StablePlan(rows, excluded, shortfall, tied, _sentence(shortfall, tied=tied))


def blocking_pairs(
    rows: pd.DataFrame, by_projects: pd.DataFrame, *, by_districts: pd.DataFrame, quotas: Quotas | None = None
) -> pd.DataFrame:
    """Return the pairs that would both rather be together than as `rows` places them.

    Parameters
    ----------
    rows
        Any plan: ``project_id``, ``district_id``.
    by_projects, by_districts, quotas
        See `stable`.

    Returns
    -------
    DataFrame
        ``project_id``, ``district_id``, ``now`` (where the project is; missing when nowhere), ``instead_of`` (the
        project the district ranks lowest among those it would leave; missing when a place is free). Sorted.

    Raises
    ------
    InputError
        See `stable`; also a project placed twice.
    """
    limits = Rules().quotas if quotas is None else quotas
    wishes, favours = _checked(by_projects, "projets"), _checked(by_districts, "quartiers")
    require_columns(rows, ["project_id", "district_id"], what="Plan")
    require_ids(rows["project_id"], what="Plan, projets")
    place = dict(zip(rows["project_id"].astype("str"), rows["district_id"].astype("str"), strict=True))
    found: list[tuple[str, str, str | None, str | None]] = []
    for project, district in sorted(set(wishes) & set(favours)):
        now = place.get(project)
        if now == district or (now is not None and wishes[project, district] >= wishes.get((project, now), np.inf)):
            continue
        # A project its district does not rank is the first it would leave.
        here = [(favours.get((other, district), np.inf), other) for other, where in place.items() if where == district]
        last = max(here, default=(0.0, ""))
        if len(here) < limits.of(district).high:
            found.append((project, district, now, None))
        elif here and last[0] > favours[project, district]:
            found.append((project, district, now, last[1]))
    return pd.DataFrame(found, columns=["project_id", "district_id", "now", "instead_of"], dtype="str")


def compare(
    best: pd.DataFrame,
    stable_rows: pd.DataFrame,
    *,
    scores: pd.DataFrame,
    by_projects: pd.DataFrame,
    by_districts: pd.DataFrame,
    quotas: Quotas | None = None,
) -> pd.DataFrame:
    """Return the two plans side by side.

    Parameters
    ----------
    best, stable_rows
        ``project_id``, ``district_id``: the plan of highest total, and the stable one.
    scores
        Projects × districts.
    by_projects, by_districts, quotas
        See `stable`.

    Returns
    -------
    DataFrame
        ``measure`` (code), ``label`` (French), ``best``, ``stable``: placed projects, total score, projects that get
        their first choice, mean rank obtained, pairs that block, projects missing under the minima. A project placed
        where it ranks nothing counts in no mean.

    Raises
    ------
    InputError, UnknownNameError
        See `blocking_pairs`; also a plan that names a pair absent from `scores`.
    """
    limits = Rules().quotas if quotas is None else quotas
    wishes = _checked(by_projects, "projets")
    table = checked_scores(scores)
    columns = {}
    for name, rows in (("best", best), ("stable", stable_rows)):
        unknown = sorted((set(rows["project_id"]) - set(table.index)) | (set(rows["district_id"]) - set(table.columns)))
        if unknown:
            raise UnknownNameError(f"Plan à comparer : « {shown(unknown[0])} » n’a pas de score dans cet appel.")
        pairs = list(zip(rows["project_id"].astype("str"), rows["district_id"].astype("str"), strict=True))
        got = [wishes[pair] for pair in pairs if pair in wishes]
        values = np.array([table.loc[pair] for pair in pairs], dtype="float64")
        counts = rows["district_id"].value_counts()
        columns[name] = [
            float(len(pairs)),
            float(np.nansum(np.rint(values * SCORE_STEPS))) / SCORE_STEPS,
            float(sum(rank == 1 for rank in got)),
            float(np.mean(got)) if got else np.nan,
            float(len(blocking_pairs(rows, by_projects, by_districts=by_districts, quotas=limits))),
            float(sum(max(0, limits.of(district).low - int(counts.get(district, 0))) for district in table.columns)),
        ]
    return pd.DataFrame({"measure": list(_MEASURES), "label": list(_MEASURES.values()), **columns})


_MEASURES = {
    "placed": "Projets placés",
    "total": "Total des scores",
    "first_choice": "Projets servis dans leur premier choix",
    "mean_rank": "Rang moyen obtenu",
    "blocking": "Paires qui bloquent le plan",
    "missing": "Projets manquants sous les minima",
}


def _deferred(
    wishes: dict[tuple[str, str], int], favours: dict[tuple[str, str], int], *, room: dict[str, int]
) -> dict[str, set[str]]:
    """Return what each district keeps once no project has a proposal left to make."""
    lists: dict[str, list[str]] = {}
    for project, district in sorted(set(wishes) & set(favours), key=lambda pair: (wishes[pair], lot(*pair))):
        lists.setdefault(project, []).append(district)
    left = {project: iter(places) for project, places in lists.items()}
    kept: dict[str, set[str]] = {district: set() for district in room}
    waiting = sorted(left, reverse=True)
    while waiting:
        project = waiting.pop()
        district = next(left[project], "")
        if not district:
            continue
        kept[district].add(project)
        if len(kept[district]) > room[district]:
            last = max(kept[district], key=lambda name: (favours[name, district], lot(district, name)))
            kept[district].remove(last)
            waiting.append(last)
    return kept


def _checked(rankings: pd.DataFrame, what: str) -> dict[tuple[str, str], int]:
    """Return (project, district) → rank, or raise `InputError`."""
    title = f"Classements des {what}"
    require_columns(rankings, _COLUMNS, what=title)
    if rankings[_COLUMNS].isna().any(axis=None):
        raise InputError(f"{title} : case vide. Retirez la ligne : une paire non classée n’a pas de ligne.")
    rank = pd.to_numeric(rankings["rank"], errors="coerce")
    wrong = ~(rank.ge(1) & rank.mod(1).eq(0))
    if wrong.any():
        raise InputError(f"{title} : rang « {shown(rankings.loc[wrong, 'rank'].iloc[0])} ». Attendu : 1, 2, 3…")
    pairs = list(zip(rankings["project_id"].astype("str"), rankings["district_id"].astype("str"), strict=True))
    twice = pd.Series(pairs, dtype="object")
    if twice.duplicated().any():
        project, district = twice[twice.duplicated()].iloc[0]
        raise InputError(f"{title} : {shown(project)} / {shown(district)} classé deux fois. Gardez une seule ligne.")
    return dict(zip(pairs, rank.astype(int), strict=True))


def _long(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return a matrix of ranks as rows, unknown ones left out."""
    rows = ranks.rename_axis("project_id").reset_index().melt("project_id", var_name="district_id", value_name="rank")
    return rows.dropna(subset=["rank"]).astype({"district_id": "str", "rank": "int64"}).reset_index(drop=True)


def _sentence(shortfall: pd.DataFrame, *, tied: bool) -> str:
    """Return what is missing, in French."""
    if shortfall.empty:
        return "Plan stable : aucun projet et aucun quartier ne préféreraient tous deux se retrouver."
    names = ", ".join(
        f"{district} ({placed} sur {low})"
        for district, low, placed in zip(shortfall["district_id"], shortfall["low"], shortfall["placed"], strict=True)
    )
    why = (
        "un autre départage des ex-aequo pourrait en placer davantage"
        if tied
        else "aucun plan stable ne peut faire mieux : il faudrait forcer des projets ou baisser le minimum"
    )
    return f"Plan stable, mais des minima ne sont pas tenus : {names} ; {why}."
