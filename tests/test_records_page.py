"""Tables corrected in place on the page *Données*: checked whole, undone, never lost to somebody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
import streamlit as st
from streamlit.testing.v1 import AppTest

import geo_qmi.dashboard
from geo_qmi import geo, schema
from geo_qmi.dashboard import READ_ONLY_VARIABLE, STUDY_VARIABLE
from geo_qmi.desk import ledger, versions
from geo_qmi.errors import ConflictError, DefectsError, InputError

SCRIPT = Path(geo_qmi.dashboard.__file__).with_name("app.py")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def opened_study(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)
    return study


def of(tables, name: str, **options) -> ledger.Opened:
    return ledger.Opened(name, 1, tables[name].reset_index(drop=True), **options)


def typed(opened: ledger.Opened, row: int, **cells) -> pd.DataFrame:
    after = opened.cells.copy()
    for column, value in cells.items():
        after.loc[after[ledger.ROW] == row, column] = value
    return after


def defects(opened: ledger.Opened, after: pd.DataFrame, tables) -> list[tuple]:
    with pytest.raises(DefectsError) as raised:
        ledger.checked(opened, after, known=tables)
    return [(defect.row, defect.field, defect.reason) for defect in raised.value.defects]


# A sheet and back ------------------------------------------------------------------------------------------------


#: A table without points has one sheet, the others one a system of coordinates.
SHEETS = [
    (name, crs)
    for name in schema.TABLES
    for crs in (ledger.AXES if "Point" in schema.geometry_types(name) else [geo.DEGREES])
    if name != "decisions"
]


@pytest.mark.parametrize(("name", "crs"), SHEETS)
def test_a_note_changes_nothing_else(shipped, name, crs):
    opened = of(shipped, name, crs=crs)
    after = typed(opened, 1, note="relu")
    assert ledger.edits(opened.cells, after).changed == {1: ["note"]}
    ready = ledger.checked(opened, after, known=shipped)
    expected = pd.DataFrame(opened.frame.head(1).assign(note="relu"))
    pd.testing.assert_frame_equal(pd.DataFrame(ready.touched), expected, check_dtype=False)
    assert (len(ready.whole), ready.keys_left) == (len(opened.frame), False)


def test_every_defect_is_told_by_row_and_column(shipped):
    opened = of(shipped, "applications")
    after = typed(opened, 2, name=None, need_sun_h=40.0)
    after = after.assign(siret=after["siret"].mask(after[ledger.ROW] == 3, "73282932000075"))
    twin = after[after[ledger.ROW] == 4].assign(**{ledger.ROW: 999})
    found = defects(opened, pd.concat([after, twin], ignore_index=True), shipped)
    assert (2, "Projet", "valeur manquante, obligatoire ici") in found
    assert (2, "Ensoleillement demandé (h)", "attendu : un nombre entre 0 et 16") in found
    assert (3, "SIRET", "clé de contrôle fausse : ce n’est pas un SIRET") in found
    assert (999, "Identifiant de la candidature", "cet identifiant est déjà dans l’étude") in found


def test_bounds_and_lists_are_those_of_the_schema(shipped):
    assert ledger.bounds("applications", "need_sun_h") == (0, 16)
    assert ledger.allowed("applications", "need_water", shipped) == {"oui": "oui", "non": "non"}
    assert ledger.allowed("candidate_places", "ground", shipped)["planted"] == "pleine terre"
    assert "QMI1-AUL" in ledger.allowed("candidate_places", "district_id", shipped)
    assert ledger.allowed("applications", "name", shipped) is None


def test_a_point_is_two_coordinates_in_either_system(shipped):
    for crs, axes in ((schema.CRS, (661000.0, 6870000.0)), ("EPSG:4326", (2.4688, 48.9287))):
        opened = of(shipped, "candidate_places", crs=crs)
        after = typed(opened, 1, geometry_source=None, **dict(zip(opened.axes, axes, strict=True)))
        point = ledger.checked(opened, after, known=shipped).touched.iloc[0]
        assert point.geometry.distance(shapely.Point(661000, 6870000)) < 600
        assert point["geometry_source"] == ledger.TYPED_HERE
    far = typed(opened, 1, Longitude=48.9, Latitude=2.4)
    assert "loin de l’Île-de-France" in defects(opened, far, shipped)[0][2]
    half = typed(opened, 1, Longitude=np.nan)
    assert "une coordonnée manque" in defects(opened, half, shipped)[0][2]
    line = opened.frame.copy()
    line.loc[0, "geometry"] = shapely.LineString([(661000, 6870000), (661100, 6870000)])
    drawn = ledger.Opened("candidate_places", 1, line)
    assert drawn.cells.loc[0, ledger.SHAPE] == "ligne de 100 m"
    assert "importez un fichier" in defects(drawn, typed(drawn, 1, Longitude=2.4, Latitude=48.9), shipped)[0][2]


def test_a_row_still_named_elsewhere_cannot_leave(shipped):
    opened = of(shipped, "districts")
    row = int(np.argmax(opened.frame["district_id"] == "QMI1-AUL")) + 1
    found = defects(opened, opened.cells[opened.cells[ledger.ROW] != row], shipped)
    assert {column for _, column, _ in found} == {"Identifiant du quartier"}
    words = f"« {schema.label('objectives')} »"
    assert any("encore citée par" in reason and words in reason for *_, reason in found)


def test_what_the_editor_gives_back_finds_its_rows(shipped):
    start = of(shipped, "partners").cells
    part = start.iloc[[1, 3]]
    edited = part.copy().astype({ledger.ROW: "Int64"})
    edited.iloc[0, edited.columns.get_loc("partner")] = "Renommé"
    fresh = dict.fromkeys(start) | {"partner": "Nouveau"}
    edited = pd.concat([edited.head(1), pd.DataFrame([fresh])], ignore_index=True)
    done = ledger.edits(start, ledger.merged(start, part, edited))
    assert done == ledger.Edits({2: ["partner"]}, [len(start) + 1], [4])
    assert ledger.merged(start, part, part).equals(start)


def test_a_filter_looks_in_every_column(shipped):
    cells = of(shipped, "applications").cells
    name = cells["name"].iloc[7]
    assert name in ledger.found(cells, name.upper())["name"].tolist()
    assert ledger.found(cells, "introuvable-nulle-part").empty
    assert len(ledger.found(cells, "")) == len(cells)


# Two people ------------------------------------------------------------------------------------------------------


def test_the_second_to_save_is_told_and_loses_nothing(study):
    tables = study.read_many()
    mine, hers = ledger.read(study, "partners"), ledger.read(study, "partners")
    my_sheet = typed(mine, 1, note="mon mot")
    my_sheet.loc[my_sheet[ledger.ROW] == 2, "note"] = "moi seule"
    her_sheet = typed(hers, 1, note="son mot")
    her_sheet.loc[her_sheet[ledger.ROW] == 3, "note"] = "elle seule"
    how = {"reason": "relecture", "actor": "Nadia"}
    ledger.save(study, hers, ledger.checked(hers, her_sheet, known=tables), **how)
    ready = ledger.checked(mine, my_sheet, known=tables)
    with pytest.raises(ConflictError):
        ledger.save(study, mine, ready, **how)
    theirs = ledger.read(study, "partners")
    both = versions.versions(mine, my_sheet, theirs).set_index("Constat")
    assert both.loc["changée des deux côtés : à décider", ["La mienne", "Celle du fichier"]].tolist() == [
        "mon mot",
        "son mot",
    ]
    assert both.loc["changée par moi seulement", "La mienne"] == "moi seule"
    assert both.loc["changée dans le fichier seulement", "Celle du fichier"] == "elle seule"
    assert b"mon mot" in versions.comparison_bytes(both.reset_index())
    carried = versions.carried(mine, my_sheet, theirs)
    ledger.save(study, theirs, ledger.checked(theirs, carried, known=tables), **how)
    assert study.read("partners")["note"].head(3).tolist() == ["mon mot", "moi seule", "elle seule"]


def test_a_removal_is_one_write_that_one_undo_takes_back(study):
    tables, before = study.read_many(), study.fingerprint()
    opened = ledger.read(study, "partners")
    ready = ledger.checked(opened, opened.cells.iloc[1:], known=tables)
    assert ready.keys_left
    entry = ledger.save(study, opened, ready, reason="doublon", actor="Nadia")
    assert study.tables()["partners"] == len(opened.frame) - 1
    assert study.undoable() == entry
    with pytest.raises(ConflictError, match="rien n’a été annulé"):
        study.undo(expected_entry=entry - 1)
    study.undo(actor="Nadia", expected_entry=entry)
    assert study.fingerprint() == before


def test_who_and_why_are_asked(study):
    opened = ledger.read(study, "partners")
    ready = ledger.checked(opened, typed(opened, 1, note="x"), known=study.read_many())
    with pytest.raises(InputError, match="dites qui enregistre et pourquoi"):
        ledger.save(study, opened, ready, reason="", actor="Nadia")
    with pytest.raises(InputError, match="aucune cellule"):
        ledger.checked(opened, opened.cells, known={})


# The page --------------------------------------------------------------------------------------------------------


class Typist:
    """Stands for the grid of the browser, which a test without one cannot type in: changes the note of one row."""

    def __init__(self, monkeypatch) -> None:
        self.words: str | None = None
        self.row = 0
        self.asked: dict = {}
        monkeypatch.setattr(st, "data_editor", self)

    def __call__(self, frame, **options):
        self.asked, self.given = options, frame
        edited = frame.copy()
        if self.words is not None:
            edited.loc[self.row, "note"] = self.words
        return edited


def said(page: AppTest) -> str:
    kinds = ("error", "warning", "success", "info", "markdown", "caption")
    return "\n".join(element.value for kind in kinds for element in page.get(kind)).replace("\\", "")


def opened(table: str) -> AppTest:
    page = AppTest.from_file(str(SCRIPT), default_timeout=120).run().switch_page("records.py").run()
    return page.selectbox(key="donnees-table").set_value(table).run()


def signed(page: AppTest) -> AppTest:
    page.text_input(key="donnees-qui").set_value("Nadia")
    page.text_input(key="donnees-pourquoi").set_value("relecture")
    return page.button(key="donnees-enregistrer").click().run()


def test_a_cell_is_corrected_saved_and_undone(opened_study, monkeypatch):
    typist = Typist(monkeypatch)
    page = opened("partners")
    assert not page.exception
    assert page.selectbox(key="donnees-table").value == "partners"
    assert typist.asked["column_config"]["partner"]["required"] is True
    typist.words = "relu"
    page.run()
    assert "Pas encore enregistré : 1 ligne modifiée" in said(page)
    page.button(key="donnees-enregistrer").click().run()
    assert "dites qui enregistre et pourquoi" in said(page)
    typist.words = None  # once saved, the grid is a new one
    page.session_state["donnees-travail"]["partners"].start.loc[0, "note"] = "relu"
    signed(page)
    assert not page.exception
    assert opened_study.read("partners")["note"].iloc[0] == "relu"
    entry = opened_study.undoable()
    assert f"n° {entry}" in said(page)
    page.text_input(key="donnees-annuler-qui").set_value("Nadia")
    page.button(key="donnees-annuler").click().run()
    assert f"Écriture n° {entry} annulée" in said(page)
    assert opened_study.undoable() is None


def test_two_sessions_on_one_study(opened_study, monkeypatch):
    typist = Typist(monkeypatch)
    first, second = opened("partners"), opened("partners")
    typist.words = "premier"
    first.run()
    typist.words = "second"
    second.run()
    typist.words = "premier"
    signed(first)
    assert opened_study.read("partners")["note"].iloc[0] == "premier"
    typist.words = "second"
    signed(second)
    assert not second.exception
    assert "voici les deux versions" in said(second)
    both = next(frame.value for frame in second.dataframe if "La mienne" in frame.value)
    assert both[["La mienne", "Celle du fichier"]].to_numpy().tolist() == [["second", "premier"]]
    assert opened_study.read("partners")["note"].iloc[0] == "premier"
    second.button(key="donnees-reporter").click().run()
    signed(second)
    assert opened_study.read("partners")["note"].iloc[0] == "second"


def test_a_grid_that_starts_afresh_takes_nothing_with_it(opened_study, monkeypatch):
    typist = Typist(monkeypatch)
    page = opened("partners")
    typist.words = "premier"
    page.run()
    grid = typist.asked["key"]
    page.session_state[grid] = {}
    typist.row = 1  # the browser forgot the first cell, as after its page was asked for twice
    page.run()
    assert typist.asked["key"] != grid
    assert "Pas encore enregistré : 2 lignes modifiées" in said(page)
    assert typist.given["note"].head(2).tolist() == ["premier", "premier"]


def test_what_a_grid_forgot_is_laid_under_what_it_says_now(shipped):
    start = ledger.sheet(ledger.Opened("partners", 1, shipped["partners"].reset_index(drop=True)))
    first, second, third = start[ledger.ROW].head(3)
    cell = start[ledger.ROW].eq(first)
    earlier = start.copy()
    earlier.loc[cell, "note"] = "un"
    earlier = earlier[earlier[ledger.ROW] != third]
    later = start.copy()
    later.loc[start[ledger.ROW].eq(second), "note"] = "deux"
    both = ledger.outlived(start, earlier, later)
    assert ledger.edits(start, both) == ledger.Edits({first: ["note"], second: ["note"]}, [], [third])
    assert ledger.outlived(start, start, later) is None
    assert ledger.outlived(start, earlier, start) is None  # taken back by hand, cell by cell
    later.loc[cell, "note"] = "un, corrigé"
    assert ledger.outlived(start, earlier, later) is None


def test_what_is_typed_outlives_a_write_to_another_table(opened_study, monkeypatch):
    typist = Typist(monkeypatch)
    page = opened("objectives")
    grid, columns = typist.asked["key"], typist.asked["column_config"]
    district = opened_study.read("districts").head(1).assign(district_id="QMI9-NEUF", name="Neuf")
    opened_study.append("districts", district, reason="nouveau")
    page.session_state[grid] = {}  # the grid is still on the page, in the browser
    typist.words = "à relire"
    page.run()
    # The browser tells a grid by its name and its columns: a new choice in a list would make it another, and empty.
    assert (typist.asked["key"], typist.asked["column_config"]) == (grid, columns)
    assert "QMI9-NEUF" not in str(columns["district_id"])
    assert "Pas encore enregistré : 1 ligne modifiée" in said(page)
    page.text_input(key="donnees-filtre-objectives").set_value("commerce").run()
    assert "QMI9-NEUF" in str(typist.asked["column_config"]["district_id"])
    assert "Pas encore enregistré : 2 lignes modifiées" in said(page)  # under the former filter, and under this one


def test_what_is_typed_while_somebody_saves_is_shown_beside_it(opened_study, monkeypatch):
    typist = Typist(monkeypatch)
    page = opened("partners")
    theirs = ledger.read(opened_study, "partners")
    ready = ledger.checked(theirs, typed(theirs, 1, note="le leur"), known=opened_study.read_many())
    ledger.save(opened_study, theirs, ready, reason="relecture", actor="Omar")
    # The grid of the browser sends the cell with the run that finds the table changed.
    page.session_state[typist.asked["key"]] = {"edited_rows": {0: {"note": "le mien"}}}
    typist.words = "le mien"
    page.run()
    assert not page.exception
    both = next(frame.value for frame in page.dataframe if "La mienne" in frame.value)
    assert both[["La mienne", "Celle du fichier"]].to_numpy().tolist() == [["le mien", "le leur"]]


def test_for_reading_only_no_private_column_is_shown(study, monkeypatch):
    monkeypatch.setenv(STUDY_VARIABLE, str(study.path))
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    page = opened("applications")
    assert not page.exception
    assert "lecture seule" in said(page)
    assert {"SIRET", "Contact"}.isdisjoint(page.dataframe[0].value.columns)
    assert "Projet" in page.dataframe[0].value
    assert "participants" not in page.selectbox(key="donnees-table").options
