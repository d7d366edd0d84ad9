"""How does everything of a study, or of one district, leave in one folder that somebody else can open?

For one edition: the tables in the formats of a GIS, of Esri, of the web and of a spreadsheet; a QGIS package and
project that draw the same maps as the screen; the same maps on paper and as one offline page; one index in French and a
manifest. What may leave is decided by `geo_qmi.editions` and by the terms of each table; how a format is written, by
`geo_qmi.export`; how a map looks, by `geo_qmi.maps`. The folder is written whole or not at all.
"""

from __future__ import annotations

import html
import json
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

import geo_qmi
from geo_qmi import atlas, editions, export, mapping, page, plate, qgis, schema
from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.export import delivery
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import pandas as pd

    from geo_qmi.maps import Layer, Map

MANIFEST, INDEX = "manifest.json", "LISEZMOI.html"
#: Folder → what it is for, in the order of the index.
FOLDERS = {
    "qgis": "QGIS : ouvrez le projet, tout est dessiné",
    "papier": "Papier : chaque carte à l’échelle, en PDF",
    "page": "Une page à ouvrir sans réseau, d’une clé USB par exemple",
    "tableur": "Tableur : CSV et Excel français",
    "esri": "Esri : géodatabases et Shapefiles compressés",
    "web": "Web et grands volumes : GeoJSON, FlatGeobuf, PMTiles, GeoParquet, KML",
}
_TABLE_FORMATS: dict[str, tuple[str, ...]] = {"tableur": (".csv", ".xlsx"), "esri": (".gdb.zip", ".shp.zip")}
_TABLE_FORMATS |= {"web": (".geojson", ".fgb", ".pmtiles", ".parquet", ".kml")}
_PACKAGE, _PROJECT, _PAGE = "etude.gpkg", "etude.qgz", "cartes.html"
#: Tables whose rows are published by the editions, never as they are kept.
_FIELD = ("sessions", "routes", "stages", "participants", "observations", "statements", "workshop_items")
_OWN_LABELS = {"mark_id": "Repère", "words": "Mots relus", "actor_group": "Groupe"}
_KINDS = {"Polygon": "area", "LineString": "line", "Point": "point"}


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for.

    Attributes
    ----------
    edition
        Code or French word of an edition: jury, candidats, public.
    district
        Identifier, commune or name of one district; empty for the study.
    kinds
        Maps to draw (`geo_qmi.mapping.KINDS`); all by default.
    names, cleared
        Proper names to remove from texts, and texts somebody released: lower editions only.
    terms
        File of licences for tables of the user's own.
    date
        Day of the data, ``AAAA-MM-JJ``, for cards, paper and page.
    """

    edition: str = "jury"
    district: str = ""
    kinds: Sequence[str] = tuple(mapping.KINDS)
    names: Collection[str] = ()
    cleared: Collection[str] = ()
    terms: Path | None = None
    date: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What was written.

    Attributes
    ----------
    folder
        Where it is.
    files
        Paths inside the folder, sorted.
    left_out
        French sentences: what is not there, and why.
    """

    folder: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass
class _Parcel:
    """The folder being filled."""

    folder: Path
    edition: str
    provenance: dict[str, Any]
    terms: Mapping[str, export.Terms]
    titles: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def path(self, folder: str, name: str) -> Path:
        """Return the path of a file, its folder made."""
        (self.folder / folder).mkdir(exist_ok=True)
        return self.folder / folder / name

    def about(self, name: str) -> dict[str, Any]:
        """Return what the card of a table says of its origin."""
        known = self.terms.get(name)
        return self.provenance | ({"licence": known.licence, "credit": known.credit} if known else {})


