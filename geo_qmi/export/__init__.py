"""How does a table leave a study?

In the format its suffix chooses, for GIS, Esri, the web or a spreadsheet, with a metadata card beside it: private
columns stay, demonstration is said, the file is read back and compared before it takes its name, and the same rows
give the same bytes. This module writes no study (`geo_qmi.workspace` does) and draws nothing: a style is handed in.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from geo_qmi.errors import InputError, shown
from geo_qmi.export import delivery, sidecar
from geo_qmi.export.delivery import require_target
from geo_qmi.export.families import parts
from geo_qmi.export.layer import Layer, from_frame, from_table
from geo_qmi.export.terms import Terms, licence_of, terms
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from geo_qmi.export.pieces import Written

__all__ = [
    "FORMATS",
    "MAPS_ONLY",
    "Exported",
    "Layer",
    "Terms",
    "export_bytes",
    "export_frame",
    "export_layer",
    "export_package",
    "export_table",
    "from_frame",
    "from_table",
    "layer_bytes",
    "licence_of",
    "parts",
    "terms",
    "write_json",
]

#: Suffix → French name of the format.
FORMATS = {
    ".geojson": "GeoJSON",
    ".gpkg": "GeoPackage",
    ".csv": "CSV pour tableur",
    ".xlsx": "classeur Excel",
    ".parquet": "GeoParquet",
    ".fgb": "FlatGeobuf",
    ".pmtiles": "tuiles PMTiles",
    ".kml": "KML pour Google Earth",
    ".gdb.zip": "géodatabase Esri",
    ".shp.zip": "Shapefile compressé",
}
#: Formats that hold places only.
MAPS_ONLY = (".fgb", ".pmtiles", ".kml", ".shp.zip")
#: Suffix → module and function that write it, loaded when a file is written: maps and pages need none of them.
_WRITERS = {
    ".geojson": ("geojson", "write"),
    ".gpkg": ("geopackage", "write"),
    ".csv": ("spreadsheet", "write"),
    ".xlsx": ("workbook", "write"),
    ".parquet": ("parquet", "write"),
    ".fgb": ("web", "write_flatgeobuf"),
    ".pmtiles": ("web", "write_tiles"),
    ".kml": ("kml", "write"),
    ".gdb.zip": ("esri", "write_geodatabase"),
    ".shp.zip": ("esri", "write_shapefile"),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes
    ----------
    path, sidecar
        Data file, and its metadata card ``<name>.meta.json``.
    n_rows
        Rows written: all of the table's.
    sha256
        Fingerprint of the data file.
    remarks
        French sentences to show: columns left out, outlines that rounding changed.
    """

    path: Path
    sidecar: Path
    n_rows: int
    sha256: str
    remarks: tuple[str, ...]


def export_table(
    frame: pd.DataFrame,
    name: str,
    path: str | os.PathLike[str],
    *,
    private: bool = False,
    title: str | None = None,
    style: str = "",
    provenance: Mapping[str, Any] | None = None,
    study_path: str | os.PathLike[str] | None = None,
) -> Exported:
    """Write a table of the schema, kept or computed, to a file.

    Parameters
    ----------
    frame
        Rows of table `name`; any declared coordinate system.
    path
        Target; its suffix chooses the format. An earlier export there is replaced.
    private
        True lets private columns and tables leave; the card says so.
    title
        French title, the schema's by default.
    style
        QML text a GeoPackage carries, so that QGIS draws it.
    provenance
        Inputs and parameters for the card, JSON types; ``licence``, ``credit`` and ``date`` are shown first.
    study_path
        File of the study the rows come from: never a target.

    Raises
    ------
    InputError
        Unknown suffix, private table, unusable target, or a file that does not give back the table.

    Examples
    --------
    >>> import tempfile
    >>> from geo_qmi import shipped_tables
    >>> folder = tempfile.TemporaryDirectory()
    >>> export_table(shipped_tables()["districts"], "districts", f"{folder.name}/quartiers.geojson").n_rows
    10
    >>> folder.cleanup()
    """
    target = Path(path)
    _suffix(target.name)
    layer = replace(from_table(frame, name, private=private, title=title), style=style)
    return _export(layer, target, provenance=provenance or {}, study_path=study_path)


def export_frame(
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    title: str,
    key: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    private: bool = False,
    provenance: Mapping[str, Any] | None = None,
    study_path: str | os.PathLike[str] | None = None,
) -> Exported:
    """Write any frame to a file: a result, a join, a summary the schema does not define.

    Parameters
    ----------
    frame
        A GeoDataFrame with a declared system, or a frame without geometry; no lists in cells.
    title
        French title.
    key
        Columns that identify a row together and order the rows; the order of `frame` by default.
    labels
        Column → French title, for the header of the CSV and the card.
    private
        False refuses columns that bear the name of a private column of the schema.

    Raises
    ------
    InputError
        As `export_table`, or a cell no format can hold.
    """
    target = Path(path)
    stem = target.name[: -len(_suffix(target.name))]
    layer = from_frame(frame, fold(stem) or "table", title=title, key=key, labels=labels or {}, private=private)
    return _export(layer, target, provenance=provenance or {}, study_path=study_path)


