"""Can everybody be served at all, and if not, who breaks it and which radius would do?

Refusals with their remedy, made before any search: the demands out of reach, the nearest candidate of each, the
smallest radius that works, the capacity that is missing. No plan is chosen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from geo_qmi.errors import InfeasibleError, quoted, shown
from geo_qmi.siting import exact
from geo_qmi.siting.flows import pairs_within
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.siting.problem import Problem

#: Two totals closer than this part of the larger are equal.
_EQUAL = 1e-9


class Radius(NamedTuple):
    """The smallest radius that serves everybody.

    Attributes
    ----------
    radius
        In the unit of the costs; infinite when no radius does.
    breaking
        Indexed by ``demand_id``: the demands that only this radius reaches, with ``site_id`` and ``cost``.
    """

    radius: float
    breaking: pd.DataFrame


def smallest_radius(problem: Problem) -> Radius:
    """Return the smallest radius at which everybody can be served when every candidate opens.

    Without capacities it is the largest of the distances to the nearest site; with capacities it is searched among the
    costs, each tried as a transport problem.

    Raises
    ------
    InfeasibleError
        The capacities together are below the demand: no radius helps.
    """
    nearest = nearest_candidates(problem)
    reachable = nearest["cost"].notna()
    if not reachable.all():
        return Radius(np.inf, nearest[~reachable])
    radius = float(nearest["cost"].max())
    if problem.capacities is not None:
        _refuse_totals(problem)
        steps = np.unique(problem.costs.data[problem.costs.data >= radius])
        low, high = 0, len(steps) - 1
        if not _serves_all(problem, float(steps[high])):
            return Radius(np.inf, nearest.iloc[:0])
        while low < high:
            middle = (low + high) // 2
            if _serves_all(problem, float(steps[middle])):
                high = middle
            else:
                low = middle + 1
        radius = float(steps[high])
    return Radius(radius, nearest[nearest["cost"] >= radius])


def nearest_candidates(problem: Problem) -> pd.DataFrame:
    """Return the nearest candidate of each demand, whatever the radius: ``site_id``, ``cost``; missing when none."""
    costs = problem.costs
    site = pd.Series(pd.NA, index=problem.demand_ids.rename("demand_id"), dtype="str")
    cost = np.full(len(site), np.nan)
    reaching = np.flatnonzero(np.diff(costs.indptr))
    if len(reaching):
        lowest = np.minimum.reduceat(costs.data, costs.indptr[reaching])
        cost[reaching] = lowest
        sizes = np.diff(costs.indptr)[reaching]
        equal = np.flatnonzero(costs.data == np.repeat(lowest, sizes))
        owner = np.repeat(reaching, sizes)[equal]
        first = equal[np.unique(owner, return_index=True)[1]]
        site.iloc[reaching] = problem.site_ids[costs.indices[first]]
    return pd.DataFrame({"site_id": site, "cost": cost})


def _refuse_totals(problem: Problem) -> None:
    """Raise `InfeasibleError` when all the capacities together are below the demand."""
    asked = float(problem.weights.sum())
    offered = float(problem.capacities.sum()) if problem.capacities is not None else np.inf
    if offered < asked * (1 - _EQUAL):
        raise InfeasibleError(
            f"Capacité totale des lieux : {number(offered)} pour une demande de {number(asked)} : il manque "
            f"{number(asked - offered)}. Ajoutez des lieux ou des capacités."
        )


def _serves_all(problem: Problem, radius: float) -> bool:
    """Say whether every demand can be served within `radius` when every candidate opens."""
    return not len(_unserved(problem, radius))


def _unserved(problem: Problem, radius: float) -> NDArray[np.intp]:
    """Return the demands that the best sharing leaves partly unserved when every candidate opens."""
    pairs = pairs_within(problem, radius)
    served = np.bincount(pairs.demand, weights=exact.allotted(pairs), minlength=len(problem.demand_ids))
    return np.flatnonzero((problem.weights > 0) & (served < 1 - 1e-7))


def refuse_radius(problem: Problem, radius: float) -> None:
    """Raise `InfeasibleError` when even every candidate together leaves somebody out; name the smallest radius."""
    nearest = nearest_candidates(problem)
    far = nearest[~(nearest["cost"] <= radius)].sort_values("cost", ascending=False, kind="stable", na_position="first")
    if problem.capacities is not None:
        _refuse_totals(problem)
    if far.empty and (problem.capacities is None or _serves_all(problem, radius)):
        return
    best = smallest_radius(problem).radius
    if np.isfinite(best):
        todo = f"Plus petit rayon qui convient : {number(best)} {problem.unit}."
    else:
        todo = "Aucun rayon ne convient : ajoutez un lieu ou retirez ces demandes du calcul."
    limit = f"Rayon de {number(radius)} {problem.unit} impossible" if np.isfinite(radius) else "Plan impossible"
    if far.empty:
        names = problem.demand_ids[_unserved(problem, radius)].tolist()
        raise InfeasibleError(
            f"{limit} : les capacités des lieux à portée ne suffisent pas pour {quoted(names)}. {todo}"
        )
    rows = list(far.head(5).itertuples(name=None))
    told = ", ".join(
        f"« {shown(name)} » (aucun lieu accessible)"
        if pd.isna(cost)
        else f"« {shown(name)} » (le plus proche, « {shown(site)} », à {number(cost)} {problem.unit})"
        for name, site, cost in rows
    )
    more = f" et {counted(len(far) - len(rows), 'autre')}" if len(far) > len(rows) else ""
    raise InfeasibleError(f"{limit} : {counted(len(far), 'demande')} sans lieu à portée : {told}{more}. {todo}")


def too_few(problem: Problem, p: int | None) -> str:
    """Return why a number of sites cannot serve everybody."""
    if p is None:
        return "Aucun plan ne sert chacun dans ces capacités. Ajoutez des lieux ou des capacités."
    return (
        f"Plan impossible : aucun choix de {counted(p, 'lieu')} ne sert tout le monde "
        f"({counted(len(problem.demand_ids), 'demande')}). Ouvrez plus de lieux ou élargissez le rayon."
    )
