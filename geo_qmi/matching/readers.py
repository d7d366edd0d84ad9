"""By which reader are themes found in a French text, and what must any reader give back?

`ThemeReader` is the plug: texts of one project in, shares of themes out, each with the evidence somebody can check. The
lexicon (`LexiconReader`) is the default because its evidence is a word. `EmbeddingReader` compares sentences with the
terms of each theme through a sentence encoder that the user hands in; its evidence is the nearest sentence and term.

Nothing here downloads, trains or opens a model: see `geo_qmi.sources.models` for one kept in a folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import pandas as pd

from geo_qmi.errors import InputError
from geo_qmi.guards import require_columns, require_ids
from geo_qmi.matching.lexicon import compile_lexicon
from geo_qmi.matching.profiles import FIELD_WEIGHTS, layer_weights, statements, strengths_of
from geo_qmi.vocabulary import NEED_LAYERS, THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from geo_qmi.matching.lexicon import Lexicon

#: The texts of one project: (field, text).
Texts = Sequence[tuple[str, str]]
#: A published statement is one text, whatever its layer: it counts in full.
_WEIGHTS = {**FIELD_WEIGHTS, **dict.fromkeys(NEED_LAYERS.values(), 1.0)}


class ThemeShare(NamedTuple):
    """What one text brings on one theme: its share in (0, 1], and the words that say so."""

    theme: str
    strength: float
    evidence: str


class ThemeReader(Protocol):
    """Anything that finds themes in texts.

    ``name`` is shown on every sheet. ``read`` gives one list a project, in the order given; strengths of a list add up
    to 1 at most; an empty list means that nothing was recognised, which is not the same as zero. The result for one
    project may not depend on the others.
    """

    @property
    def name(self) -> str:
        """Return the name shown on sheets."""
        ...

    def read(self, projects: Sequence[Texts]) -> list[list[ThemeShare]]:
        """Return the themes of each project."""
        ...


@dataclass(frozen=True, slots=True)
class LexiconReader:
    """Reads by the words of table ``lexicon``: same strengths and evidence as `geo_qmi.matching.offers`."""

    lexicon: Lexicon
    field_weights: Mapping[str, float] = field(default_factory=lambda: dict(_WEIGHTS))
    name: str = "lexique"

    @classmethod
    def of(cls, lexicon: pd.DataFrame) -> LexiconReader:
        """Return the reader of a table ``lexicon``."""
        return cls(compile_lexicon(lexicon))

    def read(self, projects: Sequence[Texts]) -> list[list[ThemeShare]]:
        """Return the themes of each project."""
        return [
            [ThemeShare(*row) for row in strengths_of(texts, self.field_weights, self.lexicon)] for texts in projects
        ]


#: End of a sentence, or a separator of keywords.
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|[;\n]+")
#: A theme counts when it stands above the text's own mean resemblance by this many deviations: every sentence
#: resembles every theme a little, and that background says nothing.
_ABOVE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingReader:
    """Reads by resemblance of sentences to the terms of each theme.

    Attributes
    ----------
    encode
        Sentences → vectors (sentences × dimensions), one row each, independent of one another.
    terms, themes, vectors
        The terms of the lexicon, their theme and their vectors of length 1.
    name
        Shown on sheets.
    """

    encode: Callable[[list[str]], NDArray[np.float64]]
    terms: list[str]
    themes: list[str]
    vectors: NDArray[np.float64]
    name: str = "plongement de phrases"

    @classmethod
    def of(
        cls, lexicon: pd.DataFrame, *, encode: Callable[[list[str]], NDArray[np.float64]], name: str
    ) -> EmbeddingReader:
        """Return a reader whose themes are told by the terms of weight 1 of table ``lexicon``.

        Parameters
        ----------
        lexicon
            ``theme``, ``term``, ``weight``.
        encode
            The encoder.
        name
            Name of the model, shown on sheets.
        """
        require_columns(lexicon, ["theme", "term", "weight"], what="Lexique")
        sure = lexicon[lexicon["weight"] >= 1].sort_values(["theme", "term"], kind="stable")
        terms = [str(term).removeprefix("=") for term in sure["term"]]
        if not terms:
            raise InputError("Lexique : aucun terme de poids 1 pour dire les thèmes au modèle. Ajoutez-en.")
        return cls(encode, terms, [str(theme) for theme in sure["theme"]], unit(encode(terms), terms), name)

    def read(self, projects: Sequence[Texts]) -> list[list[ThemeShare]]:
        """Return the themes of each project."""
        sentences = [[(name, part) for name, text in texts for part in _sentences(text)] for texts in projects]
        told = [part for parts in sentences for _, part in parts]
        vectors = unit(self.encode(told), told) if told else np.empty((0, self.vectors.shape[1]))
        found, at = [], 0
        for parts in sentences:
            found.append(self._themes(parts, vectors[at : at + len(parts)]))
            at += len(parts)
        return found

    def _themes(self, parts: list[tuple[str, str]], vectors: NDArray[np.float64]) -> list[ThemeShare]:
        """Return the themes of one project: for each, its best pair of a sentence and a term."""
        if not parts:
            return []
        near = vectors @ self.vectors.T
        codes = np.array([list(THEMES).index(theme) for theme in self.themes])
        best = np.full(len(THEMES), -1.0)
        np.maximum.at(best, codes, near.max(axis=0))
        known = np.unique(codes)
        excess = np.zeros(len(THEMES))
        excess[known] = np.maximum(0.0, best[known] - best[known].mean() - _ABOVE * best[known].std())
        total = excess.sum()
        if total <= 0:
            return []
        found = []
        for position in np.flatnonzero(excess):
            columns = np.flatnonzero(codes == position)
            row, column = np.unravel_index(int(near[:, columns].argmax()), (len(parts), len(columns)))
            name, sentence = parts[int(row)]
            term = self.terms[int(columns[int(column)])]
            near_by = f"{best[position]:.2f}".replace(".", ",")
            evidence = f"« {sentence} » ({name}) proche de « {term} » ({near_by})"
            found.append(ThemeShare(list(THEMES)[position], float(excess[position] / total), evidence))
        return found


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text, or its keywords."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


def unit(vectors: NDArray[np.float64], sentences: list[str]) -> NDArray[np.float64]:
    """Return `vectors` at length 1 (zero stays zero), or raise `InputError` when they are not one row a sentence."""
    table = np.asarray(vectors, dtype=np.float64)
    if table.ndim != 2 or len(table) != len(sentences) or not np.isfinite(table).all():
        raise InputError(
            f"Modèle de phrases : {len(sentences)} phrases données, tableau rendu de forme {table.shape}. "
            "Attendu : un vecteur de nombres finis par phrase."
        )
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    return np.asarray(table / np.where(lengths > 0, lengths, 1.0))


def offers_by(
    reader: ThemeReader,
    projects: pd.DataFrame,
    *,
    id_column: str = "project_id",
    tags: pd.DataFrame | None = None,
    fields: Sequence[str] = tuple(FIELD_WEIGHTS),
) -> pd.DataFrame:
    """Return what each project brings, read by any reader.

    Parameters
    ----------
    reader
        A `LexiconReader`, an `EmbeddingReader`, or another.
    projects
        `id_column` and texts.
    id_column
        Column of identifiers.
    tags
        ``project_id``, ``tag``; read as one more text.
    fields
        Text columns to read, those that exist.

    Returns
    -------
    DataFrame
        Table ``offers``: ``project_id``, ``theme``, ``strength``, ``evidence``; sorted by identifier then theme.
    """
    require_columns(projects, [id_column], what="Projets")
    require_ids(projects[id_column], what="Projets")
    labels: dict[str, list[str]] = {}
    if tags is not None:
        require_columns(tags, ["project_id", "tag"], what="Étiquettes")
        for project_id, tag in sorted(
            tags[["project_id", "tag"]].dropna().astype(str).itertuples(index=False, name=None)
        ):
            labels.setdefault(project_id, []).append(tag)
    ordered = projects.sort_values(id_column, kind="stable", key=lambda ids: ids.astype("str"))
    present = [name for name in fields if name in ordered]
    ids = ordered[id_column].astype("str").tolist()
    texts = [
        [(name, text) for name, text in zip(present, row, strict=True) if isinstance(text, str)]
        + [("tags", tag) for tag in labels.get(project_id, ())]
        for project_id, row in zip(ids, ordered[present].itertuples(index=False, name=None), strict=True)
    ]
    rows = [(key, *share) for key, shares in zip(ids, reader.read(texts), strict=True) for share in shares]
    return pd.DataFrame(rows, columns=["project_id", "theme", "strength", "evidence"]).astype(
        {"project_id": "str", "theme": "str", "strength": "float64", "evidence": "str"}
    )


def needs_by(
    reader: ThemeReader, objectives: pd.DataFrame, expected: pd.DataFrame, districts: pd.DataFrame
) -> pd.DataFrame:
    """Return what each district asks for, read by any reader.

    Parameters
    ----------
    reader
        The one that reads the projects: two readers do not share a scale.
    objectives, expected, districts
        See `geo_qmi.matching.statements`.

    Returns
    -------
    DataFrame
        Table ``needs``, as `geo_qmi.matching.needs` gives it: each statement counts the same in its layer.
    """
    told = statements(objectives, expected, districts)
    texts = [[(NEED_LAYERS[layer], text)] for layer, text in zip(told["layer"], told["text"], strict=True)]
    read: dict[tuple[str, str], list[tuple[str, list[ThemeShare]]]] = {}
    cells = told[["district_id", "layer", "statement_id"]].itertuples(index=False, name=None)
    for (district_id, layer, statement_id), shares in zip(cells, reader.read(texts), strict=True):
        read.setdefault((district_id, layer), []).append((statement_id, shares))
    rows = [(*key, *row) for key, parts in read.items() for row in layer_weights(parts)]
    return pd.DataFrame(rows, columns=["district_id", "layer", "theme", "weight", "evidence"]).astype(
        {"district_id": "str", "layer": "str", "theme": "str", "weight": "float64", "evidence": "str"}
    )
