"""What does a file say, before anybody decides what it means?

A `RawTable` is one layer or sheet exactly as its publisher wrote it: text stays text (SIRET ``01234…`` keeps its
zero), row numbers are the ones the user sees, and a row that could not be parsed is a `Defect`, never a gap.
Nothing here knows the tables of a study: `geo_qmi.intake` gives the meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from geo_qmi.errors import Defect


@dataclass(slots=True)
class RawTable:
    """One layer or sheet of a file, unparsed and complete.

    Attributes
    ----------
    file
        Name of the file as the user gave it (with ``!entry`` for an archive member).
    layer
        Layer, sheet or entry name; the file's stem where the format has none.
    frame
        One row per record, index = row number as the user sees it (spreadsheet line, header = 1; or feature
        number from 1). Cells are ``str``, ``int``, ``float``, ``bool`` or ``None``; text formats give ``str``.
    geometry
        Object array of shapely geometries or ``None``, as long as `frame`; ``None`` when the format carries none.
    crs
        Declared coordinate system as an authority code (``EPSG:2154``), or ``None`` when the file says nothing.
    n_in
        Records met in the file: rows of `frame` plus records lost to a defect.
    defects
        Faults met while parsing.
    """

    file: str
    layer: str
    frame: pd.DataFrame
    geometry: np.ndarray | None = None
    crs: str | None = None
    n_in: int = 0
    defects: list[Defect] = field(default_factory=list)
