"""Everything in one folder: what leaves in which edition, the same bytes twice, and what QGIS makes of it."""

from __future__ import annotations

import errno
import io
import json
import multiprocessing
import os
import re
import signal
import struct
import subprocess
import sys
import zipfile
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from geo_qmi import cli, export, handover, mapping, packing
from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.handover import Order, hand_over

#: The Python that may have PyQGIS.
_PYTHON = Path("/usr/bin/python3")
AULNAY, INSEE = "QMI1-AUL", "93005"
#: Words that stand nowhere else, one a kind of secret: a table of a paid licence, an application, what somebody said,
#: who said it, the sum of their photo, and who marked a project.
PAID, APPLIED, SAID, PERSON, PHOTO = "Zqpayant", "Zqdossier", "Zqparole", "Zqpersonne", "5ec2e7f0" * 8
RATER = "Zqnoteur"
SECRETS = (PAID, APPLIED, SAID, PERSON, PHOTO, RATER)
KINDS = ("sensitive",)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables(shipped):
    """One district and one walk, with a secret in every row that is kept from somebody."""
    kept = {name: frame.iloc[:0] for name, frame in shipped.items()}
    for name in ("communes", "stations"):
        kept[name] = shipped[name][shipped[name]["insee"] == INSEE]
    kept["districts"] = shipped["districts"].query("district_id == @AULNAY")
    walks = shipped["sessions"].query("district_id == @AULNAY and kind == 'walk'")["session_id"]
    for name in ("sessions", "participants", "observations"):
        kept[name] = shipped[name][shipped[name]["session_id"].isin(walks)].head(40)
    kept["stations"] = kept["stations"].assign(name=PAID)
    kept["applications"] = shipped["applications"].head(3).assign(name=APPLIED, operator=APPLIED)
    people = kept["participants"]["participant_id"].map(PERSON.__add__)
    seen = kept["observations"]
    who = seen["participant_id"].map(PERSON.__add__)
    kept["participants"] = kept["participants"].assign(participant_id=people)
    kept["observations"] = seen.assign(participant_id=who, verbatim=f"{SAID} ici.", photo_sha256=PHOTO)
    marks = shipped["replicability_marks"].query("district_id == @AULNAY").head(3)
    kept["replicability_marks"] = marks.assign(rater=RATER, justification=RATER)
    return kept


def handed(tables, folder, edition, **options):
    """One delivery of the small study, with the stations under a paid licence."""
    paid = export.Terms("Licence du fournisseur.", "Fournisseur", restricted=True)
    order = Order(
        edition=edition, district=AULNAY, kinds=KINDS, date="2026-11-22", terms=export.terms() | {"stations": paid}
    )
    return hand_over(tables, folder, order=order, study="essai", fingerprint="abc", **options)


@pytest.fixture(scope="module")
def delivered(tables, tmp_path_factory):
    """The whole of it, for the jury."""
    return handed(tables, tmp_path_factory.mktemp("jury") / "livraison", "jury")


