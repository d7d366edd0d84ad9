"""If the weights were others, who would still be first?

One bar a project: the shares of all weights under which it is first, second or third, inside the places of the
district, or beyond. The shares are drawn by `geo_qmi.matching.robustness`; nothing here says which weights are right.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geo_qmi.charts.chart import Chart, empty, percent
from geo_qmi.wording import counted

#: Bars that can be read in one picture; the table holds all of them.
MOST_BARS = 20


@dataclass(frozen=True, slots=True)
class Shares:
    """Names of the classes, and for each project its name and one share a class."""

    classes: tuple[str, ...]
    bars: tuple[tuple[str, tuple[float, ...]], ...]


def rank_shares(table: pd.DataFrame, *, names: dict[str, str], district: str, places: int, demo: bool = False) -> Chart:
    """Return how often each project takes each rank in one district, over all possible weights.

    Parameters
    ----------
    table
        Rows of one district of `geo_qmi.matching.robustness.rank_acceptability`, every rank told.
    names
        Project → name.
    district
        Name of the district.
    places
        Most projects the district may receive: the last class but one ends there.
    demo
        See `Chart`.

    Returns
    -------
    Chart
        Columns of its table: Projet, then one share (0–1) a class of ranks. Projects most often inside the places
        come first.
    """
    title = f"Rangs sous d’autres poids, {district}"
    if table.empty:
        return empty(title, f"{district} : aucun candidat n’a de rang, faute de critères connus.")
    ends = [end for end in (1, 3) if end < places] + [places]
    classes = _named(ends)
    sorted_in = table.assign(rank=pd.cut(table["rank"], [0, *ends, float("inf")], labels=classes).astype("str"))
    wide = sorted_in.pivot_table(index="project_id", columns="rank", values="acceptability", aggfunc="sum")
    wide = wide.reindex(columns=classes).fillna(0.0)
    inside = wide.iloc[:, :-1].cumsum(axis=1)
    order = inside.assign(name=[names[str(ident)].casefold() for ident in wide.index])
    keys = [*reversed(classes[:-1]), "name"]
    wide = wide.loc[order.sort_values(keys, ascending=[False] * (len(keys) - 1) + [True]).index]
    told = wide.round(3).reset_index(drop=True)
    told.columns = pd.Index(classes)
    told.insert(0, "Projet", [names[str(ident)] for ident in wide.index])
    shown = wide.head(MOST_BARS)
    firmly = int((wide.iloc[:, -1] == 0).sum())
    best = wide[classes[0]].idxmax()
    first = f"Sous tous les poids possibles, « {names[str(best)]} » est le plus souvent premier"
    firm = f"{counted(firmly, 'candidat reste', 'candidats restent')} toujours dans les {places} premiers"
    parts = [f"{first} ({percent(float(wide[classes[0]].max()))} des tirages).", f"{firm}, sur {len(wide)} classés."]
    if len(shown) < len(wide):
        parts.append(f"Les {len(shown)} les plus souvent dans les {places} premiers sont dessinés ; le tableau a tout.")
    return Chart(
        title=title,
        description=" ".join(parts),
        table=told,
        drawing=Shares(
            tuple(classes),
            tuple(
                (names[str(ident)], tuple(float(share) for share in row))
                for ident, row in zip(shown.index, shown.to_numpy(), strict=True)
            ),
        ),
        credits=("poids tirés au sort dans cette étude (SMAA)",),
        demo=demo,
    )


def _named(ends: list[int]) -> list[str]:
    """Return the names of the classes that end at `ends`, and of what lies beyond."""
    found, start = [], 1
    for end in ends:
        found.append("premier" if end == 1 else f"rang {end}" if start == end else f"rangs {start} à {end}")
        start = end + 1
    return [*found, f"au-delà du rang {ends[-1]}"]
