"""Which needs are answered, by whom and where; who is really within reach, and who only looks so on a map?

Frames in, new frames out: `answers` ends each objective as answered by a deployed project, by undeployed ones only,
or by none; `derive` puts the district a project was given beside the place where it stands; `footprints` says what
ground each project covers, or refuses by name; `shares`, `area_shares`, `false_coverage` and `equity` count what lies
within reach. Reach itself comes from `geo_qmi.network`; nothing here measures a way, opens a file or draws a map.
"""

from __future__ import annotations

from geo_qmi.coverage.answers import Answers, answers, objective_themes
from geo_qmi.coverage.deployment import derive
from geo_qmi.coverage.equity import SECRECY_FLOOR, equity
from geo_qmi.coverage.footprints import Footprints, footprints
from geo_qmi.coverage.reach import FalseCoverage, area_shares, false_coverage, shares, within

__all__ = [
    "SECRECY_FLOOR",
    "Answers",
    "FalseCoverage",
    "Footprints",
    "answers",
    "area_shares",
    "derive",
    "equity",
    "false_coverage",
    "footprints",
    "objective_themes",
    "shares",
    "within",
]
