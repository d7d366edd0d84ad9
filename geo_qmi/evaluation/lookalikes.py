"""In which other districts could a tested solution be tried, and where would that be guessing?

Districts are ranked by the distance of their context to the place of the test: the mean, over the variables both have,
of differences divided by a robust scale. A district with a variable outside the range seen where tests took place is
not ranked but listed apart, with the variable and the gap: the tool does not extrapolate. It compares contexts; it does
not predict an effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, UnknownNameError, quoted
from geo_qmi.evaluation.rows import Row, frame
from geo_qmi.guards import require_ids
from geo_qmi.wording import counted, number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Lookalikes:
    """Districts beside the place of a test.

    Attributes
    ----------
    test
        District of the test.
    inside
        Nearest first: ``rank``, ``district_id``, ``distance`` (in robust scales), ``n_known``, ``n_variables``,
        ``known`` (« 5/7 »), ``differs`` (French name of the variable that weighs most), ``differs_share`` (0–1),
        ``tested`` (a test took place there), ``sentence`` (French).
    outside
        One row a district × variable outside the observed range: ``district_id``, ``variable``, ``label``, ``value``,
        ``low``, ``high``, ``gap``, ``sentence`` (French).
    unknown
        Districts none of whose variables is known: ``district_id``, ``sentence``.
    shares
        One row a ranked district × variable: ``district_id``, ``variable``, ``label``, ``value``, ``test_value``,
        ``share`` of the distance (0–1; missing where a value is unknown).
    notes
        French sentences: what is compared, over which range, what is left out.
    """

    test: str
    inside: pd.DataFrame
    outside: pd.DataFrame
    unknown: pd.DataFrame
    shares: pd.DataFrame
    notes: tuple[str, ...]


def lookalikes(
    profiles: pd.DataFrame, *, test: str, variables: Mapping[str, str], observed: Iterable[str]
) -> Lookalikes:
    """Return the districts that look like the place of a test, and those no test tells about.

    Parameters
    ----------
    profiles
        Indexed by ``district_id``, one numeric column a variable; missing is unknown, never 0.
    test
        District of the test.
    variables
        Column → French name with its unit, in the order they are told.
    observed
        Districts where a test took place, `test` included: their values make the observed range.

    Raises
    ------
    UnknownNameError, InputError
        A district or a column that `profiles` lacks; a column that holds no number.
    """
    wanted = dict.fromkeys([test, *observed])
    _check(profiles, districts=list(wanted), variables=list(variables))
    known = profiles[list(variables)].astype("float64").sort_index()
    ids = known.index.astype("str").tolist()
    values = known.to_numpy()
    here = values[ids.index(test)]
    tested = values[[ids.index(one) for one in wanted]]
    seen = np.stack([np.fmin.reduce(tested), np.fmax.reduce(tested)])
    beyond = (values < seen[0]) | (values > seen[1])
    scale = _scale(values)
    apart = np.full_like(values, np.nan)
    np.divide(np.abs(values - here), scale, out=apart, where=scale > 0)
    away: list[Row] = []
    inside: list[Row] = []
    shares: list[Row] = []
    unknown: list[Row] = []
    for place, district in enumerate(ids):
        if district == test:
            continue
        if np.isnan(apart[place]).all():
            told = f"{district} : aucune variable connue, rien à comparer."
            unknown.append({"district_id": district, "sentence": told})
        elif beyond[place].any():
            away += _beyond(district, values[place], seen=seen, out=beyond[place], variables=variables)
        else:
            inside.append(_inside(district, apart[place], variables=variables, tested=district in wanted))
            shares += _shares(district, values[place], here, apart[place], variables=variables)
    inside.sort(key=lambda row: (row["distance"], row["district_id"]))
    ranked = [{**row, "rank": rank} for rank, row in enumerate(inside, 1)]
    constant = [label for label, size in zip(variables.values(), scale, strict=True) if not size > 0]
    return Lookalikes(
        test,
        frame(ranked, _INSIDE),
        frame(away, _OUTSIDE),
        frame(unknown, {"district_id": "str", "sentence": "str"}),
        frame(shares, _SHARES),
        _notes(len(wanted), variables, constant),
    )


_OUTSIDE = {
    **dict.fromkeys(("district_id", "variable", "label"), "str"),
    **dict.fromkeys(("value", "low", "high", "gap"), "float64"),
    "sentence": "str",
}
_INSIDE = {
    "rank": "Int64",
    "district_id": "str",
    "distance": "float64",
    "n_known": "Int64",
    "n_variables": "Int64",
    "known": "str",
    "differs": "str",
    "differs_share": "float64",
    "tested": "bool",
    "sentence": "str",
}
_SHARES = {
    **dict.fromkeys(("district_id", "variable", "label"), "str"),
    **dict.fromkeys(("value", "test_value", "share"), "float64"),
}


def _check(profiles: pd.DataFrame, *, districts: list[str], variables: list[str]) -> None:
    """Raise for profiles that cannot be compared."""
    require_ids(profiles.index, what="Contextes des quartiers")
    absent = [one for one in districts if one not in profiles.index]
    if absent:
        raise UnknownNameError(
            f"Contexte inconnu pour {quoted(absent)}. Quartiers : {', '.join(map(str, profiles.index))}."
        )
    lacking = [column for column in variables if column not in profiles]
    if lacking or not variables:
        raise UnknownNameError(
            f"Contexte sans la variable {quoted(lacking)}." if lacking else "Aucune variable à comparer."
        )
    for column in variables:
        if not pd.api.types.is_numeric_dtype(profiles[column]) or pd.api.types.is_bool_dtype(profiles[column]):
            raise InputError(f"Contexte, variable « {column} » : attendu des nombres.")
        if np.isinf(profiles[column].astype("float64")).any():
            raise InputError(f"Contexte, variable « {column} » : une valeur est infinie. Attendu : un nombre, ou rien.")


def _scale(values: Numbers) -> Numbers:
    """Return the median absolute deviation of each variable, its range where that is zero; 0 when it never varies."""
    scale = np.zeros(values.shape[1])
    for place in np.flatnonzero(~np.isnan(values).all(axis=0)):
        known = values[~np.isnan(values[:, place]), place]
        spread = np.median(np.abs(known - np.median(known)))
        scale[place] = spread if spread > 0 else np.ptp(known)
    return scale


def _beyond(
    district: str,
    values: Numbers,
    *,
    seen: Numbers,
    out: NDArray[np.bool_],
    variables: Mapping[str, str],
) -> list[Row]:
    """Return the variables of a district that no test has met."""
    rows = []
    for (column, label), value, low, high, strange in zip(variables.items(), values, *seen, out, strict=True):
        if not strange:
            continue
        gap = value - high if value > high else value - low
        side = f"{number(gap)} de plus que le plus haut" if gap > 0 else f"{number(-gap)} de moins que le plus bas"
        told = f"{label} : {number(value)}, {side} des quartiers testés ({number(low)} à {number(high)})."
        row = {"district_id": district, "variable": column, "label": label, "value": value, "low": low, "high": high}
        rows.append({**row, "gap": gap, "sentence": told})
    return rows


def _parts(apart: Numbers) -> Numbers:
    """Return the share of each variable in a distance; missing where it is unknown, 0 where nothing differs."""
    total = float(np.nansum(apart))
    return np.divide(apart, total if total > 0 else 1.0)


def _inside(district: str, apart: Numbers, *, variables: Mapping[str, str], tested: bool) -> Row:
    """Return one district that may be ranked."""
    labels = list(variables.values())
    part = _parts(apart)
    weighs = [int(place) for place in np.argsort(-part, kind="stable") if part[place] > 0]
    told = " ; ".join(f"{labels[place]} ({percent(part[place])})" for place in weighs)
    n_known = int((~np.isnan(apart)).sum())
    why = f"ce qui diffère : {told}" if told else "rien n’y diffère"
    return {
        "district_id": district,
        "distance": float(np.nanmean(apart)),
        "n_known": n_known,
        "n_variables": len(labels),
        "known": f"{n_known}/{len(labels)}",
        "differs": labels[weighs[0]] if weighs else None,
        "differs_share": part[weighs[0]] if weighs else np.nan,
        "tested": tested,
        "sentence": f"{counted(n_known, 'variable connue')} sur {len(labels)}, {why}.",
    }


def _shares(
    district: str,
    values: Numbers,
    here: Numbers,
    apart: Numbers,
    *,
    variables: Mapping[str, str],
) -> list[Row]:
    """Return what makes the distance of a district, variable by variable."""
    cells = zip(variables.items(), values, here, _parts(apart), strict=True)
    return [
        {"district_id": district, "variable": column, "label": label, "value": value, "test_value": own, "share": share}
        for (column, label), value, own, share in cells
    ]


def _notes(n_observed: int, variables: Mapping[str, str], constant: list[str]) -> tuple[str, ...]:
    """Return what must be known of the comparison."""
    compared = " ; ".join(variables.values())
    distance = "moyenne des écarts, chacun divisé par l’écart absolu médian des quartiers, sur les variables connues"
    domain = f"{counted(n_observed, 'quartier')} où un essai a eu lieu"
    notes = [
        f"{counted(len(variables), 'variable comparée')} : {compared}.",
        f"Distance : {distance}.",
        f"Domaine observé : {domain}. Hors de ce domaine, un quartier n’est pas classé : rien n’y permet de conclure.",
        "Ressembler n’est pas réussir : le contexte est comparé, aucun effet n’est prédit.",
    ]
    if constant:
        notes.append(f"Sans variation entre quartiers, donc sans poids : {', '.join(constant)}.")
    return tuple(notes)
