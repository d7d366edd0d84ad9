"""What must somebody know who receives the file without us?

The metadata of an export, as plain JSON types: what it is, where it comes from, under which licence, how to cite it,
in which system, what each column means, what was left out and why, how many rows are invented. No clock is read: the
same inputs describe themselves in the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geo_qmi
from geo_qmi.export.terms import terms
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geo_qmi.export.layer import Field, Layer
    from geo_qmi.export.pieces import Written

#: Where to look when nobody stated a licence for the whole file.
_LICENCE = "Non précisée pour le fichier entier : voir la source de chaque ligne et de chaque géométrie."
_DEMO = "Données de démonstration"


def describe(layer: Layer, *, file: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of one file about to be written, which formats that can keep inside them.

    Parameters
    ----------
    file
        Name of the data file, without its folder.
    provenance
        Parameters and inputs of the caller, repeated whole; ``licence``, ``credit`` and ``date`` among them are moved
        to the top, in place of the terms of the table.
    """
    own = {"licence", "credit", "date"}
    known = terms().get(layer.name)
    licence = provenance.get("licence", known.licence if known else _LICENCE)
    credit = provenance.get("credit", known.credit if known else "")
    card: dict[str, Any] = {"title": layer.title, "description": layer.description, "file": file}
    if "date" in provenance:
        card["date"] = provenance["date"]
    if layer.n_demo:
        card["demonstration"] = (
            f"{_DEMO} : {counted(layer.n_demo, 'ligne')} sur {len(layer.frame)}, ne rien en conclure."
        )
    dated = f", {provenance['date']}" if "date" in provenance else ""
    made = f"geo-qmi {geo_qmi.__version__}"
    return card | {
        "licence": licence,
        "citation": f"{credit}{' : ' if credit else ''}« {layer.title} »{dated}, export {made}.",
        "sources": _distinct(layer, "geometry_source") or _distinct(layer, "source"),
        "documents": _documents(layer),
        "n_rows": len(layer.frame),
        "n_demo": layer.n_demo,
        "key": list(layer.key),
        "columns": [_column(field, layer) for field in layer.fields],
        "private_columns": {"kept": list(layer.private_kept), "removed": list(layer.private_removed)},
        "remarks": list(layer.remarks),
        "provenance": {key: value for key, value in provenance.items() if key not in own},
        "software": made,
    }


def finished(card: Mapping[str, Any], written: Written, *, sha256: str) -> dict[str, Any]:
    """Return the metadata of a file that is written."""
    return dict(card) | {
        "crs": written.crs,
        "n_unlocated": written.n_unlocated,
        "remarks": [*card["remarks"], *written.remarks],
        "sha256": sha256,
    }


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
    parts = (part.partition(":")[0].strip() for text in set(_texts(layer, "source")) for part in text.split(";"))
    return sorted({part for part in parts if part.isdigit()})


def _texts(layer: Layer, column: str) -> Iterable[str]:
    return [str(text) for text in layer.frame[column].dropna().unique() if text] if column in layer.frame else []
