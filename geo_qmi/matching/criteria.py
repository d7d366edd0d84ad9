"""What is each pair of a project and a district worth on every criterion, and in all, when some cells are empty?

Every criterion gives an interval in [0, 1]: two equal ends when all is known, wider when a cell is missing. Raw values
are put on the scale of the rule file (its anchors), never on that of the candidates: adding, removing or repeating an
application cannot move another one. A criterion counts when the call asks the question (its columns are there) and the
study can answer; weights are brought to a sum of 1 over those that count, for all pairs alike.

Total = Σ weight × value, at both ends. Frames in, arrays out; nothing here assigns, and no empty cell is filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.matching import competence, complementarity, feasibility, window
from geo_qmi.matching.rules import CRITERIA, Rules
from geo_qmi.matching.scoring import agreement, importance, strengths

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
    applications, offers
        The inputs, kept for explanations; `applications` sorted by identifier.
    yardstick
        What the applications were held against, ready for others.
    """

    projects: pd.Index[str]
    districts: pd.Index[str]
    criteria: dict[str, Judged]
    weights: dict[str, float]
    low: pd.DataFrame
    high: pd.DataFrame
    applications: pd.DataFrame
    offers: pd.DataFrame
    yardstick: Yardstick

    @property
    def rules(self) -> Rules:
        """Return the rules as applied."""
        return self.yardstick.rules

    @property
    def needs(self) -> pd.DataFrame:
        """Return the needs of the districts."""
        return self.yardstick.needs

    @property
    def places(self) -> pd.DataFrame | None:
        """Return the candidate places, sorted by identifier."""
        return self.yardstick.places

    @property
    def starts(self) -> Mapping[str, str | None]:
        """Return district → date its programme starts."""
        return self.yardstick.starts

    @property
    def present(self) -> pd.DataFrame | None:
        """Return the offers of projects already in the districts."""
        return self.yardstick.present

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

    def sites(self) -> pd.DataFrame | None:
        """Return the places on which each project can surely stand; nothing when the call or the study names none.

        Returns
        -------
        DataFrame
            ``project_id``, ``district_id``, ``place_id``, for synergies on one place.
        """
        places = self.yardstick.places
        if places is None or self.yardstick.cells is None or not asks_place(self.applications):
            return None
        silent = self.rules.missing.silent
        verdict = feasibility.verdicts(self.applications, places, silent=silent, offered=self.yardstick.cells)
        project, place = np.nonzero(verdict.to_numpy() == feasibility.MET)
        return pd.DataFrame(
            {
                "project_id": self.projects[project],
                "district_id": places["district_id"].astype("str").to_numpy()[place],
                "place_id": places["place_id"].astype("str").to_numpy()[place],
            }
        )


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
    held = Yardstick.of(needs=needs, districts=districts, rules=rules, places=places, starts=starts, present=present)
    return held.appraise(applications, offers=offers)


