"""What was felt at each place, by how many people, and where does nobody know?

Lays the places of a sensitive map over the map of their district: five classes of value, an own colour and stripes
where people are divided, hatching where nobody walked, a sign with its number under five people. Values, states and
surfaces come ready: nothing is computed or smoothed here, and no private column (who, when, in which words) is read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import InputError
from geo_qmi.geo import require_metres
from geo_qmi.maps import claims
from geo_qmi.maps.claims import Claim
from geo_qmi.maps.drawing import DEMO, INK, Layer, Map, Style, extent_of, features, words
from geo_qmi.maps.records import record_layers, unplaced
from geo_qmi.maps.scale import CLASSES, DIVIDED, FAINT, UNSIGNED, decimal, value_class
from geo_qmi.maps.voices import voices
from geo_qmi.vocabulary import PLACE_DISPLAYS, PLACE_STATES
from geo_qmi.wording import agreed, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo_qmi.maps.drawing import Extent, Kind

View = Literal["places", "value", "evidence", "interval", "spots", "voices"]

#: Spacing of the hatching over what was not walked, and of the stripes of a divided cell.
_HATCH_M, _STRIPES_M = 16.0, 6.0
#: Ground shown around what was walked.
_MARGIN_M = 60.0
_WITHHELD = "trop peu de personnes : non publié"


def sensitive_map(
    ground: Map,
    *,
    district: str,
    places: gpd.GeoDataFrame,
    evidence: str,
    field: Mapping[str, gpd.GeoDataFrame],
    view: View = "places",
    detail: pd.DataFrame | None = None,
    filters: str = "",
) -> Map:
    """Return the sensitive map of a district as data.

    Parameters
    ----------
    ground
        The map of the district without its walk, see `geo_qmi.maps.district_map`: it lies underneath.
    district
        French name of the district, for the title.
    places
        As returned by `geo_qmi.sensitive.felt`, or `geo_qmi.editions.published_places`, in EPSG:2154.
    evidence
        Number of sessions, people and observations, in French (`geo_qmi.sensitive.evidence`); it ends the title.
    field
        Tables drawn apart from what is felt, those there are of ``routes``, ``stages``, ``observations`` (absences
        only), ``statements`` (collective only) and ``workshop_items``, in EPSG:2154; those of a lower edition as well.
    view
        ``places``; the kernel surface, its ``value`` or the ``evidence`` behind it; ``interval``; ``spots``; ``voices``
        kept apart by group of people or kind of event.
    detail
        What the view draws, on the index of `places`: `geo_qmi.sensitive.surface`, `intervals`, `hotspots`, or
        `values` by ``actor_group`` or ``session_kind``. Not used by ``places``.
    filters
        French words for what was kept (« thème : eau »); empty for everything.

    Returns
    -------
    A map whose table has one row a place somebody walked, or what the view says of it, and whose `unplaced` lists the
    absences without a place.

    Raises
    ------
    CrsError, InputError
        Places not in metres; a view asked for without what it draws.
    """
    require_metres(places, what="les lieux")
    if view != "places" and detail is None:
        raise InputError(f"Carte sensible : vue « {view} » demandée sans ses valeurs. Calculez-les d’abord.")
    went = (places["state"] != "not_walked").to_numpy(dtype=bool)
    walked = places[went]
    shown = _claim(places, walked, view=view, detail=detail)
    layers = [
        *_unknown_layer(places.geometry.to_numpy()[~went]),
        *(layer for layer in shown.layers if layer.kind == "area"),
        *record_layers(field),
        *(layer for layer in shown.layers if layer.kind != "area"),
    ]
    demo = any(bool(frame["demo"].any()) for frame in field.values() if "demo" in frame)
    lost = unplaced(field)
    kept = f" – {filters}" if filters else ""
    said = _description(district, places, kept=kept, n_lost=len(lost), demo=demo)
    return replace(
        ground,
        title=f"{district}{', ' * bool(shown.title)}{shown.title}{kept} : {evidence}{f' ({DEMO})' if demo else ''}",
        layers=ground.over(layers),
        extent_m=_extent(ground, places, walked),
        description=f"{said} {shown.words}".strip(),
        table=shown.table.reset_index(drop=True),
        unplaced=lost,
        nothing="" if len(places) else "Aucun lieu à montrer : ni périmètre, ni parcours dans ce quartier.",
    )


def _claim(places: gpd.GeoDataFrame, walked: gpd.GeoDataFrame, *, view: View, detail: pd.DataFrame | None) -> Claim:
    """Return the layers, the table and the words of one view."""
    if view == "places":
        few = int((walked["display"] == "symbol").sum())
        said = (
            f"{words(few)} {agreed(few, 'repose', 'reposent')} sur moins de cinq personnes et "
            f"{agreed(few, 'est montré', 'sont montrés')} par un signe avec {agreed(few, 'son', 'leur')} effectif."
        )
        told = _told(walked)
        return Claim(layers=_place_layers(walked, told), table=told, words=said if few else "")
    found = cast("pd.DataFrame", detail)
    if view == "interval":
        return claims.intervals(walked, found)
    if view == "spots":
        return claims.spots(walked, found)
    if view == "voices":
        return voices(places, found)
    return claims.surface(walked, found, evidence=view == "evidence")


def outlined(drawn: Map, place: gpd.GeoDataFrame) -> Map:
    """Return `drawn` with a place somebody chose outlined above everything but the names.

    Parameters
    ----------
    drawn
        A map.
    place
        Rows of its places, with ``place_id``, or other records of the same ground; none outlines nothing.
    """
    ident = place["place_id"] if "place_id" in place else place.index.astype("str")
    frame = features(place.geometry, ids=ident, labels=ident, styles="chosen")
    style = Style(label="Lieu choisi", line="#000000", width_px=3.5)
    layer = Layer(name="chosen", title="Lieu choisi", kind="area", frame=frame, styles={"chosen": style})
    return replace(drawn, layers=drawn.over([layer]))


def _extent(ground: Map, places: gpd.GeoDataFrame, walked: gpd.GeoDataFrame) -> Extent:
    """Return what was walked with a margin, else every place, else the ground."""
    shown = walked if len(walked) else places
    return extent_of(shown, margin_m=_MARGIN_M) if len(shown) else ground.extent_m


def _codes(column: pd.Series[str]) -> NDArray[np.object_]:
    """Return a column of codes as a plain array: a string column read one by one is slow."""
    return column.to_numpy(dtype=object)


def _looks(places: gpd.GeoDataFrame) -> list[str]:
    """Return the class of each place: its state, refined by its value where one was felt."""
    return [
        ("unsigned" if pd.isna(value) else f"v{value_class(value)}") if state == "felt" else str(state)
        for state, value in zip(_codes(places["state"]), places["value"].to_numpy(), strict=True)
    ]


def _told(places: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return what the tooltip and the table say of each place."""
    states = {**PLACE_STATES, "withheld": _WITHHELD}
    counts = ("n_people", "n_positive", "n_negative", "n_observations")
    people, good, bad, seen = ([words(n) for n in places[name].tolist()] for name in counts)
    return pd.DataFrame(
        {
            "Lieu": places["place_id"],
            "État": [states.get(state) for state in _codes(places["state"])],
            "Valeur (−2 à +2)": [decimal(value) for value in places["value"]],
            "Personnes": people,
            "Favorables / défavorables": [f"{one} / {other}" for one, other in zip(good, bad, strict=True)],
            "Polarisation (0 à 1)": [decimal(value) for value in places["polarisation"]],
            "Observations": seen,
            "Affichage": [PLACE_DISPLAYS.get(display) for display in _codes(places["display"])],
        },
        index=places.index,
    ).astype("str")


