from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo_qmi import schema
from geo_qmi.errors import InputError
from geo_qmi.matching import needs, offers, statements, unread

LEXICON = pd.DataFrame(
    [
        ("L1", "energie", "énergie", 1.0),
        ("L2", "energie", "solaire", 1.0),
        ("L3", "nature", "jardin", 0.6),
        ("L4", "mobilites", "vélo", 1.0),
        ("L5", "eau", "arrosage", 0.3),
    ],
    columns=["entry_id", "theme", "term", "weight"],
)


def projects(**texts: str | None) -> pd.DataFrame:
    return pd.DataFrame({"project_id": list(texts), "description": list(texts.values())})


def strengths(frame: pd.DataFrame, project_id: str) -> dict[str, float]:
    mine = frame[frame["project_id"] == project_id]
    return dict(zip(mine["theme"], mine["strength"], strict=True))


def test_offer_worked_by_hand() -> None:
    # énergie 1 + solaire 1/2 = 1.5; jardin 0.6; total 2.1
    found = offers(projects(p="Énergie solaire au jardin"), lexicon=LEXICON)
    assert strengths(found, "p") == pytest.approx({"energie": 1.5 / 2.1, "nature": 0.6 / 2.1})
    assert found["evidence"].tolist()[0] == "« Énergie » (description, L1, 1) ; « solaire » (description, L2, 1)"


def test_one_vague_word_does_not_make_a_specialist() -> None:
    assert strengths(offers(projects(p="Arrosage"), lexicon=LEXICON), "p") == {"eau": 0.3}


def test_a_family_counts_for_half_and_an_entry_counts_once() -> None:
    frame = pd.DataFrame({"project_id": ["p"], "family": ["Énergie"], "description": ["Un vélo à énergie solaire"]})
    # énergie is read in the description (1), not again in the family
    assert strengths(offers(frame, lexicon=LEXICON), "p") == pytest.approx({"energie": 0.6, "mobilites": 0.4})
    only_family = frame.assign(description="Un vélo")
    assert strengths(offers(only_family, lexicon=LEXICON), "p") == pytest.approx(
        {"energie": 0.5 / 1.5, "mobilites": 1 / 1.5}
    )


def test_tags_are_read_and_said() -> None:
    tags = pd.DataFrame({"project_id": ["p", "other"], "tag": ["VÉLO", "ÉNERGIE"]})
    found = offers(projects(p=None), lexicon=LEXICON, tags=tags)
    assert strengths(found, "p") == {"mobilites": 1.0}
    assert found["evidence"].tolist() == ["« VÉLO » (étiquettes, L4, 1)"]
    assert found["project_id"].tolist() == ["p"]


def test_a_project_without_a_known_word_has_no_row() -> None:
    found = offers(projects(p="Rien de tout cela", q=None), lexicon=LEXICON)
    assert found.empty
    assert list(found.columns) == list(schema.columns("offers"))


def test_repeating_and_padding_gain_nothing() -> None:
    once = offers(projects(p="énergie et vélo"), lexicon=LEXICON)
    padded = offers(projects(p="énergie et vélo. " * 50 + "Beaucoup de phrases sans rien. " * 50), lexicon=LEXICON)
    pd.testing.assert_frame_equal(once, padded)


def test_offers_depend_neither_on_row_order_nor_on_the_others() -> None:
    frame = projects(b="énergie solaire", a="jardin à vélo", c="arrosage du jardin")
    kept = frame.copy()
    found = offers(frame, lexicon=LEXICON)
    pd.testing.assert_frame_equal(frame, kept)
    pd.testing.assert_frame_equal(found, offers(frame.iloc[::-1], lexicon=LEXICON))
    alone = offers(frame[frame["project_id"] == "a"], lexicon=LEXICON)
    pd.testing.assert_frame_equal(found[found["project_id"] == "a"].reset_index(drop=True), alone)
    assert schema.validate(found, "offers") == []


def test_applications_have_their_own_identifier() -> None:
    frame = pd.DataFrame({"application_id": ["A1"], "keywords": ["vélo"], "description": ["rien"]})
    assert offers(frame, lexicon=LEXICON, id_column="application_id")["project_id"].tolist() == ["A1"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"project_id": ["p", "p"], "description": ["a", "b"]}), "présent plusieurs fois : « p »"),
        (pd.DataFrame({"project_id": ["p", None], "description": ["a", "b"]}), "1 identifiant manquant"),
        (pd.DataFrame({"nom": ["p"]}), "colonne absente : project_id"),
        (pd.DataFrame({"project_id": ["p"]}), "aucune colonne de texte à lire"),
    ],
)
def test_unfit_projects_are_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError) as caught:
        offers(frame, lexicon=LEXICON)
    assert message in str(caught.value)


OBJECTIVES = pd.DataFrame(
    {
        "objective_id": ["D-O1", "D-O2", "D-O3"],
        "district_id": ["D", "D", "D"],
        "objective": ["Énergie", "Jardin et énergie", "Rayonnement"],
    }
)
EXPECTED = pd.DataFrame({"expected_id": ["D-S1"], "district_id": ["D"], "solution": ["vélo"]})
DISTRICTS = pd.DataFrame({"district_id": ["D", "E"], "challenge": [None, None]}, dtype="str")


def test_needs_worked_by_hand() -> None:
    found = needs(OBJECTIVES, EXPECTED, DISTRICTS, lexicon=LEXICON)
    # O1: energie 1. O2: energie 1 and nature 0.6 share one voice: 0.625 and 0.375. O3 says nothing known.
    assert found[["layer", "theme", "weight"]].to_numpy().tolist() == [
        ["objective", "energie", pytest.approx((1 + 0.625) / 2)],
        ["objective", "nature", pytest.approx(0.375 / 2)],
        ["expected", "mobilites", 1.0],
    ]
    assert found["evidence"].tolist()[0] == "D-O1 : « Énergie » (L1) ; D-O2 : « énergie » (L1)"
    assert set(found["district_id"]) == {"D"}  # E has no text: no row, not a zero
    assert schema.validate(found, "needs") == []


def test_unread_statements_are_listed() -> None:
    told = statements(OBJECTIVES, EXPECTED, DISTRICTS)
    assert told["statement_id"].tolist() == ["D-O1", "D-O2", "D-O3", "D-S1"]
    assert unread(told, lexicon=LEXICON)["text"].tolist() == ["Rayonnement"]


def test_challenge_is_a_layer_of_its_own() -> None:
    districts = DISTRICTS.assign(challenge=["Arrosage", "  "])
    found = needs(OBJECTIVES, EXPECTED, districts, lexicon=LEXICON)
    sums = found.groupby(["district_id", "layer"])["weight"].sum()
    assert sums.to_dict() == {("D", "objective"): 1.0, ("D", "challenge"): 1.0, ("D", "expected"): 1.0}


def test_needs_do_not_depend_on_row_order() -> None:
    rng = np.random.default_rng(7)
    one = needs(OBJECTIVES, EXPECTED, DISTRICTS, lexicon=LEXICON)
    shuffled = OBJECTIVES.iloc[rng.permutation(3)]
    pd.testing.assert_frame_equal(one, needs(shuffled, EXPECTED, DISTRICTS[::-1], lexicon=LEXICON[::-1]))
