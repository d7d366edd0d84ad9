"""What was felt in one district, where, by whom, and where do people disagree?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_qmi import sensitive
from geo_qmi.dashboard import fieldwork, fieldwork_rows, measures, state, uploads, visit, walk_upload
from geo_qmi.dashboard.fieldwork import CELLS_M, METHODS, SIGNS, VIEWS, Fieldwork, Ground, Kept
from geo_qmi.dashboard.long_work import Stopped
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, header, show_map, show_table
from geo_qmi.sources.files import read_file
from geo_qmi.vocabulary import ACTOR_GROUPS, SENSES, THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from geo_qmi.dashboard.long_work import Bar
    from geo_qmi.maps import Map

#: What the places of a page depend on, beside the study: district, choices, side of the cells.
_Mark = tuple[str, Kept, float]
_PLACE_KEY = "sensible-lieu"
_FILES = ["gpkg", "geojson", "csv", "xlsx", "zip"]


def page() -> None:
    """Show the page."""
    opening = header("Carte sensible", opens_on="sessions")
    if opening is None:
        return
    tables, ident, _ = opening
    if ident not in set(tables["sessions"]["district_id"]):
        st.info("Aucune séance de terrain pour ce quartier : importez une marche, un entretien ou un atelier.")
        walk_upload.section(ident)
        return
    own = state.of_study("terrain du quartier", ident, build=lambda: sensitive.of_district(ident, tables))
    kept = _choices(own, ident)
    view, cell_m = _ways()
    with state.refusals():
        found = state.of_study(
            "terrain", ident, kept, cell_m,
            build=lambda: fieldwork.fieldwork(tables, ident, kept=kept, cell_m=cell_m),
        )  # fmt: skip
    left, right = st.columns(2)
    if found.demo:
        left.caption(":material/science: Séances de démonstration : inventées, ne rien en conclure sur le terrain.")
    with_words = _with_words(right, own)
    mark = (ident, kept, cell_m)
    ground = state.of_study("sol", ident, build=lambda: fieldwork.ground_of(tables, ident))
    titles = ["Carte et lieux", "Désaccords et absences", "Individuel et collectif", "Ressenti et mesure"]
    chart, apart, both, measured = st.tabs(titles, **visit.in_address("sensible-onglet", titles))
    st.session_state[_PLACE_KEY] = st.session_state.get(_PLACE_KEY)  # kept while another tab is read
    if chart.open:  # worked out when somebody looks
        with chart:
            _map(tables, ground, found, mark, view=view)
            _place(found, mark, with_words=with_words)
    if apart.open:
        with apart:
            _apart(found, mark, with_words=with_words)
    if both.open:
        with both:
            _both(ground, found, mark, with_words=with_words)
    if measured.open:
        with measured:
            _measured(ground, found, mark, with_words=with_words)
    names_of = ("sessions", "routes", "stages", "observations", "statements", "workshop_items")
    downloads({name: own[name] for name in names_of if len(own[name])}, key="sensible")
    walk_upload.section(ident)


def _choices(own: Mapping[str, pd.DataFrame], ident: str) -> Kept:
    """Let the reader keep sessions, groups, senses, themes and signs; an empty box keeps everything."""
    seen = sensitive.with_groups(own["observations"], participants=own["participants"])
    titles = dict(zip(own["sessions"]["session_id"], own["sessions"]["title"], strict=True))
    offers: list[tuple[str, str, list[str], Mapping[str, str]]] = [
        ("sessions", "Séances", list(titles), titles),
        ("groups", "Groupes", list(fieldwork.choices_of(seen, "actor_group", ACTOR_GROUPS)), ACTOR_GROUPS),
        ("senses", "Sens", list(fieldwork.choices_of(seen, "sense", SENSES)), SENSES),
        ("themes", "Thèmes", list(fieldwork.choices_of(seen, "theme", THEMES)), THEMES),
        ("signs", "Ressentis", list(SIGNS), SIGNS),
    ]
    chosen = {}
    for box, (name, title, codes, labels) in zip(st.columns(len(offers)), offers, strict=True):
        address = visit.in_address(f"sensible-{name}-{ident}", [labels[code] for code in codes])
        chosen[name] = tuple(
            box.multiselect(title, codes, format_func=labels.__getitem__, placeholder="Tout", **address)
        )
    return Kept(**chosen)


def _ways() -> tuple[str, float]:
    """Let the reader choose what the map shows, and on which cells."""
    row = st.container(horizontal=True, gap="medium")  # the second goes under the first where both do not fit
    view = row.segmented_control(
        "Vue", list(VIEWS), default="places", format_func=VIEWS.__getitem__, required=True,
        **visit.in_address("sensible-vue", VIEWS.values()),
    )  # fmt: skip
    cell_m = row.segmented_control(
        "Côté des cellules", CELLS_M, default=CELLS_M[0], format_func=lambda m: f"{m} m", required=True,
        **visit.in_address("sensible-cellule", [f"{m} m" for m in CELLS_M]),
    )  # fmt: skip
    return view, float(cell_m)


def _with_words(box: Any, own: Mapping[str, pd.DataFrame]) -> bool:
    """Ask before showing exact words: private, and never in a study opened for reading, unless they are made up."""
    made_up = all(bool(own[name]["demo"].all()) for name in ("observations", "statements"))
    with state.refusals():
        allowed = made_up or not state.study().read_only
    if not allowed:
        box.caption("Mots exacts : privés, non montrés dans une étude ouverte en lecture seule.")
        return False
    shown = box.toggle("Montrer les mots exacts des personnes (privés)", key="sensible-mots")
    if shown:
        said = "inventés pour la démonstration" if made_up else "ne les projetez pas, ne les recopiez pas hors du jury"
        box.warning(f"Mots exacts affichés : {said}.", icon=":material/lock:")
    return bool(shown)


def _map(tables: Mapping[str, Any], ground: Ground, found: Fieldwork, mark: _Mark, *, view: str) -> None:
    """Show one view of the places, with how it is made and where it stops."""
    ident, kept, _ = mark
    chosen = st.session_state.get(_PLACE_KEY) or ""
    with state.refusals():
        shown = state.of_study(
            "carte sensible", *mark, view, chosen,
            build=lambda: fieldwork.drawn(
                tables, ident, found, kept=kept, view=view, chosen=chosen, ground=ground
            ),
        )  # fmt: skip
    show_map(
        shown, key=f"sensible-carte-{ident}-{view}", height_px=600, on_pick=partial(_pick, found, shown), place=ident
    )
    if view in METHODS:
        st.caption(METHODS[view])


def _pick(found: Fieldwork, drawn: Map, layer: str, ident: str) -> None:
    """Choose in the list what was clicked on the map."""
    choice = fieldwork.picked(found, drawn, layer=layer, ident=ident)
    if choice:
        st.session_state[_PLACE_KEY] = choice


def _place(found: Fieldwork, mark: _Mark, *, with_words: bool) -> None:
    """Show what was said at one place, chosen on the map or in the list, and in which session."""
    st.markdown("## Un lieu, ses observations, leurs séances")
    labels = state.of_study("lieux dits", *mark, build=lambda: fieldwork.spoken_places(found))
    if not labels:
        st.info("Aucune observation placée avec ces choix : élargissez-les.")
        return
    if st.session_state.get(_PLACE_KEY) not in labels:
        st.session_state[_PLACE_KEY] = None
    place = st.selectbox(
        "Cliquez un lieu sur la carte, ou choisissez-le ici", list(labels), index=None,
        format_func=labels.__getitem__, placeholder="Aucun lieu choisi", key=_PLACE_KEY,
    )  # fmt: skip
    if place is None:
        return
    seen = fieldwork.said_at(found, place)
    show_table(fieldwork_rows.observation_rows(seen, found.own["sessions"], with_words=with_words))
    sessions = found.own["sessions"]
    st.markdown("**Séances de ces observations**")
    show_table(fieldwork_rows.session_rows(sessions[sessions["session_id"].isin(seen["session_id"])]))


def _apart(found: Fieldwork, mark: _Mark, *, with_words: bool) -> None:
    """Show where people disagree, and what is missing."""
    st.markdown("## Lieux où les ressentis s’opposent")
    rows = state.of_study(
        "désaccords", *mark, with_words, build=lambda: fieldwork_rows.disagreements(found, with_words=with_words)
    )
    if rows.empty:
        st.markdown("_Aucun lieu partagé en deux camps avec ces choix._")
    else:
        show_table(rows)
        if not with_words:
            st.caption("Les deux phrases extrêmes de chaque lieu s’affichent avec les mots exacts (privés).")
    st.markdown("## Ce qui manque")
    lost = state.of_study("absences", *mark, build=lambda: fieldwork_rows.absences(found))
    if lost.empty:
        st.markdown("_Aucune absence relevée avec ces choix._")
    else:
        show_table(lost)


def _both(ground: Ground, found: Fieldwork, mark: _Mark, *, with_words: bool) -> None:
    """Show what each felt and what the group said, side by side, never added up."""
    ident, *_ = mark
    left, right = st.columns(2, gap="large")
    with state.refusals():
        alone, shared = state.of_study("deux cartes", *mark, build=lambda: fieldwork.together(ground, found))
    with left:
        show_map(alone, key=f"sensible-individuel-{ident}", height_px=440, narrow=True, place=ident)
    with right:
        show_map(shared, key=f"sensible-collectif-{ident}", height_px=440, narrow=True, place=ident)
    tables = state.of_study(
        "deux tableaux", *mark, with_words,
        build=lambda: {
            "individual": fieldwork_rows.individual(found),
            "actors": fieldwork_rows.by_actor(found),
            "collective": fieldwork_rows.collective(found, with_words=with_words),
            "workshop": fieldwork_rows.workshop(found.own["workshop_items"]),
        },
    )  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("## Individuel : une personne, une voix")
        show_table(tables["individual"])
        st.markdown("**Par groupe de personnes**")
        show_table(tables["actors"])
    with right:
        st.markdown("## Collectif : dit ou posé ensemble")
        show_table(tables["collective"])
        st.markdown("**Objets de l’atelier**")
        show_table(tables["workshop"])
    st.caption(
        "Les deux colonnes ne s’additionnent pas. Les choix de groupe, de sens, de thème et de ressenti ne portent que "
        "sur la première ; moins de cinq personnes : un avis, pas une tendance."
    )


def _measured(ground: Ground, found: Fieldwork, mark: _Mark, *, with_words: bool) -> None:
    """Hold what people felt against a measured layer, when one is given."""
    st.markdown("## Ce qui est ressenti, ce qui est mesuré")
    offered = _offered()
    if not offered:
        show_table(state.of_study("sujets", *mark, build=lambda: _topics(found, {})[1]))
        st.caption(
            "« Non fourni » : aucune couche mesurée n’est déposée pour ce sujet. Nombre de lieux où l’on en parle."
        )
        return
    (topic,) = offered
    ident = mark[0]
    with state.refusals():
        table, counts = _topics(found, offered)
        shown = measures.compared(ground, found, table=table, topic=topic)
    show_table(counts)
    show_map(shown, key=f"sensible-concordance-{ident}-{topic}", height_px=480, place=ident)
    rows = measures.discordant_rows(found, table, with_words=with_words)
    st.markdown("**Lieux discordants**")
    if rows.empty:
        st.markdown("_Aucun lieu où le ressenti et la mesure se contredisent._")
    else:
        show_table(rows)


def _topics(
    found: Fieldwork, offered: Mapping[str, sensitive.Measured | None]
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Return every place and topic, and how many fall in each quadrant."""
    table = measures.concordance_rows(found, offered)
    return table, measures.quadrant_counts(table)


