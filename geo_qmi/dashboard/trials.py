"""What does the evaluation of one project say, row by row and chart by chart?

Words the frames of `geo_qmi.evaluating` for readers, and makes the rows that the forms of the page write. It computes
no result and knows no widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from geo_qmi import charts, schema, wording
from geo_qmi.desk.ledger import TYPED_HERE
from geo_qmi.errors import InputError
from geo_qmi.vocabulary import (
    CITYKEYS_THEMES,
    DIRECTIONS,
    INDICATOR_FAMILIES,
    INDICATOR_LEVELS,
    NEXT_STEPS,
)
from geo_qmi.wording import counted, number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geo_qmi.charts import Chart
    from geo_qmi.evaluating import Evaluation
    from geo_qmi.evaluation import Lookalikes

    #: One row of a frame: column → cell.
    Row = Mapping[Any, Any]

#: Tables of an evaluation that people fill, in the order they are filled.
FILLED = ("protocols", "protocol_indicators", "measures", "replicability_marks", "indicators")
#: Columns of the readable tables that the page shows, in sentences that wrap or in a grid.
RATERS = ["Critère", "Personnes", "Accord", "Dernière note"]
RESULTS = ["Lecture", "Seuil atteint", "Preuve"]


class Criterion(NamedTuple):
    """One criterion of replicability: identifier, name, definition, level → published words."""

    ident: str
    name: str
    definition: str
    levels: dict[int, str]


def scale(levels: pd.DataFrame) -> tuple[Criterion, ...]:
    """Return the published scale, in the order of the criteria."""
    return tuple(
        Criterion(
            str(ident), str(rows["criterion"].iloc[0]), str(rows["definition"].iloc[0]),
            {int(level): str(words) for level, words in zip(rows["level"], rows["meaning"], strict=True)},
        )
        for ident, rows in levels.sort_values(["criterion_id", "level"]).groupby("criterion_id", sort=True)
    )  # fmt: skip


def anchors(criteria: Iterable[Criterion]) -> pd.DataFrame:
    """Return the published words of the levels, a row a criterion."""
    return pd.DataFrame(
        [{"Critère": one.name} | {f"Niveau {level}": words for level, words in one.levels.items()} for one in criteria]
    )


def day(value: object) -> str:
    """Return a day as people say it, nothing as a dash."""
    return wording.day_words(value) if isinstance(value, str) and value else "—"


def protocol_facts(row: Row) -> pd.DataFrame:
    """Return a protocol as facts: what was to be shown, when, against what."""
    facts = {
        "Hypothèse": _text(row["hypothesis"]) or "—",
        "État": _text(row["state"]) or "—",
        "Protocole enregistré": day(row["registered_on"]),
        "Fenêtre du test": f"du {day(row['starts_on'])} au {day(row['ends_on'])}",
        "Déployé": day(row["deployed_on"]),
        "Comparaison": _text(row["comparison"]) or "aucune : un changement peut avoir une autre cause",
    }
    return pd.DataFrame({"Quoi": list(facts), "Dans cette étude": list(facts.values())})


def changes(found: Evaluation, *, name: str) -> Chart:
    """Return the indicators of one project before and after."""
    rows = found.outcomes.indicators.to_dict("records")
    return charts.changes(
        [_change(row) for row in rows],
        title=f"Avant et après, « {name} »",
        credits=("protocole et mesures de cette étude",),
        demo=any(bool(row["demo"]) for row in rows),
    )


def _change(row: Row) -> charts.Change:
    threshold, people = _value(row["threshold"]), _value(row["n"])
    varies = threshold is not None and row["threshold_kind"] != "value"
    noted = [DIRECTIONS.get(row["direction"], "")]
    if varies and threshold is not None:
        unit = "points" if row["unit"] == "%" else row["unit"]
        noted.append(f"seuil de variation : {number(threshold)} {unit}")
    if people is not None:
        noted.append(f"effectif {number(people)}")
    return charts.Change(
        str(row["label"]),
        _text(row["unit"]),
        before=_value(row["baseline"]),
        after=_value(row["value"]),
        threshold=None if varies else threshold,
        witness_before=_value(row["comparison_baseline"]),
        witness_after=_value(row["comparison_value"]),
        note=" ; ".join(filter(None, noted)),
    )


def standing(found: Evaluation) -> str:
    """Say how many indicators of a project are measured and how many thresholds are reached, of how many."""
    row = found.protocols.iloc[0]
    n, measured, decided = (int(row[name]) for name in ("n_indicators", "n_measured", "n_decided"))
    told = f"{counted(measured, 'indicateur mesuré', 'indicateurs mesurés')} sur {n}"
    if not decided:
        return f"{told} ; aucun seuil ne peut encore être jugé."
    reached = counted(int(row["n_reached"]), "seuil atteint", "seuils atteints")
    return f"{told} ; {reached} sur {decided} qui peuvent être jugés. Un seuil non atteint est un résultat."


def library(
    indicators: pd.DataFrame, *, levels: Sequence[str], families: Sequence[str], words: str = ""
) -> pd.DataFrame:
    """Return the indicators of the levels and families asked for, that hold all the words; empty choices keep all."""
    kept = pd.Series(data=True, index=indicators.index)
    for column, wanted in (("level", levels), ("family", families)):
        if wanted:
            kept &= indicators[column].isin(wanted)
    texts = (indicators["label"] + " " + indicators["definition"] + " " + indicators["method"]).str.casefold()
    for word in words.casefold().split():
        kept &= texts.str.contains(word, regex=False)
    return indicators[kept]


def library_rows(indicators: pd.DataFrame) -> pd.DataFrame:
    """Return indicators with French headings."""
    return pd.DataFrame(
        {
            "Indicateur": indicators["label"],
            "Définition": indicators["definition"],
            "Unité": indicators["unit"],
            "Sens recherché": indicators["direction"].map(DIRECTIONS),
            "Échelle": indicators["level"].map(INDICATOR_LEVELS),
            "Famille": indicators["family"].map(INDICATOR_FAMILIES),
            "Méthode": indicators["method"],
            "Fréquence": indicators["frequency"],
            "Qui collecte": indicators["collector"],
            "Coût": indicators["cost"],
            "Thème CITYkeys": indicators["citykeys"].map(CITYKEYS_THEMES),
            "Source": indicators["source"],
        }
    )


def shares(near: Lookalikes, district_id: str) -> pd.DataFrame:
    """Return what each variable weighs in the distance of one district."""
    rows = near.shares[near.shares["district_id"] == district_id]
    return pd.DataFrame(
        {
            "Variable": rows["label"],
            "Quartier du test": rows["test_value"],
            "Quartier comparé": rows["value"],
            "Part de l’écart": [percent(share) if pd.notna(share) else "inconnue" for share in rows["share"]],
        }
    )


def follow_up(row: Row) -> str:
    """Say what follows a test, and what it taught."""
    step = NEXT_STEPS.get(str(row["next_step"]), "non décidé")
    learning = _text(row["learning"])
    return f"Suite : {step}. " + (
        f"Enseignement : {learning}" if learning else "Aucun enseignement n’est encore écrit."
    )


def without_protocol(tables: Mapping[str, pd.DataFrame], district_id: str) -> dict[str, str]:
    """Return what may still get a protocol in a district: its projects, then the applications; identifier → name."""
    known = tables["protocols"]
    there = set(known.loc[known["district_id"] == district_id, "project_id"])
    mine = tables["projects"][tables["projects"]["district_id"] == district_id]
    offered = dict(zip(mine["project_id"], mine["name"], strict=True))
    calls = tables["applications"]
    offered |= dict(zip(calls["application_id"], "candidature : " + calls["name"], strict=True))
    return {str(ident): str(name) for ident, name in offered.items() if ident not in there}


# Rows to write ---------------------------------------------------------------------------------------------------


def next_ids(taken: Iterable[str], stem: str, *, n: int) -> list[str]:
    """Return `n` identifiers that begin with `stem` and are not taken.

    Examples
    --------
    >>> next_ids(["N-1", "N-3"], "N", n=2)
    ['N-2', 'N-4']
    """
    used, place = set(taken), 1
    found: list[str] = []
    while len(found) < n:
        if f"{stem}-{place}" not in used:
            found.append(f"{stem}-{place}")
        place += 1
    return found


def marks(
    known: pd.DataFrame, levels: Mapping[str, int | None], *, test: Row, rater: str, day: str, why: str
) -> pd.DataFrame:
    """Return the rows of one person's marks on one project; a criterion left out makes no row.

    Raises
    ------
    InputError
        No criterion is marked.
    """
    given = {criterion: level for criterion, level in levels.items() if level is not None}
    if not given:
        raise InputError("Aucune note à enregistrer : donnez un niveau à un critère au moins.")
    rows = [
        {"mark_id": ident, "criterion_id": criterion, "level": level}
        for ident, (criterion, level) in zip(
            next_ids(known["mark_id"], "note", n=len(given)), given.items(), strict=True
        )
    ]
    about = {"project_id": test["project_id"], "district_id": test["district_id"], "demo": bool(test["demo"])}
    told = pd.DataFrame(rows).assign(**about, rater=rater, marked_on=day, justification=why or None, source=TYPED_HERE)
    return schema.typed(told, "replicability_marks")


def protocol(tables: Mapping[str, pd.DataFrame], given: Mapping[str, Any]) -> pd.DataFrame:
    """Return the row of a new protocol; empty texts are missing, and a made-up application makes a made-up protocol.

    Raises
    ------
    InputError
        No project, or no hypothesis.
    """
    row = {name: value.strip() or None for name, value in given.items()}
    if row["project_id"] is None:
        raise InputError("Protocole sans projet : choisissez le projet ou la candidature dans la liste.")
    if row["hypothesis"] is None:
        raise InputError("Protocole sans hypothèse : écrivez ce que le test doit confirmer ou infirmer.")
    (ident,) = next_ids(tables["protocols"]["protocol_id"], "protocole", n=1)
    calls = tables["applications"]
    demo = bool(calls.loc[calls["application_id"] == row["project_id"], "demo"].any())
    return schema.typed(pd.DataFrame([{"protocol_id": ident, **row, "demo": demo, "source": TYPED_HERE}]), "protocols")


def planned(given: Mapping[str, Any], *, demo: bool) -> pd.DataFrame:
    """Return the row that puts an indicator in a protocol; what is not known yet is missing.

    Raises
    ------
    InputError
        A threshold without the way to read it, or the reverse.
    """
    row = {name: None if value == "" else value for name, value in given.items()}
    if (row["threshold"] is None) != (row["threshold_kind"] is None):
        raise InputError("Un seuil se donne avec sa nature : valeur à atteindre, ou variation depuis l’état initial.")
    return schema.typed(pd.DataFrame([{**row, "demo": demo, "source": TYPED_HERE}]), "protocol_indicators")


def measure(known: pd.DataFrame, given: Mapping[str, Any], *, demo: bool) -> pd.DataFrame:
    """Return the row of one measure.

    Raises
    ------
    InputError
        Neither a value nor the reason why there is none.
    """
    row = {name: None if value == "" else value for name, value in given.items()}
    if row["value"] is None and row["missing_reason"] is None:
        raise InputError("Mesure sans valeur : donnez la valeur, ou dites pourquoi elle manque.")
    (ident,) = next_ids(known["measure_id"], "mesure", n=1)
    return schema.typed(pd.DataFrame([{"measure_id": ident, **row, "demo": demo, "source": TYPED_HERE}]), "measures")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _value(cell: Any) -> float | None:
    return None if pd.isna(cell) else float(cell)
