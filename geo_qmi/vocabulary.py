"""Which words may a column hold, and how are they said in French?

Each vocabulary maps a stable code (stored, exported, compared) to a French label (shown). Codes never change once
published; labels may. The tables that use them are in `geo_qmi.schema`; nothing here reads or checks data.
"""

from __future__ import annotations

import re
import unicodedata

#: Themes shared by needs and offers. Built from the meaning of the programme's own nomenclatures (six catalogue
#: families, ten eligible themes of the fund, district objectives), which differ and are not merged: see
#: ``docs/methods/themes.md`` for the crosswalk.
THEMES = {
    "energie": "Énergie",
    "bati": "Bâti et construction",
    "nature": "Nature en ville et sols",
    "climat": "Adaptation au climat et fraîcheur",
    "eau": "Eau et pluie",
    "espace_public": "Espace public et mobilier",
    "coupures": "Coupures et liaisons",
    "mobilites": "Mobilités",
    "logistique": "Logistique urbaine",
    "commerce": "Commerce et attractivité",
    "culture": "Culture, patrimoine et animation",
    "lien_social": "Lien social et convivialité",
    "citoyennete": "Participation et mobilisation citoyenne",
    "circulaire": "Économie circulaire et déchets",
    "donnees": "Données, capteurs et ville intelligente",
    "services": "Services numériques aux usagers",
    "proprete": "Propreté et cadre de vie",
    "sante": "Santé, air, sport et bien-être",
    "securite": "Sécurité et apaisement",
    "emploi": "Emploi, formation et développement économique",
}

#: The four kinds of statement a published district carries; they are kept apart because they disagree.
NEED_LAYERS = {
    "objective": "Objectifs",
    "challenge": "Défi",
    "expected": "Solutions attendues",
}

#: Layers that count only when a rule file says so: what was said in the field, and what was measured.
OTHER_LAYERS = {
    "field": "Terrain (marches et ateliers)",
    "measured": "Mesures",
}

#: How far the position of a geometry can be trusted.
GEOMETRY_STATUSES = {
    "official": "officiel",
    "digitised": "numérisé",
    "approximate": "approximatif",
    "unknown": "inconnu",
}

#: The finest place a published text gives for something.
PRECISIONS = {
    "site": "site nommé",
    "street": "rue",
    "district": "quartier",
    "commune": "commune",
    "ept": "établissement public territorial",
    "unknown": "inconnue",
}

#: What a project occupies on the ground.
FOOTPRINTS = {
    "point": "point",
    "line": "ligne",
    "area": "surface",
    "asset_network": "parc d’équipements",
    "building": "bâtiment",
    "served_population": "population desservie",
    "virtual": "numérique, sans emprise",
    "event": "évènement",
    "none": "sans emprise établie",
}

#: Answers to "is the place of deployment inside the perimeter?".
INSIDE = {"yes": "oui", "no": "non", "unknown": "inconnu"}

#: State of a project as one document gives it.
PROJECT_STATUSES = {
    "deployed": "déployé",
    "in_progress": "en cours de déploiement",
    "pre_deployment": "en pré-déploiement",
    "listed": "listé, sans statut",
    "unknown": "inconnu",
}

#: Why a challenge sentence is or is not there.
CHALLENGE_STATUSES = {
    "published": "publié",
    "source_error": "inconnu : le document imprime par erreur celui d’une autre commune",
    "not_published": "non publié",
}

#: Collection events of a territorial diagnosis.
SESSION_KINDS = {
    "walk": "marche sensible",
    "stroll": "balade urbaine",
    "interview": "entretien",
    "workshop": "atelier « carte sur table »",
}

#: Who speaks: groups, never persons.
ACTOR_GROUPS = {
    "resident": "habitantes et habitants",
    "shopkeeper": "commerçantes et commerçants",
    "association": "associations",
    "city_staff": "services de la ville",
    "elected": "élues et élus",
    "worker": "personnes travaillant dans le quartier",
    "young": "jeunes",
    "partner": "partenaires du programme",
}

#: Four reading frames of a sensory walk (Institut Paris Région, AREC), "invisible" being what is absent.
READING_FRAMES = {
    "built": "bâti",
    "public_space": "espace public",
    "biodiversity": "biodiversité",
    "invisible": "invisible",
}

#: The five senses, and the two registers that are none of them.
SENSES = {
    "sight": "vue",
    "hearing": "ouïe",
    "smell": "odorat",
    "touch": "toucher",
    "taste": "goût",
    "use": "usage",
    "imaginary": "imaginaire",
}

#: What an observation records: a mark, a stop where nothing was felt, or something that is missing.
OBSERVATION_KINDS = {"mark": "ressenti", "silence": "rien ressenti", "absence": "ce qui manque"}

#: Objects drawn on the table by a workshop; three classes that are never merged.
WORKSHOP_KINDS = {
    "favourable_place": "lieu propice",
    "project_type": "type de projet",
    "attention_point": "point d’attention",
}

