"""What does one matching give, from the tables of a study to the plan?

`match` chains the steps that a command, a page and a script all need, so that the three cannot disagree. It adds no
rule of its own: see the module of each step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from geo_qmi.errors import InputError
from geo_qmi.matching.assignment import require_enough
from geo_qmi.matching.criteria import appraise
from geo_qmi.matching.explanation import explain
from geo_qmi.matching.plan import Plan, main_themes, plan
from geo_qmi.matching.profiles import needs, offers
from geo_qmi.matching.ranking import HostsFound, hosts_found, score_rows
from geo_qmi.matching.readers import needs_by, offers_by
from geo_qmi.matching.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geo_qmi.matching.criteria import Appraisal
    from geo_qmi.matching.readers import ThemeReader

#: Name of each step, in French, as it is announced.
STEPS = ("Lecture des besoins", "Lecture des candidatures", "Calcul des scores", "Recherche du plan", "Explications")


class Texts(NamedTuple):
    """What was read in the texts of districts and candidates: tables ``needs`` and ``offers``."""

    needs: pd.DataFrame
    offers: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Match:
    """One matching: everything that led to the plan.

    Attributes
    ----------
    appraisal
        Every pair on every criterion, with the rules and the inputs.
    scores
        Projects × districts: the point of each interval that the plan uses.
    plan
        The best plan under the rules, and who is out of it.
    rows
        Table ``scores``, the plan in its column ``assigned``.
    hosts
        How often the real host came first, when `match` was told the hosts.
    """

    appraisal: Appraisal
    scores: pd.DataFrame
    plan: Plan
    rows: pd.DataFrame
    hosts: HostsFound | None

    @cached_property
    def explanations(self) -> pd.DataFrame:
        """Every part of the agreement of themes, as returned by `geo_qmi.matching.explain`, worked out when asked for.

        The other criteria are in `criterion_rows`.
        """
        asked, brought = self.appraisal.needs, self.appraisal.offers
        pairs = self.rows[["project_id", "district_id"]]
        return explain(asked, brought, layer_weights=self.rules.layers, pairs=pairs)

    @property
    def rules(self) -> Rules:
        """Return the rules as applied."""
        return self.appraisal.rules

    @property
    def themes(self) -> pd.DataFrame:
        """Return the themes each project counts for in the bounds of the rules."""
        return main_themes(self.appraisal.offers)

    @property
    def sites(self) -> pd.DataFrame | None:
        """Return the places on which each project can surely stand, for synergies on one place."""
        return self.appraisal.sites()

    @property
    def goals(self) -> dict[str, pd.DataFrame]:
        """Return the criteria that the order of objectives names, as the plan took them."""
        return _means(self.appraisal)

    def counted(self) -> list[str]:
        """Return the criteria that count, in the order of the vocabulary."""
        return [name for name, weight in self.appraisal.weights.items() if weight > 0]

    def by_criterion(self, end: str = "low") -> dict[str, pd.DataFrame]:
        """Return criterion that counts → projects × districts, at the ``low`` or ``high`` end of the intervals."""
        rows, columns = self.appraisal.projects, self.appraisal.districts
        criteria = self.appraisal.criteria
        return {
            name: pd.DataFrame(getattr(criteria[name], end), index=rows, columns=columns) for name in self.counted()
        }


def match(  # noqa: PLR0913 — the inputs of one matching, keyword-only
    candidates: pd.DataFrame,
    study: Mapping[str, pd.DataFrame],
    *,
    districts: Sequence[str],
    rules: Rules | None = None,
    tags: pd.DataFrame | None = None,
    hosts: pd.DataFrame | None = None,
    field: pd.DataFrame | None = None,
    present: pd.DataFrame | None = None,
    reader: ThemeReader | None = None,
    texts: Texts | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Match:
    """Return the matching of `candidates` with `districts`.

    Parameters
    ----------
    candidates
        One row a project or application: ``project_id``, its texts and, where the call asks them, its site needs.
    study
        Tables ``objectives``, ``expected_solutions``, ``districts`` and ``lexicon``; ``candidate_places`` if any.
    districts
        Identifiers of the districts to fill.
    rules
        The rule file, as returned by `geo_qmi.matching.rules_from`; the published needs alone and 6 to 8 projects in
        each district by default.
    tags
        Table ``project_tags``, for candidates that have tags.
    hosts
        ``project_id``, ``district_id``: real hosts, to count how often they come first.
    field
        Table ``needs`` of the layer ``field``, to compare with what was said on the ground; left out by default.
    present
        Projects already deployed in the districts: ``project_id``, ``district_id`` and texts; none by default, and
        nobody can then bring something they do not.
    reader
        What reads the texts of districts and projects alike; the lexicon by default.
    texts
        As returned by `read_texts` for the same candidates, study, districts, tags and reader, where they were read
        already: rules do not change them.
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
    applied = rules or Rules()
    asked, brought = texts or read_texts(
        candidates, study, districts=districts, tags=tags, reader=reader, announce=announce
    )
    if field is not None and len(field):
        asked = pd.concat([asked, field[field["district_id"].isin(districts)]], ignore_index=True)
    there = None
    if present is not None and len(present):
        homes = present[["project_id", "district_id"]]
        there = homes.merge(_read(present, study, study.get("project_tags"), reader), on="project_id")
    announce(STEPS[2])
    hosting = study["districts"][study["districts"]["district_id"].isin(districts)]
    starts = {
        str(ident): None if pd.isna(start) else str(start)
        for ident, start in zip(hosting["district_id"], hosting["start"], strict=True)
    }
    appraisal = appraise(
        candidates,
        needs=asked,
        offers=brought,
        districts=districts,
        rules=applied,
        places=study.get("candidate_places"),
        starts=starts,
        present=there,
    )
    scores = appraisal.scores()
    announce(STEPS[3])
    require_enough(scores, low={district: applied.quotas.of(district).low for district in scores.columns})
    best = plan(scores, applied, themes=main_themes(brought), criteria=_means(appraisal), sites=appraisal.sites())
    announce(STEPS[4])
    rows = score_rows(scores, plan=best.rows)
    found = None if hosts is None else hosts_found(scores, hosts[hosts["district_id"].isin(districts)])
    return Match(appraisal, scores, best, rows, found)


