"""How is a layer handed to a map on the web?

As FlatGeobuf, which a page reads window by window, or as PMTiles, one file of vector tiles; both by GDAL, in degrees
and with the places only: what has no place cannot be in a tile, and its number is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from geo_qmi.export.degrees import in_degrees
from geo_qmi.export.ogr import put, stream
from geo_qmi.export.pieces import (
    Piece,
    Written,
    as_wkb,
    from_wkb,
    geometry_type,
    pieces,
    require_places,
    require_same,
    unlike,
)
from geo_qmi.geo import DEGREES
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

_TABLES = ".csv, .xlsx ou .parquet"
#: A district fills the screen at zoom 15; at 16 a tile unit is 15 cm, finer than any tracing of a study.
_ZOOMS = {"MINZOOM": "8", "MAXZOOM": "16"}
#: System of the tiles, and how far a corner may move there: 4096 units a tile, 15 cm each at zoom 16, twice.
_MERCATOR, _TILE_M = "EPSG:3857", 0.3
_WKB = "wkb"


def write_flatgeobuf(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write the placed rows of `layer` as FlatGeobuf with its spatial index, which sorts them by place."""
    placed, shapes, remarks = _placed(layer)
    told = {"TITLE": layer.title, "DESCRIPTION": _told(layer, about)}
    _put(placed, shapes, path, driver="FlatGeobuf", layer_options=told)
    _require_same(placed, shapes, path)
    return Written(DEGREES, 0, remarks)


def write_tiles(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write the placed rows of `layer` as PMTiles, zooms 8 to 16."""
    placed, shapes, remarks = _placed(layer)
    told = {"NAME": layer.title, "DESCRIPTION": _told(layer, about)}
    _put(placed, shapes, path, driver="PMTiles", dataset_options=_ZOOMS | told)
    _require_tiled(placed, shapes, path)
    return Written(_MERCATOR, 0, remarks)


def _put(
    layer: Layer,
    shapes: NDArray[np.object_],
    path: Path,
    *,
    driver: str,
    layer_options: Mapping[str, str] | None = None,
    dataset_options: Mapping[str, str] | None = None,
) -> None:
    """Write rows that all have a place, in degrees."""
    put(
        stream(layer, shapes),
        path,
        driver=driver,
        layer=layer,
        crs=DEGREES,
        geometry_type=geometry_type(shapes),
        layer_options=layer_options,
        dataset_options=dataset_options,
    )


def _placed(layer: Layer) -> tuple[Layer, NDArray[np.object_], tuple[str, ...]]:
    """Return the rows with a place, their shapes in degrees, and what is said of the others."""
    require_places(layer, instead=_TABLES)
    shapes, remarks = in_degrees(layer)
    rows = np.flatnonzero(~shapely.is_missing(shapes))
    n_lost = len(shapes) - len(rows)
    said = (f"{counted(n_lost, 'ligne')} sans lieu, hors de ce fichier de carte.",) if n_lost else ()
    return layer.rows(rows, name=layer.name), shapes[rows], (*remarks, *said)


def _told(layer: Layer, about: Mapping[str, Any]) -> str:
    return " ".join(filter(None, [layer.description, about.get("demonstration", ""), about["citation"]]))


def _require_same(layer: Layer, shapes: NDArray[np.object_], path: Path) -> None:
    """Compare the file with what was meant, both in the order of their values."""
    _, found = pyogrio.read_arrow(path)
    (meant,) = pieces(layer, n_rows=None)
    names = meant.cells.column_names
    if found.column_names[:-1] != names:
        raise unlike(layer, f"colonnes {', '.join(found.column_names[:-1])}")
    here = found.select(names).replace_schema_metadata(None).append_column(_WKB, found.columns[-1].cast(pa.binary()))
    there = meant.cells.append_column(_WKB, as_wkb(shapes))
    order = [(name, "ascending") for name in (*layer.key, *names, _WKB)]
    here, there = here.cast(there.schema).sort_by(order), there.sort_by(order)
    require_same(
        Piece(0, there.select(names), from_wkb(there[_WKB])),
        here.select(names),
        layer,
        shapes=from_wkb(here[_WKB]),
        tolerance=1e-9,
    )


def _require_tiled(layer: Layer, shapes: NDArray[np.object_], path: Path) -> None:
    """Refuse tiles whose closest zoom does not hold every row, with its values, over the same ground."""
    _, found = pyogrio.read_arrow(path)
    (meant,) = pieces(layer, n_rows=None)
    names = meant.cells.column_names
    # A column without any value is not in a tile.
    seen = [name for name in names if name in found.column_names]
    absent = [name for name in names if name not in seen and meant.cells[name].null_count < len(shapes)]
    if absent:
        raise unlike(layer, f"colonne {absent[0]} absente")
    expected = meant.cells.select(seen)
    there = set(_rows(expected))
    here = set(_rows(found.select(seen).replace_schema_metadata(None).cast(expected.schema)))
    if here != there:
        raise unlike(layer, f"{len(here & there)} lignes distinctes au lieu de {len(there)}")
    drawn = shapely.total_bounds(from_wkb(found.columns[-1]))
    ground = gpd.GeoSeries(shapes, crs=DEGREES).to_crs(_MERCATOR).total_bounds
    if np.abs(drawn - ground).max() > _TILE_M:
        raise unlike(layer, "emprise différente")


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)
