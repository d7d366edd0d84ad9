"""Which applications may be the same project twice, or carry the name of a known one?

Names are compared without accents, case or spaces, against one another and against the names, other names and carriers
of known projects. Two dossiers that share a SIRET, a near name or a near text are *shown*, with the reason; nothing is
merged here, ever. Close names that are known to be two projects (Purpl and Purple) are said to be distinct.

Traps: a carrier may file two different projects (one SIRET); a short name is close to many. People decide.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from geo_qmi.guards import require_columns, require_ids
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_COLUMNS = ["project_a", "name_a", "project_b", "name_b", "verdict", "similarity", "reason"]
#: Two names of this similarity differ by one letter in eight or fewer: a typing slip, a plural, a swap.
NEAR_NAME = 0.85
#: Two texts sharing this share of their word pairs say the same thing in the same words.
NEAR_TEXT = 0.6
#: Similarity of letter pairs under which two names are not even compared in full; a swap in a six-letter name keeps it.
_WORTH_COMPARING = 0.3
_SEPARATORS = (", par ", ", ", " et ", " par ", " / ", " + ")
_KINDS = {"name": "nom", "other": "autre nom", "operator": "porteur"}
#: Letters of a name that are compared: time grows with their square, and no name is longer.
_LONGEST = 200


class KnownName(NamedTuple):
    """One name of a known project, folded, and what kind of name it is."""

    folded: str
    project_id: str
    spelled: str
    kind: str


def known_names(projects: pd.DataFrame, other_names: pd.DataFrame) -> list[KnownName]:
    """Return every name under which a known project may appear.

    Parameters
    ----------
    projects
        ``project_id``, ``name``, ``operator`` (table ``projects``). A carrier of several names (« Floware et
        Ecomesure ») gives each of them.
    other_names
        ``project_id``, ``other_name`` (table ``project_names``).
    """
    require_columns(projects, ["project_id", "name", "operator"], what="Projets connus")
    require_columns(other_names, ["project_id", "other_name"], what="Autres noms")
    found = []
    for row in projects.to_dict("records"):
        found.append(("name", row["project_id"], row["name"]))
        found += [("operator", row["project_id"], part) for part in _parts(row["operator"])]
    for row in other_names.to_dict("records"):
        found += [("other", row["project_id"], part) for part in (row["other_name"], *_parts(row["other_name"]))]
    names = {KnownName(_key(spelled), str(project), str(spelled), kind) for kind, project, spelled in found}
    return sorted(name for name in names if name.folded)


def _parts(text: object) -> list[str]:
    """Return the names joined in one cell, brackets left out."""
    if not isinstance(text, str):
        return []
    plain = text.split(" (", maxsplit=1)[0]
    for separator in _SEPARATORS:
        plain = plain.replace(separator, "|")
    return [part.strip() for part in plain.split("|") if part.strip()]


def _key(text: object) -> str:
    """Return a name as letters and digits only."""
    return fold(text).replace("_", "") if isinstance(text, str) else ""


def likely_duplicates(
    applications: pd.DataFrame,
    *,
    projects: pd.DataFrame | None = None,
    other_names: pd.DataFrame | None = None,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> pd.DataFrame:
    """Return the pairs somebody should look at.

    Parameters
    ----------
    applications
        ``project_id``, ``name``, and ``siret``, ``description`` where they exist.
    projects, other_names
        Tables ``projects`` and ``project_names``: known projects; both or none.
    announce
        Called with the French name of each stage as it begins, and the share done, 0–1.

    Returns
    -------
    DataFrame
        ``project_a``, ``name_a`` (an application), ``project_b``, ``name_b`` (another one, or a known project),
        ``verdict`` (``likely``: may be the same; ``alias``: carries a name of that known project; ``distinct``: close
        names of two known projects), ``similarity`` in 0–1, ``reason`` (French); sorted by identifiers.
    """
    require_columns(applications, ["project_id", "name"], what="Candidatures")
    require_ids(applications["project_id"], what="Candidatures")
    asked = applications.assign(project_id=applications["project_id"].astype("str"))
    asked = asked.sort_values("project_id", kind="stable").reset_index(drop=True)
    known = known_names(projects, other_names) if projects is not None and other_names is not None else []
    announce("Dossiers deux à deux", 0.0)
    rows = _among(asked, _recognised(asked, known))
    for n_seen, (project_id, name) in enumerate(asked[["project_id", "name"]].itertuples(index=False, name=None)):
        announce(f"Projets connus : dossier {n_seen + 1} sur {len(asked)}", 0.5 + 0.5 * n_seen / len(asked))
        rows += _with_known(project_id, name, known)
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return table.sort_values(["project_a", "project_b"], kind="stable", ignore_index=True)


_Row = tuple[str, str, str, str, str, float, str]


def _recognised(asked: pd.DataFrame, known: list[KnownName]) -> dict[str, str]:
    """Return application → known project, for those that are one or carry exactly the name of a single one."""
    official = {one.project_id for one in known}
    by_name: dict[str, set[str]] = {}
    for one in known:
        by_name.setdefault(one.folded, set()).add(one.project_id)
    found = {}
    for project_id, name in asked[["project_id", "name"]].itertuples(index=False, name=None):
        named = {project_id} if project_id in official else by_name.get(_key(name), set())
        if len(named) == 1:
            found[project_id] = next(iter(named))
    return found


def _among(asked: pd.DataFrame, recognised: dict[str, str]) -> list[_Row]:
    """Return the pairs of applications that look alike; `recognised`: application → known project."""
    ids, names = asked["project_id"].tolist(), asked["name"].tolist()
    keys = [_key(name) for name in names]
    reasons: dict[tuple[int, int], tuple[float, list[str]]] = {}

    def note(pair: tuple[int, int], similarity: float, reason: str) -> None:
        best, said = reasons.get(pair, (0.0, []))
        reasons[pair] = (max(best, similarity), [*said, reason])

    for pair in _close_pairs(keys, least=_WORTH_COMPARING, size=2):
        ratio = _ratio(keys[pair[0]], keys[pair[1]])
        if ratio >= NEAR_NAME:
            note(pair, ratio, f"noms proches ({ratio:.0%})".replace("%", " %"))
    if "description" in asked:
        texts = [_words(text) for text in asked["description"]]
        for pair, shared in _close_texts(texts).items():
            note(pair, shared, f"textes proches ({shared:.0%} de suites de mots communes)".replace("%", " %"))
    if "siret" in asked:
        groups = asked.dropna(subset=["siret"]).groupby("siret").groups
        for rows in groups.values():
            for first, second in _pairs_of(rows.tolist()):
                note((first, second), 1.0, "même SIRET")
    found: list[_Row] = []
    for (a, b), (similarity, said) in sorted(reasons.items()):
        apart = len({recognised.get(ids[a]), recognised.get(ids[b])} - {None}) == 2
        verdict = "distinct" if apart else "likely"
        reason = ", ".join(said) + (", mais deux projets connus et distincts" if apart else "")
        found.append((ids[a], str(names[a]), ids[b], str(names[b]), verdict, round(similarity, 3), reason))
    return found


def _with_known(project_id: str, name: object, known: list[KnownName]) -> list[_Row]:
    """Return the names of known projects that an application carries, exactly or nearly."""
    key = _key(name)
    if not key or any(one.project_id == project_id for one in known):
        return []
    exact = {one.project_id for one in known if one.folded == key}
    best: dict[str, tuple[float, KnownName]] = {}
    for one in known:
        ratio = 1.0 if one.folded == key else _ratio(key, one.folded)
        if ratio >= NEAR_NAME and ratio > best.get(one.project_id, (0.0, one))[0]:
            best[one.project_id] = (ratio, one)
    found: list[_Row] = []
    for other, (ratio, one) in sorted(best.items()):
        if exact and other not in exact:
            verdict, reason = "distinct", f"nom proche de « {one.spelled} », mais c’est celui d’un autre projet connu"
        elif ratio == 1.0:
            verdict, reason = "alias", f"même {_KINDS[one.kind]} que le projet connu : « {one.spelled} »"
        else:
            verdict, reason = "likely", f"proche du projet connu « {one.spelled} » ({_KINDS[one.kind]})"
        found.append((project_id, str(name), other, one.spelled, verdict, round(ratio, 3), reason))
    return found


def _ratio(first: str, second: str) -> float:
    """Return the similarity of two folded names, the same both ways; of what is too long for a name, the beginnings."""
    low, high = sorted((first[:_LONGEST], second[:_LONGEST]))
    return SequenceMatcher(None, low, high, autojunk=False).ratio()


def _pairs_of(rows: Iterable[int]) -> list[tuple[int, int]]:
    """Return every pair of a group of rows, smaller first."""
    ordered = sorted(int(row) for row in rows)
    return [(first, second) for at, first in enumerate(ordered) for second in ordered[at + 1 :]]


def _words(text: object) -> list[str]:
    """Return the folded words of a text."""
    return fold(text).split("_") if isinstance(text, str) else []


def _incidence(pieces: list[set[str]]) -> sparse.csr_array:
    """Return rows × pieces, 1 where the row has the piece."""
    index = {piece: at for at, piece in enumerate(sorted(set().union(*pieces)))}
    rows = [row for row, found in enumerate(pieces) for _ in found]
    columns = [index[piece] for found in pieces for piece in sorted(found)]
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(pieces), max(1, len(index))))


def _shared(pieces: list[set[str]], *, least: float) -> dict[tuple[int, int], float]:
    """Return the pairs of rows sharing at least `least` of their pieces (Dice), with that share."""
    if not pieces:
        return {}
    table = _incidence(pieces)
    common = sparse.triu(table @ table.T, k=1).tocoo()
    sizes = np.array([len(found) for found in pieces])
    share = 2 * common.data / (sizes[common.row] + sizes[common.col])
    kept = share >= least
    rows = zip(common.row[kept].tolist(), common.col[kept].tolist(), share[kept].tolist(), strict=True)
    return {(first, second): value for first, second, value in rows}


def _close_pairs(keys: list[str], *, least: float, size: int) -> list[tuple[int, int]]:
    """Return the pairs of names worth comparing in full: those that share letter pairs, ends included."""
    padded = [f"^{key}$" for key in keys]
    pieces = [
        {name[at : at + size] for at in range(len(name) - size + 1)} if len(name) > 2 else set() for name in padded
    ]
    return sorted(_shared(pieces, least=least))


def _close_texts(texts: list[list[str]]) -> dict[tuple[int, int], float]:
    """Return the pairs of texts sharing most of their pairs of words."""
    pieces = [{f"{first} {second}" for first, second in pairwise(words)} for words in texts]
    return _shared(pieces, least=NEAR_TEXT)
