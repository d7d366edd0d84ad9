"""Where is each row, in Lambert-93 metres?

Finds the geometry a file carries (its own, WKT, GeoJSON text, longitude and latitude, « lat, lon »), holds its
coordinates against Île-de-France, and converts it. A coordinate system is never guessed: when it is missing or
lies, the likely ones are proposed and no row is taken. Nothing is drawn where a place is unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError

from geo_qmi import geo, schema
from geo_qmi.errors import InputError, shown
from geo_qmi.intake.cells import Fault, reader
from geo_qmi.schema.kinds import number
from geo_qmi.vocabulary import fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from geo_qmi.intake.faults import Faults
    from geo_qmi.sources.raw import RawTable

#: Column of the table; `Faults.spelled` says which columns of the file it was read from.
_GEOMETRY = "geometry"

#: Column pairs that hold a point: x, y, and the system the names themselves announce.
_PAIRS: tuple[tuple[tuple[str, ...], tuple[str, ...], str | None], ...] = (
    (("longitude", "lon", "lng", "long", "longitude_wgs84"), ("latitude", "lat", "latitude_wgs84"), geo.DEGREES),
    (("x_l93", "x_lambert93", "x_lambert_93"), ("y_l93", "y_lambert93", "y_lambert_93"), "EPSG:2154"),
    (("x", "coord_x", "coordonnee_x"), ("y", "coord_y", "coordonnee_y"), None),
)
#: One column of « lat, lon » text, the habit of open-data portals.
_LAT_LON = ("coordonnees_geographiques", "geo_point_2d", "geo_point", "geopoint", "lat_lon", "latlon", "coordonnees")
_GEOJSON = ("geo_shape", "geojson", "geo_json")
_WKT = ("wkt", "geometry", "geometrie", "geom", "the_geom", "geometry_wkt")
_WAYS = (*({*east, *north} for east, north, _ in _PAIRS), {*_LAT_LON}, {*_GEOJSON}, {*_WKT})
#: What a user may say a column holds, and how it is said in French.
WORDS = {
    "longitude": "longitude, en degrés",
    "latitude": "latitude, en degrés",
    "x_l93": "x, en Lambert-93",
    "y_l93": "y, en Lambert-93",
    "x": "x, système à préciser",
    "y": "y, système à préciser",
    "lat_lon": "« latitude, longitude » dans une cellule",
    "geojson": "géométrie GeoJSON",
    "wkt": "géométrie WKT",
}
_TWO_NUMBERS = re.compile(r"\s*\(?([+-]?\d+(?:\.\d+)?)\s*[,;]\s*([+-]?\d+(?:\.\d+)?)\)?\s*", re.ASCII)
_LON_LAT_KEYS = re.compile(
    r'\s*\{\s*"(lon|lat)"\s*:\s*([+-]?\d+(?:\.\d+)?)\s*,\s*"(lon|lat)"\s*:\s*([+-]?\d+(?:\.\d+)?)\s*\}\s*', re.ASCII
)
_EWKT = re.compile(r"\s*SRID=(\d{4,6});", re.ASCII | re.IGNORECASE)
_MULTI = {
    "Point": shapely.MultiPoint,
    "LineString": shapely.MultiLineString,
    "Polygon": shapely.MultiPolygon,
}

#: Beyond any system on Earth, in metres or degrees; keeps sums of absurd coordinates finite.
_FAR = 1e12


@dataclass(slots=True)
class Places:
    """Geometry of a table as the file gives it.

    Attributes
    ----------
    shapes
        Shapely geometries or ``None``, one a row; ``None`` when the file has no geometry at all.
    crs
        System the file or its column names announce.
    columns
        Columns of the file that were read as geometry.
    """

    shapes: NDArray[np.object_] | None = None
    crs: str | None = None
    columns: list[str] = field(default_factory=list)


def find(raw: RawTable, *, taken: set[str], faults: Faults, told: Mapping[str, str] | None = None) -> Places:
    """Return the geometry of `raw`, from its own geometry or from its columns.

    Parameters
    ----------
    taken
        Columns of the file that already mean something else.
    faults
        Receives the cells that cannot be read as a place, and the columns a place was read from.
    told
        Column of the file → the word of `WORDS` the user gives it; the file's own geometry gives way.
    """
    said = told or {}
    if not said and raw.geometry is not None and any(shape is not None for shape in raw.geometry):
        return Places(raw.geometry, raw.crs)
    columns = [str(column) for column in reversed(raw.frame.columns) if column not in taken]
    free = {said.get(column, fold(column)): column for column in sorted(columns, key=said.__contains__)}
    if said:  # only the way of giving a place the user speaks of
        meant = {word for way in _WAYS if not way.isdisjoint(said.values()) for word in way}
        free = {word: column for word, column in free.items() if word in meant}
    axes = _axes(free)
    if axes is not None:
        (x, y), _, crs = axes
        faults.spelled[_GEOMETRY] = f"{x}, {y}"
        return Places(_pairs(raw.frame, x, y, faults=faults), crs or raw.crs, [x, y])
    for words, read, crs in (
        (_LAT_LON, _lat_lon, geo.DEGREES),
        (_GEOJSON, _geojson, geo.DEGREES),
        (_WKT, _wkt, raw.crs),
    ):
        for word in words:
            if word in free:
                faults.spelled[_GEOMETRY] = free[word]
                shapes, declared = read(raw.frame[free[word]], faults)
                return Places(shapes, declared or crs, [free[word]])
    return Places(raw.geometry, raw.crs)


def ways(columns: Iterable[str], *, taken: set[str]) -> dict[str, str]:
    """Return the columns `find` would read a place from by their name → their word of `WORDS`; `taken` is as there."""
    free = {fold(column): column for column in reversed(list(columns)) if column not in taken}
    axes = _axes(free)
    if axes is not None:
        return dict(zip(axes[0], axes[1], strict=True))
    for words, meant in ((_LAT_LON, "lat_lon"), (_GEOJSON, "geojson"), (_WKT, "wkt")):
        found = next((free[word] for word in words if word in free), None)
        if found is not None:
            return {found: meant}
    return {}


def _axes(free: Mapping[str, str]) -> tuple[tuple[str, str], tuple[str, str], str | None] | None:
    """Return the columns of a point, their words of `WORDS` and the system they announce; `free`: word → column."""
    for east, north, crs in _PAIRS:
        x = next((free[word] for word in east if word in free), None)
        y = next((free[word] for word in north if word in free), None)
        if x is not None and y is not None:
            return (x, y), (east[0], north[0]), crs
    return None


def _empty(length: int) -> NDArray[np.object_]:
    shapes = np.empty(length, dtype=object)
    shapes[:] = None
    return shapes


def _pairs(frame: pd.DataFrame, x: str, y: str, *, faults: Faults) -> NDArray[np.object_]:
    read = reader(number("Coordonnée", "Coordonnée."))
    shapes = _empty(len(frame))
    points, places = [], []
    for place, (row, east, north) in enumerate(zip(frame.index, frame[x], frame[y], strict=True)):
        values = [read(east), read(north)]
        for value, cell, column in zip(values, (east, north), (x, y), strict=True):
            if isinstance(value, Fault):
                faults.cell(row, value.reason, value.proposal, column=column, value=cell)
                faults.cells.add((row, _GEOMETRY))
        if values == [None, None] or any(isinstance(value, Fault) for value in values):
            continue
        if None in values:
            lone = x if values[0] is None else y
            faults.cell(row, "une coordonnée manque, l’autre est là", "donnez les deux, ou aucune", column=lone)
            faults.cells.add((row, _GEOMETRY))
            continue
        points.append(values)
        places.append(place)
    if points:
        shapes[places] = shapely.points(np.array(points, dtype=float))
    return shapes


def _lat_lon(cells: pd.Series[Any], faults: Faults) -> tuple[NDArray[np.object_], str | None]:
    shapes = _empty(len(cells))
    for place, (row, cell) in enumerate(cells.items()):
        if cell is None or not str(cell).strip():
            continue
        keyed, two = _LON_LAT_KEYS.fullmatch(str(cell)), _TWO_NUMBERS.fullmatch(str(cell))
        if keyed and keyed[1] != keyed[3]:
            named = {keyed[1]: float(keyed[2]), keyed[3]: float(keyed[4])}
            shapes[place] = shapely.Point(named["lon"], named["lat"])
        elif two:
            shapes[place] = shapely.Point(float(two[2]), float(two[1]))
        else:
            faults.cell(
                cast("int", row),
                "attendu : « latitude, longitude » en degrés, à point décimal",
                "écrivez par exemple 48.93, 2.49, ou donnez deux colonnes longitude et latitude",
                column=_GEOMETRY,
                value=cell,
            )
    return shapes, None


def _texts(cells: pd.Series[Any], faults: Faults, *, build: Callable[[str], Any], expected: str) -> NDArray[np.object_]:
    shapes = _empty(len(cells))
    for place, (row, cell) in enumerate(cells.items()):
        if cell is None or not str(cell).strip():
            continue
        shapes[place] = build(str(cell))
        if shapes[place] is None:
            faults.cell(
                cast("int", row),
                f"géométrie illisible ; attendu : {expected}",
                "réexportez la couche, ou videz la cellule si le lieu n’est pas connu",
                column=_GEOMETRY,
                value=cell,
            )
    return shapes


def _geojson(cells: pd.Series[Any], faults: Faults) -> tuple[NDArray[np.object_], str | None]:
    build = _quiet(shapely.from_geojson)
    return _texts(cells, faults, build=build, expected="une géométrie GeoJSON"), None


def _wkt(cells: pd.Series[Any], faults: Faults) -> tuple[NDArray[np.object_], str | None]:
    systems = {found[1] for cell in cells if (found := _EWKT.match(str(cell)))}
    if len(systems) > 1:
        faults.table(
            "plusieurs systèmes de coordonnées (SRID) dans une même colonne",
            "exportez la couche dans un seul système",
            column=_GEOMETRY,
            value=", ".join(sorted(systems)),
        )
    build = _quiet(shapely.from_wkt)
    shapes = _texts(cells, faults, build=lambda t: build(_EWKT.sub("", t, count=1)), expected="du WKT, POINT (x y)")
    return shapes, f"EPSG:{min(systems)}" if systems else None


def _quiet(parse: Callable[..., Any]) -> Callable[[str], Any]:
    return lambda text: parse(text, on_invalid="ignore")


# From the file's coordinates to Lambert-93 -----------------------------------------------------------------------


def locate(found: Places, name: str, *, rows: pd.Index[int], crs: str | None, faults: Faults) -> NDArray[np.object_]:
    """Return geometries of table `name` in EPSG:2154, ``None`` where there is none or it cannot be taken.

    Parameters
    ----------
    found
        What `find` returned, with shapes.
    rows
        Row number of each shape as the user sees it.
    crs
        System imposed by the user; wins over the announced one.
    faults
        Receives one sentence per fault met, each with what to do.

    Raises
    ------
    InputError
        `crs` is not a coordinate system.
    """
    shapes = cast("NDArray[np.object_]", found.shapes).copy()
    guard = _Guard(rows, faults)
    guard.drop_empty(shapes)
    guard.drop_third_dimension(shapes)
    imposed = system(crs) if crs else None
    announced = found.crs
    if imposed and announced and imposed != announced:
        faults.table(
            f"le fichier annonce {announced} ; {imposed} est retenu à votre demande",
            "vérifiez la carte avant d’enregistrer",
            severity="warning",
            column=_GEOMETRY,
        )
    declared = imposed or announced
    if not any(shape is not None for shape in shapes):
        return shapes
    if declared is None or not guard.hold_against_region(shapes, declared):
        if declared is None:
            guard.tell_no_crs(shapes)
        return _empty(len(shapes))
    guard.repair(shapes)
    if declared != schema.CRS:
        shapes = guard.convert(shapes, declared)
    guard.fit_types(shapes, schema.geometry_types(name))
    return shapes


def system(crs: str) -> str:
    """Return the authority code of a coordinate system given by the user.

    Raises
    ------
    InputError
        PROJ does not know it.

    Examples
    --------
    >>> system("epsg:2154"), system("2154")
    ('EPSG:2154', 'EPSG:2154')
    """
    try:
        known = pyproj.CRS.from_user_input(int(crs) if crs.strip().isdigit() else crs.strip())
    except (CRSError, OverflowError):
        raise InputError(
            f"Système de coordonnées inconnu : « {shown(crs)} ». Donnez un code, par exemple EPSG:2154 (Lambert-93)."
        ) from None
    authority = known.to_authority()
    return ":".join(authority) if authority else known.to_string()


@dataclass(slots=True)
class _Guard:
    """One guard a method, over the shapes of one table; each puts its own sentence in `faults`."""

    rows: pd.Index[int]
    faults: Faults

    def _refuse(
        self, shapes: NDArray[np.object_], places: Any, reason: str, proposal: str, *, value: object = None
    ) -> None:
        for place in places:
            shown_value = value if value is not None else _glimpse(shapes[place])
            shapes[place] = None
            self.faults.cell(int(self.rows[place]), reason, proposal, column=_GEOMETRY, value=shown_value)

    def _warn(self, places: Any, reason: str, proposal: str = "") -> None:
        for place in places:
            self.faults.cell(int(self.rows[place]), reason, proposal, column=_GEOMETRY, severity="warning")

    def drop_empty(self, shapes: NDArray[np.object_]) -> None:
        """Turn empty geometries into « unknown place », and refuse coordinates that are not numbers."""
        empty = np.flatnonzero(shapely.is_empty(shapes))
        shapes[empty] = None
        self._warn(
            empty,
            "géométrie vide : le lieu est inconnu, la ligne est lue sans géométrie",
            "tracez la géométrie si le lieu est connu",
        )
        coordinates, owners = shapely.get_coordinates(shapes, return_index=True)
        broken = np.unique(owners[~np.isfinite(coordinates).all(axis=1)])
        self._refuse(
            shapes, broken, "coordonnée qui n’est pas un nombre (NaN ou infini)", "corrigez la géométrie", value="NaN"
        )

    def drop_third_dimension(self, shapes: NDArray[np.object_]) -> None:
        """Keep x and y only, and say it once."""
        raised = shapely.has_z(shapes) | shapely.has_m(shapes)
        if raised.any():
            shapes[raised] = shapely.force_2d(shapes[raised])
            self.faults.table(
                f"altitudes (Z) ou mesures (M) laissées de côté dans {counted(int(raised.sum()), 'géométrie')}",
                "la carte est plane ; gardez votre fichier si l’altitude compte",
                severity="warning",
                column=_GEOMETRY,
            )

    def tell_no_crs(self, shapes: NDArray[np.object_]) -> None:
        """Say that the file names no system, and which ones would put it in Île-de-France."""
        likely = geo.propose_crs(_core(shapes))
        self.faults.table(
            "le fichier ne dit pas dans quel système sont ses coordonnées, et il n’est jamais deviné",
            _remedy(likely) or "demandez le système au producteur, puis ajoutez --crs EPSG:…",
            column=_GEOMETRY,
            value=_glimpse(next(shape for shape in shapes if shape is not None)),
        )

    def hold_against_region(self, shapes: NDArray[np.object_], declared: str) -> bool:
        """Check that `declared` puts the shapes in Île-de-France; tell whether the table can be taken."""
        placed = np.flatnonzero([shape is not None for shape in shapes])
        bounds = shapely.bounds(shapes[placed])
        try:
            inside = _inside(bounds, declared)
        except (CRSError, ProjError):
            self.faults.table(
                f"système de coordonnées annoncé inutilisable : {shown(declared)}",
                "ajoutez --crs EPSG:2154 si le fichier est en Lambert-93",
                column=_GEOMETRY,
            )
            return False
        if inside.all():
            return True
        likely = [p for p in geo.propose_crs(_core(shapes)) if p.swapped or p.code != declared]
        if inside.mean() < 0.5 and likely:
            self.faults.table(
                _lie(declared, likely[0]),
                _remedy(likely, declared),
                column=_GEOMETRY,
                value=_glimpse(shapes[placed[0]]),
            )
            return False
        for place, box in zip(placed[~inside], bounds[~inside], strict=True):
            elsewhere = geo.propose_crs(box)
            hint = f" ; elles y seraient en {elsewhere[0].code}, {elsewhere[0].why}" if elsewhere else ""
            self._refuse(shapes, [place], f"coordonnées loin de l’Île-de-France{hint}", "corrigez les coordonnées")
        return True

    def repair(self, shapes: NDArray[np.object_]) -> None:
        """Rebuild invalid rings and say what changed."""
        fixed, notes = geo.repair(shapes)
        for place in np.flatnonzero([bool(note) for note in notes]):
            if shapely.is_empty(fixed[place]):
                self._refuse(shapes, [place], "tracé sans étendue : il ne reste rien une fois réparé", "retracez-le")
            else:
                shapes[place] = fixed[place]
                self._warn([place], notes[place], "vérifiez le tracé sur la carte")

    def convert(self, shapes: NDArray[np.object_], declared: str) -> NDArray[np.object_]:
        """Return the shapes in Lambert-93; a system other than longitude and latitude is worth a warning."""
        if declared not in {geo.DEGREES, "OGC:CRS84", "EPSG:4979"}:
            self.faults.table(
                f"géométries converties de {declared} ({pyproj.CRS(declared).name}) en {schema.CRS} (Lambert-93)",
                "enregistrez vos fichiers en Lambert-93 pour éviter cette conversion",
                severity="warning",
                column=_GEOMETRY,
            )
        return np.array(gpd.GeoSeries(shapes, crs=declared).to_crs(schema.CRS), dtype=object)

    def fit_types(self, shapes: NDArray[np.object_], allowed: tuple[str, ...]) -> None:
        """Unwrap collections of one kind, and multi-geometries of one part where only single ones are allowed."""
        for place in np.flatnonzero([shape is not None and shape.geom_type not in allowed for shape in shapes]):
            shape = shapes[place]
            parts = list(getattr(shape, "geoms", []))
            kinds = {part.geom_type for part in parts}
            if len(parts) == 1 and kinds <= set(allowed):
                shapes[place] = parts[0]
                self._warn([place], f"{shape.geom_type} d’un seul élément, lu comme {parts[0].geom_type}")
            elif len(kinds) == 1 and kinds <= set(_MULTI) and f"Multi{min(kinds)}" in allowed:
                shapes[place] = _MULTI[min(kinds)](parts)
                self._warn([place], f"{shape.geom_type} lue comme Multi{min(kinds)}")


def _inside(bounds: NDArray[np.float64], crs: str) -> NDArray[np.bool_]:
    if geo.in_region((*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)), crs=crs):
        return np.ones(len(bounds), dtype=bool)
    return np.array([geo.in_region(box, crs=crs) for box in bounds.tolist()], dtype=bool)


def _core(shapes: NDArray[np.object_]) -> tuple[float, float, float, float]:
    """Return the box of the central half of the shapes: a few stray points must not hide the likely system."""
    placed = shapes[[shape is not None for shape in shapes]]
    bounds = np.clip(shapely.bounds(placed), -_FAR, _FAR)
    centres = (bounds[:, :2] + bounds[:, 2:]) / 2
    low, high = np.quantile(centres, [0.25, 0.75], axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _lie(declared: str, likely: geo.CrsProposal) -> str:
    """Return the sentence that says how the values contradict the announced system."""
    if likely.code == declared:
        both = "latitude et longitude" if declared == geo.DEGREES else "les deux axes"
        return f"{both} sont inversées" if declared == geo.DEGREES else f"{both} sont inversés"
    announced_degrees = pyproj.CRS(declared).is_geographic
    if announced_degrees and likely.code != geo.DEGREES:
        return f"des mètres dans un fichier annoncé en longitude et latitude ({declared})"
    if not announced_degrees and likely.code == geo.DEGREES:
        return f"des degrés dans un fichier annoncé en mètres ({declared})"
    return f"le fichier est annoncé en {declared}, mais ses valeurs sont celles d’un autre système : {likely.code}"


def _remedy(likely: list[geo.CrsProposal], declared: str = "") -> str:
    """Return what to do, the likeliest first."""
    ways = []
    for proposal in likely:
        swapped = "échangez les deux coordonnées" if proposal.swapped else ""
        added = "" if proposal.code == declared else f"ajoutez --crs {proposal.code} ({proposal.why})"
        ways.append(", puis ".join(part for part in (swapped, added) if part))
    return " ; ou ".join(ways)


def _glimpse(shape: Any) -> str:
    """Return the first coordinates of a shape, short enough for a message."""
    coordinates = shapely.get_coordinates(shape)[:1]
    return f"{shape.geom_type} {coordinates[0][0]:.6g} {coordinates[0][1]:.6g}" if len(coordinates) else shape.geom_type
