"""Which streets and paths does this file hold?

Reads an OpenStreetMap extract (``.osm.pbf``) and puts the words of another publisher's line layer (IGN BD TOPO) into
OpenStreetMap's, the vocabulary `geo_qmi.network.streets` understands. It keeps every way that could be walked and
leaves it to the network to refuse some: nothing is decided here.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import CrsError, InputError, UnreadableError, shown
from geo_qmi.geo import DEGREES, to_metres
from geo_qmi.sources.files import read_file
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geo_qmi.sources.raw import RawTable

#: Tags the walking network reads, and two that name a street for people.
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
#: Progress is told every so many ways: about twice a second on this library.
_TOLD_EVERY = 20_000

#: `nature` of the « tronçon de route » of BD TOPO version 3 → `highway`.
_NATURES = {
    "escalier": "steps",
    "sentier": "path",
    "chemin": "track",
    "route_empierree": "track",
    "piste_cyclable": "cycleway",
    "type_autoroutier": "motorway",
    "autoroute": "motorway",
    "quasi_autoroute": "motorway",
    "bretelle": "motorway_link",
    "bac_ou_liaison_maritime": "no",
    "bac_auto": "no",
    "bac_pieton": "no",
    "rond_point": "unclassified",
    "route_a_1_chaussee": "unclassified",
    "route_a_2_chaussees": "unclassified",
}
_GROUND_COLUMNS = ("position_par_rapport_au_sol", "pos_sol")


def read_pbf(path: Path, *, progress: Callable[[str], None] | None = None) -> gpd.GeoDataFrame:
    """Return the streets and paths of an OpenStreetMap extract.

    Parameters
    ----------
    path
        A ``.osm.pbf`` file.
    progress
        Called with a French sentence now and then.

    Returns
    -------
    GeoDataFrame
        EPSG:2154; ``osm_id``, the tags of `TAGS` (missing where absent), one line a way. A way cut by the edge of the
        extract gives one line for each part whose points are known, with the same ``osm_id``;
        ``frame.attrs["incomplete"]`` counts such ways.

    Raises
    ------
    UnreadableError
        Missing, truncated, or not a PBF file.
    InputError
        pyosmium is not installed, or the file holds no street.
    """
    path = Path(path)
    if not path.is_file():
        raise UnreadableError(f"« {shown(path.name)} » est introuvable → vérifiez le chemin et les droits d’accès.")
    records: list[dict[str, Any]] = []
    lines: list[shapely.LineString] = []
    incomplete = 0
    osmium = _osmium()
    try:
        for number, way in enumerate(_ways(path, osmium)):
            parts = list(_parts(way))
            incomplete += sum(len(part) for part in parts) < len(way.nodes)
            tags = dict(way.tags)
            record = {"osm_id": way.id} | {tag: tags.get(tag) for tag in TAGS}
            records += [record] * len(parts)
            lines += [shapely.LineString(part) for part in parts]
            if progress is not None and number % _TOLD_EVERY == _TOLD_EVERY - 1:
                progress(f"« {shown(path.name)} » : {number + 1} voies lues…")
    except (RuntimeError, ValueError, OSError) as error:
        raise UnreadableError(
            f"« {shown(path.name)} » : fichier PBF tronqué ou abîmé, arrêt après {len(records)} voies "
            f"(détail technique : {shown(error)}) → téléchargez-le de nouveau."
        ) from None
    if not lines:
        raise InputError(f"« {shown(path.name)} » ne contient aucune rue ni chemin → choisissez un autre extrait.")
    frame = gpd.GeoDataFrame(pd.DataFrame(records).astype(dict.fromkeys(TAGS, "str")), geometry=lines, crs=DEGREES)
    if progress is not None:
        progress(f"« {shown(path.name)} » : {len(frame)} lignes, passage en Lambert-93…")
    frame = to_metres(frame, what=path.name)
    frame.attrs["incomplete"] = int(incomplete)
    return frame


def street_lines(table: RawTable) -> gpd.GeoDataFrame:
    """Return a line layer of any publisher in the words of the walking network.

    Parameters
    ----------
    table
        One layer of `geo_qmi.sources.files.read_file`. A layer with ``nature`` and ``position_par_rapport_au_sol``
        (``pos_sol``) is taken for BD TOPO; one with ``highway`` for OpenStreetMap; any other is plain lines.

    Returns
    -------
    GeoDataFrame
        EPSG:2154, the columns of the layer plus those of `TAGS` that could be filled; one row a record.

    Raises
    ------
    InputError
        The layer has no geometry.
    CrsError
        It declares no coordinate system.
    """
    if table.geometry is None:
        raise InputError(f"« {table.file} », « {table.layer} » : aucune géométrie → choisissez une couche de lignes.")
    if table.crs is None:
        raise CrsError(f"« {table.file} » : système de coordonnées absent → déclarez-le (Lambert-93 : EPSG:2154).")
    frame = gpd.GeoDataFrame(
        table.frame.copy(), geometry=gpd.GeoSeries(table.geometry, index=table.frame.index), crs=table.crs
    )
    known = {fold(str(column)): column for column in table.frame.columns}
    ground = next((known[name] for name in _GROUND_COLUMNS if name in known), None)
    if "nature" in known and ground is not None:
        frame = frame.assign(**_from_bdtopo(table.frame, known, str(ground)))
    return to_metres(frame, what=table.layer)


def read_streets(path: Path, *, progress: Callable[[str], None] | None = None) -> gpd.GeoDataFrame:
    """Return the streets of a file: an OpenStreetMap extract, or the first line layer of any format that is read.

    Raises
    ------
    InputError
        No layer of the file holds lines.
    """
    path = Path(path)
    if path.suffix.lower() == ".pbf":
        return read_pbf(path, progress=progress)
    for table in read_file(path):
        if table.geometry is not None and (shapely.get_dimensions(table.geometry) == 1).any():
            return street_lines(table)
    raise InputError(f"« {shown(path.name)} » ne contient aucune couche de lignes → choisissez la couche des rues.")


def _osmium() -> Any:
    """Return pyosmium, loaded only when an extract is read."""
    try:
        return importlib.import_module("osmium")
    except ImportError:
        raise InputError(
            "Lecture des extraits OpenStreetMap indisponible : installez-la avec pip install 'geo-qmi[streets]'."
        ) from None


def _ways(path: Path, osmium: Any) -> Iterator[Any]:
    """Yield the ways that have a tag of a street or of a walker, with the places of their nodes."""
    wanted = osmium.filter.KeyFilter("highway", "foot")
    for thing in osmium.FileProcessor(str(path)).with_locations().with_filter(wanted):
        if thing.is_way():
            yield thing


def _parts(way: Any) -> Iterator[list[tuple[float, float]]]:
    """Yield the runs of nodes of a way whose place is known."""
    run: list[tuple[float, float]] = []
    for node in way.nodes:
        if node.location.valid():
            run.append((node.lon, node.lat))
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run


def _from_bdtopo(frame: pd.DataFrame, known: dict[str, Any], ground: str) -> dict[str, Any]:
    """Return the tags of BD TOPO records."""
    nature = frame[known["nature"]].map(lambda cell: fold(str(cell or "")))
    position = frame[ground].astype(object).where(frame[ground].notna(), "").astype(str)
    tags: dict[str, Any] = {
        # An unknown nature stays walkable: the network may only refuse what is known to be shut.
        "highway": nature.map(lambda word: _NATURES.get(word, "unclassified")),
        "level": position.str.extract(r"^\s*([-−]?\d+)", expand=False).fillna("0"),
    }
    if "acces_pieton" in known:
        access = frame[known["acces_pieton"]].map(lambda cell: fold(str(cell or "")))
        shut = access.str.contains("interdit|impossible|restreint", regex=True)
        tags["foot"] = np.where(shut, "no", "")
    if "prive" in known:
        private = frame[known["prive"]].map(lambda cell: fold(str(cell or "")) in {"1", "true", "oui", "vrai"})
        tags["access"] = np.where(private, "private", "")
    return tags
