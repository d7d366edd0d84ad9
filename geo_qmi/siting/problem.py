"""What is known before choosing places: who asks, where one may build, and what the way costs?

A `Problem` is posed once, by one of three doors (a cost matrix, a long table of pairs, or two layers of points), and
then serves every model of this package. Demands and sites are sorted by identifier on the way in, so the order of
rows cannot change a result. A pair without cost is a way that does not exist: it is never taken for zero. Nothing
here computes a walking distance (see `geo_qmi.network`) or chooses a site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.spatial import cKDTree

from geo_qmi.errors import InputError, UnknownNameError, quoted, shown
from geo_qmi.geo import require_metres
from geo_qmi.wording import agreed, counted, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from numpy.typing import NDArray

#: Said in every sentence about distances nobody walked.
STRAIGHT = "à vol d’oiseau"


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Demands, candidate sites and the cost of each known way between them.

    Attributes
    ----------
    demand_ids, site_ids
        Identifiers, sorted.
    costs
        Demands × sites, one stored value a known pair (zero is a cost), in `unit`.
    weights
        What each demand counts for (people, needs…), ≥ 0.
    capacities
        What each site can serve, in the unit of the weights; infinite where unlimited; ``None`` for no limit at all.
    fixed
        Sites that the plan must hold; they count among those to choose.
    deployed
        Sites that are there already; they serve, and count for nothing.
    unit
        Unit of the costs, as shown: ``m``, ``min``…
    ground
        How the costs were measured, in French; shown in every sentence.
    """

    demand_ids: pd.Index[str]
    site_ids: pd.Index[str]
    costs: sparse.csr_array
    weights: NDArray[np.float64]
    capacities: NDArray[np.float64] | None
    fixed: NDArray[np.bool_]
    deployed: NDArray[np.bool_]
    unit: str
    ground: str

    @property
    def locked(self) -> NDArray[np.bool_]:
        """Sites that are open in every plan."""
        return self.fixed | self.deployed


def from_matrix(
    costs: pd.DataFrame,
    *,
    weights: pd.Series | None = None,
    capacities: pd.Series | None = None,
    fixed: Iterable[str] = (),
    deployed: Iterable[str] = (),
    unit: str = "m",
    ground: str = "",
) -> Problem:
    """Pose a problem from a full table of costs.

    Parameters
    ----------
    costs
        Demands (index) × sites (columns), ≥ 0, in `unit`; missing or infinite where one does not reach the other, as
        `geo_qmi.network.distances` gives them.
    weights
        Demand identifier → weight; 1 each by default.
    capacities
        Site identifier → capacity in the unit of the weights, missing where unlimited; no limit by default.
    fixed, deployed
        Identifiers of sites that must be in the plan, and of sites already there.
    unit, ground
        Shown beside the costs: unit, and how they were measured.

    Raises
    ------
    InputError
        Identifiers missing or repeated; a cost, weight or capacity that is negative or not finite.
    UnknownNameError
        A fixed or deployed site that is not a candidate.

    Examples
    --------
    >>> costs = pd.DataFrame({"s": [100.0, 300.0], "t": [float("nan"), 50.0]}, index=["a", "b"])
    >>> from_matrix(costs).costs.nnz
    3
    """
    demand, sites = _sorted_ids(costs.index, "demandes"), _sorted_ids(costs.columns, "lieux")
    if len(sites[0]) == 0 or len(demand[0]) == 0:
        raise InputError("Table des coûts vide. Attendu : au moins une demande (ligne) et un lieu (colonne).")
    dense = _floats(costs, "Coûts")[np.ix_(demand[1], sites[1])]
    known = ~(np.isnan(dense) | np.isposinf(dense))
    rows, columns = np.nonzero(known)
    matrix = sparse.csr_array((dense[known], (rows, columns)), shape=dense.shape)
    return _posed(demand[0], sites[0], matrix, (weights, capacities, fixed, deployed, unit, ground))


