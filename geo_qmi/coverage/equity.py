"""Is everybody served alike, and may the answer be shown?

The share within reach of each group (inside or outside a priority district, by age, by income), with the size of the
group. Statistical secrecy comes first: under the floor no number of people and no share leaves, and other groups are
withheld beside where a subtraction would give the small one away.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo_qmi.coverage.inputs import require_flags
from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.guards import require_columns, require_ids

#: Households under which INSEE publishes no figure from tax data on small areas.
SECRECY_FLOOR = 11

#: The parts of a group that a published row describes: all of it, served, unserved.
_PARTS = ("", "_reached", "_left")
_SMALL = "groupe sous le seuil de secret"
_PART = "partie desservie ou non desservie sous le seuil de secret"
_DEDUCED = "masqué pour qu’une soustraction ne révèle pas un autre groupe"
_UNKNOWN = "nombre de ménages inconnu pour une partie du groupe"


def equity(reached: pd.Series, groups: pd.DataFrame, *, floor: int = SECRECY_FLOOR) -> pd.DataFrame:
    """Return the share of each group within reach, withheld under the secrecy floor.

    A share is withheld when the households of the group, of its served part or of its unserved part are fewer than
    `floor` without being none: each of the three is a figure on those households. Groups that hide the withheld ones
    from a subtraction are withheld too. Trap: two publications of the same groups with neighbouring radii can be
    subtracted from each other; publish one.

    Parameters
    ----------
    reached
        Place → yes or no, all places.
    groups
        ``place_id``, ``dimension`` (QPV, âge, revenu…), ``group``, ``people``, ``households`` (≥ 0, missing when
        unknown); one row a place × dimension × group.
    floor
        Smallest number of households a figure may describe.

    Returns
    -------
    DataFrame
        ``dimension``, ``group`` (both sorted), ``people``, ``people_reached``, ``share``, ``households`` (missing when
        withheld or unknown), ``withheld``, ``reason`` (French, empty when shown).

    Raises
    ------
    InputError, UnknownNameError
        Missing columns, repeated rows, negative numbers, a place whose reach is not given, a floor below 1.
    """
    require_columns(groups, ["place_id", "dimension", "group", "people", "households"], what="Groupes")
    require_ids(reached.index, what="Accès, lieux")
    require_flags(reached.to_frame("accès"), what="Accès")
    if isinstance(floor, bool) or not isinstance(floor, int | np.integer) or floor < 1:
        raise InputError(f"Seuil de secret : « {shown(floor)} ». Attendu : un nombre entier de ménages, 1 au moins.")
    table = _checked(groups, reached)
    inside = table["place_id"].map(reached.set_axis(reached.index.astype("str"))).astype(bool)
    keys = [table["dimension"], table["group"]]
    masks = dict(zip(_PARTS, (inside | True, inside, ~inside), strict=True))
    parts = {
        f"{column}{part}": table[column].where(rows, 0.0)
        for column in ("people", "households")
        for part, rows in masks.items()
    }
    # A sum is unknown as soon as one of its terms is.
    known = pd.DataFrame(parts).groupby(keys, sort=True).sum(skipna=False)
    reason = _cover_lone(_own_reason(known, floor), known, floor)
    frame = known[["people", "people_reached", "households"]].copy()
    frame.insert(2, "share", (known["people_reached"] / known["people"]).where(known["people"] > 0))
    withheld = reason != ""
    frame.loc[withheld.to_numpy()] = np.nan
    return frame.assign(withheld=withheld, reason=reason).reset_index()


def _own_reason(known: pd.DataFrame, floor: int) -> pd.Series:
    """Return why each group is withheld for itself; empty when it is not."""
    reason = pd.Series("", index=known.index, dtype="str")
    for part in reversed(_PARTS):
        homes, people = known[f"households{part}"], known[f"people{part}"]
        reason[(homes < floor) & ((homes > 0) | (people > 0))] = _PART if part else _SMALL
    reason[known["households"].isna()] = _UNKNOWN
    return reason


def _cover_lone(reason: pd.Series, known: pd.DataFrame, floor: int) -> pd.Series:
    """Withhold more groups, the smallest first, until the withheld ones of a dimension hide each other.

    The total of a dimension is often known from another one: what is withheld can be had by subtraction, together. So
    there are never exactly one, and together their parts are above the floor.
    """
    covered = reason.copy()
    homes = [f"households{part}" for part in _PARTS]
    for dimension in covered.index.get_level_values(0).unique():
        own = known.loc[[dimension]]
        waiting = own[own["people"] > 0].sort_values("households", kind="stable").index
        for group in waiting[(covered.loc[waiting] == "").to_numpy()]:
            hidden = own[(covered.loc[own.index] != "").to_numpy()]
            together = hidden[homes].sum()
            if hidden.empty or (len(hidden) > 1 and ((together == 0) | (together >= floor)).all()):
                break
            covered.loc[group] = _DEDUCED
    return covered


def _checked(groups: pd.DataFrame, reached: pd.Series) -> pd.DataFrame:
    """Return the groups with text keys and float numbers, or raise."""
    keys = ["place_id", "dimension", "group"]
    if groups[keys].isna().any(axis=None):
        raise InputError("Groupes : lieu, dimension ou groupe manquant. Renseignez chaque ligne.")
    table = groups.astype(dict.fromkeys(keys, "str"))
    unknown = table[~table["place_id"].isin(reached.index.astype("str"))]
    if len(unknown):
        raise UnknownNameError(
            f"Groupes : accès inconnu pour le lieu « {shown(unknown['place_id'].iloc[0])} ». Calculez-le ou retirez-le."
        )
    if table.duplicated(keys).any():
        row = table[table.duplicated(keys)].iloc[0]
        raise InputError(
            f"Groupes : ligne présente deux fois : {shown(row['place_id'])} / {shown(row['dimension'])} / "
            f"{shown(row['group'])}. Gardez-en une seule."
        )
    for column in ("people", "households"):
        numbers = pd.to_numeric(table[column], errors="coerce").astype("float64")
        wrong = (numbers.isna() & table[column].notna()) | (numbers < 0) | np.isinf(numbers)
        if wrong.any():
            raise InputError(
                f"Groupes, « {column} » : « {shown(table.loc[wrong, column].iloc[0])} ». "
                "Attendu : un nombre positif ou nul, ou rien."
            )
        table[column] = numbers
    return table
