"""How fast does somebody walk, on the flat and on a slope?

A speed and a function of the slope, both with their source. No route is searched here, and the speed is always a
parameter: children, older people and people with luggage walk at half to three quarters of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_qmi.errors import InputError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: 80 m a minute, 1 200 m in a quarter of an hour: the round figure planners use for an adult on the flat. Measured
#: free speeds of adults lie around it (about 1.2 to 1.4 m/s, 4.3 to 5.0 km/h, by age and setting).
WALK_KMH = 4.8
#: Four hours: beyond, it is no daily walk, and the ground to prepare would be a region.
MOST_MINUTES = 240.0


def metres_a_minute(walk_kmh: float) -> float:
    """Return a speed in metres a minute.

    Raises
    ------
    InputError
        The speed is not between 0 (excluded) and 15 km/h: nobody walks faster.

    Examples
    --------
    >>> metres_a_minute(4.8)
    80.0
    """
    if not (np.isfinite(walk_kmh) and 0 < walk_kmh <= 15):
        raise InputError(
            f"Vitesse de marche refusée : « {shown(walk_kmh)} » km/h ; attendu un nombre positif, 15 au plus. "
            "Indiquez par exemple 4,8 (80 m par minute)."
        )
    # 4.8 km/h must give 80 m/min exactly, so that five minutes are 400 m and not 399.99…
    return round(walk_kmh * 1000 / 60, 9)


def walking_time(minutes: float) -> float:
    """Return the time given, once it is known to be one.

    Raises
    ------
    InputError
        Not a number of minutes, from 0 to `MOST_MINUTES`.

    Examples
    --------
    >>> walking_time(15)
    15
    """
    # The next number after the limit is still it: a catchment asks for one, to keep what lies exactly at the limit.
    if not 0 <= minutes <= np.nextafter(MOST_MINUTES, np.inf):
        raise InputError(
            f"Durée de marche refusée : « {shown(minutes)} » ; attendu un nombre de minutes de 0 à {MOST_MINUTES:g}."
        )
    return minutes


def slope_factor(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the speed on a slope as a multiple of the speed on the flat.

    Parameters
    ----------
    slope
        Climb divided by distance walked, positive uphill; NaN (height unknown) counts as flat.

    Returns
    -------
    ndarray
        1 on the flat, at most 1.19 on a gentle way down (−5 %).

    Notes
    -----
    Tobler (1993), *Three presentations on geographical analysis and modeling*, NCGIA technical report 93-1:
    ``6 · exp(−3.5 · |slope + 0.05|)`` km/h, divided here by its value on the flat (5.04 km/h) so that the chosen
    walking speed keeps its meaning.

    Examples
    --------
    >>> slope_factor(np.array([0.0, -0.05, 0.1])).round(3).tolist()
    [1.0, 1.191, 0.705]
    """
    known = np.nan_to_num(slope, nan=0.0)
    return np.asarray(np.exp(-3.5 * (np.abs(known + 0.05) - 0.05)))
