from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo_qmi.errors import InputError
from geo_qmi.siting import latest_starts, permit_paths

PERMITS = pd.DataFrame(
    {
        "site_id": ["square", "square", "roof", "station"],
        "rank": [2, 1, 1, 1],
        "owner": ["commune", "commune", "bailleur", None],
        "authority": ["conseil municipal", "service voirie", "bailleur", None],
        "convention": ["délibération", "occupation du domaine public", "convention", None],
        "weeks": [8.0, 6.0, 60.0, np.nan],
    }
)


def test_paths_add_up_and_unknown_stays_unknown():
    paths = permit_paths(PERMITS)
    assert paths.index.tolist() == ["roof", "square", "station"]
    assert paths.loc["square", "weeks"] == 14.0
    assert paths.loc["square", "path"] == (
        "occupation du domaine public (autorité : service voirie, propriétaire : commune, 6 semaines) → "
        "délibération (autorité : conseil municipal, propriétaire : commune, 8 semaines)"
    )
    assert np.isnan(paths.loc["station", "weeks"])
    assert (paths.loc["station", "n_unknown"], paths.loc["station", "weeks_known"]) == (1, 0.0)
    assert "autorité : inconnue" in paths.loc["station", "path"]
    pd.testing.assert_frame_equal(paths, permit_paths(PERMITS.iloc[::-1]))


def test_latest_starts_by_hand():
    # 15 January 2026 + 18 months = 15 July 2027; − 11 months = 15 August 2026; − 14 weeks (98 days) = 9 May 2026.
    starts = latest_starts(permit_paths(PERMITS), window_start="2026-01-15", observation_months=11)
    square = starts.loc["square"]
    assert [str(square[name].date()) for name in ("window_end", "observe_by", "ask_by")] == [
        "2027-07-15",
        "2026-08-15",
        "2026-05-09",
    ]
    assert square["fits"]
    assert square["sentence"] == "Demande le 09/05/2026 au plus tard, mesure le 15/08/2026 au plus tard."
    # 60 weeks are 420 days; from 15 January to 15 August there are 212: 208 days short, 29.7 weeks.
    roof = starts.loc["roof"]
    assert not roof["fits"]
    assert roof["weeks_short"] == pytest.approx(208 / 7)
    assert roof["sentence"].startswith("Il manque 29,71 semaines")
    station = starts.loc["station"]
    assert station["fits"] is pd.NA
    assert pd.isna(station["ask_by"])


def test_months_by_site_and_a_measure_longer_than_the_programme():
    months = pd.Series({"square": 19, "roof": np.nan})
    starts = latest_starts(permit_paths(PERMITS), window_start="2026-01-31", observation_months=months)
    assert "dépasse le programme de 4,43 semaines" in starts.loc["square", "sentence"]  # 31 days
    assert starts.loc["roof", "sentence"] == "Durée de mesure inconnue : à demander au porteur."
    assert starts["fits"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize("weeks", [-1, "longtemps", np.inf])
def test_refused_weeks(weeks):
    with pytest.raises(InputError, match="Attendu : un nombre de semaines"):
        permit_paths(PERMITS.astype({"weeks": object}).assign(weeks=[weeks, 1, 1, 1]))


def test_refused_dates_and_steps():
    paths = permit_paths(PERMITS)
    with pytest.raises(InputError, match="AAAA-MM-JJ"):
        latest_starts(paths, window_start="15/01/2026", observation_months=11)
    with pytest.raises(InputError, match="nombre entier de mois"):
        latest_starts(paths, window_start="2026-01-15", observation_months=1.5)
    with pytest.raises(InputError, match="étape 1 présente deux fois"):
        permit_paths(PERMITS.assign(rank=1))
