"""How are the numbers of a plan said in French?

A comma for decimals, a narrow no-break space between thousands, a singular and a plural. Nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo_qmi.errors import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many identifiers a sentence spells out; the rest is counted.
_SPELLED_OUT = 5


def number(value: float, *, digits: int = 2) -> str:
    r"""Return `value` with at most `digits` decimals, written the French way.

    Examples
    --------
    >>> number(12.0), number(1234.5), number(0.126)
    ('12', '1\u202f234,5', '0,13')
    """
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return ("0" if text == "-0" else text).replace(",", "\u202f").replace(".", ",")


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal, more when it is very small but not nil.

    Examples
    --------
    >>> percent(0.875), percent(0.00004)
    ('87,5 %', '0,004 %')
    """
    return f"{number(100 * share, digits=1 if share == 0 or share >= 0.001 else 3)} %"


def counted(n: int, noun: str) -> str:
    """Return a number and its noun, plural from two on.

    Examples
    --------
    >>> counted(1, "lieu"), counted(3, "lieu"), counted(0, "demande")
    ('1 lieu', '3 lieux', '0 demande')
    """
    plural = noun + ("x" if noun.endswith("eu") else "s")
    return f"{number(n)} {plural if n > 1 else noun}"


def quoted(ids: Sequence[object]) -> str:
    """Return the first identifiers between guillemets, and how many are left.

    Examples
    --------
    >>> quoted(["a", "b"])
    '« a », « b »'
    """
    words = ", ".join(f"« {shown(name)} »" for name in ids[:_SPELLED_OUT])
    rest = len(ids) - _SPELLED_OUT
    return f"{words} et {number(rest)} autre(s)" if rest > 0 else words
