"""Where does what people felt part from a measured layer somebody brings?

Takes an uploaded layer in, has `geo_qmi.sensitive` compare it with what was felt, and words the table and the map of
the page. The layer is not kept in the study. It knows no widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo_qmi import maps, sensitive
from geo_qmi.errors import InputError
from geo_qmi.geo import propose_crs, to_metres
from geo_qmi.vocabulary import QUADRANTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.dashboard.fieldwork import Fieldwork, Ground
    from geo_qmi.sources.raw import RawTable


def measured_layer(raw: RawTable) -> gpd.GeoDataFrame:
    """Return an uploaded layer in Lambert-93.

    Raises
    ------
    InputError
        It carries no place, or does not say in which system and none can be told from its extent.
    """
    if raw.geometry is None or all(shape is None for shape in raw.geometry):
        raise InputError(f"« {raw.file} » ne porte aucun lieu. Attendu : des points ou des surfaces, avec une mesure.")
    shapes = gpd.GeoSeries(raw.geometry)
    crs = raw.crs
    if crs is None:
        likely = propose_crs([float(bound) for bound in shapes.total_bounds])
        if not likely:
            raise InputError(
                f"« {raw.file} » ne dit pas son système de coordonnées. Enregistrez-le en GeoPackage, en Lambert-93."
            )
        crs = likely[0].code
    frame = gpd.GeoDataFrame(raw.frame, geometry=shapes.to_numpy(), crs=crs)
    return to_metres(frame, what=f"la couche « {raw.file} »")


def numeric_columns(layer: pd.DataFrame) -> list[str]:
    """Return the columns of a layer in which half of the cells at least are numbers."""
    return [
        str(column)
        for column in layer.columns
        if column != "geometry" and pd.to_numeric(layer[column], errors="coerce").notna().mean() >= 0.5
    ]


def concordance_rows(found: Fieldwork, offered: Mapping[str, sensitive.Measured | None]) -> pd.DataFrame:
    """Return the table of `geo_qmi.sensitive.concordance` over the places of the map."""
    return sensitive.concordance(found.own["observations"], places=found.places, measured=offered)


def quadrant_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return places by topic and quadrant with French headings; « non fourni » where no layer was offered."""
    counts = sensitive.summary(table)
    counts = counts.loc[:, [code for code in QUADRANTS if counts[code].any()]]
    labels = {name: topic.label.capitalize() for name, topic in sensitive.TOPICS.items()}
    shown = counts.rename(index=labels, columns=QUADRANTS).rename_axis("Sujet")
    return shown.reset_index()


def discordant_rows(found: Fieldwork, table: pd.DataFrame, *, with_words: bool) -> pd.DataFrame:
    """Return the places where feeling and measure part; what was said there only `with_words` (private)."""
    apart = table[table["quadrant"].isin(["felt_bad", "felt_good"])]
    if with_words:
        apart = sensitive.discordant(table, found.own["observations"], places=found.places)
    rows = pd.DataFrame(
        {
            "Sujet": apart["topic"].map({name: topic.label for name, topic in sensitive.TOPICS.items()}),
            "Lieu": apart["place_id"],
            "Écart": apart["quadrant"].map(QUADRANTS),
            "Ressenti (−2 à +2)": apart["felt"].round(2),
            "Mesure": apart["measured"].round(2),
        }
    )
    if with_words:
        rows["Mots exacts"] = apart["verbatim"]
    return rows.reset_index(drop=True)


def compared(
    ground: Ground, found: Fieldwork, *, table: pd.DataFrame, topic: str
) -> maps.Map:  # fmt: skip
    """Return the map of one topic, felt against measured, from the table of `concordance_rows`."""
    return maps.concordance_map(
        ground.drawn,
        district=ground.title,
        topic=sensitive.TOPICS[topic].label,
        places=found.places,
        table=table[table["topic"] == topic],
        evidence=sensitive.evidence(sensitive.about(found.own["observations"], topic)),
        floor_people=sensitive.FLOOR_PEOPLE,
        demo=found.demo,
    )
