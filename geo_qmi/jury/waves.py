"""Which dossiers come back in a later phase of the call, and with which dated scores?

A matching leaves its scores in every district of the call, with its name and its day (`dated`, table ``waves``). A
later phase offers the dossiers that were refused to its own districts, beside new ones (`following`): a score is taken
as it was, with its date, unless the dossier is given again; a district where none was computed stays unknown.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_qmi import matching, schema
from geo_qmi.errors import DefectsError, InputError, shown
from geo_qmi.jury.naming import labels, named
from geo_qmi.jury.studies import Finding
from geo_qmi.matching import decisions
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo_qmi.matching import Match, Plan
    from geo_qmi.rulebook import Rulebook
    from geo_qmi.runs import Prepared

_UNREAD = (
    "Attention : {} hors de toute borne de thème, faute de texte dans la reprise. Pour en tenir compte, donnez de "
    "nouveau la candidature avec --candidates."
)


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """One later phase.

    Attributes
    ----------
    plan
        The best plan of its districts.
    origins
        ``project_id``, ``district_id``, ``score``, ``scored_at``, ``wave``, ``dated``: where each score comes from.
    rows
        Table ``waves``: the earlier phases and this one, to be given to the next.
    finding
        The same, worded.
    """

    plan: Plan
    origins: pd.DataFrame
    rows: pd.DataFrame
    finding: Finding


def served(book: Rulebook, wave: str) -> list[str]:
    """Return the districts the rules give to a phase; none when they do not name it."""
    return [district for phase in book.rules.waves.phases if phase.name == wave for district in phase.districts]


def dated(prepared: Prepared, result: Match, *, wave: str, at: str) -> pd.DataFrame:
    """Return the scores of a matching in every district of the call, to be taken up by a later phase.

    The districts are those of the phases of the rules, or all of the study without phases. What the jury decided in
    the log of the study (for this phase, or without one) takes the place of what the plan proposed.

    Parameters
    ----------
    prepared, result
        The matching.
    wave
        Name of the phase.
    at
        Day of the scores, ``AAAA-MM-JJ``.
    """
    phases = prepared.book.rules.waves.phases
    later = [district for phase in phases for district in phase.districts]
    known = prepared.tables["districts"]["district_id"]
    everywhere = sorted({*prepared.districts, *(later or known)})
    whole = dataclasses.replace(prepared.unplanned(), districts=everywhere, hosts=None).run()
    rows = matching.score_rows(whole.scores, plan=_decided(prepared, result, wave))
    names = labels(prepared)
    told = rows.assign(wave=wave, scored_at=at, name=rows["project_id"].map(names))
    return _checked(schema.typed(told[list(schema.columns("waves"))], "waves"))


def _decided(prepared: Prepared, result: Match, wave: str) -> pd.DataFrame:
    """Return ``project_id``, ``district_id`` of the retained dossiers: as decided, else as proposed."""
    proposed = result.plan.rows[["project_id", "district_id"]]
    log = prepared.tables.get("decisions")
    if log is None:
        return proposed
    mine = log["project_id"].isin(prepared.candidates["project_id"]) & log["wave"].fillna(wave).eq(wave)
    if not mine.any():
        return proposed
    kept = decisions.replay(log[mine])[["project_id", "district_id"]]
    return pd.concat([proposed[~proposed["project_id"].isin(log.loc[mine, "project_id"])], kept], ignore_index=True)


def following(
    earlier: pd.DataFrame,
    tables: Mapping[str, Any],
    *,
    book: Rulebook,
    districts: Sequence[str],
    wave: str,
    at: str,
    fresh: Prepared | None = None,
) -> Wave:
    """Return the plan of a later phase.

    Parameters
    ----------
    earlier
        Table ``waves`` of the phases before.
    tables
        ``districts`` and ``communes``, for names.
    book
        The rules of this phase.
    districts
        Districts of this phase.
    wave, at
        Its name and day.
    fresh
        New candidates, and earlier ones to score again; only the refused dossiers by default.

    Raises
    ------
    InputError
        No district, nobody to place, a phase of that name or a later date already there, a placed dossier given again.
    InfeasibleError
        The rules of this phase leave no plan.
    """
    past = _checked(schema.typed(earlier, "waves"))
    names = dict(zip(past["project_id"], past["name"], strict=True)) | _places(tables, districts)
    columns = pd.Index(sorted(districts), dtype="str")
    scores, themes, sites, new = pd.DataFrame(columns=columns, dtype="float64"), None, None, past.head(0)
    if fresh is not None:
        result = dataclasses.replace(fresh.unplanned(), districts=list(columns), hosts=None).run()
        scores, themes, sites = result.scores, result.themes, result.sites
        names |= labels(fresh)
        new = dated(fresh, dataclasses.replace(result, plan=_nobody(result)), wave=wave, at=at)
    matrix, origins = matching.next_wave(past, scores, wave=wave, at=at)
    if matrix.empty:
        raise InputError(f"Vague « {shown(wave)} » : aucun dossier refusé à reproposer, aucune candidature nouvelle.")
    themes = pd.DataFrame(columns=["project_id", "theme"], dtype="str") if themes is None else themes
    plan = matching.plan(matrix, book.rules, themes=themes, names=names, sites=sites)
    rows = _longer(past, new, origins, plan, names=names, wave=wave, at=at)
    finding = _worded(plan, origins, matrix, names=names, wave=wave)
    read = [] if fresh is None else fresh.candidates["project_id"].tolist()
    if book.rules.theme_bounds and (unread := len(matrix.index.difference(read))):
        finding = dataclasses.replace(
            finding, sentences=(*finding.sentences, _UNREAD.format(counted(unread, "dossier")))
        )
    return Wave(plan, origins, rows, finding)


def _nobody(result: Match) -> Plan:
    """Return the plan of a matching without anybody in it: the plan of the phase is made later, with all dossiers."""
    return dataclasses.replace(result.plan, rows=result.plan.rows.head(0))


def _places(tables: Mapping[str, Any], districts: Sequence[str]) -> dict[str, str]:
    """Return district → « Quartier (Commune) »."""
    rows = tables["districts"].set_index("district_id")
    communes = tables["communes"].set_index("insee")["name"]
    unknown = sorted(set(districts) - set(rows.index))
    if unknown or not len(districts):
        raise InputError(
            f"Quartiers de la vague inconnus : {', '.join(unknown) or '(aucun)'}. "
            f"Quartiers de l’étude : {', '.join(rows.index)}."
        )
    named_here = rows.loc[list(districts)]
    return {
        str(district): str(commune) if pd.isna(name) else f"{name} ({commune})"
        for district, name, commune in zip(
            named_here.index, named_here["name"], named_here["insee"].map(communes), strict=True
        )
    }


def _checked(rows: pd.DataFrame) -> pd.DataFrame:
    """Return table ``waves``, or raise `DefectsError`."""
    defects = schema.validate(rows, "waves")
    if defects:
        raise DefectsError(defects, title="Vagues refusées")
    return rows


def _longer(
    past: pd.DataFrame,
    new: pd.DataFrame,
    origins: pd.DataFrame,
    plan: Plan,
    *,
    names: Mapping[str, str],
    wave: str,
    at: str,
) -> pd.DataFrame:
    """Return the phases before and this one: new scores everywhere, and what this phase placed."""
    placed = set(zip(plan.rows["project_id"], plan.rows["district_id"], strict=True))
    again = origins[origins["dated"]]
    pairs = zip(again["project_id"], again["district_id"], strict=True)
    taken = again[np.fromiter((pair in placed for pair in pairs), dtype=bool, count=len(again))]
    # A score taken up from an earlier phase keeps its own row and date there; here, only that it was placed with it.
    kept = taken[["project_id", "district_id", "score", "scored_at"]].assign(wave=wave)
    both = pd.concat([new.assign(scored_at=at), kept], ignore_index=True)
    assigned = [pair in placed for pair in zip(both["project_id"], both["district_id"], strict=True)]
    both = both.assign(name=both["project_id"].map(dict(names)), assigned=assigned)
    longer = pd.concat([past, both[list(past)]], ignore_index=True)
    return _checked(schema.typed(longer, "waves"))


def _worded(plan: Plan, origins: pd.DataFrame, matrix: pd.DataFrame, *, names: Mapping[str, str], wave: str) -> Finding:
    """Return the plan of a phase, its reserve and who is out of it, with the date of each score."""
    dates = origins.assign(
        origin=[
            f"repris de « {one} »" if old else "nouveau"
            for one, old in zip(origins["wave"], origins["dated"], strict=True)
        ]
    )[["project_id", "district_id", "scored_at", "origin"]]
    words = {"score": "Score", "scored_at": "Date du score", "origin": "Origine", "place": "Ordre d’appel"}
    keys = ["project_id", "district_id"]
    placed = plan.rows[[*keys, "score"]].merge(dates, on=keys, how="left")
    placed = placed.sort_values(["district_id", "score"], ascending=[True, False], ignore_index=True)
    waiting = plan.reserve[["district_id", "place", "project_id", "score"]].merge(dates, on=keys, how="left")
    out = plan.excluded.rename(columns={"reason": "Motif"})
    back = origins.loc[origins["dated"], "project_id"].nunique()
    said = (
        f"Vague « {wave} » : {counted(len(matrix), 'dossier')}, dont {back} repris avec leurs scores datés ; "
        f"{counted(len(plan.rows), 'placé')}, {len(plan.excluded)} hors plan."
    )
    tables = {
        "plan_de_vague": named(placed.rename(columns=words), names),
        "reserve": named(waiting.rename(columns=words), names),
        "hors_plan": named(out, names),
    }
    return Finding("wave", f"Vague « {wave} »", (said, plan.said), tables)
