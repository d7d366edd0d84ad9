"""What does a matching need, and where is it read?

Candidates from a study or a file, needs said on the ground, projects already there, the reader of texts, the rule file
and the hashes of them all. Nothing here scores, writes or prints.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_qmi import matching, rulebook, schema
from geo_qmi.errors import DefectsError, InputError
from geo_qmi.matching.rule_model import Quotas, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from geo_qmi.intake import Intake
    from geo_qmi.matching import Match
    from geo_qmi.matching.readers import ThemeReader
    from geo_qmi.matching.run import Texts
    from geo_qmi.rulebook import Rulebook
    from geo_qmi.workspace import Study

_TABLES = (
    "communes",
    "districts",
    "objectives",
    "expected_solutions",
    "lexicon",
    "projects",
    "project_tags",
    "project_names",
    "project_statuses",
    "applications",
    "candidate_places",
    "decisions",
)
#: Read when the ground is to be compared with: what was said in walks, interviews and workshops.
_FIELD_TABLES = ("observations", "sessions", "statements", "workshop_items")


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The inputs of one matching.

    Attributes
    ----------
    title
        French words for what is matched; says so when it is demonstration.
    candidates
        One row a candidate, ``project_id`` and texts.
    tables
        Tables of the study the matching reads.
    districts
        District identifiers to fill.
    tags, hosts
        Tags and real hosts, for the real projects only.
    book
        The rule file as applied.
    inputs
        Name → SHA-256, for the manifest.
    field
        Needs said on the ground, when they are asked for.
    present
        Projects already deployed in the districts, candidates left out.
    reader
        What reads the texts; the lexicon of the study when absent.
    n_refused
        Candidates of the user's file that could not be read.
    notes
        French sentences to show before the result.
    """

    title: str
    candidates: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    districts: list[str]
    tags: pd.DataFrame | None
    hosts: pd.DataFrame | None
    book: Rulebook
    inputs: dict[str, str]
    field: pd.DataFrame | None = None
    present: pd.DataFrame | None = None
    reader: ThemeReader | None = None
    n_refused: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)

    def run(self, *, texts: Texts | None = None, announce: Callable[[str], None] = lambda _: None) -> Match:
        """Return the matching; see `geo_qmi.matching.match`."""
        return matching.match(
            self.candidates,
            self.tables,
            districts=self.districts,
            tags=self.tags,
            hosts=self.hosts,
            rules=self.book.rules,
            field=self.field,
            present=self.present,
            reader=self.reader,
            texts=texts,
            announce=announce,
        )

    def unplanned(self) -> Prepared:
        """Return the same inputs without the rules of the plan: scores do not depend on them, so they are the same."""
        free = {"quotas": Quotas(low=0), "totals": Totals(), "theme_bounds": (), "fixed": (), "vetoes": ()}
        rules = self.book.rules.model_copy(update={**free, "services": {}, "loads": (), "synergies": ()})
        return dataclasses.replace(self, book=dataclasses.replace(self.book, rules=rules))

    def places(self) -> dict[str, str]:
        """Return district to fill → « Quartier (Commune) », or the commune alone when no document names it."""
        districts, communes = self.tables["districts"], self.tables["communes"]
        hosts = dict(zip(communes["insee"], communes["name"], strict=True))
        rows = dict(zip(districts["district_id"], zip(districts["insee"], districts["name"], strict=True), strict=True))
        found = ((ident, *rows[ident]) for ident in self.districts)
        return {
            ident: str(hosts[insee]) if pd.isna(name) else f"{name} ({hosts[insee]})" for ident, insee, name in found
        }


def prepare(
    study: Study,
    *,
    candidates: Path | pd.DataFrame | None = None,
    demo: bool = False,
    districts: Sequence[str] | None = None,
    book: Rulebook | None = None,
    field: bool = False,
    model: Path | None = None,
) -> Prepared:
    """Gather what a matching needs.

    Parameters
    ----------
    study
        Where needs, lexicon and default candidates are read, all at one instant.
    candidates
        A file of applications, or rows already taken in (table ``applications``); the real projects by default.
    demo
        Take the applications of the study instead.
    districts
        Districts to fill; those of edition 1 by default, the only ones whose objectives are published.
    book
        The rule file; the shipped one by default.
    field
        Compare with what was said on the ground too; how much it counts is the weight ``field`` of the rules.
    model
        Folder of a sentence model that reads the texts of districts and candidates instead of the lexicon.

    Raises
    ------
    InputError
        Both a file and `demo`, no candidate, a file of which no row can be read, or a folder that is no model.
    DefectsError
        The rules name a project or a district that this call does not know.
    """
    tables = study.read_many([*_TABLES, *_FIELD_TABLES] if field else _TABLES)
    book = book or rulebook.opened()
    if candidates is not None and demo:
        raise InputError("Choisissez : un fichier de candidatures, ou --demo, mais pas les deux.")
    wanted = list(districts or tables["districts"].loc[tables["districts"]["edition"] == 1, "district_id"])
    inputs = {"study": study.fingerprint(), "rules": book.sha256}
    notes: list[str] = []
    tags = hosts = None
    n_refused = 0
    if demo:
        chosen, title = tables["applications"], "Candidatures de l’étude"
    elif candidates is None:
        chosen, title = tables["projects"], "Projets réels de l’édition 1"
        tags, hosts = tables["project_tags"], chosen[["project_id", "district_id"]]
    elif isinstance(candidates, pd.DataFrame):
        chosen, title = candidates, "Candidatures importées"
    else:
        chosen, n_refused, notes = _from_file(candidates)
        title = f"Candidatures de « {candidates.name} »"
        inputs["candidates"] = hashlib.sha256(candidates.read_bytes()).hexdigest()
    if "demo" in chosen and chosen["demo"].any():
        title += " [démonstration]"
    chosen = chosen.rename(columns={"application_id": "project_id"})
    if chosen.empty:
        raise InputError("Aucune candidature à apparier : la table est vide. Importez un appel, ou choisissez --demo.")
    unknown = matching.unknown_ids(
        book.rules, projects=chosen["project_id"], districts=tables["districts"]["district_id"]
    )
    if unknown:
        raise DefectsError(unknown, title=f"Règles de « {book.name} » étrangères à cet appel")
    said = field_needs(tables) if field else None
    if said is not None:
        notes.append(_field_note(said, book))
    reader = None
    if model is not None:
        reader = reader_of(model, tables["lexicon"])
        inputs["model"] = reader.name
        notes.append(f"Textes lus par {reader.name}, et non par le lexique.")
    there = present(tables, chosen["project_id"])
    return Prepared(title, chosen, tables, wanted, tags, hosts, book, inputs, said, there, reader, n_refused, notes)


