"""Was a project allocated to the district where it stands, and how far from it is it?

Allocation is a decision, deployment a place: they are put side by side with the signed distance to the perimeter,
negative inside. Where the site has no geometry, or the district no perimeter, the answer is *unknown* and the reason is
given; what the document states is shown beside it and never overwritten. No place is guessed: a commune is not a point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.geo import require_metres
from geo_qmi.guards import require_columns, require_ids

if TYPE_CHECKING:
    import geopandas as gpd


class _Verdict(NamedTuple):
    """What the geometry says of one project."""

    computed: str
    distance_m: float
    share_inside: float
    uncertain: object
    reason: str


def derive(projects: pd.DataFrame, sites: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return where each project was allocated and where it stands.

    A place that straddles the perimeter is inside when more than half of it is (of its area, its length or its
    points); its distance is then 0.

    Parameters
    ----------
    projects
        Table ``projects``: ``project_id``, ``name``, ``district_id``, ``site_id`` (missing when no place is named),
        ``inside_stated``.
    sites
        Table ``sites`` in EPSG:2154: ``site_id``, ``name``, ``geometry``; optional ``precision_m``,
        ``geometry_status``.
    districts
        Table ``districts`` in EPSG:2154: ``district_id``, ``geometry``; optional ``precision_m``,
        ``geometry_status``.

    Returns
    -------
    DataFrame
        Indexed by ``project_id``, sorted: ``name``, ``district_id``, ``site_id``, ``site``, ``inside_stated`` (the
        document), ``inside_computed`` (the geometry), ``inside`` (computed, else stated), ``basis`` (``geometry``,
        ``document``, ``none``), ``distance_m`` (signed, missing when unknown), ``share_inside``, ``uncertain`` (the
        distance is within the precision of the two geometries; missing when that precision is unknown),
        ``disagrees`` (document and geometry say the contrary), ``reason`` (French).

    Raises
    ------
    CrsError, InputError, UnknownNameError
        Not in Lambert-93, missing columns, repeated identifiers, a site or district that does not exist.
    """
    _check(projects, sites, districts)
    places, areas = _records(sites, "site_id"), _records(districts, "district_id")
    ordered = projects.sort_values("project_id", kind="stable")
    rows = []
    for project, district, site, stated in ordered[
        ["project_id", "district_id", "site_id", "inside_stated"]
    ].itertuples(index=False):
        for name, table, what in ((district, areas, "quartier"), (site, places, "lieu")):
            if not pd.isna(name) and name not in table:
                raise UnknownNameError(
                    f"Projet {shown(project)} : {what} « {shown(name)} » inconnu. Ajoutez-le à sa table ou corrigez."
                )
        rows.append((*_verdict(places.get(site), areas.get(district)), stated))
    found = pd.DataFrame(rows, columns=[*_Verdict._fields, "stated"], index=ordered.index)
    known = found["computed"] != "unknown"
    said = found["stated"] != "unknown"
    frame = pd.DataFrame(
        {
            "name": ordered["name"],
            "district_id": ordered["district_id"],
            "site_id": ordered["site_id"],
            "site": ordered["site_id"].map(sites.set_index("site_id")["name"]).astype("str"),
            "inside_stated": found["stated"].astype("str"),
            "inside_computed": found["computed"].astype("str"),
            "inside": found["computed"].where(known, found["stated"]).astype("str"),
            "basis": pd.Series(
                np.select([known, said], ["geometry", "document"], "none"), index=ordered.index, dtype="str"
            ),
            "distance_m": found["distance_m"].astype("float64"),
            "share_inside": found["share_inside"].astype("float64"),
            "uncertain": found["uncertain"].astype("boolean"),
            "disagrees": known & said & (found["computed"] != found["stated"]),
            "reason": found["reason"].astype("str"),
        }
    )
    return frame.set_index(pd.Index(ordered["project_id"].astype("str"), name="project_id"))


def _check(projects: pd.DataFrame, sites: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> None:
    """Raise for a frame that cannot be used."""
    require_columns(projects, ["project_id", "name", "district_id", "site_id", "inside_stated"], what="Projets")
    require_columns(sites, ["site_id", "name", "geometry"], what="Lieux")
    require_columns(districts, ["district_id", "geometry"], what="Quartiers")
    require_ids(projects["project_id"], what="Projets")
    require_ids(sites["site_id"], what="Lieux")
    require_ids(districts["district_id"], what="Quartiers")
    require_metres(sites, what="les lieux")
    require_metres(districts, what="les quartiers")


class _Place(NamedTuple):
    """A geometry that may be trusted, or none, and its precision."""

    geometry: shapely.Geometry | None
    precision_m: float


def _records(frame: gpd.GeoDataFrame, column: str) -> dict[object, _Place]:
    """Return identifier → place; a geometry whose status is unknown is no place."""
    n = len(frame)
    status = frame["geometry_status"].tolist() if "geometry_status" in frame else ["approximate"] * n
    precision = frame["precision_m"].to_numpy("float64") if "precision_m" in frame else np.full(n, np.nan)
    return {
        name: _Place(None if geometry is None or geometry.is_empty or state == "unknown" else geometry, float(metres))
        for name, geometry, state, metres in zip(
            frame[column].tolist(), frame.geometry.to_numpy(), status, precision, strict=True
        )
    }


def _verdict(site: _Place | None, district: _Place | None) -> _Verdict:
    """Return what the two geometries say of each other."""
    if site is None:
        return _Verdict("unknown", np.nan, np.nan, pd.NA, "Aucun lieu de déploiement nommé : sans lieu.")
    if site.geometry is None:
        return _Verdict("unknown", np.nan, np.nan, pd.NA, "Lieu nommé mais sans géométrie : sans lieu.")
    if district is None or district.geometry is None:
        return _Verdict("unknown", np.nan, np.nan, pd.NA, "Quartier sans périmètre : rien à comparer.")
    share = share_inside(site.geometry, district.geometry)
    edge = shapely.boundary(district.geometry)
    if share == 1:
        distance = -float(shapely.distance(site.geometry, edge))
    else:
        distance = float(shapely.distance(site.geometry, district.geometry))
    margins = [district.precision_m] + ([] if np.isnan(site.precision_m) else [site.precision_m])
    uncertain = pd.NA if np.isnan(district.precision_m) else abs(distance) <= sum(margins)
    doubt = " La distance est plus petite que la précision des tracés : à vérifier." if uncertain is True else ""
    return _Verdict("yes" if share > 0.5 else "no", distance, share, uncertain, _told(share, distance) + doubt)


def _told(share: float, distance: float) -> str:
    """Return the place in words."""
    metres = f"{abs(distance):.0f}"
    if share == 1:
        return f"Dans le quartier, à {metres} m de sa limite."
    if share == 0:
        return f"Hors du quartier, à {metres} m de sa limite."
    return f"À cheval sur la limite : {100 * share:.0f} % dans le quartier."


def share_inside(place: shapely.Geometry, area: shapely.Geometry) -> float:
    """Return the part of `place` inside `area`: of its area, else its length, else its points, in 0–1.

    Examples
    --------
    >>> share_inside(shapely.box(0, 0, 2, 1), shapely.box(0, 0, 1, 1))
    0.5
    """
    if shapely.covers(area, place):
        return 1.0
    common = shapely.intersection(place, area)
    if place.area > 0:
        return float(common.area / place.area)
    if place.length > 0:
        return float(common.length / place.length)
    points = shapely.get_parts(place)
    return float(shapely.covers(area, points).mean())
