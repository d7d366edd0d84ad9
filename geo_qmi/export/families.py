"""Which shapes of a layer go together for software that holds one kind a file?

Points, lines and surfaces, each single or multiple. Nothing here knows a format or a path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo_qmi.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

#: Family of shapes → its GEOS types; the name ends that of the file that holds it.
_FAMILIES = {"points": {0, 4}, "lignes": {1, 2, 5}, "surfaces": {3, 6}}


def parts(layer: Layer) -> Iterator[tuple[Layer, NDArray[np.object_] | None]]:
    """Yield the layer in parts of one family of shapes, with them; rows without a place go with the first part."""
    if layer.geometry is None:
        yield layer, None
        return
    shapes = np.asarray(layer.geometry, dtype=object)
    kinds = shapely.get_type_id(shapes)
    found = {name: np.flatnonzero(np.isin(kinds, list(ids))) for name, ids in _FAMILIES.items()}
    found = {name: rows for name, rows in found.items() if len(rows)} or {"points": np.arange(0)}
    first = next(iter(found))
    found[first] = np.sort(np.concatenate([found[first], np.flatnonzero(kinds == -1)]))
    if sum(map(len, found.values())) < len(shapes):
        raise InputError(
            f"« {layer.title} » contient des collections de formes mêlées, qu’Esri ne tient pas : choisissez .gpkg."
        )
    for family, rows in found.items():
        part = layer.rows(rows, name=layer.name if len(found) == 1 else f"{layer.name}_{family}")
        yield part, _many(shapes[rows])


def _many(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes of one family as collections where single and multiple ones are mixed: Esri holds one type."""
    kinds = shapely.get_type_id(shapes)
    if len(set(kinds.tolist()) - {-1}) < 2:
        return shapes
    many = shapes.copy()
    for kind, gather in ((0, shapely.multipoints), (1, shapely.multilinestrings), (3, shapely.multipolygons)):
        for row in np.flatnonzero(kinds == kind):
            many[row] = gather([shapes[row]])
    return many
