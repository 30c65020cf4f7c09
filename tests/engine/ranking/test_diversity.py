import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.ranking.diversity import Likeness, diversified, spread
from recommendations.engine.ranking.scores import top

SHOES_ACME, SHOES_OTHER, HATS_ACME, UNKNOWN = (0, 0), (0, 1), (1, 0), (-1, -1)


def like(*traits: tuple[int, int]) -> Likeness:
    return Likeness(traits=np.array(traits, np.int32))


def rows(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_the_order_with_diversity_by_hand() -> None:
    """λ = ½; likeness to shoes of Acme: other shoes ½ (category), hats of Acme ½ (brand), the same 1."""
    likeness = like(SHOES_ACME, SHOES_ACME, SHOES_OTHER, UNKNOWN)
    order = spread(rows(2.0, 1.9, 1.2, 0.5), np.arange(4)[None], likeness=likeness, diversity=0.5, n=4)
    # after item 0 (½ · 2.0): item 1 .95 − .5 = .45, item 2 .6 − .25 = .35, item 3 .25
    np.testing.assert_array_equal(order.positions, [[0, 1, 2, 3]])
    np.testing.assert_allclose(order.finals, [[1.0, 0.45, 0.35, 0.25]], rtol=1e-6)
    stricter = diversified(rows(2.0, 1.9, 1.8, 0.5), np.arange(4)[None], likeness=likeness, diversity=0.5, n=4)
    np.testing.assert_array_equal(stricter, [[0, 2, 1, 3]])  # .9 − .25 beats .95 − .5


def test_unknown_traits_are_like_nothing() -> None:
    order = diversified(
        rows(3.0, 2.9, 0.1), np.arange(3)[None], likeness=like(UNKNOWN, UNKNOWN, SHOES_ACME), diversity=0.9, n=3
    )
    np.testing.assert_array_equal(order, [[0, 1, 2]])


def test_full_diversity_looks_at_unlikeness_only_and_ties_go_to_the_better_score() -> None:
    likeness = like(SHOES_ACME, SHOES_ACME, HATS_ACME, (7, 7))
    order = diversified(rows(4, 3, 2, 1), np.arange(4)[None], likeness=likeness, diversity=1.0, n=4)
    np.testing.assert_array_equal(order, [[0, 3, 2, 1]])


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.2, 0.7, 1.0]))
def test_diversity_of_a_block_equals_that_of_each_query_alone(seed: int, diversity: float) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.standard_normal((3, 80)).astype(np.float32)
    items = np.sort(draw.permuted(np.tile(np.arange(200, dtype=np.int32), (3, 1)), axis=1)[:, :80], axis=1)
    scores[1, 5:] = -np.inf
    scores[2] = -np.inf
    likeness = Likeness(traits=draw.integers(-1, 4, (200, 2)).astype(np.int32))
    block = spread(scores, items, likeness=likeness, diversity=diversity, n=20)
    for row in range(3):
        alone = spread(scores[[row]], items[[row]], likeness=likeness, diversity=diversity, n=20)
        np.testing.assert_array_equal(alone.positions[0], block.positions[row])
        np.testing.assert_array_equal(alone.finals[0], block.finals[row])
    assert (block.positions[1] >= 0).sum() == 5
    assert (block.positions[2] == -1).all()
    if not diversity:
        np.testing.assert_array_equal(block.positions, top(scores, 20))


def test_diversity_with_fewer_candidates_than_places() -> None:
    order = diversified(rows(1.0, 2.0), np.arange(2)[None], likeness=like(SHOES_ACME, HATS_ACME), diversity=0.3, n=4)
    np.testing.assert_array_equal(order, [[1, 0, -1, -1]])
