"""How do the results of a walk leave as files?

One GeoJSON for what has a place, one CSV for what has none, each with its card that says which ground was walked and
which study was read. The exact words of people are not in these results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from geo_qmi import export

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd


def write(frames: Mapping[str, pd.DataFrame], folder: Path, *, title: str, provenance: Mapping[str, Any]) -> list[Path]:
    """Write each frame under its name and return the paths; empty frames are left out.

    Parameters
    ----------
    frames
        File name without suffix → frame; a GeoDataFrame becomes GeoJSON, another frame CSV.
    title
        French title, followed by the name of each file.
    provenance
        For the cards: ground, parameters, study.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, frame in frames.items():
        if frame.empty:
            continue
        suffix = ".geojson" if isinstance(frame, gpd.GeoDataFrame) else ".csv"
        flat = frame.reset_index() if frame.index.name else frame.reset_index(drop=True)
        done = export.export_frame(
            _finite(flat), folder / f"{name}{suffix}", title=f"{title} — {name}", provenance=provenance
        )
        written.append(done.path)
    return written


def _finite(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with infinite numbers missing: no format holds them, and no way is not a length."""
    numbers = frame.select_dtypes("float").columns
    return frame.assign(**{name: frame[name].replace([np.inf, -np.inf], np.nan) for name in numbers})
