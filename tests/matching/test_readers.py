from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from geo_qmi.errors import InputError, UnreadableError
from geo_qmi.matching import needs, offers, score
from geo_qmi.matching.confusion import confusion, leave_one_out, neighbour_scores
from geo_qmi.matching.readers import EmbeddingReader, LexiconReader, offers_by
from geo_qmi.shipped import shipped_tables
from geo_qmi.sources.models import sentence_encoder

if TYPE_CHECKING:
    from pathlib import Path

LEXICON = pd.DataFrame(
    [
        ("L1", "energie", "énergie", 1.0),
        ("L2", "eau", "pluie", 1.0),
        ("L3", "mobilites", "=vélo", 1.0),
        ("L4", "nature", "jardin", 0.6),
    ],
    columns=["entry_id", "theme", "term", "weight"],
)
#: A tiny local model: two dimensions for energy and rain, one for bicycles; « soleil » is near energy.
WORDS = ["énergie", "soleil", "pluie", "averse", "vélo"]
VECTORS = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0, 0.9, 0.1], [0, 0, 1]], dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "words.txt").write_text("\n".join(WORDS), encoding="utf-8")
    np.save(tmp_path / "vectors.npy", VECTORS)
    return tmp_path


def projects(**texts: str | None) -> pd.DataFrame:
    return pd.DataFrame({"project_id": list(texts), "description": list(texts.values())})


def test_the_lexicon_reader_gives_exactly_the_default_offers() -> None:
    tables = shipped_tables()
    options = {"tags": tables["project_tags"]}
    expected = offers(tables["projects"], lexicon=tables["lexicon"], **options)
    found = offers_by(LexiconReader.of(tables["lexicon"]), tables["projects"], **options)
    pd.testing.assert_frame_equal(found, expected)


def test_a_local_model_meets_words_the_lexicon_does_not_have(model) -> None:
    reader = EmbeddingReader.of(LEXICON, encode=sentence_encoder(model), name="petit modèle")
    found = offers_by(reader, projects(p="Le soleil du matin. Un vélo.", q="rien de connu ici"))
    assert set(found["project_id"]) == {"p"}  # nothing recognised: no row, not a zero
    assert found["strength"].sum() == pytest.approx(1.0)
    assert found.loc[found["strength"].idxmax(), "theme"] == "mobilites"
    alone = offers_by(reader, projects(p="Le soleil du matin."))
    assert alone["theme"].tolist() == ["energie"]
    assert alone["evidence"].tolist() == ["« Le soleil du matin. » (description) proche de « énergie » (0,99)"]
    assert offers_by(LexiconReader.of(LEXICON), projects(p="Le soleil du matin.")).empty


def test_evidence_of_a_model_is_the_nearest_sentence_and_term(model) -> None:
    reader = EmbeddingReader.of(LEXICON, encode=sentence_encoder(model), name="petit modèle")
    told = offers_by(reader, projects(p="Une averse ; des mots inconnus"))["evidence"].tolist()
    assert told == ["« Une averse » (description) proche de « pluie » (0,99)"]


def test_a_project_does_not_depend_on_the_others(model) -> None:
    reader = EmbeddingReader.of(LEXICON, encode=sentence_encoder(model), name="petit modèle")
    alone = offers_by(reader, projects(p="averse et vélo"))
    crowd = offers_by(reader, projects(a="soleil", p="averse et vélo", z="énergie"))
    pd.testing.assert_frame_equal(crowd[crowd["project_id"] == "p"].reset_index(drop=True), alone)


def test_an_encoder_that_gives_something_else_is_refused() -> None:
    with pytest.raises(InputError, match="Modèle de phrases : 3 phrases"):
        EmbeddingReader.of(LEXICON, encode=lambda _: np.zeros((1, 2)), name="faux")
    with pytest.raises(InputError, match="aucun terme de poids 1"):
        EmbeddingReader.of(LEXICON.tail(1), encode=lambda told: np.ones((len(told), 2)), name="vide")


