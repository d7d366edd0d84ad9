"""Which streets and paths make the walking network, and where do they meet?

Turns a layer of lines with tags (OpenStreetMap words, see `geo_qmi.sources.streets` for other publishers) into a
`Ground`. Lines meet where they share a vertex at the same level; a bridge, a tunnel or a slab does not meet what it
passes over, but a line that *ends* on a vertex is an abutment and meets what is there. Lines that cannot be walked
are listed with their reason. Nothing is read from a file here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import InputError
from geo_qmi.geo import require_metres
from geo_qmi.network.crossings import open_crossings
from geo_qmi.network.ground import edge_table, from_edges, with_heights
from geo_qmi.network.noding import noded
from geo_qmi.network.speeds import WALK_KMH
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo_qmi.network.ground import Ground

#: Values of `foot` and `access` that let a walker in, or keep one out. `foot` is said of walkers and wins.
_OPEN = frozenset({"yes", "designated", "permissive", "destination", "public", "customers"})
_SHUT = frozenset({"no", "private", "use_sidepath", "agricultural", "forestry", "military"})
#: Values of `highway` that are no way for a walker unless `foot` says so.
_NO_WALK = frozenset(
    {
        "motorway",
        "motorway_link",
        "trunk",
        "trunk_link",
        "construction",
        "proposed",
        "raceway",
        "bus_guideway",
        "busway",
        "abandoned",
        "razed",
        "no",
    }
)
_LEVEL = re.compile(r"[-−+]?\d+")
#: Two vertices closer than this are one: below any survey, above the noise of a change of coordinate system.
_SAME_M = 0.001


def streets(  # noqa: PLR0913 - one keyword for each way a street layer can differ
    lines: gpd.GeoDataFrame,
    *,
    barriers: gpd.GeoDataFrame | None = None,
    crossings: gpd.GeoDataFrame | None = None,
    noding: bool = False,
    step_free: bool = False,
    slopes: bool = False,
    max_edge_m: float = 60.0,
    walk_kmh: float = WALK_KMH,
    label: str = "réseau des rues et chemins fourni",
) -> Ground:
    """Return the walking network of a layer of lines.

    Parameters
    ----------
    lines
        Lines in EPSG:2154, with any of the columns ``highway``, ``foot``, ``access``, ``steps``, ``bridge``,
        ``tunnel``, ``level`` or ``layer``.
    barriers
        What a place may not jump over when it joins the network. The streets themselves are not cut: see
        `geo_qmi.network.phantom_bridges` for those that cross a barrier undeclared.
    crossings
        Declared crossings to add as links.
    noding
        Lines that cross in the drawing at the same level meet there (a layer drawn without topology).
    step_free
        Leave stairs out.
    slopes
        Take walking times from the heights of the vertices, where the lines have them.
    max_edge_m
        Longer edges are split, so that a place joins the street in front of it and not its far corner.
    walk_kmh
        Walking speed on the flat.
    label
        French words shown with every figure.

    Raises
    ------
    CrsError
        The lines are not in Lambert-93.
    InputError
        No line can be walked.
    """
    require_metres(lines, what="les rues")
    if not max_edge_m > 0:
        raise InputError(f"Longueur de découpage refusée : {number(max_edge_m)} m ; attendu un nombre positif.")
    why = walkable(lines, step_free=step_free)
    kept = np.flatnonzero((why == "").to_numpy())
    if not len(kept):
        common = why.mode().iloc[0] if len(why) else "la couche est vide"
        raise InputError(
            f"Aucune des {number(len(lines))} lignes ne se parcourt à pied (raison la plus fréquente : {common})."
        )
    parts, part_line = shapely.get_parts(np.asarray(lines.geometry, dtype=object)[kept], return_index=True)
    low, high = levels(lines)
    line = kept[part_line]
    if noding:
        parts = noded(parts, low=low[line], high=high[line])
    drawn = _Drawn.of(parts, line=line, low=low, high=high, max_edge_m=max_edge_m)
    ground = _assembled(drawn, lines, low=low, max_edge_m=max_edge_m, walk_kmh=walk_kmh, label=label)
    refused = pd.DataFrame({"line": lines.index, "reason": why.to_numpy()})
    refused = refused[refused["reason"] != ""].reset_index(drop=True)
    ground = replace(ground, barriers=barriers, refused=refused, notes=(*ground.notes, *_notes(ground, refused)))
    if slopes:
        ground = with_heights(ground, drawn.heights_of(ground))
    return ground if crossings is None else open_crossings(ground, crossings)


def walkable(lines: gpd.GeoDataFrame, *, step_free: bool = False) -> pd.Series[str]:
    """Return why each line cannot be walked, in French; ``""`` when it can.

    Examples
    --------
    >>> import geopandas as gpd
    >>> rows = {"highway": ["footway", "motorway", "service"], "access": [None, None, "private"]}
    >>> there = shapely.linestrings([[(0, 0), (9, 0)]] * 3)
    >>> walkable(gpd.GeoDataFrame(rows, geometry=there, crs=2154)).tolist()
    ['', 'voie interdite aux piétons : motorway', 'accès fermé : private']
    """
    shapes = np.asarray(lines.geometry, dtype=object)
    why = np.full(len(lines), "", dtype=object)
    foot, access = _tag(lines, "foot"), _tag(lines, "access")
    welcome = np.isin(foot, list(_OPEN))
    if "highway" in lines:
        highway = _tag(lines, "highway")
        shut = np.isin(highway, [*_NO_WALK, ""]) & ~welcome
        why[shut] = [f"voie interdite aux piétons : {h}" if h else "ni rue ni chemin" for h in highway[shut]]
    closed = np.isin(access, list(_SHUT)) & ~welcome
    why[closed] = "accès fermé : " + access[closed]
    closed = np.isin(foot, list(_SHUT))
    why[closed] = "interdit aux piétons : " + foot[closed]
    if step_free:
        why[is_steps(lines) & (why == "")] = "escalier"
    dimension = shapely.get_dimensions(shapes)
    why[(dimension == 1) & (shapely.length(shapes) <= _SAME_M)] = "longueur nulle"
    why[(dimension != 1) & (dimension >= 0)] = "ce n’est pas une ligne"
    why[shapely.is_missing(shapes) | shapely.is_empty(shapes)] = "aucune géométrie"
    return pd.Series(why, index=lines.index, dtype="str", name="reason")


def levels(lines: gpd.GeoDataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lowest and the highest level of each line.

    The column ``level``, else ``layer``, is read as one or several whole numbers (``0;1`` is a ramp or a staircase);
    where it is empty a bridge is on level 1, a tunnel on −1 (a passage through a building stays on the ground), the
    rest on 0.
    """
    bridge, tunnel = _tag(lines, "bridge"), _tag(lines, "tunnel")
    low = np.zeros(len(lines), np.int64)
    low[~np.isin(bridge, ["", "no", "0", "false"])] = 1
    low[~np.isin(tunnel, ["", "no", "0", "false", "building_passage"])] = -1
    high = low.copy()
    for row, text in enumerate(np.where(_tag(lines, "level") != "", _tag(lines, "level"), _tag(lines, "layer"))):
        numbers = [int(found.replace("−", "-")) for found in _LEVEL.findall(text.removesuffix(".0"))] if text else []
        if numbers:
            low[row], high[row] = min(numbers), max(numbers)
    return low, high


