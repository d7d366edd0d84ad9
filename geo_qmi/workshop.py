"""What lies on the table when a district draws its own map, and how does it come home?

Writes one folder: the base map at a true scale, one overlay to print on film for each group, and for each overlay the
two tables somebody fills in from its scan. The description of the sheets (JSON) is what `geo_qmi.sources.field.paper`
reads back. What is drawn is in `geo_qmi.plate.workshop`; nothing here computes a place.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from geo_qmi import maps
from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.export import delivery
from geo_qmi.plate import workshop
from geo_qmi.vocabulary import ACTOR_GROUPS, WORKSHOP_KINDS

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from geo_qmi.plate.workshop import Table

#: Papers a table takes.
PAPERS = ("A3", "A1", "A0")
GUIDE = "LISEZ-MOI.txt"
_CODE = re.compile(r"[\w.-]{1,40}")
_GROUND = ("districts", "communes", "barriers", "stations", "sites")
_CONTROL = ("repere", "pixel_x", "pixel_y")
_ITEMS = ("numero", "pixel_x", "pixel_y", "classe", "libelle", "theme", "priorite")


def pack(
    tables: Mapping[str, Any],
    folder: str | os.PathLike[str],
    *,
    district_id: str,
    code: str,
    paper: str = "A3",
    scale: int | None = None,
    groups: Sequence[str] = (),
    streets: gpd.GeoDataFrame | None = None,
) -> tuple[list[Path], Table]:
    """Write the sheets of a workshop and what reads them back; return the files and the sheets.

    Parameters
    ----------
    tables
        ``districts``, ``communes``, ``barriers``, ``stations``, ``sites`` of a study, EPSG:2154.
    folder
        Made if need be, in a folder that exists; none of the files may be there.
    district_id
        A row of ``districts`` with a published perimeter.
    code
        Of the workshop: printed on the sheets and the beginning of the names of files.
    paper, scale
        See `geo_qmi.plate.workshop.sheet_of`.
    groups
        Codes of ``ACTOR_GROUPS``; all by default.
    streets
        Lines in EPSG:2154 drawn on the base map.

    Raises
    ------
    UnknownNameError, InputError
        No such district, paper or group; no perimeter; a file is there already; a folder that cannot be written, a full
        disk. Nothing is written.
    """
    wanted = {group: ACTOR_GROUPS.get(group, "") for group in groups or ACTOR_GROUPS}
    _require(tables, district_id=district_id, code=code, paper=paper, groups=wanted)
    drawn = maps.district_map(district_id, **{name: tables[name] for name in _GROUND})
    if streets is not None:
        drawn = _with_streets(drawn, streets)
    table = workshop.sheet_of(drawn, paper=paper.upper(), code=code, groups=wanted, scale=scale)
    hosts = maps.hosts_of(tables["districts"], tables["communes"]).set_index("district_id")
    title = f"Atelier « carte sur table » — {hosts.loc[district_id, 'title']}"
    contents = {
        f"{code}_fond.pdf": table.base(drawn, title=title).to_pdf(),
        f"{code}_calques.pdf": table.films(title=title).to_pdf(),
        f"{code}_feuille.json": (json.dumps(workshop.described(table), ensure_ascii=False, indent=1) + "\n").encode(),
        GUIDE: _guide(table, title=title, district_id=district_id).encode(),
    }
    for overlay in table.overlays:
        contents[f"{overlay}.csv"] = _table(_ITEMS, [])
        contents[f"{overlay}_calage.csv"] = _table(_CONTROL, [(name, "", "") for name, *_ in table.crosses()])
    return _written(Path(folder), contents), table


def _with_streets(drawn: maps.Map, streets: gpd.GeoDataFrame) -> maps.Map:
    """Return the map with streets between the communes and what cuts the district."""
    lines = streets.geometry[streets.intersects(shapely.box(*drawn.extent_m))]
    frame = gpd.GeoDataFrame(
        {"id": range(len(lines)), "label": "", "style": "street"}, geometry=list(lines), crs=streets.crs
    )
    layer = maps.Layer(
        name="streets",
        title="Rues",
        kind="line",
        frame=frame,
        styles={"street": maps.Style(label="Rues", line="#a0a09a")},
    )
    first = next((n for n, one in enumerate(drawn.layers) if one.kind != "area"), len(drawn.layers))
    layers = (*drawn.layers[:first], layer, *drawn.layers[first:])
    said = "Rues : fichier fourni à l’impression, sous sa licence."
    return replace(drawn, layers=layers, credits=(*drawn.credits, said))


def _require(tables: Mapping[str, Any], *, district_id: str, code: str, paper: str, groups: Mapping[str, str]) -> None:
    if district_id not in set(tables["districts"]["district_id"]):
        listed = ", ".join(map(str, tables["districts"]["district_id"]))
        raise UnknownNameError(f"Quartier inconnu : « {shown(district_id)} ». Quartiers de l’étude : {listed}.")
    if not _CODE.fullmatch(code):
        raise InputError(f"Code de feuille « {shown(code)} » : lettres, chiffres, tirets, 40 signes au plus.")
    if paper.upper() not in PAPERS:
        raise UnknownNameError(f"Papier inconnu : « {shown(paper)} ». Papiers d’un atelier : {', '.join(PAPERS)}.")
    unknown = [group for group, label in groups.items() if not label]
    if unknown:
        raise UnknownNameError(f"Groupe inconnu : « {shown(unknown[0])} ». Groupes : {', '.join(ACTOR_GROUPS)}.")


def _written(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write every file or none, and none when one of them is there already."""
    there = [name for name in contents if (folder / name).exists()]
    if there:
        raise InputError(
            f"« {shown(folder)} » contient déjà {', '.join(there[:3])} : rien n’a été écrit → choisissez un autre "
            "dossier."
        )
    if not folder.parent.is_dir() or folder.is_file():
        raise InputError(f"« {shown(folder)} » : attendu un dossier, dans un dossier qui existe. Rien n’a été écrit.")
    with delivery.workshop(folder) as private:
        draft = private / "atelier"
        draft.mkdir()
        for name, content in contents.items():
            (draft / name).write_bytes(content)
        if folder.is_dir():
            delivery.place(contents, source=draft, folder=folder)
        else:
            delivery.install(draft, folder)
    return [folder / name for name in contents]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, delimiter=";", lineterminator="\r\n").writerows([columns, *rows])
    return b"\xef\xbb\xbf" + stream.getvalue().encode()


