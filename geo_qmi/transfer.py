"""What do figures known by IRIS or by 200 m square become on another perimeter?

Areal transfer by shared surface: a count is divided between the perimeters in proportion to the surface of its zone
that each takes, an average is weighted, and margins of error follow. No inhabitant is created or lost: what the
perimeters hold and what stays outside sum to the source. It supposes that people are spread evenly in a zone, which
is false in a park or a station: the smaller the zones, the less it matters.

Traps: zones that overlap count people twice and are refused; a secret or missing figure is not a zero, so a count that
needs one is missing, with the share that is known beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy import sparse

from geo_qmi.errors import InputError, shown
from geo_qmi.geo import require_metres
from geo_qmi.wording import agreed, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

#: Two zones overlap when they share more than a thousandth of the smaller: neighbours drawn to the nearest decimetre
#: share less.
_OVERLAP_SHARE = 1e-3
#: Part of a perimeter that may be unknown without being missed: the sliver of a neighbouring zone.
_UNKNOWN_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class Transfer:
    """Figures carried from zones to perimeters.

    Attributes
    ----------
    values
        On the index of the perimeters: the columns asked for, ``<column>_moe`` where a margin was given,
        ``<column>_known`` (share of the weight, 0–1, whose figure is known), ``covered`` (share of the perimeter's
        surface that has a zone).
    outside
        What no perimeter holds of each extensive column; with the known parts inside it sums to the source.
    shares
        Zones (rows) × perimeters (columns): part of each zone's surface in each perimeter.
    """

    values: pd.DataFrame
    outside: pd.Series[float]
    shares: sparse.csr_array


def transfer(
    source: gpd.GeoDataFrame,
    target: gpd.GeoDataFrame,
    *,
    extensive: Sequence[str] = (),
    intensive: Sequence[str] = (),
    weight: str | None = None,
    margins: Mapping[str, str] | None = None,
) -> Transfer:
    """Carry figures of `source` zones to `target` perimeters, without creating or losing any.

    Parameters
    ----------
    source
        Polygons in EPSG:2154 that do not overlap (IRIS, squares).
    target
        Polygons in EPSG:2154 that do not overlap; carry nested perimeters one at a time.
    extensive
        Columns of counts (population, dwellings): divided by surface.
    intensive
        Columns of averages or rates (median income, share): weighted mean.
    weight
        Extensive column that weights the averages, such as population; surface by default.
    margins
        Column → column of its margin of error, carried as the square root of the sum of weighted squares, which
        supposes independent zones.

    Returns
    -------
    Transfer

    Raises
    ------
    InputError
        A column is absent or not numeric; an area is empty; zones overlap.
    CrsError
        A frame is not in Lambert-93.

    References
    ----------
    Goodchild and Lam (1980), *Geo-Processing* 1, « Areal interpolation »; margins: US Census Bureau (2020),
    *Understanding and Using ACS Data*, ch. 8.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> zones = gpd.GeoDataFrame({"people": [100]}, geometry=[shapely.box(0, 0, 200, 200)], crs="EPSG:2154")
    >>> half = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 100, 200)], crs="EPSG:2154")
    >>> moved = transfer(zones, half, extensive=["people"])
    >>> float(moved.values["people"].iloc[0]), float(moved.outside["people"])
    (50.0, 50.0)
    """
    margins = {} if margins is None else dict(margins)
    weights = [] if weight is None else [weight]
    numbers = _numbers(source, [*extensive, *intensive, *weights, *margins.values()])
    stray = sorted(set(margins) - {*extensive, *intensive})
    if stray:
        raise InputError(f"Marge d’erreur sans sa colonne : « {stray[0]} ». Ajoutez-la aux colonnes à transférer.")
    shares = surface_shares(source, target)
    surface = shapely.area(source.geometry.to_numpy())
    mass = surface if weight is None else np.nan_to_num(numbers[weight].to_numpy())
    held = pd.DataFrame(index=target.index)
    ways = [(column, _sum, surface) for column in extensive] + [(column, _mean, mass) for column in intensive]
    for column, carry, weighs in ways:
        held[column], held[f"{column}_known"], parts = carry(numbers[column].to_numpy(), shares, weighs)
        if column in margins:
            margin = _moe(numbers[margins[column]].to_numpy(), parts)
            held[f"{column}_moe"] = np.where(held[column].notna(), margin, np.nan)
    rest = 1.0 - np.asarray(shares.sum(axis=1), dtype=float).ravel()
    outside = {column: float(np.nansum(numbers[column].to_numpy() * rest)) for column in extensive}
    ground = shapely.area(target.geometry.to_numpy())
    held["covered"] = np.clip(shares.T @ surface / ground, 0.0, 1.0)
    return Transfer(held, pd.Series(outside, dtype=float), shares)


def surface_shares(source: gpd.GeoDataFrame, target: gpd.GeoDataFrame) -> sparse.csr_array:
    """Return the part of each zone's surface in each perimeter, zones in rows.

    Zones wholly inside a perimeter are not cut: only those that straddle a limit cost an intersection.

    Raises
    ------
    InputError, CrsError
        Areas that are absent, flat, not valid or overlapping, or not in Lambert-93.
    """
    zones = _areas(source, what="Zones de départ", remedy="Chaque habitant y serait compté deux fois.")
    grounds = _areas(target, what="Périmètres d’arrivée", remedy="Transférez-les l’un après l’autre.")
    ground, zone = shapely.STRtree(zones).query(grounds, predicate="intersects")
    shapely.prepare(grounds)
    inside = shapely.covers(grounds[ground], zones[zone])
    shared = np.ones(len(zone))
    cut = ~inside
    surface = shapely.area(zones)
    shared[cut] = shapely.area(shapely.intersection(zones[zone[cut]], grounds[ground[cut]])) / surface[zone[cut]]
    return sparse.csr_array((shared, (zone, ground)), shape=(len(zones), len(grounds)))


def _areas(frame: gpd.GeoDataFrame, *, what: str, remedy: str) -> NDArray[np.object_]:
    """Return the polygons of `frame`, or refuse what has no surface or counts a surface twice."""
    require_metres(frame, what=what.lower())
    shapes = frame.geometry.to_numpy()
    flat = shapely.is_missing(shapes) | (shapely.area(shapes) <= 0)
    if flat.any():
        rows = ", ".join(shown(label) for label in frame.index[flat][:5])
        raise InputError(
            f"{what} : {counted(int(flat.sum()), 'ligne')} sans surface ({rows}). Attendu : des polygones."
        )
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        rows = ", ".join(shown(label) for label in frame.index[broken][:5])
        raise InputError(f"{what} : contour invalide, lignes {rows}. Réparez-les d’abord (geo_qmi.geo.repair).")
    one, other = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
    more = shapely.STRtree(shapes).query(shapes, predicate="contains")
    one, other = np.concatenate([one, more[0]]), np.concatenate([other, more[1]])
    one, other = one[one != other], other[one != other]
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    smaller = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    twice = np.flatnonzero(shared > _OVERLAP_SHARE * smaller)
    if twice.size:
        names = [shown(frame.index[position[twice[0]]]) for position in (one, other)]
        raise InputError(
            f"{what} : les lignes {names[0]} et {names[1]} se recouvrent ({shared[twice[0]]:.0f} m²). {remedy}"
        )
    return np.asarray(shapes, dtype=object)


def _numbers(source: gpd.GeoDataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the columns asked for as decimal numbers, each once."""
    wanted = list(dict.fromkeys(columns))
    missing = [column for column in wanted if column not in source]
    if missing:
        raise InputError(f"Zones de départ : {agreed(len(missing), 'colonne absente')} : {', '.join(missing)}.")
    text = [column for column in wanted if not pd.api.types.is_numeric_dtype(source[column])]
    if text:
        raise InputError(f"Zones de départ : colonne « {text[0]} » : attendu des nombres. Convertissez-la d’abord.")
    return pd.DataFrame(source[wanted]).astype("float64")


