"""What may the jury, the candidates and the public each read, from one and the same study?

Three editions, each an allow-list of columns. The jury reads what was said. The lower editions (candidates, public)
name nobody: no pseudonym, no time, no photo; places widened to a street segment or a cell until a masked place no
longer gives its author's point away; groups and sessions under three people withheld; words only redacted, and only
once somebody has read them. `leaks` proves it on the result. Nothing is written here: each edition goes to a folder
of its own, elsewhere.

Limits: redaction finds phones, mails, plates and the names it was given; it does not know that « la dame du 3ᵉ »
is somebody, which is why words wait for a reader. Two editions of one study published at different dates can be
compared with each other: publish the later instead of, not beside.
"""

from __future__ import annotations

from geo_qmi.editions.contents import COLUMNS, EDITIONS, FLOOR_GROUP, Edition, edition
from geo_qmi.editions.masking import MASKS_M, REIDENTIFIED_SHARE, mask, published_places, reidentified
from geo_qmi.editions.proof import leaks
from geo_qmi.editions.redaction import redact

__all__ = [
    "COLUMNS",
    "EDITIONS",
    "FLOOR_GROUP",
    "MASKS_M",
    "REIDENTIFIED_SHARE",
    "Edition",
    "edition",
    "leaks",
    "mask",
    "published_places",
    "redact",
    "reidentified",
]
