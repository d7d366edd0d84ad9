"""What does each rule of a call become as a row of numbers, and in which words is it said?

Each function writes the rows of one kind of rule, with the rule they come from, so that a solver's answer can be told
in the words of the rule file. A row that nothing could break (a maximum above the number of candidates) is left out.
Nothing here knows what is made as high as possible, and nothing is solved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import pandas as pd
from scipy import sparse

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.guards import require_columns
from geo_qmi.vocabulary import THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo_qmi.matching.rule_model import Rules, ThemeBound

#: « In each district », and « over all districts », in a rule about a theme.
EACH, ALL = "*", "all"


class Limit(NamedTuple):
    """One rule as a solver sees it: where it stands in the rule file, and how it is said in French."""

    kind: str
    path: str
    words: str


@dataclass(slots=True)
class Rows:
    """Rows being written."""

    parts: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)

    def add(
        self,
        columns: NDArray[np.intp],
        data: NDArray[np.float64] | float = 1.0,
        *,
        low: float = -np.inf,
        high: float = np.inf,
        limit: Limit | None = None,
    ) -> None:
        """Add one row."""
        self.parts.append((np.full(len(columns), len(self.low)), columns, np.broadcast_to(data, columns.shape)))
        self.low.append(low)
        self.high.append(high)
        self.owner.append(-1 if limit is None else len(self.limits))
        if limit is not None:
            self.limits.append(limit)

    def matrix(self, n_variables: int) -> sparse.csr_array:
        """Return the coefficients."""
        if not self.parts:
            return sparse.csr_array((0, n_variables))
        rows, columns, data = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        return sparse.csr_array((data, (rows, columns)), shape=(len(self.low), n_variables))


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """The rules beside the axes they speak of."""

    rules: Rules
    rows: dict[str, int]
    columns: dict[str, int]
    names: dict[str, str]

    @classmethod
    def of(cls, rules: Rules, table: pd.DataFrame, names: Mapping[str, str] | None) -> Self:
        """Return the rules beside the axes of a checked table."""
        rows, columns = ({str(name): position for position, name in enumerate(axis)} for axis in table.axes)
        return cls(rules, rows, columns, dict(names or {}))

    def said(self, name: str) -> str:
        """Return a name as a sentence shows it."""
        return f"« {shown(self.names[name])} »" if name in self.names else shown(name)

    def refuse_unknown(self) -> None:
        """Raise `UnknownNameError` for what the rules name and nobody knows."""
        rules = self.rules
        projects = [rule.project for rule in (*rules.fixed, *rules.vetoes)]
        projects += [rule.project for rule in rules.loads]
        projects += [name for rule in rules.synergies for name in rule.projects]
        districts = [*rules.quotas.district, *(rule.district for rule in (*rules.fixed, *rules.vetoes))]
        districts += [rule.district for rule in rules.synergies if rule.district is not None]
        districts += [rule.district for rule in rules.theme_bounds if rule.district not in {EACH, ALL}]
        wrong = [
            f"{what} : {', '.join(f'« {shown(name)} »' for name in sorted(set(named) - set(there)))}"
            for what, named, there in (
                ("projets", projects, self.rows),
                ("quartiers", districts, self.columns),
                ("services", [rule.service for rule in rules.loads], rules.services),
                ("thèmes", [rule.theme for rule in rules.theme_bounds], THEMES),
            )
            if set(named) - set(there)
        ]
        if wrong:
            raise UnknownNameError(
                f"Les règles nomment ce que cet appel ne contient pas. Inconnus : {' ; '.join(wrong)}. "
                "Corrigez l’identifiant ou retirez la règle."
            )


def project_rows(rows: Rows, project: NDArray[np.intp]) -> None:
    """Write that a project goes to one district at most."""
    used, position = np.unique(project, return_inverse=True)
    rows.parts.append((position, np.arange(len(project)), np.ones(len(project))))
    rows.low += [-np.inf] * len(used)
    rows.high += [1.0] * len(used)
    rows.owner += [-1] * len(used)


def quota_rows(
    rows: Rows,
    district: NDArray[np.intp],
    lower: NDArray[np.int64],
    upper: NDArray[np.int64],
    *,
    said: Sequence[str],
) -> None:
    """Write the least and the most of each district; a most that cannot be passed is left out."""
    every = np.arange(len(district))
    for position, pairs in enumerate(_by_district(every, district, n_districts=len(lower))):
        name, least, most = said[position], int(lower[position]), int(upper[position])
        path = f"quotas.district.{name}"
        if least > 0:
            rows.add(pairs, low=least, limit=Limit("low", path, f"{_at_least(least)} dans le quartier {name}"))
        if most < len(pairs):
            rows.add(pairs, high=most, limit=Limit("high", path, f"{_at_most(most)} dans le quartier {name}"))


def _by_district(pairs: NDArray[np.intp], district: NDArray[np.intp], *, n_districts: int) -> list[NDArray[np.intp]]:
    """Return `pairs` cut into one group a district, in their order."""
    ordered = pairs[np.argsort(district[pairs], kind="stable")]
    ends = np.cumsum(np.bincount(district[pairs], minlength=n_districts))
    return np.split(ordered, ends[:-1])


def total_rows(rows: Rows, rules: Rules, n_pairs: int) -> None:
    """Write the fewest and the most projects in all."""
    least, most = rules.totals.min, rules.totals.max
    if least > 0:
        rows.add(np.arange(n_pairs), low=least, limit=Limit("total", "totals.min", f"{_at_least(least)} en tout"))
    if most is not None and most < n_pairs:
        rows.add(np.arange(n_pairs), high=most, limit=Limit("total", "totals.max", f"{_at_most(most)} en tout"))


def theme_rows(
    rows: Rows, book: Book, themes: pd.DataFrame | None, project: NDArray[np.intp], district: NDArray[np.intp]
) -> bool:
    """Write the bounds by theme, and return whether they nest."""
    bounds = book.rules.theme_bounds
    if not bounds:
        return True
    if themes is None:
        raise InputError("Bornes par thème : le thème des projets manque. Donnez la table project_id, theme.")
    require_columns(themes, ["project_id", "theme"], what="Thèmes des projets")
    ids = pd.Index(list(book.rows))
    belongs = {
        theme: ids.isin(themes.loc[themes["theme"] == theme, "project_id"].astype("str"))
        for theme in {bound.theme for bound in bounds}
    }
    for number, bound in enumerate(bounds):
        concerned = belongs[bound.theme][project]
        if bound.district == ALL:
            _theme_row(rows, bound, np.flatnonzero(concerned), "dans l’ensemble des quartiers", number)
            continue
        groups = _by_district(np.flatnonzero(concerned), district, n_districts=len(book.columns))
        for name, pairs in zip(book.columns, groups, strict=True):
            if bound.district not in {EACH, name}:
                continue
            _theme_row(rows, bound, pairs, f"dans le quartier {book.said(name)}", number)
    families = [{b.theme for b in bounds if b.district == ALL}, {b.theme for b in bounds if b.district != ALL}]
    counts = [np.sum([belongs[theme] for theme in family], axis=0) for family in families]
    return all(int(np.max(count, initial=0)) <= 1 for count in counts)


def _theme_row(rows: Rows, bound: ThemeBound, pairs: NDArray[np.intp], where: str, number: int) -> None:
    """Write one bound by theme at one place."""
    theme, path = f"du thème « {THEMES[bound.theme]} »", f"theme_bounds[{number}]"
    if bound.low > 0:
        limit = Limit("theme_low", f"{path}.low", f"{_at_least(bound.low)} {theme} {where}")
        rows.add(pairs, low=bound.low, limit=limit)
    if bound.high is not None and bound.high < len(pairs):
        limit = Limit("theme_high", f"{path}.high", f"{_at_most(bound.high)} {theme} {where}")
        rows.add(pairs, high=bound.high, limit=limit)


def pair_rows(rows: Rows, book: Book, project: NDArray[np.intp], district: NDArray[np.intp]) -> None:
    """Write the fixed pairs and the vetoes."""
    for kind, given, words in (("fixed", book.rules.fixed, "est fixé dans"), ("vetoes", book.rules.vetoes, "exclu de")):
        for number, rule in enumerate(given):
            here = (project == book.rows[rule.project]) & (district == book.columns[rule.district])
            pairs = np.flatnonzero(here)
            reason = f" ({shown(rule.reason)})" if rule.reason else ""
            said = f"le projet {book.said(rule.project)} {words} {book.said(rule.district)}{reason}"
            if kind == "fixed":
                rows.add(pairs, low=1, limit=Limit("fixed", f"fixed[{number}]", said))
            elif len(pairs):
                rows.add(pairs, high=0, limit=Limit("veto", f"vetoes[{number}]", said))


def load_rows(rows: Rows, book: Book, project: NDArray[np.intp], district: NDArray[np.intp]) -> bool:
    """Write the capacity of each shared service in each district; return whether one can be passed."""
    binding = False
    for name, service in book.rules.services.items():
        weight = np.zeros(len(book.rows))
        for rule in book.rules.loads:
            if rule.service == name:
                weight[book.rows[rule.project]] += rule.load
        loaded = _by_district(np.flatnonzero(weight[project] > 0), district, n_districts=len(book.columns))
        for district_id, pairs in zip(book.columns, loaded, strict=True):
            load = weight[project[pairs]]
            if load.sum() <= service.capacity + 1e-9:
                continue
            binding = True
            most = f"{service.capacity:g}".replace(".", ",")
            words = f"charge de {most} au plus pour le service « {shown(name)} » "
            limit = Limit("load", f"services.{name}.capacity", words + f"dans le quartier {book.said(district_id)}")
            rows.add(pairs, load, high=service.capacity, limit=limit)
    return binding


def _at_least(n: float) -> str:
    return f"au moins {n:g} projet{'s' if n > 1 else ''}"


def _at_most(n: float) -> str:
    return f"au plus {n:g} projet{'s' if n > 1 else ''}"
