"""What was measured before, what was measured after, and how far was the aim?

A line an indicator, each on a scale of its own: units differ, and lengths of two lines say nothing of each other. The
district that was not tested stands under the one that was, where it was measured too. What was not measured is a word.
Nothing here says that a test caused a change, or judges one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi.charts.chart import Chart, empty
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_BEFORE, NO_AFTER = "pas d’état initial", "pas de mesure"


@dataclass(frozen=True, slots=True)
class Change:
    """One indicator.

    Attributes
    ----------
    label
        Its name.
    unit
        Said with the name, once.
    before, after
        State at the start and last measure, where the test is; ``None`` when not measured.
    threshold
        Value the protocol aims at.
    witness_before, witness_after
        The same where nothing was tested.
    note
        What is to be known beside the numbers: which direction is wanted, how many people.
    """

    label: str
    unit: str = ""
    before: float | None = None
    after: float | None = None
    threshold: float | None = None
    witness_before: float | None = None
    witness_after: float | None = None
    note: str = ""

    @property
    def known(self) -> tuple[float, ...]:
        """Return the numbers that stand on the line."""
        given = (self.before, self.after, self.threshold, self.witness_before, self.witness_after)
        return tuple(value for value in given if value is not None)

    @property
    def title(self) -> str:
        """Return the name with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def compared(self) -> bool:
        """Tell whether anything was measured where nothing was tested."""
        return self.witness_before is not None or self.witness_after is not None

    def said(self, value: float | None, none: str = "—") -> str:
        """Return a value with its unit."""
        return none if value is None else f"{number(value)} {self.unit}".rstrip()

    @property
    def sentence(self) -> str:
        """Return the line as a sentence."""
        parts = [f"{self.label} : {self.said(self.before, NO_BEFORE)} puis {self.said(self.after, NO_AFTER)}"]
        if self.threshold is not None:
            parts.append(f"seuil {self.said(self.threshold)}")
        if self.compared:
            told = f"{self.said(self.witness_before, NO_BEFORE)} puis {self.said(self.witness_after, NO_AFTER)}"
            parts.append(f"lieu de comparaison {told}")
        return ", ".join(parts) + "."


@dataclass(frozen=True, slots=True)
class Changes:
    """The lines with a number of their own, and the names of the others."""

    lines: tuple[Change, ...]
    unmeasured: tuple[str, ...]


def changes(
    lines: Sequence[Change],
    *,
    title: str,
    credits: Sequence[str] = (),  # noqa: A002 - the attribute of `Chart`
    demo: bool = False,
) -> Chart:
    """Return the indicators of one protocol, before and after.

    Parameters
    ----------
    lines
        One an indicator.
    title, credits, demo
        See `Chart`.

    Returns
    -------
    Chart
        Columns of its table: Indicateur, Unité, Avant, Après, Seuil, Comparaison avant, Comparaison après, Note.

    Examples
    --------
    >>> changes([Change("Bruit", "dB", 68, 63, 60)], title="Avant, après").description.split(". ")[1]
    'Bruit : 68 dB puis 63 dB, seuil 60 dB'
    """
    drawn = tuple(line for line in lines if line.before is not None or line.after is not None)
    if not drawn:
        return empty(title, f"{title} : aucun indicateur n’a encore d’état initial ni de mesure.")
    rows = [
        {
            "Indicateur": line.label,
            "Unité": line.unit or "—",
            "Avant": line.before,
            "Après": line.after,
            "Seuil": line.threshold,
            "Comparaison avant": line.witness_before,
            "Comparaison après": line.witness_after,
            "Note": line.note,
        }
        for line in lines
    ]
    both = sum(line.before is not None and line.after is not None for line in lines)
    told = f"{counted(both, 'indicateur mesuré', 'indicateurs mesurés')} avant et après, sur {len(lines)}."
    scale = "Chaque ligne a sa propre échelle : deux longueurs ne se comparent pas."
    numbers = ["Avant", "Après", "Seuil", "Comparaison avant", "Comparaison après"]
    return Chart(
        title=title,
        description=" ".join([told, *(line.sentence for line in lines), scale]),
        table=pd.DataFrame(rows).astype(dict.fromkeys(numbers, "Float64")),
        drawing=Changes(drawn, tuple(line.label for line in lines if line not in drawn)),
        credits=tuple(credits),
        demo=demo,
    )
