"""How were the letters of `geo_qmi.plate` cut out of DejaVu Sans?

A sheet embeds its letters, and going through the six thousand of the whole font for the hundred it needs is a tenth of
its making. This keeps those French is written with, and their kerning, from the fonts matplotlib ships. The outlines
and widths are untouched (a test compares them); any other letter is taken from the whole font. The cut fonts have a
name of their own: matplotlib's SVG knows a letter by the name of its font and its number there, and the numbers differ.

Run with ``python scripts/cut_letters.py``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import matplotlib as mpl
from fontTools import subset

WHOLE = Path(mpl.get_data_path()) / "fonts" / "ttf"
CUT = Path(__file__).resolve().parent.parent / "geo_qmi" / "plate" / "letters"
#: Latin with its accents, then dashes, quotation marks, spaces, signs, arrows and comparisons.
LETTERS = [*range(0x20, 0x7F), *range(0xA0, 0x180), *map(ord, "‐‑‒–—‘’‚“”„†•…‰′″‹›€№←↑→↓−≈≠≤≥×●■▲\u2009\u202f")]
#: Number of the name that matplotlib takes for a font.
_POSTSCRIPT = 6


def main() -> None:
    """Cut both weights and lay the licence beside them."""
    CUT.mkdir(exist_ok=True)
    options = subset.Options(layout_features=["kern"], hinting=False, glyph_names=False, notdef_outline=True)
    options.name_IDs, options.drop_tables = ["*"], ["FFTM", "MATH"]
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        font = subset.load_font(str(WHOLE / name), options)
        font.recalcTimestamp = False
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=LETTERS)
        cutter.subset(font)
        for record in font["name"].names:
            if record.nameID == _POSTSCRIPT:
                record.string = f"{record.toUnicode()}-Cut"
        font.save(CUT / name)
    shutil.copyfile(WHOLE / "LICENSE_DEJAVU", CUT / "LICENSE.txt")


if __name__ == "__main__":
    main()
