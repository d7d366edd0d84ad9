"""Which rules of one file contradict one another, or name something nobody knows?

Each check yields a path, a French reason, what to do and the value: `geo_qmi.matching.rules` turns them into defects.
Whether a *plan* exists under coherent rules is another question (see the assignment).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo_qmi.errors import shown
from geo_qmi.matching.rule_model import CRITERIA, GOALS, SEASON_NAMES
from geo_qmi.schema.calls import SUPPORTS
from geo_qmi.vocabulary import FOOTPRINTS, NEED_LAYERS, OTHER_LAYERS, THEMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo_qmi.matching.rule_model import Rules

#: Path of the value, reason, what to do, value.
Clash = tuple[str, str, str, object]


def clashes(rules: Rules) -> Iterator[Clash]:
    """Yield (path, reason, what to do, value) for each rule that contradicts another, or names nothing known."""
    yield from _score_clashes(rules)
    yield from _quota_clashes(rules)
    yield from _theme_clashes(rules)
    yield from _pair_clashes(rules)
    yield from _other_clashes(rules)


def _score_clashes(rules: Rules) -> Iterator[Clash]:
    """Check criteria, anchors and layers."""
    for name, criterion in rules.criteria.items():
        if name not in CRITERIA:
            yield f"criteria.{name}", f"critère inconnu ; connus : {', '.join(CRITERIA)}", "corrigez son nom", name
        if criterion.anchors[0] == criterion.anchors[1]:
            yield (
                f"criteria.{name}.anchors",
                "les deux bornes de l’échelle sont égales",
                "donnez la valeur qui vaut 0 puis celle qui vaut 1",
                list(criterion.anchors),
            )
    if sum(one.weight for one in rules.criteria.values()) <= 0:
        yield "criteria", "tous les poids sont nuls", "donnez un poids positif à un critère au moins", ""
    for layer in rules.layers:
        if layer not in {**NEED_LAYERS, **OTHER_LAYERS}:
            known = ", ".join([*NEED_LAYERS, *OTHER_LAYERS])
            yield f"layers.{layer}", f"couche inconnue ; connues : {known}", "corrigez son nom", layer
    if sum(rules.layers.values()) <= 0:
        yield "layers", "tous les poids sont nuls", "donnez un poids positif à une couche au moins", ""
    if rules.layers.get("field", 0) > 0 and rules.criterion("field").weight > 0:
        yield (
            "layers.field",
            "le terrain compterait deux fois : comme couche et comme critère",
            "mettez à 0 l’un des deux poids",
            rules.layers["field"],
        )


def _quota_clashes(rules: Rules) -> Iterator[Clash]:
    """Check quotas and totals."""
    crossed = "le minimum dépasse le maximum", "baissez l’un ou relevez l’autre"
    quotas = {"quotas": rules.quotas} | {f'quotas.district."{key}"': one for key, one in rules.quotas.district.items()}
    for path, quota in quotas.items():
        if quota.low > quota.high:
            yield path, *crossed, f"{quota.low} > {quota.high}"
    if rules.totals.max is not None and rules.totals.min > rules.totals.max:
        yield "totals", *crossed, f"{rules.totals.min} > {rules.totals.max}"
    least = sum(one.low for one in rules.quotas.district.values())
    if rules.totals.max is not None and least > rules.totals.max:
        yield (
            "totals.max",
            f"les quartiers nommés demandent déjà {least} projets au moins",
            "relevez le total ou baissez un minimum",
            rules.totals.max,
        )


def _theme_clashes(rules: Rules) -> Iterator[Clash]:
    """Check theme bounds."""
    seen: dict[tuple[str, str], int] = {}
    for number, bound in enumerate(rules.theme_bounds):
        path = f"theme_bounds[{number}]"
        if bound.theme not in THEMES:
            yield f"{path}.theme", f"thème inconnu ; connus : {', '.join(THEMES)}", "corrigez le code", bound.theme
        if bound.high is not None and bound.low > bound.high:
            todo = "baissez l’un ou relevez l’autre"
            yield path, "le minimum dépasse le maximum", todo, f"{bound.low} > {bound.high}"
        first = seen.setdefault((bound.theme, bound.district), number)
        if first != number:
            yield path, f"même thème et même quartier que theme_bounds[{first}]", "gardez une seule règle", bound.theme


def _pair_clashes(rules: Rules) -> Iterator[Clash]:
    """Check fixed pairs, vetoes and synergies against one another."""
    home: dict[str, tuple[int, str]] = {}
    held: dict[str, int] = {}
    for number, pair in enumerate(rules.fixed):
        path = f"fixed[{number}]"
        first, district = home.setdefault(pair.project, (number, pair.district))
        if first != number:
            reason = f"projet déjà fixé à {shown(district)} par fixed[{first}]"
            yield path, reason, "un projet n’a qu’un quartier : gardez une seule règle", pair.project
        else:
            held[pair.district] = held.get(pair.district, 0) + 1
    for district, n in held.items():
        if n > rules.quotas.of(district).high:
            reason = f"{n} projets fixés à {shown(district)}, pour {rules.quotas.of(district).high} places au plus"
            yield "fixed", reason, "relevez le maximum ou libérez un projet", district
    for number, pair in enumerate(rules.vetoes):
        if home.get(pair.project, (0, None))[1] == pair.district:
            reason = f"paire exclue ici et imposée par fixed[{home[pair.project][0]}]"
            yield f"vetoes[{number}]", reason, "retirez l’une des deux règles", f"{pair.project} / {pair.district}"
    for number, synergy in enumerate(rules.synergies):
        if synergy.projects[0] == synergy.projects[1]:
            yield (
                f"synergies[{number}].projects",
                "deux fois le même projet",
                "nommez deux projets",
                synergy.projects[0],
            )


def _other_clashes(rules: Rules) -> Iterator[Clash]:
    """Check loads, competence, window, objective and waves."""
    for number, load in enumerate(rules.loads):
        if load.service not in rules.services:
            known = ", ".join(rules.services) or "aucun"
            yield f"loads[{number}].service", f"service inconnu ; déclarés : {known}", "déclarez-le", load.service
    yield from _competence_clashes(rules)
    yield from _window_clashes(rules)
    yield from _order_clashes(rules)


def _competence_clashes(rules: Rules) -> Iterator[Clash]:
    """Check competence rules."""
    vocabularies: dict[str, dict[str, str]] = {"theme": THEMES, "footprint": FOOTPRINTS, "support": SUPPORTS}
    for number, rule in enumerate(rules.competence.rules):
        path = f"competence.rules[{number}]"
        for key, words in vocabularies.items():
            value = getattr(rule, key)
            if value is not None and value not in words:
                yield f"{path}.{key}", f"code inconnu ; connus : {', '.join(words)}", "corrigez le code", value
        if all(getattr(rule, key) is None for key in ("keyword", "public_domain", *vocabularies)):
            yield path, "aucune condition : la règle viserait tous les projets", "donnez-en une", rule.authority


def _window_clashes(rules: Rules) -> Iterator[Clash]:
    """Check the observation window and its seasons."""
    window = rules.window
    if window.months_before_deployment > window.months_total:
        reason = f"le déploiement viendrait après les {window.months_total} mois du programme"
        todo = "baissez cette durée ou allongez le programme"
        yield "window.months_before_deployment", reason, todo, window.months_before_deployment
    for name, season in window.seasons.items():
        path = f"window.seasons.{name}"
        if name not in SEASON_NAMES:
            yield path, f"saison inconnue ; connues : {', '.join(SEASON_NAMES)}", "corrigez son nom", name
        if season.least > len(set(season.months)):
            yield f"{path}.least", f"la saison n’a que {len(set(season.months))} mois", "baissez-le", season.least


def _order_clashes(rules: Rules) -> Iterator[Clash]:
    """Check the order of goals and the names of waves."""
    order = rules.objective.order
    for number, goal in enumerate(order):
        if goal not in {**CRITERIA, **GOALS}:
            known = ", ".join([*GOALS, *CRITERIA])
            yield f"objective.order[{number}]", f"but inconnu ; connus : {known}", "corrigez son nom", goal
        if goal in order[:number]:
            yield f"objective.order[{number}]", "but déjà cité", "retirez-le", goal
    if rules.objective.mode == "lexicographic" and not order:
        yield "objective.order", "aucun ordre, alors que le mode est « lexicographic »", "nommez les buts", ""
    names = [phase.name for phase in rules.waves.phases]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield f"waves.phases[{number}].name", "nom de vague déjà pris", "donnez un autre nom", name
