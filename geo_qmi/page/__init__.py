"""How does a map travel as one file that opens without a network?

`page` writes maps of `geo_qmi.maps` into a single HTML page: drawing library, data, words and styles inside, no address
outside. It draws what `geo_qmi.deck` draws on screen, lists and searches every object from the keyboard, and repeats
each map as a French description and a sortable table. It computes nothing, reads no study and writes no file.

The library is deck.gl (MIT, OpenJS Foundation), the build its npm package ships, kept compressed beside this module
with its licence. Text of the data travels as JSON with every ``<`` escaped and enters the page as text, never as
markup; a content policy names the two scripts by their hash and forbids any connection.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import lzma
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_qmi.deck import deck, legend
from geo_qmi.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from geo_qmi.maps import Layer, Map

#: File of the drawing library beside this module.
LIBRARY = "deck.gl-9.4.0.min.js.xz"
LICENCE = "deck.gl-LICENSE.txt"

#: Nothing may be fetched, framed or sent; pictures and signs are data, colours are set from the scripts.
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'"
)


def page(maps: Sequence[Map], *, title: str, edition: str = "", date: str = "", licence: str = "") -> str:
    """Return one HTML page that holds `maps` and needs nothing else.

    Parameters
    ----------
    maps
        Maps of `geo_qmi.maps`, in the order of the list the reader chooses from. A map with nothing to draw is kept
        and says so.
    title
        French title of the page.
    edition, date, licence
        French words of the foot: for whom the page is, when it was made, under which licence. Empty ones are left out.

    Returns
    -------
    The text of the page, UTF-8 when written. The same arguments give the same bytes.

    Raises
    ------
    InputError
        No map is given.

    Examples
    --------
    >>> import pandas
    >>> from geo_qmi.maps import Map
    >>> empty = Map(
    ...     title="Sceaux",
    ...     layers=(),
    ...     extent_m=(0, 0, 1, 1),
    ...     description="",
    ...     credits=(),
    ...     table=pandas.DataFrame(),
    ...     nothing="Rien à montrer.",
    ... )
    >>> text = page([empty], title="Essai")
    >>> "Rien à montrer." in text, "https://" in text.split("<script>")[0]
    (True, False)
    """
    if not maps:
        raise InputError("Aucune carte à mettre dans la page : choisissez-en au moins une.")
    viewer, library = _part("viewer.js"), _library()
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in (library, viewer))
    foot = [html.escape(part) for part in (edition and f"Édition : {edition}", date, licence) if part]
    fields = {
        "POLICY": _POLICY.format(scripts=hashes),
        "TITLE": html.escape(title),
        "STYLE": _part("page.css"),
        "FOOT": " · ".join(foot),
        "MAPS": _json([_payload(drawn) for drawn in maps]),
        "LIBRARY": library,
        "VIEWER": viewer,
    }
    parts = _part("page.html").split("%%")
    return "".join(fields[part] if position % 2 else part for position, part in enumerate(parts))


def _payload(drawn: Map) -> dict[str, Any]:
    """Return one map as the viewer reads it."""
    view = json.loads(deck(replace(drawn, layers=())).to_json())["initialViewState"] if drawn.layers else {}
    return {
        "title": drawn.title,
        "nothing": drawn.nothing,
        "description": drawn.description,
        "credits": list(drawn.credits),
        "view": view,
        "layers": [_layer(drawn, layer) for layer in drawn.layers],
        "table": _rows(drawn.table),
        "unplaced": _rows(drawn.unplaced),
    }


def _layer(drawn: Map, layer: Layer) -> dict[str, Any]:
    alone = replace(drawn, layers=(layer,))
    return {
        "name": layer.name,
        "title": layer.title,
        "optional": layer.optional,
        "listed": bool(layer.tooltip),
        "legend": legend(alone),
        "parts": json.loads(deck(alone).to_json())["layers"],
    }


def _rows(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as headings and rows; a missing cell is null, a number stays one."""
    plain = frame.astype(object).where(frame.notna(), None)
    rows = [[_cell(value) for value in row] for row in plain.itertuples(index=False)]
    return {"columns": [str(name) for name in frame.columns], "rows": rows}


def _cell(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return "oui" if value else "non"
    if isinstance(value, np.generic):
        value = value.item()
    return value if value is None or isinstance(value, int | float) else str(value)


def _json(value: Any) -> str:
    """Return JSON that cannot leave its script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


@cache
def _library() -> str:
    """Return the drawing library with its licence; nothing in it may close the element that carries it."""
    folder = files(__package__)
    text = lzma.decompress(folder.joinpath(LIBRARY).read_bytes()).decode().replace("</script", r"<\/script")
    return f"/*\n{folder.joinpath(LICENCE).read_text('utf-8')}*/\n{text}"


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
