"""Which map of a study answers a kind and a district?

Gathers what the dashboard's pages gather, with their first choices, and has the wings compute and word one
`geo_qmi.maps.Map`: the paper, the offline page and the atlas draw from it and agree with the screen. The same call
serves the jury (every table of a study) and the lower editions (`lowered`). It computes no figure itself, draws
nothing and writes no file.

    tables = lowered(study.read_many(), "public")       # or the tables as they are, for the jury
    drawn(tables, kind="sensitive", district_id="Aulnay-sous-Bois")  -> maps.Map
    verbatims(tables, district_id="QMI1-AUL")            -> said, geometry (EPSG:2154), north first
    wanted(tables)                                       -> [("programme", ""), ("district", "QMI1-AUL"), …]
    titles(tables)                                       -> {"QMI1-AUL": "Aulnay-sous-Bois – Centre Gare", …}
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from geo_qmi import editions, export, maps, schema
from geo_qmi.errors import DefectsError, InputError, UnknownNameError, shown
from geo_qmi.schema import CRS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Extent = tuple[float, float, float, float]
    Tables = Mapping[str, Any]

#: Kinds of map, in the order of an atlas.
KINDS: dict[str, str] = {
    "programme": "Le programme dans la Métropole",
    "matching": "Le plan d’appariement",
    "district": "Le quartier",
    "sensitive": "Carte sensible",
    "severance": "Accès et coupures",
    "coverage": "Sites et couverture",
}
#: Kinds that show the whole Métropole, not one district.
WHOLE = ("programme", "matching")
#: Side of the cells of a sensitive map: the one of the diagnosis sheet.
_CELL_M = 50.0
#: The walk of a coverage map: what people walk to a neighbourhood place.
_REACH_MIN = 5.0
_FIELD = ("sessions", "routes", "stages", "participants", "observations", "statements", "workshop_items")
_READ_BACK = (
    "Les lieux relus dans les fichiers d’une édition n’ont pas de quoi être redessinés : dessinez-les depuis l’étude, "
    "avec « geo-qmi map --edition »."
)
_WORDS = {"observations": "verbatim", "statements": "statement"}


def drawn(tables: Tables, *, kind: str, district_id: str = "") -> maps.Map:
    """Return one map of a study.

    Parameters
    ----------
    tables
        Table name → frame (EPSG:2154): every table of a study, which is the edition of the jury, or what `lowered`
        returns. A table that is absent counts as empty.
    kind
        Key of `KINDS`.
    district_id
        Identifier, commune or name of a district; empty for the kinds of `WHOLE`.

    Returns
    -------
    A map. Where the perimeter is not published its commune is hatched; where there is nothing to draw its ``nothing``
    says so.

    Raises
    ------
    UnknownNameError
        No such kind or district; the choices are listed.
    InputError
        A district is missing, or one is given to a map of the whole Métropole; a study without communes.

    Examples
    --------
    >>> from geo_qmi.shipped import shipped_tables
    >>> drawn(shipped_tables(), kind="coverage", district_id="Argenteuil").nothing
    'Périmètre non publié : aucune portée à pied ne peut y être calculée.'
    """
    if kind not in KINDS:
        listed = ", ".join(f"{code} ({title})" for code, title in KINDS.items())
        raise UnknownNameError(f"Carte inconnue : « {shown(kind)} ». Cartes : {listed}.")
    whole = _whole(tables)
    if whole["communes"].empty:
        raise InputError("Étude sans commune : aucune carte n’est possible. Importez la table « communes ».")
    if kind in WHOLE:
        if district_id:
            raise InputError(f"La carte « {kind} » montre toute la Métropole : retirez le quartier.")
        return _programme(whole) if kind == "programme" else _matching(whole)
    return _OF_DISTRICT[kind](whole, _district(whole, kind, district_id))


def wanted(tables: Tables) -> list[tuple[str, str]]:
    """Return what an atlas holds: every kind, for every district where the kind has one.

    Returns
    -------
    Pairs of kind and district identifier (empty for the whole Métropole): those of the Métropole, then district by
    district in the order of editions and names. Some of these maps may have nothing to draw and say so.
    """
    each = [kind for kind in KINDS if kind not in WHOLE]
    return [(kind, "") for kind in WHOLE] + [(kind, ident) for ident in titles(tables) for kind in each]


def titles(tables: Tables) -> dict[str, str]:
    """Return district identifier → display name, in the order of editions then names."""
    from geo_qmi.desk import readings

    return readings.district_names(_whole(tables))


def overview(tables: Tables, frames: Mapping[str, tuple[int, int, list[Extent]]], *, n_maps: int) -> maps.Map:
    """Return where the sheets of an atlas lie in the Métropole.

    Parameters
    ----------
    frames
        District identifier → first page, last page, and the ground of each of its sheets (EPSG:2154).
    n_maps
        Maps in the atlas, for the title.
    """
    whole = _whole(tables)
    ground = maps.plan_map(
        whole["communes"], whole["districts"], territories=whole["territories"], assigned=pd.Series(dtype="int64")
    )
    names = titles(whole)
    boxes = [shapely.box(*shapely.total_bounds([shapely.box(*one) for one in held])) for *_, held in frames.values()]
    pages = [f"p. {first}" if first == last else f"p. {first} à {last}" for first, last, _ in frames.values()]
    told = {"id": list(frames), "label": pages, "style": "sheet"}
    shapes = gpd.GeoDataFrame({**told, "Feuilles": pages}, geometry=boxes, crs=CRS)
    spots = gpd.GeoDataFrame({**told, "style": "text"}, geometry=shapes.geometry.centroid, crs=CRS)
    frame = maps.Style(label="Sol des feuilles d’un quartier", fill="#c2185b", line="#c2185b", opacity=0.12, width_px=2)
    words = maps.Style(line=maps.INK, size_px=13)
    layers = (
        maps.Layer(name="sheets", title="Feuilles", kind="area", frame=shapes, styles={"sheet": frame}),
        maps.Layer(name="pages", title="Pages", kind="text", frame=spots, styles={"text": words}),
    )
    listed = pd.DataFrame({"Quartier": [names[ident] for ident in frames], "Pages": pages})
    return replace(
        ground,
        title=f"{counted(n_maps, 'carte')}, {counted(len(frames), 'quartier')}",
        layers=(*ground.layers, *layers),
        extent_m=tuple(whole["communes"].total_bounds),
        description="",
        table=listed,
        nothing="",
    )


def permitted(
    tables: Tables, edition: str, *, terms: Mapping[str, export.Terms] | None = None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the tables of a study, empty where their terms keep them with the jury, and a sentence for each of those.

    Parameters
    ----------
    edition
        Key of `geo_qmi.editions.EDITIONS`, or its French word.
    terms
        What `geo_qmi.export.terms` returns; the shipped terms by default.
    """
    if edition_of(edition) == "jury":
        return dict(tables), ()
    known = export.terms() if terms is None else terms
    held = [name for name, one in known.items() if one.restricted and name in tables and len(tables[name])]
    kept = {name: frame.iloc[:0] if name in held else frame for name, frame in tables.items()}
    said = (f"« {schema.label(name)} » : réservée au jury, {counted(len(tables[name]), 'ligne')}." for name in held)
    return kept, tuple(said)


