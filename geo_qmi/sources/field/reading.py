"""Which tool made this delivery, and what does it say?

The door of this package: a file or a folder in, `Collected` out. The tool is told by the content where it can be;
what stays unclear is asked, not guessed. Writes nothing and knows no study.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geo_qmi.errors import InputError, UnreadableError, shown
from geo_qmi.sources.field.collected import TOOLS, Collected, Hints
from geo_qmi.sources.field.copies import family, merge
from geo_qmi.sources.field.layers import read_layers
from geo_qmi.sources.field.paper import read_paper
from geo_qmi.sources.field.papersheet import sheet_note
from geo_qmi.sources.field.parsing import PHOTOS, POSITIONS
from geo_qmi.sources.field.survey import is_survey, read_survey
from geo_qmi.sources.field.track import read_track
from geo_qmi.sources.field.words import filled
from geo_qmi.sources.files import read_file
from geo_qmi.sources.limits import Limits
from geo_qmi.vocabulary import fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    import os

    from geo_qmi.sources.raw import RawTable

#: Photos make exports of walks heavier than other files.
LIMITS = Limits(file_bytes=200_000_000, inflated_bytes=400_000_000)
_DATA = {".csv", ".tsv", ".xlsx", ".xlsm", ".ods", ".zip", ".gpkg", ".gpx", ".umap", ".geojson", ".json"}
_NO_HINTS = Hints()


def read_walk(
    path: str | os.PathLike[str], *, tool: str | None = None, hints: Hints = _NO_HINTS, crs: str | None = None
) -> Collected:
    """Return what a tool brought back from a walk.

    Parameters
    ----------
    path
        A file, or a folder: a QField project with its conflict copies, a GPX with its photos, CSV tables.
    tool
        Key of `TOOLS`; told by the content when absent.
    hints
        What the file leaves unsaid.
    crs
        System of the control points of a paper sheet; other geometries are taken in by `geo_qmi.intake`.

    Raises
    ------
    UnreadableError, LimitError, InputError
        The file cannot be read, is not of that tool, or a sheet cannot be fitted.
    """
    path = Path(path)
    if tool is not None and tool not in TOOLS:
        raise InputError(f"Outil inconnu : « {shown(tool)} ». Outils lus : {', '.join(TOOLS)}.")
    main, others = _delivery(path, tool=tool)
    raws = read_file(main, limits=LIMITS, reader="field")
    photos = next((raw for raw in raws if raw.layer == PHOTOS), None)
    positions = next((raw for raw in raws if raw.layer == POSITIONS), None)
    raws = [raw for raw in raws if raw.layer not in {PHOTOS, POSITIONS}]
    for other in others:
        raws += read_file(other, limits=LIMITS, reader="field")
    if hints.photos is not None or (path.is_dir() and photos is None):
        photos = _photos(main.parent if hints.photos is None else Path(hints.photos))
    chosen = tool or _sniffed(main, raws, hints=hints)
    if chosen == "survey":
        out = read_survey(raws)
    elif chosen == "gpx":
        out = read_track(raws, positions=positions, photos=photos, hints=hints)
    elif chosen == "paper":
        out = read_paper(raws, _control(main, hints), hints=hints, crs=crs, sheet=sheet_note(main, hints))
    elif chosen == "qfield":
        out = _copies_merged(main, raws, hints=hints)
    else:
        out = read_layers(raws, tool=chosen)
    if photos is None and _announced(out):
        photos = _photos(main.parent)
    if photos is not None:
        cells = zip(photos.frame["photo"], photos.frame["photo_sha256"], strict=True)
        out.photos = {Path(str(name)).name.casefold(): str(digest) for name, digest in cells}
        out.defects += photos.defects
    return out


def _delivery(path: Path, *, tool: str | None) -> tuple[Path, list[Path]]:
    """Return the file to read, and the further tables of the same delivery when `path` is a folder."""
    if path.suffix.lower() == ".gpkg" and not path.is_dir():
        return family(path)[0], []
    if not path.is_dir():
        return path, []
    found = [p for p in sorted(path.iterdir()) if p.suffix.lower() in _DATA and p.is_file() and p.name[0] != "."]
    found = [p for p in found if not p.stem.endswith("_calage")]
    for suffix in (".gpkg", ".gpx", ".umap"):
        kept = sorted({family(p)[0] for p in found if p.suffix.lower() == suffix})
        if kept and tool in {None, {".gpkg": "qfield", ".gpx": "gpx", ".umap": "umap"}[suffix]}:
            found = kept
            break
    suffixes = {p.suffix.lower() for p in found}
    if len(found) == 1 or suffixes == {".csv"}:
        return found[0], found[1:]
    listed = ", ".join(shown(p.name) for p in found[:10]) or "aucun fichier de terrain"
    raise UnreadableError(f"« {shown(path.name)} » : quel fichier lire ? ({listed}) → donnez le fichier lui-même.")


def _photos(folder: Path) -> RawTable:
    if not folder.is_dir():
        raise UnreadableError(f"Dossier de photos introuvable : « {shown(folder.name)} » → vérifiez le chemin.")
    return read_file(folder, limits=LIMITS, reader="field")[0]


def _announced(walk: Collected) -> bool:
    """Tell whether a record names a photo: only then is the folder of a lone file looked into."""
    return any(filled(raw.frame["photo"]) for raws in walk.tables.values() for raw in raws if "photo" in raw.frame)


def _sniffed(main: Path, raws: list[RawTable], *, hints: Hints) -> str:
    suffix = main.suffix.lower()
    by_suffix = {".gpkg": "qfield", ".gpx": "gpx", ".umap": "umap"}
    if suffix in by_suffix:
        return by_suffix[suffix]
    if suffix in {".geojson", ".json", ".geojsonl"}:
        styled = any(str(c) in {"_umap_options", "_storage_options"} for raw in raws for c in raw.frame.columns)
        return "umap" if styled else "geojson"
    if is_survey(raws):
        return "survey"
    if hints.control is not None or _control_path(main) is not None:
        return "paper"
    if any({"pixel_x", "pixel_y"} <= {fold(str(c)) for c in raw.frame.columns} for raw in raws):
        return "paper"
    return "csv"


def _control_path(main: Path) -> Path | None:
    beside = [main.with_suffix(".points"), main.with_name(f"{main.stem}_calage.csv")]
    return next((path for path in beside if path.is_file()), None)


def _control(main: Path, hints: Hints) -> RawTable:
    path = Path(hints.control) if hints.control is not None else _control_path(main)
    if path is None:
        raise InputError(
            f"« {shown(main.name)} » : points de calage absents → joignez « {main.stem}.points » (QGIS) ou "
            f"« {main.stem}_calage.csv » (colonnes pixel_x, pixel_y, x, y ; pour une feuille d’atelier : repere, "
            "pixel_x, pixel_y)."
        )
    return read_file(path, limits=LIMITS, reader="field")[0]


def _copies_merged(main: Path, raws: list[RawTable], *, hints: Hints) -> Collected:
    """Return the layers of a field GeoPackage with those of its conflict copies."""
    base = read_file(Path(hints.base), limits=LIMITS, reader="field") if hints.base is not None else None
    defects, notes = [], []
    for copy in family(main)[1]:
        done = merge(raws, read_file(copy, limits=LIMITS, reader="field"), base=base)
        raws = done.raws
        defects += done.defects
        ways = "à trois, avec l’état de départ" if base is not None else "à deux"
        notes.append(
            f"Copie en conflit « {copy.name} » fusionnée ({ways}) : {counted(done.n_read, 'enregistrement lu')}, "
            f"{counted(done.n_matched, 'commun')}, {counted(done.n_added, 'ajouté')}, "
            f"{counted(len(done.defects), 'point')} à vérifier."
        )
    out = read_layers(raws, tool="qfield")
    out.defects += defects
    out.notes += notes
    return out
