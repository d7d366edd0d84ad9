"""Which names fit on the map without touching one another?

Greedy placing: names in order of importance, each at the first of its candidate positions that covers neither another
name nor, if possible, a sign or a line. A name that fits nowhere, or is a sentence, becomes a letter there, listed
beside the map; what cannot even have a letter is listed without. Boxes in millimetres in, positions out; nothing is
drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Box = tuple[float, float, float, float]

#: Directions tried around a sign: right first, as readers expect, then left, above, below and the corners.
_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
#: White kept around a name.
_GAP_MM = 0.35
#: A longer name is a sentence: its letter stands on the map.
_LONGEST = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name to place, or placed.

    Attributes
    ----------
    text
        What is written.
    spot
        Point it belongs to, in millimetres of the page.
    apart
        Distance from the point to where the name starts; 0 for the name of a surface, which lies on it.
    pt, bold, colour
        How it is written.
    far
        Times `apart` a name may move further when nothing nearer is free.
    boxed
        Written on a white plate, as a letter or a number is.
    listed
        What the list beside the map says when the name does not fit; empty to drop it there.
    left, base
        Once placed, the left end of its baseline.
    """

    text: str
    spot: tuple[float, float]
    apart: float = 0.0
    pt: float = 6.5
    bold: bool = False
    colour: str = "#1a1a1a"
    far: int = 1
    boxed: bool = False
    listed: str = ""
    left: float = 0.0
    base: float = 0.0


def placed(
    wanted: Sequence[Label], *, frame: Box, signs: Iterable[Box], size_of: Callable[[Label], tuple[float, float]]
) -> tuple[list[Label], list[str]]:
    """Return the names that fit, each with its position, and the list of those that do not.

    Parameters
    ----------
    wanted
        Most important first.
    frame
        ``xmin, ymin, xmax, ymax`` in which a name must lie.
    signs
        Boxes names had better not cover.
    size_of
        Width and height of a name.

    Returns
    -------
    placed
        Names and numbers with ``at``, in the order of `wanted`; numbers last.
    listed
        « 1 : name » for the names that became a number, or the name alone where not even a number fitted.
    """
    taken: list[Box] = []
    avoided = np.array(list(signs), dtype=float).reshape(-1, 4)
    found, left = [], []
    for label in wanted:
        sentence = bool(label.listed) and len(label.text) > _LONGEST
        at = None if sentence else _position(label, taken, frame=frame, signs=avoided, size_of=size_of)
        if at is not None:
            found.append(at)
        elif label.listed:
            left.append(label)
    listed = []
    for rank, label in enumerate(left):
        mark = replace(label, text=_letters(rank), apart=max(label.apart, 0.6), far=6, boxed=True, bold=True)
        at = _position(mark, taken, frame=frame, signs=avoided, size_of=size_of)
        listed.append(f"{mark.text} : {label.listed}" if at else label.listed)
        found += [at] if at else []
    return found, listed


def _letters(rank: int) -> str:
    """Return A to Z, then AA, AB and so on."""
    first, last = divmod(rank, 26)
    return (_letters(first - 1) if first else "") + chr(ord("A") + last)


def _position(
    label: Label,
    taken: list[Box],
    *,
    frame: Box,
    signs: np.ndarray,
    size_of: Callable[[Label], tuple[float, float]],
) -> Label | None:
    """Return the label at its first free position, whose box is then taken."""
    width, height = size_of(label)
    candidates = [
        box for box in _candidates(label, width, height)
        if frame[0] <= box[0] and frame[1] <= box[1] and box[2] <= frame[2] and box[3] <= frame[3]
    ]  # fmt: skip
    names = np.array(taken, dtype=float).reshape(-1, 4)
    free = [box for box in candidates if not _touches(box, names)]
    clear = [box for box in free if not _touches(box, signs)]
    if not free:
        return None
    box = (clear or free)[0]
    taken.append(box)
    # A quarter of the height hangs below the baseline.
    return replace(label, left=box[0] + _GAP_MM, base=box[1] + _GAP_MM + 0.24 * height)


def _candidates(label: Label, width: float, height: float) -> Iterable[Box]:
    """Yield the boxes a name may take, the best first."""
    x, y = label.spot
    half_x, half_y = width / 2 + _GAP_MM, height / 2 + _GAP_MM
    if not label.apart:
        yield (x - half_x, y - half_y, x + half_x, y + half_y)
    for step in range(1, label.far + 1):
        apart = label.apart * step if label.apart else height * step
        for along, up in _AROUND:
            middle_x, middle_y = x + along * (apart + half_x), y + up * (apart + half_y)
            if along and up and label.apart:  # a corner is reached along the diagonal
                middle_x, middle_y = x + along * (0.6 * apart + half_x), y + up * (0.6 * apart + half_y)
            yield (middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y)


def _touches(box: Box, others: np.ndarray) -> bool:
    """Tell whether a box overlaps one of others."""
    return bool(
        np.any(
            (others[:, 0] < box[2]) & (others[:, 2] > box[0]) & (others[:, 1] < box[3]) & (others[:, 3] > box[1])
        )
    )  # fmt: skip
