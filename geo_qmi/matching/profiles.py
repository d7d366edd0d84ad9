"""Which themes does each district ask for, and which does each project bring?

`needs` and `offers` read French text through the lexicon and turn it into long frames (tables ``needs`` and
``offers``), each row with the words that made it. What was not said stays absent: a district without text has no row.
They compare nothing (see `geo_qmi.matching.scoring`), and neither repairs nor translates a text.

Traps: a text is read word by word, so « sans voiture » speaks of cars; a theme nobody put words on in the lexicon is
invisible; `unread` lists the statements of which nothing was understood.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from geo_qmi.errors import InputError
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.matching.lexicon import Lexicon, compile_lexicon
from geo_qmi.vocabulary import NEED_LAYERS, THEMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: How far each part of an application speaks for it. Description, keywords and tags say what *this* project does; a
#: family is a drawer shared with others, often named after several themes at once, so it counts for half. The name
#: is left out: a brand is not a statement.
FIELD_WEIGHTS = {"description": 1.0, "keywords": 1.0, "tags": 1.0, "family": 0.5}
#: How evidence names each part.
_FIELD_LABELS = {
    "description": "description",
    "keywords": "mots-clés",
    "tags": "étiquettes",
    "family": "famille",
}
_THEME_ORDER = {theme: position for position, theme in enumerate(THEMES)}
_LAYER_ORDER = {layer: position for position, layer in enumerate(NEED_LAYERS)}


def offers(
    projects: pd.DataFrame,
    *,
    lexicon: pd.DataFrame,
    id_column: str = "project_id",
    tags: pd.DataFrame | None = None,
    field_weights: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return what each project brings: its strength on each theme, and the words that say so.

    The evidence of a theme is the sum of its findings, strongest first, each worth lexicon weight × field weight,
    halved at each further finding (1, ½, ¼ …): saying the same thing again soon adds nothing. Strengths are these
    evidences divided by their total, or by 1 when the total is lower: they are shares of the project, so a wordy
    application gains nothing, and one vague word does not make a specialist.

    Parameters
    ----------
    projects
        One row a project: `id_column` and the text columns named in `field_weights` that exist. Never changed.
    lexicon
        Table ``lexicon``.
    id_column
        Column of identifiers, ``application_id`` for a call.
    tags
        Long frame ``project_id``, ``tag`` (table ``project_tags``); projects absent from `projects` are ignored.
    field_weights
        Column → weight in 0–1; `FIELD_WEIGHTS` by default.

    Returns
    -------
    DataFrame
        Table ``offers``: ``project_id``, ``theme``, ``strength`` (at most 1 in total), ``evidence``; sorted by
        identifier, then in the order of the themes. A project in which nothing is recognised has no row.

    Raises
    ------
    InputError
        Missing columns, missing or duplicate identifiers, a lexicon that cannot be used.
    """
    weights = dict(FIELD_WEIGHTS if field_weights is None else field_weights)
    ready = compile_lexicon(lexicon)
    require_columns(projects, [id_column], what="Projets")
    require_ids(projects[id_column], what="Projets")
    fields = [name for name in weights if name in projects]
    if not fields and tags is None:
        raise InputError(
            f"Projets : aucune colonne de texte à lire. Attendu : une au moins parmi {', '.join(weights)}."
        )
    labels = _tags_by_project(tags)
    ids = projects[id_column].tolist()
    columns = {name: projects[name].tolist() for name in fields}
    rows: list[tuple[object, str, float, str]] = []
    for position in sorted(range(len(ids)), key=lambda k: str(ids[k])):
        parts = [(name, columns[name][position]) for name in fields]
        parts += [("tags", tag) for tag in labels.get(ids[position], ())]
        rows += [(ids[position], *row) for row in strengths_of(parts, weights, ready)]
    return pd.DataFrame(rows, columns=["project_id", "theme", "strength", "evidence"]).astype(
        {"project_id": "str", "theme": "str", "strength": "float64", "evidence": "str"}
    )


