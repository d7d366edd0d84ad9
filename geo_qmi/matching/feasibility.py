"""Is there a place in this district where the project can be set up, and what do the others lack?

Each need a dossier states is one rule, held against each candidate place: it is met, not met, or unknown because a cell
is empty. A place suits when every rule is met; it is excluded by the first rule that is not, with the distance to pass
(« il manque 12 m² »). The value of a pair counts the places that suit, between those that surely do and those that may.

It compares cells: it knows no agreement, no cost and no calendar, and it never fills an empty cell.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo_qmi import wording
from geo_qmi.errors import InputError, shown
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.matching.rule_model import SILENT
from geo_qmi.schema.calls import GROUNDS, PLACE_GROUNDS, SUPPORTS

if TYPE_CHECKING:
    from collections.abc import Collection

#: A rule is met, unknown or not met; the verdict on a place is its smallest.
MET, UNKNOWN, FAILED = 1, 0, -1

#: Columns of a dossier that state a site need, and what they are called in a question.
NEED_WORDS = {
    "need_area_m2": "la surface",
    "need_support": "le support",
    "need_ground": "la nature du sol",
    "need_sun_h": "l’ensoleillement",
    "need_water": "le besoin d’eau",
    "need_power": "le besoin d’électricité",
    "public_domain": "l’occupation du domaine public",
    "need_vehicle": "l’accès d’un véhicule",
    "testers": "le nombre de testeurs",
}
PLACE_COLUMNS = (
    "place_id",
    "district_id",
    "name",
    "area_m2",
    "ground",
    "sun_h",
    "water",
    "power",
    "support_ground",
    "support_wall",
    "support_roof",
    "public_domain",
    "vehicle",
    "people_in_reach",
    "authority",
)


class _Rule(NamedTuple):
    """One rule: its name, the column of the dossier, the test and the words for a place that fails."""

    name: str
    need: str
    judge: _Test
    lack: Callable[[pd.Series, Mapping[Hashable, Any]], str]


@dataclass(frozen=True, slots=True)
class CellTable:
    """Columns as floats, NaN where missing: numbers, flags (1 or 0), codes (their position in the vocabulary)."""

    columns: dict[str, NDArray[np.float64]]
    silent: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.columns[name]

    def known(self, name: str, code: str) -> NDArray[np.bool_]:
        """Say which rows hold `code`; none when the column is absent."""
        if name not in self.columns:
            return np.zeros(len(next(iter(self.columns.values()))), dtype=bool)
        return np.asarray(self.columns[name] == list(_CODES[name]).index(code))


def verdicts(
    applications: pd.DataFrame,
    places: pd.DataFrame,
    *,
    id_column: str = "project_id",
    silent: Collection[str] = SILENT,
    offered: CellTable | None = None,
) -> pd.DataFrame:
    """Return whether each place suits each project.

    Parameters
    ----------
    applications
        `id_column` and the columns of `NEED_WORDS`, as in table ``applications``; an absent column asks nothing.
    places
        Table ``candidate_places``.
    silent
        Needs whose empty cell means that nothing is asked; an empty cell of the others is unknown.
    offered
        The cells of `places`, as returned by `place_cells`, when they serve several calls.

    Returns
    -------
    DataFrame
        Projects × places (``int8``): 1 suits, 0 unknown, −1 does not; rows in the order of `applications`.
    """
    asked = _asked(applications, id_column, silent)
    offered = place_cells(places) if offered is None else offered
    verdict = np.full((len(applications), len(places)), MET, dtype=np.int8)
    for rule in _RULES:
        if rule.need in asked.columns:
            np.minimum(verdict, rule.judge(asked, offered), out=verdict)
    return pd.DataFrame(verdict, index=pd.Index(applications[id_column], name=id_column), columns=places["place_id"])


def place_report(
    application: pd.Series,
    places: pd.DataFrame,
    *,
    silent: Collection[str] = SILENT,
    offered: CellTable | None = None,
) -> pd.DataFrame:
    """Return, for one project, each place with its verdict and the first rule it does not meet.

    Parameters
    ----------
    application
        One row of table ``applications``.
    places
        Table ``candidate_places``, of one district or several.
    silent
        See `verdicts`.
    offered
        As returned by `place_cells`, when several projects look at the same places.

    Returns
    -------
    DataFrame
        ``district_id``, ``place_id``, ``name``, ``verdict`` (1, 0, −1), ``n_failed``, ``rule``, ``words`` (French: what
        it lacks, or what is unknown), ``people_in_reach``, ``authority``; best place first in each district: those
        that suit, then those that may, then those that fail the fewest rules; more people, then identifier.
    """
    one = application.to_frame().T.assign(project_id="one")
    asked, offered = _asked(one, "project_id", silent), offered or place_cells(places)
    rules = [rule for rule in _RULES if rule.need in asked.columns]
    found = np.array([rule.judge(asked, offered)[0] for rule in rules], dtype=np.int8).reshape(len(rules), len(places))
    rows = []
    for number, place in enumerate(places.to_dict("records")):
        states = found[:, number]
        verdict = int(states.min(initial=MET))
        first = rules[int(np.argmin(states))] if verdict < MET else None
        words = "convient" if first is None else _said(first, verdict, application, place)
        rows.append(
            (
                place["district_id"],
                place["place_id"],
                place["name"],
                verdict,
                int((states == FAILED).sum()),
                "" if first is None else first.name,
                words,
                place["people_in_reach"],
                place["authority"],
            )
        )
    names = ["district_id", "place_id", "name", "verdict", "n_failed", "rule", "words", "people_in_reach", "authority"]
    # The best first: verdict, fewest rules failed, most people (uncounted last), identifier.
    rows.sort(key=lambda row: (row[0], -row[3], row[4], 1.0 if pd.isna(row[7]) else -float(row[7]), row[1]))
    return pd.DataFrame(rows, columns=names)


def _said(rule: _Rule, verdict: int, application: pd.Series, place: Mapping[Hashable, Any]) -> str:
    """Return what the first rule that is not met says."""
    if verdict == FAILED:
        return rule.lack(application, place)
    if pd.isna(application.get(rule.need)):
        return f"inconnu : le dossier ne dit pas {NEED_WORDS[rule.need]}"
    return f"inconnu : à relever sur place ({rule.name})"


class Suited(NamedTuple):
    """How many places of each district suit each project: surely, and at most (projects × districts)."""

    sure: NDArray[np.float64]
    possible: NDArray[np.float64]


def suited(verdict: pd.DataFrame, places: pd.DataFrame, *, districts: pd.Index[str]) -> Suited:
    """Return how many places suit, by district; NaN and NaN where a district has no candidate place."""
    groups = [np.flatnonzero((places["district_id"] == district).to_numpy()) for district in districts]
    values = verdict.to_numpy()
    empty = np.full(len(values), np.nan)
    sure = [(values[:, group] == MET).sum(axis=1) if len(group) else empty for group in groups]
    possible = [(values[:, group] >= UNKNOWN).sum(axis=1) if len(group) else empty for group in groups]
    return Suited(np.column_stack(sure).astype(np.float64), np.column_stack(possible).astype(np.float64))


def people(verdict: pd.DataFrame, places: pd.DataFrame, *, districts: pd.Index[str]) -> Suited:
    """Return the people in reach of the best place: of those that surely suit, and at most (∞ when uncounted).

    0 where no place suits: nobody is reached from a place that cannot be used.
    """
    reach = pd.to_numeric(places["people_in_reach"]).to_numpy(dtype="float64", na_value=np.nan)
    values = verdict.to_numpy()
    least, most = np.nan_to_num(reach, nan=0.0), np.nan_to_num(reach, nan=np.inf)
    sure = np.where(values == MET, least, 0.0)
    possible = np.where(values >= UNKNOWN, most, 0.0)
    groups = [np.flatnonzero((places["district_id"] == district).to_numpy()) for district in districts]
    empty = np.full(len(values), np.nan)
    return Suited(
        np.column_stack([sure[:, group].max(axis=1) if len(group) else empty for group in groups]),
        np.column_stack([possible[:, group].max(axis=1) if len(group) else empty for group in groups]),
    )


def checked_places(places: pd.DataFrame) -> pd.DataFrame:
    """Return `places` sorted by identifier, or raise `InputError` for missing columns, repeated identifiers."""
    require_columns(places, PLACE_COLUMNS, what="Lieux d’accueil")
    require_ids(places["place_id"], what="Lieux d’accueil")
    return places.sort_values("place_id", kind="stable").reset_index(drop=True)


_NUMBERS = {"need_area_m2", "need_sun_h", "testers", "area_m2", "sun_h", "people_in_reach"}
#: The grounds of places come first in those of needs: one position means one ground.
_CODES = {"need_ground": GROUNDS, "need_support": SUPPORTS, "ground": PLACE_GROUNDS}


def _asked(applications: pd.DataFrame, id_column: str, silent: Collection[str]) -> CellTable:
    """Return the stated needs as arrays, or raise `InputError`."""
    require_columns(applications, [id_column], what="Candidatures")
    columns = {name: _array(applications, name, what="Candidatures") for name in NEED_WORDS if name in applications}
    return CellTable(columns, frozenset(silent))


def place_cells(places: pd.DataFrame) -> CellTable:
    """Return the cells of the places as arrays, or raise `InputError` for one that cannot be read."""
    names = [name for name in PLACE_COLUMNS if name not in {"place_id", "district_id", "name", "authority"}]
    return CellTable({name: _array(places, name, what="Lieux d’accueil") for name in names})


def _array(frame: pd.DataFrame, name: str, *, what: str) -> NDArray[np.float64]:
    """Return one column as floats, or raise `InputError`."""
    column = frame[name]
    if name in _CODES:
        found = pd.Index(list(_CODES[name])).get_indexer(pd.Index(column))
        wrong = (found < 0) & column.notna().to_numpy()
        if wrong.any():
            known = ", ".join(_CODES[name])
            value = shown(column.iloc[int(np.argmax(wrong))])
            raise InputError(f"{what} : code inconnu « {value} » dans « {name} ». Attendu : {known}.")
        return np.where(found < 0, np.nan, found)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in ("bfiu" if name in _NUMBERS else "b"):
        return column.to_numpy(dtype=np.float64)
    try:
        values = column.astype("Float64" if name in _NUMBERS else "boolean")
    except (TypeError, ValueError) as error:
        expected = "des nombres" if name in _NUMBERS else "oui, non ou rien"
        raise InputError(f"{what} : « {name} » ne se lit pas. Attendu : {expected}.") from error
    return np.asarray(values.to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)


_Test = Callable[[CellTable, CellTable], NDArray[np.int8]]


def _at_least(need: str, cell: str) -> _Test:
    """Return the test « the place offers at least what is asked »."""

    def judge(asked: CellTable, offered: CellTable) -> NDArray[np.int8]:
        wanted, there = asked[need][:, None], offered[cell][None, :]
        return _states(wanted + there, met=there >= wanted, free=_nothing(asked, need))

    return judge


def _states(pair: NDArray[np.float64], *, met: NDArray[np.bool_], free: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return projects × places: met where `met` or the project is `free`, unknown where `pair` is NaN, else failed."""
    state = np.where(met, MET, FAILED).astype(np.int8)
    state[np.isnan(pair)] = UNKNOWN
    state[free, :] = MET
    return state


