"""What does it cost to write a table so that it is read back, compared and described before it is offered?

The same frame goes through ``geo-qmi export`` and through the writer alone (GDAL's RFC 7946 GeoJSON and GeoPackage by
pyogrio, row by row as by default and by Arrow; GeoParquet with its boxes by pyarrow), turn about, in seconds of
processor: least of the runs, and ratios to quote, with our checks and without. Memory is what the process grew by at
most, beside the size of the file.

Run with ``python benchmarks/export.py [--rows 1000000] [--runs 3]``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

sys.path.insert(0, str(Path(__file__).parent))
from turns import turns

from geo_qmi.export import export_frame, geojson, geopackage, parquet

#: Suffix → module whose `check` reads back, and largest ratio to the writer alone.
FORMATS = {".geojson": (geojson, 0.6), ".gpkg": (geopackage, 1.2), ".parquet": (parquet, 1.2)}


def points(n_rows: int) -> gpd.GeoDataFrame:
    """Rows of two texts, a measure and a count, at places of 20 km a side."""
    random = np.random.default_rng(1)
    east, north = 640_000 + 20_000 * random.random(n_rows), 6_850_000 + 20_000 * random.random(n_rows)
    return gpd.GeoDataFrame(
        {
            "id": pd.Series([f"o{row:07d}" for row in range(n_rows)], dtype="str"),
            "name": pd.Series([f"Été {row % 1000}" for row in range(n_rows)], dtype="str"),
            "measure": random.random(n_rows),
            "count": np.arange(n_rows),
        },
        geometry=gpd.points_from_xy(east, north, crs=2154),
    )


def buildings(n_rows: int) -> gpd.GeoDataFrame:
    """The same rows with squares of 20 m for places."""
    rows = points(n_rows)
    east, north = rows.geometry.x.to_numpy(), rows.geometry.y.to_numpy()
    return rows.set_geometry(gpd.GeoSeries(shapely.box(east, north, east + 20, north + 20), crs=2154))


def alone(frame: gpd.GeoDataFrame, path: Path, *, arrow: bool) -> None:
    """Write `frame` with the writer alone."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, compression="zstd", write_covering_bbox=True)
    else:
        options = {"driver": "GeoJSON", "RFC7946": "YES"} if path.suffix == ".geojson" else {"driver": "GPKG"}
        path.unlink(missing_ok=True)
        pyogrio.write_dataframe(frame, path, use_arrow=arrow, **options)


class Checks:
    """Counts the processor seconds a module's `check` takes, each time the export is run."""

    def __init__(self, module) -> None:
        """Stand in front of ``module.check``."""
        self.seconds, self.honest = 0.0, module.check
        module.check = self

    def __call__(self, *args, **options):
        """Check, and count."""
        started = time.process_time()
        try:
            return self.honest(*args, **options)
        finally:
            self.seconds += time.process_time() - started


def growth(job) -> float:
    """Megabytes the process grows by at most while `job` runs; Linux only."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    Path("/proc/self/clear_refs").write_text("5")  # forget the earlier peak
    before = _kilobytes(status, "VmRSS")
    job()
    return (_kilobytes(status, "VmHWM") - before) / 1000


def _kilobytes(status: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(name))


def compare(frame: gpd.GeoDataFrame, what: str, suffix: str, *, folder: Path, runs: int) -> None:
    """Print the seconds of one format and their ratios to the writer alone."""
    module, target = FORMATS[suffix]
    ours, theirs = folder / f"ours{suffix}", folder / f"alone{suffix}"
    checks, checked = Checks(module), []

    def export() -> None:
        checks.seconds = 0.0
        export_frame(frame, ours, title="Essai", key=["id"])
        checked.append(checks.seconds)

    grown = growth(export)
    _, _, both, plain = turns(export, lambda: alone(frame, theirs, arrow=False), runs=runs, clock=time.process_time)
    line = f"{suffix:9} {len(frame):>9} {what:9} {both:6.2f} s, checks {min(checked):5.2f} s"
    line += (
        f" | alone {plain:6.2f} s: {both / plain:4.2f} (≤ {target}), writing only {(both - min(checked)) / plain:4.2f}"
    )
    if suffix != ".parquet":
        *_, arrow = turns(export, lambda: alone(frame, theirs, arrow=True), runs=runs, clock=time.process_time)
        line += f" | by Arrow {arrow:6.2f} s: {both / arrow:4.2f}"
    print(f"{line} | memory +{grown:4.0f} MB, file {ours.stat().st_size / 1e6:4.0f} MB", flush=True)
    module.check = checks.honest


def main() -> None:
    """Compare the three formats on points, then on outlines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for n_rows in asked.rows:
            for what, made in (("points", points), ("outlines", buildings)):
                frame = made(n_rows)
                for suffix in FORMATS:
                    compare(frame, what, suffix, folder=Path(folder), runs=asked.runs)


if __name__ == "__main__":
    main()
