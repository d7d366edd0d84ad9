"""Editions in folders of their own: nothing private in the lower ones, never two in one place, all or nothing."""

from __future__ import annotations

import errno
import json
import os

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo_qmi import publishing
from geo_qmi.cli import main
from geo_qmi.editions import EDITIONS, FLOOR_GROUP, REIDENTIFIED_SHARE
from geo_qmi.editions.masking import mask
from geo_qmi.errors import DefectsError, InputError, UnknownNameError
from geo_qmi.sources.streets import read_streets

KEPT = {"purpose": "essai.", "retention": "2027-12-31"}


def everything(folder) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.iterdir()))


def written(path) -> pd.DataFrame:
    return pd.read_csv(path, sep=";", encoding="utf-8-sig", dtype="str")


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.mark.parametrize("name", ["candidates", "public"])
def test_no_private_value_is_in_the_bytes_of_a_lower_edition(study, shipped, tmp_path, name):
    done = publishing.publish(study, name, tmp_path / name, **KEPT)
    found = everything(done.folder)
    for column in ("participant_id", "observation_id", "time", "verbatim", "photo_sha256"):
        secrets = shipped["observations"][column].dropna().astype(str)
        assert not [value for value in secrets if value.encode() in found]
    assert not [text for text in shipped["statements"]["statement"] if text.encode() in found]
    assert publishing.REVIEW not in done.files
    assert "participants.csv" not in done.files
    assert len(json.loads((done.folder / "observations.geojson").read_bytes())["features"]) == len(
        shipped["observations"]
    )


