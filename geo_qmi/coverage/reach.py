"""What lies within reach of each site and of all together, and what a circle on the map only pretends to reach?

Reach is given, place by site, by whoever walked the network; this module adds up people, surface, located needs and
places felt negative, and names the difference between the disc and the walk: *false coverage*. An amount nobody knows
is left out of both sides of a share and counted beside it.

Trap: the smaller the places, the better the count; a place is in or out by its centre. `area_shares` cuts surfaces
exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geo_qmi.coverage.inputs import require_flags
from geo_qmi.errors import InputError, shown
from geo_qmi.geo import require_metres
from geo_qmi.guards import require_columns, require_ids

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

#: Row that counts what at least one site reaches.
TOGETHER = "ensemble"


class FalseCoverage(NamedTuple):
    """What the disc promises and the walk does not keep.

    Attributes
    ----------
    layer
        GeoDataFrame: the rows of the places that some disc holds and no walk reaches, with ``site_id`` (the nearest
        site as the crow flies) and ``straight_m``; the index of the places.
    by_site
        Indexed by ``site_id`` then ``ensemble``: ``n_disc``, ``n_reached``, ``n_false`` places, ``people_disc``,
        ``people_reached``, ``people_false`` (known amounts), ``n_unknown`` places of the disc without a known number
        of people. ``reached`` counts inside the disc.
    """

    layer: gpd.GeoDataFrame
    by_site: pd.DataFrame


def within(places: gpd.GeoDataFrame, catchments: gpd.GeoDataFrame, *, id_column: str = "place_id") -> pd.DataFrame:
    """Return which places lie in which catchment, by their centre.

    Parameters
    ----------
    places
        In EPSG:2154: `id_column`, geometries all drawn.
    catchments
        In EPSG:2154: ``site_id``, polygons; no polygon for a site that reaches nothing.

    Returns
    -------
    DataFrame of yes/no, places (sorted) × sites (sorted); on the edge is in.
    """
    require_columns(places, [id_column, "geometry"], what="Lieux")
    require_columns(catchments, ["site_id", "geometry"], what="Bassins d’accès")
    require_ids(places[id_column], what="Lieux")
    require_ids(catchments["site_id"], what="Bassins d’accès")
    require_metres(places, what="les lieux")
    require_metres(catchments, what="les bassins d’accès")
    nowhere = int((places.geometry.isna() | places.geometry.is_empty).sum())
    if nowhere:
        raise InputError(f"Lieux : {nowhere} sans géométrie. Retirez-les : un lieu inconnu n’est ni dedans ni dehors.")
    ordered, areas = places.sort_values(id_column), catchments.sort_values("site_id")
    centres = shapely.centroid(ordered.geometry.to_numpy())
    flags = np.zeros((len(ordered), len(areas)), dtype=bool)
    if len(ordered) and len(areas):
        rows, columns = shapely.STRtree(centres).query(areas.geometry.to_numpy(), predicate="intersects")[::-1]
        flags[rows, columns] = True
    return pd.DataFrame(
        flags,
        index=pd.Index(ordered[id_column], name=id_column),
        columns=pd.Index(areas["site_id"], name="site_id"),
    )


def shares(reached: pd.DataFrame, amounts: pd.DataFrame) -> pd.DataFrame:
    """Return how much of each amount lies within reach, by site and together.

    Parameters
    ----------
    reached
        Places × sites, yes or no; every place, those nobody reaches included.
    amounts
        Places (the same) × measures: people, ``area_m2``, number of located needs, 1 for a place felt negative…;
        ≥ 0, missing when unknown.

    Returns
    -------
    DataFrame
        ``site_id`` (sorted, then ``ensemble``), ``measure`` (in the order of `amounts`), ``reached``, ``total``
        (known amounts), ``share`` (missing when the total is 0), ``n_unknown`` places left out.

    Raises
    ------
    InputError
        Places that differ, values that are not yes or no, amounts that are negative or no numbers.

    Examples
    --------
    >>> reached = pd.DataFrame({"s": [True, False]}, index=["a", "b"])
    >>> shares(reached, pd.DataFrame({"people": [30.0, 10.0]}, index=["a", "b"]))["share"].tolist()
    [0.75, 0.75]
    """
    flags = _flags(reached)
    table = _amounts(amounts, flags.index)
    everything = flags.assign(**{TOGETHER: flags.any(axis=1)}) if len(flags.columns) else flags
    if not len(flags.columns):
        everything = pd.DataFrame({TOGETHER: False}, index=flags.index)
    known, values = table.notna().to_numpy(), table.fillna(0.0).to_numpy()
    inside = everything.to_numpy(dtype=bool).T.astype(float) @ values
    totals = values.sum(axis=0)
    n_sites, n_measures = inside.shape
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(totals > 0, inside / totals, np.nan)
    return pd.DataFrame(
        {
            "site_id": np.repeat(everything.columns.astype("str"), n_measures),
            "measure": np.tile(table.columns.astype("str"), n_sites),
            "reached": inside.ravel(),
            "total": np.tile(totals, n_sites),
            "share": share.ravel(),
            "n_unknown": np.tile((~known).sum(axis=0), n_sites),
        }
    )


def area_shares(catchments: gpd.GeoDataFrame, perimeter: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the part of a perimeter within reach, cut exactly, by site and together.

    Parameters
    ----------
    catchments
        In EPSG:2154: ``site_id``, polygons; no geometry for a site that reaches nothing.
    perimeter
        In EPSG:2154: the ground to cover, all rows together.

    Returns
    -------
    DataFrame
        Indexed by ``site_id`` (sorted, then ``ensemble``): ``area_m2`` within reach, ``share`` of the perimeter.
    """
    require_columns(catchments, ["site_id", "geometry"], what="Bassins d’accès")
    require_ids(catchments["site_id"], what="Bassins d’accès")
    require_metres(catchments, what="les bassins d’accès")
    require_metres(perimeter, what="le périmètre")
    ground = perimeter.geometry.union_all()
    if ground.is_empty or ground.area == 0:
        raise InputError("Périmètre sans surface : aucune part à calculer. Donnez un polygone.")
    ordered = catchments.sort_values("site_id")
    shapes = [*ordered.geometry.tolist(), ordered.geometry.union_all()]
    areas = [0.0 if shape is None else float(shapely.intersection(shape, ground).area) for shape in shapes]
    index = pd.Index([*ordered["site_id"].tolist(), TOGETHER], name="site_id", dtype="str")
    frame = pd.DataFrame({"area_m2": areas}, index=index)
    return frame.assign(share=frame["area_m2"] / ground.area)


