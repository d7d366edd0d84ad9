"""Which project answers which district's needs, why, and what is the best plan under the quotas?

Frames in, new frames out: `needs` and `offers` read French text through an editable lexicon, `score` compares them,
`appraise` adds the other criteria of a rule file, `explain` and `sheet` show every part of every score, `plan` finds
the exact best plan under all the rules, `Refusals` and `near_plans` say how far it holds, `hosts_found` says how often
the real host came first. Nothing here opens a file, draws a map or decides for a jury.
"""

from __future__ import annotations

from geo_qmi.matching.alternatives import NearPlans, near_plans
from geo_qmi.matching.assignment import Assignment, assign
from geo_qmi.matching.criteria import Appraisal, Yardstick, appraise
from geo_qmi.matching.explanation import explain
from geo_qmi.matching.plan import Plan, limits_of, main_themes, next_wave, plan
from geo_qmi.matching.profiles import FIELD_WEIGHTS, needs, offers, statements, unread
from geo_qmi.matching.questions import questions
from geo_qmi.matching.ranking import HostsFound, hosts_found, ranks, score_rows
from geo_qmi.matching.reasons import reasons
from geo_qmi.matching.refusals import Refusals, WhyNot
from geo_qmi.matching.rules import CRITERIA, Rules, rules_from, unknown_ids
from geo_qmi.matching.run import STEPS, Match, Texts, criterion_rows, match, read_texts
from geo_qmi.matching.scoring import LAYER_WEIGHTS, score
from geo_qmi.matching.sheet import Sheet, sheet, sheets

__all__ = [
    "CRITERIA",
    "FIELD_WEIGHTS",
    "LAYER_WEIGHTS",
    "STEPS",
    "Appraisal",
    "Assignment",
    "HostsFound",
    "Match",
    "NearPlans",
    "Plan",
    "Refusals",
    "Rules",
    "Sheet",
    "Texts",
    "WhyNot",
    "Yardstick",
    "appraise",
    "assign",
    "criterion_rows",
    "explain",
    "hosts_found",
    "limits_of",
    "main_themes",
    "match",
    "near_plans",
    "needs",
    "next_wave",
    "offers",
    "plan",
    "questions",
    "ranks",
    "read_texts",
    "reasons",
    "rules_from",
    "score",
    "score_rows",
    "sheet",
    "sheets",
    "statements",
    "unknown_ids",
    "unread",
]
