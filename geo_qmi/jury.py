"""What does a jury ask of a matching once it is made?

How far the plan is the only reasonable one, whether it holds when weights change, how it compares with a plan nobody
would leave, which question to ask an applicant, and one explanation sheet a dossier. The runs that cross the wings for
the command line and the dashboard; a run decides nothing and prints nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import export, matching, sheets
from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.matching import robustness as weights
from geo_qmi.matching import stable as stability
from geo_qmi.runs import provenance
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geo_qmi.matching import Match, Sheet, WhyNot
    from geo_qmi.runs import Prepared

#: Plans listed; the safe core does not depend on it.
_PLANS = 20
#: Weights drawn, one plan each: a share is known to about ± 0.1.
_DRAWS = 100
#: Draws for ranks, which need no plan: ± 0.03.
_RANK_DRAWS = 1_000


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
        Name of a file → frame, with French headings.
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


def labels(prepared: Prepared) -> dict[str, str]:
    """Return project and district identifier → name shown."""
    names = dict(zip(prepared.candidates["project_id"], prepared.candidates["name"].astype("str"), strict=True))
    return names | {district: prepared.place(district) for district in prepared.districts}


def alternatives(prepared: Prepared, result: Match) -> Finding:
    """Return the plans within 1 % of the best, the pairs common to all of them and those that vary."""
    near = matching.near_plans(
        result.scores, result.rules, themes=result.themes, criteria=result.by_criterion(), limit=_PLANS
    )
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
            "noyau_sur": _named(pairs.rename(columns={"state": "État"}), prepared),
        },
    )


def robustness(prepared: Prepared, result: Match) -> Finding:
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
    shares = weights.plan_acceptability(points, result.rules, themes=result.themes, draws=_DRAWS)
    ranks = weights.rank_acceptability(criteria, high=high, draws=_RANK_DRAWS, most=1)
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
        weights.plan_ranges(points, current, rules=result.rules, criterion=name, themes=result.themes).assign(
            criterion=result.rules.label(name), now=current[name]
        )
        for name in criteria
    ]
    ranges = pd.concat(spans, ignore_index=True)[["criterion", "now", *keys, "from", "to"]]
    said = (
        f"{_DRAWS} jeux de poids tirés au sort (graine 0) : {held} placement(s) du plan sur {len(best)} "
        "tiennent dans neuf tirages sur dix au moins."
    )
    return Finding(
        "robustness",
        title,
        (said, "Intervalles de poids exacts, un poids variant à la fois : fichier « intervalles_de_poids »."),
        {
            "robustesse": _named(
                table[[*keys, "kept", "acceptability", "first"]].rename(
                    columns={
                        "kept": "Dans le plan",
                        "acceptability": "Part des plans",
                        "first": "Part des premiers rangs du quartier",
                    }
                ),
                prepared,
            ),
            "intervalles_de_poids": _named(
                ranges.rename(columns={"criterion": "Critère", "now": "Poids appliqué", "from": "De", "to": "À"}),
                prepared,
            ),
        },
    )


def stable(prepared: Prepared, result: Match) -> Finding:
    """Return the plan no pair would leave, beside the plan of highest total; rankings are those of the scores."""
    by_projects, by_districts = stability.ranked(result.scores)
    quotas = result.rules.quotas
    found = stability.stable(by_projects, by_districts, quotas=quotas)
    options: dict[str, Any] = {"by_projects": by_projects, "by_districts": by_districts, "quotas": quotas}
    table = stability.compare(result.plan.rows, found.rows, scores=result.scores, **options)
    modes = table[["label", "best", "stable"]].rename(
        columns={"label": "Mesure", "best": "Meilleur total", "stable": "Stable"}
    )
    blocking = stability.blocking_pairs(result.plan.rows, by_projects, by_districts=by_districts, quotas=quotas)
    names = labels(prepared)
    blocking = blocking.assign(now=blocking["now"].map(names), instead_of=blocking["instead_of"].map(names))
    blocking = _named(blocking.rename(columns={"now": "Dans le plan", "instead_of": "À la place de"}), prepared)
    plan = found.rows.rename(
        columns={"project_rank": "Rang du quartier pour le projet", "district_rank": "Rang du projet dans le quartier"}
    )
    said = "Classements tirés des scores : chaque projet et chaque quartier préfèrent le score le plus haut."
    return Finding(
        "stable",
        "Plan stable",
        (_with_names(found.sentence, names), said),
        {"modes": modes, "plan_stable": _named(plan, prepared), "paires_bloquantes": blocking},
    )


def _with_names(sentence: str, names: dict[str, str]) -> str:
    """Return a sentence with names in place of the identifiers it quotes."""
    return re.sub(r"[\w-]+", lambda found: names.get(found[0], found[0]), sentence)


#: Studies of a plan, by the name of the option that asks for them.
STUDIES: dict[str, Callable[[Prepared, Match], Finding]] = {
    "alternatives": alternatives,
    "robustness": robustness,
    "stable": stable,
}


def _named(frame: pd.DataFrame, prepared: Prepared) -> pd.DataFrame:
    """Return `frame` with the names of projects and districts beside their identifiers, under French headings."""
    names = labels(prepared)
    rest = [column for column in frame if column not in {"project_id", "district_id"}]
    head = {
        "Projet (identifiant)": frame["project_id"],
        "Projet": frame["project_id"].map(names),
        "Quartier (identifiant)": frame["district_id"],
        "Quartier": frame["district_id"].map(names),
    }
    return pd.concat([pd.DataFrame(head), frame[rest]], axis=1)


def write(finding: Finding, prepared: Prepared, result: Match, *, folder: Path) -> list[Path]:
    """Write the tables of a study as CSV files of `folder`; return their paths."""
    return [
        export.export_frame(
            frame,
            folder / f"{name}.csv",
            title=f"{finding.title} — {prepared.title}",
            provenance=provenance(prepared, result),
        ).path
        for name, frame in finding.tables.items()
    ]


def project_named(prepared: Prepared, asked: str) -> str:
    """Return the identifier of a candidate given by identifier or name, whatever its case and accents.

    Raises
    ------
    UnknownNameError
        No such candidate, or several of that name.
    """
    return _one(dict(zip(prepared.candidates["project_id"], prepared.candidates["name"], strict=True)), asked, "Projet")


def district_named(prepared: Prepared, asked: str) -> str:
    """Return the identifier of a district given by identifier, name or commune.

    Raises
    ------
    UnknownNameError
        No such district in this call, or several.
    """
    districts = prepared.tables["districts"].set_index("district_id").loc[prepared.districts]
    communes = prepared.tables["communes"].set_index("insee")["name"]
    if asked in districts.index:
        return asked
    # A district has a name of its own only when a document gives it one: its commune names it too.
    for column in (districts["insee"].map(communes), districts["name"]):
        if fold(asked) in {fold(str(name)) for name in column.dropna()}:
            return _one(column.dropna().to_dict(), asked, "Quartier")
    return _one({ident: prepared.place(str(ident)) for ident in districts.index}, asked, "Quartier")


def _one(names: dict[Any, Any], asked: str, noun: str) -> str:
    """Return the only identifier that `asked` means."""
    if asked in names:
        return asked
    found = [
        str(ident) for ident, name in names.items() if fold(str(name)) == fold(asked) or fold(str(ident)) == fold(asked)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownNameError(f"{noun} « {shown(asked)} » : plusieurs portent ce nom ({', '.join(found[:5])}).")
    known = ", ".join(f"{ident} ({name})" for ident, name in list(names.items())[:5])
    more = "…" if len(names) > 5 else ""
    raise UnknownNameError(f"{noun} inconnu : « {shown(asked)} ». Connus : {known}{more}")


def sheet(prepared: Prepared, result: Match, project_id: str) -> Sheet:
    """Return the explanation sheet of one candidate."""
    sources = {"Règles": f"{prepared.book.name}, SHA-256 {prepared.book.sha256}"}
    sources["Étude"] = f"empreinte SHA-256 {prepared.inputs['study']}"
    return matching.sheet(result.appraisal, project_id, plan=result.plan.rows, names=labels(prepared), sources=sources)


def why_not(prepared: Prepared, result: Match, *, project_id: str, district_id: str) -> WhyNot:
    """Return what it would cost to put a candidate in a district, and what stands in the way."""
    return matching.why_not(
        result.scores,
        result.rules,
        project_id=project_id,
        district_id=district_id,
        themes=result.themes,
        criteria=result.by_criterion(),
        names=labels(prepared),
    )


def write_sheets(prepared: Prepared, result: Match, folder: Path) -> Path:
    """Write the sheet of every candidate, accepted and refused alike, as HTML, PDF and JSON.

    Returns
    -------
    Path
        ``index.csv``: which files belong to which candidate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    rows = []
    for project_id in result.appraisal.projects:
        record = sheet(prepared, result, str(project_id)).as_dict()
        stem = _free_stem(str(project_id), taken)
        (folder / f"{stem}.html").write_text(sheets.to_html(record), encoding="utf-8", newline="\n")
        (folder / f"{stem}.pdf").write_bytes(sheets.to_pdf(record))
        (folder / f"{stem}.json").write_text(sheets.to_json(record), encoding="utf-8", newline="\n")
        rows.append((project_id, record["name"], record["outcome"], stem))
    index = pd.DataFrame(rows, columns=["Projet (identifiant)", "Projet", "Proposition", "Fichiers"])
    return export.export_frame(
        index,
        folder / "index.csv",
        title=f"Fiches d’explication — {prepared.title}",
        provenance=provenance(prepared, result),
    ).path


def _free_stem(project_id: str, taken: set[str]) -> str:
    """Return a file name for an identifier somebody typed: letters, digits and dashes, used once whatever the case."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", project_id).strip("-")[:80] or "dossier"
    # « index » is the list, and some systems keep names such as « con » for themselves.
    stem = f"fiche-{stem}"
    number, free = 2, stem
    while free.casefold() in taken:
        free, number = f"{stem}-{number}", number + 1
    taken.add(free.casefold())
    return free
