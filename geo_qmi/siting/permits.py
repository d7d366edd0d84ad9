"""Whose signature does each place need, and by when must it be asked so that the measure fits in the programme?

The owner, the competent authority, the convention and the usual weeks of each step are *given*; nothing is invented,
and a step without weeks makes the total unknown, never shorter. Dates come in as arguments: there is no clock here.
Steps follow one another; two that run side by side are one row, with the weeks of the longer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, shown
from geo_qmi.guards import require_columns
from geo_qmi.wording import number

_STEP = ("site_id", "rank", "owner", "authority", "convention", "weeks")


def permit_paths(permits: pd.DataFrame) -> pd.DataFrame:
    """Return the path of signatures of each place.

    Parameters
    ----------
    permits
        One row a step: ``site_id``, ``rank`` (order of the step), ``owner``, ``authority``, ``convention``
        (texts, missing when nobody knows), ``weeks`` (usual duration, ≥ 0, missing when nobody knows).

    Returns
    -------
    DataFrame
        Indexed by ``site_id``, sorted: ``n_steps``, ``weeks`` (missing as soon as one step lacks them),
        ``weeks_known`` (sum of the others), ``n_unknown`` steps without weeks, ``path`` (French).

    Raises
    ------
    InputError
        A missing column, a step given twice, weeks that are negative or no number.
    """
    require_columns(permits, _STEP, what="Autorisations")
    if permits[["site_id", "rank"]].isna().any(axis=None):
        raise InputError("Autorisations : lieu ou rang manquant. Renseignez chaque étape.")
    weeks = pd.to_numeric(permits["weeks"], errors="coerce").astype("float64")
    wrong = (weeks.isna() & permits["weeks"].notna()) | (weeks < 0) | np.isinf(weeks)
    if wrong.any():
        row = permits[wrong].iloc[0]
        raise InputError(
            f"Autorisations, {shown(row['site_id'])}, étape {shown(row['rank'])} : durée « {shown(row['weeks'])} ». "
            "Attendu : un nombre de semaines, positif ou nul, ou rien."
        )
    steps = permits.assign(weeks=weeks, site_id=permits["site_id"].astype("str"))
    twice = steps[steps.duplicated(["site_id", "rank"])]
    if len(twice):
        row = twice.iloc[0]
        raise InputError(
            f"Autorisations, {shown(row['site_id'])} : étape {shown(row['rank'])} présente deux fois. Renumérotez."
        )
    steps = steps.sort_values(["site_id", "rank"], kind="stable")
    by_site: dict[str, list[tuple[float, str]]] = {}
    for name, owner, authority, convention, lasting in steps[["site_id", *_STEP[2:]]].itertuples(index=False):
        by_site.setdefault(name, []).append((lasting, _step(owner, authority, convention, lasting)))
    weeks_of = [np.array([lasting for lasting, _ in mine]) for mine in by_site.values()]
    known = [float(np.nansum(one)) for one in weeks_of]
    n_unknown = [int(np.isnan(one).sum()) for one in weeks_of]
    return pd.DataFrame(
        {
            "n_steps": [len(one) for one in weeks_of],
            "weeks": [np.nan if missing else total for total, missing in zip(known, n_unknown, strict=True)],
            "weeks_known": known,
            "n_unknown": n_unknown,
            "path": pd.array([" → ".join(words for _, words in mine) for mine in by_site.values()], dtype="str"),
        },
        index=pd.Index(list(by_site), name="site_id", dtype="str"),
    )


def _step(owner: object, authority: object, convention: object, weeks: float) -> str:
    """Return one step for the reader."""
    told = [
        shown(convention) if pd.notna(convention) else "convention à préciser",  # type: ignore[call-overload]
        f"autorité : {shown(authority) if pd.notna(authority) else 'inconnue'}",  # type: ignore[call-overload]
        f"propriétaire : {shown(owner) if pd.notna(owner) else 'inconnu'}",  # type: ignore[call-overload]
        "durée inconnue" if np.isnan(weeks) else counted_weeks(weeks),
    ]
    return f"{told[0]} ({', '.join(told[1:])})"


def counted_weeks(weeks: float) -> str:
    """Return a duration in weeks, in French.

    Examples
    --------
    >>> counted_weeks(1), counted_weeks(6.5)
    ('1 semaine', '6,5 semaines')
    """
    return f"{number(weeks)} semaine{'s' if weeks >= 2 else ''}"


def latest_starts(
    paths: pd.DataFrame,
    *,
    window_start: str,
    observation_months: pd.Series | int,
    window_months: int = 18,
) -> pd.DataFrame:
    """Return the last day on which each permit may be asked so that the whole measure fits in the window.

    The measure ends at the latest with the window; it starts whole months before, and the permits start whole days
    (7 a week) before that. Counting months back from the 31st gives the last day of a shorter month.

    Parameters
    ----------
    paths
        As returned by `permit_paths`.
    window_start
        First day of the programme, ``AAAA-MM-JJ``.
    observation_months
        Months of measure, whole: one number, or ``site_id`` → number (missing when unknown).
    window_months
        Length of the programme.

    Returns
    -------
    DataFrame
        Indexed as `paths`: ``window_end``, ``observe_by`` (last day to start measuring), ``ask_by`` (last day to ask
        for the permits, missing when weeks or months are unknown), ``fits`` (missing when unknown), ``weeks_short``
        (how many weeks the window lacks, 0 when it fits), ``sentence``.

    Raises
    ------
    InputError
        A date or a number of months that is not one.
    """
    start = _day(window_start)
    end = start + pd.DateOffset(months=_months(window_months, "Durée du programme"))
    rows = []
    for name, weeks in paths["weeks"].items():
        months = observation_months.get(name) if isinstance(observation_months, pd.Series) else observation_months
        rows.append(_latest(start, end, months=months, weeks=float(weeks), name=str(name)))
    columns = ["window_end", "observe_by", "ask_by", "fits", "weeks_short", "sentence"]
    frame = pd.DataFrame(rows, columns=columns, index=paths.index)
    kinds = dict.fromkeys(columns[:3], "datetime64[s]") | {"fits": "boolean", "weeks_short": "float64"}
    return frame.astype({**kinds, "sentence": "str"})


def _latest(
    start: pd.Timestamp, end: pd.Timestamp, *, months: object, weeks: float, name: str
) -> tuple[pd.Timestamp, object, object, object, float, str]:
    """Return the row of one place."""
    if pd.isna(months):  # type: ignore[call-overload]
        return end, pd.NaT, pd.NaT, pd.NA, np.nan, "Durée de mesure inconnue : à demander au porteur."
    observe = end - pd.DateOffset(months=_months(months, f"Durée de mesure, {shown(name)}"))
    if observe < start:
        short = (start - observe).days / 7
        words = f"La mesure seule dépasse le programme de {counted_weeks(short)}."
        return end, observe, pd.NaT, False, short + (0.0 if np.isnan(weeks) else weeks), words
    if np.isnan(weeks):
        words = f"Mesure à commencer le {_date(observe)} au plus tard ; durée des autorisations inconnue."
        return end, observe, pd.NaT, pd.NA, np.nan, words
    ask = observe - pd.Timedelta(days=int(np.ceil(weeks * 7)))
    if ask < start:
        short = (start - ask).days / 7
        words = f"Il manque {counted_weeks(short)} : demande le {_date(ask)}, avant le début du programme."
        return end, observe, ask, False, short, words
    words = f"Demande le {_date(ask)} au plus tard, mesure le {_date(observe)} au plus tard."
    return end, observe, ask, True, 0.0, words


def _day(text: str) -> pd.Timestamp:
    """Return a day, or raise `InputError`."""
    try:
        day = pd.to_datetime(text, format="%Y-%m-%d")
    except (ValueError, TypeError) as error:
        raise InputError(f"Date : « {shown(text)} ». Attendu : AAAA-MM-JJ, par exemple 2023-04-01.") from error
    if pd.isna(day):
        raise InputError("Date manquante. Attendu : AAAA-MM-JJ, par exemple 2023-04-01.")
    return day


def _months(value: object, what: str) -> int:
    """Return a whole number of months, or raise `InputError`."""
    whole = pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0]
    if isinstance(value, bool) or pd.isna(whole) or whole < 0 or whole != int(whole) or whole > 1200:
        raise InputError(f"{what} : « {shown(value)} ». Attendu : un nombre entier de mois, positif ou nul.")
    return int(whole)


def _date(day: pd.Timestamp) -> str:
    """Return a day the French way."""
    return day.strftime("%d/%m/%Y")
