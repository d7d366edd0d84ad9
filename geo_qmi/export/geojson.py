"""How is a layer written as GeoJSON that any reader takes?

Strictly RFC 7946: WGS 84 and no ``crs``, right-hand rule, seven decimals, one feature a line in a stable order, a null
geometry where the place is unknown. Columns become text whole, in Arrow, and are interleaved there: no Python object
is made for a row. Each piece is parsed and compared before it is written. How places become degrees is the business of
`geo_qmi.export.degrees`, how degrees become brackets that of `geo_qmi.export.coordinates`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from geo_qmi.export.coordinates import COLLECTION, NOWHERE, Group, grouped, nowhere, points
from geo_qmi.export.degrees import Degrees
from geo_qmi.export.pieces import Piece, Written, arrow_type, pieces, require_same, unlike

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

_ESCAPES = {"\\": "\\\\", '"': '\\"'} | {chr(code): json.dumps(chr(code))[1:-1] for code in range(1, 32)}
#: What ends a feature; the last one loses it.
_END = b",\n"


def write(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write `layer` as a FeatureCollection.

    Foreign members say what it is (and that it is demonstration) and under which licence; ``id`` repeats the key.
    """
    degrees = Degrees(layer)
    boxes, n_lost, last = [], 0, b""
    with path.open("wb") as stream:
        stream.write(_head(layer, about))
        for piece in pieces(layer):
            places = _placed(piece, degrees)
            text = _features(piece, layer.key, places)
            check(text, piece, layer, places)
            stream.write(last)
            stream.write(memoryview(text)[: -len(_END)])
            last = _END if text else b""
            boxes += [group.box() for group in places if group.kind != NOWHERE]
            n_lost += sum(len(group.rows) for group in places if group.kind == NOWHERE)
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


def _placed(piece: Piece, degrees: Degrees) -> list[Group]:
    """Return the places of a piece in degrees, by type; of a table without geometry, rows without a place."""
    if piece.shapes is None:
        return [nowhere(np.arange(piece.cells.num_rows))]
    found = degrees.of_points(piece.shapes, start=piece.start)
    return points(*found) if found else grouped(degrees.of(piece.shapes, start=piece.start))


def _features(piece: Piece, key: tuple[str, ...], places: list[Group]) -> bytes:
    """Return the features of a piece, one a line, each followed by a comma."""
    if not piece.cells.num_rows:
        return b""
    encoded = {name: _json(piece.cells[name].combine_chunks()) for name in piece.cells.column_names}
    parts: list[Any] = ['{"type":"Feature",']
    if key:
        parts += ['"id":', _identity(piece.cells, encoded, key), ","]
    parts.append('"properties":{')
    for place, (name, column) in enumerate(encoded.items()):
        parts += [f"{',' if place else ''}{json.dumps(name, ensure_ascii=False)}:", column]
    lines = pc.binary_join_element_wise(*parts, '},"geometry":', _in_order(places), "}" + _END.decode(), "")
    return _text(lines)


def _in_order(places: list[Group]) -> pa.Array:
    """Return the geometry of each row as JSON."""
    texts = pa.concat_arrays([group.text() for group in places])
    return texts if len(places) == 1 else texts.take(pa.array(_order(places)))


def _order(places: list[Group]) -> NDArray[np.intp]:
    """Return where each row of a piece is among its groups laid end to end."""
    return np.argsort(np.concatenate([group.rows for group in places]))


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


def check(text: bytes, piece: Piece, layer: Layer, places: list[Group]) -> None:
    """Refuse features that a parser of JSON reads otherwise than they were meant, value by value and place by place.

    Parameters
    ----------
    text
        The features of `piece`, one a line.
    places
        Those of the piece, by type: a parser of columns takes one type at a time.

    Raises
    ------
    InputError
        The sentence names the first difference.
    """
    if not text:
        return
    parts, moved = [], []
    for group, lines in zip(places, _by_group(text, places), strict=True):
        values, geometry = _parsed(lines, group, layer)
        parts.append(values)
        moved += [place for place in [group.first_difference(geometry)] if place is not None]
    values = parts[0] if len(parts) == 1 else pa.concat_tables(parts).take(pa.array(_order(places)))
    require_same(Piece(piece.start, piece.cells, None), values, layer, shapes=None, tolerance=0.0)
    if moved:
        raise unlike(layer, f"géométrie de {layer.name_rows([piece.start + min(moved)])}")


def _by_group(text: bytes, places: list[Group]) -> list[bytes]:
    """Return the features of each group, one a line, without the commas between them."""
    if len(places) == 1:
        characters = np.frombuffer(text, dtype=np.uint8).copy()
        characters[np.flatnonzero(characters == ord("\n")) - 1] = ord(" ")
        return [characters.tobytes()]
    features = text.split(_END)
    return [b"\n".join([features[row] for row in group.rows]) for group in places]


def _parsed(lines: bytes, group: Group, layer: Layer) -> tuple[pa.Table, pa.Array]:
    """Return the values and geometries a parser finds in the features of one type."""
    kinds = {field.name: arrow_type(field) for field in layer.fields}
    properties = pa.struct(list(kinds.items()))
    if group.kind == COLLECTION:
        features = [json.loads(line) for line in lines.splitlines()]
        cells = pa.array([feature["properties"] for feature in features], type=properties)
        return pa.Table.from_struct_array(cells), pa.array([json.dumps(feature["geometry"]) for feature in features])
    members = {"type": pa.string(), "properties": properties, "geometry": group.arrow_type()}
    if layer.key:
        members["id"] = kinds[layer.key[0]] if len(layer.key) == 1 else pa.string()
    try:
        read = arrow_json.read_json(
            pa.BufferReader(lines),
            read_options=arrow_json.ReadOptions(block_size=len(lines)),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=pa.schema(members), unexpected_field_behavior="error"
            ),
        )
    except pa.ArrowInvalid as error:
        raise unlike(layer, str(error)) from error
    values = pa.Table.from_struct_array(read["properties"]) if kinds else pa.table({})
    return values, read["geometry"].combine_chunks()


def _require_closed(path: Path, layer: Layer) -> None:
    """Refuse a file without its end."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 2))
        if stream.read() != b"}\n":
            raise unlike(layer, "fin de fichier absente")
