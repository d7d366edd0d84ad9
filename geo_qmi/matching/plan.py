"""Which plan is the best under all the rules a jury has signed?

`plan` finds the exact optimum under quotas, bounds by theme, fixed pairs, vetoes, synergies and shared services, says
in a sentence what it made as high as possible, tells what each rule left free, and lists who waits for a place.
Impossible rules are answered by the smallest set of them that clash. `next_wave` offers the projects refused in one
phase to the districts of a later one, with their scores and the date of each.

Nothing here scores, and nothing decides: a jury does (see `geo_qmi.matching.decisions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.errors import InfeasibleError, InputError, quoted, shown
from geo_qmi.guards import require_columns
from geo_qmi.matching.conflict import clash_sentence, duties
from geo_qmi.matching.optimum import lot, optimum
from geo_qmi.matching.program import SCORE_STEPS, Program, checked_scores, compiled
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo_qmi.matching.optimum import Optimum
    from geo_qmi.matching.rule_model import Rules

_UNKNOWN = "score inconnu dans tous les quartiers : à lire à la main"
_NO_ROOM = "non retenu par le meilleur plan que ces règles permettent"
_UNKNOWN_BUT_FIXED = "score inconnu : placé par une règle, ne compte pas dans le total"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The best plan under the rules.

    Attributes
    ----------
    rows
        ``project_id``, ``district_id``, ``score``, ``note`` (French, empty most often): sorted by project.
    excluded
        ``project_id``, ``reason`` (French): the others.
    total, bonus
        Sum of the scores of the plan, and of the synergies it earns.
    synergies
        ``synergy`` (French), ``bonus``, ``earned``: one row a synergy and a district, or place, where it may
        happen.
    limits
        ``kind``, ``path`` (in the rule file), ``rule`` (French), ``low``, ``reached``, ``high``, ``binding`` (filled to
        the brim), ``broken``: one row a rule that could be broken.
    reserve
        ``district_id``, ``place`` (1 is called first), ``project_id``, ``score``, ``tied``: who waits.
    said
        French sentence: what was made as high as possible, and how far it is proven.
    status
        ``optimal`` (the only best plan), ``tied`` (several; lots settled which is shown), ``unproven`` (the time ran
        out; see `gap`), or ``empty`` (nobody to place, and nothing asked).
    method
        ``flow`` (linear programme) or ``branching``.
    gap
        Share of the first objective that a better plan could still gain; 0 when proven.
    """

    rows: pd.DataFrame
    excluded: pd.DataFrame
    total: float
    bonus: float
    synergies: pd.DataFrame
    limits: pd.DataFrame
    reserve: pd.DataFrame
    said: str
    status: str
    method: str
    gap: float


def plan(
    scores: pd.DataFrame,
    rules: Rules,
    *,
    themes: pd.DataFrame | None = None,
    criteria: Mapping[str, pd.DataFrame] | None = None,
    names: Mapping[str, str] | None = None,
    sites: pd.DataFrame | None = None,
    time_limit_s: float = 60.0,
) -> Plan:
    """Return the best plan of `scores` under `rules`.

    Parameters
    ----------
    scores
        Projects (index) × districts (columns), in [0, 1]; NaN is unknown, and never assigned unless a rule fixes it.
    rules
        The rule file, as returned by `geo_qmi.matching.rules.rules_from`.
    themes
        ``project_id``, ``theme``: what each project counts for in the bounds by theme, see `main_themes`.
    criteria
        Criterion → projects × districts in [0, 1], for the criteria that the order of objectives names.
    names
        Identifier → name shown in sentences; identifiers by default.
    sites
        ``project_id``, ``district_id``, ``place_id``: the places on which each project can stand; needed when a synergy
        is about one place, see `geo_qmi.matching.criteria.Appraisal.sites`.
    time_limit_s
        Most seconds for each solve, when rules cross. A plan that the clock stopped is not the same on every machine.

    Returns
    -------
    Plan
        The same for the same inputs in any order of rows and columns.

    Raises
    ------
    InputError, UnknownNameError
        See `geo_qmi.matching.program.compiled`.
    InfeasibleError
        No plan holds all the rules; the sentence names the smallest set of them that clash.
    LimitError
        The time ran out before any plan was found.

    Examples
    --------
    >>> from geo_qmi.matching.rules import rules_from
    >>> scores = pd.DataFrame({"A": [0.9, 0.8], "B": [0.7, 0.1]}, index=["p", "q"])
    >>> free = {"quotas": {"low": 1, "high": 1}}
    >>> plan(scores, rules_from(free)).rows["district_id"].tolist()  # 0.7 + 0.8 beats 0.9 + 0.1
    ['B', 'A']
    >>> held = free | {"fixed": [{"project": "p", "district": "A", "reason": "convention signée"}]}
    >>> plan(scores, rules_from(held)).rows["district_id"].tolist()
    ['A', 'B']
    """
    program = compiled(scores, rules, themes=themes, criteria=criteria, names=names, sites=sites)
    best = optimum(program, time_limit_s=time_limit_s)
    if best is None:
        raise InfeasibleError(clash_sentence(scores, rules, themes=themes, names=names, time_limit_s=time_limit_s))
    return _told(program, best, table=checked_scores(scores), reserve=rules)


