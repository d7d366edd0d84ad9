"""Which objectives are answered, by which projects, and where do these stand?

The matrix of objectives and projects, the rule by which each project covers ground or is refused, and its place beside
the district it was given. The rules are those of `geo_qmi.coverage`; who is within reach is in
`geo_qmi.walking.reaching`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import coverage, matching
from geo_qmi.errors import InputError
from geo_qmi.vocabulary import FOOTPRINTS, INSIDE, PROJECT_STATUSES, THEMES
from geo_qmi.walking.telling import tidy
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.coverage import Answers, Footprints

#: End of an objective, short, in the order shown.
ENDS = {
    "deployed": "couvert (déployé)",
    "undeployed": "couvert (non déployé)",
    "none": "sans projet",
    "unread": "non lu",
}
_NO_OBJECTIVE = (
    "Aucun objectif publié ici : rien à couvrir. Importez-les (table « Objectifs des quartiers », objectives) ou "
    "choisissez un quartier de l’édition 1."
)
_RULES = {
    "reach": "à pied, depuis son emprise",
    "zone": "zone : tout son territoire, sans marche",
    "served": "population desservie : les lieux listés",
    "refused": "refusé",
    "unknown": "sans lieu",
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

    def of(self, district_id: str) -> Covered:
        """Return what concerns one district: an objective meets the projects of its own district only.

        Raises
        ------
        InputError
            It has no objective.
        """
        found = self.answers
        matrix, ends, needs, idle = (frame[(frame["district_id"] == district_id).to_numpy()] for frame in found)
        if ends.empty:
            raise InputError(_NO_OBJECTIVE)
        places = self.places[(self.places["district_id"] == district_id).to_numpy()]
        drawn, served, missing = self.footprints
        ground = coverage.Footprints(
            drawn[drawn.index.isin(places.index)],
            served[served["project_id"].isin(places.index)].reset_index(drop=True),
            missing[missing.index.isin(places.index)],
        )
        mine = coverage.Answers(matrix.reset_index(drop=True), ends, needs, idle)
        return Covered(mine, places, ground, (*_told(mine), *_placed(places)))

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

    def rules(self) -> pd.DataFrame:
        """Return by which rule each project covers ground, or why none does: one row a project."""
        drawn = self.footprints.located[["name", "footprint", "rule"]].assign(reason="")
        missing = self.footprints.unplaced.rename(columns={"status": "rule"})
        listed = self.places.loc[self.footprints.served["project_id"].unique(), ["name"]]
        listed = listed.assign(footprint="served_population", rule="served", reason="")
        told = pd.concat([drawn, listed, missing])
        told = told.assign(footprint=told["footprint"].map(FOOTPRINTS), rule=told["rule"].map(_RULES))
        headings = {"name": "Projet", "footprint": "Emprise", "rule": "Règle", "reason": "Pourquoi"}
        return tidy(told.sort_index(), headings)

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
    return places, _placed(places)


def _placed(places: pd.DataFrame) -> tuple[str, str]:
    """Return how many projects stand inside, outside or nowhere known, and on whose word."""
    counts = places["inside"].value_counts()
    basis = places["basis"].value_counts()
    n = len(places)
    where = (
        f"{counted(n, 'projet attribué', 'projets attribués')} : dans leur quartier {counts.get('yes', 0)}/{n}, "
        f"dehors {counts.get('no', 0)}/{n}, inconnu {counts.get('unknown', 0)}/{n}."
    )
    how = (
        f"Mesuré sur la géométrie : {basis.get('geometry', 0)}/{n} ; dit par un document : "
        f"{basis.get('document', 0)}/{n}. Attribué ne veut pas dire déployé là."
    )
    return where, how


def covered(
    tables: Mapping[str, Any], *, district_id: str | None = None, served: pd.DataFrame | None = None
) -> Covered:  # fmt: skip
    """Return which objectives are answered by whom, for the study or one district.

    Parameters
    ----------
    tables
        ``objectives``, ``projects``, ``project_statuses``, ``project_tags``, ``lexicon``, ``sites``, ``districts``,
        ``communes``.
    district_id
        Keep one district.
    served
        As returned by `geo_qmi.walking.served_of`: where the population of served-population projects lives.

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
        raise InputError(_NO_OBJECTIVE)
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
    if served is not None:
        served = served[served["project_id"].isin(kept) | ~served["project_id"].isin(tables["projects"]["project_id"])]
    ground = coverage.footprints(projects, tables["sites"], served=served, communes=tables["communes"])
    return Covered(found, places, ground, (*_told(found), *lines))


def _told(found: Answers) -> list[str]:
    """Return the ends of the objectives in words."""
    counts = found.objectives["state"].value_counts()
    told = ", ".join(f"{words} : {counts.get(state, 0)}" for state, words in ENDS.items())
    margins = (
        f"{counted(len(found.needs_without_project), 'besoin')} sans projet, "
        f"{counted(len(found.projects_without_need), 'projet')} sans besoin. "
        "Un thème commun est une piste à vérifier, pas la preuve qu’un besoin est satisfait."
    )
    return [f"{counted(len(found.objectives), 'objectif')} : {told}.", margins]
