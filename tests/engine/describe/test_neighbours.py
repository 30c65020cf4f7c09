"""The nearest items by their vectors, against all cosines worked out at once."""

import numpy as np

from recommendations.engine.describe import neighbours
from recommendations.engine.describe.neighbours import Neighbourhood
from recommendations.engine.frames import Space
from recommendations.engine.rng import generator


def test_the_nearest_are_those_of_the_whole_product() -> None:
    drawn = generator(5, "vectors").standard_normal((300, 16))
    vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)
    whole = vectors.astype(np.float64) @ vectors.astype(np.float64)[7]
    whole[7] = -1
    rows, cosines = Neighbourhood(vectors).nearest(7, most=12)
    assert rows.tolist() == np.argsort(-whole)[:12].tolist()
    np.testing.assert_allclose(cosines, whole[rows], atol=1e-4)


def test_blocks_make_no_difference() -> None:
    vectors = np.eye(3, dtype=np.float16)[np.arange(3 * neighbours.ITEMS_AT_ONCE) % 3]
    rows, cosines = Neighbourhood(vectors).nearest(1, most=4)
    assert rows.tolist() == [4, 7, 10, 13]
    assert cosines.tolist() == [1, 1, 1, 1]


def test_what_has_nothing_in_common_is_left_out() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0], [0, 0]], np.float16)
    assert Neighbourhood(vectors).nearest(0, most=5)[0].tolist() == [2]
    assert Neighbourhood(vectors).nearest(4, most=5)[0].tolist() == []


def test_likeness_is_the_mean_over_the_spaces_that_both_stand_in() -> None:
    vectors = np.array(
        [[1, 0, 1, 0], [0.6, 0.8, 0, 0], [0.6, 0.8, 0.8, 0.6], [0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0]], np.float16
    )
    spaces = (Space("text", 0, 2), Space("own", 2, 4))
    # alone in text .6; in both (.6 + .8) / 2; in own, at a right angle 0; nowhere unknown; in text 0
    expected = [1, 0.6, 0.7, 0, np.nan, 0]
    np.testing.assert_allclose(Neighbourhood(vectors, spaces).cosines(0), expected, atol=1e-3)
    assert np.isnan(Neighbourhood(vectors, spaces).cosines(4)).all()


def test_one_space_is_as_no_space() -> None:
    vectors = generator(6, "vectors").standard_normal((40, 8)).astype(np.float16)
    alone = Neighbourhood(vectors, (Space("text", 0, 8),)).nearest(3, most=9)
    for one, other in zip(alone, Neighbourhood(vectors).nearest(3, most=9), strict=True):
        np.testing.assert_array_equal(one, other)


def test_pictures_and_texts_are_told_apart() -> None:
    """Looks are of the space of pictures alone, words of all others, wherever it stands among them."""
    vectors = np.array([[1, 0, 0, 1, 1], [0.6, 0.8, 1, 0, 1], [0, 1, 0, 0, -1]], np.float16)
    spaces = (Space("text", 0, 2), Space("picture", 2, 4), Space("shop", 4, 5))
    texts, pictures = Neighbourhood.of_texts(vectors, spaces), Neighbourhood.of_pictures(vectors, spaces)
    np.testing.assert_allclose(texts.cosines(0), [1, 0.8, -0.5], atol=1e-3)
    assert pictures is not None
    np.testing.assert_allclose(pictures.cosines(0), [1, 0, np.nan], atol=1e-3)
    assert Neighbourhood.of_pictures(vectors, ()) is None
    np.testing.assert_allclose(Neighbourhood.of_texts(vectors, ()).cosines(2)[0], -1, atol=1e-3)
