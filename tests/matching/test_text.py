from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest

from geo_qmi.matching.text import words


def roots(text: str) -> list[str | None]:
    return [word.root if word else None for word in words(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ÉNERGIE", "énergie"),
        ("energie", "énergie"),
        ("l’énergie", "l'énergie"),
        ("vélos", "vélo"),
        ("partagées", "partagé"),
        ("réseaux", "réseau"),
        ("bien-être", "bien être"),
        ("cœur", "coeur"),
        ("qu’aux habitants", "habitant"),
    ],
)
def test_spellings_of_one_word_meet(one: str, other: str) -> None:
    assert roots(one) == roots(other)
    assert roots(one)


def test_decomposed_unicode_reads_like_composed() -> None:
    text = "végétalisation des façades"
    assert roots(unicodedata.normalize("NFD", text)) == roots(text) == ["vegetalis", "facad"]


def test_punctuation_leaves_a_gap_and_apostrophes_none() -> None:
    assert roots("place d’eau") == ["plac", "eau"]
    assert roots("place, eau.") == ["plac", None, "eau", None]


@pytest.mark.parametrize("text", ["", "   ", "de la et d’", "—"])
def test_nothing_meaningful_gives_no_word(text: str) -> None:
    assert [word for word in words(text) if word] == []


def test_threads_read_the_same_roots() -> None:
    texts = [f"mobilités{n} urbaines{n} partagées{n}" for n in range(200)]
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(roots, texts * 2))
    assert threaded[:200] == threaded[200:] == [roots(text) for text in texts]
