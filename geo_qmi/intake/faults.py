"""What is wrong with this file so far, row by row?

Collects the defects of one table while it is taken in, in the words of the user: row numbers, column names and
file name as they were given. Decides nothing about rows, but remembers which of them carry an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geo_qmi.errors import Defect, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geo_qmi.errors import Severity


@dataclass(slots=True)
class Faults:
    """The defects of one table of one file.

    Attributes
    ----------
    file, layer
        Repeated in every defect.
    spelled
        Column of the table → column of the file, to speak the user's words.
    whole
        Reasons that hold for the whole table: when there is one, no row can be taken.
    reasons
        Row number → reasons why this row cannot be taken.
    cells
        (row, column of the table) that already have their error: the schema need not add « valeur manquante ».
    """

    file: str
    layer: str
    spelled: dict[str, str] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    reasons: dict[int, list[str]] = field(default_factory=dict)
    cells: set[tuple[int, str]] = field(default_factory=set)
    _found: list[Defect] = field(default_factory=list)

    def table(
        self, reason: str, proposal: str = "", *, severity: Severity = "error", column: str = "", value: object = None
    ) -> None:
        """Add a defect of the whole table; an error keeps every row out."""
        if severity == "error":
            self.whole.append(reason)
        self._add(severity, reason, proposal, row=None, column=column, value=value)

    def cell(
        self,
        row: int,
        reason: str,
        proposal: str = "",
        *,
        column: str,
        value: object = None,
        severity: Severity = "error",
    ) -> None:
        """Add a defect of one cell of column `column` of the table; an error keeps the row out."""
        if severity == "error":
            self.cells.add((row, column))
            self._keep_out(row, reason, column)
        self._add(severity, reason, proposal, row=row, column=column, value=value)

    def from_reader(self, defects: Iterable[Defect]) -> None:
        """Add what the reader of the file met; its errors keep their row out."""
        for defect in defects:
            self._found.append(defect)
            if defect.severity == "error" and defect.row is not None:
                self._keep_out(defect.row, defect.reason, defect.field)
                # The reader empties the cell it could not read: what the schema would say of it is not the cause.
                targets = [column for column, own in self.spelled.items() if own == defect.field] or [defect.field]
                self.cells.update((defect.row, target) for target in targets)

    def from_schema(self, defects: Iterable[Defect]) -> None:
        """Add what the schema says of typed rows, unless the cell already has its error."""
        for defect in defects:
            columns = defect.field.split(", ")
            row = defect.row
            if row is None:
                self.table(defect.reason, defect.proposal, severity=defect.severity, column=defect.field)
            elif not any((row, column) in self.cells for column in columns):
                if defect.severity == "error":
                    self._keep_out(row, defect.reason, defect.field)
                self._add(
                    defect.severity, defect.reason, defect.proposal, row=row, column=defect.field, value=defect.value
                )

    def listed(self, ids: Mapping[int, str]) -> list[Defect]:
        """Return every defect, those of the table first, then in row order; `ids` names the rows."""
        ordered = sorted(self._found, key=lambda defect: -1 if defect.row is None else defect.row)
        return [
            Defect(
                d.severity,
                d.reason,
                d.proposal,
                d.file or self.file,
                d.layer or self.layer,
                d.row,
                d.id or ids.get(-1 if d.row is None else d.row, ""),
                d.field,
                d.value,
            )
            for d in ordered
        ]

    def _keep_out(self, row: int, reason: str, column: str) -> None:
        named = ", ".join(self.spelled.get(part, part) for part in column.split(", "))
        self.reasons.setdefault(row, []).append(f"{named} : {reason}" if named else reason)

    def _add(
        self, severity: Severity, reason: str, proposal: str, *, row: int | None, column: str, value: object
    ) -> None:
        named = ", ".join(self.spelled.get(part, part) for part in column.split(", "))
        self._found.append(
            Defect(severity, reason, proposal, self.file, self.layer, row, field=named, value=shown(value))
        )
