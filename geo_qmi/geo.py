"""Where on Earth is this, and may it be measured?

Metres inside (Lambert-93, EPSG:2154), degrees at the border (WGS 84, longitude then latitude): the guards, the two
conversions, proposals when a file's coordinate system is missing or lies, and the repair of broken rings. Nothing
here reads a file or guesses silently: a proposal is only a proposal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely
from pyproj import Transformer

from geo_qmi.errors import CrsError
from geo_qmi.schema.tables import CRS as METRES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

#: Longitude and latitude on WGS 84, the only system of RFC 7946.
DEGREES = "EPSG:4326"

#: Île-de-France with a margin of about 20 km: west, south, east, north in degrees. The programme works inside the
#: Métropole; anything outside this window is a mistake of system, of axis order or of file.
REGION = (1.2, 47.9, 3.8, 49.45)

#: Systems met in French files, the likeliest first.
_CANDIDATES = {
    "EPSG:4326": "longitude et latitude en degrés (WGS 84)",
    "EPSG:2154": "Lambert-93, en mètres",
    "EPSG:27572": "Lambert II étendu, en mètres (ancien système)",
    "EPSG:3857": "Web Mercator, en mètres déformés (fonds de carte en ligne)",
    "EPSG:3949": "Conique conforme zone 49, en mètres",
    "EPSG:32631": "UTM zone 31 nord, en mètres",
}


@dataclass(frozen=True, slots=True)
class CrsProposal:
    """One system under which coordinates would fall in Île-de-France.

    Attributes
    ----------
    code
        Authority code, such as ``EPSG:2154``.
    swapped
        True when the two axes must be exchanged first.
    why
        French words for the user.
    """

    code: str
    swapped: bool
    why: str


@lru_cache(maxsize=16)
def _region_in(code: str) -> tuple[float, float, float, float]:
    """Return the Île-de-France window in system `code`: xmin, ymin, xmax, ymax."""
    if code == DEGREES:
        return REGION
    transformer = Transformer.from_crs(DEGREES, code, always_xy=True)
    return transformer.transform_bounds(*REGION)


def _within(bounds: Sequence[float], window: Sequence[float]) -> bool:
    return bool(window[0] <= bounds[0] and window[1] <= bounds[1] and bounds[2] <= window[2] and bounds[3] <= window[3])


def in_region(bounds: Sequence[float], *, crs: str) -> bool:
    """Tell whether a box lies in Île-de-France.

    Parameters
    ----------
    bounds
        ``xmin, ymin, xmax, ymax`` in the units of `crs`.
    crs
        Authority code.

    Examples
    --------
    >>> in_region((2.49, 48.93, 2.51, 48.94), crs="EPSG:4326")
    True
    >>> in_region((48.93, 2.49, 48.94, 2.51), crs="EPSG:4326")
    False
    """
    return bool(np.isfinite(bounds).all()) and _within(bounds, _region_in(crs))


def propose_crs(bounds: Sequence[float]) -> list[CrsProposal]:
    """Return the systems under which a box would fall in Île-de-France, the likeliest first.

    Parameters
    ----------
    bounds
        ``xmin, ymin, xmax, ymax`` as written in the file.

    Examples
    --------
    >>> [p.code for p in propose_crs((648000, 6852000, 650000, 6854000))]
    ['EPSG:2154']
    >>> propose_crs((48.7, 2.2, 48.9, 2.5))[0].swapped
    True
    """
    if not np.isfinite(bounds).all():
        return []
    found = []
    for code, words in _CANDIDATES.items():
        window = _region_in(code)
        if _within(bounds, window):
            found.append(CrsProposal(code, swapped=False, why=words))
        elif _within((bounds[1], bounds[0], bounds[3], bounds[2]), window):
            found.append(CrsProposal(code, swapped=True, why=f"{words}, axes inversés"))
    return found


def require_metres(frame: gpd.GeoDataFrame, *, what: str = "la table") -> None:
    """Refuse a frame that is not in Lambert-93 before any length or area is computed.

    Raises
    ------
    CrsError
        The frame has no system or another one. Lengths in EPSG:3857 are 1.52 times too long here, areas 2.3 times.
    """
    if frame.crs is None:
        raise CrsError(
            f"Aucun système de coordonnées pour {what} : attendu {METRES} (Lambert-93). Déclarez le système du fichier."
        )
    if frame.crs.to_epsg() != 2154:
        found = frame.crs.to_string()
        raise CrsError(
            f"Mesure refusée pour {what} : système {found}, attendu {METRES} (Lambert-93, en mètres). "
            "Reprojetez d’abord avec geo_qmi.to_metres."
        )


def to_metres(frame: gpd.GeoDataFrame, *, what: str = "la table") -> gpd.GeoDataFrame:
    """Return a copy of `frame` in Lambert-93.

    Raises
    ------
    CrsError
        The frame declares no system: it is never guessed.
    """
    if frame.crs is None:
        raise CrsError(f"Aucun système de coordonnées pour {what} : impossible de passer en mètres sans le déclarer.")
    return frame.to_crs(METRES)


def to_degrees(frame: gpd.GeoDataFrame, *, what: str = "la table") -> gpd.GeoDataFrame:
    """Return a copy of `frame` in longitude and latitude on WGS 84.

    Raises
    ------
    CrsError
        The frame declares no system: it is never guessed.
    """
    if frame.crs is None:
        raise CrsError(f"Aucun système de coordonnées pour {what} : impossible de passer en degrés sans le déclarer.")
    return frame.to_crs(DEGREES)


def repair(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], list[str]]:
    """Return valid geometries and, for each, a French note of what changed.

    A polygon whose rings cross is rebuilt by `shapely.make_valid` (structure method, which keeps the outer shape);
    parts of a lower dimension that appear on the way are dropped and said.

    Parameters
    ----------
    geometries
        Shapely geometries or ``None``.

    Returns
    -------
    geometries
        Array of the same length.
    notes
        Empty string where nothing changed.
    """
    fixed = geometries.copy()
    notes = [""] * len(geometries)
    broken = np.flatnonzero([g is not None and not g.is_empty for g in geometries] & ~shapely.is_valid(geometries))
    for position in broken:
        before = geometries[position]
        after = shapely.make_valid(before, method="structure", keep_collapsed=False)
        fixed[position] = after
        reason = shapely.is_valid_reason(before).split("[")[0].strip()
        change = f"surface {before.area:.6g} → {after.area:.6g}" if after.area else "la surface a disparu"
        notes[position] = f"contour réparé ({_REASONS.get(reason, reason)} ; {change}, en unités du fichier)"
    return fixed, notes


#: GEOS reasons met in practice, in French.
_REASONS = {
    "Self-intersection": "le contour se recoupe",
    "Ring Self-intersection": "un anneau se touche lui-même",
    "Hole lies outside shell": "un trou est hors du contour",
    "Holes are nested": "des trous sont emboîtés",
    "Nested shells": "des contours sont emboîtés",
    "Duplicate Rings": "un anneau est répété",
    "Too few points in geometry component": "trop peu de points",
    "Interior is disconnected": "l’intérieur est coupé en deux",
    "Invalid Coordinate": "coordonnée invalide",
}


def orient(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return polygons wound by the right-hand rule of RFC 7946: outer rings anticlockwise."""
    return cast("NDArray[np.object_]", shapely.orient_polygons(geometries, exterior_cw=False))
