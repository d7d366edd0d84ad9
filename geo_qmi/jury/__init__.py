"""What does a jury ask of a matching once it is made?

How far the plan is the only reasonable one, who waits, which dossiers may be the same, what several evaluators say, one
explanation sheet a dossier, and who comes back in a later wave. The runs that cross the wings for the command line and
the dashboard; a run decides nothing and prints nothing.
"""

from __future__ import annotations

from geo_qmi.jury.dossiers import refusals, sheet, write_sheets
from geo_qmi.jury.identities import aliases, duplicates
from geo_qmi.jury.marks import evaluators
from geo_qmi.jury.naming import district_named, labels, project_named
from geo_qmi.jury.studies import HEADINGS, STUDIES, Finding, limits, rank_shares, reserve, write
from geo_qmi.jury.waves import Wave, dated, following, served

__all__ = [
    "HEADINGS",
    "STUDIES",
    "Finding",
    "Wave",
    "aliases",
    "dated",
    "district_named",
    "duplicates",
    "evaluators",
    "following",
    "labels",
    "limits",
    "project_named",
    "rank_shares",
    "refusals",
    "reserve",
    "served",
    "sheet",
    "write",
    "write_sheets",
]
