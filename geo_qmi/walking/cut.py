"""What do the barriers of a district cost on foot, and what would one more crossing change?

Cards, facing pairs, and candidate crossings every hundred metres of a prepared terrain, in words and in French tables.
The figures are those of `geo_qmi.severance`; délai, détour and dénivelé stay apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import maps, network
from geo_qmi.errors import InputError
from geo_qmi.schema import CRS, private_columns
from geo_qmi.severance import Severance, rank_crossings, severance
from geo_qmi.severance.sides import facing_places
from geo_qmi.vocabulary import CROSSING_KINDS, CROSSING_STATUSES, SENSES, THEMES
from geo_qmi.walking.telling import tidy
from geo_qmi.walking.terrain import MINUTES, PEOPLE, terrain
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geo_qmi.walking.terrain import Terrain

#: Distance between two candidate crossings: a street block.
EVERY_M = 100.0
#: Points offered to open a crossing stand this far from the axis: beyond the tracks, short of the first houses.
_BANK_M = 25.0
#: Detours that move by less than a metre do not move.
_LESS_THAN = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The barriers of one district.

    Attributes
    ----------
    found
        Frames of `geo_qmi.severance.severance`, exact words of people left out.
    unit
        What its columns of people count: ``habitants`` or ``hectares``.
    told
        French sentences, one a barrier.
    lines
        Those of the terrain, then `told`.
    """

    found: Severance
    unit: str
    told: tuple[str, ...]
    lines: tuple[str, ...]

    def cards(self) -> pd.DataFrame:
        """Return the cards as a French table, one row a barrier."""
        headings = {
            "barrier_id": "Coupure",
            "name": "Nom",
            "length_m": "Longueur (m)",
            "detour_m": "Détour médian (m)",
            "detour_ratio": "Rapport de détour",
            "delay_min": "Délai médian (min)",
            "climb_m": "Dénivelé (m)",
            "people_near": f"Proches à vol d’oiseau ({self.unit})",
            "people_cut_off": f"Coupés à pied ({self.unit})",
            "people_extra_m": "Surplus médian par habitant (m)",
            "people_extra_min": "Surplus médian par habitant (min)",
            "pairs": "Paires en vis-à-vis",
            "pairs_without_way": "Paires sans chemin",
            "pairs_refused": "Paires non mesurées",
            "crossings": "Franchissements",
            "crossings_assumed": "dont supposés",
            "crossings_step_free": "dont sans marche",
            "nearest_crossing": "Le plus proche du milieu",
            "nearest_crossing_m": "à (m)",
            "verbatims": "Observations à moins de 50 m",
            "verbatims_median_valence": "Valence médiane",
        }
        whole = int(self.unit != PEOPLE)
        digits = {"detour_ratio": 1, "delay_min": 1, "climb_m": 1, "people_near": whole, "people_cut_off": whole}
        told = tidy(self.found.cards, headings, digits={**digits, "people_extra_min": 1})
        return told if self.unit == PEOPLE else told.rename(columns=lambda name: name.replace("habitant", "hectare"))

    def sheet(self) -> pd.DataFrame:
        """Return the cards as text, one column a barrier: they are read downwards, on a narrow screen too."""
        told = self.cards().set_index("Coupure").T
        told = told.map(lambda cell: "—" if pd.isna(cell) else maps.words(cell))
        return told.rename_axis(None, axis=1).rename_axis("Mesure").reset_index()

    def crossings(self) -> pd.DataFrame:
        """Return the inventory of crossings as a French table."""
        told = self.found.crossings
        if "kind" not in told:
            return pd.DataFrame(columns=["Coupure", "Franchissement"])
        told = told.assign(
            kind=told["kind"].map(CROSSING_KINDS),
            status=told["status"].map(CROSSING_STATUSES),
            opened=[reason or "ouvert" for reason in told["reason"]],
            **{
                flag: told[flag].map({True: "oui", False: "non"}).astype("object").fillna("non relevé")
                for flag in ("step_free", "lit", "felt_safe")
                if flag in told
            },
        )
        headings = {
            "barrier_id": "Coupure", "crossing_id": "Franchissement", "name": "Nom", "kind": "Nature",
            "status": "Statut", "distance_m": "Distance au milieu (m)", "hours": "Horaires", "step_free": "Sans marche",
            "lit": "Éclairé", "felt_safe": "Jugé sûr", "climb_m": "Dénivelé (m)", "opened": "Sur ce terrain",
        }  # fmt: skip
        return tidy(told, headings)

    def pairs(self) -> pd.DataFrame:
        """Return the facing pairs as a French table, the longest way round first."""
        headings = {
            "barrier_id": "Coupure", "straight_m": "À vol d’oiseau (m)", "walk_m": "À pied (m)",
            "detour_m": "Détour (m)", "detour_ratio": "Rapport", "delay_min": "Délai (min)",
            "climb_m": "Dénivelé (m)", "crossing_id": "Par", "reason": "Sans mesure parce que",
        }  # fmt: skip
        ordered = self.found.pairs.sort_values("detour_m", ascending=False, kind="stable")
        return tidy(ordered, headings, digits={"detour_ratio": 1, "delay_min": 1})

    def beside(self, words: pd.Series | None = None) -> pd.DataFrame:
        """Return what was observed within 50 m of a barrier.

        Parameters
        ----------
        words
            Observation → exact words, which are private: only for a reader who asked for them.
        """
        told = self.found.verbatims
        if words is not None:
            told = told.assign(said=told["observation_id"].map(words))
        if "theme" in told:
            told = told.assign(theme=told["theme"].map(THEMES), sense=told["sense"].map(SENSES))
        headings = {"barrier_id": "Coupure", "distance_m": "Distance (m)", "theme": "Thème", "sense": "Sens"}
        return tidy(told, {**headings, "valence": "Valence", "wished": "Souhait", "said": "Mots exacts"})


