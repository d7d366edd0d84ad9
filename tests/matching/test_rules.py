from __future__ import annotations

import tomllib

import pytest

from geo_qmi.errors import DefectsError
from geo_qmi.matching.rules import Rules, rules_from, unknown_ids
from geo_qmi.shipped import data_dir


def refused(record: dict) -> dict[str, str]:
    """Path → sentence of each defect."""
    with pytest.raises(DefectsError) as caught:
        rules_from(record, file="regles.toml")
    assert all(defect.file == "regles.toml" for defect in caught.value.defects)
    return {defect.layer: defect.sentence() for defect in caught.value.defects}


def test_an_empty_file_is_the_published_needs_and_six_to_eight() -> None:
    rules = rules_from({})
    assert rules == Rules()
    assert {name: one.weight for name, one in rules.criteria.items()} == {"needs": 1.0}
    assert (rules.quotas.low, rules.quotas.high) == (6, 8)
    assert rules.layers == {"objective": 1.0, "challenge": 1.0, "expected": 1.0}


def test_the_shipped_file_says_everything_the_defaults_say() -> None:
    text = (data_dir() / "rules.toml").read_text(encoding="utf-8")
    rules = rules_from(tomllib.loads(text))
    plain = Rules()
    for section in (
        "missing",
        "quotas",
        "totals",
        "window",
        "objective",
        "reserve",
        "waves",
        "fixed",
        "vetoes",
        "theme_bounds",
    ):
        assert getattr(rules, section) == getattr(plain, section), section
    assert rules.criterion("needs").weight == 1.0
    assert rules.criterion("needs").anchors == (0.0, 1.0)


#: Said once above their section, or plain text.
EXPLAINED = {"label", "gate", "anchors", "months", "least", "mode", "order", "high"}
EXPLAINED |= {"keyword", "authority", "support", "reason", "signature"}


def test_every_value_of_the_shipped_file_is_commented() -> None:
    lines = (data_dir() / "rules.toml").read_text(encoding="utf-8").splitlines()
    values = [line for line in lines if "=" in line and not line.startswith("#")]
    bare = {line.split("=")[0].strip() for line in values if "#" not in line}
    assert bare - EXPLAINED == set()
    assert sum("#" in line for line in values) >= 30


def test_all_defects_come_at_once_each_with_its_path() -> None:
    found = refused(
        {
            "criteria": {"needs": {"weight": 0.0}, "magic": {"weight": 0.0}},
            "quotas": {"low": -1, "hi": 3},
            "theme_bounds": [{"theme": "energy"}],
            "fixed": [
                {"project": "p", "district": "A", "reason": "r"},
                {"project": "p", "district": "B", "reason": "r"},
            ],
            "bogus": 1,
        }
    )
    assert set(found) == {
        "criteria",
        "criteria.magic",
        "quotas.low",
        "quotas.hi",
        "theme_bounds[0].theme",
        "fixed[1]",
        "bogus",
    }
    assert found["quotas.low"] == (
        "regles.toml, quotas.low : attendu : 0 au moins (valeur lue : « -1 ») → relevez la valeur"
    )
    assert "tous les poids sont nuls" in found["criteria"]
    assert "projet déjà fixé à A par fixed[0]" in found["fixed[1]"]


