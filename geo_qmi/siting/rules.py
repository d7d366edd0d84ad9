"""Which candidate places pass the rules, which rule stops each of the others, and by how little?

A rule is a row: a column of the places, an operator, a threshold, a unit and the sentence a person reads. Each dropped
place is told its first failing rule and the distance to pass (« il manque 12 m² »); a value nobody measured neither
passes nor fails: the place waits, with the question to ask. Nothing here ranks the places that are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError, shown
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.wording import number

if TYPE_CHECKING:
    from collections.abc import Callable

#: Operators on numbers: the test, and the sign under which value − threshold is a surplus.
_NUMBERS: dict[str, tuple[Callable[[float, float], bool], int]] = {
    ">=": (lambda value, threshold: value >= threshold, 1),
    ">": (lambda value, threshold: value > threshold, 1),
    "<=": (lambda value, threshold: value <= threshold, -1),
    "<": (lambda value, threshold: value < threshold, -1),
}
#: Operators on words, numbers written as such or yes/no; ``in`` takes its choices separated by ``|``.
_WORDS = ("=", "!=", "in")
_COLUMNS = ("column", "operator", "threshold", "unit", "sentence")
#: What a yes or no may be written as, in a rule or in a place.
_YES_NO = {"true": "oui", "vrai": "oui", "oui": "oui", "false": "non", "faux": "non", "non": "non"}


class Sieve(NamedTuple):
    """The verdict of the rules; kept + dropped + unknown = the places given.

    Attributes
    ----------
    kept
        The places that pass every rule, all their columns, sorted by identifier.
    dropped
        Indexed by identifier: ``rule`` (position of the first failing rule, from 1), ``n_failing``, ``shortfall`` in
        ``unit`` (missing where the rule is about words), ``sentence``.
    unknown
        Indexed by identifier: places that fail nothing but lack a value: ``n_missing``, ``sentence`` (what to ask).
    near
        Rows of `dropped` that fail one rule only, by at most the share of the threshold asked for.
    checks
        Identifier, ``rule``, ``outcome`` (``passed``, ``failed``, ``unknown``), ``shortfall``: every place × rule.
    """

    kept: pd.DataFrame
    dropped: pd.DataFrame
    unknown: pd.DataFrame
    near: pd.DataFrame
    checks: pd.DataFrame


class _Rule(NamedTuple):
    """One checked row of the rules."""

    column: str
    operator: str
    threshold: float
    words: tuple[str, ...]
    unit: str
    sentence: str


def sieve(places: pd.DataFrame, rules: pd.DataFrame, *, id_column: str = "site_id", near: float = 0.1) -> Sieve:
    """Sort candidate places by the rules, in their order.

    Parameters
    ----------
    places
        One row a candidate: `id_column` and the columns named by the rules; never changed.
    rules
        ``column``, ``operator`` (``>=``, ``>``, ``<=``, ``<``, ``=``, ``!=``, ``in``), ``threshold`` (a number, a
        word, oui/non, or words separated by ``|``), ``unit``, ``sentence`` (French, what the rule asks). The order of
        the rows is the order of the rules.
    id_column
        Identifier of a place.
    near
        Share of the threshold under which a single failure is a near miss.

    Raises
    ------
    InputError
        A column that does not exist, an unknown operator, a threshold or a value that is no number where one is
        needed, identifiers missing or repeated.

    Examples
    --------
    >>> places = pd.DataFrame({"site_id": ["a", "b"], "area_m2": [120.0, 88.0]})
    >>> rules = pd.DataFrame([("area_m2", ">=", 100, "m²", "Au moins 100 m² au sol")],
    ...                      columns=["column", "operator", "threshold", "unit", "sentence"])
    >>> sieve(places, rules).dropped["sentence"].tolist()
    ['Au moins 100 m² au sol : il manque 12 m².']
    """
    read = _rules(rules, places)
    ids = _ids(places, id_column)
    if not near >= 0:
        raise InputError(
            f"Part d’écart : « {shown(near)} ». Attendu : un nombre positif ou nul, 0,1 pour dix pour cent."
        )
    ordered = places.iloc[np.argsort(ids.to_numpy(dtype=object), kind="stable")]
    names = ids.loc[ordered.index].tolist() if ids.index.is_unique else sorted(ids.tolist())
    rows: list[tuple[str, int, str, float]] = []
    told: dict[tuple[str, int], str] = {}
    for rank, rule in enumerate(read, start=1):
        for name, value in zip(names, ordered[rule.column].tolist(), strict=True):
            outcome, shortfall, sentence = _judge(rule, value, name)
            rows.append((name, rank, outcome, shortfall))
            told[name, rank] = sentence
    checks = pd.DataFrame(rows, columns=["site_id", "rule", "outcome", "shortfall"]).astype(
        {"site_id": "str", "outcome": "str", "rule": "int64", "shortfall": "float64"}
    )
    checks = checks.sort_values(["site_id", "rule"], kind="stable", ignore_index=True)
    failed, unknown = (checks[checks["outcome"] == word] for word in ("failed", "unknown"))
    dropped = _dropped(failed, read, told)
    waiting = unknown[~unknown["site_id"].isin(failed["site_id"])]
    asked = waiting.groupby("site_id", sort=True)["rule"]
    unsure = pd.DataFrame(
        {
            "n_missing": asked.size().astype("int64"),
            "sentence": asked.agg(lambda ranks: f"À renseigner : {' ; '.join(read[r - 1].sentence for r in ranks)}."),
        }
    ).astype({"sentence": "str"})
    out = set(failed["site_id"]) | set(waiting["site_id"])
    limit = np.array([near * abs(read[rank - 1].threshold) for rank in dropped["rule"]], dtype=float)
    misses = dropped[(dropped["n_failing"] == 1) & (dropped["shortfall"].to_numpy() <= limit)]
    kept = ordered[np.array([name not in out for name in names], dtype=bool)]
    dropped, unsure, misses = (frame.rename_axis(id_column) for frame in (dropped, unsure, misses))
    return Sieve(kept, dropped, unsure, misses, checks.rename(columns={"site_id": id_column}))


def _dropped(failed: pd.DataFrame, rules: list[_Rule], told: dict[tuple[str, int], str]) -> pd.DataFrame:
    """Return one row a dropped place, from its first failing rule."""
    first = failed.drop_duplicates("site_id")
    counts = failed.groupby("site_id")["rule"].size()
    return pd.DataFrame(
        {
            "rule": first["rule"].to_numpy(),
            "n_failing": counts.reindex(first["site_id"]).to_numpy(dtype="int64"),
            "shortfall": first["shortfall"].to_numpy(),
            "unit": pd.array([rules[rank - 1].unit for rank in first["rule"]], dtype="str"),
            "sentence": pd.array(
                [told[name, rank] for name, rank in zip(first["site_id"], first["rule"], strict=True)], dtype="str"
            ),
        },
        index=pd.Index(first["site_id"].to_numpy(), name="site_id", dtype="str"),
    )


def _judge(rule: _Rule, value: object, name: str) -> tuple[str, float, str]:
    """Return the outcome of one rule for one place, the distance to pass and the sentence."""
    if pd.isna(value):  # type: ignore[call-overload]
        return "unknown", np.nan, ""
    if rule.operator not in _NUMBERS:
        found = _word(value)
        passed = (found in rule.words) != (rule.operator == "!=")
        if passed:
            return "passed", 0.0, ""
        wanted = "autre chose" if rule.operator == "!=" else " ou ".join(f"« {word} »" for word in rule.words)
        return "failed", np.nan, f"{rule.sentence} : « {found} » au lieu de {wanted}."
    test, sign = _NUMBERS[rule.operator]
    amount = _amount(value, what=f"Lieu {shown(name)}, colonne « {rule.column} »")
    if test(amount, rule.threshold):
        return "passed", 0.0, ""
    shortfall = sign * (rule.threshold - amount)
    size = " ".join(part for part in (number(shortfall), rule.unit) if part)
    if shortfall == 0:
        limit = " ".join(part for part in (number(rule.threshold), rule.unit) if part)
        words = f"il faut {'plus' if sign > 0 else 'moins'} de {limit}"
    else:
        words = f"il manque {size}" if sign > 0 else f"{size} de trop"
    return "failed", shortfall, f"{rule.sentence} : {words}."


def _amount(value: object, *, what: str) -> float:
    """Return a number, decimal comma allowed, or raise `InputError`."""
    try:
        amount = float(str(value).strip().replace(",", "."))
    except ValueError:
        amount = np.nan
    if isinstance(value, bool) or not np.isfinite(amount):
        raise InputError(f"{what} : « {shown(value)} ». Attendu : un nombre.")
    return amount


def _word(value: object) -> str:
    """Return a value as the word it is compared by: yes/no in French, whole numbers without decimals."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return _YES_NO.get(text.casefold(), text)


