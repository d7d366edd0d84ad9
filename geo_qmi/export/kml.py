"""How is a layer handed to somebody who opens Google Earth?

KML 2.2 in degrees: one placemark a row that has a place, French titles and words in its balloon, the licence in the
description of the document. The file is parsed again before it is offered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import shapely
from defusedxml import ElementTree

from geo_qmi.export.degrees import in_degrees
from geo_qmi.export.pieces import Written, require_places, unlike
from geo_qmi.export.spreadsheet import refuse_controls, written
from geo_qmi.geo import DEGREES
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

_SPACE = "{http://www.opengis.net/kml/2.2}"


def write(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write the placed rows of `layer` as KML."""
    require_places(layer, instead=".csv, .xlsx ou .parquet")
    refuse_controls(layer, what="un texte sans caractère de commande")
    shapes, remarks = in_degrees(layer)
    cells = [written(field, layer.values(field.name), safe=False) for field in layer.fields]
    rows = np.flatnonzero(~shapely.is_missing(shapes))
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(_head(layer, about))
        for place in rows:
            stream.write(
                _placemark(layer, [column[place] for column in cells], shapes[place], layer.name_rows([int(place)]))
            )
        stream.write("</Document>\n</kml>\n")
    _require_same(layer, path, cells=cells, shapes=shapes, rows=rows)
    n_lost = len(shapes) - len(rows)
    said = (f"{counted(n_lost, 'ligne')} sans lieu, hors de ce fichier de carte.",) if n_lost else ()
    return Written(DEGREES, 0, (*remarks, *said))


def _head(layer: Layer, about: Mapping[str, Any]) -> Iterator[str]:
    told = [layer.description, about.get("demonstration", ""), f"Licence : {about['licence']}", about["citation"]]
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n'
    yield f"<Document>\n<name>{escape(layer.title)}</name>\n"
    yield f"<description>{escape(chr(10).join(filter(None, told)))}</description>\n"


def _placemark(layer: Layer, cells: list[str], shape: shapely.Geometry, name: str) -> str:
    data = "".join(
        f"<Data name={quoteattr(field.name)}><displayName>{escape(field.label)}</displayName>"
        f"<value>{escape(cell)}</value></Data>"
        for field, cell in zip(layer.fields, cells, strict=True)
        if cell
    )
    return f"<Placemark><name>{escape(name)}</name><ExtendedData>{data}</ExtendedData>{_geometry(shape)}</Placemark>\n"


def _geometry(shape: shapely.Geometry) -> str:
    kind = shape.geom_type
    if kind in {"Point", "LineString", "LinearRing"}:
        return f"<{kind}><coordinates>{_pairs(shape)}</coordinates></{kind}>"
    if kind == "Polygon":
        rings = [("outerBoundaryIs", shape.exterior), *(("innerBoundaryIs", ring) for ring in shape.interiors)]
        inside = "".join(
            f"<{side}><LinearRing><coordinates>{_pairs(ring)}</coordinates></LinearRing></{side}>"
            for side, ring in rings
        )
        return f"<Polygon>{inside}</Polygon>"
    return f"<MultiGeometry>{''.join(map(_geometry, shape.geoms))}</MultiGeometry>"


def _pairs(line: shapely.Geometry) -> str:
    axes = shapely.get_coordinates(line, include_z=line.has_z)
    return " ".join(",".join(repr(float(value)).removesuffix(".0") for value in point) for point in axes)


def _require_same(
    layer: Layer, path: Path, *, cells: list[list[str]], shapes: NDArray[np.object_], rows: NDArray[np.intp]
) -> None:
    """Refuse a file that is not well-formed KML with the same rows, words and numbers of vertices."""
    try:
        found = list(ElementTree.parse(path).getroot().iter(f"{_SPACE}Placemark"))
    except ElementTree.ParseError as error:
        raise unlike(layer, str(error)) from error
    if len(found) != len(rows):
        raise unlike(layer, f"{len(found)} lignes au lieu de {len(rows)}")
    for placemark, place in zip(found, rows, strict=True):
        read = {data.get("name"): data.findtext(f"{_SPACE}value") for data in placemark.iter(f"{_SPACE}Data")}
        meant = {field.name: cells[n][place] for n, field in enumerate(layer.fields) if cells[n][place]}
        texts = [element.text or "" for element in placemark.iter(f"{_SPACE}coordinates")]
        pairs = [tuple(map(float, pair.split(","))) for text in texts for pair in text.split()]
        exact = shapely.get_coordinates(shapes[place], include_z=shapes[place].has_z)
        same_ground = len(pairs) == len(exact) and np.array_equal(np.array(pairs), exact)
        if read != {name: _as_parsed(text) for name, text in meant.items()} or not same_ground:
            raise unlike(layer, layer.name_rows([int(place)]))


def _as_parsed(text: str) -> str:
    """Return text as an XML parser gives it: ends of line are one character there."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
