"""Which rows of this raw table may enter the study, and why not the others?

Gives meaning to columns, cells and places, holds the result against the schema and the study, then parts the rows:
accepted or in quarantine, none lost. Reads no file and writes no study.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import schema
from geo_qmi.errors import shown
from geo_qmi.export.spreadsheet import plain
from geo_qmi.intake import places
from geo_qmi.intake.cells import Fault, luhn, reader
from geo_qmi.intake.columns import Recognised, recognise
from geo_qmi.intake.faults import Faults
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from geo_qmi.errors import Defect, Severity
    from geo_qmi.sources.raw import RawTable

#: Files whose text cells may carry the apostrophe that keeps a spreadsheet from running them.
_SPREADSHEET_TEXT = {".csv", ".tsv", ".txt"}


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of every record of one table of one file.

    ``n_in == n_ok + n_quarantined`` always; ``n_unlocated`` counts rows that are *among* ``n_ok``.

    Attributes
    ----------
    table
        Table of the schema.
    accepted
        Typed rows without any error (`geo_qmi.schema.typed`); index = row number in the file.
    quarantined
        The other records as the file gives them; index = row number (missing for a record that could not be read at
        all), first column « motifs » = reasons in French, last column « wkt » where the file carries a geometry, in
        the system of the file.
    defects
        Every error and warning; those of the whole table first, then in row order.
    n_in
        Records met in the file.
    n_replaced
        Accepted rows whose key is in the study already (only when they may replace it).
    """

    table: str
    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    defects: list[Defect]
    n_in: int
    n_replaced: int = 0

    def __post_init__(self) -> None:
        if self.n_in != self.n_ok + self.n_quarantined:
            raise AssertionError(f"{self.n_in} records in, {self.n_ok} + {self.n_quarantined} out")

    @property
    def n_ok(self) -> int:
        """Rows accepted."""
        return len(self.accepted)

    @property
    def n_quarantined(self) -> int:
        """Records kept out."""
        return len(self.quarantined)

    @property
    def n_unlocated(self) -> int:
        """Accepted rows whose place is unknown, in a table that has places."""
        return int(self.accepted.geometry.isna().sum()) if isinstance(self.accepted, gpd.GeoDataFrame) else 0


