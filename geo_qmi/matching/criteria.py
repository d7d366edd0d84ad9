"""What is each pair of a project and a district worth on every criterion, and in all, when some cells are empty?

Every criterion gives an interval in [0, 1]: two equal ends when all is known, wider when a cell is missing. Raw values
are put on the scale of the rule file (its anchors), never on that of the candidates: adding, removing or repeating an
application cannot move another one. A criterion counts when the call asks the question (its columns are there) and the
study can answer; weights are brought to a sum of 1 over those that count, for all pairs alike.

Total = Σ weight × value, at both ends. Frames in, arrays out; nothing here assigns, and no empty cell is filled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError
from geo_qmi.matching import competence, complementarity, feasibility, window
from geo_qmi.matching.inputs import require_columns, require_ids
from geo_qmi.matching.rules import CRITERIA, Rules
from geo_qmi.matching.scoring import score, strengths
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo_qmi.matching.rule_model import Criterion


class Judged(NamedTuple):
    """One criterion on its scale: least and greatest value of each pair (projects × districts)."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Appraisal:
    """Every pair on every criterion.

    Attributes
    ----------
    projects, districts
        The two axes, sorted.
    criteria
        Criterion → `Judged`, for those that could be computed, in the order of the vocabulary.
    weights
        Criterion → weight as applied (sum 1); 0 for a criterion that is shown and does not count.
    low, high
        Total of each pair, projects × districts: least and greatest.
    rules
        The rules as applied.
    applications, needs, offers, places, starts, present
        The inputs, kept for explanations; `applications` and `places` sorted by identifier.
    """

    projects: pd.Index[str]
    districts: pd.Index[str]
    criteria: dict[str, Judged]
    weights: dict[str, float]
    low: pd.DataFrame
    high: pd.DataFrame
    rules: Rules
    applications: pd.DataFrame
    needs: pd.DataFrame
    offers: pd.DataFrame
    places: pd.DataFrame | None = None
    starts: Mapping[str, str | None] = field(default_factory=dict)
    present: pd.DataFrame | None = None

    def scores(self) -> pd.DataFrame:
        """Return one number a pair, for a plan: the point of the interval the rules say (``missing.take``).

        Returns
        -------
        DataFrame
            Projects × districts in [0, 1]; NaN where nothing that counts is known, and where a gate bars the pair.
        """
        take = self.rules.missing.take
        point = self.low if take == 0 else self.low + take * (self.high - self.low)
        unknown = np.logical_and.reduce(
            [
                (self.criteria[name].low == 0) & (self.criteria[name].high == 1)
                for name, weight in self.weights.items()
                if weight > 0
            ]
        )
        return point.mask(unknown | self.barred().to_numpy())

    def barred(self) -> pd.DataFrame:
        """Return which pairs a gate of the rules bars: those whose greatest value on that criterion is 0."""
        out = np.zeros(self.low.shape, dtype=bool)
        for name, judged in self.criteria.items():
            if self.rules.criterion(name).gate:
                out |= judged.high == 0
        return pd.DataFrame(out, index=self.projects, columns=self.districts)


