"""Which themes does a text reveal, and by which words?

A lexicon is a frame (table ``lexicon``): theme, term, weight. It is compiled once into an index of roots, then read
against texts from left to right, the longest expression first: « économie circulaire » is one finding, not two, and
does not speak of « économie ». A term that starts with ``=`` compares exact forms (accents folded) instead of roots,
for homographs: « =données » does not answer to « donner ». It reads no irony and no negation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from geo_qmi.errors import InputError, shown
from geo_qmi.matching.inputs import require_columns, require_ids
from geo_qmi.matching.text import words
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    import pandas as pd

    from geo_qmi.matching.text import Word


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


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A lexicon ready to read texts: first key of an expression → expressions, longest first."""

    index: dict[str, list[tuple[tuple[str, ...], tuple[Entry, ...]]]] = field(default_factory=dict)

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
        read = words(text)
        found: dict[str, Finding] = {}
        position = 0
        while position < len(read):
            length, entries = self._longest(read, position)
            for entry in entries:
                if entry.entry_id not in found:
                    used = read[position : position + length]
                    found[entry.entry_id] = Finding(entry, " ".join(word.surface for word in used if word))
            position += max(length, 1)
        return list(found.values())

    def _longest(self, read: list[Word | None], position: int) -> tuple[int, tuple[Entry, ...]]:
        """Return the length of the longest expression starting at `position`, and its entries."""
        word = read[position]
        if word is None:
            return 0, ()
        best: tuple[int, tuple[Entry, ...]] = (0, ())
        # The exact form comes first: at equal length it is the more precise statement.
        for first in ("=" + word.exact, word.root):
            for keys, entries in self.index.get(first, ()):
                if len(keys) > best[0] and _meets(read, position, keys):
                    best = (len(keys), entries)
                    break
        return best


def _meets(read: list[Word | None], position: int, keys: tuple[str, ...]) -> bool:
    """Say whether the words read from `position` on are those of `keys`."""
    if position + len(keys) > len(read):
        return False
    for key, word in zip(keys, read[position:], strict=False):
        if word is None or (key[1:] != word.exact if key[0] == "=" else key != word.root):
            return False
    return True


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
    by_keys: dict[tuple[str, ...], dict[str, Entry]] = {}
    ordered = lexicon.sort_values("entry_id", kind="stable")
    columns = [ordered[name].tolist() for name in Entry._fields]
    for row in zip(*columns, strict=True):
        entry = _checked(Entry(*row))
        themes = by_keys.setdefault(_keys(entry), {})
        if entry.theme not in themes or themes[entry.theme].weight < entry.weight:
            themes[entry.theme] = entry
    index: dict[str, list[tuple[tuple[str, ...], tuple[Entry, ...]]]] = {}
    for keys, themes in by_keys.items():
        index.setdefault(keys[0], []).append((keys, tuple(themes.values())))
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
