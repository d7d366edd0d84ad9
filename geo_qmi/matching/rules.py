"""Under which rules is the matching made, and can they be signed as written?

A rule file says everything a jury may argue about: which criteria count and how much, which value is worth 0 and which
1, what an empty cell means, quotas, bounds by theme, fixed pairs, vetoes, synergies, workloads, competences, the time
left to measure. `rules_from` reads the record of such a file and tells *all* its defects at once, each with its path.
Nothing here reads a file, scores a pair or looks for a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from geo_qmi.errors import Defect, DefectsError, shown
from geo_qmi.matching.rule_clashes import clashes
from geo_qmi.matching.rule_model import CRITERIA, Quota, Rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CRITERIA", "Quota", "Rules", "rules_from", "unknown_ids"]


def rules_from(record: Mapping[str, Any], *, file: str = "") -> Rules:
    """Return the rules written in `record`.

    Parameters
    ----------
    record
        The TOML file as parsed by `tomllib`; an empty one gives the defaults (published needs, 6 to 8 projects).
    file
        Name of the file, repeated in each defect.

    Raises
    ------
    DefectsError
        Every defect in ``.defects``; its ``layer`` is the path of the value (``quotas.low``, ``fixed[2].district``).

    Examples
    --------
    >>> rules_from({"quotas": {"low": 5}}).quotas.of("QMI1-AUL")
    Quota(low=5, high=8)
    """
    given = dict(record)
    defects: list[Defect] = []
    try:
        rules = Rules.model_validate(given)
    except ValidationError as error:
        found = _outermost(error.errors(include_url=False, include_context=True))
        defects = [_defect(one, file) for one in found]
        broken = {str(one["loc"][0]) for one in found}
        rules = Rules.model_validate({key: value for key, value in given.items() if key not in broken})
    defects += [
        Defect("error", reason, todo, file=file, layer=path, value=shown(value))
        for path, reason, todo, value in clashes(rules)
    ]
    if defects:
        raise DefectsError(defects, title="Règles refusées")
    return rules


def _outermost(found: list[Any]) -> list[Any]:
    """Return errors without « the list is too short » where it is short only because an item of it was refused."""
    places = [tuple(one["loc"]) for one in found]
    inside = {place[:length] for place in places for length in range(len(place))}
    return [one for one, place in zip(found, places, strict=True) if one["type"] != "too_short" or place not in inside]


def unknown_ids(rules: Rules, *, projects: Iterable[str], districts: Iterable[str]) -> list[Defect]:
    """Return one defect for each project or district the rules name and the call does not know.

    Kept apart from `rules_from`: one rule file serves several calls.
    """
    known = {"projet": set(projects), "quartier": set(districts)}
    found = []
    for path, noun, name in _named(rules):
        if name not in known[noun]:
            todo = "corrigez l’identifiant ou retirez la règle"
            found.append(Defect("error", f"{noun} inconnu", todo, layer=path, value=shown(name)))
    return found


def _named(rules: Rules) -> Iterator[tuple[str, str, str]]:
    """Yield (path, noun, identifier) for each project and district the rules name."""
    for district in rules.quotas.district:
        yield f'quotas.district."{district}"', "quartier", district
    for section in ("fixed", "vetoes"):
        for number, pair in enumerate(getattr(rules, section)):
            yield f"{section}[{number}].project", "projet", pair.project
            yield f"{section}[{number}].district", "quartier", pair.district
    for number, load in enumerate(rules.loads):
        yield f"loads[{number}].project", "projet", load.project
    for number, bound in enumerate(rules.theme_bounds):
        if bound.district not in {"*", "all"}:
            yield f"theme_bounds[{number}].district", "quartier", bound.district
    for number, phase in enumerate(rules.waves.phases):
        yield from ((f"waves.phases[{number}].districts", "quartier", one) for one in phase.districts)
    for number, synergy in enumerate(rules.synergies):
        yield from ((f"synergies[{number}].projects", "projet", one) for one in synergy.projects)
        if synergy.district is not None:
            yield f"synergies[{number}].district", "quartier", synergy.district


#: pydantic's code → what is wrong and what to do; `{ctx}` names come from its context.
_WORDS = {
    "missing": ("valeur absente, obligatoire ici", "ajoutez-la"),
    "extra_forbidden": ("clé inconnue", "corrigez son nom ou supprimez-la"),
    "greater_than_equal": ("attendu : {ge} au moins", "relevez la valeur"),
    "less_than_equal": ("attendu : {le} au plus", "baissez la valeur"),
    "finite_number": ("attendu : un nombre fini", "donnez un nombre"),
    "literal_error": ("attendu : {expected}", "choisissez une de ces valeurs"),
    "string_too_short": ("texte vide", "renseignez-le"),
    "too_short": ("il manque des valeurs dans la liste", "complétez-la"),
    "too_long": ("trop de valeurs dans la liste", "retirez celles en trop"),
}
_KINDS = {
    "int": "un nombre entier",
    "float": "un nombre",
    "string": "un texte entre guillemets",
    "bool": "true ou false",
    "tuple": "une liste entre crochets",
    "dict": "une section",
    "model": "une section",
}


def _defect(error: Any, file: str) -> Defect:
    """Word one error of pydantic in French."""
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind in _WORDS:
        reason, todo = _WORDS[kind]
        plain = {key: _plain(value) for key, value in context.items()}
        reason = reason.format(**plain)
    else:
        reason = f"attendu : {_KINDS.get(kind.split('_', maxsplit=1)[0], 'une autre forme de valeur')}"
        todo = "corrigez la valeur"
    value = "" if kind == "missing" or isinstance(error["input"], Mapping | list) else shown(error["input"])
    return Defect("error", reason, todo, file=file, layer=_path(error["loc"]), value=value)


def _plain(value: object) -> str:
    """Return a bound or a list of choices as a French reader expects it."""
    return f"{value:g}".replace(".", ",") if isinstance(value, int | float) else str(value).replace(" or ", " ou ")


def _path(location: Iterable[int | str]) -> str:
    """Return a location as the path a reader of TOML would write.

    Examples
    --------
    >>> _path(("fixed", 2, "district")), _path(("quotas", "district", "QMI1-AUL", "low"))
    ('fixed[2].district', 'quotas.district."QMI1-AUL".low')
    """
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            word = part if part.replace("_", "").isalnum() else f'"{part}"'
            path += f".{word}" if path else word
    return path
