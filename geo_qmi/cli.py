"""What can be done from a terminal?

Each command parses, calls, prints: the work is done in the wings. Output is French for people, JSON on request for
programs. Exit codes: 0 all is well, 1 defects in the data or no possible plan, 2 wrong usage or unreadable file.
Heavy modules load inside the commands, so that ``--help`` answers at once.
"""

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from geo_qmi._french import FrenchCommand, complaint, typer
from geo_qmi.terminal import (
    AsJson,
    At,
    Call,
    Crs,
    LayerName,
    OptionalStudy,
    ReportPath,
    StudyPath,
    app,
    free_path,
    grouped,
    mapping,
    open_study,
    print_json,
    print_lines,
    print_table,
    read_tables,
)
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from geo_qmi.matching.run import Match

#: New objects between two rounds of the garbage collector, in a process that ends with its command. At Python's 700 it
#: goes through hundreds of thousands of lasting objects again and again while modules load: a sixth of a map on paper.
_COLLECT_EVERY = 50_000


@app.command(cls=FrenchCommand, help="Crée une étude à partir des données livrées.")
def init(
    path: Annotated[Path, typer.Argument(metavar="ETUDE.gpkg", help="Fichier à créer ; il ne doit pas exister.")],
) -> None:
    """Write the shipped study to a new file."""
    from geo_qmi.shipped import shipped_tables
    from geo_qmi.workspace import Study

    tables = shipped_tables()
    study = Study.create(path, tables)
    counts = study.tables()
    demo = sum(int(frame["demo"].sum()) for frame in tables.values() if "demo" in frame)
    filled = sum(n > 0 for n in counts.values())
    typer.echo(
        f"Étude créée : {study.path} ({filled} tables, {sum(counts.values())} lignes, dont {demo} de démonstration)."
    )
    typer.echo(f"Ensuite : geo-qmi check {path} · geo-qmi match --study {path} --out resultats · geo-qmi app {path}")


@app.command(cls=FrenchCommand, help="Liste les tables d’une étude.")
def tables(study: OptionalStudy = None) -> None:
    """Print the tables with their number of rows, places and private columns."""
    from geo_qmi import schema

    rows = []
    for name, frame in read_tables(study).items():
        placed = f"{int(frame.geometry.notna().sum())}" if "geometry" in frame else "—"
        private = "table entière" if schema.table(name).metadata["private"] else ", ".join(schema.private_columns(name))
        rows.append((name, schema.label(name), str(len(frame)), placed, private or "—"))
    print_table(("Table", "Contenu", "Lignes", "Avec lieu", "Colonnes privées"), rows)


