"""How does somebody else's file become rows of a study, with nothing lost and nothing guessed?

The engine of ``geo-qmi check``, ``geo-qmi import`` and of the dashboard's upload: columns are recognised, cells
understood in French, places converted, rows held against the schema; what cannot enter stays out with its reason.
This package opens no file itself (`geo_qmi.sources` does) and owns no study (`geo_qmi.workspace` does).
"""

from __future__ import annotations

from geo_qmi.intake.checking import check_file, check_study, import_file
from geo_qmi.intake.columns import candidates, guess_table
from geo_qmi.intake.report import Report, write_quarantine
from geo_qmi.intake.taking import Intake, take_in

__all__ = [
    "Intake",
    "Report",
    "candidates",
    "check_file",
    "check_study",
    "guess_table",
    "import_file",
    "take_in",
    "write_quarantine",
]
