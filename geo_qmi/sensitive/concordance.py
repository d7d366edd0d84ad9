"""Where do what people feel and what instruments measure agree, and where do they not?

For each topic (heat, noise, greenery, light) a place falls in one of four quadrants: felt good or bad, measured good
or bad. The discordant places are the reason to look: a street measured as cool where people suffer is not a mistake of
the people. No layer is fetched or invented here: a topic whose layer was not offered says « non fourni ».
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.geo import require_metres
from geo_qmi.guards import require_columns
from geo_qmi.sensitive.inputs import require_observations
from geo_qmi.sensitive.places import SEGMENT_REACH_M, attach
from geo_qmi.sensitive.values import values
from geo_qmi.vocabulary import QUADRANTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

Frame = TypeVar("Frame", bound=pd.DataFrame)

#: Quadrants where people and instruments part.
DISCORDANT = ("felt_bad", "felt_good")


@dataclass(frozen=True, slots=True)
class Topic:
    """One question put to both people and instruments.

    Attributes
    ----------
    label
        French name.
    themes, senses
        Marks on any of these themes or of these senses speak of it.
    high_is_good
        Whether a high measure is favourable.
    """

    label: str
    themes: tuple[str, ...]
    senses: tuple[str, ...]
    high_is_good: bool


TOPICS = {
    "heat": Topic("chaleur", ("climat",), (), high_is_good=False),
    "noise": Topic("bruit", (), ("hearing",), high_is_good=False),
    "greenery": Topic("végétation", ("nature",), (), high_is_good=True),
    "light": Topic("peur et éclairage", ("securite",), (), high_is_good=True),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured layer offered for a topic.

    Attributes
    ----------
    layer
        Points or polygons in EPSG:2154.
    value_column
        Column of numbers; missing values are not measures.
    threshold
        Value from which a measure is high; the median over the places compared by default, and then « bon » and
        « mauvais » are relative to this district.
    """

    layer: gpd.GeoDataFrame
    value_column: str
    threshold: float | None = None


def concordance(
    observations: gpd.GeoDataFrame,
    *,
    places: gpd.GeoDataFrame,
    measured: Mapping[str, Measured | None],
    reach_m: float = SEGMENT_REACH_M,
) -> pd.DataFrame:
    """Return, for each topic and each place where people spoke of it, the felt and the measured side.

    Parameters
    ----------
    observations
        Table ``observations`` in EPSG:2154, with ``theme`` and ``sense``.
    places
        See `geo_qmi.sensitive.places`.
    measured
        Topic (key of `TOPICS`) → layer; a topic absent or ``None`` is « non fourni ».
    reach_m
        Farthest a measuring point may lie from a place, in metres.

    Returns
    -------
    DataFrame
        ``topic``, ``place`` (index label of `places`), ``place_id``, ``felt`` (−2 to +2), ``n_people``, ``measured``
        (unit of the layer), ``threshold``, ``quadrant`` (code of ``QUADRANTS``); sorted by topic then place. A topic
        nobody spoke of has no row.
    """
    require_observations(observations, "theme", "sense")
    unknown = sorted(set(measured) - set(TOPICS))
    if unknown:
        raise UnknownNameError(f"Sujet inconnu : « {shown(unknown[0])} ». Sujets connus : {', '.join(TOPICS)}.")
    parts = []
    for name, topic in TOPICS.items():
        told = values(about(observations, name), places=places, reach_m=reach_m)
        told = told[told["n_people"] > 0]
        part = pd.DataFrame(
            {
                "topic": name,
                "place": told.index,
                "place_id": places["place_id"].loc[told.index].to_numpy(),
                "felt": told["value"].to_numpy(),
                "n_people": told["n_people"].to_numpy(),
            }
        ).astype({"topic": "str", "place_id": "str"})
        parts.append(_with_measure(part, topic=topic, offered=measured.get(name), places=places, reach_m=reach_m))
    return pd.concat(parts, ignore_index=True)


def about(observations: Frame, topic: str) -> Frame:
    """Return the observations that speak of a topic, a key of `TOPICS`: by their theme or by their sense."""
    asked = TOPICS[topic]
    spoken = observations["theme"].isin(asked.themes) | observations["sense"].isin(asked.senses)
    return observations[spoken]


