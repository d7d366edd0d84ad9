"""Which column and which layer of a field file is which, whatever the campaign called it?

Names are compared folded (no accent, case or punctuation), the group path of a survey tool left aside. The schema's
own names and French titles come first, then the words met in field files. No cell is read.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from geo_qmi import schema
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from geo_qmi.sources.raw import RawTable

#: Words for what is said of any record.
_ANY = {
    "uid": ("uid", "uuid", "identifiant", "id", "key", "global_id", "globalid", "fid"),
    "session": ("session", "seance", "session_id", "code_seance", "marche"),
    "participant": ("participant", "pseudonyme", "pseudo", "participant_id", "auteur", "marcheur", "marcheuse"),
    "actor_group": ("groupe", "groupe_acteurs", "groupe_d_acteurs", "profil", "groupe_participant"),
    "modified": ("modified", "modifie_le", "date_modif", "updated_at", "last_edited", "derniere_modification"),
    "note": (),
}
#: Table → column → further words, the schema's own name and title being known already.
_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "observations": {
        "uid": ("observation_id",),
        "stage": ("stage", "etape", "arret", "stage_id"),
        "rank": ("numero", "num", "no", "n"),
        "date": ("date", "jour"),
        "time": ("heure", "date_heure", "date_et_heure", "horodatage", "timestamp"),
        "kind": ("type", "type_observation"),
        "frame": ("grille", "cadre", "registre"),
        "valence": ("ressenti", "appreciation", "score"),
        "verbatim": ("paroles", "parole", "mots", "commentaire", "citation", "texte", "description"),
        "wished": ("ce_qui_manque", "manque", "souhaite"),
        "photo": ("photo", "photos", "image", "photo_sha256", "photographie"),
    },
    "routes": {"uid": ("route_id",)},
    "stages": {
        "uid": ("stage_id", "stage_uid"),
        "name": ("nom", "titre", "libelle", "etape", "stage_name"),
        "rank": ("numero", "stage_rank"),
    },
    "participants": {},
    "statements": {
        "uid": ("statement_id", "statement_uid"),
        "theme": ("statement_theme",),
        "valence": ("statement_valence",),
        "statement": ("propos", "parole", "paroles", "texte", "verbatim", "description", "commentaire"),
    },
    "workshop_items": {
        "uid": ("item_id",),
        "label": ("libelle", "nom", "titre", "texte", "objet"),
        "kind": ("classe", "type"),
        "priority": ("priorite", "rang"),
        "rank": ("numero",),
    },
    "sessions": {"start": ("debut",), "end": ("fin",), "title": ("titre",), "n_participants": ("participants",)},
}
_LAYERS = {
    "observations": ("observations", "observation", "ressentis", "ressenti", "marques", "areas", "zones", "absences"),
    "routes": ("routes", "route", "parcours", "traces", "trace", "itineraire", "itineraires", "tracks"),
    "stages": ("stages", "stage", "etapes", "etape", "arrets", "stations"),
    "statements": ("statements", "statement", "propos", "paroles", "syntheses", "synthese"),
    "participants": ("participants", "participantes", "marcheurs", "marcheuses"),
    "workshop_items": ("workshop", "atelier", "objets"),
    "sessions": ("sessions", "seances"),
}
#: A layer with none of these says nothing that was felt.
FELT = ("valence", "verbatim", "theme", "sense", "kind", "frame", "intensity", "wished")


@cache
def words_for(table: str) -> dict[str, str]:
    """Return folded word → column, for one table of the walk.

    Examples
    --------
    >>> words_for("observations")["pseudonyme"], words_for("observations")["grille_de_lecture"]
    ('participant', 'frame')
    """
    helped = {"session_id": "session", "participant_id": "participant", "stage_id": "stage", "photo_sha256": "photo"}
    found: dict[str, str] = {}
    for column, spec in schema.columns(table).items():
        if column not in {"geometry", "source", "demo"}:
            named_by_tool = spec.metadata["key"] and table not in {"participants", "sessions"}
            target = "uid" if named_by_tool else helped.get(column, column)
            for word in (column, *spec.metadata["aliases"]):
                found.setdefault(fold(word), target)
    for further in (_WORDS[table], _ANY):
        for column, words in further.items():
            for word in (column, *words):
                found.setdefault(word, column)
    return found


def table_of(layer: str) -> str | None:
    """Return the table a layer, sheet or file is named after.

    Examples
    --------
    >>> table_of("marche-etapes"), table_of("Ressentis positifs"), table_of("Calque 1")
    ('stages', 'observations', None)
    """
    parts = fold(layer).split("_")
    for part in reversed(parts):
        for table, words in _LAYERS.items():
            if part in words:
                return table
    return None


def named(raw: RawTable, table: str, *, drop: Iterable[str] = ()) -> RawTable:
    """Return `raw` with its columns named as `words_for` says; of two columns of one meaning the better known wins.

    Parameters
    ----------
    drop
        Lower-case names of columns nobody needs: settings and metadata of the tool.
    """
    words = words_for(table)
    order = list(words)
    unwanted = set(drop)
    claims: dict[str, list[str]] = {}
    kept = [column for column in raw.frame.columns if _last(column).lower() not in unwanted]
    for column in kept:
        target = words.get(fold(_last(column)))
        if target is not None and filled(raw.frame[column]):
            claims.setdefault(target, []).append(column)
    chosen = {
        min(columns, key=lambda column: order.index(fold(_last(column)))): target for target, columns in claims.items()
    }
    taken = set(chosen.values())
    # A second identifier of the tool says nothing more; neither does a column without a cell.
    idle = {c for c in kept if c not in chosen and (c in claims.get("uid", ()) or not filled(raw.frame[c]))}
    frame = raw.frame[[column for column in kept if column not in idle]]
    names = [chosen.get(c) or (f"{c} (2)" if c in taken else c) for c in frame.columns]
    return replace(raw, frame=frame.set_axis(names, axis=1), defects=list(raw.defects))


def filled(cells: pd.Series[Any]) -> bool:
    """Tell whether a column holds anything."""
    return any(cell is not None and str(cell).strip() for cell in cells)


def _last(column: object) -> str:
    return str(column).rsplit("/", 1)[-1]
