"""What did a test change, against what would have happened anyway, and how surely is it known?

For each indicator of a protocol: last value at the place of the test, change since the baseline, change at the place of
comparison, and their difference (difference in differences). What is missing is said, and never replaced. Whether a
threshold is reached is read on the net change when there is a comparison, else on the change, which says so. It judges
nobody: a threshold that is not reached is a result, to be learnt from (001:L1411-1415).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo_qmi.errors import InputError, shown
from geo_qmi.evaluation import cautions
from geo_qmi.evaluation.days import before, span
from geo_qmi.evaluation.rows import Row, by, frame, records
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.wording import counted, day_words, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

#: Fewest persons behind a value read on users: under it, persons could be recognised.
FLOOR_PEOPLE = 3
#: Part of a threshold two numbers may differ by and be the same.
_SAME = 1e-9
_PAIR = ["protocol_id", "indicator_id"]
#: What each evidence forbids to conclude.
_UNDECIDED = {"no_measure", "no_protocol", "secrecy"}


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Results of tests.

    Attributes
    ----------
    indicators
        One row a protocol × indicator, sorted: ``protocol_id``, ``project_id``, ``district_id``, ``indicator_id``,
        ``label``, ``unit``, ``direction``, ``baseline``, ``baseline_on``, ``value``, ``measured_on``, ``change``,
        ``comparison_baseline``, ``comparison_value``, ``comparison_on``, ``comparison_change``, ``net_change``,
        ``threshold``, ``threshold_kind``, ``reached`` (boolean, missing when it cannot be said), ``n`` (missing when
        not told), ``n_measures``, ``missing_reason``, ``evidence`` (key of
        `geo_qmi.vocabulary.OUTCOME_EVIDENCE`), ``sentence`` (French), ``demo``. A measure without protocol has its row,
        with an empty ``project_id`` when its protocol does not exist.
    protocols
        One row a protocol: ``protocol_id``, ``project_id``, ``district_id``, ``state`` (French), ``months`` of the
        window left once deployed (missing when a date is), ``n_indicators``, ``n_measured``, ``n_decided`` (a threshold
        could be held against a value), ``n_reached``, ``demo``.
    warnings
        ``protocol_id`` (empty for the whole study), ``warning`` (French), to be shown on every output.
    """

    indicators: pd.DataFrame
    protocols: pd.DataFrame
    warnings: pd.DataFrame


def outcomes(
    protocols: pd.DataFrame,
    protocol_indicators: pd.DataFrame,
    *,
    measures: pd.DataFrame,
    indicators: pd.DataFrame,
    asked_months: Mapping[str, float] | None = None,
    as_of: str | None = None,
) -> Outcomes:
    """Return what each test changed, and what must be known before it is believed.

    Parameters
    ----------
    protocols, protocol_indicators, measures, indicators
        The tables of these names.
    asked_months
        Project → months of measurement it asked for, where it did.
    as_of
        Day, ``AAAA-MM-JJ``, at which the tests are told: later measures are left out. All measures by default.

    Raises
    ------
    InputError
        A missing column, a repeated identifier, or a day that is not one.

    Notes
    -----
    The value is the last measured at the place of the test; of several that day, their mean. The comparison is the
    measure nearest in time to it. A value read on users (level ``usager`` or family ``user_feedback``) with fewer than
    `FLOOR_PEOPLE` persons is withheld.
    """
    _check(protocols, protocol_indicators, measures, indicators)
    if as_of is not None and span(as_of) is None:
        raise InputError(f"Jour « {shown(as_of)} » illisible. Attendu : AAAA-MM-JJ, par exemple 2026-09-01.")
    taken = [row for row in records(measures) if as_of is None or before(as_of, row["measured_on"]) is not True]
    tests = {row["protocol_id"]: row for row in sorted(records(protocols), key=lambda row: str(row["protocol_id"]))}
    library = {row["indicator_id"]: row for row in records(indicators)}
    lines = records(protocol_indicators)
    chosen = {(row["protocol_id"], row["indicator_id"]): row for row in lines}
    measured = by(taken, *_PAIR)
    rows = [
        _outcome(
            pair,
            about=tests.get(pair[0], {}),
            what=library.get(pair[1], {}),
            line=chosen.get(pair),
            measures=measured.get(pair, []),
        )
        for pair in sorted({*chosen, *measured})
    ]
    alerts = cautions.warnings(tests, rows, measures=taken, chosen=lines, asked_months=asked_months or {})
    return Outcomes(frame(rows, _COLUMNS), frame(_states(tests, rows, as_of=as_of), _STATES), alerts)


