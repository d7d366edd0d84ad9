"""What do all commands share: options, the study they open, the way they print?

`geo_qmi.cli` and the files of commands import it; it holds the application, to which each command adds itself. Options
that several commands take together are one dataclass (`Call`), spread over each of them by `grouped`.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from geo_qmi._french import FrenchGroup, typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from geo_qmi.runs import Prepared
    from geo_qmi.workspace import Study

app = typer.Typer(
    name="geo-qmi",
    cls=FrenchGroup,
    help="Étude territoriale d’un quartier d’innovation : vérifier, apparier, cartographier, publier.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    subcommand_metavar="COMMANDE [ARGUMENTS]…",
)


@app.callback()
def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


StudyPath = Annotated[Path, typer.Option("--study", metavar="ETUDE", help="Fichier de l’étude (.gpkg).")]
OptionalStudy = Annotated[
    Path | None,
    typer.Option("--study", metavar="ETUDE", help="Fichier de l’étude ; sans elle, l’étude livrée est lue."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Écrit un seul objet JSON sur la sortie standard.")]
Names = Annotated[
    Path | None, typer.Option("--names", metavar="FICHIER.txt", help="Noms propres à retirer, un par ligne.")
]
Review = Annotated[
    Path | None, typer.Option("--review", metavar="revue.csv", help="Revue remplie : les mots relus à publier.")
]
TermsFile = Annotated[
    Path | None,
    typer.Option("--terms", metavar="FICHIER.toml", help="Licences de vos tables : les réservées restent au jury."),
]
Crs = Annotated[
    str | None, typer.Option("--crs", metavar="EPSG:…", help="Système de coordonnées, si le fichier ne le dit pas.")
]
LayerName = Annotated[str | None, typer.Option("--layer", metavar="NOM", help="Couche ou feuille à lire.")]
RulesPath = Annotated[
    Path | None,
    typer.Option("--rules", metavar="FICHIER.toml", help="Fichier de règles ; à défaut, les règles livrées."),
]
Low = Annotated[
    int | None, typer.Option("--low", metavar="N", help="Projets par quartier, au moins ; à défaut, selon les règles.")
]
High = Annotated[
    int | None, typer.Option("--high", metavar="N", help="Projets par quartier, au plus ; à défaut, selon les règles.")
]
Demo = Annotated[bool, typer.Option("--demo", help="Apparie les candidatures de démonstration de l’étude.")]
Field = Annotated[
    bool, typer.Option("--field", help="Compare aussi aux besoins dits sur le terrain, selon leur poids.")
]
FieldWeight = Annotated[
    float | None,
    typer.Option(
        "--field-weight", metavar="POIDS", help="Compte ces besoins du terrain, avec ce poids à la place des règles."
    ),
]
Districts = Annotated[
    list[str] | None,
    typer.Option("--district", metavar="ID", help="Quartier à servir ; à défaut, ceux de l’édition 1."),
]
ReportPath = Annotated[
    Path | None, typer.Option("--report", metavar="FICHIER.csv", help="Écrit tous les défauts dans un tableau.")
]


Model = Annotated[
    Path | None,
    typer.Option(
        "--model", metavar="DOSSIER", help="Modèle de phrases déjà sur le disque, qui lit les textes sans le lexique."
    ),
]
Candidates = Annotated[
    Path | None,
    typer.Option("--candidates", metavar="FICHIER", help="Fichier de candidatures ; à défaut, les 28 projets réels."),
]

At = Annotated[
    str | None, typer.Option("--at", metavar="AAAA-MM-JJ", help="Jour des scores ; à défaut, aujourd’hui à Paris.")
]


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """The options of a matching, whatever is then asked of it."""

    study: OptionalStudy = None
    rules: RulesPath = None
    low: Low = None
    high: High = None
    demo: Demo = False
    field: Field = False
    field_weight: FieldWeight = None
    district: Districts = None
    model: Model = None

    def values(self) -> dict[str, float]:
        """Return the quotas and the weight given as options, as values of a rule file."""
        given = {"quotas.low": self.low, "quotas.high": self.high, "criteria.field.weight": self.field_weight}
        return {path: value for path, value in given.items() if value is not None}

    def prepared(self, candidates: Path | None, *, districts: Sequence[str] | None = None) -> Prepared:
        """Return the inputs of the matching, their notes told on the error stream.

        Parameters
        ----------
        candidates
            File of applications.
        districts
            Districts to fill when the user names none.
        """
        from geo_qmi import rulebook, runs

        prepared = runs.prepare(
            open_study(self.study),
            candidates=candidates,
            demo=self.demo,
            districts=self.district or districts,
            book=rulebook.opened(self.rules, values=self.values()),
            field=self.field or self.field_weight is not None,
            model=self.model,
        )
        for line in prepared.notes:
            typer.echo(line, err=True)
        return prepared


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Spread the options of each dataclass that a command takes, and hand it the dataclass filled.

    Typer reads options from the parameters of a function, one by one; a group of options written once is a dataclass
    whose fields are annotated as Typer asks.
    """
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Any]] = {}
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        kind = parameter.annotation
        if not dataclasses.is_dataclass(kind) or not isinstance(kind, type):
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[parameter.name] = kind
        hints = get_type_hints(kind, include_extras=True)
        parameters += [
            inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
            for one in dataclasses.fields(kind)
        ]

    @functools.wraps(command)
    def spread(**given: Any) -> None:
        filled = {
            name: kind(**{one.name: given.pop(one.name) for one in dataclasses.fields(kind)})
            for name, kind in groups.items()
        }
        command(**given, **filled)

    spread.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spread.__annotations__ = {one.name: one.annotation for one in parameters}
    return spread


