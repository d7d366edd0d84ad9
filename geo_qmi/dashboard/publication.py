"""What leaves the study, for whom, on which paper or in which file?"""

from __future__ import annotations

import datetime
import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_qmi import cover, export, handover, mapping, packing
from geo_qmi.atlas import Layout
from geo_qmi.dashboard import long_work, state, visit
from geo_qmi.dashboard.markup import literal
from geo_qmi.desk import readings
from geo_qmi.editions import EDITIONS
from geo_qmi.errors import GeoQmiError
from geo_qmi.plate import LARGEST_FIRST, PAPERS
from geo_qmi.vocabulary import ACTOR_GROUPS
from geo_qmi.wording import day_words, number
from geo_qmi.workshop import PAPERS as TABLE_PAPERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from geo_qmi.packing import Packed

    Announce = Callable[[str], None]

_SIDES = {"landscape": "Paysage", "portrait": "Portrait"}
#: Scales of a sheet, from a square to the Métropole.
_SCALES = [scale for scale in LARGEST_FIRST if 500 <= scale <= 250_000]
_REVIEW_MB, _TERMS_MB = 5, 1
_WHOLE = "Toute l’étude"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the top of the page says: for whom, where, and which words may leave."""

    tables: Mapping[str, pd.DataFrame]
    edition: str
    district_id: str
    names: tuple[str, ...]
    cleared: tuple[str, ...]
    terms: Mapping[str, export.Terms]
    districts: Mapping[str, str]

    @property
    def mark(self) -> tuple[Any, ...]:
        """Return everything the result depends on."""
        terms = tuple(self.terms.items())
        return (state.stamp(), self.edition, self.district_id, self.names, self.cleared, terms)

    def shown(self) -> Mapping[str, pd.DataFrame]:
        """Return the tables as the edition may show them, proved first and kept for the session."""
        key = ("édition", state.stamp(), self.edition, self.names, self.cleared, tuple(self.terms.items()))
        options: dict[str, Any] = {"names": self.names, "cleared": self.cleared, "terms": self.terms}
        return state.remembered(key, lambda: mapping.lowered(self.tables, self.edition, **options))

    def order(self) -> handover.Order:
        """Return what the folder is asked to hold."""
        return handover.Order(
            edition=self.edition,
            district=self.district_id,
            names=self.names,
            cleared=self.cleared,
            terms=self.terms,
            date=datetime.date.today().isoformat(),
        )


def page() -> None:
    """Show the page."""
    left, right = st.columns([1, 1], vertical_alignment="bottom")
    left.title("Publication et export")
    with state.refusals():
        tables = state.tables()
    names = readings.district_names(tables)
    if not names or tables["communes"].empty:
        st.info(
            "Cette étude ne contient ni commune ni quartier : rien à publier. Importez-les (page Données, « Importer "
            "un fichier »), ou ouvrez une autre étude."
        )
        return
    ident = visit.district(names, box=right)
    asked = _asked(tables, ident, names)
    (st.warning if asked.edition == "jury" else st.info)(cover.warning(asked.edition), icon=":material/lock:")
    paper, offline, layers, folder, workshop = st.tabs(
        ["Une carte sur papier", "Page hors ligne", "Couches et tables", "Dossier complet", "Atelier"]
    )
    with paper:
        _paper(asked, ident)
    with offline:
        _offline(asked)
    with layers, suppress(long_work.Stopped):
        _layers(asked)
    with folder:
        _folder(asked)
    with workshop:
        _workshop(tables, ident)


def _asked(tables: Mapping[str, pd.DataFrame], ident: str, districts: Mapping[str, str]) -> _Asked:
    """Let the reader choose the edition, the extent and the words that may leave."""
    left, right = st.columns(2)
    with state.refusals():
        offered = packing.offered(tables, read_only=bool(visit.closed()))
    edition = left.segmented_control(
        "Édition : pour qui ?", offered, format_func=lambda one: EDITIONS[one].capitalize(), default="public",
        required=True, **visit.in_address("edition", [EDITIONS[one].capitalize() for one in offered]),
    )  # fmt: skip
    extent = right.segmented_control(
        "Étendue", [_WHOLE, "Ce quartier"], default="Ce quartier", required=True,
        **visit.in_address("etendue", [_WHOLE, "Ce quartier"]),
    )  # fmt: skip
    if len(offered) < len(EDITIONS):
        left.caption("L’édition du jury n’est pas offerte dans une étude ouverte en lecture seule.")
    removed: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    terms = export.terms()
    if edition != "jury":
        with st.expander("Noms à retirer, mots relus, tables réservées", icon=":material/visibility_off:"):
            typed = st.text_area("Noms propres à retirer des textes, un par ligne", key="publication-noms")
            removed = tuple(dict.fromkeys(name.strip() for name in typed.splitlines() if name.strip()))
            review = st.file_uploader(
                f"Revue remplie (revue.csv de l’édition du jury, {_REVIEW_MB} Mo au plus)", type=["csv"],
                max_upload_size=_REVIEW_MB, key="publication-revue",
            )  # fmt: skip
            st.caption("Sans revue, aucun mot ne sort dans cette édition.")
            own = st.file_uploader(
                f"Licences de vos tables (.toml, {_TERMS_MB} Mo au plus) : restricted = true garde une table au jury",
                type=["toml"], max_upload_size=_TERMS_MB, key="publication-licences",
            )  # fmt: skip
        if own is not None:
            with state.refusals():
                terms = packing.terms(own.getvalue())
        if review is not None:
            with state.refusals():
                cleared = _released(review.getvalue(), tables, removed)
    return _Asked(tables, str(edition), "" if extent == _WHOLE else ident, removed, cleared, terms, districts)


def _released(content: bytes, tables: Mapping[str, pd.DataFrame], names: tuple[str, ...]) -> tuple[str, ...]:
    key = ("revue", state.stamp(), hashlib.sha256(content).hexdigest(), names)
    return state.remembered(key, lambda: packing.released(content, tables, names=names))


def _paper(asked: _Asked, ident: str) -> None:
    """Draw one sheet, show it, and offer it."""
    first, fifth = st.columns([3, 2])
    second, third, fourth = st.columns(3)
    kind = first.selectbox(
        "Carte", list(mapping.KINDS), index=2, format_func=mapping.KINDS.__getitem__, key="papier-carte"
    )
    paper = second.selectbox("Papier", list(PAPERS), index=list(PAPERS).index("A3"), key="papier-format")
    side = third.selectbox("Sens", list(_SIDES), format_func=_SIDES.__getitem__, key="papier-sens")
    scale = fourth.selectbox(
        "Échelle",
        [None, *_SCALES],
        format_func=lambda one: f"1:{one}" if one else "La plus grande",
        key="papier-echelle",
    )
    form = fifth.selectbox("Fichier", list(packing.FORMS), format_func=packing.FORMS.__getitem__, key="papier-fichier")
    of = "" if kind in mapping.WHOLE else ident
    layout = Layout(paper=paper, orientation=side, scale=scale, date=_today(), study=_study_name())

    def build(announce: Announce) -> Packed:
        announce("Édition")
        shown = asked.shown()
        announce("Dessin de la feuille")
        return packing.sheet(shown, kind=kind, district_id=of, layout=layout, edition=asked.edition, form=form)

    made = _made("papier", "Dessiner la feuille", (asked.mark, kind, layout, form), build, total=2)
    if made is not None and made.preview:
        where = f", {asked.districts[of]}" if of else ""
        st.image(made.preview, caption=f"Première page : {mapping.KINDS[kind]}{where}", width="stretch")


def _offline(asked: _Asked) -> None:
    """Make the page that opens without a network."""
    offered = [
        one for one in mapping.wanted(asked.tables) if not asked.district_id or one[1] in {"", asked.district_id}
    ]
    label = {pair: _named(pair, asked.districts) for pair in offered}
    default = [pair for pair in offered if pair[1] == asked.district_id and pair[0] in {"district", "sensitive"}]
    chosen = st.multiselect(
        "Cartes de la page", offered, default=default or offered[:1], format_func=label.__getitem__,
        placeholder="Choisissez", key=f"page-cartes-{asked.district_id}",
    )  # fmt: skip

    def build(announce: Announce) -> Packed:
        announce("Édition")
        return packing.offline_page(
            asked.shown(), chosen, title=_study_name(), edition=asked.edition, date=_today(), announce=announce
        )

    st.caption("Un seul fichier HTML : il s’ouvre d’une clé USB et n’appelle aucun site.")
    _made("page", "Faire la page", (asked.mark, tuple(chosen)), build, total=len(chosen) + 2)


def _layers(asked: _Asked) -> None:
    """Offer each table of the edition in every format that can hold it."""
    mark = ("couches", asked.mark)
    if st.session_state.get("couches-demandees") != mark:
        st.caption("La liste dépend de l’édition : ce qui est privé n’y est pas.")
        if not st.button("Lister les tables de cette édition", key="couches-lister"):
            return
        st.session_state["couches-demandees"] = mark

    def work(bar: long_work.Bar) -> Any:
        bar("Édition")
        shown = asked.shown()
        bar("Tables")
        return handover.layers(asked.tables, shown, order=asked.order())

    with state.refusals():
        found = long_work.awaited("couches-liste", mark, work, total=2)
    if not found:
        st.markdown("Aucune ligne ne sort de cette étude dans cette édition.")
        return
    left, right = st.columns(2)
    by_name = {layer.name: layer for layer in found}
    name = left.selectbox("Table", list(by_name), format_func=lambda one: by_name[one].title, key="couches-table")
    layer = by_name[name]
    suffix = right.selectbox(
        "Format", packing.suffixes(layer), format_func=export.FORMATS.__getitem__, key="couches-format"
    )
    _made(
        "table",
        "Écrire le fichier",
        (*mark, name, suffix),
        lambda _: packing.table(layer, suffix, study=_study_name(), edition=asked.edition, terms=asked.terms),
        total=1,
    )


def _folder(asked: _Asked) -> None:
    """Make the whole folder as a zip."""
    st.markdown("\n".join(f"- {purpose}" for purpose in handover.FOLDERS.values()))
    kinds = st.multiselect(
        "Cartes du dossier", list(mapping.KINDS), default=list(mapping.KINDS), format_func=mapping.KINDS.__getitem__,
        placeholder="Aucune", key="dossier-cartes",
    )  # fmt: skip
    st.caption("Compter une à plusieurs minutes ; le travail s’arrête si vous changez un choix ou appuyez sur Arrêter.")

    def build(announce: Announce) -> Packed:
        return packing.folder(
            asked.tables,
            replace(asked.order(), kinds=tuple(kinds)),
            study=_study_name(),
            fingerprint=state.study().fingerprint(),
            announce=announce,
        )

    n_maps = sum(
        kind in kinds and (not asked.district_id or of == asked.district_id)
        for kind, of in mapping.wanted(asked.tables)
    )
    filled = sum(1 for frame in asked.tables.values() if len(frame))
    _made("dossier", "Faire le dossier", (asked.mark, tuple(kinds)), build, total=filled + 2 * n_maps + 3)


def _workshop(tables: Mapping[str, pd.DataFrame], ident: str) -> None:
    """Make the sheets of a workshop."""
    left, right = st.columns(2)
    code = left.text_input(
        "Code de la séance",
        value=f"{ident}-{datetime.date.today():%Y-%m-%d}",
        max_chars=40,
        key=f"atelier-code-{ident}",
    )
    paper = right.selectbox("Papier", list(TABLE_PAPERS), key="atelier-papier")
    groups = st.multiselect(
        "Groupes autour de la table", list(ACTOR_GROUPS), default=list(ACTOR_GROUPS), placeholder="Tous",
        format_func=ACTOR_GROUPS.__getitem__, key="atelier-groupes",
    )  # fmt: skip
    st.caption(
        "Le fond à l’échelle, un calque par groupe, et les tableaux qui les relisent. Rien de ce qui a été dit n’y est."
    )
    _made(
        "atelier",
        "Préparer l’atelier",
        (state.stamp(), ident, code, paper, tuple(groups)),
        lambda _: packing.workshop_pack(tables, district_id=ident, code=code.strip(), paper=paper, groups=groups),
        total=1,
    )


def _made(
    key: str, label: str, mark: tuple[Any, ...], build: Callable[[Announce], Packed], *, total: int
) -> Packed | None:  # fmt: skip
    """Make a file when asked, with a bar and a way to stop, and offer it as long as the choices stay the same.

    Parameters
    ----------
    key
        Name of this group of widgets; the last file of each group is kept.
    mark
        Everything the file depends on.
    build
        Makes it; told where to announce each stage.
    total
        Number of stages, for the bar.
    """
    if st.button(label, type="primary", key=f"{key}-faire"):
        try:
            with long_work.shown(key, mark, total=total) as bar:
                made = build(bar)
            st.session_state[f"fait-{key}"] = (mark, made)
        except GeoQmiError as error:
            st.error(literal(error))
    else:
        long_work.say_stopped(key, mark)
    kept, made = st.session_state.get(f"fait-{key}", (None, None))
    if made is None or kept != mark:
        return None
    size = number(max(1, round(len(made.content) / 1000)))
    st.download_button(
        f"Télécharger {made.name} ({size} ko)", made.content, file_name=made.name, mime=made.mime,
        key=f"{key}-telecharger", on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    for remark in made.remarks:
        st.caption(literal(remark))
    return made  # type: ignore[no-any-return]


def _named(pair: tuple[str, str], districts: Mapping[str, str]) -> str:
    kind, ident = pair
    return f"{mapping.KINDS[kind]}, {districts[ident]}" if ident else mapping.KINDS[kind]


def _study_name() -> str:
    return "Étude livrée" if state.is_shipped() else state.study().path.name


def _today() -> str:
    return day_words(datetime.date.today())


if __name__ == "__main__":
    page()
