"""Where was each photo taken, and which way did the group walk?

A GPX gives the route, its waypoints the marks somebody set on the way. A photo is placed where it says it was taken;
else where the recorded track was at that moment, within a stated tolerance. A photo that fits nowhere is kept without
a place and listed. Pictures are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo_qmi.sources.field.collected import Collected, Hints, cells, fault
from geo_qmi.sources.raw import RawTable
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Cameras write local time; without an offset it is that of the programme.
_ZONE = "Europe/Paris"
#: A photo farther than this from the track at its moment has a wrong clock or a wrong position.
_ASTRAY_M = 100.0
#: Metres in one degree of latitude; enough to compare with a tolerance in a town.
_DEGREE_M = 111_320.0


def read_track(raws: list[RawTable], *, positions: RawTable | None, photos: RawTable | None, hints: Hints) -> Collected:
    """Return the walk told by a GPX and its photos.

    Parameters
    ----------
    raws
        Layers ``tracks``, ``routes`` and ``waypoints`` of the GPX.
    positions, photos
        Sheets of `geo_qmi.sources.field.parsing`: dated points; photos with their hash, moment and place.
    hints
        ``tolerance_s`` and ``clock_shift_s`` are used here.
    """
    out = Collected("gpx")
    for raw in raws:
        if raw.layer == "waypoints":
            out.add("observations", _waypoints(raw))
        else:
            out.add("routes", _route(raw))
            out.add("sessions", _session(raw))
    if photos is not None:
        linked = {str(name) for raw in out.tables.get("observations", []) for name in raw.frame["photo"].dropna()}
        trail = _Trail.of(positions)
        placed = _photos(photos, linked=linked, trail=trail, hints=hints, out=out)
        if placed.n_in:
            out.add("observations", placed)
    return out


def _route(raw: RawTable) -> RawTable:
    uid = [f"trace-{moment}" if moment else None for moment in cells(raw.frame, "time_first")]
    frame = pd.DataFrame({"uid": pd.Series(uid, index=raw.frame.index, dtype=object)})
    return replace(raw, frame=frame, defects=list(raw.defects))


def _session(raw: RawTable) -> RawTable:
    wanted = [name for name in ("time_first", "time_last") if name in raw.frame]
    frame = raw.frame[wanted].rename(columns={"time_first": "start", "time_last": "end"})
    return replace(raw, frame=frame, geometry=None, crs=None, defects=[])


def _waypoints(raw: RawTable) -> RawTable:
    """Return waypoints as observations: their name and text are words, their link a photo."""
    told = {name: cells(raw.frame, name) for name in ("name", "desc", "cmt", "time", "link")}
    said = [
        " — ".join(str(p) for p in (name, desc or cmt) if p and not str(p).strip().isdigit()) or None
        for name, desc, cmt in zip(told["name"], told["desc"], told["cmt"], strict=True)
    ]
    columns = {
        "uid": [f"point-{moment}" if moment else None for moment in told["time"]],
        "time": list(told["time"]),
        "verbatim": said,
        "photo": [_base(link) for link in told["link"]],
    }
    frame = pd.DataFrame({n: pd.Series(v, index=raw.frame.index, dtype=object) for n, v in columns.items()})
    return replace(raw, frame=frame, defects=list(raw.defects))


def _base(link: object) -> str | None:
    return str(link).replace("\\", "/").rsplit("/", 1)[-1].casefold() if link else None


# Photos ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Trail:
    """Dated positions in order of time: seconds since 1970 (UTC), longitude and latitude."""

    seconds: NDArray[np.float64]
    degrees: NDArray[np.float64]

    @classmethod
    def of(cls, positions: RawTable | None) -> _Trail:
        if positions is None or not len(positions.frame) or positions.geometry is None:
            return cls(np.empty(0), np.empty((0, 2)))
        stamps = pd.to_datetime(positions.frame["time"].astype(str), errors="coerce", utc=True, format="ISO8601")
        known = stamps.notna().to_numpy()
        seconds = _seconds(stamps[known])
        order = np.argsort(seconds, kind="stable")
        return cls(seconds[order], shapely.get_coordinates(positions.geometry[known])[order])

    def at(self, second: float) -> tuple[Any, float]:
        """Return the position at a moment, between the two nearest ones, and the seconds to the nearer of them."""
        after = int(np.searchsorted(self.seconds, second))
        around = [place for place in (after - 1, after) if 0 <= place < len(self.seconds)]
        if not around:
            return None, np.inf
        gap = min(abs(self.seconds[place] - second) for place in around)
        low, high = around[0], around[-1]
        span = self.seconds[high] - self.seconds[low]
        share = 0.0 if span == 0 else (second - self.seconds[low]) / span
        return shapely.Point(self.degrees[low] + share * (self.degrees[high] - self.degrees[low])), float(gap)


def _seconds(stamps: pd.Series[Any]) -> NDArray[np.float64]:
    return np.asarray((stamps - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1), dtype=np.float64)


def _photos(photos: RawTable, *, linked: set[str], trail: _Trail, hints: Hints, out: Collected) -> RawTable:
    """Return the photos no waypoint speaks of, one observation each."""
    free = np.array([_base(name) not in linked for name in photos.frame["photo"]], dtype=bool)
    frame = photos.frame[free]
    geometry = photos.geometry[free].copy() if photos.geometry is not None else np.full(len(frame), None, dtype=object)
    raw = RawTable(photos.file, "photos", frame, geometry, "EPSG:4326", n_in=len(frame))
    times, gaps = [], []
    for place, (row, taken, offset) in enumerate(zip(frame.index, frame["taken"], frame["offset"], strict=True)):
        moment = _moment(taken, offset, shift_s=hints.clock_shift_s)
        times.append(None if moment is None else moment.isoformat(timespec="seconds"))
        where, gap = (None, np.inf) if moment is None else trail.at(moment.timestamp())
        name = frame["photo"].iloc[place]
        if geometry[place] is not None:
            _tell_astray(raw, row, name, own=geometry[place], track=where if gap <= hints.tolerance_s else None)
        elif moment is None:
            why = "photo sans heure de prise de vue lisible : elle ne peut pas être placée"
            raw.defects.append(_unplaced(raw, row, name, why, "placez l’observation à la main dans l’étude"))
        elif gap > hints.tolerance_s:
            raw.defects.append(_unplaced(raw, row, name, *_too_far(gap, hints)))
        else:
            geometry[place] = where
            gaps.append(gap)
    if gaps:
        out.notes.append(
            f"{counted(len(gaps), 'photo placée')} sur la trace par l’heure, à {max(gaps):.0f} s au plus d’une "
            f"position (tolérance : {hints.tolerance_s:.0f} s)."
        )
    columns = {
        "uid": [f"photo-{digest[:16]}" for digest in frame["photo_sha256"]],
        "time": times,
        "photo": list(frame["photo_sha256"]),
    }
    raw.frame = pd.DataFrame({n: pd.Series(v, index=frame.index, dtype=object) for n, v in columns.items()})
    return raw


def _moment(taken: object, offset: object, *, shift_s: float) -> pd.Timestamp | None:
    stamp = pd.to_datetime(f"{taken}{offset or ''}", errors="coerce") if taken else pd.NaT
    if pd.isna(stamp):
        return None
    if stamp.tzinfo is None:
        stamp = stamp.tz_localize(_ZONE, ambiguous=True, nonexistent="shift_forward")
    return stamp + pd.Timedelta(seconds=shift_s)


def _too_far(gap: float, hints: Hints) -> tuple[str, str]:
    if not np.isfinite(gap):
        return "aucune position datée dans la trace : la photo ne peut pas être placée", "réexportez la trace datée"
    reason = f"photo à {gap:.0f} s de la position la plus proche ; tolérance : {hints.tolerance_s:.0f} s"
    return reason, "vérifiez l’horloge et le fuseau de l’appareil, puis indiquez le décalage (--clock-shift)"


def _unplaced(raw: RawTable, row: object, name: object, reason: str, proposal: str) -> Any:
    return fault(raw, reason, proposal, row=row, column="photo", value=name, severity="warning")


def _tell_astray(raw: RawTable, row: object, name: object, *, own: Any, track: Any) -> None:
    if track is None:
        return
    east = (own.x - track.x) * _DEGREE_M * np.cos(np.radians(own.y))
    away = float(np.hypot(east, (own.y - track.y) * _DEGREE_M))
    if away > _ASTRAY_M:
        reason = f"position écrite dans la photo à {away:.0f} m de la trace au même moment ; la sienne est gardée"
        raw.defects.append(_unplaced(raw, row, name, reason, "vérifiez l’horloge de l’appareil et la position"))
