"""Which tables say what a test was meant to show, what was measured, and how far it could go elsewhere?

A protocol is written before anything is measured; its indicators are chosen in a library; measures and marks follow.
Nothing measured or marked on a real project was ever published: what is shipped is the library, ours, and rows of
demonstration. Who marked, and the words that person wrote, never leave a study by default.
"""

from __future__ import annotations

from geo_qmi.schema import kinds as col
from geo_qmi.schema.tables import demonstration, sourced, table
from geo_qmi.vocabulary import (
    CITYKEYS_THEMES,
    DIRECTIONS,
    INDICATOR_FAMILIES,
    INDICATOR_LEVELS,
    MEASURE_SIDES,
    NEXT_STEPS,
    THRESHOLD_KINDS,
)

_GROUP = "Évaluation"
_PROJECT = col.text(
    "Identifiant du projet", "Projet ou candidature.", aliases=("projet_id", "projet", "application_id", "candidature")
)
_DISTRICT = col.text(
    "Identifiant du quartier",
    "Quartier du test.",
    references="districts.district_id",
    aliases=("quartier_id", "quartier"),
)

INDICATORS = table(
    "indicators",
    "Bibliothèque d’indicateurs",
    "Indicateurs proposés par geo-qmi : la bibliothèque de plus de 60 indicateurs du programme n’est pas publiée.",
    {
        "indicator_id": col.text("Identifiant de l’indicateur", "Identifiant stable.", key=True),
        "label": col.text("Indicateur", "Nom court.", aliases=("libelle", "nom")),
        "definition": col.text("Définition", "Ce qui est compté, et par rapport à quoi."),
        "unit": col.text("Unité", "Unité de la valeur."),
        "direction": col.code("Sens recherché", "Quand la situation s’améliore.", DIRECTIONS),
        "level": col.code("Échelle", "Usager, solution ou ville.", INDICATOR_LEVELS),
        "family": col.code("Famille", "Type d’effet.", INDICATOR_FAMILIES),
        "method": col.text("Méthode", "Comment mesurer."),
        "frequency": col.text("Fréquence", "Quand mesurer."),
        "collector": col.text("Qui collecte", "Qui peut mesurer."),
        "cost": col.text("Coût", "Ordre d’effort : faible, moyen ou élevé."),
        "citykeys": col.code("Thème CITYkeys", "Rapprochement avec le cadre CITYkeys, fait par nous.", CITYKEYS_THEMES),
        **sourced(),
    },
    group=_GROUP,
)

