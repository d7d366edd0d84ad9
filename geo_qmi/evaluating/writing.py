"""How does the evaluation of a project leave the study, on a screen, on paper and in tables?

One sheet a project, whatever the districts it was tested in: profile first, weakest link, how many persons marked and
when, what is missing, then what was measured, what was learnt and where else. No name of a rater is on any sheet; what
they wrote is on the jury's only. Demonstration says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import export, mapping, sheets
from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.evaluating.gathering import evaluate
from geo_qmi.evaluating.profile import narrowed, radar
from geo_qmi.evaluating.telling import HEADINGS, cell, readable
from geo_qmi.export import delivery
from geo_qmi.jury.dossiers import free_stem
from geo_qmi.vocabulary import NEXT_STEPS
from geo_qmi.wording import day_words, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from geo_qmi.charts import Chart
    from geo_qmi.evaluating.gathering import Evaluation

    Tables = Mapping[str, pd.DataFrame]

DEMO = "Démonstration : projet, mesures et notes inventés, ne rien en conclure."
#: Columns of the tables of a sheet, and the part of the page each takes.
_CRITERIA = {
    "Critère": 0.24,
    "Médiane basse": 0.09,
    "Sens du niveau": 0.29,
    "Plus bas": 0.07,
    "Plus haut": 0.07,
    "Personnes": 0.1,
    "Dernière note": 0.14,
}
_MARKS = {"Critère": 0.24, "Niveau": 0.1, "Noté le": 0.14, "Justification": 0.52}
_WORDS = {"criterion": "Critère", "level": "Niveau", "marked_on": "Noté le", "justification": "Justification"}
_DAYS = {"Noté le", "Dernière note"}
_NEAR = {"Rang": 0.06, "Quartier": 0.28, "Distance": 0.1, "Variables connues": 0.12, "Diffère surtout par": 0.44}
_BEYOND = {"Quartier": 0.28, "Variable": 0.36, "Valeur": 0.12, "Plus bas observé": 0.12, "Plus haut observé": 0.12}
_NUMBERS = {
    "Médiane basse", "Plus bas", "Plus haut", "Personnes", "Niveau", "Rang", "Distance", "Valeur", "Plus bas observé",
    "Plus haut observé",
}  # fmt: skip


def sheet(tables: Tables, project: str, *, edition: str = "jury", as_of: str | None = None) -> dict[str, Any]:
    """Return the record of the sheet of one project, for `geo_qmi.sheets.report_html` and `report_pdf`.

    Parameters
    ----------
    tables
        `geo_qmi.evaluating.TABLES` of a study, at least.
    project
        Identifier or name of a project that was tested.
    edition
        Code or French word of an edition; justifications are in the jury's only.
    as_of
        Day at which the tests are told; today by default.

    Raises
    ------
    UnknownNameError
        No such edition, or no test of such a project.
    """
    code = mapping.edition_of(edition)
    found = evaluate(tables, project=project, as_of=as_of)
    if found.tests.empty:
        raise UnknownNameError(f"Aucun test du projet « {shown(project)} ».")
    ident = found.tests["project_id"].iloc[0]
    told = readable(found)
    marks = tables["replicability_marks"]
    sections = []
    for test in found.tests.to_dict("records"):
        mine = marks[(marks["project_id"] == ident) & (marks["district_id"] == test["district_id"])]
        sections += _test(found, told, mine, test=test, words=code == "jury")
    return {
        "kind": "Fiche d’évaluation",
        "title": found.projects.get(ident, ident),
        "subtitle": f"Projet {ident} · testé à : {' ; '.join(found.tests['district'])}",
        "demo": DEMO if found.demo else "",
        "lead": [f"{row.district_name} : {row.sentence}" for row in _profiles(found).itertuples(index=False)],
        "warnings": list(found.warnings),
        "sections": [*sections, *_elsewhere(found, told)],
        "notes": list(found.notes),
    }


def write(
    tables: Tables,
    folder: Path,
    *,
    found: Evaluation,
    edition: str = "jury",
    as_of: str | None = None,
    provenance: Mapping[str, Any] | None = None,
    announce: Callable[[int, int], None] = lambda *_: None,
) -> list[Path]:
    """Write the tables of an evaluation as CSV, and the sheet of each of its projects as HTML and PDF.

    Parameters
    ----------
    folder
        Made if need be; earlier files of the same names are replaced.
    found
        What `geo_qmi.evaluating.evaluate` returned of `tables`.
    edition, as_of
        See `sheet`.
    provenance
        Inputs and parameters for the cards.
    announce
        Called with the number of sheets written and their total, after each.

    Returns
    -------
    list
        Paths written, tables first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [
        export.export_frame(
            frame, folder / f"{name}.csv", title=f"{HEADINGS[name]} — {found.title}", provenance=provenance
        ).path
        for name, frame in readable(found).items()
        if len(frame)
    ]
    projects = list(dict.fromkeys(found.tests["project_id"]))
    taken: set[str] = set()
    for place, project in enumerate(projects, 1):
        record = sheet(tables, project, edition=edition, as_of=as_of)
        stem = free_stem(project, taken)
        made = {f"{stem}.html": sheets.report_html(record).encode(), f"{stem}.pdf": sheets.report_pdf(record)}
        written += delivery.deliver(made, folder)
        announce(place, len(projects))
    return written


