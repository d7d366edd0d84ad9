"""Which plan would no project and district want to leave together?

The best plan may send a project to a district it wants less than another that would also rather have it: such a pair
*blocks* the plan. A *stable* plan has none. It is found by deferred acceptance (Gale and Shapley, 1962): projects
propose to the districts they rank, best first; a full district keeps those it ranks best. Projects get the best they
can have in any stable plan. Rankings may be partial (an absent pair is refused by whoever does not rank it) and hold
ties; ties are settled by lots drawn from identifiers, and a pair that is only level never blocks.

What a district can apply alone while it chooses is applied: its maximum, the most projects of a theme in it, vetoes and
fixed pairs. Those maxima nest as long as a project counts for one theme; a choice under nested maxima never regrets a
project it let go (Hatfield and Milgrom, 2005), so what deferred acceptance finds is stable.

Traps. What binds several districts, minima, loads of shared services and synergies are *not* applied: `compare` counts
the rules each plan leaves unkept, and `geo_qmi.matching.limits_of` names them. Under strict rankings and no bound by
theme every stable plan fills every district with the same number of projects (Roth, 1986), so no stable plan can mend a
shortfall; it is stated. With ties another settlement might fill more; finding the fullest is a hard problem and is not
attempted. And a stable plan is not the best total: `compare` shows both. Nothing here scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.matching.limits import EACH
from geo_qmi.matching.optimum import lot
from geo_qmi.matching.plan import limits_of
from geo_qmi.matching.program import SCORE_STEPS, checked_scores
from geo_qmi.matching.rule_model import Rules
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

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


@dataclass(frozen=True, slots=True, eq=False)
class Wishes:
    """Who would have whom, read once: rankings on both sides, and what each district may hold.

    Attributes
    ----------
    projects, districts
        (project, district) → rank, 1 the best; only pairs that both sides rank and no veto bars.
    members
        Theme → projects that count for it.
    rules
        The rules of the call.
    """

    projects: dict[tuple[str, str], int]
    districts: dict[tuple[str, str], int]
    members: dict[str, frozenset[str]]
    rules: Rules

    @classmethod
    def of(
        cls,
        by_projects: pd.DataFrame,
        by_districts: pd.DataFrame,
        *,
        rules: Rules | None = None,
        themes: pd.DataFrame | None = None,
    ) -> Self:
        """Return checked rankings under `rules`; parameters and errors as `stable`."""
        applied = rules or Rules()
        wishes, favours = _checked(by_projects, "projets"), _checked(by_districts, "quartiers")
        barred = {(rule.project, rule.district) for rule in applied.vetoes}
        home = {rule.project: rule.district for rule in applied.fixed}
        mutual = {
            pair for pair in wishes.keys() & favours.keys() - barred if home.get(pair[0], pair[1]) == pair[1]
        } | set(home.items())
        members: dict[str, frozenset[str]] = {}
        if applied.theme_bounds:
            if themes is None:
                raise InputError("Bornes par thème : le thème des projets manque. Donnez la table project_id, theme.")
            require_columns(themes, ["project_id", "theme"], what="Thèmes des projets")
            told = themes.astype({"project_id": "str"}).groupby("theme")["project_id"]
            members = {str(theme): frozenset(group) for theme, group in told}
        return cls(
            {pair: wishes.get(pair, 1) for pair in mutual},
            # A fixed project comes before all others, and leaves for nobody.
            {pair: 0 if pair[0] in home else favours[pair] for pair in mutual},
            members,
            applied,
        )

    def choice(self, district: str, projects: Iterable[str], *, last: str = "") -> set[str]:
        """Return whom a district keeps among `projects`; `last` gives way to those level with it."""
        room = [(self.rules.quotas.of(district).high, None)] + [
            (bound.high, self.members.get(bound.theme, frozenset()))
            for bound in self.rules.theme_bounds
            if bound.high is not None and bound.district in {EACH, district}
        ]
        kept: set[str] = set()
        # A project the district does not rank is the first it would leave.
        for name in sorted(
            projects, key=lambda one: (self.districts.get((one, district), np.inf), one == last, lot(district, one))
        ):
            if all(len(kept if who is None else kept & who) < most for most, who in room if who is None or name in who):
                kept.add(name)
        return kept


def stable(
    by_projects: pd.DataFrame,
    by_districts: pd.DataFrame,
    *,
    rules: Rules | None = None,
    themes: pd.DataFrame | None = None,
) -> StablePlan:
    """Return the stable plan that is best for the projects.

    Parameters
    ----------
    by_projects
        ``project_id``, ``district_id``, ``rank``: what each project prefers, 1 first; level districts share a rank.
    by_districts
        ``project_id``, ``district_id``, ``rank``: what each district prefers.
    rules
        The rule file: maxima by district and by theme in a district, vetoes and fixed pairs are applied; minima are
        counted; the rest is left to `compare`. Its defaults when absent.
    themes
        ``project_id``, ``theme``: see `geo_qmi.matching.plan`. Needed when there are bounds by theme.

    Raises
    ------
    InputError
        A missing column, a pair ranked twice, a rank that is not a whole number from 1, bounds without `themes`.

    Examples
    --------
    >>> rows = [("p", "A", 1), ("p", "B", 2), ("q", "A", 1), ("q", "B", 2)]
    >>> projects = pd.DataFrame(rows, columns=["project_id", "district_id", "rank"])
    >>> districts = projects.assign(rank=[2, 1, 1, 2])  # A prefers q, B prefers p
    >>> from geo_qmi.matching.rules import rules_from
    >>> one = rules_from({"quotas": {"low": 1, "high": 1}})
    >>> stable(projects, districts, rules=one).rows["district_id"].tolist()
    ['B', 'A']
    """
    wishes = Wishes.of(by_projects, by_districts, rules=rules, themes=themes)
    limits = wishes.rules.quotas
    named = pd.concat([by_projects, by_districts])[["project_id", "district_id"]].astype("str")
    districts = sorted({*named["district_id"], *(district for _, district in wishes.projects)})
    kept = _deferred(wishes, districts)
    found = sorted((project, district) for district, projects in kept.items() for project in projects)
    rows = pd.DataFrame(
        [(*pair, wishes.projects[pair], wishes.districts[pair]) for pair in found],
        columns=["project_id", "district_id", "project_rank", "district_rank"],
    ).astype({"project_id": "str", "district_id": "str", "project_rank": "int64", "district_rank": "int64"})
    out = sorted(set(named["project_id"]) - set(rows["project_id"]))
    short = [(name, limits.of(name).low, len(kept[name]), limits.of(name).low - len(kept[name])) for name in districts]
    shortfall = pd.DataFrame(
        [row for row in short if row[3] > 0], columns=["district_id", "low", "placed", "missing"]
    ).astype({"district_id": "str", "low": "int64", "placed": "int64", "missing": "int64"})
    tied = any(
        by.duplicated([one, "rank"]).any() for by, one in ((by_projects, "project_id"), (by_districts, "district_id"))
    )
    excluded = pd.DataFrame({"project_id": pd.Series(out, dtype="str")})
    said = _sentence(shortfall, tied=tied, n_blocking=len(_blocking(found, wishes)))
    return StablePlan(rows, excluded, shortfall, tied, said)


def blocking_pairs(
    rows: pd.DataFrame,
    by_projects: pd.DataFrame,
    *,
    by_districts: pd.DataFrame,
    rules: Rules | None = None,
    themes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the pairs that would both rather be together than as `rows` places them.

    Parameters
    ----------
    rows
        Any plan: ``project_id``, ``district_id``.
    by_projects, by_districts, rules, themes
        See `stable`.

    Returns
    -------
    DataFrame
        ``project_id``, ``district_id``, ``now`` (where the project is; missing when nowhere), ``instead_of`` (the
        project the district would leave, the one it ranks lowest if several; missing when a place is free). Sorted.

    Raises
    ------
    InputError
        See `stable`; also a project placed twice.
    """
    wishes = Wishes.of(by_projects, by_districts, rules=rules, themes=themes)
    return _blocking(_pairs(rows), wishes)