class Gained(NamedTuple):
    """Minutes gained by pairs measured before and after, pairs that have a way at last, and pairs still without one."""

    minutes: pd.Series[float]
    linked: int
    unmeasured: int


def cut(
    given: Terrain,
    tables: Mapping[str, Any],
    *,
    minutes: float = MINUTES,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Cut | None:
    """Return what the barriers of a terrain cost; ``None`` when none is drawn there.

    Parameters
    ----------
    tables
        ``observations``, listed beside the barriers without their private columns.
    minutes
        Walk within which the other side is called near.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.
    """
    if given.barriers.empty:
        return None
    seen = tables["observations"]
    seen = seen[seen.geometry.notna()].drop(columns=private_columns("observations"))
    found = severance(
        given.ground, given.barriers, population=given.weights, observations=seen, minutes=minutes, announce=announce
    )
    found = _with_closed(found, given) if given.ground.kind == "open" else _without_inventory(found, given)
    told = tuple(_told(found.cards, unit=given.unit, minutes=minutes))
    return Cut(found, given.unit, told, (*given.lines, *told))


def _with_closed(found: Severance, given: Terrain) -> Severance:
    """Return the result with the crossings shut at the hour asked in its inventory: they are there, and not open."""
    shut = given.crossings[given.crossings["closed"] & given.crossings["barrier_id"].isin(found.cards.index)]
    if shut.empty:
        return found
    listed = pd.DataFrame(shut.drop(columns=["geometry", "closed"])).assign(reason="fermé à l’heure demandée")
    everything = pd.concat([found.crossings, listed], ignore_index=True).sort_values("barrier_id", kind="stable")
    return replace(found, crossings=everything.reset_index(drop=True))


def _without_inventory(found: Severance, given: Terrain) -> Severance:
    """Return the result with its crossings unknown: streets have bridges that nobody counted, zero would be false."""
    columns = ["crossings", "crossings_assumed", "crossings_step_free"]
    listed = given.crossings[given.crossings["barrier_id"].isin(given.barriers["barrier_id"])]
    listed = pd.DataFrame(listed.drop(columns=["geometry", "closed"]))
    listed = listed.assign(reason="non ouvert : les rues ont leurs propres ponts")
    return replace(found, cards=found.cards.assign(**dict.fromkeys(columns, np.nan)), crossings=listed)


def _told(cards: pd.DataFrame, *, unit: str, minutes: float) -> list[str]:
    """Return one sentence a barrier."""
    lines = []
    for name, row in cards.iterrows():
        where = f"{name} ({row['name']})" if isinstance(row.get("name"), str) else str(name)
        way = (
            "aucune paire en vis-à-vis n’a de chemin mesuré"
            if pd.isna(row["detour_m"])
            else f"détour médian de {maps.words(round(row['detour_m']))} m, "
            f"délai de {maps.words(round(row['delay_min'], 1))} min"
        )
        near, away = (_amount(float(row[column]), unit) for column in ("people_near", "people_cut_off"))
        reached = "tous à portée de marche" if away == "0" else f"dont {away} hors de portée de marche"
        known = (
            "franchissements : ceux des rues, sans inventaire"
            if pd.isna(row["crossings"])
            else f"{counted(int(row['crossings']), 'franchissement')}, dont {_known(row['crossings_assumed'])}"
        )
        lines.append(
            f"{where} : {way} ; {near} {unit} à {number(minutes)} min de l’autre côté à vol d’oiseau, {reached} ; "
            f"{known}."
        )
    return lines


def _amount(value: float, unit: str) -> str:
    """Return people as whole numbers, ground to the tenth of a hectare."""
    return number(value, digits=0 if unit == PEOPLE else 1)


def _known(value: Any) -> str:
    """Return a count of assumed crossings, or that nobody knows it."""
    return "un nombre inconnu de supposés" if pd.isna(value) else counted(int(value), "supposé")


def gained(before: Cut, after: Cut) -> Gained:
    """Return the minutes a crossing saves between facing places, pair by pair: those of `after` are those of `before`.

    Streets and grid are the same, so no way gets longer: a difference below zero is rounding, and is zero.
    """
    old, new = before.found.pairs, after.found.pairs
    minutes = (old["delay_min"] - new["delay_min"]).clip(lower=0.0)
    linked = old["delay_min"].isna() & new["delay_min"].notna()
    return Gained(minutes.dropna(), int(linked.sum()), int(new["delay_min"].isna().sum()))


def candidates(given: Terrain, *, every_m: float = EVERY_M) -> gpd.GeoDataFrame:
    """Return a point every `every_m` metres along each barrier line: ``crossing_id``, ``barrier_id``.

    Areas are left out: a point does not cross them.
    """
    rows = []
    for barrier, shape in zip(given.barriers["barrier_id"], given.barriers.geometry, strict=True):
        if shapely.get_dimensions(shape) != 1:
            continue
        line = max(shapely.get_parts(shapely.line_merge(shape)), key=lambda part: part.length)
        for along in np.arange(every_m / 2, line.length, every_m):
            name = f"{barrier} à {round(along)} m"
            rows.append((name, barrier, line.interpolate(along)))
    frame = pd.DataFrame(rows, columns=["crossing_id", "barrier_id", "geometry"])
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=CRS)


