"""One shipped walk at a time, for the tests of what was felt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture
def district(shipped):
    """Field tables of one shipped walk: identifier → name → rows."""

    def of(district_id: str) -> dict[str, pd.DataFrame]:
        own = shipped["sessions"][shipped["sessions"]["district_id"] == district_id]
        names = ["routes", "stages", "participants", "observations", "statements", "workshop_items"]
        kept = {name: shipped[name][shipped[name]["session_id"].isin(own["session_id"])] for name in names}
        host = shipped["districts"][shipped["districts"]["district_id"] == district_id]
        return {"districts": host, "sessions": own, **kept}

    return of
