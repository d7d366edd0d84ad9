"""Where do what people feel and what instruments measure part, and which way?

One topic at a time over the places where people spoke of it. The colour says what was felt; a plain look says that the
measure agrees, hatching or a square that it contradicts. Under five people a sign with its number, as everywhere. The
quadrants come ready (`geo_qmi.sensitive.concordance`); no word of anybody is read here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import shapely

from geo_qmi.maps.drawing import DEMO, INK, Layer, Map, Style, extent_of, features, words
from geo_qmi.maps.scale import CLASSES, FAINT, UNSIGNED, decimal
from geo_qmi.vocabulary import QUADRANTS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from typing import Any

    import geopandas as gpd

    from geo_qmi.maps.drawing import Kind, Shape

#: Quadrant → colour of what was felt, spacing of the hatching that says a contradiction, sign under five people.
_LOOKS: dict[str, tuple[str, float, Shape]] = {
    "both_good": (CLASSES[4][0], 0.0, "circle"),
    "both_bad": (CLASSES[0][0], 0.0, "circle"),
    "felt_bad": (CLASSES[1][0], 7.0, "square"),
    "felt_good": (CLASSES[3][0], 7.0, "square"),
    "neutral": ("#ffffff", 0.0, "circle"),
    "not_measured": (UNSIGNED, 0.0, "circle"),
    "not_provided": (UNSIGNED, 0.0, "circle"),
}
#: Ground shown around the places compared.
_MARGIN_M = 120.0


def concordance_map(
    ground: Map,
    *,
    district: str,
    topic: str,
    places: gpd.GeoDataFrame,
    table: pd.DataFrame,
    evidence: str,
    floor_people: int,
    demo: bool = False,
) -> Map:
    """Return the four quadrants of one topic on the ground.

    Parameters
    ----------
    ground
        The map of the district without its walk, see `geo_qmi.maps.district_map`.
    district, topic
        French names, for the title.
    places
        Places of the table, in EPSG:2154.
    table
        Rows of one topic of `geo_qmi.sensitive.concordance`.
    evidence
        Sessions, people, observations on this topic, in French; they end the title.
    floor_people
        Under this many people a place is a sign, not an area.
    demo
        Whether what was felt is made up.

    Returns
    -------
    A map whose table has one row a place, the contradictions first.
    """
    rows = table.assign(_apart=~table["quadrant"].isin(["felt_bad", "felt_good"])).sort_values(["_apart", "place_id"])
    here = places.loc[rows["place"]]
    firm = (rows["n_people"] >= floor_people).to_numpy()
    told = _told(rows)
    layers = [
        _layer("concordance", "Cinq personnes ou plus", here[firm], rows[firm], told[firm], kind="area"),
        _layer("concordance_few", "Moins de cinq personnes", here[~firm], rows[~firm], told[~firm], kind="point"),
    ]
    return replace(
        ground,
        title=f"{district}, ressenti et mesure, {topic} : {evidence}{f' ({DEMO})' if demo else ''}",
        layers=ground.over(layers),
        extent_m=extent_of(here, margin_m=_MARGIN_M) if len(here) else ground.extent_m,
        description=_description(district, topic, rows),
        table=told.reset_index(drop=True),
        unplaced=pd.DataFrame(),
        nothing="" if len(rows) else f"Personne n’a parlé de ce sujet : {topic}.",
    )


def _layer(
    name: str, title: str, places: gpd.GeoDataFrame, rows: pd.DataFrame, told: pd.DataFrame, *, kind: Kind
) -> Layer:
    """Return places above the floor as their ground, the others as a sign with its number of people."""
    numbers = [str(n) if kind == "point" else "" for n in rows["n_people"]]
    looks = [f"{code}-{n}" for code, n in zip(rows["quadrant"], numbers, strict=True)]
    styles = {f"{code}-{n}": _style(code, n, kind=kind) for code in _LOOKS for n in sorted(set(numbers))}
    shapes = places.geometry if kind == "area" else places.geometry.map(shapely.point_on_surface)
    columns: dict[str, Any] = {str(heading): told[heading] for heading in told}
    frame = features(shapes, ids=rows["place_id"], labels=told["Comparaison"], styles=looks, **columns)
    key = tuple(_style(code, "", kind=kind, label=True) for code in _LOOKS if (rows["quadrant"] == code).any())
    tooltip = ("Ressenti (−2 à +2)", "Mesure", "Seuil", "Personnes", "Lieu")
    return Layer(name=name, title=title, kind=kind, frame=frame, styles=styles, tooltip=tooltip, optional=True, key=key)


def _style(code: str, number: str, *, kind: Kind, label: bool = False) -> Style:
    fill, hatch_m, shape = _LOOKS[code]
    words_of = QUADRANTS[code].capitalize() if label else ""
    if kind == "area":
        return Style(label=words_of, fill=fill, line=INK if hatch_m else FAINT, opacity=0.85, hatch_m=hatch_m)
    return Style(label=words_of, fill=fill, line=INK, shape=shape, size_px=19, letters=number)


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Lieu": rows["place_id"],
            "Comparaison": rows["quadrant"].map(QUADRANTS),
            "Ressenti (−2 à +2)": [decimal(value) for value in rows["felt"]],
            "Mesure": [decimal(value) for value in rows["measured"]],
            "Seuil": [decimal(value) for value in rows["threshold"]],
            "Personnes": rows["n_people"].map(words),
        },
        index=rows.index,
    ).astype("str")


def _description(district: str, topic: str, rows: pd.DataFrame) -> str:
    """Say in one paragraph what the map shows."""
    n_of = rows["quadrant"].value_counts()
    parts = [f"{text} : {words(int(n_of[code]))}" for code, text in QUADRANTS.items() if n_of.get(code, 0)]
    limit = rows["threshold"].dropna()
    said = f" Seuil de la mesure : {decimal(float(limit.iloc[0]))}." if len(limit) else ""
    return (
        f"Ressenti et mesure, {topic}, {district}, sur {counted(len(rows), 'lieu', 'lieux')} dont on a parlé. "
        f"{' ; '.join(parts).capitalize()}.{said}"
    )
