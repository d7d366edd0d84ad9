from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi.errors import DefectsError
from geo_qmi.sensitive import default_taxonomy, labels, recode
from geo_qmi.sensitive.taxonomy import check
from geo_qmi.vocabulary import READING_FRAMES, SENSES, THEMES


def more(*rows: tuple[str, str, str, bool]) -> pd.DataFrame:
    return pd.concat(
        [default_taxonomy(), pd.DataFrame(rows, columns=["axis", "word", "code", "preferred"])], ignore_index=True
    )


def test_the_shipped_taxonomy_is_the_vocabulary():
    assert labels(default_taxonomy()) == {"frame": READING_FRAMES, "sense": SENSES, "theme": THEMES}
    assert len(default_taxonomy()) == 4 + 7 + len(THEMES)


def test_a_label_may_change_and_a_local_word_may_be_added():
    table = default_taxonomy()
    table.loc[table["code"] == "hearing", "word"] = "oreille"
    table.loc[len(table)] = ["theme", "Îlot de chaleur", "climat", False]
    assert labels(table)["sense"]["hearing"] == "oreille"
    seen = pd.DataFrame({"sense": ["Oreille", "ouïe", "sight"], "theme": ["ILOT DE CHALEUR", None, "climat"]})
    found, defects = recode(seen, taxonomy=table)
    assert found["sense"].tolist() == ["hearing", "hearing", "sight"]
    assert found["theme"].tolist()[0] == "climat"
    assert found["theme"].isna().tolist() == [False, True, False]
    assert defects == []
    assert seen["sense"].tolist() == ["Oreille", "ouïe", "sight"]


def test_unknown_words_stay_and_are_listed():
    found, defects = recode(pd.DataFrame({"theme": ["licornes", "eau"]}), taxonomy=default_taxonomy())
    assert found["theme"].tolist() == ["licornes", "eau"]
    assert [(d.row, d.field, d.value) for d in defects] == [(0, "theme", "licornes")]


def test_a_taxonomy_that_contradicts_itself_is_refused():
    wrong = more(
        ("humeur", "gai", "gai", False),
        ("theme", "magie", "magie", False),
        ("sense", "Vue", "touch", False),
        ("sense", "oeil", "sight", True),
    )
    assert [defect.field for defect in check(wrong)] == ["axis", "code", "word", "preferred"]
    with pytest.raises(DefectsError, match="Taxonomie refusée : 4"):
        labels(wrong)


def test_the_shipped_file_is_sound_and_says_the_vocabulary(shipped):
    assert check(shipped["taxonomy"]) == []
    assert labels(shipped["taxonomy"]) == labels(default_taxonomy())
