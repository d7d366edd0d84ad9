"""What does a KoboToolbox or ODK export say, repeat groups included?

The main table has one row a submission; each repeat group is a child table whose rows point at their parent: ODK by
``PARENT_KEY`` → ``KEY``, KoboToolbox by ``_parent_table_name`` and ``_parent_index`` → ``_index``. A record takes from
its parents what it does not say itself (who, which session). Names of people and devices that the tools add
(user, telephone, device) are not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from geo_qmi.errors import Defect
from geo_qmi.sources.field import geostrings
from geo_qmi.sources.field.collected import Collected, fault
from geo_qmi.sources.field.words import FELT, filled, named, table_of, words_for
from geo_qmi.sources.shapes import ShapeError
from geo_qmi.vocabulary import fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo_qmi.sources.raw import RawTable

#: Columns the tools add, lower case. The person's and the device's are left out on purpose.
_METADATA_NAMES = """
start end today deviceid device_id subscriberid simserial phonenumber phone_number username email audit
_submission_time _validation_status _notes _status _submitted_by __version__ _tags _index _parent_index
_parent_table_name _submission__id _submission__uuid _submission__submission_time _submission__status
_submission__validation_status _submission__notes _submission__submitted_by _submission___version__
_submission__tags parent_key submissiondate submitterid submittername attachmentspresent attachmentsexpected status
reviewstate edits formversion instanceid instancename rootuuid deprecatedid isvalidated _attachments _geolocation
formhub/uuid _xform_id_string _bamboo_dataset_id
"""
METADATA = frozenset(_METADATA_NAMES.split())
#: Where the identifier of a submission that survives its edits is found. KoboToolbox gives an edited submission a new
#: ``_uuid`` but keeps ``_id``, and since 2024 ``rootUuid``; ODK keeps ``KEY``.
_LASTING = ("KEY", "rootUuid", "_id", "__id", "_uuid", "instanceID")
_INHERITED = ("participant", "actor_group", "session")
#: A GPS that announces worse than this was still searching: the mark may be in the next street.
POOR_GPS_M = 50.0


@dataclass(slots=True)
class _Form:
    """One table of the export: the raw cells, and the same with the columns of a table of the walk."""

    raw: RawTable
    short: dict[str, str]
    child: bool

    def cell(self, row: int, name: str) -> Any:
        """Return the cell of a column of the tool, whatever group it is in."""
        column = self.short.get(name)
        return None if column is None else self.raw.frame.loc[row, column]


def is_survey(raws: list[RawTable]) -> bool:
    """Tell whether these tables come from KoboToolbox or ODK."""
    marks = [{"_index", other} for other in ("_id", "_uuid", "_parent_index")]
    marks += [{"KEY", other} for other in ("SubmissionDate", "PARENT_KEY", "instanceID")]
    return any(mark <= set(_form(raw).short) for raw in raws for mark in marks)


def read_survey(raws: list[RawTable]) -> Collected:
    """Return the walk in an export of KoboToolbox or ODK.

    Parameters
    ----------
    raws
        Every table of the export, as `geo_qmi.sources.files.read_file` gives them.

    Returns
    -------
    Collected
        ``participants``, ``routes`` and ``sessions`` from the main table, the rest from the repeat groups; where the
        form has no repeat group for them, ``observations`` from the main table.
    """
    out = Collected("survey")
    forms = [_form(_without_counts(raw)) for raw in raws]
    lineage = _Lineage(forms)
    felt_in_child = False
    for form in (form for form in forms if form.child):
        table = table_of(form.raw.layer) or ("observations" if _feels(form.raw) else None)
        if table is None:
            out.defects.append(_unknown_repeat(form.raw))
            continue
        felt_in_child |= table == "observations"
        out.add(table, _piece(form, table, lineage=lineage))
    for form in (form for form in forms if not form.child):
        flat = not felt_in_child and _feels(form.raw)
        for table in ("sessions", "participants", "observations" if flat else "routes"):
            raw = _piece(form, table, lineage=lineage)
            if table == "routes":
                raw = _only_lines(raw)
            if table == "sessions" or len(raw.frame):
                out.add(table, raw)
    return out


def _form(raw: RawTable) -> _Form:
    """Return the table with the last part of each column's path as its short name."""
    odk = "KEY" in raw.frame.columns
    short: dict[str, str] = {}
    for column in map(str, raw.frame.columns):
        last = column.rsplit("/", 1)[-1]
        last = last.rsplit("-", 1)[-1] if odk and last.rsplit("-", 1)[-1].lower() not in _SPLIT else last
        short.setdefault(last, column)
    parents = [short[name] for name in ("PARENT_KEY", "_parent_index") if name in short]
    return _Form(raw, short, child=any(filled(raw.frame[column]) for column in parents))


