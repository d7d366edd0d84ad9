"""Which place does a survey tool mean by « 48.93 2.49 61 4.5 »?

KoboToolbox and ODK write positions as text, latitude first: one position is a point, several separated by ``;`` a
line, or an area when the last repeats the first. ODK also spreads a point over columns ``-Latitude``, ``-Longitude``…
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_qmi.errors import shown
from geo_qmi.sources import shapes
from geo_qmi.sources.field.collected import fault
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.errors import Defect
    from geo_qmi.sources.raw import RawTable

_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_POSITION = re.compile(rf"\s*({_NUMBER}) ({_NUMBER})(?: ({_NUMBER}))?(?: ({_NUMBER}))?\s*", re.ASCII)
#: Names under which a question of place is met in forms; a cell there that is not a place is a fault.
_PLACES = {"place", "area", "lieu", "zone", "position", "geopoint", "geotrace", "geoshape", "geom", "geometry", "route"}
_PLACES |= {"parcours", "trace", "point", "localisation", "location", "emplacement", "gps", "stage_place"}
_PLACES |= {"statement_place"}
_ODK_PART = re.compile(r"(?P<question>.+)-(?P<part>Latitude|Longitude|Altitude|Accuracy)")
_KOBO_PART = re.compile(r"(?:.*/)?_(?P<question>.+)_(?P<part>latitude|longitude|altitude|precision)")


@dataclass(frozen=True, slots=True)
class Place:
    """One place read from text: its geometry in degrees and the worst accuracy announced, in metres."""

    shape: Any
    accuracy_m: float | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that should hold a place and does not."""

    row: int
    column: str
    value: str
    why: shapes.ShapeError


def read_place(cell: str) -> Place:
    """Return the place written in `cell`.

    Raises
    ------
    shapes.ShapeError
        The text is not « latitude longitude [altitude [précision]] », or is a line of one position.

    Examples
    --------
    >>> read_place("48.93 2.49 61 4.5")
    Place(shape=<POINT (2.49 48.93)>, accuracy_m=4.5)
    >>> read_place("48.93 2.49 0 0;48.94 2.49 0 0;48.94 2.5 0 0;48.93 2.49 0 0").shape.geom_type
    'Polygon'
    """
    found = [_POSITION.fullmatch(part) for part in cell.strip().rstrip(";").split(";")]
    if not all(found):
        raise shapes.ShapeError(
            "attendu : « latitude longitude altitude précision », séparés par des espaces",
            "vérifiez la question de lieu du formulaire, ou videz la cellule",
        )
    positions = [[float(match[2]), float(match[1])] for match in found if match]
    accuracies = [float(match[4]) for match in found if match and match[4]]
    accuracy = max(accuracies) if accuracies else None
    if len(positions) == 1 and ";" not in cell:
        return Place(shapes.point(positions[0]), accuracy)
    if len(positions) > 3 and positions[0] == positions[-1]:
        return Place(shapes.polygon([positions], notes=set()), accuracy)
    return Place(shapes.line(positions), accuracy)


def gather_split(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with each point spread over latitude and longitude columns as one column of text.

    Columns ``q-Latitude``, ``q-Longitude`` (ODK) and ``_q_latitude``, ``_q_longitude`` (KoboToolbox) become ``q``;
    where ``q`` is there already they only repeat it and are left out.
    """
    sets: dict[str, dict[str, str]] = {}
    for column in map(str, frame.columns):
        found = _ODK_PART.fullmatch(column) or _KOBO_PART.fullmatch(column)
        if found:
            sets.setdefault(found["question"], {})[found["part"].lower()] = column
    whole = {question: parts for question, parts in sets.items() if {"latitude", "longitude"} <= parts.keys()}
    out = frame.drop(columns=[column for parts in whole.values() for column in parts.values()])
    there = {str(column).rsplit("/", 1)[-1] for column in out}
    for question, parts in whole.items():
        if question not in there:
            accuracy = parts.get("accuracy", parts.get("precision"))
            names = [parts["latitude"], parts["longitude"], parts.get("altitude"), accuracy]
            joined = [_joined(cells) for cells in zip(*(_cells(frame, name) for name in names), strict=True)]
            out[question] = pd.Series(joined, index=frame.index, dtype=object)
    return out


def _cells(frame: pd.DataFrame, name: str | None) -> list[Any]:
    return [None] * len(frame) if name is None else frame[name].tolist()


def _joined(cells: tuple[Any, ...]) -> str | None:
    latitude, longitude, altitude, accuracy = cells
    if latitude is None and longitude is None:
        return None
    return " ".join(str(part) for part in (latitude, longitude, altitude or 0, accuracy or 0))


def is_place(name: str, cells: pd.Series[Any]) -> bool:
    """Tell whether a column holds places: by its name, or because every cell is one, decimals included."""
    texts = [str(cell) for cell in cells if cell is not None and str(cell).strip()]
    if not texts:
        return False
    if fold(name.rsplit("/", 1)[-1]) in _PLACES:
        return any(_looks(text) for text in texts)
    return all(_looks(text) and "." in text for text in texts)


def _looks(text: str) -> bool:
    return all(_POSITION.fullmatch(part) for part in text.strip().rstrip(";").split(";"))


def first_places(
    frame: pd.DataFrame, columns: list[str], *, lines: bool = False
) -> tuple[NDArray[np.object_], list[Fault]]:
    """Return for each row the first place of `columns`, and the cells that hold none.

    Parameters
    ----------
    lines
        Look at cells of several positions only.

    Returns
    -------
    geometry
        Object array in degrees, ``None`` where no column has a place.
    faults
        Cells that are not places.
    """
    out = np.empty(len(frame), dtype=object)
    out[:] = None
    faults = []
    for column in columns:
        for place, (row, cell) in enumerate(frame[column].items()):
            if cell is None or not str(cell).strip() or (lines and ";" not in str(cell)):
                continue
            try:
                shape = read_place(str(cell)).shape
                out[place] = shape if out[place] is None else out[place]
            except shapes.ShapeError as error:
                faults.append(Fault(int(str(row)), column, shown(cell), error))
    return out, faults


def told(raw: RawTable, found: Fault) -> Defect:
    """Return the defect of a cell that should hold a place."""
    return fault(raw, found.why.reason, found.why.proposal, row=found.row, column=found.column, value=found.value)