def lowered(
    tables: Tables,
    edition: str,
    *,
    names: Collection[str] = (),
    cleared: Collection[str] = (),
    terms: Mapping[str, export.Terms] | None = None,
) -> Tables:
    """Return the tables of a study as one edition may show them; for the jury, as they are.

    Parameters
    ----------
    tables
        Every table of the study.
    edition
        Key of `geo_qmi.editions.EDITIONS`, or its French word (« candidats »).
    names, cleared
        As for `geo_qmi.editions.edition`: proper names to remove, and texts somebody read and released.
    terms
        As for `permitted`: restricted tables are empty in the lower editions.

    Returns
    -------
    Table name → frame. In a lower edition the field tables are those of `geo_qmi.editions.edition`, private columns
    are gone, and table ``places`` (not of the schema) has the values of the sensitive maps with few people withheld.

    Raises
    ------
    UnknownNameError
        No such edition.
    DefectsError
        The proof failed: every leak is named.
    """
    code = edition_of(edition)
    if code == "jury":
        return tables
    source = _whole(permitted(tables, code, terms=terms)[0])
    made = editions.edition(code, tables={name: source[name] for name in _FIELD}, names=names, cleared=cleared)
    found = editions.leaks(made.tables, source=source, cleared=cleared, names=names)
    if found:
        raise DefectsError(found, title="Édition refusée, rien n’a été dessiné")
    kept = {name: frame.drop(columns=_private(name, frame)) for name, frame in source.items() if name not in _FIELD}
    return {**kept, **made.tables, "places": places_of_edition(source, made)}


def edition_of(name: str) -> str:
    """Return the code of an edition given by its code or its French word.

    Examples
    --------
    >>> edition_of("candidats")
    'candidates'
    """
    codes = {**{code: code for code in editions.EDITIONS}, **{word: code for code, word in editions.EDITIONS.items()}}
    if name not in codes:
        raise UnknownNameError(
            f"Édition inconnue : « {shown(name)} ». Éditions : {', '.join(editions.EDITIONS.values())}."
        )
    return codes[name]


