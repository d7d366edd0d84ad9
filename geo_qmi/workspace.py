"""How is a study kept, so that nothing a user made is ever lost?

A study is one GeoPackage. This module owns the file: every read and write goes through Python's own ``sqlite3``,
each save is one transaction that exists entirely or not at all, two writers wait for one another, and whoever needs
a plain file (a download, GDAL, a mail) gets a `Study.backup`. No other module may open the path of a study, not
even to read its bytes: closing any other descriptor of the file drops SQLite's locks (see
``docs/adr/0002-one-owner-for-the-study-file.md``). What the tables mean is the business of `geo_qmi.schema`.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pandas as pd

from geo_qmi import __version__, _change, _erased, _gpkg, schema
from geo_qmi._connection import LAYOUT, connect, draft_of, inspect, sweep_drafts, translated
from geo_qmi.errors import (
    ConflictError,
    StudyError,
    StudyExistsError,
    StudyMissingError,
    StudyReadOnlyError,
    UnknownNameError,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import geopandas as gpd


class Study:
    """One study file, open for reading, or for reading and writing.

    Each call opens its own short-lived connection, so a `Study` may be shared between threads.

    Parameters
    ----------
    path
        A file made by `Study.create`.
    read_only
        Refuse writes.

    Raises
    ------
    StudyMissingError, StudyDamagedError
        There is no such file, or it is not a sound study.

    Examples
    --------
    >>> import tempfile, geo_qmi
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study = geo_qmi.Study.create(f"{folder}/etude.gpkg", geo_qmi.shipped_tables())
    ...     study.tables()["projects"]
    28
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path = Path(path).resolve()
        self.read_only = read_only
        if not self.path.is_file():
            raise StudyMissingError(f"Étude introuvable : {path}. Créez-la avec « geo-qmi init {self.path.name} ».")
        sweep_drafts(self.path)
        with self._connected() as connection:
            inspect(connection, self.path)
        if not read_only:
            self._sweep()

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], tables: Mapping[str, pd.DataFrame], *, reason: str = "création de l’étude"
    ) -> Self:
        """Write a new study holding `tables`, entirely or not at all.

        Parameters
        ----------
        path
            A file that does not exist yet.
        tables
            Table name → typed frame (`geo_qmi.schema.typed`); tables left out are created empty.

        Raises
        ------
        StudyExistsError
            The file exists: a study is never overwritten.
        DefectsError
            A table does not comply with its schema, or a reference points nowhere.
        """
        target = Path(path).resolve()
        exists = f"Le fichier existe déjà : {target}. Rien n’a été écrit ; choisissez un autre nom."
        if target.exists():
            raise StudyExistsError(exists)
        if not target.parent.is_dir():
            raise StudyMissingError(f"Dossier introuvable : {target.parent}. Créez-le d’abord.")
        full = {name: tables[name] if name in tables else _change.empty(name) for name in schema.TABLES}
        _change.refuse_defects(full, known=full)
        sweep_drafts(target)
        draft = draft_of(target)
        try:
            with translated(target), closing(connect(draft)) as connection:
                _write_new(connection, full, reason)
            os.link(draft, target)  # fails if somebody made the file meanwhile, where a rename would overwrite it
        except FileExistsError as error:
            raise StudyExistsError(exists) from error
        finally:
            draft.unlink(missing_ok=True)
        return cls(target)

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r}{', read_only=True' if self.read_only else ''})"

    def tables(self) -> dict[str, int]:
        """Return the tables of the schema with their number of rows in this study."""
        with self._connected() as connection:
            return {name: _change.count(connection, name) for name in schema.TABLES}

    def read(self, name: str) -> gpd.GeoDataFrame | pd.DataFrame:
        """Return table `name` as a typed frame ordered by key, with a fresh range index.

        Raises
        ------
        UnknownNameError
            The schema has no such table.
        """
        return self.read_many([name])[name]

    def read_many(self, names: Iterable[str] | None = None) -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
        """Return several tables (all by default) as they stood at one instant."""
        wanted = list(schema.TABLES) if names is None else list(names)
        for name in wanted:
            _require_kept(name)
        with self._connected() as connection:
            connection.execute("BEGIN")
            return {name: _change.read(connection, name) for name in wanted}

    def read_on_demand(self) -> Mapping[str, gpd.GeoDataFrame | pd.DataFrame]:
        """Return every table as they stood at one instant, each made into a frame when it is first asked for.

        The rows are taken at once and the file is left alone afterwards: nobody who writes has to wait.
        """
        with self._connected() as connection:
            connection.execute("BEGIN")
            held = {name: _change.stored(connection, name) for name in schema.TABLES}
        return schema.OnDemand(held, lambda name: _change.framed(*held.pop(name), name=name))

    def version(self, name: str) -> int:
        """Return the number of the last write to table `name`; hand it to `replace` or `upsert` as a guard."""
        _require_kept(name)
        with self._connected() as connection:
            return _change.version(connection, name)

    def journal(self) -> pd.DataFrame:
        """Return every write ever made.

        Returns
        -------
        Columns entry, at (UTC), actor, action, table_name, reason, n_before, n_after, undoes; oldest first.
        """
        with self._connected() as connection:
            return pd.read_sql_query("SELECT fid AS entry, * FROM journal ORDER BY fid", connection).drop(columns="fid")

    def fingerprint(self) -> str:
        """Return the SHA-256 of the contents of every table, whatever the order of rows on disk."""
        digest = hashlib.sha256()
        with self._connected() as connection:
            connection.execute("BEGIN")
            for name in schema.TABLES:
                digest.update(name.encode())
                for row in _change.rows(connection, name):
                    digest.update(repr(row).encode())
        return digest.hexdigest()

    def backup(self, path: str | os.PathLike[str]) -> Path:
        """Write a consistent copy of the study to `path`, replacing what is there, and return it.

        The copy is a plain file: GDAL, QGIS, a mail or a download button may do anything with it.
        """
        target = Path(path).resolve()
        if target == self.path:
            raise StudyExistsError("La copie porterait le nom de l’étude elle-même : choisissez un autre nom.")
        draft = draft_of(target)
        try:
            with translated(target), self._connected() as source, closing(sqlite3.connect(draft)) as copy:
                source.backup(copy)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        return target

    def append(self, name: str, frame: pd.DataFrame, *, reason: str, actor: str = "") -> int:
        """Add rows to table `name` and return the journal entry.

        Raises
        ------
        DefectsError
            A row does not comply or refers to nothing. Nothing is written.
        ConflictError
            A row bears an identifier already there. Nothing is written.
        StudyReadOnlyError, StudyLockedError
            The study may not, or cannot now, be written.
        """
        with self._writing(name, "append", reason=reason, actor=actor) as change:
            return change.insert(frame)

    def upsert(
        self, name: str, frame: pd.DataFrame, *, reason: str, actor: str = "", expected_version: int | None = None
    ) -> int:
        """Add the rows whose key is new, overwrite the others, and return the journal entry.

        Parameters
        ----------
        expected_version
            `version` when the table was read; the write is refused if somebody wrote since.

        Raises
        ------
        DefectsError, ConflictError, StudyReadOnlyError, StudyLockedError
            As `append`; nothing is written.
        """
        with self._writing(name, "upsert", reason=reason, actor=actor, expected=expected_version) as change:
            change.remove(_change.keys_of(frame, name))
            return change.insert(frame)

    def write_many(
        self,
        frames: Mapping[str, pd.DataFrame],
        *,
        reason: str,
        actor: str = "",
        expected_versions: Mapping[str, int] | None = None,
    ) -> dict[str, int]:
        """Add or overwrite rows of several tables in one transaction and return table name → journal entry.

        Tables are written in the order of the schema, so that rows may refer to others of the same write. Each has
        its own journal entry: `undo` takes them back one by one, the last table first.

        Parameters
        ----------
        frames
            Table name → rows, as for `upsert`.
        expected_versions
            Table name → `version` when it was read; the whole write is refused if one of them changed since.

        Raises
        ------
        DefectsError, ConflictError, StudyReadOnlyError, StudyLockedError
            As `append`; nothing is written to any table.
        """
        for name in frames:
            _require_kept(name)
        expected = expected_versions or {}
        entries = {}
        with self._transaction() as connection:
            for name in expected:
                _refuse_changed(name, found=_change.version(connection, name), expected=expected[name])
            for name in sorted(frames, key=list(schema.TABLES).index):
                change = _change.Change(connection, name, action="upsert", reason=reason, actor=actor)
                change.remove(_change.keys_of(frames[name], name))
                entries[name] = change.insert(frames[name])
        return entries

    def replace(self, name: str, frame: pd.DataFrame, *, expected_version: int, reason: str, actor: str = "") -> int:
        """Make `frame` the whole content of table `name` and return the journal entry.

        Parameters
        ----------
        expected_version
            `version` when the table was read; the write is refused if somebody wrote since.

        Raises
        ------
        DefectsError, ConflictError, StudyReadOnlyError, StudyLockedError
            As `append`; nothing is written.
        """
        with self._writing(name, "replace", reason=reason, actor=actor, expected=expected_version) as change:
            change.remove(None)
            return change.insert(frame)

    def delete(self, name: str, keys: pd.DataFrame, *, reason: str, actor: str = "") -> int:
        """Remove the rows of table `name` whose key columns are in `keys`, and return the journal entry."""
        with self._writing(name, "delete", reason=reason, actor=actor) as change:
            change.remove(_change.keys_of(keys, name))
            return change.log([])

    def undoable(self) -> int | None:
        """Return the journal entry `undo` would revert; nothing when no write is left to undo."""
        with self._connected() as connection:
            last = _change.last_done(connection)
        return None if last is None else last[0]

    def undo(self, *, actor: str = "", expected_entry: int | None = None) -> int:
        """Revert the last write that was not undone yet, and return the new journal entry.

        Parameters
        ----------
        expected_entry
            `undoable` when it was shown; nothing is undone if somebody wrote since.

        Raises
        ------
        StudyError
            There is nothing left to undo.
        ConflictError
            The last write is not the expected one, or somebody wrote in the same instant.
        """
        with self._connected() as connection:
            last = _change.last_done(connection)
        if last is None:
            raise StudyError("Rien à annuler : aucune modification depuis la création de l’étude.")
        entry, name, action = last
        if expected_entry not in {None, entry}:
            raise ConflictError(
                f"Quelqu’un a écrit depuis (écriture {entry}) : rien n’a été annulé. Consultez le journal, puis "
                "recommencez si c’est bien cette écriture qu’il faut annuler."
            )
        reason = f"annulation de l’écriture {entry} ({action})"
        with self._writing(name, "undo", reason=reason, actor=actor) as change:
            if _change.last_done(change.connection) != last:
                raise ConflictError("L’étude a changé à l’instant : consultez le journal, puis recommencez.")
            return change.restore(entry)

    def forget(self, participant_id: str, *, actor: str = "") -> dict[str, int]:
        """Erase a person for good: participant, observations, and every former state of them in the journal.

        The only write that cannot be undone (see ``docs/adr/0008-erasure-is-not-undone.md``). A salted hash stays, by
        which later imports know whom not to bring back (`erased_among`). The file is rewritten afterwards so that no
        deleted word stays in its free pages; if that is interrupted, the next opening for writing does it. Copies made
        before (backups, exports, published editions) are out of reach.

        Parameters
        ----------
        participant_id
            Pseudonym.
        actor
            Who carries out the request, for the journal.

        Returns
        -------
        Table name → number of rows erased.

        Raises
        ------
        UnknownNameError
            Nobody bears this pseudonym, in the tables or in the journal. Nothing is written.
        StudyReadOnlyError, StudyLockedError
            The study may not, or cannot now, be written.
        """
        with self._transaction() as connection:
            if not _change.knows(connection, participant_id):
                raise UnknownNameError(
                    f"Pseudonyme inconnu dans l’étude : « {shown(participant_id)} ». Rien n’a été effacé."
                )
            erased = _change.forget(connection, participant_id, actor=actor)
        self._sweep()
        return erased

    def erased_among(self, people: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of `people` whom this study erased.

        Parameters
        ----------
        people
            Session identifier and pseudonym, or participant identifier, of each.
        """
        with self._connected() as connection:
            return _erased.among(connection, people)

    def note_refusal(self, name: str, *, reason: str, actor: str = "") -> int:
        """Write in the journal that rows of table `name` were refused, change nothing, and return the entry."""
        with self._writing(name, "refuse", reason=reason, actor=actor) as change:
            return change.log([])

    def _sweep(self) -> None:
        """Rewrite the file without its freed pages when an erasure asks for it.

        A file that is busy, or a disk that is full, waits for the next opening: the erasure itself is done.
        """
        with suppress(StudyError), self._connected() as connection:
            if _change.sweep_due(connection):
                connection.execute("VACUUM")
                connection.execute("DELETE FROM study WHERE property = ?", (_change.SWEEP,))

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection and close it; database faults come out as sentences."""
        with translated(self.path), closing(connect(self.path, read_only=self.read_only)) as connection:
            yield connection

    @contextmanager
    def _writing(
        self, name: str, action: str, *, reason: str, actor: str, expected: int | None = None
    ) -> Iterator[_change.Change]:
        """Yield a change of one table inside one transaction, committed if the block ends well."""
        _require_kept(name)
        with self._transaction() as connection:
            change = _change.Change(connection, name, action=action, reason=reason, actor=actor)
            if expected is not None:
                _refuse_changed(name, found=change.version, expected=expected)
            yield change

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one immediate transaction, committed if the block ends well."""
        if self.read_only:
            raise StudyReadOnlyError(
                f"L’étude {self.path.name} est ouverte en lecture seule : rien n’a été enregistré."
            )
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.commit()  # any error above closes the connection, which rolls back


def _refuse_changed(name: str, *, found: int, expected: int) -> None:
    if found != expected:
        raise ConflictError(
            f"La table « {name} » a changé depuis votre lecture (version {found}, lue en version "
            f"{expected}). Relisez-la, reportez vos modifications, puis enregistrez."
        )


def _write_new(connection: sqlite3.Connection, tables: Mapping[str, pd.DataFrame], reason: str) -> None:
    """Fill an empty database with the layout and the tables, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    _gpkg.create_core(connection)
    for name, (title, description, columns) in _change.OWN_TABLES.items():
        connection.execute(
            f"CREATE TABLE {_gpkg.quoted(name)} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {columns})"
        )
        _gpkg.register(connection, name, title=title, description=description, spatial=False)
    connection.executemany(
        "INSERT INTO study (property, value) VALUES (?, ?)", [("layout", str(LAYOUT)), ("geo_qmi", __version__)]
    )
    for name, frame in tables.items():
        _change.Change(connection, name, action="create", reason=reason, actor="").fill(frame)
    connection.commit()


def _require_kept(name: str) -> None:
    if name not in schema.TABLES:
        raise UnknownNameError(f"Table inconnue dans une étude : « {name} ». Tables : {', '.join(schema.TABLES)}.")
