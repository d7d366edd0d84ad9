"""What does one write to a study change, and how is it remembered?

Plumbing of `geo_qmi.workspace`. Reads and changes tables through a connection whose transaction the caller opened;
every row removed or overwritten is first copied to the journal, so that any write can be undone.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import _erased, _gpkg, schema
from geo_qmi.errors import ConflictError, Defect, DefectsError, StudyDamagedError, quoted
from geo_qmi.wording import agreed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    import geopandas as gpd

#: Tables of the store itself: French title, description, columns.
OWN_TABLES = {
    "study": ("Fiche de l’étude", "Version et origine du fichier.", "property TEXT UNIQUE, value TEXT"),
    "journal": (
        "Journal",
        "Chaque écriture : quand (UTC), qui, quoi, pourquoi, et quelle écriture elle annule.",
        "at TEXT, actor TEXT, action TEXT, table_name TEXT, reason TEXT, n_before INT, n_after INT, undoes INT",
    ),
    "journal_rows": (
        "Journal détaillé",
        "État de chaque ligne touchée avant l’écriture ; vide quand la ligne n’existait pas.",
        "entry INT, table_name TEXT, row_key TEXT, before TEXT",
    ),
    _erased.ERASED: _erased.ABOUT,
}

#: Table of people, its key, and the note in table ``study`` that freed pages still have to be rewritten.
_PEOPLE, _PERSON = "participants", "participant_id"
SWEEP = "sweep"

_LAST_DONE = """
SELECT fid, table_name, action FROM journal
WHERE action NOT IN ('create', 'undo', 'forget', 'refuse')
AND fid NOT IN (SELECT undoes FROM journal WHERE undoes NOT NULL)
ORDER BY fid DESC LIMIT 1
"""


class Change:
    """One write to one table inside an open transaction.

    Parameters
    ----------
    connection
        A connection whose transaction is open and immediate.
    name
        Table of the schema.
    """

    def __init__(self, connection: sqlite3.Connection, name: str, *, action: str, reason: str, actor: str) -> None:
        _gpkg.ensure_table(connection, name)
        self.connection = connection
        self.name = name
        self.version = version(connection, name)
        self._before = count(connection, name)
        self._removed: dict[str, str] = {}
        self._header = (actor, action, name, reason)

    def remove(self, keys: list[tuple[Any, ...]] | None) -> None:
        """Delete the rows with these keys, or all rows when ``None``."""
        columns = _present(self.connection, self.name)
        key_columns = schema.key_columns(self.name)
        wanted = None if keys is None else {_text(key) for key in keys}
        positions = [columns.index(column) for column in key_columns]
        doomed = []
        for row in rows(self.connection, self.name, columns=columns):
            key = tuple(row[position] for position in positions)
            if wanted is None or _text(key) in wanted:
                state = {c: {"blob": v.hex()} if isinstance(v, bytes) else v for c, v in zip(columns, row, strict=True)}
                self._removed[_text(key)] = json.dumps(state, ensure_ascii=False)
                doomed.append(key)
        where = " AND ".join(f"{_gpkg.quoted(column)} IS ?" for column in key_columns)
        self.connection.executemany(f"DELETE FROM {_gpkg.quoted(self.name)} WHERE {where}", doomed)  # noqa: S608 — schema names

    def insert(self, frame: pd.DataFrame) -> int:
        """Check and add rows, then return the journal entry.

        Raises
        ------
        DefectsError, ConflictError
            A row does not comply, is a person erased before, or bears a key that is still there.
        """
        ready = schema.typed(frame, self.name)
        if self.name == _PEOPLE:
            _refuse_erased(self.connection, ready)
        refuse_defects({self.name: ready}, known=schema.OnDemand(schema.TABLES, partial(read, self.connection)))
        added = keys_of(ready, self.name)
        self._refuse_taken(added)
        self._add(_gpkg.encode(ready, self.name), list(schema.columns(self.name)))
        return self.log(added)

    def restore(self, entry: int) -> int:
        """Put back the rows as they were before journal entry `entry`, and return the new entry."""
        states = self.connection.execute(
            "SELECT row_key, before FROM journal_rows WHERE entry = ? ORDER BY fid", (entry,)
        ).fetchall()
        self.remove([tuple(json.loads(key)) for key, _ in states])
        for _, before in states:
            if before is not None:
                values = json.loads(before)
                row = tuple(bytes.fromhex(v["blob"]) if isinstance(v, dict) else v for v in values.values())
                self._add([row], list(values))
        return self.log([tuple(json.loads(key)) for key, _ in states], undoes=entry)

    def log(self, added: list[tuple[Any, ...]], *, undoes: int | None = None) -> int:
        """Write the journal entry, with the former state of every row the change touched."""
        cursor = self.connection.execute(
            "INSERT INTO journal (at, actor, action, table_name, reason, n_before, n_after, undoes)"
            " VALUES (strftime('%Y-%m-%dT%H:%M:%SZ','now'),?,?,?,?,?,?,?)",
            (*self._header, self._before, count(self.connection, self.name), undoes),
        )
        entry = int(cursor.lastrowid or 0)
        touched = dict.fromkeys([*self._removed, *map(_text, added)])
        self.connection.executemany(
            "INSERT INTO journal_rows (entry, table_name, row_key, before) VALUES (?,?,?,?)",
            [(entry, self.name, key, self._removed.get(key)) for key in touched],
        )
        _gpkg.update_extent(self.connection, self.name)
        return entry

    def erase(self, column: str, person: str) -> int:
        """Delete the rows of a person and every former state of them, log it, and return how many rows there were.

        Parameters
        ----------
        column
            Column that names the person.
        person
            Pseudonym.
        """
        key_columns = schema.key_columns(self.name)
        owned = rows(self.connection, self.name, columns=[*key_columns, column])
        keys = [row[:-1] for row in owned if row[-1] == person]
        self.remove(keys)
        self._removed.clear()
        states = self.connection.execute(
            "SELECT fid, row_key, before FROM journal_rows WHERE table_name = ?", (self.name,)
        ).fetchall()
        theirs = {key for _, key, before in states if before is not None and json.loads(before).get(column) == person}
        theirs |= {_text(key) for key in keys}
        doomed = [
            (fid,)
            for fid, key, before in states
            if key in theirs and (before is None or json.loads(before).get(column) == person)
        ]
        self.connection.executemany("DELETE FROM journal_rows WHERE fid = ?", doomed)
        self.log([])
        return len(keys)

    def fill(self, frame: pd.DataFrame) -> None:
        """Add the checked rows of a new study, without a detailed journal: nothing was there before."""
        self._add(_gpkg.encode(schema.typed(frame, self.name), self.name), list(schema.columns(self.name)))
        self.log([])

    def _add(self, values: list[tuple[Any, ...]], columns: list[str]) -> None:
        names = ", ".join(_gpkg.quoted(column) for column in columns)
        marks = ", ".join("?" * len(columns))
        self.connection.executemany(f"INSERT INTO {_gpkg.quoted(self.name)} ({names}) VALUES ({marks})", values)  # noqa: S608 — schema names

    def _refuse_taken(self, added: list[tuple[Any, ...]]) -> None:
        taken = set(rows(self.connection, self.name, columns=schema.key_columns(self.name)))
        doubles = [" + ".join(map(str, key)) for key in added if key in taken]
        if doubles:
            raise ConflictError(
                f"{agreed(len(doubles), 'Identifiant déjà présent')} dans « {self.name} » : {quoted(doubles)}. "
                "Rien n’a été enregistré ; donnez d’autres identifiants ou demandez une mise à jour."
            )


def forget(connection: sqlite3.Connection, person: str, *, actor: str) -> dict[str, int]:
    """Erase a person from every table that names them and from the words of the journal; return table → rows erased.

    The transaction is the caller's. The erasure itself is journalled by its date, its actor and numbers of rows; a
    salted hash of the person stays, so that no later write brings them back.
    """
    connection.execute("PRAGMA secure_delete = ON")
    _erased.remember(connection, person)
    target = f"{_PEOPLE}.{_PERSON}"
    named = [
        (name, column)
        for name in schema.TABLES
        for column, spec in schema.columns(name).items()
        if spec.metadata["references"] == target
    ]
    reason = "effacement demandé par la personne"
    erased = {}
    for name, column in (*named, (_PEOPLE, _PERSON)):
        change = Change(connection, name, action="forget", reason=reason, actor=actor)
        erased[name] = change.erase(column, person)
    whole = re.compile(rf"(?<!\w){re.escape(person)}(?!\w)")
    told = connection.execute("SELECT fid, actor, reason FROM journal").fetchall()
    connection.executemany(
        "UPDATE journal SET actor = ?, reason = ? WHERE fid = ?",
        [
            (whole.sub("[…]", who or ""), whole.sub("[…]", why or ""), fid)
            for fid, who, why in told
            if whole.search(f"{who} {why}")
        ],
    )
    connection.execute("INSERT OR REPLACE INTO study (property, value) VALUES (?, 'due')", (SWEEP,))
    return erased


def knows(connection: sqlite3.Connection, person: str) -> bool:
    """Tell whether somebody bears, or bore before an earlier write, this pseudonym."""
    if not person:
        return False
    if any(row[0] == person for row in rows(connection, _PEOPLE, columns=[_PERSON])):
        return True
    states = connection.execute("SELECT before FROM journal_rows WHERE before NOT NULL")
    return any(person in json.loads(before).values() for (before,) in states)


def _refuse_erased(connection: sqlite3.Connection, people: pd.DataFrame) -> None:
    """Raise when a person the study erased would come back; rows are named by their number, not by who it is."""
    pairs = list(zip(people["session_id"].astype(str), people[_PERSON].astype(str), strict=True))
    back = _erased.among(connection, pairs)
    if back:
        proposal = "retirez-la du fichier ; si c’est quelqu’un d’autre, donnez-lui un autre pseudonyme"
        found = [
            Defect("error", "personne effacée de l’étude", proposal, layer=_PEOPLE, row=place)
            for place, pair in enumerate(pairs, start=1)
            if pair in back
        ]
        raise DefectsError(found, title="Enregistrement refusé")


def sweep_due(connection: sqlite3.Connection) -> bool:
    """Tell whether an erasure left freed pages to rewrite."""
    return connection.execute("SELECT 1 FROM study WHERE property = ?", (SWEEP,)).fetchone() is not None


def last_done(connection: sqlite3.Connection) -> tuple[int, str, str] | None:
    """Return entry, table and action of the last write that was not undone."""
    found: tuple[int, str, str] | None = connection.execute(_LAST_DONE).fetchone()
    return found


def version(connection: sqlite3.Connection, name: str) -> int:
    """Return the number of the last journal entry on a table, 0 when it has none."""
    row = connection.execute("SELECT MAX(fid) FROM journal WHERE table_name = ?", (name,)).fetchone()
    return int(row[0] or 0)


def count(connection: sqlite3.Connection, name: str) -> int:
    """Return the number of rows of a table, 0 when an older study lacks it."""
    if not _gpkg.existing_columns(connection, name):
        return 0
    return int(connection.execute(f"SELECT COUNT(*) FROM {_gpkg.quoted(name)}").fetchone()[0])  # noqa: S608 — schema names


def rows(connection: sqlite3.Connection, name: str, *, columns: list[str] | None = None) -> list[tuple[Any, ...]]:
    """Return the stored rows of a table ordered by key; all its columns by default."""
    wanted = _present(connection, name) if columns is None else columns
    if not wanted:
        return []
    names = ", ".join(_gpkg.quoted(column) for column in wanted)
    order = ", ".join(_gpkg.quoted(column) for column in schema.key_columns(name))
    return connection.execute(f"SELECT {names} FROM {_gpkg.quoted(name)} ORDER BY {order}").fetchall()  # noqa: S608 — schema names


def read(connection: sqlite3.Connection, name: str) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return a table as a typed frame.

    Raises
    ------
    StudyDamagedError
        A value cannot be understood: somebody wrote it with another tool.
    """
    return framed(*stored(connection, name), name=name)


