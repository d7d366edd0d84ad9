"""What ground does each project cover, by which rule, and which projects cover none?

A rule a kind of footprint: what stands somewhere is covered from its geometry; a network of assets from all of them; a
project stated at the scale of a territory covers the territory as a zone; a served population covers the places the
operator lists. A project without footprint (virtual, event, none) is refused by name: no distance to it means
anything. A place nobody published goes to the list « sans lieu », never to the middle of its commune.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import pandas as pd

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.geo import require_metres
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import FOOTPRINTS

if TYPE_CHECKING:
    import shapely

#: Geometry that each located kind may have; another one is a mistake of the table.
_SHAPES = {
    "point": {"Point", "MultiPoint"},
    "line": {"LineString", "MultiLineString"},
    "area": {"Polygon", "MultiPolygon"},
    "asset_network": {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"},
    "building": {"Point", "MultiPoint", "Polygon", "MultiPolygon"},
}
_REFUSED = {
    "virtual": "numérique, sans emprise : aucune distance n’a de sens",
    "event": "évènement : son accès ne dure pas",
    "none": "sans emprise établie",
}
#: Precisions that name a zone rather than a place.
_ZONES = {"ept"}


class Footprints(NamedTuple):
    """The projects, each in one of the three frames.

    Attributes
    ----------
    located
        GeoDataFrame indexed by ``project_id``: ``name``, ``footprint``, ``rule`` (``reach``: cover from the geometry;
        ``zone``: cover what lies in the geometry), ``geometry`` in EPSG:2154.
    served
        ``project_id``, ``place_id``: the places a served population lives in, as listed.
    unplaced
        Indexed by ``project_id``: ``name``, ``footprint``, ``status`` (``refused``: no footprint; ``unknown``: sans
        lieu), ``reason`` (French).
    """

    located: gpd.GeoDataFrame
    served: pd.DataFrame
    unplaced: pd.DataFrame


class _Row(NamedTuple):
    """What is read of a project."""

    project_id: str
    name: str
    insee: str
    site_id: str | float
    footprint: str
    precision: str


def footprints(
    projects: pd.DataFrame,
    sites: gpd.GeoDataFrame,
    *,
    served: pd.DataFrame | None = None,
    communes: gpd.GeoDataFrame | None = None,
) -> Footprints:
    """Return what each project covers, or why it covers nothing that can be measured.

    Parameters
    ----------
    projects
        Table ``projects``: ``project_id``, ``name``, ``insee``, ``site_id``, ``footprint``, ``precision``.
    sites
        Table ``sites`` in EPSG:2154: ``site_id``, ``geometry``.
    served
        ``project_id``, ``place_id``: where the population of served-population projects lives, from the operator.
    communes
        Table ``communes`` in EPSG:2154: ``insee``, ``territory``, ``geometry``; without it projects at the scale of a
        territory have no zone.

    Raises
    ------
    CrsError, InputError, UnknownNameError
        Not in Lambert-93, missing columns, an unknown footprint or site, a geometry that contradicts the footprint.
    """
    require_columns(projects, _Row._fields, what="Projets")
    require_columns(sites, ["site_id", "geometry"], what="Lieux")
    require_ids(projects["project_id"], what="Projets")
    require_ids(sites["site_id"], what="Lieux")
    require_metres(sites, what="les lieux")
    listed = _served(served, projects)
    shapes = dict(zip(sites["site_id"].tolist(), sites.geometry.tolist(), strict=True))
    known = set(listed["project_id"])
    zones = {} if communes is None else _zones(communes, projects)
    located, unplaced = [], []
    ordered = projects.sort_values("project_id", kind="stable")
    for row in map(_Row._make, zip(*(ordered[name].tolist() for name in _Row._fields), strict=True)):
        if row.footprint not in FOOTPRINTS:
            raise InputError(
                f"Projet {shown(row.project_id)} : emprise « {shown(row.footprint)} ». "
                f"Attendu : {', '.join(FOOTPRINTS)}."
            )
        if isinstance(row.site_id, str) and row.site_id not in shapes:
            raise UnknownNameError(f"Projet {shown(row.project_id)} : lieu « {shown(row.site_id)} » inconnu.")
        status, reason, geometry = _placed(row, shapes.get(row.site_id), zones, served=row.project_id in known)
        if status in {"reach", "zone"}:
            located.append((row.project_id, row.name, row.footprint, status, geometry))
        elif status != "served":
            unplaced.append((row.project_id, row.name, row.footprint, status, reason))
    columns = ["project_id", "name", "footprint", "rule", "geometry"]
    drawn = pd.DataFrame(located, columns=columns).set_index("project_id")
    missing = pd.DataFrame(unplaced, columns=[*columns[:3], "status", "reason"]).set_index("project_id")
    return Footprints(gpd.GeoDataFrame(drawn, geometry="geometry", crs=CRS), listed, missing)


def _placed(
    row: _Row, geometry: shapely.Geometry | None, zones: dict[str, shapely.Geometry], *, served: bool
) -> tuple[str, str, shapely.Geometry | None]:
    """Return the rule or status of one project, the reason and the geometry."""
    footprint, precision = row.footprint, row.precision
    if footprint in _REFUSED:
        return "refused", f"Refusé : {_REFUSED[footprint]}.", None
    if footprint == "served_population":
        why = "population desservie non fournie par le porteur"
        return ("served", "", None) if served else ("unknown", f"Sans lieu : {why}.", None)
    if precision in _ZONES:
        zone = zones.get(row.insee)
        why = "à l’échelle de l’établissement public territorial (EPT), dont le contour n’est pas fourni"
        return ("unknown", f"Sans lieu : {why}.", None) if zone is None else ("zone", "", zone)
    if geometry is None or geometry.is_empty:
        why = "lieu nommé sans géométrie" if isinstance(row.site_id, str) else "aucun lieu nommé"
        return "unknown", f"Sans lieu : {why}.", None
    if geometry.geom_type not in _SHAPES[footprint]:
        raise InputError(
            f"Projet {shown(row.project_id)} : emprise « {FOOTPRINTS[footprint]} » et géométrie "
            f"{geometry.geom_type} se contredisent. Corrigez l’une ou l’autre."
        )
    return "reach", "", geometry


def _served(served: pd.DataFrame | None, projects: pd.DataFrame) -> pd.DataFrame:
    """Return the list of served places, or raise for one that belongs to no served population."""
    if served is None:
        return pd.DataFrame({"project_id": pd.Series(dtype="str"), "place_id": pd.Series(dtype="str")})
    require_columns(served, ["project_id", "place_id"], what="Population desservie")
    kinds = projects.set_index("project_id")["footprint"]
    wrong = served[served["project_id"].map(kinds) != "served_population"]
    if len(wrong):
        raise InputError(
            f"Population desservie : « {shown(wrong['project_id'].iloc[0])} » n’est pas un projet à population "
            "desservie. Corrigez son emprise ou retirez la ligne."
        )
    rows = served[["project_id", "place_id"]].astype("str").drop_duplicates()
    return rows.sort_values(["project_id", "place_id"], ignore_index=True)


def _zones(communes: gpd.GeoDataFrame, projects: pd.DataFrame) -> dict[str, shapely.Geometry]:
    """Return commune → outline of its territory, for the communes of projects at that scale."""
    wanted = set(projects.loc[projects["precision"].isin(_ZONES), "insee"].dropna())
    require_columns(communes, ["insee", "territory", "geometry"], what="Communes")
    require_metres(communes, what="les communes")
    drawn = communes[communes.geometry.notna()]
    territory = dict(zip(drawn["insee"].astype("str"), drawn["territory"], strict=True))
    needed = {territory[code] for code in wanted if code in territory}
    outlines = drawn[drawn["territory"].isin(needed)].dissolve("territory").geometry if needed else {}
    return {code: outlines[territory[code]] for code in wanted if code in territory}
