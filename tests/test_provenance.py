"""Places cited in the documents, and both sides of a contradiction."""

from __future__ import annotations

import pytest

from geo_qmi import provenance, schema
from geo_qmi.provenance import Place, places


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("003:L1150", ["003:L1150"]),
        ("001:L1543-1552 / L1588-1597", ["001:L1543-1552", "001:L1588-1597"]),
        ("002:L3-5, L75 ; 003:L231 ; 001:L1470-1477", ["002:L3-5", "002:L75", "003:L231", "001:L1470-1477"]),
        ("001:L87, listes", ["001:L87"]),
        ("003:L420 ; 002", ["003:L420", "002"]),
        ("001 / 002", ["001", "002"]),
        ("calcul", []),
        (None, []),
    ],
)
def test_places_are_read_as_cited(source, expected):
    assert [str(place) for place in places(source)] == expected


def test_places_meet_on_a_line_of_one_document():
    assert Place("003", 1150, 1153).meets(Place("003", 1153, 1160))
    assert not Place("003", 1150, 1153).meets(Place("003", 1154, 1160))
    assert not Place("003", 1150, 1153).meets(Place("002", 1150, 1153))
    assert not Place("003").meets(Place("003", 1, 2))


def test_a_figure_answers_where_it_comes_from(shipped):
    assert provenance.answer(shipped, " F015 ").endswith("Lu en 002:L83;003:L1150-1153.")
    assert provenance.answer(shipped, "F009").endswith("Origine : calcul.")
    assert provenance.answer(shipped, "A02").startswith("A02 : Taux 70 %.")
    assert provenance.answer(shipped, "F078") == ""


def test_every_identifier_answers(shipped):
    for ident in shipped["figures"]["figure_id"]:
        assert provenance.answer(shipped, ident).startswith(f"{ident} : ")


def test_both_sides_of_a_contradiction_stay(shipped):
    (first, _, facts), (second, title, others) = provenance.sides(shipped, "A03")
    assert (first, second) == ("003:L1150", "003:L1441")
    assert facts["Identifiant"].tolist() == ["F015"]
    assert others["Identifiant"].tolist() == ["F016"]
    assert title == provenance.DOCUMENTS["003"]


def test_every_contradiction_has_a_side(shipped):
    for ident in shipped["contradictions"]["contradiction_id"]:
        assert provenance.sides(shipped, ident), ident


def test_search_wants_every_word(shipped):
    assert provenance.ledger(shipped, "aulnay DÉFI")["contradiction_id"].tolist() == ["A01"]
    assert len(provenance.ledger(shipped)) == 42
    assert provenance.ledger(shipped, "licorne").empty
    found = provenance.figures(shipped, "F016")
    assert found["Identifiant"].tolist() == ["F016"]
    assert "A03" in found["Contradictions"].iloc[0]
    assert list(provenance.figures(shipped, "licorne").columns) == list(found.columns)


def test_each_shipped_table_says_licence_date_and_doubt(shipped):
    rows = provenance.files(shipped)
    assert set(rows["Table"]) == {schema.label(name) for name in schema.TABLES}
    assert rows["Licence"].str.len().min() > 0
    files = rows.set_index("Table")["Fichier"]
    assert files[schema.label("crossings")] == "demo/crossings.geojson"
    assert files[schema.label("decisions")] == "aucun"
    assert not rows["Doute"].str.contains("SOURCES").any()


def test_rows_are_counted_by_source_and_by_document(shipped):
    rows = provenance.rows_by_source(shipped["territories"])
    assert rows["Lignes"].sum() == 12
    assert provenance.rows_by_source(shipped["sessions"])["Démonstration"].sum() == 16
    cited = provenance.by_document(shipped).set_index("Table")
    assert cited.loc[schema.label("objectives"), "Document 002"] == 19
    assert cited.loc[schema.label("sessions"), "Démonstration"] == 16
    assert cited.loc[schema.label("stations"), "Autre origine"] == 35