def is_steps(lines: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which lines are stairs."""
    return np.asarray((_tag(lines, "highway") == "steps") | ~np.isin(_tag(lines, "steps"), ["", "no", "false", "0"]))


def _tag(lines: gpd.GeoDataFrame, name: str) -> NDArray[np.object_]:
    """Return a tag as lower-case text, ``""`` where it is missing or absent."""
    if name not in lines:
        return np.full(len(lines), "", dtype=object)
    text = lines[name].astype(object).where(lines[name].notna(), "").astype(str)
    return np.asarray(text.str.strip().str.lower(), dtype=object)


class _Drawn:
    """The vertices of the lines end to end, the number under which each meets others, and which are kept as nodes."""

    def __init__(
        self, xy: NDArray[np.float64], z: NDArray[np.float64], part: NDArray[np.intp], line: NDArray[np.intp]
    ) -> None:
        self.xy, self.z, self.part, self.line = xy, z, part, line
        self.first = np.concatenate([[True], part[1:] != part[:-1]])
        self.last = np.concatenate([part[1:] != part[:-1], [True]])
        step = np.hypot(*(xy[1:] - xy[:-1]).T)
        self.along = np.concatenate([[0.0], np.cumsum(np.where(self.first[1:], 0.0, step))])
        self.node = np.zeros(len(xy), np.int64)
        self.kept = np.ones(len(xy), dtype=bool)

    @classmethod
    def of(
        cls,
        parts: NDArray[np.object_],
        *,
        line: NDArray[np.intp],
        low: NDArray[np.int64],
        high: NDArray[np.int64],
        max_edge_m: float,
    ) -> _Drawn:
        """Return the vertices of `parts`, each numbered so that vertices that meet have one number.

        Long segments get vertices of ours, which meet nobody: two streets that cross without a common vertex stay
        apart.
        """
        points, part = shapely.get_coordinates(parts, include_z=True, return_index=True)
        drawn = cls(points[:, :2], points[:, 2], part, line[part])
        meeting = drawn._meeting(low[drawn.line], high[drawn.line])
        ahead = np.append(points[1:] - points[:-1], [[0.0, 0.0, 0.0]], axis=0)
        ahead[drawn.last] = 0.0
        pieces = np.maximum(np.ceil(np.hypot(ahead[:, 0], ahead[:, 1]) / max_edge_m), 1).astype(np.int64)
        vertex = np.repeat(np.arange(len(points)), pieces)
        rank = np.arange(len(vertex)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        share = rank / pieces[vertex]
        denser = points[vertex] + ahead[vertex] * share[:, None]
        result = cls(denser[:, :2], denser[:, 2], part[vertex], line[part[vertex]])
        ours = int(meeting.max()) + 1 + np.cumsum(rank > 0)
        result.node = np.where(rank > 0, ours, meeting[vertex])
        return result

    def _meeting(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return a number for each vertex: those at one place and one level, and the ends that rest there, share it."""
        grid = np.round(self.xy / _SAME_M).astype(np.int64)
        order = np.lexsort((grid[:, 1], grid[:, 0]))
        new = np.concatenate([[True], (grid[order[1:]] != grid[order[:-1]]).any(axis=1)])
        number = np.empty(len(order), np.int64)
        number[order] = np.cumsum(new) - 1
        edge_of_place = np.flatnonzero(np.append(new, True))
        lowest, highest = (
            np.minimum.reduceat(low[order], edge_of_place[:-1]),
            np.maximum.reduceat(high[order], edge_of_place[:-1]),
        )
        following = int(number.max()) + 1
        # Few places see lines of several levels: only there does it matter who ends and who passes.
        for place in np.flatnonzero(lowest != highest):
            here = order[edge_of_place[place] : edge_of_place[place + 1]]
            groups = _groups(low[here], high[here], ends=(self.first | self.last)[here])
            for group in range(1, int(groups.max()) + 1):
                number[here[groups == group]] = following
                following += 1
        return number

    def split(self, max_edge_m: float) -> NDArray[np.bool_]:
        """Tell which vertices are nodes: ends, meetings, and enough others for edges to be short and distinct."""
        at_end = self.first | self.last
        split = at_end | (np.bincount(self.node)[self.node] > 1)
        start = self.along[np.maximum.accumulate(np.where(split, np.arange(len(split)), 0))]
        piece = np.floor((self.along - start) / max_edge_m)
        split |= np.concatenate([[False], (piece[1:] != piece[:-1]) & ~self.first[1:]]) & ~at_end
        for _ in range(3):
            start_at, end_at = self.edges(split)
            a, b = self.node[start_at], self.node[end_at]
            key = np.minimum(a, b) * (int(self.node.max()) + 1) + np.maximum(a, b)
            _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
            double = ((counts[inverse] > 1) | (a == b)) & (end_at > start_at + 1)
            if not double.any():
                break
            # Two ways between the same nodes, or a loop: one vertex inside each makes them distinct edges.
            split[start_at[double] + 1] = True
            split[end_at[double] - 1] |= (a == b)[double]
        return np.asarray(split, dtype=bool)

    def edges(self, split: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the vertices where each edge starts and ends."""
        nodes = np.flatnonzero(split)
        inside = self.part[nodes[:-1]] == self.part[nodes[1:]]
        return nodes[:-1][inside], nodes[1:][inside]

    def heights_of(self, ground: Ground) -> NDArray[np.float64]:
        """Return the height of each node of the ground made of these vertices; NaN where the lines have none."""
        given = np.full(int(self.node.max()) + 1, np.nan)
        known = ~np.isnan(self.z)
        given[self.node[known]] = self.z[known]
        used = np.unique(self.node[self.kept])
        return np.asarray(given[used][ground.given], dtype=np.float64)


def _assembled(
    drawn: _Drawn, lines: gpd.GeoDataFrame, *, low: NDArray[np.int64], max_edge_m: float, walk_kmh: float, label: str
) -> Ground:
    """Return the ground made of the vertices that are nodes, the others being bends."""
    drawn.kept = drawn.split(max_edge_m)
    start, end = drawn.edges(drawn.kept)
    used, where = np.unique(drawn.node[drawn.kept], return_index=True)
    xy = drawn.xy[drawn.kept][where]
    ends = np.column_stack([np.searchsorted(used, drawn.node[start]), np.searchsorted(used, drawn.node[end])])
    inside = ~drawn.kept
    offsets = np.concatenate([[0], np.cumsum(end - start - 1)])
    line = drawn.line[start]
    table = edge_table(len(ends), level=low[line], line=line, steps=is_steps(lines)[line])
    return from_edges(
        xy,
        ends,
        length_m=drawn.along[end] - drawn.along[start],
        edges=table,
        bends=(offsets, drawn.xy[inside]),
        walk_kmh=walk_kmh,
        label=label,
    )


def _groups(low: NDArray[np.int64], high: NDArray[np.int64], *, ends: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return a number for each line at one place, shared by those that meet there."""
    meets = (low[:, None] <= high[None, :]) & (low[None, :] <= high[:, None])
    meets |= ends[:, None] | ends[None, :]
    group = np.arange(len(low))
    for _ in range(len(low)):
        reached = np.where(meets, group[None, :], len(low)).min(axis=1)
        if (reached == group).all():
            break
        group = reached
    return np.unique(group, return_inverse=True)[1]


def _notes(ground: Ground, refused: pd.DataFrame) -> list[str]:
    """Return what to know about the network, in French."""
    notes = []
    if len(refused):
        counts = refused["reason"].str.split(" : ").str[0].value_counts()
        words = ", ".join(f"{reason} : {number(count)}" for reason, count in counts.items())
        notes.append(f"{counted(len(refused), 'ligne')} hors du réseau à pied ({words}).")
    apart = ground.n_nodes - int(ground.islands().max())
    if apart:
        notes.append(
            f"{counted(apart, 'nœud')} sur {number(ground.n_nodes)} à part du réseau principal : un lieu raccordé là "
            "ne rejoint pas le reste."
        )
    return notes
