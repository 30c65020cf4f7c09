"""Likeness of buyers, counted by hand."""

import numpy as np

from recommendations.engine.interests.shared_buyers import Bought, SharedBuyers
from tests.shop import Act, interactions


def test_it_is_the_cosine_of_who_bought_both() -> None:
    pairs = [(0, 0), (0, 1), (0, 1), (1, 0), (1, 1), (2, 0), (3, 2)]
    acts = [Act(user=user, item=item, basket=at) for at, (user, item) in enumerate(pairs)]
    likeness = SharedBuyers(Bought.of(interactions(acts, n_users=5, n_items=4)))
    np.testing.assert_allclose(likeness.cosines(0), [1, 2 / np.sqrt(6), 0, np.nan], atol=1e-6)
    assert np.isnan(likeness.cosines(3)).all()


def test_only_purchases_count() -> None:
    acts = [Act(user=0, item=0, basket=0), Act(user=0, item=1, basket=1, bought=False)]
    assert np.isnan(SharedBuyers(Bought.of(interactions(acts, n_users=1, n_items=2))).cosines(0)[1])
