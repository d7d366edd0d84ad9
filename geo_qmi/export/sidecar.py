"""What must somebody know who receives the file without us?

The metadata of an export, as plain JSON types: what it is, where it comes from, in which system, what each column
means, what was left out and why, how many rows are invented. No clock is read: the same inputs describe themselves
in the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import geo_qmi

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geo_qmi.export.layer import Field, Layer
    from geo_qmi.export.rendering import Rendering

#: Where to look when nobody stated a licence for the whole file.
_LICENCE = "Non précisée pour le fichier entier : voir la source de chaque ligne et de chaque géométrie."
_DEMO = "Données de démonstration"


def describe(layer: Layer, rendering: Rendering, *, file: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of one exported file.

    Parameters
    ----------
    file
        Name of the data file, without its folder.
    provenance
        Parameters and inputs of the caller, repeated whole; ``licence`` and ``date`` among them are moved to the top.
    """
    rest = {key: value for key, value in provenance.items() if key not in {"licence", "date"}}
    card: dict[str, Any] = {"title": layer.title, "description": layer.description, "file": file}
    if "date" in provenance:
        card["date"] = provenance["date"]
    if layer.n_demo:
        card["demonstration"] = f"{_DEMO} : {layer.n_demo} ligne(s) sur {len(layer.frame)}, ne rien en conclure."
    card |= {
        "licence": provenance.get("licence", _LICENCE),
        "sources": _distinct(layer, "geometry_source") or _distinct(layer, "source"),
        "documents": _documents(layer),
        "crs": rendering.crs,
        "n_rows": len(layer.frame),
        "n_unlocated": sum(s is None for s in rendering.geometry) if rendering.geometry is not None else None,
        "n_demo": layer.n_demo,
        "key": list(layer.key),
        "columns": [_column(field, layer) for field in layer.fields],
        "private_columns": {"kept": list(layer.private_kept), "removed": list(layer.private_removed)},
        "remarks": [*layer.remarks, *rendering.remarks],
        "provenance": rest,
        "software": f"geo-qmi {geo_qmi.__version__}",
        "sha256": hashlib.sha256(rendering.data).hexdigest(),
    }
    return card


def _column(field: Field, layer: Layer) -> dict[str, Any]:
    described = {
        "name": field.name,
        "label": field.label,
        "description": field.description,
        "kind": field.kind,
        "unit": field.unit,
        "private": field.name in layer.private_kept,
    }
    return described | ({"choices": dict(field.choices)} if field.choices else {})


def _distinct(layer: Layer, column: str) -> list[str]:
    return sorted(set(_texts(layer, column)))


def _documents(layer: Layer) -> list[str]:
    """Return the published documents quoted as ``document:line`` in the sources."""
    parts = (part.partition(":")[0].strip() for text in _texts(layer, "source") for part in text.split(";"))
    return sorted({part for part in parts if part.isdigit()})


def _texts(layer: Layer, column: str) -> Iterable[str]:
    return [text for text in layer.values(column) if text] if column in layer.frame else []
