"""How is a table corrected in place, so that no key pressed is ever lost?

What is typed is held in the session, whatever the filter or the page: a sheet as it was read, the same as edited, and
the version of the table. Shows what `geo_qmi.desk.ledger` does; the schema gives lists, bounds and required marks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_qmi import schema
from geo_qmi.dashboard import deposit, state
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import show_table
from geo_qmi.desk import deposits, ledger, versions
from geo_qmi.errors import ConflictError, DefectsError, GeoQmiError
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from geo_qmi.desk.ledger import Opened

_KEPT, _TOLD = "donnees-travail", "donnees-bilan"
#: Rows handed to the browser at once; a filter reaches the others.
_ROWS = 1000


@dataclass(slots=True)
class Work:
    """What somebody is doing to a table: as read, as handed to the editor, as edited, under which filter, how often.

    The columns stay those of the beginning of a grid: the browser's grid starts afresh, and forgets what is typed in
    it, as soon as a list of choices differs, which anybody who writes another table would cause.
    """

    opened: Opened
    start: pd.DataFrame
    latest: pd.DataFrame
    view: str = ""
    turn: int = 0
    columns: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def on(cls, opened: Opened, cells: pd.DataFrame | None = None) -> Work:
        """Return the work on a table just read, or on `cells` laid over it."""
        begun = opened.cells if cells is None else cells
        return cls(opened, begun, begun)

    @property
    def slot(self) -> str:
        """Return the name of the grid: a new one each time it starts from other cells."""
        return f"donnees-{self.opened.name}-{self.opened.version}-{self.turn}"

    @property
    def typed(self) -> bool:
        """Tell whether anything differs from the table as read, typed before or in this very run."""
        fresh = any(st.session_state.get(self.slot, {}).values())
        return fresh or bool(ledger.edits(self.opened.cells, self.latest))

    def begin(self, view: str) -> None:
        """Start a new grid from what was typed so far, under another filter."""
        self.start, self.view, self.turn, self.columns = self.latest, view, self.turn + 1, {}


def editor(name: str, known: Mapping[str, pd.DataFrame]) -> None:
    """Show the table to edit, what changed, and the way to save it.

    Parameters
    ----------
    name
        Table of the schema.
    known
        Tables of the study, for lists and references.
    """
    told = st.session_state.pop(_TOLD, None)
    if told:
        st.success(literal(told))
    work = _work(name)
    left, right = st.columns([2, 1])
    view = left.text_input("Filtrer : mots cherchés dans toutes les colonnes", key=f"donnees-filtre-{name}")
    work = _in_system(work, box=right)
    if work.slot not in st.session_state:  # the first time, or back from another table or page
        work.begin(view)
    if work.start.empty:
        st.info("Cette table est vide : ajoutez une ligne ci-dessous, ou importez un fichier dans l’onglet voisin.")
    part = ledger.found(work.start, work.view)
    if len(part) > _ROWS:
        st.caption(f"{_ROWS} lignes montrées sur {len(part)} : filtrez pour atteindre les autres.")
        part = part.head(_ROWS)
    work.columns = work.columns or _columns(work.opened, known)
    edited = st.data_editor(
        part.reset_index(drop=True).astype({ledger.ROW: "Int64"}), num_rows="dynamic", hide_index=True, height=480,
        column_config=work.columns, disabled=[ledger.ROW, ledger.SHAPE], key=work.slot, placeholder="—",
        alt=f"Table « {schema.label(name)} », modifiable",
    )  # fmt: skip
    typed = ledger.merged(work.start, part, edited)
    both = ledger.outlived(work.start, work.latest, typed)
    work.latest = typed if both is None else both
    if view != work.view or both is not None:  # only now: what was typed under the former filter is in
        work.begin(view)
        st.rerun()
    st.caption(
        "\\* : obligatoire. Dernière ligne : ajouter ; case à gauche, puis corbeille : supprimer. Une source vide "
        f"devient « {ledger.TYPED_HERE} ». Validez la cellule ouverte (Entrée) avant de changer de page."
        + (" Lieu : deux coordonnées pour un point ; autre forme : importez un fichier." if work.opened.axes else "")
    )
    _changes(work, known)


def _work(name: str) -> Work:
    """Return the work on a table, begun again when somebody else wrote and nothing was typed here."""
    kept: dict[str, Work] = st.session_state.setdefault(_KEPT, {})
    with state.refusals():
        study = state.study()
        work = kept.get(name)
        if work is None or (work.opened.version != study.version(name) and not work.typed):
            work = kept[name] = Work.on(ledger.read(study, name))
    return work


def _in_system(work: Work, *, box: Any) -> Work:
    """Let the reader choose how points are given, as long as nothing is typed."""
    if not work.opened.axes:
        return work
    name = work.opened.name
    crs = box.selectbox(
        "Coordonnées des points", list(ledger.AXES), format_func=lambda code: " et ".join(ledger.AXES[code]),
        index=list(ledger.AXES).index(work.opened.crs), disabled=work.typed, key=f"donnees-systeme-{name}",
    )  # fmt: skip
    if work.typed or crs == work.opened.crs:
        return work
    opened = ledger.Opened(name, work.opened.version, work.opened.frame, crs)
    changed = Work.on(opened)
    changed.turn = work.turn + 1
    st.session_state[_KEPT][name] = changed
    return changed


def _columns(opened: Opened, known: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return how each column is edited, as the schema says."""
    titles, keys = ledger.headings(opened.name), schema.key_columns(opened.name)
    shown: dict[str, Any] = {ledger.ROW: st.column_config.NumberColumn("Ligne", pinned=True, width="small")}
    for column, title in titles.items():
        spec = schema.columns(opened.name)[column]
        required = not spec.nullable and spec.metadata["default"] is None and column != "source"
        about = {"label": f"{title}{' *' if required else ''}", "help": str(spec.description), "required": required}
        about["pinned"] = column in keys or None
        shown[column] = _cell(opened.name, column, about, known)
    for axis in opened.axes:
        shown[axis] = st.column_config.NumberColumn(axis, format="plain")
    if schema.geometry_types(opened.name):
        shown[ledger.SHAPE] = st.column_config.TextColumn("Lieu enregistré")
    return shown


