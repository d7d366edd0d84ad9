"""How is a layer written as GeoJSON that any reader takes?

Strictly RFC 7946: WGS 84 and no ``crs``, right-hand rule, six decimals, one feature a line in a stable order, a null
geometry where the place is unknown. Columns become text whole, in Arrow, and are interleaved there: no Python object
is made for a row. Each piece is parsed and compared before it is written. How places become degrees is the business of
`geo_qmi.export.degrees`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyarrow import json as arrow_json

from geo_qmi.export.degrees import Degrees
from geo_qmi.export.pieces import Piece, Written, arrow_type, pieces, require_same, unlike

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

#: GEOS type → how deep its coordinates are nested. Collections have none and take the slow way.
_DEPTHS = {0: 1, 1: 2, 3: 3, 4: 2, 5: 3, 6: 4}
_COLLECTION = 7
_ESCAPES = {"\\": "\\\\", '"': '\\"'} | {chr(code): json.dumps(chr(code))[1:-1] for code in range(1, 32)}
#: Largest difference between a written coordinate and the same read back, in degrees.
_TOLERANCE = 1e-9


def write(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write `layer` as a FeatureCollection.

    Foreign members say what it is (and that it is demonstration) and under which licence; ``id`` repeats the key.
    """
    degrees = Degrees(layer)
    boxes, n_lost, last = [], 0, b""
    with path.open("wb") as stream:
        stream.write(_head(layer, about))
        for piece in pieces(layer):
            shapes = None if piece.shapes is None else degrees.of(piece.shapes, start=piece.start)
            piece = Piece(piece.start, piece.cells, shapes)  # noqa: PLW2901 — the same rows, in degrees
            stream.write(last)
            text = _features(piece, layer.key)
            values, found = _parsed(text, piece, layer)
            require_same(piece, values, layer, shapes=found, tolerance=_TOLERANCE)
            stream.write(text[: -len(b",\n")])
            last = b",\n" if text else b""
            if shapes is not None and not shapely.is_missing(shapes).all():
                boxes.append(shapely.total_bounds(shapes))
                n_lost += int(shapely.is_missing(shapes).sum())
            elif shapes is not None:
                n_lost += len(shapes)
        stream.write(_tail(boxes))
    _require_closed(path, layer)
    return Written("OGC:CRS84", None if layer.geometry is None else n_lost, degrees.remarks())


def _head(layer: Layer, about: Mapping[str, Any]) -> bytes:
    """Return the first line, up to the opening of the features."""
    members: dict[str, Any] = {"type": "FeatureCollection", "name": layer.name, "title": layer.title}
    members |= {name: about[name] for name in ("licence", "citation") if name in about}
    return (json.dumps(members, ensure_ascii=False, separators=(",", ":"))[:-1] + ',"features":[\n').encode()


def _tail(boxes: list[NDArray[np.float64]]) -> bytes:
    """Return the end of the file, with the box of all features: known only once they are written."""
    if not boxes:
        return b"\n]}\n"
    low, high = np.min(boxes, axis=0)[:2], np.max(boxes, axis=0)[2:]
    return f'\n],"bbox":{json.dumps([*low.tolist(), *high.tolist()], separators=(",", ":"))}}}\n'.encode()


def _features(piece: Piece, key: tuple[str, ...]) -> bytes:
    """Return the features of a piece, one a line, each followed by a comma."""
    n_rows = piece.cells.num_rows
    if not n_rows:
        return b""
    encoded = {name: _json(piece.cells[name].combine_chunks()) for name in piece.cells.column_names}
    parts: list[Any] = ['{"type":"Feature",']
    if key:
        parts += ['"id":', _identity(piece.cells, encoded, key), ","]
    parts.append('"properties":{')
    for place, (name, column) in enumerate(encoded.items()):
        parts += [f"{',' if place else ''}{json.dumps(name, ensure_ascii=False)}:", column]
    places = pa.array(["null"] * n_rows) if piece.shapes is None else _places(piece.shapes)
    lines = pc.binary_join_element_wise(*parts, '},"geometry":', places, "},\n", "")
    return _text(lines)


def _text(lines: pa.Array) -> bytes:
    """Return the texts of an array end to end: they lie so in its buffer."""
    offsets, data = lines.buffers()[1:]
    ends = np.frombuffer(offsets, dtype=np.int32)
    first, last = int(ends[lines.offset]), int(ends[lines.offset + len(lines)])
    return bytes(data.slice(first, last - first).to_pybytes())


def _json(column: pa.Array) -> pa.Array:
    """Return each value of a column as JSON; numbers keep their point, so that types come back."""
    if pa.types.is_string(column.type):
        text = pc.binary_join_element_wise('"', _escaped(column), '"', "")
    else:
        text = column.cast(pa.string())
        if pa.types.is_floating(column.type):
            whole = pc.match_substring_regex(text, r"^-?[0-9]+$")
            text = pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)
    return pc.fill_null(text, "null")


def _escaped(column: pa.Array) -> pa.Array:
    """Return text with the characters JSON forbids spelled out; most columns have none."""
    if not pc.any(pc.match_substring_regex(column, r'["\\\x01-\x1f]')).as_py():
        return column
    for character, spelled in _ESCAPES.items():
        if pc.any(pc.match_substring(column, character)).as_py():
            column = pc.replace_substring(column, character, spelled)
    return column