def _rules(rules: pd.DataFrame, places: pd.DataFrame) -> list[_Rule]:
    """Return the rules, or raise `InputError` for the first that cannot be applied."""
    require_columns(rules, _COLUMNS, what="Règles")
    read = []
    columns = (rules[name].tolist() for name in _COLUMNS)
    for rank, (column, operator, threshold, unit, sentence) in enumerate(zip(*columns, strict=True), start=1):
        where = f"Règle {rank}"
        if column not in places:
            raise InputError(
                f"{where} : colonne « {shown(column)} » absente des lieux. "
                f"Colonnes présentes : {', '.join(map(str, places.columns))}."
            )
        if operator not in _NUMBERS and operator not in _WORDS:
            raise InputError(f"{where} : opérateur « {shown(operator)} ». Attendu : {', '.join([*_NUMBERS, *_WORDS])}.")
        if pd.isna(threshold) or pd.isna(sentence) or not str(sentence).strip():
            raise InputError(f"{where} : seuil ou phrase manquant. Renseignez la ligne.")
        limit = _amount(threshold, what=f"{where}, seuil") if operator in _NUMBERS else np.nan
        choices = str(threshold).split("|") if operator == "in" else [threshold]
        words = () if operator in _NUMBERS else tuple(_word(choice) for choice in choices)
        text = str(sentence).strip().rstrip(".")
        read.append(_Rule(column, operator, limit, words, "" if pd.isna(unit) else str(unit), text))
    if not read:
        raise InputError("Règles : aucune. Donnez au moins une règle.")
    return read


def _ids(places: pd.DataFrame, id_column: str) -> pd.Series:
    """Return the identifiers as text, or raise `InputError`."""
    require_columns(places, [id_column], what="Lieux")
    require_ids(places[id_column].astype("str"), what="Lieux")
    return places[id_column].astype("str")
