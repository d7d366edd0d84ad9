"""Which facts of a study does a page show, in which words?

Selections, joins and French headings of published tables, for reading on screen. Rates come as a/b; nothing is
estimated and no widget is known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import maps
from geo_qmi.desk.ledger import headings
from geo_qmi.schema import choices, columns
from geo_qmi.wording import agreed, counted, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

#: Published deployment rates, and the count of deployed solutions.
_PUBLISHED_RATES = ("F015", "F016")
_DEPLOYED = "F017"
_SELECTED = "F008"
_NOT_SAID = "non précisé"


def labelled(frame: pd.DataFrame, name: str, wanted: Sequence[str] | None = None) -> pd.DataFrame:
    """Return rows of table `name` with French headings and labels instead of codes, without geometry or index."""
    specs = columns(name)
    kept = [column for column in (wanted or specs) if column != "geometry" and not specs[column].metadata["private"]]
    shown = pd.DataFrame(frame[kept]).reset_index(drop=True)
    for column in kept:
        words = choices(name, column)
        if words:
            shown[column] = shown[column].map(words)
        elif specs[column].metadata["kind"] == "datetime":
            shown[column] = shown[column].str.replace("T", " ")
    shown = shown.dropna(axis="columns", how="all") if len(shown) else shown
    return shown.rename(columns=headings(name))


def each_once(fund: pd.DataFrame) -> pd.DataFrame:
    """Return the projects of the fund, each once: entries that repeat another are left out."""
    return fund[fund["duplicate_of"].isna()]


def invented(demo: pd.Series) -> str:
    """Say how many applications are made up for demonstration; nothing when none is.

    Examples
    --------
    >>> invented(pd.Series([True, False, True]))
    '2 candidatures de démonstration sur 3, inventées : elles montrent l’outil, rien d’autre.'
    """
    n_demo = int(demo.fillna(value=False).sum())
    among = f" sur {number(len(demo))}" if n_demo < len(demo) else ""
    words = f"{counted(n_demo, 'candidature')} de démonstration{among}, {agreed(n_demo, 'inventée')}"
    return f"{words} : elles montrent l’outil, rien d’autre." if n_demo else ""


def counting_rule(fund: pd.DataFrame) -> str:
    """Say how the projects of the fund are counted."""
    repeated = int(fund["duplicate_of"].notna().sum())
    described = int((~fund["in_list"].fillna(value=False)).sum())
    return (
        f"{counted(len(fund), 'entrée')} dans les documents, dont {described} hors des listes numérotées ; "
        f"{counted(repeated, 'doublon écarté', 'doublons écartés')} : {counted(len(fund) - repeated, 'comptée')}. "
        "Le porteur n’est pas toujours le lieu."
    )


def rates(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return every deployment rate as a/b where it can be counted, beside the published percentages.

    Returns
    -------
    DataFrame
        Columns Mesure, Valeur, Sur, Source.
    """
    rows: list[tuple[str, str, str, str]] = []
    figures = tables["figures"].set_index("figure_id").to_dict("index")
    for ident in (*_PUBLISHED_RATES, _DEPLOYED):
        if ident in figures:
            row = figures[ident]
            unit = " %" if row["unit"] == "%" else ""
            note = row["note"] if isinstance(row["note"], str) else ""
            rows.append((f"Publié : {row['meaning']}", f"{maps.words(int(row['value']))}{unit}", note, row["source"]))
    named = len(tables["projects"])
    if {_DEPLOYED, _SELECTED} <= set(figures):
        done, chosen = int(figures[_DEPLOYED]["value"]), int(figures[_SELECTED]["value"])
        rows.append(("Compté : déployées publiées / projets nommés", f"{done}/{named}", "projets nommés", "calcul"))
        rows.append(("Compté : déployées publiées / projets retenus", f"{done}/{chosen}", "projets retenus", "calcul"))
    statuses = tables["project_statuses"]
    for document, group in statuses.groupby("document"):
        done = int((group["status"] == "deployed").sum())
        rows.append(
            (f"Compté : « déployé » selon le document {document}", f"{done}/{named}", "projets nommés", "calcul")
        )
    return pd.DataFrame(rows, columns=["Mesure", "Valeur", "Sur, ou remarque", "Source"])


def _statuses(statuses: pd.DataFrame) -> pd.DataFrame:
    """Return one column a document, the status it gives to each project."""
    told = statuses.assign(status=statuses["status"].map(choices("project_statuses", "status") or {}))
    wide = told.pivot_table(index="project_id", columns="document", values="status", aggfunc="first")
    return wide.rename(columns=lambda document: f"Statut selon le document {document}")


def projects(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the projects with their allocated district and, apart, their place of deployment; row after row."""
    rows = tables["projects"]
    sites = tables["sites"].set_index("site_id")["name"]
    shown = pd.DataFrame(
        {
            "Projet": rows["name"],
            "Famille": rows["family"],
            "Quartier d’attribution": rows["district_id"].map(district_names(tables)),
            "Lieu de déploiement": rows["site_id"].map(sites).fillna("inconnu : aucun lieu nommé"),
            "Finesse du lieu": rows["precision"].map(choices("projects", "precision") or {}),
            "Dans le quartier": rows["inside_district"].map(choices("projects", "inside_district") or {}),
            "Emprise": rows["footprint"].map(choices("projects", "footprint") or {}),
        }
    )
    wide = _statuses(tables["project_statuses"])
    for column in wide.columns:
        shown[column] = rows["project_id"].map(wide[column]).fillna("inconnu")
    return shown.assign(Description=rows["description"], Source=rows["source"]).reset_index(drop=True)


def district_names(tables: Mapping[str, Any]) -> dict[str, str]:
    """Return district identifier → display name, in the order of editions then names."""
    hosts = maps.hosts_of(tables["districts"], tables["communes"]).sort_values(["edition", "title"])
    return dict(zip(hosts["district_id"], hosts["title"], strict=True))


def programmes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the programmes and hubs, with the places each one names."""
    rows = tables["programmes"]
    places = tables["programme_places"].groupby("programme_id")["place"].agg(", ".join)
    return pd.DataFrame(
        {
            "Programme": rows["name"],
            "Nature": rows["kind"],
            "Opérateur": rows["operator"].fillna(_NOT_SAID),
            "Lieux cités": rows["programme_id"].map(places).fillna("aucun"),
            "Communes annoncées": rows["n_communes_declared"],
            "Début": rows["start"].fillna(_NOT_SAID),
            "Faits": rows["facts"].fillna(""),
            "Source": rows["source"],
        }
    ).reset_index(drop=True)


def walks(tables: Mapping[str, Any], district_id: str) -> dict[str, gpd.GeoDataFrame] | None:
    """Return the routes, stages and observations of one district, or ``None`` when nothing was recorded."""
    sessions = tables["sessions"]
    idents = set(sessions.loc[sessions["district_id"] == district_id, "session_id"])
    kept = {
        name: tables[name][tables[name]["session_id"].isin(idents)] for name in ("routes", "stages", "observations")
    }
    return kept if any(len(frame) for frame in kept.values()) else None


def challenge(district: pd.Series[Any]) -> str:
    """Return the challenge of a district, or why it is unknown."""
    if isinstance(district["challenge"], str):
        return str(district["challenge"])
    return str((choices("districts", "challenge_status") or {})[district["challenge_status"]])