def hand_over(
    tables: Mapping[str, pd.DataFrame],
    folder: Path,
    *,
    order: Order,
    study: str,
    fingerprint: str,
    announce: Callable[[str], None] = lambda _: None,
) -> HandedOver:
    """Write everything of a study or a district for one edition into one folder, whole or not at all.

    Parameters
    ----------
    tables
        Every table of the study.
    folder
        A new or empty folder, or an earlier delivery of the same edition, which is replaced.
    study, fingerprint
        Name of the study and the hash of its contents, for cards and manifest.
    announce
        Told each step, in French.

    Raises
    ------
    UnknownNameError, InputError
        No such edition or district; a folder that holds something else; a disk that is full; nothing to write.
    DefectsError
        A lower edition would leak; nothing is written.
    """
    code = mapping.edition_of(order.edition)
    target = Path(folder).resolve()
    _require_folder(target, code)
    known = export.terms(order.terms)
    kept, left_out = _allowed(tables, known, code)
    shown = mapping.lowered(kept, code, names=order.names, cleared=order.cleared)
    ident = _district(kept, order.district)
    layers = _ready(kept, shown, code, ident)
    provenance: dict[str, Any] = {"study": study, "study_sha256": fingerprint, "edition": editions.EDITIONS[code]}
    provenance |= {"district": ident} if ident else {}
    provenance |= {"date": order.date} if order.date else {}
    with delivery.workshop(target) as private:
        parcel = _Parcel(private / "livraison", code, provenance, known, left_out=left_out)
        parcel.folder.mkdir()
        if not layers:
            raise InputError(f"Rien à écrire dans « {target} » : aucune ligne ne sort de cette étude.")
        for layer in layers:
            announce(f"Table : {layer.title}")
            _write_table(parcel, layer)
        drawn = _drawn(parcel, shown, order, ident, announce)
        announce("QGIS")
        _write_qgis(parcel, layers, drawn, names=mapping.titles(shown))
        announce("Papier et page")
        _write_paper(parcel, shown, drawn, order, study)
        _write_page(parcel, [one for _, _, one in drawn], order, study)
        _write_index(parcel, study, fingerprint)
        _deliver(parcel.folder, target, private)
    files = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    return HandedOver(target, tuple(files), tuple(parcel.left_out))


def layers(
    tables: Mapping[str, pd.DataFrame], shown: Mapping[str, pd.DataFrame], *, order: Order
) -> list[export.Layer]:  # fmt: skip
    """Return the tables that may leave in one edition, each ready for `geo_qmi.export.export_layer`.

    Parameters
    ----------
    tables
        Every table of the study.
    shown
        What `geo_qmi.mapping.lowered` returned for them and the edition.
    order
        Edition, district and terms; the rest is not looked at.

    Raises
    ------
    UnknownNameError
        No such edition or district.
    """
    code = mapping.edition_of(order.edition)
    kept, _ = _allowed(tables, export.terms(order.terms), code)
    return _ready(kept, shown, code, _district(kept, order.district))


def _ready(
    kept: Mapping[str, pd.DataFrame], shown: Mapping[str, pd.DataFrame], code: str, ident: str
) -> list[export.Layer]:  # fmt: skip
    """Return the layers of an edition and, where one is chosen, of a district."""
    leaving = _leaving(kept, shown, code)
    return _layers(_of_district(leaving, kept, ident) if ident else leaving, private=code == "jury")


def _require_folder(target: Path, edition: str) -> None:
    if not target.parent.is_dir():
        raise InputError(f"Le dossier « {target.parent} » n’existe pas : créez-le ou choisissez un autre dossier.")
    if target.exists() and not target.is_dir():
        raise InputError(f"« {target} » est un fichier : donnez un dossier nouveau ou vide.")
    if not target.exists() or not any(target.iterdir()):
        return
    try:
        former = json.loads((target / MANIFEST).read_text(encoding="utf-8"))["edition"]
    except (OSError, ValueError, KeyError, TypeError):
        former = None
    if former != editions.EDITIONS[edition]:
        held = "autre chose" if former is None else f"l’édition « {former} »"
        raise InputError(
            f"Le dossier « {target} » contient {held} : deux éditions ne partagent jamais un dossier. "
            "Donnez un dossier nouveau ou vide."
        )


