from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from field_deliveries import add, edit, field_package, mark

from geo_qmi.sources.field.collected import Hints
from geo_qmi.sources.field.copies import family
from geo_qmi.sources.field.reading import read_walk

COPY = "marche (conflicted copy, nadia v7).gpkg"


@pytest.fixture
def main(tmp_path) -> Path:
    """Two records, edited nowhere yet."""
    return field_package(
        tmp_path / "marche.gpkg",
        mark("a", 663_000, verbatim="bruit", valence=-1, modified="2026-05-16T08:00:00.000Z"),
        mark("b", 663_100, verbatim="jardin", valence=2, modified="2026-05-16T08:00:00.000Z"),
    )


def copied(main: Path, name: str = COPY) -> Path:
    return Path(shutil.copy(main, main.with_name(name)))


def rows(walk) -> dict[str, dict[str, object]]:
    raw = next(raw for raw in walk.tables["observations"] if raw.layer == "observations")
    return {cells["uid"]: cells for cells in raw.frame.to_dict("records")}


@pytest.mark.parametrize(
    "name", [COPY, "marche_conflict_copy.gpkg", "marche_conflict.gpkg", "marche (edit conflict, jo v3).gpkg"]
)
def test_copies_are_found_from_either_file(main, name):
    copy = copied(main, name)
    field_package(main.with_name("marche_2.gpkg"))
    assert family(main) == (main, [copy])
    assert family(copy) == (main, [copy])


def test_a_copy_alone_is_its_own_file(main):
    copy = copied(main)
    main.unlink()
    assert family(copy) == (copy, [])


def test_two_ways_the_newer_value_wins_and_both_are_told(main):
    copy = copied(main)
    edit(main, "a", verbatim="grand bruit", modified="2026-05-16T09:00:00.000Z")
    edit(copy, "a", verbatim="bruit de train", modified="2026-05-16T09:30:00.000Z")
    walk = read_walk(main)
    assert rows(walk)["a"]["verbatim"] == "bruit de train"
    told = [d for d in walk.defects if d.field == "verbatim"]
    assert [(d.row, d.value, d.severity) for d in told] == [(1, "bruit de train", "warning")]
    assert "« grand bruit »" in told[0].reason
    assert "la plus récente" in told[0].reason


def test_without_a_date_the_main_file_is_kept_and_both_are_told(main):
    edit(main, "a", modified=None)
    copy = copied(main)
    edit(copy, "a", valence=-2)
    edit(copy, "a", modified=None)
    edit(main, "a", modified=None)
    walk = read_walk(main)
    told = [d for d in walk.defects if d.field == "valence"]
    assert rows(walk)["a"]["valence"] == -1
    assert "« -2 »" in told[0].reason
    assert "celle du fichier principal" in told[0].reason


def test_with_the_base_each_change_is_taken_without_a_word(main):
    base = Path(shutil.copy(main, main.with_name("depart.gpkg")))
    copy = copied(main)
    edit(main, "a", verbatim="grand bruit")
    edit(copy, "a", valence=-2)
    edit(copy, "b", theme="nature")
    walk = read_walk(main, hints=Hints(base=base))
    assert (rows(walk)["a"]["verbatim"], rows(walk)["a"]["valence"]) == ("grand bruit", -2)
    assert rows(walk)["b"]["theme"] == "nature"
    assert walk.defects == []
    assert "à trois" in walk.notes[0]


def test_no_record_is_lost(main):
    copy = copied(main)
    add(main, mark("c", 663_200, verbatim="du fichier"))
    add(copy, mark("d", 663_300, verbatim="de la copie"))
    walk = read_walk(copy)
    assert set(rows(walk)) == {"a", "b", "c", "d"}
    assert walk.n_in["observations"] == 4
    assert "6 enregistrements lus, 2 communs, 1 ajouté" in walk.notes[0]


def test_one_number_on_two_telephones_is_two_records(tmp_path):
    main, copy = tmp_path / "marche.gpkg", tmp_path / COPY
    for path, words, x in ((main, "bruit", 663_000), (copy, "jardin", 663_400)):
        field_package(path, mark("x", x, verbatim=words))
        edit(path, "x", uid=None)
    raw = next(r for r in read_walk(main).tables["observations"] if r.layer == "observations")
    assert list(raw.frame["verbatim"]) == ["bruit", "jardin"]
    assert list(raw.frame["uid"]) == [1, None]


def test_a_record_deleted_on_one_side_stays(main):
    copy = copied(main)
    edit(main, "b", uid="gone")
    walk = read_walk(main, hints=Hints(base=copy))
    assert set(rows(walk)) == {"a", "gone", "b"}
    assert any("présents dans cette seule copie : 1 enregistrement" in d.reason for d in walk.defects)
