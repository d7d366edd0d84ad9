"""What do a KML and a GPX file hold?

Every Placemark of every folder, with its extended data as columns; every waypoint, route and track. Read with
defusedxml: no document type, no entity, no link is followed, in UTF-8, UTF-16 or any encoding the file declares.
Styles, overlays and network links are named when left aside. Both formats are WGS 84 by definition.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

import shapely
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from geo_qmi.errors import InputError, UnreadableError, shown
from geo_qmi.sources import shapes
from geo_qmi.sources.limits import passed
from geo_qmi.sources.sheet import Cell, Sheet
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from geo_qmi.sources.limits import Limits

_WGS84 = "EPSG:4326"
_KML_TEXTS = ("name", "description", "address", "phoneNumber", "Snippet", "visibility")
_KML_SHAPES = {"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack", "Model"}
_KML_ASIDE = {"NetworkLink", "GroundOverlay", "ScreenOverlay", "PhotoOverlay", "Tour"}
_GPX_LAYERS = {"wpt": "waypoints", "rte": "routes", "trk": "tracks"}


def parse_xml(data: bytes, *, file: str, limits: Limits) -> Element:
    """Return the root of an XML document, refused when it has a document type or is too deep.

    Raises
    ------
    UnreadableError
        Not XML, cut short, or with a DTD or entity.
    LimitError
        Elements nested deeper than `limits.nesting`.
    """
    depth, root = 0, None
    try:
        for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                root = element if root is None else root
                depth += 1
                if depth > limits.nesting:
                    raise passed(file, "niveaux de balises imbriquées", met=depth, limit=limits.nesting)
            else:
                depth -= 1
    except ParseError as error:
        line, column = error.position
        raise UnreadableError(
            f"« {file} », ligne {line}, colonne {column + 1} : XML incomplet ou mal écrit → réexportez le fichier."
        ) from None
    except DefusedXmlException:
        raise UnreadableError(
            f"« {file} » déclare un DOCTYPE ou des entités XML, refusés par sécurité → réexportez sans DOCTYPE."
        ) from None
    except InputError:  # a ValueError too, but ours
        raise
    except (LookupError, ValueError) as error:
        raise UnreadableError(f"« {file} » : encodage XML inconnu ({shown(error)}) → enregistrez en UTF-8.") from None
    if root is None:
        raise UnreadableError(f"« {file} » : aucun élément XML → réexportez le fichier.")
    return root  # type: ignore[no-any-return]


def local(element: Element) -> str:
    """Return the name of an element without its namespace."""
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def parse_kml(data: bytes, *, file: str, layer: str, limits: Limits) -> list[Sheet]:
    """Return one sheet per folder or document that holds placemarks.

    Returns
    -------
    list of Sheet
        Rows are placemark numbers from 1 in their folder; columns are ``id``, ``name``, ``description``, dates and
        the extended data; geometry in lon/lat degrees.
    """
    root = parse_xml(data, file=file, limits=limits)
    if local(root) != "kml" and local(root) not in {"Document", "Folder", "Placemark"}:
        raise UnreadableError(f"« {file} » : du XML, mais pas du KML (racine « {shown(local(root))} »).")
    sheets: list[Sheet] = []
    _kml_container(root, sheets, path=layer, file=file, limits=limits)
    aside = Counter(local(element) for element in root.iter() if local(element) in _KML_ASIDE)
    if not sheets:
        what = f" ; {_counted(aside)} : laissé de côté" if aside else ""
        raise UnreadableError(f"« {file} » ne contient aucun lieu (Placemark){what} → exportez les lieux eux-mêmes.")
    if aside:
        sheets[0].fault(
            f"éléments KML laissés de côté : {_counted(aside)} ; aucun lien n’est suivi",
            "exportez les lieux eux-mêmes",
            severity="warning",
        )
    return [sheet.finish() for sheet in sheets]


def _counted(aside: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(aside.items()))


def _kml_container(element: Element, sheets: list[Sheet], *, path: str, file: str, limits: Limits) -> None:
    marks = [element] if local(element) == "Placemark" else [c for c in element if local(c) == "Placemark"]
    if marks:
        limits.check_rows(len(marks), file=file, layer=path)
        taken = {sheet.layer for sheet in sheets}
        number, name = 2, path
        while name in taken:
            name, number = f"{path} ({number})", number + 1
        sheet = Sheet(file, name, geometry=[], crs=_WGS84)
        records = []
        for row, mark in enumerate(marks, start=1):
            sheet.n_in += 1
            sheet.rows.append(row)
            records.append(_kml_record(mark))
            sheet.geometry.append(_kml_shape(mark, sheet, row=row, limits=limits))  # type: ignore[union-attr]
        sheet.fill(records, limits=limits)
        sheets.append(sheet)
    for child in element:
        kind = local(child)
        if kind in {"Document", "Folder"}:
            title = next((_text(c) for c in child if local(c) == "name"), None)
            inner = path if kind == "Document" or not title else title
            _kml_container(child, sheets, path=inner, file=file, limits=limits)
        elif kind in {"Create", "Update", "Delete"}:
            _kml_container(child, sheets, path=path, file=file, limits=limits)


def _kml_record(mark: Element) -> dict[str, Cell]:
    record: dict[str, Cell] = {}
    if mark.get("id"):
        record["id"] = mark.get("id")
    for child in mark:
        kind = local(child)
        if kind in _KML_TEXTS:
            record[kind] = _text(child)
        elif kind in {"TimeStamp", "TimeSpan"}:
            record.update({local(moment): _text(moment) for moment in child})
        elif kind == "ExtendedData":
            for name, value in _kml_extended(child):
                number, fresh = 2, name
                while fresh in record:
                    fresh, number = f"{name} ({number})", number + 1
                record[fresh] = value
    return record


def _kml_extended(extended: Element) -> Iterator[tuple[str, Cell]]:
    for item in extended.iter():
        kind = local(item)
        if kind == "Data":
            yield item.get("name") or "", next((_text(c) for c in item if local(c) == "value"), None)
        elif kind == "SimpleData":
            yield item.get("name") or "", _text(item)
        elif kind not in {"ExtendedData", "SchemaData", "value", "displayName", "SimpleArrayData"} and not len(item):
            yield kind, _text(item)


def _kml_shape(mark: Element, sheet: Sheet, *, row: int, limits: Limits) -> Any:
    found = [child for child in mark if local(child) in _KML_SHAPES]
    notes: set[str] = set()
    try:
        return _kml_only(found, notes=notes, limits=limits)
    except shapes.ShapeError as error:
        sheet.fault(error.reason, error.proposal, row=row, column="geometry", value=_glimpse(found[0]))
        return None
    finally:
        for note in sorted(notes):
            sheet.fault(note, row=row, column="geometry", severity="warning")


def _kml_only(found: list[Element], *, notes: set[str], limits: Limits) -> Any:
    if not found:
        return None
    if len(found) > 1:
        raise shapes.ShapeError("le lieu a plusieurs géométries", "regroupez-les dans un MultiGeometry")
    return shapes.within_limits(_kml_build(found[0], notes=notes), limits=limits)


def _kml_build(element: Element, *, notes: set[str]) -> Any:
    kind = local(element)
    if kind == "Point":
        found = _kml_positions(element)
        if len(found) != 1:
            raise shapes.ShapeError(f"un point a {len(found)} positions ; une seule est attendue")
        return shapes.point(found[0])
    if kind in {"LineString", "LinearRing"}:
        return shapes.line(_kml_positions(element))
    if kind == "Polygon":
        borders = [b for side in ("outerBoundaryIs", "innerBoundaryIs") for b in element if local(b) == side]
        rings = [_kml_positions(r) for border in borders for r in border if local(r) == "LinearRing"]
        if not any(local(border) == "outerBoundaryIs" for border in borders) or not rings:
            raise shapes.ShapeError("le polygone n’a pas de contour extérieur")
        return shapes.polygon(rings, notes=notes)
    if kind in {"MultiGeometry", "MultiTrack"}:
        parts = [_kml_build(part, notes=notes) for part in element if local(part) in _KML_SHAPES]
        if not parts:
            raise shapes.ShapeError(f"{kind} ne contient aucune géométrie")
        return shapes.gather(parts)
    if kind == "Track":
        return shapes.line([[_number(n) for n in _text_of(c).split()] for c in element if local(c) == "coord"])
    raise shapes.ShapeError(f"l’élément {kind} (objet 3D) n’est pas une géométrie utilisable", "dessinez un point")


def _kml_positions(element: Element) -> list[list[float]]:
    raw = " ".join(_text_of(c) for c in element if local(c) == "coordinates")
    tuples = ",".join(part.strip() for part in raw.split(",")).split()
    return [[_number(n) for n in one.rstrip(",").split(",")] for one in tuples]


def _number(raw: str) -> float:
    try:
        return float(raw.replace("_", "?"))  # Python alone reads 1_000 as a number
    except ValueError:
        raise shapes.ShapeError(f"« {shown(raw)} » n’est pas un nombre", "écrivez lon,lat avec des points") from None


def parse_gpx(data: bytes, *, file: str, limits: Limits) -> list[Sheet]:
    """Return the waypoints, routes and tracks of a GPX file, one sheet for each kind met.

    Returns
    -------
    list of Sheet
        Rows are numbers from 1 in each kind. A track is one row (a line per segment) with ``time_first`` and
        ``time_last`` when its points are dated; elevations are kept as Z when every point has one.
    """
    root = parse_xml(data, file=file, limits=limits)
    if local(root) != "gpx":
        raise UnreadableError(f"« {file} » : du XML, mais pas du GPX (racine « {shown(local(root))} »).")
    sheets = []
    for tag, layer in _GPX_LAYERS.items():
        items = [child for child in root if local(child) == tag]
        if not items:
            continue
        limits.check_rows(len(items), file=file, layer=layer)
        sheet = Sheet(file, layer, geometry=[], crs=_WGS84)
        records = []
        for row, item in enumerate(items, start=1):
            sheet.n_in += 1
            sheet.rows.append(row)
            records.append(_gpx_record(item))
            sheet.geometry.append(_gpx_shape(item, sheet, row=row, limits=limits))  # type: ignore[union-attr]
        sheet.fill(records, limits=limits)
        sheets.append(sheet.finish())
    if not sheets:
        raise UnreadableError(f"« {file} » ne contient ni point, ni itinéraire, ni trace → vérifiez l’export GPX.")
    return sheets


def _gpx_record(item: Element) -> dict[str, Cell]:
    record: dict[str, Cell] = {}
    for child in item:
        kind = local(child)
        if kind in {"rtept", "trkseg"}:
            continue
        for leaf in child.iter():
            if local(leaf) == "link":
                record.setdefault("link", leaf.get("href"))
            elif not len(leaf):
                record.setdefault(local(leaf), _text(leaf))
    times = [
        _text(t) for point in item.iter() if local(point) in {"trkpt", "rtept"} for t in point if local(t) == "time"
    ]
    if times:
        record |= {"time_first": times[0], "time_last": times[-1]}
    return record


def _gpx_shape(item: Element, sheet: Sheet, *, row: int, limits: Limits) -> Any:
    try:
        if local(item) == "wpt":
            return shapes.point(_gpx_positions([item])[0])
        if local(item) == "rte":
            found = [point for point in item if local(point) == "rtept"]
            return shapes.within_limits(shapes.line(_gpx_positions(found)), limits=limits) if found else None
        return _gpx_track(item, sheet, row=row, limits=limits)
    except shapes.ShapeError as error:
        sheet.fault(error.reason, error.proposal, row=row, column="geometry", value=item.get("lat"))
        return None


def _gpx_track(item: Element, sheet: Sheet, *, row: int, limits: Limits) -> Any:
    segments = [[p for p in segment if local(p) == "trkpt"] for segment in item if local(segment) == "trkseg"]
    lone = sum(len(segment) == 1 for segment in segments)
    lines = [shapes.line(_gpx_positions(segment)) for segment in segments if len(segment) > 1]
    if lone and not lines:
        raise shapes.ShapeError("la trace n’a qu’un point par segment ; une ligne en demande deux")
    if lone:
        sheet.fault(
            f"{counted(lone, 'segment')} d’un seul point, sans reprise",
            row=row,
            column="geometry",
            severity="warning",
        )
    return shapes.within_limits(shapely.multilinestrings(lines), limits=limits) if lines else None


def _gpx_positions(points: list[Element]) -> list[list[float]]:
    found = []
    for point in points:
        lon, lat = point.get("lon"), point.get("lat")
        if lon is None or lat is None:
            raise shapes.ShapeError("un point n’a pas ses attributs lat et lon")
        elevation = next((_text(c) for c in point if local(c) == "ele"), None)
        found.append([_number(lon), _number(lat), *([_number(elevation)] if elevation else [])])
    return found


def _text(element: Element) -> str | None:
    return _text_of(element).strip() or None


def _text_of(element: Element) -> str:
    return "".join(element.itertext())


def _glimpse(element: Element) -> str:
    return shown(" ".join(_text_of(element)[:200].split()))
