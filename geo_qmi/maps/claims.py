"""What may a map claim beyond the value of each place: a surface, an interval, a gathering?

Each has its own view over the places of a sensitive map, with the words that say how it was made and where it stops.
All three come ready, and only from five people on: nothing is smoothed, drawn again or tested here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.maps.drawing import INK, Layer, Style, class_of, class_styles, count_classes, features, words
from geo_qmi.maps.scale import CLASSES, FAINT, UNSIGNED, decimal, value_class
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo_qmi.maps.drawing import Kind

#: Verdict of `geo_qmi.sensitive.hotspots` → colour and legend.
_SPOTS = {
    "hot": (CLASSES[4][0], "Regroupement de ressentis positifs"),
    "cold": (CLASSES[0][0], "Regroupement de ressentis négatifs"),
    "none": ("#ffffff", "Testé : rien de distinct du hasard"),
    "not_tested": (UNSIGNED, "Non testé : moins de cinq personnes alentour"),
}
#: Where an interval lies → colour and legend.
_SIDES = {
    "good": (CLASSES[4][0], "Favorable dans tout l’intervalle"),
    "bad": (CLASSES[0][0], "Défavorable dans tout l’intervalle"),
    "unsure": ("#ffffff", "L’intervalle contient 0 : sens incertain"),
    "few": (UNSIGNED, "Moins de cinq personnes : pas d’intervalle"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One view over the places.

    Attributes
    ----------
    title
        French words for the title of the map; empty for the places themselves.
    layers
        Bottom first.
    table
        The same as rows, with French headings.
    words
        French sentence for the description.
    """

    title: str = ""
    layers: list[Layer]
    table: pd.DataFrame
    words: str = ""


def surface(walked: gpd.GeoDataFrame, smooth: pd.DataFrame, *, evidence: bool) -> Claim:
    """Return the kernel surface, or the people behind it, where somebody walked and enough people are near.

    Parameters
    ----------
    walked
        Places somebody walked, of `geo_qmi.sensitive.felt`.
    smooth
        As returned by `geo_qmi.sensitive.surface`.
    evidence
        Draw the evidence, not the value.
    """
    found = smooth.reindex(walked.index)
    there = found["value"].notna().to_numpy()
    kept, found = walked[there], found[there]
    told = _told(
        kept,
        {
            "Valeur lissée (−2 à +2)": [decimal(value) for value in found["value"]],
            "Preuve (personnes)": [decimal(value) for value in found["evidence"]],
            "Personnes proches": found["n_people"].map(words),
        },
    )
    if evidence:
        people = np.floor(found["evidence"].to_numpy(dtype=float)).astype(int)
        classes = count_classes(people)
        looks = [class_of(int(count), classes) for count in people]
        styles = class_styles(classes, "personne", opacity=0.85)
    else:
        looks = [f"v{value_class(value)}" for value in found["value"]]
        styles = {
            f"v{rank}": Style(label=f"Ressenti lissé {text}", fill=fill, line=FAINT, width_px=0.5, opacity=0.85)
            for rank, (fill, text, _) in enumerate(CLASSES)
        }
    name, title, layer_title = _EVIDENCE if evidence else _VALUE
    layer = _layer((f"surface_{name}", layer_title, "area"), kept, looks=looks, styles=styles, told=told)
    said = f"La surface lissée couvre {counted(len(kept), 'lieu', 'lieux')} où cinq personnes au moins sont proches."
    return Claim(title=title, layers=[layer], table=told, words=said)


#: Name, title of the map and title of the layer of the two views of the surface.
_VALUE = ("value", "surface lissée", "Surface lissée, cinq personnes proches au moins")
_EVIDENCE = ("evidence", "personnes derrière la surface", "Preuve (personnes, pondérées par la distance)")


def intervals(walked: gpd.GeoDataFrame, bounds: pd.DataFrame) -> Claim:
    """Return where the sign of a value would hold had other people come, and where it would not.

    Parameters
    ----------
    walked
        Places somebody walked, of `geo_qmi.sensitive.felt`.
    bounds
        ``low``, ``high`` on the same index, as returned by `geo_qmi.sensitive.intervals`.
    """
    said = walked[walked["value"].notna()]
    found = bounds.reindex(said.index)
    told = _told(
        said,
        {
            "Valeur (−2 à +2)": [decimal(value) for value in said["value"]],
            "Intervalle à 90 %": [
                "—" if pd.isna(low) else f"{decimal(low)} à {decimal(high)}"
                for low, high in zip(found["low"], found["high"], strict=True)
            ],
            "Personnes": said["n_people"].map(words),
            "Lecture": [_SIDES[side][1] for side in _sides(found)],
        },
    )
    sides = np.array(_sides(found), dtype=object)
    layers = _firm_and_few(said, sides, few=sides == "few", looks=_SIDES, told=told, name="interval")
    n_known = int((sides != "few").sum())
    text = (
        f"Un intervalle est connu pour {counted(n_known, 'lieu', 'lieux')} à cinq personnes ou plus, dont "
        f"{words(int((sides == 'unsure').sum()))} où le sens reste incertain."
    )
    return Claim(title="intervalles", layers=layers, table=told, words=text)


