"""Sheets and atlases on the disk: whole files, French sentences, an index that tells the truth."""

from __future__ import annotations

import errno
import os
from itertools import combinations

import pytest
from matplotlib.text import Text

from geo_qmi import atlas, cli
from geo_qmi.atlas import BOUND
from geo_qmi.plate import ink


@pytest.fixture(scope="module")
def small(shipped, tmp_path_factory):
    """A study with one district, whose perimeter nobody published."""
    from geo_qmi.workspace import Study

    kept = {name: shipped[name] for name in ("territories", "communes", "stations")}
    districts = shipped["districts"]
    one = districts[districts["district_id"] == "QMI2-ARG"].reset_index(drop=True)
    return Study.create(tmp_path_factory.mktemp("petite") / "petite.gpkg", {**kept, "districts": one}).path


def run(*arguments: object) -> int:
    """Exit code of the command line."""
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    return int(caught.value.code)


@pytest.fixture
def sheet(small):
    """Arguments of a map that works."""
    return ["map", "--kind", "district", "--district", "Argenteuil", "--study", small, "--date", "1er mars 2026"]


@pytest.mark.parametrize(
    ("name", "start"), [("carte.pdf", b"%PDF"), ("carte.svg", b"<?xml"), ("carte.png", b"\x89PNG")]
)
def test_the_suffix_chooses_the_form(sheet, tmp_path, capsys, name, start):
    assert run(*sheet, "--dpi", 40, tmp_path / name) == 0
    assert (tmp_path / name).read_bytes().startswith(start)
    assert "A3, 1:25\u202f000, 1 page." in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scale", "grand"], "Échelle illisible : « grand ». Attendu, par exemple : 1:5000."),
        (["--scale", "1:5000"], "La plus grande échelle qui tient est 1:25\u202f000"),
        (["--paper", "B5"], "Papier inconnu"),
        (["--orientation", "debout"], "Attendu : paysage, portrait"),
        (["--edition", "presse"], "Édition inconnue"),
        (["--kind", "relief"], "Carte inconnue"),
        (["--dpi", "100000"], ""),
    ],
)
def test_a_wrong_option_is_one_french_sentence(sheet, tmp_path, capsys, options, said):
    out = tmp_path / "carte.pdf"
    expected = 0 if options[0] == "--dpi" else 2  # a PDF has no dots
    assert run(*sheet, *options, out) == expected
    assert said in capsys.readouterr().err
    assert out.exists() == (expected == 0)


@pytest.mark.parametrize(
    "command", [("atlas", "atlas"), ("page", "page.html", "--kind", "district", "--district", "QMI2-ARG")]
)
def test_a_full_disk_leaves_neither_half_an_atlas_nor_half_a_page(small, tmp_path, capsys, monkeypatch, command):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    assert run(command[0], tmp_path / command[1], *command[2:], "--study", small, "--date", "1er mai") == 2
    assert "Pas assez de place" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_large_is_refused(sheet, tmp_path, capsys):
    assert run(*sheet, "--dpi", 5000, tmp_path / "carte.png") == 2
    assert "Résolution refusée : 5000 points par pouce" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"), [("carte.jpg", "Suffixes possibles : .pdf, .svg, .png"), ("absent/carte.pdf", "n’existe pas")]
)
def test_a_place_that_cannot_be_is_refused(sheet, tmp_path, capsys, name, said):
    assert run(*sheet, tmp_path / name) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "Pas assez de place"), (errno.EACCES, "Écriture refusée")])
def test_a_disk_that_refuses_leaves_what_was_there(sheet, tmp_path, capsys, monkeypatch, number, said):
    out = tmp_path / "carte.pdf"
    out.write_bytes(b"avant")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    assert run(*sheet, out) == 2
    assert said in capsys.readouterr().err
    assert out.read_bytes() == b"avant"
    assert [path.name for path in tmp_path.iterdir()] == ["carte.pdf"]


def test_no_name_of_a_crowded_sheet_covers_another(shipped):
    layout = atlas.Layout(paper="A4")
    pages = atlas.sheet(shipped, kind="sensitive", district_id="QMI1-NOI", layout=layout)
    x, y, width, tall = pages.sheet.frame_mm
    boxes = []
    for text in (one for one in pages.figures[0].artists if isinstance(one, Text)):
        left, base = text.get_position()
        if x <= left <= x + width and y <= base <= y + tall:
            pt = text.get_fontsize()
            bold = "Bold" in str(text.get_fontproperties().get_file())
            wide = ink.width_mm(text.get_text(), pt=pt, bold=bold)
            boxes.append((left, base, left + wide, base + 0.7 * pt * ink.MM_PER_PT))
    assert len(boxes) > 40
    for first, second in combinations(boxes, 2):
        assert not (first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3])


def test_an_atlas_has_its_maps_an_index_and_a_binding(small, tmp_path, capsys):
    folder = tmp_path / "atlas"
    assert run("atlas", folder, "--study", small, "--paper", "A4", "--edition", "public") == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["00-index.pdf", "01-programme.pdf", "02-QMI2-ARG-district.pdf", BOUND]
    assert (folder / BOUND).read_bytes().count(b"/Type /Page ") == 3
    said = capsys.readouterr().out
    assert "4 fichiers" in said
    assert "Sans carte : Métropole : Le plan d’appariement" in said
    assert "Argenteuil – quartier sans nom publié : Carte sensible, Accès et coupures, Sites et couverture" in said
    assert run("atlas", folder, "--study", small) == 2
    assert "contient déjà quelque chose" in capsys.readouterr().err


def test_the_page_command_writes_one_file_that_says_its_size(small, tmp_path, capsys):
    out = tmp_path / "argenteuil.html"
    given = ("--district", "Argenteuil", "--kind", "district", "--study", small, "--date", "1er mai")
    assert run("page", out, *given) == 0
    assert "1 carte, 2,1 Mo" in capsys.readouterr().out
    assert "1er mai" in out.read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["argenteuil.html"]


def test_the_page_command_refuses_an_unknown_map_and_another_suffix(small, tmp_path, capsys):
    assert run("page", tmp_path / "a.html", "--kind", "truc", "--study", small) == 2
    assert "Carte inconnue : « truc »" in capsys.readouterr().err
    assert run("page", tmp_path / "a.txt", "--kind", "district", "--study", small) == 2
    assert "fichier .html" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
