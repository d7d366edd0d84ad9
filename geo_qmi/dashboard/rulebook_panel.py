"""Under which rules does the page compare, and how are they changed?

Quotas and weights as widgets, the rule file underneath: what is shown is what the downloaded file says, and a file
given back sets the widgets. The file itself is read by `geo_qmi.rulebook`. What reads the texts is chosen here too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from geo_qmi import rulebook, runs
from geo_qmi.dashboard import state, visit
from geo_qmi.matching import CRITERIA

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from streamlit.delta_generator import DeltaGenerator

    from geo_qmi.matching.readers import ThemeReader
    from geo_qmi.rulebook import Rulebook

#: Widest weight of a slider: the unit is the answer to published needs, and twice it is already a reversal.
_WIDEST = 2.0


def rules(least: DeltaGenerator, most: DeltaGenerator) -> Rulebook:
    """Show the rules and return them as the reader set them; quotas stand in the columns `least` and `most`."""
    with st.expander("Règles : poids des critères, fichier à télécharger ou à reprendre"):
        widgets, file = st.columns([3, 1])
        with file:
            given = _given()
        with state.refusals():
            book = rulebook.opened() if given is None else rulebook.parsed(given[1], name=given[0])
        # A new file is a new set of widgets: they start from what it says.
        mark = "" if given is None else f"-{book.sha256[:8]}"
        with widgets:
            values = _weights(book, mark)
        download = file.container()
    quotas = book.rules.quotas
    top = max(200, quotas.high)
    low = least.number_input(
        "Minimum par quartier", 0, top, quotas.low, **visit.in_address(f"appariement-minimum{mark}", most=top)
    )
    high = most.number_input(
        "Maximum par quartier", 1, top, max(1, quotas.high), **visit.in_address(f"appariement-maximum{mark}", most=top)
    )
    if low > high:
        st.error(f"Le minimum ({low}) dépasse le maximum ({high}) : baissez l’un ou montez l’autre.")
        st.stop()
    for path, value, now in (("quotas.low", int(low), quotas.low), ("quotas.high", int(high), quotas.high)):
        if value != now:
            values[path] = value
    with state.refusals():
        applied = rulebook.parsed(rulebook.with_values(book.text, values), name=book.name) if values else book
    download.download_button(
        "Télécharger ces règles", applied.text, file_name="regles.toml", mime="text/plain", key="regles-sortie"
    )
    return applied


def _given() -> tuple[str, str] | None:
    """Return the name and text of the rule file the reader gives, if any."""
    file = st.file_uploader(
        "Reprendre un fichier de règles (1 Mo au plus)", type=["toml"], key="regles-fichier", max_upload_size=1
    )
    if file is None:
        return None
    with state.refusals():
        return file.name, rulebook.decoded(file.getvalue(), name=file.name)


def _weights(book: Rulebook, mark: str) -> dict[str, float]:
    """Let the reader weigh the criteria; return those that changed, by path."""
    st.caption(
        "Poids de chaque critère, 0 = montré sans compter. Un critère ne compte que si l’appel pose la question et si "
        "l’étude a de quoi répondre ; les poids sont ramenés à 1 entre ceux qui comptent."
    )
    changed = {}
    columns = st.columns(3)
    for number, name in enumerate(CRITERIA):
        now = book.rules.criterion(name).weight
        weight = columns[number % 3].slider(
            book.rules.label(name), 0.0, max(_WIDEST, now), now, step=0.05, format="localized",
            **visit.in_address(f"poids-{name}{mark}", most=max(_WIDEST, now)),
        )  # fmt: skip
        if abs(weight - now) > 1e-9:
            changed[f"criteria.{name}.weight"] = round(weight, 4)
    return changed


def reader(tables: Mapping[str, pd.DataFrame]) -> ThemeReader | None:
    """Let the reader give the folder of a sentence model that takes the place of the lexicon; nothing by default."""
    with st.expander("Lecture des textes : lexique de l’étude, ou modèle de phrases"):
        st.caption(
            "Par défaut, le lexique lit les textes et chaque mot est montré. Un modèle de phrases déjà sur ce poste "
            "peut lire à sa place les textes des quartiers et des candidats ; rien n’est téléchargé."
        )
        folder = st.text_input("Dossier du modèle (facultatif)", max_chars=1000, key="modele-dossier").strip()
    if not folder:
        return None
    path = Path(folder).expanduser()
    return state.remembered(("modèle", state.stamp(), folder), lambda: runs.reader_of(path, tables["lexicon"]))
