"""How does a map become a sheet of paper at a true scale?

One `geo_qmi.maps.Map` becomes pages: the map in a frame at an exact Lambert-93 scale, a panel with title, legend of
what is visible, scale bar, north, credits, and, when words were said, a facing page that numbers them. The same pages
are written as PDF, SVG or PNG. Computes no result, reads no clock and opens no file: bytes come out.

    pages = draw(drawn, paper="A3", scale=5000, imprint=Imprint(heading="Carte sensible", edition="jury", date="…"))
    pages.sheet                  -> Sheet: millimetres of the frame, `to_page`, `ground_m`, `scale`
    pages.to_pdf(), .to_svg(page=0), .to_png(page=0, dpi=200)  -> bytes
"""

from __future__ import annotations

from geo_qmi.plate.pages import Imprint, Pages, assemble, draw
from geo_qmi.plate.paper import LARGEST_FIRST, PAPERS, Sheet, sheet_for
from geo_qmi.plate.proof import EYES, contrasts, seen_by

__all__ = [
    "EYES",
    "LARGEST_FIRST",
    "PAPERS",
    "Imprint",
    "Pages",
    "Sheet",
    "assemble",
    "contrasts",
    "draw",
    "seen_by",
    "sheet_for",
]
