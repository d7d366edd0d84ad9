"""How does a table leave a study?

As GeoJSON, GeoPackage or French CSV, the format chosen by the suffix, with a metadata card beside it: private columns
stay, demonstration is said, the file is read back and compared before it takes its name, and the same rows give the
same bytes. This module writes no study (`geo_qmi.workspace` does) and draws nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_qmi.errors import InputError, shown
from geo_qmi.export import geojson, geopackage, sidecar, spreadsheet
from geo_qmi.export.delivery import deliver, require_target
from geo_qmi.export.layer import from_frame, from_table
from geo_qmi.export.rendering import require_equal
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    import pandas as pd

    from geo_qmi.export.layer import Layer
    from geo_qmi.export.rendering import Rendering

__all__ = ["FORMATS", "Exported", "export_bytes", "export_frame", "export_table", "write_json"]

#: Suffix → French name of the format.
FORMATS = {".geojson": "GeoJSON", ".gpkg": "GeoPackage", ".csv": "CSV pour tableur"}
_WRITERS: dict[str, ModuleType] = {".geojson": geojson, ".gpkg": geopackage, ".csv": spreadsheet}


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
    provenance
        Inputs and parameters for the card, JSON types; ``licence`` and ``date`` are shown first.
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
    _writer(target.suffix)
    layer = from_table(frame, name, private=private, title=title)
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
    _writer(target.suffix)
    layer = from_frame(
        frame, fold(target.stem) or "table", title=title, key=key, labels=labels or {}, private=private
    )  # fmt: skip
    return _export(layer, target, provenance=provenance or {}, study_path=study_path)


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
    return _rendered(from_table(frame, name, private=private, title=title), suffix).data


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
    deliver({target: _json(record)})
    return target


def _export(
    layer: Layer, target: Path, *, provenance: Mapping[str, Any], study_path: str | os.PathLike[str] | None
) -> Exported:
    """Render, read back, describe and deliver one layer."""
    is_package = target.suffix.lower() == ".gpkg"
    require_target(target, layer=layer.name if is_package else None, study_path=study_path)
    rendering = _rendered(layer, target.suffix)
    card = sidecar.describe(layer, rendering, file=target.name, provenance=provenance)
    beside = target.with_name(f"{target.name}.meta.json")
    deliver({target: rendering.data, beside: _json(card)})
    digest = hashlib.sha256(rendering.data).hexdigest()
    return Exported(target, beside, len(layer.frame), digest, (*layer.remarks, *rendering.remarks))


def _rendered(layer: Layer, suffix: str) -> Rendering:
    """Return a layer as bytes that were read back and found equal."""
    writer = _writer(suffix)
    rendering: Rendering = writer.render(layer)
    require_equal(rendering, writer.read(rendering.data, layer), layer)
    return rendering


def _writer(suffix: str) -> ModuleType:
    writer = _WRITERS.get(suffix.lower())
    if writer is None:
        known = ", ".join(f"{suffix} ({name})" for suffix, name in FORMATS.items())
        raise InputError(f"Format d’export inconnu : « {shown(suffix)} ». Terminez le nom du fichier par : {known}.")
    return writer


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