def _cell(name: str, column: str, about: dict[str, Any], known: Mapping[str, pd.DataFrame]) -> Any:
    """Return how one column is edited."""
    spec = schema.columns(name)[column].metadata
    words = ledger.allowed(name, column, known)
    default = spec["default"]
    if words is not None:
        begun = {True: "oui", False: "non"}.get(default, default) if spec["kind"] == "flag" else default
        return st.column_config.SelectboxColumn(
            **about, options=list(words), format_func=lambda code: words[str(code)], default=begun
        )
    if spec["kind"] in {"integer", "number"}:
        low, high = ledger.bounds(name, column)
        step = 1 if spec["kind"] == "integer" else None
        return st.column_config.NumberColumn(**about, min_value=low, max_value=high, step=step, default=default)
    return st.column_config.TextColumn(**about, default=default)


def _changes(work: Work, known: Mapping[str, pd.DataFrame]) -> None:
    """Show what is typed and not saved, and the ways out."""
    done = ledger.edits(work.opened.cells, work.latest)
    name = work.opened.name
    if not done:
        st.caption("Rien de modifié.")
        return
    st.markdown(f"**Pas encore enregistré : {done.sentence()}**")
    show_table(ledger.changes(work.opened, work.latest), key=f"donnees-changements-{name}")
    with state.refusals():
        stale = state.study().version(name) != work.opened.version
    if stale:
        _conflict(work)
        return
    with st.form(f"donnees-enregistrer-{name}"):
        why, who = deposit.signature("donnees")
        asked = st.form_submit_button("Enregistrer", type="primary", key="donnees-enregistrer")
    st.button("Abandonner mes modifications", on_click=partial(_drop, name), key="donnees-abandonner")
    if asked:
        _save(work, known, why=why, who=who)


def _save(work: Work, known: Mapping[str, pd.DataFrame], *, why: str, who: str) -> None:
    """Write the sheet, or show every reason why it cannot be."""
    try:
        ready = ledger.checked(work.opened, work.latest, known=known)
        entry = ledger.save(state.study(), work.opened, ready, reason=why, actor=who)
    except DefectsError as error:
        st.error(f"Rien n’a été enregistré : {counted(len(error.defects), 'défaut')} à corriger.")
        show_table(deposits.defect_rows(error.defects), key="donnees-defauts")
    except ConflictError:
        st.rerun()  # the table changed in the meantime: both versions are shown instead of the form
    except GeoQmiError as error:
        st.error(literal(error))
    else:
        st.session_state["auteur"] = who
        st.session_state[_TOLD] = f"Enregistré (écriture {entry} du journal). Le bouton d’annulation est plus bas."
        _drop(work.opened.name)
        st.rerun()


def _drop(name: str) -> None:
    st.session_state[_KEPT].pop(name, None)


def _conflict(work: Work) -> None:
    """Show my version beside the file's, and let the reader decide."""
    name = work.opened.name
    st.error(
        "Quelqu’un a enregistré cette table depuis que vous l’avez lue. Rien n’est perdu : voici les deux versions. "
        "Vos cellules ne sont pas encore enregistrées."
    )
    with state.refusals():
        theirs = ledger.read(state.study(), name, crs=work.opened.crs)
    both = versions.versions(work.opened, work.latest, theirs)
    show_table(both, key=f"donnees-versions-{name}")
    left, middle, right = st.columns(3)
    left.button(
        "Reporter mes modifications sur la version du fichier", type="primary", key="donnees-reporter",
        on_click=partial(_carry, work, theirs), help="Vos cellules l’emportent ; les autres sont celles du fichier.",
    )  # fmt: skip
    middle.button("Garder celle du fichier", on_click=partial(_drop, name), key="donnees-relire")
    right.download_button(
        "Télécharger les deux versions (CSV)", partial(versions.comparison_bytes, both),
        file_name=f"{name}_deux_versions.csv", mime="text/csv", key="donnees-deux-versions", on_click="ignore",
    )  # fmt: skip


def _carry(work: Work, theirs: Opened) -> None:
    """Begin again from the file's version, my changes on top."""
    st.session_state[_KEPT][theirs.name] = Work.on(theirs, versions.carried(work.opened, work.latest, theirs))
