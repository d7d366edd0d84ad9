"""Which commands answer a jury: why this score, why not there, are these rules sound?

Loaded by `geo_qmi.cli`: each command parses, calls `geo_qmi.jury` or `geo_qmi.rulebook`, prints.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from geo_qmi._french import FrenchCommand, FrenchGroup, typer
from geo_qmi.terminal import (
    AsJson,
    Demo,
    Districts,
    Field,
    High,
    Low,
    OptionalStudy,
    RulesPath,
    app,
    open_study,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from geo_qmi.jury import Finding
    from geo_qmi.matching import Match, Sheet
    from geo_qmi.runs import Prepared

#: Rows of a table printed on a terminal; files hold them all.
_SHOWN = 40

Project = Annotated[str, typer.Argument(metavar="PROJET", help="Identifiant ou nom de la candidature.")]
Candidates = Annotated[
    Path | None,
    typer.Option("--candidates", metavar="FICHIER", help="Fichier de candidatures ; à défaut, les 28 projets réels."),
]


def quotas(low: int | None, high: int | None) -> dict[str, float]:
    """Return the quotas given as options, as values of a rule file."""
    given = {"quotas.low": low, "quotas.high": high}
    return {path: value for path, value in given.items() if value is not None}


def studied(
    prepared: "Prepared", result: "Match", *, names: list[str], out: Path, sheets: Path | None
) -> tuple[list["Finding"], list[Path]]:
    """Return the studies of a plan that were asked for by name, and the files written."""
    if not names and sheets is None:
        return [], []
    from geo_qmi import jury

    found = [jury.STUDIES[name](prepared, result) for name in names]
    written = [path for one in found for path in jury.write(one, prepared, result, folder=out)]
    if sheets is not None:
        written.append(jury.write_sheets(prepared, result, sheets))
    return found, written


def print_study(finding: "Finding") -> None:
    """Print what a study says, and the head of each of its tables."""
    typer.echo(f"\n{finding.title}")
    for sentence in finding.sentences:
        typer.echo(sentence)
    for name, frame in finding.tables.items():
        if frame.empty:
            continue
        shown = frame[[column for column in frame if not str(column).endswith("(identifiant)")]].head(_SHOWN)
        print_table(list(map(str, shown.columns)), [tuple(map(_cell, row)) for row in shown.to_numpy()])
        if len(frame) > _SHOWN:
            typer.echo(f"… et {len(frame) - _SHOWN} autre(s) ligne(s) : voir « {name}.csv ».")


def _cell(value: Any) -> str:
    """Return a value as a French reader expects it."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float):
        return "—" if math.isnan(value) else f"{value:.3f}".rstrip("0").rstrip(".").replace(".", ",")
    return "—" if value is None else str(value)


