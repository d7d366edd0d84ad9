"""Which candidate goes to which district, and why not elsewhere?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from geo_qmi import charts, maps, matching
from geo_qmi.dashboard import comparison, deliberation, rounds, rulebook_panel, state, uploads, visit
from geo_qmi.dashboard.chart_panel import show_chart
from geo_qmi.dashboard.comparison import Candidates, Comparison, compare
from geo_qmi.dashboard.long_work import Stopped, awaited
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import downloads, show_map, show_table
from geo_qmi.desk import readings
from geo_qmi.runs import field_needs
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.dashboard.long_work import Bar
    from geo_qmi.intake import Intake
    from geo_qmi.maps import Map
    from geo_qmi.matching.readers import ThemeReader
    from geo_qmi.rulebook import Rulebook

_REAL, _STUDY, _OWN = "Projets réels de l’édition 1", "Candidatures de l’étude", "Mon fichier"
_FILES = ["csv", "xlsx", "ods", "geojson", "gpkg", "zip"]


def page() -> None:
    """Show the page."""
    st.title("Apparier des projets et des quartiers")
    with state.refusals():
        tables = state.tables()
    names = visit.names(tables)
    if not names or tables["lexicon"].empty:
        st.info(
            "Il faut au moins un quartier et un lexique de thèmes, et cette étude ne les contient pas : importez-les "
            "(page Données, « Importer un fichier »)."
        )
        return
    with suppress(Stopped):
        _page(tables, names)


def _page(tables: Mapping[str, pd.DataFrame], names: dict[str, str]) -> None:
    """Show the choices, then what they give."""
    candidates = _candidates(tables)
    district_ids = _districts(tables, names)
    least, most = st.columns(2)
    book = rulebook_panel.rules(least, most)
    with state.refusals():
        reader = rulebook_panel.reader(tables)
    if candidates is None or candidates.rows.empty:
        st.info("Aucun candidat à comparer : choisissez une autre liste, ou déposez un fichier.")
        return
    if not district_ids:
        st.info("Choisissez au moins un quartier.")
        return
    with state.refusals():
        found = _found(candidates, tables, district_ids, book, reader)
    _verdict(found, candidates)
    titles = ["Plan", "Scores", "Pourquoi", "Solidité", "Jury", "Vague suivante", "Vérification"]
    plan, scores, why, strength, jury, later, check = st.tabs(titles, **visit.in_address("appariement-onglets", titles))
    if plan.open:  # made when somebody looks; a tab in which somebody types stays there
        with plan:
            _plan(tables, found, candidates, names)
    if scores.open:
        with scores:
            _scores(found, candidates, names)
    if why.open:
        with why:
            _why(found, candidates, names)
    with strength:
        deliberation.strength(found)
    with jury:
        deliberation.decisions(found, tables, names)
        rounds.marks(candidates.names())
    with later:
        rounds.next_wave(found, tables, names)
    if check.open:
        with check:
            _check(found, candidates, names)
            rounds.identities(candidates.rows, tables)
    results = {"scores": found.rows, "needs": found.match.appraisal.needs, "offers": found.match.appraisal.offers}
    downloads(results, key="appariement", mark=maps.DEMO if candidates.demo else "")


def _candidates(tables: Mapping[str, pd.DataFrame]) -> Candidates | None:
    """Let the reader choose a list of candidates."""
    projects, applications = tables["projects"], tables["applications"]
    sizes = {_REAL: len(projects), _STUDY: len(applications)}
    lists = [_REAL, _STUDY, _OWN]
    choice = st.radio(
        "Candidats",
        lists,
        captions=[counted(sizes[name], "dossier") if name in sizes else "" for name in lists],
        horizontal=True,
        **visit.in_address("appariement-candidats", lists),
    )
    if choice == _REAL:
        hosts = projects[["project_id", "district_id"]]
        return Candidates(rows=projects, noun="projet", hosts=hosts, tags=tables["project_tags"])
    if choice == _STUDY:
        if demo := readings.invented(applications["demo"]):
            st.warning(demo)
        rows = state.of_study("candidatures de l’étude", build=lambda: _as_projects(applications))
        return Candidates(rows=rows, noun="candidature", demo=bool(demo))
    return _uploaded()


def _as_projects(applications: pd.DataFrame) -> pd.DataFrame:
    return applications.rename(columns={"application_id": "project_id"}).reset_index(drop=True)


def _uploaded() -> Candidates | None:
    """Take a file in, show what was refused and why, and return the rows that are sound."""
    given = st.file_uploader(
        "Fichier de candidatures (50 Mo au plus)", type=_FILES, key="appariement-fichier", max_upload_size=50
    )
    if given is None:
        st.caption("Colonnes attendues : identifiant, nom du projet, description ; mots-clés et famille si possible.")
        return None
    with state.refusals():
        took = uploads.taken(given, "applications")
    st.markdown(
        f"**{counted(took.n_in, 'ligne lue', 'lignes lues')}** : {counted(took.n_ok, 'acceptée')}, "
        f"{counted(took.n_quarantined, 'mise')} de côté."
    )
    if took.defects:
        _defects(took)
    rows = state.remembered(("candidatures du fichier", state.Same(took)), lambda: _as_projects(took.accepted))
    return Candidates(rows=rows, noun="candidature")


def _defects(took: Intake) -> None:
    """Show every defect with its row and column, and offer the rows that were refused."""
    severities = {"error": "erreur", "warning": "avertissement"}
    rows = [
        {
            "Gravité": severities[defect.severity],
            "Ligne": defect.row,
            "Colonne": defect.field,
            "Valeur": defect.value,
            "Motif": defect.reason,
            "À faire": defect.proposal,
        }
        for defect in took.defects
    ]
    with st.expander(f"{counted(len(rows), 'défaut')} à corriger", expanded=bool(took.n_quarantined)):
        show_table(pd.DataFrame(rows).astype({"Ligne": "Int64"}))


def _districts(tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> list[str]:
    """Let the reader choose districts."""
    districts = tables["districts"]
    first = set(districts.loc[districts["edition"] == districts["edition"].min(), "district_id"])
    chosen = st.multiselect(
        "Quartiers",
        list(names),
        default=[ident for ident in names if ident in first],
        format_func=names.__getitem__,
        **visit.in_address("appariement-quartiers", names.values()),
        help="Par défaut, ceux de l’édition 1 : ceux de l’édition 2 n’ont qu’un défi publié, ou rien.",
    )
    return sorted(chosen)


def _found(
    candidates: Candidates,
    tables: Mapping[str, pd.DataFrame],
    district_ids: list[str],
    book: Rulebook,
    reader: ThemeReader | None,
) -> Comparison:
    """Compare once for each set of inputs, telling the steps."""
    # What was read does not depend on the rules: a weight or a quota changed does not read again.
    reading = (state.stamp(), state.Same(candidates.rows), *district_ids, "" if reader is None else reader.name)
    mark = (*reading, book.sha256)

    def work(bar: Bar) -> Comparison:
        bar("Étude et règles")
        inputs = comparison.gathered(
            candidates,
            tables,
            district_ids=district_ids,
            book=book,
            fingerprint=state.of_study("empreinte", build=lambda: state.study().fingerprint()),
            reader=reader,
            field=_said(tables) if comparison.weighs_field(book) else None,
        )
        texts = state.remembered(("textes lus", *reading), lambda: read(bar))
        return compare(inputs, texts=texts, announce=bar)

    def read(bar: Bar) -> matching.Texts:
        options: dict[str, Any] = {"districts": district_ids, "tags": candidates.tags, "reader": reader}
        return matching.read_texts(candidates.rows, tables, **options, announce=bar)

    return awaited("plan", mark, work, total=len(matching.STEPS) + 1)


def _said(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the needs said on the ground of every district, read once a study."""
    return state.of_study("besoins du terrain", build=lambda: field_needs(tables))


