"""How is a layer written as a CSV file French Excel opens with a double click?

Semicolons, decimal comma, UTF-8 with a byte-order mark, CRLF, French titles and labels, yes and no in French. Cells
a spreadsheet would run as a formula begin with an apostrophe. Points become two columns of degrees, other shapes one
of WKT that says its system (``SRID=4326;…``, which QGIS and PostGIS read). Excel still drops the leading zeros of
codes it takes for numbers: import the column as text there; the file holds them all. Excel also cuts cells above
32 767 characters, which only long outlines reach.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo_qmi.errors import InputError
from geo_qmi.export.degrees import DECIMALS, in_degrees
from geo_qmi.export.rendering import Reading, Rendering
from geo_qmi.geo import DEGREES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Field, Layer

LONGITUDE, LATITUDE, WKT = "Longitude", "Latitude", "Géométrie"
_SYSTEM = "SRID=4326;"

#: What a spreadsheet may take for a formula, in ASCII or full width, at the start or after blanks; the apostrophes in
#: front keep `neutralised` reversible.
_FORMULA = re.compile("'*(?:[\\s\ufeff\u200b]*[=+\\-@＝＋－＠]|[\t\r\n])")
_NEGATIVE = re.compile(r"-[0-9]+([.,][0-9]+)?", re.ASCII)
#: A cell with one of these is quoted: separators of any locale, quotes, ends of line.
_QUOTED = re.compile(r'[;,\t|"\r\n]|^\s|\s$')
_FLAGS = {True: "oui", False: "non"}


def neutralised(text: str) -> str:
    """Return `text` with an apostrophe in front when a spreadsheet would run it as a formula.

    A negative number runs nothing and stays as it is. `plain` takes the apostrophe off again.

    Examples
    --------
    >>> neutralised("=1+1"), neutralised("-12,5"), neutralised("- bancs"), neutralised("l’eau")
    ("'=1+1", '-12,5', "'- bancs", 'l’eau')
    """
    return f"'{text}" if _FORMULA.match(text) and not _NEGATIVE.fullmatch(text) else text


def plain(cell: str) -> str:
    """Return the text `neutralised` was given.

    Examples
    --------
    >>> plain("'=1+1"), plain("'oui'")
    ('=1+1', "'oui'")
    """
    return cell[1:] if cell.startswith("'") and neutralised(cell[1:]) == cell else cell


def render(layer: Layer) -> Rendering:
    """Return `layer` as CSV in the dialect of French Excel."""
    shapes, remarks = in_degrees(layer) if layer.geometry is not None else (None, ())
    headers = _headers(layer, shapes)
    titles = [*(field.label for field in layer.fields), *headers]
    if len({title.casefold() for title in titles}) < len(titles):
        raise InputError(f"« {layer.title} » a des colonnes de même titre : donnez-leur des titres différents.")
    values = {field.name: [None if v == "" else v for v in layer.values(field.name)] for field in layer.fields}
    written = [_written(field, values[field.name]) for field in layer.fields]
    written += [] if shapes is None else _placed(shapes, headers)
    columns = [_each([neutralised(title), *cells], _quoted) for title, cells in zip(titles, written, strict=True)]
    if len(columns) == 1:
        columns = [[cell or '""' for cell in columns[0]]]  # a reader would skip an empty line
    text = "".join(";".join(row) + "\r\n" for row in zip(*columns, strict=True))
    crs = None if shapes is None else DEGREES
    return Rendering(codecs.BOM_UTF8 + text.encode(), values, shapes, crs, 1e-6, remarks)


def read(data: bytes, layer: Layer) -> Reading:
    """Return what a CSV file written by `render` holds."""
    csv.field_size_limit(max(csv.field_size_limit(), len(data)))
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";")
    cells: dict[str, list[str]] = dict(
        zip(header, map(list, zip(*rows, strict=True)) if rows else ([] for _ in header), strict=True)
    )
    values = {field.name: _each(cells.pop(neutralised(field.label)), _reader(field)) for field in layer.fields}
    if WKT in cells and layer.geometry is not None:
        return Reading(
            values,
            shapely.from_wkt(np.array([cell.removeprefix(_SYSTEM) or None for cell in cells[WKT]], dtype=object)),
        )
    if LONGITUDE in cells and layer.geometry is not None:
        pairs = [tuple(map(_number, pair)) for pair in zip(cells[LONGITUDE], cells[LATITUDE], strict=True)]
        points = [None if None in pair else shapely.Point(*pair) for pair in pairs]
        return Reading(values, np.array(points, dtype=object))
    return Reading(values, None)


def _headers(layer: Layer, shapes: NDArray[np.object_] | None) -> tuple[str, ...]:
    """Return the titles of the geometry columns: two for points, one for anything else."""
    if shapes is None:
        return ()
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    flat = not any(shape is not None and shape.has_z for shape in shapes)
    only_points = kinds == {"Point"} or (layer.point_only and not kinds)
    return (LONGITUDE, LATITUDE) if only_points and flat else (WKT,)


def _placed(shapes: NDArray[np.object_], headers: tuple[str, ...]) -> list[list[str]]:
    if headers == (WKT,):
        texts = shapely.to_wkt(shapes, rounding_precision=DECIMALS, trim=True)
        return [[_SYSTEM + text if text else "" for text in texts]]
    axes = (shapely.get_x(shapes), shapely.get_y(shapes))
    return [["" if np.isnan(value) else _decimal(value) for value in axis.tolist()] for axis in axes]


def _written(field: Field, cells: list[Any]) -> list[str]:
    write: Callable[[Any], str]
    if field.kind == "flag":
        write = _FLAGS.__getitem__
    elif field.kind == "integer":
        write = str
    elif field.kind == "number":
        write = _decimal
    else:
        labels = dict(field.choices or {})
        write = lambda text: neutralised(labels.get(text, text))  # noqa: E731  (one of four one-line writers)
    return _each(cells, lambda cell: "" if cell is None else write(cell))


def _each(cells: list[Any], convert: Callable[[Any], Any]) -> list[Any]:
    """Return every cell converted; equal cells, frequent in tables, are converted once."""
    done = {cell: convert(cell) for cell in dict.fromkeys(cells)}
    return [done[cell] for cell in cells]


def _decimal(value: float) -> str:
    return repr(value).removesuffix(".0").replace(".", ",")


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell


def _reader(field: Field) -> Callable[[str], Any]:
    """Return what turns a cell of this column back into its value."""
    if field.kind == "flag":
        return {"": None, **{word: value for value, word in _FLAGS.items()}}.__getitem__
    if field.kind == "integer":
        return lambda cell: int(cell) if cell else None
    if field.kind == "number":
        return _number
    codes = {label: code for code, label in (field.choices or {}).items()}
    return lambda cell: codes.get(plain(cell), plain(cell)) if cell else None


def _number(cell: str) -> float | None:
    return float(cell.replace(",", ".")) if cell else None