@app.command(cls=FrenchCommand, help="Vérifie un fichier ou une étude et dit tous les défauts.")
def check(
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="Fichier de données ou étude.")],
    table: Annotated[str | None, typer.Option("--as", metavar="TABLE", help="Table à laquelle comparer.")] = None,
    study: OptionalStudy = None,
    crs: Crs = None,
    layer: LayerName = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLONNE=CHAMP", help="Colonne à lire comme ce champ ; « COLONNE= » l’ignore."),
    ] = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Print every defect; exit 0 when clean, 1 with defects, 2 when unreadable."""
    from geo_qmi import intake
    from geo_qmi.errors import NotAStudyError
    from geo_qmi.workspace import Study

    if report is not None and report.exists() and path.exists() and report.samefile(path):
        raise typer.BadParameter(f"« {report} » est le fichier à vérifier : donnez un autre nom au rapport.")
    found = None
    if path.suffix.lower() == ".gpkg" and table is None and layer is None and path.is_file():
        try:
            found = intake.check_study(Study(path, read_only=True).read_many())
        except NotAStudyError:
            found = None  # an ordinary GeoPackage: its layers are checked like any file
    if found is None:
        known = None if study is None else read_tables(study)
        found = intake.check_file(path, table=table, crs=crs, mapping=mapping(column), known=known, layer=layer)
    if report is not None:
        found.to_csv(report)
    doubles = jury_commands.doubles_in(path, table=table, layer=layer)
    record = found.as_dict() | ({} if doubles is None else {"duplicates": doubles.as_dict()})
    print_lines(found.lines(), as_json=record if as_json else None)
    if doubles is not None and not as_json:
        jury_commands.print_study(doubles)
    raise typer.Exit(0 if found.verdict == "ok" else 1)


@app.command(
    cls=FrenchCommand,
    name="import",
    help="Importe les lignes valides d’un fichier.\n\nLes autres vont en quarantaine, avec leurs motifs.",
)
def import_(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="Fichier de données.")],
    table: Annotated[str, typer.Option("--as", metavar="TABLE", help="Table de l’étude.")],
    study: StudyPath,
    crs: Crs = None,
    layer: LayerName = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLONNE=CHAMP", help="Colonne à lire comme ce champ ; « COLONNE= » l’ignore."),
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Met à jour les lignes déjà présentes.")] = False,
    quarantine: Annotated[
        Path | None,
        typer.Option("--quarantine", metavar="FICHIER.csv", help="Où écrire les lignes refusées et leurs motifs."),
    ] = None,
    actor: Annotated[str, typer.Option("--actor", metavar="NOM", help="Qui importe, pour le journal.")] = "",
    as_json: AsJson = False,
) -> None:
    """Import valid rows in one transaction; write the others, with reasons, to a CSV file."""
    from geo_qmi import intake
    from geo_qmi.workspace import Study

    target = Study(study)
    took = intake.import_file(
        target, path, table=table, crs=crs, mapping=mapping(column), layer=layer, update=update, actor=actor
    )
    found = intake.Report.of([took])
    lines = found.lines()
    if took.n_quarantined:
        kept = intake.write_quarantine(took, quarantine or free_path(Path(f"{path.stem}.quarantaine.csv")))
        lines.append(f"Lignes refusées, avec leurs motifs : {kept}")
    new = took.n_ok - took.n_replaced
    added, replaced = counted(new, "ligne ajoutée"), counted(took.n_replaced, "mise à jour")
    lines.append(f"Étude {study} : {added}, {replaced} dans « {table} ».")
    print_lines(lines, as_json=found.as_dict() if as_json else None)
    raise typer.Exit(0 if found.verdict == "ok" else 1)


@app.command(
    cls=FrenchCommand, help="Apparie candidatures et quartiers.\n\nChaque score est expliqué ; le plan est optimal."
)
@grouped
def match(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    call: Call,
    candidates: Annotated[
        Path | None,
        typer.Argument(metavar="[CANDIDATURES]", help="Fichier de candidatures ; à défaut, les 28 projets réels."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DOSSIER", help="Dossier des résultats.")] = Path("resultats"),
    alternatives: Annotated[
        bool, typer.Option("--alternatives", help="Ajoute les plans à moins de 1 % du meilleur et leur noyau sûr.")
    ] = False,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Ajoute ce que le plan devient quand les poids changent.")
    ] = False,
    stable: Annotated[bool, typer.Option("--stable", help="Ajoute le plan stable, comparé au meilleur total.")] = False,
    sheets: Annotated[
        Path | None, typer.Option("--sheets", metavar="DOSSIER", help="Écrit une fiche d’explication par candidature.")
    ] = None,
    wave: Annotated[
        str | None, typer.Option("--wave", metavar="NOM", help="Date les scores de cette vague pour « next-wave ».")
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Score, plan and explain; write the files, with what a jury asks for, and print the plan."""
    from geo_qmi import jury, rulebook, runs

    served = None if wave is None else jury.served(rulebook.opened(call.rules), wave)
    prepared = call.prepared(candidates, districts=served)
    result = prepared.run(announce=lambda step: typer.echo(f"{step}…", err=True))
    written = runs.write(prepared, result, out)
    wanted = {"alternatives": alternatives, "robustness": robustness, "stable": stable}
    studied, more = jury_commands.studied(
        prepared, result, names=[name for name, asked in wanted.items() if asked], out=out, sheets=sheets
    )
    written += more
    if wave is not None:
        written.append(jury_commands.write_wave(prepared, result, wave=wave, at=jury_commands.today(at), out=out))
    if as_json:
        print_json(runs.summary(prepared, result) | {one.name: one.as_dict() for one in studied})
    else:
        _print_plan(prepared, result)
        for one in studied:
            jury_commands.print_study(one)
        typer.echo("Fichiers : " + ", ".join(map(str, written)))
    raise typer.Exit(1 if prepared.n_refused else 0)


