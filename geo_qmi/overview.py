"""What does a study hold, what does it lack, and what should be done next?

Counts rows, those made up for demonstration apart, names what is missing and places the study in the six steps of the
programme (003:L291-369). It reads frames and says French sentences; it computes no result, and knows no widget. A page
is named by its file of `geo_qmi.dashboard`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi import schema
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tables = Mapping[str, pd.DataFrame]

REAL, DEMO, NOTHING = "données réelles", "démonstration seulement", "rien encore"
#: Tables every page leans on: nothing can be shown without them.
_GROUND = ("communes", "districts")
_SEVERAL = 2


@dataclass(frozen=True, slots=True)
class Gap:
    """Something a study lacks.

    Attributes
    ----------
    what, consequence
        French sentences: what is missing, and what cannot be said because of it.
    page
        File of the page that fills it; empty when no page does.
    """

    what: str
    consequence: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One of the six steps of the programme.

    Attributes
    ----------
    number, title
        As published (003:L291-369).
    state
        One of `REAL`, `DEMO`, `NOTHING`.
    evidence
        French words: what the study holds of it, counted.
    page
        File of the page where it is read.
    """

    number: int
    title: str
    state: str
    evidence: str
    page: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do next: a French sentence, the page that does it and the district it concerns."""

    sentence: str
    page: str
    district_id: str = ""


def is_demo(frame: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows were made up for demonstration; none in a table that never is."""
    if "demo" not in frame:
        return pd.Series(data=False, index=frame.index, dtype=bool)
    return frame["demo"].fillna(value=False).astype(bool)


