"""How does a walk, collected with any common tool, enter a study once and only once?

The engine of the import of a walk: what the tool wrote is read (`geo_qmi.sources.field`), given identifiers, held
against the schema, compared with what the study holds, and written in one transaction. Every record is counted:
in = added + updated + unchanged + refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo_qmi import schema
from geo_qmi.errors import Defect, InputError, UnknownNameError, shown
from geo_qmi.intake.taking import Intake, take_in
from geo_qmi.intake.walk_doubts import doubts
from geo_qmi.intake.walk_people import ERASED
from geo_qmi.intake.walk_rows import TABLES, Prepared, prepare
from geo_qmi.sources.field.collected import Hints
from geo_qmi.sources.field.reading import read_walk
from geo_qmi.wording import counted

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    import geopandas as gpd

    from geo_qmi.workspace import Study

#: Columns that say how a row came, not what it says: a file that was renamed or sorted changes nothing.
_ORIGIN = {"source", "demo"}
_OUTCOMES = ["added", "updated", "unchanged", "refused"]
#: Half a metre: positions kept in degrees do not come back to the millimetre, and no field position is that good.
_SAME_PLACE_M = 0.5
_NO_HINTS = Hints()
#: The stage that writes, which goes to its end: all is written, or nothing.
WRITING = "Écriture dans l’étude"


@dataclass(frozen=True, slots=True)
class WalkImport:
    """What became of every record of a walk.

    Attributes
    ----------
    tool
        Key of `geo_qmi.sources.field.collected.TOOLS`.
    counts
        One row a table; columns ``in``, ``added``, ``updated``, ``unchanged``, ``refused``, where ``in`` is always
        the sum of the others.
    defects
        Every error (its record is refused) and warning (it is kept), table by table, in row order.
    tables
        Table → rows accepted, as the study now holds them; index = row number in the file.
    quarantined
        Table → records refused, as prepared from the file, first column « motifs ».
    notes
        French sentences on how the file was read.
    """

    tool: str
    counts: pd.DataFrame
    defects: list[Defect]
    tables: dict[str, pd.DataFrame]
    quarantined: dict[str, pd.DataFrame]
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not (self.counts["in"] == self.counts[_OUTCOMES].sum(axis=1)).all():
            raise AssertionError(f"records do not add up:\n{self.counts}")

    def sentence(self) -> str:
        """Return the whole as one French sentence, or two when the file names people the study erased."""
        n = self.counts.sum()
        errors = sum(defect.severity == "error" for defect in self.defects)
        return (
            f"{counted(n['in'], 'enregistrement lu')} : {counted(n['added'], 'ajouté')}, {n['updated']} mis à jour, "
            f"{counted(n['unchanged'], 'inchangé')}, {counted(n['refused'], 'refusé')} ; "
            f"{counted(errors, 'erreur')}, {counted(len(self.defects) - errors, 'avertissement')}." + self._erased()
        )

    def _erased(self) -> str:
        n_erased = sum(defect.reason == ERASED for defect in self.defects)
        return f" Dont {counted(n_erased, 'refusé')}, leur auteur étant effacé de l’étude." if n_erased else ""


def import_walk(  # noqa: PLR0913 - what one import is told, passed by name
    study: Study,
    path: str | os.PathLike[str],
    *,
    session: str,
    district: str,
    tool: str | None = None,
    crs: str | None = None,
    actor: str = "",
    hints: Hints = _NO_HINTS,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> WalkImport:
    """Write a walk into a study, in one transaction, and return what became of each record.

    Importing the same file again changes nothing; an edited file updates the records it edits. A record the file no
    longer holds stays in the study. Whoever the study erased does not come back: their records are refused, counted,
    and not copied to quarantine.

    Parameters
    ----------
    study
        Open for writing.
    path
        File or folder: see `geo_qmi.sources.field.reading.read_walk`.
    session, district
        Session every record belongs to, created when the study does not have it, and the district it studied.
    tool
        Key of `TOOLS`; told by the content when absent.
    crs
        Coordinate system imposed by the user, such as ``EPSG:2154``; that of the control points of a paper sheet.
    actor
        Who imports, for the journal.
    hints
        What the file leaves unsaid.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1; `WRITING` is the last.

    Raises
    ------
    UnreadableError, LimitError
        The file cannot be read; nothing is written.
    UnknownNameError
        The study has no such district.
    InputError
        The session belongs to another district, or nothing says when it started; a paper sheet cannot be fitted.
    ConflictError, StudyError
        The study changed since it was read, or cannot be written; nothing is written.
    """
    versions = {name: study.version(name) for name in TABLES}
    known = study.read_many()
    _check_place(known, session=session, district=district)
    announce("Lecture des fichiers", 0.0)
    collected = read_walk(path, tool=tool, hints=hints, crs=crs)
    announce("Séance, personnes et observations", 0.4)
    prepared = prepare(
        collected, session=session, district=district, known=known, hints=hints, erased_among=study.erased_among
    )
    _check_start(prepared, session=session)
    imposed = None if collected.tool in {"paper", "gpx"} else crs
    announce("Contrôle, table par table", 0.6)
    parts = _taken(prepared, known, crs=imposed)
    changed, outcome = _compared(parts, known, prepared.brought)
    accepted = {name: part.accepted for name, part in parts.items()}
    found = [*collected.defects, *prepared.defects, *(d for part in parts.values() for d in part.defects)]
    found += _doubts(accepted, known, session=session)
    reason = f"import de terrain de « {shown(_name(path))} », séance {session}"
    announce(WRITING, 0.9)
    if changed:
        study.write_many(changed, reason=reason, actor=actor, expected_versions=versions)
    n_erased = sum(defect.reason == ERASED for defect in found)
    if n_erased:
        note = f"{reason} : {counted(n_erased, 'enregistrement refusé')}, d’une personne effacée"
        study.note_refusal("participants", reason=note, actor=actor)
    return WalkImport(
        collected.tool,
        outcome,
        found,
        accepted,
        {name: part.quarantined for name, part in parts.items() if len(part.quarantined)},
        [*collected.notes, *prepared.notes],
    )


def _name(path: str | os.PathLike[str]) -> str:
    from pathlib import Path

    return Path(path).name


def _check_place(known: Mapping[str, pd.DataFrame], *, session: str, district: str) -> None:
    districts = known["districts"]["district_id"]
    if district not in set(districts):
        raise UnknownNameError(
            f"Quartier inconnu : « {shown(district)} ». Quartiers de l’étude : {', '.join(districts)}."
        )
    if not session.strip():
        raise InputError("Donnez un code à la séance, par exemple AUL-2026-05-16.")
    sessions = known["sessions"]
    held = sessions.loc[sessions["session_id"] == session, "district_id"]
    if len(held) and held.iloc[0] != district:
        raise InputError(
            f"La séance « {shown(session)} » est déjà dans l’étude, pour le quartier {held.iloc[0]} et non {district} "
            "→ corrigez le quartier ou donnez un autre code de séance."
        )


def _check_start(prepared: Prepared, *, session: str) -> None:
    if prepared.pieces["sessions"][0].frame["start"].isna().all():
        raise InputError(
            f"La séance « {shown(session)} » n’est pas dans l’étude et le fichier ne dit pas quand elle a commencé → "
            "indiquez son heure de départ, AAAA-MM-JJThh:mm."
        )


# Taken in, compared, doubted -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Part:
    """What became of the pieces of one table."""

    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    defects: list[Defect]
    n_in: int


def _taken(prepared: Prepared, known: Mapping[str, pd.DataFrame], *, crs: str | None) -> dict[str, _Part]:
    """Return each table taken in against the study and the tables before it."""
    seen = dict(known)
    parts = {}
    for name in TABLES:
        pieces = prepared.pieces.get(name, [])
        if not pieces:
            continue
        took = [take_in(raw, name, crs=crs, known=seen, update=True) for raw in pieces]
        parts[name] = _joined(name, took)
        if len(parts[name].accepted):
            seen[name] = pd.concat([known[name], parts[name].accepted]) if len(known[name]) else parts[name].accepted
    return parts


def _joined(name: str, took: list[Intake]) -> _Part:
    """Return several pieces of a table as one; a key two pieces claim with different words is refused in both."""
    accepted = pd.concat([each.accepted for each in took]) if len(took) > 1 else took[0].accepted
    quarantined = pd.concat([each.quarantined for each in took]) if len(took) > 1 else took[0].quarantined
    defects = [defect for each in took for defect in each.defects]
    n_in = sum(each.n_in for each in took)
    keys = schema.key_columns(name)
    if len(took) > 1 and accepted.duplicated(keys).any():
        content = [column for column in accepted.columns if column not in _ORIGIN]
        copies = _flat(accepted[content]).duplicated().to_numpy()
        clash = (accepted.duplicated(keys, keep=False) & ~_flat(accepted[content]).duplicated(keep=False)).to_numpy()
        lost = accepted[copies | clash]
        reason = "identifiant présent dans plusieurs couches ou fichiers de la livraison"
        for row, key in zip(lost.index, lost[keys[0]], strict=True):
            told = Defect("error", reason, "donnez un identifiant différent à chacun", layer=name, row=int(row))
            defects.append(replace(told, id=shown(key), field=keys[0], value=shown(key)))
        quarantined = pd.concat([quarantined, lost.astype(object).assign(motifs=reason)])
        accepted = accepted[~(copies | clash)]
    return _Part(accepted, quarantined, [_reworded(defect) for defect in defects], n_in)


def _reworded(defect: Defect) -> Defect:
    """Return a defect whose remedy is one a walk has: its columns are recognised, not mapped by hand."""
    return replace(defect, proposal="renommez la colonne dans le fichier") if "--map" in defect.proposal else defect


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame(frame.astype(object))
    if "geometry" in out:
        out["geometry"] = shapely.to_wkb(np.asarray(out["geometry"], dtype=object), hex=True)
    return out.where(out.notna(), "").astype(str)


def _compared(
    parts: Mapping[str, _Part], known: Mapping[str, pd.DataFrame], brought: Mapping[str, set[str]]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the rows to write by table, and the counts; each part's rows become what the study will hold."""
    changed, counts = {}, {}
    for name, part in parts.items():
        key = schema.key_columns(name)[0]
        held = known[name].set_index(key, drop=False)
        here = part.accepted[key].isin(held.index).to_numpy(dtype=bool)
        before = held.loc[part.accepted.loc[here, key]]
        after = part.accepted.copy()
        for column in set(after.columns) - brought.get(name, set()) - {key}:
            after.loc[here, column] = before[column].to_numpy()
        # Two places that agree are one: the study's own is kept, to the digit.
        if "geometry" in after:
            close = _same_places(after.loc[here, "geometry"], before["geometry"])
            after.loc[here, "geometry"] = np.where(close, before["geometry"], after.loc[here, "geometry"])
        differs = np.zeros(len(after), dtype=bool)
        differs[here] = _differs(after[here], before)
        part.accepted = schema.typed(after, name)
        write = part.accepted[~here | differs]
        if len(write):
            changed[name] = write.reset_index(drop=True)
        n_ok = len(after)
        counts[name] = [
            part.n_in,
            int((~here).sum()),
            int(differs.sum()),
            int((here & ~differs).sum()),
            part.n_in - n_ok,
        ]
    table = pd.DataFrame.from_dict(counts, orient="index", columns=["in", *_OUTCOMES], dtype="int64")
    table.index.name = "table"
    return changed, table


