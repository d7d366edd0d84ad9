"""What is asked on foot by the command line and by the dashboard, end to end?

The runs that cross the wings: prepare the walking ground of a district, card its barriers, walk out of a place,
compare objectives with projects, choose the next sites. A run gathers inputs, calls the wings, and words the result
in French; it decides nothing, prints nothing and knows no widget. Every result carries the ground it was walked on.
"""

from __future__ import annotations

from geo_qmi.walking.access import STEPS, Access, access, origins, place_at
from geo_qmi.walking.covered import ENDS, Covered, covered, deployed, told_places
from geo_qmi.walking.cut import Cut, Gained, banks, candidates, cut, edge_warning, gained, ranked
from geo_qmi.walking.drawing import access_map, reach_map
from geo_qmi.walking.layers import permits_of, population_of, served_of, zones_of
from geo_qmi.walking.places import Places, places_of, sites_of
from geo_qmi.walking.placing import MODELS, Model, Placed, capacities_of, drawn, place, rules_of
from geo_qmi.walking.reaching import Reach, reach, zoned
from geo_qmi.walking.telling import printed, records, tidy
from geo_qmi.walking.terrain import Terrain, district_of, flat, terrain, with_crossing
from geo_qmi.walking.writing import write

__all__ = [
    "ENDS",
    "MODELS",
    "STEPS",
    "Access",
    "Covered",
    "Cut",
    "Gained",
    "Model",
    "Placed",
    "Places",
    "Reach",
    "Terrain",
    "access",
    "access_map",
    "banks",
    "candidates",
    "capacities_of",
    "covered",
    "cut",
    "deployed",
    "district_of",
    "drawn",
    "edge_warning",
    "flat",
    "gained",
    "origins",
    "permits_of",
    "place",
    "place_at",
    "places_of",
    "population_of",
    "printed",
    "ranked",
    "reach",
    "reach_map",
    "records",
    "rules_of",
    "served_of",
    "sites_of",
    "terrain",
    "tidy",
    "told_places",
    "with_crossing",
    "write",
    "zoned",
    "zones_of",
]
