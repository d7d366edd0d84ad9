"""Which command tells what came of the tests of a study?

Loaded by `geo_qmi.cli`: it parses, calls `geo_qmi.evaluating`, prints.
"""
# Without `from __future__ import annotations`, on purpose: Typer reads the annotations.

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from geo_qmi._french import FrenchCommand, typer
from geo_qmi.jury_commands import today
from geo_qmi.terminal import AsJson, OptionalStudy, app, open_study, print_json, print_table, read_tables

if TYPE_CHECKING:
    from geo_qmi.evaluating import Evaluation

#: Columns printed of each table; files hold them all.
_PRINTED = {
    "profils": ("Projet", "Quartier", "Critères évalués", "Maillon faible", "Niveau du maillon faible"),
    "protocoles": ("Projet", "Quartier", "État", "Seuils tranchés", "Seuils atteints", "Suite"),
    "resultats": ("Projet", "Indicateur", "État initial", "Dernière valeur", "Écart net", "Seuil atteint", "Preuve"),
    "ressemblances": ("Quartier du test", "Rang", "Quartier", "Distance", "Variables connues", "Diffère surtout par"),
    "hors_domaine": ("Quartier du test", "Quartier", "Variable", "Valeur", "Plus bas observé", "Plus haut observé"),
}


@app.command(
    cls=FrenchCommand,
    help="Évalue les tests d’une étude.\n\nRésultats face au protocole, réplicabilité, quartiers au contexte proche.",
)
def evaluate(
    study: OptionalStudy = None,
    project: Annotated[
        str | None, typer.Option("--project", metavar="PROJET", help="Un projet testé ; à défaut, tous.")
    ] = None,
    district: Annotated[
        str | None, typer.Option("--district", metavar="QUARTIER", help="Un quartier ; à défaut, tous.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DOSSIER", help="Écrit les tableaux (CSV) et une fiche par projet (HTML, PDF)."),
    ] = None,
    edition: Annotated[
        str, typer.Option("--edition", metavar="EDITION", help="Fiches pour : jury, candidats ou public.")
    ] = "jury",
    at: Annotated[
        str | None, typer.Option("--at", metavar="AAAA-MM-JJ", help="Jour du bilan ; à défaut, aujourd’hui à Paris.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what is known of the tests, warnings first, and write tables and sheets."""
    from geo_qmi import evaluating, mapping

    code, day = mapping.edition_of(edition), today(at)
    opened = None if out is None else open_study(study)
    tables = read_tables(study) if opened is None else opened.read_many(evaluating.TABLES)
    found = evaluating.evaluate(tables, project=project, district=district, as_of=day)
    written: list[Path] = []
    if out is not None and opened is not None and not found.nothing:
        parameters = {"project": project, "district": district, "edition": code, "at": day}
        about = {"inputs": {"study": opened.fingerprint()}, "parameters": parameters}
        written = evaluating.write(tables, out, found=found, edition=code, as_of=day, provenance=about, announce=_told)
    if as_json:
        print_json(_record(found))
        return
    _print(found)
    if written:
        typer.echo("Fichiers : " + ", ".join(map(str, written)))


def _told(number: int, total: int) -> None:
    typer.echo(f"Fiches : {number}/{total}…", err=True)


def _record(found: "Evaluation") -> dict[str, Any]:
    """Return what is told as plain JSON types."""
    import json

    from geo_qmi import evaluating

    rows = {
        name: json.loads(frame.to_json(orient="records", double_precision=15))
        for name, frame in evaluating.readable(found).items()
    }
    return {"title": found.title, "demo": found.demo, "nothing": found.nothing, "notes": list(found.notes), **rows}


def _print(found: "Evaluation") -> None:
    """Print the warnings, then each table that has rows."""
    from geo_qmi import evaluating

    typer.echo(found.title + (" [démonstration]" if found.demo else ""))
    if found.nothing:
        typer.echo(found.nothing)
    for warning in found.warnings:
        typer.echo(f"Attention : {warning}")
    for name, frame in evaluating.readable(found).items():
        if name not in _PRINTED or frame.empty:
            continue
        typer.echo(f"\n{evaluating.HEADINGS[name]}")
        columns = _PRINTED[name]
        cells = frame[list(columns)].itertuples(index=False, name=None)
        print_table(columns, [tuple(evaluating.cell(value) for value in row) for row in cells])
    for note in found.notes:
        typer.echo(note)
