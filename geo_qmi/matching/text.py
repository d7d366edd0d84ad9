"""Which words does a French text hold, once spelling stops mattering?

A text becomes a list of words, each as a root (snowball stem, accents folded) and as an exact form (accents folded
only). Case, accents, plurals, elisions (l’, d’, qu’), hyphens and Unicode forms do not matter; grammatical words are
left out; punctuation stays as a gap, so that an expression never straddles two sentences. Stems are memoised: ten
thousand applications cost the stemming of their distinct words. Nothing here knows a theme.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

#: A word, or a mark that separates; apostrophes and hyphens only part words.
_PIECES = re.compile(r"\w+|[^\w\s'’‘\-‑–]")

#: Grammatical words, accents folded. « sans », « zéro », « être » and « bien » stay: « zéro déchet », « bien-être ».
_GRAMMAR = """
a ai ainsi alors apres as au aucun aucune aussi autre autres aux avant avec avoir c ca car ce ceci cela celle
celles celui ces cet cette ceux chaque chez ci comme comment d dans de depuis des donc dont du elle elles en encore
entre est et eu eux fait font ici il ils j je jusqu jusque l la le les leur leurs lors lorsqu lorsque lui m ma mais
me meme memes mes moi mon n ne ni nos notre nous on ont or ou ont par parce pas pendant peu peut plus plusieurs
pour pourquoi pres puis puisqu puisque qu quand que quel quelle quelles quels qui quoi quoiqu s sa se selon sera
ses si soit son sont sous sur t ta te tes toi ton tous tout toute toutes tres tu un une va vers via voici vos votre
vous y
"""
STOP_WORDS = frozenset(_GRAMMAR.split())


class Word(NamedTuple):
    """One meaningful word: its root, its exact form with accents folded, and the spelling read."""

    root: str
    exact: str
    surface: str


_STEMMER = snowballstemmer.stemmer("french")
#: The stemmer keeps the word it works on inside itself; two threads must not share it at one moment.
_STEMMER_LOCK = threading.Lock()


def words(text: str) -> list[Word | None]:
    """Return the meaningful words of `text` in reading order, ``None`` where punctuation separates them.

    Parameters
    ----------
    text
        Any French text, in capitals or not, accented or not.

    Returns
    -------
    Words with their `root`, `exact` form and `surface`; grammatical words are absent.

    Examples
    --------
    >>> [word.root for word in words("L’ÉNERGIE des bâtiments") if word]
    ['energ', 'bat']
    >>> [word and word.exact for word in words("rue, places d’eau")]
    ['rue', None, 'places', 'eau']
    """
    read = [word_of(piece) for piece in pieces(text)]
    return [word for word in read if word is None or word.root]


def pieces(text: str) -> list[str]:
    """Return the words and punctuation marks of `text` as they are written, in reading order."""
    return _PIECES.findall(unicodedata.normalize("NFC", text).replace("_", " "))


@lru_cache(maxsize=1 << 17)
def word_of(piece: str) -> Word | None:
    """Return how one of `pieces` is read: a word (empty root when grammatical), ``None`` for a punctuation mark."""
    if not piece[0].isalnum():
        return None
    exact = _plain(piece)
    if exact in STOP_WORDS:
        return Word("", "", piece)
    singular = exact[:-1] if len(exact) > 3 and exact.endswith("s") and not exact.endswith("ss") else exact
    # « partagée » and « partagé » meet: the accent that told them apart from « partage » is folded away.
    base = singular[:-1] if singular.endswith("ee") else singular
    with _STEMMER_LOCK:
        return Word(_STEMMER.stemWord(base), exact, piece)


def _plain(piece: str) -> str:
    """Return `piece` in lower case without accents or ligatures."""
    spelled = piece.lower().replace("œ", "oe").replace("æ", "ae")
    return "".join(c for c in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(c))