def banks(given: Terrain, *, every_m: float = EVERY_M) -> gpd.GeoSeries:
    """Return points on both banks of each barrier line, every `every_m` metres, under a French name.

    A crossing between two of them can be tried with `geo_qmi.walking.with_crossing`.
    """
    named: dict[str, shapely.Point] = {}
    for barrier, shape in zip(given.barriers["barrier_id"], given.barriers.geometry, strict=True):
        facing = facing_places(shape, step_m=every_m, offset_m=_BANK_M)
        for row, pair in enumerate(zip(facing.left, facing.right, strict=True)):
            for bank, point in zip(("gauche", "droite"), pair, strict=True):
                named[f"{barrier} à {round((row + 0.5) * every_m)} m, côté {bank}"] = shapely.Point(point)
    return gpd.GeoSeries(named, crs=CRS)


def ranked(
    given: Terrain,
    *,
    minutes: float = MINUTES,
    every_m: float = EVERY_M,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> pd.DataFrame:
    """Return the candidate crossings in order as a French table, the one that reconnects most first.

    Parameters
    ----------
    minutes, announce
        As `cut`.
    every_m
        Distance between two candidates.

    Raises
    ------
    InputError
        No barrier line is drawn.
    """
    tried = candidates(given, every_m=every_m)
    if tried.empty:
        raise InputError("Aucune coupure en ligne près du quartier : rien à franchir. Tracez-la dans « barriers ».")
    found = rank_crossings(
        given.ground, given.barriers, candidates=tried, population=given.weights, minutes=minutes, announce=announce
    )
    headings = {
        "rank": "Rang", "crossing_id": "Franchissement envisagé", "people_reconnected": f"Reconnectés ({given.unit})",
        "person_minutes_saved": f"Minutes gagnées × {given.unit}", "median_saved_min": "Gain médian (min)",
        "rank_slow": "Rang à −20 % de vitesse", "rank_fast": "Rang à +20 % de vitesse", "stable": "Rang stable",
        "reason": "Refusé parce que",
    }  # fmt: skip
    kept = found if (found["reason"] != "").any() else found.drop(columns="reason")
    return tidy(kept, headings, digits={"people_reconnected": 1, "median_saved_min": 1})


def edge_warning(tables: Mapping[str, Any], district_id: str, **options: Any) -> str:
    """Return a French sentence when 2 km more ground would change the detours, else ``""``; slow.

    Parameters
    ----------
    options
        As for `geo_qmi.walking.terrain`, without ``margin_m``.
    """

    def detours(margin_m: float) -> pd.Series[float]:
        found = cut(terrain(tables, district_id, margin_m=margin_m, **options), tables)
        return pd.Series(dtype=float) if found is None else found.found.cards["detour_m"]

    margin = network.study_buffer_m(float(options.get("minutes", MINUTES)))
    return network.edge_effect(detours, buffer_m=margin, tolerance=_LESS_THAN)[1]
