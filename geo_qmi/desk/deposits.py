"""What does a file brought to the desk hold, what does each of its columns mean, and which rows may enter?

The steps of an upload, one function each, so that the user may correct between two: `layers`, `guessed`, `held`,
`accept`, `refused`. Reading is `geo_qmi.sources`, meaning is `geo_qmi.intake`, writing is the study's own.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import schema
from geo_qmi.errors import InputError, shown
from geo_qmi.export import export_frame
from geo_qmi.intake import take_in, write_quarantine
from geo_qmi.intake.columns import recognise
from geo_qmi.intake.places import WORDS, ways
from geo_qmi.sources.files import read_file
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from geo_qmi.errors import Defect
    from geo_qmi.intake import Intake
    from geo_qmi.sources.raw import RawTable
    from geo_qmi.workspace import Study

#: Rows of a preview, and characters of a cell in it.
PREVIEW_ROWS, _CELL_CHARS = 8, 80
#: Systems offered when a file does not tell its own.
SYSTEMS = {
    "": "celui que dit le fichier",
    "EPSG:4326": "longitude et latitude (WGS 84)",
    "EPSG:2154": "Lambert-93",
    "EPSG:3949": "conique conforme zone 49",
    "EPSG:27572": "Lambert II étendu",
    "EPSG:3857": "Web Mercator",
}
#: Advice worded for a terminal → the same for the screen.
_ON_SCREEN = (
    (r'ajoutez --map "[^"]*"', "choisissez son sens dans « Ce que veut dire chaque colonne »"),
    (r"ajoutez --update pour remplacer la ligne", "cochez « Remplacer les lignes déjà présentes »"),
    (r"ajoutez --crs EPSG:…", "choisissez-le dans « Système de coordonnées »"),
    (r"ajoutez --crs (EPSG:\d+)", r"choisissez \1 dans « Système de coordonnées »"),
)
_SEVERITIES = {"error": "refus", "warning": "à savoir"}
#: Characters of a cell of Excel, and what stands for a longer one.
_EXCEL_CHARS, _TOO_LONG = 32_767, "(trop long pour Excel : voir le fichier CSV)"


def layers(path: Path, name: str) -> list[RawTable]:
    """Return the layers or sheets of a file.

    Parameters
    ----------
    path
        The file, or a copy of it.
    name
        Its name, as the user knows it; the suffix is held against the bytes.

    Raises
    ------
    UnreadableError, LimitError
        As `geo_qmi.sources.files.read_file`.
    InputError
        The file holds no layer.
    """
    found = read_file(path, name=name)
    if not found:
        raise InputError(f"« {shown(name)} » n’a aucune couche à lire → vérifiez l’export.")
    return found


def preview(raw: RawTable) -> pd.DataFrame:
    """Return the first rows as text, with their number in the file and the kind of their geometry."""
    head = raw.frame.head(PREVIEW_ROWS)
    cells = {str(column): [_short(cell) for cell in head[column]] for column in head}
    if raw.geometry is not None:
        kinds = [None if shape is None else str(shape.geom_type) for shape in raw.geometry[: len(head)]]
        cells[_free("(géométrie)", cells)] = kinds
    shown_rows = pd.DataFrame(cells, dtype=object)
    shown_rows.insert(0, _free("n°", cells), head.index.tolist())
    return shown_rows


def _short(cell: Any) -> str | None:
    text = "" if cell is None else str(cell)
    return (text if len(text) <= _CELL_CHARS else f"{text[: _CELL_CHARS - 1]}…") or None


def _free(word: str, taken: Iterable[str]) -> str:
    """Return `word`, or a variant that is not in `taken`."""
    while word in taken:
        word += "_"
    return word


def guessed(raw: RawTable, table: str) -> dict[str, str]:
    """Return what the name of each column of the file says.

    Returns
    -------
    dict
        Column of the file → column of `table`, a word of `geo_qmi.intake.places.WORDS`, or nothing.
    """
    seen = recognise(raw.frame, table)
    found = dict.fromkeys(map(str, raw.frame.columns), "")
    found |= {own: column for column, own in seen.taken.items()}
    found |= {own: column for column, owners in seen.clashes.items() for own in owners}
    if schema.geometry_types(table) and raw.geometry is None:
        found |= ways(found, taken={own for own, column in found.items() if column})
    return found


def meanings(table: str) -> dict[str, str]:
    """Return what a column of a file may mean for `table` → French words, nothing first.

    Examples
    --------
    >>> list(meanings("applications").items())[:2]
    [('', 'ignorer'), ('application_id', 'Identifiant de la candidature *')]
    """
    words = {"": "ignorer"}
    for column, spec in schema.columns(table).items():
        if column != "geometry":
            compulsory = not spec.nullable and spec.metadata["default"] is None and column != "source"
            words[column] = f"{spec.title}{' *' if compulsory else ''}"
    if schema.geometry_types(table):
        words |= {word: f"lieu : {label}" for word, label in WORDS.items()}
    return words


def held(
    raw: RawTable,
    table: str,
    *,
    chosen: Mapping[str, str] | None = None,
    crs: str = "",
    known: Mapping[str, pd.DataFrame],
    update: bool = False,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Intake:
    """Return what becomes of each record under the meanings chosen by the user.

    Parameters
    ----------
    raw, table, known, update, announce
        As `geo_qmi.intake.take_in`.
    chosen
        As `guessed`, corrected; only what differs from the guess is imposed. A column left out keeps its guess.
    crs
        System chosen by the user; what the file says when empty.

    Raises
    ------
    InputError
        Two columns are given one meaning.
    """
    guess = guessed(raw, table)
    corrected = {column: meant for column, meant in (chosen or {}).items() if guess.get(column) != meant}
    meant = Counter(target for target in {**guess, **corrected}.values() if target)
    for column, target in corrected.items():
        if meant[target] > 1:
            others = [other for other, one in {**guess, **corrected}.items() if one == target and other != column]
            raise InputError(
                f"« {shown(column)} » et « {shown(others[0])} » sont toutes deux « {meanings(table)[target]} » : "
                "mettez l’une des deux sur « ignorer »."
            )
    return take_in(raw, table, crs=crs or None, mapping=corrected, known=known, update=update, announce=announce)


def defect_rows(defects: Iterable[Defect]) -> pd.DataFrame:
    """Return every defect as a row for people: severity, row, column, value, reason, what to do on the screen."""
    rows = [
        {
            "Gravité": _SEVERITIES[defect.severity],
            "Ligne": defect.row,
            "Identifiant": defect.id or None,
            "Colonne": defect.field or None,
            "Valeur": defect.value or None,
            "Défaut": defect.reason,
            "À faire": on_screen(defect.proposal),
        }
        for defect in defects
    ]
    columns = ["Gravité", "Ligne", "Identifiant", "Colonne", "Valeur", "Défaut", "À faire"]
    return pd.DataFrame(rows, columns=columns).astype({"Ligne": "Int64"})


def on_screen(advice: str) -> str:
    """Return an advice of the engine in the words of the page.

    Examples
    --------
    >>> on_screen("ajoutez --crs EPSG:2154 (Lambert-93, en mètres)")
    'choisissez EPSG:2154 dans « Système de coordonnées » (Lambert-93, en mètres)'
    """
    for pattern, words in _ON_SCREEN:
        advice = re.sub(pattern, words, advice)
    return advice


def refused(took: Intake, suffix: str) -> bytes:
    """Return the records kept out, with their reasons, as ``.csv`` (French Excel) or ``.xlsx``, to be corrected.

    A cell too long for a workbook is replaced by a sentence there; the CSV holds everything.
    """
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as folder:
        path = Path(folder) / f"lignes_refusees{suffix}"
        if suffix == ".csv":
            write_quarantine(took, path)
        else:
            frame = took.quarantined
            cells = {str(column): [_excel(cell) for cell in frame[column]] for column in frame}
            numbers = {_free("ligne", cells): frame.index.astype("Int64")}
            export_frame(pd.DataFrame({**numbers, **cells}), path, title="Lignes refusées", private=True)
        return path.read_bytes()


def _excel(cell: Any) -> str | None:
    if cell is None or cell is pd.NA or cell != cell:  # noqa: PLR0124 - NaN
        return None
    text = "".join(sign for sign in str(cell) if sign.isprintable() or sign in "\n\t")
    return _TOO_LONG if len(text) > _EXCEL_CHARS else text


def accept(study: Study, took: Intake, *, file: str, reason: str, actor: str, update: bool, version: int) -> str:
    """Write the accepted rows of an intake into a study, and return the sentence that says so.

    Parameters
    ----------
    file
        Name of the file, for the journal.
    reason, actor
        Why and who, both asked.
    update
        Rows already there are replaced, when the table is still at `version`.
    version
        Of the table when `took` was made.

    Raises
    ------
    InputError
        Nothing to write, or nobody says why or who.
    ConflictError, DefectsError, StudyError
        Nothing is written.
    """
    why, who = signed(reason, actor)
    if not took.n_ok:
        raise InputError(f"Aucune ligne à enregistrer : {counted(took.n_in, 'ligne refusée')}, aucune acceptée.")
    told = f"{why} (import de « {shown(file)} » : {counted(took.n_ok, 'ligne')} sur {took.n_in})"
    rows = took.accepted.reset_index(drop=True)
    if update:
        study.upsert(took.table, rows, reason=told, actor=who, expected_version=version)
    else:
        study.append(took.table, rows, reason=told, actor=who)
    new = took.n_ok - took.n_replaced
    return (
        f"{counted(new, 'ligne ajoutée')} et {counted(took.n_replaced, 'mise à jour')} "
        f"dans « {schema.label(took.table)} » ; {counted(took.n_quarantined, 'refusée')}."
    )


def signed(reason: str, actor: str) -> tuple[str, str]:
    """Return why and who without blanks around, or raise `InputError` when one is missing."""
    why, who = reason.strip(), actor.strip()
    if not (why and who):
        raise InputError("Rien n’a été enregistré : dites qui enregistre et pourquoi, le journal le garde.")
    return why, who
