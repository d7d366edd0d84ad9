"""Where might the demonstration railways be crossed on foot?

Nobody publishes the crossings of these railways: every row here is made up, marked ``demo`` and *assumed*, so that the
severance card has something to show. One crossing stands at each station that touches the tracks; a few street
crossings are drawn at seeded places between them. They are no survey: bridges and underpasses exist that are not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A station this close to an axis of tracks stands on it; its published point is that of the station building.
_AT_STATION_M = 80.0
#: No crossing nearer to the end of an axis, where two railways meet and one link would cross both.
_FROM_END_M = 60.0
#: Railways shown in the demonstration, and how many street crossings are invented on each.
_STREETS = {"RAIL-AUL-1": 1, "RAIL-AUL-2": 2, "RAIL-AUL-3": 1, "RAIL-SCE-1": 2, "RAIL-SCE-2": 1, "RAIL-SCE-3": 1}
_NOTE = "Franchissement supposé, inventé pour la démonstration : à relever sur place."


def crossing_rows(
    barriers: Mapping[str, shapely.Geometry], stations: Mapping[str, tuple[str, shapely.Point]], *, seed: int
) -> list[dict[str, Any]]:
    """Return the rows of ``crossings``, geometry in metres.

    Parameters
    ----------
    barriers
        Identifier → axis of tracks.
    stations
        Identifier → name and point; lines of one station repeat its name, which gets one crossing only.
    """
    rng = np.random.default_rng([seed, 7])
    rows: list[dict[str, Any]] = []
    placed: set[str] = set()
    for barrier, streets in _STREETS.items():
        axis = barriers[barrier]
        named: dict[str, shapely.Point] = {}
        for name, point in stations.values():
            if shapely.distance(axis, point) <= _AT_STATION_M and name not in placed:
                named.setdefault(name, point)
        placed |= set(named)
        taken = []
        for name, point in sorted(named.items()):
            along = float(np.clip(shapely.line_locate_point(axis, point), _FROM_END_M, axis.length - _FROM_END_M))
            taken.append(along)
            rows.append(_row(barrier, _station_name(name), axis, along, kind="station", rng=rng))
        for rank in range(streets):
            along = axis.length * (rank + rng.uniform(0.3, 0.7)) / streets
            if any(abs(along - other) < 150 for other in taken):
                along = (along + axis.length / 3) % axis.length
            kind = str(rng.choice(["bridge", "underpass"]))
            rows.append(_row(barrier, f"Passage inventé n° {rank + 1}", axis, along, kind=kind, rng=rng))
    return [row | {"crossing_id": f"demo-F{number:02d}"} for number, row in enumerate(rows, start=1)]


def _station_name(name: str) -> str:
    """Return the French name of the crossing at a station."""
    return f"Gare d’{name}" if name[0] in "AEIOUYÉÎ" else f"Gare de {name}"


def _row(
    barrier: str, name: str, axis: shapely.Geometry, along: float, *, kind: str, rng: np.random.Generator
) -> dict[str, Any]:
    """Return one crossing; a third of the answers stay unknown, as in a first survey."""

    def answer(share: float) -> bool | None:
        return None if rng.random() < 1 / 3 else bool(rng.random() < share)

    return {
        "barrier_id": barrier,
        "name": name,
        "kind": kind,
        "status": "assumed",
        "level": {"bridge": 1, "underpass": -1, "station": -1}[kind],
        "hours": "05:00-01:15" if kind == "station" else "24/7",
        "step_free": answer(0.4),
        "lit": answer(0.8),
        "felt_safe": answer(0.5),
        "climb_m": {"bridge": 6.0, "underpass": 4.0, "station": 4.0}[kind],
        "note": _NOTE,
        "geometry_source": "point de l’axe numérisé des voies ; emplacement inventé",
        "geometry_status": "approximate",
        "precision_m": 100.0,
        "geometry": shapely.line_interpolate_point(axis, along),
    }
