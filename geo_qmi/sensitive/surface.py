"""What would the felt value be between the places where people spoke?

A kernel surface in metres, exact and separable: for each person, one Gaussian over the cells they voted in, computed
as the product of a north matrix and an east matrix. Value and evidence stay two columns; where fewer than five people
are near, there is no value. Streets and walls are not known to it: a smooth colour crosses a railway, so it is a
reading aid beside the places, not a measure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import InputError
from geo_qmi.guards import require_columns
from geo_qmi.sensitive.inputs import FLOOR_PEOPLE, require_places

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

#: A person is near to a cell when their kernel reaches there what one mark weighs at twice the bandwidth.
_NEAR = float(np.exp(-2.0))


def surface(cast: pd.DataFrame, *, places: gpd.GeoDataFrame, bandwidth_m: float = 60.0) -> pd.DataFrame:
    """Return the smoothed value of each cell with the evidence behind it.

    A person's weight at a cell is the sum of ``exp(−d² / 2h²)`` over the cells where they voted, cut at 1: somebody
    who marked everywhere around counts once. Their value there is the mean of their votes under the same kernel. The
    value of the cell is the mean over people under these weights, its evidence their sum.

    Parameters
    ----------
    cast
        As returned by `geo_qmi.sensitive.votes.votes` without `by`.
    places
        Cells of one grid, as returned by `geo_qmi.sensitive.places.cells`.
    bandwidth_m
        Standard deviation h of the kernel in metres; one and a half to two blocks of houses by default.

    Returns
    -------
    DataFrame
        On the index of `places`: ``value`` (missing where fewer than five people are near), ``evidence`` (sum of
        weights, in people), ``n_people`` (people near: weight of at least e⁻²).

    Raises
    ------
    InputError
        Places that are not cells of one grid; a bandwidth under the side of a cell.
    """
    require_columns(cast, ["place", "participant_id", "vote"], what="Votes")
    require_places(places)
    east, north, cell_m = _centres(places)
    if not bandwidth_m >= cell_m:
        raise InputError(f"Largeur de lissage : {bandwidth_m:g} m. Attendu : au moins le côté d’une cellule.")
    xs, column = np.unique(east, return_inverse=True)
    ys, row = np.unique(north, return_inverse=True)
    shape = (len(ys), len(xs))
    pull, weight, near = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64)
    at = places.index.get_indexer(cast["place"])
    votes = cast["vote"].to_numpy(dtype=float)
    person = pd.factorize(cast["participant_id"], sort=True)[0]
    for own in np.split(np.argsort(person, kind="stable"), np.cumsum(np.bincount(person))[:-1]):
        if not own.size:
            continue
        over_north = _kernel(ys, north[at[own]], bandwidth_m)
        over_east = _kernel(xs, east[at[own]], bandwidth_m)
        mass = over_north @ over_east.T
        said = (over_north * votes[own]) @ over_east.T
        share = np.minimum(mass, 1.0)
        pull += np.divide(share * said, mass, out=np.zeros(shape), where=mass > 0)
        weight += share
        near += mass >= _NEAR * (1 - 1e-12)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(near >= FLOOR_PEOPLE, pull / weight, np.nan)
    return pd.DataFrame(
        {"value": value[row, column], "evidence": weight[row, column], "n_people": near[row, column]},
        index=places.index,
    )


def _kernel(to: Numbers, of: Numbers, bandwidth_m: float) -> Numbers:
    """Return one axis of the Gaussian, targets in rows, sources in columns; 1 at its centre."""
    return np.exp(-0.5 * ((to[:, None] - of[None, :]) / bandwidth_m) ** 2)


def _centres(places: gpd.GeoDataFrame) -> tuple[Numbers, Numbers, float]:
    """Return the centres of the cells and their side, or refuse what is not one square grid."""
    if places.empty:
        raise InputError("Surface : aucune cellule. Découpez d’abord l’étendue en cellules.")
    box = shapely.bounds(places.geometry.to_numpy())
    sides = np.concatenate([box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]])
    area = shapely.area(places.geometry.to_numpy())
    square = np.allclose(sides, sides[0]) and np.allclose(area, sides[0] ** 2)
    if not square or not np.allclose(np.rint(box / sides[0]), box / sides[0], atol=1e-6):
        raise InputError("Surface : attendu les cellules carrées d’une seule grille, pas des tronçons ou des contours.")
    centres = np.rint(box[:, :2] / sides[0]) + 0.5
    return centres[:, 0] * sides[0], centres[:, 1] * sides[0], float(sides[0])
