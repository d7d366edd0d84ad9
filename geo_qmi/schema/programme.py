"""Which tables describe the programme: its projects, the fund, neighbouring programmes and published figures?"""

from __future__ import annotations

from geo_qmi.schema import kinds as col
from geo_qmi.schema.places import INSEE, SIREN
from geo_qmi.schema.tables import sourced, table
from geo_qmi.vocabulary import CARRIERS, FOOTPRINTS, INSIDE, PLACE_KINDS, PRECISIONS, PROJECT_STATUSES

PROJECTS = table(
    "projects",
    "Projets d’expérimentation",
    "Projets nommés de l’édition 1 : quartier d’attribution et lieu de déploiement sont deux choses.",
    {
        "project_id": col.text("Identifiant du projet", "Identifiant stable.", key=True, aliases=("projet_id",)),
        "edition": col.integer("Édition", "Édition du programme.", low=1, high=99),
        "name": col.text("Projet", "Nom publié.", aliases=("nom", "nom_projet")),
        "operator": col.text("Porteur", "Structure porteuse.", nullable=True),
        "insee": col.text("Code INSEE", "Commune d’accueil.", references="communes.insee", **INSEE),
        "district_id": col.text(
            "Quartier d’attribution", "Quartier décidé par le programme.", references="districts.district_id"
        ),
        "family": col.text("Famille", "Famille du catalogue.", aliases=("thematique",)),
        "description": col.text("Description", "Résumé du document."),
        "site_id": col.text(
            "Lieu de déploiement",
            "Lieu nommé ; vide quand aucun ne l’est.",
            nullable=True,
            references="sites.site_id",
        ),
        "footprint": col.code("Emprise", "Ce que le projet occupe.", FOOTPRINTS),
        "precision": col.code("Finesse du lieu", "Finesse du lieu publié.", PRECISIONS),
        "inside_stated": col.code(
            "Dans le quartier, selon le document", "Ce que le texte affirme, sans calcul.", INSIDE
        ),
        "inside_district": col.code(
            "Dans le quartier",
            "Calculé à partir du lieu et du périmètre, ou repris du texte ; inconnu sinon.",
            INSIDE,
        ),
        "city_services": col.text("Services de la ville", "Services cités.", nullable=True),
        "dates": col.text("Dates", "Dates citées.", nullable=True),
        "figures": col.text("Chiffres", "Chiffres cités.", nullable=True),
        **sourced(),
    },
    group="Programme",
)

PROJECT_TAGS = table(
    "project_tags",
    "Étiquettes des projets",
    "Étiquettes du catalogue, une par ligne.",
    {
        "project_id": col.text("Identifiant du projet", "Projet.", references="projects.project_id"),
        "tag": col.text("Étiquette", "Étiquette imprimée dans le catalogue."),
        **sourced(),
    },
    group="Programme",
    unique=["project_id", "tag"],
)

PROJECT_NAMES = table(
    "project_names",
    "Autres noms des projets",
    "Graphies, sociétés et produits qui désignent le même projet ; rien n’est fusionné d’office.",
    {
        "project_id": col.text("Identifiant du projet", "Projet.", references="projects.project_id"),
        "other_name": col.text("Autre nom", "Nom rencontré."),
        **sourced(),
    },
    group="Programme",
    unique=["project_id", "other_name"],
)

PROJECT_STATUSES_TABLE = table(
    "project_statuses",
    "Statuts des projets par document",
    "Un statut par document : ils ne sont ni écrasés ni fondus.",
    {
        "project_id": col.text("Identifiant du projet", "Projet.", references="projects.project_id"),
        "document": col.text("Document", "000 à 003.", pattern=r"00[0-3]", hint="000, 001, 002 ou 003"),
        "status": col.code("Statut", "Statut normalisé.", PROJECT_STATUSES),
        "wording": col.text("Mots du document", "Ce qui est écrit ; vide si le projet n’y figure pas.", nullable=True),
        **sourced(),
    },
    group="Programme",
    unique=["project_id", "document"],
)

PROJECT_PARTNERS = table(
    "project_partners",
    "Partenaires des projets",
    "Partenaires cités, un par ligne.",
    {
        "project_id": col.text("Identifiant du projet", "Projet.", references="projects.project_id"),
        "partner": col.text("Partenaire", "Nom cité."),
        **sourced(),
    },
    group="Programme",
    unique=["project_id", "partner"],
)