def from_pairs(
    pairs: pd.DataFrame,
    *,
    weights: pd.Series,
    site_ids: Iterable[str] | None = None,
    capacities: pd.Series | None = None,
    fixed: Iterable[str] = (),
    deployed: Iterable[str] = (),
    unit: str = "m",
    ground: str = "",
) -> Problem:
    """Pose a problem from a long table of known pairs, as a walking network gives them.

    Parameters
    ----------
    pairs
        ``demand_id``, ``site_id``, ``cost`` in `unit`; one row a pair that exists. A way nobody found has no row,
        or an infinite cost.
    weights
        Demand identifier → weight; names every demand, those that reach nothing included.
    site_ids
        Every candidate; those of `pairs` by default.
    capacities, fixed, deployed, unit, ground
        See `from_matrix`.

    Raises
    ------
    InputError, UnknownNameError
        See `from_matrix`; also a pair given twice, or one that names an unknown demand or site.
    """
    missing = [column for column in ("demand_id", "site_id", "cost") if column not in pairs]
    if missing:
        absent = f"{agreed(len(missing), 'colonne absente')} : {', '.join(missing)}"
        raise InputError(f"Paires : {absent}. Attendu : demand_id, site_id, cost.")
    named = pd.Index(list(site_ids)) if site_ids is not None else pd.Index(pairs["site_id"].unique())
    demand, sites = _sorted_ids(weights.index, "demandes")[0], _sorted_ids(named, "lieux")[0]
    rows = _positions(pairs["demand_id"], demand, "demande")
    columns = _positions(pairs["site_id"], sites, "lieu")
    flat = rows * len(sites) + columns
    if len(np.unique(flat)) < len(flat):
        twice = int(np.argmax(pd.Index(flat).duplicated()))
        raise InputError(
            f"Paires : {shown(demand[rows[twice]])} → {shown(sites[columns[twice]])} présente plusieurs fois. "
            "Gardez-en une seule."
        )
    cost = _floats(pairs["cost"], "Paires, coûts")
    if np.isnan(cost).any():
        raise InputError("Paires : coût manquant. Retirez la ligne : une paire sans chemin n’a pas de ligne.")
    found = ~np.isposinf(cost)
    matrix = sparse.csr_array((cost[found], (rows[found], columns[found])), shape=(len(demand), len(sites)))
    return _posed(demand, sites, matrix, (weights, capacities, fixed, deployed, unit, ground))


def from_frames(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    *,
    within_m: float,
    weight: str | None = None,
    demand_id: str = "place_id",
    site_id: str = "site_id",
) -> Problem:
    """Pose a problem from two layers, with straight distances: a first look, which no barrier stops.

    Trap: over a railway the straight distance lies (a station 100 m away may be 2 700 m on foot). Use `from_pairs`
    with the distances of `geo_qmi.network` for anything that is decided; the sentences say which was used.

    Parameters
    ----------
    demand
        Places in EPSG:2154: `demand_id`, `weight` when named; distances are from the centre of the geometry.
    sites
        Candidates in EPSG:2154: `site_id`; optional columns ``capacity`` (missing: unlimited), ``fixed``,
        ``deployed`` (yes or no).
    within_m
        Pairs further apart are left out, except the nearest site of each demand.
    weight
        Column of `demand` with what each counts for; 1 each by default.

    Raises
    ------
    CrsError, InputError
        Not in Lambert-93; a demand or a site without place (it is never guessed); see also `from_matrix`.
    """
    points = []
    for frame, column, what in ((demand, demand_id, "demandes"), (sites, site_id, "lieux")):
        require_metres(frame, what=f"les {what}")
        for name in (column, weight if frame is demand else None):
            if name is not None and name not in frame:
                raise InputError(f"Table des {what} : colonne « {shown(name)} » absente.")
        nowhere = frame.geometry.isna() | frame.geometry.is_empty
        if nowhere.any():
            raise InputError(
                f"Table des {what} : {int(nowhere.sum())} sans lieu : {quoted(frame.loc[nowhere, column].tolist())}. "
                "Renseignez la géométrie ou retirez la ligne."
            )
        if frame.empty:
            raise InputError(f"Table des {what} vide : rien à calculer.")
        points.append(shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())))
    if not (np.isfinite(within_m) and within_m >= 0):
        raise InputError(f"Distance maximale : « {shown(within_m)} ». Attendu : un nombre de mètres, positif ou nul.")
    pairs = _straight_pairs(points[0], points[1], within_m=within_m)
    named = pd.DataFrame(
        {
            "demand_id": demand[demand_id].to_numpy()[pairs[0]],
            "site_id": sites[site_id].to_numpy()[pairs[1]],
            "cost": pairs[2],
        }
    )
    by_site = sites.set_index(site_id)
    flags = {
        name: by_site.index[_yes(by_site[name], name)] if name in by_site else () for name in ("fixed", "deployed")
    }
    ones = pd.Series(1.0, index=demand[demand_id])
    return from_pairs(
        named,
        weights=ones if weight is None else demand.set_index(demand_id)[weight],
        site_ids=by_site.index,
        capacities=by_site.get("capacity"),
        **flags,
        unit="m",
        ground=STRAIGHT,
    )