def streams(data: bytes):
    """Every byte a reader of a file can come to: members, compressed blocks, columns, words of the pages."""
    yield data
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        for name in archive.namelist():
            yield from streams(archive.read(name))
    elif data.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(data))
        yield str(table.schema.metadata).encode()
        for row in table.to_pylist():
            yield from (value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    elif data.startswith(b"PMTiles"):
        for member in re.finditer(rb"\x1f\x8b\x08", data):
            yield zlib.decompressobj(31).decompress(data[member.start() :])
    elif data.startswith(b"%PDF"):
        pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed: no page is read")
        for sheet in pdfium.PdfDocument(data):
            yield sheet.get_textpage().get_text_range().encode()


def found_in(path: Path, needles) -> set:
    """Which of some bytes a file holds, however it packs them."""
    return {needle for stream in streams(path.read_bytes()) for needle in needles if needle in stream}


def exact_place(tables) -> bytes:
    """The easting of one observation as every binary format of Lambert-93 writes it."""
    shape = tables["observations"].geometry.dropna().iloc[0]
    return struct.pack("<d", shape.coords[0][0])


@pytest.mark.parametrize("edition", ["public", "candidats"])
def test_a_lower_edition_holds_no_secret_in_any_byte_of_any_file(tables, tmp_path, edition):
    made = handed(tables, tmp_path / edition, edition)
    needles = [*(secret.encode() for secret in SECRETS), exact_place(tables)]
    leaks = {name: found for name in made.files if (found := found_in(made.folder / name, needles))}
    assert leaks == {}
    assert {Path(name).suffix for name in made.files} >= {
        *(".csv", ".xlsx", ".zip", ".geojson", ".fgb", ".pmtiles", ".parquet", ".kml", ".gpkg", ".qgz"),
        *(".pdf", ".html", ".json"),
    }
    assert "« Gares et stations » : réservée au jury, 3 lignes." in made.left_out
    assert "« Candidatures » : réservée au jury, 3 lignes." in made.left_out
    assert f"« Observations de terrain » : {len(tables['observations'])} textes sans relecture, non publiés." in (
        made.left_out
    )


def test_the_search_sees_into_every_format_for_the_jury(tables, delivered):
    words = {SAID.encode(), PAID.encode()}
    seen = {}
    for name in delivered.files:
        if not name.endswith(".meta.json"):
            seen.setdefault(name.split(".", 1)[1], set()).update(found_in(delivered.folder / name, words))
    blind = {"qgz", "json"}  # a project and a manifest hold no row
    assert {suffix for suffix, held in seen.items() if held != words} - blind == {"html"}
    assert seen["html"] == {PAID.encode()}  # the page shows values of places, words are on paper
    place = exact_place(tables)
    assert found_in(delivered.folder / "qgis" / "etude.gpkg", [place])
    assert found_in(delivered.folder / "web" / "observations.parquet", [place])


def test_who_marked_a_project_leaves_in_no_edition(delivered):
    marks = [name for name in delivered.files if "replicability_marks" in name]
    assert marks
    assert not any(found_in(delivered.folder / name, [RATER.encode()]) for name in delivered.files)


def test_the_same_run_gives_the_same_bytes(tables, delivered, tmp_path):
    again = handed(tables, tmp_path / "encore", "jury")
    assert again.files == delivered.files
    differ = [
        name for name in again.files if (again.folder / name).read_bytes() != (delivered.folder / name).read_bytes()
    ]
    assert differ == []


class Links(HTMLParser):
    """Addresses a page leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.targets += [value for name, value in attrs if name in {"href", "src"}]


def test_the_manifest_vouches_for_every_file_and_the_index_leads_to_them(delivered):
    record = json.loads((delivered.folder / handover.MANIFEST).read_bytes())
    assert set(record["outputs"]) | {handover.MANIFEST} == set(delivered.files)
    assert record["inputs"]["study"] == "abc"
    assert len(record["inputs"]["terms"]) == 64
    index = (delivered.folder / handover.INDEX).read_text(encoding="utf-8")
    data = {name for name in delivered.files if "/" in name and not name.endswith(".meta.json")}
    targets = Links(index).targets
    assert (set(targets), len(targets)) == (data, len(data))
    assert "édition jury" in index
    assert "Aulnay-sous-Bois – Centre Gare (QMI1-AUL)" in index
    assert "22 novembre 2026" in index
    assert "Licence du fournisseur. Crédit : Fournisseur." in index


def test_codes_of_the_field_come_out_in_french_and_in_the_dictionary(delivered):
    text = (delivered.folder / "tableur" / "observations.csv").read_text(encoding="utf-8-sig")
    assert ";habitantes et habitants;" in text
    assert ";resident;" not in text
    card = json.loads((delivered.folder / "tableur" / "observations.csv.meta.json").read_bytes())
    groups = next(column for column in card["columns"] if column["name"] == "actor_group")
    assert groups["choices"]["resident"] == "habitantes et habitants"


def test_the_crossings_of_a_district_leave_with_its_barriers(shipped):
    left = {layer.name: layer for layer in handover.layers(shipped, shipped, order=Order(district=AULNAY))}
    barriers = set(left["barriers"].frame["barrier_id"])
    assert len(left["crossings"].frame) > 0
    assert set(left["crossings"].frame["barrier_id"]) <= barriers


def test_another_edition_or_other_files_are_never_overwritten(tables, delivered, tmp_path):
    with pytest.raises(InputError, match="contient l’édition « jury »"):
        handed(tables, delivered.folder, "public")
    (tmp_path / "a.txt").write_text("à moi", encoding="utf-8")
    with pytest.raises(InputError, match="contient autre chose"):
        handed(tables, tmp_path, "jury")


def test_unknown_districts_days_and_empty_studies_are_said(shipped, tmp_path):
    with pytest.raises(UnknownNameError, match=r"Quartier inconnu ou ambigu : « Nulle part ».*QMI1-AUL"):
        hand_over(shipped, tmp_path / "a", order=Order(district="Nulle part"), study="x", fingerprint="y")
    with pytest.raises(InputError, match="Jour « 22/11/2026 » : attendu AAAA-MM-JJ"):
        hand_over(shipped, tmp_path / "a", order=Order(date="22/11/2026"), study="x", fingerprint="y")
    empty = {name: frame.iloc[:0] for name, frame in shipped.items()}
    with pytest.raises(InputError, match="Rien à écrire"):
        hand_over(empty, tmp_path / "a", order=Order(), study="x", fingerprint="y")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_licences_keeps_a_table_from_the_page_too(tables):
    paid = packing.terms(b'[stations]\nlicence = "Interne"\nrestricted = true\n')
    shown = mapping.lowered(tables, "public", terms=paid)
    left = handover.layers(tables, shown, order=Order(edition="public", district=AULNAY, terms=paid))
    assert "districts" in {layer.name for layer in left}
    assert not {"stations", "applications"} & {layer.name for layer in left}
    assert shown["stations"].empty


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["applications", "x.csv"], "« Candidatures » est réservée au jury : ajoutez --with-private"),
        (["districts", "x.csv", "--names", "noms.txt"], "vont avec --all"),
        (["districts", "--all", "x"], "retirez TABLE, SORTIE et --with-private"),
    ],
)
def test_options_that_cannot_be_are_one_sentence(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        cli.main(["export", *arguments])
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_hands_over_the_words_somebody_released(study, shipped, tmp_path, monkeypatch, capsys):
    told = shipped["observations"].dropna(subset="verbatim").iloc[0]
    review = tmp_path / "revue.csv"
    review.write_text(
        "Table;Identifiant;Texte expurgé;Passages retirés;Relu et publiable (oui ou non)\n"
        f'observations;{told["observation_id"]};"{told["verbatim"]}";;oui\n',
        encoding="utf-8",
    )
    given = []
    monkeypatch.setattr(handover, "hand_over", lambda *_, order, **__: given.append(order) or _Done())
    asked = ["export", "--all", "x", "--edition", "public", "--study", str(study.path), "--review", str(review)]
    with pytest.raises(SystemExit):
        cli.main(asked)
    assert given[0].cleared == (told["observation_id"],)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", given[0].date)
    assert "Commencez par LISEZMOI.html" in capsys.readouterr().out


class _Done:
    """What a delivery returns, for a command that only prints it."""

    folder, files, left_out = Path("x"), (), ()


def _bare(tables):
    """Tables alone, no map: the shortest delivery."""
    few = {name: frame if name == "stations" else frame.iloc[:0] for name, frame in tables.items()}
    return few, Order(kinds=(), date="2026-11-22")


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "Pas assez de place"), (errno.EACCES, "Écriture refusée")])
def test_a_disk_that_refuses_leaves_the_former_delivery_whole(tables, tmp_path, monkeypatch, number, said):
    few, order = _bare(tables)
    former = hand_over(few, tmp_path / "a", order=order, study="x", fingerprint="y")
    before = {name: (former.folder / name).read_bytes() for name in former.files}
    moved = os.replace

    def refuse(source, target):
        if "livraison" in Path(source).name or ".pmtiles" in Path(target).name:
            raise OSError(number, os.strerror(number))
        moved(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    for folder in ("a", "b"):
        with pytest.raises(InputError, match=said):
            hand_over(few, tmp_path / folder, order=order, study="x", fingerprint="z")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert {name: (former.folder / name).read_bytes() for name in former.files} == before


def test_an_interrupted_delivery_leaves_nothing(tables, tmp_path):
    few, order = _bare(tables)

    def stop(step):
        if step == "QGIS":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hand_over(few, tmp_path / "a", order=order, study="x", fingerprint="y", announce=stop)
    assert list(tmp_path.iterdir()) == []


def _killed_at_the_package(tables, folder) -> None:
    def die(step):
        if step == "QGIS":
            os.kill(os.getpid(), signal.SIGKILL)

    few, order = _bare(tables)
    hand_over(few, folder, order=order, study="x", fingerprint="y", announce=die)


def test_a_killed_delivery_never_looks_whole(tables, tmp_path):
    few, _ = _bare(tables)
    victim = multiprocessing.get_context("spawn").Process(target=_killed_at_the_package, args=(few, tmp_path / "a"))
    victim.start()
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    assert all(path.name.startswith(".geo-qmi-export-") for path in tmp_path.iterdir())
    assert [path for path in tmp_path.rglob("*") if path.name in {handover.MANIFEST, handover.INDEX}] == []


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
    assert list(report["groups"]) == ["Carte sensible : Aulnay-sous-Bois – Centre Gare", "Données"]
    assert report["layouts"]["Carte sensible : Aulnay-sous-Bois – Centre Gare"][:2] == [420.0, 297.0]
    drawn = {layer["title"]: layer for layer in report["layers"]}
    felt = drawn["Moins de cinq personnes (effectif affiché)"]
    assert (felt["renderer"], felt["rows"]) == ("categorizedSymbol", 9)
    assert felt["colours"]["Ressenti négatif (−1,2 à −0,4)"] == ["#fdb863"]
    assert "LinePatternFill" in drawn["Non parcouru"]["patterns"]
    assert drawn["Observations de terrain [démonstration]"]["widgets"]["actor_group"] == "ValueMap"
    alone = report["alone"]["districts"]
    assert alone["aliases"]["challenge"] == "Défi"
    assert alone["widgets"]["geometry_status"] == "ValueMap"
    assert alone["licences"][0].startswith("Périmètres indicatifs : Licence Ouverte 2.0")
    assert (tmp_path / "0.png").stat().st_size > 20_000
