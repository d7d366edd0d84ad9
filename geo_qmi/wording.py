"""How are numbers and days said in French?

A comma for decimals, a narrow no-break space between thousands, a true minus sign, a noun in agreement with its number.
Nothing is computed here, and nothing is said of what the numbers mean.
"""

from __future__ import annotations

import datetime
import re

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre"),
    "décembre",
)
#: A noun phrase agrees up to the first of these words: « marches sans parcours tracé ».
_STOP = re.compile(r" (?:à|aux?|avec|avant|dans|des?|du|en|et|hors|ou|par|pour|qu[ei]|sans|sous|sur) | d’")


def number(value: float, *, digits: int = 2) -> str:
    r"""Return `value` with at most `digits` decimals, written the French way.

    Examples
    --------
    >>> number(12.0), number(1234.5), number(0.126), number(-1)
    ('12', '1\u202f234,5', '0,13', '−1')
    """
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text
    return text.replace(",", "\u202f").replace(".", ",").replace("-", "−")


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal, more when it is very small but not nil.

    Examples
    --------
    >>> percent(0.875), percent(0.00004)
    ('87,5 %', '0,004 %')
    """
    return f"{number(100 * share, digits=1 if share == 0 or share >= 0.001 else 3)} %"


def day_words(date: str | datetime.date) -> str:
    """Return a day, or a month, as a sentence says it; any other text as it is.

    Examples
    --------
    >>> day_words("2026-05-01"), day_words("2026-05"), day_words("2026"), day_words(datetime.date(2026, 11, 22))
    ('1er mai 2026', 'mai 2026', '2026', '22 novembre 2026')
    """
    text = str(date)
    try:
        said = datetime.date.fromisoformat(f"{text}-01" if len(text) == 7 else text)
    except ValueError:
        return text
    number_of = "" if len(text) == 7 else f"{said.day}{'er' * (said.day == 1)} "
    return f"{number_of}{MONTHS[said.month - 1]} {said.year}"


def counted(count: float, noun: str, nouns: str = "") -> str:
    r"""Return a number and its noun phrase in agreement: plural from two on.

    Parameters
    ----------
    count
        How many.
    noun
        The singular: a noun, its adjectives, then anything after a preposition.
    nouns
        The plural, where adding « s » or « x » does not make it.

    Examples
    --------
    >>> counted(1, "lieu"), counted(3, "lieu voisin"), counted(0, "demande"), counted(2, "travail", "travaux")
    ('1 lieu', '3 lieux voisins', '0 demande', '2 travaux')
    >>> counted(1200, "marche sans parcours tracé")
    '1\u202f200 marches sans parcours tracé'
    """
    return f"{number(count)} {agreed(count, noun, nouns)}"


def agreed(count: float, noun: str, nouns: str = "") -> str:
    """Return a noun phrase in agreement with a number said elsewhere; parameters as `counted`.

    Examples
    --------
    >>> agreed(2, "autre lieu"), agreed(1.5, "semaine")
    ('autres lieux', 'semaine')
    """
    if abs(count) < 2:
        return noun
    if nouns:
        return nouns
    stop = _STOP.search(noun)
    last = stop.start() if stop else len(noun)
    return " ".join(map(_plural, noun[:last].split(" "))) + noun[last:]


def _plural(word: str) -> str:
    if word == "non" or word.endswith(("s", "x", "z")):
        return word
    return word + ("x" if word.endswith(("eu", "eau")) else "s")
