"""Where do lines cross that were drawn without meeting?

Gives each line a vertex wherever another line of the same level crosses or touches it, for layers drawn without
topology. Lines of different levels are left apart. It neither cleans the layer nor joins ends that miss each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray


def noded(lines: NDArray[np.object_], *, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the lines with a vertex at each of their crossings.

    Parameters
    ----------
    lines
        Single lines in metres.
    low, high
        Lowest and highest level of each.

    Examples
    --------
    >>> cross = shapely.linestrings([[(0, 0), (10, 0)], [(5, -5), (5, 5)]])
    >>> shapely.get_num_points(noded(cross, low=np.zeros(2, int), high=np.zeros(2, int))).tolist()
    [3, 3]
    """
    one, two = shapely.STRtree(lines).query(lines, predicate="intersects")
    meets = (one < two) & (low[one] <= high[two]) & (low[two] <= high[one])
    one, two = one[meets], two[meets]
    shared, pair = shapely.get_coordinates(shapely.intersection(lines[one], lines[two]), return_index=True)
    owner = np.concatenate([one[pair], two[pair]])
    points = np.concatenate([shared, shared])
    result = lines.copy()
    for line in np.unique(owner):
        result[line] = _with_points(lines[line], points[owner == line])
    return result


def _with_points(line: shapely.LineString, points: NDArray[np.float64]) -> shapely.LineString:
    """Return a line with extra vertices where they fall along it; heights are dropped where one is added."""
    own = shapely.get_coordinates(line)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*(own[1:] - own[:-1]).T))])
    along = shapely.line_locate_point(line, shapely.points(points))
    everything, place = np.concatenate([own, points]), np.concatenate([length, along])
    # The line's own vertices win over a crossing at the same place, which keeps shared vertices identical.
    order = np.lexsort((np.arange(len(place)) >= len(own), place))
    everything, place = everything[order], place[order]
    repeated = np.concatenate([[False], np.hypot(*(everything[1:] - everything[:-1]).T) < 1e-6])
    return shapely.LineString(everything[~repeated])
