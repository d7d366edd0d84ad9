"""What was recorded beside the feelings: routes, stops, what is missing, what was said or placed together?

Each kind of record keeps its own sign and its own line of the legend: an absence is not a bad feeling, what a group
said is not what a person felt, and the three classes of a workshop are never merged. Words and authors stay out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.maps.drawing import DEMO, Layer, Map, Style, features, words
from geo_qmi.vocabulary import THEMES, WORKSHOP_KINDS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo_qmi.maps.drawing import Extent, Kind

#: Routes and stops are grey: every hue says something of a value.
_TRACE = "#5a5a5a"
_UNSAID = "non précisé"


def record_layers(field: Mapping[str, gpd.GeoDataFrame]) -> list[Layer]:
    """Return routes, stops, absences, collective statements and workshop objects, each kept apart.

    Parameters
    ----------
    field
        Those there are of ``routes``, ``stages``, ``observations``, ``statements``, ``workshop_items``, in EPSG:2154,
        of the study or of an edition; an edition that publishes a table without its places has nothing to draw of it.

    Returns
    -------
    The layers that hold something, bottom first.
    """
    layers: list[Layer | None] = []
    field = {name: frame for name, frame in field.items() if "geometry" in frame}
    if "routes" in field:
        line = Style(label="Parcours", line=_TRACE, width_px=2.5)
        layers.append(_marks(field["routes"], ("routes", "Parcours", "line"), ident="route_id", style=line))
    if "stages" in field:
        stop = Style(label="Étape", fill="#ffffff", line=_TRACE, size_px=10)
        layers.append(
            _marks(field["stages"], ("stages", "Étapes", "point"), ident="stage_id", style=stop, label="name")
        )
    if "observations" in field:
        seen = field["observations"]
        layers += _both(
            seen,
            (seen["kind"] == "absence").to_numpy(dtype=bool),
            ("absences", "Ce qui manque (absences)"),
            ident="observation_id" if "observation_id" in seen else "mark_id",
            style=Style(label="Ce qui manque", line="#000000", shape="cross", size_px=13),
            label="wished",
        )
    if "statements" in field:
        said = field["statements"]
        layers += _both(
            said,
            (said["scope"] == "collective").to_numpy(dtype=bool),
            ("collective", "Propos collectifs"),
            ident="statement_id",
            style=Style(label="Propos collectif", fill="#ffffff", line="#1f78b4", shape="ring", size_px=17),
        )
    if "workshop_items" in field:
        layers += _workshop(field["workshop_items"])
    return [layer for layer in layers if layer is not None]


#: Colour and letter of the three classes of workshop objects; triangles and plain dots say a value.
_TABLE_LOOKS = {
    "favourable_place": ("#1f78b4", "L"),
    "project_type": ("#6a3d9a", "P"),
    "attention_point": ("#8c510a", "!"),
}


def _workshop(items: gpd.GeoDataFrame) -> list[Layer | None]:
    """Return the three classes of workshop objects, never merged."""
    kinds = items["kind"].to_numpy(dtype=object)
    return [
        layer
        for kind, (fill, letter) in _TABLE_LOOKS.items()
        for layer in _both(
            items,
            kinds == kind,
            (kind, f"Atelier : {WORKSHOP_KINDS[kind]}"),
            ident="item_id",
            style=Style(
                label=f"Atelier : {WORKSHOP_KINDS[kind]}",
                fill=fill,
                line="#ffffff",
                shape="square",
                size_px=17,
                letters=letter,
            ),
            label="label",
        )
    ]


def _both(
    frame: gpd.GeoDataFrame,
    wanted: NDArray[np.bool_],
    names: tuple[str, str],
    *,
    ident: str,
    style: Style,
    label: str = "",
) -> list[Layer | None]:
    """Return what was drawn as an area or a line, hatched, then what was drawn as a point."""
    name, title = names
    points = shapely.get_type_id(frame.geometry.to_numpy()) == shapely.GeometryType.POINT
    hatched = replace(
        style, label=f"{style.label} (zone)", fill="", line=style.fill or style.line, width_px=1.5, hatch_m=10.0
    )
    if style.line not in {"#ffffff", ""}:
        hatched = replace(hatched, line=style.line)
    areas: tuple[str, str, Kind] = (f"{name}_areas", f"{title}, zones", "area")
    return [
        _marks(frame, areas, ident=ident, style=hatched, label=label, wanted=wanted & ~points),
        _marks(frame, (name, title, "point"), ident=ident, style=style, label=label, wanted=wanted & points),
    ]


def _marks(
    frame: gpd.GeoDataFrame,
    names: tuple[str, str, Kind],
    *,
    ident: str,
    style: Style,
    label: str = "",
    wanted: NDArray[np.bool_] | None = None,
) -> Layer | None:
    """Return the placed records of one table drawn alike, or nothing; `label` is the column that names them, if any."""
    name, title, kind = names
    shapes = frame.geometry.to_numpy()
    placed = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    rows = np.flatnonzero(placed if wanted is None else placed & wanted)
    if not rows.size:
        return None

    def cells(column: str) -> NDArray[np.object_]:
        found: NDArray[np.object_] = frame[column].to_numpy(dtype=object)[rows]
        return found

    told: dict[str, list[str]] = {}
    if "theme" in frame:
        told["Thème"] = [THEMES.get(theme, _UNSAID) for theme in cells("theme")]
    if "priority" in frame:
        told["Priorité"] = [words(rank) for rank in cells("priority")]
    if label == "name":
        told["Ordre"] = [words(rank) for rank in cells("rank")]
    labels = [title if pd.isna(one) else one for one in cells(label)] if label in frame else [title] * len(rows)
    drawn = features(shapes[rows], ids=cells(ident), labels=labels, styles="one", **told)
    return Layer(
        name=name, title=title, kind=kind, frame=drawn, styles={"one": style}, tooltip=tuple(told), optional=True
    )


def unplaced(field: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """Return the absences nobody placed: what is missing everywhere has no point."""
    columns = ["Ce qui manque", "Thème"]
    if "observations" not in field:
        return pd.DataFrame(columns=columns)
    seen = field["observations"]
    shapes = seen.geometry.to_numpy()
    nowhere = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    lost = np.flatnonzero((seen["kind"] == "absence").to_numpy(dtype=bool) & nowhere)
    if "wished" in seen:
        wished = [_UNSAID if pd.isna(one) else one for one in seen["wished"].to_numpy(dtype=object)[lost]]
    else:
        wished = ["non publié"] * len(lost)
    themes = [THEMES.get(theme, _UNSAID) for theme in seen["theme"].to_numpy(dtype=object)[lost]]
    return pd.DataFrame(dict(zip(columns, (wished, themes), strict=True)), dtype="str")


def collective_map(
    ground: Map,
    *,
    district: str,
    evidence: str,
    field: Mapping[str, gpd.GeoDataFrame],
    extent_m: Extent | None = None,
) -> Map:
    """Return what people said or placed together, alone on its ground: it lies beside what each felt, not over it.

    Parameters
    ----------
    ground
        The map of the district without its walk, see `geo_qmi.maps.district_map`.
    district
        French name, for the title.
    evidence
        Numbers in French (`geo_qmi.sensitive.collective_evidence`); they end the title.
    field
        ``statements`` (collective only) and ``workshop_items``, in EPSG:2154.
    extent_m
        Ground in view: that of the map beside it, else the one of `ground`.
    """
    own = {name: field[name] for name in ("statements", "workshop_items")}
    said = own["statements"][own["statements"]["scope"] == "collective"]
    table = pd.concat([_spoken_rows(said), _workshop_rows(own["workshop_items"])], ignore_index=True)
    demo = any(bool(frame["demo"].any()) for frame in own.values())
    lost = table[table["Placé"] == "non"].drop(columns="Placé").reset_index(drop=True)
    return replace(
        ground,
        title=f"{district}, dit ou posé ensemble : {evidence}{f' ({DEMO})' if demo else ''}",
        layers=ground.over(record_layers(own)),
        extent_m=extent_m or ground.extent_m,
        description=(
            f"Ce que des groupes ont dit ou posé ensemble, {district} : "
            f"{counted(len(said), 'propos collectif', 'propos collectifs')} et "
            f"{counted(len(own['workshop_items']), 'objet')} d’atelier, dont {words(len(lost))} sans lieu, en liste."
        ),
        table=table,
        unplaced=lost,
        nothing="" if len(table) else "Aucun propos collectif ni objet d’atelier dans ce quartier.",
    )


def _spoken_rows(said: gpd.GeoDataFrame) -> pd.DataFrame:
    n_said = len(said)
    return _rows(["Propos collectif"] * n_said, said["statement_id"], said, ranks=["—"] * n_said)


def _workshop_rows(items: gpd.GeoDataFrame) -> pd.DataFrame:
    kinds = [f"Atelier : {WORKSHOP_KINDS[kind]}" for kind in items["kind"]]
    ranks = [words(rank) for rank in items["priority"].to_numpy(dtype=object)]
    return _rows(kinds, items["label"].fillna(_UNSAID), items, ranks=ranks)


def _rows(natures: list[str], names: pd.Series[str], frame: gpd.GeoDataFrame, *, ranks: list[str]) -> pd.DataFrame:
    placed = ~shapely.is_missing(frame.geometry.to_numpy())
    cells = {
        "Nature": natures,
        "Objet": names.to_numpy(dtype=object),
        "Thème": [THEMES.get(theme, _UNSAID) for theme in frame["theme"].to_numpy(dtype=object)],
        "Priorité": ranks,
        "Placé": np.where(placed, "oui", "non"),
    }
    return pd.DataFrame(cells, dtype="str")
