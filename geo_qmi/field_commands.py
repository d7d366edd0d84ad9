"""Which commands bring a walk home: the kit to collect with, and the import of what came back?

Loaded by `geo_qmi.cli`: each command parses, calls `geo_qmi.sources.field` or `geo_qmi.intake.walks`,
prints.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

from geo_qmi._french import FrenchCommand, typer
from geo_qmi.terminal import AsJson, Crs, OptionalStudy, StudyPath, app, free_path, open_study, print_json, print_table
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from geo_qmi.intake.walks import WalkImport

#: Defects printed on a terminal; the files of refused records hold them all.
_SHOWN = 40


@app.command(
    cls=FrenchCommand,
    help="Écrit le nécessaire de collecte d’une marche.\n\nFormulaire XLSForm, GeoPackage pour QField, feuille A3.",
)
def template(
    folder: Annotated[Path, typer.Argument(metavar="DOSSIER", help="Dossier à remplir.")],
    session: Annotated[str, typer.Option("--session", metavar="CODE", help="Code de la séance.")] = "",
    title: Annotated[str, typer.Option("--title", metavar="TITRE", help="Nom de la marche.")] = "Marche sensible",
    district: Annotated[
        str | None, typer.Option("--district", metavar="ID", help="Quartier dont le périmètre est imprimé à l’échelle.")
    ] = None,
    study: OptionalStudy = None,
) -> None:
    """Write the form, the GeoPackage and the paper sheet."""
    from geo_qmi.errors import UnknownNameError
    from geo_qmi.sources.field.kit import template_walk

    perimeter = None
    if district is not None:
        districts = open_study(study).read("districts").set_index("district_id")
        if district not in districts.index:
            known = ", ".join(map(str, districts.index))
            raise UnknownNameError(f"Quartier inconnu : « {district} ». Quartiers de l’étude : {known}.")
        perimeter = districts.geometry[district]
        if perimeter is None:
            typer.echo("Périmètre non publié : la feuille est sans échelle ni coordonnées.", err=True)
    for path in template_walk(folder, session=session, title=title, perimeter=perimeter):
        typer.echo(str(path))


@app.command(
    "import-walk",
    cls=FrenchCommand,
    help="Importe une marche collectée.\n\nKobo, ODK, QField, uMap, GPX et photos, tableur, feuille numérisée.",
)
def import_walk(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="Fichier ou dossier rendu par l’outil.")],
    study: StudyPath,
    session: Annotated[str, typer.Option("--session", metavar="CODE", help="Séance, créée au besoin.")],
    district: Annotated[str, typer.Option("--district", metavar="ID", help="Quartier parcouru.")],
    tool: Annotated[
        str | None, typer.Option("--tool", metavar="OUTIL", help="survey, geojson, qfield, umap, gpx, csv ou paper.")
    ] = None,
    crs: Crs = None,
    start: Annotated[str, typer.Option("--start", metavar="DATE", help="Début, AAAA-MM-JJThh:mm.")] = "",
    title: Annotated[str, typer.Option("--title", metavar="TITRE", help="Titre de la séance.")] = "",
    participant: Annotated[
        str, typer.Option("--participant", metavar="PSEUDO", help="Auteur, si le fichier ne le dit pas.")
    ] = "",
    group: Annotated[str, typer.Option("--group", metavar="GROUPE", help="Son groupe d’acteurs.")] = "",
    photos: Annotated[Path | None, typer.Option("--photos", metavar="DOSSIER", help="Dossier des photos.")] = None,
    base: Annotated[
        Path | None, typer.Option("--base", metavar="FICHIER", help="GeoPackage de départ, pour les copies en conflit.")
    ] = None,
    control: Annotated[
        Path | None, typer.Option("--control", metavar="FICHIER", help="Points de calage d’une feuille.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="FICHIER", help="Description d’une feuille d’atelier (JSON).")
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", metavar="NATURE", help="Nature d’une séance nouvelle : walk, interview, workshop…")
    ] = "walk",
    rms_limit: Annotated[
        float, typer.Option("--rms-limit", metavar="M", help="Écart de calage accepté, en mètres.")
    ] = 10.0,
    fitting: Annotated[
        str, typer.Option("--fit", metavar="MODÈLE", help="Calage d’une feuille : auto, affine ou projective.")
    ] = "auto",
    clock_shift: Annotated[
        float, typer.Option("--clock-shift", metavar="S", help="Secondes à ajouter à l’heure des photos.")
    ] = 0.0,
    tolerance: Annotated[
        float, typer.Option("--tolerance", metavar="S", help="Secondes admises entre une photo et la trace.")
    ] = 60.0,
    actor: Annotated[str, typer.Option("--actor", metavar="NOM", help="Qui importe, pour le journal.")] = "",
    as_json: AsJson = False,
) -> None:
    """Import a walk in one transaction and say what became of each record."""
    from geo_qmi.intake import walks
    from geo_qmi.intake.report import write_csv
    from geo_qmi.sources.field.collected import MODELS, Hints
    from geo_qmi.workspace import Study

    if fitting not in MODELS:
        raise typer.BadParameter(f"calage « {fitting} » : attendu {', '.join(MODELS)}.")
    hints = Hints(
        title=title,
        start=start,
        participant=participant,
        actor_group=group,
        photos=photos,
        base=base,
        control=control,
        sheet=sheet,
        kind=kind,
        rms_limit_m=rms_limit,
        model=cast("Literal['auto', 'affine', 'projective']", fitting),
        clock_shift_s=clock_shift,
        tolerance_s=tolerance,
    )
    took = walks.import_walk(
        Study(study), path, session=session, district=district, tool=tool, crs=crs, actor=actor, hints=hints
    )
    _tell(took, as_json=as_json)
    for name, frame in took.quarantined.items():
        if len(frame):
            kept = free_path(Path(f"{path.stem}.{name}.quarantaine.csv"))
            write_csv(kept, map(str, frame.columns), frame.itertuples(index=False, name=None))
            typer.echo(f"Enregistrements refusés, avec leurs motifs : {kept}", err=as_json)
    raise typer.Exit(1 if took.counts["refused"].sum() else 0)


def _tell(took: "WalkImport", *, as_json: bool) -> None:
    """Print what became of each record."""
    if as_json:
        counts = {str(name): {str(k): int(v) for k, v in row.items()} for name, row in took.counts.iterrows()}
        issues = [defect.as_dict() for defect in took.defects]
        print_json({"tool": took.tool, "counts": counts, "issues": issues, "notes": list(took.notes)})
        return
    for line in [*took.notes, *(defect.sentence() for defect in took.defects[:_SHOWN])]:
        typer.echo(line)
    if len(took.defects) > _SHOWN:
        typer.echo(f"… et {counted(len(took.defects) - _SHOWN, 'autre défaut')} : --json les donne tous.")
    header = ("Table", "Lus", "Ajoutés", "Mis à jour", "Inchangés", "Refusés")
    print_table(header, [tuple(map(str, row)) for row in took.counts.itertuples(name=None)])
    typer.echo(took.sentence())


@app.command(
    cls=FrenchCommand,
    help="Écrit les feuilles d’un atelier « carte sur table ».\n\nFond à l’échelle, un calque transparent par groupe, "
    "tableaux à remplir après le scan.",
)
def workshop(
    district: Annotated[str, typer.Argument(metavar="QUARTIER", help="Identifiant, nom ou commune.")],
    out: Annotated[Path, typer.Option("--out", metavar="DOSSIER", help="Dossier à remplir.")],
    study: OptionalStudy = None,
    paper: Annotated[str, typer.Option("--paper", metavar="FORMAT", help="A3, A1 ou A0.")] = "A3",
    scale: Annotated[
        int | None, typer.Option("--scale", metavar="N", help="Échelle 1:N ; à défaut, la plus grande qui tient.")
    ] = None,
    code: Annotated[str, typer.Option("--session", metavar="CODE", help="Code de la séance et des feuilles.")] = "",
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="GROUPE", help="Groupe à qui donner un calque ; répétable.")
    ] = None,
    streets: Annotated[
        Path | None, typer.Option("--streets", metavar="FICHIER", help="Rues à dessiner sur le fond.")
    ] = None,
) -> None:
    """Write the base map, the overlays and what reads them back."""
    from geo_qmi import walking
    from geo_qmi import workshop as workshops
    from geo_qmi.sources.streets import read_streets

    tables = open_study(study).read_many(("districts", "communes", "barriers", "stations", "sites"))
    ident = walking.district_of(tables, district)
    paths, table = workshops.pack(
        tables,
        out,
        district_id=ident,
        code=code or f"{ident}-ATELIER",
        paper=paper,
        scale=scale,
        groups=group or (),
        streets=None if streets is None else read_streets(streets),
    )
    for path in paths:
        typer.echo(str(path))
    sheet = table.sheet
    typer.echo(
        f"{sheet.paper} au 1:{number(sheet.scale)}, cadre de {sheet.frame_mm[2]:.0f} × {sheet.frame_mm[3]:.0f} mm, "
        f"{counted(len(table.overlays), 'calque')}. Imprimez à 100 %."
    )
