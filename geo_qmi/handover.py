"""How does everything of a study, or of one district, leave in one folder that somebody else can open?

For one edition: the tables in the formats of a GIS, of Esri, of the web and of a spreadsheet; a QGIS package and
project that draw the same maps as the screen; the same maps on paper and as one offline page; one index in French and a
manifest. What may leave is decided by `geo_qmi.editions` and by the terms of each table; how a format is written, by
`geo_qmi.export`; how a map looks, by `geo_qmi.maps`. The folder is written whole or not at all.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

import geo_qmi
from geo_qmi import atlas, cover, editions, evaluation, export, gis, mapping, publishing, qgis, schema, wording
from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.export import delivery
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import pandas as pd

    from geo_qmi.maps import Layer, Map

MANIFEST, INDEX = "manifest.json", "LISEZMOI.html"
#: Folder → what it is for, in the order of the index.
FOLDERS = cover.OPENED_FIRST | cover.TABLE_FOLDERS
_TABLE_FORMATS: dict[str, tuple[str, ...]] = {"tableur": (".csv", ".xlsx"), "esri": (".gdb.zip", ".shp.zip")}
_TABLE_FORMATS |= {"web": (".geojson", ".fgb", ".pmtiles", ".parquet", ".kml")}
_PACKAGE, _PROJECT, _PAGE = "etude.gpkg", "etude.qgz", "cartes.html"
#: Tables whose rows are published by the editions, never as they are kept → the column of exact words, if any.
_FIELD = dict.fromkeys(("sessions", "routes", "stages", "participants", "workshop_items"), "")
_FIELD |= {"observations": "verbatim", "statements": "statement"}


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
        What `geo_qmi.export.terms` returns for tables of the user's own; the shipped terms by default.
    date
        Day of the data, ``AAAA-MM-JJ``, for cards, paper and page; empty to leave it unsaid.
    """

    edition: str = "jury"
    district: str = ""
    kinds: Sequence[str] = tuple(mapping.KINDS)
    names: Collection[str] = ()
    cleared: Collection[str] = ()
    terms: Mapping[str, export.Terms] | None = None
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
    layout: atlas.Layout
    left_out: list[str]
    tables: list[cover.Entry] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)

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
    layout = atlas.Layout(date=_day(order.date), study=study)
    known = export.terms() if order.terms is None else order.terms
    kept, held = mapping.permitted(tables, code, terms=known)
    shown = mapping.lowered(kept, code, names=order.names, cleared=order.cleared, terms=known)
    ident = _district(kept, order.district)
    leaving = _leaving(kept, shown, code)
    chosen = _of_district(leaving, kept, ident) if ident else leaving
    left_out = [*held, *_withheld(_of_district(kept, kept, ident) if ident else kept, chosen, code)]
    left_out += _elsewhere(leaving, chosen)
    layers = _layers(chosen, private=code == "jury")
    provenance: dict[str, Any] = {"study": study, "study_sha256": fingerprint, "edition": editions.EDITIONS[code]}
    provenance |= {"district": ident} if ident else {}
    provenance |= {"date": order.date} if order.date else {}
    with delivery.workshop(target) as private:
        parcel = _Parcel(private / "livraison", code, provenance, known, layout, left_out)
        parcel.folder.mkdir()
        if not layers:
            raise InputError(f"Rien à écrire dans « {target} » : aucune ligne ne sort de cette étude.")
        for layer in layers:
            announce(f"Table : {layer.title}")
            _write_table(parcel, layer)
        drawn = _drawn(parcel, shown, order, ident, announce)
        announce("QGIS")
        _write_qgis(parcel, layers, drawn, names=mapping.titles(shown))
        _write_paper(parcel, shown, drawn, announce)
        if drawn:
            announce("Page hors ligne")
            atlas.write_page([one for *_, one in drawn], parcel.path("page", _PAGE), layout=layout, edition=code)
            parcel.titles[f"page/{_PAGE}"] = "Toutes les cartes, avec leur description et leur tableau"
        _write_index(parcel, names=mapping.titles(shown))
        _write_manifest(parcel, order, fingerprint)
        delivery.install(parcel.folder, target)
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
    kept, _ = mapping.permitted(tables, code, terms=order.terms)
    ident = _district(kept, order.district)
    leaving = _leaving(kept, shown, code)
    return _layers(_of_district(leaving, kept, ident) if ident else leaving, private=code == "jury")


