"""Time two jobs turn about, so that both meet the same machine.

The least seconds of each count: whatever else runs can only add to them.
"""

from __future__ import annotations

import time


def turns(ours, reference, *, runs, clock=time.perf_counter):
    """Last results, and the least seconds of both jobs over `runs` turns."""
    results, seconds = [None, None], [[], []]
    for _ in range(runs):
        for position, job in enumerate((reference, ours)):
            started = clock()
            results[position] = job()
            seconds[position].append(clock() - started)
    (bare, mine), (least_bare, least_mine) = results, map(min, seconds)
    return mine, bare, least_mine, least_bare
