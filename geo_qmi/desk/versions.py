"""Somebody else wrote the table I was correcting: what did each of us change, and how are both kept?

`versions` lays mine and the file's side by side, cell by cell; `carried` puts my cells on top of theirs, so that only
cells changed on both sides ask for a decision. Nothing is written here, and nobody wins in silence.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi import schema
from geo_qmi.desk.ledger import ROW, edits, headings, keys_of, plain_cells, said
from geo_qmi.intake.report import write_csv

if TYPE_CHECKING:
    from geo_qmi.desk.ledger import Opened


def versions(opened: Opened, mine: pd.DataFrame, theirs: Opened) -> pd.DataFrame:
    """Return, cell by cell, what I changed and what the file says now, and the cells somebody else changed too.

    Returns
    -------
    DataFrame
        Identifiant, Colonne, Lue, La mienne, Celle du fichier, Constat; one row for each cell either side changed.
    """
    before, now = opened.cells, theirs.cells
    titles, keys = headings(opened.name), schema.key_columns(opened.name)
    old, new = (dict(zip(keys_of(frame, keys), frame.to_dict("records"), strict=True)) for frame in (before, now))
    own = {row[ROW]: row for row in mine.to_dict("records")}
    me = {key: own.get(row[ROW]) for key, row in old.items()}
    kept = {row[ROW] for row in old.values()}
    me |= {keys_of(pd.DataFrame([row]), keys)[0]: row for number, row in own.items() if number not in kept}
    rows = []
    for key in sorted({*old, *new, *me}, key=str):
        states = (old.get(key), me.get(key), new.get(key))
        named = " + ".join(str(part) for part in key)
        if not all(states):
            cells = [None if state is None else "présente" for state in states]
            columns = {"(ligne)": cells}
        else:
            columns = {column: [said(state[column]) for state in states] for column in (*titles, *opened.axes)}  # type: ignore[index]
        for column, (read_as, kept_mine, there) in columns.items():
            if read_as == kept_mine == there:
                continue
            title = titles.get(column, column)
            rows.append((named, title, read_as, kept_mine, there, _finding(read_as, kept_mine, there)))
    names = ["Identifiant", "Colonne", "Lue", "La mienne", "Celle du fichier", "Constat"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def comparison_bytes(table: pd.DataFrame) -> bytes:
    """Return a table of `versions` or `changes` as CSV for French Excel, so that nothing typed is ever lost."""
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as folder:
        path = Path(folder) / "versions.csv"
        return write_csv(path, [str(column) for column in table], table.itertuples(index=False, name=None)).read_bytes()


def _finding(read_as: str | None, mine: str | None, there: str | None) -> str:
    if mine == there:
        return "même changement des deux côtés"
    if read_as == there:
        return "changée par moi seulement"
    return "changée dans le fichier seulement" if read_as == mine else "changée des deux côtés : à décider"


def carried(opened: Opened, mine: pd.DataFrame, theirs: Opened) -> pd.DataFrame:
    """Return the sheet of the file with my changes on top: my cells win, every other cell is the file's.

    A row I changed and somebody removed comes back as a new row; a row I removed leaves.
    """
    before, out = opened.cells, theirs.cells
    done, keys = edits(before, mine), schema.key_columns(opened.name)
    place = dict(zip(keys_of(out, keys), out.index, strict=True))
    key_of = dict(zip(before[ROW], keys_of(before, keys), strict=True))
    own = mine.set_index(ROW, drop=False)
    out = out.astype(object)
    back = []
    for row, columns in done.changed.items():
        if key_of[row] in place:
            out.loc[place[key_of[row]], columns] = own.loc[row, columns].to_numpy()
        else:
            back.append(row)
    gone = [place[key_of[row]] for row in done.removed if key_of[row] in place]
    added = own.loc[[*back, *done.added]].astype(object)
    added[ROW] = np.arange(len(added)) + len(theirs.frame) + 1
    both = pd.concat([out.drop(index=gone), added], ignore_index=True)
    return plain_cells(both, like=before)