def _day(date: str) -> str:
    """Return a day in French words, or say what is expected; nothing for no day."""
    try:
        return wording.day_words(datetime.date.fromisoformat(date)) if date else ""
    except ValueError:
        raise InputError(f"Jour « {shown(date)} » : attendu AAAA-MM-JJ, par exemple 2026-11-22.") from None


def _require_folder(target: Path, edition: str) -> None:
    if not target.parent.is_dir():
        raise InputError(f"Le dossier « {target.parent} » n’existe pas : créez-le ou choisissez un autre dossier.")
    if target.exists() and not target.is_dir():
        raise InputError(f"« {target} » est un fichier : donnez un dossier nouveau ou vide.")
    try:
        if not target.exists() or not any(target.iterdir()):
            return
    except OSError:
        raise InputError(
            f"Le dossier « {target} » ne se lit pas : choisissez un dossier qui vous est ouvert."
        ) from None
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


def _leaving(
    tables: Mapping[str, pd.DataFrame], shown: Mapping[str, pd.DataFrame], edition: str
) -> dict[str, pd.DataFrame]:
    """Return the tables of one edition: those of the field as the edition allows, the others as they are."""
    field_tables = {name: tables[name] for name in _FIELD}
    made = editions.edition("jury", tables=field_tables).tables if edition == "jury" else shown
    open_ = {name: tables[name] for name in schema.TABLES if name not in _FIELD}
    if edition != "jury":
        open_["measures"] = evaluation.without_few(tables["measures"], tables["indicators"])
    return open_ | {name: made[name] for name in editions.COLUMNS[edition] if name in made}


def _withheld(kept: Mapping[str, pd.DataFrame], leaving: Mapping[str, pd.DataFrame], edition: str) -> list[str]:
    """Say what a lower edition keeps back of each field table; the jury's keeps pseudonyms only."""
    said = []
    for name, words in _FIELD.items():
        label, before = schema.label(name), kept[name]
        if name not in leaving or before.empty:
            said += [f"« {label} » : jamais dans cette édition."] if len(before) else []
            continue
        n_rows = len(before) - len(leaving[name])
        if n_rows:
            rows = wording.counted(n_rows, "ligne non publiée", "lignes non publiées")
            said.append(f"« {label} » : {rows}, de séances de moins de {editions.FLOOR_GROUP} personnes.")
        if words and edition != "jury":
            told = before[before["session_id"].isin(leaving[name]["session_id"])][words]
            unread = int(told.notna().sum() - leaving[name]["words"].notna().sum())
            if unread:
                published = wording.agreed(unread, "non publié", "non publiés")
                said.append(f"« {label} » : {wording.counted(unread, 'texte')} sans relecture, {published}.")
    return said


def _elsewhere(leaving: Mapping[str, pd.DataFrame], chosen: Mapping[str, pd.DataFrame]) -> list[str]:
    """Name the tables a district has no rows of its own in, because they are of the whole programme."""
    absent = [schema.label(name) for name, frame in leaving.items() if name not in chosen and len(frame)]
    return [f"Tables de tout le programme, dans l’export de l’étude entière : {', '.join(absent)}."] if absent else []


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
    barriers = set(tables["barriers"]["barrier_id"][tables["barriers"]["district_id"] == ident])
    chosen = {"district_id": {ident}, "session_id": sessions, "insee": insee, "project_id": projects}
    protocols = set(tables["protocols"]["protocol_id"][tables["protocols"]["district_id"] == ident])
    chosen |= {"barrier_id": barriers, "protocol_id": protocols}
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
        if name in _FIELD:
            layers.append(publishing.field_layer(frame, name, private=private))
        else:
            layers.append(export.from_table(frame, name, private=False, title=None))
    return layers


def _write_table(parcel: _Parcel, layer: export.Layer) -> None:
    """Write one table in every format that can hold it."""
    n_unlocated = None if layer.geometry is None else int(layer.geometry.isna().sum())
    placed = n_unlocated is not None and n_unlocated < len(layer.frame)
    files = {}
    for folder, suffixes in _TABLE_FORMATS.items():
        for suffix in suffixes:
            if not placed and (folder == "web" or suffix in export.MAPS_ONLY):
                continue
            path = parcel.path(folder, f"{layer.name}{suffix}")
            export.export_layer(layer, path, provenance=parcel.about(layer.name))
            files[f"{folder}/{path.name}"] = suffix.removesuffix(".zip").removeprefix(".")
    licence = export.licence_of([layer.name], known=parcel.terms) if layer.name in parcel.terms else "Non précisée."
    parcel.tables.append(cover.Entry(layer.title, licence, len(layer.frame), n_unlocated, files))


