"""What do two copies of one field GeoPackage say together, when two phones edited it apart?

QField and Mergin Maps put a conflicting copy beside the file and leave the rest to people. Here records are matched,
merged cell by cell and every difference listed: with the common ancestor a cell changed on one side only is taken
from that side; without it a filled cell beats an empty one. Two different values are both told, the newer kept when
a date of modification says which it is, else that of the main file. No record is ever dropped, not even one that a
side deleted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import shown
from geo_qmi.sources.field.collected import fault
from geo_qmi.sources.field.words import words_for
from geo_qmi.vocabulary import fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from geo_qmi.errors import Defect
    from geo_qmi.sources.raw import RawTable

#: « x (conflicted copy, user v3) » and « x (edit conflict, …) » are Mergin's names; « x_conflict… » that of others.
_COPY = re.compile(
    r"(?P<stem>.+?)(?: \((?:conflicted copy|edit conflict)[^)]*\)|[_-]conflict(?:ed)?(?:[_-].*)?)", re.IGNORECASE
)
_GEOMETRY = "\0geometry"


def family(path: Path) -> tuple[Path, list[Path]]:
    """Return the main file of `path` and the conflict copies that stand beside it, in order of name.

    A copy whose main file is absent is its own main file.
    """
    found = _COPY.fullmatch(path.stem)
    main = path.with_name(f"{found['stem']}{path.suffix}") if found else path
    if not main.exists():
        return path, []
    copies = [
        other
        for other in sorted(path.parent.glob(f"*{path.suffix}"))
        if (match := _COPY.fullmatch(other.stem)) and match["stem"] == main.stem
    ]
    return main, copies


@dataclass(slots=True)
class Merged:
    """Layers after a merge, what differed, and how many records were met twice."""

    raws: list[RawTable]
    defects: list[Defect] = field(default_factory=list)
    n_read: int = 0
    n_matched: int = 0
    n_added: int = 0


def merge(main: list[RawTable], copy: list[RawTable], *, base: list[RawTable] | None = None) -> Merged:
    """Return the layers of `main` completed and corrected by those of `copy`.

    Parameters
    ----------
    main, copy
        Layers of two files that were one.
    base
        Layers of the file both started from, if it was kept.

    Returns
    -------
    Merged
        Every record of both files: matched ones merged, those of `copy` alone added after the others.
    """
    out = Merged(list(main), n_read=sum(raw.n_in for raw in (*main, *copy)))
    for theirs in copy:
        place = next((n for n, raw in enumerate(out.raws) if raw.layer == theirs.layer and raw.crs == theirs.crs), None)
        if place is None:
            out.raws.append(theirs)
            out.n_added += theirs.n_in
            continue
        ancestor = next((raw for raw in base or [] if raw.layer == theirs.layer), None)
        out.raws[place] = _Layer(out.raws[place], theirs, ancestor, out).merged()
    return out


@dataclass(slots=True)
class _Layer:
    mine: RawTable
    theirs: RawTable
    base: RawTable | None
    out: Merged

    def merged(self) -> RawTable:
        mine, theirs, base = _records(self.mine), _records(self.theirs), _records(self.base)
        names = list(dict.fromkeys([*self.mine.frame.columns, *self.theirs.frame.columns]))
        free = 1 + max([0, *mine, *theirs])
        alone = []
        by_key = {key: row for row, record in mine.items() for key in _keys(record)}
        ancestors = {key: record for record in base.values() for key in _keys(record)}
        for their_row, record in theirs.items():
            key, *_ = [*_keys(record), None]
            row = None if key is None else by_key.get(key)
            ancestor = None if key is None else ancestors.get(key)
            if row is None or not (ancestor is not None or _same(key, mine[row], record)):
                mine[free] = _without_number(record) if row is not None else record
                alone.append(their_row)
                free += 1
            else:
                self.out.n_matched += 1
                mine[row] = self._cells(row, mine[row], record, ancestor=ancestor, names=names)
        self._tell_alone(alone)
        return self._table(mine, names)

    def _cells(
        self,
        row: int,
        mine: dict[str, Any],
        theirs: dict[str, Any],
        *,
        ancestor: dict[str, Any] | None,
        names: list[str],
    ) -> dict[str, Any]:
        newer = _newer(mine, theirs)
        out = dict(mine)
        for name in [*names, _GEOMETRY]:
            ours, other = mine.get(name), theirs.get(name)
            if fold(name) == "fid" or _equal(ours, other):
                continue
            if words_for("observations").get(fold(name)) == "modified":
                out[name] = max(str(ours or ""), str(other or ""))
            elif ancestor is not None and _equal(ours, ancestor.get(name)):
                out[name] = other
            elif ancestor is not None and _equal(other, ancestor.get(name)):
                continue
            elif ancestor is None and (ours is None or other is None):
                out[name] = other if ours is None else ours
                self._tell(row, name, "une des copies est vide", kept=out[name], left=None)
            else:
                out[name], left = (other, ours) if newer == "theirs" else (ours, other)
                why = "la plus récente" if newer else "celle du fichier principal"
                self._tell(row, name, f"deux valeurs ; gardée : {why}", kept=out[name], left=left)
        return out

    def _tell(self, row: int, name: str, reason: str, *, kept: Any, left: Any) -> None:
        column = "geometry" if name == _GEOMETRY else name
        other = f" ; l’autre : « {shown(_words(left))} »" if left is not None else ""
        told = fault(
            self.mine,
            f"copie en conflit « {self.theirs.file} » : {reason}{other}",
            "vérifiez avec les personnes qui ont saisi, puis corrigez dans l’étude",
            row=row,
            column=column,
            value=_words(kept),
            severity="warning",
        )
        self.out.defects.append(told)

    def _tell_alone(self, rows: list[int]) -> None:
        if rows:
            self.out.n_added += len(rows)
            reason = f"ajouts présents dans cette seule copie : {counted(len(rows), 'enregistrement')}"
            remedy = "un enregistrement supprimé d’un côté est gardé : supprimez-le dans l’étude s’il le faut"
            self.out.defects.append(fault(self.theirs, reason, remedy, severity="warning"))

    def _table(self, records: dict[int, dict[str, Any]], names: list[str]) -> RawTable:
        frame = pd.DataFrame(
            {name: pd.Series([r.get(name) for r in records.values()], dtype=object) for name in names}, dtype=object
        )
        frame.index = pd.Index(list(records), dtype="int64")
        geometry = np.empty(len(records), dtype=object)
        geometry[:] = [record.get(_GEOMETRY) for record in records.values()]
        has_places = self.mine.geometry is not None or self.theirs.geometry is not None
        unread = self.mine.n_in - len(self.mine.frame) + self.theirs.n_in - len(self.theirs.frame)
        defects = [*self.mine.defects, *(replace(d, row=None) for d in self.theirs.defects if d.severity == "warning")]
        # An error of the copy concerns a row that could not be read there: it counts, under no number of the main file.
        defects += [replace(d, row=None, severity="warning") for d in self.theirs.defects if d.severity == "error"]
        return replace(
            self.mine,
            frame=frame,
            geometry=geometry if has_places else None,
            n_in=len(records) + unread,
            defects=defects,
        )


def _records(raw: RawTable | None) -> dict[int, dict[str, Any]]:
    if raw is None:
        return {}
    geometry = [None] * len(raw.frame) if raw.geometry is None else list(raw.geometry)
    columns = [str(column) for column in raw.frame.columns]
    return {
        int(row): dict(zip(columns, cells, strict=True)) | {_GEOMETRY: shape}
        for row, cells, shape in zip(
            raw.frame.index, raw.frame.itertuples(index=False, name=None), geometry, strict=True
        )
    }


def _keys(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what identifies a record: the identifier made by the tool; else its number in the file."""
    words = words_for("observations")
    named = {words.get(fold(name)): cell for name, cell in record.items() if fold(name) != "fid" and cell is not None}
    if "uid" in named:
        return [("uid", str(named["uid"]))]
    number = next((cell for name, cell in record.items() if fold(name) == "fid"), None)
    return [] if number is None else [("fid", str(number))]


