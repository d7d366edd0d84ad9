"""How is a layer handed to GDAL, always the same way?

Batches of rows go in as an Arrow stream, with French column titles; nothing is ever written on a path but one of a
private folder. Dates and identifiers GDAL would invent are fixed, so that the same rows give the same bytes. Which
options each format wants is the business of its own module.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from geo_qmi.errors import InputError
from geo_qmi.export.pieces import arrow_type, as_wkb, attributes, fingerprint, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from geo_qmi.export.layer import Layer

#: Anything GDAL raises when it cannot write.
FAILURES = (DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError)
#: Stamped as the date of last change, whatever the day: the true date of the data is in the card.
STAMP = "2000-01-01T00:00:00.000Z"
_FIXED = {
    "OGR_CURRENT_DATE": STAMP,
    "OPENFILEGDB_REPRODUCIBLE_UUID": "YES",
    # A draft in a private folder: it is flushed once, before it takes its name.
    "OGR_SQLITE_SYNCHRONOUS": "OFF",
    # Tiles made by several threads are stored in the order the threads end.
    "GDAL_NUM_THREADS": "1",
}
_GEOMETRY = "geom"
#: Serialises what sets GDAL's process-wide options.
_gdal = threading.Lock()


def stream(
    layer: Layer, shapes: NDArray[np.object_] | None = None, *, prints: dict[int, bytes] | None = None
) -> pa.RecordBatchReader:
    """Return the rows of a layer as a stream of Arrow batches with their French titles.

    Parameters
    ----------
    shapes
        Places in the system of the file, one per row; those of the layer by default.
    prints
        Filled as the rows leave: first row of a piece → `fingerprint` of its places.
    """
    told = attributes(layer.fields)
    fields = [pa.field(field.name, arrow_type(field), metadata=told[field.name]) for field in layer.fields]
    if layer.geometry is not None:
        fields.append(pa.field(_GEOMETRY, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}))
    schema = pa.schema(fields)

    def batches() -> Iterator[pa.RecordBatch]:
        for piece in pieces(layer):
            columns = [column.combine_chunks() for column in piece.cells.columns]
            if piece.shapes is not None:
                here = piece.shapes if shapes is None else shapes[piece.start : piece.start + len(piece.shapes)]
                columns.append(as_wkb(here))
                if prints is not None:
                    prints[piece.start] = fingerprint(columns[-1])
            yield pa.record_batch(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def put(  # noqa: PLR0913 — the options GDAL takes, by name
    rows: pa.RecordBatchReader,
    path: Path,
    *,
    driver: str,
    layer: Layer,
    name: str | None = None,
    crs: str | None,
    geometry_type: str | None,
    layer_options: Mapping[str, str] | None = None,
    dataset_options: Mapping[str, str] | None = None,
    append: bool = False,
) -> None:
    """Write a stream of rows with a GDAL driver.

    Raises
    ------
    InputError
        GDAL refuses a name or a value; a full disk is told apart by the caller, from the cause.
    """
    placed = geometry_type is not None
    try:
        with _settled(), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # GDAL warns where it changes a value
            pyogrio.write_arrow(
                rows,
                path,
                layer=name or layer.name,
                driver=driver,
                geometry_name=_GEOMETRY if placed else None,
                geometry_type=geometry_type,
                crs=crs if placed else None,
                append=append,
                layer_options=dict(layer_options or {}),
                dataset_options=dict(dataset_options or {}),
            )
    except (*FAILURES, RuntimeWarning, pa.ArrowException) as error:
        raise InputError(
            f"« {layer.title} » n’a pas pu être écrit dans ce format ({error}). "
            "Vérifiez les noms de colonnes (sans « fid » ni doublon à la casse près), ou choisissez .geojson."
        ) from error


@contextmanager
def _settled() -> Iterator[None]:
    """Give GDAL a fixed date and fixed identifiers while it writes."""
    with _gdal:
        before: dict[str, Any] = {option: pyogrio.get_gdal_config_option(option) for option in _FIXED}
        pyogrio.set_gdal_config_options(_FIXED)
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options(before)