def false_coverage(
    places: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    *,
    reached: pd.DataFrame,
    radius_m: float,
    disc: pd.DataFrame | None = None,
    id_column: str = "place_id",
    people: str = "people",
) -> FalseCoverage:
    """Return who is inside the discs and out of reach on foot.

    Parameters
    ----------
    places
        In EPSG:2154: `id_column`, `people` (≥ 0, missing when unknown), geometry; the distance is from the centre.
    sites
        In EPSG:2154: ``site_id``, geometry all drawn.
    reached
        Places × sites, yes or no, within `radius_m` on foot.
    radius_m
        Radius of the discs, metres, included.
    disc
        Places × sites, yes or no: what each disc holds. By default what lies within `radius_m` as the crow flies. On a
        grid, whose walks are a little longer than straight lines even in the open, give what is reached there without
        any barrier: ground without barrier then has no false coverage.

    Raises
    ------
    CrsError, InputError
        Not in Lambert-93, places or sites that differ from those of `reached`, a site without place.
    """
    require_columns(places, [id_column, people, "geometry"], what="Lieux")
    require_columns(sites, ["site_id", "geometry"], what="Sites")
    require_ids(places[id_column], what="Lieux")
    require_ids(sites["site_id"], what="Sites")
    for frame, what in ((places, "les lieux"), (sites, "les sites")):
        require_metres(frame, what=what)
        if (frame.geometry.isna() | frame.geometry.is_empty).any():
            raise InputError(f"Géométrie absente dans {what} : un lieu inconnu n’a pas de disque. Retirez-le.")
    if not (np.isfinite(radius_m) and radius_m >= 0):
        raise InputError(f"Rayon : « {shown(radius_m)} ». Attendu : un nombre de mètres, positif ou nul.")
    flags = _flags(reached)
    row, column = (
        np.argsort(ids.to_numpy(dtype=object), kind="stable") for ids in (places[id_column], sites["site_id"])
    )
    names, site_ids = places[id_column].to_numpy(dtype=object)[row], sites["site_id"].to_numpy(dtype=object)[column]
    given = None if disc is None else _flags(disc)
    for table in (flags, given):
        if table is not None and (
            table.index.tolist() != [str(name) for name in names]
            or table.columns.tolist() != [str(one) for one in site_ids]
        ):
            raise InputError("Accès : lieux ou sites différents de ceux des couches. Recalculez l’accès sur elles.")
    straight = shapely.distance(
        shapely.centroid(places.geometry.to_numpy()[row])[:, None], sites.geometry.to_numpy()[column][None, :]
    )
    held: NDArray[np.bool_] = np.asarray(straight <= radius_m) if given is None else given.to_numpy(dtype=bool)
    walk = flags.to_numpy(dtype=bool)
    amounts = _amounts(pd.DataFrame({people: places[people].array[row]}, index=names), flags.index)[people].to_numpy()
    lost = held.any(axis=1) & ~walk.any(axis=1)
    layer = places.iloc[row[lost]].assign(
        site_id=pd.array(site_ids[straight[lost].argmin(axis=1)] if lost.any() else [], dtype="str"),
        straight_m=straight[lost].min(axis=1, initial=np.inf),
    )
    discs, walks = (np.column_stack([table, table.any(axis=1)]) for table in (held, walk))
    rows = [_disc_row(discs[:, k], walks[:, k], amounts) for k in range(discs.shape[1])]
    index = pd.Index([*flags.columns, TOGETHER], name="site_id", dtype="str")
    return FalseCoverage(layer.sort_index(), pd.DataFrame(rows, index=index))


