"""What is known of the tests of a study: their protocol, results, replicability, and where else?

Joins the tables of a study to `geo_qmi.evaluation` and names projects and districts. No widget, no file, no number of
its own but the context of the districts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from geo_qmi import evaluation
from geo_qmi.desk import readings
from geo_qmi.errors import UnknownNameError, quoted, shown
from geo_qmi.evaluation.days import before
from geo_qmi.vocabulary import fold
from geo_qmi.wording import agreed

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tables = Mapping[str, pd.DataFrame]

#: Tables an evaluation reads.
TABLES = (
    "communes", "districts", "stations", "projects", "project_statuses", "applications", "indicators", "protocols",
    "protocol_indicators", "measures", "replicability_marks", "replicability_levels",
)  # fmt: skip
_TEST = ["project_id", "district_id"]
#: Context of a district → French name with its unit. Densities are not there: the contours of communes are simplified.
VARIABLES = {
    "commune_population": "Population de la commune, en habitants",
    "commune_stations": "Nombre de gares et stations de la commune",
    "commune_lines": "Nombre de lignes aux gares de la commune",
    "district_area_ha": "Surface du périmètre, en hectares",
}


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Tests of a study, or those of one project or one district.

    Attributes
    ----------
    title
        French title.
    projects, districts
        Identifier → name shown, of all there are in the study.
    tests
        Each project × district that has a protocol or a mark: ``project_id``, ``district_id``, ``project``,
        ``district`` (names), ``protocol_id`` (missing without one), ``demo``; by district then project name.
    protocols
        Rows of table ``protocols`` (all columns), then ``project``, ``district`` (names), ``state``, ``months``,
        ``n_indicators``, ``n_measured``, ``n_decided``, ``n_reached`` of ``outcomes.protocols``.
    replicability, outcomes
        See `geo_qmi.evaluation`: of the tests told, and of measures without a known protocol.
    lookalikes
        District of a test told → where else.
    warnings
        French sentences to show on every output.
    notes
        French sentences of the method.
    demo
        Whether a row of demonstration is among what is told.
    nothing
        French sentence when there is no test to tell, and what to do; else empty.
    """

    title: str
    projects: Mapping[str, str]
    districts: Mapping[str, str]
    tests: pd.DataFrame
    protocols: pd.DataFrame
    replicability: evaluation.Replicability
    outcomes: evaluation.Outcomes
    lookalikes: Mapping[str, evaluation.Lookalikes]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    demo: bool
    nothing: str


