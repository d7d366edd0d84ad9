"""How does a file enter the open study, one step after the other, each correctable?

File → layer and table → what each column means → what is refused and why → who and why → the study. Shows what
`geo_qmi.desk.deposits` does; a file is never on disk once read, and nothing is written before the last button.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from geo_qmi import schema
from geo_qmi.dashboard import state, uploads, visit
from geo_qmi.dashboard.long_work import Stopped, awaited
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import show_table
from geo_qmi.desk import deposits
from geo_qmi.errors import GeoQmiError
from geo_qmi.intake import candidates, guess_table
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from geo_qmi.intake import Intake
    from geo_qmi.sources.raw import RawTable

FILES = ["csv", "tsv", "txt", "xlsx", "ods", "geojson", "json", "gpkg", "kml", "kmz", "gpx", "fgb", "zip"]
MEGABYTES = 50
#: Columns that may be corrected one by one, and defects shown; the rest keeps its guess, or is in the files.
_COLUMNS, _DEFECTS = 90, 500
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def writable() -> bool:
    """Tell whether the open study may be written, and say why and how to get one that may when it is not."""
    with state.refusals():
        closed = visit.closed()
    if closed:
        st.info(literal(closed))
    return not closed


def wizard(key: str, *, table: str | None = None) -> Intake | None:
    """Show the steps, and return what became of the records of the file; nothing without a file.

    Parameters
    ----------
    key
        Name of this group of widgets.
    table
        Table proposed first; what the columns say when absent or when they say otherwise.
    """
    after = _after(key)
    if after.said:
        (st.success if after.written else st.error)(literal(after.said))
        after.said = ""
    given = st.file_uploader(
        f"Fichier à importer ({MEGABYTES} Mo au plus)", type=FILES, key=f"{key}-fichier-{after.turn}",
        max_upload_size=MEGABYTES, help="CSV, Excel, LibreOffice, GeoJSON, GeoPackage, KML, GPX, ou zip de shapefiles.",
    )  # fmt: skip
    if given is None:
        st.caption(
            "CSV, XLSX, ODS, GeoJSON, GPKG, KML, GPX ou zip. Rien ne quitte cette machine ; rien n’est écrit ici."
        )
        return None
    try:
        return _steps(given, key, first=table)
    except Stopped:
        return None


def _steps(given: UploadedFile, key: str, *, first: str | None) -> Intake | None:
    """Show the steps of one file."""
    with state.refusals():
        layers = uploads.read(given, f"{key}-lecture", lambda path, name, _: deposits.layers(path, name))
    slot = f"{key}-{uploads.mark(given)[-64:][:8]}"
    raw = _layer(layers, slot)
    name = _table(raw, f"{slot}-{raw.layer}", first=first)
    return _held(raw, name, key=key, file=given.name, slot=f"{slot}-{raw.layer}-{name}")


@dataclass(slots=True)
class _After:
    """What is left of the imports of a page: the last one's outcome, and how many files were wholly taken in."""

    said: str = ""
    written: bool = False
    turn: int = 0


def _after(key: str) -> _After:
    found: _After = st.session_state.setdefault(f"{key}-apres", _After())
    return found


def _layer(layers: list[RawTable], slot: str) -> RawTable:
    if len(layers) == 1:
        return layers[0]
    chosen = st.selectbox(
        "Couche ou feuille", range(len(layers)), key=f"{slot}-couche",
        format_func=lambda place: f"{layers[place].layer} ({counted(len(layers[place].frame), 'ligne')})",
    )  # fmt: skip
    return layers[chosen]


def _table(raw: RawTable, slot: str, *, first: str | None) -> str:
    guess, possible = guess_table(raw), candidates(raw)
    likely = first if first is not None and (guess is None or first in possible) else guess
    names = sorted(schema.TABLES, key=lambda name: schema.label(name).casefold())
    said = "reconnue à ses colonnes" if guess else "les colonnes ne le disent pas : à choisir"
    return st.selectbox(
        f"Table de l’étude ({said})", names, index=names.index(likely or (possible or names)[0]),
        format_func=schema.label, key=f"{slot}-table",
    )  # fmt: skip


def _held(raw: RawTable, table: str, *, key: str, file: str, slot: str) -> Intake | None:
    """Show the meaning of columns, then what becomes of the rows, then the way in."""
    st.markdown(f"**Aperçu** : {counted(raw.n_in, 'ligne lue', 'lignes lues')}, premières lignes du fichier")
    show_table(deposits.preview(raw), key=f"{slot}-apercu")
    chosen = _meanings(raw, table, slot)
    crs = ""
    if schema.geometry_types(table):
        crs = st.selectbox(
            "Système de coordonnées",
            list(deposits.SYSTEMS),
            format_func=deposits.SYSTEMS.__getitem__,
            key=f"{slot}-crs",
        )
    update = st.checkbox("Remplacer les lignes déjà présentes", key=f"{slot}-remplacer")
    with state.refusals():
        version = state.study().version(table)
        mark = (slot, state.stamp(), tuple(chosen.items()), crs, update)
        known = state.tables()
        took = awaited(
            f"{key}-controle", mark,
            lambda bar: deposits.held(
                raw, table, chosen=chosen, crs=crs, known=known, update=update, announce=bar
            ),
        )  # fmt: skip
    _outcome(took, slot)
    if took.n_ok and writable():
        _way_in(took, key=key, file=file, update=update, version=version)
    return took


