"""How far could a tested solution go, criterion by criterion, and who said so?

Five criteria, four published levels each (003:L1228-1335). Levels are ordinal: several raters give a range and a lower
median, never a mean, and no formula joins the criteria, because none is published. A criterion nobody marked is « non
évalué », which is not level 0. Nothing is deduced from the status of a project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.errors import Defect, DefectsError, shown
from geo_qmi.evaluation.rows import Row, by, frame, records
from geo_qmi.guards import require_columns, require_present
from geo_qmi.wording import agreed, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What is said wherever the levels of a project are added up.
SUM_CAUTION = (
    "Somme calculée par geo-qmi et publiée nulle part : les niveaux sont ordinaux, l’écart entre deux niveaux n’est "
    "pas une quantité, et deux profils très différents ont la même somme."
)
#: How several marks of one criterion are told.
ORDINAL = (
    "Niveaux ordinaux : de plusieurs personnes on montre le plus bas, la médiane basse et le plus haut, jamais une "
    "moyenne. Aucun total n’est publié : le profil se lit critère par critère."
)
#: What is said of a criterion without a mark.
NOT_EVALUATED = "non évalué"
_TEST = ["project_id", "district_id"]
_HIGHEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Replicability:
    """Profiles of replicability.

    Attributes
    ----------
    criteria
        One row a project × district × criterion, always the five: ``project_id``, ``district_id``, ``criterion_id``,
        ``criterion``, ``n_raters``, ``lowest``, ``median`` (lower median), ``highest`` (0–3, missing when not
        evaluated), ``agreement`` (French), ``last_marked_on``, ``meaning`` (published words of the median),
        ``missing`` (French reason, missing when evaluated), ``demo``. Sorted.
    projects
        One row a project × district: ``project_id``, ``district_id``, ``n_evaluated``, ``n_criteria``, ``evaluated``
        (« 4/5 »), ``weakest`` (French names of the criteria of the lowest median, « ; » between), ``weakest_level``,
        ``sentence`` (French), ``demo``.
    notes
        French sentences to show with the result.
    """

    criteria: pd.DataFrame
    projects: pd.DataFrame
    notes: tuple[str, ...]


def replicability(marks: pd.DataFrame, levels: pd.DataFrame, *, tests: pd.DataFrame | None = None) -> Replicability:
    """Return the profile of each project in each district it was tested in.

    Parameters
    ----------
    marks
        Table ``replicability_marks``; an empty level was not given. Of one rater on one criterion, the latest date
        counts.
    levels
        Table ``replicability_levels``: the published scale.
    tests
        ``project_id`` and ``district_id`` that have a row even without a mark; those of `marks` by default.

    Raises
    ------
    InputError
        A missing column, or a level that is not a whole number from 0 to 3 (all of them, in one `DefectsError`).

    Notes
    -----
    Of an even number of raters the lower of the two middle levels is the median: it is a level somebody gave.

    Examples
    --------
    >>> from geo_qmi.shipped import shipped_tables
    >>> marks = pd.DataFrame({"project_id": "p", "district_id": "d", "criterion_id": "C1", "rater": ["A", "B"],
    ...                       "marked_on": "2026-01-02", "level": [1, 3]})
    >>> found = replicability(marks, shipped_tables()["replicability_levels"])
    >>> found.criteria.loc[0, ["lowest", "median", "highest"]].tolist(), found.projects.loc[0, "evaluated"]
    ([1, 1, 3], '1/5')
    """
    require_columns(marks, [*_TEST, "criterion_id", "rater", "marked_on", "level"], what="Notes de réplicabilité")
    require_columns(levels, ["criterion_id", "criterion", "level", "meaning"], what="Échelle de réplicabilité")
    names = levels.drop_duplicates("criterion_id").set_index("criterion_id")["criterion"].sort_index()
    meanings = {
        (str(code), int(level)): str(meaning)
        for code, level, meaning in levels[["criterion_id", "level", "meaning"]].itertuples(index=False)
    }
    given = _checked(marks, known=list(names.index))
    whose = [*_TEST, "criterion_id", "rater"]
    latest = given.sort_values("marked_on", kind="stable").drop_duplicates(whose, keep="last")
    pairs = pd.concat([given[_TEST]] + ([] if tests is None else [tests[_TEST].astype("str")]))
    marked = by(records(latest), *_TEST, "criterion_id")
    criteria, profiles = [], []
    for project, district in sorted(set(pairs.itertuples(index=False, name=None))):
        about = {"project_id": project, "district_id": district}
        rows = [
            {**about, "criterion_id": code, "criterion": name}
            | _told(marked.get((project, district, code), []), code=code, meanings=meanings)
            for code, name in zip(names.index.astype(str), names, strict=True)
        ]
        criteria += rows
        profiles.append(about | _profile(rows))
    projects = frame(profiles, _PROJECTS)
    return Replicability(frame(criteria, _CRITERIA), projects, _notes(len(given) - len(latest), projects))


#: Column → dtype of the two results.
_CRITERIA = {
    **dict.fromkeys(("project_id", "district_id", "criterion_id", "criterion"), "str"),
    **dict.fromkeys(("n_raters", "lowest", "median", "highest"), "Int64"),
    **dict.fromkeys(("agreement", "last_marked_on", "meaning", "missing"), "str"),
    "demo": "bool",
}
_PROJECTS = {
    **dict.fromkeys(("project_id", "district_id"), "str"),
    **dict.fromkeys(("n_evaluated", "n_criteria"), "Int64"),
    **dict.fromkeys(("evaluated", "weakest"), "str"),
    "weakest_level": "Int64",
    "sentence": "str",
    "demo": "bool",
}


def _checked(marks: pd.DataFrame, *, known: list[str]) -> pd.DataFrame:
    """Return the marks with whole levels, or raise with every cell that is not one."""
    for column, noun in (("project_id", "projets"), ("district_id", "quartiers"), ("rater", "évaluateurs")):
        require_present(marks[column], what=f"Notes de réplicabilité, {noun}")
    found: list[Defect] = []
    levels: list[int | None] = []
    for row, value in zip(marks.index, marks["level"].astype(object), strict=True):
        levels.append(None)
        if pd.isna(value):
            continue
        if not _is_level(value):
            found.append(_defect(row, "level", value, "attendu : un nombre entier de 0 à 3, ou rien si non évalué"))
            continue
        levels[-1] = int(value)
    strange = marks["criterion_id"].isna() | ~marks["criterion_id"].isin(known)
    expected = f"critère inconnu ; attendu : {', '.join(known) or 'aucun, l’échelle est vide'}"
    found += [_defect(row, "criterion_id", marks.loc[row, "criterion_id"], expected) for row in marks.index[strange]]
    twice = marks.duplicated([*_TEST, "criterion_id", "rater", "marked_on"], keep="first")
    said = "deuxième note de la même personne, le même jour, sur ce critère"
    found += [_defect(row, "marked_on", marks.loc[row, "marked_on"], said) for row in marks.index[twice]]
    if found:
        raise DefectsError(found, title="Notes de réplicabilité refusées")
    kept = marks[[*_TEST, "criterion_id", "rater", "marked_on"]].astype("str")
    demo = marks["demo"].fillna(value=False).astype(bool) if "demo" in marks else False
    return kept.assign(level=pd.array(levels, dtype="Int64"), demo=demo)


def _is_level(value: object) -> bool:
    """Tell whether a cell is a whole number from 0 to 3; true and false are not numbers here."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return bool(float(value).is_integer() and 0 <= value <= _HIGHEST)


