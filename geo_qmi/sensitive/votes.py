"""What is the vote of each person at each place?

One person, one vote: the marks a person left at a place make one vote, their mean, however many they are. Somebody who
marked ten times weighs there as much as somebody who marked once. Rows name a pseudonym: they are private and feed
`geo_qmi.sensitive.values`, which does not. Silences and absences are not votes; neither is a mark without a valence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_qmi.guards import require_columns
from geo_qmi.sensitive.inputs import SCALE, require_observations, require_places
from geo_qmi.sensitive.places import SEGMENT_REACH_M, positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Columns holding the part of a vote given to each answer of the scale, from −2 to +2.
SHARES = ("share_m2", "share_m1", "share_0", "share_p1", "share_p2")


def votes(
    observations: gpd.GeoDataFrame,
    *,
    places: gpd.GeoDataFrame,
    by: Sequence[str] = (),
    reach_m: float = SEGMENT_REACH_M,
) -> pd.DataFrame:
    """Return the vote of each person at each place where they left a mark with a valence.

    Parameters
    ----------
    observations
        Table ``observations`` in EPSG:2154, with the columns of `by`.
    places
        See `geo_qmi.sensitive.places`.
    by
        Columns of `observations` whose values keep votes apart, such as ``actor_group``, ``session_id``, ``theme``;
        missing values make a group of their own.
    reach_m
        See `geo_qmi.sensitive.places.attach`.

    Returns
    -------
    DataFrame
        Private. Columns of `by`, ``place`` (index label of `places`), ``participant_id``, ``vote`` (−2 to +2),
        ``n_observations``, and the five columns `SHARES` that sum to 1; sorted by group, place, person.
    """
    cast = ballots(observations, places=places, by=by, reach_m=reach_m)
    n_people = max(len(cast.people), 1)
    keys, vote = distinct((cast.group * len(places) + cast.place) * n_people + cast.person)
    counts = tallied(vote, cast.answer, n=len(keys))
    n_marks = counts.sum(axis=1)
    at, who = np.divmod(keys, n_people)
    of_group, at = np.divmod(at, max(len(places), 1))
    found = cast.groups.iloc[of_group].reset_index(drop=True)
    found["place"] = places.index[at]
    found["participant_id"] = pd.Series(cast.people[who], dtype="str")
    found["vote"] = (counts @ np.array(SCALE)) / n_marks
    found["n_observations"] = n_marks
    found[list(SHARES)] = counts / n_marks[:, None]
    return found


@dataclass(frozen=True, slots=True)
class Ballots:
    """Marks with a valence, one element a mark and place it speaks of.

    Attributes
    ----------
    row, place
        Row numbers in the observations and in the places.
    person, people
        Number of the person, and their pseudonyms, sorted.
    group, groups
        Number of the group, and one row of the columns of `by` for each.
    answer
        Position on the scale, 0 for −2.
    """

    row: NDArray[np.intp]
    place: NDArray[np.intp]
    person: NDArray[np.intp]
    people: NDArray[np.object_]
    group: NDArray[np.intp]
    groups: pd.DataFrame
    answer: NDArray[np.intp]


def ballots(observations: gpd.GeoDataFrame, *, places: gpd.GeoDataFrame, by: Sequence[str], reach_m: float) -> Ballots:
    """Return the marks that vote, as numbers; parameters of `votes`."""
    require_observations(observations, *by)
    require_places(places)
    marks = np.flatnonzero(marked(observations))
    row, place = positions(observations.geometry.to_numpy()[marks], places=places, reach_m=reach_m)
    rows = marks[row]
    answer = observations["valence"].to_numpy(dtype=float, na_value=np.nan)[rows].astype(np.intp) - SCALE[0]
    person, people = pd.factorize(observations["participant_id"], sort=True)
    group, groups = _groups(observations, rows, by=by)
    return Ballots(rows, place, person[rows], np.asarray(people, dtype=object), group, groups, answer)


def distinct(keys: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct `keys` in order and the number of each key among them; counts them when they are dense."""
    if not keys.size or keys.max() > 8 * keys.size + 1_000_000:
        return np.unique(keys, return_inverse=True)
    there = np.bincount(keys) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]


def tallied(slot: NDArray[np.intp], answer: NDArray[np.intp], *, n: int) -> NDArray[np.intp]:
    """Return how often each answer of the scale was given in each of `n` slots."""
    return np.bincount(slot * len(SCALE) + answer, minlength=n * len(SCALE)).reshape(-1, len(SCALE))


def marked(observations: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which observations are marks that carry a valence."""
    return np.asarray((observations["kind"] == "mark") & observations["valence"].notna(), dtype=bool)


def _groups(
    observations: gpd.GeoDataFrame, rows: NDArray[np.intp], *, by: Sequence[str]
) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """Return the number of the group of each row, and the groups, sorted."""
    if not by:
        return np.zeros(len(rows), dtype=np.intp), pd.DataFrame(index=[0])
    told = observations.loc[:, list(by)].iloc[rows]
    grouped = told.groupby(list(by), dropna=False, sort=True)
    number = grouped.ngroup().to_numpy(dtype=np.intp)
    first = np.unique(number, return_index=True)[1]
    return number, pd.DataFrame(told.iloc[first]).reset_index(drop=True)


def with_groups(
    observations: gpd.GeoDataFrame,
    *,
    participants: pd.DataFrame | None = None,
    sessions: pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Return `observations` with who speaks and at which kind of event, to keep votes apart.

    Parameters
    ----------
    observations
        Table ``observations``.
    participants
        Table ``participants``; gives ``actor_group``.
    sessions
        Table ``sessions``; gives ``session_kind`` and ``district_id``.

    Returns
    -------
    The same rows and index with the columns added; missing where the person or session is not in its table.
    """
    found = observations.copy()
    if participants is not None:
        require_columns(participants, ["participant_id", "actor_group"], what="Participants")
        found["actor_group"] = found["participant_id"].map(participants.set_index("participant_id")["actor_group"])
    if sessions is not None:
        require_columns(sessions, ["session_id", "kind", "district_id"], what="Séances")
        known = sessions.set_index("session_id")
        found["session_kind"] = found["session_id"].map(known["kind"])
        found["district_id"] = found["session_id"].map(known["district_id"])
    return found


def with_interviews(observations: gpd.GeoDataFrame, *, statements: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `observations` with the placed individual statements of interviews as marks of one voice an interview.

    For laying kinds of event side by side only: the people of an interview are not walkers, and the values of a walk
    stay without them.

    Parameters
    ----------
    observations, statements
        Tables of those names, in EPSG:2154; collective statements stay out, they are nobody's.

    Returns
    -------
    The rows of both, on a fresh index.
    """
    needed = ["statement_id", "session_id", "scope", "valence", "geometry"]
    require_columns(statements, needed, what="Propos")
    said = statements[statements["scope"].eq("individual") & statements.geometry.notna()]
    told = said.rename(columns={"statement_id": "observation_id"}).assign(
        participant_id=said["session_id"], kind=pd.Series("mark", index=said.index, dtype="str")
    )
    shared = [column for column in observations.columns if column in told]
    return gpd.GeoDataFrame(pd.concat([observations, told[shared]], ignore_index=True), crs=observations.crs)
