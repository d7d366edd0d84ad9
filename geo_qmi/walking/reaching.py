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
from geo_qmi.walking.places import people_of, places_of, walked
from geo_qmi.walking.telling import tidy
from geo_qmi.walking.terrain import HECTARES, PEOPLE
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geo_qmi.coverage import FalseCoverage, Footprints
    from geo_qmi.walking.places import Places
    from geo_qmi.walking.terrain import Terrain

#: Five minutes: what people walk to a neighbourhood place.
REACH_MIN = 5.0
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
        names = dict(zip(self.sites["site_id"], self.sites["name"], strict=True))
        measure, share = self.shares["measure"].to_numpy(dtype=object), self.shares["share"].to_numpy()
        # Every frame has the same rows: the sites sorted, then all together.
        told: dict[str, Any] = {"Lieu": [names.get(one, "Ensemble") for one in self.area.index]}
        told["Surface (%)"] = (100 * self.area["share"].to_numpy()).round(0)
        for name, title in _MEASURES.items():
            if name != "hectares" and (measure == name).any():
                told[f"{title} (%)"] = (100 * share[measure == name]).round(0)
        false = self.false.by_site
        unit, digits = ("ha", 1) if self.unit == HECTARES else ("hab.", 0)
        told[f"Disque ({unit})"] = false["people_disc"].to_numpy().round(digits)
        told[f"À pied ({unit})"] = false["people_reached"].to_numpy().round(digits)
        told[f"Couverture fausse ({unit})"] = false["people_false"].to_numpy().round(digits)
        return pd.DataFrame(told)

    def groups(self) -> pd.DataFrame:
        """Return the groups of people as a French table; a withheld one shows no figure."""
        return fairness.told(self.equity)


def reach(
    given: Terrain,
    tables: Mapping[str, Any],
    *,
    site_ids: Sequence[str] | None = None,
    minutes: float = REACH_MIN,
    zones: gpd.GeoDataFrame | None = None,
    household_size: float | None = None,
    places: Places | None = None,
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
    places
        As returned by `geo_qmi.walking.places_of`, when they are known already.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.
    """
    announce("Lieux du quartier", 0.0)
    everything = places_of(given, tables) if places is None else places
    sites, joined, refused = everything.sites, everything.joined, everything.refused
    if site_ids is not None:
        sites = sites[sites["site_id"].isin(site_ids)].reset_index(drop=True)
        joined = joined[joined["site_id"].isin(site_ids)]
        refused = refused[refused.index.isin(site_ids)]
    sites = sites[~sites["site_id"].isin(refused.index)]
    if sites.empty:
        return None
    people = everything.counted
    announce("De chaque habitant aux lieux" if given.unit == PEOPLE else "De chaque carreau aux lieux", 0.2)
    within = walked(given, everything.homes, joined, minutes=minutes) <= minutes
    announce("Le disque et la marche", 0.4)
    false, grid_error = _false(everything, sites, joined, minutes=minutes)
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
    people = None if given.unit == HECTARES else people_of(given)
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


def _false(
    places: Places, sites: gpd.GeoDataFrame, joined: pd.DataFrame, *, minutes: float
) -> tuple[FalseCoverage, float]:  # fmt: skip
    """Return the false coverage of the discs, and what the exact circles hold beyond those of the grid."""
    given, around = places.given, places.around
    options: dict[str, Any] = {
        "reached": walked(given, places.around_homes, joined, minutes=minutes) <= minutes,
        "radius_m": minutes * given.ground.walk_m_min,
        "people": "amount",
    }
    if given.ground.kind != "open":
        return coverage.false_coverage(around, sites, **options), 0.0
    homes, entries = places.free
    disc = walked(given.free, homes, entries[entries["site_id"].isin(sites["site_id"])], minutes=minutes) <= minutes
    found = coverage.false_coverage(around, sites, **options, disc=disc)
    straight = shapely.distance(around.geometry.to_numpy()[:, None], sites.geometry.to_numpy()[None, :])
    exact = around["amount"].to_numpy()[(straight <= options["radius_m"]).any(axis=1)].sum()
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
    people = people_of(given)
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