def _same_places(new: gpd.GeoSeries, old: gpd.GeoSeries) -> np.ndarray[Any, np.dtype[np.bool_]]:
    # A study keeps a line as a collection of one.
    ours, theirs = (_unwrapped(np.asarray(places, dtype=object)) for places in (new, old))
    close = shapely.equals_exact(ours, theirs, tolerance=_SAME_PLACE_M)
    return np.asarray(close | (shapely.is_missing(ours) & shapely.is_missing(theirs)), dtype=bool)


def _unwrapped(shapes: np.ndarray[Any, np.dtype[np.object_]]) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.asarray(np.where(shapely.get_num_geometries(shapes) == 1, shapely.get_geometry(shapes, 0), shapes))


def _differs(after: pd.DataFrame, before: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    content = [column for column in after.columns if column not in _ORIGIN]
    return np.asarray((_flat(after[content]).to_numpy() != _flat(before[content]).to_numpy()).any(axis=1), dtype=bool)


def _doubts(accepted: Mapping[str, pd.DataFrame], known: Mapping[str, pd.DataFrame], *, session: str) -> list[Defect]:
    observations = accepted.get("observations")
    if observations is None or not len(observations):
        return []
    sessions = pd.concat([known["sessions"], accepted["sessions"]])
    start = sessions.loc[sessions["session_id"] == session, "start"].iloc[-1]
    routes = [frame for frame in (known["routes"], accepted.get("routes")) if frame is not None and len(frame)]
    every = pd.concat(routes) if routes else known["routes"]
    return doubts(observations, routes=every[every["session_id"] == session], start=str(start))