def without_few(measures: pd.DataFrame, indicators: pd.DataFrame) -> pd.DataFrame:
    """Return table ``measures`` without the values read on users behind which fewer than `FLOOR_PEOPLE` persons are.

    Such a value is emptied, with the reason, and its head count with it: neither leaves the jury's edition.
    """
    users = indicators["level"].eq("usager") | indicators["family"].eq("user_feedback")
    on_users = measures["indicator_id"].isin(indicators.loc[users, "indicator_id"])
    few = on_users & measures["n"].lt(FLOOR_PEOPLE).fillna(value=False).astype(bool) & measures["value"].notna()
    reason = measures["missing_reason"].mask(few, f"moins de {FLOOR_PEOPLE} personnes")
    hidden = {"value": measures["value"].mask(few), "n": measures["n"].mask(few), "missing_reason": reason}
    return measures.assign(**hidden, method_note=measures["method_note"].mask(few))


#: Column → dtype of the results.
_COLUMNS = {
    **dict.fromkeys(("protocol_id", "project_id", "district_id", "indicator_id", "label", "unit", "direction"), "str"),
    "baseline": "float64",
    "baseline_on": "str",
    "value": "float64",
    "measured_on": "str",
    **dict.fromkeys(("change", "comparison_baseline", "comparison_value"), "float64"),
    "comparison_on": "str",
    **dict.fromkeys(("comparison_change", "net_change", "threshold"), "float64"),
    "threshold_kind": "str",
    "reached": "boolean",
    "n": "Int64",
    "n_measures": "Int64",
    **dict.fromkeys(("missing_reason", "evidence", "sentence"), "str"),
    "demo": "bool",
}
_STATES = {
    **dict.fromkeys(("protocol_id", "project_id", "district_id", "state"), "str"),
    "months": "float64",
    **dict.fromkeys(("n_indicators", "n_measured", "n_decided", "n_reached"), "Int64"),
    "demo": "bool",
}


def _check(protocols: pd.DataFrame, chosen: pd.DataFrame, measures: pd.DataFrame, indicators: pd.DataFrame) -> None:
    """Raise for frames that cannot be used."""
    require_columns(
        protocols,
        [
            "protocol_id",
            "project_id",
            "district_id",
            "registered_on",
            "starts_on",
            "ends_on",
            "deployed_on",
            "comparison",
        ],
        what="Protocoles",
    )
    wanted = [*_PAIR, "baseline", "baseline_on", "comparison_baseline", "threshold", "threshold_kind", "threshold_on"]
    require_columns(chosen, wanted, what="Indicateurs des protocoles")
    wanted = [*_PAIR, "measured_on", "side", "value", "missing_reason", "n"]
    require_columns(measures, wanted, what="Mesures")
    require_columns(indicators, ["indicator_id", "label", "unit", "direction", "level", "family"], what="Indicateurs")
    require_ids(protocols["protocol_id"], what="Protocoles")
    require_ids(indicators["indicator_id"], what="Indicateurs")


