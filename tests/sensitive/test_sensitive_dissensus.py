from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_qmi.sensitive import agreement, polarisation


def test_published_example_of_the_measure():
    # The example given with the R package agrmt for seven categories.
    found = agreement(np.array([[30, 40, 210, 130, 530, 50, 10]], dtype=float))
    assert found[0] == pytest.approx(0.6113333, abs=1e-7)


def test_five_for_and_five_against_is_not_ten_neutral():
    split, neutral, even = polarisation(np.array([[5.0, 0, 0, 0, 5], [0, 0, 10.0, 0, 0], [2.0, 2, 2, 2, 2]]))
    assert (split, neutral, even) == (1.0, 0.0, 0.5)


def test_layers_by_hand():
    # 3, 0, 0, 0, 1: one layer 10001 of two answers (A = −1), one layer 10000 of two answers (A = 1).
    assert agreement(np.array([[3.0, 0, 0, 0, 1]]))[0] == pytest.approx((2 * -1 + 2 * 1) / 4)
    # 0, 1, 0, 1, 0: triples 110 and 011: 2, triple 101: 1; U = (3·2 − 4·1) / (3·3) = 2/9; A = 2/9 · 3/4 = 1/6.
    assert agreement(np.array([[0, 1.0, 0, 1, 0]]))[0] == pytest.approx(1 / 6)


def test_nobody_answered_is_unknown():
    assert np.isnan(polarisation(np.zeros((1, 5)))[0])


ROWS = st.lists(st.integers(0, 40), min_size=5, max_size=5).filter(any)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(2, 9))
def test_bounds_mirror_and_scale(row, times):
    one = np.array([row], dtype=float)
    a = agreement(one)[0]
    assert -1 - 1e-9 <= a <= 1 + 1e-9
    assert agreement(one[:, ::-1])[0] == pytest.approx(a, abs=1e-9)
    assert agreement(one * times)[0] == pytest.approx(a, abs=1e-9)