def _offered() -> dict[str, sensitive.Measured | None]:
    """Take a measured layer in, and ask what it measures; nothing is kept in the study."""
    given = st.file_uploader(
        "Couche mesurée : points ou surfaces avec une colonne de nombres (50 Mo au plus)",
        type=_FILES, key="sensible-mesure", max_upload_size=50,
    )  # fmt: skip
    if given is None:
        return {}
    try:
        with state.refusals():
            layer = uploads.read(given, "sensible-lecture", _read)
    except Stopped:
        return {}
    columns = measures.numeric_columns(layer)
    if not columns:
        st.error("Aucune colonne de nombres dans cette couche : ajoutez-y la mesure, puis déposez-la de nouveau.")
        return {}
    topic_box, column_box, limit_box = st.columns(3)
    topics = {name: topic.label.capitalize() for name, topic in sensitive.TOPICS.items()}
    topic = topic_box.selectbox("Ce qu’elle mesure", list(topics), format_func=topics.__getitem__, key="sensible-sujet")
    column = column_box.selectbox("Colonne de la mesure", columns, key="sensible-colonne")
    limit = limit_box.number_input("Seuil (vide : médiane des lieux)", value=None, key="sensible-seuil")
    return {topic: sensitive.Measured(layer, column, limit)}


def _read(path: Path, name: str, _: Bar) -> gpd.GeoDataFrame:
    """Return the first layer of a file."""
    return measures.measured_layer(read_file(path, name=literal(name))[0])


if __name__ == "__main__":
    page()
