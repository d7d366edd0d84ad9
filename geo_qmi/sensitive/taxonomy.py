"""Which words did this campaign use for the frames, the senses and the themes?

The codes of `geo_qmi.vocabulary` stay those that are stored, compared and exported. A taxonomy is one editable table
beside them: it changes the French label of a code, and ties local words (« odeurs de cuisine ») to a code. So a
campaign speaks its own language and the schema still holds. It cannot create a theme the rest of the programme
does not know.
"""

from __future__ import annotations

import pandas as pd

from geo_qmi.errors import Defect, DefectsError, shown
from geo_qmi.guards import require_columns
from geo_qmi.vocabulary import READING_FRAMES, SENSES, THEMES, fold

#: Axis → code → French label.
AXES = {"frame": READING_FRAMES, "sense": SENSES, "theme": THEMES}


def default_taxonomy() -> pd.DataFrame:
    """Return the shipped taxonomy: every code of every axis with its label.

    Returns
    -------
    DataFrame
        Table ``taxonomy``: ``axis``, ``word``, ``code``, ``preferred`` (True: the word is the label of its code).
    """
    rows = [(axis, label, code, True) for axis, codes in AXES.items() for code, label in codes.items()]
    table = pd.DataFrame(rows, columns=["axis", "word", "code", "preferred"])
    return table.astype({"axis": "str", "word": "str", "code": "str", "preferred": "boolean"})


def check(taxonomy: pd.DataFrame) -> list[Defect]:
    """Return what keeps `taxonomy` from being used: unknown axes or codes, a word or a label given twice."""
    require_columns(taxonomy, ["axis", "word", "code", "preferred"], what="Taxonomie")
    found = []
    spoken: dict[tuple[str, str], str] = {}
    labelled: set[tuple[str, str]] = set()
    for label, row in taxonomy.iterrows():
        number = int(label) if isinstance(label, int) else None
        axis, code, word = str(row["axis"]), str(row["code"]), str(row["word"])
        if axis not in AXES:
            found.append(_fault(number, "axis", axis, f"axe inconnu ; attendu : {', '.join(AXES)}"))
        elif code not in AXES[axis]:
            found.append(_fault(number, "code", code, f"code inconnu ; attendu : {', '.join(AXES[axis])}"))
        if not fold(word):
            found.append(_fault(number, "word", word, "mot vide"))
        elif spoken.setdefault((axis, fold(word)), code) != code:
            found.append(_fault(number, "word", word, f"mot déjà donné à « {spoken[axis, fold(word)]} »"))
        if pd.notna(row["preferred"]) and bool(row["preferred"]):
            if (axis, code) in labelled:
                found.append(_fault(number, "preferred", word, f"deux libellés pour « {code} »"))
            labelled.add((axis, code))
    return found


def _fault(row: int | None, field: str, value: str, reason: str) -> Defect:
    return Defect(
        "error", reason, "corrigez la ligne de la taxonomie", layer="taxonomy", row=row, field=field, value=shown(value)
    )


def labels(taxonomy: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return axis → code → label, in the order of the vocabulary; a code without a preferred word keeps its own.

    Raises
    ------
    DefectsError
        See `check`.
    """
    _require_sound(taxonomy)
    chosen = taxonomy[taxonomy["preferred"].fillna(value=False)]
    said = {(axis, code): str(word) for axis, code, word in chosen[["axis", "code", "word"]].itertuples(index=False)}
    return {axis: {code: said.get((axis, code), text) for code, text in codes.items()} for axis, codes in AXES.items()}


def recode(observations: pd.DataFrame, *, taxonomy: pd.DataFrame) -> tuple[pd.DataFrame, list[Defect]]:
    """Return `observations` with local words replaced by codes, and the words that no row of `taxonomy` knows.

    Parameters
    ----------
    observations
        Columns ``frame``, ``sense``, ``theme`` where present; codes, labels and local words are taken in any case
        and with or without accents.
    taxonomy
        Table ``taxonomy``.

    Returns
    -------
    observations
        A copy; unknown words are left as they are, so that nothing is lost.
    defects
        One a row and column.
    """
    _require_sound(taxonomy)
    found = observations.copy()
    defects = []
    for axis, codes in AXES.items():
        if axis not in found:
            continue
        known = {fold(code): code for code in codes} | {fold(label): code for code, label in codes.items()}
        own = taxonomy[taxonomy["axis"] == axis]
        known |= {fold(word): code for word, code in zip(own["word"], own["code"], strict=True)}
        words = found[axis].dropna().astype("str")
        codes_of = words.map(lambda word, known=known: known.get(fold(word)))
        found[axis] = found[axis].mask(found.index.isin(codes_of.dropna().index), codes_of)
        for label, word in words[codes_of.isna()].items():
            number = int(label) if isinstance(label, int) else None
            reason = "mot absent de la taxonomie"
            defects.append(
                Defect("warning", reason, "ajoutez-le à taxonomy.csv", row=number, field=axis, value=shown(word))
            )
    return found, defects


def _require_sound(taxonomy: pd.DataFrame) -> None:
    defects = check(taxonomy)
    if defects:
        raise DefectsError(defects, title="Taxonomie refusée")
