"""Which field records look wrong, and what should be done about each?

Lists what a walk brings back in every campaign: a mark left at home, a clock an hour late, a theme nobody knows, a
photo that did not follow, the same identifier twice, a mark without a place. Nothing is dropped or repaired here: the
planner decides. What the schema already refuses (types, bounds) is `geo_qmi.schema.validate`'s to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import Defect, shown
from geo_qmi.geo import require_metres
from geo_qmi.sensitive.inputs import require_columns
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

#: Farther than this from the walk an observation is elsewhere: a wrong system, a wrong session, or a mark made later.
FAR_M = 500.0
#: Local time of every session without an offset.
_ZONE = "Europe/Paris"


def field_defects(
    observations: gpd.GeoDataFrame,
    *,
    sessions: pd.DataFrame,
    routes: gpd.GeoDataFrame,
    photos: Collection[str] | None = None,
    themes: Collection[str] = tuple(THEMES),
    far_m: float = FAR_M,
) -> list[Defect]:
    """Return every doubt about the observations, all at once, in row order.

    Parameters
    ----------
    observations
        Table ``observations`` in EPSG:2154, before or after `geo_qmi.schema.typed`.
    sessions, routes
        Tables of those names; an observation is held against the routes of its session.
    photos
        SHA-256 of the photos that arrived; not checked when ``None``.
    themes
        Codes that may be used.
    far_m
        Farthest from the walk, in metres.

    Returns
    -------
    Defects, ``error`` when a study would refuse the row, else ``warning``; ``row`` is the index label of the row.
    """
    needed = ["observation_id", "session_id", "kind", "theme", "time", "photo_sha256", "geometry"]
    require_columns(observations, needed, what="Observations")
    require_columns(sessions, ["session_id", "start"], what="Séances")
    require_columns(routes, ["session_id", "geometry"], what="Parcours")
    require_metres(observations, what="les observations")
    require_metres(routes, what="les parcours")
    found = [
        *_twice(observations),
        *_unplaced(observations),
        *_far(observations, routes=routes, far_m=far_m),
        *_early(observations, sessions=sessions),
        *_unknown_themes(observations, themes=themes),
        *_lost_photos(observations, photos=photos),
    ]
    order = {label: position for position, label in enumerate(observations.index)}
    return [defect for _, defect in sorted(found, key=lambda pair: order[pair[0]])]


def _told(
    observations: gpd.GeoDataFrame,
    wrong: NDArray[np.bool_] | pd.Series[bool],
    *,
    words: Mapping[str, str],
    field: str,
    error: bool = False,
) -> Iterator[tuple[object, Defect]]:
    """Yield a defect for each wrong row; `words` holds ``reason``, ``proposal``."""
    for label, row in observations[np.asarray(wrong, dtype=bool)].iterrows():
        value = row[field] if field != "geometry" else None
        yield (
            label,
            Defect(
                "error" if error else "warning",
                words["reason"],
                words["proposal"],
                layer="observations",
                row=int(label) if isinstance(label, int | np.integer) else None,
                id=shown(row["observation_id"]) if pd.notna(row["observation_id"]) else "",
                field=field,
                value=shown(value) if value is not None and pd.notna(value) else "",
            ),
        )


def _twice(observations: gpd.GeoDataFrame) -> Iterator[tuple[object, Defect]]:
    words = {
        "reason": "identifiant présent plusieurs fois",
        "proposal": "gardez une ligne, ou donnez un identifiant différent à chaque observation",
    }
    wrong = observations["observation_id"].duplicated(keep=False)
    yield from _told(observations, wrong, words=words, field="observation_id", error=True)


def _unplaced(observations: gpd.GeoDataFrame) -> Iterator[tuple[object, Defect]]:
    words = {
        "reason": "observation sans lieu qui n’est pas une absence",
        "proposal": "placez-la, ou indiquez qu’il s’agit de « ce qui manque » (absence)",
    }
    nowhere = observations.geometry.isna() | observations.geometry.is_empty
    yield from _told(observations, nowhere & ~observations["kind"].eq("absence"), words=words, field="geometry")


def _far(observations: gpd.GeoDataFrame, *, routes: gpd.GeoDataFrame, far_m: float) -> Iterator[tuple[object, Defect]]:
    """Yield what lies too far from every route of its session; a session without a route says nothing."""
    paths = {session: group.geometry.union_all() for session, group in routes.groupby("session_id")}
    path = np.array([paths.get(session) for session in observations["session_id"]], dtype=object)
    away = shapely.distance(observations.geometry.to_numpy(), path)
    for position in np.flatnonzero(away > far_m):
        words = {
            "reason": f"à {away[position]:.0f} m du parcours de la séance ; attendu : {far_m:.0f} m au plus",
            "proposal": "vérifiez la séance, le système de coordonnées et la position",
        }
        only = np.arange(len(observations)) == position
        yield from _told(observations, only, words=words, field="geometry")


def _early(observations: gpd.GeoDataFrame, *, sessions: pd.DataFrame) -> Iterator[tuple[object, Defect]]:
    start = _instants(observations["session_id"].map(sessions.set_index("session_id")["start"]))
    words = {
        "reason": "heure antérieure au début de la séance",
        "proposal": "vérifiez l’horloge de l’appareil, le fuseau horaire et la séance",
    }
    yield from _told(observations, _instants(observations["time"]) < start, words=words, field="time")


def _instants(texts: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Return ISO texts as instants; those without an offset are in local time, what cannot be read is missing."""
    read = pd.DatetimeIndex([_instant(text) or pd.NaT for text in texts], tz="UTC")
    return pd.Series(read, index=texts.index)


def _instant(text: object) -> pd.Timestamp | None:
    stamp = pd.to_datetime(text, errors="coerce") if isinstance(text, str) else None
    if stamp is None or pd.isna(stamp):
        return None
    if stamp.tzinfo is None:
        stamp = stamp.tz_localize(_ZONE, ambiguous=True, nonexistent="shift_forward")
    return stamp.tz_convert("UTC")


def _unknown_themes(observations: gpd.GeoDataFrame, *, themes: Collection[str]) -> Iterator[tuple[object, Defect]]:
    words = {
        "reason": "thème inconnu",
        "proposal": f"choisissez parmi : {', '.join(themes)} ; ou ajoutez ce mot à la taxonomie",
    }
    wrong = observations["theme"].notna() & ~observations["theme"].isin(list(themes))
    yield from _told(observations, wrong, words=words, field="theme", error=True)


def _lost_photos(observations: gpd.GeoDataFrame, *, photos: Collection[str] | None) -> Iterator[tuple[object, Defect]]:
    if photos is None:
        return
    words = {
        "reason": "photo annoncée mais absente de la livraison",
        "proposal": "récupérez le fichier sur l’appareil avant de l’effacer",
    }
    wrong = observations["photo_sha256"].notna() & ~observations["photo_sha256"].isin(list(photos))
    yield from _told(observations, wrong, words=words, field="photo_sha256")
