"""What was felt at each place, by how many people, and where does nobody know?

Lays the places of a sensitive map over the map of their district: five classes of value, an own colour and stripes
where people are divided, hatching where nobody walked, a sign with its number under five people. Values, states and
surfaces come ready: nothing is computed or smoothed here, and no private column (who, when, in which words) is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import InputError
from geo_qmi.geo import require_metres
from geo_qmi.maps.district import VALENCES
from geo_qmi.maps.drawing import (
    DEMO,
    INK,
    Layer,
    Map,
    Style,
    class_of,
    class_styles,
    count_classes,
    extent_of,
    features,
    plural,
    words,
)
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import PLACE_DISPLAYS, PLACE_STATES, THEMES, WORKSHOP_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.maps.drawing import Extent, Kind, Shape

View = Literal["places", "value", "evidence"]

#: Five equal classes of a mean value from −2 to +2: colour, French words, sign.
_CLASSES: tuple[tuple[str, str, Shape], ...] = (
    (VALENCES[-2], "très négatif (−2 à −1,2)", "down"),
    (VALENCES[-1], "négatif (−1,2 à −0,4)", "down"),
    (VALENCES[0], "neutre (−0,4 à 0,4)", "circle"),
    (VALENCES[1], "positif (0,4 à 1,2)", "up"),
    (VALENCES[2], "très positif (1,2 à 2)", "up"),
)
#: Divided places: a dark green, between the two ends in darkness and on the way from neither to the other.
DIVIDED = "#00734d"
_UNSIGNED = "#9a9a9a"
#: Routes and stops are grey: every hue says something of a value.
_TRACE = "#5a5a5a"
#: Spacing of the hatching over what was not walked, and of the stripes of a divided cell.
_HATCH_M, _STRIPES_M = 16.0, 6.0
#: Ground shown around what was walked.
_MARGIN_M = 60.0
_WITHHELD = "trop peu de personnes : non publié"
_VIEWS = {"places": "", "value": ", surface lissée", "evidence": ", personnes derrière la surface"}


def sensitive_map(
    ground: Map,
    *,
    district: str,
    places: gpd.GeoDataFrame,
    evidence: str,
    field: Mapping[str, gpd.GeoDataFrame],
    view: View = "places",
    smooth: pd.DataFrame | None = None,
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
        only), ``statements`` (collective only) and ``workshop_items``, in EPSG:2154.
    view
        ``places``, or the kernel surface: its ``value``, or the ``evidence`` behind it.
    smooth
        As returned by `geo_qmi.sensitive.surface`, on the index of `places`; needed by the last two views.
    filters
        French words for what was kept (« thème : eau »); empty for everything.

    Returns
    -------
    A map whose table has one row a place somebody walked, and whose `unplaced` lists the absences without a place.

    Raises
    ------
    CrsError, InputError
        Places not in metres; a surface asked for and not given.
    """
    require_metres(places, what="les lieux")
    if view != "places" and smooth is None:
        raise InputError("Carte sensible : surface demandée sans ses valeurs. Calculez-la d’abord.")
    walked = places[places["state"] != "not_walked"]
    drawn = _place_layers(walked) if view == "places" else _surface_layers(walked, smooth, view=view)
    layers = [
        *(layer for layer in ground.layers if layer.kind != "text"),
        _unknown_layer(places[places["state"] == "not_walked"]),
        *(layer for layer in drawn if layer.kind == "area"),
        *_field_layers(field),
        *(layer for layer in drawn if layer.kind != "area"),
        *(layer for layer in ground.layers if layer.kind == "text"),
    ]
    demo = any(bool(frame["demo"].any()) for frame in field.values() if "demo" in frame)
    lost = _unplaced(field)
    kept = f" – {filters}" if filters else ""
    return replace(
        ground,
        title=f"{district}{_VIEWS[view]}{kept} : {evidence}{f' ({DEMO})' if demo else ''}",
        layers=tuple(layer for layer in layers if len(layer.frame)),
        extent_m=_extent(ground, places, walked),
        description=_description(district, places, kept=kept, n_lost=len(lost), demo=demo),
        table=_told(walked).reset_index(drop=True),
        unplaced=lost,
        nothing="" if len(places) else "Aucun lieu à montrer : ni périmètre, ni parcours dans ce quartier.",
    )


def _extent(ground: Map, places: gpd.GeoDataFrame, walked: gpd.GeoDataFrame) -> Extent:
    """Return what was walked with a margin, else every place, else the ground."""
    shown = walked if len(walked) else places
    return extent_of(shown, margin_m=_MARGIN_M) if len(shown) else ground.extent_m


