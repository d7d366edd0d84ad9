"""Can the classes of a map be told apart in grey, or by an eye that confuses red and green?

Simulates both, and measures how far apart neighbours of a legend are: lightness in grey, colour difference for
deuteranopia; a different sign, hatching or width tells them apart too. Draws nothing: `seen_by` returns a map that
any medium can draw as that eye sees it.

Sources: deuteranopia after Machado, Oliveira and Fernandes (2009), severity 1, on linear light; colour difference is
CIE 1976 ΔE*ab under D65.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_qmi.maps import Layer, Map, Style

#: Eyes and papers proofs are made for: code → French.
EYES = {"grey": "niveaux de gris", "deuteranopia": "deutéranopie"}
#: Least difference between neighbours of a legend: about three just-noticeable steps of lightness or colour.
LEAST = 7.0

_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def seen_by(drawn: Map, eye: str) -> Map:
    """Return the map in the colours an eye of `EYES` sees."""

    def look(style: Style) -> Style:
        return replace(style, fill=_seen(style.fill, eye), line=_seen(style.line, eye))

    layers = (
        replace(layer, styles={key: look(style) for key, style in layer.styles.items()}) for layer in drawn.layers
    )
    return replace(drawn, layers=tuple(layers))


def contrasts(drawn: Map) -> pd.DataFrame:
    """Return how well each class of a legend is told from the next.

    Returns
    -------
    One row a pair of neighbours in a layer: ``layer``, ``first``, ``second`` (legend words), ``grey`` (difference of
    lightness L*, 0–100), ``deuteranopia`` (ΔE*ab), ``by_sign`` (another sign, hatching or width of line) and
    ``told_apart``.
    """
    rows = [
        (layer.title, first.label, second.label, *_apart(layer, first, second))
        for layer in drawn.layers
        for first, second in zip(layer.legend(), layer.legend()[1:], strict=False)
    ]
    found = pd.DataFrame(rows, columns=["layer", "first", "second", "grey", "deuteranopia", "by_sign"])
    told = found["by_sign"] | ((found["grey"] >= LEAST) & (found["deuteranopia"] >= LEAST))
    return found.assign(told_apart=told.astype(bool))


def _apart(layer: Layer, first: Style, second: Style) -> tuple[float, float, bool]:
    """Return the differences of two looks; of fill and line the one that differs more counts."""
    both = (first, second)
    signs = [one.shape if layer.kind == "point" else bool(one.hatch_m) for one in both]
    by_sign = signs[0] != signs[1] or (layer.kind == "line" and abs(first.width_px - second.width_px) >= 1)
    inks = ("line",) if layer.kind == "line" else ("fill", "line")
    pairs = [tuple(str(getattr(one, name)) for one in both) for name in inks]
    grey = max(abs(float(_lab(_seen(a, "grey"))[0] - _lab(_seen(b, "grey"))[0])) for a, b in pairs)
    blind = max(
        float(np.linalg.norm(_lab(_seen(a, "deuteranopia")) - _lab(_seen(b, "deuteranopia")))) for a, b in pairs
    )
    return grey, blind, by_sign


def _seen(colour: str, eye: str) -> str:
    if not colour:
        return ""
    light = _linear(colour)
    seen = np.full(3, _RGB_TO_XYZ[1] @ light) if eye == "grey" else _DEUTERANOPIA @ light
    seen = np.clip(seen, 0, 1)
    coded = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * value):02x}" for value in coded)


def _linear(colour: str) -> NDArray[np.float64]:
    coded = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def _lab(colour: str) -> NDArray[np.float64]:
    """Return L*, a*, b* of a colour; the paper where there is none."""
    ratio = (_RGB_TO_XYZ @ _linear(colour or "#ffffff")) / _WHITE
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])
