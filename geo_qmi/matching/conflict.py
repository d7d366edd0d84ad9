"""Which rules, held together, make every plan impossible?

The answer is a set of rules that clash and such that dropping any one of them leaves a plan: nothing is named that does
not matter. When the search ends in time the set is also the smallest there is (no other clash has fewer rules);
otherwise it is minimal only, and says so.

Method. Rules are dropped one at a time, and stay dropped while the rest still clashes (deletion filter): what is left
is minimal. Then sets that *every* clash must touch are gathered, each being what must be given up so that the others
hold; the smallest set touching them all is a lower bound, and the answer once it clashes itself. Quotas, themes, fixed
pairs, vetoes and loads are rules; that a project goes to one district, and that an unknown score cannot be assigned,
are not. Nothing here changes a rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy
from scipy import sparse

from geo_qmi.matching.optimum import feasible
from geo_qmi.matching.program import compiled
from geo_qmi.matching.rule_model import Objective
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from geo_qmi.matching.limits import Limit
    from geo_qmi.matching.program import Program
    from geo_qmi.matching.rule_model import Rules

#: Solves spent on proving that no clash is smaller; small programmes need a few dozen.
_PROOF_SOLVES = 300
#: How many rules a sentence spells out; the rest is counted.
_SPELLED_OUT = 12


@dataclass(frozen=True, slots=True)
class Clash:
    """Rules that cannot be held together.

    Attributes
    ----------
    limits
        The rules: where each stands in the rule file, and its French words. Dropping any one leaves a plan.
    smallest
        Whether it is proven that no clash has fewer rules.
    sentence
        The whole in French.
    """

    limits: tuple[Limit, ...]
    smallest: bool
    sentence: str


def clash(
    scores: pd.DataFrame,
    rules: Rules,
    *,
    themes: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
    time_limit_s: float = 60.0,
) -> Clash | None:
    """Return the smallest set of rules that makes every plan impossible, or nothing when there is a plan.

    Parameters
    ----------
    scores, rules, themes, names, time_limit_s
        See `geo_qmi.matching.plan`.

    Examples
    --------
    >>> import pandas as pd
    >>> from geo_qmi.matching.rules import rules_from
    >>> scores = pd.DataFrame({"A": [0.9], "B": [0.7]}, index=["p"])
    >>> [limit.words for limit in clash(scores, rules_from({"quotas": {"low": 1, "high": 1}})).limits]
    ['au moins 1 projet dans le quartier A', 'au moins 1 projet dans le quartier B']
    """
    program = duties(scores, rules, themes=themes, names=names)
    return None if feasible(program, time_limit_s=time_limit_s) else smallest_clash(program, time_limit_s=time_limit_s)


def clash_sentence(
    scores: pd.DataFrame,
    rules: Rules,
    *,
    themes: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
    time_limit_s: float = 60.0,
) -> str:
    """Return in French why there is no plan at all; there must be none. Parameters as `clash`."""
    found = clash(scores, rules, themes=themes, names=names, time_limit_s=time_limit_s)
    if found is None:
        raise RuntimeError("no plan found, though the rules do not clash")
    return found.sentence


def duties(
    scores: pd.DataFrame, rules: Rules, *, themes: pd.DataFrame | None = None, names: Mapping[str, str] | None = None
) -> Program:
    """Return the program of what must hold, without synergies: they are wishes, and forbid nothing."""
    bare = rules.model_copy(update={"synergies": (), "objective": Objective()})
    return compiled(scores, bare, themes=themes, names=names)


def smallest_clash(program: Program, *, time_limit_s: float = 60.0) -> Clash:
    """Return the smallest set of rules of `program` that clash; there must be one.

    Parameters
    ----------
    program
        What must hold (see `duties`), and no plan does.
    time_limit_s
        Most seconds for each solve that branches.
    """
    minimal = _minimal(program, time_limit_s)
    found, smallest = _smallest(program, minimal, time_limit_s)
    limits = tuple(program.limits[position] for position in found)
    return Clash(limits, smallest, _sentence(program, limits))


def _minimal(program: Program, time_limit_s: float) -> NDArray[np.intp]:
    """Return rules that clash and of which none can be dropped."""
    kept = np.ones(len(program.limits), dtype=bool)
    suspects = _suspects(program)
    if suspects is not None:
        kept = suspects
    for position in np.flatnonzero(kept)[::-1]:  # the first rules of the file are the last to be dropped
        kept[position] = False
        kept[position] = feasible(program.with_limits(kept), time_limit_s=time_limit_s)
    return np.flatnonzero(kept)


def _suspects(program: Program) -> NDArray[np.bool_] | None:
    """Return rules that clash in the linear relaxation, or nothing when it does not see the clash.

    Rules may be broken here, at a price; those without a price at the least total breach clash by themselves.
    """
    elastic = _elastic(program)
    cost = np.concatenate([np.zeros(program.n_pairs), np.ones(elastic.n_breaches)])
    result = scipy.optimize.linprog(cost, A_ub=elastic.rows, b_ub=elastic.limits, method="highs-ds")
    if result.fun < 1e-7:
        return None
    priced = np.zeros(len(program.limits) + 1, dtype=bool)
    priced[elastic.owner[result.ineqlin.marginals < -1e-9]] = True
    found = priced[:-1]
    # Prices come with a tolerance: believe them only when the rules they name do clash.
    return None if feasible(program.with_limits(found)) else found


class _Elastic(NamedTuple):
    """A program whose rules may be broken: ``rows @ (x, breaches) <= limits``, one breach a row of a rule."""

    rows: sparse.csr_array
    limits: NDArray[np.float64]
    owner: NDArray[np.intp]
    breaker: NDArray[np.intp]

    @property
    def n_breaches(self) -> int:
        """Number of breaches."""
        return len(self.breaker)


def _elastic(program: Program) -> _Elastic:
    """Return `program` with a breach for each row of a rule; `breaker` is the rule of each breach."""
    most, least = np.flatnonzero(np.isfinite(program.high)), np.flatnonzero(np.isfinite(program.low))
    rows = sparse.vstack([program.matrix[most], -program.matrix[least]], format="csr")
    owner = np.concatenate([program.owner[most], program.owner[least]])
    soft = np.flatnonzero(owner >= 0)
    breaches = sparse.csr_array((-np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(len(owner), len(soft)))
    limits = np.concatenate([program.high[most], -program.low[least]])
    return _Elastic(sparse.hstack([rows, breaches], format="csr"), limits, owner, owner[soft])


def _smallest(program: Program, minimal: NDArray[np.intp], time_limit_s: float) -> tuple[NDArray[np.intp], bool]:
    """Return the smallest clash, and whether it is proven; `minimal` itself when the search stops early."""
    elastic = _elastic(program)
    touched: list[NDArray[np.bool_]] = []
    for _ in range(_PROOF_SOLVES):
        held = _least_cover(touched, len(program.limits))
        if held.sum() >= len(minimal):
            return minimal, True
        given_up = _given_up(program, elastic, held, time_limit_s)
        if given_up is None:
            return np.flatnonzero(held), True
        if not given_up.any():
            break  # the time ran out
        touched.append(given_up)
    return minimal, False


def _least_cover(touched: list[NDArray[np.bool_]], n: int) -> NDArray[np.bool_]:
    """Return the fewest rules that touch each of the given sets."""
    if not touched:
        return np.zeros(n, dtype=bool)
    result = scipy.optimize.milp(
        np.ones(n),
        integrality=np.ones(n),
        bounds=scipy.optimize.Bounds(0, 1),
        constraints=scipy.optimize.LinearConstraint(sparse.csr_array(np.array(touched, dtype=np.float64)), lb=1.0),
    )
    found: NDArray[np.bool_] = np.rint(result.x) > 0.5
    return found


def _given_up(
    program: Program, elastic: _Elastic, held: NDArray[np.bool_], time_limit_s: float
) -> NDArray[np.bool_] | None:
    """Return rules that, given up, leave a plan that holds all the others and those `held`.

    Nothing when the rules `held` clash; no rule at all when the time ran out.
    """
    room = np.where(held[elastic.breaker], 0.0, np.inf)
    pairs = np.ones(program.n_pairs)
    result = scipy.optimize.milp(
        np.concatenate([0 * pairs, np.ones(elastic.n_breaches)]),
        integrality=np.concatenate([pairs * (not program.flow), np.zeros(elastic.n_breaches)]),
        bounds=scipy.optimize.Bounds(0, np.concatenate([pairs, room])),
        constraints=scipy.optimize.LinearConstraint(elastic.rows, ub=elastic.limits),
        options={"time_limit": time_limit_s},
    )
    given_up = np.zeros(len(held), dtype=bool)
    if result.x is not None:
        given_up[elastic.breaker[result.x[program.n_pairs :] > 1e-6]] = True
        return given_up
    # A refusal is believed when it is seen a second time, on the rules themselves.
    clashes = result.status == 2 and not feasible(program.with_limits(held), time_limit_s=time_limit_s)
    return None if clashes else given_up


def _sentence(program: Program, limits: tuple[Limit, ...]) -> str:
    """Return the clash in French."""
    n_known = len(np.unique(program.project))
    known = f"{counted(n_known, 'candidature')} de score connu"
    known = f"{known}, chacune dans un quartier au plus" if n_known else "aucune candidature de score connu"
    words = " ; ".join(limit.words for limit in limits[:_SPELLED_OUT])
    rest = len(limits) - _SPELLED_OUT
    words += f" ; et {counted(rest, 'autre')} du même genre" if rest > 0 else ""
    if len(limits) == 1:
        return f"Plan impossible : cette règle ne peut pas être tenue : {words} ({known})."
    return (
        f"Plan impossible : ces {len(limits)} règles ne peuvent pas être tenues ensemble : {words} ({known}). "
        "En assouplir une seule suffit à lever cette contradiction."
    )
