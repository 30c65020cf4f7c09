"""Products of blocks and the strongest entries of rows, against numpy."""

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.preprocess import blocks


def random_sparse(rows: int, columns: int) -> sparse.csr_matrix:
    return sparse.random(rows, columns, density=0.2, format="csr", dtype=np.float32, rng=np.random.default_rng(3))


@pytest.mark.parametrize("n_items", [1, 7, blocks.ITEMS_AT_ONCE, blocks.ITEMS_AT_ONCE + 1])
def test_the_dense_product_is_that_of_numpy(n_items: int) -> None:
    left = np.random.default_rng(1).random((5, 9), np.float32)
    right = random_sparse(n_items, 9)
    product = blocks.dense_product(left, right)
    assert product.dtype == np.float32
    assert product.flags.c_contiguous
    np.testing.assert_allclose(product, left @ right.toarray().T, rtol=1e-5, atol=1e-6)


def test_the_dense_product_of_nothing_is_empty() -> None:
    assert blocks.dense_product(np.ones((0, 3), np.float32), random_sparse(4, 3)).shape == (0, 4)
    assert blocks.dense_product(np.ones((2, 3), np.float32), random_sparse(0, 3)).shape == (2, 0)


def test_the_strongest_entries_stay_in_their_places() -> None:
    matrix = sparse.csr_matrix(
        np.asarray([[5, 1, 4, 0, 3], [0, 2, 0, 0, 0], [0, 0, 0, 0, 0], [1, 2, 3, 4, 5]], np.float32)
    )
    expected = [[5, 0, 4, 0, 0], [0, 2, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 4, 5]]
    rest = blocks.strongest(matrix, 2)
    np.testing.assert_array_equal(rest.toarray(), expected)
    assert rest.nnz == 5


def test_the_strongest_drop_no_entry_where_all_fit() -> None:
    matrix = random_sparse(6, 6)
    np.testing.assert_array_equal(blocks.strongest(matrix, 6).toarray(), matrix.toarray())


def test_of_equal_entries_as_many_stay_as_fit() -> None:
    equal = sparse.csr_matrix(np.ones((2, 9), np.float32))
    np.testing.assert_array_equal(np.diff(blocks.strongest(equal, 4).indptr), 4)


def test_rows_of_unit_length() -> None:
    matrix = sparse.csr_matrix(np.asarray([[3, 4], [0, 0], [0, 2]], np.float32))
    np.testing.assert_allclose(blocks.unit_rows(matrix).toarray(), [[0.6, 0.8], [0, 0], [0, 1]], rtol=1e-6)


def test_silence_of_empty_profiles_and_unknown_items() -> None:
    profile = sparse.csr_matrix(np.asarray([[1, 0, 0], [0, 0, 0]], np.float32))
    scores = blocks.silenced(np.ones((2, 3), np.float32), profile=profile, known=np.asarray([True, False, True]))
    np.testing.assert_array_equal(scores, [[1, np.nan, 1], [np.nan, np.nan, np.nan]])


@pytest.mark.parametrize("stored", [1, 5, 12, 10**6])
def test_strips_cover_every_row_and_hold_what_they_may(stored: int) -> None:
    left, right = random_sparse(9, 6), random_sparse(6, 8)
    slices = blocks.strips(left, right, stored=stored)
    assert [row for strip in slices for row in range(strip.start, strip.stop)] == list(range(9))
    assert all((left[strip] @ right).nnz <= stored for strip in slices if strip.stop - strip.start > 1)
    assert len(slices) == 1 if stored == 10**6 else len(slices) > 1


@pytest.mark.parametrize("stored", [1, 20, 10**6])
def test_frequent_entries_are_those_of_the_whole_product(stored: int) -> None:
    left, right = random_sparse(9, 6), random_sparse(6, 8)
    whole = (left @ right).toarray()
    entries = blocks.frequent(left, right, at_least=0.2, stored=stored)
    np.testing.assert_array_equal(entries.toarray(), np.where(whole >= np.float32(0.2), whole, 0))
    assert entries.has_sorted_indices
    assert entries.nnz == (whole >= np.float32(0.2)).sum() > 0


def test_the_product_of_nothing_has_no_frequent_entries() -> None:
    assert blocks.frequent(random_sparse(0, 3), random_sparse(3, 4), at_least=1).shape == (0, 4)
