"""What can be walked on, as numbers?

A `Ground` is a set of nodes in Lambert-93 metres, numbered along a Hilbert curve so that neighbours are near in
memory, and a sparse matrix of walking lengths between them. The two builders (`streets`, `open_ground`) and
`from_edges` make one; the searches of `geo_qmi.network.reach` read it. A ground is never changed: opening a crossing
or closing an edge gives another one. It knows no table of the study and chooses no route.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from geo_qmi.errors import CrsError, InputError
from geo_qmi.network.speeds import WALK_KMH, metres_a_minute, slope_factor
from geo_qmi.wording import agreed, counted, number

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

Kind = Literal["streets", "open"]
Derived = TypeVar("Derived")

#: Bits of each axis of the Hilbert curve: squares of 40 m over Île-de-France, about one node each. They are looked up
#: a few at a time, in a table that stays in the cache.
_HILBERT_BITS, _TABLE_BITS = 12, 4


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Something that can be walked on.

    Attributes
    ----------
    kind
        ``streets`` or ``open`` (open ground with barriers).
    label
        French words for the map and every figure: which ground was used.
    xy
        Nodes, metres in EPSG:2154, shape (n, 2), in the order of a Hilbert curve.
    given
        Row of each node in the arrays the ground was built from.
    metres
        Walking lengths, CSR of shape (n, n), both directions of each edge stored.
    edge
        Edge of each stored value of `metres`: row of `edges`.
    edges
        One row an edge: ``level`` (0 on the ground), ``line`` (row in the line layer, −1 when there is none),
        ``steps``, ``crossing`` (row in `links` of the declared crossing it belongs to, −1 when none).
    bends
        Offsets (one more than edges) and points of the bends between the two ends of each edge, in the direction
        start → end of `ends`; ``None`` when every edge is straight.
    ends
        Start and end node of each edge, shape (n_edges, 2).
    walk_m_min
        Walking speed on the flat, metres a minute.
    minutes
        Walking times aligned with ``metres.data``, when slopes are known; ``None`` when the speed is one everywhere.
    heights_m
        Height of each node, NaN where unknown; ``None`` when no height is known.
    barriers
        What may not be crossed when a place is joined to the ground.
    links
        Declared crossings: opened ones, and refused ones with their reason.
    refused
        Lines that cannot be walked, with their reason.
    cell_m
        Grid step of open ground; NaN for streets.
    notes
        French sentences on what was found while building.
    """

    kind: Kind
    label: str
    xy: NDArray[np.float64]
    given: NDArray[np.int32]
    metres: csr_array
    edge: NDArray[np.int32]
    edges: pd.DataFrame
    ends: NDArray[np.int32]
    walk_m_min: float
    bends: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None
    minutes: NDArray[np.float64] | None = None
    heights_m: NDArray[np.float64] | None = None
    barriers: gpd.GeoDataFrame | None = None
    links: pd.DataFrame | None = None
    refused: pd.DataFrame | None = None
    cell_m: float = np.nan
    notes: tuple[str, ...] = ()
    _derived: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def derived(self, key: Hashable, build: Callable[[], Derived]) -> Derived:
        """Return what `build` makes of this ground and of `key` alone, made once: a ground never changes."""
        if key not in self._derived:
            self._derived[key] = build()
        found: Derived = self._derived[key]
        return found

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.xy)

    @property
    def cost(self) -> csr_array:
        """Matrix the searches minimise: minutes where slopes are known, else metres."""
        if self.minutes is None:
            return self.metres
        return csr_array((self.minutes, self.metres.indices, self.metres.indptr), shape=self.metres.shape)

    @property
    def cost_a_minute(self) -> float:
        """Units of `cost` in one minute of walking on the flat."""
        return self.walk_m_min if self.minutes is None else 1.0

    @property
    def edge_metres(self) -> NDArray[np.float64]:
        """Walking length of each edge."""
        return self.derived("edge_metres", self._edge_metres)

    def _edge_metres(self) -> NDArray[np.float64]:
        lengths = np.zeros(len(self.ends))
        lengths[self.edge] = self.metres.data
        return lengths

    def steps_between(self, start: NDArray[np.integer], end: NDArray[np.integer]) -> NDArray[np.intp]:
        """Return the place in ``metres.data`` of each step from a node to a neighbour."""
        return np.searchsorted(self.derived("steps", self._steps), start.astype(np.int64) * self.n_nodes + end)

    def _steps(self) -> NDArray[np.int64]:
        start = np.repeat(np.arange(self.n_nodes, dtype=np.int64), np.diff(self.metres.indptr))
        return np.asarray(start * self.n_nodes + self.metres.indices)

    def nodes_given(self) -> NDArray[np.int32]:
        """Return the node of each row of the arrays the ground was built from."""
        node = np.empty_like(self.given)
        node[self.given] = np.arange(len(self.given), dtype=np.int32)
        return node

    def islands(self) -> pd.Series[int]:
        """Return the number of nodes of the island of each node: parts that no edge joins to one another."""
        _, label = connected_components(self.metres, directed=False)
        return pd.Series(np.bincount(label)[label], name="island_nodes")

    def lines(self, edges: NDArray[np.intp] | None = None) -> NDArray[np.object_]:
        """Return edges as lines in EPSG:2154, all of them by default."""
        chosen = np.arange(len(self.ends)) if edges is None else np.asarray(edges)
        offsets = np.zeros(1 + len(self.ends), np.int64) if self.bends is None else self.bends[0]
        inside = offsets[chosen + 1] - offsets[chosen]
        counts = inside + 2
        first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64) if len(chosen) else np.zeros(0, np.int64)
        points = np.empty((int(counts.sum()), 2))
        points[first] = self.xy[self.ends[chosen, 0]]
        points[first + counts - 1] = self.xy[self.ends[chosen, 1]]
        if self.bends is not None:
            target = np.ones(len(points), dtype=bool)
            target[first] = target[first + counts - 1] = False
            points[target] = self.bends[1][ranges(offsets[chosen], inside)]
        lines = shapely.linestrings(points, indices=np.repeat(np.arange(len(chosen)), counts))
        return np.asarray(lines, dtype=object).reshape(len(chosen))


