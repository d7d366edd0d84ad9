"""What does a GeoJSON file hold: a collection, one feature, one bare geometry, or one feature a line?

Parsed with the standard ``json`` module, never by GDAL: nothing is fetched, and a geometry that cannot be built
is a defect instead of an empty place. The old ``crs`` member is read as what the file declares; without one the
standard (RFC 7946) says WGS 84. Whether the numbers look like degrees is not checked here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import shapely

from geo_qmi.errors import InputError, UnreadableError, shown
from geo_qmi.sources import shapes, text
from geo_qmi.sources.limits import passed
from geo_qmi.sources.sheet import Cell, Sheet

if TYPE_CHECKING:
    from geo_qmi.sources.limits import Limits

_WGS84 = "EPSG:4326"
_TWICE = "\0twice"  # cannot be spelled by a publisher: NUL is not a key anybody types
_EPSG = re.compile(r"EPSG[/:]+(?:[\d.]*[/:])?(\d{4,6})$", re.IGNORECASE)
_GEOMETRIES = {
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
}


def parse_geojson(data: bytes, *, file: str, layer: str, limits: Limits) -> Sheet:
    """Return the features of a GeoJSON or newline-delimited GeoJSON file.

    Parameters
    ----------
    data
        The whole file; UTF-8, UTF-16 with its mark, or Windows-1252 (reported).
    file, layer
        Names used in messages and kept in the sheet.

    Returns
    -------
    Sheet
        Rows are feature numbers from 1. Nested values are kept as JSON text.

    Raises
    ------
    UnreadableError
        Not JSON, or JSON that is not GeoJSON.
    LimitError
        Too many features or columns, or too deep.
    """
    content, encoding = text.decode(data)
    sheet = Sheet(file, layer, geometry=[], crs=_WGS84)
    if encoding == "cp1252":
        sheet.fault(
            "le fichier n’est pas en UTF-8 ; il a été lu en Windows-1252",
            "enregistrez-le en UTF-8",
            severity="warning",
        )
    features = _features(content, sheet, limits=limits)
    limits.check_rows(len(features), file=file)
    records: list[dict[str, Cell]] = []
    for number, feature in enumerate(features, start=1):
        sheet.n_in += 1
        if type(feature) is not dict:
            if not isinstance(feature, _Lost):
                sheet.fault("cet élément n’est pas un objet GeoJSON", row=number, value=json.dumps(feature))
            continue
        sheet.rows.append(number)
        records.append(_record(feature, sheet, row=number, limits=limits))
        cast("list[Any]", sheet.geometry).append(_shape(feature, sheet, row=number, limits=limits))
    sheet.fill(records, limits=limits)
    return sheet.finish()


class _Lost:
    """A line of newline-delimited GeoJSON that could not be read; already reported."""


def _features(content: str, sheet: Sheet, *, limits: Limits) -> list[Any]:
    try:
        document = _loads(content)
    except json.JSONDecodeError as error:
        lines = _lines(content, sheet)
        if lines is not None:
            return lines
        raise UnreadableError(
            f"« {sheet.file} », ligne {error.lineno}, colonne {error.colno} : ce n’est pas du JSON complet "
            "(fichier coupé ou mal écrit) → réexportez la couche."
        ) from None
    except RecursionError:
        raise passed(sheet.file, "niveaux imbriqués", met=1000, limit=limits.nesting) from None
    except ValueError:
        raise UnreadableError(f"« {sheet.file} » : un nombre a des milliers de chiffres → corrigez-le.") from None
    return _unwrap(document, sheet)


def _unwrap(document: object, sheet: Sheet) -> list[Any]:
    if not isinstance(document, dict):
        raise UnreadableError(
            f"« {sheet.file} » : du JSON, mais pas du GeoJSON (un FeatureCollection est attendu) → exportez en GeoJSON."
        )
    if _TWICE in document:
        raise UnreadableError(
            f"« {sheet.file} » : la clé « {shown(document[_TWICE])} » est écrite deux fois → gardez-en une seule."
        )
    sheet.crs = _declared_crs(document, sheet)
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            raise UnreadableError(f"« {sheet.file} » : « features » n’est pas une liste → réexportez la couche.")
        return features
    if kind == "Feature":
        return [document]
    if isinstance(kind, str) and kind in _GEOMETRIES:
        return [{"type": "Feature", "geometry": document, "properties": {}}]
    raise UnreadableError(
        f"« {sheet.file} » : type GeoJSON inconnu « {shown(kind)} » "
        f"(clés lues : {shown(', '.join(map(str, document)))}) → un FeatureCollection est attendu."
    )


def _lines(content: str, sheet: Sheet) -> list[Any] | None:
    """Return one feature a line (GeoJSONSeq), or ``None`` when the first two lines do not look like it."""
    lines = [(number, line.strip(" \t\r\x1e")) for number, line in enumerate(content.split("\n"), start=1)]
    lines = [(number, line) for number, line in lines if line]
    if len(lines) < 2 or not all(_is_feature(line) for _, line in lines[:1]):
        return None
    features: list[Any] = []
    for number, line in lines:
        try:
            features.append(_loads(line))
        except (ValueError, RecursionError):
            sheet.fault(
                f"la ligne {number} du fichier n’est pas du JSON complet",
                "réexportez la couche",
                row=len(features) + 1,
                value=line,
            )
            features.append(_Lost())
    return features


def _is_feature(line: str) -> bool:
    try:
        document = _loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("type") in {"Feature", *_GEOMETRIES}


def _loads(content: str) -> Any:
    return json.loads(content, object_pairs_hook=_pairs)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        names = [name for name, _ in pairs]
        mapping[_TWICE] = next(name for name in names if names.count(name) > 1)
    return mapping


def _declared_crs(document: dict[str, Any], sheet: Sheet) -> str | None:
    if "crs" not in document:
        return _WGS84
    declared = document["crs"]
    if declared is None:
        return None
    properties = declared.get("properties") if isinstance(declared, dict) else None
    kind = declared.get("type") if isinstance(declared, dict) else None
    if kind == "link":
        raise InputError(
            f"« {sheet.file} » : son système de coordonnées est un lien (« crs » de type link), jamais suivi → "
            "réexportez en WGS 84, ou indiquez le code EPSG."
        )
    name = properties.get("name", properties.get("code")) if isinstance(properties, dict) else None
    code = crs_code(name) if kind == "name" else crs_code(f"EPSG:{name}")
    if code is None:
        sheet.fault(
            "le système de coordonnées déclaré n’est pas reconnu",
            "indiquez son code EPSG",
            column="crs",
            value=name if name is not None else declared,
            severity="warning",
        )
    return code


def crs_code(name: object) -> str | None:
    """Return ``EPSG:nnnn`` for a name, URN or address of a coordinate system, else ``None``.

    Examples
    --------
    >>> crs_code("urn:ogc:def:crs:EPSG::2154"), crs_code("urn:ogc:def:crs:OGC:1.3:CRS84")
    ('EPSG:2154', 'EPSG:4326')
    """
    if not isinstance(name, str):
        return None
    if name.strip().upper().endswith("CRS84"):
        return _WGS84
    found = _EPSG.search(name.strip())
    return f"EPSG:{found[1]}" if found else None


def _record(feature: dict[str, Any], sheet: Sheet, *, row: int, limits: Limits) -> dict[str, Cell]:
    properties = feature.get("properties")
    if _TWICE in feature:
        _twice(feature, sheet, row=row)
    if properties is not None and not isinstance(properties, dict):
        sheet.fault("« properties » n’est pas un objet", row=row, column="properties", value=properties)
        properties = None
    record: dict[str, Cell] = {}
    for name, value in (properties or {}).items():
        if name == _TWICE:
            _twice(cast("dict[str, Any]", properties), sheet, row=row)
        elif isinstance(value, dict | list):
            record[name] = _as_text(value, sheet, row=row, column=name, limits=limits)
        else:
            record[name] = value
    identifier = feature.get("id")
    if isinstance(identifier, str | int | float) and identifier != record.get("id"):
        record["id" if "id" not in record else "id de l’objet"] = identifier
    return record


def _twice(mapping: dict[str, Any], sheet: Sheet, *, row: int) -> None:
    name = mapping[_TWICE]
    sheet.fault(
        "cette clé est écrite deux fois dans le même objet ; une des valeurs serait perdue",
        "gardez-en une seule",
        row=row,
        column=name,
        value=mapping.get(name),
    )


def _as_text(value: Any, sheet: Sheet, *, row: int, column: str, limits: Limits) -> str:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > limits.nesting:
            raise passed(
                sheet.file,
                "niveaux imbriqués",
                met=depth,
                limit=limits.nesting,
                layer=f"objet {row}, colonne {shown(column)}",
            )
        inner = [part.values() if isinstance(part, dict) else part for part in level]
        level = [item for part in inner for item in part if isinstance(item, dict | list)]
    return json.dumps(value, ensure_ascii=False)


def _shape(feature: dict[str, Any], sheet: Sheet, *, row: int, limits: Limits) -> Any:
    kind = feature.get("type")
    geometry = feature if isinstance(kind, str) and kind in _GEOMETRIES else feature.get("geometry")
    notes: set[str] = set()
    try:
        _check_kind(kind)
        if kind == "Feature" and "geometry" not in feature:
            sheet.fault(
                "l’objet n’a pas de membre « geometry » ; son lieu est inconnu",
                'écrivez "geometry": null si c’est voulu',
                row=row,
                column="geometry",
                severity="warning",
            )
        shape = None if geometry is None else _build(geometry, notes=notes, file=sheet.file, limits=limits, depth=0)
        if shape is not None:
            shapes.within_limits(shape, limits=limits)
    except shapes.ShapeError as error:
        sheet.fault(error.reason, error.proposal, row=row, column="geometry", value=_glimpse(geometry))
        return None
    for note in sorted(notes):
        sheet.fault(note, row=row, column="geometry", severity="warning")
    return shape


def _check_kind(kind: object) -> None:
    if kind != "Feature" and not (isinstance(kind, str) and kind in _GEOMETRIES):
        raise shapes.ShapeError(f"type « {shown(kind)} » au lieu de « Feature »", "corrigez le type de cet objet")


def _build(geometry: object, *, notes: set[str], file: str, limits: Limits, depth: int) -> Any:
    if depth > limits.nesting:
        raise passed(file, "collections imbriquées", met=depth, limit=limits.nesting)
    if not isinstance(geometry, dict):
        raise shapes.ShapeError("la géométrie n’est pas un objet GeoJSON", "écrivez une géométrie ou null")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        parts = geometry.get("geometries")
        if not isinstance(parts, list):
            raise shapes.ShapeError("la collection n’a pas de liste « geometries »")
        return shapely.geometrycollections(
            [_build(part, notes=notes, file=file, limits=limits, depth=depth + 1) for part in parts]
        )
    if not isinstance(kind, str) or kind not in _GEOMETRIES:
        raise shapes.ShapeError(f"type de géométrie inconnu « {shown(kind)} »", "utilisez un type GeoJSON")
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list):
        raise shapes.ShapeError("la géométrie n’a pas de liste « coordinates »")
    return _simple(kind, coordinates, notes=notes)


def _simple(kind: str, coordinates: list[Any], *, notes: set[str]) -> Any:
    if kind == "Point":
        return shapes.point(coordinates)
    if kind == "LineString":
        return shapes.line(coordinates)
    if kind == "Polygon":
        return shapes.polygon(coordinates, notes=notes)
    if kind == "MultiPoint":
        return shapely.multipoints(shapes.positions(coordinates)) if coordinates else shapely.MultiPoint()
    if kind == "MultiLineString":
        return shapely.multilinestrings([shapes.line(part) for part in coordinates])
    return shapely.multipolygons([shapes.polygon(part, notes=notes) for part in coordinates])


def _glimpse(geometry: object) -> str:
    value = geometry.get("coordinates", geometry.get("type")) if isinstance(geometry, dict) else geometry
    # Only the first level is printed: the full text of a large geometry would be built to keep 60 characters.
    return shown(str(value[:2]) if isinstance(value, list) and len(str(value[:1])) < 500 else type(value).__name__)
