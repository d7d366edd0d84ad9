"""Which colour, sign and words does a felt value get?

Five equal classes of a mean from −2 to +2, the same on both sides of zero, from orange to purple; the sign of a point
repeats the sign of the value. One scale for every sensitive map, so that two of them can be laid side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi.maps.district import VALENCES

if TYPE_CHECKING:
    from geo_qmi.maps.drawing import Shape

#: Colour, French words and sign of each class.
CLASSES: tuple[tuple[str, str, Shape], ...] = (
    (VALENCES[-2], "très négatif (−2 à −1,2)", "down"),
    (VALENCES[-1], "négatif (−1,2 à −0,4)", "down"),
    (VALENCES[0], "neutre (−0,4 à 0,4)", "circle"),
    (VALENCES[1], "positif (0,4 à 1,2)", "up"),
    (VALENCES[2], "très positif (1,2 à 2)", "up"),
)
#: Divided places: a dark green, between the two ends in darkness and on the way from neither to the other.
DIVIDED = "#00734d"
#: What was said without a value, or cannot be told apart: no hue.
UNSIGNED = "#9a9a9a"
#: Outlines of cells that must not be read as a class.
FAINT = "#8a8a84"


def value_class(value: float) -> int:
    """Return the class of a value between −2 and +2, from 0 to 4, the same on both sides of zero.

    Examples
    --------
    >>> [value_class(value) for value in (-2, -1.2, -0.5, -0.4, 0, 0.4, 0.5, 1.2, 2)]
    [0, 0, 1, 2, 2, 2, 3, 4, 4]
    """
    if abs(value) <= 0.4:
        return 2
    if value < 0:
        return 0 if value <= -1.2 else 1
    return 4 if value >= 1.2 else 3


def decimal(value: float, *, places: int = 2) -> str:
    """Return a number with a comma and a true minus sign; a missing one is a dash.

    Examples
    --------
    >>> decimal(-1.5), decimal(float("nan")), decimal(0.123, places=3)
    ('−1,50', '—', '0,123')
    """
    return "—" if pd.isna(value) else f"{value:.{places}f}".replace(".", ",").replace("-", "−")
