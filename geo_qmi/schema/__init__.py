"""What is each table of a study made of, and does this frame comply?

The definitions are pandera schemas, one per table, in `places`, `programme`, `field`, `calls` and `evaluation`; this
module is their door: look a table up, ask about its columns, type a frame, and list *all* defects of a frame or of a
set of tables in French. It reads no file and repairs nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pandera.pandas as pa

from geo_qmi.errors import Defect, UnknownNameError, shown
from geo_qmi.schema import calls, evaluation, field, places, programme
from geo_qmi.schema.demand import OnDemand
from geo_qmi.schema.kinds import DTYPES
from geo_qmi.schema.tables import CRS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "CRS",
    "RESULTS",
    "TABLES",
    "OnDemand",
    "check_references",
    "choices",
    "columns",
    "geometry_types",
    "key_columns",
    "label",
    "private_columns",
    "table",
    "typed",
    "validate",
]

#: Tables of a study, in an order where a table comes after those it refers to.
TABLES: dict[str, pa.DataFrameSchema] = {
    schema.name: schema
    for schema in (*places.TABLES, *programme.TABLES, *field.TABLES, *calls.TABLES, *evaluation.TABLES)
}
#: Tables written by a computation.
RESULTS: dict[str, pa.DataFrameSchema] = {schema.name: schema for schema in calls.RESULTS}


def table(name: str) -> pa.DataFrameSchema:
    """Return the pandera schema of table `name`.

    Raises
    ------
    UnknownNameError
        No table has this name; the message lists those that exist.
    """
    schema = TABLES.get(name) or RESULTS.get(name)
    if schema is None:
        raise UnknownNameError(
            f"Table inconnue : « {shown(name)} ». Tables connues : {', '.join([*TABLES, *RESULTS])}."
        )
    return schema


def label(name: str) -> str:
    """Return the French title of table `name`."""
    return str(table(name).title)


def columns(name: str) -> dict[str, pa.Column]:
    """Return the columns of table `name` in writing order, the geometry last."""
    return dict(table(name).columns)


def key_columns(name: str) -> list[str]:
    """Return the columns that identify a row of table `name` together.

    Examples
    --------
    >>> key_columns("communes"), key_columns("project_tags")
    (['insee'], ['project_id', 'tag'])
    """
    schema = table(name)
    single = [column for column, spec in schema.columns.items() if spec.metadata["key"]]
    return single or list(schema.unique or [])


def private_columns(name: str) -> list[str]:
    """Return the columns of table `name` that do not leave a study by default: all of a private table."""
    schema = table(name)
    if schema.metadata["private"]:
        return list(schema.columns)
    return [column for column, spec in schema.columns.items() if spec.metadata["private"]]


def geometry_types(name: str) -> tuple[str, ...]:
    """Return the geometry types allowed in table `name`; empty for a table without geometry."""
    return tuple(table(name).metadata["geometry"])


def choices(name: str, column: str) -> dict[str, str] | None:
    """Return code → French label for a column that holds a vocabulary, else ``None``."""
    found: dict[str, str] | None = table(name).columns[column].metadata["choices"]
    return found


def typed(frame: pd.DataFrame, name: str) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return `frame` with exactly the columns of table `name`, in order, each in its dtype.

    Absent columns are added, with the default of the schema where it has one and missing values elsewhere. Values
    that cannot be converted raise: convert text with `geo_qmi.intake` first.

    Parameters
    ----------
    frame
        Any frame; a geometry column must already be in EPSG:2154.

    Returns
    -------
    GeoDataFrame in EPSG:2154 when the table has a geometry, else DataFrame; same index as `frame`.
    """
    series: dict[str, Any] = {}
    for column, spec in columns(name).items():
        if column == "geometry":
            continue
        values = (
            frame[column] if column in frame else pd.Series(spec.metadata["default"], index=frame.index, dtype=object)
        )
        series[column] = values.astype(DTYPES[spec.metadata["kind"]])
    if not geometry_types(name):
        return pd.DataFrame(series, index=frame.index)
    geometry = frame["geometry"] if "geometry" in frame else [None] * len(frame)
    return gpd.GeoDataFrame(series, index=frame.index, geometry=gpd.GeoSeries(geometry, index=frame.index, crs=CRS))


def validate(frame: pd.DataFrame, name: str, *, file: str = "") -> list[Defect]:
    """Return every defect of `frame` held against table `name`, at once.

    Parameters
    ----------
    frame
        Typed as by `typed`; its index is the row number shown to the user.
    file
        File name repeated in each defect.

    Returns
    -------
    Defects in row order; an empty list when the frame complies.
    """
    schema = table(name)
    found: list[Defect] = []
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.drop_duplicates(["column", "check", "index"])
        found = [defect for case in cases.to_dict("records") for defect in _defects(case, frame, name)]
    found += _geometry_defects(frame, name)
    order = {label: position for position, label in enumerate(frame.index)}
    found.sort(key=lambda defect: order.get(defect.row, -1))
    return [replace(defect, file=file, layer=name) for defect in found]


