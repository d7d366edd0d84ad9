"""What did the tool propose, what did the jury decide, who, when and why?

The log is a frame (table ``decisions``) to which rows are added and never removed: the last decision about a project is
the one that holds, and `replay` gives the final plan from the log alone, or the plan as it stood at any moment.
`overrides` counts how often the jury decided otherwise. Dates are handed in; nothing here reads a clock, recomputes a
plan or judges a decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi import schema
from geo_qmi.errors import DefectsError, InputError, UnknownNameError, shown
from geo_qmi.guards import require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.matching.plan import Plan

_FOLLOWED = "proposition du calcul suivie"
#: Where a row of the log comes from, when it is written here.
_SOURCE = "calcul, journal du jury"
#: Times without offset are those of Paris.
_ZONE = "Europe/Paris"


def empty_log() -> pd.DataFrame:
    """Return a log without any decision, with the columns of table ``decisions``."""
    return schema.typed(pd.DataFrame(), "decisions")


def decide(  # noqa: PLR0913 — the parts of one decision, keyword-only
    log: pd.DataFrame,
    plan: Plan,
    *,
    project_id: str,
    decided_district: str | None,
    actor: str,
    at: str,
    reason: str,
    wave: str | None = None,
    demo: bool = False,
) -> pd.DataFrame:
    """Return `log` with one more decision.

    Parameters
    ----------
    log
        Table ``decisions``; see `empty_log`.
    plan
        What the tool proposed; see `geo_qmi.matching.plan`.
    project_id
        A project of the plan, retained or not.
    decided_district
        Where the jury sends it; nothing when it is not retained.
    actor, at, reason, wave
        Who decides, when (``AAAA-MM-JJThh:mm``, Paris time where no offset is given), why, and in which phase.
    demo
        Whether this decision is made up for the demonstration.

    Raises
    ------
    UnknownNameError
        The plan knows no such project.
    InputError
        No reason or actor, a date that cannot be read, or one before the last decision of the log.
    """
    proposed = _proposed(plan)
    if project_id not in proposed:
        raise UnknownNameError(f"Décision : « {shown(project_id)} » n’est pas dans le plan. Corrigez l’identifiant.")
    return _extended(
        log, {project_id: decided_district}, proposed, actor=actor, at=at, reason=reason, wave=wave, demo=demo
    )


def follow(
    log: pd.DataFrame,
    plan: Plan,
    *,
    actor: str,
    at: str,
    reason: str = _FOLLOWED,
    wave: str | None = None,
    demo: bool = False,
) -> pd.DataFrame:
    """Return `log` with the proposal followed for every project of `plan` not yet decided in this wave.

    Parameters
    ----------
    log, plan, actor, at, reason, wave, demo
        See `decide`.

    Raises
    ------
    InputError
        See `decide`.
    """
    checked = _checked(log)
    same = checked["wave"].isna() if wave is None else checked["wave"].eq(wave).fillna(value=False)
    done = set(checked.loc[same, "project_id"])
    proposed = _proposed(plan)
    decided = {project_id: district for project_id, district in proposed.items() if project_id not in done}
    if not decided:
        return checked
    return _extended(checked, decided, proposed, actor=actor, at=at, reason=reason, wave=wave, demo=demo)


def replay(log: pd.DataFrame, *, until: str | None = None) -> pd.DataFrame:
    """Return the plan that the decisions of `log` amount to.

    Parameters
    ----------
    log
        Table ``decisions``, in any order of rows.
    until
        Moment at which to look, included; the end by default.

    Returns
    -------
    DataFrame
        ``project_id``, ``district_id``, ``decision_id`` (the one that holds): retained projects, sorted.

    Raises
    ------
    InputError
        A column is missing, an identifier is repeated or a date cannot be read.
    """
    last = _last(_checked(log), ["project_id"], until=until)
    kept = last[last["decided_district"].notna()]
    return (
        kept.rename(columns={"decided_district": "district_id"})[["project_id", "district_id", "decision_id"]]
        .sort_values("project_id")
        .reset_index(drop=True)
    )


def overrides(log: pd.DataFrame) -> pd.DataFrame:
    """Return how often the jury followed the proposal, by wave.

    Parameters
    ----------
    log
        Table ``decisions``.

    Returns
    -------
    DataFrame
        ``wave`` (empty when none is given), ``decided``, ``followed``, ``moved`` (to another district), ``added``
        (retained against the proposal), ``removed`` (not retained against it), ``reversed`` (decisions that a later
        one of the same wave replaced); sorted by wave.

    Raises
    ------
    InputError
        See `replay`.
    """
    checked = _checked(log)
    last = _last(checked, ["project_id", "wave"])
    before, after = last["proposed_district"], last["decided_district"]
    moved = before.notna() & after.notna() & (before != after)
    kinds = pd.DataFrame(
        {
            "wave": last["wave"].fillna(""),
            "decided": 1,
            "followed": ((before.isna() & after.isna()) | (before == after).fillna(value=False)).astype(int),
            "moved": moved.astype(int),
            "added": (before.isna() & after.notna()).astype(int),
            "removed": (before.notna() & after.isna()).astype(int),
        }
    )
    counts = kinds.groupby("wave").sum()
    counts["reversed"] = checked["wave"].fillna("").value_counts().reindex(counts.index) - counts["decided"]
    return counts.astype("int64").reset_index()


def _proposed(plan: Plan) -> dict[str, str | None]:
    """Return project → proposed district, nothing for those that the plan leaves out."""
    placed = dict(zip(plan.rows["project_id"], plan.rows["district_id"], strict=True))
    return {**placed, **dict.fromkeys(plan.excluded["project_id"])}


def _extended(
    log: pd.DataFrame,
    decided: Mapping[str, str | None],
    proposed: Mapping[str, str | None],
    *,
    actor: str,
    at: str,
    reason: str,
    wave: str | None,
    demo: bool,
) -> pd.DataFrame:
    """Return `log` with one row for each of `decided`, checked against the schema."""
    checked = _checked(log)
    for what, words in (("la personne ou l’instance qui décide", actor), ("le motif", reason)):
        if not words.strip():
            raise InputError(f"Décision : il manque {what}. Une décision sans {what} ne peut pas être défendue.")
    now, times = _instant(at), [_instant(moment) for moment in checked["at"]]
    if times and now < max(times):
        raise InputError(
            f"Décision du {shown(at)} : le journal contient déjà une décision plus récente. Corrigez la date."
        )
    taken, n = set(checked["decision_id"]), len(checked)
    rows = []
    for project_id, district in sorted(decided.items()):
        n += 1
        while f"DEC-{n:05d}" in taken:
            n += 1
        rows.append(
            {
                "decision_id": f"DEC-{n:05d}",
                "at": at,
                "actor": actor,
                "project_id": project_id,
                "proposed_district": proposed[project_id],
                "decided_district": district,
                "reason": reason,
                "wave": wave,
                "demo": demo,
                "source": _SOURCE,
            }
        )
    added = schema.typed(pd.DataFrame(rows), "decisions")
    longer: pd.DataFrame = pd.concat([checked, added], ignore_index=True)
    defects = schema.validate(longer, "decisions")
    if defects:
        raise DefectsError(defects, title="Décision refusée")
    return longer


def _last(checked: pd.DataFrame, keys: list[str], *, until: str | None = None) -> pd.DataFrame:
    """Return the last decision about each of `keys`, at one moment."""
    dated = checked.assign(instant=[_instant(moment) for moment in checked["at"]])
    if until is not None:
        limit = _instant(until)
        dated = dated[[moment <= limit for moment in dated["instant"]]]
    return dated.sort_values(["instant", "decision_id"]).drop_duplicates(keys, keep="last").drop(columns="instant")


def _checked(log: pd.DataFrame) -> pd.DataFrame:
    """Return a fresh, typed copy of `log`, or raise `InputError`."""
    needed = ["decision_id", "at", "actor", "project_id", "proposed_district", "decided_district", "reason"]
    require_columns(log, needed, what="Journal des décisions")
    checked = pd.DataFrame(schema.typed(log, "decisions").reset_index(drop=True))
    defects = schema.validate(checked.assign(source=checked["source"].fillna(_SOURCE)), "decisions")
    if defects:
        raise DefectsError(defects, title="Journal des décisions refusé")
    return checked


def _instant(moment: str) -> pd.Timestamp:
    """Return a moment with its offset, or raise `InputError`."""
    try:
        instant = pd.Timestamp(moment)
    except (ValueError, TypeError) as error:
        raise InputError(f"Date « {shown(moment)} » illisible. Attendu : AAAA-MM-JJThh:mm.") from error
    if pd.isna(instant):
        raise InputError("Date manquante. Attendu : AAAA-MM-JJThh:mm.")
    # In the hour that comes twice each autumn, the first is meant: the order of identifiers settles the rest.
    return instant.tz_localize(_ZONE, ambiguous=True, nonexistent="shift_forward") if instant.tz is None else instant