def today() -> str:
    """Return the day it is in Paris, ``AAAA-MM-JJ``."""
    return datetime.now(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%d")


def evaluate(
    tables: Tables, *, project: str | None = None, district: str | None = None, as_of: str | None = None
) -> Evaluation:
    """Return what is known of the tests of a study.

    Parameters
    ----------
    tables
        `TABLES` of a study, at least.
    project, district
        Identifier or name of one; all by default.
    as_of
        Day, ``AAAA-MM-JJ``, at which the tests are told: later measures and marks are left out. Today in Paris by
        default.

    Raises
    ------
    UnknownNameError
        No test of such a project, or no such district; the message lists those there are.

    Examples
    --------
    >>> from geo_qmi.shipped import shipped_tables
    >>> evaluate(shipped_tables(), district="QMI2-ARG", as_of="2026-11-22").nothing[:37]
    'Aucun test dans le quartier Argenteui'
    """
    day = today() if as_of is None else as_of
    projects, districts = _projects(tables), readings.district_names(tables)
    every = _tests(tables, districts)
    host = None if district is None else _named(district, districts, what="Quartier")
    mine = None if project is None else _named(project, _tested(every), what="Projet testé")
    kept = pd.Series(data=True, index=every.index)
    if mine is not None:
        kept &= every["project_id"] == mine
    if host is not None:
        kept &= every["district_id"] == host
    told = every.loc[kept].reset_index(drop=True)
    marks = _of(tables["replicability_marks"], told)
    marks = marks.loc[[before(day, on) is not True for on in marks["marked_on"]]]
    protocols = _of(tables["protocols"], told)
    elsewhere = set(tables["protocols"]["protocol_id"]) - set(protocols["protocol_id"])
    lines, measures = (
        frame[~frame["protocol_id"].isin(elsewhere)] for frame in (tables["protocol_indicators"], tables["measures"])
    )
    asked = tables["applications"].dropna(subset="months").set_index("application_id")["months"]
    results = evaluation.outcomes(
        protocols,
        lines,
        measures=measures,
        indicators=tables["indicators"],
        asked_months={str(one): float(n) for one, n in asked.items()},
        as_of=day,
    )
    profiles = evaluation.replicability(marks, tables["replicability_levels"], tests=told)
    around = _around(tables, told)
    return Evaluation(
        title=_title(project and _tested(every)[mine or ""], host and districts[host]),
        projects=projects,
        districts=districts,
        tests=told,
        protocols=_joined(protocols, results, told),
        replicability=profiles,
        outcomes=results,
        lookalikes=around,
        warnings=tuple(_warnings(results, told, projects)),
        notes=(*profiles.notes, *next(iter(around.values())).notes) if around else profiles.notes,
        demo=bool(told["demo"].any() or results.indicators["demo"].any()),
        nothing=_nothing(told, every, where=districts[host] if host else ""),
    )


def _tests(tables: Tables, districts: Mapping[str, str]) -> pd.DataFrame:
    """Return `Evaluation.tests`."""
    protocols, marks = tables["protocols"], tables["replicability_marks"]
    columns = [*_TEST, "demo"]
    pairs = pd.concat([protocols[columns], marks[columns]], ignore_index=True)
    found = pairs.groupby(_TEST, sort=True)["demo"].any().astype(bool).reset_index()
    written = protocols.drop_duplicates(_TEST).set_index(_TEST)["protocol_id"]
    keys = pd.MultiIndex.from_frame(found[_TEST])
    projects = _projects(tables)
    found["project"] = [projects.get(one, one) for one in found["project_id"]]
    found["district"] = [districts.get(one, one) for one in found["district_id"]]
    found["protocol_id"] = written.reindex(keys).to_numpy()
    found = found.astype({"project": "str", "district": "str", "protocol_id": "str"})
    ordered = found.sort_values(["district", "project", "project_id"], kind="stable", ignore_index=True)
    return ordered[[*_TEST, "project", "district", "protocol_id", "demo"]]


def contexts(tables: Tables) -> pd.DataFrame:
    """Return the context of each district, in the columns of `VARIABLES`; missing is unknown.

    A commune without a row in table ``stations`` has an unknown number of them, not zero.
    """
    districts = tables["districts"].set_index("district_id")
    population = tables["communes"].set_index("insee")["population"].astype("float64")
    served = tables["stations"].groupby("insee")
    area = districts.geometry.area.where(districts.geometry.notna())
    return pd.DataFrame(
        {
            "commune_population": districts["insee"].map(population),
            "commune_stations": districts["insee"].map(served["name"].nunique()).astype("float64"),
            "commune_lines": districts["insee"].map(served["line"].nunique()).astype("float64"),
            "district_area_ha": area / 10_000,
        },
        index=districts.index,
    )


def _projects(tables: Tables) -> dict[str, str]:
    """Return project or application → its name."""
    applied = tables["applications"].set_index("application_id")["name"]
    named = tables["projects"].set_index("project_id")["name"]
    return {str(ident): str(name) for frame in (applied, named) for ident, name in frame.items()}


def _tested(every: pd.DataFrame) -> dict[str, str]:
    return dict(every[["project_id", "project"]].itertuples(index=False, name=None))


def _named(asked: str, known: Mapping[str, str], *, what: str) -> str:
    """Return the identifier of what is asked for by identifier or by words of its name."""
    if asked in known:
        return asked
    found = [ident for ident, name in known.items() if fold(asked) and fold(asked) in {fold(ident), fold(name)}]
    found = found or [ident for ident, name in known.items() if fold(asked) and fold(asked) in fold(name)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{ident} ({name})" for ident, name in known.items()) or "aucun"
    raise UnknownNameError(f"{what} inconnu ou ambigu : « {shown(asked)} ». Il y a : {listed}.")


def _of(frame: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the tests told."""
    keys = pd.MultiIndex.from_frame(told[_TEST])
    return frame[pd.MultiIndex.from_frame(frame[_TEST]).isin(keys)].reset_index(drop=True)


def _joined(protocols: pd.DataFrame, results: evaluation.Outcomes, told: pd.DataFrame) -> pd.DataFrame:
    names = told[[*_TEST, "project", "district"]]
    more = results.protocols.drop(columns=[*_TEST, "demo"])
    return protocols.merge(names, on=_TEST, how="left").merge(more, on="protocol_id", how="left")


def _around(tables: Tables, told: pd.DataFrame) -> dict[str, evaluation.Lookalikes]:
    """Return, for the district of each test told, the districts that look like it."""
    profiles = contexts(tables)
    deployed = tables["project_statuses"].loc[tables["project_statuses"]["status"] == "deployed", "project_id"]
    hosts = tables["projects"].loc[tables["projects"]["project_id"].isin(deployed), "district_id"]
    observed = sorted({*hosts, *tables["protocols"]["district_id"]} & set(profiles.index))
    return {
        str(one): evaluation.lookalikes(profiles, test=one, variables=VARIABLES, observed=observed)
        for one in sorted(set(told["district_id"]) & set(profiles.index))
    }


def _warnings(results: evaluation.Outcomes, told: pd.DataFrame, projects: Mapping[str, str]) -> list[str]:
    """Return every warning, each led by the test it is about."""
    names = told.dropna(subset="protocol_id").set_index("protocol_id")
    found = []
    for protocol, text in results.warnings.itertuples(index=False):
        lead = (
            f"{names.loc[protocol, 'project']}, {names.loc[protocol, 'district']} : " if protocol in names.index else ""
        )
        found.append(f"{lead}{text}")
    strange = sorted(set(told["project_id"]) - set(projects))
    if strange:
        remedy = "Corrigez l’identifiant, ou importez la candidature."
        found.append(f"{agreed(len(strange), 'Projet inconnu')} de cette étude : {quoted(strange)}. {remedy}")
    without = told[told["protocol_id"].isna()]
    found += [
        f"{row.project}, {row.district} : noté sans protocole. Écrivez-le avant toute mesure."
        for row in without.itertuples(index=False)
    ]
    return found


def _title(project: str | None, district: str | None) -> str:
    about = " – ".join(part for part in (project, district) if part)
    return f"Évaluation : {about or 'tous les tests'}"


def _nothing(told: pd.DataFrame, every: pd.DataFrame, *, where: str) -> str:
    """Say that there is no test, and what to do."""
    if len(told):
        return ""
    todo = "Écrivez un protocole (table « protocols ») avant la première mesure."
    if where and len(every):
        return f"Aucun test dans le quartier {where}. {todo}"
    return f"Aucun test dans cette étude : ni protocole, ni note. {todo}"