def verbatims(tables: Tables, *, district_id: str) -> gpd.GeoDataFrame:
    """Return what was said in a district, for a facing page; private when `tables` are the jury's.

    Returns
    -------
    ``said`` (exact words for the jury, the redacted words somebody released in a lower edition), ``geometry``
    (EPSG:2154: the place, or the widened place; missing where there is none). From north to south, then west to east;
    words without a place last.
    """
    own = _own(_whole(tables), _district(_whole(tables), "sensitive", district_id))
    parts = []
    for table, private in _WORDS.items():
        frame = own[table]
        column = "words" if "words" in frame else private
        if column in frame:
            shapes = frame.geometry if "geometry" in frame else [None] * len(frame)
            parts.append(gpd.GeoDataFrame({"said": frame[column]}, geometry=list(shapes), crs=CRS))
    told = pd.concat(parts, ignore_index=True)
    told = told[told["said"].notna()]
    spots = told.geometry.representative_point()
    order = pd.DataFrame({"south": -spots.y, "west": spots.x, "said": told["said"]}).sort_values(
        ["south", "west", "said"], na_position="last"
    )
    return gpd.GeoDataFrame(told.loc[order.index].reset_index(drop=True), geometry="geometry", crs=CRS)


def _whole(tables: Tables) -> Tables:
    """Return the tables with an empty one where a table is absent."""
    names = [*(name for name in schema.TABLES if name not in tables), *tables]
    return schema.OnDemand(names, lambda name: tables[name] if name in tables else _empty(name))


def _empty(name: str) -> Any:
    return schema.typed(pd.DataFrame(columns=list(schema.columns(name))), name)


def _reduced(tables: Tables) -> bool:
    """Tell whether the field tables are those of a lower edition."""
    return "participant_id" not in tables["observations"]


def _private(name: str, frame: pd.DataFrame) -> list[str]:
    return [column for column in schema.private_columns(name) if column in frame and name in schema.TABLES]


def _district(tables: Tables, kind: str, name: str) -> str:
    """Return the identifier of the district asked for."""
    if name in set(tables["districts"]["district_id"]):
        return name
    if not name:
        listed = ", ".join(map(str, tables["districts"]["district_id"])) or "aucun"
        raise InputError(f"La carte « {kind} » montre un quartier : dites lequel. Quartiers de l’étude : {listed}.")
    from geo_qmi import walking

    return walking.district_of(tables, name)


def _programme(tables: Tables) -> maps.Map:
    from geo_qmi.desk import readings

    kept = readings.each_once(tables["fund_projects"])
    return maps.programme_map(
        tables["communes"],
        tables["districts"],
        territories=tables["territories"],
        fund_counts=kept.groupby("insee").size(),
        carried_elsewhere=int(kept["insee"].isna().sum()),
        scope="toutes éditions",
    )


def _matching(tables: Tables) -> maps.Map:
    """Return the plan of the real projects over the districts of edition 1, under the shipped rules."""
    from geo_qmi import rulebook
    from geo_qmi.dashboard import comparison

    projects, districts = tables["projects"], tables["districts"]
    first = sorted(districts.loc[districts["edition"] == 1, "district_id"])
    received = pd.Series(dtype="int64")
    refusal = ""
    if len(projects) and first:
        candidates = comparison.Candidates(rows=projects, noun="projet", tags=tables["project_tags"])
        inputs = comparison.gathered(candidates, tables, district_ids=first, book=rulebook.opened())
        found = comparison.compare(inputs)
        refusal = found.refusal
        received = found.plan["district_id"].value_counts().reindex(first, fill_value=0)
    plan = maps.plan_map(
        tables["communes"], districts, territories=tables["territories"], assigned=received, noun="projet"
    )
    return replace(plan, nothing=refusal or plan.nothing)


def _ground(tables: Tables, ident: str, walks: Tables | None = None) -> maps.Map:
    chosen = ("districts", "communes", "barriers", "stations", "sites")
    return maps.district_map(ident, **{name: tables[name] for name in chosen}, walks=walks)


def _of_place(tables: Tables, ident: str) -> maps.Map:
    """Return the district with what a walk recorded; the widened marks of a lower edition lie over one another."""
    own = _own(tables, ident)
    walks = {name: own[name] for name in ("routes", "stages", "observations")}
    if _reduced(tables):
        walks["observations"] = _empty("observations")
    return _ground(tables, ident, walks if any(len(frame) for frame in walks.values()) else None)