def _told(program: Program, best: Optimum, *, table: pd.DataFrame, reserve: Rules) -> Plan:
    """Return the best plan as frames and sentences."""
    chosen = np.flatnonzero(best.chosen[: program.n_pairs])
    rows = pd.DataFrame(
        {
            "project_id": program.project_ids[program.project[chosen]],
            "district_id": program.district_ids[program.district[chosen]],
            "score": program.score[chosen],
            "note": np.where(np.isnan(program.score[chosen]), _UNKNOWN_BUT_FIXED, ""),
        }
    )
    earned = best.chosen[program.n_pairs : program.n_pairs + len(program.synergies)]
    return Plan(
        rows=rows.astype({"note": "str"}),
        excluded=_excluded(table, rows),
        total=float(np.nansum(np.rint(rows["score"].to_numpy() * SCORE_STEPS))) / SCORE_STEPS,
        bonus=float(sum(one.bonus for one, had in zip(program.synergies, earned, strict=True) if had)),
        synergies=_synergies(program, earned),
        limits=_limits(program, best.chosen),
        reserve=_reserve(table, rows, reserve),
        said=_said(program, best),
        status=_status(program, best),
        method="flow" if program.flow else "branching",
        gap=_gap(best),
    )


def limits_of(
    rows: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    rules: Rules,
    themes: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return what each rule asks and what *any* plan reaches: one made by hand, stable, or of another phase.

    Parameters
    ----------
    rows
        ``project_id``, ``district_id``.
    scores, rules, themes, names
        See `plan`.

    Returns
    -------
    DataFrame
        As the `limits` of a `Plan`; ``broken`` tells the rules that this plan does not keep.

    Raises
    ------
    InputError, UnknownNameError
        See `plan`; also a pair of `rows` that is not in `scores`.
    """
    program = duties(scores, rules, themes=themes, names=names)
    require_columns(rows, ["project_id", "district_id"], what="Plan")
    chosen = np.zeros(program.n_pairs, dtype=bool)
    for project_id, district_id in rows[["project_id", "district_id"]].astype("str").itertuples(index=False, name=None):
        pair = program.pair(project_id, district_id)
        if pair is not None:  # a pair of unknown score fills nothing
            chosen[pair] = True
    return _limits(program, chosen)


def main_themes(offers: pd.DataFrame) -> pd.DataFrame:
    """Return the theme each project counts for: its strongest one, or all of them when several are level.

    Parameters
    ----------
    offers
        Table ``offers``: ``project_id``, ``theme``, ``strength``.

    Returns
    -------
    DataFrame
        ``project_id``, ``theme``; a project without any theme counts for none.

    Examples
    --------
    >>> rows = [("p", "eau", 0.6), ("p", "bati", 0.4), ("q", "eau", 0.5), ("q", "nature", 0.5)]
    >>> main_themes(pd.DataFrame(rows, columns=["project_id", "theme", "strength"])).to_numpy().tolist()
    [['p', 'eau'], ['q', 'eau'], ['q', 'nature']]
    """
    require_columns(offers, ["project_id", "theme", "strength"], what="Offres")
    unknown = sorted(set(offers["theme"]) - set(THEMES))
    if unknown:
        raise InputError(f"Offres : thème inconnu « {shown(unknown[0])} ». Attendu : {', '.join(THEMES)}.")
    strongest = offers.groupby("project_id")["strength"].transform("max")
    kept = offers[(offers["strength"] >= strongest - 1e-9) & (offers["strength"] > 0)]
    return kept[["project_id", "theme"]].sort_values(["project_id", "theme"], ignore_index=True)


def _excluded(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the projects that are not in the plan."""
    out = table.index[~table.index.isin(rows["project_id"])]
    unknown = table.loc[out].isna().all(axis=1).to_numpy()
    reasons = np.where(unknown, _UNKNOWN, _NO_ROOM)
    return pd.DataFrame({"project_id": out, "reason": reasons}).astype({"project_id": "str", "reason": "str"})


def _synergies(program: Program, earned: NDArray[np.bool_]) -> pd.DataFrame:
    """Return each synergy and whether the plan earns it."""
    return pd.DataFrame(
        {
            "synergy": pd.Series([one.label for one in program.synergies], dtype="str"),
            "bonus": pd.Series([one.bonus for one in program.synergies], dtype="float64"),
            "earned": earned,
        }
    )


def _limits(program: Program, chosen: NDArray[np.bool_]) -> pd.DataFrame:
    """Return what each rule asks and what the plan reaches."""
    of_rules = np.flatnonzero(program.owner >= 0)
    limits = [program.limits[owner] for owner in program.owner[of_rules]]
    reached = (program.matrix @ chosen.astype(np.float64))[of_rules]
    low, high = program.low[of_rules], program.high[of_rules]
    return pd.DataFrame(
        {
            "kind": pd.Series([limit.kind for limit in limits], dtype="str"),
            "path": pd.Series([limit.path for limit in limits], dtype="str"),
            "rule": pd.Series([limit.words for limit in limits], dtype="str"),
            "low": np.where(np.isfinite(low), low, np.nan),
            "reached": reached,
            "high": np.where(np.isfinite(high), high, np.nan),
            "binding": (reached <= low + 1e-6) | (reached >= high - 1e-6),
            "broken": (reached < low - 1e-6) | (reached > high + 1e-6),
        }
    )


def _reserve(table: pd.DataFrame, rows: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return who waits in each district: the best known scores outside the plan, lots settling ties."""
    size = rules.reserve.size
    waiting = table.loc[~table.index.isin(rows["project_id"])]
    ids, values = list(waiting.index), waiting.to_numpy(copy=True)
    positions = {project_id: row for row, project_id in enumerate(ids)}
    for veto in rules.vetoes:
        if veto.project in positions:
            values[positions[veto.project], table.columns.get_indexer(pd.Index([veto.district]))] = np.nan
    found = []
    for district_id, column in zip(table.columns, np.round(values.T, 6), strict=True):
        known = np.flatnonzero(~np.isnan(column))
        if size == 0 or len(known) == 0:
            continue
        least = np.sort(column[known])[-min(size, len(known))]
        near = known[column[known] >= least]
        order = sorted(near, key=lambda row: (-column[row], lot(ids[row], district_id)))[:size]
        found += [
            (district_id, place, ids[row], float(column[row]), bool((column[known] == column[row]).sum() > 1))
            for place, row in enumerate(order, start=1)
        ]
    columns = ["district_id", "place", "project_id", "score", "tied"]
    kinds = {"district_id": "str", "place": "int64", "project_id": "str", "score": "float64", "tied": "bool"}
    return pd.DataFrame(found, columns=columns).astype(kinds)


def _gap(best: Optimum) -> float:
    """Return the share of the first objective that could still be gained."""
    if best.proven:
        return 0.0
    return (best.bound - best.reached[0]) / max(abs(best.reached[0]), 1.0)


def _status(program: Program, best: Optimum) -> str:
    """Return the status of a plan."""
    if program.n_pairs == 0:
        return "empty"
    if not best.proven:
        return "unproven"
    return "tied" if best.tied else "optimal"


def _said(program: Program, best: Optimum) -> str:
    """Return what was made as high as possible, and how far it is proven."""
    if not best.proven:
        share = f"{100 * _gap(best):.2f}".replace(".", ",")
        return f"{program.said} Le temps imparti est écoulé : un plan meilleur de {share} % au plus reste possible."
    if best.tied:
        return f"{program.said} Plusieurs plans l’atteignent : le tirage au sort par identifiants a choisi."
    return f"{program.said} Aucun autre plan ne l’atteint."


def next_wave(earlier: pd.DataFrame, scores: pd.DataFrame, *, wave: str, at: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Offer to a later phase the projects that earlier ones refused, with their dated scores.

    A score given anew in `scores` is taken; else the latest earlier score in that district, with its date; else it is
    unknown. Nothing is scored again in silence, and a project placed in an earlier wave does not come back.

    Parameters
    ----------
    earlier
        ``project_id``, ``district_id``, ``score``, ``assigned``, ``wave``, ``scored_at`` (ISO date): the rows of
        `geo_qmi.matching.score_rows` of each earlier wave, with its name and date.
    scores
        Projects × districts of this wave, in [0, 1]: the new applications, and any earlier one scored again.
    wave, at
        Name of this wave, and ISO date of `scores`.

    Returns
    -------
    scores, origins
        The matrix to plan with; and ``project_id``, ``district_id``, ``score``, ``scored_at``, ``wave``, ``dated`` for
        each known score of it, `dated` being true when the score is of an earlier wave.

    Raises
    ------
    InputError
        A missing column, a wave of that name already there, a date later than `at`, a placed project scored again.
    """
    needed = ["project_id", "district_id", "score", "assigned", "wave", "scored_at"]
    require_columns(earlier, needed, what="Vagues précédentes")
    fresh = checked_scores(scores)
    past = earlier[needed].astype({"project_id": "str", "district_id": "str", "scored_at": "str"})
    _refuse_times(past, wave=wave, at=at)
    placed = set(past.loc[past["assigned"].astype(bool), "project_id"])
    again = sorted(placed & set(fresh.index))
    if again:
        raise InputError(
            f"Vague « {shown(wave)} » : déjà placés dans une vague précédente : {quoted(again)}. Retirez-les."
        )
    kept = past[~past["project_id"].isin(placed) & past["district_id"].isin(fresh.columns) & past["score"].notna()]
    known = fresh.rename_axis("project_id").reset_index().melt("project_id", var_name="district_id", value_name="score")
    known = known.dropna(subset=["score"]).assign(scored_at=at, wave=wave, dated=False)
    both = pd.concat([kept.drop(columns="assigned").assign(dated=True), known], ignore_index=True)
    both = both.sort_values(["scored_at", "dated"], ascending=[True, False], kind="stable")
    origins = both.drop_duplicates(["project_id", "district_id"], keep="last")
    origins = origins.sort_values(["project_id", "district_id"], ignore_index=True)
    rows = sorted(set(fresh.index) | set(past["project_id"]) - placed)
    matrix = origins.pivot_table(index="project_id", columns="district_id", values="score", aggfunc="first")
    matrix = matrix.reindex(index=pd.Index(rows, name="project_id", dtype="str"), columns=fresh.columns)
    return matrix, origins[["project_id", "district_id", "score", "scored_at", "wave", "dated"]]


def _refuse_times(past: pd.DataFrame, *, wave: str, at: str) -> None:
    """Raise `InputError` when a wave would come before one that is over."""
    if wave in set(past["wave"]):
        raise InputError(f"Vague « {shown(wave)} » déjà présente dans les vagues précédentes. Donnez un autre nom.")
    later = past.loc[past["scored_at"] > at, "scored_at"]
    if len(later):
        raise InputError(
            f"Vague « {shown(wave)} » du {shown(at)} : une vague précédente est datée du {shown(later.max())}. "
            "Corrigez la date : AAAA-MM-JJ."
        )
