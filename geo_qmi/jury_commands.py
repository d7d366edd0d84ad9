"""Which commands answer a jury: why this score, why not there, are these rules sound?

Loaded by `geo_qmi.cli`: each command parses, calls `geo_qmi.jury` or `geo_qmi.rulebook`, prints.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from geo_qmi._french import FrenchCommand, FrenchGroup, typer
from geo_qmi.terminal import (
    AsJson,
    At,
    Call,
    Candidates,
    OptionalStudy,
    app,
    grouped,
    open_study,
    print_json,
    print_table,
    read_tables,
)
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo_qmi.jury import Finding
    from geo_qmi.matching import Match, Sheet
    from geo_qmi.runs import Prepared

#: Rows of a table printed on a terminal; files hold them all.
_SHOWN = 30

Project = Annotated[str, typer.Argument(metavar="PROJET", help="Identifiant ou nom de la candidature.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DOSSIER", help="Écrit aussi les tableaux en fichiers.")]


def today(at: str | None) -> str:
    """Return the day given, or today in Paris."""
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from geo_qmi.errors import InputError, shown

    if at is None:
        return datetime.now(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%d")
    try:
        return date.fromisoformat(at).isoformat()
    except ValueError as error:
        raise InputError(
            f"--at : « {shown(at)} » n’est pas un jour. Attendu : AAAA-MM-JJ, par exemple 2026-09-01."
        ) from error


def studied(
    prepared: "Prepared", result: "Match", *, names: list[str], out: Path, sheets: Path | None
) -> tuple[list["Finding"], list[Path]]:
    """Return who waits, who may be the same, and the studies of a plan asked for by name; and the files written."""
    from geo_qmi import jury
    from geo_qmi.runs import provenance

    found = [jury.reserve(prepared, result), jury.duplicates(prepared.candidates, prepared.tables)]
    found += [jury.STUDIES[name](prepared, result) for name in names]
    about = provenance(prepared, result)
    written = [path for one in found for path in jury.write(one, out, title=prepared.title, provenance=about)]
    if sheets is not None:
        written.append(jury.write_sheets(prepared, result, sheets, announce=_told))
    return found, written


def _told(number: int, total: int) -> None:
    """Tell how many sheets are written, on the error stream, now and then."""
    if number % 20 == 0 or number == total:
        typer.echo(f"Fiches : {number}/{total}…", err=True)


def doubles_in(path: Path, *, table: str | None, layer: str | None) -> "Finding | None":
    """Return the applications of a file or a study that look alike; nothing when it holds none to compare."""
    from geo_qmi import intake, jury
    from geo_qmi.errors import GeoQmiError
    from geo_qmi.shipped import shipped_tables
    from geo_qmi.sources.files import read_file
    from geo_qmi.workspace import Study

    rows, known = None, None
    try:
        if path.suffix.lower() == ".gpkg" and table is None and layer is None:
            known = Study(path, read_only=True).read_many(("applications", "projects", "project_names"))
            rows = known["applications"]
        elif table in {None, "applications"}:
            raw = next(iter(read_file(path, layer=layer)))
            if table or intake.guess_table(raw) == "applications":
                rows, known = intake.take_in(raw, "applications").accepted, shipped_tables()
    except GeoQmiError:
        return None  # the check has said why
    if rows is None or known is None or rows.empty:
        return None
    return jury.duplicates(rows.rename(columns={"application_id": "project_id"}), known)


def write_wave(prepared: "Prepared", result: "Match", *, wave: str, at: str, out: Path) -> Path:
    """Write the dated scores of a phase, to be given to « next-wave »."""
    from geo_qmi import jury
    from geo_qmi.runs import provenance

    return _write_waves(jury.dated(prepared, result, wave=wave, at=at), out, about=provenance(prepared, result))


def _write_waves(rows: Any, out: Path, *, about: dict[str, Any]) -> Path:
    """Write table ``waves``."""
    from geo_qmi import export

    out.mkdir(parents=True, exist_ok=True)
    return export.export_table(rows, "waves", out / "waves.csv", provenance=about).path


def print_study(finding: "Finding") -> None:
    """Print what a study says, and the head of each of its tables; nothing when it has nothing to say."""
    from geo_qmi import jury

    if not finding.sentences:
        return
    typer.echo(f"\n{finding.title}")
    for sentence in finding.sentences:
        typer.echo(sentence)
    for name, frame in finding.tables.items():
        if frame.empty:
            continue
        shown = frame[[column for column in frame if not str(column).endswith("(identifiant)")]].head(_SHOWN)
        typer.echo(f"\n{jury.HEADINGS[name]}")
        print_table(list(map(str, shown.columns)), [tuple(map(_cell, row)) for row in shown.to_numpy()])
        if len(frame) > _SHOWN:
            typer.echo(f"… et {counted(len(frame) - _SHOWN, 'autre ligne')} : voir « {name}.csv ».")


def _cell(value: Any) -> str:
    """Return a value as a French reader expects it."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float):
        return "—" if math.isnan(value) else f"{value:.3f}".rstrip("0").rstrip(".").replace(".", ",")
    return "—" if value is None else str(value)


