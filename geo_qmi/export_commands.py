"""What leaves a study from the command line, as data?

Doors to `geo_qmi.export` (one table), `geo_qmi.handover` (everything of an edition) and `geo_qmi.publishing` (the
fieldwork of an edition). The commands parse, call and print.
"""
# Without `from __future__ import annotations`, on purpose: Typer reads the annotations.

from pathlib import Path
from typing import Annotated, Any

from geo_qmi._french import FrenchCommand, typer
from geo_qmi.terminal import AsJson, Names, OptionalStudy, Review, StudyPath, TermsFile, app, open_study, print_lines
from geo_qmi.wording import counted


@app.command(
    cls=FrenchCommand,
    help="Écrit une table dans un fichier, ou tout dans un dossier.\n\nLe suffixe choisit le format.",
)
def export(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    layer: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="Table à écrire (voir « geo-qmi tables »).")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SORTIE]",
            help="Fichier .geojson, .gpkg, .csv, .xlsx, .parquet, .fgb, .pmtiles, .kml, .gdb.zip ou .shp.zip.",
        ),
    ] = None,
    study: OptionalStudy = None,
    with_private: Annotated[
        bool, typer.Option("--with-private", help="Laisse sortir les colonnes privées : usage interne seulement.")
    ] = False,
    everything: Annotated[
        Path | None, typer.Option("--all", metavar="DOSSIER", help="Écrit tout dans un dossier nouveau ou vide.")
    ] = None,
    district: Annotated[
        str, typer.Option("--district", metavar="QUARTIER", help="Avec --all : ce quartier seulement.")
    ] = "",
    edition_name: Annotated[
        str, typer.Option("--edition", metavar="EDITION", help="Avec --all : jury, candidats ou public.")
    ] = "jury",
    names: Names = None,
    review: Review = None,
    terms: TermsFile = None,
    date: Annotated[
        str, typer.Option("--date", metavar="AAAA-MM-JJ", help="Avec --all : jour des données ; à défaut, aujourd’hui.")
    ] = "",
) -> None:
    """Write one table or everything, read it back, compare, and print what left."""
    from geo_qmi import export as exporting
    from geo_qmi import gis, schema
    from geo_qmi.errors import InputError

    if everything is not None:
        if layer is not None or out is not None or with_private:
            raise InputError("--all écrit toutes les tables d’une édition : retirez TABLE, SORTIE et --with-private.")
        options: dict[str, Any] = {"edition": edition_name, "district": district, "terms": exporting.terms(terms)}
        _export_all(everything, study, names=names, review=review, date=date, **options)
        return
    if names is not None or review is not None or district or date:
        raise InputError("--names, --review, --district et --date vont avec --all : une table seule sort entière.")
    if layer is None or out is None:
        raise InputError("Donnez TABLE et SORTIE, ou --all DOSSIER pour tout écrire.")
    schema.table(layer)
    known = exporting.terms(terms).get(layer)
    if known is not None and known.restricted and not with_private:
        raise InputError(
            f"« {schema.label(layer)} » est réservée au jury : ajoutez --with-private si vous avez le droit de la "
            "diffuser."
        )
    opened = open_study(study)
    name = "étude livrée" if study is None else study.name
    own = {} if terms is None or known is None else {"licence": known.licence, "credit": known.credit}
    done = exporting.export_layer(
        gis.styled(exporting.from_table(opened.read(layer), layer, private=with_private, title=None)),
        out,
        provenance=own | {"study": name, "study_sha256": opened.fingerprint()},
        study_path=opened.path,
    )
    typer.echo(f"{done.path} : {counted(done.n_rows, 'ligne relue')} sans différence. Fiche : {done.sidecar.name}")
    for remark in done.remarks:
        typer.echo(remark)


def _export_all(
    folder: Path, study: Path | None, *, names: Path | None, review: Path | None, date: str, **options: Any
) -> None:
    """Write everything of one edition in one folder, announce each step, and print what is not there."""
    import datetime

    from geo_qmi import handover, publishing

    opened = open_study(study)
    tables = opened.read_many()
    removed, cleared = publishing.released_words(tables, names=names, review=review)
    made = handover.hand_over(
        tables,
        folder,
        order=handover.Order(names=removed, cleared=cleared, date=date or datetime.date.today().isoformat(), **options),
        study="étude livrée" if study is None else study.name,
        fingerprint=opened.fingerprint(),
        announce=lambda step: typer.echo(f"{step}…", err=True),
    )
    typer.echo(f"{made.folder} : {len(made.files)} fichiers. Commencez par {handover.INDEX}.")
    for line in made.left_out:
        typer.echo(f"Absent : {line}")


@app.command(
    cls=FrenchCommand,
    help="Écrit une édition des données de terrain.\n\nJury, candidats ou public : un dossier chacune, fuites exclues.",
)
def edition(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    name: Annotated[str, typer.Argument(metavar="EDITION", help="jury, candidats ou public.")],
    study: StudyPath,
    out: Annotated[Path, typer.Option("--out", metavar="DOSSIER", help="Dossier de cette édition seule.")],
    retention: Annotated[
        str, typer.Option("--retention", metavar="AAAA-MM-JJ", help="Jour jusqu’auquel les données sont conservées.")
    ],
    purpose: Annotated[
        str, typer.Option("--purpose", metavar="PHRASE", help="Finalité de la collecte, pour la note.")
    ] = "diagnostic sensible de quartiers métropolitains d’innovation.",
    names: Names = None,
    review: Review = None,
    streets: Annotated[
        Path | None,
        typer.Option(
            "--streets", metavar="FICHIER", help="Rues auxquelles élargir les lieux ; à défaut, des cellules."
        ),
    ] = None,
    terms: TermsFile = None,
    as_json: AsJson = False,
) -> None:
    """Prove that nothing leaks, write one edition in its own folder, and print what was withheld."""
    from geo_qmi import publishing
    from geo_qmi.sources.streets import read_streets
    from geo_qmi.workspace import Study

    done = publishing.publish(
        Study(study, read_only=True),
        name,
        out,
        purpose=purpose,
        retention=retention,
        names=() if names is None else publishing.names_in(names),
        review=review,
        terms=terms,
        streets=None if streets is None else read_streets(streets, progress=lambda line: typer.echo(line, err=True)),
    )
    print_lines(publishing.lines(done), as_json=publishing.summary(done) if as_json else None)