PROTOCOLS = table(
    "protocols",
    "Protocoles d’expérimentation",
    "Ce qu’un test devait montrer, écrit avant la première mesure ; une ligne par projet et quartier.",
    {
        "protocol_id": col.text("Identifiant du protocole", "Identifiant stable.", key=True, aliases=("protocole_id",)),
        "project_id": _PROJECT,
        "district_id": _DISTRICT,
        "hypothesis": col.text("Hypothèse", "Ce que le test doit confirmer ou infirmer.", aliases=("hypothese",)),
        "registered_on": col.date("Enregistré le", "Jour où le protocole a été arrêté."),
        "starts_on": col.date("Début du test", "Premier jour de la fenêtre.", nullable=True),
        "ends_on": col.date("Fin du test", "Dernier jour de la fenêtre.", nullable=True),
        "deployed_on": col.date("Déployé le", "Jour où la solution a fonctionné sur place.", nullable=True),
        "comparison": col.text(
            "Comparaison", "Lieu ou groupe comparable, sans la solution ; vide quand il n’y en a pas.", nullable=True
        ),
        "next_step": col.code("Suite", "Acheter, financer, essaimer, arrêter.", NEXT_STEPS, default="undecided"),
        "learning": col.text(
            "Enseignement", "Ce que la réussite ou l’échec a appris.", nullable=True, aliases=("enseignements",)
        ),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    unique=["project_id", "district_id"],
)

PROTOCOL_INDICATORS = table(
    "protocol_indicators",
    "Indicateurs des protocoles",
    "Indicateurs choisis pour chaque test, avec leur état initial et leur seuil.",
    {
        "protocol_id": col.text(
            "Identifiant du protocole",
            "Protocole.",
            references="protocols.protocol_id",
            aliases=("protocole_id", "protocole"),
        ),
        "indicator_id": col.text(
            "Identifiant de l’indicateur",
            "Indicateur.",
            references="indicators.indicator_id",
            aliases=("indicateur_id", "indicateur"),
        ),
        "baseline": col.number("État initial", "Valeur au lieu du test, avant la solution.", nullable=True),
        "baseline_on": col.date("Date de l’état initial", "Jour de la mesure de l’état initial.", nullable=True),
        "comparison_baseline": col.number(
            "État initial de la comparaison", "Valeur au lieu de comparaison, avant la solution.", nullable=True
        ),
        "threshold": col.number("Seuil", "À partir de quoi le test est concluant.", nullable=True),
        "threshold_kind": col.code(
            "Nature du seuil", "Valeur, ou variation depuis l’état initial.", THRESHOLD_KINDS, nullable=True
        ),
        "threshold_on": col.date("Seuil fixé le", "Jour où le seuil a été fixé ou changé.", nullable=True),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    unique=["protocol_id", "indicator_id"],
)

MEASURES = table(
    "measures",
    "Mesures d’évaluation",
    "Une ligne par mesure. Vide : non mesuré, jamais zéro.",
    {
        "measure_id": col.text("Identifiant de la mesure", "Identifiant stable.", key=True, aliases=("mesure_id",)),
        "protocol_id": col.text(
            "Identifiant du protocole",
            "Protocole. S’il n’existe pas, la mesure est gardée avec un avertissement.",
            aliases=("protocole_id", "protocole"),
        ),
        "indicator_id": col.text(
            "Identifiant de l’indicateur",
            "Indicateur.",
            references="indicators.indicator_id",
            aliases=("indicateur_id", "indicateur"),
        ),
        "measured_on": col.date("Mesuré le", "Jour de la mesure.", aliases=("date",)),
        "side": col.code("Côté", "Lieu du test ou de comparaison.", MEASURE_SIDES, default="test"),
        "value": col.number("Valeur", "Dans l’unité de l’indicateur ; vide : non mesuré.", nullable=True),
        "missing_reason": col.text("Raison de l’absence", "Pourquoi la valeur est vide.", nullable=True),
        "n": col.integer(
            "Effectif", "Personnes, relevés ou objets derrière la valeur.", low=0, high=10_000_000, nullable=True
        ),
        "place_id": col.text(
            "Identifiant du lieu", "Lieu d’accueil.", nullable=True, references="candidate_places.place_id"
        ),
        "method_note": col.text("Remarque de méthode", "Ce qui s’écarte de la méthode prévue.", nullable=True),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
)

REPLICABILITY_MARKS = table(
    "replicability_marks",
    "Notes de réplicabilité",
    "Niveau donné à un projet sur un critère, par une personne, un jour. Vide : non évalué, jamais zéro.",
    {
        "mark_id": col.text("Identifiant de la note", "Identifiant stable.", key=True, aliases=("identifiant_note",)),
        "project_id": _PROJECT,
        "district_id": _DISTRICT,
        "criterion_id": col.text(
            "Critère", "C1 à C5.", pattern=r"C[1-5]", hint="C1 à C5", aliases=("critere", "critere_id")
        ),
        "rater": col.text(
            "Évaluateur",
            "Personne ou instance qui note.",
            private=True,
            aliases=("evaluatrice", "juree", "jure", "note_par"),
        ),
        "marked_on": col.date("Date de la note", "Jour de la note.", aliases=("date",)),
        "level": col.integer(
            "Niveau", "0 à 3 ; ordinal. Vide : non évalué.", low=0, high=3, nullable=True, aliases=("niveau_note",)
        ),
        "justification": col.text("Justification", "Ce qui fonde la note.", nullable=True, private=True),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    unique=["project_id", "district_id", "criterion_id", "rater", "marked_on"],
)

TABLES = (INDICATORS, PROTOCOLS, PROTOCOL_INDICATORS, MEASURES, REPLICABILITY_MARKS)
