"""How far does a walk of so many minutes go, to the last metre of street, and what does it look like?

A `Catchment` holds the nodes reached and the part of each edge walked when the time is up, so that its length of
streets is exact. Its polygon is for drawing only: a width is given to the streets, or a cell to each node of open
ground, and what would spill over a barrier is cut off. It counts nobody: people are summed on nodes or in zones by
the callers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import InputError, shown
from geo_qmi.network.closest import reached
from geo_qmi.network.reach import limit_of
from geo_qmi.network.snapping import walls_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo_qmi.network.ground import Ground

#: Half-width drawn on each side of a street: its pavements and the fronts of its buildings.
STREET_HALF_WIDTH_M = 25.0
#: What is cut off along a line barrier when a catchment is drawn: enough for the two sides not to touch.
_GAP_M = 0.5


@dataclass(frozen=True, eq=False)
class Catchment:
    """What a walk of so many minutes reaches from one place, or from the nearest of several.

    Attributes
    ----------
    ground
        The ground walked on.
    minutes
        Time allowed.
    limit
        The same in the units of ``ground.cost``.
    nodes
        Index: node reached; ``site``, ``minutes``, ``metres`` and, on slopes, ``climb_m``.
    """

    ground: Ground
    minutes: float
    limit: float
    nodes: pd.DataFrame

    @cached_property
    def edges(self) -> pd.DataFrame:
        """Edges walked at least in part: ``from_start`` and ``from_end``, share walked from each end (0–1, together 1).

        Worked out when asked for: open ground is drawn by its nodes.
        """
        label = np.full(self.ground.n_nodes, np.inf)
        label[self.nodes.index] = self.nodes[_unit(self.ground)]
        return _walked(self.ground, label, limit=self.limit)

    @property
    def length_m(self) -> float:
        """Metres of streets or links walked, partial edges included."""
        share = self.edges["from_start"] + self.edges["from_end"]
        return float((share * self.ground.edge_metres[self.edges.index]).sum())

    def lines(self) -> NDArray[np.object_]:
        """Return the walked parts as lines in EPSG:2154."""
        whole = self.ground.lines(self.edges.index.to_numpy())
        start, end = (self.edges[name].to_numpy() for name in ("from_start", "from_end"))
        full = start + end >= 1 - 1e-12
        # ops.substring has no vectorised form: only the edges at the limit, few, go through it.
        parts = [_part(line, 0, share) for line, share in zip(whole[~full], start[~full], strict=True) if share > 0]
        parts += [_part(line, 1 - share, 1) for line, share in zip(whole[~full], end[~full], strict=True) if share > 0]
        return np.array([*whole[full], *parts], dtype=object)

    def polygon(self, *, half_width_m: float = STREET_HALF_WIDTH_M) -> shapely.Geometry:
        """Return an outline to draw: streets with a width, or cells of open ground, never across a barrier.

        Parameters
        ----------
        half_width_m
            Width drawn on each side of a street; open ground uses half its cell instead.
        """
        if self.ground.kind == "open":
            xy = self.ground.xy[self.nodes.index]
            drawn = shapely.union_all(_columns(xy, self.ground.cell_m))
        else:
            kept = self.lines()
            drawn = shapely.union_all(shapely.buffer(kept, half_width_m, quad_segs=4))
        walls = walls_of(self.ground)
        near = walls.tree.query(drawn, predicate="intersects") if len(walls.shapes) else []
        if not len(near):
            return drawn
        gap = shapely.union_all(shapely.buffer(walls.shapes[near], _GAP_M, cap_style="square"))
        pieces = shapely.get_parts(shapely.difference(drawn, gap))
        if self.ground.kind == "open":
            shapely.prepare(pieces)
            walked = np.flatnonzero([shapely.intersects_xy(piece, *xy.T).any() for piece in pieces])
        else:
            walked = np.unique(shapely.STRtree(np.atleast_1d(kept)).query(pieces, predicate="intersects")[0])
        return shapely.union_all(pieces[walked])


def catchment(
    ground: Ground, sources: pd.DataFrame | Sequence[int], *, minutes: float | None = None, metres: float | None = None
) -> Catchment:
    """Return what is reached on foot from a place, or from the nearest of several.

    Parameters
    ----------
    sources
        Result of `geo_qmi.network.snap`, or node numbers.
    minutes, metres
        Time allowed, or length on the flat: one of the two.

    Raises
    ------
    InputError
        Neither or both limits are given, or no source is joined to the ground.
    """
    if (minutes is None) == (metres is None):
        raise InputError("Donnez une durée en minutes ou une longueur en mètres, une seule des deux.")
    if metres is not None and not (np.isfinite(metres) and metres >= 0):
        raise InputError(f"Longueur de marche refusée : « {shown(metres)} » ; attendu un nombre de mètres, 0 ou plus.")
    allowed = metres / ground.walk_m_min if minutes is None and metres is not None else float(minutes or 0)
    # A length is handed over as it is: through minutes it could come back one bit short of the node at the limit.
    limit = metres if metres is not None and ground.minutes is None else limit_of(ground, allowed)
    limit_of(ground, allowed)
    found = reached(ground, sources, minutes=np.nextafter(allowed, np.inf), limit=limit)
    return Catchment(ground, allowed, float(limit), found)


def catchments(
    ground: Ground, sources: pd.DataFrame | Sequence[int], *, minutes: Sequence[float]
) -> list[Catchment]:  # fmt: skip
    """Return what is reached in each of several times, as `catchment` does, all from one search."""
    longest = catchment(ground, sources, minutes=max(minutes))
    label = longest.nodes[_unit(ground)].to_numpy()
    limits = [limit_of(ground, allowed) for allowed in minutes]
    return [
        Catchment(ground, allowed, limit, longest.nodes[label <= limit])
        for allowed, limit in zip(minutes, limits, strict=True)
    ]


def _unit(ground: Ground) -> str:
    """Return the column of `geo_qmi.network.nearest` that a search on this ground minimises."""
    return "metres" if ground.minutes is None else "minutes"


def _walked(ground: Ground, label: NDArray[np.float64], *, limit: float) -> pd.DataFrame:
    """Return the share of each edge walked from its start and from its end."""
    start = np.repeat(np.arange(ground.n_nodes), np.diff(ground.metres.indptr))
    cost, length = ground.cost.data, ground.metres.data
    here = np.flatnonzero(np.isfinite(label[start]))
    share = np.ones(len(here))
    left = limit - label[start[here]]
    np.divide(left, cost[here], out=share, where=cost[here] > left)
    edge = ground.edge[here]
    forwards = ground.ends[edge, 0] == start[here]
    counted = length[here] > 0
    shares = np.zeros((len(ground.ends), 2))
    shares[edge[counted], np.where(forwards, 0, 1)[counted]] = share[counted]
    rows = np.flatnonzero(shares.any(axis=1))
    walked = shares[rows]
    # Where both ends overlap, the second only brings what is left.
    walked[:, 1] = np.minimum(walked[:, 1], 1 - walked[:, 0])
    return pd.DataFrame(walked, index=pd.Index(rows, name="edge"), columns=["from_start", "from_end"])


def _columns(xy: NDArray[np.float64], cell_m: float) -> NDArray[np.object_]:
    """Return the cells around nodes, those that follow one another northwards in one rectangle."""
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    x, y = xy[order].T
    breaks = (np.diff(x) != 0) | (np.diff(y) > 1.5 * cell_m)
    # A walk too short for any node has no cell at all.
    first, last = (np.append(True, breaks), np.append(breaks, True)) if len(x) else (x > 0, x > 0)
    half = cell_m / 2
    boxes = shapely.box(x[first] - half, y[first] - half, x[first] + half, y[last] + half)
    return np.asarray(boxes, dtype=object)


def _part(line: shapely.LineString, first: float, last: float) -> shapely.LineString:
    """Return the part of a line between two shares of its length."""
    from shapely.ops import substring

    return substring(line, first, last, normalized=True)