def _without_counts(raw: RawTable) -> RawTable:
    """Return `raw` without the columns in which ODK counts or names its repeat groups."""
    counts = [c for c in raw.frame.columns if str(c).rpartition("/")[2].startswith("SET-OF-")]
    return replace(raw, frame=raw.frame.drop(columns=counts))


_SPLIT = ("latitude", "longitude", "altitude", "accuracy")


def _feels(raw: RawTable) -> bool:
    words = words_for("observations")
    return any(words.get(fold(str(c).rsplit("/", 1)[-1].rsplit("-", 1)[-1])) in FELT for c in raw.frame.columns)


def _unknown_repeat(raw: RawTable) -> Defect:
    return Defect(
        "error",
        f"groupe répété non reconnu : {counted(raw.n_in, 'ligne non lue')}",
        "nommez-le observations, stages (étapes), statements (propos) ou participants",
        file=raw.file,
        layer=raw.layer,
    )


# Parents and identifiers -----------------------------------------------------------------------------------------


class _Lineage:
    """Which row of which table is the parent of each row."""

    def __init__(self, forms: list[_Form]) -> None:
        self._rows: dict[tuple[str, str], tuple[_Form, int]] = {}
        for form in forms:
            for row in form.raw.frame.index:
                for key in _own_keys(form, row):
                    self._rows.setdefault(key, (form, row))

    def parents(self, form: _Form, row: int) -> Iterator[tuple[_Form, int]]:
        """Yield the parent of a row, its own parent, and so on; at most as deep as forms may be."""
        for _ in range(8):
            found = self._rows.get(_parent_key(form, row) or ("", ""))
            if found is None:
                return
            yield found
            form, row = found

    def lasting(self, form: _Form, row: int) -> str | None:
        """Return the identifier of the submission a row belongs to, or ``None``."""
        root = [(form, row), *self.parents(form, row)][-1]
        if root[0].child:
            return None
        for name in _LASTING:
            cell = root[0].cell(root[1], name)
            if cell is not None and str(cell).strip():
                return str(cell).strip().removeprefix("uuid:")
        return None


def _own_keys(form: _Form, row: int) -> list[tuple[str, str]]:
    keys = []
    if (key := form.cell(row, "KEY")) is not None:
        keys.append(("KEY", str(key)))
    if (index := form.cell(row, "_index")) is not None:
        keys += [(form.raw.layer, _whole(index)), *([] if form.child else [("", _whole(index))])]
    return keys


def _parent_key(form: _Form, row: int) -> tuple[str, str] | None:
    if (key := form.cell(row, "PARENT_KEY")) is not None:
        return ("KEY", str(key))
    if form.child and (index := form.cell(row, "_parent_index")) is not None:
        return (str(form.cell(row, "_parent_table_name") or ""), _whole(index))
    return None


