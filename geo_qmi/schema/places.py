"""Which tables describe the places: territories, communes, districts and what surrounds them?"""

from __future__ import annotations

from geo_qmi.schema import kinds as col
from geo_qmi.schema.tables import demonstration, located, sourced, table
from geo_qmi.vocabulary import (
    BARRIER_KINDS,
    CHALLENGE_STATUSES,
    CROSSING_KINDS,
    CROSSING_STATUSES,
    PRECISIONS,
    THEMES,
)

INSEE = {"pattern": r"\d[0-9AB]\d{3}", "hint": "un code INSEE de cinq caractères, zéro initial compris"}
SIREN = {"pattern": r"\d{9}", "hint": "un numéro SIREN de neuf chiffres"}
POLYGONS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
ANYTHING = ("Point", "MultiPoint", *LINES, *POLYGONS)

TERRITORIES = table(
    "territories",
    "Territoires de la Métropole",
    "Les onze établissements publics territoriaux et Paris (T1), qui n’en est pas un.",
    {
        "territory": col.text("Territoire", "T1 à T12.", key=True, pattern=r"T\d{1,2}", hint="T1 à T12"),
        "name": col.text("Nom", "Nom du territoire.", aliases=("nom_ept", "ept")),
        "siren": col.text("SIREN", "Numéro SIREN de l’établissement.", nullable=True, **SIREN),
        "population": col.integer(
            "Population légale", "Somme des communes, année dans la note.", low=0, unit="habitants"
        ),
        **sourced(),
        **located("approximate"),
    },
    group="Lieux",
    geometry=POLYGONS,
)

COMMUNES = table(
    "communes",
    "Communes de la Métropole",
    "Les communes membres, à contour simplifié : pour situer, pas pour mesurer une surface.",
    {
        "insee": col.text(
            "Code INSEE",
            "Code officiel géographique.",
            key=True,
            aliases=("code", "code_commune"),
            **INSEE,
        ),
        "name": col.text("Commune", "Nom officiel.", aliases=("nom", "nom_commune")),
        "territory": col.text("Territoire", "T1 à T12.", references="territories.territory"),
        "department": col.text("Département", "Code du département.", pattern=r"\d{2}", hint="deux chiffres"),
        "siren": col.text("SIREN", "Numéro SIREN de la commune.", nullable=True, **SIREN),
        "population": col.integer("Population légale", "Année dans la note.", low=0, unit="habitants"),
        **sourced(),
        **located("approximate"),
    },
    group="Lieux",
    geometry=POLYGONS,
)

DISTRICTS = table(
    "districts",
    "Quartiers d’innovation",
    "Les quartiers des deux éditions. Aucun périmètre officiel n’est publié ; un quartier sans périmètre est valide.",
    {
        "district_id": col.text("Identifiant du quartier", "Identifiant stable.", key=True, aliases=("quartier_id",)),
        "edition": col.integer("Édition", "Édition du programme.", low=1, high=99),
        "insee": col.text("Code INSEE", "Commune d’accueil.", references="communes.insee", **INSEE),
        "name": col.text(
            "Quartier",
            "Nom publié ; vide quand aucun document ne le donne.",
            nullable=True,
            aliases=("nom", "nom_quartier"),
        ),
        "role": col.text("Rôle", "Place de la commune dans le programme.", nullable=True),
        "context_commune": col.text("Contexte communal", "Résumé du document.", nullable=True),
        "context_district": col.text("Contexte du quartier", "Résumé du document.", nullable=True),
        "position": col.text("Position", "Situation décrite dans le document.", nullable=True),
        "severance": col.text("Coupure", "Coupure urbaine décrite dans le document.", nullable=True),
        "challenge": col.text("Défi", "Phrase publiée du défi.", nullable=True, aliases=("defi",)),
        "challenge_status": col.code("Statut du défi", "Pourquoi le défi est là ou non.", CHALLENGE_STATUSES),
        "regulatory_status": col.text("Statut réglementaire", "QPV, ZUS… selon les documents.", nullable=True),
        "start": col.date("Début", "Début de l’accompagnement.", nullable=True),
        "end": col.date("Fin", "Fin de l’accompagnement.", nullable=True),
        **sourced(),
        **located(),
        "geometry_doubt": col.text("Doute sur le tracé", "Ce qui est sûr et ce qui ne l’est pas.", nullable=True),
    },
    group="Lieux",
    geometry=POLYGONS,
)

