"""Who took part in a walk, under which pseudonym and in which group?

« Lilas » and « lilas » are one person: one person, one vote. A pseudonym is only known inside its session, so that
nobody can be followed from one walk to the next by a name they happened to choose twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi.sources.field.collected import cells, fault
from geo_qmi.sources.raw import RawTable
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geo_qmi.errors import Defect
    from geo_qmi.sources.field.collected import Hints

#: A mail, a number of nine digits or two words with capitals is a person, not a pseudonym.
_PERSONAL = re.compile(r"@|(?:\d[ .]?){9}|^[A-ZÀ-Ý][a-zà-ÿ]+ [A-ZÀ-Ý][a-zà-ÿA-ZÀ-Ý-]+$")


def whole(cell: object) -> str:
    """Return a cell as text, a whole number without its decimals.

    Examples
    --------
    >>> whole(7.0), whole(" P7 ")
    ('7', 'P7')
    """
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


@dataclass(slots=True)
class _Seen:
    """Where a person was first met, and the group they gave."""

    raw: RawTable
    row: int
    who: str
    group: Any


@dataclass(slots=True)
class People:
    """The participants of one session.

    Attributes
    ----------
    session
        Identifier of the session.
    held
        Rows of table ``participants`` the study has for it.
    hints
        Pseudonym and group of whoever collected, where the file names nobody.
    defects
        What is doubtful, filled by `rows`.
    """

    session: str
    held: pd.DataFrame
    hints: Hints
    defects: list[Defect] = field(default_factory=list)

    def named(self, raw: RawTable) -> list[tuple[int, str, Any]]:
        """Return (row, pseudonym, group or ``None``) for each row whose author is known."""
        found = []
        for row, who, group in zip(
            raw.frame.index, cells(raw.frame, "participant"), cells(raw.frame, "actor_group"), strict=True
        ):
            name = whole(who) if who is not None and str(who).strip() else self.hints.participant
            if name:
                found.append((int(str(row)), name, group))
        return found

    def identifier(self, pseudonym: str) -> str:
        """Return the study's identifier of a pseudonym, or a new one: « séance-PSEUDONYME »."""
        folded = fold(pseudonym)
        for known in self.held["participant_id"]:
            if folded in {fold(known), fold(known.removeprefix(f"{self.session}-"))}:
                return str(known)
        if folded.startswith(f"{fold(self.session)}_"):
            return pseudonym
        return f"{self.session}-{folded.upper()}"

    def rows(self, raws: Iterable[RawTable], *, source: Callable[[str], str]) -> RawTable | None:
        """Return one row a person met in `raws`, numbered in the order they were met; ``None`` when there is nobody."""
        met: dict[str, _Seen] = {}
        for raw in raws:
            for row, who, group in self.named(raw) if "participant" in raw.frame or self.hints.participant else []:
                seen = met.setdefault(self.identifier(who), _Seen(raw, row, who, group))
                if seen.group is None:
                    seen.group = group
                elif group is not None and fold(str(group)) != fold(str(seen.group)):
                    reason = f"« {who} » est donné dans deux groupes ; retenu : {seen.group}"
                    self._doubt(raw, row, reason, "corrigez le groupe", column="actor_group")
        if not met:
            return None
        known = dict(zip(self.held["participant_id"], self.held["actor_group"], strict=True))
        groups = {who: seen.group or self.hints.actor_group or known.get(who) for who, seen in met.items()}
        self._tell(met, silent=[who for who, group in groups.items() if group is None])
        first = next(iter(met.values())).raw
        rows = [
            {
                "participant_id": who,
                "session_id": self.session,
                "actor_group": groups[who],
                "source": source(seen.raw.file),
            }
            for who, seen in met.items()
        ]
        frame = pd.DataFrame(rows, index=range(1, len(rows) + 1), dtype=object)
        return RawTable(first.file, "participants", frame, n_in=len(frame))

    def _tell(self, met: dict[str, _Seen], *, silent: list[str]) -> None:
        if silent:
            reason = f"groupe d’acteurs non dit pour {len(silent)} participant(s) : {', '.join(silent[:5])}"
            remedy = "ajoutez une colonne groupe, ou précisez-le à l’import"
            self.defects.append(fault(met[silent[0]].raw, reason, remedy, column="actor_group"))
        for seen in met.values():
            if _PERSONAL.search(seen.who):
                reason = "ce pseudonyme ressemble à un nom, à une adresse ou à un numéro"
                self._doubt(seen.raw, seen.row, reason, "remplacez-le par un pseudonyme", column="participant")

    def _doubt(self, raw: RawTable, row: int, reason: str, proposal: str, *, column: str) -> None:
        self.defects.append(fault(raw, reason, proposal, row=row, column=column, severity="warning"))
