"""How does what somebody asks for on a screen become one file to download?

Each function makes its files in a private folder, brings their bytes back and leaves nothing behind: one file, or one
zip when there are several. What may be shown in an edition is decided before, by `geo_qmi.mapping.lowered` and
`geo_qmi.handover`; how a map, a page or a table looks, by the modules called.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_qmi import atlas, editions, export, gis, handover, mapping, overview, page, publishing, workshop
from geo_qmi.errors import InputError
from geo_qmi.export import archive
from geo_qmi.wording import counted, number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import pandas as pd

    Tables = Mapping[str, pd.DataFrame]

#: Form of a sheet → what it is.
FORMS = {"pdf": "PDF (toutes les pages)", "svg": "SVG (à retoucher)", "png": "PNG (image)"}
_MIMES = {
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".html": "text/html",
    ".zip": "application/zip",
    ".csv": "text/csv",
    ".geojson": "application/geo+json",
}
#: Width of the picture of a sheet on a page, in pixels.
_PREVIEW_PX = 1100
_MM_AN_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Packed:
    """One file to download.

    Attributes
    ----------
    name, content
        Of the file.
    remarks
        French sentences to show beside it.
    preview
        PNG of its first page; empty when it has none.
    """

    name: str
    content: bytes
    remarks: tuple[str, ...] = ()
    preview: bytes = b""

    @property
    def mime(self) -> str:
        """Return the media type of the file."""
        return _MIMES.get(Path(self.name).suffix.lower(), "application/octet-stream")


def offered(tables: Tables, *, read_only: bool) -> list[str]:
    """Return the editions a screen may offer, the least private last.

    Exact words are private: on a study opened for reading only, a public display perhaps, the jury's edition is left
    out unless everything said was made up.
    """
    said = [tables[name] for name in ("observations", "statements")]
    made_up = all(bool(overview.is_demo(frame).all()) for frame in said)
    return [code for code in editions.EDITIONS if code != "jury" or made_up or not read_only]


def released(content: bytes, tables: Tables, *, names: Collection[str]) -> tuple[str, ...]:
    """Return the texts a reader released in the bytes of a ``revue.csv``, as `geo_qmi.publishing.released` does."""
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as place:
        path = Path(place) / publishing.REVIEW
        path.write_bytes(content)
        return publishing.released(path, tables, names=names)


def terms(content: bytes) -> dict[str, export.Terms]:
    """Return the terms of each table, with the bytes of a file of licences in place of the shipped ones."""
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as place:
        path = Path(place) / "licences.toml"
        path.write_bytes(content)
        return export.terms(path)


def sheet(
    tables: Tables, *, kind: str, district_id: str, layout: atlas.Layout, edition: str, form: str, dpi: int = 200
) -> Packed:
    """Return one map on paper, with the picture of its first page.

    Parameters
    ----------
    tables
        What `geo_qmi.mapping.lowered` returns for `edition`.
    kind, district_id, layout
        As for `geo_qmi.atlas.sheet`.
    form
        Key of `FORMS`; several pages of SVG or PNG come as a zip.
    dpi
        Dots an inch of a PNG.

    Raises
    ------
    UnknownNameError, InputError
        No such map, district or paper; a scale at which the district does not fit; too many dots.
    """
    pages = atlas.sheet(tables, kind=kind, district_id=district_id, layout=layout, edition=edition)
    stem = "-".join(part for part in (kind, district_id, edition) if part)
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as folder:
        written = atlas.write(pages, Path(folder) / f"{stem}.{form}", dpi=dpi)
        name, content = _one(stem, {path.name: path.read_bytes() for path in written})
    preview = pages.to_png(0, dpi=max(1, round(_PREVIEW_PX * _MM_AN_INCH / pages.sheet.width_mm)))
    return Packed(name, content, tuple(pages.remarks), preview)


def offline_page(
    tables: Tables,
    wanted: Sequence[tuple[str, str]],
    *,
    title: str,
    edition: str,
    date: str = "",
    announce: Callable[[str], None] = lambda _: None,
) -> Packed:
    """Return maps as one HTML page that opens without a network.

    Parameters
    ----------
    tables
        What `geo_qmi.mapping.lowered` returns for `edition`.
    wanted
        Kinds and district identifiers, as `geo_qmi.mapping.wanted` lists them.
    announce
        Told each step, in French.

    Raises
    ------
    InputError
        No map is asked for.
    """
    drawn, left_out = [], []
    for kind, ident in wanted:
        label = f"{mapping.KINDS[kind]} {ident}".rstrip()
        announce(f"Carte : {label}")
        one = mapping.drawn(tables, kind=kind, district_id=ident)
        if one.nothing:
            left_out.append(f"{label} : {one.nothing}")
        else:
            drawn.append(one)
    if not drawn:
        raise InputError(" ".join(["Aucune carte à mettre dans la page.", *left_out]))
    announce("Mise en page")
    text = page.page(drawn, title=title, edition=editions.EDITIONS[mapping.edition_of(edition)], date=date)
    return Packed(f"cartes-{edition}.html", text.encode(), tuple(left_out))


def table(
    layer: export.Layer, suffix: str, *, study: str, edition: str, terms: Mapping[str, export.Terms] | None = None
) -> Packed:
    """Return one table of `geo_qmi.handover.layers` in a format of `geo_qmi.export.FORMATS`, read back and compared.

    Parameters
    ----------
    terms
        What `geo_qmi.export.terms` returns; the shipped terms by default.

    Raises
    ------
    InputError
        A format that cannot hold the table.
    """
    known = (export.terms() if terms is None else terms).get(layer.name)
    about: dict[str, Any] = {"study": study, "edition": editions.EDITIONS[mapping.edition_of(edition)]}
    about |= {"licence": known.licence, "credit": known.credit} if known else {}
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as folder:
        done = export.export_layer(gis.styled(layer), Path(folder) / f"{layer.name}{suffix}", provenance=about)
        return Packed(done.path.name, done.path.read_bytes(), done.remarks)


def suffixes(layer: export.Layer) -> list[str]:
    """Return the formats that can hold a layer; rows without any place have no format of maps."""
    placed = layer.geometry is not None and layer.geometry.notna().any()
    return [suffix for suffix in export.FORMATS if placed or suffix not in {*export.MAPS_ONLY, ".geojson"}]


def folder(
    tables: Tables,
    order: handover.Order,
    *,
    study: str,
    fingerprint: str,
    announce: Callable[[str], None] = lambda _: None,
) -> Packed:
    """Return everything of a study or a district for one edition as one zip.

    Parameters
    ----------
    tables
        Every table of the study; `order`, `study`, `fingerprint` and `announce` are those of `handover.hand_over`.

    Raises
    ------
    GeoQmiError
        As `geo_qmi.handover.hand_over`.
    """
    stem = "-".join(part for part in ("livraison", order.district, order.edition) if part)
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as place:
        done = handover.hand_over(
            tables, Path(place) / stem, order=order, study=study, fingerprint=fingerprint, announce=announce
        )
        announce("Compression")
        return _zipped(stem, Path(place), [done.folder / name for name in done.files], done.left_out)


def workshop_pack(tables: Tables, *, district_id: str, code: str, paper: str, groups: Collection[str] = ()) -> Packed:
    """Return the sheets of a workshop and what reads them back, as one zip.

    Parameters
    ----------
    tables, district_id, code, paper, groups
        As for `geo_qmi.workshop.pack`.

    Raises
    ------
    UnknownNameError, InputError
        As `geo_qmi.workshop.pack`.
    """
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as place:
        files, made = workshop.pack(
            tables, place, district_id=district_id, code=code, paper=paper, groups=tuple(groups)
        )
        said = f"{made.sheet.paper} au 1:{number(made.sheet.scale)}, {counted(len(made.overlays), 'calque')}."
        return _zipped(f"atelier-{code}", Path(place), files, (said,))


def _one(stem: str, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Return the only file, or all of them in one zip."""
    if len(files) == 1:
        return next(iter(files.items()))
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as place:
        path = Path(place) / f"{stem}.zip"
        archive.pack(files, path)
        return path.name, path.read_bytes()


def _zipped(stem: str, root: Path, files: Sequence[Path], remarks: Sequence[str]) -> Packed:
    """Return files under `root` as one zip."""
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as place:
        path = Path(place) / f"{stem}.zip"
        archive.pack({str(one.relative_to(root)): one for one in files}, path)
        return Packed(path.name, path.read_bytes(), tuple(remarks))
