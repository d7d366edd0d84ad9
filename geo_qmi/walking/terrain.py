"""On which ground is a district walked, and what should be known of it?

Gathers perimeter, barriers, crossings, streets and people around one district and builds its `Terrain`: open ground
with barriers by default, streets where a layer is given, crossings shut at an hour where one is asked. A district
without a published perimeter has no ground and is refused by name. Nothing is measured here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import maps, network
from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import GEOMETRY_STATUSES, fold
from geo_qmi.walking.hours import open_at
from geo_qmi.walking.layers import COARSE_M2, spread
from geo_qmi.wording import agreed, counted, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geo_qmi.network import Ground

#: Barriers are carded, and people counted, up to five minutes around the perimeter: beyond, it is another district.
CARD_MARGIN_M = 400.0
#: A quarter of an hour, the usual reach of daily walks.
MINUTES = 15.0
#: Side of the squares that stand for the ground itself where nobody gave a layer of people.
_SQUARE_M = 60.0

HECTARES, PEOPLE = "hectares", "habitants"


@dataclass(frozen=True, eq=False)
class Terrain:
    """The ground of one district, and what is counted on it.

    Attributes
    ----------
    district_id, title
        The district and its display name.
    perimeter
        One row, EPSG:2154.
    barriers
        Barriers within `CARD_MARGIN_M` of the perimeter, cut there; rows of table ``barriers``.
    crossings
        Declared crossings of the area, rows of table ``crossings``; ``closed`` tells those shut at the hour asked.
    ground
        What is walked on, crossings opened.
    weights
        Column ``population``: people where a layer was given (with what else it says of them, large zones spread over
        squares), else squares of ground in hectares.
    unit
        ``habitants`` or ``hectares``: what `weights` counts.
    margin_m
        Ground added around the perimeter.
    bridges
        Streets that cross a barrier where no crossing is declared; empty on open ground.
    lines
        French sentences to show with every figure.
    demo
        Whether made-up crossings are used.
    uncrossed
        `ground` before any declared crossing was opened: another hour opens others in it.
    """

    district_id: str
    title: str
    perimeter: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    crossings: gpd.GeoDataFrame
    ground: Ground
    weights: gpd.GeoDataFrame
    unit: str
    margin_m: float
    bridges: gpd.GeoDataFrame
    lines: tuple[str, ...]
    demo: bool
    uncrossed: Ground

    @property
    def region(self) -> shapely.Geometry:
        """The whole ground: the perimeter and its margin."""
        return shapely.buffer(self.perimeter.geometry.iloc[0], self.margin_m)

    @property
    def around(self) -> shapely.Geometry:
        """Where barriers are carded and people counted: the perimeter and `CARD_MARGIN_M`."""
        return shapely.buffer(self.perimeter.geometry.iloc[0], CARD_MARGIN_M)

    @property
    def homes(self) -> pd.DataFrame:
        """Where each of `weights` joins the ground, as `geo_qmi.network.snap`."""
        return self.ground.derived("homes", lambda: network.snap(self.ground, self.weights))

    @property
    def free(self) -> Terrain:
        """The same open ground with nothing on it: what its grid makes of a disc. Streets are left as they are."""
        if self.ground.kind != "open":
            return self
        return replace(self, ground=self.uncrossed.derived("free", self._free))

    def _free(self) -> Ground:
        return network.open_ground(self.perimeter, buffer_m=self.margin_m, cell_m=self.ground.cell_m)


def district_of(tables: Mapping[str, Any], name: str) -> str:
    """Return the identifier of the district called `name`: its identifier, its commune or its published name.

    Raises
    ------
    UnknownNameError
        No district, or several, are called so.
    """
    hosts = maps.hosts_of(tables["districts"], tables["communes"])
    wanted = fold(name)
    known = hosts[["district_id", "commune", "name", "title"]].astype("object")
    rows = known.itertuples(index=False, name=None)
    found = [str(row[0]) for row in rows if wanted in {fold(word) for word in row if not pd.isna(word)}]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{ident} ({commune})" for ident, commune in known[["district_id", "commune"]].to_numpy())
    raise UnknownNameError(f"Quartier inconnu : « {shown(name)} ». Quartiers de l’étude : {listed or 'aucun'}.")


def terrain(  # noqa: PLR0913 - the choices of one ground, passed by name
    tables: Mapping[str, Any],
    district_id: str,
    *,
    streets: gpd.GeoDataFrame | None = None,
    population: gpd.GeoDataFrame | None = None,
    minutes: float = MINUTES,
    margin_m: float | None = None,
    at: str | None = None,
    slopes: bool = False,
    like: Terrain | None = None,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Terrain:
    """Return the ground of a district.

    Parameters
    ----------
    tables
        ``districts``, ``communes``, ``barriers``, ``crossings``.
    district_id
        A row of ``districts``.
    streets
        Lines in EPSG:2154 as `geo_qmi.sources.streets` reads them; open ground with barriers without them. Declared
        crossings are then left to the streets, which have their own bridges.
    population
        As `population_of` reads it.
    minutes
        Longest walk asked of this ground; it sizes the margin.
    margin_m
        Another margin, in metres.
    at
        Time of day, ``HH:MM``: crossings known to be shut then are not opened on open ground.
    slopes
        Walk slower uphill, where the streets carry heights.
    like
        This very terrain at another hour: its ground is taken as it is, but for the crossings opened or shut since.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.

    Raises
    ------
    InputError
        The district has no perimeter, no ground can be built, or `at` is no time of day.
    UnknownNameError
        There is no such district.
    """
    host = _host(tables, district_id)
    shape = host.geometry.iloc[0]
    margin = network.study_buffer_m(minutes) if margin_m is None else margin_m
    region = shapely.buffer(shape, margin)
    walls = _near(tables["barriers"], region)
    crossings, told = _at_hour(_near(tables["crossings"], region), at)
    announce("Terrain ouvert et coupures" if streets is None else "Réseau des rues", 0.1)
    if like is not None:
        uncrossed = like.uncrossed
    elif streets is None:
        uncrossed = network.open_ground(host, barriers=walls, buffer_m=margin)
    else:
        uncrossed = _on_streets(streets, host, walls, margin_m=margin, slopes=slopes)
    ground = _opened(uncrossed, walls, crossings, like=like)
    if streets is not None:
        lost = int(streets.geometry.isna().sum())
        told = (f"{counted(lost, 'rue')} sans géométrie dans la couche : hors du réseau.",) if lost else ()
        told += () if at is None else ("Heure demandée sans effet : les rues fournies ne portent pas d’horaires.",)
    if slopes:
        told += _sloped(ground)
    announce("Habitants et franchissements", 0.7)
    carded = shapely.buffer(shape, CARD_MARGIN_M)
    cutting = _near(walls, carded)
    cutting = cutting.set_geometry(shapely.intersection(cutting.geometry.to_numpy(), carded), crs=CRS)
    weights, said = _weights(population, carded)
    demo = streets is None and bool(crossings["demo"].any())
    found = Terrain(
        district_id=district_id,
        title=str(host["title"].iloc[0]),
        perimeter=host,
        barriers=cutting.reset_index(drop=True),
        crossings=crossings.reset_index(drop=True),
        ground=ground,
        weights=weights.reset_index(drop=True),
        unit=HECTARES if population is None else PEOPLE,
        margin_m=margin,
        bridges=_bridges(ground, walls, crossings),
        lines=(),
        demo=demo,
        uncrossed=uncrossed,
    )
    return replace(found, lines=(*_lines(found), *said, *told))


def _opened(
    uncrossed: Ground, walls: gpd.GeoDataFrame, crossings: gpd.GeoDataFrame, *, like: Terrain | None
) -> Ground:  # fmt: skip
    """Return open ground with its crossings opened but for those shut at the hour asked; streets have their own."""
    if like is not None and like.crossings["closed"].to_list() == crossings["closed"].to_list():
        return like.ground
    if uncrossed.kind != "open":
        return uncrossed
    usable = crossings["barrier_id"].isin(walls["barrier_id"]) | crossings["barrier_id"].isna()
    return network.open_crossings(uncrossed, crossings[usable & ~crossings["closed"]].drop(columns="closed"))


def _on_streets(
    streets: gpd.GeoDataFrame, host: gpd.GeoDataFrame, walls: gpd.GeoDataFrame, *, margin_m: float, slopes: bool
) -> Ground:
    """Return the streets around a district as ground; refused when none is there."""
    mine = _near(streets, shapely.buffer(host.geometry.iloc[0], margin_m))
    if mine.empty:
        raise InputError(
            f"Aucune des {number(len(streets))} rues fournies n’est à moins de {number(margin_m)} m du périmètre de "
            f"« {host['title'].iloc[0]} ». Chargez l’extrait de ce secteur."
        )
    return network.streets(mine, barriers=walls, slopes=slopes)


def _bridges(ground: Ground, walls: gpd.GeoDataFrame, crossings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the streets that cross a barrier where no crossing is declared."""
    if ground.kind == "open" or walls.empty:
        return gpd.GeoDataFrame({"barrier_id": [], "verdict": []}, geometry=[], crs=CRS)
    return network.phantom_bridges(ground, walls, crossings=crossings)


