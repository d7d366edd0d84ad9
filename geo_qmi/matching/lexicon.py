"""Which themes does a text reveal, and by which words?

A lexicon is a frame (table ``lexicon``): theme, term, weight. It is compiled once into an index of roots, then read
against texts from left to right, the longest expression first: « économie circulaire » is one finding, not two, and
does not speak of « économie ». A term that starts with ``=`` compares exact forms (accents folded) instead of roots,
for homographs: « =données » does not answer to « donner ». It reads no irony and no negation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from geo_qmi.errors import InputError, shown
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.matching.text import pieces, word_of, words
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    import pandas as pd


class Entry(NamedTuple):
    """One line of the lexicon."""

    entry_id: str
    theme: str
    term: str
    weight: float


class Finding(NamedTuple):
    """One lexicon entry met in a text, and the words that met it."""

    entry: Entry
    surface: str


class Expression(NamedTuple):
    """One expression of the lexicon: the roots (or exact forms, ``=``) to meet in a row, and its entries."""

    keys: tuple[str, ...]
    entries: tuple[Entry, ...]


class _Read(NamedTuple):
    """One piece of a text as the lexicon reads it: its spelling, the keys it meets (none for a gap), what it opens.

    ``opens`` are expressions of several words, longest first; ``alone`` is what the word says when none of them is met;
    ``speaks`` is whether there is either.
    """

    surface: str
    keys: tuple[str, ...]
    opens: tuple[Expression, ...]
    alone: tuple[Finding, ...]
    speaks: bool


_GAP = _Read("", (), (), (), speaks=False)


class _Memo(dict[str, "_Read | None"]):
    """Piece of text → how the lexicon reads it, worked out once; ``None`` for a grammatical word."""

    def __init__(self, index: dict[str, list[Expression]]) -> None:
        super().__init__()
        self.index = index

    def __missing__(self, piece: str) -> _Read | None:
        if len(self) >= _MOST_PIECES:
            self.clear()
        word = word_of(piece)
        if word is None:
            found: _Read | None = _GAP
        elif not word.root:
            found = None
        else:
            # The exact form comes first: at equal length it is the more precise statement.
            opened = [*self.index.get("=" + word.exact, ()), *self.index.get(word.root, ())]
            longest_first = sorted(opened, key=lambda expression: -len(expression.keys))
            several = tuple(one for one in longest_first if len(one.keys) > 1)
            alone = next((one.entries for one in longest_first if len(one.keys) == 1), ())
            findings = tuple(Finding(entry, word.surface) for entry in alone)
            found = _Read(word.surface, (word.root, "=" + word.exact), several, findings, bool(opened))
        self[piece] = found
        return found


#: Distinct pieces remembered: more than the vocabulary of any call, some tens of megabytes at most.
_MOST_PIECES = 1 << 17


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A lexicon ready to read texts: first key of an expression → expressions, longest first."""

    index: dict[str, list[Expression]] = field(default_factory=dict)
    _memo: _Memo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_memo", _Memo(self.index))

    def find(self, text: str) -> list[Finding]:
        """Return the entries met in `text`, in reading order, each once, with the words first read.

        Parameters
        ----------
        text
            Any French text.

        Returns
        -------
        Findings; words used by one expression are not read again by a shorter one.
        """
        read = list(filter(None, map(self._memo.__getitem__, pieces(text))))
        read.append(_GAP)
        found: dict[str, Finding] = {}
        free = 0
        # Most words say nothing: they are passed over at once.
        for position, (_, _, opens, alone, _) in [pair for pair in enumerate(read) if pair[1].speaks]:
            if position < free:
                continue
            for keys, entries in opens:
                # The first key is how this expression was found.
                if keys[1] in read[position + 1].keys and _meets(read, position, keys):
                    free = position + len(keys)
                    surface = " ".join([one.surface for one in read[position:free]])
                    for entry in entries:
                        found.setdefault(entry.entry_id, Finding(entry, surface))
                    break
            else:
                for finding in alone:
                    found.setdefault(finding.entry.entry_id, finding)
        return list(found.values())


def _meets(read: list[_Read], position: int, keys: tuple[str, ...]) -> bool:
    """Say whether the words read from `position` on are those of `keys`."""
    there = read[position : position + len(keys)]
    return len(there) == len(keys) and all(key in one.keys for key, one in zip(keys, there, strict=True))


def compile_lexicon(lexicon: pd.DataFrame) -> Lexicon:
    """Return `lexicon` ready to read texts.

    Two terms of one theme with the same roots (« rénover », « rénovation ») count as one, the heavier.

    Parameters
    ----------
    lexicon
        Columns ``entry_id``, ``theme``, ``term``, ``weight`` (0–1), as in table ``lexicon``; in any row order.

    Raises
    ------
    InputError
        No line, a missing column, an unknown theme, a weight outside 0–1, or a term without a meaningful word.
    """
    require_columns(lexicon, Entry._fields, what="Lexique")
    if lexicon.empty:
        raise InputError("Lexique vide : aucun texte ne peut être lu. Donnez au moins un terme.")
    require_ids(lexicon["entry_id"], what="Lexique")
    ordered = lexicon.sort_values("entry_id", kind="stable")
    return _compiled(tuple(zip(*(ordered[name].tolist() for name in Entry._fields), strict=True)))


@lru_cache(maxsize=4)
def _compiled(rows: tuple[tuple[Any, ...], ...]) -> Lexicon:
    """Do what `compile_lexicon` does with its rows in order; one lexicon reads many texts, each time it is asked."""
    by_keys: dict[tuple[str, ...], dict[str, Entry]] = {}
    for row in rows:
        entry = _checked(Entry(*row))
        themes = by_keys.setdefault(_keys(entry), {})
        if entry.theme not in themes or themes[entry.theme].weight < entry.weight:
            themes[entry.theme] = entry
    index: dict[str, list[Expression]] = {}
    for keys, themes in by_keys.items():
        index.setdefault(keys[0], []).append(Expression(keys, tuple(themes.values())))
    for expressions in index.values():
        expressions.sort(key=lambda expression: (-len(expression[0]), expression[0]))
    return Lexicon(index)


def _checked(entry: Entry) -> Entry:
    """Return `entry` with plain types, or raise `InputError`."""
    if entry.theme not in THEMES:
        raise InputError(
            f"Lexique, {shown(entry.entry_id)} : thème inconnu « {shown(entry.theme)} ». "
            f"Thèmes connus : {', '.join(THEMES)}."
        )
    if not 0 <= entry.weight <= 1:  # also refuses NaN
        raise InputError(
            f"Lexique, {shown(entry.entry_id)} : poids « {shown(entry.weight)} ». Attendu : un nombre entre 0 et 1."
        )
    return entry._replace(term=str(entry.term), weight=float(entry.weight))


def _keys(entry: Entry) -> tuple[str, ...]:
    """Return the roots (or exact forms) to meet for this term."""
    exact = entry.term.startswith("=")
    read = [word for word in words(entry.term.removeprefix("=")) if word]
    if not read:
        raise InputError(
            f"Lexique, {shown(entry.entry_id)} : le terme « {shown(entry.term)} » ne contient aucun mot plein. "
            "Donnez un mot porteur de sens."
        )
    return tuple("=" + word.exact if exact else word.root for word in read)
