"""Which tables carry a call for projects from the application to the plan?

`applications`, `candidate_places` and `decisions` are kept in a study; `needs`, `offers`, `scores` and `waves` are
results, and `marks` a file of a jury, defined here so that a file written by one run can be checked and read by the
next.
"""

from __future__ import annotations

from geo_qmi.schema import kinds as col
from geo_qmi.schema.places import ANYTHING
from geo_qmi.schema.tables import demonstration, located, sourced, table
from geo_qmi.vocabulary import NEED_LAYERS, OTHER_LAYERS, STRUCTURES, THEMES

GROUNDS = {
    "mineral": "sol minéral",
    "planted": "pleine terre",
    "any": "indifférent",
}
PLACE_GROUNDS = {ground: label for ground, label in GROUNDS.items() if ground != "any"}
AUTHORITIES = {
    "commune": "commune",
    "ept": "établissement public territorial",
    "landlord": "bailleur",
    "operator": "opérateur de réseau ou de transport",
    "region": "Région",
}
SUPPORTS = {
    "ground": "au sol",
    "wall": "mur ou façade",
    "roof": "toiture",
    "vehicle": "véhicule",
    "none": "aucun",
}
SEASONS = {
    "spring": "printemps",
    "summer": "été",
    "autumn": "automne",
    "winter": "hiver",
    "growth": "saison de croissance",
    "any": "indifférente",
}

APPLICATIONS = table(
    "applications",
    "Candidatures",
    "Dossiers d’un appel à projets, avec leurs besoins de site quand ils sont connus.",
    {
        "application_id": col.text(
            "Identifiant de la candidature",
            "Identifiant stable.",
            key=True,
            aliases=("identifiant", "dossier", "n de dossier", "numero de dossier", "numero", "id"),
        ),
        "name": col.text("Projet", "Nom du projet.", aliases=("nom", "nom_projet", "titre")),
        "operator": col.text(
            "Porteur",
            "Structure candidate.",
            nullable=True,
            aliases=("entreprise", "societe", "structure_porteuse"),
        ),
        "structure": col.code("Structure", "Nature de la structure.", STRUCTURES, nullable=True),
        "siret": col.text(
            "SIRET",
            "Quatorze chiffres, zéros initiaux compris ; clé de Luhn vérifiée.",
            nullable=True,
            private=True,
            pattern=r"\d{14}",
            hint="14 chiffres",
        ),
        "contact": col.text(
            "Contact", "Adresse électronique.", nullable=True, private=True, aliases=("courriel", "email")
        ),
        "family": col.text("Famille", "Thématique déclarée.", nullable=True, aliases=("thematique", "theme")),
        "keywords": col.text("Mots-clés", "Texte libre.", nullable=True, aliases=("etiquettes", "tags")),
        "description": col.text("Description", "Texte du dossier.", aliases=("resume", "presentation")),
        "need_area_m2": col.number(
            "Surface demandée", "Emprise au sol.", low=0, high=100_000, nullable=True, unit="m²"
        ),
        "need_ground": col.code("Sol demandé", "Nature du sol.", GROUNDS, nullable=True),
        "need_sun_h": col.number("Ensoleillement demandé", "Heures par jour.", low=0, high=16, nullable=True, unit="h"),
        "need_water": col.flag("Eau", "Arrivée d’eau nécessaire.", nullable=True),
        "need_power": col.flag("Électricité", "Raccordement nécessaire.", nullable=True),
        "need_support": col.code("Support", "Où la solution se pose.", SUPPORTS, nullable=True),
        "public_domain": col.flag("Domaine public", "Occupe le domaine public.", nullable=True),
        "need_vehicle": col.flag("Accès véhicule", "Véhicule nécessaire.", nullable=True),
        "testers": col.integer(
            "Testeurs", "Personnes nécessaires au test.", low=0, high=100_000, nullable=True, unit="personnes"
        ),
        "months": col.number(
            "Durée de mesure", "Mois d’observation nécessaires.", low=0, high=120, nullable=True, unit="mois"
        ),
        "season": col.code("Saison", "Saison utile à la mesure.", SEASONS, nullable=True),
        **demonstration(),
        **sourced(),
    },
    group="Candidatures",
)

CANDIDATE_PLACES = table(
    "candidate_places",
    "Lieux d’accueil possibles",
    "Lieux qu’un quartier peut offrir à un projet, avec ce qui s’y trouve. Vide : non relevé, ni oui ni non.",
    {
        "place_id": col.text("Identifiant du lieu", "Identifiant stable.", key=True, aliases=("lieu_id",)),
        "district_id": col.text("Identifiant du quartier", "Quartier.", references="districts.district_id"),
        "name": col.text("Lieu", "Nom affiché.", aliases=("nom", "nom_lieu")),
        "area_m2": col.number(
            "Surface", "Surface que le projet peut occuper.", low=0, high=1_000_000, nullable=True, unit="m²"
        ),
        "ground": col.code("Sol", "Nature du sol.", PLACE_GROUNDS, nullable=True),
        "sun_h": col.number(
            "Ensoleillement", "Heures par jour, à la mauvaise saison.", low=0, high=16, nullable=True, unit="h"
        ),
        "water": col.flag("Eau", "Arrivée d’eau sur place.", nullable=True),
        "power": col.flag("Électricité", "Raccordement sur place.", nullable=True),
        "support_ground": col.flag("Pose au sol", "Une solution peut y être posée au sol.", nullable=True),
        "support_wall": col.flag("Pose sur mur", "Un mur ou une façade peut la recevoir.", nullable=True),
        "support_roof": col.flag("Pose en toiture", "Une toiture peut la recevoir.", nullable=True),
        "public_domain": col.flag("Domaine public", "Le lieu est sur le domaine public.", nullable=True),
        "vehicle": col.flag("Accès véhicule", "Un véhicule peut y accéder.", nullable=True),
        "people_in_reach": col.integer(
            "Personnes à portée", "Habitants à dix minutes à pied.", low=0, nullable=True, unit="personnes"
        ),
        "authority": col.code("Autorité", "Qui autorise l’occupation.", AUTHORITIES, nullable=True),
        **demonstration(),
        **sourced(),
        **located(),
    },
    group="Candidatures",
    geometry=ANYTHING,
)