def _verdict(found: Comparison, candidates: Candidates) -> None:
    """Say first whether there is a plan."""
    if found.refusal:
        st.error(literal(found.refusal))
    else:
        st.success(comparison.summary(found, candidates))


def _plan(tables: Mapping[str, Any], found: Comparison, candidates: Candidates, names: Mapping[str, str]) -> None:
    """Show the plan on the map, by district, and what stays out of it."""
    if found.refusal:
        st.info("Aucun plan à dessiner : changez les quotas, les quartiers ou les candidats.")
        return
    drawn = state.remembered(("carte du plan", state.Same(found)), lambda: _drawn(tables, found, candidates))
    show_map(drawn, key="carte-plan", height_px=520)
    mark = f" ({maps.DEMO})" if candidates.demo else ""
    st.markdown(f"**Le plan, quartier par quartier{mark}**")
    rows = state.remembered(("plan en mots", state.Same(found)), lambda: comparison.plan_rows(found, candidates, names))
    show_table(rows, height_px=400)
    excluded = found.match.plan.excluded
    if len(excluded):
        st.markdown(f"**Hors du plan : {counted(len(excluded), candidates.noun)}**")
        shown = {
            candidates.noun.capitalize(): excluded["project_id"].map(candidates.names()),
            "Motif": excluded["reason"],
        }
        show_table(pd.DataFrame(shown))
    deliberation.reserve_and_limits(found)


