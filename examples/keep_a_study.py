"""Create a study, add a figure with its source, undo it, and hand a copy to another program."""

import tempfile
from pathlib import Path

import pandas as pd

from geo_qmi import Study, shipped_tables
from geo_qmi.schema import typed

with tempfile.TemporaryDirectory() as folder:
    study = Study.create(Path(folder) / "etude.gpkg", shipped_tables())
    row = {"figure_id": "X001", "value": 12.0, "unit": "projets", "meaning": "Essai", "source": "calcul"}
    study.append("figures", typed(pd.DataFrame([row]), "figures"), reason="exemple", actor="moi")
    print("chiffres :", study.tables()["figures"])
    study.undo()
    print("après annulation :", study.tables()["figures"])
    copy = study.backup(Path(folder) / "copie.gpkg")
    print("copie pour QGIS :", copy.name)