#: Who says a statement: one person, or the group as a whole.
STATEMENT_SCOPES = {"individual": "individuel", "collective": "collectif"}

#: What is known of a place of a sensitive map.
PLACE_STATES = {
    "not_walked": "non parcouru",
    "silent": "parcouru, rien de dit",
    "felt": "ressenti",
    "divided": "ressentis opposés",
}

#: How much a sensitive map may show of a place.
PLACE_DISPLAYS = {"none": "rien à montrer", "symbol": "symbole avec son effectif", "surface": "surface"}

#: Felt against measured: four quadrants, and the reasons for which a place is in none.
QUADRANTS = {
    "both_good": "ressenti et mesure favorables",
    "both_bad": "ressenti et mesure défavorables",
    "felt_bad": "ressenti défavorable, mesure favorable",
    "felt_good": "ressenti favorable, mesure défavorable",
    "neutral": "ressenti neutre",
    "not_measured": "non mesuré ici",
    "not_provided": "non fourni",
}

#: Legal kinds of the bodies that carry a project of the fund.
CARRIERS = {"commune": "commune", "ept": "établissement public territorial", "metropole": "métropole"}

#: Kind of structure that applies to a call.
STRUCTURES = {
    "startup": "jeune entreprise",
    "sme": "PME",
    "large": "grand groupe",
    "association": "association",
    "cooperative": "coopérative",
    "research": "recherche",
}

#: Places a programme names: only those with a code are joined to the map.
PLACE_KINDS = {
    "commune": "commune",
    "ept": "établissement public territorial",
    "metropole": "métropole",
    "other": "autre lieu",
}

#: Types of rupture a barrier makes on the ground.
BARRIER_KINDS = {
    "rail": "voies ferrées",
    "road": "voie rapide",
    "water": "cours d’eau",
    "slab": "dalle",
    "wall": "emprise close",
}

#: What lets a walker across a barrier.
CROSSING_KINDS = {
    "bridge": "pont ou passerelle",
    "underpass": "passage souterrain",
    "station": "traversée de gare",
    "level_crossing": "passage à niveau",
    "street": "rue qui traverse",
    "stairs": "escalier",
    "lift": "ascenseur",
}

#: How a crossing is known.
CROSSING_STATUSES = {
    "observed": "relevé sur place",
    "published": "publié",
    "assumed": "supposé, à vérifier sur place",
    "planned": "projeté",
}

#: Which way an indicator goes when things get better.
DIRECTIONS = {
    "higher": "une hausse est recherchée",
    "lower": "une baisse est recherchée",
    "neither": "ni hausse ni baisse n’est recherchée",
}

#: At what scale an indicator is read.
INDICATOR_LEVELS = {"usager": "usager", "solution": "solution", "ville": "ville"}

#: What an indicator speaks of: three kinds of impact, what users say, and efficiency (003:L1245-1303).
INDICATOR_FAMILIES = {
    "social": "social",
    "environmental": "environnemental",
    "economic": "économique",
    "user_feedback": "retours des usagers",
    "efficiency": "efficacité",
}

#: The five themes of the CITYkeys framework, to set an indicator beside those of other cities.
CITYKEYS_THEMES = {
    "people": "personnes",
    "planet": "planète",
    "prosperity": "prospérité",
    "governance": "gouvernance",
    "propagation": "diffusion",
}

#: Where a measure was taken.
MEASURE_SIDES = {"test": "lieu du test", "comparison": "lieu de comparaison"}

#: How a threshold is to be read.
THRESHOLD_KINDS = {"value": "valeur à atteindre", "change": "variation à atteindre depuis l’état initial"}

#: What follows a test: buy, fund, spread or stop are four ways out, none of them a fault.
NEXT_STEPS = {
    "buy": "acheter",
    "fund": "financer la suite",
    "copy": "essaimer ailleurs",
    "stop": "arrêter",
    "undecided": "non décidé",
}

#: What a result of evaluation stands on.
OUTCOME_EVIDENCE = {
    "measured": "mesuré, avec comparaison",
    "no_comparison": "mesuré, sans comparaison",
    "no_baseline": "sans état initial",
    "no_measure": "non mesuré",
    "measured_before_protocol": "mesuré avant le protocole",
    "no_protocol": "mesuré sans protocole",
    "secrecy": "trop peu de personnes pour être dit",
}

_SEPARATORS = re.compile(r"[^0-9a-z]+")


def fold(text: str) -> str:
    """Return `text` without accents, case or punctuation, words joined by ``_``.

    Two spellings of one French column or place name fold to the same string.

    Examples
    --------
    >>> fold("Code INSEE de la commune"), fold("L’Île-Saint-Denis"), fold("Œuvre")
    ('code_insee_de_la_commune', 'l_ile_saint_denis', 'oeuvre')
    """
    text = text.replace("œ", "oe").replace("Œ", "oe").replace("æ", "ae").replace("Æ", "ae")
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return _SEPARATORS.sub("_", plain).strip("_")
