"""What do the layers somebody hands over say: people, zones to compare, served places, permits?

Each file becomes one frame of known columns. A layer of people may carry households, ages and income (the columns of
INSEE's 200 m squares are known); a layer of zones splits people by priority district or by income. A number nobody
wrote stays missing. Nothing is counted here, and nothing is kept in the study.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import CrsError, InputError, shown
from geo_qmi.geo import to_metres
from geo_qmi.schema import CRS
from geo_qmi.sources.files import read_file
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from pathlib import Path

    from geo_qmi.sources.raw import RawTable

#: Folded names under which publishers write people, households, income and the identifier of a zone.
_PEOPLE = ("population", "habitants", "nb_habitants", "pop", "ind", "personnes")
_HOUSEHOLDS = ("menages", "nb_menages", "men", "households")
_INCOME = ("revenu_median_eur", "revenu_median", "revenu", "niveau_de_vie", "mediane", "med_uc", "disp_med", "income")
#: INSEE's squares give the sum of the living standards of their people, not the mean.
_INCOME_SUM = "ind_snv"
_IDS = ("place_id", "idcar_200m", "idcar_nat", "idcar", "id_carr1km", "code_iris", "iris", "code", "id")
_AGE = re.compile(r"(?:.*_)?(?:ind|pop|age|ages)_?(\d{1,2})(?:_?(\d{1,2})|_?(?:p|plus))")
#: A zone larger than four hectares (a square of 200 m) is no place: its people are spread over it.
COARSE_M2 = 200.0**2
#: Columns of a permit file → the words a form may use.
_PERMITS = {
    "site_id": ("site_id", "place_id", "lieu", "identifiant"),
    "rank": ("rank", "rang", "etape", "ordre"),
    "owner": ("owner", "proprietaire"),
    "authority": ("authority", "autorite", "autorite_competente"),
    "convention": ("convention", "autorisation", "acte"),
    "weeks": ("weeks", "semaines", "duree_semaines"),
}
_SERVED = {"project_id": ("project_id", "projet"), "place_id": ("place_id", "lieu", "zone", "code_iris", "carreau")}
AGES, INCOME, PRIORITY = "Âge", "Revenu", "Quartier prioritaire"


def population_of(path: Path, *, name: str | None = None) -> gpd.GeoDataFrame:
    """Return the layer of people of a file.

    Parameters
    ----------
    name
        Name the user knows the file by, when it differs from the path.

    Returns
    -------
    GeoDataFrame
        EPSG:2154: ``place_id``, ``population``, ``households`` (missing when not given), ``income`` (euros, the same),
        and one column « Âge : … » of people for each age group of the file.

    Raises
    ------
    InputError
        No geometry, no column of people, or a number that is negative or none.
    CrsError
        The file declares no coordinate system.
    """
    title, places = shown(name or path.name), "une géométrie et l’une"
    for table in read_file(path, name=name):
        known = _named(table)
        people = _first(known, _PEOPLE)
        if table.geometry is None and people is not None:
            places = "un GeoPackage, un GeoJSON ou un shapefile zippé (un tableau n’a pas de géométrie), et l’une"
        if table.geometry is None or people is None:
            continue
        taken = {"population": people, "households": _first(known, _HOUSEHOLDS), "income": _first(known, _INCOME)}
        columns = {one: _numbers(table, column, title=title) for one, column in taken.items()}
        if _INCOME_SUM in known:
            total = _numbers(table, known[_INCOME_SUM], title=title)
            columns["income"] = np.divide(
                total, columns["population"], out=np.full_like(total, np.nan), where=columns["population"] > 0
            )
        columns |= {f"{AGES} : {words}": _numbers(table, column, title=title) for column, words in _ages(known).items()}
        ident = _first(known, _IDS)
        ids = table.frame.index.astype("str") if ident is None else table.frame[ident].astype("str")
        return _layer(table, {"place_id": ids.to_numpy(), **columns}, title=title)
    raise InputError(
        f"« {title} » : aucune couche avec une colonne d’habitants. Attendu {places} des colonnes {', '.join(_PEOPLE)}."
    )


def zones_of(path: Path, *, name: str | None = None) -> gpd.GeoDataFrame:
    """Return the zones by which people are compared.

    Returns
    -------
    GeoDataFrame
        Polygons in EPSG:2154: ``dimension`` (`INCOME` where the layer has incomes, else `PRIORITY`), ``income`` (euros,
        missing outside the first).

    Raises
    ------
    InputError
        No layer holds polygons.
    CrsError
        The file declares no coordinate system.
    """
    title = shown(name or path.name)
    for table in read_file(path, name=name):
        if table.geometry is None or not (shapely.get_dimensions(table.geometry) == 2).any():
            continue
        column = _first(_named(table), _INCOME)
        columns = {
            "dimension": PRIORITY if column is None else INCOME,
            "income": _numbers(table, column, title=title),
        }
        return _layer(table, columns, title=title)
    raise InputError(f"« {title} » : aucune couche de zones. Attendu des polygones : QPV, IRIS ou carreaux.")


def permits_of(path: Path, *, name: str | None = None) -> pd.DataFrame:
    """Return the steps of a permit file: ``site_id``, ``rank``, ``owner``, ``authority``, ``convention``, ``weeks``.

    Raises
    ------
    InputError
        No sheet has a place and a rank; the sentence names the columns expected.
    """
    frame = _sheet(path, _PERMITS, needed=("site_id", "rank"), name=name)
    weeks = frame["weeks"]
    said = weeks.astype("str").str.replace(",", ".").where(weeks.notna())
    rank = pd.to_numeric(frame["rank"], errors="coerce")
    return frame.assign(weeks=said, rank=rank)


def served_of(path: Path, *, name: str | None = None) -> pd.DataFrame:
    """Return the places a served population lives in: ``project_id``, ``place_id``.

    Raises
    ------
    InputError
        No sheet has both columns.
    """
    return _sheet(path, _SERVED, needed=tuple(_SERVED), name=name)


def spread(people: gpd.GeoDataFrame, squares: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return people on squares of ground: those of a zone too large to be one place are spread evenly over it.

    Parameters
    ----------
    people
        As returned by `population_of`.
    squares
        Points, the centres of a grid that holds every zone whole.

    Returns
    -------
    GeoDataFrame
        The small zones as they are; for each larger one a row a square, which takes its part of every count. A zone
        that holds no centre stays one row. Counts are conserved.
    """
    wide = shapely.area(people.geometry.to_numpy()) > COARSE_M2
    if not wide.any():
        return people
    zones = people[wide].reset_index(drop=True)
    zone, square = shapely.STRtree(squares.geometry.to_numpy()).query(zones.geometry.to_numpy(), predicate="contains")
    held = np.bincount(zone, minlength=len(zones))
    parts = zones.iloc[zone].set_geometry(squares.geometry.to_numpy()[square], crs=CRS)
    counts = [column for column in parts if column in {"population", "households"} or str(column).startswith(AGES)]
    parts = parts.assign(**{column: parts[column].to_numpy() / held[zone] for column in counts})
    return gpd.GeoDataFrame(pd.concat([people[~wide], zones[held == 0], parts], ignore_index=True), crs=CRS)


