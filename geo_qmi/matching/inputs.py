"""Are these shares and weights fit to be matched?

Guards of the matching doors that `geo_qmi.guards` has not: vocabularies, bounds, sums. Each refusal is one French
sentence. Inside the package frames are trusted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, shown
from geo_qmi.guards import require_columns, require_present
from geo_qmi.vocabulary import NEED_LAYERS, OTHER_LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

#: Every layer a need may come from, published ones first.
LAYERS = {**NEED_LAYERS, **OTHER_LAYERS}
_NAMES = {"theme": "thème inconnu", "layer": "couche inconnue"}


class Cells(NamedTuple):
    """A long frame of shares as a dense array.

    Attributes
    ----------
    ids
        Identifiers of the first axis, sorted.
    shares
        Identifiers × vocabularies; 0 where the frame has no row.
    positions
        Position on each axis of each row of the frame.
    """

    ids: pd.Index[str]
    shares: NDArray[np.float64]
    positions: tuple[NDArray[np.intp], ...]

    def on(self, axis: pd.Index[str]) -> NDArray[np.float64]:
        """Return the shares of the identifiers of `axis`, in its order; zeros for one that has no row."""
        return aligned(self.shares, self.ids, axis=axis)


def aligned(rows: NDArray[np.float64], ids: pd.Index[str], *, axis: pd.Index[str]) -> NDArray[np.float64]:
    """Return the rows of `ids` in the order of `axis`; zeros for identifiers that have none."""
    found = ids.get_indexer(axis)
    table = np.zeros((len(axis), *rows.shape[1:]))
    table[found >= 0] = rows[found[found >= 0]]
    return table


def share_cells(frame: pd.DataFrame, *, ids: str, value: str, what: str, axes: Mapping[str, Iterable[str]]) -> Cells:
    """Return the long `frame` as a dense array of shares, or raise `InputError` for the first row that is unfit.

    Parameters
    ----------
    frame
        One row a cell; never changed, in any order.
    ids
        Column of identifiers: the first axis, sorted.
    value
        Column of values, in 0–1, summing to 1 at most along the last axis.
    what
        French name of the frame.
    axes
        Column → its vocabulary, in order: the other axes.
    """
    require_columns(frame, [ids, *axes, value], what=what)
    require_present(frame[ids], what=what)
    codes, labels = pd.factorize(frame[ids].astype("str"), sort=True)
    positions = [codes]
    for column, vocabulary in axes.items():
        found = pd.Index(list(vocabulary)).get_indexer(pd.Index(frame[column]))
        if (found < 0).any():
            wrong = shown(frame[column].iloc[int(np.argmax(found < 0))])
            raise InputError(f"{what} : {_NAMES[column]} « {wrong} ». Attendu : {', '.join(vocabulary)}.")
        positions.append(found)
    shape = (len(labels), *(len(list(vocabulary)) for vocabulary in axes.values()))
    flat = np.ravel_multi_index(tuple(positions), shape)
    values = frame[value].to_numpy(dtype="float64")

    def place(row: int) -> str:
        return " / ".join(shown(frame[column].iloc[row]) for column in (ids, *axes))

    outside = ~((values >= 0) & (values <= 1))  # also NaN
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f"{what} : valeur « {values[row]:g} » de « {value} » ({place(row)}). Attendu : un nombre entre 0 et 1."
        )
    twice = pd.Index(flat).duplicated()
    if twice.any():
        raise InputError(f"{what} : ligne présente deux fois : {place(int(np.argmax(twice)))}. Gardez-en une seule.")
    dense = np.zeros(shape)
    dense.ravel()[flat] = values
    totals = dense.sum(axis=-1)
    if (totals > 1 + 1e-9).any():
        where = np.argwhere(totals > 1 + 1e-9)[0]
        raise InputError(
            f"{what} : la somme de « {value} » vaut {totals[tuple(where)]:.3f} pour {shown(labels[where[0]])}. "
            "Attendu : 1 au plus."
        )
    return Cells(pd.Index(labels, name=ids, dtype="str"), dense, tuple(positions))


def checked_layer_weights(layer_weights: Mapping[str, float]) -> dict[str, float]:
    """Return `layer_weights` in the order of the vocabulary, or raise `InputError`; absent layers weigh 0."""
    unknown = [layer for layer in layer_weights if layer not in LAYERS]
    if unknown:
        raise InputError(
            f"Poids des couches : couche inconnue « {shown(unknown[0])} ». Couches connues : {', '.join(LAYERS)}."
        )
    weights = {layer: float(layer_weights.get(layer, 0.0)) for layer in LAYERS}
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights.values()):
        raise InputError("Poids des couches : attendu des nombres positifs ou nuls.")
    if sum(weights.values()) <= 0:
        raise InputError("Poids des couches : tous nuls. Donnez un poids positif à une couche au moins.")
    return weights
