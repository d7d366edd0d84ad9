"""How is any table of the study filled, corrected, and put back as it was?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from geo_qmi import schema
from geo_qmi.dashboard import deposit, state, table_editor, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, show_table
from geo_qmi.desk import ledger
from geo_qmi.errors import GeoQmiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_TOLD = "donnees-annulation"
_JOURNAL = {
    "entry": "N°",
    "at": "Quand (UTC)",
    "actor": "Qui",
    "action": "Action",
    "table_name": "Table",
    "reason": "Motif",
    "n_before": "Avant",
    "n_after": "Après",
    "undoes": "Annule",
}
_ACTIONS = {
    "create": "création",
    "append": "ajout",
    "upsert": "mise à jour",
    "replace": "remplacement",
    "delete": "suppression",
    "undo": "annulation",
    "forget": "effacement",
    "refuse": "refus",
}
#: Writes shown, the last first.
_WRITES = 100


def page() -> None:
    """Show the page."""
    st.title("Données")
    with state.refusals():
        tables = state.tables()
    if not deposit.writable():
        _read_only(tables)
        return
    correct, bring, past = st.tabs(
        ["Corriger une table", "Importer un fichier", "Journal et annulation"], key="donnees-onglets"
    )
    with correct:
        table_editor.editor(_chosen(list(tables)), tables)
    with bring:
        deposit.wizard("donnees-import")
        st.caption("Une marche ou un atelier (KoboToolbox, QField, uMap, GPX, fiche papier) s’importe d’un seul bloc :")
        visit.link("sensing.py", "Importer une marche, page Carte sensible")
    with past:
        _past()


def _chosen(names: list[str]) -> str:
    address = visit.in_address("donnees-table", map(schema.label, names))
    listed = sorted(names, key=lambda name: schema.label(name).casefold())
    return str(st.selectbox("Table", listed, format_func=schema.label, **address))


def _read_only(tables: Mapping[str, pd.DataFrame]) -> None:
    """Show what may be shown to anybody: public tables, without their private columns."""
    public = [name for name in tables if not schema.table(name).metadata["private"]]
    name = _chosen(public)
    frame = tables[name].drop(columns=["geometry", *schema.private_columns(name)], errors="ignore")
    show_table(frame.rename(columns=ledger.headings(name)), height_px=520, key=f"donnees-lecture-{name}")
    downloads({name: tables[name]}, key=f"donnees-{name}")


def _past() -> None:
    """Show the journal and the way to undo the last write."""
    told = st.session_state.pop(_TOLD, None)
    if told:
        (st.success if told[0] else st.error)(literal(told[1]))
    with state.refusals():
        study = state.study()
        journal, entry = study.journal(), study.undoable()
    if entry is None:
        st.caption("Rien à annuler : aucune écriture depuis la création de l’étude.")
    else:
        row = journal[journal["entry"] == entry].iloc[0]
        by = f", par {row['actor']}" if row["actor"] else ""
        st.markdown(
            f"Dernière écriture à annuler : **n° {entry}**, {_ACTIONS.get(row['action'], row['action'])} dans "
            f"« {literal(schema.label(row['table_name']))} »{literal(by)} : {literal(row['reason'])}"
        )
        with st.form("donnees-annuler-formulaire", border=False):
            visit.actor("Qui annule", box=st.columns(3)[0], key="donnees-annuler-qui")
            st.form_submit_button(
                f"Annuler l’écriture n° {entry}", key="donnees-annuler", on_click=partial(_undo, entry)
            )
    shown = journal.iloc[::-1].head(_WRITES).rename(columns=_JOURNAL)
    worded = {
        "Quand (UTC)": shown["Quand (UTC)"].str.replace("T", " ").str.rstrip("Z"),
        "Action": shown["Action"].replace(_ACTIONS),
        "Table": shown["Table"].map(schema.label),
    }
    show_table(shown.assign(**worded), height_px=420, key="donnees-journal")


def _undo(entry: int) -> None:
    """Revert the write the page showed, and no other."""
    actor = (visit.name() or str(st.session_state["donnees-annuler-qui"])).strip()
    if not actor:
        st.session_state[_TOLD] = (False, "Rien n’a été annulé : dites qui annule, le journal le garde.")
        return
    try:
        done = state.study().undo(actor=actor, expected_entry=entry)
    except GeoQmiError as error:
        st.session_state[_TOLD] = (False, str(error))
    else:
        st.session_state[_TOLD] = (True, f"Écriture n° {entry} annulée (écriture {done} du journal).")


if __name__ == "__main__":
    page()
