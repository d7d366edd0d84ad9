"""Which marks of a walk look wrong, although a study can hold them?

A mark far from the way walked, a clock ahead of the session, a mark without a place that is not an absence. They are
listed, never dropped or corrected: somebody was there and we were not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import shapely

from geo_qmi.errors import Defect, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd

#: Farther than this from the way walked, a mark is a mistake of system, of session or of hand, or was made later.
FAR_M = 500.0
_ZONE = "Europe/Paris"


def doubts(observations: gpd.GeoDataFrame, *, routes: gpd.GeoDataFrame, start: str) -> list[Defect]:
    """Return the doubts about the observations of one session, in row order.

    Parameters
    ----------
    observations
        Rows of the table, in EPSG:2154; the index is the row number in the file.
    routes
        Routes of the session, in EPSG:2154; none means that distance cannot be judged.
    start
        Start of the session, ISO text.
    """
    path = routes.geometry.union_all() if len(routes) else None
    began = _instant(start)
    found = []
    for row, record in zip(observations.index, observations.to_dict("records"), strict=True):
        for field, value, reason, proposal in _of_one(record, path=path, began=began):
            ident = shown(record["observation_id"])
            found.append(
                Defect(
                    "warning",
                    reason,
                    proposal,
                    layer="observations",
                    row=int(row),
                    id=ident,
                    field=field,
                    value=shown(value),
                )
            )
    return found


def _of_one(
    record: dict[str, object], *, path: shapely.Geometry | None, began: pd.Timestamp | None
) -> Iterator[tuple[str, object, str, str]]:
    shape = record["geometry"]
    if not isinstance(shape, shapely.Geometry):
        if record["kind"] != "absence":
            yield (
                "geometry",
                None,
                "observation sans lieu qui n’est pas une absence",
                "placez-la, ou indiquez « ce qui manque »",
            )
    elif path is not None and (away := shape.distance(path)) > FAR_M:
        yield (
            "geometry",
            None,
            f"à {away:.0f} m du parcours de la séance ; attendu : {FAR_M:.0f} m au plus",
            "vérifiez la séance, le système de coordonnées et la position",
        )
    moment = _instant(record["time"])
    if moment is not None and began is not None and moment < began:
        yield (
            "time",
            record["time"],
            "heure antérieure au début de la séance",
            "vérifiez l’horloge de l’appareil, le fuseau horaire et la séance",
        )


def _instant(text: object) -> pd.Timestamp | None:
    """Return an ISO text as an instant, local time where it names no offset; ``None`` where there is none."""
    stamp = pd.to_datetime(text, errors="coerce") if isinstance(text, str) else pd.NaT
    if pd.isna(stamp):
        return None
    return stamp if stamp.tzinfo else stamp.tz_localize(_ZONE, ambiguous=True, nonexistent="shift_forward")