def _tags_by_project(tags: pd.DataFrame | None) -> dict[object, list[str]]:
    """Return the tags of each project, in alphabetical order."""
    if tags is None:
        return {}
    require_columns(tags, ["project_id", "tag"], what="Étiquettes")
    found: defaultdict[object, list[str]] = defaultdict(list)
    for project_id, tag in sorted(tags[["project_id", "tag"]].dropna().astype(str).itertuples(index=False, name=None)):
        found[project_id].append(tag)
    return found


def strengths_of(
    parts: Iterable[tuple[str, object]], weights: Mapping[str, float], lexicon: Lexicon
) -> list[tuple[str, float, str]]:
    """Return (theme, strength, evidence) of one project from its (field, text) parts."""
    # An entry met in several fields counts once, where it counts most.
    best: dict[str, tuple[float, str, str, str, str]] = {}
    for name, text in parts:
        if not isinstance(text, str):
            continue
        weight = weights.get(name, 0.0)
        for (entry_id, theme, _, sure), surface in lexicon.find(text):
            value = sure * weight
            known = best.get(entry_id)
            if value > (0.0 if known is None else -known[0]):
                best[entry_id] = (-value, entry_id, theme, surface, name)
    # Strongest first, each finding of a theme halved once more than the one before.
    amounts: dict[str, float] = {}
    said: dict[str, list[str]] = {}
    for negative, entry_id, theme, surface, name in sorted(best.values()):
        words = said.setdefault(theme, [])
        amounts[theme] = amounts.get(theme, 0.0) - negative / 2.0 ** len(words)
        words.append(_said(-negative, entry_id, surface, name))
    ordered = sorted(amounts, key=_THEME_ORDER.__getitem__)
    total = max(1.0, sum([amounts[theme] for theme in ordered]))
    return [(theme, amounts[theme] / total, " ; ".join(said[theme])) for theme in ordered]


def _halved(values: Iterable[float]) -> float:
    """Return the sum of decreasing `values`, each halved once more than the one before."""
    return sum(value / 2.0**position for position, value in enumerate(values))


@lru_cache(maxsize=1 << 16)
def _said(value: float, entry_id: str, surface: str, name: str) -> str:
    """Return one finding as the reader sees it."""
    amount = f"{value:.3g}".replace(".", ",")
    return f"« {surface} » ({_FIELD_LABELS.get(name, name)}, {entry_id}, {amount})"


def statements(objectives: pd.DataFrame, expected: pd.DataFrame, districts: pd.DataFrame) -> pd.DataFrame:
    """Return every published statement of need, one a row, with its layer.

    Parameters
    ----------
    objectives
        Table ``objectives``: ``objective_id``, ``district_id``, ``objective``.
    expected
        Table ``expected_solutions``: ``expected_id``, ``district_id``, ``solution``.
    districts
        Table ``districts``: ``district_id``, ``challenge`` (missing when unknown).

    Returns
    -------
    DataFrame
        ``district_id``, ``layer``, ``statement_id``, ``text``; sorted by district, layer, statement. A challenge takes
        the identifier of its district. Empty texts are left out: nothing was said.
    """
    require_columns(objectives, ["objective_id", "district_id", "objective"], what="Objectifs")
    require_columns(expected, ["expected_id", "district_id", "solution"], what="Solutions attendues")
    require_columns(districts, ["district_id", "challenge"], what="Quartiers")
    require_ids(districts["district_id"], what="Quartiers")
    pieces = {
        "objective": (objectives, "objective_id", "objective"),
        "challenge": (districts, "district_id", "challenge"),
        "expected": (expected, "expected_id", "solution"),
    }
    frames = []
    for layer, (frame, id_column, text_column) in pieces.items():
        require_ids(frame[id_column], what=NEED_LAYERS[layer])
        told = frame[frame[text_column].fillna("").astype(str).str.strip() != ""]
        frames.append(
            pd.DataFrame(
                {
                    "district_id": told["district_id"].astype("str"),
                    "layer": layer,
                    "statement_id": told[id_column].astype("str"),
                    "text": told[text_column].astype("str"),
                }
            )
        )
    joined = pd.concat(frames, ignore_index=True)
    order = joined["layer"].map(_LAYER_ORDER)
    return (
        joined.assign(_order=order)
        .sort_values(["district_id", "_order", "statement_id"], kind="stable", ignore_index=True)
        .drop(columns="_order")
    )


