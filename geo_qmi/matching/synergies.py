"""Which pairs of projects are worth more together, and how is that written for a solver?

Two projects meet in a district, or on one *place* of it when the rule says so: then each must be able to stand there,
and a project stands on one place at most. A meeting is a product of two yes-or-no variables; it becomes one more
variable under three rows (McCormick, 1976), exact for whole numbers and for bonuses of either sign. Where meeting on a
place is at stake, a placed project is sited on one of the places that suit it, as the plan likes best.

Nothing here knows whether two projects fit together on one place, and nothing is solved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.guards import require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from geo_qmi.matching.limits import Book, Rows
    from geo_qmi.matching.rule_model import Synergy

#: In a synergy: on one same place, whichever it is.
ANY_PLACE = "*"


class Meeting(NamedTuple):
    """Two projects that may meet: its French label, their pairs, the place (none: anywhere in the district), bonus."""

    label: str
    pairs: tuple[int, int]
    place: str | None
    bonus: float


def meetings(
    book: Book, project: NDArray[np.intp], district: NDArray[np.intp], *, sites: pd.DataFrame | None
) -> list[Meeting]:
    """Return every meeting that the synergies of the rules make possible.

    Parameters
    ----------
    book
        The rules and the axes they speak of.
    project, district
        Positions of each pair.
    sites
        ``project_id``, ``district_id``, ``place_id``: the places on which each project can stand.

    Raises
    ------
    InputError, UnknownNameError
        A synergy on a place without `sites`, or on a place that suits nobody there.
    """
    wanted = {rule.place for rule in book.rules.synergies if rule.place is not None}
    if wanted and sites is None:
        raise InputError(
            "Synergies sur un même lieu : les lieux qui conviennent à chaque projet manquent. "
            "Il faut des candidatures avec leurs besoins de site et des lieux d’accueil, ou retirez « place »."
        )
    if wanted and sites is not None:
        require_columns(sites, ["project_id", "district_id", "place_id"], what="Lieux possibles")
        unknown = sorted(wanted - {ANY_PLACE} - set(sites["place_id"].astype("str")))
        if unknown:
            raise UnknownNameError(
                f"Synergies : le lieu « {shown(unknown[0])} » n’existe pas ou ne convient à aucun projet de cet appel. "
                "Corrigez son identifiant ou retirez la règle."
            )
    found: list[Meeting] = []
    for rule in book.rules.synergies:
        rows = [book.rows[name] for name in rule.projects]
        for name, position in book.columns.items():
            pairs = [np.flatnonzero((district == position) & (project == row)) for row in rows]
            if rule.district in {None, name} and all(len(one) for one in pairs):
                first, second = (int(one[0]) for one in pairs)
                found += _in_district(book, rule, name, pairs=(first, second), sites=sites)
    return found


def _in_district(
    book: Book, rule: Synergy, district_id: str, *, pairs: tuple[int, int], sites: pd.DataFrame | None
) -> Iterator[Meeting]:
    """Yield the meetings of one synergy in one district."""
    label = f"{' + '.join(map(book.said, rule.projects))} dans le quartier {book.said(district_id)}"
    if rule.place is None or sites is None:
        yield Meeting(label, pairs, None, rule.bonus)
        return
    first, second = (set(_places(sites, name, district_id)) for name in rule.projects)
    for place in sorted(first & second):
        if rule.place in {ANY_PLACE, place}:
            yield Meeting(f"{label}, sur le lieu {book.said(place)}", pairs, place, rule.bonus)


def _places(sites: pd.DataFrame, project_id: str, district_id: str) -> list[str]:
    """Return the places of a district on which a project can stand."""
    here = (sites["project_id"].astype("str") == project_id) & (sites["district_id"].astype("str") == district_id)
    return sorted(set(sites.loc[here, "place_id"].astype("str")))


def meeting_rows(
    rows: Rows,
    found: list[Meeting],
    *,
    pair_ids: list[tuple[str, str]],
    sites: pd.DataFrame | None,
) -> int:
    """Write the rows of `found`, whose variables follow those of the pairs; return how many variables there are in all.

    Parameters
    ----------
    rows
        Rows being written.
    found
        As returned by `meetings`.
    pair_ids
        Project and district of each pair.
    sites
        See `meetings`.
    """
    n = len(pair_ids) + len(found)
    seats: dict[tuple[int, str], int] = {}
    for pair in sorted({pair for meeting in found if meeting.place is not None for pair in meeting.pairs}):
        assert sites is not None  # noqa: S101 — `meetings` refuses places without sites
        places = _places(sites, *pair_ids[pair])
        own = [seats.setdefault((pair, place), n + len(seats)) for place in places]
        # Sited on one of its places when it is in the district, on none when it is not.
        rows.add(np.array([*own, pair]), np.array([1.0] * len(own) + [-1.0]), low=0, high=0)
    for position, meeting in enumerate(found, start=len(pair_ids)):
        place = meeting.place
        one, other = meeting.pairs if place is None else (seats[pair, place] for pair in meeting.pairs)
        rows.add(np.array([position, one]), np.array([1.0, -1.0]), high=0)
        rows.add(np.array([position, other]), np.array([1.0, -1.0]), high=0)
        rows.add(np.array([position, one, other]), np.array([-1.0, 1.0, 1.0]), high=1)
    return n + len(seats)
