"""Who felt what, side by side on one ground?

Lays the values of several groups of people, or of several kinds of event, over each other without mixing them: each
has its own letter, its own sign and its own spot in a place, its own layer and its own line of the legend; the colour
alone says the value. The number of people is written in the sign: a group at a place is almost always a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.maps.claims import Claim
from geo_qmi.maps.drawing import INK, Layer, Style, features, words
from geo_qmi.maps.scale import CLASSES, FAINT, decimal, value_class
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import ACTOR_GROUPS, SESSION_KINDS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo_qmi.maps.drawing import Shape

#: Distance of a sign from the middle of its place, in parts of its side: signs of neighbours stay apart.
_OFF_CENTRE = 0.34
_UNKNOWN: tuple[str, Shape] = ("?", "circle")


@dataclass(frozen=True, slots=True)
class Voices:
    """One way to keep people apart.

    Attributes
    ----------
    heading
        French heading of the table.
    labels
        Code → French name.
    signs
        Code → letter and shape.
    """

    heading: str
    labels: Mapping[str, str]
    signs: Mapping[str, tuple[str, Shape]]


#: Column of the table of values → how its codes are shown.
VOICES = {
    "actor_group": Voices(
        "Groupe",
        ACTOR_GROUPS,
        {
            "resident": ("H", "circle"),
            "shopkeeper": ("C", "square"),
            "association": ("A", "circle"),
            "city_staff": ("S", "square"),
            "elected": ("É", "square"),
            "worker": ("T", "circle"),
            "young": ("J", "circle"),
            "partner": ("P", "square"),
        },
    ),
    "session_kind": Voices(
        "Type de séance",
        SESSION_KINDS,
        {
            "walk": ("M", "circle"),
            "stroll": ("B", "up"),
            "interview": ("E", "square"),
            "workshop": ("A", "down"),
        },
    ),
}


def voices(places: gpd.GeoDataFrame, apart: pd.DataFrame) -> Claim:
    """Return one layer a group of people, or a kind of event, over the outlines of the places they spoke of.

    Parameters
    ----------
    places
        As returned by `geo_qmi.sensitive.felt`.
    apart
        As returned by `geo_qmi.sensitive.values` with ``by=["actor_group"]`` or ``by=["session_kind"]``.
    """
    column = next(name for name in VOICES if name in apart)
    kind = VOICES[column]
    order = [*kind.labels, "unknown"]
    rows = apart[apart["value"].notna()].copy()
    rows[column] = rows[column].astype("object").where(rows[column].notna(), "unknown")
    rows = rows.sort_values(column, key=lambda codes: codes.map(order.index), kind="stable", ignore_index=True)
    codes = [code for code in order if (rows[column] == code).any()]
    told = _told(rows, places, kind=kind, column=column)
    around = _spots(places, rows, order=order, column=column)
    layers = [_ground(places.loc[rows["place"].unique()])]
    for code in codes:
        own = (rows[column] == code).to_numpy()
        layers.append(_layer(code, rows[own], told[own], around[own], kind=kind))
    shared = int(rows.groupby("place")[column].nunique().gt(1).sum())
    said = (
        f"{counted(len(codes), 'voix distincte', 'voix distinctes')} : "
        f"{', '.join(kind.labels.get(code, 'inconnu') for code in codes)} ; "
        f"{counted(shared, 'lieu dont plusieurs parlent', 'lieux dont plusieurs parlent')}."
    )
    title = f"par {kind.heading.lower()}"
    return Claim(title=title, layers=layers, table=told.reset_index(drop=True), words=said if codes else "")


def _told(rows: pd.DataFrame, places: gpd.GeoDataFrame, *, kind: Voices, column: str) -> pd.DataFrame:
    sides = zip(rows["n_positive"], rows["n_negative"], strict=True)
    return pd.DataFrame(
        {
            kind.heading: rows[column].map(kind.labels).fillna("inconnu"),
            "Lieu": places["place_id"].loc[rows["place"]].to_numpy(),
            "Valeur (−2 à +2)": [decimal(value) for value in rows["value"]],
            "Personnes": rows["n_people"].map(words),
            "Favorables / défavorables": [f"{words(good)} / {words(bad)}" for good, bad in sides],
            "Observations": rows["n_observations"].map(words),
        }
    ).astype("str")


def _spots(places: gpd.GeoDataFrame, rows: pd.DataFrame, *, order: list[str], column: str) -> NDArray[np.object_]:
    """Return where each sign goes: around the middle of its place, always on the same side for one group."""
    shapes = places.geometry.loc[rows["place"]].to_numpy()
    box = shapely.bounds(shapes).reshape(-1, 4)
    middle = shapely.get_coordinates(shapely.point_on_surface(shapes))
    side = np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    turn = np.pi / 2 - 2 * np.pi * rows[column].map(order.index).to_numpy(dtype=float) / len(order)
    away = _OFF_CENTRE * side
    spots: NDArray[np.object_] = shapely.points(middle + np.column_stack([away * np.cos(turn), away * np.sin(turn)]))
    return spots


def _ground(places: gpd.GeoDataFrame) -> Layer:
    """Return the outlines of the places somebody spoke of, which carry the scale of colours."""
    frame = features(places.geometry, ids=places["place_id"], labels=places["place_id"], styles="said")
    scale = tuple(Style(label=f"Ressenti {text}", fill=fill, line=INK) for fill, text, _ in CLASSES)
    styles = {"said": Style(line=FAINT, width_px=1.0)}
    return Layer(name="voices", title="Couleur : valeur", kind="area", frame=frame, styles=styles, key=scale)


def _layer(code: str, rows: pd.DataFrame, told: pd.DataFrame, spots: NDArray[np.object_], *, kind: Voices) -> Layer:
    """Return the signs of one group, with its letter and the number of people behind each."""
    letter, shape = kind.signs.get(code, _UNKNOWN)
    label = kind.labels.get(code, "inconnu").capitalize()
    people = rows["n_people"].to_numpy()
    looks = [f"v{value_class(value)}-{n}" for value, n in zip(rows["value"], people, strict=True)]
    styles = {
        look: Style(fill=CLASSES[int(look[1])][0], line=INK, shape=shape, size_px=22, letters=f"{letter}{n}")
        for look, n in sorted(set(zip(looks, people.tolist(), strict=True)))
    }
    entry = Style(
        label=f"{label} ({counted(len(rows), 'lieu', 'lieux')})", fill="#ffffff", line=INK, shape=shape, letters=letter
    )
    frame = features(
        gpd.GeoSeries(spots, crs=CRS),
        ids=told["Lieu"],
        labels=[label] * len(rows),
        styles=looks,
        **{str(heading): told[heading] for heading in told},
    )
    tooltip = ("Valeur (−2 à +2)", "Personnes", "Favorables / défavorables", "Observations", "Lieu")
    return Layer(
        name=f"voices_{code}",
        title=label,
        kind="point",
        frame=frame,
        styles=styles,
        tooltip=tooltip,
        optional=True,
        key=(entry,),
    )
