"""Which row of the study is each record of a walk, today and when the same file comes back?

Gives collected records their identifiers, authors, order and photos: what a study needs and no tool writes. The same
record always gets the same identifier: the one its tool made, else one drawn from who, when and where. Cells are not
understood here (`geo_qmi.intake.taking` does) and nothing is written.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from geo_qmi import schema
from geo_qmi.intake.walk_people import ErasedAmong, People, said_alone, whole
from geo_qmi.sources.field.collected import HELPERS, TOOLS, Collected, Hints, cells, fault
from geo_qmi.sources.raw import RawTable
from geo_qmi.vocabulary import fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.errors import Defect

#: Tables of a walk, each after those it refers to.
TABLES = ("sessions", "routes", "stages", "participants", "observations", "statements", "workshop_items")
#: Columns of a table that hold coordinates as numbers or text: they help to tell two records apart.
_COORDINATES = re.compile(r"(lon|lat|longitude|latitude|lng|x|y|[xy]_(l93|lambert_?93)|coord.*|wkt|geom.*|geo_.*)")
#: What a record of a table is, where nobody and no hour tells it from another.
_SAID_IS_WHAT = {"statements": {"statement"}, "workshop_items": {"label", "kind"}}
_AXES = ("frame", "sense", "theme")
_CLOCK = re.compile(r"(\d{1,2})[:hH](\d{2})(?::(\d{2}))?")
_DAY_LAST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Prepared:
    """Pieces of the study's tables, ready to be taken in.

    Attributes
    ----------
    pieces
        Table → pieces whose columns are those of the schema; unknown columns keep their names.
    brought
        Table → columns the delivery speaks of. Where the study already has the record, the others stay as they are.
    defects
        What is doubtful and does not keep a record out.
    """

    pieces: dict[str, list[RawTable]] = field(default_factory=dict)
    brought: dict[str, set[str]] = field(default_factory=dict)
    defects: list[Defect] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Walk:
    """What every row of one import shares."""

    session: str
    collected: Collected
    hints: Hints
    known: Mapping[str, pd.DataFrame]
    out: Prepared
    people: People
    day: str = ""
    stages: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)

    def source(self, file: str, row: object = None) -> str:
        """Return what the study keeps of where a record comes from."""
        place = "" if row is None else f", ligne {row}"
        return f"terrain, {TOOLS[self.collected.tool]} : fichier {file}{place}"


def prepare(
    collected: Collected,
    *,
    session: str,
    district: str,
    known: Mapping[str, pd.DataFrame],
    hints: Hints,
    erased_among: ErasedAmong = lambda _: set(),
) -> Prepared:
    """Return the records of a delivery as rows of the study.

    Parameters
    ----------
    collected
        What `geo_qmi.sources.field.reading.read_walk` returned.
    session, district
        Identifiers; every record is given to this session.
    known
        Tables of the study.
    hints
        What the file leaves unsaid.
    erased_among
        Tells whom of (session, participant) pairs the study erased: see `geo_qmi.workspace.Study.erased_among`.

    Returns
    -------
    Prepared
        ``sessions`` has at most one row; ``start`` is missing when nothing tells it.
    """
    held = known["participants"]
    people_here = People(session, held[held["session_id"] == session], hints, erased_among)
    walk = _Walk(session, collected, hints, known, Prepared(), people_here)
    walk.words = _spoken(known)
    raws = {table: [_own_session(raw, walk) for raw in collected.tables.get(table, [])] for table in TABLES}
    raws = walk.people.without_erased(raws)
    start = _start(walk, raws)
    walk.day = str(start or "")[:10]
    for table in ("routes", "stages"):
        walk.out.pieces[table] = [_rows(raw, table, walk) for raw in raws[table]]
    _learn_stages(walk)
    people = walk.people.rows(
        [r for t in ("participants", "observations", "statements") for r in raws[t]], source=walk.source
    )
    for table in ("observations", "statements", "workshop_items"):
        walk.out.pieces[table] = [_rows(raw, table, walk) for raw in raws[table]]
    walk.out.pieces["participants"] = [people] if people is not None else []
    walk.out.brought["participants"] = {"actor_group"}
    walk.out.defects += walk.people.defects
    walk.out.pieces["sessions"] = [
        _session_row(
            walk, raws["sessions"], district=district, start=start, n=0 if people is None else len(people.frame)
        )
    ]
    return walk.out


# The session ------------------------------------------------------------------------------------------------------


def _own_session(raw: RawTable, walk: _Walk) -> RawTable:
    """Return `raw` with an error on each row that says it belongs to another session."""
    if "session" not in raw.frame:
        return raw
    out = replace(raw, defects=list(raw.defects))
    for row, told in cells(raw.frame, "session").items():
        if told is not None and fold(str(told)) != fold(walk.session):
            reason = f"séance « {told} » dans le fichier, alors que l’import vise « {walk.session} »"
            out.defects.append(
                fault(raw, reason, "importez-la avec son propre code de séance", row=row, column="session")
            )
    return out


def _start(walk: _Walk, raws: Mapping[str, list[RawTable]]) -> str | None:
    """Return when the session started: as the study knows it, as the user says, as the file says, as marks show."""
    sessions = walk.known["sessions"]
    held = sessions.loc[sessions["session_id"] == walk.session, "start"]
    if len(held):
        return str(held.iloc[0])
    if walk.hints.start:
        return walk.hints.start
    for table, column in (("sessions", "start"), ("observations", "time")):
        told = _said(raws[table], column)
        moments = sorted(filter(None, (_iso(str(cell)) for cell in told)))
        if moments:
            if table == "observations":
                walk.out.notes.append("Début de la séance : heure de la première observation, faute de mieux.")
            return moments[0]
    return None


def _iso(cell: str) -> str | None:
    stamp = pd.to_datetime(cell, errors="coerce", dayfirst=bool(_DAY_LAST.match(cell)))
    if pd.isna(stamp):
        return None
    local = stamp if stamp.tzinfo is None else stamp.tz_convert("Europe/Paris").tz_localize(None)
    return str(local.isoformat(timespec="seconds"))


def _session_row(walk: _Walk, told: list[RawTable], *, district: str, start: str | None, n: int) -> RawTable:
    record: dict[str, Any] = {
        "session_id": walk.session,
        "district_id": district,
        "kind": walk.hints.kind,
        "title": walk.hints.title or next(_said(told, "title"), f"Séance {walk.session}"),
        "start": start,
        "end": walk.hints.end or max(filter(None, map(_iso, map(str, _said(told, "end")))), default=None),
        "n_participants": next(_said(told, "n_participants"), n),
        "source": walk.source(told[0].file if told else next(iter(_files(walk)), "")),
    }
    hinted = {name for name in ("title", "start", "end") if getattr(walk.hints, name)}
    walk.out.brought["sessions"] = hinted
    frame = pd.DataFrame({name: pd.Series([cell], index=[1], dtype=object) for name, cell in record.items()})
    return RawTable(next(iter(_files(walk)), ""), "séance", frame, n_in=1)


def _said(raws: list[RawTable], column: str) -> Any:
    return (cell for raw in raws for cell in cells(raw.frame, column) if cell is not None)


def _files(walk: _Walk) -> list[str]:
    return [raw.file for raws in walk.collected.tables.values() for raw in raws]


# Rows -------------------------------------------------------------------------------------------------------------


def _rows(raw: RawTable, table: str, walk: _Walk) -> RawTable:
    """Return the rows of one piece with the columns of `table`."""
    frame = raw.frame.copy()
    out = replace(raw, frame=frame, defects=list(raw.defects))
    if table == "observations":
        _set_moments(out, walk)
        _set_author(out, walk)
        _set_kind(out, walk)
        _set_photos(out, walk)
    if table in {"observations", "statements", "workshop_items"}:
        _set_codes(out, walk)
    key = schema.key_columns(table)[0]
    frame[key] = _identifiers(out, table, walk)
    frame["session_id"] = walk.session
    frame["source"] = [walk.source(raw.file, row) for row in frame.index]
    brought = walk.out.brought.setdefault(table, set())
    brought |= (set(schema.columns(table)) & set(frame.columns)) - {"source", "rank"}
    if raw.geometry is not None or any(_COORDINATES.fullmatch(fold(str(column))) for column in frame):
        brought.add("geometry")
    if table == "observations":
        _set_stage(out, walk)
        _set_rank(out, brought)
        brought |= {"stage_id"} if "stage" in frame else set()
    elif table == "stages":
        _set_rank(out, brought)
    elif table == "statements":
        _set_speaker(out, walk)
        brought.add("participant_id")
    used = [name for name in HELPERS if name in frame and name not in schema.columns(table)]
    out.frame = frame.drop(columns=used)
    return out


def _identifiers(raw: RawTable, table: str, walk: _Walk) -> pd.Series[Any]:
    """Return the identifier of each row: that of its tool, else one drawn from who, when and where."""
    frame, met = raw.frame, dict[str, int]()
    ids = []
    named = zip(frame.index, cells(frame, "uid"), cells(frame, "participant_id"), strict=True)
    for place, (row, uid, who) in enumerate(named):
        if uid is not None and str(uid).strip():
            made = whole(uid).strip("{}").removeprefix("uuid:")
            # A bare number is one only in its own table, and often in its own hand: two people both start at 1.
            ids.append(f"{who}-{made}" if made.isdecimal() and who is not None else f"{walk.session}-{made}")
            continue
        shape = None if raw.geometry is None else raw.geometry[place]
        drawn = _drawn(frame.loc[row], who, shape, table)
        met[drawn] = met.get(drawn, 0) + 1
        ids.append(f"{walk.session}-{drawn}" + (f"-{met[drawn]}" if met[drawn] > 1 else ""))
    return pd.Series(ids, index=frame.index, dtype=object)


def _drawn(record: pd.Series[Any], who: Any, shape: Any, table: str) -> str:
    """Return twelve digits drawn from what does not change when a record is corrected: who, when, where, which one.

    What was said or felt is left out, so that a corrected word updates its record. A statement is its words, and so
    is an observation nobody dated or placed.
    """
    told = {str(name): str(cell) for name, cell in record.items() if cell is not None and pd.notna(cell)}
    named = {"rank", "time", "name"} | _SAID_IS_WHAT.get(table, set())
    telling = {name: cell for name, cell in told.items() if name in named or _COORDINATES.fullmatch(fold(name))}
    if table == "observations" and shape is None and not telling.keys() - {"rank"}:
        telling |= {name: cell for name, cell in told.items() if name in {"verbatim", "wished"}}
    if shape is not None:
        telling["\0place"] = str(shapely.to_wkt(shape, rounding_precision=6))
    telling["\0who"] = str(who or "")
    return hashlib.sha256(json.dumps(telling, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]


def _set_moments(raw: RawTable, walk: _Walk) -> None:
    """Join « date » and « heure »; an hour alone is that of the day of the session."""
    frame = raw.frame
    if "time" not in frame:
        return
    days = cells(frame, "date")
    told = []
    for cell, day in zip(cells(frame, "time"), days, strict=True):
        clock = _CLOCK.fullmatch(str(cell).strip()) if cell is not None else None
        whole = _iso(str(day))[:10] if day is not None and _iso(str(day)) else walk.day  # type: ignore[index]
        if clock and whole:
            told.append(f"{whole}T{int(clock[1]):02d}:{clock[2]}:{clock[3] or '00'}")
        else:
            told.append(cell)
    frame["time"] = pd.Series(told, index=frame.index, dtype=object)


def _set_author(raw: RawTable, walk: _Walk) -> None:
    who = {row: walk.people.identifier(name) for row, name, _ in walk.people.named(raw)}
    raw.frame["participant_id"] = pd.Series(
        [who.get(row) for row in raw.frame.index], index=raw.frame.index, dtype=object
    )
    if len(who) < len(raw.frame):
        reason = f"{counted(len(raw.frame) - len(who), 'observation')} sans auteur : un pseudonyme est attendu"
        walk.out.defects.append(
            fault(raw, reason, "ajoutez une colonne participant, ou précisez-le à l’import", column="participant")
        )


def _set_speaker(raw: RawTable, walk: _Walk) -> None:
    """Name the author of what one person said alone; what was said together is the group's, whoever typed it."""
    frame = raw.frame
    if "scope" not in frame:
        frame["scope"] = "collective"
    who = {row: walk.people.identifier(name) for row, name, _ in walk.people.named(raw)}
    alone = cells(frame, "scope").map(said_alone)
    told = [who.get(row) if own else None for row, own in zip(frame.index, alone, strict=True)]
    frame["participant_id"] = pd.Series(told, index=frame.index, dtype=object)


