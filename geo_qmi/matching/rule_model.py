"""What may a rule file say, section by section?

The models of a rule file: names, types and bounds of each value, with their defaults. `geo_qmi.matching.rules` reads a
file into them; contradictions between sections are found in `geo_qmi.matching.rule_clashes`. Nothing here decides.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geo_qmi.vocabulary import NEED_LAYERS

#: Criteria the toolkit can compute, and their French label.
CRITERIA = {
    "needs": "Réponse aux besoins publiés",
    "field": "Réponse aux besoins relevés sur le terrain",
    "feasibility": "Lieu d’accueil",
    "people": "Personnes à portée du lieu",
    "complementarity": "Complémentarité avec les projets présents",
    "window": "Temps restant pour mesurer",
    "competence": "Autorité compétente",
}
#: What a lexicographic objective may put in order, besides criteria.
GOALS = {"placed": "nombre de projets placés", "score": "score total", "synergies": "synergies"}
#: Site needs whose empty cell may be declared to mean « nothing asked ».
SILENT: tuple[Literal["need_ground", "need_sun_h"], ...] = ("need_ground", "need_sun_h")
#: Names of seasons in table ``applications``; « any » needs no month.
SEASON_NAMES = ("spring", "summer", "autumn", "winter", "growth")

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Weight = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0)]
Words = Annotated[str, Field(strict=True, min_length=1)]
Month = Annotated[int, Field(strict=True, ge=1, le=12)]


class _Section(BaseModel):
    """One section of the file: unknown keys refused, never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Criterion(_Section):
    """How much one criterion counts: `anchors` are the raw values worth 0 and 1; a `gate` bars pairs surely at 0."""

    weight: Weight = 1.0
    anchors: tuple[Number, Number] = (0.0, 1.0)
    label: str = ""
    gate: Annotated[bool, Field(strict=True)] = False


class Missing(_Section):
    """What an empty cell is worth: `take` is the point kept inside an interval (0 prudent, 1 hopeful)."""

    take: Share = 0.5
    silent: tuple[Literal["need_ground", "need_sun_h"], ...] = SILENT


class Quota(_Section):
    """Fewest and most projects of one district."""

    low: Count
    high: Count


class Quotas(_Section):
    """Fewest and most projects of a district, and the districts that differ."""

    low: Count = 6
    high: Count = 8
    district: dict[str, Quota] = Field(default_factory=dict)

    def of(self, district_id: str) -> Quota:
        """Return the quota of one district."""
        return self.district.get(district_id, Quota(low=self.low, high=self.high))


class Totals(_Section):
    """Fewest and most projects over all districts; no limit when absent."""

    min: Count = 0
    max: Count | None = None


class ThemeBound(_Section):
    """Bounds on one theme: in each district (``*``), in the one named, or over all together (``all``)."""

    theme: Words
    district: Words = "*"
    low: Count = 0
    high: Count | None = None


class Pair(_Section):
    """A project and a district that must, or must not, meet; `reason` is shown to both."""

    project: Words
    district: Words
    reason: Words


class Synergy(_Section):
    """Two projects worth `bonus` more in one district (any, or the one named), or on one `place` of it (``*``: any)."""

    projects: tuple[Words, Words]
    district: Words | None = None
    place: Words | None = None
    bonus: Annotated[float, Field(strict=True, ge=-1, le=1)]
    reason: Words


class Service(_Section):
    """A shared service and the load it can carry in each district."""

    capacity: Weight


class Load(_Section):
    """What one project asks of one shared service."""

    project: Words
    service: Words
    load: Weight


class CompetenceRule(_Section):
    """Who must agree when a project answers *every* condition given; `signature` is whose, none when out of reach."""

    authority: Literal["commune", "ept", "landlord", "operator", "region"]
    keyword: Words | None = None
    theme: Words | None = None
    footprint: Words | None = None
    support: Words | None = None
    public_domain: Annotated[bool, Field(strict=True)] | None = None
    signature: str = ""
    reason: str = ""


class Competence(_Section):
    """Competence rules, what a signature to obtain is worth, and who decides where no rule applies."""

    signed: Share = 0.5
    rules: tuple[CompetenceRule, ...] = ()


class Season(_Section):
    """Months of one season, and how many of them must be measured."""

    months: Annotated[tuple[Month, ...], Field(min_length=1)]
    least: Annotated[int, Field(strict=True, ge=1, le=12)]


_SEASONS = {
    "spring": Season(months=(3, 4, 5), least=2),
    "summer": Season(months=(6, 7, 8), least=2),
    "autumn": Season(months=(9, 10, 11), least=2),
    "winter": Season(months=(12, 1, 2), least=2),
    "growth": Season(months=(3, 4, 5, 6, 7, 8, 9, 10), least=6),
}


class Window(_Section):
    """Months a project has, months that pass before it is deployed, and what each season is."""

    months_total: Count = 18
    months_before_deployment: Count = 11
    seasons: dict[str, Season] = Field(default_factory=lambda: dict(_SEASONS))


class Objective(_Section):
    """What the plan maximises: one weighted total, or goals in order of importance."""

    mode: Literal["weighted", "lexicographic"] = "weighted"
    order: tuple[Words, ...] = ()


class Reserve(_Section):
    """How many projects wait in the reserve list of each district."""

    size: Count = 5


class Phase(_Section):
    """One wave of the call and the districts it serves."""

    name: Words
    districts: tuple[Words, ...] = ()


class Waves(_Section):
    """The waves of the call, in order: a dossier refused in one may be offered to the next."""

    phases: tuple[Phase, ...] = ()


def _needs_only() -> dict[str, Criterion]:
    """Return the criteria of an empty rule file: the published needs alone."""
    return {"needs": Criterion(label=CRITERIA["needs"])}


class Rules(_Section):
    """All the rules of one matching; an absent section keeps its default."""

    criteria: dict[str, Criterion] = Field(default_factory=_needs_only)
    layers: dict[str, Weight] = Field(default_factory=lambda: dict.fromkeys(NEED_LAYERS, 1.0))
    missing: Missing = Missing()
    quotas: Quotas = Quotas()
    totals: Totals = Totals()
    theme_bounds: tuple[ThemeBound, ...] = ()
    fixed: tuple[Pair, ...] = ()
    vetoes: tuple[Pair, ...] = ()
    synergies: tuple[Synergy, ...] = ()
    services: dict[str, Service] = Field(default_factory=dict)
    loads: tuple[Load, ...] = ()
    competence: Competence = Competence()
    window: Window = Window()
    objective: Objective = Objective()
    reserve: Reserve = Reserve()
    waves: Waves = Waves()

    def as_dict(self) -> dict[str, Any]:
        """Return the rules as plain JSON types, defaults included: what was applied, to be printed and kept."""
        return self.model_dump(mode="json")

    def criterion(self, name: str) -> Criterion:
        """Return one criterion; weight 0 when the file does not name it."""
        return self.criteria.get(name) or Criterion(weight=0.0)

    def label(self, name: str) -> str:
        """Return the French label of one criterion."""
        return self.criterion(name).label or CRITERIA[name]
