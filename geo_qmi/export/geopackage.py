"""How is a layer written as a GeoPackage QGIS opens?

One layer in EPSG:2154 with its spatial index, or one registered attribute table, under the French title. GDAL writes
into memory, never on a path: the file of a study cannot be touched from here. Python's own SQLite reads it back.
"""

from __future__ import annotations

import io
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from geo_qmi._gpkg import decode_geometry, quoted
from geo_qmi.errors import InputError
from geo_qmi.export.rendering import Reading, Rendering
from geo_qmi.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

#: Stamped as the date of last change: the same rows give the same bytes, whatever the day.
_STAMP = "2000-01-01T00:00:00.000Z"
#: Serialises what sets GDAL's process-wide date.
_gdal = threading.Lock()


def render(layer: Layer) -> Rendering:
    """Return `layer` as a GeoPackage 1.3: QGIS 3.22 warns above."""
    stream = io.BytesIO()
    values = {field.name: layer.values(field.name) for field in layer.fields}
    shapes = None if layer.geometry is None else np.asarray(layer.geometry, dtype=object)
    options: dict[str, Any] = {
        "layer_options": {
            "IDENTIFIER": layer.title,
            "DESCRIPTION": layer.description,
            "ASPATIAL_VARIANT": "GPKG_ATTRIBUTES",
        },
        "dataset_options": {"VERSION": "1.3"},
    }
    frame = layer.frame
    if shapes is not None:
        frame = gpd.GeoDataFrame(frame, geometry=layer.geometry, crs=CRS)
        options |= {"geometry_type": _type_of(shapes), "promote_to_multi": False}
    try:
        with _dated():
            pyogrio.write_dataframe(frame, stream, layer=layer.name, driver="GPKG", **options)
    except (DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError) as error:
        raise InputError(
            f"« {layer.title} » n’a pas pu être écrit en GeoPackage ({error}). "
            "Vérifiez les noms de colonnes (sans « fid » ni doublon à la casse près), ou choisissez .geojson."
        ) from error
    return Rendering(stream.getvalue(), values, shapes, CRS if shapes is not None else None, 0.01)


def read(data: bytes, layer: Layer) -> Reading:
    """Return what a GeoPackage written by `render` holds, each value in the type its column declares."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(data)
        declared = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({quoted(layer.name)})")}
        found = connection.execute("SELECT column_name FROM gpkg_geometry_columns").fetchone()
        names = ", ".join(map(quoted, declared))
        rows = connection.execute(
            f"SELECT {names} FROM {quoted(layer.name)} ORDER BY fid"  # noqa: S608  (identifiers are quoted)
        ).fetchall()
    cells = dict(zip(declared, map(list, zip(*rows, strict=True)), strict=True)) if rows else {n: [] for n in declared}
    del cells["fid"]
    shapes = decode_geometry(cells.pop(found[0])) if found else None
    return Reading({name: _as_declared(column, declared[name]) for name, column in cells.items()}, shapes)


def other_layers(path: Path, layer: str) -> list[str]:
    """Return the tables an existing GeoPackage lists besides `layer`.

    Read through Python's own SQLite, read-only: if the file is a study somebody uses, its locks stay.

    Raises
    ------
    InputError
        The file is not a GeoPackage.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT table_name FROM gpkg_contents ORDER BY table_name").fetchall()
    except sqlite3.Error as error:
        raise InputError(
            f"« {path} » existe et n’est pas un GeoPackage lisible : il n’est pas remplacé. Choisissez un autre nom."
        ) from error
    return [name for (name,) in rows if name != layer]


@contextmanager
def _dated() -> Iterator[None]:
    """Give GDAL a fixed date while it writes."""
    with _gdal:
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _STAMP})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _type_of(shapes: NDArray[np.object_]) -> str:
    """Return the one geometry type of the layer, or ``Unknown`` (any) when there are several or none."""
    known = shapes[~shapely.is_missing(shapes)]
    kinds = {(shape.geom_type, bool(shape.has_z)) for shape in known}
    if len(kinds) != 1:
        return "Unknown"
    kind, has_z = kinds.pop()
    return f"{kind} Z" if has_z else str(kind)


def _as_declared(column: list[Any], kind: str) -> list[Any]:
    if kind == "BOOLEAN":
        return [None if value is None else bool(value) for value in column]
    return column