def _sensitive(tables: Tables, ident: str) -> maps.Map:
    from geo_qmi.dashboard import fieldwork

    if "places" in tables and "evidence" not in tables["places"]:  # read back from the files of an edition
        return replace(_ground(tables, ident), nothing=_READ_BACK)
    if "places" in tables:
        return _published(tables, ident)
    if _reduced(tables):
        return replace(_ground(tables, ident), nothing="Sans les personnes, la valeur d’un lieu ne se compte pas.")
    kept = fieldwork.Kept()
    found = fieldwork.fieldwork(tables, ident, kept=kept, cell_m=_CELL_M)
    return fieldwork.drawn(tables, ident, found, kept=kept, view="places")


def _published(tables: Tables, ident: str) -> maps.Map:
    """Return the sensitive map of a lower edition, from what it published."""
    from geo_qmi.dashboard import fieldwork

    places = tables["places"][tables["places"]["district_id"] == ident]
    own = _own(tables, ident)
    field = {name: own[name] for name in ("routes", "stages", "workshop_items") if "geometry" in own[name]}
    seen = own["observations"].rename(columns={"mark_id": "observation_id"})
    field["observations"] = seen.assign(wished=seen.get("wished"))
    ground, title = fieldwork.ground_of(tables, ident)
    return maps.sensitive_map(
        ground,
        district=title,
        places=places.drop(columns=["district_id", "evidence"]).reset_index(drop=True),
        evidence=str(places["evidence"].iloc[0]) if len(places) else "aucun lieu publié",
        field=field,
    )


def places_of_edition(source: Tables, made: editions.Edition) -> gpd.GeoDataFrame:
    """Return the places of every district as a lower edition may show them, from the sessions it publishes."""
    from geo_qmi.dashboard import fieldwork

    sessions = made.tables["sessions"]
    parts = []
    for ident in source["districts"]["district_id"]:
        kept = fieldwork.Kept(sessions=tuple(sessions.loc[sessions["district_id"] == ident, "session_id"]) or ("",))
        found = fieldwork.fieldwork(source, ident, kept=kept, cell_m=_CELL_M)
        places = editions.published_places(found.places, floor_people=editions.FLOOR_GROUP)
        parts.append(places.assign(district_id=ident, evidence=found.evidence))
    return gpd.GeoDataFrame(pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True), crs=CRS)


def _severance(tables: Tables, ident: str) -> maps.Map:
    """Return the walk out of the first station of the district, and the detours its barriers cost."""
    from geo_qmi import walking

    if _unplaced(tables, ident):
        return _without_perimeter(tables, ident, "aucune marche ne peut y être calculée")
    given = walking.terrain(_unspoken(tables), ident)
    listed = walking.origins(tables, given)
    stations = [one for one in listed.index if str(one).startswith("gare-")]
    start = stations[0] if stations else listed.index[0]
    walked = walking.access(given, listed.geometry[start], name=str(listed["name"][start]))
    found = walking.cut(given, _unspoken(tables))
    return walking.access_map(tables, given, walked, found)


def _coverage(tables: Tables, ident: str) -> maps.Map:
    """Return what lies within five minutes of the places of the district."""
    from geo_qmi import walking

    if _unplaced(tables, ident):
        return _without_perimeter(tables, ident, "aucune portée à pied ne peut y être calculée")
    given = walking.terrain(_unspoken(tables), ident)
    found = walking.reach(given, _unspoken(tables), minutes=_REACH_MIN)
    if found is None:
        return replace(
            _ground(tables, ident),
            nothing="Aucun lieu connu dans ce quartier : ni projet placé, ni lieu d’accueil. Rien à marcher.",
        )
    return walking.reach_map(tables, given, found)


_OF_DISTRICT: dict[str, Callable[[Tables, str], maps.Map]] = {
    "district": _of_place,
    "sensitive": _sensitive,
    "severance": _severance,
    "coverage": _coverage,
}


def _unplaced(tables: Tables, ident: str) -> bool:
    rows = tables["districts"]
    return bool(rows.loc[rows["district_id"] == ident, "geometry"].isna().all())


def _without_perimeter(tables: Tables, ident: str, why: str) -> maps.Map:
    return replace(_ground(tables, ident), nothing=f"{maps.UNKNOWN_PLACE.capitalize()} : {why}.")


def _own(tables: Tables, ident: str) -> dict[str, Any]:
    """Return the field tables of the sessions of one district, without those of people."""
    sessions = tables["sessions"][tables["sessions"]["district_id"] == ident]
    rest = [name for name in _FIELD if name not in {"sessions", "participants"}]
    return {name: tables[name][tables[name]["session_id"].isin(sessions["session_id"])] for name in rest}


def _unspoken(tables: Tables) -> Tables:
    """Return the tables without what was said: those maps do not draw it, and every edition then walks the same."""
    said = {"observations", "workshop_items"}
    return schema.OnDemand(tables, lambda name: _empty(name) if name in said else tables[name])
