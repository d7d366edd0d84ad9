"""Where does a figure come from, and what do the documents say when they disagree?

Reads the ``source`` columns of a study (``document:Lline``), the terms of each table and the register of
contradictions, for reading on screen. Both sides of a contradiction stay; none is chosen, and nothing is looked up in
the documents themselves, which are not part of the project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_qmi import export, maps, overview, schema
from geo_qmi.shipped import data_dir
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Tables = Mapping[str, pd.DataFrame]

#: The documents cited by code, as in ``SOURCES.md``.
DOCUMENTS = {
    "000": "Hub IA 93, rapport de Paris Terres d’Envol, octobre 2025",
    "001": "Innover dans la ville, livret de la Métropole du Grand Paris, 2025",
    "002": "Page de la Métropole du Grand Paris sur l’édition 1 du QMI, sans date, après février 2025",
    "003": "Livret d’impact du QMI, pour les partenaires, 2025",
}
#: Tables whose rows say one fact each: identifier, then the columns that word it.
_STATEMENTS = {
    "districts": ("district_id", ("name", "challenge")),
    "figures": ("figure_id", ("meaning", "scope")),
    "timeline": ("event_id", ("date", "event")),
    "district_facts": ("fact_id", ("fact",)),
    "objectives": ("objective_id", ("objective",)),
    "projects": ("project_id", ("name",)),
    "sites": ("site_id", ("name",)),
}
_PLACE = re.compile(r"(?:(?P<document>\d{3}))?:?\s*(?:L(?P<first>\d+)(?:-L?(?P<last>\d+))?)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a document; the whole document when no line is given."""

    document: str
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        """Return the place as it is cited."""
        if self.first is None:
            return self.document
        return f"{self.document}:L{self.first}" + (f"-{self.last}" if self.last != self.first else "")

    def meets(self, other: Place) -> bool:
        """Tell whether two places share a line; a whole document shares none, it says too little."""
        if self.document != other.document or None in {self.first, self.last, other.first, other.last}:
            return False
        return bool(self.first <= other.last and other.first <= self.last)  # type: ignore[operator]


def places(source: object) -> list[Place]:
    """Return the places a ``source`` cites, in order; words that are no place are left out.

    Examples
    --------
    >>> [str(one) for one in places("003:L1150 / L1441 ; 002")]
    ['003:L1150', '003:L1441', '002']
    """
    if not isinstance(source, str):
        return []
    found, document = [], ""
    for part in re.split(r"[;,/]", source):
        read = _PLACE.fullmatch(part.strip())
        if read is None or not part.strip():
            continue
        document = read["document"] or document
        if document:
            first = int(read["first"]) if read["first"] else None
            found.append(Place(document, first, int(read["last"]) if read["last"] else first))
    return found


def files(tables: Tables) -> pd.DataFrame:
    """Return under which terms each shipped table stands, with its rows in this study.

    Returns
    -------
    DataFrame
        Columns Table, Fichier, Licence, Crédit, Date, Doute, Diffusion, Lignes réelles, Démonstration.
    """
    rows = []
    for name, known in export.terms().items():
        frame = tables[name]
        n_demo = int(overview.is_demo(frame).sum())
        file = f"{name}.{'geojson' if schema.geometry_types(name) else 'csv'}"
        paths = (file, f"demo/{file}")
        rows.append(
            {
                "Table": schema.label(name),
                "Fichier": ", ".join(path for path in paths if (data_dir() / path).is_file()) or "aucun",
                "Licence": known.licence,
                "Crédit": known.credit,
                "Date": known.date or "voir SOURCES.md",
                "Doute": known.doubt or "voir SOURCES.md",
                "Diffusion": "jury seulement" if known.restricted else "permise, avec le crédit",
                "Lignes réelles": len(frame) - n_demo,
                "Démonstration": n_demo,
            }
        )
    return pd.DataFrame(rows)


