"""Which plan is the best of a program, and is it the only one?

A flow is solved as a linear programme (never as a MILP, some sixty times slower); rules that cross, by branching, with
a gap and a time limit. Objectives are taken in order, each without giving up anything of those before. Coefficients are
whole millionths, so any gain is at least one: far above the tolerance of the solver.

Ties. The optimal plans of a flow are the points of one face of its polytope, described by the dual prices; a second
solve stays on that face, so it cannot lose a millionth. For rules that cross, a row keeps the total instead. Either
way equal plans are settled by lots drawn from the identifiers: neither the order of rows nor that of the alphabet
favours anyone.

Branching is spared where the relaxation can speak. A relaxation whose solution is whole is the answer. Otherwise the
price of a variable in it is the least that using the variable costs any plan: branching begins with the cheap ones, and
is done when the plan found loses no more than the prices left out; else it begins again with all that its own loss
allows. Both are proofs, not guesses.

Branching solvers have returned plans that break a rule after presolving (scipy/scipy#24141), and refused plans that
exist (scipy/scipy#18907): every plan is checked against every row here, and a failure or a refusal is solved again
without presolving. Nothing here knows what a rule means.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy
from scipy import sparse

from geo_qmi.errors import LimitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo_qmi.matching.program import Program

#: Lots are whole numbers up to this bound. Two plans of a face of n pairs share the smallest sum of lots with a
#: probability below n / 2**24 (isolation lemma): one in ten thousand if all 168 × 10 pairs were tied. Larger lots would
#: come near the tolerance of the solver.
_LOTS = 1 << 24
#: Branching begins with the variables whose price is below this share of the relaxation; rules seldom cost more.
_FIRST_ROOM = 0.001
#: Loads are decimal numbers: a capacity is held up to this much.
_SLACK = 1e-6


class Optimum(NamedTuple):
    """The best plan of a program.

    Attributes
    ----------
    chosen
        Which variables are used.
    reached
        What each objective reaches, in millionths (a count for the number of projects placed).
    bound
        What no plan can pass, for the first objective; equal to its value when proven.
    proven
        Whether no better plan exists.
    tied
        Whether another plan is as good; only known when proven.
    """

    chosen: NDArray[np.bool_]
    reached: tuple[int, ...]
    bound: float
    proven: bool
    tied: bool


def optimum(program: Program, *, time_limit_s: float = 60.0, settle: bool = True) -> Optimum | None:
    """Return the best plan of `program`, or nothing when no plan holds all its rules.

    Parameters
    ----------
    program
        See `geo_qmi.matching.program`.
    time_limit_s
        Most seconds for each solve that branches; a flow needs none.
    settle
        Settle ties by lot. Without it any of the best plans comes back, faster, and `tied` is false.

    Raises
    ------
    LimitError
        No plan was found in time, though there may be one.
    """
    if program.matrix.shape[1] == 0:
        nothing = np.zeros(0, dtype=bool)
        reached = _reached(program, nothing)
        return (
            Optimum(nothing, reached, float(reached[0]), proven=True, tied=False) if _holds(program, nothing) else None
        )
    return _of_flow(program, settle=settle) if program.flow else _of_crossing(program, time_limit_s, settle=settle)


def feasible(program: Program, *, time_limit_s: float = 60.0) -> bool:
    """Say whether some plan holds all the rows of `program`."""
    nothing = np.zeros(program.matrix.shape[1])
    if len(nothing) == 0:
        return _holds(program, nothing > 0)
    if program.flow:
        return relaxation(program, nothing) is not None
    return branched(program, nothing, time_limit_s=time_limit_s) is not None


def lots(program: Program, variables: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the lot of each of `variables`: a whole number drawn from the identifiers alone; 0 for a synergy."""
    drawn = np.zeros(len(variables))
    for position, pair in enumerate(variables):
        if pair < program.n_pairs:
            project_id = program.project_ids[program.project[pair]]
            drawn[position] = lot(project_id, program.district_ids[program.district[pair]])
    return drawn


def lot(*names: str) -> int:
    """Return a whole number from 1 to 2²⁴ drawn from `names`."""
    digest = blake2b("\x1f".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest) % _LOTS + 1