def stored(connection: sqlite3.Connection, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns that the file holds of a table, and its rows as they are stored."""
    columns = _present(connection, name)
    return columns, rows(connection, name, columns=columns)


def framed(columns: list[str], held: list[tuple[Any, ...]], *, name: str) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return what `stored` found as a typed frame; fails as `read` does."""
    if not columns:
        return empty(name)
    try:
        return _gpkg.decode(held, name, columns)
    except (ValueError, TypeError) as error:
        raise StudyDamagedError(
            f"La table « {name} » contient une valeur illisible ({error}). Corrigez-la dans QGIS ou reprenez une copie."
        ) from error


def empty(name: str) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return the typed frame of a table without rows."""
    return schema.typed(pd.DataFrame(index=pd.RangeIndex(0)), name)


def keys_of(frame: pd.DataFrame, name: str) -> list[tuple[Any, ...]]:
    """Return the key of each row as plain values, ``None`` where a part is missing."""
    columns = [frame[column].astype(object) for column in schema.key_columns(name)]
    return [tuple(_plain(value) for value in row) for row in zip(*columns, strict=True)]


def refuse_defects(tables: Mapping[str, pd.DataFrame], *, known: Mapping[str, pd.DataFrame]) -> None:
    """Raise with every defect of `tables`; references are looked up in `tables`, then in `known`.

    Raises
    ------
    DefectsError
        The message spells out the first five.
    """
    found = [defect for name, frame in tables.items() for defect in schema.validate(frame, name)]
    if not found:
        found = [defect for name, frame in tables.items() for defect in _dangling(frame, name, known)]
    if found:
        raise DefectsError(found, title="Enregistrement refusé")


def _dangling(frame: pd.DataFrame, name: str, known: Mapping[str, pd.DataFrame]) -> list[Defect]:
    """List references of one table that point nowhere."""
    targets = (spec.metadata["references"] for spec in schema.columns(name).values())
    needed = {str(target).split(".")[0] for target in targets if target}
    return schema.check_references({**{other: known[other] for other in needed}, name: frame}, names=[name])


def _present(connection: sqlite3.Connection, name: str) -> list[str]:
    """Return the columns of the schema that the file holds, in schema order."""
    found = set(_gpkg.existing_columns(connection, name))
    return [column for column in schema.columns(name) if column in found]


def _plain(value: Any) -> str | int | None:
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else int(value)


def _text(key: tuple[Any, ...]) -> str:
    return json.dumps(key, ensure_ascii=False)
