"""How does an edition of the fieldwork leave a study, in a folder of its own, with the proof that nobody is in it?

One edition (`geo_qmi.editions`) becomes one folder: its tables through `geo_qmi.export`, for the lower ones the values
of the sensitive map cell by cell without any point, a note for data protection with the day of deletion, a marker that
says which edition lives there. The proof of the lower editions is run before anything is written. What may be published
is decided in `geo_qmi.editions`; this module writes it and draws nothing.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geo_qmi import editions, export, schema
from geo_qmi.errors import DefectsError, InputError, shown
from geo_qmi.export import delivery
from geo_qmi.sources.files import read_file
from geo_qmi.vocabulary import ACTOR_GROUPS, fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from geo_qmi.editions import Edition
    from geo_qmi.workspace import Study

#: File that says which edition lives in a folder.
MARKER = "edition.json"
#: Words waiting for a reader; the jury's folder only.
REVIEW = "revue.csv"
NOTE = "LISEZMOI-RGPD.txt"
#: Largest list of names, in bytes: a mistake of file is not read whole.
_NAMES_BYTES = 1_000_000

_TABLES = ("sessions", "routes", "stages", "participants", "observations", "statements", "workshop_items")
_REVIEW_LABELS = {
    "table": "Table",
    "id": "Identifiant",
    "redacted": "Texte expurgé",
    "found": "Passages retirés",
    "cleared": "Relu et publiable (oui ou non)",
}
_OWN_LABELS = {"mark_id": "Repère", "words": "Mots relus", "actor_group": "Groupe"}
#: Columns of the public map of places; those of `geo_qmi.sensitive.felt` that say a value, a state or a number.
_PLACE_LABELS = {
    "place_id": "Lieu",
    "district_id": "Identifiant du quartier",
    "state": "État",
    "value": "Valeur (−2 à +2)",
    "polarisation": "Polarisation (0 à 1)",
    "n_people": "Personnes",
    "n_observations": "Observations",
    "geometry": "Cellule",
}
_YES = {"oui", "vrai", "true", "x", "1"}


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """One edition, written.

    Attributes
    ----------
    folder
        Where it is.
    files
        Names of its files, sorted.
    edition
        What it holds.
    n_unread
        Texts nobody has released yet.
    remarks
        French sentences to show.
    """

    folder: Path
    files: tuple[str, ...]
    edition: Edition
    n_unread: int
    remarks: tuple[str, ...]


def publish(  # noqa: PLR0913 — what somebody decides about an edition, named at the call
    study: Study,
    name: str,
    folder: Path,
    *,
    purpose: str,
    retention: str,
    names: Collection[str] = (),
    review: Path | None = None,
    streets: gpd.GeoDataFrame | None = None,
    terms: Path | None = None,
) -> Published:
    """Write one edition of the fieldwork of a study into a folder of its own, whole or not at all.

    Parameters
    ----------
    study
        Where the field tables are read, all at one instant.
    name
        Code or French word of an edition: ``jury``, ``candidates``, ``public``.
    folder
        A new or empty folder, or the one of an earlier version of the same edition, which is replaced.
    purpose
        French sentence: what the data was collected for.
    retention
        Day until which it is kept, ``AAAA-MM-JJ``.
    names
        Proper names to remove from texts.
    review
        ``revue.csv`` of the jury's edition, its last column filled in by a reader; a text changed since is unread.
    streets
        Street segments (lines, EPSG:2154) places are widened to, as far as the proof allows; cells otherwise.
    terms
        File of licences: its restricted tables stay out of the lower editions.

    Raises
    ------
    UnknownNameError, InputError
        No such edition; a folder that holds something else; a day that is not one.
    DefectsError
        The proof failed: every leak is named, and nothing is written.
    """
    from geo_qmi import mapping

    name = mapping.edition_of(name)
    until = _day(retention)
    target = Path(folder).resolve()
    _require_own_folder(target, name)
    tables, held = mapping.permitted(study.read_many((*_TABLES, "districts")), name, terms=export.terms(terms))
    waiting = editions.edition("public", tables=tables, names=names).review
    cleared, stale = ((), ()) if review is None else _cleared(review, waiting)
    made = editions.edition(name, tables=tables, names=names, cleared=cleared, streets=streets)
    if name != "jury":
        made = replace(made, tables={**made.tables, "places": _places(tables, made)})
        found = editions.leaks(made.tables, source=tables, cleared=cleared, names=names)
        if found:
            raise DefectsError(found, title="Édition refusée, rien n’a été écrit")
    unread = waiting[~waiting["id"].isin(cleared)]
    about = {"edition": name, "study_sha256": study.fingerprint()}
    note = _note(made, purpose=purpose, until=until, n_unread=len(unread))
    with delivery.workshop(target) as private:
        draft = private / "edition"
        draft.mkdir()
        _write(made, draft, about=about)
        if name == "jury":
            _write_review(waiting.assign(cleared=waiting["id"].isin(cleared)), draft, about=about)
        (draft / NOTE).write_text(note, encoding="utf-8")
        (draft / MARKER).write_text(json.dumps({**about, "retention": until}) + "\n", encoding="utf-8")
        delivery.install(draft, target)
    return Published(target, tuple(sorted(path.name for path in target.iterdir())), made, len(unread), (*held, *stale))


def _places(tables: Mapping[str, Any], made: Edition) -> gpd.GeoDataFrame:
    """Return the places of the sensitive maps as a lower edition may show them: cells with value and evidence."""
    from geo_qmi.mapping import places_of_edition

    places = places_of_edition(tables, made)
    return places[list(_PLACE_LABELS)].sort_values(["district_id", "place_id"], ignore_index=True)


def _day(text: str) -> str:
    """Return a day as it was given, or say what is expected."""
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(
            f"Date de conservation « {shown(text)} » : attendu un jour AAAA-MM-JJ, par exemple 2027-12-31."
        ) from None


def _require_own_folder(target: Path, name: str) -> None:
    """Refuse a folder that holds, or lies beside the files of, anything but the same edition."""
    if not target.parent.is_dir():
        raise InputError(f"Le dossier « {target.parent} » n’existe pas : créez-le ou choisissez un autre dossier.")
    if target.exists() and not target.is_dir():
        raise InputError(f"« {target} » est un fichier : donnez un dossier, à cette édition seule.")
    beside = [target, *target.parents, *(path for path in target.glob("*") if path.is_dir())]
    for place in beside:
        other = _edition_in(place)
        if other and (other != name or place != target):
            raise InputError(
                f"« {place} » contient l’édition « {other} » : deux éditions ne partagent jamais un dossier. "
                "Choisissez un autre dossier."
            )
    if target.is_dir() and any(target.iterdir()) and not _edition_in(target):
        raise InputError(
            f"Le dossier « {target} » contient déjà autre chose : une édition a un dossier à elle seule. "
            "Donnez un dossier nouveau ou vide."
        )


def _edition_in(folder: Path) -> str:
    """Return the edition a folder holds, or nothing."""
    marker = folder / MARKER
    try:
        return str(json.loads(marker.read_text(encoding="utf-8"))["edition"])
    except OSError:
        return ""
    except (ValueError, KeyError, TypeError):
        return "inconnue"  # a marker nobody can read still marks a folder that is not free


def released(review: Path, tables: Mapping[str, Any], *, names: Collection[str] = ()) -> tuple[str, ...]:
    """Return the identifiers of the texts a reader released in ``revue.csv`` and that have not changed since."""
    waiting = editions.edition("public", tables={name: tables[name] for name in _TABLES}, names=names).review
    return _cleared(review, waiting)[0]


def released_words(
    tables: Mapping[str, Any], *, names: Path | None, review: Path | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names to remove and the texts to release that somebody gave as files; nothing for no file."""
    removed = () if names is None else tuple(names_in(names))
    return removed, () if review is None else released(review, tables, names=removed)


