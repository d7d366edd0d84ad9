from __future__ import annotations

import json
import re
import tomllib
from html.parser import HTMLParser

import pandas as pd
import pytest

from geo_qmi import sheets
from geo_qmi.errors import UnknownNameError
from geo_qmi.matching import needs, offers
from geo_qmi.matching.criteria import Appraisal, appraise
from geo_qmi.matching.rules import rules_from
from geo_qmi.matching.sheet import Sheet, sheet
from geo_qmi.sheets import wording
from geo_qmi.shipped import data_dir, shipped_tables

DISTRICTS = ["QMI1-AUL", "QMI1-MEU", "QMI1-NOI", "QMI1-SCE"]
PLAN = pd.DataFrame({"project_id": ["DEMO-001", "DEMO-004"], "district_id": ["QMI1-MEU", "QMI1-AUL"]})


@pytest.fixture(scope="module")
def appraisal() -> Appraisal:
    tables = shipped_tables()
    call = tables["applications"].rename(columns={"application_id": "project_id"}).head(12)
    lexicon = tables["lexicon"]
    return appraise(
        call,
        needs=needs(tables["objectives"], tables["expected_solutions"], tables["districts"], lexicon=lexicon),
        offers=offers(call, lexicon=lexicon),
        districts=DISTRICTS,
        rules=rules_from(tomllib.loads((data_dir() / "rules.toml").read_text(encoding="utf-8"))),
        places=tables["candidate_places"],
        starts=dict(zip(tables["districts"]["district_id"], tables["districts"]["start"], strict=True)),
    )


@pytest.fixture(scope="module")
def kept(appraisal) -> Sheet:
    return sheet(appraisal, "DEMO-004", plan=PLAN, names={"QMI1-AUL": "Centre Gare <Aulnay>"})


def test_the_sheet_re_adds_by_hand_from_its_own_numbers(kept) -> None:
    for part in kept.districts:
        assert sum(line.contribution_low for line in part.criteria) == pytest.approx(part.low, abs=1e-9)
        assert sum(line.contribution_high for line in part.criteria) == pytest.approx(part.high, abs=1e-9)
        for line in part.criteria:
            assert line.weight * line.low == pytest.approx(line.contribution_low, abs=1e-12)
        text = next(line for line in part.criteria if line.criterion == "needs")
        assert sum(line.part for line in part.themes) == pytest.approx(text.low, abs=1e-9)
        for line in part.themes:
            assert line.importance * line.strength == pytest.approx(line.part, abs=1e-12)
            assert line.evidence_need
            assert line.evidence_offer


def test_accepted_and_refused_get_the_same_sheet(appraisal, kept) -> None:
    refused = sheet(appraisal, "DEMO-002", plan=PLAN)
    assert kept.outcome == "Candidature retenue par le plan proposé : Centre Gare <Aulnay>."
    assert refused.outcome == "Candidature non retenue par le plan proposé."
    assert sheet(appraisal, "DEMO-002").outcome == "Candidature appréciée ; aucun plan calculé."
    assert refused.as_dict().keys() == kept.as_dict().keys()
    assert [len(part.criteria) for part in refused.districts] == [len(part.criteria) for part in kept.districts]


def test_the_four_headings_are_answered(kept) -> None:
    assert any("le jury décide" in line for line in kept.contribution)
    assert any("DEMO" in value or "démonstration" in value for _, value in kept.data)
    parameters = dict(kept.parameters)
    assert parameters["Réponse aux besoins publiés"] == "poids 0,6667 ; échelle : 0 donne 0, 1 donne 1"
    assert parameters["Réponse aux besoins relevés sur le terrain"].startswith("non calculé")
    assert len(kept.operations) == 5
    assert "L311-3-1" in kept.legal_frame
    assert "R311-3-1-2" in kept.legal_frame
    assert "juriste doit confirmer" in kept.legal_caution


def test_an_unknown_project_is_refused(appraisal) -> None:
    with pytest.raises(UnknownNameError, match="Projet inconnu : « nope »"):
        sheet(appraisal, "nope")


def test_json_holds_everything(kept) -> None:
    assert json.loads(sheets.to_json(kept.as_dict())) == json.loads(json.dumps(kept.as_dict()))


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def page(record: dict) -> Page:
    parsed = Page()
    parsed.feed(sheets.to_html(record))
    return parsed


def test_the_page_is_self_contained_and_forbids_everything_else(kept) -> None:
    parsed = page(kept.as_dict())
    names = {name for name, _ in parsed.attributes}
    assert names & {"src", "href", "onclick", "onload", "action"} == set()
    assert {"script", "link", "iframe", "img", "object"} & set(parsed.tags) == set()
    assert any(value is not None and "default-src 'none'" in value for _, value in parsed.attributes)
    assert not re.search(r"https?:|url\(|@import", sheets.to_html(kept.as_dict()))
    assert ("lang", "fr") in parsed.attributes


def test_hostile_text_stays_text(kept) -> None:
    hostile = {**kept.as_dict(), "name": "<script>alert(1)</script>", "operator": '"><img src=x onerror=a>'}
    parsed = page(hostile)
    assert "script" not in parsed.tags
    assert "img" not in parsed.tags
    assert "<script>alert(1)</script>" in parsed.text
    assert "Centre Gare <Aulnay>" in parsed.text
    assert sheets.to_pdf(hostile).startswith(b"%PDF-")


def test_the_total_is_printed_and_re_adds_to_the_last_digit_but_one(kept) -> None:
    part = kept.as_dict()["districts"][0]
    printed = [float(row[3].replace(",", ".")) for row in sheets.criteria_rows(part)]
    total = float(sheets.total_row(part)[3].replace(",", "."))
    assert sum(printed) == pytest.approx(total, abs=0.00005 * len(printed))
    assert sheets.total_row(part)[1] == "1,0000"


def test_an_interval_is_said_as_one() -> None:
    assert wording.interval(0.25, 0.25) == "0,2500"
    assert wording.interval(0.25, 0.5) == "de 0,2500 à 0,5000"


def test_the_document_is_the_same_twice_and_embeds_its_fonts(kept) -> None:
    first = sheets.to_pdf(kept.as_dict())
    assert first == sheets.to_pdf(kept.as_dict())
    assert b"/FontFile2" in first
    assert b"Helvetica" not in first
    assert first.count(b"/Type /Page\n") >= 3
    assert b"595.2756 841.8898" in first  # A4


def test_a_demonstration_says_so_everywhere(kept) -> None:
    assert kept.demo
    assert "Démonstration : dossier inventé" in page(kept.as_dict()).text
    real = {**kept.as_dict(), "demo": False}
    assert "Démonstration" not in page(real).text.replace("Lieu de démonstration", "")


def test_a_very_long_evidence_still_fits(kept) -> None:
    record = kept.as_dict()
    lines = list(record["districts"][0]["themes"])
    lines[0] = {**lines[0], "evidence_offer": "mot " * 3000}
    first = {**record["districts"][0], "themes": lines}
    assert sheets.to_pdf({**record, "districts": [first]}).startswith(b"%PDF-")