@app.command(
    cls=FrenchCommand,
    help="Efface une personne de l’étude, sans retour.\n\nSes observations et leurs traces au journal disparaissent ; "
    "aucun import ne la ramène.",
)
def forget(
    pseudonym: Annotated[str, typer.Argument(metavar="PSEUDONYME", help="Pseudonyme de la personne.")],
    study: StudyPath,
    actor: Annotated[str, typer.Option("--actor", metavar="NOM", help="Qui efface, pour le journal.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Efface vraiment ; sans elle, dit seulement quoi.")] = False,
) -> None:
    """Erase a person; without ``--yes`` only say what would be erased."""
    from geo_qmi.workspace import Study

    opened = Study(study)
    if not yes:
        n_rows = int(opened.read("observations")["participant_id"].eq(pseudonym).sum())
        typer.echo(f"« {pseudonym} » : {counted(n_rows, 'observation')} de l’étude à effacer, avec les traces.")
        typer.echo("Rien n’a été effacé. L’effacement ne s’annule pas : ajoutez --yes pour le faire.")
        raise typer.Exit(1)
    erased = opened.forget(pseudonym, actor=actor)
    typer.echo("Effacé : " + ", ".join(f"{counted(n, 'ligne')} de « {name} »" for name, n in erased.items()) + ".")
    typer.echo("Une empreinte salée, qui ne dit pas qui, empêchera un nouvel import de ramener cette personne.")
    typer.echo("Les copies, exports et éditions déjà faits ne sont pas atteints : effacez-les ou refaites-les.")


@app.command(cls=FrenchCommand, help="Affiche le diagnostic d’un quartier, ou les compare.")
def diagnosis(
    district: Annotated[
        str | None, typer.Argument(metavar="[QUARTIER]", help="Identifiant du quartier ; à défaut, tous comparés.")
    ] = None,
    study: OptionalStudy = None,
    as_json: AsJson = False,
) -> None:
    """Print the sheet of one district, or the indicators of all side by side."""
    from geo_qmi import sensitive
    from geo_qmi.dashboard import fieldwork
    from geo_qmi.maps import words

    tables = read_tables(study)
    idents = [district] if district is not None else list(tables["districts"]["district_id"])
    sheets = [sensitive.diagnosis(ident, tables=tables) for ident in idents]
    if district is None:
        sections = {"Indicateurs": sensitive.comparison(sheets).rename(columns={"label": "Indicateur"})}
    else:
        sections = {title: fieldwork.worded(frame) for title, frame in sheets[0].sections().items()}
    mark = " [démonstration]" if any(sheet.demo for sheet in sheets) else ""
    title = f"Diagnostic : {sheets[0].title if district else 'tous les quartiers'}{mark}"
    if as_json:
        records = {name: fieldwork.records(frame) for name, frame in sections.items()}
        print_json({"title": title, "demo": bool(mark), "sections": records})
        return
    typer.echo(title)
    for name, frame in sections.items():
        typer.echo(f"\n{name}")
        if frame.empty:
            typer.echo("Rien n’a été recueilli.")
            continue
        cells = [
            tuple("—" if cell is None else words(cell) for cell in row.values()) for row in fieldwork.records(frame)
        ]
        print_table([str(column) for column in frame.columns], cells)


@app.command(cls=FrenchCommand, help="Affiche le journal des écritures d’une étude.")
def journal(
    study: Annotated[Path, typer.Argument(metavar="ETUDE", help="Fichier de l’étude.")],
    last: Annotated[int, typer.Option("--last", metavar="N", help="Nombre d’écritures à montrer.")] = 20,
) -> None:
    """Print the last writes."""
    from geo_qmi.workspace import Study

    shown = Study(study, read_only=True).journal().tail(last)
    print_table(
        ("N°", "Quand (UTC)", "Qui", "Action", "Table", "Motif", "Avant", "Après"),
        [tuple("" if value is None else str(value) for value in row[:8]) for row in shown.itertuples(index=False)],
    )


