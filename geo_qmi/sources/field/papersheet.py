"""Which sheet of a workshop was scanned, and where on the ground are its crosses?

Reads the description that was written with the sheets (``…_feuille.json``). A few numbers in JSON are read here and
not in a child process: there is nothing to parse that could be large or deep.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from geo_qmi.errors import InputError, shown
from geo_qmi.sources.field.paper import SheetNote

if TYPE_CHECKING:
    from geo_qmi.sources.field.collected import Hints

#: End of the name of a description, and the most it may weigh: one is about 2 kB.
ENDING = "_feuille.json"
_BYTES = 100_000


def sheet_note(main: Path, hints: Hints) -> SheetNote | None:
    """Return what is known of the sheet whose marks are in `main`; ``None`` when it is not one of a workshop.

    Parameters
    ----------
    main
        Table of the marks, named after the code of its sheet.
    hints
        ``sheet`` is used here.

    Raises
    ------
    InputError
        The description that was asked for cannot be read, or does not know this sheet.
    """
    if hints.sheet is not None:
        path = Path(hints.sheet)
        found = _read(path)
        groups = found.get(main.stem)
        if groups is None:
            listed = ", ".join(map(shown, found))
            raise InputError(
                f"« {shown(path.name)} » ne décrit pas la feuille « {shown(main.stem)} » ({listed}) → nommez le "
                "tableau des marques comme la feuille."
            )
        return groups
    for path in sorted(main.parent.glob(f"*{ENDING}")):
        if main.stem.startswith(path.name.removesuffix(ENDING)) and (note := _read(path).get(main.stem)) is not None:
            return note
    return None


def _read(path: Path) -> dict[str, SheetNote]:
    """Return the sheets of a description: code → what is known of it."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_BYTES)
        told = json.loads(content)  # a larger file, cut short, is no JSON
        crosses = {str(c["name"]).upper(): (float(c["x"]), float(c["y"])) for c in told["crosses"]}
        return {str(one["code"]): SheetNote(crosses, one.get("actor_group")) for one in told["sheets"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f"« {shown(path.name)} » n’est pas la description d’une feuille d’atelier → reprenez celle que "
            "« geo-qmi workshop » a écrite."
        ) from None