def from_edges(
    xy: ArrayLike,
    ends: ArrayLike,
    *,
    length_m: ArrayLike | None = None,
    edges: pd.DataFrame | None = None,
    bends: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None,
    kind: Kind = "streets",
    label: str = "réseau fourni",
    walk_kmh: float = WALK_KMH,
) -> Ground:
    """Return the ground made of nodes and undirected edges.

    Parameters
    ----------
    xy
        Nodes in EPSG:2154 metres, shape (n, 2).
    ends
        Start and end row of each edge in `xy`, shape (m, 2).
    length_m
        Walking length of each edge; straight when absent.
    edges
        Attributes of the edges, see `Ground`.
    bends
        Offsets and points of the bends of each edge, see `Ground`.
    label
        French words shown with every figure.
    walk_kmh
        Walking speed on the flat.

    Raises
    ------
    InputError
        Coordinates or lengths that are missing, infinite or negative, or an edge that ends nowhere.
    CrsError
        Coordinates in degrees.

    Examples
    --------
    >>> ground = from_edges([(650000, 6860000), (650050, 6860000)], [(0, 1)])
    >>> ground.n_nodes, ground.metres.data.tolist()
    (2, [50.0, 50.0])
    """
    points, given = _checked(xy, ends)
    sides = (side[given[:, 0]] - side[given[:, 1]] for side in points.T.copy())  # column by column, as in `hilbert`
    lengths = np.hypot(*sides) if length_m is None else _lengths(length_m)
    if len(lengths) != len(given):
        raise InputError(
            f"Réseau refusé : {number(len(lengths))} longueurs pour {number(len(given))} tronçons ; attendu autant."
        )
    table = edge_table(len(given)) if edges is None else edges
    order = _along_the_curve(points)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    pairs = rank[given]
    notes: list[str] = []
    kept = _worth_keeping(pairs, lengths, notes)
    if kept is not None:
        pairs, lengths, table = pairs[kept], lengths[kept], table[kept].reset_index(drop=True)
        bends = None if bends is None else _kept_bends(bends, kept)
    metres, edge = _matrix(pairs, lengths, n_nodes=len(points))
    return Ground(
        kind=kind,
        label=label,
        xy=points.take(order, axis=0),
        given=order,
        metres=metres,
        edge=edge,
        edges=table,
        ends=pairs,
        walk_m_min=metres_a_minute(walk_kmh),
        bends=bends,
        notes=tuple(notes),
    )