def _set_kind(raw: RawTable, walk: _Walk) -> None:
    """Take a record without a kind for something felt, and say so: it is what walks bring back."""
    frame = raw.frame
    told = cells(frame, "kind")
    silent = int(told.isna().sum())
    if silent:
        reason = f"nature non dite pour {counted(silent, 'observation')} : « ressenti » est retenu"
        proposal = "ajoutez une colonne nature : ressenti, rien ressenti ou ce qui manque"
        walk.out.defects.append(fault(raw, reason, proposal, column="kind", severity="warning"))
    frame["kind"] = told.where(told.notna(), "mark")


def _set_photos(raw: RawTable, walk: _Walk) -> None:
    """Replace the name of each photo by its hash; one that did not arrive is listed, its record kept."""
    frame = raw.frame
    if "photo" not in frame:
        return
    digests = []
    for row, cell in cells(frame, "photo").items():
        name = None if cell is None else str(cell).replace("\\", "/").rsplit("/", 1)[-1].strip().casefold()
        digest = name if name and _SHA256.fullmatch(name) else walk.collected.photos.get(name or "")
        digests.append(digest)
        if name and digest is None:
            reason = "photo annoncée mais absente de la livraison"
            proposal = "joignez le dossier des photos, ou récupérez-la sur l’appareil avant de l’effacer"
            walk.out.defects.append(
                fault(raw, reason, proposal, row=row, column="photo", value=cell, severity="warning")
            )
    frame["photo_sha256"] = pd.Series(digests, index=frame.index, dtype=object)
    if any(digests):
        walk.out.brought.setdefault("observations", set()).add("photo_sha256")


