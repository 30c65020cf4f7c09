"""Layout of the items of association rules."""

import numpy as np

from recommendations.engine.interests.network import network


def edges(*pairs: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    first, second = zip(*pairs, strict=True) if pairs else ((), ())
    return np.asarray(first, np.int32), np.asarray(second, np.int32)


def test_linked_items_lie_nearer_than_unlinked_ones() -> None:
    """Two triangles that share nothing, and a pair."""
    places = network(*edges((0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (6, 7)), 8)
    gaps = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    inside = [gaps[0, 1], gaps[1, 2], gaps[0, 2], gaps[3, 4], gaps[6, 7]]
    outside = [gaps[a, b] for a in range(3) for b in range(3, 8)]
    assert 0.5 < min(inside) <= max(inside) < 1.7
    assert min(outside) >= 1


def test_no_two_items_share_a_place() -> None:
    places = network(*edges(*((0, leaf) for leaf in range(1, 12))), 12)
    gaps = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))[np.triu_indices(12, 1)]
    assert gaps.min() > 0.3


def test_the_same_rules_give_the_same_layout() -> None:
    rules = edges((0, 1), (1, 2), (2, 3), (4, 5))
    np.testing.assert_array_equal(network(*rules, 6), network(*rules, 6))


def test_without_rules_the_layout_is_empty() -> None:
    assert network(*edges(), 0).shape == (0, 2)
