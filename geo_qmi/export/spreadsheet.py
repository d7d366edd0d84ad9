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
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geo_qmi.errors import InputError
from geo_qmi.export.degrees import DECIMALS, Degrees
from geo_qmi.export.pieces import Piece, Written, arrow_type, pieces, require_same
from geo_qmi.geo import DEGREES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

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
#: What no XML file may hold.
_CONTROLS = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
#: Largest difference between a written coordinate and the same read back, in degrees.
_TOLERANCE = 1e-9
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


def write(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:  # noqa: ARG001 — the card is beside
    """Write `layer` as CSV in the dialect of French Excel."""
    degrees = Degrees(layer)
    headers = place_headers(layer)
    titles = [*(field.label for field in layer.fields), *headers]
    require_titles(layer, titles)
    n_lost = 0
    with path.open("wb") as stream:
        stream.write(codecs.BOM_UTF8 + _lines([[neutralised(title)] for title in titles]))
        for piece in pieces(layer):
            shapes = None if piece.shapes is None else degrees.of(piece.shapes, start=piece.start)
            n_lost += 0 if shapes is None else int(shapely.is_missing(shapes).sum())
            values = {field.name: piece.cells[field.name].to_pylist() for field in layer.fields}
            cells = [written(field, values[field.name]) for field in layer.fields]
            cells += [] if shapes is None else placed(shapes, headers)
            text = _lines(cells)
            _require_same(text, titles, Piece(piece.start, _blank(piece.cells), shapes), layer)
            stream.write(text)
    return Written(
        None if layer.geometry is None else DEGREES, None if layer.geometry is None else n_lost, degrees.remarks()
    )


def _lines(columns: list[list[str]]) -> bytes:
    quoted = [_each(cells, _quoted) for cells in columns]
    if len(quoted) == 1:
        quoted = [[cell or '""' for cell in quoted[0]]]  # a reader would skip an empty line
    return "".join(";".join(row) + "\r\n" for row in zip(*quoted, strict=True)).encode()


def _blank(values: pa.Table) -> pa.Table:
    """Return the values as a spreadsheet can hold them: it has one kind of blank."""
    columns = {
        name: pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
        if pa.types.is_string(column.type)
        else column
        for name, column in zip(values.column_names, values.columns, strict=True)
    }
    return pa.table(columns, schema=values.schema)


def _require_same(text: bytes, titles: list[str], piece: Piece, layer: Layer) -> None:
    """Compare the lines of a piece with what was meant."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    rows = list(csv.reader(io.StringIO(text.decode(), newline=""), delimiter=";"))
    columns = list(map(list, zip(*rows, strict=True))) if rows else [[] for _ in titles]
    values, shapes = read(columns, titles, layer)
    require_same(piece, values, layer, shapes=shapes, tolerance=_TOLERANCE)


def read(columns: list[list[str]], titles: list[str], layer: Layer) -> tuple[pa.Table, NDArray[np.object_] | None]:
    """Return the values and places that columns of text cells hold."""
    cells = dict(zip(titles, columns, strict=True))
    values = pa.table(
        [pa.array(_each(cells.pop(field.label), _reader(field)), type=arrow_type(field)) for field in layer.fields],
        names=[field.name for field in layer.fields],
    )
    if layer.geometry is None:
        return values, None
    if WKT in cells:
        texts = [cell.removeprefix(_SYSTEM) or None for cell in cells[WKT]]
        return values, np.asarray(shapely.from_wkt(np.array(texts, dtype=object)), dtype=object)
    pairs = [tuple(map(_number, pair)) for pair in zip(cells[LONGITUDE], cells[LATITUDE], strict=True)]
    points = np.full(len(pairs), None, dtype=object)
    points[:] = [None if None in pair else shapely.Point(*pair) for pair in pairs]
    return values, points


def require_titles(layer: Layer, titles: Sequence[str]) -> None:
    """Refuse two columns of the same title: a spreadsheet knows columns by it."""
    if len({title.casefold() for title in titles}) < len(titles):
        raise InputError(f"« {layer.title} » a des colonnes de même titre : donnez-leur des titres différents.")


def refuse_controls(layer: Layer, *, what: str) -> None:
    """Refuse texts with control characters, which XML cannot hold."""
    for field in layer.fields:
        if field.kind in {"integer", "number", "flag"}:
            continue
        wrong = np.flatnonzero(layer.frame[field.name].str.contains(_CONTROLS).fillna(value=False).to_numpy(dtype=bool))
        if len(wrong):
            raise InputError(
                f"« {layer.title} », colonne « {field.label} » : attendu {what} ({layer.name_rows(wrong)}). "
                "Corrigez puis réexportez, ou choisissez .csv."
            )


def place_headers(layer: Layer) -> tuple[str, ...]:
    """Return the titles of the geometry columns: two for points, one for anything else."""
    if layer.geometry is None:
        return ()
    shapes = np.asarray(layer.geometry, dtype=object)
    kinds = set(shapely.get_type_id(shapes).tolist()) - {-1}
    only_points = kinds == {0} or (layer.point_only and not kinds)
    return (LONGITUDE, LATITUDE) if only_points and not shapely.has_z(shapes).any() else (WKT,)


def placed(shapes: NDArray[np.object_], headers: tuple[str, ...]) -> list[list[str]]:
    """Return the cells of the geometry columns."""
    if headers == (WKT,):
        texts = shapely.to_wkt(shapes, rounding_precision=DECIMALS, trim=True)
        return [[_SYSTEM + text if text else "" for text in texts]]
    axes = (shapely.get_x(shapes), shapely.get_y(shapes))
    return [["" if np.isnan(value) else _decimal(value) for value in axis.tolist()] for axis in axes]


def written(field: Field, cells: list[Any], *, safe: bool = True) -> list[str]:
    """Return the cells of a column as French text.

    Parameters
    ----------
    safe
        Put an apostrophe in front of what a spreadsheet would run.
    """
    write: Callable[[Any], str]
    if field.kind == "flag":
        write = _FLAGS.__getitem__
    elif field.kind == "integer":
        write = str
    elif field.kind == "number":
        write = _decimal
    else:
        labels = dict(field.choices or {})
        write = lambda text: (neutralised if safe else str)(labels.get(text, text))  # noqa: E731  (one of four one-line writers)
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
