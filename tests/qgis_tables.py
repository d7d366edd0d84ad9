"""Opens layers of a GeoPackage in QGIS without a screen and prints what QGIS makes of each, as JSON.

Run by the Python that has PyQGIS, not by that of the project: it imports nothing of geo-qmi.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 qgis_tables.py PACKAGE PICTURE LAYER [LAYER …]
"""

import json
import sys

from qgis.core import QgsApplication, QgsMapRendererSequentialJob, QgsMapSettings, QgsRenderContext, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor


def told(layer):
    """What QGIS knows of a layer, and how many features it would not draw."""
    renderer, context, fields = layer.renderer(), QgsRenderContext(), layer.fields()
    renderer.startRender(context, fields)
    undrawn = sum(renderer.symbolForFeature(feature, context) is None for feature in layer.getFeatures())
    renderer.stopRender(context)
    return {
        "valid": layer.isValid(),
        "rows": layer.featureCount(),
        "crs": layer.crs().authid(),
        "renderer": renderer.type(),
        "undrawn": undrawn,
        "legend": [item.label() for item in renderer.legendSymbolItems()],
        "aliases": {field.name(): layer.attributeAlias(place) for place, field in enumerate(fields)},
        "widgets": {field.name(): layer.editorWidgetSetup(place).type() for place, field in enumerate(fields)},
        "licences": layer.metadata().licenses(),
    }


def main(package, picture, names):
    """Print the report and draw all layers together."""
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    layers = [QgsVectorLayer(f"{package}|layername={name}", name, "ogr") for name in names]
    print(json.dumps({layer.name(): told(layer) for layer in layers}))
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[0].crs())
    settings.setExtent(layers[0].extent())
    settings.setOutputSize(QSize(300, 300))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)


main(sys.argv[1], sys.argv[2], sys.argv[3:])