@pytest.fixture(scope="module")
def streets(tmp_path_factory, shipped):
    """A made-up grid of streets of 400 m, 60 m apart, over everything that was said, as a GeoPackage."""
    west, south, east, north = shipped["observations"].geometry.total_bounds
    lines = []
    for x in range(int(west) // 60 * 60, int(east) + 60, 60):
        lines += [shapely.LineString([(x, y), (x, y + 400)]) for y in range(int(south) // 400 * 400, int(north), 400)]
    path = tmp_path_factory.mktemp("rues") / "rues.gpkg"
    seen = gpd.GeoSeries(lines, crs=2154)
    seen = seen[seen.distance(shipped["observations"].geometry.union_all()) < 100]
    gpd.GeoDataFrame({"nom": range(len(seen))}, geometry=list(seen), crs=2154).to_file(path)
    return path


def test_a_place_on_a_street_rarely_leads_back_to_its_mark(shipped, streets):
    seen = shipped["observations"]
    masked = mask(seen, streets=read_streets(streets), floor_people=FLOOR_GROUP)
    there = [n for n, shape in enumerate(masked.shapes) if shape is not None]
    middles = np.array([shapely.centroid(masked.shapes[n]).coords[0] for n in there])
    known = np.flatnonzero(~seen.geometry.isna())
    marks = np.array([shape.centroid.coords[0] for shape in seen.geometry.iloc[known]])
    nearest = known[((middles[:, None] - marks[None]) ** 2).sum(axis=2).argmin(axis=1)]
    assert 0 < len(there) <= len(known)
    assert (nearest == there).mean() <= masked.reidentified < REIDENTIFIED_SHARE
    # Three people at least stand behind each street and each cell.
    people = seen["participant_id"].iloc[there].groupby([shapely.to_wkt(masked.shapes[n]) for n in there])
    assert people.nunique().min() >= FLOOR_GROUP


@pytest.mark.parametrize("name", ["candidates", "public"])
def test_places_go_to_streets_and_the_note_says_so(study, streets, tmp_path, name):
    done = publishing.publish(study, name, tmp_path / name, streets=read_streets(streets), **KEPT)
    marks = done.edition.tables["observations"]
    kinds = marks.geom_type.value_counts()
    assert kinds["LineString"] > kinds.get("Polygon", 0) > 0
    assert done.edition.reidentified < REIDENTIFIED_SHARE
    note = (done.folder / publishing.NOTE).read_text(encoding="utf-8")
    assert f"segments de rue : {kinds['LineString']} ;" in note
    assert "Citez la source et la licence du fichier de rues" in note


@pytest.mark.parametrize("name", ["candidates", "public"])
def test_the_places_of_a_lower_edition_make_a_map_without_points(study, shipped, tmp_path, name):
    done = publishing.publish(study, name, tmp_path / name, **KEPT)
    places = gpd.read_file(done.folder / "places.geojson")
    assert set(places.geom_type) == {"Polygon"}
    assert not {"participant_id", "time", "verbatim", "observation_id"} & set(places.columns)
    assert places["n_people"].dropna().loc[places["state"].isin(["felt", "divided"])].min() >= FLOOR_GROUP
    few = places[places["state"] == "withheld"]
    assert len(few) > 0
    assert few[["value", "polarisation", "n_people", "n_observations"]].isna().all(axis=None)
    shown = places[places["value"].notna()]
    assert len(shown) > 0
    assert shown["value"].between(-2, 2).all()
    assert set(shown["district_id"]) <= set(shipped["districts"]["district_id"])
    assert "places.geojson" not in publishing.publish(study, "jury", tmp_path / "jury", **KEPT).files


def test_the_jury_reads_the_words_and_what_waits_for_a_reader(study, shipped, tmp_path):
    done = publishing.publish(study, "jury", tmp_path / "jury", **KEPT)
    words = written(done.folder / publishing.REVIEW)
    small = shipped["observations"]["verbatim"].notna().sum() + shipped["statements"]["statement"].notna().sum()
    assert len(words) == done.n_unread == small
    assert set(words["Relu et publiable (oui ou non)"]) == {"non"}
    found = everything(done.folder).decode("utf-8", "replace")
    assert shipped["observations"]["verbatim"].dropna().iloc[0] in found
    assert not [who for who in shipped["participants"]["participant_id"] if who in found]


def test_the_note_says_purpose_retention_and_what_is_withheld(study, tmp_path):
    done = publishing.publish(study, "public", tmp_path / "public", **KEPT)
    note = (done.folder / publishing.NOTE).read_text(encoding="utf-8")
    assert "Finalité : essai." in note
    assert "jusqu’au 2027-12-31" in note
    assert "Données de démonstration" in note
    assert "séance de moins de 3 personnes : 8" in note  # two interviews in each of the four districts
    assert f"{100 * done.edition.reidentified:.0f} % des lieux publiés" in note
    for text in ("31/12/2027", "2027-13-01", ""):
        with pytest.raises(InputError, match="AAAA-MM-JJ"):
            publishing.publish(study, "public", tmp_path / "autre", purpose="essai.", retention=text)


def test_two_editions_never_share_a_folder(study, tmp_path):
    jury = publishing.publish(study, "jury", tmp_path / "jury", **KEPT).folder
    before = everything(jury)
    for folder in (jury, jury / "public", tmp_path):
        with pytest.raises(InputError, match="ne partagent jamais un dossier"):
            publishing.publish(study, "public", folder, **KEPT)
    assert everything(jury) == before
    busy = tmp_path / "autres"
    busy.mkdir()
    (busy / "notes.txt").write_text("à moi", encoding="utf-8")
    with pytest.raises(InputError, match="contient déjà autre chose"):
        publishing.publish(study, "public", busy, **KEPT)
    assert [path.name for path in busy.iterdir()] == ["notes.txt"]
    (busy / publishing.MARKER).write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="inconnue"):
        publishing.publish(study, "public", busy, **KEPT)


def test_the_same_edition_again_gives_the_same_bytes_and_leaves_nothing_old(study, tmp_path):
    folder = publishing.publish(study, "public", tmp_path / "public", **KEPT).folder
    before = everything(folder)
    (folder / "ancien.csv").write_text("trace", encoding="utf-8")
    publishing.publish(study, "public", folder, **KEPT)
    assert everything(folder) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".geo-qmi")] == []


def test_a_full_disk_leaves_the_former_edition_whole(study, tmp_path, monkeypatch):
    folder = publishing.publish(study, "public", tmp_path / "public", **KEPT).folder
    before = everything(folder)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="Pas assez de place"):
        publishing.publish(study, "public", folder, **KEPT)
    assert everything(folder) == before


def test_restricted_words_stay_with_the_jury(study, tmp_path):
    terms = tmp_path / "licences.toml"
    terms.write_text('[statements]\nlicence = "Interne"\nrestricted = true\n', encoding="utf-8")
    done = publishing.publish(study, "candidats", tmp_path / "candidats", terms=terms, **KEPT)
    assert done.edition.tables["statements"].empty
    assert done.remarks == ("« Propos recueillis » : réservée au jury, 55 lignes.",)


