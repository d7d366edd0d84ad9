from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo_qmi.errors import InputError
from geo_qmi.siting import sieve

COLUMNS = ["column", "operator", "threshold", "unit", "sentence"]
RULES = pd.DataFrame(
    [
        ("area_m2", ">=", 100, "m²", "Au moins 100 m² au sol"),
        ("slope_pct", "<=", "5,5", "%", "Pente de 5,5 % au plus"),
        ("ground", "in", "planted|mineral", "", "Sol planté ou minéral"),
        ("water", "=", "oui", "", "Arrivée d’eau"),
    ],
    columns=COLUMNS,
)
PLACES = pd.DataFrame(
    {
        "site_id": ["e", "a", "b", "c", "d"],
        "area_m2": [np.nan, 150.0, 88.0, 100.0, 95.0],
        "slope_pct": [1.0, 5.5, 8.0, 7.0, 2.0],
        "ground": ["planted", "planted", "slab", "mineral", "mineral"],
        "water": [True, True, False, True, True],
    }
)


def test_verdicts_by_hand():
    result = sieve(PLACES, RULES)
    assert result.kept["site_id"].tolist() == ["a"]
    assert result.dropped["sentence"].to_dict() == {
        "b": "Au moins 100 m² au sol : il manque 12 m².",
        "c": "Pente de 5,5 % au plus : 1,5 % de trop.",
        "d": "Au moins 100 m² au sol : il manque 5 m².",
    }
    assert result.dropped["n_failing"].to_dict() == {"b": 4, "c": 1, "d": 1}
    assert result.dropped["shortfall"].to_dict() == {"b": 12.0, "c": 1.5, "d": 5.0}
    assert result.unknown["sentence"].to_dict() == {"e": "À renseigner : Au moins 100 m² au sol."}
    # d misses 5 m² of 100, ten per cent allowed; c is 1.5 over 5.5; b fails four rules.
    assert result.near.index.tolist() == ["d"]
    words = result.checks.query("site_id == 'b' and outcome == 'failed'")["rule"].tolist()
    assert words == [1, 2, 3, 4]
    assert len(result.checks) == len(PLACES) * len(RULES)


def test_every_place_is_somewhere_in_any_order():
    rng = np.random.default_rng(0)
    for _ in range(20):
        result = sieve(PLACES.iloc[rng.permutation(5)], RULES)
        found = [*result.kept["site_id"], *result.dropped.index, *result.unknown.index]
        assert sorted(found) == ["a", "b", "c", "d", "e"]
        pd.testing.assert_frame_equal(result.checks, sieve(PLACES, RULES).checks)


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        (("v", ">", 3, "h", "Soleil"), 3, "Soleil : il faut plus de 3 h."),
        (("v", "<", 3, "", "Bruit"), 3.5, "Bruit : 0,5 de trop."),
        (("v", "=", "oui", "", "Eau"), False, "Eau : « non » au lieu de « oui »."),
        (("v", "!=", "mur", "", "Pas un mur"), "mur", "Pas un mur : « mur » au lieu de autre chose."),
        (("v", "in", "a|b", "", "Nature"), "c", "Nature : « c » au lieu de « a » ou « b »."),
    ],
)
def test_sentences(rule, value, words):
    result = sieve(pd.DataFrame({"site_id": ["x"], "v": [value]}), pd.DataFrame([rule], columns=COLUMNS))
    assert result.dropped["sentence"].tolist() == [words]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (("nothing", ">=", 1, "", "Règle"), "Règle 1 : colonne « nothing » absente"),
        (("area_m2", "~", 1, "", "Règle"), "opérateur « ~ »"),
        (("area_m2", ">=", "grand", "", "Règle"), "seuil : « grand ». Attendu : un nombre"),
        (("ground", ">=", 1, "", "Règle"), "Lieu a, colonne « ground » : « planted »"),
        (("area_m2", ">=", 1, "", None), "seuil ou phrase manquant"),
    ],
)
def test_refused_rules(rule, words):
    with pytest.raises(InputError, match=words):
        sieve(PLACES, pd.DataFrame([rule], columns=COLUMNS))


def test_the_identifier_keeps_its_name():
    result = sieve(PLACES.rename(columns={"site_id": "place_id"}), RULES, id_column="place_id")
    assert [result.dropped.index.name, result.unknown.index.name, result.checks.columns[0]] == ["place_id"] * 3


def test_no_place_is_no_verdict():
    empty = sieve(PLACES.iloc[:0], RULES)
    assert list(empty.kept.columns) == list(PLACES.columns)
    assert [len(part) for part in empty] == [0, 0, 0, 0, 0]


def test_refused_places():
    with pytest.raises(InputError, match="présent plusieurs fois : « a »"):
        sieve(pd.concat([PLACES, PLACES.iloc[1:2]]), RULES)
    with pytest.raises(InputError, match="Règles : aucune"):
        sieve(PLACES, RULES.iloc[:0])
