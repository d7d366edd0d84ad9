"""Which maps does the command line put on paper, or on one offline page?

Doors to `geo_qmi.atlas`: one sheet, all of them, one page. The commands parse, call and print.
"""
# Without `from __future__ import annotations`, on purpose: Typer reads the annotations.

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from geo_qmi._french import FrenchCommand, typer
from geo_qmi.terminal import Names, OptionalStudy, Review, TermsFile, app, read_tables
from geo_qmi.wording import counted, day_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.atlas import Layout

_SIDES = {"paysage": "landscape", "portrait": "portrait", "auto": "best"}

Paper = Annotated[str, typer.Option("--paper", metavar="FORMAT", help="Papier : A0, A1, A2, A3 ou A4.")]
Orientation = Annotated[
    str, typer.Option("--orientation", metavar="SENS", help="paysage, portrait, ou auto : la plus grande échelle.")
]
EditionName = Annotated[str, typer.Option("--edition", metavar="EDITION", help="jury, candidats ou public.")]
Day = Annotated[
    str | None, typer.Option("--date", metavar="JOUR", help="Jour écrit sur la feuille ; à défaut, aujourd’hui.")
]


@app.command(
    cls=FrenchCommand,
    name="map",
    help="Dessine une carte sur papier.\n\nÀ l’échelle exacte : PDF, SVG ou PNG, avec légende, nord et sources.",
)
def map_(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    out: Annotated[Path, typer.Argument(metavar="SORTIE", help="Fichier .pdf, .svg ou .png.")],
    kind: Annotated[
        str,
        typer.Option(
            "--kind", metavar="CARTE", help="sensitive, severance, coverage, district, matching ou programme."
        ),
    ],
    district: Annotated[
        str, typer.Option("--district", metavar="QUARTIER", help="Identifiant, nom ou commune du quartier.")
    ] = "",
    study: OptionalStudy = None,
    paper: Paper = "A3",
    orientation: Orientation = "auto",
    scale: Annotated[
        str | None,
        typer.Option("--scale", metavar="1:N", help="Échelle ; à défaut, la plus grande échelle ronde qui tient."),
    ] = None,
    edition: EditionName = "jury",
    dpi: Annotated[int, typer.Option("--dpi", metavar="N", help="Points par pouce d’un PNG.")] = 200,
    date: Day = None,
    names: Names = None,
    review: Review = None,
    terms: TermsFile = None,
) -> None:
    """Write one map and say at which scale."""
    from geo_qmi import atlas, maps

    layout = _layout(paper, orientation, scale=scale, date=date, study=study)
    tables = _tables(study, edition, names=names, review=review, terms=terms)
    pages = atlas.sheet(tables, kind=kind, district_id=district, layout=layout, edition=edition)
    written = atlas.write(pages, out, dpi=dpi, study_path=study)
    said = counted(len(pages.figures), "page")
    typer.echo(f"{', '.join(map(str, written))} : {pages.sheet.paper}, 1:{maps.words(pages.sheet.scale)}, {said}.")
    for remark in pages.remarks:
        typer.echo(remark)


@app.command(
    cls=FrenchCommand,
    name="atlas",
    help="Dessine toutes les cartes de l’étude.\n\nUn PDF par carte, un index avec sa carte, et le tout relié.",
)
def atlas_(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    folder: Annotated[Path, typer.Argument(metavar="DOSSIER", help="Dossier nouveau ou vide.")],
    study: OptionalStudy = None,
    paper: Paper = "A3",
    orientation: Orientation = "paysage",
    edition: EditionName = "jury",
    date: Day = None,
    names: Names = None,
    review: Review = None,
    terms: TermsFile = None,
) -> None:
    """Write every map with a progress bar, then say what was left out."""
    from rich.console import Console
    from rich.progress import Progress

    from geo_qmi import atlas

    layout = _layout(paper, orientation, scale=None, date=date, study=study)
    tables = _tables(study, edition, names=names, review=review, terms=terms)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)

        def announce(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        made = atlas.atlas(tables, folder, layout=layout, edition=edition, announce=announce)
    typer.echo(f"{made.folder} : {len(made.files)} fichiers, l’ensemble relié dans {atlas.BOUND}.")
    for line in made.left_out:
        typer.echo(f"Sans carte : {line}")


@app.command(
    cls=FrenchCommand,
    name="page",
    help="Écrit les cartes dans une seule page HTML.\n\nElle s’ouvre sans réseau, d’une clé USB par exemple.",
)
def page_(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    out: Annotated[Path, typer.Argument(metavar="SORTIE.html", help="Fichier à écrire.")],
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="CARTE", help="Carte à y mettre ; répétable. À défaut, toutes."),
    ] = None,
    district: Annotated[
        str, typer.Option("--district", metavar="QUARTIER", help="Un seul quartier. À défaut, toute l’étude.")
    ] = "",
    study: OptionalStudy = None,
    edition: EditionName = "jury",
    date: Day = None,
    names: Names = None,
    review: Review = None,
    terms: TermsFile = None,
) -> None:
    """Write maps as one offline page and print its size."""
    from geo_qmi import atlas, maps

    layout = _layout("A3", "paysage", scale=None, date=date, study=study)
    tables = _tables(study, edition, names=names, review=review, terms=terms)
    drawn = atlas.chosen(tables, kinds=kinds or [], district_id=district)
    atlas.write_page(drawn, out, layout=layout, edition=edition, study_path=study)
    size = maps.words(round(out.stat().st_size / 1e6, 1))
    typer.echo(f"{out} : {counted(len(drawn), 'carte')}, {size} Mo, dont 2,1 Mo de bibliothèque de dessin.")


def _layout(paper: str, orientation: str, *, scale: str | None, date: str | None, study: Path | None) -> "Layout":
    """Return the layout the options ask for."""
    import datetime

    from geo_qmi.atlas import Layout
    from geo_qmi.errors import InputError, UnknownNameError, shown

    if orientation not in _SIDES:
        raise UnknownNameError(f"Orientation inconnue : « {shown(orientation)} ». Attendu : {', '.join(_SIDES)}.")
    number = None
    if scale is not None:
        digits = "".join(scale.replace("1:", "", 1).replace("1/", "", 1).split())
        if not digits.isascii() or not digits.isdigit():
            raise InputError(f"Échelle illisible : « {shown(scale)} ». Attendu, par exemple : 1:5000.")
        number = int(digits)
    written = day_words(datetime.date.today()) if date is None else date
    name = "étude livrée" if study is None else study.name
    return Layout(paper=paper, orientation=_SIDES[orientation], scale=number, date=written, study=name)


def _tables(
    study: Path | None, edition: str, *, names: Path | None, review: Path | None, terms: Path | None
) -> "Mapping[str, Any]":
    """Return the tables of one edition."""
    from geo_qmi import mapping

    tables = read_tables(study)
    if mapping.edition_of(edition) == "jury":
        return tables
    from geo_qmi import export, publishing

    removed, cleared = publishing.released_words(tables, names=names, review=review)
    return mapping.lowered(tables, edition, names=removed, cleared=cleared, terms=export.terms(terms))
