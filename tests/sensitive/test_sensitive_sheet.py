from __future__ import annotations

import pandas as pd
import pytest
import shapely

from geo_qmi.errors import UnknownNameError
from geo_qmi.sensitive import comparison, diagnosis, felt, of_district, walk_ground


def test_every_district_has_the_same_page(shipped):
    sheets = [diagnosis(name, tables=shipped) for name in ("QMI1-AUL", "QMI2-ARG")]
    plans = [[(title, list(frame.columns)) for title, frame in sheet.sections().items()] for sheet in sheets]
    assert plans[0] == plans[1]
    assert sheets[0].counts["indicator"].tolist() == sheets[1].counts["indicator"].tolist()
    assert [sheet.demo for sheet in sheets] == [True, False]
    side = comparison(sheets)
    assert side.loc["n_observations", "QMI1-AUL"] == 92
    assert side.loc["n_sessions", "QMI2-ARG"] == 0
    assert pd.isna(side.loc["n_observations", "QMI2-ARG"])  # nobody walked there: unknown, not zero


def test_counts_of_a_shipped_walk(shipped):
    counts = diagnosis("QMI1-AUL", tables=shipped).counts.set_index("indicator")["value"]
    assert counts[["n_walk", "n_interview", "n_workshop", "n_stroll"]].tolist() == [1, 2, 1, 0]
    assert counts[["n_marks", "n_silences", "n_absences"]].sum() == counts["n_observations"] == 92
    assert counts["n_people"] == 11


def test_a_ground_felt_before_gives_the_same_sheet(shipped):
    own = of_district("QMI1-AUL", shipped)
    host = shipped["districts"][shipped["districts"]["district_id"] == "QMI1-AUL"]
    cells = walk_ground(host, routes=own["routes"], cell_m=50.0)
    ground = felt(own["observations"], places=cells, routes=own["routes"])
    given = diagnosis("QMI1-AUL", tables=shipped, own=own, ground=ground)
    alone = diagnosis("QMI1-AUL", tables=shipped)
    for title, frame in alone.sections().items():
        pd.testing.assert_frame_equal(pd.DataFrame(given.sections()[title]), pd.DataFrame(frame))


def test_gaps_are_said(shipped):
    empty = diagnosis("QMI2-ARG", tables=shipped).missing["what"].tolist()
    assert empty[0] == "Le périmètre du quartier n’est pas connu."
    assert sum(sentence.startswith("Aucune séance de type") for sentence in empty) == 4
    walked = diagnosis("QMI1-AUL", tables=shipped).missing["what"].str.cat(sep=" ")
    assert "balade urbaine" in walked
    assert "à moins de cinq personnes" in walked


def test_places_name_a_stop_and_needs_sum_to_one(shipped):
    sheet = diagnosis("QMI1-SCE", tables=shipped)
    assert set(sheet.places["side"]) == {"positive", "negative"}
    assert (sheet.places.groupby("side")["value"].mean() * [-1, 1] > 0).all()
    assert sheet.places["near"].isin(shipped["stages"]["name"]).all()
    assert sheet.needs["weight"].sum() == pytest.approx(1)
    assert sheet.needs["weight"].is_monotonic_decreasing
    assert sheet.dissensus["polarisation"].is_monotonic_decreasing
    assert len(sheet.workshop) == 11
    assert len(sheet.absences) == 6


def test_the_study_is_left_alone_and_order_is_irrelevant(shipped):
    before = shipped["observations"].copy()
    one = diagnosis("QMI1-NOI", tables=shipped)
    turned = {name: frame.iloc[::-1] for name, frame in shipped.items()}
    other = diagnosis("QMI1-NOI", tables=turned)
    pd.testing.assert_frame_equal(one.counts, other.counts)
    pd.testing.assert_frame_equal(one.needs, other.needs)
    assert one.places["place_id"].tolist() == other.places["place_id"].tolist()
    assert shapely.equals(shipped["observations"].geometry, before.geometry).sum() == before.geometry.notna().sum()


def test_an_unknown_district_is_refused(shipped):
    with pytest.raises(UnknownNameError, match="Quartier inconnu"):
        diagnosis("QMI9-XXX", tables=shipped)
