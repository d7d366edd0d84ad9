"""How does the sheet of one dossier or one project look, on a screen, on paper and to a machine?

`to_html` gives one self-contained page, `to_pdf` an A4 document with embedded fonts, `to_json` the data themselves. All
take the plain record of an explanation sheet (`Sheet.as_dict()` of `geo_qmi.matching.sheet`), and say the same words
(`geo_qmi.sheets.wording`). `report_html` and `report_pdf` lay out a sheet made of sections in the same way. Nothing
here computes a score or opens a file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from geo_qmi.sheets.page import report_html, to_html
from geo_qmi.sheets.wording import CRITERIA_HEADER, criteria_rows, heading, interval, number, total_row

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CRITERIA_HEADER",
    "criteria_rows",
    "heading",
    "interval",
    "number",
    "report_html",
    "report_pdf",
    "to_html",
    "to_json",
    "to_pdf",
    "total_row",
]


def to_json(record: Mapping[str, Any]) -> str:
    """Return the record as JSON, readable and stable."""
    return json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_pdf(record: Mapping[str, Any]) -> bytes:
    """Return the sheet as an A4 document with embedded fonts; the same record gives the same bytes.

    Parameters
    ----------
    record
        ``Sheet.as_dict()``.
    """
    from geo_qmi.sheets.paper import document  # ReportLab takes its time: only paper needs it

    return document(record)


def report_pdf(record: Mapping[str, Any]) -> bytes:
    """Return a sheet made of sections as an A4 document; `record` as for `report_html`, same record, same bytes."""
    from geo_qmi.sheets.paper import report  # as above

    return report(record)
