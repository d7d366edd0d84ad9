"""How does a map of ours look the same when QGIS draws it?

Turns the layers of `geo_qmi.maps` into what QGIS reads: the style of each layer as QML text, the columns it is drawn
from, and a project with groups, legends and A3 layouts. Everything comes from the same `Style` as screen, paper and
page. It writes no file and chooses no colour of its own.

    columns(layer)                       -> GeoDataFrame, numbers as numbers
    style(layer)                         -> QML text
    project(groups, title=…, data=…)     -> bytes of a .qgz
"""

from __future__ import annotations

from geo_qmi.qgis.project import Group, project
from geo_qmi.qgis.style import columns, plain_style, style, titles

__all__ = ["Group", "columns", "plain_style", "project", "style", "titles"]
