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

from geo_qmi.export.pieces import (
    Piece,
    Written,
    arrow_type,
    as_wkb,
    fingerprint,
    pieces,
    require_same,
    shapes_in,
    unlike,
    unlocated,
)
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
    repeated = [f.name for f in layer.fields if f.kind not in {"number", "integer"} and f.name not in layer.key]
    prints = {}
    # A dictionary of identifiers, measures or places, which do not repeat, takes longer than all the rest.
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6", use_dictionary=repeated) as writer:
        for piece in pieces(layer):
            rows = _with_places(piece)
            if piece.shapes is not None:
                prints[piece.start] = fingerprint(rows[GEOMETRY].chunk(0))
            writer.write_table(rows.cast(schema), row_group_size=max(1, rows.num_rows))
    check(path, layer, schema, prints)
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
    boxes = _boxes(piece.shapes)
    return piece.cells.append_column(GEOMETRY, as_wkb(piece.shapes)).append_column(BOX, boxes)


def _boxes(shapes: NDArray[np.object_]) -> pa.StructArray:
    """Return the box of each shape, null where there is none."""
    sides = [pa.array(np.ascontiguousarray(side)) for side in shapely.bounds(shapes).T]
    return pa.StructArray.from_arrays(sides, fields=list(_BOX_TYPE), mask=pa.array(shapely.is_missing(shapes)))


def check(path: Path, layer: Layer, schema: pa.Schema, prints: Mapping[int, bytes]) -> None:
    """Refuse a file that does not give back the rows, or whose metadata is not what readers look for.

    Parameters
    ----------
    schema
        Columns and metadata that were meant.
    prints
        First row of each piece → `geo_qmi.export.pieces.fingerprint` of its places as they were handed to the writer.

    Raises
    ------
    InputError
        The sentence names the first difference.
    """
    with pq.ParquetFile(path) as file:
        if file.metadata.num_rows != len(layer.frame):
            raise unlike(layer, f"{file.metadata.num_rows} lignes au lieu de {len(layer.frame)}")
        if not file.schema_arrow.equals(schema, check_metadata=True):
            raise unlike(layer, "colonnes ou métadonnées « geo » inexactes")
        for group, piece in enumerate(pieces(layer)):
            found = file.read_row_group(group)
            plain = found.select([field.name for field in layer.fields])
            values = plain.replace_schema_metadata(None).cast(piece.cells.schema)
            shapes = None
            if piece.shapes is not None:
                shapes = shapes_in(found[GEOMETRY], piece, written=prints[piece.start])
                if not found[BOX].combine_chunks().equals(_boxes(piece.shapes)):
                    raise unlike(layer, "rectangles englobants inexacts")
            require_same(piece, values, layer, shapes=shapes, tolerance=0.0)