def _defect(row: object, field: str, value: object, reason: str) -> Defect:
    number = int(row) if isinstance(row, int) else None
    return Defect("error", reason, "corrigez la cellule ou videz-la", row=number, field=field, value=shown(value))


def _told(marks: list[Row], *, code: str, meanings: Mapping[tuple[str, int], str]) -> Row:
    """Return what the latest marks of all raters say of one criterion of one test."""
    given = [mark for mark in marks if mark["level"] is not None]
    demo = any(mark["demo"] for mark in marks)
    if not given:
        empty = f" : {counted(len(marks), 'note laissée vide', 'notes laissées vides')}" if marks else ""
        return {"n_raters": 0, "median": None, "missing": f"{NOT_EVALUATED}{empty}", "demo": demo}
    levels = sorted(int(mark["level"]) for mark in given)
    gap, median = levels[-1] - levels[0], levels[(len(levels) - 1) // 2]
    agreement = "accord" if gap == 0 else counted(gap, "niveau d’écart")
    return {
        "n_raters": len(levels),
        "lowest": levels[0],
        "median": median,
        "highest": levels[-1],
        "agreement": agreement if len(levels) > 1 else "une seule personne",
        "last_marked_on": max(mark["marked_on"] for mark in given),
        "meaning": meanings.get((code, median)),
        "demo": demo,
    }


def _profile(rows: list[Row]) -> Row:
    """Return one test in a line: how many criteria are evaluated, and the weakest."""
    known = [row for row in rows if row["median"] is not None]
    absent = [row["criterion"] for row in rows if row["median"] is None]
    said = f"{counted(len(known), 'critère évalué')} sur {len(rows)}"
    profile = {
        "n_evaluated": len(known),
        "n_criteria": len(rows),
        "evaluated": f"{len(known)}/{len(rows)}",
        "demo": any(row["demo"] for row in rows),
    }
    if not known:
        return profile | {"sentence": f"{said} : aucun profil, ce qui n’est pas le niveau 0."}
    level = min(row["median"] for row in known)
    weakest = [row for row in known if row["median"] == level]
    told = " ; ".join(f"{row['criterion']} ({row['meaning']})" for row in weakest)
    also = f" Non évalué : {', '.join(absent)}." if absent else ""
    sentence = f"{said}. {agreed(len(weakest), 'Maillon faible')}, niveau {level} : {told}.{also}"
    names = " ; ".join(row["criterion"] for row in weakest)
    return profile | {"weakest": names, "weakest_level": level, "sentence": sentence}


def _notes(n_replaced: int, projects: pd.DataFrame) -> tuple[str, ...]:
    """Return what must be known of all profiles."""
    notes = [ORDINAL]
    if n_replaced:
        notes.append(f"{counted(n_replaced, 'note remplacée')} par une note plus récente de la même personne.")
    partial = int((projects["n_evaluated"] < projects["n_criteria"]).sum())
    if partial:
        notes.append(f"{counted(partial, 'profil incomplet')} : un critère non évalué n’est pas un niveau 0.")
    return tuple(notes)


def ordinal_sum(found: Replicability) -> pd.DataFrame:
    """Return the sum of the median levels of each project, with the sentence that must go with it.

    Returns
    -------
    DataFrame
        ``project_id``, ``district_id``, ``sum`` (missing unless all five criteria are evaluated), ``out_of`` (15),
        ``caution`` (`SUM_CAUTION`).
    """
    by_test = found.criteria.groupby(_TEST, sort=True)["median"]
    frame = by_test.agg(["sum", "count", "size"]).reset_index()
    frame["sum"] = frame["sum"].where(frame["count"] == frame["size"])
    frame["out_of"] = _HIGHEST * frame["size"]
    return frame.drop(columns=["count", "size"]).assign(caution=SUM_CAUTION)
