"""Has this frame the columns and the identifiers it needs?

The guards that every wing sets at its doors. Each refusal is one French sentence: what, what was found, what to do.
What a cell may hold is said by `geo_qmi.schema`; metres and degrees by `geo_qmi.geo`. Nothing here mends a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_qmi.errors import InputError, quoted
from geo_qmi.wording import agreed, counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd


def require_columns(frame: pd.DataFrame, columns: Iterable[str], *, what: str) -> None:
    """Raise `InputError` unless `frame` has all of `columns`; `what` names the frame in French."""
    missing = [column for column in columns if column not in frame]
    if missing:
        raise InputError(
            f"{what} : {agreed(len(missing), 'colonne absente')} : {', '.join(missing)}. "
            f"Colonnes présentes : {', '.join(map(str, frame.columns)) or 'aucune'}."
        )


def require_present(ids: pd.Series | pd.Index, *, what: str) -> None:
    """Raise `InputError` unless every identifier is present; `what` names them in French."""
    n_missing = int(np.asarray(ids.isna()).sum())
    if n_missing:
        raise InputError(f"{what} : {counted(n_missing, 'identifiant manquant')}. Renseignez chaque ligne.")


def require_ids(ids: pd.Series | pd.Index, *, what: str) -> None:
    """Raise `InputError` unless every identifier is present and unique; `what` names them in French."""
    require_present(ids, what=what)
    twice = sorted({str(value) for value in ids[ids.duplicated()]})
    if twice:
        raise InputError(
            f"{what} : {agreed(len(twice), 'identifiant présent')} plusieurs fois : {quoted(twice)}. "
            "Donnez un identifiant différent à chaque ligne."
        )
