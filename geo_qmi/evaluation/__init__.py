"""What came of a test, how surely, how far could it go, and where else?

`replicability` reads marks on the five published criteria, `outcomes` sets measures beside a protocol written before
them, `lookalikes` finds districts whose context is that of the test. Frames in, frames out; there is no score of a
project, and no effect is predicted.
"""

from __future__ import annotations

from geo_qmi.evaluation.cautions import MONTHS_TO_DEPLOY, PROGRAMME_MONTHS
from geo_qmi.evaluation.lookalikes import Lookalikes, lookalikes
from geo_qmi.evaluation.outcomes import FLOOR_PEOPLE, Outcomes, outcomes, signed, without_few
from geo_qmi.evaluation.replicability import NOT_EVALUATED, SUM_CAUTION, Replicability, ordinal_sum, replicability

__all__ = [
    "FLOOR_PEOPLE",
    "MONTHS_TO_DEPLOY",
    "NOT_EVALUATED",
    "PROGRAMME_MONTHS",
    "SUM_CAUTION",
    "Lookalikes",
    "Outcomes",
    "Replicability",
    "lookalikes",
    "ordinal_sum",
    "outcomes",
    "replicability",
    "signed",
    "without_few",
]