def appraise(
    applications: pd.DataFrame,
    *,
    needs: pd.DataFrame,
    offers: pd.DataFrame,
    districts: Sequence[str],
    rules: Rules | None = None,
    places: pd.DataFrame | None = None,
    starts: Mapping[str, str | None] | None = None,
    present: pd.DataFrame | None = None,
) -> Appraisal:
    """Return every application in every district, on every criterion that can be computed.

    Parameters
    ----------
    applications
        ``project_id`` and, where the call asks them, texts, site needs, ``testers``, ``months``, ``season`` (see table
        ``applications``). An absent column leaves its criteria out for everyone; an empty cell widens an interval.
    needs, offers
        As returned by `geo_qmi.matching.needs` and `offers`; rows of layer ``field`` give the criterion ``field``.
    districts
        Identifiers of the columns.
    rules
        The rules; the defaults of an empty file when absent.
    places
        Table ``candidate_places``.
    starts
        District → date its programme starts (``AAAA-MM…``).
    present
        ``district_id``, ``project_id``, ``theme``, ``strength``: offers of projects already in the districts.

    Raises
    ------
    InputError
        Missing or repeated identifiers, unreadable cells, or no criterion of positive weight that can be computed.
    """
    rules = rules or Rules()
    require_columns(applications, ["project_id"], what="Candidatures")
    require_ids(applications["project_id"], what="Candidatures")
    require_ids(pd.Index(list(districts), dtype="str"), what="Quartiers")
    if not len(districts):
        raise InputError("Aucun quartier à servir. Donnez au moins un identifiant de quartier.")
    asked = applications.assign(project_id=applications["project_id"].astype("str"))
    asked = asked.sort_values("project_id", kind="stable").reset_index(drop=True)
    projects = pd.Index(asked["project_id"], name="project_id", dtype="str")
    columns = pd.Index(sorted(map(str, districts)), name="district_id", dtype="str")
    inputs = _Inputs(
        asked,
        needs[needs["district_id"].isin(columns)],
        offers[offers["project_id"].isin(projects)],
        None if places is None else feasibility.checked_places(places[places["district_id"].isin(columns)]),
        {str(key): value for key, value in (starts or {}).items()},
        None if present is None else present[present["district_id"].isin(columns)],
    )
    criteria = _criteria(inputs, rules, projects, columns)
    weights = applied_weights(criteria, rules)
    low, high = totals(criteria, weights)
    return Appraisal(
        projects,
        columns,
        criteria,
        weights,
        pd.DataFrame(low, index=projects, columns=columns, copy=False),
        pd.DataFrame(high, index=projects, columns=columns, copy=False),
        rules,
        *inputs,
    )


class _Inputs(NamedTuple):
    """Tables of one call, sorted and restricted to its projects and districts."""

    applications: pd.DataFrame
    needs: pd.DataFrame
    offers: pd.DataFrame
    places: pd.DataFrame | None
    starts: dict[str, str | None]
    present: pd.DataFrame | None


def applied_weights(criteria: Mapping[str, Judged], rules: Rules) -> dict[str, float]:
    """Return the weight of each computed criterion, brought to a sum of 1, or raise `InputError`."""
    raw = {name: rules.criterion(name).weight for name in criteria}
    total = sum(raw.values())
    if total <= 0:
        wanted = ", ".join(rules.label(name) for name in rules.criteria if rules.criterion(name).weight > 0)
        raise InputError(
            f"Aucun critère de poids positif ne peut être calculé (demandés : {wanted}). "
            "Donnez un poids à « needs » ou fournissez les données de ces critères."
        )
    return {name: weight / total for name, weight in raw.items()}