def test_a_folder_must_be_a_model(tmp_path, model) -> None:
    with pytest.raises(InputError, match="n’existe pas"):
        sentence_encoder(tmp_path / "absent")
    (tmp_path / "autre").mkdir()
    with pytest.raises(InputError, match="contenu non reconnu"):
        sentence_encoder(tmp_path / "autre")
    np.save(model / "vectors.npy", VECTORS[:2])
    with pytest.raises(UnreadableError, match="5 mots"):
        sentence_encoder(model)
    np.save(model / "vectors.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UnreadableError, match="illisible"):
        sentence_encoder(model)


def test_a_sentence_transformer_is_opened_from_disk_only(tmp_path, monkeypatch) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="safetensors"):
        sentence_encoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match="n’est pas installée"):
        sentence_encoder(tmp_path)
    asked: dict[str, object] = {}

    class Fake:
        def __init__(self, path: str, **options: object) -> None:
            asked.update(options, path=path)

        def encode(self, sentences: list[str], **_: object) -> list[list[float]]:
            return [[float(len(sentence)), 1.0] for sentence in sentences]

    library = types.ModuleType("sentence_transformers")
    library.SentenceTransformer = Fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    assert sentence_encoder(tmp_path)(["ab"]).tolist() == [[2.0, 1.0]]
    assert asked["local_files_only"] is True
    assert asked["trust_remote_code"] is False


def test_confusion_shares_ties_and_keeps_the_unknown_apart() -> None:
    scores = pd.DataFrame({"A": [0.9, 0.5, np.nan], "B": [0.1, 0.5, np.nan]}, index=["p", "q", "r"])
    hosts = pd.DataFrame({"project_id": ["p", "q", "r"], "district_id": ["B", "B", "A"]})
    found = confusion(scores, hosts)
    assert found.table.loc["B"].tolist() == [1.5, 0.5, 0.0]
    assert found.table.loc["A"].tolist() == [0.0, 0.0, 1.0]
    assert (found.n, found.found, found.chance) == (3, 0.5, 1.5)


def test_a_neighbour_is_never_oneself() -> None:
    rows = [("p", "eau"), ("q", "eau"), ("r", "energie"), ("s", "energie")]
    brought = pd.DataFrame(rows, columns=["project_id", "theme"]).assign(strength=1.0, evidence="")
    hosts = pd.DataFrame({"project_id": ["p", "q", "r", "s"], "district_id": ["A", "A", "B", "C"]})
    found = neighbour_scores(brought, hosts)
    assert found.loc["p"].tolist() == [1.0, 0.0, 0.0]
    assert np.isnan(found.loc["r", "B"])  # alone in B: no other project to resemble
    assert found.loc["r", "C"] == 1.0


def test_what_the_real_hosts_say_is_what_the_page_says() -> None:
    tables = shipped_tables()
    projects = tables["projects"]
    hosts = projects[["project_id", "district_id"]]
    published = needs(
        tables["objectives"], tables["expected_solutions"], tables["districts"], lexicon=tables["lexicon"]
    )
    brought = offers(projects, lexicon=tables["lexicon"], tags=tables["project_tags"])
    by_needs = confusion(score(published, brought, district_ids=sorted(hosts["district_id"].unique())), hosts)
    assert by_needs.table.to_numpy().tolist() == [
        [1.0, 2.0, 4.0, 0.0, 0.0],
        [1.0, 4.0, 2.0, 0.0, 0.0],
        [3.0, 1.0, 4.0, 0.0, 0.0],
        [1.0, 2.0, 0.0, 3.0, 0.0],
    ]
    assert (by_needs.n, by_needs.found, by_needs.chance) == (28, 12.0, 7.0)
    found = leave_one_out(LexiconReader.of(tables["lexicon"]), projects, hosts, tags=tables["project_tags"])
    assert found.table.to_numpy().tolist() == [
        [4.0, 0.0, 1.0, 2.0, 0.0],
        [1.0, 5.0, 0.0, 1.0, 0.0],
        [3.0, 1.0, 4.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 6.0, 0.0],
    ]
    assert (found.n, found.found, found.chance) == (28, 19.0, 7.0)


def test_leave_one_out_takes_any_reader(model) -> None:
    # p and q speak of energy in A, r of rain in B: the model finds p and q; r, alone in B, resembles nobody.
    reader = EmbeddingReader.of(LEXICON, encode=sentence_encoder(model), name="petit modèle")
    hosts = pd.DataFrame({"project_id": ["p", "q", "r"], "district_id": ["A", "A", "B"]})
    found = leave_one_out(reader, projects(p="Du soleil.", q="Énergie.", r="Une averse."), hosts)
    assert found.table.loc["A"].tolist() == [2.0, 0.0, 0.0]
    assert (found.n, found.chance) == (3, 1.5)
