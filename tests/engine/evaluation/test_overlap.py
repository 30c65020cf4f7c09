import numpy as np

from recommendations.engine.evaluation.overlap import overlap


def test_overlap_by_hand() -> None:
    """{1, 2} and {2, 3} share one of two, {5} and {5, 6, 7, 8} one of four; places do not count."""
    one = np.array([[1, 2, -1, -1], [5, -1, -1, -1]], np.int32)
    other = np.array([[3, 2, -1, -1], [8, 7, 6, 5]], np.int32)
    np.testing.assert_allclose(overlap([one, other]), [[1, (0.5 + 0.25) / 2], [(0.5 + 0.25) / 2, 1]])


def test_only_the_top_k_count_and_empty_lists_share_nothing() -> None:
    one, other = np.array([[1, 2, 3]], np.int32), np.array([[4, 5, 1]], np.int32)
    assert overlap([one, other], k=2)[0, 1] == 0
    assert overlap([one, other], k=3)[0, 1] == 1 / 3
    empty = np.full((1, 3), -1, np.int32)
    np.testing.assert_array_equal(overlap([one, empty, empty]), [[1, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_overlap_equals_that_of_sets_over_many_blocks_of_users() -> None:
    draw = np.random.default_rng(0)
    lists = [draw.permuted(np.tile(np.arange(15, dtype=np.int32), (5000, 1)), axis=1)[:, :10] for _ in range(3)]
    expected = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(lists[0].tolist(), lists[2].tolist(), strict=True)])
    np.testing.assert_allclose(overlap(lists)[0, 2], expected)
    assert overlap([]).shape == (0, 0)
    assert overlap([np.empty((0, 10), np.int32)]).tolist() == [[0]]
