"""How is a layer handed to a site that works with Esri software?

As a file geodatabase, zipped as its portals want, which keeps names, types, titles and value lists; or as a zipped
Shapefile, whose ten-letter names and 254-byte texts come with the dictionary of names and the whole table as CSV, so
that nothing is lost unsaid. Both in Lambert-93.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio

from geo_qmi.export import spreadsheet
from geo_qmi.export.archive import pack
from geo_qmi.export.families import parts
from geo_qmi.export.ogr import put, stream
from geo_qmi.export.pieces import (
    Piece,
    Written,
    from_wkb,
    geometry_type,
    pieces,
    require_places,
    require_same,
    unlike,
    unlocated,
)
from geo_qmi.schema import CRS
from geo_qmi.vocabulary import fold
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo_qmi.export.layer import Field, Layer

#: Limits of dBASE, the table of a Shapefile.
_NAME_CHARS, _TEXT_BYTES = 10, 254
#: Esri grids coordinates; a hundredth of a millimetre is far under what is drawn, far over what is lost.
_TOLERANCE_M = 0.001
_NOTE = "a_propos"
_DICTIONARY = ("nom", "nom_complet", "titre", "description", "type", "unite", "valeurs")


def write_geodatabase(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write `layer` as ``NAME.gdb`` inside a zip, one class a family of shapes, with a table that says what it is."""
    placed = layer.geometry is not None
    options = {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER", "LAYER_ALIAS": layer.title}
    with tempfile.TemporaryDirectory(dir=path.parent) as private:
        base = Path(private) / f"{layer.name}.gdb"
        for number, (part, shapes) in enumerate(parts(_flags_as_numbers(layer))):
            kind = geometry_type(shapes) if placed else None
            kind = "Point" if kind == "Unknown" else kind  # a table without any known place
            rows = stream(part, shapes)
            put(
                rows, base, driver="OpenFileGDB", layer=part, crs=CRS, geometry_type=kind,
                layer_options=options, append=bool(number),
            )  # fmt: skip
            _require_same(part, base, part.name, shapes=shapes)
        note = _note(layer, about)
        put(note, base, driver="OpenFileGDB", layer=layer, name=_NOTE, crs=None, geometry_type=None, append=True)
        pack({f"{base.name}/{file.name}": file for file in base.iterdir()}, path)
    return Written(CRS if placed else None, unlocated(layer))


def write_shapefile(layer: Layer, path: Path, *, about: Mapping[str, Any]) -> Written:
    """Write `layer` as one Shapefile a family of shapes inside a zip, with dictionary, whole table and licence."""
    require_places(layer, instead=".gdb.zip, .xlsx ou .csv")
    names = short_names([field.name for field in layer.fields])
    cut, remarks = _cut(_flags_as_numbers(layer), names)
    with tempfile.TemporaryDirectory(dir=path.parent) as private:
        folder = Path(private)
        for part, shapes in parts(cut):
            put(
                stream(part, shapes),
                folder / f"{part.name}.shp",
                driver="ESRI Shapefile",
                layer=part,
                crs=CRS,
                geometry_type=geometry_type(shapes),
                layer_options={"ENCODING": "UTF-8", "DBF_DATE_LAST_UPDATE": "2000-01-01"},
            )
            _require_same(part, folder / f"{part.name}.shp", part.name, shapes=shapes)
        spreadsheet.write(layer, folder / f"{layer.name}.csv", about=about)
        (folder / "champs.csv").write_bytes(_dictionary(layer, names))
        (folder / "LISEZMOI.txt").write_text("\n".join(told(about)) + "\n", encoding="utf-8")
        pack({file.name: file for file in folder.iterdir()}, path)
    return Written(CRS, unlocated(layer), tuple(remarks))


def short_names(names: list[str]) -> dict[str, str]:
    """Return column name → name of at most ten ASCII letters, all different.

    Examples
    --------
    >>> short_names(["district_id", "geometry_source", "geometry_status", "insee"])
    {'district_id': 'district_i', 'geometry_source': 'geometry_s', 'geometry_status': 'geometry_2', 'insee': 'insee'}
    """
    given: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W", "_", fold(name), flags=re.ASCII) or "champ"
        short, number = plain[:_NAME_CHARS], 2
        while short in given.values():
            short = f"{plain[: _NAME_CHARS - len(str(number))]}{number}"
            number += 1
        given[name] = short
    return given


def _flags_as_numbers(layer: Layer) -> Layer:
    """Return the layer with yes and no as 1 and 0: Esri has no such type."""
    flags = [field.name for field in layer.fields if field.kind == "flag"]
    fields = tuple(replace(field, kind="integer") if field.name in flags else field for field in layer.fields)
    return replace(layer, frame=layer.frame.astype(dict.fromkeys(flags, "Int64")), fields=fields)


def _cut(layer: Layer, names: Mapping[str, str]) -> tuple[Layer, list[str]]:
    """Return the layer with short names and texts of at most 254 bytes, and what was cut."""
    frame, remarks = layer.frame.copy(), []
    renamed = [f"{field.name} → {names[field.name]}" for field in layer.fields if names[field.name] != field.name]
    if renamed:
        remarks.append(f"Noms raccourcis à dix lettres, voir champs.csv : {', '.join(renamed)}.")
    for field in layer.fields:
        if field.kind in {"integer", "number", "flag"}:
            continue
        long = frame[field.name].map(lambda text: isinstance(text, str) and len(text.encode()) > _TEXT_BYTES)
        rows = np.flatnonzero(long)
        frame[field.name] = frame[field.name].map(_shortened, na_action="ignore").astype("str")
        if len(rows):
            remarks.append(
                f"« {field.label} » : {counted(len(rows), 'texte coupé')} à {_TEXT_BYTES} octets "
                f"({layer.name_rows(rows)}) ; entiers dans {layer.name}.csv."
            )
    frame.columns = pd.Index([names[column] for column in frame.columns])
    fields = tuple(replace(field, name=names[field.name]) for field in layer.fields)
    return replace(layer, frame=frame, fields=fields, key=tuple(names[column] for column in layer.key)), remarks


def _shortened(text: str) -> str | None:
    """Return a text as a dBASE table holds it: no blank at its end, no empty text."""
    return text.encode()[:_TEXT_BYTES].decode(errors="ignore").rstrip() or None


def _require_same(layer: Layer, path: Path, name: str, *, shapes: NDArray[np.object_] | None) -> None:
    """Compare what Esri's format gives back: whole numbers may come in another width, rings from another start."""
    _, rows = pyogrio.read_arrow(path, layer=name)
    if rows.num_rows != len(layer.frame):
        raise unlike(layer, f"{rows.num_rows} lignes au lieu de {len(layer.frame)}")
    for piece in pieces(layer):
        here = rows.slice(piece.start, piece.cells.num_rows)
        absent = [column for column in piece.cells.column_names if column not in here.column_names]
        if absent:
            raise unlike(layer, f"colonne {absent[0]} absente")
        values = here.select(piece.cells.column_names).replace_schema_metadata(None).cast(piece.cells.schema)
        meant = Piece(piece.start, _as_decimals(piece.cells), None)
        require_same(meant, _as_decimals(values), layer, shapes=None, tolerance=0.0)
    if shapes is not None:
        found = from_wkb(rows.column(rows.num_columns - 1))
        _require_placed(shapes, found, layer)


def _as_decimals(values: pa.Table) -> pa.Table:
    """Return numbers at the fifteen digits a dBASE table holds."""
    return pa.table(
        {
            name: pc.round(column, ndigits=9) if pa.types.is_floating(column.type) else column
            for name, column in zip(values.column_names, values.columns, strict=True)
        }
    )


def _require_placed(meant: NDArray[np.object_], found: NDArray[np.object_], layer: Layer) -> None:
    one, other = gpd.GeoSeries(meant), gpd.GeoSeries(found)
    away = one.hausdorff_distance(other)
    wrong = np.flatnonzero((one.isna() != other.isna()) | (away > _TOLERANCE_M))
    if len(wrong):
        raise unlike(layer, f"géométrie de {layer.name_rows(wrong)}")


def _dictionary(layer: Layer, names: Mapping[str, str]) -> bytes:
    """Return short name → whole name, title, sentence, unit and codes, as French CSV."""
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";", lineterminator="\r\n")
    rows.writerow(_DICTIONARY)
    rows.writerows([names[field.name], *described(field)] for field in layer.fields)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def described(field: Field) -> tuple[str, ...]:
    """Return a column as name, title, sentence, type, unit and codes, safe in a spreadsheet."""
    codes = " ; ".join(f"{code} = {words}" for code, words in (field.choices or {}).items())
    cells = (field.name, field.label, field.description, field.kind, field.unit or "", codes)
    return tuple(map(spreadsheet.neutralised, cells))


def _note(layer: Layer, about: Mapping[str, Any]) -> pa.RecordBatchReader:
    """Return what the layer is and its dictionary, as rows of two columns."""
    rows = [(line.partition(" : ")[0], line.partition(" : ")[2]) for line in told(about)]
    rows += [(field.name, " — ".join(filter(None, described(field)[1:]))) for field in layer.fields]
    return pa.table({"sujet": [one for one, _ in rows], "texte": [two for _, two in rows]}).to_reader()


def told(about: Mapping[str, Any]) -> list[str]:
    """Return the card in a few French lines."""
    lines = [
        f"Titre : {about['title']}",
        f"Contenu : {about['description'] or '—'}",
        f"Licence : {about['licence']}",
        f"Citation : {about['citation']}",
    ]
    return [*lines, *([f"Avertissement : {about['demonstration']}"] if "demonstration" in about else [])]
