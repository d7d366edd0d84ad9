"""Which column of a file is which column of a table, and which table is this file?

Names are compared without accents, case, punctuation or articles: the schema's own name, its French title and its
aliases, with or without the unit. What the user maps by hand wins. No cell is read, but to tell whether two columns
of one meaning also say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geo_qmi import schema
from geo_qmi.errors import InputError, shown
from geo_qmi.intake.places import WORDS
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import pandera.pandas as pa

    from geo_qmi.sources.raw import RawTable


@dataclass(slots=True)
class Recognised:
    """What the header of a file means for one table.

    Attributes
    ----------
    taken
        Column of the table → column of the file, in the order of the table.
    unknown
        Columns of the file that hold something else than the identifier and mean nothing here, in the order of the
        file.
    repeated
        Columns of the file that say again, cell for cell, what a taken column says.
    clashes
        Column of the table → the columns of the file that claim it and disagree.
    missing
        Columns the table requires and the file lacks.
    ignored
        Columns of the file the user leaves aside.
    placed
        Column of the file → the word of `geo_qmi.intake.places.WORDS` the user gives it.
    """

    taken: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    clashes: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    placed: dict[str, str] = field(default_factory=dict)


#: Words that change nothing to what a column title means.
_ARTICLES = frozenset(("d", "de", "des", "du", "l", "la", "le", "les", "un", "une"))


def gist(title: str) -> str:
    """Return a column title reduced to what tells it from another.

    Examples
    --------
    >>> gist("Nom du projet"), gist("NOM_PROJET"), gist("L’")
    ('nom_projet', 'nom_projet', 'l')
    """
    folded = fold(title)
    return "_".join(word for word in folded.split("_") if word not in _ARTICLES) or folded


def spellings(name: str) -> dict[str, str]:
    """Return title as by `gist` → column of table `name`; a schema name beats a title, a title beats an alias.

    Examples
    --------
    >>> spellings("communes")["code_commune"], spellings("applications")["surface_demandee_m2"]
    ('insee', 'need_area_m2')
    """
    specs = {column: spec for column, spec in schema.columns(name).items() if column != "geometry"}
    found = {gist(column): column for column in specs}
    titles = [(column, spec.metadata["aliases"][:1], spec) for column, spec in specs.items()]
    others = [(column, spec.metadata["aliases"][1:], spec) for column, spec in specs.items()]
    for column, words, spec in titles + others:
        for word in words:
            found.setdefault(gist(word), column)
            if spec.metadata["unit"]:
                found.setdefault(gist(f"{word} {spec.metadata['unit']}"), column)
    return found


def required(name: str) -> list[str]:
    """Return the columns a file must bring for table `name`.

    The rest has a default: ``source`` becomes « fichier …, ligne … », ``geometry_status`` is told by the geometry.
    """
    return [column for column, spec in schema.columns(name).items() if _is_required(column, spec)]


def _is_required(column: str, spec: pa.Column) -> bool:
    told = column in {"source", "geometry", "geometry_status"}
    return not told and not spec.nullable and spec.metadata["default"] is None


def recognise(frame: pd.DataFrame, name: str, *, mapping: Mapping[str, str] | None = None) -> Recognised:
    """Return what the columns of `frame` mean for table `name`.

    Parameters
    ----------
    frame
        Raw cells, one column per column of the file.
    mapping
        Column of the file → column of the table (its name, title or an alias), a word of
        `geo_qmi.intake.places.WORDS` when it holds a coordinate, or nothing to leave it aside; wins over what would be
        recognised.

    Raises
    ------
    InputError
        The mapping names a column that the file or the table does not have, or gives one twice.
    """
    words = spellings(name)
    chosen = _chosen(frame, name, mapping or {}, words=words)
    seen = Recognised(
        ignored=[column for column, target in chosen.items() if not target],
        placed={column: target for column, target in chosen.items() if target in WORDS},
    )
    claims: dict[str, list[str]] = {target: [column] for column, target in chosen.items() if target}
    for column in frame.columns:
        target = words.get(gist(str(column)))
        if column in chosen:
            continue
        if target is None or target in chosen.values():
            if frame[column].notna().any():
                seen.unknown.append(str(column))
        else:
            claims.setdefault(target, []).append(column)
    for target in schema.columns(name):
        columns = claims.get(target, [])
        if not columns:
            continue
        first, *others = sorted(columns, key=lambda column: gist(str(column)) != gist(target))
        if all(frame[first].equals(frame[other]) for other in others):
            seen.taken[target] = first
            seen.repeated += [str(other) for other in others]
        else:
            seen.clashes[target] = [str(column) for column in columns]
    keys = [frame[seen.taken[column]] for column in schema.key_columns(name) if column in seen.taken]
    # GeoJSON writers repeat the identifier as the « id » of the feature: setting it aside loses nothing.
    seen.unknown = [column for column in seen.unknown if not any(frame[column].equals(key) for key in keys)]
    seen.missing = [c for c in required(name) if c not in seen.taken and c not in seen.clashes]
    return seen


def _chosen(frame: pd.DataFrame, name: str, mapping: Mapping[str, str], *, words: dict[str, str]) -> dict[str, str]:
    """Return column of the file → column of the table for the columns mapped by hand."""
    by_fold = {fold(str(column)): column for column in reversed(frame.columns)}
    if schema.geometry_types(name):
        words = {**{word: word for word in WORDS}, **words}
    chosen: dict[str, str] = {}
    for given, wanted in mapping.items():
        column = given if given in frame.columns else by_fold.get(fold(given))
        target = words.get(gist(wanted)) if wanted else ""
        if column is None:
            listed = ", ".join(shown(c) for c in frame.columns[:20])
            raise InputError(f"Le fichier n’a pas de colonne « {shown(given)} ». Colonnes lues : {listed}.")
        if target is None:
            listed = ", ".join(c for c in schema.columns(name) if c != "geometry")
            raise InputError(f"La table « {name} » n’a pas de colonne « {shown(wanted)} ». Elle attend : {listed}.")
        if (target and target in chosen.values()) or column in chosen:
            raise InputError(f"La correspondance donne deux fois « {shown(given)} » ou « {target} » : gardez-en une.")
        chosen[column] = target
    return chosen


def candidates(raw: RawTable) -> list[str]:
    """Return the tables this file may be, the likeliest first: those whose key it holds, most columns first."""
    ranked = []
    for name in schema.TABLES:
        words = spellings(name)
        met = {words[gist(str(column))] for column in raw.frame.columns if gist(str(column)) in words}
        if met.issuperset(schema.key_columns(name)):
            missing = len(set(required(name)) - met)
            ranked.append((missing, -len(met), name))
    return [name for *_, name in sorted(ranked)]


def guess_table(raw: RawTable) -> str | None:
    """Return the one table this file can be, or ``None`` when it is not clear.

    A layer or file named as a table (its name or French title) and holding its key is that table. Otherwise all
    required columns must be there, and one table must explain more columns than any other.

    Examples
    --------
    >>> import pandas as pd
    >>> from geo_qmi.sources.raw import RawTable
    >>> guess_table(RawTable("a.csv", "a", pd.DataFrame(columns=["Dossier", "Titre", "Résumé"])))
    'applications'
    """
    possible = candidates(raw)
    called = {fold(raw.layer), fold(raw.file.rsplit("/", 1)[-1].split(".")[0])}
    named = [name for name in possible if called & {fold(name), fold(schema.label(name))}]
    if len(named) == 1:
        return named[0]
    columns = {gist(str(column)) for column in raw.frame.columns}
    scores = {
        name: len({words[c] for c in columns if c in words})
        for name in possible
        for words in [spellings(name)]
        if {words.get(c) for c in columns}.issuperset(required(name))
    }
    best = [name for name, score in scores.items() if score == max(scores.values())]
    return best[0] if len(best) == 1 else None
