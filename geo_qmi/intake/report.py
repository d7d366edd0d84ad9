"""What does the user read after a check or an import?

Counts that add up, every defect once, on screen a bounded number of lines with all kinds of defect represented,
in a CSV file all of them. Decides no exit code.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from geo_qmi.errors import Defect, InputError, refusal, shown
from geo_qmi.export.spreadsheet import neutralised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geo_qmi.intake.taking import Intake

_HEADER = ("Gravité", "Fichier", "Couche", "Ligne", "Identifiant", "Colonne", "Valeur", "Motif", "Proposition")
_SEVERITIES = {"error": "erreur", "warning": "avertissement"}


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a check or an import.

    ``n_in == n_ok + n_quarantined``; the ``n_unlocated`` rows whose place is unknown are among ``n_ok``.

    Attributes
    ----------
    n_in, n_ok, n_unlocated, n_quarantined
        Rows read, without error, without a place, with an error.
    issues
        Every defect.
    notes
        French sentences that are no defect, such as the share of demonstration rows.
    """

    n_in: int
    n_ok: int
    n_unlocated: int
    n_quarantined: int
    issues: list[Defect] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, intakes: Iterable[Intake], *, notes: tuple[str, ...] = ()) -> Report:
        """Return the report of one or several tables taken in."""
        took = list(intakes)
        return cls(
            sum(each.n_in for each in took),
            sum(each.n_ok for each in took),
            sum(each.n_unlocated for each in took),
            sum(each.n_quarantined for each in took),
            [defect for each in took for defect in each.defects],
            notes,
        )

    @property
    def verdict(self) -> Literal["ok", "defects"]:
        """``defects`` when there is at least one error; warnings alone keep nothing out."""
        return "defects" if any(issue.severity == "error" for issue in self.issues) else "ok"

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return {
            "verdict": self.verdict,
            "n_in": self.n_in,
            "n_ok": self.n_ok,
            "n_unlocated": self.n_unlocated,
            "n_quarantined": self.n_quarantined,
            "issues": [issue.as_dict() for issue in self.issues],
        }

    def lines(self, max_lines: int = 50) -> list[str]:
        """Return what to print: at most `max_lines` defects, notes, then the counts.

        Examples
        --------
        >>> Report(2, 1, 0, 1, [Defect("error", "valeur manquante", file="a.csv", row=3)]).lines()[-1]
        '2 lignes lues = 1 sans erreur (dont 0 sans lieu) + 1 en quarantaine ; 1 erreur, 0 avertissement.'
        """
        spelled = _foremost(self.issues, max_lines)
        lines = [f"{_SEVERITIES[issue.severity]} : {issue.sentence()}" for issue in spelled]
        rest = len(self.issues) - len(spelled)
        if rest:
            lines.append(f"… et {_counted(rest, 'autre')} (rapport complet : --report FICHIER.csv)")
        kinds = Counter(issue.severity for issue in self.issues)
        counts = (
            f"{_counted(self.n_in, 'ligne lue')} = {self.n_ok} sans erreur (dont {self.n_unlocated} sans lieu) "
            f"+ {self.n_quarantined} en quarantaine ; {_counted(kinds['error'], 'erreur')}, "
            f"{_counted(kinds['warning'], 'avertissement')}."
        )
        return [*lines, *self.notes, counts]

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write every defect in the dialect of French Excel and return the path.

        Raises
        ------
        InputError
            The file cannot be written there.
        """
        records = [
            [_SEVERITIES[d.severity], d.file, d.layer, d.row, d.id, d.field, d.value, d.reason, d.proposal]
            for d in self.issues
        ]
        return write_csv(path, _HEADER, records)


def write_quarantine(intake: Intake, path: str | os.PathLike[str]) -> Path:
    """Write the records kept out, with their reasons, so that they can be corrected and imported again.

    Columns are those of the file, between « ligne », « motifs » and « wkt » (geometry in the file's own system);
    written as by `Report.to_csv`.

    Raises
    ------
    InputError
        The file cannot be written there.
    """
    frame = intake.quarantined
    records = ([row, *cells] for row, cells in zip(frame.index, frame.itertuples(index=False, name=None), strict=True))
    return write_csv(path, [str(frame.index.name), *map(str, frame.columns)], records)


def write_csv(path: str | os.PathLike[str], header: Iterable[str], records: Iterable[Iterable[Any]]) -> Path:
    """Write records with semicolons, decimal commas and a byte-order mark, entirely or not at all.

    Raises
    ------
    InputError
        Not a ``.csv`` file, which a study or the file just read would be; the file cannot be written there.
    """
    target = Path(path)
    if target.suffix.lower() != ".csv":
        raise InputError(f"« {shown(target.name)} » : attendu un nom de fichier en .csv. Rien n’a été écrit.")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([_written(cell) for cell in record] for record in (header, *records))
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        draft.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
        draft.replace(target)
    except OSError as error:
        raise InputError(
            f"Impossible d’écrire « {shown(target)} » : {refusal(error)} → choisissez un autre dossier ou un autre nom."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return target


def _written(cell: Any) -> str:
    if cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124 - NaN
        return ""
    if isinstance(cell, bool):
        return "oui" if cell else "non"
    return repr(cell).replace(".", ",") if isinstance(cell, float) else neutralised(str(cell))


def _foremost(issues: list[Defect], limit: int) -> list[Defect]:
    """Return at most `limit` defects in their order: errors before warnings, the first of each kind before repeats."""
    if len(issues) <= limit:
        return issues
    met: Counter[tuple[str, ...]] = Counter()
    ranked = []
    for place, issue in enumerate(issues):
        kind = (issue.layer, issue.field, issue.reason)
        ranked.append((met[kind] > 2, issue.severity != "error", place))
        met[kind] += 1
    return [issues[place] for place in sorted(place for *_, place in sorted(ranked)[:limit])]


def _counted(number: int, words: str) -> str:
    plural = " ".join(f"{word}s" for word in words.split()) if number > 1 else words
    return f"{number} {plural}"