@dataclass(frozen=True, slots=True, eq=False)
class Yardstick:
    """What applications are held against, prepared once for every appraisal of a call.

    It has seen no application when it is made: that is why no application can move another one.

    Attributes
    ----------
    districts
        Identifiers, sorted.
    rules
        The rules as applied.
    needs, places, present
        The tables, restricted to the districts; `places` sorted by identifier.
    starts
        District → date its programme starts.
    profiles
        Criterion of themes → districts × themes: what one full share of a theme earns.
    cells
        The cells of the places; nothing without places.
    covered
        Districts × themes: how far present projects cover each; nothing when none is known.
    """

    districts: pd.Index[str]
    rules: Rules
    needs: pd.DataFrame
    places: pd.DataFrame | None
    starts: dict[str, str | None]
    present: pd.DataFrame | None
    profiles: dict[str, NDArray[np.float64]]
    cells: feasibility.CellTable | None
    covered: NDArray[np.float64] | None

    @classmethod
    def of(
        cls,
        *,
        needs: pd.DataFrame,
        districts: Sequence[str],
        rules: Rules | None = None,
        places: pd.DataFrame | None = None,
        starts: Mapping[str, str | None] | None = None,
        present: pd.DataFrame | None = None,
    ) -> Self:
        """Return the yardstick of a call; parameters and errors as `appraise`."""
        rules = rules or Rules()
        require_ids(pd.Index(list(districts), dtype="str"), what="Quartiers")
        if not len(districts):
            raise InputError("Aucun quartier à servir. Donnez au moins un identifiant de quartier.")
        columns = pd.Index(sorted(map(str, districts)), name="district_id", dtype="str")
        asked = needs[needs["district_id"].isin(columns)]
        there = None if places is None else feasibility.checked_places(places[places["district_id"].isin(columns)])
        known = None if present is None else present[present["district_id"].isin(columns)]
        layers = {"needs": rules.layers}
        if (asked["layer"] == "field").any():
            layers["field"] = {"field": 1.0}
        return cls(
            columns,
            rules,
            asked,
            there,
            {str(key): value for key, value in (starts or {}).items()},
            known,
            {name: importance(asked, layer_weights=weights).on(columns) for name, weights in layers.items()},
            None if there is None or there.empty else feasibility.place_cells(there),
            None if known is None or known.empty else complementarity.covered(known, districts=columns),
        )

    def appraise(self, applications: pd.DataFrame, *, offers: pd.DataFrame) -> Appraisal:
        """Return `applications` on every criterion that can be computed; parameters and errors as `appraise`."""
        require_columns(applications, ["project_id"], what="Candidatures")
        require_ids(applications["project_id"], what="Candidatures")
        asked = applications.assign(project_id=applications["project_id"].astype("str"))
        asked = asked.sort_values("project_id", kind="stable").reset_index(drop=True)
        projects = pd.Index(asked["project_id"], name="project_id", dtype="str")
        brought = offers[offers["project_id"].isin(projects)]
        criteria = _criteria(self, asked, brought)
        weights = applied_weights(criteria, self.rules)
        low, high = (
            pd.DataFrame(end, index=projects, columns=self.districts, copy=False) for end in totals(criteria, weights)
        )
        return Appraisal(projects, self.districts, criteria, weights, low, high, asked, brought, self)


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


def _criteria(held: Yardstick, asked: pd.DataFrame, brought: pd.DataFrame) -> dict[str, Judged]:
    """Return every criterion that the tables allow."""
    rules, districts = held.rules, held.districts
    shares = strengths(brought).on(pd.Index(asked["project_id"], dtype="str"))
    found = {}
    for name, profile in held.profiles.items():
        raw = agreement(shares, profile)
        found[name] = scaled(raw, raw, criterion=rules.criterion(name))
    if asks_place(asked) and held.cells is not None:
        found |= _places(held, asked)
    if held.covered is not None:
        raw = complementarity.novelty(shares, held.covered)
        found["complementarity"] = scaled(raw, raw, criterion=rules.criterion("complementarity"))
    if {"months", "season"} <= set(asked):
        fits = window.fit(asked, held.starts, window=rules.window, districts=districts)
        found["window"] = scaled(fits.least, fits.most, criterion=rules.criterion("window"))
    if rules.competence.rules:
        said = competence.answers(asked, competence=rules.competence, offers=brought)
        values = np.array([said[project].value for project in asked["project_id"]]).reshape(-1, 1)
        wide = np.broadcast_to(values, (len(asked), len(districts)))
        found["competence"] = scaled(wide, wide, criterion=rules.criterion("competence"))
    return {name: found[name] for name in CRITERIA if name in found}


def asks_place(applications: pd.DataFrame) -> bool:
    """Say whether the call asks where a project can stand: surface and support are the least it must ask."""
    return {"need_area_m2", "need_support"} <= set(applications)


def _places(held: Yardstick, asked: pd.DataFrame) -> dict[str, Judged]:
    """Return the two criteria that look at candidate places."""
    places, rules, districts = held.places, held.rules, held.districts
    assert places is not None  # noqa: S101 — checked by the caller
    verdict = feasibility.verdicts(asked, places, silent=rules.missing.silent, offered=held.cells)
    suits = feasibility.suited(verdict, places, districts=districts)
    reach = feasibility.people(verdict, places, districts=districts)
    return {
        "feasibility": scaled(suits.sure, suits.possible, criterion=rules.criterion("feasibility")),
        "people": scaled(reach.sure, reach.possible, criterion=rules.criterion("people")),
    }


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