def present(tables: Mapping[str, Any], candidates: Iterable[str]) -> pd.DataFrame:
    """Return the projects deployed in the district they were sent to, `candidates` left out.

    A project deployed elsewhere brings nothing to that district; one whose place is unknown is taken at its word.
    """
    projects, statuses = tables["projects"], tables["project_statuses"]
    deployed = set(statuses["project_id"][statuses["status"] == "deployed"]) - set(candidates)
    homes = zip(projects["project_id"], projects["district_id"], projects["inside_district"], strict=True)
    kept = [ident in deployed and not pd.isna(home) and inside != "no" for ident, home, inside in homes]
    here: pd.DataFrame = projects[np.array(kept, dtype=bool)]
    return here.reset_index(drop=True)


def reader_of(folder: Path, lexicon: pd.DataFrame) -> ThemeReader:
    """Return what reads texts with the sentence model of `folder`; its name carries the hash of its files."""
    from geo_qmi.matching.readers import EmbeddingReader
    from geo_qmi.sources.models import sentence_encoder

    encode = sentence_encoder(folder)
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode("utf-8"))
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    name = f"modèle de phrases « {folder.resolve().name} » (SHA-256 {digest.hexdigest()})"
    return EmbeddingReader.of(lexicon, encode=encode, name=name)


def field_needs(tables: Mapping[str, Any]) -> pd.DataFrame:
    """Return table ``needs`` of the layer ``field``."""
    from geo_qmi import sensitive  # only the switch needs it: the first answer stays quick

    told = sensitive.voices(
        tables["observations"],
        sessions=tables["sessions"],
        statements=tables["statements"],
        workshop_items=tables["workshop_items"],
    )
    return sensitive.need_rows(sensitive.located_needs(told))


def _field_note(said: pd.DataFrame, book: Rulebook) -> str:
    """Say what the ground adds."""
    if said.empty:
        return "Besoins du terrain : aucun dans cette étude, le critère est laissé de côté."
    weight = book.rules.criterion("field").weight
    if weight == 0:
        return (
            "Besoins du terrain : montrés, mais sans effet sur le score (poids 0 dans les règles) ; "
            "« --field-weight 0.5 » les compte."
        )
    shown = f"{weight:g}".replace(".", ",")
    return f"Besoins du terrain : comptés dans le score (poids {shown} dans les règles)."


def _from_file(path: Path) -> tuple[pd.DataFrame, int, list[str]]:
    """Return the readable applications of a file, how many were refused, and the report."""
    from geo_qmi import intake  # only a file given needs it: the first answer stays quick

    took = taken(path, "applications")
    return took.accepted.reset_index(drop=True), took.n_quarantined, intake.Report.of([took]).lines()


def taken(
    path: Path,
    table: str,
    *,
    name: str | None = None,
    announce: Callable[[str, float], None] = lambda *_: None,
) -> Intake:
    """Return what became of the rows of a file held against a table.

    Parameters
    ----------
    path
        A file of one layer or sheet.
    table
        Table of the schema.
    name
        Name the user knows the file by, when it differs from the path.
    announce
        As `geo_qmi.intake.take_in`.

    Raises
    ------
    InputError
        Several layers.
    DefectsError
        No row can be read.
    """
    from geo_qmi import intake
    from geo_qmi.sources.files import read_file

    called = name or path.name
    raws = read_file(path, name=called)
    if len(raws) != 1:
        layers = ", ".join(f"« {raw.layer} »" for raw in raws)
        raise InputError(f"« {called} » a {len(raws)} couches ou feuilles ({layers}) : gardez-en une seule.")
    took = intake.take_in(raws[0], table, announce=announce)
    if not took.n_in:
        raise InputError(f"« {called} » ne contient aucune ligne ({schema.label(table)}). Donnez-en une au moins.")
    if took.accepted.empty:
        raise DefectsError(took.defects, title=f"Aucune ligne lisible dans « {called} » ({schema.label(table)})")
    return took