def _guide(table: Table, *, title: str, district_id: str) -> str:
    scale = f"{table.sheet.scale:,}".replace(",", "\u202f")
    first = next(iter(table.overlays))
    listed = "\n".join(f"  {code}  {table.groups[group]}" for code, group in table.overlays.items())
    return f"""{title}
{table.sheet.paper} au 1:{scale}, Lambert-93.

Avant
  Imprimez {table.code}_fond.pdf sur papier et {table.code}_calques.pdf sur film transparent, à 100 %, sans mise à
  l’échelle.
  Vérifiez à la règle : le cadre mesure {table.sheet.frame_mm[2]:.0f} × {table.sheet.frame_mm[3]:.0f} mm.
Calques
{listed}
Pendant
  Posez le calque croix sur croix. Objets : {", ".join(WORKSHOP_KINDS.values())}. Rien sur les croix A à H.
Après
  Scannez chaque calque (200 ppp suffisent), puis relevez dans l’image, en pixels depuis le coin haut gauche :
  – les croix, dans {first}_calage.csv : trois au moins, cinq pour que le calage se vérifie ;
  – les objets, dans {first}.csv : classe, libellé, thème, rang.
  Puis, avec ce dossier entier : geo-qmi import-walk {first}.csv --study etude.gpkg --session {table.code}
  --district {district_id} --tool paper --kind workshop --start AAAA-MM-JJThh:mm
  Un calage qui laisse plus de 10 m est refusé ; l’écart est toujours affiché.
"""
