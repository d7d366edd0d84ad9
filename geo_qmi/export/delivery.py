"""How does a file reach the name the user asked for, entirely or not at all?

Everything is written in a private folder beside the target, flushed to the disk, and only then renamed. A failure
leaves what was there before, and is told in one sentence: a full disk, a forbidden folder. The file of a study, or a
GeoPackage with other layers, is never a target. Nothing here knows what the bytes mean.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from geo_qmi.errors import InputError, StudyError, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
#: What is tried to tell a full disk from another failure: GDAL, SQLite and Arrow do not say which it was.
_PROBE_BYTES = 1_000_000


def require_target(path: Path, *, layer: str | None, study_path: str | os.PathLike[str] | None) -> None:
    """Refuse a target that would destroy something: a folder, the study, a GeoPackage with other layers.

    Parameters
    ----------
    layer
        Layer about to be written when the target is a GeoPackage.
    study_path
        File of the study the rows come from.
    """
    if not path.parent.is_dir():
        raise InputError(f"Le dossier « {path.parent} » n’existe pas : créez-le ou choisissez un autre dossier.")
    if path.is_dir():
        raise InputError(f"« {path} » est un dossier : donnez un nom de fichier.")
    if study_path is not None and _same(path, Path(study_path)):
        raise InputError(
            f"« {path} » est le fichier de l’étude : un export ne l’écrase jamais. Choisissez un autre nom."
        )
    if layer is None or not path.exists() or path.stat().st_size == 0:
        return
    others = _other_layers(path, layer)
    if others:
        raise InputError(
            f"« {path} » contient d’autres couches ({', '.join(others[:5])}{', …' if len(others) > 5 else ''}) "
            "qui seraient perdues : choisissez un autre nom."
        )


@contextmanager
def workshop(target: Path) -> Iterator[Path]:
    """Yield a private folder on the disk of `target`, gone afterwards; failures of the disk come out as sentences.

    Parameters
    ----------
    target
        What is being made, named in the sentences.

    Raises
    ------
    InputError
        The folder cannot be written or the disk is full.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".geo-qmi-export-", dir=target.parent) as folder:
            try:
                yield Path(folder)
            except (OSError, sqlite3.Error, InputError) as error:
                if isinstance(error, StudyError) or not _is_full(Path(folder), error):
                    raise
                raise InputError(_FULL_DISK.format(target=target)) from error
    except StudyError:
        raise
    except (OSError, sqlite3.Error) as error:
        raise InputError(_explained(error, target)) from error


def place(names: Iterable[str], *, source: Path, folder: Path) -> None:
    """Move finished files from a `workshop` to their folder, in order; each is whole on the disk before it moves."""
    listed = list(names)
    for name in listed:
        with (source / name).open("rb+") as stream:
            os.fsync(stream.fileno())
    for name in listed:
        os.replace(source / name, folder / name)  # noqa: PTH105  (the call tests make fail)
    flush(folder)


def deliver(contents: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files into a folder that is there, and return their paths: all of them, or none.

    Parameters
    ----------
    contents
        Name → bytes; earlier files of the same names are replaced.

    Raises
    ------
    InputError
        As `workshop`.
    """
    with workshop(folder / next(iter(contents))) as private:
        for name, content in contents.items():
            (private / name).write_bytes(content)
        place(contents, source=private, folder=folder)
    return [folder / name for name in contents]


def install(draft: Path, folder: Path) -> None:
    """Move a finished folder from a `workshop` to its place; what was there stays until then.

    Parameters
    ----------
    draft
        Inside the workshop, on the same disk; its files are whole and flushed before it moves.
    """
    for path in draft.rglob("*"):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
    former = draft.with_name("former")
    if folder.exists():
        os.replace(folder, former)  # noqa: PTH105  (the call tests make fail)
    try:
        os.replace(draft, folder)  # noqa: PTH105
    except BaseException:
        if former.exists():
            former.rename(folder)
        raise
    flush(folder.parent)


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, read by pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def flush(folder: Path) -> None:
    """Make the renames durable, where folders can be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _other_layers(path: Path, layer: str) -> list[str]:
    """Return the tables an existing GeoPackage lists besides `layer` and its styles.

    Read through Python's own SQLite, read-only: if the file is a study somebody uses, its locks stay.

    Raises
    ------
    InputError
        The file is not a GeoPackage.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT table_name FROM gpkg_contents ORDER BY table_name").fetchall()
    except sqlite3.Error as error:
        raise InputError(
            f"« {path} » existe et n’est pas un GeoPackage lisible : il n’est pas remplacé. Choisissez un autre nom."
        ) from error
    return [name for (name,) in rows if name not in {layer, "layer_styles"}]


def _same(path: Path, study: Path) -> bool:
    if path.exists() and study.exists():
        return path.samefile(study)
    return path.resolve() == study.resolve()


def _is_full(folder: Path, error: Exception) -> bool:
    """Tell whether a failure comes from the disk, by writing a little more than what is there."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    probe = folder / "essai"
    size = max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)
    try:
        with probe.open("wb") as stream:
            stream.seek(size)
            stream.write(bytes(_PROBE_BYTES))
    except OSError as refused:
        return refused.errno in _FULL
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return False


_FULL_DISK = (
    "Pas assez de place pour écrire « {target} » : libérez de l’espace ou choisissez un autre disque. "
    "Rien n’a été remplacé."
)


def _explained(error: OSError | sqlite3.Error, target: Path) -> str:
    number = getattr(error, "errno", None)
    if number in _FULL:
        return _FULL_DISK.format(target=target)
    if number in _FORBIDDEN:
        return (
            f"Écriture refusée dans « {target.parent} » : fermez « {target.name} » s’il est ouvert ailleurs, "
            "ou choisissez un dossier où vous avez le droit d’écrire. Rien n’a été remplacé."
        )
    return (
        f"« {target} » n’a pas pu être écrit ({refusal(error)}) : vérifiez le disque ou "
        "choisissez un autre dossier. Rien n’a été remplacé."
    )
