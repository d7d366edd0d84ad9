"""Is this table of access made of yes and no?

The one guard of this package that `geo_qmi.guards` does not have already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo_qmi.errors import InputError, shown

if TYPE_CHECKING:
    import pandas as pd


def require_flags(frame: pd.DataFrame, *, what: str) -> None:
    """Raise `InputError` unless every column of `frame` is yes or no, nothing missing."""
    for column, dtype in frame.dtypes.items():
        if str(dtype) != "bool" and (str(dtype) != "boolean" or frame[column].isna().any()):
            raise InputError(
                f"{what}, « {shown(column)} » : attendu oui ou non pour chaque lieu (type {dtype} trouvé, ou valeurs "
                "manquantes). Calculez l’accès de chaque lieu avant de compter."
            )
