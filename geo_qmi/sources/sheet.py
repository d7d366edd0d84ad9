"""What does a parser hand over before pandas is loaded?

A `Sheet` is a `geo_qmi.sources.raw.RawTable` in plain Python: columns as lists, geometry as a list of shapely
objects. Parsers run in a short-lived child process where importing pandas would cost more than most files; the
parent turns a sheet into a table. Nothing is decided about meaning, but two things no table can carry are made
harmless and reported here: characters that are not text, and column names that are empty or repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geo_qmi.errors import Defect, Severity, shown
from geo_qmi.sources.raw import RawTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo_qmi.sources.limits import Limits

Cell = str | int | float | bool | None

#: A fault met more often than this in one column is counted, not repeated.
_REPEATED = 1000


@dataclass(slots=True)
class Sheet:
    """One layer or sheet in plain Python; the attributes are those of `RawTable`.

    Attributes
    ----------
    columns
        Names, unique and not empty once `name_columns` ran.
    values
        One list per column, as long as `rows`.
    rows
        Row number of each record as the user sees it.
    geometry
        Shapely objects or ``None``, as long as `rows`; ``None`` when the format carries none.
    """

    file: str
    layer: str
    columns: list[str] = field(default_factory=list)
    values: list[list[Cell]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    geometry: list[Any] | None = None
    crs: str | None = None
    n_in: int = 0
    defects: list[Defect] = field(default_factory=list)

    def fault(
        self,
        reason: str,
        proposal: str = "",
        *,
        row: int | None = None,
        column: str = "",
        value: object = None,
        severity: Severity = "error",
    ) -> None:
        """Add a `Defect` that names this file and layer."""
        self.defects.append(
            Defect(
                severity,
                reason,
                proposal,
                file=self.file,
                layer=self.layer,
                row=row,
                field=column,
                value=shown(value),
            )
        )

    def fill(self, records: Sequence[dict[str, Cell]], *, limits: Limits) -> None:
        """Set columns and values from one mapping per record, columns in order of first appearance."""
        names: dict[str, None] = {}
        for record in records:
            if not names.keys() >= record.keys():
                names.update(dict.fromkeys(record))
                limits.check_columns(len(names), file=self.file, layer=self.layer)
        self.columns = list(names)
        self.values = [[record.get(name) for record in records] for name in names]

    def finish(self) -> Sheet:
        """Name the columns, make every text storable, and return the sheet."""
        self._name_columns()
        for name, column in zip(self.columns, self.values, strict=True):
            self._clean(name, column)
        return self

    def table(self) -> RawTable:
        """Return the sheet as a `RawTable` (loads pandas)."""
        import numpy as np
        import pandas as pd

        frame = pd.DataFrame(
            {place: pd.Series(column, dtype=object) for place, column in enumerate(self.values)},
            index=range(len(self.rows)),
            dtype=object,
        )
        frame.columns = pd.Index(self.columns, dtype=object)
        frame.index = pd.Index(self.rows, dtype="int64")
        geometry = None
        if self.geometry is not None:
            geometry = np.empty(len(self.geometry), dtype=object)
            geometry[:] = self.geometry
        return RawTable(self.file, self.layer, frame, geometry, self.crs, self.n_in, self.defects)

    def _name_columns(self) -> None:
        taken = set(self.columns)
        used: set[str] = set()
        for place, raw in enumerate(self.columns):
            name = storable(raw)
            if not name.strip():
                name = _free(f"colonne {place + 1}", taken | used)
                self.fault(
                    f"la colonne {place + 1} n’a pas de nom ; elle est lue sous le nom « {name} »",
                    "donnez un nom à cette colonne dans la première ligne",
                    column=name,
                    severity="warning",
                )
            elif name in used:
                fresh = _free(name, taken | used)
                self.fault(
                    f"le nom de colonne « {shown(name)} » apparaît plusieurs fois ; "
                    f"la colonne {place + 1} est lue sous le nom « {shown(fresh)} »",
                    "donnez à chaque colonne un nom différent",
                    column=name,
                    severity="warning",
                )
                name = fresh
            used.add(name)
            self.columns[place] = name

    def _clean(self, name: str, column: list[Cell]) -> None:
        texts = "".join([cell for cell in column if type(cell) is str])
        if storable(texts) == texts:
            return
        met = 0
        for place, cell in enumerate(column):
            if type(cell) is not str or storable(cell) == cell:
                continue
            column[place] = storable(cell)
            met += 1
            if met <= _REPEATED:
                self.fault(
                    "des caractères illisibles ont été remplacés par « \N{REPLACEMENT CHARACTER} »",
                    "corrigez ce texte, ou enregistrez le fichier en UTF-8",
                    row=self.rows[place],
                    column=name,
                    value=column[place],
                    severity="warning",
                )
        if met > _REPEATED:
            self.fault(
                f"{met} cellules de cette colonne ont des caractères illisibles", column=name, severity="warning"
            )


def storable(text: str) -> str:
    r"""Return `text` with lone surrogates and NUL replaced by U+FFFD; the same object when there are none.

    Examples
    --------
    >>> storable("caf\ud800")
    'caf�'
    """
    if "\0" in text:
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def _free(name: str, taken: set[str]) -> str:
    number = 2
    fresh = name
    while fresh in taken:
        fresh = f"{name} ({number})"
        number += 1
    return fresh
