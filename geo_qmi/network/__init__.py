"""How far is it on foot, really?

The walking ground of a study and what is asked of it. Two builders make a `Ground`, `streets` and `open_ground`;
`snap` joins places to it without jumping over a barrier; `catchment`, `nearest`, `distances`, `within` and `served`
answer. Straight-line distances are used nowhere: a ring around a station claims people whom a railway keeps away.
"""

from __future__ import annotations

from geo_qmi.network.audit import edge_effect, phantom_bridges, study_buffer_m
from geo_qmi.network.catchment import Catchment, catchment, catchments
from geo_qmi.network.closest import Nearest, minutes_to, nearest, nearest_arrays
from geo_qmi.network.crossings import open_crossings
from geo_qmi.network.ground import Ground, from_edges, with_heights, without_edges
from geo_qmi.network.open_ground import open_ground
from geo_qmi.network.reach import distances, served, within
from geo_qmi.network.snapping import snap
from geo_qmi.network.speeds import WALK_KMH
from geo_qmi.network.streets import streets

__all__ = [
    "WALK_KMH",
    "Catchment",
    "Ground",
    "Nearest",
    "catchment",
    "catchments",
    "distances",
    "edge_effect",
    "from_edges",
    "minutes_to",
    "nearest",
    "nearest_arrays",
    "open_crossings",
    "open_ground",
    "phantom_bridges",
    "served",
    "snap",
    "streets",
    "study_buffer_m",
    "with_heights",
    "within",
    "without_edges",
]