@app.command(
    cls=FrenchCommand,
    help="Explique le score d’une candidature.\n\nFiche complète : données, poids, quartier par quartier.",
)
def explain(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    project: Project,
    candidates: Candidates = None,
    study: OptionalStudy = None,
    rules: RulesPath = None,
    low: Low = None,
    high: High = None,
    demo: Demo = False,
    field: Field = False,
    district: Districts = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FICHIER.html", help="Écrit la fiche en page.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar="FICHIER.pdf", help="Écrit la fiche en PDF.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the explanation sheet of one candidate, or write it."""
    from geo_qmi import jury, sheets

    prepared, result = _matched(
        study, candidates, demo=demo, district=district, rules=rules, low=low, high=high, field=field
    )
    found = jury.sheet(prepared, result, jury.project_named(prepared, project))
    record = found.as_dict()
    if html is not None:
        html.write_text(sheets.to_html(record), encoding="utf-8", newline="\n")
    if pdf is not None:
        pdf.write_bytes(sheets.to_pdf(record))
    if as_json:
        print_json(record)
        return
    _print_sheet(found)
    for path in (html, pdf):
        if path is not None:
            typer.echo(f"Fiche écrite : {path}")


def _print_sheet(found: "Sheet") -> None:
    """Print what a sheet says, the longest tables left to the page and the PDF."""
    from geo_qmi import sheets

    record = found.as_dict()
    typer.echo(f"{found.name} ({found.project_id}){' [démonstration]' * found.demo}")
    typer.echo(found.outcome)
    for part in record["districts"]:
        typer.echo(f"\n{sheets.heading(part)}")
        rows = [*sheets.criteria_rows(part), sheets.total_row(part)]
        print_table(sheets.CRITERIA_HEADER[:5], [row[:5] for row in rows])
    typer.echo("\nParamètres appliqués")
    print_table(("Paramètre", "Valeur"), found.parameters)
    typer.echo(found.legal_frame)
    typer.echo(found.legal_caution)


@app.command(
    cls=FrenchCommand,
    name="why-not",
    help="Dit pourquoi une candidature n’est pas là.\n\nQui elle déplacerait, ce que le plan perdrait, quelle règle.",
)
def why_not(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    project: Project,
    target: Annotated[str, typer.Argument(metavar="QUARTIER", help="Identifiant, nom ou commune du quartier.")],
    candidates: Candidates = None,
    study: OptionalStudy = None,
    rules: RulesPath = None,
    low: Low = None,
    high: High = None,
    demo: Demo = False,
    field: Field = False,
    district: Districts = None,
    as_json: AsJson = False,
) -> None:
    """Print what it would cost to put one candidate in one district."""
    from geo_qmi import jury

    prepared, result = _matched(
        study, candidates, demo=demo, district=district, rules=rules, low=low, high=high, field=field
    )
    found = jury.why_not(
        prepared,
        result,
        project_id=jury.project_named(prepared, project),
        district_id=jury.district_named(prepared, target),
    )
    if as_json:
        import json

        print_json(
            {
                "project_id": found.project_id,
                "district_id": found.district_id,
                "placed": found.placed,
                "possible": found.possible,
                "points_lost": found.points_lost,
                "rule": found.rule,
                "moved": json.loads(found.moved.to_json(orient="records")),
                "sentence": found.sentence,
            }
        )
        return
    typer.echo(found.sentence)


def _matched(
    study: Path | None,
    candidates: Path | None,
    *,
    demo: bool,
    district: list[str] | None,
    rules: Path | None,
    low: int | None,
    high: int | None,
    field: bool,
) -> tuple["Prepared", "Match"]:
    """Return a matching and what it was made from."""
    from geo_qmi import rulebook, runs

    book = rulebook.opened(rules, values=quotas(low, high))
    prepared = runs.prepare(
        open_study(study), candidates=candidates, demo=demo, districts=district, book=book, field=field
    )
    for line in prepared.notes:
        typer.echo(line, err=True)
    return prepared, prepared.run()


_rules = typer.Typer(cls=FrenchGroup, add_completion=False, rich_markup_mode=None, subcommand_metavar="ACTION")
app.add_typer(_rules, name="rules", help="Vérifie ou copie un fichier de règles.")


@_rules.command(cls=FrenchCommand, name="check", help="Vérifie un fichier de règles et dit tous ses défauts.")
def check_rules(
    path: Annotated[Path, typer.Argument(metavar="FICHIER.toml", help="Fichier de règles.")],
    study: OptionalStudy = None,
    as_json: AsJson = False,
) -> None:
    """Print every defect; exit 0 when clean, 1 with defects, 2 when unreadable."""
    from dataclasses import asdict

    from geo_qmi import matching, rulebook
    from geo_qmi.errors import DefectsError

    applied: dict[str, Any] | None = None
    try:
        book = rulebook.opened(path)
    except DefectsError as error:
        defects = error.defects
    else:
        applied, defects = book.rules.as_dict(), []
        if study is not None:
            tables = open_study(study).read_many(("projects", "applications", "districts"))
            projects = [*tables["projects"]["project_id"], *tables["applications"]["application_id"]]
            defects = matching.unknown_ids(book.rules, projects=projects, districts=tables["districts"]["district_id"])
    verdict = "defects" if defects else "ok"
    if as_json:
        print_json({"verdict": verdict, "defects": [asdict(defect) for defect in defects], "rules": applied})
    elif defects:
        typer.echo(f"{path} : {len(defects)} défaut(s).")
        for defect in defects:
            typer.echo(f"- {defect.sentence()}")
    else:
        typer.echo(
            f"{path} : aucune erreur." + ("" if study else " Avec --study, les identifiants sont vérifiés aussi.")
        )
    raise typer.Exit(1 if defects else 0)


@_rules.command(cls=FrenchCommand, name="copy", help="Copie les règles livrées, commentées, pour les modifier.")
def copy_rules(
    path: Annotated[Path, typer.Argument(metavar="FICHIER.toml", help="Fichier à créer ; il ne doit pas exister.")],
) -> None:
    """Write the shipped rule file to a new file."""
    from geo_qmi import rulebook
    from geo_qmi.errors import InputError

    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(rulebook.shipped_text())
    except FileExistsError as error:
        raise InputError(f"« {path} » existe déjà : choisissez un autre nom.") from error
    except OSError as error:
        raise InputError(f"« {path} » ne peut pas être écrit : vérifiez le dossier.") from error
    typer.echo(f"Règles copiées : {path}. Ensuite : geo-qmi rules check {path} · geo-qmi match --rules {path}")