def _layer(table: RawTable, columns: dict[str, Any], *, title: str) -> gpd.GeoDataFrame:
    if table.crs is None:
        raise CrsError(f"« {title} » : système de coordonnées absent → déclarez-le (EPSG:2154).")
    frame = pd.DataFrame(columns, index=table.frame.index)
    return to_metres(gpd.GeoDataFrame(frame, geometry=table.geometry, crs=table.crs), what=title)


def _named(table: RawTable) -> dict[str, str]:
    """Return folded name → column."""
    return {fold(str(column)): str(column) for column in table.frame}


def _first(known: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((known[name] for name in names if name in known), None)


def _numbers(table: RawTable, column: str | None, *, title: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a column as numbers, decimal comma allowed; a number that cannot be is refused by row."""
    if column is None:
        return np.full(len(table.frame), np.nan)
    cells = table.frame[column]
    text = cells.astype("str").str.replace(",", ".").str.replace(r"\s", "", regex=True)
    numbers = pd.to_numeric(text, errors="coerce").to_numpy("float64")
    wrong = np.flatnonzero((np.isnan(numbers) & cells.notna().to_numpy() & ~text.isin(["", "nan"])) | (numbers < 0))
    if len(wrong):
        raise InputError(
            f"« {title} », colonne « {shown(column)} », ligne {table.frame.index[wrong[0]]} : "
            f"« {shown(cells.iloc[wrong[0]])} ». Attendu un nombre positif ou nul, ou rien."
        )
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _ages(known: dict[str, str]) -> dict[str, str]:
    """Return column → French words for each age group."""
    found = {}
    for name, column in known.items():
        ages = _AGE.fullmatch(name)
        if ages is not None and name not in _PEOPLE:
            low, high = int(ages[1]), ages[2]
            found[column] = f"{low} ans et plus" if high is None else f"{low}–{int(high)} ans"
    return found


def _sheet(
    path: Path, wanted: dict[str, tuple[str, ...]], *, needed: tuple[str, ...], name: str | None
) -> pd.DataFrame:  # fmt: skip
    """Return the columns of the first sheet that has the needed ones; an empty cell is missing."""
    for table in read_file(path, name=name):
        known = _named(table)
        taken = {column: _first(known, words) for column, words in wanted.items()}
        if any(taken[column] is None for column in needed):
            continue
        cells = {column: None if source is None else table.frame[source] for column, source in taken.items()}
        frame = pd.DataFrame(cells, index=table.frame.index).astype("object")
        return frame.mask(frame.isna() | (frame.astype("str").apply(lambda column: column.str.strip()) == ""), None)
    expected = " ; ".join(" ou ".join(words) for words in wanted.values())
    raise InputError(f"« {shown(name or path.name)} » : colonnes attendues absentes. Attendu : {expected}.")
