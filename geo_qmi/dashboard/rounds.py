"""What surrounds one matching: marks of several evaluators, a later phase, dossiers that look alike?

Shows what `geo_qmi.jury` finds; nothing is computed or kept here.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import streamlit as st

from geo_qmi import export, jury
from geo_qmi.dashboard import state, uploads
from geo_qmi.dashboard.deliberation import show_finding
from geo_qmi.dashboard.long_work import Stopped, awaited
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import show_table
from geo_qmi.rulebook import parsed, with_values
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from geo_qmi.dashboard.comparison import Comparison
    from geo_qmi.dashboard.long_work import Bar

_MARKS = ["csv", "xlsx", "ods"]


def marks(names: Mapping[str, str]) -> None:
    """Take a file of marks, and show both rankings and the severity of each evaluator."""
    # A file is already there: its result is not left behind a closed door.
    with st.expander("Notes de plusieurs évaluateurs", expanded=st.session_state.get("jury-notes") is not None):
        given = st.file_uploader(
            "Fichier de notes : projet, évaluateur, note (5 Mo au plus)",
            type=_MARKS,
            key="jury-notes",
            max_upload_size=5,
        )
        correct = st.toggle("Retenir la note corrigée de la sévérité", key="jury-severite")
        if given is None:
            st.caption("Une ligne par dossier et par évaluateur, même échelle pour tous. Rien n’est conservé.")
            return
        with suppress(Stopped), state.refusals():
            took = uploads.taken(given, "marks")
            if took.n_quarantined:
                reasons = "; ".join(defect.sentence() for defect in took.defects[:3])
                st.warning(literal(f"{counted(took.n_quarantined, 'ligne mise de côté')} : {reasons}"))
            show_finding(jury.evaluators(took.accepted, correct=correct, names=names))


def identities(candidates: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """Show the dossiers that look alike, and the other names of known projects with their source."""
    st.markdown("**Doublons probables** : montrés, jamais fusionnés")
    with suppress(Stopped):
        found = awaited(
            "doublons", (state.stamp(), state.Same(candidates)),
            lambda bar: jury.duplicates(candidates, tables, announce=bar),
        )  # fmt: skip
        if found.sentences:
            show_finding(found)
        else:
            st.caption("Aucune paire ne se ressemble.")
    with st.expander("Autres noms des projets connus, et leur source"):
        names = state.of_study("autres noms", build=lambda: jury.aliases(tables).iloc[:, 1:])
        show_table(names, height_px=320)


def next_wave(found: Comparison, tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> None:
    """Offer the refused dossiers to the districts of a later phase, with the scores of today."""
    if found.refusal:
        st.info("Aucun plan proposé : personne n’est encore refusé.")
        return
    st.markdown(
        "Les dossiers que ce plan (ou le jury, si ses décisions sont notées) ne retient pas sont reproposés aux "
        "quartiers d’une vague suivante ; leurs scores gardent la date du jour où ils ont été calculés."
    )
    others = [district for district in names if district not in found.prepared.districts]
    left, right = st.columns(2)
    first = left.text_input("Vague de ce plan", "vague 1", max_chars=80, key="vague-ici")
    second = right.text_input("Vague suivante", "vague 2", max_chars=80, key="vague-suivante")
    served = [one for one in jury.served(found.prepared.book, second) if one in names]
    chosen = st.multiselect(
        "Quartiers de la vague suivante", list(names), default=served or others,
        format_func=names.__getitem__, key="vague-quartiers",
    )  # fmt: skip
    low = left.number_input("Minimum par quartier", 0, 200, 0, key="vague-minimum")
    high = right.number_input(
        "Maximum par quartier", 1, 200, found.prepared.book.rules.quotas.high, key="vague-maximum"
    )
    if not st.toggle("Préparer cette vague", key="vague-partir"):
        return
    today = datetime.now(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%d")

    def work(bar: Bar) -> jury.Wave:
        bar("Dossiers non retenus")
        values = {"quotas.low": int(low), "quotas.high": int(high)}
        book = parsed(with_values(found.prepared.book.text, values), name=found.prepared.book.name)
        earlier = jury.dated(found.prepared, found.match, wave=first, at=today)
        bar("Recherche du plan de la vague")
        return jury.following(earlier, tables, book=book, districts=chosen, wave=second, at=today)

    mark = (state.stamp(), state.Same(found), first, second, *chosen, low, high, today)
    try:
        with state.refusals():
            later = awaited("vague", mark, work, total=2)
    except Stopped:
        return
    show_finding(later.finding)
    st.download_button(
        "Télécharger les scores datés (waves.csv)",
        export.export_bytes(later.rows, "waves", suffix=".csv"),
        file_name="waves.csv",
        mime="text/csv",
        key="vague-sortie",
        on_click="ignore",
    )
