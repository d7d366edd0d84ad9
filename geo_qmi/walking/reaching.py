"""Who is really within a walk of the places of a district, and who only looks so on a map?

Walks from everything a place is made of (every asset of a network, the edge of a park) and counts what lies within
reach: ground, people where a layer was given, located needs, places felt negative; the groups of people; the false
coverage of the discs. On open ground a disc is what the same grid reaches with no barrier on it, so that ground
without barrier has no false coverage; what the exact circle would add is said beside. A project that covers a zone or
a list of places is counted by that rule, apart: nobody walks to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import coverage, network
from geo_qmi.errors import shown
from geo_qmi.schema import CRS
from geo_qmi.walking import fairness
from geo_qmi.walking.telling import tidy
from geo_qmi.walking.terrain import HECTARES, PEOPLE, squares_of
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geo_qmi.coverage import FalseCoverage, Footprints
    from geo_qmi.walking.terrain import Terrain

#: Five minutes: what people walk to a neighbourhood place.
REACH_MIN = 5.0
#: Side of the squares counted inside the perimeter.
_SQUARE_M = 40.0
#: A line or an area is entered every 50 m: half the distance between two street corners of a dense town.
_ENTRY_M = 50.0
_MEASURES = {
    "hectares": "Surface (ha)",
    "people": "Habitants",
    "needs": "Besoins localisés",
    "felt_negative": "Ressentis négatifs",
}


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What lies within a walk of some places of a district.

    Attributes
    ----------
    sites
        The places, ``site_id``, ``name``, ``demo``, geometry; refused ones left out.
    refused
        ``name``, ``reason``: places that join no ground.
    shares, area, false, equity
        As returned by `geo_qmi.coverage`; the amount of `false` is in the unit of the terrain. `equity` is of all the
        places together, empty where the layers say nothing of groups.
    grid_error
        Amount, in the unit of the terrain, that the exact circles hold and the grid without barriers does not reach.
    """

    sites: gpd.GeoDataFrame
    refused: pd.DataFrame
    shares: pd.DataFrame
    area: pd.DataFrame
    false: FalseCoverage
    equity: pd.DataFrame
    catchments: gpd.GeoDataFrame
    minutes: float
    unit: str
    grid_error: float
    lines: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return the shares as a French table: one row a place then all together, one column a measure."""
        wide = self.shares.pivot_table(index="site_id", columns="measure", values="share", sort=False, dropna=False)
        names = self.sites.set_index("site_id")["name"]
        told = pd.DataFrame({"Lieu": [names.get(one, "Ensemble") for one in wide.index]}, index=wide.index)
        told["Surface (%)"] = (100 * self.area["share"]).round(0)
        for measure, title in _MEASURES.items():
            if measure in wide and measure != "hectares":
                told[f"{title} (%)"] = (100 * wide[measure]).round(0)
        false = self.false.by_site
        unit, digits = ("ha", 1) if self.unit == HECTARES else ("hab.", 0)
        told[f"Disque ({unit})"] = false["people_disc"].round(digits)
        told[f"À pied ({unit})"] = false["people_reached"].round(digits)
        told[f"Couverture fausse ({unit})"] = false["people_false"].round(digits)
        return told.reset_index(drop=True)

    def groups(self) -> pd.DataFrame:
        """Return the groups of people as a French table; a withheld one shows no figure."""
        return fairness.told(self.equity)


def sites_of(tables: Mapping[str, Any], given: Terrain) -> gpd.GeoDataFrame:
    """Return the places of a district whose reach can be walked: its located projects, then its candidate places."""
    projects = tables["projects"][tables["projects"]["district_id"] == given.district_id]
    known = coverage.footprints(projects, tables["sites"], communes=tables["communes"]).located
    known = known[known["rule"] == "reach"]
    spots = tables["candidate_places"]
    spots = spots[(spots["district_id"] == given.district_id) & spots.geometry.notna()]
    return gpd.GeoDataFrame(
        {
            "site_id": [*(f"projet-{one}" for one in known.index), *spots["place_id"]],
            "name": [*(f"Projet : {name}" for name in known["name"]), *spots["name"]],
            "role": ["project"] * len(known) + ["candidate"] * len(spots),
            "demo": np.array([*([False] * len(known)), *spots["demo"]], dtype=bool),
        },
        geometry=[*known.geometry, *spots.geometry],
        crs=CRS,
    )


def entered(given: Terrain, sites: gpd.GeoDataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return where each place joins the ground, from every point one enters it by, and the places that do not.

    Returns
    -------
    joined
        As `geo_qmi.network.snap`, one row an entry that joins, and ``site_id``.
    refused
        Index ``site_id``: ``name``, ``reason`` of the places none of whose entries joins.
    """
    doors = [_entries(shape) for shape in sites.geometry]
    owner = np.repeat(sites["site_id"].to_numpy(dtype=object), [len(one) for one in doors])
    points = gpd.GeoSeries(shapely.points(np.concatenate([np.zeros((0, 2)), *doors])), crs=CRS)
    joined = network.snap(given.ground, points).assign(site_id=owner)
    placed = joined[joined["node"].notna()]
    lost = joined[~joined["site_id"].isin(placed["site_id"])].drop_duplicates("site_id").set_index("site_id")
    names = sites.set_index("site_id")["name"]
    return placed, pd.DataFrame({"name": names.loc[lost.index], "reason": lost["reason"]})


