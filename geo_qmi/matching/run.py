"""What does one matching give, from the tables of a study to the plan?

`match` chains the steps that a command, a page and a script all need, so that the three cannot disagree. It adds no
rule of its own: see the module of each step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo_qmi.errors import InputError
from geo_qmi.matching.assignment import Assignment, assign
from geo_qmi.matching.explanation import explain
from geo_qmi.matching.profiles import needs, offers
from geo_qmi.matching.ranking import HostsFound, hosts_found, score_rows
from geo_qmi.matching.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

#: Name of each step, in French, as it is announced.
STEPS = ("Lecture des besoins", "Lecture des candidatures", "Calcul des scores", "Recherche du plan", "Explications")


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """One matching: everything that led to the plan.

    Attributes
    ----------
    needs, offers
        Tables ``needs`` and ``offers``.
    scores
        Projects × districts.
    rows
        Table ``scores``, the plan in its column ``assigned``.
    assignment
        The plan and who is out of it.
    explanations
        Every part of every score, as returned by `geo_qmi.matching.explain`.
    hosts
        How often the real host came first, when `match` was told the hosts.
    """

    needs: pd.DataFrame
    offers: pd.DataFrame
    scores: pd.DataFrame
    rows: pd.DataFrame
    assignment: Assignment
    explanations: pd.DataFrame
    hosts: HostsFound | None


def match(  # noqa: PLR0913 — the options of one run, keyword-only
    candidates: pd.DataFrame,
    study: Mapping[str, pd.DataFrame],
    *,
    districts: Sequence[str],
    id_column: str = "project_id",
    tags: pd.DataFrame | None = None,
    hosts: pd.DataFrame | None = None,
    low: int = 6,
    high: int = 8,
    announce: Callable[[str], None] = lambda _: None,
) -> Match:
    """Return the matching of `candidates` with `districts`.

    Parameters
    ----------
    candidates
        One row a project or application: `id_column` and its texts.
    study
        Tables ``objectives``, ``expected_solutions``, ``districts`` and ``lexicon``.
    districts
        Identifiers of the districts to fill.
    tags
        Table ``project_tags``, for candidates that have tags.
    hosts
        ``project_id``, ``district_id``: real hosts, to count how often they come first.
    low, high
        Projects in each district, both included.
    announce
        Called with the French name of each step as it begins.

    Raises
    ------
    InputError, InfeasibleError
        See each step.
    """
    unknown = sorted(set(districts) - set(study["districts"]["district_id"]))
    if unknown or not districts:
        raise InputError(
            f"Quartiers à servir inconnus : {', '.join(unknown) or '(aucun)'}. "
            f"Quartiers de l’étude : {', '.join(study['districts']['district_id'])}."
        )
    announce(STEPS[0])
    kept = [frame[frame["district_id"].isin(districts)] for frame in map(study.__getitem__, _NEED_TABLES)]
    asked = needs(*kept, lexicon=study["lexicon"])
    announce(STEPS[1])
    brought = offers(candidates, lexicon=study["lexicon"], id_column=id_column, tags=tags)
    announce(STEPS[2])
    scores = score(asked, brought, project_ids=candidates[id_column], district_ids=districts)
    announce(STEPS[3])
    assignment = assign(scores, low=low, high=high)
    announce(STEPS[4])
    rows = score_rows(scores, plan=assignment.plan)
    parts = explain(asked, brought, pairs=rows[["project_id", "district_id"]])
    found = None if hosts is None else hosts_found(scores, hosts[hosts["district_id"].isin(districts)])
    return Match(asked, brought, scores, rows, assignment, parts, found)


_NEED_TABLES = ("objectives", "expected_solutions", "districts")