def _unknown_layer(shapes: NDArray[np.object_]) -> list[Layer]:
    """Return the ground nobody walked as one hatched area: a place to look at, never a neutral value."""
    if not shapes.size:
        return []
    whole = np.array([_joined(shapes)], dtype=object)
    frame = features(whole, ids=["not_walked"], labels=["Non parcouru"], styles="hatched")
    style = Style(label="Non parcouru : rien n’est connu", line=FAINT, width_px=0.5, hatch_m=_HATCH_M)
    return [
        Layer(
            name="not_walked", title="Non parcouru", kind="area", frame=frame, styles={"hatched": style}, optional=True
        )
    ]


def _joined(shapes: NDArray[np.object_]) -> shapely.Geometry:
    """Return places as one shape; the cells of one grid share edges and never overlap, which is ten times quicker."""
    box = shapely.bounds(shapes)
    side = box[:, 2:] - box[:, :2]
    corners = box[:, 0] + 1j * box[:, 1]
    squares = (side == side[0, 0]).all() and (shapely.area(shapes) == side[0, 0] ** 2).all()
    if squares and not (box[:, :2] % side[0, 0]).any() and len(np.unique(corners)) == len(shapes):
        return shapely.coverage_union_all(shapes)
    return shapely.union_all(shapes)


