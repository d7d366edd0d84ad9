"""How long does a person wait for a map on paper?

Whole processes from a cold start, turn about with their reference (importing the geospatial stack): seconds of
processor, system included, least of the runs, since whatever else the machine does can only add to them; and the ratio,
which says the same on another machine. Then, of one such process, what making the map takes (for the two last kinds the
ground is walked) and what putting it on paper takes.

Run with ``python benchmarks/plate.py``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from startup import COMMAND, PYTHON

#: Seconds an A3 of a district may take.
TARGET_S = 3.0
KINDS = ("district", "sensitive", "coverage", "severance")
RUNS = 5
#: Prints the seconds of a map, then those of its sheet.
PARTS = """
import sys, time
from pathlib import Path
from geo_qmi import atlas, mapping
from geo_qmi.workspace import Study
asked = {"kind": sys.argv[1], "district_id": "QMI1-AUL"}
tables = Study("etude.gpkg", read_only=True).read_on_demand()
started = time.process_time()
drawn = mapping.drawn(tables, **asked)
made = time.process_time()
atlas.write(atlas.laid_out(tables, drawn, **asked, layout=atlas.Layout(), edition="jury"), Path("carte.pdf"))
print(made - started, time.process_time() - made)
"""


def processor_s(command: list[str], *, cwd: str) -> float:
    """Seconds of processor of one process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, cwd=cwd)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def parts_s(kind: str, *, cwd: str) -> tuple[float, float]:
    """Seconds of processor of the map, and of its sheet."""
    told = subprocess.run([PYTHON, "-c", PARTS, kind], check=True, capture_output=True, cwd=cwd, text=True).stdout
    drawn, paper = map(float, told.split())
    return drawn, paper


def main() -> None:
    """Time an A3 plate of each kind of one district."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([COMMAND, "init", "etude.gpkg"], check=True, capture_output=True, cwd=folder)
        stack = [PYTHON, "-c", "import geopandas, scipy.optimize"]
        for kind in KINDS:
            options = ["--kind", kind, "--district", "QMI1-AUL", "--study", "etude.gpkg", "--paper", "A3", "carte.pdf"]
            pairs = [
                (processor_s([COMMAND, "map", *options], cwd=folder), processor_s(stack, cwd=folder))
                for _ in range(RUNS + 1)
            ][1:]  # the first goes for bytecode
            ours, theirs = map(min, zip(*pairs, strict=True))
            drawn, paper = map(min, zip(*(parts_s(kind, cwd=folder) for _ in range(RUNS)), strict=True))
            print(
                f"geo-qmi map --kind {kind:<10} A3, PDF  {ours:5.2f} s (≤ {TARGET_S:.0f})  "
                f"import of the stack {theirs:5.2f} s  ratio {ours / theirs:5.2f}  "
                f"of which map {drawn:4.2f} s, paper {paper:4.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
