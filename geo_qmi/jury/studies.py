"""How far is the plan the only reasonable one, and who waits?

Plans near the best and their safe core, the plan under other weights, the plan nobody would leave, the reserve list:
each is a `Finding`, sentences and tables in French, for the command line and the dashboard alike. Nothing is decided or
printed here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import export, matching
from geo_qmi.jury.naming import labels, named, with_names
from geo_qmi.matching import robustness as weights
from geo_qmi.matching import stable as stability
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from geo_qmi.matching import Match
    from geo_qmi.runs import Prepared

#: Plans listed; the safe core does not depend on it.
_PLANS = 20
#: Weights drawn, one plan each: a share is known to about ± 0.1.
_DRAWS = 100
#: Draws for ranks, which need no plan: ± 0.03.
_RANK_DRAWS = 1_000


#: Name of a table → its heading, on a page and on a terminal.
HEADINGS = {
    "plans_voisins": "Plans voisins, le meilleur d’abord",
    "noyau_sur": "Noyau sûr, et paires qui varient",
    "robustesse": "Placements sous d’autres poids",
    "intervalles_de_poids": "Poids entre lesquels chaque placement tient",
    "modes": "Les deux modes côte à côte",
    "plan_stable": "Plan stable",
    "paires_bloquantes": "Paires qui bloquent le plan de meilleur total",
    "reserve": "Réserve",
    "duplicates": "Paires qui se ressemblent",
    "classements": "Les deux classements",
    "evaluateurs": "Sévérité des évaluateurs",
    "plan_de_vague": "Plan de la vague",
    "hors_plan": "Hors du plan",
}


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One study of a plan.

    Attributes
    ----------
    name, title
        Its code, and its French title.
    sentences
        What it says, in French.
    tables
        Name of a file, a key of `HEADINGS` → frame, with French headings.
    """

    name: str
    title: str
    sentences: tuple[str, ...]
    tables: dict[str, pd.DataFrame]

    def as_dict(self) -> dict[str, Any]:
        """Return the study as plain JSON types."""
        rows = {
            name: json.loads(frame.to_json(orient="records", double_precision=15))
            for name, frame in self.tables.items()
        }
        return {"title": self.title, "sentences": list(self.sentences), **rows}


def alternatives(
    prepared: Prepared, result: Match, *, announce: Callable[[str, float], None] = lambda *_: None
) -> Finding:
    """Return the plans within 1 % of the best, the pairs common to all of them and those that vary.

    `announce` is called with the French name of each stage and the share done, here and in the studies below.
    """
    near = matching.near_plans(
        result.scores,
        result.rules,
        themes=result.themes,
        sites=result.sites,
        criteria=result.by_criterion(),
        limit=_PLANS,
        announce=announce,
    )
    names = labels(prepared)
    core = near.core.assign(state="noyau sûr")
    varying = near.varying.assign(
        state=[
            "varie, dans le plan proposé" if best else "varie, dans un plan voisin" for best in near.varying["in_best"]
        ]
    )
    pairs = pd.concat([core, varying], ignore_index=True)[["project_id", "district_id", "state"]]
    plans = near.plans.rename(columns={"plan": "Plan", "points": "Points", "lost": "Points perdus"})
    return Finding(
        "alternatives",
        "Plans voisins",
        (near.sentence,),
        {
            "plans_voisins": plans,
            "noyau_sur": named(pairs.rename(columns={"state": "État"}), names),
        },
    )


def robustness(
    prepared: Prepared, result: Match, *, announce: Callable[[str, float], None] = lambda *_: None
) -> Finding:
    """Return how the plan holds when weights change: by draws over all weights, then one weight at a time, exactly."""
    title = "Si les poids étaient autres"
    criteria = result.by_criterion("low")
    if len(criteria) == 1:
        only = result.rules.label(next(iter(criteria)))
        said = f"Un seul critère compte ici ({only}) : aucun poids à faire varier."
        return Finding("robustness", title, (said,), {})
    take = result.rules.missing.take
    high = result.by_criterion("high")
    points = {name: low + take * (high[name] - low) for name, low in criteria.items()}
    shares = weights.plan_acceptability(
        points, result.rules, themes=result.themes, sites=result.sites, draws=_DRAWS,
        announce=lambda stage, share: announce(stage, share / 2),
    )  # fmt: skip
    ranks = weights.rank_acceptability(
        criteria, high=high, draws=_RANK_DRAWS, most=1,
        announce=lambda stage, share: announce(stage, 0.5 + share / 10),
    )  # fmt: skip
    first = ranks.rename(columns={"acceptability": "first"})[["project_id", "district_id", "first"]]
    best = result.plan.rows[["project_id", "district_id"]].assign(kept=True)
    keys = ["project_id", "district_id"]
    table = shares.merge(first, on=keys, how="outer").merge(best, on=keys, how="outer")
    table["kept"] = table["kept"].eq(True)
    table[["acceptability", "first"]] = table[["acceptability", "first"]].fillna(0.0)
    table = table.sort_values(["kept", "acceptability", *keys], ascending=[False, False, True, True], ignore_index=True)
    held = int((table["kept"] & (table["acceptability"] >= 0.9)).sum())
    current = {name: result.appraisal.weights[name] for name in criteria}
    spans = [
        weights.plan_ranges(
            points,
            current,
            rules=result.rules,
            criterion=name,
            themes=result.themes,
            sites=result.sites,
            announce=partial(announce, f"Poids : {result.rules.label(name)}", 0.6 + 0.4 * row / len(criteria)),
        ).assign(criterion=result.rules.label(name), now=current[name])
        for row, name in enumerate(criteria)
    ]
    ranges = pd.concat(spans, ignore_index=True)[["criterion", "now", *keys, "from", "to"]]
    said = (
        f"{_DRAWS} jeux de poids tirés au sort (graine 0) : {counted(held, 'placement')} du plan sur {len(best)} "
        "tiennent dans neuf tirages sur dix au moins."
    )
    return Finding(
        "robustness",
        title,
        (said, "Intervalles de poids exacts, un poids variant à la fois : fichier « intervalles_de_poids »."),
        {
            "robustesse": named(
                table[[*keys, "kept", "acceptability", "first"]].rename(
                    columns={
                        "kept": "Dans le plan",
                        "acceptability": "Part des plans",
                        "first": "Part des premiers rangs du quartier",
                    }
                ),
                labels(prepared),
            ),
            "intervalles_de_poids": named(
                ranges.rename(columns={"criterion": "Critère", "now": "Poids appliqué", "from": "De", "to": "À"}),
                labels(prepared),
            ),
        },
    )