OBJECTIVES = table(
    "objectives",
    "Objectifs des quartiers",
    "Objectifs publiés, un par ligne.",
    {
        "objective_id": col.text("Identifiant de l’objectif", "Identifiant stable.", key=True),
        "district_id": col.text("Identifiant du quartier", "Quartier concerné.", references="districts.district_id"),
        "rank": col.integer("Rang", "Ordre dans le document.", low=1, high=99),
        "objective": col.text("Objectif", "Énoncé.", aliases=("enonce",)),
        "theme_tag": col.text("Étiquette", "Notre classement, pas celui du document.", nullable=True),
        "spatial_hint": col.text("Accroche spatiale", "Ce que l’objectif désigne sur le terrain.", nullable=True),
        **sourced(),
    },
    group="Lieux",
)

EXPECTED_SOLUTIONS = table(
    "expected_solutions",
    "Solutions attendues",
    "Thèmes de solutions que chaque quartier attend, un par ligne.",
    {
        "expected_id": col.text("Identifiant", "Identifiant stable.", key=True),
        "district_id": col.text("Identifiant du quartier", "Quartier concerné.", references="districts.district_id"),
        "rank": col.integer("Rang", "Ordre dans le document.", low=1, high=99),
        "solution": col.text("Solution attendue", "Thème énoncé."),
        **sourced(),
    },
    group="Lieux",
)

DISTRICT_FACTS = table(
    "district_facts",
    "Faits sur les quartiers",
    "Constats publiés ; sans quartier quand le document ne dit pas duquel il parle.",
    {
        "fact_id": col.text("Identifiant", "Identifiant stable.", key=True),
        "district_id": col.text(
            "Identifiant du quartier", "Quartier concerné.", nullable=True, references="districts.district_id"
        ),
        "kind": col.text("Nature", "Coupure, polarité, bâti, commerce…"),
        "fact": col.text("Fait", "Constat."),
        "spatial_hint": col.text("Accroche spatiale", "Ce que le fait désigne sur le terrain.", nullable=True),
        **sourced(),
    },
    group="Lieux",
)

BARRIERS = table(
    "barriers",
    "Coupures",
    "Obstacles au passage à pied, en premier lieu les voies ferrées.",
    {
        "barrier_id": col.text("Identifiant", "Identifiant stable.", key=True),
        "district_id": col.text(
            "Identifiant du quartier", "Quartier concerné.", nullable=True, references="districts.district_id"
        ),
        "name": col.text("Nom", "Nom de la coupure.", nullable=True),
        "kind": col.code("Nature", "Nature de la coupure.", BARRIER_KINDS),
        "level": col.integer(
            "Niveau",
            "0 au sol, 1 sur dalle ou viaduc, −1 en souterrain ; vide : au sol.",
            low=-9,
            high=9,
            nullable=True,
        ),
        **sourced(),
        **located("approximate"),
    },
    group="Lieux",
    geometry=(*LINES, *POLYGONS),
    geometry_required=True,
)

