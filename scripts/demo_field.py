"""What would the field work of one district look like, if somebody had written it down?

Turns the invented walks of ``demo_walks.toml`` and the sentences of ``demo_phrases.toml`` into rows of the field
tables (sessions, routes, stages, participants, observations, statements, workshop items). It reads no file, and
knows a real place only through the barriers nobody may be placed behind.

Distances are metres in EPSG:2154; `along_m` is the distance walked from the start of the route.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import Transformer
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import substring

if TYPE_CHECKING:
    import shapely

Row = dict[str, Any]

PACE_M_S = 0.9  # a group that looks around: about 3.2 km/h
PAUSE_S = 420  # seven minutes at a stage
STOP_M = 25  # people spread out over this distance before and after a stage
AT_STAGE_M = 60  # a record is tied to a stage up to this distance along the route
WORDS_M = 130  # beyond, the words of place of the nearest stage would be wrong
SCATTER_M = 8  # spread of a telephone's position
FARTHEST_M = 28  # largest error kept
CLEARANCE_M = 8  # nobody stands closer to the tracks
NEARBY_WORDS = ("ici", "à cet endroit", "dans ce coin", "sur ce bout de parcours")
ROUTE_NOTE = "Tracé inventé : il ne suit aucune rue."
PLACE_NOTE = "Emplacement inventé."


@dataclass(frozen=True)
class Ground:
    """Route of one walk, where its stages stand along it, and the barriers nobody crosses."""

    route: LineString
    stops: np.ndarray
    barriers: shapely.Geometry

    def stage(self, along_m: float) -> int:
        """Return the position of the nearest stage, counted from 0."""
        return int(np.abs(self.stops - along_m).argmin())

    def gap_m(self, along_m: float) -> float:
        """Return how far along the route the nearest stage is."""
        return float(np.abs(self.stops - along_m).min())

    def seconds(self, along_m: float) -> float:
        """Return the time the group takes to reach `along_m`, pauses included: always later farther on."""
        length = self.route.length
        before, after = np.clip(self.stops - STOP_M, 0, length), np.clip(self.stops + STOP_M, 0, length)
        pauses = np.arange(len(self.stops)) * PAUSE_S
        known_m = np.column_stack([before, after]).ravel()
        known_s = known_m / PACE_M_S + np.column_stack([pauses, pauses + PAUSE_S]).ravel()
        return float(np.interp(along_m, known_m, known_s))

    def point(self, along_m: float, rng: np.random.Generator) -> Point:
        """Return a place near the route as a telephone would give it, on the same side of every barrier."""
        origin = self.route.interpolate(along_m)
        while True:
            east, north = rng.normal(0, SCATTER_M, 2)
            place = Point(origin.x + east, origin.y + north)
            seen = LineString([origin, place])
            if seen.length <= FARTHEST_M and seen.distance(self.barriers) >= CLEARANCE_M:
                return place

    def area(self, along_m: float, rng: np.random.Generator) -> Polygon:
        """Return a hand-drawn looking area around a place of the route."""
        centre = self.route.interpolate(along_m)
        corners = np.arange(8) * np.pi / 4 + rng.uniform(-0.2, 0.2, 8)
        radii = rng.uniform(18, 36, 8)
        ring = np.column_stack([centre.x + radii * np.cos(corners), centre.y + radii * np.sin(corners)])
        return Polygon(ring)

    def place(self, wanted: str, rng: np.random.Generator) -> shapely.Geometry | None:
        """Return the geometry ``point:3``, ``area:3`` or ``line:3-4`` asks for, stages counted from 1."""
        shape, _, stages = wanted.partition(":")
        if not shape:
            return None
        numbers = [int(number) - 1 for number in stages.split("-")]
        if shape == "line":
            return substring(self.route, *(self.stops[number] for number in numbers))
        draw = {"point": self.point, "area": self.area}[shape]
        return draw(float(self.stops[numbers[0]]), rng)


@dataclass
class Walk:
    """One walk being written: who walks, who stays silent where, which sentences are left."""

    district: Row
    ground: Ground
    bank: Row
    rng: np.random.Generator
    used: Counter[str]
    walkers: list[str]
    moods: dict[str, float]
    said: set[str] = field(default_factory=set)
    silent: set[tuple[str, int]] = field(default_factory=set)

    @property
    def session_id(self) -> str:
        """Identifier of the walk."""
        return f"DEMO-{self.district['code']}-M1"

    def observations(self) -> list[Row]:
        """Return every record of the walk in the order it was made."""
        plan = self.district["walk"]
        authors = self._authors(plan["observations"])
        rows = [row for one in self.district["disagreements"] for row in self._disagreement(one, authors)]
        spoken = {(row["participant_id"], row["_stage"]) for row in rows}
        rows += [self._silence(authors, spoken) for _ in range(plan["silences"])]
        wishes = self._wishes()
        chosen = self.rng.permutation(len(wishes))[: plan["absences"]]
        rows += [
            self._absence(wishes[wish], authors.pop(), nowhere=i % 3 == 2)  # one in three is missed everywhere
            for i, wish in enumerate(chosen)
        ]
        rows += [self._mark(author) for author in authors]
        return self._dated(rows)

    def _authors(self, total: int) -> list[str]:
        """Return `total` authors in random order, shared out by how much each walker talks."""
        share = np.array(self.district["talk"], dtype=float)
        exact = share / share.sum() * total
        counts = np.floor(exact).astype(int)
        counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
        authors = np.repeat(self.walkers, counts)
        return [str(author) for author in self.rng.permutation(authors)]

    def _disagreement(self, lines: Row, authors: list[str]) -> list[Row]:
        """Return two records that say the opposite of one place, by two walkers."""
        first = authors.pop()
        second = next(author for author in authors if author != first)
        authors.remove(second)
        pair = []
        for author, sign in ((first, "plus"), (second, "minus")):
            along_m = self._near(lines["stage"] - 1)
            pair.append(
                self._row(author, along_m, "mark")
                | {"frame": lines["frame"], "sense": lines["sense"], "theme": lines["theme"]}
                | {"valence": 2 if sign == "plus" else -2, "intensity": int(self.rng.integers(4, 6))}
                | {"verbatim": lines[sign], "geometry": self.ground.point(along_m, self.rng)}
            )
        return pair

    def _silence(self, authors: list[str], spoken: set[tuple[str, int]]) -> Row:
        """Return a stop where one walker felt nothing, at a stage where that walker has said nothing."""
        while True:
            author = authors[int(self.rng.integers(len(authors)))]
            stage = int(self.rng.integers(len(self.ground.stops)))
            if (author, stage) not in self.silent | spoken:
                break
        authors.remove(author)
        self.silent.add((author, stage))
        along_m = self._near(stage)
        return self._row(author, along_m, "silence") | {"geometry": self.ground.point(along_m, self.rng)}

    def _wishes(self) -> list[list[str]]:
        """Return what may be missing in this district, its own wishes first."""
        return [*self.bank["absence"][self.district["code"]], *self.bank["absence"]["any"]]

    def _absence(self, wish: list[str], author: str, *, nowhere: bool) -> Row:
        """Return something missed, over an area or nowhere in particular."""
        theme, wished, words = wish
        along_m = self._free(author)
        row = self._row(author, along_m, "absence")
        if nowhere:
            row["stage_id"] = None
        return row | {
            "frame": "invisible",
            "sense": "use",
            "theme": theme,
            "valence": -1,
            "intensity": int(self.rng.integers(2, 5)),
            "verbatim": words,
            "wished": wished,
            "geometry": None if nowhere else self.ground.area(along_m, self.rng),
        }

    def _mark(self, author: str) -> Row:
        """Return something felt, said with a sentence of the bank that suits the place and the walker."""
        along_m = self._free(author)
        stage = self.district["stages"][self.ground.stage(along_m)]
        close = self.ground.gap_m(along_m) <= WORDS_M
        themes = stage["themes"] if close and self.rng.random() < 0.7 else self.district["themes"]
        theme = str(self.rng.choice(themes))
        frame, sense, valence, sentence = self._sentence(theme, self.moods[author])
        words = str(self.rng.choice(stage["ou"] if close else NEARBY_WORDS))
        quiet = self.rng.random() < 0.06  # a cross on the map, without a word
        strength = 1 + 1.4 * abs(valence) + self.rng.normal(0, 0.7)
        return self._row(author, along_m, "mark") | {
            "frame": frame,
            "sense": sense,
            "theme": theme,
            "valence": valence,
            "intensity": int(np.clip(round(strength), 1, 5)),
            "verbatim": None if quiet else sentence.replace("{ou}", words),
            "geometry": self.ground.point(along_m, self.rng),
        }

    def _sentence(self, theme: str, mood: float) -> tuple[str, str, int, str]:
        """Return frame, sense, valence and text of a sentence not said on this walk, the least used ones first."""
        fitting = [
            line
            for line in self.bank["walk"][theme]
            if line[3] not in self.said
            and self.district["code"] in (line[4] if len(line) > 4 else self.district["code"])
        ]
        least = min(self.used[line[3]] for line in fitting)
        fresh = [line for line in fitting if self.used[line[3]] == least]
        weights = np.exp([mood * line[2] for line in fresh])
        frame, sense, valence, sentence, *_ = fresh[int(self.rng.choice(len(fresh), p=weights / weights.sum()))]
        self.said.add(sentence)
        self.used[sentence] += 1
        return frame, sense, valence, sentence

    def _near(self, stage: int) -> float:
        """Return a distance along the route within a stop."""
        spread = float(np.clip(self.rng.normal(0, 9), -STOP_M + 1, STOP_M - 1))
        return float(np.clip(self.ground.stops[stage] + spread, 0, self.ground.route.length))

    def _free(self, author: str) -> float:
        """Return a distance along the route, away from the stages where `author` felt nothing."""
        while True:
            stopped = self.rng.random() < 0.55
            stage = int(self.rng.integers(len(self.ground.stops)))
            along_m = self._near(stage) if stopped else float(self.rng.uniform(0, self.ground.route.length))
            if (author, self.ground.stage(along_m)) not in self.silent or self.ground.gap_m(along_m) > AT_STAGE_M:
                return along_m

    def _row(self, author: str, along_m: float, kind: str) -> Row:
        """Return what every record holds; names with an underscore are dropped once the record is dated."""
        stage = self.ground.stage(along_m)
        tied = self.ground.gap_m(along_m) <= AT_STAGE_M
        return {
            "session_id": self.session_id,
            "participant_id": author,
            "stage_id": f"DEMO-{self.district['code']}-ET{stage + 1}" if tied else None,
            "kind": kind,
            "_stage": stage,
            "_along_m": along_m,
        }

    def _dated(self, rows: list[Row]) -> list[Row]:
        """Return the records in order of time, with identifier, time and rank."""
        start = datetime.fromisoformat(self.district["walk"]["start"])
        lag_s = dict(zip(self.walkers, self.rng.integers(5, 60, len(self.walkers)).tolist(), strict=True))
        ranks: Counter[str] = Counter()
        rows.sort(key=lambda row: (row["_along_m"], row["participant_id"]))
        for row in rows:
            ranks[row["participant_id"]] += 1
            seconds = round(self.ground.seconds(row["_along_m"])) + lag_s[row["participant_id"]]
            row |= {"time": (start + timedelta(seconds=seconds)).isoformat(), "rank": ranks[row["participant_id"]]}
        rows.sort(key=lambda row: (row["time"], row["participant_id"], row["rank"]))
        kept = [{key: value for key, value in row.items() if not key.startswith("_")} for row in rows]
        return [{"observation_id": f"DEMO-{self.district['code']}-O{i:03d}"} | row for i, row in enumerate(kept, 1)]


def field_rows(walks: Row, bank: Row, *, barriers: shapely.Geometry, seed: int) -> dict[str, list[Row]]:
    """Return the rows of the seven field tables, geometries in EPSG:2154, for the districts of `walks`.

    Parameters
    ----------
    walks, bank
        Contents of ``demo_walks.toml`` and ``demo_phrases.toml``.
    barriers
        Union of the barriers, in metres.
    seed
        Each district draws from its own stream, so that editing one leaves the others as they are.
    """
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)
    used: Counter[str] = Counter()
    tables: dict[str, list[Row]] = {}
    for number, district in enumerate(walks["district"]):
        corners = [to_metres.transform(*corner) for corner in district["via"]]
        route = LineString(corners)
        if route.distance(barriers) < 2 * CLEARANCE_M:
            raise ValueError(f"Parcours {district['code']} : il touche une coupure ou la frôle ; éloignez-le.")
        stops = np.array([LineString(corners[: s["via"] + 1]).length if s["via"] else 0.0 for s in district["stages"]])
        ground = Ground(route, stops, barriers)
        rng = np.random.default_rng([seed, number])
        walkers = [f"P-{district['code']}-{i:02d}" for i in range(1, len(district["talk"]) + 1)]
        moods = dict(zip(walkers, rng.uniform(-0.6, 0.6, len(walkers)), strict=True))
        walk = Walk(district, ground, bank, rng, used, walkers, moods)
        for name, rows in _district_rows(walk).items():
            tables.setdefault(name, []).extend(rows)
    return tables


def _district_rows(walk: Walk) -> dict[str, list[Row]]:
    """Return the rows of one district, table by table."""
    district, ground = walk.district, walk.ground
    session = {"session_id": walk.session_id}
    return {
        "sessions": _sessions(walk),
        "routes": [{"route_id": f"DEMO-{district['code']}-R1", "note": ROUTE_NOTE, "geometry": ground.route} | session],
        "stages": [
            {"stage_id": f"DEMO-{district['code']}-ET{rank}", "rank": rank, "name": stage["name"], "note": PLACE_NOTE}
            | session
            | {"geometry": ground.route.interpolate(float(ground.stops[rank - 1]))}
            for rank, stage in enumerate(district["stages"], 1)
        ],
        "participants": [
            {"participant_id": walker, "actor_group": group} | session
            for walker, group in zip(walk.walkers, district["groups"], strict=True)
        ],
        "observations": walk.observations(),
        "statements": _statements(walk),
        "workshop_items": _workshop_items(walk),
    }


def _sessions(walk: Walk) -> list[Row]:
    """Return the walk, the interviews and the workshop of one district."""
    district = walk.district
    start = datetime.fromisoformat(district["walk"]["start"])
    minutes = 5 * round((walk.ground.seconds(walk.ground.route.length) / 60 + 10) / 5)
    end = (start + timedelta(minutes=minutes)).isoformat(timespec="minutes")
    walked = {"start": district["walk"]["start"], "end": end, "n_participants": len(walk.walkers)}
    meetings = [
        ("M1", "walk", "marche sensible", walked),
        *(
            (f"E{i}", "interview", one["title"], {"start": one["start"], "end": one["end"], "n_participants": 1})
            for i, one in enumerate(district["interviews"], 1)
        ),
        ("A1", "workshop", "atelier « carte sur table »", district["workshop"]),
    ]
    return [
        {"session_id": f"DEMO-{district['code']}-{code}", "district_id": district["district_id"], "kind": kind}
        | {"title": f"Démonstration — {title}, {district['name']}"}
        | times
        for code, kind, title, times in meetings
    ]


def _statements(walk: Walk) -> list[Row]:
    """Return what the group said at the end of the walk and what each interview brought."""
    district = walk.district
    told = [(walk.session_id, "collective", None, line) for line in district["collective"]]
    for number, (meeting, lines) in enumerate(
        zip(district["interviews"], district["interview_statements"], strict=True), 1
    ):
        told += [(f"DEMO-{district['code']}-E{number}", "individual", meeting["group"], line) for line in lines]
    return [
        {
            "statement_id": f"DEMO-{district['code']}-P{i:02d}",
            "session_id": session,
            "scope": scope,
            "actor_group": group,
            "theme": line["theme"],
            "statement": line["statement"],
            "valence": line["valence"],
            "geometry": walk.ground.place(line["at"], walk.rng),
        }
        for i, (session, scope, group, line) in enumerate(told, 1)
    ]


def _workshop_items(walk: Walk) -> list[Row]:
    """Return what the workshop put on the map, ranked inside each of its three classes."""
    ranks: Counter[str] = Counter()
    rows = []
    for i, item in enumerate(walk.district["workshop_items"], 1):
        ranks[item["kind"]] += 1
        rows.append(
            {
                "item_id": f"DEMO-{walk.district['code']}-W{i:02d}",
                "session_id": f"DEMO-{walk.district['code']}-A1",
                "kind": item["kind"],
                "actor_group": item["group"],
                "theme": item["theme"],
                "label": item["label"],
                "priority": ranks[item["kind"]],
                "geometry": walk.ground.place(item["at"], walk.rng),
            }
        )
    return rows
