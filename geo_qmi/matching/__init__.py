"""Which project answers which district's needs, why, and what is the best plan under the quotas?

Frames in, new frames out: `needs` and `offers` read French text through an editable lexicon, `score` compares them,
`explain` shows every part of every score, `assign` finds the exact best plan, `hosts_found` says how often the real
host came first. Nothing here opens a file, draws a map or decides for a jury.
"""

from __future__ import annotations

from geo_qmi.matching.assignment import Assignment, assign
from geo_qmi.matching.explanation import explain
from geo_qmi.matching.profiles import FIELD_WEIGHTS, needs, offers, statements, unread
from geo_qmi.matching.ranking import HostsFound, hosts_found, ranks, score_rows
from geo_qmi.matching.run import STEPS, Match, match
from geo_qmi.matching.scoring import LAYER_WEIGHTS, score

__all__ = [
    "FIELD_WEIGHTS",
    "LAYER_WEIGHTS",
    "STEPS",
    "Assignment",
    "HostsFound",
    "Match",
    "assign",
    "explain",
    "hosts_found",
    "match",
    "needs",
    "offers",
    "ranks",
    "score",
    "score_rows",
    "statements",
    "unread",
]