def with_crossing(given: Terrain, shape: shapely.Geometry, *, name: str = "franchissement envisagé") -> Terrain:
    """Return the terrain with one more crossing opened: a point on a barrier, or a line across it.

    Raises
    ------
    InputError
        The crossing cannot be opened; the sentence says why.
    """
    planned = gpd.GeoDataFrame(
        {"crossing_id": [name], "name": [name], "kind": ["bridge"], "status": ["planned"], "barrier_id": [None]},
        geometry=[shape],
        crs=CRS,
    )
    ground = network.open_crossings(given.ground, planned)
    if ground.links is not None and ground.links["reason"].iloc[-1]:
        raise InputError(
            f"Franchissement envisagé refusé : {ground.links['reason'].iloc[-1]}. Déplacez l’un des deux points."
        )
    opened = f"Avec « {name} », ouvert à pied : ni coût, ni foncier, ni dénivelé n’est compté."
    return replace(given, ground=ground, lines=(*given.lines, opened))


def flat(given: Terrain) -> Terrain:
    """Return open ground for which slopes were asked: it has no height, is walked the same, and says so."""
    return replace(given, lines=(*given.lines, *_sloped(given.ground)))


def _host(tables: Mapping[str, Any], district_id: str) -> gpd.GeoDataFrame:
    """Return the district as one drawn row, or raise."""
    rows = tables["districts"][tables["districts"]["district_id"] == district_id]
    if rows.empty:
        district_of(tables, district_id)
    host = maps.hosts_of(rows, tables["communes"])
    if host.geometry.isna().any():
        raise InputError(
            f"« {host['title'].iloc[0]} » : périmètre non publié, donc aucun terrain de marche. "
            "Importez un périmètre (table « Quartiers d’innovation », districts), ou choisissez un autre quartier."
        )
    return gpd.GeoDataFrame(host, geometry="geometry", crs=CRS)


