"""What did a tool bring back from a walk, before a study judges it?

The one shape every reader of this package returns. Cells are as the tool wrote them; only the names of columns and
tables are already those of `geo_qmi.schema`. Identifiers, references and types are the business of
`geo_qmi.intake.walks`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from geo_qmi.errors import Defect, shown

if TYPE_CHECKING:
    import os

    from geo_qmi.errors import Severity
    from geo_qmi.sources.raw import RawTable

#: Tool → French name. KoboToolbox and ODK share one reader: they share one form language and one way to export.
TOOLS = {
    "survey": "KoboToolbox ou ODK",
    "geojson": "GeoJSON (ODK, KoboToolbox ou autre)",
    "qfield": "QField ou Mergin Maps",
    "umap": "uMap",
    "gpx": "trace GPX et photos",
    "csv": "tableau CSV ou classeur",
    "paper": "fiche papier numérisée",
}

#: How a paper sheet may be fitted: see `geo_qmi.sources.field.paper.fit`.
MODELS = ("auto", "affine", "projective")
#: Columns of the collected tables that are not columns of the study: what identifiers are made from.
HELPERS = ("uid", "participant", "actor_group", "session", "stage", "photo", "date", "modified")


@dataclass(frozen=True, slots=True)
class Hints:
    """What a file may leave unsaid about a walk, and how far its reading may go.

    Attributes
    ----------
    title, start, end, kind
        Of a session the study does not know yet; ISO local time; a code of ``SESSION_KINDS``.
    participant, actor_group
        Pseudonym and group of whoever collected, where the file names nobody.
    photos
        Folder of the photos. By default the folder handed over; for a lone file its own folder, and there only the
        photos that records name: other people's pictures lie in a download folder.
    base
        GeoPackage both copies started from: makes the merging of conflict copies three-way.
    control
        Control points of a paper sheet; by default the file's name with ``.points`` or ``_calage.csv``.
    sheet
        Description of the sheets of a workshop; by default the ``…_feuille.json`` beside the file that names it.
    tolerance_s
        Longest time between a photo and a recorded position. A walker makes 80 m in a minute: more would place the
        photo in another street.
    clock_shift_s
        Added to the clock of the camera; positive when it was late.
    model, rms_limit_m
        How a paper sheet is fitted, and the worst fit accepted: see `geo_qmi.sources.field.paper.fit`.
    """

    title: str = ""
    start: str = ""
    end: str = ""
    kind: str = "walk"
    participant: str = ""
    actor_group: str = ""
    photos: str | os.PathLike[str] | None = None
    base: str | os.PathLike[str] | None = None
    control: str | os.PathLike[str] | None = None
    sheet: str | os.PathLike[str] | None = None
    tolerance_s: float = 60.0
    clock_shift_s: float = 0.0
    model: Literal["auto", "affine", "projective"] = "auto"
    rms_limit_m: float = 10.0


@dataclass(slots=True)
class Collected:
    """The tables of one delivery.

    Attributes
    ----------
    tool
        Key of `TOOLS`.
    tables
        Table of the study → its pieces: one `RawTable` a sheet or layer, columns named as in the schema or `HELPERS`;
        a column nobody recognised keeps its own name.
    photos
        File name, lower case and without folder → SHA-256 of each photo delivered.
    defects
        What concerns the delivery as a whole; faults of a row are in its `RawTable`.
    notes
        French sentences on how it was read: fit of a sheet, copies merged, photos placed.
    """

    tool: str
    tables: dict[str, list[RawTable]] = field(default_factory=dict)
    photos: dict[str, str] = field(default_factory=dict)
    defects: list[Defect] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, table: str, raw: RawTable) -> None:
        """Add one piece of a table."""
        self.tables.setdefault(table, []).append(raw)

    @property
    def n_in(self) -> dict[str, int]:
        """Records met, by table."""
        return {table: sum(raw.n_in for raw in raws) for table, raws in self.tables.items()}


def cells(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column as plain cells, ``None`` where there is none or where the frame has no such column."""
    if name not in frame:
        return pd.Series([None] * len(frame), index=frame.index, dtype=object)
    column = frame[name].astype(object)
    return column.where(column.notna(), None)


def fault(
    raw: RawTable,
    reason: str,
    proposal: str = "",
    *,
    row: object = None,
    column: str = "",
    value: object = None,
    severity: Severity = "error",
) -> Defect:
    """Return the defect of one row (or of all of them) of a piece."""
    number = None if row is None else int(str(row))
    return Defect(
        severity, reason, proposal, file=raw.file, layer=raw.layer, row=number, field=column, value=shown(value)
    )
