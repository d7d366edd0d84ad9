"""What does a barrier cost the people on either side, and which new crossing would help most?

`severance` gives one card a barrier; `rank_crossings` orders candidate crossings. The walking ground comes from
`geo_qmi.network`, with its declared crossings opened.
"""

from __future__ import annotations

from geo_qmi.severance.candidates import rank_crossings
from geo_qmi.severance.cards import Severance, severance

__all__ = ["Severance", "rank_crossings", "severance"]