@pytest.mark.parametrize(
    ("record", "path", "words"),
    [
        ({"criteria": {"needs": {"anchors": [1.0, 1.0]}}}, "criteria.needs.anchors", "égales"),
        ({"criteria": {"needs": {"anchors": [1.0]}}}, "criteria.needs.anchors[1]", "absente"),
        ({"criteria": {"needs": {"weight": float("inf")}}}, "criteria.needs.weight", "nombre fini"),
        ({"criteria": {"needs": {"weight": "1"}}}, "criteria.needs.weight", "un nombre"),
        ({"criteria": {"needs": {"gate": 1}}}, "criteria.needs.gate", "true ou false"),
        ({"layers": {"objective": 0.0}}, "layers", "tous les poids sont nuls"),
        ({"layers": {"rumour": 1.0}}, "layers.rumour", "couche inconnue"),
        ({"quotas": {"low": 9}}, "quotas", "dépasse"),
        ({"quotas": {"low": 2.5}}, "quotas.low", "nombre entier"),
        ({"quotas": {"district": {"A": {"low": 3, "high": 2}}}}, 'quotas.district."A"', "dépasse"),
        ({"totals": {"min": 3, "max": 2}}, "totals", "dépasse"),
        ({"theme_bounds": [{"theme": "eau", "low": 3, "high": 2}]}, "theme_bounds[0]", "dépasse"),
        ({"theme_bounds": [{"theme": "eau"}, {"theme": "eau"}]}, "theme_bounds[1]", "même thème"),
        ({"loads": [{"project": "p", "service": "s", "load": 1.0}]}, "loads[0].service", "service inconnu"),
        ({"synergies": [{"projects": ["p", "p"], "bonus": 0.1, "reason": "r"}]}, "synergies[0].projects", "deux"),
        ({"synergies": [{"projects": ["p", "q"], "bonus": 3, "reason": "r"}]}, "synergies[0].bonus", "1 au plus"),
        ({"competence": {"rules": [{"authority": "ept"}]}}, "competence.rules[0]", "aucune condition"),
        (
            {"competence": {"rules": [{"authority": "king", "theme": "eau"}]}},
            "competence.rules[0].authority",
            "attendu",
        ),
        ({"window": {"months_before_deployment": 19}}, "window.months_before_deployment", "18 mois"),
        ({"window": {"seasons": {"summer": {"months": [6], "least": 2}}}}, "window.seasons.summer.least", "que 1 mois"),
        ({"window": {"seasons": {"summer": {"months": [13], "least": 1}}}}, "window.seasons.summer.months[0]", "12"),
        ({"objective": {"mode": "lexicographic"}}, "objective.order", "aucun ordre"),
        ({"objective": {"order": ["glory"]}}, "objective.order[0]", "but inconnu"),
        ({"waves": {"phases": [{"name": "1"}, {"name": "1"}]}}, "waves.phases[1].name", "déjà pris"),
        ({"missing": {"silent": ["testers"]}}, "missing.silent[0]", "attendu"),
        ({"missing": {"take": 1.5}}, "missing.take", "1 au plus"),
        ({"fixed": {"project": "p"}}, "fixed", "liste"),
    ],
)
def test_each_defect_names_its_path(record: dict, path: str, words: str) -> None:
    found = refused(record)
    assert list(found) == [path]
    assert words in found[path]


def test_a_pair_cannot_be_imposed_and_barred() -> None:
    pair = {"project": "p", "district": "A", "reason": "r"}
    assert list(refused({"fixed": [pair], "vetoes": [pair]})) == ["vetoes[0]"]


def test_more_fixed_projects_than_places_is_refused() -> None:
    fixed = [{"project": f"p{n}", "district": "A", "reason": "r"} for n in range(3)]
    found = refused({"fixed": fixed, "quotas": {"district": {"A": {"low": 0, "high": 2}}}})
    assert "3 projets fixés à A, pour 2 places au plus" in found["fixed"]


def test_field_needs_may_not_count_twice() -> None:
    record = {
        "criteria": {"needs": {"weight": 1.0}, "field": {"weight": 1.0}},
        "layers": {"objective": 1.0, "field": 1.0},
    }
    assert list(refused(record)) == ["layers.field"]


def test_rules_are_never_changed_and_round_trip() -> None:
    rules = rules_from({"quotas": {"district": {"A": {"low": 1, "high": 2}}}})
    assert rules.quotas.of("A").high == 2
    assert rules.quotas.of("B").high == 8
    with pytest.raises(ValueError, match="frozen"):
        rules.quotas.low = 0  # type: ignore[misc]
    assert rules_from(rules.as_dict()) == rules


def test_unknown_identifiers_are_listed_apart() -> None:
    rules = rules_from(
        {
            "fixed": [{"project": "p", "district": "Z", "reason": "r"}],
            "synergies": [{"projects": ["p", "q"], "bonus": 0.1, "reason": "r"}],
            "theme_bounds": [{"theme": "eau", "district": "all"}],
        }
    )
    found = unknown_ids(rules, projects=["p"], districts=["A"])
    assert [(one.layer, one.value) for one in found] == [("fixed[0].district", "Z"), ("synergies[0].projects", "q")]
