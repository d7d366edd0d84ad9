"""How is a layer written as GeoJSON that any reader takes?

Strictly RFC 7946: WGS 84 and no ``crs``, right-hand rule, six decimals, one feature a line in a stable order, a null
geometry where the place is unknown. Columns are encoded whole, then interleaved: three times faster than a writer
that goes feature by feature.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo_qmi.export.degrees import in_degrees
from geo_qmi.export.rendering import Reading, Rendering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

#: A raw line feed never occurs inside a JSON string, so this separator cuts an encoded list exactly.
_CUT = ",\n"
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(_CUT, ":"))


def render(layer: Layer) -> Rendering:
    """Return `layer` as a FeatureCollection.

    Foreign members ``name`` and ``title`` say what it is (and that it is demonstration), ``id`` repeats the key.
    """
    shapes, remarks = in_degrees(layer) if layer.geometry is not None else (None, ())
    values = {field.name: layer.values(field.name) for field in layer.fields}
    encoded = {column: _encoded(cells) for column, cells in values.items()}
    n_rows = len(layer.frame)
    places = ["null"] * n_rows if shapes is None else [text or "null" for text in shapely.to_geojson(shapes)]
    names = [json.dumps(column, ensure_ascii=False).replace("%", "%%") for column in encoded]
    properties = ",".join(f"{name}:%s" for name in names)
    identity = '"id":%s,' if layer.key else ""
    template = f'{{"type":"Feature",{identity}"properties":{{{properties}}},"geometry":%s}}'
    columns = [*([_identity(layer, encoded)] if layer.key else []), *encoded.values(), places]
    lines = [template % row for row in zip(*columns, strict=True)]
    text = _head(layer, shapes) + ",\n".join(lines) + "\n]}\n"
    return Rendering(text.encode(), values, shapes, "OGC:CRS84", 1e-6, remarks)


def read(data: bytes, layer: Layer) -> Reading:
    """Return what a GeoJSON file written by `render` holds."""
    features = json.loads(data)["features"]
    names = [field.name for field in layer.fields]
    values = {name: [feature["properties"][name] for feature in features] for name in names}
    extra = set().union(*(feature["properties"] for feature in features)) - set(names)
    values |= {name: [] for name in sorted(extra)}
    if layer.geometry is None:
        return Reading(values, None)
    shapes = np.full(len(features), None, dtype=object)
    known = [place for place, feature in enumerate(features) if feature["geometry"] is not None]
    # The geometry is the last member of a line: GEOS is spared the properties, json has checked them.
    lines = data.decode().split("\n")[1:]
    texts = [lines[place].removesuffix(",")[:-1].rpartition('"geometry":')[2] for place in known]
    shapes[known] = shapely.from_geojson(texts)
    return Reading(values, shapes)


def _encoded(cells: list[Any]) -> list[str]:
    return _ENCODER.encode(cells)[1:-1].split(_CUT) if cells else []


def _identity(layer: Layer, encoded: dict[str, list[str]]) -> list[str]:
    """Return the ``id`` of each feature: its key, parts joined by a bar when there are several."""
    if len(layer.key) == 1:
        return encoded[layer.key[0]]
    parts = [map(str, layer.values(column)) for column in layer.key]
    return _encoded(["|".join(part) for part in zip(*parts, strict=True)])


def _head(layer: Layer, shapes: NDArray[np.object_] | None) -> str:
    """Return the first line, up to the opening of the features."""
    members: dict[str, Any] = {"type": "FeatureCollection", "name": layer.name, "title": layer.title}
    if shapes is not None and not shapely.is_missing(shapes).all():
        members["bbox"] = shapely.total_bounds(shapes).tolist()
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))[:-1] + ',"features":[\n'
