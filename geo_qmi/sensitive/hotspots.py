"""Where do good or bad feelings gather more than chance would have it?

Getis–Ord Gi* over the places where somebody spoke, tested by permutation *within people*: each person's answers are
dealt again over that person's own marks, so that neither a gloomy walker nor a talkative one makes a cold spot. The
many tests are corrected together (Benjamini–Hochberg). It is a question of where, not of how much; under five people
around a place there is no test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy
import shapely

from geo_qmi.errors import InputError
from geo_qmi.sensitive.inputs import FLOOR_PEOPLE, require_observations, require_places
from geo_qmi.sensitive.places import SEGMENT_REACH_M, positions
from geo_qmi.sensitive.votes import marked

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

#: Verdict on a place.
VERDICTS = {
    "hot": "regroupement de ressentis positifs",
    "cold": "regroupement de ressentis négatifs",
    "none": "rien de distinct du hasard",
    "not_tested": "non testé : moins de cinq personnes alentour",
}


def hotspots(
    observations: gpd.GeoDataFrame,
    *,
    places: gpd.GeoDataFrame,
    distance_m: float = 100.0,
    n_permutations: int = 4999,
    false_rate: float = 0.05,
    seed: int = 20230515,
    reach_m: float = SEGMENT_REACH_M,
) -> pd.DataFrame:
    """Return hot and cold spots with a p-value corrected for the number of places.

    Parameters
    ----------
    observations
        Table ``observations`` in EPSG:2154.
    places
        See `geo_qmi.sensitive.places`.
    distance_m
        Places whose centres are at most this far apart are neighbours; a place is its own neighbour.
    n_permutations
        Deals; the smallest p-value is 2 / (deals + 1).
    false_rate
        Expected part of false spots among those announced.
    seed
        Same seed, same p-values.
    reach_m
        See `geo_qmi.sensitive.places.attach`.

    Returns
    -------
    DataFrame
        On the index of `places`: ``value`` (one person one vote), ``z`` (Gi*), ``p`` (two-sided), ``q``
        (Benjamini–Hochberg), ``n_around`` (people within `distance_m`), ``verdict`` (code of `VERDICTS`).

    References
    ----------
    Ord and Getis (1995), *Geographical Analysis* 27(4), eq. 14 with self; Benjamini and Hochberg (1995), *JRSS B*
    57(1). Phipson and Smyth (2010) for the added one.
    """
    require_observations(observations)
    require_places(places)
    if n_permutations < 99 or not 0 < false_rate < 1:
        raise InputError("Points chauds : attendu au moins 99 permutations et un taux d’erreur entre 0 et 1.")
    marks = np.flatnonzero(marked(observations))
    row, place = positions(observations.geometry.to_numpy()[marks], places=places, reach_m=reach_m)
    person = pd.factorize(observations["participant_id"].to_numpy()[marks], sort=True)[0]
    answers = observations["valence"].to_numpy(dtype=float, na_value=np.nan)[marks]
    spoken, slot = np.unique(place, return_inverse=True)
    averages = _averages(row, slot, person[row], n_marks=len(marks))
    near = neighbours(places.iloc[spoken], distance_m=distance_m)
    values = averages @ answers
    z = gi_star(values[:, None], near)[:, 0]
    around = _people_around(slot, person[row], near)
    dealt = gi_star(averages @ _dealt(answers, person, n=n_permutations, seed=seed), near)
    slack = 1e-9
    above = (1 + (dealt >= z[:, None] - slack).sum(axis=1)) / (n_permutations + 1)
    below = (1 + (dealt <= z[:, None] + slack).sum(axis=1)) / (n_permutations + 1)
    tested = (around >= FLOOR_PEOPLE) & np.isfinite(z)
    p = np.where(tested, np.minimum(1.0, 2 * np.minimum(above, below)), np.nan)
    q = corrected(p)
    verdict = np.select([~tested, q > false_rate, z > 0], ["not_tested", "none", "hot"], default="cold")
    columns = {"value": values, "z": z, "p": p, "q": q, "n_around": around, "verdict": verdict}
    table = pd.DataFrame(columns, index=places.index[spoken]).reindex(places.index)
    table["n_around"] = table["n_around"].fillna(0).astype(np.int64)
    table["verdict"] = table["verdict"].astype("str").fillna("not_tested")
    return table


def neighbours(places: gpd.GeoDataFrame, *, distance_m: float) -> scipy.sparse.csr_array:
    """Return the 0–1 matrix of places whose centres lie at most `distance_m` apart, themselves included."""
    centres = shapely.centroid(places.geometry.to_numpy())
    one, other = shapely.STRtree(centres).query(centres, predicate="dwithin", distance=distance_m)
    ones = np.ones(len(one))
    return scipy.sparse.csr_array((ones, (one, other)), shape=(len(places), len(places)))


def gi_star(values: Numbers, near: scipy.sparse.csr_array) -> Numbers:
    """Return the Gi* of each row and column of `values` with 0–1 weights that include the place itself.

    Parameters
    ----------
    values
        Shape (places, deals).
    near
        See `neighbours`.

    Returns
    -------
    Same shape; NaN where every value is equal, or where everything is a neighbour.
    """
    n = len(values)
    if n == 0:
        return values.copy()
    mean = values.mean(axis=0)
    spread = np.sqrt(np.maximum((values**2).mean(axis=0) - mean**2, 0.0))
    spread[spread < 1e-12] = np.nan
    degree = np.asarray(near.sum(axis=1), dtype=float)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        width = np.sqrt((n * degree - degree**2) / (n - 1)) if n > 1 else np.full((n, 1), np.nan)
        width = np.where(width > 0, width, np.nan)
        return np.asarray((near @ values - degree * mean) / (spread * width))


def corrected(p: Numbers) -> Numbers:
    """Return Benjamini–Hochberg q-values of `p`; NaN stays NaN and does not count.

    Examples
    --------
    >>> corrected(np.array([0.01, 0.02, 0.03, 0.5])).round(4).tolist()
    [0.04, 0.04, 0.04, 0.5]
    """
    q = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")][::-1]
    rank = np.arange(len(order), 0, -1)
    q[order] = np.minimum.accumulate(np.minimum(p[order] * len(order) / rank, 1.0))
    return q


def _averages(
    row: NDArray[np.intp], slot: NDArray[np.intp], person: NDArray[np.intp], *, n_marks: int
) -> scipy.sparse.csr_array:
    """Return the matrix that turns answers into values: mean by person at a place, then mean over people."""
    n_people = person.max(initial=0) + 1
    ballots, ballot = np.unique(slot * n_people + person, return_inverse=True)
    marks_of = np.bincount(ballot)
    people_at = np.bincount(ballots // n_people)
    weight = 1.0 / (marks_of[ballot] * people_at[slot])
    return scipy.sparse.csr_array((weight, (slot, row)), shape=(len(people_at), n_marks))


def _dealt(answers: Numbers, person: NDArray[np.intp], *, n: int, seed: int) -> Numbers:
    """Return `n` columns in which the answers of each person are dealt again over that person's marks."""
    rng = np.random.default_rng(seed)
    columns = np.empty((len(answers), n))
    for who in range(person.max(initial=-1) + 1):
        own = np.flatnonzero(person == who)
        columns[own] = rng.permuted(np.tile(answers[own], (n, 1)), axis=1).T
    return columns


def _people_around(slot: NDArray[np.intp], person: NDArray[np.intp], near: scipy.sparse.csr_array) -> NDArray[np.int64]:
    """Return how many people spoke at each place or a neighbour of it."""
    shape = (near.shape[0], int(person.max(initial=0)) + 1)
    spoke = scipy.sparse.csr_array((np.ones(len(slot)), (slot, person)), shape=shape)
    return np.asarray(((near @ spoke) > 0).sum(axis=1), dtype=np.int64)
