"""What is felt at each place, by how many people, and do they agree?

A value is the mean over people of their votes at the place; the evidence behind it (sessions, people, observations) is
told beside it and never mixed into it. No evidence, no value: the cell is empty, not zero. The state of a place says
which nothing is meant: nobody walked there, or people walked and felt nothing. It draws and smooths nothing.

Traps: a value near 0 is either « people feel neutral » or « people cancel out », so read the polarisation; one person
is evidence of one person, so read ``n_people``; a silence is not a vote for 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_qmi.guards import require_columns
from geo_qmi.sensitive.dissensus import polarisation
from geo_qmi.sensitive.inputs import FLOOR_PEOPLE, SCALE
from geo_qmi.sensitive.places import SEGMENT_REACH_M, WALK_REACH_M, n_walks, positions
from geo_qmi.sensitive.votes import ballots, distinct, tallied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

#: A place is divided when the smaller of its two camps, for and against, holds at least a third of those who took
#: sides: one dissenting voice in ten is not a conflict, one in three is.
CAMP_SHARE = 1 / 3


def values(
    observations: gpd.GeoDataFrame,
    *,
    places: gpd.GeoDataFrame,
    by: Sequence[str] = (),
    reach_m: float = SEGMENT_REACH_M,
) -> pd.DataFrame:
    """Return the felt value of each place, its evidence and its dissensus, one person one vote.

    Parameters
    ----------
    observations
        Table ``observations`` in EPSG:2154, with the columns of `by`.
    places
        See `geo_qmi.sensitive.places`; any polygons will do, whole districts included.
    by
        Columns of `observations` kept apart (``actor_group``, ``session_id``, ``session_kind``, ``theme``…): see
        `geo_qmi.sensitive.votes.with_groups`.
    reach_m
        See `geo_qmi.sensitive.places.attach`.

    Returns
    -------
    DataFrame
        ``value`` (−2 to +2), ``polarisation`` (0–1, NaN under two people), ``n_people``, ``n_positive`` and
        ``n_negative`` (people whose vote has that sign), ``n_sessions``, ``n_observations``. Without `by`: on the
        index of `places`, counts 0 and values NaN where nothing was said. With `by`: one row a group and place with
        evidence, columns of `by` and ``place`` first.
    """
    cast = ballots(observations, places=places, by=by, reach_m=reach_m)
    slots, slot = distinct(cast.group * len(places) + cast.place)
    # Somebody who took part in several sessions still has one vote at a place: their marks are pooled.
    n_voters = max(len(cast.people), 1)
    pooled, ballot = distinct(slot * n_voters + cast.person)
    answers = tallied(ballot, cast.answer, n=len(pooled))
    found = _measures(answers, pooled // n_voters, len(slots))
    session = pd.factorize(observations["session_id"])[0][cast.row]
    n_sessions = session.max(initial=0) + 1
    found["n_sessions"] = np.bincount(distinct(slot * n_sessions + session)[0] // n_sessions, minlength=len(slots))
    found["n_observations"] = np.bincount(slot, minlength=len(slots))
    of_group, where = np.divmod(slots, max(len(places), 1))
    if not by:
        table = found.set_axis(places.index[where]).reindex(places.index)
        counts = ["n_people", "n_positive", "n_negative", "n_sessions", "n_observations"]
        table[counts] = table[counts].fillna(0).astype(np.int64)
        return table
    labels = cast.groups.iloc[of_group].reset_index(drop=True)
    labels["place"] = places.index[where]
    return pd.concat([labels, found], axis=1)


def _measures(answers: NDArray[np.intp], owner: NDArray[np.intp], n_slots: int) -> pd.DataFrame:
    """Return value, polarisation and people of each slot from the number of each answer of each person."""
    n_marks = answers.sum(axis=1)
    votes = (answers @ np.array(SCALE)) / n_marks  # whole numbers first: who answers +1 and −1 is exactly at 0
    shares = answers / n_marks[:, None]
    n_people = np.bincount(owner, minlength=n_slots)
    spread = polarisation(_sums(shares, owner, n_slots))
    mean = np.bincount(owner, weights=votes, minlength=n_slots) / n_people
    return pd.DataFrame(
        {
            "value": np.round(mean, 12) + 0.0,  # no −0 and no 10⁻¹⁷ where people cancel out
            "polarisation": np.where(n_people >= 2, spread, np.nan),
            "n_people": n_people,
            "n_positive": np.bincount(owner[votes > 0], minlength=n_slots),
            "n_negative": np.bincount(owner[votes < 0], minlength=n_slots),
        }
    )


def _sums(rows: NDArray[np.float64], slot: NDArray[np.intp], n_slots: int) -> NDArray[np.float64]:
    """Return the sum of the rows of each slot, column by column."""
    added = [np.bincount(slot, weights=column, minlength=n_slots) for column in rows.T]
    return np.column_stack(added).astype(float)  # without a row bincount gives whole numbers


def felt(
    observations: gpd.GeoDataFrame,
    *,
    places: gpd.GeoDataFrame,
    routes: gpd.GeoDataFrame,
    walk_reach_m: float = WALK_REACH_M,
    reach_m: float = SEGMENT_REACH_M,
) -> gpd.GeoDataFrame:
    """Return every place with its state, value and evidence: the sensitive map as a table.

    Parameters
    ----------
    observations, routes
        Tables of those names in EPSG:2154.
    places
        See `geo_qmi.sensitive.places`.
    walk_reach_m, reach_m
        See `geo_qmi.sensitive.places.walked` and `attach`.

    Returns
    -------
    GeoDataFrame
        On the index of `places`: ``place_id``, ``state`` (of ``PLACE_STATES``), the columns of `values`, ``n_unsigned``
        (marks without a valence), ``n_silent`` (people who said they felt nothing there), ``n_walks`` (sessions whose
        route passes), ``display`` (of ``PLACE_DISPLAYS``: under five people, a symbol with its number), ``geometry``.
        A place with only unsigned marks is felt, with a missing value.
    """
    told = values(observations, places=places, reach_m=reach_m)
    shapes = observations.geometry.to_numpy()
    kinds = observations["kind"].to_numpy(dtype=object)
    unsigned = (kinds == "mark") & observations["valence"].isna().to_numpy()
    people = pd.factorize(observations["participant_id"])[0]
    counts = {
        **{str(name): told[name].to_numpy() for name in told},
        "n_unsigned": _spoken(shapes, unsigned, places=places, reach_m=reach_m),
        "n_silent": _spoken(shapes, kinds == "silence", places=places, reach_m=reach_m, people=people),
        "n_walks": n_walks(places, routes=routes, reach_m=walk_reach_m),
    }
    state = _states(counts)
    shown = np.where(counts["n_people"] >= FLOOR_PEOPLE, "surface", "symbol")
    display = np.where((state == "felt") | (state == "divided"), shown, "none")
    table = {
        "place_id": places["place_id"].array,
        "state": pd.array(state, dtype="str"),
        **counts,
        "display": pd.array(display, dtype="str"),
    }
    return gpd.GeoDataFrame({**table, "geometry": places.geometry.array}, geometry="geometry", index=places.index)


def evidence(observations: pd.DataFrame) -> str:
    """Return the numbers every title of a sensitive map carries: sessions, people, observations.

    Examples
    --------
    >>> evidence(pd.DataFrame({"session_id": ["s1", "s1"], "participant_id": ["a", "b"]}))
    '1 séance, 2 personnes, 2 observations'
    """
    require_columns(observations, ["session_id", "participant_id"], what="Observations")
    return _numbers(
        séance=observations["session_id"].nunique(),
        personne=observations["participant_id"].nunique(),
        observation=len(observations),
    )


def collective_evidence(sessions: pd.DataFrame, *, statements: pd.DataFrame, workshop_items: pd.DataFrame) -> str:
    """Return the numbers of the title of what was said or placed together: sessions, people present, records.

    Parameters
    ----------
    sessions, statements, workshop_items
        Tables of those names; only collective statements count. People present at two sessions are told twice: only
        their number is known.
    """
    said = statements[statements["scope"] == "collective"]
    held = set(said["session_id"]) | set(workshop_items["session_id"])
    present = sessions.loc[sessions["session_id"].isin(held), "n_participants"]
    return _numbers(séance=len(held), participation=int(present.sum()), élément=len(said) + len(workshop_items))


def _numbers(**counts: int) -> str:
    """Return counts with their nouns in agreement."""
    return ", ".join(f"{number} {noun}{'s' if number > 1 else ''}" for noun, number in counts.items())


def states(table: pd.DataFrame) -> pd.Series[str]:
    """Return the state of each place from its counts, a code of ``PLACE_STATES``.

    Parameters
    ----------
    table
        ``n_people``, ``n_positive``, ``n_negative``, ``n_unsigned``, ``n_silent``, ``n_walks``, as made by `felt`.

    Returns
    -------
    Series of codes on the index of `table`.
    """
    needed = ["n_people", "n_positive", "n_negative", "n_unsigned", "n_silent", "n_walks"]
    require_columns(table, needed, what="Lieux")
    return pd.Series(_states({name: table[name].to_numpy() for name in needed}), index=table.index, dtype="str")


def _states(counts: Mapping[str, NDArray[Any]]) -> NDArray[np.str_]:
    """Return the state of each place; parameters of `states`, as plain arrays."""
    sides = counts["n_positive"] + counts["n_negative"]
    camp = np.minimum(counts["n_positive"], counts["n_negative"])
    divided = (camp > 0) & (camp >= CAMP_SHARE * sides - 1e-9)
    spoken = (counts["n_people"] > 0) | (counts["n_unsigned"] > 0)
    passed = (counts["n_walks"] > 0) | (counts["n_silent"] > 0)
    return np.select([divided, spoken, passed], ["divided", "felt", "silent"], default="not_walked")


def _spoken(
    shapes: NDArray[np.object_],
    wanted: NDArray[np.bool_],
    *,
    places: gpd.GeoDataFrame,
    reach_m: float,
    people: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Return how many of the `wanted` observations speak of each place, or how many `people` made them."""
    chosen = np.flatnonzero(wanted)
    row, place = positions(shapes[chosen], places=places, reach_m=reach_m)
    if people is not None:
        n_people = people.max(initial=0) + 1
        place = distinct(place * n_people + people[chosen[row]])[0] // n_people
    return np.bincount(place, minlength=len(places))


