"""Is a profile of replicability what people gave, criterion by criterion, and nothing more?"""

from __future__ import annotations

import pandas as pd
import pytest

from geo_qmi import evaluation
from geo_qmi.errors import DefectsError, InputError
from geo_qmi.shipped import shipped_tables


@pytest.fixture(scope="module")
def levels() -> pd.DataFrame:
    return shipped_tables()["replicability_levels"]


def marks(*rows: tuple[str, str, str, object]) -> pd.DataFrame:
    """Marks of project p in district d: criterion, rater, day, level."""
    frame = pd.DataFrame(rows, columns=["criterion_id", "rater", "marked_on", "level"])
    return frame.assign(project_id="p", district_id="d", demo=False)


def test_one_line_a_criterion_whatever_was_marked(levels):
    found = evaluation.replicability(marks(("C2", "A", "2026-01-05", 3)), levels)
    assert found.criteria["criterion_id"].tolist() == ["C1", "C2", "C3", "C4", "C5"]
    missing = found.criteria.set_index("criterion_id")["missing"]
    assert missing.isna().tolist() == [False, True, False, False, False]
    assert missing["C1"] == evaluation.NOT_EVALUATED
    assert found.criteria["median"].isna().sum() == 4


def test_several_raters_give_a_range_and_the_lower_median(levels):
    rows = [("C1", rater, "2026-01-05", level) for rater, level in zip("ABCD", (3, 0, 1, 3), strict=True)]
    first = evaluation.replicability(marks(*rows), levels).criteria.iloc[0]
    # 0, 1, 3, 3: the two middle levels are 1 and 3; the lower one is a level somebody gave.
    assert first[["n_raters", "lowest", "median", "highest"]].tolist() == [4, 0, 1, 3]
    assert first["agreement"] == "3 niveaux d’écart"
    assert first["meaning"] == "Terrain validé"


def test_agreement_is_told_for_one_and_for_all(levels):
    found = evaluation.replicability(
        marks(("C1", "A", "2026", 2), ("C1", "B", "2026", 2), ("C2", "A", "2026", 1)), levels
    )
    assert found.criteria["agreement"].tolist()[:2] == ["accord", "une seule personne"]


def test_the_latest_mark_of_a_person_counts_even_to_withdraw_it(levels):
    changed = (("C1", "A", "2026-01-05", 3), ("C1", "A", "2026-02-05", 1))
    withdrawn = (("C2", "A", "2026-01-05", 2), ("C2", "A", "2026-03-01", None))
    found = evaluation.replicability(marks(*changed, *withdrawn), levels)
    assert found.criteria.loc[0, ["n_raters", "median", "last_marked_on"]].tolist() == [1, 1, "2026-02-05"]
    assert pd.isna(found.criteria.loc[1, "median"])
    assert found.criteria.loc[1, "missing"] == "non évalué : 1 note laissée vide"
    assert "2 notes remplacées par une note plus récente de la même personne." in found.notes


def test_the_weakest_link_is_named_with_its_published_words(levels):
    given = zip(("C1", "C2", "C3", "C4", "C5"), (3, 0, 2, 0, None), strict=True)
    one = evaluation.replicability(marks(*((code, "A", "2026", level) for code, level in given)), levels).projects
    assert one.loc[0, ["evaluated", "weakest_level"]].tolist() == ["4/5", 0]
    assert one.loc[0, "weakest"] == "Traction commerciale ; Facilité opérationnelle"
    assert one.loc[0, "sentence"] == (
        "4 critères évalués sur 5. Maillons faibles, niveau 0 : Traction commerciale (Non) ; Facilité opérationnelle "
        "(Ingénierie très lourde, ressources indisponibles). Non évalué : Stabilité financière."
    )


def test_a_test_without_a_mark_has_its_row_and_no_level(levels):
    tests = pd.DataFrame({"project_id": ["q"], "district_id": ["d"]})
    found = evaluation.replicability(marks(("C1", "A", "2026", 0)).iloc[:0], levels, tests=tests)
    assert found.projects.loc[0, "evaluated"] == "0/5"
    assert pd.isna(found.projects.loc[0, "weakest_level"])
    assert "ce qui n’est pas le niveau 0" in found.projects.loc[0, "sentence"]


@pytest.mark.parametrize("level", [4, -1, 2.5, True, False, "2", float("inf")])
def test_what_is_not_a_level_is_refused(levels, level):
    frame = marks(("C1", "A", "2026", level))
    frame["level"] = pd.Series([level], dtype=object)
    with pytest.raises(DefectsError, match="un nombre entier de 0 à 3"):
        evaluation.replicability(frame, levels)


def test_every_bad_cell_is_told_at_once(levels):
    frame = marks(("C1", "A", "2026", 7), ("C9", "A", "2026", 1), ("C2", "B", "2026", 1), ("C2", "B", "2026", 2))
    with pytest.raises(DefectsError) as refused:
        evaluation.replicability(frame, levels)
    assert [(defect.row, defect.field) for defect in refused.value.defects] == [
        (0, "level"),
        (1, "criterion_id"),
        (3, "marked_on"),
    ]


def test_a_missing_column_is_told(levels):
    with pytest.raises(InputError, match="rater"):
        evaluation.replicability(marks(("C1", "A", "2026", 1)).drop(columns="rater"), levels)


def test_a_sum_exists_only_whole_and_with_its_caution(levels):
    rows = [(f"C{number}", "A", "2026", number % 4) for number in range(1, 6)]
    whole = evaluation.ordinal_sum(evaluation.replicability(marks(*rows), levels))
    assert whole.loc[0, ["sum", "out_of"]].tolist() == [1 + 2 + 3 + 0 + 1, 15]
    assert whole.loc[0, "caution"] == evaluation.SUM_CAUTION
    partial = evaluation.ordinal_sum(evaluation.replicability(marks(*rows[:4]), levels))
    assert pd.isna(partial.loc[0, "sum"])


def test_the_order_of_rows_changes_nothing(levels):
    rows = marks(
        *((f"C{n}", rater, f"2026-01-0{n}", (n + k) % 4) for n in range(1, 6) for k, rater in enumerate("ABC"))
    )
    one = evaluation.replicability(rows, levels)
    other = evaluation.replicability(rows.iloc[::-1].reset_index(drop=True), levels)
    pd.testing.assert_frame_equal(one.criteria, other.criteria)
    pd.testing.assert_frame_equal(one.projects, other.projects)
