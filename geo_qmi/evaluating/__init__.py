"""What came of the tests of a study, in words and files that people read?

The command and the page *Évaluation* call `evaluate`, show its frames, or the same with French headings (`readable`),
and hand over sheets (`sheet`, `write`). Names of raters never leave; their words leave with the jury's edition only.
"""

from __future__ import annotations

from geo_qmi.evaluating.gathering import TABLES, VARIABLES, Evaluation, contexts, evaluate, today
from geo_qmi.evaluating.profile import narrowed, radar
from geo_qmi.evaluating.telling import HEADINGS, cell, readable
from geo_qmi.evaluating.writing import sheet, write

__all__ = [
    "HEADINGS",
    "TABLES",
    "VARIABLES",
    "Evaluation",
    "cell",
    "contexts",
    "evaluate",
    "narrowed",
    "radar",
    "readable",
    "sheet",
    "today",
    "write",
]
