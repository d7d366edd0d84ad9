"""Are districts ranked by their context alone, and is nothing said where no test was made?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo_qmi import evaluation
from geo_qmi.errors import InputError, UnknownNameError

VARIABLES = {"people": "habitants", "stations": "gares"}
#: Medians 20 and 2; absolute deviations 10, 0, 10, 20, 0 and 1, 0, 1, 1, 0: scales 10 and 1.
PROFILES = pd.DataFrame(
    {"people": [10.0, 20.0, 30.0, 40.0, 20.0], "stations": [1.0, 2.0, 3.0, 3.0, 2.0]}, index=list("abcde")
)


def near(profiles: pd.DataFrame = PROFILES, *, test: str = "a", observed: str = "ac") -> evaluation.Lookalikes:
    return evaluation.lookalikes(profiles, test=test, variables=VARIABLES, observed=list(observed))


def test_a_distance_is_the_mean_of_scaled_differences():
    found = near().inside.set_index("district_id")
    # b: |20 − 10| ÷ 10 = 1 and |2 − 1| ÷ 1 = 1, mean 1; c: 2 and 2, mean 2.
    assert found["distance"].to_dict() == {"b": 1.0, "e": 1.0, "c": 2.0}
    assert found.index.tolist() == ["b", "e", "c"]  # equal distances: by identifier
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["tested"].tolist() == [False, False, True]


def test_each_variable_has_its_share():
    shares = near(PROFILES.assign(stations=[1.0, 1.0, 3.0, 3.0, 2.0])).shares
    of_b = shares[shares["district_id"] == "b"].set_index("variable")["share"]
    assert of_b.to_dict() == {"people": 1.0, "stations": 0.0}
    assert shares.groupby("district_id")["share"].sum().round(12).eq(1.0).all()


def test_a_district_outside_what_was_seen_is_not_ranked():
    found = near()
    assert "d" not in set(found.inside["district_id"])
    row = found.outside.iloc[0]
    assert row[["district_id", "variable", "value", "low", "high", "gap"]].tolist() == ["d", "people", 40, 10, 30, 10]
    assert row["sentence"] == "habitants : 40, 10 de plus que le plus haut des quartiers testés (10 à 30)."
    below = near(test="c", observed="cd").outside.set_index("district_id")["gap"]
    assert below["a"].tolist() == [-20.0, -2.0]


def test_one_tested_district_makes_no_range():
    found = near(observed="a")
    assert found.inside.empty
    assert set(found.outside["district_id"]) == set("bcde")


def test_the_unknown_is_no_zero_and_is_counted():
    profiles = PROFILES.copy()
    profiles.loc["b", "people"] = np.nan
    row = near(profiles).inside.set_index("district_id").loc["b"]
    assert row[["known", "n_known", "distance"]].tolist() == ["1/2", 1, 1.0]
    assert row["sentence"] == "1 variable connue sur 2, ce qui diffère : gares (100 %)."
    profiles.loc["b"] = np.nan
    found = near(profiles)
    assert found.unknown["district_id"].tolist() == ["b"]
    assert "b" not in set(found.inside["district_id"]) | set(found.outside["district_id"])


def test_a_variable_that_never_varies_weighs_nothing():
    found = near(PROFILES.assign(stations=2.0))
    assert found.inside.set_index("district_id")["distance"]["b"] == 1.0
    assert found.notes[-1] == "Sans variation entre quartiers, donc sans poids : gares."


def test_a_scale_without_deviation_falls_back_on_the_range():
    found = near(PROFILES.assign(stations=[1.0, 2.0, 2.0, 2.0, 2.0])).inside.set_index("district_id")
    # Median deviation of stations is 0, its range 1: b differs by 1 ÷ 1 there and 10 ÷ 10 in people.
    assert found["distance"]["b"] == 1.0


def test_the_order_of_districts_changes_nothing():
    one, other = near(), near(PROFILES.iloc[::-1])
    for name in ("inside", "outside", "unknown", "shares"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_what_is_absent_or_is_no_number_is_refused():
    with pytest.raises(UnknownNameError, match="z"):
        near(test="z")
    with pytest.raises(UnknownNameError, match="stations"):
        near(PROFILES.drop(columns="stations"))
    with pytest.raises(InputError, match="attendu des nombres"):
        near(PROFILES.assign(people="beaucoup"))
    with pytest.raises(InputError, match="infinie"):
        near(PROFILES.assign(people=np.inf))