def with_heights(ground: Ground, heights_m: ArrayLike) -> Ground:
    """Return the ground with a walking time that depends on the slope.

    Parameters
    ----------
    heights_m
        Height of each node of ``ground.xy``; NaN where unknown (the edges there are walked as on the flat).

    Returns
    -------
    Ground
        Times follow `geo_qmi.network.speeds.slope_factor`; up and down differ.
    """
    heights = np.asarray(heights_m, dtype=np.float64)
    if heights.shape != (ground.n_nodes,):
        raise InputError(
            f"Altitudes refusées : {number(heights.size)} pour {number(ground.n_nodes)} nœuds ; attendu autant."
        )
    start = np.repeat(np.arange(ground.n_nodes), np.diff(ground.metres.indptr))
    length = ground.metres.data
    climb = heights[ground.metres.indices] - heights[start]
    slope = np.divide(climb, length, out=np.zeros_like(length), where=length > 0)
    minutes = length / (ground.walk_m_min * slope_factor(slope))
    unknown = int(np.isnan(heights).sum())
    note = f"{counted(unknown, 'nœud')} sans altitude : {agreed(unknown, 'compté')} comme du plat."
    return replace(ground, minutes=minutes, heights_m=heights, notes=(*ground.notes, *[note] * (unknown > 0)))


def without_edges(ground: Ground, edges: ArrayLike) -> Ground:
    """Return the ground without some edges, given by their rows in ``ground.edges``; nodes keep their numbers."""
    kept = np.ones(len(ground.ends), dtype=bool)
    kept[np.asarray(edges, dtype=np.intp)] = False
    bends = None if ground.bends is None else _kept_bends(ground.bends, kept)
    return _rebuilt(
        ground, ends=ground.ends[kept], lengths=ground.edge_metres[kept], edges=ground.edges[kept], bends=bends
    )


def with_edges(
    ground: Ground,
    *,
    xy: NDArray[np.float64],
    ends: NDArray[np.int32],
    length_m: NDArray[np.float64],
    edges: pd.DataFrame,
) -> Ground:
    """Return the ground with nodes `xy` added at the end and straight `edges` between any nodes."""
    grown = replace(
        ground,
        xy=np.vstack([ground.xy, xy]),
        given=np.append(ground.given, np.arange(len(xy), dtype=np.int32) + np.int32(len(ground.given))),
        heights_m=None if ground.heights_m is None else np.concatenate([ground.heights_m, np.full(len(xy), np.nan)]),
    )
    bends = None
    if ground.bends is not None:
        bends = (np.concatenate([ground.bends[0], np.full(len(ends), ground.bends[0][-1])]), ground.bends[1])
    return _rebuilt(
        grown,
        ends=np.vstack([ground.ends, ends]).astype(np.int32),
        lengths=np.concatenate([ground.edge_metres, length_m]),
        edges=pd.concat([ground.edges, edges], ignore_index=True),
        bends=bends,
    )


