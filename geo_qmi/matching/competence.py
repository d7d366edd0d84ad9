"""Can the host commune decide this alone, must somebody else sign, or is it another authority's business?

Rules of the rule file are held against each dossier; the most binding answer wins. The authority that manages the best
place of a district is said beside it (`place_words`) and moves no value. It says whom to ask. It gives no legal
opinion, and a dossier that no rule recognises is possible because nothing was found, not because it was checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from geo_qmi.matching.text import words
from geo_qmi.schema.calls import AUTHORITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geo_qmi.matching.rule_model import Competence, CompetenceRule

#: Texts of a dossier in which keywords are looked for; the name is a brand, not a statement.
TEXTS = ("description", "keywords", "family")
#: Condition of a rule → column of a dossier it is held against, besides texts and themes.
_CONDITIONS = {"footprint": "footprint", "support": "need_support", "public_domain": "public_domain"}
#: A theme counts for a rule when it holds at least this share of the project: below, it is an aside.
THEME_SHARE = 0.25


class Answer(NamedTuple):
    """What competence says of one project: its value, whose signatures are needed, and the reasons (French)."""

    value: float
    words: str
    signatures: tuple[str, ...]


def answers(
    applications: pd.DataFrame, *, competence: Competence, offers: pd.DataFrame, id_column: str = "project_id"
) -> dict[str, Answer]:
    """Return what competence says of each project, wherever it goes.

    Parameters
    ----------
    applications
        `id_column`, texts, and ``footprint``, ``need_support``, ``public_domain`` where they exist.
    competence
        The rules.
    offers
        Table ``offers``, for rules on a theme.
    """
    strong = offers[offers["strength"] >= THEME_SHARE]
    themes = strong.groupby("project_id")["theme"].agg(set).to_dict()
    keywords = {rule.keyword: _roots(rule.keyword) for rule in competence.rules if rule.keyword}
    found = {}
    columns = [name for name in applications if name in {id_column, *TEXTS, *_CONDITIONS.values()}]
    for row in applications[columns].to_dict("records"):
        key = str(row[id_column])
        read = _read(row) if keywords else []
        met = [rule for rule in competence.rules if _meets(rule, row, read, themes.get(key, set()), keywords)]
        found[key] = _answer(met, competence)
    return found


def _answer(met: list[CompetenceRule], competence: Competence) -> Answer:
    """Return the most binding answer of the rules a project meets."""
    barred = [rule for rule in met if not rule.signature and rule.authority != "commune"]
    if barred:
        said = [f"{AUTHORITIES[rule.authority]}{_because(rule.reason)}" for rule in barred]
        return Answer(0.0, f"pas cette autorité : {' ; '.join(dict.fromkeys(said))}", ())
    signed = [rule for rule in met if rule.signature]
    if not signed:
        return Answer(1.0, "possible : aucune règle ne désigne une autre autorité", ())
    signatures = tuple(dict.fromkeys(rule.signature for rule in signed))
    reasons = " ; ".join(dict.fromkeys(rule.reason for rule in signed if rule.reason))
    sentence = f"possible avec la signature de {' et de '.join(signatures)}{_because(reasons)}"
    return Answer(competence.signed, sentence.replace("de le ", "du "), signatures)


def _because(reason: str) -> str:
    """Return the reason between brackets, or nothing."""
    return f" ({reason})" if reason else ""


def place_words(authority: Any) -> str:
    """Return what the authority that manages a place adds (French); nothing for the commune."""
    if pd.isna(authority):
        return "autorité du lieu non relevée"
    return "" if authority == "commune" else f"lieu géré par : {AUTHORITIES[str(authority)]}, dont il faut la signature"


def _meets(
    rule: CompetenceRule,
    row: dict[Any, Any],
    read: list[str],
    themes: Iterable[str],
    keywords: dict[str, list[str]],
) -> bool:
    """Say whether a dossier answers every condition of a rule; an empty cell answers none."""
    for name, column in _CONDITIONS.items():
        wanted = getattr(rule, name)
        if wanted is not None and (column not in row or pd.isna(row[column]) or row[column] != wanted):
            return False
    if rule.theme is not None and rule.theme not in themes:
        return False
    return rule.keyword is None or _holds(read, keywords[rule.keyword])


def _roots(text: str) -> list[str]:
    """Return the roots of the meaningful words of `text`; a gap where punctuation separates them."""
    return [word.root if word else "" for word in words(text)]


def _read(row: dict[Any, Any]) -> list[str]:
    """Return the roots of all the texts of a dossier, a gap between two."""
    texts = [row[name] for name in TEXTS if isinstance(row.get(name), str)]
    return [root for text in texts for root in (*_roots(str(text)), "")]


def _holds(read: list[str], wanted: list[str]) -> bool:
    """Say whether the roots `wanted` follow one another in `read`."""
    wanted = [root for root in wanted if root]
    n = len(wanted)
    return bool(n) and any(read[start : start + n] == wanted for start in range(len(read) - n + 1))
