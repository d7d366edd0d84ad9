"""How does a walk enter the open study from the page *Carte sensible*, in three clicks?

Drop the files a tool gave, say which session it is, import: the same engine as ``geo-qmi import-walk``
(`geo_qmi.intake.walks`), with the same account of every record. Uploaded files are gone from the disk afterwards.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_qmi.dashboard import long_work, state, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import show_table
from geo_qmi.errors import InputError
from geo_qmi.intake import walks
from geo_qmi.intake.report import write_csv
from geo_qmi.sources.field.collected import Hints
from geo_qmi.sources.files import watched
from geo_qmi.vocabulary import ACTOR_GROUPS, SESSION_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geo_qmi.intake.walks import WalkImport

_FILES = ["zip", "xlsx", "csv", "gpkg", "geojson", "json", "umap", "gpx", "points", "jpg", "jpeg", "png"]
#: Files that go with a table of marks and are not one.
_PICTURES = (".jpg", ".jpeg", ".png")
_BESIDE = ("_calage.csv", "_feuille.json", ".points", *_PICTURES)
_OUTCOME = "marche-bilan"
_COUNTS = {"in": "Lus", "added": "Ajoutés", "updated": "Mis à jour", "unchanged": "Inchangés", "refused": "Refusés"}
#: Defects shown; all are in the file of refused records or in the command's --json.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import said, kept until the next one: its words, its tables and the refused records as CSV."""

    sentence: str
    notes: tuple[str, ...]
    counts: pd.DataFrame
    defects: pd.DataFrame
    refused: dict[str, bytes]
    n_refused: int


def section(district_id: str) -> None:
    """Show the upload of a walk for a district, and what became of the last one."""
    with st.expander("Importer une marche ou un atelier", icon=":material/upload_file:", key="marche-depot"):
        with state.refusals():
            closed = visit.closed()
        if closed:
            st.info(literal(closed))
            return
        st.caption(
            "KoboToolbox ou ODK (XLSX, CSV dans un zip), QField ou Mergin (GeoPackage et ses copies en conflit), uMap, "
            "GPX et photos, tableur, fiche papier avec ses points de calage."
        )
        _form(district_id)
        if outcomes := _outcomes():
            _told(outcomes[-1])


def _form(district_id: str) -> None:
    with st.form("marche-formulaire", border=False):
        given = st.file_uploader(
            "Fichiers de la marche (200 Mo au plus)", type=_FILES, accept_multiple_files=True, max_upload_size=200,
            key="marche-fichiers",
        )  # fmt: skip
        left, middle, right = st.columns(3)
        session = left.text_input("Code de la séance", placeholder="AUL-2026-05-16", key="marche-seance")
        kind = middle.selectbox(
            "Nature", list(SESSION_KINDS), format_func=SESSION_KINDS.__getitem__, key="marche-nature"
        )
        start = right.text_input(
            "Début, si le fichier ne le dit pas", placeholder="2026-05-16T10:00", key="marche-debut"
        )
        who = left.text_input("Pseudonyme, si le fichier n’en a pas", key="marche-pseudo")
        group = middle.selectbox(
            "Son groupe", list(ACTOR_GROUPS), index=None, format_func=ACTOR_GROUPS.__getitem__, key="marche-groupe",
            placeholder="Non précisé",
        )  # fmt: skip
        actor = visit.actor("Qui importe, pour le journal", box=right, key="marche-qui")
        asked = st.form_submit_button("Importer", type="primary", key="marche-importer")
    if not asked:
        long_work.say_stopped("marche", district_id)
        return
    if not given:
        st.error("Aucun fichier : déposez ce que l’outil de collecte a rendu.")
        return
    hints = Hints(start=start.strip(), participant=who.strip(), actor_group=group or "", kind=kind)
    outcomes = _outcomes()
    with state.refusals(), long_work.shown("marche", district_id) as bar, watched(bar.still):

        def announce(stage: str, share: float) -> None:
            if stage == walks.WRITING:
                bar.closing(stage)
            else:
                bar(stage, share)

        # Kept without asking Streamlit: a click cannot come between the writing and what is said of it.
        outcomes[:] = [
            imported(
                [(file.name, file.getvalue()) for file in given], district_id=district_id, session=session.strip(),
                actor=actor.strip(), hints=hints, announce=announce,
            )
        ]  # fmt: skip
    st.rerun()  # the map above was drawn before the walk was in


def _outcomes() -> list[Outcome]:
    """Return the outcome of the last import of this session, if any."""
    found: list[Outcome] = st.session_state.setdefault(_OUTCOME, [])
    return found


def imported(
    files: Sequence[tuple[str, bytes]],
    *,
    district_id: str,
    session: str,
    actor: str,
    hints: Hints,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Outcome:
    """Write uploaded files into the open study and return what became of them.

    Parameters
    ----------
    files
        Name and content of each.
    announce
        As `geo_qmi.intake.walks.import_walk`.

    Raises
    ------
    GeoQmiError
        As `geo_qmi.intake.walks.import_walk`.
    """
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as folder:
        path = _laid_out(files, Path(folder))
        if any(name.lower().endswith(_PICTURES) for name, _ in files):
            hints = replace(hints, photos=folder)
        took = walks.import_walk(
            state.study(), path, session=session, district=district_id, actor=actor, hints=hints, announce=announce
        )
        return _outcome(took, Path(folder))


def _laid_out(files: Sequence[tuple[str, bytes]], folder: Path) -> Path:
    """Write the files side by side, as the tool gave them, and return the one to read, or their folder."""
    names = [Path(name.replace("\\", "/")).name for name, _ in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Deux fichiers portent le nom « {twice[0]} » : déposez-les l’un après l’autre.")
    for name, (_, content) in zip(names, files, strict=True):
        (folder / name).write_bytes(content)
    mains = [name for name in names if not name.lower().endswith(_BESIDE)]
    return folder / mains[0] if len(mains) == 1 else folder


def _outcome(took: WalkImport, folder: Path) -> Outcome:
    counts = took.counts.rename(columns=_COUNTS).rename_axis("Table").reset_index()
    rows: list[dict[str, Any]] = [
        {
            "Gravité": "refus" if defect.severity == "error" else "à vérifier",
            "Où": " ".join(filter(None, (defect.layer, "" if defect.row is None else f"ligne {defect.row}"))),
            "Champ": defect.field,
            "Défaut": defect.reason,
            "À faire": defect.proposal,
        }
        for defect in took.defects
    ]
    refused = {}
    for name, frame in took.quarantined.items():
        if len(frame):
            kept = folder / f"{name}.quarantaine.csv"
            write_csv(kept, map(str, frame.columns), frame.itertuples(index=False, name=None))
            refused[name] = kept.read_bytes()
    n_refused = int(took.counts["refused"].sum())
    return Outcome(took.sentence(), tuple(took.notes), counts, pd.DataFrame(rows), refused, n_refused)


def _told(outcome: Outcome) -> None:
    """Show what became of every record of the last import."""
    say = st.warning if outcome.n_refused else st.success
    say(literal(outcome.sentence))
    for note in outcome.notes:
        st.caption(literal(note))
    show_table(outcome.counts)
    if len(outcome.defects):
        show_table(outcome.defects.head(_SHOWN))
    for name, content in outcome.refused.items():
        st.download_button(
            f"Enregistrements refusés : {name}", content, file_name=f"{name}.quarantaine.csv", mime="text/csv",
            key=f"marche-refus-{name}", on_click="ignore",
        )  # fmt: skip