def read_texts(
    candidates: pd.DataFrame,
    study: Mapping[str, pd.DataFrame],
    *,
    districts: Sequence[str],
    tags: pd.DataFrame | None = None,
    reader: ThemeReader | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Texts:
    """Return what the texts of districts and candidates say; parameters as for `match`."""
    announce(STEPS[0])
    kept = [frame[frame["district_id"].isin(districts)] for frame in map(study.__getitem__, _NEED_TABLES)]
    asked = needs(*kept, lexicon=study["lexicon"]) if reader is None else needs_by(reader, *kept)
    announce(STEPS[1])
    return Texts(asked, _read(candidates, study, tags, reader))


def _read(
    projects: pd.DataFrame, study: Mapping[str, pd.DataFrame], tags: pd.DataFrame | None, reader: ThemeReader | None
) -> pd.DataFrame:
    """Return what projects bring, by the lexicon or by the reader that was given."""
    if reader is None:
        return offers(projects, lexicon=study["lexicon"], id_column="project_id", tags=tags)
    return offers_by(reader, projects, tags=tags)


_NEED_TABLES = ("objectives", "expected_solutions", "districts")


def _means(appraisal: Appraisal) -> dict[str, pd.DataFrame]:
    """Return criterion → projects × districts at the point of the rules, for an order of objectives that names them."""
    take = appraisal.rules.missing.take
    rows, columns = appraisal.projects, appraisal.districts
    return {
        name: pd.DataFrame(judged.low + take * (judged.high - judged.low), index=rows, columns=columns)
        for name, judged in appraisal.criteria.items()
        if name in appraisal.rules.objective.order
    }


def criterion_rows(appraisal: Appraisal) -> pd.DataFrame:
    """Return every pair on every criterion, without words: see `geo_qmi.matching.reasons` for those.

    Returns
    -------
    DataFrame
        ``project_id``, ``district_id``, ``criterion``, ``label``, ``weight`` (as applied), ``low``, ``high`` (0–1),
        ``contribution_low``, ``contribution_high``, which add up to both ends of the total of the pair.
    """
    n_projects, n_districts = appraisal.low.shape
    frames = []
    for name, judged in appraisal.criteria.items():
        low, high = judged.low.ravel(), judged.high.ravel()
        weight = appraisal.weights[name]
        frames.append(
            pd.DataFrame(
                {
                    "project_id": appraisal.projects.repeat(n_districts),
                    "district_id": appraisal.districts.to_numpy().tolist() * n_projects,
                    "criterion": name,
                    "label": appraisal.rules.label(name),
                    "weight": weight,
                    "low": low,
                    "high": high,
                    "contribution_low": weight * low,
                    "contribution_high": weight * high,
                }
            )
        )
    rows = pd.concat(frames, ignore_index=True)
    return rows.sort_values(["project_id", "district_id"], kind="stable", ignore_index=True)
