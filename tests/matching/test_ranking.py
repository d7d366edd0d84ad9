from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo_qmi import schema
from geo_qmi.errors import InputError
from geo_qmi.matching import hosts_found, ranks, score_rows

SCORES = pd.DataFrame(
    [[0.9, 0.5, 0.1], [0.4, 0.4, 0.2], [0.1, 0.2, 0.3], [np.nan] * 3],
    index=pd.Index(["p", "q", "r", "s"], name="project_id"),
    columns=pd.Index(["A", "B", "C"], name="district_id"),
)
HOSTS = pd.DataFrame({"project_id": ["p", "q", "r", "s", "absent"], "district_id": ["A", "B", "A", "C", "A"]})


def test_hosts_found_by_hand() -> None:
    found = hosts_found(SCORES, HOSTS)
    # p first; q level with A, so second; r third; s unknown.
    assert (found.n, found.n_districts, found.first, found.top_two) == (4, 3, 1, 2)
    assert found.expected_first == pytest.approx(1 + 1 / 2 + 0 + 1 / 3)
    assert found.expected_top_two == pytest.approx(1 + 1 + 0 + 2 / 3)
    assert (found.chance_first, found.chance_top_two) == pytest.approx((4 / 3, 8 / 3))


def test_hosts_outside_the_comparison_are_refused() -> None:
    with pytest.raises(InputError, match="« Z » n’est pas parmi les quartiers comparés : A, B, C"):
        hosts_found(SCORES, HOSTS.assign(district_id="Z"))
    with pytest.raises(InputError, match="plusieurs fois"):
        hosts_found(SCORES, pd.concat([HOSTS, HOSTS]))


def test_ranks_and_rows() -> None:
    assert ranks(SCORES).loc["q"].tolist() == [1, 1, 3]
    rows = score_rows(SCORES.iloc[::-1], plan=pd.DataFrame({"project_id": ["p"], "district_id": ["B"]}))
    assert rows.head(3).to_numpy().tolist() == [
        ["p", "A", 0.9, 1, False],
        ["p", "B", 0.5, 2, True],
        ["p", "C", 0.1, 3, False],
    ]
    assert rows["rank"].isna().sum() == 3
    assert schema.validate(rows, "scores") == []
