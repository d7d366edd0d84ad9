"""How is a layer written as GeoParquet 1.1, for large layers and for the cloud?

Lambert-93, WKB geometry, zstd, and a ``bbox`` column declared as ``covering``, so that a reader fetches only the rows
of its window. Written row group by row group; what the file is and its licence are in its key-value metadata.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from geo_qmi.export.pieces import Piece, Written, arrow_type, as_wkb, from_wkb, pieces, require_same, unlike, unlocated
from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

GEOMETRY, BOX = "geometry", "bbox"
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_BOX_TYPE = pa.struct([(side, pa.float64()) for side in _SIDES])
_VERSION = "1.1.0"


def write(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write `layer` as GeoParquet, or as plain Parquet when it has no geometry."""
    schema = _schema(layer, about)
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6", store_schema=True) as writer:
        for piece in pieces(layer):
            writer.write_table(_with_places(piece).cast(schema), row_group_size=max(1, piece.cells.num_rows))
    _require_readable(layer, path)
    return Written(None if layer.geometry is None else CRS, unlocated(layer))


def _schema(layer: Layer, about: Mapping[str, Any]) -> pa.Schema:
    """Return the columns with their French words, and the metadata of the file."""
    fields = [
        pa.field(field.name, arrow_type(field), metadata={"title": field.label, "description": field.description})
        for field in layer.fields
    ]
    metadata = {"geo_qmi": json.dumps(about, ensure_ascii=False)}
    if layer.geometry is not None:
        fields += [pa.field(GEOMETRY, pa.binary()), pa.field(BOX, _BOX_TYPE)]
        metadata["geo"] = json.dumps(_geo(layer))
    return pa.schema(fields, metadata=metadata)


def _geo(layer: Layer) -> dict[str, Any]:
    """Return the ``geo`` record of GeoParquet 1.1."""
    shapes = np.asarray(layer.geometry, dtype=object)
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(_types(shapes)),
        "crs": pyproj.CRS.from_user_input(CRS).to_json_dict(),
        "covering": {BOX: {side: [BOX, side] for side in _SIDES}},
    }
    if not shapely.is_missing(shapes).all():
        column["bbox"] = shapely.total_bounds(shapes).tolist()
    return {"version": _VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def _types(shapes: NDArray[np.object_]) -> set[str]:
    kinds = shapely.get_type_id(shapes) * 2 + shapely.has_z(shapes)
    _, first = np.unique(kinds, return_index=True)
    known = [shapes[place] for place in first if shapes[place] is not None]
    return {f"{shape.geom_type}{' Z' if shape.has_z else ''}" for shape in known}


def _with_places(piece: Piece) -> pa.Table:
    if piece.shapes is None:
        return piece.cells
    box = shapely.bounds(piece.shapes)
    missing = pa.array(shapely.is_missing(piece.shapes))
    sides = [pa.array(np.ascontiguousarray(side)) for side in box.T]
    boxes = pa.StructArray.from_arrays(sides, fields=list(_BOX_TYPE), mask=missing)
    return piece.cells.append_column(GEOMETRY, as_wkb(piece.shapes)).append_column(BOX, boxes)


def _require_readable(layer: Layer, path: Path) -> None:
    """Refuse a file that does not give back the rows, or whose metadata is not what readers look for."""
    with pq.ParquetFile(path) as file:
        if file.metadata.num_rows != len(layer.frame):
            raise unlike(layer, f"{file.metadata.num_rows} lignes au lieu de {len(layer.frame)}")
        if layer.geometry is not None and json.loads(file.schema_arrow.metadata[b"geo"])["version"] != _VERSION:
            raise unlike(layer, "métadonnées « geo » absentes")
        for group, piece in enumerate(pieces(layer)):
            found = file.read_row_group(group)
            plain = found.select([field.name for field in layer.fields])
            values = plain.replace_schema_metadata(None).cast(piece.cells.schema)
            if piece.shapes is None:
                require_same(piece, values, layer, shapes=None, tolerance=0.0)
                continue
            same = found[GEOMETRY].combine_chunks().equals(as_wkb(piece.shapes))
            shapes = piece.shapes if same else from_wkb(found[GEOMETRY])
            require_same(piece, values, layer, shapes=shapes, tolerance=0.0)