def totals(
    criteria: Mapping[str, Judged], weights: Mapping[str, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Σ weight × value at both ends, criteria added in the order of the vocabulary.

    Each pair is computed on its own, in one fixed order: no other row can change its last digit. Where every criterion
    that counts is known, both ends are one array, computed once.
    """
    kept = [(weights[name], criteria[name]) for name in CRITERIA if weights.get(name, 0) > 0]
    low = _weighted([(weight, judged.low) for weight, judged in kept])
    if all(judged.low is judged.high for _, judged in kept):
        return low, low
    return low, _weighted([(weight, judged.high) for weight, judged in kept])


def _weighted(parts: list[tuple[float, NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Return the weighted sum, block by block so that intermediate products stay in the cache."""
    shape = np.broadcast_shapes(*(values.shape for _, values in parts))
    total = np.empty(shape)
    step = max(1, _BLOCK // max(1, shape[1]))
    for start in range(0, shape[0], step):
        block = total[start : start + step]
        for number, (weight, values) in enumerate(parts):
            if number == 0:
                np.multiply(values[start : start + step], weight, out=block)
            else:
                block += values[start : start + step] * weight
    return total


#: Cells handled at once: 32 768 doubles, a quarter of a megabyte, fit the cache of any machine of the last ten years.
_BLOCK = 1 << 15


def _criteria(inputs: _Inputs, rules: Rules, projects: pd.Index[str], districts: pd.Index[str]) -> dict[str, Judged]:
    """Return every criterion that the tables allow."""
    found: dict[str, Judged] = {"needs": _needs(inputs, rules, projects, districts)}
    if (inputs.needs["layer"] == "field").any():
        found["field"] = _agreement(inputs, {"field": 1.0}, rules.criterion("field"), (projects, districts))
    if asks_place(inputs.applications) and inputs.places is not None and len(inputs.places):
        found |= _places(inputs, rules, districts)
    if inputs.present is not None and len(inputs.present):
        shares = _shares(inputs.offers, projects)
        table = complementarity.covered(inputs.present, districts=districts)
        raw = complementarity.novelty(shares, table)
        found["complementarity"] = scaled(raw, raw, criterion=rules.criterion("complementarity"))
    if {"months", "season"} <= set(inputs.applications):
        fits = window.fit(inputs.applications, inputs.starts, window=rules.window, districts=districts)
        found["window"] = scaled(fits.least, fits.most, criterion=rules.criterion("window"))
    if rules.competence.rules:
        said = competence.answers(inputs.applications, competence=rules.competence, offers=inputs.offers)
        values = np.array([said[project].value for project in projects]).reshape(-1, 1)
        wide = np.broadcast_to(values, (len(projects), len(districts)))
        found["competence"] = scaled(wide, wide, criterion=rules.criterion("competence"))
    return {name: found[name] for name in CRITERIA if name in found}


def asks_place(applications: pd.DataFrame) -> bool:
    """Say whether the call asks where a project can stand: surface and support are the least it must ask."""
    return {"need_area_m2", "need_support"} <= set(applications)


def _needs(inputs: _Inputs, rules: Rules, projects: pd.Index[str], districts: pd.Index[str]) -> Judged:
    """Return the agreement of themes with the layers of the rules."""
    return _agreement(inputs, rules.layers, rules.criterion("needs"), (projects, districts))


def _agreement(
    inputs: _Inputs, layers: Mapping[str, float], criterion: Criterion, axes: tuple[pd.Index[str], pd.Index[str]]
) -> Judged:
    """Return the agreement of themes with some layers of need, on the scale of `criterion`."""
    raw = score(inputs.needs, inputs.offers, layer_weights=layers, project_ids=axes[0], district_ids=axes[1]).to_numpy()
    return scaled(raw, raw, criterion=criterion)


def _places(inputs: _Inputs, rules: Rules, districts: pd.Index[str]) -> dict[str, Judged]:
    """Return the two criteria that look at candidate places."""
    assert inputs.places is not None  # noqa: S101 — checked by the caller
    verdict = feasibility.verdicts(inputs.applications, inputs.places, silent=rules.missing.silent)
    suits = feasibility.suited(verdict, inputs.places, districts=districts)
    found = {"feasibility": scaled(suits.sure, suits.possible, criterion=rules.criterion("feasibility"))}
    reach = feasibility.people(verdict, inputs.places, districts=districts)
    found["people"] = scaled(reach.sure, reach.possible, criterion=rules.criterion("people"))
    return found


def _shares(offers: pd.DataFrame, projects: pd.Index[str]) -> NDArray[np.float64]:
    """Return projects × themes."""
    cells = strengths(offers)
    table = pd.DataFrame(cells.shares, index=cells.ids, columns=list(THEMES))
    return table.reindex(projects, fill_value=0.0).to_numpy()


def scaled(least: NDArray[np.float64], most: NDArray[np.float64], *, criterion: Criterion) -> Judged:
    """Return raw values on the scale of a criterion: its first anchor is worth 0, its second 1, outside is clipped.

    Parameters
    ----------
    least, most
        Smallest and greatest raw value; NaN is unknown and becomes the whole scale.
    criterion
        Its `anchors`; the first may be the greater, when less is better.
    """
    zero, one = criterion.anchors
    identity = (zero, one) == (0.0, 1.0)

    def place(raw: NDArray[np.float64]) -> NDArray[np.float64]:
        values = raw if identity else (raw - zero) / (one - zero)
        inside = identity and bool(((values >= 0) & (values <= 1)).all())
        return values if inside else np.clip(values, 0.0, 1.0)

    first = place(least)
    second = first if most is least else place(most)
    if one < zero:
        first, second = second, first
    if not np.isnan(first).any() and not np.isnan(second).any():
        return Judged(first, second)
    return Judged(np.nan_to_num(first, nan=0.0), np.nan_to_num(second, nan=1.0))