def _outcome(pair: tuple[str, str], *, about: Row, what: Row, line: Row | None, measures: list[Row]) -> Row:
    """Return one row of the results."""
    protocol, indicator = pair
    told = {} if line is None else line
    row: Row = {"protocol_id": protocol, "indicator_id": indicator}
    row |= {"project_id": about.get("project_id", ""), "district_id": about.get("district_id", "")}
    row |= {"label": what.get("label", indicator), "unit": what.get("unit", ""), "direction": what.get("direction")}
    kept = ("baseline", "baseline_on", "comparison_baseline", "threshold", "threshold_kind")
    row |= {column: told.get(column) for column in kept}
    row["demo"] = any(bool(one.get("demo")) for one in (about, told, *measures))
    on_users = what.get("level") == "usager" or what.get("family") == "user_feedback"
    test = _last([one for one in measures if one["side"] == "test"], on_users=on_users)
    other = _nearest([one for one in measures if one["side"] == "comparison"], test["day"], on_users=on_users)
    row |= {"value": test["value"], "measured_on": test["on"], "n": test["n"], "n_measures": test["n_measures"]}
    row |= {"comparison_value": other["value"], "comparison_on": other["on"]}
    row["change"] = _minus(row["value"], row["baseline"])
    row["comparison_change"] = _minus(row["comparison_value"], row["comparison_baseline"])
    row["net_change"] = _minus(row["change"], row["comparison_change"])
    row["missing_reason"] = test["missing_reason"]
    row["evidence"] = _evidence(row, test, chosen=line is not None, registered=about.get("registered_on"))
    row["reached"] = _reached(row)
    row["sentence"] = _sentence(row, comparison=about.get("comparison"))
    return row


def _day(row: Row) -> int:
    """Return the latest day a measure may be of."""
    return (span(row["measured_on"]) or (0, 0))[1]


def _last(measures: list[Row], *, on_users: bool) -> Row:
    """Return the last value measured: of several that day, their mean; withheld when too few persons are behind it."""
    valued = [row for row in measures if row["value"] is not None]
    found: Row = dict.fromkeys(("value", "on", "day", "first", "n", "missing_reason"))
    found |= {"n_measures": len(valued), "withheld": False}
    if not valued:
        reasons = dict.fromkeys(str(row["missing_reason"]) for row in measures if row["missing_reason"] is not None)
        return found | {"missing_reason": " ; ".join(reasons) or None}
    latest = max(map(_day, valued))
    of_day = [row for row in valued if _day(row) == latest]
    counts = [row["n"] for row in of_day]
    n = None if None in counts else sum(counts)
    found |= {"on": of_day[0]["measured_on"], "day": latest, "first": min(valued, key=_day)["measured_on"], "n": n}
    if on_users and n is not None and n < FLOOR_PEOPLE:
        return found | {"withheld": True}
    return found | {"value": sum(row["value"] for row in of_day) / len(of_day)}


def _nearest(measures: list[Row], day: int | None, *, on_users: bool) -> Row:
    """Return the value of the comparison nearest in time to the test; the last one when the test has none."""
    valued = [row for row in measures if row["value"] is not None]
    if day is None or not valued:
        return _last(measures, on_users=on_users)
    gap = min(abs(_day(row) - day) for row in valued)
    return _last([row for row in valued if abs(_day(row) - day) == gap], on_users=on_users)


def _minus(one: float | None, other: float | None) -> float | None:
    """Return a difference, missing when a term is."""
    return None if one is None or other is None else one - other


def _evidence(row: Row, test: Row, *, chosen: bool, registered: object) -> str:
    """Return what the result stands on, the gravest reserve first."""
    if not chosen:
        return "no_protocol"
    if test["withheld"]:
        return "secrecy"
    if row["value"] is None:
        return "no_measure"
    if before(test["first"], registered) is True:
        return "measured_before_protocol"
    if row["change"] is None:
        return "no_baseline"
    return "no_comparison" if row["net_change"] is None else "measured"


def _reached(row: Row) -> bool | None:
    """Tell whether the threshold is reached; ``None`` when it cannot be told."""
    threshold, way, kind = row["threshold"], row["direction"], row["threshold_kind"]
    if row["evidence"] in _UNDECIDED or threshold is None or way not in {"higher", "lower"}:
        return None
    if kind == "value":
        seen = row["value"]
    elif kind == "change" and (threshold >= 0) == (way == "higher" or threshold == 0):
        seen = row["change"] if row["net_change"] is None else row["net_change"]
    else:  # not told which, or a change against the way looked for
        return None
    if seen is None:
        return None
    slack = _SAME * max(1.0, abs(threshold))
    return bool(seen >= threshold - slack) if way == "higher" else bool(seen <= threshold + slack)