def _set_codes(raw: RawTable, walk: _Walk) -> None:
    """Turn the words of the campaign into codes; of several answers the first counts, the others go to the note."""
    frame = raw.frame
    for axis in _AXES:
        if axis not in frame:
            continue
        known = walk.words[axis]
        for row, cell in cells(frame, axis).items():
            if cell is None:
                continue
            text = str(cell)
            code = known.get(fold(text))
            parts = [part.strip() for part in re.split(r"[;,|]", text) if part.strip()]
            parts = parts if len(parts) > 1 else text.split()
            codes = [known.get(fold(part)) for part in parts]
            if code is None and len(parts) > 1 and all(codes):
                code = codes[0]
                title = str(schema.columns("observations")[axis].title).lower()
                others = ", ".join(schema.choices("observations", axis)[c] for c in codes[1:])  # type: ignore[index]
                _add_note(frame, row, f"{title} : aussi {others}")
                reason = "plusieurs réponses dans une cellule ; la première compte, les autres vont en note"
                walk.out.defects.append(fault(raw, reason, row=row, column=axis, value=text, severity="warning"))
            frame.loc[row, axis] = code if code is not None else cell


def _add_note(frame: pd.DataFrame, row: Any, text: str) -> None:
    if "note" not in frame:
        frame["note"] = cells(frame, "note")
    held = frame.loc[row, "note"]
    frame.loc[row, "note"] = text if held is None else f"{held} ; {text}"