def _along_the_curve(xy: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the rows of points in the order of a Hilbert curve, those in one square by row."""
    # Place and row in one number: sorting numbers is nine times faster than asking for the order of places.
    both = (hilbert(xy).astype(np.uint64) << 32) | np.arange(len(xy), dtype=np.uint64)
    both.sort()
    return both.astype(np.uint32).astype(np.int32)


def hilbert(xy: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Return the place of each point on a Hilbert curve drawn over their bounding square.

    Examples
    --------
    >>> hilbert(np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=float)).argsort().tolist()
    [0, 3, 2, 1]
    """
    if not len(xy):
        return np.zeros(0, np.uint32)
    # Column by column: reducing an (n, 2) array along its short axis is ten times slower.
    across, up = (np.ascontiguousarray(xy[:, axis]) for axis in (0, 1))
    scale = (2**_HILBERT_BITS - 1) / max(float(np.ptp(across)), float(np.ptp(up)), 1e-9)
    y, x = (((side - side.min()) * scale).astype(np.uint32) for side in (across, up))
    place, turned = np.zeros(len(xy), np.uint32), np.zeros(len(xy), np.uint32)
    steps, turns = _quadrants()
    for shift in range(_HILBERT_BITS - _TABLE_BITS, -1, -_TABLE_BITS):
        low = np.uint32(2**_TABLE_BITS - 1)
        found = (((turned << _TABLE_BITS) | ((x >> shift) & low)) << _TABLE_BITS) | ((y >> shift) & low)
        place = (place << 2 * _TABLE_BITS) | steps[found]
        turned = turns[found]
    return place


def _quadrants() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the place on the curve of each square of a small grid, and how the curve is turned inside that square.

    Both by way the curve is turned (0–3: axes exchanged or not, then mirrored or not), column and row.
    """
    cells = np.arange(4 << 2 * _TABLE_BITS, dtype=np.uint32)
    turned, x, y = cells >> 2 * _TABLE_BITS, (cells >> _TABLE_BITS) % 2**_TABLE_BITS, cells % 2**_TABLE_BITS
    swap, mirror = turned & 1, turned >> 1
    place = np.zeros(len(cells), np.uint32)
    for bit in range(_TABLE_BITS - 1, -1, -1):
        a, b = ((x >> bit) & 1) ^ mirror, ((y >> bit) & 1) ^ mirror
        rx, ry = np.where(swap == 1, b, a), np.where(swap == 1, a, b)
        place = (place << 2) | ((3 * rx) ^ ry)
        # The lower quadrants are drawn along the other diagonal: mirror, then exchange the axes.
        mirror ^= rx & (1 - ry)
        swap ^= 1 - ry
    return place, ((mirror << 1) | swap).astype(np.uint32)


def _rebuilt(
    ground: Ground,
    *,
    ends: NDArray[np.int32],
    lengths: NDArray[np.float64],
    edges: pd.DataFrame,
    bends: tuple[NDArray[np.int64], NDArray[np.float64]] | None,
) -> Ground:
    """Return the ground with another set of edges, slopes taken again."""
    metres, edge = _matrix(ends, lengths, n_nodes=ground.n_nodes)
    table = edges.reset_index(drop=True)
    rebuilt = replace(ground, metres=metres, edge=edge, edges=table, ends=ends, bends=bends, minutes=None)
    return rebuilt if ground.minutes is None or ground.heights_m is None else with_heights(rebuilt, ground.heights_m)


def _checked(xy: ArrayLike, ends: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return nodes and edges as arrays, refused when they cannot be those of a network in metres."""
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    pairs = np.asarray(ends, dtype=np.int64).reshape(-1, 2)
    if not len(points):
        raise InputError("Réseau refusé : aucun nœud. Donnez au moins une ligne praticable à pied.")
    if not np.isfinite(points).all():
        rows = np.flatnonzero(~np.isfinite(points).all(axis=1))
        raise InputError(f"Réseau refusé : coordonnées absentes ou infinies aux nœuds {first_rows(rows)}.")
    if (np.abs(points) <= (180, 90)).all() and len(points) > 1:
        raise CrsError(
            "Réseau refusé : les coordonnées ressemblent à des degrés ; attendu des mètres en EPSG:2154 (Lambert-93). "
            "Reprojetez d’abord avec geo_qmi.to_metres."
        )
    if len(pairs) and not 0 <= pairs.min() <= pairs.max() < len(points):
        wrong = np.flatnonzero(((pairs < 0) | (pairs >= len(points))).any(axis=1))
        raise InputError(
            f"Réseau refusé : un bout inconnu aux tronçons {first_rows(wrong)} ({number(len(points))} nœuds donnés)."
        )
    return points, pairs


def _lengths(length_m: ArrayLike) -> NDArray[np.float64]:
    """Return lengths, refused when one is missing, infinite or negative."""
    lengths = np.asarray(length_m, dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(lengths) & (lengths >= 0)))
    if len(wrong):
        raise InputError(
            f"Réseau refusé : longueur absente, infinie ou négative aux tronçons {first_rows(wrong)} "
            f"({number(len(wrong))} en tout) ; attendu des mètres, 0 ou plus."
        )
    return lengths


