"""Everything in one folder: what leaves in which edition, and what QGIS makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from geo_qmi import handover
from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.handover import Order, hand_over

#: The Python that may have PyQGIS.
_PYTHON = Path("/usr/bin/python3")
_KINDS = ("district",)
pytestmark = pytest.mark.slow


def _tables(shipped):
    """A small study: the tables a district map needs, the others empty."""
    kept = {"communes", "districts", "barriers", "stations", "sites", "sessions", "routes", "stages", "observations"}
    kept |= {"participants"}
    return {name: frame if name in kept else frame.iloc[:0] for name, frame in shipped.items()}


@pytest.fixture(scope="module")
def delivered(shipped, tmp_path_factory):
    """One district, for the jury."""
    order = Order(district="QMI1-AUL", kinds=_KINDS, date="2026-11-22")
    folder = tmp_path_factory.mktemp("jury") / "livraison"
    return hand_over(_tables(shipped), folder, order=order, study="étude livrée", fingerprint="abc")


def test_the_manifest_vouches_for_every_file_and_the_index_links_to_them(delivered):
    record = json.loads((delivered.folder / handover.MANIFEST).read_bytes())
    assert set(record["outputs"]) | {handover.MANIFEST} == set(delivered.files)
    assert record["inputs"] == {"study": "abc"}
    index = (delivered.folder / handover.INDEX).read_text(encoding="utf-8")
    assert 'href="qgis/etude.qgz"' in index
    assert "édition jury" in index


def test_only_the_jury_reads_exact_words(shipped, delivered):
    words = shipped["observations"]["verbatim"].dropna().iloc[0]
    assert words in (delivered.folder / "web" / "observations.geojson").read_text(encoding="utf-8")


def test_restricted_tables_leave_with_the_jury_only(shipped, tmp_path, delivered):
    terms = tmp_path / "licences.toml"
    terms.write_text('[stations]\nlicence = "Fournisseur"\ncredit = "X"\nrestricted = true\n', encoding="utf-8")
    order = Order(edition="public", district="QMI1-AUL", kinds=("district",), terms=terms)
    made = hand_over(_tables(shipped), tmp_path / "public", order=order, study="essai", fingerprint="abc")
    assert "web/stations.geojson" in delivered.files
    assert [path for path in made.files if "stations" in path] == []
    assert made.left_out[0] == "« Gares et stations » : diffusion restreinte au jury."
    secrets = [shipped["observations"]["verbatim"].dropna().iloc[0], shipped["stations"]["name"].iloc[0]]
    people = shipped["observations"]["participant_id"].iloc[0]
    for path in made.folder.rglob("*.geojson"):
        text = path.read_text(encoding="utf-8")
        assert secrets[0] not in text
        assert people not in text


def test_another_edition_or_other_files_are_never_overwritten(shipped, delivered, tmp_path):
    with pytest.raises(InputError, match="contient l’édition « jury »"):
        hand_over(_tables(shipped), delivered.folder, order=Order(edition="public"), study="x", fingerprint="y")
    (tmp_path / "a.txt").write_text("à moi", encoding="utf-8")
    with pytest.raises(InputError, match="contient autre chose"):
        hand_over(_tables(shipped), tmp_path, order=Order(), study="x", fingerprint="y")


def test_unknown_districts_and_empty_studies_are_said(shipped, tmp_path):
    with pytest.raises(UnknownNameError, match=r"Quartier inconnu ou ambigu : « Nulle part ».*QMI1-AUL"):
        hand_over(shipped, tmp_path / "a", order=Order(district="Nulle part"), study="x", fingerprint="y")
    empty = {name: frame.iloc[:0] for name, frame in shipped.items()}
    with pytest.raises(InputError, match="Rien à écrire"):
        hand_over(empty, tmp_path / "a", order=Order(), study="x", fingerprint="y")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.qgis
def test_qgis_opens_the_project_styled(delivered, tmp_path):
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    probe = [str(_PYTHON), "-c", "import qgis.core"]
    if (
        sys.platform != "linux"
        or not _PYTHON.exists()
        or subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        pytest.skip("PyQGIS is not installed for /usr/bin/python3")
    reader = Path(__file__).with_name("qgis_reader.py")
    run = subprocess.run(
        [str(_PYTHON), str(reader), str(delivered.folder / "qgis" / "etude.qgz"), str(tmp_path), "districts"],
        env=environment,
        capture_output=True,
        check=True,
    )
    report = json.loads(run.stdout)
    assert (report["opened"], report["error"], report["crs"]) == (True, "", "EPSG:2154")
    assert all(layer["valid"] and layer["rows"] > 0 for layer in report["layers"])
    assert {layer["crs"] for layer in report["layers"]} <= {"EPSG:2154", ""}
    assert list(report["groups"]) == ["Le quartier : Aulnay-sous-Bois – Centre Gare", "Données"]
    assert report["layouts"]["Le quartier : Aulnay-sous-Bois – Centre Gare"][:2] == [420.0, 297.0]
    felt = next(layer for layer in report["layers"] if layer["title"] == "Observations de terrain")
    assert (felt["renderer"], felt["rows"]) == ("categorizedSymbol", 85)
    assert felt["colours"]["Ressenti très négatif"] == ["#b35806"]
    hatched = next(layer for layer in report["layers"] if layer["title"] == "Zones signalées")
    assert "LinePatternFill" in hatched["patterns"]
    alone = report["alone"]["districts"]
    assert alone["aliases"]["challenge"] == "Défi"
    assert alone["widgets"]["geometry_status"] == "ValueMap"
    assert alone["licences"][0].startswith("Périmètres indicatifs : Licence Ouverte 2.0")
    assert (tmp_path / "0.png").stat().st_size > 20_000