FUND_PROJECTS = table(
    "fund_projects",
    "Projets du fonds Innover dans la Ville",
    "Entrées de listes et blocs décrits ; le porteur n’est pas toujours le lieu.",
    {
        "fund_id": col.text("Identifiant", "Section et numéro de liste.", key=True),
        "section": col.text("Section", "Section du livret."),
        "list_number": col.integer("Numéro", "Numéro dans la section ; vide hors liste.", low=1, nullable=True),
        "carrier": col.text("Porteur", "Collectivité porteuse."),
        "carrier_kind": col.code("Nature du porteur", "Commune ou établissement.", CARRIERS),
        "insee": col.text(
            "Code INSEE",
            "Commune porteuse ; vide pour un EPT.",
            nullable=True,
            references="communes.insee",
            **INSEE,
        ),
        "territory_siren": col.text(
            "SIREN de l’EPT",
            "Établissement porteur ; vide pour une commune.",
            nullable=True,
            references="territories.siren",
            **SIREN,
        ),
        "title": col.text("Intitulé", "Intitulé de la liste."),
        "described_title": col.text("Intitulé décrit", "Intitulé du bloc décrit.", nullable=True),
        "description": col.text("Description", "Résumé du bloc décrit.", nullable=True),
        "cluster": col.text("Famille de solutions", "Notre regroupement.", nullable=True),
        "site_name": col.text("Lieu", "Lieu nommé.", nullable=True),
        "cost_eur": col.number("Coût du projet", "Coût publié, pas la subvention.", low=0, nullable=True, unit="€"),
        "grant_ceiling_eur": col.number(
            "Plafond de subvention calculé",
            "min(50 % du coût ; 200 000 €) : calculé, jamais publié.",
            low=0,
            nullable=True,
            unit="€",
        ),
        "date": col.date("Date", "Date publiée.", nullable=True),
        "provider": col.text("Prestataire", "Prestataire cité.", nullable=True),
        "in_list": col.flag("Dans une liste", "Oui si l’entrée figure dans une liste numérotée."),
        "match_confidence": col.text("Rapprochement", "Certitude du lien entre liste et bloc décrit.", nullable=True),
        "duplicate_of": col.text("Doublon de", "Entrée que celle-ci répète.", nullable=True),
        "digital_for_all": col.flag("Numérique pour Tous", "Oui si marqué d’un astérisque."),
        "fund_status": col.text("Appartenance au fonds", "Oui, ou non établi."),
        **sourced(),
    },
    group="Programme",
)

PROGRAMMES = table(
    "programmes",
    "Programmes et hubs",
    "Programmes, hubs et filières voisins du programme.",
    {
        "programme_id": col.text("Identifiant du programme", "Identifiant stable.", key=True),
        "name": col.text("Programme", "Nom."),
        "kind": col.text("Nature", "Programme, hub, fonds…"),
        "operator": col.text("Opérateur", "Structure qui le conduit.", nullable=True),
        "n_communes_declared": col.integer(
            "Communes annoncées", "Nombre publié, même sans liste.", low=0, nullable=True
        ),
        "start": col.text("Début", "Date publiée.", nullable=True),
        "end": col.text("Fin", "Date publiée.", nullable=True),
        "place": col.text("Lieu", "Lieu nommé.", nullable=True),
        "facts": col.text("Faits", "Résumé.", nullable=True),
        **sourced(),
    },
    group="Programme",
)

PROGRAMME_PLACES = table(
    "programme_places",
    "Lieux des programmes",
    "Communes et territoires cités pour chaque programme, un par ligne.",
    {
        "programme_id": col.text("Identifiant du programme", "Programme.", references="programmes.programme_id"),
        "place": col.text("Lieu", "Nom cité."),
        "kind": col.code("Nature", "Nature du lieu.", PLACE_KINDS),
        "insee": col.text(
            "Code INSEE",
            "Quand le lieu est une commune de la Métropole.",
            nullable=True,
            references="communes.insee",
            **INSEE,
        ),
        "territory": col.text(
            "Territoire", "Quand le lieu est un EPT.", nullable=True, references="territories.territory"
        ),
        **sourced(),
    },
    group="Programme",
    unique=["programme_id", "place"],
)

