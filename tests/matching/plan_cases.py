"""Small random calls and every plan they allow, for the tests of plans."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_qmi.matching.rule_model import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geo_qmi.matching.rule_model import Synergy, ThemeBound

THEMES = ("eau", "bati", "nature")


def matrix(values: object, *, ids: str = "pqrstuvw", districts: str = "ABCD") -> pd.DataFrame:
    table = np.array(values, dtype=float)
    return pd.DataFrame(table, index=list(ids[: table.shape[0]]), columns=list(districts[: table.shape[1]]))


def rules(**sections: Any) -> Rules:
    return Rules.model_validate(sections)


def membership(rows: Mapping[str, str]) -> pd.DataFrame:
    """Project → themes separated by spaces."""
    pairs = [(project, theme) for project, themes in rows.items() for theme in themes.split()]
    return pd.DataFrame(pairs, columns=["project_id", "theme"], dtype="str")


def random_call(rng: np.random.Generator, *, n_most: int = 6) -> tuple[pd.DataFrame, Rules, pd.DataFrame]:
    """Scores, rules of every kind, and themes of projects."""
    n, m = int(rng.integers(2, n_most + 1)), int(rng.integers(1, 4))
    values = rng.integers(0, 3, (n, m)) / 2 if rng.random() < 0.4 else np.round(rng.random((n, m)), 3)
    if rng.random() < 0.3:
        values = np.where(rng.random((n, m)) < 0.3, np.nan, values)
    scores = matrix(values)
    low = int(rng.integers(0, 2))
    sections: dict[str, Any] = {"quotas": {"low": low, "high": low + int(rng.integers(1, 3))}}
    project, district = lambda: str(rng.choice(scores.index)), lambda: str(rng.choice(scores.columns))
    if rng.random() < 0.3:
        sections["quotas"]["district"] = {district(): {"low": 0, "high": int(rng.integers(0, 4))}}
    if rng.random() < 0.3:
        sections["totals"] = {"min": int(rng.integers(0, 3)), "max": int(rng.integers(2, 5))}
    if rng.random() < 0.6:
        places = ["*", "all", district()]
        kept = {(str(rng.choice(THEMES)), str(rng.choice(places))) for _ in range(int(rng.integers(1, 4)))}
        sections["theme_bounds"] = [
            {"theme": theme, "district": where, "low": int(rng.integers(0, 2)), "high": int(rng.integers(1, 3))}
            for theme, where in sorted(kept)
        ]
    for section in ("fixed", "vetoes"):
        if rng.random() < 0.3:
            sections[section] = [{"project": project(), "district": district(), "reason": "motif"}]
    if rng.random() < 0.4:
        sections["synergies"] = [
            {
                "projects": sorted(map(str, rng.choice(scores.index, 2, replace=False))),
                "bonus": float(rng.choice([-0.4, 0.25, 0.5])),
                "reason": "même place",
                **({"district": district()} if rng.random() < 0.5 else {}),
            }
            for _ in range(int(rng.integers(1, 3)))
        ]
    if rng.random() < 0.4:
        sections["services"] = {"jardin": {"capacity": float(rng.choice([1.0, 2.5]))}}
        sections["loads"] = [
            {"project": name, "service": "jardin", "load": float(rng.choice([0.5, 1.0, 1.3]))}
            for name in scores.index
            if rng.random() < 0.7
        ]
    if rng.random() < 0.3:
        order = list(map(str, rng.permutation(["placed", "score", "synergies"])))[: int(rng.integers(1, 4))]
        sections["objective"] = {"mode": "lexicographic", "order": order}
    two = rng.random() < 0.5
    themes = {
        name: " ".join(rng.choice(THEMES, 1 + (two and rng.random() < 0.3), replace=False)) for name in scores.index
    }
    return scores, rules(**sections), membership(themes)


class Rulings:
    """One call, ready to judge many plans; every rule is read from the rules themselves."""

    def __init__(
        self, scores: pd.DataFrame, given: Rules, themes: pd.DataFrame, sites: pd.DataFrame | None = None
    ) -> None:
        self.given = given
        self.sites: dict[tuple[str, str], list[str]] = {}
        if sites is not None:
            groups = sites.groupby(["project_id", "district_id"])["place_id"]
            self.sites = {(str(project), str(district)): list(places) for (project, district), places in groups}
        self.score = {
            (row, column): float(scores.loc[row, column]) for row in scores.index for column in scores.columns
        }
        self.projects, self.districts = list(scores.index), list(scores.columns)
        self.quotas = {district: given.quotas.of(district) for district in self.districts}
        self.fixed = {(rule.project, rule.district) for rule in given.fixed}
        self.vetoes = {(rule.project, rule.district) for rule in given.vetoes}
        self.themes = set(zip(themes["project_id"], themes["theme"], strict=True))

    def plans(self) -> Iterator[dict[str, str]]:
        """Every way of giving each project one district, or none, that holds the rules."""
        for where in product([None, *self.districts], repeat=len(self.projects)):
            plan = {project: place for project, place in zip(self.projects, where, strict=True) if place is not None}
            if self.holds(plan):
                yield plan

    def holds(self, plan: Mapping[str, str]) -> bool:
        """Whether a plan holds every rule."""
        pairs = set(plan.items())
        totals = self.given.totals
        return (
            self.fixed <= pairs
            and not pairs & self.vetoes
            and not any(np.isnan(self.score[pair]) for pair in pairs - self.fixed)
            and totals.min <= len(plan) <= (len(plan) if totals.max is None else totals.max)
            and all(self._fits(plan, district) for district in self.districts)
            and all(self._bounded(plan, bound) for bound in self.given.theme_bounds)
        )

    def _fits(self, plan: Mapping[str, str], district: str) -> bool:
        here = [project for project, place in plan.items() if place == district]
        load = dict.fromkeys(self.given.services, 0.0)
        for rule in self.given.loads:
            load[rule.service] += rule.load * (rule.project in here)
        within = all(load[name] <= service.capacity + 1e-9 for name, service in self.given.services.items())
        return within and self.quotas[district].low <= len(here) <= self.quotas[district].high

    def _bounded(self, plan: Mapping[str, str], bound: ThemeBound) -> bool:
        members = [place for project, place in plan.items() if (project, bound.theme) in self.themes]
        each = [members.count(district) for district in self.districts]
        counts = {"*": each, "all": [len(members)]}.get(bound.district, [members.count(bound.district)])
        return all(bound.low <= count <= (count if bound.high is None else bound.high) for count in counts)

    def worth(self, plan: Mapping[str, str]) -> tuple[int, ...]:
        """What a plan reaches, in millionths, one number an objective."""
        known = [self.score[pair] for pair in plan.items()]
        score = sum(round(value * 1_000_000) for value in known if not np.isnan(value))
        bonus = self._bonus(plan)
        each = {"score": score, "synergies": bonus, "placed": len(plan)}
        return tuple(each[name] for name in self.given.objective.order) or (score + bonus,)

    def _bonus(self, plan: Mapping[str, str]) -> int:
        """The best sum of bonuses over every way of siting the projects that a synergy on a place names."""
        sited = sorted({name for rule in self.given.synergies if rule.place for name in rule.projects} & set(plan))
        choices = [self.sites.get((name, plan[name])) or [None] for name in sited]
        return max(
            sum(
                round(rule.bonus * 1_000_000)
                for rule in self.given.synergies
                if all(project in plan for project in rule.projects)
                and len({plan[project] for project in rule.projects}) == 1
                and rule.district in {None, plan[rule.projects[0]]}
                and self._together(rule, dict(zip(sited, seats, strict=True)))
            )
            for seats in product(*choices)
        )

    def _together(self, rule: Synergy, seats: Mapping[str, str | None]) -> bool:
        """Whether two projects of one district stand where their synergy asks."""
        if rule.place is None:
            return True
        first, second = (seats[name] for name in rule.projects)
        return first is not None and first == second and rule.place in {"*", first}