def _drawn(tables: Mapping[str, Any], found: Comparison, candidates: Candidates) -> Map:
    """Return the map of how many candidates each district receives."""
    received = found.plan["district_id"].value_counts().reindex(found.match.scores.columns, fill_value=0)
    communes, territories = tables["communes"], tables["territories"]
    return maps.plan_map(
        communes,
        tables["districts"],
        territories=territories,
        assigned=received,
        noun=candidates.noun,
        demo=candidates.demo,
        ground=state.of_study("fond du plan", build=lambda: maps.plan_ground(communes, territories)),
    )


def _scores(found: Comparison, candidates: Candidates, names: Mapping[str, str]) -> None:
    """Show the matrix of scores, the plan framed in it."""
    drawn = state.remembered(("matrice", state.Same(found)), lambda: _matrix(found, candidates, names))
    show_chart(drawn, key="scores")


def _matrix(found: Comparison, candidates: Candidates, names: Mapping[str, str]) -> charts.Chart:
    plan, ends = found.plan, found.match.appraisal
    return charts.score_matrix(
        found.match.scores,
        low=ends.low,
        high=ends.high,
        plan=list(zip(plan["project_id"], plan["district_id"], strict=True)),
        projects=candidates.names(),
        districts=names,
        noun=candidates.noun,
        demo=candidates.demo,
    )


def _why(found: Comparison, candidates: Candidates, names: Mapping[str, str]) -> None:
    """Show where one score comes from, and why other districts were not chosen."""
    label = visit.told_apart(candidates.names())
    left, right = st.columns(2)
    project = left.selectbox(
        candidates.noun.capitalize(), sorted(label, key=label.__getitem__), format_func=label.__getitem__,
        **visit.in_address("appariement-projet", label.values()),
    )  # fmt: skip
    reasons = comparison.verdicts(found, project, names)
    show_table(reasons)
    by_score = cast("pd.Series[float]", found.match.scores.loc[project]).sort_values(ascending=False)
    district = right.selectbox(
        "Quartier", by_score.index.tolist(), format_func=names.__getitem__,
        **visit.in_address("appariement-quartier", [names[one] for one in by_score.index]),
    )  # fmt: skip
    deliberation.why_not(found, project, district)
    rows = comparison.parts(found, project, district)
    value = found.match.scores.loc[project, district]
    if pd.isna(value):
        st.info(
            f"Score inconnu : {'; '.join(sorted(set(rows['Note']) - {''})) or 'rien de reconnu, ou paire écartée'}."
        )
    else:
        st.markdown(f"**Score de « {literal(label[project])} » à {literal(names[district])} : {_decimal(value)}**")
    st.caption("Poids × valeur = contribution ; les contributions s’additionnent jusqu’au score.")
    told = state.remembered(
        ("critères", state.Same(found), project, district),
        lambda: comparison.criteria(found, project, district).set_index("Critère"),
    )
    st.table(told)  # every word shown, none cut
    st.caption(f"Réponse aux besoins, thème par thème : {_decimal(rows['Apport au score'].sum())} en tout.")
    show_table(rows)
    deliberation.sheet(found, project)


def _decimal(value: float) -> str:
    return f"{value:.3f}".replace(".", ",")


def _check(found: Comparison, candidates: Candidates, names: Mapping[str, str]) -> None:
    """Hold the scores against the real hosts, when they are known, beside chance."""
    result = found.match.hosts
    if candidates.hosts is None or result is None:
        st.info("Le quartier d’accueil réel de ces candidats n’est pas connu : rien à vérifier.")
        return
    hosts = candidates.hosts[candidates.hosts["district_id"].isin(found.match.scores.columns)]
    if hosts.empty:
        st.info("Aucun de ces projets n’a été accueilli dans les quartiers choisis.")
        return
    left, right = st.columns(2)
    chance = "Au hasard : {:.1f}/{}"
    left.metric("Quartier réel au premier rang", f"{result.first}/{result.n}", border=True)
    left.caption(chance.format(result.chance_first, result.n).replace(".", ","))
    right.metric("Quartier réel au premier ou au deuxième rang", f"{result.top_two}/{result.n}", border=True)
    right.caption(chance.format(result.chance_top_two, result.n).replace(".", ","))
    st.markdown(
        "Les projets ont été répartis par négociation : ce compte mesure l’accord avec ce qui s’est passé, "
        "pas la justesse d’un score. Le lexique n’a pas été réglé sur ces projets."
    )
    ranks = matching.ranks(found.match.scores)
    shown = pd.DataFrame(
        {
            "Projet": hosts["project_id"].map(candidates.names()),
            "Quartier réel": hosts["district_id"].map(names),
            "Rang du quartier réel": [
                ranks.loc[project, district]
                for project, district in zip(hosts["project_id"], hosts["district_id"], strict=True)
            ],
        }
    )
    show_table(shown.sort_values("Rang du quartier réel"))


if __name__ == "__main__":
    page()
