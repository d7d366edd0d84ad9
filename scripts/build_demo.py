"""What does the demonstration part of the shipped study hold, and how is it made again?

Writes ``data/geo/demo``: one sensory walk, two interviews and one workshop for each of the four districts with a
perimeter, assumed crossings of the railways, and a call of 168 applications. *Everything in it is invented*: each row
carries ``demo = true`` and says so in its source. The texts are in ``demo_walks.toml``, ``demo_phrases.toml`` and
``demo_calls.toml``; this script draws from them with a fixed seed, so that the same inputs and numpy give the same
bytes.

It makes nothing up for the six districts of the second edition: no perimeter is published for them, hence no place
where a walk could be set. It changes no shipped fact: it reads the barriers to keep every mark on the right side of
the tracks, and the districts to refuse a walk where there is no perimeter.

Run from the root of the repository, with the package installed: ``python scripts/build_demo.py``.
"""

from __future__ import annotations

import argparse
import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import shapely
from demo_calls import application_rows
from demo_crossings import crossing_rows
from demo_field import field_rows
from pyproj import Transformer
from shapely.geometry import mapping

from geo_qmi.schema import columns, geometry_types

SEED = 20260516
SOURCE = f"démonstration : scripts/build_demo.py, graine {SEED}"
HERE = Path(__file__).resolve().parent
DECIMALS = 6  # about ten centimetres, the limit of the shipped GeoJSON

_TO_METRES = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)
_TO_DEGREES = Transformer.from_crs("EPSG:2154", "EPSG:4326", always_xy=True)


def main() -> None:
    """Write the demonstration tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "geo", help="folder of the shipped facts")
    parser.add_argument("--out", type=Path, default=None, help="folder written to (default: demo inside --data)")
    options = parser.parse_args()
    out = options.out or options.data / "demo"
    out.mkdir(parents=True, exist_ok=True)
    tracks = _geometries(options.data / "barriers.geojson", key="barrier_id")
    barriers = shapely.union_all(list(tracks.values()))
    walks = _toml("demo_walks.toml")
    perimeters = _geometries(options.data / "districts.geojson", key="district_id")
    _refuse_unknown(walks, perimeters)
    tables = field_rows(walks, _toml("demo_phrases.toml"), barriers=barriers, seed=SEED)
    tables["applications"] = application_rows(_toml("demo_calls.toml"), seed=SEED)
    tables["crossings"] = crossing_rows(tracks, _stations(options.data / "stations.geojson"), seed=SEED)
    for name, rows in tables.items():
        _write(out, name, rows)


def _toml(name: str) -> dict[str, Any]:
    """Return one of the text files beside this script."""
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def _geometries(path: Path, *, key: str) -> dict[str, shapely.Geometry]:
    """Return the geometries of a GeoJSON file by the property `key`, in metres; features without a place left out."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return {
        one["properties"][key]: shapely.transform(
            shapely.geometry.shape(one["geometry"]), _TO_METRES.transform, interleaved=False
        )
        for one in features
        if one["geometry"] is not None
    }


def _stations(path: Path) -> dict[str, tuple[str, shapely.Point]]:
    """Return the name and the point of each station."""
    points = _geometries(path, key="station_id")
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    named = {one["properties"]["station_id"]: one["properties"]["name"] for one in features}
    return {station: (named[station], point) for station, point in points.items()}


def _refuse_unknown(walks: dict[str, Any], perimeters: dict[str, shapely.Geometry]) -> None:
    """Stop when a walk is set in a district without a perimeter: its place would be made up."""
    nowhere = [one["district_id"] for one in walks["district"] if one["district_id"] not in perimeters]
    if nowhere:
        raise SystemExit(f"Pas de périmètre pour {', '.join(nowhere)} : aucune marche n’y est inventée.")


def _write(out: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Write one table in the column order of the schema, as GeoJSON when it has a geometry, else as CSV."""
    order = [column for column in columns(name) if column != "geometry"]
    marked = [row | {"demo": True, "source": SOURCE} for row in rows]
    if not geometry_types(name):
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(order)
            writer.writerows([_cell(row.get(column)) for column in order] for row in marked)
        return
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": {column: row.get(column) for column in order},
                "geometry": _geojson(row["geometry"]),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for row in marked
    ]
    body = ",\n".join(lines)
    (out / f"{name}.geojson").write_text(
        f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n', encoding="utf-8", newline="\n"
    )


def _cell(value: Any) -> str:
    """Return a value as the shipped CSV files write it: empty when missing, true or false for a flag."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _geojson(geometry: shapely.Geometry | None) -> dict[str, Any] | None:
    """Return a geometry in degrees, exterior rings counter-clockwise, with six decimals."""
    if geometry is None:
        return None
    degrees = shapely.orient_polygons(shapely.transform(geometry, _TO_DEGREES.transform, interleaved=False))
    shape = mapping(degrees)
    return {"type": shape["type"], "coordinates": _rounded(shape["coordinates"])}


def _rounded(coordinates: Any) -> Any:
    """Return nested coordinates rounded."""
    if isinstance(coordinates, float):
        return round(coordinates, DECIMALS)
    return [_rounded(part) for part in coordinates]


if __name__ == "__main__":
    main()
