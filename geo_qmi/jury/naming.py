"""Which candidate or district does the reader mean, and under which name is it shown?

Sentences and tables of a jury show names beside identifiers; commands accept either. Nothing here is computed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.runs import Prepared


def labels(prepared: Prepared) -> dict[str, str]:
    """Return project and district identifier → name shown."""
    names = dict(zip(prepared.candidates["project_id"], prepared.candidates["name"].astype("str"), strict=True))
    return names | prepared.places()


def named(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return `frame` with the names of projects and districts beside their identifiers, under French headings."""
    heads = {"project_id": "Projet", "district_id": "Quartier"}
    columns: dict[str, Any] = {}
    for column in frame:
        if column in heads:
            columns[f"{heads[column]} (identifiant)"] = frame[column]
            columns[heads[column]] = frame[column].map(names)
    rest = [column for column in frame if column not in heads]
    return pd.concat([pd.DataFrame(columns), frame[rest]], axis=1)


def with_names(sentence: str, names: Mapping[str, str]) -> str:
    """Return a sentence with names in place of the identifiers it quotes."""
    return re.sub(r"[\w-]+", lambda found: names.get(found[0], found[0]), sentence)


def project_named(prepared: Prepared, asked: str) -> str:
    """Return the identifier of a candidate given by identifier or name, whatever its case and accents.

    Raises
    ------
    UnknownNameError
        No such candidate, or several of that name.
    """
    return _one(dict(zip(prepared.candidates["project_id"], prepared.candidates["name"], strict=True)), asked, "Projet")


def district_named(prepared: Prepared, asked: str) -> str:
    """Return the identifier of a district of this call given by identifier, name or commune.

    Raises
    ------
    UnknownNameError
        No such district in this call, or several.
    """
    if asked in prepared.districts:
        return asked
    from geo_qmi.walking import district_of  # brings the walking ground along: only a name needs it

    found = district_of(prepared.tables, asked)
    if found not in prepared.districts:
        served = ", ".join(prepared.districts)
        raise UnknownNameError(f"Quartier « {shown(asked)} » : pas servi par cet appariement ({served}).")
    return found


def _one(names: dict[Any, Any], asked: str, noun: str) -> str:
    """Return the only identifier that `asked` means."""
    if asked in names:
        return asked
    found = [
        str(ident) for ident, name in names.items() if fold(str(name)) == fold(asked) or fold(str(ident)) == fold(asked)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownNameError(f"{noun} « {shown(asked)} » : plusieurs portent ce nom ({', '.join(found[:5])}).")
    known = ", ".join(f"{ident} ({name})" for ident, name in list(names.items())[:5])
    more = "…" if len(names) > 5 else ""
    raise UnknownNameError(f"{noun} inconnu : « {shown(asked)} ». Connus : {known}{more}")
