"""Scores of one query, as they are held while the shop waits, are those of a whole row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.preprocess.row_terms import column_sums, places_among, row_terms, union, values_at
from recommendations.engine.ranking.score_rows import (
    DenseRow,
    FewScores,
    KnownItems,
    SameForAll,
    SilentRow,
    nominees,
    standing,
)

WIDTH = 12
KNOWN = np.array([True] * 10 + [False] * 2)


def few(scores: dict[int, float]) -> FewScores:
    return FewScores.of(np.array([*scores], np.int32), np.array([*scores.values()], np.float32), KnownItems(KNOWN))


def dense(scores: dict[int, float]) -> FloatArray:
    row = np.where(KNOWN, np.float32(0), np.float32(np.nan))
    for item, value in scores.items():
        row[item] = value if KNOWN[item] else np.nan
    return row


def rows(*items: int) -> IntArray:
    return np.array(items, np.int32)


def test_what_is_liked_comes_before_what_nothing_is_said_of_and_that_before_what_is_disliked() -> None:
    row = few({7: 2.0, 3: -1.0, 5: 1.0, 11: 9.0})
    assert sorted(row.best(2, but=rows())) == [5, 7]
    assert sorted(row.best(4, but=rows(0))) == [1, 2, 5, 7]
    assert sorted(row.best(50, but=rows())) == [*range(10)]
    assert 3 not in row.best(9, but=rows())


def test_of_equals_the_lower_rows_come_first() -> None:
    row = few({8: 1.0, 2: 1.0, 6: 1.0, 4: 2.0})
    assert sorted(row.best(2, but=rows())) == [2, 4]
    assert sorted(row.best(2, but=rows(2))) == [4, 6]


def test_a_silent_row_knows_nothing() -> None:
    assert SilentRow().best(3, but=rows()).tolist() == []
    assert np.isnan(SilentRow().at(rows(1, 2))).all()


@given(
    st.dictionaries(st.integers(0, WIDTH - 1), st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])),
    st.integers(1, 15), st.sets(st.integers(0, WIDTH - 1), max_size=4),
)  # fmt: skip
def test_few_scores_are_those_of_a_whole_row(scores: dict[int, float], n: int, barred: set[int]) -> None:
    but, whole = rows(*sorted(barred)), dense(scores)
    for row in (few(scores), DenseRow(whole), SameForAll(whole)):
        np.testing.assert_array_equal(row.at(np.arange(WIDTH, dtype=np.int32)), whole)
        expected = sorted(
            (item for item in range(WIDTH) if KNOWN[item] and item not in barred), key=lambda item: (-whole[item], item)
        )
        assert sorted(row.best(n, but=but).tolist()) == sorted(expected[:n])


def test_nominees_are_the_best_of_each_and_stand_among_themselves() -> None:
    both = [few({7: 2.0, 5: 1.0}), DenseRow(dense({9: 4.0, 5: 3.0}))]
    items = nominees(both, nominated=2, but=rows(), width=WIDTH)
    assert items.tolist() == [5, 7, 9]
    z = standing(both, items).astype(np.float64)
    np.testing.assert_allclose(z, [[0, 1.2247, -1.2247], [0.3922, -1.3728, 0.9806]], atol=2e-3)
    assert standing(both, rows()).shape == (2, 0)


def test_terms_of_a_few_rows_are_those_of_the_product() -> None:
    rng = np.random.default_rng(0)
    matrix = sparse.random_array((9, WIDTH), density=0.4, rng=rng, format="csr", dtype=np.float32)
    matrix = sparse.csr_matrix(matrix)
    some, weights = rows(4, 0, 7), np.array([1.0, 0.5, 2.0], np.float32)
    terms, whole = row_terms(matrix, some, weights), matrix[some].toarray() * weights[:, None]
    for column in range(WIDTH):
        np.testing.assert_allclose(terms.of(column), whole[:, column], rtol=1e-6)
    columns, sums = terms.sums(WIDTH)
    assert len(set(columns.tolist())) == len(columns)
    np.testing.assert_allclose(values_at(np.arange(WIDTH), columns, sums, width=WIDTH), whole.sum(axis=0), rtol=1e-6)


def test_places_sums_and_unions_by_hand() -> None:
    columns, sums = column_sums(rows(3, 1, 3), np.array([1.0, 2.0, 4.0], np.float32), width=WIDTH)
    assert dict(zip(columns.tolist(), sums.tolist(), strict=True)) == {1: 2.0, 3: 5.0}
    assert places_among(rows(5, 0, 2), rows(2, 5), width=WIDTH).tolist() == [1, -1, 0]
    assert places_among(rows(5), rows(), width=WIDTH).tolist() == [-1]
    assert union([rows(4, 1), rows(1, 9)], width=WIDTH).tolist() == [1, 4, 9]
