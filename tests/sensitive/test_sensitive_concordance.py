from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from sensitive_walks import X, Y, at, box, line, mark, observations

from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.sensitive import TOPICS, Measured, cells, concordance, discordant, measure, segments, summary
from geo_qmi.vocabulary import QUADRANTS

PLACES = cells((X, Y, X + 80, Y + 20), cell_m=20)


def noise(*levels: float) -> Measured:
    layer = gpd.GeoDataFrame(
        {"lden": list(levels)}, geometry=[box(20 * n, 0, 20 * n + 20, 20) for n in range(len(levels))], crs=2154
    )
    return Measured(layer, "lden", threshold=65)


def heard() -> gpd.GeoDataFrame:
    return observations(
        *(
            mark("a", at(20 * n + 5, 5), valence, sense="hearing", theme="sante", verbatim=f"mots {n}")
            for n, valence in enumerate([2, 2, -2, -2])
        )
    )


def test_four_quadrants():
    found = concordance(heard(), places=PLACES, measured={"noise": noise(50, 70, 50, 70)})
    assert found["quadrant"].tolist() == ["both_good", "felt_good", "felt_bad", "both_bad"]
    assert found["measured"].tolist() == [50, 70, 50, 70]
    counts = summary(found)
    assert list(counts.index) == list(TOPICS)
    assert list(counts.columns) == list(QUADRANTS)
    assert counts.loc["noise"].tolist() == [1, 1, 1, 1, 0, 0, 0]
    assert counts.drop("noise").to_numpy().sum() == 0


def test_discordant_places_with_their_words():
    seen = heard()
    found = concordance(seen, places=PLACES, measured={"noise": noise(50, 70, 50, 70)})
    said = discordant(found, seen, places=PLACES)
    assert said[["place_id", "quadrant", "verbatim"]].to_numpy().tolist() == [
        ["20mE652020N6862000", "felt_good", "mots 1"],
        ["20mE652040N6862000", "felt_bad", "mots 2"],
    ]


def test_a_layer_nobody_gave_is_said_so():
    found = concordance(heard(), places=PLACES, measured={"noise": None})
    assert set(found["quadrant"]) == {"not_provided"}
    assert found["measured"].isna().all()
    assert QUADRANTS["not_provided"] == "non fourni"


def test_neutral_unmeasured_and_the_other_way_round():
    seen = observations(
        mark("a", at(5, 5), 0, theme="nature"),
        mark("a", at(25, 5), 2, theme="nature"),
        mark("a", at(65, 5), 2, theme="nature"),
    )
    layer = gpd.GeoDataFrame({"v": [0.1, 0.6]}, geometry=[box(0, 0, 20, 20), box(20, 0, 40, 20)], crs=2154)
    found = concordance(seen, places=PLACES, measured={"greenery": Measured(layer, "v", threshold=0.3)})
    assert found["quadrant"].tolist() == ["neutral", "both_good", "not_measured"]


def test_measures_of_areas_points_and_streets():
    halves = gpd.GeoDataFrame({"v": [10.0, 30.0]}, geometry=[box(0, 0, 15, 20), box(15, 0, 20, 20)], crs=2154)
    found = measure(PLACES, Measured(halves, "v"))
    assert found.iloc[0] == pytest.approx(0.75 * 10 + 0.25 * 30)
    assert found.iloc[1:].isna().all()
    sensors = gpd.GeoDataFrame({"v": [1.0, 3.0, np.nan]}, geometry=[at(5, 5), at(10, 10), at(12, 12)], crs=2154)
    assert measure(PLACES, Measured(sensors, "v"), reach_m=0).iloc[0] == 2.0
    street = segments(gpd.GeoDataFrame(geometry=[line((0, 10), (20, 10))], crs=2154))
    assert measure(street, Measured(halves, "v")).iloc[0] == pytest.approx(0.75 * 10 + 0.25 * 30)


def test_unknown_topics_and_layers_without_numbers_are_refused():
    with pytest.raises(UnknownNameError, match="Sujets connus"):
        concordance(heard(), places=PLACES, measured={"bruit": None})
    layer = gpd.GeoDataFrame({"v": ["fort"]}, geometry=[box(0, 0, 20, 20)], crs=2154)
    with pytest.raises(InputError, match="aucun nombre"):
        measure(PLACES, Measured(layer, "v"))
