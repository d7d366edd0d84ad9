"""How is a study file opened, and what can go wrong on the way?

Plumbing of `geo_qmi.workspace`: one way to connect, one way to tell a sound study from anything else, and the
translation of SQLite's faults into sentences. It knows no table of the schema.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from geo_qmi import _gpkg
from geo_qmi.errors import (
    NotAStudyError,
    StudyDamagedError,
    StudyError,
    StudyLockedError,
    StudyReadOnlyError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Seconds a writer waits for another before it gives up: longer than any save of a study, short enough to notice.
BUSY_TIMEOUT_S = 15.0
#: Version of the layout; a newer one is refused rather than half understood.
LAYOUT = 1


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Return a connection in explicit-transaction mode, with the durability a study promises.

    The rollback journal is kept (not WAL): a study is shared as one file and must open from a read-only folder.
    """
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's faults into the study's errors, each with what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _operational(path, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise StudyDamagedError(
            f"Fichier endommagé, ou qui n’est pas une étude : {path} ({error}). Reprenez votre dernière copie."
        ) from error


def _operational(path: Path, text: str) -> StudyError:
    """Return the error that says what an operational fault means for the user."""
    if "locked" in text or "busy" in text:
        return StudyLockedError(
            f"L’étude {path.name} est en cours d’écriture ailleurs depuis plus de {BUSY_TIMEOUT_S:.0f} s. "
            "Rien n’a été enregistré : réessayez."
        )
    if "full" in text or "disk I/O" in text:
        return StudyError(
            f"Disque plein ou défaillant : impossible d’écrire dans {path.parent}. L’étude est restée dans son état "
            "précédent ; libérez de la place, puis réessayez."
        )
    if "readonly" in text or "unable to open" in text:
        return StudyReadOnlyError(f"Écriture impossible : {path} ou son dossier est protégé. Rien n’a été enregistré.")
    return StudyDamagedError(f"Étude illisible : {path} ({text}). Reprenez votre dernière copie.")


def inspect(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is corrupted, not a study, or written by a newer version.

    Raises
    ------
    StudyDamagedError
        In each of these cases, with its own sentence.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != _gpkg.APPLICATION_ID:
        raise StudyDamagedError(f"{path} n’est pas une étude geo-qmi : ce n’est pas un GeoPackage.")
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StudyDamagedError(f"Étude endommagée : {path} ({verdict}). Reprenez votre dernière copie.")
    if not _gpkg.existing_columns(connection, "study"):
        raise NotAStudyError(
            f"{path} est un GeoPackage, mais pas une étude geo-qmi : prenez-en les tables avec « geo-qmi import »."
        )
    layout = connection.execute("SELECT value FROM study WHERE property = 'layout'").fetchone()
    if layout is None or not str(layout[0]).isdigit() or int(layout[0]) > LAYOUT:
        raise StudyDamagedError(
            f"L’étude {path} vient d’une version plus récente (format connu : {LAYOUT}). Mettez geo-qmi à jour."
        )


def draft_of(target: Path) -> Path:
    """Return the private name under which this process prepares `target`, in the same folder."""
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def sweep_drafts(target: Path) -> None:
    """Remove drafts of `target` left by programs that were killed while preparing it."""
    for draft in target.parent.glob(f".{target.name}.*.tmp*"):
        pid = draft.name[len(target.name) + 2 :].split(".")[0]
        if pid.isdigit() and not _alive(int(pid)):
            draft.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