def _sum(figures: Numbers, shares: sparse.csr_array, surface: Numbers) -> tuple[Numbers, Numbers, sparse.csr_array]:
    """Return the count of each perimeter, the share of its zones' surface whose figure is known, and the weights."""
    known = np.isfinite(figures)
    ground = shares.T @ surface
    with np.errstate(invalid="ignore", divide="ignore"):
        told = (shares.T @ np.where(known, surface, 0.0)) / ground
    total = np.where(told >= 1 - _UNKNOWN_SHARE, shares.T @ np.where(known, figures, 0.0), np.nan)
    return total, np.where(ground > 0, np.clip(told, 0, 1), 0.0), shares


def _mean(figures: Numbers, shares: sparse.csr_array, mass: Numbers) -> tuple[Numbers, Numbers, sparse.csr_array]:
    """Return the weighted mean of each perimeter, the share of its weight whose figure is known, and the weights."""
    mix, known = _mix(figures, shares, mass=mass)
    return np.where(known > 0, mix.T @ np.nan_to_num(figures), np.nan), known, mix


def _mix(figures: Numbers, shares: sparse.csr_array, *, mass: Numbers) -> tuple[sparse.csr_array, Numbers]:
    """Return the weights of the zones in each perimeter, summing to 1 over the known ones, and their known share."""
    known = np.isfinite(figures)
    full = shares.T @ mass
    part = shares.T @ np.where(known, mass, 0.0)
    inverse = np.divide(1.0, part, out=np.zeros_like(part), where=part > 0)
    mix = sparse.diags_array(np.where(known, mass, 0.0)) @ shares @ sparse.diags_array(inverse)
    return sparse.csr_array(mix), np.divide(part, full, out=np.zeros_like(part), where=full > 0)


def _moe(margin: Numbers, weights: sparse.csr_array) -> Numbers:
    """Return the square root of the sum of weighted squares; missing where a needed margin is."""
    known = np.isfinite(margin)
    unknown = weights.T @ (~known).astype(float)
    squares = weights.multiply(weights).T @ np.where(known, margin, 0.0) ** 2
    return np.where(unknown > _UNKNOWN_SHARE, np.nan, np.sqrt(squares))
