"""Opens a project in QGIS without a screen and prints what QGIS makes of it, as JSON.

Run by the Python that has PyQGIS, not by that of the project: it imports nothing of geo-qmi.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 qgis_reader.py etude.qgz PICTURE_FOLDER
"""

import json
import sys
from pathlib import Path

from qgis.core import QgsApplication, QgsLayoutExporter, QgsProject, QgsVectorLayer


def colours(renderer):
    """Label → colours of the symbol layers."""
    items = renderer.legendSymbolItems() if renderer else []
    return {
        item.label(): [layer.color().name() for layer in item.symbol().symbolLayers()]
        for item in items
        if item.symbol()
    }


def patterns(renderer):
    """Classes of the symbol layers that are used."""
    items = renderer.legendSymbolItems() if renderer else []
    return sorted({layer.layerType() for item in items if item.symbol() for layer in item.symbol().symbolLayers()})


def told(layer):
    """What QGIS knows of a layer."""
    fields = layer.fields()
    placed = layer.isSpatial()
    return {
        "title": layer.name(),
        "valid": layer.isValid(),
        "rows": layer.featureCount(),
        "crs": layer.crs().authid() if placed else "",
        "renderer": layer.renderer().type() if placed and layer.renderer() else "",
        "labels": layer.labelsEnabled(),
        "colours": colours(layer.renderer()) if placed else {},
        "patterns": patterns(layer.renderer()) if placed else [],
        "aliases": {field.name(): layer.attributeAlias(place) for place, field in enumerate(fields)},
        "widgets": {field.name(): layer.editorWidgetSetup(place).type() for place, field in enumerate(fields)},
        "licences": layer.metadata().licenses(),
    }


def main(path, folder):
    """Print the report and write one picture a layout."""
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    project = QgsProject.instance()
    opened = project.read(str(path))
    report = {"opened": opened, "error": project.error(), "crs": project.crs().authid(), "title": project.title()}
    report["layers"] = [told(layer) for layer in project.mapLayers().values()]
    report["groups"] = {
        group.name(): [node.name() for node in group.findLayers()] for group in project.layerTreeRoot().findGroups()
    }
    report["layouts"] = {}
    for number, layout in enumerate(project.layoutManager().layouts()):
        size = layout.pageCollection().page(0).pageSize()
        report["layouts"][layout.name()] = [size.width(), size.height(), len(layout.items())]
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = 60
        QgsLayoutExporter(layout).exportToImage(str(folder / f"{number}.png"), settings)
    # The package alone, as somebody drags it into QGIS: styles come from its layer_styles table.
    package = next(Path(path).parent.glob("*.gpkg"))
    report["alone"] = {name: told(QgsVectorLayer(f"{package}|layername={name}", name, "ogr")) for name in sys.argv[3:]}
    print(json.dumps(report))
    project.clear()
    application.exitQgis()


main(Path(sys.argv[1]), Path(sys.argv[2]))