def _sentence(row: Row, *, comparison: object) -> str:
    """Say a result in French: before, after, compared, threshold, and what it cannot say."""
    unit = f" {row['unit']}" if row["unit"] else ""
    label = row["label"]
    if row["evidence"] == "secrecy":
        return f"{label} : valeur non dite, moins de {FLOOR_PEOPLE} personnes ont répondu."
    if row["value"] is None:
        why = f" ({row['missing_reason']})" if row["missing_reason"] else ""
        return f"{label} : non mesuré{why}. Ce n’est pas un zéro."
    start = "" if row["change"] is None else f"{number(row['baseline'])} → "
    told = [f"{label} : {start}{number(row['value'])}{unit}"]
    if row["change"] is not None:
        told[0] += f" ({signed(row['change'])})"
    if row["net_change"] is not None:
        told.append(f"comparaison {signed(row['comparison_change'])}")
        told.append(f"écart net {signed(row['net_change'])}")
    if row["reached"] is not None:
        aim = signed(row["threshold"]) if row["threshold_kind"] == "change" else number(row["threshold"])
        bound = "au moins" if row["direction"] == "higher" else "au plus"
        told.append(f"seuil d’{bound} {aim} {'atteint' if row['reached'] else 'non atteint'}")
    size = "effectif non dit" if row["n"] is None else f"n = {number(row['n'])}"
    several = f", {counted(row['n_measures'], 'mesure')}" if row["n_measures"] > 1 else ""
    limits = {
        "no_baseline": " Sans état initial, aucune évolution ne se lit.",
        "no_comparison": f" {_alone(comparison)}",
        "measured_before_protocol": " Mesuré avant que le protocole soit arrêté.",
        "no_protocol": " Mesuré sans protocole : rien n’était annoncé.",
    }
    return f"{' ; '.join(told)} ({size}{several}).{limits.get(row['evidence'], '')}"


def _alone(comparison: object) -> str:
    """Say why there is no net change."""
    if not isinstance(comparison, str) or not comparison.strip():
        return "Sans lieu de comparaison, l’évolution ne peut être attribuée à la solution."
    return "La comparaison prévue n’est pas mesurée : l’évolution ne peut être attribuée à la solution."


def signed(value: float) -> str:
    """Return a change with its sign.

    Examples
    --------
    >>> signed(1.25), signed(-3.0), signed(0.0)
    ('+1,25', '−3', '0')
    """
    text = number(value)
    return f"+{text}" if value > 0 and text != "0" else text


def _states(tests: Mapping[str, Row], results: list[Row], *, as_of: str | None) -> list[Row]:
    """Return where each protocol stands."""
    announced = by([row for row in results if row["evidence"] != "no_protocol"], "protocol_id")
    states = []
    for protocol, test in tests.items():
        mine = announced.get(protocol, [])
        decided = [row["reached"] for row in mine if row["reached"] is not None]
        states.append(
            {
                "protocol_id": protocol,
                "project_id": test["project_id"],
                "district_id": test["district_id"],
                "state": _state(test, as_of=as_of),
                "months": cautions.months_left(test),
                "n_indicators": len(mine),
                "n_measured": sum(row["value"] is not None for row in mine),
                "n_decided": len(decided),
                "n_reached": sum(decided),
                "demo": bool(test.get("demo")),
            }
        )
    return states


def _state(test: Row, *, as_of: str | None) -> str:
    """Return where a test stands on a day, from the dates of its window."""
    if span(test["starts_on"]) is None or span(test["ends_on"]) is None:
        return "dates inconnues"
    if as_of is None:
        return f"du {day_words(test['starts_on'])} au {day_words(test['ends_on'])}"
    if before(as_of, test["starts_on"]) is True:
        return "à venir"
    return "terminé" if before(test["ends_on"], as_of) is True else "en cours"
