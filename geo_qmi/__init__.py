"""geo-qmi: check, match, map and export the territorial study of an innovation district.

Public names load on first use, so that ``import geo_qmi`` costs milliseconds and the command line answers at once.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

#: As `typing.TYPE_CHECKING`, without the import: it would cost more than the rest of the package.
TYPE_CHECKING = False

#: Public name → module that defines it.
_PUBLIC = {
    "GeoQmiError": "errors",
    "Defect": "errors",
    "Study": "workspace",
    "shipped_tables": "shipped",
    "to_metres": "geo",
    "to_degrees": "geo",
}

if TYPE_CHECKING:
    from geo_qmi.errors import Defect, GeoQmiError
    from geo_qmi.geo import to_degrees, to_metres
    from geo_qmi.shipped import shipped_tables
    from geo_qmi.workspace import Study

__all__ = ["Defect", "GeoQmiError", "Study", "__version__", "shipped_tables", "to_degrees", "to_metres"]


def __getattr__(name: str) -> object:
    """Load the module of a public name on first use."""
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'geo_qmi' has no attribute {name!r}")
    return getattr(importlib.import_module(f"geo_qmi.{module}"), name)


def __dir__() -> list[str]:
    return __all__
