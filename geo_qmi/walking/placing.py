"""Which candidate places pass the rules, which few serve most, and by when must their permits be asked?

Sieves the candidate places of a district, walks from what is to be served to those kept, and chooses. The models are
those of `geo_qmi.siting`; the costs are minutes walked on a prepared terrain, never straight lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import schema, siting
from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import fold
from geo_qmi.walking.places import Places, places_of
from geo_qmi.walking.telling import tidy
from geo_qmi.walking.terrain import PEOPLE
from geo_qmi.wording import agreed, counted, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geo_qmi.siting import Sieve, Siting
    from geo_qmi.walking.terrain import Terrain

Model = Literal["cover", "all", "near"]

#: What each model asks, in French.
MODELS = {"cover": "servir le plus", "all": "servir tout, avec le moins de lieux", "near": "au plus près en moyenne"}
_RULE = re.compile(r"\s*([^<>=!]+?)\s*(>=|<=|!=|=|>|<)\s*(.+?)\s*")
_SAID = {">=": "au moins", ">": "plus de", "<=": "au plus", "<": "moins de", "=": "", "!=": "autre que"}


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """What became of the candidate places of a district.

    Attributes
    ----------
    sieve
        Verdict of the rules; ``None`` when there is no rule.
    places
        The places that could be chosen: ``site_id``, ``name``, ``role``, ``demo``, geometry.
    refused
        ``name``, ``reason``: places that join no ground.
    plan
        As returned by `geo_qmi.siting`.
    said
        French sentence: what the plan serves, in which unit.
    permits
        ``site_id``, path and latest dates of the chosen places.
    lines
        French sentences.
    """

    sieve: Sieve | None
    places: gpd.GeoDataFrame
    refused: pd.DataFrame
    plan: Siting
    said: str
    permits: pd.DataFrame
    unit: str
    lines: tuple[str, ...]

    def chosen(self) -> pd.DataFrame:
        """Return the open sites as a French table, with their permits."""
        told = self.plan.sites.join(self.places.set_index("site_id")[["name"]]).join(self.permits)
        told = told.assign(role=told["role"].map({"chosen": "choisi", "fixed": "imposé", "deployed": "déjà déployé"}))
        headings = {
            "site_id": "Identifiant", "name": "Lieu", "role": "Rôle", "weight": f"Servis ({self.unit})",
            "path": "Autorisations", "sentence": "Calendrier",
        }  # fmt: skip
        return tidy(told, headings, digits={"weight": 1})

    def verdicts(self) -> pd.DataFrame:
        """Return every candidate left out and why: first failing rule, value to ask for, or no way to it."""
        reasons = self.refused["reason"].str.removeprefix("non raccordé : ")
        rows = [
            (str(name), "non raccordé", f"{why[:1].upper()}{why[1:]}.")
            for name, why in zip(self.refused["name"], reasons, strict=True)
        ]
        if self.sieve is not None:
            near = set(self.sieve.near.index)
            rows += [
                (str(one), "écarté de peu" if one in near else "écarté", words)
                for one, words in self.sieve.dropped["sentence"].items()
            ]
            rows += [(str(one), "en attente", words) for one, words in self.sieve.unknown["sentence"].items()]
        return pd.DataFrame(rows, columns=["Lieu", "Verdict", "Pourquoi"])


def rules_of(texts: Sequence[str]) -> pd.DataFrame:
    """Return rules written as ``colonne opérateur seuil``, columns of the table « candidate_places ».

    Raises
    ------
    InputError
        A rule that is not of that form, or a column that does not exist.

    Examples
    --------
    >>> rules_of(["area_m2>=100", "eau = oui"])["sentence"].tolist()
    ['Surface : au moins 100 m²', 'Eau : oui']
    """
    specs = schema.columns("candidate_places")
    known = {fold(name): name for name in specs} | {fold(str(spec.title)): name for name, spec in specs.items()}
    rows = []
    for text in texts:
        found = _RULE.fullmatch(text)
        column = known.get(fold(found[1])) if found else None
        if found is None or column is None:
            raise InputError(
                f"Règle illisible : « {shown(text)} ». Attendu COLONNE OPÉRATEUR SEUIL, par exemple « area_m2>=100 » "
                "ou « water=oui »."
            )
        unit = str(specs[column].metadata.get("unit") or "")
        words = " ".join(part for part in (_SAID[found[2]], found[3], unit) if part)
        rows.append((column, found[2], found[3], unit, f"{specs[column].title} : {words}"))
    return pd.DataFrame(rows, columns=["column", "operator", "threshold", "unit", "sentence"])


def place(  # noqa: PLR0913 - the choices of one study of places, passed by name
    given: Terrain,
    tables: Mapping[str, Any],
    *,
    n_places: int = 2,
    minutes: float = 5.0,
    model: Model = "cover",
    rules: pd.DataFrame | None = None,
    fixed: Sequence[str] = (),
    capacities: Mapping[str, float] | None = None,
    permits: pd.DataFrame | None = None,
    start: str | None = None,
    months: int | None = None,
    places: Places | None = None,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Placed:
    """Return the places to open among the candidates of a district.

    Parameters
    ----------
    given
        Terrain; its people, or its ground in hectares, inside the perimeter are what is to be served.
    tables
        ``candidate_places``, ``projects``, ``project_statuses``, ``sites``, ``communes``.
    n_places
        Places to open; not used by the model ``all``.
    minutes
        Longest walk that serves; not used by the model ``near``.
    rules
        As returned by `rules_of`.
    fixed
        Identifiers of candidate places that must be in the plan.
    capacities
        Identifier → what the place can serve, in the unit of the terrain; places without one are unlimited.
    permits
        As returned by `geo_qmi.walking.permits_of`. A place it does not name has the authority of the table alone.
    start, months
        First day of the programme and months of measure, for the latest dates.
    places
        As returned by `geo_qmi.walking.places_of`, when they are known already.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.

    Raises
    ------
    InputError, InfeasibleError
        No candidate place, or no plan; see `geo_qmi.siting`.
    """
    candidates = tables["candidate_places"]
    mine = candidates[candidates["district_id"] == given.district_id]
    mine = mine[mine.geometry.notna()].rename(columns={"place_id": "site_id"})
    if mine.empty:
        raise InputError(
            f"« {given.title} » : aucun lieu d’accueil placé. Importez-les (table « Lieux d’accueil possibles », "
            "candidate_places)."
        )
    sieve = None if rules is None or rules.empty else siting.sieve(pd.DataFrame(mine), rules)
    kept = mine if sieve is None else mine[mine["site_id"].isin(sieve.kept["site_id"])]
    if kept.empty:
        raise InputError(f"Aucun des {len(mine)} lieux ne passe les règles : {_why(sieve)} Assouplissez-les.")
    announce("Lieux qui passent les règles", 0.0)
    everything = places_of(given, tables) if places is None else places
    deployed = _deployed(tables, everything.sites)
    tried = [*kept["site_id"], *deployed]
    walkable = everything.sites[everything.sites["site_id"].isin(tried)]
    refused = everything.refused[everything.refused.index.isin(tried)]
    walkable = walkable[~walkable["site_id"].isin(refused.index)]
    if walkable.empty:
        raise InputError(f"Aucun des {len(refused)} lieux ne rejoint le terrain : {refused['reason'].iloc[0]}.")
    _refuse_fixed(fixed, walkable, mine, refused)
    limits = _limits(capacities, walkable)
    announce("Marche de chaque point à servir aux lieux", 0.2)
    problem, unserved = _problem(everything, walkable, fixed=fixed, deployed=deployed, capacities=limits)
    announce("Recherche des meilleurs lieux", 0.6)
    if model == "cover":
        plan = siting.maximal_covering(problem, p=n_places, radius=minutes)
    elif model == "all":
        plan = siting.set_covering(problem, radius=minutes)
    else:
        plan = siting.p_median(problem, p=n_places)
    lines = [*given.lines, *_lines(walkable, sieve, n_given=len(mine), unserved=unserved, unit=given.unit)]
    said = f"{plan.sentence} Unité servie : {given.unit}."
    lines.append(said)
    if (start is None) != (months is None):
        lines.append("Calendrier non calculé : il faut le premier jour du programme et le nombre de mois de mesure.")
    signed = _permits(mine, list(plan.sites.index), permits=permits, start=start, months=months)
    return Placed(sieve, walkable, refused, plan, said, signed, given.unit, tuple(lines))


def capacities_of(texts: Sequence[str]) -> dict[str, float]:
    """Return capacities written as ``LIEU=NOMBRE``; ``*`` is every place that has none of its own.

    Raises
    ------
    InputError
        A text that is not of that form, or a number that is not positive.

    Examples
    --------
    >>> capacities_of(["*=40", "place-du-marche = 12,5"])
    {'*': 40.0, 'place-du-marche': 12.5}
    """
    found = {}
    for text in texts:
        name, equal, number = (part.strip() for part in text.rpartition("="))
        amount = pd.to_numeric(number.replace(",", "."), errors="coerce")
        if not (equal and name and amount > 0):
            raise InputError(
                f"Capacité illisible : « {shown(text)} ». Attendu LIEU=NOMBRE, ou *=NOMBRE pour tous, avec un nombre "
                "positif."
            )
        found[name] = float(amount)
    return found


def _limits(capacities: Mapping[str, float] | None, walkable: gpd.GeoDataFrame) -> pd.Series | None:
    """Return the capacity of each place, missing where unlimited; ``None`` when none is given."""
    if not capacities:
        return None
    unknown = sorted(set(capacities) - {"*", *walkable["site_id"]})
    if unknown:
        known = ", ".join(walkable["site_id"])
        raise UnknownNameError(f"Capacité d’un lieu absent du choix : « {shown(unknown[0])} ». Lieux : {known}.")
    every = capacities.get("*", np.nan)
    return pd.Series({one: capacities.get(one, every) for one in walkable["site_id"]}, dtype="float64")


def _refuse_fixed(
    fixed: Sequence[str], walkable: gpd.GeoDataFrame, mine: gpd.GeoDataFrame, refused: pd.DataFrame
) -> None:
    """Raise for a place imposed that is unknown, or that cannot be chosen, with the reason."""
    for one in fixed:
        if one in set(walkable["site_id"]):
            continue
        if one not in set(mine["site_id"]):
            known = ", ".join(mine["site_id"])
            raise UnknownNameError(f"Lieu imposé inconnu : « {shown(one)} ». Lieux du quartier : {known}.")
        why = str(refused["reason"].get(one, "une règle l’écarte"))
        raise InputError(
            f"Lieu imposé impossible : « {shown(one)} », {why}. Retirez-le de --fixed ou changez les règles."
        )


def _why(sieve: Sieve | None) -> str:
    """Return the commonest verdict of the rules."""
    if sieve is None:
        return ""
    told = pd.concat([sieve.dropped["sentence"], sieve.unknown["sentence"]])
    return str(told.iloc[0])


def _deployed(tables: Mapping[str, Any], walkable: gpd.GeoDataFrame) -> list[str]:
    """Return the located projects that a document says deployed: they serve already."""
    statuses = tables["project_statuses"]
    done = {f"projet-{one}" for one in statuses["project_id"][(statuses["status"] == "deployed").to_numpy()]}
    return [one for one in walkable["site_id"] if one in done]


def _problem(
    places: Places,
    walkable: gpd.GeoDataFrame,
    *,
    fixed: Sequence[str],
    deployed: Sequence[str],
    capacities: pd.Series | None,
) -> tuple[siting.Problem, int]:
    """Return what is to be served inside the perimeter and the minutes to each place, and how many join no ground."""
    minutes = places.minutes[sorted(walkable["site_id"])]
    problem = siting.from_matrix(
        minutes,
        weights=places.demand["population"].loc[minutes.index],
        capacities=capacities,
        fixed=fixed,
        deployed=deployed,
        unit="min",
        ground=places.given.ground.label,
    )
    return problem, len(places.demand) - len(minutes)


def _lines(
    walkable: gpd.GeoDataFrame, sieve: Sieve | None, *, n_given: int, unserved: int, unit: str
) -> list[str]:  # fmt: skip
    """Return what happened to the candidates in words."""
    lines = [f"{counted(n_given, 'lieu proposé', 'lieux proposés')} : "]
    if sieve is None:
        lines[0] += "aucune règle, tous gardés."
    else:
        lines[0] += (
            f"{counted(len(sieve.kept), 'gardé')}, {counted(len(sieve.dropped), 'écarté')}, "
            f"{number(len(sieve.unknown))} en attente."
        )
    if walkable["demo"].any():
        lines.append("Lieux de démonstration : inventés, ni relevés ni proposés par la commune.")
    if unserved:
        told = counted(unserved, "groupe d’habitants" if unit == PEOPLE else "carré de terrain")
        lines.append(f"{told} {agreed(unserved, 'ne rejoint', 'ne rejoignent')} pas le terrain : hors du calcul.")
    return lines


def _permits(
    mine: gpd.GeoDataFrame, chosen: list[str], *, permits: pd.DataFrame | None, start: str | None, months: int | None
) -> pd.DataFrame:
    """Return the signatures of the chosen places, and the latest dates when a start and a measure are given."""
    words = mine["authority"].map(schema.choices("candidate_places", "authority") or {})
    known = pd.DataFrame({"site_id": mine["site_id"], "rank": 1, "authority": words})
    if permits is None:
        permits = known
    else:
        stray = sorted(set(permits["site_id"].astype("str")) - set(mine["site_id"]))
        if stray:
            raise UnknownNameError(
                f"Autorisations : lieu inconnu « {shown(stray[0])} ». Lieux du quartier : {', '.join(mine['site_id'])}."
            )
        permits = pd.concat([permits, known[~known["site_id"].isin(permits["site_id"])]], ignore_index=True)
    permits = permits.reindex(columns=["site_id", "rank", "owner", "authority", "convention", "weeks"])
    permits = permits[permits["site_id"].isin(chosen)]
    if permits.empty:
        return pd.DataFrame(columns=["path"], index=pd.Index([], name="site_id", dtype="str"))
    paths = siting.permit_paths(permits)
    if start is None or months is None:
        return paths[["path", "weeks", "n_unknown"]]
    dates = siting.latest_starts(paths, window_start=start, observation_months=months)
    return paths[["path", "weeks", "n_unknown"]].join(dates[["observe_by", "ask_by", "fits", "sentence"]])


def drawn(found: Placed) -> gpd.GeoDataFrame:
    """Return the places with their part in the plan: ``site_id``, ``name``, ``part``, geometry."""
    part = found.places["site_id"].map(found.plan.sites["role"]).fillna("candidate")
    shapes = shapely.point_on_surface(found.places.geometry.to_numpy())
    return gpd.GeoDataFrame(found.places[["site_id", "name"]].assign(part=part), geometry=shapes, crs=CRS)
