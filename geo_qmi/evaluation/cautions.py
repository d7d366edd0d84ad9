"""What must be known before the result of a test is believed?

Measures nobody announced, a protocol or a threshold written after the fact, a window too short to see anything, a
baseline of another season: each is one French sentence, shown on every output. Nothing is corrected or left out here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi.errors import quoted
from geo_qmi.evaluation.days import before, months, season_gap, span
from geo_qmi.evaluation.rows import Row, by
from geo_qmi.wording import agreed, counted, day_words, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Length of a programme and mean time before a project stands, in months (003:L1143-1148).
PROGRAMME_MONTHS, MONTHS_TO_DEPLOY = 18, 11
#: A change over a shorter time has not seen the four seasons.
_YEAR_MONTHS = 12
#: Months apart in the year from which two measures are of different seasons, and two dates too far to be compared.
_SEASON_MONTHS = 3
#: Sign of a change for the better.
_SIGNS = {"higher": 1, "lower": -1}


def warnings(
    tests: Mapping[str, Row],
    results: list[Row],
    *,
    measures: list[Row],
    chosen: list[Row],
    asked_months: Mapping[str, float],
) -> pd.DataFrame:
    """Return every warning on the tests of a study.

    Parameters
    ----------
    tests
        Protocol → its row, in the order they are told.
    results
        Rows of ``Outcomes.indicators``.
    measures, chosen
        Rows of tables ``measures`` and ``protocol_indicators``.
    asked_months
        Project → months of measurement asked for.

    Returns
    -------
    DataFrame
        ``protocol_id`` (empty for the whole study), ``warning`` (French); the whole study first, then by protocol.
    """
    rows = [("", text) for text in _unannounced(tests, results, measures)]
    taken, told, lines = by(measures, "protocol_id"), by(results, "protocol_id"), by(chosen, "protocol_id")
    for protocol, test in tests.items():
        mine, found = taken.get(protocol, []), told.get(protocol, [])
        valued = [row for row in mine if row["value"] is not None]
        texts = [
            *_order(test, [row["measured_on"] for row in valued]),
            *_thresholds(lines.get(protocol, []), valued, found),
            *_window(test, asked=asked_months.get(test["project_id"])),
            *_seasons(found),
            *_silent(mine),
        ]
        rows += [(str(protocol), text) for text in texts]
    return pd.DataFrame(rows, columns=["protocol_id", "warning"]).astype("str")


def _unannounced(tests: Mapping[str, Row], results: list[Row], measures: list[Row]) -> Iterator[str]:
    """Name the measures that no protocol announced."""
    stray = [str(row["protocol_id"]) for row in measures if row["protocol_id"] not in tests]
    if stray:
        names = sorted(set(stray))
        yield (
            f"Données sans protocole : {counted(len(stray), 'mesure')} de {agreed(len(names), 'protocole inconnu')} "
            f"{quoted(names)}. Écrivez le protocole, ou ne tirez rien de ces mesures."
        )
    loose = [row for row in results if row["evidence"] == "no_protocol" and row["protocol_id"] in tests]
    for protocol, rows in sorted(by(loose, "protocol_id").items()):
        yield (
            f"Données sans protocole : {quoted([row['label'] for row in rows])}, que le protocole {protocol} n’annonce "
            "pas. Un indicateur choisi après coup ne prouve rien."
        )


def _order(test: Row, measured: list[str]) -> Iterator[str]:
    """Say when the protocol comes after the first measure, or when the dates do not tell."""
    early = [before(day, test["registered_on"]) for day in measured]
    if True in early:
        first = min(day for day, sure in zip(measured, early, strict=True) if sure)
        yield (
            f"Protocole arrêté le {day_words(test['registered_on'])}, après une première mesure ({day_words(first)}) : "
            "l’hypothèse a pu être écrite en connaissant le résultat."
        )
    elif None in early:
        yield "Dates trop vagues pour dire si le protocole précède les mesures : donnez les jours."


def _thresholds(chosen: list[Row], measures: list[Row], results: list[Row]) -> Iterator[str]:
    """Name the thresholds set after a measure, and those that cannot be read."""
    told = {row["indicator_id"]: row for row in results}
    days = by(measures, "indicator_id")
    late, silent, against = [], [], []
    for line in chosen:
        row = told[line["indicator_id"]]
        if any(before(one["measured_on"], line["threshold_on"]) is True for one in days.get(line["indicator_id"], [])):
            late.append(row["label"])
        if line["threshold"] is None:
            continue
        if line["threshold_kind"] is None:
            silent.append(row["label"])
        elif line["threshold_kind"] == "change" and _SIGNS.get(row["direction"], 0) * line["threshold"] < 0:
            against.append(row["label"])
    if late:
        yield f"{agreed(len(late), 'Seuil fixé')} ou changé après une mesure : {quoted(late)}."
    if silent:
        yield f"Seuil sans nature (valeur ou variation) : {quoted(silent)}. Rien n’y est comparé."
    if against:
        yield (
            f"Seuil de variation de signe contraire au sens recherché : {quoted(against)}. "
            "Une baisse recherchée s’écrit avec un nombre négatif ; rien n’y est comparé."
        )


def months_left(test: Row) -> float | None:
    """Return the months from deployment to the end of the window; missing when either date is."""
    return months(test["deployed_on"], test["ends_on"])


def _window(test: Row, *, asked: float | None) -> Iterator[str]:
    """Say when a window leaves too little time once the solution stands."""
    left, supposed = months_left(test), ""
    if left is None and span(test["deployed_on"]) is None:
        whole = months(test["starts_on"], test["ends_on"])
        left = None if whole is None else whole - MONTHS_TO_DEPLOY
        supposed = f" si le déploiement prend {MONTHS_TO_DEPLOY} mois, comme en moyenne"
    if left is None:
        yield (
            "Fenêtre de mesure inconnue : donnez le début et la fin du test. "
            f"Un programme dure {PROGRAMME_MONTHS} mois, le déploiement en prend {MONTHS_TO_DEPLOY} en moyenne."
        )
    elif left <= 0:
        yield f"Trop tard pour mesurer : la fenêtre finit avant le déploiement{supposed}."
    elif asked is not None and left < asked:
        yield (
            f"Trop tard pour mesurer : {number(left, digits=1)} mois restent après le déploiement{supposed}, "
            f"{number(asked)} sont demandés par le dossier."
        )
    elif left < _YEAR_MONTHS:
        yield (
            f"Fenêtre courte : {number(left, digits=1)} mois après le déploiement{supposed}, donc moins que les quatre "
            "saisons."
        )


def _seasons(results: list[Row]) -> Iterator[str]:
    """Name the changes that compare two seasons, or two places at dates far apart."""
    mixed, apart = [], []
    for row in results:
        gap = season_gap(row["baseline_on"], row["measured_on"])
        if row["evidence"] == "no_comparison" and gap is not None and gap >= _SEASON_MONTHS:
            mixed.append(row["label"])
        lag = months(row["comparison_on"], row["measured_on"])
        if row["evidence"] == "measured" and lag is not None and abs(lag) >= _SEASON_MONTHS:
            apart.append(row["label"])
    if mixed:
        yield f"État initial et mesure de saisons différentes, sans comparaison : {quoted(mixed)}."
    if apart:
        yield f"Comparaison mesurée à plus de {_SEASON_MONTHS} mois du test : {quoted(apart)}."


def _silent(measures: list[Row]) -> Iterator[str]:
    """Count the empty values nobody explained."""
    n = sum(row["value"] is None and row["missing_reason"] is None for row in measures)
    if n:
        yield f"{counted(n, 'mesure vide')} sans raison écrite : dites pourquoi elle manque."