def _write(path: Path, content: "Callable[[], bytes]", *, suffix: str) -> None:
    """Write one sheet; a name of another kind, a study perhaps, is refused before anything is made."""
    from geo_qmi.errors import InputError, shown
    from geo_qmi.export import delivery

    if path.suffix.lower() != suffix:
        raise InputError(f"« {shown(path.name)} » : attendu un nom de fichier en {suffix}. Rien n’a été écrit.")
    delivery.require_target(path, layer=None, study_path=None)
    delivery.deliver({path.name: content()}, path.parent)


@app.command(
    cls=FrenchCommand,
    help="Explique le score d’une candidature.\n\nFiche complète : données, poids, quartier par quartier.",
)
@grouped
def explain(
    project: Project,
    call: Call,
    candidates: Candidates = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FICHIER.html", help="Écrit la fiche en page.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar="FICHIER.pdf", help="Écrit la fiche en PDF.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the explanation sheet of one candidate, or write it."""
    from geo_qmi import jury, sheets

    prepared = call.prepared(candidates)
    result = prepared.run()
    found = jury.sheet(prepared, result, jury.project_named(prepared, project))
    record = found.as_dict()
    if html is not None:
        _write(html, lambda: sheets.to_html(record).encode(), suffix=".html")
    if pdf is not None:
        _write(pdf, lambda: sheets.to_pdf(record), suffix=".pdf")
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
@grouped
def why_not(
    project: Project,
    target: Annotated[str, typer.Argument(metavar="QUARTIER", help="Identifiant, nom ou commune du quartier.")],
    call: Call,
    candidates: Candidates = None,
    as_json: AsJson = False,
) -> None:
    """Print what it would cost to put one candidate in one district."""
    from geo_qmi import jury

    prepared = call.prepared(candidates)
    result = prepared.run()
    project_id = jury.project_named(prepared, project)
    district_id = jury.district_named(prepared, target)
    found = jury.refusals(prepared, result).why_not(project_id, district_id)
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


@app.command(
    cls=FrenchCommand,
    name="next-wave",
    help="Repropose les dossiers refusés à une autre vague.\n\nScores repris avec leur date, candidatures nouvelles.",
)
@grouped
def next_wave(
    earlier: Annotated[
        Path, typer.Argument(metavar="VAGUES.csv", help="« waves.csv » écrit par « match --wave » ou « next-wave ».")
    ],
    wave: Annotated[str, typer.Argument(metavar="NOM", help="Nom de cette vague ; les règles peuvent la décrire.")],
    call: Call,
    candidates: Annotated[
        Path | None,
        typer.Option("--candidates", metavar="FICHIER", help="Candidatures nouvelles, ou à scorer de nouveau."),
    ] = None,
    at: At = None,
    out: Annotated[Path, typer.Option("--out", metavar="DOSSIER", help="Dossier des résultats.")] = Path("resultats"),
    as_json: AsJson = False,
) -> None:
    """Plan a later phase with the refused dossiers and their dated scores."""
    from geo_qmi import jury, rulebook, runs
    from geo_qmi.errors import DefectsError, InputError

    took = runs.taken(earlier, "waves")
    if took.n_quarantined:
        raise DefectsError(took.defects, title=f"Vagues de « {earlier.name} » refusées")
    book = rulebook.opened(call.rules, values=call.values())
    districts = call.district or jury.served(book, wave)
    if not districts:
        raise InputError(
            f"Vague « {wave} » : aucun quartier à servir. Donnez --district, ou une phase de ce nom dans les règles "
            "(section waves)."
        )
    fresh = call.prepared(candidates, districts=districts) if candidates or call.demo else None
    opened = open_study(call.study)
    found = jury.following(
        took.accepted.reset_index(drop=True),
        opened.read_many(("districts", "communes")),
        book=book,
        districts=districts,
        wave=wave,
        at=today(at),
        fresh=fresh,
    )
    about = {"inputs": {"study": opened.fingerprint(), "rules": book.sha256}, "parameters": {"districts": districts}}
    written = jury.write(found.finding, out, title=wave, provenance=about)
    written.append(_write_waves(found.rows, out, about=about))
    if as_json:
        print_json(found.finding.as_dict())
        return
    print_study(found.finding)
    typer.echo("Fichiers : " + ", ".join(map(str, written)))


@app.command(
    cls=FrenchCommand,
    help="Compare les notes de plusieurs évaluateurs.\n\nMoyenne et note corrigée de la sévérité, désaccords gardés.",
)
def evaluators(
    path: Annotated[Path, typer.Argument(metavar="NOTES", help="Fichier : projet, évaluateur, note.")],
    study: OptionalStudy = None,
    correct: Annotated[
        bool, typer.Option("--correct", help="Retient la note corrigée ; sans elle, la moyenne brute.")
    ] = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Print both rankings and the severity of each evaluator; exit 1 when some rows could not be read."""
    from geo_qmi import intake, jury, runs

    took = runs.taken(path, "marks")
    tables = read_tables(study)
    names = {
        **dict(zip(tables["projects"]["project_id"], tables["projects"]["name"], strict=True)),
        **dict(zip(tables["applications"]["application_id"], tables["applications"]["name"], strict=True)),
    }
    found = jury.evaluators(took.accepted, correct=correct, names=names)
    if took.defects:
        for line in intake.Report.of([took]).lines():
            typer.echo(line, err=True)
    written = [] if out is None else jury.write(found, out, title=path.name, provenance={"correct": correct})
    if as_json:
        print_json(found.as_dict() | {"n_refused": took.n_quarantined})
    else:
        print_study(found)
        if written:
            typer.echo("Fichiers : " + ", ".join(map(str, written)))
    raise typer.Exit(1 if took.n_quarantined else 0)


@app.command(
    cls=FrenchCommand,
    help="Montre les doublons probables et les autres noms.\n\nRien n’est fusionné ; chaque nom a sa source.",
)
def duplicates(
    candidates: Annotated[
        Path | None,
        typer.Argument(metavar="[CANDIDATURES]", help="Fichier de candidatures ; à défaut, celles de l’étude."),
    ] = None,
    study: OptionalStudy = None,
    as_json: AsJson = False,
) -> None:
    """Print the pairs to look at, and the other names of known projects."""
    from geo_qmi import jury, runs

    tables = read_tables(study)
    rows = tables["applications"] if candidates is None else runs.taken(candidates, "applications").accepted
    real = tables["projects"][["project_id", "name", "description"]]
    found = {
        "candidatures": jury.duplicates(rows.rename(columns={"application_id": "project_id"}), tables),
        "projets connus": jury.duplicates(real, tables),
    }
    names = jury.aliases(tables)
    if as_json:
        print_json({key: one.as_dict() for key, one in found.items()} | {"aliases": names.to_dict("records")})
        return
    for key, one in found.items():
        typer.echo(f"\nDoublons probables parmi les {key}" + (" : aucun." if not one.sentences else ""))
        print_study(one)
    typer.echo("\nAutres noms des projets connus, et leur source")
    print_table(list(names.columns[1:]), [tuple(map(_cell, row)) for row in names.iloc[:, 1:].to_numpy()])


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
        typer.echo(f"{path} : {counted(len(defects), 'défaut')}.")
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