def _defects(case: dict[str, Any], frame: pd.DataFrame, name: str) -> list[Defect]:
    """Word one pandera failure case for the reader."""
    column, check, row = str(case["column"]), str(case["check"]), case["index"]
    if row is None or pd.isna(row):
        return [_column_defect(check, column=column, found=str(case["failure_case"]))]
    if check == "multiple_fields_uniqueness":
        # pandera gives one case a column; the first column speaks for the row.
        parts = list(table(name).unique or [])
        value = " + ".join(shown(frame.loc[row, part]) for part in parts)
        reason = "combinaison déjà présente dans la table"
        return [_cell(frame, name, row, ", ".join(parts), value, reason, _RENAME)] if column == parts[0] else []
    reason, proposal = _CELL_WORDS.get(check, (check, "corrigez la cellule"))
    found = None if check == "not_nullable" else case["failure_case"]
    return [_cell(frame, name, row, column, found, reason, proposal)]


def _column_defect(check: str, *, column: str, found: str) -> Defect:
    """Word a failure that concerns a whole column."""
    if check == "column_in_dataframe":
        return Defect("error", "colonne absente", "ajoutez-la ou renommez celle qui la contient", field=found)
    if check == "column_in_schema":
        return Defect("error", "colonne inconnue de cette table", "supprimez-la", field=found)
    return Defect("error", f"type de colonne inattendu ({found})", "convertissez la colonne", field=column)


_RENAME = "donnez un identifiant différent ou supprimez la ligne en trop"
_CELL_WORDS = {
    "field_uniqueness": ("identifiant présent plusieurs fois", _RENAME),
    "not_nullable": ("valeur manquante, obligatoire ici", "renseignez la cellule"),
}


def _cell(frame: pd.DataFrame, name: str, row: Any, column: str, value: Any, reason: str, proposal: str) -> Defect:
    """Return the defect of one cell, with the identifier of its row."""
    key = key_columns(name)[0]
    ident = frame.loc[row, key] if key in frame else ""
    ident = ident.iloc[0] if isinstance(ident, pd.Series) else ident
    return Defect(
        "error",
        reason,
        proposal,
        row=int(row) if isinstance(row, int) or str(row).isdigit() else None,
        id="" if pd.isna(ident) else shown(ident),
        field=column,
        value=shown(value),
    )


def _geometry_defects(frame: pd.DataFrame, name: str) -> list[Defect]:
    """List geometries of a type the table does not hold, empty ones, and a frame that is not in Lambert-93."""
    allowed = geometry_types(name)
    if not allowed or not isinstance(frame, gpd.GeoDataFrame):
        return []
    if frame.crs is None or frame.crs.to_epsg() != 2154:
        return [Defect("error", f"géométrie attendue en {CRS} (Lambert-93)", "reprojetez la table", field="geometry")]
    found = []
    kinds = frame.geometry.geom_type
    wrong = frame.geometry.notna() & (~kinds.isin(allowed) | frame.geometry.is_empty)
    for row in frame.index[wrong]:
        kind = "géométrie vide" if frame.geometry[row].is_empty else str(kinds[row])
        reason = f"type de géométrie non admis ; attendu : {', '.join(allowed)}"
        found.append(_cell(frame, name, row, "geometry", kind, reason, "corrigez la géométrie"))
    return found


def check_references(tables: Mapping[str, pd.DataFrame], *, names: Iterable[str] | None = None) -> list[Defect]:
    """Return the defects of references between tables: each value must exist where the schema says.

    Parameters
    ----------
    tables
        Table name → frame. A table that is absent is treated as empty.
    names
        Tables whose references are checked; all of `tables` by default.
    """
    found: list[Defect] = []
    for name in names if names is not None else tables:
        frame = tables[name]
        for column, spec in columns(name).items():
            target = spec.metadata["references"]
            if target is None or column not in frame:
                continue
            other, other_column = target.split(".")
            known = set(tables[other][other_column].dropna()) if other in tables else set()
            wrong = frame[column].notna() & ~frame[column].isin(known)
            reason = f"valeur absente de la table « {other} », colonne « {other_column} »"
            proposal = f"corrigez la valeur ou ajoutez la ligne à « {other} »"
            rows = frame.index[wrong]
            found += [
                replace(_cell(frame, name, row, column, frame.loc[row, column], reason, proposal), layer=name)
                for row in rows
            ]
    return found
