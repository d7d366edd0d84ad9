"""Which objectives are answered, by projects that stand where, and who is really within reach of a place?

The matrix of objectives and projects, the place of each project beside the district it was given, and what lies within
a walk of the places of a district: ground, people where a layer was given, located needs, places felt negative, and
the false coverage of the discs. The rules are those of `geo_qmi.coverage`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_qmi import coverage, maps, matching, network
from geo_qmi.errors import InputError
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import FOOTPRINTS, INSIDE, PROJECT_STATUSES, THEMES
from geo_qmi.walking.telling import tidy
from geo_qmi.walking.terrain import HECTARES, squares_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo_qmi.coverage import Answers, FalseCoverage, Footprints
    from geo_qmi.walking.terrain import Terrain

#: Five minutes: what people walk to a neighbourhood place.
REACH_MIN = 5.0
#: Side of the squares counted inside the perimeter.
_SQUARE_M = 40.0
#: End of an objective, short, in the order shown.
ENDS = {
    "deployed": "couvert (déployé)",
    "undeployed": "couvert (non déployé)",
    "none": "sans projet",
    "unread": "non lu",
}
_MEASURES = {
    "hectares": "Surface (ha)",
    "people": "Habitants",
    "needs": "Besoins localisés",
    "felt_negative": "Ressentis négatifs",
}


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """Objectives and projects of a study, or of one district of it."""

    answers: Answers
    places: pd.DataFrame
    footprints: Footprints
    lines: tuple[str, ...]

    def objectives(self) -> pd.DataFrame:
        """Return one row an objective: district, wording, end, and the sentence that names the projects."""
        told = self.answers.objectives.assign(end=self.answers.objectives["state"].map(ENDS))
        headings = {
            "objective_id": "Objectif", "district_id": "Quartier", "objective": "Énoncé", "end": "Fin",
            "n_deployed": "Déployés", "n_undeployed": "Non déployés", "n_outside": "Hors quartier",
            "sentence": "Par qui",
        }  # fmt: skip
        return tidy(told, headings)

    def matrix(self) -> pd.DataFrame:
        """Return one row an objective × project with a theme in common: place, status, and the words read."""
        told = self.answers.matrix
        told = told.assign(
            themes=[", ".join(THEMES[one] for one in codes.split("|")) for codes in told["themes"]],
            status=told["status"].map(PROJECT_STATUSES),
            inside=told["inside"].map(INSIDE),
            place=told["site_id"].fillna("inconnu"),
        )
        headings = {
            "objective_id": "Objectif", "name": "Projet", "place": "Lieu", "inside": "Dans le quartier",
            "status": "Statut", "documents": "Selon", "themes": "Thèmes communs", "strength": "Force",
            "counts": "Compte", "evidence": "Mots lus",
        }  # fmt: skip
        return tidy(told, headings, digits={"strength": 2})

    def grid(self, names: Mapping[str, str]) -> pd.DataFrame:
        """Return the states counted by district; `names`: district → display name."""
        ends = self.answers.objectives
        counts = pd.crosstab(ends["district_id"], ends["state"]).reindex(columns=list(ENDS), fill_value=0)
        counts.insert(0, "Quartier", [names.get(str(one), str(one)) for one in counts.index])
        return counts.rename(columns=ENDS).reset_index(drop=True)

    def without_project(self) -> pd.DataFrame:
        """Return the needs that no project answers."""
        return tidy(
            self.answers.needs_without_project,
            {"objective_id": "Objectif", "district_id": "Quartier", "objective": "Besoin sans projet"},
        )

    def without_need(self) -> pd.DataFrame:
        """Return the projects that answer no objective of their district, and why."""
        told = self.answers.projects_without_need
        told = told.assign(status=told["status"].map(PROJECT_STATUSES))
        headings = {"name": "Projet sans besoin", "district_id": "Quartier", "status": "Statut", "reason": "Pourquoi"}
        return tidy(told, headings)

    def unplaced(self) -> pd.DataFrame:
        """Return the projects whose ground cannot be measured, each with its reason."""
        told = self.footprints.unplaced
        told = told.assign(footprint=told["footprint"].map(FOOTPRINTS))
        return tidy(told, {"name": "Projet", "footprint": "Emprise", "reason": "Sans mesure parce que"})

    def allocated(self) -> pd.DataFrame:
        """Return where each project was allocated and where it stands, with the metres where they are known."""
        return told_places(self.places)


def told_places(places: pd.DataFrame) -> pd.DataFrame:
    """Return the result of `deployed` as a French table."""
    told = places.assign(
        inside=places["inside"].map(INSIDE),
        stated=places["inside_stated"].map(INSIDE),
        basis=places["basis"].map({"geometry": "géométrie", "document": "document", "none": "aucune"}),
        site=[name if isinstance(name, str) and name != "nan" else "inconnu" for name in places["site"]],
    )
    headings = {
        "name": "Projet", "district_id": "Attribué à", "site": "Déployé à", "inside": "Dans le quartier",
        "basis": "Selon", "stated": "Dit le document", "distance_m": "Distance à la limite (m)",
        "reason": "Ce qu’en dit la géométrie",
    }  # fmt: skip
    return tidy(told, headings)


def deployed(tables: Mapping[str, Any], *, district_id: str | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the place of each project beside the district it was given, and what to say of it.

    Returns
    -------
    frame
        As returned by `geo_qmi.coverage.derive`.
    lines
        French sentences: how many inside, outside, unknown.
    """
    projects = tables["projects"]
    if district_id is not None:
        projects = projects[projects["district_id"] == district_id]
    places = coverage.derive(projects, tables["sites"], tables["districts"])
    counts = places["inside"].value_counts()
    basis = places["basis"].value_counts()
    n = len(places)
    where = (
        f"{maps.plural(n, 'projet attribué', 'projets attribués')} : dans leur quartier {counts.get('yes', 0)}/{n}, "
        f"dehors {counts.get('no', 0)}/{n}, inconnu {counts.get('unknown', 0)}/{n}."
    )
    how = (
        f"Mesuré sur la géométrie : {basis.get('geometry', 0)}/{n} ; dit par un document : "
        f"{basis.get('document', 0)}/{n}. Attribué ne veut pas dire déployé là."
    )
    return places, (where, how)