def _spoken(known: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, str]]:
    """Return axis → folded word → code: codes, labels, then the words of the campaign's taxonomy."""
    out = {}
    taxonomy = known["taxonomy"]
    for axis in _AXES:
        codes = schema.choices("observations", axis) or {}
        words = {fold(code): code for code in codes} | {fold(label): code for code, label in codes.items()}
        own = taxonomy[taxonomy["axis"] == axis]
        out[axis] = words | {fold(w): c for w, c in zip(own["word"], own["code"], strict=True) if c in codes}
    return out


def _learn_stages(walk: _Walk) -> None:
    """Remember under which words observations may name a stage: its identifier, its name, its rank."""
    held = walk.known["stages"]
    held = held[held["session_id"] == walk.session]
    frames = [held[["stage_id", "name", "rank"]]]
    frames += [raw.frame.reindex(columns=["stage_id", "name", "rank"]) for raw in walk.out.pieces["stages"]]
    for frame in frames:
        for stage, name, rank in frame.itertuples(index=False, name=None):
            for word in (stage, str(stage).removeprefix(f"{walk.session}-"), name, rank):
                if word is not None and not pd.isna(word):
                    walk.stages[fold(whole(word))] = str(stage)


def _set_stage(raw: RawTable, walk: _Walk) -> None:
    frame = raw.frame
    if "stage" not in frame:
        return
    named = cells(frame, "stage")
    told = [None if cell is None else walk.stages.get(fold(whole(cell))) for cell in named]
    for row, cell, stage in zip(frame.index, named, told, strict=True):
        if cell is not None and stage is None:
            walk.out.defects.append(
                fault(
                    raw,
                    "étape inconnue de cette séance ; l’observation est gardée sans étape",
                    "corrigez le nom de l’étape, ou importez les étapes",
                    row=row,
                    column="stage",
                    value=cell,
                    severity="warning",
                )
            )
    frame["stage_id"] = pd.Series(told, index=frame.index, dtype=object)


def _set_rank(raw: RawTable, brought: set[str]) -> None:
    """Give a rank to the records nobody numbered: those of a person in order of time, then of the file."""
    frame = raw.frame
    if "rank" in frame and frame["rank"].notna().all():
        brought.add("rank")
        return
    order = pd.DataFrame(
        {
            "who": [str(who) for who in cells(frame, "participant_id")],
            "when": [_iso(str(cell)) or "9" for cell in cells(frame, "time")],
        },
        index=frame.index,
    )
    counted = order.sort_values("when", kind="stable").groupby("who", sort=False).cumcount() + 1
    own = cells(frame, "rank")
    frame["rank"] = own.where(own.notna(), counted.reindex(frame.index).astype(object))