def _profiles(found: Evaluation) -> pd.DataFrame:
    rows = found.replicability.projects
    return rows.assign(district_name=rows["district_id"].map(found.districts).fillna(rows["district_id"]))


def _test(
    found: Evaluation, told: Mapping[str, pd.DataFrame], marks: pd.DataFrame, *, test: Mapping[Any, Any], words: bool
) -> list[dict[str, Any]]:
    """Return the sections of one test: profile, protocol, results, what comes next."""
    alone = narrowed(found, test)
    profile, name = alone.replicability.criteria, str(test["district"])
    tables = [_table(told["criteres"].loc[profile.index], _CRITERIA, caption="Cinq critères, niveaux publiés de 0 à 3")]
    reasons = marks.dropna(subset="justification")
    if words and len(reasons):
        titles = profile.set_index("criterion_id")["criterion"]
        said = reasons.assign(criterion=reasons["criterion_id"].map(titles)).rename(columns=_WORDS)
        tables.append(_table(said, _MARKS, caption="Ce qui fonde les notes (édition du jury, sans nom)"))
    chart = radar(alone, name=str(test["project"]))
    sections = [_section(f"Profil de réplicabilité — {name}", [], tables=tables, chart=chart)]
    if alone.protocols.empty:
        return [*sections, _section(f"Protocole — {name}", ["Aucun protocole : le test n’annonçait rien."])]
    row = alone.protocols.iloc[0]
    results = alone.outcomes.indicators["sentence"].tolist()
    return [
        *sections,
        _section(f"Protocole — {name}", _protocol(row)),
        _section(f"Ce qui a été mesuré — {name}", results or ["Aucun indicateur choisi."]),
        _section(f"Enseignement et suite — {name}", _after(row)),
    ]


def _section(
    title: str, sentences: list[str], *, tables: list[dict[str, Any]] | None = None, chart: Chart | None = None
) -> dict[str, Any]:
    return {"title": title, "sentences": sentences, "tables": tables or [], "chart": chart}


def _protocol(row: pd.Series[Any]) -> list[str]:
    """Say what was announced, when, and against what."""

    def day(column: str) -> str:
        return day_words(row[column]) if isinstance(row[column], str) else "non précisé"

    left = "" if pd.isna(row["months"]) else f", soit {number(row['months'], digits=1)} mois de mesure"
    window = f"test du {day('starts_on')} au {day('ends_on')} ({row['state']})"
    return [
        f"Hypothèse. {row['hypothesis']}",
        f"Arrêté le {day('registered_on')} ; {window} ; déployé le {day('deployed_on')}{left}.",
        f"Comparaison : {row['comparison'] if isinstance(row['comparison'], str) else 'aucune'}.",
        f"Seuils atteints : {row['n_reached']}/{row['n_decided']} tranchés, sur {row['n_indicators']} choisis.",
    ]


def _after(row: pd.Series[Any]) -> list[str]:
    """Say what was learnt and what comes next: stopping is one of the ways out."""
    learnt = row["learning"] if isinstance(row["learning"], str) else "Rien n’est encore écrit."
    return [learnt, f"Suite : {NEXT_STEPS[row['next_step']]}."]


def _elsewhere(found: Evaluation, told: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return where else the project could be tried, from each district it was tested in."""
    sections = []
    for test in found.lookalikes:
        name = found.districts.get(test, test)
        tables = []
        for key, columns in (("ressemblances", _NEAR), ("hors_domaine", _BEYOND)):
            rows = told[key]
            mine = rows[rows["Quartier du test"] == name] if len(rows) else rows
            if len(mine):
                tables.append(_table(mine, columns, caption=HEADINGS[key]))
        sections.append(_section(f"Où d’autre, vu de {name}", [], tables=tables))
    return sections


def _table(frame: pd.DataFrame, columns: Mapping[str, float], *, caption: str) -> dict[str, Any]:
    """Return a table as plain cells."""
    told = frame[list(columns)].assign(
        **{day: frame[day].map(day_words, na_action="ignore") for day in _DAYS & set(columns)}
    )
    rows = [[cell(value) for value in row] for row in told.itertuples(index=False, name=None)]
    right = [place for place, column in enumerate(columns) if column in _NUMBERS]
    return {
        "caption": caption,
        "header": list(columns),
        "shares": list(columns.values()),
        "right": right,
        "rows": rows,
    }
