"""How do the maps of a study leave: one sheet, all of them bound with an index, or one offline page?

Joins `geo_qmi.mapping`, which makes the maps, with `geo_qmi.plate` and `geo_qmi.page`, and writes the files whole or
not at all. It says nothing on a screen: the command does.

    pages = sheet(tables, kind="sensitive", district_id="QMI1-AUL", layout=Layout(paper="A3"), edition="jury")
    write(pages, Path("carte.pdf"))
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from geo_qmi import mapping, maps, plate
from geo_qmi.editions import EDITIONS
from geo_qmi.errors import InputError, shown
from geo_qmi.export import delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

#: Largest picture, in dots: about a gigabyte while it is drawn.
_MOST_DOTS = 150_000_000
_FORMS = (".pdf", ".svg", ".png")
#: Name of the bound file of an atlas.
BOUND = "atlas.pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How sheets are laid out.

    Attributes
    ----------
    paper, orientation, scale
        As for `geo_qmi.plate.draw`.
    date, study
        Written on the sheet: a day, the name of the study.
    """

    paper: str = "A3"
    orientation: str = "landscape"
    scale: int | None = None
    date: str = ""
    study: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """A written atlas.

    Attributes
    ----------
    folder, files
        Where it is, and the names of its files in order: index, maps, bound file.
    left_out
        French lines: the maps that have nothing to draw, and why.
    """

    folder: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]


def sheet(
    tables: Mapping[str, Any], *, kind: str, layout: Layout, district_id: str = "", edition: str = "jury"
) -> plate.Pages:
    """Return the pages of one map.

    Parameters
    ----------
    tables
        What `geo_qmi.mapping.lowered` returns for `edition`: the title block says the edition, the tables hold it.
    kind, district_id
        As for `geo_qmi.mapping.drawn`.
    """
    drawn = mapping.drawn(tables, kind=kind, district_id=district_id)
    return laid_out(tables, drawn, kind=kind, district_id=district_id, layout=layout, edition=edition)


def laid_out(
    tables: Mapping[str, Any], drawn: maps.Map, *, kind: str, district_id: str, layout: Layout, edition: str
) -> plate.Pages:
    """Return the pages of a map that is drawn already; parameters as for `sheet`."""
    return plate.draw(
        drawn,
        paper=layout.paper,
        orientation=layout.orientation,
        scale=layout.scale,
        imprint=_imprint(mapping.KINDS[kind], edition, layout),
        verbatims=mapping.verbatims(tables, district_id=district_id) if kind == "sensitive" else None,
        around=tables["communes"],
    )


def _imprint(heading: str, edition: str, layout: Layout) -> plate.Imprint:
    word = EDITIONS[mapping.edition_of(edition)]
    return plate.Imprint(heading=heading, edition=word, date=layout.date, study=layout.study)


def write(pages: plate.Pages, path: Path, *, dpi: int = 200, study_path: Path | None = None) -> list[Path]:
    """Write pages in the form the suffix of `path` says, whole or not at all, and return the files.

    Parameters
    ----------
    path
        ``.pdf`` holds every page; ``.svg`` and ``.png`` hold one, the next go to ``name-2``.
    dpi
        Dots an inch of a PNG.
    study_path
        The study, never overwritten.

    Raises
    ------
    InputError
        Unknown suffix, too many dots, a folder that cannot be written, a full disk; nothing is left half written.
    """
    form = path.suffix.lower()
    if form not in _FORMS:
        raise InputError(f"Format inconnu : « {shown(path.name)} ». Suffixes possibles : {', '.join(_FORMS)}.")
    delivery.require_target(path, layer=None, study_path=study_path)
    _require_dots(pages.sheet, dpi if form == ".png" else 1)
    names = [path.name] if form == ".pdf" else _numbered(path, len(pages.figures))
    with delivery.workshop(path) as private:
        for page, name in enumerate(names):
            made = pages.to_pdf() if form == ".pdf" else pages.to_svg(page) if form == ".svg" else b""
            (private / name).write_bytes(made or pages.to_png(page, dpi=dpi))
        delivery.place(names, source=private, folder=path.parent)
    return [path.parent / name for name in names]


def chosen(tables: Mapping[str, Any], *, kinds: Sequence[str] = (), district_id: str = "") -> list[maps.Map]:
    """Return the maps of some kinds and of one district; of every kind and district when nothing is asked.

    Parameters
    ----------
    kinds
        Keys of `geo_qmi.mapping.KINDS`.
    district_id
        Identifier, commune or name of a district: the maps of the whole Métropole are then left out.

    Raises
    ------
    UnknownNameError
        No such kind or district.
    """
    pairs = mapping.wanted(tables)
    if district_id:
        pairs = [(kind, district_id) for kind in mapping.KINDS if kind not in mapping.WHOLE]
    listed = [(kind, ident) for kind, ident in pairs if not kinds or kind in kinds]
    unknown = [kind for kind in kinds if kind not in {kind for kind, _ in listed}]
    asked = listed + [(kind, district_id) for kind in unknown]  # refused there, with the choices
    return [mapping.drawn(tables, kind=kind, district_id=ident) for kind, ident in asked]


