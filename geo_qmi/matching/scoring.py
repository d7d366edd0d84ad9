"""How well does each project answer each district, between 0 and 1?

``score = Σ layer weight × need weight ÷ length of the layer × strength``, over layers and themes. The need weights of
a layer are divided by its Euclidean length, so that a district is neither favoured nor punished for naming many
themes; strengths are shares of the project, so that a wordy application is not favoured either. See
``docs/methods/matching.md``.

A score depends on its project and its district only. It is a sum of numbers rounded beforehand to binary fractions,
which floating point adds exactly in any order: other candidates, the order of rows and the machine cannot change its
last digit, and the parts listed by `geo_qmi.matching.explanation` re-add to it exactly. Nothing here ranks or chooses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.guards import require_ids
from geo_qmi.matching.inputs import LAYERS, Cells, aligned, checked_layer_weights, share_cells
from geo_qmi.vocabulary import NEED_LAYERS, THEMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

#: The programme publishes no weighting; equal weights are the only ones that claim no knowledge. Layers that are not
#: published (field, measures) weigh nothing until a rule file says otherwise.
LAYER_WEIGHTS = dict.fromkeys(NEED_LAYERS, 1.0)

# Products of the two are multiples of 2**-50 and sums stay below 2: 51 bits, inside the 53 of a float64.
_STRENGTH_STEPS = 2.0**24
_IMPORTANCE_STEPS = 2.0**26
#: Part of a step by which a value may miss a multiple through rounding (1/3 + 1/3 + 1/3) and still reach it.
_SLACK = 1e-3


def score(
    needs: pd.DataFrame,
    offers: pd.DataFrame,
    *,
    layer_weights: Mapping[str, float] | None = None,
    project_ids: Iterable[str] | None = None,
    district_ids: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return the score of every project in every district.

    Parameters
    ----------
    needs
        Table ``needs``: ``district_id``, ``layer``, ``theme``, ``weight`` (at most 1 in total by district and layer).
    offers
        Table ``offers``: ``project_id``, ``theme``, ``strength`` (at most 1 in total by project).
    layer_weights
        Layer → weight, renormalised for each district over the layers it has; published layers equal by default.
    project_ids, district_ids
        Identifiers wanted on the axes; those of the frames by default. Give them to keep projects and districts about
        which nothing is known.

    Returns
    -------
    DataFrame
        Projects (index ``project_id``) × districts (columns ``district_id``), both sorted; values in [0, 1], NaN where
        the project has no recognised theme or the district no known need.

    Raises
    ------
    InputError
        Missing columns, values outside 0–1, repeated themes, weights that are negative or all zero.
    """
    asked = importance(needs, layer_weights=layer_weights)
    brought = strengths(offers)
    projects = brought.ids if project_ids is None else _axis(project_ids, "project_id", what="Projets")
    districts = asked.ids if district_ids is None else _axis(district_ids, "district_id", what="Quartiers")
    values = agreement(brought.on(projects), asked.on(districts))
    return pd.DataFrame(values, index=projects, columns=districts, copy=False)


def agreement(shares: NDArray[np.float64], profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return projects × districts from projects × themes and districts × themes; NaN where one side says nothing."""
    values: NDArray[np.float64] = shares @ profiles.T
    values[~shares.any(axis=1), :] = np.nan
    values[:, ~profiles.any(axis=1)] = np.nan
    return values


class Importance(NamedTuple):
    """What one full share of a theme earns in each district.

    Attributes
    ----------
    ids
        District identifiers, sorted.
    importance
        Districts × layers × themes: layer weight × need weight ÷ length of the layer, rounded down to 2⁻²⁶.
    layer_weights
        Districts × layers: weights renormalised over the layers the district has; 0 for the others.
    positions
        Position (district, layer, theme) of each row of the needs.
    """

    ids: pd.Index[str]
    importance: NDArray[np.float64]
    layer_weights: NDArray[np.float64]
    positions: tuple[NDArray[np.intp], ...]

    def on(self, districts: pd.Index[str]) -> NDArray[np.float64]:
        """Return what a full share of each theme earns in `districts` (rows), all layers added; 0 for one unheard."""
        return aligned(self.importance.sum(axis=1), self.ids, axis=districts)


def importance(needs: pd.DataFrame, *, layer_weights: Mapping[str, float] | None = None) -> Importance:
    """Return how much one full share of each theme earns in each layer of each district.

    Parameters
    ----------
    needs, layer_weights
        See `score`.
    """
    weights = checked_layer_weights(LAYER_WEIGHTS if layer_weights is None else layer_weights)
    axes = {"layer": LAYERS, "theme": THEMES}
    cells = share_cells(needs, ids="district_id", value="weight", what="Besoins", axes=axes)
    lengths = np.sqrt((cells.shares**2).sum(axis=2))
    wanted = (lengths > 0) * np.array(list(weights.values()))
    kept = wanted / _or_one(wanted.sum(axis=1, keepdims=True))
    directions = cells.shares / _or_one(lengths)[:, :, None]
    return Importance(cells.ids, _floored(kept[:, :, None] * directions, _IMPORTANCE_STEPS), kept, cells.positions)


def strengths(offers: pd.DataFrame) -> Cells:
    """Return `offers` as projects × themes, strengths rounded down to 2⁻²⁴ as the score uses them."""
    cells = share_cells(offers, ids="project_id", value="strength", what="Offres", axes={"theme": THEMES})
    return cells._replace(shares=_floored(cells.shares, _STRENGTH_STEPS))


def _or_one(divisors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `divisors` with 1 in place of 0: what they divide is 0 as well."""
    return np.where(divisors > 0, divisors, 1.0)


def _floored(values: NDArray[np.float64], steps: float) -> NDArray[np.float64]:
    """Return `values` rounded down to whole multiples of 1 / `steps`."""
    floored: NDArray[np.float64] = np.floor(values * steps + _SLACK) / steps
    return floored


def _axis(ids: Iterable[str], name: str, *, what: str) -> pd.Index[str]:
    """Return `ids` sorted as one axis of the matrix, or raise `InputError` for missing or repeated ones."""
    axis: pd.Index[str] = pd.Index(list(ids), name=name, dtype="str")
    require_ids(axis, what=what)
    return axis.sort_values()