def _meanings(raw: RawTable, table: str, slot: str) -> dict[str, str]:
    """Show one list a column, on what its name says."""
    guess = deposits.guessed(raw, table)
    words = deposits.meanings(table)
    unread = sum(not meant for meant in guess.values())
    title = (
        f"Ce que veut dire chaque colonne : {counted(len(guess) - unread, 'reconnue')} au titre, "
        f"{unread} à préciser ou ignorer"
    )
    chosen = dict(guess)
    with st.expander(title, expanded=unread > 0, icon=":material/swap_horiz:"):
        st.caption("Proposé d’après les titres ; corrigez au besoin. \\* : obligatoire dans cette table.")
        columns = st.columns(3)
        for place, (column, meant) in enumerate(list(guess.items())[:_COLUMNS]):
            chosen[column] = columns[place % 3].selectbox(
                literal(column), list(words), index=list(words).index(meant), format_func=words.__getitem__,
                key=f"{slot}-colonne-{place}",
            )  # fmt: skip
        if len(guess) > _COLUMNS:
            st.caption(f"Au-delà, sens que dit le titre : {counted(len(guess) - _COLUMNS, 'autre colonne')}.")
    return chosen


def _outcome(took: Intake, slot: str) -> None:
    """Say what is accepted and what is not, defect by defect, and offer the refused rows."""
    say = st.warning if took.n_quarantined else st.success
    places = f", dont {took.n_unlocated} sans lieu" if took.n_unlocated else ""
    say(
        f"{counted(took.n_in, 'ligne lue', 'lignes lues')} = {counted(took.n_ok, 'acceptée')}{places} "
        f"\\+ {counted(took.n_quarantined, 'refusée')}."
    )
    if took.defects:
        rows = deposits.defect_rows(took.defects)
        more = f" (les {_DEFECTS} premiers)" if len(rows) > _DEFECTS else ""
        with st.expander(f"{counted(len(rows), 'défaut')}, ligne par ligne{more}", expanded=took.n_quarantined > 0):
            show_table(rows.head(_DEFECTS), key=f"{slot}-defauts")
    if took.n_quarantined:
        left, right = st.columns(2)
        for column, suffix, mime in ((left, ".csv", "text/csv"), (right, ".xlsx", _XLSX)):
            column.download_button(
                f"Lignes refusées et leurs motifs ({suffix[1:].upper()})", partial(deposits.refused, took, suffix),
                file_name=f"lignes_refusees{suffix}", mime=mime, key=f"{slot}-refus{suffix}", on_click="ignore",
            )  # fmt: skip


def _way_in(took: Intake, *, key: str, file: str, update: bool, version: int) -> None:
    with st.form(f"{key}-formulaire", border=True):
        signature(key)
        st.form_submit_button(
            f"Enregistrer {counted(took.n_ok, 'ligne')} dans « {schema.label(took.table)} »",
            type="primary", key=f"{key}-enregistrer",
            on_click=partial(_accepted, took, key=key, file=file, update=update, version=version),
        )  # fmt: skip


def signature(key: str) -> tuple[str, str]:
    """Ask why and who, and return both; who is remembered from one form to the next."""
    left, right = st.columns([1, 2])
    if f"{key}-qui" not in st.session_state:
        st.session_state[f"{key}-qui"] = st.session_state.get("auteur", "")
    who = visit.actor("Qui enregistre", box=left, key=f"{key}-qui")
    why = right.text_input("Pourquoi, pour le journal", max_chars=200, key=f"{key}-pourquoi")
    return str(why), who


def _accepted(took: Intake, *, key: str, file: str, update: bool, version: int) -> None:
    """Write what the page showed, as it showed it, and keep the sentence for the next run."""
    actor = visit.name() or str(st.session_state[f"{key}-qui"])
    reason = str(st.session_state[f"{key}-pourquoi"])
    st.session_state["auteur"] = actor.strip()
    after = _after(key)
    with st.spinner("Écriture dans l’étude : tout, ou rien…"):
        # A click meanwhile interrupts at the next use of Streamlit, never between the writing and what is said of it.
        try:
            after.said = deposits.accept(
                state.study(), took, file=file, reason=reason, actor=actor, update=update, version=version
            )
        except GeoQmiError as error:
            after.written, after.said = False, str(error)
            return
        after.written = True
        after.turn += not took.n_quarantined
