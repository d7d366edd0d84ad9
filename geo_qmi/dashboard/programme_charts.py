"""Which published figures and dates of the programme make a chart?

Chooses the counts of each funnel and the dates of the timeline, as they are published: where no document gives a
count, the step stays and says so. It knows no widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo_qmi import charts
from geo_qmi.charts.timeline import stretch
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

#: The projects of the study, counted: no published figure.
_COUNTED = "projects"
_DEPLOYED = "déployés"
#: Edition → what is selected → steps from wide to narrow: words, and the published figure that counts them, or nothing.
_FUNNELS: dict[int, dict[str, dict[str, str]]] = {
    1: {
        "Communes": {"intéressées": "F001", "candidates": "F002", "retenues": "F003"},
        "Projets": {
            "candidatures": "F007",
            "retenus": "F008",
            "nommés": _COUNTED,
            _DEPLOYED: "F017",
            "fiches d’évaluation": "F018",
        },
    },
    2: {
        "Communes": {"intéressées": "", "candidates": "", "retenues": "F004"},
        "Projets": {"candidatures": "", "retenus": "", "nommés": "F072", _DEPLOYED: "", "fiches d’évaluation": ""},
    },
}


def steps(tables: Mapping[str, pd.DataFrame], edition: int) -> dict[str, tuple[charts.Step, ...]]:
    """Return title → steps of the funnels of one edition; those without any published count are left out."""
    found = {}
    for noun, wanted in _FUNNELS.get(edition, {}).items():
        made = tuple(_step(tables, label, ident, edition=edition) for label, ident in wanted.items())
        if any(step.source for step in made):
            found[f"{noun}, édition {edition}"] = made
    return found


def funnels(tables: Mapping[str, pd.DataFrame], edition: int | None) -> list[charts.Chart]:
    """Return the funnels of one edition, or of all."""
    return [
        charts.funnel(made, title=title, credits=_sources(made))
        for one in ([edition] if edition else _FUNNELS)
        for title, made in steps(tables, one).items()
    ]


def timeline(tables: Mapping[str, pd.DataFrame], edition: int | None) -> charts.Chart:
    """Return the dates of the programme, with eighteen months after each dated deployment."""
    events, projects, districts = tables["timeline"], tables["projects"], tables["districts"]
    if edition is not None:
        events = events[events["edition"].fillna("").str.contains(str(edition))]
        projects = projects[projects["edition"] == edition]
        districts = districts[districts["edition"] == edition]
    return charts.timeline(
        events.rename(columns={"event": "label"}),
        deployments=projects.rename(columns={"name": "label", "dates": "date"}),
        title=f"Chronologie, {'toutes éditions' if edition is None else f'édition {edition}'}",
        closing=_closing(districts),
        credits=("documents cités ligne par ligne dans le tableau",),
    )


def _step(tables: Mapping[str, pd.DataFrame], label: str, ident: str, *, edition: int) -> charts.Step:
    """Return one step, with what its figure leaves unknown."""
    if ident == _COUNTED:
        count = int((tables["projects"]["edition"] == edition).sum())
        return charts.Step(label, count or None, source="projets nommés, comptés dans cette étude" if count else "")
    figures = tables["figures"]
    rows = figures[figures["figure_id"] == ident].to_dict("records")
    if not rows:
        return charts.Step(label, None)
    noted = [str(rows[0]["note"])] if isinstance(rows[0]["note"], str) else []
    unknown = _unknown(tables, edition) if label == _DEPLOYED else []
    return charts.Step(label, int(rows[0]["value"]), " ; ".join([*noted, *unknown]), str(rows[0]["source"]))


def _unknown(tables: Mapping[str, pd.DataFrame], edition: int) -> list[str]:
    """Say how many projects have no status in each document that gives statuses."""
    mine = tables["projects"].loc[tables["projects"]["edition"] == edition, "project_id"]
    statuses = tables["project_statuses"]
    silent = statuses[statuses["project_id"].isin(mine) & (statuses["status"] == "unknown")]
    return [
        f"{document} : {counted(len(group), 'projet')} sans statut, état inconnu et non échec"
        for document, group in silent.groupby("document")
    ]


def _sources(made: tuple[charts.Step, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.source for step in made if step.source))


def _closing(districts: pd.DataFrame) -> tuple[str, str] | None:
    """Return the end the districts share, when it is published to the month."""
    ends = districts["end"].dropna().unique()
    at = stretch(ends[0]) if len(ends) == 1 else None
    return ("Fin de l’accompagnement", str(ends[0])) if at is not None and at.fills else None
