from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo_qmi.errors import InputError
from geo_qmi.matching.rule_model import Window
from geo_qmi.matching.window import fit, start_month, tell

RULES = Window()  # 18 months, 11 before deployment: seven months remain


def ends(months: float | None, season: str | None, start: str | None = "2023-01") -> tuple[float, float]:
    frame = pd.DataFrame({"months": [months], "season": [season]})
    found = fit(frame, {"D": start}, window=RULES, districts=pd.Index(["D"]))
    return float(found.least[0, 0]), float(found.most[0, 0])


def test_seven_months_remain_of_eighteen() -> None:
    assert ends(7, "any") == (1.0, 1.0)
    assert ends(14, "any") == (0.5, 0.5)
    assert ends(0, "any") == (1.0, 1.0)


def test_a_season_must_be_met() -> None:
    # January 2023 + 11 months: December 2023 to June 2024. Summer is met in June only: one month of the two needed.
    assert ends(6, "summer") == (0.5, 0.5)
    assert ends(6, "winter") == (1.0, 1.0)
    assert ends(6, "autumn") == (0.0, 0.0)
    # March to June: four months of the six that growth needs.
    assert ends(6, "growth") == pytest.approx((4 / 6, 4 / 6))
    # The same dossier in a programme that starts in July 2023 (June to December 2024) meets the whole summer.
    assert ends(6, "summer", "2023-07") == (1.0, 1.0)


def test_the_smaller_share_wins() -> None:
    assert ends(14, "summer") == (0.5, 0.5)
    assert ends(28, "summer") == (0.25, 0.25)


def test_missing_is_an_interval() -> None:
    assert ends(None, "any") == (0.0, 1.0)
    assert ends(7, None) == (0.0, 1.0)  # autumn would be missed, « any » would not
    assert ends(7, "summer", None) == (0.0, 1.0)
    assert ends(14, "summer", None) == (0.0, 0.5)
    assert ends(7, "any", None) == (1.0, 1.0)


def test_words_say_what_is_lacking_before_the_vote() -> None:
    said = tell(12, "summer", start="2023-01", window=RULES, too_late_below=0.5)
    assert "fenêtre de 7 mois (18 mois, dont 11 avant déploiement)" in said
    assert "12 mois demandés, il manque 5 mois" in said
    assert "décembre 2023 à juin 2024" in said
    assert said.endswith("trop tard pour mesurer")
    assert "trop tard" not in tell(7, "any", start=None, window=RULES, too_late_below=0.5)
    assert "le dossier ne dit pas la saison" in tell(np.nan, None, start=None, window=RULES, too_late_below=0.5)


def test_dates_are_read_as_months() -> None:
    assert start_month("2024-01 (accompagnement)") == 2024 * 12
    assert start_month("2024") is None
    assert start_month(None) is None
    with pytest.raises(InputError, match="AAAA-MM"):
        start_month("2024-13")


def test_an_unknown_season_is_refused() -> None:
    with pytest.raises(InputError, match="mousson"):
        ends(3, "mousson")