def covered(tables: Mapping[str, Any], *, district_id: str | None = None) -> Covered:
    """Return which objectives are answered by whom, for the study or one district.

    Parameters
    ----------
    tables
        ``objectives``, ``projects``, ``project_statuses``, ``project_tags``, ``lexicon``, ``sites``, ``districts``,
        ``communes``.
    district_id
        Keep one district.

    Raises
    ------
    InputError
        There is no objective to answer, or no lexicon.
    """
    objectives, projects = tables["objectives"], tables["projects"]
    if district_id is not None:
        objectives = objectives[objectives["district_id"] == district_id]
        projects = projects[projects["district_id"] == district_id]
    if objectives.empty:
        raise InputError(
            "Aucun objectif publié ici : rien à couvrir. Importez-les (table « objectives ») ou choisissez un quartier "
            "de l’édition 1."
        )
    places, lines = deployed(tables, district_id=district_id)
    kept = set(projects["project_id"])
    statuses, tags = (
        tables[name][tables[name]["project_id"].isin(kept)] for name in ("project_statuses", "project_tags")
    )
    found = coverage.answers(
        objectives,
        projects,
        statuses=statuses,
        themes=coverage.objective_themes(objectives, lexicon=tables["lexicon"]),
        offered=matching.offers(projects, lexicon=tables["lexicon"], tags=tags),
        places=places,
    )
    ground = coverage.footprints(projects, tables["sites"], communes=tables["communes"])
    return Covered(found, places, ground, (*_told(found), *lines))