def value_class(value: float) -> int:
    """Return the class of a value between −2 and +2, from 0 to 4, the same on both sides of zero.

    Examples
    --------
    >>> [value_class(value) for value in (-2, -1.2, -0.5, -0.4, 0, 0.4, 0.5, 1.2, 2)]
    [0, 0, 1, 2, 2, 2, 3, 4, 4]
    """
    if abs(value) <= 0.4:
        return 2
    if value < 0:
        return 0 if value <= -1.2 else 1
    return 4 if value >= 1.2 else 3


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
            "Valeur (−2 à +2)": [_decimal(value) for value in places["value"]],
            "Personnes": places["n_people"].map(words),
            "Favorables / défavorables": [f"{words(good)} / {words(bad)}" for good, bad in sides],
            "Polarisation (0 à 1)": [_decimal(value) for value in places["polarisation"]],
            "Observations": places["n_observations"].map(words),
            "Affichage": places["display"].map(PLACE_DISPLAYS),
        },
        index=places.index,
    ).astype("str")


def _decimal(value: float) -> str:
    return "—" if pd.isna(value) else f"{value:.2f}".replace(".", ",").replace("-", "−")


def _unknown_layer(places: gpd.GeoDataFrame) -> Layer:
    """Return the ground nobody walked as one hatched area: a place to look at, never a neutral value."""
    whole = gpd.GeoSeries([shapely.union_all(places.geometry.to_numpy())] if len(places) else [], crs=CRS)
    frame = features(whole, ids=["not_walked"][: len(whole)], labels=["Non parcouru"][: len(whole)], styles="hatched")
    style = Style(label="Non parcouru : rien n’est connu", line="#8a8a84", width_px=0.5, hatch_m=_HATCH_M)
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
            for rank, (fill, text, _) in enumerate(_CLASSES)
        },
        "divided": Style(
            label="Ressentis opposés", fill=DIVIDED, line="#ffffff", width_px=0.8, opacity=0.9, hatch_m=_STRIPES_M
        ),
        "unsigned": Style(label="Dit sans valeur donnée", fill=_UNSIGNED, line=INK, width_px=0.8),
    }
    signs = {
        **{
            f"v{rank}": Style(label=f"Ressenti {text}", fill=fill, line=INK, shape=shape, size_px=15)
            for rank, (fill, text, shape) in enumerate(_CLASSES)
        },
        "divided": Style(label="Ressentis opposés", fill=DIVIDED, line=INK, shape="square", size_px=14),
        "unsigned": Style(label="Dit sans valeur donnée", fill=_UNSIGNED, line=INK, size_px=12),
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


def _surface_layers(walked: gpd.GeoDataFrame, smooth: pd.DataFrame | None, *, view: View) -> list[Layer]:
    """Return the value of the surface, or the people behind it, where somebody walked and enough people are near."""
    found = cast("pd.DataFrame", smooth).reindex(walked.index)
    there = found["value"].notna().to_numpy()
    kept, found = walked[there], found[there]
    told = {
        "Valeur lissée (−2 à +2)": [_decimal(value) for value in found["value"]],
        "Preuve (personnes)": [_decimal(value) for value in found["evidence"]],
        "Personnes proches": found["n_people"].map(words),
    }
    if view == "value":
        looks = [f"v{value_class(value)}" for value in found["value"]]
        styles = {
            f"v{rank}": Style(label=f"Ressenti lissé {text}", fill=fill, line="#8a8a84", width_px=0.5, opacity=0.85)
            for rank, (fill, text, _) in enumerate(_CLASSES)
        }
    else:
        people = np.floor(found["evidence"].to_numpy(dtype=float)).astype(int)
        classes = count_classes(people)
        looks = [class_of(int(count), classes) for count in people]
        styles = class_styles(classes, "personne", opacity=0.85)
    frame = features(kept.geometry, ids=kept["place_id"], labels=kept["place_id"], styles=looks, **told)
    title = "Surface lissée, cinq personnes proches au moins" if view == "value" else "Preuve de la surface"
    return [
        Layer(
            name=f"surface_{view}",
            title=title,
            kind="area",
            frame=frame,
            styles=styles,
            tooltip=tuple(told),
            optional=True,
        )
    ]


def _field_layers(field: Mapping[str, gpd.GeoDataFrame]) -> list[Layer]:
    """Return routes, stops, absences, collective statements and workshop objects, each kept apart."""
    layers = []
    if "routes" in field:
        line = Style(label="Parcours", line=_TRACE, width_px=2.5)
        layers.append(_marks(field["routes"], ("routes", "Parcours", "line"), ident="route_id", styles={"one": line}))
    if "stages" in field:
        stop = Style(label="Étape", fill="#ffffff", line=_TRACE, size_px=10)
        layers.append(
            _marks(field["stages"], ("stages", "Étapes", "point"), ident="stage_id", styles={"one": stop}, label="name")
        )
    if "observations" in field:
        seen = field["observations"]
        layers += _both(
            seen[seen["kind"] == "absence"],
            ("absences", "Ce qui manque (absences)"),
            ident="observation_id",
            style=Style(label="Ce qui manque", line="#000000", shape="cross", size_px=13),
            label="wished",
        )
    if "statements" in field:
        said = field["statements"]
        layers += _both(
            said[said["scope"] == "collective"],
            ("collective", "Propos collectifs"),
            ident="statement_id",
            style=Style(label="Propos collectif", fill="#ffffff", line="#1f78b4", shape="ring", size_px=17),
        )
    if "workshop_items" in field:
        layers += _workshop(field["workshop_items"])
    return layers


_TABLE_LOOKS: dict[str, tuple[str, Shape]] = {
    "favourable_place": ("#1f78b4", "square"),
    "project_type": ("#6a3d9a", "circle"),
    "attention_point": ("#b15928", "up"),
}


def _workshop(items: gpd.GeoDataFrame) -> list[Layer]:
    """Return the three classes of workshop objects, never merged."""
    return [
        layer
        for kind, (fill, shape) in _TABLE_LOOKS.items()
        for layer in _both(
            items[items["kind"] == kind],
            (kind, f"Atelier : {WORKSHOP_KINDS[kind]}"),
            ident="item_id",
            style=Style(
                label=f"Atelier : {WORKSHOP_KINDS[kind]}",
                fill=fill,
                line="#ffffff",
                shape=shape,
                size_px=16,
                opacity=0.4,
            ),
            label="label",
        )
    ]


def _both(frame: gpd.GeoDataFrame, names: tuple[str, str], *, ident: str, style: Style, label: str = "") -> list[Layer]:
    """Return what was drawn as an area or a line, hatched, then what was drawn as a point."""
    name, title = names
    points = (frame.geometry.geom_type == "Point").to_numpy(dtype=bool)
    hatched = replace(
        style, label=f"{style.label} (zone)", fill="", line=style.fill or style.line, width_px=1.5, hatch_m=10.0
    )
    if style.line not in {"#ffffff", ""}:
        hatched = replace(hatched, line=style.line)
    return [
        _marks(
            frame[~points],
            (f"{name}_areas", f"{title}, zones", "area"),
            ident=ident,
            styles={"one": hatched},
            label=label,
        ),
        _marks(frame[points], (name, title, "point"), ident=ident, styles={"one": style}, label=label),
    ]


def _marks(
    frame: gpd.GeoDataFrame,
    names: tuple[str, str, Kind],
    *,
    ident: str,
    styles: Mapping[str, Style],
    label: str = "",
) -> Layer:
    """Return records of one table drawn alike; `label` is the column that names them, else the table does."""
    name, title, kind = names
    told: dict[str, Any] = {}
    if "theme" in frame:
        told["Thème"] = frame["theme"].map(THEMES).fillna("non précisé")
    if "priority" in frame:
        told["Priorité"] = frame["priority"].map(words)
    if label == "name":
        told["Ordre"] = frame["rank"].map(words)
    labels = frame[label].fillna(title) if label else [title] * len(frame)
    drawn = features(frame.geometry, ids=frame[ident], labels=labels, styles="one", **told)
    return Layer(name=name, title=title, kind=kind, frame=drawn, styles=styles, tooltip=tuple(told), optional=True)


def _unplaced(field: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """Return the absences nobody placed: what is missing everywhere has no point."""
    columns = ["Ce qui manque", "Thème"]
    if "observations" not in field:
        return pd.DataFrame(columns=columns)
    seen = field["observations"]
    lost = seen[seen["kind"].eq("absence") & (seen.geometry.isna() | seen.geometry.is_empty)]
    said = [lost["wished"].fillna("non précisé"), lost["theme"].map(THEMES).fillna("non précisé")]
    return pd.DataFrame(dict(zip(columns, said, strict=True))).reset_index(drop=True)


def _description(district: str, places: gpd.GeoDataFrame, *, kept: str, n_lost: int, demo: bool) -> str:
    """Say in one paragraph what the map shows, for whoever cannot see it."""
    n_of = places["state"].value_counts()
    felt = places[places["state"].isin(["felt", "divided"])]
    good = int((felt["value"] > 0.4).sum())
    bad = int((felt["value"] < -0.4).sum())
    few = int((felt["display"] == "symbol").sum())
    said = [
        f"Carte sensible, {district}{kept}, sur {plural(len(places), 'lieu', 'lieux')} :",
        f"{plural(int(n_of.get('not_walked', 0)), 'non parcouru')},",
        f"{words(int(n_of.get('silent', 0)))} parcourus sans rien dire,",
        f"{plural(int(n_of.get('felt', 0)), 'ressenti')} et",
        f"{words(int(n_of.get('divided', 0)))} où les ressentis s’opposent.",
        f"Parmi les lieux ressentis, {words(good)} sont favorables et {words(bad)} défavorables ;"
        f" {words(few)} reposent sur moins de cinq personnes et sont montrés par un signe avec leur effectif."
        if len(felt)
        else "Rien n’y a été ressenti avec ces choix.",
        f"En liste, sans lieu : {plural(n_lost, 'chose absente', 'choses absentes')}." if n_lost else "",
        "Séances inventées pour la démonstration." if demo else "",
    ]
    return " ".join(part for part in said if part)
