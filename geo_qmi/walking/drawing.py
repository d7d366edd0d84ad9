"""Which map shows how far one walks, and which one shows who is within reach?

Gathers the layers of a study around the result of a walk, for the pages and for paper alike. How they are drawn is in
`geo_qmi.maps`; nothing is walked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo_qmi import maps
from geo_qmi.walking.placing import drawn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import shapely

    from geo_qmi.walking.access import Access
    from geo_qmi.walking.cut import Cut
    from geo_qmi.walking.placing import Placed
    from geo_qmi.walking.reaching import Reach
    from geo_qmi.walking.terrain import Terrain


def access_map(
    tables: Mapping[str, Any],
    given: Terrain,
    walked: Access,
    found: Cut | None,
    *,
    opened: shapely.Geometry | None = None,
) -> maps.Map:
    """Return the map of the ground reached from one place, the barriers and the detours they cost.

    Parameters
    ----------
    tables
        ``communes``, ``barriers``, ``stations``.
    given
        The ground walked on.
    walked, found
        As returned by `geo_qmi.walking.access` and `geo_qmi.walking.cut`.
    opened
        A crossing that is only tried.
    """
    return maps.access_map(
        given.perimeter,
        communes=tables["communes"],
        barriers=tables["barriers"],
        crossings=given.crossings,
        stations=tables["stations"],
        catchments=walked.catchments,
        place=walked.place,
        place_name=walked.name,
        ground=given.ground.label,
        pairs=None if found is None else found.found.pairs,
        opened=opened,
        demo=given.demo,
    )


def reach_map(tables: Mapping[str, Any], given: Terrain, found: Reach, *, placed: Placed | None = None) -> maps.Map:
    """Return the map of what lies within a walk of the places of a district.

    Parameters
    ----------
    tables
        ``communes``, ``barriers``.
    given
        The ground walked on.
    found
        As returned by `geo_qmi.walking.reach`.
    placed
        A choice of places, as returned by `geo_qmi.walking.place`: its places are drawn instead of those walked from.
    """
    walked = found.sites.assign(part=found.sites["role"].replace("project", "deployed"))
    return maps.reach_map(
        given.perimeter,
        communes=tables["communes"],
        barriers=tables["barriers"],
        catchments=found.catchments,
        false=found.false.layer,
        sites=walked if placed is None else drawn(placed),
        ground=given.ground.label,
        minutes=found.minutes,
        demo=bool(found.sites["demo"].any()) or given.demo,
    )