def write_page(
    drawn: Sequence[maps.Map], path: Path, *, layout: Layout, edition: str = "jury", study_path: Path | None = None
) -> None:
    """Write maps as one HTML page that needs no network, whole or not at all.

    Parameters
    ----------
    layout
        Its day and its study are written on the page.
    study_path
        The study, never overwritten.

    Raises
    ------
    InputError
        Not an ``.html`` file, a folder that cannot be written, a full disk.
    """
    if path.suffix.lower() not in {".html", ".htm"}:
        raise InputError(f"Format inconnu : « {shown(path.name)} ». Une page s’écrit dans un fichier .html.")
    from geo_qmi.page import page  # slow to load, and paper does without

    delivery.require_target(path, layer=None, study_path=study_path)
    title = f"Cartes – {layout.study}" if layout.study else "Cartes"
    text = page(drawn, title=title, edition=EDITIONS[mapping.edition_of(edition)], date=layout.date)
    delivery.deliver({path.name: text.encode()}, path.parent)


def _numbered(path: Path, count: int) -> list[str]:
    return [path.name, *(f"{path.stem}-{number}{path.suffix}" for number in range(2, count + 1))]


def _require_dots(given: plate.Sheet, dpi: int) -> None:
    inches = given.width_mm * given.height_mm / 25.4**2
    most = int((_MOST_DOTS / inches) ** 0.5)
    if not 1 <= dpi <= most:
        raise InputError(
            f"Résolution refusée : {dpi} points par pouce. Pour une feuille {given.paper} : de 1 à {most}."
        )


def atlas(
    tables: Mapping[str, Any],
    folder: Path,
    *,
    layout: Layout,
    edition: str = "jury",
    announce: Callable[[int, int, str], None] = lambda *_: None,
) -> Atlas:
    """Write every map of a study as one PDF each, an index with an overview map, and all bound in one PDF.

    Parameters
    ----------
    tables, edition
        As for `sheet`.
    folder
        A new or empty folder: sheets of two editions never share one.
    layout
        Paper, orientation and imprint; each map has the largest round scale at which it fits.
    announce
        Called before each map with its rank, their number and its name.

    Raises
    ------
    InputError
        The folder holds something, cannot be written, or the disk is full; nothing is left half written.
    """
    _require_empty(folder)
    wanted = mapping.wanted(tables)
    titles = mapping.titles(tables)
    found: list[tuple[str, str, plate.Pages]] = []
    without: dict[str, list[tuple[str, str]]] = {}
    for rank, (kind, ident) in enumerate(wanted):
        name = " – ".join(part for part in (titles.get(ident, ""), mapping.KINDS[kind]) if part)
        announce(rank, len(wanted), name)
        drawn = mapping.drawn(tables, kind=kind, district_id=ident)
        if drawn.nothing:
            without.setdefault(titles.get(ident, "Métropole"), []).append((mapping.KINDS[kind], drawn.nothing))
            continue
        pages = laid_out(
            tables, drawn, kind=kind, district_id=ident, layout=replace(layout, scale=None), edition=edition
        )  # fmt: skip
        found.append((kind, ident, pages))
    announce(len(wanted), len(wanted), "Index et reliure")
    left_out = [unmapped(title, rows) for title, rows in without.items()]
    index = _index(tables, found, left_out, layout=layout, edition=edition)
    files = {"00-index.pdf": index}
    for number, (kind, ident, pages) in enumerate(found, start=1):
        files["-".join(part for part in (f"{number:02d}", ident, kind) if part) + ".pdf"] = pages
    with delivery.workshop(folder) as private:
        draft = private / "atlas"
        draft.mkdir()
        for name, pages in files.items():
            (draft / name).write_bytes(pages.to_pdf())
        (draft / BOUND).write_bytes(plate.assemble(files.values(), title=index.title))
        delivery.install(draft, folder)
    return Atlas(folder, (*files, BOUND), tuple(left_out))


def unmapped(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """Say which maps of a district have nothing to draw, and why, in one line."""
    reasons = dict.fromkeys(sentence.split(" :")[0].rstrip(".").lower() for _, sentence in rows)
    return f"{title} : {', '.join(kind for kind, _ in rows)} ({' ; '.join(reasons)})"


def _require_empty(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise InputError(f"Le dossier « {folder.parent} » n’existe pas : créez-le ou choisissez un autre dossier.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"« {folder} » contient déjà quelque chose : donnez à l’atlas un dossier nouveau ou vide.")


def _index(
    tables: Mapping[str, Any],
    found: Sequence[tuple[str, str, plate.Pages]],
    left_out: Sequence[str],
    *,
    layout: Layout,
    edition: str,
    first: int = 2,
) -> plate.Pages:
    """Return the index: where each sheet lies, and the list of them with their page in the bound file."""
    titles = mapping.titles(tables)
    lists: dict[str, list[str]] = {}
    frames: dict[str, list[tuple[int, plate.Sheet]]] = {}
    page = first
    for kind, ident, pages in found:
        scale = f"1:{maps.words(pages.sheet.scale)}"
        lists.setdefault(titles.get(ident, "Métropole"), []).append(f"{mapping.KINDS[kind]}, p. {page} ({scale})")
        if ident:
            frames.setdefault(ident, []).append((page, pages.sheet))
        page += len(pages.figures)
    spots = {ident: (rows[0][0], rows[-1][0], [one.ground_m for _, one in rows]) for ident, rows in frames.items()}
    drawn = mapping.overview(tables, spots, n_maps=len(found))
    made = plate.draw(
        drawn,
        paper=layout.paper,
        orientation=layout.orientation,
        imprint=_imprint("Atlas", edition, layout),
        lists=[*lists.items(), ("Sans carte", left_out)],
    )
    if len(made.figures) == first - 1 or first != 2:  # an index of several pages is made once more, shifted
        return made
    return _index(tables, found, left_out, layout=layout, edition=edition, first=len(made.figures) + 1)