def _whole(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


# From a table of the tool to a table of the walk -----------------------------------------------------------------


def _piece(form: _Form, table: str, *, lineage: _Lineage) -> RawTable:
    """Return the rows of a form as rows of `table`, with an identifier each and what their parents say."""
    frame = geostrings.gather_split(form.raw.frame)
    frame = _shortened(_chosen_options(frame), odk="KEY" in form.raw.frame.columns)
    places = [str(column) for column in frame.columns if geostrings.is_place(str(column), frame[column])]
    placed = table in {"observations", "routes", "stages", "statements"}
    shapes, faults = geostrings.first_places(frame, places, lines=table == "routes") if placed else (None, [])
    raw = replace(form.raw, frame=frame.drop(columns=places), geometry=shapes, crs="EPSG:4326" if placed else None)
    raw = named(raw, table, drop=METADATA - ({"start", "end"} if table == "sessions" else set()))
    raw.defects += [geostrings.told(raw, each) for each in faults]
    raw.defects += _poor_gps(raw, frame, places) if table == "observations" else []
    _identify(raw, form, table, lineage=lineage)
    return raw


def _identify(raw: RawTable, form: _Form, table: str, *, lineage: _Lineage) -> None:
    """Set ``uid`` and the inherited columns; list the rows whose parent is not in the export."""
    seen: dict[str, int] = {}
    uids: list[str | None] = []
    inherited: dict[str, list[Any]] = {name: [] for name in _INHERITED}
    own_uid = raw.frame["uid"].tolist() if form.child and "uid" in raw.frame else [None] * len(raw.frame)
    for row, uid in zip(raw.frame.index, own_uid, strict=True):
        root = lineage.lasting(form, row)
        if root is None and form.child:
            raw.defects.append(fault(raw, _ORPHAN, _AGAIN, row=row, column="PARENT_KEY"))
        seen[root or ""] = seen.get(root or "", 0) + 1
        place = f"-{table}-{seen[root or '']}" if form.child else ("" if table == "observations" else f"-{table}")
        uids.append(str(uid) if uid else (f"{root}{place}" if root else None))
        for name, cells in inherited.items():
            cells.append(_said(raw, form, row, name, lineage=lineage))
    raw.frame["uid"] = pd.Series(uids, index=raw.frame.index, dtype=object)
    for name, cells in inherited.items():
        if any(cell is not None for cell in cells):
            raw.frame[name] = pd.Series(cells, index=raw.frame.index, dtype=object)


_ORPHAN = "l’envoi dont dépend cette ligne est absent de l’export"
_AGAIN = "exportez de nouveau toutes les tables du formulaire, ensemble"


def _said(raw: RawTable, form: _Form, row: Any, name: str, *, lineage: _Lineage) -> Any:
    """Return what a row says of `name`, or the nearest of its parents."""
    own = raw.frame.loc[row, name] if name in raw.frame else None
    if own is not None:
        return own
    words = words_for("participants")
    for parent, place in lineage.parents(form, row):
        for short, column in parent.short.items():
            if words.get(fold(short)) == name and (cell := parent.raw.frame.loc[place, column]) is not None:
                return cell
    return None


def _shortened(frame: pd.DataFrame, *, odk: bool) -> pd.DataFrame:
    """Return `frame` with short column names where that makes no two alike, the rest of the path where it does."""
    short = []
    for column in map(str, frame.columns):
        last = column.rsplit("/", 1)[-1]
        short.append(last.rsplit("-", 1)[-1] if odk else last)
    names = [name if short.count(name) == 1 else str(column) for name, column in zip(short, frame.columns, strict=True)]
    return frame.set_axis(names, axis=1)


def _chosen_options(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` without the columns « question/option » of a multiple choice, which repeat « question ».

    The options chosen are put in the question's own cell, separated by « ; »: an export with labels separates them
    by spaces, which labels hold too.
    """
    questions = {str(column) for column in frame.columns}
    options: dict[str, list[str]] = {}
    for column in map(str, frame.columns):
        question, _, option = column.rpartition("/")
        if question in questions and option:
            options.setdefault(question, []).append(column)
    out = frame.drop(columns=[column for columns in options.values() for column in columns])
    for question, columns in options.items():
        told = [
            " ; ".join(c.rpartition("/")[2] for c, cell in zip(columns, cells, strict=True) if _yes(cell)) or None
            for cells in frame[columns].itertuples(index=False, name=None)
        ]
        out[question] = pd.Series(told, index=frame.index, dtype=object).where(frame[question].notna(), None)
    return out


def _yes(cell: Any) -> bool:
    return str(cell).strip().casefold() in {"1", "1.0", "true", "vrai", "oui", "yes"}


def _only_lines(raw: RawTable) -> RawTable:
    """Return the rows that carry a line: those are the routes. A line that could not be read still counts."""
    geometry = cast("NDArray[np.object_]", raw.geometry)
    lines = np.array([shape is not None for shape in geometry], dtype=bool)
    told = {defect.row for defect in raw.defects if defect.severity == "error"}
    n_unread = len(told - set(raw.frame.index[lines]))
    return replace(raw, frame=raw.frame[lines], geometry=geometry[lines], n_in=int(lines.sum()) + n_unread)


def _poor_gps(raw: RawTable, frame: pd.DataFrame, places: list[str]) -> list[Defect]:
    found = []
    for column in places:
        for row, cell in frame[column].items():
            try:
                accuracy = geostrings.read_place(str(cell)).accuracy_m if cell is not None else None
            except ShapeError:
                continue
            if accuracy is not None and accuracy > POOR_GPS_M:
                reason = f"position à {accuracy:.0f} m près seulement : le GPS cherchait encore"
                remedy = "vérifiez l’emplacement de la marque sur la carte"
                found.append(fault(raw, reason, remedy, row=row, column=column, value=cell, severity="warning"))
    return found
