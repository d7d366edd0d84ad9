"""What do people-first values cost beside a bare join, and how long does one district take?

Prints, for 100 000 observations in 100 districts, the time of `values` against the bare join of points and polygons
(shapely tree) with a numpy group-by, both in this run; then the places and states of one shipped district in cells of
10 m. Best of several runs; run it alone on the machine.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import shipped_tables
from geo_qmi.sensitive import cells, felt, values

if TYPE_CHECKING:
    from collections.abc import Callable

N_OBSERVATIONS, N_DISTRICTS, CORNERS = 100_000, 100, 64


def best(question: Callable[[], object], *, runs: int = 7) -> float:
    """Return the shortest of several runs, in seconds; the first warms up."""
    question()
    spent = []
    for _ in range(runs):
        start = time.perf_counter()
        question()
        spent.append(time.perf_counter() - start)
    return min(spent)


def crowd() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return 100 round districts of 64 corners on a square, and observations spread over them by 5 000 people."""
    rng = np.random.default_rng(1)
    centres = np.stack(np.meshgrid(np.arange(10), np.arange(10)), axis=-1).reshape(-1, 2) * 1000.0 + [
        650_000,
        6_860_000,
    ]
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    rings = centres[:, None] + 480 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    names = pd.Series([f"q{n}" for n in range(N_DISTRICTS)], dtype="str")
    districts = gpd.GeoDataFrame({"place_id": names}, geometry=shapely.polygons(rings), crs=2154)
    points = rng.uniform(-500, 500, (N_OBSERVATIONS, 2)) + centres[rng.integers(0, N_DISTRICTS, N_OBSERVATIONS)]
    columns = {
        "observation_id": pd.Series([f"o{n}" for n in range(N_OBSERVATIONS)], dtype="str"),
        "session_id": pd.Series(rng.integers(0, 400, N_OBSERVATIONS), dtype="str"),
        "participant_id": pd.Series(rng.integers(0, 5000, N_OBSERVATIONS), dtype="str"),
        "kind": pd.Series("mark", index=range(N_OBSERVATIONS), dtype="str"),
        "valence": pd.Series(rng.integers(-2, 3, N_OBSERVATIONS), dtype="Int64"),
    }
    return gpd.GeoDataFrame(columns, geometry=shapely.points(points), crs=2154), districts


def bare(observations: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> np.ndarray:
    """Join points with polygons and average the marks: no people, no evidence, no dissensus."""
    tree = shapely.STRtree(districts.geometry.to_numpy())
    row, place = tree.query(observations.geometry.to_numpy(), predicate="intersects")
    answers = observations["valence"].to_numpy(dtype=float)[row]
    return np.bincount(place, weights=answers) / np.bincount(place)


def one_district(district_id: str) -> tuple[int, int, float]:
    """Return observations, cells and seconds of the places and states of one shipped district."""
    tables = shipped_tables()
    own = tables["sessions"]["session_id"][tables["sessions"]["district_id"] == district_id]
    host = tables["districts"][tables["districts"]["district_id"] == district_id]
    seen, paths = (tables[name][tables[name]["session_id"].isin(own)] for name in ("observations", "routes"))
    copies = pd.concat([seen] * 3).head(150).reset_index(drop=True)
    seconds = best(lambda: felt(copies, places=cells(host, cell_m=10), routes=paths))
    return len(copies), len(cells(host, cell_m=10)), seconds


if __name__ == "__main__":
    marks, grounds = crowd()
    reference = best(lambda: bare(marks, grounds))
    ours = best(lambda: values(marks, places=grounds))
    print(f"{N_OBSERVATIONS} observations × {N_DISTRICTS} districts: bare join and group-by {1e3 * reference:.0f} ms")
    print(f"  values, one person one vote: {1e3 * ours:.0f} ms, ratio {ours / reference:.2f} (target 3)")
    for name in ("QMI1-AUL", "QMI1-NOI"):
        n, n_cells, seconds = one_district(name)
        print(f"{name}: {n} observations, {n_cells} cells of 10 m: {1e3 * seconds:.0f} ms (target 150)")
