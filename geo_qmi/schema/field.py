"""Which tables hold what was said and drawn on the ground: walks, interviews and workshops?

People appear as pseudonyms and groups only. Columns that could single a participant out are private: they never
leave a study by default.
"""

from __future__ import annotations

from geo_qmi.schema import kinds as col
from geo_qmi.schema.places import ANYTHING, LINES
from geo_qmi.schema.tables import demonstration, sourced, table
from geo_qmi.vocabulary import (
    ACTOR_GROUPS,
    OBSERVATION_KINDS,
    READING_FRAMES,
    SENSES,
    SESSION_KINDS,
    STATEMENT_SCOPES,
    THEMES,
    WORKSHOP_KINDS,
)

_GROUP = "Terrain"

#: Columns of an observation whose words a campaign may choose.
TAXONOMY_AXES = {"frame": "grille de lecture", "sense": "sens", "theme": "thème"}

SESSIONS = table(
    "sessions",
    "Séances de terrain",
    "Marches, balades, entretiens et ateliers.",
    {
        "session_id": col.text("Identifiant de la séance", "Identifiant stable.", key=True, aliases=("seance_id",)),
        "district_id": col.text("Identifiant du quartier", "Quartier étudié.", references="districts.district_id"),
        "kind": col.code("Nature", "Nature de la séance.", SESSION_KINDS),
        "title": col.text("Titre", "Titre affiché."),
        "start": col.datetime("Début", "Heure de départ."),
        "end": col.datetime("Fin", "Heure de fin.", nullable=True),
        "n_participants": col.integer("Participants", "Personnes présentes.", low=0, high=500, unit="personnes"),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
)

ROUTES = table(
    "routes",
    "Parcours des marches",
    "Tracé suivi par le groupe : il sépare ce qui fut parcouru sans rien ressentir de ce qui ne fut pas parcouru.",
    {
        "route_id": col.text("Identifiant du parcours", "Identifiant stable.", key=True),
        "session_id": col.text("Identifiant de la séance", "Séance.", references="sessions.session_id"),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    geometry=LINES,
    geometry_required=True,
)

STAGES = table(
    "stages",
    "Étapes des marches",
    "Arrêts du parcours, dans l’ordre.",
    {
        "stage_id": col.text("Identifiant de l’étape", "Identifiant stable.", key=True),
        "session_id": col.text("Identifiant de la séance", "Séance.", references="sessions.session_id"),
        "rank": col.integer("Rang", "Ordre sur le parcours.", low=1, high=99),
        "name": col.text("Étape", "Nom affiché."),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    geometry=("Point",),
    geometry_required=True,
)

PARTICIPANTS = table(
    "participants",
    "Participants",
    "Pseudonymes et groupes, jamais de nom.",
    {
        "participant_id": col.text("Pseudonyme", "Identifiant sans lien avec un nom.", key=True),
        "session_id": col.text("Identifiant de la séance", "Séance.", references="sessions.session_id"),
        "actor_group": col.code("Groupe", "Groupe d’acteurs.", ACTOR_GROUPS),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    private=True,
)

OBSERVATIONS = table(
    "observations",
    "Observations de terrain",
    "Ressentis, silences et absences relevés pendant une marche.",
    {
        "observation_id": col.text("Identifiant de l’observation", "Identifiant stable.", key=True),
        "session_id": col.text("Identifiant de la séance", "Séance.", references="sessions.session_id"),
        "participant_id": col.text("Pseudonyme", "Auteur.", references="participants.participant_id", private=True),
        "stage_id": col.text("Étape", "Étape la plus proche.", nullable=True, references="stages.stage_id"),
        "rank": col.integer("Ordre", "Ordre de saisie chez la personne.", low=1),
        "time": col.datetime("Heure", "Heure de la saisie.", nullable=True, private=True),
        "kind": col.code("Nature", "Ressenti, silence ou absence.", OBSERVATION_KINDS),
        "frame": col.code(
            "Grille de lecture",
            "Bâti, espace public, biodiversité, invisible.",
            READING_FRAMES,
            nullable=True,
        ),
        "sense": col.code("Sens", "Sens ou registre.", SENSES, nullable=True),
        "theme": col.code("Thème", "Thème partagé avec les besoins.", THEMES, nullable=True),
        "valence": col.integer("Valence", "De −2 (très négatif) à +2 (très positif).", low=-2, high=2, nullable=True),
        "intensity": col.integer("Intensité", "De 1 à 5.", low=1, high=5, nullable=True),
        "verbatim": col.text("Verbatim", "Mots de la personne.", nullable=True, private=True),
        "wished": col.text("Souhait", "Ce qui manque, pour une absence.", nullable=True),
        "photo_sha256": col.text(
            "Empreinte de la photo",
            "SHA-256 du fichier.",
            nullable=True,
            private=True,
            pattern=r"[0-9a-f]{64}",
            hint="64 chiffres hexadécimaux",
        ),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    geometry=ANYTHING,
)

STATEMENTS = table(
    "statements",
    "Propos recueillis",
    "Propos d’entretien et propos collectifs de fin de marche ou d’atelier.",
    {
        "statement_id": col.text("Identifiant du propos", "Identifiant stable.", key=True),
        "session_id": col.text("Identifiant de la séance", "Séance.", references="sessions.session_id"),
        "scope": col.code("Portée", "Individuel ou collectif.", STATEMENT_SCOPES),
        "participant_id": col.text(
            "Pseudonyme",
            "Auteur d’un propos individuel, pour qu’un effacement l’atteigne.",
            nullable=True,
            references="participants.participant_id",
            private=True,
        ),
        "actor_group": col.code("Groupe", "Groupe d’acteurs.", ACTOR_GROUPS, nullable=True),
        "theme": col.code("Thème", "Thème partagé avec les besoins.", THEMES, nullable=True),
        "statement": col.text("Propos", "Propos résumé.", private=True),
        "valence": col.integer("Valence", "De −2 à +2.", low=-2, high=2, nullable=True),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    geometry=ANYTHING,
)

WORKSHOP_ITEMS = table(
    "workshop_items",
    "Objets d’atelier",
    "Lieux propices, types de projet et points d’attention posés sur la carte, avec leur rang de priorité.",
    {
        "item_id": col.text("Identifiant de l’objet", "Identifiant stable.", key=True),
        "session_id": col.text("Identifiant de la séance", "Atelier.", references="sessions.session_id"),
        "kind": col.code("Nature", "Lieu propice, type de projet ou point d’attention.", WORKSHOP_KINDS),
        "actor_group": col.code("Groupe", "Groupe d’acteurs.", ACTOR_GROUPS, nullable=True),
        "theme": col.code("Thème", "Thème partagé avec les besoins.", THEMES, nullable=True),
        "label": col.text("Libellé", "Texte posé sur la carte."),
        "priority": col.integer("Priorité", "Rang donné par l’atelier ; 1 d’abord.", low=1, high=99, nullable=True),
        **demonstration(),
        **sourced(),
    },
    group=_GROUP,
    geometry=ANYTHING,
)

TAXONOMY = table(
    "taxonomy",
    "Taxonomie de terrain",
    "Libellés et mots de la campagne pour les grilles de lecture, les sens et les thèmes ; les codes ne changent pas.",
    {
        "axis": col.code("Axe", "Grille de lecture, sens ou thème.", TAXONOMY_AXES),
        "word": col.text("Mot", "Libellé ou mot employé sur le terrain."),
        "code": col.text("Code", "Code du vocabulaire auquel le mot correspond."),
        "preferred": col.flag("Libellé", "Oui si ce mot est celui qui s’affiche pour le code.", default=False),
        **sourced(),
    },
    group=_GROUP,
    unique=["axis", "word"],
)

TABLES = (TAXONOMY, SESSIONS, ROUTES, STAGES, PARTICIPANTS, OBSERVATIONS, STATEMENTS, WORKSHOP_ITEMS)