def test_a_leak_stops_the_edition_before_anything_is_written(study, shipped, tmp_path):
    session = study.read("sessions").query("n_participants >= 3").head(1)
    who = shipped["participants"]["participant_id"].iloc[0]
    study.upsert("sessions", session.assign(title=f"Marche avec {who}"), reason="essai")
    with pytest.raises(DefectsError, match="rien n’a été écrit") as refused:
        publishing.publish(study, "public", tmp_path / "public", **KEPT)
    assert {defect.value for defect in refused.value.defects} == {who}
    assert not (tmp_path / "public").exists()


def test_only_words_released_by_a_reader_leave(study, tmp_path):
    jury = publishing.publish(study, "jury", tmp_path / "jury", **KEPT)
    path = jury.folder / publishing.REVIEW
    words = written(path)
    words.loc[words["Table"] == "observations", "Relu et publiable (oui ou non)"] = "Oui"
    kept = words.head(2).copy()
    kept.loc[1, "Texte expurgé"] = "une autre phrase"
    review = tmp_path / "revue.csv"
    kept.to_csv(review, sep=";", index=False, encoding="utf-8-sig")
    done = publishing.publish(study, "public", tmp_path / "public", review=review, **KEPT)
    told = done.edition.tables["observations"]["words"].dropna().tolist()
    assert told == [kept["Texte expurgé"].iloc[0]]
    assert done.remarks == ("1 texte relu mais disparu ou changé depuis la revue : à relire.",)
    assert done.n_unread == jury.n_unread - 1
    (tmp_path / "faux.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    with pytest.raises(InputError, match="n’est pas une revue"):
        publishing.publish(study, "public", tmp_path / "p2", review=tmp_path / "faux.csv", **KEPT)


def test_names_are_read_one_a_line(tmp_path):
    path = tmp_path / "noms.txt"
    path.write_text("\ufeffZoé\n\n Jean Luc \n", encoding="utf-8")
    assert publishing.names_in(path) == ["Zoé", "Jean Luc"]
    with pytest.raises(InputError, match="un nom par ligne"):
        publishing.names_in(tmp_path / "absent.txt")


def test_an_unknown_edition_is_refused(study, tmp_path):
    with pytest.raises(UnknownNameError, match=", ".join(EDITIONS.values())):
        publishing.publish(study, "presse", tmp_path / "presse", **KEPT)


def test_edition_command(study, tmp_path, capsys):
    out = tmp_path / "public"
    options = ("--study", study.path, "--out", out, "--retention", "2027-12-31")
    assert run("edition", "public", *options) == 0
    said = capsys.readouterr().out
    assert "Preuve : aucune donnée privée, aucun lieu exact." in said
    assert run("edition", "public", *options, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["edition"] == "public"
    assert record["reidentified"] < 0.2
    assert run("edition", "jury", *options) == 2
    assert "ne partagent jamais un dossier" in capsys.readouterr().err


def test_forget_command_asks_first(study, capsys):
    who = study.read("participants")["participant_id"].iloc[0]
    assert run("forget", who, "--study", study.path) == 1
    assert "ajoutez --yes" in capsys.readouterr().out
    assert who in set(study.read("participants")["participant_id"])
    assert run("forget", who, "--study", study.path, "--yes") == 0
    assert "1 ligne de « participants »" in capsys.readouterr().out
    assert who not in set(study.read("participants")["participant_id"])
    assert run("forget", who, "--study", study.path, "--yes") == 2


def test_diagnosis_command(capsys, shipped):
    assert run("diagnosis", "QMI1-AUL") == 0
    said = capsys.readouterr().out
    assert "[démonstration]" in said
    assert "Lieux où les ressentis s’opposent" in said
    collective = shipped["statements"].query("scope == 'collective'")["statement"]
    assert not [text for text in collective if text in said]
    assert run("diagnosis", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    walks = next(row for row in record["sections"]["Indicateurs"] if row["Indicateur"] == "Observations")
    assert walks == {"Indicateur": "Observations", **{k: v for k, v in walks.items() if k != "Indicateur"}}
    assert (walks["QMI1-AUL"], walks["QMI2-SUC"]) == (92, None)
    assert run("diagnosis", "AILLEURS") == 2