def real(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that were not made up."""
    return frame[~is_demo(frame)]


def counts(tables: Tables) -> pd.DataFrame:
    """Return how much each table holds.

    Returns
    -------
    DataFrame
        One row a table of the schema, in its order; columns Rubrique, Table, Lignes réelles, Démonstration, Avec lieu
        (rows with a known place; missing where the table has none).

    Examples
    --------
    >>> from geo_qmi.shipped import shipped_tables
    >>> rows = counts(shipped_tables()).set_index("Table")
    >>> rows.loc["Quartiers d’innovation", ["Lignes réelles", "Avec lieu"]].tolist()
    [10, 4]
    """
    rows = []
    for name, frame in tables.items():
        n_demo = int(is_demo(frame).sum())
        placed = int(frame["geometry"].notna().sum()) if "geometry" in frame else None
        group = schema.table(name).metadata["group"]
        rows.append((group, schema.label(name), len(frame) - n_demo, n_demo, placed))
    found = pd.DataFrame(rows, columns=["Rubrique", "Table", "Lignes réelles", "Démonstration", "Avec lieu"])
    return found.astype({"Avec lieu": "Int64"})


def missing(tables: Tables) -> list[Gap]:
    """Return what a study lacks, the gaps that stop most first."""
    return [*_empty(tables), *_unplaced(tables), *_undecided(tables)]


def _empty(tables: Tables) -> list[Gap]:
    """Return the gaps of tables without a row, or with demonstration rows only."""
    absent = [schema.label(name) for name in _GROUND if tables[name].empty]
    gaps = []
    if absent:
        gaps.append(Gap(f"Tables vides : {', '.join(absent)}.", "Aucune carte n’est possible.", "records.py"))
    others = [schema.label(name) for name, frame in tables.items() if frame.empty and name not in _GROUND]
    if others:
        gaps.append(Gap(f"Tables vides : {', '.join(others)}.", "Ce qu’elles diraient reste inconnu.", "records.py"))
    invented = [schema.label(name) for name, frame in tables.items() if len(frame) and is_demo(frame).all()]
    if invented:
        gaps.append(
            Gap(
                f"Démonstration seulement : {', '.join(invented)}.",
                "Rien ne peut en être conclu sur le terrain.",
                "records.py",
            )
        )
    return gaps


def _unplaced(tables: Tables) -> list[Gap]:
    """Return the gaps of places: perimeters, sites, contours, people."""
    districts, sites = tables["districts"], tables["sites"]
    gaps = []
    without = int(districts["geometry"].isna().sum())
    if without:
        gaps.append(
            Gap(
                f"{counted(without, 'quartier')} sur {len(districts)} sans périmètre publié.",
                "Leur commune est hachurée ; ni accès ni couverture n’y sont calculés.",
                "records.py",
            )
        )
    drawn = districts[districts["geometry"].notna()]
    unofficial = int((drawn["geometry_status"] != "official").sum())
    if unofficial:
        said = "non officiel, indicatif" if unofficial < _SEVERAL else "non officiels, indicatifs"
        gaps.append(
            Gap(
                f"{counted(unofficial, 'périmètre')} {said}.",
                "Tout calcul y est indicatif aussi.",
                "origins.py",
            )
        )
    nowhere = int(sites["geometry"].isna().sum())
    if nowhere:
        gaps.append(
            Gap(
                f"{counted(nowhere, 'lieu nommé', 'lieux nommés')} sur {len(sites)} sans coordonnées.",
                "Ils sont listés, jamais dessinés ; la couverture ne les compte pas.",
                "records.py",
            )
        )
    if len(districts):
        gaps.append(
            Gap(
                "Une étude ne garde aucune couche de population fine.",
                "La page demande un fichier ; sans lui, elle compte des hectares, pas des habitants.",
                "access.py",
            )
        )
    return gaps


def _undecided(tables: Tables) -> list[Gap]:
    """Return the gaps of facts: projects without place, statuses nobody publishes, objectives."""
    projects, districts = tables["projects"], tables["districts"]
    gaps = []
    nowhere = int(projects["site_id"].isna().sum())
    if nowhere:
        gaps.append(
            Gap(
                f"{counted(nowhere, 'projet')} sur {len(projects)} sans lieu de déploiement connu.",
                "Leur quartier d’attribution n’est pas leur lieu.",
                "programme.py",
            )
        )
    silent = int((~districts["district_id"].isin(tables["objectives"]["district_id"])).sum())
    if silent:
        gaps.append(
            Gap(
                f"{counted(silent, 'quartier')} sur {len(districts)} sans objectif publié.",
                "L’appariement n’a rien à y comparer.",
                "records.py",
            )
        )
    return gaps


def contours(tables: Tables) -> pd.DataFrame:
    """Return where the shapes of each table come from.

    Returns
    -------
    DataFrame
        Columns Table, Origine des contours, Statut, Objets, Écart plausible (m, the largest stated); one row for each
        table, origin and status.
    """
    parts = []
    for name, frame in tables.items():
        if "geometry_source" not in frame or frame["geometry"].isna().all():
            continue
        placed = pd.DataFrame(frame[frame["geometry"].notna()].drop(columns="geometry"))
        words = schema.choices(name, "geometry_status") or {}
        told = pd.DataFrame(
            {
                "Table": schema.label(name),
                "Origine des contours": placed["geometry_source"].fillna("origine non indiquée"),
                "Statut": placed["geometry_status"].map(words).fillna("inconnu"),
                "Écart plausible (m)": placed["precision_m"],
            }
        )
        keys = ["Table", "Origine des contours", "Statut"]
        grouped = told.groupby(keys, sort=False)["Écart plausible (m)"].agg(["size", "max"]).reset_index()
        parts.append(grouped.rename(columns={"size": "Objets", "max": "Écart plausible (m)"}))
    columns = ["Table", "Origine des contours", "Statut", "Objets", "Écart plausible (m)"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def steps(tables: Tables) -> list[Step]:
    """Return the six steps of the programme with what the study holds of each.

    Steps 5 and 6 overlap step 4 (003:L291-369): the states are not a chain.
    """
    return [
        _step(1, "Sélection des communes", tables, {"districts": ("quartier", "quartiers")}, "programme.py"),
        _step(
            2,
            "Diagnostic territorial",
            tables,
            {"sessions": ("séance de terrain", "séances de terrain"), "observations": ("observation", "observations")},
            "diagnosis.py",
        ),
        _step(
            3,
            "Recherche de solutions",
            tables,
            {
                "projects": ("projet nommé", "projets nommés"),
                "applications": ("candidature", "candidatures"),
                "decisions": ("décision", "décisions"),
            },
            "pairing.py",
        ),
        _deployment(tables),
        _step(
            5,
            "Évaluation et réplicabilité",
            tables,
            {
                "protocols": ("protocole", "protocoles"),
                "measures": ("mesure", "mesures"),
                "replicability_marks": ("note de réplicabilité", "notes de réplicabilité"),
                "obstacles": ("frein publié", "freins publiés"),
                "replicability_levels": ("niveau d’échelle publié", "niveaux d’échelle publiés"),
            },
            "evaluating.py",
        ),
        _step(
            6, "Visibilité et évènements", tables, {"timeline": ("évènement daté", "évènements datés")}, "programme.py"
        ),
    ]


def _step(number: int, title: str, tables: Tables, holds: Mapping[str, tuple[str, str]], page: str) -> Step:
    """Return a step from the tables that tell it and the French noun of their rows, one and several."""
    told, state = [], NOTHING
    for name, nouns in holds.items():
        n_real, n_demo = len(real(tables[name])), int(is_demo(tables[name]).sum())
        if n_real:
            told.append(counted(n_real, *nouns))
            state = REAL
        if n_demo:
            told.append(f"{counted(n_demo, *nouns)} de démonstration")
            state = DEMO if state == NOTHING else state
    return Step(number, title, state, " ; ".join(told) or "aucune ligne dans cette étude", page)


def _deployment(tables: Tables) -> Step:
    """Return the step of deployment, from the statuses each document gives."""
    statuses = tables["project_statuses"]
    done = statuses[statuses["status"] == "deployed"].groupby("document")["project_id"].nunique()
    told = [
        f"{counted(int(number), 'projet déployé', 'projets déployés')} selon le document {document}"
        for document, number in done.items()
    ]
    placed = int(tables["sites"]["geometry"].notna().sum())
    if len(tables["sites"]):
        told.append(f"{counted(placed, 'lieu placé', 'lieux placés')} sur {len(tables['sites'])}")
    return Step(
        4,
        "Cadrage et déploiement",
        REAL if len(done) else NOTHING,
        " ; ".join(told) or "aucune ligne dans cette étude",
        "covering.py",
    )


def next_step(tables: Tables) -> Proposal:
    """Return the one thing to do next: the first step that has only demonstration, or nothing.

    Examples
    --------
    >>> from geo_qmi.shipped import shipped_tables
    >>> next_step(shipped_tables()).page
    'sensing.py'
    """
    districts = tables["districts"]
    if tables["communes"].empty or districts.empty:
        return Proposal("Importer les communes et les quartiers : tout le reste en dépend.", "records.py")
    walked = set(real(tables["sessions"])["district_id"])
    waiting = districts[~districts["district_id"].isin(walked)].sort_values(["edition", "district_id"])
    drawn = waiting[waiting["geometry"].notna()]
    if len(waiting) and not walked:
        chosen = (drawn if len(drawn) else waiting).iloc[0]
        return Proposal(
            "Importer une première marche ou un premier atelier : aucune séance réelle n’est dans cette étude.",
            "sensing.py",
            str(chosen["district_id"]),
        )
    if real(tables["applications"]).empty and tables["projects"].empty:
        return Proposal("Importer les candidatures de l’appel.", "intake_page.py")
    if tables["decisions"].empty:
        return Proposal("Proposer un plan au jury et noter ses décisions : aucune n’est écrite.", "pairing.py")
    if tables["sites"]["geometry"].isna().any():
        return Proposal("Placer les lieux nommés dont les coordonnées sont connues de vos services.", "records.py")
    return Proposal("Publier : cartes, page hors ligne et dossier complet par édition.", "publication.py")