def _straight_pairs(
    demand: NDArray[np.float64], sites: NDArray[np.float64], *, within_m: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return positions and distances of the pairs within a distance, and of each demand with its nearest site."""
    tree = cKDTree(sites)
    near = cKDTree(demand).sparse_distance_matrix(tree, within_m, output_type="coo_matrix")
    reached = np.zeros(len(demand), dtype=bool)
    reached[near.row] = True
    far = np.flatnonzero(~reached)
    distance, nearest = tree.query(demand[far]) if len(far) else (np.empty(0), np.empty(0, dtype=np.intp))
    return (
        np.concatenate([near.row.astype(np.intp), far]),
        np.concatenate([near.col.astype(np.intp), nearest]),
        np.concatenate([near.data, distance]),
    )


def _floats(values: pd.DataFrame | pd.Series, what: str) -> NDArray[np.float64]:
    """Return numbers, NaN where missing, or raise `InputError`."""
    try:
        return np.asarray(values.to_numpy(dtype="float64", na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} : attendu des nombres, ou rien quand il n’y a pas de chemin.") from error


def _yes(flags: pd.Series, name: str) -> NDArray[np.bool_]:
    """Return which sites say yes, a missing answer being no, or raise `InputError`."""
    if str(flags.dtype) not in {"bool", "boolean"}:
        raise InputError(f"Table des lieux, colonne « {name} » : attendu oui ou non (type {flags.dtype} trouvé).")
    return flags.fillna(value=False).to_numpy(dtype=bool)


def _sorted_ids(ids: pd.Index, what: str) -> tuple[pd.Index[str], NDArray[np.intp]]:
    """Return sorted text identifiers and the order that sorts them, or raise `InputError`."""
    n_missing = int(np.count_nonzero(ids.isna()))
    if n_missing:
        raise InputError(f"Identifiants des {what} : {counted(n_missing, 'manquant')}. Renseignez-les.")
    text = pd.Index(ids.astype("str"))
    if not text.is_unique:
        raise InputError(
            f"Identifiants des {what} présents plusieurs fois : {quoted(text[text.duplicated()].unique().tolist())}. "
            "Donnez un identifiant différent à chacun."
        )
    order = np.argsort(text.to_numpy(dtype=object), kind="stable")
    return text[order], order


def _positions(ids: pd.Series, known: pd.Index[str], what: str) -> NDArray[np.intp]:
    """Return the position of each identifier among `known`, or raise `InputError`."""
    found = known.get_indexer(pd.Index(ids.astype("str")))
    if (found < 0).any():
        wrong = ids[found < 0].unique().tolist()
        raise InputError(f"Paires : {what} inconnue ou inconnu : {quoted(wrong)}. Ajoutez-la à la table ou corrigez.")
    return found


_Options = tuple["pd.Series | None", "pd.Series | None", "Iterable[str]", "Iterable[str]", str, str]


def _posed(demand: pd.Index[str], sites: pd.Index[str], matrix: sparse.csr_array, options: _Options) -> Problem:
    """Return the problem once its numbers are checked."""
    weights, capacities, fixed, deployed, unit, ground = options
    matrix.sort_indices()
    _refuse_numbers(matrix.data, "Coûts", finite=True)
    weight = np.ones(len(demand)) if weights is None else _aligned(weights, demand, "poids")
    if np.isnan(weight).any():
        raise InputError(
            f"Poids manquant pour {quoted(demand[np.isnan(weight)].tolist())}. Un poids inconnu n’est pas zéro : "
            "renseignez-le ou retirez la demande."
        )
    _refuse_numbers(weight, "Poids", finite=True)
    capacity = None
    if capacities is not None:
        capacity = _aligned(capacities, sites, "capacité")
        capacity = np.where(np.isnan(capacity), np.inf, capacity)
        _refuse_numbers(capacity, "Capacités", finite=False)
    return Problem(
        demand_ids=demand,
        site_ids=sites,
        costs=matrix,
        weights=weight,
        capacities=capacity,
        fixed=_flags(fixed, sites, "à garder") & ~_flags(deployed, sites, "déjà déployés"),
        deployed=_flags(deployed, sites, "déjà déployés"),
        unit=unit,
        ground=ground,
    )


def _aligned(values: pd.Series, ids: pd.Index[str], what: str) -> NDArray[np.float64]:
    """Return one number an identifier, NaN where there is none, or raise `InputError`."""
    named = values.set_axis(values.index.astype("str"))
    if not named.index.is_unique:
        raise InputError(f"Table des {what}s : identifiant présent plusieurs fois. Gardez une ligne chacun.")
    unknown = sorted(set(named.index) - set(ids))
    if unknown:
        raise InputError(f"Table des {what}s : identifiants inconnus : {quoted(unknown)}. Corrigez ou retirez-les.")
    numbers = pd.to_numeric(named, errors="coerce")
    if (numbers.isna() & named.notna()).any():
        wrong = named[numbers.isna() & named.notna()].iloc[0]
        raise InputError(f"Table des {what}s : valeur « {shown(wrong)} ». Attendu : un nombre.")
    return np.array(numbers.reindex(ids).to_numpy(dtype="float64", na_value=np.nan))


def _refuse_numbers(values: NDArray[np.float64], what: str, *, finite: bool) -> None:
    """Raise `InputError` for a negative number, or for one that is not finite."""
    wrong = (values < 0) | np.isnan(values) | (np.isinf(values) if finite else False)
    if wrong.any():
        value = values[int(np.argmax(wrong))]
        raise InputError(f"{what} : valeur « {number(value)} ». Attendu : un nombre fini, positif ou nul.")


def _flags(ids: Iterable[str], sites: pd.Index[str], what: str) -> NDArray[np.bool_]:
    """Return which sites are named, or raise `UnknownNameError`."""
    names = [str(name) for name in ids]
    unknown = sorted(set(names) - set(sites))
    if unknown:
        raise UnknownNameError(f"Lieux {what} inconnus : {quoted(unknown)}. Ils doivent figurer parmi les candidats.")
    return np.asarray(sites.isin(names))