def rows_by_source(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how many rows of a table stand on each source.

    Returns
    -------
    DataFrame
        Columns Source, Lignes, Démonstration; the most frequent first, then by name.
    """
    told = pd.DataFrame(
        {"Source": frame["source"].fillna("source non indiquée"), "Démonstration": overview.is_demo(frame)}
    )
    grouped = told.groupby("Source")["Démonstration"].agg(["size", "sum"]).reset_index()
    grouped.columns = pd.Index(["Source", "Lignes", "Démonstration"])
    return grouped.sort_values(["Lignes", "Source"], ascending=[False, True], ignore_index=True)


def by_document(tables: Tables) -> pd.DataFrame:
    """Return how many rows of each table cite each document.

    Returns
    -------
    DataFrame
        Columns Table, one a document, Autre origine (rows that cite no document), Démonstration (made up, counted
        nowhere else). A row that cites two documents counts in both.
    """
    rows = []
    for name, frame in tables.items():
        if frame.empty or "source" not in frame:
            continue
        cited = [{one.document for one in places(source)} for source in overview.real(frame)["source"]]
        row: dict[str, Any] = {"Table": schema.label(name)}
        row |= {f"Document {code}": sum(code in codes for codes in cited) for code in DOCUMENTS}
        row |= {"Autre origine": sum(not codes for codes in cited), "Démonstration": int(overview.is_demo(frame).sum())}
        rows.append(row)
    return pd.DataFrame(rows)


def ledger(tables: Tables, asked: str = "") -> pd.DataFrame:
    """Return the contradictions that hold every word asked for, in any column; all by default."""
    return _holding(tables["contradictions"], asked)


def figures(tables: Tables, asked: str = "") -> pd.DataFrame:
    """Return the published figures that hold every word asked for, with the lines of each.

    Returns
    -------
    DataFrame
        Columns Identifiant, Chiffre, Ce qu’il mesure, Où il est lu, Remarque, Contradictions (those on the same lines).
    """
    rows = _holding(tables["figures"], asked)
    against = [(row["contradiction_id"], places(row["source"])) for row in _records(tables["contradictions"])]
    told = []
    for row in _records(rows):
        read = places(row["source"])
        disputed = [ident for ident, theirs in against if any(a.meets(b) for a in read for b in theirs)]
        told.append(
            {
                "Identifiant": row["figure_id"],
                "Chiffre": _value(row),
                "Ce qu’il mesure": row["meaning"],
                "Où il est lu": row["source"],
                "Remarque": row["note"] if isinstance(row["note"], str) else "",
                "Contradictions": ", ".join(disputed),
            }
        )
    columns = ["Identifiant", "Chiffre", "Ce qu’il mesure", "Où il est lu", "Remarque", "Contradictions"]
    return pd.DataFrame(told, columns=columns)


def answer(tables: Tables, ident: str) -> str:
    """Return, in one French sentence, where the fact of an identifier was read; empty when there is none.

    Examples
    --------
    >>> from geo_qmi.shipped import shipped_tables
    >>> answer(shipped_tables(), "f014")
    'F014 : 11 mois (moyenne), Délai moyen de déploiement. Lu en 003:L1143-1148.'
    """
    wanted = ident.strip().casefold()
    for name, (key, wording) in _STATEMENTS.items():
        for row in _records(tables[name]):
            if str(row[key]).casefold() == wanted:
                told = f"{_value(row)}, {row['meaning']}" if name == "figures" else _worded(row, wording)
                return f"{row[key]} : {told}. {_read_at(row['source'])}"
    for row in _records(tables["contradictions"]):
        if str(row["contradiction_id"]).casefold() == wanted:
            return f"{row['contradiction_id']} : {row['subject']}. {_read_at(row['source'])}"
    return ""


def sides(tables: Tables, contradiction_id: str) -> list[tuple[str, str, pd.DataFrame]]:
    """Return each side of a contradiction: what this study read at the lines it cites.

    Returns
    -------
    list
        Place as cited, title of its document, and the rows read there: columns Identifiant, Énoncé. The table is
        empty where the study keeps no fact of those lines.
    """
    rows = tables["contradictions"]
    source = rows.loc[rows["contradiction_id"] == contradiction_id, "source"].iloc[0]
    facts = list(_facts(tables))
    found = []
    for place in places(source):
        there = [(ident, told) for ident, told, read in facts if any(place.meets(one) for one in read)]
        title = DOCUMENTS.get(place.document, "document inconnu de cette page")
        found.append((str(place), title, pd.DataFrame(there, columns=["Identifiant", "Énoncé"])))
    return found


def _facts(tables: Tables) -> Iterator[tuple[str, str, list[Place]]]:
    """Yield identifier, wording and places of every row that says one fact."""
    for name, (key, wording) in _STATEMENTS.items():
        for row in _records(tables[name]):
            told = f"{_value(row)} – {row['meaning']}" if name == "figures" else _worded(row, wording)
            yield str(row[key]), told, places(row["source"])


def _worded(row: Mapping[str, Any], wording: tuple[str, ...]) -> str:
    return " : ".join(str(row[column]) for column in wording if isinstance(row[column], str))


def _value(row: Mapping[str, Any]) -> str:
    """Return a figure as it is published: bounds, unit and qualifier, without rounding."""
    bounds = [maps.words(row[column]) for column in ("value", "value_max") if not pd.isna(row[column])]
    unit = f" {row['unit']}" if isinstance(row["unit"], str) else ""
    how = f" ({row['qualifier']})" if isinstance(row["qualifier"], str) else ""
    return f"{' à '.join(bounds) or 'sans valeur'}{unit}{how}"


def _read_at(source: object) -> str:
    return f"Lu en {source}." if places(source) else f"Origine : {source}."


def _holding(frame: pd.DataFrame, asked: str) -> pd.DataFrame:
    """Keep the rows whose cells, together, hold every word."""
    words = [word for word in fold(asked).split("_") if word]
    if not words or frame.empty:
        return frame
    told = frame.astype(object).fillna("").astype(str).agg(" ".join, axis="columns").map(fold)
    return frame[told.map(lambda text: all(word in text for word in words))]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
    return plain.to_dict("records")  # type: ignore[return-value]
