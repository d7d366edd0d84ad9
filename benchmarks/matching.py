"""How long do scores and text themes take, next to bare numpy and scikit-learn, in one run?

Prints two ratios, each against a named reference timed in the same process on the same data, turn about:

- scores of 10 000 applications × 500 districts: themes, and two criteria given as arrays of intervals, next to the
  bare numpy product and weighted sum of the same;
- themes of 10 000 French applications, next to scikit-learn's TF-IDF with memoised stems.

Run from the root of the repository: ``python benchmarks/matching.py``.
"""

from __future__ import annotations

import time
from functools import lru_cache

import numpy as np
import pandas as pd
import snowballstemmer
from turns import turns

from geo_qmi.matching import offers
from geo_qmi.matching.criteria import Judged, totals
from geo_qmi.matching.scoring import score
from geo_qmi.shipped import shipped_tables
from geo_qmi.vocabulary import NEED_LAYERS, THEMES

N_PROJECTS, N_DISTRICTS, RUNS = 10_000, 500, 5


def shares(rng: np.random.Generator, n: int, kept: int) -> np.ndarray:
    """Return rows × themes with `kept` themes each, adding up to 1."""
    table = np.zeros((n, len(THEMES)))
    for row in table:
        row[rng.choice(len(THEMES), kept, replace=False)] = rng.dirichlet(np.ones(kept))
    return table


def scores() -> None:
    """Print the ratio of scores to bare numpy."""
    rng = np.random.default_rng(0)
    brought = shares(rng, N_PROJECTS, 3)
    asked = {layer: shares(rng, N_DISTRICTS, 5) for layer in NEED_LAYERS}
    rows, columns = np.nonzero(brought)
    themes = np.array(list(THEMES))
    offer = pd.DataFrame(
        {
            "project_id": np.char.add("P", np.char.zfill(rows.astype(str), 5)),
            "theme": themes[columns],
            "strength": brought[rows, columns] * 0.999,
        }
    )
    need = pd.concat(
        [
            pd.DataFrame(
                {
                    "district_id": np.char.add("D", np.char.zfill(r.astype(str), 3)),
                    "layer": layer,
                    "theme": themes[c],
                    "weight": table[r, c] * 0.999,
                }
            )
            for layer, table in asked.items()
            for r, c in [np.nonzero(table)]
        ]
    )
    low = rng.random((2, N_PROJECTS, N_DISTRICTS))
    high = np.minimum(1.0, low + 0.1 * (rng.random(low.shape) < 0.1))
    weights = {"needs": 0.5, "feasibility": 0.3, "window": 0.2}
    profile = np.mean([table / np.linalg.norm(table, axis=1, keepdims=True) for table in asked.values()], axis=0)

    def ours() -> None:
        agreement = score(need, offer).to_numpy()
        judged = {
            "needs": Judged(agreement, agreement),
            "feasibility": Judged(low[0], high[0]),
            "window": Judged(low[1], high[1]),
        }
        totals(judged, weights)

    def bare() -> None:
        agreement = brought @ profile.T
        for end in (low, high):
            0.5 * agreement + 0.3 * end[0] + 0.2 * end[1]

    _, _, mine, reference = turns(ours, bare, runs=RUNS)
    print(f"scores {N_PROJECTS} × {N_DISTRICTS}, 3 criteria with intervals: {mine:.2f} s, bare numpy {reference:.2f} s")
    print(f"ratio {mine / reference:.2f} (goal: at most 3)")


def text_themes() -> None:
    """Print the ratio of themes to TF-IDF."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    tables = shipped_tables()
    call = tables["applications"]
    rng = np.random.default_rng(1)
    texts = call["description"].to_numpy(dtype=object)
    drawn = rng.integers(0, len(texts), (N_PROJECTS, 2))
    frame = pd.DataFrame(
        {
            "project_id": [f"P{number:05d}" for number in range(N_PROJECTS)],
            "description": [f"{texts[a]} {texts[b]}" for a, b in drawn],
        }
    )
    stemmer = snowballstemmer.stemmer("french")
    stem = lru_cache(maxsize=None)(stemmer.stemWord)
    split = TfidfVectorizer().build_tokenizer()

    def ours() -> None:
        offers(frame, lexicon=tables["lexicon"])

    def reference() -> None:
        vectorizer = TfidfVectorizer(tokenizer=lambda text: [stem(word) for word in split(text)], token_pattern=None)
        vectorizer.fit_transform(frame["description"])

    # Both are on one core: processor time leaves out whatever else the machine does.
    _, _, mine, other = turns(ours, reference, runs=RUNS, clock=time.process_time)
    print(
        f"themes of {N_PROJECTS} applications, processor time: {mine:.2f} s, TF-IDF with memoised stems {other:.2f} s"
    )
    print(f"ratio {mine / other:.2f} (goal: at most 1.5)")


if __name__ == "__main__":
    scores()
    text_themes()