def _allowed(
    tables: Mapping[str, pd.DataFrame], known: Mapping[str, export.Terms], edition: str
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Empty the tables whose licence keeps them with the jury, in the lower editions, and say so."""
    if edition == "jury":
        return dict(tables), []
    held = [name for name, frame in tables.items() if name in known and known[name].restricted and len(frame)]
    kept = {name: frame.iloc[:0] if name in held else frame for name, frame in tables.items()}
    return kept, [f"« {schema.label(name)} » : diffusion restreinte au jury." for name in held]


def _leaving(
    tables: Mapping[str, pd.DataFrame], shown: Mapping[str, pd.DataFrame], edition: str
) -> dict[str, pd.DataFrame]:
    """Return the tables of one edition: those of the field as the edition allows, the others as they are."""
    field_tables = {name: tables[name] for name in _FIELD}
    made = editions.edition("jury", tables=field_tables).tables if edition == "jury" else shown
    open_ = {name: tables[name] for name in schema.TABLES if name not in _FIELD}
    return open_ | {name: made[name] for name in editions.COLUMNS[edition] if name in made}


def _district(tables: Mapping[str, pd.DataFrame], name: str) -> str:
    """Return the identifier of the district somebody names: its own, or words of its display name."""
    if not name:
        return ""
    titles = mapping.titles(tables)
    found = [ident for ident, title in titles.items() if ident == name or fold(name) in fold(title)]
    if name in titles:
        return name
    if len(found) != 1:
        listed = ", ".join(f"{ident} ({title})" for ident, title in titles.items())
        raise UnknownNameError(f"Quartier inconnu ou ambigu : « {shown(name)} ». Quartiers : {listed}.")
    return found[0]


def _of_district(
    leaving: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], ident: str
) -> dict[str, pd.DataFrame]:
    """Keep the rows of one district, its commune and its sessions; tables of the whole programme stay home."""
    sessions = set(tables["sessions"]["session_id"][tables["sessions"]["district_id"] == ident])
    insee = set(tables["districts"]["insee"][tables["districts"]["district_id"] == ident].dropna())
    projects = set(tables["projects"]["project_id"][tables["projects"]["district_id"] == ident])
    chosen = {"district_id": {ident}, "session_id": sessions, "insee": insee, "project_id": projects}
    kept = {}
    for name, frame in leaving.items():
        column = next((column for column in chosen if column in frame.columns), None)
        if column is not None:
            kept[name] = frame[frame[column].isin(chosen[column])]
    return kept


def _layers(leaving: Mapping[str, pd.DataFrame], *, private: bool) -> list[export.Layer]:
    """Return the tables that hold something, ready to be written."""
    layers = []
    for name, frame in leaving.items():
        if frame.empty:
            continue
        if name not in _FIELD:
            layers.append(export.from_table(frame, name, private=False, title=None))
            continue
        specs = schema.columns(name)
        labels = {
            column: _OWN_LABELS.get(column) or str(specs[column].title)
            for column in frame.columns
            if column != "geometry"
        }
        key = (str(frame.columns[0]),)
        title = schema.label(name)
        layers.append(export.from_frame(frame, name, title=title, key=key, labels=labels, private=private))
    return layers


def _write_table(parcel: _Parcel, layer: export.Layer) -> None:
    """Write one table in every format that can hold it."""
    placed = layer.geometry is not None and layer.geometry.notna().any()
    for folder, suffixes in _TABLE_FORMATS.items():
        for suffix in suffixes:
            if not placed and (folder == "web" or suffix in export.MAPS_ONLY):
                continue
            path = parcel.path(folder, f"{layer.name}{suffix}")
            export.export_layer(layer, path, provenance=parcel.about(layer.name))
            parcel.titles[f"{folder}/{path.name}"] = f"{layer.title} ({export.FORMATS[suffix]})"


def _drawn(
    parcel: _Parcel, tables: Mapping[str, pd.DataFrame], order: Order, ident: str, announce: Callable[[str], None]
) -> list[tuple[str, str, Map]]:
    """Return the maps that show something, with their kind and district; the others are said."""
    wanted = [(kind, of) for kind, of in mapping.wanted(tables) if kind in order.kinds and (not ident or of == ident)]
    drawn = []
    for kind, of in wanted:
        announce(f"Carte : {mapping.KINDS[kind]} {of}".rstrip())
        one = mapping.drawn(tables, kind=kind, district_id=of)
        if one.nothing:
            parcel.left_out.append(f"{mapping.KINDS[kind]} {of} : {one.nothing}")
        else:
            drawn.append((kind, of, one))
    return drawn


def _write_qgis(
    parcel: _Parcel,
    layers: Sequence[export.Layer],
    drawn: Sequence[tuple[str, str, Map]],
    *,
    names: Mapping[str, str],
) -> None:
    """Write the package of all maps and tables, and the project that draws them."""
    packed: list[export.Layer] = []
    groups = []
    about: dict[str, Any] = {}
    for kind, of, one in drawn:
        title = f"{mapping.KINDS[kind]}{f' : {names[of]}' if of else ''}"
        members: list[tuple[str, str, str, str]] = []
        for layer in one.layers:
            name = fold(f"{kind} {of} {layer.name}")
            looked = _of_map(layer, name, f"{title} – {layer.title}")
            packed.append(looked)
            members.append((name, layer.title, layer.kind, looked.style))
            about[name] = parcel.provenance | {
                "licence": "Voir les sources de la carte.",
                "credit": ", ".join(one.credits),
            }
        groups.append(qgis.Group(title, members, one.extent_m, "\n".join(["Sources :", *one.credits])))
    members = []
    for kept in layers:
        for table in _as_kept(kept):
            packed.append(table)
            about[table.name] = parcel.about(kept.name)
            members.append((table.name, table.title, _kind(table), table.style))
    groups.append(qgis.Group("Données", members))
    export.export_package(packed, parcel.path("qgis", _PACKAGE), provenance=about)
    parcel.path("qgis", _PROJECT).write_bytes(qgis.project(groups, title=parcel.provenance["study"], data=_PACKAGE))
    parcel.titles |= {
        f"qgis/{_PROJECT}": "Projet QGIS : groupes, légendes et mises en page A3",
        f"qgis/{_PACKAGE}": "GeoPackage du projet : couches, styles, alias et licences",
    }


def _of_map(layer: Layer, name: str, title: str) -> export.Layer:
    """Return a layer of a map as it leaves for QGIS; what may be drawn may leave."""
    frame = qgis.columns(layer)
    made = export.from_frame(frame, name, title=title, key=(), labels=qgis.titles(layer), private=True)
    return replace(made, style=qgis.style(layer))


def _as_kept(layer: export.Layer) -> list[export.Layer]:
    """Return a table as QGIS holds it: one layer a family of shapes, or rows alone where no place is known."""
    titles = {field.name: field.label for field in layer.fields}
    choices = {field.name: field.choices for field in layer.fields if field.choices}
    if layer.geometry is None or layer.geometry.isna().all():
        return [replace(layer, geometry=None, style=qgis.plain_style("", titles=titles, choices=choices))]
    made = []
    for part, shapes in export.parts(layer):
        title = layer.title if part.name == layer.name else f"{layer.title} ({part.name.rpartition('_')[2]})"
        part = replace(part, title=title, geometry=gpd.GeoSeries(shapes, crs=schema.CRS))  # noqa: PLW2901
        made.append(replace(part, style=qgis.plain_style(_kind(part), titles=titles, choices=choices)))
    return made


def _kind(layer: export.Layer) -> str:
    """Return how a table is drawn: as areas, lines, points, or not at all."""
    known = [] if layer.geometry is None else layer.geometry.dropna().geom_type
    return next((_KINDS[kind.removeprefix("Multi")] for kind in known), "")


def _write_paper(
    parcel: _Parcel,
    tables: Mapping[str, pd.DataFrame],
    drawn: Sequence[tuple[str, str, Map]],
    order: Order,
    study: str,
) -> None:
    for kind, of, one in drawn:
        imprint = plate.Imprint(
            heading=mapping.KINDS[kind], edition=editions.EDITIONS[parcel.edition], date=order.date, study=study
        )
        said = mapping.verbatims(tables, district_id=of) if kind == "sensitive" else None
        pages = plate.draw(one, imprint=imprint, verbatims=said, around=tables["communes"])
        path = parcel.path("papier", f"{fold(f'{kind} {of}')}.pdf")
        atlas.write(pages, path)
        parcel.titles[f"papier/{path.name}"] = one.title


def _write_page(parcel: _Parcel, maps: Sequence[Map], order: Order, study: str) -> None:
    if not maps:
        return
    text = page.page(maps, title=study, edition=editions.EDITIONS[parcel.edition], date=order.date)
    parcel.path("page", _PAGE).write_text(text, encoding="utf-8")
    parcel.titles[f"page/{_PAGE}"] = "Toutes les cartes, avec leur description et leur tableau"


def _write_index(parcel: _Parcel, study: str, fingerprint: str) -> None:
    """Write the French index, then the manifest that vouches for every file."""
    edition = editions.EDITIONS[parcel.edition]
    sections = []
    for folder, purpose in FOLDERS.items():
        files = {path: title for path, title in parcel.titles.items() if path.startswith(f"{folder}/")}
        rows = "".join(
            f'<li><a href="{html.escape(path)}">{html.escape(path)}</a> : {html.escape(title)}</li>\n'
            for path, title in sorted(files.items())
        )
        sections.append(f"<h2>{html.escape(purpose)}</h2>\n<ul>\n{rows}</ul>\n" if files else "")
    missing = "".join(f"<li>{html.escape(line)}</li>\n" for line in parcel.left_out)
    text = _INDEX.format(
        title=html.escape(f"{study} – édition {edition}"),
        district=html.escape(
            f"Quartier : {parcel.provenance['district']}. " if "district" in parcel.provenance else ""
        ),
        sections="".join(sections),
        missing=f"<h2>Ce qui n’y est pas</h2>\n<ul>\n{missing}</ul>\n" if missing else "",
    )
    (parcel.folder / INDEX).write_text(text, encoding="utf-8")
    paths = sorted(path for path in parcel.folder.rglob("*") if path.is_file())
    record = parcel.provenance | {
        "inputs": {"study": fingerprint},
        "outputs": {str(path.relative_to(parcel.folder)): delivery.fingerprint(path) for path in paths},
        "left_out": parcel.left_out,
        "software": f"geo-qmi {geo_qmi.__version__}",
    }
    export.write_json(record, parcel.folder / MANIFEST)


def _deliver(folder: Path, target: Path, private: Path) -> None:
    """Put the finished folder in its place; the former one stays until then."""
    former = private / "former"
    if target.exists():
        os.replace(target, former)  # noqa: PTH105 — a folder, kept until the new one is there
    try:
        os.replace(folder, target)  # noqa: PTH105
    except OSError:
        if former.exists():
            shutil.move(former, target)
        raise


_INDEX = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}}</style></head>
<body><h1>{title}</h1>
<p>{district}Chaque fichier de données a sa fiche <code>.meta.json</code> : colonnes, sources, licence, citation.
<code>manifest.json</code> donne l’empreinte de tous les fichiers et de l’étude. Ce qui est inventé pour la
démonstration le dit dans son titre.</p>
{sections}{missing}</body></html>
"""
