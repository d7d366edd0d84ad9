"""A call that is not the first one: other communes, other texts, other identifiers. Nothing here is real."""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import pytest

from geo_qmi import matching
from geo_qmi.matching import match, rules_from
from geo_qmi.shipped import shipped_tables

PLACES = {"place_id": ["lieu-1", "lieu-2", "lieu-3"], "district_id": ["rive-sud", "rive-sud", "plateau"]}
CELLS = {
    "area_m2": 200.0, "ground": "mineral", "sun_h": 6.0, "water": True, "power": True, "support_ground": True,
    "support_wall": True, "support_roof": False, "public_domain": True, "vehicle": True, "people_in_reach": 900,
    "authority": "commune",
}  # fmt: skip


@pytest.fixture(scope="module")
def study() -> dict[str, pd.DataFrame]:
    districts = {
        "district_id": ["rive-sud", "plateau"],
        "challenge": ["Rafraîchir les rues et garder la pluie au sol", None],
        "start": ["2031-09", None],
    }
    objectives = [
        ("o1", "rive-sud", "Végétaliser les cours et infiltrer l’eau de pluie"),
        ("o2", "plateau", "Réduire la facture d’énergie des logements"),
    ]
    return {
        "districts": pd.DataFrame(districts),
        "objectives": pd.DataFrame(objectives, columns=["objective_id", "district_id", "objective"]),
        "expected_solutions": pd.DataFrame({"expected_id": [], "district_id": [], "solution": []}, dtype="str"),
        "candidate_places": pd.DataFrame({**PLACES, "name": ["Quai", "Cour", "Dalle"], **CELLS}),
        "lexicon": shipped_tables()["lexicon"],
    }


@pytest.fixture(scope="module")
def call() -> pd.DataFrame:
    texts = {
        "jardins": "Des jardins de pluie qui infiltrent l’eau et végétalisent la rue",
        "ombres": "Des arbres pour l’ombre et la fraîcheur des rues",
        "chaleur": "Rénovation énergétique des logements et chaleur renouvelable",
        "toits": "Panneaux solaires partagés pour l’énergie des bâtiments",
    }
    needs = {"need_area_m2": 20.0, "need_support": "ground", "months": 6.0, "season": "any"}
    return pd.DataFrame({"project_id": list(texts), "description": list(texts.values()), **needs})


def test_another_call_is_matched_with_its_own_words(study, call) -> None:
    record = {
        "criteria": {"needs": {}, "feasibility": {"weight": 0.25}, "window": {"weight": 0.25, "anchors": [0.5, 1.0]}},
        "quotas": {"low": 1, "high": 2},
        "theme_bounds": [{"theme": "energie", "district": "plateau", "low": 1}],
        "synergies": [{"projects": ["jardins", "ombres"], "place": "*", "bonus": 0.05, "reason": "même place"}],
    }
    found = match(call, study, districts=["rive-sud", "plateau"], rules=rules_from(record))
    homes = dict(zip(found.plan.rows["project_id"], found.plan.rows["district_id"], strict=True))
    assert homes == {"jardins": "rive-sud", "ombres": "rive-sud", "chaleur": "plateau", "toits": "plateau"}
    earned = found.plan.synergies.query("earned")["synergy"].tolist()
    assert len(earned) == 1
    assert earned[0].startswith("jardins + ombres dans le quartier rive-sud, sur le lieu lieu-")
    first = matching.sheet(found.appraisal, "jardins", plan=found.plan.rows).as_dict()
    assert "rive-sud" in str(first)
    asked = matching.Refusals.of(found.scores, found.rules, themes=found.themes, sites=found.sites)
    why = asked.why_not("toits", "rive-sud")
    # The main theme of « chaleur » is the building, so only « toits » can answer for energy.
    assert (why.possible, why.rule) == (False, "au moins 1 projet du thème « Énergie » dans le quartier plateau")


def test_no_commune_and_no_edition_is_written_in_the_code() -> None:
    tables = shipped_tables()
    known = {*tables["districts"]["district_id"], *tables["projects"]["project_id"], *tables["communes"]["name"]}
    written = {
        node.value
        for path in Path(matching.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not written & known
    assert not [text for text in written if "QMI" in text and ">>>" not in text]