def _disc_row(disc: NDArray[np.bool_], walk: NDArray[np.bool_], people: NDArray[np.float64]) -> dict[str, float | int]:
    """Return the counts of one disc."""
    known = np.nan_to_num(people, nan=0.0)
    return {
        "n_disc": int(disc.sum()),
        "n_reached": int((disc & walk).sum()),
        "n_false": int((disc & ~walk).sum()),
        "people_disc": float(known[disc].sum()),
        "people_reached": float(known[disc & walk].sum()),
        "people_false": float(known[disc & ~walk].sum()),
        "n_unknown": int((disc & np.isnan(people)).sum()),
    }


def _flags(reached: pd.DataFrame) -> pd.DataFrame:
    """Return the yes/no frame sorted on both axes, with text identifiers."""
    require_ids(reached.index, what="Accès, lieux")
    require_ids(reached.columns, what="Accès, sites")
    require_flags(reached, what="Accès")
    table = reached.set_axis(reached.index.astype("str"), axis=0).set_axis(reached.columns.astype("str"), axis=1)
    if TOGETHER in table.columns:
        raise InputError(f"Accès : un site ne peut pas s’appeler « {TOGETHER} », réservé au total. Renommez-le.")
    in_order = table.index.is_monotonic_increasing and table.columns.is_monotonic_increasing
    return table if in_order else table.sort_index(axis=0).sort_index(axis=1)


def _amounts(amounts: pd.DataFrame, places: pd.Index[str]) -> pd.DataFrame:
    """Return the amounts on the places, or raise `InputError`."""
    require_ids(amounts.index, what="Quantités, lieux")
    named = amounts.set_axis(amounts.index.astype("str"), axis=0)
    same = named.index.equals(places)
    odd = [] if same else sorted(set(named.index.tolist()) ^ set(places.tolist()))
    if odd:
        raise InputError(
            f"Quantités et accès : le lieu « {shown(odd[0])} » est d’un seul côté ({len(odd)} au total). "
            "Donnez les mêmes lieux aux deux."
        )
    table = named if same else named.loc[places]
    numbers = pd.DataFrame({name: pd.to_numeric(table[name], errors="coerce") for name in table}).astype("float64")
    amount = numbers.to_numpy()
    wrong = (np.isnan(amount) & table.notna().to_numpy()) | (amount < 0) | np.isinf(amount)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"Quantités, {shown(table.index[row])}, « {shown(table.columns[column])} » : "
            f"« {shown(table.iloc[row, column])} ». Attendu : un nombre positif ou nul, ou rien."
        )
    return numbers