NEEDS = table(
    "needs",
    "Besoins",
    "Poids de chaque thème dans chaque couche de besoin d’un quartier.",
    {
        "district_id": col.text("Identifiant du quartier", "Quartier.", references="districts.district_id"),
        "layer": col.code(
            "Couche", "Objectifs, défi, solutions attendues, terrain ou mesures.", {**NEED_LAYERS, **OTHER_LAYERS}
        ),
        "theme": col.code("Thème", "Thème.", THEMES),
        "weight": col.number("Poids", "Part du thème dans la couche.", low=0, high=1),
        "evidence": col.text("Preuve", "Phrases et mots qui ont donné le poids."),
    },
    group="Appariement",
    unique=["district_id", "layer", "theme"],
)

OFFERS = table(
    "offers",
    "Offres",
    "Force de chaque thème dans chaque projet ou candidature.",
    {
        "project_id": col.text("Identifiant du projet", "Projet ou candidature."),
        "theme": col.code("Thème", "Thème.", THEMES),
        "strength": col.number("Force", "Part du thème dans le projet.", low=0, high=1),
        "evidence": col.text("Preuve", "Mots qui ont donné la force."),
    },
    group="Appariement",
    unique=["project_id", "theme"],
)

SCORES = table(
    "scores",
    "Scores",
    "Accord entre un projet et un quartier, entre 0 et 1.",
    {
        "project_id": col.text("Identifiant du projet", "Projet ou candidature."),
        "district_id": col.text("Identifiant du quartier", "Quartier.", references="districts.district_id"),
        "score": col.number("Score", "Accord entre 0 et 1.", low=0, high=1, nullable=True),
        "rank": col.integer("Rang", "Rang du quartier pour ce projet.", low=1, nullable=True),
        "assigned": col.flag("Retenu", "Oui si le plan place le projet dans ce quartier."),
    },
    group="Appariement",
    unique=["project_id", "district_id"],
)

DECISIONS = table(
    "decisions",
    "Décisions",
    "Journal du jury : ce que le calcul proposait, ce qui a été décidé, par qui, quand et pourquoi.",
    {
        "decision_id": col.text("Identifiant de la décision", "Identifiant stable, dans l’ordre du journal.", key=True),
        "at": col.datetime("Date", "Moment de la décision."),
        "actor": col.text("Qui", "Personne ou instance qui décide.", private=True),
        "project_id": col.text("Identifiant du projet", "Projet ou candidature."),
        "proposed_district": col.text(
            "Quartier proposé",
            "Quartier du plan calculé ; vide quand le calcul ne retenait pas le projet.",
            nullable=True,
            references="districts.district_id",
        ),
        "decided_district": col.text(
            "Quartier décidé",
            "Quartier retenu par le jury ; vide quand le projet est écarté.",
            nullable=True,
            references="districts.district_id",
        ),
        "reason": col.text("Motif", "Motif de la décision."),
        "wave": col.text("Vague", "Phase de l’appel.", nullable=True),
        **demonstration(),
        **sourced(),
    },
    group="Appariement",
)

MARKS = table(
    "marks",
    "Notes des évaluateurs",
    "Une note par dossier et par évaluateur ; toutes sur la même échelle.",
    {
        "project_id": col.text(
            "Identifiant du projet",
            "Projet ou candidature.",
            aliases=("projet", "dossier", "candidature", "application_id", "id"),
        ),
        "evaluator": col.text(
            "Évaluateur",
            "Personne ou instance qui note.",
            private=True,
            aliases=("evaluatrice", "jure", "juree", "examinateur", "rapporteur", "lecteur", "expert"),
        ),
        "score": col.number(
            "Note", "Note donnée ; vide quand elle ne l’a pas été.", nullable=True, aliases=("points",)
        ),
    },
    group="Appariement",
    unique=["project_id", "evaluator"],
)

WAVES = table(
    "waves",
    "Scores par vague",
    "Ce que chaque phase de l’appel a scoré, quand, et ce qu’elle a placé : de quoi reproposer un dossier refusé.",
    {
        "wave": col.text("Vague", "Phase de l’appel.", aliases=("phase",)),
        "scored_at": col.date("Date du score", "Jour où le score a été calculé.", aliases=("date",)),
        "project_id": col.text("Identifiant du projet", "Projet ou candidature."),
        "name": col.text("Projet", "Nom du projet."),
        "district_id": col.text("Identifiant du quartier", "Quartier.", references="districts.district_id"),
        "score": col.number("Score", "Accord entre 0 et 1.", low=0, high=1, nullable=True),
        "assigned": col.flag("Retenu", "Oui si cette phase place le projet dans ce quartier."),
    },
    group="Appariement",
    unique=["wave", "project_id", "district_id"],
)

#: Tables kept in a study.
TABLES = (APPLICATIONS, CANDIDATE_PLACES, DECISIONS)
#: Tables written by a computation, or read for one, and not kept.
RESULTS = (NEEDS, OFFERS, SCORES, MARKS, WAVES)
