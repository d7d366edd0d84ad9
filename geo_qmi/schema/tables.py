"""How is a table put together from its columns?

Constructors shared by the files that define the tables of a study; they add the columns every table needs to be
accountable (where a statement comes from, how far a geometry can be trusted, whether a row is demonstration).
"""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from geo_qmi.schema import kinds as col
from geo_qmi.vocabulary import GEOMETRY_STATUSES

#: Coordinate system of every geometry inside a study: Lambert-93, metres (RGF93 v1).
CRS = "EPSG:2154"


def table(
    name: str,
    title: str,
    description: str,
    columns: dict[str, pa.Column],
    *,
    group: str,
    geometry: tuple[str, ...] = (),
    **options: Any,
) -> pa.DataFrameSchema:
    """Return the pandera schema of one table.

    Parameters
    ----------
    name
        Name in the study, a plural English noun.
    title, description
        French, shown to people.
    columns
        Column name → pandera column, in the order they are written.
    group
        French heading under which the table is listed.
    geometry
        Allowed geometry types; empty for a table without geometry. Null geometry is always valid: a place nobody
        published is unknown, not a point.
    **options
        ``private`` (the whole table stays inside by default), ``unique`` (columns that identify a row together),
        ``geometry_required``.
    """
    private = bool(options.pop("private", False))
    required = bool(options.pop("geometry_required", False))
    unique = options.pop("unique", None)
    if options:
        raise TypeError(f"unknown table options: {sorted(options)}")
    if geometry:
        columns = {**columns, "geometry": _geometry(required=required)}
    return pa.DataFrameSchema(
        columns,
        name=name,
        title=title,
        description=description,
        unique=unique,
        strict=True,
        metadata={"group": group, "geometry": geometry, "private": private},
    )


def _geometry(*, required: bool) -> pa.Column:
    """Return the geometry column, in Lambert-93 metres."""
    return pa.Column(
        "geometry",
        nullable=not required,
        title="Géométrie",
        description="Géométrie en Lambert-93 (EPSG:2154), en mètres ; vide quand le lieu n’est pas connu.",
        metadata={
            "kind": "geometry",
            "key": False,
            "unit": "m",
            "references": None,
            "private": False,
            "choices": None,
            "aliases": ("geometrie", "geom", "the_geom", "wkt"),
            "default": None,
        },
    )


def sourced() -> dict[str, pa.Column]:
    """Return the columns that say where a row comes from."""
    return {
        "source": col.text(
            "Source",
            "Origine du fait : document:ligne (000 à 003, voir SOURCES.md), calcul ou fichier.",
            aliases=("origine",),
        ),
        "note": col.text("Note", "Réserve ou précision sur la ligne.", nullable=True, aliases=("notes", "remarque")),
    }


def located(default_status: str = "unknown") -> dict[str, pa.Column]:
    """Return the columns that say where a geometry comes from and how far it can be trusted."""
    return {
        "geometry_source": col.text(
            "Source de la géométrie",
            "Origine et licence du tracé ; vide quand il n’y en a pas.",
            nullable=True,
        ),
        "geometry_status": col.code(
            "Statut de la géométrie",
            "Confiance à accorder au tracé.",
            GEOMETRY_STATUSES,
            aliases=("statut_geom",),
            default=default_status,
        ),
        "precision_m": col.number(
            "Précision en mètres", "Écart plausible au vrai tracé.", low=0, high=50_000, nullable=True, unit="m"
        ),
    }


def demonstration() -> dict[str, pa.Column]:
    """Return the column that marks made-up rows."""
    return {
        "demo": col.flag(
            "Démonstration",
            "Oui quand la ligne est inventée pour la démonstration : ne rien en conclure sur le terrain.",
            default=False,
        )
    }
