"""Is this file, or this study, sound — and how does a file enter a study?

The doors used by the command line and the dashboard: read a file and take it in, check every table of a study,
import the rows that may enter in one transaction. What is read belongs to `geo_qmi.sources`, what is written to
`geo_qmi.workspace`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo_qmi import geo, schema
from geo_qmi.errors import InputError, shown
from geo_qmi.intake.columns import candidates, guess_table
from geo_qmi.intake.faults import Faults
from geo_qmi.intake.report import Report
from geo_qmi.intake.taking import Intake, identifiers, refuse, take_in, tell_check_digits
from geo_qmi.sources.files import read_file
from geo_qmi.wording import counted

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from geo_qmi.errors import Defect
    from geo_qmi.sources.raw import RawTable
    from geo_qmi.workspace import Study


def check_file(
    path: str | os.PathLike[str],
    *,
    table: str | None = None,
    crs: str | None = None,
    mapping: Mapping[str, str] | None = None,
    known: Mapping[str, pd.DataFrame] | None = None,
    layer: str | None = None,
    name: str | None = None,
) -> Report:
    """Return the report of a file held against the schema; nothing is written.

    Parameters
    ----------
    path
        Any format of `geo_qmi.sources.files.describe_formats`.
    table
        Table of the schema; each layer's own columns tell it when absent.
    crs, mapping, known
        As for `take_in`. Identifiers already in `known` are allowed here: only an import adds rows.
    layer
        Layer or sheet to check; all of them by default.
    name
        Name the user knows the file by, when it differs from the path (an upload).

    Raises
    ------
    UnreadableError, LimitError, UnknownNameError
        The file cannot be read, or has no such layer; the schema has no such table.
    InputError
        Several layers and one `table`: which one is meant is not said.
    """
    raws = read_file(Path(path), layer=layer, name=name)
    if table is not None:
        raws = [_only(raws)]
    return Report.of(
        take_in(raw, found, crs=crs, mapping=mapping, known=known, update=True)
        if (found := table or guess_table(raw)) is not None
        else refuse(raw, *_unrecognised(raw))
        for raw in raws
    )


def import_file(  # noqa: PLR0913 - the options of one command, keyword-only
    study: Study,
    path: str | os.PathLike[str],
    *,
    table: str,
    crs: str | None = None,
    mapping: Mapping[str, str] | None = None,
    layer: str | None = None,
    update: bool = False,
    actor: str = "",
    name: str | None = None,
) -> Intake:
    """Write the sound rows of a file into a study, in one transaction, and return what became of each record.

    The records kept out are not written anywhere: hand the result to `write_quarantine`.

    Parameters
    ----------
    study
        Open for writing.
    path, layer, name
        As for `check_file`.
    table
        Table of the schema.
    crs, mapping, update
        As for `take_in`.
    actor
        Who imports, for the journal.

    Raises
    ------
    UnreadableError, LimitError, UnknownNameError, InputError
        As `check_file`; nothing is written.
    ConflictError, StudyError
        The study changed since it was read, or cannot be written; nothing is written.
    """
    schema.table(table)
    raw = _only(read_file(Path(path), layer=layer, name=name))
    version = study.version(table)
    took = take_in(raw, table, crs=crs, mapping=mapping, known=study.read_many(), update=update)
    if took.n_ok:
        reason = f"import de « {raw.file} » : {counted(took.n_ok, 'ligne')} sur {took.n_in}"
        rows = took.accepted.reset_index(drop=True)
        if update:
            study.upsert(table, rows, reason=reason, actor=actor, expected_version=version)
        else:
            study.append(table, rows, reason=reason, actor=actor)
    return took


def check_study(tables: Mapping[str, pd.DataFrame]) -> Report:
    """Return the report of the tables of a study: schema, references, and what is known of each geometry.

    Parameters
    ----------
    tables
        Table name → typed frame, as given by ``Study.read_many``.

    Raises
    ------
    UnknownNameError
        The schema has no such table.
    """
    known = {name: frame.set_axis(pd.RangeIndex(1, len(frame) + 1)) for name, frame in tables.items()}
    n_ok = n_unlocated = 0
    issues: list[Defect] = []
    notes: list[str] = []
    for name, frame in known.items():
        faults = Faults("", name)
        faults.from_schema(schema.validate(frame, name))
        faults.from_schema(schema.check_references(known, names=[name]))
        tell_check_digits(frame, faults)
        _tell_places(frame, faults)
        sound = frame.head(0) if faults.whole else frame[~frame.index.isin(list(faults.reasons))]
        n_ok += len(sound)
        n_unlocated += int(sound.geometry.isna().sum()) if isinstance(sound, gpd.GeoDataFrame) else 0
        issues += faults.listed(identifiers(frame, name))
        if "demo" in frame and frame["demo"].any():
            notes.append(f"{schema.label(name)} : {counted(int(frame['demo'].sum()), 'ligne')} de démonstration.")
    n_in = sum(map(len, known.values()))
    return Report(n_in, n_ok, n_unlocated, n_in - n_ok, issues, tuple(notes))


def _only(raws: list[RawTable]) -> RawTable:
    if len(raws) == 1:
        return raws[0]
    listed = ", ".join(f"« {shown(raw.layer)} »" for raw in raws[:20])
    raise InputError(
        f"« {raws[0].file} » a {len(raws)} couches ou feuilles : {listed} → ajoutez --layer NOM pour dire laquelle."
        if raws
        else "Le fichier n’a aucune couche à lire."
    )


def _unrecognised(raw: RawTable) -> tuple[str, str]:
    """Return why no table was chosen for `raw`, and what to do."""
    possible = candidates(raw)
    if not possible:
        return "aucune table de l’étude n’a ces colonnes", "ajoutez --as TABLE, ou renommez la colonne d’identifiant"
    tables = ", ".join(possible[:10])
    return "les colonnes ne disent pas de quelle table il s’agit", f"ajoutez --as TABLE (possibles : {tables})"


def _tell_places(frame: pd.DataFrame, faults: Faults) -> None:
    """Tell each geometry out of Île-de-France, and count those that are not accounted for."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return
    placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    for row, box in zip(placed.index, placed.bounds.itertuples(index=False, name=None), strict=True):
        if not geo.in_region(box, crs=schema.CRS):
            faults.cell(row, "coordonnées loin de l’Île-de-France", "corrigez la géométrie", column="geometry")
    if "geometry_status" not in frame:
        return
    status = placed["geometry_status"]
    unsourced, vague = placed["geometry_source"].isna(), placed["precision_m"].isna()
    for column, concerned, reason, proposal in (
        ("geometry_source", unsourced, "géométrie sans source", "dites d’où vient le tracé"),
        ("geometry_status", status.eq("unknown"), "géométrie de statut inconnu", "dites s’il est officiel ou non"),
        (
            "precision_m",
            status.eq("official") & vague,
            "géométrie officielle sans précision",
            "donnez-la en mètres",
        ),
    ):
        if concerned.any():
            first = identifiers(placed[concerned].head(5), faults.layer).values()
            listed = ", ".join(first) + (" …" if concerned.sum() > 5 else "")
            told = f"{int(concerned.sum())} {reason} : {listed}"
            faults.table(told, proposal, severity="warning", column=column)