def _sides(bounds: pd.DataFrame) -> list[str]:
    """Return where each interval lies: on one side of zero, across it, or nowhere."""
    conditions = [bounds["low"].isna(), bounds["low"] > 0, bounds["high"] < 0]
    return [str(side) for side in np.select(conditions, ["few", "good", "bad"], default="unsure")]


def spots(walked: gpd.GeoDataFrame, tested: pd.DataFrame) -> Claim:
    """Return where good or bad feelings gather more than chance would have it, and what was not tested.

    Parameters
    ----------
    walked
        Places somebody walked, of `geo_qmi.sensitive.felt`.
    tested
        ``value``, ``z``, ``p``, ``q``, ``n_around``, ``verdict`` on the same index, as returned by
        `geo_qmi.sensitive.hotspots`.
    """
    said = walked[walked["value"].notna()]
    found = tested.reindex(said.index)
    told = _told(
        said,
        {
            "Valeur (−2 à +2)": [decimal(value) for value in said["value"]],
            "Personnes alentour (100 m)": found["n_around"].map(words),
            "Gi*": [decimal(value) for value in found["z"]],
            "p corrigée": [decimal(value, places=3) for value in found["q"]],
            "Verdict": [_SPOTS[verdict][1] for verdict in found["verdict"]],
        },
    )
    verdicts = found["verdict"].to_numpy(dtype=object)
    layers = _firm_and_few(said, verdicts, few=verdicts == "not_tested", looks=_SPOTS, told=told, name="spots")
    n_tested = int((verdicts != "not_tested").sum())
    n_hot, n_cold = int((verdicts == "hot").sum()), int((verdicts == "cold").sum())
    text = (
        f"{counted(n_tested, 'lieu testé', 'lieux testés')} : {counted(n_hot, 'regroupement')} de ressentis positifs, "
        f"{words(n_cold)} de ressentis négatifs."
    )
    return Claim(title="regroupements", layers=layers, table=told, words=text)


def _firm_and_few(
    said: gpd.GeoDataFrame,
    classes: NDArray[np.object_],
    *,
    few: NDArray[np.bool_],
    looks: Mapping[str, tuple[str, str]],
    told: pd.DataFrame,
    name: str,
) -> list[Layer]:
    """Return places above the floor as areas, the others as small grey dots: they claim nothing."""
    areas = {
        code: Style(label=label, fill=fill, line=INK, width_px=1.0, opacity=0.85)
        for code, (fill, label) in looks.items()
    }
    dots = {code: Style(label=label, fill=fill, line="#ffffff", size_px=9) for code, (fill, label) in looks.items()}
    firm: tuple[str, str, Kind] = (name, "Cinq personnes ou plus", "area")
    rest: tuple[str, str, Kind] = (f"{name}_few", "Moins de cinq personnes", "point")
    return [
        _layer(firm, said[~few], looks=classes[~few], styles=areas, told=told[~few]),
        _layer(rest, said[few], looks=classes[few], styles=dots, told=told[few]),
    ]


def _layer(
    names: tuple[str, str, Kind],
    places: gpd.GeoDataFrame,
    *,
    looks: Iterable[str],
    styles: Mapping[str, Style],
    told: pd.DataFrame,
) -> Layer:
    """Return places drawn as their ground, or as dots at their middle."""
    name, title, kind = names
    shapes = places.geometry.representative_point() if kind == "point" else places.geometry
    columns = {str(heading): told[heading] for heading in told}
    frame = features(shapes, ids=places["place_id"], labels=places["place_id"], styles=list(looks), **columns)
    shown = tuple(heading for heading in columns if heading != "Lieu")
    return Layer(name=name, title=title, kind=kind, frame=frame, styles=styles, tooltip=shown, optional=True)


def _told(places: gpd.GeoDataFrame, cells: Mapping[str, Iterable[str]]) -> pd.DataFrame:
    """Return what the tooltip and the table say of each place."""
    columns = {heading: list(texts) for heading, texts in cells.items()}
    return pd.DataFrame({"Lieu": list(places["place_id"]), **columns}, index=places.index).astype("str")
