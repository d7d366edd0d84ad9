"""Erasing a person: nothing of them is left in the tables, the journal or the bytes of the file."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from geo_qmi import _change
from geo_qmi.errors import DefectsError, StudyReadOnlyError, UnknownNameError
from geo_qmi.workspace import Study


@pytest.fixture
def person(study):
    """Somebody with words of their own, one of whose observations was edited, and one deleted, before."""
    seen = study.read("observations")
    who = seen.groupby("participant_id").size().idxmax()
    own = seen[seen["participant_id"] == who]
    study.upsert(
        "observations", own.head(1).assign(verbatim="Ancienne phrase d’essai modifiée"), reason=f"saisie de {who}"
    )
    study.upsert("observations", own.head(1), reason="correction")
    study.delete("observations", own.tail(1)[["observation_id"]], reason="doublon")
    return who


def words_of(study, person) -> list[bytes]:
    seen = study.read("observations")
    mine = seen[seen["participant_id"] == person]
    others = set(seen[seen["participant_id"] != person]["verbatim"].dropna())
    said = set(mine["verbatim"].dropna()) - others
    assert len(said) > 3
    return [text.encode() for text in (*said, "Ancienne phrase d’essai modifiée", person)]


def left(study, secrets, folder) -> list[bytes]:
    """Secrets still found in the bytes of a copy of the file, page by page."""
    bytes_ = study.backup(folder / "copie.gpkg").read_bytes()
    return [secret for secret in secrets if secret in bytes_]


def test_a_forgotten_person_is_nowhere_in_the_file(study, person, tmp_path):
    before = study.read_many()
    secrets = words_of(study, person)
    assert left(study, secrets, tmp_path) == secrets
    n_own = int(before["observations"]["participant_id"].eq(person).sum())
    erased = study.forget(person, actor="référente RGPD")
    assert erased == {"observations": n_own, "statements": 0, "participants": 1}
    assert left(study, secrets, tmp_path) == []
    raw = study.path.read_bytes()  # nobody else has it open here
    assert [secret for secret in secrets if secret in raw] == []
    after = study.read_many()
    assert len(after["observations"]) == len(before["observations"]) - n_own
    assert person not in set(after["participants"]["participant_id"])
    untouched = set(before) - {"observations", "participants"}
    assert all(len(after[name]) == len(before[name]) for name in untouched)


def test_the_erasure_is_journalled_and_cannot_be_undone(study, person):
    study.forget(person, actor="référente RGPD")
    journal = study.journal()
    entries = journal[journal["action"] == "forget"]
    assert entries["table_name"].tolist() == ["observations", "statements", "participants"]
    assert set(entries["actor"]) == {"référente RGPD"}
    assert (entries["n_before"] - entries["n_after"]).tolist()[2] == 1
    assert not journal["reason"].str.contains(person, regex=False).any()
    assert "saisie de […]" in set(journal["reason"])
    n_rows = len(study.read("observations"))
    study.undo()  # the deletion of the duplicate, which was theirs
    study.undo()
    study.undo()
    seen = study.read("observations")
    assert len(seen) == n_rows
    assert person not in set(seen["participant_id"])


def test_another_pseudonym_that_begins_alike_is_kept(study, shipped):
    first = shipped["participants"].head(1)
    who = first["participant_id"].iloc[0]
    longer = first.assign(participant_id=f"{who}bis")
    study.append("participants", longer, reason=f"arrivée de {who}bis")
    study.forget(who)
    assert f"{who}bis" in set(study.read("participants")["participant_id"])
    assert f"arrivée de {who}bis" in set(study.journal()["reason"])


def test_somebody_deleted_earlier_can_still_be_forgotten(study, shipped, tmp_path):
    newcomer = shipped["participants"].head(1).assign(participant_id="ZX-passage")
    study.append("participants", newcomer, reason="arrivée")
    study.delete("participants", newcomer[["participant_id"]], reason="départ")
    assert left(study, [b"ZX-passage"], tmp_path) == [b"ZX-passage"]
    assert study.forget("ZX-passage")["participants"] == 0
    assert left(study, [b"ZX-passage"], tmp_path) == []


def test_the_study_knows_whom_not_to_bring_back_and_not_who_it_was(study, person, shipped, tmp_path):
    own = shipped["participants"].set_index("participant_id", drop=False).loc[[person]]
    session = own["session_id"].iloc[0]
    study.forget(person)
    assert study.erased_among([(session, person), (session, f"{person}bis"), ("AILLEURS", person)]) == {
        (session, person)
    }
    with closing(sqlite3.connect(study.path)) as connection:
        rows = connection.execute("SELECT salt, digest FROM erased").fetchall()
    assert [(len(salt), len(digest)) for salt, digest in rows] == [(32, 64)]
    assert left(study, [person.encode()], tmp_path) == []
    before = study.fingerprint()
    with pytest.raises(DefectsError, match="personne effacée") as refused:
        study.append("participants", own, reason="saisie")
    assert person not in str(refused.value)
    assert study.fingerprint() == before
    newcomer = own.assign(participant_id=f"{person}bis")
    assert study.append("participants", newcomer, reason="arrivée") > 0


def test_two_studies_do_not_share_their_hashes(study, person, shipped, tmp_path):
    other = Study.create(tmp_path / "autre.gpkg", shipped)
    digests = []
    for each in (study, other):
        each.forget(person)
        with closing(sqlite3.connect(each.path)) as connection:
            digests.append(connection.execute("SELECT digest FROM erased").fetchone()[0])
    assert digests[0] != digests[1]


def test_a_study_made_before_the_list_gets_one(study, person):
    with closing(sqlite3.connect(study.path)) as connection:
        connection.execute("DROP TABLE erased")
        connection.execute("DELETE FROM gpkg_contents WHERE table_name = 'erased'")
        connection.commit()
    assert study.erased_among([("DEMO-AUL-M1", person)]) == set()
    study.forget(person)
    assert len(study.erased_among((session, person) for session in study.read("sessions")["session_id"])) == 1


def test_a_refusal_is_noted_and_is_nothing_to_undo(study):
    study.upsert("participants", study.read("participants").head(1).assign(note="lu"), reason="note")
    study.note_refusal("participants", reason="2 refusés", actor="Nadia")
    assert study.journal().iloc[-1]["action"] == "refuse"
    study.undo()
    assert study.read("participants")["note"].isna().all()


def test_an_unknown_pseudonym_writes_nothing(study):
    n_entries = len(study.journal())
    with pytest.raises(UnknownNameError, match="Rien n’a été effacé"):
        study.forget("personne-inconnue")
    assert len(study.journal()) == n_entries


def test_a_study_for_reading_forgets_nobody(study, person):
    with pytest.raises(StudyReadOnlyError):
        Study(study.path, read_only=True).forget(person)
    assert person in set(study.read("participants")["participant_id"])


def _killed_before_the_sweep(path, person) -> None:
    study = Study(path)
    study._sweep = lambda: os.kill(os.getpid(), signal.SIGKILL)
    study.forget(person)


def test_a_kill_before_the_rewriting_is_made_good_at_the_next_opening(study, person, tmp_path):
    secrets = words_of(study, person)
    process = multiprocessing.get_context("spawn").Process(target=_killed_before_the_sweep, args=(study.path, person))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with closing(sqlite3.connect(study.path)) as connection:
        assert _change.sweep_due(connection)
    assert person not in set(Study(study.path, read_only=True).read("participants")["participant_id"])
    again = Study(study.path)
    with closing(sqlite3.connect(study.path)) as connection:
        assert not _change.sweep_due(connection)
    assert left(again, secrets, tmp_path) == []


def _killed_during(path, person) -> None:
    erase = _change.Change.erase

    def cut(change, column, who):
        erase(change, column, who)
        os.kill(os.getpid(), signal.SIGKILL)

    _change.Change.erase = cut
    Study(path).forget(person)


def test_a_kill_during_the_erasure_changes_nothing(study, person):
    before = study.fingerprint()
    process = multiprocessing.get_context("spawn").Process(target=_killed_during, args=(study.path, person))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert Study(study.path).fingerprint() == before
    assert Study(study.path).forget(person)["participants"] == 1
