"""What was felt at each place, by how many people, and where does nobody know?

Lays the places of a sensitive map over the map of their district: five classes of value, an own colour and stripes
where people are divided, hatching where nobody walked, a sign with its number under five people. Values, states and
surfaces come ready: nothing is computed or smoothed here, and no private column (who, when, in which words) is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

import geopandas as gpd
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
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import PLACE_DISPLAYS, PLACE_STATES
from geo_qmi.wording import agreed, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    walked = places[places["state"] != "not_walked"]
    shown = _claim(places, walked, view=view, detail=detail)
    layers = [
        _unknown_layer(places[places["state"] == "not_walked"]),
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
        return Claim(layers=_place_layers(walked), table=_told(walked), words=said if few else "")
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


def _looks(places: gpd.GeoDataFrame) -> list[str]:
    """Return the class of each place: its state, refined by its value where one was felt."""
    return [
        ("unsigned" if pd.isna(value) else f"v{value_class(value)}") if state == "felt" else str(state)
        for state, value in zip(places["state"], places["value"], strict=True)
    ]


def _told(places: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return what the tooltip and the table say of each place."""
    sides = zip(places["n_positive"], places["n_negative"], strict=True)
    return pd.DataFrame(
        {
            "Lieu": places["place_id"],
            "État": places["state"].map({**PLACE_STATES, "withheld": _WITHHELD}),
            "Valeur (−2 à +2)": [decimal(value) for value in places["value"]],
            "Personnes": places["n_people"].map(words),
            "Favorables / défavorables": [f"{words(good)} / {words(bad)}" for good, bad in sides],
            "Polarisation (0 à 1)": [decimal(value) for value in places["polarisation"]],
            "Observations": places["n_observations"].map(words),
            "Affichage": places["display"].map(PLACE_DISPLAYS),
        },
        index=places.index,
    ).astype("str")


def _unknown_layer(places: gpd.GeoDataFrame) -> Layer:
    """Return the ground nobody walked as one hatched area: a place to look at, never a neutral value."""
    whole = gpd.GeoSeries([shapely.union_all(places.geometry.to_numpy())] if len(places) else [], crs=CRS)
    frame = features(whole, ids=["not_walked"][: len(whole)], labels=["Non parcouru"][: len(whole)], styles="hatched")
    style = Style(label="Non parcouru : rien n’est connu", line=FAINT, width_px=0.5, hatch_m=_HATCH_M)
    return Layer(
        name="not_walked", title="Non parcouru", kind="area", frame=frame, styles={"hatched": style}, optional=True
    )


def _place_layers(walked: gpd.GeoDataFrame) -> list[Layer]:
    """Return silent cells, cells above the floor, then signs with their number below it."""
    firm = walked[walked["display"] == "surface"]
    few = walked[walked["display"] == "symbol"]
    quiet = walked[walked["display"] == "none"]
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
    return [
        _layer("silent", "Parcouru sans rien dire", "area", quiet, silent),
        _layer("felt", "Cinq personnes ou plus", "area", firm, areas),
        _layer("felt_few", "Moins de cinq personnes (effectif affiché)", "point", few, signs),
        _numbers(few),
    ]


def _layer(name: str, title: str, kind: Kind, places: gpd.GeoDataFrame, styles: Mapping[str, Style]) -> Layer:
    """Return places drawn as their ground or, for signs, at their middle."""
    told = _told(places)
    shapes = places.geometry.representative_point() if kind == "point" else places.geometry
    frame = features(
        shapes,
        ids=places["place_id"],
        labels=told["Personnes"].map(lambda n: f"{n} personne{'' if n in {'0', '1', 'inconnu'} else 's'}"),
        styles=_looks(places),
        **{str(column): told[column] for column in told},
    )
    tooltip = ("État", "Valeur (−2 à +2)", "Favorables / défavorables", "Polarisation (0 à 1)", "Observations", "Lieu")
    return Layer(name=name, title=title, kind=kind, frame=frame, styles=styles, tooltip=tooltip, optional=True)


def _numbers(few: gpd.GeoDataFrame) -> Layer:
    """Return the number of people beside each sign, towards the south-east corner of its place."""
    box = shapely.bounds(few.geometry.to_numpy()).reshape(-1, 4)
    middle = shapely.points((box[:, [0, 1]] + box[:, [2, 3]]) / 2)
    corner = shapely.points(np.column_stack([box[:, 2], box[:, 1]]))
    beside = [
        shapely.line_interpolate_point(shapely.LineString([start, end]), 0.6, normalized=True)
        for start, end in zip(middle, corner, strict=True)
    ]
    frame = features(
        gpd.GeoSeries(beside, crs=CRS), ids=few["place_id"], labels=few["n_people"].map(words), styles="number"
    )
    return Layer(
        name="felt_numbers", title="Effectifs", kind="text", frame=frame, styles={"number": Style(line=INK, size_px=11)}
    )


def _description(district: str, places: gpd.GeoDataFrame, *, kept: str, n_lost: int, demo: bool) -> str:
    """Say in one paragraph what the map shows, for whoever cannot see it."""
    n_of = places["state"].value_counts()
    felt = places[places["state"].isin(["felt", "divided"])]
    good = int((felt["value"] > 0.4).sum())
    bad = int((felt["value"] < -0.4).sum())
    said = [
        f"Carte sensible, {district}{kept}, sur {counted(len(places), 'lieu', 'lieux')} :",
        f"{counted(int(n_of.get('not_walked', 0)), 'non parcouru')},",
        f"{counted(int(n_of.get('silent', 0)), 'parcouru')} sans rien dire,",
        f"{counted(int(n_of.get('felt', 0)), 'ressenti')} et",
        f"{words(int(n_of.get('divided', 0)))} où les ressentis s’opposent.",
        f"Parmi les lieux ressentis, {words(good)} {agreed(good, 'est favorable', 'sont favorables')} et "
        f"{counted(bad, 'défavorable')}."
        if len(felt)
        else "Rien n’y a été ressenti avec ces choix.",
        f"En liste, sans lieu : {counted(n_lost, 'chose absente', 'choses absentes')}." if n_lost else "",
        "Séances inventées pour la démonstration." if demo else "",
    ]
    return " ".join(part for part in said if part)
