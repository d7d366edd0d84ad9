"""Are these frames fit to become places and values?

The guards of the doors of this package: columns, metres, identifiers. Each refusal is one French sentence. Inside the
package frames are trusted; faults of single observations are listed when a walk is imported, not refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo_qmi.errors import InputError, shown
from geo_qmi.geo import require_metres
from geo_qmi.guards import require_columns
from geo_qmi.wording import counted

if TYPE_CHECKING:
    import geopandas as gpd

#: Under this many people at a place nothing is drawn as a surface and no interval is given: symbols with their number.
#: Five people can be drawn again in 126 ways, four in 35: below five an interval says more about the drawing than
#: about the place, and a smooth colour hides that one person more would change it.
FLOOR_PEOPLE = 5

#: The five answers of the scale of the walk, in order.
SCALE = (-2, -1, 0, 1, 2)


def require_places(places: gpd.GeoDataFrame) -> None:
    """Raise unless `places` has unique ``place_id``, a unique index and drawn geometries in Lambert-93."""
    require_columns(places, ["place_id", "geometry"], what="Lieux")
    require_metres(places, what="les lieux")
    twice = places["place_id"][places["place_id"].duplicated()]
    if len(twice):
        raise InputError(f"Lieux : identifiant présent plusieurs fois : « {shown(twice.iloc[0])} ». Renommez-les.")
    if not places.index.is_unique:
        raise InputError("Lieux : l’index de la table contient des doublons. Remettez-le à zéro (reset_index).")
    n_undrawn = int((places.geometry.isna() | places.geometry.is_empty).sum())
    if n_undrawn:
        raise InputError(
            f"Lieux : {counted(n_undrawn, 'lieu', 'lieux')} sans géométrie. "
            "Retirez ce qui n’est pas dessiné : un lieu inconnu n’a pas de valeur."
        )


def require_observations(observations: gpd.GeoDataFrame, *extra: str) -> None:
    """Raise unless `observations` carries what a vote needs, in Lambert-93, on the scale from −2 to +2."""
    needed = ["observation_id", "session_id", "participant_id", "kind", "valence", "geometry", *extra]
    require_columns(observations, needed, what="Observations")
    require_metres(observations, what="les observations")
    n_nameless = int(observations["participant_id"].isna().sum())
    if n_nameless:
        raise InputError(
            f"Observations : {counted(n_nameless, 'ligne')} sans pseudonyme. Sans savoir qui parle, une personne "
            "ne peut avoir une seule voix : donnez un pseudonyme à chaque ligne."
        )
    outside = observations["valence"].notna() & ~observations["valence"].isin(SCALE)
    if outside.any():
        row = observations[outside].iloc[0]
        raise InputError(
            f"Observations : valence « {shown(row['valence'])} » ({shown(row['observation_id'])}). "
            "Attendu : un entier entre −2 et +2, ou rien."
        )