def _reached(program: Program, chosen: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return what each objective reaches."""
    return tuple(round(float(coefficients[chosen].sum())) for coefficients in program.objectives.values())


class Relaxed(NamedTuple):
    """The linear relaxation of a program.

    Attributes
    ----------
    value
        What no plan can pass.
    usage
        Part of each variable that is used, 0–1.
    price
        The least that using each variable costs any plan; infinite for one that is ruled out.
    """

    value: float
    usage: NDArray[np.float64]
    price: NDArray[np.float64]


def relaxation(program: Program, gain: NDArray[np.float64]) -> Relaxed | None:
    """Return the linear relaxation of `program` for `gain`, or nothing when it has no solution."""
    rows, limits = _one_sided(program)
    usable = np.flatnonzero(~program.hopeless)
    result = scipy.optimize.linprog(-gain[usable], A_ub=rows[:, usable], b_ub=limits, bounds=(0, 1), method="highs-ds")
    if result.status == 2:
        return None
    usage, price = np.zeros(len(gain)), np.full(len(gain), np.inf)
    if result.status != 0:  # nothing is learnt: every variable stays
        price[usable] = 0.0
        return Relaxed(np.inf, np.full(len(gain), 0.5), price)
    usage[usable], price[usable] = result.x, result.lower.marginals
    return Relaxed(float(-result.fun), usage, price)


def _one_sided(program: Program) -> tuple[sparse.csr_array, NDArray[np.float64]]:
    """Return the rows as ``rows @ x <= limits``."""
    most, least = np.flatnonzero(np.isfinite(program.high)), np.flatnonzero(np.isfinite(program.low))
    rows = sparse.vstack([program.matrix[most], -program.matrix[least]], format="csr")
    return rows, np.concatenate([program.high[most], -program.low[least]])


def _of_flow(program: Program, *, settle: bool) -> Optimum | None:
    """Solve a flow: one linear programme an objective, each on the face of the best plans of those before."""
    rows, limits = _one_sided(program)
    columns, tight = np.flatnonzero(~program.hopeless), np.zeros(len(limits), dtype=bool)
    picked = np.zeros(0, dtype=bool)
    for gain in program.objectives.values():
        result = _on_face(-gain[columns], rows[:, columns], limits, tight)
        if result.status == 2:
            return None
        picked = _whole(result)
        free = np.flatnonzero(~tight)
        # Gains are whole and the matrix totally unimodular, so the prices of a vertex are whole too: one half separates
        # zero from the others whatever the tolerance.
        tight[free[result.ineqlin.marginals < -0.5]] = True
        usable = result.lower.marginals < 0.5
        columns, picked = columns[usable], picked[usable]
    tied = False
    worthless = np.all([gain[columns[picked]] == 0 for gain in program.objectives.values()], axis=0)
    # Another plan needs another pair of the face, or a pair of no value to drop.
    if settle and (len(columns) > picked.sum() or worthless.any()):
        drawn = lots(program, columns)
        picked, last = (_whole(_on_face(end * drawn, rows[:, columns], limits, tight)) for end in (1.0, -1.0))
        tied = bool((picked != last).any())
    chosen = np.zeros(rows.shape[1], dtype=bool)
    chosen[columns[picked]] = True
    reached = _reached(program, chosen)
    return Optimum(chosen, reached, float(reached[0]), proven=True, tied=tied)


def _on_face(
    cost: NDArray[np.float64], rows: sparse.csr_array, limits: NDArray[np.float64], tight: NDArray[np.bool_]
) -> scipy.optimize.OptimizeResult:
    """Return the least cost among the points of a face, where some rows are filled exactly."""
    if not tight.any():
        return scipy.optimize.linprog(cost, A_ub=rows, b_ub=limits, method="highs-ds")
    return scipy.optimize.linprog(
        cost, A_ub=rows[~tight], b_ub=limits[~tight], A_eq=rows[tight], b_eq=limits[tight], method="highs-ds"
    )


def _whole(result: scipy.optimize.OptimizeResult) -> NDArray[np.bool_]:
    """Return the solution as a yes or no for each variable; anything else is a fault of ours, not of the data."""
    if result.status != 0:
        raise RuntimeError(f"HiGHS failed on a feasible flow: {result.message}")
    nearest: NDArray[np.float64] = np.rint(result.x)
    if np.abs(result.x - nearest).max(initial=0.0) > 1e-6:
        raise RuntimeError("HiGHS returned a fractional plan for a flow")
    return nearest > 0.5


class Branched(NamedTuple):
    """What branching found: a plan that holds every row, and what no plan can pass."""

    chosen: NDArray[np.bool_]
    bound: float
    proven: bool


def _of_crossing(program: Program, time_limit_s: float, *, settle: bool) -> Optimum | None:
    """Solve by branching; each objective becomes a row that keeps what it reached."""
    held, found, bounds = program, None, []
    for gain in program.objectives.values():
        held, found = _kept(held, gain, time_limit_s=time_limit_s)
        if found is None:
            return None
        bounds.append(found.bound)
        if not found.proven:
            break
    assert found is not None  # noqa: S101 — a program has an objective
    chosen, tied = found.chosen, False
    if settle and found.proven:
        chosen, tied = _settled(held, chosen, time_limit_s=time_limit_s)
    return Optimum(chosen, _reached(program, chosen), bounds[0], proven=found.proven, tied=tied)


def _kept(program: Program, gain: NDArray[np.float64], *, time_limit_s: float) -> tuple[Program, Branched | None]:
    """Return the best plan for `gain`, and the program where no plan may do worse."""
    relaxed = relaxation(program, gain)
    if relaxed is None:
        return program, None
    found = branched(program, gain, time_limit_s=time_limit_s, relaxed=relaxed)
    if found is None:
        return program, None
    reached = float(gain[found.chosen].sum())
    return without_hope(program, gain, least=reached, relaxed=relaxed), found


def without_hope(
    program: Program, gain: NDArray[np.float64], *, least: float, relaxed: Relaxed | None = None
) -> Program:
    """Return `program` where every plan reaches `least`, variables that cannot be part of one being ruled out.

    A variable whose price passes what may be lost is in no plan that reaches `least`. This changes no answer and makes
    the next solves short.
    """
    known = relaxation(program, gain) if relaxed is None else relaxed
    kept = program.with_row(gain, low=least - 0.5, high=np.inf, nested=False)
    return kept if known is None else kept.without(known.price > known.value - least + 0.5)


def _settled(program: Program, chosen: NDArray[np.bool_], *, time_limit_s: float) -> tuple[NDArray[np.bool_], bool]:
    """Return the plan with the smallest sum of lots among the best, and whether there is another."""
    pairs = np.arange(program.n_pairs)
    another = branched(other_than(program, chosen), np.zeros(len(chosen)), time_limit_s=time_limit_s)
    if another is None:
        return chosen, False
    cost = np.zeros(len(chosen))
    cost[pairs] = lots(program, pairs)
    found = branched(program, -cost, time_limit_s=time_limit_s)
    return (chosen if found is None else found.chosen), True


def other_than(program: Program, chosen: NDArray[np.bool_]) -> Program:
    """Return `program` where a plan must differ from `chosen` by one pair at least."""
    row = np.where(chosen, 1.0, -1.0)
    row[program.n_pairs :] = 0.0
    return program.with_row(row, low=-np.inf, high=float(chosen[: program.n_pairs].sum()) - 1.0, nested=False)


def branched(
    program: Program,
    gain: NDArray[np.float64],
    *,
    time_limit_s: float,
    gap: float = 0.0,
    relaxed: Relaxed | None = None,
) -> Branched | None:
    """Return a whole solution that holds every row, or nothing when there is none.

    It is the best for `gain`, or within a share `gap` of it. `relaxed` is the relaxation, when it is known already.
    """
    relaxed = relaxation(program, gain) if relaxed is None else relaxed
    if relaxed is None:
        return None
    whole = relaxed.usage > 0.5
    if np.abs(relaxed.usage - whole).max(initial=0.0) <= _SLACK and _holds(program, whole):
        return Branched(whole, float(gain[whole].sum()), proven=True)
    room = _FIRST_ROOM * abs(relaxed.value)
    found = _searched(program.without(relaxed.price > room), gain, time_limit_s=time_limit_s, gap=gap)
    lost = np.inf if found is None else relaxed.value - float(gain[found.chosen].sum())
    if found is None or lost > max(room, gap * abs(relaxed.value)):
        room = lost
        found = _searched(program.without(relaxed.price > room), gain, time_limit_s=time_limit_s, gap=gap)
    return found


def _searched(program: Program, gain: NDArray[np.float64], *, time_limit_s: float, gap: float) -> Branched | None:
    """Return what branching finds among the variables that are not ruled out."""
    usable = np.flatnonzero(~program.hopeless)
    rows = program.matrix[:, usable]
    refused = True
    for presolve in (True, False):
        result = scipy.optimize.milp(
            -gain[usable],
            integrality=np.ones(len(usable)),
            bounds=scipy.optimize.Bounds(0, 1),
            constraints=scipy.optimize.LinearConstraint(rows, program.low, program.high) if rows.shape[0] else (),
            options={"mip_rel_gap": gap, "time_limit": time_limit_s, "presolve": presolve},
        )
        if result.x is None:
            if result.status == 1:
                raise LimitError(
                    f"Aucun plan trouvé en {time_limit_s:g} secondes, sans preuve qu’il n’y en a pas. "
                    "Donnez plus de temps, ou retirez des règles qui se croisent (synergies, charges, thèmes)."
                )
            continue
        chosen = np.zeros(len(gain), dtype=bool)
        chosen[usable] = np.rint(result.x) > 0.5
        if _holds(program, chosen):
            reached = float(gain[chosen].sum())
            bound = reached if result.status == 0 and gap == 0 else max(reached, float(-result.mip_dual_bound))
            return Branched(chosen, bound, proven=result.status == 0)
        refused = False
    if refused:
        return None
    raise RuntimeError("HiGHS returned plans that break a row, with and without presolving")


def _holds(program: Program, chosen: NDArray[np.bool_]) -> bool:
    """Say whether a plan holds every row."""
    reached = program.matrix @ chosen.astype(np.float64)
    return bool((reached >= program.low - _SLACK).all() and (reached <= program.high + _SLACK).all())


def settled_order(names: Sequence[str], *, at: str) -> NDArray[np.intp]:
    """Return the order of `names` by lot, at one place."""
    return np.argsort([lot(name, at) for name in names], kind="stable")