def take_in(
    raw: RawTable,
    name: str,
    *,
    crs: str | None = None,
    mapping: Mapping[str, str] | None = None,
    known: Mapping[str, pd.DataFrame] | None = None,
    update: bool = False,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Intake:
    """Return the rows of `raw` typed as table `name`, and the others with the reason.

    A row without `source` gets « fichier …, ligne … »; a geometry without `geometry_source` gets « fichier … », and
    without `geometry_status` « numérisé » (said once). Nothing else is filled in.

    Parameters
    ----------
    raw
        One layer or sheet; its row numbers must be unique.
    name
        Table of the schema.
    crs
        Coordinate system imposed by the user, such as ``EPSG:2154``.
    mapping
        Column of the file → column of the table, where the names do not say it; see
        `geo_qmi.intake.columns.recognise`.
    known
        Tables of the study: references are checked against them, and identifiers already there are refused. Without
        it neither is checked.
    update
        Rows whose identifier is in the study may replace it.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.

    Raises
    ------
    UnknownNameError
        The schema has no such table.
    InputError
        `crs` is not a system, or `mapping` names a column that does not exist.

    Examples
    --------
    >>> import pandas as pd
    >>> from geo_qmi.sources.raw import RawTable
    >>> cells = pd.DataFrame({"Dossier": ["a", "b"], "Nom": ["Ombrière", ""], "Résumé": ["…", "…"]}, index=[2, 3])
    >>> took = take_in(RawTable("appel.csv", "appel", cells, n_in=2), "applications")
    >>> took.n_in, took.n_ok, took.n_quarantined, took.defects[0].reason
    (2, 1, 1, 'valeur manquante, obligatoire ici')
    """
    if crs is not None:
        crs = places.system(crs)
    raw = _as_cells(raw)
    seen = recognise(raw.frame, name, mapping=mapping)
    faults = Faults(raw.file, raw.layer, spelled=dict(seen.taken))
    faults.from_reader(raw.defects)
    announce("Lieux", 0.0)
    shapes = _shapes(raw, name, seen, crs=crs, faults=faults)
    if len(raw.frame.columns) or len(raw.frame):
        _tell_columns(seen, name, faults)
    else:
        faults.table("aucun enregistrement dans ce fichier", "vérifiez l’export", severity="warning")
    announce("Nombres, dates et mots de chaque colonne", 0.2)
    frame = _typed(raw, name, seen, shapes=shapes, faults=faults)
    announce("Règles de la table", 0.5)
    checked = frame.drop(index=_tell_copies(raw, frame, name, faults))
    missing = {*seen.missing, *seen.clashes, *(["geometry"] if shapes is None else [])}
    faults.from_schema(d for d in schema.validate(checked, name) if d.field not in missing)
    tell_check_digits(frame, faults)
    announce("Lignes déjà dans l’étude", 0.8)
    present = _tell_known(checked, name, known, faults=faults, update=update)
    return _parted(raw, name, frame, faults=faults, present=present)


def _as_cells(raw: RawTable) -> RawTable:
    """Return `raw` with plain cells: in a column that pandas typed, NaN is how it says « empty »."""
    typed = [str(column) for column, dtype in raw.frame.dtypes.items() if dtype.name != "object"]
    if not typed:
        return raw
    frame = raw.frame.astype(object)
    for column in typed:
        frame[column] = frame[column].where(frame[column].notna(), None)
    return replace(raw, frame=frame)


# Columns and cells -----------------------------------------------------------------------------------------------


def _tell_columns(seen: Recognised, name: str, faults: Faults) -> None:
    specs = schema.columns(name)
    for column in seen.missing:
        faults.table(
            f"colonne obligatoire absente : « {specs[column].title} » ({column})",
            f'renommez la colonne qui la contient, ou ajoutez --map "VOTRE COLONNE={column}"',
            column=column,
        )
    for column, claimants in seen.clashes.items():
        listed = ", ".join(f"« {shown(c)} »" for c in claimants)
        faults.table(
            f"plusieurs colonnes veulent dire « {specs[column].title} » ({column}) et se contredisent : {listed}",
            f'renommez celle qui n’en est pas une, ou ajoutez --map "{shown(claimants[0])}={column}"',
            column=column,
        )
    aside = seen.unknown + seen.repeated
    if aside:
        faults.table(
            f"{counted(len(aside), 'colonne non reprise')} : {', '.join(f'« {shown(c)} »' for c in aside)}",
            f'si l’une d’elles compte, ajoutez --map "COLONNE=colonne de {name}"',
            severity="warning",
        )


def _typed(
    raw: RawTable, name: str, seen: Recognised, *, shapes: NDArray[np.object_] | None, faults: Faults
) -> pd.DataFrame:
    """Return the rows typed as table `name`, cells at fault left missing and told."""
    specs = schema.columns(name)
    index = raw.frame.index
    values = {column: _read(raw, own, column=column, name=name, faults=faults) for column, own in seen.taken.items()}
    for column, spec in specs.items():
        default = spec.metadata["default"]
        if column in values and default is not None and not spec.nullable and column != "geometry_status":
            values[column] = [default if value is None else value for value in values[column]]
    given = values.get("source") or [None] * len(index)
    values["source"] = [text or f"fichier {raw.file}, ligne {row}" for row, text in zip(index, given, strict=True)]
    if shapes is not None:
        values["geometry"] = list(shapes)
    if "geometry_status" in specs:
        _account(values, shapes, raw=raw, faults=faults)
    kept = {column: pd.Series(values[column], index=index, dtype=object) for column in specs if column in values}
    return schema.typed(pd.DataFrame(kept, index=index), name)


def _read(raw: RawTable, own: str, *, column: str, name: str, faults: Faults) -> list[Any]:
    """Return the values of one column of the file; each distinct cell is understood once."""
    read = reader(schema.columns(name)[column])
    strip = PurePath(raw.file).suffix.lower() in _SPREADSHEET_TEXT
    understood: dict[tuple[type, Any], Any] = {}
    values = []
    for row, cell in zip(raw.frame.index, raw.frame[own].tolist(), strict=True):
        known = (type(cell), cell)
        if known not in understood:
            understood[known] = read(plain(cell) if strip and isinstance(cell, str) else cell)
        value = understood[known]
        if isinstance(value, Fault):
            faults.cell(row, value.reason, value.proposal, column=column, value=cell)
            value = None
        values.append(value)
    return values


def _account(
    values: dict[str, list[Any]], shapes: NDArray[np.object_] | None, *, raw: RawTable, faults: Faults
) -> None:
    """Say where each geometry comes from and how far it can be trusted, where the file does not."""
    rows = raw.frame.index
    placed = [False] * len(rows) if shapes is None else [shape is not None for shape in shapes]
    sources = values.get("geometry_source", [None] * len(rows))
    values["geometry_source"] = [
        source or (f"fichier {raw.file}" if here else None) for source, here in zip(sources, placed, strict=True)
    ]
    statuses = values.get("geometry_status", [None] * len(rows))
    values["geometry_status"] = [
        status or ("digitised" if here else "unknown") for status, here in zip(statuses, placed, strict=True)
    ]
    silent = sum(
        here and status is None and (row, "geometry_status") not in faults.cells
        for row, here, status in zip(rows, placed, statuses, strict=True)
    )
    if silent:
        faults.table(
            f"confiance dans le tracé non dite pour {counted(silent, 'géométrie')} : « numérisé » est retenu",
            "ajoutez une colonne geometry_status : officiel, numérisé, approximatif ou inconnu",
            severity="warning",
            column="geometry_status",
        )


def _shapes(
    raw: RawTable, name: str, seen: Recognised, *, crs: str | None, faults: Faults
) -> NDArray[np.object_] | None:
    """Return the geometries in EPSG:2154, or ``None`` when the file or the table has none."""
    required = any(not spec.nullable for column, spec in schema.columns(name).items() if column == "geometry")
    if not schema.geometry_types(name):
        carried = 0 if raw.geometry is None else sum(shape is not None for shape in raw.geometry)
        if carried:
            faults.table(
                f"{counted(carried, 'géométrie non reprise')} : la table « {schema.label(name)} » n’en a pas",
                "choisissez une autre table si la géométrie compte",
                severity="warning",
                column="geometry",
            )
        return None
    found = places.find(raw, taken={*seen.taken.values(), *seen.ignored}, faults=faults, told=seen.placed)
    seen.unknown = [column for column in seen.unknown if column not in found.columns]
    if found.shapes is None:
        if required and len(raw.frame):
            faults.table(
                "aucune géométrie dans ce fichier, alors que la table en demande une",
                "ajoutez deux colonnes longitude et latitude, une colonne wkt, ou donnez un fichier cartographique",
                column="geometry",
            )
        return None
    return places.locate(found, name, rows=raw.frame.index, crs=crs, faults=faults)


# Rows ------------------------------------------------------------------------------------------------------------


def _tell_copies(raw: RawTable, frame: pd.DataFrame, name: str, faults: Faults) -> list[int]:
    """Keep out rows that repeat a former one cell for cell, and return them; the former one stays."""
    key = schema.key_columns(name)
    suspects = frame.index[frame.duplicated(key, keep=False) & frame[key].notna().all(axis=1)]
    if suspects.empty:
        return []
    rows = raw.frame.loc[suspects].astype(str)
    if raw.geometry is not None:
        rows = rows.assign(**{"\0wkb": shapely.to_wkb(raw.geometry[raw.frame.index.get_indexer(suspects)], hex=True)})
    keys = frame.loc[suspects, key].itertuples(index=False, name=None)
    first: dict[tuple[Any, ...], int] = {}
    copies = []
    for row, value, cells in zip(suspects.tolist(), keys, rows.itertuples(index=False, name=None), strict=True):
        former = first.setdefault(cells, row)
        if former != row:
            copies.append(row)
            faults.cell(
                row,
                f"ligne identique à la ligne {former}",
                "supprimez la répétition",
                column=", ".join(key),
                value=" + ".join(map(shown, value)),
            )
    return copies


def tell_check_digits(frame: pd.DataFrame, faults: Faults) -> None:
    """Hold SIRET (error) and SIREN (warning) numbers against their check digit."""
    levels: tuple[tuple[str, int, Severity], ...] = (("siret", 14, "error"), ("siren", 9, "warning"))
    for column, width, severity in levels:
        if column not in frame:
            continue
        numbers = frame[column].dropna()
        for row, digits in numbers[numbers.str.fullmatch(rf"[0-9]{{{width}}}")].items():
            if not luhn(digits):
                faults.cell(
                    int(str(row)),
                    f"clé de contrôle fausse : ce n’est pas un {column.upper()}",
                    "vérifiez les chiffres un à un",
                    column=column,
                    value=digits,
                    severity=severity,
                )


def _tell_known(
    frame: pd.DataFrame,
    name: str,
    known: Mapping[str, pd.DataFrame] | None,
    *,
    faults: Faults,
    update: bool,
) -> set[int]:
    """Check references against the study, refuse identifiers already there, and return the rows that bear one."""
    if known is None:
        return set()
    faults.from_schema(schema.check_references({**known, name: frame}, names=[name]))
    present: set[int] = set()
    if name not in known or not len(known[name]):
        return present
    key = schema.key_columns(name)
    taken = set(known[name][key].itertuples(index=False, name=None))
    for row, value in zip(frame.index.tolist(), frame[key].itertuples(index=False, name=None), strict=True):
        if value in taken:
            present.add(row)
            if not update:
                faults.cell(
                    row,
                    "cet identifiant est déjà dans l’étude",
                    "ajoutez --update pour remplacer la ligne, ou donnez un autre identifiant",
                    column=", ".join(key),
                    value=" + ".join(map(shown, value)),
                )
    return present


def _parted(raw: RawTable, name: str, frame: pd.DataFrame, *, faults: Faults, present: set[int]) -> Intake:
    """Part the rows by whether they carry an error; count the records that could not even be read."""
    kept = np.array([not faults.whole and row not in faults.reasons for row in frame.index], dtype=bool)
    accepted = frame[kept]
    quarantined = _quarantine(raw, raw.frame.index[~kept], faults=faults)
    return Intake(
        name,
        accepted,
        quarantined,
        faults.listed(identifiers(frame, name)),
        n_in=max(raw.n_in, len(raw.frame)),
        n_replaced=len(present & set(accepted.index)),
    )


def identifiers(frame: pd.DataFrame, name: str) -> dict[int, str]:
    """Return row number → identifier as shown to the user, for rows of table `name` that have one."""
    key = frame[schema.key_columns(name)[0]].dropna()
    return {int(str(row)): shown(value) for row, value in key.items()}


def refuse(raw: RawTable, reason: str, proposal: str) -> Intake:
    """Return the intake of a table that no table of the schema claims: every record kept out, for one reason."""
    faults = Faults(raw.file, raw.layer)
    faults.from_reader(raw.defects)
    faults.table(reason, proposal)
    quarantined = _quarantine(raw, raw.frame.index, faults=faults)
    return Intake("", pd.DataFrame(), quarantined, faults.listed({}), n_in=max(raw.n_in, len(raw.frame)))


def _quarantine(raw: RawTable, rows: pd.Index[Any], *, faults: Faults) -> pd.DataFrame:
    """Return these rows as the file gives them, and one line for each record that could not be read, with reasons."""
    unread = max(raw.n_in - len(raw.frame), 0)
    readable = set(raw.frame.index)
    told = [row for row in faults.reasons if row not in readable]
    lost: list[int | None] = [*told, *[None] * unread][:unread]
    frame = raw.frame.loc[rows].astype(object)
    if raw.geometry is not None:
        shapes = raw.geometry[raw.frame.index.get_indexer(rows)]
        frame[_free("wkt", frame)] = shapely.to_wkt(shapes, rounding_precision=9).astype(object)
    if lost:
        blank = pd.DataFrame(None, index=pd.Index(lost, dtype=object), columns=frame.columns, dtype=object)
        frame = pd.concat([frame, blank]) if len(frame) else blank
    reasons = [
        " ; ".join([*faults.whole, *faults.reasons.get(row, [])]) or "enregistrement illisible" for row in frame.index
    ]
    frame.insert(0, _free("motifs", frame), pd.Series(reasons, index=frame.index, dtype=object))
    frame.index = pd.Index(frame.index, dtype="Int64", name="ligne")
    return frame


def _free(word: str, frame: pd.DataFrame) -> str:
    """Return `word`, or a variant that no column of `frame` bears."""
    taken = Counter(map(str, frame.columns))
    while taken[word]:
        word += "_"
    return word
