"""Which places may take a project, which few serve most people, and by when must the permits be asked?

Frames in, new frames out: `sieve` keeps or drops candidate places by readable rules; `maximal_covering`,
`set_covering` and `p_median` choose among those left, from costs posed by `from_matrix`, `from_pairs` or
`from_frames`; `permit_paths` and `latest_starts` count the weeks before the work may begin. Nothing here opens a
file, walks a street or decides for a jury.
"""

from __future__ import annotations

from geo_qmi.siting.feasibility import Radius, smallest_radius
from geo_qmi.siting.permits import latest_starts, permit_paths
from geo_qmi.siting.plan import Siting, maximal_covering, p_median, set_covering
from geo_qmi.siting.problem import Problem, from_frames, from_matrix, from_pairs
from geo_qmi.siting.rules import Sieve, sieve

__all__ = [
    "Problem",
    "Radius",
    "Sieve",
    "Siting",
    "from_frames",
    "from_matrix",
    "from_pairs",
    "latest_starts",
    "maximal_covering",
    "p_median",
    "permit_paths",
    "set_covering",
    "sieve",
    "smallest_radius",
]
