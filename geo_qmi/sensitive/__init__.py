"""What may a map claim of what was said on a walk?

From observations to places: value, evidence and dissensus with one vote a person (`felt`), intervals, surface and
hot spots that respect small groups, felt against measured, located needs and the diagnosis sheet of a
district. Frames in, new frames out, in Lambert-93; nothing here opens a file, draws or publishes (see
`geo_qmi.editions` for who may read what). Method and limits: ``docs/methods/sensitive.md``.
"""

from __future__ import annotations

from geo_qmi.sensitive.concordance import TOPICS, Measured, about, concordance, discordant, measure, summary
from geo_qmi.sensitive.dissensus import agreement, polarisation
from geo_qmi.sensitive.hotspots import VERDICTS, hotspots
from geo_qmi.sensitive.inputs import FLOOR_PEOPLE
from geo_qmi.sensitive.intervals import intervals
from geo_qmi.sensitive.needs import FIELD_LAYER, located_needs, need_rows, unthemed, voices
from geo_qmi.sensitive.places import attach, cells, segments, unattached, walk_ground, walked
from geo_qmi.sensitive.sheet import Sheet, comparison, diagnosis, indicators, of_district, side_by_side, with_stops
from geo_qmi.sensitive.surface import surface
from geo_qmi.sensitive.taxonomy import default_taxonomy, labels, recode
from geo_qmi.sensitive.values import collective_evidence, evidence, felt, opposites, values
from geo_qmi.sensitive.votes import votes, with_groups, with_interviews

__all__ = [
    "FIELD_LAYER",
    "FLOOR_PEOPLE",
    "TOPICS",
    "VERDICTS",
    "Measured",
    "Sheet",
    "about",
    "agreement",
    "attach",
    "cells",
    "collective_evidence",
    "comparison",
    "concordance",
    "default_taxonomy",
    "diagnosis",
    "discordant",
    "evidence",
    "felt",
    "hotspots",
    "indicators",
    "intervals",
    "labels",
    "located_needs",
    "measure",
    "need_rows",
    "of_district",
    "opposites",
    "polarisation",
    "recode",
    "segments",
    "side_by_side",
    "summary",
    "surface",
    "unattached",
    "unthemed",
    "values",
    "voices",
    "votes",
    "walk_ground",
    "walked",
    "with_groups",
    "with_interviews",
    "with_stops",
]