@app.command(cls=FrenchCommand, help="Annule la dernière écriture d’une étude.")
def undo(study: Annotated[Path, typer.Argument(metavar="ETUDE", help="Fichier de l’étude.")]) -> None:
    """Revert the last write that was not undone yet."""
    from geo_qmi.workspace import Study

    opened = Study(study)
    opened.undo()
    typer.echo(f"Annulé : {opened.journal().iloc[-1]['reason']}.")


@app.command(cls=FrenchCommand, name="app", help="Ouvre le tableau de bord dans le navigateur.")
def dashboard(
    study: Annotated[
        Path | None, typer.Argument(metavar="[ETUDE]", help="Fichier de l’étude ; à défaut, l’étude livrée.")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", metavar="N", help="Port local.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="N’enregistre rien.")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="N’ouvre pas le navigateur.")] = False,
) -> None:
    """Serve the dashboard on this machine only, until interrupted."""
    import os

    from geo_qmi.dashboard import command

    if study is not None:
        open_study(study)
    arguments, environment = command(study, port=port, read_only=read_only)
    if headless:
        arguments += ["--server.headless", "true"]
    # The server takes the place of this process: whatever stops one stops the other.
    os.execve(arguments[0], arguments, environment)  # noqa: S606 — our own command, no shell


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; anything wrong ends with one French sentence and 1 or 2."""
    from geo_qmi.errors import GeoQmiError, InfeasibleError, refusal, shown

    gc.set_threshold(_COLLECT_EVERY, *gc.get_threshold()[1:])
    if (sys.argv[1:] if arguments is None else list(arguments)) in ([], ["--help"]):
        typer.echo(_overview())
        sys.exit(0)
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="geo-qmi", standalone_mode=False)
    except typer.TyperException as error:
        typer.echo(f"Erreur : {complaint(error)} Aide : geo-qmi --help", err=True)
        sys.exit(2)
    except typer.Abort:
        typer.echo("Interrompu.", err=True)
        sys.exit(130)
    except GeoQmiError as error:
        typer.echo(f"Erreur : {error}", err=True)
        sys.exit(1 if isinstance(error, InfeasibleError) else 2)
    except OSError as error:
        where = shown(error.filename or "fichier ou dossier")
        typer.echo(f"Erreur : « {where} » : {refusal(error)}. Vérifiez le chemin et vos droits.", err=True)
        sys.exit(2)
    if code == 130:  # Typer turns Ctrl+C into this code, without a word
        typer.echo("Interrompu.", err=True)
    sys.exit(code if isinstance(code, int) else 0)


def _overview() -> str:
    """Return the help of the whole; Typer would build each command and its options first, for a third of the wait."""
    commands = [
        (str(command.name or getattr(command.callback, "__name__", "")), str(command.help))
        for command in app.registered_commands
    ]
    commands += [(str(group.name), str(group.help)) for group in app.registered_groups]
    width = max(len(name) for name, _ in commands)
    listed = [f"  {name:<{width}}  {help_.split(chr(10))[0]}" for name, help_ in commands]
    about = f"Usage : geo-qmi [OPTIONS] COMMANDE [ARGUMENTS]…\n\n  {app.info.help}\n"
    options = "Options :\n  --help  Affiche cette aide.\n"
    return "\n".join([about, options, "Commandes :", *listed])


def _print_plan(prepared: Any, result: "Match") -> None:
    """Print the plan district by district, who is left out, and how often the real host came first."""
    from geo_qmi import runs

    print_table(("Quartier", "Projet", "Score", "Rang", "Raisons principales"), runs.plan_rows(prepared, result))
    for line in runs.closing_lines(prepared, result):
        typer.echo(line)


from geo_qmi import (  # noqa: E402 — their commands come after these
    evaluate_commands,  # noqa: F401
    export_commands,  # noqa: F401
    field_commands,  # noqa: F401
    jury_commands,
    map_commands,  # noqa: F401
    walk_commands,  # noqa: F401
)
