"""How is each line of an explanation sheet worded, whatever it is laid out on?

Titles, captions, headers and cells of the tables, from the plain record of a sheet (`Sheet.as_dict()` of
`geo_qmi.matching.sheet`). Nothing here knows a page, paper or a font.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLES = (
    "Degré et mode de contribution du traitement",
    "Données traitées et leurs sources",
    "Paramètres et pondération appliqués",
    "Opérations effectuées",
)
WARNINGS, METHOD = "À savoir avant de conclure", "Méthode"
DEMO = "Démonstration : dossier inventé, ne rien en conclure."
CRITERIA_HEADER = ("Critère", "Poids", "Valeur", "Contribution", "Pourquoi", "Preuve")
THEME_HEADER = ("Couche", "Thème", "Importance", "Force", "Part", "Le quartier dit", "Le projet dit")
PLACE_HEADER = ("Lieu", "Verdict", "Motif")
CAPTIONS = (
    "Poids × valeur = contribution ; la somme des contributions est le total, au dernier chiffre affiché près",
    "Réponse aux besoins publiés : importance × force = part",
    "Lieux d’accueil, le meilleur d’abord",
)


def bound(text: str) -> str:
    r"""Return French `text` whose guillemets and double punctuation never start or end a line alone.

    Examples
    --------
    >>> bound("« vélo » : oui") == "«\u00a0vélo\u00a0»\u00a0: oui"
    True
    """
    return re.sub(r" (?=[»:;!?])", "\u00a0", text.replace("« ", "«\u00a0"))


def heading(part: Mapping[str, Any]) -> str:
    """Return the title of a district: name, score, where it stands, and whether the plan proposes it."""
    score = (
        "score inconnu ou paire écartée"
        if part["score"] is None
        else f"score {number(part['score'])}, {_ordinal(part['rank'])} quartier de ce dossier, "
        f"{_ordinal(part['place'])} dossier de ce quartier sur {part['n_scored']}"
    )
    return f"{part['district']} — {score}" + (" — proposé par le plan" if part["assigned"] else "")


def _ordinal(rank: int) -> str:
    return "1er" if rank == 1 else f"{rank}e"


def criteria_rows(part: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the lines of the table of criteria."""
    return [
        (
            line["label"],
            number(line["weight"]),
            interval(line["low"], line["high"]),
            interval(line["contribution_low"], line["contribution_high"]),
            line["words"],
            line["evidence"],
        )
        for line in part["criteria"]
    ]


def total_row(part: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the last line of the table of criteria."""
    weights = number(sum(line["weight"] for line in part["criteria"]))
    return ("Total", weights, "", interval(part["low"], part["high"]), "", "")


def theme_rows(part: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the lines of the table of themes."""
    return [
        (
            line["layer"],
            line["theme"],
            *(number(line[name]) for name in ("importance", "strength", "part")),
            line["evidence_need"],
            line["evidence_offer"],
        )
        for line in part["themes"]
    ]


def place_rows(part: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the lines of the table of places."""
    return [(f"{line['name']} ({line['place_id']})", line["verdict"], line["words"]) for line in part["places"]]


def number(value: float) -> str:
    """Return a number with four decimals and a French comma: enough to re-add by hand.

    Examples
    --------
    >>> number(0.25), number(0.00001), number(0.0)
    ('0,2500', '< 0,0001', '0,0000')
    """
    return "< 0,0001" if 0 < value < 0.00005 else f"{value:.4f}".replace(".", ",")


def interval(low: float, high: float) -> str:
    """Return one number, or « de … à … » when a cell was missing."""
    return number(low) if number(low) == number(high) else f"de {number(low)} à {number(high)}"
