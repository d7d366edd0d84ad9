"""Which words of a text point at a person?

Phones, mail addresses, plates, titled persons and the names it is given, replaced by « […] » and listed. A rule does
not know that « la dame du 3ᵉ » is somebody: somebody must read what it leaves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Collection

#: Private text shown as ``words`` once read: table → (identifier, column).
WORDS = {"observations": ("observation_id", "verbatim"), "statements": ("statement_id", "statement")}
#: What the rule finds in a text: French label → pattern. Spaces inside a plate count only between capitals, or
#: « de 100 au » would be one. Mail carries no address above 254 letters (RFC 5321): an endless word is not tried whole
#: from each of its letters.
_PATTERNS = {
    "adresse électronique": re.compile(r"[\w.+%-]{1,254}\s?@\s?[\w-]+(?:\.[\w-]+)+"),
    "téléphone": re.compile(r"(?<![\d+])(?:\+\s?33|0033|0)[\s.(-]*(?:0\)?\s?)?[1-9](?:[\s.-]?\d{2}){4}(?!\d)"),
    "immatriculation": re.compile(
        r"\b(?:[A-Za-z]{2}-?\d{3}-?[A-Za-z]{2}|[A-Z]{2} \d{3} [A-Z]{2}|\d{2,4}[ -]?[A-Z]{2,3}[ -]?\d{2})\b"
    ),
    "personne désignée": re.compile(
        r"\b(?:MM?\.|Mmes?|Mlle|Monsieur|Madame|Docteur|Dr)\s+[A-ZÀ-ÖØ-Þ][\w’'-]+(?:\s[A-ZÀ-ÖØ-Þ][\w’'-]+){0,2}"
    ),
}


def redact(text: str, *, names: Collection[str] = ()) -> tuple[str, list[str]]:
    """Return `text` with phones, mails, plates, titled persons and given names replaced by « […] », and what was found.

    Parameters
    ----------
    text
        Any French text.
    names
        Names to remove, whole words, in any case and with or without accents.

    Returns
    -------
    text, found
        ``found`` lists « nature : passage », in the order of the rules.

    Examples
    --------
    >>> redact("Appelez Zoé au 06 12 34 56 78, voiture AB-123-CD", names=["Zoe"])[0]
    'Appelez […] au […], voiture […]'
    """
    found = []
    for label, pattern in _PATTERNS.items():
        if label == "adresse électronique" and "@" not in text:
            continue  # most texts: no need to look back from each of their letters
        found += [f"{label} : {match.group().strip()}" for match in pattern.finditer(text)]
        text = pattern.sub("[…]", text)
    cuts = _named(text, names=names)
    found += [f"nom : {text[start:stop]}" for start, stop in cuts]
    for start, stop in reversed(cuts):
        text = f"{text[:start]}[…]{text[stop:]}"
    return text, found


def _named(text: str, *, names: Collection[str]) -> list[tuple[int, int]]:
    """Return where `names` stand in `text`, the longest first, without overlap."""
    wanted = {fold(name) for name in names} - {""}
    longest = max((name.count("_") + 1 for name in wanted), default=0)
    words = list(re.finditer(r"[^\W_]+", text))
    cuts: list[tuple[int, int]] = []
    for first in range(len(words)):
        for length in range(min(longest, len(words) - first), 0, -1):
            start, stop = words[first].start(), words[first + length - 1].end()
            if (not cuts or start >= cuts[-1][1]) and fold(text[start:stop]) in wanted:
                cuts.append((start, stop))
                break
    return cuts