def _same(key: tuple[str, str] | None, mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Tell whether two records of one key are one: two phones both number their next record 5."""
    if key is None or key[0] == "uid":
        return key is not None
    words = words_for("observations")
    alike = {words.get(fold(n), n) for n in mine if mine[n] is not None and n in theirs and _equal(mine[n], theirs[n])}
    return bool(alike & {_GEOMETRY, "verbatim", "name", "statement"}) or {"participant", "time"} <= alike


def _without_number(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without the number another one bears in the main file."""
    return {name: (None if fold(name) == "fid" else cell) for name, cell in record.items()}


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, shapely.Geometry) and isinstance(other, shapely.Geometry):
        return bool(shapely.equals_exact(one, other, tolerance=1e-7))
    return bool(one == other) if type(one) is type(other) else False


def _newer(mine: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Return ``mine``, ``theirs``, or nothing when no date of modification tells."""
    ours, other = (_modified(record) for record in (mine, theirs))
    if ours is None or other is None or ours == other:
        return ""
    return "mine" if ours > other else "theirs"


def _modified(record: dict[str, Any]) -> pd.Timestamp | None:
    words = words_for("observations")
    told = next((c for name, c in record.items() if c is not None and words.get(fold(name)) == "modified"), None)
    moment = pd.to_datetime(str(told), errors="coerce", utc=True)
    return None if pd.isna(moment) else moment


def _words(value: Any) -> str:
    return str(shapely.to_wkt(value, rounding_precision=1)) if isinstance(value, shapely.Geometry) else str(value)
