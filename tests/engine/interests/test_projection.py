"""Projection of segments on layouts that are known in advance."""

import numpy as np
import pytest

from recommendations.engine.frames import FloatArray
from recommendations.engine.interests.projection import laid_out, project, turned
from recommendations.engine.interests.segment import find_segments
from recommendations.engine.preprocess.weighting import act_weights
from tests.engine.interests.test_segment import GROUPS, grouped
from tests.shop import training_set


def gaps(points: FloatArray) -> FloatArray:
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))


def test_distances_of_the_layout_are_those_of_the_directions() -> None:
    """The distances of directions on a circle are those of the circle, up to one scale."""
    angles = np.radians([0, 10, 90, 180])
    directions = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    drawn, wanted = gaps(laid_out(directions)), gaps(directions)
    np.testing.assert_allclose(drawn / drawn.max(), wanted / wanted.max(), atol=1e-4)
    assert np.sqrt((laid_out(directions) ** 2).sum(axis=1)).max() == pytest.approx(1)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_segments_have_places(n: int) -> None:
    points = laid_out(np.eye(3, dtype=np.float32)[:n])
    assert points.shape == (n, 2)
    assert np.isfinite(points).all()


def test_segments_of_the_same_direction_share_a_place() -> None:
    np.testing.assert_allclose(laid_out(np.ones((3, 1), np.float32)), 0, atol=1e-9)


def test_a_projection_is_turned_towards_the_previous_one() -> None:
    before = np.asarray([[1, 0], [0, 0.5], [-0.4, -0.2], [np.nan, np.nan]], np.float32)
    mirrored = before[:, ::-1] * [1, -1]  # a quarter run and a mirror
    mirrored[3] = [0.3, 0.3]
    points = turned(mirrored.astype(np.float64), like=before)
    np.testing.assert_allclose(points[:3], before[:3], atol=1e-6)
    np.testing.assert_array_equal(turned(mirrored, like=np.full((4, 2), np.nan, np.float32)), mirrored)


def test_every_customer_lies_nearest_to_their_segment() -> None:
    training = grouped()
    weights = act_weights(training.interactions)
    segmentation, membership = find_segments(
        weights, training.catalogue.categories, n_segments=3, dimensions=20, seed=0
    )
    picture = project(segmentation, weights, training.catalogue.categories)
    assert picture.users.tolist() == list(range(sum(GROUPS)))  # the one who bought nothing is not drawn
    nearest = np.argmin(((picture.points[:, None] - picture.centres[None]) ** 2).sum(axis=2), axis=1)
    np.testing.assert_array_equal(nearest, membership[picture.users])


def test_the_same_shop_gives_the_same_projection() -> None:
    training = grouped()
    weights = act_weights(training.interactions)
    one, other = (
        project(
            find_segments(weights, training.catalogue.categories, n_segments=3, dimensions=20, seed=1)[0],
            weights, training.catalogue.categories,
        )
        for _ in range(2)
    )  # fmt: skip
    np.testing.assert_array_equal(one.centres, other.centres)
    np.testing.assert_array_equal(one.points, other.points)


def test_a_shop_without_acts_has_an_empty_projection() -> None:
    training = training_set([], n_users=3, category_of=[0, 1])
    weights = act_weights(training.interactions)
    segmentation, _ = find_segments(weights, training.catalogue.categories, n_segments=4, dimensions=2, seed=0)
    picture = project(segmentation, weights, training.catalogue.categories)
    assert (picture.centres.shape, picture.points.shape, len(picture.users)) == ((0, 2), (0, 2), 0)
