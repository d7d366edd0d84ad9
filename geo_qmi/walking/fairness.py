"""Are the people of a district served alike: in and out of the priority district, by age, by income?

Splits the people of a terrain into groups from what the layers handed over say, and has `geo_qmi.coverage.equity`
publish or withhold each group. Without households nothing may be shown: the reader may state how many people live in
one, and that assumption is then written beside the figures. It draws no conclusion on fairness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi import coverage, maps
from geo_qmi.errors import InputError, shown
from geo_qmi.walking.layers import AGES, INCOME, PRIORITY
from geo_qmi.walking.telling import tidy
from geo_qmi.wording import counted

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

#: Thirds of the people whose income is known, from the lowest incomes up.
_THIRDS = ("1er tiers, revenus les plus bas", "2e tiers", "3e tiers, revenus les plus hauts")
_UNKNOWN_INCOME = "revenu inconnu"


def split(
    people: gpd.GeoDataFrame, zones: gpd.GeoDataFrame | None = None, *, household_size: float | None = None
) -> pd.DataFrame:
    """Return the groups each place of people belongs to, as `geo_qmi.coverage.equity` takes them.

    Parameters
    ----------
    people
        Points or small zones: ``population``, and ``households``, ``income``, « Âge : … » where known. Its index names
        the places.
    zones
        As returned by `geo_qmi.walking.zones_of`; its incomes win over those of the people.
    household_size
        People in a household, for the places that do not say their households.

    Returns
    -------
    DataFrame
        ``place_id``, ``dimension``, ``group``, ``people``, ``households`` (of an age, in proportion of its people).

    Raises
    ------
    InputError
        A size of household that is not at least 1.
    """
    if household_size is not None and not 1 <= household_size <= 10:
        raise InputError(f"Personnes par ménage : « {shown(household_size)} ». Attendu un nombre de 1 à 10.")
    count = people["population"].to_numpy("float64")
    homes = people["households"].to_numpy("float64") if "households" in people else np.full(len(people), np.nan)
    if household_size is not None:
        homes = np.where(np.isnan(homes), count / household_size, homes)
    ids = people.index.astype("str")
    parts = []

    def add(dimension: str, group: object, *, share: NDArray[np.float64] | float = 1.0) -> None:
        frame = pd.DataFrame({"place_id": ids, "dimension": dimension, "group": group})
        parts.append(frame.assign(people=count * share, households=homes * share))

    income = people["income"].to_numpy("float64") if "income" in people else np.full(len(people), np.nan)
    if zones is not None:
        holding = _holding(people, zones)
        if (zones["dimension"] == PRIORITY).any():
            add(PRIORITY, np.where(holding >= 0, "dedans", "dehors"))
        else:
            income = np.where(holding >= 0, zones["income"].to_numpy("float64")[holding], np.nan)
    if np.isfinite(income).any():
        add(INCOME, _thirds(income, count))
    for column in people:
        if str(column).startswith(f"{AGES} : "):
            ages = people[column].to_numpy("float64")
            add(AGES, str(column).removeprefix(f"{AGES} : "), share=np.divide(
                ages, count, out=np.zeros_like(ages), where=count > 0
            ))  # fmt: skip
    columns = ["place_id", "dimension", "group", "people", "households"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _holding(people: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> NDArray[np.intp]:
    """Return the row of the zone that holds each place, the first where several do, −1 where none does."""
    points = shapely.point_on_surface(people.geometry.to_numpy())
    place, zone = shapely.STRtree(zones.geometry.to_numpy()).query(points, predicate="intersects")
    holding = np.full(len(people), -1)
    order = np.lexsort((-zone, place))
    holding[place[order]] = zone[order]
    return holding


def _thirds(income: NDArray[np.float64], people: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the third of each place; places of one income stay together."""
    known = np.isfinite(income)
    levels, level = np.unique(income[known], return_inverse=True)
    size = np.bincount(level, weights=people[known], minlength=len(levels))
    before = np.cumsum(size) - size / 2
    third = np.minimum((3 * before / max(size.sum(), 1e-9)).astype(int), 2)
    words = np.full(len(income), _UNKNOWN_INCOME, dtype=object)
    words[known] = np.array(_THIRDS, dtype=object)[third[level]]
    return words


def told(found: pd.DataFrame) -> pd.DataFrame:
    """Return the result of `geo_qmi.coverage.equity` as a French table."""
    headings = {
        "dimension": "Selon", "group": "Groupe", "people": "Habitants", "people_reached": "À portée de marche",
        "percent": "Part à portée (%)", "households": "Ménages", "reason": "Masqué parce que",
    }  # fmt: skip
    return tidy(found.assign(percent=100 * found["share"]), headings)


def lines(found: pd.DataFrame, people: gpd.GeoDataFrame, *, household_size: float | None) -> list[str]:
    """Return what to know before reading the groups, in French."""
    if found.empty:
        return ["Équité : ni âge, ni revenu, ni zone dans les couches fournies. Ajoutez une couche de zones ou d’âges."]
    withheld = int(found["withheld"].sum())
    floor = f"sous le seuil de secret de {coverage.SECRECY_FLOOR} ménages ou faute de ménages connus"
    hidden = f"dont {counted(withheld, 'masqué')} {floor}" if withheld else "aucun masqué"
    said = [f"Équité : {counted(len(found), 'groupe')}, {hidden}."]
    if "households" not in people or people["households"].isna().any():
        absent = "Ménages absents de tout ou partie de la couche"
        if household_size is None:
            said.append(f"{absent} : rien n’en est publié. Indiquez le nombre de personnes par ménage.")
        else:
            assumed = maps.words(float(household_size))
            said.append(f"{absent} : comptés à raison de {assumed} personnes par ménage, hypothèse du lecteur.")
    if (found["dimension"] == AGES).any():
        said.append("Les ménages d’un âge sont comptés au prorata de ses habitants.")
    return said
