"""Is the file what was meant?

A `Rendering` is one layer as the bytes of a file, beside the values those bytes must give back; a `Reading` is what
a format's own light reader finds in them. `require_equal` compares the two, so that no export reaches its final name
unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo_qmi.errors import InputError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer


@dataclass(frozen=True, slots=True)
class Rendering:
    """One layer as bytes.

    Attributes
    ----------
    values
        Column → Python values a reader must find.
    geometry
        Shapes a reader must find, in the system of the file; ``None`` for a table without geometry.
    tolerance
        Largest difference of a coordinate allowed on reading back, in units of the file.
    remarks
        French sentences about what writing changed.
    """

    data: bytes
    values: dict[str, list[Any]]
    geometry: NDArray[np.object_] | None
    crs: str | None
    tolerance: float
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: column → Python values, and the shapes."""

    values: dict[str, list[Any]]
    geometry: NDArray[np.object_] | None


def require_equal(rendering: Rendering, reading: Reading, layer: Layer) -> None:
    """Refuse a file that does not give back the layer.

    Raises
    ------
    InputError
        Rows, columns, types, missing values, text or geometry differ; the sentence names the first difference.
    """
    problem = _difference(rendering, reading, layer)
    if problem:
        raise InputError(
            f"Export de « {layer.title} » annulé : relu, le fichier diffère de la table ({problem}). "
            "Rien n’a été écrit ; essayez un autre format et signalez ce défaut."
        )


def _difference(rendering: Rendering, reading: Reading, layer: Layer) -> str:
    if list(reading.values) != list(rendering.values):
        return f"colonnes {', '.join(map(shown, reading.values))}"
    for column, expected in rendering.values.items():
        found = reading.values[column]
        if len(found) != len(expected):
            return f"{len(found)} lignes au lieu de {len(expected)}"
        if found == expected and list(map(type, found)) == list(map(type, expected)):
            continue
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            if type(one) is not type(other) or one != other:
                return f"{layer.name_rows([place])}, colonne {column} : « {shown(one)} » pour « {shown(other)} »"
    return _moved(rendering, reading, layer)


def _moved(rendering: Rendering, reading: Reading, layer: Layer) -> str:
    expected, found = rendering.geometry, reading.geometry
    if expected is None or found is None:
        return "" if expected is found else "géométrie présente d’un seul côté"
    if len(expected) != len(found):
        return f"{len(found)} géométries au lieu de {len(expected)}"
    known = ~shapely.is_missing(expected)
    same = (known == ~shapely.is_missing(found)) & (shapely.get_type_id(expected) == shapely.get_type_id(found))
    same &= shapely.has_z(expected) == shapely.has_z(found)
    same &= ~known | shapely.equals_exact(expected, found, tolerance=rendering.tolerance)
    return "" if same.all() else f"géométrie de {layer.name_rows(np.flatnonzero(~same))}"