def _pairs(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of a plan, or raise `InputError`."""
    require_columns(rows, ["project_id", "district_id"], what="Plan")
    require_ids(rows["project_id"], what="Plan, projets")
    return list(zip(rows["project_id"].astype("str"), rows["district_id"].astype("str"), strict=True))


def _blocking(pairs: list[tuple[str, str]], wishes: Wishes) -> pd.DataFrame:
    """Return the pairs that block a plan."""
    place = dict(pairs)
    lists: dict[str, list[str]] = {}
    for project, district in pairs:
        lists.setdefault(district, []).append(project)
    found: list[tuple[str, str, str | None, str | None]] = []
    for project, district in sorted(wishes.projects):
        now = place.get(project)
        if now == district or (
            now is not None and wishes.projects[project, district] >= wishes.projects.get((project, now), np.inf)
        ):
            continue
        here = lists.get(district, [])
        kept = wishes.choice(district, [*here, project], last=project)
        left = [name for name in here if name not in kept]
        if project in kept:
            instead = max(left, key=lambda name: (wishes.districts.get((name, district), np.inf), name), default=None)
            found.append((project, district, now, instead))
    return pd.DataFrame(found, columns=["project_id", "district_id", "now", "instead_of"], dtype="str")


def compare(
    best: pd.DataFrame,
    stable_rows: pd.DataFrame,
    *,
    scores: pd.DataFrame,
    by_projects: pd.DataFrame,
    by_districts: pd.DataFrame,
    rules: Rules | None = None,
    themes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the two plans side by side.

    Parameters
    ----------
    best, stable_rows
        ``project_id``, ``district_id``: the plan of highest total, and the stable one.
    scores
        Projects × districts.
    by_projects, by_districts, rules, themes
        See `stable`.

    Returns
    -------
    DataFrame
        ``measure`` (code), ``label`` (French), ``best``, ``stable``: placed projects, total score, projects that get
        their first choice, mean rank obtained, pairs that block, projects missing under the minima, rules not kept (of
        any kind: `geo_qmi.matching.limits_of` names them). A project placed where it ranks nothing counts in no mean.

    Raises
    ------
    InputError, UnknownNameError
        See `blocking_pairs`; also a plan that names a pair absent from `scores`.
    """
    applied = rules or Rules()
    wishes = Wishes.of(by_projects, by_districts, rules=applied, themes=themes)
    table = checked_scores(scores)
    columns = {}
    for name, rows in (("best", best), ("stable", stable_rows)):
        unknown = sorted((set(rows["project_id"]) - set(table.index)) | (set(rows["district_id"]) - set(table.columns)))
        if unknown:
            raise UnknownNameError(f"Plan à comparer : « {shown(unknown[0])} » n’a pas de score dans cet appel.")
        pairs = _pairs(rows)
        got = [wishes.projects[pair] for pair in pairs if pair in wishes.projects]
        values = np.array([table.loc[pair] for pair in pairs], dtype="float64")
        counts = rows["district_id"].value_counts()
        quotas = applied.quotas
        columns[name] = [
            float(len(pairs)),
            float(np.nansum(np.rint(values * SCORE_STEPS))) / SCORE_STEPS,
            float(sum(rank == 1 for rank in got)),
            float(np.mean(got)) if got else np.nan,
            float(len(_blocking(pairs, wishes))),
            float(sum(max(0, quotas.of(district).low - int(counts.get(district, 0))) for district in table.columns)),
            float(limits_of(rows, scores, rules=applied, themes=themes)["broken"].sum()),
        ]
    return pd.DataFrame({"measure": list(_MEASURES), "label": list(_MEASURES.values()), **columns})


_MEASURES = {
    "placed": "Projets placés",
    "total": "Total des scores",
    "first_choice": "Projets servis dans leur premier choix",
    "mean_rank": "Rang moyen obtenu",
    "blocking": "Paires qui bloquent le plan",
    "missing": "Projets manquants sous les minima",
    "broken": "Règles non tenues",
}


def _deferred(wishes: Wishes, districts: Iterable[str]) -> dict[str, set[str]]:
    """Return what each district keeps once no project has a proposal left to make."""
    lists: dict[str, list[str]] = {}
    for project, district in sorted(wishes.projects, key=lambda pair: (wishes.projects[pair], lot(*pair))):
        lists.setdefault(project, []).append(district)
    left = {project: iter(places) for project, places in lists.items()}
    kept: dict[str, set[str]] = {district: set() for district in districts}
    waiting = sorted(left, reverse=True)
    while waiting:
        project = waiting.pop()
        district = next(left[project], "")
        if not district:
            continue
        asking = kept[district] | {project}
        kept[district] = wishes.choice(district, asking)
        waiting += sorted(asking - kept[district], reverse=True)
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


def _sentence(shortfall: pd.DataFrame, *, tied: bool, n_blocking: int) -> str:
    """Return what is missing, in French."""
    if n_blocking:
        head = f"Plan presque stable, à {counted(n_blocking, 'paire')} près (projets à plusieurs thèmes bornés)"
    elif shortfall.empty:
        return "Plan stable : aucun projet et aucun quartier ne préféreraient tous deux se retrouver."
    else:
        head = "Plan stable"
    if shortfall.empty:
        return f"{head}."
    names = ", ".join(
        f"{district} ({placed} sur {low})"
        for district, low, placed in zip(shortfall["district_id"], shortfall["low"], shortfall["placed"], strict=True)
    )
    why = (
        "un autre départage des ex-aequo pourrait en placer davantage"
        if tied
        else "aucun plan stable ne peut faire mieux : il faudrait forcer des projets ou baisser le minimum"
    )
    return f"{head}, mais des minima ne sont pas tenus : {names} ; {why}."
