from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi.matching.competence import Answer, answers, place_words
from geo_qmi.matching.rules import rules_from

RULES = rules_from(
    {
        "competence": {
            "rules": [
                {
                    "keyword": "collecte des déchets",
                    "authority": "ept",
                    "signature": "le territoire",
                    "reason": "collecte",
                },
                {"support": "wall", "authority": "landlord", "signature": "le propriétaire"},
                {"theme": "emploi", "authority": "region", "reason": "formation"},
                {"public_domain": True, "theme": "eau", "authority": "commune"},
            ]
        }
    }
).competence
NO_OFFERS = pd.DataFrame({"project_id": [], "theme": [], "strength": []})


def answer(offers: pd.DataFrame = NO_OFFERS, **cells: object) -> Answer:
    frame = pd.DataFrame([{"project_id": "p", "description": "Un banc", **cells}])
    return answers(frame, competence=RULES, offers=offers)["p"]


def test_possible_when_no_rule_names_another_authority() -> None:
    found = answer()
    assert (found.value, found.signatures) == (1.0, ())
    assert found.words.startswith("possible")


def test_a_keyword_is_met_whatever_its_form() -> None:
    found = answer(description="Des bornes pour les COLLECTES de déchets verts.")
    assert found.value == 0.5
    assert found.words == "possible avec la signature du territoire (collecte)"
    # The words must follow one another in one sentence.
    assert answer(description="La collecte. Des déchets.").value == 1.0


def test_two_signatures_are_both_said() -> None:
    found = answer(description="collecte des déchets", need_support="wall")
    assert found.signatures == ("le territoire", "le propriétaire")
    assert "du territoire et du propriétaire" in found.words


def test_another_authority_wins_over_a_signature() -> None:
    offers = pd.DataFrame({"project_id": ["p"], "theme": ["emploi"], "strength": [0.4]})
    found = answer(offers, need_support="wall")
    assert found.value == 0.0
    assert found.words == "pas cette autorité : Région (formation)"
    weak = offers.assign(strength=0.2)  # an aside is not the subject
    assert answer(weak, need_support="wall").value == 0.5


def test_an_empty_cell_meets_no_condition() -> None:
    assert answer(need_support=None, public_domain=None).value == 1.0


@pytest.mark.parametrize(("authority", "said"), [("commune", ""), (None, "non relevée"), ("landlord", "bailleur")])
def test_the_place_has_an_authority_too(authority: str | None, said: str) -> None:
    assert said in place_words(authority)