CROSSINGS = table(
    "crossings",
    "Franchissements",
    "Endroits où une coupure se passe à pied. Aucun inventaire n’est publié : ce qui n’a pas été relevé est supposé.",
    {
        "crossing_id": col.text("Identifiant", "Identifiant stable.", key=True, aliases=("franchissement_id",)),
        "barrier_id": col.text(
            "Coupure",
            "Coupure franchie ; vide : toutes celles que la géométrie touche.",
            nullable=True,
            references="barriers.barrier_id",
        ),
        "name": col.text("Nom", "Nom du passage.", nullable=True),
        "kind": col.code("Nature", "Nature du passage.", CROSSING_KINDS),
        "status": col.code("Statut", "Relevé, publié, supposé ou projeté.", CROSSING_STATUSES, default="assumed"),
        "level": col.integer("Niveau", "0 à plain-pied, 1 par-dessus, −1 par-dessous.", low=-9, high=9, nullable=True),
        "hours": col.text("Horaires", "Heures d’ouverture ; vide quand elles sont inconnues.", nullable=True),
        "step_free": col.flag("Sans marche", "Praticable sans marche ; vide quand on ne sait pas.", nullable=True),
        "lit": col.flag("Éclairé", "Éclairé la nuit ; vide quand on ne sait pas.", nullable=True),
        "felt_safe": col.flag("Jugé sûr", "Ressenti des usagers ; vide quand on ne sait pas.", nullable=True),
        "climb_m": col.number(
            "Dénivelé", "Montée cumulée pour passer ; vide quand elle est inconnue.", low=0, nullable=True, unit="m"
        ),
        **demonstration(),
        **sourced(),
        **located("approximate"),
    },
    group="Lieux",
    geometry=("Point", *LINES),
    geometry_required=True,
)

STATIONS = table(
    "stations",
    "Gares et stations",
    "Gares et stations des communes d’accueil et voisines, une ligne par station et ligne de transport.",
    {
        "station_id": col.text("Identifiant", "Identifiant stable.", key=True),
        "insee": col.text("Code INSEE", "Commune de la station.", references="communes.insee", **INSEE),
        "name": col.text("Station", "Nom.", aliases=("gare", "nom", "nom_gare", "nom_gares")),
        "line": col.text("Ligne", "Ligne desservie."),
        "mode": col.text("Mode", "RER, train, métro ou tramway."),
        **sourced(),
        **located("official"),
    },
    group="Lieux",
    geometry=("Point",),
    geometry_required=True,
)

SITES = table(
    "sites",
    "Lieux nommés",
    "Lieux que les documents nomment. Aucune coordonnée n’est publiée : ils restent sans point.",
    {
        "site_id": col.text("Identifiant du lieu", "Identifiant stable.", key=True),
        "name": col.text("Lieu", "Nom publié.", aliases=("nom",)),
        "insee": col.text("Code INSEE", "Commune du lieu.", references="communes.insee", **INSEE),
        "district_id": col.text(
            "Identifiant du quartier",
            "Quartier du programme auquel le document rattache le lieu, sans affirmer qu’il est dedans.",
            nullable=True,
            references="districts.district_id",
        ),
        "kind": col.text("Nature", "Place, parking, cimetière…"),
        "precision": col.code("Finesse", "Finesse du lieu publié.", PRECISIONS),
        **sourced(),
        **located(),
    },
    group="Lieux",
    geometry=ANYTHING,
)

LEXICON = table(
    "lexicon",
    "Lexique des thèmes",
    "Mots français qui révèlent un thème. Modifiable : l’appariement le relit à chaque calcul.",
    {
        "entry_id": col.text("Identifiant", "Identifiant stable.", key=True),
        "theme": col.code("Thème", "Thème révélé.", THEMES),
        "term": col.text("Terme", "Mot ou expression, comparé par racines ; « = » devant : forme exacte."),
        "weight": col.number("Poids", "Force avec laquelle le terme révèle le thème.", low=0, high=1),
        **sourced(),
    },
    group="Appariement",
    unique=["theme", "term"],
)

TABLES = (
    TERRITORIES,
    COMMUNES,
    DISTRICTS,
    OBJECTIVES,
    EXPECTED_SOLUTIONS,
    DISTRICT_FACTS,
    BARRIERS,
    CROSSINGS,
    STATIONS,
    SITES,
    LEXICON,
)
