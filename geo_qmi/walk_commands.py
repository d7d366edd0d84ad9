"""Which commands walk: where projects stand, what barriers cost, who is covered, where to go next?

Loaded by `geo_qmi.cli`: each command parses, calls `geo_qmi.walking`, prints. What all walks take is `Walk`; the keys
of their JSON are told by ``--help`` and by ``docs/guide/acces.md``.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from geo_qmi._french import FrenchCommand, typer
from geo_qmi.terminal import AsJson, OptionalStudy, app, grouped, open_study, print_json, print_table

if TYPE_CHECKING:
    import pandas as pd

    from geo_qmi.walking import Terrain

District = Annotated[
    str, typer.Argument(metavar="QUARTIER", help="Identifiant, nom ou commune, par exemple « sceaux ».")
]
AnyDistrict = Annotated[
    str | None, typer.Argument(metavar="[QUARTIER]", help="Identifiant, nom ou commune ; à défaut, tous.")
]
Out = Annotated[Path | None, typer.Option("--out", metavar="DOSSIER", help="Écrit aussi les résultats en fichiers.")]
Minutes = Annotated[float, typer.Option("--minutes", metavar="N", min=1, max=60, help="Durée de marche, en minutes.")]


@dataclasses.dataclass(frozen=True, slots=True)
class Walk:
    """The options of every walk: the study, what is walked on, at what hour, and who is counted."""

    study: OptionalStudy = None
    streets: Annotated[
        Path | None,
        typer.Option(
            "--streets", metavar="FICHIER", help="Rues : .osm.pbf ou couche de lignes ; à défaut, terrain ouvert."
        ),
    ] = None
    population: Annotated[
        Path | None,
        typer.Option("--population", metavar="FICHIER", help="Couche d’habitants ; à défaut, on compte des hectares."),
    ] = None
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="HH:MM", help="Heure : les franchissements fermés alors ne s’ouvrent pas."),
    ] = None
    slopes: Annotated[
        bool, typer.Option("--slopes", help="Compte la pente (Tobler), là où les rues portent des altitudes.")
    ] = False

    def layers(self) -> dict[str, Any]:
        """Return what `geo_qmi.walking.terrain` takes, files read, progress told on the error stream."""
        from geo_qmi import walking
        from geo_qmi.sources.streets import read_streets

        def tell(line: str) -> None:
            typer.echo(line, err=True)

        return {
            "streets": None if self.streets is None else read_streets(self.streets, progress=tell),
            "population": None if self.population is None else walking.population_of(self.population),
            "at": self.at,
            "slopes": self.slopes,
        }


@app.command(
    cls=FrenchCommand,
    help="Compare attribution et déploiement.\n\nDedans, dehors ou inconnu, et à combien de mètres de la limite.\n\n"
    "JSON : projects (un par projet : inside, basis, distance_m, reason…), lines.",
)
def derive(study: OptionalStudy = None, out: Out = None, as_json: AsJson = False) -> None:
    """Print where each project was allocated and where it stands."""
    from geo_qmi import walking

    opened = open_study(study)
    places, lines = walking.deployed(opened.read_many(("projects", "sites", "districts")))
    _deliver(
        {"Attribution et déploiement": walking.told_places(places)},
        lines,
        as_json={"projects": walking.records(places), "lines": list(lines)} if as_json else None,
    )
    _write(out, {"deploiement": places}, title="Attribution et déploiement", study=opened, ground="aucun")


@app.command(
    cls=FrenchCommand,
    help="Dit ce que coûtent les coupures d’un quartier.\n\nDétour, délai, dénivelé à part ; franchissements à ouvrir."
    "\n\nJSON : cards (par coupure), pairs, crossings, bridges, candidates (avec --rank), ground, unit, lines.",
)
@grouped
def severance(
    walk: Walk,
    district: District,
    minutes: Minutes = 15.0,
    rank: Annotated[bool, typer.Option("--rank", help="Classe aussi les franchissements à ouvrir.")] = False,
    check_edge: Annotated[
        bool, typer.Option("--check-edge", help="Recalcule avec 2 km de plus et dit si les détours changent (lent).")
    ] = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Print the card of each barrier of a district."""
    from geo_qmi import walking

    opened = open_study(walk.study)
    tables = opened.read_many()
    layers = walk.layers()
    given = walking.terrain(tables, walking.district_of(tables, district), minutes=minutes, **layers)
    found = walking.cut(given, tables, minutes=minutes)
    lines = list(given.lines if found is None else found.lines)
    if check_edge and found is not None:
        moved = walking.edge_warning(tables, given.district_id, minutes=minutes, **layers)
        lines.append(moved or "Effet de bord : aucun ; avec 2 km de plus, les détours ne changent pas d’un mètre.")
    if found is None:
        _deliver({}, lines, as_json=_about(given, lines) | {"cards": []} if as_json else None)
        return
    best = walking.ranked(given, minutes=minutes) if rank else None
    shown = {"Fiche des coupures": found.sheet(), "Franchissements": found.crossings()}
    if best is not None:
        shown["Franchissements envisagés, les dix premiers"] = best.head(10)
    record = _about(given, lines) | {
        "cards": walking.records(found.found.cards),
        "pairs": walking.records(found.found.pairs),
        "crossings": walking.records(found.found.crossings),
        "bridges": walking.records(given.bridges),
        "candidates": [] if best is None else walking.records(best),
    }
    _deliver(shown, lines, as_json=record if as_json else None)
    frames = {"fiches": found.found.cards, "vis-a-vis": found.found.pairs, "ponts-non-declares": given.bridges}
    _write(out, frames, title=f"Coupures — {given.title}", study=opened, ground=given.ground.label)


