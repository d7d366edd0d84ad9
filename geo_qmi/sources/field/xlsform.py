"""Which form do KoboToolbox, ODK and kindred tools need so that a walk comes back readable?

An XLSForm: one submission a person; the stages, the observations and the statements are repeat groups. The names of
its questions are the words `geo_qmi.sources.field.words` knows, its choices the codes of `geo_qmi.vocabulary`. It
asks for no name, telephone or mail, and each record makes its own identifier, so that edits find it again.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from geo_qmi.vocabulary import (
    ACTOR_GROUPS,
    OBSERVATION_KINDS,
    READING_FRAMES,
    SENSES,
    STATEMENT_SCOPES,
    THEMES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Version of the form; a server refuses to replace a form by another of the same version.
VERSION = "1"
FORM_ID = "geo_qmi_marche_sensible"
VALENCES = {
    "-2": "très négatif (−2)",
    "-1": "négatif (−1)",
    "0": "neutre (0)",
    "1": "positif (+1)",
    "2": "très positif (+2)",
}
INTENSITIES = {"1": "à peine", "2": "un peu", "3": "nettement", "4": "fort", "5": "très fort"}
#: List of choices → code → French label.
CHOICES: Mapping[str, Mapping[str, str]] = {
    "actor_group": ACTOR_GROUPS,
    "kind": OBSERVATION_KINDS,
    "frame": READING_FRAMES,
    "sense": SENSES,
    "theme": THEMES,
    "valence": VALENCES,
    "intensity": INTENSITIES,
    "scope": STATEMENT_SCOPES,
}
_COLUMNS = (
    "type",
    "name",
    "label",
    "hint",
    "required",
    "relevant",
    "constraint",
    "constraint_message",
    "calculation",
    "appearance",
    "default",
    "parameters",
)
_FELT = "${kind} = 'mark'"
_MISSING = "${kind} = 'absence'"


def form(*, session: str, title: str) -> bytes:
    """Return the XLSForm as the bytes of an ``.xlsx``.

    Parameters
    ----------
    session
        Code proposed for the session; may be empty.
    title
        Title shown on the telephone.
    """
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "survey"
    sheet.append(_COLUMNS)
    for row in _survey(session):
        sheet.append([row.get(column) for column in _COLUMNS])
    choices = book.create_sheet("choices")
    choices.append(("list_name", "name", "label"))
    for name, codes in CHOICES.items():
        for code, label in codes.items():
            choices.append((name, code, label))
    settings = book.create_sheet("settings")
    settings.append(("form_title", "form_id", "version", "default_language", "instance_name"))
    settings.append((title, FORM_ID, VERSION, "fr", "concat(${session}, ' ', ${participant})"))
    for page in book.worksheets:
        page.freeze_panes = "A2"
        for letter, width in (("A", 24), ("B", 20), ("C", 52), ("D", 52)):
            page.column_dimensions[letter].width = width
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _survey(session: str) -> Iterator[dict[str, str]]:
    yield {"type": "start", "name": "start"}
    yield {"type": "end", "name": "end"}
    yield _note(
        "privacy", "Ni nom, ni téléphone, ni adresse : votre pseudonyme suffit. Évitez les visages et les plaques."
    )
    yield _ask("text", "session", "Code de la séance", required="yes", default=session)
    yield _ask(
        "text",
        "participant",
        "Votre pseudonyme",
        hint="Un mot choisi par vous, le même pendant toute la marche.",
        required="yes",
        constraint="not(contains(., '@')) and string-length(.) <= 20",
        constraint_message="Pas d’adresse ni de nom complet : un mot de 20 signes au plus.",
    )
    yield _ask("select_one actor_group", "actor_group", "Vous êtes", required="yes")
    yield _ask("geotrace", "route", "Parcours suivi", hint="Une personne par groupe suffit.")
    yield from _repeat("stages", "Étape", _stage())
    yield from _repeat("observations", "Observation", _observation())
    yield from _repeat("statements", "Propos de fin de marche", _statement())


def _stage() -> Iterator[dict[str, str]]:
    yield _calculated("stage_uid", "once(uuid())")
    yield _ask("integer", "stage_rank", "Numéro de l’étape", required="yes", constraint=". >= 1 and . <= 99")
    yield _ask("text", "stage_name", "Nom de l’étape", required="yes")
    yield _ask("geopoint", "stage_place", "Où ?", required="yes")


def _observation() -> Iterator[dict[str, str]]:
    yield _calculated("uid", "once(uuid())")
    yield _calculated("time", "once(now())")
    yield _calculated("rank", "position(..)")
    yield _ask("select_one kind", "kind", "Que notez-vous ?", required="yes", default="mark")
    yield _ask("geopoint", "place", "Où ?", required="yes", relevant="${kind} != 'absence'")
    yield _ask("geoshape", "area", "Où cela manque-t-il ?", relevant=_MISSING, hint="Laissez vide si c’est partout.")
    yield _ask("text", "wished", "Qu’est-ce qui manque ?", required="yes", relevant=_MISSING)
    yield _ask("select_one frame", "frame", "Grille de lecture", relevant="${kind} != 'silence'")
    yield _ask("select_one sense", "sense", "Quel sens ?", relevant=_FELT)
    yield _ask("select_one theme", "theme", "Thème", relevant="${kind} != 'silence'", appearance="minimal")
    yield _ask("select_one valence", "valence", "Comment le ressentez-vous ?", required="yes", relevant=_FELT)
    yield _ask("select_one intensity", "intensity", "Avec quelle force ?", relevant=_FELT, appearance="minimal")
    yield _ask("text", "verbatim", "Vos mots", appearance="multiline")
    yield _ask("image", "photo", "Photo", parameters="max-pixels=2048", hint="Sans visage ni plaque.")


def _statement() -> Iterator[dict[str, str]]:
    yield _calculated("statement_uid", "once(uuid())")
    yield _ask("select_one scope", "scope", "Qui parle ?", required="yes", default="collective")
    yield _ask("text", "statement", "Propos", required="yes", appearance="multiline")
    yield _ask("select_one theme", "statement_theme", "Thème", appearance="minimal")
    yield _ask("select_one valence", "statement_valence", "Tonalité", appearance="minimal")
    yield _ask("geopoint", "statement_place", "Lieu, s’il y en a un")


def _ask(kind: str, name: str, label: str, **further: str) -> dict[str, str]:
    return {"type": kind, "name": name, "label": label, **{key: cell for key, cell in further.items() if cell}}


def _note(name: str, label: str) -> dict[str, str]:
    return {"type": "note", "name": name, "label": label}


def _calculated(name: str, calculation: str) -> dict[str, str]:
    return {"type": "calculate", "name": name, "calculation": calculation}


def _repeat(name: str, label: str, questions: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    yield {"type": "begin_repeat", "name": name, "label": label}
    yield from questions
    yield {"type": "end_repeat", "name": name}
