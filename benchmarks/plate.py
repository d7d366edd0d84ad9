"""How long does a person wait for a map on paper?

Whole processes from a cold start, alternating with their reference (importing the geospatial stack) so that a busy
machine slows both; medians, and ratios to quote.

Run with ``python benchmarks/plate.py``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from startup import COMMAND, PYTHON, compare

#: Kind → largest ratio to the reference; a walk of the ground comes before the two last maps.
KINDS = {"district": 3.5, "sensitive": 4.0, "coverage": 5.5, "severance": 7.0}


def main() -> None:
    """Time an A3 plate of each kind of one district."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([COMMAND, "init", "etude.gpkg"], check=True, capture_output=True, cwd=folder)
        stack = [PYTHON, "-c", "import geopandas, scipy.optimize"]
        for kind, target in KINDS.items():
            question = f"geo-qmi map --kind {kind}, A3, PDF"
            place = ["--kind", kind, "--district", "QMI1-AUL", "--study", "etude.gpkg", "carte.pdf"]
            compare(question, [COMMAND, "map", *place], reference=stack, target=target, runs=5, cwd=folder)


if __name__ == "__main__":
    main()
