"""Small walks to reason about by hand: builders of field tables in Lambert-93 metres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import shapely

from geo_qmi import schema

if TYPE_CHECKING:
    import geopandas as gpd

#: A corner of the grid, so that hand-made coordinates stay small.
X, Y = 652_000.0, 6_862_000.0


def at(x: float, y: float) -> shapely.Point:
    """A point so many metres east and north of the corner."""
    return shapely.Point(X + x, Y + y)


def line(*corners: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(X + x, Y + y) for x, y in corners])


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(X + x0, Y + y0, X + x1, Y + y1)


def observations(*rows: dict) -> gpd.GeoDataFrame:
    """Table ``observations``: each row gives what matters, the rest is filled in."""
    full = [
        {
            "observation_id": f"o{number:03d}",
            "session_id": "s1",
            "participant_id": "p1",
            "rank": 1,
            "kind": "mark",
            "source": "essai",
            **row,
        }
        for number, row in enumerate(rows, start=1)
    ]
    columns = list(schema.columns("observations"))
    return schema.typed(pd.DataFrame(full, columns=columns, dtype=object), "observations")


def mark(who: str, where: shapely.Geometry, valence: int | None = None, **more: object) -> dict:
    return {"participant_id": who, "geometry": where, "valence": valence, **more}


def routes(*paths: shapely.LineString, session: str = "s1") -> gpd.GeoDataFrame:
    rows = [
        {"route_id": f"r{number}", "session_id": session, "source": "essai", "geometry": path}
        for number, path in enumerate(paths, start=1)
    ]
    return schema.typed(pd.DataFrame(rows, columns=list(schema.columns("routes"))), "routes")


def sessions(**people: int) -> pd.DataFrame:
    """Table ``sessions``: name → people present; the first letter gives the kind."""
    kinds = {"s": "walk", "b": "stroll", "e": "interview", "w": "workshop"}
    rows = [
        {
            "session_id": name,
            "district_id": "q1",
            "kind": kinds[name[0]],
            "title": name,
            "start": "2026-05-16T10:00",
            "n_participants": n,
            "source": "essai",
        }
        for name, n in people.items()
    ]
    return schema.typed(pd.DataFrame(rows), "sessions")
