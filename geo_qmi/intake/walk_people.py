"""Who took part in a walk, under which pseudonym and in which group?

« Lilas » and « lilas » are one person: one person, one vote. A pseudonym is only known inside its session, so that
nobody can be followed from one walk to the next by a name they happened to choose twice. Whoever asked to be erased
does not come back with the next import of the same file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from geo_qmi.sources.field.collected import cells, fault
from geo_qmi.sources.raw import RawTable
from geo_qmi.vocabulary import fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from geo_qmi.errors import Defect
    from geo_qmi.sources.field.collected import Hints

#: Whom of (session, participant) pairs the study erased.
ErasedAmong: TypeAlias = "Callable[[Collection[tuple[str, str]]], set[tuple[str, str]]]"
#: A mail, a number of nine digits or two words with capitals is a person, not a pseudonym.
_PERSONAL = re.compile(r"@|(?:\d[ .]?){9}|^[A-ZÀ-Ý][a-zà-ÿ]+ [A-ZÀ-Ý][a-zà-ÿA-ZÀ-Ý-]+$")
#: Tables whose records somebody said, and the scopes of a statement that is one person's.
_SAID = ("participants", "observations", "statements")
_ALONE = {"individual", "individuel"}
ERASED = "personne effacée de l’étude : enregistrement refusé, ni écrit ni recopié"
_REMOVE = "retirez-le du fichier ; si c’est quelqu’un d’autre, donnez-lui un autre pseudonyme"


def whole(cell: object) -> str:
    """Return a cell as text, a whole number without its decimals.

    Examples
    --------
    >>> whole(7.0), whole(" P7 ")
    ('7', 'P7')
    """
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def said_alone(scope: object) -> bool:
    """Tell whether a statement of this scope, code or French word, is one person's."""
    return fold(str(scope)) in _ALONE


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
    erased_among
        Tells whom of (session, participant) pairs the study erased.
    erased
        Identifiers of the erased people met, filled by `without_erased`.
    defects
        What is doubtful, filled by `rows`.
    """

    session: str
    held: pd.DataFrame
    hints: Hints
    erased_among: ErasedAmong
    erased: set[str] = field(default_factory=set)
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

    def without_erased(self, raws: Mapping[str, list[RawTable]]) -> dict[str, list[RawTable]]:
        """Return the pieces of a delivery without what erased people said; it still counts, as refused.

        Their records leave no trace but a number: no value is quoted and none goes to quarantine. What a group said
        together is the group's, whoever typed it.
        """
        by_piece = {
            (table, place): {row: self.identifier(name) for row, name, _ in self.named(raw)}
            for table, pieces in raws.items()
            for place, raw in enumerate(pieces)
            if table in _SAID and ("participant" in raw.frame or self.hints.participant)
        }
        met = {who for authors in by_piece.values() for who in authors.values()}
        self.erased = {who for _, who in self.erased_among([(self.session, who) for who in met])} if met else set()
        out = {table: list(pieces) for table, pieces in raws.items()}
        for (table, place), authors in by_piece.items():
            raw = raws[table][place]
            lost = {row for row, who in authors.items() if who in self.erased}
            if table == "statements":
                scopes = cells(raw.frame, "scope")
                lost = {row for row in lost if said_alone(scopes[row])}
            if lost:
                out[table][place] = _without(raw, lost)
        return out

    def rows(self, raws: Iterable[RawTable], *, source: Callable[[str], str]) -> RawTable | None:
        """Return one row a person met in `raws`, numbered in the order they were met; ``None`` when there is nobody."""
        met: dict[str, _Seen] = {}
        for raw in raws:
            for row, who, group in self.named(raw) if "participant" in raw.frame or self.hints.participant else []:
                ident = self.identifier(who)
                if ident in self.erased:  # a statement of the group, typed by them
                    continue
                seen = met.setdefault(ident, _Seen(raw, row, who, group))
                if seen.group is None:
                    seen.group = group
                elif group is not None and fold(str(group)) != fold(str(seen.group)):
                    reason = f"« {who} » est donné dans deux groupes ; retenu : {seen.group}"
                    self._doubt(raw, row, reason, "corrigez le groupe", column="actor_group")
        if not met and not self.erased:
            return None
        known = dict(zip(self.held["participant_id"], self.held["actor_group"], strict=True))
        groups = {who: seen.group or self.hints.actor_group or known.get(who) for who, seen in met.items()}
        self._tell(met, silent=[who for who, group in groups.items() if group is None])
        file = next((seen.raw.file for seen in met.values()), "")
        rows = [
            {
                "participant_id": who,
                "session_id": self.session,
                "actor_group": groups[who],
                "source": source(seen.raw.file),
            }
            for who, seen in met.items()
        ]
        columns = ["participant_id", "session_id", "actor_group", "source"]
        frame = pd.DataFrame(rows, index=range(1, len(rows) + 1), columns=columns, dtype=object)
        out = RawTable(file, "participants", frame, n_in=len(frame) + len(self.erased))
        out.defects += [fault(out, ERASED, _REMOVE, row=len(frame) + n + 1) for n in range(len(self.erased))]
        return out

    def _tell(self, met: dict[str, _Seen], *, silent: list[str]) -> None:
        if silent:
            reason = f"groupe d’acteurs non dit pour {counted(len(silent), 'participant')} : {', '.join(silent[:5])}"
            remedy = "ajoutez une colonne groupe, ou précisez-le à l’import"
            self.defects.append(fault(met[silent[0]].raw, reason, remedy, column="actor_group"))
        for seen in met.values():
            if _PERSONAL.search(seen.who):
                reason = "ce pseudonyme ressemble à un nom, à une adresse ou à un numéro"
                self._doubt(seen.raw, seen.row, reason, "remplacez-le par un pseudonyme", column="participant")

    def _doubt(self, raw: RawTable, row: int, reason: str, proposal: str, *, column: str) -> None:
        self.defects.append(fault(raw, reason, proposal, row=row, column=column, severity="warning"))


def _without(raw: RawTable, lost: set[int]) -> RawTable:
    """Return a piece without some rows, which still count and are told by their number alone."""
    kept = ~raw.frame.index.isin(lost)
    out = replace(
        raw,
        frame=raw.frame[kept],
        geometry=None if raw.geometry is None else raw.geometry[kept],
        n_in=max(raw.n_in, len(raw.frame)),
        defects=[defect for defect in raw.defects if defect.row not in lost],
    )
    out.defects += [fault(raw, ERASED, _REMOVE, row=row) for row in sorted(lost)]
    return out
