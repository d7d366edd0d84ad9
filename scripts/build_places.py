"""Which invented places does the demonstration offer to applications, and how are they made again?

Writes ``data/geo/demo/candidate_places.geojson``: five to eight candidate places inside each of the four drawn
perimeters. *Everything in it is invented*: names are « Lieu de démonstration n », each row carries ``demo = true``. A
few cells are left empty on purpose, as a survey leaves them. Districts without a published perimeter get none: their
place would be made up. The same inputs and numpy give the same bytes.

Run from the root of the repository, with the package installed: ``python scripts/build_places.py``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from geo_qmi.schema import columns

SEED = 20260516
SOURCE = f"démonstration : scripts/build_places.py, graine {SEED}"
HERE = Path(__file__).resolve().parent
DECIMALS = 6  # about ten centimetres, the limit of the shipped GeoJSON
FEWEST, MOST = 5, 8
APART_M = 60.0  # two places of one district are not the same square
FROM_EDGE_M = 15.0  # an approximate outline is not trusted to the metre
EMPTY_SHARE = 0.08  # cells nobody surveyed

_TO_METRES = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)
_TO_DEGREES = Transformer.from_crs("EPSG:2154", "EPSG:4326", always_xy=True)

#: What kinds of place are drawn: share, surface range in m², ground, supports, public domain, authority.
KINDS: list[dict[str, Any]] = [
    {"share": 0.3, "area": (60, 400), "ground": "mineral", "on": ("ground",), "public": True, "who": "commune"},
    {"share": 0.25, "area": (40, 300), "ground": "planted", "on": ("ground",), "public": True, "who": "commune"},
    {
        "share": 0.2,
        "area": (15, 120),
        "ground": "mineral",
        "on": ("ground", "wall"),
        "public": False,
        "who": "landlord",
    },
    {"share": 0.15, "area": (80, 600), "ground": "mineral", "on": ("roof", "wall"), "public": False, "who": "landlord"},
    {"share": 0.1, "area": (20, 90), "ground": "mineral", "on": ("ground",), "public": True, "who": "ept"},
]
SURVEYED = ("area_m2", "ground", "sun_h", "water", "power", "vehicle", "people_in_reach")


def main() -> None:
    """Write the demonstration places."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "geo", help="folder of the shipped facts")
    parser.add_argument("--out", type=Path, default=None, help="folder written to (default: demo inside --data)")
    options = parser.parse_args()
    out = options.out or options.data / "demo"
    out.mkdir(parents=True, exist_ok=True)
    features = json.loads((options.data / "districts.geojson").read_text(encoding="utf-8"))["features"]
    rows: list[dict[str, Any]] = []
    for number, feature in enumerate(features):
        if feature["geometry"] is not None:
            perimeter = shapely.transform(
                shapely.geometry.shape(feature["geometry"]), _TO_METRES.transform, interleaved=False
            )
            rng = np.random.default_rng([SEED, 2000, number])
            rows += place_rows(feature["properties"]["district_id"], perimeter, rng)
    _write(out / "candidate_places.geojson", rows)


def place_rows(district_id: str, perimeter: shapely.Geometry, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return the invented places of one district, in order of identifier."""
    short = district_id.rsplit("-", maxsplit=1)[-1]
    points = _points(perimeter, int(rng.integers(FEWEST, MOST + 1)), rng)
    return [
        {
            "place_id": f"DEMO-{short}-L{number}",
            "district_id": district_id,
            "name": f"Lieu de démonstration {number}",
            **_survey(rng),
            "demo": True,
            "source": SOURCE,
            "note": "Lieu inventé : ni relevé, ni proposé par la commune.",
            "geometry_source": SOURCE,
            "geometry_status": "approximate",
            "precision_m": 50,
            "geometry": point,
        }
        for number, point in enumerate(points, 1)
    ]


def _points(perimeter: shapely.Geometry, n: int, rng: np.random.Generator) -> list[shapely.Point]:
    """Return `n` points drawn inside the perimeter, away from its edge and from one another."""
    inside = perimeter.buffer(-FROM_EDGE_M)
    west, south, east, north = inside.bounds
    found: list[shapely.Point] = []
    while len(found) < n:
        point = shapely.Point(rng.uniform(west, east), rng.uniform(south, north))
        if inside.contains(point) and all(point.distance(other) >= APART_M for other in found):
            found.append(point)
    return found


def _survey(rng: np.random.Generator) -> dict[str, Any]:
    """Return what a survey of one place would hold."""
    kind = KINDS[int(rng.choice(len(KINDS), p=[one["share"] for one in KINDS]))]
    low, high = kind["area"]
    cells: dict[str, Any] = {
        "area_m2": int(5 * round(rng.integers(low, high + 1) / 5)),
        "ground": kind["ground"],
        "sun_h": int(rng.integers(2, 9)),
        "water": bool(rng.random() < 0.5),
        "power": bool(rng.random() < 0.6),
        "support_ground": "ground" in kind["on"],
        "support_wall": "wall" in kind["on"],
        "support_roof": "roof" in kind["on"],
        "public_domain": kind["public"],
        "vehicle": bool(rng.random() < 0.75),
        "people_in_reach": int(50 * round(rng.integers(400, 5200) / 50)),
        "authority": kind["who"],
    }
    for name in SURVEYED:
        if rng.random() < EMPTY_SHARE:
            cells[name] = None
    return cells


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the places in the column order of the schema, one feature a line, in degrees."""
    order = [column for column in columns("candidate_places") if column != "geometry"]
    lines = []
    for row in rows:
        x, y = _TO_DEGREES.transform(row["geometry"].x, row["geometry"].y)
        geometry = {"type": "Point", "coordinates": [round(x, DECIMALS), round(y, DECIMALS)]}
        feature = {"type": "Feature", "properties": {name: row[name] for name in order}, "geometry": geometry}
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    body = ",\n".join(lines)
    text = f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n'
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