def _place_layers(walked: gpd.GeoDataFrame, told: pd.DataFrame) -> list[Layer]:
    """Return silent cells, cells above the floor, then signs with their number below it: those there are."""
    silent = {
        "silent": Style(label="Parcouru, rien de dit", fill="#d9d9d2", line="#bdbdb5", width_px=0.5, opacity=0.7),
        "withheld": Style(label="Trop peu de personnes : non publié", fill="#ffffff", line=INK, width_px=0.8),
    }
    areas = {
        **{
            f"v{rank}": Style(label=f"Ressenti {text}", fill=fill, line=INK, width_px=0.8, opacity=0.85)
            for rank, (fill, text, _) in enumerate(CLASSES)
        },
        "divided": Style(
            label="Ressentis opposés", fill=DIVIDED, line="#ffffff", width_px=0.8, opacity=0.9, hatch_m=_STRIPES_M
        ),
        "unsigned": Style(label="Dit sans valeur donnée", fill=UNSIGNED, line=INK, width_px=0.8),
    }
    signs = {
        **{
            f"v{rank}": Style(label=f"Ressenti {text}", fill=fill, line=INK, shape=shape, size_px=15)
            for rank, (fill, text, shape) in enumerate(CLASSES)
        },
        "divided": Style(label="Ressentis opposés", fill=DIVIDED, line=INK, shape="square", size_px=14),
        "unsigned": Style(label="Dit sans valeur donnée", fill=UNSIGNED, line=INK, size_px=12),
    }
    parts: list[tuple[str, str, str, Kind, Mapping[str, Style]]] = [
        ("none", "silent", "Parcouru sans rien dire", "area", silent),
        ("surface", "felt", "Cinq personnes ou plus", "area", areas),
        ("symbol", "felt_few", "Moins de cinq personnes (effectif affiché)", "point", signs),
    ]
    displays = walked["display"].to_numpy(dtype=object)
    cells = {str(heading): told[heading].to_numpy(dtype=object) for heading in told}
    cells |= {"geometry": walked.geometry.to_numpy(), "look": np.array(_looks(walked), dtype=object)}
    layers = []
    for display, name, title, kind, styles in parts:
        shown = displays == display
        if shown.any():
            own = {heading: values[shown] for heading, values in cells.items()}
            layers.append(_layer((name, title, kind), own, styles=styles))
            if kind == "point":
                layers.append(_numbers(own))
    return layers


def _layer(
    names: tuple[str, str, Kind], cells: dict[str, NDArray[np.object_]], *, styles: Mapping[str, Style]
) -> Layer:
    """Return places drawn as their ground or, for signs, at their middle."""
    name, title, kind = names
    told = {heading: values for heading, values in cells.items() if heading not in {"geometry", "look"}}
    frame = features(
        shapely.point_on_surface(cells["geometry"]) if kind == "point" else cells["geometry"],
        ids=cells["Lieu"],
        labels=[f"{n} personne{'' if n in {'0', '1', 'inconnu'} else 's'}" for n in cells["Personnes"]],
        styles=cells["look"],
        **told,
    )
    tooltip = ("État", "Valeur (−2 à +2)", "Favorables / défavorables", "Polarisation (0 à 1)", "Observations", "Lieu")
    return Layer(name=name, title=title, kind=kind, frame=frame, styles=styles, tooltip=tooltip, optional=True)


def _numbers(cells: Mapping[str, NDArray[np.object_]]) -> Layer:
    """Return the number of people beside each sign, towards the south-east corner of its place."""
    box = shapely.bounds(cells["geometry"])
    ends = np.stack([(box[:, [0, 1]] + box[:, [2, 3]]) / 2, box[:, [2, 1]]], axis=1)
    beside = shapely.line_interpolate_point(shapely.linestrings(ends), 0.6, normalized=True)
    frame = features(beside, ids=cells["Lieu"], labels=cells["Personnes"], styles="number")
    return Layer(
        name="felt_numbers", title="Effectifs", kind="text", frame=frame, styles={"number": Style(line=INK, size_px=11)}
    )


def _description(district: str, places: gpd.GeoDataFrame, *, kept: str, n_lost: int, demo: bool) -> str:
    """Say in one paragraph what the map shows, for whoever cannot see it."""
    n_of = Counter(_codes(places["state"]))
    felt = places["state"].isin(["felt", "divided"]).to_numpy(dtype=bool)
    value = places["value"].to_numpy(dtype=float)[felt]
    good, bad = int((value > 0.4).sum()), int((value < -0.4).sum())
    said = [
        f"Carte sensible, {district}{kept}, sur {counted(len(places), 'lieu', 'lieux')} :",
        f"{counted(n_of['not_walked'], 'non parcouru')},",
        f"{counted(n_of['silent'], 'parcouru')} sans rien dire,",
        f"{counted(n_of['felt'], 'ressenti')} et",
        f"{words(n_of['divided'])} où les ressentis s’opposent.",
        f"Parmi les lieux ressentis, {words(good)} {agreed(good, 'est favorable', 'sont favorables')} et "
        f"{counted(bad, 'défavorable')}."
        if len(value)
        else "Rien n’y a été ressenti avec ces choix.",
        f"En liste, sans lieu : {counted(n_lost, 'chose absente', 'choses absentes')}." if n_lost else "",
        "Séances inventées pour la démonstration." if demo else "",
    ]
    return " ".join(part for part in said if part)