def opposites(
    observations: gpd.GeoDataFrame, *, places: gpd.GeoDataFrame, table: pd.DataFrame, reach_m: float = SEGMENT_REACH_M
) -> pd.DataFrame:
    """Return the two extreme marks of each divided place, in their authors' words. Private.

    Parameters
    ----------
    observations
        Table ``observations``, with ``verbatim``.
    places
        Those of `table`.
    table
        As returned by `felt`; its divided places are told, the most polarised first.

    Returns
    -------
    DataFrame
        ``place`` (index label), ``place_id``, ``side`` (``negative``, ``positive``), ``valence``,
        ``observation_id``, ``verbatim``; the strongest mark of each side, with words when any has, the first by
        identifier among equals.
    """
    require_columns(observations, ["verbatim", "observation_id"], what="Observations")
    row, place = positions(observations.geometry.to_numpy(), places=places, reach_m=reach_m)
    told = pd.DataFrame(observations[["observation_id", "kind", "valence", "verbatim"]]).iloc[row]
    told = told.assign(place=places.index[place], place_id=places["place_id"].to_numpy()[place])
    told = told[told["kind"].eq("mark") & told["valence"].fillna(0).ne(0)]
    split = table[table["state"] == "divided"].sort_values(["polarisation", "place_id"], ascending=[False, True])
    told = told[told["place"].isin(split.index)]
    told["side"] = pd.Series(np.where(told["valence"] > 0, "positive", "negative"), index=told.index, dtype="str")
    told["_order"] = told["place"].map({label: n for n, label in enumerate(split.index)})
    told["_force"] = told["valence"].abs()
    told["_mute"] = told["verbatim"].isna()
    told = told.sort_values(
        ["_order", "side", "_mute", "_force", "observation_id"], ascending=[True, True, True, False, True]
    )
    kept = told.drop_duplicates(["place", "side"])
    return kept[["place", "place_id", "side", "valence", "observation_id", "verbatim"]].reset_index(drop=True)