def _with_measure(
    part: pd.DataFrame, *, topic: Topic, offered: Measured | None, places: gpd.GeoDataFrame, reach_m: float
) -> pd.DataFrame:
    """Add the measured side and the quadrant to the places of one topic."""
    part["measured"], part["threshold"] = np.nan, np.nan
    if offered is None:
        return part.assign(quadrant=pd.Series("not_provided", index=part.index, dtype="str"))
    measures = measure(places.loc[part["place"]], offered, reach_m=reach_m)
    part["measured"] = measures.to_numpy()
    limit = offered.threshold if offered.threshold is not None else float(part["measured"].median())
    part["threshold"] = limit
    # A measure on the threshold is high: the limit of a norm is already its breach.
    good = (part["measured"] >= limit) == topic.high_is_good
    conditions = [part["measured"].isna(), part["felt"].abs() < 1e-9, (part["felt"] > 0) & good, part["felt"] > 0, good]
    codes = np.select(conditions, ["not_measured", "neutral", "both_good", "felt_good", "felt_bad"], default="both_bad")
    return part.assign(quadrant=pd.Series(codes, index=part.index, dtype="str"))


def measure(places: gpd.GeoDataFrame, offered: Measured, *, reach_m: float = SEGMENT_REACH_M) -> pd.Series:
    """Return the measured value of each place, missing where nothing was measured.

    Areas: mean weighted by the surface shared with the place (or the length, for a street segment). Points: mean of
    those within `reach_m` of the place.

    Parameters
    ----------
    places
        In EPSG:2154.
    offered
        The layer and its column.
    reach_m
        For points, in metres.

    Returns
    -------
    Series ``measured`` on the index of `places`.
    """
    require_metres(offered.layer, what="la couche mesurée")
    require_columns(offered.layer, [offered.value_column], what="Couche mesurée")
    numbers = pd.to_numeric(offered.layer[offered.value_column], errors="coerce").to_numpy(dtype=float)
    if len(numbers) and not np.isfinite(numbers).any():
        raise InputError(f"Couche mesurée : aucun nombre dans la colonne « {offered.value_column} ».")
    shapes = offered.layer.geometry.to_numpy()
    kept = np.isfinite(numbers) & ~shapely.is_missing(shapes)
    shapes, numbers = shapes[kept], numbers[kept]
    grounds = places.geometry.to_numpy()
    if (shapely.get_dimensions(shapes) == 2).all():
        place, part = shapely.STRtree(shapes).query(grounds, predicate="intersects")
        weight = _extent(shapely.intersection(grounds[place], shapes[part]), grounds[place])
    else:
        place, part = shapely.STRtree(shapes).query(grounds, predicate="dwithin", distance=reach_m)
        weight = np.ones(len(place))
    total = np.bincount(place, weights=weight, minlength=len(places))
    added = np.bincount(place, weights=weight * numbers[part], minlength=len(places))
    with np.errstate(invalid="ignore", divide="ignore"):
        return pd.Series(np.where(total > 0, added / total, np.nan), index=places.index, name="measured")


def _extent(shared: NDArray[np.object_], grounds: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the surface of each shared part, or its length where the place is a line."""
    lines = shapely.get_dimensions(grounds) == 1
    return np.asarray(np.where(lines, shapely.length(shared), shapely.area(shared)), dtype=float)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many places of each topic fall in each quadrant, every topic and quadrant present.

    Parameters
    ----------
    table
        As returned by `concordance`.

    Returns
    -------
    DataFrame
        Index ``topic`` (all of `TOPICS`), one column a quadrant, counts of places.
    """
    counts = pd.crosstab(table["topic"], table["quadrant"])
    counts = counts.reindex(index=list(TOPICS), columns=list(QUADRANTS), fill_value=0)
    return counts.rename_axis(index="topic", columns=None)


def discordant(
    table: pd.DataFrame,
    observations: gpd.GeoDataFrame,
    *,
    places: gpd.GeoDataFrame,
    reach_m: float = SEGMENT_REACH_M,
) -> pd.DataFrame:
    """Return the words said at the places where feeling and measure part. Private.

    Parameters
    ----------
    table
        As returned by `concordance`.
    observations
        The same observations, with ``verbatim``.
    places
        The same places.
    reach_m
        See `geo_qmi.sensitive.places.attach`.

    Returns
    -------
    DataFrame
        ``topic``, ``place``, ``place_id``, ``quadrant``, ``felt``, ``measured``, ``observation_id``, ``valence``,
        ``verbatim``: one row a mark with words, in the order of `table`.
    """
    require_observations(observations, "theme", "sense", "verbatim")
    pairs = attach(observations, places=places, reach_m=reach_m)
    told = observations.loc[pairs["observation"], ["observation_id", "kind", "theme", "sense", "valence", "verbatim"]]
    told = pd.DataFrame(told).reset_index(drop=True).assign(place=pairs["place"].to_numpy())
    told = told[told["kind"].eq("mark") & told["verbatim"].notna()]
    parts = []
    for name in TOPICS:
        apart = table[(table["topic"] == name) & table["quadrant"].isin(DISCORDANT)]
        parts.append(apart.merge(about(told, name), on="place", how="inner"))
    columns = ["topic", "place", "place_id", "quadrant", "felt", "measured", "observation_id", "valence", "verbatim"]
    return pd.concat(parts, ignore_index=True)[columns]