def export_layer(
    layer: Layer,
    path: str | os.PathLike[str],
    *,
    provenance: Mapping[str, Any] | None = None,
    study_path: str | os.PathLike[str] | None = None,
) -> Exported:
    """Write a layer of `from_table` or `from_frame` to a file, as `export_table` does."""
    return _export(layer, Path(path), provenance=provenance or {}, study_path=study_path)


def export_package(
    layers: Sequence[Layer],
    path: str | os.PathLike[str],
    *,
    provenance: Mapping[str, Mapping[str, Any]] | None = None,
    study_path: str | os.PathLike[str] | None = None,
) -> Path:
    """Write several layers into one GeoPackage, each with its style, and return its path.

    Parameters
    ----------
    layers
        From `from_table` or `from_frame`, of different names; ``style`` is the QML text each is drawn with.
    provenance
        Layer name → what its card says, as for `export_table`.

    Raises
    ------
    InputError
        Nothing to write, an unusable target, or a layer the file does not give back.
    """
    target = Path(path)
    if not layers:
        raise InputError(f"Rien à écrire dans « {target} » : aucune couche. Choisissez un quartier ou une étude.")
    require_target(target, layer=None, study_path=study_path)
    about = {
        layer.name: sidecar.describe(layer, file=target.name, provenance=(provenance or {}).get(layer.name, {}))
        for layer in layers
    }
    from geo_qmi.export import geopackage  # slow to load, as the other writers

    with delivery.workshop(target) as private:
        geopackage.write_package(layers, private / target.name, about=about)
        delivery.place([target.name], source=private, folder=target.parent)
    return target


def export_bytes(
    frame: pd.DataFrame, name: str, *, suffix: str, private: bool = False, title: str | None = None
) -> bytes:
    """Return the bytes `export_table` would write, for a download button.

    Examples
    --------
    >>> from geo_qmi import shipped_tables
    >>> export_bytes(shipped_tables()["districts"], "districts", suffix=".geojson")[:27]
    b'{"type":"FeatureCollection"'
    """
    return layer_bytes(from_table(frame, name, private=private, title=title), suffix=suffix)


def layer_bytes(layer: Layer, *, suffix: str) -> bytes:
    """Return the bytes `export_layer` would write."""
    file = f"{layer.name}{suffix}"
    writer = _writer(_suffix(file))
    with delivery.workshop(Path(tempfile.gettempdir()) / file) as folder:
        writer(layer, folder / file, about=sidecar.describe(layer, file=file, provenance={}))
        return (folder / file).read_bytes()


def write_json(record: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write a record as JSON whose bytes depend on its content only: a manifest, a card.

    Parameters
    ----------
    record
        JSON types, numpy scalars and paths; keys keep their order.

    Raises
    ------
    InputError
        A value JSON cannot hold, or an unusable target.
    """
    target = Path(path)
    require_target(target, layer=None, study_path=None)
    data = _json(record)
    with delivery.workshop(target) as folder:
        (folder / target.name).write_bytes(data)
        delivery.place([target.name], source=folder, folder=target.parent)
    return target


def _export(
    layer: Layer, target: Path, *, provenance: Mapping[str, Any], study_path: str | os.PathLike[str] | None
) -> Exported:
    """Write one layer, read it back, describe it and deliver both files."""
    suffix = _suffix(target.name)
    require_target(target, layer=layer.name if suffix == ".gpkg" else None, study_path=study_path)
    card = sidecar.describe(layer, file=target.name, provenance=provenance)
    _json(card)  # what cannot be written is refused before the data is
    beside = target.with_name(f"{target.name}.meta.json")
    with delivery.workshop(target) as folder:
        written = _writer(suffix)(layer, folder / target.name, about=card)
        digest = delivery.fingerprint(folder / target.name)
        (folder / beside.name).write_bytes(_json(sidecar.finished(card, written, sha256=digest)))
        delivery.place([target.name, beside.name], source=folder, folder=target.parent)
    return Exported(target, beside, len(layer.frame), digest, (*layer.remarks, *written.remarks))


def _writer(suffix: str) -> Callable[..., Written]:
    """Return the function that writes a format."""
    module, function = _WRITERS[suffix]
    return cast("Callable[..., Written]", getattr(import_module(f"{__name__}.{module}"), function))


def _suffix(name: str) -> str:
    """Return the known suffix a file name ends with."""
    found = next((suffix for suffix in FORMATS if name.lower().endswith(suffix)), None)
    if found is None:
        known = ", ".join(f"{suffix} ({words})" for suffix, words in FORMATS.items())
        suffixes = "".join(Path(name).suffixes[-1:])
        raise InputError(f"Format d’export inconnu : « {shown(suffixes)} ». Terminez le nom du fichier par : {known}.")
    return found


def _json(record: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False, default=_scalar)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Métadonnées impossibles à écrire en JSON ({error}) : attendu du texte et des nombres."
        ) from error
    return f"{text}\n".encode()


def _scalar(value: Any) -> Any:
    """Return a numpy scalar or a path as a JSON type."""
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"type {type(value).__name__}")