def _nothing(asked: CellTable, need: str) -> NDArray[np.bool_]:
    """Say which projects ask nothing here: 0, a silent empty cell, or a solution that does not stand on the ground."""
    empty = np.isnan(asked[need])
    nothing = (empty & (need in asked.silent)) | (asked[need] <= 0 if need in _NUMBERS else False)
    if need in {"need_area_m2", "need_sun_h"}:
        nothing = nothing | asked.known("need_support", "none")
    if need == "need_ground" and "need_support" in asked.columns:
        elsewhere = ~asked.known("need_support", "ground") & ~np.isnan(asked["need_support"])
        nothing = nothing | elsewhere
    return np.asarray(nothing, dtype=bool)


def _if_asked(need: str, cell: str) -> _Test:
    """Return the test « the place has it, if it is asked »."""
    return lambda asked, offered: _flagged(asked[need][:, None], offered[cell][None, :])


def _flagged(wanted: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return met where it is there or not asked, failed where it is asked and surely not there."""
    failed = ((wanted == 1) & (there == 0)).astype(np.int8)
    met = ((wanted == 0) | (there == 1)).astype(np.int8)
    return np.asarray(met * MET + failed * FAILED, dtype=np.int8)


def _ground(asked: CellTable, offered: CellTable) -> NDArray[np.int8]:
    """Test the nature of the ground."""
    wanted, there = asked["need_ground"][:, None], offered["ground"][None, :]
    free = _nothing(asked, "need_ground") | asked.known("need_ground", "any")
    return _states(wanted + there, met=wanted == there, free=free)


_SUPPORT_CELLS = {"ground": "support_ground", "wall": "support_wall", "roof": "support_roof", "vehicle": "vehicle"}


def _support(asked: CellTable, offered: CellTable) -> NDArray[np.int8]:
    """Test what the solution is set on."""
    state = np.full((len(asked["need_support"]), len(offered["vehicle"])), UNKNOWN, dtype=np.int8)
    state[asked.known("need_support", "none"), :] = MET
    for code, cell in _SUPPORT_CELLS.items():
        state[asked.known("need_support", code), :] = _flagged(np.ones(1), offered[cell])
    return state


def _gap(need: str, cell: str, unit: str) -> Callable[[pd.Series, Mapping[Hashable, Any]], str]:
    """Return the words for a number too small."""
    return lambda application, place: (
        f"il manque {wording.number(float(application[need]) - float(place[cell]), digits=1)} {unit}"
    )


_RULES = (
    _Rule("surface", "need_area_m2", _at_least("need_area_m2", "area_m2"), _gap("need_area_m2", "area_m2", "m²")),
    _Rule(
        "support",
        "need_support",
        _support,
        lambda application, _: f"pas de support : {SUPPORTS[application['need_support']]}",
    ),
    _Rule(
        "sol",
        "need_ground",
        _ground,
        lambda application, place: (
            f"{PLACE_GROUNDS[place['ground']]}, au lieu de {GROUNDS[application['need_ground']]}"
        ),
    ),
    _Rule(
        "soleil", "need_sun_h", _at_least("need_sun_h", "sun_h"), _gap("need_sun_h", "sun_h", "h de soleil par jour")
    ),
    _Rule("eau", "need_water", _if_asked("need_water", "water"), lambda *_: "pas d’arrivée d’eau"),
    _Rule("électricité", "need_power", _if_asked("need_power", "power"), lambda *_: "pas de raccordement électrique"),
    _Rule(
        "domaine public",
        "public_domain",
        _if_asked("public_domain", "public_domain"),
        lambda *_: "hors du domaine public",
    ),
    _Rule("véhicule", "need_vehicle", _if_asked("need_vehicle", "vehicle"), lambda *_: "pas d’accès pour un véhicule"),
    _Rule(
        "testeurs",
        "testers",
        _at_least("testers", "people_in_reach"),
        _gap("testers", "people_in_reach", "personnes à portée"),
    ),
)