PROGRAMME_ACTORS = table(
    "programme_actors",
    "Acteurs des programmes",
    "Opérateurs et partenaires cités, un par ligne.",
    {
        "programme_id": col.text("Identifiant du programme", "Programme.", references="programmes.programme_id"),
        "actor": col.text("Acteur", "Nom cité."),
        "role": col.text("Rôle", "Opérateur, partenaire ou autre nom du programme."),
        **sourced(),
    },
    group="Programme",
    unique=["programme_id", "actor", "role"],
)

PARTNERS = table(
    "partners",
    "Partenaires du programme",
    "Partenaires et leur rôle.",
    {
        "partner": col.text("Partenaire", "Nom.", key=True),
        "kind": col.text("Nature", "Nature de la structure.", nullable=True),
        "role": col.text("Rôle", "Rôle dans le programme.", nullable=True),
        "facts": col.text("Faits", "Résumé.", nullable=True),
        **sourced(),
    },
    group="Programme",
)

FIGURES = table(
    "figures",
    "Chiffres publiés",
    "Chaque chiffre avec sa ligne de document ; les chiffres déduits sont marqués.",
    {
        "figure_id": col.text("Identifiant", "Identifiant stable.", key=True),
        "value": col.number("Valeur", "Valeur publiée, ou borne basse.", nullable=True),
        "value_max": col.number("Valeur haute", "Borne haute quand le document donne un intervalle.", nullable=True),
        "qualifier": col.text("Qualificatif", "Plus de, environ, moyenne, déduit…", nullable=True),
        "unit": col.text("Unité", "Unité."),
        "meaning": col.text("Sens", "Ce que le chiffre compte."),
        "scope": col.text("Portée", "Édition, commune ou programme.", nullable=True),
        **sourced(),
    },
    group="Programme",
)

TIMELINE = table(
    "timeline",
    "Chronologie",
    "Évènements datés, avec la précision du document.",
    {
        "event_id": col.text("Identifiant", "Identifiant stable.", key=True),
        "edition": col.text("Édition", "0, 1, 2, 1+2 ou vide.", nullable=True),
        "date": col.date("Date", "Date publiée."),
        "date_precision": col.text("Précision", "Jour, mois, saison, année ou intervalle."),
        "event": col.text("Évènement", "Énoncé."),
        **sourced(),
    },
    group="Programme",
)

OBSTACLES = table(
    "obstacles",
    "Freins",
    "Freins cités par les communes et les porteurs, avec les leviers.",
    {
        "obstacle": col.text("Frein", "Nom.", key=True),
        "affects": col.text("Concerne", "Qui le rencontre."),
        "value": col.text("Mesure", "Note ou part publiée.", nullable=True),
        "description": col.text("Description", "Résumé."),
        "lever": col.text("Levier", "Levier cité.", nullable=True),
        **sourced(),
    },
    group="Programme",
)

REPLICABILITY_LEVELS = table(
    "replicability_levels",
    "Échelle de réplicabilité",
    "Cinq critères, quatre niveaux chacun. Aucune formule de synthèse n’est publiée.",
    {
        "criterion_id": col.text("Critère", "C1 à C5.", pattern=r"C[1-5]", hint="C1 à C5"),
        "criterion": col.text("Nom du critère", "Libellé."),
        "definition": col.text("Définition", "Définition."),
        "level": col.integer("Niveau", "0 à 3 ; ordinal.", low=0, high=3),
        "meaning": col.text("Sens du niveau", "Libellé du niveau."),
        **sourced(),
    },
    group="Programme",
    unique=["criterion_id", "level"],
)

CONTRADICTIONS = table(
    "contradictions",
    "Registre des contradictions",
    "Chiffres et faits publiés qui se contredisent, avec le traitement retenu : les deux versions restent visibles.",
    {
        "contradiction_id": col.text("Identifiant", "Identifiant stable.", key=True),
        "subject": col.text("Sujet", "De quoi il s’agit."),
        "finding": col.text("Constat", "Ce que disent les documents."),
        "treatment": col.text("Traitement", "Ce que fait cette étude."),
        **sourced(),
    },
    group="Programme",
)

TABLES = (
    PROJECTS,
    PROJECT_TAGS,
    PROJECT_NAMES,
    PROJECT_STATUSES_TABLE,
    PROJECT_PARTNERS,
    FUND_PROJECTS,
    PROGRAMMES,
    PROGRAMME_PLACES,
    PROGRAMME_ACTORS,
    PARTNERS,
    FIGURES,
    TIMELINE,
    OBSTACLES,
    REPLICABILITY_LEVELS,
    CONTRADICTIONS,
)
