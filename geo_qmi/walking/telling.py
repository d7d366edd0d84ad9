"""How do the results of a walk leave: as French tables, and as plain JSON types?

Chooses columns, headings and decimals. A number nobody knows stays missing; nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_qmi import maps

if TYPE_CHECKING:
    from collections.abc import Mapping


def tidy(frame: pd.DataFrame, headings: Mapping[str, str], *, digits: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return the columns named in `headings`, under their French heading, rounded, without index or geometry.

    Parameters
    ----------
    frame
        Any result; its index may be named in `headings` too.
    headings
        Column → heading, in the order to show; columns that do not exist are left out.
    digits
        Column → decimals to keep; whole numbers by default.
    """
    flat = pd.DataFrame(frame.reset_index() if frame.index.name in headings else frame)
    shown: dict[str, Any] = {}
    for column, heading in headings.items():
        if column not in flat:
            continue
        cells = flat[column]
        if pd.api.types.is_float_dtype(cells):
            numbers = cells.to_numpy(dtype="float64", na_value=np.nan)
            shown[heading] = np.where(np.isfinite(numbers), numbers, np.nan).round((digits or {}).get(column, 0))
        elif pd.api.types.is_bool_dtype(cells):
            shown[heading] = cells.map({True: "oui", False: "non"}).array
        else:
            shown[heading] = cells.array
    return pd.DataFrame(shown)


def printed(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the rows of a French table as text; a missing cell is a dash."""
    return [tuple("—" if pd.isna(cell) else maps.words(cell) for cell in row) for row in frame.itertuples(index=False)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as plain JSON types: what is missing or infinite is null, geometries are left out.

    Examples
    --------
    >>> records(pd.DataFrame({"m": [1.5, float("inf")], "ok": [True, False]}, index=pd.Index(["a", "b"], name="id")))
    [{'id': 'a', 'm': 1.5, 'ok': True}, {'id': 'b', 'm': None, 'ok': False}]
    """
    flat = pd.DataFrame(frame.reset_index() if frame.index.name else frame)
    flat = flat[[column for column in flat if column != "geometry"]]
    return [
        {str(name): _plain(value) for name, value in zip(flat.columns, row, strict=True)}
        for row in flat.itertuples(index=False)
    ]


def _plain(value: Any) -> Any:
    """Return one cell as a JSON type."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return str(value)
