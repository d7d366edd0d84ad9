"""Under which licence does a table leave, whom does it credit, and may everybody have it?

Read from ``licences.toml``, beside the shipped data and its ``SOURCES.md``, then from a file of the user's for tables
of their own. A restricted table leaves in the jury's edition only. This module decides no edition.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from geo_qmi import schema
from geo_qmi.errors import InputError, shown
from geo_qmi.shipped import data_dir

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

_FILE = "licences.toml"
#: A file of terms is a few lines a table: a mistake of file is not read whole.
_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be done with a table.

    Attributes
    ----------
    licence
        French sentence.
    credit
        Whom to name.
    restricted
        True when only the jury may have it.
    date, doubt
        French words: when the data was read or made, and how far it can be trusted; empty when nothing is said.
    """

    licence: str
    credit: str
    restricted: bool = False
    date: str = ""
    doubt: str = ""


def terms(path: str | os.PathLike[str] | None = None) -> dict[str, Terms]:
    """Return table → terms of the shipped study, those of the file `path` in their place where it has some.

    Raises
    ------
    InputError
        The file cannot be read, names a table the schema does not have, or lacks a licence.
    """
    known = dict(_shipped())
    return known if path is None else known | _read(Path(path))


def licence_of(names: Iterable[str], *, known: Mapping[str, Terms] | None = None) -> str:
    """Return one sentence for what was computed from several tables.

    Examples
    --------
    >>> licence_of(["lexicon"])
    'Licence de ce projet (Apache-2.0). Crédit : geo-qmi.'
    """
    table = terms() if known is None else known
    used = [table[name] for name in names if name in table]
    licences = dict.fromkeys(one.licence for one in used)
    credits_ = dict.fromkeys(one.credit for one in used)
    return f"{' '.join(licences)} Crédit : {' ; '.join(credits_)}."


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Terms]:
    return _read(data_dir() / _FILE)


def _read(path: Path) -> dict[str, Terms]:
    try:
        if path.stat().st_size > _BYTES:
            raise InputError(f"« {path} » dépasse {_BYTES // 1_000_000} Mo : attendu quelques lignes par table.")
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"Licences illisibles : « {path} » ({error}). Attendu un fichier TOML en UTF-8.") from error
    read = {}
    for name, record in found.items():
        if name not in schema.TABLES:
            raise InputError(f"« {path} » : table inconnue « {shown(name)} ». Tables : {', '.join(schema.TABLES)}.")
        if not isinstance(record, dict) or not isinstance(record.get("licence"), str) or set(record) - _KEYS:
            raise InputError(
                f"« {path} », table « {name} » : attendu licence, credit, date et doubt (textes), restricted (true ou "
                "false)."
            )
        told = {key: str(record.get(key, "")) for key in ("licence", "credit", "date", "doubt")}
        read[name] = Terms(**told, restricted=bool(record.get("restricted", False)))
    return read


_KEYS = {"licence", "credit", "restricted", "date", "doubt"}
