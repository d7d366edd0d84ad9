"""Which candidate suits which district, at a glance?

Every score is written in its cell, so that the shade only helps the eye; an interval is written under it, an unknown
score is a hatched cell with a word, and what the plan keeps is framed and ticked. Scores come in as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.charts.chart import Chart, empty, fixed
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: Rows that can be read in one picture; the table holds all of them.
MOST_ROWS = 40
#: What stands in a cell without a score, and what marks a pair of the plan.
UNKNOWN, KEPT = "inconnu", "✓"


@dataclass(frozen=True, slots=True)
class Cell:
    """One score as drawn: value, its interval in words (empty when it is one number), in the plan or not."""

    value: float | None
    between: str
    kept: bool

    def text(self) -> str:
        """Return the whole cell in words."""
        if self.value is None:
            return UNKNOWN
        return " ".join(part for part in (fixed(self.value), self.between, KEPT * self.kept) if part)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Names of rows and columns, cells row by row, and the value of the darkest shade."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    top: float


def score_matrix(
    scores: pd.DataFrame,
    *,
    low: pd.DataFrame,
    high: pd.DataFrame,
    plan: Collection[tuple[str, str]],
    projects: Mapping[str, str],
    districts: Mapping[str, str],
    noun: str,
    demo: bool = False,
) -> Chart:
    """Return the matrix of scores.

    Parameters
    ----------
    scores, low, high
        Projects × districts in 0–1: value, least and greatest; NaN is unknown.
    plan
        Pairs (project, district) the plan keeps.
    projects, districts
        Identifier → name.
    noun
        « projet » or « candidature ».
    demo
        See `Chart`.

    Returns
    -------
    Chart
        Table: one row a project, one column a district, cells in words. Above `MOST_ROWS` rows, those of the plan are
        drawn first, then the best scores; the title says how many are drawn.
    """
    title = f"Accord entre 0 et 1 : {counted(len(scores), noun)} et {counted(scores.shape[1], 'quartier')}"
    if scores.empty:
        return empty(title, "Aucune paire à comparer : il faut au moins un candidat et un quartier.")
    ordered = sorted(map(str, scores.index), key=lambda ident: (projects[ident].casefold(), ident))
    columns = [str(ident) for ident in scores.columns]
    kept = set(plan)
    values, least, most = (ends.to_numpy(dtype=float).tolist() for ends in (scores, low, high))
    cells = {
        str(ident): tuple(
            _cell(*ends, kept=(str(ident), column) in kept) for column, *ends in zip(columns, *rows, strict=True)
        )
        for ident, *rows in zip(scores.index, values, least, most, strict=True)
    }
    drawn = _drawn(ordered, scores, kept)
    names = [districts[column] for column in columns]
    table = pd.DataFrame([[cell.text() for cell in cells[ident]] for ident in ordered], columns=names)
    table.insert(0, noun.capitalize(), [projects[ident] for ident in ordered])
    unknown = int(scores.isna().to_numpy().sum())
    if len(drawn) < len(ordered):
        title += f", {len(drawn)} dessinées" if noun.endswith("e") else f", {len(drawn)} dessinés"
    top = float(np.nanmax(scores.to_numpy(dtype=float), initial=0.0))
    return Chart(
        title=title,
        description=_told(
            scores,
            kept,
            names=(projects, districts),
            unknown=unknown,
            drawn=len(drawn),
            between=any(cell.between for row in cells.values() for cell in row),
        ),
        table=table,
        drawing=Matrix(
            tuple(projects[ident] for ident in drawn), tuple(names), tuple(cells[ident] for ident in drawn), top
        ),
        credits=("calculé dans cette étude, avec les règles de la page",),
        demo=demo,
    )


def _cell(value: float, low: float, high: float, *, kept: bool) -> Cell:
    if math.isnan(value):
        return Cell(None, "", kept)
    least, most = fixed(low), fixed(high)
    return Cell(value, "" if least == most else f"[{least}–{most}]", kept)


def _drawn(ordered: Sequence[str], scores: pd.DataFrame, kept: Collection[tuple[str, str]]) -> list[str]:
    """Return the rows to draw, in their order."""
    if len(ordered) <= MOST_ROWS:
        return list(ordered)
    placed = {project for project, _ in kept}
    best = scores.max(axis=1).fillna(-1.0)
    first = sorted(ordered, key=lambda ident: (ident not in placed, -best[ident], ident))[:MOST_ROWS]
    return [ident for ident in ordered if ident in set(first)]


def _told(
    scores: pd.DataFrame,
    kept: Collection[tuple[str, str]],
    *,
    names: tuple[Mapping[str, str], Mapping[str, str]],
    unknown: int,
    drawn: int,
    between: bool,
) -> str:
    """Return the paragraph."""
    parts = []
    values = scores.to_numpy(dtype=float)
    if np.isfinite(values).any():
        row, column = divmod(int(np.nanargmax(values)), values.shape[1])
        best = f"« {names[0][str(scores.index[row])]} », {names[1][str(scores.columns[column])]}"
        low, middle, top = (fixed(float(end)) for end in np.nanquantile(values, [0.0, 0.5, 1.0]))
        parts.append(f"L’accord le plus haut est de {top} ({best}), le plus bas de {low}, la médiane de {middle}.")
    parts.append(f"{counted(len(kept), 'paire retenue', 'paires retenues')} par le plan (cadre et {KEPT}).")
    if unknown:
        parts.append(
            f"{counted(unknown, 'case hachurée', 'cases hachurées')} : score inconnu, aucun thème reconnu ou paire "
            "écartée."
        )
    if between:
        parts.append("Entre crochets, le plus bas et le plus haut quand une case du dossier manque.")
    if drawn < len(scores):
        parts.append(f"Seules {drawn} lignes sont dessinées : celles du plan, puis les meilleures ; le tableau a tout.")
    return " ".join(parts)
