"""Is a result the difference somebody could compute by hand, with everything it does not know said?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from geo_qmi import evaluation, schema
from geo_qmi.errors import InputError
from geo_qmi.evaluation.days import before, months

PROTOCOL = {
    "protocol_id": "P",
    "project_id": "p",
    "district_id": "d",
    "hypothesis": "h",
    "registered_on": "2024-12-01",
    "starts_on": "2025-01-01",
    "ends_on": "2026-12-31",
    "deployed_on": "2025-06-01",
    "comparison": "placette voisine",
    "source": "essai",
}
LINE = {
    "protocol_id": "P",
    "indicator_id": "I",
    "baseline": 40.0,
    "baseline_on": "2024-07-15",
    "comparison_baseline": 41.0,
    "threshold": -2.0,
    "threshold_kind": "change",
    "threshold_on": "2024-12-01",
    "source": "essai",
}
MEASURE = {"protocol_id": "P", "indicator_id": "I", "side": "test", "n": 10, "source": "essai"}
INDICATOR = {"indicator_id": "I", "label": "Chaleur", "unit": "°C", "direction": "lower", "level": "solution",
             "family": "environmental"}  # fmt: skip


def frame(name: str, *rows: dict[str, Any]) -> pd.DataFrame:
    return schema.typed(pd.DataFrame(list(rows), columns=list(schema.columns(name)), dtype=object), name)


def results(*measures: dict[str, Any], line: Any = (), protocol: Any = (), indicator: Any = (), **options: Any):
    """Outcomes of one protocol and one indicator, some cells changed."""
    lines = [] if line is None else [LINE | dict(line)]
    rows = [MEASURE | {"measure_id": str(place)} | one for place, one in enumerate(measures)]
    return evaluation.outcomes(
        frame("protocols", PROTOCOL | dict(protocol)),
        frame("protocol_indicators", *lines),
        measures=frame("measures", *rows),
        indicators=frame("indicators", INDICATOR | dict(indicator)),
        **options,
    )


TEST = {"measured_on": "2025-07-15", "value": 36.5}
BESIDE = {"measured_on": "2025-07-15", "value": 40.0, "side": "comparison"}


def only(found: evaluation.Outcomes) -> pd.Series[Any]:
    assert len(found.indicators) == 1
    return found.indicators.iloc[0]


def test_net_change_is_the_difference_of_two_differences():
    one = only(results(TEST, BESIDE))
    # 36.5 − 40 = −3.5 here, 40 − 41 = −1 beside: −2.5 is what the test changed, and −2 was asked.
    assert one[["change", "comparison_change", "net_change"]].tolist() == [-3.5, -1.0, -2.5]
    assert bool(one["reached"])
    assert one["evidence"] == "measured"
    assert one["sentence"] == (
        "Chaleur : 40 → 36,5 °C (−3,5) ; comparaison −1 ; écart net −2,5 ; seuil d’au plus −2 atteint (n = 10)."
    )


def test_without_comparison_the_change_is_read_and_said_to_prove_nothing():
    one = only(results(TEST, protocol={"comparison": None}))
    assert one["evidence"] == "no_comparison"
    assert pd.isna(one["net_change"])
    assert bool(one["reached"])
    assert one["sentence"].endswith("Sans lieu de comparaison, l’évolution ne peut être attribuée à la solution.")


def test_a_comparison_that_was_planned_and_not_measured_is_told():
    assert "La comparaison prévue n’est pas mesurée" in only(results(TEST))["sentence"]


def test_a_value_nobody_measured_is_not_a_zero():
    one = only(results({"measured_on": "2025-07-15", "value": None, "missing_reason": "capteur volé"}))
    assert one["evidence"] == "no_measure"
    assert pd.isna(one["reached"])
    assert one["sentence"] == "Chaleur : non mesuré (capteur volé). Ce n’est pas un zéro."
    silent = results({"measured_on": "2025-07-15", "value": None})
    assert silent.warnings["warning"].str.contains("1 mesure vide sans raison écrite").any()


def test_without_baseline_no_change_is_made_up():
    one = only(results(TEST, line={"baseline": None, "threshold": 37.0, "threshold_kind": "value"}))
    assert one["evidence"] == "no_baseline"
    assert pd.isna(one["change"])
    assert bool(one["reached"])  # a value can be held against a value


def test_the_last_day_counts_and_several_measures_of_it_are_averaged():
    one = only(
        results(TEST, {"measured_on": "2026-07-15", "value": 35.0}, {"measured_on": "2026-07-15", "value": 37.0})
    )
    assert one[["value", "n", "n_measures", "measured_on"]].tolist() == [36.0, 20, 3, "2026-07-15"]


def test_the_comparison_is_the_measure_nearest_in_time():
    later = {"measured_on": "2026-07-16", "value": 39.0, "side": "comparison"}
    one = only(results(TEST, BESIDE, later))
    assert one[["comparison_value", "comparison_on"]].tolist() == [40.0, "2025-07-15"]


def test_a_day_leaves_later_measures_out():
    later = {"measured_on": "2026-07-15", "value": 30.0}
    found = results(TEST, later, as_of="2025-12-31")
    assert only(found)["value"] == 36.5
    assert found.protocols.loc[0, "state"] == "en cours"
    assert results(TEST, as_of="2024-12-31").protocols.loc[0, "state"] == "à venir"
    assert results(TEST, as_of="2027-02-01").protocols.loc[0, "state"] == "terminé"
    with pytest.raises(InputError, match="AAAA-MM-JJ"):
        results(TEST, as_of="demain")


def test_what_too_few_users_said_is_withheld():
    users = {"level": "usager", "family": "user_feedback"}
    one = only(results(TEST | {"n": 2}, indicator=users))
    assert one["evidence"] == "secrecy"
    assert pd.isna(one["value"])
    assert "36,5" not in one["sentence"]
    assert only(results(TEST | {"n": 3}, indicator=users))["value"] == 36.5
    assert only(results(TEST | {"n": 2}))["value"] == 36.5  # ten points of a pavement are not people


def test_few_users_do_not_leave_a_lower_edition():
    measures = frame("measures", MEASURE | TEST | {"measure_id": "a", "n": 2}, MEASURE | TEST | {"measure_id": "b"})
    library = frame("indicators", INDICATOR | {"level": "usager"})
    left = evaluation.without_few(measures, library)
    assert left["value"].tolist()[1] == 36.5
    assert left.loc[0, ["value", "n"]].isna().all()
    assert left.loc[0, "missing_reason"] == "moins de 3 personnes"
    assert evaluation.without_few(measures, frame("indicators", INDICATOR))["value"].notna().all()


def test_data_without_protocol_is_kept_told_and_decides_nothing():
    found = results(TEST | {"protocol_id": "Q"}, line=None)
    one = only(found)
    assert (one["evidence"], one["project_id"]) == ("no_protocol", "")
    assert pd.isna(one["reached"])
    first = found.warnings.iloc[0]
    assert first["protocol_id"] == ""
    assert first["warning"].startswith("Données sans protocole : 1 mesure de protocole inconnu « Q ».")
    chosen_after = results(TEST, line=None).warnings
    assert "que le protocole P n’annonce pas" in chosen_after.loc[0, "warning"]


def test_a_protocol_or_a_threshold_written_after_the_first_measure_is_told():
    found = results(TEST, BESIDE, protocol={"registered_on": "2025-08-01"}, line={"threshold_on": "2025-09-01"})
    assert only(found)["evidence"] == "measured_before_protocol"
    told = " ".join(found.warnings["warning"])
    assert "Protocole arrêté le 1er août 2025, après une première mesure (15 juillet 2025)" in told
    assert "Seuil fixé ou changé après une mesure : « Chaleur »." in told
    assert results(TEST, BESIDE).warnings.empty


def test_dates_that_do_not_tell_the_order_are_told():
    found = results(TEST, BESIDE, protocol={"registered_on": "2025"})
    assert only(found)["evidence"] == "measured"
    assert found.warnings["warning"].tolist() == [
        "Dates trop vagues pour dire si le protocole précède les mesures : donnez les jours."
    ]


@pytest.mark.parametrize(
    ("dates", "asked", "said"),
    [
        ({"deployed_on": "2027-01-15"}, {}, "Trop tard pour mesurer : la fenêtre finit avant le déploiement."),
        (
            {"deployed_on": "2026-08-31"},
            {"p": 6},
            "Trop tard pour mesurer : 4 mois restent après le déploiement, 6 sont",
        ),
        ({"deployed_on": "2026-08-31"}, {"p": 3}, "Fenêtre courte : 4 mois après le déploiement"),
        ({"deployed_on": None, "ends_on": "2025-11-30"}, {}, "avant le déploiement si le déploiement prend 11 mois"),
        ({"ends_on": None}, {}, "Fenêtre de mesure inconnue : donnez le début et la fin du test."),
    ],
)
def test_a_window_too_short_is_told(dates, asked, said):
    found = results(TEST, BESIDE, protocol=dates, asked_months=asked)
    assert said in " ".join(found.warnings["warning"])


def test_two_seasons_without_comparison_are_told():
    found = results({"measured_on": "2026-01-15", "value": 5.0}, protocol={"comparison": None})
    assert "saisons différentes, sans comparaison : « Chaleur »" in " ".join(found.warnings["warning"])


@pytest.mark.parametrize(
    ("direction", "threshold", "kind", "expected"),
    [
        ("lower", -2.5, "change", True),
        ("lower", -2.6, "change", False),
        ("lower", 36.5, "value", True),
        ("higher", 36.6, "value", False),
        ("higher", -1.0, "change", None),  # a fall is no progress when a rise is looked for
        ("neither", 36.0, "value", None),
        ("lower", 36.0, None, None),
    ],
)
def test_a_threshold_is_read_as_it_was_written(direction, threshold, kind, expected):
    one = only(
        results(TEST, BESIDE, line={"threshold": threshold, "threshold_kind": kind}, indicator={"direction": direction})
    )
    assert (None if pd.isna(one["reached"]) else bool(one["reached"])) is expected


def test_a_test_is_counted_out_of_what_could_be_decided():
    row = results(TEST, BESIDE).protocols.loc[0]
    assert row[["n_indicators", "n_measured", "n_decided", "n_reached"]].tolist() == [1, 1, 1, 1]
    assert row["months"] == months("2025-06-01", "2026-12-31") == 19.0


def test_vague_dates_are_ordered_only_when_they_can_be():
    assert before("2025-06", "2025-07-01") is True
    assert before("2025-07-01", "2025-06") is False
    assert before("2025", "2025-07-01") is None
    assert before("bientôt", "2025") is None


def test_a_column_that_is_absent_or_an_identifier_twice_is_refused():
    protocols = frame("protocols", PROTOCOL, PROTOCOL)
    empty = {name: frame(name) for name in ("measures", "indicators")}
    with pytest.raises(InputError, match="plusieurs fois"):
        evaluation.outcomes(protocols, frame("protocol_indicators"), **empty)
    with pytest.raises(InputError, match="registered_on"):
        evaluation.outcomes(protocols.drop(columns="registered_on"), frame("protocol_indicators"), **empty)
