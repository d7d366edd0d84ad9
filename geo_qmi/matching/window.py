"""Is there time left to measure once the project is deployed, and at the right season?

A programme lasts `months_total`; `months_before_deployment` of them pass before a project stands. What remains is the
window. A dossier that asks for more months than the window holds, or for a season the window does not meet, fits in
part; below the low anchor of the rule file it is « trop tard pour mesurer », said before the vote.

Months are counted on whole months from a date that is handed in; there is no clock here, and no weather.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, shown
from geo_qmi.schema.calls import SEASONS
from geo_qmi.wording import MONTHS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo_qmi.matching.rule_model import Window

_YEAR_MONTH = re.compile(r"(\d{4})-(\d{2})")


class Fit(NamedTuple):
    """Share of the asked measurement that fits in the window: at least, and at most (projects × districts)."""

    least: NDArray[np.float64]
    most: NDArray[np.float64]


def start_month(text: object) -> int | None:
    """Return a published date as a count of months, or ``None`` when it does not give a month.

    Examples
    --------
    >>> start_month("2023-01 (accompagnement)") - start_month("2022-12"), start_month("2023")
    (1, None)
    """
    found = _YEAR_MONTH.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    month = int(found[2])
    if not 1 <= month <= 12:
        raise InputError(f"Date de début « {shown(text)} » : attendu AAAA-MM.")
    return 12 * int(found[1]) + month - 1


def fit(
    applications: pd.DataFrame, starts: Mapping[str, str | None], *, window: Window, districts: pd.Index[str]
) -> Fit:
    """Return how much of the measurement each project asks for fits in the window of each district.

    Parameters
    ----------
    applications
        ``months`` (months of measurement) and ``season``, as in table ``applications``; empty cells are unknown.
    starts
        District → date the programme starts there (``AAAA-MM…``); without one the season is unknown.
    window
        The rules.
    districts
        The columns.

    Returns
    -------
    Fit
        In [0, 1]: the smaller of window ÷ months asked and season months met ÷ months the season needs; an interval
        where a cell is empty.
    """
    months = pd.to_numeric(applications["months"]).to_numpy(dtype="float64", na_value=np.nan)
    season = applications["season"].astype("object").where(applications["season"].notna(), "").to_numpy(dtype=object)
    unknown = sorted({str(one) for one in season if one and one not in SEASONS})
    if unknown:
        raise InputError(f"Saison inconnue « {shown(unknown[0])} ». Attendu : {', '.join(SEASONS)}.")
    held = _held(window)
    with np.errstate(divide="ignore"):
        time = np.minimum(1.0, held / months)[:, None]
    shares = [[_season_met(one, starts.get(district), window) for district in districts] for one in SEASONS]
    met = np.array(shares, dtype=np.float64).reshape(len(SEASONS), len(districts), 2)
    # An empty season may be any of them: the worst, or « any », which asks nothing.
    met = np.concatenate([met, np.stack([met[:, :, 0].min(axis=0), np.ones(len(districts))], axis=-1)[None]])
    names = [*SEASONS, ""]
    asked = met[[names.index(one) for one in season]]
    empty = np.isnan(time)
    least = np.minimum(np.where(empty, 0.0, time), asked[:, :, 0])
    most = np.minimum(np.where(empty, 1.0, time), asked[:, :, 1])
    return Fit(least, most)


def _held(window: Window) -> int:
    """Return the months of the window."""
    return window.months_total - window.months_before_deployment


def _season_met(season: str, start: str | None, window: Window) -> tuple[float, float]:
    """Return the share of the months a season needs that the window meets: at least, and at most."""
    rule = window.seasons.get(season)
    if rule is None:  # « any », or a season the rules do not define: no month is asked
        return 1.0, 1.0
    first = start_month(start)
    if first is None:
        return (0.0, 1.0)
    met = sum(
        (first + month) % 12 + 1 in rule.months for month in range(window.months_before_deployment, window.months_total)
    )
    share = min(1.0, met / rule.least)
    return share, share


def tell(months: Any, season: Any, *, start: str | None, window: Window, too_late_below: float) -> str:
    """Return the French sentence about one project in one district.

    Parameters
    ----------
    months, season
        Cells of the dossier; missing when empty.
    start
        Date the programme starts in the district.
    window
        The rules.
    too_late_below
        Share under which it is too late to measure.
    """
    held = _held(window)
    parts = [
        f"fenêtre de {held} mois ({window.months_total} mois, dont {window.months_before_deployment} avant déploiement)"
    ]
    worst = 1.0
    if pd.isna(months):
        parts.append("le dossier ne dit pas la durée de mesure")
    else:
        wanted = float(str(months))
        worst = min(1.0, held / wanted) if wanted else 1.0
        lack = f", il manque {wanted - held:g} mois" if wanted > held else ", cela tient"
        parts.append(f"{wanted:g} mois demandés{lack}".replace(".", ","))
    code = "" if pd.isna(season) else str(season)
    if not code:
        parts.append("le dossier ne dit pas la saison")
    elif code in window.seasons:
        least, most = _season_met(code, start, window)
        worst = min(worst, most)
        rule = window.seasons[code]
        if least == most:
            met = "est dans la fenêtre" if most == 1 else "n’y est qu’en partie" if most else "n’y est pas"
            parts.append(f"{SEASONS[code]} : {rule.least} mois demandés, la saison {met} ({_span(start, window)})")
        else:
            parts.append(f"{SEASONS[code]} : date de début inconnue")
    if worst <= too_late_below:
        parts.append("trop tard pour mesurer")
    return " ; ".join(parts)


def _span(start: str | None, window: Window) -> str:
    """Return « de … à … » for the window of a known start."""
    first = start_month(start)
    if first is None or _held(window) == 0:
        return "fenêtre vide"
    ends = (first + window.months_before_deployment, first + window.months_total - 1)
    return " à ".join(f"{MONTHS[month % 12]} {month // 12}" for month in ends)
