"""How strong is each of the criteria of one project, and where is it weakest?

A spoke a criterion, from 0 to 3. Level 0 is a ring of its own, away from the centre; a criterion that nobody marked is
a gap with its word, never a zero, and no line crosses it. Several raters are the stretch from their lowest to their
highest mark. Levels are ordinal: nothing here adds them up, and the area of the figure means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi.charts.chart import Chart, empty
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Highest level of a criterion (003:L1299-1335).
TOP = 3
UNMARKED = "non évalué"


@dataclass(frozen=True, slots=True)
class Spoke:
    """One criterion.

    Attributes
    ----------
    label
        Name of the criterion.
    level
        0 to `TOP`; ``None`` when nobody marked it.
    lowest, highest
        Of the raters; `level` when absent.
    n_raters
        Who marked it.
    meaning
        Published words of the level.
    missing
        Why there is no level, when that is known.
    """

    label: str
    level: int | None
    lowest: int | None = None
    highest: int | None = None
    n_raters: int = 0
    meaning: str = ""
    missing: str = ""

    @property
    def between(self) -> tuple[int, int] | None:
        """Return the lowest and the highest mark; ``None`` without level."""
        if self.level is None:
            return None
        low = self.level if self.lowest is None else self.lowest
        return low, self.level if self.highest is None else self.highest

    @property
    def split(self) -> bool:
        """Tell whether raters do not agree."""
        return self.between is not None and self.between[0] < self.between[1]

    @property
    def text(self) -> str:
        """Return the level in words, as the drawing and the table say it."""
        return UNMARKED if self.level is None else f"{self.level} sur {TOP}"

    @property
    def sentence(self) -> str:
        """Return the criterion in one sentence."""
        if self.level is None:
            why = f" ({self.missing})" if self.missing else ""
            return f"{self.label} : {UNMARKED}{why}."
        told = f"{self.label} : {self.text}{f', « {self.meaning} »' if self.meaning else ''}"
        return f"{told}{f' ; {self.raters}' if self.n_raters else ''}."

    @property
    def raters(self) -> str:
        """Return who marked and how far they are apart."""
        told = counted(self.n_raters, "évaluateur")
        return f"{told}, notes de {self.between[0]} à {self.between[1]}" if self.split and self.between else told


@dataclass(frozen=True, slots=True)
class Radar:
    """The spokes, clockwise from the top."""

    spokes: tuple[Spoke, ...]


def radar(
    spokes: Sequence[Spoke],
    *,
    title: str,
    credits: Sequence[str] = (),  # noqa: A002 - the attribute of `Chart`
    demo: bool = False,
) -> Chart:
    """Return the profile of one project.

    Parameters
    ----------
    spokes
        One a criterion, at least three, in the order of the figure.
    title, credits, demo
        See `Chart`.

    Returns
    -------
    Chart
        Columns of its table: Critère, Niveau (0 à 3), Ce que dit le niveau, Note la plus basse, Note la plus haute,
        Évaluateurs. Missing levels are missing.

    Examples
    --------
    >>> marked = Spoke("Traction commerciale", 2, meaning="Forte", n_raters=1)
    >>> drawn = radar([marked, Spoke("Facilité", 0), Spoke("Stabilité", None)], title="Profil du banc")
    >>> print(drawn.description.split(". ")[0])
    2 critères évalués sur 3, de 0 à 3
    """
    known = [spoke for spoke in spokes if spoke.level is not None]
    if not known:
        why = f"{title} : aucun des {len(spokes)} critères n’est évalué. Ce n’est pas un zéro : il n’y a pas de note."
        return empty(title, why)
    rows = [
        {
            "Critère": spoke.label,
            f"Niveau (0 à {TOP})": spoke.level,
            "Ce que dit le niveau": UNMARKED if spoke.level is None else spoke.meaning,
            "Note la plus basse": spoke.between[0] if spoke.between else None,
            "Note la plus haute": spoke.between[1] if spoke.between else None,
            "Évaluateurs": spoke.n_raters,
        }
        for spoke in spokes
    ]
    whole = [f"Niveau (0 à {TOP})", "Note la plus basse", "Note la plus haute", "Évaluateurs"]
    told = f"{counted(len(known), 'critère évalué', 'critères évalués')} sur {len(spokes)}, de 0 à {TOP}."
    unlike = "Les niveaux sont des rangs : ils ne s’additionnent pas."
    return Chart(
        title=title,
        description=" ".join([told, *(spoke.sentence for spoke in spokes), unlike]),
        table=pd.DataFrame(rows).astype(dict.fromkeys(whole, "Int64")),
        drawing=Radar(tuple(spokes)),
        credits=tuple(credits),
        demo=demo,
    )
