"""What does a map say, before anyone draws it?

A map is plain data: a French title with its counts, layers in Lambert-93 with named styles, a legend, credits, a
paragraph for whoever cannot see it, and a table that says the same thing. `geo_qmi.deck` draws it on screen. Nothing
here computes a result or knows a screen or a file; what is unknown is hatched or listed, never placed as a point.
"""

from __future__ import annotations

from geo_qmi.maps.access import access_map, reach_map
from geo_qmi.maps.concordance import concordance_map
from geo_qmi.maps.context import with_context
from geo_qmi.maps.district import district_map
from geo_qmi.maps.drawing import DEMO, INK, Layer, Map, Style, count_classes, hatch, words
from geo_qmi.maps.hosts import UNKNOWN_PLACE, district_name, hosts_of
from geo_qmi.maps.metropolis import plan_ground, plan_map, programme_map
from geo_qmi.maps.records import collective_map
from geo_qmi.maps.sensitive import outlined, sensitive_map

__all__ = [
    "DEMO",
    "INK",
    "UNKNOWN_PLACE",
    "Layer",
    "Map",
    "Style",
    "access_map",
    "collective_map",
    "concordance_map",
    "count_classes",
    "district_map",
    "district_name",
    "hatch",
    "hosts_of",
    "outlined",
    "plan_ground",
    "plan_map",
    "programme_map",
    "reach_map",
    "sensitive_map",
    "with_context",
    "words",
]
