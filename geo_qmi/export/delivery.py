"""How do bytes reach the name the user asked for, entirely or not at all?

Every part is written in a private folder beside the target, flushed to the disk, read again, and only then renamed.
A failure leaves what was there before. The file of a study, or a GeoPackage with other layers, is never a target.
Nothing here knows what the bytes mean.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from geo_qmi.errors import InputError
from geo_qmi.export import geopackage

if TYPE_CHECKING:
    from collections.abc import Mapping

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


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
    others = geopackage.other_layers(path, layer)
    if others:
        raise InputError(
            f"« {path} » contient d’autres couches ({', '.join(others[:5])}{', …' if len(others) > 5 else ''}) "
            "qui seraient perdues : choisissez un autre nom."
        )


def deliver(parts: Mapping[Path, bytes]) -> None:
    """Write files of one folder, each whole or not at all; the first is renamed first.

    Raises
    ------
    InputError
        The folder cannot be written or the disk is full; the sentence names the path and what to do.
    """
    target = next(iter(parts))
    try:
        with tempfile.TemporaryDirectory(prefix=".geo-qmi-export-", dir=target.parent) as folder:
            for path, data in parts.items():
                _write(Path(folder) / path.name, data)
            for path in parts:
                os.replace(Path(folder) / path.name, path)  # noqa: PTH105  (the call tests make fail)
        _flush(target.parent)
    except OSError as error:
        raise InputError(_explained(error, target, sum(map(len, parts.values())))) from error


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    if path.read_bytes() != data:
        raise OSError(errno.EIO, "the disk gave back other bytes", str(path))


def _flush(folder: Path) -> None:
    """Make the renames durable, where folders can be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _same(path: Path, study: Path) -> bool:
    if path.exists() and study.exists():
        return path.samefile(study)
    return path.resolve() == study.resolve()


def _explained(error: OSError, target: Path, n_bytes: int) -> str:
    if error.errno in _FULL:
        return (
            f"Pas assez de place pour écrire « {target} » ({n_bytes // 1000 + 1} ko) : "
            "libérez de l’espace ou choisissez un autre disque. Rien n’a été remplacé."
        )
    if error.errno in _FORBIDDEN:
        return (
            f"Écriture refusée dans « {target.parent} » : fermez « {target.name} » s’il est ouvert ailleurs, "
            "ou choisissez un dossier où vous avez le droit d’écrire. Rien n’a été remplacé."
        )
    return (
        f"« {target} » n’a pas pu être écrit ({error.strerror or error}) : vérifiez le disque ou choisissez un autre "
        "dossier. Rien n’a été remplacé."
    )
