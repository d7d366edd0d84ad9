"""Do the people who felt something at a place agree?

Polarisation of answers on the ordered scale from −2 to +2, by van der Eijk's agreement A: five « +2 » against five
« −2 » is 1, ten « 0 » is 0, answers spread evenly 0.5. It says that people differ, neither why nor who is right.

Source: C. van der Eijk (2001), « Measuring agreement in ordered rating scales », Quality & Quantity 35(3), 325–341,
in the corrected form where U compares triples of categories.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: What is left of a frequency after its layers were removed, in parts of the total: rounding, not an answer.
_NOTHING = 1e-12


def agreement(frequencies: Numbers) -> Numbers:
    """Return van der Eijk's A of each row of `frequencies`, from −1 (two opposite camps) to 1 (one answer).

    The row is peeled into layers of equal frequency; A is the mean of the agreement of the layers, weighted by what
    each holds.

    Parameters
    ----------
    frequencies
        Shape (rows, categories), at least 3 categories in the order of the scale; weights need not be whole numbers.

    Returns
    -------
    Array of length rows; NaN where a row is all zero.

    Examples
    --------
    >>> agreement(np.array([[5, 0, 0, 0, 5], [0, 0, 10, 0, 0], [2, 2, 2, 2, 2]])).tolist()
    [-1.0, 1.0, 0.0]
    """
    rest = np.array(frequencies, dtype=float)
    n_categories = rest.shape[1]
    table = _patterns(n_categories)
    total = rest.sum(axis=1)
    found = np.zeros(len(rest))
    powers = 1 << np.arange(n_categories)
    for _ in range(n_categories):
        there = rest > _NOTHING * total[:, None]
        count = there.sum(axis=1)
        lowest = np.min(rest, axis=1, where=there, initial=np.inf)
        lowest[count == 0] = 0.0
        found += lowest * count * table[there @ powers]
        rest = np.where(there, rest - lowest[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(found / total, dtype=float)


def polarisation(frequencies: Numbers) -> Numbers:
    """Return ``(1 − A) / 2`` of each row: 0 all the same answer, 0.5 spread evenly, 1 two opposite camps."""
    return (1.0 - agreement(frequencies)) / 2.0


@lru_cache(maxsize=8)
def _patterns(n_categories: int) -> Numbers:
    """Return A of every pattern of present (1) and absent (0) categories, by its bits; 0 for the empty pattern."""
    bits = [[code >> k & 1 for k in range(n_categories)] for code in range(1 << n_categories)]
    table = np.array([_layer(pattern) if any(pattern) else 0.0 for pattern in bits])
    table.flags.writeable = False
    return table


def _layer(pattern: list[int]) -> float:
    """Return A of one layer: U × (1 − (S − 1) / (K − 1)), U comparing triples 110 and 011 with triples 101."""
    n = len(pattern)
    triples = list(combinations(pattern, 3))
    one_side = sum(triple in {(1, 1, 0), (0, 1, 1)} for triple in triples)
    both_ends = sum(triple == (1, 0, 1) for triple in triples)
    compared = one_side + both_ends
    unimodal = ((n - 2) * one_side - (n - 1) * both_ends) / ((n - 2) * compared) if compared else 1.0
    return unimodal * (1 - (sum(pattern) - 1) / (n - 1))
