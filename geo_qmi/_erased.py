"""Whom did a study erase, so that no later import brings them back, without knowing who that was?

Plumbing of `geo_qmi.workspace`. A person is kept as a salted hash of session and pseudonym: enough to recognise a file
that names them again, not enough to read who it was. Pseudonyms are short and can be guessed, so the hash is a slow
one; it slows a guesser down and stops nobody who has both the study and the list of the walk.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING

from geo_qmi import _gpkg, schema
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

#: The table: name, French title, description, columns. Every row bears the one salt of the study.
ERASED = "erased"
ABOUT = (
    "Personnes effacées",
    "Empreintes salées des personnes effacées, pour qu’aucun import ne les ramène ; elles ne disent pas qui.",
    "salt TEXT, digest TEXT UNIQUE",
)
#: About 50 ms and 16 MB a guess.
_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


def remember(connection: sqlite3.Connection, person: str) -> None:
    """Keep the hash of a person in each session they are met in, in the tables or in the journal."""
    if not _gpkg.existing_columns(connection, ERASED):
        create(connection)
    salt = _salt(connection) or secrets.token_hex(16)
    digests = {_digest(salt, session, person) for session in _sessions_of(connection, person)}
    connection.executemany(
        f"INSERT OR IGNORE INTO {ERASED} (salt, digest) VALUES (?, ?)",  # noqa: S608 — our own name
        [(salt, digest) for digest in sorted(digests)],
    )


def create(connection: sqlite3.Connection) -> None:
    """Make the empty table; a study made before it has none."""
    title, description, columns = ABOUT
    connection.execute(f"CREATE TABLE {ERASED} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {columns})")
    _gpkg.register(connection, ERASED, title=title, description=description, spatial=False)


def among(connection: sqlite3.Connection, people: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of `people` (session, pseudonym or identifier) whom the study erased."""
    if not _gpkg.existing_columns(connection, ERASED) or (salt := _salt(connection)) is None:
        return set()
    known = {row[0] for row in connection.execute(f"SELECT digest FROM {ERASED}")}  # noqa: S608 — our own name
    return {(session, person) for session, person in set(people) if _digest(salt, session, person) in known}


def _salt(connection: sqlite3.Connection) -> str | None:
    row = connection.execute(f"SELECT salt FROM {ERASED} LIMIT 1").fetchone()  # noqa: S608 — our own name
    return None if row is None else str(row[0])


def _digest(salt: str, session: str, person: str) -> str:
    """Return the hash of one person of one session: « AUL-1-LILAS », « Lilas » and « lilas » are one."""
    walk, who = fold(session), fold(person)
    key = f"{walk}/{who.removeprefix(f'{walk}_')}"
    return hashlib.scrypt(key.encode(), salt=bytes.fromhex(salt), **_COST).hex()


def _sessions_of(connection: sqlite3.Connection, person: str) -> set[str]:
    """Return the sessions of every row, present or former, that names a person."""
    found = set()
    for name in schema.TABLES:
        columns = _gpkg.existing_columns(connection, name)
        if {"participant_id", "session_id"} <= set(columns):
            query = f"SELECT DISTINCT session_id FROM {_gpkg.quoted(name)} WHERE participant_id = ?"  # noqa: S608 — schema names
            found |= {str(row[0]) for row in connection.execute(query, (person,))}
    for (before,) in connection.execute("SELECT before FROM journal_rows WHERE before NOT NULL"):
        state = json.loads(before)
        if state.get("participant_id") == person and state.get("session_id"):
            found.add(str(state["session_id"]))
    return found
