"""How much is too much for a file handed over by somebody else?

One frozen record of limits, and the sentence that says which one was passed. The figures come from measured
bombs (a 6 kB workbook that asks for 5.7 GiB, a 98 kB GeoPackage that never ends); this module measures nothing
itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from geo_qmi.errors import LimitError
from geo_qmi.wording import number

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    Attributes
    ----------
    file_bytes
        Size on disk, siblings of a shapefile included.
    inflated_bytes
        Size of all entries of an archive once inflated (XLSX, ODS, KMZ, zipped shapefile).
    ratio
        Inflated over compressed size of one entry above 1 MB.
    rows, columns
        Of one layer or sheet.
    vertices
        Of one geometry.
    nesting
        Depth of objects, collections or XML elements.
    seconds
        Processor time of the child, so that a busy machine refuses no honest file; three times as long by the clock.
    memory_bytes
        Address space of the child beyond what its imports need.
    """

    file_bytes: int = 50 * _MB
    inflated_bytes: int = 200 * _MB
    ratio: int = 200
    rows: int = 200_000
    columns: int = 500
    vertices: int = 200_000
    nesting: int = 32
    seconds: float = 20.0
    memory_bytes: int = 2**30

    def check_rows(self, met: int, *, file: str, layer: str = "") -> None:
        """Raise `LimitError` when a layer has more than `rows` records."""
        if met > self.rows:
            raise passed(file, "lignes", met=met, limit=self.rows, layer=layer)

    def check_columns(self, met: int, *, file: str, layer: str = "") -> None:
        """Raise `LimitError` when a layer has more than `columns` columns."""
        if met > self.columns:
            raise passed(file, "colonnes", met=met, limit=self.columns, layer=layer)


def passed(file: str, what: str, *, met: float, limit: float, layer: str = "") -> LimitError:
    """Return the error that names the limit and the value met.

    Examples
    --------
    >>> print(passed("a.csv", "lignes", met=200001, limit=200000))
    « a.csv » : 200 001 lignes au moins, la limite est de 200 000 → découpez ou allégez le fichier.
    """
    where = f"« {file} »" + (f", « {layer} »" if layer else "")
    return LimitError(
        f"{where} : {number(met)} {what} au moins, la limite est de {number(limit)} → découpez ou allégez le fichier."
    )