def _drawn(
    parcel: _Parcel, tables: Mapping[str, pd.DataFrame], order: Order, ident: str, announce: Callable[[str], None]
) -> list[tuple[str, str, Map]]:
    """Return the maps that show something, with their kind and district; the others are said."""
    titles = mapping.titles(tables)
    wanted = [(kind, of) for kind, of in mapping.wanted(tables) if kind in order.kinds and (not ident or of == ident)]
    drawn = []
    without: dict[str, list[tuple[str, str]]] = {}
    for kind, of in wanted:
        title = titles.get(of, "Métropole")
        announce(f"Carte : {mapping.KINDS[kind]}, {title}")
        one = mapping.drawn(tables, kind=kind, district_id=of)
        if one.nothing:
            without.setdefault(title, []).append((mapping.KINDS[kind], one.nothing))
        else:
            drawn.append((kind, of, one))
    parcel.left_out += [f"Sans carte : {atlas.unmapped(title, rows)}" for title, rows in without.items()]
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
            members.append((table.name, table.title, gis.drawn_as(table), table.style))
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
    if layer.geometry is None or layer.geometry.isna().all():
        return [gis.styled(replace(layer, geometry=None))]
    made = []
    for part, shapes in export.parts(layer):
        title = layer.title if part.name == layer.name else f"{layer.title} ({part.name.rpartition('_')[2]})"
        made.append(gis.styled(replace(part, title=title, geometry=gpd.GeoSeries(shapes, crs=schema.CRS))))
    return made


def _write_paper(
    parcel: _Parcel,
    tables: Mapping[str, pd.DataFrame],
    drawn: Sequence[tuple[str, str, Map]],
    announce: Callable[[str], None],
) -> None:
    for kind, of, one in drawn:
        announce(f"Papier : {one.title}")
        pages = atlas.laid_out(tables, one, kind=kind, district_id=of, layout=parcel.layout, edition=parcel.edition)
        path = parcel.path("papier", f"{fold(f'{kind} {of}')}.pdf")
        atlas.write(pages, path)
        parcel.titles[f"papier/{path.name}"] = one.title


def _write_index(parcel: _Parcel, *, names: Mapping[str, str]) -> None:
    """Write the French page somebody reads first."""
    district = parcel.provenance.get("district")
    facts = {
        "Étude": str(parcel.provenance["study"]),
        "Étendue": f"{names[district]} ({district})" if district else "Toute l’étude",
        "Date": parcel.layout.date or "non précisée",
        "Écrit par": f"geo-qmi {geo_qmi.__version__}",
    }
    text = cover.page(
        title=f"{parcel.provenance['study']} – édition {editions.EDITIONS[parcel.edition]}",
        edition=parcel.edition,
        facts=facts,
        opened_first={path: (title, (parcel.folder / path).stat().st_size) for path, title in parcel.titles.items()},
        tables=parcel.tables,
        left_out=parcel.left_out,
    )
    (parcel.folder / INDEX).write_text(text, encoding="utf-8")


def _write_manifest(parcel: _Parcel, order: Order, fingerprint: str) -> None:
    """Write what vouches for every file, last: a folder without it is not whole. Names to remove are only counted."""
    inputs = {"study": fingerprint}
    inputs |= {"terms": _hash(f"{name} {one}" for name, one in parcel.terms.items())}
    inputs |= {"cleared": _hash(order.cleared)} if order.cleared else {}
    paths = sorted(path for path in parcel.folder.rglob("*") if path.is_file())
    record = parcel.provenance | {
        "inputs": inputs,
        "parameters": {"kinds": list(order.kinds), "n_names_removed": len(order.names)},
        "outputs": {path.relative_to(parcel.folder).as_posix(): delivery.fingerprint(path) for path in paths},
        "left_out": parcel.left_out,
        "software": f"geo-qmi {geo_qmi.__version__}",
    }
    export.write_json(record, parcel.folder / MANIFEST)


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
