"""Which names and numbers are written on the map, and where?

Gathers the names of places and surfaces and the numbers of what was said, has `geo_qmi.plate.labels` place them apart,
and writes them. What has no room is returned for the list beside the map; nothing else is drawn here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo_qmi.plate import ink
from geo_qmi.plate.labels import Label, placed

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes

    from geo_qmi.maps import Layer, Map
    from geo_qmi.plate.paper import Sheet

#: Layers of points whose features have a name worth writing, the most important first.
_NAMED = ("start", "sites", "stations", "crossings", "favourable_place", "project_type", "attention_point", "stages")
#: Words said within this distance share a number on the map.
_TOGETHER_MM = 6.0


def write_names(axes: Axes, seen: Map, sheet: Sheet, told: pd.DataFrame) -> list[str]:
    """Write the names that fit, and return the list of those that do not."""
    wanted = [*_point_names(seen, sheet), *_text_names(seen, sheet), *_numbers(told, sheet)]
    x, y, width, tall = sheet.frame_mm
    found, listed = placed(
        wanted,
        frame=(x + 0.5, y + 0.5, x + width - 0.5, y + tall - 0.5),
        signs=_sign_boxes(seen, sheet),
        size_of=lambda label: (
            ink.width_mm(label.text, pt=label.pt, bold=label.bold),
            label.pt * ink.MM_PER_PT * 0.98,
        ),
    )
    for label in found:
        _lead(axes, label, sheet)
    for label in found:
        _write(axes, label, sheet)
    return listed


def _lead(axes: Axes, label: Label, sheet: Sheet) -> None:
    """Join a letter or a number to its place when it is far from it."""
    start = (label.left + 0.3 * label.pt * ink.MM_PER_PT, label.base + 0.36 * label.pt * ink.MM_PER_PT)
    if label.boxed and np.hypot(start[0] - label.spot[0], start[1] - label.spot[1]) > 3.5 * sheet.size:
        ink.lines(axes, [shapely.LineString([label.spot, start])], colour=label.colour, width_mm=0.15 * sheet.size)


def _write(axes: Axes, label: Label, sheet: Sheet) -> None:
    """Write one placed name; a letter or a number stands on a white plate."""
    wide = ink.width_mm(label.text, pt=label.pt, bold=label.bold)
    tall = label.pt * ink.MM_PER_PT
    if label.boxed:
        box = (label.left - 0.3, label.base - 0.28 * tall, wide + 0.6, 1.16 * tall)
        ink.rectangle(axes, box, fill="#ffffff", line=label.colour, width_mm=0.15 * sheet.size)
    ink.words(
        axes,
        (label.left, label.base),
        label.text,
        pt=label.pt,
        bold=label.bold,
        colour=label.colour,
        halo=not label.boxed,
    )


def _text_names(seen: Map, sheet: Sheet) -> list[Label]:
    """Return the names a map writes itself: counts beside their sign, then surfaces."""
    found: list[Label] = []
    for layer in reversed(seen.layers):
        if layer.kind != "text":
            continue
        style = next(iter(layer.styles.values()))
        counts = layer.name != "names"
        spots = shapely.get_coordinates(sheet.to_page(_inside(layer, seen, sheet)))
        made = [
            Label(
                text=str(text),
                spot=(x, y),
                pt=style.size_px * (0.52 if counts else 0.6) * sheet.size,
                bold=not counts,
                colour="#1a1a1a" if counts else "#4a4a4a",
                far=4 if counts else 8,
                listed="" if counts else str(text),
            )
            for text, (x, y) in zip(layer.frame["label"], spots, strict=True)
        ]
        found = [*made, *found] if counts else [*found, *made]
    return found


def _inside(layer: Layer, seen: Map, sheet: Sheet) -> Any:
    """Return where each name of a layer starts from: the middle of the visible part of its commune, if it names one."""
    spots = layer.frame.geometry.to_numpy(copy=True)
    ground = next((one.frame for one in seen.layers if one.name == "communes"), None)
    if layer.name == "names" and ground is not None:
        window = shapely.box(*sheet.ground_m)
        shapes = ground.set_index("id").geometry.reindex(layer.frame["id"])
        for row, shape in enumerate(shapes):
            part = None if shape is None else shapely.intersection(shapely.make_valid(shape), window)
            if part is not None and shapely.get_dimensions(part) == 2:
                circle = shapely.maximum_inscribed_circle(part, tolerance=2 / sheet.mm_per_m)
                spots[row] = shapely.get_point(circle, 0)
    return spots


def _point_names(seen: Map, sheet: Sheet) -> list[Label]:
    """Return the names of stations, places and stops, each name once."""
    found = []
    layers = {layer.name: layer for layer in seen.layers}
    for layer in (layers[name] for name in _NAMED if name in layers):
        once = layer.frame.drop_duplicates("label")
        spots = shapely.get_coordinates(sheet.to_page(once.geometry.representative_point().to_numpy()))
        for text, key, (x, y) in zip(once["label"], once["style"], spots, strict=True):
            side = layer.styles[key].size_px * ink.SIGN_MM * sheet.size
            found.append(
                Label(text=str(text), spot=(x, y), apart=side / 2, pt=6.3 * sheet.size, far=2, listed=str(text))
            )
    return found


def _numbers(told: pd.DataFrame, sheet: Sheet) -> list[Label]:
    """Return the numbers of what was said, one label where several share a place."""
    if told.empty:
        return []
    shown = told[told["x"].notna()]
    groups = shown.groupby("group")[["number", "x", "y"]].agg({"number": ["min", "max"], "x": "mean", "y": "mean"})
    return [
        Label(
            text=f"{first:.0f}" if first == last else f"{first:.0f}–{last:.0f}",
            spot=(x, y),
            apart=1.4 * sheet.size,
            pt=5.4 * sheet.size,
            colour="#7a1040",
            far=7,
            boxed=True,
        )
        for first, last, x, y in groups.to_numpy()
    ]


def _sign_boxes(seen: Map, sheet: Sheet) -> list[tuple[float, float, float, float]]:
    """Return the boxes of the signs drawn, and small ones along the lines."""
    found = []
    for layer in seen.layers:
        pages = sheet.to_page(layer.frame.geometry.to_numpy())
        if layer.kind == "line":
            spots = shapely.get_coordinates(shapely.segmentize(pages, 2.0))
            halves = np.full(len(spots), 0.4)
        elif layer.kind == "point":
            spots = shapely.get_coordinates(shapely.point_on_surface(pages))
            pixels = np.array([layer.styles[key].size_px for key in layer.frame["style"]])
            halves = 0.4 * pixels * ink.SIGN_MM * sheet.size
        else:
            continue
        found += [(x - half, y - half, x + half, y + half) for (x, y), half in zip(spots, halves, strict=True)]
    return found


def numbered(verbatims: gpd.GeoDataFrame | None, sheet: Sheet) -> pd.DataFrame:
    """Return what was said, numbered so that words of one place follow each other.

    Returns
    -------
    ``number``, ``said``, ``x`` and ``y`` (millimetres; missing outside the frame or without a place), ``group``.
    """
    columns = ["number", "said", "x", "y", "group", "where"]
    if verbatims is None or verbatims.empty:
        return pd.DataFrame(columns=columns)
    shapes = verbatims.geometry.representative_point()
    known = (shapes.notna() & ~shapes.is_empty).to_numpy()
    inside = known & shapes.intersects(shapely.box(*sheet.ground_m)).to_numpy()
    spots = np.full((len(verbatims), 2), np.nan)
    spots[inside] = shapely.get_coordinates(sheet.to_page(shapes[inside].to_numpy()))
    side = _TOGETHER_MM * sheet.size
    cells = np.floor(spots / side)
    rows = pd.DataFrame(
        {
            "said": verbatims["said"].to_numpy(),
            "x": spots[:, 0],
            "y": spots[:, 1],
            "where": np.where(inside, 0, np.where(known, 1, 2)),
            "row": -cells[:, 1],
            "column": cells[:, 0],
        }
    ).sort_values(["where", "row", "column", "said"], ignore_index=True)
    rows["number"] = np.arange(1, len(rows) + 1)
    rows["group"] = rows.groupby(["row", "column"], sort=False, dropna=False).ngroup()
    return rows[columns]
