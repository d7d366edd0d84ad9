"""Is the exact plan fast enough, with all rules and at ten thousand applications?

Each line prints a ratio to a reference of the same run. 10 000 × 500: quotas nested with bounds by theme, twenty known
scores an application, against one bare HiGHS call on the very same arrays (equal totals are checked).
168 × 10 and 168 × 4: bounds by theme, fixed pairs, vetoes, synergies and shared services, against one bare branching
solve; then « why not » and the near plans. Processor seconds, turn about, the least of each.
Run: ``python benchmarks/assignment.py [large] [small]``.
"""

from __future__ import annotations

import sys
import time
from functools import partial

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from turns import turns

from geo_qmi.matching.alternatives import near_plans
from geo_qmi.matching.plan import plan
from geo_qmi.matching.program import compiled
from geo_qmi.matching.refusals import Refusals
from geo_qmi.matching.rule_model import Rules
from geo_qmi.vocabulary import THEMES


def timed(work):
    """Result and processor seconds of one call."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def call(n, m, *, known, rng):
    """Scores with `known` districts an application, and one theme each."""
    ids, districts = [f"p{i:05}" for i in range(n)], [f"D{j:03}" for j in range(m)]
    values = np.full((n, m), np.nan)
    for row in range(n):
        values[row, rng.choice(m, known, replace=False)] = np.round(0.6 * rng.random(known), 6)
    themes = pd.DataFrame({"project_id": ids, "theme": rng.choice(list(THEMES), n)})
    return pd.DataFrame(values, index=ids, columns=districts), themes


def large(runs=3):
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
    found, reference, whole, bare = turns(
        lambda: plan(scores, rules, themes=themes),
        lambda: linprog(-program.main, A_ub=rows, b_ub=limits, method="highs-ds"),
        runs=runs,
        clock=time.process_time,
    )
    same = round(found.total * 1_000_000) == round(-reference.fun)
    print(f"10 000 × 500, {program.n_pairs} pairs, {rows.shape[0]} rows, {found.method}, {found.status}")
    print(f"  bare HiGHS {bare:.2f} s, whole plan {whole:.2f} s: × {whole / bare:.2f} (aim ≤ 1.2), equal: {same}")


def ruled(seed, *, m):
    """168 × m with rules of every kind."""
    rng = np.random.default_rng(seed)
    scores, themes = call(168, m, known=m, rng=rng)
    ids, districts, names = list(scores.index), list(scores.columns), list(THEMES)
    few = {10: (2, 6), 4: (1, 3)}[m]
    rules = Rules.model_validate(
        {
            "totals": {"max": 7 * m},
            "theme_bounds": [{"theme": theme, "high": 2} for theme in names[:8]]
            + [{"theme": theme, "district": "all", "low": few[0], "high": few[1]} for theme in names[:12]],
            "fixed": [{"project": ids[k], "district": districts[k], "reason": "accord"} for k in range(3)],
            "vetoes": [{"project": ids[10 + k], "district": districts[k % m], "reason": "accord"} for k in range(10)],
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
    """All rules at once, and the questions a jury puts to the plan."""
    for m in (10, 4):
        for seed in (1, 2, 3):
            scores, rules, themes = ruled(seed, m=m)
            program = compiled(scores, rules, themes=themes)
            found, _, seconds, bare = turns(
                partial(plan, scores, rules, themes=themes),
                partial(branch, program),
                runs=3,
                clock=time.process_time,
            )
            print(
                f"168 × {m}, all rules, seed {seed}: {seconds:.2f} s (aim ≤ 1 s), {found.method}, {found.status}; "
                f"× {seconds / bare:.2f} of one bare branching solve on the same arrays"
            )
            asked, ready = timed(partial(Refusals.of, scores, rules, themes=themes))
            pairs = [(name, f"D{k % m:03}") for k, name in enumerate(scores.index[::8])]
            _, each = timed(lambda asked=asked, pairs=pairs: [asked.why_not(*pair) for pair in pairs])
            print(f"  why not: {ready:.2f} s once, then {each / len(pairs):.3f} s each (aim ≤ 0.15 s at 168 × 4)")
        near, listed = timed(partial(near_plans, scores, rules, themes=themes, limit=20))
        print(f"  20 near plans and the safe core: {listed:.1f} s. {near.sentence}")


def branch(program):
    """One bare branching solve."""
    return milp(
        -program.main,
        integrality=np.ones(len(program.main)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(program.matrix, program.low, program.high),
        options={"mip_rel_gap": 0.0},
    )


if __name__ == "__main__":
    for name in sys.argv[1:] or ["large", "small"]:
        {"large": large, "small": small}[name]()
