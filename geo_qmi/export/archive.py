"""How do several files become one whose bytes depend on their content only?

A zip with sorted names and one fixed date. Nothing here knows what the files are.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The earliest date a zip can hold.
_DATE = (1980, 1, 1, 0, 0, 0)


def pack(files: Mapping[str, Path | bytes], path: Path) -> None:
    """Write `files`, name in the archive → file or bytes, to the zip `path`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            content = files[name]
            data = content if isinstance(content, bytes) else content.read_bytes()
            archive.writestr(entry, data)
