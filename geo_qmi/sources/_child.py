"""How does an untrusted file get parsed without harming the program that asked?

``python -m geo_qmi.sources._child`` reads one file named on its command line under limits of memory and CPU time
and answers on standard output in JSON lines: no pickle, no shell. It loads what the format needs before the limits
are set, so that the memory limit counts the file and not the libraries. `geo_qmi.sources.files` is the other end.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from geo_qmi.errors import Defect, GeoQmiError, refusal
from geo_qmi.sources.limits import Limits
from geo_qmi.sources.sheet import Sheet
from geo_qmi.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Libraries needed by suffix, loaded while there is still no memory limit. A wrong suffix only costs accuracy.
_LOADED = {
    ".shp": ("shapely", "pyogrio"),
    ".zip": ("shapely", "pyogrio"),
    ".fgb": ("shapely", "pyogrio"),
    ".xlsx": ("openpyxl",),
    ".xlsm": ("openpyxl",),
    ".csv": (),
    ".tsv": (),
    ".txt": (),
    ".ods": ("defusedxml.ElementTree",),
    ".kml": ("shapely", "defusedxml.ElementTree"),
    ".gpx": ("shapely", "defusedxml.ElementTree"),
    ".pbf": ("shapely", "osmium"),
}

#: Word on the command line → module whose ``parse_path`` reads: any data file, what comes back from a walk, streets.
_READERS = {
    "data": "geo_qmi.sources.recognise",
    "field": "geo_qmi.sources.field.parsing",
    "streets": "geo_qmi.sources.pbf",
}


def write_sheets(sheets: Iterable[Sheet], out: TextIO) -> None:
    """Write sheets as JSON lines: a head, one line per column, the geometry as WKB hex, the defects."""
    for sheet in sheets:
        head = {"file": sheet.file, "layer": sheet.layer, "crs": sheet.crs, "n_in": sheet.n_in}
        _write(out, {"sheet": head, "columns": sheet.columns, "rows": sheet.rows, "shapes": sheet.geometry is not None})
        for column in sheet.values:
            _write(out, column)
        if sheet.geometry is not None:
            import shapely

            _write(out, list(shapely.to_wkb(sheet.geometry, hex=True, flavor="iso")))
        _write(out, [defect.as_dict() for defect in sheet.defects])
    _write(out, {"done": True})


def read_sheets(answer: bytes) -> list[Sheet] | tuple[str, str]:
    """Return the sheets written by `write_sheets`, or the name of an error and its sentence.

    Raises
    ------
    ValueError, StopIteration, KeyError
        The answer is cut short or is not one.
    """
    told = answer.splitlines()
    last = json.loads(told[-1]) if told else {}
    if "error" in last:
        return last["error"], last["message"]
    if "done" not in last:
        raise ValueError("no last word")
    sheets: list[Sheet] = []
    lines = iter(told[:-1])
    for line in lines:
        head = json.loads(line)
        sheet = Sheet(**head["sheet"], columns=head["columns"], rows=head["rows"])
        sheet.values = [json.loads(next(lines)) for _ in sheet.columns]
        if head["shapes"]:
            import numpy as np
            import shapely

            sheet.geometry = list(shapely.from_wkb(np.array(json.loads(next(lines)), dtype=object)))
        sheet.defects = [Defect(**defect) for defect in json.loads(next(lines))]
        sheets.append(sheet)
    return sheets


def _write(out: TextIO, record: Any) -> None:
    json.dump(record, out) if isinstance(record, dict) else out.write(json.dumps(record))
    out.write("\n")


def main(arguments: list[str]) -> int:
    """Parse the file named by the first argument and answer on standard output."""
    path, name, raw_limits, reader = arguments
    limits = Limits(**json.loads(raw_limits))
    parse_path = importlib.import_module(_READERS[reader]).parse_path

    suffix = Path(name).suffix.lower()
    for module in _LOADED.get(suffix, ("shapely",)):
        importlib.import_module(module)
    if "pyogrio" in sys.modules:
        _without_strangers()
    _set_limits(limits)
    try:
        sheets = parse_path(Path(path), name=name, limits=limits)
        write_sheets(sheets, sys.stdout)
    except MemoryError:
        _refuse(
            "LimitError",
            f"« {name} » demande plus de {number(limits.memory_bytes / 2**20)} Mio de mémoire → découpez-le.",
        )
    except GeoQmiError as error:
        _refuse(type(error).__name__, str(error))
    except OSError as error:
        _refuse(
            "UnreadableError", f"« {name} » ne peut pas être ouvert ({refusal(error)}) → vérifiez les droits d’accès."
        )
    return 0


def _refuse(error: str, message: str) -> None:
    sys.stdout.write("\n")  # ends a line that memory ran out in the middle of
    _write(sys.stdout, {"error": error, "message": message})


def _without_strangers() -> None:
    """Start again with more drivers skipped when this GDAL has drivers the list does not know."""
    from geo_qmi.sources import ogr

    left = ogr.drivers_left()
    if left and "GEO_QMI_SECOND_START" not in os.environ:
        environment = os.environ | {"OGR_SKIP": ogr.skip_drivers(left), "GEO_QMI_SECOND_START": "1"}
        os.execve(sys.executable, sys.orig_argv, environment)  # noqa: S606 - our own command again, no shell
    if left:
        raise SystemExit(f"GDAL drivers that cannot be switched off: {sorted(left)}")


def _set_limits(limits: Limits) -> None:
    try:
        import resource
    except ImportError:  # Windows has none: wall-clock time and the parsers' own limits remain
        return
    statm = Path("/proc/self/statm")
    used = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 2**30
    seconds = math.ceil(limits.seconds) + 1
    wanted = {
        resource.RLIMIT_AS: used + limits.memory_bytes,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,
    }
    for which, value in wanted.items():
        hard = resource.getrlimit(which)[1]
        resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="ascii")  # type: ignore[union-attr]  # JSON escapes the rest
    raise SystemExit(main(sys.argv[1:]))