def _told(found: Answers) -> list[str]:
    """Return the ends of the objectives in words."""
    counts = found.objectives["state"].value_counts()
    told = ", ".join(f"{words} : {counts.get(state, 0)}" for state, words in ENDS.items())
    margins = (
        f"{maps.plural(len(found.needs_without_project), 'besoin')} sans projet, "
        f"{maps.plural(len(found.projects_without_need), 'projet')} sans besoin. "
        "Un thème commun est une piste à vérifier, pas la preuve qu’un besoin est satisfait."
    )
    return [f"{maps.plural(len(found.objectives), 'objectif')} : {told}.", margins]


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What lies within a walk of some places of a district.

    Attributes
    ----------
    sites
        The places, ``site_id``, ``name``, ``demo``, geometry; refused ones left out.
    refused
        ``name``, ``reason``: places that join no ground.
    shares, area, false
        As returned by `geo_qmi.coverage`; the amount of `false` is in the unit of the terrain.
    """

    sites: gpd.GeoDataFrame
    refused: pd.DataFrame
    shares: pd.DataFrame
    area: pd.DataFrame
    false: FalseCoverage
    catchments: gpd.GeoDataFrame
    minutes: float
    unit: str
    lines: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return the shares as a French table: one row a place then all together, one column a measure."""
        wide = self.shares.pivot_table(index="site_id", columns="measure", values="share", sort=False, dropna=False)
        names = self.sites.set_index("site_id")["name"]
        told = pd.DataFrame({"Lieu": [names.get(one, "Ensemble") for one in wide.index]}, index=wide.index)
        told["Surface du périmètre (%)"] = (100 * self.area["share"]).round(0)
        for measure, title in _MEASURES.items():
            if measure in wide and measure != "hectares":
                told[f"{title} (%)"] = (100 * wide[measure]).round(0)
        false = self.false.by_site
        told[f"Disque ({self.unit})"] = false["people_disc"].round(1)
        told[f"dont à pied ({self.unit})"] = false["people_reached"].round(1)
        told[f"Couverture fausse ({self.unit})"] = false["people_false"].round(1)
        return told.reset_index(drop=True)


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


def reach(
    given: Terrain, tables: Mapping[str, Any], *, site_ids: Sequence[str] | None = None, minutes: float = REACH_MIN
) -> Reach | None:
    """Return what lies within a walk of the places of a district; ``None`` when it has no place to walk from.

    Parameters
    ----------
    site_ids
        Places to keep, all by default.
    minutes
        Longest walk; the discs have the same radius.
    """
    sites = sites_of(tables, given)
    if site_ids is not None:
        sites = sites[sites["site_id"].isin(site_ids)].reset_index(drop=True)
    joined = network.snap(given.ground, sites.set_index("site_id"))
    lost = joined[joined["node"].isna()]
    refused = sites[sites["site_id"].isin(lost.index)][["name"]].assign(reason=lost["reason"].to_numpy())
    sites, joined = sites[~sites["site_id"].isin(lost.index)], joined.drop(index=lost.index)
    if sites.empty:
        return None
    counted = _counted(given, tables)
    reached = _reached(given, counted, joined, minutes=minutes)
    measures = counted.set_index("place_id").drop(columns=["geometry", "amount"])
    shares = coverage.shares(reached, measures)
    drawn = gpd.GeoDataFrame(
        {"site_id": sites["site_id"].to_numpy()},
        geometry=[
            network.catchment(given.ground, joined.loc[[one]], minutes=minutes).polygon() for one in sites["site_id"]
        ],
        crs=CRS,
    )
    area = coverage.area_shares(drawn, given.perimeter)
    false = coverage.false_coverage(
        counted[counted["amount"].notna()],
        sites,
        reached=reached.loc[counted.loc[counted["amount"].notna(), "place_id"].sort_values()],
        radius_m=minutes * given.ground.walk_m_min,
        people="amount",
    )
    lines = (*given.lines, *_reach_lines(given, sites, refused, shares, area, false, minutes=minutes))
    return Reach(sites, refused, shares, area, false, drawn, minutes, given.unit, lines)


