"""How long does a person wait before anything happens?

Whole processes, alternating with their reference so that a busy machine slows both; medians, and ratios to quote.

Run with ``python benchmarks/startup.py``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYTHON = sys.executable
COMMAND = str(Path(sys.executable).with_name("geo-qmi"))


def seconds(command: list[str], *, cwd: str) -> float:
    """Wall-clock seconds of one process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=cwd)
    return time.perf_counter() - start


def compare(question: str, command: list[str], *, reference: list[str], target: float, runs: int, cwd: str) -> None:
    """Print the medians of a command and its reference, and the ratio beside its target."""
    seconds(command, cwd=cwd), seconds(reference, cwd=cwd)  # once for nothing: bytecode and disk cache
    pairs = [(seconds(command, cwd=cwd), seconds(reference, cwd=cwd)) for _ in range(runs)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{question:<52} {ours * 1000:7.0f} ms  reference {theirs * 1000:7.0f} ms  ratio {ratio:5.2f} (≤ {target})")


def main() -> None:
    """Answer the three questions."""
    with tempfile.TemporaryDirectory() as folder:
        study = str(Path(folder) / "etude.gpkg")
        subprocess.run([COMMAND, "init", study], check=True, capture_output=True)
        nothing = [PYTHON, "-c", "pass"]
        stack = [PYTHON, "-c", "import geopandas, scipy.optimize"]
        match = [COMMAND, "match", "--demo", "--study", study, "--out", str(Path(folder) / "r")]
        compare("import geo_qmi", [PYTHON, "-c", "import geo_qmi"], reference=nothing, target=2.5, runs=15, cwd=folder)
        compare("geo-qmi --help", [COMMAND, "--help"], reference=nothing, target=8, runs=15, cwd=folder)
        compare("geo-qmi match, 168 applications", match, reference=stack, target=2.5, runs=5, cwd=folder)


if __name__ == "__main__":
    main()
