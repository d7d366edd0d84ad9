"""What do the command line and the dashboard both do, end to end?

The runs that cross the wings: gather the inputs of a matching (`prepare`), compute it (`Prepared.run`), write its files
(`write`). A run decides nothing and prints nothing; `geo_qmi.cli` and `geo_qmi.dashboard` show it.
"""

from __future__ import annotations

from geo_qmi.runs.inputs import Prepared, field_needs, prepare, present, reader_of, taken
from geo_qmi.runs.outputs import assignments, closing_lines, plan_rows, provenance, scored, summary, write

__all__ = [
    "Prepared",
    "assignments",
    "closing_lines",
    "field_needs",
    "plan_rows",
    "prepare",
    "present",
    "provenance",
    "reader_of",
    "scored",
    "summary",
    "taken",
    "write",
]