def _cleared(path: Path, waiting: pd.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the identifiers a reader released, and a remark on the texts that changed since."""
    rows = read_file(path)[0].frame
    absent = [label for label in _REVIEW_LABELS.values() if label not in rows]
    if absent:
        raise InputError(
            f"« {path.name} » n’est pas une revue de l’édition du jury. Colonnes attendues et absentes : "
            f"{', '.join(absent)}."
        )
    yes = rows[rows[_REVIEW_LABELS["cleared"]].map(lambda cell: fold(str(cell)) in _YES)]
    read = dict(
        zip(yes[_REVIEW_LABELS["id"]].astype("str"), yes[_REVIEW_LABELS["redacted"]].astype("str"), strict=True)
    )
    now = dict(zip(waiting["id"], waiting["redacted"], strict=True))
    kept = tuple(ident for ident, text in read.items() if ident in now and fold(now[ident]) == fold(text))
    stale = len(read) - len(kept)
    remark = f"{counted(stale, 'texte relu')} mais disparu ou changé depuis la revue : à relire."
    return kept, ((remark,) if stale else ())


def field_layer(frame: pd.DataFrame, table: str, *, title: str = "", private: bool = False) -> export.Layer:
    """Return a table of an edition ready to be written, with the French headings, codes and units of the schema.

    Parameters
    ----------
    frame
        Columns of `geo_qmi.editions.COLUMNS`, in that order; the first identifies a row.
    table
        Name of a field table.
    title
        French title; the one of the schema by default.
    private
        True for the jury: exact words leave.
    """
    specs = schema.columns(table)
    labels = {str(column): _OWN_LABELS.get(column) or str(specs[column].title) for column in frame.columns}
    key = (str(frame.columns[0]),)
    layer = export.from_frame(frame, table, title=title or schema.label(table), key=key, labels=labels, private=private)
    told = []
    for field in layer.fields:
        choices = ACTOR_GROUPS if field.name == "actor_group" else None
        if field.name in specs:
            known = specs[field.name]
            choices = known.metadata["choices"] or choices
            field = replace(field, description=str(known.description), unit=known.metadata["unit"])  # noqa: PLW2901
        told.append(replace(field, choices=choices))
    return replace(layer, fields=tuple(told), description=str(schema.table(table).description))


def _write(made: Edition, folder: Path, *, about: dict[str, Any]) -> None:
    """Write each table: GeoJSON where it has places, French CSV elsewhere."""
    for table, frame in made.tables.items():
        path = folder / f"{table}{'.geojson' if isinstance(frame, gpd.GeoDataFrame) else '.csv'}"
        named = f"édition {editions.EDITIONS[made.name]}"
        if table == "places":
            title = f"Lieux de la carte sensible – {named}"
            key = ("district_id", "place_id")
            export.export_frame(frame, path, title=title, key=key, labels=_PLACE_LABELS, provenance=about)
        else:
            title = f"{schema.label(table)} – {named}"
            layer = field_layer(frame, table, title=title, private=made.name == "jury")
            export.export_layer(layer, path, provenance=about)


def _write_review(waiting: pd.DataFrame, folder: Path, *, about: dict[str, Any]) -> None:
    """Write the words to read, beside the jury's tables only."""
    export.export_frame(
        waiting.sort_values(["table", "id"]),
        folder / REVIEW,
        title="Mots à relire avant toute édition publique",
        key=("table", "id"),
        labels=_REVIEW_LABELS,
        private=True,
        provenance=about,
    )


def _note(made: Edition, *, purpose: str, until: str, n_unread: int) -> str:
    """Return the French note on personal data that goes with an edition."""
    demo = any(bool(frame["demo"].any()) for frame in made.tables.values() if "demo" in frame)
    lines = [
        f"Édition « {editions.EDITIONS[made.name]} » – protection des données personnelles",
        *(["Données de démonstration : inventées, elles ne concernent personne."] if demo else []),
        "",
        f"Finalité : {purpose}",
        f"Conservation : jusqu’au {until}, puis effacement de ce dossier et de ses copies.",
        "Droits : toute personne ayant participé peut demander l’effacement de ce qu’elle a dit ; le responsable de",
        "l’étude l’applique avec « geo-qmi forget », puis publie une nouvelle édition à la place de celle-ci.",
        "",
        *_masked(made, n_unread=n_unread),
    ]
    return "\n".join(lines) + "\n"


def _masked(made: Edition, *, n_unread: int) -> Sequence[str]:
    """Say what was masked and withheld."""
    if made.name == "jury":
        return [
            "Masqué : pseudonymes, heures et photos. Les mots exacts et les lieux exacts y sont : ce dossier est",
            "réservé au jury, ne se transmet pas et ne se publie pas.",
            f"À relire avant toute publication : {counted(n_unread, 'texte')}, à lire dans {REVIEW}.",
        ]
    known = not pd.isna(made.mask_m)
    share = f"{100 * made.reidentified:.0f} %" if known else "sans objet"
    held = [f"- {schema.label(str(row.table))}, {row.what} : {row.n_rows}" for row in made.withheld.itertuples()]
    return [
        "Masqué : pseudonymes, heures, photos, identifiants et ordre des observations ; mots non relus.",
        f"Lieux élargis : {_widened(made)}",
        f"Essai de réidentification : {share} des lieux publiés ont leur propre point d’origine pour plus proche",
        "(limite : moins de 20 %). Preuve d’absence de fuite : passée avant l’écriture.",
        "Retenu, en nombre de lignes :",
        *(held or ["- rien"]),
        "places.geojson : la carte des lieux, cellule par cellule et sans aucun point. Colonne state : not_walked, non",
        "parcouru ; silent, parcouru, rien de dit ; felt, ressenti ; divided, ressentis opposés ; withheld, retenu",
        "(moins de trois personnes). Une cellule sans valeur n’est pas une cellule neutre.",
        "Limite : ne publiez pas deux éditions de dates différentes côte à côte, elles pourraient se comparer.",
    ]


def _widened(made: Edition) -> str:
    """Say to what places were widened, and how many to each."""
    shapes = made.tables["observations"].geometry.dropna()
    n_streets = int(shapes.geom_type.isin(["LineString", "MultiLineString"]).sum())
    if not len(shapes):
        return "aucun lieu n’a pu être publié."
    side = f"cellules de {made.mask_m or min(editions.MASKS_M):.0f} m au moins : {len(shapes) - n_streets}"
    credit = "\nCitez la source et la licence du fichier de rues." if n_streets else ""
    return f"segments de rue : {n_streets} ; {side}. Trois personnes au moins par lieu.{credit}"


def lines(done: Published) -> list[str]:
    """Return what to say once an edition is written."""
    name = editions.EDITIONS[done.edition.name]
    held = [
        f"Retenu : {schema.label(str(row.table))}, {row.what} : {row.n_rows}"
        for row in done.edition.withheld.itertuples()
    ]
    proof = [] if done.edition.name == "jury" else _proof(done.edition)
    waiting = f"{counted(done.n_unread, 'texte')} en attente de relecture (revue.csv de l’édition du jury)."
    return [
        f"Édition « {name} » : {done.folder} ({len(done.files)} fichiers).",
        *proof,
        *held,
        *([waiting] if done.n_unread else []),
        *done.remarks,
    ]


def _proof(made: Edition) -> list[str]:
    """Return what the proof of a lower edition found."""
    share = [] if pd.isna(made.mask_m) else [f"Réidentification : {100 * made.reidentified:.0f} % (limite : 20 %)."]
    return [f"Lieux élargis : {_widened(made)}", *share, "Preuve : aucune donnée privée, aucun lieu exact."]


def summary(done: Published) -> dict[str, Any]:
    """Return an edition as plain JSON types."""
    known = not pd.isna(done.edition.mask_m)
    return {
        "edition": done.edition.name,
        "folder": str(done.folder),
        "files": list(done.files),
        "n_rows": {table: len(frame) for table, frame in done.edition.tables.items()},
        "withheld": done.edition.withheld.to_dict("records"),
        "mask_m": float(done.edition.mask_m) if known else None,
        "reidentified": float(done.edition.reidentified) if known else None,
        "n_unread": done.n_unread,
        "remarks": list(done.remarks),
    }


def names_in(path: Path) -> list[str]:
    """Return the proper names of a text file, one a line.

    Raises
    ------
    InputError
        The file cannot be read as text, or is larger than a list of names.
    """
    try:
        if path.stat().st_size > _NAMES_BYTES:
            raise InputError(
                f"« {path} » dépasse {_NAMES_BYTES // 1_000_000} Mo : attendu une liste, un nom par ligne."
            )
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"« {path} » ne se lit pas : attendu un texte UTF-8, un nom par ligne.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
