"""Is this zip safe to read, and what is in it?

Checks the directory of an archive before a single entry is inflated: sizes, ratio, names, links, passwords.
Entries are read by name into memory; nothing is ever extracted to disk.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from geo_qmi.errors import InputError, UnreadableError, shown
from geo_qmi.sources.limits import passed

if TYPE_CHECKING:
    from geo_qmi.sources.limits import Limits

_SMALL = 1_000_000
_MOST_ENTRIES = 5_000


class Archive:
    """A checked zip: `names` are its files, `read` gives the bytes of one."""

    def __init__(self, data: bytes, *, file: str, limits: Limits) -> None:
        self.file = file
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise UnreadableError(
                f"« {file} » : archive zip abîmée ou incomplète ({shown(error)}) → copiez ou téléchargez-la de nouveau."
            ) from None
        _check(entries, file=file, limits=limits)
        self.names = [entry.filename for entry in entries if not entry.is_dir() and not _is_mac_twin(entry.filename)]

    def read(self, name: str) -> bytes:
        """Return the bytes of one entry."""
        try:
            return self._zip.read(name)
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            OSError,
            EOFError,
            ValueError,
        ) as error:
            raise UnreadableError(
                f"« {self.file} », entrée « {shown(name)} » : contenu abîmé ({shown(error)}) → recréez l’archive."
            ) from None

    def has(self, name: str) -> bool:
        """Return whether the archive has a file of exactly that name."""
        return name in self.names


def _check(entries: list[zipfile.ZipInfo], *, file: str, limits: Limits) -> None:
    if len(entries) > _MOST_ENTRIES:
        raise passed(file, "fichiers dans l’archive", met=len(entries), limit=_MOST_ENTRIES)
    total = sum(entry.file_size for entry in entries)
    if total > limits.inflated_bytes:
        raise passed(file, "octets une fois décompressé", met=total, limit=limits.inflated_bytes)
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        if entry.flag_bits & 0x1:
            raise InputError(f"« {file} » est protégé par un mot de passe → enregistrez-le sans mot de passe.")
        if entry.file_size > _SMALL and entry.file_size > limits.ratio * max(entry.compress_size, 1):
            raise passed(
                file,
                f"fois la taille compressée pour « {shown(name)} »",
                met=entry.file_size / max(entry.compress_size, 1),
                limit=limits.ratio,
            )
        if name in seen:
            raise UnreadableError(f"« {file} » contient deux fois l’entrée « {shown(name)} » → recréez l’archive.")
        seen.add(name)
        if _leads_outside(name) or stat.S_ISLNK(entry.external_attr >> 16):
            raise UnreadableError(
                f"« {file} », entrée « {shown(name)} » : chemin ou lien qui sort de l’archive → recréez l’archive."
            )


def _leads_outside(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not name or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name


def _is_mac_twin(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith("._")
