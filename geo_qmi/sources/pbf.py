"""Which ways does an OpenStreetMap extract hold that somebody could walk on?

Called in the child process of `geo_qmi.sources.files`, like every parser of a foreign file. Every way with a tag of a
street or of a walker is a row, a way cut by the edge of the extract one row for each part whose points are known.
Nothing is decided here: `geo_qmi.network.streets` refuses what cannot be walked.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import shapely

from geo_qmi.errors import LimitError, UnreadableError, shown
from geo_qmi.sources.limits import passed
from geo_qmi.sources.sheet import Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geo_qmi.sources.limits import Limits

#: Tags the walking network reads, and one that names a street for people.
TAGS = (
    "highway",
    "foot",
    "access",
    "bridge",
    "tunnel",
    "layer",
    "level",
    "crossing",
    "wheelchair",
    "lit",
    "name",
)
#: The first block of a PBF names itself after its own length, four bytes.
_FIRST_BLOCK = b"\n\tOSMHeader"
#: How pyosmium words an allocation or a thread refused for want of memory, as if the file were at fault.
_OUT_OF_MEMORY = ("bad_alloc", "Cannot allocate memory", "Resource temporarily unavailable")
#: Progress is told every so many ways: about twice a second.
_TOLD_EVERY = 20_000


def parse_path(path: Path, *, name: str, limits: Limits) -> list[Sheet]:
    """Return the ways of a ``.osm.pbf`` file: ``osm_id``, `TAGS`, ``cut`` (by the edge of the extract), in degrees.

    Raises
    ------
    UnreadableError
        Empty, truncated, or not a PBF file.
    LimitError
        A limit is passed.
    """
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise passed(name, "octets", met=size, limit=limits.file_bytes)
    with path.open("rb") as stream:
        head = stream.read(4 + len(_FIRST_BLOCK))
    if not head:
        raise UnreadableError(f"« {name} » est vide (0 octet) → téléchargez-le de nouveau.")
    if not head.endswith(_FIRST_BLOCK):
        raise UnreadableError(
            f"« {name} » n’est pas un extrait OpenStreetMap au format PBF (autre contenu, ou fichier abîmé dès le "
            "début) → téléchargez de nouveau le fichier .osm.pbf."
        )
    sheet = Sheet(name, "voies", crs="EPSG:4326", columns=["osm_id", *TAGS, "cut"], geometry=[])
    rows: list[tuple[Any, ...]] = []
    drawn: list[str | None] = []
    osmium = importlib.import_module("osmium")
    try:
        for way in _ways(path, osmium):
            sheet.n_in += 1
            limits.check_rows(sheet.n_in, file=name)
            parts, cut = _parts(way, osmium)
            rows += [(way.id, *(way.tags.get(tag) for tag in TAGS), cut)] * len(parts)
            drawn += parts
            if sheet.n_in % _TOLD_EVERY == 0:
                print(json.dumps({"read": sheet.n_in}), file=sys.stderr, flush=True)
    except LimitError:
        raise
    except (RuntimeError, ValueError, OSError) as error:
        if any(words in str(error) for words in _OUT_OF_MEMORY):
            raise MemoryError from None
        raise UnreadableError(
            f"« {name} » : fichier PBF tronqué ou abîmé, arrêt après {sheet.n_in} voies "
            f"(détail technique : {shown(error)}) → téléchargez-le de nouveau."
        ) from None
    sheet.rows = list(range(1, len(rows) + 1))
    sheet.values = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in sheet.columns]
    sheet.geometry = list(shapely.from_wkb(drawn))
    return [sheet.finish()]


def _ways(path: Path, osmium: Any) -> Iterator[Any]:
    """Yield the ways that have a tag of a street or of a walker, with the places of their nodes."""
    kinds = osmium.osm.NODE | osmium.osm.WAY
    read = osmium.FileProcessor(str(path), kinds).with_locations()
    ways, wanted = osmium.filter.EntityFilter(osmium.osm.WAY), osmium.filter.KeyFilter("highway", "foot")
    yield from read.with_filter(ways).with_filter(wanted)


def _parts(way: Any, osmium: Any) -> tuple[list[str | None], bool]:
    """Return the lines of a way as WKB and whether it is cut; one missing line when fewer than two points are known."""
    every = osmium.geom.use_nodes.ALL
    try:
        return [osmium.geom.WKBFactory().create_linestring(way, every)], False
    except osmium.InvalidLocationError:  # a point outside of the extract
        pass
    parts: list[str | None] = []
    run: list[tuple[float, float]] = []
    for node in [*way.nodes, None]:
        if node is not None and node.location.valid():
            run.append((node.lon, node.lat))
            continue
        if len(run) > 1:
            parts.append(shapely.to_wkb(shapely.LineString(run), hex=True))
        run = []
    return parts or [None], True
