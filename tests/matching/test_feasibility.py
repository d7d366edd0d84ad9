from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi.errors import InputError
from geo_qmi.matching.feasibility import checked_places, people, place_report, suited, verdicts


def places(**changes: list) -> pd.DataFrame:
    """A sunny mineral square, a planted strip without water, and a place nobody surveyed."""
    cells = {
        "place_id": ["a", "b", "c"],
        "district_id": ["D", "D", "E"],
        "name": ["Square", "Bande", "Ailleurs"],
        "area_m2": [100.0, 20.0, None],
        "ground": ["mineral", "planted", None],
        "sun_h": [5.0, 6.5, None],
        "water": [True, False, None],
        "power": [True, True, None],
        "support_ground": [True, True, None],
        "support_wall": [False, False, None],
        "support_roof": [False, False, None],
        "public_domain": [True, False, None],
        "vehicle": [True, False, None],
        "people_in_reach": [500, 100, None],
        "authority": ["commune", "landlord", None],
    }
    return pd.DataFrame({**cells, **changes})


def dossier(**needs: object) -> pd.DataFrame:
    cells = {
        "project_id": "p",
        "need_area_m2": 10.0,
        "need_ground": None,
        "need_sun_h": None,
        "need_water": False,
        "need_power": False,
        "need_support": "ground",
        "public_domain": False,
        "need_vehicle": False,
        "testers": 0,
    }
    return pd.DataFrame([{**cells, **needs}])


def verdict(place: str, **needs: object) -> int:
    return int(verdicts(dossier(**needs), places()).loc["p", place])


def words(place: str, **needs: object) -> str:
    report = place_report(dossier(**needs).iloc[0], places()).set_index("place_id")
    return str(report.loc[place, "words"])


def test_a_modest_project_suits_every_surveyed_place() -> None:
    assert [verdict(place) for place in "abc"] == [1, 1, 0]


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"need_area_m2": 32.0}, "il manque 12 m²"),
        ({"need_sun_h": 8.0}, "il manque 1,5 h de soleil par jour"),
        ({"need_ground": "mineral"}, "pleine terre, au lieu de sol minéral"),
        ({"need_water": True}, "pas d’arrivée d’eau"),
        ({"need_vehicle": True}, "pas d’accès pour un véhicule"),
        ({"need_support": "vehicle"}, "pas de support : véhicule"),
        ({"need_support": "wall"}, "pas de support : mur ou façade"),
        ({"public_domain": True}, "hors du domaine public"),
        ({"testers": 114}, "il manque 14 personnes à portée"),
    ],
)
def test_an_excluded_place_says_the_first_rule_and_the_distance_to_pass(needs: dict, said: str) -> None:
    assert verdict("b", **needs) == -1
    assert words("b", **needs) == said


def test_the_first_failing_rule_is_named_before_later_ones() -> None:
    assert words("b", need_area_m2=32.0, need_water=True) == "il manque 12 m²"


def test_an_empty_cell_is_unknown_on_either_side() -> None:
    assert verdict("a", need_area_m2=None) == 0
    assert words("a", need_area_m2=None) == "inconnu : le dossier ne dit pas la surface"
    assert words("c") == "inconnu : à relever sur place (surface)"
    # The dossier does not say whether it needs water; the square has it, so the answer changes nothing there.
    assert verdict("a", need_water=None) == 1
    assert verdict("b", need_water=None) == 0


def test_silent_cells_ask_nothing_unless_the_rules_say_otherwise() -> None:
    frame = dossier(need_sun_h=None, need_ground=None)
    assert verdicts(frame, places()).loc["p", "a"] == 1
    assert verdicts(frame, places(), silent=()).loc["p", "a"] == 0


def test_a_solution_that_stands_nowhere_needs_no_ground() -> None:
    assert verdict("a", need_support="none", need_area_m2=None, need_sun_h=None) == 1
    assert verdict("b", need_support="vehicle", need_ground="mineral", need_vehicle=False) == -1
    assert verdict("a", need_support="vehicle", need_ground="planted") == 1  # ground does not matter on a vehicle


def test_best_place_first_then_more_people() -> None:
    report = place_report(dossier().iloc[0], places(district_id=["D"] * 3))
    assert report["place_id"].tolist() == ["a", "b", "c"]
    tight = place_report(dossier(need_area_m2=500.0).iloc[0], places(district_id=["D"] * 3))
    assert tight["place_id"].tolist() == ["c", "a", "b"]  # unknown before excluded
    assert tight["n_failed"].tolist() == [0, 1, 1]


def test_counts_and_people_are_intervals() -> None:
    frame, there, districts = dossier(), places(), pd.Index(["D", "E", "F"])
    found = suited(verdicts(frame, there), there, districts=districts)
    assert found.sure[0].tolist()[:2] == [2, 0]
    assert found.possible[0].tolist()[:2] == [2, 1]
    assert pd.isna(found.sure[0, 2])  # no candidate place in F: unknown, not none
    reach = people(verdicts(frame, there), there, districts=districts)
    assert reach.sure[0].tolist()[:2] == [500, 0]
    assert reach.possible[0].tolist()[:2] == [500, float("inf")]


def test_bad_places_are_refused() -> None:
    with pytest.raises(InputError, match="plusieurs fois"):
        checked_places(places(place_id=["a", "a", "c"]))
    with pytest.raises(InputError, match="absente"):
        checked_places(places().drop(columns="water"))
    with pytest.raises(InputError, match="code inconnu « sable »"):
        verdicts(dossier(), places(ground=["sable", None, None]))
    with pytest.raises(InputError, match="ne se lit pas"):
        verdicts(dossier(), places(area_m2=["grand", None, None]))


def test_no_place_and_no_dossier_give_empty_results() -> None:
    assert verdicts(dossier(), places().head(0)).shape == (1, 0)
    assert verdicts(dossier().head(0), places()).shape == (0, 3)
    assert place_report(dossier().iloc[0], places().head(0)).empty
