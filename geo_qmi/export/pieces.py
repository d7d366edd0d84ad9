"""How does a layer pass to a writer a few rows at a time, and is what was written what was meant?

A `Piece` is a run of rows as an Arrow table with its shapes; writers take them one after another, so that a file needs
the memory of one piece, not of the table. `require_same` holds what a format's reader found against what was meant.
Nothing here knows a format.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geo_qmi.errors import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo_qmi.export.layer import Field, Layer

#: Rows of a piece: about 10 MB of text as GeoJSON, large enough that the cost of a piece does not count.
PIECE_ROWS = 50_000
#: Vertices of a piece: outlines of thousands of vertices go by fewer rows, some 80 MB of text at most.
_PIECE_VERTICES = 2_000_000

#: GEOS type of points, and how the WKB of each begins: little-endian, type 1.
_POINT, _POINT_HEAD = 0, np.array([1, 1, 0, 0, 0], dtype=np.uint8)
_TYPES = {"integer": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive rows of a layer.

    Attributes
    ----------
    start
        Position of the first row.
    cells
        One column per field: ``string``, ``int64``, ``double`` or ``bool``.
    shapes
        In EPSG:2154, ``None`` for an unknown place; ``None`` altogether for a table without geometry.
    """

    start: int
    cells: pa.Table
    shapes: NDArray[np.object_] | None


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer says once its file was read back.

    Attributes
    ----------
    crs
        System of the file; ``None`` for a table without geometry.
    n_unlocated
        Rows written without a place.
    remarks
        French sentences about what writing changed.
    """

    crs: str | None
    n_unlocated: int | None
    remarks: tuple[str, ...] = ()


def arrow_type(field: Field) -> pa.DataType:
    """Return the Arrow type of a field."""
    return _TYPES.get(field.kind, pa.string())


def pieces(layer: Layer, *, n_rows: int | None = PIECE_ROWS) -> Iterator[Piece]:
    """Yield the rows of a layer in order; one empty piece when there are none, one of all rows for ``None``."""
    shapes = None if layer.geometry is None else np.asarray(layer.geometry.array, dtype=object)
    if n_rows is None:
        n_rows = max(1, len(layer.frame))
    elif shapes is not None and (n_vertices := int(shapely.get_num_coordinates(shapes).sum())):
        n_rows = max(1, min(n_rows, _PIECE_VERTICES * len(shapes) // n_vertices))
    schema = pa.schema([(field.name, arrow_type(field)) for field in layer.fields])
    for start in range(0, max(len(layer.frame), 1), n_rows):
        rows = layer.frame.iloc[start : start + n_rows]
        columns = [pa.array(rows[field.name], type=arrow_type(field), from_pandas=True) for field in layer.fields]
        columns = [column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in columns]
        yield Piece(start, pa.table(columns, schema=schema), None if shapes is None else shapes[start : start + n_rows])


def as_wkb(shapes: NDArray[np.object_]) -> pa.Array:
    """Return shapes as Arrow binary, ISO WKB."""
    kinds = shapely.get_type_id(shapes)
    known = kinds == _POINT
    if not known.any() or (kinds > _POINT).any() or shapely.has_z(shapes).any():
        return pa.array(shapely.to_wkb(shapes, byte_order=1, flavor="iso"), type=pa.binary())
    # Points are all of one length: their bytes are laid out at once, twice as fast.
    records = np.empty((int(known.sum()), _POINT_HEAD.size + 16), dtype=np.uint8)
    records[:, : _POINT_HEAD.size] = _POINT_HEAD
    records[:, _POINT_HEAD.size :] = shapely.get_coordinates(shapes[known]).astype("<f8").view(np.uint8)
    ends = np.concatenate([[0], np.cumsum(known)]).astype(np.int32) * records.shape[1]
    present = np.packbits(known, bitorder="little")
    return pa.Array.from_buffers(pa.binary(), len(shapes), [*map(pa.py_buffer, (present, ends, records))])


def fingerprint(wkb: pa.Array) -> bytes:
    """Return what tells a column of WKB from another, to hold against what is read back without keeping it."""
    digest = hashlib.blake2b(pc.binary_length(wkb).fill_null(0).to_numpy(), digest_size=16)
    ends = np.frombuffer(wkb.buffers()[1], dtype=np.int32)[wkb.offset : wkb.offset + len(wkb) + 1]
    digest.update(wkb.buffers()[2].slice(int(ends[0]), int(ends[-1] - ends[0])))
    return digest.digest()


def from_wkb(column: pa.Array | pa.ChunkedArray) -> NDArray[np.object_]:
    """Return the shapes of a column of WKB."""
    return cast("NDArray[np.object_]", shapely.from_wkb(column.to_numpy(zero_copy_only=False)))


def shapes_in(wkb: pa.ChunkedArray, piece: Piece, *, written: bytes) -> NDArray[np.object_]:
    """Return the shapes of a piece as they were read back: those meant where the bytes are those that were written.

    Parameters
    ----------
    written
        `fingerprint` of the column handed to the writer.
    """
    column = wkb.combine_chunks().cast(pa.binary())
    same = piece.shapes is not None and fingerprint(column) == written
    return cast("NDArray[np.object_]", piece.shapes) if same else from_wkb(column)


def unlocated(layer: Layer) -> int | None:
    """Return how many rows have no place, ``None`` for a table without geometry."""
    return None if layer.geometry is None else int(layer.geometry.isna().sum())


def require_places(layer: Layer, *, instead: str) -> gpd.GeoSeries:
    """Return the places of a layer, or refuse a table without geometry for a format of maps.

    Parameters
    ----------
    instead
        Suffixes that suit such a table.
    """
    if layer.geometry is None or layer.geometry.isna().all():
        what = "n’a pas de géométrie" if layer.geometry is None else "n’a aucun lieu connu"
        raise InputError(f"« {layer.title} » {what} : ce format n’écrit que des cartes. Choisissez {instead}.")
    return layer.geometry


def require_same(
    piece: Piece, values: pa.Table, layer: Layer, *, shapes: NDArray[np.object_] | None, tolerance: float
) -> None:
    """Refuse a file that does not give back a piece.

    Parameters
    ----------
    piece
        What was meant, its shapes in the system of the file.
    values, shapes
        What the reader of the format found.
    tolerance
        Largest difference of a coordinate, in units of the file.

    Raises
    ------
    InputError
        Rows, columns, types, missing values, text or geometry differ; the sentence names the first difference.
    """
    problem = _difference(piece, values, layer) or _moved(piece, shapes, layer, tolerance=tolerance)
    if problem:
        raise unlike(layer, problem)


def unlike(layer: Layer, problem: str) -> InputError:
    """Return the error of a file that does not hold what was meant."""
    return InputError(
        f"Export de « {layer.title} » annulé : relu, le fichier diffère de la table ({problem}). "
        "Rien n’a été écrit ; essayez un autre format et signalez ce défaut."
    )


def _difference(piece: Piece, values: pa.Table, layer: Layer) -> str:
    expected = piece.cells
    if values.column_names != expected.column_names:
        return f"colonnes {', '.join(map(shown, values.column_names))}"
    if values.num_rows != expected.num_rows:
        return f"{values.num_rows} lignes au lieu de {expected.num_rows}"
    for column in expected.column_names:
        one, other = values[column], expected[column]
        if one.type != other.type:
            return f"colonne {column} de type {one.type} au lieu de {other.type}"
        if not one.equals(other):
            return _first(one, other, piece, layer, column)
    return ""


def _first(one: pa.ChunkedArray, other: pa.ChunkedArray, piece: Piece, layer: Layer, column: str) -> str:
    same = pc.fill_null(pc.equal(one, other), pa.scalar(value=False))
    same = pc.or_(same, pc.and_(pc.is_null(one), pc.is_null(other)))
    place = pc.index(same, pa.scalar(value=False)).as_py()
    row = layer.name_rows([piece.start + place])
    return f"{row}, colonne {column} : « {shown(one[place].as_py())} » pour « {shown(other[place].as_py())} »"


def _moved(piece: Piece, found: NDArray[np.object_] | None, layer: Layer, *, tolerance: float) -> str:
    expected = piece.shapes
    if expected is found:
        return ""
    if expected is None or found is None:
        return "géométrie présente d’un seul côté"
    if len(expected) != len(found):
        return f"{len(found)} géométries au lieu de {len(expected)}"
    known = ~shapely.is_missing(expected)
    same = (known == ~shapely.is_missing(found)) & (shapely.get_type_id(expected) == shapely.get_type_id(found))
    same &= shapely.has_z(expected) == shapely.has_z(found)
    same &= ~known | shapely.equals_exact(expected, found, tolerance=tolerance)
    return "" if same.all() else f"géométrie de {layer.name_rows(piece.start + np.flatnonzero(~same))}"


def attributes(fields: tuple[Field, ...]) -> Mapping[str, dict[str, str]]:
    """Return the names GDAL gives the French title and sentence of a column, for `pyarrow.Field.with_metadata`."""
    return {
        field.name: {"GDAL:OGR:alternative_name": field.label}
        | ({"GDAL:OGR:comment": field.description} if field.description else {})
        for field in fields
    }


def geometry_type(shapes: Any) -> str:
    """Return the one geometry type of `shapes`, or ``Unknown`` (any) when there are several or none."""
    known = np.asarray(shapes, dtype=object)
    known = known[~shapely.is_missing(known)]
    kinds = np.unique(shapely.get_type_id(known) * 2 + shapely.has_z(known))
    return "Unknown" if len(kinds) != 1 else f"{known[0].geom_type}{' Z' if kinds[0] % 2 else ''}"
