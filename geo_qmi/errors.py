"""What does geo-qmi say when it cannot go on?

The family of errors, and the `Defect` record that names one fault of one value. Messages are French sentences
for the people who use the tool: what happened, where, what was expected and what to do. This module formats
nothing for a screen and decides no exit code.

::

    GeoQmiError
    ├── InputError (ValueError)       a file, table or value that cannot be taken
    │   ├── UnreadableError           the bytes are not what they claim to be
    │   ├── LimitError                the file passes a limit (size, rows, time, memory)
    │   ├── DefectsError              a table with defects: all of them, in `.defects`
    │   └── CrsError                  a coordinate system that is missing, wrong or unfit for measuring
    ├── UnknownNameError (LookupError)  no such table, column, district or project
    ├── InfeasibleError (ValueError)  no plan satisfies the rules
    └── StudyError (OSError)          the study file
        ├── StudyMissingError         there is no such file
        ├── StudyExistsError          the file is there already and would be lost
        ├── StudyDamagedError         the file is corrupted, or not what a study is
        │   └── NotAStudyError        a sound GeoPackage that holds no study
        ├── StudyLockedError          somebody else is writing and did not finish in time
        ├── StudyReadOnlyError        the study was opened for reading only
        └── ConflictError             the table changed since it was read
"""

from __future__ import annotations

import errno
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Severity = Literal["error", "warning"]

#: Longest value quoted in a message: enough to recognise a cell, short enough for one line.
_VALUE_CHARS = 60
#: How many names or defects a message spells out; the rest is counted.
_SPELLED_OUT = 5
#: What a machine answers in English when it refuses a file or a folder.
_REFUSALS = {
    errno.ENOENT: "introuvable",
    errno.EACCES: "droits insuffisants",
    errno.EPERM: "droits insuffisants",
    errno.EROFS: "disque en lecture seule",
    errno.ENOSPC: "plus de place sur le disque",
    errno.ENOTDIR: "un fichier tient la place d’un dossier",
    errno.EISDIR: "c’est un dossier",
    errno.EEXIST: "existe déjà",
    errno.ENAMETOOLONG: "nom trop long",
    errno.EIO: "disque défaillant",
}


class GeoQmiError(Exception):
    """Any error of the toolkit; its text is a French sentence meant for the user."""


class InputError(GeoQmiError, ValueError):
    """A file, table or value that cannot be taken."""


class UnreadableError(InputError):
    """The bytes are not what they claim to be."""


class LimitError(InputError):
    """The file passes a limit: size, rows, columns, vertices, time or memory."""


class CrsError(InputError):
    """A coordinate system that is missing, wrong, or unfit for measuring."""


class UnknownNameError(GeoQmiError, LookupError):
    """No such table, column, district or project."""

    def __str__(self) -> str:
        """Return the sentence itself (``KeyError`` and kin would quote it)."""
        return str(self.args[0]) if self.args else ""


class InfeasibleError(GeoQmiError, ValueError):
    """No plan satisfies the rules."""


class StudyError(GeoQmiError, OSError):
    """The study file cannot be used as asked."""


class StudyMissingError(StudyError):
    """There is no such study file."""


class StudyExistsError(StudyError):
    """The file is there already; it is never overwritten."""


class StudyDamagedError(StudyError):
    """The file is corrupted, or not what a study is."""


class NotAStudyError(StudyDamagedError):
    """A sound GeoPackage that holds no study."""


class StudyLockedError(StudyError):
    """Another program is writing and did not finish in time."""


class StudyReadOnlyError(StudyError):
    """The study was opened for reading only."""


class ConflictError(StudyError):
    """The table changed since it was read."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One fault of one value, row, table or file.

    Attributes
    ----------
    severity
        ``error`` (the row cannot be taken) or ``warning`` (taken, with something to know).
    file
        Name of the file as the user gave it.
    layer
        Table or layer inside the file.
    row
        Row as the user sees it in that file: spreadsheet line (the header is line 1), or feature number from 1.
    id
        Identifier of the row, when it has one.
    field
        Column, in the user's own spelling.
    value
        The value found, cut to 60 characters.
    reason
        What is wrong and what was expected: a French sentence.
    proposal
        What to do: a French sentence.
    """

    severity: Severity
    reason: str
    proposal: str = ""
    file: str = ""
    layer: str = ""
    row: int | None = None
    id: str = ""
    field: str = ""
    value: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the record as plain JSON types, in a fixed order of keys."""
        order = ("severity", "file", "layer", "row", "id", "field", "value", "reason", "proposal")
        record = asdict(self)
        return {key: record[key] for key in order}

    def sentence(self) -> str:
        """Return the defect as one French line: where, what was found and expected, what to do."""
        where = [part for part in (self.file, self.layer) if part]
        if self.row is not None:
            where.append(f"ligne {self.row}")
        if self.id:
            where.append(f"id {self.id}")
        if self.field:
            where.append(f"colonne « {self.field} »")
        found = f" (valeur lue : « {self.value} »)" if self.value else ""
        todo = f" → {self.proposal}" if self.proposal else ""
        return f"{', '.join(where)} : {self.reason}{found}{todo}" if where else f"{self.reason}{found}{todo}"


def refusal(error: Exception) -> str:
    """Return in French why the machine refuses a file or a folder; its own words where they are rare.

    Examples
    --------
    >>> refusal(PermissionError(errno.EACCES, "Permission denied"))
    'droits insuffisants'
    """
    return _REFUSALS.get(getattr(error, "errno", None) or 0, getattr(error, "strerror", None) or str(error))


def shown(value: object) -> str:
    r"""Return `value` as short printable text: control characters dropped, at most 60 characters.

    Examples
    --------
    >>> shown("Aulnay\nsous\x1b[31m-Bois")
    'Aulnay sous[31m-Bois'
    """
    if value is None:
        return ""
    text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in str(value)[: 4 * _VALUE_CHARS])
    return text if len(text) <= _VALUE_CHARS else text[: _VALUE_CHARS - 1] + "…"


def quoted(names: Sequence[object]) -> str:
    """Return the first names between guillemets, and how many are left.

    Examples
    --------
    >>> quoted(["a", "b"]), quoted("abcdefg")
    ('« a », « b »', '« a », « b », « c », « d », « e » et 2 autres')
    """
    said = ", ".join(f"« {shown(name)} »" for name in names[:_SPELLED_OUT])
    rest = len(names) - _SPELLED_OUT
    return f"{said} et {counted(rest, 'autre')}" if rest > 0 else said


class DefectsError(InputError):
    """A table with defects: every one of them is in ``defects``; the message spells out the first five."""

    def __init__(self, defects: Iterable[Defect], *, title: str = "Données refusées") -> None:
        self.defects = list(defects)
        lines = [f"- {defect.sentence()}" for defect in self.defects[:_SPELLED_OUT]]
        rest = len(self.defects) - len(lines)
        if rest > 0:
            lines.append(f"- … et {counted(rest, 'autre défaut')}.")
        super().__init__("\n".join([f"{title} : {counted(len(self.defects), 'défaut')}.", *lines]))
