from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from geo_qmi.errors import InputError
from geo_qmi.matching.lexicon import compile_lexicon
from geo_qmi.vocabulary import THEMES

SHIPPED = Path(__file__).parents[2] / "data" / "geo" / "lexicon.csv"


def lexicon(*rows: tuple[str, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["theme", "term", "weight"])
    table.insert(0, "entry_id", [f"L{n:02d}" for n in range(len(table))])
    return table


def found(table: pd.DataFrame, text: str) -> list[tuple[str, str]]:
    return [(finding.entry.theme, finding.surface) for finding in compile_lexicon(table).find(text)]


def test_longest_expression_wins_and_its_words_are_used_once() -> None:
    table = lexicon(("circulaire", "économie circulaire", 1), ("emploi", "économie", 0.3), ("bati", "bâtiment", 1))
    assert found(table, "L’économie circulaire du bâtiment") == [
        ("circulaire", "économie circulaire"),
        ("bati", "bâtiment"),
    ]
    assert found(table, "Une économie, circulaire ?") == [("emploi", "économie")]


def test_one_term_may_reveal_two_themes() -> None:
    table = lexicon(("climat", "îlot de chaleur", 1), ("sante", "îlot de chaleur", 0.3))
    assert found(table, "les îlots de chaleur") == [("climat", "îlots chaleur"), ("sante", "îlots chaleur")]


def test_exact_form_tells_homographs_apart() -> None:
    table = lexicon(("donnees", "=données", 1))
    assert found(table, "DONNÉES ouvertes") == [("donnees", "DONNÉES")]
    assert found(table, "donner la donne") == []


def test_a_repeated_word_is_one_finding() -> None:
    assert found(lexicon(("eau", "eau", 1)), "eau, eaux, eau") == [("eau", "eau")]


def test_two_terms_of_the_same_roots_count_once_with_the_heavier_weight() -> None:
    table = lexicon(("bati", "rénover", 0.3), ("bati", "rénovation", 1))
    (finding,) = compile_lexicon(table).find("rénover")
    assert finding.entry.weight == 1


def test_row_order_is_irrelevant() -> None:
    table = lexicon(
        ("bati", "rénover", 0.6), ("bati", "rénovation", 0.6), ("eau", "eau de pluie", 1), ("eau", "eau", 1)
    )
    text = "rénovation et eau de pluie"
    assert compile_lexicon(table).find(text) == compile_lexicon(table.iloc[::-1]).find(text)


def test_a_lexicon_is_compiled_once_for_its_words_and_again_when_one_changes() -> None:
    table = lexicon(("eau", "vélo", 0.5))
    assert compile_lexicon(table) is compile_lexicon(table.copy())
    assert found(table.assign(term="bus"), "un vélo, un bus") == [("eau", "bus")]
    assert found(table, "un vélo, un bus") == [("eau", "vélo")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("licorne", "mot", 1.0), "Lexique, L00 : thème inconnu « licorne »"),
        (("eau", "mot", 1.2), "poids « 1.2 ». Attendu : un nombre entre 0 et 1"),
        (("eau", "mot", float("nan")), "poids « nan »"),
        (("eau", "de la", 1.0), "le terme « de la » ne contient aucun mot plein"),
    ],
)
def test_a_bad_line_is_named(row: tuple[str, str, float], message: str) -> None:
    with pytest.raises(InputError, match="Lexique") as caught:
        compile_lexicon(lexicon(row))
    assert message in str(caught.value)


def test_empty_lexicon_and_missing_column_are_refused() -> None:
    with pytest.raises(InputError, match="Lexique vide"):
        compile_lexicon(lexicon())
    with pytest.raises(InputError, match="colonne absente : weight"):
        compile_lexicon(lexicon(("eau", "eau", 1)).drop(columns="weight"))


def test_shipped_lexicon_covers_every_theme_once() -> None:
    table = pd.read_csv(SHIPPED)
    ready = compile_lexicon(table)
    kept = {entry.entry_id for group in ready.index.values() for _, entries in group for entry in entries}
    assert kept == set(table["entry_id"])  # no line hides another
    sizes = Counter(table["theme"])
    assert set(sizes) == set(THEMES)
    assert min(sizes.values()) >= 30
    assert set(table["weight"]) == {1.0, 0.6, 0.3}
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        assert all(row["source"] and row["note"] for row in csv.DictReader(file))
