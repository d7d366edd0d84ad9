"""Which objective of which district does which project answer, from where, and how far along is it?

Objectives and projects meet through themes: a project allocated to the district answers an objective when they share
one. Each objective ends in one state: answered by a deployed project, by undeployed ones only, by none; and, since
silence is not an answer, *unread* where the lexicon recognised nothing in it. A project known to stand outside the
district does not answer there; it stays listed with its reason. A theme in common is a lead to verify, not proof that
a need is met.

Statuses disagree between documents and are not merged in the study; the furthest one counts here, and the documents
that say so are named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.matching import offers
from geo_qmi.vocabulary import INSIDE, THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

#: From the furthest along to the least known.
PROGRESS = ("deployed", "in_progress", "pre_deployment", "listed", "unknown")
#: End of an objective → how it is said.
STATES = {
    "deployed": "couvert par au moins un projet déployé",
    "undeployed": "couvert seulement par des projets non déployés ou au statut inconnu",
    "none": "couvert par aucun projet",
    "unread": "objectif non lu : aucun thème reconnu, à classer à la main",
}
#: A share of a theme under this is a passing word: one project in ten speaks of its theme by accident.
MINIMUM_STRENGTH = 0.1


class Answers(NamedTuple):
    """The matrix and its two margins.

    Attributes
    ----------
    matrix
        One row an objective × project that share a theme: ``objective_id``, ``district_id``, ``project_id``,
        ``name``, ``themes`` (codes joined by ``|``), ``strength`` (sum over themes of the smaller of the two shares),
        ``site_id``, ``precision``, ``inside`` (yes, no, unknown), ``status`` (the furthest), ``documents`` that
        give it, ``counts`` (False when the project stands outside the district), ``evidence`` (French).
    objectives
        Indexed by ``objective_id``: ``district_id``, ``objective``, ``state`` (see `STATES`), ``n_deployed``,
        ``n_undeployed``, ``n_outside``, ``sentence``.
    needs_without_project
        The rows of `objectives` in state ``none``.
    projects_without_need
        Indexed by ``project_id``: ``name``, ``district_id``, ``status``, ``reason``: projects that answer no objective
        of the district they were given.
    """

    matrix: pd.DataFrame
    objectives: pd.DataFrame
    needs_without_project: pd.DataFrame
    projects_without_need: pd.DataFrame


def objective_themes(objectives: pd.DataFrame, *, lexicon: pd.DataFrame) -> pd.DataFrame:
    """Return the themes of each objective, read as `geo_qmi.matching` reads projects.

    Parameters
    ----------
    objectives
        Table ``objectives``: ``objective_id``, ``objective``.
    lexicon
        Table ``lexicon``.

    Returns
    -------
    DataFrame
        ``objective_id``, ``theme``, ``strength`` (at most 1 in total), ``evidence``; an objective in which nothing is
        recognised has no row.
    """
    require_columns(objectives, ["objective_id", "objective"], what="Objectifs")
    read = offers(objectives, lexicon=lexicon, id_column="objective_id", field_weights={"objective": 1.0})
    evidence = read["evidence"].str.replace("(objective, ", "(énoncé, ", regex=False)
    return read.assign(evidence=evidence).rename(columns={"project_id": "objective_id"})


def answers(
    objectives: pd.DataFrame,
    projects: pd.DataFrame,
    *,
    statuses: pd.DataFrame,
    themes: pd.DataFrame,
    offered: pd.DataFrame,
    places: pd.DataFrame | None = None,
    minimum_strength: float = MINIMUM_STRENGTH,
) -> Answers:
    """Return which projects answer which objectives, and what is left on either side.

    Parameters
    ----------
    objectives
        Table ``objectives``: ``objective_id``, ``district_id``, ``objective``.
    projects
        Table ``projects``: ``project_id``, ``name``, ``district_id``, ``site_id``, ``precision``,
        ``inside_district``.
    statuses
        Table ``project_statuses``: ``project_id``, ``document``, ``status``; a project absent from it is unknown.
    themes
        ``objective_id``, ``theme``, ``strength``, ``evidence``: see `objective_themes`.
    offered
        Table ``offers``: ``project_id``, ``theme``, ``strength``, ``evidence``.
    places
        As returned by `geo_qmi.coverage.derive`: its ``inside`` replaces ``inside_district``.
    minimum_strength
        A theme counts when both sides give it at least this share.

    Raises
    ------
    InputError, UnknownNameError
        Missing columns, repeated identifiers, an unknown status or theme, a row about an unknown objective or project.
    """
    _check(objectives, projects, statuses=statuses, themes=themes, offered=offered)
    if not 0 <= minimum_strength <= 1:
        raise InputError(f"Part minimale : « {shown(minimum_strength)} ». Attendu : un nombre entre 0 et 1.")
    told = _statuses(projects, statuses)
    located = projects[["project_id", "name", "district_id", "site_id", "precision"]].copy()
    located["inside"] = projects["inside_district"].to_numpy()
    if places is not None:
        require_columns(places, ["inside"], what="Lieux déduits")
        located["inside"] = located["project_id"].map(places["inside"]).fillna("unknown")
    located = located.merge(told, on="project_id", validate="one_to_one")
    matrix = _matrix(objectives, located, themes=themes, offered=offered, minimum=minimum_strength)
    ends = _ends(objectives, matrix, read=set(themes["objective_id"]))
    idle = _idle(located, matrix, read=set(offered["project_id"]))
    return Answers(matrix, ends, ends[ends["state"] == "none"], idle)


def _check(
    objectives: pd.DataFrame,
    projects: pd.DataFrame,
    *,
    statuses: pd.DataFrame,
    themes: pd.DataFrame,
    offered: pd.DataFrame,
) -> None:
    """Raise for a frame that cannot be used."""
    require_columns(objectives, ["objective_id", "district_id", "objective"], what="Objectifs")
    needed = ["project_id", "name", "district_id", "site_id", "precision", "inside_district"]
    require_columns(projects, needed, what="Projets")
    require_columns(statuses, ["project_id", "document", "status"], what="Statuts")
    require_columns(themes, ["objective_id", "theme", "strength", "evidence"], what="Thèmes des objectifs")
    require_columns(offered, ["project_id", "theme", "strength", "evidence"], what="Offres")
    require_ids(objectives["objective_id"], what="Objectifs")
    require_ids(projects["project_id"], what="Projets")
    links = (
        (themes, "objective_id", objectives, "Thèmes des objectifs"),
        (offered, "project_id", projects, "Offres"),
        (statuses, "project_id", projects, "Statuts"),
    )
    for frame, column, target, what in links:
        stray = frame[~frame[column].isin(target[column])]
        if len(stray):
            raise UnknownNameError(
                f"{what} : « {shown(stray[column].iloc[0])} » est inconnu. Ajoutez-le à la table ou retirez la ligne."
            )
    for frame, column, known, what in (
        (statuses, "status", PROGRESS, "Statuts"),
        (themes, "theme", tuple(THEMES), "Thèmes des objectifs"),
        (offered, "theme", tuple(THEMES), "Offres"),
        (projects, "inside_district", tuple(INSIDE), "Projets"),
    ):
        wrong = frame[~frame[column].isin(known)]
        if len(wrong):
            raise InputError(f"{what} : code « {shown(wrong[column].iloc[0])} ». Attendu : {', '.join(known)}.")


def _statuses(projects: pd.DataFrame, statuses: pd.DataFrame) -> pd.DataFrame:
    """Return the furthest status of each project and the documents that give it."""
    order = {status: rank for rank, status in enumerate(PROGRESS)}
    ranked = statuses.assign(_rank=statuses["status"].map(order)).sort_values(["project_id", "_rank", "document"])
    best = ranked[ranked["_rank"] == ranked.groupby("project_id")["_rank"].transform("min")]
    grouped = best.groupby("project_id")
    frame = pd.DataFrame({"status": grouped["status"].first(), "documents": grouped["document"].agg(", ".join)})
    frame = frame.reindex(projects["project_id"])
    frame["status"] = frame["status"].fillna("unknown")
    frame["documents"] = frame["documents"].fillna("aucun document")
    return frame.rename_axis("project_id").reset_index()


def _matrix(
    objectives: pd.DataFrame, located: pd.DataFrame, *, themes: pd.DataFrame, offered: pd.DataFrame, minimum: float
) -> pd.DataFrame:
    """Return one row an objective × project of the same district that share a theme."""
    asked = themes[themes["strength"] >= minimum].merge(objectives[["objective_id", "district_id"]], on="objective_id")
    brought = offered[offered["strength"] >= minimum].merge(located, on="project_id")
    met = asked.merge(brought, on=["district_id", "theme"], suffixes=("_asked", "_brought"))
    order = {theme: rank for rank, theme in enumerate(THEMES)}
    met = met.assign(_rank=met["theme"].map(order), strength=met[["strength_asked", "strength_brought"]].min(axis=1))
    met = met.sort_values(["objective_id", "project_id", "_rank"], kind="stable")
    met["_said"] = [
        f"{THEMES[theme]} : objectif {asked_words} ; projet {brought_words}"
        for theme, asked_words, brought_words in zip(
            met["theme"], met["evidence_asked"], met["evidence_brought"], strict=True
        )
    ]
    keys = ["objective_id", "district_id", "project_id"]
    carried = ["name", "site_id", "precision", "inside", "status", "documents"]
    grouped = met.groupby(keys, sort=True)
    rows = grouped[carried].first()
    rows["themes"] = grouped["theme"].agg("|".join).astype("str")
    rows["strength"] = grouped["strength"].sum()
    rows["counts"] = (rows["inside"] != "no").astype(bool)
    rows["evidence"] = grouped["_said"].agg(" / ".join).astype("str")
    columns = [*keys, "name", "themes", "strength", *carried[1:], "counts", "evidence"]
    return rows.reset_index()[columns]


def _ends(objectives: pd.DataFrame, matrix: pd.DataFrame, *, read: set[str]) -> pd.DataFrame:
    """Return the state of each objective."""
    frame = objectives.sort_values("objective_id", kind="stable").set_index("objective_id")
    frame = frame[["district_id", "objective"]].copy()
    deployed = matrix["status"] == "deployed"
    groups: Mapping[str, pd.Series] = {
        "n_deployed": deployed & matrix["counts"],
        "n_undeployed": ~deployed & matrix["counts"],
        "n_outside": ~matrix["counts"],
    }
    for column, rows in groups.items():
        found = matrix.loc[rows].groupby("objective_id").size()
        frame[column] = found.reindex(frame.index).fillna(0).astype("int64")
    state = pd.Series("none", index=frame.index, dtype="str")
    state[frame["n_undeployed"] > 0] = "undeployed"
    state[frame["n_deployed"] > 0] = "deployed"
    state[~frame.index.isin(list(read))] = "unread"
    frame["state"] = state
    frame["sentence"] = pd.array(_told(state, matrix, groups), dtype="str")
    return frame


def _told(state: pd.Series, matrix: pd.DataFrame, groups: Mapping[str, pd.Series]) -> list[str]:
    """Return the end of each objective in words, with the names of the projects."""
    labels = {"n_deployed": "déployés", "n_undeployed": "non déployés", "n_outside": "hors du quartier"}
    names: dict[str, list[str]] = {}
    for column, rows in groups.items():
        found = matrix[rows].sort_values("name").groupby("objective_id")["name"].agg(", ".join)
        for objective_id, who in zip(found.index.tolist(), found.tolist(), strict=True):
            names.setdefault(objective_id, []).append(f"{labels[column]} : {who}")
    sentences = []
    for objective_id, end in zip(state.index.tolist(), state.tolist(), strict=True):
        who = f" ({' ; '.join(names[objective_id])})" if objective_id in names else ""
        sentences.append(f"{STATES[end][0].upper()}{STATES[end][1:]}{who}.")
    return sentences


def _idle(located: pd.DataFrame, matrix: pd.DataFrame, *, read: set[str]) -> pd.DataFrame:
    """Return the projects that answer no objective of their district, and why."""
    useful = set(matrix.loc[matrix["counts"], "project_id"])
    outside = set(matrix.loc[~matrix["counts"], "project_id"])
    idle = located[~located["project_id"].isin(useful)].sort_values("project_id", kind="stable")
    reasons = []
    for name in idle["project_id"]:
        if name not in read:
            reasons.append("projet non lu : aucun thème reconnu, à classer à la main")
        elif name in outside:
            reasons.append("partage un thème avec un objectif, mais se trouve hors du quartier")
        else:
            reasons.append("ne partage de thème avec aucun objectif de son quartier")
    frame = idle.set_index("project_id")[["name", "district_id", "status"]].copy()
    frame["reason"] = pd.array(reasons, dtype="str")
    return frame
