"""The nearest items by their vectors, against all cosines worked out at once."""

import numpy as np

from recommendations.engine.describe import neighbours
from recommendations.engine.describe.neighbours import nearest
from recommendations.engine.rng import generator


def test_the_nearest_are_those_of_the_whole_product() -> None:
    drawn = generator(5, "vectors").standard_normal((300, 16))
    vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)
    whole = vectors.astype(np.float64) @ vectors.astype(np.float64)[7]
    whole[7] = -1
    rows, cosines = nearest(vectors, 7, most=12)
    assert rows.tolist() == np.argsort(-whole)[:12].tolist()
    np.testing.assert_allclose(cosines, whole[rows], atol=1e-4)


def test_blocks_make_no_difference() -> None:
    vectors = np.eye(3, dtype=np.float16)[np.arange(3 * neighbours.ITEMS_AT_ONCE) % 3]
    rows, cosines = nearest(vectors, 1, most=4)
    assert rows.tolist() == [4, 7, 10, 13]
    assert cosines.tolist() == [1, 1, 1, 1]


def test_what_has_nothing_in_common_is_left_out() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0], [0, 0]], np.float16)
    assert nearest(vectors, 0, most=5)[0].tolist() == [2]
    assert nearest(vectors, 4, most=5)[0].tolist() == []
