"""Which streets and paths does this file hold?

Reads an OpenStreetMap extract (``.osm.pbf``) and puts the words of another publisher's line layer (IGN BD TOPO) into
OpenStreetMap's, the vocabulary `geo_qmi.network.streets` understands. It keeps every way that could be walked and
leaves it to the network to refuse some: nothing is decided here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import CrsError, InputError, shown
from geo_qmi.geo import to_metres
from geo_qmi.sources.files import read_file
from geo_qmi.sources.limits import Limits
from geo_qmi.vocabulary import fold
from geo_qmi.wording import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo_qmi.sources.raw import RawTable

#: What an extract may cost. Île-de-France is 300 MB with 2.5 million streets and paths; a town takes seconds.
EXTRACT_LIMITS = Limits(file_bytes=800_000_000, rows=5_000_000, seconds=900.0, memory_bytes=6 * 2**30)

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
#: Columns of BD TOPO, version 3 then the short names of shapefiles and version 2, whose words are read here.
_GROUND_COLUMNS = ("position_par_rapport_au_sol", "pos_sol")
_CROSSING_COLUMNS = ("franchissement", "franchisst")
_STATE_COLUMNS = ("etat_de_l_objet", "etat")
_NAME_COLUMNS = ("nom_collaboratif_gauche", "nom_voie_ban_gauche", "nom_1_gauche", "nom_rue_g", "nom_coll_g")
_WALK_COLUMNS = ("acces_pieton", "acces_ped")
_STATES = {"en_construction": "construction", "en_projet": "proposed"}


def read_pbf(
    path: Path, *, progress: Callable[[str], None] | None = None, limits: Limits = EXTRACT_LIMITS
) -> gpd.GeoDataFrame:
    """Return the streets and paths of an OpenStreetMap extract, parsed in a child process like any foreign file.

    Parameters
    ----------
    path
        A ``.osm.pbf`` file.
    progress
        Called with a French sentence now and then.
    limits
        What the file may cost.

    Returns
    -------
    GeoDataFrame
        EPSG:2154; ``osm_id``, the tags of `geo_qmi.sources.pbf.TAGS` (missing where absent), ``cut``, one line a way.
        A way cut by the edge of the extract gives one line for each part whose points are known, none where none is
        known, with the same ``osm_id``; ``frame.attrs["incomplete"]`` counts such ways.

    Raises
    ------
    UnreadableError
        Missing, empty, truncated, or not a PBF file.
    LimitError
        A limit is passed.
    InputError
        pyosmium is not installed, or the file holds no street.
    """
    path = Path(path)
    if find_spec("osmium") is None:
        raise InputError(
            "Lecture des extraits OpenStreetMap indisponible : installez-la avec pip install 'geo-qmi[streets]'."
        )
    name = shown(path.name)
    tell = progress or _say_nothing
    (table,) = read_file(
        path, limits=limits, reader="streets", progress=lambda ways: tell(f"« {name} » : {number(ways)} voies lues…")
    )
    if not table.n_in:
        raise InputError(f"« {name} » ne contient aucune rue ni chemin → choisissez un autre extrait.")
    tell(f"« {name} » : {number(table.n_in)} voies lues, passage en Lambert-93…")
    tags = table.frame.drop(columns=["osm_id", "cut"]).astype("str")
    kept = table.frame[["osm_id", "cut"]].astype({"osm_id": "int64", "cut": "bool"})
    frame = kept[["osm_id"]].join(tags).join(kept[["cut"]])
    frame = to_metres(gpd.GeoDataFrame(frame, geometry=table.geometry, crs=table.crs), what=name)
    frame.attrs["incomplete"] = int(frame.loc[frame["cut"], "osm_id"].nunique())
    if frame.attrs["incomplete"]:
        tell(
            f"« {name} » : {number(frame.attrs['incomplete'])} voies coupées par le bord de l’extrait, gardées là où "
            "leurs points sont connus."
        )
    return frame


def _say_nothing(_: str) -> None:
    """Take the place of `progress` when nobody listens."""


def street_lines(table: RawTable) -> gpd.GeoDataFrame:
    """Return a line layer of any publisher in the words of the walking network.

    Parameters
    ----------
    table
        One layer of `geo_qmi.sources.files.read_file`. A layer with ``nature`` and ``position_par_rapport_au_sol``
        (``pos_sol``) or ``franchissement`` is taken for BD TOPO; one with ``highway`` for OpenStreetMap; any other is
        plain lines, with a column ``level`` of your own where slabs and bridges matter.

    Returns
    -------
    GeoDataFrame
        EPSG:2154, the columns of the layer plus the tags that could be filled; one row a record.

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
    if _is_bdtopo(table):
        frame = frame.assign(**_from_bdtopo(table.frame))
    return to_metres(frame, what=table.layer)


def read_streets(path: Path, *, progress: Callable[[str], None] | None = None) -> gpd.GeoDataFrame:
    """Return the streets of a file: an OpenStreetMap extract, or a line layer of any format that is read.

    Of several line layers the first that speaks of streets is read (BD TOPO or ``highway``), else the first.

    Raises
    ------
    InputError
        No layer of the file holds lines.
    """
    path = Path(path)
    if path.suffix.lower() == ".pbf":
        return read_pbf(path, progress=progress)
    lines = [
        table
        for table in read_file(path, limits=EXTRACT_LIMITS)
        if table.geometry is not None and (shapely.get_dimensions(table.geometry) == 1).any()
    ]
    if not lines:
        raise InputError(f"« {shown(path.name)} » ne contient aucune couche de lignes → choisissez la couche des rues.")
    return street_lines(next((table for table in lines if _is_bdtopo(table) or "highway" in table.frame), lines[0]))


def _known(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the columns of a table by folded name."""
    return {fold(str(column)): column for column in frame.columns}


def _is_bdtopo(table: RawTable) -> bool:
    """Tell whether a layer has the columns of the « tronçon de route » of BD TOPO."""
    known = _known(table.frame)
    return "nature" in known and not known.keys().isdisjoint(_GROUND_COLUMNS + _CROSSING_COLUMNS)


def _from_bdtopo(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the tags of BD TOPO records."""
    known = _known(frame)

    def words(*names: str) -> pd.Series[str]:
        """Return the text of the first of the columns that is there, ``""`` where it is empty."""
        column = next((known[name] for name in names if name in known), None)
        text = pd.Series("", index=frame.index) if column is None else frame[column]
        return text.astype(object).where(text.notna(), "").astype(str).str.strip()

    # An unknown nature stays walkable: the network may only refuse what is known to be shut.
    highway = words("nature").map(lambda word: _NATURES.get(fold(word), "unclassified"))
    state = words(*_STATE_COLUMNS).map(lambda word: _STATES.get(fold(word), ""))
    position, crossing = words(*_GROUND_COLUMNS), words(*_CROSSING_COLUMNS).map(fold)
    level = position.str.extract(r"^([-−]?\d+)", expand=False).fillna("0").where(position != "", "")
    shut = words(*_WALK_COLUMNS).map(fold).str.contains("interdit|impossible|restreint", regex=True)
    private = words("prive").map(fold).isin({"1", "true", "oui", "vrai"})
    return {
        "highway": highway.where(state == "", state),
        # Where the position is empty, what the record crosses tells its level.
        "level": level,
        "bridge": np.where(crossing.str.startswith("pont"), "yes", ""),
        "tunnel": np.where(crossing.str.startswith("tunnel"), "yes", ""),
        "foot": np.where(shut, "no", ""),
        "access": np.where(private, "private", ""),
        "name": words(*_NAME_COLUMNS),
    }
