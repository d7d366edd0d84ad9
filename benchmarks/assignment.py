"""Is the exact plan fast enough, with all rules and at ten thousand applications?

Each line prints a ratio to a reference of the same run. 10 000 × 500: quotas nested with bounds by theme, twenty known
scores an application, against one bare HiGHS call on the very same arrays (equal totals are checked).
168 × 10: bounds by theme, fixed pairs, vetoes, synergies and shared services, against one second.
Run: ``python benchmarks/assignment.py [large] [small]``.
"""

from __future__ import annotations

import sys
import time
from functools import partial

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

from geo_qmi.matching.alternatives import near_plans, why_not
from geo_qmi.matching.plan import plan
from geo_qmi.matching.program import compiled
from geo_qmi.matching.rule_model import Rules
from geo_qmi.vocabulary import THEMES


def timed(work):
    """Result and processor seconds of one call: what else runs on the machine then counts little."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def best_of(work, *, runs):
    """Last result, and the least seconds of several calls."""
    results = [timed(work) for _ in range(runs)]
    return results[-1][0], min(seconds for _, seconds in results)


def call(n, m, *, known, rng):
    """Scores with `known` districts an application, and one theme each."""
    ids, districts = [f"p{i:05}" for i in range(n)], [f"D{j:03}" for j in range(m)]
    values = np.full((n, m), np.nan)
    for row in range(n):
        values[row, rng.choice(m, known, replace=False)] = np.round(0.6 * rng.random(known), 6)
    themes = pd.DataFrame({"project_id": ids, "theme": rng.choice(list(THEMES), n)})
    return pd.DataFrame(values, index=ids, columns=districts), themes


def large():
    """Nested quotas."""
    rng = np.random.default_rng(1)
    scores, themes = call(10_000, 500, known=20, rng=rng)
    rules = Rules.model_validate(
        {
            "quotas": {"low": 6, "high": 18},
            "theme_bounds": [{"theme": theme, "high": 3} for theme in list(THEMES)[:6]],
        }
    )
    program = compiled(scores, rules, themes=themes)
    most, least = np.isfinite(program.high), np.isfinite(program.low)
    rows = sparse.vstack([program.matrix[most], -program.matrix[least]], format="csr")
    limits = np.concatenate([program.high[most], -program.low[least]])
    pairs = []
    for _ in range(3):  # turn about, so that both meet the same machine
        reference, bare = timed(lambda: linprog(-program.main, A_ub=rows, b_ub=limits, method="highs-ds"))
        found, whole = timed(lambda: plan(scores, rules, themes=themes))
        pairs.append((bare, whole))
    bare, whole = (min(seconds) for seconds in zip(*pairs, strict=True))
    same = round(found.total * 1_000_000) == round(-reference.fun)
    print(f"10 000 × 500, {program.n_pairs} pairs, {rows.shape[0]} rows, {found.method}, {found.status}")
    print("  runs:", ", ".join(f"{w:.1f} / {b:.1f} s" for b, w in pairs))
    print(f"  bare HiGHS {bare:.2f} s, whole plan {whole:.2f} s: × {whole / bare:.2f} (aim ≤ 1.2), equal: {same}")


def ruled(seed):
    """168 × 10 with rules of every kind."""
    rng = np.random.default_rng(seed)
    scores, themes = call(168, 10, known=10, rng=rng)
    ids, districts, names = list(scores.index), list(scores.columns), list(THEMES)
    rules = Rules.model_validate(
        {
            "totals": {"max": 70},
            "theme_bounds": [{"theme": theme, "high": 2} for theme in names[:8]]
            + [{"theme": theme, "district": "all", "low": 2, "high": 6} for theme in names[:12]],
            "fixed": [{"project": ids[k], "district": districts[k], "reason": "accord"} for k in range(3)],
            "vetoes": [{"project": ids[10 + k], "district": districts[k], "reason": "accord"} for k in range(10)],
            "synergies": [
                {"projects": list(map(str, rng.choice(ids, 2, replace=False))), "bonus": 0.05, "reason": "place"}
                for _ in range(10)
            ],
            "services": {"jardin": {"capacity": 10.0}, "donnees": {"capacity": 6.0}},
            "loads": [
                {"project": name, "service": str(rng.choice(["jardin", "donnees"])), "load": float(load)}
                for name, load in zip(ids, rng.choice([0.5, 1, 2, 3], len(ids)), strict=True)
                if rng.random() < 0.7
            ],
        }
    )
    return scores, rules, themes


def small():
    """All rules at once."""
    for seed in (1, 2, 3):
        scores, rules, themes = ruled(seed)
        found, seconds = best_of(partial(plan, scores, rules, themes=themes), runs=2)
        print(f"168 × 10, all rules, seed {seed}: {seconds:.2f} s, {found.method}, {found.status} (aim ≤ 1 s)")
    out = found.excluded["project_id"].iloc[0]
    asked, why = timed(partial(why_not, scores, rules, project_id=out, district_id="D004", themes=themes))
    print(f"  why not: × {why / seconds:.1f} of that plan. {asked.sentence}")
    near, listed = timed(partial(near_plans, scores, rules, themes=themes, limit=20))
    print(f"  20 near plans and the safe core: × {listed / seconds:.1f} of that plan. {near.sentence}")


if __name__ == "__main__":
    for name in sys.argv[1:] or ["large", "small"]:
        {"large": large, "small": small}[name]()
