"""Which characters do these bytes spell?

A byte-order mark decides; then UTF-16 seen by its zero bytes; then UTF-8; then Windows-1252, the habit of French
Excel. A file that is UTF-8 but for a few bytes keeps its accents: the bad bytes become lone surrogates, which
`geo_qmi.sources.sheet.Sheet.finish` reports cell by cell. Separators and values are not looked at here.
"""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]+")


def decode(data: bytes) -> tuple[str, str]:
    """Return the text and the name of the encoding used.

    Parameters
    ----------
    data
        The whole file.

    Returns
    -------
    tuple
        Text (bytes that fit no character become lone surrogates) and encoding: ``utf-8``, ``utf-16-le``,
        ``cp1252``, ...

    Examples
    --------
    >>> decode("café".encode("cp1252"))
    ('café', 'cp1252')
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, _survivor(encoding)), encoding
    encoding = _without_mark(data)
    return data.decode(encoding, _survivor(encoding)), encoding


def _without_mark(data: bytes) -> str:
    head = data[:400]
    if b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > len(head) // 5 and even == 0:
            return "utf-16-le"
        if even > len(head) // 5 and odd == 0:
            return "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        runs = len(_HIGH.findall(data))
        return "utf-8" if len(_MULTIBYTE.findall(data)) * 2 > runs else "cp1252"
    return "utf-8"


def _survivor(encoding: str) -> str:
    # UTF-16 and UTF-32 cannot escape bytes; five byte values of Windows-1252 mean nothing and can.
    return "surrogateescape" if encoding in {"utf-8", "cp1252"} else "replace"