def open_study(path: Path | None) -> Study:
    """Return the study at `path`, or the shipped one in a temporary file that ends with the process."""
    from geo_qmi.workspace import Study

    if path is not None:
        return Study(path, read_only=True)
    import atexit
    import tempfile

    from geo_qmi.shipped import shipped_tables

    folder = tempfile.TemporaryDirectory(prefix="geo-qmi-")
    atexit.register(folder.cleanup)
    return Study.create(Path(folder.name) / "etude-livree.gpkg", shipped_tables())


def read_tables(path: Path | None) -> Mapping[str, pd.DataFrame]:
    """Return every table of a study, or of the shipped one, each made when it is first asked for."""
    if path is not None:
        return open_study(path).read_on_demand()
    from geo_qmi import schema
    from geo_qmi.shipped import shipped_table

    return schema.OnDemand(schema.TABLES, shipped_table)


def mapping(pairs: list[str] | None) -> dict[str, str] | None:
    """Return ``COLONNE=CHAMP`` pairs as a mapping."""
    if not pairs:
        return None
    for pair in pairs:
        if "=" not in pair:
            raise typer.BadParameter(f"« {pair} » : attendu COLONNE=CHAMP, par exemple « Nom du projet=name ».")
    return {column.strip(): name.strip() for column, name in (pair.rsplit("=", 1) for pair in pairs)}


def free_path(path: Path) -> Path:
    """Return `path`, or the first numbered variant that does not exist: refused rows are never overwritten."""
    number, candidate = 2, path
    while candidate.exists():
        candidate = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return candidate


def print_lines(lines: Iterable[str], *, as_json: dict[str, Any] | None) -> None:
    """Print sentences, or one JSON object instead."""
    if as_json is not None:
        print_json(as_json)
    else:
        for line in lines:
            typer.echo(line)


def print_json(record: Mapping[str, Any]) -> None:
    """Print one JSON object, accents kept."""
    import json

    typer.echo(json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False))


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns; wide cells wrap on a terminal and stay whole in a file."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in header:
        table.add_column(name)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    with console.capture() as printed:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))
