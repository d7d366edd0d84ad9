"""What is told to one applicant: the sheet of its dossier, and why it is not in a district?

The sheets of a call are made from one matching: what they share is computed once. Nothing here decides or prints.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi import export, matching, sheets
from geo_qmi.export import delivery
from geo_qmi.jury.naming import labels
from geo_qmi.matching.sheet import LEXICON
from geo_qmi.runs import provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from geo_qmi.matching import Match, Refusals, Sheet
    from geo_qmi.runs import Prepared


def sheet(prepared: Prepared, result: Match, project_id: str) -> Sheet:
    """Return the explanation sheet of one candidate."""
    return next(_sheets(prepared, result, [project_id]))


def _sheets(prepared: Prepared, result: Match, project_ids: Sequence[str]) -> Iterator[Sheet]:
    """Yield the sheets of candidates; one left out is told where it waits, or why no score places it."""
    sources = {"Règles": f"{prepared.book.name}, SHA-256 {prepared.book.sha256}"}
    sources["Étude"] = f"empreinte SHA-256 {prepared.inputs['study']}"
    names = labels(prepared)
    reader = LEXICON if prepared.reader is None else prepared.reader.name
    reasons = dict(zip(result.plan.excluded["project_id"], result.plan.excluded["reason"], strict=True))
    waiting: dict[str, list[str]] = {}
    for row in result.plan.reserve.itertuples():
        waiting.setdefault(str(row.project_id), []).append(f"{names[str(row.district_id)]} (n°\u00a0{row.place})")
    made = matching.sheets(
        result.appraisal, project_ids, plan=result.plan.rows, names=names, sources=sources, reader=reader
    )
    for one in made:
        if one.status != "out":
            yield one
        elif one.project_id in waiting:
            places = ", ".join(waiting[one.project_id])
            yield replace(one, outcome=f"{one.outcome} En liste de réserve : {places}.")
        else:
            reason = reasons[one.project_id]
            yield replace(one, outcome=f"{one.outcome} Motif : {reason} ; pas de place en liste de réserve.")


def refusals(prepared: Prepared, result: Match) -> Refusals:
    """Return the call ready to say, for any candidate and district, what a place there would cost and what forbids it.

    What the answers share is computed once: keep it to ask again.
    """
    return matching.Refusals.of(
        result.scores,
        result.rules,
        themes=result.themes,
        criteria=result.goals,
        sites=result.sites,
        names=labels(prepared),
    )


def write_sheets(
    prepared: Prepared, result: Match, folder: Path, *, announce: Callable[[int, int], None] = lambda *_: None
) -> Path:
    """Write the sheet of every candidate, accepted and refused alike, as HTML, PDF and JSON.

    Parameters
    ----------
    announce
        Called with the number of sheets written and their total, after each.

    Returns
    -------
    Path
        ``index.csv``: which files belong to which candidate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    rows = []
    project_ids = [str(one) for one in result.appraisal.projects]
    for number, one in enumerate(_sheets(prepared, result, project_ids), 1):
        record = one.as_dict()
        stem = free_stem(one.project_id, taken)
        made = {"html": sheets.to_html(record).encode(), "pdf": sheets.to_pdf(record)}
        made["json"] = sheets.to_json(record).encode()
        delivery.deliver({f"{stem}.{form}": content for form, content in made.items()}, folder)
        rows.append((one.project_id, one.name, one.outcome, stem))
        announce(number, len(project_ids))
    index = pd.DataFrame(rows, columns=["Projet (identifiant)", "Projet", "Proposition", "Fichiers"])
    return export.export_frame(
        index,
        folder / "index.csv",
        title=f"Fiches d’explication — {prepared.title}",
        provenance=provenance(prepared, result),
    ).path


def free_stem(project_id: str, taken: set[str]) -> str:
    """Return a file name for an identifier somebody typed: letters, digits and dashes, used once whatever the case."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", project_id).strip("-")[:80] or "dossier"
    # « index » is the list, and some systems keep names such as « con » for themselves.
    stem = f"fiche-{stem}"
    number, free = 2, stem
    while free.casefold() in taken:
        free, number = f"{stem}-{number}", number + 1
    taken.add(free.casefold())
    return free