def needs(
    objectives: pd.DataFrame, expected: pd.DataFrame, districts: pd.DataFrame, *, lexicon: pd.DataFrame
) -> pd.DataFrame:
    """Return what each district asks for: the weight of each theme in each layer, and the words that say so.

    Within a layer each statement counts the same, however long; within a statement the themes share its weight in
    proportion to the words found. Objectives, challenge and expected solutions disagree and are never merged here.

    Parameters
    ----------
    objectives, expected, districts
        See `statements`.
    lexicon
        Table ``lexicon``.

    Returns
    -------
    DataFrame
        Table ``needs``: ``district_id``, ``layer``, ``theme``, ``weight`` (summing to 1 in each district and layer),
        ``evidence`` (statement identifiers and words); sorted by district, layer, theme. A layer without text, or of
        which nothing is recognised, has no row: it is unknown, not zero.
    """
    ready = compile_lexicon(lexicon)
    told = statements(objectives, expected, districts)
    rows: list[tuple[str, str, str, float, str]] = []
    for (district_id, layer), group in told.groupby(["district_id", "layer"], sort=False):
        texts = zip(group["statement_id"].tolist(), group["text"].tolist(), strict=True)
        rows += [(str(district_id), str(layer), *row) for row in _weights(texts, ready)]
    return pd.DataFrame(rows, columns=["district_id", "layer", "theme", "weight", "evidence"]).astype(
        {"district_id": "str", "layer": "str", "theme": "str", "weight": "float64", "evidence": "str"}
    )


def _weights(texts: Iterable[tuple[str, str]], lexicon: Lexicon) -> list[tuple[str, float, str]]:
    """Return (theme, weight, evidence) of one layer from its (statement identifier, text) pairs."""
    read = []
    for statement_id, text in texts:
        found: defaultdict[str, list[tuple[float, str, str]]] = defaultdict(list)
        for entry, surface in lexicon.find(text):
            if entry.weight > 0:
                found[entry.theme].append((-entry.weight, entry.entry_id, surface))
        parts = [
            (
                theme,
                _halved(-weight for weight, *_ in sorted(hits)),
                ", ".join(f"« {surface} » ({entry_id})" for _, entry_id, surface in sorted(hits)),
            )
            for theme, hits in sorted(found.items())
        ]
        read.append((statement_id, parts))
    return layer_weights(read)


def layer_weights(read: Iterable[tuple[str, Sequence[tuple[str, float, str]]]]) -> list[tuple[str, float, str]]:
    """Return (theme, weight, evidence) of one layer, each statement in which something was read counting the same.

    Parameters
    ----------
    read
        Statement identifier, and what it says: (theme, amount, evidence).
    """
    shares: defaultdict[str, float] = defaultdict(float)
    evidence: defaultdict[str, list[str]] = defaultdict(list)
    n_read = 0
    for statement_id, parts in read:
        total = sum(amount for _, amount, _ in parts)
        n_read += bool(parts)
        for theme, amount, said in parts:
            shares[theme] += amount / total
            evidence[theme].append(f"{statement_id} : {said}")
    return [
        (theme, shares[theme] / n_read, " ; ".join(evidence[theme]))
        for theme in sorted(shares, key=_THEME_ORDER.__getitem__)
    ]


def unread(told: pd.DataFrame, *, lexicon: pd.DataFrame) -> pd.DataFrame:
    """Return the statements in which the lexicon recognises nothing: they weigh nothing, and somebody should know.

    Parameters
    ----------
    told
        As returned by `statements`.
    lexicon
        Table ``lexicon``.

    Returns
    -------
    DataFrame
        The rows of `told` left without a theme, with their index.
    """
    ready = compile_lexicon(lexicon)
    silent = [not any(entry.weight > 0 for entry, _ in ready.find(text)) for text in told["text"].tolist()]
    return told[silent].copy()
