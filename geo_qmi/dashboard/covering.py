"""Which objectives are answered, who is within reach, and where should the next places go?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_qmi import maps, walking
from geo_qmi.dashboard import grounds, state, visit
from geo_qmi.dashboard.long_work import Stopped, awaited
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, header, show_map, show_sentences, show_table
from geo_qmi.errors import GeoQmiError, InputError
from geo_qmi.walking import ENDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from geo_qmi.dashboard.grounds import Chosen
    from geo_qmi.walking import Covered, Placed, Places, Terrain

_FLAGS = {"water": "Eau", "power": "Électricité", "vehicle": "Accès véhicule", "public_domain": "Domaine public"}


def page() -> None:
    """Show the page."""
    opening = header("Sites et couverture")
    if opening is None:
        return
    tables, ident, names = opening
    ground = grounds.chosen(tables, ident, key="sites", offered=("streets", "population", "zones", "served"))
    titles = ["Objectifs et projets", "À portée de marche", "Prochains lieux"]
    answered, within, further = st.tabs(titles, **visit.in_address("sites-onglet", titles))
    # What a tab shows is worked out when somebody looks; its choices stay, and what was typed with them.
    if answered.open:
        with answered:
            _answered(tables, ident, names)
    with within, suppress(Stopped):
        if ground is None:
            st.caption("Sans terrain préparé, aucune portée ne peut être marchée.")
        else:
            _within(tables, ground, shown=bool(within.open))
    with further, suppress(Stopped):
        if ground is None:
            st.caption("Sans terrain préparé, aucun lieu ne peut être choisi à pied.")
        else:
            _further(tables, ground, shown=bool(further.open))
    kept = ("objectives", "projects", "project_statuses", "candidate_places")
    filled = {name: tables[name] for name in kept if len(tables[name])}
    if filled:
        downloads(filled, key="sites")


def _answered(tables: Mapping[str, Any], ident: str, names: Mapping[str, str]) -> None:
    """Show how the objectives end, in the study and in this district."""
    try:
        everything = _everything(tables)
    except InputError as error:
        st.info(literal(error))
        return
    ends = everything.answers.objectives["state"].value_counts()
    n = len(everything.answers.objectives)
    for box, (code, title) in zip(st.columns(len(ENDS)), ENDS.items(), strict=True):
        box.metric(f"Objectifs : {title}", f"{ends.get(code, 0)}/{n}")
    show_table(everything.grid(names), key="sites-grille")
    st.caption(" ".join(literal(line) for line in everything.lines))
    try:
        mine = _covered(tables, ident)
    except InputError as error:
        st.info(literal(error))
        return
    _district(mine)


def _everything(tables: Mapping[str, Any]) -> Covered:
    """Return the objectives and projects of the whole study."""
    return state.of_study("couverture", build=lambda: walking.covered(tables))


def _covered(tables: Mapping[str, Any], ident: str) -> Covered:
    """Return the objectives and projects of a district, with the served populations that the reader brought."""
    brought = grounds.served()
    if brought is None:
        return state.of_study("couverture du quartier", ident, build=lambda: _everything(tables).of(ident))
    mark, served = brought
    return state.remembered(
        ("couverture", state.stamp(), ident, mark), lambda: walking.covered(tables, district_id=ident, served=served)
    )  # fmt: skip


def _district(mine: Covered) -> None:
    """Show the objectives of one district and both margins."""
    st.markdown("## Objectifs du quartier")
    counts = ["Déployés", "Non déployés", "Hors quartier"]
    show_sentences(mine.objectives().drop(columns=["Quartier", *counts]))
    left, right = st.columns(2, gap="large")
    for box, title, frame, none in (
        (left, "Besoins sans projet", mine.without_project(), "Chaque objectif a au moins un projet."),
        (right, "Projets sans besoin", mine.without_need(), "Chaque projet répond à un objectif du quartier."),
    ):
        with box:
            st.markdown(f"**{title}**")
            if frame.empty:
                st.markdown(f"_{none}_")
            else:
                show_sentences(frame.drop(columns="Quartier"))
    with st.expander("Objectif × projet : mots lus, lieu, statut"):
        show_table(mine.matrix(), key="sites-matrice")
    with st.expander("Attribué et déployé : dedans, dehors, à combien de mètres"):
        show_sentences(mine.allocated())
    with st.expander("Par quelle règle chaque projet couvre le quartier, ou pourquoi aucun"):
        show_sentences(mine.rules())


def _within(tables: Mapping[str, Any], ground: Chosen, *, shown: bool) -> None:
    """Show what lies within a walk of the places of the district."""
    given, minutes = ground.given, _minutes("sites-minutes")
    if not shown:
        return
    _zoned(tables, given)
    options: dict[str, Any] = {
        "zones": ground.zones, "household_size": ground.household_size, "places": _places(tables, ground)
    }  # fmt: skip
    mark = (ground.key, minutes)
    with state.refusals():
        found = awaited(
            "portee", mark, lambda bar: walking.reach(given, tables, minutes=minutes, announce=bar, **options)
        )  # fmt: skip
    if found is None:
        st.info("Aucun lieu connu dans ce quartier : ni projet placé, ni lieu d’accueil. Rien à marcher.")
        return
    drawn = state.remembered(("carte de portée", *mark), lambda: walking.reach_map(tables, given, found))
    show_map(drawn, key=f"sites-carte-{given.district_id}", height_px=560, place=given.district_id)
    show_table(found.table(), key="sites-portee")
    if len(found.equity):
        st.markdown("**Équité** : les mêmes lieux, groupe par groupe")
        show_table(found.groups(), key="sites-equite")
    st.markdown("\n".join(f"- {literal(line)}" for line in found.lines))


def _places(tables: Mapping[str, Any], ground: Chosen) -> Places:
    """Return the places of the district, gathered once for every walk and question."""
    key = ("lieux du quartier", *ground.walked)
    return state.remembered(key, lambda: walking.places_of(ground.given, tables))


def _zoned(tables: Mapping[str, Any], given: Terrain) -> None:
    """Show what projects that nobody walks to cover of the district, by their own rule."""
    try:
        mine = _covered(tables, given.district_id)
    except InputError:  # no objective is published here: the first tab says so
        return
    counted = walking.zoned(given, mine.footprints, names=dict(mine.places["name"]))
    if len(counted):
        st.markdown("**Projets comptés sans marche** : zone entière ou population desservie")
        show_sentences(counted)


def _minutes(key: str) -> float:
    """Let the reader choose the walk."""
    chosen = st.segmented_control(
        "Marche", walking.STEPS, default=5, format_func=lambda m: f"{m} min", required=True,
        **visit.in_address(key, [f"{m} min" for m in walking.STEPS]),
    )  # fmt: skip
    return float(chosen or 5)


def _plan_map(
    tables: Mapping[str, Any], ground: Chosen, found: Placed, mark: tuple[Any, ...], *, minutes: float
) -> maps.Map | None:  # fmt: skip
    """Return the map of the places chosen and their reach, or ``None`` when nothing can be walked."""
    given, chosen = ground.given, tuple(found.plan.sites.index)
    # Other rules often choose the same places: their reach is not walked again.
    options: dict[str, Any] = {"site_ids": list(chosen), "minutes": minutes, "places": _places(tables, ground)}
    near = awaited(
        "portee des lieux", (ground.key, chosen, minutes),
        lambda bar: walking.reach(given, tables, announce=bar, **options),
    )  # fmt: skip
    if near is None:
        return None
    return state.remembered(
        ("carte des lieux", *mark), lambda: walking.reach_map(tables, given, near, placed=found)
    )  # fmt: skip


def _further(tables: Mapping[str, Any], ground: Chosen, *, shown: bool) -> None:
    """Choose the next places among the candidates, under the rules of the reader."""
    given = ground.given
    rules, options = _rules(given)
    permits = _permits()
    if not shown:
        return
    mark = (ground.key, tuple(rules), repr(options), permits and permits[0])
    options |= {"permits": permits and permits[1], "places": _places(tables, ground)}
    try:
        found = awaited(
            "lieux", mark,
            lambda bar: walking.place(given, tables, rules=walking.rules_of(rules), announce=bar, **options),
        )  # fmt: skip
    except GeoQmiError as error:
        st.warning(literal(error))
        return
    st.markdown(f"**{literal(found.said)}**")
    st.markdown("**Lieux à ouvrir**")
    opened = found.chosen()
    paths = [column for column in ("Autorisations", "Calendrier") if column in opened]
    show_table(opened.drop(columns=paths), key="sites-choisis")
    for name, *words in opened[["Lieu", *paths]].itertuples(index=False, name=None):
        st.markdown(f"- **{literal(name)}** : {literal('. '.join(str(one) for one in words if isinstance(one, str)))}")
    st.markdown("**Lieux laissés de côté**")
    left_out = found.verdicts()
    if left_out.empty:
        st.markdown("_Aucun : toutes les règles passent._")
    else:
        show_sentences(left_out)
    drawn = _plan_map(tables, ground, found, mark, minutes=float(options["minutes"]))
    if drawn is not None:
        show_map(drawn, key=f"sites-plan-{given.district_id}", height_px=480, place=given.district_id)
    st.markdown("\n".join(f"- {literal(line)}" for line in found.lines))


def _permits() -> tuple[str, Any] | None:
    """Take the steps of the permits in, and say what is expected of them."""
    with st.expander("Autorisations : propriétaire, autorité, convention, semaines", icon=":material/approval:"):
        st.caption(
            "Une ligne par étape : lieu (identifiant), rang, propriétaire, autorité, convention, semaines. Une durée "
            "vide reste inconnue. Avec le premier jour et les mois de mesure : dernière date de demande."
        )
        return grounds.dropped(
            "Fichier des autorisations", lambda path, name, _: walking.permits_of(path, name=name),
            types=grounds.TABLES, key="sites-autorisations",
        )  # fmt: skip


def _rules(given: Terrain) -> tuple[list[str], dict[str, Any]]:
    """Let the reader say what a place must have, how many are opened and for which walk."""
    first, second, third = st.columns(3)
    model = first.selectbox(
        "Question", list(walking.MODELS), format_func=walking.MODELS.__getitem__,
        **visit.in_address("sites-modele", walking.MODELS.values()),
    )  # fmt: skip
    n_places = _number(second, "Lieux à ouvrir", (1, 20, 2), key=f"sites-nombre-{given.district_id}")
    minutes = _number(third, "Marche qui sert (min)", (1, 15, 5), key="sites-marche")
    first, second, third = st.columns([1, 1, 2])
    area = _number(first, "Surface au moins (m²)", (0, 100_000, 0), key="sites-surface", step=10)
    sun = _number(second, "Soleil au moins (h)", (0, 16, 0), key="sites-soleil")
    wanted = third.multiselect(
        "Doit avoir", list(_FLAGS), format_func=_FLAGS.__getitem__, placeholder="Rien d’exigé",
        **visit.in_address("sites-exige", _FLAGS.values()),
    )  # fmt: skip
    first, second, third = st.columns(3)
    start = first.text_input(
        "Premier jour du programme", placeholder="AAAA-MM-JJ", key="sites-debut", bind="query-params", max_chars=20
    )
    months = _number(second, "Mois de mesure", (0, 18, 0), key="sites-mois")
    limit = f"Capacité d’un lieu ({given.unit}, 0 : sans limite)"
    each = _number(third, limit, (0, 1_000_000, 0), key="sites-capacite")
    rules = [f"area_m2>={area}"] * (area > 0) + [f"sun_h>={sun}"] * (sun > 0) + [f"{flag}=oui" for flag in wanted]
    options: dict[str, Any] = {"n_places": n_places, "minutes": float(minutes), "model": model}
    options |= {"start": start or None, "months": months or None}
    return rules, options | {"capacities": {"*": float(each)} if each else None}


def _number(box: DeltaGenerator, title: str, ends: tuple[int, int, int], *, key: str, step: int = 1) -> int:
    """Let the reader choose a whole number: least, most, and what it is at first; the address keeps it."""
    least, most, first = ends
    return int(
        box.number_input(title, least, most, first, step=step, **visit.in_address(key, least=least, most=most))
    )  # fmt: skip


if __name__ == "__main__":
    page()