def _counted(given: Terrain, tables: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """Return everything counted inside the perimeter as points: squares, people, needs, places felt negative.

    ``amount`` is what false coverage counts, missing on the rows of the other measures.
    """
    shape = given.perimeter.geometry.iloc[0]
    squares = squares_of(shape, _SQUARE_M)
    parts = [squares.assign(amount=squares["hectares"] if given.unit == HECTARES else np.nan)]
    if given.unit != HECTARES:
        people = given.weights.set_geometry(given.weights.geometry.representative_point())
        people = people[people.within(shape)].rename(columns={"population": "people"})
        parts.append(people[["people", "geometry"]].assign(amount=people["people"]))
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
        parts.append(gpd.GeoDataFrame({measure: np.ones(len(points))}, geometry=points.to_numpy(), crs=CRS))
    measures = [name for name in _MEASURES if name != "people" or given.unit != HECTARES]
    found = pd.concat(parts, ignore_index=True)
    # A square holds no observation and an observation no ground: zero is known there, not guessed.
    found[measures] = found.reindex(columns=measures).fillna(0.0)
    found["place_id"] = [f"{row:06d}" for row in range(len(found))]
    return gpd.GeoDataFrame(found[["place_id", *measures, "amount", "geometry"]], geometry="geometry", crs=CRS)


def _reached(
    given: Terrain, counted: gpd.GeoDataFrame, joined: pd.DataFrame, *, minutes: float
) -> pd.DataFrame:  # fmt: skip
    """Return places × sites, yes or no, within the walk; a place that joins no ground is reached by nobody."""
    homes = network.snap(given.ground, counted.set_index("place_id"))
    walked = network.distances(given.ground, homes, joined, minutes=minutes, unit="minutes")
    return (walked <= minutes).sort_index(axis=0).sort_index(axis=1)


def _reach_lines(
    given: Terrain, sites: gpd.GeoDataFrame, refused: pd.DataFrame, shares: pd.DataFrame, area: pd.DataFrame,
    false: FalseCoverage, *, minutes: float,
) -> list[str]:  # fmt: skip
    """Return the reach of all places together in words."""
    projects = int((sites["role"] == "project").sum())
    lines = []
    if not projects:
        lines.append("Aucun projet du quartier n’a de lieu connu : seuls des lieux d’accueil possibles sont marchés.")
    if sites["demo"].any():
        lines.append(f"{maps.plural(int(sites['demo'].sum()), 'lieu', 'lieux')} de démonstration : inventés.")
    together = shares[shares["site_id"] == "ensemble"].set_index("measure")
    told = [f"surface {100 * area['share'].iloc[-1]:.0f} %"]
    told += [
        f"{_MEASURES[str(measure)].lower()} {_share(row)}"
        for measure, row in together.iterrows()
        if measure != "hectares"
    ]  # fmt: skip
    lines.append(f"À {minutes:g} min à pied de l’un des {len(sites)} lieux : {', '.join(told)}.")
    last = false.by_site.iloc[-1]
    lines.append(
        f"Couverture fausse, dans le périmètre : {maps.words(round(last['people_false'], 1))} {given.unit} "
        f"dans les disques et hors de "
        f"portée à pied, sur {maps.words(round(last['people_disc'], 1))}."
    )
    if given.ground.kind == "open":
        lines.append(
            "Sur la grille, marcher droit coûte jusqu’à 2,8 % de plus que la ligne droite : quelques pour cent de "
            "couverture fausse en viennent, sans aucune coupure."
        )
    lines += [f"« {name} » non raccordé : {reason}." for name, reason in refused.itertuples(index=False)]
    return lines


def _share(row: pd.Series[Any]) -> str:
    """Return a share with both of its numbers, or that there is nothing to share."""
    if pd.isna(row["share"]):
        return "aucun relevé"
    return f"{100 * row['share']:.0f} % ({row['reached']:g}/{row['total']:g})"
