from __future__ import annotations

import hashlib
import json
import shutil

import pandas as pd
import pytest
import shapely
from field_deliveries import PICTURE, add, edit, field_package, kobo_book, mark, zip_odk

from geo_qmi.errors import ConflictError, InputError, StudyReadOnlyError, UnknownNameError
from geo_qmi.intake import walks
from geo_qmi.intake.walks import import_walk
from geo_qmi.sources.field.collected import Hints
from geo_qmi.workspace import Study

AULNAY = {"session": "AUL-T1", "district": "QMI1-AUL"}
STARTED = Hints(participant="Lilas", actor_group="resident", start="2026-05-16T10:00")


def totals(done) -> dict[str, int]:
    assert (done.counts["in"] == done.counts.drop(columns="in").sum(axis=1)).all()
    return {name: int(n) for name, n in done.counts.drop(columns="in").sum().items() if n}


def own(study, name: str, session: str = "AUL-T1") -> pd.DataFrame:
    frame = study.read(name)
    return frame[frame["session_id"] == session].reset_index(drop=True)


def reasons(done, severity: str = "warning") -> list[str]:
    return [defect.reason for defect in done.defects if defect.severity == severity]


def test_a_walk_becomes_rows_of_every_table(study, odk_zip):
    done = import_walk(study, odk_zip, **AULNAY, actor="Nadia")
    assert totals(done) == {"added": 9}
    session = own(study, "sessions").iloc[0]
    assert (session["start"], session["n_participants"], session["kind"]) == ("2026-05-16T10:00:05", 2, "walk")
    assert own(study, "participants")["participant_id"].tolist() == ["AUL-T1-CEDRE", "AUL-T1-LILAS"]
    seen = own(study, "observations").set_index("observation_id")
    assert seen.loc["AUL-T1-o-1", "photo_sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert seen.loc["AUL-T1-o-1", "valence"] == -2
    assert seen.loc["AUL-T1-o-2", "wished"] == "un banc à l’ombre"
    # 48.9328 N 2.4970 E in Lambert-93, by PROJ.
    assert seen.geometry["AUL-T1-o-1"].distance(shapely.Point(663_147.233, 6_870_431.020)) < 0.01
    assert own(study, "statements")["theme"].tolist() == ["coupures"]
    journal = study.journal()
    assert set(journal["actor"].tail(6)) == {"Nadia"}


def test_importing_again_changes_nothing(study, odk_zip, tmp_path):
    import_walk(study, odk_zip, **AULNAY)
    before = study.fingerprint()
    renamed = shutil.copy(odk_zip, tmp_path / "autre nom.zip")
    assert totals(import_walk(study, renamed, **AULNAY)) == {"unchanged": 9}
    assert study.fingerprint() == before


def test_an_edited_file_updates_what_it_edits(study, odk_zip, tmp_path):
    import_walk(study, odk_zip, **AULNAY)
    edited = zip_odk(tmp_path / "edited.zip", marche_observations=("Un jardin.", "Un jardin fermé."))
    assert totals(import_walk(study, edited, **AULNAY)) == {"updated": 1, "unchanged": 8}
    assert "Un jardin fermé." in own(study, "observations")["verbatim"].tolist()


def test_what_the_file_does_not_say_stays_as_the_planner_left_it(study, odk_zip, tmp_path):
    import_walk(study, odk_zip, **AULNAY)
    rows = own(study, "observations")
    rows["note"] = "relu le 2 juin"
    study.upsert("observations", rows, reason="relecture")
    edited = zip_odk(tmp_path / "edited.zip", marche_observations=("Un jardin.", "Un jardin fermé."))
    import_walk(study, edited, **AULNAY)
    assert own(study, "observations")["note"].tolist() == ["relu le 2 juin"] * 3


def test_a_kobo_workbook_round_trips(study, tmp_path):
    options = {"session": "K-1", "district": "QMI1-AUL"}
    done = import_walk(study, kobo_book(tmp_path / "a.xlsx"), **options)
    assert totals(done) == {"added": 6}
    seen = own(study, "observations", "K-1")
    assert seen["sense"].tolist() == ["hearing", "sight"]
    assert seen["note"].tolist()[0] == "sens : aussi vue"
    edited = kobo_book(tmp_path / "b.xlsx", verbatim="Le train.", uuid="k-1-bis")
    assert totals(import_walk(study, edited, **options)) == {"updated": 1, "unchanged": 5}


@pytest.mark.parametrize("name", ["odk_export.geojson", "marche.umap", "umap_export.geojson", "csv/marche_fr.csv"])
def test_each_flat_format_enters_once(study, fixtures, name):
    first = import_walk(study, fixtures / name, **AULNAY, hints=STARTED)
    again = import_walk(study, fixtures / name, **AULNAY, hints=STARTED)
    assert totals(again).keys() <= {"unchanged", "refused"}
    assert again.counts["unchanged"].sum() == first.counts["added"].sum() > 0
    assert (again.counts["in"] == first.counts["in"]).all()


def test_a_track_and_a_sheet_enter_once(study, fixtures, tmp_path):
    for name in ("gpx/trace.gpx", "paper/fiche_7.csv"):
        session = {"session": name[:3], "district": "QMI1-AUL"}
        added = totals(import_walk(study, fixtures / name, **session, hints=STARTED))
        assert added == {"added": 4}
        assert totals(import_walk(study, fixtures / name, **session, hints=STARTED)) == {"unchanged": 4}


def test_french_cells_and_a_clock_without_a_day(study, fixtures):
    done = import_walk(study, fixtures / "csv" / "marche_fr.csv", **AULNAY)
    seen = own(study, "observations").sort_values("time")
    assert seen["time"].tolist() == ["2026-05-16T10:10:00", "2026-05-16T10:20:00", "2026-05-16T10:25:00"]
    assert seen["kind"].tolist() == ["mark", "mark", "silence"]
    assert seen["theme"].tolist()[:2] == ["coupures", "nature"]
    assert done.quarantined["observations"].index.tolist() == [5]
    assert [(d.row, d.value) for d in done.defects if d.severity == "error"] == [(5, "bruit de chantier")]


def test_a_word_of_the_campaign_enters_once_it_is_in_the_taxonomy(study, fixtures):
    import_walk(study, fixtures / "csv" / "marche_fr.csv", **AULNAY)
    word = {"axis": "theme", "word": "Bruit de chantier", "code": "sante", "preferred": False, "source": "essai"}
    study.append("taxonomy", pd.DataFrame([word]), reason="vocabulaire de la campagne")
    done = import_walk(study, fixtures / "csv" / "marche_fr.csv", **AULNAY)
    assert totals(done) == {"added": 1, "unchanged": 6}
    assert own(study, "observations")["theme"].value_counts()["sante"] == 1


def test_conflict_copies_enter_as_one_walk(study, tmp_path):
    main = field_package(tmp_path / "m.gpkg", mark("a", 663_000, theme="nature", valence=1))
    copy = tmp_path / "m (conflicted copy, jo v2).gpkg"
    shutil.copy(main, copy)
    edit(copy, "a", valence=2, modified="2099-01-01T00:00:00.000Z")
    add(copy, mark("b", 663_050, theme="eau", valence=-1))
    options = {"session": "Q-1", "district": "QMI1-AUL", "hints": Hints(start="2026-05-16T10:00")}
    done = import_walk(study, main, **options)
    seen = own(study, "observations", "Q-1").set_index("observation_id")
    assert seen["valence"].to_dict() == {"Q-1-a": 2, "Q-1-b": -1}
    assert any("deux valeurs" in reason for reason in reasons(done))
    assert totals(import_walk(study, copy, **options)) == {"unchanged": 4}


# Bad input ---------------------------------------------------------------------------------------------------------


def table(path, *lines: str, header: str = "id;participant;groupe;heure;nature;theme;valence;longitude;latitude;photo"):
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_every_doubt_is_listed_and_no_record_dropped(study, odk_zip, tmp_path):
    import_walk(study, odk_zip, **AULNAY)
    path = table(
        tmp_path / "marques.csv",
        "m1;Lilas;resident;2026-05-16T10:30;ressenti;nature;1;2,4970;48,9428;",
        "m2;Lilas;resident;2026-05-16T08:30;ressenti;nature;1;2,4970;48,9328;",
        "m3;Lilas;resident;2026-05-16T10:30;ressenti;nature;1;;;",
        "m4;Lilas;resident;2026-05-16T10:30;ce qui manque;nature;;;;",
        "m5;Lilas;resident;2026-05-16T10:30;ressenti;licornes;1;2,4970;48,9328;",
        "m6;Lilas;resident;2026-05-16T10:30;ressenti;nature;1;2,4970;48,9328;IMG_1.jpg",
        "m7;Lilas;resident;2026-05-16T10:30;ressenti;nature;1;2,4970;48,9328;",
        "m7;Lilas;resident;2026-05-16T10:30;ressenti;nature;2;2,4971;48,9328;",
    )
    done = import_walk(study, path, **AULNAY)
    counted = done.counts.loc["observations"]
    assert (counted["in"], counted["added"], counted["refused"]) == (8, 5, 3)
    by_row = {(d.row, d.severity): d.reason for d in done.defects if d.row is not None}
    # 0.0101° of latitude above the route: 1 119 m due north, a little less to where it rises towards the east.
    assert "1102 m du parcours" in by_row[2, "warning"]
    assert by_row[3, "warning"] == "heure antérieure au début de la séance"
    assert by_row[4, "warning"] == "observation sans lieu qui n’est pas une absence"
    assert (5, "warning") not in by_row
    assert by_row[6, "error"].startswith("attendu : un code parmi")
    assert by_row[7, "warning"] == "photo annoncée mais absente de la livraison"
    assert by_row[8, "error"] == by_row[9, "error"] == "identifiant présent plusieurs fois"
    assert done.quarantined["observations"].index.tolist() == [6, 8, 9]


def test_a_wrong_system_is_refused_with_the_right_one(study, tmp_path):
    path = tmp_path / "points.geojson"
    feature = {"type": "Feature", "properties": {"valence": 1}, "geometry": None}
    feature["geometry"] = {"type": "Point", "coordinates": [663_147, 6_870_431]}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    done = import_walk(study, path, **AULNAY, hints=STARTED)
    assert done.counts.loc["observations", "refused"] == 1
    assert any("des mètres dans un fichier annoncé en longitude et latitude" in r for r in reasons(done, "error"))
    assert totals(import_walk(study, path, **AULNAY, hints=STARTED, crs="EPSG:2154")) == {"added": 1, "unchanged": 2}


def test_a_line_of_another_session_is_refused(study, odk_zip):
    done = import_walk(study, odk_zip, session="AUL-T9", district="QMI1-AUL")
    assert done.counts.loc["observations", "refused"] == 3
    assert any("séance « AUL-T1 » dans le fichier" in reason for reason in reasons(done, "error"))


def test_a_record_without_author_is_refused_with_what_to_do(study, fixtures):
    done = import_walk(study, fixtures / "marche.umap", **AULNAY, hints=Hints(start="2026-05-16T10:00"))
    assert done.counts.loc["observations", "refused"] == 2
    assert any("2 observations sans auteur" in reason for reason in reasons(done, "error"))


def test_two_layers_with_one_identifier_are_told(study, tmp_path):
    document = {"type": "umap", "layers": []}
    for layer, valence in (("Ressentis nord", 1), ("Ressentis sud", 2)):
        point = {"type": "Point", "coordinates": [2.497, 48.9328]}
        feature = {"type": "Feature", "id": "same", "properties": {"valence": valence}, "geometry": point}
        options = {"name": layer}
        document["layers"].append({"type": "FeatureCollection", "features": [feature], "_umap_options": options})
    backup = tmp_path / "m.umap"
    backup.write_text(json.dumps(document))
    done = import_walk(study, backup, **AULNAY, hints=STARTED)
    assert done.counts.loc["observations"].tolist() == [2, 0, 0, 0, 2]
    assert reasons(done, "error") == ["identifiant présent dans plusieurs couches ou fichiers de la livraison"] * 2


def test_one_person_spelled_two_ways_is_one_person(study, tmp_path):
    lines = ["a;Lilas;resident;10:05;;nature;1;2,4970;48,9328;", "b;LILAS;;10:06;;nature;1;2,4971;48,9328;"]
    done = import_walk(study, table(tmp_path / "m.csv", *lines), **AULNAY, hints=Hints(start="2026-05-16T10:00"))
    assert own(study, "participants")["participant_id"].tolist() == ["AUL-T1-LILAS"]
    assert own(study, "observations")["rank"].tolist() == [1, 2]
    assert done.counts.loc["observations", "added"] == 2


@pytest.mark.parametrize("who", ["nadia@example.org", "06 12 34 56 78", "Nadia Martin"])
def test_a_pseudonym_that_is_somebody_is_told(study, tmp_path, who):
    path = table(tmp_path / "m.csv", f"a;{who};resident;10:05;;nature;1;2,4970;48,9328;")
    done = import_walk(study, path, **AULNAY, hints=Hints(start="2026-05-16T10:00"))
    assert "ce pseudonyme ressemble à un nom, à une adresse ou à un numéro" in reasons(done)


# The study ---------------------------------------------------------------------------------------------------------


def test_nothing_is_written_when_the_walk_cannot_start(study, fixtures):
    before = study.fingerprint()
    with pytest.raises(InputError, match="ne dit pas quand elle a commencé"):
        import_walk(study, fixtures / "marche.umap", **AULNAY)
    with pytest.raises(UnknownNameError, match="Quartier inconnu"):
        import_walk(study, fixtures / "marche.umap", session="A", district="QMI9-XXX")
    with pytest.raises(InputError, match="est déjà dans l’étude, pour le quartier QMI1-AUL"):
        import_walk(study, fixtures / "marche.umap", session="DEMO-AUL-M1", district="QMI1-MEU")
    assert study.fingerprint() == before


def test_a_read_only_study_keeps_everything(study, odk_zip):
    with pytest.raises(StudyReadOnlyError):
        import_walk(Study(study.path, read_only=True), odk_zip, **AULNAY)


def test_a_study_changed_meanwhile_is_not_written(study, odk_zip, monkeypatch):
    read = walks.read_walk

    def slow(*args, **kwargs):
        frame = study.read("sessions").head(1)
        study.upsert("sessions", frame.assign(note="entre-temps"), reason="autre poste")
        return read(*args, **kwargs)

    monkeypatch.setattr(walks, "read_walk", slow)
    with pytest.raises(ConflictError):
        import_walk(study, odk_zip, **AULNAY)
    assert own(study, "observations").empty


def test_an_import_can_be_undone(study, odk_zip):
    before = study.read("observations")
    import_walk(study, odk_zip, **AULNAY)
    for _ in range(6):
        study.undo()
    assert own(study, "sessions").empty
    assert len(study.read("observations")) == len(before)


# People who were erased --------------------------------------------------------------------------------------------


def test_whoever_was_erased_does_not_come_back_with_the_same_file(study, odk_zip):
    import_walk(study, odk_zip, **AULNAY)
    said = own(study, "observations")
    theirs = said[said["participant_id"] == "AUL-T1-LILAS"]
    study.forget("AUL-T1-LILAS")
    before = study.fingerprint()
    done = import_walk(study, odk_zip, **AULNAY, actor="Nadia")
    # Nine records as before: the person and their observations are refused, the rest is known.
    assert totals(done) == {"unchanged": 9 - 1 - len(theirs), "refused": 1 + len(theirs)}
    assert study.fingerprint() == before
    refusals = [d for d in done.defects if d.reason.startswith("personne effacée")]
    assert len(refusals) == 1 + len(theirs)
    assert {(d.value, d.id) for d in refusals} == {("", "")}
    told = "\n".join([done.sentence(), *(d.sentence() for d in done.defects), *done.notes])
    kept = "\n".join(frame.to_csv() for frame in done.quarantined.values())
    for secret in ("lilas", *theirs["verbatim"].dropna()):
        assert secret.casefold() not in (told + kept).casefold()
    assert done.sentence().endswith("leur auteur étant effacé de l’étude.")
    entry = study.journal().iloc[-1]
    assert (entry["action"], entry["actor"], entry["n_before"]) == ("refuse", "Nadia", entry["n_after"])
    assert f"{1 + len(theirs)} enregistrements refusés, d’une personne effacée" in entry["reason"]


def test_somebody_else_and_the_words_of_the_group_still_enter(study, odk_zip, tmp_path):
    import_walk(study, odk_zip, **AULNAY)
    study.forget("AUL-T1-LILAS")
    lines = ["n1;Orme;resident;10:40;ressenti;nature;1;2,4970;48,9328;"]
    assert totals(import_walk(study, table(tmp_path / "n.csv", *lines), **AULNAY)) == {"added": 2, "unchanged": 1}
    lines = ["n2;lilas;resident;10:41;ressenti;nature;1;2,4970;48,9328;"]
    assert totals(import_walk(study, table(tmp_path / "m.csv", *lines), **AULNAY)) == {"refused": 2, "unchanged": 1}
    # The same word chosen on another walk is somebody else.
    elsewhere = import_walk(
        study, table(tmp_path / "m.csv", *lines), session="AUL-T2", district="QMI1-AUL", hints=STARTED
    )
    assert totals(elsewhere) == {"added": 3}
    assert not own(study, "statements").empty


def test_what_one_person_said_alone_is_erased_and_what_the_group_said_stays(study, tmp_path):
    alone = zip_odk(tmp_path / "seul.zip", marche_statements=("collective", "individual"))
    import_walk(study, alone, **AULNAY)
    author = own(study, "statements")["participant_id"].iloc[0]
    assert author in {"AUL-T1-LILAS", "AUL-T1-CEDRE"}
    assert study.forget(author)["statements"] == 1
    assert own(study, "statements").empty
    assert import_walk(study, alone, **AULNAY).counts.loc["statements"].tolist() == [1, 0, 0, 0, 1]
    together = zip_odk(tmp_path / "ensemble.zip")
    assert import_walk(study, together, **AULNAY).counts.loc["statements"].tolist() == [1, 1, 0, 0, 0]
    assert own(study, "statements")["participant_id"].isna().all()


def test_the_pseudonym_of_a_lone_file_is_refused_too(study, fixtures):
    import_walk(study, fixtures / "gpx" / "trace.gpx", **AULNAY, hints=STARTED)
    study.forget("AUL-T1-LILAS")
    done = import_walk(study, fixtures / "gpx" / "trace.gpx", **AULNAY, hints=STARTED)
    assert done.counts.loc["observations", "refused"] == done.counts.loc["observations", "in"] > 0
    assert done.counts.loc["routes"].tolist() == [1, 0, 0, 1, 0]