@app.command(
    cls=FrenchCommand,
    help="Confronte objectifs et projets.\n\nAvec un quartier : ce qui est à portée de marche et la couverture fausse."
    "\n\nJSON : objectives, matrix, needs_without_project, projects_without_need, rules, ground, lines ; avec un "
    "quartier : reach, false, equity, zoned, unit.",
)
@grouped
def coverage(
    walk: Walk,
    district: AnyDistrict = None,
    minutes: Minutes = 5.0,
    zones: Annotated[
        Path | None,
        typer.Option("--zones", metavar="FICHIER", help="Zones à comparer : QPV, ou IRIS avec un revenu."),
    ] = None,
    household: Annotated[
        float | None,
        typer.Option(
            "--household", metavar="N", min=1, max=10, help="Personnes par ménage, si la couche n’en dit rien."
        ),
    ] = None,
    served: Annotated[
        Path | None,
        typer.Option("--served", metavar="FICHIER", help="Populations desservies : colonnes projet et lieu."),
    ] = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Print how each objective ends, and what lies within reach of the places of a district."""
    from geo_qmi import walking
    from geo_qmi.errors import InputError

    opened = open_study(walk.study)
    tables = opened.read_many()
    ident = None if district is None else walking.district_of(tables, district)
    layers = walk.layers()
    compared = None if zones is None else walking.zones_of(zones)
    found = walking.covered(tables, district_id=ident, served=None if served is None else walking.served_of(served))
    answers, lines = found.answers, list(found.lines)
    shown = {
        "Objectifs": found.objectives().drop(columns=["Déployés", "Non déployés", "Hors quartier"]),
        "Objectif × projet": found.matrix()[["Objectif", "Projet", "Lieu", "Dans le quartier", "Statut"]],
        "Besoins sans projet": found.without_project(),
        "Projets sans besoin": found.without_need(),
        "Règle de chaque projet": found.rules(),
    }
    record: dict[str, Any] = {
        "objectives": walking.records(answers.objectives),
        "matrix": walking.records(answers.matrix),
        "needs_without_project": walking.records(answers.needs_without_project),
        "projects_without_need": walking.records(answers.projects_without_need),
        "rules": walking.records(found.rules()),
    }
    frames: dict[str, Any] = {"objectifs": answers.objectives, "matrice": answers.matrix}
    ground = "aucun"
    if ident is not None:
        try:
            given = walking.terrain(tables, ident, minutes=minutes, **layers)
            near = walking.reach(given, tables, minutes=minutes, zones=compared, household_size=household)
        except InputError as error:
            lines.append(f"Portée non calculée. {error}")
        else:
            ground = given.ground.label
            record |= _about(given, [])
            lines += given.lines if near is None else near.lines
            zoned = walking.zoned(given, found.footprints, names=dict(found.places["name"]))
            shown["Projets comptés sans marche"] = zoned
            record["zoned"] = walking.records(zoned)
            if near is None:
                lines.append("Aucun lieu connu dans ce quartier : ni projet placé, ni lieu d’accueil. Rien à marcher.")
            else:
                shown |= {f"À {minutes:g} min à pied": near.table()}
                shown |= {"Équité": near.groups()} if len(near.equity) else {}
                record |= {"reach": walking.records(near.shares), "false": walking.records(near.false.by_site)}
                record |= {"grid_error": near.grid_error, "equity": walking.records(near.equity)}
                frames |= {"portee": near.catchments, "couverture-fausse": near.false.layer, "equite": near.equity}
    record |= {"ground": ground, "lines": lines}
    _deliver(shown, lines, as_json=record if as_json else None)
    _write(out, frames, title="Couverture", study=opened, ground=ground)


@app.command(
    cls=FrenchCommand,
    help="Choisit les prochains lieux d’un quartier.\n\nRègles, portée à pied, autorisations, écart à l’optimum.\n\n"
    "JSON : sites (à ouvrir), left_out (et pourquoi), value, bound, gap, status, ground, unit, lines.",
)
@grouped
def site(  # noqa: PLR0913, PLR0917 — the options of one command, passed by name
    walk: Walk,
    district: District,
    places: Annotated[int, typer.Option("--places", metavar="N", min=0, help="Lieux à ouvrir.")] = 2,
    minutes: Minutes = 5.0,
    model: Annotated[
        str, typer.Option("--model", metavar="MODÈLE", help="cover (servir le plus), all (tous), near (au plus près).")
    ] = "cover",
    rule: Annotated[
        list[str] | None, typer.Option("--rule", metavar="RÈGLE", help="Par exemple « area_m2>=100 », « eau=oui ».")
    ] = None,
    fixed: Annotated[list[str] | None, typer.Option("--fixed", metavar="LIEU", help="Lieu imposé.")] = None,
    capacity: Annotated[
        list[str] | None,
        typer.Option("--capacity", metavar="LIEU=N", help="Ce qu’un lieu peut servir ; « *=N » pour tous."),
    ] = None,
    permits: Annotated[
        Path | None,
        typer.Option(
            "--permits",
            metavar="FICHIER",
            help="Autorisations : lieu, rang, propriétaire, autorité, convention, semaines.",
        ),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="AAAA-MM-JJ", help="Premier jour des 18 mois du programme.")
    ] = None,
    months: Annotated[int | None, typer.Option("--months", metavar="N", help="Mois de mesure nécessaires.")] = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Print the places to open, those left out with their reason, and the permits to ask for."""
    from geo_qmi import walking

    if model not in walking.MODELS:
        raise typer.BadParameter(f"modèle « {model} » : attendu {', '.join(walking.MODELS)}.")
    opened = open_study(walk.study)
    tables = opened.read_many()
    layers = walk.layers()
    given = walking.terrain(tables, walking.district_of(tables, district), minutes=max(minutes, 5.0), **layers)
    found = walking.place(
        given,
        tables,
        n_places=places,
        minutes=minutes,
        model=cast("walking.Model", model),
        rules=walking.rules_of(rule or []),
        fixed=fixed or (),
        capacities=walking.capacities_of(capacity or []),
        permits=None if permits is None else walking.permits_of(permits),
        start=start,
        months=months,
    )
    record = _about(given, found.lines) | {
        "sites": walking.records(found.plan.sites.join(found.permits)),
        "left_out": walking.records(found.verdicts()),
        "value": found.plan.value,
        "bound": found.plan.bound,
        "gap": found.plan.gap,
        "status": found.plan.status,
    }
    shown = {f"Lieux à ouvrir : {walking.MODELS[model]}": found.chosen(), "Lieux laissés de côté": found.verdicts()}
    _deliver(shown, found.lines, as_json=record if as_json else None)
    frames = {"lieux": walking.drawn(found), "laisses-de-cote": found.verdicts()}
    _write(out, frames, title=f"Lieux — {given.title}", study=opened, ground=given.ground.label)


def _about(given: "Terrain", lines: Iterable[str]) -> dict[str, Any]:
    """Return what every JSON answer says of its ground."""
    return {
        "district_id": given.district_id,
        "ground": given.ground.label,
        "unit": given.unit,
        "demo": given.demo,
        "lines": list(lines),
    }


def _deliver(
    tables: Mapping[str, "pd.DataFrame"], lines: Iterable[str], *, as_json: Mapping[str, Any] | None
) -> None:  # fmt: skip
    """Print one JSON object, or each table under its title and then the sentences."""
    from geo_qmi import walking

    if as_json is not None:
        print_json(as_json)
        return
    for title, frame in tables.items():
        typer.echo(f"\n{title}")
        if frame.empty:
            typer.echo("Aucun.")
        else:
            print_table([str(column) for column in frame.columns], walking.printed(frame))
    typer.echo("")
    for line in lines:
        typer.echo(line)


def _write(
    folder: Path | None, frames: Mapping[str, "pd.DataFrame"], *, title: str, study: Any, ground: str
) -> None:  # fmt: skip
    """Write the results when a folder is given, and say where, on the error stream."""
    if folder is None:
        return
    from geo_qmi import walking

    about = {"ground": ground, "study_sha256": study.fingerprint()}
    written = walking.write(frames, folder, title=title, provenance=about)
    typer.echo("Fichiers : " + ", ".join(map(str, written)), err=True)