def _worth_keeping(
    pairs: NDArray[np.int32], lengths: NDArray[np.float64], notes: list[str]
) -> NDArray[np.bool_] | None:
    """Return the edges that can change a distance, or ``None`` for all; say what is left out."""
    loop = pairs[:, 0] == pairs[:, 1]
    kept = ~loop
    if loop.any():
        back = counted(int(loop.sum()), "tronçon")
        notes.append(f"{back} revenant au point de départ : sans effet sur les distances.")
    zero = int((kept & (lengths == 0)).sum())
    if zero:
        kept_words = f"{agreed(zero, 'gardé')}, {agreed(zero, 'parcouru')} en un temps nul"
        notes.append(f"{counted(zero, 'tronçon')} de longueur nulle : {kept_words}.")
    low, high = np.minimum(pairs[:, 0], pairs[:, 1]), np.maximum(pairs[:, 0], pairs[:, 1])
    key = low.astype(np.int64) * (int(pairs.max(initial=0)) + 1) + high
    by_length = np.lexsort((lengths, key)) if _repeats(key) else None
    if by_length is not None:
        again = np.zeros(len(key), dtype=bool)
        again[by_length[1:]] = key[by_length[1:]] == key[by_length[:-1]]
        again &= kept
        kept &= ~again
        if again.any():
            notes.append(
                f"{counted(int(again.sum()), 'tronçon')} doublant un autre entre les deux mêmes nœuds : le plus court "
                "est gardé."
            )
    return None if kept.all() else kept


def _repeats(key: NDArray[np.int64]) -> bool:
    """Tell whether an array has equal values."""
    ordered = np.sort(key)
    return bool((ordered[1:] == ordered[:-1]).any())


def _matrix(
    pairs: NDArray[np.int32], lengths: NDArray[np.float64], *, n_nodes: int
) -> tuple[csr_array, NDArray[np.int32]]:
    """Return the CSR matrix of both directions of the edges, and the edge of each stored value."""
    row, column = pairs.T.reshape(-1), pairs[:, ::-1].T.reshape(-1)
    number = np.tile(np.arange(len(pairs), dtype=np.int32), 2)
    stored = coo_array((number, (row, column)), shape=(n_nodes, n_nodes))
    # scipy would add the values of repeated places; there are none left, and edge numbers must not be added.
    stored.has_canonical_format = True
    csr = stored.tocsc().tocsr()  # by column, then by row: in order within each row without sorting any
    edge = csr.data
    metres = csr_array((lengths[edge], csr.indices, csr.indptr), shape=(n_nodes, n_nodes))
    metres.has_sorted_indices = True
    return metres, edge


def edge_table(
    n_edges: int,
    *,
    level: ArrayLike = 0,
    line: ArrayLike = -1,
    steps: ArrayLike = False,
    crossing: ArrayLike = -1,
) -> pd.DataFrame:
    """Return the attributes of edges as `Ground` keeps them: scalars are repeated."""
    return pd.DataFrame(
        {
            "level": np.broadcast_to(np.asarray(level, np.int8), n_edges).copy(),
            "line": np.broadcast_to(np.asarray(line, np.int32), n_edges).copy(),
            "steps": np.broadcast_to(np.asarray(steps, bool), n_edges).copy(),
            "crossing": np.broadcast_to(np.asarray(crossing, np.int32), n_edges).copy(),
        }
    )


def _kept_bends(
    bends: tuple[NDArray[np.int64], NDArray[np.float64]], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the bends of the edges kept."""
    counts = np.diff(bends[0])
    return np.concatenate([[0], np.cumsum(counts[kept])]), bends[1][np.repeat(kept, counts)]


def ranges(first: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``first[i], first[i] + 1, …`` for each i, `counts[i]` of them, end to end."""
    total = int(counts.sum())
    shift = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) if len(counts) else first
    return np.asarray(np.arange(total) + shift, dtype=np.int64)


def first_rows(rows: NDArray[np.intp]) -> str:
    """Return the first five row numbers as words."""
    return ", ".join(str(row) for row in rows[:5]) + ("…" if len(rows) > 5 else "")