def _entries(shape: shapely.Geometry) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the points by which one enters a place: itself, or points every 50 m along and over it."""
    inside = shape if shapely.get_dimensions(shape) == 2 else shapely.Polygon()
    over = squares_of(inside, _ENTRY_M).geometry.to_numpy() if inside.area else np.zeros(0, dtype=object)
    return np.concatenate([shapely.get_coordinates(shapely.segmentize(shape, _ENTRY_M)), shapely.get_coordinates(over)])


def walked(
    given: Terrain, homes: pd.DataFrame, joined: pd.DataFrame, *, minutes: float | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return the minutes from each place counted to each site, by its best entry; infinite beyond `minutes`.

    Parameters
    ----------
    homes
        As `geo_qmi.network.snap`.
    joined
        As returned by `entered`.
    """
    found = network.distances(given.ground, homes, joined.drop(columns="site_id"), minutes=minutes, unit="minutes")
    found = found.set_axis(pd.Index(joined["site_id"].to_numpy(), dtype="str", name="site_id"), axis=1)
    return found.T.groupby(level=0, sort=True).min().T.sort_index(axis=0)


def reach(
    given: Terrain,
    tables: Mapping[str, Any],
    *,
    site_ids: Sequence[str] | None = None,
    minutes: float = REACH_MIN,
    zones: gpd.GeoDataFrame | None = None,
    household_size: float | None = None,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Reach | None:
    """Return what lies within a walk of the places of a district; ``None`` when it has no place to walk from.

    Parameters
    ----------
    site_ids
        Places to keep, all by default.
    minutes
        Longest walk; the discs have the same radius.
    zones
        As returned by `geo_qmi.walking.zones_of`: priority districts or incomes.
    household_size
        People in a household, where the layer of people has no households.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.
    """
    announce("Lieux du quartier", 0.0)
    sites = sites_of(tables, given)
    if site_ids is not None:
        sites = sites[sites["site_id"].isin(site_ids)].reset_index(drop=True)
    joined, refused = entered(given, sites)
    sites = sites[~sites["site_id"].isin(refused.index)]
    if sites.empty:
        return None
    people = _counted(given, tables)
    announce("De chaque habitant aux lieux" if given.unit == PEOPLE else "De chaque carreau aux lieux", 0.2)
    within = _within(given, people, joined, minutes=minutes)
    announce("Le disque et la marche", 0.4)
    false, grid_error = _false(given, sites, joined, minutes=minutes)
    shares = coverage.shares(within, people.set_index("place_id").drop(columns=["geometry", "what"]))
    shapes: list[shapely.Geometry] = []
    for one, name in zip(sites["site_id"], sites["name"], strict=True):
        announce(f"Portée : {shown(name)}", 0.6 + 0.4 * len(shapes) / len(sites))
        shapes.append(network.catchment(given.ground, joined[joined["site_id"] == one], minutes=minutes).polygon())
    drawn = gpd.GeoDataFrame({"site_id": sites["site_id"].to_numpy()}, geometry=shapes, crs=CRS)
    area = coverage.area_shares(drawn, given.perimeter)
    equity, said = _equity(given, people, within, zones=zones, household_size=household_size)
    lines = (
        *given.lines,
        *_lines(sites, shares, area, minutes=minutes),
        *_false_lines(given, false, grid_error),
        *(f"« {name} » : {reason}." for name, reason in refused.itertuples(index=False)),
        *said,
    )
    return Reach(sites, refused, shares, area, false, equity, drawn, minutes, given.unit, grid_error, lines)


def zoned(given: Terrain, found: Footprints, *, names: Mapping[str, str]) -> pd.DataFrame:
    """Return what the projects that nobody walks to cover of the district, by their own rule, as a French table.

    Parameters
    ----------
    found
        As returned by `geo_qmi.coverage.footprints`: a zone counts what lies in it, a served population the places
        listed, under the identifiers of the layer of people.
    names
        Project → its name.
    """
    shape = given.perimeter.geometry.iloc[0]
    people = None if given.unit == HECTARES else _people(given)
    rows = []
    for _, row in found.located[found.located["rule"] == "zone"].iterrows():
        share = shapely.intersection(row.geometry, shape).area / shape.area
        held = np.nan if people is None else people.loc[people.within(row.geometry), "population"].sum()
        rows.append((row["name"], "zone : tout son territoire", 100 * share, held))
    for project, listed in found.served.groupby("project_id")["place_id"]:
        held = np.nan if people is None else people.loc[people["place_id"].isin(listed), "population"].sum()
        rows.append(
            (
                names[str(project)],
                f"population desservie : {counted(len(listed), 'lieu listé', 'lieux listés')}",
                np.nan,
                held,
            )
        )
    told = pd.DataFrame(rows, columns=["name", "rule", "share", "held"]).astype({"share": "float64", "held": "float64"})
    headings = {
        "name": "Projet", "rule": "Règle", "share": "Part du périmètre (%)", "held": "Habitants du périmètre"
    }  # fmt: skip
    return tidy(told, headings)


def _counted(given: Terrain, tables: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """Return everything counted inside the perimeter as points: ``what`` is the measure a row is of, zero elsewhere.

    A square holds no observation and an observation no ground: zero is known there. What a row counts itself stays as
    it is, missing included.
    """
    shape = given.perimeter.geometry.iloc[0]
    parts = {"hectares": squares_of(shape, _SQUARE_M)}
    if given.unit != HECTARES:
        people = _people(given)
        parts["people"] = people[["population", "geometry"]].rename(columns={"population": "people"})
    seen = tables["observations"]
    seen = seen[seen.geometry.notna()]
    items = tables["workshop_items"]
    items = items[items.geometry.notna() & (items["kind"] == "attention_point")]
    told = {
        "needs": [seen[seen["kind"] == "absence"].geometry, items.geometry],
        "felt_negative": [seen[(seen["kind"] == "mark") & (seen["valence"] < 0)].geometry],
    }
    for measure, layers in told.items():
        points = pd.concat(layers).representative_point()
        points = points[points.within(shape)]
        parts[measure] = gpd.GeoDataFrame({measure: np.ones(len(points))}, geometry=points.to_numpy(), crs=CRS)
    rows = [
        part.assign(what=what, **{name: 0.0 for name in parts if name != what}) for what, part in parts.items()
    ]  # fmt: skip
    found = pd.concat(rows, ignore_index=True)
    found["place_id"] = [f"{row:06d}" for row in range(len(found))]
    return gpd.GeoDataFrame(found[["place_id", "what", *parts, "geometry"]], geometry="geometry", crs=CRS)


def _people(given: Terrain) -> gpd.GeoDataFrame:
    """Return the people inside the perimeter, each place as one point."""
    people = _points(given.weights)
    return people[people.within(given.perimeter.geometry.iloc[0])]


def _points(people: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return people.set_geometry(people.geometry.representative_point())


def _within(given: Terrain, counted: gpd.GeoDataFrame, joined: pd.DataFrame, *, minutes: float) -> pd.DataFrame:
    """Return places × sites, yes or no, within the walk; a place that joins no ground is reached by nobody."""
    homes = network.snap(given.ground, counted.set_index("place_id"))
    return walked(given, homes, joined, minutes=minutes) <= minutes


def _false(
    given: Terrain, sites: gpd.GeoDataFrame, joined: pd.DataFrame, *, minutes: float
) -> tuple[FalseCoverage, float]:  # fmt: skip
    """Return the false coverage of the discs, and what the exact circles hold beyond those of the grid.

    Counted around the perimeter too: what a disc promises across a railway often lies outside.
    """
    if given.unit == HECTARES:
        places = squares_of(given.around, _SQUARE_M).rename(columns={"hectares": "amount"})
    else:
        places = _points(given.weights)[["population", "geometry"]].rename(columns={"population": "amount"})
    places = places.assign(place_id=[f"{row:06d}" for row in range(len(places))])
    options: dict[str, Any] = {
        "reached": _within(given, places, joined, minutes=minutes),
        "radius_m": minutes * given.ground.walk_m_min,
        "people": "amount",
    }
    if given.ground.kind != "open":
        return coverage.false_coverage(places, sites, **options), 0.0
    disc = _within(given.free, places, entered(given.free, sites)[0], minutes=minutes)
    found = coverage.false_coverage(places, sites, **options, disc=disc)
    straight = shapely.distance(places.geometry.to_numpy()[:, None], sites.geometry.to_numpy()[None, :])
    exact = places.loc[(straight <= options["radius_m"]).any(axis=1), "amount"].sum()
    return found, float(exact - found.by_site["people_disc"].iloc[-1])


def _equity(
    given: Terrain,
    counted: gpd.GeoDataFrame,
    within: pd.DataFrame,
    *,
    zones: gpd.GeoDataFrame | None,
    household_size: float | None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the groups of people served by any of the places, and what to say of them."""
    if given.unit == HECTARES:
        told = [] if zones is None else ["Équité : sans couche d’habitants, aucun groupe ne peut être compté."]
        return pd.DataFrame(columns=["dimension", "group", "share"]), told
    people = _people(given)
    people = people.set_index(counted.loc[counted["what"] == "people", "place_id"].to_numpy())
    groups = fairness.split(people, zones, household_size=household_size)
    if groups.empty:
        return pd.DataFrame(columns=["dimension", "group", "share"]), []
    found = coverage.equity(within.loc[people.index].any(axis=1), groups)
    return found, fairness.lines(found, people, household_size=household_size)


def _lines(sites: gpd.GeoDataFrame, shares: pd.DataFrame, area: pd.DataFrame, *, minutes: float) -> list[str]:
    """Return the reach of all places together in words."""
    lines = []
    if not (sites["role"] == "project").any():
        lines.append("Aucun projet du quartier n’a de lieu connu : seuls des lieux d’accueil possibles sont marchés.")
    if sites["demo"].any():
        lines.append(f"{counted(int(sites['demo'].sum()), 'lieu', 'lieux')} de démonstration : inventés.")
    together = shares[shares["site_id"] == "ensemble"].set_index("measure")
    told = [f"surface {100 * area['share'].iloc[-1]:.0f} %"]
    told += [
        f"{_MEASURES[str(measure)].lower()} {_share(row)}"
        for measure, row in together.iterrows()
        if measure != "hectares"
    ]  # fmt: skip
    whom = "du seul lieu" if len(sites) == 1 else f"de l’un des {len(sites)} lieux"
    return [*lines, f"À {number(minutes)} min à pied {whom} : {', '.join(told)}."]


def _false_lines(given: Terrain, false: FalseCoverage, grid_error: float) -> list[str]:
    """Return the false coverage of all places together in words, and the error of the grid beside it."""
    last = false.by_site.iloc[-1]
    digits = 1 if given.unit == HECTARES else 0
    false_part, disc = (number(float(last[name]), digits=digits) for name in ("people_false", "people_disc"))
    where = f"dans les disques et hors de portée à pied, sur {disc}"
    lines = [f"Couverture fausse, jusqu’à 400 m autour du périmètre : {false_part} {given.unit} {where}."]
    if last["n_unknown"]:
        lines.append(
            f"{counted(int(last['n_unknown']), 'lieu')} du disque sans nombre d’habitants : hors de ces sommes."
        )
    if given.ground.kind == "open":
        lines.append(
            "Le disque est celui de la même grille sans coupure : un terrain libre donne zéro. Le cercle exact tient "
            f"{number(grid_error, digits=digits)} {given.unit} de plus, erreur de la grille, comptée nulle part."
        )
    return lines


def _share(row: pd.Series[Any]) -> str:
    """Return a share with both of its numbers, or that there is nothing to share."""
    if pd.isna(row["share"]):
        return "aucun relevé"
    return f"{100 * row['share']:.0f} % ({row['reached']:,.0f}/{row['total']:,.0f})".replace(",", "\u202f")