def _identity(values: pa.Table, encoded: dict[str, pa.Array], key: tuple[str, ...]) -> pa.Array:
    """Return the ``id`` of each feature: its key, parts joined by a bar when there are several."""
    if len(key) == 1:
        return encoded[key[0]]
    parts = [values[column].combine_chunks().cast(pa.string()) for column in key]
    return _json(pc.binary_join_element_wise(*parts, "|"))


def _places(shapes: NDArray[np.object_]) -> pa.Array:
    """Return the geometry of each feature as JSON."""
    kinds = shapely.get_type_id(shapes) * 2 + shapely.has_z(shapes)
    found, groups = [], []
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        groups.append(rows)
        found.append(_group(shapes[rows], kind // 2, has_z=bool(kind % 2)))
    if len(found) == 1:
        return found[0]
    return pa.concat_arrays(found).take(pa.array(np.argsort(np.concatenate(groups))))


def _group(shapes: NDArray[np.object_], kind: int, *, has_z: bool) -> pa.Array:
    """Return shapes of one type as JSON: numbers first, then each level of brackets around them."""
    if kind not in _DEPTHS:
        return pa.array([text or "null" for text in shapely.to_geojson(shapes)], type=pa.string())
    name, coordinates, levels = shapely.to_ragged_array(shapes, include_z=has_z)
    axes = [pa.array(np.ascontiguousarray(axis)).cast(pa.string()) for axis in coordinates.T]
    text = pc.binary_join_element_wise("[", pc.binary_join_element_wise(*axes, ","), "]", "")
    for offsets in levels:
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, type=pa.int32()), text), ",")
        text = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.binary_join_element_wise(f'{{"type":"{_NAMES[int(name)]}","coordinates":', text, "}", "")


_NAMES = {0: "Point", 1: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}


def _parsed(text: bytes, piece: Piece, layer: Layer) -> tuple[pa.Table, NDArray[np.object_] | None]:
    """Return the values and shapes found in the features of a piece."""
    if not text:
        return piece.cells, piece.shapes
    kinds = set() if piece.shapes is None else set(shapely.get_type_id(piece.shapes).tolist()) - {-1}
    if len(kinds) > 1 or kinds - set(_DEPTHS):
        return _parsed_slowly(text, layer)
    kind = kinds.pop() if kinds else 0
    coordinates = pa.float64()
    for _ in range(_DEPTHS[kind]):
        coordinates = pa.list_(coordinates)
    properties = [(field.name, arrow_type(field)) for field in layer.fields]
    members = [("type", pa.string()), ("properties", pa.struct(properties))]
    if layer.key:
        members.insert(
            1,
            (
                "id",
                arrow_type(next(f for f in layer.fields if f.name == layer.key[0]))
                if len(layer.key) == 1
                else pa.string(),
            ),
        )
    members.append(("geometry", pa.struct([("type", pa.string()), ("coordinates", coordinates)])))
    try:
        read = arrow_json.read_json(
            pa.BufferReader(text.replace(b"},\n", b"}\n")),
            read_options=arrow_json.ReadOptions(block_size=len(text)),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=pa.schema(members), unexpected_field_behavior="error"
            ),
        )
    except pa.ArrowInvalid as error:
        raise unlike(layer, str(error)) from error
    values = pa.Table.from_struct_array(read["properties"]) if properties else pa.table({})
    if piece.shapes is None:
        return values, None
    return values, _rebuilt(read["geometry"].combine_chunks(), kind)


def _rebuilt(geometry: pa.StructArray, kind: int) -> NDArray[np.object_]:
    """Return shapes of one type from their parsed coordinates."""
    shapes = np.full(len(geometry), None, dtype=object)
    known = geometry.is_valid().to_numpy(zero_copy_only=False)
    nested = geometry.filter(geometry.is_valid()).field("coordinates")
    if not len(nested):
        return shapes
    levels = []
    for _ in range(_DEPTHS[kind] - 1):
        levels.append(nested.offsets.to_numpy())
        nested = nested.values
    sizes = np.unique(np.diff(nested.offsets.to_numpy()))
    flat = nested.values.to_numpy().reshape(-1, int(sizes[0]))
    shapes[known] = shapely.from_ragged_array(shapely.GeometryType(kind), flat, tuple(reversed(levels)) or None)
    return shapes


def _parsed_slowly(text: bytes, layer: Layer) -> tuple[pa.Table, NDArray[np.object_]]:
    """Return the same, feature by feature: pieces of several geometry types, collections."""
    features = [json.loads(line) for line in text.decode().split(",\n")[:-1]]
    fields = [(field.name, arrow_type(field)) for field in layer.fields]
    values = pa.Table.from_pylist([feature["properties"] for feature in features], schema=pa.schema(fields))
    texts = [None if feature["geometry"] is None else json.dumps(feature["geometry"]) for feature in features]
    return values, shapely.from_geojson(np.array(texts, dtype=object))


def _require_closed(path: Path, layer: Layer) -> None:
    """Refuse a file without its end."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 2))
        if stream.read() != b"}\n":
            raise unlike(layer, "fin de fichier absente")