def rank_shares(result: Match, *, announce: Callable[[str, float], None] = lambda *_: None) -> pd.DataFrame:
    """Return how often each candidate takes each rank of each district under other weights; raw codes, for a chart.

    Returns
    -------
    Columns of `geo_qmi.matching.robustness.rank_acceptability`; no row where one criterion alone counts, because no
    weight can vary.
    """
    criteria = result.by_criterion("low")
    found = weights.rank_acceptability(criteria, high=result.by_criterion("high"), draws=_RANK_DRAWS, announce=announce)
    return found if len(criteria) > 1 else found.head(0)


def stable(prepared: Prepared, result: Match, *, announce: Callable[[str, float], None] = lambda *_: None) -> Finding:
    """Return the plan no pair would leave, beside the plan of highest total; rankings are those of the scores."""
    announce("Propositions des projets, quartier par quartier", 0.0)
    by_projects, by_districts = stability.ranked(result.scores)
    options: dict[str, Any] = {"rules": result.rules, "themes": result.themes}
    found = stability.stable(by_projects, by_districts, **options)
    options |= {"by_districts": by_districts}
    announce("Les deux plans côte à côte", 0.5)
    table = stability.compare(result.plan.rows, found.rows, scores=result.scores, by_projects=by_projects, **options)
    modes = table[["label", "best", "stable"]].rename(
        columns={"label": "Mesure", "best": "Meilleur total", "stable": "Stable"}
    )
    blocking = stability.blocking_pairs(result.plan.rows, by_projects, **options)
    names = labels(prepared)
    limits = matching.limits_of(found.rows, result.scores, rules=result.rules, themes=result.themes, names=names)
    unkept = limits.loc[limits["broken"], "rule"].tolist()
    kept = (
        f"Règles que le plan stable ne tient pas : {' ; '.join(unkept)}."
        if unkept
        else ("Le plan stable tient toutes les règles.")
    )
    blocking = blocking.assign(now=blocking["now"].map(names), instead_of=blocking["instead_of"].map(names))
    blocking = named(blocking.rename(columns={"now": "Dans le plan", "instead_of": "À la place de"}), names)
    plan = found.rows.rename(
        columns={"project_rank": "Rang du quartier pour le projet", "district_rank": "Rang du projet dans le quartier"}
    )
    said = "Classements tirés des scores : chaque projet et chaque quartier préfèrent le score le plus haut."
    return Finding(
        "stable",
        "Plan stable",
        (with_names(found.sentence, names), kept, said),
        {"modes": modes, "plan_stable": named(plan, names), "paires_bloquantes": blocking},
    )


#: Studies of a plan, by the name of the option that asks for them.
STUDIES: dict[str, Callable[..., Finding]] = {
    "alternatives": alternatives,
    "robustness": robustness,
    "stable": stable,
}


def reserve(prepared: Prepared, result: Match) -> Finding:
    """Return who waits in each district, in the order of the calls."""
    waiting = result.plan.reserve
    words = {"place": "Ordre d’appel", "score": "Score", "tied": "À égalité"}
    columns = ["district_id", "place", "project_id", "score", "tied"]
    table = named(waiting[columns].rename(columns=words), labels(prepared))
    size = result.rules.reserve.size
    said = (
        f"Au plus {counted(size, 'candidature')} par quartier, le plus haut score appelé d’abord ; une même "
        "candidature peut attendre dans plusieurs quartiers."
    )
    return Finding("reserve", "Liste de réserve", (said,) if len(table) else (), {"reserve": table})


def limits(result: Match, names: Mapping[str, str]) -> pd.DataFrame:
    """Return what each rule of the plan asks and what the plan reaches, the binding ones first."""
    rows = result.plan.limits.sort_values("binding", ascending=False, kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "Règle": [with_names(rule, names) for rule in rows["rule"]],
            "Au moins": rows["low"],
            "Atteint": rows["reached"],
            "Au plus": rows["high"],
            "À sa limite": rows["binding"],
        }
    )


def write(finding: Finding, folder: Path, *, title: str, provenance: Mapping[str, Any]) -> list[Path]:
    """Write the tables of a study that have rows as CSV files of `folder`; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        export.export_frame(
            frame, folder / f"{name}.csv", title=f"{finding.title} — {title}", provenance=provenance
        ).path
        for name, frame in finding.tables.items()
        if len(frame)
    ]