def _near(frame: gpd.GeoDataFrame, region: shapely.Geometry, *, at: bool = False) -> gpd.GeoDataFrame:
    """Return the drawn rows that meet a region, or whose own point lies in it."""
    shapes = frame.geometry.to_numpy()
    near: gpd.GeoDataFrame = frame[shapely.intersects(shapely.point_on_surface(shapes) if at else shapes, region)]
    return near


def squares_of(region: shapely.Geometry, side_m: float) -> gpd.GeoDataFrame:
    """Return the centres of the squares of a grid that lie in a region, with the ``hectares`` of a square."""
    xmin, ymin, xmax, ymax = (int(bound // side_m) for bound in region.bounds)
    columns, rows = np.meshgrid(np.arange(xmin, xmax + 1), np.arange(ymin, ymax + 1), indexing="ij")
    x, y = ((number.ravel() + 0.5) * side_m for number in (columns, rows))
    inside = shapely.intersects_xy(region, x, y)
    points = shapely.points(x[inside], y[inside])
    return gpd.GeoDataFrame(
        {"hectares": np.full(len(points), side_m**2 / 1e4), "geometry": gpd.array.from_shapely(points, crs=CRS)}
    )


def _weights(people: gpd.GeoDataFrame | None, region: shapely.Geometry) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Return what is counted in a region, and what to say of it."""
    if people is None:
        return squares_of(region, _SQUARE_M).rename(columns={"hectares": "population"}), ()
    drawn = _near(people, region)
    if drawn.empty:
        raise InputError(
            f"Couche d’habitants : {counted(len(people), 'lieu', 'lieux')}, aucun près de ce quartier. "
            "Chargez la couche de ce secteur."
        )
    wide = int((shapely.area(drawn.geometry.to_numpy()) > COARSE_M2).sum())
    lost = int(people.geometry.isna().sum())
    lines = []
    if wide:
        # The grid must hold every zone whole: its people are divided by all of its squares, those outside included.
        drawn = spread(drawn, squares_of(shapely.union_all(drawn.geometry.to_numpy()), _SQUARE_M))
        lines.append(
            f"{counted(wide, 'zone')} de plus de 4 ha : habitants répartis également dans chacune, parc ou voie "
            "ferrée compris. Des carreaux de 200 m seraient plus justes."
        )
    if lost:
        lines.append(f"{counted(lost, 'ligne')} de la couche d’habitants sans géométrie : comptées nulle part.")
    return _near(drawn, region, at=True), tuple(lines)


def _at_hour(crossings: gpd.GeoDataFrame, at: str | None) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Return the crossings with ``closed`` (known to be shut at an hour), and what to say of it."""
    if at is None:
        line = "Horaires des franchissements non appliqués, faute d’heure demandée : tous comptés ouverts."
        return crossings.assign(closed=False), (line,) if len(crossings) else ()
    opened = open_at(crossings["hours"], at)
    closed = (~opened).fillna(value=False).to_numpy(dtype=bool)
    unknown = int(opened.isna().sum())
    line = f"À {at} : {counted(int(closed.sum()), 'franchissement fermé', 'franchissements fermés')}"
    line += f", {unknown} aux horaires inconnus, comptés ouverts." if unknown else "."
    return crossings.assign(closed=closed), (line,)


def _sloped(ground: Ground) -> tuple[str, ...]:
    """Return whether slopes could be counted."""
    if ground.heights_m is None or np.isnan(ground.heights_m).all():
        return ("Pente demandée, mais ce terrain n’a aucune altitude : marche comptée à plat.",)
    return ("Pente comptée (Tobler, 1993) : monter ralentit, descendre doucement accélère.",)


def _lines(found: Terrain) -> list[str]:
    """Return what every reader of a figure should know, in French."""
    row = found.perimeter.iloc[0]
    gap = "inconnu" if pd.isna(row["precision_m"]) else f"{maps.words(round(row['precision_m']))} m"
    state = GEOMETRY_STATUSES[row["geometry_status"]]
    around = f"{maps.words(round(found.margin_m))} m autour du périmètre ({state} ; écart plausible : {gap})"
    lines = [f"Terrain : {found.ground.label}, {around}."]
    if found.ground.kind == "open":
        lines.append("Ni mur, ni bâtiment, ni rue n’est connu : lire chaque marche comme un minimum.")
    if found.demo:
        made_up = int(found.crossings["demo"].sum())
        lines.append(f"{counted(made_up, 'franchissement')} de démonstration : à relever avant d’en rien conclure.")
    if found.barriers.empty:
        lines.append("Aucune coupure tracée à moins de 400 m du périmètre : ce n’est pas dire qu’il n’y en a pas.")
    if found.unit == HECTARES:
        lines.append("Aucune couche d’habitants : on compte des hectares de terrain, non des personnes.")
    if len(found.bridges):
        lines.append(
            f"{counted(len(found.bridges), 'tronçon')} de rue {agreed(len(found.bridges), 'franchit', 'franchissent')} "
            "une coupure sans franchissement déclaré."
        )
    return [*lines, *(f"{note[0].upper()}{note[1:].rstrip('.')}." for note in found.ground.notes)]
